/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompression with the libraries that own each format. Input is hostile: output never passes
 * the capacity given, and the memory a decoder may take for itself is bounded too.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "builder/unpack.h"

/* Kernels use dictionaries of up to 128 MiB; a file asking for more is not one. */
#define LZMA_MEMORY_MAX	  (192UL << 20)

#define LZ4_FRAME_MAGIC_0 0x04

struct magic {
	enum kernel_compression compression;
	uint8_t length;
	uint8_t bytes[9];
};

static const struct magic magics[] = {
	{KERNEL_GZIP, 3, {0x1f, 0x8b, 0x08}},
	{KERNEL_BZIP2, 3, {'B', 'Z', 'h'}},
	{KERNEL_LZMA, 3, {0x5d, 0x00, 0x00}},
	{KERNEL_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}},
	{KERNEL_LZO, 9, {0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a}},
	{KERNEL_LZ4, 4, {0x02, 0x21, 0x4c, 0x18}}, /* legacy: what the kernel's build makes */
	{KERNEL_LZ4, 4, {LZ4_FRAME_MAGIC_0, 0x22, 0x4d, 0x18}}, /* frame: what lz4(1) makes today */
	{KERNEL_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
};

enum kernel_compression unpack_detect(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (size >= magics[i].length &&
		    memcmp(data, magics[i].bytes, magics[i].length) == 0)
			return magics[i].compression;
	}
	return KERNEL_NONE;
}

static int unpack_gzip(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		       size_t *out_size)
{
	z_stream stream = {0};
	int result;

	if (in_size > UINT_MAX || capacity > UINT_MAX)
		return -E2BIG;
	/* 15 + 16: a window of 32 KiB, in gzip framing. */
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return -ENOMEM;
	stream.next_in = (Bytef *)(uintptr_t)in;
	stream.avail_in = (uInt)in_size;
	stream.next_out = out;
	stream.avail_out = (uInt)capacity;
	result = inflate(&stream, Z_FINISH);
	*out_size = capacity - stream.avail_out;
	inflateEnd(&stream);
	if (result == Z_STREAM_END)
		return 0;
	if (result == Z_MEM_ERROR)
		return -ENOMEM;
	return result == Z_BUF_ERROR && stream.avail_out == 0 ? -E2BIG : -EBADMSG;
}

static int unpack_bzip2(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
			size_t *out_size)
{
	bz_stream stream = {0};
	int result;

	if (in_size > UINT_MAX || capacity > UINT_MAX)
		return -E2BIG;
	if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
		return -ENOMEM;
	stream.next_in = (char *)(uintptr_t)in;
	stream.avail_in = (unsigned int)in_size;
	stream.next_out = (char *)out;
	stream.avail_out = (unsigned int)capacity;
	result = BZ2_bzDecompress(&stream);
	*out_size = capacity - stream.avail_out;
	BZ2_bzDecompressEnd(&stream);
	if (result == BZ_STREAM_END)
		return 0;
	if (result == BZ_MEM_ERROR)
		return -ENOMEM;
	/* BZ_OK: it stopped for want of input or of room. */
	return result == BZ_OK && stream.avail_out == 0 ? -E2BIG : -EBADMSG;
}

static int unpack_lzma(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		       size_t *out_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result;

	/* Decides between .lzma and .xz by the first bytes, as unpack_detect() did. */
	if (lzma_auto_decoder(&stream, LZMA_MEMORY_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = in;
	stream.avail_in = in_size;
	stream.next_out = out;
	stream.avail_out = capacity;
	do {
		result = lzma_code(&stream, LZMA_RUN);
	} while (result == LZMA_OK && stream.avail_in > 0 && stream.avail_out > 0);
	/* A .lzma stream without an end mark says that it is done only when asked again. */
	if (result == LZMA_OK)
		result = lzma_code(&stream, LZMA_FINISH);
	*out_size = capacity - stream.avail_out;
	lzma_end(&stream);
	if (result == LZMA_STREAM_END)
		return 0;
	if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
		return -ENOMEM;
	if (result == LZMA_OK || result == LZMA_BUF_ERROR)
		return stream.avail_out == 0 ? -E2BIG : -EBADMSG;
	return -EBADMSG;
}

static int unpack_lz4_frame(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
			    size_t *out_size)
{
	LZ4F_dctx *context;
	size_t used = 0, made = 0, hint = 1;
	int error = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return -ENOMEM;
	while (hint != 0 && !error) {
		size_t src = in_size - used, dst = capacity - made;

		hint = LZ4F_decompress(context, out + made, &dst, in + used, &src, NULL);
		if (LZ4F_isError(hint))
			error = -EBADMSG;
		else if (hint != 0 && src == 0 && dst == 0)
			error = made == capacity ? -E2BIG : -EBADMSG;
		used += error ? 0 : src;
		made += error ? 0 : dst;
	}
	LZ4F_freeDecompressionContext(context);
	*out_size = made;
	return error;
}

static int unpack_lz4(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		      size_t *out_size)
{
	/* unpack_detect() let two magics through; their first bytes differ. */
	if (in[0] == LZ4_FRAME_MAGIC_0)
		return unpack_lz4_frame(in, in_size, out, capacity, out_size);
	return unpack_lz4_legacy(in, in_size, out, capacity, out_size);
}

static int unpack_zstd(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		       size_t *out_size)
{
	size_t frame = ZSTD_findFrameCompressedSize(in, in_size);
	size_t result;

	if (ZSTD_isError(frame))
		return -EBADMSG;
	/* In one go into one buffer, so no window is allocated, however large the file wants it. */
	result = ZSTD_decompress(out, capacity, in, frame);
	if (ZSTD_isError(result))
		return ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall ? -E2BIG : -EBADMSG;
	*out_size = result;
	return 0;
}

int unpack(enum kernel_compression compression, const uint8_t *in, size_t in_size, uint8_t *out,
	   size_t capacity, size_t *out_size)
{
	*out_size = 0;
	switch (compression) {
	case KERNEL_GZIP:
		return unpack_gzip(in, in_size, out, capacity, out_size);
	case KERNEL_BZIP2:
		return unpack_bzip2(in, in_size, out, capacity, out_size);
	case KERNEL_LZMA:
	case KERNEL_XZ:
		return unpack_lzma(in, in_size, out, capacity, out_size);
	case KERNEL_LZO:
		return unpack_lzop(in, in_size, out, capacity, out_size);
	case KERNEL_LZ4:
		return unpack_lz4(in, in_size, out, capacity, out_size);
	case KERNEL_ZSTD:
		return unpack_zstd(in, in_size, out, capacity, out_size);
	case KERNEL_NONE:
		break;
	}
	return -EINVAL;
}
