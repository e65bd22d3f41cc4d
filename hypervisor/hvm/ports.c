/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O permission map of an HVM domain; see ports.h.  Which ports may be
 * opened at all is not asked here: the set d->ioports says what it was given.
 */
#include "hvm/ports.h"

#include "hvm/hvm.h"
#include "hvm/state.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"

/*
 * 12 KiB, contiguous: an access of 4 bytes to the last port has SVM look at 3
 * bits of the third page, which stay ones.
 */
#define MAP_ORDER 2

int hvm_ports_init(struct domain *d)
{
	d->hvm->ports = hyp_pages_alloc(MAP_ORDER);
	if (!d->hvm->ports)
		return -ENOMEM;
	memset(d->hvm->ports, 0xff, PAGE_SIZE << MAP_ORDER);
	return 0;
}

void hvm_ports_fini(struct domain *d)
{
	hyp_pages_free(d->hvm->ports, MAP_ORDER);
	d->hvm->ports = NULL;
}

paddr_t hvm_ports_map(const struct domain *d)
{
	return virt_to_paddr(d->hvm->ports);
}

/* Bits first..last of those that lie in its word n. */
static unsigned long word_mask(uint32_t n, uint32_t first, uint32_t last)
{
	unsigned long mask = ~0UL;

	if (n == first / BITS_PER_LONG)
		mask &= ~0UL << first % BITS_PER_LONG;
	if (n == last / BITS_PER_LONG)
		mask &= ~0UL >> (BITS_PER_LONG - 1 - last % BITS_PER_LONG);
	return mask;
}

void hvm_ports_allow(struct domain *d, uint16_t first, uint16_t last, bool allow)
{
	for (uint32_t n = first / BITS_PER_LONG; n <= last / BITS_PER_LONG; n++) {
		unsigned long mask = word_mask(n, first, last);

		if (allow)
			d->hvm->ports[n] &= ~mask;
		else
			d->hvm->ports[n] |= mask;
	}
}
