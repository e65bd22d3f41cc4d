/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables of PV guests.  Their frames (PAGE_SEGDESC: every
 * descriptor checked, none writable by the guest) appear in the GDT and LDT
 * windows of the CPU the vCPU runs on; those of the LDT as they are used.
 */
#include "pv/desc.h"

#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "mm/mm.h"
#include "pv/pagetable.h"

#define DESCS_PER_FRAME (PAGE_SIZE / sizeof(uint64_t))
#define LDT_FRAMES	16
#define WINDOW_LDT	16 /* the index of the LDT's first entry in cpuarea_gdt_ptes */

/* Intel SDM volume 3, "Segment Descriptors". */
#define DESC_ACCESSED BIT(40)
#define DESC_CODE     BIT(43)
#define DESC_S	      BIT(44) /* code or data, not system */
#define DESC_DPL      (3UL << 45)
#define DESC_PRESENT  BIT(47)
#define DESC_L	      BIT(53)
#define DESC_D	      BIT(54)

/*
 * Code and data are the guest's own affair, at ring 3; accessed, so that the
 * CPU has no reason to write to the table.  System segments and gates never.
 */
bool descriptor_check(uint64_t *desc)
{
	uint64_t was = *desc, fixed = was | DESC_DPL | DESC_ACCESSED;

	if (!(was & DESC_PRESENT))
		return true;
	if (!(was & DESC_S))
		return false;
	if ((was & (DESC_CODE | DESC_L | DESC_D)) == (DESC_CODE | DESC_L | DESC_D))
		return false;
	if (fixed != was)
		WRITE_ONCE(*desc, fixed);
	return true;
}

/* --- the windows --- */

static uint64_t window_pte(mfn_t mfn)
{
	return mfn_equal(mfn, MFN_NONE) ? 0 : mfn_to_paddr(mfn) | PTE_HYP_RO;
}

void pv_desc_load(struct vcpu *v, unsigned int cpu)
{
	uint64_t *ptes = cpuarea_gdt_ptes(cpu);

	for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
		WRITE_ONCE(ptes[i], window_pte(v->pv.gdt_frames[i]));
	for (unsigned int i = 0; i < LDT_FRAMES; i++)
		WRITE_ONCE(ptes[WINDOW_LDT + i], window_pte(v->pv.ldt_frames[i]));
}

/*
 * The vCPU's tables have changed: no CPU may use the old frames from here on.
 * Where it does not run, the next switch to a PV vCPU writes the windows and
 * flushes.
 */
static void windows_update(struct vcpu *v)
{
	if (v != current) {
		pv_tlb_forget(v, TLB_KERNEL);
		return;
	}
	pv_desc_load(v, cpu_id());
	tlb_flush_local();
}

static void frames_put(mfn_t *frames, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!mfn_equal(frames[i], MFN_NONE))
			page_put_and_type(mfn_to_page(frames[i]));
}

/* --- GDT --- */

static void gdt_replace(struct vcpu *v, const mfn_t *frames, unsigned int entries)
{
	mfn_t old[PV_GDT_FRAMES];

	for (unsigned int i = 0; i < PV_GDT_FRAMES; i++) {
		old[i] = v->pv.gdt_frames[i];
		v->pv.gdt_frames[i] = i * DESCS_PER_FRAME < entries ? frames[i] : MFN_NONE;
	}
	v->pv.gdt_entries = entries;
	windows_update(v);
	frames_put(old, PV_GDT_FRAMES);
}

int pv_gdt_set(struct vcpu *v, const mfn_t *frames, unsigned int entries)
{
	unsigned int nr;

	if (entries > PV_GDT_FRAMES * DESCS_PER_FRAME)
		return -EINVAL;
	for (nr = 0; nr * DESCS_PER_FRAME < entries; nr++) {
		struct page *pg = page_get_mfn(frames[nr], v->domain);

		if (pg && !page_get_type(pg, PAGE_SEGDESC, false))
			continue;
		if (pg)
			page_put(pg);
		frames_put((mfn_t *)frames, nr);
		return -EINVAL;
	}
	gdt_replace(v, frames, entries);
	return 0;
}

void pv_gdt_drop(struct vcpu *v)
{
	gdt_replace(v, NULL, 0);
}

long hypercall_set_gdt(const uint64_t *args)
{
	mfn_t frames[PV_GDT_FRAMES];
	unsigned int entries = args[1];

	if (entries > PV_GDT_FRAMES * DESCS_PER_FRAME)
		return -EINVAL;
	if (copy_in(frames, (const void *)args[0],
		    DIV_ROUND_UP(entries, DESCS_PER_FRAME) * sizeof(frames[0])))
		return -EFAULT;
	return pv_gdt_set(current, frames, entries);
}

/* --- LDT --- */

void pv_ldt_drop(struct vcpu *v)
{
	mfn_t old[LDT_FRAMES];
	bool any = false;

	for (unsigned int i = 0; i < LDT_FRAMES; i++) {
		old[i] = v->pv.ldt_frames[i];
		v->pv.ldt_frames[i] = MFN_NONE;
		any |= !mfn_equal(old[i], MFN_NONE);
	}
	if (!any)
		return;
	windows_update(v);
	frames_put(old, LDT_FRAMES);
}

int pv_set_ldt(struct vcpu *v, uint64_t base, uint64_t entries)
{
	if (!entries)
		base = 0;
	if (base % PAGE_SIZE || entries > LDT_FRAMES * DESCS_PER_FRAME ||
	    (entries && !linear_is_guest(base, entries * sizeof(uint64_t))))
		return -EINVAL;
	if (v->pv.ldt_base == base && v->pv.ldt_entries == entries)
		return 0;
	pv_ldt_drop(v);
	v->pv.ldt_base = base;
	v->pv.ldt_entries = entries;
	if (v == current)
		cpu_ldt_load(entries);
	return 0;
}

bool pv_ldt_fault(struct vcpu *v, unsigned int offset)
{
	unsigned int i = offset / PAGE_SIZE;
	uint64_t entry;
	struct page *pg;
	paddr_t p;

	if (i >= LDT_FRAMES || i * DESCS_PER_FRAME >= v->pv.ldt_entries ||
	    !mfn_equal(v->pv.ldt_frames[i], MFN_NONE))
		return false;
	if (!pv_walk_l1(v, v->pv.ldt_base + i * PAGE_SIZE, &p))
		return false;
	entry = READ_ONCE(*(uint64_t *)paddr_to_virt(p));
	if (!(entry & PTE_PRESENT))
		return false;
	pg = page_get_mfn(paddr_to_mfn(entry & PTE_ADDR_MASK), v->domain);
	if (!pg)
		return false;
	if (page_get_type(pg, PAGE_SEGDESC, false)) {
		page_put(pg);
		return false;
	}
	v->pv.ldt_frames[i] = page_to_mfn(pg);
	WRITE_ONCE(cpuarea_gdt_ptes(cpu_id())[WINDOW_LDT + i], window_pte(page_to_mfn(pg)));
	return true;
}

/* --- HYPERVISOR_update_descriptor --- */

long hypercall_update_descriptor(const uint64_t *args)
{
	mfn_t mfn = paddr_to_mfn(args[0]);
	uint64_t desc = args[1], *entry;
	struct page *pg;

	if (args[0] % sizeof(desc) || !descriptor_check(&desc))
		return -EINVAL;
	pg = page_get_mfn(mfn, current->domain);
	if (!pg)
		return -EINVAL;
	/* a table in use, or memory that may become one */
	if (page_get_type(pg, page_type(pg) == PAGE_SEGDESC ? PAGE_SEGDESC : PAGE_WRITABLE,
			  false)) {
		page_put(pg);
		return -EINVAL;
	}
	entry = (uint64_t *)page_to_virt(pg) + args[0] % PAGE_SIZE / sizeof(desc);
	WRITE_ONCE(*entry, desc);
	page_put_and_type(pg);
	return 0;
}
