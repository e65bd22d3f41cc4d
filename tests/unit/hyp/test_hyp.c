/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp over a made-up /dev/xen/privcmd: this program's own open() and ioctl() stand in for the
 * kernel's. Each wrapper must hand the hypervisor the right command and structure, and must not
 * believe an answer that cannot be.
 *
 * Tools: lib/hyp
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hyp/domain.h"
#include "hyp/hvm.h"
#include "hyp/hyp.h"
#include "hyp/memory.h"
#include "hyp/system.h"
#include "zendo.h"

#include <xen/sys/privcmd.h>

int open(const char *path, int flags, ...);
int ioctl(int fd, unsigned long request, ...);

#define MACHINE_SIZE (4UL << 20)

/* The made-up hypervisor: how it answers the next call, and what it was asked. */
static struct {
	int fd;
	bool no_device;
	long (*answer)(const struct privcmd_hypercall *call);
	unsigned int nr_calls;
	struct privcmd_hypercall last;
	int map_error; /* of the third frame of a batch */
	int resource_errno;
	struct privcmd_mmapbatch_v2 batch;
	struct privcmd_mmap_resource resource;
} fake;

int open(const char *path, int flags, ...)
{
	(void)flags;
	if (strcmp(path, "/dev/xen/privcmd") == 0 && !fake.no_device) {
		fake.fd = memfd_create("privcmd", 0);
		assert_int_equal(ftruncate(fake.fd, MACHINE_SIZE), 0);
		return fake.fd;
	}
	errno = ENOENT;
	return -1;
}

static long set_errno(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	assert_int_equal(fd, fake.fd);
	switch (request) {
	case IOCTL_PRIVCMD_HYPERCALL:
		fake.nr_calls++;
		fake.last = *(struct privcmd_hypercall *)arg;
		return (int)set_errno(fake.answer ? fake.answer(arg) : 0);
	case IOCTL_PRIVCMD_MMAPBATCH_V2:
		fake.batch = *(struct privcmd_mmapbatch_v2 *)arg;
		if (fake.map_error && fake.batch.num > 2) {
			fake.batch.err[2] = fake.map_error;
			return (int)set_errno(fake.map_error == -ENOENT ? -ENOENT : 0);
		}
		return 0;
	case IOCTL_PRIVCMD_MMAP_RESOURCE:
		fake.resource = *(struct privcmd_mmap_resource *)arg;
		return (int)set_errno(-fake.resource_errno);
	}
	fail_msg("unknown ioctl 0x%lx", request);
	return -1;
}

static struct hyp *hyp;

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return hyp_open(&hyp);
}

static int teardown(void **state)
{
	(void)state;
	hyp_close(hyp);
	return 0;
}

static struct xen_domctl *domctl_of(const struct privcmd_hypercall *call, uint32_t cmd)
{
	struct xen_domctl *op = (void *)(uintptr_t)call->arg[0];

	assert_int_equal(call->op, __HYPERVISOR_domctl);
	assert_int_equal(op->interface_version, 0x15);
	assert_int_equal(op->cmd, cmd);
	return op;
}

static struct xen_sysctl *sysctl_of(const struct privcmd_hypercall *call, uint32_t cmd)
{
	struct xen_sysctl *op = (void *)(uintptr_t)call->arg[0];

	assert_int_equal(call->op, __HYPERVISOR_sysctl);
	assert_int_equal(op->interface_version, 0x15);
	assert_int_equal(op->cmd, cmd);
	return op;
}

static void opening_tells_what_is_missing(void **state)
{
	struct hyp *other = NULL;

	(void)state;
	fake.no_device = true;
	assert_int_equal(hyp_open(&other), -ENOENT);
	assert_null(other);
	hyp_close(NULL);
}

static long answer_create(const struct privcmd_hypercall *call)
{
	struct xen_domctl *op = domctl_of(call, XEN_DOMCTL_createdomain);

	assert_int_equal(op->domain, 0);
	assert_int_equal(op->u.createdomain.max_vcpus, 5);
	op->domain = 9;
	return 0;
}

static long refuse_all(const struct privcmd_hypercall *call)
{
	(void)call;
	return -EBUSY;
}

static void create_returns_the_number(void **state)
{
	struct xen_domctl_createdomain cfg = {.max_vcpus = 5};
	domid_t domid = 0;

	(void)state;
	fake.answer = answer_create;
	assert_int_equal(hyp_domain_create(hyp, &cfg, &domid), 0);
	assert_int_equal(domid, 9);
	fake.answer = refuse_all;
	domid = 0;
	assert_int_equal(hyp_domain_create(hyp, &cfg, &domid), -EBUSY);
	assert_int_equal(domid, 0);
}

static long answer_destroy_slowly(const struct privcmd_hypercall *call)
{
	assert_int_equal(domctl_of(call, XEN_DOMCTL_destroydomain)->domain, 3);
	return fake.nr_calls == 1 ? -ERESTART : fake.nr_calls < 4 ? -EAGAIN : 0;
}

static void destroy_goes_on_until_done(void **state)
{
	(void)state;
	fake.answer = answer_destroy_slowly;
	assert_int_equal(hyp_domain_destroy(hyp, 3), 0);
	assert_int_equal(fake.nr_calls, 4);
	fake.answer = refuse_all;
	assert_int_equal(hyp_domain_destroy(hyp, 3), -EBUSY);
}

static long answer_next_domain(const struct privcmd_hypercall *call)
{
	domctl_of(call, XEN_DOMCTL_getdomaininfo)->u.getdomaininfo.domain = 4;
	return 0;
}

static void info_of_another_domain_is_not_taken(void **state)
{
	struct xen_domctl_getdomaininfo info;

	(void)state;
	fake.answer = answer_next_domain;
	assert_int_equal(hyp_domain_get_info(hyp, 3, &info), -ESRCH);
	assert_int_equal(hyp_domain_get_info(hyp, 4, &info), 0);
}

static long answer_exits(const struct privcmd_hypercall *call)
{
	struct zendo_exits *op = (void *)(uintptr_t)call->arg[1];

	assert_int_equal(call->op, ZENDO_HYPERCALL);
	assert_int_equal(call->arg[0], ZENDO_OP_exits);
	assert_int_equal(op->domid, 6);
	assert_int_equal(op->vcpu, 2);
	assert_int_equal(op->pad[0] | op->pad[1] | op->pad[2], 0);
	op->kinds = 1000;
	op->counts[3] = 77;
	return 0;
}

static void exits_are_counted(void **state)
{
	struct zendo_exits exits;

	(void)state;
	fake.answer = answer_exits;
	assert_int_equal(hyp_hvm_get_exits(hyp, 6, 2, &exits), 0);
	assert_int_equal(exits.counts[3], 77);
	assert_int_equal(exits.kinds, ZENDO_EXIT_COUNTS);
	fake.answer = refuse_all;
	assert_int_equal(hyp_hvm_get_exits(hyp, 6, 2, &exits), -EBUSY);
}

static long answer_plain(const struct privcmd_hypercall *call)
{
	const struct xen_domctl *op = (void *)(uintptr_t)call->arg[0];

	assert_int_equal(op->domain, 6);
	return 0;
}

/* The calls that only carry numbers: the number of each arrives where domctl.h wants it. */
static void plain_calls_carry_their_numbers(void **state)
{
	const struct xen_domctl *op;

	(void)state;
	fake.answer = answer_plain;
	assert_int_equal(hyp_domain_pause(hyp, 6), 0);
	op = domctl_of(&fake.last, XEN_DOMCTL_pausedomain);
	assert_int_equal(hyp_domain_unpause(hyp, 6), 0);
	domctl_of(&fake.last, XEN_DOMCTL_unpausedomain);
	assert_int_equal(hyp_domain_set_max_mem(hyp, 6, 12345), 0);
	domctl_of(&fake.last, XEN_DOMCTL_max_mem);
	assert_int_equal(op->u.max_mem.max_memkb, 12345);
	assert_int_equal(hyp_domain_set_max_vcpus(hyp, 6, 3), 0);
	domctl_of(&fake.last, XEN_DOMCTL_max_vcpus);
	assert_int_equal(op->u.max_vcpus.max, 3);
	assert_int_equal(hyp_domain_set_address_size(hyp, 6, 64), 0);
	domctl_of(&fake.last, XEN_DOMCTL_set_address_size);
	assert_int_equal(op->u.address_size.size, 64);
	assert_int_equal(hyp_domain_set_time_offset(hyp, 6, -7), 0);
	domctl_of(&fake.last, XEN_DOMCTL_settimeoffset);
	assert_true(op->u.settimeoffset.time_offset_seconds == -7);
	assert_int_equal(hyp_domain_init_hypercall_page(hyp, 6, 99), 0);
	domctl_of(&fake.last, XEN_DOMCTL_hypercall_init);
	assert_int_equal(op->u.hypercall_init.gmfn, 99);
	assert_int_equal(hyp_domain_set_tsc(hyp, 6, 2), 0);
	domctl_of(&fake.last, XEN_DOMCTL_settscinfo);
	assert_int_equal(op->u.tsc_info.tsc_mode, 2);
	assert_int_equal(hyp_domain_send_trigger(hyp, 6, 3, 1), 0);
	domctl_of(&fake.last, XEN_DOMCTL_sendtrigger);
	assert_int_equal(op->u.sendtrigger.trigger, 3);
	assert_int_equal(op->u.sendtrigger.vcpu, 1);
	assert_int_equal(hyp_domain_set_iomem_permission(hyp, 6, 16, 2, true), 0);
	domctl_of(&fake.last, XEN_DOMCTL_iomem_permission);
	assert_int_equal(op->u.iomem_permission.first_mfn, 16);
	assert_int_equal(op->u.iomem_permission.nr_mfns, 2);
	assert_int_equal(op->u.iomem_permission.allow_access, 1);
	assert_int_equal(hyp_domain_set_ioport_permission(hyp, 6, 0x3f8, 8, false), 0);
	domctl_of(&fake.last, XEN_DOMCTL_ioport_permission);
	assert_int_equal(op->u.ioport_permission.first_port, 0x3f8);
	assert_int_equal(op->u.ioport_permission.allow_access, 0);
	assert_int_equal(hyp_domain_set_irq_permission(hyp, 6, 4, true), 0);
	domctl_of(&fake.last, XEN_DOMCTL_irq_permission);
	assert_int_equal(op->u.irq_permission.pirq, 4);
	assert_int_equal(fake.nr_calls, 12);
}

static long answer_sched(const struct privcmd_hypercall *call)
{
	struct xen_domctl *op = domctl_of(call, XEN_DOMCTL_scheduler_op);

	assert_int_equal(op->u.scheduler_op.sched_id, XEN_SCHEDULER_CREDIT2);
	if (op->u.scheduler_op.cmd == XEN_DOMCTL_SCHEDOP_getinfo) {
		op->u.scheduler_op.u.credit2.weight = 300;
		op->u.scheduler_op.u.credit2.cap = 50;
	} else {
		assert_int_equal(op->u.scheduler_op.u.credit2.weight, 7);
	}
	return 0;
}

static void weights_are_for_credit_schedulers(void **state)
{
	uint16_t weight, cap;

	(void)state;
	fake.answer = answer_sched;
	assert_int_equal(hyp_domain_get_sched(hyp, 1, XEN_SCHEDULER_CREDIT2, &weight, &cap), 0);
	assert_int_equal(weight, 300);
	assert_int_equal(cap, 50);
	assert_int_equal(hyp_domain_set_sched(hyp, 1, XEN_SCHEDULER_CREDIT2, 7, 0), 0);
	assert_int_equal(hyp_domain_get_sched(hyp, 1, XEN_SCHEDULER_NULL, &weight, &cap),
			 -EOPNOTSUPP);
	assert_int_equal(hyp_domain_set_sched(hyp, 1, XEN_SCHEDULER_RTDS, 7, 0), -EOPNOTSUPP);
	assert_int_equal(fake.nr_calls, 2);
}

static long answer_affinity(const struct privcmd_hypercall *call)
{
	struct xen_domctl *op = (void *)(uintptr_t)call->arg[0];
	uint8_t *hard = op->u.vcpuaffinity.cpumap_hard.bitmap.p;

	assert_int_equal(op->u.vcpuaffinity.flags, XEN_VCPUAFFINITY_HARD);
	assert_int_equal(op->u.vcpuaffinity.cpumap_hard.nr_bits, 12);
	assert_null(op->u.vcpuaffinity.cpumap_soft.bitmap.p);
	hard[1] &= 0x0e;
	return 0;
}

static void affinity_comes_back(void **state)
{
	uint8_t hard[2] = {0x55, 0x0f};

	(void)state;
	fake.answer = answer_affinity;
	assert_int_equal(hyp_vcpu_set_affinity(hyp, 1, 0, hard, NULL, 12), 0);
	assert_int_equal(hard[0], 0x55);
	assert_int_equal(hard[1], 0x0e);
	assert_int_equal(hyp_vcpu_set_affinity(hyp, 1, 0, NULL, NULL, 12), -EINVAL);
	assert_int_equal(hyp_vcpu_set_affinity(hyp, 1, 0, hard, NULL, 0), -EINVAL);
	assert_int_equal(hyp_vcpu_set_affinity(hyp, 1, 0, hard, NULL, 1 << 20), -EINVAL);
	assert_int_equal(fake.nr_calls, 1);
}

static long answer_context(const struct privcmd_hypercall *call)
{
	struct xen_domctl *op = (void *)(uintptr_t)call->arg[0];
	struct vcpu_guest_context *context = op->u.vcpucontext.ctxt.p;

	assert_int_equal(op->u.vcpucontext.vcpu, 2);
	if (op->cmd == XEN_DOMCTL_setvcpucontext)
		assert_int_equal(context->user_regs.rip, 0x1234);
	else
		context->user_regs.rip = 0x5678;
	return 0;
}

static void contexts_travel_both_ways(void **state)
{
	struct vcpu_guest_context context = {.user_regs.rip = 0x1234};

	(void)state;
	fake.answer = answer_context;
	assert_int_equal(hyp_vcpu_set_context(hyp, 1, 2, &context), 0);
	assert_int_equal(hyp_vcpu_get_context(hyp, 1, 2, &context), 0);
	assert_int_equal(context.user_regs.rip, 0x5678);
}

static uint32_t claimed_count;

static long answer_list(const struct privcmd_hypercall *call)
{
	struct xen_sysctl *op = sysctl_of(call, XEN_SYSCTL_getdomaininfolist);

	op->u.getdomaininfolist.num_domains = claimed_count;
	op->u.getdomaininfolist.buffer.p[0].domain = 11;
	return 0;
}

static long answer_cpus(const struct privcmd_hypercall *call)
{
	struct xen_sysctl *op = (void *)(uintptr_t)call->arg[0];

	if (op->cmd == XEN_SYSCTL_getcpuinfo)
		op->u.getcpuinfo.nr_cpus = claimed_count;
	else
		op->u.cputopoinfo.num_cpus = claimed_count;
	return 0;
}

/* An answer longer than the question's room must not be copied out. */
static void lists_longer_than_asked_are_not_believed(void **state)
{
	struct xen_domctl_getdomaininfo *info = calloc(2, sizeof(*info));
	struct xen_sysctl_cpuinfo *idle = calloc(2, sizeof(*idle));
	struct xen_sysctl_cputopo *topo = calloc(2, sizeof(*topo));

	(void)state;
	fake.answer = answer_list;
	claimed_count = 2;
	assert_int_equal(hyp_domain_list(hyp, 0, info, 2), 2);
	assert_int_equal(info[0].domain, 11);
	claimed_count = 3;
	assert_int_equal(hyp_domain_list(hyp, 0, info, 2), -EPROTO);
	fake.answer = answer_cpus;
	assert_int_equal(hyp_system_get_cpu_idle(hyp, idle, 2), -EPROTO);
	/* Here the answer is what the machine has, and only what fits is filled. */
	assert_int_equal(hyp_system_get_cpu_topology(hyp, topo, 2), 3);
	free(info);
	free(idle);
	free(topo);
}

static long answer_console(const struct privcmd_hypercall *call)
{
	struct xen_sysctl *op = sysctl_of(call, XEN_SYSCTL_readconsole);

	memcpy(op->u.readconsole.buffer.p, "text", 4);
	op->u.readconsole.count = claimed_count;
	if (op->u.readconsole.incremental) {
		assert_int_equal(op->u.readconsole.index, 100);
		op->u.readconsole.index = 104;
	}
	return 0;
}

static void console_is_read_in_pieces(void **state)
{
	char *buf = malloc(70000);
	uint32_t index = 100;

	(void)state;
	fake.answer = answer_console;
	claimed_count = 4;
	assert_int_equal(hyp_system_read_console(hyp, buf, 4, &index, false), 4);
	assert_memory_equal(buf, "text", 4);
	assert_int_equal(index, 104);
	/* Bigger than the handle's own scratch: a buffer of its own. */
	assert_int_equal(hyp_system_read_console(hyp, buf, 70000, NULL, true), 4);
	claimed_count = 5;
	assert_int_equal(hyp_system_read_console(hyp, buf, 4, NULL, false), -EPROTO);
	assert_int_equal(hyp_system_read_console(hyp, buf, 0, NULL, false), -EINVAL);
	free(buf);
}

static void debug_keys_are_bounded(void **state)
{
	char *keys = calloc(1, 20000);

	(void)state;
	assert_int_equal(hyp_system_send_debug_keys(hyp, "qh"), 0);
	assert_int_equal(sysctl_of(&fake.last, XEN_SYSCTL_debug_keys)->u.debug_keys.nr_keys, 2);
	assert_int_equal(hyp_system_send_debug_keys(hyp, ""), -EINVAL);
	memset(keys, 'q', 19999);
	assert_int_equal(hyp_system_send_debug_keys(hyp, keys), -EINVAL);
	free(keys);
}

static unsigned long populate_limit;

static long answer_populate(const struct privcmd_hypercall *call)
{
	struct xen_memory_reservation *op = (void *)(uintptr_t)call->arg[1];
	unsigned long nr = op->nr_extents < populate_limit ? op->nr_extents : populate_limit;

	assert_int_equal(call->op, __HYPERVISOR_memory_op);
	assert_int_equal(call->arg[0], XENMEM_populate_physmap);
	assert_int_equal(op->extent_order, 0);
	for (unsigned long i = 0; i < nr; i++)
		op->extent_start.p[i] += 1000000;
	populate_limit -= nr;
	return (long)nr;
}

static long answer_too_many(const struct privcmd_hypercall *call)
{
	(void)call;
	return 1 << 20;
}

static void populate_counts_what_it_got(void **state)
{
	unsigned long nr = 100000;
	xen_pfn_t *extents = calloc(nr, sizeof(*extents));

	(void)state;
	for (unsigned long i = 0; i < nr; i++)
		extents[i] = i;
	fake.answer = answer_populate;
	populate_limit = 200000;
	assert_int_equal(hyp_memory_populate(hyp, 1, 0, nr, extents), 100000);
	assert_int_equal(fake.nr_calls, 2);
	assert_int_equal(extents[99999], 1099999);
	populate_limit = 70000;
	assert_int_equal(hyp_memory_populate(hyp, 1, 0, nr, extents), 70000);
	populate_limit = 0;
	assert_int_equal(hyp_memory_populate(hyp, 1, 0, nr, extents), 0);
	fake.answer = answer_too_many;
	assert_int_equal(hyp_memory_populate(hyp, 1, 0, nr, extents), -EPROTO);
	fake.answer = refuse_all;
	assert_int_equal(hyp_memory_populate(hyp, 1, 0, nr, extents), -EBUSY);
	free(extents);
}

static long answer_mmuext(const struct privcmd_hypercall *call)
{
	const struct mmuext_op *ops = (void *)(uintptr_t)call->arg[0];

	assert_int_equal(call->op, __HYPERVISOR_mmuext_op);
	assert_int_equal(call->arg[3], 8);
	for (uint64_t i = 0; i < call->arg[1]; i++)
		assert_int_equal(ops[i].arg1.mfn, 500 + (fake.nr_calls - 1) * 256 + i);
	return 0;
}

static void page_table_calls_are_batched(void **state)
{
	xen_pfn_t mfns[600];
	const struct mmuext_op *op = NULL;

	(void)state;
	for (int i = 0; i < 600; i++)
		mfns[i] = 500 + (xen_pfn_t)i;
	fake.answer = answer_mmuext;
	assert_int_equal(hyp_mmu_clear_frames(hyp, 8, mfns, 600), 0);
	assert_int_equal(fake.nr_calls, 3);
	assert_int_equal(fake.last.arg[1], 600 - 512);
	fake.nr_calls = 0;
	assert_int_equal(hyp_mmu_pin_table(hyp, 8, 4, 500), 0);
	op = (void *)(uintptr_t)fake.last.arg[0];
	assert_int_equal(op->cmd, MMUEXT_PIN_L4_TABLE);
	assert_int_equal(hyp_mmu_pin_table(hyp, 8, 5, 500), -EINVAL);
	assert_int_equal(hyp_mmu_pin_table(hyp, 8, 0, 500), -EINVAL);
	fake.nr_calls = 0;
	assert_int_equal(hyp_mmu_unpin_table(hyp, 8, 500), 0);
	assert_int_equal(op->cmd, MMUEXT_UNPIN_TABLE);
}

static long answer_update(const struct privcmd_hypercall *call)
{
	unsigned int *made = (void *)(uintptr_t)call->arg[2];

	assert_int_equal(call->op, __HYPERVISOR_mmu_update);
	*made = fake.nr_calls == 1 ? (unsigned int)call->arg[1] : claimed_count;
	return fake.nr_calls == 1 ? 0 : -EINVAL;
}

static void updates_stop_at_the_first_refused(void **state)
{
	struct mmu_update *updates = calloc(1000, sizeof(*updates));
	unsigned int done = 0;

	(void)state;
	fake.answer = answer_update;
	claimed_count = 5;
	assert_int_equal(hyp_mmu_update(hyp, 1, updates, 1000, &done), -EINVAL);
	assert_int_equal(done, 512 + 5);
	fake.nr_calls = 0;
	claimed_count = 5000;
	assert_int_equal(hyp_mmu_update(hyp, 1, updates, 1000, NULL), -EPROTO);
	free(updates);
}

static void foreign_maps_are_all_or_nothing(void **state)
{
	xen_pfn_t frames[5] = {10, 11, 12, 13, 14};
	void *map = NULL;

	(void)state;
	assert_int_equal(hyp_foreign_map(hyp, 3, PROT_READ, frames, 5, &map), 0);
	assert_int_equal(fake.batch.dom, 3);
	assert_int_equal(fake.batch.num, 5);
	assert_ptr_equal(fake.batch.arr, frames);
	assert_int_equal(fake.batch.addr, (uintptr_t)map);
	hyp_foreign_unmap(map, 5);
	map = NULL;
	fake.map_error = -EINVAL;
	assert_int_equal(hyp_foreign_map(hyp, 3, PROT_READ, frames, 5, &map), -EINVAL);
	assert_null(map);
	fake.map_error = -ENOENT;
	assert_int_equal(hyp_foreign_map(hyp, 3, PROT_READ, frames, 5, &map), -ENOENT);
	assert_int_equal(hyp_foreign_map(hyp, 3, PROT_READ, frames, 0, &map), -EINVAL);
	assert_int_equal(hyp_foreign_map(hyp, 3, PROT_READ, frames, 1UL << 40, &map), -EINVAL);
}

/* The map is the memory file itself, so what was written is found at its start. */
static void grants_are_written(void **state)
{
	struct hyp_grant grants[] = {{0, 1, 77}, {1, 2, 88}};
	struct grant_entry_v1 table[2];

	(void)state;
	assert_int_equal(hyp_grant_seed(hyp, 5, grants, 2), 0);
	assert_int_equal(fake.resource.dom, 5);
	assert_int_equal(fake.resource.type, XENMEM_resource_grant_table);
	assert_int_equal(pread(fake.fd, table, sizeof(table), 0), sizeof(table));
	assert_int_equal(table[0].flags, GTF_permit_access);
	assert_int_equal(table[0].domid, 1);
	assert_int_equal(table[0].frame, 77);
	assert_int_equal(table[1].domid, 2);
	assert_int_equal(table[1].frame, 88);
	grants[1].ref = 512;
	assert_int_equal(hyp_grant_seed(hyp, 5, grants, 2), -EINVAL);
}

static long answer_setup_table(const struct privcmd_hypercall *call)
{
	struct gnttab_setup_table *op = (void *)(uintptr_t)call->arg[1];

	assert_int_equal(call->op, __HYPERVISOR_grant_table_op);
	assert_int_equal(call->arg[0], GNTTABOP_setup_table);
	assert_int_equal(op->dom, 5);
	op->status = (int16_t)claimed_count;
	op->frame_list.p[0] = 4242;
	return 0;
}

static void grants_have_a_second_way(void **state)
{
	struct hyp_grant grants[] = {{0, 1, 77}};

	(void)state;
	fake.resource_errno = EOPNOTSUPP;
	fake.answer = answer_setup_table;
	claimed_count = GNTST_okay;
	assert_int_equal(hyp_grant_seed(hyp, 5, grants, 1), 0);
	assert_int_equal(fake.batch.dom, 5);
	claimed_count = (uint32_t)GNTST_permission_denied;
	assert_int_equal(hyp_grant_seed(hyp, 5, grants, 1), -EOPNOTSUPP);
}

static long answer_unterminated(const struct privcmd_hypercall *call)
{
	memset((void *)(uintptr_t)call->arg[1], 'A', 64);
	return 0;
}

static void version_strings_are_ended(void **state)
{
	char buf[200], tiny[4];
	uint8_t id[8];

	(void)state;
	fake.answer = answer_unterminated;
	assert_int_equal(hyp_version_get_extra(hyp, buf, sizeof(buf)), 0);
	assert_int_equal(strlen(buf), 16);
	assert_int_equal(hyp_version_get_changeset(hyp, buf, sizeof(buf)), 0);
	assert_int_equal(strlen(buf), 64);
	assert_int_equal(hyp_version_get_extra(hyp, tiny, sizeof(tiny)), 0);
	assert_string_equal(tiny, "AAA");
	assert_int_equal(hyp_version_get_extra(hyp, tiny, 0), -EINVAL);
	fake.answer = answer_too_many;
	assert_int_equal(hyp_version_get_build_id(hyp, id, sizeof(id)), -EPROTO);
}

static long answer_port(const struct privcmd_hypercall *call)
{
	struct evtchn_alloc_unbound *op = (void *)(uintptr_t)call->arg[1];

	assert_int_equal(call->op, __HYPERVISOR_event_channel_op);
	assert_int_equal(call->arg[0], EVTCHNOP_alloc_unbound);
	assert_int_equal(op->dom, 5);
	assert_int_equal(op->remote_dom, 2);
	op->port = 33;
	return 0;
}

static void event_channels_and_shutdown(void **state)
{
	const struct sched_remote_shutdown *shutdown;

	(void)state;
	fake.answer = answer_port;
	assert_int_equal(hyp_event_alloc_unbound(hyp, 5, 2), 33);
	fake.answer = NULL;
	assert_int_equal(hyp_domain_shutdown(hyp, 5, SHUTDOWN_crash), 0);
	shutdown = (void *)(uintptr_t)fake.last.arg[1];
	assert_int_equal(fake.last.op, __HYPERVISOR_sched_op);
	assert_int_equal(fake.last.arg[0], SCHEDOP_remote_shutdown);
	assert_int_equal(shutdown->domain_id, 5);
	assert_int_equal(shutdown->reason, SHUTDOWN_crash);
}

#define HYP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HYP_TEST(exits_are_counted),
		HYP_TEST(opening_tells_what_is_missing),
		HYP_TEST(create_returns_the_number),
		HYP_TEST(destroy_goes_on_until_done),
		HYP_TEST(info_of_another_domain_is_not_taken),
		HYP_TEST(plain_calls_carry_their_numbers),
		HYP_TEST(weights_are_for_credit_schedulers),
		HYP_TEST(affinity_comes_back),
		HYP_TEST(contexts_travel_both_ways),
		HYP_TEST(lists_longer_than_asked_are_not_believed),
		HYP_TEST(console_is_read_in_pieces),
		HYP_TEST(debug_keys_are_bounded),
		HYP_TEST(populate_counts_what_it_got),
		HYP_TEST(page_table_calls_are_batched),
		HYP_TEST(updates_stop_at_the_first_refused),
		HYP_TEST(foreign_maps_are_all_or_nothing),
		HYP_TEST(grants_are_written),
		HYP_TEST(grants_have_a_second_way),
		HYP_TEST(version_strings_are_ended),
		HYP_TEST(event_channels_and_shutdown),
	};

	return cmocka_run_group_tests_name("hyp", tests, NULL, NULL);
}
