/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction that a vCPU is at, for CPUs that do not say what it was or
 * where the next one is: its bytes by way of the guest's page tables, and what
 * they mean.  Owns windows on the pages of code looked at last.
 */
#include "cpu/seam.h"
#include "cpu/trap.h"
#include "hvm/decode.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "lib/string.h"

uint64_t hvm_rip_linear(const struct vcpu *v, uint64_t rip)
{
	struct hvm_segment cs;

	hvm_vendor->segment_get(v, HVM_CS, &cs);
	if (hvm_is_long(v) && cs.attr & HVM_SEG_L)
		return rip;
	return (uint32_t)(cs.base + (uint32_t)rip);
}

static enum insn_mode code_mode(const struct vcpu *v)
{
	struct hvm_segment cs;

	hvm_vendor->segment_get(v, HVM_CS, &cs);
	if (hvm_is_long(v) && cs.attr & HVM_SEG_L)
		return INSN_64BIT;
	return cs.attr & HVM_SEG_DB ? INSN_32BIT : INSN_16BIT;
}

/* Of p2m.h: an entry that goes has this raised, and then all CPUs interrupted, before its frame
 * goes. */
static uint64_t p2m_flushes(const struct vcpu *v)
{
	return __atomic_load_n(&v->domain->hvm->p2m.flush_generation, __ATOMIC_ACQUIRE);
}

static struct hvm_code_window *window_of(struct vcpu *v, uint64_t linear)
{
	return &v->hvm->code[linear / PAGE_SIZE % ARRAY_SIZE(v->hvm->code)];
}

#define NO_FAULT (-1L)

/* Up to n bytes of one page of code at a linear address: how many; the #PF's error, or NO_FAULT. */
static unsigned int code_read(struct vcpu *v, uint64_t linear, uint8_t *bytes, unsigned int n,
			      int64_t *fault)
{
	uint32_t access = PF_FETCH | (hvm_vendor->cpl(v) == 3 ? PF_USER : 0);
	uint64_t gpa, flushes = p2m_flushes(v);
	enum p2m_type type;
	struct page *pg;
	uint32_t error;

	if (hvm_translate(v, linear, access, &gpa, &error)) {
		*fault = error;
		return 0;
	}
	*fault = NO_FAULT;
	pg = p2m_page_get(v->domain, GFN(gpa >> PAGE_SHIFT), false, &type);
	if (!pg)
		return 0;
	*window_of(v, linear) = (struct hvm_code_window){
		.linear = linear & PAGE_MASK,
		.flushes = flushes,
		.bytes = page_to_virt(pg),
	};
	memcpy(bytes, (const char *)page_to_virt(pg) + linear % PAGE_SIZE, n);
	page_put(pg);
	return n;
}

/*
 * Are these two bytes at rip, as far as its window shows?  What that shows may be old, or another
 * address space's: the guest changes its page tables without an exit.  But the CPU has just
 * executed this instruction at this address; where the window has it, too, it is taken for the
 * same.  With interrupts off the page stays: who takes one from the guest waits for this CPU to be
 * interrupted.
 */
static bool window_shows(struct vcpu *v, uint16_t opcode)
{
	uint64_t linear = hvm_rip_linear(v, guest_regs()->rip), flags;
	const struct hvm_code_window *w = window_of(v, linear);
	unsigned int at = linear % PAGE_SIZE;
	bool is_shown;

	if (w->linear != linear - at || at > PAGE_SIZE - sizeof(opcode))
		return false;
	flags = irq_save();
	is_shown = w->bytes && w->flushes == p2m_flushes(v) && w->bytes[at] == (uint8_t)opcode &&
		   w->bytes[at + 1] == opcode >> 8;
	irq_restore(flags);
	return is_shown;
}

bool hvm_insn_fetch(struct vcpu *v, struct insn *insn)
{
	uint64_t linear = hvm_rip_linear(v, guest_regs()->rip), at = linear;
	uint8_t bytes[HVM_INSN_MAX];
	unsigned int n = 0, part = MIN(sizeof(bytes), PAGE_SIZE - linear % PAGE_SIZE);
	enum insn_result result;
	int64_t fault;

	for (;;) {
		unsigned int got = code_read(v, at, bytes + n, part, &fault);

		n += got;
		result = insn_decode(bytes, n, code_mode(v), insn);
		if (result != INSN_SHORT || got < part || n == sizeof(bytes))
			break;
		at += part;
		part = sizeof(bytes) - n;
	}
	if (result == INSN_OK)
		return true;
	if (result == INSN_SHORT && fault != NO_FAULT)
		hvm_inject_page_fault(v, at, fault);
	else
		hvm_inject_exception(v, result == INSN_SHORT ? TRAP_GP : TRAP_UD,
				     result == INSN_SHORT ? 0 : -1);
	return false;
}

bool hvm_next_rip(struct vcpu *v, uint16_t opcode, uint64_t *next_rip)
{
	struct insn insn;

	if (*next_rip)
		return true;
	if (opcode && window_shows(v, opcode)) {
		*next_rip = guest_regs()->rip + sizeof(opcode);
		return true;
	}
	if (!hvm_insn_fetch(v, &insn))
		return false;
	*next_rip = guest_regs()->rip + insn.length;
	return true;
}
