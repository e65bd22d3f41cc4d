/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dom0 builder's ELF parser on good, bad and random files, and the
 * arithmetic of dom0's memory.  Files lie in allocations of exactly their
 * size, so that ASan sees a byte read too far.
 *
 * Links: domain/elf.c domain/dom0_layout.c lib/bits.c
 */
#include "fake.h"

#include "domain/dom0.h"
#include "domain/dom0_image.h"
#include "domain/elf.h"

#include <elf.h>
#include <xen/elfnote.h>

#define BASE 0xffffffff80000000UL

/* A small kernel: header, two program headers, notes, 32 bytes of segment. */
struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[2];
	uint8_t notes[256];
	uint8_t segment[32];
};

static size_t note_add(uint8_t *p, uint32_t type, const void *desc, uint32_t n)
{
	Elf64_Nhdr h = {4, n, type};

	memcpy(p, &h, sizeof(h));
	memcpy(p + 12, "Xen", 4);
	memcpy(p + 16, desc, n);
	return 16 + ((n + 3) & ~3u);
}

static size_t note_number(uint8_t *p, uint32_t type, uint64_t v)
{
	return note_add(p, type, &v, 8);
}

static void image_make(struct image *im)
{
	uint8_t *p = im->notes;

	memset(im, 0, sizeof(*im));
	memcpy(im->ehdr.e_ident, ELFMAG, 4);
	im->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	im->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	im->ehdr.e_type = ET_EXEC;
	im->ehdr.e_machine = EM_X86_64;
	im->ehdr.e_entry = 0x1000000;
	im->ehdr.e_phoff = offsetof(struct image, phdr);
	im->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	im->ehdr.e_phnum = 2;
	im->phdr[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				   .p_offset = offsetof(struct image, segment),
				   .p_vaddr = BASE + 0x1000000,
				   .p_paddr = 0x1000000,
				   .p_filesz = 32,
				   .p_memsz = 0x5000};
	p += note_number(p, XEN_ELFNOTE_ENTRY, BASE + 0x1000100);
	p += note_number(p, XEN_ELFNOTE_VIRT_BASE, BASE);
	p += note_number(p, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	p += note_number(p, XEN_ELFNOTE_MOD_START_PFN, 1);
	p += note_add(p, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	im->phdr[1] = (Elf64_Phdr){.p_type = PT_NOTE,
				   .p_offset = offsetof(struct image, notes),
				   .p_filesz = p - im->notes};
}

static enum elf_result parse_size(const struct image *im, size_t n, struct elf_kernel *k)
{
	void *exact = malloc(n ? n : 1);
	enum elf_result r;

	memcpy(exact, im, n);
	r = elf_kernel_parse(exact, n, k);
	free(exact);
	return r;
}

static enum elf_result parse(const struct image *im, struct elf_kernel *k)
{
	return parse_size(im, sizeof(*im), k);
}

TEST(reads_a_kernel)
{
	struct elf_kernel k;
	struct image im;

	image_make(&im);
	CHECK_EQ(parse(&im, &k), ELF_OK);
	CHECK_EQ(k.nr_segments, 1);
	CHECK_EQ(k.segments[0].paddr, 0x1000000);
	CHECK_EQ(k.segments[0].file_size, 32);
	CHECK_EQ(k.segments[0].mem_size, 0x5000);
	CHECK_EQ(k.paddr_end, 0x1005000);
	CHECK(k.entry == BASE + 0x1000100);
	CHECK(k.virt_base == BASE);
	CHECK(k.has_init_p2m && k.init_p2m == 0x8000000000);
	CHECK(k.has_mod_start_pfn);
	CHECK_EQ(k.hypercall_page, 0);
}

TEST(refuses_every_truncation)
{
	struct elf_kernel k;
	struct image im;

	image_make(&im);
	for (size_t n = 0; n < sizeof(im); n++)
		CHECK(parse_size(&im, n, &k) != ELF_OK);
}

TEST(tells_compressed_kernels)
{
	static const char *const magics[] = {"\x1f\x8b\x08",
					     "\xfd"
					     "7zXZ",
					     "\x28\xb5\x2f\xfd", "BZh9", "\x02\x21\x4c\x18"};
	struct elf_kernel k;
	uint8_t file[0x300];

	for (unsigned int i = 0; i < ARRAY_SIZE(magics); i++) {
		memset(file, 0, sizeof(file));
		memcpy(file, magics[i], strlen(magics[i]));
		CHECK_EQ(elf_kernel_parse(file, sizeof(file), &k), ELF_COMPRESSED);
	}
	memset(file, 0, sizeof(file));
	memcpy(file + 0x202, "HdrS", 4);
	CHECK_EQ(elf_kernel_parse(file, sizeof(file), &k), ELF_COMPRESSED);
	memset(file, 0x20, sizeof(file));
	CHECK_EQ(elf_kernel_parse(file, sizeof(file), &k), ELF_NOT_ELF);
	CHECK(strstr(elf_result_name(ELF_COMPRESSED), "zkernel"));
}

#define REFUSED(change, why)                   \
	do {                                   \
		struct elf_kernel k;           \
		struct image im;               \
                                               \
		image_make(&im);               \
		change;                        \
		CHECK_EQ(parse(&im, &k), why); \
	} while (0)

TEST(refuses_other_machines)
{
	REFUSED(im.ehdr.e_ident[EI_CLASS] = ELFCLASS32, ELF_WRONG_KIND);
	REFUSED(im.ehdr.e_ident[EI_DATA] = ELFDATA2MSB, ELF_WRONG_KIND);
	REFUSED(im.ehdr.e_machine = EM_AARCH64, ELF_WRONG_KIND);
	REFUSED(im.ehdr.e_type = ET_REL, ELF_WRONG_KIND);
}

TEST(refuses_bad_headers)
{
	REFUSED(im.ehdr.e_phentsize = 32, ELF_MALFORMED);
	REFUSED(im.ehdr.e_phnum = 0, ELF_MALFORMED);
	REFUSED(im.ehdr.e_phnum = 65, ELF_MALFORMED);
	REFUSED(im.ehdr.e_phoff = sizeof(im), ELF_MALFORMED);
	REFUSED(im.ehdr.e_phoff = ~0UL, ELF_MALFORMED);
	REFUSED(im.ehdr.e_phoff = ~0UL - 64, ELF_MALFORMED);
}

TEST(refuses_bad_segments)
{
	REFUSED(im.phdr[0].p_offset = sizeof(im) - 31, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_offset = ~0UL, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_filesz = ~0UL, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_memsz = 31, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_memsz = ~0UL, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_memsz = GB(1), ELF_MALFORMED);
	REFUSED(im.phdr[0].p_paddr = ~0UL, ELF_MALFORMED);
	REFUSED(im.phdr[0].p_paddr = GB(1), ELF_MALFORMED);
	REFUSED(im.phdr[0].p_memsz = im.phdr[0].p_filesz = 0, ELF_MALFORMED); /* nothing to load */
}

TEST(refuses_bad_notes)
{
	/* offsets of the notes: 0 entry, 24 base, 48 p2m, 72 pfn */
	REFUSED(im.phdr[1].p_offset = ~0UL, ELF_MALFORMED);
	REFUSED(im.phdr[1].p_filesz = sizeof(im), ELF_MALFORMED);
	REFUSED(im.phdr[1].p_type = PT_NULL, ELF_NO_XEN_NOTES);
	REFUSED(memset(im.notes, 0xff, 4), ELF_MALFORMED);
	REFUSED(memset(im.notes + 4, 0xff, 4), ELF_MALFORMED);
	REFUSED(im.notes[24 + 8] = 99, ELF_MALFORMED); /* no VIRT_BASE */
	REFUSED(im.notes[24 + 16] = 1, ELF_MALFORMED); /* not aligned */
	REFUSED(note_number(im.notes + 24, XEN_ELFNOTE_VIRT_BASE, 0xffff820000000000),
		ELF_MALFORMED); /* in our part */
	REFUSED(note_number(im.notes + 24, XEN_ELFNOTE_VIRT_BASE, 0xffff7fffc0000000),
		ELF_MALFORMED); /* not canonical */
	REFUSED(note_number(im.notes, XEN_ELFNOTE_ENTRY, BASE + 0x1005000), ELF_MALFORMED);
	REFUSED(note_number(im.notes, XEN_ELFNOTE_ENTRY, BASE - 1), ELF_MALFORMED);
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_INIT_P2M, 0x8000001000), ELF_MALFORMED);
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_INIT_P2M, 0xffff830000000000),
		ELF_MALFORMED);
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_INIT_P2M, 0xffffff8000000000),
		ELF_MALFORMED); /* the kernel's own slot */
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x1005000),
		ELF_MALFORMED);
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x1000010),
		ELF_MALFORMED);
	REFUSED(note_number(im.notes + 48, XEN_ELFNOTE_PADDR_OFFSET, 0x1000001), ELF_MALFORMED);
}

TEST(takes_a_paddr_offset)
{
	struct elf_kernel k;
	struct image im;

	image_make(&im);
	im.phdr[0].p_paddr = BASE + 0x1000000;
	note_number(im.notes + 48, XEN_ELFNOTE_PADDR_OFFSET, BASE);
	CHECK_EQ(parse(&im, &k), ELF_OK);
	CHECK_EQ(k.segments[0].paddr, 0x1000000);
}

TEST(survives_random_changes)
{
	unsigned int seed = 99;

	for (unsigned int i = 0; i < 100000; i++) {
		struct elf_kernel k;
		struct image im;

		image_make(&im);
		for (unsigned int j = 0; j < 1 + i % 4; j++) {
			seed = seed * 1103515245 + 12345;
			((uint8_t *)&im)[(seed >> 8) % sizeof(im)] = seed >> 24;
		}
		if (parse(&im, &k) != ELF_OK)
			continue;
		for (unsigned int s = 0; s < k.nr_segments; s++) {
			CHECK(k.segments[s].offset + k.segments[s].file_size <= sizeof(im));
			CHECK(k.segments[s].file_size <= k.segments[s].mem_size);
			CHECK(k.segments[s].paddr + k.segments[s].mem_size <= k.paddr_end);
		}
	}
}

TEST(layout_of_a_small_and_a_large_dom0)
{
	static const uint64_t sizes[] = {MB(256), GB(2), GB(64), GB(512)};
	struct dom0_layout l;
	struct elf_kernel k;
	struct image im;

	image_make(&im);
	im.phdr[0].p_memsz = 50 << 20;
	CHECK_EQ(parse(&im, &k), ELF_OK);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t pages = sizes[i] >> PAGE_SHIFT;

		CHECK_EQ(dom0_layout_compute(&l, &k, pages, 12345678), 0);
		CHECK_EQ(l.start_info, (0x1000000 + (50 << 20)) >> PAGE_SHIFT);
		CHECK(l.tables == l.start_info + 1 && l.stack == l.tables + l.nr_tables);
		CHECK_EQ(l.boot_end % 1024, 0);
		CHECK(l.boot_end - l.stack - 1 >= 128);
		/* L4, L3, L2 and an L1 for each 2 MB */
		CHECK_EQ(l.nr_tables, 3 + l.boot_end / 512);
		CHECK_EQ(l.nr_initrd, 3015);
		CHECK_EQ(l.nr_p2m, pages / 512);
		CHECK(l.nr_p2m_tables >= 2 + (l.nr_p2m + 511) / 512);
		CHECK_EQ(l.fixed_end, l.p2m + l.nr_p2m + l.nr_p2m_tables);
	}
}

TEST(layout_that_does_not_fit)
{
	struct dom0_layout l;
	struct elf_kernel k;
	struct image im;

	image_make(&im);
	CHECK_EQ(parse(&im, &k), ELF_OK);
	CHECK_EQ(dom0_layout_compute(&l, &k, 1000, 0), -ENOMEM);
	CHECK_EQ(dom0_layout_compute(&l, &k, 16384, MB(64)), -ENOMEM);
	CHECK_EQ(dom0_layout_compute(&l, &k, 16384, 0), 0);
	im.phdr[0].p_memsz = GB(1) - 0x1000000;
	CHECK_EQ(parse(&im, &k), ELF_OK);
	CHECK_EQ(dom0_layout_compute(&l, &k, 1 << 20, 0), -EINVAL);
	/* the end of the address space */
	k.virt_base = 0xffffffffc0000000UL;
	k.paddr_end = GB(1);
	CHECK_EQ(dom0_layout_compute(&l, &k, 1 << 20, 0), -EINVAL);
}

TEST(sizes)
{
	const char *end;
	uint64_t n;

	CHECK(dom0_size_parse("512M", &n, &end) && n == MB(512) && !*end);
	CHECK(dom0_size_parse("2g,max:3g", &n, &end) && n == GB(2) && *end == ',');
	CHECK(dom0_size_parse("1048576", &n, &end) && n == GB(1));
	CHECK(dom0_size_parse("64k", &n, &end) && n == KB(64));
	CHECK(!dom0_size_parse("", &n, &end));
	CHECK(!dom0_size_parse("x", &n, &end));
	CHECK(!dom0_size_parse("-1", &n, &end));
	CHECK(!dom0_size_parse("99999999999999999999", &n, &end));
	CHECK(!dom0_size_parse("9999999999G", &n, &end));
}
