/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ioreq servers (xen/hvm/ioreq.h, hvm/dm_op.h): the device models of a domain,
 * each with the ranges of ports, memory and PCI functions it answers for, a
 * page of requests (a slot for each vCPU) and a ring for writes nobody waits for.
 *
 * What a device model writes in its pages is as hostile as a guest: it can
 * harm, stop or end the domain it is the model of, nothing else.
 */
#ifndef HVM_IOREQ_H
#define HVM_IOREQ_H

#include "hvm/io.h"
#include "lib/types.h"

#include <xen/hvm/dm_op.h>

#define IOREQ_SERVERS_MAX 8 /* bits of hvm_io_state.waits_for */

must_check int ioreq_domain_init(struct domain *d); /* -ENOMEM */
/* Teardown, before its p2m goes: no vCPU of it runs any more; all servers end. */
void ioreq_domain_relinquish(struct domain *d);
void ioreq_domain_fini(struct domain *d);

/* --- requests; the current vCPU's --- */

enum ioreq_sent {
	IOREQ_NOBODY, /* no server is there for it */
	IOREQ_SENT,   /* v->hvm->io waits for it */
	IOREQ_DONE,   /* a write that needs no answer */
};
must_check enum ioreq_sent ioreq_send(struct vcpu *v, const struct hvm_io *io);
/*
 * The address register of PCI configuration accesses, which reach their server with the address
 * in them: kept here, so that a kernel that looks for 8,000 functions waits for none of them that
 * is not there.  False: another access.
 */
must_check bool ioreq_pci_address_access(struct vcpu *v, struct hvm_io *io);
/* Would one server answer for all of it? */
must_check bool ioreq_has_server(struct vcpu *v, const struct hvm_io *io);
/* IOREQ_TYPE_INVALIDATE to all; v->hvm->io waits for them. */
void ioreq_send_invalidate(struct vcpu *v);
/*
 * Have all that v->hvm->io waits for answered?  What was answered is in ask.data
 * (ones by a server that has gone).
 */
must_check bool ioreq_is_answered(struct vcpu *v);

/* --- what device models ask (dm_op.c); d is not the caller's domain --- */

/* The caller's new server: 0 with *id, -EINVAL, -ENOSPC, -ENOMEM */
must_check int ioreq_server_create(struct domain *d, uint8_t bufioreq, ioservid_t *id);
/* All below: -ENOENT (no such server), -EPERM (another domain's). */
must_check int ioreq_server_destroy(struct domain *d, ioservid_t id);
/* -EOPNOTSUPP without XEN_DMOP_no_gfns: its pages are no memory of the guest's. */
must_check int ioreq_server_info(struct domain *d, struct xen_dm_op_get_ioreq_server_info *info);
/*
 * -EINVAL; map: -EEXIST (overlaps one of its own), -ENOSPC, -ENOMEM;
 * unmap: -ENOENT (not all of it was its)
 */
must_check int ioreq_server_map_range(struct domain *d,
				      const struct xen_dm_op_ioreq_server_range *r);
must_check int ioreq_server_unmap_range(struct domain *d,
					const struct xen_dm_op_ioreq_server_range *r);
must_check int ioreq_server_set_state(struct domain *d, ioservid_t id, bool enabled);

/*
 * XENMEM_acquire_resource, type ioreq_server: frame 0 the buffered ring, 1 the requests:
 * pages of the hypervisor's that d owns.  -EINVAL, -ENOENT, -EPERM
 */
must_check int ioreq_server_frame(struct domain *d, uint32_t id, uint64_t frame, mfn_t *mfn);

#endif
