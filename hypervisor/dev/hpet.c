/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET's main counter (IA-PC HPET specification 1.0a); its comparators are not used. */
#include "dev/acpi.h"
#include "dev/counter.h"
#include "mm/mm.h"

#define HPET_PERIOD	0x004 /* femtoseconds, high half of the capabilities */
#define HPET_CONFIG	0x010
#define HPET_COUNTER	0x0f0

#define HPET_SIZE	0x400
#define HPET_ENABLE	1u
#define HPET_PERIOD_MAX 100000000u /* the specification's bound: 100 ns */
#define HPET_PERIOD_MIN 100000u
#define FS_PER_S	1000000000000000UL

static volatile uint32_t *hpet;

/* The low half only: a 32-bit counter is all the specification promises. */
static uint64_t hpet_read(void)
{
	return hpet[HPET_COUNTER / 4];
}

static struct counter counter = {"HPET", 0, 0xffffffff, hpet_read};

init_text const struct counter *hpet_probe(void)
{
	uint32_t period;
	uint64_t first;

	if (!acpi_info.hpet)
		return NULL;
	hpet = iomap(acpi_info.hpet, HPET_SIZE);
	if (!hpet)
		return NULL;
	period = hpet[HPET_PERIOD / 4];
	if (period < HPET_PERIOD_MIN || period > HPET_PERIOD_MAX)
		return NULL;
	hpet[HPET_CONFIG / 4] |= HPET_ENABLE;
	counter.hz = FS_PER_S / period;
	first = hpet_read();
	for (unsigned int i = 0; i < 10000; i++)
		if (hpet_read() != first)
			return &counter;
	return NULL;
}
