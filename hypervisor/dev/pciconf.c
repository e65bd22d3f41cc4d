/* SPDX-License-Identifier: BSD-2-Clause */
/* CF8/CFC under one lock (PCI Local Bus Specification 3.0, "Configuration Mechanism"). */
#include "dev/pciconf.h"

#include "cpu/asm.h"
#include "lib/spinlock.h"

#define CONF_ADDRESS 0xcf8
#define CONF_DATA    0xcfc

static struct spinlock lock = SPINLOCK_INIT;

uint32_t pciconf_read(uint32_t address, unsigned int offset, unsigned int size)
{
	uint64_t flags = spin_lock_irq(&lock);
	uint16_t port = CONF_DATA + offset;
	uint32_t val;

	port_outl(CONF_ADDRESS, address);
	val = size == 1 ? port_inb(port) : size == 2 ? port_inw(port) : port_inl(port);
	spin_unlock_irq(&lock, flags);
	return val;
}

void pciconf_write(uint32_t address, unsigned int offset, unsigned int size, uint32_t val)
{
	uint64_t flags = spin_lock_irq(&lock);
	uint16_t port = CONF_DATA + offset;

	port_outl(CONF_ADDRESS, address);
	if (size == 1)
		port_outb(port, val);
	else if (size == 2)
		port_outw(port, val);
	else
		port_outl(port, val);
	spin_unlock_irq(&lock, flags);
}
