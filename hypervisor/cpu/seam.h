/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The narrow seam between the core logic and the CPU.  Core files use the
 * hardware only through what is declared here; tests/unit/fake/cpu/seam.h
 * declares the same for the host.  Nothing here knows what a domain is.
 */
#ifndef CPU_SEAM_H
#define CPU_SEAM_H

#include "cpu/layout.h"
#include "lib/types.h"

/*
 * The top of each CPU's stack (cpu/layout.h draws it).  The guest's registers
 * lie exactly where the CPU pushes them on entry from ring 3.
 */
struct cpu_info {
	struct cpu_user_regs guest_regs; /* of the current vCPU, while it is in the hypervisor */
	uint64_t percpu_offset;          /* this CPU's variables minus the image's */
	struct vcpu *vcpu; /* current */
	uint32_t cpu;
	uint8_t can_sysret; /* the guest came by SYSCALL, and may leave by SYSRET */
	uint8_t pad[11]; /* so that guest_regs.es is aligned to 16: the CPU aligns before it pushes */
};

static always_inline struct cpu_info *cpu_info(void)
{
	uint64_t sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (CPU_STACK_SIZE - 1)) + 1 - sizeof(struct cpu_info));
}

static inline unsigned int cpu_id(void)
{
	return cpu_info()->cpu;
}

static inline struct vcpu *vcpu_current(void)
{
	return cpu_info()->vcpu;
}
#define current (vcpu_current())

/* The registers `current` had when it entered the hypervisor, and will have when it leaves. */
static inline struct cpu_user_regs *guest_regs(void)
{
	return &cpu_info()->guest_regs;
}

/* Per-CPU variables: the boot CPU's lie in the image; all start as zero: no initialisers. */
#define DEFINE_PERCPU(type, name) section(".data.percpu") __typeof__(type) percpu_##name
#define DECLARE_PERCPU(type, name) extern __typeof__(type) percpu_##name
extern uint64_t cpu_percpu_offset[];
#define percpu_at(name, off)                                                                       \
	(*(__typeof__(percpu_##name) *)((char *)&percpu_##name + (off)))
#define this_cpu(name)     percpu_at(name, cpu_info()->percpu_offset)
#define per_cpu(name, cpu) percpu_at(name, cpu_percpu_offset[cpu])

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	__asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline bool irq_is_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & 0x200;
}

static inline uint64_t tsc_read(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* All RAM is mapped at DIRECTMAP_START, write-back; I/O memory is not. */
static inline void *paddr_to_virt(paddr_t p)
{
	return (void *)(p + DIRECTMAP_START);
}

static inline void *mfn_to_virt(mfn_t m)
{
	return paddr_to_virt(mfn_to_paddr(m));
}

/* Only for addresses in the direct map (what the allocators return). */
static inline paddr_t virt_to_paddr(const void *v)
{
	return (paddr_t)v - DIRECTMAP_START;
}

static inline mfn_t virt_to_mfn(const void *v)
{
	return paddr_to_mfn(virt_to_paddr(v));
}

/* Every non-global translation of this CPU, of all spaces; the _page form one address. */
void tlb_flush_local(void);
void tlb_flush_page_local(uint64_t va);

struct cpumask;
/*
 * Flush on all CPUs of the set and return when it is done.  Interrupts must
 * be on, and no lock held that is ever taken with interrupts off.
 */
void tlb_flush_mask(const struct cpumask *cpus);
void tlb_flush_page_mask(const struct cpumask *cpus, uint64_t va);
/* Writes back and invalidates the caches of all CPUs of the set; same rule. */
void cache_flush_mask(const struct cpumask *cpus);

/*
 * The page tables that a CPU can have loaded, of the PV vCPU that it runs.  What it has cached of a
 * space stays valid over the load of another, where the CPU can tell them apart (cpu/tlb.c), and a
 * load of the same root as before goes on with it, but not once the space has been forgotten.
 */
enum tlb_space { TLB_HYPERVISOR, TLB_KERNEL, TLB_USER, TLB_SPACES };
void tlb_root_load(enum tlb_space space, paddr_t root);
void tlb_space_forget(enum tlb_space space);

/* Make `cpu` look at its softirqs (cpu/softirq.h), waking it if it is idle. */
void cpu_kick(unsigned int cpu);

/* This CPU's LDT register: `entries` descriptors of its CPUAREA_LDT window, 0 for none. */
void cpu_ldt_load(unsigned int entries);

/* Fires timer_interrupt() (time/timer.h) on this CPU at that system time, ns; ~0 = never. */
void timer_hw_arm(uint64_t deadline_ns);

/*
 * Guest memory, by the current vCPU's linear address.  `guest` is an address
 * as the guest gave it, never dereferenced.  The range must lie wholly in the
 * guest's half; returns the number of bytes NOT done (0 = all).  May fault
 * in the middle: what was copied by then stays copied.
 */
must_check size_t guest_copy_from(void *dst, const void *guest, size_t n);
must_check size_t guest_copy_to(void *guest, const void *src, size_t n);
must_check size_t guest_clear(void *guest, size_t n);

/*
 * Atomically replaces *entry (a page-table entry of the hypervisor's direct
 * map) if it holds *old; else stores what it holds in *old.
 */
static inline bool pte_cmpxchg(uint64_t *entry, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(entry, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

#endif
