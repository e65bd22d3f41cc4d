/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator of instructions that access what is not RAM: emulate.c knows
 * instructions with one memory operand, emulate_string.c the string ones,
 * emulate_memory.c where operands are, emulate_alu.c arithmetic and flags.
 */
#ifndef HVM_EMULATE_H
#define HVM_EMULATE_H

#include "hvm/io.h"

enum emulate_result {
	EMULATE_OK,
	EMULATE_RETRY,	 /* a device model was asked: do it again when it has answered */
	EMULATE_FAULT,	 /* an exception was injected */
	EMULATE_AGAIN,	 /* it needs no emulation: the guest does it itself */
	EMULATE_UNKNOWN, /* not an instruction that is known here */
};

/*
 * Does the current vCPU's instruction, or one pass of a repeated one, and moves
 * rip.  Unless OK nothing has changed but v->hvm->io and what devices were told.
 */
must_check enum emulate_result emulate_insn(struct vcpu *v, const struct insn *insn);
must_check enum emulate_result emulate_string(struct vcpu *v, const struct insn *insn);

/* --- values --- */

/* The low `size` (1, 2, 4, 8) bytes. */
static inline uint64_t emulate_mask(unsigned int size)
{
	return ~0UL >> (64 - 8 * size);
}

static inline int64_t emulate_sign_extend(uint64_t val, unsigned int size)
{
	return (int64_t)(val << (64 - 8 * size)) >> (64 - 8 * size);
}

/* As instructions write a register: 4 bytes clear the upper half, fewer leave the rest. */
static inline void emulate_register_write(uint64_t *reg, uint64_t val, unsigned int size)
{
	uint64_t mask = emulate_mask(size);

	*reg = size == 4 ? (uint32_t)val : (*reg & ~mask) | (val & mask);
}

/* As the opcode numbers them; emulate_alu also does what CMP, TEST, INC.. are made of. */
enum emulate_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* a op b, of `size` bytes; the arithmetic flags in *rflags follow. */
uint64_t emulate_alu(enum emulate_alu op, uint64_t a, uint64_t b, unsigned int size,
		     uint64_t *rflags);

/* --- memory --- */

/*
 * The linear address of `size` bytes at an offset of a segment (enum
 * hvm_segment_name), for code of the insn's mode: false if the segment does not
 * allow the access.
 */
must_check bool emulate_linear(struct vcpu *v, const struct insn *insn, unsigned int segment,
			       uint64_t offset, unsigned int size, bool is_write, uint64_t *linear);

/* Up to 8 bytes in guest-physical memory: at most two parts, each in one page. */
struct emulate_place {
	unsigned int nr;
	struct emulate_part {
		uint64_t gpa;
		unsigned int size;
		bool is_device; /* else RAM, as far as it allows the access */
	} parts[2];
};

/* OK, or FAULT: the segment or the guest's page tables do not allow it. */
must_check enum emulate_result emulate_place_find(struct vcpu *v, const struct insn *insn,
						  unsigned int segment, uint64_t offset,
						  unsigned int size, bool is_write,
						  struct emulate_place *place);
bool emulate_place_is_ram(const struct emulate_place *place);
/* OK or RETRY.  What RAM does not give is ones, what it does not take is dropped. */
must_check enum emulate_result emulate_place_read(struct vcpu *v, const struct emulate_place *place,
						  uint64_t *val);
must_check enum emulate_result emulate_place_write(struct vcpu *v,
						   const struct emulate_place *place, uint64_t val);

#endif
