/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PVH guest (entered in 32-bit mode at XEN_ELFNOTE_PHYS32_ENTRY, xen/elfnote.h) that has no
 * interrupt table and then faults: a triple fault, which shuts a processor down.
 */
	.section .note.Xen, "a", @note
	.long 4, 4, 18; .asciz "Xen"; .long _start

	.text
	.code32
	.globl _start
_start:
	lidt	none
	ud2

	.balign 4
none:	.word 0
	.long 0
