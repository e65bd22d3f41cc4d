/* SPDX-License-Identifier: BSD-2-Clause */
/* A PV vCPU's own state at birth and at its end. */
#include "cpu/asm.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "mm/alloc.h"

int pv_vcpu_init(struct vcpu *v)
{
	v->pv.traps = heap_alloc_array(256, sizeof(*v->pv.traps));
	if (!v->pv.traps)
		return -ENOMEM;
	v->pv.in_kernel = true;
	v->pv.iopl = 1; /* a kernel may always try; which ports it has is another matter */
	v->pv.cr4 = cr4_read() &
		    ~(X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PGE | X86_CR4_PCIDE);
	for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
		v->pv.gdt_frames[i] = MFN_NONE;
	for (unsigned int i = 0; i < 16; i++)
		v->pv.ldt_frames[i] = MFN_NONE;
	v->pv.debugreg[6] = 0xffff0ff0;
	v->pv.debugreg[7] = 0x400;
	return 0;
}

void pv_vcpu_fini(struct vcpu *v)
{
	heap_free(v->pv.traps);
	v->pv.traps = NULL;
}
