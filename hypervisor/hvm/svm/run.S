/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void svm_vmrun(struct cpu_user_regs *regs, paddr_t vmcb, paddr_t host)
 *
 * The world switch (AMD APM vol. 2, "VMRUN Instruction").  VMRUN itself
 * switches rax, rsp, rip, rflags, the control registers and ES CS SS DS; the
 * VMLOADs and VMSAVE the rest of the segments and the SYSCALL MSRs; the other
 * general registers are switched here.  GIF is clear from before the guest's
 * state is loaded until the host's is back: no interrupt or NMI comes between.
 *
 *      r15 r14 r13 r12 rbx rbp   the caller's
 *      host, regs                <- rsp while the guest runs
 */
#include "offsets.h"

	.section .text.entry, "ax"
	.globl svm_vmrun
	.balign 16
svm_vmrun:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdx
	pushq %rdi

	clgi
	sti				/* physical interrupts: exits (V_INTR_MASKING) */
	movq %rsi, %rax
	vmload %rax
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
	vmrun %rax

	vmsave %rax			/* rax and rsp are the host's again */
	movq %rdi, %rax
	popq %rdi
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
	popq %rax
	vmload %rax

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
	xorl %eax, %eax
	xorl %ecx, %ecx
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
	cli
	stgi				/* an NMI that was the exit comes here */
	ret

	.section .note.GNU-stack, "", @progbits
