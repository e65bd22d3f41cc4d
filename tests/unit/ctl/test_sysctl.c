/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl: who may, what each operation tells, and what it refuses.
 *
 * Links: hypercall/sysctl.c hypercall/sysctl_topology.c hypercall/domctl_domain.c
 * Links: hypercall/ctl_bitmap.c hypercall/cpu_policy.c domain/cpuid.c
 * Links: hvm/cpuid.c lib/bits.c
 */
#include "fixture.h"

TEST(sysctl_access_and_version)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_sched_id};
	const uint64_t args[5] = {(uint64_t)&op};

	fixture_begin();
	CHECK_EQ(hypercall_sysctl(args), -EACCES);
	fake_vcpu_run(domu->vcpus[0], 0);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_sched_id, &op), -EPERM);
	fake_vcpu_run(dom0->vcpus[0], 0);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_sched_id, &op), 0);
	CHECK_EQ(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT);
	CHECK_EQ(do_sysctl(0, &op), -ENOSYS);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_tbuf_op, &op), -ENOSYS);
	CHECK_EQ(do_sysctl(30, &op), -ENOSYS);
	CHECK_EQ(do_sysctl(~0U, &op), -ENOSYS);
	fake_guest_any = false;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_sched_id, &op), -EFAULT);
}

TEST(sysctl_readconsole)
{
	char buf[700] = {0};
	struct xen_sysctl op = {.u.readconsole = {.buffer.p = buf, .count = sizeof(buf)}};
	struct xen_sysctl_readconsole *r = &op.u.readconsole;

	fixture_begin();
	for (unsigned int i = 0; i < sizeof(ring) - 1; i++)
		ring[i] = (char)('a' + i % 26);
	r->index = 500; /* counts only if incremental */
	CHECK_EQ(do_sysctl(XEN_SYSCTL_readconsole, &op), 0);
	CHECK_EQ(r->count, 599);
	CHECK(!strcmp(buf, ring));
	CHECK_EQ(r->index, 599);
	CHECK(!ring_cleared);
	r->count = sizeof(buf);
	r->index = 590;
	r->incremental = 1;
	r->clear = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_readconsole, &op), 0);
	CHECK_EQ(r->count, 9);
	CHECK(!memcmp(buf, ring + 590, 9));
	CHECK(ring_cleared);
	r->incremental = 0;
	r->count = 10;
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(do_sysctl(XEN_SYSCTL_readconsole, &op), 0);
	CHECK_EQ(r->count, 10);
	CHECK_EQ(buf[10], 0);
	r->buffer.p = NULL;
	r->count = 10;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_readconsole, &op), -EFAULT);
}

TEST(sysctl_physinfo)
{
	struct xen_sysctl op;
	struct xen_sysctl_physinfo *p = &op.u.physinfo;

	fixture_begin();
	memset(&op.u, 0xaa, sizeof(op.u));
	domu->mm.claimed = 9;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_physinfo, &op), 0);
	CHECK_EQ(p->nr_cpus, FAKE_CPUS);
	CHECK_EQ(p->max_cpu_id, FAKE_CPUS - 1);
	CHECK_EQ(p->threads_per_core * p->cores_per_socket, FAKE_CPUS);
	CHECK_EQ(p->nr_nodes, 1);
	CHECK_EQ(p->max_node_id, 0);
	CHECK_EQ(p->cpu_khz, 1000000);
	CHECK_EQ(p->capabilities, XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1 |
					  XEN_SYSCTL_PHYSCAP_gnttab_v2);
	CHECK_EQ(p->total_pages, 222);
	CHECK_EQ(p->free_pages, 111);
	CHECK_EQ(p->outstanding_pages, 9);
	CHECK_EQ(p->max_mfn, FAKE_FRAMES - 1);
	CHECK_EQ(p->scrub_pages, 0);
	CHECK_EQ(p->pad, 0);
}

TEST(sysctl_getdomaininfolist)
{
	xen_domctl_getdomaininfo_t list[4];
	struct xen_sysctl op = {
		.u.getdomaininfolist = {.first_domain = 0, .max_domains = 4, .buffer.p = list}};
	struct xen_sysctl_getdomaininfolist *l = &op.u.getdomaininfolist;

	fixture_begin();
	fake_domain(8, 1);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	CHECK_EQ(l->num_domains, 3);
	CHECK_EQ(list[0].domain, 0);
	CHECK_EQ(list[1].domain, 7);
	CHECK_EQ(list[2].domain, 8);
	l->first_domain = 1;
	l->max_domains = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	CHECK_EQ(l->num_domains, 1);
	CHECK_EQ(list[0].domain, 7);
	l->first_domain = 9;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist, &op), 0);
	CHECK_EQ(l->num_domains, 0);
	l->first_domain = 0;
	l->buffer.p = NULL;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist, &op), -EFAULT);
	CHECK_EQ(domu->references, 1);
	CHECK_EQ(dom0->references, 1);
}

TEST(sysctl_debug_keys)
{
	char text[65] = "qr";
	struct xen_sysctl op = {.u.debug_keys = {.keys.p = text, .nr_keys = 2}};

	fixture_begin();
	CHECK_EQ(do_sysctl(XEN_SYSCTL_debug_keys, &op), 0);
	CHECK_EQ(nr_keys, 2);
	CHECK(!memcmp(keys, "qr", 2));
	op.u.debug_keys.nr_keys = 65;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_debug_keys, &op), -E2BIG);
	op.u.debug_keys.nr_keys = 1;
	op.u.debug_keys.keys.p = NULL;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_debug_keys, &op), -EFAULT);
	CHECK_EQ(nr_keys, 2);
}

TEST(sysctl_cpus)
{
	xen_sysctl_cpuinfo_t info[16] = {{0}};
	xen_sysctl_cputopo_t topo[16];
	struct xen_sysctl op = {.u.getcpuinfo = {.max_cpus = 16, .info.p = info}};

	fixture_begin();
	cpumask_clear(&cpu_online, 3);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getcpuinfo, &op), 0);
	CHECK_EQ(op.u.getcpuinfo.nr_cpus, FAKE_CPUS);
	CHECK_EQ(info[2].idletime, 1002);
	CHECK_EQ(info[3].idletime, 0);
	op.u.getcpuinfo.max_cpus = 2;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getcpuinfo, &op), 0);
	CHECK_EQ(op.u.getcpuinfo.nr_cpus, 2);
	op.u.getcpuinfo.info.p = NULL;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_getcpuinfo, &op), -EFAULT);

	op = (struct xen_sysctl){.u.cputopoinfo = {.num_cpus = 0}};
	CHECK_EQ(do_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	CHECK_EQ(op.u.cputopoinfo.num_cpus, FAKE_CPUS);
	memset(topo, 0, sizeof(topo));
	op.u.cputopoinfo.num_cpus = 5;
	op.u.cputopoinfo.cputopo.p = topo;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_cputopoinfo, &op), 0);
	CHECK_EQ(op.u.cputopoinfo.num_cpus, FAKE_CPUS);
	CHECK_EQ(topo[4].core, 4);
	CHECK_EQ(topo[3].core, XEN_INVALID_CORE_ID);
	CHECK_EQ(topo[5].core, 0); /* there was no room said for it */
}

TEST(sysctl_nodes)
{
	xen_sysctl_meminfo_t mem = {0};
	uint32_t distance = 0, nodes[100];
	static physdev_pci_device_t devs[100];
	struct xen_sysctl op = {.u.numainfo = {.num_nodes = 0}};

	fixture_begin();
	CHECK_EQ(do_sysctl(XEN_SYSCTL_numainfo, &op), 0);
	CHECK_EQ(op.u.numainfo.num_nodes, 1);
	op.u.numainfo.meminfo.p = &mem;
	op.u.numainfo.distance.p = &distance;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_numainfo, &op), 0);
	CHECK_EQ(mem.memsize, 222UL << 12);
	CHECK_EQ(mem.memfree, 111UL << 12);
	CHECK_EQ(distance, 10);

	memset(nodes, 0xff, sizeof(nodes));
	op = (struct xen_sysctl){
		.u.pcitopoinfo = {.num_devs = 100, .devs.p = devs, .nodes.p = nodes}};
	CHECK_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo, &op), 0);
	CHECK_EQ(op.u.pcitopoinfo.num_devs, 64); /* the caller comes again */
	CHECK_EQ(nodes[63], 0);
	CHECK_EQ(nodes[64], ~0U);
	op.u.pcitopoinfo.devs.p = NULL;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo, &op), -EINVAL);

	op = (struct xen_sysctl){.u.availheap = {.node = -1}};
	CHECK_EQ(do_sysctl(XEN_SYSCTL_availheap, &op), 0);
	CHECK_EQ(op.u.availheap.avail_bytes, 111UL << 12);
	op.u.availheap.node = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_availheap, &op), -EINVAL);
	op.u.availheap.node = 0;
	op.u.availheap.max_bitwidth = 32;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_availheap, &op), -EOPNOTSUPP);
}

static long pool(uint32_t what, uint32_t id, struct xen_sysctl *op)
{
	op->u.cpupool_op.op = what;
	op->u.cpupool_op.cpupool_id = id;
	return do_sysctl(XEN_SYSCTL_cpupool_op, op);
}

TEST(sysctl_one_cpupool)
{
	uint8_t map[2] = {0};
	struct xen_sysctl op = {.u.cpupool_op.cpumap = {{map}, 16}};

	fixture_begin();
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 0, &op), 0);
	CHECK_EQ(op.u.cpupool_op.cpupool_id, 0);
	CHECK_EQ(op.u.cpupool_op.sched_id, XEN_SCHEDULER_CREDIT);
	CHECK_EQ(op.u.cpupool_op.n_dom, 2);
	CHECK_EQ(map[0], 0xff);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, &op), 0);
	CHECK_EQ(map[0], 0);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_INFO, 1, &op), -ENOENT);
	op.u.cpupool_op.domid = 7;
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, &op), 0);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 1, &op), -ENOENT);
	op.u.cpupool_op.domid = 77;
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, &op), -EINVAL);
	op.u.cpupool_op.domid = 0x10007;
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, &op), -EINVAL);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, 1, &op), -EOPNOTSUPP);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0, &op), -EBUSY);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 1, &op), -ENOENT);
	CHECK_EQ(pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, &op), -ENODEV);
	CHECK_EQ(pool(99, 0, &op), -ENOSYS);
	CHECK_EQ(domu->references, 1);
}

TEST(sysctl_scheduler)
{
	struct xen_sysctl op = {.u.scheduler_op = {.sched_id = XEN_SCHEDULER_CREDIT,
						   .cmd = XEN_SYSCTL_SCHEDOP_getinfo}};

	fixture_begin();
	CHECK_EQ(do_sysctl(XEN_SYSCTL_scheduler_op, &op), 0);
	CHECK(op.u.scheduler_op.u.sched_credit.tslice_ms > 0);
	op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_scheduler_op, &op), -EOPNOTSUPP);
	op.u.scheduler_op.cmd = 2;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
	op.u.scheduler_op.cpupool_id = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_scheduler_op, &op), -ESRCH);
	op.u.scheduler_op.cpupool_id = 0;
	op.u.scheduler_op.sched_id = XEN_SCHEDULER_NULL;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_scheduler_op, &op), -EINVAL);
}

TEST(sysctl_cpu_policy_and_featureset)
{
	static xen_cpuid_leaf_t leaves[128];
	uint32_t words[20];
	struct xen_sysctl op = {.u.cpu_policy = {.index = XEN_SYSCTL_cpu_policy_pv_default}};
	struct xen_sysctl_cpu_policy *p = &op.u.cpu_policy;
	struct xen_sysctl_cpu_featureset *f = &op.u.cpu_featureset;

	fixture_begin();
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), 0);
	CHECK_EQ(p->nr_leaves, 128); /* room for the largest */
	p->leaves.p = leaves;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), 0);
	CHECK(p->nr_leaves > 20 && p->nr_leaves < 128);
	CHECK_EQ(leaves[1].leaf, 1);
	CHECK_EQ(leaves[1].d, 0x1f);
	p->index = XEN_SYSCTL_cpu_policy_host;
	p->nr_leaves = 128;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), 0);
	p->nr_leaves = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), -ENOBUFS);
	p->index = XEN_SYSCTL_cpu_policy_hvm_max;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EOPNOTSUPP);
	p->index = 6;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EINVAL);
	p->index = 0;
	p->_rsvd = 1;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_policy, &op), -EINVAL);

	op = (struct xen_sysctl){.u.cpu_featureset = {.index = XEN_SYSCTL_cpu_featureset_pv}};
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_featureset, &op), 0);
	CHECK_EQ(f->nr_features, 12);
	f->features.p = words;
	f->nr_features = 20;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_featureset, &op), 0);
	CHECK_EQ(f->nr_features, 12);
	CHECK_EQ(words[0], 0x1f);
	CHECK_EQ(words[11], 0); /* beyond this CPU's last leaf */
	f->nr_features = 11;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -ENOBUFS);
	f->index = XEN_SYSCTL_cpu_featureset_hvm;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -EOPNOTSUPP);
	f->index = 6;
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_featureset, &op), -EINVAL);
	CHECK_EQ(do_sysctl(XEN_SYSCTL_get_cpu_levelling_caps, &op), 0);
	CHECK_EQ(fake_heap_objects, 0);
}
