/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_platform_op on physical CPUs.  Every CPU the machine starts with
 * stays online, and its power states are the idle loop's: what would change
 * that is refused.
 */
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "dev/platform.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "time/time.h"

#define MSR_TSC 0x10

#define RESOURCE_ENTRIES_MAX 64

static bool cpu_is_online(uint32_t cpu)
{
	return cpu < MAX_CPUS && cpumask_test(&cpu_online, cpu);
}

/* Intel SDM volume 2, "CPUID", signature: extended family and model join the base ones. */
static uint32_t signature_family(uint32_t sig)
{
	uint32_t family = sig >> 8 & 0xf;

	return family == 0xf ? family + (sig >> 20 & 0xff) : family;
}

static uint32_t signature_model(uint32_t sig)
{
	uint32_t family = sig >> 8 & 0xf, model = sig >> 4 & 0xf;

	return family == 0x6 || family == 0xf ? model | (sig >> 12 & 0xf0) : model;
}

long platform_pcpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *v = &op->u.pcpu_version;

	if (!cpu_is_online(v->xen_cpuid)) {
		memset(v->vendor_id, 0, sizeof(v->vendor_id));
		v->family = v->model = v->stepping = 0;
	} else {
		memcpy(v->vendor_id, cpu_features.vendor, sizeof(v->vendor_id));
		v->family = signature_family(cpu_features.signature);
		v->model = signature_model(cpu_features.signature);
		v->stepping = cpu_features.signature & 0xf;
	}
	v->max_present = cpu_count - 1;
	return 0;
}

static long idletime_of_byte(const struct xenpf_getidletime *g, uint32_t first, uint8_t *bits)
{
	for (unsigned int bit = 0; bit < 8 && first + bit < g->cpumap_nr_cpus; bit++) {
		uint32_t cpu = first + bit;
		uint64_t idle = 0;

		if (!(*bits & 1U << bit))
			continue;
		if (cpu_is_online(cpu))
			idle = cpu_idle_time(cpu);
		else
			*bits &= ~(1U << bit);
		if (copy_out((char *)g->idletime.p + cpu * sizeof(idle), &idle, sizeof(idle)))
			return -EFAULT;
	}
	return 0;
}

long platform_getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;

	if (g->cpumap_nr_cpus > MAX_CPUS)
		return -EINVAL;
	g->now = time_now();
	for (uint32_t cpu = 0; cpu < g->cpumap_nr_cpus; cpu += 8) {
		char *at = (char *)g->cpumap_bitmap.p + cpu / 8;
		uint8_t bits;
		long ret;

		if (copy_in(&bits, at, 1))
			return -EFAULT;
		ret = idletime_of_byte(g, cpu, &bits);
		if (ret)
			return ret;
		if (copy_out(at, &bits, 1))
			return -EFAULT;
	}
	return 0;
}

long platform_set_pminfo(struct xen_platform_op *op)
{
	switch (op->u.set_pminfo.type) {
	case XEN_PM_CX:
	case XEN_PM_PX:
	case XEN_PM_TX:
	case XEN_PM_PDC:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

long platform_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *info = &op->u.pcpu_info;

	info->max_present = cpu_count - 1;
	if (!cpu_is_online(info->xen_cpuid)) {
		info->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	info->flags = XEN_PCPU_FLAGS_ONLINE;
	info->apic_id = cpu_apic_ids[info->xen_cpuid];
	info->acpi_id = cpu_acpi_ids[info->xen_cpuid];
	return 0;
}

long platform_cpu_online(struct xen_platform_op *op)
{
	return cpu_is_online(op->u.cpu_ol.cpuid) ? 0 : -EINVAL;
}

long platform_cpu_offline(struct xen_platform_op *op)
{
	return cpu_is_online(op->u.cpu_ol.cpuid) ? -EOPNOTSUPP : -EINVAL;
}

long platform_core_parking(struct xen_platform_op *op)
{
	switch (op->u.core_parking.type) {
	case XEN_CORE_PARKING_SET:
		return -EOPNOTSUPP;
	case XEN_CORE_PARKING_GET:
		op->u.core_parking.idle_nums = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* One entry: the time is all that may be read so; the ABI gives it for the TSC's number. */
static int resource_entry(struct xenpf_resource_entry *e)
{
	if (e->rsvd)
		return -EINVAL;
	if (e->u.cmd != XEN_RESOURCE_OP_MSR_READ && e->u.cmd != XEN_RESOURCE_OP_MSR_WRITE)
		return -EOPNOTSUPP;
	if (e->u.cmd != XEN_RESOURCE_OP_MSR_READ || e->idx != MSR_TSC)
		return -EACCES;
	e->val = time_now();
	return 0;
}

/* How many entries were done; the one that failed says why. */
long platform_resource_op(struct xen_platform_op *op)
{
	const struct xenpf_resource_op *r = &op->u.resource_op;

	if (r->nr_entries > RESOURCE_ENTRIES_MAX)
		return -E2BIG;
	if (!cpu_is_online(r->cpu))
		return -ENODEV;
	for (uint32_t i = 0; i < r->nr_entries; i++) {
		char *at = (char *)r->entries.p + i * sizeof(struct xenpf_resource_entry);
		struct xenpf_resource_entry e;
		int ret;

		if (copy_in(&e, at, sizeof(e)))
			return -EFAULT;
		ret = resource_entry(&e);
		if (ret)
			e.u.ret = ret;
		if (copy_out(at, &e, sizeof(e)))
			return -EFAULT;
		if (ret)
			return i;
	}
	return r->nr_entries;
}
