/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of hypercalls, and the way from the guest's registers to it and back. */
#include <zendo.h>

#include "domain/domain.h"
#include "hvm/hvm.h"
#include "hypercall/hypercall.h"

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
	[__HYPERVISOR_dm_op] = hypercall_dm_op,
	[__HYPERVISOR_sysctl] = hypercall_sysctl,
	[__HYPERVISOR_domctl] = hypercall_domctl,
	[ZENDO_HYPERCALL] = hypercall_zendo_op,
};

/* Those of a guest whose CPU the hardware virtualizes: the others are about a PV guest's. */
static bool is_for_hvm(uint64_t op)
{
	switch (op) {
	case __HYPERVISOR_memory_op:
	case __HYPERVISOR_multicall:
	case __HYPERVISOR_set_timer_op:
	case __HYPERVISOR_xen_version:
	case __HYPERVISOR_console_io:
	case __HYPERVISOR_grant_table_op:
	case __HYPERVISOR_vm_assist:
	case __HYPERVISOR_vcpu_op:
	case __HYPERVISOR_sched_op:
	case __HYPERVISOR_event_channel_op:
	case __HYPERVISOR_hvm_op:
	case __HYPERVISOR_sysctl:
	case __HYPERVISOR_domctl:
	case ZENDO_HYPERCALL:
		return true;
	default:
		return false;
	}
}

hypercall_fn hypercall_find(uint64_t op)
{
	if (op >= ARRAY_SIZE(table) || (current->domain->type == DOMAIN_HVM && !is_for_hvm(op)))
		return NULL;
	return table[op];
}

void hypercall_dispatch(struct cpu_user_regs *regs)
{
	uint64_t args[ARGS_MAX] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8};
	hypercall_fn fn = hypercall_find(regs->rax);

	regs->rax = fn ? fn(args) : -ENOSYS;
}
