/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the kernel-image loader: any bytes as a kernel, through containers, decompressors,
 * ELF, notes and the PV layout with its page tables. An accepted kernel's promises are checked.
 *
 * Tools: builder lib/hyp
 * Libs: -lelf -lz -llzma -lzstd -llz4 -lbz2 -llzo2
 */
#include <stdlib.h>
#include <string.h>

#include "builder/kernel.h"
#include "builder/pv_layout.h"

#define NR_PAGES 4096 /* a guest of 16 MiB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* Read every byte that a loader would, and add up what it would have to keep. */
static void touch_segments(const struct kernel_info *info)
{
	volatile uint8_t sum = 0;

	check(info->nr_segments > 0 && info->nr_segments <= KERNEL_SEGMENTS_MAX);
	for (uint32_t i = 0; i < info->nr_segments; i++) {
		const struct kernel_segment *segment = &info->segments[i];

		check(segment->filesz <= segment->memsz && segment->memsz <= KERNEL_SIZE_MAX);
		for (uint64_t at = 0; at < segment->filesz; at += 512)
			sum = (uint8_t)(sum + segment->data[at]);
		if (segment->filesz)
			sum = (uint8_t)(sum + segment->data[segment->filesz - 1]);
	}
}

static void check_layout(const struct kernel_info *info, uint64_t ramdisk)
{
	static xen_pfn_t p2m[NR_PAGES];
	struct pv_layout layout;
	struct build_error error;
	uint64_t *tables, *list = NULL;

	if (pv_layout_plan("k", info, ramdisk, NR_PAGES, &layout, &error) != 0) {
		check(strlen(error.text) > 0);
		return;
	}
	check(layout.mapped_end_pfn <= NR_PAGES && layout.kernel_end_pfn <= layout.start_info_pfn);
	check(layout.p2m_pfn + layout.p2m_pages <= NR_PAGES);
	check(layout.ramdisk_pfn + layout.ramdisk_pages <= NR_PAGES);
	check(layout.tables_pfn + layout.nr_tables == layout.stack_pfn);
	for (uint32_t i = 0; i < info->nr_segments; i++)
		check((info->segments[i].paddr - info->notes.paddr_offset +
		       info->segments[i].memsz + 4095) /
			      4096 <=
		      layout.kernel_end_pfn);
	for (size_t i = 0; i < NR_PAGES; i++)
		p2m[i] = i + 1000;
	tables = malloc(layout.nr_tables * 4096);
	if (layout.nr_p2m_tables)
		list = malloc(layout.nr_p2m_tables * 4096);
	pv_tables_fill(&layout, p2m, tables, list);
	free(tables);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct build_error error = {""};
	struct kernel *kernel;

	if (kernel_open_memory("k", data, size, &kernel, &error) != 0) {
		check(strlen(error.text) > 3);
		return 0;
	}
	touch_segments(kernel_get_info(kernel));
	check_layout(kernel_get_info(kernel), 0);
	check_layout(kernel_get_info(kernel), 12345);
	kernel_close(kernel);
	return 0;
}
