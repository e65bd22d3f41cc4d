/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan of a PV domain's first memory, from the kernel's notes and the sizes of things.
 */
#include <errno.h>
#include <string.h>

#include <xen/elfnote.h>
#include <xen/features.h>

#include "builder/pv_layout.h"

#define MIB_PAGES	 (1024 * 1024 / HYP_PAGE_SIZE)
#define REGION_ALIGN	 (4 * MIB_PAGES) /* xen.h: the region ends on a 4 MiB boundary */
#define REGION_PADDING	 (512 * 1024 / HYP_PAGE_SIZE) /* and has 512 KiB behind the last piece */
#define HOLE_START	 0xffff800000000000UL /* arch-x86/xen-x86_64.h, HYPERVISOR_VIRT_START */
#define HOLE_END	 0xffff880000000000UL
#define LOWER_END	 0x0000800000000000UL
#define REGION_PAGES_MAX (1UL << 18) /* 1 GiB: one L2 table, which is what kernels count on */

static uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes / HYP_PAGE_SIZE + (bytes % HYP_PAGE_SIZE != 0);
}

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static bool has_note(const struct kernel_info *kernel, unsigned int type)
{
	return kernel->notes.present & 1u << type;
}

/* Canonical, outside the hypervisor's hole, and not wrapping round. */
static bool is_usable_range(uint64_t start, uint64_t pages)
{
	uint64_t size = pages << HYP_PAGE_SHIFT;

	if (start % HYP_PAGE_SIZE || start + size - 1 < start)
		return false;
	if (start < LOWER_END)
		return start + size <= LOWER_END;
	return start >= HOLE_END;
}

static int check_notes(const char *name, const struct kernel_info *kernel,
		       struct build_error *error)
{
	const struct kernel_notes *notes = &kernel->notes;
	uint32_t impossible =
		1u << XENFEAT_supervisor_mode_kernel | 1u << XENFEAT_auto_translated_physmap;

	if (!has_note(kernel, XEN_ELFNOTE_ENTRY))
		return build_error_set(
			error, -ENOEXEC,
			"%s: not a PV kernel: it has no Xen ELF note ENTRY (Linux: "
			"CONFIG_XEN_PV)%s",
			name,
			has_note(kernel, XEN_ELFNOTE_PHYS32_ENTRY) ? "; it can start as PVH" : "");
	if (!notes->xen_version || strncmp(notes->xen_version, "xen-3.0", 7) != 0)
		return build_error_set(error, -ENOEXEC,
				       "%s: made for hypervisor ABI \"%s\": expected \"xen-3.0\"",
				       name, notes->xen_version ? notes->xen_version : "");
	if (notes->loader && strcmp(notes->loader, "generic") != 0)
		return build_error_set(error, -ENOEXEC,
				       "%s: wants the loader \"%s\": expected \"generic\"", name,
				       notes->loader);
	if (notes->required_features & impossible)
		return build_error_set(
			error, -ENOEXEC,
			"%s: requires features (\"%s\") that a PV guest does not have", name,
			notes->features);
	if (!is_usable_range(notes->virt_base, REGION_PAGES_MAX))
		return build_error_set(error, -EBADMSG,
				       "%s: wants to be mapped at 0x%llx, where a guest cannot be",
				       name, (unsigned long long)notes->virt_base);
	if (has_note(kernel, XEN_ELFNOTE_HV_START_LOW) && notes->hv_start_low > HOLE_START)
		return build_error_set(error, -ENOEXEC,
				       "%s: wants the hypervisor at 0x%llx or above: expected "
				       "0x%lx or below",
				       name, (unsigned long long)notes->hv_start_low, HOLE_START);
	return 0;
}

/* Where the kernel's segments lie, as pfns; byte addresses may be any 64-bit number here. */
static int place_kernel(const char *name, const struct kernel_info *kernel,
			struct pv_layout *layout, struct build_error *error)
{
	uint64_t first = UINT64_MAX, end = 0, entry;

	for (uint32_t i = 0; i < kernel->nr_segments; i++) {
		const struct kernel_segment *segment = &kernel->segments[i];
		uint64_t start = segment->paddr - kernel->notes.paddr_offset;

		if (segment->paddr < kernel->notes.paddr_offset ||
		    start + segment->memsz > REGION_PAGES_MAX * HYP_PAGE_SIZE)
			return build_error_set(
				error, -EBADMSG,
				"%s: segment %u at physical address 0x%llx: expected "
				"it within the first GiB from 0x%llx",
				name, i, (unsigned long long)segment->paddr,
				(unsigned long long)kernel->notes.paddr_offset);
		if (start < first)
			first = start;
		if (start + segment->memsz > end)
			end = start + segment->memsz;
	}
	layout->kernel_pfn = first / HYP_PAGE_SIZE;
	layout->kernel_end_pfn = bytes_to_pages(end);
	entry = kernel->notes.entry - layout->virt_base;
	if (kernel->notes.entry < layout->virt_base || entry < first || entry >= end)
		return build_error_set(error, -EBADMSG,
				       "%s: its entry 0x%llx is outside the kernel, which is at "
				       "0x%llx to 0x%llx",
				       name, (unsigned long long)kernel->notes.entry,
				       (unsigned long long)(layout->virt_base + first),
				       (unsigned long long)(layout->virt_base + end));
	if (has_note(kernel, XEN_ELFNOTE_HYPERCALL_PAGE) &&
	    (kernel->notes.hypercall_page % HYP_PAGE_SIZE ||
	     kernel->notes.hypercall_page < layout->virt_base + first ||
	     (kernel->notes.hypercall_page - layout->virt_base) / HYP_PAGE_SIZE >=
		     layout->kernel_end_pfn))
		return build_error_set(error, -EBADMSG,
				       "%s: its hypercall page 0x%llx is outside the kernel", name,
				       (unsigned long long)kernel->notes.hypercall_page);
	return 0;
}

static uint64_t tables_spanned(const struct pv_region *region, unsigned int shift)
{
	uint64_t last = region->start + (region->pages << HYP_PAGE_SHIFT) - 1;

	return (last >> shift) - (region->start >> shift) + 1;
}

/* The tables of `region`, from `pfn` on; returns how many. The L4 is shared and not counted. */
static uint64_t place_tables(struct pv_region *region, uint64_t pfn)
{
	region->nr_l3 = tables_spanned(region, 39);
	region->nr_l2 = tables_spanned(region, 30);
	region->nr_l1 = tables_spanned(region, 21);
	region->l3_pfn = pfn;
	region->l2_pfn = region->l3_pfn + region->nr_l3;
	region->l1_pfn = region->l2_pfn + region->nr_l2;
	return region->nr_l3 + region->nr_l2 + region->nr_l1;
}

/* The pieces of the mapped region, from the kernel's end on. */
static int place_region(const char *name, bool ramdisk_inside, bool p2m_inside,
			struct pv_layout *layout, struct build_error *error)
{
	struct pv_region *region = &layout->region;
	uint64_t pfn = layout->kernel_end_pfn, nr_tables = 1, needed;

	if (ramdisk_inside) {
		layout->ramdisk_pfn = pfn;
		pfn += layout->ramdisk_pages;
	}
	if (p2m_inside) {
		layout->p2m_pfn = pfn;
		layout->p2m_vaddr = pv_layout_vaddr(layout, pfn);
		pfn += layout->p2m_pages;
	}
	layout->start_info_pfn = pfn++;
	layout->store_pfn = pfn++;
	layout->console_pfn = pfn++;
	layout->tables_pfn = pfn;
	/* The tables map themselves, so their number is found by approaching it from below. */
	for (;;) {
		layout->stack_pfn = layout->tables_pfn + nr_tables;
		layout->mapped_end_pfn =
			align_up(layout->stack_pfn + 1 + REGION_PADDING, REGION_ALIGN);
		if (layout->mapped_end_pfn > REGION_PAGES_MAX)
			return build_error_set(
				error, -E2BIG,
				"%s: kernel%s%s take more than the 1 GiB that can be "
				"mapped at the start",
				name, ramdisk_inside ? ", ramdisk" : "",
				p2m_inside ? ", list of frames" : "");
		*region = (struct pv_region){
			.start = layout->virt_base,
			.pages = layout->mapped_end_pfn,
		};
		needed = 1 + place_tables(region, layout->tables_pfn + 1);
		if (needed <= nr_tables)
			break;
		nr_tables = needed;
	}
	layout->nr_tables = nr_tables;
	return 0;
}

/* The list of frames at the address that the kernel chose, behind the mapped region. */
static int place_p2m(const char *name, uint64_t vaddr, uint64_t pfn, struct pv_layout *layout,
		     struct build_error *error)
{
	struct pv_region *region = &layout->p2m_region;
	uint64_t first_slot, last_slot;

	*region = (struct pv_region){.start = vaddr, .pages = layout->p2m_pages};
	first_slot = vaddr >> 39;
	last_slot = (vaddr + (layout->p2m_pages << HYP_PAGE_SHIFT) - 1) >> 39;
	/* Sharing an L3 with the mapped region would need tables merged; no kernel asks for it. */
	if (!is_usable_range(vaddr, layout->p2m_pages) ||
	    (layout->virt_base >> 39 >= first_slot && layout->virt_base >> 39 <= last_slot))
		return build_error_set(error, -EBADMSG,
				       "%s: wants its list of frames at 0x%llx, where it cannot be",
				       name, (unsigned long long)vaddr);
	layout->p2m_tables_pfn = pfn;
	layout->nr_p2m_tables = place_tables(region, pfn);
	layout->p2m_pfn = pfn + layout->nr_p2m_tables;
	layout->p2m_vaddr = vaddr;
	return 0;
}

int pv_layout_plan(const char *name, const struct kernel_info *kernel, uint64_t ramdisk_bytes,
		   uint64_t nr_pages, struct pv_layout *layout, struct build_error *error)
{
	bool p2m_inside = !has_note(kernel, XEN_ELFNOTE_INIT_P2M), ramdisk_inside;
	uint64_t end;
	int result;

	*layout = (struct pv_layout){
		.virt_base = kernel->notes.virt_base,
		.nr_pages = nr_pages,
		.p2m_pages = bytes_to_pages(nr_pages * sizeof(xen_pfn_t)),
		.ramdisk_bytes = ramdisk_bytes,
		.ramdisk_pages = bytes_to_pages(ramdisk_bytes),
	};
	ramdisk_inside = ramdisk_bytes && !kernel->notes.mod_start_pfn;
	result = check_notes(name, kernel, error);
	if (!result)
		result = place_kernel(name, kernel, layout, error);
	if (!result)
		result = place_region(name, ramdisk_inside, p2m_inside, layout, error);
	if (result)
		return result;
	end = layout->mapped_end_pfn;
	if (!p2m_inside) {
		result = place_p2m(name, kernel->notes.init_p2m, end, layout, error);
		if (result)
			return result;
		end = layout->p2m_pfn + layout->p2m_pages;
	}
	if (ramdisk_bytes && !ramdisk_inside) {
		layout->ramdisk_pfn = end;
		end += layout->ramdisk_pages;
	}
	if (end > nr_pages)
		return build_error_set(
			error, -ERANGE,
			"%s: %llu MiB are too little memory: kernel and ramdisk need "
			"%llu MiB to start",
			name, (unsigned long long)(nr_pages / MIB_PAGES),
			(unsigned long long)(align_up(end, MIB_PAGES) / MIB_PAGES));
	return 0;
}
