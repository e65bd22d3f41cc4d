/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unpacked kernels, kept so that the next domain need not wait for XZ. An entry is named by the
 * compressed file's identity (device, inode, size, times) and a hash of its bytes: the identity is
 * what nobody else can forge, the hash catches a file rewritten within one tick of its clock.
 * The directory must be ours alone to write; entries appear complete, and are bounded in number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builder/kernel_internal.h"

#define CACHE_ENTRIES_MAX 8
#define CACHE_SUFFIX	  ".elf"
#define CACHE_NAME_MAX	  80

/* Two lanes of multiply and shift over 8-byte words: fast and well mixed, not cryptographic. */
struct hash {
	uint64_t a;
	uint64_t b;
};

static void hash_word(struct hash *hash, uint64_t word)
{
	hash->a = (hash->a ^ word) * 0x9e3779b97f4a7c15ULL;
	hash->a ^= hash->a >> 29;
	hash->b = (hash->b + word) * 0xd6e8feb86659fd93ULL;
	hash->b ^= hash->b >> 32;
}

static void hash_bytes(struct hash *hash, const uint8_t *data, size_t size)
{
	uint64_t word;

	for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		hash_word(hash, word);
	}
	word = 0;
	memcpy(&word, data, size);
	hash_word(hash, word);
}

static void make_entry_name(const struct kernel_memory *image, const struct stat *identity,
			    char *name)
{
	struct hash hash = {.a = 0x5a656e64, .b = 0x6f};

	hash_bytes(&hash, image->data, image->size);
	hash_word(&hash, (uint64_t)identity->st_dev);
	hash_word(&hash, (uint64_t)identity->st_ino);
	hash_word(&hash, (uint64_t)identity->st_mtim.tv_sec);
	hash_word(&hash, (uint64_t)identity->st_mtim.tv_nsec);
	hash_word(&hash, (uint64_t)identity->st_ctim.tv_sec);
	hash_word(&hash, (uint64_t)identity->st_ctim.tv_nsec);
	snprintf(name, CACHE_NAME_MAX, "%016llx%016llx-%zx" CACHE_SUFFIX,
		 (unsigned long long)hash.a, (unsigned long long)hash.b, image->size);
}

static bool is_ours_alone(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The directory, and the one above it in a system that is bare of /var/cache. */
static int make_dir(const char *dir)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(dir, '/');

	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || !slash || slash == dir || (size_t)(slash - dir) >= sizeof(parent))
		return -errno;
	memcpy(parent, dir, (size_t)(slash - dir));
	parent[slash - dir] = '\0';
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_dir(const char *dir, bool create)
{
	struct stat st;
	int fd;

	if (create) {
		fd = make_dir(dir);
		if (fd < 0)
			return fd;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !is_ours_alone(&st)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

int kernel_cache_load(const char *dir, const struct kernel_memory *image,
		      const struct stat *identity, struct kernel *kernel)
{
	static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	int dir_fd = open_dir(dir, false), fd, result = 0;
	char name[CACHE_NAME_MAX];
	struct stat st;
	void *data;

	if (dir_fd < 0)
		return dir_fd;
	make_entry_name(image, identity, name);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	close(dir_fd);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_ours_alone(&st) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > KERNEL_SIZE_MAX) {
		result = -EPERM;
		goto close_fd;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED) {
		result = -errno;
		goto close_fd;
	}
	futimens(fd, now); /* the oldest by use goes first when the cache is full */
	kernel->unpacked = (struct kernel_memory){.data = data, .size = (size_t)st.st_size};
	kernel->info.elf = data;
	kernel->info.elf_size = (size_t)st.st_size;

close_fd:
	close(fd);
	return result;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Remove the entry longest unused; returns how many entries there were. */
static unsigned int evict_oldest(int dir_fd)
{
	char oldest[CACHE_NAME_MAX] = "";
	struct timespec oldest_time = {0};
	unsigned int nr = 0;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(stream))) {
		size_t length = strlen(entry->d_name);
		struct stat st;

		if (length < sizeof(CACHE_SUFFIX) || length >= sizeof(oldest) ||
		    strcmp(entry->d_name + length - strlen(CACHE_SUFFIX), CACHE_SUFFIX) != 0 ||
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		nr++;
		if (!*oldest || st.st_mtim.tv_sec < oldest_time.tv_sec ||
		    (st.st_mtim.tv_sec == oldest_time.tv_sec &&
		     st.st_mtim.tv_nsec < oldest_time.tv_nsec)) {
			memcpy(oldest, entry->d_name, length + 1);
			oldest_time = st.st_mtim;
		}
	}
	closedir(stream);
	if (nr > CACHE_ENTRIES_MAX)
		unlinkat(dir_fd, oldest, 0);
	return nr;
}

int kernel_cache_store(const char *dir, const struct kernel_memory *image,
		       const struct stat *identity, const struct kernel *kernel)
{
	char name[CACHE_NAME_MAX], link_name[40];
	int dir_fd = open_dir(dir, true), fd, result;

	if (dir_fd < 0)
		return dir_fd;
	/* Nameless until complete: whoever is killed half-way leaves nothing behind. */
	fd = openat(dir_fd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0) {
		result = -errno;
		goto close_dir;
	}
	result = write_all(fd, kernel->info.elf, kernel->info.elf_size);
	/* A name must never lead to half an entry, also after the power went. */
	if (!result && fsync(fd) < 0)
		result = -errno;
	if (result)
		goto close_fd;
	make_entry_name(image, identity, name);
	snprintf(link_name, sizeof(link_name), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, link_name, dir_fd, name, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST)
		result = -errno;
	while (!result && evict_oldest(dir_fd) > CACHE_ENTRIES_MAX)
		continue;

close_fd:
	close(fd);
close_dir:
	close(dir_fd);
	return result;
}

void kernel_cache_drop(const char *dir, const struct kernel_memory *image,
		       const struct stat *identity)
{
	int dir_fd = open_dir(dir, false);
	char name[CACHE_NAME_MAX];

	if (dir_fd < 0)
		return;
	make_entry_name(image, identity, name);
	unlinkat(dir_fd, name, 0);
	close(dir_fd);
}
