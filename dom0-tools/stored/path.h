/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules for node paths: which characters, how long, what a relative path means.
 */
#ifndef ZSTORED_PATH_H
#define ZSTORED_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

/* An absolute path and its NUL. */
struct path {
	char name[XENSTORE_ABS_PATH_MAX + 1];
	size_t len;
	/* Length of the "/local/domain/N/" that was put in front, or 0. */
	size_t base_len;
};

/*
 * Makes a client's path absolute.  Fails with -EINVAL on an empty or malformed
 * path, and on one that begins with '@' unless special is allowed.
 */
int path_resolve(struct path *path, const char *name, unsigned int domid, bool allow_special);
static inline bool path_is_special(const char *name)
{
	return name[0] == '@';
}
/* Length of the parent's path: 1 for what lies in the root, 0 for the root. */
size_t path_parent_len(const char *name, size_t len);
/* Whether child is parent or lies below it. */
bool path_is_below(const char *child, size_t child_len, const char *parent, size_t parent_len);

#endif
