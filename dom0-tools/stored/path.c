/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path rules: see path.h.  Pure functions, no state.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "path.h"

static bool is_path_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '@' || c == '/';
}

static bool is_well_formed(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_path_char(name[i]))
			return false;
		if (name[i] == '/' && i + 1 < len && name[i + 1] == '/')
			return false;
	}
	return len == 1 || name[len - 1] != '/';
}

int path_resolve(struct path *path, const char *name, unsigned int domid, bool allow_special)
{
	size_t len = strnlen(name, XENSTORE_ABS_PATH_MAX + 1);
	int base = 0;

	if (!len || len > XENSTORE_ABS_PATH_MAX || !is_well_formed(name, len))
		return -EINVAL;
	if (path_is_special(name) && !allow_special)
		return -EINVAL;
	if (name[0] != '/' && !path_is_special(name)) {
		if (len > XENSTORE_REL_PATH_MAX)
			return -EINVAL;
		base = snprintf(path->name, sizeof(path->name), "/local/domain/%u/", domid);
	}
	memcpy(path->name + base, name, len + 1);
	path->len = len + (size_t)base;
	path->base_len = (size_t)base;
	return 0;
}

size_t path_parent_len(const char *name, size_t len)
{
	if (len <= 1)
		return 0;
	while (name[len - 1] != '/')
		len--;
	return len == 1 ? 1 : len - 1;
}

bool path_is_below(const char *child, size_t child_len, const char *parent, size_t parent_len)
{
	if (parent_len == 1 && parent[0] == '/')
		return child[0] == '/';
	if (child_len < parent_len || memcmp(child, parent, parent_len))
		return false;
	return child_len == parent_len || child[parent_len] == '/';
}
