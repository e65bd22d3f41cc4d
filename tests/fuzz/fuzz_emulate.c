/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the instruction decoder and emulator and of the wait for a device
 * model: any bytes as an instruction, with any registers, segments, memory.
 * What is done must be whole or not at all; and what 64-bit code does without
 * a fault is done by the CPU too, and has to come out the same.
 *
 * Hypervisor: hvm/decode.c hvm/emulate.c hvm/emulate_alu.c hvm/emulate_memory.c
 * Hypervisor: hvm/emulate_string.c hvm/io.c lib/bits.c
 * Also: tests/unit/fake/fake.c tests/unit/hvm/fake_vendor.c tests/unit/hvm/fake_guest.c
 * Also: tests/unit/hvm/native.c
 */
#include "cpu/asm.h"
#include "hvm/fake_guest.h"
#include "hvm/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLAGS_ARITHMETIC 0x8d5UL
#define RIP		 0x1000
#define STRING_MAX	 64

struct input {
	uint8_t mode, answerer, cpl, as_cpu, port_size, is_port_write;
	uint8_t types[FAKE_PAGES], denied[FAKE_PAGES];
	uint8_t code[15], code_size;
	uint8_t in_memory[2]; /* which registers point into memory */
	uint16_t flags;
	uint8_t segment_attr[6], segment_short;
	uint64_t gprs[16];
	uint64_t cr0;
};

static uint8_t native_memory[FAKE_SIZE] aligned_to(4096);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void registers_set(const struct input *in, uint64_t base)
{
	struct cpu_user_regs *regs = guest_regs();

	for (unsigned int i = 0; i < 16; i++) {
		uint64_t val = in->gprs[i];

		if (in->in_memory[i / 8] >> (i % 8) & 1)
			val = base + val % (FAKE_SIZE + 16);
		*hvm_gpr(i) = val;
	}
	regs->rip = RIP;
	regs->rflags = X86_EFLAGS_MBS | (in->flags & (FLAGS_ARITHMETIC | X86_EFLAGS_DF));
}

static void guest_set(const struct input *in, bool as_cpu)
{
	static const enum p2m_type types[] = {P2M_NONE, P2M_RAM,   P2M_RAM_RO,
					      P2M_MMIO, P2M_IOREQ, P2M_GRANT_RO};

	memcpy(fake_code, in->code, sizeof(in->code));
	fake_code_size = in->code_size % (sizeof(in->code) + 1);
	fake_cpl = in->cpl & 3;
	fake_answerer = as_cpu ? FAKE_PLATFORM + in->answerer % 3 : in->answerer & 3;
	for (unsigned int i = 0; i < FAKE_PAGES; i++) {
		fake_types[i] = as_cpu ? P2M_NONE : types[in->types[i] % ARRAY_SIZE(types)];
		fake_denied[i] = as_cpu ? 0 : in->denied[i] & 6;
	}
	for (unsigned int i = 0; i < 6; i++) {
		fake_segments[i].attr = in->segment_attr[i] | (in->segment_attr[i] & 8) << 7;
		fake_segments[i].base = in->mode & 64 && !as_cpu ? in->gprs[15] & 0xffff : 0;
		if (in->segment_short >> i & 1)
			fake_segments[i].limit = 3 * PAGE_SIZE + 5;
	}
	for (unsigned int i = 0; i < FAKE_SIZE; i += 8)
		memcpy(fake_memory + i, &(uint64_t){(i + 1) * in->gprs[1]}, 8);
	memcpy(native_memory, fake_memory, FAKE_SIZE);
	fake_linear = as_cpu ? (uint64_t)native_memory : 0;
	registers_set(in, fake_linear);
	current->hvm->cr0 = in->cr0;
}

/* One exit and what follows it until the guest may be entered again. */
static void exit_do(const struct input *in, struct vcpu *v)
{
	static const uint8_t sizes[] = {0, 1, 2, 4};
	unsigned int rounds = 0;

	if (in->port_size & 3)
		hvm_port_string_exit(v, sizes[in->port_size & 3], in->is_port_write & 1);
	else
		hvm_emulate_current(v);
	while (v->hvm->io.resume != HVM_RESUME_NONE) {
		check(v->hvm->io.waits_for && fake_answerer >= FAKE_MODEL);
		check(hvm_io_resume(v));
		fake_model_answer(v);
		check(rounds++ < HVM_IO_ANSWERS);
		(void)!hvm_io_resume(v);
	}
	check(v->hvm->io.nr_answers <= HVM_IO_ANSWERS);
}

/* As a whole, or, with its fault, not at all */
static void pass_check(const struct cpu_user_regs *before, const struct insn *insn, bool is_known)
{
	const struct cpu_user_regs *regs = guest_regs();

	if (fake_exceptions) {
		check(!memcmp(before, regs, sizeof(*regs)));
		check(!fake_nr_accesses);
		return;
	}
	check(is_known && fake_exceptions == 0);
	check(regs->rip == before->rip || regs->rip == before->rip + insn->length);
	check(regs->rsp == before->rsp || (insn->map == INSN_MAP_1 || insn->map == INSN_MAP_0F));
}

/* Flags that the manual leaves undefined, ~0: not to be done here */
static uint64_t undefined_flags(const struct insn *insn)
{
	unsigned int alu = insn->opcode >= 0x80 ? insn->reg & 7 : insn->opcode >> 3 & 7;
	bool is_logical = alu == 1 || alu == 4 || alu == 6;

	if (insn->is_locked || insn->segment == HVM_FS || insn->segment == HVM_GS ||
	    insn->is_rip_relative || insn->reg == INSN_REG_RSP || insn->base == INSN_REG_RSP)
		return ~0UL;
	if (insn->map == INSN_MAP_0F) {
		if (insn->opcode == 0x01 ||
		    (insn->opcode == 0xc3 && (insn->has_66 || insn->repeat)))
			return ~0UL;
		if ((insn->opcode & 0xe7) == 0xa3 || insn->opcode == 0xba)
			return FLAGS_ARITHMETIC & ~X86_EFLAGS_CF;
		return 0;
	}
	if ((insn->opcode & ~3U) == 0x6c || (insn->opcode == 0x63 && insn->has_66))
		return ~0UL;
	if (insn->opcode < 0x40 || (insn->opcode & 0xfc) == 0x80)
		return is_logical ? X86_EFLAGS_AF : 0;
	if ((insn->opcode & 0xfe) == 0x84 || ((insn->opcode & 0xfe) == 0xf6 && !(insn->reg & 6)))
		return X86_EFLAGS_AF;
	return 0;
}

static void compare_with_cpu(const struct insn *insn, struct cpu_user_regs regs)
{
	struct cpu_user_regs *got = guest_regs();
	uint64_t undefined = undefined_flags(insn);

	if (undefined == ~0UL)
		return;
	native_run(fake_code, insn->length, &regs);
	regs.rip = got->rip;
	regs.rflags |= undefined;
	got->rflags |= undefined;
	check(!memcmp(&regs, got, sizeof(regs)));
	check(!memcmp(fake_memory, native_memory, FAKE_SIZE));
}

static void insn_run(const struct input *in, struct vcpu *v, bool as_cpu)
{
	struct cpu_user_regs first, before;
	struct insn insn;
	bool is_known = insn_decode(fake_code, fake_code_size, fake_mode, &insn) == INSN_OK;

	if (is_known && insn.repeat && as_cpu)
		guest_regs()->rcx &= STRING_MAX - 1;
	first = *guest_regs();
	for (unsigned int i = 0; i <= STRING_MAX; i++) {
		before = *guest_regs();
		fake_nr_accesses = 0;
		exit_do(in, v);
		pass_check(&before, &insn, is_known);
		if (fake_exceptions || guest_regs()->rip != RIP)
			break;
	}
	if (as_cpu && !fake_exceptions && guest_regs()->rip != RIP)
		compare_with_cpu(&insn, first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum insn_mode modes[] = {INSN_64BIT, INSN_32BIT, INSN_16BIT, INSN_64BIT};
	struct input in = {0};
	static struct vcpu *v;
	bool as_cpu;

	memcpy(&in, data, MIN(size, sizeof(in)));
	as_cpu = in.as_cpu & 1;
	if (!v) {
		fake_reset();
		v = fake_guest_make(INSN_64BIT);
	}
	fake_guest_reset(v, as_cpu ? INSN_64BIT : modes[in.mode & 3]);
	guest_set(&in, as_cpu);
	if (as_cpu)
		in.port_size = 0;
	insn_run(&in, v, as_cpu);
	fake_log[0] = 0;
	return 0;
}
