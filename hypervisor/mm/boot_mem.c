/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's memory map to a running allocator: the hypervisor's
 * page tables, the frame table and the machine-to-physical table, then all
 * that is left given to the allocator.  Until then, memory is cut from a list
 * of ranges.  Free RAM itself is not touched.
 */
#include "boot/boot.h"
#include "cpu/asm.h"
#include "lib/cpumask.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "mm/frame.h"
#include "mm/hyp_map.h"
#include "mm/mm.h"
#include "mm/pte.h"

/* The BIOS's, the other CPUs' first instructions, and by tradition dom0's as I/O memory. */
#define LOW_MEMORY_END MB(1)
/* What the tables of the boot code map. */
#define BOOT_MAP_END   GB(4)
#define RANGES_MAX     (BOOT_REGIONS_MAX + 32)

struct range {
	paddr_t start, end;
};

static init_data struct range ranges[RANGES_MAX]; /* free, sorted */
static init_data unsigned int nr_ranges;
static init_data paddr_t alloc_limit;

static paddr_t image_paddr(const void *symbol)
{
	return (uint64_t)symbol - IMAGE_START;
}

/* Is the region RAM of ours? Its whole pages, then. */
static init_text bool region_ram(const struct boot_region *r, struct range *out)
{
	if (r->type != 1 || r->size > ~0UL - r->start)
		return false;
	out->start = MAX(ROUND_UP(r->start, PAGE_SIZE), LOW_MEMORY_END);
	out->end = MIN(ROUND_DOWN(r->start + r->size, PAGE_SIZE),
		       DIRECTMAP_END - DIRECTMAP_START);
	return out->start < out->end;
}

static init_text void range_insert(unsigned int at, paddr_t start, paddr_t end)
{
	if (start >= end)
		return;
	if (nr_ranges == RANGES_MAX)
		panic("the memory map has too many pieces");
	memmove(&ranges[at + 1], &ranges[at], (nr_ranges - at) * sizeof(ranges[0]));
	ranges[at] = (struct range){start, end};
	nr_ranges++;
}

static init_text void ranges_exclude(paddr_t start, paddr_t end)
{
	start = ROUND_DOWN(start, PAGE_SIZE);
	end = ROUND_UP(end, PAGE_SIZE);
	for (unsigned int i = 0; i < nr_ranges; i++) {
		struct range r = ranges[i];

		if (r.end <= start || r.start >= end)
			continue;
		ranges[i].end = MAX(r.start, MIN(r.end, start));
		range_insert(i + 1, MAX(r.start, end), r.end);
	}
}

static init_text void ranges_init(const struct boot_info *bi)
{
	struct range r;

	for (unsigned int i = 0; i < bi->nr_regions; i++)
		if (region_ram(&bi->regions[i], &r))
			range_insert(nr_ranges, r.start, r.end);
	ranges_exclude(image_paddr(image_start), image_paddr(image_end));
	for (unsigned int i = 0; i < bi->nr_modules; i++)
		ranges_exclude(bi->modules[i].start, bi->modules[i].end);
}

/* From the top of the highest range below the limit: low memory is scarcer. */
static init_text paddr_t boot_alloc(uint64_t size, uint64_t align)
{
	for (unsigned int i = nr_ranges; i-- > 0;) {
		struct range r = ranges[i];
		paddr_t top = MIN(r.end, alloc_limit), p;

		if (top < r.start || top - r.start < size)
			continue;
		p = ROUND_DOWN(top - size, align);
		if (p < r.start)
			continue;
		ranges[i].end = p;
		range_insert(i + 1, p + size, r.end);
		return p;
	}
	panic("not enough memory to start: %lu KB wanted", (unsigned long)(size >> 10));
}

static init_text void *boot_page_alloc(void)
{
	return memset(paddr_to_virt(boot_alloc(PAGE_SIZE, PAGE_SIZE)), 0, PAGE_SIZE);
}

static init_text void map_or_panic(uint64_t va, paddr_t p, uint64_t size, uint64_t flags)
{
	if (hyp_map_range(va, p, size, flags))
		panic("no memory for the page tables");
}

/* The image where it runs, each part with its own rights. */
static init_text void map_image(void)
{
	static const struct {
		const char *start, *end;
		uint64_t flags;
	} parts[] = {
		{image_start, image_text_end, PTE_HYP_RX | PTE_GLOBAL},
		{image_text_end, image_rodata_end, PTE_HYP_RO | PTE_GLOBAL},
		/* code and data that mm_init_done removes */
		{image_init_start, image_init_end, PTE_HYP_RX | PTE_WRITE},
		{image_init_end, image_end, PTE_HYP_RW | PTE_GLOBAL},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		map_or_panic((uint64_t)parts[i].start, image_paddr(parts[i].start),
			     parts[i].end - parts[i].start, parts[i].flags);
}

static init_text void map_direct(paddr_t start, paddr_t end, uint64_t flags)
{
	if (start < end)
		map_or_panic((uint64_t)paddr_to_virt(start), start, end - start,
			     flags | PTE_GLOBAL);
}

/* All RAM, and the first MiB whole; text and constants cannot be written here either. */
static init_text void map_all_ram(const struct boot_info *bi)
{
	paddr_t fixed = image_paddr(image_start), fixed_end = image_paddr(image_rodata_end);
	struct range r;

	map_direct(0, LOW_MEMORY_END, PTE_HYP_RW);
	for (unsigned int i = 0; i < bi->nr_regions; i++) {
		if (!region_ram(&bi->regions[i], &r))
			continue;
		if (r.end <= fixed || r.start >= fixed_end) {
			map_direct(r.start, r.end, PTE_HYP_RW);
			continue;
		}
		map_direct(r.start, fixed, PTE_HYP_RW);
		map_direct(MAX(r.start, fixed), MIN(r.end, fixed_end), PTE_HYP_RO);
		map_direct(fixed_end, r.end, PTE_HYP_RW);
	}
}

/* Backs [va, end) with zeroed memory where it is not backed yet. */
static init_text void back_region(uint64_t va, uint64_t end)
{
	while (va < end) {
		uint64_t size = va % MB(2) || end - va < MB(2) ? PAGE_SIZE : MB(2);

		if (!hyp_map_is_present(va)) {
			map_or_panic(va, boot_alloc(size, size), size, PTE_HYP_RW | PTE_GLOBAL);
			memset((void *)va, 0, size);
		}
		va += size;
	}
}

static init_text void frame_table_init(const struct boot_info *bi)
{
	struct range r;

	for (unsigned int i = 0; i < bi->nr_regions; i++) {
		uint64_t first, last;

		if (!region_ram(&bi->regions[i], &r))
			continue;
		first = r.start >> (PAGE_SHIFT + FRAME_CHUNK_SHIFT);
		last = DIV_ROUND_UP(r.end, PAGE_SIZE << FRAME_CHUNK_SHIFT);
		back_region(FRAMETABLE_START + first * FRAME_CHUNK_BYTES,
			    FRAMETABLE_START + last * FRAME_CHUNK_BYTES);
		frame_table_fill(r.start >> PAGE_SHIFT, r.end >> PAGE_SHIFT);
	}
}

static init_text void m2p_init(const struct boot_info *bi)
{
	struct range r;

	for (unsigned int i = 0; i < bi->nr_regions; i++) {
		if (!region_ram(&bi->regions[i], &r))
			continue;
		for (uint64_t piece = r.start >> 30; piece < DIV_ROUND_UP(r.end, GB(1)); piece++) {
			paddr_t p;

			if (m2p_piece(piece))
				continue;
			p = boot_alloc(M2P_PIECE_BYTES, M2P_PIECE_BYTES);
			m2p_add_piece(piece, paddr_to_virt(p));
			map_or_panic(M2P_START + piece * M2P_PIECE_BYTES, p, M2P_PIECE_BYTES,
				     PTE_HYP_RO | PTE_USER | PTE_GLOBAL);
		}
	}
}

static init_text void frame_index_alloc(const struct boot_info *bi)
{
	uint64_t frames = 0;
	size_t size;
	void *index;

	for (unsigned int i = 0; i < bi->nr_regions; i++) {
		struct range r;

		if (region_ram(&bi->regions[i], &r))
			frames = MAX(frames, r.end >> PAGE_SHIFT);
	}
	size = ROUND_UP(frame_index_size(frames), PAGE_SIZE);
	index = paddr_to_virt(boot_alloc(size, PAGE_SIZE));
	frame_index_init(memset(index, 0, size), frames);
}

void mm_init(struct boot_info *bi)
{
	ranges_init(bi);
	alloc_limit = BOOT_MAP_END;
	hyp_map_init(boot_page_alloc);
	map_image();
	map_all_ram(bi);
	cr3_write(image_paddr(hyp_l4));

	/* from here on all RAM can be reached */
	alloc_limit = DIRECTMAP_END - DIRECTMAP_START;
	frame_index_alloc(bi);
	frame_table_init(bi);
	m2p_init(bi);
	hyp_map_init_done();
	for (unsigned int i = 0; i < nr_ranges; i++)
		frames_add(ranges[i].start, ranges[i].end);
	printk("Memory: %lu MB of RAM, %lu MB free\n", frames_total_count() >> 8,
	       frames_free_count() >> 8);
}

void mm_init_done(void)
{
	uint64_t start = (uint64_t)image_init_start, end = (uint64_t)image_init_end;

	/* mapped in one piece with pages of 4 KiB, as nothing of it is 2 MiB long */
	for (uint64_t va = start; va < end; va += PAGE_SIZE)
		WRITE_ONCE(*hyp_map_entry(va, 1), 0);
	tlb_flush_mask(&cpu_online);
	frames_add(image_paddr(image_init_start), image_paddr(image_init_end));
}
