/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: gathering the domains: one sysctl for all of them and one read of the store for each name.
 * How they look on the screen is domains_show.c's.
 */
#include "zl/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/domain.h"
#include "store/zstore.h"
#include "zl/reason.h"
#include "zl/zl.h"

#define BATCH 64

char *domain_read_name(struct zl *zl, domid_t domid)
{
	char path[48], *name;

	if (!zl->store)
		return NULL;
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	return zstore_read(zl->store, ZSTORE_NO_TX, path, &name, NULL) ? NULL : name;
}

/* The hypervisor's list alone; views have no names yet. */
static int domains_get_infos(struct zl *zl, struct domain_view **views, size_t *nr)
{
	struct xen_domctl_getdomaininfo batch[BATCH];
	struct domain_view *more;
	domid_t first = 0;
	int got, i;

	*views = NULL;
	*nr = 0;
	do {
		got = hyp_domain_list(zl->hyp, first, batch, BATCH);
		if (got <= 0)
			break;
		more = realloc(*views, (*nr + (size_t)got) * sizeof(*more));
		if (!more) {
			got = -ENOMEM;
			break;
		}
		*views = more;
		for (i = 0; i < got; i++)
			more[(*nr)++] =
				(struct domain_view){.domid = batch[i].domain, .info = batch[i]};
		first = batch[got - 1].domain + 1;
	} while (got == BATCH);
	if (got >= 0)
		return 0;
	free(*views);
	*views = NULL;
	*nr = 0;
	return got;
}

static void domain_view_fill(struct zl *zl, struct domain_view *view)
{
	view->name = domain_read_name(zl, view->domid);
	if (!view->name && view->domid == 0)
		view->name = strdup("Domain-0");
	if (domain_is_shutdown(&view->info) || domain_is_dying(&view->info))
		view->reason_text = reason_get(zl, view->domid);
}

int domains_get(struct zl *zl, struct domain_view **views, size_t *nr)
{
	int rc = domains_get_infos(zl, views, nr);
	size_t i;

	for (i = 0; !rc && i < *nr; i++)
		domain_view_fill(zl, &(*views)[i]);
	return rc;
}

int domains_get_one(struct zl *zl, domid_t domid, struct domain_view **views)
{
	struct domain_view *view = calloc(1, sizeof(*view));
	int rc;

	if (!view)
		return -ENOMEM;
	view->domid = domid;
	rc = hyp_domain_get_info(zl->hyp, domid, &view->info);
	if (rc) {
		free(view);
		return rc;
	}
	domain_view_fill(zl, view);
	*views = view;
	return 0;
}

void domains_free(struct domain_view *views, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(views[i].name);
		free(views[i].reason_text);
	}
	free(views);
}

int domains_find_name(struct zl *zl, const char *name, domid_t *domid)
{
	struct domain_view *views;
	size_t i, nr;
	int rc = domains_get_infos(zl, &views, &nr);

	if (rc)
		return rc;
	rc = -ENOENT;
	for (i = 0; rc && i < nr; i++) {
		views[i].name = domain_read_name(zl, views[i].domid);
		if (views[i].name && !strcmp(views[i].name, name)) {
			*domid = views[i].domid;
			rc = 0;
		}
	}
	if (rc && !strcmp(name, "Domain-0")) {
		*domid = 0;
		rc = 0;
	}
	domains_free(views, nr);
	return rc;
}

int domains_find_uuid(struct zl *zl, const uint8_t uuid[16], domid_t *domid)
{
	struct domain_view *views;
	size_t i, nr;
	int rc = domains_get_infos(zl, &views, &nr);

	if (rc)
		return rc;
	rc = -ENOENT;
	for (i = 0; rc && i < nr; i++) {
		if (!memcmp(views[i].info.handle, uuid, 16)) {
			*domid = views[i].domid;
			rc = 0;
		}
	}
	domains_free(views, nr);
	return rc;
}
