/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ioreq servers: who is asked for what, the pages as a device model sees them,
 * and device models that do what they must not.
 *
 * Links: hvm/ioreq.c lib/rangeset.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake.h"
#include "fake_vendor.h"
#include "hvm/ioreq.h"
#include "mm/alloc.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#define GUEST	 1
#define RING	 XENMEM_resource_ioreq_server_frame_bufioreq
#define REQUESTS XENMEM_resource_ioreq_server_frame_ioreq(0)

/* --- channels and pages of the hypervisor --- */

static unsigned int ports_open, next_port, ports_fail_at, notified_port;
static bool port_is_open[1024];

int evtchn_alloc_io(struct domain *d, unsigned int vcpu, domid_t remote)
{
	CHECK_EQ(remote, 0);
	if (ports_fail_at && !--ports_fail_at)
		return -ENOSPC;
	ports_open++;
	port_is_open[++next_port] = true;
	return next_port;
}

void evtchn_close_io(struct domain *d, port_t port)
{
	if (!port)
		return;
	CHECK(port_is_open[port]);
	port_is_open[port] = false;
	ports_open--;
}

int evtchn_send(struct domain *d, port_t port)
{
	notified_port = port;
	return 0;
}

static unsigned int pages_shared, pauses;

void page_share(void *v, struct domain *d, bool writable)
{
	CHECK(writable && d->id == GUEST);
	pages_shared++;
}

void page_unshare_free(void *v)
{
	pages_shared--;
	hyp_pages_free(v, 0);
}

void domain_pause(struct domain *d)
{
	pauses++;
}

void domain_unpause(struct domain *d)
{
	pauses--;
}

/* --- the fixture --- */

static struct domain *d0, *d;
static struct vcpu *v;
static ioservid_t server;

/* A hypercall of dom0's, then back in the guest */
#define BY_DOM0(call)                           \
	({                                      \
		int rc_;                        \
                                                \
		fake_vcpu_run(d0->vcpus[0], 0); \
		rc_ = (call);                   \
		fake_vcpu_run(v, 0);            \
		rc_;                            \
	})

static struct ioreq *request(unsigned int vcpu)
{
	mfn_t mfn;

	CHECK_EQ(BY_DOM0(ioreq_server_frame(d, server, REQUESTS, &mfn)), 0);
	return (struct ioreq *)mfn_to_virt(mfn) + vcpu;
}

static struct buffered_iopage *ring(void)
{
	mfn_t mfn;

	CHECK_EQ(BY_DOM0(ioreq_server_frame(d, server, RING, &mfn)), 0);
	return mfn_to_virt(mfn);
}

static int range(bool map, unsigned int type, uint64_t start, uint64_t end)
{
	struct xen_dm_op_ioreq_server_range r = {
		.id = server, .type = type, .start = start, .end = end};

	return map ? BY_DOM0(ioreq_server_map_range(d, &r))
		   : BY_DOM0(ioreq_server_unmap_range(d, &r));
}

static void begin(void)
{
	ports_open = next_port = ports_fail_at = pages_shared = pauses = 0;
	d0 = fake_dom0(1);
	d = fake_hvm_domain(GUEST, 2);
	v = d->vcpus[0];
	d->hvm->emulation = XEN_X86_EMU_VGA;
	CHECK_EQ(ioreq_domain_init(d), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, HVM_IOREQSRV_BUFIOREQ_ATOMIC, &server)), 0);
	CHECK_EQ(server, 0);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PORT, 0x1f0, 0x1f7), 0);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_MEMORY, 0xa0000, 0xbffff), 0);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_MEMORY, 0xf0000000, 0xf0000fff), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, server, true)), 0);
}

static void end(void)
{
	ioreq_domain_relinquish(d);
	ioreq_domain_fini(d);
	CHECK_EQ(ports_open, 0);
	CHECK_EQ(pages_shared, 0);
	CHECK_EQ(pauses, 0);
	CHECK_EQ(fake_heap_objects, 0);
	fake_vcpu_stop(v);
	fake_hvm_free(d);
}

static struct hvm_io port(uint64_t addr, unsigned int size)
{
	return (struct hvm_io){.addr = addr, .size = size, .is_port = true};
}

static struct hvm_io memory(uint64_t addr, unsigned int size)
{
	return (struct hvm_io){.addr = addr, .size = size};
}

static enum ioreq_sent send(struct hvm_io io)
{
	v->hvm->io.ask = io;
	return ioreq_send(v, &io);
}

static void answer(uint64_t data)
{
	request(0)->data = data;
	request(0)->state = STATE_IORESP_READY;
}

/* --- tests --- */

TEST(ioreq_asks_whose_range_holds_all_of_it)
{
	struct hvm_io io;

	begin();
	CHECK_EQ(send(port(0x1f0, 2)), IOREQ_SENT);
	CHECK_EQ(request(0)->type, IOREQ_TYPE_PIO);
	answer(0);
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(send(port(0x1f7, 1)), IOREQ_SENT);
	answer(0);
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(send(port(0x1f7, 2)), IOREQ_NOBODY);
	CHECK_EQ(send(port(0x1ef, 2)), IOREQ_NOBODY);
	CHECK_EQ(send(memory(0x1f0, 2)), IOREQ_NOBODY);
	CHECK_EQ(send(port(0xf0000000, 1)), IOREQ_NOBODY);
	/* of many elements, all: a port stays where it is */
	io = port(0x1f0, 4);
	io.count = 100;
	CHECK(ioreq_has_server(v, &io));
	io = memory(0xf0000ff8, 4);
	io.count = 2;
	CHECK(ioreq_has_server(v, &io));
	io.count = 3;
	CHECK(!ioreq_has_server(v, &io));
	io.is_down = true;
	CHECK(ioreq_has_server(v, &io));
	io.addr = 0xf0000004;
	CHECK(!ioreq_has_server(v, &io));
	/* what wraps is nobody's */
	io = memory(~0UL - 1, 4);
	CHECK(!ioreq_has_server(v, &io));
	/* one that is not enabled is not asked */
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, server, false)), 0);
	CHECK_EQ(send(port(0x1f0, 2)), IOREQ_NOBODY);
	end();
}

TEST(ioreq_tells_the_device_model_all)
{
	struct hvm_io io = memory(0xf0000010, 4);
	struct ioreq *r;

	begin();
	io.is_write = io.is_down = io.has_memory = true;
	io.count = 3;
	io.data = 0x5000;
	CHECK_EQ(send(io), IOREQ_SENT);
	r = request(0);
	CHECK_EQ(r->state, STATE_IOREQ_READY);
	CHECK_EQ(r->addr, 0xf0000010);
	CHECK_EQ(r->data, 0x5000);
	CHECK_EQ(r->count, 3);
	CHECK_EQ(r->size, 4);
	CHECK_EQ(r->dir, IOREQ_WRITE);
	CHECK_EQ(r->df, 1);
	CHECK_EQ(r->data_is_ptr, 1);
	CHECK_EQ(r->type, IOREQ_TYPE_COPY);
	CHECK_EQ(notified_port, r->vp_eport);
	CHECK(port_is_open[r->vp_eport]);
	CHECK(request(1)->vp_eport != r->vp_eport && port_is_open[request(1)->vp_eport]);
	end();
}

TEST(ioreq_waits_until_the_answer_is_there)
{
	begin();
	CHECK_EQ(send(port(0x1f0, 4)), IOREQ_SENT);
	CHECK(!ioreq_is_answered(v));
	request(0)->state = STATE_IOREQ_INPROCESS;
	CHECK(!ioreq_is_answered(v));
	answer(0x1234);
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(v->hvm->io.ask.data, 0x1234);
	CHECK_EQ(request(0)->state, STATE_IOREQ_NONE);
	CHECK(!fake_crashed);
	/* what was written stays as it was */
	v->hvm->io.ask = port(0x1f0, 4);
	v->hvm->io.ask.is_write = true;
	v->hvm->io.ask.data = 7;
	CHECK_EQ(ioreq_send(v, &v->hvm->io.ask), IOREQ_SENT);
	answer(0x1234);
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(v->hvm->io.ask.data, 7);
	end();
}

TEST(ioreq_ends_the_domain_of_a_device_model_that_makes_no_sense)
{
	begin();
	for (unsigned int state = 0; state < 16; state++) {
		if (state >= STATE_IOREQ_READY && state <= STATE_IORESP_READY)
			continue;
		fake_crashed = NULL;
		CHECK_EQ(send(port(0x1f0, 4)), IOREQ_SENT);
		request(0)->state = state;
		CHECK(ioreq_is_answered(v));
		CHECK(fake_crashed == d);
		CHECK(strstr(fake_crash_reason, "device model"));
	}
	end();
}

static bool address_write(uint32_t address, unsigned int size)
{
	struct hvm_io io = port(0xcf8, size);

	io.is_write = true;
	io.data = address;
	return ioreq_pci_address_access(v, &io);
}

TEST(ioreq_pci_configuration_by_function)
{
	struct hvm_io io = port(0xcf8, 4);

	begin();
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PCI, 0x18, 0x18), 0); /* 00:03.0 */
	CHECK_EQ(send(port(0xcfc, 4)), IOREQ_NOBODY);
	CHECK(address_write(0x80001844, 4)); /* the hypervisor's own */
	CHECK(ioreq_pci_address_access(v, &io));
	CHECK_EQ(io.data, 0x80001844);
	CHECK_EQ(send(port(0xcfe, 2)), IOREQ_SENT);
	CHECK_EQ(request(0)->type, IOREQ_TYPE_PCI_CONFIG);
	CHECK_EQ(request(0)->addr, 0x18UL << 32 | 0x46);
	answer(0);
	CHECK(ioreq_is_answered(v));
	CHECK(!address_write(0, 2)); /* not such an access */
	io = port(0xcf9, 4);
	CHECK(!ioreq_pci_address_access(v, &io));
	io = memory(0xcf8, 4);
	CHECK(!ioreq_pci_address_access(v, &io));
	CHECK_EQ(send(port(0xcfc, 1)), IOREQ_SENT);
	answer(0);
	CHECK(ioreq_is_answered(v));
	CHECK(address_write(0x80002044, 4)); /* another function */
	CHECK_EQ(send(port(0xcfc, 4)), IOREQ_NOBODY);
	CHECK(address_write(0x00001844, 4)); /* not enabled */
	CHECK_EQ(send(port(0xcfc, 4)), IOREQ_NOBODY);
	end();
}

static struct hvm_io vga_write(uint64_t addr, unsigned int size, uint64_t data)
{
	return (struct hvm_io){.addr = addr, .size = size, .is_write = true, .data = data};
}

TEST(ioreq_posts_writes_to_the_vga)
{
	struct hvm_io io;

	begin();
	CHECK_EQ(send(vga_write(0xb8000, 2, 0x741)), IOREQ_DONE);
	CHECK_EQ(send(vga_write(0xbfff8, 8, 0x1122334455667788)), IOREQ_DONE);
	CHECK_EQ(ring()->write_pointer, 3);
	CHECK_EQ(ring()->buf_ioreq[0].addr, 0xb8000);
	CHECK_EQ(ring()->buf_ioreq[0].size, 1);
	CHECK_EQ(ring()->buf_ioreq[0].dir, IOREQ_WRITE);
	CHECK_EQ(ring()->buf_ioreq[0].type, IOREQ_TYPE_COPY);
	CHECK_EQ(ring()->buf_ioreq[0].data, 0x741);
	CHECK_EQ(ring()->buf_ioreq[1].size, 3);
	CHECK_EQ(ring()->buf_ioreq[1].data, 0x55667788);
	CHECK_EQ(ring()->buf_ioreq[2].data, 0x11223344);
	CHECK(ioreq_is_answered(v));
	/* all else waits: reads, other memory, many at once */
	CHECK_EQ(send(memory(0xb8000, 2)), IOREQ_SENT);
	CHECK_EQ(send(vga_write(0xf0000000, 2, 0)), IOREQ_SENT);
	io = vga_write(0xb8000, 2, 0);
	io.count = 2;
	CHECK_EQ(send(io), IOREQ_SENT);
	d->hvm->emulation = 0;
	CHECK_EQ(send(vga_write(0xb8000, 2, 0)), IOREQ_SENT);
	end();
}

TEST(ioreq_full_ring_waits)
{
	begin();
	for (unsigned int i = 0; i < IOREQ_BUFFER_SLOT_NUM; i++)
		CHECK_EQ(send(vga_write(0xb8000, 1, i)), IOREQ_DONE);
	CHECK_EQ(send(vga_write(0xb8000, 1, 0)), IOREQ_SENT);
	ring()->read_pointer = 1;
	CHECK_EQ(send(vga_write(0xb8000, 8, 0)), IOREQ_SENT);
	CHECK_EQ(send(vga_write(0xb8000, 1, 0xee)), IOREQ_DONE);
	CHECK_EQ(ring()->buf_ioreq[0].data, 0xee);
	/* pointers that went once around are taken back together */
	ring()->read_pointer = ring()->write_pointer = IOREQ_BUFFER_SLOT_NUM + 5;
	CHECK_EQ(send(vga_write(0xb8000, 1, 0xdd)), IOREQ_DONE);
	CHECK_EQ(ring()->read_pointer, 5);
	CHECK_EQ(ring()->write_pointer, 6);
	CHECK_EQ(ring()->buf_ioreq[5].data, 0xdd);
	/* whatever is in them */
	for (unsigned int i = 0; i < 64; i++) {
		ring()->read_pointer = 0x9e3779b9U * i;
		ring()->write_pointer = ring()->read_pointer + i * 10;
		(void)!send(vga_write(0xb8000, i & 1 ? 8 : 1, 0));
		ring()->write_pointer = 0x85ebca6bU * i;
		(void)!send(vga_write(0xb8000, i & 1 ? 8 : 1, 0));
	}
	end();
}

TEST(ioreq_server_without_a_ring)
{
	mfn_t mfn;

	begin();
	CHECK_EQ(BY_DOM0(ioreq_server_destroy(d, server)), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, HVM_IOREQSRV_BUFIOREQ_OFF, &server)), 0);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_MEMORY, 0xa0000, 0xbffff), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, server, true)), 0);
	CHECK_EQ(send(vga_write(0xb8000, 2, 0)), IOREQ_SENT);
	CHECK_EQ(BY_DOM0(ioreq_server_frame(d, server, RING, &mfn)), -EINVAL);
	end();
}

TEST(ioreq_server_that_goes_answers_ones)
{
	begin();
	CHECK_EQ(send(port(0x1f0, 4)), IOREQ_SENT);
	atomic_bit_set(&v->flags, VCPU_F_IO_WAIT);
	CHECK_EQ(BY_DOM0(ioreq_server_destroy(d, server)), 0);
	CHECK(!bit_test(&v->flags, VCPU_F_IO_WAIT));
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(v->hvm->io.ask.data, ~0UL);
	CHECK_EQ(send(port(0x1f0, 4)), IOREQ_NOBODY);
	end();
}

TEST(ioreq_invalidate_waits_for_every_server)
{
	ioservid_t second;

	begin();
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, HVM_IOREQSRV_BUFIOREQ_OFF, &second)), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, second, true)), 0);
	ioreq_send_invalidate(v);
	CHECK_EQ(request(0)->type, IOREQ_TYPE_INVALIDATE);
	answer(0);
	CHECK(!ioreq_is_answered(v));
	server = second;
	answer(0);
	CHECK(ioreq_is_answered(v));
	/* one that is not enabled is not told */
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, second, false)), 0);
	ioreq_send_invalidate(v);
	CHECK_EQ(v->hvm->io.waits_for, 1);
	end();
}

TEST(ioreq_servers_are_their_makers)
{
	struct xen_dm_op_get_ioreq_server_info info = {.id = 0, .flags = XEN_DMOP_no_gfns};
	struct xen_dm_op_ioreq_server_range r = {.id = 0};
	struct domain *other = fake_domain(5, 1);
	mfn_t mfn;

	begin();
	fake_vcpu_run(other->vcpus[0], 0);
	CHECK_EQ(ioreq_server_info(d, &info), -EPERM);
	CHECK_EQ(ioreq_server_map_range(d, &r), -EPERM);
	CHECK_EQ(ioreq_server_unmap_range(d, &r), -EPERM);
	CHECK_EQ(ioreq_server_set_state(d, 0, true), -EPERM);
	CHECK_EQ(ioreq_server_frame(d, 0, REQUESTS, &mfn), -EPERM);
	CHECK_EQ(ioreq_server_destroy(d, 0), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 0);
	for (unsigned int i = 1; i < 70000; i += 7) {
		r.id = info.id = i;
		if (!info.id)
			continue;
		CHECK_EQ(ioreq_server_info(d, &info), -ENOENT);
		CHECK_EQ(ioreq_server_map_range(d, &r), -ENOENT);
		CHECK_EQ(ioreq_server_unmap_range(d, &r), -ENOENT);
		CHECK_EQ(ioreq_server_set_state(d, info.id, true), -ENOENT);
		CHECK_EQ(ioreq_server_frame(d, i, REQUESTS, &mfn), -ENOENT);
		CHECK_EQ(ioreq_server_destroy(d, info.id), -ENOENT);
	}
	CHECK_EQ(ioreq_server_frame(d, 0, 2, &mfn), -EINVAL);
	fake_vcpu_run(v, 0);
	end();
}

TEST(ioreq_info_gives_the_ring_port_and_no_gfns)
{
	struct xen_dm_op_get_ioreq_server_info info = {.flags = XEN_DMOP_no_gfns};

	begin();
	CHECK_EQ(BY_DOM0(ioreq_server_info(d, &info)), 0);
	CHECK(port_is_open[info.bufioreq_port]);
	CHECK_EQ(send(vga_write(0xb8000, 1, 0)), IOREQ_DONE);
	CHECK_EQ(notified_port, info.bufioreq_port);
	info.flags = 0;
	CHECK_EQ(BY_DOM0(ioreq_server_info(d, &info)), -EOPNOTSUPP);
	info.flags = XEN_DMOP_no_gfns | 2;
	CHECK_EQ(BY_DOM0(ioreq_server_info(d, &info)), -EINVAL);
	end();
}

TEST(ioreq_ranges_are_checked_and_limited)
{
	unsigned int n = 0;

	begin();
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PCI + 1, 0, 0), -EINVAL);
	CHECK_EQ(range(false, XEN_DMOP_IO_RANGE_PCI + 1, 0, 0), -EINVAL);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PORT, 2, 1), -EINVAL);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PORT, 0x1f7, 0x1f8), -EEXIST);
	CHECK_EQ(range(false, XEN_DMOP_IO_RANGE_PORT, 0x1f7, 0x1f8), -ENOENT);
	CHECK_EQ(range(false, XEN_DMOP_IO_RANGE_PORT, 0x1f0, 0x1f7), 0);
	CHECK_EQ(send(port(0x1f0, 1)), IOREQ_NOBODY);
	while (!range(true, XEN_DMOP_IO_RANGE_PORT, 0x1000 + n * 2, 0x1000 + n * 2))
		n++;
	CHECK_EQ(n, 256);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PORT, 0x8000, 0x8000), -ENOSPC);
	/* holes make ranges too */
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_MEMORY, 0x10000000, 0x1fffffff), 0);
	for (n = 0;
	     !range(false, XEN_DMOP_IO_RANGE_MEMORY, 0x10000001 + n * 2, 0x10000001 + n * 2);)
		n++;
	CHECK(n < 600);
	end();
}

TEST(ioreq_create_unwinds)
{
	ioservid_t id;

	begin();
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, 3, &id)), -EINVAL);
	for (unsigned int i = 1; i < 8; i++)
		CHECK_EQ(BY_DOM0(ioreq_server_create(d, 0, &id)), 0);
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, 0, &id)), -ENOSPC);
	CHECK_EQ(BY_DOM0(ioreq_server_destroy(d, 3)), 0);
	for (unsigned int i = 1; i <= 3; i++) {
		ports_fail_at = i;
		CHECK_EQ(BY_DOM0(ioreq_server_create(d, 2, &id)), -ENOSPC);
		ports_fail_at = 0;
		fake_alloc_fail_at = i;
		CHECK_EQ(BY_DOM0(ioreq_server_create(d, 2, &id)), -ENOMEM);
		fake_alloc_fail_at = 0;
	}
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, 2, &id)), 0);
	CHECK_EQ(id, 3);
	/* a domain that dies gets none any more */
	ioreq_domain_relinquish(d);
	CHECK_EQ(ports_open, 0);
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, 0, &id)), -EINVAL);
	end();
}

TEST(ioreq_of_a_domain_without_device_models)
{
	struct xen_dm_op_get_ioreq_server_info info = {.flags = XEN_DMOP_no_gfns};
	struct hvm_io io = port(0x1f0, 1);
	ioservid_t id;
	mfn_t mfn;

	begin();
	ioreq_domain_relinquish(d);
	ioreq_domain_fini(d);
	CHECK_EQ(send(io), IOREQ_NOBODY);
	CHECK(!ioreq_has_server(v, &io));
	CHECK(ioreq_is_answered(v));
	ioreq_send_invalidate(v);
	CHECK(ioreq_is_answered(v));
	CHECK_EQ(BY_DOM0(ioreq_server_create(d, 0, &id)), -EINVAL);
	CHECK_EQ(BY_DOM0(ioreq_server_destroy(d, 0)), -ENOENT);
	CHECK_EQ(BY_DOM0(ioreq_server_info(d, &info)), -ENOENT);
	CHECK_EQ(range(true, XEN_DMOP_IO_RANGE_PORT, 1, 1), -ENOENT);
	CHECK_EQ(BY_DOM0(ioreq_server_set_state(d, 0, true)), -ENOENT);
	CHECK_EQ(BY_DOM0(ioreq_server_frame(d, 0, REQUESTS, &mfn)), -ENOENT);
	end();
}
