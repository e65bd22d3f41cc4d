/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other CPUs. */
#ifndef BOOT_SMP_H
#define BOOT_SMP_H

#include "lib/types.h"

#define TRAMPOLINE_PADDR 0x8000

/* Copies the real-mode code below 1 MiB, while that is still mapped. */
init_text void smp_trampoline_install(void);

#endif
