/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest's console: its page, its terminal, its log, and how much of the
 * daemon's time it may have.  How the page was mapped and how the guest is told
 * is the business of xen.c.
 */
#ifndef ZCONSOLED_CONSOLE_H
#define ZCONSOLED_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "logfile.h"
#include "ring.h"
#include "tty.h"

/* Bytes of output handled before it is another guest's turn. */
#define CONSOLE_TURN 2048u

struct console_limits {
	uint32_t rate; /* bytes of output per period */
	uint32_t period_ms;
	uint32_t buffer; /* bytes kept for a client that does not read */
	uint64_t log;	 /* size of a log file */
};

struct console {
	struct console *next;
	uint16_t domid;
	uint8_t handle[16]; /* the domain's UUID */
	const struct console_limits *limits;
	struct xencons_interface *page; /* NULL: not connected */
	struct tty tty;
	struct buffer buffer;
	struct logfile log;
	/* The rate: what is left until the period ends. */
	uint32_t budget;
	uint64_t period_end_ms;
	bool has_work;	 /* output may be in the page */
	bool is_stalled; /* the terminal takes no more for now */
	/* The domain is gone; a client may still read, at least and at most so long. */
	bool is_ending;
	uint64_t read_ms;
	uint64_t end_ms;
	/* xen.c */
	int port;
	uint64_t gfn;
	uint32_t remote_port;
	bool is_granted;
	unsigned int failures; /* to connect, in a row */
};

/* Terminal, buffer and log; log_path and link_path may be NULL. */
int console_init(struct console *console, uint16_t domid, const struct console_limits *limits,
		 const char *log_path, const char *link_path);
void console_fini(struct console *console);

/* What the guest is to be told. */
enum console_result {
	CONSOLE_IDLE,
	CONSOLE_MOVED, /* bytes went through the page: notify */
};

/* Output of one turn: from the page to log and buffer, from there to the terminal. */
enum console_result console_pump_output(struct console *console, uint64_t now_ms);
/* Input: from the terminal to the page, as far as there is room. */
enum console_result console_pump_input(struct console *console);
void console_flush(struct console *console);
/* Whether the terminal's input should be polled. */
bool console_wants_input(const struct console *console);
/* Whether it has to wait for a new period. */
bool console_is_throttled(const struct console *console, uint64_t now_ms);
/* Everything still in the page, rate or not: the domain has ended. */
void console_drain(struct console *console);
/*
 * Whether a client has read all of it.  For some milliseconds after output went
 * to the terminal the kernel does not yet count it as unread.
 */
bool console_is_read(const struct console *console);

#endif
