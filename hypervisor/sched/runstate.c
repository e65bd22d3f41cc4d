/* SPDX-License-Identifier: BSD-2-Clause */
/* How long each vCPU was in which state, and the copy of that in guest memory. */
#include "domain/domain.h"
#include "sched/runqueue.h"
#include "sched/sched.h"
#include "time/time.h"

void vcpu_state_set(struct vcpu *v, int state, uint64_t now)
{
	struct sched_vcpu *s = &v->sched;

	if (s->state == state)
		return;
	if (now > s->state_since) {
		s->state_time[s->state] += now - s->state_since;
		s->state_since = now;
	}
	s->state = state;
}

/* The flag says "being written", for guests that asked for it (VMASST_TYPE_runstate_update_flag).
 */
void vcpu_runstate_area_write(struct vcpu *v)
{
	struct vcpu_area *area = &v->sched.runstate_area;
	const size_t entry = offsetof(struct vcpu_runstate_info, state_entry_time);
	uint64_t busy = v->sched.state_since | XEN_RUNSTATE_UPDATE;

	if (!vcpu_area_is_set(area))
		return;
	if (READ_ONCE(v->domain->vm_assist) & BIT(VMASST_TYPE_runstate_update_flag))
		vcpu_area_write(area, entry, &busy, sizeof(busy));
	vcpu_area_write(area, offsetof(struct vcpu_runstate_info, state), &v->sched.state,
			sizeof(v->sched.state));
	vcpu_area_write(area, offsetof(struct vcpu_runstate_info, time), v->sched.state_time,
			sizeof(v->sched.state_time));
	vcpu_area_write(area, entry, &v->sched.state_since, sizeof(v->sched.state_since));
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	uint64_t flags, now;
	struct runqueue *rq = runqueue_lock(v, &flags);

	now = time_now();
	out->state = v->sched.state;
	out->state_entry_time = v->sched.state_since;
	for (unsigned int i = 0; i < ARRAY_SIZE(out->time); i++)
		out->time[i] = v->sched.state_time[i];
	if (now > v->sched.state_since)
		out->time[out->state] += now - v->sched.state_since;
	runqueue_unlock(rq, flags);
}

uint64_t vcpu_cpu_time(struct vcpu *v)
{
	struct vcpu_runstate_info info;

	vcpu_runstate_get(v, &info);
	return info.time[RUNSTATE_running];
}

uint64_t cpu_idle_time(unsigned int cpu)
{
	struct vcpu *idle = per_cpu(runqueue, cpu).idle;

	return idle ? vcpu_cpu_time(idle) : 0;
}
