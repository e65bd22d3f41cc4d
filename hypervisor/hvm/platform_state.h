/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of a domain's virtual platform, for their own files and for
 * interrupt.c.  Each keeps its registers as public hvm/save.h has them.  Two
 * locks: a device's own, taken by vCPUs' accesses and timers; inside it, the
 * interrupt controllers', which any context may take.
 */
#ifndef HVM_PLATFORM_STATE_H
#define HVM_PLATFORM_STATE_H

#include "hvm/platform.h"
#include "hvm/state.h"
#include "time/timer.h"

#include <xen/hvm/save.h>

#define HVM_GSIS VIOAPIC_NUM_PINS
#define HVM_PCI_LINKS 4

/* A GSI, or HVM_WIRE_PCI | device * 4 + pin */
#define HVM_WIRE_PCI 0x100U

/* Wires from devices, and how many of those that are up lead to each GSI. */
struct hvm_lines {
	unsigned long pci[2];	 /* device * 4 + pin, of the one bus */
	unsigned long isa;
	unsigned long gsi;	 /* of those in the hypervisor that have a GSI of their own */
	uint8_t route[HVM_PCI_LINKS]; /* ISA IRQ, 0: none */
	uint8_t link_count[HVM_PCI_LINKS];
	uint8_t count[HVM_GSIS];
	uint16_t callback_wire; /* of the event channel callback, while it is up: HVM_WIRE_*; 0 */
};

struct hvm_platform {
	/* constant after create */
	struct domain *domain;

	struct spinlock irq_lock; /* irq-safe; below: */
	struct hvm_lines lines;
	struct hvm_hw_vpic pic[2]; /* int_output of the first is read without it */
	struct hvm_hw_vioapic ioapic;
};

static inline bool hvm_has_device(const struct domain *d, uint32_t emulation)
{
	return d->hvm->platform && d->hvm->emulation & emulation;
}

/* One window of a device: ports or memory, in platform.c's table. */
struct hvm_device {
	uint32_t emulation; /* XEN_X86_EMU_* it belongs to */
	bool is_port;
	bool is_bytewise; /* a wider access is one of each byte, in order */
	uint32_t first, size;
	/* at < size; the value is masked to the size by the caller */
	uint64_t (*read)(struct hvm_platform *p, unsigned int at, unsigned int size);
	void (*write)(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);
};

/* --- lines.c: a GSI's level; under irq_lock --- */
bool hvm_gsi_is_up(const struct hvm_platform *p, unsigned int gsi);
/* The event channel callback's wire is up, and no other of its; 0: none. */
void hvm_callback_wire_set(struct hvm_platform *p, unsigned int wire);

/* --- interrupt.c: that wire follows what waits for vCPU 0; under irq_lock --- */
void hvm_callback_wire_update(struct hvm_platform *p);

/* --- vpic.c; under irq_lock but for the port functions, which take it --- */
void vpic_init(struct hvm_platform *p);
void vpic_line_set(struct hvm_platform *p, unsigned int irq, bool level);
bool vpic_take(struct hvm_platform *p, uint8_t *vector);
uint64_t vpic_read(struct hvm_platform *p, unsigned int at, unsigned int size);
void vpic_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);
uint64_t vpic_slave_read(struct hvm_platform *p, unsigned int at, unsigned int size);
void vpic_slave_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);
uint64_t vpic_elcr_read(struct hvm_platform *p, unsigned int at, unsigned int size);
void vpic_elcr_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);

/* --- vioapic.c --- */
void vioapic_init(struct hvm_platform *p);
void vioapic_line_set(struct hvm_platform *p, unsigned int gsi, bool level); /* under irq_lock */
/* A local APIC's end of a level-triggered vector; takes the lock. */
void vioapic_eoi(struct domain *d, uint8_t vector);
uint64_t vioapic_read(struct hvm_platform *p, unsigned int at, unsigned int size);
void vioapic_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);

#endif
