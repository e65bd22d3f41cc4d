/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal at which clients meet a guest: a pty whose far side the daemon
 * keeps open, so that clients may come and go, and a link with a stable name.
 */
#ifndef ZCONSOLED_TTY_H
#define ZCONSOLED_TTY_H

#include <stddef.h>

struct tty {
	int master; /* non-blocking */
	int slave;
	char name[64]; /* of the slave: /dev/pts/N */
	char *link;
};

/* link_path may be NULL.  0 or -E. */
int tty_open(struct tty *tty, const char *link_path);
/* Clients get an end of file. */
void tty_close(struct tty *tty);
/* Bytes that wait for a client to read them. */
size_t tty_unread(const struct tty *tty);

#endif
