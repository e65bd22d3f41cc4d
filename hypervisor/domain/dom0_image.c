/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling the new dom0's memory: frames in large pieces, the initrd's own
 * frames in place, the kernel, the boot page tables and start_info.  Nothing
 * here is a page table yet to the hypervisor: dom0.c has the result validated.
 */
#include "domain/dom0_image.h"

#include "boot/boot.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "mm/pte.h"

#define PTE_GUEST_TABLE (PTE_TABLE | PTE_USER)
#define PTE_GUEST_PAGE	(PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

void *dom0_pfn_to_virt(const struct dom0_image *im, uint64_t pfn)
{
	return mfn_to_virt(MFN(im->p2m[pfn]));
}

/* --- frames --- */

static init_text void pfns_enter(struct dom0_image *im, uint64_t pfn, mfn_t first, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		im->p2m[pfn + i] = first.v + i;
		m2p_set(MFN(first.v + i), pfn + i);
	}
}

static init_text unsigned int order_below(uint64_t n)
{
	unsigned int order = 63 - __builtin_clzl(n);

	return MIN(order, PAGE_ORDER_MAX);
}

/*
 * Fresh frames for pfns [pfn, end), as they are: what the machine's memory held at boot is
 * no other guest's, and clearing 64 GB would take longer than all the rest.
 */
static init_text int pfns_populate(struct dom0_image *im, uint64_t pfn, uint64_t end)
{
	unsigned int order = PAGE_ORDER_MAX;

	while (pfn < end) {
		struct page *pg;
		int rc;

		order = MIN(order, order_below(end - pfn));
		pg = frames_alloc(order, FRAMES_ANY);
		if (!pg) {
			if (!order--)
				return -ENOMEM;
			continue;
		}
		rc = pages_assign(pg, 1UL << order, im->d);
		if (rc)
			return rc;
		pfns_enter(im, pfn, page_to_mfn(pg), 1UL << order);
		pfn += 1UL << order;
	}
	return 0;
}

/* The list must lie in one piece, for us; what is left of the piece goes back. */
static init_text int p2m_alloc(struct dom0_image *im, mfn_t *first)
{
	uint64_t n = im->layout.nr_p2m + im->layout.nr_p2m_tables;
	unsigned int order = 64 - __builtin_clzl(n);
	struct page *pg;

	if (order > PAGE_ORDER_MAX)
		return -ENOMEM;
	pg = frames_alloc(order, FRAMES_ANY);
	if (!pg)
		return -ENOMEM;
	*first = page_to_mfn(pg);
	for (uint64_t left = (1UL << order) - n; left;) {
		unsigned int piece =
			MIN((unsigned int)__builtin_ctzl((1UL << order) - left), order_below(left));

		frames_free(pg + ((1UL << order) - left), piece);
		left -= 1UL << piece;
	}
	im->p2m = page_to_virt(pg);
	/* ~0 in the last page's rest: no frame */
	memset(im->p2m, 0xff, im->layout.nr_p2m << PAGE_SHIFT);
	memset((char *)im->p2m + (im->layout.nr_p2m << PAGE_SHIFT), 0,
	       im->layout.nr_p2m_tables << PAGE_SHIFT);
	return pages_assign(pg, n, im->d);
}

/* The frames the boot loader put it in become dom0's; their last page's rest is cleared. */
static init_text int initrd_adopt(struct dom0_image *im, const struct boot_module *initrd)
{
	mfn_t first = paddr_to_mfn(initrd->start);
	uint64_t n = im->layout.nr_initrd;
	int rc = pages_assign(mfn_to_page(first), n, im->d);

	if (rc)
		return rc;
	memset(paddr_to_virt(initrd->end), 0, ROUND_UP(initrd->end, PAGE_SIZE) - initrd->end);
	pfns_enter(im, im->layout.initrd, first, n);
	return 0;
}

int dom0_memory_populate(struct dom0_image *im, const struct boot_module *initrd)
{
	const struct dom0_layout *l = &im->layout;
	mfn_t p2m;
	int rc = p2m_alloc(im, &p2m);

	if (rc)
		return rc;
	pfns_enter(im, l->p2m, p2m, l->nr_p2m + l->nr_p2m_tables);
	rc = pfns_populate(im, 0, l->boot_end);
	if (!rc && initrd)
		rc = initrd_adopt(im, initrd);
	return rc ? rc : pfns_populate(im, l->fixed_end, im->nr_pages);
}

/* --- the kernel --- */

/* Copies to (from NULL: clears) guest memory from `paddr` on, page by page. */
static init_text void guest_fill(const struct dom0_image *im, uint64_t paddr, const char *from,
				 uint64_t n)
{
	while (n) {
		uint64_t offset = paddr & ~PAGE_MASK, piece = MIN(n, PAGE_SIZE - offset);
		char *to = (char *)dom0_pfn_to_virt(im, paddr >> PAGE_SHIFT) + offset;

		if (from) {
			memcpy(to, from, piece);
			from += piece;
		} else {
			memset(to, 0, piece);
		}
		paddr += piece;
		n -= piece;
	}
}

void dom0_kernel_load(struct dom0_image *im, const void *elf)
{
	for (unsigned int i = 0; i < im->kernel->nr_segments; i++) {
		const struct elf_segment *s = &im->kernel->segments[i];

		guest_fill(im, s->paddr, (const char *)elf + s->offset, s->file_size);
		guest_fill(im, s->paddr + s->file_size, NULL, s->mem_size - s->file_size);
	}
}

/* --- page tables --- */

/* The next table of the pool; all are zero. */
struct table_pool {
	uint64_t pfn, end;
};

static init_text uint64_t *table_below(struct dom0_image *im, struct table_pool *pool,
				       uint64_t *entry)
{
	if (!*entry) {
		ASSERT(pool->pfn < pool->end);
		*entry = im->p2m[pool->pfn++] << PAGE_SHIFT | PTE_GUEST_TABLE;
	}
	return paddr_to_virt(*entry & PTE_ADDR_MASK);
}

static init_text void page_map(struct dom0_image *im, struct table_pool *pool, uint64_t va,
			       uint64_t pfn, uint64_t flags)
{
	uint64_t *table = dom0_pfn_to_virt(im, im->layout.tables);

	for (unsigned int level = 4; level > 1; level--)
		table = table_below(im, pool, &table[pte_index(va, level)]);
	table[pte_index(va, 1)] = im->p2m[pfn] << PAGE_SHIFT | flags;
}

void dom0_tables_build(struct dom0_image *im)
{
	const struct dom0_layout *l = &im->layout;
	struct table_pool boot = {l->tables + 1, l->tables + l->nr_tables};
	struct table_pool list = {l->p2m + l->nr_p2m, l->fixed_end};

	guest_fill(im, l->tables << PAGE_SHIFT, NULL, l->nr_tables << PAGE_SHIFT);
	for (uint64_t pfn = 0; pfn < l->boot_end; pfn++) {
		bool is_table = pfn >= l->tables && pfn < l->tables + l->nr_tables;

		page_map(im, &boot, dom0_pfn_to_va(im, pfn), pfn,
			 PTE_GUEST_PAGE | (is_table ? 0 : PTE_WRITE));
	}
	for (uint64_t i = 0; i < l->nr_p2m; i++)
		page_map(im, &list, im->kernel->init_p2m + (i << PAGE_SHIFT), l->p2m + i,
			 PTE_GUEST_PAGE | PTE_WRITE);
}

/* --- start_info --- */

/* The text screen the firmware left; a machine without VGA has nothing there, and Linux notices. */
static init_text void vga_info_fill(struct dom0_vga_console_info *vga)
{
	vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
	vga->u.text_mode_3.font_height = 16;
	vga->u.text_mode_3.cursor_x = 0;
	vga->u.text_mode_3.cursor_y = 24;
	vga->u.text_mode_3.rows = 25;
	vga->u.text_mode_3.columns = 80;
}

void dom0_start_info_fill(struct dom0_image *im, const struct boot_module *kernel,
			  const struct boot_module *initrd)
{
	const struct dom0_layout *l = &im->layout;
	struct start_info *si = dom0_pfn_to_virt(im, l->start_info);

	memset(si, 0, PAGE_SIZE);
	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
	si->nr_pages = im->nr_pages;
	si->shared_info = virt_to_paddr(im->d->shared_info);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = dom0_pfn_to_va(im, l->tables);
	si->nr_pt_frames = l->nr_tables;
	si->mfn_list = im->kernel->init_p2m;
	si->first_p2m_pfn = l->p2m;
	si->nr_p2m_frames = l->nr_p2m + l->nr_p2m_tables;
	if (initrd) {
		si->flags |= SIF_MOD_START_PFN;
		si->mod_start = l->initrd;
		si->mod_len = initrd->end - initrd->start;
	}
	snprintf((char *)si->cmd_line, sizeof(si->cmd_line), "%s", kernel->cmdline);
	si->console.dom0.info_off = sizeof(*si);
	si->console.dom0.info_size = sizeof(struct dom0_vga_console_info);
	vga_info_fill((struct dom0_vga_console_info *)(si + 1));
}
