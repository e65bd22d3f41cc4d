/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would be a triple fault: a fault with no handlers at all.
 */
#include "guest.h"

void guest_test(void)
{
	say("expect crash\n");
	HC1(__HYPERVISOR_set_trap_table, 0);
	__asm__ volatile("movq $0, %%rax; movq (%%rax), %%rax" ::: "rax");
}
