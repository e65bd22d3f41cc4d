/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_mmuext_op: pinning of page tables, base pointers, TLB and cache
 * flushes, the LDT, clearing and copying of pages.
 */
#include "pv/mmuext.h"

#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "pv/desc.h"
#include "pv/pagetable.h"

/* In `count`: this is a continuation, *pdone has been begun. */
#define MMUEXT_PREEMPTED (1U << 31)

/* --- pins --- */

static int table_pin(struct domain *d, mfn_t mfn, enum page_type type)
{
	struct page *pg = page_get_mfn(mfn, d);
	int ret;

	if (!pg)
		return -EINVAL;
	ret = page_get_type(pg, type, true);
	if (ret) {
		page_put(pg);
		return ret;
	}
	if (!page_pin(pg)) {
		pv_drop_table(pg);
		return -EINVAL;
	}
	/* the teardown of a dying domain may have passed this frame already */
	if (READ_ONCE(d->is_dying) && page_unpin(pg)) {
		pv_drop_table(pg);
		return -ESRCH;
	}
	return 0;
}

static int table_unpin(struct domain *d, mfn_t mfn)
{
	struct page *pg = page_get_mfn(mfn, d);

	if (!pg)
		return -EINVAL;
	if (!page_unpin(pg)) {
		page_put(pg);
		return -EINVAL;
	}
	page_put(pg);
	pv_drop_table(pg); /* what the pin held */
	return 0;
}

/* --- base pointers --- */

/* Takes the references an L4 in use holds; NULL for mfn 0. */
static int base_get(struct domain *d, mfn_t mfn, struct page **out)
{
	struct page *pg = page_get_mfn(mfn, d);
	int ret;

	if (!pg)
		return -EINVAL;
	ret = page_get_type(pg, PAGE_L4, true);
	if (ret) {
		page_put(pg);
		return ret;
	}
	*out = pg;
	return 0;
}

int pv_set_kernel_l4(struct vcpu *v, mfn_t mfn)
{
	struct page *old = v->pv.kernel_l4;
	int ret;

	if (!old || !mfn_equal(page_to_mfn(old), mfn)) {
		ret = base_get(v->domain, mfn, &v->pv.kernel_l4);
		if (ret)
			return ret;
	} else {
		old = NULL;
	}
	pv_tlb_forget(v, TLB_KERNEL);
	if (v->pv.in_kernel || v != current)
		pv_load_cr3(v);
	if (old)
		pv_drop_table(old);
	return 0;
}

int pv_set_user_l4(struct vcpu *v, mfn_t mfn)
{
	struct page *old = v->pv.user_l4, *new = NULL;
	int ret;

	pv_tlb_forget(v, TLB_USER);
	if (old && mfn_equal(page_to_mfn(old), mfn))
		return 0;
	if (mfn.v) {
		ret = base_get(v->domain, mfn, &new);
		if (ret)
			return ret;
	}
	v->pv.user_l4 = new;
	if (!v->pv.in_kernel && new)
		pv_load_cr3(v);
	if (old)
		pv_drop_table(old);
	return 0;
}

void pv_load_cr3(struct vcpu *v)
{
	const struct page *l4 = v->pv.in_kernel ? v->pv.kernel_l4 : v->pv.user_l4;

	v->pv.cr3 = l4 ? mfn_to_paddr(page_to_mfn(l4)) : 0;
	if (v == current && l4)
		tlb_root_load(v->pv.in_kernel ? TLB_KERNEL : TLB_USER, v->pv.cr3);
}

/* --- flushes --- */

static int flush_some(struct vcpu *v, const struct mmuext_op *op)
{
	bool is_page = op->cmd == MMUEXT_INVLPG_MULTI || op->cmd == MMUEXT_INVLPG_ALL;
	struct cpumask cpus;

	if (op->cmd == MMUEXT_TLB_FLUSH_ALL || op->cmd == MMUEXT_INVLPG_ALL)
		pv_domain_dirty_cpus(v->domain, &cpus);
	else if (pv_vcpumask_get(v->domain, op->arg2.vcpumask.p, &cpus))
		return -EFAULT;
	if (is_page)
		tlb_flush_page_mask(&cpus, op->arg1.linear_addr);
	else
		tlb_flush_mask(&cpus);
	return 0;
}

/* Write-back of caches is for those who may have devices. */
static int cache_flush(struct domain *d, bool is_global)
{
	struct cpumask self;

	if (!d->is_privileged && list_is_empty(&d->iomem.ranges))
		return -EPERM;
	cpumask_zero(&self);
	bit_set(self.bits, cpu_id());
	cache_flush_mask(is_global ? &cpu_online : &self);
	return 0;
}

/* --- pages --- */

/* A frame to be written to: with a reference and a writable one, or NULL. */
static struct page *frame_open(struct domain *d, mfn_t mfn)
{
	struct page *pg = page_get_mfn(mfn, d);

	if (pg && !page_get_writable(pg)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

static int frame_clear(struct domain *d, mfn_t mfn)
{
	struct page *pg = frame_open(d, mfn);

	if (!pg)
		return -EINVAL;
	memset(page_to_virt(pg), 0, PAGE_SIZE);
	page_put_and_type(pg);
	return 0;
}

static int frame_copy(struct domain *d, mfn_t to, mfn_t from)
{
	struct page *src = page_get_mfn(from, d), *dst;
	int ret = -EINVAL;

	if (!src)
		return ret;
	dst = frame_open(d, to);
	if (dst) {
		memmove(page_to_virt(dst), page_to_virt(src), PAGE_SIZE);
		page_put_and_type(dst);
		ret = 0;
	}
	page_put(src);
	return ret;
}

/* --- the batch --- */

/* Operations on the caller's own CPU state cannot be done for another domain. */
static int op_local(struct vcpu *v, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_NEW_BASEPTR:
		return pv_set_kernel_l4(v, MFN(op->arg1.mfn));
	case MMUEXT_NEW_USER_BASEPTR:
		return pv_set_user_l4(v, MFN(op->arg1.mfn));
	case MMUEXT_TLB_FLUSH_LOCAL:
		tlb_flush_local();
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		if (linear_is_guest(op->arg1.linear_addr, 1))
			tlb_flush_page_local(op->arg1.linear_addr);
		return 0;
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
	case MMUEXT_TLB_FLUSH_ALL:
	case MMUEXT_INVLPG_ALL:
		return flush_some(v, op);
	case MMUEXT_FLUSH_CACHE:
		return cache_flush(v->domain, false);
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return cache_flush(v->domain, true);
	case MMUEXT_SET_LDT:
		return pv_set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
	default: /* MMUEXT_MARK_SUPER and UNMARK_SUPER too: no superpages here */
		return -EOPNOTSUPP;
	}
}

static int op_one(struct vcpu *v, struct domain *d, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return table_pin(d, MFN(op->arg1.mfn), PAGE_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE));
	case MMUEXT_UNPIN_TABLE:
		return table_unpin(d, MFN(op->arg1.mfn));
	case MMUEXT_CLEAR_PAGE:
		return frame_clear(d, MFN(op->arg1.mfn));
	case MMUEXT_COPY_PAGE:
		return frame_copy(d, MFN(op->arg1.mfn), MFN(op->arg2.src_mfn));
	default:
		return d == v->domain ? op_local(v, op) : -EPERM;
	}
}

static int op_all(struct domain *d, const struct mmuext_op *guest, unsigned int count,
		  unsigned int *done)
{
	struct vcpu *v = current;

	for (*done = 0; *done < count; ++*done) {
		struct mmuext_op op;
		int ret;

		if (*done && hypercall_preempt_check())
			return -ERESTART;
		if (copy_in(&op, guest + *done, sizeof(op)))
			return -EFAULT;
		ret = op_one(v, d, &op);
		if (ret)
			return ret;
		if (unlikely(pv_drop_pending(v))) {
			++*done;
			return -ERESTART;
		}
	}
	return 0;
}

long hypercall_mmuext_op(const uint64_t *args)
{
	const struct mmuext_op *guest = (const void *)args[0];
	unsigned int count = (uint32_t)args[1] & ~MMUEXT_PREEMPTED, done = 0;
	bool is_continuation = (uint32_t)args[1] & MMUEXT_PREEMPTED;
	struct domain *d;
	int ret;

	if (pv_drop_pending(current))
		return hypercall_continue(__HYPERVISOR_mmuext_op, args, 4);
	ret = pv_owner_get(args[3], &d);
	if (ret) {
		if (pv_done_store((void *)args[2], is_continuation, 0))
			return -EFAULT;
		return ret;
	}
	/* a translated domain has no tables of this kind */
	ret = d->type == DOMAIN_HVM ? -EINVAL : op_all(d, guest, count, &done);
	pv_owner_put(d);
	if (pv_done_store((void *)args[2], is_continuation, done))
		ret = ret && ret != -ERESTART ? ret : -EFAULT;
	if (ret == -ERESTART) {
		uint64_t again[4] = {(uint64_t)(guest + done), (count - done) | MMUEXT_PREEMPTED,
				     args[2], args[3]};

		return hypercall_continue(__HYPERVISOR_mmuext_op, again, 4);
	}
	return ret;
}
