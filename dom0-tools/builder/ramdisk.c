/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ramdisks: opening, a look at whether they are whole, and reading them into the guest. The cpio
 * format is Linux' Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/ramdisk.h"
#include "builder/unpack.h"

#define CPIO_HEADER	110
#define CPIO_NAMESIZE	94 /* offsets of 8 hexadecimal digits in the header */
#define CPIO_FILESIZE	54
#define CPIO_NAME_MAX	4096
#define CPIO_TRAILER	"TRAILER!!!"
#define XZ_FOOTER_MAGIC "YZ"

int ramdisk_open(const char *path, struct ramdisk *ramdisk, struct build_error *error)
{
	struct stat st;
	int fd;

	*ramdisk = (struct ramdisk){.name = path, .fd = -1};
	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return build_error_set(error, -errno, "%s: cannot open the ramdisk: %s", path,
				       strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return build_error_set(error, -ENOEXEC, "%s: %s: expected a ramdisk", path,
				       S_ISREG(st.st_mode) ? "empty" : "not a file");
	}
	if ((uint64_t)st.st_size > RAMDISK_SIZE_MAX) {
		close(fd);
		return build_error_set(error, -E2BIG, "%s: %lld MiB: a ramdisk has at most %lu",
				       path, (long long)st.st_size >> 20, RAMDISK_SIZE_MAX >> 20);
	}
	ramdisk->fd = fd;
	ramdisk->size = (uint64_t)st.st_size;
	return 0;
}

void ramdisk_close(struct ramdisk *ramdisk)
{
	if (ramdisk->fd >= 0)
		close(ramdisk->fd);
	ramdisk->fd = -1;
}

int ramdisk_read(const struct ramdisk *ramdisk, void *to, uint64_t offset, size_t size,
		 struct build_error *error)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got =
			pread(ramdisk->fd, (char *)to + done, size - done, (off_t)(offset + done));

		if (got > 0)
			done += (size_t)got;
		else if (got == 0)
			return build_error_set(error, -EBADMSG,
					       "%s: the ramdisk became shorter "
					       "while it was read",
					       ramdisk->name);
		else if (errno != EINTR)
			return build_error_set(error, -errno, "%s: cannot read: %s", ramdisk->name,
					       strerror(errno));
	}
	return 0;
}

static int fail_short(const struct ramdisk *ramdisk, const char *what, uint64_t offset,
		      struct build_error *error)
{
	return build_error_set(error, -EBADMSG,
			       "%s: cut short or corrupt: %s at offset %llu of a ramdisk of %llu "
			       "bytes",
			       ramdisk->name, what, (unsigned long long)offset,
			       (unsigned long long)ramdisk->size);
}

/* Eight hexadecimal digits; false: something else. */
static bool parse_hex(const char *text, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdefABCDEF", *at = strchr(digits, text[i]);

		if (!at || !*at)
			return false;
		*value = *value << 4 | (uint32_t)(at - digits < 16 ? at - digits : at - digits - 6);
	}
	return true;
}

static bool is_cpio(const char *header)
{
	return memcmp(header, "070701", 6) == 0 || memcmp(header, "070702", 6) == 0;
}

static uint64_t align4(uint64_t value)
{
	return (value + 3) & ~3ULL;
}

/* Step from entry to entry up to the trailer; *offset is moved behind it. */
static int walk_cpio(const struct ramdisk *ramdisk, uint64_t *offset, struct build_error *error)
{
	char buf[CPIO_HEADER + CPIO_NAME_MAX];

	for (;;) {
		uint64_t left = ramdisk->size - *offset, data;
		uint32_t name_size, file_size;
		size_t chunk = left < CPIO_HEADER + sizeof(CPIO_TRAILER)
				       ? (size_t)left
				       : CPIO_HEADER + sizeof(CPIO_TRAILER);
		int result;

		if (left < CPIO_HEADER)
			return fail_short(ramdisk, "no cpio trailer", *offset, error);
		result = ramdisk_read(ramdisk, buf, *offset, chunk, error);
		if (result)
			return result;
		if (!is_cpio(buf) || !parse_hex(buf + CPIO_NAMESIZE, &name_size) ||
		    !parse_hex(buf + CPIO_FILESIZE, &file_size) || name_size == 0 ||
		    name_size > CPIO_NAME_MAX)
			return fail_short(ramdisk, "no cpio header", *offset, error);
		data = align4(*offset + CPIO_HEADER + name_size);
		if (data > ramdisk->size || file_size > ramdisk->size - data)
			return fail_short(ramdisk, "a cpio entry goes beyond the end", *offset,
					  error);
		if (name_size == sizeof(CPIO_TRAILER) && chunk >= CPIO_HEADER + name_size &&
		    memcmp(buf + CPIO_HEADER, CPIO_TRAILER, name_size) == 0) {
			*offset = data;
			return 0;
		}
		*offset = align4(data + file_size);
		if (*offset > ramdisk->size)
			*offset = ramdisk->size;
	}
}

/* Formats that end in a mark of their own; the others cannot be judged without unpacking. */
static int check_compressed(const struct ramdisk *ramdisk, enum kernel_compression compression,
			    uint64_t offset, struct build_error *error)
{
	uint64_t end = ramdisk->size;
	char tail[4];
	int result;

	if (compression != KERNEL_XZ)
		return 0;
	/* xz pads with zeros in fours, and ends each stream with its footer. */
	while (end - offset >= 32) {
		result = ramdisk_read(ramdisk, tail, end - sizeof(tail), sizeof(tail), error);
		if (result)
			return result;
		if (memcmp(tail, "\0\0\0\0", 4) != 0)
			return memcmp(tail + 2, XZ_FOOTER_MAGIC, 2) == 0
				       ? 0
				       : fail_short(ramdisk, "no xz footer", end - 4, error);
		end -= sizeof(tail);
	}
	return fail_short(ramdisk, "no xz footer", end, error);
}

/* File system images that Linux takes as an initrd: magic numbers at their usual places. */
static int check_image(const struct ramdisk *ramdisk, struct build_error *error)
{
	char head[8] = {0}, super[2] = {0};
	int result = 0;

	if (ramdisk->size >= sizeof(head))
		result = ramdisk_read(ramdisk, head, 0, sizeof(head), error);
	if (!result && ramdisk->size >= 1024 + 56 + sizeof(super))
		result = ramdisk_read(ramdisk, super, 1024 + 56, sizeof(super), error);
	if (result)
		return result;
	if (memcmp(head, "-rom1fs-", 8) == 0 || memcmp(head, "hsqs", 4) == 0 ||
	    memcmp(head, "\x45\x3d\xcd\x28", 4) == 0 || memcmp(super, "\x53\xef", 2) == 0)
		return 0;
	return build_error_set(
		error, -ENOEXEC,
		"%s: not a ramdisk: expected a cpio archive, plain or compressed, or "
		"a file system image",
		ramdisk->name);
}

/* Linux allows zeros between archives. Returns the offset of the next byte that is none. */
static int skip_zeros(const struct ramdisk *ramdisk, uint64_t *offset, struct build_error *error)
{
	char buf[4096];

	while (*offset < ramdisk->size) {
		size_t chunk = ramdisk->size - *offset < sizeof(buf)
				       ? (size_t)(ramdisk->size - *offset)
				       : sizeof(buf);
		int result = ramdisk_read(ramdisk, buf, *offset, chunk, error);

		if (result)
			return result;
		for (size_t i = 0; i < chunk; i++, (*offset)++) {
			if (buf[i])
				return 0;
		}
	}
	return 0;
}

int ramdisk_check(const struct ramdisk *ramdisk, struct build_error *error)
{
	uint64_t offset = 0;

	while (offset < ramdisk->size) {
		size_t chunk = ramdisk->size - offset < 16 ? (size_t)(ramdisk->size - offset) : 16;
		enum kernel_compression compression;
		char head[16] = {0};
		int result = ramdisk_read(ramdisk, head, offset, chunk, error);

		if (result)
			return result;
		compression = unpack_detect((uint8_t *)head, chunk);
		if (compression != KERNEL_NONE)
			return check_compressed(ramdisk, compression, offset, error);
		if (!is_cpio(head))
			return offset == 0 ? check_image(ramdisk, error)
					   : fail_short(ramdisk, "neither cpio nor compressed",
							offset, error);
		result = walk_cpio(ramdisk, &offset, error);
		if (!result)
			result = skip_zeros(ramdisk, &offset, error);
		if (result)
			return result;
	}
	return 0;
}
