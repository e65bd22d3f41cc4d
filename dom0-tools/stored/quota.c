/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The limits by name, and their defaults: those of the stock daemon where it
 * has the same limit, so that a guest finds no difference.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"

static const struct {
	const char *name;
	long initial;
} quotas[QUOTA_KINDS] = {
	[QUOTA_NODES] = {"nodes", 1000},
	[QUOTA_NODE_SIZE] = {"node-size", 2048},
	[QUOTA_PERMS] = {"permissions", 5},
	[QUOTA_WATCHES] = {"watches", 128},
	[QUOTA_TRANSACTIONS] = {"transactions", 10},
	[QUOTA_TX_NODES] = {"transaction-nodes", 1024},
	[QUOTA_OUTSTANDING] = {"outstanding", 20},
	[QUOTA_EVENTS] = {"events", 512},
	[QUOTA_MEMORY] = {"memory", 2l << 20},
	[QUOTA_SNAPSHOTS] = {"snapshots", 16l << 20},
};

void quota_init(struct quota *quota)
{
	for (int i = 0; i < QUOTA_KINDS; i++)
		quota->limit[i] = quotas[i].initial;
}

const char *quota_name(enum quota_kind kind)
{
	return quotas[kind].name;
}

int quota_set(struct quota *quota, const char *name, const char *value)
{
	long number;
	char *end;

	for (int i = 0; i < QUOTA_KINDS; i++) {
		if (strcmp(quotas[i].name, name))
			continue;
		errno = 0;
		number = strtol(value, &end, 10);
		if (errno || end == value || *end || number <= 0 || number > INT_MAX)
			return -EINVAL;
		quota->limit[i] = number;
		return 0;
	}
	return -ENOENT;
}
