/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting a device specification into fields; what a field means is in disk.c and vif.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/fields.h"
#include "config/internal.h"

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

int fields_split(const char *spec, struct fields *fields, struct config_error *error)
{
	char *at, *comma;

	*fields = (struct fields){.copy = strdup(spec)};
	if (!fields->copy)
		return config_error_set(error, -ENOMEM, "", 0, 0, "out of memory");
	for (at = fields->copy; at; at = comma) {
		comma = strchr(at, ',');
		if (comma)
			*comma++ = '\0';
		if (fields->nr == FIELDS_MAX) {
			fields_free(fields);
			return config_error_set(error, -E2BIG, "", 0, 0,
						"more than %d fields in one specification",
						FIELDS_MAX);
		}
		fields->field[fields->nr++] = trim(at);
	}
	return 0;
}

void fields_free(struct fields *fields)
{
	free(fields->copy);
	*fields = (struct fields){0};
}

char *field_cut_value(char *field)
{
	char *equals = strchr(field, '=');

	if (!equals)
		return NULL;
	*equals = '\0';
	trim(field);
	return trim(equals + 1);
}

int field_store(char **slot, const char *value, struct config_error *error)
{
	char *copy = strdup(value);

	if (!copy)
		return config_error_set(error, -ENOMEM, "", 0, 0, "out of memory");
	free(*slot);
	*slot = copy;
	return 0;
}
