/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual traps of a PV guest: what the entry code calls. */
#ifndef PV_TRAP_H
#define PV_TRAP_H

#include "lib/types.h"

/* A SYSCALL (64-bit, compatibility mode) from guest user mode. */
void pv_syscall(struct vcpu *v, struct cpu_user_regs *regs);
void pv_syscall32(struct vcpu *v, struct cpu_user_regs *regs);
/* After #GP: was it INT n, which the guest's trap table allows?  Then that is delivered. */
must_check bool pv_software_interrupt(struct vcpu *v, struct cpu_user_regs *regs);
/* An upcall to the event callback; the vCPU has one due. */
void pv_deliver_events(struct vcpu *v);
/* NMIs and the like (vcpu->return_work). */
void pv_return_work(struct vcpu *v);
/* The IRET to the guest's own frame failed: tell its failsafe callback. */
void pv_iret_failed(struct vcpu *v, struct cpu_user_regs *regs);

/* Between guest kernel and guest user: the other page tables and GS base. */
void pv_toggle_mode(struct vcpu *v);
/* A selector as the guest kernel may have it, ring 3 forced. */
static inline uint16_t pv_fixup_selector(uint16_t sel)
{
	return sel & ~3 ? sel | 3 : sel;
}

#endif
