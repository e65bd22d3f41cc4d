/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: what PVH and HVM domains share: their memory, the pages beside it, their
 * CPUID policy, start info in the layout of arch-x86/hvm/start_info.h, and the first vCPU.
 */
#ifndef ZENDO_BUILDER_HVM_H
#define ZENDO_BUILDER_HVM_H

#include <stdint.h>

#include "builder/builder.h"
#include "builder/hvm_layout.h"
#include "builder/load.h"

#define HVM_CAPABILITIES (XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap)

/* No more vCPUs than there are APIC IDs for. */
int hvm_check_vcpus(struct builder *b);

/* The domain is there: nested paging, policy, memory map; then all its memory. */
int hvm_set_limits(struct builder *b, const struct hvm_layout *layout);
int hvm_populate_memory(struct builder *b, const struct hvm_layout *layout);

/* A loader for the domain's memory. */
struct loader hvm_loader(struct builder *b);

/* HVM_PARAM_*. */
int hvm_set_param(struct builder *b, uint32_t index, uint64_t value);

struct hvm_module {
	uint64_t paddr;
	uint64_t size;
	const char *name; /* its command line; NULL: none */
};

#define HVM_CMDLINE_MAX 2048 /* with the NUL: what Linux keeps of it */
#define HVM_MODULES_MAX 2

struct hvm_start {
	const char *cmdline; /* NULL: none */
	struct hvm_module modules[HVM_MODULES_MAX];
	uint32_t nr_modules;
	uint64_t rsdp_paddr; /* 0: none */
	const struct hvm_layout *layout;
};

/* Write start info, with all it points to, into the page that the guest sees at `paddr`. */
void hvm_fill_start_info(void *page, uint64_t paddr, const struct hvm_start *start);

/*
 * Rings, parameters, grants, and the first vCPU at `entry` in flat protected mode with the address
 * of start info in EBX, as the PVH entry (xen/elfnote.h, PHYS32_ENTRY) wants it.
 */
int hvm_set_start_state(struct builder *b, uint32_t entry, uint32_t start_info_paddr);

#endif
