/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the journal: the file's layout, and the handle that journal.c (the
 * file), journal_write.c (records out) and journal_read.c (records in) share.
 */
#ifndef ZSTORED_JOURNAL_FILE_H
#define ZSTORED_JOURNAL_FILE_H

#include "journal.h"
#include "record.h"

#define JOURNAL_MAGIC	    "ZSTORED1"
#define JOURNAL_FIRST	    4096u /* offset of the first batch */
#define JOURNAL_BOOT_ID_MAX 48

/* At offset 0. */
struct journal_header {
	char magic[8];
	uint64_t tail; /* end of the last batch that counts */
	char boot_id[JOURNAL_BOOT_ID_MAX];
};

/* In front of each batch. */
struct journal_batch {
	uint32_t len;
	uint32_t checksum;
};

struct journal {
	struct store *store;
	char *path;
	char *new_path;
	char boot_id[JOURNAL_BOOT_ID_MAX];
	int fd;
	char *map;
	size_t size;
	size_t tail;
	size_t snapshot_tail; /* where the snapshot at its beginning ended */
	bool is_failing;      /* the file does not hold all that was acknowledged */
	struct record_writer batch;
};

/* Takes the records of a batch into the store; -EINVAL if they make no sense. */
int journal_replay(struct store *store, struct record_reader *reader);

#endif
