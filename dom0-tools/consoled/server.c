/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop: whose terminal or page has bytes, one turn each.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/daemon.h"
#include "daemon/log.h"
#include "evtchn/evtchn.h"
#include "evtchn/gntdev.h"
#include "hyp/hyp.h"
#include "store/zstore.h"

#include "server.h"

#define HYPLOG_POLL_MS 1000
#define STALLED_MS     50 /* between looks at a terminal that was full */
#define PORTS_PER_TURN 64

/* Descriptors polled: these two first, then one for each console. */
enum { POLL_EVTCHN, POLL_STORE, POLL_CONSOLES };

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int server_init(struct server *server)
{
	int ret;

	server->now_ms = clock_ms();
	server->next_connect_ms = UINT64_MAX;
	ret = hyp_open(&server->hyp);
	if (!ret)
		ret = zevtchn_open(&server->evtchn);
	if (!ret)
		ret = zgntdev_open(&server->gntdev);
	if (ret) {
		log_error("the hypervisor's devices: %s", strerror(-ret));
		return ret;
	}
	hyplog_open(&server->hyplog, server->log_dir, server->state_dir, server->limits.log);
	server->virq_port = zevtchn_bind_virq(server->evtchn, VIRQ_CON_RING);
	if (server->virq_port < 0)
		log_info("VIRQ_CON_RING: %s: the hypervisor's log is polled",
			 strerror(-server->virq_port));
	ret = domains_open_store(server);
	if (ret) {
		log_error("the store: %s", strerror(-ret));
		return ret;
	}
	domains_scan(server);
	return 0;
}

static void handle_ports(struct server *server)
{
	for (int i = 0; i < PORTS_PER_TURN; i++) {
		int port = zevtchn_pending(server->evtchn);

		if (port < 0)
			return;
		if (port == server->virq_port) {
			server->next_hyplog_ms = 0;
			zevtchn_unmask(server->evtchn, (unsigned int)port);
			continue;
		}
		/* A guest's channel stays masked until its page is empty. */
		for (struct console *c = server->consoles; c; c = c->next) {
			if (c->port == port)
				c->has_work = true;
		}
	}
}

static void serve_console(struct server *server, struct console *console, bool is_readable)
{
	bool is_moved = false;

	if (console->is_stalled)
		console_flush(console);
	if (!console->page)
		return;
	if (is_readable)
		is_moved |= console_pump_input(console) == CONSOLE_MOVED;
	if (console->has_work) {
		is_moved |= console_pump_output(console, server->now_ms) == CONSOLE_MOVED;
		if (!console->has_work) {
			xen_unmask(server, console);
			/* What came between the last look and the unmasking. */
			is_moved |= console_pump_output(console, server->now_ms) == CONSOLE_MOVED;
		}
	}
	if (is_moved)
		xen_notify(server, console);
}

static void lower(int *timeout, int candidate)
{
	if (*timeout < 0 || candidate < *timeout)
		*timeout = candidate < 0 ? 0 : candidate;
}

static int choose_timeout(struct server *server)
{
	int timeout = server->hyplog.file.fd < 0 ? -1 : HYPLOG_POLL_MS;

	if (!server->store)
		lower(&timeout, (int)(int64_t)(server->next_store_ms - server->now_ms));
	if (server->next_connect_ms != UINT64_MAX)
		lower(&timeout, (int)(int64_t)(server->next_connect_ms - server->now_ms));
	for (struct console *c = server->consoles; c; c = c->next) {
		if (c->has_work && !console_is_throttled(c, server->now_ms))
			lower(&timeout, 0);
		else if (c->has_work)
			lower(&timeout, (int)(c->period_end_ms - server->now_ms));
		if (c->is_stalled || c->is_ending)
			lower(&timeout, STALLED_MS);
	}
	return timeout;
}

/* Ends those whose last words were read, or not in time. */
static void reap_consoles(struct server *server)
{
	struct console *next;

	for (struct console *c = server->consoles; c; c = next) {
		next = c->next;
		if (!c->is_ending)
			continue;
		if (server->now_ms >= c->end_ms ||
		    (server->now_ms >= c->read_ms && console_is_read(c)))
			domains_remove(server, c);
	}
}

static void retry_store(struct server *server)
{
	if (server->store || server->now_ms < server->next_store_ms)
		return;
	if (!domains_open_store(server)) {
		log_info("the store's daemon is back");
		domains_scan(server);
	}
}

static void reopen_logs(struct server *server)
{
	log_reopen();
	logfile_reopen(&server->hyplog.file);
	for (struct console *c = server->consoles; c; c = c->next)
		logfile_reopen(&c->log);
}

/* Fills the array, which has room for POLL_CONSOLES and every console. */
static nfds_t collect(struct server *server, struct pollfd *fds)
{
	nfds_t count = POLL_CONSOLES;

	fds[POLL_EVTCHN] = (struct pollfd){zevtchn_fd(server->evtchn), POLLIN, 0};
	fds[POLL_STORE] = (struct pollfd){server->store ? zstore_fd(server->store) : -1, POLLIN, 0};
	for (struct console *c = server->consoles; c; c = c->next) {
		fds[count++] = (struct pollfd){
			.fd = console_wants_input(c) ? c->tty.master : -1,
			.events = POLLIN,
		};
	}
	return count;
}

static nfds_t count_descriptors(const struct server *server)
{
	nfds_t count = POLL_CONSOLES;

	for (const struct console *c = server->consoles; c; c = c->next)
		count++;
	return count;
}

static int run_once(struct server *server, struct pollfd *fds)
{
	nfds_t count = collect(server, fds), i = POLL_CONSOLES;

	if (poll(fds, count, choose_timeout(server)) < 0) {
		if (errno != EINTR)
			return -errno;
		return 0;
	}
	server->now_ms = clock_ms();
	if (fds[POLL_EVTCHN].revents)
		handle_ports(server);
	/* In the order in which they were collected. */
	for (struct console *c = server->consoles; c; c = c->next)
		serve_console(server, c, fds[i++].revents & POLLIN);
	if (server->now_ms >= server->next_hyplog_ms) {
		server->next_hyplog_ms = server->now_ms + HYPLOG_POLL_MS;
		hyplog_read(&server->hyplog, server->hyp);
	}
	domains_handle_events(server);
	if (server->now_ms >= server->next_connect_ms)
		domains_connect(server);
	retry_store(server);
	reap_consoles(server);
	return 0;
}

int server_run(struct server *server)
{
	struct pollfd *fds = NULL, *grown;
	int ret = 0;

	while (!daemon_must_stop && !ret) {
		if (daemon_must_reopen) {
			daemon_must_reopen = 0;
			reopen_logs(server);
		}
		grown = realloc(fds, count_descriptors(server) * sizeof(*fds));
		if (!grown) {
			ret = -ENOMEM;
			break;
		}
		fds = grown;
		ret = run_once(server, fds);
	}
	free(fds);
	return ret;
}

void server_fini(struct server *server)
{
	while (server->consoles)
		domains_remove(server, server->consoles);
	hyplog_close(&server->hyplog);
	zstore_close(server->store);
	zgntdev_close(server->gntdev);
	zevtchn_close(server->evtchn);
	hyp_close(server->hyp);
}
