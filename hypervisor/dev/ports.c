/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O ports that the hypervisor keeps to itself; see ports.h. */
#include "dev/ports.h"

#include "dev/serial.h"
#include "lib/rangeset.h"

#define PORT_LAST 0xffff

static init_data const struct {
	uint16_t first, last;
} kept[] = {
	{0x20, 0x21}, /* 8259 */
	{0xa0, 0xa1}, /* 8259 */
	{0x40, 0x43}, /* 8254 */
	{0x61, 0x61}, /* gate of its channel 2, speaker */
	{SERIAL_PORT_FIRST, SERIAL_PORT_LAST},
	{0xcf8, 0xcff}, /* PCI configuration, which is emulated for dom0: pv/ioport.c */
};

init_text int ports_grant(struct rangeset *r)
{
	int rc = rangeset_add(r, 0, PORT_LAST);

	for (unsigned int i = 0; !rc && i < ARRAY_SIZE(kept); i++)
		rc = rangeset_remove(r, kept[i].first, kept[i].last);
	return rc;
}
