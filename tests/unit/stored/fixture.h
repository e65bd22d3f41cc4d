/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store without descriptors: tests speak to it as clients would, one request
 * and its answer at a time.
 */
#ifndef TEST_STORED_FIXTURE_H
#define TEST_STORED_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stored/conn.h"
#include "stored/domain.h"
#include "stored/journal.h"
#include "stored/request.h"
#include "stored/store.h"
#include "stored/watch.h"

/* The last answer; data ends in a NUL of ours. */
struct answer {
	uint32_t type;
	uint32_t req_id;
	uint32_t tx_id;
	size_t len;
	char data[XENSTORE_PAYLOAD_MAX + 1];
};

extern struct store store;
extern struct conn *dom0; /* a privileged socket */
extern struct answer answer;

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* A domain with a ring connection and a home it owns, /local/domain/N. */
struct conn *fixture_domain(uint16_t domid);

/* Sends a request of raw bytes; the answer's error as -E, or its length. */
int ask_bytes(struct conn *conn, uint32_t type, uint32_t tx, const void *data, size_t len);
/* The same with strings, each sent with its NUL; NULL ends the list. */
int ask(struct conn *conn, uint32_t type, uint32_t tx, ...) __attribute__((sentinel));
/* Path, NUL, value without one. */
int ask_write(struct conn *conn, uint32_t tx, const char *path, const char *value);
/* Starts a transaction; its number. */
uint32_t ask_begin(struct conn *conn);

/* The next event as "path token", or NULL; valid until the next call. */
const char *next_event(struct conn *conn);
void drop_events(struct conn *conn);
/* Whether the read value is this one. */
void assert_reads(struct conn *conn, const char *path, const char *value);
/* The whole store as text: tree, permissions, domains, watches, output. */
char *fixture_describe(struct store *store);

#endif
