/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic as the emulated instructions do it, with its flags (AMD APM vol. 1,
 * "Flags Register").  AF of a logical operation, which is undefined, is 0.
 */
#include "cpu/asm.h"
#include "hvm/emulate.h"

#define FLAGS_ARITHMETIC                                                                 \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_OF)

/* A carry out of, or borrow into, bit n is bit n of `carries`; `overflow` likewise. */
static uint64_t flags_of(uint64_t result, uint64_t carries, uint64_t overflow, unsigned int size)
{
	uint64_t sign = 1UL << (8 * size - 1), flags = 0;

	if (carries & sign)
		flags |= X86_EFLAGS_CF;
	if (!__builtin_parity(result & 0xff))
		flags |= X86_EFLAGS_PF;
	if (carries & 8)
		flags |= X86_EFLAGS_AF;
	if (!(result & emulate_mask(size)))
		flags |= X86_EFLAGS_ZF;
	if (result & sign)
		flags |= X86_EFLAGS_SF;
	if (overflow & sign)
		flags |= X86_EFLAGS_OF;
	return flags;
}

uint64_t emulate_alu(enum emulate_alu op, uint64_t a, uint64_t b, unsigned int size,
		     uint64_t *rflags)
{
	uint64_t carry = *rflags & X86_EFLAGS_CF ? 1 : 0, r, carries = 0, overflow = 0;

	switch (op) {
	case ALU_ADD:
	case ALU_ADC:
		r = a + b + (op == ALU_ADC ? carry : 0);
		carries = (a & b) | ((a | b) & ~r);
		overflow = (a ^ r) & (b ^ r);
		break;
	case ALU_OR:
		r = a | b;
		break;
	case ALU_AND:
		r = a & b;
		break;
	case ALU_XOR:
		r = a ^ b;
		break;
	default: /* ALU_SUB, ALU_SBB, ALU_CMP */
		r = a - b - (op == ALU_SBB ? carry : 0);
		carries = (~a & b) | ((~a | b) & r);
		overflow = (a ^ b) & (a ^ r);
	}
	*rflags = (*rflags & ~(uint64_t)FLAGS_ARITHMETIC) | flags_of(r, carries, overflow, size);
	return r & emulate_mask(size);
}
