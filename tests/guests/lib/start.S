/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test guest's first instructions, its Xen notes, its traps and the way a
 * hypercall is issued (rax the number; rdi rsi rdx r10 r8).
 */
#define NOTE(type, data)                                                                           \
	.balign 4;                                                                                 \
	.long 4, 9f - 8f, type;                                                                    \
	.asciz "Xen";                                                                              \
8:	data;                                                                                      \
9:	.balign 4

	.section .note.Xen, "a", @note
	NOTE(1, .quad _start)			/* ENTRY */
	NOTE(3, .quad 0xffffffff80000000)	/* VIRT_BASE */
	NOTE(4, .quad 0xffffffff80000000)	/* PADDR_OFFSET: p_paddr is virtual */
	NOTE(5, .asciz "xen-3.0")		/* XEN_VERSION */
	NOTE(6, .asciz "zendo-test")		/* GUEST_OS */
	NOTE(8, .asciz "generic")		/* LOADER */
	NOTE(10, .asciz "!writable_page_tables|pae_pgdir_above_4gb")
	NOTE(12, .quad 0xffff800000000000)	/* HV_START_LOW */

	.text
	.globl _start
_start:
	cld
	movq %rsi, start_info(%rip)
	lea stack_top(%rip), %rsp
	xorl %ebp, %ebp
	call guest_main
1:	hlt
	jmp 1b

/* long hypercall(op, a1..a5): C's order to the ABI's */
	.globl hypercall
hypercall:
	movq %rdi, %rax
	movq %rsi, %rdi
	movq %rdx, %rsi
	movq %rcx, %rdx
	movq %r8, %r10
	movq %r9, %r8
	syscall
	ret

/*
 * Traps.  The frame has rcx and r11 on top, then the error code where there is
 * one.  What happened is noted; if code asked for it (try_resume), it goes on
 * there, else it is told and the guest ends.
 */
	.macro TRAP vector, has_error
	.globl trap_\vector
trap_\vector:
	popq %rcx
	popq %r11
	.if \has_error
	popq trap_error(%rip)
	.endif
	movl $\vector, trap_vector(%rip)
	jmp trap_common
	.endm
	TRAP 0, 0
	TRAP 1, 0
	TRAP 3, 0
	TRAP 6, 0
	TRAP 7, 0
	TRAP 10, 1
	TRAP 11, 1
	TRAP 12, 1
	TRAP 13, 1
	TRAP 14, 1
	TRAP 128, 0

trap_common:
	/* rip cs rflags rsp ss */
	pushq %rax
	movq 8(%rsp), %rax
	movq %rax, trap_rip(%rip)
	movq try_resume(%rip), %rax
	testq %rax, %rax
	jz 1f
	movq $0, try_resume(%rip)
	movq %rax, 8(%rsp)
	movq try_stack(%rip), %rax
	movq %rax, 32(%rsp)
	popq %rax
	/* back within ring 3: no hypercall is needed, only RPL 3 in cs */
	orb $3, 8(%rsp)
	iretq
1:	popq %rax
	call trap_unexpected
	ud2

	.globl event_callback, failsafe_callback
event_callback:
	/* rcx r11 rip cs rflags rsp ss; the mask was set for us */
	incl event_upcalls(%rip)
	pushq %rax
	movq shared_info_va(%rip), %rax
	movb $0, (%rax)
	popq %rax
	popq %rcx
	popq %r11
	orb $3, 8(%rsp)
	iretq

failsafe_callback:
	movl $1, failsafe_seen(%rip)
	movl $255, trap_vector(%rip)
	movq try_resume(%rip), %rax
	testq %rax, %rax
	jz 1f
	movq $0, try_resume(%rip)
	movq try_stack(%rip), %rsp
	jmp *%rax
1:	call trap_unexpected

	.bss
	.balign 16
	.skip 32768
stack_top:
	.section .note.GNU-stack, "", @progbits
