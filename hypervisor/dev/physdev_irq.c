/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of HYPERVISOR_physdev_op on interrupts: decode, check, and call pirq.c. */
#include "dev/irq.h"
#include "dev/physdev.h"
#include "dev/pirq.h"
#include "domain/domain.h"
#include "lib/errno.h"

#define PCI_BUSES       256
#define PCI_DEVFNS      256
#define MSI_MESSAGES_MAX 32

int physdev_irq_status_query(union physdev_arg *arg)
{
	struct physdev_irq_status_query *q = &arg->irq_status_query;
	bool needs_eoi;
	int ret = pirq_needs_eoi(current->domain, q->irq, &needs_eoi);

	q->flags = !ret && needs_eoi ? XENIRQSTAT_needs_eoi : 0;
	return ret;
}

int physdev_eoi(union physdev_arg *arg)
{
	bool needs_eoi;
	int ret = pirq_needs_eoi(current->domain, arg->eoi.irq, &needs_eoi);

	if (!ret)
		pirq_eoi(current->domain, arg->eoi.irq);
	return ret;
}

/* Whose interrupts the call is about; a guest other than the caller must be allowed the GSI. */
static int map_gsi(struct domain *d, struct physdev_map_pirq *map)
{
	if (map->index < 0)
		return -EINVAL;
	if (d != current->domain && !rangeset_contains(&d->irqs, map->index, map->index))
		return -EPERM;
	return pirq_map_gsi(d, map->index, &map->pirq);
}

static unsigned int round_up_power_of_two(unsigned int n)
{
	return n <= 1 ? 1 : 1U << (32 - __builtin_clz(n - 1));
}

static int map_msi(struct domain *d, struct physdev_map_pirq *map)
{
	bool has_segment = map->type != MAP_PIRQ_TYPE_MSI;
	unsigned int bus = map->bus, segment = has_segment ? bus >> 16 : 0;
	struct msi_request r = {.table_base = map->table_base, .count = 1};

	if (has_segment)
		bus &= 0xffff;
	if (segment)
		return -ENODEV; /* not reached by ports CF8/CFC */
	if (bus >= PCI_BUSES || map->devfn < 0 || map->devfn >= PCI_DEVFNS || map->entry_nr < 0)
		return -EINVAL;
	r.bus = bus;
	r.devfn = map->devfn;
	r.entry = map->entry_nr;
	if (map->type == MAP_PIRQ_TYPE_MULTI_MSI) {
		if (map->table_base || !map->entry_nr || map->entry_nr > MSI_MESSAGES_MAX)
			return -EINVAL;
		r.count = round_up_power_of_two(map->entry_nr);
	}
	return pirq_map_msi(d, &r, &map->pirq);
}

static int map_by_type(struct domain *d, struct physdev_map_pirq *map)
{
	switch (map->type) {
	case MAP_PIRQ_TYPE_GSI:
		return map_gsi(d, map);
	case MAP_PIRQ_TYPE_MSI:
	case MAP_PIRQ_TYPE_MSI_SEG:
	case MAP_PIRQ_TYPE_MULTI_MSI:
		return map_msi(d, map);
	default:
		return -EINVAL;
	}
}

int physdev_map_pirq(union physdev_arg *arg)
{
	struct domain *d;
	int ret = domain_get_controlled(arg->map_pirq.domid, &d);

	if (ret)
		return ret;
	ret = map_by_type(d, &arg->map_pirq);
	domain_put(d);
	return ret;
}

int physdev_unmap_pirq(union physdev_arg *arg)
{
	struct domain *d;
	int ret = domain_get_controlled(arg->unmap_pirq.domid, &d);

	if (ret)
		return ret;
	ret = arg->unmap_pirq.pirq < 0 ? -EINVAL : pirq_unmap(d, arg->unmap_pirq.pirq);
	domain_put(d);
	return ret;
}

int physdev_setup_gsi(union physdev_arg *arg)
{
	const struct physdev_setup_gsi *s = &arg->setup_gsi;

	if (s->gsi < 0 || s->triggering > 1 || s->polarity > 1)
		return -EINVAL;
	return pirq_set_trigger(current->domain, s->gsi, s->triggering, s->polarity);
}

int physdev_get_free_pirq(union physdev_arg *arg)
{
	int pirq;

	if (arg->get_free_pirq.type != MAP_PIRQ_TYPE_GSI &&
	    arg->get_free_pirq.type != MAP_PIRQ_TYPE_MSI)
		return -EINVAL;
	pirq = pirq_find_free(current->domain);
	if (pirq < 0)
		return pirq;
	arg->get_free_pirq.pirq = pirq;
	return 0;
}

int physdev_pirq_eoi_gmfn(union physdev_arg *arg)
{
	return pirq_set_eoi_page(current->domain, MFN(arg->eoi_gmfn.gmfn));
}
