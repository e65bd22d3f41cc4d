/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making small kernels: ELF by hand, compression with the same libraries that unpack, except the
 * framings of lzop and legacy LZ4, which are written out here.
 */
#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <xen/elfnote.h>
#include <zlib.h>
#include <zstd.h>

#include "fixture.h"

#define PAGE	   4096u
#define TEXT_PADDR 0x100000u
#define TEXT_SIZE  (5 * PAGE + 100)
#define DATA_PADDR (TEXT_PADDR + 8 * PAGE)
#define DATA_SIZE  (40 * PAGE)
#define BSS_SIZE   (3 * PAGE + 16)
#define NOTES_MAX  1024u

static struct image new_image(size_t size)
{
	struct image image = {.data = calloc(1, size), .size = size};

	assert(image.data);
	return image;
}

struct image fixture_copy(const struct image *image)
{
	struct image copy = new_image(image->size);

	memcpy(copy.data, image->data, image->size);
	return copy;
}

uint8_t fixture_pattern(size_t offset)
{
	return (uint8_t)(offset * 7 + offset / 251 + 1);
}

static uint8_t *put_note(uint8_t *at, uint32_t type, const void *desc, uint32_t size)
{
	Elf64_Nhdr header = {.n_namesz = 4, .n_descsz = size, .n_type = type};

	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), "Xen", 4);
	memcpy(at + sizeof(header) + 4, desc, size);
	return at + sizeof(header) + 4 + ((size + 3) & ~3u);
}

static uint8_t *put_number(uint8_t *at, uint32_t type, uint64_t value)
{
	return put_note(at, type, &value, 8);
}

static uint8_t *put_notes(uint8_t *at, enum fixture_notes notes)
{
	uint32_t one = 1;

	if (notes & FIXTURE_PV) {
		at = put_number(at, XEN_ELFNOTE_ENTRY, FIXTURE_ENTRY);
		at = put_number(at, XEN_ELFNOTE_VIRT_BASE, FIXTURE_VIRT_BASE);
		at = put_number(at, XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000ULL);
		at = put_note(at, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
		at = put_note(at, XEN_ELFNOTE_GUEST_OS, "linux", 6);
		at = put_note(at, XEN_ELFNOTE_LOADER, "generic", 8);
		/* Without the NUL, as Linux has it. */
		at = put_note(at, XEN_ELFNOTE_FEATURES, "!writable_page_tables|dom0|new_thing", 36);
		at = put_note(at, XEN_ELFNOTE_SUPPORTED_FEATURES, &one, 4);
	}
	if (notes & FIXTURE_P2M)
		at = put_number(at, XEN_ELFNOTE_INIT_P2M, FIXTURE_INIT_P2M);
	if (notes & FIXTURE_MOD_PFN)
		at = put_note(at, XEN_ELFNOTE_MOD_START_PFN, &one, 4);
	if (notes & FIXTURE_PVH)
		at = put_number(at, XEN_ELFNOTE_PHYS32_ENTRY, TEXT_PADDR);
	if (notes & FIXTURE_HYPERCALL)
		at = put_number(at, XEN_ELFNOTE_HYPERCALL_PAGE,
				FIXTURE_VIRT_BASE + TEXT_PADDR + PAGE);
	return at;
}

struct image fixture_elf_with_note(enum fixture_notes notes, uint32_t type, const void *desc,
				   uint32_t size)
{
	size_t notes_at = PAGE, text_at = 2 * PAGE, data_at = text_at + TEXT_SIZE;
	struct image image = new_image(data_at + DATA_SIZE);
	Elf64_Ehdr *header = (Elf64_Ehdr *)image.data;
	Elf64_Phdr *segments = (Elf64_Phdr *)(image.data + sizeof(*header));
	uint8_t *end = image.data + notes_at;

	*header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = TEXT_PADDR,
		.e_phoff = sizeof(*header),
		.e_ehsize = sizeof(*header),
		.e_phentsize = sizeof(*segments),
		.e_phnum = 3,
	};
	if (desc)
		end = put_note(end, type, desc, size);
	end = put_notes(end, notes);
	assert((size_t)(end - image.data) <= notes_at + NOTES_MAX);
	segments[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = text_at,
		.p_vaddr = FIXTURE_VIRT_BASE + TEXT_PADDR,
		.p_paddr = TEXT_PADDR,
		.p_filesz = TEXT_SIZE,
		.p_memsz = TEXT_SIZE,
	};
	segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = data_at,
		.p_vaddr = FIXTURE_VIRT_BASE + DATA_PADDR,
		.p_paddr = DATA_PADDR,
		.p_filesz = DATA_SIZE,
		.p_memsz = DATA_SIZE + BSS_SIZE,
	};
	segments[2] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = notes_at,
		.p_filesz = (size_t)(end - image.data) - notes_at,
		.p_align = 4,
	};
	for (size_t i = 0; i < TEXT_SIZE; i++)
		image.data[text_at + i] = fixture_pattern(i);
	memset(image.data + data_at, 0xaa, 2 * PAGE);
	memset(image.data + data_at + DATA_SIZE - 2 * PAGE, 0xbb, 2 * PAGE);
	return image;
}

struct image fixture_elf(enum fixture_notes notes)
{
	return fixture_elf_with_note(notes, 0, NULL, 0);
}

static void compress_gzip(const struct image *plain, struct image *out)
{
	z_stream stream = {
		.next_in = plain->data,
		.avail_in = (uInt)plain->size,
		.next_out = out->data,
		.avail_out = (uInt)out->size,
	};

	assert(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	assert(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	out->size -= stream.avail_out;
	deflateEnd(&stream);
}

static void compress_bzip2(const struct image *plain, struct image *out)
{
	unsigned int size = (unsigned int)out->size;

	assert(BZ2_bzBuffToBuffCompress((char *)out->data, &size, (char *)plain->data,
					(unsigned int)plain->size, 9, 0, 0) == BZ_OK);
	out->size = size;
}

/* XZ as the kernel's build makes it: CRC32, and the x86 filter before LZMA2. */
static void compress_lzma(const struct image *plain, struct image *out, bool xz)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;
	lzma_filter filters[] = {
		{LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};

	lzma_lzma_preset(&options, 6);
	if (xz)
		assert(lzma_stream_encoder(&stream, filters, LZMA_CHECK_CRC32) == LZMA_OK);
	else
		assert(lzma_alone_encoder(&stream, &options) == LZMA_OK);
	stream.next_in = plain->data;
	stream.avail_in = plain->size;
	stream.next_out = out->data;
	stream.avail_out = out->size;
	assert(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
	out->size -= stream.avail_out;
	lzma_end(&stream);
}

static uint8_t *put_be32(uint8_t *at, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(value >> shift);
	return at;
}

/* As lzop writes it: a header, blocks of 256 KiB each with an Adler-32, a zero at the end. */
static void compress_lzop(const struct image *plain, struct image *out)
{
	static const uint8_t header[] = {0x89, 'L',  'Z',  'O',	 0,    0x0d, 0x0a, 0x1a, 0x0a, 0x10,
					 0x30, 0x20, 0xa0, 0x09, 0x40, 3,    9,	   0,	 0,    0,
					 1,    0,    0,	   0x81, 0xa4, 0,    0,	   0,	 0,    0,
					 0,    0,    0,	   1,	 'k',  0,    0,	   0,	 0};
	static uint8_t work[LZO1X_1_MEM_COMPRESS], block[300 * 1024];
	uint8_t *at = out->data;

	assert(lzo_init() == LZO_E_OK);
	memcpy(at, header, sizeof(header));
	at += sizeof(header);
	for (size_t done = 0, size; done < plain->size; done += size) {
		lzo_uint length;

		size = plain->size - done < 256 * 1024 ? plain->size - done : 256 * 1024;
		lzo1x_1_compress(plain->data + done, size, block, &length, work);
		if (length >= size) {
			length = size;
			memcpy(block, plain->data + done, size);
		}
		at = put_be32(at, (uint32_t)size);
		at = put_be32(at, (uint32_t)length);
		at = put_be32(at, (uint32_t)adler32(1, plain->data + done, (uInt)size));
		memcpy(at, block, length);
		at += length;
	}
	at = put_be32(at, 0);
	out->size = (size_t)(at - out->data);
}

static void compress_lz4_legacy(const struct image *plain, struct image *out)
{
	static const uint8_t magic[] = {0x02, 0x21, 0x4c, 0x18};
	int size = LZ4_compress_default((char *)plain->data, (char *)out->data + 8,
					(int)plain->size, (int)out->size - 8);

	assert(size > 0);
	memcpy(out->data, magic, 4);
	for (int i = 0; i < 4; i++)
		out->data[4 + i] = (uint8_t)(size >> (8 * i));
	out->size = (size_t)size + 8;
}

struct image fixture_compress_lz4_frame(const struct image *plain)
{
	struct image out = new_image(LZ4F_compressFrameBound(plain->size, NULL));

	out.size = LZ4F_compressFrame(out.data, out.size, plain->data, plain->size, NULL);
	assert(!LZ4F_isError(out.size));
	return out;
}

struct image fixture_compress(const struct image *plain, enum kernel_compression compression)
{
	struct image out = new_image(plain->size + plain->size / 2 + 4096);

	switch (compression) {
	case KERNEL_NONE:
		memcpy(out.data, plain->data, plain->size);
		out.size = plain->size;
		break;
	case KERNEL_GZIP:
		compress_gzip(plain, &out);
		break;
	case KERNEL_BZIP2:
		compress_bzip2(plain, &out);
		break;
	case KERNEL_LZMA:
	case KERNEL_XZ:
		compress_lzma(plain, &out, compression == KERNEL_XZ);
		break;
	case KERNEL_LZO:
		compress_lzop(plain, &out);
		break;
	case KERNEL_LZ4:
		compress_lz4_legacy(plain, &out);
		break;
	case KERNEL_ZSTD:
		out.size = ZSTD_compress(out.data, out.size, plain->data, plain->size, 19);
		assert(!ZSTD_isError(out.size));
		break;
	}
	return out;
}

static void put_le32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

struct image fixture_bzimage(const struct image *payload, enum kernel_compression compression,
			     uint32_t unpacked_size)
{
	bool has_size = compression != KERNEL_GZIP;
	size_t start = 5 * 512 + 64, length = payload->size + (has_size ? 4 : 0);
	struct image image = new_image(start + length + 256);

	image.data[0x1f1] = 4;
	image.data[0x1fe] = 0x55;
	image.data[0x1ff] = 0xaa;
	memcpy(image.data + 0x202, "HdrS", 4);
	image.data[0x206] = 0x0f;
	image.data[0x207] = 0x02;
	put_le32(image.data + 0x248, 64);
	put_le32(image.data + 0x24c, (uint32_t)length);
	memcpy(image.data + start, payload->data, payload->size);
	if (has_size)
		put_le32(image.data + start + payload->size, unpacked_size);
	return image;
}

struct image fixture_seed(unsigned int index, const char **name)
{
	static const char *const names[] = {"none", "gzip", "bzip2", "lzma",
					    "xz",   "lzo",  "lz4",   "zstd"};
	struct image elf = fixture_elf(index % 2 ? FIXTURE_LINUX : FIXTURE_PV | FIXTURE_HYPERCALL);
	struct image packed, image = {0};

	*name = NULL;
	if (index < 8) {
		packed = fixture_compress(&elf, (enum kernel_compression)index);
		image = fixture_bzimage(&packed, (enum kernel_compression)index,
					(uint32_t)elf.size);
		*name = names[index];
		free(packed.data);
	} else if (index == 8) {
		image = fixture_copy(&elf);
		*name = "elf";
	} else if (index == 9) {
		image = fixture_compress(&elf, KERNEL_ZSTD);
		*name = "elf-zstd";
	} else if (index == 10) {
		image = fixture_compress_lz4_frame(&elf);
		*name = "elf-lz4-frame";
	}
	free(elf.data);
	return image;
}
