/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the text of a configuration: a file and the KEY=VALUE words of the command line after it,
 * as one text, with errors told apart by where they are.
 */
#ifndef ZENDO_ZL_OVERRIDES_H
#define ZENDO_ZL_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct source_text {
	const char *name; /* for messages: the file, or "command line" */
	char *text;
	size_t size;
	unsigned int file_lines; /* lines beyond are the command line's */
	char message[600];
};

/* KEY=VALUE, KEY being letters, digits and underscores. */
bool source_is_override(const char *word);

/*
 * Read `file` ("-": standard input; NULL: none) and add the words. A value that is neither a
 * number nor quoted nor a list is taken as a string: `name=guest` needs no second quotes.
 * -EFBIG: larger than CONFIG_FILE_MAX.
 */
int source_read(const char *file, char *const *overrides, int nr_overrides,
		struct source_text *source);
void source_free(struct source_text *source);

/* The error's text, said to be on the command line if it is. */
const char *source_place_error(struct source_text *source, const struct config_error *error);

#endif
