/* SPDX-License-Identifier: BSD-2-Clause */
/* The ELF64 parser of the dom0 builder; see elf.h.  System V ABI, "ELF-64 Object File Format". */
#include "domain/elf.h"

#include <xen/elfnote.h>

#include "lib/string.h"

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
	uint32_t namesz, descsz, type;
};

#define ELF_CLASS64   2
#define ELF_LITTLE    1
#define ELF_EXEC      2
#define ELF_DYN	      3
#define ELF_X86_64    62
#define ELF_PT_LOAD   1
#define ELF_PT_NOTE   4
#define ELF_PHNUM_MAX 64

/* Above what the ABI keeps for the hypervisor. */
#define GUEST_HIGH	 0xffff880000000000UL
#define PADDR_MAX	 (1UL << 40)
#define BZIMAGE_MAGIC_AT 0x202

static bool has_magic(const uint8_t *p, uint64_t size, const char *magic, size_t n, size_t at)
{
	return size >= at + n && !memcmp(p + at, magic, n);
}

static bool is_compressed(const uint8_t *p, uint64_t size)
{
	return has_magic(p, size, "HdrS", 4, BZIMAGE_MAGIC_AT) ||
	       has_magic(p, size, "\x1f\x8b", 2, 0) ||
	       has_magic(p, size,
			 "\xfd"
			 "7zXZ",
			 5, 0) ||
	       has_magic(p, size, "\x28\xb5\x2f\xfd", 4, 0) || has_magic(p, size, "BZh", 3, 0) ||
	       has_magic(p, size, "\x02\x21\x4c\x18", 4, 0) ||
	       has_magic(p, size, "\x5d\x00\x00", 3, 0);
}

/* Is [offset, offset + n) inside the file? */
static bool is_inside(uint64_t size, uint64_t offset, uint64_t n)
{
	return offset <= size && n <= size - offset;
}

static enum elf_result header_check(const uint8_t *image, uint64_t size, struct elf_header *h)
{
	if (size < sizeof(*h) || memcmp(image, "\177ELF", 4))
		return is_compressed(image, size) ? ELF_COMPRESSED : ELF_NOT_ELF;
	memcpy(h, image, sizeof(*h));
	if (h->ident[4] != ELF_CLASS64 || h->ident[5] != ELF_LITTLE || h->machine != ELF_X86_64 ||
	    (h->type != ELF_EXEC && h->type != ELF_DYN))
		return ELF_WRONG_KIND;
	if (h->phentsize != sizeof(struct elf_phdr) || !h->phnum || h->phnum > ELF_PHNUM_MAX ||
	    !is_inside(size, h->phoff, (uint64_t)h->phnum * sizeof(struct elf_phdr)))
		return ELF_MALFORMED;
	return ELF_OK;
}

static enum elf_result segment_add(struct elf_kernel *k, const struct elf_phdr *p, uint64_t size)
{
	if (!p->memsz)
		return ELF_OK;
	if (k->nr_segments == ELF_SEGMENTS_MAX || p->filesz > p->memsz ||
	    !is_inside(size, p->offset, p->filesz) || p->memsz > PADDR_MAX)
		return ELF_MALFORMED;
	k->segments[k->nr_segments++] =
		(struct elf_segment){p->offset, p->filesz, p->paddr, p->memsz};
	return ELF_OK;
}

static uint64_t desc_number(const uint8_t *desc, uint32_t n)
{
	uint64_t v = 0; /* little-endian, 4 or 8 bytes */

	memcpy(&v, desc, MIN(n, sizeof(v)));
	return v;
}

struct xen_notes {
	uint64_t paddr_offset;
	bool has_virt_base;
};

static void note_take(struct elf_kernel *k, struct xen_notes *notes, uint32_t type,
		      const uint8_t *desc, uint32_t n)
{
	uint64_t v = desc_number(desc, n);

	k->has_xen_notes = true;
	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		k->entry = v;
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		k->hypercall_page = v;
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		k->virt_base = v;
		notes->has_virt_base = true;
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		notes->paddr_offset = v;
		break;
	case XEN_ELFNOTE_INIT_P2M:
		k->init_p2m = v;
		k->has_init_p2m = true;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		k->has_mod_start_pfn = v;
		break;
	default:
		break;
	}
}

/* The notes of one PT_NOTE; those of other names are passed over. */
static enum elf_result notes_parse(const uint8_t *p, uint64_t size, struct elf_kernel *k,
				   struct xen_notes *notes)
{
	while (size >= sizeof(struct elf_note)) {
		struct elf_note n;
		uint64_t name, desc;

		memcpy(&n, p, sizeof(n));
		name = ROUND_UP((uint64_t)n.namesz, 4);
		desc = ROUND_UP((uint64_t)n.descsz, 4);
		p += sizeof(n);
		size -= sizeof(n);
		if (name > size || n.descsz > size - name)
			return ELF_MALFORMED;
		if (n.namesz == 4 && !memcmp(p, "Xen", 4))
			note_take(k, notes, n.type, p + name, n.descsz);
		if (name + desc > size)
			return ELF_OK; /* the last one's padding may be missing */
		p += name + desc;
		size -= name + desc;
	}
	return ELF_OK;
}

static bool is_page_aligned(uint64_t v)
{
	return !(v & ~PAGE_MASK);
}

/* An address whose next 1 GB is the guest's: in the lower half, or above our part. */
static bool is_guest_address(uint64_t va)
{
	return va < (1UL << 47) - GB(1) || (va >= GUEST_HIGH && va <= ~0UL - GB(1));
}

static enum elf_result addresses_check(struct elf_kernel *k, const struct xen_notes *notes)
{
	if (!notes->has_virt_base || !is_page_aligned(k->virt_base) ||
	    !is_guest_address(k->virt_base))
		return ELF_MALFORMED;
	for (unsigned int i = 0; i < k->nr_segments; i++) {
		struct elf_segment *s = &k->segments[i];

		if (s->paddr < notes->paddr_offset)
			return ELF_MALFORMED;
		s->paddr -= notes->paddr_offset;
		/* Kernel, tables and stack must fit where a kernel maps itself. */
		if (s->paddr > GB(1) || s->mem_size > GB(1) - s->paddr)
			return ELF_MALFORMED;
		k->paddr_end = MAX(k->paddr_end, s->paddr + s->mem_size);
	}
	if (!k->paddr_end || k->entry < k->virt_base || k->entry - k->virt_base >= k->paddr_end)
		return ELF_MALFORMED;
	if (k->hypercall_page &&
	    (!is_page_aligned(k->hypercall_page) || k->hypercall_page < k->virt_base ||
	     k->hypercall_page - k->virt_base >= k->paddr_end))
		return ELF_MALFORMED;
	/* The list has L4 slots of its own. */
	if (k->has_init_p2m && (k->init_p2m & ((1UL << 39) - 1) || !is_guest_address(k->init_p2m) ||
				k->init_p2m >> 39 == k->virt_base >> 39))
		return ELF_MALFORMED;
	return ELF_OK;
}

enum elf_result elf_kernel_parse(const void *image, uint64_t size, struct elf_kernel *k)
{
	const uint8_t *bytes = image;
	struct xen_notes notes = {0};
	struct elf_header h;
	enum elf_result r = header_check(bytes, size, &h);

	if (r)
		return r;
	memset(k, 0, sizeof(*k));
	k->entry = h.entry;
	for (unsigned int i = 0; i < h.phnum; i++) {
		struct elf_phdr p;

		memcpy(&p, bytes + h.phoff + i * sizeof(p), sizeof(p));
		if (p.type == ELF_PT_LOAD)
			r = segment_add(k, &p, size);
		else if (p.type != ELF_PT_NOTE)
			continue;
		else if (!is_inside(size, p.offset, p.filesz))
			r = ELF_MALFORMED;
		else
			r = notes_parse(bytes + p.offset, p.filesz, k, &notes);
		if (r)
			return r;
	}
	if (!k->has_xen_notes)
		return ELF_NO_XEN_NOTES;
	return addresses_check(k, &notes);
}

const char *elf_result_name(enum elf_result r)
{
	switch (r) {
	case ELF_OK:
		return "a kernel";
	case ELF_NOT_ELF:
		return "not an ELF file";
	case ELF_COMPRESSED:
		return "compressed: unpack it with zkernel";
	case ELF_WRONG_KIND:
		return "not a 64-bit x86 kernel";
	case ELF_MALFORMED:
		return "an ELF file with offsets or addresses that cannot be";
	case ELF_NO_XEN_NOTES:
		return "not built for Xen (no ELF notes)";
	}
	return "unknown";
}
