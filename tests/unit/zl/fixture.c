/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake store and hypervisor. Each does what the real one promises, in the simplest way: paths
 * in an array, transactions by copying it.
 */
#include "fixture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "store/zstore.h"
#include "zl/reason.h"

#define NODES_MAX   400
#define DOMAINS_MAX 300

struct node {
	char path[128];
	char value[128];
	char perms[32];
};

struct tree {
	struct node nodes[NODES_MAX];
	size_t nr;
};

static struct tree tree, saved;
static bool in_transaction;
static struct xen_domctl_getdomaininfo domains[DOMAINS_MAX];
static unsigned int nr_domains;

void (*fake_store_meanwhile)(void);
unsigned int fake_store_conflicts;
unsigned int fake_store_commits;
unsigned int fake_store_loose_writes;

void fake_reset(struct zl *zl)
{
	memset(&tree, 0, sizeof(tree));
	in_transaction = false;
	fake_store_conflicts = 0;
	fake_store_meanwhile = NULL;
	fake_store_commits = 0;
	fake_store_loose_writes = 0;
	nr_domains = 0;
	fake_domain_add(0, 0);
	if (zl) {
		zl->hyp = (struct hyp *)&domains;
		zl->store = (struct zstore *)&tree;
	}
}

static struct node *node_find(const char *path)
{
	for (size_t i = 0; i < tree.nr; i++)
		if (!strcmp(tree.nodes[i].path, path))
			return &tree.nodes[i];
	return NULL;
}

static struct node *node_make(const char *path)
{
	struct node *node = node_find(path);
	char parent[128];
	char *slash;

	if (node)
		return node;
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		node_make(parent);
	}
	if (tree.nr == NODES_MAX)
		abort();
	node = &tree.nodes[tree.nr++];
	memset(node, 0, sizeof(*node));
	snprintf(node->path, sizeof(node->path), "%s", path);
	return node;
}

void fake_store_set(const char *path, const char *value)
{
	struct node *node = node_make(path);

	snprintf(node->value, sizeof(node->value), "%s", value);
}

const char *fake_store_get(const char *path)
{
	struct node *node = node_find(path);

	return node ? node->value : NULL;
}

const char *fake_store_perms(const char *path)
{
	struct node *node = node_find(path);

	return node ? node->perms : NULL;
}

size_t fake_store_count(void)
{
	return tree.nr;
}

static void note_write(uint32_t tx)
{
	if (tx == ZSTORE_NO_TX)
		fake_store_loose_writes++;
}

int zstore_open(struct zstore **store, unsigned int flags)
{
	(void)flags;
	*store = (struct zstore *)&tree;
	return 0;
}

void zstore_close(struct zstore *store)
{
	(void)store;
}

int zstore_read(struct zstore *store, uint32_t tx, const char *path, char **value, size_t *len)
{
	struct node *node = node_find(path);

	(void)store;
	(void)tx;
	if (!node)
		return -ENOENT;
	*value = strdup(node->value);
	if (len)
		*len = strlen(node->value);
	return 0;
}

int zstore_read_number(struct zstore *store, uint32_t tx, const char *path, long long *number)
{
	char *value;
	int rc = zstore_read(store, tx, path, &value, NULL);

	if (rc)
		return rc;
	rc = *value >= '0' && *value <= '9' ? 0 : -EINVAL;
	*number = atoll(value);
	free(value);
	return rc;
}

int zstore_write_string(struct zstore *store, uint32_t tx, const char *path, const char *value)
{
	(void)store;
	note_write(tx);
	fake_store_set(path, value);
	return 0;
}

int zstore_mkdir(struct zstore *store, uint32_t tx, const char *path)
{
	(void)store;
	note_write(tx);
	node_make(path);
	return 0;
}

int zstore_rm(struct zstore *store, uint32_t tx, const char *path)
{
	size_t i, kept = 0, len = strlen(path);
	bool found = node_find(path) != NULL;

	(void)store;
	note_write(tx);
	for (i = 0; i < tree.nr; i++) {
		const char *p = tree.nodes[i].path;

		if (strncmp(p, path, len) || (p[len] != '/' && p[len]))
			tree.nodes[kept++] = tree.nodes[i];
	}
	tree.nr = kept;
	return found ? 0 : -ENOENT;
}

int zstore_list(struct zstore *store, uint32_t tx, const char *path, char ***names)
{
	size_t i, len = strlen(path);
	int nr = 0;

	(void)store;
	(void)tx;
	if (!node_find(path))
		return -ENOENT;
	*names = calloc(tree.nr, sizeof(**names));
	for (i = 0; i < tree.nr; i++) {
		const char *p = tree.nodes[i].path;

		if (!strncmp(p, path, len) && p[len] == '/' && !strchr(p + len + 1, '/'))
			(*names)[nr++] = strdup(p + len + 1);
	}
	return nr;
}

void zstore_free_names(char **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

int zstore_set_perms(struct zstore *store, uint32_t tx, const char *path,
		     const struct zstore_perm *perms, size_t count)
{
	static const char letters[] = "nrwb";
	struct node *node = node_find(path);
	int len = 0;

	(void)store;
	note_write(tx);
	if (!node)
		return -ENOENT;
	for (size_t i = 0; i < count; i++)
		len += snprintf(node->perms + len, sizeof(node->perms) - (size_t)len, "%s%c%u",
				i ? "," : "", letters[perms[i].bits], perms[i].domid);
	return 0;
}

int zstore_begin(struct zstore *store, uint32_t *tx)
{
	(void)store;
	saved = tree;
	in_transaction = true;
	*tx = 1;
	return 0;
}

int zstore_abort(struct zstore *store, uint32_t tx)
{
	(void)store;
	(void)tx;
	tree = saved;
	in_transaction = false;
	return 0;
}

int zstore_commit(struct zstore *store, uint32_t tx)
{
	if (fake_store_conflicts) {
		fake_store_conflicts--;
		zstore_abort(store, tx);
		return -EAGAIN;
	}
	fake_store_commits++;
	in_transaction = false;
	return 0;
}

int zstore_watch(struct zstore *store, const char *path, const char *token)
{
	(void)store;
	(void)path;
	(void)token;
	return 0;
}

int zstore_unwatch(struct zstore *store, const char *path, const char *token)
{
	return zstore_watch(store, path, token);
}

int zstore_next_event(struct zstore *store, int timeout_ms, struct zstore_event *event)
{
	void (*meanwhile)(void) = fake_store_meanwhile;

	(void)store;
	(void)timeout_ms;
	if (!meanwhile)
		return -EAGAIN;
	fake_store_meanwhile = NULL;
	meanwhile();
	event->path = strdup("somewhere");
	event->token = strdup("test");
	return 0;
}

void zstore_free_event(struct zstore_event *event)
{
	free(event->path);
	free(event->token);
}

int zstore_fd(const struct zstore *store)
{
	(void)store;
	return -1;
}

int zstore_release(struct zstore *store, unsigned int domid)
{
	(void)store;
	(void)domid;
	return 0;
}

struct xen_domctl_getdomaininfo *fake_domain_add(domid_t domid, uint8_t uuid_byte)
{
	struct xen_domctl_getdomaininfo *info = &domains[nr_domains++];

	memset(info, 0, sizeof(*info));
	info->domain = domid;
	memset(info->handle, uuid_byte, sizeof(info->handle));
	return info;
}

bool fake_domain_exists(domid_t domid)
{
	struct xen_domctl_getdomaininfo info;

	return !hyp_domain_get_info(NULL, domid, &info);
}

int hyp_open(struct hyp **out)
{
	*out = (struct hyp *)&domains;
	return 0;
}

void hyp_close(struct hyp *hyp)
{
	(void)hyp;
}

int hyp_domain_get_info(struct hyp *hyp, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
	(void)hyp;
	for (unsigned int i = 0; i < nr_domains; i++) {
		if (domains[i].domain == domid) {
			*info = domains[i];
			return 0;
		}
	}
	return -ESRCH;
}

int hyp_domain_list(struct hyp *hyp, domid_t first, struct xen_domctl_getdomaininfo *info,
		    unsigned int max)
{
	unsigned int nr = 0;

	(void)hyp;
	for (unsigned int i = 0; i < nr_domains && nr < max; i++)
		if (domains[i].domain >= first)
			info[nr++] = domains[i];
	return (int)nr;
}

int hyp_domain_destroy(struct hyp *hyp, domid_t domid)
{
	(void)hyp;
	for (unsigned int i = 0; i < nr_domains; i++) {
		if (domains[i].domain != domid)
			continue;
		memmove(&domains[i], &domains[i + 1], (nr_domains - i - 1) * sizeof(domains[0]));
		nr_domains--;
		return 0;
	}
	return -ESRCH;
}

char *reason_get(struct zl *zl, domid_t domid)
{
	(void)zl;
	return domid == 66 ? strdup("triple fault") : NULL;
}
