/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding of journal records: see record.h.  Numbers are in host order: the
 * reader is the same program on the same machine.
 */
#include <stdlib.h>
#include <string.h>

#include "record.h"

void record_put(struct record_writer *writer, const void *data, size_t len)
{
	if (writer->is_failed || !len)
		return;
	if (writer->used + len > writer->room) {
		size_t room = (writer->used + len) * 2 + 256;
		char *grown = realloc(writer->data, room);

		if (!grown) {
			writer->is_failed = true;
			return;
		}
		writer->data = grown;
		writer->room = room;
	}
	memcpy(writer->data + writer->used, data, len);
	writer->used += len;
}

void record_put_u8(struct record_writer *writer, uint8_t value)
{
	record_put(writer, &value, sizeof(value));
}

void record_put_u16(struct record_writer *writer, uint16_t value)
{
	record_put(writer, &value, sizeof(value));
}

void record_put_u32(struct record_writer *writer, uint32_t value)
{
	record_put(writer, &value, sizeof(value));
}

void record_put_u64(struct record_writer *writer, uint64_t value)
{
	record_put(writer, &value, sizeof(value));
}

void record_put_bytes(struct record_writer *writer, const void *data, size_t len)
{
	record_put_u32(writer, (uint32_t)len);
	record_put(writer, data, len);
}

void record_get(struct record_reader *reader, void *data, size_t len)
{
	if (reader->is_bad || (size_t)(reader->end - reader->at) < len) {
		reader->is_bad = true;
		memset(data, 0, len);
		return;
	}
	memcpy(data, reader->at, len);
	reader->at += len;
}

uint8_t record_get_u8(struct record_reader *reader)
{
	uint8_t value;

	record_get(reader, &value, sizeof(value));
	return value;
}

uint16_t record_get_u16(struct record_reader *reader)
{
	uint16_t value;

	record_get(reader, &value, sizeof(value));
	return value;
}

uint32_t record_get_u32(struct record_reader *reader)
{
	uint32_t value;

	record_get(reader, &value, sizeof(value));
	return value;
}

uint64_t record_get_u64(struct record_reader *reader)
{
	uint64_t value;

	record_get(reader, &value, sizeof(value));
	return value;
}

const char *record_get_bytes(struct record_reader *reader, size_t *len)
{
	const char *data;
	uint32_t size = record_get_u32(reader);

	*len = 0;
	if (reader->is_bad || (size_t)(reader->end - reader->at) < size) {
		reader->is_bad = true;
		return "";
	}
	data = reader->at;
	reader->at += size;
	*len = size;
	return data;
}

/* CRC-32 (IEEE 802.3, reflected), four bits at a time. */
uint32_t record_checksum(const void *data, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const unsigned char *bytes = data;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return ~crc;
}
