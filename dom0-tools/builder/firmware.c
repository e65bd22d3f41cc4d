/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The builder of HVM domains: a first program, Xen's hvmloader, which makes tables for the firmware
 * that it finds as a module, puts that in its place and starts it. What hvmloader wants to know
 * besides start info stands in a table of its own (xen/hvm/hvm_info_table.h). What it shares with
 * PVH domains is hvm.c's; everything that is emulated is the device model's.
 *
 *   0        0x9f800            1 MiB                                                low_end
 *   | ...    | HVM info | VGA | hvmloader | firmware | start info | ...                |
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xen/hvm/hvm_info_table.h>

#include "builder/direct.h"
#include "builder/hvm.h"
#include "hyp/memory.h"

#define MIB_PAGES (1024 * 1024 / HYP_PAGE_SIZE)

/* hvmloader puts its own tables and heap behind what it was given. */
#define ROOM_PAGES (2 * MIB_PAGES)

/* What stock tools ask for; hypervisors take no other choice. */
#define EMULATED (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)

struct firmware_builder {
	struct builder b;
	struct ramdisk firmware;
	struct direct direct;
	struct hvm_layout layout;
	uint64_t firmware_pfn;
	uint64_t start_info_pfn;
};

static uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes / HYP_PAGE_SIZE + (bytes % HYP_PAGE_SIZE != 0);
}

static int open_files(struct firmware_builder *f)
{
	struct builder *b = &f->b;
	int result = builder_enter_stage(b, BUILD_READ_KERNEL);

	if (!result && (!b->params->kernel || !b->params->firmware))
		result = build_error_set(b->error, -EINVAL, "no firmware is given");
	if (!result)
		result = kernel_open_firmware(b->params->kernel, &b->kernel, b->error);
	if (!result)
		result = ramdisk_open(b->params->firmware, &f->firmware, b->error);
	if (!result)
		result = direct_open(&f->direct, b->params, b->error);
	return result;
}

static int plan_memory(struct firmware_builder *f)
{
	const struct kernel_info *kernel = kernel_get_info(f->b.kernel);
	uint64_t end = 0, end_pfn;

	hvm_layout_plan_hvm(f->b.nr_pages, &f->layout);
	for (uint32_t i = 0; i < kernel->nr_segments; i++) {
		const struct kernel_segment *segment = &kernel->segments[i];

		if (segment->paddr < MIB_PAGES * HYP_PAGE_SIZE)
			return build_error_set(f->b.error, -EBADMSG,
					       "%s: segment %u at physical address 0x%llx: "
					       "expected it above 1 MiB",
					       f->b.params->kernel, i,
					       (unsigned long long)segment->paddr);
		if (segment->paddr + segment->memsz > end)
			end = segment->paddr + segment->memsz;
	}
	f->firmware_pfn = bytes_to_pages(end);
	f->start_info_pfn = f->firmware_pfn + bytes_to_pages(f->firmware.size);
	end_pfn = f->start_info_pfn + 1 + ROOM_PAGES;
	if (end_pfn > f->layout.low_end_pfn)
		return build_error_set(
			f->b.error, -ERANGE,
			"%llu MiB are too little memory: the firmware needs %llu MiB to start",
			(unsigned long long)(f->b.nr_pages / MIB_PAGES),
			(unsigned long long)((end_pfn + MIB_PAGES - 1) / MIB_PAGES));
	direct_plan(&f->direct, end_pfn, f->layout.low_end_pfn);
	return 0;
}

static void fill_info_table(const struct firmware_builder *f, struct hvm_info_table *table)
{
	const struct build_params *p = f->b.params;
	const uint8_t *bytes = (const uint8_t *)table;
	uint8_t sum = 0;

	memset(table, 0, sizeof(*table));
	memcpy(table->signature, "HVM INFO", sizeof(table->signature));
	table->length = sizeof(*table);
	table->apic_mode = p->has_apic;
	table->nr_vcpus = p->max_vcpus;
	for (uint32_t i = 0; i < p->online_vcpus && i < p->max_vcpus; i++)
		table->vcpu_online[i / 8] |= (uint8_t)(1u << i % 8);
	table->low_mem_pgend = (uint32_t)f->layout.low_end_pfn;
	if (f->layout.high_end_pfn > HVM_4GIB_PFN)
		table->high_mem_pgend = (uint32_t)f->layout.high_end_pfn;
	table->reserved_mem_pgstart = HVM_SPECIAL_PFN;
	for (size_t i = 0; i < sizeof(*table); i++)
		sum = (uint8_t)(sum + bytes[i]);
	table->checksum = (uint8_t)-sum;
}

static int write_info_table(const struct firmware_builder *f, const struct loader *loader)
{
	void *page;
	int result = load_map_frames(loader, HVM_INFO_PFN, 1, &page);

	if (result)
		return result;
	fill_info_table(f, (struct hvm_info_table *)((char *)page + HVM_INFO_OFFSET));
	hyp_foreign_unmap(page, 1);
	return 0;
}

static int write_start_info(const struct firmware_builder *f, const struct loader *loader)
{
	struct hvm_start start = {
		.modules = {{
			.paddr = f->firmware_pfn << HYP_PAGE_SHIFT,
			.size = f->firmware.size,
			.name = "firmware",
		}},
		.nr_modules = 1,
		.layout = &f->layout,
	};
	void *page;
	int result = load_map_frames(loader, f->start_info_pfn, 1, &page);

	if (result)
		return result;
	hvm_fill_start_info(page, f->start_info_pfn << HYP_PAGE_SHIFT, &start);
	hyp_foreign_unmap(page, 1);
	return 0;
}

static int load_files(struct firmware_builder *f)
{
	struct loader loader = hvm_loader(&f->b);
	int result = builder_enter_stage(&f->b, BUILD_LOAD);

	if (!result)
		result = load_kernel(&loader, kernel_get_info(f->b.kernel), 0);
	if (!result)
		result = load_ramdisk(&loader, &f->firmware, f->firmware_pfn);
	if (!result)
		result = direct_load(&f->direct, &loader);
	if (!result)
		result = write_info_table(f, &loader);
	if (!result)
		result = write_start_info(f, &loader);
	return result;
}

static int set_start_state(struct firmware_builder *f)
{
	int result = builder_enter_stage(&f->b, BUILD_START_STATE);

	if (!result)
		result = hvm_set_param(&f->b, HVM_PARAM_HPET_ENABLED, f->b.params->has_hpet);
	return result ? result
		      : hvm_set_start_state(&f->b,
					    (uint32_t)kernel_get_info(f->b.kernel)->elf_entry,
					    (uint32_t)(f->start_info_pfn << HYP_PAGE_SHIFT));
}

static int build(struct firmware_builder *f)
{
	struct builder *b = &f->b;
	int code = builder_check_params(b, "HVM", HVM_CMDLINE_MAX);

	if (!code)
		code = hvm_check_vcpus(b);
	if (!code)
		code = open_files(f);
	if (!code)
		code = plan_memory(f);
	if (!code)
		code = builder_check_machine(b, HVM_CAPABILITIES, "HVM");
	if (!code)
		code = builder_create_domain(b, XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, EMULATED);
	if (!code)
		code = hvm_set_limits(b, &f->layout);
	if (!code)
		code = hvm_populate_memory(b, &f->layout);
	if (!code)
		code = load_files(f);
	if (!code)
		code = set_start_state(f);
	if (!code)
		code = builder_enter_stage(b, BUILD_DONE);
	return code ? code : direct_make_image(&f->direct, &b->result.boot_fd, b->error);
}

int build_hvm(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	      struct build_error *error)
{
	struct firmware_builder *f = calloc(1, sizeof(*f));
	int code;

	if (!f)
		return build_error_set(error, -ENOMEM, "out of memory");
	f->firmware.fd = -1;
	direct_init(&f->direct);
	builder_init(&f->b, hyp, params, error);
	code = builder_fini(&f->b, build(f), result);
	ramdisk_close(&f->firmware);
	direct_close(&f->direct);
	free(f);
	return code;
}
