/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl: who may, what is checked before anything is done, and what comes
 * back.
 *
 * Links: hypercall/domctl.c hypercall/domctl_domain.c hypercall/domctl_vcpu.c hypercall/domctl_hvm.c hvm/context.c
 * Links: hypercall/domctl_access.c hypercall/ctl_bitmap.c hypercall/cpu_policy.c hypercall/domctl_paging.c
 * Links: dev/ports.c domain/cpuid.c hvm/cpuid.c lib/bits.c lib/rangeset.c
 */
#include "fixture.h"
#include "dev/ports.h"
#include "hvm/hvm.h"
#include "hvm/platform.h"
#include "hvm/state.h"
#include "hvm/vcpu.h"

#include <xen/sched.h>

#define DOMU(...) ((struct xen_domctl){.domain = 7, __VA_ARGS__})

/* Runs one for domu and gives its result. */
static long run(uint32_t cmd, struct xen_domctl op)
{
	return do_domctl(cmd, &op);
}

TEST(domctl_access_and_version)
{
	struct xen_domctl op = DOMU(.cmd = XEN_DOMCTL_getdomaininfo);

	fixture_begin();
	CHECK_EQ(do_domctl_raw(&op), -EACCES);
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION + 1;
	CHECK_EQ(do_domctl_raw(&op), -EACCES);
	fake_vcpu_run(domu->vcpus[0], 0);
	CHECK_EQ(run(XEN_DOMCTL_getdomaininfo, DOMU()), -EPERM);
	fake_vcpu_run(dom0->vcpus[0], 0);
	CHECK_EQ(run(XEN_DOMCTL_getdomaininfo, DOMU()), 0);
	CHECK_EQ(run(0, DOMU()), -ENOSYS);
	CHECK_EQ(run(6, DOMU()), -ENOSYS);
	CHECK_EQ(run(XEN_DOMCTL_gdbsx_guestmemio, DOMU()), -ENOSYS);
	CHECK_EQ(run(1000, DOMU()), -ENOSYS);
	CHECK_EQ(run(~0U, DOMU()), -ENOSYS);
	CHECK_EQ(run(XEN_DOMCTL_getdomaininfo, (struct xen_domctl){.domain = 99}), -ESRCH);
	fake_guest_any = false;
	CHECK_EQ(run(XEN_DOMCTL_getdomaininfo, DOMU()), -EFAULT);
	CHECK_EQ(domu->references, 1);
}

TEST(domctl_info_tells_an_hvm_domain)
{
	struct xen_domctl op = DOMU(.cmd = XEN_DOMCTL_getdomaininfo);
	struct hvm_domain hvm = {.emulation = XEN_X86_EMU_LAPIC | XEN_X86_EMU_PIT};

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_getdomaininfo, &op), 0);
	CHECK_EQ(op.u.getdomaininfo.flags & (XEN_DOMINF_hvm_guest | XEN_DOMINF_hap), 0);
	CHECK_EQ(op.u.getdomaininfo.arch_config.emulation_flags, 0);
	domu->hvm = &hvm;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getdomaininfo, &op), 0);
	domu->hvm = NULL;
	CHECK(op.u.getdomaininfo.flags & XEN_DOMINF_hvm_guest);
	CHECK(op.u.getdomaininfo.flags & XEN_DOMINF_hap);
	CHECK_EQ(op.u.getdomaininfo.arch_config.emulation_flags,
		 XEN_X86_EMU_LAPIC | XEN_X86_EMU_PIT);
}

static struct xen_domctl create_good(void)
{
	return (struct xen_domctl){
		.u.createdomain = {.max_vcpus = 2, .max_evtchn_port = 1023, .grant_opts = 1}};
}

TEST(domctl_createdomain)
{
	struct xen_domctl op = create_good();

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), 0);
	CHECK_EQ(last_id, DOMID_INVALID);
	CHECK_EQ(op.domain, 42);
	op = create_good();
	op.domain = 9;
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), 0);
	CHECK_EQ(last_id, 9);
	CHECK_EQ(op.domain, 9);
	op.domain = DOMID_SELF;
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), 0);
	CHECK_EQ(last_id, DOMID_INVALID);
	answer = -ENOMEM;
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), -ENOMEM);
}

TEST(domctl_createdomain_refusals)
{
	struct xen_domctl op;

	fixture_begin();
#define REFUSED(change)           \
	op = create_good();       \
	op.u.createdomain.change; \
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), -EINVAL)
	REFUSED(flags = XEN_DOMCTL_CDF_nested_virt);
	REFUSED(flags = XEN_DOMCTL_CDF_iommu);
	REFUSED(flags = XEN_DOMCTL_CDF_vpmu);
	REFUSED(flags = 1U << 8);
	REFUSED(flags = 1U << 31);
	REFUSED(iommu_opts = 1);
	REFUSED(max_vcpus = 0);
	REFUSED(max_vcpus = MAX_VCPUS + 1);
	REFUSED(max_vcpus = ~0U);
	REFUSED(grant_opts = 0);
	REFUSED(grant_opts = 3);
	REFUSED(grant_opts = 0x11);
	REFUSED(vmtrace_size = 4096);
	REFUSED(cpupool_id = 1);
	REFUSED(arch.misc_flags = 2);
	CHECK_EQ(asked, 0);
	op = create_good();
	op.u.createdomain.arch.misc_flags = XEN_X86_MSR_RELAXED;
	op.u.createdomain.flags = XEN_DOMCTL_CDF_s3_integrity;
	CHECK_EQ(do_domctl(XEN_DOMCTL_createdomain, &op), 0);
}

TEST(domctl_destroy_is_continued)
{
	struct xen_domctl op = DOMU();

	fixture_begin();
	answer = -ERESTART;
	CHECK_EQ(do_domctl(XEN_DOMCTL_destroydomain, &op), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK_EQ(fake_continuation.op, __HYPERVISOR_domctl);
	CHECK_EQ(fake_continuation.args[0], (uint64_t)&op);
	CHECK(last_domain == domu);
	CHECK_EQ(domu->references, 1);
	asked = 0;
	CHECK_EQ(run(XEN_DOMCTL_destroydomain, (struct xen_domctl){.domain = 0}), -EINVAL);
	CHECK_EQ(run(XEN_DOMCTL_pausedomain, (struct xen_domctl){.domain = 0}), -EINVAL);
	CHECK_EQ(asked, 0);
	answer = 0;
	CHECK_EQ(run(XEN_DOMCTL_pausedomain, DOMU()), 0);
	CHECK_EQ(last_values[0], 1);
	answer = -EINVAL;
	CHECK_EQ(run(XEN_DOMCTL_unpausedomain, DOMU()), -EINVAL);
	CHECK_EQ(last_values[0], 0);
}

TEST(domctl_getdomaininfo)
{
	struct xen_domctl op = DOMU();
	struct xen_domctl_getdomaininfo *i = &op.u.getdomaininfo;

	fixture_begin();
	memset(&op.u, 0xaa, sizeof(op.u)); /* nothing of the caller's remains */
	domu->shared_info = page_to_virt(fake_frame_alloc(NULL));
	domu->mm.tot_pages = 55;
	domu->mm.max_pages = 66;
	domu->mm.claimed = 3;
	domu->handle[15] = 0x99;
	domu->ssidref = 12;
	domu->vcpus[0]->flags = BIT(VCPU_F_BLOCKED);
	domu->vcpus[1]->flags = BIT(VCPU_F_POLLING);
	domu->vcpus[2]->flags = BIT(VCPU_F_DOWN);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getdomaininfo, &op), 0);
	CHECK_EQ(i->domain, 7);
	CHECK_EQ(i->pad1, 0);
	CHECK_EQ(i->flags, XEN_DOMINF_blocked);
	CHECK_EQ(i->tot_pages, 55);
	CHECK_EQ(i->max_pages, 66);
	CHECK_EQ(i->outstanding_pages, 3);
	CHECK_EQ(i->shared_info_frame, virt_to_mfn(domu->shared_info).v);
	CHECK_EQ(i->cpu_time, 303);
	CHECK_EQ(i->nr_online_vcpus, 2);
	CHECK_EQ(i->max_vcpu_id, 2);
	CHECK_EQ(i->ssidref, 12);
	CHECK_EQ(i->handle[15], 0x99);
	CHECK_EQ(i->cpupool, 0);
	CHECK_EQ(i->arch_config.emulation_flags, 0);
	for (unsigned int b = 0; b < sizeof(i->pad2); b++)
		CHECK_EQ(i->pad2[b], 0);

	domu->vcpus[1]->flags = 0;
	domu->vcpus[1]->sched.is_running = true;
	domu->controller_pauses = 1;
	domu->is_shut_down = true;
	domu->shutdown_code = 3;
	domu->is_dead = true;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getdomaininfo, &op), 0);
	CHECK_EQ(i->flags, XEN_DOMINF_running | XEN_DOMINF_paused | XEN_DOMINF_shutdown |
				   XEN_DOMINF_dying | 3U << XEN_DOMINF_shutdownshift);

	domu = fake_domain(8, 0);
	op.domain = 8;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getdomaininfo, &op), 0);
	CHECK_EQ(i->max_vcpu_id, XEN_INVALID_MAX_VCPU_ID);
}

TEST(domctl_limits)
{
	fixture_begin();
	CHECK_EQ(run(XEN_DOMCTL_max_mem, DOMU(.u.max_mem.max_memkb = 4096)), 0);
	CHECK_EQ(domu->mm.max_pages, 1024);
	CHECK(!spin_is_locked(&domu->mm.page_lock));
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, DOMU(.u.max_vcpus.max = 2)), -EINVAL);
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, DOMU(.u.max_vcpus.max = 3)), 0);
	CHECK_EQ(asked, 0); /* it has them all */
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, (struct xen_domctl){.domain = 0, .u.max_vcpus.max = 2}),
		 -EINVAL);
}

TEST(domctl_max_vcpus_creates_what_is_missing)
{
	struct vcpu *kept[3];

	fixture_begin();
	memcpy(kept, domu->vcpus, sizeof(kept));
	domu->vcpus[1] = domu->vcpus[2] = NULL;
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, DOMU(.u.max_vcpus.max = 3)), 0);
	CHECK_EQ(asked, 2);
	CHECK_EQ(last_values[0], 2);
	fake_preempt_every = 1;
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, DOMU(.u.max_vcpus.max = 3)), -ERESTART);
	answer = -ENOMEM;
	CHECK_EQ(run(XEN_DOMCTL_max_vcpus, DOMU(.u.max_vcpus.max = 3)), -ENOMEM);
	memcpy(domu->vcpus, kept, sizeof(kept));
}

TEST(domctl_scheduler_op)
{
	struct xen_domctl op = DOMU();
	struct xen_domctl_scheduler_op *s = &op.u.scheduler_op;

	fixture_begin();
	domu->sched.weight = 256;
	domu->sched.cap = 50;
	s->sched_id = XEN_SCHEDULER_RTDS;
	s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	CHECK_EQ(do_domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
	s->sched_id = XEN_SCHEDULER_CREDIT;
	CHECK_EQ(do_domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	CHECK_EQ(s->u.credit.weight, 256);
	CHECK_EQ(s->u.credit.cap, 50);
	s->sched_id = XEN_SCHEDULER_CREDIT2;
	s->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	s->u.credit2.weight = 512;
	s->u.credit2.cap = UINT16_MAX;
	CHECK_EQ(do_domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	CHECK_EQ(last_values[0], 512);
	CHECK_EQ(last_values[1], 50);
	s->u.credit2.weight = 0;
	s->u.credit2.cap = 0;
	CHECK_EQ(do_domctl(XEN_DOMCTL_scheduler_op, &op), 0);
	CHECK_EQ(last_values[0], 256);
	CHECK_EQ(last_values[1], 0);
	s->cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
	CHECK_EQ(do_domctl(XEN_DOMCTL_scheduler_op, &op), -EINVAL);
}

TEST(domctl_handle_time_and_sizes)
{
	struct xen_domctl op = DOMU(.u.setdomainhandle.handle = {1, 2, 3});

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_setdomainhandle, &op), 0);
	CHECK_EQ(domu->handle[2], 3);
	CHECK_EQ(run(XEN_DOMCTL_settimeoffset, DOMU(.u.settimeoffset.time_offset_seconds = -5)), 0);
	CHECK_EQ(domu->wallclock_offset, -5);
	CHECK(last_domain == domu);
	CHECK_EQ(run(XEN_DOMCTL_set_address_size, DOMU(.u.address_size.size = 64)), 0);
	CHECK_EQ(run(XEN_DOMCTL_set_address_size, DOMU(.u.address_size.size = 32)), -EINVAL);
	CHECK_EQ(do_domctl(XEN_DOMCTL_get_address_size, &op), 0);
	CHECK_EQ(op.u.address_size.size, 64);
}

TEST(domctl_tsc_info)
{
	struct xen_domctl op = DOMU();

	fixture_begin();
	memset(&op.u, 0xaa, sizeof(op.u));
	CHECK_EQ(do_domctl(XEN_DOMCTL_gettscinfo, &op), 0);
	CHECK_EQ(op.u.tsc_info.tsc_mode, 0);
	CHECK_EQ(op.u.tsc_info.gtsc_khz, 1000000);
	CHECK_EQ(op.u.tsc_info.pad, 0);
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, DOMU(.u.tsc_info.tsc_mode = 0)), 0);
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, DOMU(.u.tsc_info.tsc_mode = 2)), 0);
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, DOMU(.u.tsc_info.tsc_mode = 1)), -EOPNOTSUPP);
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, DOMU(.u.tsc_info.tsc_mode = 3)), -EINVAL);
	/* the stock tools leave the padding as it was on their stack */
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, DOMU(.u.tsc_info.pad = 1)), 0);
	CHECK_EQ(run(XEN_DOMCTL_settscinfo, (struct xen_domctl){.domain = 0}), -EINVAL);
}

TEST(domctl_node_affinity)
{
	uint8_t map[4] = {0xff, 0xff, 0xff, 0xff};
	struct xenctl_bitmap b = {{map}, 20};

	fixture_begin();
	CHECK_EQ(run(XEN_DOMCTL_getnodeaffinity, DOMU(.u.nodeaffinity.nodemap = b)), 0);
	CHECK_EQ(map[0], 1);
	CHECK_EQ(map[2], 0);
	CHECK_EQ(map[3], 0xff); /* beyond its bits */
	CHECK_EQ(run(XEN_DOMCTL_setnodeaffinity, DOMU(.u.nodeaffinity.nodemap = b)), 0);
	map[0] = 2;
	CHECK_EQ(run(XEN_DOMCTL_setnodeaffinity, DOMU(.u.nodeaffinity.nodemap = b)), -EINVAL);
	b.nr_bits = 0;
	CHECK_EQ(run(XEN_DOMCTL_setnodeaffinity, DOMU(.u.nodeaffinity.nodemap = b)), -EINVAL);
}

TEST(domctl_vcpu_affinity)
{
	uint8_t hard[16] = {0}, soft[3] = {0};
	struct xen_domctl op = DOMU(.u.vcpuaffinity = {.vcpu = 1,
						       .flags = XEN_VCPUAFFINITY_HARD,
						       .cpumap_hard = {{hard}, 128},
						       .cpumap_soft = {{soft}, 20}});

	fixture_begin();
	hard[0] = 0x06;
	hard[15] = 0x80; /* not online */
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), 0);
	CHECK(last_vcpu == domu->vcpus[1]);
	CHECK(cpumask_test(&last_vcpu->sched.affinity, 127));
	CHECK_EQ(hard[0], 0x06); /* what came of it */
	CHECK_EQ(hard[15], 0);
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_SOFT;
	soft[0] = 0x03;
	soft[2] = 0xff; /* bits 16..19 count */
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), 0);
	CHECK(cpumask_test(&last_vcpu->sched.soft_affinity, 19));
	CHECK(!cpumask_test(&last_vcpu->sched.soft_affinity, 20));
	CHECK_EQ(soft[0], 0x02);
	CHECK_EQ(soft[2], 0);
	memset(hard, 0, sizeof(hard));
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuaffinity, &op), 0);
	CHECK_EQ(hard[15], 0x80);
	CHECK_EQ(soft[0], 0x03);

	answer = -EINVAL;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EINVAL);
	answer = 0;
	op.u.vcpuaffinity.flags = 0;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EINVAL);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuaffinity, &op), -EINVAL);
	op.u.vcpuaffinity.flags = 9;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EINVAL);
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	op.u.vcpuaffinity.vcpu = 3;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -ESRCH);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuaffinity, &op), -ESRCH);
	op.u.vcpuaffinity.vcpu = ~0U;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -ESRCH);
	op.u.vcpuaffinity.vcpu = 0;
	op.u.vcpuaffinity.cpumap_hard.bitmap.p = NULL;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, &op), -EFAULT);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuaffinity, &op), -EFAULT);
}

/* A bitmap that claims to be enormous is filled for a bounded part. */
TEST(domctl_bitmap_of_any_size)
{
	uint8_t *map;
	struct cpumask none = {{0}};
	struct xenctl_bitmap b;

	fixture_begin();
	fake_guest_any = false;
	map = fake_guest_alloc(4096);
	b = (struct xenctl_bitmap){{map}, ~0U};
	memset(map, 0xff, 4096);
	CHECK_EQ(ctl_cpumask_out(&b, &none), 0);
	CHECK_EQ(map[4095], 0);
	b.nr_bits = 4097 * 8;
	CHECK_EQ(ctl_cpumask_out(&b, &none), 0);
	b.nr_bits = 3;
	map[0] = 0xff;
	cpumask_fill(&none);
	CHECK_EQ(ctl_cpumask_out(&b, &none), 0);
	CHECK_EQ(map[0], 0x07);
	CHECK_EQ(map[1], 0);
	b.nr_bits = 0;
	b.bitmap.p = NULL;
	CHECK_EQ(ctl_cpumask_out(&b, &none), 0);
	CHECK_EQ(ctl_cpumask_in(&none, &b), 0);
	CHECK(cpumask_is_empty(&none));
}

TEST(domctl_vcpu_context)
{
	static struct vcpu_guest_context ctx;
	struct xen_domctl op = DOMU(.u.vcpucontext = {.vcpu = 2, .ctxt.p = &ctx});

	fixture_begin();
	ctx.kernel_sp = 77;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), 0);
	CHECK(last_vcpu == domu->vcpus[2]);
	CHECK_EQ(last_context.kernel_sp, 77);
	CHECK_EQ(pauses, 0);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpucontext, &op), -ENODATA);
	domu->vcpus[2]->initialised = true;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpucontext, &op), 0);
	CHECK_EQ(ctx.kernel_sp, 0x1234);
	CHECK_EQ(pauses, 0);
	answer = -EINVAL;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -EINVAL);
	answer = -ERESTART;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK_EQ(pauses, 0);
	answer = 0;
	asked = 0;
	op.u.vcpucontext.vcpu = 3;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -ESRCH);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpucontext, &op), -ESRCH);
	op.u.vcpucontext.vcpu = 2;
	op.u.vcpucontext.ctxt.p = NULL;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -EINVAL);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpucontext, &op), -EFAULT);
	op.u.vcpucontext.ctxt.p = &ctx;
	fake_alloc_fail_at = 1;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -ENOMEM);
	op.domain = 0;
	op.u.vcpucontext.vcpu = 0;
	CHECK_EQ(do_domctl(XEN_DOMCTL_setvcpucontext, &op), -EINVAL);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpucontext, &op), -EINVAL);
	CHECK_EQ(asked, 0);
	CHECK_EQ(fake_heap_objects, 0);
}

TEST(domctl_vcpu_info)
{
	struct xen_domctl op = DOMU(.u.getvcpuinfo.vcpu = 1);
	struct xen_domctl_getvcpuinfo *i = &op.u.getvcpuinfo;

	fixture_begin();
	domu->vcpus[1]->sched.cpu = 5;
	domu->vcpus[1]->sched.is_running = true;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuinfo, &op), 0);
	CHECK_EQ(i->vcpu, 1);
	CHECK_EQ(i->online, 1);
	CHECK_EQ(i->blocked, 0);
	CHECK_EQ(i->running, 1);
	CHECK_EQ(i->cpu_time, 101);
	CHECK_EQ(i->cpu, 5);
	domu->vcpus[1]->flags = BIT(VCPU_F_DOWN) | BIT(VCPU_F_BLOCKED);
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuinfo, &op), 0);
	CHECK_EQ(i->online, 0);
	CHECK_EQ(i->blocked, 1);
	i->vcpu = 3;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuinfo, &op), -EINVAL);
	domu->max_vcpus = 4;
	CHECK_EQ(do_domctl(XEN_DOMCTL_getvcpuinfo, &op), -ESRCH);
	domu->max_vcpus = 3;
}

TEST(domctl_sendtrigger)
{
	struct xen_domctl op = DOMU(.u.sendtrigger = {XEN_DOMCTL_SENDTRIGGER_NMI, 1});

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_sendtrigger, &op), 0);
	CHECK(domu->vcpus[1]->flags & BIT(VCPU_F_NMI_PENDING));
	CHECK(domu->vcpus[1]->return_work);
	CHECK_EQ(do_domctl(XEN_DOMCTL_sendtrigger, &op), 0);
	CHECK_EQ(asked, 1); /* one pending is enough */
	op.u.sendtrigger.vcpu = 3;
	CHECK_EQ(do_domctl(XEN_DOMCTL_sendtrigger, &op), -ESRCH);
	op.u.sendtrigger.vcpu = ~0U;
	CHECK_EQ(do_domctl(XEN_DOMCTL_sendtrigger, &op), -EINVAL);
	op.u.sendtrigger = (struct xen_domctl_sendtrigger){XEN_DOMCTL_SENDTRIGGER_POWER, 0};
	CHECK_EQ(do_domctl(XEN_DOMCTL_sendtrigger, &op), -ENOSYS);
}

static unsigned int shutdown_code;
static bool was_sleep;

void hvm_vcpu_nmi(struct vcpu *v)
{
	last_vcpu = v;
	last_values[0] = 'n';
}

void hvm_vcpu_init_signal(struct vcpu *v)
{
	last_vcpu = v;
	last_values[0] = 'i';
}

int hvm_acpi_button(struct domain *d, bool is_sleep)
{
	was_sleep = is_sleep;
	return ask(d);
}

void domain_shutdown(struct domain *d, uint8_t code)
{
	last_domain = d;
	shutdown_code = code;
}

static long trigger(uint32_t which, uint32_t vcpu)
{
	last_vcpu = NULL;
	last_domain = NULL;
	return run(XEN_DOMCTL_sendtrigger, DOMU(.u.sendtrigger = {which, vcpu}));
}

TEST(domctl_sendtrigger_to_an_hvm_domain)
{
	fixture_begin();
	domu->type = DOMAIN_HVM;
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_NMI, 2), 0);
	CHECK(last_vcpu == domu->vcpus[2] && last_values[0] == 'n');
	CHECK(!(domu->vcpus[2]->flags & BIT(VCPU_F_NMI_PENDING))); /* that is PV's */
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_INIT, 1), 0);
	CHECK(last_vcpu == domu->vcpus[1] && last_values[0] == 'i');
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_RESET, 0), 0);
	CHECK(last_domain == domu);
	CHECK_EQ(shutdown_code, SHUTDOWN_reboot);
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_SLEEP, 0), 0);
	CHECK(last_domain == domu && was_sleep);
	answer = -ENODEV;
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_POWER, 0), -ENODEV);
	CHECK(last_domain == domu && !was_sleep);
	CHECK_EQ(trigger(5, 0), -ENOSYS);
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_NMI, 3), -ESRCH);
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_NMI, ~0U), -EINVAL);
	CHECK(!last_vcpu);
	domu->type = DOMAIN_PV;
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_RESET, 0), -ENOSYS);
	CHECK_EQ(trigger(XEN_DOMCTL_SENDTRIGGER_INIT, 0), -ENOSYS);
	CHECK(!last_vcpu && !last_domain);
}

static void access_end(void)
{
	rangeset_fini(&dom0->irqs);
	rangeset_fini(&dom0->iomem);
	rangeset_fini(&dom0->ioports);
	rangeset_fini(&domu->irqs);
	rangeset_fini(&domu->iomem);
	rangeset_fini(&domu->ioports);
	CHECK_EQ(fake_heap_objects, 0);
}

TEST(domctl_access_is_passed_on_only_by_who_has_it)
{
	fixture_begin();
	CHECK_EQ(rangeset_add(&dom0->irqs, 16, 20), 0);
	CHECK_EQ(run(XEN_DOMCTL_irq_permission, DOMU(.u.irq_permission = {16, 1})), 0);
	CHECK(rangeset_contains(&domu->irqs, 16, 16));
	CHECK_EQ(run(XEN_DOMCTL_irq_permission, DOMU(.u.irq_permission = {16, 0})), 0);
	CHECK(!rangeset_contains(&domu->irqs, 16, 16));
	CHECK_EQ(run(XEN_DOMCTL_irq_permission, DOMU(.u.irq_permission = {21, 1})), -EPERM);

#define IOMEM(first, n, allow) \
	run(XEN_DOMCTL_iomem_permission, DOMU(.u.iomem_permission = {first, n, allow}))
	CHECK_EQ(rangeset_add(&dom0->iomem, 0xfe000, 0xfe0ff), 0);
	CHECK_EQ(IOMEM(0xfe000, 0x100, 1), 0);
	CHECK(rangeset_contains(&domu->iomem, 0xfe000, 0xfe0ff));
	CHECK_EQ(IOMEM(0xfe000, 0x101, 1), -EPERM);
	CHECK_EQ(IOMEM(0xfdfff, 1, 1), -EPERM);
	CHECK_EQ(IOMEM(0xfe000, 0, 1), -EINVAL);
	CHECK_EQ(IOMEM(~0UL, 2, 1), -EINVAL);
	CHECK_EQ(IOMEM(1UL << 40, 1, 1), -EINVAL);
	CHECK_EQ(IOMEM(0xfe010, 1, 0), 0);
	CHECK(!rangeset_contains(&domu->iomem, 0xfe010, 0xfe010));

#define IOPORT(first, n, allow) \
	run(XEN_DOMCTL_ioport_permission, DOMU(.u.ioport_permission = {first, n, allow}))
	CHECK_EQ(rangeset_add(&dom0->ioports, 0, 0xffff), 0);
	CHECK_EQ(IOPORT(0x3f8, 8, 1), 0);
	CHECK(rangeset_contains(&domu->ioports, 0x3f8, 0x3ff));
	CHECK_EQ(IOPORT(0xffff, 1, 1), 0);
	CHECK_EQ(IOPORT(0xffff, 2, 1), -EINVAL);
	CHECK_EQ(IOPORT(0x10000, 1, 1), -EINVAL);
	CHECK_EQ(IOPORT(0x3f8, 0, 1), -EINVAL);
	CHECK_EQ(IOPORT(1, ~0U, 1), -EINVAL);
	CHECK_EQ(rangeset_remove(&dom0->ioports, 0x60, 0x64), 0);
	CHECK_EQ(IOPORT(0x64, 1, 1), -EPERM);
	access_end();
}

TEST(domctl_ports_that_are_kept_are_nobodys)
{
	fixture_begin();
	CHECK_EQ(ports_grant(&dom0->ioports), 0);
	CHECK_EQ(IOPORT(0x3f8, 8, 1), -EPERM);
	CHECK_EQ(IOPORT(0x3ff, 2, 1), -EPERM);
	CHECK_EQ(IOPORT(0xcf8, 4, 1), -EPERM);
	CHECK_EQ(IOPORT(0xcff, 1, 1), -EPERM);
	CHECK_EQ(IOPORT(0, 0x10000, 1), -EPERM);
	CHECK_EQ(rangeset_count(&domu->ioports), 0);
	CHECK_EQ(IOPORT(0x2f8, 8, 1), 0);
	access_end();
}

static struct {
	unsigned int count;
	uint16_t first, last;
	bool allow;
} map_change;

/* The map: never while a CPU may look at it, nor another caller change it; after the set. */
void hvm_ports_allow(struct domain *d, uint16_t first, uint16_t last, bool allow)
{
	CHECK(d == domu);
	CHECK_EQ(pauses, 1);
	CHECK(spin_is_locked(&d->lock));
	CHECK_EQ(rangeset_contains(&d->ioports, first, last), allow);
	CHECK_EQ(rangeset_overlaps(&d->ioports, first, last), allow);
	map_change.count++;
	map_change.first = first;
	map_change.last = last;
	map_change.allow = allow;
}

static void map_was_changed(unsigned int count, uint16_t first, uint16_t last, bool allow)
{
	CHECK_EQ(map_change.count, count);
	CHECK_EQ(map_change.first, first);
	CHECK_EQ(map_change.last, last);
	CHECK_EQ(map_change.allow, allow);
	CHECK_EQ(pauses, 0);
	CHECK(!spin_is_locked(&domu->lock));
}

TEST(domctl_ports_of_an_hvm_domain_change_its_map)
{
	fixture_begin();
	domu->type = DOMAIN_HVM;
	map_change.count = 0;
	CHECK_EQ(ports_grant(&dom0->ioports), 0);
	CHECK_EQ(IOPORT(0x2f8, 8, 1), 0);
	map_was_changed(1, 0x2f8, 0x2ff, true);
	CHECK_EQ(IOPORT(0xffff, 1, 1), 0);
	map_was_changed(2, 0xffff, 0xffff, true);
	CHECK_EQ(IOPORT(0x2fa, 2, 0), 0);
	map_was_changed(3, 0x2fa, 0x2fb, false);

	/* Neither the set nor the map: what is not the giver's, and without memory. */
	CHECK_EQ(IOPORT(0xcf8, 1, 1), -EPERM);
	CHECK_EQ(IOPORT(0x3f0, 16, 1), -EPERM);
	fake_alloc_fail_at = 1;
	CHECK_EQ(IOPORT(0x81, 1, 1), -ENOMEM);
	fake_alloc_fail_at = 1;
	CHECK_EQ(IOPORT(0x2f8, 1, 0), -ENOMEM);
	fake_alloc_fail_at = 0;
	map_was_changed(3, 0x2fa, 0x2fb, false);
	CHECK_EQ(rangeset_count(&domu->ioports), 3);

	domu->type = DOMAIN_PV;
	CHECK_EQ(IOPORT(0x81, 1, 1), 0);
	map_was_changed(3, 0x2fa, 0x2fb, false);
	access_end();
}

TEST(domctl_hypercall_page)
{
	struct page *pg, *foreign;
	const uint8_t *stub;

	fixture_begin();
	pg = fake_frame_alloc(domu);
	foreign = fake_frame_alloc(dom0);
#define INIT(mfn) run(XEN_DOMCTL_hypercall_init, DOMU(.u.hypercall_init.gmfn = mfn))
	CHECK_EQ(INIT(page_to_mfn(foreign).v), -EACCES);
	CHECK_EQ(INIT(~0UL), -EACCES);
	domu->type = DOMAIN_HVM;
	CHECK_EQ(INIT(~0UL), -EOPNOTSUPP);
	domu->type = DOMAIN_PV;
	pg->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(INIT(page_to_mfn(pg).v), -EPERM);
	CHECK_EQ(*(uint8_t *)page_to_virt(pg), 0);
	pg->type = 0;
	CHECK_EQ(INIT(page_to_mfn(pg).v), 0);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(pg), 0);
	stub = (uint8_t *)page_to_virt(pg) + 29 * 32;
	CHECK(!memcmp(stub, "\x51\x41\x53\xb8\x1d\0\0\0\x0f\x05\x41\x5b\x59\xc3\xcc", 15));
	stub = (uint8_t *)page_to_virt(pg) + __HYPERVISOR_iret * 32;
	CHECK(!memcmp(stub, "\x51\x41\x53\x50\xb8\x17\0\0\0\x0f\x05\xcc", 12));
}

TEST(domctl_target_and_virq_handler)
{
	fixture_begin();
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 99)), -ESRCH);
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 7)), -EINVAL);
	CHECK_EQ(domu->references, 1);
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 0)), 0);
	CHECK(domu->target == dom0);
	CHECK_EQ(dom0->references, 2);
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 0)), -EINVAL);
	CHECK_EQ(dom0->references, 2);
	domu->target = NULL;
	domu->is_dying = true;
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 0)), -EINVAL);
	domu->is_dying = false;
	dom0->is_dying = true;
	CHECK_EQ(run(XEN_DOMCTL_set_target, DOMU(.u.set_target.target = 0)), -ESRCH);
	CHECK_EQ(run(XEN_DOMCTL_set_virq_handler, DOMU(.u.set_virq_handler.virq = 3)), 0);
	CHECK_EQ(last_values[0], 3);
	CHECK(last_domain == domu);
}

TEST(domctl_cpu_policy)
{
	static xen_cpuid_leaf_t leaves[130];
	struct xen_domctl op = DOMU(.u.cpu_policy = {.nr_leaves = 130, .leaves.p = leaves});
	struct xen_domctl_cpu_policy *p = &op.u.cpu_policy;
	uint32_t n;

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_get_cpu_policy, &op), 0);
	n = p->nr_leaves;
	CHECK_EQ(n, 10 + 73 + 2 + 9); /* all there can be, up to this CPU's last */
	CHECK_EQ(p->nr_msrs, 0);
	CHECK_EQ(leaves[0].leaf, 0);
	CHECK_EQ(leaves[0].subleaf, XEN_CPUID_NO_SUBLEAF);
	/* what was got can be set */
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), 0);
	CHECK_EQ(p->err_leaf, ~0U);
	leaves[3].leaf = 0xe;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -ERANGE);
	CHECK_EQ(p->err_leaf, 0xe);
	leaves[3].leaf = 7;
	leaves[3].subleaf = 2;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -ERANGE);
	CHECK_EQ(p->err_subleaf, 2);
	leaves[3] = (xen_cpuid_leaf_t){.leaf = 1};
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -ERANGE);
	leaves[3] = (xen_cpuid_leaf_t){.leaf = 0x80000022, .subleaf = ~0U};
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -ERANGE);
	p->nr_leaves = 129;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -E2BIG);
	p->nr_leaves = 0;
	p->nr_msrs = 129;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -E2BIG);
	p->nr_msrs = 0;
	p->nr_leaves = n - 1;
	CHECK_EQ(do_domctl(XEN_DOMCTL_get_cpu_policy, &op), -ENOBUFS);
	op.domain = 0;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_cpu_policy, &op), -EINVAL);
	CHECK_EQ(fake_heap_objects, 0);
}

static uint64_t pool_asked;

int p2m_pool_set(struct domain *d, uint64_t pages)
{
	pool_asked = pages;
	return ask(d);
}

static long shadow(uint32_t what, uint32_t *mb)
{
	struct xen_domctl op = DOMU(.u.shadow_op = {.op = what, .mb = *mb});
	long rc = do_domctl(XEN_DOMCTL_shadow_op, &op);

	*mb = op.u.shadow_op.mb;
	return rc;
}

TEST(domctl_paging_pool)
{
	struct xen_domctl op = DOMU(.u.paging_mempool.size = 3 * PAGE_SIZE);
	struct hvm_domain h = {.p2m.pool_pages = 257};
	uint32_t mb = 2;

	fixture_begin();
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, &op), -EOPNOTSUPP);
	CHECK_EQ(do_domctl(XEN_DOMCTL_get_paging_mempool_size, &op), -EOPNOTSUPP);
	CHECK_EQ(shadow(XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mb), -EOPNOTSUPP);
	domu->type = DOMAIN_HVM;
	domu->hvm = &h;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, &op), 0);
	CHECK_EQ(pool_asked, 3);
	op.u.paging_mempool.size = PAGE_SIZE + 1;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, &op), -EINVAL);
	op.u.paging_mempool.size = 0;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, &op), -EINVAL);
	CHECK_EQ(pool_asked, 3);
	CHECK_EQ(do_domctl(XEN_DOMCTL_get_paging_mempool_size, &op), 0);
	CHECK_EQ(op.u.paging_mempool.size, 257 * PAGE_SIZE);
	CHECK_EQ(shadow(XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mb), 0);
	CHECK_EQ(pool_asked, 512);
	CHECK_EQ(shadow(XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, &mb), 0);
	CHECK_EQ(mb, 2); /* 1 MiB and a page */
	mb = 0;
	CHECK_EQ(shadow(XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, &mb), -EINVAL);
	CHECK_EQ(shadow(XEN_DOMCTL_SHADOW_OP_CLEAN, &mb), -EOPNOTSUPP);
	answer = -ERESTART;
	op.u.paging_mempool.size = PAGE_SIZE;
	CHECK_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, &op), -ERESTART);
	CHECK_EQ(fake_continuation.op, __HYPERVISOR_domctl);
}
