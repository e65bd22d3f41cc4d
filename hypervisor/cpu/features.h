/* SPDX-License-Identifier: BSD-2-Clause */
/* What the CPU has, read once on the boot CPU. */
#ifndef CPU_FEATURES_H
#define CPU_FEATURES_H

#include "lib/types.h"

struct cpu_features {
	char vendor[13];
	uint32_t max_leaf, max_ext_leaf;
	uint32_t signature;
	unsigned int phys_bits;
	bool is_amd;
	bool has_1g_pages, has_nx, has_smep, has_smap, has_fsgsbase, has_xsave, has_xsaveopt;
	bool has_x2apic, has_tsc_deadline, has_invariant_tsc, has_pge, has_rdtscp, has_erms;
	bool has_pcid; /* and INVPCID */
};

extern struct cpu_features cpu_features;

init_text void cpu_features_init(void);
/* CR4, EFER, PAT, SYSCALL MSRs of this CPU: from each CPU's start. */
void cpu_features_enable(void);

#endif
