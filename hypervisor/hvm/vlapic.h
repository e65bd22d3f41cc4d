/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's local APIC: xAPIC by its page, x2APIC by MSRs; timer, IPIs, EOI
 * broadcast.  Its id is the vCPU's times two in both modes, as stock Xen has it.
 * What is inside is vlapic_state.h's.
 */
#ifndef HVM_VLAPIC_H
#define HVM_VLAPIC_H

#include "lib/types.h"

struct hvm_io;

must_check int vlapic_init(struct vcpu *v); /* -ENOMEM; as after RESET */
void vlapic_fini(struct vcpu *v);
/* RESET, and INIT, which leaves the mode as it is; paused or current. */
void vlapic_reset(struct vcpu *v);
void vlapic_init_reset(struct vcpu *v);
/* The vCPU's timer moves with it to `cpu` (as vtime_vcpu_scheduled). */
void vlapic_scheduled(struct vcpu *v, unsigned int cpu);

/* MSR_APIC_BASE, TSC_DEADLINE, 0x800..0x8ff: 0, or -EPERM for #GP.  The current vCPU's. */
must_check int vlapic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val);
must_check int vlapic_msr_write(struct vcpu *v, uint32_t msr, uint64_t val);
/* The current vCPU's access to the page of its xAPIC; false: not there, or not in that mode. */
must_check bool vlapic_access(struct vcpu *v, struct hvm_io *io);
/* CR8's view, bits 3..0.  Setting what it is already leaves TPR bits 3..0. */
uint8_t vlapic_cr8_get(const struct vcpu *v);
void vlapic_cr8_set(struct vcpu *v, uint8_t cr8);

/*
 * For hardware that does some of it: the page of registers, as the xAPIC's; is it in x2APIC mode; is
 * what RDMSR gives of that MSR 0x800..0x8ff just what lies in the page?
 */
void *vlapic_page(const struct vcpu *v);
bool vlapic_is_by_msr(const struct vcpu *v);
bool vlapic_msr_is_plain(uint32_t msr);

/* Makes it pending, any context; wakes the vCPU. */
void vlapic_raise(struct vcpu *v, uint8_t vector, bool level);
/* Highest vector above the PPR, -1: none; taking it (owner CPU) puts it in service. */
int vlapic_pending(const struct vcpu *v);
int vlapic_take(struct vcpu *v);
/* The priority class of what waits, could it be taken but for the TPR; 0: nothing */
unsigned int vlapic_waiting_class(const struct vcpu *v);
/* Does LINT0 pass the PIC's interrupts on to this vCPU? */
bool vlapic_accepts_pic(const struct vcpu *v);
/* Its APIC id in the mode it is in. */
uint32_t vlapic_id(const struct vcpu *v);

/* An interrupt message, as ICR, I/O APIC and MSIs have it (Intel SDM vol. 3, "Delivery Mode"). */
enum vlapic_delivery {
	VLAPIC_FIXED,
	VLAPIC_LOWEST,
	VLAPIC_SMI,
	VLAPIC_RESERVED,
	VLAPIC_NMI,
	VLAPIC_INIT,
	VLAPIC_SIPI,
	VLAPIC_EXTINT
};

struct vlapic_message {
	uint32_t dest; /* VLAPIC_BROADCAST: all */
	uint8_t vector;
	uint8_t delivery;
	bool is_logical;
	bool is_level;
};
#define VLAPIC_BROADCAST (~0U)

/* Of a device, any context: 0, or -EINVAL: not fixed, lowest priority or NMI, or nobody's. */
must_check int vlapic_message_send(struct domain *d, const struct vlapic_message *m);

#endif
