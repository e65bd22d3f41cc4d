/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ACPI tables that lie in a buffer: pure functions, which believe
 * nothing a table says about itself.  Finding and mapping them is acpi.c's.
 */
#ifndef DEV_ACPI_TABLES_H
#define DEV_ACPI_TABLES_H

#include "dev/acpi.h"

/* ACPI 6.4, "System Description Table Header" */
struct acpi_header {
	char signature[4];
	uint32_t length; /* of the whole table */
	uint8_t revision;
	uint8_t checksum; /* all bytes add up to 0 */
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	uint32_t creator_id;
	uint32_t creator_revision;
} packed;
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI table header");

#define ACPI_TABLE_MAX MB(1) /* longer than any table we read */

/* The root table: an RSDT of 4-byte or an XSDT of 8-byte addresses. */
struct acpi_root {
	paddr_t address;
	unsigned int entry_size;
};

/* `p` points at what may be an RSDP, with `room` bytes to read. 0, or -EINVAL */
must_check int acpi_rsdp_parse(const void *p, size_t room, struct acpi_root *root);
/* Is it whole (length within room), of this signature (NULL: any), and does it add up to 0? */
bool acpi_table_is_valid(const void *table, size_t room, const char *signature);
/* Of a valid root table. */
unsigned int acpi_root_count(const void *table, const struct acpi_root *root);
paddr_t acpi_root_entry(const void *table, const struct acpi_root *root, unsigned int i);

/* Each takes a valid table of its kind: 0, or -EINVAL when what it says makes no sense. */
must_check int acpi_madt_parse(const void *table, struct acpi_info *info);
must_check int acpi_fadt_parse(const void *table, struct acpi_info *info);
must_check int acpi_hpet_parse(const void *table, struct acpi_info *info);
must_check int acpi_mcfg_parse(const void *table, struct acpi_info *info);

#endif
