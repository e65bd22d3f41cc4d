/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of journal records: a growing buffer to write to, and a bounded one to
 * read from, where reading beyond the end yields zeros and is remembered.
 */
#ifndef ZSTORED_RECORD_H
#define ZSTORED_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_writer {
	char *data;
	size_t used;
	size_t room;
	bool is_failed; /* out of memory: what follows is dropped */
};

void record_put(struct record_writer *writer, const void *data, size_t len);
void record_put_u8(struct record_writer *writer, uint8_t value);
void record_put_u16(struct record_writer *writer, uint16_t value);
void record_put_u32(struct record_writer *writer, uint32_t value);
void record_put_u64(struct record_writer *writer, uint64_t value);
/* With its length in front. */
void record_put_bytes(struct record_writer *writer, const void *data, size_t len);

struct record_reader {
	const char *at;
	const char *end;
	bool is_bad;
};

void record_get(struct record_reader *reader, void *data, size_t len);
uint8_t record_get_u8(struct record_reader *reader);
uint16_t record_get_u16(struct record_reader *reader);
uint32_t record_get_u32(struct record_reader *reader);
uint64_t record_get_u64(struct record_reader *reader);
/* Points into what is read. */
const char *record_get_bytes(struct record_reader *reader, size_t *len);

uint32_t record_checksum(const void *data, size_t len);

#endif
