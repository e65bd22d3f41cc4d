/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of extended page tables: what the CPU may do by them, what can be
 * read back, and that none is a misconfiguration.
 *
 * Links: hvm/vmx/ept.c lib/bits.c
 */
#include "fake.h"
#include "hvm/vmx/vmx.h"

#define TYPES (P2M_IOREQ + 1)

TEST(leaves_are_read_back)
{
	for (unsigned int level = 1; level <= 3; level++)
		for (unsigned int type = P2M_RAM; type < TYPES; type++) {
			mfn_t mfn = MFN(0x12340000UL);
			uint64_t pte = ept_pte_leaf(mfn, type, level);

			CHECK(pte);
			CHECK(ept_pte_is_leaf(pte, level));
			CHECK(ept_pte_type(pte) == type);
			CHECK(ept_pte_mfn(pte).v == mfn.v);
		}
	CHECK(ept_pte_leaf(MFN(1), P2M_NONE, 1) == 0);
}

/* Intel SDM vol. 3, "EPT Misconfigurations": write or execute without read; a reserved type. */
TEST(none_is_a_misconfiguration)
{
	for (unsigned int type = P2M_RAM; type < TYPES; type++) {
		uint64_t pte = ept_pte_leaf(MFN(0x1000), type, 1);
		unsigned int rights = pte & 7, memory_type = pte >> 3 & 7;

		CHECK(!rights || (rights & 1));
		CHECK(!rights || memory_type == 6);
	}
}

TEST(rights)
{
	static const uint8_t rights[TYPES] = {
		[P2M_RAM] = 7,	    [P2M_RAM_RO] = 5,  [P2M_MMIO] = 0,	   [P2M_GRANT_RW] = 3,
		[P2M_GRANT_RO] = 1, [P2M_FOREIGN] = 3, [P2M_SHARED] = 3,   [P2M_LOGDIRTY] = 5,
		[P2M_IOREQ] = 5,
	};

	for (unsigned int type = P2M_RAM; type < TYPES; type++)
		CHECK((ept_pte_leaf(MFN(0x1000), type, 1) & 7) == rights[type]);
}

TEST(tables)
{
	uint64_t pte = ept_pte_table(MFN(0x777));

	for (unsigned int level = 2; level <= 4; level++)
		CHECK(!ept_pte_is_leaf(pte, level));
	CHECK(ept_pte_mfn(pte).v == 0x777);
	CHECK((pte & 7) == 7);
	CHECK(ept_pointer(MFN(0x777)) == (0x777000 | 3 << 3 | 6));
}
