/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: what the readers of a configuration's keys share. Each does nothing when an earlier one has
 * failed, and marks the keys that it looks at as known.
 */
#ifndef ZENDO_ZL_SPEC_READER_H
#define ZENDO_ZL_SPEC_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct domain_spec;

struct spec_reader {
	struct config *config;
	struct domain_spec *spec;
	struct config_error *error;
	int rc; /* stays at the first error */
};

/* The place of a key's value (NULL: none), or of entry `item` of its list. */
const struct config_value *reader_place(struct spec_reader *r, const char *key, size_t item);
/* An error at a key's value: "FILE:LINE:COLUMN: message". */
void reader_fail(struct spec_reader *r, const char *key, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

bool has_key(struct spec_reader *r, const char *key);
/* The string of a key, or NULL. Belongs to the configuration. */
const char *read_string(struct spec_reader *r, const char *key);
/* False: there is none, and *out is as it was. */
bool read_number(struct spec_reader *r, const char *key, long long min, long long max,
		 long long *out);
void read_bool(struct spec_reader *r, const char *key, bool *out);
/* One of `words`, or its place among them as a number. */
void read_word(struct spec_reader *r, const char *key, const char *const *words, uint32_t nr_words,
	       uint32_t *out);
/* A string or a list of them, as copies; at most `max`. */
void read_copies(struct spec_reader *r, const char *key, size_t max, char ***out, size_t *nr);

/* NULL stays NULL. */
char *copy_string(struct spec_reader *r, const char *text);

/* What only HVM domains have, into spec->hvm. */
void read_hvm(struct spec_reader *r);

#endif
