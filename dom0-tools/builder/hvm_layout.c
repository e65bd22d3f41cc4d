/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest-physical map of PVH and HVM domains, and the memory map that describes it. */

#include "builder/hvm_layout.h"

/* An HVM guest's first megabyte, and all that is not RAM, are its firmware's to describe. */
#define LEGACY_END_PFN 0x100UL

static void add_range(struct hvm_layout *layout, uint64_t start_pfn, uint64_t end_pfn,
		      uint32_t type)
{
	if (start_pfn >= end_pfn)
		return;
	layout->map[layout->nr_map++] = (struct hyp_memory_range){
		.addr = start_pfn << HYP_PAGE_SHIFT,
		.size = (end_pfn - start_pfn) << HYP_PAGE_SHIFT,
		.type = type,
	};
}

static void place_ram(uint64_t nr_pages, uint64_t hole_pfn, struct hvm_layout *layout)
{
	*layout = (struct hvm_layout){.nr_pages = nr_pages, .low_end_pfn = nr_pages};
	layout->high_end_pfn = HVM_4GIB_PFN;
	if (nr_pages > hole_pfn) {
		layout->low_end_pfn = hole_pfn;
		layout->high_end_pfn += nr_pages - hole_pfn;
	}
}

void hvm_layout_plan_pvh(uint64_t nr_pages, uint64_t acpi_pages, struct hvm_layout *layout)
{
	place_ram(nr_pages, PVH_HOLE_PFN, layout);
	layout->acpi_pages = acpi_pages;
	add_range(layout, 0, layout->low_end_pfn, XEN_HVM_MEMMAP_TYPE_RAM);
	add_range(layout, HVM_ACPI_PFN, HVM_ACPI_PFN + acpi_pages, XEN_HVM_MEMMAP_TYPE_ACPI);
	add_range(layout, HVM_LAPIC_PFN, HVM_LAPIC_PFN + 1, XEN_HVM_MEMMAP_TYPE_RESERVED);
	add_range(layout, HVM_SPECIAL_PFN, HVM_SPECIAL_END_PFN, XEN_HVM_MEMMAP_TYPE_RESERVED);
	add_range(layout, HVM_4GIB_PFN, layout->high_end_pfn, XEN_HVM_MEMMAP_TYPE_RAM);
}

void hvm_layout_plan_hvm(uint64_t nr_pages, struct hvm_layout *layout)
{
	place_ram(nr_pages, HVM_HOLE_PFN, layout);
	layout->has_vga_hole = true;
	add_range(layout, LEGACY_END_PFN, layout->low_end_pfn, XEN_HVM_MEMMAP_TYPE_RAM);
	add_range(layout, HVM_4GIB_PFN, layout->high_end_pfn, XEN_HVM_MEMMAP_TYPE_RAM);
}
