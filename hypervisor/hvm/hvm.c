/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware-assisted domains and vCPUs as a whole: whether there can be any,
 * their making and end, and the loop that enters the guest again and again.
 */
#include "hvm/hvm.h"

#include <xen/domctl.h>
#include <xen/sched.h>

#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "hvm/ioreq.h"
#include "hvm/platform.h"
#include "hvm/policy.h"
#include "hvm/ports.h"
#include "hvm/state.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/alloc.h"

/* --- boot --- */

init_text void hvm_init(void)
{
	const char *no_svm = svm_probe(), *no_vmx = no_svm ? vmx_probe() : NULL;
	const char *missing = !no_svm ? NULL : cpu_features.is_amd && no_vmx ? no_svm : no_vmx;

	if (missing) {
		printk("no HVM and PVH guests: %s\n", missing);
		return;
	}
	hvm_vendor = no_svm ? &vmx_vendor : &svm_vendor;
	hvm_cpuid_init();
	printk("HVM and PVH guests by %s\n", hvm_vendor->name);
}

void hvm_cpu_init(void)
{
	if (hvm_vendor && hvm_vendor->cpu_enable()) {
		printk("no HVM and PVH guests: CPU %u cannot run them\n", cpu_id());
		hvm_vendor = NULL;
	}
}

bool hvm_is_available(void)
{
	return hvm_vendor;
}

/* --- domains --- */

/* A PVH domain has a local APIC at most; the rest of a PC comes with a device model. */
#define EMULATION_PVH XEN_X86_EMU_LAPIC
#define EMULATION_HVM (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)

int hvm_config_check(const struct xen_domctl_createdomain *c)
{
	uint32_t emulation = c->arch.emulation_flags;

	if (!hvm_is_available())
		return -EOPNOTSUPP;
	if (!(c->flags & XEN_DOMCTL_CDF_hap))
		return -EINVAL; /* no shadow page tables */
	if (emulation & ~EMULATION_HVM || !(emulation & XEN_X86_EMU_LAPIC))
		return -EINVAL;
	return 0;
}

int hvm_domain_init(struct domain *d, const struct xen_domctl_createdomain *config)
{
	struct hvm_domain *h = heap_alloc(sizeof(*h));
	int rc;

	if (!h)
		return -ENOMEM;
	d->hvm = h;
	h->emulation = config->arch.emulation_flags;
	h->params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
	h->has_device_model = h->emulation & ~EMULATION_PVH;
	rc = p2m_init(d);
	if (rc)
		goto free;
	rc = hvm_ports_init(d);
	if (rc)
		goto fini_p2m;
	rc = hvm_vendor->domain_init(d);
	if (rc)
		goto fini_ports;
	rc = hvm_platform_init(d);
	if (rc)
		goto fini_ports;
	rc = ioreq_domain_init(d);
	if (rc)
		goto fini_platform;
	return 0;

fini_platform:
	hvm_platform_fini(d);
fini_ports:
	hvm_ports_fini(d);
fini_p2m:
	p2m_fini(d);
free:
	heap_free(h);
	d->hvm = NULL;
	return rc;
}

void hvm_domain_fini(struct domain *d)
{
	ioreq_domain_fini(d);
	hvm_platform_fini(d);
	hvm_ports_fini(d);
	p2m_fini(d);
	heap_free(d->hvm->cpuid);
	heap_free(d->hvm);
	d->hvm = NULL;
}

int hvm_domain_relinquish(struct domain *d)
{
	hvm_platform_stop(d);
	ioreq_domain_relinquish(d);
	return p2m_relinquish(d);
}

/* --- vCPUs --- */

int hvm_vcpu_init(struct vcpu *v)
{
	int rc;

	v->hvm = heap_alloc(sizeof(*v->hvm));
	if (!v->hvm)
		return -ENOMEM;
	v->fpu.xcr0 = 1; /* as RESET leaves it: x87 */
	rc = hvm_vendor->vcpu_init(v);
	if (rc)
		goto free;
	rc = vlapic_init(v);
	if (rc)
		goto fini_vendor;
	hvm_vcpu_reset(v);
	return 0;

fini_vendor:
	hvm_vendor->vcpu_fini(v);
free:
	heap_free(v->hvm);
	v->hvm = NULL;
	return rc;
}

void hvm_vcpu_fini(struct vcpu *v)
{
	hvm_io_cancel(v);
	vlapic_fini(v);
	hvm_vendor->vcpu_fini(v);
	heap_free(v->hvm);
	v->hvm = NULL;
}

void hvm_switch_from(struct vcpu *v)
{
	hvm_vendor->switch_from(v);
}

void hvm_switch_to(struct vcpu *v)
{
	hvm_vendor->switch_to(v);
}

bool hvm_has_wakeup(const struct vcpu *v)
{
	const struct hvm_vcpu *h = v->hvm;

	if (h->event.is_set || READ_ONCE(h->start_signals) ||
	    (READ_ONCE(h->is_nmi_pending) && !h->is_nmi_masked))
		return true;
	return guest_regs()->rflags & X86_EFLAGS_IF &&
	       hvm_interrupt_pending(v).source != HVM_INT_NONE;
}

/* What keeps it from entering, or has to be done first; IRQs on.  After true, look again. */
static bool entry_is_held_up(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;

	if (READ_ONCE(h->start_signals)) {
		hvm_vcpu_signals_handle(v);
		return true;
	}
	if (h->io.resume != HVM_RESUME_NONE)
		return hvm_io_resume(v);
	if (h->is_halted) {
		if (!hvm_has_wakeup(v)) {
			vcpu_block();
			return true;
		}
		h->is_halted = false;
	}
	return false;
}

/*
 * A vCPU has no stack of its own here: what waits leaves its state in struct
 * hvm_vcpu, and softirq_run switches to another vCPU without coming back.
 */
no_return void hvm_enter(void)
{
	struct vcpu *v = current;

	for (;;) {
		irq_enable();
		if (softirq_is_pending()) {
			softirq_run();
			continue;
		}
		if (entry_is_held_up(v))
			continue;
		irq_disable();
		if (softirq_is_pending())
			continue;
		hvm_interrupts_prepare(v);
		hvm_vendor->run(v);
		hvm_interrupts_finish(v);
		irq_enable();
		hvm_vendor->exit_handle(v);
	}
}
