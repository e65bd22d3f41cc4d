/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A store and a hypervisor for the tests of zl and libzdevice: a tree of nodes in memory, with
 * transactions that can be made to conflict, and a list of domains. They stand in for libzstore
 * and libzhyp at link time.
 */
#ifndef TEST_ZL_FIXTURE_H
#define TEST_ZL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"
#include "zl/zl.h"

/* Empty store, no domain but dom0; `zl` is connected to both. */
void fake_reset(struct zl *zl);

/* Put a node there, and those above it, outside any transaction. */
void fake_store_set(const char *path, const char *value);
/* NULL: no such node. */
const char *fake_store_get(const char *path);
/* "n0,r3": the owner's letter and number, then the others'; "": none were set on this node. */
const char *fake_store_perms(const char *path);
size_t fake_store_count(void);
/* The next so many commits fail as if somebody else had written. */
extern unsigned int fake_store_conflicts;
/*
 * Called once, by the next look for a watch event, which then finds one: what somebody else does
 * to the store meanwhile.
 */
extern void (*fake_store_meanwhile)(void);
/* Commits that succeeded, and writes made outside a transaction. */
extern unsigned int fake_store_commits;
extern unsigned int fake_store_loose_writes;

/* Add a domain; its UUID is sixteen times `uuid_byte`. */
struct xen_domctl_getdomaininfo *fake_domain_add(domid_t domid, uint8_t uuid_byte);
bool fake_domain_exists(domid_t domid);

#endif
