/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzconfig only: the tree that the parser builds and the getters read.
 */
#ifndef ZENDO_CONFIG_INTERNAL_H
#define ZENDO_CONFIG_INTERNAL_H

#include "config/config.h"

struct config_value {
	enum config_kind kind;
	unsigned int line;
	unsigned int column;
	char *text;		     /* string or number, else NULL */
	struct config_value **items; /* list */
	size_t nr_items;
	size_t nr_slots;
};

struct config_setting {
	char *key;
	struct config_value *value;
	unsigned int line;
	bool known; /* read or marked */
	struct config_setting *next;
};

struct config {
	char *name; /* of the file, for messages */
	struct config_setting *first;
	struct config_setting **last;
};

void config_value_free(struct config_value *value);
struct config_setting *config_find_setting(const struct config *config, const char *key);

/* "NAME:LINE:COLUMN: " and the message; line 0 leaves the place out. Returns `code`. */
int config_error_set(struct config_error *error, int code, const char *name, unsigned int line,
		     unsigned int column, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

#endif
