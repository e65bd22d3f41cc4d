/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what: permissions and quotas, asked before anything changes.
 * See store.h for the contracts.
 */
#include <errno.h>

#include "store.h"

static bool node_allows(const struct node *node, const struct actor *actor, unsigned int wanted)
{
	return perms_allow(node->perms, node->nr_perms, actor, wanted);
}

struct node *access_find(struct node *root, const struct actor *actor, const struct path *path,
			 unsigned int wanted, int *error)
{
	unsigned int missing;
	struct node *node = tree_find_nearest(root, path->name, path->len, &missing);

	/*
	 * Whether a node exists is told only to those who might have used it:
	 * to the others, what is missing looks like what is forbidden.
	 */
	*error = 0;
	if (!node_allows(node, actor, missing ? wanted & ~PERM_OWNER : wanted))
		*error = -EACCES;
	else if (missing)
		*error = -ENOENT;
	return *error ? NULL : node;
}

bool access_may_see(struct node *old_root, struct node *new_root, const struct actor *actor,
		    const char *path, size_t len)
{
	struct node *node = tree_find(new_root, path, len);

	if (actor_is_privileged(actor))
		return true;
	if (node && node_allows(node, actor, PERM_READ))
		return true;
	node = tree_find(old_root, path, len);
	return node && node_allows(node, actor, PERM_READ);
}

/* Whether a domain would stay below its limits with so much more. */
static int check_account(const struct store *store, const struct usage_list *usage, uint16_t domid,
			 long nodes, long bytes)
{
	const struct usage *used = usage_find(usage, domid);
	const long *limit = store->quota.limit;

	if (!domid)
		return 0;
	if (used) {
		nodes += used->nodes;
		bytes += used->bytes;
	}
	if (nodes > 0 && store->accounts[domid].nodes + nodes > limit[QUOTA_NODES])
		return -ENOSPC;
	if (bytes > 0 && store->accounts[domid].bytes + bytes > limit[QUOTA_MEMORY])
		return -ENOSPC;
	return 0;
}

static int check_create(const struct store *store, const struct actor *actor,
			const struct node *parent, const struct usage_list *usage,
			const struct tree_op *op, unsigned int missing)
{
	size_t each = sizeof(struct node) + sizeof(void *) + parent->nr_perms * sizeof(struct perm);

	if (!node_allows(parent, actor, PERM_WRITE))
		return -EACCES;
	if (actor_is_privileged(actor))
		return 0;
	if ((long)(op->len + parent->nr_perms * sizeof(struct perm)) >
	    store->quota.limit[QUOTA_NODE_SIZE])
		return -ENOSPC;
	return check_account(store, usage, actor->domid, (long)missing,
			     (long)(missing * each + op->path_len + op->len));
}

static int check_write(const struct store *store, const struct actor *actor, struct node *node,
		       const struct usage_list *usage, const struct tree_op *op)
{
	if (!node_allows(node, actor, PERM_WRITE))
		return -EACCES;
	if (actor_is_privileged(actor) || op->kind == TREE_MKDIR)
		return 0;
	if ((long)(op->len + node->nr_perms * sizeof(struct perm)) >
	    store->quota.limit[QUOTA_NODE_SIZE])
		return -ENOSPC;
	return check_account(store, usage, node_owner(node), 0, (long)op->len - node->value_len);
}

static int check_rm(const struct actor *actor, struct node *node, unsigned int missing,
		    const struct tree_op *op)
{
	if (op->path_len == 1)
		return -EINVAL;
	if (missing > 1)
		return node_allows(node, actor, PERM_READ) ? -ENOENT : -EACCES;
	/* What lies below goes too, whoever owns it: it stands on this node. */
	return node_allows(node, actor, PERM_WRITE) ? 0 : -EACCES;
}

static int check_set_perms(const struct store *store, const struct actor *actor, struct node *node,
			   unsigned int missing, const struct usage_list *usage,
			   const struct tree_op *op)
{
	const struct perm *perms = op->data;
	size_t count = op->len / sizeof(*perms);

	if (missing)
		return node_allows(node, actor, PERM_READ) ? -ENOENT : -EACCES;
	if (!node_allows(node, actor, PERM_WRITE | PERM_OWNER))
		return -EACCES;
	if (actor_is_privileged(actor))
		return 0;
	if (perms[0].domid != node_owner(node))
		return -EPERM;
	if ((long)count > store->quota.limit[QUOTA_PERMS])
		return -ENOSPC;
	return check_account(store, usage, node_owner(node), 0,
			     ((long)count - node->nr_perms) * (long)sizeof(*perms));
}

int access_check_op(const struct store *store, const struct actor *actor, struct node *root,
		    const struct usage_list *usage, const struct tree_op *op)
{
	unsigned int missing;
	struct node *node = tree_find_nearest(root, op->path, op->path_len, &missing);

	switch (op->kind) {
	case TREE_WRITE:
	case TREE_MKDIR:
		if (missing)
			return check_create(store, actor, node, usage, op, missing);
		return check_write(store, actor, node, usage, op);
	case TREE_RM:
		return check_rm(actor, node, missing, op);
	case TREE_SET_PERMS:
		return check_set_perms(store, actor, node, missing, usage, op);
	default:
		return -EINVAL;
	}
}
