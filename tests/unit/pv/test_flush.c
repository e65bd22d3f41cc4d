/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU may keep of a vCPU's translations while the vCPU is away.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

static struct guest g;
static unsigned int flushes_before; /* it left CPU 0 */

static void enter(struct vcpu *v, unsigned int cpu)
{
	fake_vcpu_run(v, cpu);
	fake_cpu_set(cpu);
	pv_tlb_enter(v);
	pv_load_cr3(v);
}

/* The guest's first vCPU has run on CPU 0. */
static void begin(void)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(g.l4), 0), 0);
	enter(g.v, 0);
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
}

static bool comes_back_to_what_was_kept(void)
{
	enter(g.v, 0);
	CHECK_EQ(fake_cr3[0], mfn_of(g.l4) << PAGE_SHIFT);
	return fake_tlb_flushes[0] == flushes_before;
}

static void leave(void)
{
	fake_vcpu_stop(g.v);
	flushes_before = fake_tlb_flushes[0];
}

TEST(nothing_happened)
{
	begin();
	leave();
	CHECK(comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(another_vcpu_ran_there)
{
	begin();
	leave();
	/* the same root, but other windows in the CPU's area */
	CHECK_EQ(pv_set_kernel_l4(g.d->vcpus[1], page_to_mfn(g.l4)), 0);
	enter(g.d->vcpus[1], 0);
	fake_vcpu_stop(g.d->vcpus[1]);
	flushes_before = fake_tlb_flushes[0];
	CHECK(!comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(it_ran_elsewhere)
{
	uint64_t turn;

	begin();
	turn = g.v->pv.tlb.turn;
	leave();
	enter(g.v, 1);
	fake_vcpu_stop(g.v);
	g.v->pv.tlb.turn = turn; /* as if CPU 1 had counted just as far */
	CHECK(!comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(a_flush_passed_the_cpu_by)
{
	struct cpumask cpus;

	begin();
	leave();
	pv_domain_dirty_cpus(g.d, &cpus);
	CHECK(!cpumask_test(&cpus, 0));
	CHECK(!comes_back_to_what_was_kept());
	leave();
	CHECK(comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(a_flush_of_named_vcpus_passed_the_cpu_by)
{
	unsigned long *mask;
	struct cpumask cpus;

	begin();
	mask = fake_guest_alloc(sizeof(*mask));
	*mask = 1;
	leave();
	CHECK_EQ(pv_vcpumask_get(g.d, mask, &cpus), 0);
	CHECK(!cpumask_test(&cpus, 0));
	CHECK(!comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(its_root_was_set_from_outside)
{
	begin();
	leave();
	CHECK_EQ(pv_set_kernel_l4(g.v, page_to_mfn(g.l4)), 0);
	CHECK(!comes_back_to_what_was_kept());
	guest_end(&g);
}

TEST(its_user_root_is_loaded_again_by_the_guest)
{
	begin();
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(g.l4), 0), 0);
	g.v->pv.in_kernel = false;
	pv_load_cr3(g.v);
	g.v->pv.in_kernel = true;
	pv_load_cr3(g.v);
	flushes_before = fake_tlb_flushes[0];
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(g.l4), 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], flushes_before + 1);
	guest_end(&g);
}

TEST(its_gdt_was_set_from_outside)
{
	begin();
	leave();
	pv_gdt_drop(g.v);
	CHECK(!comes_back_to_what_was_kept());
	guest_end(&g);
}
