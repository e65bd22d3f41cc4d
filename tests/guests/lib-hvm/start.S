/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HVM test guest's first instructions: the PVH entry (xen/arch-x86/hvm/start_info.h)
 * in 32-bit mode without paging, then 64-bit mode with 4 GiB mapped by 2 MiB pages; its traps, and
 * the ways a hypercall is issued.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18				/* PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.text
	.code32
	.globl _start
_start:
	cld
	movl $stack_top, %esp
	xorl %eax, %eax
	cpuid
	cmpl $0x756e6547, %ebx			/* "Genu", of Intel, whose instruction is VMCALL */
	jne 1f
	movb $0xc1, hypercall_insn + 2
	movb $0xc1, hypercall_insn32 + 2
1:	/* 4 page directories, one table above them, one above that */
	movl $directories, %edi
	movl $0xe7, %eax			/* present, writable, user, A, D, large */
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $directories_end, %edi
	jb 1b
	movl $directories + 7, %eax
	movl $table3, %edi
	movl $4, %ecx
2:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 2b
	movl $table3 + 7, table4
	movl %cr4, %eax
	orl $0x620, %eax			/* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $table4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx			/* EFER */
	rdmsr
	orl $0x900, %eax			/* LME, NXE */
	wrmsr
	movl %cr0, %eax
	orl $0x80010000, %eax			/* PG, WP */
	movl %eax, %cr0
	lgdt gdtr
	ljmp $8, $start64

	.code64
start64:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %ebp, %ebp
	call hvm_main
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
hypercall_insn:
	vmmcall
	ret

/* long hypercall32(op, a1, a2): by a 32-bit code segment, and back */
	.globl hypercall32
hypercall32:
	pushq %rbx
	movl %edi, %eax
	movl %esi, %ebx
	movl %edx, %ecx
	xorl %edx, %edx
	pushq $24
	pushq $1f
	lretq
	.code32
1:
hypercall_insn32:
	vmmcall
	ljmp $8, $2f
	.code64
2:	popq %rbx
	cltq
	ret

/*
 * Traps.  What happened is noted; if code asked for it (try_resume), it goes on there, else it is
 * told and the guest ends.
 */
	.macro TRAP vector
trap_\vector:
	.if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
	popq trap_error(%rip)
	.endif
	movl $\vector, trap_vector(%rip)
	jmp trap_common
	.endm
	.altmacro
	.set n, 0
	.rept 32
	TRAP %n
	.set n, n + 1
	.endr

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
	iretq
1:	popq %rax
	call trap_unexpected
	ud2

	.section .rodata
	.balign 8
	.globl trap_entries
	.macro ENTRY vector
	.quad trap_\vector
	.endm
trap_entries:
	.set n, 0
	.rept 32
	ENTRY %n
	.set n, n + 1
	.endr

	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff		/* 8: 64-bit code */
	.quad 0x00cf93000000ffff		/* 16: data */
	.quad 0x00cf9b000000ffff		/* 24: 32-bit code */
gdtr:	.word . - gdt - 1
	.long gdt

	.bss
	.balign 4096
	.globl table4
table4:	.skip 4096
table3:	.skip 4096
directories:
	.skip 4 * 4096
directories_end:
	.skip 32768
stack_top:
	.section .note.GNU-stack, "", @progbits
