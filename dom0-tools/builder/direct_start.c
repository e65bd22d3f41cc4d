/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entered as the 32-bit boot protocol has it (Linux Documentation/x86/boot.rst, "32-bit Boot
 * Protocol"): flat segments, paging off, ESI the boot_params. Tells the kernel where its ramdisk
 * is, maps the first 4 GiB to themselves and enters the unpacked kernel in long mode, as its own
 * decompressor would (AMD APM vol. 2, "Long-Mode Initialization Example").
 */
#include "builder/direct_start.h"

_Static_assert(DIRECT_START_PADDR == 0x100000, "as below");

/* clang-format off */
__asm__(
	".pushsection .rodata\n"
	".balign 8\n"
	".globl direct_start, direct_start_end\n"
	".hidden direct_start, direct_start_end\n"
	".set base, direct_start - 0x100000\n"
	".set tables, 0x102000\n"
	".code32\n"
"direct_start:\n"
	"movl	values - base + 4, %eax\n"
	"movl	%eax, 0x218(%esi)\n"		/* ramdisk_image */
	"movl	values - base + 8, %eax\n"
	"movl	%eax, 0x21c(%esi)\n"		/* ramdisk_size */
	"cld\n"
	"xorl	%eax, %eax\n"
	"movl	$tables, %edi\n"
	"movl	$(6 * 1024), %ecx\n"
	"rep stosl\n"
	"movl	$(tables + 0x1003), tables\n"	/* present, writable */
	"movl	$(tables + 0x1000), %edi\n"
	"movl	$(tables + 0x2003), %eax\n"
"1:	movl	%eax, (%edi)\n"
	"addl	$8, %edi\n"
	"addl	$0x1000, %eax\n"
	"cmpl	$(tables + 0x6003), %eax\n"
	"jne	1b\n"
	"movl	$(tables + 0x2000), %edi\n"
	"movl	$0x83, %eax\n"			/* and of 2 MiB */
	"movl	$2048, %ecx\n"
"2:	movl	%eax, (%edi)\n"
	"addl	$8, %edi\n"
	"addl	$0x200000, %eax\n"
	"loop	2b\n"
	"movl	%cr4, %eax\n"
	"orl	$0x20, %eax\n"			/* PAE */
	"movl	%eax, %cr4\n"
	"movl	$tables, %eax\n"
	"movl	%eax, %cr3\n"
	"movl	$0xc0000080, %ecx\n"		/* EFER: LME */
	"rdmsr\n"
	"orl	$0x100, %eax\n"
	"wrmsr\n"
	"lgdt	gdt_pointer - base\n"
	"movl	%cr0, %eax\n"
	"orl	$0x80000000, %eax\n"		/* PG */
	"movl	%eax, %cr0\n"
	"ljmp	$0x10, $(3f - base)\n"
	".code64\n"
"3:	movl	$0x18, %eax\n"
	"movl	%eax, %ds\n"
	"movl	%eax, %es\n"
	"movl	%eax, %ss\n"
	"movl	%esi, %esi\n"
	"movl	values(%rip), %eax\n"
	"jmp	*%rax\n"
	/* boot.rst: __BOOT_CS is 0x10, __BOOT_DS 0x18 */
	".balign 8\n"
"gdt:	.quad	0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff\n"
"gdt_pointer:\n"
	".word	. - gdt - 1\n"
	".long	gdt - base\n"
	".balign 4\n"
"values:	.long	0, 0, 0\n"
"direct_start_end:\n"
	".popsection\n");
/* clang-format on */
