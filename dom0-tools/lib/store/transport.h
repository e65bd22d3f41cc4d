/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzstore: a byte stream to the daemon that carries whole messages.
 */
#ifndef ZENDO_STORE_TRANSPORT_H
#define ZENDO_STORE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

struct store_part {
	const void *data;
	size_t len;
};

/* Opens a socket or, if the path is no socket, a character device. */
int transport_open(const char *path, bool *is_socket);
/* -EPIPE when the daemon is gone. */
int transport_send(int fd, bool is_socket, const struct xsd_sockmsg *hdr,
		   const struct store_part *parts, size_t count);
/* *body is malloc()ed and NUL-terminated beyond hdr->len. */
int transport_receive(int fd, struct xsd_sockmsg *hdr, char **body);
/* Whether bytes are waiting: 1, 0 after timeout_ms, or -E. */
int transport_wait(int fd, int timeout_ms);

#endif
