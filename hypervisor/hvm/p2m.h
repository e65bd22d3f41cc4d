/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A translated domain's physical memory: which machine frame each guest frame
 * is, by nested page tables that the CPU walks (NPT, EPT; the format is the
 * vendor's).  Entries of 4 KiB, 2 MiB and 1 GiB; split as needed.
 *
 * RAM the domain owns is held by its allocation reference; frames of others
 * (grants, foreign) and hypervisor pages by a reference of the entry's own.
 * An entry that goes is flushed from all CPUs before its frame is let go.
 */
#ifndef HVM_P2M_H
#define HVM_P2M_H

#include "lib/spinlock.h"
#include "mm/page.h"

enum p2m_type {
	P2M_NONE = 0,	/* nothing there: an access is MMIO for the device model */
	P2M_RAM = 1,
	P2M_RAM_RO = 2, /* ROM: writes are dropped (HVMMEM_ram_ro) */
	P2M_MMIO = 3,	/* set by the device model: HVMMEM_mmio_dm */
	P2M_GRANT_RW = 4,
	P2M_GRANT_RO = 5,
	P2M_FOREIGN = 6,
	P2M_SHARED = 7, /* a hypervisor page: shared_info, grant frames */
	P2M_LOGDIRTY = 8, /* RAM whose writes are to be seen */
	P2M_IOREQ = 9,	/* HVMMEM_ioreq_server: writes go to the device model */
};

struct p2m {
	struct spinlock lock; /* irqs on; inside domain->lock, outside mm.page_lock.  Below: */
	mfn_t root;
	uint64_t max_gfn; /* highest ever mapped */
	/* table pages: set aside by XEN_DOMCTL_set_paging_mempool_size or shadow_op */
	uint64_t pool_pages, pool_free; /* total; unused ones among them */
	uint32_t free_list, used_list;	/* frame numbers, by page->next and prev */
	uint64_t relinquish_gfn;	/* how far the teardown is */

	/* atomic: a vCPU that entered with another number flushes its TLB first */
	uint64_t flush_generation;
};

must_check int p2m_init(struct domain *d);
/* Teardown: every entry goes, with its reference; 0, -ERESTART. */
must_check int p2m_relinquish(struct domain *d);
void p2m_fini(struct domain *d);

/* Pool size in pages: 0, -ENOMEM, -EBUSY (in use), -ERESTART (call again).  */
must_check int p2m_pool_set(struct domain *d, uint64_t pages);

/* MFN_NONE and P2M_NONE where nothing is.  No reference: for look, not for use. */
mfn_t p2m_lookup(struct domain *d, gfn_t gfn, enum p2m_type *type);
/*
 * The frame with a reference (and a writable type reference if `is_write`,
 * which a read-only type refuses); NULL if there is none.
 */
must_check struct page *p2m_page_get(struct domain *d, gfn_t gfn, bool is_write,
				     enum p2m_type *type);

/*
 * 2^order frames at gfn become mfn.. of that type (order 0, 9, 18; aligned).
 * What was there goes, with its own reference if it had one; RAM of the domain's
 * that was there stays its own, unmapped.  The caller's reference becomes the
 * entry's for types that hold one.  0, -ENOMEM (pool), -EINVAL
 */
must_check int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
		       enum p2m_type type);
/* Only the type, of an entry that has `from`: 0, -EINVAL (another), -ENOMEM */
must_check int p2m_change_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to);
#define P2M_DIRTY_MAX 32768U
/*
 * Of [first, first + nr), all RAM, nr up to P2M_DIRTY_MAX: a bit in `bitmap` for each frame
 * written since the last call, or not asked for before.  0, -EINVAL, -ENOMEM
 */
must_check int p2m_dirty_take(struct domain *d, gfn_t first, unsigned int nr,
			      unsigned long *bitmap);
/* Unmaps if it maps mfn (MFN_NONE: whatever): 0, -ENOENT, -ENOMEM. */
must_check int p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn);
/* Unmaps 2^order frames of its RAM and gives them up: 0, -EINVAL (other than RAM), -ENOMEM. */
must_check int p2m_give_up(struct domain *d, gfn_t gfn, unsigned int order);
/*
 * Another domain's frame at a guest-physical address: p2m_set with its rules, and -EINVAL if it
 * is no page's.  The caller's references become the entry's.
 */
must_check int p2m_grant_map(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write);
/*
 * Unmaps it: 0, the entry's references being the caller's, to be put after a p2m_flush;
 * -EINVAL (something else is there).
 */
must_check int p2m_grant_unmap(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write);
/* All CPUs that run vCPUs of d drop its translations.  IRQs on, as tlb_flush_mask. */
void p2m_flush(struct domain *d);

/* A nested page fault.  True: enter again. False: it is a device's, emulate. */
must_check bool p2m_fault(struct vcpu *v, uint64_t gpa, bool is_write, bool is_exec);

/*
 * By frame number as a domain's own words give it (hypercall arguments, grant
 * entries): a gfn of a translated domain, a machine frame of a PV one.  The
 * frame with a reference, and a writable type reference if `is_write`; NULL if
 * it is not the domain's own, or may not be written.
 */
must_check struct page *page_get_guest_frame(struct domain *d, uint64_t frame, bool is_write);
static inline void page_put_guest_frame(struct page *pg, bool is_write)
{
	if (is_write)
		page_put_and_type(pg);
	else
		page_put(pg);
}

#endif
