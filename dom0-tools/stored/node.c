/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes: creation, sharing, copying, children.  Knows nothing of paths.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

static size_t total_bytes;

size_t node_total_bytes(void)
{
	return total_bytes;
}

static size_t node_bytes(const struct node *node)
{
	return sizeof(*node) + node->name_len + 1 + node->value_len +
	       node->nr_children * sizeof(*node->children);
}

struct node *node_create(const char *name, size_t len, const struct perm *perms, size_t nr_perms)
{
	struct node *node = calloc(1, sizeof(*node) + len + 1);

	if (!node)
		return NULL;
	node->refs = 1;
	node->name_len = (uint32_t)len;
	memcpy(node->name, name, len);
	if (node_set_perms(node, perms, nr_perms)) {
		free(node);
		return NULL;
	}
	total_bytes += node_bytes(node);
	return node;
}

void node_put(struct node *node)
{
	if (!node || --node->refs)
		return;
	total_bytes -= node_bytes(node);
	for (uint32_t i = 0; i < node->nr_children; i++)
		node_put(node->children[i]);
	free(node->children);
	free(node->value);
	free(node->perms);
	free(node);
}

static struct node *node_clone(const struct node *node)
{
	struct node *copy = node_create(node->name, node->name_len, node->perms, node->nr_perms);

	if (!copy)
		return NULL;
	if (node_set_value(copy, node->value, node->value_len))
		goto put_copy;
	if (node->nr_children) {
		copy->children = malloc(node->nr_children * sizeof(*copy->children));
		if (!copy->children)
			goto put_copy;
		for (uint32_t i = 0; i < node->nr_children; i++)
			copy->children[i] = node_get(node->children[i]);
		copy->nr_children = node->nr_children;
		total_bytes += node->nr_children * sizeof(*copy->children);
	}
	copy->writer = node->writer;
	copy->value_gen = node->value_gen;
	copy->list_gen = node->list_gen;
	return copy;

put_copy:
	node_put(copy);
	return NULL;
}

struct node *node_own(struct node **slot)
{
	struct node *copy;

	if ((*slot)->refs == 1)
		return *slot;
	copy = node_clone(*slot);
	if (!copy)
		return NULL;
	node_put(*slot);
	*slot = copy;
	return copy;
}

static int name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

size_t node_find_child(const struct node *node, const char *name, size_t len, int *found)
{
	size_t low = 0, high = node->nr_children;

	*found = 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct node *child = node->children[middle];
		int order = name_compare(name, len, child->name, child->name_len);

		if (!order) {
			*found = 1;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int node_insert_child(struct node *node, size_t at, struct node *child)
{
	struct node **grown =
		realloc(node->children, (node->nr_children + 1) * sizeof(*node->children));

	if (!grown)
		return -ENOMEM;
	node->children = grown;
	memmove(grown + at + 1, grown + at, (node->nr_children - at) * sizeof(*grown));
	grown[at] = child;
	node->nr_children++;
	total_bytes += sizeof(*grown);
	return 0;
}

void node_remove_child(struct node *node, size_t at)
{
	struct node *child = node->children[at];

	node->nr_children--;
	total_bytes -= sizeof(*node->children);
	memmove(node->children + at, node->children + at + 1,
		(node->nr_children - at) * sizeof(*node->children));
	node_put(child);
}

int node_set_value(struct node *node, const void *value, size_t len)
{
	char *copy = NULL;

	if (len) {
		copy = malloc(len);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, value, len);
	}
	free(node->value);
	total_bytes = total_bytes - node->value_len + len;
	node->value = copy;
	node->value_len = (uint32_t)len;
	return 0;
}

int node_set_perms(struct node *node, const struct perm *perms, size_t count)
{
	struct perm *copy = malloc(count * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, perms, count * sizeof(*copy));
	free(node->perms);
	node->perms = copy;
	node->nr_perms = (uint16_t)count;
	return 0;
}

size_t node_cost(const struct node *node)
{
	return sizeof(*node) + sizeof(void *) + node->name_len + node->value_len +
	       node->nr_perms * sizeof(*node->perms);
}
