/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store as a whole: its beginning and end, and the one way in which the
 * tree changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "store.h"
#include "watch.h"

static const char *const special_paths[SPECIAL_KINDS] = {
	[SPECIAL_INTRODUCE] = "@introduceDomain",
	[SPECIAL_RELEASE] = "@releaseDomain",
};

int special_set_perms(struct special *special, const struct perm *perms, size_t count)
{
	struct perm *copy = malloc(count * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, perms, count * sizeof(*copy));
	free(special->perms);
	special->perms = copy;
	special->nr_perms = count;
	return 0;
}

struct special *store_find_special(struct store *store, const char *path)
{
	for (int i = 0; i < SPECIAL_KINDS; i++) {
		if (!strcmp(store->specials[i].path, path))
			return &store->specials[i];
	}
	return NULL;
}

int store_init(struct store *store, const struct store_ops *ops, void *ops_data)
{
	const struct perm nobody = {0, PERM_NONE};

	memset(store, 0, sizeof(*store));
	store->ops = ops;
	store->ops_data = ops_data;
	store->next_tx = 1;
	quota_init(&store->quota);
	list_init(&store->conns);
	list_init(&store->domains);
	for (int i = 0; i < SPECIAL_KINDS; i++) {
		store->specials[i].path = special_paths[i];
		if (special_set_perms(&store->specials[i], &nobody, 1))
			goto fini;
	}
	store->accounts = calloc(DOMIDS, sizeof(*store->accounts));
	store->root = node_create("", 0, &nobody, 1);
	if (!store->accounts || !store->root)
		goto fini;
	store->accounts[0].nodes = 1;
	store->accounts[0].bytes = store->bytes = (long)node_cost(store->root);
	return 0;

fini:
	store_fini(store);
	return -ENOMEM;
}

void store_fini(struct store *store)
{
	node_put(store->root);
	free(store->accounts);
	for (int i = 0; i < SPECIAL_KINDS; i++)
		free(store->specials[i].perms);
}

int store_populate(struct store *store)
{
	static const char path[] = "/tool/xenstored";
	const struct tree_op op = {
		.kind = TREE_MKDIR,
		.path = path,
		.path_len = sizeof(path) - 1,
	};
	struct node *old_root;
	int ret = store_change(store, NULL, &op, 1, &old_root);

	if (!ret)
		node_put(old_root);
	return ret;
}

static void apply_usage(struct store *store, const struct usage_list *usage)
{
	for (size_t i = 0; i < usage->count; i++) {
		const struct usage *entry = &usage->entries[i];

		store->accounts[entry->domid].nodes += entry->nodes;
		store->accounts[entry->domid].bytes += entry->bytes;
		store->bytes += entry->bytes;
	}
}

int store_change(struct store *store, const struct actor *actor, const struct tree_op *ops,
		 size_t count, struct node **old_root)
{
	struct node *root = node_get(store->root);
	struct usage_list usage = {0};
	uint64_t gen = store->gen + 1;
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		if (actor)
			ret = access_check_op(store, actor, root, &usage, &ops[i]);
		if (!ret)
			ret = tree_apply(&root, &ops[i], gen, &usage);
		if (ret < 0)
			goto put_root;
		ret = 0;
	}
	for (size_t i = 0; i < count; i++)
		journal_tree_op(store->journal, &ops[i]);
	apply_usage(store, &usage);
	store->gen = gen;
	*old_root = store->root;
	store->root = root;
	usage_fini(&usage);
	return 0;

put_root:
	node_put(root);
	usage_fini(&usage);
	return ret;
}

void store_fire(struct store *store, const struct tree_op *ops, size_t count, struct node *old_root)
{
	for (size_t i = 0; i < count; i++)
		watch_fire_op(store, old_root, &ops[i]);
	node_put(old_root);
}

static void special_purge(struct special *special, uint16_t domid)
{
	size_t kept = 1;

	if (special->perms[0].domid == domid)
		special->perms[0].domid = 0;
	for (size_t i = 1; i < special->nr_perms; i++) {
		if (special->perms[i].domid != domid)
			special->perms[kept++] = special->perms[i];
	}
	special->nr_perms = kept;
}

int store_purge_domain(struct store *store, uint16_t domid)
{
	struct node *root = node_get(store->root);
	struct usage_list usage = {0};
	int ret;

	ret = tree_purge_domain(&root, domid, store->gen + 1, &usage);
	if (ret) {
		node_put(root);
		goto fini_usage;
	}
	journal_purge(store->journal, domid);
	store->gen++;
	apply_usage(store, &usage);
	node_put(store->root);
	store->root = root;
	for (int i = 0; i < SPECIAL_KINDS; i++)
		special_purge(&store->specials[i], domid);
fini_usage:
	usage_fini(&usage);
	return ret;
}
