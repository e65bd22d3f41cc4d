/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's file: creation, growth, batches, replacement by a snapshot,
 * and reading at start.  See journal.h for what makes it safe.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_file.h"

#define GROWTH (1u << 20)
/* Kept free for the next request: more than any but a huge transaction needs. */
#define HEADROOM     (256u << 10)
#define SNAPSHOT_MIN (2u << 20)

static struct journal_header *header_of(struct journal *journal)
{
	return (struct journal_header *)journal->map;
}

static int grow(struct journal *journal, size_t needed)
{
	size_t size = (journal->tail + needed + GROWTH - 1) / GROWTH * GROWTH;
	char *map;
	int ret;

	if (size <= journal->size)
		return 0;
	/* Real pages, so that storing to the map cannot fail. */
	ret = posix_fallocate(journal->fd, 0, (off_t)size);
	if (ret)
		return -ret;
	if (journal->map)
		map = mremap(journal->map, journal->size, size, MREMAP_MAYMOVE);
	else
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	journal->map = map;
	journal->size = size;
	return 0;
}

static int append_batch(struct journal *journal)
{
	struct journal_batch batch = {
		.len = (uint32_t)journal->batch.used,
		.checksum = record_checksum(journal->batch.data, journal->batch.used),
	};
	size_t end = (journal->tail + sizeof(batch) + batch.len + 7) & ~(size_t)7;
	int ret = grow(journal, end - journal->tail);

	if (ret)
		return ret;
	memcpy(journal->map + journal->tail, &batch, sizeof(batch));
	memcpy(journal->map + journal->tail + sizeof(batch), journal->batch.data, batch.len);
	journal->tail = end;
	/* The batch counts from here on. */
	__atomic_store_n(&header_of(journal)->tail, end, __ATOMIC_RELEASE);
	return 0;
}

static void file_close(struct journal *journal)
{
	if (journal->map)
		munmap(journal->map, journal->size);
	if (journal->fd >= 0)
		close(journal->fd);
	journal->map = NULL;
	journal->fd = -1;
	journal->size = 0;
}

static int file_create(struct journal *journal)
{
	struct journal_header *header;
	int ret;

	journal->fd = open(journal->new_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		return -errno;
	journal->tail = JOURNAL_FIRST;
	ret = grow(journal, HEADROOM);
	if (ret)
		return ret;
	header = header_of(journal);
	memcpy(header->magic, JOURNAL_MAGIC, sizeof(header->magic));
	memcpy(header->boot_id, journal->boot_id, sizeof(header->boot_id));
	header->tail = journal->tail;
	return 0;
}

/* Writes the whole state to a new file and puts it in the old one's place. */
static int write_snapshot(struct journal *journal)
{
	struct journal fresh = *journal;
	int ret;

	fresh.fd = -1;
	fresh.map = NULL;
	fresh.size = 0;
	fresh.batch = (struct record_writer){0};
	ret = file_create(&fresh);
	if (ret)
		goto close_fresh;
	journal_snapshot(&fresh, journal->store);
	ret = fresh.batch.is_failed ? -ENOMEM : append_batch(&fresh);
	if (!ret)
		ret = grow(&fresh, HEADROOM);
	if (ret)
		goto close_fresh;
	if (rename(journal->new_path, journal->path) < 0) {
		ret = -errno;
		goto close_fresh;
	}
	free(fresh.batch.data);
	file_close(journal);
	journal->fd = fresh.fd;
	journal->map = fresh.map;
	journal->size = fresh.size;
	journal->tail = journal->snapshot_tail = fresh.tail;
	journal->batch.used = 0;
	journal->batch.is_failed = false;
	journal->is_failing = false;
	return 0;

close_fresh:
	free(fresh.batch.data);
	file_close(&fresh);
	unlink(journal->new_path);
	return ret;
}

int journal_reserve(struct journal *journal)
{
	if (!journal)
		return 0;
	if (!journal->is_failing && !grow(journal, HEADROOM))
		return 0;
	return write_snapshot(journal) ? -ENOSPC : 0;
}

static void report_failure(struct journal *journal, int error)
{
	struct store *store = journal->store;
	char line[160];

	journal->is_failing = true;
	if (!store->ops || !store->ops->log)
		return;
	snprintf(line, sizeof(line), "journal %.80s: %s: requests are refused until it has room",
		 journal->path, strerror(-error));
	store->ops->log(store, line);
}

void journal_commit(struct journal *journal)
{
	int ret = 0;

	if (!journal || (!journal->batch.used && !journal->batch.is_failed))
		return;
	if (journal->batch.is_failed)
		ret = -ENOMEM;
	else
		ret = append_batch(journal);
	/* What could not be appended is part of the state that a snapshot holds. */
	if (ret || (journal->tail > SNAPSHOT_MIN && journal->tail > 3 * journal->snapshot_tail)) {
		int failed = ret;

		ret = write_snapshot(journal);
		if (ret && failed)
			report_failure(journal, ret);
	}
	journal->batch.used = 0;
	journal->batch.is_failed = false;
}

size_t journal_size(const struct journal *journal)
{
	return journal ? journal->tail : 0;
}

int journal_start(struct store *store, const char *path, const char *boot_id)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int ret = -ENOMEM;

	if (!journal)
		return ret;
	journal->fd = -1;
	journal->store = store;
	journal->path = strdup(path);
	if (!journal->path || asprintf(&journal->new_path, "%s.new", path) < 0)
		goto free_journal;
	snprintf(journal->boot_id, sizeof(journal->boot_id), "%s", boot_id);
	ret = write_snapshot(journal);
	if (ret)
		goto free_journal;
	store->journal = journal;
	return 0;

free_journal:
	free(journal->new_path);
	free(journal->path);
	free(journal);
	return ret;
}

void journal_stop(struct store *store)
{
	struct journal *journal = store->journal;

	if (!journal)
		return;
	store->journal = NULL;
	file_close(journal);
	free(journal->batch.data);
	free(journal->new_path);
	free(journal->path);
	free(journal);
}

/* Replays the batches between FIRST and tail. */
static int replay_file(struct store *store, const char *data, size_t tail, bool *torn)
{
	size_t at = JOURNAL_FIRST;

	while (at + sizeof(struct journal_batch) <= tail) {
		struct record_reader reader;
		struct journal_batch batch;
		int ret;

		memcpy(&batch, data + at, sizeof(batch));
		at += sizeof(batch);
		if (batch.len > tail - at ||
		    record_checksum(data + at, batch.len) != batch.checksum) {
			*torn = true;
			return 0;
		}
		reader = (struct record_reader){data + at, data + at + batch.len, false};
		ret = journal_replay(store, &reader);
		if (ret == -EINVAL) {
			*torn = true;
			return 0;
		}
		if (ret)
			return ret;
		at = (at + batch.len + 7) & ~(size_t)7;
	}
	return 0;
}

int journal_load(struct store *store, const char *path, const char *boot_id, bool *torn)
{
	const struct journal_header *header;
	struct stat st;
	char *data;
	int fd, ret = 0;

	*torn = false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0) {
		ret = -errno;
		goto close_fd;
	}
	if ((size_t)st.st_size < JOURNAL_FIRST) {
		ret = -EINVAL;
		goto close_fd;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		ret = -errno;
		goto close_fd;
	}
	header = (const struct journal_header *)data;
	if (memcmp(header->magic, JOURNAL_MAGIC, sizeof(header->magic)) ||
	    header->tail < JOURNAL_FIRST || header->tail > (uint64_t)st.st_size) {
		ret = -EINVAL;
		goto unmap;
	}
	if (strncmp(header->boot_id, boot_id, sizeof(header->boot_id) - 1))
		goto unmap;
	ret = replay_file(store, data, header->tail, torn);
	if (!ret)
		ret = 1;
unmap:
	munmap(data, (size_t)st.st_size);
close_fd:
	close(fd);
	return ret;
}
