/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzbuild: kernel images. Reads a bzImage, an ELF file or a compressed ELF file, unpacks it, and
 * tells what the loaders need: segments and Xen ELF notes. Everything in the file is hostile input:
 * each offset and length is checked against the file, and unpacking is bounded.
 */
#ifndef ZENDO_BUILDER_KERNEL_H
#define ZENDO_BUILDER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/error.h"

/* The most that a kernel may unpack to, and the most bytes that are read as one. */
#define KERNEL_SIZE_MAX	    (512UL << 20)
#define KERNEL_SEGMENTS_MAX 32

enum kernel_compression {
	KERNEL_NONE,
	KERNEL_GZIP,
	KERNEL_BZIP2,
	KERNEL_LZMA,
	KERNEL_XZ,
	KERNEL_LZO,
	KERNEL_LZ4,
	KERNEL_ZSTD,
};

/* One PT_LOAD segment. Addresses in bytes; filesz bytes at `data`, zeros up to memsz. */
struct kernel_segment {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	const uint8_t *data; /* within the image; lives as long as it does */
};

/*
 * Xen ELF notes (xen/elfnote.h). A number is valid when `present` has bit (1 << note type);
 * strings are NULL when absent and live as long as the image.
 */
struct kernel_notes {
	uint32_t present;
	uint64_t entry;
	uint64_t hypercall_page;
	uint64_t virt_base;
	uint64_t paddr_offset;
	uint64_t hv_start_low;
	uint64_t init_p2m;
	uint64_t phys32_entry;
	uint32_t supported_features; /* XENFEAT bits 0 to 31 that the kernel copes with */
	uint32_t required_features;  /* those marked '!' in the features string */
	bool mod_start_pfn;
	bool suspend_cancel;
	const char *guest_os;
	const char *guest_version;
	const char *xen_version;
	const char *loader;
	const char *pae_mode;
	const char *features;
};

struct kernel_info {
	const char *container; /* "bzImage", "ELF" or "compressed ELF" */
	enum kernel_compression compression;
	bool from_cache;
	const uint8_t *elf; /* the unpacked ELF file */
	size_t elf_size;
	uint64_t elf_entry;
	uint32_t nr_segments;
	struct kernel_segment segments[KERNEL_SEGMENTS_MAX];
	struct kernel_notes notes;
};

struct kernel;

/*
 * Read and check a kernel. With `cache_dir` (NULL: none) a compressed kernel is unpacked once and
 * kept there; the directory is made if need be, is ignored when others than its owner may write to
 * it, and no trouble with it is an error. The caller owns *out and
 * frees it with kernel_close(). -ENOEXEC: not a kernel this library can load; -E2BIG: a bound;
 * -EBADMSG: corrupt; or the error of reading.
 */
int kernel_open(const char *path, const char *cache_dir, struct kernel **out,
		struct build_error *error);
/*
 * The first program of an HVM domain (hvmloader): a 32-bit ELF file, not compressed. Errors and
 * kernel_close() as above.
 */
int kernel_open_firmware(const char *path, struct kernel **out, struct build_error *error);
/* As kernel_open(), from memory that stays the caller's and must outlive *out; `name` is for
 * messages. */
int kernel_open_memory(const char *name, const void *data, size_t size, struct kernel **out,
		       struct build_error *error);
void kernel_close(struct kernel *kernel);

/*
 * The real-mode part of a bzImage that was read from a file, with its header (boot.rst, "The
 * Real-Mode Kernel Header"): bytes, or 0: it has none.
 */
size_t kernel_get_setup(const struct kernel *kernel, const uint8_t **setup);
const struct kernel_info *kernel_get_info(const struct kernel *kernel);
/* By its note GUEST_OS. */
bool kernel_is_linux(const struct kernel *kernel);
const char *kernel_compression_name(enum kernel_compression compression);

#endif
