/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding and doing the few privileged instructions a PV kernel still
 * executes: port I/O (also from user mode, with IOPL), control and debug
 * registers, MSRs, CPUID by the forced-emulation prefix, and those that are
 * no-ops for it.
 */
#include "pv/emulate.h"

#include "cpu/asm.h"
#include "cpu/trap.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "pv/debugreg.h"

#define INSN_MAX 15

struct insn {
	uint8_t bytes[INSN_MAX];
	unsigned int len; /* bytes that could be read */
	unsigned int at;  /* decoded so far */
	uint8_t rex;
	bool opsize16, rep;
	unsigned int addr_size;
};

static int insn_fetch(struct insn *in, uint64_t rip)
{
	in->len = INSN_MAX - guest_copy_from(in->bytes, (const void *)rip, INSN_MAX);
	return in->len ? 0 : -EFAULT;
}

static bool insn_byte(struct insn *in, uint8_t *b)
{
	if (in->at >= in->len)
		return false;
	*b = in->bytes[in->at++];
	return true;
}

/* Legacy prefixes and REX; then the first opcode byte. */
static bool insn_opcode(struct insn *in, uint8_t *op)
{
	while (insn_byte(in, op)) {
		switch (*op) {
		case 0x66:
			in->opsize16 = true;
			break;
		case 0x67:
			in->addr_size = 4;
			break;
		case 0xf2:
		case 0xf3:
			in->rep = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			break;
		case 0x40 ... 0x4f:
			in->rex = *op;
			return insn_byte(in, op);
		default:
			return true;
		}
	}
	return false;
}

/* A general register by its number in an instruction. */
static uint64_t *gpr(struct cpu_user_regs *r, unsigned int n)
{
	switch (n & 15) {
	case 0:
		return &r->rax;
	case 1:
		return &r->rcx;
	case 2:
		return &r->rdx;
	case 3:
		return &r->rbx;
	case 4:
		return &r->rsp;
	case 5:
		return &r->rbp;
	case 6:
		return &r->rsi;
	case 7:
		return &r->rdi;
	case 8:
		return &r->r8;
	case 9:
		return &r->r9;
	case 10:
		return &r->r10;
	case 11:
		return &r->r11;
	case 12:
		return &r->r12;
	case 13:
		return &r->r13;
	case 14:
		return &r->r14;
	default:
		return &r->r15;
	}
}

static void insn_done(struct insn *in, struct cpu_user_regs *regs)
{
	regs->rip += in->at;
	regs->rflags &= ~X86_EFLAGS_RF;
}

static unsigned int port_op_size(const struct insn *in, uint8_t op)
{
	return !(op & 1) ? 1 : in->opsize16 ? 2 : 4;
}

static void port_in_to_rax(struct vcpu *v, struct cpu_user_regs *regs, uint16_t port,
			   unsigned int size)
{
	uint32_t val = pv_port_in(v, port, size);

	if (size == 1)
		regs->al = val;
	else if (size == 2)
		regs->ax = val;
	else
		regs->rax = val;
}

/* INS and OUTS: one element at a time; a fault in the middle leaves rcx, rsi, rdi true. */
#define STRING_BATCH 256
static bool emulate_string(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs, uint8_t op)
{
	unsigned int size = port_op_size(in, op), n = 0;
	bool out = op >= 0x6e;
	int64_t step = regs->rflags & X86_EFLAGS_DF ? -(int64_t)size : size;
	uint16_t port = regs->dx;

	if (in->addr_size == 4 || !pv_port_allowed(v, port, size))
		return false;
	while (!in->rep || regs->rcx) {
		uint64_t *ptr = out ? &regs->rsi : &regs->rdi;
		uint32_t val = 0;

		if (out) {
			if (guest_copy_from(&val, (void *)*ptr, size)) {
				pv_inject_page_fault(v, *ptr, 0);
				return true;
			}
			pv_port_out(v, port, size, val);
		} else {
			val = pv_port_in(v, port, size);
			if (guest_copy_to((void *)*ptr, &val, size)) {
				pv_inject_page_fault(v, *ptr, PF_WRITE);
				return true;
			}
		}
		*ptr += step;
		if (!in->rep)
			break;
		regs->rcx--;
		if (++n == STRING_BATCH && regs->rcx)
			return true; /* the guest executes the rest anew: preemptible */
	}
	insn_done(in, regs);
	return true;
}

static bool emulate_port(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs, uint8_t op)
{
	unsigned int size = port_op_size(in, op);
	uint16_t port = regs->dx;
	uint8_t imm;

	if (!(op & 8)) { /* E4-E7: immediate port */
		if (!insn_byte(in, &imm))
			return false;
		port = imm;
	}
	if (!pv_port_allowed(v, port, size))
		return false;
	if (op & 2)
		pv_port_out(v, port, size,
			    size == 1 ? regs->al : size == 2 ? regs->ax : (uint32_t)regs->rax);
	else
		port_in_to_rax(v, regs, port, size);
	insn_done(in, regs);
	return true;
}

static uint64_t guest_cr0(const struct vcpu *v)
{
	return (cr0_read() & ~X86_CR0_TS) | v->pv.cr0_ts;
}

static bool cr_read(struct vcpu *v, unsigned int n, uint64_t *val)
{
	switch (n) {
	case 0:
		*val = guest_cr0(v);
		return true;
	case 2:
		*val = v->info->arch.cr2;
		return true;
	case 3:
		*val = mfn_to_paddr(page_to_mfn(v->pv.kernel_l4));
		return true;
	case 4:
		*val = v->pv.cr4;
		return true;
	default:
		return false;
	}
}

/* CR4 bits the guest may turn on and off for itself; the others it sees as they are. */
#define CR4_GUEST (X86_CR4_TSD | X86_CR4_DE | X86_CR4_OSXSAVE | X86_CR4_FSGSBASE)

static bool cr_write(struct vcpu *v, unsigned int n, uint64_t val)
{
	switch (n) {
	case 0:
		if ((val ^ guest_cr0(v)) & ~X86_CR0_TS)
			return false;
		v->pv.cr0_ts = val & X86_CR0_TS;
		cr0_write((cr0_read() & ~X86_CR0_TS) | v->pv.cr0_ts);
		return true;
	case 2:
		v->info->arch.cr2 = val;
		return true;
	case 3:
		return !pv_set_kernel_l4(v, paddr_to_mfn(val));
	case 4:
		v->pv.cr4 = (v->pv.cr4 & ~CR4_GUEST) | (val & CR4_GUEST);
		cr4_write((cr4_read() & ~X86_CR4_TSD) | (v->pv.cr4 & X86_CR4_TSD));
		return true;
	default:
		return false;
	}
}

/* 0F 20-23: MOV between a general and a control or debug register. */
static bool emulate_mov_special(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs,
				uint8_t op)
{
	unsigned int special;
	uint64_t *reg;
	uint8_t modrm;
	uint64_t dr[1];

	if (!insn_byte(in, &modrm))
		return false;
	special = (modrm >> 3 & 7) | (in->rex & 4) << 1;
	reg = gpr(regs, (modrm & 7) | (in->rex & 1) << 3);
	switch (op) {
	case 0x20:
		if (!cr_read(v, special, reg))
			return false;
		break;
	case 0x21:
		if (special > 7)
			return false;
		dr[0] = special;
		*reg = hypercall_get_debugreg(dr);
		break;
	case 0x22:
		if (!cr_write(v, special, *reg))
			return false;
		break;
	default:
		if (special > 7 || pv_debugreg_set(v, special, *reg))
			return false;
	}
	insn_done(in, regs);
	return true;
}

static bool emulate_msr(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs, bool write)
{
	uint64_t val = regs->eax | (uint64_t)regs->edx << 32;

	if (write) {
		if (pv_msr_write(v, regs->ecx, val))
			return false;
	} else {
		if (pv_msr_read(v, regs->ecx, &val))
			return false;
		regs->rax = (uint32_t)val;
		regs->rdx = val >> 32;
	}
	insn_done(in, regs);
	return true;
}

/* 0F 01 D1: XSETBV */
static bool emulate_xsetbv(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs)
{
	if (regs->ecx || fpu_xcr0_set(&v->fpu, regs->eax | (uint64_t)regs->edx << 32))
		return false;
	insn_done(in, regs);
	return true;
}

static bool emulate_two_byte(struct vcpu *v, struct insn *in, struct cpu_user_regs *regs)
{
	uint8_t op, modrm;

	if (!insn_byte(in, &op))
		return false;
	switch (op) {
	case 0x01:
		return insn_byte(in, &modrm) && modrm == 0xd1 && emulate_xsetbv(v, in, regs);
	case 0x06: /* CLTS */
		v->pv.cr0_ts = 0;
		cr0_write(cr0_read() & ~X86_CR0_TS);
		insn_done(in, regs);
		return true;
	case 0x08: /* INVD */
	case 0x09: /* WBINVD */
		if (v->domain->is_privileged)
			__asm__ volatile("wbinvd" ::: "memory");
		insn_done(in, regs);
		return true;
	case 0x20 ... 0x23:
		return emulate_mov_special(v, in, regs, op);
	case 0x30:
	case 0x32:
		return emulate_msr(v, in, regs, op == 0x30);
	default:
		return false;
	}
}

bool pv_emulate_privileged(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct insn in = {.addr_size = 8};
	uint8_t op;

	/* a fault about a selector is the guest's own affair */
	if (regs->error_code || insn_fetch(&in, regs->rip) || !insn_opcode(&in, &op))
		return false;
	switch (op) {
	case 0x6c ... 0x6f:
		return emulate_string(v, &in, regs, op);
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		return emulate_port(v, &in, regs, op);
	case 0xf4: /* HLT */
		if (!v->pv.in_kernel)
			return false;
		insn_done(&in, regs);
		vcpu_block();
		return true;
	case 0xfa: /* CLI and STI: the upcall mask is what counts for a PV kernel */
	case 0xfb:
		if (v->pv.iopl < (v->pv.in_kernel ? 1 : 3))
			return false;
		insn_done(&in, regs);
		return true;
	case 0x0f:
		return v->pv.in_kernel && emulate_two_byte(v, &in, regs);
	default:
		return false;
	}
}

bool pv_emulate_forced(struct vcpu *v, struct cpu_user_regs *regs)
{
	/* XEN_EMULATE_PREFIX of xen.h: UD2, "xen"; then CPUID */
	static const uint8_t sequence[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
	uint8_t bytes[sizeof(sequence)];
	uint32_t r[4];

	if (guest_copy_from(bytes, (const void *)regs->rip, sizeof(bytes)))
		return false;
	for (unsigned int i = 0; i < sizeof(sequence); i++)
		if (bytes[i] != sequence[i])
			return false;
	pv_cpuid(v, regs->eax, regs->ecx, r);
	regs->rax = r[0];
	regs->rbx = r[1];
	regs->rcx = r[2];
	regs->rdx = r[3];
	regs->rip += sizeof(sequence);
	regs->rflags &= ~X86_EFLAGS_RF;
	return true;
}
