/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core of the local APIC: what waits, what is in service, what goes before
 * what (Intel SDM vol. 3, "Handling Interrupts"; "Task Priority in IA-32e Mode"),
 * and its life.  Senders on all CPUs only set bits of IRR and TMR; only the CPU
 * that runs the vCPU moves a vector from IRR to ISR, or ends it.
 */
#include "hvm/vlapic_state.h"

#include "hvm/platform_state.h"
#include "hvm/vcpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"

static int highest(const struct vlapic *l, unsigned int base)
{
	uint32_t any = 0;

	/* each entry of the guest looks, and mostly there is nothing */
#pragma GCC unroll 8
	for (unsigned int i = 0; i < 8; i++)
		any |= vlapic_get(l, base + i * 0x10);
	if (likely(!any))
		return -1;
	for (int i = 7; i >= 0; i--) {
		uint32_t word = vlapic_get(l, base + i * 0x10);

		if (word)
			return i * 32 + 31 - __builtin_clz(word);
	}
	return -1;
}

static bool atomic_put(struct vlapic *l, unsigned int base, uint8_t vector, bool on)
{
	uint32_t *word = &l->regs[vlapic_word(base, vector)], bit = 1U << (vector & 31);

	return (on ? __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST)
		   : __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST)) &
	       bit;
}

void vlapic_raise(struct vcpu *v, uint8_t vector, bool level)
{
	struct vlapic *l = v->hvm->vlapic;

	if (!vlapic_is_software_enabled(l))
		return;
	if (vector < APIC_VECTOR_MIN) {
		vlapic_error(l, ESR_RECEIVE_ILLEGAL);
		return;
	}
	if (!!(vlapic_get(l, APIC_TMR + (vector >> 5) * 0x10) & 1U << (vector & 31)) != level)
		(void)atomic_put(l, APIC_TMR, vector, level);
	if (!atomic_put(l, APIC_IRR, vector, true))
		vcpu_kick(v);
}

void vlapic_error(struct vlapic *l, uint32_t error)
{
	uint32_t lvt = vlapic_get(l, APIC_LVTERR);

	/* An illegal vector in the error's own entry must not come back here for ever. */
	if (__atomic_fetch_or(&l->errors, error, __ATOMIC_SEQ_CST) & error)
		return;
	if (!(lvt & LVT_MASKED))
		vlapic_raise(l->vcpu, lvt & LVT_VECTOR, false);
}

void vlapic_lvt_raise(struct vlapic *l, unsigned int offset)
{
	uint32_t lvt = vlapic_get(l, offset);

	if (lvt & LVT_MASKED || !vlapic_is_enabled(l))
		return;
	if (LVT_DELIVERY(lvt) == VLAPIC_FIXED)
		vlapic_raise(l->vcpu, lvt & LVT_VECTOR, false);
	else if (LVT_DELIVERY(lvt) == VLAPIC_NMI)
		hvm_vcpu_nmi(l->vcpu);
}

uint8_t vlapic_ppr(const struct vlapic *l)
{
	uint8_t tpr = vlapic_get(l, APIC_TPR);
	int isr = highest(l, APIC_ISR);

	return isr >= 0 && isr >> 4 > tpr >> 4 ? isr & 0xf0 : tpr;
}

static int requested(const struct vlapic *l)
{
	/* Disabled by software it holds what it has, and still delivers that. */
	return vlapic_is_enabled(l) ? highest(l, APIC_IRR) : -1;
}

unsigned int vlapic_waiting_class(const struct vcpu *v)
{
	const struct vlapic *l = v->hvm->vlapic;
	int vector = requested(l);

	return vector >= 0 && vector >> 4 > highest(l, APIC_ISR) >> 4 ? vector >> 4 : 0;
}

int vlapic_pending(const struct vcpu *v)
{
	int vector = requested(v->hvm->vlapic);

	return vector >= 0 && vector >> 4 > vlapic_ppr(v->hvm->vlapic) >> 4 ? vector : -1;
}

int vlapic_take(struct vcpu *v)
{
	struct vlapic *l = v->hvm->vlapic;
	int vector = vlapic_pending(v);

	if (vector < 0)
		return -1;
	(void)atomic_put(l, APIC_IRR, vector, false);
	l->regs[vlapic_word(APIC_ISR, vector)] |= 1U << (vector & 31);
	return vector;
}

void vlapic_eoi(struct vlapic *l)
{
	int vector = highest(l, APIC_ISR);
	uint32_t bit = 1U << (vector & 31);

	if (vector < 0)
		return;
	l->regs[vlapic_word(APIC_ISR, vector)] &= ~bit;
	if (READ_ONCE(l->regs[vlapic_word(APIC_TMR, vector)]) & bit)
		vioapic_eoi(l->vcpu->domain, vector);
}

uint8_t vlapic_cr8_get(const struct vcpu *v)
{
	return vlapic_get(v->hvm->vlapic, APIC_TPR) >> 4;
}

void vlapic_cr8_set(struct vcpu *v, uint8_t cr8)
{
	if (vlapic_cr8_get(v) != (cr8 & 15))
		vlapic_put(v->hvm->vlapic, APIC_TPR, (cr8 & 15) << 4);
}

bool vlapic_accepts_pic(const struct vcpu *v)
{
	const struct vlapic *l = v->hvm->vlapic;
	uint32_t lvt = vlapic_get(l, APIC_LVT0);

	/* Switched off, it is not there: LINT0 is the processor's INTR pin. */
	if (!vlapic_is_enabled(l))
		return !v->id;
	return !(lvt & LVT_MASKED) && LVT_DELIVERY(lvt) == VLAPIC_EXTINT;
}

uint32_t vlapic_id(const struct vcpu *v)
{
	return v->id * 2;
}

void vlapic_identify(struct vlapic *l)
{
	uint32_t id = vlapic_id(l->vcpu);

	if (vlapic_is_x2apic(l)) {
		vlapic_put(l, APIC_ID, id);
		/* SDM vol. 3, "Deriving Logical x2APIC ID from the Local x2APIC ID" */
		vlapic_put(l, APIC_LDR, id >> 4 << 16 | 1U << (id & 15));
	} else {
		vlapic_put(l, APIC_ID, id << 24);
		vlapic_put(l, APIC_LDR, 0);
	}
}

/* SDM vol. 3, "Local APIC State After It Has Been Software Disabled", "..After Power-Up or Reset"
 */
void vlapic_init_reset(struct vcpu *v)
{
	struct vlapic *l = v->hvm->vlapic;

	vlapic_timer_start(l, 0);
	memset(l->regs, 0, APIC_REGS_END);
	WRITE_ONCE(l->errors, 0);
	vlapic_put(l, APIC_VERSION, APIC_VERSION_VALUE);
	vlapic_put(l, APIC_DFR, DFR_FLAT);
	vlapic_put(l, APIC_SVR, 0xff);
	for (unsigned int lvt = APIC_LVTT; lvt <= APIC_LVTERR; lvt += 0x10)
		vlapic_put(l, lvt, LVT_MASKED);
	vlapic_identify(l);
}

void vlapic_reset(struct vcpu *v)
{
	WRITE_ONCE(v->hvm->apic_base,
		   APIC_BASE_ADDRESS | APIC_BASE_ENABLE | (v->id ? 0 : APIC_BASE_BSP));
	vlapic_init_reset(v);
}

int vlapic_init(struct vcpu *v)
{
	struct vlapic *l = heap_alloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->regs = hyp_page_alloc_zeroed();
	if (!l->regs) {
		heap_free(l);
		return -ENOMEM;
	}
	l->vcpu = v;
	v->hvm->vlapic = l;
	vlapic_timer_init(l);
	vlapic_reset(v);
	return 0;
}

void vlapic_fini(struct vcpu *v)
{
	struct vlapic *l = v->hvm->vlapic;

	if (!l)
		return;
	timer_kill(&l->timer);
	v->hvm->vlapic = NULL;
	hyp_pages_free(l->regs, 0);
	heap_free(l);
}

void vlapic_scheduled(struct vcpu *v, unsigned int cpu)
{
	timer_migrate(&v->hvm->vlapic->timer, cpu);
}
