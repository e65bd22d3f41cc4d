/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: small helpers over json-c, so that lists are built and printed the same way everywhere.
 * A NULL string adds nothing.
 */
#ifndef ZENDO_ZL_JSON_H
#define ZENDO_ZL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;

void json_add_string(struct json_object *object, const char *key, const char *value);
void json_add_int(struct json_object *object, const char *key, int64_t value);
void json_add_double(struct json_object *object, const char *key, double value);
void json_add_bool(struct json_object *object, const char *key, bool value);

/* Print it indented, with a newline, and put it. Returns 0, or 1 when `out` took no more. */
int json_print(struct json_object *object, FILE *out);
/* The same in one line, for a reader who takes one object after another. */
int json_print_line(struct json_object *object, FILE *out);

#endif
