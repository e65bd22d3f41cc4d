/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine made of a memory file, for the builders' tests: it stands for the whole of libzhyp that
 * they use. Any call can be made to fail, and maps and domains that are left over show.
 */
#ifndef ZENDO_TEST_BUILDER_MACHINE_H
#define ZENDO_TEST_BUILDER_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build.h"
#include "fixture.h"
#include "hyp/memory.h"

#define MACHINE_FRAMES	     8192UL /* 32 MiB */
#define MACHINE_SHARED_INFO  (MACHINE_FRAMES - 1)
#define MACHINE_DOMID	     7
#define MACHINE_RAMDISK_SIZE (3 * 4096UL + 10)
#define MACHINE_MAP_MAX	     8

struct machine {
	int memory; /* a memory file; frame N at N * 4096 */
	uint8_t *frames;
	bool exists;
	unsigned int nr_maps;
	unsigned int calls, fail_at; /* the call that fails, from 1; 0: none */
	unsigned long next_frame;
	bool no_big_extents, no_clear, no_claim;
	uint64_t free_pages, max_kib, claim, hypercall_mfn;
	uint32_t vcpus;
	xen_pfn_t pinned;
	struct vcpu_guest_context context;
	struct hyp_grant grants[2];
	struct xen_domctl_createdomain created;
	struct hyp_memory_range map[MACHINE_MAP_MAX];
	unsigned int nr_map;
	uint32_t capabilities;
	/* Of translated domains only. */
	uint64_t params[HVM_NR_PARAMS];
	uint64_t pool_bytes;
	uint8_t hvm_context[4096];
	size_t hvm_context_size;
	uint32_t leaf1_ebx, next_leaf_error;
	bool no_mtrr, no_header, cut_context;
};

extern struct machine fake;

/* Group setup and teardown of cmocka; the machine as it is before any domain. */
int machine_setup(void **state);
int machine_teardown(void **state);
void machine_reset(void);

extern char machine_kernel_path[], machine_ramdisk_path[];
/* Make the kernel's file of `image`, which is freed. */
void machine_use_kernel(struct image image);
/* For a domain of `mib` that may grow by 8 more, with kernel, ramdisk and command line. */
struct build_params machine_params(uint64_t mib);

/* What a translated domain has at this address, which must be populated. */
uint8_t *machine_at(uint64_t paddr);
bool machine_has(uint64_t paddr);

#endif
