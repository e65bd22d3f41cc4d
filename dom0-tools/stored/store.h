/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state of the daemon apart from its file descriptors and mappings:
 * what the tests and the fuzzer drive, and what the journal keeps.
 */
#ifndef ZSTORED_STORE_H
#define ZSTORED_STORE_H

#include "list.h"
#include "quota.h"
#include "tree.h"

struct conn;
struct domain;
struct journal;
struct store;
struct watch;

#define DOMIDS 65536u
/* The first number that is no domain's: DOMID_FIRST_RESERVED in xen/xen.h. */
#define DOMID_LIMIT   0x7ff0u
#define WATCH_BUCKETS 1024u

enum special_kind {
	SPECIAL_INTRODUCE,
	SPECIAL_RELEASE,
	SPECIAL_KINDS,
};

/* "@introduceDomain" and "@releaseDomain": no node, but with permissions. */
struct special {
	const char *path;
	struct perm *perms;
	size_t nr_perms;
};

struct account {
	long nodes;
	long bytes;
};

/* What the core needs done outside of it; absent members do nothing. */
struct store_ops {
	/* Maps the ring and binds the channel of a domain just introduced. */
	int (*attach)(struct store *store, struct domain *domain);
	void (*detach)(struct store *store, struct domain *domain);
	/* Output is waiting on the connection. */
	void (*kick)(struct store *store, struct conn *conn);
	void (*log)(struct store *store, const char *message);
};

struct store {
	struct node *root;
	uint64_t gen;
	uint32_t next_tx;
	struct special specials[SPECIAL_KINDS];
	struct account *accounts; /* DOMIDS of them */
	long bytes;		  /* of all accounts */
	struct quota quota;
	struct list conns;
	struct list domains;
	struct watch *watch_buckets[WATCH_BUCKETS];
	unsigned int nr_watches;
	struct journal *journal; /* NULL: nothing is kept */
	const struct store_ops *ops;
	void *ops_data;
	uint64_t now_ms; /* the caller's clock, set before each call */
	bool is_traced;
};

int store_init(struct store *store, const struct store_ops *ops, void *ops_data);
/* Every connection and domain must be gone. */
void store_fini(struct store *store);
/* The nodes a new store begins with. */
int store_populate(struct store *store);

struct special *store_find_special(struct store *store, const char *path);
int special_set_perms(struct special *special, const struct perm *perms, size_t count);

/*
 * Whether the actor may make this change to the tree at root, given what it has
 * used up to now (usage comes on top of the accounts): 0, -EACCES, -ENOENT,
 * -EPERM, -EINVAL or -ENOSPC.
 */
int access_check_op(const struct store *store, const struct actor *actor, struct node *root,
		    const struct usage_list *usage, const struct tree_op *op);
/* The node, if the actor may do with it what it wants: else NULL and *error. */
struct node *access_find(struct node *root, const struct actor *actor, const struct path *path,
			 unsigned int wanted, int *error);
/* Whether an event about this path may be told to the actor. */
bool access_may_see(struct node *old_root, struct node *new_root, const struct actor *actor,
		    const char *path, size_t len);

/*
 * Makes the changes of one request or transaction real, all or none: checked if
 * there is an actor, written to the journal, counted.  *old_root is the tree as
 * it was, a reference of the caller's, for store_fire().
 */
int store_change(struct store *store, const struct actor *actor, const struct tree_op *ops,
		 size_t count, struct node **old_root);
/* Tells the watches, after the answer is queued; drops old_root. */
void store_fire(struct store *store, const struct tree_op *ops, size_t count,
		struct node *old_root);
int store_purge_domain(struct store *store, uint16_t domid);

#endif
