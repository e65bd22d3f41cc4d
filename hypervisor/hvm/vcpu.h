/* SPDX-License-Identifier: BSD-2-Clause */
/* An HVM vCPU's modes and registers: reset, start, control registers with the manuals' rules. */
#ifndef HVM_VCPU_H
#define HVM_VCPU_H

#include "lib/types.h"

/* As RESET leaves it (AMD APM vol. 2, "Initial Processor State"); paused or current. */
void hvm_vcpu_reset(struct vcpu *v);
/*
 * INIT and SIPI, from another vCPU's APIC: INIT resets v to wait for SIPI (VCPU_F_DOWN);
 * SIPI starts it at vector << 12 if it waits.  Any vCPU of the domain calls it.
 */
void hvm_vcpu_init_signal(struct vcpu *v);
void hvm_vcpu_sipi(struct vcpu *v, uint8_t vector);
/* The current vCPU acts on what of these was sent to it: start_signals is not 0. */
void hvm_vcpu_signals_handle(struct vcpu *v);
void hvm_vcpu_nmi(struct vcpu *v); /* any context */

/* 0, or -EINVAL for #GP; everything follows (paging mode, vendor's registers). */
must_check int hvm_cr0_set(struct vcpu *v, uint64_t val);
must_check int hvm_cr3_set(struct vcpu *v, uint64_t val);
must_check int hvm_cr4_set(struct vcpu *v, uint64_t val);
must_check int hvm_efer_set(struct vcpu *v, uint64_t val);

static inline bool hvm_is_paging(const struct vcpu *v);
/* Long mode active and CS.L: 64-bit code. */
bool hvm_is_64bit(const struct vcpu *v);
bool hvm_is_long(const struct vcpu *v); /* EFER.LMA */

/*
 * Guest-linear to guest-physical by the guest's own tables.  access: PF_WRITE,
 * PF_USER, PF_FETCH wanted.  0 with *gpa; or -EFAULT with the #PF error code in *error.
 * A/D bits are set as the CPU would.
 */
must_check int hvm_translate(struct vcpu *v, uint64_t linear, uint32_t access, uint64_t *gpa,
			     uint32_t *error);
/*
 * Reads or writes RAM of the current vCPU's domain by guest-physical address;
 * bytes not done (device, hole, read-only).
 */
must_check size_t hvm_phys_read(struct domain *d, void *dst, uint64_t gpa, size_t n);
must_check size_t hvm_phys_write(struct domain *d, uint64_t gpa, const void *src, size_t n);

#include "hvm/state.h"

static inline bool hvm_is_paging(const struct vcpu *v)
{
	return v->hvm->cr0 & 0x80000000;
}

#endif
