/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that reboots as the first thing it does, for ever: SCHEDOP_shutdown (xen/sched.h). */
#include "notes.h"

_start:
	mov	$29, %eax		/* __HYPERVISOR_sched_op */
	mov	$2, %edi		/* SCHEDOP_shutdown */
	lea	reason(%rip), %rsi
	syscall
	jmp	_start

	.balign 4
reason:	.long	1			/* SHUTDOWN_reboot */
