/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside dev/: the argument of HYPERVISOR_physdev_op, and its operations by file. */
#ifndef DEV_PHYSDEV_H
#define DEV_PHYSDEV_H

#include "lib/types.h"

#include <xen/physdev.h>

union physdev_arg {
	struct physdev_irq_status_query irq_status_query;
	struct physdev_set_iopl set_iopl;
	struct physdev_set_iobitmap set_iobitmap;
	struct physdev_apic apic;
	struct physdev_irq irq;
	struct physdev_eoi eoi;
	struct physdev_map_pirq map_pirq;
	struct physdev_unmap_pirq unmap_pirq;
	struct physdev_manage_pci manage_pci;
	struct physdev_manage_pci_ext manage_pci_ext;
	struct physdev_restore_msi restore_msi;
	struct physdev_setup_gsi setup_gsi;
	struct physdev_get_free_pirq get_free_pirq;
	struct physdev_pci_mmcfg_reserved pci_mmcfg_reserved;
	struct physdev_pci_device_add pci_device_add;
	struct physdev_pci_device pci_device;
	struct physdev_pirq_eoi_gmfn eoi_gmfn;
	struct physdev_dbgp_op dbgp;
};

/* physdev_irq.c: 0 or -E; results in *arg */
int physdev_irq_status_query(union physdev_arg *arg);
int physdev_eoi(union physdev_arg *arg);
int physdev_map_pirq(union physdev_arg *arg);
int physdev_unmap_pirq(union physdev_arg *arg);
int physdev_setup_gsi(union physdev_arg *arg);
int physdev_get_free_pirq(union physdev_arg *arg);
int physdev_pirq_eoi_gmfn(union physdev_arg *arg);

#endif
