/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder against the assembler: each instruction below is assembled in
 * its mode, and what the assembler made of it is the length it must find.
 *
 * Links: hvm/decode.c lib/bits.c
 */
#include "fake.h"
#include "hvm/decode.h"
#include "hvm/vendor.h"

struct sample {
	const uint8_t *code;
	uint64_t length, mode;
};

extern const struct sample samples_start[], samples_end[];

/* I: one instruction, noted in the table of samples */
__asm__(".macro I insn:vararg\n"
	"771: \\insn\n"
	"772: .pushsection .data.rel.ro.samples,\"aw\"\n"
	".quad 771b, 772b - 771b, current_mode\n"
	".popsection\n"
	".endm\n"
	".pushsection .data.rel.ro.samples,\"aw\"\n"
	".globl samples_start\nsamples_start:\n"
	".popsection\n");

/* In every mode */
#define COMMON                                                                                     \
	"I cpuid\n I rdmsr\n I wrmsr\n I hlt\n I vmmcall\n I vmcall\n I wbinvd\n I invd\n"         \
	"I clts\n I rdtsc\n I rdtscp\n I rdpmc\n I pause\n I nop\n I ud2\n I int $0x80\n I int3\n" \
	"I xsetbv\n I xgetbv\n I in $0x60, %al\n I out %al, $0x70\n I in %dx, %al\n"               \
	"I in %dx, %ax\n I in %dx, %eax\n I out %al, %dx\n I out %ax, %dx\n I out %eax, %dx\n"     \
	"I insb\n I insw\n I insl\n I outsb\n I rep insw\n I rep outsl\n I rep movsb\n"            \
	"I rep stosl\n I lodsw\n I repe cmpsb\n I repne scasb\n I cli\n I sti\n I iretl\n I cld\n" \
	"I monitor\n I mwait\n I vmrun\n I vmload\n I vmsave\n I stgi\n I clgi\n I skinit\n"       \
	"I lmsw %ax\n I smsw %cx\n I addb $1, %al\n I addl $0x12345678, %eax\n"                    \
	"I addw $0x1234, %ax\n I testb $3, %bl\n I testw $3, %bx\n I testl $3, %ebx\n I notl "     \
	"%ebx\n"                                                                                   \
	"I movb $1, %ah\n I movw $1, %si\n I movl $1, %esi\n I shll $3, %eax\n I shll %eax\n"      \
	"I enter $16, $1\n I leave\n I ret $8\n I ret\n I xlat\n I cwtl\n I bswap %edx\n"          \
	"I jmp . + 20\n I jmp . + 2000\n I je . + 20\n I je . + 2000\n I call . + 2000\n"          \
	"I push $1\n I push $0x1234\n I popcnt %ecx, %eax\n I imul $3, %ecx, %eax\n"               \
	"I imul $0x333, %ecx, %eax\n I shld $3, %ecx, %eax\n I emms\n I cmovne %ecx, %eax\n"       \
	"I psrlq $3, %xmm1\n I pshufd $1, %xmm1, %xmm2\n I sysenter\n  I fninit\n"

/* Memory operands: FORM(x) is an operand */
#define WITH_MEMORY(m)                                                                           \
	"I movb %al, " m "\n I movl %eax, " m "\n I movw %ax, " m "\n I movl " m ", %ebx\n"      \
	"I movb $1, " m "\n I movw $0x1234, " m "\n I movl $0x12345678, " m "\n"                 \
	"I addl $1, " m "\n I addl $0x1234, " m "\n I testb $1, " m "\n I testl $1, " m "\n"     \
	"I notb " m "\n I mulb " m "\n I btl $3, " m "\n I lock btsl %eax, " m "\n"              \
	"I movzbl " m ", %eax\n I movzwl " m ", %eax\n I movntil %eax, " m "\n I invlpg " m "\n" \
	"I lock cmpxchgl %ecx, " m "\n I xaddw %cx, " m "\n I setne " m "\n I clflush " m "\n"   \
	"I smsw " m "\n I lgdt " m "\n I movaps %xmm1, " m "\n I movdqu " m ", %xmm1\n"          \
	"I fxsave " m "\n I crc32b " m ", %eax\n I palignr $1, " m ", %xmm1\n I flds " m "\n"    \
	"I lock xorl %eax, " m "\n I pinsrd $1, " m ", %xmm1\n I shrb " m "\n I shrl $3, " m "\n"

__asm__(".pushsection .text\n.set current_mode, 8\n.code64\n" COMMON WITH_MEMORY(
	"(%rax)") WITH_MEMORY("(%rsp)") WITH_MEMORY("(%rbp)") WITH_MEMORY("(%r12)")
		WITH_MEMORY("(%r13)") WITH_MEMORY("8(%rax)") WITH_MEMORY("8(%rsp)") WITH_MEMORY(
			"0x12345678(%r13)") WITH_MEMORY("(%rax,%rcx)") WITH_MEMORY("4(%rbp,%r12,8)")
			WITH_MEMORY("0x1000(,%rcx,4)") WITH_MEMORY("0x1000(%rip)")
				WITH_MEMORY("0x1000") WITH_MEMORY("(%eax,%ecx,2)") WITH_MEMORY(
					"%fs:0x10(%r8)") "I mov %cr0, %rax\n I mov %rax, %cr3\n I "
							 "mov %cr8, %r9\n"
							 "I mov %r15, %cr8\n I mov %db7, %rax\n I "
							 "mov %rax, %db6\n I movabs "
							 "$0x1122334455667788, %r9\n"
							 "I movabs 0x1122334455667788, %rax\n I "
							 "movabs %al, 0x1122334455667788\n"
							 "I addr32 mov 0x11223344, %eax\n I "
							 "swapgs\n I syscall\n I sysretq\n I "
							 "iretq\n I push (%rax)\n"
							 "I pushw (%rax)\n I call *8(%rax)\n I jmp "
							 "*(%rax,%rcx,8)\n I lretq\n I movslq "
							 "(%rax), %rcx\n"
							 "I cmpxchg16b (%rax)\n I movnti %rax, "
							 "(%rcx)\n I testq $1, (%rax)\n I movq $1, "
							 "(%r9)\n"
							 "I invpcid (%rax), %rcx\n I vmwrite %rax, "
							 "%rcx\n I rdfsbase %rax\n I movsbq %r9b, "
							 "%rax\n"
							 ".byte 0\n.popsection\n");
__asm__(".pushsection .text\n.set current_mode, 4\n.code32\n" COMMON WITH_MEMORY(
	"(%eax)") WITH_MEMORY("(%esp)") WITH_MEMORY("(%ebp)") WITH_MEMORY("8(%eax)")
		WITH_MEMORY("0x12345678(%ebp)") WITH_MEMORY("(%eax,%ecx,8)") WITH_MEMORY(
			"0x1000") WITH_MEMORY("4(%esp,%ebp,2)") WITH_MEMORY("0x1000(,%ecx,4)")
			WITH_MEMORY("(%bx,%si)") WITH_MEMORY("4(%bp)") WITH_MEMORY(
				"%es:(%edi)") "I mov %cr0, %eax\n I mov %eax, %cr4\n"
					      "I mov 0x11223344, %eax\n I mov %al, 0x11223344\n I "
					      "addr16 mov 0x1122, %eax\n I pusha\n"
					      "I lcall $8, $0x11223344\n I ljmp $8, $0x11223344\n "
					      "I ljmpw $8, $0x1122\n I les (%eax), %ebx\n"
					      "I lds (%eax), %ebx\n I bound %eax, (%ecx)\n I arpl "
					      "%ax, (%ecx)\n I aam\n I daa\n I into\n"
					      "I push %es\n I pop %ds\n I inc %eax\n I dec %edi\n "
					      "I push (%eax)\n I call *(%eax)\n"
					      "I mov %db7, %eax\n I iretw\n I vmread %eax, %ecx\n"
					      ".byte 0\n.code64\n.popsection\n");
__asm__(".pushsection .text\n.set current_mode, 2\n.code16\n" COMMON WITH_MEMORY(
	"(%bx,%si)") WITH_MEMORY("(%bp,%di)") WITH_MEMORY("(%si)") WITH_MEMORY("(%bp)")
		WITH_MEMORY("8(%bx)") WITH_MEMORY("0x1234(%bp)") WITH_MEMORY("0x1234") WITH_MEMORY(
			"%es:(%di)") WITH_MEMORY("(%eax,%ecx,8)") WITH_MEMORY("0x12345678(%ebp)")
			WITH_MEMORY(
				"%ss:4(%bx,%di)") "I mov %cr0, %eax\n I mov %eax, %cr0\n I mov "
						  "0x1122, %ax\n I mov %al, 0x1122\n"
						  "I ljmp $8, $0x1122\n I ljmpl $8, $0x11223344\n "
						  "I lcall $8, $0x1122\n I iretl\n I lretl\n"
						  "I push (%bx)\n I call *(%bx)\n I lgdt "
						  "%cs:0x10\n I inc %ax\n I pusha\n I popal\n"
						  ".byte 0\n.code64\n.popsection\n"
						  ".pushsection "
						  ".data.rel.ro.samples,\"aw\"\n.globl "
						  "samples_end\nsamples_end:\n.popsection\n");

static void sample_print(const struct sample *s)
{
	printf("# sample %zu, %u-bit:", (size_t)(s - samples_start), (unsigned int)s->mode * 8);
	for (unsigned int i = 0; i < s->length; i++)
		printf(" %02x", s->code[i]);
	printf("\n");
}

static struct insn decode(const char *bytes, unsigned int n, enum insn_mode mode)
{
	struct insn in;

	CHECK_EQ(insn_decode((const uint8_t *)bytes, n, mode, &in), INSN_OK);
	CHECK_EQ(in.length, n);
	return in;
}

#define DECODE(bytes, mode) decode(bytes, sizeof(bytes) - 1, mode)

TEST(lengths_are_the_assemblers)
{
	unsigned int wrong = 0;

	CHECK(samples_end - samples_start > 1000);
	for (const struct sample *s = samples_start; s < samples_end; s++) {
		uint8_t code[HVM_INSN_MAX + 1];
		struct insn in;

		memset(code, 0x90, sizeof(code));
		memcpy(code, s->code, s->length);
		if (insn_decode(code, HVM_INSN_MAX, s->mode, &in) != INSN_OK ||
		    in.length != s->length) {
			sample_print(s);
			wrong++;
		}
	}
	CHECK_EQ(wrong, 0);
}

/* On the heap, so that ASan sees a byte read past the end. */
TEST(an_instruction_cut_short_is_short)
{
	for (const struct sample *s = samples_start; s < samples_end; s++)
		for (unsigned int n = 0; n < s->length; n++) {
			uint8_t *code = malloc(n ? n : 1);
			enum insn_result res;
			struct insn in;

			memcpy(code, s->code, n);
			res = insn_decode(code, n, s->mode, &in);
			free(code);
			if (res != INSN_SHORT)
				sample_print(s);
			CHECK_EQ(res, INSN_SHORT);
		}
}

TEST(fifteen_bytes_are_the_most)
{
	uint8_t code[20];
	struct insn in;

	memset(code, 0x66, sizeof(code));
	CHECK_EQ(insn_decode(code, sizeof(code), INSN_64BIT, &in), INSN_SHORT);
	code[14] = 0x90;
	CHECK_EQ(insn_decode(code, sizeof(code), INSN_64BIT, &in), INSN_OK);
	CHECK_EQ(in.length, 15);
	code[14] = 0x66;
	code[15] = 0x90;
	CHECK_EQ(insn_decode(code, sizeof(code), INSN_64BIT, &in), INSN_SHORT);
}

TEST(undefined_and_vector_extensions_are_unknown)
{
	static const struct {
		uint8_t code[4];
		enum insn_mode mode;
	} unknown[] = {
		{{0x06}, INSN_64BIT},
		{{0xd6}, INSN_64BIT},
		{{0x9a}, INSN_64BIT},
		{{0xc5, 0xf8, 0x28, 0x00}, INSN_64BIT},
		{{0xc4, 0xe2, 0x79}, INSN_64BIT},
		{{0xc5, 0xf8, 0x28, 0xc0}, INSN_32BIT},
		{{0x62, 0xf1, 0x7c}, INSN_64BIT},
		{{0x62, 0xf1, 0x7c}, INSN_32BIT},
		{{0x8f, 0xe8, 0x78}, INSN_64BIT},
		{{0x0f, 0x04}, INSN_32BIT},
		{{0x0f, 0x24, 0xc0}, INSN_32BIT},
		{{0x0f, 0xa6, 0xc0}, INSN_32BIT},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct insn in;

		CHECK_EQ(insn_decode(unknown[i].code, 4, unknown[i].mode, &in), INSN_UNKNOWN);
	}
}

TEST(prefixes_and_sizes)
{
	struct insn in;

	in = DECODE("\x66\x48\x89\x08", INSN_64BIT); /* REX.W is stronger than 66 */
	CHECK_EQ(in.op_size, 8);
	CHECK(in.has_66);
	in = DECODE("\x48\x66\x89\x08", INSN_64BIT); /* REX before another prefix does not count */
	CHECK_EQ(in.op_size, 2);
	CHECK_EQ(in.rex, 0);
	in = DECODE("\x89\x07", INSN_16BIT);
	CHECK_EQ(in.op_size, 2);
	CHECK_EQ(in.addr_size, 2);
	in = DECODE("\x66\x67\x89\x07", INSN_16BIT);
	CHECK_EQ(in.op_size, 4);
	CHECK_EQ(in.addr_size, 4);
	in = DECODE("\x66\x67\x89\x07", INSN_32BIT);
	CHECK_EQ(in.op_size, 2);
	CHECK_EQ(in.addr_size, 2);
	in = DECODE("\x67\x89\x07", INSN_64BIT);
	CHECK_EQ(in.addr_size, 4);
	in = DECODE("\xf2\xf3\xa4", INSN_64BIT); /* the last counts */
	CHECK_EQ(in.repeat, 0xf3);
	in = DECODE("\xf0\x0f\xc1\x08", INSN_64BIT);
	CHECK(in.is_locked);
	CHECK_EQ(in.map, INSN_MAP_0F);
	CHECK_EQ(in.opcode, 0xc1);
}

TEST(segments)
{
	CHECK_EQ(DECODE("\x8b\x03", INSN_32BIT).segment, HVM_DS);
	CHECK_EQ(DECODE("\x8b\x45\x00", INSN_32BIT).segment, HVM_SS);
	CHECK_EQ(DECODE("\x8b\x04\x24", INSN_64BIT).segment, HVM_SS);
	CHECK_EQ(DECODE("\x41\x8b\x04\x24", INSN_64BIT).segment, HVM_DS); /* r12 */
	CHECK_EQ(DECODE("\x8b\x46\x00", INSN_16BIT).segment, HVM_SS);
	CHECK_EQ(DECODE("\x8b\x06\x00\x10", INSN_16BIT).segment, HVM_DS);
	CHECK_EQ(DECODE("\x26\x8b\x45\x00", INSN_32BIT).segment, HVM_ES);
	CHECK_EQ(DECODE("\x2e\x8b\x45\x00", INSN_32BIT).segment, HVM_CS);
	CHECK_EQ(DECODE("\x36\x8b\x03", INSN_32BIT).segment, HVM_SS);
	CHECK_EQ(DECODE("\x64\x8b\x03", INSN_64BIT).segment, HVM_FS);
	CHECK_EQ(DECODE("\x65\x2e\x8b\x03", INSN_64BIT).segment, HVM_GS); /* CS: no effect */
	CHECK_EQ(DECODE("\xa4", INSN_64BIT).segment, HVM_DS);
}

TEST(memory_operands)
{
	struct insn in;

	in = DECODE("\x42\x8b\x44\xe5\xf0", INSN_64BIT); /* mov -16(%rbp,%r12,8), %eax */
	CHECK(in.is_memory);
	CHECK_EQ(in.base, 5);
	CHECK_EQ(in.index, 12);
	CHECK_EQ(in.scale, 3);
	CHECK_EQ(in.disp, -16);
	in = DECODE("\x8b\x05\x00\x00\x00\xff", INSN_64BIT);
	CHECK(in.is_rip_relative);
	CHECK_EQ(in.base, INSN_REG_NONE);
	CHECK_EQ(in.disp, -0x1000000);
	CHECK(!DECODE("\x8b\x05\x00\x00\x00\xff", INSN_32BIT).is_rip_relative);
	in = DECODE("\x8b\x04\x25\x00\x10\x00\x00", INSN_64BIT); /* absolute, by SIB */
	CHECK(!in.is_rip_relative);
	CHECK_EQ(in.base, INSN_REG_NONE);
	CHECK_EQ(in.index, INSN_REG_NONE);
	in = DECODE("\x8b\x42\xfe", INSN_16BIT); /* mov -2(%bp,%si), %ax */
	CHECK_EQ(in.base, 5);
	CHECK_EQ(in.index, 6);
	CHECK_EQ(in.disp, -2);
	in = DECODE("\x4d\x89\xc8", INSN_64BIT);
	CHECK(!in.is_memory);
	CHECK_EQ(in.reg, 9);
	CHECK_EQ(in.rm, 8);
	in = DECODE("\x0f\x22\x18", INSN_64BIT); /* MOV CR3 with mod 0: a register all the same */
	CHECK(!in.is_memory);
	CHECK_EQ(in.reg, 3);
}

TEST(immediates)
{
	CHECK_EQ(DECODE("\x83\x03\xff", INSN_64BIT).imm, ~0UL);
	CHECK_EQ(DECODE("\x48\x81\x03\x00\x00\x00\x80", INSN_64BIT).imm, 0xffffffff80000000UL);
	CHECK_EQ(DECODE("\x49\xb8\x88\x77\x66\x55\x44\x33\x22\x11", INSN_64BIT).imm,
		 0x1122334455667788UL);
	CHECK_EQ(DECODE("\xa1\x44\x33\x22\x11", INSN_32BIT).imm, 0x11223344);
	CHECK_EQ(DECODE("\xf7\x03\x44\x33\x22\x11", INSN_32BIT).imm, 0x11223344);
	CHECK_EQ(DECODE("\xea\x44\x33\x22\x11\x08\x00", INSN_32BIT).imm2, 8);
}
