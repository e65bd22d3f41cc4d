/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: asking the hypervisor why it ended a domain: our own extension (zendo.h), which any other
 * hypervisor refuses. Kept apart from reason.c, which needs no hypervisor.
 */
#include <string.h>

#include "hyp/hyp.h"
#include "zendo.h"
#include "zl/reason.h"
#include "zl/zl.h"

char *reason_get(struct zl *zl, domid_t domid)
{
	struct zendo_domain_reason *query;
	struct hyp_buf buf;
	char *text = NULL;

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
