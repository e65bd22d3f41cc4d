/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: interrupts between CPUs, end of interrupt, and the timer. */
#ifndef DEV_APIC_H
#define DEV_APIC_H

#include "lib/types.h"

/* Vectors of our own; 0x20..0xdf are given to devices by dev/irq.c. */
#define VECTOR_IRQ_FIRST 0x30
#define VECTOR_IRQ_LAST	 0xdf
#define VECTOR_TIMER	 0xf0
#define VECTOR_KICK	 0xf1 /* look at the softirqs */
#define VECTOR_CALL	 0xf2 /* run a function */
#define VECTOR_ERROR	 0xfe
#define VECTOR_SPURIOUS	 0xff

init_text void apic_init(void);		   /* boot CPU: map it, mask the PICs */
init_text void apic_cpu_init(void);	   /* each CPU: enable, LVTs */
init_text void apic_timer_calibrate(void); /* boot CPU, after time_init */
uint32_t apic_id(void);
void apic_eoi(void);
uint32_t apic_error_read(void); /* for VECTOR_ERROR: the ESR, cleared */
void apic_send_ipi(uint32_t apic_id, uint8_t vector);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
void apic_send_nmi_all_others(void);
/* timer_hw_arm of cpu/seam.h is implemented here. */

#endif
