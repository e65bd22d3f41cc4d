/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The builder of 64-bit PV domains: the one place that makes a domain, fills it and, if anything
 * goes wrong, takes it away again. Where things go is pv_layout.c's matter; copying the kernel and
 * the ramdisk is load.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/elfnote.h>

#include "builder/build.h"
#include "builder/kernel.h"
#include "builder/load.h"
#include "builder/pv_layout.h"
#include "builder/ramdisk.h"
#include "hyp/domain.h"
#include "hyp/memory.h"
#include "hyp/system.h"

#define PAGE_KIB	   (HYP_PAGE_SIZE / 1024)
#define MAXMEM_SLACK_KIB   1024 /* as stock tools: for pages that are not the guest's RAM */
#define MEMORY_KIB_MAX	   (16ULL << 30)
#define EVENT_CHANNELS_MAX 1023 /* stock default of event_channels */
#define EXTENT_ORDER	   9	/* 2 MiB */
#define EXTENT_PAGES	   (1UL << EXTENT_ORDER)
#define START_MAGIC	   "xen-3.0-x86_64"
#define E820_RAM	   1

/* All that is held while a domain is built. */
struct pv_builder {
	struct hyp *hyp;
	const struct build_params *params;
	struct build_error *error;
	struct kernel *kernel;
	struct ramdisk ramdisk;
	struct pv_layout layout;
	uint64_t nr_pages;
	bool has_grant_v2;
	bool exists; /* the domain */
	domid_t domid;
	xen_pfn_t *p2m;
	struct build_result result;
};

void build_params_init(struct build_params *params)
{
	*params = (struct build_params){
		.cache_dir = BUILD_CACHE_DIR,
		.max_vcpus = 1,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.max_event_channels = EVENT_CHANNELS_MAX,
	};
}

static int enter_stage(struct pv_builder *b, enum build_stage stage)
{
	int result;

	if (!b->params->progress)
		return 0;
	result = b->params->progress(b->params->progress_arg, stage, b->domid);
	return result ? build_error_set(b->error, result, "creation was stopped") : 0;
}

static int check_params(struct pv_builder *b)
{
	const struct build_params *p = b->params;
	uint64_t maxmem = p->maxmem_kib ? p->maxmem_kib : p->memory_kib;

	if (!p->kernel)
		return build_error_set(b->error, -EINVAL, "no kernel is given");
	if (p->memory_kib < PAGE_KIB || maxmem > MEMORY_KIB_MAX)
		return build_error_set(b->error, -EINVAL, "memory of %llu MiB: expected 1 to %llu",
				       (unsigned long long)(maxmem >> 10), MEMORY_KIB_MAX >> 10);
	if (p->memory_kib > maxmem)
		return build_error_set(b->error, -EINVAL,
				       "memory (%llu MiB) must not be more than maxmem (%llu MiB)",
				       (unsigned long long)(p->memory_kib >> 10),
				       (unsigned long long)(maxmem >> 10));
	if (p->max_vcpus == 0)
		return build_error_set(b->error, -EINVAL, "a domain needs at least one vCPU");
	if (p->cmdline && strlen(p->cmdline) >= MAX_GUEST_CMDLINE)
		return build_error_set(b->error, -EINVAL,
				       "the kernel command line has %zu bytes: a PV guest takes at "
				       "most %d",
				       strlen(p->cmdline), MAX_GUEST_CMDLINE - 1);
	b->nr_pages = p->memory_kib / PAGE_KIB;
	return 0;
}

/* Everything that can be found wrong before there is a domain. */
static int open_files(struct pv_builder *b)
{
	const struct kernel_info *info;
	int result = enter_stage(b, BUILD_READ_KERNEL);

	if (!result)
		result = kernel_open(b->params->kernel, b->params->cache_dir, &b->kernel, b->error);
	if (!result)
		result = ramdisk_open(b->params->ramdisk, &b->ramdisk, b->error);
	if (result)
		return result;
	info = kernel_get_info(b->kernel);
	/* Only Linux is known to take nothing but these formats. */
	if (b->ramdisk.fd >= 0 && info->notes.guest_os &&
	    strcmp(info->notes.guest_os, "linux") == 0)
		result = ramdisk_check(&b->ramdisk, b->error);
	if (!result)
		result = pv_layout_plan(b->params->kernel, info, b->ramdisk.size, b->nr_pages,
					&b->layout, b->error);
	return result;
}

static int fail_memory(struct pv_builder *b, uint64_t free_pages)
{
	return build_error_set(
		b->error, -ENOMEM,
		"not enough memory: the domain needs %llu MiB, and %llu MiB are free",
		(unsigned long long)(b->nr_pages * PAGE_KIB >> 10),
		(unsigned long long)(free_pages * PAGE_KIB >> 10));
}

static int check_machine(struct pv_builder *b)
{
	struct xen_sysctl_physinfo info;
	int result = hyp_system_get_physinfo(b->hyp, &info);

	if (result)
		return build_error_set(b->error, result, "cannot ask the hypervisor: %s",
				       strerror(-result));
	if (!(info.capabilities & XEN_SYSCTL_PHYSCAP_pv))
		return build_error_set(b->error, -EOPNOTSUPP, "this hypervisor runs no PV guests");
	if (info.free_pages - info.outstanding_pages < b->nr_pages)
		return fail_memory(b, info.free_pages - info.outstanding_pages);
	b->has_grant_v2 = info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2;
	return 0;
}

static int fail_call(struct pv_builder *b, int result, const char *what)
{
	return build_error_set(b->error, result, "the hypervisor refused to %s: %s", what,
			       strerror(-result));
}

static int create_domain(struct pv_builder *b)
{
	const struct build_params *p = b->params;
	struct xen_domctl_createdomain cfg = {
		.ssidref = p->ssidref,
		.max_vcpus = p->max_vcpus,
		.max_evtchn_port =
			p->max_event_channels ? p->max_event_channels : EVENT_CHANNELS_MAX,
		.max_grant_frames = p->max_grant_frames,
		.max_maptrack_frames = p->max_maptrack_frames,
		.grant_opts = XEN_DOMCTL_GRANT_version(b->has_grant_v2 ? 2 : 1),
		.cpupool_id = p->cpupool,
	};
	int result;

	memcpy(cfg.handle, p->uuid, sizeof(cfg.handle));
	b->domid = p->domid;
	result = hyp_domain_create(b->hyp, &cfg, &b->domid);
	if (result == -EINVAL || result == -E2BIG || result == -ERANGE)
		return build_error_set(b->error, result,
				       "the hypervisor refused to make a domain with %u vCPUs: %s",
				       p->max_vcpus, strerror(-result));
	if (result)
		return fail_call(b, result, "make a domain");
	b->exists = true;
	return enter_stage(b, BUILD_CREATE);
}

static int set_limits(struct pv_builder *b)
{
	const struct build_params *p = b->params;
	uint64_t maxmem = p->maxmem_kib ? p->maxmem_kib : p->memory_kib;
	struct hyp_memory_range ram = {.size = maxmem * 1024, .type = E820_RAM};
	int result;

	result = hyp_domain_set_max_vcpus(b->hyp, b->domid, p->max_vcpus);
	if (result)
		return build_error_set(b->error, result, "the hypervisor refused %u vCPUs: %s",
				       p->max_vcpus, strerror(-result));
	result = hyp_domain_set_max_mem(b->hyp, b->domid, maxmem + MAXMEM_SLACK_KIB);
	if (result)
		return fail_call(b, result, "set the limit of memory");
	if (p->tsc_mode) {
		result = hyp_domain_set_tsc(b->hyp, b->domid, p->tsc_mode);
		if (result)
			return fail_call(b, result, "set tsc_mode");
	}
	result = hyp_memory_set_map(b->hyp, b->domid, &ram, 1);
	if (result)
		return fail_call(b, result, "set the memory map");
	/* So that another domain cannot take what was free a moment ago. */
	result = hyp_memory_claim(b->hyp, b->domid, b->nr_pages);
	if (result == -ENOMEM)
		return fail_memory(b, 0);
	return result && result != -ENOSYS && result != -EOPNOTSUPP
		       ? fail_call(b, result, "reserve memory")
		       : 0;
}

/* Extents of 2^order frames from *pfn on; *pfn is moved behind what was allocated. */
static int populate_extents(struct pv_builder *b, unsigned int order, uint64_t nr, uint64_t *pfn)
{
	xen_pfn_t *extents;
	long made;

	if (nr == 0)
		return 0;
	extents = malloc(nr * sizeof(*extents));
	if (!extents)
		return build_error_set(b->error, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < nr; i++)
		extents[i] = *pfn + (i << order);
	made = hyp_memory_populate(b->hyp, b->domid, order, nr, extents);
	for (long i = 0; i < made; i++) {
		for (uint64_t j = 0; j < 1UL << order; j++)
			b->p2m[*pfn + j] = extents[i] + j;
		*pfn += 1UL << order;
	}
	free(extents);
	return made < 0 && made != -ENOMEM ? fail_call(b, (int)made, "give the domain memory") : 0;
}

static int populate_memory(struct pv_builder *b)
{
	uint64_t pfn = 0;
	int result = enter_stage(b, BUILD_POPULATE);

	if (result)
		return result;
	b->p2m = malloc(b->nr_pages * sizeof(*b->p2m));
	if (!b->p2m)
		return build_error_set(b->error, -ENOMEM, "out of memory");
	/* Big extents while there are some; single frames fill the gaps of a fragmented machine. */
	result = populate_extents(b, EXTENT_ORDER, b->nr_pages / EXTENT_PAGES, &pfn);
	if (!result)
		result = populate_extents(b, 0, b->nr_pages - pfn, &pfn);
	if (!result && pfn < b->nr_pages)
		result = fail_memory(b, pfn);
	return result;
}

static int load_files(struct pv_builder *b)
{
	struct loader loader = {
		.hyp = b->hyp,
		.domid = b->domid,
		.p2m = b->p2m,
		.error = b->error,
	};
	const struct kernel_info *info = kernel_get_info(b->kernel);
	int result = enter_stage(b, BUILD_LOAD);

	if (!result)
		result = load_kernel(&loader, info, info->notes.paddr_offset);
	if (!result && b->ramdisk.fd >= 0)
		result = load_ramdisk(&loader, &b->ramdisk, b->layout.ramdisk_pfn);
	return result;
}

static int make_channels(struct pv_builder *b)
{
	int store = hyp_event_alloc_unbound(b->hyp, b->domid, b->params->store_domid), console;

	if (store < 0)
		return fail_call(b, store, "make the store's event channel");
	console = hyp_event_alloc_unbound(b->hyp, b->domid, b->params->console_domid);
	if (console < 0)
		return fail_call(b, console, "make the console's event channel");
	b->result.store_port = (uint32_t)store;
	b->result.console_port = (uint32_t)console;
	b->result.store_mfn = b->p2m[b->layout.store_pfn];
	b->result.console_mfn = b->p2m[b->layout.console_pfn];
	return 0;
}

/*
 * A PV kernel expects to begin with events masked on every vCPU, and sets up no stack for them
 * before it unmasks. The flag is in memory that the guest shares with the hypervisor (xen.h,
 * struct vcpu_info), so it is ours to set.
 */
static int mask_events(struct pv_builder *b, uint64_t *shared_info_mfn)
{
	struct xen_domctl_getdomaininfo info;
	struct shared_info *shared;
	xen_pfn_t mfn;
	void *map;
	int result = hyp_domain_get_info(b->hyp, b->domid, &info);

	if (result)
		return fail_call(b, result, "describe the domain");
	mfn = info.shared_info_frame;
	result = hyp_foreign_map(b->hyp, b->domid, PROT_READ | PROT_WRITE, &mfn, 1, &map);
	if (result)
		return build_error_set(b->error, result, "cannot map the domain's shared_info: %s",
				       strerror(-result));
	shared = map;
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		shared->vcpu_info[i].evtchn_upcall_mask = 1;
	hyp_foreign_unmap(map, 1);
	*shared_info_mfn = mfn;
	return 0;
}

static int fill_start_info(struct pv_builder *b, struct start_info *start)
{
	const struct kernel_notes *notes = &kernel_get_info(b->kernel)->notes;
	const struct pv_layout *layout = &b->layout;
	uint64_t shared_info_mfn = 0;
	int result = mask_events(b, &shared_info_mfn);

	if (result)
		return result;
	memset(start, 0, HYP_PAGE_SIZE);
	memcpy(start->magic, START_MAGIC, sizeof(START_MAGIC));
	start->nr_pages = layout->nr_pages;
	start->shared_info = shared_info_mfn << HYP_PAGE_SHIFT;
	/* Tools of ours find the list of frames by its address, so no tree of it is needed. */
	start->flags = SIF_VIRT_P2M_4TOOLS;
	start->store_mfn = b->result.store_mfn;
	start->store_evtchn = b->result.store_port;
	start->console.domU.mfn = b->result.console_mfn;
	start->console.domU.evtchn = b->result.console_port;
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
	if (b->params->cmdline)
		strncpy((char *)start->cmd_line, b->params->cmdline, MAX_GUEST_CMDLINE - 1);
	return 0;
}

/* Map `nr` frames from `pfn` on; NULL and a message on failure, in *result. */
static void *map_frames(struct pv_builder *b, uint64_t pfn, uint64_t nr, int *result)
{
	void *map = NULL;

	*result = hyp_foreign_map(b->hyp, b->domid, PROT_READ | PROT_WRITE, b->p2m + pfn, nr, &map);
	if (*result)
		build_error_set(b->error, *result, "cannot map memory of the new domain: %s",
				strerror(-*result));
	return *result ? NULL : map;
}

/* start_info, the two rings and the page tables lie side by side: one map does for all. */
static int write_start_pages(struct pv_builder *b)
{
	const struct pv_layout *layout = &b->layout;
	uint64_t nr = layout->stack_pfn - layout->start_info_pfn;
	uint64_t nr_list = layout->nr_p2m_tables + layout->p2m_pages;
	uint64_t list_pfn = layout->nr_p2m_tables ? layout->p2m_tables_pfn : layout->p2m_pfn;
	char *pages, *list;
	int result;

	pages = map_frames(b, layout->start_info_pfn, nr, &result);
	if (!pages)
		return result;
	list = map_frames(b, list_pfn, nr_list, &result);
	if (!list)
		goto unmap_pages;
	result = fill_start_info(b, (struct start_info *)pages);
	if (result)
		goto unmap_list;
	memset(pages + HYP_PAGE_SIZE, 0, (layout->tables_pfn - layout->store_pfn) * HYP_PAGE_SIZE);
	pv_tables_fill(
		layout, b->p2m,
		(uint64_t *)(pages + (layout->tables_pfn - layout->start_info_pfn) * HYP_PAGE_SIZE),
		(uint64_t *)list);
	memcpy(list + layout->nr_p2m_tables * HYP_PAGE_SIZE, b->p2m,
	       layout->nr_pages * sizeof(*b->p2m));

unmap_list:
	hyp_foreign_unmap(list, nr_list);
unmap_pages:
	hyp_foreign_unmap(pages, nr);
	return result;
}

/* vCPU 0 as arch-x86/xen-x86_64.h's flat selectors and xen.h's register conventions have it. */
static int set_first_vcpu(struct pv_builder *b)
{
	const struct pv_layout *layout = &b->layout;
	struct vcpu_guest_context *context = calloc(1, sizeof(*context));
	int result;

	if (!context)
		return build_error_set(b->error, -ENOMEM, "out of memory");
	context->flags = VGCF_IN_KERNEL | VGCF_online;
	context->user_regs.rip = kernel_get_info(b->kernel)->notes.entry;
	context->user_regs.rsp = pv_layout_vaddr(layout, layout->stack_pfn + 1);
	context->user_regs.rsi = pv_layout_vaddr(layout, layout->start_info_pfn);
	context->user_regs.rflags = 1 << 9; /* IF: events are on */
	context->user_regs.cs = FLAT_KERNEL_CS;
	context->user_regs.ss = FLAT_KERNEL_SS;
	context->user_regs.ds = context->user_regs.es = FLAT_KERNEL_DS;
	context->kernel_ss = context->user_regs.ss;
	context->kernel_sp = context->user_regs.rsp;
	context->ctrlreg[3] = xen_pfn_to_cr3(b->p2m[layout->tables_pfn]);
	result = hyp_vcpu_set_context(b->hyp, b->domid, 0, context);
	free(context);
	return result ? fail_call(b, result, "set the first vCPU's registers") : 0;
}

static int seed_grants(struct pv_builder *b)
{
	struct hyp_grant grants[] = {
		{GNTTAB_RESERVED_CONSOLE, b->params->console_domid,
		 (uint32_t)b->result.console_mfn},
		{GNTTAB_RESERVED_XENSTORE, b->params->store_domid, (uint32_t)b->result.store_mfn},
	};
	int result = hyp_grant_seed(b->hyp, b->domid, grants, 2);

	return result ? build_error_set(b->error, result,
					"cannot grant console and store to their servers: %s",
					strerror(-result))
		      : 0;
}

static int fill_hypercall_page(struct pv_builder *b)
{
	const struct kernel_notes *notes = &kernel_get_info(b->kernel)->notes;
	uint64_t pfn = (notes->hypercall_page - b->layout.virt_base) >> HYP_PAGE_SHIFT;
	int result;

	if (!(notes->present & 1u << XEN_ELFNOTE_HYPERCALL_PAGE))
		return 0;
	result = hyp_domain_init_hypercall_page(b->hyp, b->domid, b->p2m[pfn]);
	return result ? fail_call(b, result, "fill the hypercall page") : 0;
}

static int set_start_state(struct pv_builder *b)
{
	int result = enter_stage(b, BUILD_START_STATE);

	if (!result)
		result = make_channels(b);
	if (!result)
		result = write_start_pages(b);
	if (!result)
		result = fill_hypercall_page(b);
	if (result)
		return result;
	result = hyp_mmu_pin_table(b->hyp, b->domid, 4, b->p2m[b->layout.tables_pfn]);
	if (result)
		return fail_call(b, result, "accept the start page tables");
	result = set_first_vcpu(b);
	if (!result)
		result = seed_grants(b);
	return result;
}

int build_pv(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	     struct build_error *error)
{
	struct pv_builder b = {
		.hyp = hyp,
		.params = params,
		.error = error,
		.ramdisk.fd = -1,
	};
	int code;

	code = check_params(&b);
	if (!code)
		code = open_files(&b);
	if (!code)
		code = check_machine(&b);
	if (!code)
		code = create_domain(&b);
	if (!code)
		code = set_limits(&b);
	if (!code)
		code = populate_memory(&b);
	if (!code)
		code = load_files(&b);
	if (!code)
		code = set_start_state(&b);
	if (!code)
		code = enter_stage(&b, BUILD_DONE);
	if (code && b.exists)
		hyp_domain_destroy(hyp, b.domid);
	if (!code) {
		b.result.domid = b.domid;
		b.result.nr_pages = b.nr_pages;
		*result = b.result;
	}
	free(b.p2m);
	ramdisk_close(&b.ramdisk);
	kernel_close(b.kernel);
	return code;
}
