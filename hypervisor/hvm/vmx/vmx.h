/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of hvm/vmx/ share. */
#ifndef HVM_VMX_VMX_H
#define HVM_VMX_VMX_H

#include "cpu/asm.h"
#include "hvm/state.h"
#include "hvm/vendor.h"
#include "hvm/vmx/vmcs.h"

/*
 * The guest's part of a VMCS, kept here too: a VMCS can be read and written
 * only by the CPU that has it loaded.  Segments come first, in the order of a
 * VMCS; state.c has the table of their encodings.
 */
enum vmx_state {
	ST_LIMIT = 0, /* ES CS SS DS FS GS LDTR TR GDTR IDTR */
	ST_BASE = 10,
	ST_SELECTOR = 20,
	ST_RIGHTS = 28,
	ST_CR0 = 36,
	ST_CR0_SHADOW,
	ST_CR3,
	ST_CR4,
	ST_CR4_SHADOW,
	ST_DR7,
	ST_EFER,
	ST_PAT,
	ST_SYSENTER_CS,
	ST_SYSENTER_ESP,
	ST_SYSENTER_EIP,
	ST_INTERRUPTIBILITY,
	ST_PENDING_DEBUG,
	ST_PDPTE, /* 4 of them */
	ST_CPU_CONTROLS = ST_PDPTE + 4,
	ST_CPU_CONTROLS2,
	ST_MSR_BITMAP,
	ST_ENTRY_CONTROLS,
	ST_TSC_OFFSET,
	ST_TPR_THRESHOLD,
	ST_COUNT
};
_Static_assert(ST_COUNT <= 64, "a bit each");

/* MSRs that change hands at a switch of vCPUs: the hypervisor does without them. */
enum { VMX_MSR_STAR, VMX_MSR_LSTAR, VMX_MSR_CSTAR, VMX_MSR_SFMASK, VMX_MSR_KERNEL_GS, VMX_MSRS };
extern const uint32_t vmx_switched_msrs[VMX_MSRS];

struct vmx_vcpu {
	/* constant after create */
	void *vmcs; /* a page */
	/* owner CPU only, or paused */
	uint64_t state[ST_COUNT];
	uint64_t known, dirty; /* by enum vmx_state: state[] is right; is not yet in the VMCS */
	uint64_t msrs[VMX_MSRS]; /* while not loaded */
	bool is_loaded;		 /* its VMCS is its CPU's current one, its MSRs are in the CPU */
	bool is_launched;
	bool is_prepared;	 /* what never changes has been written */
	bool has_debug_registers; /* its DR0..3 and DR6 are in the CPU's */
	bool is_nmi_wanted;
	uint8_t window;
	uint64_t dr6;
	unsigned int cpu;	   /* it last ran on */
	uint64_t vpid_generation;  /* of that CPU, when it got its VPID; 0: needs one */
	uint64_t flush_generation; /* of its p2m, likewise */
	uint32_t exit_reason;
	uint32_t exit_event;
	uint64_t qualification;
};

/* Groups of controls, in the order of their capability MSRs; the secondary ones of the CPU last. */
enum { VMX_PIN, VMX_CPU, VMX_EXIT, VMX_ENTRY, VMX_CPU2, VMX_CONTROL_GROUPS };

/* What the CPU can do and the guest gets, settled once at boot. */
struct vmx_config {
	uint32_t revision;
	uint64_t caps[VMX_CONTROL_GROUPS]; /* low half: bits that must be set; high half: that may be */
	uint32_t pin, cpu, cpu2, exit, entry;
	uint32_t cpu2_x2apic; /* on top while the guest's local APIC is in that mode; 0: nothing */
	uint8_t timer_shift; /* the preemption timer's: of the TSC */
	uint64_t cr0_fixed, cr4_fixed; /* bits that must be set; PE and PG are the guest's */
	bool has_spec_ctrl, has_enhanced_ibrs, has_verw, has_l1d_flush;
};
extern struct vmx_config vmx_config;

#define MSR_SPEC_CTRL  0x48
#define SPEC_CTRL_IBRS 1

/* MSRs that the CPU loads by itself: Intel SDM vol. 3, "VM-Entry Controls for MSRs". */
struct vmx_msr_load {
	uint32_t msr, reserved;
	uint64_t val;
};

/* capability.c */
const char *vmx_config_find(struct vmx_config *c);
int vmx_feature_control_set(void); /* this CPU: 0, or -EPERM: locked off */

struct vmx_tables {
	struct desc_ptr gdtr, idtr;
};

/* run.S: single instructions, on the VMCS that is loaded.  False: VMfail. */
uint64_t vmcs_read(uint64_t field);
void vmcs_write(uint64_t field, uint64_t val);
bool vmx_on(const paddr_t *region);
bool vmcs_clear(const paddr_t *vmcs);
bool vmcs_load(const paddr_t *vmcs);
bool vmx_invept(uint64_t type, const uint64_t descriptor[2]);
bool vmx_invvpid(uint64_t type, const uint64_t descriptor[2]);
void vmx_tables_store(struct vmx_tables *tables);
void vmx_tables_load(const struct vmx_tables *tables);
/* Enters the guest and is back at its exit, IRQs off; false: the entry failed (VMfail). */
#define VMX_ENTER_LAUNCHED 1U /* this VMCS has been entered since it was loaded */
#define VMX_ENTER_VERW	   2U /* the CPU's buffers are overwritten, the last thing before it */
bool vmx_enter(struct cpu_user_regs *regs, unsigned int flags);

/* state.c */
uint64_t vmx_state_get(const struct vcpu *v, unsigned int st);
void vmx_state_set(struct vcpu *v, unsigned int st, uint64_t val);
void vmx_state_flush(struct vcpu *v);	/* to the VMCS, before an entry */
void vmx_state_forget(struct vcpu *v);	/* after an exit: what the guest may have changed */
void vmx_state_collect(struct vcpu *v); /* from the VMCS, before it is unloaded */
void vmx_segment_get(const struct vcpu *v, enum hvm_segment_name n, struct hvm_segment *s);
void vmx_segment_set(struct vcpu *v, enum hvm_segment_name n, const struct hvm_segment *s);
void vmx_controls_update(struct vcpu *v);
void vmx_controls_fetch(struct vcpu *v);
bool vmx_msr_get(const struct vcpu *v, uint32_t msr, uint64_t *val);
bool vmx_msr_set(struct vcpu *v, uint32_t msr, uint64_t val);

/* run.c */
void vmx_run(struct vcpu *v);
void vmx_switch_from(struct vcpu *v);
void vmx_switch_to(struct vcpu *v);
void vmx_tlb_flush(struct vcpu *v);
void vmx_debug_registers_load(struct vcpu *v);

/* exit.c */
void vmx_exit_handle(struct vcpu *v);
const char *vmx_exit_name(uint32_t reason);

/* check.c, check_host.c: print which of the guest's fields, or others, an entry refuses: how many. */
unsigned int vmx_state_check(const struct vcpu *v);
unsigned int vmx_host_check(const struct vcpu *v);

/* ept.c */
uint64_t ept_pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level);
uint64_t ept_pte_table(mfn_t table);
bool ept_pte_is_leaf(uint64_t pte, unsigned int level);
enum p2m_type ept_pte_type(uint64_t pte);
mfn_t ept_pte_mfn(uint64_t pte);
uint64_t ept_pointer(mfn_t root);

/* msr.c: the bitmaps and lists that all guests have. */
struct vmx_msr_tables {
	paddr_t bitmap, bitmap_x2apic; /* which are an exit; while the local APIC is in that mode */
	paddr_t entry_loads, exit_loads;
	unsigned int nr_entry_loads, nr_exit_loads;
};
extern struct vmx_msr_tables vmx_msr_tables;
must_check int vmx_msr_tables_create(void); /* once: -ENOMEM */
uint32_t vmx_entry_load(uint64_t n);	    /* the n-th MSR that an entry loads, from 1; 0: no such */

#endif
