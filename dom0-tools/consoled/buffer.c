/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of bytes that forgets the oldest: see buffer.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

int buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.data = malloc(limit), .limit = limit};
	return buffer->data ? 0 : -ENOMEM;
}

void buffer_fini(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_add(struct buffer *buffer, const char *data, size_t len)
{
	size_t at, part;

	if (len > buffer->limit) {
		data += len - buffer->limit;
		len = buffer->limit;
	}
	if (buffer->used + len > buffer->limit)
		buffer_drop(buffer, buffer->used + len - buffer->limit);
	at = (buffer->start + buffer->used) % buffer->limit;
	part = buffer->limit - at;
	if (part > len)
		part = len;
	memcpy(buffer->data + at, data, part);
	memcpy(buffer->data, data + part, len - part);
	buffer->used += len;
}

size_t buffer_peek(const struct buffer *buffer, const char **data)
{
	size_t part = buffer->limit - buffer->start;

	*data = buffer->data + buffer->start;
	return part < buffer->used ? part : buffer->used;
}

void buffer_drop(struct buffer *buffer, size_t len)
{
	buffer->start = (buffer->start + len) % buffer->limit;
	buffer->used -= len;
}
