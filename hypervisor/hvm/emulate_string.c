/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions: one element, or, where a device model answers and the
 * other side is RAM, as many as lie in a page in one request (AMD APM vol. 3,
 * "Repeat Prefixes").  A repeated one goes on when the guest is entered again.
 */
#include "cpu/asm.h"
#include "hvm/emulate.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"

#define OP_INS	0x6c
#define OP_OUTS 0x6e
#define OP_MOVS 0xa4
#define OP_CMPS 0xa6
#define OP_STOS 0xaa
#define OP_LODS 0xac
#define OP_SCAS 0xae

struct string {
	struct vcpu *v;
	const struct insn *insn;
	struct cpu_user_regs *regs;
	unsigned int op, size;
	uint64_t count; /* elements of this pass */
	bool is_down;
	uint64_t rflags;
};

static uint64_t address_mask(const struct string *s)
{
	return emulate_mask(s->insn->addr_size);
}

/* --- a pass --- */

static uint64_t moved(const struct string *s, uint64_t offset, uint64_t count)
{
	uint64_t bytes = count * s->size;

	return offset + (s->is_down ? -bytes : bytes);
}

static void register_move(const struct string *s, uint64_t *reg)
{
	emulate_register_write(reg, moved(s, *reg, s->count), s->insn->addr_size);
}

static bool reads_source(unsigned int op)
{
	return op == OP_OUTS || op == OP_MOVS || op == OP_CMPS || op == OP_LODS;
}

/* REPE and REPNE go on while the comparison says so. */
static bool is_ended_by_flag(const struct string *s)
{
	bool is_equal = s->rflags & X86_EFLAGS_ZF;

	return (s->op == OP_CMPS || s->op == OP_SCAS) && is_equal != (s->insn->repeat == 0xf3);
}

static void pass_finish(struct string *s)
{
	struct cpu_user_regs *regs = s->regs;
	uint64_t next = regs->rip + s->insn->length;

	if (reads_source(s->op))
		register_move(s, &regs->rsi);
	if (s->op != OP_OUTS && s->op != OP_LODS)
		register_move(s, &regs->rdi);
	regs->rflags = s->rflags;
	if (s->insn->repeat) {
		emulate_register_write(&regs->rcx, regs->rcx - s->count, s->insn->addr_size);
		if (regs->rcx & address_mask(s) && !is_ended_by_flag(s))
			next = regs->rip;
	}
	if (next != regs->rip || regs->rflags & X86_EFLAGS_TF)
		hvm_rip_advance(s->v, next);
}

static enum emulate_result source_find(const struct string *s, struct emulate_place *place)
{
	return emulate_place_find(s->v, s->insn, s->insn->segment, s->regs->rsi & address_mask(s),
				  s->size, false, place);
}

static enum emulate_result destination_find(const struct string *s, bool is_write,
					    struct emulate_place *place)
{
	return emulate_place_find(s->v, s->insn, HVM_ES, s->regs->rdi & address_mask(s), s->size,
				  is_write, place);
}

/* --- many at once --- */

/* How many elements, of those wanted, lie in the page of the first, which is at that offset. */
static uint64_t in_page(const struct string *s, unsigned int segment, uint64_t offset,
			bool is_write, uint64_t wanted)
{
	uint64_t linear, n, first;
	unsigned int at;

	if (!emulate_linear(s->v, s->insn, segment, offset, s->size, is_write, &linear))
		return 1;
	at = linear % PAGE_SIZE;
	n = MIN(wanted, s->is_down ? at / s->size + 1 : (PAGE_SIZE - at) / s->size);
	first = s->is_down ? offset - (n - 1) * s->size : offset;
	/* Before the offset wraps, and the segment ends. */
	if (first > address_mask(s) || first + n * s->size - 1 > address_mask(s) ||
	    !emulate_linear(s->v, s->insn, segment, first, n * s->size, is_write, &linear))
		return 1;
	return n;
}

static uint64_t batch_size(const struct string *s)
{
	uint64_t n = s->regs->rcx & address_mask(s);

	if (!s->insn->repeat || s->regs->rflags & X86_EFLAGS_TF)
		return 1;
	if (reads_source(s->op))
		n = in_page(s, s->insn->segment, s->regs->rsi & address_mask(s), false, n);
	if (s->op != OP_OUTS)
		n = in_page(s, HVM_ES, s->regs->rdi & address_mask(s), true, n);
	return n;
}

/* Makes io, of one element, one of as many as can be asked for at once: false: that is no more. */
static bool batch_make(struct string *s, struct hvm_io *io)
{
	struct hvm_io batch = *io;

	batch.count = batch_size(s);
	batch.is_down = s->is_down;
	if (batch.count < 2 || !hvm_io_takes_batch(s->v, &batch))
		return false;
	*io = batch;
	s->count = batch.count;
	return true;
}

/* The same with its data in RAM */
static bool batch_make_memory(struct string *s, struct hvm_io *io, const struct emulate_place *ram)
{
	uint64_t data = io->data;

	if (ram->nr > 1 || ram->parts[0].is_device)
		return false;
	io->has_memory = true;
	io->data = ram->parts[0].gpa;
	if (batch_make(s, io))
		return true;
	io->has_memory = false;
	io->data = data;
	return false;
}

static enum emulate_result ask(struct string *s, struct hvm_io *io)
{
	return hvm_io_access(s->v, io) == HVM_IO_DONE ? EMULATE_OK : EMULATE_RETRY;
}

static bool is_one_device(const struct emulate_place *place)
{
	return place->nr == 1 && place->parts[0].is_device;
}

/* --- what they do --- */

static struct hvm_io access_at(const struct string *s, uint64_t addr, bool is_write)
{
	return (struct hvm_io){.addr = addr, .size = s->size, .is_write = is_write};
}

static enum emulate_result ins(struct string *s)
{
	struct hvm_io io = access_at(s, s->regs->rdx & 0xffff, false);
	struct emulate_place to;
	enum emulate_result r = destination_find(s, true, &to);

	io.is_port = true;
	if (r != EMULATE_OK)
		return r;
	if (batch_make_memory(s, &io, &to))
		return ask(s, &io);
	r = ask(s, &io);
	return r == EMULATE_OK ? emulate_place_write(s->v, &to, io.data) : r;
}

static enum emulate_result outs(struct string *s)
{
	struct hvm_io io = access_at(s, s->regs->rdx & 0xffff, true);
	struct emulate_place from;
	enum emulate_result r = source_find(s, &from);

	io.is_port = true;
	if (r == EMULATE_OK && !batch_make_memory(s, &io, &from))
		r = emulate_place_read(s->v, &from, &io.data);
	return r == EMULATE_OK ? ask(s, &io) : r;
}

static enum emulate_result movs(struct string *s)
{
	struct emulate_place from, to;
	enum emulate_result r = source_find(s, &from);
	uint64_t val = 0;

	if (r == EMULATE_OK)
		r = destination_find(s, true, &to);
	if (r != EMULATE_OK)
		return r;
	if (is_one_device(&from) != is_one_device(&to)) {
		bool is_write = is_one_device(&to);
		struct hvm_io io =
			access_at(s, is_write ? to.parts[0].gpa : from.parts[0].gpa, is_write);

		if (batch_make_memory(s, &io, is_write ? &from : &to))
			return ask(s, &io);
	}
	r = emulate_place_read(s->v, &from, &val);
	return r == EMULATE_OK ? emulate_place_write(s->v, &to, val) : r;
}

static enum emulate_result stos(struct string *s)
{
	uint64_t val = s->regs->rax & emulate_mask(s->size);
	struct emulate_place to;
	enum emulate_result r = destination_find(s, true, &to);

	if (r != EMULATE_OK)
		return r;
	if (is_one_device(&to)) {
		struct hvm_io io = access_at(s, to.parts[0].gpa, true);

		io.data = val;
		if (batch_make(s, &io))
			return ask(s, &io);
	}
	return emulate_place_write(s->v, &to, val);
}

static enum emulate_result lods(struct string *s)
{
	struct emulate_place from;
	enum emulate_result r = source_find(s, &from);
	uint64_t val;

	if (r == EMULATE_OK)
		r = emulate_place_read(s->v, &from, &val);
	if (r == EMULATE_OK)
		emulate_register_write(&s->regs->rax, val, s->size);
	return r;
}

/* SCAS too, whose first operand is RAX */
static enum emulate_result compare(struct string *s)
{
	uint64_t a = s->regs->rax, b;
	struct emulate_place from, to;
	enum emulate_result r = EMULATE_OK;

	if (s->op == OP_CMPS)
		r = source_find(s, &from);
	if (r == EMULATE_OK)
		r = destination_find(s, false, &to);
	if (r == EMULATE_OK && s->op == OP_CMPS)
		r = emulate_place_read(s->v, &from, &a);
	if (r == EMULATE_OK)
		r = emulate_place_read(s->v, &to, &b);
	if (r == EMULATE_OK)
		(void)emulate_alu(ALU_CMP, a, b, s->size, &s->rflags);
	return r;
}

typedef enum emulate_result (*element_fn)(struct string *s);

static element_fn element_of(unsigned int op)
{
	switch (op) {
	case OP_INS:
		return ins;
	case OP_OUTS:
		return outs;
	case OP_MOVS:
		return movs;
	case OP_STOS:
		return stos;
	case OP_LODS:
		return lods;
	case OP_CMPS:
	case OP_SCAS:
		return compare;
	default:
		return NULL;
	}
}

enum emulate_result emulate_string(struct vcpu *v, const struct insn *insn)
{
	const struct hvm_io_state *io = &v->hvm->io;
	struct string s = {
		.v = v,
		.insn = insn,
		.regs = guest_regs(),
		.op = insn->opcode & ~1U,
		.size = insn->opcode & 1 ? insn->op_size : 1,
		.count = 1,
		.is_down = guest_regs()->rflags & X86_EFLAGS_DF,
		.rflags = guest_regs()->rflags,
	};
	element_fn element = insn->map == INSN_MAP_1 ? element_of(s.op) : NULL;
	enum emulate_result result;

	if (!element)
		return EMULATE_UNKNOWN;
	if (s.op == OP_INS || s.op == OP_OUTS) {
		s.size = MIN(s.size, 4);
		/* Code that was changed since the CPU checked its right to the port: it looks
		 * again. */
		if (io->string_size != s.size || io->string_is_write != (s.op == OP_OUTS))
			return EMULATE_AGAIN;
	}
	if (insn->repeat && !(s.regs->rcx & address_mask(&s))) {
		s.count = 0;
		hvm_rip_advance(v, s.regs->rip + insn->length);
		return EMULATE_OK;
	}
	result = element(&s);
	if (result == EMULATE_OK)
		pass_finish(&s);
	return result;
}
