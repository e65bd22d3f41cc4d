/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: joining this terminal to a domain's console: the pty that the console daemon names in the
 * store.
 */
#ifndef ZENDO_ZL_CONSOLE_H
#define ZENDO_ZL_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi.h"

struct zl;

enum console_kind {
	CONSOLE_ANY, /* the serial port of an HVM domain that has one, else the PV console */
	CONSOLE_PV,
	CONSOLE_SERIAL,
};

struct console {
	struct zl *zl;
	domid_t domid;
	uint8_t uuid[16];
	int fd;		  /* the pty; -1 while the daemon is away */
	bool is_node_new; /* written since the pty was opened */
	char node[64];
};

/*
 * Wait for the console daemon to offer the pty and open it, or open that of serial port `number`
 * (0 with other kinds). From then on nothing the guest prints is missed. Reports errors: 0 or
 * ZL_FAILED. -1 as `timeout_ms`: for as long as the domain lives.
 */
int console_open(struct console *console, struct zl *zl, domid_t domid, enum console_kind kind,
		 uint32_t number, int timeout_ms);
/*
 * Pass bytes both ways until the person types Ctrl-] or the domain ends. Survives a restart of the
 * console daemon. Input from a pipe ends it too, once the guest has answered; with no input at
 * all (</dev/null) it shows output until the domain ends. Returns an exit status.
 */
int console_run(struct console *console);
void console_close(struct console *console);

#endif
