/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow of bytes of one console: see console.h.  A guest is never made to
 * wait for a client, only for its rate.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

int console_init(struct console *console, uint16_t domid, const struct console_limits *limits,
		 const char *log_path, const char *link_path)
{
	int ret;

	memset(console, 0, sizeof(*console));
	console->domid = domid;
	console->limits = limits;
	console->budget = limits->rate;
	console->log.fd = -1;
	console->port = -1;
	ret = tty_open(&console->tty, link_path);
	if (ret)
		return ret;
	ret = buffer_init(&console->buffer, limits->buffer);
	if (ret) {
		tty_close(&console->tty);
		return ret;
	}
	/* A console without a log is better than none. */
	if (log_path)
		logfile_open(&console->log, log_path, limits->log);
	return 0;
}

void console_fini(struct console *console)
{
	logfile_close(&console->log);
	buffer_fini(&console->buffer);
	tty_close(&console->tty);
}

static void keep(struct console *console, const char *data, size_t len)
{
	logfile_write(&console->log, data, len);
	buffer_add(&console->buffer, data, len);
}

void console_flush(struct console *console)
{
	const char *data;
	size_t len;

	console->is_stalled = false;
	while ((len = buffer_peek(&console->buffer, &data))) {
		ssize_t n = write(console->tty.master, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			console->is_stalled = true;
			return;
		}
		buffer_drop(&console->buffer, (size_t)n);
	}
}

static void renew_budget(struct console *console, uint64_t now_ms)
{
	if (now_ms < console->period_end_ms)
		return;
	console->budget = console->limits->rate;
	console->period_end_ms = now_ms + console->limits->period_ms;
}

bool console_is_throttled(const struct console *console, uint64_t now_ms)
{
	return !console->budget && now_ms < console->period_end_ms;
}

enum console_result console_pump_output(struct console *console, uint64_t now_ms)
{
	char data[CONSOLE_TURN];
	size_t want = sizeof(data), len;

	renew_budget(console, now_ms);
	if (want > console->budget)
		want = console->budget;
	if (!want)
		return CONSOLE_IDLE;
	len = ring_take(console->page, data, want);
	console->budget -= (uint32_t)len;
	/* Less than wanted: the page is empty until the guest says otherwise. */
	console->has_work = len == want;
	if (!len)
		return CONSOLE_IDLE;
	keep(console, data, len);
	console_flush(console);
	return CONSOLE_MOVED;
}

bool console_wants_input(const struct console *console)
{
	return console->page && ring_room(console->page);
}

enum console_result console_pump_input(struct console *console)
{
	char data[sizeof(((struct xencons_interface *)0)->in)];
	size_t room = ring_room(console->page);
	ssize_t n;

	if (!room)
		return CONSOLE_IDLE;
	n = read(console->tty.master, data, room);
	if (n <= 0)
		return CONSOLE_IDLE;
	ring_give(console->page, data, (size_t)n);
	return CONSOLE_MOVED;
}

void console_drain(struct console *console)
{
	char data[sizeof(((struct xencons_interface *)0)->out)];
	size_t len = ring_take(console->page, data, sizeof(data));

	keep(console, data, len);
	console_flush(console);
}

bool console_is_read(const struct console *console)
{
	return !console->buffer.used && !tty_unread(&console->tty);
}
