/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch from one vCPU to another on this CPU. */
#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "cpu/extable.h"
#include "cpu/features.h"
#include "domain/domain.h"
#include "hvm/hvm.h"
#include "lib/printk.h"
#include "lib/string.h"

static void segments_save(struct pv_vcpu *pv)
{
	__asm__ volatile("mov %%ds, %0" : "=rm"(pv->ds));
	__asm__ volatile("mov %%es, %0" : "=rm"(pv->es));
	__asm__ volatile("mov %%fs, %0" : "=rm"(pv->fs));
	__asm__ volatile("mov %%gs, %0" : "=rm"(pv->gs));
	/* the guest may have changed the bases itself (WRFSBASE, or by loading a selector) */
	pv->fs_base = msr_read(MSR_FS_BASE);
	if (pv->in_kernel) {
		pv->gs_base_kernel = msr_read(MSR_GS_BASE);
		pv->gs_base_user = msr_read(MSR_KERNEL_GS_BASE);
	} else {
		pv->gs_base_user = msr_read(MSR_GS_BASE);
		pv->gs_base_kernel = msr_read(MSR_KERNEL_GS_BASE);
	}
}

/* A selector that the guest's tables no longer describe becomes null. */
#define LOAD_SEGMENT(seg, value)                                                                   \
	__asm__ volatile("1: movl %0, %%" #seg "\n2:\n"                                            \
			 ".pushsection .text.fixup,\"ax\"\n"                                       \
			 "3: xorl %0, %0; movl %0, %%" #seg "; jmp 2b\n.popsection\n"              \
			 EXTABLE(1b, 3b)                                                           \
			 : "+r"(value))

static void segments_load(const struct pv_vcpu *pv)
{
	uint32_t ds = pv->ds, es = pv->es, fs = pv->fs, gs = pv->gs;

	LOAD_SEGMENT(ds, ds);
	LOAD_SEGMENT(es, es);
	LOAD_SEGMENT(fs, fs);
	LOAD_SEGMENT(gs, gs);
	msr_write(MSR_FS_BASE, pv->fs_base);
	msr_write(MSR_GS_BASE, pv->in_kernel ? pv->gs_base_kernel : pv->gs_base_user);
	msr_write(MSR_KERNEL_GS_BASE, pv->in_kernel ? pv->gs_base_user : pv->gs_base_kernel);
}

static void debug_registers_load(const struct pv_vcpu *pv)
{
	if (!(pv->debugreg[7] & 0xff))
		return;
	dr0_write(pv->debugreg[0]);
	dr1_write(pv->debugreg[1]);
	dr2_write(pv->debugreg[2]);
	dr3_write(pv->debugreg[3]);
	dr6_write(pv->debugreg[6]);
	dr7_write(pv->debugreg[7]);
}

static void pv_switch_from(struct vcpu *v)
{
	if (v->pv.cr0_ts)
		cr0_write(cr0_read() & ~X86_CR0_TS);
	segments_save(&v->pv);
	if (v->pv.debugreg[7] & 0xff) {
		v->pv.debugreg[6] = dr6_read();
		dr7_write(0x400);
	}
}

/* Of its space nothing is kept: the windows in the CPU's area change with each PV vCPU. */
static void hypervisor_root_load(void)
{
	tlb_space_forget(TLB_HYPERVISOR);
	tlb_root_load(TLB_HYPERVISOR, cpu_hyp_cr3());
}

static void pv_switch_to(struct vcpu *v, struct cpu_info *info)
{
	info->can_sysret = 0;
	pv_desc_load(v, info->cpu);
	pv_tlb_enter(v);
	pv_load_cr3(v);
	if (!v->pv.cr3) /* no tables to run on: prev's are not for it */
		hypervisor_root_load();
	cpu_ldt_load(v->pv.ldt_entries);
	segments_load(&v->pv);
	debug_registers_load(&v->pv);
	cr4_write((cr4_read() & ~X86_CR4_TSD) | (v->pv.cr4 & X86_CR4_TSD));
}

/* Tables and segments of no guest: what prev had may be destroyed, or run elsewhere. */
static void hypervisor_state_load(void)
{
	hypervisor_root_load();
	cpu_ldt_load(0);
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" ::"r"(0));
}

static void vcpu_save(struct vcpu *v)
{
	memcpy(&v->regs, &cpu_info()->guest_regs, offsetof(struct cpu_user_regs, es));
	if (v->domain->type == DOMAIN_HVM)
		hvm_switch_from(v);
	else
		pv_switch_from(v);
	fpu_save(&v->fpu);
}

static void vcpu_load(struct vcpu *v, struct cpu_info *info)
{
	memcpy(&info->guest_regs, &v->regs, offsetof(struct cpu_user_regs, es));
	if (v->domain->type == DOMAIN_HVM) {
		hypervisor_state_load();
		hvm_switch_to(v);
	} else {
		pv_switch_to(v, info);
	}
	fpu_restore(&v->fpu);
	if (v->pv.cr0_ts)
		cr0_write(cr0_read() | X86_CR0_TS);
	vtime_update(v);
}

no_return void context_switch(struct vcpu *prev, struct vcpu *next)
{
	struct cpu_info *info = cpu_info();

	if (!vcpu_is_idle(prev))
		vcpu_save(prev);
	info->vcpu = next;
	if (vcpu_is_idle(next))
		hypervisor_state_load();
	else
		vcpu_load(next, info);
	sched_switched(prev);
	irq_enable();
	if (vcpu_is_idle(next))
		reset_stack_and_jump(idle_loop);
	if (next->domain->type == DOMAIN_HVM)
		reset_stack_and_jump(hvm_enter);
	ret_to_guest();
}
