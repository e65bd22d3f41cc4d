/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: asking why a domain was ended: the store, where a monitor that did it says so, then the
 * hypervisor, by our own extension (zendo.h), which any other hypervisor refuses. Kept apart from
 * reason.c, which needs neither.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hyp/hyp.h"
#include "store/zstore.h"
#include "zendo.h"
#include "zl/reason.h"
#include "zl/zl.h"

static void reason_path(domid_t domid, char *path, size_t size)
{
	snprintf(path, size, "/local/domain/0/device-model/%u/reason", domid);
}

int reason_set(struct zl *zl, domid_t domid, const char *reason)
{
	char path[64];

	reason_path(domid, path, sizeof(path));
	return zl->store ? zstore_write_string(zl->store, ZSTORE_NO_TX, path, reason) : -ENOTCONN;
}

char *reason_get(struct zl *zl, domid_t domid)
{
	struct zendo_domain_reason *query;
	struct hyp_buf buf;
	char path[64], *text = NULL;

	reason_path(domid, path, sizeof(path));
	if (zl->store && !zstore_read(zl->store, ZSTORE_NO_TX, path, &text, NULL))
		return text;
	if (hyp_buf_alloc(zl->hyp, &buf, sizeof(*query)))
		return NULL;
	query = buf.data;
	query->domid = domid;
	if (!hyp_call(zl->hyp, ZENDO_HYPERCALL, ZENDO_OP_domain_reason, (uintptr_t)query, 0, 0,
		      0)) {
		query->reason[ZENDO_REASON_SIZE - 1] = '\0';
		if (*query->reason)
			text = strdup(query->reason);
	}
	hyp_buf_free(&buf);
	return text;
}
