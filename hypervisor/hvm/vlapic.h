/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's local APIC: xAPIC by its page, x2APIC by MSRs; timer, IPIs, EOI broadcast. */
#ifndef HVM_VLAPIC_H
#define HVM_VLAPIC_H

#include "lib/types.h"

must_check int vlapic_init(struct vcpu *v);
void vlapic_fini(struct vcpu *v);
void vlapic_reset(struct vcpu *v);
/* The vCPU's timers move with it to `cpu` (as vtime_vcpu_scheduled). */
void vlapic_scheduled(struct vcpu *v, unsigned int cpu);

/* MSR_APIC_BASE, TSC_DEADLINE, 0x800..0x8ff: 0, or -EPERM for #GP. */
must_check int vlapic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val);
must_check int vlapic_msr_write(struct vcpu *v, uint32_t msr, uint64_t val);
/* CR8's view, bits 3..0 */
uint8_t vlapic_cr8_get(const struct vcpu *v);
void vlapic_cr8_set(struct vcpu *v, uint8_t cr8);

/* Makes it pending, any context; wakes the vCPU. */
void vlapic_raise(struct vcpu *v, uint8_t vector, bool level);
/* Highest vector above the PPR, -1: none; taking it puts it in service. */
int vlapic_pending(const struct vcpu *v);
int vlapic_take(struct vcpu *v);
/* Does LINT0 pass the PIC's interrupts on to this vCPU? */
bool vlapic_accepts_pic(const struct vcpu *v);
/* Its APIC id in the mode it is in. */
uint32_t vlapic_id(const struct vcpu *v);

#endif
