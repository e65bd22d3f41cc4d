/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual platform as a whole: which devices a domain has (its
 * XEN_X86_EMU_* flags), where they lie, and who answers an access.
 */
#include "hvm/platform.h"

#include "hvm/platform_state.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "mm/alloc.h"

#include <xen/hvm/ioreq.h>

#define PORTS(flag, first, size, name, claims)                                                 \
	{                                                                                      \
		XEN_X86_EMU_##flag, true, true, first, size, claims, name##_read, name##_write \
	}
/* It counts on between the bytes of a read. */
#define PM_TIMER(first)                                                                            \
	{                                                                                          \
		XEN_X86_EMU_PM, true, false, first, 4, vpm_claims, vpm_timer_read, vpm_timer_write \
	}
#define MEMORY(flag, first, size, name)                                                        \
	{                                                                                      \
		XEN_X86_EMU_##flag, false, false, first, size, NULL, name##_read, name##_write \
	}

static const struct hvm_device devices[] = {
	PORTS(PIC, 0x20, 2, vpic, NULL),
	PORTS(PIC, 0xa0, 2, vpic_slave, NULL),
	PORTS(PIC, 0x4d0, 2, vpic_elcr, NULL),
	PORTS(PIT, 0x40, 4, vpit, NULL),
	PORTS(PIT, 0x61, 1, vpit_port61, NULL),
	PORTS(RTC, 0x70, 2, vrtc, vrtc_claims),
	PORTS(PM, ACPI_PM1A_EVT_BLK_ADDRESS_V0, 4, vpm_event, vpm_claims),
	PM_TIMER(ACPI_PM_TMR_BLK_ADDRESS_V0),
	PORTS(PM, ACPI_PM1A_EVT_BLK_ADDRESS_V1, 4, vpm_event, vpm_claims),
	PM_TIMER(ACPI_PM_TMR_BLK_ADDRESS_V1),
	PORTS(LAPIC, 0xe9, 1, vdebug, NULL), /* whatever it has */
	MEMORY(IOAPIC, 0xfec00000, 0x100, vioapic),
	MEMORY(HPET, 0xfed00000, 0x400, vhpet),
};

static const struct hvm_device *device_find(const struct domain *d, const struct hvm_io *io)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct hvm_device *dev = &devices[i];

		if (d->hvm->emulation & dev->emulation && dev->is_port == io->is_port &&
		    io->addr >= dev->first && io->addr - dev->first < dev->size)
			return dev->claims && !dev->claims(d->hvm->platform, io) ? NULL : dev;
	}
	return NULL;
}

/* One access within the device; what lies beyond its end is nobody's. */
static void device_access(struct hvm_platform *p, const struct hvm_device *dev, struct hvm_io *io)
{
	unsigned int at = io->addr - dev->first, step = dev->is_bytewise ? 1 : io->size;
	uint64_t data = ~0UL;

	for (unsigned int i = 0; i < io->size && at + i < dev->size; i += step) {
		unsigned int shift = i * 8;
		uint64_t mask = step == 8 ? ~0UL : (1UL << step * 8) - 1;

		if (io->is_write)
			dev->write(p, at + i, step, io->data >> shift & mask);
		else
			data = (data & ~(mask << shift)) | (dev->read(p, at + i, step) & mask)
								   << shift;
	}
	if (!io->is_write)
		io->data = data;
}

bool hvm_platform_access(struct vcpu *v, struct hvm_io *io)
{
	struct hvm_platform *p = v->domain->hvm->platform;
	const struct hvm_device *dev;

	if (vlapic_access(v, io))
		return true;
	if (!p)
		return false;
	dev = device_find(v->domain, io);
	if (!dev)
		return false;
	device_access(p, dev, io);
	return true;
}

bool hvm_platform_has(const struct vcpu *v, const struct hvm_io *io)
{
	return v->domain->hvm->platform && device_find(v->domain, io);
}

int hvm_platform_init(struct domain *d)
{
	struct hvm_platform *p;

	/* A PVH guest has nothing but its local APICs. */
	if (!(d->hvm->emulation & ~XEN_X86_EMU_LAPIC))
		return 0;
	p = heap_alloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->domain = d;
	vpic_init(p);
	vioapic_init(p);
	vpit_init(p);
	vrtc_init(p);
	vpm_init(p);
	vhpet_init(p);
	d->hvm->platform = p;
	return 0;
}

void hvm_platform_stop(struct domain *d)
{
	struct hvm_platform *p = d->hvm->platform;

	if (!p)
		return;
	timer_kill(&p->pit.timer);
	timer_kill(&p->rtc.timer);
	timer_kill(&p->pm.timer);
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		timer_kill(&p->hpet.timers[n].timer);
}

void hvm_platform_fini(struct domain *d)
{
	struct hvm_platform *p = d->hvm->platform;

	hvm_platform_stop(d);
	d->hvm->platform = NULL;
	heap_free(p);
}
