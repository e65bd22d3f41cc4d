/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HVM domain with a platform, and what its devices use of the rest: a fake
 * vendor's windows, kicks, NMIs.  For the tests of the virtual platform.
 */
#ifndef FAKE_PLATFORM_H
#define FAKE_PLATFORM_H

#include "fake_vendor.h"

#include "hvm/platform_state.h"
#include "hvm/vlapic_state.h"
#include "lib/bits.h"

#define FAKE_EMU_HVM                                                               \
	(XEN_X86_EMU_LAPIC | XEN_X86_EMU_HPET | XEN_X86_EMU_PM | XEN_X86_EMU_RTC | \
	 XEN_X86_EMU_IOAPIC | XEN_X86_EMU_PIC | XEN_X86_EMU_PIT)

extern unsigned int fake_kicked[4], fake_nmis[4]; /* by vCPU */
extern unsigned int fake_window, fake_shadow;
extern bool fake_nmi_window;
extern uint8_t fake_tpr;
extern uint64_t fake_wall_sec; /* at system time 0 */

/* vCPU 0 is current, on CPU 0. */
struct domain *fake_platform_domain(unsigned int nr_vcpus, uint32_t emulation);
void fake_platform_free(struct domain *d);

/* An access of vCPU 0's; a write unless val is -1.  Fails the test if no device answers. */
uint64_t fake_io(struct domain *d, bool is_port, uint64_t addr, unsigned int size, int64_t val);
/* True: a device of the hypervisor's answered. */
bool fake_io_try(struct domain *d, struct hvm_io *io);
void fake_time_pass(uint64_t ns); /* timers run */

void fake_pic_start(struct domain *d); /* vectors 0x20.., nothing masked */
uint32_t fake_ioapic_read(struct domain *d, unsigned int reg);
void fake_ioapic_write(struct domain *d, unsigned int reg, uint32_t val);
void fake_ioapic_route(struct domain *d, unsigned int pin, uint64_t entry);
/* Vectors that vCPU 0 has from its local APIC are taken and ended: how many. */
unsigned int fake_vectors_take(struct domain *d, uint8_t vector);

#endif
