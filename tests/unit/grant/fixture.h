/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of grants stand on: a granter and a user of grants, page
 * types as simple as can be, and page tables that are a list.
 */
#ifndef GRANT_FIXTURE_H
#define GRANT_FIXTURE_H

#include "fake.h"

#include "grant/table.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "pv/pv.h"

/* The user's page tables. */
static struct fake_pte {
	bool used, by_pte, writable;
	uint64_t addr, frame, avail;
} ptes[4096];

static struct fake_pte *pte_find(uint64_t addr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ptes); i++)
		if (ptes[i].used && ptes[i].addr == addr)
			return &ptes[i];
	return NULL;
}

int pv_grant_map(uint64_t addr, bool by_pte, mfn_t frame, bool writable, uint64_t avail)
{
	if (!addr || pte_find(addr))
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(ptes); i++) {
		if (ptes[i].used)
			continue;
		ptes[i] = (struct fake_pte){true, by_pte, writable, addr, frame.v, avail};
		return 0;
	}
	return -EINVAL;
}

int pv_grant_unmap(uint64_t addr, bool by_pte, mfn_t frame, bool writable, uint64_t new_addr)
{
	struct fake_pte *p = pte_find(addr);
	struct fake_pte *q = new_addr ? pte_find(new_addr) : NULL;

	if (!p || p->by_pte != by_pte || p->frame != frame.v || p->writable != writable)
		return -EINVAL;
	if (new_addr && !q)
		return -EINVAL;
	p->used = false;
	if (q)
		q->addr = addr;
	return 0;
}

void pv_domain_dirty_cpus(struct domain *d, struct cpumask *out)
{
	(void)d;
	cpumask_zero(out);
	cpumask_set(out, 3);
}

bool page_get_writable(struct page *pg)
{
	if (page_type_count(pg) && page_type(pg) != PAGE_WRITABLE)
		return false;
	pg->type = ((uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT) | (page_type_count(pg) + 1);
	return true;
}

void page_put_and_type(struct page *pg)
{
	CHECK(page_type_count(pg));
	pg->type--;
	page_put(pg);
}

void page_share(void *v, struct domain *d, bool writable)
{
	(void)writable;
	virt_to_page(v)->count = (uint64_t)d->id << PAGE_OWNER_SHIFT | PAGE_F_RAM | PAGE_F_HYP | 1;
}

void page_unshare_free(void *v)
{
	hyp_pages_free(v, 0);
}

static struct domain *granter, *user, *third;

static void fixture_begin(void)
{
	memset(ptes, 0, sizeof(ptes));
	fake_guest_any = true;
	fake_dom0(1);
	granter = fake_domain(1, 1);
	user = fake_domain(2, 1);
	third = fake_domain(3, 1);
	CHECK_EQ(grant_domain_init(dom0, -1, -1, 2), 0);
	CHECK_EQ(grant_domain_init(granter, 4, 4, 2), 0);
	CHECK_EQ(grant_domain_init(user, 4, 4, 2), 0);
	CHECK_EQ(grant_domain_init(third, 4, 0, 1), 0);
	fake_vcpu_run(user->vcpus[0], 0);
}

/* All gone: no object, no page, no reference is left. */
static void fixture_end(void)
{
	struct domain *d;

	for_each_domain(d)
		CHECK_EQ(grant_domain_release_mappings(d), 0);
	for_each_domain(d) {
		CHECK_EQ(d->references, 1);
		grant_domain_destroy(d);
	}
	CHECK_EQ(fake_heap_objects, 0);
	for (uint64_t n = 1; n < FAKE_FRAMES; n++)
		if (frame_table[n].count & PAGE_F_HYP)
			CHECK_EQ(frame_table[n].count & PAGE_COUNT_MASK, 0);
}

static void run(struct domain *d)
{
	fake_vcpu_run(d->vcpus[0], 0);
}

static long op(unsigned int cmd, void *arg, uint32_t count)
{
	const uint64_t args[5] = {cmd, (uint64_t)arg, count};

	return hypercall_grant_table_op(args);
}

static struct grant_entry_v1 *v1(struct domain *d, uint32_t ref)
{
	return grant_entry_v1(d->grant, ref);
}

static inline union grant_entry_v2 *v2(struct domain *d, uint32_t ref)
{
	return grant_entry_v2(d->grant, ref);
}

/* d grants a new page; the page. */
static inline struct page *grant(struct domain *d, uint32_t ref, domid_t to, uint16_t flags)
{
	struct page *pg = fake_frame_alloc(d);

	*v1(d, ref) = (struct grant_entry_v1){
		.flags = GTF_permit_access | flags,
		.domid = to,
		.frame = (uint32_t)page_to_mfn(pg).v,
	};
	return pg;
}

static inline uint32_t refs(const struct page *pg)
{
	return pg->count & PAGE_COUNT_MASK;
}

/* The status; the handle in *handle. */
static inline int do_map(uint32_t ref, uint64_t addr, uint32_t flags, uint32_t *handle)
{
	struct gnttab_map_grant_ref arg = {
		.host_addr = addr, .flags = flags, .ref = ref, .dom = granter->id};

	CHECK_EQ(op(GNTTABOP_map_grant_ref, &arg, 1), 0);
	if (handle)
		*handle = arg.handle;
	return arg.status;
}

static inline int do_unmap(uint32_t handle, uint64_t addr, uint64_t dev)
{
	struct gnttab_unmap_grant_ref arg = {addr, dev, handle, 1};

	CHECK_EQ(op(GNTTABOP_unmap_grant_ref, &arg, 1), 0);
	return arg.status;
}

static inline int do_set_version(uint32_t version, uint32_t want)
{
	struct gnttab_set_version arg = {version};
	long rc = op(GNTTABOP_set_version, &arg, 1);

	CHECK_EQ(arg.version, want);
	return (int)rc;
}

#define RO   (GNTMAP_host_map | GNTMAP_readonly)
#define RW   GNTMAP_host_map
#define ADDR 0x10000UL

#endif
