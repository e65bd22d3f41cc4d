/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Multiboot 1 or 2 loader left in memory, read into struct boot_info
 * (Multiboot Specification 0.6.96 and 2.0).  The loader is trusted; lengths
 * are still checked, for what it has to say is bounded here.
 */
#include "boot/multiboot.h"

#include "boot/boot.h"
#include "cpu/seam.h"
#include "lib/printk.h"
#include "lib/string.h"

struct boot_info boot_info;
static uint8_t rsdp_copy[36] aligned_to(16); /* the RSDP of ACPI 2.0 */

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
} packed;

struct mb1_module {
	uint32_t start, end, string, reserved;
} packed;

struct mb1_mmap {
	uint32_t size; /* of the rest */
	uint64_t base, length;
	uint32_t type;
} packed;

struct mb2_tag {
	uint32_t type, size;
} packed;

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
	char string[];
} packed;

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
} packed;

struct mb2_mmap_entry {
	uint64_t base, length;
	uint32_t type, reserved;
} packed;

#define MB2_TAG_CMDLINE  1
#define MB2_TAG_MODULE   3
#define MB2_TAG_MMAP     6
#define MB2_TAG_ACPI_OLD 14
#define MB2_TAG_ACPI_NEW 15

static init_text void text_copy(char *dst, const char *src)
{
	size_t n = strnlen(src, BOOT_CMDLINE_MAX - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

static init_text void region_add(uint64_t base, uint64_t length, uint32_t type)
{
	struct boot_info *bi = &boot_info;
	unsigned int at = bi->nr_regions;

	if (!length)
		return;
	if (at == BOOT_REGIONS_MAX)
		panic("the memory map has more than %u regions", BOOT_REGIONS_MAX);
	for (; at && bi->regions[at - 1].start > base; at--)
		bi->regions[at] = bi->regions[at - 1];
	bi->regions[at] = (struct boot_region){base, length, type};
	bi->nr_regions++;
}

static init_text void module_add(paddr_t start, paddr_t end, const char *string)
{
	struct boot_module *m = &boot_info.modules[boot_info.nr_modules];

	if (boot_info.nr_modules == BOOT_MODULES_MAX) {
		printk("more than %u modules: the rest is ignored\n", BOOT_MODULES_MAX);
		return;
	}
	m->start = start;
	m->end = end;
	text_copy(m->cmdline, string);
	boot_info.nr_modules++;
}

/*
 * Multiboot 1 loaders put the file's name first; for Multiboot 2, Debian's
 * GRUB scripts put the word "placeholder" where it would be.
 */
static init_text void skip_first_word(uint32_t magic, char *text)
{
	char *space = strchr(text, ' ');

	if (magic != MULTIBOOT1_LOADER_MAGIC && strncmp(text, "placeholder", 11))
		return;
	if (space)
		memmove(text, space + 1, strlen(space));
	else
		*text = '\0';
}

static init_text void mb1_parse(const struct mb1_info *mb)
{
	const struct mb1_module *mods = paddr_to_virt(mb->mods_addr);
	paddr_t at, end;

	if (!(mb->flags & BIT_U32(6)))
		panic("the boot loader gave no memory map");
	if (mb->flags & BIT_U32(2))
		text_copy(boot_info.cmdline, paddr_to_virt(mb->cmdline));
	if (mb->flags & BIT_U32(3))
		for (uint32_t i = 0; i < mb->mods_count; i++)
			module_add(mods[i].start, mods[i].end,
				   mods[i].string ? paddr_to_virt(mods[i].string) : "");
	end = (paddr_t)mb->mmap_addr + mb->mmap_length;
	for (at = mb->mmap_addr; at + sizeof(struct mb1_mmap) <= end;) {
		const struct mb1_mmap *e = paddr_to_virt(at);

		region_add(e->base, e->length, e->type);
		at += e->size + sizeof(e->size);
	}
}

static init_text void mb2_mmap_parse(const struct mb2_mmap *t)
{
	const char *at = (const char *)(t + 1), *end = (const char *)t + t->tag.size;

	if (t->entry_size < sizeof(struct mb2_mmap_entry))
		panic("the boot loader's memory map has entries of %u bytes", t->entry_size);
	for (; at + sizeof(struct mb2_mmap_entry) <= end; at += t->entry_size) {
		const struct mb2_mmap_entry *e = (const void *)at;

		region_add(e->base, e->length, e->type);
	}
}

static init_text void mb2_parse(paddr_t info)
{
	const uint32_t *head = paddr_to_virt(info);
	paddr_t at = info + 8, end = info + head[0];

	while (at + sizeof(struct mb2_tag) <= end) {
		const struct mb2_tag *t = paddr_to_virt(at);
		const struct mb2_module *m = (const void *)t;

		if (!t->type || t->size < sizeof(*t))
			break;
		switch (t->type) {
		case MB2_TAG_CMDLINE:
			text_copy(boot_info.cmdline, (const char *)(t + 1));
			break;
		case MB2_TAG_MODULE:
			module_add(m->start, m->end, m->string);
			break;
		case MB2_TAG_MMAP:
			mb2_mmap_parse((const void *)t);
			break;
		case MB2_TAG_ACPI_OLD:
		case MB2_TAG_ACPI_NEW:
			/* a copy of the RSDP itself, in memory that will be reused */
			memcpy(rsdp_copy, t + 1, MIN(t->size - sizeof(*t), sizeof(rsdp_copy)));
			boot_info.rsdp = (uint64_t)rsdp_copy - IMAGE_START;
			break;
		}
		at = ROUND_UP(at + t->size, 8UL);
	}
}

init_text void multiboot_parse(uint32_t magic, uint32_t info)
{
	if (magic == MULTIBOOT1_LOADER_MAGIC)
		mb1_parse(paddr_to_virt(info));
	else if (magic == MULTIBOOT2_LOADER_MAGIC)
		mb2_parse(info);
	else
		panic("not started by a Multiboot loader (magic %#x)", magic);
	skip_first_word(magic, boot_info.cmdline);
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		skip_first_word(magic, boot_info.modules[i].cmdline);
	if (!boot_info.nr_regions)
		panic("the boot loader gave no memory map");
}
