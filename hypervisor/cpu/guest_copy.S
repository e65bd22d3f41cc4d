/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only instructions that touch guest memory by the guest's own linear
 * addresses.  Callers have checked that the range is not ours; a fault ends
 * the copy and what is left is returned.
 */
#include "cpu/extable.h"

	.text
/* size_t guest_copy_raw(void *dst, const void *src, size_t n): bytes not copied */
	.globl guest_copy_raw
guest_copy_raw:
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
	movl %ecx, %eax
	ret
3:	leaq (%rdx, %rcx, 8), %rax
	ret
4:	movq %rcx, %rax
	ret
	extable 1b, 3b
	extable 2b, 4b

/* size_t guest_clear_raw(void *dst, size_t n): bytes not cleared */
	.globl guest_clear_raw
guest_clear_raw:
	xorl %eax, %eax
	movq %rsi, %rcx
	shrq $3, %rcx
	andl $7, %esi
1:	rep stosq
	movl %esi, %ecx
2:	rep stosb
	movl %ecx, %eax
	ret
3:	leaq (%rsi, %rcx, 8), %rax
	ret
4:	movq %rcx, %rax
	ret
	extable 1b, 3b
	extable 2b, 4b

/* int guest_read8_raw(uint64_t *dst, const uint64_t *src): 0 or 1; the common size, one load */
	.globl guest_read8_raw
guest_read8_raw:
1:	movq (%rsi), %rax
	movq %rax, (%rdi)
	xorl %eax, %eax
	ret
2:	movl $1, %eax
	ret
	extable 1b, 2b

/* int msr_read_safe(uint32_t msr, uint64_t *val) */
	.globl msr_read_safe
msr_read_safe:
	movl %edi, %ecx
1:	rdmsr
	shlq $32, %rdx
	movl %eax, %eax
	orq %rdx, %rax
	movq %rax, (%rsi)
	xorl %eax, %eax
	ret
2:	movl $-14, %eax
	ret
	extable 1b, 2b

/* int msr_write_safe(uint32_t msr, uint64_t val) */
	.globl msr_write_safe
msr_write_safe:
	movl %edi, %ecx
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
1:	wrmsr
	xorl %eax, %eax
	ret
2:	movl $-14, %eax
	ret
	extable 1b, 2b

	.section .note.GNU-stack, "", @progbits
