/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: a list of changes to the store, made in memory first and written in one transaction,
 * so that nobody ever sees half a domain or half a device. Making the list asks nothing of the
 * store, which is what lets tests look at it.
 */
#ifndef ZENDO_DEVICE_ENTRIES_H
#define ZENDO_DEVICE_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

struct zstore;

enum entry_kind {
	ENTRY_REMOVE, /* the subtree, if it is there */
	ENTRY_DIR,    /* make it, and give it these permissions */
	ENTRY_SET,
};

/* Who may use a directory, and what is made in it later by dom0. */
struct entry_access {
	unsigned int owner;
	unsigned int reader; /* the same number as owner: nobody else */
};

struct store_entry {
	enum entry_kind kind;
	char *path;
	char *value;		    /* ENTRY_SET only */
	struct entry_access access; /* ENTRY_DIR only */
};

struct store_entries {
	struct store_entry *items;
	size_t nr;
	size_t room;
	bool is_short; /* memory ran out while adding; writing will fail with -ENOMEM */
};

void entries_init(struct store_entries *list);
void entries_fini(struct store_entries *list);

void entries_remove(struct store_entries *list, const char *path);
void entries_dir(struct store_entries *list, const char *path, struct entry_access access);
/* Set DIR/KEY; `dir` may be "" when `key` is a whole path. */
void entries_set(struct store_entries *list, const char *dir, const char *key, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* The value that the list gives to `path`, or NULL. */
const char *entries_find(const struct store_entries *list, const char *path);

/* All of it in one transaction, again and again while others interfere. */
int entries_write(struct zstore *store, const struct store_entries *list);

#endif
