/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that were introduced: each has a ring connection, and is kept in the
 * journal until it is released or gone.
 */
#ifndef ZSTORED_DOMAIN_H
#define ZSTORED_DOMAIN_H

#include "store.h"

struct domain {
	struct list link; /* in store->domains */
	struct store *store;
	uint16_t domid;
	uint32_t port; /* the domain's end of the channel */
	uint64_t gfn;  /* of the ring's page */
	bool is_shut_down;
	/* The domain's UUID, to tell it from a later one of the same number. */
	uint8_t handle[16];
	struct conn *conn;
	void *io;
};

struct domain *domain_find(struct store *store, uint16_t domid);
/*
 * Introduces a domain, or gives a known one another ring or channel.  Does not fire
 * @introduceDomain.  What attaching reported, or -ENOMEM.
 */
int domain_introduce(struct store *store, uint16_t domid, uint64_t gfn, uint32_t port);
/* Makes the record and the connection only: for a restart. */
struct domain *domain_create(struct store *store, uint16_t domid, uint64_t gfn, uint32_t port);
/* The connection begins anew, on the same ring at position 0. */
void domain_reconnect(struct domain *domain);
/* Lets go of the domain; is_gone: it will not come back, nor may its rights. */
void domain_release(struct domain *domain, bool is_gone);
/* The domain stopped running; fires @releaseDomain the first time. */
void domain_set_shut_down(struct domain *domain);
/* Writes everything about the domain to the journal that is not its output. */
void domain_record(struct domain *domain);

#endif
