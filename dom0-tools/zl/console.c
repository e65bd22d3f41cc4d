/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the console. The pty belongs to the console daemon; this only copies bytes, and watches the
 * store for the daemon's return and for the end of the domain.
 */
#include "zl/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "device/deadline.h"
#include "hyp/domain.h"
#include "store/zstore.h"
#include "zl/domains.h"
#include "zl/zl.h"

#define ESCAPE 0x1d /* Ctrl-] */

/* How long output may still be on its way when the domain has ended. */
#define DRAIN_MS 200
/* How long the guest may be silent after the last line of a piped input. */
#define ANSWER_MS 1000

enum input_state {
	INPUT_UNKNOWN,
	INPUT_GIVEN,
	INPUT_NONE, /* it ended before it began, as </dev/null does: output only */
};

static struct termios saved_terminal;
static volatile sig_atomic_t must_end;

static void handle_signal(int number)
{
	(void)number;
	must_end = 1;
}

static bool terminal_set_raw(void)
{
	struct sigaction action = {.sa_handler = handle_signal};
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved_terminal))
		return false;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	raw = saved_terminal;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0;
}

/* The pty itself must neither echo nor turn newlines into two characters. */
static void pty_set_raw(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &raw))
		return;
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
}

static void console_try_open(struct console *console)
{
	char *tty;

	if (zstore_read(console->zl->store, ZSTORE_NO_TX, console->node, &tty, NULL))
		return;
	if (*tty == '/')
		console->fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(tty);
	if (console->fd >= 0)
		pty_set_raw(console->fd);
}

static bool console_has_domain(struct console *console)
{
	struct xen_domctl_getdomaininfo info;

	return !hyp_domain_get_info(console->zl->hyp, console->domid, &info) &&
	       !domain_is_dying(&info) &&
	       !memcmp(info.handle, console->uuid, sizeof(console->uuid));
}

/* Read away what the store has to tell: 1 when there was something, or -E when it is gone. */
static int console_read_events(struct console *console)
{
	struct zstore_event event;
	int rc, any = 0;

	for (;;) {
		rc = zstore_next_event(console->zl->store, 0, &event);
		if (rc)
			return rc == -EAGAIN ? any : rc;
		any = 1;
		/* The node names the pty of a dead daemon until the next one writes it anew. */
		if (!strcmp(event.path, console->node))
			console->is_node_new = true;
		zstore_free_event(&event);
	}
}

/* True when the domain is still there. */
static bool console_follow_store(struct console *console)
{
	if (console_read_events(console) < 0 || !console_has_domain(console))
		return false;
	if (console->fd < 0 && console->is_node_new) {
		console->is_node_new = false;
		console_try_open(console);
	}
	return true;
}

static void console_choose_node(struct console *console, enum console_kind kind, uint32_t number)
{
	char *tty = NULL;

	snprintf(console->node, sizeof(console->node), "/local/domain/%u/serial/%u/tty",
		 console->domid, number);
	if (kind == CONSOLE_SERIAL)
		return;
	if (kind == CONSOLE_PV ||
	    zstore_read(console->zl->store, ZSTORE_NO_TX, console->node, &tty, NULL))
		snprintf(console->node, sizeof(console->node), "/local/domain/%u/console/tty",
			 console->domid);
	free(tty);
}

int console_open(struct console *console, struct zl *zl, domid_t domid, enum console_kind kind,
		 uint32_t number, int timeout_ms)
{
	int64_t deadline = deadline_after(timeout_ms < 0 ? 0 : timeout_ms);
	struct xen_domctl_getdomaininfo info;
	struct pollfd fd = {.events = POLLIN};
	int rc;

	*console = (struct console){.zl = zl, .domid = domid, .fd = -1};
	console_choose_node(console, kind, number);
	rc = hyp_domain_get_info(zl->hyp, domid, &info);
	if (rc)
		return zl_error("domain %u: %s", domid, strerror(-rc));
	memcpy(console->uuid, info.handle, sizeof(console->uuid));
	rc = zstore_watch(zl->store, console->node, "console");
	if (!rc)
		rc = zstore_watch(zl->store, "@releaseDomain", "console");
	if (rc)
		return zl_error("watching the console in the store: %s", strerror(-rc));
	console_try_open(console);
	while (console->fd < 0) {
		if (timeout_ms >= 0 && !deadline_left(deadline))
			return zl_error(kind == CONSOLE_SERIAL
						? "domain %u has no such serial port (serial=)"
						: "domain %u has no console in the store; is "
						  "zconsoled running?",
					domid);
		if (console_read_events(console)) {
			if (!console_follow_store(console))
				return zl_error("domain %u ended", domid);
			continue;
		}
		fd.fd = zstore_fd(zl->store);
		if (poll(&fd, 1, timeout_ms < 0 ? -1 : deadline_left(deadline)) < 0 &&
		    errno != EINTR)
			return zl_error("poll: %s", strerror(errno));
		if (!console_follow_store(console))
			return zl_error("domain %u ended", domid);
	}
	console_read_events(console);
	console->is_node_new = false;
	return 0;
}

void console_close(struct console *console)
{
	if (console->fd >= 0)
		close(console->fd);
	console->fd = -1;
}

static bool write_all(int fd, const char *data, size_t size)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	ssize_t len;

	while (size && !must_end) {
		len = write(fd, data, size);
		if (len < 0 && errno == EAGAIN)
			poll(&ready, 1, -1);
		else if (len < 0 && errno != EINTR)
			return false;
		else if (len > 0) {
			data += len;
			size -= (size_t)len;
		}
	}
	return true;
}

/* From the guest to the terminal; false when the daemon hung up. */
static bool console_copy_output(struct console *console)
{
	char buf[4096];
	ssize_t len = read(console->fd, buf, sizeof(buf));

	if (len > 0) {
		if (!write_all(STDOUT_FILENO, buf, (size_t)len))
			must_end = 1;
		return true;
	}
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	console_close(console);
	return false;
}

/* From the terminal to the guest; false when the person wants to leave. */
static bool console_copy_input(struct console *console, enum input_state *input)
{
	char buf[512], *escape;
	ssize_t len = read(STDIN_FILENO, buf, sizeof(buf));

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (len <= 0) {
		if (*input == INPUT_GIVEN)
			return false;
		*input = INPUT_NONE;
		return true;
	}
	*input = INPUT_GIVEN;
	escape = memchr(buf, ESCAPE, (size_t)len);
	if (escape)
		len = escape - buf;
	if (console->fd >= 0)
		write_all(console->fd, buf, (size_t)len);
	return !escape;
}

static void console_drain(struct console *console, int timeout_ms)
{
	struct pollfd fd = {.fd = console->fd, .events = POLLIN};

	while (console->fd >= 0 && poll(&fd, 1, timeout_ms) > 0)
		if (!console_copy_output(console))
			break;
}

static void console_copy(struct console *console)
{
	struct pollfd fds[3];
	enum input_state input = INPUT_UNKNOWN;

	while (!must_end) {
		/* What came while answers were waited for no longer shows in the descriptor. */
		if (console_read_events(console) && !console_follow_store(console)) {
			console_drain(console, DRAIN_MS);
			return;
		}
		/* Negative descriptors are left out by poll(2). */
		fds[0] = (struct pollfd){.fd = input == INPUT_NONE ? -1 : STDIN_FILENO,
					 .events = POLLIN};
		fds[1] = (struct pollfd){.fd = console->fd, .events = POLLIN};
		fds[2] = (struct pollfd){.fd = zstore_fd(console->zl->store), .events = POLLIN};
		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[1].revents)
			console_copy_output(console);
		if (fds[0].revents && !console_copy_input(console, &input)) {
			console_drain(console, isatty(STDIN_FILENO) ? 0 : ANSWER_MS);
			return;
		}
		if ((fds[2].revents || console->fd < 0) && !console_follow_store(console)) {
			console_drain(console, DRAIN_MS);
			return;
		}
	}
}

int console_run(struct console *console)
{
	bool is_raw = terminal_set_raw();

	console_copy(console);
	if (is_raw) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_terminal);
		fputc('\n', stderr);
	}
	return ZL_OK;
}
