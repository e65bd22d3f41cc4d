/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What interrupts an HVM vCPU and when: NMIs, event channel upcalls (a vector of
 * the domain's, which needs no EOI; a vCPU's own through its local APIC; a wire),
 * the PIC and the local APIC.  Chooses what the next entry injects, and
 * the window for what cannot be taken yet.
 */
#include "hvm/event.h"

#include "hvm/hvm.h"
#include "hvm/platform_state.h"
#include "hvm/vendor.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"

#define RFLAGS_IF 0x200

/* --- the event channel callback (HVM_PARAM_CALLBACK_IRQ, public hvm/params.h) --- */

#define CALLBACK_TYPE(via)  ((via) >> 56)
#define CALLBACK_VECTOR_MIN 16

static bool has_events(const struct vcpu *v)
{
	const struct vcpu_info *info = READ_ONCE(v->info);

	/* evtchn_upcall_mask is for PV: here it is RFLAGS.IF that masks. */
	return info && READ_ONCE(info->evtchn_upcall_pending);
}

/* The vector of v's upcall that goes past the local APIC, 0: it has none. */
static uint8_t upcall_vector(const struct vcpu *v)
{
	uint64_t via = READ_ONCE(v->domain->hvm->callback);

	if (CALLBACK_TYPE(via) != HVM_PARAM_CALLBACK_TYPE_VECTOR ||
	    READ_ONCE(v->hvm->upcall_vector))
		return 0;
	return via;
}

/* The wire of the callback; 0: it is none. */
static unsigned int callback_wire(uint64_t via)
{
	switch (CALLBACK_TYPE(via)) {
	case HVM_PARAM_CALLBACK_TYPE_GSI:
		return via;
	case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
		return HVM_WIRE_PCI | (via >> 11 & 31) * 4 | (via & 3);
	default:
		return 0;
	}
}

/* Only vCPU 0 has its events told that way. */
static unsigned int wire_wanted(const struct domain *d)
{
	const struct vcpu *v = d->vcpus[0];

	if (!v || READ_ONCE(v->hvm->upcall_vector) || !has_events(v))
		return 0;
	return callback_wire(READ_ONCE(d->hvm->callback));
}

void hvm_callback_wire_update(struct hvm_platform *p)
{
	hvm_callback_wire_set(p, wire_wanted(p->domain));
}

static void wire_update(struct domain *d)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;

	if (!p || READ_ONCE(p->lines.callback_wire) == wire_wanted(d))
		return;
	/* Looked at again under the lock: a sender may have come in between. */
	flags = spin_lock_irq(&p->irq_lock);
	hvm_callback_wire_update(p);
	spin_unlock_irq(&p->irq_lock, flags);
}

int hvm_callback_set(struct domain *d, uint64_t via)
{
	switch (CALLBACK_TYPE(via)) {
	case HVM_PARAM_CALLBACK_TYPE_GSI:
		if (via >= HVM_GSIS)
			return -EINVAL;
		break;
	case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
		break;
	case HVM_PARAM_CALLBACK_TYPE_VECTOR:
		if ((via & 0xff) < CALLBACK_VECTOR_MIN)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	WRITE_ONCE(d->hvm->callback, via);
	wire_update(d);
	return 0;
}

void hvm_upcall_raise(struct vcpu *v)
{
	uint32_t own = READ_ONCE(v->hvm->upcall_vector);

	if (own)
		vlapic_raise(v, own, false);
	else if (upcall_vector(v))
		vcpu_kick(v);
	else if (!v->id)
		wire_update(v->domain);
}

/* --- what waits --- */

static bool pic_waits(const struct vcpu *v)
{
	const struct hvm_platform *p = v->domain->hvm->platform;

	return p && READ_ONCE(p->pic[0].int_output) && vpic_reaches(p, v);
}

static struct hvm_interrupt maskable_pending(const struct vcpu *v)
{
	uint8_t upcall = upcall_vector(v);
	int vector;

	if (upcall && has_events(v))
		return (struct hvm_interrupt){HVM_INT_UPCALL, upcall};
	if (pic_waits(v))
		return (struct hvm_interrupt){HVM_INT_PIC, 0};
	vector = vlapic_pending(v);
	if (vector >= 0)
		return (struct hvm_interrupt){HVM_INT_LAPIC, vector};
	return (struct hvm_interrupt){HVM_INT_NONE, 0};
}

struct hvm_interrupt hvm_interrupt_pending(const struct vcpu *v)
{
	if (READ_ONCE(v->hvm->is_nmi_pending))
		return (struct hvm_interrupt){HVM_INT_NMI, 2};
	return maskable_pending(v);
}

static bool pic_take(struct vcpu *v, uint8_t *vector)
{
	struct hvm_platform *p = v->domain->hvm->platform;
	uint64_t flags = spin_lock_irq(&p->irq_lock);
	bool taken = vpic_take(p, vector);

	spin_unlock_irq(&p->irq_lock, flags);
	return taken;
}

bool hvm_interrupt_take(struct vcpu *v, struct hvm_interrupt *i)
{
	int vector;

	switch (i->source) {
	case HVM_INT_NMI:
		if (!__atomic_exchange_n(&v->hvm->is_nmi_pending, false, __ATOMIC_SEQ_CST))
			return false;
		v->hvm->is_nmi_masked = true;
		return true;
	case HVM_INT_UPCALL: /* it stands until the guest clears evtchn_upcall_pending */
		return has_events(v);
	case HVM_INT_PIC:
		return pic_take(v, &i->vector);
	case HVM_INT_LAPIC:
		vector = vlapic_take(v);
		i->vector = vector;
		return vector >= 0;
	default:
		return false;
	}
}

/* --- before and after a run of the guest --- */

/* What may be taken at this point of the guest's program. */
static struct hvm_interrupt takeable(const struct vcpu *v)
{
	if (hvm_vendor->shadow_get(v))
		return (struct hvm_interrupt){HVM_INT_NONE, 0};
	if (READ_ONCE(v->hvm->is_nmi_pending) && !v->hvm->is_nmi_masked)
		return (struct hvm_interrupt){HVM_INT_NMI, 2};
	if (guest_regs()->rflags & RFLAGS_IF)
		return maskable_pending(v);
	return (struct hvm_interrupt){HVM_INT_NONE, 0};
}

/* What it was. */
static enum hvm_interrupt_source event_choose(struct vcpu *v)
{
	struct hvm_interrupt i = takeable(v);

	if (i.source == HVM_INT_NONE || !hvm_interrupt_take(v, &i))
		return HVM_INT_NONE;
	v->hvm->event = (struct hvm_event){
		.is_set = true,
		.type = i.source == HVM_INT_NMI ? HVM_EVENT_NMI : HVM_EVENT_EXTERNAL,
		.vector = i.vector,
	};
	return i.source;
}

/*
 * For what waits behind the event.  An upcall that is told right now is over for
 * the guest once it has looked at evtchn_upcall_pending, which it clears without
 * an exit; a window for it would be one exit more for each.
 */
static unsigned int window_priority(const struct vcpu *v, enum hvm_interrupt_source told)
{
	if (told != HVM_INT_UPCALL && upcall_vector(v) && has_events(v))
		return HVM_WINDOW_ANY;
	if (pic_waits(v))
		return HVM_WINDOW_ANY;
	return vlapic_waiting_class(v);
}

void hvm_interrupts_prepare(struct vcpu *v)
{
	enum hvm_interrupt_source told = HVM_INT_NONE;

	if (!v->id)
		wire_update(v->domain);
	/* An exception or an interrupted delivery goes first. */
	if (!v->hvm->event.is_set)
		told = event_choose(v);
	hvm_vendor->window_set(v, window_priority(v, told), READ_ONCE(v->hvm->is_nmi_pending));
	hvm_vendor->tpr_set(v, vlapic_cr8_get(v));
}

void hvm_interrupts_finish(struct vcpu *v)
{
	vlapic_cr8_set(v, hvm_vendor->tpr_get(v));
}
