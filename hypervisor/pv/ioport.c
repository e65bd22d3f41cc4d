/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port I/O of a PV guest: first whether it may execute the instruction (its
 * virtual IOPL and I/O bitmap), then what the port is to it.  A port that is
 * not the domain's reads as all ones and ignores writes, as an empty bus does.
 * What the hypervisor keeps is no domain's: dev/ports.h.
 */
#include "cpu/asm.h"
#include "dev/pciconf.h"
#include "domain/domain.h"
#include "pv/emulate.h"

#define PCI_CONF_ADDRESS 0xcf8
#define PCI_CONF_DATA    0xcfc

bool pv_port_allowed(struct vcpu *v, uint16_t port, unsigned int size)
{
	uint16_t bits = 0;

	if (v->pv.iopl >= (v->pv.in_kernel ? 1 : 3))
		return true;
	if (!v->pv.iobitmap || (unsigned int)port + size > v->pv.iobitmap_ports)
		return false;
	/* one byte more than the first bit's may be needed, and may not be there */
	if (guest_copy_from(&bits, (char *)v->pv.iobitmap + port / 8, 1))
		return false;
	if (port % 8 + size > 8 &&
	    guest_copy_from((char *)&bits + 1, (char *)v->pv.iobitmap + port / 8 + 1, 1))
		return false;
	return !(bits >> port % 8 & ((1U << size) - 1));
}

static bool is_pci_data(uint16_t port, unsigned int size)
{
	return port >= PCI_CONF_DATA && port + size <= PCI_CONF_DATA + 4;
}

uint32_t pv_port_in(struct vcpu *v, uint16_t port, unsigned int size)
{
	struct domain *d = v->domain;

	if (d->is_privileged && port == PCI_CONF_ADDRESS && size == 4)
		return d->pv.pci_address;
	if (d->is_privileged && is_pci_data(port, size) && (d->pv.pci_address & 0x80000000U))
		return pciconf_read(d->pv.pci_address, port & 3, size);
	if (!rangeset_contains(&d->ioports, port, port + size - 1))
		return ~0U;
	return size == 1 ? port_inb(port) : size == 2 ? port_inw(port) : port_inl(port);
}

void pv_port_out(struct vcpu *v, uint16_t port, unsigned int size, uint32_t val)
{
	struct domain *d = v->domain;

	if (d->is_privileged && port == PCI_CONF_ADDRESS && size == 4) {
		d->pv.pci_address = val;
		return;
	}
	if (d->is_privileged && is_pci_data(port, size) && (d->pv.pci_address & 0x80000000U)) {
		pciconf_write(d->pv.pci_address, port & 3, size, val);
		return;
	}
	if (!rangeset_contains(&d->ioports, port, port + size - 1))
		return;
	if (size == 1)
		port_outb(port, val);
	else if (size == 2)
		port_outw(port, val);
	else
		port_outl(port, val);
}
