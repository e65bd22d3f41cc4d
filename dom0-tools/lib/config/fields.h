/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzconfig only: a device specification cut into its comma-separated fields.
 */
#ifndef ZENDO_CONFIG_FIELDS_H
#define ZENDO_CONFIG_FIELDS_H

#include <stddef.h>

#define FIELDS_MAX 64

struct fields {
	char *copy; /* the specification, with NULs for commas */
	char *field[FIELDS_MAX];
	size_t nr;
};

struct config_error;

/* Each field is trimmed of blanks. -E2BIG: more than FIELDS_MAX; -ENOMEM. */
int fields_split(const char *spec, struct fields *fields, struct config_error *error);
void fields_free(struct fields *fields);

/* If `field` is "key=value", cut it at the = and return the value, trimmed; else NULL. */
char *field_cut_value(char *field);
/* strdup() into *slot, giving back what was there; -ENOMEM with a message. */
int field_store(char **slot, const char *value, struct config_error *error);

#endif
