/* SPDX-License-Identifier: BSD-2-Clause */
/* What the registers of the real-time clock mean; pure. */
#include "dev/cmos.h"

#define STATUS_B_BINARY 0x04
#define STATUS_B_24H	0x02
#define HOUR_PM		0x80

static unsigned int decode(uint8_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

static unsigned int decode_hour(const struct cmos_time *t, bool binary)
{
	unsigned int hour;

	if (t->status_b & STATUS_B_24H)
		return decode(t->hour, binary);
	hour = decode(t->hour & ~HOUR_PM, binary);
	if (hour < 1 || hour > 12)
		return 24;
	return hour % 12 + (t->hour & HOUR_PM ? 12 : 0);
}

/* Days from 1970-01-01 in the Gregorian calendar, the year taken to begin in March. */
static uint64_t days_since_1970(unsigned int year, unsigned int month, unsigned int day)
{
	unsigned int y = month > 2 ? year : year - 1;
	unsigned int m = month > 2 ? month - 3 : month + 9;

	return 365UL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

uint64_t cmos_time_decode(const struct cmos_time *t)
{
	bool binary = t->status_b & STATUS_B_BINARY;
	unsigned int second = decode(t->second, binary), minute = decode(t->minute, binary);
	unsigned int hour = decode_hour(t, binary), day = decode(t->day, binary);
	unsigned int month = decode(t->month, binary), year = decode(t->year, binary);
	unsigned int century = decode(t->century, binary);

	if (century >= 19 && century <= 29)
		year += century * 100;
	else
		year += year < 70 ? 2000 : 1900;
	if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 ||
	    month > 12 || year < 1970)
		return 0;
	return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}
