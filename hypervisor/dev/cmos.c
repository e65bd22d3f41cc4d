/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the real-time clock while it does not update itself. */
#include "dev/cmos.h"

#include "cpu/asm.h"
#include "dev/acpi.h"
#include "lib/string.h"
#include "time/time.h"

#define CMOS_INDEX	  0x70
#define CMOS_DATA	  0x71

#define RTC_SECOND	  0
#define RTC_MINUTE	  2
#define RTC_HOUR	  4
#define RTC_DAY		  7
#define RTC_MONTH	  8
#define RTC_YEAR	  9
#define RTC_STATUS_A	  10
#define RTC_STATUS_B	  11

#define STATUS_A_UPDATING 0x80

static init_text uint8_t cmos_read(uint8_t reg)
{
	port_outb(CMOS_INDEX, reg);
	return port_inb(CMOS_DATA);
}

static init_text void cmos_time_get(struct cmos_time *t)
{
	memset(t, 0, sizeof(*t));
	t->second = cmos_read(RTC_SECOND);
	t->minute = cmos_read(RTC_MINUTE);
	t->hour = cmos_read(RTC_HOUR);
	t->day = cmos_read(RTC_DAY);
	t->month = cmos_read(RTC_MONTH);
	t->year = cmos_read(RTC_YEAR);
	t->status_b = cmos_read(RTC_STATUS_B);
	if (acpi_info.century && acpi_info.century < 128)
		t->century = cmos_read(acpi_info.century);
}

/* An update takes 2 ms at most; then two reads that agree are one moment. */
init_text uint64_t cmos_time_read(void)
{
	struct cmos_time first, second;

	for (unsigned int tries = 0; tries < 10; tries++) {
		for (unsigned int i = 0; i < 300 && (cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING);
		     i++)
			delay_us(10);
		cmos_time_get(&first);
		cmos_time_get(&second);
		if (!memcmp(&first, &second, sizeof(first)))
			return cmos_time_decode(&first);
	}
	return 0;
}
