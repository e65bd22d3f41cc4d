/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware-assisted guests (HVM and PVH) as the rest of the hypervisor sees
 * them: creation, the way in and out of a vCPU, and what hypercalls ask.
 * What is inside is hvm/state.h's; what one CPU vendor does, hvm/vendor.h's.
 */
#ifndef HVM_HVM_H
#define HVM_HVM_H

#include "lib/types.h"

struct xen_domctl_createdomain;

/* Boot: looks for SVM or VMX, and says why there is none. */
init_text void hvm_init(void);
/* Each CPU, once its areas are mapped: turns the hardware on, or, where that fails, HVM off. */
void hvm_cpu_init(void);
/* Can HVM domains be made? */
bool hvm_is_available(void);

/* What of createdomain HVM allows: 0 or -EINVAL, -EOPNOTSUPP (no hardware for it). */
must_check int hvm_config_check(const struct xen_domctl_createdomain *config);
/* d->type is DOMAIN_HVM; -ENOMEM.  fini undoes init, and is called for the last reference. */
must_check int hvm_domain_init(struct domain *d, const struct xen_domctl_createdomain *config);
void hvm_domain_fini(struct domain *d);
/* Teardown: device model ties, then the p2m: 0, -ERESTART. */
must_check int hvm_domain_relinquish(struct domain *d);
must_check int hvm_vcpu_init(struct vcpu *v);
void hvm_vcpu_fini(struct vcpu *v);

/* context_switch's halves: v's registers that struct vcpu's common part does not hold. IRQs off. */
void hvm_switch_from(struct vcpu *v);
void hvm_switch_to(struct vcpu *v);
/* Enters the current vCPU, again and again until a switch; registers in guest_regs. */
no_return void hvm_enter(void);

/* An event channel became pending for v (v->info's byte is set).  Any context; wakes it. */
void hvm_upcall_raise(struct vcpu *v);
/* Has v something to be woken for from HLT?  Scheduler's question, any context. */
bool hvm_has_wakeup(const struct vcpu *v);

/*
 * Ports first..last are the machine's to d, or no longer: an access is no exit.  d is paused, as
 * Intel wants it (SDM vol. 3, "Software Access to Related Structures"), d->lock held.
 */
void hvm_ports_allow(struct domain *d, uint16_t first, uint16_t last, bool allow);

/* Linear addresses of the current vCPU's kernel: bytes NOT copied, as guest_copy_* has it. */
must_check size_t hvm_copy_from(void *dst, const void *guest, size_t n);
must_check size_t hvm_copy_to(void *guest, const void *src, size_t n);
must_check size_t hvm_clear(void *guest, size_t n);

/* HYPERVISOR_hvm_op, dm_op */
long hypercall_hvm_op(const uint64_t *args);
long hypercall_dm_op(const uint64_t *args);

#endif
