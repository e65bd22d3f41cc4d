/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared page between the daemon and a domain, as memory: moving bytes
 * between it and a connection.  The page belongs to a domain that may write
 * anything to it at any time: each field is read once, the positions that count
 * are the connection's own.
 */
#ifndef ZSTORED_RING_H
#define ZSTORED_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

struct conn;

/* A page not used before, or left by another daemon: start where it stands. */
void ring_begin(struct xenstore_domain_interface *page, struct conn *conn);
/*
 * The page of a connection restored from the journal: drops what was delivered
 * before the restart, takes back what was not yet recorded as taken.  -EPROTO
 * if the page's positions cannot be.
 */
int ring_adopt(struct xenstore_domain_interface *page, struct conn *conn);
/*
 * Takes at most one request and handles it.  Returns 1 if one was handled, 0 if
 * none is complete, or a negated XENSTORE_ERROR_.  *moved: bytes were taken.
 */
int ring_pull(struct xenstore_domain_interface *page, struct conn *conn, bool *moved);
/* Delivers what there is room for; returns as ring_pull() does, 1: some was. */
int ring_push(struct xenstore_domain_interface *page, struct conn *conn);
bool ring_has_input(const struct xenstore_domain_interface *page, const struct conn *conn);

/* Tells the domain that its connection is over, and why. */
void ring_fail(struct xenstore_domain_interface *page, uint32_t error);
bool ring_wants_reconnect(const struct xenstore_domain_interface *page);
/* After domain_reconnect(). */
void ring_reconnect(struct xenstore_domain_interface *page);

#endif
