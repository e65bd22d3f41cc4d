/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is delivered to an HVM vCPU at its next entry: exceptions it caused
 * (event.c), interrupts that wait for it (interrupt.c), in the order of the
 * manuals (AMD APM vol. 2, "Event Injection"; Intel SDM vol. 3, "Event Delivery").
 */
#ifndef HVM_EVENT_H
#define HVM_EVENT_H

#include "lib/types.h"

/* As SVM's EVENTINJ and VMX's interruption information both encode them. */
enum hvm_event_type {
	HVM_EVENT_EXTERNAL = 0,
	HVM_EVENT_NMI = 2,
	HVM_EVENT_EXCEPTION = 3,
	HVM_EVENT_SOFTWARE = 4, /* INT n: rip is behind it */
};

struct hvm_event {
	bool is_set;
	uint8_t type;
	uint8_t vector;
	bool has_error;
	uint32_t error;
};

/*
 * The current vCPU gets an exception at its present rip.  One that meets
 * another not yet delivered becomes a double fault, or the triple fault that
 * ends the domain, by the manuals' table.  error -1: the vector has none.
 */
void hvm_inject_exception(struct vcpu *v, unsigned int vector, int64_t error);
/* Sets CR2 too. */
void hvm_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error);
/* The delivery of an event was interrupted by an exit: it is delivered again. */
void hvm_event_requeue(struct vcpu *v, const struct hvm_event *e);
/* Reset or end, as the domain's on_reboot wants (SHUTDOWN_reboot), with a reason. */
void hvm_triple_fault(struct vcpu *v);

/* --- interrupt.c --- */

enum hvm_interrupt_source { HVM_INT_NONE, HVM_INT_NMI, HVM_INT_UPCALL, HVM_INT_PIC, HVM_INT_LAPIC };

struct hvm_interrupt {
	uint8_t source;
	uint8_t vector; /* PIC: known only when it is taken */
};

/* The first that waits for v by priority, were it to accept all: an upcall by vector before the
 * PIC's (if the LAPIC lets it through) before the LAPIC's above its PPR. */
struct hvm_interrupt hvm_interrupt_pending(const struct vcpu *v);
/* Takes that one from its source: false if it is gone meanwhile; the vector in it is then right. */
must_check bool hvm_interrupt_take(struct vcpu *v, struct hvm_interrupt *i);
/*
 * Before each entry, IRQs off: makes vcpu->hvm->event what can be injected now
 * and asks the vendor for a window for what cannot; the TPR goes to the vendor.
 */
void hvm_interrupts_prepare(struct vcpu *v);
/* After each exit: the TPR comes back from the vendor. */
void hvm_interrupts_finish(struct vcpu *v);
/*
 * HVM_PARAM_CALLBACK_IRQ as hvm/params.h encodes it, into hvm->callback: 0 or
 * -EINVAL.  Under domain->lock.
 */
must_check int hvm_callback_set(struct domain *d, uint64_t via);

/* Lines of a domain's interrupt controllers; any context.  Lines that do not exist: ignored. */
void hvm_gsi_set(struct domain *d, unsigned int gsi, bool level);
void hvm_isa_irq_set(struct domain *d, unsigned int irq, bool level);
void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int pin, bool level);
/* XEN_DMOP_set_pci_link_route: 0 or -EINVAL */
must_check int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int irq);
/* A message as PCI writes it: 0 or -EINVAL (no such destination, or mode). */
must_check int hvm_msi_send(struct domain *d, uint64_t address, uint32_t data);

#endif
