/* SPDX-License-Identifier: BSD-2-Clause */
/* Encoding AML: opcodes of "AML Byte Stream Byte Values", lengths of "Package Length Encoding". */
#include <string.h>

#include "builder/aml.h"

#define OP_NAME	    0x08
#define OP_DWORD    0x0c
#define OP_STRING   0x0d
#define OP_SCOPE    0x10
#define OP_EXTENDED 0x5b
#define OP_DEVICE   0x82 /* after OP_EXTENDED */

/* A length always takes three bytes, so that it can be filled in at the end: up to 1 MiB. */
#define LENGTH_BYTES 3

static void put(struct aml *aml, const void *bytes, size_t size)
{
	if (size <= aml->room && aml->size <= aml->room - size)
		memcpy(aml->data + aml->size, bytes, size);
	aml->size += size;
}

static void put_byte(struct aml *aml, uint8_t byte)
{
	put(aml, &byte, 1);
}

static struct aml_block begin(struct aml *aml, const char *name)
{
	static const uint8_t unknown[LENGTH_BYTES];
	struct aml_block block = {.length_at = aml->size};

	put(aml, unknown, sizeof(unknown));
	put(aml, name, strlen(name));
	return block;
}

struct aml_block aml_begin_scope(struct aml *aml, const char *name)
{
	put_byte(aml, OP_SCOPE);
	return begin(aml, name);
}

struct aml_block aml_begin_device(struct aml *aml, const char *name)
{
	put_byte(aml, OP_EXTENDED);
	put_byte(aml, OP_DEVICE);
	return begin(aml, name);
}

/*
 *	  7    6 5    4 3         0   next byte    next byte
 *	| count | zero | bits 3:0  | bits 11:4  | bits 19:12 |   count: bytes that follow
 */
void aml_end(struct aml *aml, struct aml_block block)
{
	size_t length = aml->size - block.length_at;

	if (!aml_fits(aml))
		return;
	aml->data[block.length_at] = (uint8_t)((LENGTH_BYTES - 1) << 6 | (length & 0xf));
	aml->data[block.length_at + 1] = (uint8_t)(length >> 4);
	aml->data[block.length_at + 2] = (uint8_t)(length >> 12);
}

void aml_name_string(struct aml *aml, const char *name, const char *value)
{
	put_byte(aml, OP_NAME);
	put(aml, name, strlen(name));
	put_byte(aml, OP_STRING);
	put(aml, value, strlen(value) + 1);
}

void aml_name_number(struct aml *aml, const char *name, uint32_t value)
{
	put_byte(aml, OP_NAME);
	put(aml, name, strlen(name));
	put_byte(aml, OP_DWORD);
	put(aml, &value, sizeof(value));
}
