/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of libzbuild.
 */
#include <stdarg.h>
#include <stdio.h>

#include "builder/error.h"

int build_error_set(struct build_error *error, int code, const char *format, ...)
{
	va_list args;

	if (!error)
		return code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}
