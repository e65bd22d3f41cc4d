/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading an ELF64 kernel that lies in memory: its segments, and what its Xen
 * notes (xen/elfnote.h) ask for.  Pure functions that believe no offset or
 * length they have not checked; nothing is copied or printed.
 */
#ifndef DOMAIN_ELF_H
#define DOMAIN_ELF_H

#include "lib/types.h"

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
	uint64_t offset; /* in the file; offset + file_size is inside it */
	uint64_t file_size;
	uint64_t paddr;	   /* the guest's, paddr_offset subtracted */
	uint64_t mem_size; /* not less than file_size; the rest is zero */
};

struct elf_kernel {
	unsigned int nr_segments;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	uint64_t paddr_end;	 /* one past the last byte of any segment */
	uint64_t entry;		 /* linear, XEN_ELFNOTE_ENTRY or e_entry */
	uint64_t virt_base;	 /* the linear address of paddr 0 */
	uint64_t hypercall_page; /* linear, 0: none */
	uint64_t init_p2m;	 /* linear; meaningful if has_init_p2m */
	bool has_init_p2m;
	bool has_mod_start_pfn;
	bool has_xen_notes;
};

enum elf_result {
	ELF_OK,
	ELF_NOT_ELF,
	ELF_COMPRESSED,	  /* bzImage, gzip, xz, ...: it has to be unpacked first */
	ELF_WRONG_KIND,	  /* not a 64-bit x86 executable */
	ELF_MALFORMED,	  /* an offset, size or address that cannot be */
	ELF_NO_XEN_NOTES, /* not a kernel for this ABI */
};

must_check enum elf_result elf_kernel_parse(const void *image, uint64_t size,
					    struct elf_kernel *kernel);
/* For messages. */
const char *elf_result_name(enum elf_result r);

#endif
