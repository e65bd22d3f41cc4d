/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying into a new domain. Mapping a foreign frame costs more than copying it, so frames that
 * are to be zero are cleared by the hypervisor without being mapped: a Linux kernel's file is
 * zeros for more than a third.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "builder/load.h"
#include "hyp/memory.h"

#define ZERO_RUN 32u /* fewer zero pages than this are cheaper copied than set apart */

/* What the hypervisor calls `nr` frames from `pfn` on: p2m's part, or `own`, filled in. */
static const xen_pfn_t *name_frames(const struct loader *loader, uint64_t pfn, uint64_t nr,
				    xen_pfn_t *own)
{
	if (loader->p2m)
		return loader->p2m + pfn;
	for (uint64_t i = 0; i < nr; i++)
		own[i] = pfn + i;
	return own;
}

int load_map_frames(const struct loader *loader, uint64_t pfn, uint64_t nr, void **map)
{
	xen_pfn_t own[LOAD_PAGES_MAX];
	int result = hyp_foreign_map(loader->hyp, loader->domid, PROT_READ | PROT_WRITE,
				     name_frames(loader, pfn, nr, own), nr, map);

	return result ? build_error_set(loader->error, result,
					"cannot map memory of the new domain: %s",
					strerror(-result))
		      : 0;
}

static int clear_unmapped(const struct loader *loader, uint64_t pfn, uint64_t nr)
{
	xen_pfn_t own[LOAD_PAGES_MAX];

	return hyp_mmu_clear_frames(loader->hyp, loader->domid, name_frames(loader, pfn, nr, own),
				    nr);
}

/* Zero whole frames, by map and memset where the hypervisor does not clear for us. */
static int clear_frames(const struct loader *loader, uint64_t pfn, uint64_t nr)
{
	void *map;
	int result;

	while (nr > 0) {
		uint64_t batch = nr < LOAD_PAGES_MAX ? nr : LOAD_PAGES_MAX;

		if (clear_unmapped(loader, pfn, batch)) {
			result = load_map_frames(loader, pfn, batch, &map);
			if (result)
				return result;
			memset(map, 0, batch * HYP_PAGE_SIZE);
			hyp_foreign_unmap(map, batch);
		}
		pfn += batch;
		nr -= batch;
	}
	return 0;
}

/* Copy bytes to the guest-physical address `to`; `zeros` more bytes follow in the last page. */
static int copy_bytes(const struct loader *loader, uint64_t to, const uint8_t *from, uint64_t size,
		      uint64_t zeros)
{
	while (size + zeros > 0) {
		uint64_t offset = to % HYP_PAGE_SIZE,
			 room = LOAD_PAGES_MAX * HYP_PAGE_SIZE - offset;
		uint64_t copied = size < room ? size : room;
		uint64_t cleared = zeros < room - copied ? zeros : room - copied;
		uint64_t nr = (offset + copied + cleared + HYP_PAGE_SIZE - 1) / HYP_PAGE_SIZE;
		void *map;
		int result = load_map_frames(loader, to / HYP_PAGE_SIZE, nr, &map);

		if (result)
			return result;
		if (copied)
			memcpy((char *)map + offset, from, copied);
		memset((char *)map + offset + copied, 0, cleared);
		hyp_foreign_unmap(map, nr);
		from += copied;
		to += copied + cleared;
		size -= copied;
		zeros -= cleared;
	}
	return 0;
}

static bool is_zero_page(const uint8_t *page)
{
	uint64_t any = 0;

	/* In sixteenths, so that a page of data is told by its first bytes. */
	for (size_t i = 0; i < HYP_PAGE_SIZE && !any; i += HYP_PAGE_SIZE / 16) {
		for (size_t j = 0; j < HYP_PAGE_SIZE / 16; j += sizeof(uint64_t)) {
			uint64_t word;

			memcpy(&word, page + i + j, sizeof(word));
			any |= word;
		}
	}
	return any == 0;
}

/* How many of `nr` pages, from the first on, are zeros. */
static uint64_t count_zero_pages(const uint8_t *pages, uint64_t nr)
{
	uint64_t i = 0;

	while (i < nr && is_zero_page(pages + i * HYP_PAGE_SIZE))
		i++;
	return i;
}

/* Whole pages: runs of data are copied, long runs of zeros cleared. */
static int copy_pages(const struct loader *loader, uint64_t pfn, const uint8_t *from, uint64_t nr)
{
	uint64_t start = 0, at = 0;
	int result = 0;

	while (at < nr && !result) {
		uint64_t zeros = count_zero_pages(from + at * HYP_PAGE_SIZE, nr - at);

		if (zeros < ZERO_RUN) {
			at += zeros + (at + zeros < nr);
			continue;
		}
		result = copy_bytes(loader, (pfn + start) * HYP_PAGE_SIZE,
				    from + start * HYP_PAGE_SIZE, (at - start) * HYP_PAGE_SIZE, 0);
		if (!result)
			result = clear_frames(loader, pfn + at, zeros);
		at += zeros;
		start = at;
	}
	if (!result)
		result = copy_bytes(loader, (pfn + start) * HYP_PAGE_SIZE,
				    from + start * HYP_PAGE_SIZE, (nr - start) * HYP_PAGE_SIZE, 0);
	return result;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * A segment may begin and end within pages that others share: those are mapped and only its own
 * bytes written. In between are whole pages, of data and then of zeros.
 */
static int load_segment(const struct loader *loader, const struct kernel_segment *segment,
			uint64_t to)
{
	uint64_t data_end = to + segment->filesz, end = to + segment->memsz;
	uint64_t head =
		min_u64((HYP_PAGE_SIZE - to % HYP_PAGE_SIZE) % HYP_PAGE_SIZE, segment->filesz);
	uint64_t pages = (segment->filesz - head) / HYP_PAGE_SIZE, zeros_end, clear_end;
	const uint8_t *from = segment->data;
	int result;

	result = copy_bytes(loader, to, from, head, 0);
	from += head;
	to += head;
	if (!result && pages)
		result = copy_pages(loader, to / HYP_PAGE_SIZE, from, pages);
	from += pages * HYP_PAGE_SIZE;
	to += pages * HYP_PAGE_SIZE;
	/* What is left of the data, and zeros to the end of that page. */
	zeros_end = min_u64((data_end + HYP_PAGE_SIZE - 1) / HYP_PAGE_SIZE * HYP_PAGE_SIZE, end);
	if (!result)
		result = copy_bytes(loader, to, from, data_end - to, zeros_end - data_end);
	clear_end = end / HYP_PAGE_SIZE * HYP_PAGE_SIZE;
	if (!result && clear_end > zeros_end)
		result = clear_frames(loader, zeros_end / HYP_PAGE_SIZE,
				      (clear_end - zeros_end) / HYP_PAGE_SIZE);
	if (clear_end < zeros_end)
		clear_end = zeros_end;
	if (!result)
		result = copy_bytes(loader, clear_end, from, 0, end - clear_end);
	return result;
}

int load_kernel(const struct loader *loader, const struct kernel_info *kernel,
		uint64_t paddr_offset)
{
	int result = 0;

	for (uint32_t i = 0; i < kernel->nr_segments && !result; i++)
		result = load_segment(loader, &kernel->segments[i],
				      kernel->segments[i].paddr - paddr_offset);
	return result;
}

int load_ramdisk(const struct loader *loader, const struct ramdisk *ramdisk, uint64_t pfn)
{
	uint64_t done = 0;
	int result = 0;

	while (done < ramdisk->size && !result) {
		uint64_t size = min_u64(ramdisk->size - done, LOAD_PAGES_MAX * HYP_PAGE_SIZE);
		uint64_t nr = (size + HYP_PAGE_SIZE - 1) / HYP_PAGE_SIZE;
		void *map;

		result = load_map_frames(loader, pfn, nr, &map);
		if (result)
			return result;
		/* Straight from the page cache into the guest: no copy in between. */
		result = ramdisk_read(ramdisk, map, done, size, loader->error);
		memset((char *)map + size, 0, nr * HYP_PAGE_SIZE - size);
		hyp_foreign_unmap(map, nr);
		done += size;
		pfn += nr;
	}
	return result;
}
