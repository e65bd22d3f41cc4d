/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: what went wrong, in words for the person who wrote the configuration: which device,
 * what was found, what would be right.
 */
#ifndef ZENDO_DEVICE_ERROR_H
#define ZENDO_DEVICE_ERROR_H

struct device_error {
	char text[512];
};

/* Format into `error` (may be NULL); returns `code`. */
int device_error_set(struct device_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
