/* SPDX-License-Identifier: BSD-2-Clause */
/* Our command line: words "name" or "name=value", separated by spaces. */
#include "boot/boot.h"
#include "lib/string.h"

bool boot_option(const char *name, char *buf, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = boot_info.cmdline; *p;) {
		const char *end = p;

		while (*end && *end != ' ')
			end++;
		if (!strncmp(p, name, len) && (p[len] == '=' || p + len == end)) {
			const char *value = p + len + (p[len] == '=');
			size_t n = MIN((size_t)(end - value), size - 1);

			memcpy(buf, value, n);
			buf[n] = '\0';
			return true;
		}
		p = end + (*end == ' ');
	}
	return false;
}

uint64_t boot_option_size(const char *name, uint64_t otherwise)
{
	char buf[32];
	uint64_t n = 0;
	char *p = buf;

	if (!boot_option(name, buf, sizeof(buf)) || *p < '0' || *p > '9')
		return otherwise;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	switch (*p) {
	case 'K':
	case 'k':
		return n << 10;
	case 'M':
	case 'm':
		return n << 20;
	case 'G':
	case 'g':
		return n << 30;
	default:
		return n;
	}
}
