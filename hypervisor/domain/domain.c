/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains from creation to their last reference: the list, look-ups, pausing,
 * shutdown, and the order in which a dying one's parts are taken down.
 */
#include "domain/domain.h"

#include <stdarg.h>
#include <xen/domctl.h>
#include <xen/sched.h>

#include "cpu/softirq.h"
#include "dev/acpi.h"
#include "dev/irq.h"
#include "hvm/hvm.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"

struct domain *dom0;
struct domain dom_io = {.id = DOMID_IO, .type = DOMAIN_SYSTEM};
struct domain dom_xen = {.id = DOMID_XEN, .type = DOMAIN_SYSTEM};
struct spinlock domain_list_lock = SPINLOCK_INIT;
struct list_node domain_list = LIST_HEAD_INIT(domain_list);

/* --- references and look-up --- */

struct domain *domain_get(domid_t id)
{
	struct domain *d, *found = NULL;

	if (id == DOMID_SELF)
		id = current->domain->id;
	spin_lock(&domain_list_lock);
	for_each_domain (d)
		if (d->id == id && domain_hold(d)) {
			found = d;
			break;
		}
	spin_unlock(&domain_list_lock);
	return found;
}

struct domain *domain_get_live(domid_t id)
{
	struct domain *d = domain_get(id);

	if (d && READ_ONCE(d->is_dying)) {
		domain_put(d);
		return NULL;
	}
	return d;
}

bool domain_hold(struct domain *d)
{
	uint32_t n = __atomic_load_n(&d->references, __ATOMIC_RELAXED);

	do {
		if (!n || n == UINT32_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(&d->references, &n, n + 1, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}

int domain_get_controlled(domid_t id, struct domain **out)
{
	struct domain *self = current->domain, *d = domain_get(id);

	if (!d)
		return -ESRCH;
	if (d != self && !self->is_privileged && d != self->target) {
		domain_put(d);
		return -EPERM;
	}
	*out = d;
	return 0;
}

/* --- creation --- */

static struct vcpu_info dummy_vcpu_info;

/* Domains beyond shared_info's room must say where theirs is before they run. */
static struct vcpu_info *vcpu_info_initial(struct domain *d, unsigned int id)
{
	return id < XEN_LEGACY_MAX_VCPUS ? &d->shared_info->vcpu_info[id] : &dummy_vcpu_info;
}

static int type_init(struct vcpu *v)
{
	return v->domain->type == DOMAIN_HVM ? hvm_vcpu_init(v) : pv_vcpu_init(v);
}

static void type_fini(struct vcpu *v)
{
	if (v->domain->type == DOMAIN_HVM)
		hvm_vcpu_fini(v);
	else
		pv_vcpu_fini(v);
}

static void vcpu_free(struct vcpu *v)
{
	if (!v)
		return;
	vtime_vcpu_fini(v);
	sched_vcpu_fini(v);
	type_fini(v);
	fpu_state_fini(&v->fpu);
	heap_free(v);
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus || (id && !d->vcpus[id - 1]))
		return -EINVAL;
	if (d->vcpus[id])
		return -EEXIST;
	v = heap_alloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->domain = d;
	v->id = id;
	v->flags = BIT(VCPU_F_DOWN);
	v->info = vcpu_info_initial(d, id);
	evtchn_vcpu_init(v);
	rc = fpu_state_init(&v->fpu);
	if (rc)
		goto free;
	rc = sched_vcpu_init(v);
	if (rc)
		goto free_fpu;
	rc = type_init(v);
	if (rc)
		goto fini_sched;
	vtime_vcpu_init(v);
	/* shut down or paused already: so is this one */
	WRITE_ONCE(d->vcpus[id], v);
	return 0;

fini_sched:
	sched_vcpu_fini(v);
free_fpu:
	fpu_state_fini(&v->fpu);
free:
	heap_free(v);
	return rc;
}

static int config_check(const struct xen_domctl_createdomain *c)
{
	if (c->flags & XEN_DOMCTL_CDF_nested_virt)
		return -EOPNOTSUPP;
	if (c->flags & ~(uint32_t)(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap |
				   XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_oos_off |
				   XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_iommu))
		return -EINVAL;
	if (c->flags & XEN_DOMCTL_CDF_iommu)
		return -EOPNOTSUPP;
	if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS)
		return -EINVAL;
	if (c->cpupool_id || c->vmtrace_size || c->iommu_opts)
		return -EINVAL;
	if (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
		return -EINVAL;
	if (c->flags & XEN_DOMCTL_CDF_hvm)
		return hvm_config_check(c);
	return c->flags & XEN_DOMCTL_CDF_hap || c->arch.emulation_flags ? -EINVAL : 0;
}

/* The list is in ascending order; a free id is chosen after the last one given. */
static domid_t id_choose(void)
{
	static domid_t last;

	for (domid_t n = 0; n < DOMID_FIRST_RESERVED; n++) {
		struct domain *d;
		bool used = false;

		last = last < DOMID_FIRST_RESERVED - 1 ? last + 1 : 1;
		for_each_domain (d)
			used |= d->id == last;
		if (!used)
			return last;
	}
	return DOMID_INVALID;
}

static int domain_list_insert(struct domain *d, domid_t id)
{
	struct list_node *before = &domain_list;
	struct domain *other;
	int rc = 0;

	spin_lock(&domain_list_lock);
	d->id = id == DOMID_INVALID ? id_choose() : id;
	if (d->id >= DOMID_FIRST_RESERVED)
		rc = id == DOMID_INVALID ? -ENOMEM : -EINVAL;
	for_each_domain (other) {
		if (other->id == d->id)
			rc = -EEXIST;
		if (other->id > d->id)
			break;
		before = &other->list;
	}
	if (!rc)
		list_add(before, &d->list);
	spin_unlock(&domain_list_lock);
	return rc;
}

static void domain_list_remove(struct domain *d)
{
	spin_lock(&domain_list_lock);
	list_del(&d->list);
	spin_unlock(&domain_list_lock);
}

int domain_create(domid_t id, const struct xen_domctl_createdomain *config, bool privileged,
		  struct domain **out)
{
	unsigned int grant_version = config->grant_opts & XEN_DOMCTL_GRANT_version_mask;
	struct domain *d;
	int rc = config_check(config);

	if (rc)
		return rc;
	if (config->grant_opts & ~XEN_DOMCTL_GRANT_version_mask)
		return -EINVAL;
	d = heap_alloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->type = config->flags & XEN_DOMCTL_CDF_hvm ? DOMAIN_HVM : DOMAIN_PV;
	d->is_privileged = privileged;
	d->max_vcpus = config->max_vcpus;
	d->ssidref = config->ssidref;
	memcpy(d->handle, config->handle, sizeof(d->handle));
	d->references = 1;
	d->paused_by_controller = true;
	d->controller_pauses = 1;
	list_init(&d->list);
	rangeset_init(&d->iomem);
	rangeset_init(&d->ioports);
	rangeset_init(&d->irqs);
	sched_domain_init(d);
	rc = mm_domain_init(d);
	if (rc)
		goto free;
	d->shared_info = hyp_page_alloc_zeroed();
	rc = -ENOMEM;
	if (!d->shared_info)
		goto free;
	rc = evtchn_domain_init(d, config->max_evtchn_port);
	if (rc)
		goto free_shared_info;
	rc = pirq_domain_init(d);
	if (rc)
		goto free_evtchn;
	if (d->type == DOMAIN_HVM)
		rc = hvm_domain_init(d, config);
	if (rc)
		goto free_pirqs;
	/* visible from here on, but paused and without vCPUs */
	rc = domain_list_insert(d, id);
	if (rc)
		goto fini_hvm;
	rc = grant_domain_init(d, config->max_grant_frames, config->max_maptrack_frames,
			       grant_version ? grant_version : 2);
	if (rc)
		goto unlist;
	page_share(d->shared_info, d, true);
	vtime_domain_init(d);
	*out = d;
	return 0;

unlist:
	domain_list_remove(d);
fini_hvm:
	if (d->type == DOMAIN_HVM)
		hvm_domain_fini(d);
free_pirqs:
	pirq_domain_free(d);
free_evtchn:
	evtchn_domain_free(d);
free_shared_info:
	hyp_pages_free(d->shared_info, 0);
free:
	heap_free(d);
	return rc;
}

/* --- end --- */

static void domain_free(struct domain *d)
{
	domain_list_remove(d);
	for (unsigned int i = 0; i < d->max_vcpus; i++)
		vcpu_free(d->vcpus[i]);
	if (d->type == DOMAIN_HVM)
		hvm_domain_fini(d);
	grant_domain_destroy(d);
	evtchn_domain_free(d);
	pirq_domain_free(d);
	page_unshare_free(d->shared_info);
	rangeset_fini(&d->iomem);
	rangeset_fini(&d->ioports);
	rangeset_fini(&d->irqs);
	if (d->target)
		domain_put(d->target);
	heap_free(d);
	evtchn_send_global_virq(VIRQ_DOM_EXC);
}

void domain_put(struct domain *d)
{
	uint32_t left = __atomic_sub_fetch(&d->references, 1, __ATOMIC_ACQ_REL);

	ASSERT(left != UINT32_MAX);
	if (!left)
		domain_free(d);
}

static int vcpus_relinquish(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v) {
		int rc = d->type == DOMAIN_PV ? pv_vcpu_relinquish(v) : 0;

		if (rc)
			return rc;
		sched_vcpu_relinquish(v);
		v->info = &dummy_vcpu_info;
	}
	return 0;
}

static int hvm_relinquish(struct domain *d)
{
	return d->type == DOMAIN_HVM ? hvm_domain_relinquish(d) : 0;
}

/* Each step gives back one kind of resource and may ask to be called again. */
static int (*const teardown[])(struct domain *d) = {
	evtchn_domain_destroy,
	grant_domain_release_mappings,
	pirq_domain_destroy,
	vcpus_relinquish,
	hvm_relinquish,
	mm_domain_relinquish,
};

static int domain_kill_begin(struct domain *d)
{
	spin_lock(&d->lock);
	if (d->is_dead || d->teardown_busy) {
		int rc = d->is_dead ? -ESRCH : -ERESTART; /* let the other go on */

		spin_unlock(&d->lock);
		return rc;
	}
	d->teardown_busy = true;
	if (!d->is_dying) {
		/* page_lock: no page is given to it once this is seen */
		spin_lock(&d->mm.page_lock);
		WRITE_ONCE(d->is_dying, true);
		spin_unlock(&d->mm.page_lock);
		spin_unlock(&d->lock);
		domain_pause(d);
		sched_domain_fini(d);
		return 0;
	}
	spin_unlock(&d->lock);
	return 0;
}

int domain_destroy(struct domain *d)
{
	int rc;

	if (d == dom0 || d == current->domain)
		return -EINVAL;
	rc = domain_kill_begin(d);
	if (rc)
		return rc;
	while (!rc && d->teardown_step < ARRAY_SIZE(teardown)) {
		rc = teardown[d->teardown_step](d);
		if (!rc)
			d->teardown_step++;
	}
	if (rc == -EINTR)
		rc = -ERESTART;
	spin_lock(&d->lock);
	d->teardown_busy = false;
	if (!rc)
		d->is_dead = true;
	spin_unlock(&d->lock);
	if (rc)
		return rc;
	evtchn_send_global_virq(VIRQ_DOM_EXC);
	domain_put(d); /* its own, from its creation */
	return 0;
}

/* --- pausing --- */

void vcpu_pause(struct vcpu *v)
{
	ASSERT(v != current);
	__atomic_fetch_add(&v->sched.pause_count, 1, __ATOMIC_SEQ_CST);
	vcpu_sleep_wait(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (!__atomic_sub_fetch(&v->sched.pause_count, 1, __ATOMIC_SEQ_CST))
		vcpu_wake(v);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		__atomic_fetch_add(&v->sched.pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu (d, v)
		vcpu_sleep_wait(v);
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		vcpu_unpause(v);
}

/* As a domain is created: every vCPU is born with this pause. */
#define CONTROLLER_PAUSES_MAX 255

int domain_pause_by_controller(struct domain *d)
{
	bool first;

	if (d == current->domain)
		return -EINVAL;
	spin_lock(&d->lock);
	if (d->controller_pauses >= CONTROLLER_PAUSES_MAX) {
		spin_unlock(&d->lock);
		return -EBUSY;
	}
	first = d->controller_pauses++ == 0;
	d->paused_by_controller = true;
	spin_unlock(&d->lock);
	if (first)
		domain_pause(d);
	return 0;
}

int domain_unpause_by_controller(struct domain *d)
{
	bool last;

	spin_lock(&d->lock);
	if (!d->controller_pauses) {
		spin_unlock(&d->lock);
		return -EINVAL;
	}
	last = --d->controller_pauses == 0;
	d->paused_by_controller = d->controller_pauses;
	spin_unlock(&d->lock);
	if (last)
		domain_unpause(d);
	return 0;
}

/* --- shutdown and crash --- */

static void machine_shutdown(uint8_t code)
{
	printk("dom0 has ended (%u)\n", code);
	switch (code) {
	case SHUTDOWN_poweroff:
		machine_power_off();
	case SHUTDOWN_crash:
		panic("dom0 crashed: %s", dom0->reason[0] ? dom0->reason : "its kernel said so");
	default:
		machine_reboot();
	}
}

void domain_shutdown(struct domain *d, uint8_t code)
{
	struct vcpu *v;

	if (d->is_privileged)
		machine_shutdown(code);
	spin_lock(&d->lock);
	if (d->is_shutting_down) {
		spin_unlock(&d->lock);
		return;
	}
	d->is_shutting_down = true;
	if (!d->has_shutdown_code)
		d->shutdown_code = code;
	for_each_vcpu (d, v) {
		/* a pause that only the domain's end, or a resume, takes back */
		__atomic_fetch_add(&v->sched.pause_count, 1, __ATOMIC_SEQ_CST);
		vcpu_sleep(v);
	}
	d->is_shut_down = true;
	spin_unlock(&d->lock);
	if (current->domain == d)
		softirq_raise(SOFTIRQ_SCHED);
	evtchn_send_global_virq(VIRQ_DOM_EXC);
}

static void end_with_reason(struct domain *d, uint8_t code, const char *fmt, va_list ap)
{
	char reason[DOMAIN_REASON_SIZE];

	vsnprintf(reason, sizeof(reason), fmt, ap);
	spin_lock(&d->lock);
	if (!d->reason[0])
		memcpy(d->reason, reason, sizeof(reason));
	spin_unlock(&d->lock);
	guest_printk(d, "%s: %s\n", code == SHUTDOWN_crash ? "crashed" : "ended", reason);
	domain_shutdown(d, code);
}

void domain_end(struct domain *d, uint8_t code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_with_reason(d, code, fmt, ap);
	va_end(ap);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_with_reason(d, SHUTDOWN_crash, fmt, ap);
	va_end(ap);
}
