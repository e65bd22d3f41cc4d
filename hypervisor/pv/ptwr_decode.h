/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions by which a guest kernel writes to a page-table entry, as
 * far as their emulation needs them: the address is known from the fault.
 */
#ifndef PV_PTWR_DECODE_H
#define PV_PTWR_DECODE_H

#include "lib/types.h"

enum pte_op {
	PTE_OP_MOV,
	PTE_OP_XCHG,
	PTE_OP_CMPXCHG,
	PTE_OP_XADD,
	PTE_OP_ADD,
	PTE_OP_OR,
	PTE_OP_AND,
	PTE_OP_SUB,
	PTE_OP_XOR,
	PTE_OP_BTS,
	PTE_OP_BTR,
	PTE_OP_BTC,
};

#define INSN_MAX 15

struct pte_insn {
	enum pte_op op;
	unsigned int size;   /* of the access: 1, 2, 4, 8 bytes */
	unsigned int length; /* of the instruction */
	int reg;	     /* the register operand, -1: none; with is_high_byte: AH.. of it */
	bool is_high_byte;
	uint64_t imm; /* the operand, sign-extended, if reg is -1 */
};

/* false: not one of these (or not wholly in the n bytes) */
must_check bool pte_insn_decode(const uint8_t *code, unsigned int n, struct pte_insn *insn);

/*
 * What the instruction makes of a memory operand holding `old`: the value to
 * store, with registers and flags in *regs changed as it does, rip not.
 * False: nothing is stored (CMPXCHG found another value).
 */
must_check bool pte_insn_execute(const struct pte_insn *insn, uint64_t old, uint64_t *new,
				 struct cpu_user_regs *regs);

/* A general register by its number in instructions. */
uint64_t *pte_insn_reg(struct cpu_user_regs *regs, unsigned int n);

#endif
