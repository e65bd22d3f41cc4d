/* SPDX-License-Identifier: BSD-2-Clause */
/* The few memory and string functions ring 0 needs; libc's on the host. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#ifdef ZENDO_HOST
#include <string.h>
#include <stdio.h>
#else
#include "lib/types.h"
#include <stdarg.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* As C's, with %d %i %u %x %X %p %s %c %%, the l, ll, z and h lengths, widths, '-', '0' and '.N'. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
#endif

#endif
