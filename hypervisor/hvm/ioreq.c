/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ioreq servers: which one answers an access, its request pages and channels.
 * Nothing in the shared pages is believed but the answer's data: which server a
 * vCPU waits for is kept here, and a state that the protocol does not have ends the
 * domain.
 */
#include "hvm/ioreq.h"

#include "domain/domain.h"
#include "evtchn/evtchn.h"
#include "hvm/state.h"
#include "lib/errno.h"
#include "lib/rangeset.h"
#include "lib/string.h"
#include "mm/alloc.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#define RANGE_TYPES (XEN_DMOP_IO_RANGE_PCI + 1)
/* Of a server and type: what a device model can make the hypervisor keep. */
#define RANGES_MAX 256

/* Type 1 configuration accesses (PCI Local Bus Specification, "Configuration Mechanism #1") */
#define PCI_ADDRESS_PORT   0xcf8
#define PCI_DATA_PORT	   0xcfc
#define PCI_ADDRESS_ENABLE (1U << 31)

#define VGA_START	   0xa0000
#define VGA_END		   0xc0000

/* Its request's byte with the state, and flags that stay. */
#define STATE_BYTE (offsetof(struct ioreq, type) - 1)

_Static_assert(sizeof(struct ioreq) * MAX_VCPUS <= PAGE_SIZE, "a slot for each vCPU in a page");
_Static_assert(STATE_BYTE == 30, "as xen/hvm/ioreq.h lays it out");

struct ioreq_server {
	/* constant after create */
	domid_t owner;
	struct ioreq *requests;	      /* a page */
	struct buffered_iopage *ring; /* a page, or NULL */
	port_t ring_port;
	port_t ports[MAX_VCPUS]; /* of each vCPU's requests */

	/* protected by ioreq_domain's lock */
	bool is_enabled;
	struct rangeset ranges[RANGE_TYPES];
};

struct ioreq_domain {
	struct spinlock lock; /* irqs on; outside evtchn's.  Below: */
	struct ioreq_server *servers[IOREQ_SERVERS_MAX];
	bool is_closed;
	uint32_t pci_address; /* last written to PCI_ADDRESS_PORT */
};

/* --- who answers --- */

/* An access as the protocol has it. */
struct request {
	uint8_t type; /* IOREQ_TYPE_* */
	uint64_t addr;
	/* for the choice: */
	unsigned int range_type;
	uint64_t first, last;
};

static void bytes_of(const struct hvm_io *io, struct request *r)
{
	unsigned int count = io->is_port || !io->count ? 1 : io->count;

	r->addr = r->first = io->addr;
	r->last = io->addr + io->size - 1;
	if (io->is_down)
		r->first -= (uint64_t)(count - 1) * io->size;
	else
		r->last += (uint64_t)(count - 1) * io->size;
}

static struct request request_of(const struct ioreq_domain *id, const struct hvm_io *io)
{
	struct request r = {.type = io->is_port ? IOREQ_TYPE_PIO : IOREQ_TYPE_COPY,
			    .range_type = io->is_port ? XEN_DMOP_IO_RANGE_PORT
						      : XEN_DMOP_IO_RANGE_MEMORY};

	bytes_of(io, &r);
	if (io->is_port && (io->addr & ~3UL) == PCI_DATA_PORT &&
	    id->pci_address & PCI_ADDRESS_ENABLE) {
		r.type = IOREQ_TYPE_PCI_CONFIG;
		r.range_type = XEN_DMOP_IO_RANGE_PCI;
		r.first = r.last = id->pci_address >> 8 & 0xffff;
		r.addr = r.first << 32 | (id->pci_address & 0xfc) | (io->addr & 3);
	}
	return r;
}

static struct ioreq_server *server_choose(struct ioreq_domain *id, const struct request *r,
					  unsigned int *number)
{
	for (unsigned int i = 0; i < IOREQ_SERVERS_MAX; i++) {
		struct ioreq_server *s = id->servers[i];

		if (s && s->is_enabled && r->first <= r->last &&
		    rangeset_contains(&s->ranges[r->range_type], r->first, r->last)) {
			*number = i;
			return s;
		}
	}
	return NULL;
}

bool ioreq_has_server(struct vcpu *v, const struct hvm_io *io)
{
	struct ioreq_domain *id = v->domain->hvm->ioreq;
	struct request r;
	unsigned int number;
	bool has;

	if (!id)
		return false;
	spin_lock(&id->lock);
	r = request_of(id, io);
	has = server_choose(id, &r, &number);
	spin_unlock(&id->lock);
	return has;
}

/* --- the ring --- */

/* Writes to what the VGA shows: many, and nobody waits for one. */
static bool can_be_posted(const struct domain *d, const struct hvm_io *io)
{
	return d->hvm->emulation & XEN_X86_EMU_VGA && io->is_write && !io->is_port &&
	       io->count <= 1 && !io->has_memory && io->addr >= VGA_START &&
	       io->addr + io->size <= VGA_END;
}

/* Keeps the pointers below twice the ring's size: their wrap would not be a slot's. */
static void ring_pointers_lower(struct buffered_iopage *ring)
{
	uint64_t *both = (uint64_t *)ring, old = __atomic_load_n(both, __ATOMIC_SEQ_CST);
	uint32_t read = old, write = old >> 32, n = read - read % IOREQ_BUFFER_SLOT_NUM;

	if (n)
		__atomic_compare_exchange_n(both, &old, (uint64_t)(write - n) << 32 | (read - n),
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool ring_put(struct buffered_iopage *ring, const struct hvm_io *io)
{
	uint32_t write = READ_ONCE(ring->write_pointer), read = READ_ONCE(ring->read_pointer);
	unsigned int slots = io->size == 8 ? 2 : 1;

	if (write - read > IOREQ_BUFFER_SLOT_NUM - slots)
		return false; /* full, or nonsense */
	for (unsigned int i = 0; i < slots; i++)
		ring->buf_ioreq[(write + i) % IOREQ_BUFFER_SLOT_NUM] = (struct buf_ioreq){
			.type = IOREQ_TYPE_COPY,
			.dir = IOREQ_WRITE,
			.size = __builtin_ctz(io->size),
			.addr = io->addr,
			.data = io->data >> (32 * i),
		};
	/* The reader changes the other half meanwhile. */
	__atomic_fetch_add(&ring->write_pointer, slots, __ATOMIC_SEQ_CST);
	ring_pointers_lower(ring);
	return true;
}

/* --- requests --- */

/* Whether the device model hears it is its own affair: it closes its channel when it dies. */
static void server_notify(struct domain *d, port_t port)
{
	int rc = evtchn_send(d, port);

	(void)rc;
}

static uint8_t *state_byte(const struct ioreq_server *s, const struct vcpu *v)
{
	return (uint8_t *)&s->requests[v->id] + STATE_BYTE;
}

static void request_put(struct vcpu *v, unsigned int number, const struct ioreq *r)
{
	struct ioreq_server *s = v->domain->hvm->ioreq->servers[number];
	struct ioreq req = *r;
	uint8_t ready;

	req.vp_eport = s->ports[v->id];
	req.state = STATE_IOREQ_READY;
	ready = ((uint8_t *)&req)[STATE_BYTE];
	req.state = STATE_IOREQ_NONE;
	s->requests[v->id] = req;
	v->hvm->io.waits_for |= 1U << number;
	/* Before the device model is told, so that it is woken on this CPU. */
	vcpu_io_wait();
	__atomic_store_n(state_byte(s, v), ready, __ATOMIC_RELEASE);
	server_notify(v->domain, s->ports[v->id]);
}

bool ioreq_pci_address_access(struct vcpu *v, struct hvm_io *io)
{
	struct ioreq_domain *id = v->domain->hvm->ioreq;

	if (!id || !io->is_port || io->addr != PCI_ADDRESS_PORT || io->size != 4)
		return false;
	spin_lock(&id->lock);
	if (io->is_write)
		id->pci_address = io->data;
	else
		io->data = id->pci_address;
	spin_unlock(&id->lock);
	return true;
}

enum ioreq_sent ioreq_send(struct vcpu *v, const struct hvm_io *io)
{
	struct ioreq_domain *id = v->domain->hvm->ioreq;
	enum ioreq_sent sent = IOREQ_NOBODY;
	struct ioreq_server *s;
	struct request r;
	unsigned int number;

	if (!id)
		return IOREQ_NOBODY;
	spin_lock(&id->lock);
	r = request_of(id, io);
	s = server_choose(id, &r, &number);
	if (s && s->ring && can_be_posted(v->domain, io) && ring_put(s->ring, io)) {
		server_notify(v->domain, s->ring_port);
		sent = IOREQ_DONE;
	} else if (s) {
		request_put(v, number,
			    &(struct ioreq){
				    .addr = r.addr,
				    .data = io->is_write || io->has_memory ? io->data : 0,
				    .count = MAX(io->count, 1),
				    .size = io->size,
				    .dir = io->is_write ? IOREQ_WRITE : IOREQ_READ,
				    .df = io->is_down,
				    .data_is_ptr = io->has_memory,
				    .type = r.type,
			    });
		v->hvm->io.server = number;
		sent = IOREQ_SENT;
	}
	spin_unlock(&id->lock);
	return sent;
}

void ioreq_send_invalidate(struct vcpu *v)
{
	struct ioreq_domain *id = v->domain->hvm->ioreq;

	if (!id)
		return;
	spin_lock(&id->lock);
	for (unsigned int i = 0; i < IOREQ_SERVERS_MAX; i++)
		if (id->servers[i] && id->servers[i]->is_enabled)
			request_put(v, i,
				    &(struct ioreq){
					    .type = IOREQ_TYPE_INVALIDATE,
					    .dir = IOREQ_WRITE,
					    .size = 4,
					    .count = 1,
					    .data = ~0UL,
				    });
	spin_unlock(&id->lock);
}

/* Takes an answer if there is one. */
static void answer_take(struct vcpu *v, unsigned int number, const struct ioreq_server *s)
{
	struct hvm_io_state *io = &v->hvm->io;
	uint8_t state = __atomic_load_n(state_byte(s, v), __ATOMIC_ACQUIRE) & 0xf;

	if (state == STATE_IOREQ_READY || state == STATE_IOREQ_INPROCESS)
		return;
	io->waits_for &= ~(1U << number);
	if (state != STATE_IORESP_READY)
		domain_crash(v->domain, "the device model left vCPU %u's request in state %u",
			     v->id, state);
	else if (io->server == number && !io->ask.is_write)
		io->ask.data = READ_ONCE(s->requests[v->id].data);
	__atomic_store_n(state_byte(s, v), STATE_IOREQ_NONE, __ATOMIC_RELAXED);
}

bool ioreq_is_answered(struct vcpu *v)
{
	struct ioreq_domain *id = v->domain->hvm->ioreq;
	struct hvm_io_state *io = &v->hvm->io;

	if (!io->waits_for)
		return true;
	spin_lock(&id->lock);
	for (unsigned int i = 0; i < IOREQ_SERVERS_MAX; i++)
		if (io->waits_for >> i & 1)
			answer_take(v, i, id->servers[i]);
	spin_unlock(&id->lock);
	return !io->waits_for;
}

/* --- servers --- */

/* Under the lock: 0, -ENOENT, -EPERM */
static int server_get(struct domain *d, uint32_t number, struct ioreq_server **s)
{
	*s = number < IOREQ_SERVERS_MAX ? d->hvm->ioreq->servers[number] : NULL;
	if (!*s)
		return -ENOENT;
	return (*s)->owner == current->domain->id ? 0 : -EPERM;
}

static void *page_make(struct domain *d)
{
	void *page = hyp_page_alloc_zeroed();

	if (page)
		page_share(page, d, true);
	return page;
}

static void server_free(struct domain *d, struct ioreq_server *s)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++)
		evtchn_close_io(d, s->ports[i]);
	evtchn_close_io(d, s->ring_port);
	for (unsigned int i = 0; i < RANGE_TYPES; i++)
		rangeset_fini(&s->ranges[i]);
	if (s->requests)
		page_unshare_free(s->requests);
	if (s->ring)
		page_unshare_free(s->ring);
	heap_free(s);
}

/* A channel between the caller's domain and a vCPU that need not be there yet. */
static int port_make(struct domain *d, unsigned int vcpu, port_t *port)
{
	int rc = evtchn_alloc_io(d, vcpu, current->domain->id);

	if (rc < 0)
		return rc;
	*port = rc;
	return 0;
}

static int server_make(struct domain *d, bool has_ring, struct ioreq_server **out)
{
	struct ioreq_server *s = heap_alloc(sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return rc;
	s->owner = current->domain->id;
	for (unsigned int i = 0; i < RANGE_TYPES; i++)
		rangeset_init(&s->ranges[i]);
	s->requests = page_make(d);
	if (!s->requests)
		goto free;
	if (has_ring) {
		s->ring = page_make(d);
		rc = s->ring ? port_make(d, 0, &s->ring_port) : -ENOMEM;
		if (rc)
			goto free;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		rc = port_make(d, i, &s->ports[i]);
		if (rc)
			goto free;
		s->requests[i].vp_eport = s->ports[i];
	}
	*out = s;
	return 0;

free:
	server_free(d, s);
	return rc;
}

int ioreq_server_create(struct domain *d, uint8_t bufioreq, ioservid_t *number)
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s = NULL;
	unsigned int i = 0;
	int rc;

	if (!id || bufioreq > HVM_IOREQSRV_BUFIOREQ_ATOMIC)
		return -EINVAL;
	rc = server_make(d, bufioreq != HVM_IOREQSRV_BUFIOREQ_OFF, &s);
	if (rc)
		return rc;
	spin_lock(&id->lock);
	while (i < IOREQ_SERVERS_MAX && id->servers[i])
		i++;
	if (id->is_closed)
		rc = -EINVAL;
	else if (i == IOREQ_SERVERS_MAX)
		rc = -ENOSPC;
	else
		id->servers[i] = s;
	spin_unlock(&id->lock);
	*number = i;
	if (rc)
		server_free(d, s);
	return rc;
}

/* d is paused: nobody waits for it any more. */
static void server_forget(struct domain *d, unsigned int number)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		struct hvm_io_state *io = &v->hvm->io;

		if (!(io->waits_for >> number & 1))
			continue;
		io->waits_for &= ~(1U << number);
		if (io->server == number && !io->ask.is_write)
			io->ask.data = ~0UL;
		vcpu_io_wake(v);
	}
}

int ioreq_server_destroy(struct domain *d, ioservid_t number)
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s;
	int rc;

	if (!id)
		return -ENOENT;
	domain_pause(d);
	spin_lock(&id->lock);
	rc = server_get(d, number, &s);
	if (!rc) {
		id->servers[number] = NULL;
		server_forget(d, number);
	}
	spin_unlock(&id->lock);
	domain_unpause(d);
	if (!rc)
		server_free(d, s);
	return rc;
}

int ioreq_server_info(struct domain *d, struct xen_dm_op_get_ioreq_server_info *info)
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s;
	int rc;

	if (!id)
		return -ENOENT;
	if (info->flags & ~XEN_DMOP_no_gfns)
		return -EINVAL;
	if (!(info->flags & XEN_DMOP_no_gfns))
		return -EOPNOTSUPP;
	spin_lock(&id->lock);
	rc = server_get(d, info->id, &s);
	if (!rc)
		info->bufioreq_port = s->ring_port;
	spin_unlock(&id->lock);
	return rc;
}

static int range_map(struct ioreq_server *s, const struct xen_dm_op_ioreq_server_range *r)
{
	struct rangeset *set = &s->ranges[r->type];

	if (rangeset_overlaps(set, r->start, r->end))
		return -EEXIST;
	if (rangeset_count(set) >= RANGES_MAX)
		return -ENOSPC;
	return rangeset_add(set, r->start, r->end);
}

static int range_unmap(struct ioreq_server *s, const struct xen_dm_op_ioreq_server_range *r)
{
	struct rangeset *set = &s->ranges[r->type];

	if (!rangeset_contains(set, r->start, r->end))
		return -ENOENT;
	/* Taking the middle out of a range makes two of it. */
	if (rangeset_count(set) >= 2 * RANGES_MAX)
		return -ENOSPC;
	return rangeset_remove(set, r->start, r->end);
}

static int range_change(struct domain *d, const struct xen_dm_op_ioreq_server_range *r,
			int (*change)(struct ioreq_server *,
				      const struct xen_dm_op_ioreq_server_range *))
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s;
	int rc;

	if (!id)
		return -ENOENT;
	if (r->type >= RANGE_TYPES || r->start > r->end)
		return -EINVAL;
	spin_lock(&id->lock);
	rc = server_get(d, r->id, &s);
	if (!rc)
		rc = change(s, r);
	spin_unlock(&id->lock);
	return rc;
}

int ioreq_server_map_range(struct domain *d, const struct xen_dm_op_ioreq_server_range *r)
{
	return range_change(d, r, range_map);
}

int ioreq_server_unmap_range(struct domain *d, const struct xen_dm_op_ioreq_server_range *r)
{
	return range_change(d, r, range_unmap);
}

int ioreq_server_set_state(struct domain *d, ioservid_t number, bool enabled)
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s;
	int rc;

	if (!id)
		return -ENOENT;
	spin_lock(&id->lock);
	rc = server_get(d, number, &s);
	if (!rc)
		s->is_enabled = enabled;
	spin_unlock(&id->lock);
	return rc;
}

int ioreq_server_frame(struct domain *d, uint32_t number, uint64_t frame, mfn_t *mfn)
{
	struct ioreq_domain *id = d->hvm->ioreq;
	struct ioreq_server *s;
	const void *page = NULL;
	int rc;

	if (!id)
		return -ENOENT;
	spin_lock(&id->lock);
	rc = server_get(d, number, &s);
	if (!rc && frame == XENMEM_resource_ioreq_server_frame_bufioreq)
		page = s->ring;
	else if (!rc && frame == XENMEM_resource_ioreq_server_frame_ioreq(0))
		page = s->requests;
	if (page)
		*mfn = virt_to_mfn(page);
	else if (!rc)
		rc = -EINVAL;
	spin_unlock(&id->lock);
	return rc;
}

/* --- domains --- */

int ioreq_domain_init(struct domain *d)
{
	d->hvm->ioreq = heap_alloc(sizeof(*d->hvm->ioreq));
	return d->hvm->ioreq ? 0 : -ENOMEM;
}

void ioreq_domain_relinquish(struct domain *d)
{
	struct ioreq_domain *id = d->hvm->ioreq;

	if (!id)
		return;
	for (unsigned int i = 0; i < IOREQ_SERVERS_MAX; i++) {
		struct ioreq_server *s;

		spin_lock(&id->lock);
		id->is_closed = true;
		s = id->servers[i];
		id->servers[i] = NULL;
		if (s)
			server_forget(d, i);
		spin_unlock(&id->lock);
		if (s)
			server_free(d, s);
	}
}

void ioreq_domain_fini(struct domain *d)
{
	heap_free(d->hvm->ioreq);
	d->hvm->ioreq = NULL;
}
