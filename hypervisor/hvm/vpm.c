/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI's fixed events and power management timer (ACPI Specification, "PM1 Event
 * Grouping", "Power Management Timer"): PM1a's status and enable registers with
 * the SCI, and 32 bits at 3.579545 MHz.  PM1a's control register, by which a
 * guest switches off, is the device model's.  The ports are of public hvm/ioreq.h.
 */
#include "hvm/platform_state.h"

#include <xen/hvm/ioreq.h>

#include "lib/errno.h"

#define PM_HZ	   3579545U
#define SCI	   9
#define STS_TIMER  0x0001 /* bit 31 of the timer has changed */
#define STS_POWER  0x0100
#define STS_SLEEP  0x0200
#define STS_BITS   0x8731 /* that a write of 1 clears */
#define EN_BITS	   0x0721
#define SCI_EVENTS (STS_TIMER | STS_POWER | STS_SLEEP)

static uint32_t count_get(const struct vpm *t)
{
	return hvm_ticks_from_ns(time_now(), PM_HZ) + t->base;
}

/* Status, SCI and timer follow the count; under the lock. */
static void update(struct hvm_platform *p)
{
	struct vpm *t = &p->pm;
	uint32_t count = count_get(t);

	if ((count ^ t->hw.tmr_val) >> 31)
		t->hw.pm1a_sts |= STS_TIMER;
	t->hw.tmr_val = count;
	hvm_gsi_set(p->domain, SCI, t->hw.pm1a_sts & t->hw.pm1a_en & SCI_EVENTS);
	if (t->hw.pm1a_en & ~t->hw.pm1a_sts & STS_TIMER)
		timer_set(&t->timer,
			  time_now() + hvm_ns_from_ticks(BIT(31) - (count & ~BIT(31)), PM_HZ));
	else
		timer_stop(&t->timer);
}

static void fired(void *arg)
{
	struct hvm_platform *p = arg;

	spin_lock(&p->pm.lock);
	update(p);
	spin_unlock(&p->pm.lock);
}

bool vpm_claims(struct hvm_platform *p, const struct hvm_io *io)
{
	bool is_new = READ_ONCE(p->domain->hvm->params[HVM_PARAM_ACPI_IOPORTS_LOCATION]);

	return is_new == (io->addr >= ACPI_PM1A_EVT_BLK_ADDRESS_V1);
}

/* Bytes: 0, 1 status, 2, 3 enable */
uint64_t vpm_event_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	uint32_t val;

	spin_lock(&p->pm.lock);
	update(p);
	val = p->pm.hw.pm1a_sts | (uint32_t)p->pm.hw.pm1a_en << 16;
	spin_unlock(&p->pm.lock);
	return val >> at * 8;
}

void vpm_event_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	struct hvm_hw_pmtimer *hw = &p->pm.hw;
	unsigned int shift = (at & 1) * 8;

	spin_lock(&p->pm.lock);
	update(p);
	if (at < 2)
		hw->pm1a_sts &= ~(val << shift & STS_BITS);
	else
		hw->pm1a_en = (hw->pm1a_en & ~(0xffU << shift)) | (val << shift & EN_BITS);
	update(p);
	spin_unlock(&p->pm.lock);
}

uint64_t vpm_timer_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	return count_get(&p->pm) >> at * 8;
}

void vpm_timer_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	/* read-only */
}

int hvm_acpi_button(struct domain *d, bool is_sleep)
{
	struct hvm_platform *p = d->hvm->platform;

	if (!hvm_has_device(d, XEN_X86_EMU_PM))
		return -ENODEV;
	spin_lock(&p->pm.lock);
	p->pm.hw.pm1a_sts |= is_sleep ? STS_SLEEP : STS_POWER;
	update(p);
	spin_unlock(&p->pm.lock);
	return 0;
}

void vpm_init(struct hvm_platform *p)
{
	p->pm.base = -(uint32_t)hvm_ticks_from_ns(time_now(), PM_HZ);
	timer_init(&p->pm.timer, fired, p, cpu_info()->cpu);
}

int vpm_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	struct hvm_hw_pmtimer *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_PM))
		return -ENODEV;
	spin_lock(&p->pm.lock);
	update(p);
	*r = p->pm.hw;
	spin_unlock(&p->pm.lock);
	return 0;
}

int vpm_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_pmtimer *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_PM))
		return -ENODEV;
	if (r->pm1a_sts & ~STS_BITS || r->pm1a_en & ~EN_BITS)
		return -EINVAL;
	spin_lock(&p->pm.lock);
	p->pm.hw = *r;
	p->pm.base = r->tmr_val - (uint32_t)hvm_ticks_from_ns(time_now(), PM_HZ);
	update(p);
	spin_unlock(&p->pm.lock);
	return 0;
}
