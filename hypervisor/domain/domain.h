/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and their vCPUs: identity, life and death, and where each
 * subsystem keeps its part.  A subsystem changes only its own part.
 */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "cpu/fpu.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/rangeset.h"
#include "lib/spinlock.h"
#include "mm/mm.h"
#include "pv/pv.h"
#include "sched/sched.h"
#include "time/vtime.h"

#define MAX_VCPUS 128

enum domain_type {
	DOMAIN_PV,
	DOMAIN_HVM, /* HVM and PVH: hardware-assisted */
	DOMAIN_SYSTEM, /* owns frames, never runs: DOMID_XEN, DOMID_IO, the idle domain */
};

/* Why a domain that the hypervisor ended was ended; shown by the tools. */
#define DOMAIN_REASON_SIZE 96

struct vcpu {
	/* constant after create */
	struct domain *domain;
	unsigned int id;

	/* owner CPU only (the CPU it runs on), or anybody while it is descheduled and paused */
	struct cpu_user_regs regs; /* the guest's registers while it does not run */
	struct fpu_state fpu;
	struct pv_vcpu pv;
	struct hvm_vcpu *hvm; /* hvm/state.h; NULL for PV */

	/* each under its own subsystem's rule */
	struct sched_vcpu sched;
	struct vtime_vcpu time;
	struct evtchn_vcpu evtchn;

	/* protected by domain->lock */
	bool initialised; /* has had its context set */
	/* atomic bits, VCPU_F_* */
	unsigned long flags;
	bool return_work; /* something to do before its next return besides events: NMI, trap bounce */

	/* vcpu_info: in shared_info, or where VCPUOP_register_vcpu_info put it. Written by all CPUs. */
	struct vcpu_info *info;
	struct page *info_page; /* holds a writable reference, or NULL */

	/* a hypercall continuation in a multicall: see hypercall/continuation.h */
	struct multicall_state *multicall;
};

#define VCPU_F_DOWN          0 /* VCPUOP_down, or never brought up */
#define VCPU_F_NMI_PENDING   1
#define VCPU_F_IN_NMI        2
#define VCPU_F_BLOCKED       3 /* sched_op block, until an event */
#define VCPU_F_POLLING       4 /* sched_op poll */
#define VCPU_F_INITIALISING  5 /* VCPUOP_initialise is at work on it */
#define VCPU_F_IO_WAIT       6 /* a device model has to answer it (hvm/io.h) */

struct domain {
	/* constant after create */
	domid_t id;
	enum domain_type type;
	bool is_privileged; /* dom0: control and hardware domain */
	unsigned int max_vcpus;
	uint8_t handle[16]; /* set by domctl under lock */
	uint32_t ssidref;

	/* protected by domain_list_lock */
	struct list_node list;
	/* atomic: the domain is freed when it reaches zero */
	uint32_t references;

	struct spinlock lock; /* below, and all changes of state: */
	struct vcpu *vcpus[MAX_VCPUS]; /* filled in order, never emptied before the free */
	bool is_dying;        /* destroy has begun; no new resources */
	bool is_dead;         /* all resources given back */
	bool is_shutting_down;
	bool is_shut_down;    /* all vCPUs are paused for it */
	uint8_t shutdown_code;
	bool has_shutdown_code; /* latched by SCHEDOP_shutdown_code: domain_shutdown keeps it */
	bool paused_by_controller;
	unsigned int controller_pauses;
	unsigned int teardown_step;
	bool teardown_busy; /* a destroy call is at work on it */
	char reason[DOMAIN_REASON_SIZE];

	struct shared_info *shared_info; /* a hypervisor page shared with it */
	unsigned long vm_assist;
	int64_t wallclock_offset; /* seconds, XEN_DOMCTL_settimeoffset */

	struct mm_domain mm;
	struct evtchn_domain evtchn;
	struct grant_table *grant;
	struct pv_domain pv;
	struct hvm_domain *hvm; /* hvm/state.h; NULL for PV */
	struct sched_domain sched;

	struct rangeset iomem;   /* machine frames it may map */
	struct rangeset ioports;
	struct rangeset irqs;    /* GSIs and pirqs it may bind */
	struct pirq_domain *pirqs;
	struct domain *target;   /* stub domains: the domain it may control */
};

extern struct domain *dom0; /* NULL until built */
extern struct domain dom_io;  /* owner of I/O memory references */
extern struct domain dom_xen; /* owner of hypervisor pages shown to privileged domains */
extern struct spinlock domain_list_lock;
extern struct list_node domain_list; /* all but system domains, ascending id */

#define for_each_domain(d) list_for_each_entry (d, &domain_list, list)
#define for_each_vcpu(d, v)                                                                        \
	for (unsigned int i_##v = 0;                                                               \
	     i_##v < (d)->max_vcpus && (((v) = (d)->vcpus[i_##v]), 1); i_##v++)                    \
		if (!(v))                                                                          \
			continue;                                                                  \
		else

/* The CPUs that vCPUs of d are on at this moment. */
static inline void domain_running_cpus(const struct domain *d, struct cpumask *out)
{
	const struct vcpu *v;

	cpumask_zero(out);
	for_each_vcpu (d, v)
		if (READ_ONCE(v->sched.is_running))
			cpumask_set(out, READ_ONCE(v->sched.cpu));
}

/*
 * Lookup with a reference; NULL if there is none.  DOMID_SELF is the
 * caller's.  The _live form refuses a domain that is dying.
 */
must_check struct domain *domain_get(domid_t id);
must_check struct domain *domain_get_live(domid_t id);
must_check bool domain_hold(struct domain *d); /* one more, of one already held */
void domain_put(struct domain *d);

/*
 * The domain a hypercall's domid argument names, if the caller may control
 * it (itself, its target, or anyone for a privileged one).  0 and a reference
 * in *out, -ESRCH, -EPERM.
 */
must_check int domain_get_controlled(domid_t id, struct domain **out);

/* id DOMID_INVALID: choose one.  Unwinds fully on error.  The domain starts paused. */
struct xen_domctl_createdomain;
must_check int domain_create(domid_t id, const struct xen_domctl_createdomain *config,
			     bool privileged, struct domain **out);
/* Adds vCPU `id` (the next); -EINVAL, -EEXIST, -ENOMEM */
must_check int vcpu_create(struct domain *d, unsigned int id);
/*
 * 0 when all is given back; -ERESTART to be called again, also while somebody else is just at it;
 * -ESRCH when that has been done, -EINVAL
 */
must_check int domain_destroy(struct domain *d);

/* Pauses nest; the wait form returns when no vCPU of it runs on any CPU. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* The domctl's own pause (not nested with the above in the guest's view): 0 or -EINVAL */
must_check int domain_pause_by_controller(struct domain *d);
must_check int domain_unpause_by_controller(struct domain *d);

/* sched_op shutdown: stops all vCPUs, tells dom0 (VIRQ_DOM_EXC). */
void domain_shutdown(struct domain *d, uint8_t code);
/*
 * Ends this domain alone (SHUTDOWN_crash) with a reason for the record; the
 * format must not hold guest text.  The current vCPU does not run again.
 */
void domain_crash(struct domain *d, const char *fmt, ...) printf_like(2, 3);
/* The same with another code (SHUTDOWN_*). */
void domain_end(struct domain *d, uint8_t code, const char *fmt, ...) printf_like(3, 4);

/* XEN_DOMCTL_setvcpucontext/getvcpucontext and VCPUOP_initialise, all checked first. */
must_check int vcpu_context_set(struct vcpu *v, const struct vcpu_guest_context *ctx);
void vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *ctx);

static inline bool vcpu_is_idle(const struct vcpu *v)
{
	return v->domain->type == DOMAIN_SYSTEM;
}

#endif
