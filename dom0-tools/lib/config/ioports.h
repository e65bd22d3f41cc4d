/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzconfig: a range of I/O ports, as the entries of xl.cfg `ioports` are written: "2f8-2ff" or
 * "3bc", hexadecimal. Both ends belong to it.
 */
#ifndef ZENDO_CONFIG_IOPORTS_H
#define ZENDO_CONFIG_IOPORTS_H

#include <stdint.h>

#include "config/config.h"

#define IOPORTS_SIZE 10 /* of the longest, "1000-ffff", with its NUL */

struct ioports {
	uint16_t first, last;
};

/* -EINVAL: syntax, or first above last; -ERANGE: there is no such port. */
int ioports_parse(const char *text, struct ioports *out, struct config_error *error);
void ioports_format(const struct ioports *ports, char buf[IOPORTS_SIZE]);

#endif
