/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzbuild: what went wrong, in words for the person who wrote the configuration: which file,
 * what was found, what would be right. The library fills one in with every failure.
 */
#ifndef ZENDO_BUILDER_ERROR_H
#define ZENDO_BUILDER_ERROR_H

struct build_error {
	char text[512];
};

/* Format into `error` (may be NULL); returns `code`. */
int build_error_set(struct build_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
