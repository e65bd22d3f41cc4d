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
#include "time/time.h"
#include "time/timer.h"

#include <xen/hvm/save.h>

#define HVM_GSIS      VIOAPIC_NUM_PINS
#define HVM_PCI_LINKS 4

/* A GSI, or HVM_WIRE_PCI | device * 4 + pin */
#define HVM_WIRE_PCI 0x100U

/* Wires from devices, and how many of those that are up lead to each GSI. */
struct hvm_lines {
	unsigned long pci[2]; /* device * 4 + pin, of the one bus */
	unsigned long isa;
	unsigned long gsi;	      /* of those in the hypervisor that have a GSI of their own */
	uint8_t route[HVM_PCI_LINKS]; /* ISA IRQ, 0: none */
	uint8_t link_count[HVM_PCI_LINKS];
	uint8_t count[HVM_GSIS];
	uint16_t callback_wire; /* of the event channel callback, while it is up: HVM_WIRE_*; 0 */
};

/* No guest has the hypervisor tick faster than this, whatever it asks for. */
#define HVM_PERIOD_MIN_NS 50000UL

/* Times are system time, in ns. */
struct vpit {
	struct spinlock lock; /* interrupts on; below: */
	struct hvm_hw_pit hw; /* a count of 0: not loaded, it stands still */
	uint64_t started[3];  /* when the counts were loaded */
	uint64_t due;	      /* channel 0's next interrupt; 0: none */
	struct timer timer;
};

struct vrtc {
	struct spinlock lock; /* interrupts on; below, but for the index: */
	struct hvm_hw_rtc hw; /* rtc_offset: in seconds, beyond the domain's */
	uint64_t looked;      /* when the flags were caught up */
	uint64_t second;      /* of the wall clock, then */
	struct timer timer;
};

struct vpm {
	struct spinlock lock;	  /* interrupts on; below: */
	struct hvm_hw_pmtimer hw; /* tmr_val: when it was last looked at */
	struct timer timer;
	uint32_t base; /* constant after create or load: count at system time 0 */
};

struct vhpet {
	struct spinlock lock;	      /* interrupts on; below: */
	struct hvm_hw_hpet hw;	      /* capabilities are not kept; mc64: while it stands */
	uint64_t base;		      /* count at system time 0, while it runs */
	uint64_t due[HPET_TIMER_NUM]; /* the next match; 0: none */
	uint8_t lines;		      /* a bit for each GSI that is up, of: */
	uint8_t line_gsi[HPET_TIMER_NUM];
	struct vhpet_timer {
		struct hvm_platform *platform;
		struct timer timer;
	} timers[HPET_TIMER_NUM];
};

struct vdebug {
	struct spinlock lock; /* irq-safe; below: */
	unsigned int length;
	char line[96];
};

struct hvm_platform {
	/* constant after create */
	struct domain *domain;

	struct vpit pit;
	struct vrtc rtc;
	struct vpm pm;
	struct vhpet hpet;
	struct vdebug debug;

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
	/* optional: is that access, in the window, its at all? */
	bool (*claims)(struct hvm_platform *p, const struct hvm_io *io);
	/* at < size; the value is masked to the size by the caller */
	uint64_t (*read)(struct hvm_platform *p, unsigned int at, unsigned int size);
	void (*write)(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val);
};

static inline uint64_t hvm_ticks_from_ns(uint64_t ns, uint32_t hz)
{
	return ns / 1000000000 * hz + ns % 1000000000 * hz / 1000000000;
}

static inline uint64_t hvm_ns_from_ticks(uint64_t ticks, uint32_t hz)
{
	return ticks / hz * 1000000000 + DIV_ROUND_UP(ticks % hz * 1000000000, hz);
}

/* The first time after `now` that is a whole number of periods after `due`. */
static inline uint64_t hvm_period_next(uint64_t due, uint64_t period, uint64_t now)
{
	return due + ((now - due) / period + 1) * period;
}

/* A device's record, as struct hvm_save_kind has its functions. */
#define HVM_DEVICE_RECORD(name)                                              \
	int name##_save(struct domain *d, unsigned int instance, void *rec); \
	int name##_load(struct domain *d, unsigned int instance, const void *rec)

/* --- lines.c --- */
HVM_DEVICE_RECORD(hvm_pci_irq);
HVM_DEVICE_RECORD(hvm_isa_irq);
HVM_DEVICE_RECORD(hvm_pci_link);
/* An edge of an ISA IRQ whose device is in the hypervisor. */
void hvm_isa_irq_pulse(struct hvm_platform *p, unsigned int irq);
/* A GSI's level; under irq_lock, as what follows. */
bool hvm_gsi_is_up(const struct hvm_platform *p, unsigned int gsi);
/* The event channel callback's wire is up, and no other of its; 0: none. */
void hvm_callback_wire_set(struct hvm_platform *p, unsigned int wire);

/* --- interrupt.c: that wire follows what waits for vCPU 0; under irq_lock --- */
void hvm_callback_wire_update(struct hvm_platform *p);

#define HVM_DEVICE_ACCESS(name)                                                           \
	uint64_t name##_read(struct hvm_platform *p, unsigned int at, unsigned int size); \
	void name##_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)

/* --- vpic.c; under irq_lock but for the port functions, which take it --- */
void vpic_init(struct hvm_platform *p);
void vpic_line_set(struct hvm_platform *p, unsigned int irq, bool level);
bool vpic_take(struct hvm_platform *p, uint8_t *vector);
/* Do its interrupts reach this vCPU: by LINT0, or through the I/O APIC? Any context. */
bool vpic_reaches(const struct hvm_platform *p, const struct vcpu *v);
HVM_DEVICE_ACCESS(vpic);
HVM_DEVICE_ACCESS(vpic_slave);
HVM_DEVICE_ACCESS(vpic_elcr);
HVM_DEVICE_RECORD(vpic);

/* --- vioapic.c --- */
void vioapic_init(struct hvm_platform *p);
void vioapic_line_set(struct hvm_platform *p, unsigned int gsi, bool level); /* under irq_lock */
/* Does pin 0, to which the PIC's output is wired, pass it on to the APIC of this id? */
bool vioapic_passes_pic(const struct hvm_platform *p, uint32_t id);
/* A local APIC's end of a level-triggered vector; takes the lock. */
void vioapic_eoi(struct domain *d, uint8_t vector);
HVM_DEVICE_ACCESS(vioapic);
HVM_DEVICE_RECORD(vioapic);

/* --- the clocks; each function takes the device's lock --- */
void vpit_init(struct hvm_platform *p);
HVM_DEVICE_ACCESS(vpit);
HVM_DEVICE_ACCESS(vpit_port61);
HVM_DEVICE_RECORD(vpit);
void vrtc_init(struct hvm_platform *p);
bool vrtc_claims(struct hvm_platform *p, const struct hvm_io *io);
HVM_DEVICE_ACCESS(vrtc);
HVM_DEVICE_RECORD(vrtc);
void vpm_init(struct hvm_platform *p);
bool vpm_claims(struct hvm_platform *p, const struct hvm_io *io);
HVM_DEVICE_ACCESS(vpm_event);
HVM_DEVICE_ACCESS(vpm_timer);
HVM_DEVICE_RECORD(vpm);
void vhpet_init(struct hvm_platform *p);
/* Have its comparators 0 and 1 taken the PIT's and the RTC's interrupts?  Any context. */
bool vhpet_is_legacy(const struct hvm_platform *p);
HVM_DEVICE_ACCESS(vhpet);
HVM_DEVICE_RECORD(vhpet);

HVM_DEVICE_ACCESS(vdebug); /* port 0xe9 */

#endif
