/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_sysctl: the machine as a whole, for privileged domains.  Its
 * shape is told by sysctl_topology.c, its CPUID by cpu_policy.c; operations
 * not in the table are not offered.
 */
#include "cpu/features.h"
#include "dev/console.h"
#include "hvm/hvm.h"
#include "hypercall/ctl.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "time/time.h"

_Static_assert(sizeof(struct xen_sysctl) == 136, "ABI");
_Static_assert(sizeof(struct xen_sysctl_physinfo) == 112, "ABI");

#define CONSOLE_CHUNK	 256
#define CONSOLE_READ_MAX KB(256) /* more than any ring holds; others may be writing to it */
#define DEBUG_KEYS_MAX	 64

static int sysctl_readconsole(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t room = MIN(r->count, (uint32_t)CONSOLE_READ_MAX);
	bool from_start = !r->incremental;
	uint32_t done = 0;

	while (done < room) {
		char chunk[CONSOLE_CHUNK];
		size_t n = console_ring_read(chunk, MIN(sizeof(chunk), (size_t)(room - done)),
					     &r->index, from_start);

		if (!n)
			break;
		from_start = false;
		if (copy_out(r->buffer.p + done, chunk, n))
			return -EFAULT;
		done += (uint32_t)n;
	}
	r->count = done;
	if (r->clear)
		console_ring_clear();
	return 0;
}

static int sysctl_physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;
	struct domain *d;
	unsigned int cpu;

	memset(p, 0, sizeof(*p));
	p->threads_per_core = 1;
	p->cores_per_socket = cpumask_weight(&cpu_online);
	p->nr_cpus = cpumask_weight(&cpu_online);
	for_each_online_cpu(cpu)
		p->max_cpu_id = cpu;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)tsc_khz();
	p->capabilities =
		XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 | XEN_SYSCTL_PHYSCAP_gnttab_v2;
	if (hvm_is_available())
		p->capabilities |= XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
	p->total_pages = frames_total_count();
	p->free_pages = frames_free_count();
	spin_lock(&domain_list_lock);
	for_each_domain(d)
		p->outstanding_pages += READ_ONCE(d->mm.claimed);
	spin_unlock(&domain_list_lock);
	p->max_mfn = frame_table_end - 1;
	ctl_hw_cap(p->hw_cap);
	return 0;
}

static int sysctl_sched_id(struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = CTL_SCHEDULER;
	return 0;
}

/* The domain with the lowest id not below `id`, held; NULL: none. */
static struct domain *domain_next(uint32_t id)
{
	struct domain *d, *found = NULL;

	spin_lock(&domain_list_lock);
	for_each_domain(d) {
		if (d->id >= id && domain_hold(d)) {
			found = d;
			break;
		}
	}
	spin_unlock(&domain_list_lock);
	return found;
}

static int sysctl_getdomaininfolist(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	uint32_t next = l->first_domain;
	uint32_t n = 0;

	while (n < l->max_domains) {
		struct domain *d = domain_next(next);
		xen_domctl_getdomaininfo_t info;

		if (!d)
			break;
		domain_info_get(d, &info);
		next = d->id + 1U;
		domain_put(d);
		if (copy_out(l->buffer.p + n, &info, sizeof(info)))
			return -EFAULT;
		n++;
	}
	l->num_domains = n;
	return 0;
}

static int sysctl_debug_keys(struct xen_sysctl *op)
{
	const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
	char keys[DEBUG_KEYS_MAX];

	if (k->nr_keys > sizeof(keys))
		return -E2BIG;
	if (copy_in(keys, k->keys.p, k->nr_keys))
		return -EFAULT;
	for (uint32_t i = 0; i < k->nr_keys; i++)
		debug_key(keys[i]);
	return 0;
}

static int sysctl_getcpuinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *c = &op->u.getcpuinfo;
	uint32_t cpu;

	for (cpu = 0; cpu < c->max_cpus && cpu < MAX_CPUS; cpu++) {
		xen_sysctl_cpuinfo_t info = {0};

		if (cpumask_is_empty(&cpu_online) ||
		    bitmap_find_set(cpu_online.bits, MAX_CPUS, cpu) == MAX_CPUS)
			break;
		if (cpumask_test(&cpu_online, cpu))
			info.idletime = cpu_idle_time(cpu);
		if (copy_out(c->info.p + cpu, &info, sizeof(info)))
			return -EFAULT;
	}
	c->nr_cpus = cpu;
	return 0;
}

static int sysctl_availheap(struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *a = &op->u.availheap;

	if (a->node > 0 || a->node < -1)
		return -EINVAL;
	/* Free frames are not counted by address. */
	if (a->min_bitwidth || (a->max_bitwidth && a->max_bitwidth < cpu_features.phys_bits))
		return -EOPNOTSUPP;
	a->avail_bytes = frames_free_count() << PAGE_SHIFT;
	return 0;
}

#define OP(name)     [XEN_SYSCTL_##name] = {sysctl_##name, false}
#define OP_OUT(name) [XEN_SYSCTL_##name] = {sysctl_##name, true}

static const struct {
	int (*fn)(struct xen_sysctl *op);
	bool returns_arg;
} ops[] = {
	OP_OUT(readconsole),
	OP_OUT(physinfo),
	OP_OUT(sched_id),
	OP_OUT(getdomaininfolist),
	OP(debug_keys),
	OP_OUT(getcpuinfo),
	OP_OUT(availheap),
	OP_OUT(cputopoinfo),
	OP_OUT(numainfo),
	OP_OUT(pcitopoinfo),
	OP_OUT(cpupool_op),
	OP_OUT(scheduler_op),
	OP_OUT(get_cpu_levelling_caps),
	OP_OUT(get_cpu_featureset),
	OP_OUT(get_cpu_policy),
};

long hypercall_sysctl(const uint64_t *args)
{
	void *guest = (void *)args[0];
	struct xen_sysctl op;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	rc = copy_in(&op, guest, sizeof(op));
	if (rc)
		return rc;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(ops) || !ops[op.cmd].fn)
		return -ENOSYS;
	rc = ops[op.cmd].fn(&op);
	if (!rc && ops[op.cmd].returns_arg)
		rc = copy_out(guest, &op, sizeof(op));
	return rc;
}
