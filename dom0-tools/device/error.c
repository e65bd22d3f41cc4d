/* SPDX-License-Identifier: BSD-2-Clause */
/* libzdevice: the formatting of errors. Owns nothing else. */
#include "device/error.h"

#include <stdarg.h>
#include <stdio.h>

int device_error_set(struct device_error *error, int code, const char *format, ...)
{
	va_list args;

	if (!error)
		return code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}
