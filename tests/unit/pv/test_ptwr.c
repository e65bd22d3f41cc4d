/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated writes to page tables: the decoder on every form it knows and some
 * it must not take, the executor against the CPU itself, and the fault path.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c pv/ptwr.c pv/ptwr_decode.c lib/bits.c
 * Links: lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"
#include "pv/ptwr_decode.h"

#define REG_AX 0
#define REG_CX 1
#define REG_DX 2

static struct guest g;

/* --- the decoder --- */

static struct pte_insn insn;

static bool decode(const char *bytes, unsigned int n)
{
	memset(&insn, 0xa5, sizeof(insn));
	return pte_insn_decode((const uint8_t *)bytes, n, &insn);
}

#define DECODE(bytes) decode(bytes, sizeof(bytes) - 1)
#define CHECK_INSN(bytes, op_, size_, reg_)                                    \
	do {                                                                   \
		CHECK(DECODE(bytes));                                          \
		CHECK_EQ(insn.op, op_);                                        \
		CHECK_EQ(insn.size, size_);                                    \
		CHECK_EQ(insn.reg, reg_);                                      \
		CHECK_EQ(insn.length, sizeof(bytes) - 1);                      \
		/* one byte less is not the instruction, more do not matter */ \
		for (unsigned int n_ = 0; n_ < sizeof(bytes) - 1; n_++)        \
			CHECK(!decode(bytes, n_));                             \
		CHECK(decode(bytes "\x90\x90", sizeof(bytes) + 1));            \
		CHECK_EQ(insn.length, sizeof(bytes) - 1);                      \
	} while (0)

TEST(decodes_moves)
{
	CHECK_INSN("\x48\x89\x07", PTE_OP_MOV, 8, REG_AX); /* mov %rax,(%rdi) */
	CHECK_INSN("\x4c\x89\x47\x10", PTE_OP_MOV, 8, 8);  /* mov %r8,0x10(%rdi) */
	CHECK_INSN("\x48\x89\x94\xc7\x00\x01\x00\x00", PTE_OP_MOV, 8, REG_DX);
	CHECK_INSN("\x89\x0f", PTE_OP_MOV, 4, REG_CX); /* mov %ecx,(%rdi) */
	CHECK_INSN("\x66\x89\x0f", PTE_OP_MOV, 2, REG_CX);
	CHECK_INSN("\x88\x0f", PTE_OP_MOV, 1, REG_CX);
	CHECK_INSN("\x48\x89\x05\x11\x22\x33\x44", PTE_OP_MOV, 8, REG_AX);     /* to rip + disp32 */
	CHECK_INSN("\x48\x89\x04\x25\x11\x22\x33\x44", PTE_OP_MOV, 8, REG_AX); /* absolute */
	CHECK_INSN("\x48\x89\x45\x08", PTE_OP_MOV, 8, REG_AX);
	CHECK_INSN("\x48\x89\x04\x24", PTE_OP_MOV, 8, REG_AX);
	CHECK_INSN("\x48\x89\x44\x24\x08", PTE_OP_MOV, 8, REG_AX);
	CHECK_INSN("\x65\x48\x89\x07", PTE_OP_MOV, 8, REG_AX);
	CHECK_INSN("\x67\x48\x89\x07", PTE_OP_MOV, 8, REG_AX);
	CHECK_INSN("\x48\x0f\xc3\x07", PTE_OP_MOV, 8, REG_AX); /* movnti */
	CHECK_INSN("\x48\xc7\x07\xff\xff\xff\xff", PTE_OP_MOV, 8, -1);
	CHECK_EQ(insn.imm, ~0UL);
	CHECK_INSN("\xc7\x07\x11\x22\x33\x44", PTE_OP_MOV, 4, -1);
	CHECK_EQ(insn.imm, 0x44332211);
	CHECK_INSN("\x66\xc7\x07\x11\x22", PTE_OP_MOV, 2, -1);
	CHECK_EQ(insn.imm, 0x2211);
	CHECK_INSN("\xc6\x07\x80", PTE_OP_MOV, 1, -1);
	CHECK_EQ(insn.imm, (uint64_t)-128);
}

TEST(decodes_exchanges_and_arithmetic)
{
	CHECK_INSN("\x48\x87\x07", PTE_OP_XCHG, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x0f\xb1\x17", PTE_OP_CMPXCHG, 8, REG_DX);
	CHECK_INSN("\xf0\x0f\xb0\x17", PTE_OP_CMPXCHG, 1, REG_DX);
	CHECK_INSN("\xf0\x48\x0f\xc1\x07", PTE_OP_XADD, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x21\x07", PTE_OP_AND, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x09\x07", PTE_OP_OR, 8, REG_AX);
	CHECK_INSN("\x48\x31\x07", PTE_OP_XOR, 8, REG_AX);
	CHECK_INSN("\x48\x01\x07", PTE_OP_ADD, 8, REG_AX);
	CHECK_INSN("\x48\x29\x07", PTE_OP_SUB, 8, REG_AX);
	CHECK_INSN("\xf0\x80\x27\xfd", PTE_OP_AND, 1, -1); /* lock andb $~2,(%rdi) */
	CHECK_EQ(insn.imm, (uint64_t)-3);
	CHECK_INSN("\xf0\x48\x83\x0f\x20", PTE_OP_OR, 8, -1);
	CHECK_INSN("\x48\x81\x67\x08\x00\xf0\xff\xff", PTE_OP_AND, 8, -1);
	CHECK_INSN("\x66\x81\x27\xff\x0f", PTE_OP_AND, 2, -1);
	CHECK_INSN("\xf0\x48\x0f\xb3\x07", PTE_OP_BTR, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x0f\xab\x07", PTE_OP_BTS, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x0f\xbb\x07", PTE_OP_BTC, 8, REG_AX);
	CHECK_INSN("\xf0\x48\x0f\xba\x37\x05", PTE_OP_BTR, 8, -1); /* lock btrq $5,(%rdi) */
	CHECK_INSN("\xf0\x48\x0f\xba\x2f\x05", PTE_OP_BTS, 8, -1);
	CHECK_INSN("\xf0\x48\x0f\xba\x3f\x05", PTE_OP_BTC, 8, -1);
}

TEST(byte_registers_depend_on_rex)
{
	CHECK_INSN("\x88\x27", PTE_OP_MOV, 1, REG_AX); /* mov %ah,(%rdi) */
	CHECK(insn.is_high_byte);
	CHECK_INSN("\x40\x88\x27", PTE_OP_MOV, 1, 4); /* mov %spl,(%rdi) */
	CHECK(!insn.is_high_byte);
	CHECK_INSN("\x44\x88\x27", PTE_OP_MOV, 1, 12);
}

TEST(takes_nothing_else)
{
	CHECK(!DECODE("\x48\x89\xc7"));		/* to a register */
	CHECK(!DECODE("\x48\x8b\x07"));		/* a load */
	CHECK(!DECODE("\x48\x11\x07"));		/* adc: needs more than the operand */
	CHECK(!DECODE("\x48\x39\x07"));		/* cmp */
	CHECK(!DECODE("\x48\x83\x3f\x20"));	/* cmp $imm */
	CHECK(!DECODE("\x48\x83\x17\x20"));	/* adc $imm */
	CHECK(!DECODE("\x48\x0f\xba\x27\x05")); /* bt writes nothing */
	CHECK(!DECODE("\x48\x0f\xba\x07\x05"));
	CHECK(!DECODE("\x48\xc7\x0f\0\0\0\0")); /* C7 /1 is no mov */
	CHECK(!DECODE("\xc6\xf8\x01"));		/* xabort */
	CHECK(!DECODE("\xf3\x48\xab"));		/* rep stosq */
	CHECK(!DECODE("\xf3\x48\x89\x07"));
	CHECK(!DECODE("\x0f\xc7\x0f"));	    /* cmpxchg8b */
	CHECK(!DECODE("\x48\x48\x89\x07")); /* two REX */
	CHECK(!DECODE("\x82\x27\x00"));
	/* more than an instruction can be */
	CHECK(!DECODE("\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x48\x89\x07"));
}

TEST(any_bytes_are_survived)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 200000; i++) {
		uint8_t *code = malloc(INSN_MAX); /* ASan guards its end */
		unsigned int n = seed >> 40 & 15;

		for (unsigned int j = 0; j < n; j++) {
			seed = seed * 6364136223846793005UL + 1442695040888963407UL;
			code[j] = seed >> 56;
		}
		if (pte_insn_decode(code, n, &insn)) {
			CHECK(insn.length <= n);
			CHECK(insn.size == 1 || insn.size == 2 || insn.size == 4 || insn.size == 8);
			CHECK(insn.reg >= -1 && insn.reg < 16);
		}
		seed++;
		free(code);
	}
}

/* --- the executor, compared with this CPU --- */

#define FLAGS 0x8d5UL

#define RUN(text, type, mem, regs)                                                              \
	do {                                                                                    \
		type m_ = (type)(mem);                                                          \
		uint64_t rax_ = (regs)->rax, rdx_ = (regs)->rdx, f_ = (regs)->rflags;           \
                                                                                                \
		/* below the red zone; the operand by a register, as the stack pointer moves */ \
		__asm__ volatile("lea -128(%%rsp), %%rsp; pushq %2; popfq; " text               \
				 "; pushfq; popq %2; lea 128(%%rsp), %%rsp"                     \
				 : "+a"(rax_), "+d"(rdx_), "+r"(f_)                             \
				 : "r"(&m_)                                                     \
				 : "cc", "memory");                                             \
		(mem) = m_;                                                                     \
		(regs)->rax = rax_;                                                             \
		(regs)->rdx = rdx_;                                                             \
		(regs)->rflags = f_;                                                            \
	} while (0)

static void compare(enum pte_op op, unsigned int size, uint64_t mem, uint64_t ax, uint64_t dx)
{
	struct cpu_user_regs ours = {.rax = ax, .rdx = dx, .rflags = 0x202}, real = ours;
	struct pte_insn i = {.op = op, .size = size, .reg = REG_DX};
	uint64_t mask = size == 8 ? ~0UL : (1UL << 8 * size) - 1, new = 0, after = mem &mask;

#define CASE(o, mnemonic)                                                      \
	case o:                                                                \
		if (size == 8)                                                 \
			RUN(mnemonic "q %%rdx, (%3)", uint64_t, after, &real); \
		else if (size == 4)                                            \
			RUN(mnemonic "l %%edx, (%3)", uint32_t, after, &real); \
		else                                                           \
			RUN(mnemonic "w %%dx, (%3)", uint16_t, after, &real);  \
		break

	switch (op) {
		CASE(PTE_OP_MOV, "mov");
		CASE(PTE_OP_XCHG, "xchg");
		CASE(PTE_OP_CMPXCHG, "cmpxchg");
		CASE(PTE_OP_XADD, "xadd");
		CASE(PTE_OP_ADD, "add");
		CASE(PTE_OP_SUB, "sub");
		CASE(PTE_OP_AND, "and");
		CASE(PTE_OP_OR, "or");
		CASE(PTE_OP_XOR, "xor");
	default:
		return;
	}
	if (!pte_insn_execute(&i, mem & mask, &new, &ours))
		new = mem &mask;
	CHECK_EQ(new, after);
	CHECK_EQ(ours.rax, real.rax);
	CHECK_EQ(ours.rdx, real.rdx);
	/* AF is undefined after logic */
	if (op == PTE_OP_AND || op == PTE_OP_OR || op == PTE_OP_XOR)
		ours.rflags &= ~0x10UL, real.rflags &= ~0x10UL;
	CHECK_EQ(ours.rflags & FLAGS, real.rflags & FLAGS);
}

TEST(executes_as_the_cpu_does)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  0x7f,
					  0x80,
					  0xff,
					  0x7fff,
					  0x8000,
					  0xffff,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  0x123456789abcdef0,
					  0x7fffffffffffffff,
					  0x8000000000000000,
					  ~0UL,
					  ~1UL};
	static const unsigned int sizes[] = {2, 4, 8};

	for (unsigned int op = PTE_OP_MOV; op <= PTE_OP_XOR; op++)
		for (unsigned int s = 0; s < 3; s++)
			for (unsigned int a = 0; a < ARRAY_SIZE(values); a++)
				for (unsigned int b = 0; b < ARRAY_SIZE(values); b++)
					for (unsigned int c = 0; c < 3; c++)
						compare(op, sizes[s], values[a],
							c ? values[a] + (c - 1) : 77, values[b]);
}

TEST(executes_bytes_and_bits)
{
	struct cpu_user_regs r = {.rax = 0x1122334455667788, .rflags = 0x8d5};
	struct pte_insn i = {.op = PTE_OP_XCHG, .size = 1, .reg = REG_AX, .is_high_byte = true};
	uint64_t new;

	CHECK(pte_insn_execute(&i, 0x99, &new, &r));
	CHECK_EQ(new, 0x77);
	CHECK_EQ(r.rax, 0x1122334455669988);
	CHECK_EQ(r.rflags, 0x8d5);
	i = (struct pte_insn){.op = PTE_OP_BTR, .size = 8, .reg = -1, .imm = 5};
	CHECK(pte_insn_execute(&i, 0xff, &new, &r));
	CHECK_EQ(new, 0xdf);
	CHECK_EQ(r.rflags, 0x8d5);
	CHECK(pte_insn_execute(&i, 0xdf, &new, &r));
	CHECK_EQ(r.rflags, 0x8d4);
	i.op = PTE_OP_BTS, i.imm = 64 + 5;
	CHECK(pte_insn_execute(&i, 0, &new, &r));
	CHECK_EQ(new, 0x20);
	i.op = PTE_OP_BTC;
	CHECK(pte_insn_execute(&i, 0x20, &new, &r));
	CHECK_EQ(new, 0);
}

/* --- the fault --- */

/* The L1 maps itself read-only at GUEST_VA + 5 pages. */
#define L1_VA (GUEST_VA + 5 * PAGE_SIZE)

static struct cpu_user_regs regs;
static uint8_t *text;

static void one_guest(void)
{
	guest_init(&g, 1, 0);
	entries_of(g.l1)[9] = pte_of(g.l1, P);
	entries_of(g.l1)[10] = pte_of(g.l2, P);
	entries_of(g.l1)[11] = pte_of(g.data[0], P);
	entries_of(g.l1)[12] = pte_of(g.l4, P);
	guest_start(&g);
	text = fake_guest_alloc(INSN_MAX);
	memset(&regs, 0, sizeof(regs));
}

static bool fault(uint64_t addr, const char *bytes, unsigned int n)
{
	memset(text, 0x90, INSN_MAX);
	memcpy(text, bytes, n);
	regs.rip = (uint64_t)text;
	return pv_fault_write_pte(g.v, addr, &regs);
}

#define FAULT(addr, bytes) fault(addr, bytes, sizeof(bytes) - 1)

TEST(a_store_to_an_l1_is_done)
{
	one_guest();
	regs.rax = pte_of(g.data[2], RW);
	CHECK(FAULT(L1_VA + 8 * 20, "\x48\x89\x07"));
	CHECK_EQ(entries_of(g.l1)[20], pte_of(g.data[2], US));
	CHECK_EQ(regs.rip, (uint64_t)text + 3);
	CHECK_EQ(page_type_count(g.data[2]), 1);
	references_check();
	/* ptep_get_and_clear: xchg with zero gives the old entry */
	entries_of(g.l1)[20] |= PTE_DIRTY;
	regs.rax = 0;
	CHECK(FAULT(L1_VA + 8 * 20, "\x48\x87\x07"));
	CHECK_EQ(regs.rax, pte_of(g.data[2], US | PTE_DIRTY));
	CHECK_EQ(entries_of(g.l1)[20], 0);
	CHECK_EQ(page_type_count(g.data[2]), 0);
	references_check();
	/* ptep_set_wrprotect: lock andb $~2 */
	CHECK_EQ(guest_set_entry(g.l1, 20, pte_of(g.data[2], RW)), 0);
	CHECK(FAULT(L1_VA + 8 * 20, "\xf0\x80\x27\xfd"));
	CHECK_EQ(entries_of(g.l1)[20], pte_of(g.data[2], P | PTE_USER));
	CHECK_EQ(page_type_count(g.data[2]), 0);
	references_check();
	guest_end(&g);
}

TEST(half_an_entry_can_be_written)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.l1, 20, pte_of(g.data[2], P)), 0);
	CHECK(FAULT(L1_VA + 8 * 20 + 4, "\xc7\x07\x00\x00\x00\x80")); /* sets NX */
	CHECK_EQ(entries_of(g.l1)[20], pte_of(g.data[2], P | PTE_USER | PTE_NX));
	references_check();
}

TEST(a_compare_that_fails_stores_nothing)
{
	one_guest();
	regs.rax = 1;
	regs.rdx = pte_of(g.data[2], RW);
	CHECK(FAULT(L1_VA + 8 * 20, "\xf0\x48\x0f\xb1\x17"));
	CHECK_EQ(regs.rax, 0);
	CHECK(!(regs.rflags & 0x40));
	CHECK_EQ(entries_of(g.l1)[20], 0);
	CHECK_EQ(regs.rip, (uint64_t)text + 5);
	CHECK(FAULT(L1_VA + 8 * 20, "\xf0\x48\x0f\xb1\x17"));
	CHECK(regs.rflags & 0x40);
	CHECK_EQ(entries_of(g.l1)[20], pte_of(g.data[2], US));
	references_check();
}

TEST(upper_levels_too)
{
	one_guest();
	regs.rax = pte_of(g.l1, RW);
	CHECK(FAULT(GUEST_VA + 6 * PAGE_SIZE + 8 * 33, "\x48\x89\x07"));
	CHECK_EQ(entries_of(g.l2)[33], pte_of(g.l1, US));
	references_check();
	guest_end(&g);
}

TEST(what_mmu_update_refuses_is_refused)
{
	one_guest();
	regs.rax = pte_of(g.l1, RW);
	CHECK(!FAULT(L1_VA + 8 * 20, "\x48\x89\x07"));
	CHECK_EQ(regs.rip, (uint64_t)text);
	CHECK_EQ(entries_of(g.l1)[20], 0);
	regs.rax = pte_of(g.l3, US);
	CHECK(!FAULT(GUEST_VA + 8 * PAGE_SIZE + 8 * 256, "\x48\x89\x07"));
	CHECK_EQ(entries_of(g.l4)[256], hyp_l4[256]);
	references_check();
}

TEST(other_faults_are_the_guests)
{
	one_guest();
	/* no table, writable already, not mapped, the hypervisor's */
	CHECK(!FAULT(GUEST_VA + 7 * PAGE_SIZE, "\x48\x89\x07"));
	CHECK(!FAULT(GUEST_VA + PAGE_SIZE, "\x48\x89\x07"));
	CHECK(!FAULT(GUEST_VA + 100 * PAGE_SIZE, "\x48\x89\x07"));
	CHECK(!FAULT(M2P_START, "\x48\x89\x07"));
	/* across two entries; unknown instruction; code that cannot be read */
	CHECK(!FAULT(L1_VA + 8 * 20 + 4, "\x48\x89\x07"));
	CHECK(!FAULT(L1_VA + 8 * 20 + 7, "\x66\x89\x07"));
	CHECK(!FAULT(L1_VA + 8 * 20, "\xf3\x48\xab"));
	regs.rip = 0x1000;
	CHECK(!pv_fault_write_pte(g.v, L1_VA, &regs));
	references_check();
	/* a frame of another domain is none of its tables */
	entries_of(g.l1)[13] = 3UL << 47 | P;
	CHECK(!FAULT(GUEST_VA + 9 * PAGE_SIZE, "\x48\x89\x07"));
	entries_of(g.l1)[13] = 0;
}

TEST(an_interrupted_write_is_tried_again)
{
	unsigned int tries = 0;

	guest_init(&g, 1, 0);
	for (unsigned int i = 0; i < 20; i++)
		entries_of(g.l2)[100 + i] = pte_of(fake_frame_alloc(g.d), US);
	entries_of(g.l1)[10] = pte_of(g.l3, P);
	guest_start(&g);
	text = fake_guest_alloc(INSN_MAX);
	memset(&regs, 0, sizeof(regs));
	fake_preempt_every = 1;
	CHECK(FAULT(GUEST_VA + 6 * PAGE_SIZE + 8 * 5, "\x48\x89\x07"));
	CHECK_EQ(guest_set_entry(g.l3, 3, pte_of(g.l2, US)), 0);
	/* the mapping through which it is written stays in another tree */
	CHECK_EQ(guest_set_entry(g.l4, 2, pte_of(g.l3, US)), 0);
	regs.rax = pte_of(g.l2, US);
	do {
		CHECK(FAULT(GUEST_VA + 6 * PAGE_SIZE + 8 * 7, "\x48\x89\x07"));
		references_check();
		CHECK(++tries < 100);
	} while (regs.rip == (uint64_t)text);
	CHECK_EQ(entries_of(g.l3)[7], pte_of(g.l2, US));
	guest_end(&g);
}
