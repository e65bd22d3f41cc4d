/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of HVM domains and vCPUs, for hvm/ alone.  General registers, rip,
 * rsp, rflags are in guest_regs() while the vCPU is in the hypervisor, and in
 * vcpu->regs while it does not run; segments and what else the hardware
 * switches are the vendor's (hvm/vendor.h).
 */
#ifndef HVM_STATE_H
#define HVM_STATE_H

#include "domain/domain.h"
#include "hvm/event.h"
#include "hvm/io.h"
#include "hvm/p2m.h"

#include <xen/hvm/params.h>

struct hvm_platform; /* PIC, I/O APIC, PIT, RTC, HPET, PM timer: hvm/platform.h */
struct ioreq_domain; /* hvm/ioreq.h */
struct vlapic;	     /* hvm/vlapic.h */
struct hvm_compat;   /* hvm/compat.h */
struct svm_vcpu;     /* hvm/svm/ */
struct vmx_vcpu;
struct cpuid_policy; /* hvm/policy.h */

/* Counted, for `zl exits`: see ZENDO_OP_exits. */
enum hvm_exit_kind {
	HVM_EXIT_INTERRUPT,  /* a hardware interrupt or NMI came */
	HVM_EXIT_WINDOW,     /* it can take the interrupt that waits */
	HVM_EXIT_HYPERCALL,
	HVM_EXIT_CPUID,
	HVM_EXIT_MSR,
	HVM_EXIT_CR,	     /* control and debug registers, XSETBV */
	HVM_EXIT_HLT,	     /* and PAUSE */
	HVM_EXIT_PORT,
	HVM_EXIT_MMIO,	     /* a nested page fault on a device */
	HVM_EXIT_PAGE_FAULT, /* any other nested page fault */
	HVM_EXIT_EXCEPTION,
	HVM_EXIT_OTHER,
	HVM_EXIT_KINDS
};

/* fetch.c: a page of code, as it was found once. */
struct hvm_code_window {
	uint64_t linear;
	uint64_t flushes;     /* of the p2m, when it was found */
	const uint8_t *bytes; /* no reference is held; NULL: none */
};

struct hvm_vcpu {
	/* owner CPU only, or paused */
	uint64_t cr0, cr2, cr3, cr4, efer; /* as the guest sees them */
	uint64_t dr[4];			   /* DR6, DR7: the vendor's */
	uint64_t tsc_offset;		   /* guest's TSC minus the CPU's */
	uint64_t tsc_aux;
	uint64_t apic_base;		   /* MSR_APIC_BASE */
	uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_var[16]; /* kept, without effect: NPT/EPT rule */
	bool is_nmi_masked;		   /* until its IRET */
	bool is_halted;			   /* by HLT: enters again when something wakes it */
	struct hvm_event event;		   /* to be injected at the next entry; vector 0, type 0: none */
	struct hvm_io_state io;		   /* an access under way, or one to be resumed */
	uint64_t exits[HVM_EXIT_KINDS];
	struct hvm_code_window code[4];	   /* by the page number */
	struct vlapic *vlapic;
	struct hvm_compat *compat; /* hvm/compat.h; NULL: no hypercall of 32-bit code is under way */
	union {
		struct svm_vcpu *svm;
		struct vmx_vcpu *vmx;
	};
	/* atomic */
	uint32_t upcall_vector; /* HVMOP_set_evtchn_upcall_vector; 0: the domain's callback */
	bool is_nmi_pending;
	uint32_t start_signals; /* INIT and SIPI that it has not acted on: vcpu.c */
};

struct hvm_domain {
	/* constant after create */
	uint32_t emulation; /* XEN_X86_EMU_* */
	bool has_device_model; /* HVM rather than PVH: more than a local APIC is emulated */
	unsigned long *ports;  /* hvm/ports.h; the bits: protected by domain->lock */

	struct p2m p2m;
	struct hvm_platform *platform;
	struct ioreq_domain *ioreq;
	struct cpuid_policy *cpuid; /* protected by domain->lock; NULL: the default */

	/* protected by domain->lock */
	uint64_t params[HVM_NR_PARAMS];
	/* read without it: HVM_PARAM_CALLBACK_IRQ, decoded */
	uint64_t callback;
	bool is_tsc_offset_shared;
};

static inline bool vcpu_is_hvm(const struct vcpu *v)
{
	return v->domain->type == DOMAIN_HVM;
}

#endif
