/* SPDX-License-Identifier: BSD-2-Clause */
/* The domctls on the saved state of HVM domains. */
#include "hvm/context.h"
#include "hypercall/ctl.h"
#include "mm/alloc.h"

#define CONTEXT_MAX (1U << 20) /* above what the most vCPUs need */

static int hvm_check(const struct domain *d)
{
	return d->type != DOMAIN_HVM || d == current->domain ? -EINVAL : 0;
}

/* A NULL buffer asks for the size. */
int domctl_gethvmcontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_hvmcontext *c = &op->u.hvmcontext;
	size_t size;
	void *buf;
	int rc = hvm_check(d);

	if (rc)
		return rc;
	size = hvm_context_size(d);
	if (!c->buffer.p) {
		c->size = size;
		return 0;
	}
	if (c->size < size)
		return -ENOSPC;
	buf = heap_alloc(size);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	size = hvm_context_save(d, buf);
	domain_unpause(d);
	rc = copy_out(c->buffer.p, buf, size);
	heap_free(buf);
	c->size = size;
	return rc;
}

int domctl_sethvmcontext(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_hvmcontext *c = &op->u.hvmcontext;
	void *buf;
	int rc = hvm_check(d);

	if (rc)
		return rc;
	if (!c->size || c->size > CONTEXT_MAX)
		return -EINVAL;
	buf = heap_alloc(c->size);
	if (!buf)
		return -ENOMEM;
	rc = copy_in(buf, c->buffer.p, c->size);
	if (!rc) {
		domain_pause(d);
		rc = hvm_context_load(d, buf, c->size);
		domain_unpause(d);
	}
	heap_free(buf);
	return rc;
}

int domctl_gethvmcontext_partial(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_hvmcontext_partial *p = &op->u.hvmcontext_partial;
	size_t size = MIN(p->bufsz, (uint64_t)PAGE_SIZE);
	void *buf;
	int rc = hvm_check(d);

	if (rc)
		return rc;
	buf = heap_alloc(PAGE_SIZE);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = hvm_context_save_one(d, p->type, p->instance, buf, size);
	domain_unpause(d);
	if (rc > 0) {
		p->bufsz = rc;
		rc = copy_out(p->buffer.p, buf, rc);
	}
	heap_free(buf);
	return rc;
}
