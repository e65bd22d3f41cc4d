/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt messages to local APICs: whom a destination names (Intel SDM vol. 3,
 * "Determining IPI Destination", "Logical Destination Mode in x2APIC Mode"), and
 * what each delivery mode does there.  IPIs are the only ones that may INIT.
 */
#include "hvm/vlapic_state.h"

#include "hvm/vcpu.h"
#include "lib/errno.h"

#define ICR_LOGICAL	   (1U << 11)
#define ICR_ASSERT	   (1U << 14)
#define ICR_LEVEL	   (1U << 15)
#define ICR_SHORTHAND(icr) ((icr) >> 18 & 3)

enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

static bool is_logical_match(const struct vlapic *l, uint32_t dest)
{
	uint32_t ldr = vlapic_get(l, APIC_LDR);

	if (vlapic_is_x2apic(l))
		return ldr >> 16 == dest >> 16 && ldr & dest & 0xffff;
	ldr >>= 24;
	if (vlapic_get(l, APIC_DFR) >> 28 == 15)
		return ldr & dest & 0xff;
	/* cluster model: the cluster above, its members below */
	return ldr >> 4 == (dest >> 4 & 15) && ldr & dest & 15;
}

static bool is_match(const struct vcpu *v, const struct vlapic_message *m)
{
	const struct vlapic *l = v->hvm->vlapic;

	if (!vlapic_is_enabled(l))
		return false;
	if (m->dest == VLAPIC_BROADCAST)
		return true;
	return m->is_logical ? is_logical_match(l, m->dest) : vlapic_id(v) == m->dest;
}

static void deliver(struct vcpu *v, const struct vlapic_message *m)
{
	switch (m->delivery) {
	case VLAPIC_FIXED:
	case VLAPIC_LOWEST:
		vlapic_raise(v, m->vector, m->is_level);
		return;
	case VLAPIC_NMI:
		hvm_vcpu_nmi(v);
		return;
	case VLAPIC_INIT:
		if (v != current)
			hvm_vcpu_init_signal(v);
		return;
	case VLAPIC_SIPI:
		if (v != current)
			hvm_vcpu_sipi(v, m->vector);
		return;
	default: /* there is no SMM, and no second interrupt controller to ask */
		return;
	}
}

/* The one of lowest processor priority, the first among equals. */
static struct vcpu *lowest_of(struct domain *d, const struct vlapic_message *m)
{
	struct vcpu *v, *best = NULL;
	unsigned int best_ppr = ~0U;

	for_each_vcpu(d, v) {
		unsigned int ppr;

		if (!is_match(v, m) || !vlapic_is_software_enabled(v->hvm->vlapic))
			continue;
		ppr = vlapic_ppr(v->hvm->vlapic) >> 4;
		if (ppr < best_ppr) {
			best_ppr = ppr;
			best = v;
		}
	}
	return best;
}

/* Did anybody get it? */
static bool send(struct domain *d, const struct vlapic_message *m)
{
	bool found = false;
	struct vcpu *v;

	if (m->delivery == VLAPIC_LOWEST) {
		v = lowest_of(d, m);
		if (v)
			deliver(v, m);
		return v;
	}
	for_each_vcpu(d, v) {
		if (!is_match(v, m))
			continue;
		deliver(v, m);
		found = true;
	}
	return found;
}

/* The commonest: one, by its id. */
static struct vcpu *single_of(struct domain *d, const struct vlapic_message *m)
{
	struct vcpu *v = NULL;

	if (!m->is_logical && !(m->dest & 1) && m->dest / 2 < d->max_vcpus)
		v = READ_ONCE(d->vcpus[m->dest / 2]);
	return v && is_match(v, m) ? v : NULL;
}

int vlapic_message_send(struct domain *d, const struct vlapic_message *m)
{
	struct vcpu *v = single_of(d, m);

	if (m->delivery != VLAPIC_FIXED && m->delivery != VLAPIC_LOWEST &&
	    m->delivery != VLAPIC_NMI)
		return -EINVAL;
	if (v)
		deliver(v, m);
	else if (!send(d, m))
		return -EINVAL;
	return 0;
}

static void send_to_all(struct domain *d, const struct vlapic_message *m, const struct vcpu *but)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (v != but && vlapic_is_enabled(v->hvm->vlapic))
			deliver(v, m);
}

void vlapic_ipi_send(struct vlapic *l, uint32_t icr, uint32_t icr2)
{
	struct vcpu *v = l->vcpu, *to;
	struct vlapic_message m = {
		.vector = icr & LVT_VECTOR,
		.delivery = LVT_DELIVERY(icr),
		.is_logical = icr & ICR_LOGICAL,
		.dest = vlapic_is_x2apic(l)  ? icr2
			: icr2 >> 24 == 0xff ? VLAPIC_BROADCAST
					     : icr2 >> 24,
	};

	if (m.delivery <= VLAPIC_LOWEST && m.vector < APIC_VECTOR_MIN) {
		vlapic_error(l, ESR_SEND_ILLEGAL);
		return;
	}
	/* INIT level de-assert only set arbitration ids, on machines long gone. */
	if (m.delivery == VLAPIC_INIT && (icr & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL)
		return;
	switch (ICR_SHORTHAND(icr)) {
	case TO_DESTINATION:
		to = single_of(v->domain, &m);
		if (to)
			deliver(to, &m);
		else
			(void)send(v->domain, &m);
		return;
	case TO_SELF: /* fixed only: "Valid Combinations for the .. Interrupt Command Register" */
		if (m.delivery == VLAPIC_FIXED)
			vlapic_raise(v, m.vector, false);
		return;
	default:
		send_to_all(v->domain, &m, ICR_SHORTHAND(icr) == TO_OTHERS ? v : NULL);
	}
}
