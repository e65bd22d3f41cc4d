/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-table entries of 4-level paging (Intel SDM volume 3, "Hierarchical
 * Paging Structures"):
 *
 *   63   62..52     51..12   11..9   8    7       6   5   4    3    2   1   0
 *   NX | software | frame  | avail | G | PS/PAT | D | A | PCD | PWT | U | W | P
 */
#ifndef MM_PTE_H
#define MM_PTE_H

#include "lib/bits.h"

#define PTE_PRESENT   BIT(0)
#define PTE_WRITE     BIT(1)
#define PTE_USER      BIT(2)
#define PTE_PWT       BIT(3)
#define PTE_PCD       BIT(4)
#define PTE_ACCESSED  BIT(5)
#define PTE_DIRTY     BIT(6)
#define PTE_LARGE     BIT(7) /* in L2 and L3 */
#define PTE_PAT       BIT(7) /* in L1 */
#define PTE_GLOBAL    BIT(8)
#define PTE_NX        BIT(63)
#define PTE_ADDR_MASK 0x000ffffffffff000UL

/* A and D are set beforehand, so that the CPU never writes to our tables. */
#define PTE_TABLE  (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define PTE_HYP_RW (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NX)
#define PTE_HYP_RO (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX)
#define PTE_HYP_RX (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)
#define PTE_HYP_UC (PTE_HYP_RW | PTE_PCD | PTE_PWT)

#define PTES_PER_TABLE 512

/* The index of a linear address in a table of level 1..4. */
static inline unsigned int pte_index(uint64_t va, unsigned int level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & (PTES_PER_TABLE - 1);
}

/* What one entry of a table of that level spans, in bytes. */
static inline uint64_t pte_span(unsigned int level)
{
	return PAGE_SIZE << 9 * (level - 1);
}

#endif
