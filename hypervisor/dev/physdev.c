/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_physdev_op (xen/physdev.h): which operation, who may, and the
 * small ones.  Interrupt mappings are in physdev_irq.c.
 */
#include "dev/physdev.h"

#include "dev/irq_desc.h"
#include "dev/pirq.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"

#define IOPL_MAX     3
#define IO_PORTS     0x10000

static int op_set_iopl(union physdev_arg *arg)
{
	if (arg->set_iopl.iopl > IOPL_MAX)
		return -EINVAL;
	current->pv.iopl = arg->set_iopl.iopl;
	return 0;
}

static int op_set_iobitmap(union physdev_arg *arg)
{
	if (arg->set_iobitmap.nr_ports > IO_PORTS)
		return -EINVAL;
	current->pv.iobitmap = arg->set_iobitmap.bitmap.p;
	current->pv.iobitmap_ports = arg->set_iobitmap.nr_ports;
	return 0;
}

static int op_apic_read(union physdev_arg *arg)
{
	return ioapic_register_read(arg->apic.apic_physbase, arg->apic.reg, &arg->apic.value);
}

/* The pins are the hypervisor's: a guest has PHYSDEVOP_setup_gsi and the event channels. */
static int op_apic_write(union physdev_arg *arg)
{
	(void)arg;
	return -EPERM;
}

/* Vectors are nothing to a guest that gets events; the number itself stands for one. */
static int op_alloc_irq_vector(union physdev_arg *arg)
{
	if (arg->irq.irq >= irq_gsi_count())
		return -EINVAL;
	arg->irq.vector = arg->irq.irq;
	return 0;
}

static int op_free_irq_vector(union physdev_arg *arg)
{
	return arg->irq.irq < irq_gsi_count() ? 0 : -EINVAL;
}

/* dom0 tells what its buses hold.  Nothing is kept of it: a device is looked at when used. */
static int op_manage_pci(union physdev_arg *arg)
{
	(void)arg;
	return 0;
}

static int op_pci_device(union physdev_arg *arg)
{
	return arg->pci_device.seg ? -ENODEV : 0;
}

static int op_pci_device_add(union physdev_arg *arg)
{
	if (arg->pci_device_add.flags &
	    ~(XEN_PCI_DEV_EXTFN | XEN_PCI_DEV_VIRTFN | XEN_PCI_DEV_PXM))
		return -EINVAL;
	return arg->pci_device_add.seg ? -ENODEV : 0;
}

static int op_restore_msi(union physdev_arg *arg)
{
	pirq_restore_device(current->domain, arg->restore_msi.bus, arg->restore_msi.devfn);
	return 0;
}

static int op_restore_msi_ext(union physdev_arg *arg)
{
	if (arg->pci_device.seg)
		return -ENODEV;
	pirq_restore_device(current->domain, arg->pci_device.bus, arg->pci_device.devfn);
	return 0;
}

static int op_pci_mmcfg_reserved(union physdev_arg *arg)
{
	const struct physdev_pci_mmcfg_reserved *r = &arg->pci_mmcfg_reserved;

	if (r->flags & ~XEN_PCI_MMCFG_RESERVED || r->start_bus > r->end_bus)
		return -EINVAL;
	return 0; /* configuration space is reached by ports here */
}

/* No debug port is ours, so its reset needs no care. */
static int op_dbgp(union physdev_arg *arg)
{
	const struct physdev_dbgp_op *op = &arg->dbgp;

	if (op->op != PHYSDEVOP_DBGP_RESET_PREPARE && op->op != PHYSDEVOP_DBGP_RESET_DONE)
		return -EINVAL;
	return op->bus <= PHYSDEVOP_DBGP_BUS_PCI ? 0 : -EINVAL;
}

static int op_prepare_msix(union physdev_arg *arg)
{
	const struct physdev_pci_device *p = &arg->pci_device;

	if (p->seg)
		return -ENODEV;
	if (pirq_device_uses_msix(current->domain, p->bus, p->devfn))
		return -EBUSY;
	return msix_check(p->bus, p->devfn);
}

static int op_release_msix(union physdev_arg *arg)
{
	const struct physdev_pci_device *p = &arg->pci_device;

	return p->seg ? -ENODEV : msix_check(p->bus, p->devfn);
}

/* pci_device_add ends in an array of which _PXM uses one element, and we have no nodes. */
#define PCI_DEVICE_ADD_SIZE offsetof(struct physdev_pci_device_add, optarr)

#define ANYONE     0x1 /* not dom0 alone */
#define RETURNS    0x2 /* the argument is copied back */

static const struct {
	int (*fn)(union physdev_arg *arg);
	uint8_t size, flags;
} ops[] = {
#define OP(nr, fn, type, flags) [nr] = {fn, sizeof(struct type), flags}
	OP(PHYSDEVOP_irq_status_query, physdev_irq_status_query, physdev_irq_status_query,
	   ANYONE | RETURNS),
	OP(PHYSDEVOP_set_iopl, op_set_iopl, physdev_set_iopl, ANYONE),
	OP(PHYSDEVOP_set_iobitmap, op_set_iobitmap, physdev_set_iobitmap, ANYONE),
	OP(PHYSDEVOP_apic_read, op_apic_read, physdev_apic, RETURNS),
	OP(PHYSDEVOP_apic_write, op_apic_write, physdev_apic, 0),
	OP(PHYSDEVOP_alloc_irq_vector, op_alloc_irq_vector, physdev_irq, RETURNS),
	OP(PHYSDEVOP_free_irq_vector, op_free_irq_vector, physdev_irq, 0),
	OP(PHYSDEVOP_eoi, physdev_eoi, physdev_eoi, ANYONE),
	OP(PHYSDEVOP_map_pirq, physdev_map_pirq, physdev_map_pirq, RETURNS),
	OP(PHYSDEVOP_unmap_pirq, physdev_unmap_pirq, physdev_unmap_pirq, 0),
	OP(PHYSDEVOP_manage_pci_add, op_manage_pci, physdev_manage_pci, 0),
	OP(PHYSDEVOP_manage_pci_remove, op_manage_pci, physdev_manage_pci, 0),
	OP(PHYSDEVOP_restore_msi, op_restore_msi, physdev_restore_msi, 0),
	OP(PHYSDEVOP_manage_pci_add_ext, op_manage_pci, physdev_manage_pci_ext, 0),
	OP(PHYSDEVOP_setup_gsi, physdev_setup_gsi, physdev_setup_gsi, 0),
	OP(PHYSDEVOP_get_free_pirq, physdev_get_free_pirq, physdev_get_free_pirq, RETURNS),
	OP(PHYSDEVOP_pci_mmcfg_reserved, op_pci_mmcfg_reserved, physdev_pci_mmcfg_reserved, 0),
	[PHYSDEVOP_pci_device_add] = {op_pci_device_add, PCI_DEVICE_ADD_SIZE, 0},
	OP(PHYSDEVOP_pci_device_remove, op_pci_device, physdev_pci_device, 0),
	OP(PHYSDEVOP_restore_msi_ext, op_restore_msi_ext, physdev_pci_device, 0),
	OP(PHYSDEVOP_pirq_eoi_gmfn_v2, physdev_pirq_eoi_gmfn, physdev_pirq_eoi_gmfn, ANYONE),
	OP(PHYSDEVOP_dbgp_op, op_dbgp, physdev_dbgp_op, 0),
	OP(PHYSDEVOP_prepare_msix, op_prepare_msix, physdev_pci_device, 0),
	OP(PHYSDEVOP_release_msix, op_release_msix, physdev_pci_device, 0),
#undef OP
};

long hypercall_physdev_op(const uint64_t *args)
{
	unsigned int cmd = args[0];
	void *guest = (void *)args[1];
	union physdev_arg arg;
	long ret;

	if (args[0] >= ARRAY_SIZE(ops) || !ops[cmd].fn)
		return -ENOSYS;
	if (!(ops[cmd].flags & ANYONE) && !current->domain->is_privileged)
		return -EPERM;
	if (copy_in(&arg, guest, ops[cmd].size))
		return -EFAULT;
	ret = ops[cmd].fn(&arg);
	if (!ret && ops[cmd].flags & RETURNS && copy_out(guest, &arg, ops[cmd].size))
		ret = -EFAULT;
	return ret;
}
