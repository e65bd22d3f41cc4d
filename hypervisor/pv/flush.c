/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a PV domain's translations may be, and when they can stay there.
 *
 * A CPU that a vCPU leaves may keep what it has of it (cpu/tlb.c), for when it
 * comes back; meanwhile flushes of the domain pass that CPU by.  So each of them
 * is counted, before it is looked up who runs; a vCPU that starts to run looks
 * at the count after it can be seen to run.  Either it sees the flush counted,
 * or the flush reaches it.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "pv/pv.h"

/* How many PV vCPUs have started to run on this CPU, one that goes on where it left not counted. */
static DEFINE_PERCPU(uint64_t, turns);

void pv_tlb_enter(struct vcpu *v)
{
	struct pv_tlb *tlb = &v->pv.tlb;
	uint64_t flushes;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flushes = __atomic_load_n(&v->domain->pv.flushes, __ATOMIC_SEQ_CST);
	if (!tlb->turn || tlb->turn != this_cpu(turns) || tlb->cpu != cpu_id() ||
	    tlb->flushes != flushes) {
		tlb_space_forget(TLB_KERNEL);
		tlb_space_forget(TLB_USER);
		tlb->turn = ++this_cpu(turns);
		tlb->cpu = cpu_id();
		tlb->flushes = flushes;
	}
}

void pv_tlb_forget(struct vcpu *v, enum tlb_space space)
{
	if (v == current)
		tlb_space_forget(space);
	else
		v->pv.tlb.turn = 0; /* no CPU's */
}

void pv_domain_dirty_cpus(struct domain *d, struct cpumask *out)
{
	__atomic_add_fetch(&d->pv.flushes, 1, __ATOMIC_SEQ_CST);
	domain_running_cpus(d, out);
}

int pv_vcpumask_get(struct domain *d, const void *guest, struct cpumask *cpus)
{
	unsigned long wanted[BITS_TO_LONGS(MAX_VCPUS)] = {0};
	unsigned int id;

	if (copy_in(wanted, guest, DIV_ROUND_UP(MIN(d->max_vcpus, MAX_VCPUS), 8)))
		return -EFAULT;
	__atomic_add_fetch(&d->pv.flushes, 1, __ATOMIC_SEQ_CST);
	cpumask_zero(cpus);
	bitmap_for_each(id, wanted, d->max_vcpus) {
		const struct vcpu *v = d->vcpus[id];

		if (v && READ_ONCE(v->sched.is_running))
			bit_set(cpus->bits, READ_ONCE(v->sched.cpu));
	}
	return 0;
}

void pv_flush_domain(struct domain *d)
{
	struct cpumask cpus;

	if (d->max_vcpus == 1 && current && d == current->domain) {
		tlb_flush_local();
		return;
	}
	pv_domain_dirty_cpus(d, &cpus);
	tlb_flush_mask(&cpus);
}
