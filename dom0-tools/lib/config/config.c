/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed reading of a parsed configuration, with messages that name file, line and column, and the
 * record of which keys were read.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"

void config_value_free(struct config_value *value)
{
	if (!value)
		return;
	for (size_t i = 0; i < value->nr_items; i++)
		config_value_free(value->items[i]);
	free(value->items);
	free(value->text);
	free(value);
}

void config_free(struct config *config)
{
	struct config_setting *setting, *next;

	if (!config)
		return;
	for (setting = config->first; setting; setting = next) {
		next = setting->next;
		config_value_free(setting->value);
		free(setting->key);
		free(setting);
	}
	free(config->name);
	free(config);
}

struct config_setting *config_find_setting(const struct config *config, const char *key)
{
	for (struct config_setting *s = config->first; s; s = s->next) {
		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

int config_error_at(const struct config *config, const struct config_value *value,
		    struct config_error *error, int code, const char *format, ...)
{
	char text[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return config_error_set(error, code, config->name, value ? value->line : 0,
				value ? value->column : 0, "%s", text);
}

static const char *kind_name(enum config_kind kind)
{
	switch (kind) {
	case CONFIG_STRING:
		return "a string";
	case CONFIG_NUMBER:
		return "a number";
	case CONFIG_LIST:
		return "a list";
	}
	return "nothing";
}

int config_get_value(struct config *config, const char *key, const struct config_value **out)
{
	struct config_setting *setting = config_find_setting(config, key);

	if (!setting)
		return -ENOENT;
	setting->known = true;
	*out = setting->value;
	return 0;
}

/* The value of `key` if it is one string or number; clears `error` for the -ENOENT case. */
static int get_scalar(struct config *config, const char *key, const char *expected,
		      const struct config_value **out, struct config_error *error)
{
	int result = config_get_value(config, key, out);

	if (error)
		*error = (struct config_error){0};
	if (result)
		return result;
	if ((*out)->kind == CONFIG_LIST)
		return config_error_at(config, *out, error, -EINVAL, "'%s' must be %s, not a list",
				       key, expected);
	return 0;
}

int config_get_string(struct config *config, const char *key, const char **out,
		      struct config_error *error)
{
	const struct config_value *value;
	int result = get_scalar(config, key, "a string", &value, error);

	if (result)
		return result;
	*out = value->text;
	return 0;
}

int config_get_number(struct config *config, const char *key, long long min, long long max,
		      long long *out, struct config_error *error)
{
	const struct config_value *value;
	int result = get_scalar(config, key, "a number", &value, error);
	long long number;
	char *end;

	if (result)
		return result;
	errno = 0;
	number = strtoll(value->text, &end, 0);
	if (end == value->text || *end != '\0')
		return config_error_at(config, value, error, -EINVAL,
				       "'%s' must be a number, not \"%s\"", key, value->text);
	if (errno == ERANGE || number < min || number > max)
		return config_error_at(config, value, error, -ERANGE,
				       "'%s' must be from %lld to %lld, not %s", key, min, max,
				       value->text);
	*out = number;
	return 0;
}

int config_get_bool(struct config *config, const char *key, bool *out, struct config_error *error)
{
	long long number;
	int result = config_get_number(config, key, 0, 1, &number, error);

	if (!result)
		*out = number != 0;
	return result;
}

int config_get_strings(struct config *config, const char *key, const char ***out, size_t *nr,
		       struct config_error *error)
{
	const struct config_value *value;
	const char **strings;
	size_t count;
	int result = config_get_value(config, key, &value);

	if (error)
		*error = (struct config_error){0};
	if (result)
		return result;
	count = value->kind == CONFIG_LIST ? value->nr_items : 1;
	strings = calloc(count + 1, sizeof(*strings));
	if (!strings)
		return config_error_at(config, value, error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct config_value *item =
			value->kind == CONFIG_LIST ? value->items[i] : value;

		if (item->kind == CONFIG_LIST) {
			free(strings);
			return config_error_at(config, item, error, -EINVAL,
					       "'%s' must be a list of strings, but holds %s", key,
					       kind_name(item->kind));
		}
		strings[i] = item->text;
	}
	*out = strings;
	*nr = count;
	return 0;
}

enum config_kind config_value_kind(const struct config_value *value)
{
	return value->kind;
}

const char *config_value_text(const struct config_value *value)
{
	return value->text;
}

size_t config_value_count(const struct config_value *value)
{
	return value->nr_items;
}

const struct config_value *config_value_item(const struct config_value *value, size_t i)
{
	return i < value->nr_items ? value->items[i] : NULL;
}

unsigned int config_value_line(const struct config_value *value)
{
	return value->line;
}

void config_mark_key(struct config *config, const char *key)
{
	struct config_setting *setting = config_find_setting(config, key);

	if (setting)
		setting->known = true;
}

void config_visit_unknown(const struct config *config,
			  void (*visit)(const char *file, unsigned int line, const char *key,
					void *arg),
			  void *arg)
{
	for (struct config_setting *s = config->first; s; s = s->next) {
		if (!s->known)
			visit(config->name, s->line, s->key, arg);
	}
}
