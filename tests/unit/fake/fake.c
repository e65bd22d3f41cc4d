/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake machine of the unit tests: CPUs, RAM, guest memory, time, and the
 * test runner.  Functions of the hypervisor proper that stand here are weak
 * and as simple as can be; fake.h says what they are for.
 */
#include <sched.h>
#include <stdarg.h>

#include "fake.h"

#include <cpu/asm.h> /* by its path: the one of this machine is found by it */
#include "cpu/features.h"
#include "hvm/p2m.h"
#include "hvm/vcpu.h"
#include "hypercall/hypercall.h"
#include "lib/printk.h"
#include "mm/alloc.h"
#include "time/time.h"

#define weak __attribute__((weak))

_Thread_local unsigned int fake_cpu;
bool fake_threads;
struct cpu_info fake_cpu_infos[FAKE_CPUS];
bool fake_irq_enabled[FAKE_CPUS];
uint64_t fake_tsc;
unsigned char fake_ram[FAKE_FRAMES << 12] aligned_to(4096);

static struct page fake_frame_table[FAKE_FRAMES];
struct page *frame_table = fake_frame_table;
weak uint64_t frame_table_end = FAKE_FRAMES;
weak uint64_t hyp_l4[512] aligned_to(4096);

jmp_buf fake_panic_jump;
bool fake_panic_expected;
char fake_panic_text[256];
uint64_t fake_time;
uint64_t fake_timer_deadline[FAKE_CPUS];
uint64_t fake_cr3[FAKE_CPUS];
static paddr_t fake_roots[FAKE_CPUS][TLB_SPACES];
unsigned int fake_kicks[FAKE_CPUS];
unsigned int fake_tlb_flushes[FAKE_CPUS], fake_tlb_page_flushes[FAKE_CPUS];
unsigned int fake_cache_flushes[FAKE_CPUS], fake_ldt_entries[FAKE_CPUS];
void (*fake_tlb_hook)(unsigned int cpu, bool all, uint64_t va);
unsigned int fake_preempt_every, fake_preempt_checks;
struct fake_continuation fake_continuation;
char fake_log[65536];
char fake_crash_reason[DOMAIN_REASON_SIZE];
struct domain *fake_crashed;
bool fake_guest_any;
long fake_guest_fault_after = -1;
uint64_t fake_m2p[FAKE_FRAMES];
unsigned int fake_heap_objects;
unsigned int fake_alloc_fail_at;
uint64_t fake_gdt_ptes[FAKE_CPUS][32];

weak struct cpu_features cpu_features = {.phys_bits = 40, .has_nx = true};
weak struct cpumask cpu_online;
weak struct domain *dom0;
weak struct domain dom_io, dom_xen;
weak struct spinlock domain_list_lock;
weak struct list_node domain_list = LIST_HEAD_INIT(domain_list);

/* --- the test runner --- */

static struct fake_test *tests, **tests_end = &tests;
static jmp_buf test_jump;
static const char *test_running;

void fake_test_register(struct fake_test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

no_return void fake_test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!test_running)
		abort();
	longjmp(test_jump, 1);
}

static bool test_passes(const struct fake_test *t)
{
	fake_reset();
	test_running = t->name;
	if (setjmp(test_jump))
		return false;
	t->fn();
	return true;
}

/* Runs all tests, or those whose names contain the first argument. */
weak int main(int argc, char **argv)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct fake_test *t = tests; t; t = t->next) {
		bool passed;

		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		passed = test_passes(t);
		printf("%sok - %s\n", passed ? "" : "not ", t->name);
		failed += !passed;
	}
	test_running = NULL;
	fake_reset();
	return failed ? 1 : 0;
}

/* --- CPUs --- */

void fake_cpu_set(unsigned int cpu)
{
	fake_cpu = cpu;
}

void fake_vcpu_run(struct vcpu *v, unsigned int cpu)
{
	fake_cpu_infos[cpu].vcpu = v;
	v->sched.cpu = cpu;
	v->sched.is_running = true;
	fake_cpu = cpu;
}

void fake_vcpu_stop(struct vcpu *v)
{
	v->sched.is_running = false;
	fake_cpu_infos[v->sched.cpu].vcpu = NULL;
}

void cpu_relax(void)
{
	static unsigned int spins;

	if (fake_threads)
		sched_yield();
	else if (++spins % 1000000 == 0)
		panic("the one host thread waits for itself (a lock held twice?)");
}

static void fake_tlb_flush(unsigned int cpu, bool all, uint64_t va)
{
	if (all)
		fake_tlb_flushes[cpu]++;
	else
		fake_tlb_page_flushes[cpu]++;
	if (fake_tlb_hook)
		fake_tlb_hook(cpu, all, va);
}

weak void tlb_flush_local(void)
{
	fake_tlb_flush(fake_cpu, true, 0);
}

weak void tlb_flush_page_local(uint64_t va)
{
	fake_tlb_flush(fake_cpu, false, va);
}

static void fake_tlb_flush_mask(const struct cpumask *cpus, bool all, uint64_t va)
{
	unsigned int cpu;

	if (!fake_irq_enabled[fake_cpu])
		panic("a TLB flush on other CPUs with interrupts off");
	for_each_cpu(cpu, cpus)
		if (cpu < FAKE_CPUS)
			fake_tlb_flush(cpu, all, va);
}

weak void tlb_flush_mask(const struct cpumask *cpus)
{
	fake_tlb_flush_mask(cpus, true, 0);
}

weak void tlb_flush_page_mask(const struct cpumask *cpus, uint64_t va)
{
	fake_tlb_flush_mask(cpus, false, va);
}

weak void cache_flush_mask(const struct cpumask *cpus)
{
	unsigned int cpu;

	for_each_cpu(cpu, cpus)
		if (cpu < FAKE_CPUS)
			fake_cache_flushes[cpu]++;
}

weak void cpu_ldt_load(unsigned int entries)
{
	fake_ldt_entries[fake_cpu] = entries;
}

weak void cpu_kick(unsigned int cpu)
{
	fake_kicks[cpu]++;
}

weak void timer_hw_arm(uint64_t deadline_ns)
{
	fake_timer_deadline[fake_cpu] = deadline_ns;
}

/* A root that is replaced or forgotten drops all that the CPU has. */
weak void tlb_root_load(enum tlb_space space, paddr_t root)
{
	fake_cr3[fake_cpu] = root;
	if (fake_roots[fake_cpu][space] && fake_roots[fake_cpu][space] != root)
		fake_tlb_flush(fake_cpu, true, 0);
	fake_roots[fake_cpu][space] = root;
}

weak void tlb_space_forget(enum tlb_space space)
{
	if (fake_roots[fake_cpu][space])
		fake_tlb_flush(fake_cpu, true, 0);
	fake_roots[fake_cpu][space] = 0;
}

weak uint64_t time_now(void)
{
	return fake_time;
}

/* --- messages --- */

weak void printk(const char *fmt, ...)
{
	size_t used = strlen(fake_log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_log + used, sizeof(fake_log) - used, fmt, ap);
	va_end(ap);
}

weak void guest_printk(const struct domain *d, const char *fmt, ...)
{
	size_t used = strlen(fake_log);
	va_list ap;

	(void)d;
	va_start(ap, fmt);
	vsnprintf(fake_log + used, sizeof(fake_log) - used, fmt, ap);
	va_end(ap);
}

weak no_return void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_panic_text, sizeof(fake_panic_text), fmt, ap);
	va_end(ap);
	if (fake_panic_expected)
		longjmp(fake_panic_jump, 1);
	fake_test_fail("panic", 0, "%s", fake_panic_text);
}

weak void domain_crash(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_crash_reason, sizeof(fake_crash_reason), fmt, ap);
	va_end(ap);
	fake_crashed = d;
}

weak void vcpu_io_wait(void)
{
}

weak void vcpu_io_wake(struct vcpu *v)
{
	atomic_bit_clear(&v->flags, VCPU_F_IO_WAIT);
}

/* --- guest memory --- */

static struct guest_range {
	unsigned char *start;
	size_t size;
	bool owned;
} guest_ranges[256];
static unsigned int nr_guest_ranges;

void fake_guest_add(void *start, size_t size)
{
	if (nr_guest_ranges == ARRAY_SIZE(guest_ranges))
		panic("too many fake guest ranges");
	guest_ranges[nr_guest_ranges++] = (struct guest_range){start, size, false};
}

void fake_guest_remove(void *start)
{
	for (unsigned int i = 0; i < nr_guest_ranges; i++) {
		if (guest_ranges[i].start != start)
			continue;
		if (guest_ranges[i].owned)
			free(start);
		guest_ranges[i] = guest_ranges[--nr_guest_ranges];
		return;
	}
}

void *fake_guest_alloc(size_t size)
{
	void *p = calloc(1, size);

	fake_guest_add(p, size);
	guest_ranges[nr_guest_ranges - 1].owned = true;
	return p;
}

/* How many of the n bytes from p on the guest may reach. */
static size_t guest_reach(const void *p, size_t n)
{
	const unsigned char *c = p;
	size_t reach = 0;

	if (fake_guest_any) {
		reach = (c >= fake_ram && c < fake_ram + sizeof(fake_ram)) || !c ? 0 : n;
	} else {
		for (unsigned int i = 0; i < nr_guest_ranges; i++) {
			const struct guest_range *r = &guest_ranges[i];

			if (c >= r->start && c < r->start + r->size)
				reach = MIN(n, (size_t)(r->start + r->size - c));
		}
	}
	if (fake_guest_fault_after >= 0) {
		reach = MIN(reach, (size_t)fake_guest_fault_after);
		fake_guest_fault_after -= reach;
	}
	return reach;
}

weak size_t guest_copy_from(void *dst, const void *guest, size_t n)
{
	size_t reach = guest_reach(guest, n);

	if (reach)
		memcpy(dst, guest, reach);
	return n - reach;
}

weak size_t guest_copy_to(void *guest, const void *src, size_t n)
{
	size_t reach = guest_reach(guest, n);

	if (reach)
		memcpy(guest, src, reach);
	return n - reach;
}

weak size_t guest_clear(void *guest, size_t n)
{
	size_t reach = guest_reach(guest, n);

	if (reach)
		memset(guest, 0, reach);
	return n - reach;
}

/* --- hypercalls --- */

weak bool hypercall_preempt_check(void)
{
	if (!fake_preempt_every || ++fake_preempt_checks < fake_preempt_every)
		return false;
	fake_preempt_checks = 0;
	return true;
}

weak long hypercall_continue(unsigned int op, const uint64_t *args, unsigned int nr_args)
{
	fake_continuation.set = true;
	fake_continuation.op = op;
	fake_continuation.nr_args = nr_args;
	for (unsigned int i = 0; i < nr_args && i < ARRAY_SIZE(fake_continuation.args); i++)
		fake_continuation.args[i] = args[i];
	return -ERESTART;
}

/* --- RAM --- */

static bool alloc_fails(void)
{
	return fake_alloc_fail_at && --fake_alloc_fail_at == 0;
}

static bool frame_is_free(const struct page *pg)
{
	return !pg->count || pg->count == PAGE_F_RAM;
}

static void frame_list_add(struct domain *d, struct page *pg)
{
	pg->prev = 0;
	pg->next = d->mm.page_list;
	if (pg->next)
		frame_table[pg->next].prev = page_to_mfn(pg).v;
	d->mm.page_list = page_to_mfn(pg).v;
	d->mm.tot_pages++;
}

static void frame_list_del(struct domain *d, struct page *pg)
{
	if (pg->prev)
		frame_table[pg->prev].next = pg->next;
	else
		d->mm.page_list = pg->next;
	if (pg->next)
		frame_table[pg->next].prev = pg->prev;
	pg->next = pg->prev = 0;
	d->mm.tot_pages--;
}

struct page *fake_frame_alloc(struct domain *d)
{
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		struct page *pg = &frame_table[n];
		domid_t owner = d ? d->id : DOMID_INVALID;

		if (!frame_is_free(pg))
			continue;
		pg->count = (uint64_t)owner << PAGE_OWNER_SHIFT | PAGE_F_RAM |
			    (d ? PAGE_F_ALLOCATED | 1 : PAGE_F_HYP | 1);
		pg->type = 0;
		memset(page_to_virt(pg), 0, PAGE_SIZE);
		if (d)
			frame_list_add(d, pg);
		return pg;
	}
	panic("the fake RAM is used up");
}

unsigned int fake_frames_used(void)
{
	unsigned int n = 0;

	for (uint64_t i = 1; i < FAKE_FRAMES; i++)
		n += !frame_is_free(&frame_table[i]);
	return n;
}

unsigned int fake_frames_of(const struct domain *d)
{
	unsigned int n = 0;

	for (uint64_t i = 1; i < FAKE_FRAMES; i++)
		n += !frame_is_free(&frame_table[i]) && page_is_owned_by(&frame_table[i], d->id);
	return n;
}

weak bool mfn_is_ram(mfn_t mfn)
{
	return mfn.v > 0 && mfn.v < FAKE_FRAMES && (frame_table[mfn.v].count & PAGE_F_RAM);
}

weak bool page_get(struct page *pg, const struct domain *d)
{
	if (!page_is_owned_by(pg, d->id) || !(pg->count & PAGE_COUNT_MASK) ||
	    (pg->count & PAGE_COUNT_MASK) == PAGE_COUNT_MASK)
		return false;
	pg->count++;
	return true;
}

weak bool page_hold(struct page *pg)
{
	if ((pg->count & PAGE_COUNT_MASK) == PAGE_COUNT_MASK)
		return false;
	pg->count++;
	return true;
}

weak void page_free_owned(struct page *pg)
{
	struct domain *d = domain_get(page_owner_id(pg));

	if (pg->type & PAGE_TYPE_COUNT)
		panic("frame %lx freed with type %lx", page_to_mfn(pg).v, pg->type);
	if (d) {
		frame_list_del(d, pg);
		domain_put(d);
	}
	pg->count = PAGE_F_RAM;
	pg->type = 0;
}

weak void page_put(struct page *pg)
{
	if (!(pg->count & PAGE_COUNT_MASK))
		panic("frame %lx: reference dropped below zero", page_to_mfn(pg).v);
	pg->count--;
	if (!(pg->count & PAGE_COUNT_MASK) && !(pg->count & PAGE_F_HYP))
		page_free_owned(pg);
}

weak struct page *page_get_mfn(mfn_t mfn, const struct domain *d)
{
	if (!mfn_is_ram(mfn) || !page_get(mfn_to_page(mfn), d))
		return NULL;
	return mfn_to_page(mfn);
}

weak bool page_drop_allocation(struct page *pg)
{
	if (!(pg->count & PAGE_F_ALLOCATED))
		return false;
	pg->count &= ~PAGE_F_ALLOCATED;
	page_put(pg);
	return true;
}

weak bool page_give_up(struct page *pg, const struct domain *d)
{
	bool dropped;

	if (!page_get(pg, d))
		return false;
	dropped = page_drop_allocation(pg);
	page_put(pg);
	return dropped;
}

bool weak page_get_writable(struct page *pg);
void weak page_put_and_type(struct page *pg);

/* What a PV domain means by it; a test of translated ones links hvm/p2m.c. */
weak struct page *page_get_guest_frame(struct domain *d, uint64_t frame, bool is_write)
{
	struct page *pg = page_get_mfn(MFN(frame), d);

	if (pg && is_write && !page_get_writable(pg)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

weak int p2m_grant_map(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write)
{
	panic("d%u is not translated: %lx at %lx, %d", d->id, mfn.v, gpa, is_write);
}

weak int p2m_grant_unmap(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write)
{
	panic("d%u is not translated: %lx at %lx, %d", d->id, mfn.v, gpa, is_write);
}

weak void p2m_flush(struct domain *d)
{
	panic("d%u is not translated", d->id);
}

weak int hvm_translate(struct vcpu *v, uint64_t linear, uint32_t access, uint64_t *gpa,
		       uint32_t *error)
{
	(void)v;
	(void)linear;
	(void)access;
	*gpa = *error = 0;
	return -EFAULT;
}

weak struct page *domain_pages_alloc(struct domain *d, unsigned int order, unsigned int addr_bits)
{
	(void)addr_bits;
	if (order || alloc_fails())
		return NULL;
	return fake_frame_alloc(d);
}

weak uint64_t m2p_get(mfn_t mfn)
{
	return mfn_is_ram(mfn) ? fake_m2p[mfn.v] : M2P_INVALID;
}

weak void m2p_set(mfn_t mfn, uint64_t gfn)
{
	if (mfn_is_ram(mfn))
		fake_m2p[mfn.v] = gfn;
}

weak uint64_t *cpuarea_gdt_ptes(unsigned int cpu)
{
	return fake_gdt_ptes[cpu];
}

weak void *heap_alloc(size_t size)
{
	if (alloc_fails())
		return NULL;
	fake_heap_objects++;
	return calloc(1, ROUND_UP(size ? size : 1, 16));
}

weak void *heap_alloc_array(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return heap_alloc(total);
}

weak void heap_free(void *p)
{
	if (p)
		fake_heap_objects--;
	free(p);
}

weak void *hyp_pages_alloc(unsigned int order)
{
	if (order || alloc_fails())
		return NULL;
	return page_to_virt(fake_frame_alloc(NULL));
}

weak void *hyp_page_alloc_zeroed(void)
{
	return hyp_pages_alloc(0);
}

weak void hyp_pages_free(void *v, unsigned int order)
{
	(void)order;
	if (v)
		virt_to_page(v)->count = PAGE_F_RAM;
}

/* --- domains --- */

static struct domain *domains[32];
static unsigned int nr_domains;

struct domain *fake_domain(domid_t id, unsigned int nr_vcpus)
{
	struct domain *d = calloc(1, sizeof(*d));

	if (nr_domains == ARRAY_SIZE(domains) || nr_vcpus > MAX_VCPUS)
		panic("too many fake domains or vCPUs");
	d->id = id;
	d->type = DOMAIN_PV;
	d->max_vcpus = nr_vcpus;
	d->references = 1;
	d->mm.max_pages = ~0UL;
	list_init(&d->iomem.ranges);
	list_init(&d->ioports.ranges);
	list_init(&d->irqs.ranges);
	list_add_tail(&domain_list, &d->list);
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		struct vcpu *v = calloc(1, sizeof(*v));

		v->domain = d;
		v->id = i;
		d->vcpus[i] = v;
		for (unsigned int j = 0; j < ARRAY_SIZE(v->pv.ldt_frames); j++)
			v->pv.ldt_frames[j] = MFN_NONE;
	}
	domains[nr_domains++] = d;
	return d;
}

struct domain *fake_dom0(unsigned int nr_vcpus)
{
	dom0 = fake_domain(0, nr_vcpus);
	dom0->is_privileged = true;
	return dom0;
}

weak struct domain *domain_get(domid_t id)
{
	if (id == DOMID_SELF)
		id = current->domain->id;
	for (unsigned int i = 0; i < nr_domains; i++) {
		if (domains[i]->id == id) {
			__atomic_fetch_add(&domains[i]->references, 1, __ATOMIC_SEQ_CST);
			return domains[i];
		}
	}
	return NULL;
}

weak struct domain *domain_get_live(domid_t id)
{
	struct domain *d = domain_get(id);

	if (d && d->is_dying) {
		domain_put(d);
		return NULL;
	}
	return d;
}

weak bool domain_hold(struct domain *d)
{
	__atomic_fetch_add(&d->references, 1, __ATOMIC_SEQ_CST);
	return true;
}

weak void domain_put(struct domain *d)
{
	if (!__atomic_sub_fetch(&d->references, 1, __ATOMIC_SEQ_CST))
		panic("domain %u: the last reference was dropped", d->id);
}

weak int domain_get_controlled(domid_t id, struct domain **out)
{
	struct domain *d = domain_get(id);

	if (!d)
		return -ESRCH;
	if (d != current->domain && !current->domain->is_privileged &&
	    current->domain->target != d) {
		domain_put(d);
		return -EPERM;
	}
	*out = d;
	return 0;
}

static void domains_free(void)
{
	for (unsigned int i = 0; i < nr_domains; i++) {
		for (unsigned int j = 0; j < domains[i]->max_vcpus; j++)
			free(domains[i]->vcpus[j]);
		free(domains[i]);
	}
	nr_domains = 0;
	list_init(&domain_list);
	dom0 = NULL;
}

/* --- registers that a program has not --- */

uint64_t fake_cr[5], fake_dr[8];
struct fake_msr fake_msrs[64];

weak void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	native_cpuid_count(leaf, sub, r);
}

uint64_t *fake_msr_find(uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fake_msrs); i++)
		if (fake_msrs[i].msr == msr)
			return &fake_msrs[i].val;
	return NULL;
}

void fake_msr_set(uint32_t msr, uint64_t val)
{
	uint64_t *place = fake_msr_find(msr);

	for (unsigned int i = 0; !place; i++) {
		if (i == ARRAY_SIZE(fake_msrs))
			abort();
		if (fake_msrs[i].msr)
			continue;
		fake_msrs[i].msr = msr;
		place = &fake_msrs[i].val;
	}
	*place = val;
}

uint64_t msr_read(uint32_t msr)
{
	const uint64_t *place = fake_msr_find(msr);

	return place ? *place : 0;
}

void msr_write(uint32_t msr, uint64_t val)
{
	fake_msr_set(msr, val);
}

weak int msr_read_safe(uint32_t msr, uint64_t *val)
{
	const uint64_t *place = fake_msr_find(msr);

	if (!place)
		return -EFAULT;
	*val = *place;
	return 0;
}

weak int msr_write_safe(uint32_t msr, uint64_t val)
{
	if (!fake_msr_find(msr))
		return -EFAULT;
	fake_msr_set(msr, val);
	return 0;
}

void fake_reset(void)
{
	domains_free();
	for (unsigned int i = 0; i < nr_guest_ranges; i++)
		if (guest_ranges[i].owned)
			free(guest_ranges[i].start);
	nr_guest_ranges = 0;
	fake_guest_any = false;
	fake_guest_fault_after = -1;
	fake_cpu = 0;
	fake_threads = false;
	memset(fake_cpu_infos, 0, sizeof(fake_cpu_infos));
	cpumask_zero(&cpu_online);
	for (unsigned int i = 0; i < FAKE_CPUS; i++) {
		fake_cpu_infos[i].cpu = i;
		fake_irq_enabled[i] = true;
		fake_timer_deadline[i] = ~0UL;
		fake_kicks[i] = fake_tlb_flushes[i] = fake_tlb_page_flushes[i] = 0;
		fake_cr3[i] = 0;
		memset(fake_roots[i], 0, sizeof(fake_roots[i]));
		fake_cache_flushes[i] = fake_ldt_entries[i] = 0;
		cpumask_set(&cpu_online, i);
	}
	memset(fake_cr, 0, sizeof(fake_cr));
	memset(fake_dr, 0, sizeof(fake_dr));
	memset(fake_msrs, 0, sizeof(fake_msrs));
	fake_tlb_hook = NULL;
	fake_time = fake_tsc = 0;
	fake_preempt_every = fake_preempt_checks = 0;
	memset(&fake_continuation, 0, sizeof(fake_continuation));
	fake_log[0] = fake_panic_text[0] = fake_crash_reason[0] = 0;
	fake_panic_expected = false;
	fake_crashed = NULL;
	fake_heap_objects = fake_alloc_fail_at = 0;
	memset(fake_gdt_ptes, 0, sizeof(fake_gdt_ptes));
	memset(hyp_l4, 0, sizeof(hyp_l4));
	memset(&dom_io, 0, sizeof(dom_io));
	memset(&dom_xen, 0, sizeof(dom_xen));
	dom_io.id = DOMID_IO;
	dom_xen.id = DOMID_XEN;
	dom_io.type = dom_xen.type = DOMAIN_SYSTEM;
	memset(fake_frame_table, 0, sizeof(fake_frame_table));
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		frame_table[n].count = PAGE_F_RAM;
		fake_m2p[n] = M2P_INVALID;
	}
}
