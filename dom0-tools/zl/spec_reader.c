/* SPDX-License-Identifier: BSD-2-Clause */
/* zl: reading single values of a configuration, with errors that name their place. */
#include "zl/spec_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct config_value *reader_place(struct spec_reader *r, const char *key, size_t item)
{
	const struct config_value *value, *entry;

	if (!key || config_get_value(r->config, key, &value))
		return NULL;
	entry = config_value_item(value, item);
	return entry ? entry : value;
}

void reader_fail(struct spec_reader *r, const char *key, int code, const char *format, ...)
{
	char text[sizeof(r->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->rc = config_error_at(r->config, reader_place(r, key, 0), r->error, code, "%s", text);
}

const char *read_string(struct spec_reader *r, const char *key)
{
	const char *text = NULL;
	int rc;

	if (r->rc)
		return NULL;
	rc = config_get_string(r->config, key, &text, r->error);
	if (rc && rc != -ENOENT)
		r->rc = rc;
	return rc ? NULL : text;
}

bool read_number(struct spec_reader *r, const char *key, long long min, long long max,
		 long long *out)
{
	int rc;

	if (r->rc)
		return false;
	rc = config_get_number(r->config, key, min, max, out, r->error);
	if (rc && rc != -ENOENT)
		r->rc = rc;
	return !rc;
}

char *copy_string(struct spec_reader *r, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		reader_fail(r, NULL, -ENOMEM, "out of memory");
	return copy;
}

bool has_key(struct spec_reader *r, const char *key)
{
	const struct config_value *value;

	return !config_get_value(r->config, key, &value);
}

void read_word(struct spec_reader *r, const char *key, const char *const *words, uint32_t nr_words,
	       uint32_t *out)
{
	const char *text = read_string(r, key);
	char number[12];
	uint32_t i;

	if (!text)
		return;
	for (i = 0; i < nr_words; i++) {
		snprintf(number, sizeof(number), "%u", i);
		if (!strcmp(text, words[i]) || !strcmp(text, number)) {
			*out = i;
			return;
		}
	}
	reader_fail(r, key, -EINVAL, "expected \"%s\"%s \"%s\", found \"%s\"", words[0],
		    nr_words > 2 ? " ..." : " or", words[nr_words - 1], text);
}

void read_bool(struct spec_reader *r, const char *key, bool *out)
{
	int rc = r->rc ? 0 : config_get_bool(r->config, key, out, r->error);

	if (rc && rc != -ENOENT)
		r->rc = rc;
}

void read_copies(struct spec_reader *r, const char *key, size_t max, char ***out, size_t *nr)
{
	const char **items = NULL;
	size_t found = 0;
	int rc = r->rc ? -ENOENT : config_get_strings(r->config, key, &items, &found, r->error);

	if (rc == -ENOENT)
		return;
	r->rc = rc;
	if (!rc && found > max)
		reader_fail(r, key, -E2BIG, "expected at most %zu, found %zu", max, found);
	if (!r->rc && found) {
		*out = calloc(found, sizeof(**out));
		if (!*out)
			reader_fail(r, key, -ENOMEM, "out of memory");
	}
	while (!r->rc && *nr < found) {
		(*out)[*nr] = copy_string(r, items[*nr]);
		(*nr)++;
	}
	free(items);
}
