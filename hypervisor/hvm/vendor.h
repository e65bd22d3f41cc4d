/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The narrow interface to a CPU vendor's virtualization: one const table, from
 * hvm/svm/ or hvm/vmx/, chosen at boot.  Everything above it is common.
 * Functions that take a vCPU act on the current one, or on one that is paused.
 */
#ifndef HVM_VENDOR_H
#define HVM_VENDOR_H

#include "hvm/event.h"
#include "hvm/p2m.h"

enum hvm_segment_name {
	HVM_ES, HVM_CS, HVM_SS, HVM_DS, HVM_FS, HVM_GS, /* as instructions encode them */
	HVM_GDTR, HVM_LDTR, HVM_IDTR, HVM_TR, /* as a VMCB has them */
	HVM_SEGMENTS
};

/* AMD APM vol. 2, "VMCB Layout": attributes are descriptor bits 40..47 and 52..55. */
struct hvm_segment {
	uint16_t sel;
	uint16_t attr; /* 0..3 type, 4 S, 5..6 DPL, 7 P, 8 AVL, 9 L, 10 D/B, 11 G */
	uint32_t limit; /* in bytes */
	uint64_t base;
};
#define HVM_SEG_P   (1U << 7)
#define HVM_SEG_L   (1U << 9)
#define HVM_SEG_DB  (1U << 10)
#define HVM_SEG_G   (1U << 11)
#define HVM_SEG_DPL(attr) ((attr) >> 5 & 3)

#define HVM_SHADOW_STI    1U
#define HVM_SHADOW_MOV_SS 2U

#define HVM_WINDOW_ANY 16

struct hvm_vendor {
	const char *name;
	bool has_1g_pages;
	uint8_t hypercall_insn[3];

	/* this CPU: 0, or -E with a message said; a CPU that fails has no HVM for all */
	int (*cpu_enable)(void);
	int (*domain_init)(struct domain *d);
	int (*vcpu_init)(struct vcpu *v); /* state as after RESET, paused */
	void (*vcpu_fini)(struct vcpu *v);
	void (*switch_from)(struct vcpu *v); /* IRQs off */
	void (*switch_to)(struct vcpu *v);
	/*
	 * Runs the guest once, vcpu->hvm->event injected; IRQs off, and off on return, with the exit
	 * not yet handled.
	 */
	void (*run)(struct vcpu *v);
	/* Handles it; IRQs on. */
	void (*exit_handle)(struct vcpu *v);

	void (*segment_get)(const struct vcpu *v, enum hvm_segment_name n, struct hvm_segment *s);
	void (*segment_set)(struct vcpu *v, enum hvm_segment_name n, const struct hvm_segment *s);
	/* vcpu->hvm->cr0, cr2, cr3, cr4, efer have been changed: the hardware's follow. */
	void (*controls_update)(struct vcpu *v);
	/* cr2 and cr3 into vcpu->hvm: what the guest changes without an exit */
	void (*controls_fetch)(struct vcpu *v);
	/* The MSRs that the hardware switches; false: not one of them. Values have been checked. */
	bool (*msr_get)(const struct vcpu *v, uint32_t msr, uint64_t *val);
	bool (*msr_set)(struct vcpu *v, uint32_t msr, uint64_t val);
	void (*debug_get)(const struct vcpu *v, uint64_t *dr6, uint64_t *dr7);
	void (*debug_set)(struct vcpu *v, uint64_t dr6, uint64_t dr7);
	unsigned int (*cpl)(const struct vcpu *v);

	unsigned int (*shadow_get)(const struct vcpu *v); /* HVM_SHADOW_* */
	void (*shadow_set)(struct vcpu *v, unsigned int shadow);
	/*
	 * An exit when an interrupt of that priority can be taken (1..15: above the TPR;
	 * HVM_WINDOW_ANY: whatever the TPR is; 0: no such exit), and when an NMI can.
	 */
	void (*window_set)(struct vcpu *v, unsigned int priority, bool nmi);
	void (*tpr_set)(struct vcpu *v, uint8_t cr8); /* 0..15 */
	uint8_t (*tpr_get)(const struct vcpu *v);
	void (*tsc_offset_set)(struct vcpu *v, uint64_t offset);
	/* This instruction's first bytes, if the CPU gave them: how many (0: fetch them). */
	unsigned int (*insn_bytes)(const struct vcpu *v, uint8_t bytes[16]);
	void (*state_print)(const struct vcpu *v);

	/*
	 * One entry of the nested page tables; level 1: 4 KiB..  An empty one is 0, no other is.
	 * Of a leaf, frame and type can be read back; P2M_MMIO is not present to the CPU, but kept.
	 */
	uint64_t (*pte_leaf)(mfn_t mfn, enum p2m_type type, unsigned int level);
	uint64_t (*pte_table)(mfn_t table);
	bool (*pte_is_leaf)(uint64_t pte, unsigned int level); /* else a table; not asked for 0 */
	enum p2m_type (*pte_type)(uint64_t pte);
	mfn_t (*pte_mfn)(uint64_t pte); /* of a leaf or a table */
};

extern const struct hvm_vendor svm_vendor, vmx_vendor;
extern const struct hvm_vendor *hvm_vendor; /* NULL: none */

/* Does this CPU have it and may it be used?  NULL, or what is missing. */
const char *svm_probe(void);
const char *vmx_probe(void);

/* --- what a vendor's exit handler calls (exit.c); next_rip 0: decode the length in software --- */
void hvm_exit_cpuid(struct vcpu *v, uint64_t next_rip);
void hvm_exit_msr(struct vcpu *v, bool is_write, uint64_t next_rip);
void hvm_exit_cr_read(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip);
void hvm_exit_cr_write(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip);
/* The same of an instruction other than MOV. */
void hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t val, uint64_t next_rip);
void hvm_exit_hlt(struct vcpu *v, uint64_t next_rip);
void hvm_exit_hypercall(struct vcpu *v, uint64_t next_rip);
void hvm_exit_xsetbv(struct vcpu *v, uint64_t next_rip);
/* The instruction does nothing. */
void hvm_exit_skip(struct vcpu *v, uint64_t next_rip);
void hvm_exit_nested_fault(struct vcpu *v, uint64_t gpa, bool is_write, bool is_exec);
/* Ends the domain: an exit that has no answer.  `name`: its manual's name. */
void hvm_exit_unexpected(struct vcpu *v, const char *name, uint64_t code);

/* --- fetch.c --- */

/* The instruction at rip; false: it cannot be had, and the fault for that is injected. */
struct insn;
must_check bool hvm_insn_fetch(struct vcpu *v, struct insn *insn);
/*
 * Where the CPU did not say (0) where the next instruction is, it is found; false as above.
 * `opcode`: the two bytes of the present one, if it has no prefix; 0: not known.
 */
must_check bool hvm_next_rip(struct vcpu *v, uint16_t opcode, uint64_t *next_rip);
/* CS.base + rip, as the CPU computes it in the present mode. */
uint64_t hvm_rip_linear(const struct vcpu *v, uint64_t rip);

/* General register n, as instructions number them, of the current vCPU. */
uint64_t *hvm_gpr(unsigned int n);
/* rip moves on: past an interrupt shadow, with RF cleared and TF honoured. */
void hvm_rip_advance(struct vcpu *v, uint64_t next_rip);

#endif
