/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output of a guest that nobody has read yet: the last bytes of it, up to a
 * limit; older ones give way.
 */
#ifndef ZCONSOLED_BUFFER_H
#define ZCONSOLED_BUFFER_H

#include <stddef.h>

struct buffer {
	char *data;
	size_t limit;
	size_t start; /* of the oldest byte */
	size_t used;
};

/* limit > 0; -ENOMEM. */
int buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const char *data, size_t len);
/* The oldest bytes that lie in one piece; 0 when empty. */
size_t buffer_peek(const struct buffer *buffer, const char **data);
void buffer_drop(struct buffer *buffer, size_t len);

#endif
