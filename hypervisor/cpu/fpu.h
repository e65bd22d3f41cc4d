/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's extended state (x87, SSE, AVX, ...): saved and restored eagerly at each switch. */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "lib/types.h"

struct fpu_state {
	void *area;     /* XSAVE area, 64-byte aligned; hypervisor page(s) */
	uint64_t xcr0;  /* the guest's */
};

init_text void fpu_init(void); /* boot CPU */
void fpu_cpu_init(void);
must_check int fpu_state_init(struct fpu_state *f);
void fpu_state_fini(struct fpu_state *f);
/* The 512-byte FXSAVE image of vcpu_guest_context. */
void fpu_state_import(struct fpu_state *f, const void *fxsave);
void fpu_state_export(const struct fpu_state *f, void *fxsave);
/* All that XCR0 may hold; the guest's own XSETBV, checked (-EINVAL), for the current vCPU. */
uint64_t fpu_xcr0_supported(void);
must_check int fpu_xcr0_set(struct fpu_state *f, uint64_t xcr0);
/* Looks at what the current vCPU has there, where its XSETBV comes to no one's notice. */
void fpu_xcr0_fetch(struct fpu_state *f);
/* On a switch: XCR0 holds all of it between vCPUs. */
void fpu_save(struct fpu_state *f);
void fpu_restore(const struct fpu_state *f);

#endif
