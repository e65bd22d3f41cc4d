/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall, with each argument in turn a pointer into the hypervisor,
 * a non-canonical address, an unmapped one and the end of the address space.
 * All must come back with an error or harmlessly; none may end the guest.
 */
#include "guest.h"

static const unsigned long bad[] = {
	0xffff830000000000UL, 0xffff820000200000UL, 0xffff87fffffffff8UL, 0xffff7ffffffffff8UL,
	0x0000900000000000UL, 0x0000800000000000UL, 0xfffffffffffffff8UL, 0xffffffffffffffffUL,
	0x0000000000001000UL, 0xffff800000000000UL - 4,
};

static bool is_left_out(unsigned int op)
{
	switch (op) {
	case __HYPERVISOR_iret:         /* never returns: guests of their own */
	case __HYPERVISOR_stack_switch: /* takes any value, is used later */
	case __HYPERVISOR_set_callbacks:
	case __HYPERVISOR_set_trap_table: /* NULL clears it */
	case __HYPERVISOR_fpu_taskswitch:
	case __HYPERVISOR_set_timer_op:
	case __HYPERVISOR_set_segment_base: /* tried in cpu/ */
		return true;
	default:
		return false;
	}
}

/* Sub-operations that would stop us, not harm others. */
static bool is_stopping(unsigned int op, unsigned int sub)
{
	return (op == __HYPERVISOR_sched_op && sub != SCHEDOP_poll) ||
	       (op == __HYPERVISOR_vcpu_op && (sub == VCPUOP_down || sub == VCPUOP_send_nmi)) ||
	       (op == __HYPERVISOR_event_channel_op && sub == EVTCHNOP_reset);
}

static void try_op(unsigned int op)
{
	unsigned long odd = 0;

	for (unsigned int sub = 0; sub < 64; sub++) {
		if (is_stopping(op, sub))
			continue;
		for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			long r[3] = {
				hypercall(op, sub, bad[i], 1, bad[i], 0),
				hypercall(op, sub, 0, bad[i], bad[i], 0),
				hypercall(op, bad[i], sub, bad[i], DOMID_SELF, bad[i]),
			};

			for (int k = 0; k < 3; k++)
				if (r[k] > 0 && op != __HYPERVISOR_xen_version &&
				    op != __HYPERVISOR_memory_op &&
				    op != __HYPERVISOR_vcpu_op && op != 55 && /* is_up, version */
				    op != __HYPERVISOR_get_debugreg &&
				    op != __HYPERVISOR_grant_table_op)
					odd++;
		}
	}
	if (odd)
		say("# hypercall %u: %lu calls gave more than 0\n", op, odd);
	check(odd == 0, "a hypercall with bad pointers is refused");
}

void guest_test(void)
{
	struct multicall_entry call = {.op = __HYPERVISOR_xen_version, .args = {0, 0}};

	for (unsigned int op = 0; op < 64; op++)
		if (!is_left_out(op))
			try_op(op);
	check_eq(HC2(__HYPERVISOR_multicall, HYPERVISOR_ADDRESS, 1), -EFAULT,
		 "a batch in hypervisor memory is refused");
	check_eq(HC2(__HYPERVISOR_multicall, &call, 1), 0, "a good batch still works");
	check_eq((long)call.result, 4 << 16 | 17, "with its result");
	check_eq(hypercall(200, 0, 0, 0, 0, 0), -ENOSYS, "a hypercall that is none");
	check_eq(hypercall(~0UL, 0, 0, 0, 0, 0), -ENOSYS, "a hypercall far from being one");
}
