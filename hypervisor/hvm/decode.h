/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86 instructions from their bytes: exact length and operands, for 16-, 32-
 * and 64-bit code (AMD APM vol. 3, "Instruction Encoding" and "Opcode and
 * Operand Encodings").  Pure: knows no guest.  VEX, EVEX and XOP are unknown to it.
 */
#ifndef HVM_DECODE_H
#define HVM_DECODE_H

#include "lib/types.h"

#define HVM_INSN_MAX 15

/* The default size of code in its segment. */
enum insn_mode { INSN_16BIT = 2, INSN_32BIT = 4, INSN_64BIT = 8 };

enum insn_map { INSN_MAP_1 = 0, INSN_MAP_0F = 1, INSN_MAP_0F38 = 2, INSN_MAP_0F3A = 3 };

#define INSN_REG_NONE 0xff
#define INSN_REG_RSP  4
#define INSN_REG_RBP  5

struct insn {
	uint8_t length;
	uint8_t mode; /* enum insn_mode */
	uint8_t map;  /* enum insn_map */
	uint8_t opcode;

	/* prefixes */
	uint8_t rex;
	uint8_t repeat; /* 0, 0xf2, 0xf3: the last of them */
	bool has_66;
	bool is_locked;
	uint8_t op_size;   /* of operands that are not bytes: 2, 4, 8 */
	uint8_t addr_size; /* 2, 4, 8 */
	uint8_t segment;   /* enum hvm_segment_name of the memory operand or string source */

	/* ModRM; register numbers with their REX bits */
	bool has_modrm;
	bool is_memory; /* rm is a memory operand: */
	bool is_rip_relative;
	uint8_t reg, rm;
	uint8_t base, index, scale; /* scale: a shift; INSN_REG_NONE: without */
	int64_t disp;

	uint64_t imm;  /* sign-extended; moffs: the offset */
	uint16_t imm2; /* a far pointer's selector, ENTER's level */
};

enum insn_result {
	INSN_OK,
	INSN_SHORT,   /* goes on behind the n bytes; of 15: longer than any may be, #GP */
	INSN_UNKNOWN, /* undefined, or none of those known here */
};

must_check enum insn_result insn_decode(const uint8_t *bytes, unsigned int n, enum insn_mode mode,
					struct insn *insn);

#endif
