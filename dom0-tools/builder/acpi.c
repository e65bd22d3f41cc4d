/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables themselves: ACPI Specification 6.2, "ACPI System Description Tables". Every vCPU that
 * there may ever be is listed as enabled: a guest takes those that are to stay off down itself, by
 * the store's word, and knows the APIC ID of each that may come later.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "builder/acpi.h"
#include "builder/aml.h"

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t entries[2];
} __attribute__((packed));

#define MADT_LOCAL_APIC 0
#define MADT_ENABLED	1u

struct madt_local_apic {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));

struct acpi_madt {
	struct acpi_header header;
	uint32_t local_apic;
	uint32_t flags;
	struct madt_local_apic cpus[];
} __attribute__((packed));

/* "Fixed ACPI Description Table": what a hardware-reduced machine has of it. */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t legacy[65]; /* registers of fixed hardware: there is none */
	uint16_t ia32_boot_flags;
	uint8_t reserved;
	uint32_t flags;
	uint8_t reset_reg[12];
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	uint8_t x_registers[96];
	uint8_t sleep_registers[24];
	uint64_t hypervisor;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "System Description Table Header");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "Root System Description Pointer");
_Static_assert(__builtin_offsetof(struct acpi_fadt, ia32_boot_flags) == 109, "IAPC_BOOT_ARCH");
_Static_assert(__builtin_offsetof(struct acpi_fadt, flags) == 112, "FADT Flags");
_Static_assert(__builtin_offsetof(struct acpi_fadt, x_dsdt) == 140, "FADT X_DSDT");
_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT of ACPI 6");

/* No keyboard controller and no ISA devices are said by bits that are not set. */
#define BOOT_NO_VGA	 (1u << 2)
#define BOOT_NO_CMOS_RTC (1u << 5)
#define FADT_WBINVD	 (1u << 0)
#define FADT_PROC_C1	 (1u << 2)
#define FADT_HW_REDUCED	 (1u << 20)

#define LOCAL_APIC_PADDR 0xfee00000u

struct tables {
	uint8_t *data;
	uint64_t paddr;
	size_t size;
};

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

/* Room for a table, zeroed; tables begin at multiples of 16 bytes. */
static void *add_table(struct tables *t, size_t size)
{
	void *table = t->data + t->size;

	assert(t->size + size + 15 <= ACPI_SIZE_MAX);
	memset(table, 0, size);
	t->size = (t->size + size + 15) & ~(size_t)15;
	return table;
}

static uint64_t paddr_of(const struct tables *t, const void *table)
{
	return t->paddr + (uint64_t)((const uint8_t *)table - t->data);
}

static void seal_table(struct acpi_header *header, const char *signature, size_t size,
		       uint8_t revision)
{
	memcpy(header->signature, signature, 4);
	header->length = (uint32_t)size;
	header->revision = revision;
	memcpy(header->oem_id, "ZENDO ", 6);
	memcpy(header->oem_table_id, "PVH     ", 8);
	header->oem_revision = 1;
	memcpy(header->creator_id, "ZEND", 4);
	header->creator_revision = 1;
	header->checksum = 0;
	header->checksum = checksum(header, size);
}

static uint64_t add_madt(struct tables *t, unsigned int nr_vcpus)
{
	size_t size = sizeof(struct acpi_madt) + nr_vcpus * sizeof(struct madt_local_apic);
	struct acpi_madt *madt = add_table(t, size);

	madt->local_apic = LOCAL_APIC_PADDR;
	for (unsigned int i = 0; i < nr_vcpus; i++)
		madt->cpus[i] = (struct madt_local_apic){
			.type = MADT_LOCAL_APIC,
			.length = sizeof(struct madt_local_apic),
			.uid = (uint8_t)i,
			.apic_id = (uint8_t)ACPI_APIC_ID(i),
			.flags = MADT_ENABLED,
		};
	seal_table(&madt->header, "APIC", size, 4);
	return paddr_of(t, madt);
}

/* A device for each processor of the MADT, found by its _UID. */
static uint64_t add_dsdt(struct tables *t, unsigned int nr_vcpus)
{
	struct acpi_header *dsdt = (struct acpi_header *)(t->data + t->size);
	struct aml aml = {
		.data = t->data + t->size,
		.size = sizeof(*dsdt),
		.room = ACPI_SIZE_MAX - t->size - 15,
	};
	struct aml_block scope = aml_begin_scope(&aml, "\\_SB_"), device;
	char name[5];

	for (unsigned int i = 0; i < nr_vcpus; i++) {
		snprintf(name, sizeof(name), "C%03X", i & 0xfff);
		device = aml_begin_device(&aml, name);
		aml_name_string(&aml, "_HID", "ACPI0007");
		aml_name_number(&aml, "_UID", i);
		aml_end(&aml, device);
	}
	aml_end(&aml, scope);
	assert(aml_fits(&aml));
	t->size = (t->size + aml.size + 15) & ~(size_t)15;
	memset(dsdt, 0, sizeof(*dsdt));
	seal_table(dsdt, "DSDT", aml.size, 2);
	return paddr_of(t, dsdt);
}

static uint64_t add_fadt(struct tables *t, uint64_t dsdt)
{
	struct acpi_fadt *fadt = add_table(t, sizeof(*fadt));

	fadt->dsdt = (uint32_t)dsdt;
	fadt->x_dsdt = dsdt;
	fadt->ia32_boot_flags = BOOT_NO_VGA | BOOT_NO_CMOS_RTC;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_HW_REDUCED;
	seal_table(&fadt->header, "FACP", sizeof(*fadt), 6);
	return paddr_of(t, fadt);
}

size_t acpi_build(uint8_t data[ACPI_SIZE_MAX], uint64_t paddr, unsigned int nr_vcpus)
{
	struct tables t = {.data = data, .paddr = paddr};
	struct acpi_rsdp *rsdp = add_table(&t, sizeof(*rsdp));
	struct acpi_xsdt *xsdt = add_table(&t, sizeof(*xsdt));

	xsdt->entries[0] = add_fadt(&t, add_dsdt(&t, nr_vcpus));
	xsdt->entries[1] = add_madt(&t, nr_vcpus);
	seal_table(&xsdt->header, "XSDT", sizeof(*xsdt), 1);
	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "ZENDO ", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = paddr_of(&t, xsdt);
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
	return t.size;
}
