/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: decompression of a kernel into memory of a bounded size.
 */
#ifndef ZENDO_BUILDER_UNPACK_H
#define ZENDO_BUILDER_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "builder/kernel.h"

/* Told by the first bytes; KERNEL_NONE: no compression known here. */
enum kernel_compression unpack_detect(const uint8_t *data, size_t size);

/*
 * Unpack `in` into `out`, never writing past `capacity`. Bytes after the end of the compressed
 * stream are ignored. 0 and *out_size; -E2BIG: it needs more than `capacity`; -EBADMSG: corrupt
 * or cut short; -ENOMEM.
 */
int unpack(enum kernel_compression compression, const uint8_t *in, size_t in_size, uint8_t *out,
	   size_t capacity, size_t *out_size);

/* The two formats that have no library function for whole files are in a file of their own. */
int unpack_lzop(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity, size_t *out_size);
int unpack_lz4_legacy(const uint8_t *in, size_t in_size, uint8_t *out, size_t capacity,
		      size_t *out_size);

#endif
