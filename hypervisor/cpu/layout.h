/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's virtual address space: the sixteen L4 slots 256..271 that
 * the ABI reserves for it in every PV guest (HYPERVISOR_VIRT_START..END of
 * xen/arch-x86/xen-x86_64.h).  Shared with assembly and the linker script.
 * docs/memory-map.md explains each region.
 */
#ifndef CPU_LAYOUT_H
#define CPU_LAYOUT_H

#ifdef __ASSEMBLER__
#define VA(x) x
#else
#define VA(x) x##UL
#endif

#define HYP_SLOT_FIRST 256
#define HYP_SLOT_COUNT 16

#define M2P_START        VA(0xffff800000000000) /* slot 256: read-only to guests */
#define M2P_END          VA(0xffff804000000000)
#define FRAMETABLE_START VA(0xffff808000000000) /* slot 257 */
#define CPUAREA_START    VA(0xffff810000000000) /* slot 258: per-CPU areas */
#define IOMAP_START      VA(0xffff818000000000) /* slot 259: device memory */
#define IOMAP_END        VA(0xffff81c000000000)
#define IMAGE_START      VA(0xffff820000000000) /* slot 260: the image, at its load address */
#define DIRECTMAP_START  VA(0xffff830000000000) /* slots 262..271: all RAM */
#define DIRECTMAP_END    VA(0xffff880000000000)

#define IMAGE_LOAD_PADDR VA(0x200000)

/*
 * One CPU's area, at CPUAREA_START + cpu * CPUAREA_STRIDE:
 *
 *   0x00000  GDT, 16 pages: 0..13 the guest's frames, 14 this CPU's own
 *   0x10000  LDT, 16 pages: the guest's frames
 *   0x20000  TSS page; 0x21000 SYSCALL stub page (read, execute)
 *   0x30000  the stack, CPU_STACK_SIZE, aligned to its size:
 *            +0x0000 NMI, +0x1000 #DF, +0x2000 #MC, +0x3000 #DB stacks, then a
 *            hole as guard, +0xc000..0xffff stack, struct cpu_info on top
 */
#define CPUAREA_STRIDE VA(0x40000)
#define CPUAREA_GDT    VA(0x0)
#define CPUAREA_LDT    VA(0x10000)
#define CPUAREA_TSS    VA(0x20000)
#define CPUAREA_STUB   VA(0x21000)
#define CPUAREA_STACK  VA(0x30000)
#define CPU_STACK_SIZE VA(0x10000)
#define CPU_STACK_BODY VA(0xc000) /* where the stack proper begins */

/* Our entries of the GDT, from FIRST_RESERVED_GDT_BYTE on; ring 3's are ABI. */
#define SEL_HYP_CS 0xe008
#define SEL_HYP_DS 0xe010
#define SEL_TSS    0xe040
#define SEL_LDT    0xe050
#define SEL_RING3_CS32 0xe023 /* FLAT_RING3_CS32 */
#define SEL_RING3_SS   0xe02b /* FLAT_RING3_SS64 */
#define SEL_RING3_CS64 0xe033 /* FLAT_RING3_CS64 */

#define VECTOR_SYSCALL 0x100 /* entry_vector of a SYSCALL: no real vector */
#define X86_EFLAGS_TF_RF 0x10100

#endif
