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

static const struct hvm_device devices[] = {
	{XEN_X86_EMU_PIC, true, true, 0x20, 2, vpic_read, vpic_write},
	{XEN_X86_EMU_PIC, true, true, 0xa0, 2, vpic_slave_read, vpic_slave_write},
	{XEN_X86_EMU_PIC, true, true, 0x4d0, 2, vpic_elcr_read, vpic_elcr_write},
	{XEN_X86_EMU_IOAPIC, false, false, 0xfec00000, 0x100, vioapic_read, vioapic_write},
};

static const struct hvm_device *device_find(const struct domain *d, const struct hvm_io *io)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct hvm_device *dev = &devices[i];

		if (d->hvm->emulation & dev->emulation && dev->is_port == io->is_port &&
		    io->addr >= dev->first && io->addr - dev->first < dev->size)
			return dev;
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
			data = (data & ~(mask << shift)) |
			       (dev->read(p, at + i, step) & mask) << shift;
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
	d->hvm->platform = p;
	return 0;
}

void hvm_platform_fini(struct domain *d)
{
	struct hvm_platform *p = d->hvm->platform;

	d->hvm->platform = NULL;
	heap_free(p);
}
