/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending: the sleep states dom0 asks for (it has the AML that names them),
 * reset by every way a PC knows, and plain halt.
 */
#include "cpu/asm.h"
#include "cpu/seam.h"
#include "dev/acpi.h"
#include "dev/apic.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "time/time.h"

/* ACPI 6.4, "PM1 Control Registers" */
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE_MASK  (7u << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP_ENABLE     (1u << 13)
#define PM1_WAKE_STATUS	     (1u << 15)

#define ACPI_STATE_S5	     5

#define KBC_COMMAND	     0x64
#define KBC_BUSY	     0x02
#define KBC_PULSE_RESET	     0xfe
#define PCI_RESET_PORT	     0xcf9
#define PCI_RESET_FULL	     0x06

enum gas_space { GAS_MEMORY = 0, GAS_IO = 1 };

int acpi_enter_sleep(uint8_t state, uint32_t pm1a, uint32_t pm1b)
{
	if (state != ACPI_STATE_S5)
		return -EOPNOTSUPP;
	if (!acpi_info.pm1a_control)
		return -ENODEV;
	/* dom0 gives the whole register with its sleep type; only that much is let through. */
	pm1a &= PM1_SLEEP_TYPE_MASK;
	pm1b &= PM1_SLEEP_TYPE_MASK;
	pm1a |= port_inw(acpi_info.pm1a_control) & ~(PM1_SLEEP_TYPE_MASK | PM1_SLEEP_ENABLE);
	port_outw(acpi_info.pm1a_control, pm1a);
	if (acpi_info.pm1b_control)
		port_outw(acpi_info.pm1b_control, pm1b);
	port_outw(acpi_info.pm1a_control, pm1a | PM1_SLEEP_ENABLE);
	if (acpi_info.pm1b_control)
		port_outw(acpi_info.pm1b_control, pm1b | PM1_SLEEP_ENABLE);
	delay_us(500000);
	return -EIO;
}

no_return void machine_halt(void)
{
	irq_disable();
	for (;;)
		__asm__ volatile("hlt" ::: "memory");
}

no_return void machine_power_off(void)
{
	/*
	 * A dom0 that shuts down properly enters S5 itself.  One that did not get
	 * that far leaves us without the sleep type (it is in the AML): 0 is S5 in
	 * the emulators, and S0, which does nothing, elsewhere.
	 */
	if (acpi_enter_sleep(ACPI_STATE_S5, 0, 0))
		printk("the machine may be switched off now\n");
	machine_halt();
}

static void reset_by_acpi(void)
{
	if (acpi_info.reset_space == GAS_IO && acpi_info.reset_address &&
	    acpi_info.reset_address <= 0xffff)
		port_outb(acpi_info.reset_address, acpi_info.reset_value);
}

static void reset_by_keyboard_controller(void)
{
	for (unsigned int i = 0; i < 1000 && (port_inb(KBC_COMMAND) & KBC_BUSY); i++)
		delay_us(10);
	port_outb(KBC_COMMAND, KBC_PULSE_RESET);
}

no_return void machine_reboot(void)
{
	irq_disable();
	reset_by_acpi();
	delay_us(20000);
	port_outb(PCI_RESET_PORT, PCI_RESET_FULL);
	delay_us(20000);
	reset_by_keyboard_controller();
	delay_us(100000);
	/* An empty IDT: the breakpoint cannot be delivered, nor the faults that follow. */
	idt_load(0, 0);
	__asm__ volatile("int3");
	machine_halt();
}
