/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arithmetic of dom0's start-of-day memory ("Start-of-day memory layout"
 * of xen/xen.h), and of its options.
 */
#include "domain/dom0.h"
#include "domain/dom0_image.h"
#include "lib/errno.h"
#include "mm/pte.h"

#define BOOT_PADDING KB(512) /* the ABI's: at least so much spare, to a 4 MB boundary */
#define BOOT_ALIGN   MB(4)

/* Tables of one level that [start, end) needs. */
static uint64_t tables_for(uint64_t start, uint64_t end, unsigned int level)
{
	uint64_t span = pte_span(level) * PTES_PER_TABLE;

	return (end - 1) / span - start / span + 1;
}

int dom0_layout_compute(struct dom0_layout *l, const struct elf_kernel *k, uint64_t nr_pages,
			uint64_t initrd_size)
{
	uint64_t base = k->virt_base, pages = 0, list = nr_pages * sizeof(uint64_t);

	l->start_info = DIV_ROUND_UP(k->paddr_end, PAGE_SIZE);
	l->tables = l->start_info + 1;
	/* More tables move the end, which may need more tables. */
	for (l->nr_tables = 0; l->nr_tables != pages || !pages;) {
		uint64_t end;

		l->nr_tables = pages;
		l->stack = l->tables + l->nr_tables;
		end = ROUND_UP(base + ((l->stack + 1) << PAGE_SHIFT) + BOOT_PADDING, BOOT_ALIGN);
		if (end <= base || end - base > GB(1))
			return -EINVAL;
		l->boot_end = (end - base) >> PAGE_SHIFT;
		pages = 1 + tables_for(base, end, 3) + tables_for(base, end, 2) +
			tables_for(base, end, 1);
	}
	l->initrd = l->boot_end;
	l->nr_initrd = DIV_ROUND_UP(initrd_size, PAGE_SIZE);
	l->p2m = l->initrd + l->nr_initrd;
	l->nr_p2m = DIV_ROUND_UP(list, PAGE_SIZE);
	l->nr_p2m_tables = tables_for(k->init_p2m, k->init_p2m + list, 3) +
			   tables_for(k->init_p2m, k->init_p2m + list, 2) +
			   tables_for(k->init_p2m, k->init_p2m + list, 1);
	l->fixed_end = l->p2m + l->nr_p2m + l->nr_p2m_tables;
	return l->fixed_end <= nr_pages ? 0 : -ENOMEM;
}

bool dom0_size_parse(const char *s, uint64_t *bytes, const char **end)
{
	unsigned int shift = 10;
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n >> 32)
			return false;
		n = n * 10 + (*s - '0');
	}
	switch (*s) {
	case 'g':
	case 'G':
		shift = 30;
		s++;
		break;
	case 'm':
	case 'M':
		shift = 20;
		s++;
		break;
	case 'k':
	case 'K':
		s++;
		break;
	default:
		break;
	}
	if (n >> (63 - shift))
		return false;
	*bytes = n << shift;
	*end = s;
	return true;
}
