/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This CPU's TLB.  Where the CPU has PCIDs, the two roots of a PV vCPU have one
 * each (enum tlb_space), so that going from its kernel to a program and back
 * drops nothing; what is to be flushed is then flushed of all of them.  CPUs
 * with PCIDs but without INVPCID are taken as if they had neither.
 */
#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/guest_copy.h"

#define CR3_KEEP	 (1UL << 63) /* what is tagged with this PCID stays valid */
#define INVPCID_ADDRESS	 0
#define INVPCID_ALL	 3 /* of all PCIDs, but for what is global */

/* The root whose translations a space's PCID may hold; 0: none. */
static DEFINE_PERCPU(paddr_t, roots[TLB_SPACES]);

void tlb_root_load(enum tlb_space space, paddr_t root)
{
	paddr_t *held = &this_cpu(roots)[space];

	if (!cpu_features.has_pcid) {
		cr3_write(root);
	} else if (*held == root) {
		cr3_write(root | space | CR3_KEEP);
	} else {
		*held = root;
		cr3_write(root | space);
	}
}

void tlb_space_forget(enum tlb_space space)
{
	this_cpu(roots)[space] = 0;
}

void tlb_flush_local(void)
{
	if (cpu_features.has_pcid)
		invpcid(INVPCID_ALL, 0, 0);
	else
		cr3_write(cr3_read());
}

void tlb_flush_page_local(uint64_t va)
{
	if (!is_canonical(va)) /* a guest's, and INVPCID would fault */
		return;
	invlpg(va); /* of the space that is loaded, and if it is global */
	if (cpu_features.has_pcid)
		for (unsigned int space = 0; space < TLB_SPACES; space++)
			invpcid(INVPCID_ADDRESS, space, va);
}

static void flush_all(void *arg)
{
	tlb_flush_local();
}

static void flush_page(void *arg)
{
	tlb_flush_page_local((uint64_t)arg);
}

void tlb_flush_mask(const struct cpumask *cpus)
{
	cpu_call_mask(cpus, flush_all, NULL);
}

void tlb_flush_page_mask(const struct cpumask *cpus, uint64_t va)
{
	cpu_call_mask(cpus, flush_page, (void *)va);
}
