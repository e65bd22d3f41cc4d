/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_dm_op: who may call it, how its buffers are read, and each
 * operation's checks.  What is behind them is recorded, not done.
 *
 * Links: hvm/dm_op.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake.h"
#include "fake_vendor.h"
#include "hvm/hvm.h"
#include "hvm/ioreq.h"
#include "hypercall/hypercall.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

/* --- what is behind it --- */

static char done[256]; /* the last thing that was done */
static int result;     /* of it */

#define DID(...)                                           \
	do {                                               \
		snprintf(done, sizeof(done), __VA_ARGS__); \
	} while (0)

int ioreq_server_create(struct domain *d, uint8_t bufioreq, ioservid_t *id)
{
	DID("create %u", bufioreq);
	*id = 3;
	return result;
}

int ioreq_server_destroy(struct domain *d, ioservid_t id)
{
	DID("destroy %u", id);
	return result;
}

int ioreq_server_info(struct domain *d, struct xen_dm_op_get_ioreq_server_info *info)
{
	DID("info %u", info->id);
	info->bufioreq_port = 17;
	return result;
}

int ioreq_server_map_range(struct domain *d, const struct xen_dm_op_ioreq_server_range *r)
{
	DID("map %u", r->id);
	return result;
}

int ioreq_server_unmap_range(struct domain *d, const struct xen_dm_op_ioreq_server_range *r)
{
	DID("unmap %u", r->id);
	return result;
}

int ioreq_server_set_state(struct domain *d, ioservid_t id, bool enabled)
{
	DID("state %u %u", id, enabled);
	return result;
}

void hvm_isa_irq_set(struct domain *d, unsigned int irq, bool level)
{
	DID("isa %u %u", irq, level);
}

void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int pin, bool level)
{
	DID("intx %u %u %u", device, pin, level);
}

int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int irq)
{
	DID("link %u %u", link, irq);
	return result;
}

int hvm_msi_send(struct domain *d, uint64_t address, uint32_t data)
{
	DID("msi %#lx %#x", address, data);
	return result;
}

void domain_shutdown(struct domain *d, uint8_t code)
{
	DID("shutdown %u", code);
}

static enum p2m_type types[64];
static uint64_t frames[64]; /* machine frame of each gfn, 0: none */
static unsigned int retyped;

mfn_t p2m_lookup(struct domain *d, gfn_t gfn, enum p2m_type *type)
{
	*type = gfn.v < 64 ? types[gfn.v] : P2M_NONE;
	return MFN(gfn.v < 64 ? frames[gfn.v] : 0);
}

int p2m_change_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	if (from == P2M_NONE || from == P2M_GRANT_RW)
		return -EINVAL;
	CHECK_EQ(types[gfn.v], from);
	types[gfn.v] = to;
	retyped++;
	return 0;
}

int p2m_dirty_take(struct domain *d, gfn_t first, unsigned int nr, unsigned long *bitmap)
{
	DID("dirty %lu %u", first.v, nr);
	for (unsigned int i = 0; i < BITS_TO_LONGS(nr); i++)
		bitmap[i] = 0x5555555555555555;
	return result;
}

struct page *p2m_page_get(struct domain *d, gfn_t gfn, bool is_write, enum p2m_type *type)
{
	*type = gfn.v < 64 ? types[gfn.v] : P2M_NONE;
	return gfn.v < 64 && frames[gfn.v] ? page_get_mfn(MFN(frames[gfn.v]), d) : NULL;
}

int p2m_give_up(struct domain *d, gfn_t gfn, unsigned int order)
{
	CHECK_EQ(order, 0);
	if (types[gfn.v] != P2M_RAM)
		return -EINVAL;
	types[gfn.v] = P2M_NONE;
	page_put(mfn_to_page(MFN(frames[gfn.v])));
	frames[gfn.v] = 0;
	return 0;
}

int p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	CHECK_EQ(frames[gfn.v], mfn.v);
	types[gfn.v] = P2M_NONE;
	frames[gfn.v] = 0;
	return 0;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	CHECK_EQ(types[gfn.v], P2M_NONE);
	types[gfn.v] = type;
	frames[gfn.v] = mfn.v;
	return 0;
}

/* --- the call --- */

static struct domain *d0, *d;
static struct xen_dm_op *op; /* in guest memory, the last thing before its end */
static struct xen_dm_op_buf *buffers;
static unsigned int nr_buffers;

static void begin(void)
{
	d0 = fake_dom0(1);
	d = fake_hvm_domain(1, 2);
	op = fake_guest_alloc(sizeof(*op));
	buffers = fake_guest_alloc(4 * sizeof(*buffers));
	buffers[0].h.p = op;
	buffers[0].size = sizeof(*op);
	nr_buffers = 1;
	result = 0;
	done[0] = 0;
	retyped = 0;
	memset(types, 0, sizeof(types));
	memset(frames, 0, sizeof(frames));
	fake_vcpu_run(d0->vcpus[0], 0);
}

static void end(void)
{
	CHECK_EQ(fake_heap_objects, 0);
	fake_vcpu_stop(d0->vcpus[0]);
	fake_hvm_free(d);
}

static long call(unsigned int domid, uint64_t n)
{
	uint64_t args[5] = {domid, n, (uint64_t)buffers};

	done[0] = 0;
	return hypercall_dm_op(args);
}

/* With op's arguments as they are */
static long do_op(unsigned int number)
{
	op->op = number;
	return call(d->id, nr_buffers);
}

static bool did(const char *what)
{
	return !strcmp(done, what);
}

TEST(dm_op_is_for_those_who_control_another_hvm_domain)
{
	struct domain *pv;

	begin();
	pv = fake_domain(7, 1);
	op->op = XEN_DMOP_nr_vcpus;
	CHECK_EQ(call(1, 1), 0);
	CHECK_EQ(op->u.nr_vcpus.vcpus, 2);
	CHECK_EQ(call(7, 1), -EINVAL);
	CHECK_EQ(call(99, 1), -ESRCH);
	CHECK_EQ(call(DOMID_SELF, 1), -EPERM);
	fake_vcpu_run(pv->vcpus[0], 0);
	CHECK_EQ(call(1, 1), -EPERM);
	fake_vcpu_run(d->vcpus[0], 0);
	CHECK_EQ(call(1, 1), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 0);
	CHECK_EQ(d->references, 1);
	end();
}

TEST(dm_op_reads_its_buffers_with_care)
{
	begin();
	op->op = XEN_DMOP_nr_vcpus;
	CHECK_EQ(call(1, 0), -EINVAL);
	CHECK_EQ(call(1, ~0UL), 0); /* those it has no use for are not looked at */
	buffers[0].size = 7;
	CHECK_EQ(call(1, 1), -EINVAL);
	buffers[0].size = 8;
	CHECK_EQ(call(1, 1), -EINVAL);
	buffers[0].size = 12;
	CHECK_EQ(call(1, 1), 0);
	op->pad = 1;
	CHECK_EQ(call(1, 1), -EINVAL);
	op->pad = 0;
	for (unsigned int i = 0; i < 32; i++) {
		fake_guest_fault_after = i;
		CHECK_EQ(call(1, 1), -EFAULT);
	}
	fake_guest_fault_after = -1;
	buffers[0].h.p = (void *)8;
	CHECK_EQ(call(1, 1), -EFAULT);
	end();
}

TEST(dm_op_knows_no_others)
{
	begin();
	for (unsigned int i = 0; i < 64; i++)
		if (!i || i == 13 || i == 15 || i == 19 || i > 20)
			CHECK_EQ(do_op(i), -EOPNOTSUPP);
	CHECK_EQ(do_op(~0U), -EOPNOTSUPP);
	end();
}

TEST(dm_op_ioreq_servers)
{
	begin();
	op->u.create_ioreq_server.handle_bufioreq = 2;
	CHECK_EQ(do_op(XEN_DMOP_create_ioreq_server), 0);
	CHECK(did("create 2"));
	CHECK_EQ(op->u.create_ioreq_server.id, 3);
	for (unsigned int i = 0; i < 3; i++) {
		op->u.create_ioreq_server.pad[i] = 1;
		CHECK_EQ(do_op(XEN_DMOP_create_ioreq_server), -EINVAL);
		op->u.create_ioreq_server.pad[i] = 0;
	}
	result = -ENOSPC;
	op->u.create_ioreq_server.id = 9;
	CHECK_EQ(do_op(XEN_DMOP_create_ioreq_server), -ENOSPC);
	CHECK_EQ(op->u.create_ioreq_server.id, 9);
	result = 0;

	memset(&op->u, 0, sizeof(op->u));
	op->u.get_ioreq_server_info.id = 5;
	CHECK_EQ(do_op(XEN_DMOP_get_ioreq_server_info), 0);
	CHECK(did("info 5"));
	CHECK_EQ(op->u.get_ioreq_server_info.bufioreq_port, 17);
	CHECK_EQ(do_op(XEN_DMOP_map_io_range_to_ioreq_server), 0);
	CHECK(did("map 5"));
	CHECK_EQ(do_op(XEN_DMOP_unmap_io_range_from_ioreq_server), 0);
	CHECK(did("unmap 5"));
	op->u.map_io_range_to_ioreq_server.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_map_io_range_to_ioreq_server), -EINVAL);
	CHECK_EQ(do_op(XEN_DMOP_unmap_io_range_from_ioreq_server), -EINVAL);
	CHECK(did(""));

	memset(&op->u, 0, sizeof(op->u));
	op->u.set_ioreq_server_state.id = 4;
	op->u.set_ioreq_server_state.enabled = 1;
	CHECK_EQ(do_op(XEN_DMOP_set_ioreq_server_state), 0);
	CHECK(did("state 4 1"));
	op->u.set_ioreq_server_state.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_set_ioreq_server_state), -EINVAL);

	memset(&op->u, 0, sizeof(op->u));
	op->u.destroy_ioreq_server.id = 4;
	CHECK_EQ(do_op(XEN_DMOP_destroy_ioreq_server), 0);
	CHECK(did("destroy 4"));
	op->u.destroy_ioreq_server.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_destroy_ioreq_server), -EINVAL);
	end();
}

TEST(dm_op_interrupt_lines)
{
	struct xen_dm_op_set_pci_intx_level intx = {.device = 31, .intx = 3, .level = 1};

	begin();
	op->u.set_pci_intx_level = intx;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), 0);
	CHECK(did("intx 31 3 1"));
	op->u.set_pci_intx_level.device = 32;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), -EINVAL);
	op->u.set_pci_intx_level = intx;
	op->u.set_pci_intx_level.intx = 4;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), -EINVAL);
	op->u.set_pci_intx_level = intx;
	op->u.set_pci_intx_level.level = 2;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), -EINVAL);
	op->u.set_pci_intx_level = intx;
	op->u.set_pci_intx_level.bus = 1;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), -EINVAL);
	op->u.set_pci_intx_level = intx;
	op->u.set_pci_intx_level.domain = 1;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_intx_level), -EINVAL);

	memset(&op->u, 0, sizeof(op->u));
	op->u.set_isa_irq_level.isa_irq = 15;
	CHECK_EQ(do_op(XEN_DMOP_set_isa_irq_level), 0);
	CHECK(did("isa 15 0"));
	op->u.set_isa_irq_level.isa_irq = 16;
	CHECK_EQ(do_op(XEN_DMOP_set_isa_irq_level), -EINVAL);
	op->u.set_isa_irq_level.isa_irq = 1;
	op->u.set_isa_irq_level.level = 2;
	CHECK_EQ(do_op(XEN_DMOP_set_isa_irq_level), -EINVAL);

	memset(&op->u, 0, sizeof(op->u));
	op->u.set_pci_link_route.link = 3;
	op->u.set_pci_link_route.isa_irq = 11;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_link_route), 0);
	CHECK(did("link 3 11"));
	result = -EINVAL;
	CHECK_EQ(do_op(XEN_DMOP_set_pci_link_route), -EINVAL);
	result = 0;

	memset(&op->u, 0, sizeof(op->u));
	op->u.inject_msi.addr = 0xfee00000;
	op->u.inject_msi.data = 0x31;
	CHECK_EQ(do_op(XEN_DMOP_inject_msi), 0);
	CHECK(did("msi 0xfee00000 0x31"));
	op->u.inject_msi.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_inject_msi), -EINVAL);
	end();
}

TEST(dm_op_dirty_vram_into_its_own_buffer)
{
	uint8_t *bitmap;

	begin();
	bitmap = fake_guest_alloc(4096);
	op->u.track_dirty_vram.nr = 12;
	op->u.track_dirty_vram.first_pfn = 0xf0000;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL); /* without one */
	nr_buffers = 2;
	buffers[1].h.p = bitmap;
	buffers[1].size = 1;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL);
	buffers[1].size = 2;
	bitmap[2] = 0x77;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), 0);
	CHECK(did("dirty 983040 12"));
	CHECK_EQ(bitmap[1], 0x55);
	CHECK_EQ(bitmap[2], 0x77);
	buffers[1].h.p = (void *)16;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EFAULT);
	buffers[1].h.p = bitmap;
	fake_alloc_fail_at = 1;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -ENOMEM);
	op->u.track_dirty_vram.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL);
	op->u.track_dirty_vram.pad = 0;
	op->u.track_dirty_vram.nr = P2M_DIRTY_MAX + 1;
	buffers[1].size = 4097;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL);
	op->u.track_dirty_vram.nr = 12;
	op->u.track_dirty_vram.first_pfn = ~0UL - 4;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL);
	op->u.track_dirty_vram.first_pfn = 1UL << 40;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), -EINVAL);
	/* none: no more tracking */
	op->u.track_dirty_vram.first_pfn = op->u.track_dirty_vram.nr = 0;
	CHECK_EQ(do_op(XEN_DMOP_track_dirty_vram), 0);
	CHECK(did(""));
	end();
}

TEST(dm_op_modified_memory_has_its_extents)
{
	struct xen_dm_op_modified_memory_extent *extents;

	begin();
	extents = fake_guest_alloc(2 * sizeof(*extents));
	op->u.modified_memory.nr_extents = 2;
	CHECK_EQ(do_op(XEN_DMOP_modified_memory), -EINVAL);
	nr_buffers = 2;
	buffers[1].h.p = extents;
	buffers[1].size = 2 * sizeof(*extents) - 1;
	CHECK_EQ(do_op(XEN_DMOP_modified_memory), -EINVAL);
	buffers[1].size++;
	CHECK_EQ(do_op(XEN_DMOP_modified_memory), 0);
	op->u.modified_memory.opaque = 1;
	CHECK_EQ(do_op(XEN_DMOP_modified_memory), -EINVAL);
	end();
}

TEST(dm_op_memory_types)
{
	struct xen_dm_op_set_mem_type all = {.nr = 4, .first_pfn = 8};

	begin();
	for (unsigned int i = 0; i < 4; i++)
		types[8 + i] = i & 1 ? P2M_LOGDIRTY : P2M_RAM;
	op->u.set_mem_type = all;
	op->u.set_mem_type.mem_type = HVMMEM_ram_ro;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), 0);
	CHECK_EQ(types[11], P2M_RAM_RO);
	op->u.set_mem_type = all;
	op->u.set_mem_type.mem_type = HVMMEM_mmio_dm;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), 0);
	CHECK_EQ(types[8], P2M_MMIO);
	/* where nothing is, a device is anyway; but no RAM */
	op->u.set_mem_type = all;
	op->u.set_mem_type.mem_type = HVMMEM_mmio_dm;
	op->u.set_mem_type.first_pfn = 20;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), 0);
	op->u.set_mem_type = all;
	op->u.set_mem_type.first_pfn = 20;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), -EINVAL);
	/* what others granted stays that */
	types[8] = P2M_GRANT_RW;
	op->u.set_mem_type = all;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), -EINVAL);
	for (unsigned int type = HVMMEM_mmio_dm + 1; type < 0x10000; type += 5) {
		op->u.set_mem_type = all;
		op->u.set_mem_type.mem_type = type;
		CHECK_EQ(do_op(XEN_DMOP_set_mem_type), -EINVAL);
	}
	op->u.set_mem_type = all;
	op->u.set_mem_type.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), -EINVAL);
	op->u.set_mem_type = all;
	op->u.set_mem_type.first_pfn = ~0UL - 1;
	CHECK_EQ(do_op(XEN_DMOP_set_mem_type), -EINVAL);
	end();
}

TEST(dm_op_long_ones_are_continued)
{
	begin();
	for (unsigned int i = 0; i < 64; i++)
		types[i] = P2M_RAM;
	op->u.set_mem_type.nr = 10;
	op->u.set_mem_type.first_pfn = 5;
	op->u.set_mem_type.mem_type = HVMMEM_ram_ro;
	fake_preempt_every = 4;
	(void)do_op(XEN_DMOP_set_mem_type);
	CHECK(fake_continuation.set && fake_continuation.op == __HYPERVISOR_dm_op);
	CHECK_EQ(retyped, 4);
	CHECK_EQ(op->u.set_mem_type.first_pfn, 9);
	CHECK_EQ(op->u.set_mem_type.nr, 6);
	(void)hypercall_dm_op(fake_continuation.args);
	fake_continuation.set = false;
	CHECK_EQ(hypercall_dm_op(fake_continuation.args), 0);
	CHECK_EQ(retyped, 10);
	CHECK(!fake_continuation.set);
	CHECK_EQ(types[4], P2M_RAM);
	CHECK_EQ(types[14], P2M_RAM_RO);
	CHECK_EQ(types[15], P2M_RAM);
	end();
}

static void ram_at(unsigned int gfn)
{
	frames[gfn] = page_to_mfn(fake_frame_alloc(d)).v;
	types[gfn] = P2M_RAM;
}

static long relocate(uint64_t from, uint64_t to, uint32_t size)
{
	op->u.relocate_memory =
		(struct xen_dm_op_relocate_memory){.size = size, .src_gfn = from, .dst_gfn = to};
	return do_op(XEN_DMOP_relocate_memory);
}

TEST(dm_op_relocates_ram)
{
	uint64_t first, second;

	begin();
	ram_at(4);
	ram_at(5);
	ram_at(33);
	first = frames[4];
	second = frames[5];
	CHECK_EQ(relocate(4, 32, 2), 0);
	CHECK_EQ(frames[32], first);
	CHECK_EQ(frames[33], second);
	CHECK_EQ(types[32], P2M_RAM);
	CHECK_EQ(types[4], P2M_NONE);
	/* what was there was given up, nothing else */
	CHECK_EQ(fake_frames_of(d), 2);
	CHECK_EQ(relocate(32, 32, 1), 0);
	CHECK_EQ(frames[32], first);
	CHECK_EQ(relocate(4, 40, 1), -EINVAL); /* nothing there */
	types[33] = P2M_GRANT_RW;
	CHECK_EQ(relocate(33, 40, 1), -EINVAL);
	CHECK_EQ(relocate(32, 33, 1), -EINVAL); /* onto a grant */
	CHECK_EQ(frames[32], first);
	CHECK_EQ(relocate(~0UL, 40, 1), -EINVAL);
	CHECK_EQ(relocate(32, ~0UL, 1), -EINVAL);
	op->u.relocate_memory.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_relocate_memory), -EINVAL);
	/* in parts */
	op->u.relocate_memory.pad = 0;
	types[33] = P2M_RAM;
	fake_preempt_every = 1;
	(void)relocate(32, 50, 2);
	CHECK(fake_continuation.set);
	CHECK_EQ(frames[50], first);
	CHECK_EQ(frames[51], 0);
	CHECK_EQ(hypercall_dm_op(fake_continuation.args), 0);
	CHECK_EQ(frames[51], second);
	end();
}

TEST(dm_op_cache_types_and_shutdown)
{
	begin();
	op->u.pin_memory_cacheattr.end = 5;
	for (uint32_t type = 0; type < 16; type++) {
		bool is_one = type < 2 || (type >= 4 && type <= 7);

		op->u.pin_memory_cacheattr.type = type;
		CHECK_EQ(do_op(XEN_DMOP_pin_memory_cacheattr), is_one ? 0 : -EINVAL);
	}
	op->u.pin_memory_cacheattr.type = XEN_DMOP_DELETE_MEM_CACHEATTR;
	CHECK_EQ(do_op(XEN_DMOP_pin_memory_cacheattr), 0);
	op->u.pin_memory_cacheattr.start = 6;
	CHECK_EQ(do_op(XEN_DMOP_pin_memory_cacheattr), -EINVAL);
	op->u.pin_memory_cacheattr.start = 0;
	op->u.pin_memory_cacheattr.pad = 1;
	CHECK_EQ(do_op(XEN_DMOP_pin_memory_cacheattr), -EINVAL);

	op->u.remote_shutdown.reason = SHUTDOWN_crash;
	CHECK_EQ(do_op(XEN_DMOP_remote_shutdown), 0);
	CHECK(did("shutdown 3"));
	op->u.remote_shutdown.reason = SHUTDOWN_MAX + 1;
	CHECK_EQ(do_op(XEN_DMOP_remote_shutdown), -EINVAL);
	op->u.remote_shutdown.reason = 0x101;
	CHECK_EQ(do_op(XEN_DMOP_remote_shutdown), -EINVAL);
	end();
}
