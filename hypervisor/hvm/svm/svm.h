/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of hvm/svm/ share. */
#ifndef HVM_SVM_SVM_H
#define HVM_SVM_SVM_H

#include "hvm/state.h"
#include "hvm/svm/vmcb.h"

struct svm_vcpu {
	/* constant after create */
	struct vmcb *vmcb;
	paddr_t vmcb_paddr;
	/* owner CPU only */
	unsigned int cpu;		/* it last ran on */
	uint64_t asid_generation;	/* of that CPU, when it got its ASID; 0: needs one */
	uint64_t flush_generation;	/* of its p2m, likewise */
	bool has_debug_registers;	/* its DR0..3 are in the CPU's */
	bool is_in_nmi_iret;		/* the IRET at nmi_iret_rip ends its NMI handler */
	uint64_t nmi_iret_rip;
};

/* CPUID 8000_000A EDX, "SVM Feature Identification" */
#define SVM_FEATURE_NPT		  (1U << 0)
#define SVM_FEATURE_NRIP	  (1U << 3)
#define SVM_FEATURE_DECODE_ASSIST (1U << 7)
#define SVM_FEATURE_PAUSE_FILTER  (1U << 10)
extern uint32_t svm_features;
/* This CPU is QEMU's software emulation; see run.c. */
extern bool svm_is_tcg;

static inline struct vmcb *vcpu_vmcb(const struct vcpu *v)
{
	return v->hvm->svm->vmcb;
}

static inline bool svm_has(uint32_t feature)
{
	return svm_features & feature;
}

/* run.c: its translations so far are not used any more. */
void svm_tlb_flush(struct vcpu *v);
void svm_asid_init(uint32_t nr_asids);
void svm_run(struct vcpu *v);
void svm_controls_fetch(struct vcpu *v);
/* Loads the guest's DR0..3 and lets it use them; the opposite, keeping them. */
void svm_debug_registers_load(struct vcpu *v);
void svm_debug_registers_save(struct vcpu *v);
/* This CPU's: host state that VMRUN leaves to VMSAVE. */
DECLARE_PERCPU(paddr_t, svm_host_paddr);

/* run.S: enters the guest and is back at its exit.  IRQs off; with the interrupt flag of the
 * host set while the guest runs, so that an interrupt is an exit. */
void svm_vmrun(struct cpu_user_regs *regs, paddr_t vmcb, paddr_t host);

/* exit.c */
void svm_exit_handle(struct vcpu *v);

/* npt.c */
uint64_t npt_pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level);
uint64_t npt_pte_table(mfn_t table);
bool npt_pte_is_leaf(uint64_t pte, unsigned int level);
enum p2m_type npt_pte_type(uint64_t pte);
mfn_t npt_pte_mfn(uint64_t pte);

#endif
