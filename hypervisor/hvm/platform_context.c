/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which records save the virtual platform (public hvm/save.h).  Each device's own
 * file has what is in one, and refuses what the device cannot hold.  Clocks are
 * set going again from what they showed; PIT periods start anew, as in stock Xen.
 */
#include "hvm/context.h"
#include "hvm/platform_state.h"
#include "hvm/vlapic_state.h"

#define KIND(name, instances, fn)                                                               \
	{                                                                                       \
		HVM_SAVE_CODE(name), instances, HVM_SAVE_LENGTH(name), fn##_save, fn##_load, 0, \
			NULL                                                                    \
	}

const struct hvm_save_kind hvm_platform_save_kinds[] = {
	KIND(PIC, 2, vpic),
	KIND(IOAPIC, 1, vioapic),
	KIND(LAPIC, 0, vlapic),
	KIND(LAPIC_REGS, 0, vlapic_regs), /* behind LAPIC: the mode says what they may be */
	KIND(PCI_IRQ, 1, hvm_pci_irq),
	KIND(ISA_IRQ, 1, hvm_isa_irq),
	KIND(PCI_LINK, 1, hvm_pci_link),
	KIND(PIT, 1, vpit),
	KIND(RTC, 1, vrtc),
	KIND(HPET, 1, vhpet),
	KIND(PMTIMER, 1, vpm),
};
const unsigned int hvm_platform_nr_save_kinds = ARRAY_SIZE(hvm_platform_save_kinds);
