/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why the guest came out (AMD APM vol. 2, "SVM Intercept Exit Codes"), and to
 * whom that goes.  A code that is not in the table ends the domain: none is
 * asked for.
 */
#include "hvm/svm/svm.h"

#include "cpu/asm.h"
#include "cpu/trap.h"
#include "hvm/decode.h"
#include "hvm/emulate.h"
#include "hvm/io.h"
#include "lib/printk.h"

static uint64_t next_rip(const struct vcpu *v)
{
	return svm_has(SVM_FEATURE_NRIP) ? vcpu_vmcb(v)->next_rip : 0;
}

static void exit_nothing(struct vcpu *v)
{
}

static void exit_undefined(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_UD, -1);
}

static void exit_rdpmc(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_GP, 0);
}

static void exit_debug(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_DB, -1);
}

static void exit_alignment(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_AC, 0);
}

/* No way is known to go on with memory or a cache that failed. */
static void exit_machine_check(struct vcpu *v)
{
	panic("machine check while d%u ran", v->domain->id);
}

/* LMSW changes the low four bits, and cannot clear PE (AMD APM vol. 3, "LMSW"). */
static uint64_t lmsw(uint64_t cr0, uint64_t val)
{
	return (cr0 & ~0xeUL) | (val & 0xf);
}

/* Alone of all that exit for a CR, it is for any ring. */
static bool is_smsw(const struct insn *insn)
{
	return insn->map == INSN_MAP_0F && insn->opcode == 0x01 && (insn->reg & 7) == 4;
}

/* Not every CPU says which instruction it was: it is looked at. */
static void exit_cr(struct vcpu *v)
{
	uint64_t cr0 = v->hvm->cr0, next;
	struct insn insn;

	if (!hvm_insn_fetch(v, &insn))
		return;
	next = guest_regs()->rip + insn.length;
	if (is_smsw(&insn) && !insn.is_memory) {
		emulate_register_write(hvm_gpr(insn.rm), cr0, insn.op_size);
		hvm_rip_advance(v, next);
		return;
	}
	if (hvm_vendor->cpl(v) && !is_smsw(&insn))
		hvm_inject_exception(v, TRAP_GP, 0); /* changed since the CPU looked */
	else if (insn.map == INSN_MAP_0F && insn.opcode == 0x20)
		hvm_exit_cr_read(v, insn.reg, insn.rm, next);
	else if (insn.map == INSN_MAP_0F && insn.opcode == 0x22)
		hvm_exit_cr_write(v, insn.reg, insn.rm, next);
	else if (insn.map == INSN_MAP_0F && insn.opcode == 0x06) /* CLTS */
		hvm_cr_write(v, 0, cr0 & ~X86_CR0_TS, next);
	else if (insn.map == INSN_MAP_0F && insn.opcode == 0x01 && insn.reg == 6 && !insn.is_memory)
		hvm_cr_write(v, 0, lmsw(cr0, *hvm_gpr(insn.rm)), next);
	else
		hvm_emulate_current(v); /* LMSW and SMSW in memory */
}

static void exit_debug_registers(struct vcpu *v)
{
	svm_debug_registers_load(v); /* and does it again */
}

static void exit_cpuid(struct vcpu *v)
{
	hvm_exit_cpuid(v, next_rip(v));
}

static void exit_iret(struct vcpu *v)
{
	struct svm_vcpu *s = v->hvm->svm;

	s->vmcb->intercepts[3] &= ~INTERCEPT3_IRET;
	s->vmcb->clean &= ~CLEAN_INTERCEPTS;
	if (!v->hvm->is_nmi_masked)
		return; /* run.c wanted to know: the next entry looks what waits */
	if (guest_regs()->rflags & X86_EFLAGS_IF) {
		v->hvm->is_nmi_masked = false;
		return;
	}
	/* blocked until it is done: with interrupts off, as the exit at its end wants them */
	s->is_in_nmi_iret = true;
	s->nmi_iret_rip = guest_regs()->rip;
}

/* Caches are coherent with all that the guest can reach: there is nothing to write back. */
static void exit_cache(struct vcpu *v)
{
	hvm_exit_skip(v, next_rip(v));
}

static void exit_pause(struct vcpu *v)
{
	hvm_exit_skip(v, next_rip(v));
	vcpu_yield();
}

static void exit_hlt(struct vcpu *v)
{
	hvm_exit_hlt(v, next_rip(v));
}

static void exit_port(struct vcpu *v)
{
	const struct vmcb *vmcb = vcpu_vmcb(v);
	uint64_t info = vmcb->exit_info1;
	bool is_write = !(info & IOIO_IN);

	if (info & IOIO_STRING)
		hvm_port_string_exit(v, IOIO_SIZE(info), is_write);
	else
		hvm_port_exit(v, info >> 16, IOIO_SIZE(info), is_write, vmcb->exit_info2);
}

static void exit_msr(struct vcpu *v)
{
	hvm_exit_msr(v, vcpu_vmcb(v)->exit_info1 & 1, next_rip(v));
}

static void exit_shutdown(struct vcpu *v)
{
	hvm_triple_fault(v);
}

static void exit_hypercall(struct vcpu *v)
{
	hvm_exit_hypercall(v, next_rip(v));
}

static void exit_xsetbv(struct vcpu *v)
{
	hvm_exit_xsetbv(v, next_rip(v));
}

static void exit_nested_fault(struct vcpu *v)
{
	const struct vmcb *vmcb = vcpu_vmcb(v);

	hvm_exit_nested_fault(v, vmcb->exit_info2, vmcb->exit_info1 & PF_WRITE,
			      vmcb->exit_info1 & PF_FETCH);
}

static const struct {
	void (*handle)(struct vcpu *v);
	enum hvm_exit_kind kind;
} exits[SVM_EXIT_TABLE_END] = {
	[SVM_EXIT_CR_READ + 0] = {exit_cr, HVM_EXIT_CR},
	[SVM_EXIT_CR_WRITE + 0] = {exit_cr, HVM_EXIT_CR},
	[SVM_EXIT_CR_WRITE + 4] = {exit_cr, HVM_EXIT_CR},
	[SVM_EXIT_CR_WRITE + 8] = {exit_cr, HVM_EXIT_CR},
	[SVM_EXIT_CR0_SEL_WRITE] = {exit_cr, HVM_EXIT_CR},
	[SVM_EXIT_DR_READ... SVM_EXIT_DR_WRITE + 15] = {exit_debug_registers, HVM_EXIT_CR},
	[SVM_EXIT_EXCEPTION + TRAP_DB] = {exit_debug, HVM_EXIT_EXCEPTION},
	[SVM_EXIT_EXCEPTION + TRAP_AC] = {exit_alignment, HVM_EXIT_EXCEPTION},
	[SVM_EXIT_EXCEPTION + TRAP_MC] = {exit_machine_check, HVM_EXIT_EXCEPTION},
	[SVM_EXIT_INTR] = {exit_nothing, HVM_EXIT_INTERRUPT}, /* it came when they were on again */
	[SVM_EXIT_NMI] = {exit_nothing, HVM_EXIT_INTERRUPT},
	[SVM_EXIT_SMI] = {exit_nothing, HVM_EXIT_INTERRUPT},
	[SVM_EXIT_INIT] = {exit_nothing, HVM_EXIT_INTERRUPT},
	[SVM_EXIT_VINTR] = {exit_nothing, HVM_EXIT_WINDOW}, /* the next entry injects it */
	[SVM_EXIT_RDPMC] = {exit_rdpmc, HVM_EXIT_OTHER},
	[SVM_EXIT_CPUID] = {exit_cpuid, HVM_EXIT_CPUID},
	[SVM_EXIT_IRET] = {exit_iret, HVM_EXIT_WINDOW},
	[SVM_EXIT_INVD] = {exit_cache, HVM_EXIT_OTHER},
	[SVM_EXIT_PAUSE] = {exit_pause, HVM_EXIT_HLT},
	[SVM_EXIT_HLT] = {exit_hlt, HVM_EXIT_HLT},
	[SVM_EXIT_INVLPGA] = {exit_undefined, HVM_EXIT_OTHER},
	[SVM_EXIT_IOIO] = {exit_port, HVM_EXIT_PORT},
	[SVM_EXIT_MSR] = {exit_msr, HVM_EXIT_MSR},
	[SVM_EXIT_SHUTDOWN] = {exit_shutdown, HVM_EXIT_OTHER},
	[SVM_EXIT_VMRUN] = {exit_undefined, HVM_EXIT_OTHER},
	[SVM_EXIT_VMMCALL] = {exit_hypercall, HVM_EXIT_HYPERCALL},
	[SVM_EXIT_VMLOAD... SVM_EXIT_SKINIT] = {exit_undefined, HVM_EXIT_OTHER},
	[SVM_EXIT_WBINVD] = {exit_cache, HVM_EXIT_OTHER},
	[SVM_EXIT_MONITOR... SVM_EXIT_MWAIT_ARMED] = {exit_undefined, HVM_EXIT_OTHER},
	[SVM_EXIT_XSETBV] = {exit_xsetbv, HVM_EXIT_CR},
};

void svm_exit_handle(struct vcpu *v)
{
	uint64_t code = vcpu_vmcb(v)->exit_code;

	if (code < ARRAY_SIZE(exits) && exits[code].handle) {
		v->hvm->exits[exits[code].kind]++;
		exits[code].handle(v);
	} else if (code == SVM_EXIT_NPF) {
		exit_nested_fault(v); /* counts itself: it may be RAM, or a device */
	} else {
		v->hvm->exits[HVM_EXIT_OTHER]++;
		hvm_exit_unexpected(v, "SVM exit", code);
	}
}
