/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_dm_op (xen/hvm/dm_op.h): what a device model asks of the domain
 * it is the model of.  Buffer 0 holds the operation; a table says how much of
 * it each one has, and who does it.  The rest of the buffers is theirs.
 */
#include "domain/domain.h"
#include "hvm/event.h"
#include "hvm/hvm.h"
#include "hvm/ioreq.h"
#include "hvm/state.h"
#include "hypercall/hypercall.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/alloc.h"
#include "mm/memory_op.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

#define BUFFERS_MAX 2

struct dm_call {
	struct domain *d;
	struct xen_dm_op op;
	unsigned int nr_buffers;
	struct xen_dm_op_buf buffers[BUFFERS_MAX];
};

/* --- ioreq servers --- */

static int op_create(struct dm_call *c)
{
	struct xen_dm_op_create_ioreq_server *op = &c->op.u.create_ioreq_server;

	if (op->pad[0] || op->pad[1] || op->pad[2])
		return -EINVAL;
	return ioreq_server_create(c->d, op->handle_bufioreq, &op->id);
}

static int op_info(struct dm_call *c)
{
	return ioreq_server_info(c->d, &c->op.u.get_ioreq_server_info);
}

static int op_map_range(struct dm_call *c)
{
	const struct xen_dm_op_ioreq_server_range *op = &c->op.u.map_io_range_to_ioreq_server;

	return op->pad ? -EINVAL : ioreq_server_map_range(c->d, op);
}

static int op_unmap_range(struct dm_call *c)
{
	const struct xen_dm_op_ioreq_server_range *op = &c->op.u.unmap_io_range_from_ioreq_server;

	return op->pad ? -EINVAL : ioreq_server_unmap_range(c->d, op);
}

static int op_set_state(struct dm_call *c)
{
	const struct xen_dm_op_set_ioreq_server_state *op = &c->op.u.set_ioreq_server_state;

	return op->pad ? -EINVAL : ioreq_server_set_state(c->d, op->id, op->enabled);
}

static int op_destroy(struct dm_call *c)
{
	const struct xen_dm_op_destroy_ioreq_server *op = &c->op.u.destroy_ioreq_server;

	return op->pad ? -EINVAL : ioreq_server_destroy(c->d, op->id);
}

/* --- interrupts --- */

static int op_set_intx(struct dm_call *c)
{
	const struct xen_dm_op_set_pci_intx_level *op = &c->op.u.set_pci_intx_level;

	if (op->domain || op->bus || op->device > 31 || op->intx > 3 || op->level > 1)
		return -EINVAL;
	hvm_pci_intx_set(c->d, op->device, op->intx, op->level);
	return 0;
}

static int op_set_isa(struct dm_call *c)
{
	const struct xen_dm_op_set_isa_irq_level *op = &c->op.u.set_isa_irq_level;

	if (op->isa_irq > 15 || op->level > 1)
		return -EINVAL;
	hvm_isa_irq_set(c->d, op->isa_irq, op->level);
	return 0;
}

static int op_set_link(struct dm_call *c)
{
	const struct xen_dm_op_set_pci_link_route *op = &c->op.u.set_pci_link_route;

	return hvm_pci_link_set(c->d, op->link, op->isa_irq);
}

static int op_inject_msi(struct dm_call *c)
{
	const struct xen_dm_op_inject_msi *op = &c->op.u.inject_msi;

	return op->pad ? -EINVAL : hvm_msi_send(c->d, op->addr, op->data);
}

/* --- memory --- */

static bool range_is_bad(uint64_t first, uint64_t nr)
{
	return first + nr < first || (first + nr) >> (52 - PAGE_SHIFT);
}

static int op_track_dirty(struct dm_call *c)
{
	const struct xen_dm_op_track_dirty_vram *op = &c->op.u.track_dirty_vram;
	size_t bytes = DIV_ROUND_UP(op->nr, 8);
	unsigned long *bitmap;
	int rc;

	if (op->pad || op->nr > P2M_DIRTY_MAX || range_is_bad(op->first_pfn, op->nr))
		return -EINVAL;
	if (!op->nr)
		return 0; /* no more: what is still write-protected faults once and is RAM again */
	if (c->nr_buffers < 2 || c->buffers[1].size < bytes)
		return -EINVAL;
	bitmap = heap_alloc_array(BITS_TO_LONGS(op->nr), sizeof(*bitmap));
	if (!bitmap)
		return -ENOMEM;
	rc = p2m_dirty_take(c->d, GFN(op->first_pfn), op->nr, bitmap);
	if (!rc)
		rc = copy_out(c->buffers[1].h.p, bitmap, bytes);
	heap_free(bitmap);
	return rc;
}

/* What the device model wrote itself: nobody keeps a log of that, but it has to make sense. */
static int op_modified(struct dm_call *c)
{
	struct xen_dm_op_modified_memory *op = &c->op.u.modified_memory;

	if (op->opaque || c->nr_buffers < 2 ||
	    c->buffers[1].size / sizeof(struct xen_dm_op_modified_memory_extent) < op->nr_extents)
		return -EINVAL;
	return 0;
}

/* The types a device model gives its domain's RAM, and how they are kept. */
static int mem_type_of(uint16_t hvmmem, enum p2m_type *type)
{
	switch (hvmmem) {
	case HVMMEM_ram_rw:
		*type = P2M_RAM;
		return 0;
	case HVMMEM_ram_ro:
		*type = P2M_RAM_RO;
		return 0;
	case HVMMEM_mmio_dm:
		*type = P2M_MMIO;
		return 0;
	default:
		return -EINVAL;
	}
}

static int mem_type_set(struct domain *d, gfn_t gfn, enum p2m_type to)
{
	enum p2m_type from;

	(void)p2m_lookup(d, gfn, &from);
	if (from == P2M_NONE && to == P2M_MMIO)
		return 0; /* is a device's as it is */
	return p2m_change_type(d, gfn, from, to);
}

static int op_set_mem_type(struct dm_call *c)
{
	struct xen_dm_op_set_mem_type *op = &c->op.u.set_mem_type;
	enum p2m_type type;
	int rc = mem_type_of(op->mem_type, &type);

	if (rc || op->pad || range_is_bad(op->first_pfn, op->nr))
		return -EINVAL;
	for (; op->nr; op->nr--, op->first_pfn++) {
		rc = mem_type_set(c->d, GFN(op->first_pfn), type);
		if (rc)
			return rc;
		if (op->nr > 1 && hypercall_preempt_check()) {
			op->nr--;
			op->first_pfn++;
			return -ERESTART;
		}
	}
	return 0;
}

/* A frame of RAM goes from one place of d's memory to another; what was there is given up. */
static int ram_move(struct domain *d, gfn_t from, gfn_t to)
{
	enum p2m_type type, there;
	struct page *pg;
	int rc = -EINVAL;
	mfn_t mfn;

	if (from.v == to.v)
		return 0;
	pg = p2m_page_get(d, from, false, &type);
	if (!pg)
		return -EINVAL;
	mfn = page_to_mfn(pg);
	(void)p2m_lookup(d, to, &there);
	if (type == P2M_RAM || type == P2M_LOGDIRTY)
		rc = there == P2M_NONE ? 0 : p2m_give_up(d, to, 0);
	if (!rc)
		rc = p2m_remove(d, from, mfn);
	if (!rc)
		rc = p2m_set(d, to, mfn, 0, P2M_RAM);
	page_put(pg);
	return rc;
}

static int op_relocate(struct dm_call *c)
{
	struct xen_dm_op_relocate_memory *op = &c->op.u.relocate_memory;

	if (op->pad || range_is_bad(op->src_gfn, op->size) || range_is_bad(op->dst_gfn, op->size))
		return -EINVAL;
	for (; op->size; op->size--, op->src_gfn++, op->dst_gfn++) {
		int rc = ram_move(c->d, GFN(op->src_gfn), GFN(op->dst_gfn));

		if (rc)
			return rc;
		if (op->size > 1 && hypercall_preempt_check()) {
			op->size--;
			op->src_gfn++;
			op->dst_gfn++;
			return -ERESTART;
		}
	}
	return 0;
}

/* RAM is write-back, whatever it shows: emulated devices and the guest see the same caches. */
static int op_pin_cacheattr(struct dm_call *c)
{
	const struct xen_dm_op_pin_memory_cacheattr *op = &c->op.u.pin_memory_cacheattr;

	if (op->pad || op->start > op->end)
		return -EINVAL;
	switch (op->type) {
	case XEN_DMOP_MEM_CACHEATTR_UC:
	case XEN_DMOP_MEM_CACHEATTR_WC:
	case XEN_DMOP_MEM_CACHEATTR_WT:
	case XEN_DMOP_MEM_CACHEATTR_WP:
	case XEN_DMOP_MEM_CACHEATTR_WB:
	case XEN_DMOP_MEM_CACHEATTR_UCM:
	case XEN_DMOP_DELETE_MEM_CACHEATTR:
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- the domain --- */

static int op_shutdown(struct dm_call *c)
{
	uint32_t reason = c->op.u.remote_shutdown.reason;

	if (reason > SHUTDOWN_MAX)
		return -EINVAL;
	domain_shutdown(c->d, reason);
	return 0;
}

static int op_nr_vcpus(struct dm_call *c)
{
	c->op.u.nr_vcpus.vcpus = c->d->max_vcpus;
	return 0;
}

/* --- the call --- */

#define OP(member, has_output, fn)                                        \
	{                                                                 \
		sizeof(((struct xen_dm_op *)0)->u.member), has_output, fn \
	}

static const struct {
	uint8_t size; /* behind the operation's number */
	bool has_output;
	int (*fn)(struct dm_call *c);
} ops[] = {
	[XEN_DMOP_create_ioreq_server] = OP(create_ioreq_server, true, op_create),
	[XEN_DMOP_get_ioreq_server_info] = OP(get_ioreq_server_info, true, op_info),
	[XEN_DMOP_map_io_range_to_ioreq_server] =
		OP(map_io_range_to_ioreq_server, false, op_map_range),
	[XEN_DMOP_unmap_io_range_from_ioreq_server] =
		OP(unmap_io_range_from_ioreq_server, false, op_unmap_range),
	[XEN_DMOP_set_ioreq_server_state] = OP(set_ioreq_server_state, false, op_set_state),
	[XEN_DMOP_destroy_ioreq_server] = OP(destroy_ioreq_server, false, op_destroy),
	[XEN_DMOP_track_dirty_vram] = OP(track_dirty_vram, false, op_track_dirty),
	[XEN_DMOP_set_pci_intx_level] = OP(set_pci_intx_level, false, op_set_intx),
	[XEN_DMOP_set_isa_irq_level] = OP(set_isa_irq_level, false, op_set_isa),
	[XEN_DMOP_set_pci_link_route] = OP(set_pci_link_route, false, op_set_link),
	[XEN_DMOP_modified_memory] = OP(modified_memory, false, op_modified),
	[XEN_DMOP_set_mem_type] = OP(set_mem_type, true, op_set_mem_type),
	[XEN_DMOP_inject_msi] = OP(inject_msi, false, op_inject_msi),
	[XEN_DMOP_remote_shutdown] = OP(remote_shutdown, false, op_shutdown),
	[XEN_DMOP_relocate_memory] = OP(relocate_memory, true, op_relocate),
	[XEN_DMOP_pin_memory_cacheattr] = OP(pin_memory_cacheattr, false, op_pin_cacheattr),
	[XEN_DMOP_nr_vcpus] = OP(nr_vcpus, true, op_nr_vcpus),
};

/* How much of buffer 0 the operation has, once its number is read; -E */
static long op_copy_in(struct dm_call *c)
{
	void *guest = c->buffers[0].h.p;
	size_t head = offsetof(struct xen_dm_op, u), size;

	if (c->buffers[0].size < head)
		return -EINVAL;
	if (copy_in(&c->op, guest, head))
		return -EFAULT;
	if (c->op.op >= ARRAY_SIZE(ops) || !ops[c->op.op].fn)
		return -EOPNOTSUPP;
	size = head + ops[c->op.op].size;
	if (c->op.pad || c->buffers[0].size < size)
		return -EINVAL;
	if (copy_in(&c->op.u, (char *)guest + head, size - head))
		return -EFAULT;
	return size;
}

static long call_do(struct dm_call *c)
{
	long size = op_copy_in(c);
	long rc;

	if (size < 0)
		return size;
	rc = ops[c->op.op].fn(c);
	if ((!rc || rc == -ERESTART) && ops[c->op.op].has_output &&
	    copy_out(c->buffers[0].h.p, &c->op, size))
		return -EFAULT;
	return rc;
}

long hypercall_dm_op(const uint64_t *args)
{
	struct dm_call c = {.nr_buffers = MIN(args[1], BUFFERS_MAX)};
	long rc;

	if (!c.nr_buffers)
		return -EINVAL;
	if (copy_in(c.buffers, (const void *)args[2], c.nr_buffers * sizeof(c.buffers[0])))
		return -EFAULT;
	rc = domain_get_controlled(args[0], &c.d);
	if (rc)
		return rc;
	if (c.d == current->domain)
		rc = -EPERM;
	else if (c.d->type != DOMAIN_HVM)
		rc = -EINVAL;
	else
		rc = call_do(&c);
	domain_put(c.d);
	if (rc == -ERESTART)
		rc = hypercall_continue(__HYPERVISOR_dm_op, args, 3);
	return rc;
}
