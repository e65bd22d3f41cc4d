/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: lists of store changes and the transaction that writes them. What is in a list is
 * up to block.c, net.c and the tools; here is only the container and its order.
 */
#include "device/entries.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/zstore.h"

/* Conflicts mean that somebody else got on: this many in a row is a fault, not bad luck. */
#define COMMIT_TRIES 1000

void entries_init(struct store_entries *list)
{
	memset(list, 0, sizeof(*list));
}

void entries_fini(struct store_entries *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		free(list->items[i].path);
		free(list->items[i].value);
	}
	free(list->items);
	entries_init(list);
}

/* Takes `path` and `value`, which may be NULL because memory ran out. */
static void entries_add(struct store_entries *list, enum entry_kind kind, char *path, char *value,
			struct entry_access access)
{
	struct store_entry *items;
	size_t room;

	if (!path || (kind == ENTRY_SET && !value))
		goto short_of_memory;
	if (list->nr == list->room) {
		room = list->room ? 2 * list->room : 64;
		items = realloc(list->items, room * sizeof(*items));
		if (!items)
			goto short_of_memory;
		list->items = items;
		list->room = room;
	}
	list->items[list->nr++] =
		(struct store_entry){.kind = kind, .path = path, .value = value, .access = access};
	return;

short_of_memory:
	list->is_short = true;
	free(path);
	free(value);
}

void entries_remove(struct store_entries *list, const char *path)
{
	entries_add(list, ENTRY_REMOVE, strdup(path), NULL, (struct entry_access){0});
}

void entries_dir(struct store_entries *list, const char *path, struct entry_access access)
{
	entries_add(list, ENTRY_DIR, strdup(path), NULL, access);
}

void entries_set(struct store_entries *list, const char *dir, const char *key, const char *format,
		 ...)
{
	char *path = NULL, *value = NULL;
	va_list args;

	if (asprintf(&path, "%s%s%s", dir, *dir ? "/" : "", key) < 0)
		path = NULL;
	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		value = NULL;
	va_end(args);
	entries_add(list, ENTRY_SET, path, value, (struct entry_access){0});
}

const char *entries_find(const struct store_entries *list, const char *path)
{
	size_t i;

	for (i = list->nr; i > 0; i--)
		if (list->items[i - 1].kind == ENTRY_SET && !strcmp(list->items[i - 1].path, path))
			return list->items[i - 1].value;
	return NULL;
}

static int entry_write_dir(struct zstore *store, uint32_t tx, const struct store_entry *entry)
{
	const struct zstore_perm perms[2] = {
		{.domid = entry->access.owner, .bits = ZSTORE_PERM_NONE},
		{.domid = entry->access.reader, .bits = ZSTORE_PERM_READ},
	};
	int rc = zstore_mkdir(store, tx, entry->path);

	if (rc)
		return rc;
	return zstore_set_perms(store, tx, entry->path, perms,
				entry->access.reader == entry->access.owner ? 1 : 2);
}

static int entry_write(struct zstore *store, uint32_t tx, const struct store_entry *entry)
{
	int rc;

	switch (entry->kind) {
	case ENTRY_REMOVE:
		rc = zstore_rm(store, tx, entry->path);
		return rc == -ENOENT ? 0 : rc;
	case ENTRY_DIR:
		return entry_write_dir(store, tx, entry);
	case ENTRY_SET:
		return zstore_write_string(store, tx, entry->path, entry->value);
	}
	return -EINVAL;
}

static int entries_try(struct zstore *store, const struct store_entries *list)
{
	uint32_t tx;
	size_t i;
	int rc = zstore_begin(store, &tx);

	if (rc)
		return rc;
	for (i = 0; i < list->nr; i++) {
		rc = entry_write(store, tx, &list->items[i]);
		if (rc) {
			zstore_abort(store, tx);
			return rc;
		}
	}
	return zstore_commit(store, tx);
}

int entries_write(struct zstore *store, const struct store_entries *list)
{
	unsigned int tries;
	int rc = -EAGAIN;

	if (list->is_short)
		return -ENOMEM;
	for (tries = 0; rc == -EAGAIN && tries < COMMIT_TRIES; tries++)
		rc = entries_try(store, list);
	return rc;
}
