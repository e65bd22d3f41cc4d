/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way into the hypervisor from a guest or an interrupted hypervisor, and
 * the one way back to a PV guest.  Each entry builds a struct cpu_user_regs;
 * from a guest it lies in cpu_info()->guest_regs, else further down the stack:
 *
 *      ss rsp rflags cs rip     pushed by the CPU (or the SYSCALL stub)
 *      vector:error_code        8 bytes
 *      rdi rsi rdx rcx rax r8 r9 r10 r11 rbx rbp r12 r13 r14 r15
 *                               <- rsp, the pointer handed to C
 */
#include "cpu/extable.h"
#include "cpu/layout.h"
#include "offsets.h"

	.macro SAVE_GPRS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro RESTORE_GPRS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	.endm

	/*
	 * A guest in ring 3 may have set RFLAGS.AC, which turns SMAP off: an entry
	 * from it turns SMAP on again.  Three bytes of NOP, made CLAC at boot where
	 * there is SMAP (features.c).
	 */
	.macro SMAP_ON
661:	nopl (%rax)
	.pushsection .smap_sites, "aw"
	.quad 661b
	.popsection
	.endm

	/* \reg: this CPU's struct cpu_info, from any of its stacks */
	.macro CPU_INFO reg
	movq $-CPU_STACK_SIZE, \reg
	andq %rsp, \reg
	addq $(CPU_STACK_SIZE - CPUINFO_SIZE), \reg
	.endm

/*
 * The SYSCALL stub: mapped at CPUAREA_STUB of every CPU's area, so that its
 * ip-relative references reach that CPU's own stack, the only thing known
 * then.  In: rcx = rip, r11 = rflags, all else the guest's, rsp too.
 */
#define STUB_REGS(field) (CPUAREA_STACK + CPU_STACK_SIZE - CPUINFO_SIZE + (field) - CPUAREA_STUB)

	.section .text.stub, "ax"
	.balign 4096
	.globl syscall_stub
syscall_stub:
	movq %rsp, (STUB_REGS(REGS_RSP) - 7)(%rip)
	leaq (STUB_REGS(REGS_RSP) - 14)(%rip), %rsp
	pushq %r11			/* rflags */
	pushq $SEL_RING3_CS64
	pushq %rcx			/* rip */
	movabs $syscall_entry, %rcx
	jmp *%rcx
	.globl syscall32_stub
	.balign 64
syscall32_stub:
	movq %rsp, (STUB_REGS(REGS_RSP) - 64 - 7)(%rip)
	leaq (STUB_REGS(REGS_RSP) - 64 - 14)(%rip), %rsp
	pushq %r11
	pushq $SEL_RING3_CS32
	pushq %rcx
	movabs $syscall32_entry, %rcx
	jmp *%rcx

	.section .text.entry, "ax"
syscall_entry:
	movq 0(%rsp), %rcx		/* rip again */
	movq $SEL_RING3_SS, 32(%rsp)
	pushq $0
	movl $VECTOR_SYSCALL, 4(%rsp)
	SAVE_GPRS
	xorl %ebp, %ebp
	CPU_INFO %rbx
	movq CPUINFO_CURRENT(%rbx), %rdi
	sti
	movq %rsp, %rsi
	movb $1, CPUINFO_USE_SYSRET(%rbx)
	cmpb $0, VCPU_IN_KERNEL(%rdi)
	je 1f
	movq %rsp, %rdi
	call hypercall_dispatch
	jmp ret_to_guest
1:	call pv_syscall			/* (current, regs) */
	jmp ret_to_guest

syscall32_entry:
	movq 0(%rsp), %rcx
	movq $SEL_RING3_SS, 32(%rsp)
	pushq $0
	movl $VECTOR_SYSCALL, 4(%rsp)
	SAVE_GPRS
	xorl %ebp, %ebp
	CPU_INFO %rbx
	movq CPUINFO_CURRENT(%rbx), %rdi
	movb $0, CPUINFO_USE_SYSRET(%rbx)
	sti
	movq %rsp, %rsi
	call pv_syscall32
	jmp ret_to_guest

/*
 * Exceptions.  void trap_handle(struct cpu_user_regs *): returns the frame to
 * go on with, which is the guest's or the interrupted code's.
 */
	.macro TRAP vector, has_error, target=trap_common
	.globl trap_\vector
	.balign 16
trap_\vector:
	.if !\has_error
	pushq $0
	.endif
	movl $\vector, 4(%rsp)
	jmp \target
	.endm

	TRAP 0, 0
	TRAP 1, 0, trap_ist
	TRAP 2, 0, trap_ist
	TRAP 3, 0
	TRAP 4, 0
	TRAP 5, 0
	TRAP 6, 0
	TRAP 7, 0
	TRAP 8, 1, trap_ist
	TRAP 10, 1
	TRAP 11, 1
	TRAP 12, 1
	TRAP 13, 1
	TRAP 14, 1
	TRAP 16, 0
	TRAP 17, 1
	TRAP 18, 0, trap_ist
	TRAP 19, 0
	TRAP 20, 0
	TRAP 21, 1

trap_common:
	cld
	SMAP_ON
	SAVE_GPRS
	xorl %ebp, %ebp
	CPU_INFO %rbx
	movb $0, CPUINFO_USE_SYSRET(%rbx)
	testb $3, REGS_CS(%rsp)
	jz 1f
	sti
	movq %rsp, %rdi
	call trap_from_guest
	jmp ret_to_guest
1:	/* our own code faulted */
	leaq REGS_RIP - 8(%rsp), %rbp
	movq %rsp, %rdi
	call trap_from_hypervisor	/* returns the frame to go on with */
	testq %rax, %rax
	jz 2f
	movq %rax, %rsp			/* a guest's return failed: its frame, repaired */
	jmp ret_to_guest
2:	RESTORE_GPRS
	addq $8, %rsp
	iretq

/*
 * On a stack of its own (IST): may have interrupted anything.  From a guest,
 * the frame is moved to where any other entry has it.
 */
trap_ist:
	cld
	SMAP_ON
	SAVE_GPRS
	xorl %ebp, %ebp
	testb $3, REGS_CS(%rsp)
	jz 1f
	CPU_INFO %rdi
	movb $0, CPUINFO_USE_SYSRET(%rdi)
	movq %rsp, %rsi
	movl $(REGS_ES / 8), %ecx
	movq %rdi, %rax
	rep movsq
	movq %rax, %rsp
	sti
	movq %rsp, %rdi
	call trap_from_guest
	jmp ret_to_guest
1:	movq %rsp, %rdi
	call trap_from_hypervisor_ist
	RESTORE_GPRS
	addq $8, %rsp
	iretq

/* Interrupts: one small entry per vector, 16 bytes apart. */
	.globl interrupt_entries
	.balign 16
interrupt_entries:
	vector = 0x20
	.rept 256 - 0x20
	.balign 16
	pushq $0
	movl $vector, 4(%rsp)
	jmp interrupt_common
	vector = vector + 1
	.endr

interrupt_common:
	cld
	SMAP_ON
	SAVE_GPRS
	xorl %ebp, %ebp
	testb $3, REGS_CS(%rsp)
	jz 1f
	CPU_INFO %rbx
	movb $0, CPUINFO_USE_SYSRET(%rbx)
	movq %rsp, %rdi
	call interrupt_handle
	jmp ret_to_guest
1:	leaq REGS_RIP - 8(%rsp), %rbp
	movq %rsp, %rdi
	call interrupt_handle
	RESTORE_GPRS
	addq $8, %rsp
	iretq

/*
 * Back to the guest `current`, registers in guest_regs.  return_prepare()
 * runs what is pending and returns with interrupts off when there is no more.
 */
	.globl ret_to_guest
ret_to_guest:
	CPU_INFO %rbx
	movq %rbx, %rsp
	xorl %ebp, %ebp
	cli
	movq CPUINFO_PERCPU(%rbx), %rax
	leaq percpu_softirq_pending(%rip), %rcx
	movq CPUINFO_CURRENT(%rbx), %rdx
	cmpl $0, (%rax, %rcx)
	jne 2f
	movq VCPU_INFO(%rdx), %rcx
	movzwl (%rcx), %ecx		/* upcall pending, upcall mask */
	cmpl $1, %ecx
	je 2f
	cmpb $0, VCPU_RETURN_WORK(%rdx)
	jne 2f
1:	cmpb $0, CPUINFO_USE_SYSRET(%rbx)
	jz iret_to_guest
	cmpw $SEL_RING3_CS64, REGS_CS(%rsp)
	jne iret_to_guest
	/* SYSRET with a rip outside the lower and upper halves faults in ring 0 on Intel */
	movq REGS_RIP(%rsp), %rcx
	movq %rcx, %rax
	sarq $47, %rax
	addq $1, %rax
	cmpq $1, %rax
	ja iret_to_guest
	movq REGS_RFLAGS(%rsp), %rdx
	testl $(X86_EFLAGS_TF_RF), %edx
	jnz iret_to_guest
	RESTORE_GPRS
	/* what a SYSCALL destroys anyway */
	movq (REGS_RIP - REGS_ERROR)(%rsp), %rcx
	movq (REGS_RFLAGS - REGS_ERROR)(%rsp), %r11
	movq (REGS_RSP - REGS_ERROR)(%rsp), %rsp
	sysretq

2:	call return_prepare
	jmp 1b

iret_to_guest:
	RESTORE_GPRS
	addq $8, %rsp
	.globl iret_insn
iret_insn:
	iretq

/* void reset_stack_and_jump(void (*fn)(void)): leaves all C frames of this stack behind. */
	.globl reset_stack_and_jump
reset_stack_and_jump:
	CPU_INFO %rbx
	movq %rbx, %rsp
	xorl %ebp, %ebp
	pushq $0
	jmp *%rdi

/* void stack_switch_and_call(uint64_t stack_top, void (*fn)(void)) */
	.globl stack_switch_and_call
stack_switch_and_call:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	pushq $0
	jmp *%rsi

	.section .note.GNU-stack, "", @progbits
