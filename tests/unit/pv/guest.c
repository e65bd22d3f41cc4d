/* SPDX-License-Identifier: BSD-2-Clause */
/* The PV guest of the MMU tests. */
#include "guest.h"

uint64_t mfn_of(const struct page *pg)
{
	return page_to_mfn(pg).v;
}

uint64_t pte_of(const struct page *pg, uint64_t flags)
{
	return mfn_of(pg) << PAGE_SHIFT | flags;
}

uint64_t *entries_of(const struct page *pg)
{
	return page_to_virt(pg);
}

uint64_t entry_ma(const struct page *pg, unsigned int slot)
{
	return mfn_of(pg) << PAGE_SHIFT | slot * 8;
}

void guest_init(struct guest *g, domid_t id, unsigned int cpu)
{
	g->d = id ? fake_domain(id, 2) : fake_dom0(2);
	g->v = g->d->vcpus[0];
	for (unsigned int i = 0; i < 2; i++) {
		g->d->vcpus[i]->pv.in_kernel = true;
		for (unsigned int j = 0; j < PV_GDT_FRAMES; j++)
			g->d->vcpus[i]->pv.gdt_frames[j] = MFN_NONE;
	}
	fake_vcpu_run(g->v, cpu);
	g->l4 = fake_frame_alloc(g->d);
	g->l3 = fake_frame_alloc(g->d);
	g->l2 = fake_frame_alloc(g->d);
	g->l1 = fake_frame_alloc(g->d);
	for (unsigned int i = 0; i < ARRAY_SIZE(g->data); i++)
		g->data[i] = fake_frame_alloc(g->d);
	entries_of(g->l4)[1] = pte_of(g->l3, US);
	entries_of(g->l3)[2] = pte_of(g->l2, US);
	entries_of(g->l2)[3] = pte_of(g->l1, US);
	entries_of(g->l1)[4] = pte_of(g->data[0], P);
	entries_of(g->l1)[5] = pte_of(g->data[1], RW);
	for (unsigned int i = 0; i < HYP_SLOT_COUNT; i++)
		hyp_l4[HYP_SLOT_FIRST + i] = 0x1234000 + i * PAGE_SIZE + PTE_TABLE;
}

void guest_start(struct guest *g)
{
	fake_vcpu_run(g->v, g->v->sched.cpu);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(g->l4), 0), 0);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(g->l4), 0), 0);
	references_check();
}

void guest_end(struct guest *g)
{
	struct domain *d = g->d;
	int ret;

	d->is_dying = true;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (d->vcpus[i]->sched.is_running)
			d->vcpus[i]->sched.is_running = false;
		do {
			ret = pv_vcpu_relinquish(d->vcpus[i]);
			CHECK(!ret || ret == -ERESTART);
		} while (ret);
	}
	do {
		ret = pv_domain_relinquish_tables(d);
		CHECK(!ret || ret == -ERESTART);
		references_check();
	} while (ret);
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		struct page *pg = &frame_table[n];

		if (!page_is_owned_by(pg, d->id) || !(pg->count & PAGE_F_ALLOCATED))
			continue;
		/* what another domain maps may remain */
		if ((pg->count & PAGE_COUNT_MASK) == 1)
			CHECK_EQ(pg->type & (PAGE_TYPE_COUNT | PAGE_T_PINNED | PAGE_T_PARTIAL), 0);
		CHECK(page_type(pg) == PAGE_WRITABLE || !page_type_count(pg));
	}
	CHECK_EQ(d->references, 1); /* nobody forgot one */
}

/* --- hypercalls --- */

static long (*fn_of(unsigned int op))(const uint64_t *)
{
	switch (op) {
	case __HYPERVISOR_mmu_update:
		return hypercall_mmu_update;
	case __HYPERVISOR_mmuext_op:
		return hypercall_mmuext_op;
	case __HYPERVISOR_update_va_mapping:
		return hypercall_update_va_mapping;
	case __HYPERVISOR_update_va_mapping_otherdomain:
		return hypercall_update_va_mapping_otherdomain;
	default:
		fake_test_fail(__FILE__, __LINE__, "continued as hypercall %u", op);
	}
}

long guest_call(long (*fn)(const uint64_t *), uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	uint64_t args[6] = {a0, a1, a2, a3};
	long ret;

	for (;;) {
		fake_continuation.set = false;
		ret = fn(args);
		if (!fake_continuation.set)
			return ret;
		memcpy(args, fake_continuation.args, sizeof(args));
		fn = fn_of(fake_continuation.op);
		references_check();
	}
}

long guest_mmu_update(uint64_t ptr, uint64_t val, uint32_t domains)
{
	struct mmu_update u = {ptr, val};
	long ret;

	fake_guest_add(&u, sizeof(u));
	ret = guest_call(hypercall_mmu_update, (uint64_t)&u, 1, 0, domains);
	fake_guest_remove(&u);
	return ret;
}

long guest_set_entry(const struct page *table, unsigned int slot, uint64_t val)
{
	return guest_mmu_update(entry_ma(table, slot), val, DOMID_SELF);
}

long guest_mmuext_for(unsigned int cmd, uint64_t arg1, uint64_t arg2, domid_t id)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1};
	long ret;

	memcpy(&op.arg2, &arg2, sizeof(op.arg2));
	fake_guest_add(&op, sizeof(op));
	ret = guest_call(hypercall_mmuext_op, (uint64_t)&op, 1, 0, id);
	fake_guest_remove(&op);
	return ret;
}

long guest_mmuext(unsigned int cmd, uint64_t arg1, uint64_t arg2)
{
	return guest_mmuext_for(cmd, arg1, arg2, DOMID_SELF);
}

long guest_update_va(uint64_t va, uint64_t val, uint64_t flags)
{
	return guest_call(hypercall_update_va_mapping, va, val, flags, 0);
}

/* --- the full count --- */

static struct {
	uint32_t refs, types;
	enum page_type type; /* that the references are of; PAGE_NONE: none seen */
	bool is_unvalidated; /* a reference that was not put in the first attempt */
} expected[FAKE_FRAMES];

static void expect_ref(const struct page *pg, enum page_type type)
{
	uint64_t n = mfn_of(pg);

	expected[n].refs++;
	if (type == PAGE_NONE)
		return;
	expected[n].types++;
	if (expected[n].type != PAGE_NONE && expected[n].type != type)
		fake_test_fail(__FILE__, __LINE__, "frame %lu is used as type %u and %u", n,
			       expected[n].type, type);
	expected[n].type = type;
}

static void expect_entry(enum page_type table, uint64_t entry)
{
	mfn_t mfn = MFN((entry & PTE_ADDR_MASK) >> PAGE_SHIFT);

	if (!(entry & PTE_PRESENT) || !mfn_is_ram(mfn))
		return;
	if (table == PAGE_L1)
		expect_ref(mfn_to_page(mfn), entry & PTE_WRITE ? PAGE_WRITABLE : PAGE_NONE);
	else
		expect_ref(mfn_to_page(mfn), (enum page_type)(table - 1));
}

/* What the entries of one frame hold. */
static void expect_table(const struct page *pg)
{
	enum page_type type = page_type(pg);
	unsigned int n = 0;

	if (!page_type_count(pg) || type < PAGE_L1 || type > PAGE_L4)
		return;
	if (pg->type & PAGE_T_VALIDATED)
		n = PTES_PER_TABLE;
	else if (pg->type & PAGE_T_PARTIAL)
		n = pg->type >> PAGE_PROGRESS_SHIFT & 0xffff;
	else
		fake_test_fail(__FILE__, __LINE__, "frame %lu was left busy", mfn_of(pg));
	for (unsigned int i = 0; i < n; i++)
		if (type != PAGE_L4 || !l4_slot_is_hyp(i))
			expect_entry(type, entries_of(pg)[i]);
}

static void expect_vcpu(const struct vcpu *v)
{
	if (v->pv.kernel_l4)
		expect_ref(v->pv.kernel_l4, PAGE_L4);
	if (v->pv.user_l4)
		expect_ref(v->pv.user_l4, PAGE_L4);
	for (unsigned int i = 0; i < v->pv.nr_pending; i++)
		expect_ref(v->pv.pending[i], page_type(v->pv.pending[i]));
	for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
		if (!mfn_equal(v->pv.gdt_frames[i], MFN_NONE))
			expect_ref(mfn_to_page(v->pv.gdt_frames[i]), PAGE_SEGDESC);
	for (unsigned int i = 0; i < 16; i++)
		if (!mfn_equal(v->pv.ldt_frames[i], MFN_NONE))
			expect_ref(mfn_to_page(v->pv.ldt_frames[i]), PAGE_SEGDESC);
}

void references_check(void)
{
	struct domain *d;

	memset(expected, 0, sizeof(expected));
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		const struct page *pg = &frame_table[n];

		if (pg->count & PAGE_F_ALLOCATED)
			expect_ref(pg, PAGE_NONE);
		if (pg->type & PAGE_T_PINNED)
			expect_ref(pg, page_type(pg));
		if ((pg->type & PAGE_T_PARTIAL) && (pg->type & PAGE_T_HELD))
			expect_ref(pg, page_type(pg));
		expect_table(pg);
	}
	for_each_domain(d) {
		struct vcpu *v;

		for_each_vcpu(d, v)
			expect_vcpu(v);
		if (d->pv.teardown_page)
			expect_ref(d->pv.teardown_page, PAGE_NONE);
	}
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		const struct page *pg = &frame_table[n];
		uint32_t refs = pg->count & PAGE_COUNT_MASK;

		if (pg->count & PAGE_F_HYP)
			continue;
		if (refs != expected[n].refs || page_type_count(pg) != expected[n].types ||
		    (expected[n].types && page_type(pg) != expected[n].type))
			fake_test_fail(
				__FILE__, __LINE__,
				"frame %lu: count %lx type %lx, but %u references, %u of type %u",
				n, pg->count, pg->type, expected[n].refs, expected[n].types,
				expected[n].type);
	}
}
