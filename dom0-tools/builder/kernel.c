/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of file a kernel comes in: a bzImage (Linux Documentation/x86/boot.rst), an ELF file,
 * or a compressed ELF file; and getting at the ELF file within. Its content is elf.c's matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builder/kernel_internal.h"
#include "builder/unpack.h"

/* Offsets in the setup header, boot.rst "The Real-Mode Kernel Header". */
#define SETUP_SECTS	    0x1f1
#define SETUP_BOOT_FLAG	    0x1fe /* 0xaa55 */
#define SETUP_MAGIC	    0x202 /* "HdrS" */
#define SETUP_VERSION	    0x206
#define SETUP_PAYLOAD	    0x248 /* offset from the protected-mode code; version 2.08 and up */
#define SETUP_PAYLOAD_SIZE  0x24c
#define SETUP_END	    0x250
#define SETUP_VERSION_MIN   0x0208
#define SETUP_SECTOR	    512u
#define SETUP_SECTS_DEFAULT 4u

static const char *const compression_names[] = {
	[KERNEL_NONE] = "none", [KERNEL_GZIP] = "gzip", [KERNEL_BZIP2] = "bzip2",
	[KERNEL_LZMA] = "lzma", [KERNEL_XZ] = "xz",	[KERNEL_LZO] = "lzo",
	[KERNEL_LZ4] = "lz4",	[KERNEL_ZSTD] = "zstd",
};

const char *kernel_compression_name(enum kernel_compression compression)
{
	return compression_names[compression];
}

int kernel_memory_map(struct kernel_memory *memory, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (data == MAP_FAILED)
		return -errno;
	*memory = (struct kernel_memory){.data = data, .size = size};
	return 0;
}

void kernel_memory_unmap(struct kernel_memory *memory)
{
	if (memory->data)
		munmap(memory->data, memory->size);
	*memory = (struct kernel_memory){0};
}

static uint16_t get_le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get_le32(const uint8_t *at)
{
	return get_le16(at) | (uint32_t)get_le16(at + 2) << 16;
}

static bool is_bzimage(const uint8_t *data, size_t size)
{
	return size >= SETUP_END && get_le16(data + SETUP_BOOT_FLAG) == 0xaa55 &&
	       memcmp(data + SETUP_MAGIC, "HdrS", 4) == 0;
}

static bool has_bytes(const uint8_t *data, size_t size, size_t offset, const char *bytes,
		      size_t length)
{
	return size >= offset + length && memcmp(data + offset, bytes, length) == 0;
}

/* A guess at what a file is that is no kernel for us, to be more helpful than "not a kernel". */
static const char *guess_content(const uint8_t *data, size_t size)
{
	if (has_bytes(data, size, 56, "ARM\x64", 4))
		return "an arm64 kernel image";
	if (has_bytes(data, size, 0x24, "\x18\x28\x6f\x01", 4))
		return "a 32-bit arm kernel image";
	if (has_bytes(data, size, 0, "070701", 6) || has_bytes(data, size, 0, "070702", 6))
		return "a cpio archive (a ramdisk?)";
	if (has_bytes(data, size, 0, "MZ", 2) && has_bytes(data, size, 4, "zimg", 4))
		return "an EFI zboot image";
	if (has_bytes(data, size, 0, "MZ", 2))
		return "an EFI or DOS program";
	if (has_bytes(data, size, 0, "#!", 2))
		return "a script";
	if (size < SETUP_END)
		return "too short to be a kernel";
	return "not a kernel";
}

static int fail_unpack(const struct kernel *kernel, int result, size_t limit,
		       struct build_error *error)
{
	const char *how = kernel_compression_name(kernel->info.compression);

	if (result == -E2BIG)
		return build_error_set(error, result,
				       "%s: corrupt, or too big: the %s data unpack to more than "
				       "%zu bytes",
				       kernel->name, how, limit);
	if (result == -ENOMEM)
		return build_error_set(error, result, "%s: not enough memory to unpack %s",
				       kernel->name, how);
	return build_error_set(error, result, "%s: corrupt: the %s data do not unpack",
			       kernel->name, how);
}

/* `exact` is the size promised, or 0 when only the bound is known. */
static int unpack_payload(struct kernel *kernel, const uint8_t *payload, size_t size, size_t exact,
			  struct build_error *error)
{
	size_t limit = exact ? exact : KERNEL_SIZE_MAX, made, keep;
	int result = kernel_memory_map(&kernel->unpacked, limit);

	if (result)
		return build_error_set(error, result, "%s: not enough memory to unpack the kernel",
				       kernel->name);
	result = unpack(kernel->info.compression, payload, size, kernel->unpacked.data, limit,
			&made);
	if (result)
		return fail_unpack(kernel, result, limit, error);
	if (exact && made != exact)
		return build_error_set(error, -EBADMSG,
				       "%s: corrupt: unpacks to %zu bytes where its end says %zu",
				       kernel->name, made, exact);
	if (made == 0)
		return build_error_set(error, -EBADMSG, "%s: corrupt: unpacks to nothing",
				       kernel->name);
	/* Give back what the bound had reserved; the tail was never touched. */
	keep = (made + 4095) & ~(size_t)4095;
	if (keep < kernel->unpacked.size) {
		munmap((char *)kernel->unpacked.data + keep, kernel->unpacked.size - keep);
		kernel->unpacked.size = keep;
	}
	kernel->info.elf = kernel->unpacked.data;
	kernel->info.elf_size = made;
	return 0;
}

static size_t setup_size(const uint8_t *data)
{
	size_t sects = data[SETUP_SECTS] ? data[SETUP_SECTS] : SETUP_SECTS_DEFAULT;

	return (sects + 1) * SETUP_SECTOR;
}

static int unpack_bzimage(struct kernel *kernel, const uint8_t *data, size_t size,
			  struct build_error *error)
{
	uint64_t start, length = get_le32(data + SETUP_PAYLOAD_SIZE);
	uint16_t version = get_le16(data + SETUP_VERSION);
	const uint8_t *payload;
	uint32_t exact;

	if (version < SETUP_VERSION_MIN)
		return build_error_set(error, -ENOEXEC,
				       "%s: boot protocol %u.%02u: expected 2.08 or newer",
				       kernel->name, version >> 8, version & 0xff);
	start = setup_size(data) + get_le32(data + SETUP_PAYLOAD);
	if (length < 16 || start > size || length > size - start)
		return build_error_set(
			error, -EBADMSG,
			"%s: cut short: its kernel is %llu bytes at offset %llu of a "
			"file of %zu",
			kernel->name, (unsigned long long)length, (unsigned long long)start, size);
	payload = data + start;
	kernel->info.compression = unpack_detect(payload, length);
	if (kernel->info.compression == KERNEL_NONE) {
		/* CONFIG_KERNEL_UNCOMPRESSED: the ELF file itself, and its size behind it. */
		kernel->info.elf = payload;
		kernel->info.elf_size = length;
		if (memcmp(payload, "\177ELF", 4) != 0)
			return build_error_set(
				error, -ENOEXEC,
				"%s: its kernel is compressed in no known way (first "
				"bytes %02x %02x %02x %02x): expected gzip, bzip2, "
				"lzma, xz, lzo, lz4 or zstd",
				kernel->name, payload[0], payload[1], payload[2], payload[3]);
		return 0;
	}
	/* The kernel's build puts the unpacked size behind the data; gzip ends with it anyway. */
	exact = get_le32(payload + length - 4);
	if (exact == 0 || exact > KERNEL_SIZE_MAX)
		return build_error_set(error, exact ? -E2BIG : -EBADMSG,
				       "%s: claims to unpack to %u bytes: expected 1 to %lu",
				       kernel->name, exact, KERNEL_SIZE_MAX);
	if (kernel->info.compression != KERNEL_GZIP)
		length -= 4;
	return unpack_payload(kernel, payload, length, exact, error);
}

/* Find the container, and get info.elf out of it. */
static int open_container(struct kernel *kernel, const uint8_t *data, size_t size,
			  struct build_error *error)
{
	if (has_bytes(data, size, 0, "\177ELF", 4)) {
		kernel->info.container = "ELF";
		kernel->info.elf = data;
		kernel->info.elf_size = size;
		return 0;
	}
	if (is_bzimage(data, size)) {
		kernel->info.container = "bzImage";
		return unpack_bzimage(kernel, data, size, error);
	}
	kernel->info.compression = unpack_detect(data, size);
	if (kernel->info.compression != KERNEL_NONE) {
		kernel->info.container = "compressed ELF";
		return unpack_payload(kernel, data, size, 0, error);
	}
	return build_error_set(error, -ENOEXEC, "%s: %s: expected a bzImage or an ELF file",
			       kernel->name, guess_content(data, size));
}

static int new_kernel(const char *name, struct kernel **out, struct build_error *error)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (kernel)
		kernel->name = strdup(name);
	if (!kernel || !kernel->name) {
		free(kernel);
		return build_error_set(error, -ENOMEM, "%s: out of memory", name);
	}
	*out = kernel;
	return 0;
}

int kernel_open_memory(const char *name, const void *data, size_t size, struct kernel **out,
		       struct build_error *error)
{
	struct kernel *kernel;
	int result = new_kernel(name, &kernel, error);

	if (result)
		return result;
	result = open_container(kernel, data, size, error);
	if (!result)
		result = kernel_parse_elf(kernel, error);
	if (result) {
		kernel_close(kernel);
		return result;
	}
	*out = kernel;
	return 0;
}

/* Into memory of our own, so that nobody can change what was checked. */
static int read_file(struct kernel *kernel, struct stat *identity, struct build_error *error)
{
	int fd = open(kernel->name, O_RDONLY | O_CLOEXEC), result;
	size_t done = 0, size;

	if (fd < 0)
		return build_error_set(error, -errno, "%s: cannot open the kernel: %s",
				       kernel->name, strerror(errno));
	if (fstat(fd, identity) < 0) {
		result = build_error_set(error, -errno, "%s: %s", kernel->name, strerror(errno));
		goto close_fd;
	}
	if (!S_ISREG(identity->st_mode) || identity->st_size == 0) {
		result = build_error_set(error, -ENOEXEC,
					 "%s: %s: expected a bzImage or an ELF "
					 "file",
					 kernel->name,
					 S_ISREG(identity->st_mode) ? "empty" : "not a file");
		goto close_fd;
	}
	if ((uint64_t)identity->st_size > KERNEL_SIZE_MAX) {
		result = build_error_set(error, -E2BIG, "%s: %lld MiB: a kernel has at most %lu",
					 kernel->name, (long long)identity->st_size >> 20,
					 KERNEL_SIZE_MAX >> 20);
		goto close_fd;
	}
	size = (size_t)identity->st_size;
	result = kernel_memory_map(&kernel->file, size);
	if (result) {
		build_error_set(error, result, "%s: not enough memory to read it", kernel->name);
		goto close_fd;
	}
	while (done < size && !result) {
		ssize_t got = read(fd, (char *)kernel->file.data + done, size - done);

		if (got > 0)
			done += (size_t)got;
		else if (got == 0)
			result = build_error_set(error, -EBADMSG,
						 "%s: became shorter while it "
						 "was read",
						 kernel->name);
		else if (errno != EINTR)
			result = build_error_set(error, -errno, "%s: cannot read: %s", kernel->name,
						 strerror(errno));
	}

close_fd:
	close(fd);
	return result;
}

/* Is it worth caching: does anything need to be unpacked? */
static bool is_packed(const struct kernel *kernel)
{
	return !has_bytes(kernel->file.data, kernel->file.size, 0, "\177ELF", 4);
}

/* From the cache, if it is there and is a kernel; else leave the kernel as it was. */
static int open_cached(struct kernel *kernel, const char *cache_dir, const struct stat *identity)
{
	const uint8_t *data = kernel->file.data;
	int result = kernel_cache_load(cache_dir, &kernel->file, identity, kernel);

	if (result)
		return result;
	kernel->info.container = is_bzimage(data, kernel->file.size) ? "bzImage" : "compressed ELF";
	result = kernel_parse_elf(kernel, NULL);
	if (result) {
		kernel_cache_drop(cache_dir, &kernel->file, identity);
		kernel_memory_unmap(&kernel->unpacked);
		kernel->info = (struct kernel_info){0};
		return result;
	}
	kernel->info.from_cache = true;
	return 0;
}

/* The compression, for a kernel whose unpacking the cache saved us. */
static enum kernel_compression packed_with(const struct kernel *kernel)
{
	const uint8_t *data = kernel->file.data;
	size_t size = kernel->file.size;
	uint64_t start = 0;

	if (is_bzimage(data, size))
		start = setup_size(data) + get_le32(data + SETUP_PAYLOAD);
	return start < size ? unpack_detect(data + start, size - start) : KERNEL_NONE;
}

int kernel_open(const char *path, const char *cache_dir, struct kernel **out,
		struct build_error *error)
{
	struct kernel *kernel;
	struct stat identity;
	int result = new_kernel(path, &kernel, error);

	if (result)
		return result;
	result = read_file(kernel, &identity, error);
	if (result)
		goto close_kernel;
	if (!is_packed(kernel))
		cache_dir = NULL;
	if (cache_dir && open_cached(kernel, cache_dir, &identity) == 0) {
		kernel->info.compression = packed_with(kernel);
		*out = kernel;
		return 0;
	}
	result = open_container(kernel, kernel->file.data, kernel->file.size, error);
	if (!result)
		result = kernel_parse_elf(kernel, error);
	if (result)
		goto close_kernel;
	if (cache_dir && kernel->unpacked.data)
		kernel_cache_store(cache_dir, &kernel->file, &identity, kernel);
	*out = kernel;
	return 0;

close_kernel:
	kernel_close(kernel);
	return result;
}

int kernel_open_firmware(const char *path, struct kernel **out, struct build_error *error)
{
	struct kernel *kernel;
	struct stat identity;
	int result = new_kernel(path, &kernel, error);

	if (result)
		return result;
	kernel->is_firmware = true;
	result = read_file(kernel, &identity, error);
	if (!result && is_packed(kernel))
		result = build_error_set(error, -ENOEXEC, "%s: not an ELF file: expected firmware",
					 path);
	if (!result)
		result = open_container(kernel, kernel->file.data, kernel->file.size, error);
	if (!result)
		result = kernel_parse_elf(kernel, error);
	if (result)
		kernel_close(kernel);
	else
		*out = kernel;
	return result;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	while (kernel->nr_strings > 0)
		free(kernel->strings[--kernel->nr_strings]);
	kernel_memory_unmap(&kernel->unpacked);
	kernel_memory_unmap(&kernel->file);
	free(kernel->name);
	free(kernel);
}

size_t kernel_get_setup(const struct kernel *kernel, const uint8_t **setup)
{
	const uint8_t *data = kernel->file.data;

	if (!data || !is_bzimage(data, kernel->file.size) || setup_size(data) > kernel->file.size)
		return 0;
	*setup = data;
	return setup_size(data);
}

const struct kernel_info *kernel_get_info(const struct kernel *kernel)
{
	return &kernel->info;
}

bool kernel_is_linux(const struct kernel *kernel)
{
	const char *os = kernel_get_info(kernel)->notes.guest_os;

	return os && strcmp(os, "linux") == 0;
}
