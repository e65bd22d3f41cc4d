/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of building that are the same for every kind of domain. Each kind's own file says
 * which steps there are and in what order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/builder.h"
#include "hyp/domain.h"
#include "hyp/memory.h"
#include "hyp/system.h"

#define MAXMEM_SLACK_KIB   1024 /* as stock tools: for pages that are not the guest's RAM */
#define MEMORY_KIB_MAX	   (16ULL << 30)
#define EVENT_CHANNELS_MAX 1023	   /* stock default of event_channels */
#define EXTENTS_MAX	   65536UL /* named in one call */

void build_params_init(struct build_params *params)
{
	*params = (struct build_params){
		.cache_dir = BUILD_CACHE_DIR,
		.max_vcpus = 1,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.max_event_channels = EVENT_CHANNELS_MAX,
		.timer_mode = HVMPTM_no_delay_for_missed_ticks,
	};
}

void builder_init(struct builder *b, struct hyp *hyp, const struct build_params *params,
		  struct build_error *error)
{
	*b = (struct builder){
		.hyp = hyp,
		.params = params,
		.error = error,
		.ramdisk.fd = -1,
		.result.boot_fd = -1,
	};
}

int builder_fini(struct builder *b, int code, struct build_result *result)
{
	if (code && b->exists)
		hyp_domain_destroy(b->hyp, b->domid);
	if (!code) {
		b->result.domid = b->domid;
		b->result.nr_pages = b->nr_pages;
		*result = b->result;
	}
	ramdisk_close(&b->ramdisk);
	kernel_close(b->kernel);
	return code;
}

int builder_enter_stage(struct builder *b, enum build_stage stage)
{
	int result;

	if (!b->params->progress)
		return 0;
	result = b->params->progress(b->params->progress_arg, stage, b->domid);
	return result ? build_error_set(b->error, result, "creation was stopped") : 0;
}

int builder_fail_call(struct builder *b, int result, const char *what)
{
	return build_error_set(b->error, result, "the hypervisor refused to %s: %s", what,
			       strerror(-result));
}

int builder_fail_memory(struct builder *b, uint64_t free_pages)
{
	return build_error_set(
		b->error, -ENOMEM,
		"not enough memory: the domain needs %llu MiB, and %llu MiB are free",
		(unsigned long long)(b->nr_pages * PAGE_KIB >> 10),
		(unsigned long long)(free_pages * PAGE_KIB >> 10));
}

static uint64_t maxmem_kib(const struct build_params *p)
{
	return p->maxmem_kib ? p->maxmem_kib : p->memory_kib;
}

int builder_check_params(struct builder *b, const char *kind, size_t cmdline_size)
{
	const struct build_params *p = b->params;
	uint64_t maxmem = maxmem_kib(p);

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
	if (p->cmdline && strlen(p->cmdline) >= cmdline_size)
		return build_error_set(b->error, -EINVAL,
				       "the kernel command line has %zu bytes: a %s guest takes at "
				       "most %zu",
				       strlen(p->cmdline), kind, cmdline_size - 1);
	b->nr_pages = p->memory_kib / PAGE_KIB;
	return 0;
}

int builder_open_files(struct builder *b)
{
	int result = builder_enter_stage(b, BUILD_READ_KERNEL);

	if (!result && !b->params->kernel)
		result = build_error_set(b->error, -EINVAL, "no kernel is given");
	if (!result)
		result = kernel_open(b->params->kernel, b->params->cache_dir, &b->kernel, b->error);
	if (!result)
		result = ramdisk_open(b->params->ramdisk, &b->ramdisk, b->error);
	if (result)
		return result;
	/* Only Linux is known to take nothing but these formats. */
	if (b->ramdisk.fd >= 0 && kernel_is_linux(b->kernel))
		result = ramdisk_check(&b->ramdisk, b->error);
	return result;
}

int builder_check_machine(struct builder *b, uint32_t capabilities, const char *kind)
{
	struct xen_sysctl_physinfo info;
	int result = hyp_system_get_physinfo(b->hyp, &info);

	if (result)
		return build_error_set(b->error, result, "cannot ask the hypervisor: %s",
				       strerror(-result));
	if ((info.capabilities & capabilities) != capabilities)
		return build_error_set(b->error, -EOPNOTSUPP,
				       "this hypervisor, on this machine, runs no %s guests", kind);
	if (info.free_pages - info.outstanding_pages < b->nr_pages)
		return builder_fail_memory(b, info.free_pages - info.outstanding_pages);
	b->has_grant_v2 = info.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2;
	return 0;
}

int builder_create_domain(struct builder *b, uint32_t flags, uint32_t emulation_flags)
{
	const struct build_params *p = b->params;
	struct xen_domctl_createdomain cfg = {
		.ssidref = p->ssidref,
		.flags = flags,
		.max_vcpus = p->max_vcpus,
		.max_evtchn_port =
			p->max_event_channels ? p->max_event_channels : EVENT_CHANNELS_MAX,
		.max_grant_frames = p->max_grant_frames,
		.max_maptrack_frames = p->max_maptrack_frames,
		.grant_opts = XEN_DOMCTL_GRANT_version(b->has_grant_v2 ? 2 : 1),
		.cpupool_id = p->cpupool,
		.arch.emulation_flags = emulation_flags,
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
		return builder_fail_call(b, result, "make a domain");
	b->exists = true;
	return builder_enter_stage(b, BUILD_CREATE);
}

int builder_set_limits(struct builder *b)
{
	const struct build_params *p = b->params;
	int result;

	result = hyp_domain_set_max_vcpus(b->hyp, b->domid, p->max_vcpus);
	if (result)
		return build_error_set(b->error, result, "the hypervisor refused %u vCPUs: %s",
				       p->max_vcpus, strerror(-result));
	result = hyp_domain_set_max_mem(b->hyp, b->domid,
					maxmem_kib(p) + p->device_kib + MAXMEM_SLACK_KIB);
	if (result)
		return builder_fail_call(b, result, "set the limit of memory");
	if (p->tsc_mode) {
		result = hyp_domain_set_tsc(b->hyp, b->domid, p->tsc_mode);
		if (result)
			return builder_fail_call(b, result, "set tsc_mode");
	}
	/* So that another domain cannot take what was free a moment ago. */
	result = hyp_memory_claim(b->hyp, b->domid, b->nr_pages);
	if (result == -ENOMEM)
		return builder_fail_memory(b, 0);
	return result && result != -ENOSYS && result != -EOPNOTSUPP
		       ? builder_fail_call(b, result, "reserve memory")
		       : 0;
}

/* One call's worth; *made tells how many extents there are. */
static int populate_some(struct builder *b, unsigned int order, uint64_t *pfn, uint64_t nr,
			 xen_pfn_t *p2m, long *made)
{
	xen_pfn_t *extents = malloc(nr * sizeof(*extents));

	if (!extents)
		return build_error_set(b->error, -ENOMEM, "out of memory");
	for (uint64_t i = 0; i < nr; i++)
		extents[i] = *pfn + (i << order);
	*made = hyp_memory_populate(b->hyp, b->domid, order, nr, extents);
	for (long i = 0; i < *made; i++) {
		for (uint64_t j = 0; p2m && j < 1UL << order; j++)
			p2m[*pfn + j] = extents[i] + j;
		*pfn += 1UL << order;
	}
	free(extents);
	return *made < 0 && *made != -ENOMEM
		       ? builder_fail_call(b, (int)*made, "give the domain memory")
		       : 0;
}

int builder_populate(struct builder *b, unsigned int order, uint64_t *pfn, uint64_t end,
		     xen_pfn_t *p2m)
{
	uint64_t left, nr;
	long made = 0;
	int result;

	for (left = end > *pfn ? (end - *pfn) >> order : 0; left; left -= nr) {
		nr = left < EXTENTS_MAX ? left : EXTENTS_MAX;
		result = populate_some(b, order, pfn, nr, p2m, &made);
		if (result)
			return result;
		if (made < (long)nr)
			break;
	}
	return 0;
}

int builder_make_channels(struct builder *b)
{
	int store = hyp_event_alloc_unbound(b->hyp, b->domid, b->params->store_domid), console;

	if (store < 0)
		return builder_fail_call(b, store, "make the store's event channel");
	console = hyp_event_alloc_unbound(b->hyp, b->domid, b->params->console_domid);
	if (console < 0)
		return builder_fail_call(b, console, "make the console's event channel");
	b->result.store_port = (uint32_t)store;
	b->result.console_port = (uint32_t)console;
	return 0;
}

int builder_seed_grants(struct builder *b)
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
