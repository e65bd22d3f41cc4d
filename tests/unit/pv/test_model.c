/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of random MMU operations by two domains on four CPUs, each with a
 * TLB that forgets nothing it is not told to.  After every one: all counts
 * equal what tables really hold, and no CPU can, by any translation it ever
 * cached, write to a table or reach what its domain no longer maps.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c pv/grant_map.c pv/ptwr.c pv/ptwr_decode.c
 * Links: lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

#define FRAMES	   32 /* of each domain: by class L4, L3, L2, L1, data */
#define MODEL_CPUS 4
#define FRAMES_ALL 128 /* frame numbers below this are ever used */

static struct domain *doms[2];
static struct page *frames[2][FRAMES];
static uint64_t seed;

/* What each CPU may have cached. */
static struct {
	bool can_write[FRAMES_ALL], can_read[FRAMES_ALL], is_walked[FRAMES_ALL];
} tlb[MODEL_CPUS];

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (uint32_t)(seed >> 33) % n;
}

static bool chance(uint32_t percent)
{
	return rnd(100) < percent;
}

/* --- the TLBs --- */

static void tlb_forget(unsigned int cpu, bool all, uint64_t va)
{
	(void)va;
	if (all && cpu < MODEL_CPUS)
		memset(&tlb[cpu], 0, sizeof(tlb[cpu]));
}

static void tlb_fill(unsigned int cpu, uint64_t table, unsigned int level)
{
	const uint64_t *entries = mfn_to_virt(MFN(table));

	tlb[cpu].is_walked[table] = true;
	for (unsigned int i = 0; i < PTES_PER_TABLE; i++) {
		uint64_t mfn = (entries[i] & PTE_ADDR_MASK) >> PAGE_SHIFT;

		if (!(entries[i] & PTE_PRESENT) || (level == 4 && l4_slot_is_hyp(i)))
			continue;
		CHECK(mfn < FRAMES_ALL);
		if (level > 1) {
			tlb_fill(cpu, mfn, level - 1);
			continue;
		}
		tlb[cpu].can_read[mfn] = true;
		if (entries[i] & PTE_WRITE)
			tlb[cpu].can_write[mfn] = true;
	}
}

static struct vcpu *vcpu_on(unsigned int cpu)
{
	struct vcpu *v = fake_cpu_infos[cpu].vcpu;

	return v && v->sched.is_running ? v : NULL;
}

static void tlbs_fill(void)
{
	for (unsigned int cpu = 0; cpu < MODEL_CPUS; cpu++)
		if (vcpu_on(cpu) && vcpu_on(cpu)->pv.kernel_l4)
			tlb_fill(cpu, fake_cr3[cpu] >> PAGE_SHIFT, 4);
}

/* Does a validated (or partial) L1 of d map the frame? */
static bool is_mapped_by(const struct domain *d, uint64_t mfn)
{
	for (uint64_t n = 1; n < FRAMES_ALL; n++) {
		const struct page *pg = &frame_table[n];

		if (!page_is_owned_by(pg, d->id) || page_type(pg) != PAGE_L1 ||
		    !(pg->type & PAGE_T_VALIDATED))
			continue;
		for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
			if ((entries_of(pg)[i] & PTE_PRESENT) &&
			    (entries_of(pg)[i] & PTE_ADDR_MASK) >> PAGE_SHIFT == mfn)
				return true;
	}
	return false;
}

static void tlbs_check(void)
{
	for (unsigned int cpu = 0; cpu < MODEL_CPUS; cpu++) {
		const struct vcpu *v = vcpu_on(cpu);

		for (uint64_t n = 1; v && n < FRAMES_ALL; n++) {
			const struct page *pg = &frame_table[n];
			enum page_type type = page_type_count(pg) ? page_type(pg) : PAGE_NONE;

			if (tlb[cpu].can_write[n])
				CHECK(type == PAGE_NONE || type == PAGE_WRITABLE);
			if (tlb[cpu].is_walked[n])
				CHECK(type != PAGE_WRITABLE);
			if (tlb[cpu].can_read[n] && !page_is_owned_by(pg, v->domain->id))
				CHECK(is_mapped_by(v->domain, n));
		}
	}
}

/* --- random things --- */

/* class 0..3: tables of level 4..1, 4: data */
static struct page *any_frame(unsigned int dom, unsigned int class)
{
	if (chance(10))
		return frames[dom][rnd(FRAMES)];
	return frames[dom][class * 6 + rnd(class == 4 ? FRAMES - 24 : 6)];
}

static unsigned int any_slot(void)
{
	static const unsigned int slots[] = {0, 1, 2, 3, 256, 511};

	return slots[chance(95) ? rnd(4) : rnd(ARRAY_SIZE(slots))];
}

static uint64_t any_entry(unsigned int dom, unsigned int class)
{
	uint64_t flags = PTE_PRESENT | (chance(60) ? PTE_WRITE : 0) | (chance(50) ? PTE_USER : 0) |
			 (chance(30) ? PTE_ACCESSED | PTE_DIRTY : 0);

	if (chance(15))
		return 0;
	if (chance(3))
		flags |= BIT(rnd(64));
	/* read-only mappings of anything are fine in L1s */
	if (class == 4 && chance(20))
		return pte_of(frames[dom][rnd(FRAMES)], flags & ~PTE_WRITE);
	return pte_of(any_frame(dom, class), flags);
}

static uint64_t any_va(void)
{
	return (uint64_t)rnd(4) << 39 | (uint64_t)rnd(4) << 30 | rnd(4) << 21 | rnd(4) << 12;
}

/* --- hypercalls, sometimes given up half way --- */

static long call(long (*fn)(const uint64_t *), unsigned int op, uint64_t a0, uint64_t a1,
		 uint64_t a2, uint64_t a3)
{
	uint64_t args[6] = {a0, a1, a2, a3};
	long ret;

	for (;;) {
		fake_continuation.set = false;
		ret = fn(args);
		if (!fake_continuation.set)
			break;
		CHECK_EQ(fake_continuation.op, op);
		memcpy(args, fake_continuation.args, sizeof(args));
		references_check();
		if (chance(5))
			break;
		fake_preempt_every = rnd(6);
	}
	CHECK(ret <= 0);
	return ret;
}

static unsigned int me(void)
{
	return current->domain == doms[1];
}

static void do_mmu_update(void)
{
	struct mmu_update u[6];
	unsigned int n = 1 + rnd(ARRAY_SIZE(u)), tables = me(), target = me();
	uint32_t domains = DOMID_SELF;

	if (chance(15)) {
		target = rnd(2);
		domains = doms[target]->id;
	}
	if (chance(10)) {
		tables = rnd(2);
		domains |= (doms[tables]->id + 1) << 16;
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int class = rnd(5);

		u[i].ptr = entry_ma(any_frame(tables, class), any_slot());
		u[i].ptr |= chance(30) ? MMU_PT_UPDATE_PRESERVE_AD : MMU_NORMAL_PT_UPDATE;
		u[i].val = any_entry(target, MIN(class + 1, 4));
	}
	fake_guest_add(u, sizeof(u));
	call(hypercall_mmu_update, __HYPERVISOR_mmu_update, (uint64_t)u, n, 0, domains);
	fake_guest_remove(u);
}

static void do_mmuext(void)
{
	struct mmuext_op op = {0};
	unsigned int class = rnd(4), dom = chance(90) ? me() : rnd(2);

	op.arg1.mfn = mfn_of(any_frame(dom, class));
	switch (rnd(8)) {
	case 0:
	case 1:
	case 2:
		op.cmd = MMUEXT_PIN_L4_TABLE - class;
		break;
	case 3:
	case 4:
		op.cmd = MMUEXT_UNPIN_TABLE;
		break;
	case 5:
		op.cmd = MMUEXT_NEW_BASEPTR;
		op.arg1.mfn = mfn_of(any_frame(me(), 0));
		break;
	case 6:
		op.cmd = MMUEXT_NEW_USER_BASEPTR;
		op.arg1.mfn = chance(30) ? 0 : mfn_of(any_frame(me(), 0));
		break;
	default:
		op.cmd = chance(50) ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE;
		op.arg2.src_mfn = mfn_of(any_frame(me(), rnd(5)));
	}
	fake_guest_add(&op, sizeof(op));
	call(hypercall_mmuext_op, __HYPERVISOR_mmuext_op, (uint64_t)&op, 1, 0, doms[dom]->id);
	fake_guest_remove(&op);
}

static void do_update_va(void)
{
	call(hypercall_update_va_mapping, __HYPERVISOR_update_va_mapping, any_va(),
	     any_entry(me(), 4), UVMF_NONE, 0);
}

/* A store of the guest's own, wherever its CPU's TLB lets it. */
static void do_store(void)
{
	uint64_t mfn = 1 + rnd(FRAMES_ALL - 1);

	if (tlb[fake_cpu].can_write[mfn])
		((uint64_t *)mfn_to_virt(MFN(mfn)))[any_slot()] = any_entry(me(), rnd(5));
}

static void do_emulated_store(void)
{
	static const uint8_t insns[][4] = {
		{0x48, 0x89, 0x07},	  /* mov %rax, (%rdi) */
		{0x48, 0x87, 0x07},	  /* xchg */
		{0xf0, 0x80, 0x27, 0xfd}, /* lock andb $~2, (%rdi) */
	};
	const uint8_t *insn = insns[rnd(3)];
	struct cpu_user_regs regs = {.rip = (uint64_t)insn};

	regs.rax = any_entry(me(), rnd(5));
	fake_guest_add((void *)insn, 4);
	if (current->pv.in_kernel && current->pv.kernel_l4)
		(void)pv_fault_write_pte(current, any_va() + 8 * any_slot(), &regs);
	fake_guest_remove((void *)insn);
}

static void do_descriptors(void)
{
	struct vcpu *v = current;
	mfn_t gdt[2] = {page_to_mfn(any_frame(me(), 4)), page_to_mfn(any_frame(me(), rnd(5)))};

	switch (rnd(5)) {
	case 0:
		(void)pv_gdt_set(v, gdt, rnd(1025));
		break;
	case 1:
		pv_gdt_drop(v);
		break;
	case 2:
		(void)pv_ldt_fault(v, rnd(16) * PAGE_SIZE);
		break;
	case 3: {
		uint64_t args[] = {entry_ma(any_frame(me(), rnd(5)), rnd(512)),
				   0x00affa000000ffffUL ^ BIT(rnd(64))};

		(void)hypercall_update_descriptor(args);
		break;
	}
	default: {
		struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
				       .arg1.linear_addr = any_va(),
				       .arg2.nr_ents = rnd(2) * (1 + rnd(8192))};

		fake_guest_add(&op, sizeof(op));
		call(hypercall_mmuext_op, __HYPERVISOR_mmuext_op, (uint64_t)&op, 1, 0, DOMID_SELF);
		fake_guest_remove(&op);
	}
	}
}

static void do_grant(void)
{
	struct page *pg = any_frame(!me(), 4);
	bool is_write = chance(50), by_pte = chance(50);
	uint64_t where = by_pte ? entry_ma(any_frame(me(), 3), any_slot()) : any_va();
	struct cpumask cpus;

	if (chance(50)) {
		CHECK(page_get(pg, doms[!me()]));
		if (is_write && !page_get_writable(pg)) {
			page_put(pg);
			return;
		}
		if (!pv_grant_map(where, by_pte, page_to_mfn(pg), is_write, 0))
			return;
	} else {
		uint64_t new_addr = chance(20) ? any_va() : 0;

		if (pv_grant_unmap(where, by_pte, page_to_mfn(pg), is_write, new_addr))
			return;
		pv_domain_dirty_cpus(current->domain, &cpus);
		tlb_flush_mask(&cpus);
	}
	if (is_write)
		page_put_type(pg, false);
	page_put(pg);
}

/* vCPU i of domain d lives on CPU 2 * d + i; it stops or runs. */
static void do_schedule(void)
{
	unsigned int cpu = rnd(MODEL_CPUS);
	struct vcpu *v = doms[cpu / 2]->vcpus[cpu % 2];

	if (v->sched.is_running) {
		fake_vcpu_stop(v);
		memset(&tlb[cpu], 0, sizeof(tlb[cpu]));
		return;
	}
	fake_vcpu_run(v, cpu);
	v->pv.in_kernel = !v->pv.user_l4 || chance(80);
	pv_desc_load(v, cpu);
	pv_load_cr3(v);
}

static void model_init(void)
{
	doms[0] = fake_dom0(2);
	doms[1] = fake_domain(1, 2);
	for (unsigned int d = 0; d < 2; d++) {
		for (unsigned int i = 0; i < FRAMES; i++) {
			frames[d][i] = fake_frame_alloc(doms[d]);
			CHECK(mfn_of(frames[d][i]) < FRAMES_ALL);
		}
		for (unsigned int i = 0; i < 24; i++)
			for (unsigned int slot = 0; slot < 4; slot++)
				entries_of(frames[d][i])[slot] =
					pte_of(frames[d][(i / 6 + 1) * 6 + rnd(6)], US);
		for (unsigned int i = 0; i < 2; i++) {
			struct vcpu *v = doms[d]->vcpus[i];

			v->pv.in_kernel = true;
			for (unsigned int j = 0; j < PV_GDT_FRAMES; j++)
				v->pv.gdt_frames[j] = MFN_NONE;
			fake_vcpu_run(v, 2 * d + i);
		}
	}
	memset(tlb, 0, sizeof(tlb));
	fake_tlb_hook = tlb_forget;
}

static void model_end(void)
{
	fake_preempt_every = 3;
	fake_vcpu_run(doms[0]->vcpus[0], 0);
	for (unsigned int d = 2; d-- > 0;) {
		int ret;

		doms[d]->is_dying = true;
		for (unsigned int i = 0; i < 2; i++) {
			doms[d]->vcpus[i]->sched.is_running = false;
			while ((ret = pv_vcpu_relinquish(doms[d]->vcpus[i])))
				CHECK_EQ(ret, -ERESTART);
		}
		while ((ret = pv_domain_relinquish_tables(doms[d])))
			CHECK_EQ(ret, -ERESTART);
		references_check();
	}
	while (pv_drop_pending(doms[0]->vcpus[0]))
		;
	references_check();
	CHECK_EQ(doms[0]->references, 1);
	CHECK_EQ(doms[1]->references, 1);
	for (uint64_t n = 1; n < FRAMES_ALL; n++) {
		CHECK_EQ(page_type_count(&frame_table[n]), 0);
		CHECK((frame_table[n].count & PAGE_COUNT_MASK) <= 1);
	}
}

static void model_run(uint64_t with_seed, unsigned int steps)
{
	static void (*const ops[])(void) = {
		do_mmu_update, do_mmu_update, do_mmu_update,	 do_mmuext,	 do_mmuext,
		do_update_va,  do_store,      do_emulated_store, do_descriptors, do_grant,
	};

	seed = with_seed;
	fake_reset();
	model_init();
	for (unsigned int step = 0; step < steps; step++) {
		unsigned int cpu = rnd(MODEL_CPUS);

		if (chance(3))
			do_schedule();
		if (!vcpu_on(cpu))
			continue;
		fake_cpu_set(cpu);
		if (!current->pv.in_kernel && chance(50)) {
			current->pv.in_kernel = true;
			pv_load_cr3(current);
		}
		fake_preempt_every = rnd(6);
		if (current->pv.in_kernel)
			ops[rnd(ARRAY_SIZE(ops))]();
		references_check();
		tlbs_check();
		tlbs_fill();
	}
	model_end();
}

TEST(random_operations_keep_every_count_and_no_cpu_writes_to_a_table)
{
	const char *from = getenv("MODEL_SEED"), *steps = getenv("MODEL_STEPS");
	unsigned int n = steps ? atoi(steps) : 2500;

	for (uint64_t s = 1; s <= 8; s++) {
		uint64_t with = s + (from ? strtoul(from, NULL, 0) : 0);

		printf("# seed %lu\n", with);
		model_run(with, n);
	}
}
