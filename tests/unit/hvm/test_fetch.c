/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction at rip, and the window on its page: used for the opcode
 * that the exit says it was, and only as long as the p2m is as it was.
 *
 * Links: hvm/fetch.c hvm/decode.c hvm/walk.c hvm/copy.c hvm/p2m.c hvm/p2m_pool.c
 * Links: hvm/p2m_table.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_ram.c
 */
#include "cpu/asm.h"
#include "cpu/trap.h"
#include "fake_ram.h"
#include "hvm/event.h"
#include "hvm/vcpu.h"
#include "lib/string.h"
#include "mm/pte.h"

#define CR0_PG	   (1UL << 31)
#define EFER_LMA   (1UL << 10)

#define TABLE(n)   ((uint64_t)(n) << PAGE_SHIFT)
#define CODE	   0x7000UL /* linear, by entry 7 of table 4 to frame 9 */
#define INSN_CPUID 0xa20f

static struct vcpu *v;
static unsigned int faults, undefined;
static uint64_t next_rip;

void hvm_inject_page_fault(struct vcpu *vcpu, uint64_t addr, uint32_t error)
{
	faults++;
}

void hvm_inject_exception(struct vcpu *vcpu, unsigned int vector, int64_t error)
{
	undefined++;
}

bool hvm_is_long(const struct vcpu *vcpu)
{
	return true;
}

static uint64_t *leaf(void)
{
	return (uint64_t *)fake_ram_at(v->domain, TABLE(4)) + 7;
}

static void code_put(uint64_t at, const char *bytes, size_t n)
{
	memcpy(fake_ram_at(v->domain, TABLE(9) + at), bytes, n);
}

static void begin(void)
{
	v = fake_ram_domain()->vcpus[0];
	fake_ram_add(v->domain, 0, 16);
	v->hvm->cr0 = CR0_PG;
	v->hvm->cr3 = TABLE(1);
	v->hvm->cr4 = X86_CR4_PAE;
	v->hvm->efer = EFER_LMA;
	fake_segments[HVM_CS].attr = HVM_SEG_L;
	for (unsigned int i = 1; i < 4; i++)
		*(uint64_t *)fake_ram_at(v->domain, TABLE(i)) = TABLE(i + 1) | PTE_PRESENT;
	*leaf() = TABLE(9) | PTE_PRESENT;
	faults = undefined = 0;
	code_put(0x10, "\x0f\xa2", 2);
	code_put(0x20, "\xf3\x0f\xa2", 3);
	code_put(0xfff, "\x0f", 1);
}

static bool finds(uint64_t offset)
{
	guest_regs()->rip = CODE + offset;
	next_rip = 0;
	return hvm_next_rip(v, INSN_CPUID, &next_rip);
}

TEST(what_the_cpu_said_is_taken)
{
	begin();
	next_rip = 5;
	CHECK(hvm_next_rip(v, 0, &next_rip));
	CHECK_EQ(next_rip, 5);
	fake_ram_end(v->domain);
}

TEST(prefixes_count)
{
	begin();
	CHECK(finds(0x10));
	CHECK_EQ(next_rip, CODE + 0x12);
	CHECK(finds(0x20));
	CHECK_EQ(next_rip, CODE + 0x23);
	fake_ram_end(v->domain);
}

/* The tables are not walked again: they are no longer there. */
TEST(the_window_is_used_for_the_same_opcode)
{
	begin();
	CHECK(finds(0x10));
	*leaf() = 0;
	CHECK(finds(0x10));
	CHECK_EQ(next_rip, CODE + 0x12);
	CHECK(!finds(0x20));
	CHECK_EQ(faults, 1);
	fake_ram_end(v->domain);
}

TEST(an_opcode_over_the_pages_end_is_not_looked_for_in_the_window)
{
	begin();
	CHECK(finds(0x10));
	CHECK(!finds(0xfff));
	CHECK_EQ(faults, 1);
	fake_ram_end(v->domain);
}

TEST(the_window_ends_with_what_the_p2m_was)
{
	begin();
	CHECK(finds(0x10));
	*leaf() = 0;
	p2m_flush(v->domain);
	CHECK(!finds(0x10));
	CHECK_EQ(faults, 1);
	fake_ram_end(v->domain);
}
