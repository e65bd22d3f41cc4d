/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fault while the stack pointer is in the hypervisor: the frame cannot be
 * delivered.
 */
#include "guest.h"

void guest_test(void)
{
	say("expect crash\n");
	__asm__ volatile("movq %0, %%rsp; ud2" ::"r"(HYPERVISOR_ADDRESS));
	__builtin_unreachable();
}
