/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking and changing a tree.  A change first makes every node on the way from
 * the root its own (node_own()), so that snapshots do not see it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

int usage_add(struct usage_list *list, uint16_t domid, long nodes, long bytes)
{
	struct usage *grown;

	for (size_t i = 0; i < list->count; i++) {
		if (list->entries[i].domid == domid) {
			list->entries[i].nodes += nodes;
			list->entries[i].bytes += bytes;
			return 0;
		}
	}
	grown = realloc(list->entries, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->entries = grown;
	grown[list->count++] = (struct usage){domid, nodes, bytes};
	return 0;
}

const struct usage *usage_find(const struct usage_list *list, uint16_t domid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->entries[i].domid == domid)
			return &list->entries[i];
	}
	return NULL;
}

void usage_fini(struct usage_list *list)
{
	free(list->entries);
	*list = (struct usage_list){0};
}

/* The next part of a path: moves *at beyond it and returns its length, 0 at the end. */
static size_t path_next_part(const char *path, size_t len, size_t *at, const char **part)
{
	size_t start = *at;

	while (start < len && path[start] == '/')
		start++;
	*part = path + start;
	*at = start;
	while (*at < len && path[*at] != '/')
		(*at)++;
	return *at - start;
}

struct node *tree_find_nearest(struct node *root, const char *path, size_t len,
			       unsigned int *missing)
{
	struct node *node = root;
	const char *part;
	size_t at = 0, part_len;
	int found;

	*missing = 0;
	while ((part_len = path_next_part(path, len, &at, &part))) {
		size_t i;

		if (*missing) {
			(*missing)++;
			continue;
		}
		i = node_find_child(node, part, part_len, &found);
		if (found)
			node = node->children[i];
		else
			*missing = 1;
	}
	return node;
}

struct node *tree_find(struct node *root, const char *path, size_t len)
{
	unsigned int missing;
	struct node *node = tree_find_nearest(root, path, len, &missing);

	return missing ? NULL : node;
}

/* A child as its parent's permissions make it, counted to its owner. */
static struct node *create_child(const struct node *parent, const char *name, size_t len,
				 uint16_t actor, struct usage_list *usage)
{
	struct node *child = node_create(name, len, parent->perms, parent->nr_perms);

	if (!child)
		return NULL;
	if (actor)
		child->perms[0].domid = actor;
	if (usage_add(usage, node_owner(child), 1, (long)node_cost(child))) {
		node_put(child);
		return NULL;
	}
	return child;
}

/* Owns the way to the node at path and hands it out; creates what is missing if told so. */
static int tree_own(struct node **root, const char *path, size_t len, const struct tree_op *create,
		    uint64_t gen, struct usage_list *usage, struct node **out)
{
	struct node *node = node_own(root), *child;
	const char *part;
	size_t at = 0, part_len, i;
	int found, created = 0;

	if (!node)
		return -ENOMEM;
	while ((part_len = path_next_part(path, len, &at, &part))) {
		i = node_find_child(node, part, part_len, &found);
		if (!found && !create)
			return -ENOENT;
		if (!found) {
			child = create_child(node, part, part_len, create->actor, usage);
			if (!child)
				return -ENOMEM;
			if (node_insert_child(node, i, child)) {
				node_put(child);
				return -ENOMEM;
			}
			child->value_gen = child->list_gen = node->list_gen = gen;
			child->writer = node->writer = create->actor;
			created = 1;
		}
		node = node_own(&node->children[i]);
		if (!node)
			return -ENOMEM;
	}
	*out = node;
	return created;
}

static int apply_write(struct node **root, const struct tree_op *op, uint64_t gen,
		       struct usage_list *usage)
{
	struct node *node;
	long before;
	int ret = tree_own(root, op->path, op->path_len, op, gen, usage, &node);

	if (ret < 0)
		return ret;
	before = (long)node_cost(node);
	ret = node_set_value(node, op->data, op->len);
	if (ret)
		return ret;
	node->value_gen = gen;
	node->writer = op->actor;
	ret = usage_add(usage, node_owner(node), 0, (long)node_cost(node) - before);
	return ret ? ret : 1;
}

static int apply_mkdir(struct node **root, const struct tree_op *op, uint64_t gen,
		       struct usage_list *usage)
{
	struct node *node;

	return tree_own(root, op->path, op->path_len, op, gen, usage, &node);
}

/* Counts a subtree, or, with sign -1, its loss. */
static int count_subtree(const struct node *node, long sign, struct usage_list *usage)
{
	int ret = usage_add(usage, node_owner(node), sign, sign * (long)node_cost(node));

	for (uint32_t i = 0; !ret && i < node->nr_children; i++)
		ret = count_subtree(node->children[i], sign, usage);
	return ret;
}

int tree_count_usage(const struct node *root, struct usage_list *usage)
{
	return count_subtree(root, 1, usage);
}

static int apply_rm(struct node **root, const struct tree_op *op, uint64_t gen,
		    struct usage_list *usage)
{
	size_t parent_len = path_parent_len(op->path, op->path_len), at;
	const char *name = op->path + parent_len + (parent_len > 1);
	struct node *parent;
	int found, ret;

	if (!tree_find(*root, op->path, op->path_len))
		return 0;
	ret = tree_own(root, op->path, parent_len, NULL, gen, usage, &parent);
	if (ret < 0)
		return ret;
	at = node_find_child(parent, name, (size_t)(op->path + op->path_len - name), &found);
	if (!found)
		return -ENOENT;
	ret = count_subtree(parent->children[at], -1, usage);
	if (ret)
		return ret;
	node_remove_child(parent, at);
	parent->list_gen = gen;
	parent->writer = op->actor;
	return 1;
}

static int apply_set_perms(struct node **root, const struct tree_op *op, uint64_t gen,
			   struct usage_list *usage)
{
	struct node *node;
	int ret = tree_own(root, op->path, op->path_len, NULL, gen, usage, &node);

	if (ret < 0)
		return ret;
	ret = usage_add(usage, node_owner(node), -1, -(long)node_cost(node));
	if (!ret)
		ret = node_set_perms(node, op->data, op->len / sizeof(struct perm));
	if (!ret)
		ret = usage_add(usage, node_owner(node), 1, (long)node_cost(node));
	node->value_gen = gen;
	node->writer = op->actor;
	return ret ? ret : 1;
}

int tree_apply(struct node **root, const struct tree_op *op, uint64_t gen, struct usage_list *usage)
{
	switch (op->kind) {
	case TREE_WRITE:
		return apply_write(root, op, gen, usage);
	case TREE_MKDIR:
		return apply_mkdir(root, op, gen, usage);
	case TREE_RM:
		return apply_rm(root, op, gen, usage);
	case TREE_SET_PERMS:
		return apply_set_perms(root, op, gen, usage);
	default:
		return -EINVAL;
	}
}

static bool is_named_in(const struct node *node, uint16_t domid)
{
	for (size_t i = 0; i < node->nr_perms; i++) {
		if (node->perms[i].domid == domid)
			return true;
	}
	return false;
}

static bool is_named_below(const struct node *node, uint16_t domid)
{
	if (is_named_in(node, domid))
		return true;
	for (uint32_t i = 0; i < node->nr_children; i++) {
		if (is_named_below(node->children[i], domid))
			return true;
	}
	return false;
}

static int purge_node(struct node *node, uint16_t domid, uint64_t gen, struct usage_list *usage)
{
	uint16_t kept = 1;
	int ret;

	ret = usage_add(usage, node_owner(node), -1, -(long)node_cost(node));
	if (ret)
		return ret;
	if (node->perms[0].domid == domid)
		node->perms[0].domid = 0;
	for (uint16_t i = 1; i < node->nr_perms; i++) {
		if (node->perms[i].domid != domid)
			node->perms[kept++] = node->perms[i];
	}
	node->nr_perms = kept;
	node->value_gen = gen;
	return usage_add(usage, node_owner(node), 1, (long)node_cost(node));
}

int tree_purge_domain(struct node **slot, uint16_t domid, uint64_t gen, struct usage_list *usage)
{
	struct node *node;
	int ret = 0;

	if (!is_named_below(*slot, domid))
		return 0;
	node = node_own(slot);
	if (!node)
		return -ENOMEM;
	if (is_named_in(node, domid))
		ret = purge_node(node, domid, gen, usage);
	for (uint32_t i = 0; !ret && i < node->nr_children; i++)
		ret = tree_purge_domain(&node->children[i], domid, gen, usage);
	return ret;
}
