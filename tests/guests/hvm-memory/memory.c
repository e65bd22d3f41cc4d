/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PVH guest can try by its physical memory map: frames in and out of
 * it, more than it may have, in places that are none, hypervisor pages where
 * it likes, grants over its own memory, structures where there is no memory,
 * and all of it by 32-bit code too.
 */
#include "hvm.h"

#define HOLE	 0x80000UL /* 2 GiB: nothing is there in a guest of 32 MiB */
#define BEYOND	 (1UL << 40)
#define ALL_ONES ~0UL
#define REF	 20

DEFINE_PAGE(own);
DEFINE_PAGE(victim);
DEFINE_PAGE(shared);

static domid_t self;

static long memory_op(unsigned long cmd, void *arg)
{
	return HC2(__HYPERVISOR_memory_op, cmd, arg);
}

static long reservation(unsigned long cmd, unsigned long gfn, unsigned int order)
{
	xen_pfn_t frame = gfn;
	struct xen_memory_reservation r = {
		.nr_extents = 1, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, &frame);
	return memory_op(cmd, &r);
}

static long populate(unsigned long gfn)
{
	return reservation(XENMEM_populate_physmap, gfn, 0);
}

static long give_up(unsigned long gfn)
{
	return reservation(XENMEM_decrease_reservation, gfn, 0);
}

static long add(domid_t dom, unsigned int space, unsigned long idx, unsigned long gfn)
{
	struct xen_add_to_physmap x = {dom, 0, space, idx, gfn};

	return memory_op(XENMEM_add_to_physmap, &x);
}

static long remove_at(unsigned long gfn)
{
	struct xen_remove_from_physmap x = {.domid = DOMID_SELF, .gpfn = gfn};

	return memory_op(XENMEM_remove_from_physmap, &x);
}

static uint64_t word_at(unsigned long gfn)
{
	return *(volatile uint64_t *)gfn_at(gfn);
}

static void reservations(void)
{
	struct xen_memory_reservation huge = {.nr_extents = ~0UL, .domid = DOMID_SELF};
	unsigned long n = 0;

	while (n < 1024 && populate(HOLE + n) == 1) /* what its limit leaves it */
		n++;
	check(n < 1024 && populate(HOLE + n) == 0, "no more memory than the domain may have");
	while (n)
		give_up(HOLE + --n);
	*(uint64_t *)victim = 0x1234;
	check_eq(give_up(gfn_of(victim)), 1, "a frame can be given up");
	check(word_at(gfn_of(victim)) == ALL_ONES, "and nothing is there any more");
	*(volatile uint64_t *)victim = 5;
	check_eq(give_up(gfn_of(victim)), 0, "but only once");
	check_eq(populate(gfn_of(victim)), 1, "another takes its place");
	check_eq(word_at(gfn_of(victim)), 0, "which tells nothing of its past");
	check_eq(populate(BEYOND), 0, "no frame beyond what tables reach");
	check_eq(populate(ALL_ONES), 0, "nor at the very end");
	check_eq(reservation(XENMEM_populate_physmap, 1, 9), 0, "no large frame askew");
	check_eq(reservation(XENMEM_populate_physmap, 0, 200), 0, "no frame of absurd size");
	check_eq(give_up(HOLE), 0, "no giving up of what is not there");
	check_eq(give_up(ALL_ONES), 0, "nor of what cannot be");
	check(reservation(XENMEM_increase_reservation, HOLE, 0) <= 0, "no frame that is nowhere");
	check_eq(memory_op(XENMEM_populate_physmap, &huge), -EINVAL, "no endless list");
	huge.nr_extents = 1;
	huge.domid = 0;
	check_eq(memory_op(XENMEM_populate_physmap, &huge), -EPERM, "no memory for dom0");
	check_eq(memory_op(XENMEM_decrease_reservation, &huge), -EPERM, "nor from it");
}

static void hypervisor_pages(void)
{
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE), 0, "shared_info can be seen");
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE + 1), 0, "in two places");
	*(volatile uint64_t *)((char *)gfn_at(HOLE) + 0x600) = 77;
	check_eq(*(volatile uint64_t *)((char *)gfn_at(HOLE + 1) + 0x600), 77, "the same page");
	check_eq(give_up(HOLE), 0, "it cannot be given up");
	check_eq(remove_at(HOLE + 1), 0, "it can be taken away");
	check_eq(remove_at(HOLE + 1), -ENOENT, "once");
	check(word_at(HOLE + 1) == ALL_ONES, "and is gone from there");
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 1, HOLE), -EINVAL, "there is but one");
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, BEYOND), -EINVAL, "not anywhere");
	check_eq(add(DOMID_SELF, XENMAPSPACE_grant_table, 100000, HOLE), -EINVAL,
		 "no grant frame out of range");
	check_eq(add(DOMID_SELF, XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, HOLE),
		 -EINVAL, "no status frame of version 1");
	check_eq(add(DOMID_SELF, XENMAPSPACE_grant_table, BEYOND, HOLE), -EINVAL, "nor a huge one");
	check_eq(add(DOMID_SELF, XENMAPSPACE_grant_table, 0, HOLE + 2), 0, "the grant table shows");
	check_eq(remove_at(HOLE), 0, "and shared_info goes");
}

static void moves(void)
{
	*(uint64_t *)victim = 0x4321;
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, gfn_of(victim), HOLE + 10), 0, "a frame moves");
	check_eq(word_at(HOLE + 10), 0x4321, "with what is in it");
	check(word_at(gfn_of(victim)) == ALL_ONES, "and is not where it was");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, gfn_of(victim), HOLE + 11), -EINVAL,
		 "nothing does not move");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, HOLE + 2, HOLE + 11), -EINVAL,
		 "nor does a hypervisor page");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, HOLE + 10, BEYOND), -EINVAL,
		 "a frame that cannot go there");
	check_eq(word_at(HOLE + 10), 0x4321, "stays");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, HOLE + 10, gfn_of(victim)), 0, "and goes back");
	check_eq(*(uint64_t *)victim, 0x4321, "whole");
	check_eq(add(0, XENMAPSPACE_gmfn, 0, HOLE + 12), -EPERM, "dom0's map is dom0's");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, HOLE + 12), -EOPNOTSUPP,
		 "no foreign frames");
	check_eq(add(DOMID_SELF, XENMAPSPACE_dev_mmio, 0xfee00, HOLE + 12), -EOPNOTSUPP,
		 "no device memory");
	check_eq(add(DOMID_SELF, 1000, 0, HOLE + 12), -EOPNOTSUPP, "nothing unheard of");
}

static void other_calls(void)
{
	static const unsigned int pv_only[] = {
		__HYPERVISOR_set_trap_table,	__HYPERVISOR_mmu_update,
		__HYPERVISOR_set_gdt,		__HYPERVISOR_stack_switch,
		__HYPERVISOR_set_callbacks,	__HYPERVISOR_update_descriptor,
		__HYPERVISOR_update_va_mapping, __HYPERVISOR_iret,
		__HYPERVISOR_set_segment_base,	__HYPERVISOR_mmuext_op,
		__HYPERVISOR_callback_op,
	};
	static const unsigned int machine[] = {XENMEM_machphys_mfn_list, XENMEM_machine_memory_map,
					       XENMEM_exchange, XENMEM_machphys_mapping};

	for (unsigned int i = 0; i < sizeof(pv_only) / sizeof(pv_only[0]); i++)
		if (HC4(pv_only[i], own, 1, 0, DOMID_SELF) != -ENOSYS)
			check(false, "a hypercall of PV guests");
	check(true, "hypercalls of PV guests are not there");
	for (unsigned int i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
		if (memory_op(machine[i], own) != -ENOSYS)
			check(false, "a question about machine frames");
	check(true, "nor are questions about machine frames");
	check(HC1(__HYPERVISOR_domctl, own) < 0, "nor is control of domains");
	check_eq(HC3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 0, own), -ENOSYS,
		 "nor the context of a PV vCPU");
}

static void structures(void)
{
	static const unsigned long bad[] = {
		HOLE << 12,		       /* no memory */
		(HOLE << 12) - 4,	       /* begins in none */
		0xfee00000,		       /* the local APIC */
		0x900000000000,		       /* not canonical */
		0xffff830000000000,	       /* the hypervisor's */
		~0UL - 3,	    1UL << 33, /* not in its page tables */
	};
	struct vcpu_register_vcpu_info info = {.mfn = HOLE};
	struct evtchn_init_control control = {.control_gfn = HOLE};
	struct evtchn_expand_array array = {.array_gfn = HOLE};
	struct vcpu_register_runstate_memory_area area = {.addr.p = HOLE << 12};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (memory_op(XENMEM_add_to_physmap, (void *)bad[i]) != -EFAULT ||
		    memory_op(XENMEM_populate_physmap, (void *)bad[i]) != -EFAULT ||
		    HC3(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, bad[i], 1) != -EFAULT) {
			say("# address %lx\n", bad[i]);
			check(false, "a structure where no memory is");
		}
	}
	check(true, "structures where no memory is are refused");
	check_eq(HC3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &info), -EINVAL,
		 "no vcpu_info in a hole");
	check_eq(HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_init_control, &control), -EINVAL,
		 "no control block either");
	check(HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_expand_array, &array) < 0, "no array");
	check(HC3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area) < 0,
	      "no run states");
	area.addr.p = (uint64_t)own;
	check_eq(HC3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area), 0,
		 "but in memory");
	check_eq(give_up(gfn_of(own)), 1, "that goes away under the hypervisor's hands");
	HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	check_eq(populate(gfn_of(own)), 1, "and comes back");
}

/* Entry 1 of the highest table, for a moment: what is there for the CPU, and for a hypercall. */
static void try_table(uint64_t entry, bool is_memory, const char *what)
{
	void *at = (void *)(1UL << 39);
	bool read;
	long rc;

	table4[1] = entry;
	__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::: "rax", "memory");
	read = try_read(at);
	rc = memory_op(XENMEM_remove_from_physmap, at);
	if (read != is_memory || (rc == -EFAULT) == is_memory)
		say("# read %d, trap %u, hypercall %ld\n", read, trap_vector, rc);
	check(read == is_memory && (read || trap_vector == 14) && (rc == -EFAULT) != is_memory,
	      what);
	table4[1] = 0;
	__asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::: "rax", "memory");
}

DEFINE_PAGE(lower);

static void tables(void)
{
	uint64_t *t = (uint64_t *)lower;

	try_table(HOLE << 12 | 7, false, "a table where no memory is");
	try_table(0xfee00000 | 7, false, "a table in the local APIC");
	try_table((uint64_t)table4 | 7, true, "tables that loop");
	try_table((uint64_t)lower | 0x87, false, "a large page of the highest level");
	t[0] = (uint64_t)lower | 7;
	try_table((uint64_t)lower | 7, true, "a table of every level at once");
	t[0] = 0x000ff00000000000 | 7;
	try_table((uint64_t)lower | 7, false, "a table beyond all memory");
	t[0] = (uint64_t)lower | 7 | 1UL << 63;
	try_table((uint64_t)lower | 7, true, "a table without execution");
	t[0] = 0x2087;
	try_table((uint64_t)lower | 7, false, "a large page with reserved bits");
	/* in a hypervisor page: entries that others write */
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE + 50), 0, "shared_info again");
	try_table((HOLE + 50) << 12 | 7, false, "shared_info as a table");
	check_eq(remove_at(HOLE + 50), 0, "and gone");
}

/* --- grants, to oneself --- */

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

static int map(uint64_t gpa, uint32_t ref, unsigned int flags, uint32_t *handle)
{
	struct gnttab_map_grant_ref m = {.host_addr = gpa, .flags = flags, .ref = ref, .dom = self};

	if (HC3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &m, 1))
		return -1000;
	*handle = m.handle;
	return m.status;
}

static int unmap(uint64_t gpa, uint32_t handle)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = gpa, .handle = handle};

	return HC3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &u, 1) ? -1000 : u.status;
}

static void grant(unsigned long gfn)
{
	struct grant_entry_v1 *table = gfn_at(HOLE + 2); /* from hypervisor_pages() */

	table[REF].domid = self;
	table[REF].frame = gfn;
	__atomic_store_n(&table[REF].flags, GTF_permit_access, __ATOMIC_RELEASE);
}

static void grants(void)
{
	uint64_t at = (HOLE + 20) << 12;
	uint32_t h, h2;

	self = own_domid();
	grant(gfn_of(shared));
	*(uint64_t *)shared = 99;
	check_eq(map(at, REF, GNTMAP_host_map, &h), GNTST_okay, "a grant is mapped in a hole");
	check_eq(word_at(HOLE + 20), 99, "and shows the page");
	check(unmap(at + 4096, h) != GNTST_okay, "it ends only where it is");
	check(unmap((uint64_t)shared, h) != GNTST_okay, "not where the page itself is");
	check(map(at + 1, REF, GNTMAP_host_map, &h2) != GNTST_okay, "no mapping askew");
	check(map(BEYOND << 12, REF, GNTMAP_host_map, &h2) != GNTST_okay, "nor out of reach");
	check(map(at + 4096, REF, GNTMAP_host_map | GNTMAP_contains_pte, &h2) != GNTST_okay,
	      "nor by a page-table entry");
	check_eq(give_up(HOLE + 20), 0, "a mapping is no memory to give up");
	check_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, HOLE + 20, HOLE + 21), -EINVAL, "nor to move");
	check_eq(give_up(gfn_of(shared)), 1, "the page may be given up while it is mapped");
	check_eq(word_at(HOLE + 20), 99, "and is there still");
	check_eq(unmap(at, h), GNTST_okay, "until the mapping ends");
	check(word_at(HOLE + 20) == ALL_ONES, "then it is not");
	check_eq(unmap(at, h), GNTST_bad_handle, "which it does once");
	check_eq(populate(gfn_of(shared)), 1, "another page in its place");
	grant(HOLE + 30);
	check(map(at, REF, GNTMAP_host_map, &h) != GNTST_okay, "a hole cannot be granted");
	grant(~0UL);
	check(map(at, REF, GNTMAP_host_map, &h) != GNTST_okay, "nor what cannot be");
	/* left behind for the domain's end: a mapping, one overwritten, one taken away */
	grant(gfn_of(shared));
	for (unsigned int i = 0; i < 3; i++)
		check_eq(map(at + i * 4096, REF, GNTMAP_host_map, &h), GNTST_okay, "left mapped");
	check_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, HOLE + 21), 0, "overwritten");
	check(unmap(at + 4096, h) != GNTST_okay, "which cannot end twice");
	check_eq(remove_at(HOLE + 22), 0, "taken away");
	check(unmap(at + 2 * 4096, h) != GNTST_okay, "nor that");
}

/* --- by 32-bit code --- */

static void narrow_code(void)
{
	static struct {
		uint16_t domid, size;
		uint32_t space, idx, gpfn;
	} add32;
	static struct {
		uint32_t extent_start, nr_extents, extent_order, mem_flags;
		uint16_t domid;
	} r32;
	static uint32_t frame;

	check_eq(hypercall32(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17,
		 "32-bit code: the version");
	add32.domid = DOMID_SELF;
	add32.space = XENMAPSPACE_shared_info;
	add32.gpfn = HOLE + 40;
	check_eq(hypercall32(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (unsigned long)&add32),
		 0, "32-bit code: shared_info");
	check(word_at(HOLE + 40) != ALL_ONES, "32-bit code: it is there");
	frame = gfn_of(victim);
	r32.extent_start = (uint32_t)(unsigned long)&frame;
	r32.nr_extents = 1;
	r32.domid = DOMID_SELF;
	check_eq(hypercall32(__HYPERVISOR_memory_op, XENMEM_decrease_reservation,
			     (unsigned long)&r32),
		 1, "32-bit code: a frame goes");
	check_eq(hypercall32(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (unsigned long)&r32),
		 1, "32-bit code: and comes");
	r32.nr_extents = ~0U;
	check(hypercall32(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (unsigned long)&r32) < 0,
	      "32-bit code: no endless list");
	check_eq(hypercall32(__HYPERVISOR_memory_op, XENMEM_populate_physmap, HOLE << 12), -EFAULT,
		 "32-bit code: no structure in a hole");
	check_eq(hypercall32(__HYPERVISOR_memory_op, XENMEM_populate_physmap, 0xfffffffc), -EFAULT,
		 "32-bit code: nor at the end");
	check_eq(hypercall32(__HYPERVISOR_grant_table_op, 0, 0), -ENOSYS, "32-bit code: no grants");
	check_eq(hypercall32(__HYPERVISOR_multicall, 0, 0), -ENOSYS, "32-bit code: no batches");
}

/* Tables for a frame in every gigabyte: more than the pool has. */
static void pool(void)
{
	unsigned long n = 1;

	check_eq(give_up(gfn_of(victim)), 1, "a frame to spread");
	while (n < 4096 && populate(n << 18) == 1 && give_up(n << 18) == 1)
		n++;
	check(n < 4096, "the pool of tables has an end");
	check(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, (n + 1) << 18) < 0, "for everything");
	check_eq(populate(gfn_of(victim)), 1, "where tables are, memory still can be");
}

void guest_test(void)
{
	reservations();
	hypervisor_pages();
	moves();
	other_calls();
	structures();
	tables();
	grants();
	narrow_code();
	pool();
}
