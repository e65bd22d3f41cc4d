/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzconfig: domain configuration files in the syntax of xl.cfg(5).
 *
 *	name = "guest"            # strings in ' or "
 *	memory = 256; vcpus = 0x2 # numbers, decimal, octal (0...) or hexadecimal; ; or newline ends
 *	disk = [ '/a.img,raw,xvda,w', ]   # lists, nested, with a comma after the last if you like
 *	extra += " quiet"         # append to a string or a list
 *
 * This header owns parsing and typed reading; what a key means is the caller's, and specifications
 * within strings are in config/disk.h, config/vif.h, config/cpulist.h and config/ioports.h. A value
 * set twice is an error of the writer: the last one counts, as in xl. Functions return 0 or -E and
 * never print.
 */
#ifndef ZENDO_CONFIG_H
#define ZENDO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds on hostile or mistaken input; beyond them parsing fails with -E2BIG. */
#define CONFIG_FILE_MAX	 (1024 * 1024) /* bytes */
#define CONFIG_DEPTH_MAX 16	       /* lists within lists */
#define CONFIG_ITEMS_MAX 16384	       /* values in a whole file */

enum config_kind {
	CONFIG_STRING,
	CONFIG_NUMBER,
	CONFIG_LIST,
};

/*
 * What went wrong, as one line ready to show: "FILE:LINE:COLUMN: expected ..., found ...".
 * Lines and columns count from 1; both are 0 when the fault has no place in the text.
 */
struct config_error {
	unsigned int line;
	unsigned int column;
	char text[512];
};

struct config;
struct config_value;

/*
 * Parse a file ("-" is standard input), or `size` bytes of text shown in messages as `name`. The
 * caller owns *out and frees it with config_free(). -EINVAL: syntax; -E2BIG: a bound above; or
 * the error of reading. `error` is filled in every case of failure.
 */
int config_parse_file(const char *path, struct config **out, struct config_error *error);
int config_parse_text(const char *name, const char *text, size_t size, struct config **out,
		      struct config_error *error);
void config_free(struct config *config);

/*
 * Typed reading of a key. Each marks the key as known, whatever the outcome. 0: *out is set;
 * -ENOENT: no such key, *out untouched, `error` empty; -EINVAL: wrong kind or -ERANGE: outside
 * [min, max], with `error` filled. Strings belong to `config`. A quoted number is accepted as a
 * number, and a bare number as a string, as xl does.
 */
int config_get_string(struct config *config, const char *key, const char **out,
		      struct config_error *error);
int config_get_number(struct config *config, const char *key, long long min, long long max,
		      long long *out, struct config_error *error);
/* 0 or 1 only. */
int config_get_bool(struct config *config, const char *key, bool *out, struct config_error *error);
/* Any kind; for keys that may be a string or a list. */
int config_get_value(struct config *config, const char *key, const struct config_value **out);
/*
 * A list of strings; a single string counts as a list of one. *out is an array of *nr pointers
 * that the caller frees (the array, not the strings).
 */
int config_get_strings(struct config *config, const char *key, const char ***out, size_t *nr,
		       struct config_error *error);

enum config_kind config_value_kind(const struct config_value *value);
/* The text of a string or number, NULL for a list. */
const char *config_value_text(const struct config_value *value);
size_t config_value_count(const struct config_value *value);
/* Item `i` of a list; NULL past the end or when not a list. */
const struct config_value *config_value_item(const struct config_value *value, size_t i);
unsigned int config_value_line(const struct config_value *value);

/*
 * Put "FILE:LINE:COLUMN: " and a message about `value` in `error`; returns `code`, so that a
 * caller's own check reads `return config_error_at(config, value, error, -EINVAL, "...")`.
 */
int config_error_at(const struct config *config, const struct config_value *value,
		    struct config_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Say that a key is known though it is not read: nothing to warn about. */
void config_mark_key(struct config *config, const char *key);
/* Call `visit` for each key never read nor marked, in the order of the file. */
void config_visit_unknown(const struct config *config,
			  void (*visit)(const char *file, unsigned int line, const char *key,
					void *arg),
			  void *arg);

#endif
