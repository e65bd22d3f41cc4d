/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a local APIC (public hvm/save.h, LAPIC and LAPIC_REGS). */
#include "hvm/context.h"
#include "hvm/vlapic_state.h"

#include <xen/hvm/save.h>

#include "lib/errno.h"
#include "lib/string.h"

/* hvm_hw_lapic.disabled, as stock Xen has it */
#define DISABLED_HARDWARE 1U
#define DISABLED_SOFTWARE 2U

int vlapic_save(struct domain *d, unsigned int instance, void *rec)
{
	struct vlapic *l = d->vcpus[instance]->hvm->vlapic;
	struct hvm_hw_lapic *r = rec;

	r->apic_base_msr = l->vcpu->hvm->apic_base;
	r->disabled = (vlapic_is_enabled(l) ? 0 : DISABLED_HARDWARE) |
		      (vlapic_get(l, APIC_SVR) & SVR_ENABLE ? 0 : DISABLED_SOFTWARE);
	r->timer_divisor = vlapic_timer_divisor(l);
	r->tdt_msr = vlapic_deadline_get(l);
	return 0;
}

/* What is derived from other state (disabled, timer_divisor) is not believed. */
int vlapic_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct vlapic *l = d->vcpus[instance]->hvm->vlapic;
	const struct hvm_hw_lapic *r = rec;
	uint64_t mode = r->apic_base_msr & (APIC_BASE_ENABLE | APIC_BASE_EXTD);

	if (mode == APIC_BASE_EXTD || (r->apic_base_msr & ~(APIC_BASE_ENABLE | APIC_BASE_EXTD)) !=
					      (APIC_BASE_ADDRESS | (instance ? 0 : APIC_BASE_BSP)))
		return -EINVAL;
	WRITE_ONCE(l->vcpu->hvm->apic_base, r->apic_base_msr);
	vlapic_identify(l);
	vlapic_timer_resume(l, vlapic_get(l, APIC_TMCCT), r->tdt_msr);
	return 0;
}

int vlapic_regs_save(struct domain *d, unsigned int instance, void *rec)
{
	struct vlapic *l = d->vcpus[instance]->hvm->vlapic;
	uint32_t computed[] = {vlapic_ppr(l), vlapic_timer_count(l)};
	struct hvm_hw_lapic_regs *r = rec;

	memcpy(r->data, l->regs, APIC_REGS_END);
	memcpy(r->data + APIC_PPR, &computed[0], sizeof(computed[0]));
	memcpy(r->data + APIC_TMCCT, &computed[1], sizeof(computed[1]));
	return 0;
}

int vlapic_regs_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct vlapic *l = d->vcpus[instance]->hvm->vlapic;
	const uint32_t *regs = rec;

	for (unsigned int at = 0; at < APIC_REGS_END; at += 16)
		if (!vlapic_reg_is_valid(l, at, regs[at / 4]))
			return -EINVAL;
	for (unsigned int at = 0; at < APIC_REGS_END; at += 16)
		if (at != APIC_PPR && at != APIC_APR && at != APIC_TMCCT)
			vlapic_put(l, at, regs[at / 4]);
	vlapic_timer_resume(l, regs[APIC_TMCCT / 4], vlapic_deadline_get(l));
	return 0;
}
