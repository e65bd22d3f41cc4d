/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one unprivileged domain may take of the store.  Domain 0 has no limit
 * but those of the protocol.
 */
#ifndef ZSTORED_QUOTA_H
#define ZSTORED_QUOTA_H

#include <stddef.h>
#include <stdint.h>

enum quota_kind {
	QUOTA_NODES,	    /* nodes owned */
	QUOTA_NODE_SIZE,    /* bytes of value and permissions in one node */
	QUOTA_PERMS,	    /* permission entries of one node */
	QUOTA_WATCHES,	    /* watches set */
	QUOTA_TRANSACTIONS, /* transactions open at once */
	QUOTA_TX_NODES,	    /* nodes read or written in one transaction */
	QUOTA_OUTSTANDING,  /* answers not yet taken, before requests have to wait */
	QUOTA_EVENTS,	    /* events not yet taken, before they are merged */
	QUOTA_MEMORY,	    /* bytes of nodes, watches and transactions together */
	QUOTA_SNAPSHOTS,    /* of all domains: bytes that only transactions still hold */
	QUOTA_KINDS,
};

struct quota {
	long limit[QUOTA_KINDS];
};

void quota_init(struct quota *quota);
const char *quota_name(enum quota_kind kind);
/* -ENOENT: no such limit; -EINVAL: not a whole number above 0. */
int quota_set(struct quota *quota, const char *name, const char *value);

#endif
