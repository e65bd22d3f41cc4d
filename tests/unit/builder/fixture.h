/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small kernels made in memory: an ELF file with segments and Xen notes, compressed in each way,
 * wrapped as a bzImage. Used by the unit tests of the builder and as seeds for its fuzzer.
 */
#ifndef ZENDO_TEST_BUILDER_FIXTURE_H
#define ZENDO_TEST_BUILDER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "builder/kernel.h"

#define FIXTURE_VIRT_BASE 0xffffffff80000000ULL
#define FIXTURE_ENTRY	  0xffffffff80100010ULL
#define FIXTURE_INIT_P2M  0x8000000000ULL

/* Freed with free(data). */
struct image {
	uint8_t *data;
	size_t size;
};

/* Which notes to put in; each has a value that works. */
enum fixture_notes {
	FIXTURE_NO_NOTES = 0,
	FIXTURE_PV = 1 << 0,	    /* ENTRY, VIRT_BASE, XEN_VERSION, LOADER, FEATURES, ... */
	FIXTURE_P2M = 1 << 1,	    /* INIT_P2M */
	FIXTURE_MOD_PFN = 1 << 2,   /* MOD_START_PFN */
	FIXTURE_PVH = 1 << 3,	    /* PHYS32_ENTRY */
	FIXTURE_HYPERCALL = 1 << 4, /* HYPERCALL_PAGE */
	FIXTURE_LINUX = FIXTURE_PV | FIXTURE_P2M | FIXTURE_MOD_PFN | FIXTURE_PVH,
};

/*
 * Two PT_LOAD segments: text at physical 1 MiB, five pages and 100 bytes of a pattern; then data
 * at 1 MiB + 8 pages: 40 pages of which the middle 36 are zeros, and 3 pages + 16 bytes of bss.
 */
struct image fixture_elf(enum fixture_notes notes);
/* The byte that the pattern has at `offset` of the text segment. */
uint8_t fixture_pattern(size_t offset);

/* One more note of any type and content in front of the others. */
struct image fixture_elf_with_note(enum fixture_notes notes, uint32_t type, const void *desc,
				   uint32_t size);

struct image fixture_compress(const struct image *plain, enum kernel_compression compression);
/* An LZ4 frame, where KERNEL_LZ4 above is the legacy format. */
struct image fixture_compress_lz4_frame(const struct image *plain);
/* `payload` in a bzImage; `unpacked_size` goes behind it unless it is gzip. */
struct image fixture_bzimage(const struct image *payload, enum kernel_compression compression,
			     uint32_t unpacked_size);
struct image fixture_copy(const struct image *image);

/* Every good image there is, for seeds: name and image, NULL at the end of the list. */
struct image fixture_seed(unsigned int index, const char **name);

#endif
