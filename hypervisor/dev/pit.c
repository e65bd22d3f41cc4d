/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channel 2 of the 8254 timer as a 16-bit counter that wraps every 55 ms: for
 * machines with neither a PM timer nor an HPET, while the TSC is measured.
 */
#include "cpu/asm.h"
#include "dev/counter.h"

#define PIT_HZ	      1193182
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE      0x61 /* bit 0: gate of channel 2, bit 1: speaker */

#define PIT_CH2_RATE  0xb4 /* channel 2, both bytes, mode 2 */
#define PIT_CH2_LATCH 0x80

/* It counts down. */
static uint64_t pit_read(void)
{
	uint16_t v;

	port_outb(PIT_COMMAND, PIT_CH2_LATCH);
	v = port_inb(PIT_CHANNEL2);
	v |= (uint16_t)port_inb(PIT_CHANNEL2) << 8;
	return (uint16_t)-v;
}

static const struct counter pit = {"PIT", PIT_HZ, 0xffff, pit_read};

init_text const struct counter *pit_probe(void)
{
	uint64_t first;

	port_outb(PIT_GATE, (port_inb(PIT_GATE) & ~2) | 1);
	port_outb(PIT_COMMAND, PIT_CH2_RATE);
	port_outb(PIT_CHANNEL2, 0);
	port_outb(PIT_CHANNEL2, 0);
	first = pit_read();
	for (unsigned int i = 0; i < 10000; i++)
		if (pit_read() != first)
			return &pit;
	return NULL;
}
