/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0's memory as the builder leaves it, looked at as the kernel will: by
 * walking its page tables.
 *
 * Links: domain/dom0_image.c domain/dom0_layout.c lib/bits.c
 */
#include "fake.h"

#include "boot/boot.h"
#include "domain/dom0_image.h"
#include "mm/alloc.h"
#include "mm/pte.h"

#define BASE	 0xffffffff80000000UL
#define P2M	 0x8000000000UL
#define NR_PAGES 3000

static uint64_t next_frame;
static unsigned int assigned[FAKE_FRAMES];

struct page *frames_alloc(unsigned int order, unsigned int addr_bits)
{
	uint64_t first = ROUND_UP(next_frame, 1UL << order);

	(void)addr_bits;
	if (first + (1UL << order) > FAKE_FRAMES || order > 8)
		return NULL;
	next_frame = first + (1UL << order);
	memset(&fake_ram[first << 12], 0xcc, 4096UL << order);
	return &frame_table[first];
}

static unsigned int freed;

void frames_free(struct page *pg, unsigned int order)
{
	CHECK(!assigned[pg - frame_table]);
	freed += 1u << order;
}

int pages_assign(struct page *pg, uint64_t n, struct domain *d)
{
	(void)d;
	for (uint64_t i = 0; i < n; i++)
		CHECK_EQ(assigned[pg - frame_table + i]++, 0);
	return 0;
}

static struct elf_kernel kernel = {
	.nr_segments = 1,
	.segments = {{.offset = 100, .file_size = 5000, .paddr = 0x1000f0, .mem_size = 20000}},
	.paddr_end = 0x1000f0 + 20000,
	.entry = BASE + 0x100100,
	.virt_base = BASE,
	.init_p2m = P2M,
	.has_init_p2m = true,
	.has_mod_start_pfn = true,
};
static struct boot_module module = {.cmdline = "console=hvc0 root=/dev/ram0"};
static struct boot_module initrd;
static struct dom0_image im;
static uint8_t elf[8192];

static void build(void)
{
	memset(assigned, 0, sizeof(assigned));
	freed = 0;
	next_frame = 64;
	memset(&im, 0, sizeof(im));
	im.d = fake_dom0(1);
	im.d->shared_info = (struct shared_info *)page_to_virt(fake_frame_alloc(NULL));
	im.kernel = &kernel;
	im.nr_pages = NR_PAGES;
	initrd.start = 20 << 12;
	initrd.end = initrd.start + 9000;
	memset(&fake_ram[initrd.start], 0x77, 3 << 12);
	for (unsigned int i = 0; i < sizeof(elf); i++)
		elf[i] = i * 7;
	CHECK_EQ(dom0_layout_compute(&im.layout, &kernel, NR_PAGES, 9000), 0);
	CHECK_EQ(dom0_memory_populate(&im, &initrd), 0);
	dom0_kernel_load(&im, elf);
	dom0_tables_build(&im);
	dom0_start_info_fill(&im, &module, &initrd);
}

static uint64_t walk(uint64_t va)
{
	uint64_t *table = dom0_pfn_to_virt(&im, im.layout.tables);

	for (unsigned int level = 4; level > 1; level--) {
		uint64_t entry = table[pte_index(va, level)];

		if (!(entry & PTE_PRESENT))
			return 0;
		CHECK_EQ(entry & 0xfff,
			 PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY);
		table = paddr_to_virt(entry & PTE_ADDR_MASK);
	}
	return table[pte_index(va, 1)];
}

TEST(every_page_is_owned_once_and_known_both_ways)
{
	unsigned int owned = 0;

	build();
	for (uint64_t pfn = 0; pfn < NR_PAGES; pfn++) {
		CHECK_EQ(assigned[im.p2m[pfn]], 1);
		CHECK_EQ(fake_m2p[im.p2m[pfn]], pfn);
	}
	for (unsigned int i = 0; i < FAKE_FRAMES; i++)
		owned += assigned[i];
	CHECK_EQ(owned, NR_PAGES);
	/* past the end of the list: no frame */
	CHECK_EQ(im.p2m[NR_PAGES], ~0UL);
	CHECK_EQ(im.p2m[im.layout.nr_p2m * 512 - 1], ~0UL);
	CHECK_EQ(freed + im.layout.nr_p2m + im.layout.nr_p2m_tables, 1u << 4);
}

TEST(the_boot_mapping_is_linear_and_tables_are_read_only)
{
	const struct dom0_layout *l = &im.layout;
	uint64_t pfn;

	build();
	for (pfn = 0; pfn < l->boot_end; pfn++) {
		uint64_t entry = walk(BASE + (pfn << 12));
		bool is_table = pfn >= l->tables && pfn < l->tables + l->nr_tables;

		CHECK(entry & PTE_PRESENT);
		CHECK_EQ((entry & PTE_ADDR_MASK) >> 12, im.p2m[pfn]);
		CHECK_EQ(!(entry & PTE_WRITE), is_table);
	}
	CHECK_EQ(walk(BASE + (pfn << 12)), 0);
	for (uint64_t i = 0; i < l->nr_p2m; i++) {
		uint64_t entry = walk(P2M + (i << 12));

		CHECK_EQ((entry & PTE_ADDR_MASK) >> 12, im.p2m[l->p2m + i]);
		CHECK(entry & PTE_WRITE);
	}
	CHECK_EQ(walk(P2M + (l->nr_p2m << 12)), 0);
}

TEST(all_tables_promised_are_used)
{
	const struct dom0_layout *l = &im.layout;

	build();
	/* an unused one would be empty */
	for (uint64_t pfn = l->tables; pfn < l->tables + l->nr_tables; pfn++) {
		uint64_t *t = dom0_pfn_to_virt(&im, pfn), any = 0;

		for (unsigned int i = 0; i < 512; i++)
			any |= t[i];
		CHECK(any);
	}
	for (uint64_t pfn = l->p2m + l->nr_p2m; pfn < l->fixed_end; pfn++) {
		uint64_t *t = dom0_pfn_to_virt(&im, pfn), any = 0;

		for (unsigned int i = 0; i < 512; i++)
			any |= t[i];
		CHECK(any);
	}
}

static uint8_t guest_byte(uint64_t paddr)
{
	return ((uint8_t *)dom0_pfn_to_virt(&im, paddr >> 12))[paddr & 4095];
}

TEST(the_kernel_is_loaded_and_its_bss_clear)
{
	build();
	for (unsigned int i = 0; i < 5000; i++)
		CHECK_EQ(guest_byte(0x1000f0 + i), elf[100 + i]);
	for (unsigned int i = 5000; i < 20000; i++)
		CHECK_EQ(guest_byte(0x1000f0 + i), 0);
}

TEST(the_initrd_stays_where_it_was)
{
	build();
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(im.p2m[im.layout.initrd + i], 20 + i);
	CHECK_EQ(guest_byte((im.layout.initrd << 12) + 8999), 0x77);
	CHECK_EQ(guest_byte((im.layout.initrd << 12) + 9000), 0);
	CHECK_EQ(guest_byte((im.layout.initrd << 12) + 3 * 4096 - 1), 0);
}

TEST(start_info_says_where_all_is)
{
	const struct dom0_layout *l = &im.layout;
	const struct start_info *si;
	const struct dom0_vga_console_info *vga;

	build();
	si = dom0_pfn_to_virt(&im, l->start_info);
	CHECK(!strncmp(si->magic, "xen-3.", 6));
	CHECK_EQ(si->nr_pages, NR_PAGES);
	CHECK_EQ(si->shared_info, virt_to_paddr(im.d->shared_info));
	CHECK_EQ(si->flags, SIF_PRIVILEGED | SIF_INITDOMAIN | SIF_MOD_START_PFN);
	CHECK(si->pt_base == BASE + (l->tables << 12));
	CHECK_EQ(si->nr_pt_frames, l->nr_tables);
	CHECK(si->mfn_list == P2M);
	CHECK_EQ(si->first_p2m_pfn, l->p2m);
	CHECK_EQ(si->nr_p2m_frames, l->nr_p2m + l->nr_p2m_tables);
	CHECK_EQ(si->mod_start, l->initrd);
	CHECK_EQ(si->mod_len, 9000);
	CHECK(!strcmp((const char *)si->cmd_line, "console=hvc0 root=/dev/ram0"));
	vga = (const void *)((const char *)si + si->console.dom0.info_off);
	CHECK_EQ(vga->u.text_mode_3.columns, 80);
}
