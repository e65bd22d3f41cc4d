/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to what is not RAM: who answers them, IN and OUT, and the way back
 * to an instruction that waited for a device model.
 *
 * An instruction that waits is done again from its start: what its accesses
 * were answered is kept in their order, and given to them without asking again.
 */
#include "hvm/io.h"

#include "cpu/trap.h"
#include "hvm/emulate.h"
#include "hvm/ioreq.h"
#include "hvm/platform.h"
#include "hvm/state.h"
#include "hvm/vendor.h"
#include "lib/bits.h"
#include "lib/printk.h"

/* No instruction is there: not canonical. */
#define NO_RIP BIT(62)

/* --- answers --- */

static bool is_same_access(const struct hvm_io *a, const struct hvm_io *b)
{
	return a->addr == b->addr && a->size == b->size && a->is_write == b->is_write &&
	       a->is_port == b->is_port && a->count == b->count &&
	       (!a->is_write || a->data == b->data);
}

/* An answer that this instruction had already when it was done last. */
static bool answer_find(struct hvm_io_state *s, struct hvm_io *io)
{
	const struct hvm_io *known = &s->answers[s->next_answer];

	if (s->next_answer == s->nr_answers)
		return false;
	if (!is_same_access(known, io)) {
		/* Its page tables or registers were changed by others: it is another access now. */
		s->nr_answers = s->next_answer;
		return false;
	}
	s->next_answer++;
	io->data = known->data;
	return true;
}

static void answer_add(struct hvm_io_state *s, const struct hvm_io *io)
{
	if (s->nr_answers < HVM_IO_ANSWERS) {
		s->answers[s->nr_answers++] = *io;
		s->next_answer = s->nr_answers;
	}
}

#define PIT_CHANNEL2 0x42

/*
 * Where nothing answers, a bus reads as ones; but Linux' quick calibration by the PIT
 * (arch/x86/kernel/tsc.c, quick_pit_calibrate) takes ones for a counter that has just begun, and
 * reads it 100,000 times before it gives up. Zero tells it at once that there is none.
 */
static uint64_t read_nobody(const struct vcpu *v, const struct hvm_io *io)
{
	bool is_pit = io->is_port && io->addr == PIT_CHANNEL2;

	return is_pit && !(v->domain->hvm->emulation & XEN_X86_EMU_PIT) ? 0 : ~0UL;
}

enum hvm_io_result hvm_io_access(struct vcpu *v, struct hvm_io *io)
{
	struct hvm_io_state *s = &v->hvm->io;

	if (answer_find(s, io))
		return HVM_IO_DONE;
	if (io->count > 1 || (!hvm_platform_access(v, io) && !ioreq_pci_address_access(v, io))) {
		switch (ioreq_send(v, io)) {
		case IOREQ_SENT:
			s->ask = *io;
			s->batch_rip = guest_regs()->rip;
			return HVM_IO_RETRY;
		case IOREQ_DONE:
			s->batch_rip = guest_regs()->rip;
			break;
		case IOREQ_NOBODY:
			if (!io->is_write)
				io->data = read_nobody(v, io);
		}
	}
	answer_add(s, io);
	return HVM_IO_DONE;
}

bool hvm_io_takes_batch(struct vcpu *v, const struct hvm_io *io)
{
	bool is_models = v->hvm->io.is_batching || (io->is_port && !hvm_platform_has(v, io));

	return is_models && ioreq_has_server(v, io);
}

/* --- IN and OUT --- */

static void port_finish(struct vcpu *v, const struct hvm_io *io)
{
	struct cpu_user_regs *regs = guest_regs();

	v->hvm->io.resume = HVM_RESUME_NONE;
	if (!io->is_write)
		emulate_register_write(&regs->rax, io->data, io->size);
	hvm_rip_advance(v, v->hvm->io.next_rip);
}

void hvm_port_exit(struct vcpu *v, uint16_t port, unsigned int size, bool is_write,
		   uint64_t next_rip)
{
	struct hvm_io_state *s = &v->hvm->io;
	struct hvm_io io = {
		.addr = port,
		.data = is_write ? guest_regs()->rax & emulate_mask(size) : 0,
		.size = size,
		.is_write = is_write,
		.is_port = true,
	};

	s->next_rip = next_rip;
	s->nr_answers = s->next_answer = 0;
	s->resume = HVM_RESUME_PORT;
	if (hvm_io_access(v, &io) == HVM_IO_DONE)
		port_finish(v, &io);
}

/* --- emulated instructions --- */

static void instruction_do(struct vcpu *v)
{
	struct hvm_io_state *s = &v->hvm->io;
	uint64_t rip = guest_regs()->rip;
	enum emulate_result result;

	s->next_answer = 0;
	result = emulate_insn(v, &s->insn);
	if (result == EMULATE_RETRY)
		return;
	s->resume = HVM_RESUME_NONE;
	if (guest_regs()->rip != rip)
		s->batch_rip = NO_RIP;
	if (result == EMULATE_UNKNOWN) {
		guest_printk(v->domain, "vCPU %u at %#lx: opcode %u:%#x on a device is unknown\n",
			     v->id, rip, s->insn.map, s->insn.opcode);
		hvm_inject_exception(v, TRAP_UD, -1);
	}
}

static void emulate(struct vcpu *v, unsigned int string_size, bool string_is_write)
{
	struct hvm_io_state *s = &v->hvm->io;

	if (!hvm_insn_fetch(v, &s->insn))
		return;
	s->string_size = string_size;
	s->string_is_write = string_is_write;
	s->is_batching = s->batch_rip == guest_regs()->rip;
	s->nr_answers = 0;
	s->resume = HVM_RESUME_EMULATE;
	instruction_do(v);
}

void hvm_emulate_current(struct vcpu *v)
{
	emulate(v, 0, false);
}

void hvm_port_string_exit(struct vcpu *v, unsigned int size, bool is_write)
{
	emulate(v, size, is_write);
}

/* --- waiting --- */

/* True if it has to stand still. */
static bool must_wait(struct vcpu *v)
{
	if (!v->hvm->io.waits_for)
		return false;
	vcpu_io_wait();
	/* The answer may have come before the flag that its event clears. */
	if (!ioreq_is_answered(v))
		return true;
	vcpu_io_wake(v);
	return false;
}

bool hvm_io_resume(struct vcpu *v)
{
	struct hvm_io_state *s = &v->hvm->io;

	if (s->resume == HVM_RESUME_INVALIDATE) {
		s->resume = HVM_RESUME_NOTHING;
		ioreq_send_invalidate(v);
	}
	if (must_wait(v))
		return true;
	switch (s->resume) {
	case HVM_RESUME_PORT:
		port_finish(v, &s->ask);
		break;
	case HVM_RESUME_EMULATE:
		answer_add(s, &s->ask);
		instruction_do(v);
		break;
	default:
		s->resume = HVM_RESUME_NONE;
	}
	return s->resume != HVM_RESUME_NONE;
}

void hvm_io_cancel(struct vcpu *v)
{
	struct hvm_io_state *s = &v->hvm->io;

	s->resume = s->waits_for ? HVM_RESUME_NOTHING : HVM_RESUME_NONE;
}

void hvm_io_invalidate_maps(struct vcpu *v)
{
	v->hvm->io.resume = HVM_RESUME_INVALIDATE;
}
