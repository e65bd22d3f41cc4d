/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HVM builder over the fake machine: the first program and its firmware where it looks for
 * them, the table that it reads, its registers; every refusal; every call made to fail in turn.
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

#include <elf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/hvm/hvm_info_table.h>

#include "builder/build.h"
#include "builder/direct_start.h"
#include "builder/hvm_layout.h"
#include "fixture.h"
#include "fixture_machine.h"

#define PAGE   4096UL
#define LOADER 0x100000UL
#define ENTRY  (LOADER + 0x10)

struct loader_image {
	Elf32_Ehdr header;
	Elf32_Phdr segment;
	uint8_t text[5000];
};

/* Text of a pattern and two pages of zeros behind it. */
static struct image make_loader(uint32_t paddr)
{
	struct loader_image *loader = calloc(1, sizeof(*loader));

	assert_non_null(loader);
	memcpy(loader->header.e_ident, ELFMAG, SELFMAG);
	loader->header.e_ident[EI_CLASS] = ELFCLASS32;
	loader->header.e_ident[EI_DATA] = ELFDATA2LSB;
	loader->header.e_ident[EI_VERSION] = EV_CURRENT;
	loader->header.e_type = ET_EXEC;
	loader->header.e_machine = EM_386;
	loader->header.e_version = EV_CURRENT;
	loader->header.e_entry = ENTRY;
	loader->header.e_phoff = offsetof(struct loader_image, segment);
	loader->header.e_ehsize = sizeof(Elf32_Ehdr);
	loader->header.e_phentsize = sizeof(Elf32_Phdr);
	loader->header.e_phnum = 1;
	loader->segment = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct loader_image, text),
		.p_vaddr = paddr,
		.p_paddr = paddr,
		.p_filesz = sizeof(loader->text),
		.p_memsz = sizeof(loader->text) + 2 * PAGE,
	};
	for (size_t i = 0; i < sizeof(loader->text); i++)
		loader->text[i] = fixture_pattern(i);
	return (struct image){.data = (uint8_t *)loader, .size = sizeof(*loader)};
}

static struct build_params hvm_params(uint64_t mib)
{
	struct build_params params = machine_params(mib);

	params.firmware = params.ramdisk;
	params.ramdisk = NULL;
	params.cmdline = NULL;
	params.online_vcpus = 2;
	params.device_kib = 8192;
	params.has_apic = true;
	params.has_hpet = true;
	return params;
}

static int build(const struct build_params *params, struct build_result *result,
		 struct build_error *error)
{
	return build_hvm((struct hyp *)&fake, params, result, error);
}

/* The first vCPU's record comes right behind the header. */
static struct hvm_hw_cpu first_vcpu(void)
{
	struct hvm_save_descriptor header, record;
	struct hvm_hw_cpu cpu;

	memcpy(&header, fake.hvm_context, sizeof(header));
	memcpy(&record, fake.hvm_context + sizeof(header) + header.length, sizeof(record));
	assert_int_equal(record.typecode, HVM_SAVE_CODE(CPU));
	memcpy(&cpu, fake.hvm_context + 2 * sizeof(header) + header.length, sizeof(cpu));
	return cpu;
}

static bool has_mtrr_record(void)
{
	struct hvm_save_descriptor record;

	for (size_t at = 0; at < fake.hvm_context_size; at += sizeof(record) + record.length) {
		memcpy(&record, fake.hvm_context + at, sizeof(record));
		if (record.typecode == HVM_SAVE_CODE(MTRR))
			return true;
	}
	return false;
}

static void check_info_table(uint64_t pages)
{
	const struct hvm_info_table *table = (const void *)machine_at(HVM_INFO_PADDR);
	uint8_t sum = 0;

	assert_memory_equal(table->signature, "HVM INFO", 8);
	assert_int_equal(table->length, sizeof(*table));
	assert_int_equal(table->apic_mode, 1);
	assert_int_equal(table->nr_vcpus, 3);
	assert_int_equal(table->vcpu_online[0], 3);
	assert_int_equal(table->low_mem_pgend, pages);
	assert_int_equal(table->high_mem_pgend, 0);
	assert_int_equal(table->reserved_mem_pgstart, HVM_SPECIAL_PFN);
	for (size_t i = 0; i < sizeof(*table); i++)
		sum = (uint8_t)(sum + ((const uint8_t *)table)[i]);
	assert_int_equal(sum, 0);
}

static void check_firmware(void)
{
	const struct hvm_start_info *info = (const void *)machine_at(first_vcpu().rbx);
	const struct hvm_modlist_entry *module;

	assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
	assert_int_equal(info->cmdline_paddr, 0);
	assert_int_equal(info->rsdp_paddr, 0);
	assert_int_equal(info->nr_modules, 1);
	module = (const void *)machine_at(info->modlist_paddr);
	assert_string_equal((const char *)machine_at(module->cmdline_paddr), "firmware");
	assert_int_equal(module->size, MACHINE_RAMDISK_SIZE);
	assert_true(module->paddr >= LOADER + 5000 + 2 * PAGE);
	for (size_t i = 8; i < MACHINE_RAMDISK_SIZE; i += 97)
		assert_int_equal(*machine_at(module->paddr + i), fixture_pattern(i + 3));
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(*machine_at(LOADER + i), fixture_pattern(i));
}

static void firmware_is_built(void **state)
{
	struct build_params params = hvm_params(16);
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_reset();
	machine_use_kernel(make_loader(LOADER));
	if (build(&params, &result, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(fake.nr_maps, 0);
	assert_int_equal(first_vcpu().rip, ENTRY);
	/* Its memory types are the firmware's to set. */
	assert_false(has_mtrr_record());
	check_info_table(16 * 256);
	check_firmware();
	assert_int_equal(fake.created.arch.emulation_flags, XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI);
	assert_int_equal(fake.params[HVM_PARAM_HPET_ENABLED], 1);
	assert_int_equal(fake.max_kib, (24 << 10) + 8192 + 1024);
	/* The video memory of a PC is none of its RAM; what is above 1 MiB is told. */
	assert_false(machine_has(HVM_VGA_PFN * PAGE));
	assert_true(machine_has((HVM_VGA_PFN - 1) * PAGE));
	assert_true(machine_has(HVM_VGA_END_PFN * PAGE));
	assert_int_equal(fake.nr_map, 1);
	assert_int_equal(fake.map[0].addr, 0x100000);
	assert_int_equal(fake.map[0].size, 15 << 20);
}

#define BOOT_AT	     (8UL << 20)
#define BOOT_MIB     28 /* with room above it for firmware */
#define BOOT_SETUP   (5 * 512UL)
#define SETUP_LOADED 0x211
#define SETUP_CODE32 0x214
#define SETUP_64     0x236

static char boot_path[] = "/tmp/zendo-builder-boot-XXXXXX";

/* A 64-bit Linux kernel that lies at `paddr`. */
static struct image make_boot_kernel(uint64_t paddr)
{
	struct image elf = fixture_elf(FIXTURE_LINUX), image;
	Elf64_Ehdr *header = (Elf64_Ehdr *)elf.data;
	Elf64_Phdr *segments = (Elf64_Phdr *)(elf.data + header->e_phoff);
	uint64_t from = segments[0].p_paddr;

	header->e_entry = paddr + 0x40;
	for (unsigned int i = 0; i < 2; i++)
		segments[i].p_paddr += paddr - from;
	image = fixture_bzimage(&elf, KERNEL_NONE, (uint32_t)elf.size);
	image.data[SETUP_LOADED] = 1;
	image.data[SETUP_CODE32 + 2] = 0x10;
	image.data[SETUP_64] = 1;
	image.data[700] = 0x77; /* of its code */
	free(elf.data);
	return image;
}

static void write_boot_kernel(struct image image)
{
	FILE *file = fopen(boot_path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(image.data, 1, image.size, file), image.size);
	fclose(file);
	free(image.data);
}

static struct build_params boot_params(uint64_t mib)
{
	struct build_params params = hvm_params(mib);

	machine_reset();
	params.boot_kernel = boot_path;
	params.boot_ramdisk = machine_ramdisk_path;
	return params;
}

static void check_boot_image(int fd)
{
	size_t start = (size_t)(direct_start_end - direct_start);
	struct direct_values values;
	uint8_t image[8192];
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, BOOT_SETUP + 512);
	assert_int_equal(pread(fd, image, sizeof(image), 0), st.st_size);
	assert_int_equal(pwrite(fd, image, 1, 0), -1);
	assert_int_equal(image[700], 0x77);
	assert_memory_equal(image + BOOT_SETUP, direct_start, start - sizeof(values));
	memcpy(&values, image + BOOT_SETUP + start - sizeof(values), sizeof(values));
	assert_int_equal(values.entry, BOOT_AT + 0x40);
	assert_int_equal(values.ramdisk_size, MACHINE_RAMDISK_SIZE);
	assert_true(values.ramdisk_paddr >= BOOT_AT + 48 * PAGE);
	assert_int_equal(values.ramdisk_paddr % PAGE, 0);
	for (size_t i = 8; i < MACHINE_RAMDISK_SIZE; i += 97)
		assert_int_equal(*machine_at(values.ramdisk_paddr + i), fixture_pattern(i + 3));
}

static void a_kernel_waits_in_memory(void **state)
{
	struct build_params params = boot_params(BOOT_MIB);
	struct build_result result;
	struct build_error error;
	int fd = mkstemp(boot_path);

	(void)state;
	close(fd);
	write_boot_kernel(make_boot_kernel(BOOT_AT));
	machine_use_kernel(make_loader(LOADER));
	if (build(&params, &result, &error) != 0)
		fail_msg("%s", error.text);
	assert_true(result.boot_fd >= 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(*machine_at(BOOT_AT + i), fixture_pattern(i));
	check_boot_image(result.boot_fd);
	close(result.boot_fd);
	check_firmware();
}

static void leave_to_model(struct image image, uint64_t mib)
{
	struct build_params params = boot_params(mib);
	struct build_result result;
	struct build_error error;

	write_boot_kernel(image);
	if (build(&params, &result, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(result.boot_fd, -1);
}

static struct image boot_kernel_with(size_t at, uint8_t byte)
{
	struct image image = make_boot_kernel(BOOT_AT);

	image.data[at] = byte;
	return image;
}

static void other_kernels_are_the_models(void **state)
{
	struct build_params params;
	struct build_result result;
	struct build_error error;

	(void)state;
	machine_use_kernel(make_loader(LOADER));
	leave_to_model(make_boot_kernel(LOADER), BOOT_MIB); /* where hvmloader is */
	leave_to_model(make_boot_kernel(BOOT_AT), 24);	    /* firmware would overwrite it */
	leave_to_model(boot_kernel_with(SETUP_LOADED, 0), BOOT_MIB);
	leave_to_model(boot_kernel_with(SETUP_CODE32, 1), BOOT_MIB);
	leave_to_model(boot_kernel_with(SETUP_64, 0), BOOT_MIB);
	/* its entry is outside it */
	leave_to_model(boot_kernel_with(BOOT_SETUP + 64 + 0x1b, 0x40), BOOT_MIB);
	leave_to_model(fixture_elf(FIXTURE_LINUX), BOOT_MIB);
	leave_to_model((struct image){.data = calloc(1, 600), .size = 600}, BOOT_MIB);
	params = boot_params(BOOT_MIB);
	params.boot_kernel = "/nonexistent";
	assert_int_equal(build(&params, &result, &error), -ENOENT);
	params.boot_kernel = boot_path;
	params.boot_ramdisk = "/nonexistent";
	write_boot_kernel(make_boot_kernel(BOOT_AT));
	assert_int_equal(build(&params, &result, &error), -ENOENT);
	unlink(boot_path);
}

static void every_failure_unwinds(void **state)
{
	struct build_params params = hvm_params(16);
	struct build_result result;
	struct build_error error;
	unsigned int n;
	int code;

	(void)state;
	machine_use_kernel(make_loader(LOADER));
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
	assert_true(n > 20);
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

static void what_cannot_start_is_refused(void **state)
{
	struct build_params params = hvm_params(16);
	struct image image;

	(void)state;
	machine_reset();
	machine_use_kernel(fixture_elf(FIXTURE_LINUX));
	refuse(&params, -ENOEXEC, "a 64-bit ELF file: expected 32-bit x86 firmware");
	image = make_loader(LOADER);
	((struct loader_image *)image.data)->header.e_machine = EM_ARM;
	machine_use_kernel(image);
	refuse(&params, -ENOEXEC, "expected 32-bit x86 firmware");
	image = fixture_elf(FIXTURE_LINUX);
	memset(image.data, 0, 4);
	machine_use_kernel(image);
	refuse(&params, -ENOEXEC, "not an ELF file: expected firmware");
	machine_use_kernel(make_loader(LOADER - PAGE));
	refuse(&params, -EBADMSG, "segment 0 at physical address 0xff000: expected it above 1 MiB");
	machine_use_kernel(make_loader(LOADER));
	params = hvm_params(3);
	refuse(&params, -ERANGE, "3 MiB are too little memory: the firmware needs 4 MiB");
	params = hvm_params(16);
	params.firmware = NULL;
	refuse(&params, -EINVAL, "no firmware is given");
	params = hvm_params(16);
	params.max_vcpus = 129;
	refuse(&params, -EINVAL, "at most 128");
	assert_int_equal(fake.calls, 0);
	params = hvm_params(16);
	fake.capabilities &= ~(uint32_t)XEN_SYSCTL_PHYSCAP_hvm;
	refuse(&params, -EOPNOTSUPP, "runs no HVM guests");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_is_built),
		cmocka_unit_test(a_kernel_waits_in_memory),
		cmocka_unit_test(other_kernels_are_the_models),
		cmocka_unit_test(every_failure_unwinds),
		cmocka_unit_test(what_cannot_start_is_refused),
	};

	return cmocka_run_group_tests(tests, machine_setup, machine_teardown);
}
