/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator against the CPU: each instruction below is done by both, with
 * many values, on the same memory, and has to leave the same registers, flags
 * and bytes; then what a CPU cannot show: waiting, faults, other modes.
 *
 * Links: hvm/emulate.c hvm/emulate_alu.c hvm/emulate_memory.c hvm/emulate_string.c
 * Links: hvm/io.c hvm/decode.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_guest.c hvm/native.c
 */
#include "cpu/asm.h"
#include "cpu/trap.h"
#include "fake_guest.h"
#include "native.h"

#define FLAGS_ARITHMETIC 0x8d5UL

/* --- the samples --- */

struct sample {
	const uint8_t *code;
	uint64_t size, undefined; /* flags that the manual leaves undefined */
};

extern const struct sample samples_start[], samples_end[];

__asm__(".macro I undefined insn:vararg\n"
	"771: \\insn\n"
	"772: .pushsection .data.rel.ro.emulated,\"aw\"\n"
	".quad 771b, 772b - 771b, \\undefined\n"
	".popsection\n"
	".endm\n"
	".pushsection .data.rel.ro.emulated,\"aw\"\n"
	".globl samples_start\nsamples_start:\n"
	".popsection\n");

/* op, in all its sizes and directions, on memory m */
#define ALU(op, undefined, m)                                                               \
	"I " undefined " " op "b %al, " m "\n I " undefined " " op "b %ah, " m "\n"         \
	"I " undefined " " op "b %sil, " m "\n I " undefined " " op "w %ax, " m "\n"        \
	"I " undefined " " op "l %r9d, " m "\n I " undefined " " op "q %rax, " m "\n"       \
	"I " undefined " " op "b " m ", %bh\n I " undefined " " op "b " m ", %r9b\n"        \
	"I " undefined " " op "w " m ", %bx\n I " undefined " " op "l " m ", %ebx\n"        \
	"I " undefined " " op "q " m ", %r10\n I " undefined " " op "b $0x85, " m "\n"      \
	"I " undefined " " op "w $-3, " m "\n I " undefined " " op "l $0x81234567, " m "\n" \
	"I " undefined " " op "q $-5, " m "\n I " undefined " " op "q $-0x6543210, " m "\n"
#define SIZES(op, undefined, m)                                                               \
	"I " undefined " " op "b " m "\n I " undefined " " op "w " m "\n I " undefined " " op \
	"l " m "\n I " undefined " " op "q " m "\n"
#define STORES(op, undefined, m)                                                     \
	"I " undefined " " op "b %al, " m "\n I " undefined " " op "b %bh, " m "\n"  \
	"I " undefined " " op "w %ax, " m "\n I " undefined " " op "l %ebx, " m "\n" \
	"I " undefined " " op "q %r10, " m "\n"
#define BITS(op, m)                                                                              \
	"I 0x8d4 " op "w %r11w, " m "\n I 0x8d4 " op "l %r11d, " m "\n I 0x8d4 " op "q %r11, " m \
	"\n I 0x8d4 " op "w $13, " m "\n I 0x8d4 " op "l $31, " m "\n I 0x8d4 " op "q $63, " m   \
	"\n"

/* clang-format off */
__asm__(".pushsection .text\n"
	ALU("add", "0", "(%rdi)") ALU("or", "0x10", "8(%rdi)") ALU("adc", "0", "(%rdi,%rcx)")
	ALU("sbb", "0", "(%rdi,%rcx,8)") ALU("and", "0x10", "-9(%rdi)") ALU("sub", "0", "0x123(%rdi)")
	ALU("xor", "0x10", "(%rdi)") ALU("cmp", "0", "(%rdi)")
	STORES("mov", "0", "(%rdi)") STORES("test", "0x10", "(%rdi)") STORES("xchg", "0", "(%rdi)")
	STORES("xadd", "0", "(%rdi)") STORES("cmpxchg", "0", "(%rdi)")
	SIZES("not", "0", "(%rdi)") SIZES("neg", "0", "(%rdi)") SIZES("inc", "0", "(%rdi)")
	SIZES("dec", "0", "(%rdi)") BITS("bt", "(%rdi)") BITS("bts", "(%rdi)") BITS("btr", "(%rdi)")
	BITS("btc", "(%rdi)")
	"I 0 movb (%rdi), %ah\n I 0 movb (%rdi), %r8b\n I 0 movw (%rdi), %dx\n"
	"I 0 movl (%rdi), %edx\n I 0 movq (%rdi), %r14\n I 0 movb $7, (%rdi)\n"
	"I 0 movw $0x8123, (%rdi)\n I 0 movl $0x81234567, (%rdi)\n I 0 movq $-2, (%rdi)\n"
	"I 0x10 testb $0x81, (%rdi)\n I 0x10 testl $0x80000001, (%rdi)\n"
	"I 0x10 testq $-1, (%rdi)\n I 0 lock addl $5, (%rdi)\n I 0 lock cmpxchgl %ebx, (%rdi)\n"
	"I 0 movzbw (%rdi), %ax\n I 0 movzbl (%rdi), %eax\n I 0 movzbq (%rdi), %rax\n"
	"I 0 movzwl (%rdi), %ebp\n I 0 movzwq (%rdi), %rbp\n I 0 movsbw (%rdi), %ax\n"
	"I 0 movsbl (%rdi), %eax\n I 0 movsbq (%rdi), %rax\n I 0 movswl (%rdi), %eax\n"
	"I 0 movswq (%rdi), %r15\n I 0 movslq (%rdi), %r15\n I 0 movntil %eax, (%rdi)\n"
	"I 0 movntiq %rax, (%rdi)\n"
	"I 0 movsb\n I 0 movsw\n I 0 movsl\n I 0 movsq\n I 0 stosb\n I 0 stosw\n I 0 stosl\n"
	"I 0 stosq\n I 0 lodsb\n I 0 lodsw\n I 0 lodsl\n I 0 lodsq\n I 0 cmpsb\n I 0 cmpsq\n"
	"I 0 scasb\n I 0 scasl\n I 0 rep movsb\n I 0 rep movsw\n I 0 rep movsl\n I 0 rep movsq\n"
	"I 0 rep stosb\n I 0 rep stosl\n I 0 rep stosq\n I 0 rep lodsw\n I 0 repe cmpsb\n"
	"I 0 repne cmpsw\n I 0 repe scasb\n I 0 repne scasb\n I 0 repne scasl\n"
	".popsection\n");
/* clang-format on */

__asm__(".pushsection .data.rel.ro.emulated,\"aw\"\n"
	".globl samples_end\nsamples_end:\n"
	".popsection\n");

/* --- both --- */

static uint8_t native_memory[FAKE_SIZE] aligned_to(4096);

static uint64_t random_next(void)
{
	static uint64_t seed = 0x123456789abcdef;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Memory with many equal bytes, so that comparisons go both ways */
static void memory_fill(void)
{
	uint64_t kinds = random_next();

	for (unsigned int i = 0; i < FAKE_SIZE; i++)
		native_memory[i] = kinds >> (i & 31) & 1 ? random_next() >> 40 : 0x80;
	memcpy(fake_memory, native_memory, FAKE_SIZE);
}

static struct cpu_user_regs registers_random(void)
{
	struct cpu_user_regs r = {
		.rax = random_next(),
		.rbx = random_next(),
		.rcx = random_next() & 15,
		.rdx = random_next(),
		.rbp = random_next(),
		.r8 = random_next(),
		.r9 = random_next(),
		.r10 = random_next(),
		.r11 = (random_next() & 4095) - 2048,
		.r12 = random_next(),
		.r13 = random_next(),
		.r14 = random_next(),
		.r15 = random_next(),
		/* near a page's end now and then */
		.rdi = (uint64_t)native_memory + 3 * PAGE_SIZE - 8 + (random_next() & 31),
		.rsi = (uint64_t)native_memory + 6 * PAGE_SIZE - 8 + (random_next() & 31),
		.rip = 0x1000,
		.rflags = X86_EFLAGS_MBS | (random_next() & (FLAGS_ARITHMETIC | X86_EFLAGS_DF)),
	};

	if (random_next() & 1)
		memcpy(&r.rax, (void *)r.rdi, 8);
	return r;
}

static void sample_emulate(struct vcpu *v, const struct sample *s)
{
	memcpy(fake_code, s->code, s->size);
	fake_code_size = s->size;
	for (unsigned int i = 0; guest_regs()->rip == 0x1000; i++) {
		CHECK(i < 40);
		hvm_emulate_current(v);
		CHECK_EQ(fake_exceptions, 0);
		while (v->hvm->io.resume != HVM_RESUME_NONE) {
			CHECK(hvm_io_resume(v));
			fake_model_answer(v);
			(void)!hvm_io_resume(v);
		}
	}
	CHECK_EQ(guest_regs()->rip, 0x1000 + s->size);
}

static void sample_compare(struct vcpu *v, const struct sample *s, enum p2m_type source)
{
	struct cpu_user_regs regs = registers_random(), *got = guest_regs();
	uint64_t flags = FLAGS_ARITHMETIC & ~s->undefined;

	memory_fill();
	for (unsigned int i = 0; i < FAKE_PAGES; i++)
		fake_types[i] = i >= 5 ? source : P2M_NONE;
	fake_linear = (uint64_t)native_memory;
	fake_answerer = FAKE_PLATFORM + random_next() % 3;
	fake_nr_accesses = 0;
	*got = regs;
	native_run(s->code, s->size, &regs);
	sample_emulate(v, s);
	regs.rip = got->rip;
	CHECK_EQ(got->rflags & flags, regs.rflags & flags);
	CHECK_EQ(got->rflags & ~FLAGS_ARITHMETIC, regs.rflags & ~FLAGS_ARITHMETIC);
	got->rflags = regs.rflags;
	CHECK(!memcmp(got, &regs, sizeof(regs)));
	CHECK(!memcmp(fake_memory, native_memory, FAKE_SIZE));
}

TEST(emulate_does_what_the_cpu_does)
{
	struct vcpu *v = fake_guest_make(INSN_64BIT);

	for (const struct sample *s = samples_start; s < samples_end; s++) {
		for (unsigned int i = 0; i < 60; i++) {
			fake_code_size = 0;
			sample_compare(v, s, i & 1 ? P2M_NONE : P2M_RAM);
		}
	}
	fake_guest_end(v);
}

/* --- one instruction at a time --- */

static struct vcpu *v;

static void begin(enum insn_mode mode)
{
	v = fake_guest_make(mode);
	fake_types[1] = P2M_NONE;
	guest_regs()->rdi = guest_regs()->rsi = PAGE_SIZE + 0x10;
}

static void emulate(const char *code, unsigned int size)
{
	memcpy(fake_code, code, size);
	fake_code_size = size;
	hvm_emulate_current(v);
}
#define EMULATE(code) emulate(code, sizeof(code) - 1)

static bool is_done(unsigned int size)
{
	return !fake_exceptions && guest_regs()->rip == 0x1000 + size &&
	       v->hvm->io.resume == HVM_RESUME_NONE;
}

static bool is_untouched(void)
{
	return guest_regs()->rip == 0x1000 && !fake_nr_accesses;
}

TEST(emulate_uses_the_whole_address_form)
{
	begin(INSN_64BIT);
	memset(fake_memory + PAGE_SIZE, 0x5a, PAGE_SIZE);
	guest_regs()->rip = 0x1000;
	EMULATE("\x8b\x05\x20\0\0\0"); /* mov 0x20(%rip), %eax */
	CHECK(is_done(6));
	CHECK_EQ(guest_regs()->rax, 0x5a5a5a5a);
	CHECK_EQ(fake_accesses[0].addr, 0x1026);
	guest_regs()->rip = 0x1000;
	guest_regs()->rax = ~0UL;
	EMULATE("\x67\xa0\x34\x12\0\0"); /* addr32 mov 0x1234, %al */
	CHECK_EQ(guest_regs()->rax, 0xffffffffffffff5a);
	CHECK_EQ(fake_accesses[1].addr, 0x1234);
	fake_segments[HVM_GS].base = 0x1800;
	guest_regs()->rip = 0x1000;
	guest_regs()->rdi = 8;
	EMULATE("\x65\x88\x07"); /* mov %al, %gs:(%rdi) */
	CHECK_EQ(fake_accesses[2].addr, 0x1808);
	/* 64-bit code has no other bases */
	fake_segments[HVM_DS].base = 0x100;
	guest_regs()->rip = 0x1000;
	EMULATE("\xa2\x40\x10\0\0\0\0\0\0"); /* movabs %al, 0x1040 */
	CHECK_EQ(fake_accesses[3].addr, 0x1040);
	fake_guest_end(v);

	begin(INSN_16BIT);
	fake_segments[HVM_DS].base = 0x1000;
	guest_regs()->rbx = 0x12340ff0;
	guest_regs()->rsi = 0xf020;
	EMULATE("\x88\x00"); /* mov %al, (%bx,%si): 16 bits of it */
	CHECK(is_done(2));
	CHECK_EQ(fake_accesses[0].addr, 0x1010);
	fake_guest_end(v);
}

TEST(emulate_splits_an_operand_by_page_and_size)
{
	begin(INSN_64BIT);
	fake_types[2] = P2M_NONE;
	guest_regs()->rdi = 2 * PAGE_SIZE - 3;
	guest_regs()->rax = 0x8877665544332211;
	EMULATE("\x48\x89\x07"); /* mov %rax, (%rdi) */
	CHECK(is_done(3));
	CHECK_EQ(fake_nr_accesses, 4);
	CHECK_EQ(fake_accesses[0].size, 2);
	CHECK_EQ(fake_accesses[1].size, 1);
	CHECK_EQ(fake_accesses[1].data, 0x33);
	CHECK_EQ(fake_accesses[2].size, 4);
	CHECK_EQ(fake_accesses[2].addr, 2 * PAGE_SIZE);
	CHECK_EQ(fake_accesses[3].size, 1);
	CHECK_EQ(fake_accesses[3].data, 0x88);
	/* half device, half RAM: RAM only when the device has answered */
	fake_types[2] = P2M_RAM;
	fake_nr_accesses = 0;
	fake_answerer = FAKE_MODEL;
	guest_regs()->rip = 0x1000;
	memset(fake_memory + 2 * PAGE_SIZE, 0, 8);
	EMULATE("\x48\x89\x07");
	CHECK_EQ(fake_memory[2 * PAGE_SIZE], 0);
	fake_model_answer(v);
	CHECK(hvm_io_resume(v));
	CHECK_EQ(fake_memory[2 * PAGE_SIZE], 0);
	fake_model_answer(v);
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(fake_memory[2 * PAGE_SIZE], 0x44);
	CHECK_EQ(fake_nr_accesses, 2);
	CHECK(is_done(3));
	fake_guest_end(v);
}

TEST(emulate_faults_before_it_touches_anything)
{
	begin(INSN_64BIT);
	fake_types[2] = P2M_NONE;
	guest_regs()->rdi = 2 * PAGE_SIZE - 2;
	fake_denied[2] = PF_WRITE;
	EMULATE("\x89\x07"); /* the second page is not writable */
	CHECK(is_untouched());
	CHECK_EQ(fake_vector, TRAP_PF);
	CHECK_EQ(fake_cr2, 2 * PAGE_SIZE);
	CHECK_EQ(fake_error, PF_WRITE);
	EMULATE("\x8b\x07"); /* but may be read */
	CHECK_EQ(fake_exceptions, 1);

	/* rights are those of ring 3 there */
	fake_exceptions = fake_nr_accesses = 0;
	guest_regs()->rip = 0x1000;
	fake_denied[2] = PF_USER;
	EMULATE("\x8b\x07");
	CHECK_EQ(fake_exceptions, 0);
	fake_nr_accesses = 0;
	guest_regs()->rip = 0x1000;
	fake_cpl = 3;
	EMULATE("\x8b\x07");
	CHECK(is_untouched());
	CHECK_EQ(fake_error, PF_USER);

	/* not canonical, at either end */
	guest_regs()->rdi = 0x800000000000 - 1;
	EMULATE("\x8b\x07");
	CHECK_EQ(fake_vector, TRAP_GP);
	guest_regs()->rbp = 0x800000000000;
	EMULATE("\x8b\x45\x00"); /* of the stack segment */
	CHECK_EQ(fake_vector, TRAP_SS);
	CHECK(is_untouched());

	/* MOVS: the destination's fault comes before the source is read */
	guest_regs()->rsi = PAGE_SIZE;
	guest_regs()->rdi = FAKE_SIZE;
	EMULATE("\xa4");
	CHECK_EQ(fake_vector, TRAP_PF);
	CHECK(is_untouched());
	fake_guest_end(v);
}

static void refused(const char *code, unsigned int size, unsigned int vector)
{
	fake_vector = ~0U;
	guest_regs()->rip = 0x1000;
	fake_nr_accesses = 0;
	emulate(code, size);
	CHECK_EQ(fake_vector, vector);
	CHECK(is_untouched());
}
#define REFUSED(code, vector) refused(code, sizeof(code) - 1, vector)

static void allowed(const char *code, unsigned int size)
{
	fake_exceptions = 0;
	guest_regs()->rip = 0x1000;
	emulate(code, size);
	CHECK(is_done(size));
}
#define ALLOWED(code) allowed(code, sizeof(code) - 1)

TEST(emulate_heeds_segments)
{
	struct hvm_segment *ds, *cs;

	begin(INSN_32BIT);
	ds = &fake_segments[HVM_DS];
	cs = &fake_segments[HVM_CS];
	ds->limit = PAGE_SIZE + 0x12;
	REFUSED("\x8b\x07", TRAP_GP); /* mov (%edi), %eax: a byte too far */
	ds->limit++;
	ALLOWED("\x8b\x07");
	/* expand-down: above the limit, up to 64 KiB or 4 GiB */
	ds->attr |= 4;
	REFUSED("\x8b\x07", TRAP_GP);
	ds->limit = PAGE_SIZE + 0xf;
	ALLOWED("\x8b\x07");
	ds->attr &= ~HVM_SEG_DB;
	guest_regs()->rdi = 0xfffe;
	REFUSED("\x8b\x07", TRAP_GP);
	guest_regs()->rdi = PAGE_SIZE + 0x10;
	/* read-only, not there */
	ds->attr = HVM_SEG_P | 0x11 | HVM_SEG_DB;
	ds->limit = ~0U;
	ALLOWED("\x8b\x07");
	REFUSED("\x89\x07", TRAP_GP);
	ds->attr = 0;
	REFUSED("\x8b\x07", TRAP_GP);
	/* code: never written, read only if it says so */
	cs->attr = HVM_SEG_P | 0x1b;
	ALLOWED("\x2e\x8b\x07");
	REFUSED("\x2e\x89\x07", TRAP_GP);
	cs->attr = HVM_SEG_P | 0x19;
	REFUSED("\x2e\x8b\x07", TRAP_GP);
	/* real mode and virtual 8086 mode know limits alone */
	guest_regs()->rflags |= X86_EFLAGS_VM;
	ALLOWED("\x2e\x89\x07");
	guest_regs()->rflags &= ~X86_EFLAGS_VM;
	v->hvm->cr0 = 0;
	ALLOWED("\x2e\x89\x07");
	cs->limit = 0xffff;
	guest_regs()->rdi = 0xfffe;
	REFUSED("\x2e\x89\x07", TRAP_GP);
	fake_guest_end(v);
}

TEST(emulate_of_memory_that_is_no_device)
{
	begin(INSN_64BIT);
	/* ROM drops writes, gives its bytes */
	fake_types[1] = P2M_RAM_RO;
	fake_memory[PAGE_SIZE + 0x10] = 7;
	guest_regs()->rax = 9;
	EMULATE("\x88\x07");
	CHECK(is_done(2));
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x10], 7);
	ALLOWED("\x8a\x07");
	CHECK_EQ(guest_regs()->rax, 7);
	/* of what no longer is anything, ones */
	fake_types[1] = P2M_GRANT_RO;
	ALLOWED("\x8a\x07");
	CHECK_EQ(guest_regs()->rax, 0xff);
	/* RAM that is read and written: by the guest itself */
	fake_types[1] = P2M_RAM;
	guest_regs()->rip = 0x1000;
	EMULATE("\xf0\x01\x07"); /* lock add */
	CHECK(is_untouched());
	CHECK_EQ(v->hvm->io.resume, HVM_RESUME_NONE);
	CHECK_EQ(fake_exceptions, 0);
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x10], 7);
	/* memory whose writes a device model sees */
	fake_types[1] = P2M_IOREQ;
	EMULATE("\x88\x07");
	CHECK_EQ(fake_nr_accesses, 1);
	fake_guest_end(v);
}

TEST(emulate_nobody_answers_ones)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_NOBODY;
	guest_regs()->rax = 0;
	EMULATE("\x8b\x07");
	CHECK(is_done(2));
	CHECK_EQ(guest_regs()->rax, 0xffffffff);
	ALLOWED("\x89\x07");
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x10], 0);
	fake_guest_end(v);
}

TEST(emulate_unknown_is_undefined)
{
	begin(INSN_64BIT);
	REFUSED("\x0f\x28\x07", TRAP_UD);     /* movaps (%rdi), %xmm0 */
	REFUSED("\xff\x37", TRAP_UD);	      /* push (%rdi) */
	REFUSED("\xc6\x4f\x01\x01", TRAP_UD); /* C6 /1 */
	REFUSED("\x0f\xba\x1f\x01", TRAP_UD); /* 0F BA /3 */
	REFUSED("\x01\xc7", TRAP_UD);	      /* add %eax, %edi: no memory in it */
	REFUSED("\x90", TRAP_UD);
	REFUSED("\xf3\xf9", TRAP_UD); /* no string, whatever it is repeated */
	REFUSED("\x0f\x0b", TRAP_UD);
	CHECK(strstr(fake_log, "opcode 1:0x28 on a device is unknown"));
	/* what cannot be fetched */
	REFUSED("\x8b", TRAP_GP);
	fake_guest_end(v);

	begin(INSN_32BIT);
	REFUSED("\x63\x07", TRAP_UD); /* arpl %ax, (%edi): not MOVSXD there */
	fake_guest_end(v);
}

TEST(emulate_smsw_stores_a_word)
{
	begin(INSN_64BIT);
	v->hvm->cr0 = 0x80000011;
	fake_memory[PAGE_SIZE + 0x12] = 0x55;
	EMULATE("\x0f\x01\x27"); /* smsw (%rdi) */
	CHECK(is_done(3));
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x10], 0x11);
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x12], 0x55);
	fake_guest_end(v);
}

/* --- waiting --- */

TEST(io_waits_for_a_device_model)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	fake_memory[PAGE_SIZE + 0x10] = 0x42;
	guest_regs()->rax = 1;
	EMULATE("\x00\x07"); /* add %al, (%rdi) */
	CHECK(guest_regs()->rip == 0x1000 && v->hvm->io.resume == HVM_RESUME_EMULATE);
	/* not answered: it stands still */
	CHECK(hvm_io_resume(v));
	CHECK_EQ(fake_io_waits, 1);
	CHECK(bit_test(&v->flags, VCPU_F_IO_WAIT));
	fake_model_answer(v);
	/* the write is another request; the read is not made again */
	CHECK(hvm_io_resume(v));
	CHECK_EQ(fake_nr_accesses, 1);
	fake_model_answer(v);
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(fake_nr_accesses, 2);
	CHECK_EQ(fake_memory[PAGE_SIZE + 0x10], 0x43);
	CHECK(is_done(2));
	fake_guest_end(v);
}

TEST(io_asks_anew_when_the_instruction_has_another_operand_now)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	fake_types[2] = P2M_NONE;
	EMULATE("\x8b\x07");
	fake_memory[2 * PAGE_SIZE + 0x10] = 5;
	/* as if another vCPU had changed the page tables */
	guest_regs()->rdi += PAGE_SIZE;
	fake_model_answer(v);
	CHECK(hvm_io_resume(v));
	CHECK_EQ(v->hvm->io.ask.addr, 2 * PAGE_SIZE + 0x10);
	fake_model_answer(v);
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(guest_regs()->rax, 5);
	fake_guest_end(v);
}

static void port(unsigned int number, unsigned int size, bool is_write)
{
	guest_regs()->rip = 0x1000;
	hvm_port_exit(v, number, size, is_write, 0x1002);
}

TEST(io_port_reads_and_writes_by_size)
{
	begin(INSN_64BIT);
	guest_regs()->rax = 0xaaaaaaaa11223344;
	port(0x70, 1, true);
	CHECK_EQ(fake_accesses[0].data, 0x44);
	CHECK(is_done(2));
	fake_port_data = 0x99887766;
	port(0x71, 1, false);
	CHECK_EQ(guest_regs()->rax, 0xaaaaaaaa11223366);
	port(0x71, 2, false);
	CHECK_EQ(guest_regs()->rax, 0xaaaaaaaa11227766);
	port(0x71, 4, false);
	CHECK_EQ(guest_regs()->rax, 0x99887766);
	fake_answerer = FAKE_NOBODY;
	port(0xcf8, 4, false);
	CHECK_EQ(guest_regs()->rax, 0xffffffff);
	port(0xcf8, 4, true);
	CHECK(is_done(2));
	/* A PIT that is not there reads as zero, one that is and does not answer as ones. */
	port(0x42, 1, false);
	CHECK_EQ(guest_regs()->rax, 0xffffff00);
	v->domain->hvm->emulation = XEN_X86_EMU_PIT;
	port(0x42, 1, false);
	CHECK_EQ(guest_regs()->rax, 0xffffffff);
	fake_guest_end(v);
}

TEST(io_port_waits_for_a_device_model)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	fake_port_data = 0x12;
	port(0x1f0, 2, false);
	CHECK_EQ(guest_regs()->rip, 0x1000);
	CHECK(hvm_io_resume(v));
	fake_model_answer(v);
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(guest_regs()->rax, 0x12);
	CHECK(is_done(2));
	fake_guest_end(v);
}

TEST(io_cancel_forgets_the_instruction_not_the_request)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	port(0x1f0, 2, false);
	hvm_io_cancel(v);
	CHECK(hvm_io_resume(v));
	v->hvm->io.waits_for = 0;
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(guest_regs()->rip, 0x1000);
	hvm_io_cancel(v);
	CHECK_EQ(v->hvm->io.resume, HVM_RESUME_NONE);
	fake_guest_end(v);
}

TEST(io_invalidate_waits_for_all)
{
	begin(INSN_64BIT);
	hvm_io_invalidate_maps(v);
	CHECK(hvm_io_resume(v));
	CHECK(hvm_io_resume(v));
	CHECK_EQ(fake_invalidates, 1);
	fake_model_answer(v);
	CHECK(!hvm_io_resume(v));
	CHECK_EQ(v->hvm->io.resume, HVM_RESUME_NONE);
	fake_guest_end(v);
}

/* --- strings --- */

/* Passes of the instruction until it is done: how many requests that took. */
static unsigned int string_run(const char *code, unsigned int size, unsigned int port_size,
			       bool is_write)
{
	memcpy(fake_code, code, size);
	fake_code_size = size;
	fake_nr_accesses = 0;
	guest_regs()->rip = 0x1000;
	for (unsigned int i = 0; guest_regs()->rip == 0x1000; i++) {
		CHECK(i < 5000);
		if (port_size)
			hvm_port_string_exit(v, port_size, is_write);
		else
			hvm_emulate_current(v);
		CHECK_EQ(fake_exceptions, 0);
		while (v->hvm->io.resume != HVM_RESUME_NONE) {
			fake_model_answer(v);
			(void)!hvm_io_resume(v);
		}
	}
	return fake_nr_accesses;
}
#define STRING_RUN(code, port_size, is_write) \
	string_run(code, sizeof(code) - 1, port_size, is_write)

TEST(string_io_in_one_request_for_each_page)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	fake_port_data = 0xbeef;
	guest_regs()->rdx = 0xabc01f0;
	guest_regs()->rdi = 3 * PAGE_SIZE - 0x100;
	guest_regs()->rcx = 0x100;
	/* to the page's end; in the next page as many as there are */
	CHECK_EQ(STRING_RUN("\xf3\x66\x6d", 2, false), 2);
	CHECK_EQ(fake_accesses[0].count, 0x80);
	CHECK_EQ(fake_accesses[0].addr, 0x1f0);
	CHECK_EQ(fake_accesses[1].count, 0x80);
	CHECK_EQ(guest_regs()->rdi, 3 * PAGE_SIZE + 0x100);
	CHECK_EQ(guest_regs()->rcx, 0);
	for (unsigned int i = 0; i < 0x200; i++)
		CHECK_EQ(fake_memory[3 * PAGE_SIZE - 0x100 + i], i & 1 ? 0xbe : 0xef);
	/* downwards */
	guest_regs()->rflags |= X86_EFLAGS_DF;
	guest_regs()->rsi = 4 * PAGE_SIZE + 8;
	guest_regs()->rcx = 10;
	CHECK_EQ(STRING_RUN("\xf3\x6f", 4, true), 2);
	CHECK_EQ(fake_accesses[0].count, 3);
	CHECK(fake_accesses[0].is_down);
	CHECK_EQ(fake_accesses[1].count, 7);
	CHECK_EQ(guest_regs()->rsi, 4 * PAGE_SIZE + 8 - 40);
	/* a device in the hypervisor takes one after the other */
	fake_answerer = FAKE_PLATFORM;
	guest_regs()->rcx = 5;
	CHECK_EQ(STRING_RUN("\xf3\x6e", 1, true), 5);
	/* and a traced guest sees each */
	fake_answerer = FAKE_MODEL;
	guest_regs()->rflags |= X86_EFLAGS_TF;
	guest_regs()->rcx = 5;
	CHECK_EQ(STRING_RUN("\xf3\x6e", 1, true), 5);
	fake_guest_end(v);
}

TEST(string_copies_and_fills_in_few_requests)
{
	begin(INSN_64BIT);
	fake_answerer = FAKE_MODEL;
	guest_regs()->rsi = 3 * PAGE_SIZE;
	guest_regs()->rdi = PAGE_SIZE;
	guest_regs()->rcx = 0x40;
	memset(fake_memory + 3 * PAGE_SIZE, 0x77, 0x200);
	CHECK_EQ(STRING_RUN("\xf3\x48\xa5", 0, false), 2);
	CHECK_EQ(fake_accesses[1].count, 0x3f);
	CHECK(fake_accesses[1].has_memory);
	CHECK(!memcmp(fake_memory + PAGE_SIZE, fake_memory + 3 * PAGE_SIZE, 0x200));
	/* from the device */
	guest_regs()->rsi = PAGE_SIZE;
	guest_regs()->rdi = 4 * PAGE_SIZE;
	guest_regs()->rcx = 0x40;
	CHECK_EQ(STRING_RUN("\xf3\x48\xa5", 0, false), 2);
	CHECK(!memcmp(fake_memory + 4 * PAGE_SIZE, fake_memory + 3 * PAGE_SIZE, 0x200));
	guest_regs()->rax = 0x3c;
	guest_regs()->rdi = PAGE_SIZE;
	guest_regs()->rcx = 0x100;
	CHECK_EQ(STRING_RUN("\xf3\xaa", 0, false), 2);
	for (unsigned int i = 0; i < 0x100; i++)
		CHECK_EQ(fake_memory[PAGE_SIZE + i], 0x3c);
	/* device to device, and two instructions in turn: each element for itself */
	guest_regs()->rsi = PAGE_SIZE;
	guest_regs()->rdi = PAGE_SIZE + 0x800;
	guest_regs()->rcx = 4;
	CHECK_EQ(STRING_RUN("\xf3\xa4", 0, false), 8);
	fake_guest_end(v);
}

TEST(string_batch_ends_where_segment_and_offset_end)
{
	begin(INSN_16BIT);
	fake_answerer = FAKE_MODEL;
	/* a base that is no page's start */
	fake_segments[HVM_ES].base = 0x2ff0;
	fake_segments[HVM_ES].limit = 0x17;
	guest_regs()->rdi = 0;
	guest_regs()->rcx = 8;
	CHECK_EQ(STRING_RUN("\xf3\x6d", 2, false), 1); /* 8: to the page's end */
	CHECK_EQ(fake_accesses[0].count, 8);
	/* elements behind the limit fault when it is their turn */
	guest_regs()->rdi = 0x10;
	guest_regs()->rcx = 5;
	fake_nr_accesses = 0;
	guest_regs()->rip = 0x1000;
	memcpy(fake_code, "\xf3\x6d", fake_code_size = 2);
	while (!fake_exceptions) {
		hvm_port_string_exit(v, 2, false);
		while (v->hvm->io.resume != HVM_RESUME_NONE) {
			fake_model_answer(v);
			(void)!hvm_io_resume(v);
		}
	}
	CHECK_EQ(fake_vector, TRAP_GP);
	CHECK_EQ(guest_regs()->rcx, 1);
	CHECK_EQ(fake_nr_accesses, 4);
	fake_guest_end(v);
}

TEST(string_io_only_as_the_cpu_allowed_it)
{
	begin(INSN_64BIT);
	guest_regs()->rdi = guest_regs()->rsi = 0;
	guest_regs()->rdx = 0x60;
	memcpy(fake_code, "\x6d", fake_code_size = 1);
	hvm_emulate_current(v); /* not by a port exit at all */
	CHECK(is_untouched());
	hvm_port_string_exit(v, 1, false); /* of another size */
	CHECK(is_untouched());
	hvm_port_string_exit(v, 4, true); /* and the other way */
	CHECK(is_untouched());
	hvm_port_string_exit(v, 4, false);
	CHECK(is_done(1));
	CHECK_EQ(fake_nr_accesses, 1);
	fake_guest_end(v);
}

TEST(string_of_no_elements_is_done)
{
	begin(INSN_32BIT);
	guest_regs()->rcx = 0xffffffff00000000; /* of which 32-bit code sees half */
	EMULATE("\xf3\xa4");
	CHECK(is_done(2));
	CHECK_EQ(fake_nr_accesses, 0);
	CHECK_EQ(guest_regs()->rdi, PAGE_SIZE + 0x10);
	fake_guest_end(v);
}
