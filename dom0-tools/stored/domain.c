/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domains the store talks to: see domain.h.  Mapping the ring and binding
 * the channel is done by store->ops.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "journal.h"
#include "watch.h"

struct domain *domain_find(struct store *store, uint16_t domid)
{
	struct domain *domain;

	list_for_each_entry(domain, &store->domains, link) {
		if (domain->domid == domid)
			return domain;
	}
	return NULL;
}

struct domain *domain_create(struct store *store, uint16_t domid, uint64_t gfn, uint32_t port)
{
	struct domain *domain = calloc(1, sizeof(*domain));

	if (!domain)
		return NULL;
	domain->conn = conn_create(store, domid, true);
	if (!domain->conn) {
		free(domain);
		return NULL;
	}
	domain->store = store;
	domain->domid = domid;
	domain->gfn = gfn;
	domain->port = port;
	list_add_tail(&store->domains, &domain->link);
	return domain;
}

static void domain_destroy(struct domain *domain)
{
	list_del(&domain->link);
	conn_destroy(domain->conn);
	free(domain);
}

static int domain_attach(struct domain *domain)
{
	const struct store_ops *ops = domain->store->ops;

	return ops && ops->attach ? ops->attach(domain->store, domain) : 0;
}

static void domain_detach(struct domain *domain)
{
	const struct store_ops *ops = domain->store->ops;

	if (ops && ops->detach)
		ops->detach(domain->store, domain);
}

void domain_record(struct domain *domain)
{
	journal_domain(domain->store->journal, domain);
}

/* The same page, with a new channel perhaps, keeps the connection; another one does not. */
static void change_ring(struct domain *domain, uint64_t gfn, uint32_t port)
{
	domain_detach(domain);
	if (gfn != domain->gfn) {
		journal_domain_gone(domain->store->journal, domain->domid);
		conn_reset(domain->conn);
		domain->is_shut_down = false;
	}
	domain->gfn = gfn;
	domain->port = port;
}

int domain_introduce(struct store *store, uint16_t domid, uint64_t gfn, uint32_t port)
{
	struct domain *domain = domain_find(store, domid);
	int ret;

	if (domain) {
		change_ring(domain, gfn, port);
	} else {
		domain = domain_create(store, domid, gfn, port);
		if (!domain)
			return -ENOMEM;
	}
	ret = domain_attach(domain);
	if (ret) {
		journal_domain_gone(store->journal, domid);
		domain_destroy(domain);
		return ret;
	}
	domain_record(domain);
	return 0;
}

void domain_reconnect(struct domain *domain)
{
	struct conn *conn = domain->conn;

	journal_domain_gone(domain->store->journal, domain->domid);
	conn_reset(conn);
	conn->in_pos = conn->out_pos = 0;
	conn->is_begun = true;
	domain_record(domain);
}

void domain_release(struct domain *domain, bool is_gone)
{
	struct store *store = domain->store;
	uint16_t domid = domain->domid;

	journal_domain_gone(store->journal, domid);
	domain_detach(domain);
	domain_destroy(domain);
	if (is_gone)
		store_purge_domain(store, domid);
}

void domain_set_shut_down(struct domain *domain)
{
	if (domain->is_shut_down)
		return;
	domain->is_shut_down = true;
	domain_record(domain);
	watch_fire_special(domain->store, SPECIAL_RELEASE);
}
