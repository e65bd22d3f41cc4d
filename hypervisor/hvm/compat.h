/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls by 32-bit code of an HVM guest, of which hvmloader makes a few:
 * what they pass in 32-bit structures is laid out anew, at addresses of a
 * window that no 32-bit code reaches, and served as a 64-bit caller's.
 */
#ifndef HVM_COMPAT_H
#define HVM_COMPAT_H

#include "lib/types.h"

#define COMPAT_EXTENTS 16 /* of one reservation */
#define COMPAT_WINDOW  (1UL << 63)
#define COMPAT_BYTES   (64 + COMPAT_EXTENTS * sizeof(uint64_t))

/* vcpu->hvm->compat while such a hypercall is under way. */
struct hvm_compat {
	uint8_t bytes[COMPAT_BYTES] aligned_to(8);
};

/* The current vCPU's, with CPL 0, by VMMCALL or VMCALL: ebx ecx edx esi edi; -ENOSYS in eax else.
 */
void hvm_compat_hypercall(struct cpu_user_regs *regs);

/* Where n bytes at `linear` are, if they lie in the window; NULL: in the guest's memory. */
static inline void *hvm_compat_find(struct hvm_compat *c, uint64_t linear, size_t n)
{
	uint64_t at = linear - COMPAT_WINDOW;

	return c && at < COMPAT_BYTES && n <= COMPAT_BYTES - at ? c->bytes + at : NULL;
}

#endif
