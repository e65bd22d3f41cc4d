/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI PM timer: 24 or 32 bits at 3.579545 MHz, behind one I/O port. */
#include "cpu/asm.h"
#include "dev/acpi.h"
#include "dev/counter.h"

#define PMTIMER_HZ 3579545

static uint64_t pmtimer_read(void)
{
	return port_inl(acpi_info.pmtimer_port);
}

static struct counter pmtimer = {"ACPI PM timer", PMTIMER_HZ, 0xffffff, pmtimer_read};

init_text const struct counter *pmtimer_probe(void)
{
	uint64_t first;

	if (!acpi_info.pmtimer_port)
		return NULL;
	if (acpi_info.pmtimer_32bit)
		pmtimer.mask = 0xffffffff;
	first = pmtimer_read() & pmtimer.mask;
	for (unsigned int i = 0; i < 10000; i++)
		if ((pmtimer_read() & pmtimer.mask) != first)
			return &pmtimer;
	return NULL;
}
