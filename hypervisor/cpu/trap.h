/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts, from assembly to those that answer them. */
#ifndef CPU_TRAP_H
#define CPU_TRAP_H

#include "lib/types.h"

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_BP 3
#define TRAP_OF 4
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_DF 8
#define TRAP_TS 10
#define TRAP_NP 11
#define TRAP_SS 12
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_AC 17
#define TRAP_MC 18

#define PF_PRESENT  (1U << 0)
#define PF_WRITE    (1U << 1)
#define PF_USER     (1U << 2)
#define PF_RESERVED (1U << 3)
#define PF_FETCH    (1U << 4)

/* Called by entry.S only. */
void trap_from_guest(struct cpu_user_regs *regs);
struct cpu_user_regs *trap_from_hypervisor(struct cpu_user_regs *regs);
void trap_from_hypervisor_ist(struct cpu_user_regs *regs);
void interrupt_handle(struct cpu_user_regs *regs);
void return_prepare(void);

/* Registers, symbolised; of the hypervisor with a backtrace. */
void regs_print(const struct cpu_user_regs *regs);

#endif
