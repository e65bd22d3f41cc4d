/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's time: vcpu_time_info, wall clock in shared_info, and its timers. */
#ifndef TIME_VTIME_H
#define TIME_VTIME_H

#include "sched/vcpu_area.h"
#include "time/timer.h"

struct vtime_vcpu {
	struct timer singleshot;
	struct timer periodic;
	uint64_t period; /* ns, 0 = off; changed by the vCPU's own hypercalls or while it is down */

	/* written on the CPU it runs on, or under domain->lock while it does not run */
	uint32_t version;      /* of its vcpu_time_info, even; the guest's copy is not believed */
	bool is_published;     /* what it was told holds for as long as the TSCs agree */
	struct vcpu_area area; /* VCPUOP_register_vcpu_time_memory_area */
};

void vtime_vcpu_init(struct vcpu *v);
void vtime_vcpu_fini(struct vcpu *v);
void vtime_domain_init(struct domain *d); /* wall clock into shared_info */
/* On each switch to v, on its CPU, and after a new base: refresh its vcpu_time_info. */
void vtime_update(struct vcpu *v);
/* The domain's wall clock in its shared_info, after wallclock_set or a new wallclock_offset. */
void vtime_update_wallclock(struct domain *d);
/* The vCPU's timers move with it to `cpu`. */
void vtime_vcpu_scheduled(struct vcpu *v, unsigned int cpu);

/* VCPUOP_set_singleshot_timer, system time; VCPUOP_set_periodic_timer, ns, 0 stops */
#define VTIME_PERIOD_MIN 1000000UL
#define VTIME_PERIOD_MAX (1UL << 62)
void vtime_singleshot_set(struct vcpu *v, uint64_t expires);
void vtime_singleshot_stop(struct vcpu *v);
void vtime_periodic_set(struct vcpu *v, uint64_t period);
/* The current vCPU registers (NULL: forgets) v's second copy: as vcpu_area_set. */
must_check int vtime_area_set(struct vcpu *v, const void *guest);

/* HYPERVISOR_set_timer_op: ns, 0 = stop */
long hypercall_set_timer_op(const uint64_t *args);

#endif
