/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's shape for the tools: every CPU a core of one socket, all
 * memory one node, all CPUs in the one pool 0 with its one scheduler.
 */
#include "hypercall/ctl.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "sched/sched.h"

#define POOL_ID	      0U
#define NODE_DISTANCE 10 /* of a node to itself: ACPI "System Locality Information Table" */
#define PCI_BATCH     64 /* devices told of in one call; the caller comes again for the rest */
#define SLICE_MS      10

/* CPUs up to the last that is online. */
static uint32_t cpu_count(void)
{
	uint32_t n = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		n = cpu + 1;
	return n;
}

int sysctl_cputopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	uint32_t n = cpu_count();

	for (uint32_t cpu = 0; t->cputopo.p && cpu < MIN(n, t->num_cpus); cpu++) {
		xen_sysctl_cputopo_t topo = {.core = cpu};

		if (!cpumask_test(&cpu_online, cpu))
			topo = (xen_sysctl_cputopo_t){XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID,
						      XEN_INVALID_NODE_ID};
		if (copy_out(t->cputopo.p + cpu, &topo, sizeof(topo)))
			return -EFAULT;
	}
	t->num_cpus = n;
	return 0;
}

int sysctl_numainfo(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	xen_sysctl_meminfo_t mem = {
		.memsize = frames_total_count() << PAGE_SHIFT,
		.memfree = frames_free_count() << PAGE_SHIFT,
	};
	uint32_t distance = NODE_DISTANCE;

	if (n->num_nodes && n->meminfo.p && copy_out(n->meminfo.p, &mem, sizeof(mem)))
		return -EFAULT;
	if (n->num_nodes && n->distance.p && copy_out(n->distance.p, &distance, sizeof(distance)))
		return -EFAULT;
	n->num_nodes = 1;
	return 0;
}

int sysctl_pcitopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_pcitopoinfo *p = &op->u.pcitopoinfo;

	if (!p->devs.p || !p->nodes.p)
		return -EINVAL;
	/* With one node it is the same for every device, told or not. */
	for (uint32_t i = 0; i < p->num_devs; i++) {
		uint32_t node = 0;

		if (i == PCI_BATCH) {
			p->num_devs = i;
			break;
		}
		if (copy_out(p->nodes.p + i, &node, sizeof(node)))
			return -EFAULT;
	}
	return 0;
}

static int pool_info(struct xen_sysctl_cpupool_op *p)
{
	struct domain *d;

	/* The pool with that id or the next above. */
	if (p->cpupool_id != POOL_ID)
		return -ENOENT;
	p->sched_id = CTL_SCHEDULER;
	p->n_dom = 0;
	spin_lock(&domain_list_lock);
	for_each_domain(d)
		p->n_dom++;
	spin_unlock(&domain_list_lock);
	return ctl_cpumask_out(&p->cpumap, &cpu_online);
}

static int pool_move_domain(const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = p->domid < DOMID_FIRST_RESERVED ? domain_get((domid_t)p->domid) : NULL;

	if (!d)
		return -EINVAL;
	domain_put(d);
	return p->cpupool_id == POOL_ID ? 0 : -ENOENT;
}

int sysctl_cpupool_op(struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	const struct cpumask none = {{0}};

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return ctl_cpumask_out(&p->cpumap, &none);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move_domain(p);
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return -EOPNOTSUPP;
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return p->cpupool_id == POOL_ID ? -EBUSY : -ENOENT;
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return p->cpupool_id == POOL_ID ? -ENODEV : -ENOENT;
	default:
		return -ENOSYS;
	}
}

int sysctl_scheduler_op(struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->cpupool_id != POOL_ID)
		return -ESRCH;
	if (s->sched_id != CTL_SCHEDULER)
		return -EINVAL;
	switch (s->cmd) {
	case XEN_SYSCTL_SCHEDOP_getinfo:
		memset(&s->u, 0, sizeof(s->u));
		s->u.sched_credit.tslice_ms = SLICE_MS;
		return 0;
	case XEN_SYSCTL_SCHEDOP_putinfo:
		return -EOPNOTSUPP; /* its slice is fixed */
	default:
		return -EINVAL;
	}
}
