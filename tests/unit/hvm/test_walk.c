/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks of a guest's page tables in every format: addresses, rights, faults
 * with their error codes, accessed and dirty bits, and tables that are not in
 * RAM or change under the walk.
 *
 * Links: hvm/walk.c hvm/copy.c hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_ram.c
 */
#include "cpu/asm.h"
#include "cpu/trap.h"
#include "fake_ram.h"
#include "hvm/vcpu.h"
#include "mm/pte.h"

#define CR0_PG	 (1UL << 31)
#define CR0_WP	 (1UL << 16)
#define EFER_LMA (1UL << 10)
#define EFER_NXE (1UL << 11)

#define P	 PTE_PRESENT
#define W	 PTE_WRITE
#define U	 PTE_USER
#define A	 PTE_ACCESSED
#define D	 PTE_DIRTY
#define PS	 PTE_LARGE

/* Tables are at guest frames 1 to 4, the highest level at 1. */
#define TABLE(n) ((uint64_t)(n) << PAGE_SHIFT)

static struct vcpu *v;
static uint64_t gpa;
static uint32_t error;

static void begin(uint64_t cr4, uint64_t efer)
{
	v = fake_ram_domain()->vcpus[0];
	fake_ram_add(v->domain, 0, 16);
	v->hvm->cr0 = CR0_PG | CR0_WP;
	v->hvm->cr3 = TABLE(1);
	v->hvm->cr4 = cr4;
	v->hvm->efer = efer;
}

static uint64_t *entry64(unsigned int table, unsigned int index)
{
	return (uint64_t *)fake_ram_at(v->domain, TABLE(table)) + index;
}

static uint32_t *entry32(unsigned int table, unsigned int index)
{
	return (uint32_t *)fake_ram_at(v->domain, TABLE(table)) + index;
}

static int translate(uint64_t linear, uint32_t access)
{
	gpa = ~0UL;
	error = 0xdead;
	return hvm_translate(v, linear, access, &gpa, &error);
}

#define FAULTS(linear, access, code)                          \
	do {                                                  \
		CHECK_EQ(translate(linear, access), -EFAULT); \
		CHECK_EQ(error, code);                        \
	} while (0)

#define GOES_TO(linear, access, where)                  \
	do {                                            \
		CHECK_EQ(translate(linear, access), 0); \
		CHECK_EQ(gpa, where);                   \
	} while (0)

/* Long mode: linear LINEAR by entries 1, 2, 3, 4 of tables 1, 2, 3, 4 to frame 9. */
#define LINEAR ((1UL << 39) + (2UL << 30) + (3UL << 21) + (4UL << 12))

static void long_mode(uint64_t rights)
{
	begin(X86_CR4_PAE, EFER_LMA | EFER_NXE);
	for (unsigned int i = 1; i < 4; i++)
		*entry64(i, i) = TABLE(i + 1) | P | W | U;
	*entry64(4, 4) = TABLE(9) | rights;
}

TEST(without_paging_addresses_are_physical)
{
	begin(0, 0);
	v->hvm->cr0 = 1;
	GOES_TO(0x1234, PF_WRITE, 0x1234);
	GOES_TO(0x100001234, 0, 0x1234); /* 32 bits */
	fake_ram_end(v->domain);
}

TEST(long_mode_walks_four_levels)
{
	long_mode(P | W | U);
	GOES_TO(LINEAR + 0x567, PF_WRITE | PF_USER, TABLE(9) + 0x567);
	for (unsigned int i = 1; i < 4; i++)
		CHECK_EQ(*entry64(i, i), TABLE(i + 1) | P | W | U | A);
	CHECK_EQ(*entry64(4, 4), TABLE(9) | P | W | U | A | D);
	FAULTS(LINEAR + 0x1000, PF_WRITE, PF_WRITE);
	*entry64(1, 257) = *entry64(1, 1);
	GOES_TO(LINEAR | 0xffff800000000000, 0, TABLE(9));
	FAULTS(LINEAR | 0x800000000000, 0, 0); /* not canonical */
	fake_ram_end(v->domain);
}

TEST(a_read_leaves_dirty_alone)
{
	long_mode(P | W);
	GOES_TO(LINEAR, 0, TABLE(9));
	CHECK_EQ(*entry64(4, 4), TABLE(9) | P | W | A);
	fake_ram_end(v->domain);
}

TEST(large_pages_and_their_reserved_bits)
{
	begin(X86_CR4_PAE, EFER_LMA);
	*entry64(1, 0) = TABLE(2) | P | W;
	*entry64(2, 0) = TABLE(3) | P | W;
	*entry64(3, 1) = 0x40000000 | P | W | PS | PTE_PAT << 5; /* PAT is bit 12 of these */
	*entry64(2, 1) = 0xc0000000 | P | W | PS;
	GOES_TO(0x200123, 0, 0x40000123);
	GOES_TO(0x40000000 + 0x3456789, PF_WRITE, 0xc0000000 + 0x3456789);
	CHECK_EQ(*entry64(2, 1), 0xc0000000 | P | W | PS | A | D);
	*entry64(3, 1) |= 0x2000;
	FAULTS(0x200123, 0, PF_PRESENT | PF_RESERVED);
	*entry64(2, 1) |= 0x20000000;
	FAULTS(0x40000000, PF_WRITE, PF_PRESENT | PF_RESERVED | PF_WRITE);
	*entry64(1, 0) |= PS;
	FAULTS(0, 0, PF_PRESENT | PF_RESERVED);
	fake_ram_end(v->domain);
}

TEST(rights_of_all_levels_count)
{
	long_mode(P | W | U);
	*entry64(2, 2) &= ~W;
	FAULTS(LINEAR, PF_WRITE, PF_PRESENT | PF_WRITE);
	FAULTS(LINEAR, PF_WRITE | PF_USER, PF_PRESENT | PF_WRITE | PF_USER);
	GOES_TO(LINEAR, 0, TABLE(9));
	v->hvm->cr0 &= ~CR0_WP;
	GOES_TO(LINEAR, PF_WRITE, TABLE(9));
	FAULTS(LINEAR, PF_WRITE | PF_USER, PF_PRESENT | PF_WRITE | PF_USER);
	*entry64(2, 2) |= W;
	*entry64(1, 1) &= ~U;
	FAULTS(LINEAR, PF_USER, PF_PRESENT | PF_USER);
	GOES_TO(LINEAR, 0, TABLE(9));
	*entry64(3, 3) |= PTE_NX;
	FAULTS(LINEAR, PF_FETCH, PF_PRESENT | PF_FETCH);
	GOES_TO(LINEAR, 0, TABLE(9));
	/* a bit that is not known then */
	v->hvm->efer &= ~EFER_NXE;
	FAULTS(LINEAR, PF_FETCH, PF_PRESENT | PF_RESERVED);
	fake_ram_end(v->domain);
}

TEST(supervisors_keep_off_user_pages_where_they_are_told_to)
{
	long_mode(P | W | U);
	GOES_TO(LINEAR, PF_FETCH, TABLE(9));
	v->hvm->cr4 |= X86_CR4_SMEP;
	FAULTS(LINEAR, PF_FETCH, PF_PRESENT | PF_FETCH);
	GOES_TO(LINEAR, PF_FETCH | PF_USER, TABLE(9));
	GOES_TO(LINEAR, 0, TABLE(9));
	v->hvm->cr4 |= X86_CR4_SMAP;
	FAULTS(LINEAR, 0, PF_PRESENT);
	FAULTS(LINEAR, PF_WRITE, PF_PRESENT | PF_WRITE);
	GOES_TO(LINEAR, PF_USER, TABLE(9));
	guest_regs()->rflags = X86_EFLAGS_AC;
	GOES_TO(LINEAR, PF_WRITE, TABLE(9));
	FAULTS(LINEAR, PF_FETCH, PF_PRESENT | PF_FETCH);
	fake_ram_end(v->domain);
}

TEST(pae_has_three_levels)
{
	begin(X86_CR4_PAE, 0);
	v->hvm->cr3 = TABLE(1) + 0x20;
	entry64(1, 4)[3] = TABLE(2) | P; /* without rights of its own */
	*entry64(2, 511) = TABLE(3) | P | W | U;
	*entry64(3, 511) = TABLE(9) | P | W | U;
	GOES_TO(0xfffff123, PF_WRITE | PF_USER, TABLE(9) + 0x123);
	CHECK_EQ(entry64(1, 4)[3], TABLE(2) | P); /* nor accessed */
	CHECK_EQ(*entry64(2, 511), TABLE(3) | P | W | U | A);
	GOES_TO(0x1fffff123, 0, TABLE(9) + 0x123);
	*entry64(2, 510) = 0x80000000 | P | PS;
	GOES_TO(0xffc12345, 0, 0x80012345);
	*entry64(3, 511) |= BIT(52);
	FAULTS(0xfffff123, 0, PF_PRESENT | PF_RESERVED);
	entry64(1, 4)[3] |= W; /* reserved here */
	FAULTS(0xffc12345, 0, PF_PRESENT | PF_RESERVED);
	fake_ram_end(v->domain);
}

TEST(the_old_format_has_two_levels_and_4_mib_pages)
{
	begin(0, 0);
	*entry32(1, 1) = TABLE(2) | P | W | U;
	*entry32(2, 2) = TABLE(9) | P | W | U;
	GOES_TO(0x402345, PF_WRITE | PF_USER, TABLE(9) + 0x345);
	CHECK_EQ(*entry32(1, 1), TABLE(2) | P | W | U | A);
	CHECK_EQ(*entry32(2, 2), TABLE(9) | P | W | U | A | D);
	CHECK_EQ(*entry32(2, 3), 0);
	/* the size bit is without meaning until CR4.PSE */
	*entry32(1, 1) |= PS;
	GOES_TO(0x402345, 0, TABLE(9) + 0x345);
	v->hvm->cr4 = X86_CR4_PSE;
	*entry32(1, 1) = 0x00c00000 | 0x12 << 13 | P | PS;
	GOES_TO(0x402345, 0, 0x1200c02345);
	FAULTS(0x402345, PF_WRITE, PF_PRESENT | PF_WRITE);
	fake_ram_end(v->domain);
}

TEST(tables_that_are_not_in_ram_map_nothing)
{
	long_mode(P | W | U);
	*entry64(3, 3) = TABLE(100) | P | W | U;
	FAULTS(LINEAR, PF_WRITE, PF_WRITE);
	v->hvm->cr3 = 0x000ffffffffff000;
	FAULTS(LINEAR, 0, 0);
	fake_ram_end(v->domain);
}

TEST(tables_in_rom_are_read_and_not_marked)
{
	long_mode(P | W | U);
	CHECK_EQ(p2m_change_type(v->domain, GFN(4), P2M_RAM, P2M_RAM_RO), 0);
	GOES_TO(LINEAR, PF_WRITE, TABLE(9));
	CHECK_EQ(*entry64(4, 4), TABLE(9) | P | W | U);
	CHECK_EQ(*entry64(3, 3), TABLE(4) | P | W | U | A);
	fake_ram_end(v->domain);
}

/* Another vCPU that changes an entry whenever one is about to be marked. */
static uint64_t *meddled;
static unsigned int meddling;

static void meddle(void)
{
	if (meddling) {
		meddling--;
		*meddled ^= BIT(58); /* one that is the guest's own, in the upper half */
	}
}

TEST(an_entry_that_changes_is_looked_at_again)
{
	long_mode(P | W | U);
	meddled = entry64(4, 4);
	fake_ram_writable_hook = meddle;
	meddling = 5;
	/* upper levels are marked first, each a look at a writable frame */
	GOES_TO(LINEAR, PF_WRITE, TABLE(9));
	CHECK(*entry64(4, 4) & D);
	*entry64(4, 4) &= ~(A | D);
	meddling = 1000;
	FAULTS(LINEAR, PF_WRITE, PF_WRITE);
	CHECK(meddling > 900); /* it did end */
	CHECK(!(*entry64(4, 4) & D));
	meddling = 0;
	fake_ram_writable_hook = NULL;
	fake_ram_end(v->domain);
}
