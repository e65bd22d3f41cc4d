/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of nested page tables: those of long mode, walked as user accesses
 * (AMD APM vol. 2, "Nested Page Tables").  The type is in bits that the CPU
 * leaves to software.
 *
 *   63  62..56 55..52 51..12 11..9  8  7  6  5 4 3 2 1 0
 *   NX         type   frame         G PS  D  A     U W P
 */
#include "hvm/svm/svm.h"

#define NPT_P	       (1UL << 0)
#define NPT_W	       (1UL << 1)
#define NPT_U	       (1UL << 2)
#define NPT_A	       (1UL << 5)
#define NPT_D	       (1UL << 6)
#define NPT_PS	       (1UL << 7)
#define NPT_NX	       (1UL << 63)
#define NPT_FRAME      0x000ffffffffff000UL
#define NPT_TYPE_SHIFT 52
#define NPT_TYPE_MASK  0xfUL

static const uint64_t flags_of[] = {
	[P2M_NONE] = 0,
	[P2M_RAM] = NPT_P | NPT_W,
	[P2M_RAM_RO] = NPT_P,
	[P2M_MMIO] = 0,
	[P2M_GRANT_RW] = NPT_P | NPT_W | NPT_NX,
	[P2M_GRANT_RO] = NPT_P | NPT_NX,
	[P2M_FOREIGN] = NPT_P | NPT_W | NPT_NX,
	[P2M_SHARED] = NPT_P | NPT_W | NPT_NX,
	[P2M_LOGDIRTY] = NPT_P,
	[P2M_IOREQ] = NPT_P,
};

uint64_t npt_pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level)
{
	uint64_t pte = mfn_to_paddr(mfn) | (uint64_t)type << NPT_TYPE_SHIFT | flags_of[type];

	if (type == P2M_NONE)
		return 0;
	if (flags_of[type])
		pte |= NPT_U | NPT_A | NPT_D;
	return level > 1 ? pte | NPT_PS : pte;
}

uint64_t npt_pte_table(mfn_t table)
{
	return mfn_to_paddr(table) | NPT_P | NPT_W | NPT_U | NPT_A;
}

bool npt_pte_is_leaf(uint64_t pte, unsigned int level)
{
	return level == 1 || pte & NPT_PS;
}

enum p2m_type npt_pte_type(uint64_t pte)
{
	return pte >> NPT_TYPE_SHIFT & NPT_TYPE_MASK;
}

mfn_t npt_pte_mfn(uint64_t pte)
{
	return paddr_to_mfn(pte & NPT_FRAME);
}
