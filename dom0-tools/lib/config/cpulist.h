/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzconfig: a set of physical CPUs, as xl.cfg `cpus` and `zl vcpu-pin` write it: "all", "2",
 * "0-3,^1". An entry with ^ takes away what entries before it gave.
 */
#ifndef ZENDO_CONFIG_CPULIST_H
#define ZENDO_CONFIG_CPULIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

#define CPULIST_MAX 4096

/* Bit N % 8 of byte N / 8 is CPU N: the layout of the hypervisor's bitmaps. */
struct cpulist {
	uint8_t bits[CPULIST_MAX / 8];
};

/*
 * `nr_cpus` (1 to CPULIST_MAX) is what the machine has: "all" means that many, and a CPU beyond is
 * refused with -ERANGE. -EINVAL: syntax, or nothing left in the set.
 */
int cpulist_parse(const char *text, unsigned int nr_cpus, struct cpulist *out,
		  struct config_error *error);
bool cpulist_has(const struct cpulist *list, unsigned int cpu);
/* The shortest spelling of the set, e.g. "0-3,6"; "all" when it holds every one of nr_cpus. */
void cpulist_format(const struct cpulist *list, unsigned int nr_cpus, char *buf, size_t size);

#endif
