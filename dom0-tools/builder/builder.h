/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: what the builders of all kinds of domain share: the parameters' checks,
 * the files, the domain itself with its limits, memory in extents, the two event channels and the
 * reserved grants; and the one way out, which leaves a whole domain or none.
 */
#ifndef ZENDO_BUILDER_BUILDER_H
#define ZENDO_BUILDER_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build.h"
#include "builder/kernel.h"
#include "builder/ramdisk.h"
#include "hyp/abi.h"

#define PAGE_KIB (HYP_PAGE_SIZE / 1024)
#define E820_RAM 1

struct hyp;

/* All that is held while a domain is built. */
struct builder {
	struct hyp *hyp;
	const struct build_params *params;
	struct build_error *error;
	struct kernel *kernel; /* NULL: none */
	struct ramdisk ramdisk;
	uint64_t nr_pages; /* of the guest's RAM at its start */
	bool has_grant_v2;
	bool exists; /* the domain */
	domid_t domid;
	struct build_result result;
};

/* Every step returns 0, or -E with the message set. */

void builder_init(struct builder *b, struct hyp *hyp, const struct build_params *params,
		  struct build_error *error);
/*
 * The end of every build: with `code` not 0 the domain goes away again, else *result is set.
 * Returns `code`.
 */
int builder_fini(struct builder *b, int code, struct build_result *result);

int builder_enter_stage(struct builder *b, enum build_stage stage);
/* "the hypervisor refused to WHAT: ..."; returns `result`. */
int builder_fail_call(struct builder *b, int result, const char *what);
int builder_fail_memory(struct builder *b, uint64_t free_pages);

/* Memory and vCPUs within bounds, a command line of less than `cmdline_size` for a `kind` guest. */
int builder_check_params(struct builder *b, const char *kind, size_t cmdline_size);
/* Open and check kernel and ramdisk. */
int builder_open_files(struct builder *b);
/* Has the machine all `capabilities` (XEN_SYSCTL_PHYSCAP_*) and the memory? */
int builder_check_machine(struct builder *b, uint32_t capabilities, const char *kind);

/* Make the domain: XEN_DOMCTL_CDF_* and XEN_X86_EMU_*. */
int builder_create_domain(struct builder *b, uint32_t flags, uint32_t emulation_flags);
/* vCPUs, the ceiling of memory, the TSC, and a claim on the memory. */
int builder_set_limits(struct builder *b);

/*
 * Populate from frame *pfn up to `end` with extents of 2^order frames, as far as whole ones fit
 * and the machine has them; *pfn is moved behind the last. p2m[] (NULL: not wanted) receives each
 * frame's machine frame.
 */
int builder_populate(struct builder *b, unsigned int order, uint64_t *pfn, uint64_t end,
		     xen_pfn_t *p2m);

int builder_make_channels(struct builder *b);
/* From result.store_mfn and result.console_mfn. */
int builder_seed_grants(struct builder *b);

#endif
