/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domctls that give a domain something beyond its memory: interrupts,
 * device memory and I/O ports (only what the giver itself has), the hypercall
 * page, power over another domain, the global virtual interrupts.
 */
#include "hypercall/ctl.h"
#include "hvm/hvm.h"
#include "lib/string.h"
#include "mm/page.h"

#define IOPORT_COUNT 0x10000U
#define MFN_BITS     40 /* 52 bits of address at most, APM vol. 2 "Physical Addressing" */

/* What may be passed on is what one has. */
static int access_change(struct rangeset *own, struct rangeset *its, uint64_t first, uint64_t last,
			 bool allow)
{
	if (!rangeset_contains(own, first, last))
		return -EPERM;
	return allow ? rangeset_add(its, first, last) : rangeset_remove(its, first, last);
}

int domctl_irq_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_irq_permission *p = &op->u.irq_permission;

	return access_change(&current->domain->irqs, &d->irqs, p->pirq, p->pirq, p->allow_access);
}

int domctl_iomem_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;
	uint64_t last = p->first_mfn + p->nr_mfns - 1;

	if (!p->nr_mfns || last < p->first_mfn || last >> MFN_BITS)
		return -EINVAL;
	return access_change(&current->domain->iomem, &d->iomem, p->first_mfn, last,
			     p->allow_access);
}

/*
 * Of an HVM domain the CPUs go by a map besides: it changes together with the set, so that two
 * callers leave them alike, and only if the set did.
 */
static int ioports_change_hvm(struct domain *d, uint16_t first, uint16_t last, bool allow)
{
	int rc;

	domain_pause(d);
	spin_lock(&d->lock);
	rc = access_change(&current->domain->ioports, &d->ioports, first, last, allow);
	if (!rc)
		hvm_ports_allow(d, first, last, allow);
	spin_unlock(&d->lock);
	domain_unpause(d);
	return rc;
}

int domctl_ioport_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;
	uint32_t last;

	if (!p->nr_ports || p->first_port >= IOPORT_COUNT ||
	    p->nr_ports > IOPORT_COUNT - p->first_port)
		return -EINVAL;
	last = p->first_port + p->nr_ports - 1;
	if (d->type == DOMAIN_HVM)
		return ioports_change_hvm(d, p->first_port, last, p->allow_access);
	return access_change(&current->domain->ioports, &d->ioports, p->first_port, last,
			     p->allow_access);
}

/*
 * The page of xen/xen.h "Hypercall page": 32 bytes for each number.  SYSCALL
 * takes RCX and R11, which a called function may not; iret's stub lays out
 * what is left of struct iret_context on the stack instead.
 */
#define STUB_SIZE 32

static const uint8_t stub[] = {
	0x51,			      /* push %rcx */
	0x41, 0x53,		      /* push %r11 */
	0xb8, 0x00, 0x00, 0x00, 0x00, /* mov $number,%eax */
	0x0f, 0x05,		      /* syscall */
	0x41, 0x5b,		      /* pop %r11 */
	0x59,			      /* pop %rcx */
	0xc3,			      /* ret */
};

#define STUB_NUMBER 4 /* its place in the above */

static const uint8_t stub_iret[] = {
	0x51,	    /* push %rcx */
	0x41, 0x53, /* push %r11 */
	0x50,	    /* push %rax */
	0xb8, __HYPERVISOR_iret,
	0x00, 0x00,
	0x00,	    /* mov $number,%eax */
	0x0f, 0x05, /* syscall */
};

static void hypercall_page_write(uint8_t *page)
{
	memset(page, 0xcc, PAGE_SIZE);
	for (unsigned int nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++) {
		uint8_t *p = page + nr * STUB_SIZE;

		memcpy(p, stub, sizeof(stub));
		p[STUB_NUMBER] = (uint8_t)nr;
	}
	memset(page + __HYPERVISOR_iret * STUB_SIZE, 0xcc, STUB_SIZE);
	memcpy(page + __HYPERVISOR_iret * STUB_SIZE, stub_iret, sizeof(stub_iret));
}

int domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
	struct page *pg;

	if (d->type != DOMAIN_PV)
		return -EOPNOTSUPP; /* an HVM guest asks for its own, by an MSR */
	pg = page_get_mfn(MFN(op->u.hypercall_init.gmfn), d);
	if (!pg)
		return -EACCES;
	if (!page_get_writable(pg)) {
		page_put(pg);
		return -EPERM;
	}
	hypercall_page_write(page_to_virt(pg));
	page_put_and_type(pg);
	return 0;
}

int domctl_set_target(struct domain *d, struct xen_domctl *op)
{
	struct domain *target = domain_get_live(op->u.set_target.target);
	int rc = -EINVAL;

	if (!target)
		return -ESRCH;
	spin_lock(&d->lock);
	if (target != d && !d->target && !d->is_dying) {
		d->target = target; /* and its reference */
		rc = 0;
	}
	spin_unlock(&d->lock);
	if (rc)
		domain_put(target);
	return rc;
}

int domctl_set_virq_handler(struct domain *d, struct xen_domctl *op)
{
	return evtchn_set_virq_handler(d, op->u.set_virq_handler.virq);
}
