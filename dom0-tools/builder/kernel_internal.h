/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: a kernel image while it is read, and the steps of reading it.
 */
#ifndef ZENDO_BUILDER_KERNEL_INTERNAL_H
#define ZENDO_BUILDER_KERNEL_INTERNAL_H

#include <sys/stat.h>

#include "builder/kernel.h"

#define KERNEL_STRINGS_MAX 8

/* Memory from mmap(), or none. */
struct kernel_memory {
	void *data;
	size_t size;
};

struct kernel {
	struct kernel_info info;
	char *name;			   /* of the file, for messages */
	bool is_firmware;		   /* a 32-bit program instead of a kernel */
	struct kernel_memory file;	   /* what was read, when it was read here */
	struct kernel_memory unpacked;	   /* the ELF file, when it was compressed */
	char *strings[KERNEL_STRINGS_MAX]; /* the notes' text */
	unsigned int nr_strings;
};

/* Anonymous, zeroed, not charged until touched. */
int kernel_memory_map(struct kernel_memory *memory, size_t size);
void kernel_memory_unmap(struct kernel_memory *memory);

/* Fill in segments and notes from info.elf. Repeatable: what it found before is forgotten. */
int kernel_parse_elf(struct kernel *kernel, struct build_error *error);

/*
 * The cache of unpacked kernels. `image` is the whole compressed file, `identity` its fstat().
 * kernel_cache_load() maps a hit to kernel->unpacked; kernel_cache_store() keeps kernel->unpacked.
 * Neither failing matters to the caller.
 */
int kernel_cache_load(const char *dir, const struct kernel_memory *image,
		      const struct stat *identity, struct kernel *kernel);
int kernel_cache_store(const char *dir, const struct kernel_memory *image,
		       const struct stat *identity, const struct kernel *kernel);
/* Forget an entry that turned out not to be a kernel. */
void kernel_cache_drop(const char *dir, const struct kernel_memory *image,
		       const struct stat *identity);

#endif
