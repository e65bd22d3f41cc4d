/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: Multiboot 1 and 2 headers, and the way from 32-bit
 * protected mode without paging to boot_start() in 64-bit mode at the image's
 * linked address, on the boot stack.
 *
 * The tables here map the first 4 GiB three times: at its own address (slot
 * 0), at IMAGE_START and at DIRECTMAP_START.  mm_init() replaces them; other
 * CPUs pass through them again at their start.
 */
#include "cpu/layout.h"
#include "offsets.h"

#define PADDR(sym) (sym - IMAGE_START)

#define MB1_MAGIC 0x1BADB002
#define MB1_FLAGS 0x00010003 /* page-aligned modules, memory map, addresses below */
#define MB2_MAGIC 0xE85250D6

	.section .boot.header, "ax"
	.balign 8
mb1_header:
	.long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
	.long PADDR(mb1_header)
	.long PADDR(image_start)
	.long PADDR(image_data_end)
	.long PADDR(image_end)
	.long PADDR(boot_entry32)

	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header
	.long -(MB2_MAGIC + 0 + (mb2_end - mb2_header))
	/* information request, optional: memory map, modules, command line, ACPI */
	.balign 8
	.word 1, 1
	.long 24
	.long 1, 3, 6, 15
	/* addresses */
	.balign 8
	.word 2, 0
	.long 24
	.long PADDR(mb2_header), PADDR(image_start), PADDR(image_data_end), PADDR(image_end)
	/* entry address */
	.balign 8
	.word 3, 0
	.long 12
	.long PADDR(boot_entry32)
	/* modules page-aligned */
	.balign 8
	.word 6, 0
	.long 8
	/* end */
	.balign 8
	.word 0, 0
	.long 8
mb2_end:

	.code32
	.globl boot_entry32
boot_entry32:
	cli
	cld
	movl $PADDR(boot_stack32_top), %esp
	movl %eax, %ebp			/* loader's magic; ebx: its information */

	/* the four L2s: 2 MiB pages, present, writable */
	movl $PADDR(boot_l2), %edi
	movl $0x83, %eax
	xorl %edx, %edx
1:	movl %eax, (%edi)
	movl %edx, 4(%edi)
	addl $8, %edi
	addl $0x200000, %eax
	jnc 1b

	call boot_long_mode
	ljmp *PADDR(boot_far64)

/* Turns on paging over boot_l4 and long mode with NX. Clobbers eax, ecx, edx. */
boot_long_mode:
	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $PADDR(boot_l4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER: SCE, LME, NXE */
	rdmsr
	orl $0x901, %eax
	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE */
	movl %eax, %cr0
	lgdt PADDR(boot_gdtr)
	ret

	.code64
boot_entry64:
	movabs $boot_high, %rax
	jmp *%rax
boot_high:
	lea boot_stack_top(%rip), %rsp
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movl %ebp, %edi
	movl %ebx, %esi
	xorl %ebp, %ebp
	call boot_start
	ud2

/*
 * Another CPU's start, copied to TRAMPOLINE_PADDR (smp.h).  In real mode, cs
 * is that paragraph; nothing but ip-relative and paragraph-relative
 * addresses are used before boot_long_mode.
 */
	.section .rodata.trampoline, "a"
	.globl trampoline_start, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl tramp_gdtr - trampoline_start
	movl $1, %eax
	movl %eax, %cr0
	ljmpl $0x18, $PADDR(ap_entry32)
	.balign 4
tramp_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long PADDR(boot_gdt)
trampoline_end:

	.section .text.entry, "ax"
	.code32
ap_entry32:
	movl $0x20, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $PADDR(boot_stack32_top), %esp
	call boot_long_mode
	ljmp *PADDR(ap_far64)

	.code64
ap_entry64:
	movabs $ap_high, %rax
	jmp *%rax
ap_high:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movq ap_start_cr3(%rip), %rax
	movq %rax, %cr3
	movq ap_start_stack(%rip), %rsp
	xorl %ebp, %ebp
	call ap_start
	ud2

	.section .data, "aw"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff	/* 0x10: data */
	.quad 0x00cf9b000000ffff	/* 0x18: 32-bit code */
	.quad 0x00cf93000000ffff	/* 0x20: data */
boot_gdt_end:
boot_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long PADDR(boot_gdt)
	.balign 4
boot_far64:
	.long PADDR(boot_entry64)
	.word 0x08
	.balign 4
ap_far64:
	.long PADDR(ap_entry64)
	.word 0x08
	.balign 16
	.skip 64
boot_stack32_top:

	.section .data.page_aligned, "aw"
	.balign 4096
	.globl boot_l4
boot_l4:
	.quad PADDR(boot_l3) + 0x3
	.fill 259, 8, 0
	.quad PADDR(boot_l3) + 0x3	/* 260: IMAGE_START */
	.quad 0
	.quad PADDR(boot_l3) + 0x3	/* 262: DIRECTMAP_START */
	.fill 249, 8, 0
boot_l3:
	.quad PADDR(boot_l2) + 0x3
	.quad PADDR(boot_l2) + 0x1003
	.quad PADDR(boot_l2) + 0x2003
	.quad PADDR(boot_l2) + 0x3003
	.fill 508, 8, 0

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
boot_l2:
	.skip 4 * 4096

	.balign CPU_STACK_SIZE
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip CPU_STACK_SIZE - CPUINFO_SIZE
boot_stack_top:
	.skip CPUINFO_SIZE

	.section .note.GNU-stack, "", @progbits
