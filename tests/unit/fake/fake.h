/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a unit test holds in its hands: the test macros, and the controls and
 * records of the fake machine.  fake.c also defines, weakly, the commonest
 * functions of the hypervisor (references, heap, domain lookup, printk,
 * preemption...): a test that links the real file gets the real one.
 */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/seam.h"
#include "domain/domain.h"
#include "lib/cpumask.h"
#include "lib/errno.h"
#include "mm/page.h"

/*
 * TEST(name) { ... } registers itself; main is fake.c's and prints "ok - name"
 * or "not ok - name".  fake_reset() runs before each test.  A failed CHECK
 * ends the test.  (A file with a main of its own, cmocka's say, may do that.)
 */
struct fake_test {
	const char *name;
	void (*fn)(void);
	struct fake_test *next;
};

void fake_test_register(struct fake_test *t);
no_return void fake_test_fail(const char *file, int line, const char *fmt, ...) printf_like(3, 4);

#define TEST(test_name)                                                           \
	static void test_##test_name(void);                                       \
	__attribute__((constructor)) static void register_##test_name(void)       \
	{                                                                         \
		static struct fake_test t = {#test_name, test_##test_name, NULL}; \
                                                                                  \
		fake_test_register(&t);                                           \
	}                                                                         \
	static void test_##test_name(void)

#define CHECK(cond)                                                      \
	do {                                                             \
		if (!(cond))                                             \
			fake_test_fail(__FILE__, __LINE__, "%s", #cond); \
	} while (0)

#define CHECK_EQ(got, want)                                                                   \
	do {                                                                                  \
		long long got_ = (long long)(got), want_ = (long long)(want);                 \
                                                                                              \
		if (got_ != want_)                                                            \
			fake_test_fail(__FILE__, __LINE__,                                    \
				       "%s: got %lld (%#llx), want %lld (%#llx)", #got, got_, \
				       got_, want_, want_);                                   \
	} while (0)

/* The statement must end in panic(). */
#define CHECK_PANIC(statement)                                                          \
	do {                                                                            \
		fake_panic_expected = true;                                             \
		if (!setjmp(fake_panic_jump)) {                                         \
			statement;                                                      \
			fake_test_fail(__FILE__, __LINE__, "no panic: %s", #statement); \
		}                                                                       \
		fake_panic_expected = false;                                            \
	} while (0)

extern jmp_buf fake_panic_jump;
extern bool fake_panic_expected;
extern char fake_panic_text[256];

/* Everything back to the state of a fresh machine: RAM free, no domains, CPU 0, time 0. */
void fake_reset(void);

/* --- CPUs and time --- */
/* Other threads play CPUs too: a CPU that waits lets them run. */
extern bool fake_threads;
void fake_cpu_set(unsigned int cpu);		      /* play that CPU from now on */
void fake_vcpu_run(struct vcpu *v, unsigned int cpu); /* it becomes current there */
void fake_vcpu_stop(struct vcpu *v);		      /* that CPU goes idle */
extern uint64_t fake_time;			      /* what time_now() says */
extern uint64_t fake_timer_deadline[FAKE_CPUS];	      /* as armed, ~0 never */
extern uint64_t fake_cr3[FAKE_CPUS];
extern unsigned int fake_kicks[FAKE_CPUS];
extern unsigned int fake_cache_flushes[FAKE_CPUS], fake_ldt_entries[FAKE_CPUS];
/* Flushes of the whole TLB and of single pages, by CPU; and a look at each, if set. */
extern unsigned int fake_tlb_flushes[FAKE_CPUS], fake_tlb_page_flushes[FAKE_CPUS];
extern void (*fake_tlb_hook)(unsigned int cpu, bool all, uint64_t va);
/* hypercall_preempt_check() says true at the n-th call from now (0: never), then counts again. */
extern unsigned int fake_preempt_every;
extern unsigned int fake_preempt_checks;
/* The last hypercall_continue(). */
extern struct fake_continuation {
	bool set;
	unsigned int op, nr_args;
	uint64_t args[6];
} fake_continuation;

/* --- what was said --- */
extern char fake_log[65536];			   /* all printk since the reset */
extern char fake_crash_reason[DOMAIN_REASON_SIZE]; /* of the last domain_crash */
extern struct domain *fake_crashed;

/* --- guest memory: host memory that the guest_copy functions may reach --- */
void fake_guest_add(void *start, size_t size);
void fake_guest_remove(void *start);
/* Zeroed, freed at the next reset; ASan guards its ends. */
void *fake_guest_alloc(size_t size);
/* Every host address counts as guest memory (the address 0 and the arena excepted). */
extern bool fake_guest_any;
/* Fault after so many more bytes (-1: never). */
extern long fake_guest_fault_after;

/* --- RAM: frame_table and fake_ram describe frames 1..FAKE_FRAMES-1 --- */
/* A frame of d with its allocation reference, zeroed; d NULL: a hypervisor page (owner invalid). */
struct page *fake_frame_alloc(struct domain *d);
unsigned int fake_frames_used(void);
/* Frames that the domain owns. */
unsigned int fake_frames_of(const struct domain *d);
extern uint64_t fake_m2p[FAKE_FRAMES];
/* The heap: objects and pages alive; fail the n-th allocation from now (0: never). */
extern unsigned int fake_heap_objects;
extern unsigned int fake_alloc_fail_at;
/* The 32 GDT and LDT window PTEs of each CPU. */
extern uint64_t fake_gdt_ptes[FAKE_CPUS][32];

/* --- domains --- */
/* A PV domain of nr_vcpus vCPUs, listed, with empty rangesets and initialised locks; ends at the
 * reset. */
struct domain *fake_domain(domid_t id, unsigned int nr_vcpus);
struct domain *fake_dom0(unsigned int nr_vcpus); /* id 0, privileged, also in `dom0` */

#endif
