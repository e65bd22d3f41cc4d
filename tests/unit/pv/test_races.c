/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four vCPUs of one domain change the same few page tables at once, each a
 * thread of its own; afterwards every count must be right.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include <pthread.h>

#include "guest.h"

#define THREADS 4
#define FRAMES	15 /* three of each level, and three of data */
#define STEPS	200000

static struct domain *d;
static struct page *frames[FRAMES];

/* The continuation and the preemption of each thread. */
static _Thread_local uint64_t seed;
static _Thread_local struct fake_continuation next;

long hypercall_continue(unsigned int op, const uint64_t *args, unsigned int nr_args)
{
	next.set = true;
	next.op = op;
	memcpy(next.args, args, nr_args * sizeof(*args));
	return -ERESTART;
}

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (uint32_t)(seed >> 33) % n;
}

bool hypercall_preempt_check(void)
{
	return rnd(4) == 0;
}

static void call(long (*fn)(const uint64_t *), uint64_t a0, uint64_t a1)
{
	uint64_t args[6] = {a0, a1, 0, DOMID_SELF};

	for (;;) {
		next.set = false;
		(void)fn(args);
		if (!next.set || rnd(20) == 0)
			return;
		memcpy(args, next.args, sizeof(args));
	}
}

static uint64_t any_entry(unsigned int class)
{
	return rnd(4) ? pte_of(frames[3 * class + rnd(3)], rnd(3) ? US : P) : 0;
}

static void step(void)
{
	unsigned int class = rnd(4);
	struct mmu_update u = {entry_ma(frames[3 * class + rnd(3)], rnd(3)), any_entry(class + 1)};
	struct mmuext_op op = {.arg1.mfn = mfn_of(frames[3 * class + rnd(3)])};

	switch (rnd(6)) {
	case 0:
		op.cmd = MMUEXT_PIN_L4_TABLE - class;
		call(hypercall_mmuext_op, (uint64_t)&op, 1);
		break;
	case 1:
		op.cmd = MMUEXT_UNPIN_TABLE;
		call(hypercall_mmuext_op, (uint64_t)&op, 1);
		break;
	case 2:
		op.cmd = rnd(2) ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR;
		op.arg1.mfn = mfn_of(frames[rnd(3)]);
		call(hypercall_mmuext_op, (uint64_t)&op, 1);
		break;
	default:
		call(hypercall_mmu_update, (uint64_t)&u, 1);
	}
}

static void *vcpu_run(void *arg)
{
	unsigned int cpu = (uintptr_t)arg;

	fake_cpu_set(cpu);
	seed = cpu + 1;
	for (unsigned int i = 0; i < STEPS; i++)
		step();
	return NULL;
}

TEST(counts_are_right_after_concurrent_changes)
{
	pthread_t threads[THREADS];

	d = fake_domain(1, THREADS);
	for (unsigned int i = 0; i < FRAMES; i++)
		frames[i] = fake_frame_alloc(d);
	for (unsigned int i = 0; i < THREADS; i++) {
		d->vcpus[i]->pv.in_kernel = true;
		for (unsigned int j = 0; j < PV_GDT_FRAMES; j++)
			d->vcpus[i]->pv.gdt_frames[j] = MFN_NONE;
		fake_vcpu_run(d->vcpus[i], i);
	}
	fake_guest_any = true;
	fake_threads = true;
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, vcpu_run, (void *)i));
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	references_check();

	fake_cpu_set(0);
	seed = 99;
	for (unsigned int i = 0; i < THREADS; i++) {
		d->vcpus[i]->sched.is_running = false;
		while (pv_vcpu_relinquish(d->vcpus[i]))
			;
	}
	while (pv_domain_relinquish_tables(d))
		;
	references_check();
	for (unsigned int i = 0; i < FRAMES; i++) {
		CHECK_EQ(page_type_count(frames[i]), 0);
		CHECK_EQ(frames[i]->count & PAGE_COUNT_MASK, 1);
	}
	CHECK_EQ(d->references, 1);
}
