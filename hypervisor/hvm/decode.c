/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: prefixes, opcode, ModRM with SIB and displacement, immediates.
 * Two tables say what follows an opcode; what an instruction does is
 * emulate.c's.  The bytes are a guest's: nothing is read past them.
 */
#include "hvm/decode.h"
#include "hvm/vendor.h"

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

struct reader {
	const uint8_t *bytes;
	unsigned int n, at;
	bool is_short;
};

static uint8_t next_byte(struct reader *r)
{
	if (r->at >= r->n) {
		r->is_short = true;
		return 0;
	}
	return r->bytes[r->at++];
}

/* A little-endian number of 0, 1, 2, 4 or 8 bytes, sign-extended. */
static int64_t next_signed(struct reader *r, unsigned int size)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < size; i++)
		val |= (uint64_t)next_byte(r) << (8 * i);
	switch (size) {
	case 1:
		return (int8_t)val;
	case 2:
		return (int16_t)val;
	case 4:
		return (int32_t)val;
	default:
		return (int64_t)val;
	}
}

/* --- what follows an opcode --- */

/*
 * .  nothing            m  ModRM
 * b  immediate byte     B  ModRM and an immediate byte
 * z  immediate of 2 or 4 bytes by the operand size
 * Z  ModRM and z        G  ModRM and, for its /0 and /1, an immediate
 * v  immediate of the operand's size, up to 8
 * w  immediate word     e  word and byte (ENTER)
 * o  offset of the address size       f  far pointer
 * -  a prefix, an escape, or undefined
 */
static const char map_1[] = "mmmmbz..mmmmbz.-" /* 0x */
			    "mmmmbz..mmmmbz.."
			    "mmmmbz-.mmmmbz-." /* 2x */
			    "mmmmbz-.mmmmbz-."
			    "................" /* 4x */
			    "................"
			    "..mm----zZbB...." /* 6x */
			    "bbbbbbbbbbbbbbbb"
			    "BZBBmmmmmmmmmmmm" /* 8x */
			    "..........f....."
			    "oooo....bz......" /* Ax */
			    "bbbbbbbbvvvvvvvv"
			    "BBw.mmBZe.w..b.." /* Cx */
			    "mmmmbb..mmmmmmmm"
			    "bbbbbbbbzzfb...." /* Ex */
			    "-.--..GG......mm";

static const char map_0f[] = "mmmm-.....-.-m.B" /* 0F 0x */
			     "mmmmmmmmmmmmmmmm"
			     "mmmm----mmmmmmmm" /* 0F 2x */
			     "......-.--------"
			     "mmmmmmmmmmmmmmmm" /* 0F 4x */
			     "mmmmmmmmmmmmmmmm"
			     "mmmmmmmmmmmmmmmm" /* 0F 6x */
			     "BBBBmmm.mm--mmmm"
			     "zzzzzzzzzzzzzzzz" /* 0F 8x */
			     "mmmmmmmmmmmmmmmm"
			     "...mBm--...mBmmm" /* 0F Ax */
			     "mmmmmmmmmmBmmmmm"
			     "mmBmBBBm........" /* 0F Cx */
			     "mmmmmmmmmmmmmmmm"
			     "mmmmmmmmmmmmmmmm" /* 0F Ex */
			     "mmmmmmmmmmmmmmmm";

_Static_assert(sizeof(map_1) == 257 && sizeof(map_0f) == 257, "one letter for each opcode");

static bool is_invalid_in_64bit(uint8_t opcode)
{
	switch (opcode) {
	case 0x06: /* PUSH and POP of segment registers */
	case 0x07:
	case 0x0e:
	case 0x16:
	case 0x17:
	case 0x1e:
	case 0x1f:
	case 0x27: /* decimal arithmetic */
	case 0x2f:
	case 0x37:
	case 0x3f:
	case 0xd4 ... 0xd6:
	case 0x60 ... 0x62:
	case 0x82:
	case 0x9a:
	case 0xc4: /* VEX */
	case 0xc5:
	case 0xce:
	case 0xea:
		return true;
	default:
		return false;
	}
}

/* C4, C5, 62 and 8F start VEX, EVEX and XOP where what they else are has no such ModRM. */
static bool is_extension(uint8_t opcode, uint8_t modrm)
{
	if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62)
		return modrm >> 6 == 3;
	return opcode == 0x8f && (modrm & 0x38);
}

static char follows(const struct insn *in, const struct reader *r)
{
	uint8_t next = r->at < r->n ? r->bytes[r->at] : 0;

	switch (in->map) {
	case INSN_MAP_1:
		if (in->mode == INSN_64BIT && is_invalid_in_64bit(in->opcode))
			return '-';
		return is_extension(in->opcode, next) ? '-' : map_1[in->opcode];
	case INSN_MAP_0F:
		if (in->opcode == 0x78 && (in->has_66 || in->repeat))
			return '-'; /* SSE4a's form with immediates, not VMREAD */
		return map_0f[in->opcode];
	case INSN_MAP_0F38:
		return 'm';
	default:
		return 'B';
	}
}

/* --- prefixes and opcode --- */

static bool prefix_read(struct insn *in, uint8_t b, bool *has_67)
{
	switch (b) {
	case 0x26: /* ES, CS, SS, DS: no effect in 64-bit code */
	case 0x2e:
	case 0x36:
	case 0x3e:
		if (in->mode != INSN_64BIT)
			in->segment = b >> 3 & 3;
		return true;
	case 0x64: /* FS, GS */
	case 0x65:
		in->segment = b & 7;
		return true;
	case 0x66:
		in->has_66 = true;
		return true;
	case 0x67:
		*has_67 = true;
		return true;
	case 0xf0:
		in->is_locked = true;
		return true;
	case 0xf2:
	case 0xf3:
		in->repeat = b;
		return true;
	default:
		return false;
	}
}

static void opcode_read(struct insn *in, struct reader *r)
{
	bool has_67 = false;
	uint8_t b;

	for (;;) {
		b = next_byte(r);
		if (in->mode == INSN_64BIT && (b & 0xf0) == 0x40)
			in->rex = b;
		else if (prefix_read(in, b, &has_67))
			in->rex = 0; /* counts only right before the opcode */
		else
			break;
		if (r->is_short)
			return;
	}
	if (b == 0x0f) {
		in->map = INSN_MAP_0F;
		b = next_byte(r);
		if (b == 0x38 || b == 0x3a) {
			in->map = b == 0x38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
			b = next_byte(r);
		}
	}
	in->opcode = b;
	in->op_size = (in->mode == INSN_16BIT) == in->has_66 ? 4 : 2;
	in->addr_size = in->mode;
	if (in->rex & REX_W)
		in->op_size = 8;
	if (has_67)
		in->addr_size = in->mode == INSN_32BIT ? 2 : 4;
}

/* --- ModRM --- */

static void memory_read_16bit(struct insn *in, struct reader *r, unsigned int mod, unsigned int rm)
{
	static const uint8_t bases[] = {3, 3, 5, 5, 6, 7, 5, 3};
	static const uint8_t indices[] = {6, 7, 6, 7};

	in->base = bases[rm];
	if (rm < ARRAY_SIZE(indices))
		in->index = indices[rm];
	if (mod == 0 && rm == 6) {
		in->base = INSN_REG_NONE;
		mod = 2;
	}
	in->disp = next_signed(r, mod);
}

static void memory_read(struct insn *in, struct reader *r, unsigned int mod, unsigned int rm)
{
	in->base = rm;
	if (rm == 4) {
		uint8_t sib = next_byte(r);

		in->base = sib & 7;
		in->index = (sib >> 3 & 7) | (in->rex & REX_X ? 8 : 0);
		in->scale = sib >> 6;
		if (in->index == INSN_REG_RSP)
			in->index = INSN_REG_NONE;
	}
	if (mod == 0 && in->base == 5) {
		in->is_rip_relative = rm == 5 && in->mode == INSN_64BIT;
		in->base = INSN_REG_NONE;
		mod = 2;
	} else if (in->rex & REX_B) {
		in->base |= 8;
	}
	in->disp = next_signed(r, mod == 2 ? 4 : mod);
}

static void modrm_read(struct insn *in, struct reader *r)
{
	uint8_t modrm = next_byte(r);
	unsigned int mod = modrm >> 6, rm = modrm & 7;

	in->has_modrm = true;
	in->reg = (modrm >> 3 & 7) | (in->rex & REX_R ? 8 : 0);
	in->rm = rm | (in->rex & REX_B ? 8 : 0);
	/* MOV of control and debug registers (0F 20..23) takes any mod for 3 */
	if (mod == 3 || (in->map == INSN_MAP_0F && in->opcode >= 0x20 && in->opcode <= 0x23))
		return;
	in->is_memory = true;
	if (in->addr_size == 2)
		memory_read_16bit(in, r, mod, rm);
	else
		memory_read(in, r, mod, rm);
}

static void immediate_read(struct insn *in, struct reader *r, char what)
{
	unsigned int word = MIN(in->op_size, 4);

	switch (what) {
	case 'b':
	case 'B':
		in->imm = next_signed(r, 1);
		break;
	case 'z':
	case 'Z':
		in->imm = next_signed(r, word);
		break;
	case 'G':
		if (!(in->reg & 6))
			in->imm = next_signed(r, in->opcode & 1 ? word : 1);
		break;
	case 'v':
		in->imm = next_signed(r, in->op_size);
		break;
	case 'w':
		in->imm = next_signed(r, 2);
		break;
	case 'e':
		in->imm = next_signed(r, 2);
		in->imm2 = next_byte(r);
		break;
	case 'o':
		in->imm = next_signed(r, in->addr_size);
		break;
	case 'f':
		in->imm = next_signed(r, word);
		in->imm2 = next_signed(r, 2);
		break;
	}
}

enum insn_result insn_decode(const uint8_t *bytes, unsigned int n, enum insn_mode mode,
			     struct insn *in)
{
	struct reader r = {.bytes = bytes, .n = MIN(n, HVM_INSN_MAX)};
	char what;

	*in = (struct insn){
		.mode = mode,
		.segment = HVM_SEGMENTS,
		.base = INSN_REG_NONE,
		.index = INSN_REG_NONE,
	};
	opcode_read(in, &r);
	if (r.is_short)
		return INSN_SHORT;
	what = follows(in, &r);
	if (what == '-')
		return INSN_UNKNOWN;
	if (what == 'm' || what == 'B' || what == 'Z' || what == 'G')
		modrm_read(in, &r);
	immediate_read(in, &r, what);
	if (in->segment == HVM_SEGMENTS)
		in->segment =
			in->base == INSN_REG_RSP || in->base == INSN_REG_RBP ? HVM_SS : HVM_DS;
	in->length = r.at;
	return r.is_short ? INSN_SHORT : INSN_OK;
}
