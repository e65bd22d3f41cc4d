/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several hypercalls in one, and the continuation of one that was preempted:
 * alone, by having the guest execute its SYSCALL or VMMCALL again with other registers;
 * in a batch, by writing what is left of it back into the batch.
 */
#include "cpu/softirq.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/printk.h"

#define SYSCALL_INSN_LENGTH 2
#define VMCALL_INSN_LENGTH  3 /* VMMCALL too */
#define ARGS_MAX 5

/* A multicall being worked on; vcpu->multicall points to it on the stack. */
struct multicall_state {
	struct multicall_entry call;
	bool continued; /* `call` holds what is still to do of it */
};

bool hypercall_preempt_check(void)
{
	return softirq_is_pending();
}

long hypercall_continue(unsigned int op, const uint64_t *args, unsigned int nr_args)
{
	struct vcpu *v = current;
	struct cpu_user_regs *regs = guest_regs();
	uint64_t *const slots[ARGS_MAX] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
					   &regs->r8};

	ASSERT(nr_args <= ARGS_MAX);
	if (v->multicall) {
		v->multicall->call.op = op;
		for (unsigned int i = 0; i < nr_args; i++)
			v->multicall->call.args[i] = args[i];
		v->multicall->continued = true;
		return 0;
	}
	for (unsigned int i = 0; i < nr_args; i++)
		*slots[i] = args[i];
	regs->rip -= v->domain->type == DOMAIN_HVM ? VMCALL_INSN_LENGTH : SYSCALL_INSN_LENGTH;
	return op; /* becomes rax */
}

/* Only what makes sense among others in a batch: no return to user mode, no batch in a batch. */
static hypercall_fn find_batched(uint64_t op)
{
	if (op == __HYPERVISOR_iret || op == __HYPERVISOR_multicall)
		return NULL;
	return hypercall_find(op);
}

/* HYPERVISOR_multicall(entries, count) */
long hypercall_multicall(const uint64_t *args)
{
	struct multicall_entry *entries = (void *)args[0];
	uint32_t count = args[1];
	struct vcpu *v = current;
	struct multicall_state state;
	long rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t rest[2] = {(uint64_t)(entries + i), count - i};
		hypercall_fn fn;

		if (i && hypercall_preempt_check()) {
			v->multicall = NULL;
			return hypercall_continue(__HYPERVISOR_multicall, rest, 2);
		}
		if (copy_in(&state.call, entries + i, sizeof(state.call))) {
			rc = -EFAULT;
			break;
		}
		state.continued = false;
		v->multicall = &state;
		fn = find_batched(state.call.op);
		state.call.result = fn ? fn((const uint64_t *)state.call.args) : -ENOSYS;
		v->multicall = NULL;
		if (v->domain->is_shutting_down)
			break;
		if (state.continued) {
			/* what is left of this one, then the rest */
			if (copy_out(entries + i, &state.call, sizeof(state.call))) {
				rc = -EFAULT;
				break;
			}
			return hypercall_continue(__HYPERVISOR_multicall, rest, 2);
		}
		if (copy_out(&entries[i].result, &state.call.result, sizeof(state.call.result))) {
			rc = -EFAULT;
			break;
		}
	}
	return rc;
}
