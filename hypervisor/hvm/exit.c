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

static void inject_gp(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_GP, 0);
}

/* --- the instruction --- */

uint64_t hvm_rip_linear(const struct vcpu *v, uint64_t rip)
{
	struct hvm_segment cs;

	hvm_vendor->segment_get(v, HVM_CS, &cs);
	if (hvm_is_long(v) && cs.attr & HVM_SEG_L)
		return rip;
	return (uint32_t)(cs.base + (uint32_t)rip);
}

static enum insn_mode code_mode(const struct vcpu *v)
{
	struct hvm_segment cs;

	hvm_vendor->segment_get(v, HVM_CS, &cs);
	if (hvm_is_long(v) && cs.attr & HVM_SEG_L)
		return INSN_64BIT;
	return cs.attr & HVM_SEG_DB ? INSN_32BIT : INSN_16BIT;
}

/* Up to n bytes of code at a linear address: how many; those of the second page only if needed. */
static unsigned int code_read(struct vcpu *v, uint64_t linear, uint8_t *bytes, unsigned int n,
			      uint32_t *error)
{
	uint32_t access = PF_FETCH | (hvm_vendor->cpl(v) == 3 ? PF_USER : 0);
	uint64_t gpa;

	*error = 0;
	if (hvm_translate(v, linear, access, &gpa, error))
		return 0;
	return n - hvm_phys_read(v->domain, bytes, gpa, n);
}

bool hvm_insn_fetch(struct vcpu *v, struct insn *insn)
{
	uint64_t linear = hvm_rip_linear(v, guest_regs()->rip), at = linear;
	uint8_t bytes[HVM_INSN_MAX];
	unsigned int n = 0, part = MIN(sizeof(bytes), PAGE_SIZE - linear % PAGE_SIZE);
	enum insn_result result;
	uint32_t error;

	for (;;) {
		unsigned int got = code_read(v, at, bytes + n, part, &error);

		n += got;
		result = insn_decode(bytes, n, code_mode(v), insn);
		if (result != INSN_SHORT || got < part || n == sizeof(bytes))
			break;
		at += part;
		part = sizeof(bytes) - n;
	}
	if (result == INSN_OK)
		return true;
	if (result == INSN_SHORT && error)
		hvm_inject_page_fault(v, at, error);
	else
		hvm_inject_exception(v, result == INSN_SHORT ? TRAP_GP : TRAP_UD,
				     result == INSN_SHORT ? 0 : -1);
	return false;
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

/* Where the CPU did not say where the next one is, it is found: false: there is none, faulted. */
static bool next_rip_find(struct vcpu *v, uint64_t *next_rip)
{
	struct insn insn;

	if (*next_rip)
		return true;
	if (!hvm_insn_fetch(v, &insn))
		return false;
	*next_rip = guest_regs()->rip + insn.length;
	return true;
}

void hvm_exit_skip(struct vcpu *v, uint64_t next_rip)
{
	if (next_rip_find(v, &next_rip))
		hvm_rip_advance(v, next_rip);
}

/* --- one instruction each --- */

void hvm_exit_cpuid(struct vcpu *v, uint64_t next_rip)
{
	struct cpu_user_regs *regs = guest_regs();
	uint32_t r[4];

	if (!next_rip_find(v, &next_rip))
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

	if (!next_rip_find(v, &next_rip))
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

	if (!next_rip_find(v, &next_rip))
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
	if (!next_rip_find(v, &next_rip))
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

	if (!next_rip_find(v, &next_rip))
		return;
	if (hvm_vendor->cpl(v) || (uint32_t)regs->rcx || fpu_xcr0_set(&v->fpu, val))
		inject_gp(v);
	else
		hvm_rip_advance(v, next_rip);
}

void hvm_exit_hlt(struct vcpu *v, uint64_t next_rip)
{
	if (!next_rip_find(v, &next_rip))
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
