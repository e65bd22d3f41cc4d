/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions for an HVM vCPU, and what two at once make (AMD APM vol. 2,
 * "Double-Fault Exception"; Intel SDM vol. 3, "Interrupt 8").
 */
#include "hvm/event.h"

#include <xen/sched.h>

#include "cpu/trap.h"
#include "hvm/state.h"
#include "hvm/vendor.h"

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum fault_class class_of(unsigned int vector)
{
	switch (vector) {
	case TRAP_DE:
	case TRAP_TS:
	case TRAP_NP:
	case TRAP_SS:
	case TRAP_GP:
		return CONTRIBUTORY;
	case TRAP_PF:
		return PAGE_FAULT;
	default:
		return BENIGN;
	}
}

static bool makes_double_fault(unsigned int first, unsigned int second)
{
	enum fault_class a = class_of(first), b = class_of(second);

	return a != BENIGN && b != BENIGN && (a == PAGE_FAULT || b == CONTRIBUTORY);
}

void hvm_inject_exception(struct vcpu *v, unsigned int vector, int64_t error)
{
	struct hvm_event *e = &v->hvm->event;

	if (e->is_set && e->type == HVM_EVENT_EXCEPTION) {
		if (e->vector == TRAP_DF && class_of(vector) != BENIGN) {
			hvm_triple_fault(v);
			return;
		}
		if (makes_double_fault(e->vector, vector)) {
			vector = TRAP_DF;
			error = 0;
		}
	}
	/* Else one after the other: what was under way happens again when the handler returns. */
	*e = (struct hvm_event){
		.is_set = true,
		.type = HVM_EVENT_EXCEPTION,
		.vector = vector,
		.has_error = error >= 0,
		.error = error >= 0 ? error : 0,
	};
}

void hvm_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error)
{
	v->hvm->cr2 = addr;
	hvm_vendor->controls_update(v);
	hvm_inject_exception(v, TRAP_PF, error);
}

void hvm_event_requeue(struct vcpu *v, const struct hvm_event *e)
{
	v->hvm->event = *e;
}

void hvm_triple_fault(struct vcpu *v)
{
	domain_end(v->domain, v->domain->hvm->params[HVM_PARAM_TRIPLE_FAULT_REASON],
		   "vCPU %u: triple fault at %#lx", v->id, guest_regs()->rip);
}
