/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_vcpu_op (xen/vcpu.h): a domain's rule over its own vCPUs. */
#include "dev/acpi.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "sched/sched.h"
#include "time/time.h"

#include <xen/sched.h>

static long op_initialise(struct vcpu *v, const void *arg)
{
	struct vcpu_guest_context *ctx;
	long rc;

	ctx = heap_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	rc = copy_in(ctx, arg, sizeof(*ctx));
	/* Two vCPUs may try at once. One that was initialised may be running even now. */
	if (!rc && atomic_bit_test_and_set(&v->flags, VCPU_F_INITIALISING))
		rc = -EBUSY;
	if (!rc) {
		rc = READ_ONCE(v->initialised) ? -EEXIST : vcpu_context_set(v, ctx);
		atomic_bit_clear(&v->flags, VCPU_F_INITIALISING);
	}
	heap_free(ctx);
	return rc;
}

static long op_up(struct vcpu *v, const void *arg)
{
	struct domain *d = v->domain;
	bool initialised;

	(void)arg;
	spin_lock(&d->lock);
	initialised = v->initialised;
	if (initialised)
		atomic_bit_clear(&v->flags, VCPU_F_DOWN);
	spin_unlock(&d->lock);
	if (!initialised)
		return -EINVAL;
	vcpu_wake(v);
	return 0;
}

static bool is_last_up(const struct vcpu *v)
{
	struct vcpu *other;

	for_each_vcpu(v->domain, other)
		if (other != v && !bit_test(&other->flags, VCPU_F_DOWN))
			return false;
	return true;
}

void vcpu_take_down(struct vcpu *v)
{
	bool last;

	spin_lock(&v->domain->lock);
	last = is_last_up(v);
	if (!last)
		atomic_bit_set(&v->flags, VCPU_F_DOWN);
	spin_unlock(&v->domain->lock);
	if (last)
		domain_shutdown(v->domain, SHUTDOWN_poweroff);
	else
		vcpu_sleep(v);
}

static long op_down(struct vcpu *v, const void *arg)
{
	(void)arg;
	vcpu_take_down(v);
	return 0;
}

static long op_is_up(struct vcpu *v, const void *arg)
{
	(void)arg;
	return !bit_test(&v->flags, VCPU_F_DOWN);
}

static long op_runstate_get(struct vcpu *v, const void *arg)
{
	struct vcpu_runstate_info info = {0};

	vcpu_runstate_get(v, &info);
	return copy_out((void *)arg, &info, sizeof(info));
}

static long op_runstate_area(struct vcpu *v, const void *arg)
{
	struct vcpu_register_runstate_memory_area area;
	struct vcpu_runstate_info info = {0};
	int rc = copy_in(&area, arg, sizeof(area));

	if (!rc)
		rc = vcpu_area_set(&v->sched.runstate_area, area.addr.v, sizeof(info));
	if (rc)
		return rc;
	vcpu_runstate_get(v, &info);
	vcpu_area_write(&v->sched.runstate_area, 0, &info, sizeof(info));
	return 0;
}

static long op_periodic_set(struct vcpu *v, const void *arg)
{
	struct vcpu_set_periodic_timer set;

	if (copy_in(&set, arg, sizeof(set)))
		return -EFAULT;
	if (set.period_ns < VTIME_PERIOD_MIN || set.period_ns > VTIME_PERIOD_MAX)
		return -EINVAL;
	vtime_periodic_set(v, set.period_ns);
	return 0;
}

static long op_periodic_stop(struct vcpu *v, const void *arg)
{
	(void)arg;
	vtime_periodic_set(v, 0);
	return 0;
}

static long op_singleshot_set(struct vcpu *v, const void *arg)
{
	struct vcpu_set_singleshot_timer set;

	if (v != current)
		return -EINVAL;
	if (copy_in(&set, arg, sizeof(set)))
		return -EFAULT;
	if ((set.flags & VCPU_SSHOTTMR_future) && set.timeout_abs_ns < time_now())
		return -ETIME;
	vtime_singleshot_set(v, set.timeout_abs_ns);
	return 0;
}

static long op_singleshot_stop(struct vcpu *v, const void *arg)
{
	(void)arg;
	if (v != current)
		return -EINVAL;
	vtime_singleshot_stop(v);
	return 0;
}

static long op_info_register(struct vcpu *v, const void *arg)
{
	struct vcpu_register_vcpu_info info;

	if (copy_in(&info, arg, sizeof(info)))
		return -EFAULT;
	return vcpu_info_register(v, info.mfn, info.offset);
}

static long op_nmi_send(struct vcpu *v, const void *arg)
{
	(void)arg;
	if (!atomic_bit_test_and_set(&v->flags, VCPU_F_NMI_PENDING)) {
		WRITE_ONCE(v->return_work, true);
		vcpu_kick(v);
	}
	return 0;
}

/* Only where it means something: for dom0, of a vCPU that stays on one CPU. */
static long op_physid_get(struct vcpu *v, const void *arg)
{
	struct vcpu_get_physid id;
	unsigned int cpu = cpumask_first(&v->sched.affinity);

	if (!v->domain->is_privileged || cpumask_weight(&v->sched.affinity) != 1 ||
	    cpu >= acpi_info.nr_cpus)
		return -EINVAL;
	id.phys_id = acpi_info.apic_ids[cpu] | (uint64_t)acpi_info.acpi_ids[cpu] << 32;
	return copy_out((void *)arg, &id, sizeof(id));
}

static long op_time_area(struct vcpu *v, const void *arg)
{
	struct vcpu_register_time_memory_area area;

	if (copy_in(&area, arg, sizeof(area)))
		return -EFAULT;
	return vtime_area_set(v, area.addr.v);
}

static long (*const ops[])(struct vcpu *v, const void *arg) = {
	[VCPUOP_initialise] = op_initialise,
	[VCPUOP_up] = op_up,
	[VCPUOP_down] = op_down,
	[VCPUOP_is_up] = op_is_up,
	[VCPUOP_get_runstate_info] = op_runstate_get,
	[VCPUOP_register_runstate_memory_area] = op_runstate_area,
	[VCPUOP_set_periodic_timer] = op_periodic_set,
	[VCPUOP_stop_periodic_timer] = op_periodic_stop,
	[VCPUOP_set_singleshot_timer] = op_singleshot_set,
	[VCPUOP_stop_singleshot_timer] = op_singleshot_stop,
	[VCPUOP_register_vcpu_info] = op_info_register,
	[VCPUOP_send_nmi] = op_nmi_send,
	[VCPUOP_get_physid] = op_physid_get,
	[VCPUOP_register_vcpu_time_memory_area] = op_time_area,
};

/* An HVM guest starts, stops and interrupts its vCPUs by their local APICs. */
#define HVM_OPS                                                                               \
	(BIT_U32(VCPUOP_is_up) | BIT_U32(VCPUOP_get_runstate_info) |                          \
	 BIT_U32(VCPUOP_register_runstate_memory_area) | BIT_U32(VCPUOP_set_periodic_timer) | \
	 BIT_U32(VCPUOP_stop_periodic_timer) | BIT_U32(VCPUOP_set_singleshot_timer) |         \
	 BIT_U32(VCPUOP_stop_singleshot_timer) | BIT_U32(VCPUOP_register_vcpu_info) |         \
	 BIT_U32(VCPUOP_register_vcpu_time_memory_area))

long hypercall_vcpu_op(const uint64_t *args)
{
	struct domain *d = current->domain;
	uint64_t op = args[0], id = args[1];
	long rc;

	if (id >= d->max_vcpus || id >= MAX_VCPUS || !d->vcpus[id])
		return -ENOENT;
	if (op >= ARRAY_SIZE(ops) || !ops[op])
		return -ENOSYS;
	if (d->type == DOMAIN_HVM && !(HVM_OPS & BIT_U32(op)))
		return -ENOSYS;
	rc = ops[op](d->vcpus[id], (const void *)args[2]);
	return rc == -ERESTART ? hypercall_continue(__HYPERVISOR_vcpu_op, args, 3) : rc;
}
