/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An iret whose frame lies in the hypervisor: there is nobody to tell.
 */
#include "guest.h"

void guest_test(void)
{
	say("expect crash\n");
	__asm__ volatile("movq %0, %%rsp; movl $23, %%eax; syscall" ::"r"(HYPERVISOR_ADDRESS));
	__builtin_unreachable();
}
