/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions with one memory operand, in a device: a table tells what each
 * reads and writes, a small function what it computes (AMD APM vol. 3).  Those
 * that compilers and firmware use on devices; nothing of x87, SSE and AVX.
 */
#include "hvm/emulate.h"

#include "cpu/asm.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"

/* The instruction at work: operands in, results out, all set in the guest at its end. */
struct emulation {
	struct vcpu *v;
	const struct insn *insn;
	unsigned int size; /* of the memory operand */
	uint64_t mem;	   /* read; to be written */
	uint64_t src;	   /* register or immediate; to be written to the register */
	uint64_t rflags;
};

/* --- what they compute --- */

typedef void (*operation_fn)(struct emulation *e);

static void op_move(struct emulation *e)
{
	e->mem = e->src;
}

static void op_load(struct emulation *e)
{
	e->src = e->mem;
}

static void op_load_signed(struct emulation *e)
{
	e->src = emulate_sign_extend(e->mem, e->size);
}

static void op_exchange(struct emulation *e)
{
	uint64_t mem = e->mem;

	e->mem = e->src;
	e->src = mem;
}

static enum emulate_alu alu_of(const struct insn *insn)
{
	return insn->opcode >= 0x80 ? insn->reg & 7 : insn->opcode >> 3 & 7;
}

static void op_alu(struct emulation *e)
{
	e->mem = emulate_alu(alu_of(e->insn), e->mem, e->src, e->size, &e->rflags);
}

/* With the register as destination */
static void op_alu_load(struct emulation *e)
{
	e->src = emulate_alu(alu_of(e->insn), e->src, e->mem, e->size, &e->rflags);
}

static void op_compare(struct emulation *e)
{
	(void)emulate_alu(ALU_CMP, e->mem, e->src, e->size, &e->rflags);
}

static void op_compare_load(struct emulation *e)
{
	(void)emulate_alu(ALU_CMP, e->src, e->mem, e->size, &e->rflags);
}

static void op_test(struct emulation *e)
{
	(void)emulate_alu(ALU_AND, e->mem, e->src, e->size, &e->rflags);
}

static void op_not(struct emulation *e)
{
	e->mem = ~e->mem;
}

static void op_negate(struct emulation *e)
{
	e->mem = emulate_alu(ALU_SUB, 0, e->mem, e->size, &e->rflags);
}

/* INC and DEC leave CF. */
static void op_step(struct emulation *e)
{
	uint64_t carry = e->rflags & X86_EFLAGS_CF;

	e->mem = emulate_alu(e->insn->reg & 1 ? ALU_SUB : ALU_ADD, e->mem, 1, e->size, &e->rflags);
	e->rflags = (e->rflags & ~X86_EFLAGS_CF) | carry;
}

static void op_exchange_add(struct emulation *e)
{
	uint64_t mem = e->mem;

	e->mem = emulate_alu(ALU_ADD, mem, e->src, e->size, &e->rflags);
	e->src = mem;
}

/* The memory is written in any case; src becomes what RAX is set to, if the comparison failed. */
static void op_compare_exchange(struct emulation *e)
{
	uint64_t mem = e->mem;

	(void)emulate_alu(ALU_CMP, guest_regs()->rax, mem, e->size, &e->rflags);
	if (e->rflags & X86_EFLAGS_ZF)
		e->mem = e->src;
	e->src = mem;
}

/* BT, BTS, BTR, BTC: bits 4..3 of the opcode, or of an immediate's ModRM, tell which. */
static void op_bit(struct emulation *e)
{
	uint64_t bit = 1UL << (e->src & (8 * e->size - 1));
	unsigned int which = e->insn->opcode == 0xba ? e->insn->reg & 3 : e->insn->opcode >> 3 & 3;

	e->rflags &= ~X86_EFLAGS_CF;
	if (e->mem & bit)
		e->rflags |= X86_EFLAGS_CF;
	if (which == 1)
		e->mem |= bit;
	else if (which == 2)
		e->mem &= ~bit;
	else if (which == 3)
		e->mem ^= bit;
}

static void op_store_msw(struct emulation *e)
{
	e->mem = e->v->hvm->cr0;
}

/* --- which there are --- */

#define READ	   1U  /* its memory operand is read */
#define WRITE	   2U  /* is written */
#define IMMEDIATE  4U  /* src is the immediate, not the register */
#define REGISTER   8U  /* src is written to the register, of the operand size */
#define BYTE_FORM  16U /* even opcodes have byte operands */
#define OFFSET	   32U /* the operand is at an immediate offset, its register RAX */
#define NARROW_1   64U /* the memory operand is a byte, a word, a double word */
#define NARROW_2   128U
#define NARROW_4   256U
#define BIT_STRING 512U	 /* src is a bit's number in a string of them */
#define RAX_RESULT 1024U /* src is written to RAX, if the comparison failed */
#define ONLY_64BIT 2048U
#define ANY_GROUP  0xff

static const struct operation {
	uint8_t map, opcode, mask; /* opcodes with the mask's bits as given */
	uint8_t groups;		   /* of ModRM.reg: a bit each */
	uint16_t flags;
	operation_fn compute;
} operations[] = {
	{INSN_MAP_1, 0x38, 0xfe, ANY_GROUP, READ | BYTE_FORM, op_compare},
	{INSN_MAP_1, 0x3a, 0xfe, ANY_GROUP, READ | BYTE_FORM, op_compare_load},
	{INSN_MAP_1, 0x00, 0xc6, ANY_GROUP, READ | WRITE | BYTE_FORM, op_alu},
	{INSN_MAP_1, 0x02, 0xc6, ANY_GROUP, READ | REGISTER | BYTE_FORM, op_alu_load},
	{INSN_MAP_1, 0x63, 0xff, ANY_GROUP, READ | REGISTER | NARROW_4 | ONLY_64BIT,
	 op_load_signed},
	{INSN_MAP_1, 0x80, 0xfc, 0x80, READ | IMMEDIATE | BYTE_FORM, op_compare},
	{INSN_MAP_1, 0x80, 0xfc, 0x7f, READ | WRITE | IMMEDIATE | BYTE_FORM, op_alu},
	{INSN_MAP_1, 0x84, 0xfe, ANY_GROUP, READ | BYTE_FORM, op_test},
	{INSN_MAP_1, 0x86, 0xfe, ANY_GROUP, READ | WRITE | REGISTER | BYTE_FORM, op_exchange},
	{INSN_MAP_1, 0x88, 0xfe, ANY_GROUP, WRITE | BYTE_FORM, op_move},
	{INSN_MAP_1, 0x8a, 0xfe, ANY_GROUP, READ | REGISTER | BYTE_FORM, op_load},
	{INSN_MAP_1, 0xa0, 0xfe, ANY_GROUP, READ | REGISTER | BYTE_FORM | OFFSET, op_load},
	{INSN_MAP_1, 0xa2, 0xfe, ANY_GROUP, WRITE | BYTE_FORM | OFFSET, op_move},
	{INSN_MAP_1, 0xc6, 0xfe, 0x01, WRITE | IMMEDIATE | BYTE_FORM, op_move},
	{INSN_MAP_1, 0xf6, 0xfe, 0x03, READ | IMMEDIATE | BYTE_FORM, op_test},
	{INSN_MAP_1, 0xf6, 0xfe, 0x04, READ | WRITE | BYTE_FORM, op_not},
	{INSN_MAP_1, 0xf6, 0xfe, 0x08, READ | WRITE | BYTE_FORM, op_negate},
	{INSN_MAP_1, 0xfe, 0xfe, 0x03, READ | WRITE | BYTE_FORM, op_step},
	{INSN_MAP_0F, 0x01, 0xff, 0x10, WRITE | NARROW_2, op_store_msw},
	{INSN_MAP_0F, 0xa3, 0xff, ANY_GROUP, READ | BIT_STRING, op_bit},
	{INSN_MAP_0F, 0xa3, 0xe7, ANY_GROUP, READ | WRITE | BIT_STRING, op_bit},
	{INSN_MAP_0F, 0xba, 0xff, 0x10, READ | IMMEDIATE, op_bit},
	{INSN_MAP_0F, 0xba, 0xff, 0xe0, READ | WRITE | IMMEDIATE, op_bit},
	{INSN_MAP_0F, 0xb0, 0xfe, ANY_GROUP, READ | WRITE | RAX_RESULT | BYTE_FORM,
	 op_compare_exchange},
	{INSN_MAP_0F, 0xb6, 0xff, ANY_GROUP, READ | REGISTER | NARROW_1, op_load},
	{INSN_MAP_0F, 0xb7, 0xff, ANY_GROUP, READ | REGISTER | NARROW_2, op_load},
	{INSN_MAP_0F, 0xbe, 0xff, ANY_GROUP, READ | REGISTER | NARROW_1, op_load_signed},
	{INSN_MAP_0F, 0xbf, 0xff, ANY_GROUP, READ | REGISTER | NARROW_2, op_load_signed},
	{INSN_MAP_0F, 0xc0, 0xfe, ANY_GROUP, READ | WRITE | REGISTER | BYTE_FORM, op_exchange_add},
	{INSN_MAP_0F, 0xc3, 0xff, ANY_GROUP, WRITE, op_move},
};

static const struct operation *operation_find(const struct insn *insn)
{
	unsigned int group = insn->has_modrm ? insn->reg & 7 : 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
		const struct operation *o = &operations[i];

		if (o->map == insn->map && (insn->opcode & o->mask) == o->opcode &&
		    o->groups >> group & 1 && (insn->is_memory || o->flags & OFFSET) &&
		    !(o->flags & ONLY_64BIT && insn->mode != INSN_64BIT))
			return o;
	}
	return NULL;
}

/* --- operands --- */

/* Byte registers 4 to 7 without a REX prefix are the second bytes of the first four. */
static bool is_high_byte(const struct insn *insn, unsigned int reg, unsigned int size)
{
	return size == 1 && !insn->rex && reg >= 4;
}

static uint64_t register_get(const struct insn *insn, unsigned int reg, unsigned int size)
{
	if (is_high_byte(insn, reg, size))
		return *hvm_gpr(reg - 4) >> 8 & 0xff;
	return *hvm_gpr(reg) & emulate_mask(size);
}

static void register_set(const struct insn *insn, unsigned int reg, uint64_t val, unsigned int size)
{
	uint64_t *gpr;

	if (is_high_byte(insn, reg, size)) {
		gpr = hvm_gpr(reg - 4);
		*gpr = (*gpr & ~0xff00UL) | (val & 0xff) << 8;
	} else {
		emulate_register_write(hvm_gpr(reg), val, size);
	}
}

static uint64_t memory_offset(const struct insn *insn, const struct operation *o, uint64_t src)
{
	uint64_t offset = insn->disp;

	if (o->flags & OFFSET)
		return insn->imm & emulate_mask(insn->addr_size);
	if (insn->base != INSN_REG_NONE)
		offset += *hvm_gpr(insn->base);
	if (insn->index != INSN_REG_NONE)
		offset += *hvm_gpr(insn->index) << insn->scale;
	if (insn->is_rip_relative)
		offset += guest_regs()->rip + insn->length;
	if (o->flags & BIT_STRING)
		offset += emulate_sign_extend(src, insn->op_size) >> 3 & -(int64_t)insn->op_size;
	return offset & emulate_mask(insn->addr_size);
}

static unsigned int memory_size(const struct insn *insn, const struct operation *o)
{
	if (o->flags & NARROW_1 || (o->flags & BYTE_FORM && !(insn->opcode & 1)))
		return 1;
	if (o->flags & NARROW_2)
		return 2;
	return o->flags & NARROW_4 ? 4 : insn->op_size;
}

static void results_set(const struct emulation *e, const struct operation *o)
{
	const struct insn *insn = e->insn;

	guest_regs()->rflags = e->rflags;
	if (o->flags & REGISTER)
		register_set(insn, o->flags & OFFSET ? 0 : insn->reg, e->src,
			     o->flags & BYTE_FORM ? e->size : insn->op_size);
	if (o->flags & RAX_RESULT && !(e->rflags & X86_EFLAGS_ZF))
		register_set(insn, 0, e->src, e->size);
	hvm_rip_advance(e->v, guest_regs()->rip + insn->length);
}

enum emulate_result emulate_insn(struct vcpu *v, const struct insn *insn)
{
	const struct operation *o = operation_find(insn);
	struct emulation e = {.v = v, .insn = insn, .rflags = guest_regs()->rflags};
	enum emulate_result result;
	struct emulate_place place;

	if (!o)
		return emulate_string(v, insn);
	e.size = memory_size(insn, o);
	e.src = o->flags & IMMEDIATE
			? insn->imm
			: register_get(insn, o->flags & OFFSET ? 0 : insn->reg, e.size);
	result = emulate_place_find(v, insn, insn->segment, memory_offset(insn, o, e.src), e.size,
				    o->flags & WRITE, &place);
	if (result != EMULATE_OK)
		return result;
	/* Another vCPU changed it into RAM: only the guest itself does it atomically. */
	if (o->flags & READ && o->flags & WRITE && emulate_place_is_ram(&place))
		return EMULATE_AGAIN;
	if (o->flags & READ)
		result = emulate_place_read(v, &place, &e.mem);
	if (result != EMULATE_OK)
		return result;
	o->compute(&e);
	if (o->flags & WRITE)
		result = emulate_place_write(v, &place, e.mem);
	if (result == EMULATE_OK)
		results_set(&e, o);
	return result;
}
