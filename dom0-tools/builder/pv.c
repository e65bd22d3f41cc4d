/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The builder of 64-bit PV domains: what only they have: page tables, a list of frames, start_info
 * and the first vCPU's registers. Where things go is pv_layout.c's matter; copying the kernel and
 * the ramdisk is load.c's; what all kinds of domain share is builder.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/elfnote.h>

#include "builder/builder.h"
#include "builder/load.h"
#include "builder/pv_layout.h"
#include "hyp/domain.h"
#include "hyp/memory.h"

#define EXTENT_ORDER 9 /* 2 MiB */
#define START_MAGIC  "xen-3.0-x86_64"

/* All that is held while a domain is built. */
struct pv_builder {
	struct builder b;
	struct pv_layout layout;
	xen_pfn_t *p2m;
};

/* Everything that can be found wrong before there is a domain. */
static int plan_memory(struct pv_builder *pv)
{
	return pv_layout_plan(pv->b.params->kernel, kernel_get_info(pv->b.kernel),
			      pv->b.ramdisk.size, pv->b.nr_pages, &pv->layout, pv->b.error);
}

static int set_memory_map(struct pv_builder *pv)
{
	const struct build_params *p = pv->b.params;
	struct hyp_memory_range ram = {
		.size = (p->maxmem_kib ? p->maxmem_kib : p->memory_kib) * 1024,
		.type = E820_RAM,
	};
	int result = hyp_memory_set_map(pv->b.hyp, pv->b.domid, &ram, 1);

	return result ? builder_fail_call(&pv->b, result, "set the memory map") : 0;
}

static int populate_memory(struct pv_builder *pv)
{
	struct builder *b = &pv->b;
	uint64_t pfn = 0;
	int result = builder_enter_stage(b, BUILD_POPULATE);

	if (result)
		return result;
	pv->p2m = malloc(b->nr_pages * sizeof(*pv->p2m));
	if (!pv->p2m)
		return build_error_set(b->error, -ENOMEM, "out of memory");
	/* Big extents while there are some; single frames fill the gaps of a fragmented machine. */
	result = builder_populate(b, EXTENT_ORDER, &pfn, b->nr_pages, pv->p2m);
	if (!result)
		result = builder_populate(b, 0, &pfn, b->nr_pages, pv->p2m);
	if (!result && pfn < b->nr_pages)
		result = builder_fail_memory(b, pfn);
	return result;
}

static int load_files(struct pv_builder *pv)
{
	struct loader loader = {
		.hyp = pv->b.hyp,
		.domid = pv->b.domid,
		.p2m = pv->p2m,
		.error = pv->b.error,
	};
	const struct kernel_info *info = kernel_get_info(pv->b.kernel);
	int result = builder_enter_stage(&pv->b, BUILD_LOAD);

	if (!result)
		result = load_kernel(&loader, info, info->notes.paddr_offset);
	if (!result && pv->b.ramdisk.fd >= 0)
		result = load_ramdisk(&loader, &pv->b.ramdisk, pv->layout.ramdisk_pfn);
	return result;
}

static int make_channels(struct pv_builder *pv)
{
	int result = builder_make_channels(&pv->b);

	pv->b.result.store_mfn = pv->p2m[pv->layout.store_pfn];
	pv->b.result.console_mfn = pv->p2m[pv->layout.console_pfn];
	return result;
}

/*
 * A PV kernel expects to begin with events masked on every vCPU, and sets up no stack for them
 * before it unmasks. The flag is in memory that the guest shares with the hypervisor (xen.h,
 * struct vcpu_info), so it is ours to set.
 */
static int mask_events(struct pv_builder *pv, uint64_t *shared_info_mfn)
{
	struct xen_domctl_getdomaininfo info;
	struct shared_info *shared;
	xen_pfn_t mfn;
	void *map;
	int result = hyp_domain_get_info(pv->b.hyp, pv->b.domid, &info);

	if (result)
		return builder_fail_call(&pv->b, result, "describe the domain");
	mfn = info.shared_info_frame;
	result = hyp_foreign_map(pv->b.hyp, pv->b.domid, PROT_READ | PROT_WRITE, &mfn, 1, &map);
	if (result)
		return build_error_set(pv->b.error, result,
				       "cannot map the domain's shared_info: %s",
				       strerror(-result));
	shared = map;
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_upcall_mask = 1;
	hyp_foreign_unmap(map, 1);
	*shared_info_mfn = mfn;
	return 0;
}

static int fill_start_info(struct pv_builder *pv, struct start_info *start)
{
	const struct kernel_notes *notes = &kernel_get_info(pv->b.kernel)->notes;
	const struct pv_layout *layout = &pv->layout;
	uint64_t shared_info_mfn = 0;
	int result = mask_events(pv, &shared_info_mfn);

	if (result)
		return result;
	memset(start, 0, HYP_PAGE_SIZE);
	memcpy(start->magic, START_MAGIC, sizeof(START_MAGIC));
	start->nr_pages = layout->nr_pages;
	start->shared_info = shared_info_mfn << HYP_PAGE_SHIFT;
	/* Tools of ours find the list of frames by its address, so no tree of it is needed. */
	start->flags = SIF_VIRT_P2M_4TOOLS;
	start->store_mfn = pv->b.result.store_mfn;
	start->store_evtchn = pv->b.result.store_port;
	start->console.domU.mfn = pv->b.result.console_mfn;
	start->console.domU.evtchn = pv->b.result.console_port;
	start->pt_base = pv_layout_vaddr(layout, layout->tables_pfn);
	start->nr_pt_frames = layout->nr_tables;
	start->mfn_list = layout->p2m_vaddr;
	if (layout->nr_p2m_tables) {
		start->first_p2m_pfn = layout->p2m_tables_pfn;
		start->nr_p2m_frames = layout->nr_p2m_tables + layout->p2m_pages;
	}
	if (layout->ramdisk_bytes) {
		start->mod_len = layout->ramdisk_bytes;
		start->mod_start = pv_layout_vaddr(layout, layout->ramdisk_pfn);
		if (notes->mod_start_pfn) {
			start->mod_start = layout->ramdisk_pfn;
			start->flags |= SIF_MOD_START_PFN;
		}
	}
	if (pv->b.params->cmdline)
		strncpy((char *)start->cmd_line, pv->b.params->cmdline, MAX_GUEST_CMDLINE - 1);
	return 0;
}

/* Map `nr` frames from `pfn` on; NULL and a message on failure, in *result. */
static void *map_frames(struct pv_builder *pv, uint64_t pfn, uint64_t nr, int *result)
{
	void *map = NULL;

	*result = hyp_foreign_map(pv->b.hyp, pv->b.domid, PROT_READ | PROT_WRITE, pv->p2m + pfn, nr,
				  &map);
	if (*result)
		build_error_set(pv->b.error, *result, "cannot map memory of the new domain: %s",
				strerror(-*result));
	return *result ? NULL : map;
}

/* start_info, the two rings and the page tables lie side by side: one map does for all. */
static int write_start_pages(struct pv_builder *pv)
{
	const struct pv_layout *layout = &pv->layout;
	uint64_t nr = layout->stack_pfn - layout->start_info_pfn;
	uint64_t nr_list = layout->nr_p2m_tables + layout->p2m_pages;
	uint64_t list_pfn = layout->nr_p2m_tables ? layout->p2m_tables_pfn : layout->p2m_pfn;
	char *pages, *list;
	int result;

	pages = map_frames(pv, layout->start_info_pfn, nr, &result);
	if (!pages)
		return result;
	list = map_frames(pv, list_pfn, nr_list, &result);
	if (!list)
		goto unmap_pages;
	result = fill_start_info(pv, (struct start_info *)pages);
	if (result)
		goto unmap_list;
	memset(pages + HYP_PAGE_SIZE, 0, (layout->tables_pfn - layout->store_pfn) * HYP_PAGE_SIZE);
	pv_tables_fill(
		layout, pv->p2m,
		(uint64_t *)(pages + (layout->tables_pfn - layout->start_info_pfn) * HYP_PAGE_SIZE),
		(uint64_t *)list);
	memcpy(list + layout->nr_p2m_tables * HYP_PAGE_SIZE, pv->p2m,
	       layout->nr_pages * sizeof(*pv->p2m));

unmap_list:
	hyp_foreign_unmap(list, nr_list);
unmap_pages:
	hyp_foreign_unmap(pages, nr);
	return result;
}

/* vCPU 0 as arch-x86/xen-x86_64.h's flat selectors and xen.h's register conventions have it. */
static int set_first_vcpu(struct pv_builder *pv)
{
	const struct pv_layout *layout = &pv->layout;
	struct vcpu_guest_context *context = calloc(1, sizeof(*context));
	int result;

	if (!context)
		return build_error_set(pv->b.error, -ENOMEM, "out of memory");
	context->flags = VGCF_IN_KERNEL | VGCF_online;
	context->user_regs.rip = kernel_get_info(pv->b.kernel)->notes.entry;
	context->user_regs.rsp = pv_layout_vaddr(layout, layout->stack_pfn + 1);
	context->user_regs.rsi = pv_layout_vaddr(layout, layout->start_info_pfn);
	context->user_regs.rflags = 1 << 9; /* IF: events are on */
	context->user_regs.cs = FLAT_KERNEL_CS;
	context->user_regs.ss = FLAT_KERNEL_SS;
	context->user_regs.ds = context->user_regs.es = FLAT_KERNEL_DS;
	context->kernel_ss = context->user_regs.ss;
	context->kernel_sp = context->user_regs.rsp;
	context->ctrlreg[3] = xen_pfn_to_cr3(pv->p2m[layout->tables_pfn]);
	result = hyp_vcpu_set_context(pv->b.hyp, pv->b.domid, 0, context);
	free(context);
	return result ? builder_fail_call(&pv->b, result, "set the first vCPU's registers") : 0;
}

static int fill_hypercall_page(struct pv_builder *pv)
{
	const struct kernel_notes *notes = &kernel_get_info(pv->b.kernel)->notes;
	uint64_t pfn = (notes->hypercall_page - pv->layout.virt_base) >> HYP_PAGE_SHIFT;
	int result;

	if (!(notes->present & 1u << XEN_ELFNOTE_HYPERCALL_PAGE))
		return 0;
	result = hyp_domain_init_hypercall_page(pv->b.hyp, pv->b.domid, pv->p2m[pfn]);
	return result ? builder_fail_call(&pv->b, result, "fill the hypercall page") : 0;
}

static int set_start_state(struct pv_builder *pv)
{
	int result = builder_enter_stage(&pv->b, BUILD_START_STATE);

	if (!result)
		result = make_channels(pv);
	if (!result)
		result = write_start_pages(pv);
	if (!result)
		result = fill_hypercall_page(pv);
	if (result)
		return result;
	result = hyp_mmu_pin_table(pv->b.hyp, pv->b.domid, 4, pv->p2m[pv->layout.tables_pfn]);
	if (result)
		return builder_fail_call(&pv->b, result, "accept the start page tables");
	result = set_first_vcpu(pv);
	if (!result)
		result = builder_seed_grants(&pv->b);
	return result;
}

int build_pv(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	     struct build_error *error)
{
	struct pv_builder pv = {.p2m = NULL};
	struct builder *b = &pv.b;
	int code;

	builder_init(b, hyp, params, error);
	code = builder_check_params(b, "PV", MAX_GUEST_CMDLINE);
	if (!code)
		code = builder_open_files(b);
	if (!code)
		code = plan_memory(&pv);
	if (!code)
		code = builder_check_machine(b, XEN_SYSCTL_PHYSCAP_pv, "PV");
	if (!code)
		code = builder_create_domain(b, 0, 0);
	if (!code)
		code = builder_set_limits(b);
	if (!code)
		code = set_memory_map(&pv);
	if (!code)
		code = populate_memory(&pv);
	if (!code)
		code = load_files(&pv);
	if (!code)
		code = set_start_state(&pv);
	if (!code)
		code = builder_enter_stage(b, BUILD_DONE);
	free(pv.p2m);
	return builder_fini(b, code, result);
}
