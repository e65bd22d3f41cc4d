/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes of the store.  A node is shared by every tree that holds it and never
 * changes while more than one does: who wants to change it makes its own copy
 * first (node_own()).  A snapshot of a tree is thus one more reference to its
 * root.
 */
#ifndef ZSTORED_NODE_H
#define ZSTORED_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "perms.h"

struct node {
	uint32_t refs;
	uint32_t nr_children;
	uint32_t value_len;
	uint16_t nr_perms;
	uint16_t writer;    /* the domain that changed it last */
	uint64_t value_gen; /* changes with the value and the permissions */
	uint64_t list_gen;  /* changes with the list of children */
	char *value;
	struct perm *perms;
	struct node **children; /* sorted by name */
	uint32_t name_len;
	char name[];
};

struct node *node_create(const char *name, size_t len, const struct perm *perms, size_t nr_perms);
static inline struct node *node_get(struct node *node)
{
	node->refs++;
	return node;
}
/* Drops one reference; the last one frees the node and drops its children. */
void node_put(struct node *node);
/* Replaces *slot by a copy if others hold it too.  NULL: no memory, *slot as before. */
struct node *node_own(struct node **slot);

/* Where the child is or would be; *found says which. */
size_t node_find_child(const struct node *node, const char *name, size_t len, int *found);

/* Only on a node of one's own. */
int node_insert_child(struct node *node, size_t at, struct node *child);
void node_remove_child(struct node *node, size_t at);
int node_set_value(struct node *node, const void *value, size_t len);
int node_set_perms(struct node *node, const struct perm *perms, size_t count);

/* What a node costs its owner, in bytes. */
size_t node_cost(const struct node *node);
/*
 * Bytes of all nodes there are, whichever trees hold them; without permissions, of which a node
 * has few.
 */
size_t node_total_bytes(void);
static inline uint16_t node_owner(const struct node *node)
{
	return node->perms[0].domid;
}

#endif
