/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables, v1 and v2 (xen/grant_table.h): sharing, mapping and copying
 * frames between domains.
 *
 * Locks: a table's lock and, apart from it, a domain's maptrack lock.  Neither
 * is taken with interrupts off, nor inside the other, nor two of a kind.
 */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "mm/page.h"

struct grant_table;

/*
 * Limits from createdomain, in frames; < 0 for the default.  max_version: 1 or
 * 2.  0, -EINVAL, -ENOMEM
 */
must_check int grant_domain_init(struct domain *d, int32_t max_frames, int32_t max_maptrack,
				 unsigned int max_version);
/* Drops every mapping this domain holds of others' grants: 0 or -ERESTART */
must_check int grant_domain_release_mappings(struct domain *d);
/*
 * When nobody holds a reference to the domain any more: mappings that others
 * have of its grants hold one each, and need the table to end them.
 */
void grant_domain_destroy(struct domain *d);

/* HYPERVISOR_grant_table_op */
long hypercall_grant_table_op(const uint64_t *args);

/*
 * XENMEM_acquire_resource, and XENMEM_add_to_physmap for HVM: the machine
 * frame of a table frame; the table grows to have it.  0, -EINVAL, -ENOMEM
 */
must_check int grant_shared_frame(struct domain *d, unsigned int index, mfn_t *mfn);
must_check int grant_status_frame(struct domain *d, unsigned int index, mfn_t *mfn);

/*
 * A PV guest rewrites or drops a PTE that a grant mapped: the PTE's own page
 * and type references are all there is (GNTMAP_host_map by the PTE itself);
 * the maptrack entry stays until unmap, which finds the PTE changed and fails,
 * or until the domain ends.
 */

/* The domain builder writes an entry before the guest runs (console, store). -EINVAL: bad index */
must_check int grant_seed(struct domain *d, uint32_t ref, domid_t remote, uint64_t gfn);

void grant_dump(struct domain *d);

#endif
