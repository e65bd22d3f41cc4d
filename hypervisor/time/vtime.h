/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's time: vcpu_time_info, wall clock in shared_info, and its timers. */
#ifndef TIME_VTIME_H
#define TIME_VTIME_H

#include "time/timer.h"

struct vtime_vcpu {
	struct timer singleshot;
	struct timer periodic;
	uint64_t period; /* ns, 0 = off */
	uint64_t periodic_last;
	void *time_guest; /* VCPUOP_register_vcpu_time_memory_area: guest address or NULL */
};

void vtime_vcpu_init(struct vcpu *v);
void vtime_vcpu_fini(struct vcpu *v);
void vtime_domain_init(struct domain *d); /* wall clock into shared_info */
/* On each switch to v and after a calibration: refresh its vcpu_time_info. */
void vtime_update(struct vcpu *v);
/* All domains' wall clocks, after wallclock_set. */
void vtime_update_wallclock(struct domain *d);
/* The vCPU's timers move with it and sleep with it. */
void vtime_vcpu_scheduled(struct vcpu *v);

/* HYPERVISOR_set_timer_op: ns, 0 = stop */
long hypercall_set_timer_op(const uint64_t *args);

#endif
