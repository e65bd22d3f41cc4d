/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_acquire_resource: machine frames of a domain's grant table and of the
 * request pages of its device models, for a tool to map.
 */
#include "domain/domain.h"
#include "grant/grant.h"
#include "hvm/ioreq.h"
#include "hypercall/hypercall.h"
#include "mm/memory_op.h"

/* A call is not preemptible; so many frames are enough for any grant table. */
#define RESOURCE_FRAMES_MAX 4096

static int resource_frame(struct domain *d, const struct xen_mem_acquire_resource *r,
			  uint64_t frame, mfn_t *mfn)
{
	switch (r->type) {
	case XENMEM_resource_ioreq_server:
		if (d->type != DOMAIN_HVM)
			return -EINVAL;
		return ioreq_server_frame(d, r->id, frame, mfn);
	case XENMEM_resource_grant_table:
		if (r->id == XENMEM_resource_grant_table_id_shared)
			return grant_shared_frame(d, frame, mfn);
		if (r->id == XENMEM_resource_grant_table_id_status)
			return grant_status_frame(d, frame, mfn);
		return -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

static long resource_list(struct domain *d, const struct xen_mem_acquire_resource *r)
{
	for (uint32_t i = 0; i < r->nr_frames; i++) {
		xen_pfn_t frame;
		mfn_t mfn;
		int ret;

		ret = resource_frame(d, r, r->frame + i, &mfn);
		if (ret)
			return ret;
		frame = mfn.v;
		if (copy_out(guest_entry(r->frame_list.p, i, sizeof(frame)), &frame,
			     sizeof(frame)))
			return -EFAULT;
	}
	return 0;
}

long memory_op_acquire_resource(void *arg)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	long ret;

	if (copy_in(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.pad)
		return -EINVAL;
	ret = domain_get_controlled(r.domid, &d);
	if (ret)
		return ret;
	if (d == current->domain)
		ret = -EPERM; /* a tool's call; a guest has GNTTABOP_setup_table */
	else if (r.nr_frames > RESOURCE_FRAMES_MAX || r.frame > RESOURCE_FRAMES_MAX)
		ret = -EINVAL;
	else
		ret = resource_list(d, &r);
	domain_put(d);
	return ret;
}
