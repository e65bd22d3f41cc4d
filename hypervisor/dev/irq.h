/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware interrupts: vectors, I/O APIC pins and MSIs, and their binding to a
 * domain's pirq.  An interrupt is either ours (serial) or one domain's.
 */
#ifndef DEV_IRQ_H
#define DEV_IRQ_H

#include "lib/types.h"

struct pirq_domain;
struct cpumask;

init_text void irq_init(void); /* I/O APICs from acpi_info, all pins masked */
/* From the common interrupt entry, interrupts off, for vectors VECTOR_IRQ_FIRST..LAST. */
void irq_handle(unsigned int vector);

/* An interrupt of our own on a GSI. */
must_check int irq_request_own(unsigned int gsi, bool level, bool low, void (*fn)(void *arg),
			       void *arg);

/* --- a domain's pirqs (PHYSDEVOP_map_pirq, EVTCHNOP_bind_pirq) --- */
must_check int pirq_domain_init(struct domain *d);
must_check int pirq_domain_destroy(struct domain *d); /* all mappings, and no new ones */
void pirq_domain_free(struct domain *d);
/* evtchn/ calls these from bind_pirq and close: port is given events of pirq. -EINVAL, -EBUSY */
must_check int pirq_bind(struct domain *d, unsigned int pirq, uint32_t port, bool will_share);
void pirq_unbind(struct domain *d, unsigned int pirq);
/* PHYSDEVOP_eoi, EVTCHNOP_unmask of a level-triggered one: deassert and allow the next. */
void pirq_eoi(struct domain *d, unsigned int pirq);
/* The vCPU a pirq's port is bound to moved: its interrupt may follow. */
void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu);

void irq_dump(void); /* debug key 'i' */

#endif
