/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ramdisks: what a Linux guest could use passes, what is cut short or something else does not.
 *
 * Tools: builder lib/hyp
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "builder/ramdisk.h"
#include "fixture.h"

static char path[] = "/tmp/zendo-ramdisk-XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* What checking a file of these bytes gives; the message in `error`. */
static int check(const void *data, size_t size, struct build_error *error)
{
	struct ramdisk ramdisk;
	int fd = open(path, O_WRONLY | O_TRUNC), result;

	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
	result = ramdisk_open(path, &ramdisk, error);
	if (!result) {
		assert_int_equal(ramdisk.size, size);
		result = ramdisk_check(&ramdisk, error);
		ramdisk_close(&ramdisk);
	}
	return result;
}

static void refuse(const void *data, size_t size, int code, const char *what)
{
	struct build_error error = {""};
	int result = check(data, size, &error);

	if (result != code || !strstr(error.text, what))
		fail_msg("result %d, \"%s\"; expected %d, \"%s\"", result, error.text, code, what);
}

static void accept_bytes(const void *data, size_t size)
{
	struct build_error error = {""};

	if (check(data, size, &error) != 0)
		fail_msg("refused: %s", error.text);
}

/* Append one newc entry to `to`; returns the size then. */
static size_t put_entry(char *to, size_t at, const char *name, size_t size)
{
	at += (size_t)sprintf(to + at,
			      "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1,
			      0100644, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0);
	strcpy(to + at, name);
	at = (at + strlen(name) + 1 + 3) & ~(size_t)3;
	memset(to + at, 'x', size);
	return (at + size + 3) & ~(size_t)3;
}

static size_t make_cpio(char *to)
{
	size_t at = put_entry(to, 0, "init", 1001);

	at = put_entry(to, at, "etc/a-file-with-a-longer-name", 0);
	at = put_entry(to, at, "TRAILER!!", 4); /* nearly the trailer */
	return put_entry(to, at, "TRAILER!!!", 0);
}

static void cpio_archives_are_walked(void **state)
{
	static char buf[16384];
	size_t size = make_cpio(buf), second;

	(void)state;
	accept_bytes(buf, size);
	accept_bytes(buf, 8192); /* padded with zeros */
	for (size_t cut = 1; cut < size; cut += 13)
		refuse(buf, cut, cut < 6 ? -ENOEXEC : -EBADMSG, "");
	refuse(buf, 60, -EBADMSG, "no cpio trailer at offset 0");
	refuse(buf, 400, -EBADMSG,
	       "a cpio entry goes beyond the end at offset 0 of a ramdisk of 400");
	second = 8192;
	memcpy(buf + second, buf, size);
	accept_bytes(buf, second + size);
	refuse(buf, second + 200, -EBADMSG, "goes beyond the end at offset 8192");
	memcpy(buf + second, "junk", 4);
	refuse(buf, second + 200, -EBADMSG, "neither cpio nor compressed");
	memcpy(buf + second, "\x1f\x8b\x08", 3);
	accept_bytes(buf, second + 200);
}

static void cpio_headers_are_checked(void **state)
{
	static char buf[16384];
	size_t size = make_cpio(buf);

	(void)state;
	memcpy(buf + 54, "0000g000", 8);
	refuse(buf, size, -EBADMSG, "no cpio header at offset 0");
	size = make_cpio(buf);
	memcpy(buf + 54, "ffffffff", 8);
	refuse(buf, size, -EBADMSG, "goes beyond the end");
	size = make_cpio(buf);
	memcpy(buf + 94, "00000000", 8);
	refuse(buf, size, -EBADMSG, "no cpio header");
	size = make_cpio(buf);
	memcpy(buf + 94, "FFFFFFFF", 8);
	refuse(buf, size, -EBADMSG, "no cpio header");
}

static void compressed_archives_pass(void **state)
{
	static char buf[16384];
	struct image plain = {.data = (uint8_t *)buf, .size = make_cpio(buf)}, packed;

	(void)state;
	for (int c = KERNEL_GZIP; c <= KERNEL_ZSTD; c++) {
		packed = fixture_compress(&plain, (enum kernel_compression)c);
		accept_bytes(packed.data, packed.size);
		if (c == KERNEL_XZ) {
			refuse(packed.data, packed.size - 1, -EBADMSG, "no xz footer");
			refuse(packed.data, packed.size / 2, -EBADMSG, "no xz footer");
			refuse(packed.data, 20, -EBADMSG, "no xz footer");
		}
		free(packed.data);
	}
}

static void file_systems_pass_and_others_do_not(void **state)
{
	static char buf[4096];

	(void)state;
	memcpy(buf, "-rom1fs-", 8);
	accept_bytes(buf, sizeof(buf));
	memset(buf, 0, 8);
	memcpy(buf + 1080, "\x53\xef", 2);
	accept_bytes(buf, sizeof(buf));
	memset(buf, 0, sizeof(buf));
	refuse(buf, sizeof(buf), -ENOEXEC, "not a ramdisk");
	refuse("\177ELF", 4, -ENOEXEC, "not a ramdisk");
	refuse("", 0, -ENOEXEC, "empty");
}

static void bad_paths_are_named(void **state)
{
	struct build_error error;
	struct ramdisk ramdisk;

	(void)state;
	assert_int_equal(ramdisk_open(NULL, &ramdisk, &error), 0);
	assert_int_equal(ramdisk.fd, -1);
	ramdisk_close(&ramdisk);
	assert_int_equal(ramdisk_open("/nonexistent/initrd", &ramdisk, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/initrd: cannot open the ramdisk"));
	assert_int_equal(ramdisk_open("/tmp", &ramdisk, &error), -ENOEXEC);
	assert_int_equal(truncate(path, (off_t)(RAMDISK_SIZE_MAX + 1)), 0);
	assert_int_equal(ramdisk_open(path, &ramdisk, &error), -E2BIG);
}

static void shrinking_files_are_noticed(void **state)
{
	static const char data[100] = "-rom1fs-";
	struct build_error error;
	struct ramdisk ramdisk;
	char buf[100];

	(void)state;
	accept_bytes(data, sizeof(data));
	assert_int_equal(ramdisk_open(path, &ramdisk, &error), 0);
	assert_int_equal(ramdisk_read(&ramdisk, buf, 0, sizeof(buf), &error), 0);
	assert_int_equal(truncate(path, 50), 0);
	assert_int_equal(ramdisk_read(&ramdisk, buf, 0, sizeof(buf), &error), -EBADMSG);
	assert_non_null(strstr(error.text, "became shorter"));
	ramdisk_close(&ramdisk);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpio_archives_are_walked),
		cmocka_unit_test(cpio_headers_are_checked),
		cmocka_unit_test(compressed_archives_pass),
		cmocka_unit_test(file_systems_pass_and_others_do_not),
		cmocka_unit_test(bad_paths_are_named),
		cmocka_unit_test(shrinking_files_are_noticed),
	};

	return cmocka_run_group_tests_name("ramdisk", tests, setup, teardown);
}
