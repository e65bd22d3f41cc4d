/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of hypercalls: results, what may not be in one, guest memory that
 * goes away under it, and every way a preemption can cut it.
 *
 * Links: hypercall/multicall.c lib/bits.c
 */
#include "cpu/softirq.h"
#include "fake/fake.h"
#include "hypercall/hypercall.h"

#define OP_ADD    40 /* args[0] + args[1] */
#define OP_LONG   41 /* counts args[0] down, one at a time, when preempted */
#define OP_NONE   63

static bool preempt;
static unsigned int calls;

bool softirq_is_pending(void)
{
	return preempt;
}

static long op_add(const uint64_t *args)
{
	calls++;
	return args[0] + args[1];
}

static long op_long(const uint64_t *args)
{
	uint64_t left[1] = {args[0] - 1};

	calls++;
	return left[0] ? hypercall_continue(OP_LONG, left, 1) : 7;
}

hypercall_fn hypercall_find(uint64_t op)
{
	switch (op) {
	case OP_ADD:
		return op_add;
	case OP_LONG:
		return op_long;
	case __HYPERVISOR_multicall:
		return hypercall_multicall;
	default:
		return NULL;
	}
}

static struct domain *dom;
static struct multicall_entry *batch;

static void setup(void)
{
	dom = fake_domain(1, 1);
	fake_vcpu_run(dom->vcpus[0], 0);
	batch = fake_guest_alloc(8 * sizeof(*batch));
	preempt = false;
	calls = 0;
	memset(guest_regs(), 0, sizeof(struct cpu_user_regs));
	guest_regs()->rip = 0x1000;
}

static long issue(unsigned int count)
{
	uint64_t args[5] = {(uint64_t)batch, count};

	return hypercall_multicall(args);
}

TEST(multicall_gives_each_its_result)
{
	setup();
	batch[0] = (struct multicall_entry){.op = OP_ADD, .args = {1, 2}};
	batch[1] = (struct multicall_entry){.op = OP_NONE};
	batch[2] = (struct multicall_entry){.op = OP_ADD, .args = {3, 4}};
	CHECK_EQ(issue(3), 0);
	CHECK_EQ(batch[0].result, 3);
	CHECK_EQ((long)batch[1].result, -ENOSYS);
	CHECK_EQ(batch[2].result, 7);
	CHECK(!dom->vcpus[0]->multicall);
}

TEST(multicall_refuses_iret_and_itself_within)
{
	setup();
	batch[0] = (struct multicall_entry){.op = __HYPERVISOR_iret};
	batch[1] = (struct multicall_entry){.op = __HYPERVISOR_multicall, .args = {0, 1}};
	CHECK_EQ(issue(2), 0);
	CHECK_EQ((long)batch[0].result, -ENOSYS);
	CHECK_EQ((long)batch[1].result, -ENOSYS);
}

TEST(multicall_stops_where_memory_ends)
{
	setup();
	batch[0] = (struct multicall_entry){.op = OP_ADD, .args = {1, 2}};
	batch[7] = batch[0];
	CHECK_EQ(issue(9), -EFAULT);
	CHECK_EQ(calls, 2);
	CHECK_EQ(batch[7].result, 3);
}

TEST(multicall_is_cut_between_entries)
{
	setup();
	for (int i = 0; i < 3; i++)
		batch[i] = (struct multicall_entry){.op = OP_ADD, .args = {i, 1}};
	preempt = true;
	CHECK_EQ(issue(3), __HYPERVISOR_multicall);
	CHECK_EQ(calls, 1);
	CHECK_EQ(guest_regs()->rip, 0x1000 - 2);
	CHECK_EQ(guest_regs()->rdi, (uint64_t)(batch + 1));
	CHECK_EQ(guest_regs()->rsi, 2);
	CHECK_EQ(batch[0].result, 1);
}

TEST(multicall_is_cut_within_an_entry_and_goes_on)
{
	unsigned int rounds = 0;

	setup();
	batch[0] = (struct multicall_entry){.op = OP_LONG, .args = {3}};
	batch[1] = (struct multicall_entry){.op = OP_ADD, .args = {5, 6}};
	while (issue(2) == __HYPERVISOR_multicall) {
		CHECK_EQ(guest_regs()->rdi, (uint64_t)batch);
		CHECK_EQ(guest_regs()->rsi, 2);
		CHECK_EQ(batch[0].args[0], 2 - rounds);
		CHECK(!dom->vcpus[0]->multicall);
		rounds++;
	}
	CHECK_EQ(rounds, 2);
	CHECK_EQ(batch[0].result, 7);
	CHECK_EQ(batch[1].result, 11);
}

TEST(continuation_alone_repeats_the_instruction)
{
	uint64_t args[3] = {11, 22, 33};

	setup();
	CHECK_EQ(hypercall_continue(OP_LONG, args, 3), OP_LONG);
	CHECK_EQ(guest_regs()->rip, 0x1000 - 2);
	CHECK_EQ(guest_regs()->rdi, 11);
	CHECK_EQ(guest_regs()->rsi, 22);
	CHECK_EQ(guest_regs()->rdx, 33);
}
