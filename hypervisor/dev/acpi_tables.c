/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing of the static ACPI tables (ACPI 6.4, "ACPI Software Programming
 * Model"): RSDP, RSDT/XSDT, MADT, FADT, HPET and MCFG.  Touches no hardware.
 */
#include "dev/acpi_tables.h"

#include "lib/errno.h"
#include "lib/string.h"

struct acpi_rsdp {
	char signature[8]; /* "RSD PTR " */
	uint8_t checksum;  /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	/* revision 2 and later */
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} packed;

#define RSDP_V1_SIZE 20

/* Generic Address Structure */
struct acpi_gas {
	uint8_t space;
	uint8_t bits;
	uint8_t offset;
	uint8_t access;
	uint64_t address;
} packed;

struct madt {
	struct acpi_header header;
	uint32_t lapic;
	uint32_t flags;
	uint8_t entries[];
} packed;

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};

#define MADT_CPU_ENABLED 1

struct madt_entry {
	uint8_t type;
	uint8_t length;
} packed;

struct madt_lapic {
	struct madt_entry entry;
	uint8_t acpi_id;
	uint8_t apic_id;
	uint32_t flags;
} packed;

struct madt_x2apic {
	struct madt_entry entry;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t acpi_id;
} packed;

struct madt_ioapic {
	struct madt_entry entry;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} packed;

struct madt_override {
	struct madt_entry entry;
	uint8_t bus;
	uint8_t irq;
	uint32_t gsi;
	uint16_t flags;
} packed;

struct madt_lapic_address {
	struct madt_entry entry;
	uint16_t reserved;
	uint64_t address;
} packed;

struct fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
	uint8_t gpe0_length, gpe1_length, gpe1_base, cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	/* ACPI 2.0 and later */
	struct acpi_gas reset;
	uint8_t reset_value;
	uint8_t reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
		x_pm_timer;
} packed;
_Static_assert(offsetof(struct fadt, pm_timer) == 76, "FADT");
_Static_assert(offsetof(struct fadt, century) == 108, "FADT");
_Static_assert(offsetof(struct fadt, reset) == 116, "FADT");
_Static_assert(offsetof(struct fadt, x_pm_timer) == 208, "FADT");

#define FADT_V1_SIZE	     offsetof(struct fadt, reset)
#define FADT_F_TIMER_32BIT   BIT(8)
#define FADT_F_RESET_SUPPORT BIT(10)
#define GAS_SYSTEM_IO	     1

struct hpet_table {
	struct acpi_header header;
	uint32_t block_id;
	struct acpi_gas base;
	uint8_t number;
	uint16_t min_tick;
	uint8_t flags;
} packed;

struct mcfg_entry {
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint32_t reserved;
} packed;

struct mcfg_table {
	struct acpi_header header;
	uint64_t reserved;
	struct mcfg_entry entries[];
} packed;

static uint8_t sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t s = 0;

	while (n--)
		s += *b++;
	return s;
}

int acpi_rsdp_parse(const void *p, size_t room, struct acpi_root *root)
{
	struct acpi_rsdp r = {0};

	if (room < RSDP_V1_SIZE)
		return -EINVAL;
	memcpy(&r, p, MIN(room, sizeof(r)));
	if (memcmp(r.signature, "RSD PTR ", 8) || sum(p, RSDP_V1_SIZE))
		return -EINVAL;
	if (r.revision >= 2 && r.xsdt && room >= sizeof(r) && r.length >= sizeof(r) &&
	    r.length <= room && !sum(p, r.length)) {
		root->address = r.xsdt;
		root->entry_size = 8;
		return 0;
	}
	if (!r.rsdt)
		return -EINVAL;
	root->address = r.rsdt;
	root->entry_size = 4;
	return 0;
}

bool acpi_table_is_valid(const void *table, size_t room, const char *signature)
{
	struct acpi_header h;

	if (room < sizeof(h))
		return false;
	memcpy(&h, table, sizeof(h));
	if (signature && memcmp(h.signature, signature, 4))
		return false;
	return h.length >= sizeof(h) && h.length <= room && h.length <= ACPI_TABLE_MAX &&
	       !sum(table, h.length);
}

static uint32_t table_length(const void *table)
{
	struct acpi_header h;

	memcpy(&h, table, sizeof(h));
	return h.length;
}

unsigned int acpi_root_count(const void *table, const struct acpi_root *root)
{
	return (table_length(table) - sizeof(struct acpi_header)) / root->entry_size;
}

paddr_t acpi_root_entry(const void *table, const struct acpi_root *root, unsigned int i)
{
	paddr_t address = 0; /* little-endian: the low bytes come first */

	memcpy(&address,
	       (const uint8_t *)table + sizeof(struct acpi_header) + (size_t)i * root->entry_size,
	       root->entry_size);
	return address;
}

static void cpu_add(struct acpi_info *info, uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
	if (!(flags & MADT_CPU_ENABLED) || info->nr_cpus == MAX_CPUS)
		return;
	/* A CPU may be listed both as LAPIC and as x2APIC. */
	for (unsigned int i = 0; i < info->nr_cpus; i++)
		if (info->apic_ids[i] == apic_id)
			return;
	info->apic_ids[info->nr_cpus] = apic_id;
	info->acpi_ids[info->nr_cpus++] = acpi_id;
}

static int ioapic_add(struct acpi_info *info, const struct madt_ioapic *e)
{
	if (!e->address || info->nr_ioapics == ACPI_IOAPICS_MAX)
		return -EINVAL;
	info->ioapics[info->nr_ioapics].base = e->address;
	info->ioapics[info->nr_ioapics].id = e->id;
	info->ioapics[info->nr_ioapics++].gsi_base = e->gsi_base;
	return 0;
}

static int override_add(struct acpi_info *info, const struct madt_override *e)
{
	if (info->nr_overrides == ACPI_OVERRIDES_MAX)
		return -EINVAL;
	info->overrides[info->nr_overrides].irq = e->irq;
	info->overrides[info->nr_overrides].gsi = e->gsi;
	info->overrides[info->nr_overrides++].flags = e->flags;
	return 0;
}

/* Copies the entry out, zero-filled, so that no field of it is read past its end. */
static int madt_entry_parse(const uint8_t *p, uint8_t length, struct acpi_info *info)
{
	union {
		struct madt_entry entry;
		struct madt_lapic lapic;
		struct madt_x2apic x2apic;
		struct madt_ioapic ioapic;
		struct madt_override override;
		struct madt_lapic_address address;
	} e = {0};

	memcpy(&e, p, MIN(length, sizeof(e)));
	switch (e.entry.type) {
	case MADT_LAPIC:
		if (length < sizeof(e.lapic))
			return -EINVAL;
		cpu_add(info, e.lapic.apic_id, e.lapic.acpi_id, e.lapic.flags);
		return 0;
	case MADT_X2APIC:
		if (length < sizeof(e.x2apic))
			return -EINVAL;
		cpu_add(info, e.x2apic.apic_id, e.x2apic.acpi_id, e.x2apic.flags);
		return 0;
	case MADT_IOAPIC:
		return length < sizeof(e.ioapic) ? -EINVAL : ioapic_add(info, &e.ioapic);
	case MADT_OVERRIDE:
		return length < sizeof(e.override) ? -EINVAL : override_add(info, &e.override);
	case MADT_LAPIC_ADDRESS:
		if (length < sizeof(e.address))
			return -EINVAL;
		info->lapic = e.address.address;
		return 0;
	default:
		return 0;
	}
}

int acpi_madt_parse(const void *table, struct acpi_info *info)
{
	uint32_t length = table_length(table), at = sizeof(struct madt);
	const uint8_t *bytes = table;
	struct madt m;

	if (length < sizeof(m))
		return -EINVAL;
	memcpy(&m, table, sizeof(m));
	info->lapic = m.lapic;
	while (at < length) {
		struct madt_entry e;
		int rc;

		if (length - at < sizeof(e))
			return -EINVAL;
		memcpy(&e, bytes + at, sizeof(e));
		if (e.length < sizeof(e) || e.length > length - at)
			return -EINVAL;
		rc = madt_entry_parse(bytes + at, e.length, info);
		if (rc)
			return rc;
		at += e.length;
	}
	return info->nr_cpus && info->lapic ? 0 : -EINVAL;
}

/* The extended address if it is in I/O space and set, else the old one. */
static uint16_t io_port(const struct acpi_gas *x, uint32_t old)
{
	uint64_t port = x->space == GAS_SYSTEM_IO && x->address ? x->address : old;

	return port <= 0xffff ? port : 0;
}

int acpi_fadt_parse(const void *table, struct acpi_info *info)
{
	uint32_t length = table_length(table);
	struct fadt f = {0};

	if (length < FADT_V1_SIZE)
		return -EINVAL;
	memcpy(&f, table, MIN(length, sizeof(f)));
	if (f.pm_timer_length == 4 || f.x_pm_timer.address)
		info->pmtimer_port = io_port(&f.x_pm_timer, f.pm_timer);
	info->pmtimer_32bit = f.flags & FADT_F_TIMER_32BIT;
	info->pm1a_control = io_port(&f.x_pm1a_control, f.pm1a_control);
	info->pm1b_control = io_port(&f.x_pm1b_control, f.pm1b_control);
	info->pm1a_event = io_port(&f.x_pm1a_event, f.pm1a_event);
	info->pm1b_event = io_port(&f.x_pm1b_event, f.pm1b_event);
	info->smi_command = f.smi_command <= 0xffff ? f.smi_command : 0;
	info->century = f.century;
	if (f.flags & FADT_F_RESET_SUPPORT) {
		info->reset_address = f.reset.address;
		info->reset_space = f.reset.space;
		info->reset_value = f.reset_value;
	}
	return 0;
}

int acpi_hpet_parse(const void *table, struct acpi_info *info)
{
	struct hpet_table h;

	if (table_length(table) < sizeof(h))
		return -EINVAL;
	memcpy(&h, table, sizeof(h));
	if (h.base.space != 0 || !h.base.address || (h.base.address & 7))
		return -EINVAL;
	info->hpet = h.base.address;
	return 0;
}

int acpi_mcfg_parse(const void *table, struct acpi_info *info)
{
	uint32_t length = table_length(table);
	const uint8_t *bytes = table;

	if (length < sizeof(struct mcfg_table))
		return -EINVAL;
	for (uint32_t at = sizeof(struct mcfg_table);
	     length - at >= sizeof(struct mcfg_entry) && info->nr_mcfg < ACPI_MCFG_MAX;
	     at += sizeof(struct mcfg_entry)) {
		struct mcfg_entry e;

		memcpy(&e, bytes + at, sizeof(e));
		if (e.bus_first > e.bus_last || !e.base || (e.base & (MB(1) - 1)))
			return -EINVAL;
		info->mcfg[info->nr_mcfg].base = e.base;
		info->mcfg[info->nr_mcfg].segment = e.segment;
		info->mcfg[info->nr_mcfg].bus_first = e.bus_first;
		info->mcfg[info->nr_mcfg++].bus_last = e.bus_last;
	}
	return 0;
}
