/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The static ACPI tables: CPUs, I/O APICs, interrupt overrides (MADT), PM timer
 * and sleep registers (FADT), HPET, MCFG.  No AML: that is dom0's.
 */
#ifndef DEV_ACPI_H
#define DEV_ACPI_H

#include "lib/cpumask.h"

#define ACPI_IOAPICS_MAX   16
#define ACPI_OVERRIDES_MAX 32
#define ACPI_MCFG_MAX	   8

struct acpi_info {
	paddr_t rsdp;
	paddr_t lapic;
	unsigned int nr_cpus; /* enabled, the boot CPU's first place not assured */
	uint32_t apic_ids[MAX_CPUS];
	uint32_t acpi_ids[MAX_CPUS];
	unsigned int nr_ioapics;
	struct {
		paddr_t base;
		uint8_t id;
		uint32_t gsi_base;
	} ioapics[ACPI_IOAPICS_MAX];
	unsigned int nr_overrides;
	struct {
		uint8_t irq;
		uint32_t gsi;
		uint16_t flags; /* MPS INTI: polarity bits 0-1, trigger bits 2-3 */
	} overrides[ACPI_OVERRIDES_MAX];
	uint16_t pmtimer_port; /* 0: none */
	bool pmtimer_32bit;
	paddr_t hpet;	 /* 0: none */
	uint8_t century; /* CMOS register of the century, 0: none */
	uint16_t pm1a_control, pm1b_control, pm1a_event, pm1b_event, smi_command;
	uint8_t reset_value;
	uint64_t reset_address; /* 0: none */
	uint8_t reset_space;
	unsigned int nr_mcfg;
	struct {
		paddr_t base;
		uint16_t segment;
		uint8_t bus_first, bus_last;
	} mcfg[ACPI_MCFG_MAX];
};

extern struct acpi_info acpi_info;

struct boot_info;
init_text void acpi_init(const struct boot_info *bi);
/* Writes PM1 control registers for a sleep state (platform_op acpi_sleep) */
must_check int acpi_enter_sleep(uint8_t state, uint32_t pm1a, uint32_t pm1b);
no_return void machine_reboot(void);
no_return void machine_halt(void);
/* Off, by the sleep type dom0's AML gave for S5 if it did; halts where that does nothing. */
no_return void machine_power_off(void);

#endif
