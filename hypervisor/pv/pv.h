/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paravirtual guests: ring 3 kernels with their own page tables, which the
 * hypervisor validates (pagetable.c, mmu*.c), descriptor tables (desc.c),
 * virtual traps (trap.c) and emulated privileged instructions (emulate*.c).
 */
#ifndef PV_PV_H
#define PV_PV_H

#include "lib/spinlock.h"
#include "mm/page.h"

#define PV_GDT_FRAMES 14 /* FIRST_RESERVED_GDT_PAGE */

/* What the CPU where the vCPU last ran has kept of its translations (flush.c). */
struct pv_tlb {
	unsigned int cpu;
	uint64_t turn;	  /* of that CPU; 0: nothing */
	uint64_t flushes; /* of its domain */
};

struct pv_vcpu {
	/* virtual IDT: 256 entries, allocated */
	struct trap_info *traps;
	uint64_t kernel_sp;
	uint16_t kernel_ss;
	bool in_kernel;       /* guest kernel (its L4 loaded), not guest user */
	uint64_t event_callback, failsafe_callback, syscall_callback, syscall32_callback,
		sysenter_callback, nmi_callback;
	bool syscall_masks_events, syscall32_masks_events, sysenter_masks_events,
		failsafe_masks_events;

	/* page tables: each non-NULL one holds a reference and an L4 type reference */
	struct page *kernel_l4, *user_l4;
	uint64_t cr3; /* machine address loaded now for it */
	struct pv_tlb tlb;
	/* tables whose references it still has to put: what was interrupted (mmu_update.c) */
	struct page *pending[4];
	unsigned int nr_pending;

	/* descriptor tables: each frame holds a PAGE_SEGDESC type reference */
	mfn_t gdt_frames[PV_GDT_FRAMES];
	unsigned int gdt_entries;
	uint64_t ldt_base;
	unsigned int ldt_entries;
	mfn_t ldt_frames[16]; /* MFN_NONE: not faulted in */

	/* segments and registers not in cpu_user_regs */
	uint64_t fs_base, gs_base_user, gs_base_kernel;
	uint16_t ds, es, fs, gs;
	uint64_t cr0_ts;      /* guest's CR0.TS, by fpu_taskswitch */
	uint64_t cr4;         /* as the guest sees it */
	uint64_t debugreg[8];
	uint8_t iopl;         /* by PHYSDEVOP_set_iopl, 0..3 */
	void *iobitmap;       /* guest address */
	unsigned int iobitmap_ports;
};

struct pv_domain {
	/* machine frames are all a PV guest sees: its own p2m is its own affair */
	struct page *teardown_page; /* how far pv_domain_relinquish_tables is, with a reference */
	bool tables_are_gone;
	uint64_t flushes; /* flushes asked for so far, atomic */
	uint32_t pci_address; /* what dom0 last wrote to port CF8; its own kernel serialises */
};

must_check int pv_vcpu_init(struct vcpu *v);
void pv_vcpu_fini(struct vcpu *v);
/* Drops L4s, GDT, LDT: 0, -ERESTART */
must_check int pv_vcpu_relinquish(struct vcpu *v);
/* All pins and page-table types of a dying domain: 0, -ERESTART.  (pagetable.c) */
must_check int pv_domain_relinquish_tables(struct domain *d);

/* --- pagetable.c / mmu_*.c: MMU hypercalls --- */
long hypercall_mmu_update(const uint64_t *args);
long hypercall_mmuext_op(const uint64_t *args);
long hypercall_update_va_mapping(const uint64_t *args);
long hypercall_update_va_mapping_otherdomain(const uint64_t *args);
/* desc.c */
long hypercall_set_gdt(const uint64_t *args);
long hypercall_update_descriptor(const uint64_t *args);
must_check int pv_gdt_set(struct vcpu *v, const mfn_t *frames, unsigned int entries);
void pv_gdt_drop(struct vcpu *v);
void pv_ldt_drop(struct vcpu *v);
/* A fault in this CPU's LDT window at byte `offset`: map the guest's frame there; false: not the guest's */
must_check bool pv_ldt_fault(struct vcpu *v, unsigned int offset);
/* Write the CPU area's 32 PTEs for v (called on a switch to v, before its CR3 is loaded). */
void pv_desc_load(struct vcpu *v, unsigned int cpu);

/* Write-protection fault on a page table in guest kernel mode: emulated if it is one. True: handled. */
must_check bool pv_fault_write_pte(struct vcpu *v, uint64_t addr, struct cpu_user_regs *regs);

/* Install a new kernel L4 (MMUEXT_NEW_BASEPTR, context set): takes its own references. */
must_check int pv_set_kernel_l4(struct vcpu *v, mfn_t mfn);
must_check int pv_set_user_l4(struct vcpu *v, mfn_t mfn); /* mfn 0: none */
/* CR3 for the present mode, load it if v is current. */
void pv_load_cr3(struct vcpu *v);

/*
 * For grant/: a mapping of `frame` in the current guest's page tables, by a linear address or by
 * the machine address of an L1 entry (GNTMAP_contains_pte).  What was mapped there is dropped.
 * The caller has a reference to the frame, and a writable one if `writable`; they become the
 * entry's on success.  avail_bits: bits 9..11 of the entry.  0 or -EINVAL.
 */
must_check int pv_grant_map(uint64_t host_addr, bool by_pte, mfn_t frame, bool writable, uint64_t avail_bits);
/*
 * Clears it, if it still maps `frame` (and writable, if that is said); new_addr != 0: the entry of
 * that address moves there.  0: the entry's references are the caller's, to be dropped once no CPU
 * of the domain has the translation (pv_domain_dirty_cpus, tlb_flush_mask).  -EINVAL: nothing done.
 */
must_check int pv_grant_unmap(uint64_t host_addr, bool by_pte, mfn_t frame, bool writable,
			      uint64_t new_addr);

/* The guest's L1 entry for a linear address in the current L4, by a walk; false if none. */
must_check bool pv_walk(struct vcpu *v, uint64_t va, uint64_t *l1e, paddr_t *l1e_paddr);

/* --- flush.c --- */
struct cpumask;
/* For a flush, after the tables have changed: the CPUs whose translations of d may be used. */
void pv_domain_dirty_cpus(struct domain *d, struct cpumask *out);
/* Those of the vCPUs in a guest's bitmap: 0 or -EFAULT. */
must_check int pv_vcpumask_get(struct domain *d, const void *guest, struct cpumask *cpus);
/* Frames mapped by d lose their references soon: no CPU of d may still use them. */
void pv_flush_domain(struct domain *d);
/* On a switch to v, before its root is loaded; it can be seen to run. */
void pv_tlb_enter(struct vcpu *v);
/* What a root of v, or another of its tables, translates has changed. */
void pv_tlb_forget(struct vcpu *v, enum tlb_space space);

/* --- trap.c --- */
long hypercall_set_trap_table(const uint64_t *args);
long hypercall_callback_op(const uint64_t *args);
long hypercall_set_callbacks(const uint64_t *args);
long hypercall_nmi_op(const uint64_t *args);
long hypercall_stack_switch(const uint64_t *args);
long hypercall_iret(const uint64_t *args);
long hypercall_fpu_taskswitch(const uint64_t *args);
long hypercall_set_debugreg(const uint64_t *args);
long hypercall_get_debugreg(const uint64_t *args);
long hypercall_set_segment_base(const uint64_t *args);
long hypercall_vm_assist(const uint64_t *args);

/* Deliver an exception to the current guest by its trap table (error_code -1: none). */
void pv_inject(struct vcpu *v, unsigned int vector, int64_t error_code);
void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code);

#endif
