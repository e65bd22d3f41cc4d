/* SPDX-License-Identifier: BSD-2-Clause */
/* zl: joining a configuration file and the words of the command line. Parses neither. */
#include "zl/overrides.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool source_is_override(const char *word)
{
	size_t i = 0;

	while (isalnum((unsigned char)word[i]) || word[i] == '_')
		i++;
	return i && word[i] == '=' && !isdigit((unsigned char)word[0]);
}

static int read_all(int fd, struct source_text *source)
{
	ssize_t len;

	source->text = malloc(CONFIG_FILE_MAX + 2);
	if (!source->text)
		return -ENOMEM;
	while (source->size <= CONFIG_FILE_MAX) {
		len = read(fd, source->text + source->size, CONFIG_FILE_MAX + 1 - source->size);
		if (len < 0 && errno != EINTR)
			return -errno;
		if (len == 0)
			return 0;
		if (len > 0)
			source->size += (size_t)len;
	}
	return -EFBIG;
}

static int source_read_file(const char *file, struct source_text *source)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	size_t i;
	int rc;

	if (fd < 0)
		return -errno;
	rc = read_all(fd, source);
	if (fd != STDIN_FILENO)
		close(fd);
	if (rc)
		return rc;
	if (source->size && source->text[source->size - 1] != '\n')
		source->text[source->size++] = '\n';
	for (i = 0; i < source->size; i++)
		source->file_lines += source->text[i] == '\n';
	return 0;
}

static bool needs_quotes(const char *value)
{
	size_t digits = strspn(value, "0123456789abcdefABCDEFxX");

	if (*value == '\0')
		return true;
	if (strchr("\"'[", *value))
		return false;
	return !isdigit((unsigned char)*value) || value[digits];
}

static int source_add(struct source_text *source, const char *word)
{
	const char *value = strchr(word, '=') + 1;
	const char *quote = "";
	size_t size;
	char *text;

	if (needs_quotes(value))
		quote = strchr(value, '"') ? "'" : "\"";
	size = source->size + strlen(word) + 4;
	text = realloc(source->text, size);
	if (!text)
		return -ENOMEM;
	source->text = text;
	source->size += (size_t)snprintf(text + source->size, size - source->size, "%.*s%s%s%s\n",
					 (int)(value - word), word, quote, value, quote);
	return 0;
}

int source_read(const char *file, char *const *overrides, int nr_overrides,
		struct source_text *source)
{
	int i, rc = 0;

	memset(source, 0, sizeof(*source));
	source->name = file ? file : "command line";
	if (file)
		rc = source_read_file(file, source);
	/* With no words, even what is found missing at the end of the file is the file's. */
	if (!nr_overrides)
		source->file_lines = UINT_MAX;
	for (i = 0; !rc && i < nr_overrides; i++)
		rc = source_add(source, overrides[i]);
	if (rc)
		source_free(source);
	return rc;
}

void source_free(struct source_text *source)
{
	free(source->text);
	source->text = NULL;
}

const char *source_place_error(struct source_text *source, const struct config_error *error)
{
	const char *text = error->text;
	size_t len = strlen(source->name);

	if (error->line <= source->file_lines || strncmp(text, source->name, len))
		return text;
	/* Past "FILE:LINE:COLUMN: ", whose numbers nobody could look up. */
	text += len;
	text += strspn(text, ":0123456789 ");
	snprintf(source->message, sizeof(source->message), "command line: %s", text);
	return source->message;
}
