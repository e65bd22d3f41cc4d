/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of configuration text: one pass over bytes in memory, by recursive descent with a
 * bound on depth, on values and on size. What it builds is read through config.c.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/internal.h"

struct parser {
	struct config *config;
	struct config_error *error;
	const char *at;
	const char *end;
	unsigned int line;
	unsigned int column;
	unsigned int nr_values;
};

int config_error_set(struct config_error *error, int code, const char *name, unsigned int line,
		     unsigned int column, const char *format, ...)
{
	size_t used = 0;
	va_list args;
	int written;

	if (!error)
		return code;
	error->line = line;
	error->column = column;
	if (line)
		written = snprintf(error->text, sizeof(error->text), "%s:%u:%u: ", name, line,
				   column);
	else
		written =
			snprintf(error->text, sizeof(error->text), "%s%s", name, *name ? ": " : "");
	if (written > 0)
		used = (size_t)written < sizeof(error->text) ? (size_t)written
							     : sizeof(error->text) - 1;
	va_start(args, format);
	vsnprintf(error->text + used, sizeof(error->text) - used, format, args);
	va_end(args);
	return code;
}

/* The character under the cursor, or -1 at the end. */
static int peek(const struct parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : -1;
}

static void advance(struct parser *p)
{
	if (*p->at == '\n') {
		p->line++;
		p->column = 1;
	} else {
		p->column++;
	}
	p->at++;
}

/* What stands under the cursor, in words for a message; `buf` holds 16 bytes. */
static const char *describe(const struct parser *p, char *buf)
{
	int c = peek(p);

	if (c < 0)
		return "the end of the file";
	if (c == '\n')
		return "the end of the line";
	if (isprint(c))
		snprintf(buf, 16, "'%c'", c);
	else
		snprintf(buf, 16, "byte 0x%02x", c);
	return buf;
}

static int fail_expected(struct parser *p, const char *expected)
{
	char buf[16];

	return config_error_set(p->error, -EINVAL, p->config->name, p->line, p->column,
				"expected %s, found %s", expected, describe(p, buf));
}

/* Spaces, comments and backslash-newline; with `lines`, line ends too. */
static void skip_blank(struct parser *p, bool lines)
{
	for (;;) {
		int c = peek(p);

		if (c == '#') {
			while (peek(p) >= 0 && peek(p) != '\n')
				advance(p);
		} else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
			advance(p);
		} else if (c == '\\' && p->at + 1 < p->end && p->at[1] == '\n') {
			advance(p);
			advance(p);
		} else {
			return;
		}
	}
}

static struct config_value *new_value(struct parser *p, enum config_kind kind, int *error)
{
	struct config_value *value;

	if (++p->nr_values > CONFIG_ITEMS_MAX) {
		*error = config_error_set(p->error, -E2BIG, p->config->name, p->line, p->column,
					  "more than %d values in one file", CONFIG_ITEMS_MAX);
		return NULL;
	}
	value = calloc(1, sizeof(*value));
	if (!value) {
		*error = config_error_set(p->error, -ENOMEM, p->config->name, p->line, p->column,
					  "out of memory");
		return NULL;
	}
	value->kind = kind;
	value->line = p->line;
	value->column = p->column;
	return value;
}

/*
 * The escapes of xl: \a \b \f \n \r \t \v, \xHH, \NNN octal, and any other character for itself.
 * The cursor is past the backslash. Returns the byte or -E; NUL has no place in a C string.
 */
static int parse_escape(struct parser *p)
{
	static const char names[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	int c = peek(p), digits = 0, byte = 0;
	const char *name;

	if (c < 0 || c == '\n')
		return fail_expected(p, "a character after '\\'");
	name = strchr(names, c);
	if (name && *name) {
		advance(p);
		return (unsigned char)bytes[name - names];
	}
	if (c == 'x') {
		advance(p);
		for (; digits < 2 && isxdigit(peek(p)); digits++) {
			c = tolower(peek(p));
			byte = byte * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
			advance(p);
		}
		if (digits == 0)
			return fail_expected(p, "a hexadecimal digit after '\\x'");
	} else if (c >= '0' && c <= '7') {
		for (; digits < 3 && peek(p) >= '0' && peek(p) <= '7'; digits++) {
			byte = byte * 8 + peek(p) - '0';
			advance(p);
		}
	} else {
		advance(p);
		return c;
	}
	if (byte == 0 || byte > 255)
		return config_error_set(p->error, -EINVAL, p->config->name, p->line, p->column,
					"an escape must give a byte from 1 to 255, not %d", byte);
	return byte;
}

static int parse_string(struct parser *p, struct config_value *value)
{
	int quote = peek(p);
	const char *line_end;
	size_t used = 0;

	/* A string ends in its line, and unescaping never makes it longer. */
	line_end = memchr(p->at, '\n', (size_t)(p->end - p->at));
	value->text = malloc((size_t)((line_end ? line_end : p->end) - p->at) + 1);
	if (!value->text)
		return config_error_set(p->error, -ENOMEM, p->config->name, p->line, p->column,
					"out of memory");
	advance(p);
	for (;;) {
		int c = peek(p);
		char *shrunk;

		if (c < 0 || c == '\n')
			return config_error_set(p->error, -EINVAL, p->config->name, p->line,
						p->column,
						"expected %c to end the string that began in "
						"line %u, column %u",
						quote, value->line, value->column);
		if (c == 0)
			return fail_expected(p, "a character of the string");
		if (c == quote) {
			advance(p);
			value->text[used] = '\0';
			shrunk = realloc(value->text, used + 1);
			if (shrunk)
				value->text = shrunk;
			return 0;
		}
		advance(p);
		if (c == '\\') {
			c = parse_escape(p);
			if (c < 0)
				return c;
		}
		value->text[used++] = (char)c;
	}
}

/* Decimal, octal and hexadecimal, with a sign; that it fits is checked when it is read. */
static int parse_number(struct parser *p, struct config_value *value)
{
	const char *start = p->at;
	bool hex = false, digits = false;

	if (peek(p) == '-' || peek(p) == '+')
		advance(p);
	if (peek(p) == '0' && p->at + 1 < p->end && (p->at[1] == 'x' || p->at[1] == 'X')) {
		hex = true;
		advance(p);
		advance(p);
	}
	while (peek(p) >= 0 && (hex ? isxdigit(peek(p)) : isdigit(peek(p)))) {
		digits = true;
		advance(p);
	}
	if (!digits)
		return fail_expected(p, hex ? "a hexadecimal digit" : "a digit");
	if (isalnum(peek(p)) || peek(p) == '_' || peek(p) == '.')
		return fail_expected(p, "the end of the number (put text in quotes)");
	value->text = strndup(start, (size_t)(p->at - start));
	if (!value->text)
		return config_error_set(p->error, -ENOMEM, p->config->name, p->line, p->column,
					"out of memory");
	return 0;
}

static int append_item(struct parser *p, struct config_value *list, struct config_value *item)
{
	if (list->nr_items == list->nr_slots) {
		size_t slots = list->nr_slots ? list->nr_slots * 2 : 8;
		struct config_value **items = realloc(list->items, slots * sizeof(*items));

		if (!items)
			return config_error_set(p->error, -ENOMEM, p->config->name, p->line,
						p->column, "out of memory");
		list->items = items;
		list->nr_slots = slots;
	}
	list->items[list->nr_items++] = item;
	return 0;
}

static int parse_value(struct parser *p, unsigned int depth, struct config_value **out);

static int parse_list(struct parser *p, unsigned int depth, struct config_value *list)
{
	if (depth >= CONFIG_DEPTH_MAX)
		return config_error_set(p->error, -E2BIG, p->config->name, p->line, p->column,
					"lists are nested more than %d deep", CONFIG_DEPTH_MAX);
	advance(p);
	for (;;) {
		struct config_value *item;
		int error;

		skip_blank(p, true);
		if (peek(p) == ']')
			break;
		error = parse_value(p, depth + 1, &item);
		if (error)
			return error;
		error = append_item(p, list, item);
		if (error) {
			config_value_free(item);
			return error;
		}
		skip_blank(p, true);
		if (peek(p) == ',')
			advance(p);
		else if (peek(p) != ']')
			return fail_expected(p, "',' or ']' in the list");
	}
	advance(p);
	return 0;
}

static int parse_value(struct parser *p, unsigned int depth, struct config_value **out)
{
	struct config_value *value;
	int c = peek(p), error = 0;

	if (c == '"' || c == '\'')
		value = new_value(p, CONFIG_STRING, &error);
	else if (c == '[')
		value = new_value(p, CONFIG_LIST, &error);
	else if (c == '-' || c == '+' || (c >= '0' && c <= '9'))
		value = new_value(p, CONFIG_NUMBER, &error);
	else
		return fail_expected(p, "a value: a number, a string in quotes or a [list]");
	if (!value)
		return error;
	if (value->kind == CONFIG_STRING)
		error = parse_string(p, value);
	else if (value->kind == CONFIG_LIST)
		error = parse_list(p, depth, value);
	else
		error = parse_number(p, value);
	if (error) {
		config_value_free(value);
		return error;
	}
	*out = value;
	return 0;
}

/* `+=`: strings are joined, lists get the new one's items. `value` is consumed on success. */
static int append_value(struct parser *p, struct config_setting *setting,
			struct config_value *value)
{
	struct config_value *old = setting->value;
	char *joined;
	int error;

	if (old->kind == CONFIG_LIST && value->kind == CONFIG_LIST) {
		for (size_t i = 0; i < value->nr_items; i++) {
			error = append_item(p, old, value->items[i]);
			if (error) {
				/* The first i now belong to the old list. */
				memmove(value->items, value->items + i,
					(value->nr_items - i) * sizeof(*value->items));
				value->nr_items -= i;
				return error;
			}
		}
		value->nr_items = 0;
	} else if (old->kind != CONFIG_LIST && value->kind != CONFIG_LIST) {
		joined = realloc(old->text, strlen(old->text) + strlen(value->text) + 1);
		if (!joined)
			return config_error_set(p->error, -ENOMEM, p->config->name, p->line,
						p->column, "out of memory");
		strcat(joined, value->text);
		old->text = joined;
		old->kind = CONFIG_STRING;
	} else {
		return config_error_set(
			p->error, -EINVAL, p->config->name, value->line, value->column,
			"expected a %s after '+=', as '%s' has in line %u",
			old->kind == CONFIG_LIST ? "list" : "string", setting->key, setting->line);
	}
	config_value_free(value);
	return 0;
}

/* Takes `key` and `value` over when it succeeds. */
static int store_setting(struct parser *p, char *key, unsigned int line, bool append,
			 struct config_value *value)
{
	struct config_setting *setting = config_find_setting(p->config, key);
	int error;

	if (setting && append) {
		error = append_value(p, setting, value);
		if (!error)
			free(key);
		return error;
	}
	if (setting) {
		config_value_free(setting->value);
		setting->value = value;
		setting->line = line;
		free(key);
		return 0;
	}
	setting = calloc(1, sizeof(*setting));
	if (!setting)
		return config_error_set(p->error, -ENOMEM, p->config->name, p->line, p->column,
					"out of memory");
	setting->key = key;
	setting->value = value;
	setting->line = line;
	*p->config->last = setting;
	p->config->last = &setting->next;
	return 0;
}

static int parse_setting(struct parser *p)
{
	const char *start = p->at;
	unsigned int line = p->line;
	struct config_value *value;
	bool append = false;
	char *key;
	int error;

	if (!isalpha(peek(p)) && peek(p) != '_')
		return fail_expected(p, "the name of a setting");
	while (isalnum(peek(p)) || peek(p) == '_' || peek(p) == '-')
		advance(p);
	key = strndup(start, (size_t)(p->at - start));
	if (!key)
		return config_error_set(p->error, -ENOMEM, p->config->name, p->line, p->column,
					"out of memory");
	skip_blank(p, false);
	if (peek(p) == '+') {
		append = true;
		advance(p);
	}
	if (peek(p) != '=') {
		error = fail_expected(p, append ? "'=' after '+'" : "'=' or '+=' after the name");
		goto free_key;
	}
	advance(p);
	skip_blank(p, false);
	error = parse_value(p, 0, &value);
	if (error)
		goto free_key;
	skip_blank(p, false);
	if (peek(p) >= 0 && peek(p) != '\n' && peek(p) != ';') {
		error = fail_expected(p, "';' or the end of the line after the value");
		goto free_value;
	}
	error = store_setting(p, key, line, append, value);
	if (error)
		goto free_value;
	return 0;

free_value:
	config_value_free(value);
free_key:
	free(key);
	return error;
}

int config_parse_text(const char *name, const char *text, size_t size, struct config **out,
		      struct config_error *error)
{
	struct parser p = {.error = error, .at = text, .end = text + size, .line = 1, .column = 1};
	int result;

	if (size > CONFIG_FILE_MAX)
		return config_error_set(error, -E2BIG, name, 0, 0,
					"larger than %d bytes: not a configuration file",
					CONFIG_FILE_MAX);
	p.config = calloc(1, sizeof(*p.config));
	if (!p.config)
		return config_error_set(error, -ENOMEM, name, 0, 0, "out of memory");
	p.config->last = &p.config->first;
	p.config->name = strdup(name);
	if (!p.config->name) {
		free(p.config);
		return config_error_set(error, -ENOMEM, name, 0, 0, "out of memory");
	}
	for (;;) {
		skip_blank(&p, true);
		if (peek(&p) == ';') {
			advance(&p);
			continue;
		}
		if (peek(&p) < 0)
			break;
		result = parse_setting(&p);
		if (result) {
			config_free(p.config);
			return result;
		}
	}
	*out = p.config;
	return 0;
}

/* Read at most one byte more than is allowed, so that "too large" is seen without fstat(). */
static int read_all(int fd, char *text, size_t max, size_t *size)
{
	*size = 0;
	while (*size < max) {
		ssize_t got = read(fd, text + *size, max - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		*size += (size_t)got;
	}
	return 0;
}

int config_parse_file(const char *path, struct config **out, struct config_error *error)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	char *text = NULL;
	size_t size;
	int fd, result;

	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return config_error_set(error, -errno, name, 0, 0,
					"cannot open the configuration file: %s", strerror(errno));
	text = malloc(CONFIG_FILE_MAX + 1);
	if (!text) {
		result = config_error_set(error, -ENOMEM, name, 0, 0, "out of memory");
		goto close_fd;
	}
	result = read_all(fd, text, CONFIG_FILE_MAX + 1, &size);
	if (result) {
		config_error_set(error, result, name, 0, 0, "cannot read: %s", strerror(-result));
		goto free_text;
	}
	result = config_parse_text(name, text, size, out, error);

free_text:
	free(text);
close_fd:
	if (!is_stdin)
		close(fd);
	return result;
}
