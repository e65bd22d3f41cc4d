/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding the ACPI tables and mapping them; what they say is read by
 * acpi_tables.c into acpi_info.
 */
#include "dev/acpi.h"

#include "boot/boot.h"
#include "dev/acpi_tables.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/mm.h"

#define EBDA_SEGMENT_PTR 0x40e /* BIOS data area: the EBDA's real-mode segment */
#define BIOS_ROM_START	 0xe0000
#define BIOS_ROM_END	 0x100000
#define RSDP_ALIGN	 16
#define RSDP_SIZE	 36

struct acpi_info acpi_info;

/* Through the direct map where all of it is RAM, else as device memory. */
static init_text const void *acpi_map(paddr_t p, size_t size)
{
	if (!p || p + size < p)
		return NULL;
	for (paddr_t at = ROUND_DOWN(p, PAGE_SIZE); at < p + size; at += PAGE_SIZE)
		if (!mfn_is_ram(paddr_to_mfn(at)))
			return iomap(p, size);
	return paddr_to_virt(p);
}

static init_text bool rsdp_scan(paddr_t start, paddr_t end, struct acpi_root *root)
{
	const uint8_t *area = acpi_map(start, end - start);

	if (!area)
		return false;
	for (paddr_t at = 0; at < end - start; at += RSDP_ALIGN) {
		if (acpi_rsdp_parse(area + at, end - start - at, root))
			continue;
		acpi_info.rsdp = start + at;
		return true;
	}
	return false;
}

/* ACPI 6.4, "Finding the RSDP on IA-PC Systems" */
static init_text bool rsdp_find(const struct boot_info *bi, struct acpi_root *root)
{
	const void *p;
	uint16_t segment;
	paddr_t ebda;

	if (bi->rsdp) {
		p = acpi_map(bi->rsdp, RSDP_SIZE);
		acpi_info.rsdp = bi->rsdp;
		if (p && !acpi_rsdp_parse(p, RSDP_SIZE, root))
			return true;
	}
	p = acpi_map(EBDA_SEGMENT_PTR, sizeof(segment));
	if (p) {
		memcpy(&segment, p, sizeof(segment));
		ebda = (paddr_t)segment << 4;
		if (ebda >= KB(256) && ebda < KB(640) && rsdp_scan(ebda, ebda + KB(1), root))
			return true;
	}
	return rsdp_scan(BIOS_ROM_START, BIOS_ROM_END, root);
}

/* Maps a whole table and checks it; NULL if it is not what it should be. */
static init_text const void *table_map(paddr_t p, const char *signature)
{
	const void *table = acpi_map(p, sizeof(struct acpi_header));
	struct acpi_header h;

	if (!table)
		return NULL;
	memcpy(&h, table, sizeof(h));
	if (memcmp(h.signature, signature, 4))
		return NULL;
	if (h.length < sizeof(h) || h.length > ACPI_TABLE_MAX) {
		printk("ACPI: %.4s at %lx has a bad length, %u\n", signature, p, h.length);
		return NULL;
	}
	table = acpi_map(p, h.length);
	if (!table || !acpi_table_is_valid(table, h.length, signature)) {
		printk("ACPI: %.4s at %lx has a bad checksum\n", signature, p);
		return NULL;
	}
	return table;
}

static const struct {
	char signature[5];
	int (*parse)(const void *table, struct acpi_info *info);
} parsers[] = {
	{"APIC", acpi_madt_parse},
	{"FACP", acpi_fadt_parse},
	{"HPET", acpi_hpet_parse},
	{"MCFG", acpi_mcfg_parse},
};

static init_text void table_read(paddr_t p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(parsers); i++) {
		const void *table = table_map(p, parsers[i].signature);

		if (table && parsers[i].parse(table, &acpi_info))
			printk("ACPI: %s at %lx makes no sense\n", parsers[i].signature, p);
	}
}

init_text void acpi_init(const struct boot_info *bi)
{
	struct acpi_root root;
	const void *table;

	if (!rsdp_find(bi, &root))
		panic("no ACPI tables (RSDP) found");
	table = table_map(root.address, root.entry_size == 8 ? "XSDT" : "RSDT");
	if (!table)
		panic("the ACPI root table at %lx cannot be used", root.address);
	for (unsigned int i = 0; i < acpi_root_count(table, &root); i++)
		table_read(acpi_root_entry(table, &root, i));
	if (!acpi_info.nr_cpus)
		panic("the ACPI tables list no CPU");
	printk("ACPI: %u CPUs, %u I/O APICs, PM timer %x, HPET %lx\n", acpi_info.nr_cpus,
	       acpi_info.nr_ioapics, acpi_info.pmtimer_port, acpi_info.hpet);
}
