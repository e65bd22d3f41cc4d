/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The builder of PVH domains: a kernel entered at its PHYS32_ENTRY note (xen/elfnote.h), its
 * ramdisk, start info and ACPI tables. What it shares with HVM domains is hvm.c's.
 *
 *   0            kernel's own address                                         low_end
 *   | ... | kernel | ramdisk | start info | ...                                  |
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/elfnote.h>

#include "builder/acpi.h"
#include "builder/hvm.h"
#include "hyp/memory.h"

#define MIB_PAGES (1024 * 1024 / HYP_PAGE_SIZE)

struct pvh_builder {
	struct builder b;
	struct hvm_layout layout;
	uint8_t acpi[ACPI_SIZE_MAX];
	size_t acpi_size;
	uint64_t kernel_end_pfn;
	uint64_t ramdisk_pfn;
	uint64_t start_info_pfn;
	char cmdline[HVM_CMDLINE_MAX];
};

static uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes / HYP_PAGE_SIZE + (bytes % HYP_PAGE_SIZE != 0);
}

static int check_entry(struct pvh_builder *pvh, const struct kernel_info *kernel)
{
	const char *name = pvh->b.params->kernel;
	uint64_t entry = kernel->notes.phys32_entry;

	if (!(kernel->notes.present & 1u << XEN_ELFNOTE_PHYS32_ENTRY))
		return build_error_set(
			pvh->b.error, -ENOEXEC,
			"%s: not a PVH kernel: it has no Xen ELF note PHYS32_ENTRY (Linux: "
			"CONFIG_PVH)%s",
			name,
			kernel->notes.present & 1u << XEN_ELFNOTE_ENTRY ? "; it can start as PV"
									: "");
	for (uint32_t i = 0; i < kernel->nr_segments; i++) {
		const struct kernel_segment *segment = &kernel->segments[i];

		if (entry >= segment->paddr && entry - segment->paddr < segment->memsz)
			return 0;
	}
	return build_error_set(pvh->b.error, -EBADMSG, "%s: its PVH entry 0x%llx is outside it",
			       name, (unsigned long long)entry);
}

/* Segments go where they want to be, everything else behind the last of them. */
static int plan_memory(struct pvh_builder *pvh)
{
	const struct kernel_info *kernel = kernel_get_info(pvh->b.kernel);
	uint64_t end = 0, end_pfn;
	int result = check_entry(pvh, kernel);

	if (result)
		return result;
	for (uint32_t i = 0; i < kernel->nr_segments; i++) {
		const struct kernel_segment *segment = &kernel->segments[i];

		if (segment->paddr + segment->memsz > PVH_HOLE_PFN << HYP_PAGE_SHIFT)
			return build_error_set(pvh->b.error, -EBADMSG,
					       "%s: segment %u at physical address 0x%llx: "
					       "expected it below 0x%lx",
					       pvh->b.params->kernel, i,
					       (unsigned long long)segment->paddr,
					       PVH_HOLE_PFN << HYP_PAGE_SHIFT);
		if (segment->paddr + segment->memsz > end)
			end = segment->paddr + segment->memsz;
	}
	pvh->kernel_end_pfn = bytes_to_pages(end);
	pvh->ramdisk_pfn = pvh->kernel_end_pfn;
	pvh->start_info_pfn = pvh->ramdisk_pfn + bytes_to_pages(pvh->b.ramdisk.size);
	end_pfn = pvh->start_info_pfn + 1;
	pvh->acpi_size =
		acpi_build(pvh->acpi, HVM_ACPI_PFN << HYP_PAGE_SHIFT, pvh->b.params->max_vcpus);
	hvm_layout_plan_pvh(pvh->b.nr_pages, bytes_to_pages(pvh->acpi_size), &pvh->layout);
	if (end_pfn > PVH_HOLE_PFN)
		return build_error_set(pvh->b.error, -E2BIG,
				       "%s: kernel and ramdisk do not fit below the devices at "
				       "0x%lx",
				       pvh->b.params->kernel, PVH_HOLE_PFN << HYP_PAGE_SHIFT);
	if (end_pfn > pvh->layout.low_end_pfn)
		return build_error_set(
			pvh->b.error, -ERANGE,
			"%s: %llu MiB are too little memory: kernel and ramdisk need %llu MiB to "
			"start",
			pvh->b.params->kernel, (unsigned long long)(pvh->b.nr_pages / MIB_PAGES),
			(unsigned long long)((end_pfn + MIB_PAGES - 1) / MIB_PAGES));
	return 0;
}

static int write_acpi(struct pvh_builder *pvh, const struct loader *loader)
{
	void *pages;
	int result = load_map_frames(loader, HVM_ACPI_PFN, pvh->layout.acpi_pages, &pages);

	if (result)
		return result;
	memset(pages, 0, pvh->layout.acpi_pages * HYP_PAGE_SIZE);
	memcpy(pages, pvh->acpi, pvh->acpi_size);
	hyp_foreign_unmap(pages, pvh->layout.acpi_pages);
	return 0;
}

/*
 * A Linux before 6.3 keeps time by the Xen clock, as a rule for a TSC that is not the CPU's own; here
 * it always is. See docs/decisions/0016-pvh-clock.md.
 */
static const char *plan_cmdline(struct pvh_builder *pvh)
{
	const struct build_params *p = pvh->b.params;
	const char *given = p->cmdline ? p->cmdline : "";
	int length;

	if (!p->has_reliable_tsc || !kernel_is_linux(pvh->b.kernel) ||
	    strstr(given, "clocksource="))
		return p->cmdline;
	length = snprintf(pvh->cmdline, sizeof(pvh->cmdline), "clocksource=tsc%s%s",
			  *given ? " " : "", given);
	return length < (int)sizeof(pvh->cmdline) ? pvh->cmdline : p->cmdline;
}

static int write_start_info(struct pvh_builder *pvh, const struct loader *loader)
{
	struct hvm_start start = {
		.cmdline = plan_cmdline(pvh),
		.rsdp_paddr = HVM_ACPI_PFN << HYP_PAGE_SHIFT,
		.layout = &pvh->layout,
	};
	void *page;
	int result = load_map_frames(loader, pvh->start_info_pfn, 1, &page);

	if (result)
		return result;
	if (pvh->b.ramdisk.size)
		start.modules[start.nr_modules++] = (struct hvm_module){
			.paddr = pvh->ramdisk_pfn << HYP_PAGE_SHIFT,
			.size = pvh->b.ramdisk.size,
		};
	hvm_fill_start_info(page, pvh->start_info_pfn << HYP_PAGE_SHIFT, &start);
	hyp_foreign_unmap(page, 1);
	return 0;
}

static int load_files(struct pvh_builder *pvh)
{
	struct loader loader = hvm_loader(&pvh->b);
	int result = builder_enter_stage(&pvh->b, BUILD_LOAD);

	if (!result)
		result = load_kernel(&loader, kernel_get_info(pvh->b.kernel), 0);
	if (!result && pvh->b.ramdisk.fd >= 0)
		result = load_ramdisk(&loader, &pvh->b.ramdisk, pvh->ramdisk_pfn);
	if (!result)
		result = write_acpi(pvh, &loader);
	if (!result)
		result = write_start_info(pvh, &loader);
	return result;
}

static int set_start_state(struct pvh_builder *pvh)
{
	const struct kernel_info *kernel = kernel_get_info(pvh->b.kernel);
	int result = builder_enter_stage(&pvh->b, BUILD_START_STATE);

	return result ? result
		      : hvm_set_start_state(&pvh->b, (uint32_t)kernel->notes.phys32_entry,
					    (uint32_t)(pvh->start_info_pfn << HYP_PAGE_SHIFT));
}

static int build(struct pvh_builder *pvh)
{
	struct builder *b = &pvh->b;
	int code = builder_check_params(b, "PVH", HVM_CMDLINE_MAX);

	if (!code)
		code = hvm_check_vcpus(b);
	if (!code)
		code = builder_open_files(b);
	if (!code)
		code = plan_memory(pvh);
	if (!code)
		code = builder_check_machine(b, HVM_CAPABILITIES, "PVH");
	if (!code)
		code = builder_create_domain(b, XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
					     XEN_X86_EMU_LAPIC);
	if (!code)
		code = hvm_set_limits(b, &pvh->layout);
	if (!code)
		code = hvm_populate_memory(b, &pvh->layout);
	if (!code)
		code = load_files(pvh);
	if (!code)
		code = set_start_state(pvh);
	return code ? code : builder_enter_stage(b, BUILD_DONE);
}

int build_pvh(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	      struct build_error *error)
{
	struct pvh_builder *pvh = calloc(1, sizeof(*pvh));
	int code;

	if (!pvh)
		return build_error_set(error, -ENOMEM, "out of memory");
	builder_init(&pvh->b, hyp, params, error);
	code = builder_fini(&pvh->b, build(pvh), result);
	free(pvh);
	return code;
}
