/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzmodel: a client of QEMU's machine protocol, one JSON object a line, over a socket of its own.
 * The other end may have been taken over by the guest: lines are bounded, and whatever makes no
 * sense ends the connection.
 */
#ifndef ZENDO_MODEL_QMP_H
#define ZENDO_MODEL_QMP_H

#include <stddef.h>

#define QMP_LINE_MAX 65536

struct json_object;

struct qmp {
	int fd; /* -1: none */
	char *buf;
	size_t size;
};

/* Takes `fd`, a stream socket. -ENOMEM: it is closed. */
int qmp_init(struct qmp *qmp, int fd);
void qmp_fini(struct qmp *qmp);

/*
 * Send a command (`arguments` NULL: none; put by this), with descriptor `pass_fd` (-1: none), and
 * wait for its answer. *answer (NULL: not wanted) is the caller's to put. -EREMOTEIO: refused;
 * -EPROTO: makes no sense; -ECHILD: the other end is closed; -ETIMEDOUT; -ECANCELED as soon as
 * `cancel_fd` (-1: none) is readable. All but -EREMOTEIO: the connection is of no use any more.
 */
int qmp_command(struct qmp *qmp, const char *name, struct json_object *arguments, int pass_fd,
		int timeout_ms, int cancel_fd, struct json_object **answer);

/* Read away events, without waiting, not for ever: what is left shows in the descriptor. */
int qmp_drain(struct qmp *qmp);

#endif
