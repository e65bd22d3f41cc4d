/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_grant_table_op: which operation, on whose table.  Those that
 * work on an array stop between two of its elements when it is time, and
 * are continued with the rest.
 */
#include "grant/table.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"

/* Status for the domid a table operation names. */
static int16_t table_domain_get(domid_t id, struct domain **out)
{
	int rc = domain_get_controlled(id, out);

	if (rc == -EPERM)
		return GNTST_permission_denied;
	if (rc)
		return GNTST_bad_domain;
	if ((*out)->grant)
		return GNTST_okay;
	domain_put(*out); /* it is only just being made */
	return GNTST_bad_domain;
}

/* The frames of `n` pages into the guest's array; a translated domain chooses where it has them. */
static int16_t frames_list(const struct domain *d, void *const *pages, uint32_t n, void *guest)
{
	uint64_t *list = guest;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t mfn = d->type == DOMAIN_HVM ? ~0UL : virt_to_mfn(pages[i]).v;

		if (copy_out(&list[i], &mfn, sizeof(mfn)))
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static long op_setup_table(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_setup_table op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	op.status = table_domain_get(op.dom, &d);
	if (!op.status) {
		struct grant_table *gt = d->grant;
		int rc;

		spin_lock(&gt->lock);
		rc = grant_table_grow(d, gt, op.nr_frames);
		spin_unlock(&gt->lock);
		/* Frames stay where they are once they are there. */
		op.status = rc ? GNTST_general_error
			       : frames_list(d, gt->shared, op.nr_frames, op.frame_list.p);
		domain_put(d);
	}
	return copy_out(guest, &op, sizeof(op));
}

static int16_t status_frames_get(struct domain *d, const struct gnttab_get_status_frames *op)
{
	struct grant_table *gt = d->grant;
	int16_t status = GNTST_general_error;

	/* They go away with a change of version: the list is made under the lock. */
	spin_lock(&gt->lock);
	if (gt->version == 2 && op->nr_frames <= gt->nr_status_frames)
		status = frames_list(d, (void *const *)gt->status, op->nr_frames, op->frame_list.p);
	spin_unlock(&gt->lock);
	return status;
}

static long op_get_status_frames(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_get_status_frames op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	op.status = table_domain_get(op.dom, &d);
	if (!op.status) {
		op.status = status_frames_get(d, &op);
		domain_put(d);
	}
	return copy_out(guest, &op, sizeof(op));
}

static long op_query_size(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_query_size op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	op.status = table_domain_get(op.dom, &d);
	if (!op.status) {
		op.nr_frames = READ_ONCE(d->grant->nr_frames);
		op.max_nr_frames = d->grant->max_frames;
		domain_put(d);
	}
	return copy_out(guest, &op, sizeof(op));
}

static long op_set_version(void *guest, uint32_t count, uint32_t *done)
{
	struct domain *d = current->domain;
	struct gnttab_set_version op;
	long rc;

	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	rc = grant_table_set_version(d, op.version);
	op.version = READ_ONCE(d->grant->version);
	if (copy_out(guest, &op, sizeof(op)))
		return -EFAULT;
	return rc;
}

static long op_get_version(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_get_version op;
	struct domain *d;
	int16_t status;

	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	status = table_domain_get(op.dom, &d);
	if (status)
		return status == GNTST_permission_denied ? -EPERM : -ESRCH;
	op.version = READ_ONCE(d->grant->version);
	domain_put(d);
	return copy_out(guest, &op, sizeof(op));
}

static long op_swap_grant_ref(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_swap_grant_ref *ops = guest;

	for (; *done < count; (*done)++) {
		struct gnttab_swap_grant_ref op;

		if (*done && hypercall_preempt_check())
			return -ERESTART;
		if (copy_in(&op, &ops[*done], sizeof(op)))
			return -EFAULT;
		op.status = grant_table_swap(current->domain, op.ref_a, op.ref_b);
		if (copy_out(&ops[*done], &op, sizeof(op)))
			return -EFAULT;
	}
	return 0;
}

/* Not offered.  Of all refusals this one alone leaves the page the caller's. */
static long op_transfer(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_transfer *ops = guest;
	const int16_t status = GNTST_bad_page;

	for (; *done < count; (*done)++) {
		if (*done && hypercall_preempt_check())
			return -ERESTART;
		if (copy_out(&ops[*done].status, &status, sizeof(status)))
			return -EFAULT;
	}
	return 0;
}

static long op_dump_table(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_dump_table op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_in(&op, guest, sizeof(op)))
		return -EFAULT;
	op.status = GNTST_permission_denied;
	if (current->domain->is_privileged)
		op.status = table_domain_get(op.dom, &d);
	if (!op.status) {
		grant_dump(d);
		domain_put(d);
	}
	return copy_out(guest, &op, sizeof(op));
}

/* What a translated domain has no use for, or does by its physical map. */
#define REFUSED_TO_HVM                                               \
	(BIT_U32(GNTTABOP_dump_table) | BIT_U32(GNTTABOP_transfer) | \
	 BIT_U32(GNTTABOP_unmap_and_replace) | BIT_U32(GNTTABOP_get_status_frames))

typedef long (*grant_op_fn)(void *guest, uint32_t count, uint32_t *done);

/*
 * `done` is how many elements need not be looked at again when the result is
 * -ERESTART.  x86's caches are coherent with its devices: there is no
 * cache_flush.
 */
static const struct {
	grant_op_fn fn;
	uint32_t size;
} ops[] = {
	[GNTTABOP_map_grant_ref] = {grant_map_batch, sizeof(struct gnttab_map_grant_ref)},
	[GNTTABOP_unmap_grant_ref] = {grant_unmap_batch, sizeof(struct gnttab_unmap_grant_ref)},
	[GNTTABOP_setup_table] = {op_setup_table, sizeof(struct gnttab_setup_table)},
	[GNTTABOP_dump_table] = {op_dump_table, sizeof(struct gnttab_dump_table)},
	[GNTTABOP_transfer] = {op_transfer, sizeof(struct gnttab_transfer)},
	[GNTTABOP_copy] = {grant_copy_batch, sizeof(struct gnttab_copy)},
	[GNTTABOP_query_size] = {op_query_size, sizeof(struct gnttab_query_size)},
	[GNTTABOP_unmap_and_replace] = {grant_unmap_replace_batch,
					sizeof(struct gnttab_unmap_and_replace)},
	[GNTTABOP_set_version] = {op_set_version, sizeof(struct gnttab_set_version)},
	[GNTTABOP_get_status_frames] = {op_get_status_frames,
					sizeof(struct gnttab_get_status_frames)},
	[GNTTABOP_get_version] = {op_get_version, sizeof(struct gnttab_get_version)},
	[GNTTABOP_swap_grant_ref] = {op_swap_grant_ref, sizeof(struct gnttab_swap_grant_ref)},
};

long hypercall_grant_table_op(const uint64_t *args)
{
	uint64_t cmd = args[0];
	uint32_t count = (uint32_t)args[2];
	uint32_t done = 0;
	long rc;

	if (count > INT32_MAX)
		return -EINVAL;
	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd].fn)
		return -ENOSYS;
	if (current->domain->type == DOMAIN_HVM && REFUSED_TO_HVM & BIT_U32(cmd))
		return -ENOSYS;
	rc = ops[cmd].fn((void *)args[1], count, &done);
	if (rc == -ERESTART) {
		uint64_t rest[] = {cmd, args[1] + (uint64_t)done * ops[cmd].size, count - done};

		return hypercall_continue(__HYPERVISOR_grant_table_op, rest, ARRAY_SIZE(rest));
	}
	return rc;
}
