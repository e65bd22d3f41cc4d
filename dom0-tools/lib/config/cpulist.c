/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of physical CPUs: parsing "0-3,^1" and writing it again.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/cpulist.h"
#include "config/fields.h"
#include "config/internal.h"

#define BAD(error, ...) config_error_set(error, -EINVAL, "", 0, 0, __VA_ARGS__)

bool cpulist_has(const struct cpulist *list, unsigned int cpu)
{
	return cpu < CPULIST_MAX && (list->bits[cpu / 8] >> (cpu % 8) & 1);
}

static void set_range(struct cpulist *list, unsigned long first, unsigned long last, bool present)
{
	for (unsigned long cpu = first; cpu <= last; cpu++) {
		if (present)
			list->bits[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
		else
			list->bits[cpu / 8] &= (uint8_t) ~(1u << (cpu % 8));
	}
}

/* "N" or "N-M" up to the end of the text. */
static int parse_range(const char *text, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*first = *last = strtoul(text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		*last = strtoul(end + 1, &end, 10);
	return *end || errno || *last < *first ? -EINVAL : 0;
}

static int apply_field(struct cpulist *list, const char *field, unsigned int nr_cpus,
		       struct config_error *error)
{
	bool present = *field != '^';
	const char *text = present ? field : field + 1;
	unsigned long first, last;

	if (strcmp(text, "all") == 0) {
		first = 0;
		last = nr_cpus - 1;
	} else if (parse_range(text, &first, &last) < 0) {
		return BAD(error,
			   "\"%s\" is not a CPU or a range of CPUs: expected 2, 0-3, ^1 or "
			   "all",
			   field);
	}
	if (last >= nr_cpus)
		return config_error_set(error, -ERANGE, "", 0, 0,
					"there is no CPU %lu: this machine has 0 to %u", last,
					nr_cpus - 1);
	set_range(list, first, last, present);
	return 0;
}

int cpulist_parse(const char *text, unsigned int nr_cpus, struct cpulist *out,
		  struct config_error *error)
{
	struct cpulist list = {0};
	struct fields fields;
	bool empty = true;
	int result;

	if (nr_cpus == 0 || nr_cpus > CPULIST_MAX)
		return BAD(error, "a machine has 1 to %d CPUs, not %u", CPULIST_MAX, nr_cpus);
	result = fields_split(text, &fields, error);
	if (result)
		return result;
	/* "^0" alone means every other one. */
	if (fields.field[0][0] == '^')
		set_range(&list, 0, nr_cpus - 1, true);
	for (size_t i = 0; i < fields.nr && !result; i++)
		result = apply_field(&list, fields.field[i], nr_cpus, error);
	fields_free(&fields);
	if (result)
		return result;
	for (size_t i = 0; i < sizeof(list.bits); i++)
		empty = empty && list.bits[i] == 0;
	if (empty)
		return BAD(error, "\"%s\" leaves no CPU", text);
	*out = list;
	return 0;
}

void cpulist_format(const struct cpulist *list, unsigned int nr_cpus, char *buf, size_t size)
{
	unsigned int cpu = 0, first, total = 0;
	size_t used = 0;

	if (size == 0)
		return;
	buf[0] = '\0';
	for (unsigned int i = 0; i < nr_cpus; i++)
		total += cpulist_has(list, i);
	if (total == nr_cpus) {
		snprintf(buf, size, "all");
		return;
	}
	while (cpu < nr_cpus && used < size) {
		int written;

		if (!cpulist_has(list, cpu)) {
			cpu++;
			continue;
		}
		first = cpu;
		while (cpu < nr_cpus && cpulist_has(list, cpu))
			cpu++;
		if (cpu - first == 1)
			written = snprintf(buf + used, size - used, "%s%u", used ? "," : "", first);
		else
			written = snprintf(buf + used, size - used, "%s%u-%u", used ? "," : "",
					   first, cpu - 1);
		used += written > 0 ? (size_t)written : 0;
	}
}
