/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU seam of the host: the names of hypervisor/cpu/seam.h over fake CPUs,
 * a fake RAM and fake guest memory.  tests/unit/fake/fake.h drives it.  One
 * host thread plays all CPUs, or several play one each; fake_cpu says which.
 */
#ifndef CPU_SEAM_H
#define CPU_SEAM_H

#include "cpu/layout.h"
#include "lib/types.h"

#define FAKE_CPUS   8
#define FAKE_FRAMES 4096UL /* 16 MB of RAM, frames 1..FAKE_FRAMES-1 usable */

struct cpu_info {
	struct cpu_user_regs guest_regs;
	uint64_t percpu_offset;
	struct vcpu *vcpu; /* current */
	uint32_t cpu;
	uint32_t pad;
} aligned_to(16);

extern _Thread_local unsigned int fake_cpu;
extern struct cpu_info fake_cpu_infos[FAKE_CPUS];
extern bool fake_irq_enabled[FAKE_CPUS];
extern uint64_t fake_tsc;
extern unsigned char fake_ram[FAKE_FRAMES << 12];

static inline struct cpu_info *cpu_info(void)
{
	return &fake_cpu_infos[fake_cpu];
}

static inline unsigned int cpu_id(void)
{
	return fake_cpu;
}

static inline struct vcpu *vcpu_current(void)
{
	return cpu_info()->vcpu;
}
#define current (vcpu_current())

static inline struct cpu_user_regs *guest_regs(void)
{
	return &cpu_info()->guest_regs;
}

#define DEFINE_PERCPU(type, name)  __typeof__(type) percpu_##name[FAKE_CPUS]
#define DECLARE_PERCPU(type, name) extern __typeof__(type) percpu_##name[FAKE_CPUS]
#define this_cpu(name)		   (percpu_##name[fake_cpu])
#define per_cpu(name, cpu)	   (percpu_##name[cpu])

/* A lock that is never released by anyone would hang the test: fails it instead. */
void cpu_relax(void);

static inline uint64_t irq_save(void)
{
	uint64_t flags = fake_irq_enabled[fake_cpu] ? 0x200 : 0;

	fake_irq_enabled[fake_cpu] = false;
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	fake_irq_enabled[fake_cpu] = flags & 0x200;
}

static inline void irq_enable(void)
{
	fake_irq_enabled[fake_cpu] = true;
}

static inline void irq_disable(void)
{
	fake_irq_enabled[fake_cpu] = false;
}

static inline bool irq_is_enabled(void)
{
	return fake_irq_enabled[fake_cpu];
}

static inline uint64_t tsc_read(void)
{
	return fake_tsc;
}

static inline void *paddr_to_virt(paddr_t p)
{
	return &fake_ram[p];
}

static inline void *mfn_to_virt(mfn_t m)
{
	return paddr_to_virt(mfn_to_paddr(m));
}

static inline paddr_t virt_to_paddr(const void *v)
{
	return (paddr_t)((const unsigned char *)v - fake_ram);
}

static inline mfn_t virt_to_mfn(const void *v)
{
	return paddr_to_mfn(virt_to_paddr(v));
}

void tlb_flush_local(void);
void tlb_flush_page_local(uint64_t va);
struct cpumask;
void tlb_flush_mask(const struct cpumask *cpus);
void tlb_flush_page_mask(const struct cpumask *cpus, uint64_t va);
void cache_flush_mask(const struct cpumask *cpus);
void cpu_kick(unsigned int cpu);
void cpu_ldt_load(unsigned int entries);
void timer_hw_arm(uint64_t deadline_ns);
enum tlb_space { TLB_HYPERVISOR, TLB_KERNEL, TLB_USER, TLB_SPACES };
void tlb_root_load(enum tlb_space space, paddr_t root);
void tlb_space_forget(enum tlb_space space);

must_check size_t guest_copy_from(void *dst, const void *guest, size_t n);
must_check size_t guest_copy_to(void *guest, const void *src, size_t n);
must_check size_t guest_clear(void *guest, size_t n);

static inline bool pte_cmpxchg(uint64_t *entry, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(entry, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

#endif
