/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space by ports CF8/CFC, one access at a time on the whole machine. */
#ifndef DEV_PCICONF_H
#define DEV_PCICONF_H

#include "lib/types.h"

/* `address` as written to CF8; `offset` 0..3 within its dword; size 1, 2, 4, not past the dword. */
uint32_t pciconf_read(uint32_t address, unsigned int offset, unsigned int size);
void pciconf_write(uint32_t address, unsigned int offset, unsigned int size, uint32_t val);

static inline uint32_t pciconf_address(uint8_t bus, uint8_t devfn, unsigned int reg)
{
	return 0x80000000U | (uint32_t)bus << 16 | (uint32_t)devfn << 8 | (reg & 0xfc);
}

#endif
