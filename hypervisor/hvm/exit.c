/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done about an exit, whatever the vendor: most is one instruction,
 * done in its stead.  All work on the current vCPU, with IRQs on.
 */
#include "hvm/vendor.h"

#include "cpu/asm.h"
#include "cpu/fpu.h"
#include "cpu/softirq.h"
#include "cpu/trap.h"
#include "hvm/compat.h"
#include "hvm/decode.h"
#include "hvm/policy.h"
#include "hvm/vcpu.h"
#include "hvm/vlapic.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/printk.h"

#define DR6_BS		 (1UL << 14)
#define HYPERCALL_LENGTH 3 /* VMMCALL, VMCALL */

/* as they lie in memory */
#define INSN_CPUID 0xa20f
#define INSN_RDMSR 0x320f
#define INSN_WRMSR 0x300f

static void inject_gp(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_GP, 0);
}

void hvm_rip_advance(struct vcpu *v, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();
	uint64_t dr6, dr7;

	regs->rip = hvm_is_64bit(v) ? next_rip : (uint32_t)next_rip;
	regs->rflags &= ~X86_EFLAGS_RF;
	hvm_vendor->shadow_set(v, 0);
	if (unlikely(regs->rflags & X86_EFLAGS_TF)) {
		hvm_vendor->debug_get(v, &dr6, &dr7);
		hvm_vendor->debug_set(v, dr6 | DR6_BS, dr7);
		hvm_inject_exception(v, TRAP_DB, -1);
	}
}

void hvm_exit_skip(struct vcpu *v, uint64_t next_rip)
{
	if (hvm_next_rip(v, 0, &next_rip))
		hvm_rip_advance(v, next_rip);
}

/* --- one instruction each --- */

void hvm_exit_cpuid(struct vcpu *v, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();
	uint32_t r[4];

	if (!hvm_next_rip(v, INSN_CPUID, &next_rip))
		return;
	hvm_cpuid(v, regs->rax, regs->rcx, r);
	regs->rax = r[0];
	regs->rbx = r[1];
	regs->rcx = r[2];
	regs->rdx = r[3];
	hvm_rip_advance(v, next_rip);
}

void hvm_exit_msr(struct vcpu *v, bool is_write, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();
	uint32_t msr = regs->rcx;
	uint64_t val = (uint32_t)regs->rax | regs->rdx << 32;

	if (!hvm_next_rip(v, is_write ? INSN_WRMSR : INSN_RDMSR, &next_rip))
		return;
	if (is_write ? hvm_msr_write(v, msr, val) : hvm_msr_read(v, msr, &val)) {
		inject_gp(v);
		return;
	}
	if (!is_write) {
		regs->rax = (uint32_t)val;
		regs->rdx = val >> 32;
	}
	hvm_rip_advance(v, next_rip);
}

/* General register n as instructions number them, of the current vCPU. */
uint64_t *hvm_gpr(unsigned int n)
{
	struct cpu_user_regs *r = guest_regs();
	uint64_t *const gprs[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
				    &r->rsi, &r->rdi, &r->r8,  &r->r9,	&r->r10, &r->r11,
				    &r->r12, &r->r13, &r->r14, &r->r15};

	return gprs[n & 15];
}

void hvm_exit_cr_read(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip)
{
	const struct hvm_vcpu *h = v->hvm;
	uint64_t val = cr == 0 ? h->cr0 : cr == 3 ? h->cr3 : cr == 4 ? h->cr4 : vlapic_cr8_get(v);

	if (!hvm_next_rip(v, 0, &next_rip))
		return;
	*hvm_gpr(gpr) = hvm_is_64bit(v) ? val : (uint32_t)val;
	hvm_rip_advance(v, next_rip);
}

static int cr_set(struct vcpu *v, unsigned int cr, uint64_t val)
{
	switch (cr) {
	case 0:
		return hvm_cr0_set(v, val);
	case 3:
		return hvm_cr3_set(v, val);
	case 4:
		return hvm_cr4_set(v, val);
	case 8:
		if (val > 15)
			return -EINVAL;
		vlapic_cr8_set(v, val);
		return 0;
	default:
		return -EINVAL;
	}
}

void hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t val, uint64_t next_rip)
{
	if (!hvm_next_rip(v, 0, &next_rip))
		return;
	if (cr_set(v, cr, val))
		inject_gp(v);
	else
		hvm_rip_advance(v, next_rip);
}

void hvm_exit_cr_write(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip)
{
	uint64_t val = *hvm_gpr(gpr);

	hvm_cr_write(v, cr, hvm_is_64bit(v) ? val : (uint32_t)val, next_rip);
}

void hvm_exit_xsetbv(struct vcpu *v, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();
	uint64_t val = (uint32_t)regs->rax | regs->rdx << 32;

	if (!hvm_next_rip(v, 0, &next_rip))
		return;
	if (hvm_vendor->cpl(v) || (uint32_t)regs->rcx || fpu_xcr0_set(&v->fpu, val))
		inject_gp(v);
	else
		hvm_rip_advance(v, next_rip);
}

void hvm_exit_hlt(struct vcpu *v, uint64_t next_rip)
{
	if (!hvm_next_rip(v, 0, &next_rip))
		return;
	hvm_rip_advance(v, next_rip);
	/* With interrupts off it has ended: only a SIPI, or an NMI that is there already, goes on.
	 */
	if (!(guest_regs()->rflags & X86_EFLAGS_IF) && !READ_ONCE(v->hvm->is_nmi_pending))
		vcpu_take_down(v);
	else
		v->hvm->is_halted =
			true; /* hvm_enter blocks it, unless something is there to wake it */
}

/* rip first: a hypercall that is continued sets it back, one that shuts down leaves it behind. */
void hvm_exit_hypercall(struct vcpu *v, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();

	hvm_rip_advance(v, regs->rip + HYPERCALL_LENGTH);
	if (hvm_vendor->cpl(v))
		regs->rax = -EPERM;
	else if (hvm_is_64bit(v))
		hypercall_dispatch(regs);
	else
		hvm_compat_hypercall(regs);
}

/* --- memory, and what has no answer --- */

void hvm_exit_nested_fault(struct vcpu *v, uint64_t gpa, bool is_write, bool is_exec)
{
	if (p2m_fault(v, gpa, is_write, is_exec)) {
		v->hvm->exits[HVM_EXIT_PAGE_FAULT]++;
		return;
	}
	v->hvm->exits[HVM_EXIT_MMIO]++;
	if (v->hvm->event.is_set) /* an IDT or a stack there: nothing to emulate by */
		domain_crash(v->domain, "vCPU %u: event %u needs device memory at %#lx, rip %#lx",
			     v->id, v->hvm->event.vector, gpa, guest_regs()->rip);
	else
		hvm_emulate_current(v);
}

void hvm_exit_unexpected(struct vcpu *v, const char *name, uint64_t code)
{
	guest_printk(v->domain, "vCPU %u at %#lx:\n", v->id, guest_regs()->rip);
	hvm_vendor->state_print(v);
	domain_crash(v->domain, "vCPU %u: %s %#lx at %#lx", v->id, name, code, guest_regs()->rip);
}
