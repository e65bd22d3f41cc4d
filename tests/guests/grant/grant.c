/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants, against oneself, which needs no other guest: what is revoked while
 * mapped, mapped twice, out of range, of another version, not ours.
 */
#include "guest.h"

DEFINE_PAGE(shared);
DEFINE_PAGE(window);
DEFINE_PAGE(window2);
DEFINE_PAGE(table_page);
static struct grant_entry_v1 *table = (struct grant_entry_v1 *)table_page;

static domid_t self;

#define REF 20

/* A channel bound to oneself tells who that is. */
static domid_t own_domid(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
	struct evtchn_status s = {.dom = DOMID_SELF};

	HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &a);
	b.remote_port = a.port;
	HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &b);
	s.port = b.local_port;
	HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s);
	return s.u.interdomain.dom;
}

static long gnttab(unsigned int op, void *arg, unsigned int n)
{
	return HC3(__HYPERVISOR_grant_table_op, op, arg, n);
}

static int map(void *va, uint32_t ref, unsigned int flags, domid_t dom, uint32_t *handle)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = (unsigned long)va, .flags = flags, .ref = ref, .dom = dom};

	if (gnttab(GNTTABOP_map_grant_ref, &m, 1))
		return -1000;
	*handle = m.handle;
	return m.status;
}

static int unmap(void *va, uint32_t handle)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = (unsigned long)va, .handle = handle};

	return gnttab(GNTTABOP_unmap_grant_ref, &u, 1) ? -1000 : u.status;
}

static bool table_map(void)
{
	unsigned long frame = 0;
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(s.frame_list, &frame);
	return !gnttab(GNTTABOP_setup_table, &s, 1) && s.status == GNTST_okay &&
	       !remap(table_page, frame << 12 | PTE_RW_FLAGS);
}

static void grant(uint32_t ref, const void *va, unsigned int flags)
{
	table[ref].domid = self;
	table[ref].frame = va_to_mfn(va);
	__atomic_store_n(&table[ref].flags, GTF_permit_access | flags, __ATOMIC_RELEASE);
}

static void refusals(void)
{
	uint32_t h;

	check(map(window, 1000000, GNTMAP_host_map, self, &h) == GNTST_bad_gntref,
	      "a reference out of range is refused");
	check(map(window, REF + 1, GNTMAP_host_map, self, &h) < 0, "an empty entry is refused");
	check(map(window, 1, GNTMAP_host_map, 0x7000, &h) == GNTST_bad_domain,
	      "a domain that is not there is refused");
	check(map(window, 8, GNTMAP_host_map, 0, &h) < 0, "dom0's entries are refused");
	check(map(HYPERVISOR_ADDRESS, REF, GNTMAP_host_map, self, &h) < 0,
	      "a hypervisor address is refused");
	check(map(NON_CANONICAL, REF, GNTMAP_host_map, self, &h) < 0,
	      "a non-canonical address is refused");
	check(map(window, REF, 0, self, &h) < 0, "a mapping of nothing is refused");
	check(unmap(window, 12345) == GNTST_bad_handle, "a handle that is none is refused");
}

static void life(void)
{
	uint32_t h, h2;
	struct gnttab_set_version v = {.version = 2};

	grant(REF, shared, 0);
	shared[0] = 42;
	check_eq(map(window, REF, GNTMAP_host_map, self, &h), GNTST_okay, "a grant can be mapped");
	check_eq(window[0], 42, "and shows the page");
	check(table[REF].flags & GTF_reading, "and is marked in use");
	check_eq(map(window2, REF, GNTMAP_host_map, self, &h2), GNTST_okay, "twice");
	check_eq(gnttab(GNTTABOP_set_version, &v, 1), -EBUSY, "no version change while in use");
	table[REF].flags = 0; /* revoked while mapped */
	table[REF].frame = va_to_mfn(window2);
	check_eq(window[0], 42, "a revoked grant's mapping stays what it was");
	check(unmap(table_page, h) != GNTST_okay,
	      "a handle does not unmap where its frame is not mapped");
	check_eq(unmap(window2, h2), GNTST_okay, "the second mapping can be undone");
	check_eq(unmap(window, h), GNTST_okay, "the first too");
	check(unmap(window, h) != GNTST_okay, "but only once");
	check(!try_read(window), "and nothing is mapped there");

	grant(REF, shared, GTF_readonly);
	check(map(window, REF, GNTMAP_host_map, self, &h) < 0, "a read-only grant is not writable");
	check_eq(map(window, REF, GNTMAP_host_map | GNTMAP_readonly, self, &h), GNTST_okay,
		 "but readable");
	check(!try_write(window, 1), "and stores to it fault");
	check_eq(unmap(window, h), GNTST_okay, "it can be undone");
}

/* A granted page table must never come back writable. */
static void tables(void)
{
	uint32_t h;

	table[REF].domid = self;
	table[REF].frame = pt_mfn(shared, 1);
	__atomic_store_n(&table[REF].flags, GTF_permit_access, __ATOMIC_RELEASE);
	check(map(window, REF, GNTMAP_host_map, self, &h) < 0, "a page table is not granted writable");
	table[REF].flags = 0;
	table[REF].frame = 0x200; /* the hypervisor's image */
	__atomic_store_n(&table[REF].flags, GTF_permit_access, __ATOMIC_RELEASE);
	check(map(window, REF, GNTMAP_host_map, self, &h) < 0, "the hypervisor is not granted");
	table[REF].flags = 0;
}

static int copy(struct gnttab_copy c)
{
	return gnttab(GNTTABOP_copy, &c, 1) ? -1000 : c.status;
}

static void copies(void)
{
	struct gnttab_copy c = {.len = 16, .flags = GNTCOPY_source_gref};

	grant(REF, shared, 0);
	c.source.u.ref = REF;
	c.source.domid = self;
	c.dest.domid = DOMID_SELF;
	c.dest.u.gmfn = va_to_mfn(window2);
	remap(window2, va_to_mfn(window2) << 12 | PTE_RW_FLAGS);
	shared[0] = 77;
	check_eq(copy(c), GNTST_okay, "a copy works");
	check_eq(window2[0], 77, "and copies");
	c.len = 4096;
	c.source.offset = 1;
	check(copy(c) < 0, "a copy past the page is refused");
	c.source.offset = 65535;
	c.len = 16;
	check(copy(c) < 0, "an offset past the page is refused");
	c.source.offset = 0;
	c.dest.u.gmfn = pt_mfn(shared, 1);
	check(copy(c) < 0, "a copy over a page table is refused");
	c.dest.u.gmfn = 0x200;
	check(copy(c) < 0, "a copy over the hypervisor is refused");
	c.dest.domid = 0;
	check(copy(c) < 0, "a copy into dom0's frame is refused");
}

void guest_test(void)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_transfer t = {.mfn = va_to_mfn(shared), .domid = 0, .ref = 1};

	self = own_domid();
	check_eq(gnttab(GNTTABOP_query_size, &q, 1), 0, "the table's size can be asked");
	q.dom = 0;
	(void)gnttab(GNTTABOP_query_size, &q, 1);
	check(q.status < 0, "but not dom0's");
	check(table_map(), "the table can be mapped");
	refusals();
	life();
	tables();
	copies();
	(void)gnttab(GNTTABOP_transfer, &t, 1);
	check(t.status != GNTST_okay, "a transfer is refused");
}
