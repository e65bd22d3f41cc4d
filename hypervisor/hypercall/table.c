/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the guest's registers to the function of a hypercall and back, the
 * batching of several in one (multicall), and their continuation after a
 * preemption.
 */
#include <zendo.h>

#include "cpu/softirq.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/printk.h"
#include "lib/string.h"

#define SYSCALL_INSN_LENGTH 2
#define ARGS_MAX 5

static const hypercall_fn table[] = {
	[__HYPERVISOR_set_trap_table] = hypercall_set_trap_table,
	[__HYPERVISOR_mmu_update] = hypercall_mmu_update,
	[__HYPERVISOR_set_gdt] = hypercall_set_gdt,
	[__HYPERVISOR_stack_switch] = hypercall_stack_switch,
	[__HYPERVISOR_set_callbacks] = hypercall_set_callbacks,
	[__HYPERVISOR_fpu_taskswitch] = hypercall_fpu_taskswitch,
	[__HYPERVISOR_platform_op] = hypercall_platform_op,
	[__HYPERVISOR_set_debugreg] = hypercall_set_debugreg,
	[__HYPERVISOR_get_debugreg] = hypercall_get_debugreg,
	[__HYPERVISOR_update_descriptor] = hypercall_update_descriptor,
	[__HYPERVISOR_memory_op] = hypercall_memory_op,
	[__HYPERVISOR_multicall] = hypercall_multicall,
	[__HYPERVISOR_update_va_mapping] = hypercall_update_va_mapping,
	[__HYPERVISOR_set_timer_op] = hypercall_set_timer_op,
	[__HYPERVISOR_xen_version] = hypercall_xen_version,
	[__HYPERVISOR_console_io] = hypercall_console_io,
	[__HYPERVISOR_grant_table_op] = hypercall_grant_table_op,
	[__HYPERVISOR_vm_assist] = hypercall_vm_assist,
	[__HYPERVISOR_update_va_mapping_otherdomain] = hypercall_update_va_mapping_otherdomain,
	[__HYPERVISOR_iret] = hypercall_iret,
	[__HYPERVISOR_vcpu_op] = hypercall_vcpu_op,
	[__HYPERVISOR_set_segment_base] = hypercall_set_segment_base,
	[__HYPERVISOR_mmuext_op] = hypercall_mmuext_op,
	[__HYPERVISOR_nmi_op] = hypercall_nmi_op,
	[__HYPERVISOR_sched_op] = hypercall_sched_op,
	[__HYPERVISOR_callback_op] = hypercall_callback_op,
	[__HYPERVISOR_event_channel_op] = hypercall_event_channel_op,
	[__HYPERVISOR_physdev_op] = hypercall_physdev_op,
	[__HYPERVISOR_hvm_op] = hypercall_hvm_op,
	[__HYPERVISOR_sysctl] = hypercall_sysctl,
	[__HYPERVISOR_domctl] = hypercall_domctl,
	[ZENDO_HYPERCALL] = hypercall_zendo_op,
};

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
	struct cpu_user_regs *regs = &cpu_info()->guest_regs;

	if (v->multicall) {
		v->multicall->call.op = op;
		for (unsigned int i = 0; i < nr_args; i++)
			v->multicall->call.args[i] = args[i];
		v->multicall->continued = true;
		return 0;
	}
	{
		uint64_t *const slots[ARGS_MAX] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
						   &regs->r8};

		for (unsigned int i = 0; i < nr_args; i++)
			*slots[i] = args[i];
	}
	regs->rip -= SYSCALL_INSN_LENGTH;
	return op; /* becomes rax */
}

static hypercall_fn find(uint64_t op)
{
	return op < ARRAY_SIZE(table) ? table[op] : NULL;
}

void hypercall_dispatch(struct cpu_user_regs *regs)
{
	uint64_t args[ARGS_MAX] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8};
	hypercall_fn fn = find(regs->rax);

	regs->rax = fn ? fn(args) : -ENOSYS;
}

/* Only what makes sense among others in a batch: no return to user mode, no batch in a batch. */
static hypercall_fn find_batched(uint64_t op)
{
	if (op == __HYPERVISOR_iret || op == __HYPERVISOR_multicall)
		return NULL;
	return find(op);
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
