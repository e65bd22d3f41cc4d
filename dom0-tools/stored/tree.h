/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees of nodes, addressed by absolute paths, and the four changes that can be
 * made to one.  Changes are values (struct tree_op): a transaction keeps a list
 * of them, the journal writes them down, and both apply them again later.
 * Nothing here asks whether the change is allowed; see access.h.
 */
#ifndef ZSTORED_TREE_H
#define ZSTORED_TREE_H

#include "node.h"
#include "path.h"

enum tree_op_kind {
	TREE_WRITE,
	TREE_MKDIR,
	TREE_RM,
	TREE_SET_PERMS,
	TREE_OP_KINDS,
};

struct tree_op {
	enum tree_op_kind kind;
	uint16_t actor; /* owner of what is created, unless 0 */
	const char *path;
	size_t path_len;
	const void *data; /* the value, or an array of struct perm */
	size_t len;	  /* in bytes */
};

/* Nodes and bytes that domains gained or lost. */
struct usage {
	uint16_t domid;
	long nodes;
	long bytes;
};

struct usage_list {
	struct usage *entries;
	size_t count;
};

int usage_add(struct usage_list *list, uint16_t domid, long nodes, long bytes);
const struct usage *usage_find(const struct usage_list *list, uint16_t domid);
void usage_fini(struct usage_list *list);

struct node *tree_find(struct node *root, const char *path, size_t len);
/* The node itself or its nearest ancestor that exists; *missing counts the levels between. */
struct node *tree_find_nearest(struct node *root, const char *path, size_t len,
			       unsigned int *missing);
/*
 * Applies one change to the tree at *root, stamping what changes with gen, and
 * adds what it costs to usage.  Returns 1 if anything changed, 0 if not, or
 * -ENOMEM; then *root is to be thrown away.
 */
int tree_apply(struct node **root, const struct tree_op *op, uint64_t gen,
	       struct usage_list *usage);
/* What every owner has in the tree. */
int tree_count_usage(const struct node *root, struct usage_list *usage);
/*
 * A domain is gone: what it owned becomes domain 0's, and it leaves every list
 * of permissions, so that a later domain of the same number inherits nothing.
 */
int tree_purge_domain(struct node **root, uint16_t domid, uint64_t gen, struct usage_list *usage);

#endif
