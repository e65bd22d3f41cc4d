/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of VMX, each as a function, and the world switch.  A
 * function that returns bool returns false on VMfail (Intel SDM vol. 3,
 * "VMX Instruction Reference").
 */
#include "cpu/layout.h"
#include "offsets.h"

#define VMCS_HOST_RSP  0x6c14
#define VMX_ENTER_VERW 2 /* of vmx.h, whose VMX_ENTER_LAUNCHED is bit 0 */

	/* A writable data segment, as VERW wants it (Intel, "Microarchitectural Data Sampling"). */
	.section .rodata, "a"
verw_selector:
	.word SEL_HYP_DS

	.section .text.entry, "ax"

	/* uint64_t vmcs_read(uint64_t field) */
	.globl vmcs_read
vmcs_read:
	xorl %eax, %eax
	vmread %rdi, %rax
	ret

	/* void vmcs_write(uint64_t field, uint64_t val) */
	.globl vmcs_write
vmcs_write:
	vmwrite %rsi, %rdi
	ret

	/* bool name(const paddr_t *) */
	.macro ON_REGION name, insn
	.globl \name
\name:
	\insn (%rdi)
	seta %al
	movzbl %al, %eax
	ret
	.endm
	ON_REGION vmx_on, vmxon
	ON_REGION vmcs_clear, vmclear
	ON_REGION vmcs_load, vmptrld

	/* bool name(uint64_t type, const uint64_t descriptor[2]) */
	.macro INVALIDATE name, insn
	.globl \name
\name:
	\insn (%rsi), %rdi
	seta %al
	movzbl %al, %eax
	ret
	.endm
	INVALIDATE vmx_invept, invept
	INVALIDATE vmx_invvpid, invvpid

	/* void vmx_tables_store(struct vmx_tables *) */
	.globl vmx_tables_store
vmx_tables_store:
	sgdt (%rdi)
	sidt 10(%rdi)
	ret

	/* void vmx_tables_load(const struct vmx_tables *) */
	.globl vmx_tables_load
vmx_tables_load:
	lgdt (%rdi)
	lidt 10(%rdi)
	ret

/*
 * bool vmx_enter(struct cpu_user_regs *regs, unsigned int flags)
 *
 * The CPU switches rsp, rip, rflags, control registers and segments; general
 * registers are switched here.
 *
 *      r15 r14 r13 r12 rbx rbp   the caller's
 *      regs                      <- HOST_RSP
 */
	.globl vmx_enter
	.balign 16
vmx_enter:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi

	movl $VMCS_HOST_RSP, %eax
	vmwrite %rsp, %rax
	testb $VMX_ENTER_VERW, %sil	/* ZF, which BT leaves */
	btl $0, %esi			/* CF: VMX_ENTER_LAUNCHED; nothing but VERW, of ZF, changes them */
	movq REGS_RAX(%rdi), %rax
	movq REGS_RBX(%rdi), %rbx
	movq REGS_RCX(%rdi), %rcx
	movq REGS_RDX(%rdi), %rdx
	movq REGS_RSI(%rdi), %rsi
	movq REGS_RBP(%rdi), %rbp
	movq REGS_R8(%rdi), %r8
	movq REGS_R9(%rdi), %r9
	movq REGS_R10(%rdi), %r10
	movq REGS_R11(%rdi), %r11
	movq REGS_R12(%rdi), %r12
	movq REGS_R13(%rdi), %r13
	movq REGS_R14(%rdi), %r14
	movq REGS_R15(%rdi), %r15
	movq REGS_RDI(%rdi), %rdi
	jz 1f
	verw verw_selector(%rip)
1:	jc 2f
	vmlaunch
	jmp 3f
2:	vmresume
3:	popq %rdi			/* VMfail: the registers are still the guest's */
	xorl %eax, %eax
	jmp 4f

	.globl vmx_exit_entry
vmx_exit_entry:
	pushq %rdi
	movq 8(%rsp), %rdi
	movq %rax, REGS_RAX(%rdi)
	popq %rax
	movq %rax, REGS_RDI(%rdi)
	movq %rbx, REGS_RBX(%rdi)
	movq %rcx, REGS_RCX(%rdi)
	movq %rdx, REGS_RDX(%rdi)
	movq %rsi, REGS_RSI(%rdi)
	movq %rbp, REGS_RBP(%rdi)
	movq %r8, REGS_R8(%rdi)
	movq %r9, REGS_R9(%rdi)
	movq %r10, REGS_R10(%rdi)
	movq %r11, REGS_R11(%rdi)
	movq %r12, REGS_R12(%rdi)
	movq %r13, REGS_R13(%rdi)
	movq %r14, REGS_R14(%rdi)
	movq %r15, REGS_R15(%rdi)
	popq %rdi

	/* Nothing of the guest's is left to be speculated with: registers, nor return addresses. */
	.rept 16
	call 1f
2:	pause
	lfence
	jmp 2b
1:	call 1f
2:	pause
	lfence
	jmp 2b
1:
	.endr
	addq $(32 * 8), %rsp
	movl $1, %eax
4:	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

	.section .note.GNU-stack, "", @progbits
