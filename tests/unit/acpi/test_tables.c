/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables, well made and not.  Each table lies in its own allocation of
 * exactly its size, so that ASan sees a byte read too far.
 *
 * Links: dev/acpi_tables.c lib/bits.c
 */
#include "fake.h"

#include "dev/acpi_tables.h"

struct buffer {
	uint8_t *bytes;
	size_t size;
};

static struct buffer table_make(const char *signature, const void *body, size_t n)
{
	struct buffer b = {malloc(36 + n), 36 + n};
	struct acpi_header h = {.length = b.size, .revision = 1};
	uint8_t sum = 0;

	memcpy(h.signature, signature, 4);
	memcpy(b.bytes, &h, sizeof(h));
	memcpy(b.bytes + 36, body, n);
	for (size_t i = 0; i < b.size; i++)
		sum += b.bytes[i];
	b.bytes[9] -= sum;
	return b;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* lapic 0xfee00000, then CPUs 0 (on), 1 (off), 2 (on), an I/O APIC, an override. */
static const uint8_t madt_body[] = {
	0,    0,  0xe0, 0xfe, 1, 0, 0,	  0,		       /* */
	0,    8,  0,	0,    1, 0, 0,	  0,		       /* */
	0,    8,  1,	1,    0, 0, 0,	  0,		       /* */
	0,    8,  2,	4,    1, 0, 0,	  0,		       /* */
	1,    12, 7,	0,    0, 0, 0xc0, 0xfe, 0,    0, 0, 0, /* */
	2,    10, 0,	0,    2, 0, 0,	  0,	0x0d, 0,       /* */
	0x7f, 6,  1,	2,    3, 4,			       /* a type we do not know */
};

static int madt_parse(const uint8_t *body, size_t n, struct acpi_info *info)
{
	struct buffer b = table_make("APIC", body, n);
	int rc;

	memset(info, 0, sizeof(*info));
	rc = acpi_table_is_valid(b.bytes, b.size, "APIC") ? acpi_madt_parse(b.bytes, info) : -1000;
	free(b.bytes);
	return rc;
}

TEST(madt)
{
	struct acpi_info info;

	CHECK_EQ(madt_parse(madt_body, sizeof(madt_body), &info), 0);
	CHECK_EQ(info.lapic, 0xfee00000);
	CHECK_EQ(info.nr_cpus, 2);
	CHECK_EQ(info.apic_ids[1], 4);
	CHECK_EQ(info.acpi_ids[1], 2);
	CHECK_EQ(info.nr_ioapics, 1);
	CHECK_EQ(info.ioapics[0].base, 0xfec00000);
	CHECK_EQ(info.ioapics[0].id, 7);
	CHECK_EQ(info.nr_overrides, 1);
	CHECK_EQ(info.overrides[0].gsi, 2);
	CHECK_EQ(info.overrides[0].flags, 0x0d);
}

TEST(madt_truncated_anywhere)
{
	struct acpi_info info;

	for (size_t n = 0; n < sizeof(madt_body); n++) {
		int rc = madt_parse(madt_body, n, &info);

		CHECK(rc == 0 || rc == -EINVAL);
		if (n < 16)
			CHECK_EQ(rc, -EINVAL);
	}
}

TEST(madt_entry_lengths)
{
	uint8_t body[sizeof(madt_body)];
	struct acpi_info info;

	for (unsigned int length = 0; length < 256; length++) {
		memcpy(body, madt_body, sizeof(body));
		body[9] = length; /* of the first CPU */
		int rc = madt_parse(body, sizeof(body), &info);

		if (length < 8)
			CHECK_EQ(rc, -EINVAL);
	}
	memcpy(body, madt_body, sizeof(body));
	body[33] = 11; /* an I/O APIC too short */
	CHECK_EQ(madt_parse(body, sizeof(body), &info), -EINVAL);
}

TEST(madt_without_cpu_or_apic)
{
	static const uint8_t no_cpu[] = {0, 0, 0xe0, 0xfe, 1, 0, 0, 0};
	static const uint8_t no_lapic[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0};
	struct acpi_info info;

	CHECK_EQ(madt_parse(no_cpu, sizeof(no_cpu), &info), -EINVAL);
	CHECK_EQ(madt_parse(no_lapic, sizeof(no_lapic), &info), -EINVAL);
}

TEST(madt_with_more_than_we_hold)
{
	static uint8_t body[8 + 200 * 8 + 20 * 12];
	struct acpi_info info;

	memcpy(body, madt_body, 8);
	for (unsigned int i = 0; i < 200; i++) {
		uint8_t e[8] = {0, 8, i, i, 1};

		memcpy(body + 8 + i * 8, e, 8);
	}
	CHECK_EQ(madt_parse(body, 8 + 200 * 8, &info), 0);
	CHECK_EQ(info.nr_cpus, MAX_CPUS);
	for (unsigned int i = 0; i < 20; i++) {
		uint8_t e[12] = {1, 12, i, 0, 0, 0, 0xc0, 0xfe};

		memcpy(body + 8 + 200 * 8 + i * 12, e, 12);
	}
	CHECK_EQ(madt_parse(body, sizeof(body), &info), -EINVAL);
}

TEST(madt_lists_a_cpu_twice)
{
	static const uint8_t body[] = {
		0, 0,  0xe0, 0xfe, 1,	 0, 0, 0,			  /* */
		0, 8,  0,    3,	   1,	 0, 0, 0,			  /* */
		9, 16, 0,    0,	   3,	 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* */
		9, 16, 0,    0,	   0x2c, 1, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, /* */
		5, 12, 0,    0,	   0,	 0, 0, 0, 1, 0, 0, 0, /* the LAPIC lies elsewhere */
	};
	struct acpi_info info;

	CHECK_EQ(madt_parse(body, sizeof(body), &info), 0);
	CHECK_EQ(info.nr_cpus, 2);
	CHECK_EQ(info.apic_ids[1], 300);
	CHECK_EQ(info.lapic, 0x100000000);
}

TEST(validity)
{
	struct buffer b = table_make("APIC", madt_body, sizeof(madt_body));

	CHECK(acpi_table_is_valid(b.bytes, b.size, "APIC"));
	CHECK(acpi_table_is_valid(b.bytes, b.size, NULL));
	CHECK(!acpi_table_is_valid(b.bytes, b.size, "FACP"));
	CHECK(!acpi_table_is_valid(b.bytes, b.size - 1, "APIC"));
	CHECK(!acpi_table_is_valid(b.bytes, 35, "APIC"));
	CHECK(!acpi_table_is_valid(b.bytes, 0, "APIC"));
	b.bytes[40] ^= 1;
	CHECK(!acpi_table_is_valid(b.bytes, b.size, "APIC"));
	b.bytes[40] ^= 1;
	put32(b.bytes + 4, 35);
	CHECK(!acpi_table_is_valid(b.bytes, b.size, "APIC"));
	put32(b.bytes + 4, ~0u);
	CHECK(!acpi_table_is_valid(b.bytes, ~0UL, "APIC"));
	free(b.bytes);
}

static void checksum_fix(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i];
	p[at] -= sum;
}

TEST(rsdp)
{
	struct acpi_root root;
	uint8_t *p = calloc(1, 36);

	memcpy(p, "RSD PTR ", 8);
	put32(p + 16, 0x7ffe1000);
	checksum_fix(p, 20, 8);
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), 0);
	CHECK_EQ(root.address, 0x7ffe1000);
	CHECK_EQ(root.entry_size, 4);
	CHECK_EQ(acpi_rsdp_parse(p, 20, &root), 0);
	CHECK_EQ(acpi_rsdp_parse(p, 19, &root), -EINVAL);

	p[15] = 2;
	put32(p + 20, 36);
	put64(p + 24, 0x123456000);
	checksum_fix(p, 20, 8);
	checksum_fix(p, 36, 32);
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), 0);
	CHECK_EQ(root.address, 0x123456000);
	CHECK_EQ(root.entry_size, 8);

	/* the extended part is bad: the old one still holds */
	p[33] ^= 1;
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), 0);
	CHECK_EQ(root.entry_size, 4);
	put32(p + 20, 37); /* longer than there is room */
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), 0);
	CHECK_EQ(root.entry_size, 4);

	p[9] ^= 1;
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), -EINVAL);
	p[9] ^= 1;
	p[0] = 'X';
	CHECK_EQ(acpi_rsdp_parse(p, 36, &root), -EINVAL);
	free(p);
}

TEST(root_entries)
{
	static const uint8_t body[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
	struct acpi_root root = {0, 4};
	struct buffer b = table_make("RSDT", body, sizeof(body));

	CHECK_EQ(acpi_root_count(b.bytes, &root), 3);
	CHECK_EQ(acpi_root_entry(b.bytes, &root, 2), 0x0c0b0a09);
	root.entry_size = 8;
	CHECK_EQ(acpi_root_count(b.bytes, &root), 1);
	CHECK_EQ(acpi_root_entry(b.bytes, &root, 0), 0x0807060504030201);
	free(b.bytes);
}

TEST(fadt)
{
	struct acpi_info info = {0};
	uint8_t body[244 - 36] = {0};
	struct buffer b;

	put32(body + 76 - 36, 0x608); /* PM timer */
	body[91 - 36] = 4;	      /* its length */
	put32(body + 64 - 36, 0x604); /* PM1a control */
	put32(body + 48 - 36, 0xb2);  /* SMI command */
	body[108 - 36] = 0x32;	      /* century */
	put32(body + 112 - 36, 1u << 8 | 1u << 10);
	body[116 - 36] = 1; /* reset by I/O */
	put64(body + 120 - 36, 0xcf9);
	body[128 - 36] = 0x0f;
	b = table_make("FACP", body, sizeof(body));
	CHECK_EQ(acpi_fadt_parse(b.bytes, &info), 0);
	CHECK_EQ(info.pmtimer_port, 0x608);
	CHECK(info.pmtimer_32bit);
	CHECK_EQ(info.pm1a_control, 0x604);
	CHECK_EQ(info.pm1b_control, 0);
	CHECK_EQ(info.smi_command, 0xb2);
	CHECK_EQ(info.century, 0x32);
	CHECK_EQ(info.reset_address, 0xcf9);
	CHECK_EQ(info.reset_value, 0x0f);
	free(b.bytes);

	/* the first version's ends before the reset register */
	memset(&info, 0, sizeof(info));
	b = table_make("FACP", body, 116 - 36);
	CHECK_EQ(acpi_fadt_parse(b.bytes, &info), 0);
	CHECK_EQ(info.pmtimer_port, 0x608);
	CHECK_EQ(info.reset_address, 0);
	free(b.bytes);
	b = table_make("FACP", body, 115 - 36);
	CHECK_EQ(acpi_fadt_parse(b.bytes, &info), -EINVAL);
	free(b.bytes);

	/* the extended address wins if it is an I/O port that can be */
	memset(&info, 0, sizeof(info));
	body[208 - 36] = 1;
	put64(body + 212 - 36, 0x1808);
	b = table_make("FACP", body, sizeof(body));
	CHECK_EQ(acpi_fadt_parse(b.bytes, &info), 0);
	CHECK_EQ(info.pmtimer_port, 0x1808);
	free(b.bytes);
	put64(body + 212 - 36, 0x10000);
	b = table_make("FACP", body, sizeof(body));
	CHECK_EQ(acpi_fadt_parse(b.bytes, &info), 0);
	CHECK_EQ(info.pmtimer_port, 0);
	free(b.bytes);
}

TEST(hpet)
{
	struct acpi_info info = {0};
	uint8_t body[20] = {0};
	struct buffer b;

	put64(body + 8, 0xfed00000);
	b = table_make("HPET", body, sizeof(body));
	CHECK_EQ(acpi_hpet_parse(b.bytes, &info), 0);
	CHECK_EQ(info.hpet, 0xfed00000);
	free(b.bytes);
	b = table_make("HPET", body, sizeof(body) - 1);
	CHECK_EQ(acpi_hpet_parse(b.bytes, &info), -EINVAL);
	free(b.bytes);
	body[4] = 1; /* in I/O space */
	b = table_make("HPET", body, sizeof(body));
	CHECK_EQ(acpi_hpet_parse(b.bytes, &info), -EINVAL);
	free(b.bytes);
	body[4] = 0;
	body[8] = 4; /* misaligned */
	b = table_make("HPET", body, sizeof(body));
	CHECK_EQ(acpi_hpet_parse(b.bytes, &info), -EINVAL);
	free(b.bytes);
}

TEST(mcfg)
{
	struct acpi_info info = {0};
	uint8_t body[8 + 12 * 16] = {0};
	struct buffer b;

	for (unsigned int i = 0; i < 12; i++) {
		put64(body + 8 + 16 * i, 0xb0000000);
		body[8 + 16 * i + 11] = 0xff;
	}
	b = table_make("MCFG", body, sizeof(body));
	CHECK_EQ(acpi_mcfg_parse(b.bytes, &info), 0);
	CHECK_EQ(info.nr_mcfg, ACPI_MCFG_MAX);
	CHECK_EQ(info.mcfg[0].base, 0xb0000000);
	CHECK_EQ(info.mcfg[0].bus_last, 0xff);
	free(b.bytes);
	for (size_t n = 0; n < 8; n++) {
		b = table_make("MCFG", body, n);
		CHECK_EQ(acpi_mcfg_parse(b.bytes, &info), -EINVAL);
		free(b.bytes);
	}
	memset(&info, 0, sizeof(info));
	b = table_make("MCFG", body, 8 + 15);
	CHECK_EQ(acpi_mcfg_parse(b.bytes, &info), 0);
	CHECK_EQ(info.nr_mcfg, 0);
	free(b.bytes);
	body[8 + 10] = 3; /* buses 3 to 2 */
	body[8 + 11] = 2;
	b = table_make("MCFG", body, 8 + 16);
	CHECK_EQ(acpi_mcfg_parse(b.bytes, &info), -EINVAL);
	free(b.bytes);
}

TEST(random_bytes_are_survived)
{
	unsigned int seed = 7;
	struct acpi_info info;

	for (unsigned int i = 0; i < 20000; i++) {
		uint8_t body[120];
		size_t n;
		struct buffer b;

		for (unsigned int j = 0; j < sizeof(body); j++) {
			seed = seed * 1103515245 + 12345;
			body[j] = seed >> 24 & (seed & 1 ? 15 : 255);
		}
		n = seed >> 8 & 127;
		b = table_make("APIC", body, MIN(n, sizeof(body)));
		memset(&info, 0, sizeof(info));
		(void)!acpi_madt_parse(b.bytes, &info);
		(void)!acpi_fadt_parse(b.bytes, &info);
		(void)!acpi_hpet_parse(b.bytes, &info);
		(void)!acpi_mcfg_parse(b.bytes, &info);
		CHECK(info.nr_cpus <= MAX_CPUS && info.nr_ioapics <= ACPI_IOAPICS_MAX);
		CHECK(info.nr_overrides <= ACPI_OVERRIDES_MAX && info.nr_mcfg <= ACPI_MCFG_MAX);
		free(b.bytes);
	}
}
