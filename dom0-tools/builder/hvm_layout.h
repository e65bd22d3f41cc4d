/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: the guest-physical map of PVH and HVM domains. Arithmetic on numbers; no
 * hypervisor is involved.
 *
 *   0        hole_start        special      4 GiB
 *   | RAM ... | MMIO ... | ACPI | ... | pages | ... | RAM ...
 *
 * RAM that does not fit below the hole goes on at 4 GiB. The pages in the hole are the domain's
 * own memory besides its RAM: tables and rings that the hypervisor and dom0 know by HVM_PARAMs.
 */
#ifndef ZENDO_BUILDER_HVM_LAYOUT_H
#define ZENDO_BUILDER_HVM_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi.h"
#include "hyp/memory.h"

#define HVM_4GIB_PFN (1UL << 20)

/*
 * PVH needs the hole for its pages and the local APIC alone; PCI devices of an HVM domain want
 * 256 MiB, as with stock tools.
 */
#define PVH_HOLE_PFN 0xfc000UL
#define HVM_HOLE_PFN 0xf0000UL
/* The legacy video memory of a PC is no RAM. */
#define HVM_VGA_PFN	0xa0UL
#define HVM_VGA_END_PFN 0xc0UL

/* The tables of a PVH domain; an HVM domain's firmware makes its own. */
#define HVM_ACPI_PFN 0xfc000UL

/* Where stock tools have them, too: hvmloader takes all from the first of them on for reserved. */
enum hvm_special {
	HVM_SPECIAL_STORE,
	HVM_SPECIAL_CONSOLE,
	HVM_SPECIAL_IDENT_PT,
	HVM_SPECIAL_NR,
};
#define HVM_SPECIAL_END_PFN 0xff000UL
#define HVM_SPECIAL_PFN	    (HVM_SPECIAL_END_PFN - HVM_SPECIAL_NR)
#define HVM_LAPIC_PFN	    0xfee00UL

#define HVM_MAP_MAX	    6

struct hvm_layout {
	uint64_t nr_pages;     /* of RAM */
	uint64_t low_end_pfn;  /* RAM below the hole ends here */
	uint64_t high_end_pfn; /* and that above 4 GiB here; HVM_4GIB_PFN: there is none */
	uint64_t acpi_pages;
	bool has_vga_hole;
	struct hyp_memory_range map[HVM_MAP_MAX]; /* as the guest is told */
	unsigned int nr_map;
};

void hvm_layout_plan_pvh(uint64_t nr_pages, uint64_t acpi_pages, struct hvm_layout *layout);
void hvm_layout_plan_hvm(uint64_t nr_pages, struct hvm_layout *layout);

static inline uint64_t hvm_special_pfn(enum hvm_special page)
{
	return HVM_SPECIAL_PFN + (uint64_t)page;
}

#endif
