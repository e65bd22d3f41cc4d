/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel images: every container and compression loads; everything damaged, foreign or boundless
 * is refused with words that say what was found; the cache gives back what it was given.
 *
 * Tools: builder lib/hyp
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/elfnote.h>

#include "builder/unpack.h"
#include "fixture.h"

static void check_fixture(const struct kernel_info *info)
{
	const struct kernel_segment *text = &info->segments[0];

	assert_int_equal(info->nr_segments, 2);
	assert_int_equal(text->paddr, 0x100000);
	for (size_t i = 0; i < text->filesz; i += 97)
		assert_int_equal(text->data[i], fixture_pattern(i));
	assert_int_equal(info->notes.entry, FIXTURE_ENTRY);
	assert_int_equal(info->notes.virt_base, FIXTURE_VIRT_BASE);
	assert_string_equal(info->notes.xen_version, "xen-3.0");
	assert_string_equal(info->notes.features, "!writable_page_tables|dom0|new_thing");
	assert_int_equal(info->notes.supported_features, 1 | 1 << 11);
	assert_int_equal(info->notes.required_features, 1);
}

static void every_container_and_compression_loads(void **state)
{
	const char *name;
	unsigned int i;

	(void)state;
	for (i = 0;; i++) {
		struct image image = fixture_seed(i, &name);
		struct build_error error;
		struct kernel *kernel;

		if (!name)
			break;
		if (kernel_open_memory(name, image.data, image.size, &kernel, &error) != 0)
			fail_msg("%s refused: %s", name, error.text);
		check_fixture(kernel_get_info(kernel));
		kernel_close(kernel);
		free(image.data);
	}
	assert_int_equal(i, 11);
}

static void info_names_container_and_compression(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	struct image packed = fixture_compress(&elf, KERNEL_XZ);
	struct image image = fixture_bzimage(&packed, KERNEL_XZ, (uint32_t)elf.size);
	struct build_error error;
	struct kernel *kernel;

	(void)state;
	assert_int_equal(kernel_open_memory("k", image.data, image.size, &kernel, &error), 0);
	assert_string_equal(kernel_get_info(kernel)->container, "bzImage");
	assert_int_equal(kernel_get_info(kernel)->compression, KERNEL_XZ);
	assert_string_equal(kernel_compression_name(KERNEL_XZ), "xz");
	assert_int_equal(kernel_get_info(kernel)->elf_size, elf.size);
	assert_true(kernel_get_info(kernel)->notes.mod_start_pfn);
	assert_int_equal(kernel_get_info(kernel)->notes.init_p2m, FIXTURE_INIT_P2M);
	kernel_close(kernel);
	free(image.data);
	free(packed.data);
	free(elf.data);
}

/* Opening `image` must fail with `code` and say `what`. */
static void refuse(const struct image *image, int code, const char *what)
{
	/* A copy of exactly the size, so that ASan sees the first byte too far. */
	struct image exact = fixture_copy(image);
	struct build_error error = {""};
	struct kernel *kernel = NULL;
	int result = kernel_open_memory("k", exact.data, exact.size, &kernel, &error);

	if (result != code || !strstr(error.text, what))
		fail_msg("result %d, \"%s\"; expected %d, \"%s\"", result, error.text, code, what);
	assert_null(kernel);
	assert_memory_equal(error.text, "k: ", 3);
	free(exact.data);
}

static void refuse_bytes(const char *bytes, size_t size, size_t at, const char *what)
{
	uint8_t data[2048] = {0};
	struct image image = {.data = data, .size = sizeof(data)};

	memcpy(data + at, bytes, size);
	refuse(&image, -ENOEXEC, what);
}

static void other_files_are_named(void **state)
{
	struct image empty = {.data = (uint8_t *)"", .size = 0};

	(void)state;
	refuse_bytes("ARM\x64", 4, 56, "an arm64 kernel image");
	refuse_bytes("\x18\x28\x6f\x01", 4, 0x24, "a 32-bit arm kernel image");
	refuse_bytes("070701", 6, 0, "a cpio archive (a ramdisk?)");
	refuse_bytes("MZ\0\0zimg", 8, 0, "an EFI zboot image");
	refuse_bytes("MZ", 2, 0, "an EFI or DOS program");
	refuse_bytes("#!/bin/sh", 9, 0, "a script");
	refuse_bytes("hello", 5, 0, "not a kernel");
	refuse(&empty, -ENOEXEC, "too short to be a kernel");
}

static void wrong_elf_files_are_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	Elf64_Ehdr *header = (Elf64_Ehdr *)elf.data;

	(void)state;
	elf.data[EI_CLASS] = ELFCLASS32;
	refuse(&elf, -ENOEXEC, "a 32-bit ELF file");
	elf.data[EI_CLASS] = ELFCLASS64;
	elf.data[EI_DATA] = ELFDATA2MSB;
	refuse(&elf, -ENOEXEC, "big-endian");
	elf.data[EI_DATA] = ELFDATA2LSB;
	header->e_machine = EM_AARCH64;
	refuse(&elf, -ENOEXEC, "for arm64 (ELF machine 183)");
	header->e_machine = EM_X86_64;
	header->e_type = ET_REL;
	refuse(&elf, -ENOEXEC, "not an executable");
	header->e_type = ET_EXEC;
	header->e_phnum = 0;
	refuse(&elf, -EBADMSG, "no program headers");
	header->e_phnum = 129;
	refuse(&elf, -E2BIG, "129 program headers");
	header->e_phnum = 3;
	header->e_phoff = elf.size - 60;
	refuse(&elf, -EBADMSG, "");
	free(elf.data);
}

static void elf_cut_anywhere_is_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	size_t whole = elf.size;

	(void)state;
	for (elf.size = 4; elf.size < whole; elf.size += elf.size < 9000 ? 61 : 4093) {
		struct image exact = fixture_copy(&elf);
		struct build_error error;
		struct kernel *kernel;

		assert_int_equal(kernel_open_memory("k", exact.data, exact.size, &kernel, &error),
				 -EBADMSG);
		free(exact.data);
	}
	elf.size = 20;
	refuse(&elf, -EBADMSG, "cut short: 20 bytes do not hold an ELF header of 64");
	elf.size = whole - 1;
	refuse(&elf, -EBADMSG, "cut short: segment 1");
	free(elf.data);
}

static void bad_segments_are_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	Elf64_Phdr *segment = (Elf64_Phdr *)(elf.data + sizeof(Elf64_Ehdr)), good = *segment;

	(void)state;
	segment->p_filesz = segment->p_memsz + 1;
	refuse(&elf, -EBADMSG, "bytes in the file but");
	*segment = good;
	segment->p_offset = UINT64_MAX;
	refuse(&elf, -EBADMSG, "cut short: segment 0");
	*segment = good;
	segment->p_filesz = UINT64_MAX;
	segment->p_memsz = UINT64_MAX;
	refuse(&elf, -EBADMSG, "cut short: segment 0");
	*segment = good;
	segment->p_memsz = KERNEL_SIZE_MAX + 1;
	refuse(&elf, -E2BIG, "takes more than 512 MiB");
	*segment = good;
	segment->p_memsz = KERNEL_SIZE_MAX - 1;
	refuse(&elf, -E2BIG, "takes more than 512 MiB");
	*segment = good;
	segment->p_paddr = UINT64_MAX - 10;
	refuse(&elf, -EBADMSG, "wraps round");
	*segment = good;
	segment->p_vaddr = UINT64_MAX - 10;
	refuse(&elf, -EBADMSG, "wraps round");
	*segment = good;
	segment[0].p_type = segment[1].p_type = PT_NULL;
	refuse(&elf, -EBADMSG, "nothing to load");
	free(elf.data);
}

static void too_many_segments_are_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	Elf64_Phdr *segments = (Elf64_Phdr *)(elf.data + sizeof(Elf64_Ehdr));

	(void)state;
	for (int i = 3; i < KERNEL_SEGMENTS_MAX + 1; i++)
		segments[i] = segments[0];
	((Elf64_Ehdr *)elf.data)->e_phnum = KERNEL_SEGMENTS_MAX + 1;
	segments[2] = segments[0];
	refuse(&elf, -E2BIG, "more than 32 loadable segments");
	free(elf.data);
}

static void bad_notes_are_refused(void **state)
{
	static const uint8_t desc[16];
	struct image elf = fixture_elf_with_note(FIXTURE_LINUX, XEN_ELFNOTE_ENTRY, desc, 3);
	Elf64_Phdr *segment = (Elf64_Phdr *)(elf.data + sizeof(Elf64_Ehdr)) + 2;

	(void)state;
	refuse(&elf, -EBADMSG, "Xen ELF note 1 is 3 bytes");
	free(elf.data);
	elf = fixture_elf(FIXTURE_LINUX);
	segment = (Elf64_Phdr *)(elf.data + sizeof(Elf64_Ehdr)) + 2;
	segment->p_filesz = elf.size;
	refuse(&elf, -EBADMSG, "cut short: notes of");
	free(elf.data);
}

static void repeated_notes_are_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	Elf64_Ehdr *header = (Elf64_Ehdr *)elf.data;
	Elf64_Phdr *segments = (Elf64_Phdr *)(elf.data + sizeof(*header));

	(void)state;
	for (int i = 3; i < 6; i++)
		segments[i] = segments[2];
	header->e_phnum = 6;
	refuse(&elf, -EBADMSG, "notes are repeated");
	free(elf.data);
}

static void bzimage_headers_are_checked(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	struct image packed = fixture_compress(&elf, KERNEL_ZSTD);
	struct image image = fixture_bzimage(&packed, KERNEL_ZSTD, (uint32_t)elf.size);
	struct image work = fixture_copy(&image);

	(void)state;
	work.data[0x206] = 0x07;
	refuse(&work, -ENOEXEC, "boot protocol 2.07: expected 2.08 or newer");
	memcpy(work.data, image.data, image.size);
	memset(work.data + 0x248, 0xff, 4);
	refuse(&work, -EBADMSG, "cut short: its kernel is");
	memcpy(work.data, image.data, image.size);
	memset(work.data + 0x24c, 0xff, 4);
	refuse(&work, -EBADMSG, "cut short: its kernel is");
	memcpy(work.data, image.data, image.size);
	memset(work.data + 0x24c, 0, 4);
	refuse(&work, -EBADMSG, "cut short: its kernel is 0 bytes");
	memcpy(work.data, image.data, image.size);
	memset(work.data + 5 * 512 + 64, 0x77, 8);
	refuse(&work, -ENOEXEC, "compressed in no known way (first bytes 77 77 77 77)");
	memcpy(work.data, image.data, image.size);
	work.size = image.size / 2;
	refuse(&work, -EBADMSG, "cut short");
	free(work.data);
	free(image.data);
	free(packed.data);
	free(elf.data);
}

/* A wrong size behind the payload: too small, too big, none, beyond the bound. */
static void promised_size_is_held_to(void **state)
{
	static const enum kernel_compression all[] = {KERNEL_BZIP2, KERNEL_LZMA, KERNEL_XZ,
						      KERNEL_LZO,   KERNEL_LZ4,	 KERNEL_ZSTD};
	struct image elf = fixture_elf(FIXTURE_LINUX);

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct image packed = fixture_compress(&elf, all[i]);
		struct image image = fixture_bzimage(&packed, all[i], (uint32_t)elf.size - 1);

		refuse(&image, -E2BIG, "unpack to more than");
		free(image.data);
		image = fixture_bzimage(&packed, all[i], (uint32_t)elf.size + 1);
		refuse(&image, -EBADMSG, "corrupt: unpacks to");
		free(image.data);
		image = fixture_bzimage(&packed, all[i], 0);
		refuse(&image, -EBADMSG, "claims to unpack to 0 bytes");
		free(image.data);
		image = fixture_bzimage(&packed, all[i], 0xffffffff);
		refuse(&image, -E2BIG, "claims to unpack to 4294967295 bytes");
		free(image.data);
		free(packed.data);
	}
	free(elf.data);
}

/* Damage that the format's own checks see, and every way of being cut short. */
static void damaged_payloads_are_refused(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);

	(void)state;
	for (int c = KERNEL_GZIP; c <= KERNEL_ZSTD; c++) {
		struct image packed = fixture_compress(&elf, (enum kernel_compression)c), exact;
		size_t whole = packed.size, made;
		uint8_t *out = malloc(elf.size);

		for (packed.size = 16; packed.size < whole; packed.size += 1 + whole / 40) {
			exact = fixture_copy(&packed);
			if (unpack((enum kernel_compression)c, exact.data, exact.size, out,
				   elf.size, &made) == 0 &&
			    made == elf.size && packed.size + 16 < whole)
				fail_msg("%s cut to %zu of %zu bytes was accepted",
					 kernel_compression_name((enum kernel_compression)c),
					 packed.size, whole);
			free(exact.data);
		}
		free(out);
		free(packed.data);
	}
	free(elf.data);
}

/* 600 MiB of zeros in a few bytes: stopped at the bound, whatever the format. */
static void bombs_are_stopped(void **state)
{
	static uint8_t out[4096];
	struct image plain = {.data = calloc(1, 8 << 20), .size = 8 << 20};

	(void)state;
	for (int c = KERNEL_GZIP; c <= KERNEL_ZSTD; c++) {
		struct image packed = fixture_compress(&plain, (enum kernel_compression)c);
		size_t made;
		int result = unpack((enum kernel_compression)c, packed.data, packed.size, out,
				    sizeof(out), &made);

		if (result != -E2BIG)
			fail_msg("%s: %d", kernel_compression_name((enum kernel_compression)c),
				 result);
		free(packed.data);
	}
	free(plain.data);
}

static void lzop_blocks_are_checked(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	struct image packed = fixture_compress(&elf, KERNEL_LZO);
	uint8_t *out = malloc(elf.size);
	size_t made, block = 39, saved;

	(void)state;
	assert_int_equal(unpack(KERNEL_LZO, packed.data, packed.size, out, elf.size, &made), 0);
	saved = packed.data[block + 8];
	packed.data[block + 8] ^= 1; /* the checksum */
	assert_int_equal(unpack(KERNEL_LZO, packed.data, packed.size, out, elf.size, &made),
			 -EBADMSG);
	packed.data[block + 8] = (uint8_t)saved;
	memset(packed.data + block, 0xff, 4); /* the unpacked size */
	assert_int_equal(unpack(KERNEL_LZO, packed.data, packed.size, out, elf.size, &made),
			 -EBADMSG);
	packed.data[33] = 0xff; /* the name's length: beyond the end once cut */
	assert_int_equal(unpack(KERNEL_LZO, packed.data, 60, out, elf.size, &made), -EBADMSG);
	free(out);
	free(packed.data);
	free(elf.data);
}

/* A scratch folder, its path in `dir`. */
static void make_scratch(char *dir)
{
	strcpy(dir, "/tmp/zendo-kernel-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void remove_scratch(const char *dir)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void write_file(const char *path, const struct image *image)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->data, image->size), (ssize_t)image->size);
	close(fd);
}

static unsigned int count_entries(const char *dir, char *last)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	unsigned int nr = 0;

	while (stream && (entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		nr++;
		if (last)
			sprintf(last, "%s/%s", dir, entry->d_name);
	}
	if (stream)
		closedir(stream);
	return nr;
}

/* Open `path` with the cache; tells whether the cache had it. */
static bool open_through(const char *path, const char *cache)
{
	struct build_error error;
	struct kernel *kernel;
	bool hit;

	if (kernel_open(path, cache, &kernel, &error) != 0)
		fail_msg("%s", error.text);
	hit = kernel_get_info(kernel)->from_cache;
	check_fixture(kernel_get_info(kernel));
	assert_int_equal(kernel_get_info(kernel)->compression, KERNEL_ZSTD);
	assert_string_equal(kernel_get_info(kernel)->container, "bzImage");
	kernel_close(kernel);
	return hit;
}

static void cache_keeps_and_checks(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	struct image packed = fixture_compress(&elf, KERNEL_ZSTD);
	struct image image = fixture_bzimage(&packed, KERNEL_ZSTD, (uint32_t)elf.size);
	struct image junk = {.data = (uint8_t *)"not a kernel at all", .size = 19};
	char dir[64], path[96], cache[96], entry[512];

	(void)state;
	make_scratch(dir);
	sprintf(path, "%s/vmlinuz", dir);
	sprintf(cache, "%s/a/cache", dir);
	write_file(path, &image);
	assert_false(open_through(path, cache));
	assert_true(open_through(path, cache));
	assert_int_equal(count_entries(cache, entry), 1);
	/* A spoiled entry is noticed, dropped and made again. */
	write_file(entry, &junk);
	assert_false(open_through(path, cache));
	assert_true(open_through(path, cache));
	/* An entry that others could have written is not believed. */
	assert_int_equal(chmod(entry, 0666), 0);
	assert_false(open_through(path, cache));
	assert_int_equal(chmod(entry, 0600), 0);
	/* Nor a folder that others may write to. */
	assert_int_equal(chmod(cache, 0777), 0);
	assert_false(open_through(path, cache));
	assert_int_equal(chmod(cache, 0700), 0);
	assert_true(open_through(path, cache));
	/* The same name with other content is another kernel. */
	image.data[0x1e8] ^= 1;
	write_file(path, &image);
	assert_false(open_through(path, cache));
	assert_int_equal(count_entries(cache, NULL), 2);
	remove_scratch(dir);
	free(image.data);
	free(packed.data);
	free(elf.data);
}

static void cache_is_bounded(void **state)
{
	struct image elf = fixture_elf(FIXTURE_LINUX);
	struct image packed = fixture_compress(&elf, KERNEL_ZSTD);
	struct image image = fixture_bzimage(&packed, KERNEL_ZSTD, (uint32_t)elf.size);
	char dir[64], path[96], cache[96];

	(void)state;
	make_scratch(dir);
	sprintf(path, "%s/vmlinuz", dir);
	sprintf(cache, "%s/cache", dir);
	for (int i = 0; i < 11; i++) {
		image.data[0x1e8] = (uint8_t)i;
		write_file(path, &image);
		assert_false(open_through(path, cache));
	}
	assert_int_equal(count_entries(cache, NULL), 8);
	assert_true(open_through(path, cache));
	remove_scratch(dir);
	free(image.data);
	free(packed.data);
	free(elf.data);
}

static void bad_paths_are_named(void **state)
{
	struct build_error error;
	struct kernel *kernel;
	char dir[64], path[96];
	int fd;

	(void)state;
	make_scratch(dir);
	assert_int_equal(kernel_open("/nonexistent/vmlinuz", NULL, &kernel, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/vmlinuz: cannot open the kernel"));
	assert_int_equal(kernel_open(dir, NULL, &kernel, &error), -ENOEXEC);
	assert_non_null(strstr(error.text, "not a file"));
	sprintf(path, "%s/empty", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(kernel_open(path, NULL, &kernel, &error), -ENOEXEC);
	assert_non_null(strstr(error.text, "empty"));
	assert_int_equal(ftruncate(fd, KERNEL_SIZE_MAX + 1), 0);
	close(fd);
	assert_int_equal(kernel_open(path, NULL, &kernel, &error), -E2BIG);
	remove_scratch(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_container_and_compression_loads),
		cmocka_unit_test(info_names_container_and_compression),
		cmocka_unit_test(other_files_are_named),
		cmocka_unit_test(wrong_elf_files_are_refused),
		cmocka_unit_test(elf_cut_anywhere_is_refused),
		cmocka_unit_test(bad_segments_are_refused),
		cmocka_unit_test(too_many_segments_are_refused),
		cmocka_unit_test(bad_notes_are_refused),
		cmocka_unit_test(repeated_notes_are_refused),
		cmocka_unit_test(bzimage_headers_are_checked),
		cmocka_unit_test(promised_size_is_held_to),
		cmocka_unit_test(damaged_payloads_are_refused),
		cmocka_unit_test(bombs_are_stopped),
		cmocka_unit_test(lzop_blocks_are_checked),
		cmocka_unit_test(cache_keeps_and_checks),
		cmocka_unit_test(cache_is_bounded),
		cmocka_unit_test(bad_paths_are_named),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
