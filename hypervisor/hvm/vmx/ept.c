/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of extended page tables (Intel SDM vol. 3, "EPT Paging Structures").
 * All that is mapped is RAM: write-back, whatever the guest's PAT says.  The
 * type is in bits that the CPU leaves to software.
 *
 *   55..52 51..12 7  6    5..3 2 1 0
 *   type   frame  PS IPAT MT   X W R
 */
#include "hvm/vmx/vmx.h"

#define EPT_R	       (1UL << 0)
#define EPT_W	       (1UL << 1)
#define EPT_X	       (1UL << 2)
#define EPT_WB	       (6UL << 3)
#define EPT_IPAT       (1UL << 6)
#define EPT_PS	       (1UL << 7)
#define EPT_FRAME      0x000ffffffffff000UL
#define EPT_TYPE_SHIFT 52
#define EPT_TYPE_MASK  0xfUL

#define EPTP_WB	    6UL
#define EPTP_LEVELS (3UL << 3) /* 4, minus one */

static const uint64_t flags_of[] = {
	[P2M_NONE] = 0,
	[P2M_RAM] = EPT_R | EPT_W | EPT_X,
	[P2M_RAM_RO] = EPT_R | EPT_X,
	[P2M_MMIO] = 0,
	[P2M_GRANT_RW] = EPT_R | EPT_W,
	[P2M_GRANT_RO] = EPT_R,
	[P2M_FOREIGN] = EPT_R | EPT_W,
	[P2M_SHARED] = EPT_R | EPT_W,
	[P2M_LOGDIRTY] = EPT_R | EPT_X,
	[P2M_IOREQ] = EPT_R | EPT_X,
};

uint64_t ept_pte_leaf(mfn_t mfn, enum p2m_type type, unsigned int level)
{
	uint64_t pte = mfn_to_paddr(mfn) | (uint64_t)type << EPT_TYPE_SHIFT | flags_of[type];

	if (type == P2M_NONE)
		return 0;
	if (flags_of[type])
		pte |= EPT_WB | EPT_IPAT;
	return level > 1 ? pte | EPT_PS : pte;
}

uint64_t ept_pte_table(mfn_t table)
{
	return mfn_to_paddr(table) | EPT_R | EPT_W | EPT_X;
}

bool ept_pte_is_leaf(uint64_t pte, unsigned int level)
{
	return level == 1 || pte & EPT_PS;
}

enum p2m_type ept_pte_type(uint64_t pte)
{
	return pte >> EPT_TYPE_SHIFT & EPT_TYPE_MASK;
}

mfn_t ept_pte_mfn(uint64_t pte)
{
	return paddr_to_mfn(pte & EPT_FRAME);
}

uint64_t ept_pointer(mfn_t root)
{
	return mfn_to_paddr(root) | EPTP_LEVELS | EPTP_WB;
}
