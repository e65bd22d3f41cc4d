/* SPDX-License-Identifier: BSD-2-Clause */
/* zl: small helpers over json-c. Owns no data. */
#include "zl/json.h"

#include <json-c/json.h>

void json_add_string(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

void json_add_int(struct json_object *object, const char *key, int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

void json_add_double(struct json_object *object, const char *key, double value)
{
	char text[32];

	/* Seconds to the millisecond: what a reader wants, and the same on every machine. */
	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static int print_as(struct json_object *object, int flags, FILE *out)
{
	int rc;

	flags |= JSON_C_TO_STRING_NOSLASHESCAPE;
	rc = fprintf(out, "%s\n", json_object_to_json_string_ext(object, flags)) < 0 ||
	     fflush(out) != 0;
	json_object_put(object);
	return rc;
}

int json_print(struct json_object *object, FILE *out)
{
	return print_as(object, JSON_C_TO_STRING_PRETTY, out);
}

int json_print_line(struct json_object *object, FILE *out)
{
	return print_as(object, JSON_C_TO_STRING_PLAIN, out);
}
