/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PVH builder over the fake machine: memory, start info, ACPI tables and the first vCPU as the
 * guest would find them; every refusal; every call made to fail in turn. And the pieces that need
 * no machine: the memory map, the tables and the CPUID policy, for sizes that the machine has not.
 *
 * Tools: builder
 * Also: tests/unit/builder/fixture_machine.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <xen/elfnote.h>

#include "builder/acpi.h"
#include "builder/aml.h"
#include "builder/build.h"
#include "builder/hvm_layout.h"
#include "builder/hvm_policy.h"
#include "fixture.h"
#include "fixture_machine.h"

#define PAGE	   4096UL
#define TEXT	   0x100000UL
#define DATA	   (TEXT + 8 * PAGE)
#define KERNEL_END (DATA + 44 * PAGE)

static int build(const struct build_params *params, struct build_result *result,
		 struct build_error *error)
{
	return build_pvh((struct hyp *)&fake, params, result, error);
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

/* The record in what was set, which must be whole. */
static const void *record_of(uint16_t type, uint16_t instance)
{
	struct hvm_save_descriptor record;
	size_t at = 0;

	while (at < fake.hvm_context_size) {
		memcpy(&record, fake.hvm_context + at, sizeof(record));
		at += sizeof(record);
		assert_true(record.length <= fake.hvm_context_size - at);
		if (record.typecode == type && record.instance == instance)
			return fake.hvm_context + at;
		at += record.length;
	}
	return NULL;
}

static struct hvm_hw_cpu first_vcpu(void)
{
	struct hvm_hw_cpu cpu;

	assert_non_null(record_of(HVM_SAVE_CODE(CPU), 0));
	memcpy(&cpu, record_of(HVM_SAVE_CODE(CPU), 0), sizeof(cpu));
	return cpu;
}

static const struct hvm_start_info *start_info(void)
{
	return (const struct hvm_start_info *)machine_at(first_vcpu().rbx);
}

static void check_vcpu(void)
{
	struct hvm_hw_cpu cpu = first_vcpu();

	assert_int_equal(cpu.rip, TEXT);
	assert_int_equal(cpu.cr0, 0x11);
	assert_int_equal(cpu.rflags, 2);
	assert_int_equal(cpu.cs_arbytes, 0xc9b);
	assert_int_equal(cpu.ss_arbytes, 0xc93);
	assert_int_equal(cpu.cs_base + cpu.ds_base + cpu.ss_base + cpu.es_base, 0);
	assert_int_equal(cpu.cs_limit, UINT32_MAX);
	assert_int_equal(cpu.tr_arbytes, 0x8b);
	assert_int_equal(cpu.msr_efer, 0);
	assert_null(record_of(HVM_SAVE_CODE(CPU), 1));
	assert_non_null(record_of(HVM_SAVE_CODE(END), 0));
	assert_int_equal(((const uint8_t *)record_of(HVM_SAVE_CODE(HEADER), 0))[0], 0x11);
}

static void check_mtrrs(void)
{
	struct hvm_hw_mtrr mtrr;

	for (uint16_t i = 0; i < 2; i++) {
		memcpy(&mtrr, record_of(HVM_SAVE_CODE(MTRR), i), sizeof(mtrr));
		assert_int_equal(mtrr.msr_mtrr_def_type, 0x806);
		assert_int_equal(mtrr.msr_mtrr_cap, 0x1111111111111111);
	}
}

static void check_files(void)
{
	const struct hvm_modlist_entry *module;

	for (size_t i = 0; i < 5 * PAGE + 100; i++)
		assert_int_equal(*machine_at(TEXT + i), fixture_pattern(i));
	for (size_t i = 0; i < 40 * PAGE; i += 511)
		assert_int_equal(*machine_at(DATA + i), i < 2 * PAGE	? 0xaa
							: i < 38 * PAGE ? 0
									: 0xbb);
	for (size_t i = 0; i < 3 * PAGE + 16; i++)
		assert_int_equal(*machine_at(DATA + 40 * PAGE + i), 0);
	assert_int_equal(start_info()->nr_modules, 1);
	module = (const void *)machine_at(start_info()->modlist_paddr);
	assert_int_equal(module->size, MACHINE_RAMDISK_SIZE);
	assert_true(module->paddr >= KERNEL_END);
	assert_int_equal(module->paddr % PAGE, 0);
	for (size_t i = 8; i < MACHINE_RAMDISK_SIZE; i += 97)
		assert_int_equal(*machine_at(module->paddr + i), fixture_pattern(i + 3));
	assert_true(first_vcpu().rbx >= module->paddr + module->size);
}

static void check_start_info(uint64_t bytes)
{
	const struct hvm_start_info *info = start_info();
	const struct hvm_memmap_table_entry *map = (const void *)machine_at(info->memmap_paddr);

	assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
	assert_int_equal(info->version, 1);
	assert_int_equal(info->flags, 0);
	assert_string_equal((const char *)machine_at(info->cmdline_paddr), "console=hvc0 quiet");
	assert_int_equal(info->memmap_entries, fake.nr_map);
	for (unsigned int i = 0; i < fake.nr_map; i++) {
		assert_int_equal(map[i].addr, fake.map[i].addr);
		assert_int_equal(map[i].size, fake.map[i].size);
		assert_int_equal(map[i].type, fake.map[i].type);
		assert_int_equal(map[i].reserved, 0);
	}
	assert_int_equal(map[0].addr, 0);
	assert_int_equal(map[0].size, bytes);
	assert_int_equal(map[0].type, XEN_HVM_MEMMAP_TYPE_RAM);
	assert_int_equal(info->rsdp_paddr, map[1].addr);
	assert_int_equal(map[1].type, XEN_HVM_MEMMAP_TYPE_ACPI);
	/* No hole for a video card, and not a page more than was asked for. */
	assert_true(machine_has(0) && machine_has(0xa0000) && machine_has(bytes - 1));
	assert_false(machine_has(bytes));
}

static void check_rings(const struct build_result *result)
{
	const uint32_t *table = (const void *)machine_at(fake.params[HVM_PARAM_IDENT_PT]);

	assert_int_equal(fake.params[HVM_PARAM_STORE_PFN], result->store_mfn);
	assert_int_equal(fake.params[HVM_PARAM_CONSOLE_PFN], result->console_mfn);
	assert_int_equal(fake.params[HVM_PARAM_STORE_EVTCHN], result->store_port);
	assert_int_equal(fake.params[HVM_PARAM_CONSOLE_EVTCHN], result->console_port);
	assert_int_equal(fake.grants[0].frame, result->console_mfn);
	assert_int_equal(fake.grants[1].frame, result->store_mfn);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(*machine_at(result->store_mfn * PAGE + i) |
					 *machine_at(result->console_mfn * PAGE + i),
				 0);
	assert_int_equal(table[1], 0x4000e7);
	assert_int_equal(table[1023], 0xffc000e7);
}

static const uint8_t *table_at(uint64_t paddr, const char *signature)
{
	const uint8_t *table = machine_at(paddr);
	uint32_t length;

	memcpy(&length, table + 4, 4);
	assert_memory_equal(table, signature, 4);
	assert_true(length <= PAGE);
	assert_int_equal(sum(table, length), 0);
	return table;
}

static void check_acpi(void)
{
	const uint8_t *rsdp = machine_at(start_info()->rsdp_paddr), *xsdt, *fadt, *madt;
	uint64_t address;
	uint32_t flags;

	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	memcpy(&address, rsdp + 24, 8);
	xsdt = table_at(address, "XSDT");
	memcpy(&address, xsdt + 36, 8);
	fadt = table_at(address, "FACP");
	memcpy(&flags, fadt + 112, 4);
	assert_true(flags & 1u << 20);
	memcpy(&address, fadt + 140, 8);
	table_at(address, "DSDT");
	memcpy(&address, xsdt + 44, 8);
	madt = table_at(address, "APIC");
	for (int i = 0; i < 3; i++) {
		const uint8_t *cpu = madt + 44 + 8 * i;

		assert_int_equal(cpu[0], 0);
		assert_int_equal(cpu[2], i);
		assert_int_equal(cpu[3], 2 * i);
		assert_int_equal(cpu[4], 1);
	}
	assert_int_equal(madt[4], 44 + 3 * 8);
}

static void build_and_check(uint64_t kib)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;

	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	params.memory_kib = kib;
	if (build(&params, &result, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(fake.nr_maps, 0);
	assert_int_equal(result.domid, MACHINE_DOMID);
	assert_int_equal(result.nr_pages, kib / 4);
	check_vcpu();
	check_files();
	check_start_info(kib << 10);
	check_rings(&result);
	check_acpi();
}

static void linux_is_built(void **state)
{
	(void)state;
	machine_reset();
	build_and_check(16 << 10);
	check_mtrrs();
	assert_int_equal(fake.created.flags, XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap);
	assert_int_equal(fake.created.arch.emulation_flags, XEN_X86_EMU_LAPIC);
	assert_int_equal(fake.created.max_vcpus, 3);
	assert_int_equal(fake.vcpus, 3);
	assert_int_equal(fake.max_kib, (24 << 10) + 1024);
	assert_int_equal(fake.claim, 16 * 256);
	/* By the ceiling, and in whole pages. */
	assert_int_equal(fake.pool_bytes, PAGE * (3 * 256 + 2 * 24));
	assert_int_equal(fake.params[HVM_PARAM_TIMER_MODE], HVMPTM_no_delay_for_missed_ticks);
	assert_int_equal(fake.leaf1_ebx >> 16 & 0xff, 8);
}

static void odd_sizes_and_fragments_are_built(void **state)
{
	(void)state;
	machine_reset();
	fake.no_big_extents = fake.no_clear = fake.no_claim = fake.no_mtrr = true;
	build_and_check((15 << 10) + 4);
	assert_null(record_of(HVM_SAVE_CODE(MTRR), 0));
}

static void no_ramdisk_is_fine(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_reset();
	params.ramdisk = NULL;
	params.cmdline = NULL;
	machine_use_kernel(fixture_elf(FIXTURE_PVH));
	assert_int_equal(build(&params, &result, &error), 0);
	assert_int_equal(start_info()->nr_modules, 0);
	assert_int_equal(start_info()->modlist_paddr, 0);
	assert_int_equal(start_info()->cmdline_paddr, 0);
}

static void check_cmdline(const struct build_params *params, enum fixture_notes notes,
			  const char *expected)
{
	struct build_result result;
	struct build_error error;

	machine_reset();
	machine_use_kernel(fixture_elf(notes));
	assert_int_equal(build(params, &result, &error), 0);
	assert_string_equal((const char *)machine_at(start_info()->cmdline_paddr), expected);
}

static void linux_keeps_time_by_a_reliable_tsc(void **state)
{
	struct build_params params = machine_params(16);
	char longest[2048];

	(void)state;
	params.has_reliable_tsc = true;
	params.cmdline = "quiet";
	check_cmdline(&params, FIXTURE_LINUX, "clocksource=tsc quiet");
	check_cmdline(&params, FIXTURE_PVH, "quiet"); /* that is no Linux */
	params.cmdline = NULL;
	check_cmdline(&params, FIXTURE_LINUX, "clocksource=tsc");
	params.cmdline = "quiet clocksource=xen";
	check_cmdline(&params, FIXTURE_LINUX, "quiet clocksource=xen");
	memset(longest, 'x', 2047); /* nothing of it is lost */
	longest[2047] = '\0';
	params.cmdline = longest;
	check_cmdline(&params, FIXTURE_LINUX, longest);
	params.has_reliable_tsc = false;
	params.cmdline = "quiet";
	check_cmdline(&params, FIXTURE_LINUX, "quiet");
}

static void every_failure_unwinds(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;
	unsigned int n;
	int code;

	(void)state;
	params.tsc_mode = 2;
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	for (n = 1;; n++) {
		machine_reset();
		fake.fail_at = n;
		error.text[0] = '\0';
		code = build(&params, &result, &error);
		if (fake.calls < n)
			break;
		assert_int_not_equal(code, 0);
		assert_true(strlen(error.text) > 10);
		assert_false(fake.exists);
		assert_int_equal(fake.nr_maps, 0);
	}
	assert_int_equal(code, 0);
	assert_true(n > 25);
}

static void refuse(const struct build_params *params, int code, const char *what)
{
	struct build_result result;
	struct build_error error = {""};
	int got = build(params, &result, &error);

	if (got != code || !strstr(error.text, what))
		fail_msg("%d \"%s\"; expected %d \"%s\"", got, error.text, code, what);
	assert_false(fake.exists);
}

static void bad_parameters_are_refused(void **state)
{
	struct build_params params = machine_params(16);
	char cmdline[2049];

	(void)state;
	machine_reset();
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	params.max_vcpus = 129;
	refuse(&params, -EINVAL, "129 vCPUs: a PVH or HVM domain can have at most 128");
	params = machine_params(16);
	memset(cmdline, 'x', 2048);
	cmdline[2048] = '\0';
	params.cmdline = cmdline;
	refuse(&params, -EINVAL, "2048 bytes: a PVH guest takes at most 2047");
	params = machine_params(1);
	refuse(&params, -ERANGE, "1 MiB are too little memory: kernel and ramdisk need 2 MiB");
	assert_int_equal(fake.calls, 0);
	params = machine_params(16);
	fake.capabilities &= ~(uint32_t)XEN_SYSCTL_PHYSCAP_hap;
	refuse(&params, -EOPNOTSUPP, "runs no PVH guests");
	fake.capabilities |= XEN_SYSCTL_PHYSCAP_hap;
	fake.next_leaf_error = 0x80000008;
	refuse(&params, -EINVAL, "refused the CPUID policy at leaf 0x80000008");
	fake.next_leaf_error = UINT32_MAX;
	fake.no_header = true;
	refuse(&params, -EPROTO, "has no header");
	fake.no_header = false;
	fake.free_pages = 4095;
	refuse(&params, -ENOMEM, "the domain needs 16 MiB, and 15 MiB are free");
}

/* A state that is cut off in a record: what was before it counts. */
static void states_cut_short_are_read_safely(void **state)
{
	struct build_params params = machine_params(16);
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_reset();
	fake.cut_context = true;
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	assert_int_equal(build(&params, &result, &error), 0);
	assert_non_null(record_of(HVM_SAVE_CODE(MTRR), 0));
	assert_null(record_of(HVM_SAVE_CODE(MTRR), 1));
}

static void refuse_entry(uint64_t entry)
{
	struct build_params params = machine_params(16);

	machine_use_kernel(fixture_elf_with_note(FIXTURE_PV, XEN_ELFNOTE_PHYS32_ENTRY, &entry, 8));
	refuse(&params, -EBADMSG, "its PVH entry");
}

static void kernels_that_cannot_be_pvh_are_refused(void **state)
{
	struct build_params params = machine_params(16);
	struct image image = fixture_elf(FIXTURE_LINUX);

	(void)state;
	machine_reset();
	machine_use_kernel(fixture_elf(FIXTURE_NO_NOTES));
	refuse(&params, -ENOEXEC, "not a PVH kernel");
	machine_use_kernel(fixture_elf(FIXTURE_PV));
	refuse(&params, -ENOEXEC, "it can start as PV");
	refuse_entry(TEXT - 1);
	refuse_entry(TEXT + 5 * PAGE + 100);
	refuse_entry(1UL << 32);
	refuse_entry(UINT64_MAX);
	/* A segment where the devices are, and one that begins just below them. */
	*(uint64_t *)(image.data + 64 + 56 + 24) = 1ULL << 40; /* p_paddr of the second segment */
	machine_use_kernel(fixture_copy(&image));
	refuse(&params, -EBADMSG, "segment 1 at physical address 0x10000000000: expected it below");
	*(uint64_t *)(image.data + 64 + 56 + 24) = (PVH_HOLE_PFN - 1) * PAGE;
	machine_use_kernel(image);
	refuse(&params, -EBADMSG, "segment 1 at physical address 0xfbfff000: expected it below");
}

static void check_range(const struct hvm_layout *layout, unsigned int i, uint64_t first,
			uint64_t end, uint32_t type)
{
	assert_true(i < layout->nr_map);
	assert_int_equal(layout->map[i].addr, first * PAGE);
	assert_int_equal(layout->map[i].size, (end - first) * PAGE);
	assert_int_equal(layout->map[i].type, type);
}

static void memory_goes_on_above_4_gib(void **state)
{
	struct hvm_layout layout;

	(void)state;
	hvm_layout_plan_pvh(PVH_HOLE_PFN, 2, &layout);
	assert_int_equal(layout.nr_map, 4);
	check_range(&layout, 0, 0, PVH_HOLE_PFN, XEN_HVM_MEMMAP_TYPE_RAM);
	check_range(&layout, 1, HVM_ACPI_PFN, HVM_ACPI_PFN + 2, XEN_HVM_MEMMAP_TYPE_ACPI);
	check_range(&layout, 2, HVM_LAPIC_PFN, HVM_LAPIC_PFN + 1, XEN_HVM_MEMMAP_TYPE_RESERVED);
	check_range(&layout, 3, HVM_SPECIAL_PFN, HVM_SPECIAL_END_PFN, XEN_HVM_MEMMAP_TYPE_RESERVED);
	hvm_layout_plan_pvh(PVH_HOLE_PFN + 5, 1, &layout);
	assert_int_equal(layout.nr_map, 5);
	check_range(&layout, 4, HVM_4GIB_PFN, HVM_4GIB_PFN + 5, XEN_HVM_MEMMAP_TYPE_RAM);
}

/* 128 processors: every table and every AML package ends where the next thing begins. */
static void tables_for_many_vcpus_hold_together(void **state)
{
	static uint8_t data[ACPI_SIZE_MAX];
	size_t size = acpi_build(data, 0x1000, 128), at, end;
	uint64_t fadt, dsdt;
	uint32_t length;

	(void)state;
	assert_true(size < ACPI_SIZE_MAX);
	memcpy(&fadt, data + 48 + 36, 8);
	memcpy(&dsdt, data + fadt - 0x1000 + 140, 8);
	at = dsdt - 0x1000;
	memcpy(&length, data + at + 4, 4);
	assert_int_equal(sum(data + at, length), 0);
	end = at + length;
	at += 36;
	assert_int_equal(data[at], 0x10);
	assert_int_equal(data[at + 1] >> 6, 2);
	assert_int_equal(at + 1 + (data[at + 1] & 15u) + data[at + 2] * 16u + data[at + 3] * 4096u,
			 end);
	assert_memory_equal(data + at + 4, "\\_SB_", 5);
	at += 9;
	for (unsigned int i = 0; i < 128; i++) {
		size_t block = at + 2;

		assert_memory_equal(data + at, "\x5b\x82", 2);
		assert_memory_equal(data + at + 9,
				    "\x08_HID\x0d"
				    "ACPI0007",
				    15);
		at += 2 + (data[block] & 15u) + data[block + 1] * 16u;
		assert_int_equal(data[at - 4], i);
	}
	assert_int_equal(at, end);
}

static void aml_that_does_not_fit_is_not_written(void **state)
{
	uint8_t data[16];
	struct aml aml = {.data = data, .room = 12};
	struct aml_block block = aml_begin_scope(&aml, "\\_SB_");

	(void)state;
	memset(data + 12, 0x5a, 4);
	aml_name_number(&aml, "_UID", 1);
	aml_end(&aml, block);
	assert_false(aml_fits(&aml));
	for (int i = 12; i < 16; i++)
		assert_int_equal(data[i], 0x5a);
}

static xen_cpuid_leaf_t adjusted(uint32_t vendor, uint32_t vcpus, xen_cpuid_leaf_t leaf)
{
	xen_cpuid_leaf_t leaves[] = {{.b = vendor}, leaf};
	struct hyp_policy policy = {.leaves = leaves, .nr_leaves = 2};

	hvm_policy_adjust(&policy, vcpus);
	return leaves[1];
}

#define INTEL 0x756e6547u
#define AMD   0x68747541u
#define ALL   0xffffffffu

static void topology_is_told(void **state)
{
	(void)state;
	assert_int_equal(adjusted(AMD, 1, (xen_cpuid_leaf_t){.leaf = 1}).b, 2 << 16);
	assert_int_equal(adjusted(AMD, 3, (xen_cpuid_leaf_t){.leaf = 1, .b = ALL}).b, 0xff08ffff);
	assert_int_equal(adjusted(AMD, 128, (xen_cpuid_leaf_t){.leaf = 1}).b, 128 << 16);
	assert_int_equal(adjusted(AMD, 1, (xen_cpuid_leaf_t){.leaf = 1}).d, 1 << 28);
	assert_int_equal(adjusted(AMD, 5, (xen_cpuid_leaf_t){.leaf = 0x80000008, .c = ALL}).c,
			 0xffff4f0f);
	assert_int_equal(adjusted(INTEL, 5, (xen_cpuid_leaf_t){.leaf = 0x80000008}).c, 0);
	/* A level-1 cache is a core's own, a level-3 cache the package's; type 0 is no cache. */
	assert_int_equal(adjusted(INTEL, 4, (xen_cpuid_leaf_t){.leaf = 4, .a = 0xfffffc21}).a,
			 0x1c007c21);
	assert_int_equal(adjusted(INTEL, 4, (xen_cpuid_leaf_t){.leaf = 4, .a = 0x63}).a,
			 7u << 26 | 7u << 14 | 0x63);
	assert_int_equal(adjusted(INTEL, 64, (xen_cpuid_leaf_t){.leaf = 4, .a = 0x63}).a,
			 63u << 26 | 127u << 14 | 0x63);
	assert_int_equal(adjusted(INTEL, 4, (xen_cpuid_leaf_t){.leaf = 4, .a = 0}).a, 0);
}

static void nested_virtualization_is_hidden(void **state)
{
	(void)state;
	assert_int_equal(adjusted(INTEL, 1, (xen_cpuid_leaf_t){.leaf = 1, .c = ALL}).c, ~0x20u);
	assert_int_equal(adjusted(INTEL, 1, (xen_cpuid_leaf_t){.leaf = 0x80000001, .c = ALL}).c,
			 ~4u);
	assert_int_equal(adjusted(AMD, 1, (xen_cpuid_leaf_t){.leaf = 0x80000001, .c = 4}).c, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_is_built),
		cmocka_unit_test(odd_sizes_and_fragments_are_built),
		cmocka_unit_test(no_ramdisk_is_fine),
		cmocka_unit_test(linux_keeps_time_by_a_reliable_tsc),
		cmocka_unit_test(every_failure_unwinds),
		cmocka_unit_test(bad_parameters_are_refused),
		cmocka_unit_test(states_cut_short_are_read_safely),
		cmocka_unit_test(kernels_that_cannot_be_pvh_are_refused),
		cmocka_unit_test(memory_goes_on_above_4_gib),
		cmocka_unit_test(tables_for_many_vcpus_hold_together),
		cmocka_unit_test(aml_that_does_not_fit_is_not_written),
		cmocka_unit_test(topology_is_told),
		cmocka_unit_test(nested_virtualization_is_hidden),
	};

	return cmocka_run_group_tests_name("pvh", tests, machine_setup, machine_teardown);
}
