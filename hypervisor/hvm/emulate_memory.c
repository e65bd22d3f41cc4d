/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an emulated instruction's memory operand is: through its segment
 * (AMD APM vol. 2, "Segment Limit Checks", "Limit-Check and Type-Check"), the
 * guest's page tables and the p2m, which tells RAM from devices.
 */
#include "cpu/asm.h"
#include "cpu/trap.h"
#include "hvm/emulate.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "lib/string.h"

/* --- segments --- */

#define SEG_TYPE_CODE	     8U
#define SEG_TYPE_EXPAND_DOWN 4U /* of data */
#define SEG_TYPE_WRITE	     2U /* of data; of code: may be read */

static bool segment_allows(const struct vcpu *v, const struct hvm_segment *s, bool is_write)
{
	bool is_code = s->attr & SEG_TYPE_CODE;

	if (!(v->hvm->cr0 & X86_CR0_PE) || guest_regs()->rflags & X86_EFLAGS_VM)
		return true;
	if (!(s->attr & HVM_SEG_P))
		return false;
	if (is_write)
		return !is_code && s->attr & SEG_TYPE_WRITE;
	return !is_code || s->attr & SEG_TYPE_WRITE;
}

static bool is_in_limit(const struct hvm_segment *s, uint64_t offset, unsigned int size)
{
	uint64_t last = offset + size - 1;

	if ((s->attr & (SEG_TYPE_CODE | SEG_TYPE_EXPAND_DOWN)) == SEG_TYPE_EXPAND_DOWN)
		return offset > s->limit && last <= (s->attr & HVM_SEG_DB ? 0xffffffff : 0xffff);
	return last <= s->limit;
}

static bool is_canonical(uint64_t linear)
{
	return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

bool emulate_linear(struct vcpu *v, const struct insn *insn, unsigned int segment, uint64_t offset,
		    unsigned int size, bool is_write, uint64_t *linear)
{
	struct hvm_segment s;

	hvm_vendor->segment_get(v, segment, &s);
	if (insn->mode == INSN_64BIT) {
		*linear = offset + (segment == HVM_FS || segment == HVM_GS ? s.base : 0);
		return is_canonical(*linear) && is_canonical(*linear + size - 1);
	}
	*linear = (uint32_t)(s.base + offset);
	return segment_allows(v, &s, is_write) && is_in_limit(&s, offset, size);
}

/* --- places --- */

static bool is_device(struct domain *d, uint64_t gpa, bool is_write)
{
	enum p2m_type type;

	(void)p2m_lookup(d, GFN(gpa >> PAGE_SHIFT), &type);
	return type == P2M_NONE || type == P2M_MMIO || (is_write && type == P2M_IOREQ);
}

enum emulate_result emulate_place_find(struct vcpu *v, const struct insn *insn,
				       unsigned int segment, uint64_t offset, unsigned int size,
				       bool is_write, struct emulate_place *place)
{
	uint32_t access = (is_write ? PF_WRITE : 0) | (hvm_vendor->cpl(v) == 3 ? PF_USER : 0);
	uint64_t linear;

	if (!emulate_linear(v, insn, segment, offset, size, is_write, &linear)) {
		hvm_inject_exception(v, segment == HVM_SS ? TRAP_SS : TRAP_GP, 0);
		return EMULATE_FAULT;
	}
	for (place->nr = 0; size; place->nr++) {
		struct emulate_part *part = &place->parts[place->nr];
		uint32_t error;

		part->size = MIN(size, PAGE_SIZE - linear % PAGE_SIZE);
		if (hvm_translate(v, linear, access, &part->gpa, &error)) {
			hvm_inject_page_fault(v, linear, error);
			return EMULATE_FAULT;
		}
		part->is_device = is_device(v->domain, part->gpa, is_write);
		size -= part->size;
		linear += part->size;
		if (insn->mode != INSN_64BIT)
			linear = (uint32_t)linear;
	}
	return EMULATE_OK;
}

bool emulate_place_is_ram(const struct emulate_place *place)
{
	return !place->parts[0].is_device && (place->nr == 1 || !place->parts[1].is_device);
}

/* --- accesses --- */

/* The largest power of two within n. */
static unsigned int piece_size(unsigned int n)
{
	return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

static enum emulate_result device_access(struct vcpu *v, const struct emulate_part *part,
					 uint8_t *bytes, bool is_write)
{
	unsigned int done = 0;

	while (done < part->size) {
		struct hvm_io io = {
			.addr = part->gpa + done,
			.size = piece_size(part->size - done),
			.is_write = is_write,
		};

		if (is_write)
			memcpy(&io.data, bytes + done, io.size);
		if (hvm_io_access(v, &io) == HVM_IO_RETRY)
			return EMULATE_RETRY;
		if (!is_write)
			memcpy(bytes + done, &io.data, io.size);
		done += io.size;
	}
	return EMULATE_OK;
}

enum emulate_result emulate_place_read(struct vcpu *v, const struct emulate_place *place,
				       uint64_t *val)
{
	uint8_t bytes[8] = {0};
	unsigned int at = 0;

	for (unsigned int i = 0; i < place->nr; at += place->parts[i++].size) {
		const struct emulate_part *part = &place->parts[i];
		size_t left;

		if (part->is_device) {
			if (device_access(v, part, bytes + at, false) != EMULATE_OK)
				return EMULATE_RETRY;
			continue;
		}
		left = hvm_phys_read(v->domain, bytes + at, part->gpa, part->size);
		memset(bytes + at + part->size - left, 0xff, left);
	}
	memcpy(val, bytes, sizeof(*val));
	return EMULATE_OK;
}

enum emulate_result emulate_place_write(struct vcpu *v, const struct emulate_place *place,
					uint64_t val)
{
	uint8_t bytes[8];
	unsigned int at = 0;

	memcpy(bytes, &val, sizeof(bytes));
	/* Devices first: RAM is not written before the last answer is there. */
	for (unsigned int i = 0; i < place->nr; at += place->parts[i++].size)
		if (place->parts[i].is_device &&
		    device_access(v, &place->parts[i], bytes + at, true) != EMULATE_OK)
			return EMULATE_RETRY;
	at = 0;
	for (unsigned int i = 0; i < place->nr; at += place->parts[i++].size)
		if (!place->parts[i].is_device) {
			/* ROM, or memory that went meanwhile: the write vanishes */
			size_t left = hvm_phys_write(v->domain, place->parts[i].gpa, bytes + at,
						     place->parts[i].size);
			(void)left;
		}
	return EMULATE_OK;
}
