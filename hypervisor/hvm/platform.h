/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual platform that runs in ring 0 because speed needs it: local APIC
 * of each vCPU (vlapic.h), and of an HVM domain the PIC, I/O APIC, PIT, RTC,
 * HPET and ACPI PM timer.  The rest of a PC is the device model's.
 */
#ifndef HVM_PLATFORM_H
#define HVM_PLATFORM_H

#include "hvm/io.h"

/* The devices that d->hvm->emulation names; -ENOMEM */
must_check int hvm_platform_init(struct domain *d);
/* Teardown, no vCPU of it runs any more: its timers stop for good.  Before the vCPUs' end. */
void hvm_platform_stop(struct domain *d);
void hvm_platform_fini(struct domain *d);
/* Any device here at that address?  True: it answered (reads: io->data). Any size, any alignment.
 */
must_check bool hvm_platform_access(struct vcpu *v, struct hvm_io *io);
/* Would it?  Of a port. */
must_check bool hvm_platform_has(const struct vcpu *v, const struct hvm_io *io);
/* Somebody pressed ACPI's power or sleep button: 0; -ENODEV: the machine has none. */
must_check int hvm_acpi_button(struct domain *d, bool is_sleep);

#endif
