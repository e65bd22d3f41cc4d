/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two block formats whose libraries unpack single blocks only: lzop files (format as lzop 1.x
 * writes it) and LZ4 "legacy" frames (lz4 documentation, "Legacy frame").
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <lz4.h>
#include <lzo/lzo1x.h>
#include <zlib.h>

#include "builder/unpack.h"

#define LZ4_LEGACY_MAGIC 0x184c2102u
#define LZ4_LEGACY_BLOCK (8u << 20) /* what a block unpacks to, at most */

/* lzop header flags. */
#define LZOP_ADLER32_D	 0x00000001u
#define LZOP_ADLER32_C	 0x00000002u
#define LZOP_EXTRA_FIELD 0x00000040u
#define LZOP_CRC32_D	 0x00000100u
#define LZOP_CRC32_C	 0x00000200u
#define LZOP_MULTIPART	 0x00000400u
#define LZOP_FILTER	 0x00000800u
#define LZOP_HEADER_CRC	 0x00001000u
#define LZOP_BLOCK_MAX	 (64u << 20)

/* A read position that goes bad, and stays so, at the first read beyond the end. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t size)
{
	const uint8_t *at = r->at;

	if (r->bad || size > r->left) {
		r->bad = true;
		return NULL;
	}
	r->at += size;
	r->left -= size;
	return at;
}

static uint32_t take_be(struct reader *r, unsigned int bytes)
{
	const uint8_t *at = take(r, bytes);
	uint32_t value = 0;

	for (unsigned int i = 0; at && i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static uint32_t take_le32(struct reader *r)
{
	const uint8_t *at = take(r, 4);

	return at ? at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24 : 0;
}

static int read_lzop_header(struct reader *r, uint32_t *flags)
{
	uint32_t version;

	take(r, 9); /* the magic */
	version = take_be(r, 2);
	take(r, 2); /* the library's version */
	if (version >= 0x0940)
		take(r, 2);		    /* version needed to extract */
	take(r, version >= 0x0940 ? 2 : 1); /* method, and level */
	*flags = take_be(r, 4);
	if (*flags & LZOP_FILTER)
		take(r, 4);
	take(r, 8); /* mode, time */
	if (version >= 0x0940)
		take(r, 4);	/* the time's upper half */
	take(r, take_be(r, 1)); /* the file's name */
	take(r, 4);		/* checksum of the header */
	if (*flags & LZOP_EXTRA_FIELD) {
		take(r, take_be(r, 4));
		take(r, 4);
	}
	return r->bad || (*flags & LZOP_MULTIPART) ? -EBADMSG : 0;
}

/* One block; *done at the end mark. */
static int unpack_lzop_block(struct reader *r, uint32_t flags, uint8_t *out, size_t room,
			     size_t *made, bool *done)
{
	uint32_t dst = take_be(r, 4), src, adler = 0;
	const uint8_t *data;
	lzo_uint length;

	*made = 0;
	*done = !r->bad && dst == 0;
	if (r->bad || *done)
		return r->bad ? -EBADMSG : 0;
	src = take_be(r, 4);
	if (flags & LZOP_ADLER32_D)
		adler = take_be(r, 4);
	if (flags & LZOP_CRC32_D)
		take(r, 4);
	if (src < dst && (flags & LZOP_ADLER32_C))
		take(r, 4);
	if (src < dst && (flags & LZOP_CRC32_C))
		take(r, 4);
	data = take(r, src);
	if (!data || src > dst || dst > LZOP_BLOCK_MAX)
		return -EBADMSG;
	if (dst > room)
		return -E2BIG;
	length = dst;
	if (src == dst)
		memcpy(out, data, dst);
	else if (lzo1x_decompress_safe(data, src, out, &length, NULL) != LZO_E_OK || length != dst)
		return -EBADMSG;
	if ((flags & LZOP_ADLER32_D) && adler32(1, out, dst) != adler)
		return -EBADMSG;
	*made = dst;
	return 0;
}

int unpack_lzop(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity, size_t *out_size)
{
	struct reader r = {.at = in, .left = in_size};
	bool done = false;
	uint32_t flags;
	int error;

	if (lzo_init() != LZO_E_OK)
		return -ENOMEM;
	error = read_lzop_header(&r, &flags);
	while (!error && !done) {
		size_t made;

		error = unpack_lzop_block(&r, flags, out + *out_size, capacity - *out_size, &made,
					  &done);
		*out_size += made;
	}
	return error;
}

/*
 * The magic, then blocks of a 32-bit length and that much data, to the end of the input. There is
 * no end mark; concatenated streams repeat the magic where a length would be.
 */
int unpack_lz4_legacy(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		      size_t *out_size)
{
	struct reader r = {.at = in, .left = in_size};

	if (take_le32(&r) != LZ4_LEGACY_MAGIC)
		return -EBADMSG;
	while (r.left > 0) {
		uint32_t size = take_le32(&r);
		size_t room = capacity - *out_size;
		const uint8_t *data;
		int made;

		if (size == LZ4_LEGACY_MAGIC)
			continue;
		data = take(&r, size);
		if (!data || size == 0 || size > (uint32_t)LZ4_compressBound(LZ4_LEGACY_BLOCK))
			return -EBADMSG;
		if (room > LZ4_LEGACY_BLOCK)
			room = LZ4_LEGACY_BLOCK;
		made = LZ4_decompress_safe((const char *)data, (char *)out + *out_size, (int)size,
					   (int)room);
		/* Whether data were bad or room short cannot be told apart from the result. */
		if (made < 0)
			return room < LZ4_LEGACY_BLOCK ? -E2BIG : -EBADMSG;
		*out_size += (size_t)made;
	}
	return 0;
}
