/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of I/O ports: parsing "2f8-2ff" and writing it again.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/internal.h"
#include "config/ioports.h"

#define PORT_LAST	      0xffff

#define BAD(error, code, ...) config_error_set(error, code, "", 0, 0, __VA_ARGS__)

/* With or without 0x; *end: what follows. Of one too large for its type, the largest. */
static bool parse_port(const char *text, unsigned long *port, char **end)
{
	if (!isxdigit((unsigned char)*text)) /* strtoul would take blanks and signs */
		return false;
	*port = strtoul(text, end, 16);
	return true;
}

int ioports_parse(const char *text, struct ioports *out, struct config_error *error)
{
	unsigned long first, last;
	char *end;
	bool is_range = parse_port(text, &first, &end);

	last = first;
	if (is_range && *end == '-')
		is_range = parse_port(end + 1, &last, &end);
	if (!is_range || *end)
		return BAD(error, -EINVAL,
			   "expected I/O ports as 2f8-2ff or 3bc (hexadecimal), found \"%.200s\"",
			   text);
	if (first > PORT_LAST || last > PORT_LAST)
		return BAD(error, -ERANGE, "expected I/O ports of at most ffff, found \"%.200s\"",
			   text);
	if (first > last)
		return BAD(error, -EINVAL,
			   "expected the first I/O port before the last, found \"%.200s\"", text);
	*out = (struct ioports){.first = (uint16_t)first, .last = (uint16_t)last};
	return 0;
}

void ioports_format(const struct ioports *ports, char buf[IOPORTS_SIZE])
{
	if (ports->first == ports->last)
		snprintf(buf, IOPORTS_SIZE, "%x", ports->first);
	else
		snprintf(buf, IOPORTS_SIZE, "%x-%x", ports->first, ports->last);
}
