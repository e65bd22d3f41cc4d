/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the dom0 builder: where things lie in the new domain's memory, and
 * filling that memory.
 *
 * Pseudo-physical memory, and what of it is mapped at virt_base at the start:
 *
 *   pfn 0        kernel_end   start_info  page tables  stack  boot_end
 *   | as linked ...| ........ | 1 page    | nr_tables  | 1    | spare |   mapped
 *   boot_end: the initrd's frames | the p2m list and its page tables | the rest
 */
#ifndef DOMAIN_DOM0_IMAGE_H
#define DOMAIN_DOM0_IMAGE_H

#include "domain/elf.h"
#include "lib/types.h"

struct boot_module;

struct dom0_layout {
	uint64_t start_info, tables, stack, boot_end; /* pfns */
	uint64_t nr_tables;			      /* of the boot mapping, the L4 included */
	uint64_t initrd, nr_initrd;
	uint64_t p2m, nr_p2m; /* the list's own pages; its page tables follow */
	uint64_t nr_p2m_tables;
	uint64_t fixed_end; /* everything above lies below this pfn */
};

/* Pure arithmetic.  -EINVAL if the boot mapping would pass 1 GB; -ENOMEM if nr_pages are too few.
 */
must_check int dom0_layout_compute(struct dom0_layout *l, const struct elf_kernel *k,
				   uint64_t nr_pages, uint64_t initrd_size);

struct dom0_image {
	struct domain *d;
	const struct elf_kernel *kernel;
	struct dom0_layout layout;
	uint64_t nr_pages;
	uint64_t *p2m; /* of all pfns, in the new domain's own pages */
};

/* Gives the domain all its memory, and enters it in p2m and m2p. 0 or -ENOMEM */
must_check init_text int dom0_memory_populate(struct dom0_image *im,
					      const struct boot_module *initrd);
init_text void dom0_kernel_load(struct dom0_image *im, const void *elf);
init_text void dom0_tables_build(struct dom0_image *im);
init_text void dom0_start_info_fill(struct dom0_image *im, const struct boot_module *kernel,
				    const struct boot_module *initrd);
/* Where the layout's pfn lies. */
void *dom0_pfn_to_virt(const struct dom0_image *im, uint64_t pfn);
static inline uint64_t dom0_pfn_to_va(const struct dom0_image *im, uint64_t pfn)
{
	return im->kernel->virt_base + (pfn << PAGE_SHIFT);
}

#endif
