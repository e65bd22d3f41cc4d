/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small exact decoder and executor of the memory-writing instructions that
 * compilers and kernels use on single words (Intel SDM volume 2, "Instruction
 * Format" and the opcode map).  64-bit mode only; pure functions.
 */
#include "pv/ptwr_decode.h"

#define FLAG_CF	    0x001UL
#define FLAG_PF	    0x004UL
#define FLAG_AF	    0x010UL
#define FLAG_ZF	    0x040UL
#define FLAG_SF	    0x080UL
#define FLAG_OF	    0x800UL
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define REX_W	    8
#define REX_R	    4

/* --- reading the instruction --- */

struct reader {
	const uint8_t *code;
	unsigned int n, at;
	bool overrun;
};

static uint8_t next_byte(struct reader *r)
{
	if (r->at >= r->n || r->at >= INSN_MAX) {
		r->overrun = true;
		return 0;
	}
	return r->code[r->at++];
}

/* A little-endian immediate of 1, 2 or 4 bytes, sign-extended. */
static uint64_t next_imm(struct reader *r, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)next_byte(r) << (8 * i);
	if (bytes == 1)
		return (int8_t)value;
	return bytes == 2 ? (uint64_t)(int16_t)value : (uint64_t)(int32_t)value;
}

struct prefixes {
	bool is_16bit;
	uint8_t rex; /* 0: none */
};

/* Legacy prefixes in any order, then at most one REX; the opcode's first byte. */
static uint8_t read_prefixes(struct reader *r, struct prefixes *p)
{
	for (;;) {
		uint8_t b = next_byte(r);

		switch (b) {
		case 0x66:
			p->is_16bit = true;
			break;
		case 0xf0: /* LOCK: the store below is one atomic exchange anyway */
		case 0x67: /* the address is known */
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65: /* segments */
			break;
		default:
			if ((b & 0xf0) != 0x40)
				return b;
			p->rex = b;
			return next_byte(r);
		}
		if (r->overrun)
			return 0;
	}
}

/* Skips the memory operand's bytes; false for a register operand.  *reg: the middle field. */
static bool read_modrm(struct reader *r, unsigned int *reg)
{
	uint8_t modrm = next_byte(r);
	unsigned int mod = modrm >> 6, rm = modrm & 7;
	unsigned int disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	*reg = modrm >> 3 & 7;
	if (mod == 3)
		return false;
	if (rm == 4) {
		uint8_t sib = next_byte(r);

		if (mod == 0 && (sib & 7) == 5)
			disp = 4;
	} else if (mod == 0 && rm == 5) {
		disp = 4; /* relative to rip */
	}
	while (disp--)
		(void)next_byte(r);
	return true;
}

/* --- opcodes --- */

enum source { SRC_REG, SRC_IMM, SRC_IMM8 };

struct opcode {
	enum pte_op op;
	enum source source;
	bool is_byte;
	bool is_group; /* the middle field of ModRM chooses the operation */
};

static bool arith_op(unsigned int number, enum pte_op *op)
{
	static const int8_t ops[8] = {
		PTE_OP_ADD, PTE_OP_OR, -1, -1, PTE_OP_AND, PTE_OP_SUB, PTE_OP_XOR, -1,
	};

	if (ops[number] < 0)
		return false;
	*op = (enum pte_op)ops[number];
	return true;
}

static bool opcode_one_byte(uint8_t b, struct opcode *o)
{
	o->is_byte = !(b & 1);
	switch (b) {
	case 0x00:
	case 0x01:
	case 0x08:
	case 0x09:
	case 0x20:
	case 0x21:
	case 0x28:
	case 0x29:
	case 0x30:
	case 0x31:
		return arith_op(b >> 3, &o->op);
	case 0x80:
	case 0x81:
	case 0x83:
		o->is_group = true;
		o->source = b == 0x81 ? SRC_IMM : SRC_IMM8;
		return true;
	case 0x86:
	case 0x87:
		o->op = PTE_OP_XCHG;
		return true;
	case 0x88:
	case 0x89:
		return true;
	case 0xc6:
	case 0xc7:
		o->source = b == 0xc7 ? SRC_IMM : SRC_IMM8;
		return true;
	default:
		return false;
	}
}

static bool opcode_two_byte(uint8_t b, struct opcode *o)
{
	switch (b) {
	case 0xab:
		o->op = PTE_OP_BTS;
		return true;
	case 0xb3:
		o->op = PTE_OP_BTR;
		return true;
	case 0xbb:
		o->op = PTE_OP_BTC;
		return true;
	case 0xba:
		o->is_group = true;
		o->source = SRC_IMM8;
		return true;
	case 0xb0:
	case 0xb1:
		o->op = PTE_OP_CMPXCHG;
		o->is_byte = b == 0xb0;
		return true;
	case 0xc0:
	case 0xc1:
		o->op = PTE_OP_XADD;
		o->is_byte = b == 0xc0;
		return true;
	case 0xc3: /* MOVNTI */
		return true;
	default:
		return false;
	}
}

/* The operation of 80..83 /n, C6 and C7 /0, and 0F BA /n. */
static bool opcode_group(struct opcode *o, bool is_two_byte, unsigned int n)
{
	if (!is_two_byte)
		return arith_op(n, &o->op);
	if (n < 5)
		return false; /* /4 is BT, which writes nothing */
	o->op = n == 5 ? PTE_OP_BTS : n == 6 ? PTE_OP_BTR : PTE_OP_BTC;
	return true;
}

bool pte_insn_decode(const uint8_t *code, unsigned int n, struct pte_insn *insn)
{
	struct reader r = {.code = code, .n = n};
	struct prefixes p = {0};
	struct opcode o = {.op = PTE_OP_MOV, .source = SRC_REG};
	uint8_t b = read_prefixes(&r, &p);
	bool is_two_byte = b == 0x0f;
	unsigned int reg;

	if (is_two_byte ? !opcode_two_byte(next_byte(&r), &o) : !opcode_one_byte(b, &o))
		return false;
	if (!read_modrm(&r, &reg))
		return false;
	if (o.is_group && !opcode_group(&o, is_two_byte, reg))
		return false;
	if (!o.is_group && o.source != SRC_REG && reg)
		return false; /* C6 and C7 are /0 only */
	if (o.is_byte)
		insn->size = 1;
	else
		insn->size = p.rex & REX_W ? 8 : p.is_16bit ? 2 : 4;

	insn->op = o.op;
	insn->reg = -1;
	insn->is_high_byte = false;
	insn->imm = 0;
	if (o.source != SRC_REG) {
		insn->imm = next_imm(&r, o.source == SRC_IMM8 ? 1 : MIN(insn->size, 4));
	} else {
		insn->reg = reg | (p.rex & REX_R ? 8 : 0);
		/* without REX, byte registers 4..7 are AH, CH, DH, BH */
		if (o.is_byte && !p.rex && reg >= 4) {
			insn->reg = reg - 4;
			insn->is_high_byte = true;
		}
	}
	insn->length = r.at;
	return !r.overrun;
}

/* --- execution --- */

uint64_t *pte_insn_reg(struct cpu_user_regs *regs, unsigned int n)
{
#define REG(name) offsetof(struct cpu_user_regs, name)
	static const uint8_t offsets[16] = {
		REG(rax), REG(rcx), REG(rdx), REG(rbx), REG(rsp), REG(rbp), REG(rsi), REG(rdi),
		REG(r8),  REG(r9),  REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15),
	};
#undef REG

	return (uint64_t *)((char *)regs + offsets[n]);
}

static uint64_t size_mask(unsigned int size)
{
	return size == 8 ? ~0UL : (1UL << (8 * size)) - 1;
}

/* A 32-bit write clears the upper half, smaller ones leave the rest. */
static void reg_write(uint64_t *reg, unsigned int size, bool is_high_byte, uint64_t value)
{
	uint64_t mask = size_mask(size);

	if (is_high_byte)
		*reg = (*reg & ~0xff00UL) | (value & 0xff) << 8;
	else if (size == 4)
		*reg = value & mask;
	else
		*reg = (*reg & ~mask) | (value & mask);
}

static uint64_t operand(const struct pte_insn *insn, struct cpu_user_regs *regs)
{
	uint64_t value = insn->imm;

	if (insn->reg >= 0)
		value = *pte_insn_reg(regs, insn->reg) >> (insn->is_high_byte ? 8 : 0);
	return value & size_mask(insn->size);
}

static uint64_t result_flags(uint64_t result, unsigned int size)
{
	return (result ? 0 : FLAG_ZF) | (result >> (8 * size - 1) & 1 ? FLAG_SF : 0) |
	       (__builtin_parity(result & 0xff) ? 0 : FLAG_PF);
}

static void flags_set(struct cpu_user_regs *regs, uint64_t flags)
{
	regs->rflags = (regs->rflags & ~FLAGS_ARITH) | flags;
}

static uint64_t add(uint64_t a, uint64_t b, unsigned int size, struct cpu_user_regs *regs)
{
	uint64_t sum = (a + b) & size_mask(size), sign = 1UL << (8 * size - 1);

	flags_set(regs, result_flags(sum, size) | (sum < a ? FLAG_CF : 0) |
				((a ^ b ^ sum) & FLAG_AF) |
				((a ^ sum) & (b ^ sum) & sign ? FLAG_OF : 0));
	return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, unsigned int size, struct cpu_user_regs *regs)
{
	uint64_t difference = (a - b) & size_mask(size), sign = 1UL << (8 * size - 1);

	flags_set(regs, result_flags(difference, size) | (a < b ? FLAG_CF : 0) |
				((a ^ b ^ difference) & FLAG_AF) |
				((a ^ b) & (a ^ difference) & sign ? FLAG_OF : 0));
	return difference;
}

static uint64_t logic(uint64_t result, unsigned int size, struct cpu_user_regs *regs)
{
	flags_set(regs, result_flags(result, size));
	return result;
}

/* BTS, BTR, BTC change nothing but CF. */
static uint64_t bit_op(enum pte_op op, uint64_t old, uint64_t src, unsigned int size,
		       struct cpu_user_regs *regs)
{
	uint64_t bit = 1UL << (src & (8 * size - 1));

	regs->rflags = (regs->rflags & ~FLAG_CF) | (old & bit ? FLAG_CF : 0);
	if (op == PTE_OP_BTS)
		return old | bit;
	return op == PTE_OP_BTR ? old & ~bit : old ^ bit;
}

bool pte_insn_execute(const struct pte_insn *insn, uint64_t old, uint64_t *new,
		      struct cpu_user_regs *regs)
{
	unsigned int size = insn->size;
	uint64_t src = operand(insn, regs);

	switch (insn->op) {
	case PTE_OP_MOV:
		*new = src;
		return true;
	case PTE_OP_XCHG:
		*new = src;
		reg_write(pte_insn_reg(regs, insn->reg), size, insn->is_high_byte, old);
		return true;
	case PTE_OP_CMPXCHG:
		*new = src;
		if (!subtract(regs->rax & size_mask(size), old, size, regs))
			return true;
		reg_write(&regs->rax, size, false, old);
		return false;
	case PTE_OP_XADD:
		*new = add(old, src, size, regs);
		reg_write(pte_insn_reg(regs, insn->reg), size, insn->is_high_byte, old);
		return true;
	case PTE_OP_ADD:
		*new = add(old, src, size, regs);
		return true;
	case PTE_OP_SUB:
		*new = subtract(old, src, size, regs);
		return true;
	case PTE_OP_OR:
		*new = logic(old | src, size, regs);
		return true;
	case PTE_OP_AND:
		*new = logic(old & src, size, regs);
		return true;
	case PTE_OP_XOR:
		*new = logic(old ^ src, size, regs);
		return true;
	default:
		*new = bit_op(insn->op, old, src, size, regs);
		return true;
	}
}
