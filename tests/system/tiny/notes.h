/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tiny PV kernels: the ELF notes that say "a 64-bit PV kernel, mapped at its physical
 * addresses, entered at _start" (xen/elfnote.h). They start with events masked, no trap table and
 * no stack of their own.
 */
#define NOTE_WORD(type, value)							\
	.long 4, 8, type; .asciz "Xen"; .quad value
#define NOTE_TEXT(type, text)							\
	.long 4, 2f - 1f, type; .asciz "Xen"; 1: .asciz text; 2: .balign 4

	.section .note.Xen, "a", @note
	NOTE_WORD(1, _start)		/* XEN_ELFNOTE_ENTRY */
	NOTE_WORD(3, 0)			/* XEN_ELFNOTE_VIRT_BASE */
	NOTE_WORD(4, 0)			/* XEN_ELFNOTE_PADDR_OFFSET */
	NOTE_TEXT(5, "xen-3.0")		/* XEN_ELFNOTE_XEN_VERSION */
	NOTE_TEXT(6, "tiny")		/* XEN_ELFNOTE_GUEST_OS */
	NOTE_TEXT(8, "generic")		/* XEN_ELFNOTE_LOADER */
	NOTE_TEXT(9, "yes")		/* XEN_ELFNOTE_PAE_MODE */

	.text
	.globl _start
