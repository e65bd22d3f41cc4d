/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_hvm_op (public hvm/hvm_op.h): the parameters of an HVM domain,
 * with who may set and read which, and what a guest asks for itself.
 */
#include "hvm/hvm.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

#include "hvm/state.h"
#include "hypercall/hypercall.h"
#include "time/time.h"

#define VECTOR_MIN 16

/* --- parameters --- */

#define GUEST_GETS BIT_U32(0)
#define GUEST_SETS BIT_U32(1)
#define TOOL_SETS  BIT_U32(2)
#define ONCE	   BIT_U32(3) /* other than 0 */
#define ZERO_ONLY  BIT_U32(4) /* of a feature that is not offered */
#define KNOWN	   BIT_U32(5) /* tools may read it */

static const uint8_t params[HVM_NR_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = KNOWN | GUEST_GETS | GUEST_SETS | TOOL_SETS,
	[HVM_PARAM_STORE_PFN] = KNOWN | GUEST_GETS | TOOL_SETS,
	[HVM_PARAM_STORE_EVTCHN] = KNOWN | GUEST_GETS | TOOL_SETS,
	/* for a default ioreq server, which is not offered: kept, without effect */
	[HVM_PARAM_IOREQ_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_BUFIOREQ_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_PAE_ENABLED] = KNOWN | TOOL_SETS,
	[HVM_PARAM_VIRIDIAN] = KNOWN | TOOL_SETS | ZERO_ONLY,
	[HVM_PARAM_TIMER_MODE] = KNOWN | TOOL_SETS,
	[HVM_PARAM_HPET_ENABLED] = KNOWN | TOOL_SETS,
	[HVM_PARAM_IDENT_PT] = KNOWN | TOOL_SETS,
	[HVM_PARAM_DM_DOMAIN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_ACPI_S_STATE] = KNOWN | TOOL_SETS | ZERO_ONLY,
	[HVM_PARAM_VM86_TSS] = KNOWN | GUEST_GETS | GUEST_SETS | TOOL_SETS,
	[HVM_PARAM_VPT_ALIGN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_CONSOLE_PFN] = KNOWN | GUEST_GETS | TOOL_SETS,
	[HVM_PARAM_CONSOLE_EVTCHN] = KNOWN | GUEST_GETS | TOOL_SETS,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = KNOWN | GUEST_SETS | TOOL_SETS,
	[HVM_PARAM_NESTEDHVM] = KNOWN | TOOL_SETS | ZERO_ONLY,
	[HVM_PARAM_PAGING_RING_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_MONITOR_RING_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_SHARING_RING_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_TRIPLE_FAULT_REASON] = KNOWN | TOOL_SETS,
	[HVM_PARAM_IOREQ_SERVER_PFN] = KNOWN | TOOL_SETS,
	[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = KNOWN | TOOL_SETS | ONCE,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = KNOWN | GUEST_GETS | GUEST_SETS | TOOL_SETS,
	[HVM_PARAM_ALTP2M] = KNOWN | GUEST_GETS | TOOL_SETS | ZERO_ONLY,
	[HVM_PARAM_X87_FIP_WIDTH] = KNOWN | TOOL_SETS | ZERO_ONLY,
	[HVM_PARAM_VM86_TSS_SIZED] = KNOWN | GUEST_SETS | TOOL_SETS,
	[HVM_PARAM_MCA_CAP] = KNOWN | TOOL_SETS | ZERO_ONLY,
};

static bool is_tool(const struct domain *d)
{
	return d != current->domain;
}

/* Under d->lock. */
static int param_set(struct domain *d, uint32_t index, uint64_t value)
{
	uint64_t *param = &d->hvm->params[index];
	uint8_t rules = params[index];
	int rc;

	if (!(rules & (is_tool(d) ? TOOL_SETS : GUEST_SETS)))
		return rules & KNOWN ? -EPERM : -EINVAL;
	if (rules & ZERO_ONLY && value)
		return -EOPNOTSUPP;
	if (rules & ONCE && *param && *param != value)
		return -EEXIST;
	if ((index == HVM_PARAM_TRIPLE_FAULT_REASON && value > SHUTDOWN_MAX) ||
	    (index == HVM_PARAM_TIMER_MODE && value > HVMPTM_one_missed_tick_pending))
		return -EINVAL;
	if (index == HVM_PARAM_CALLBACK_IRQ) {
		rc = hvm_callback_set(d, value);
		if (rc)
			return rc;
	}
	*param = value;
	return 0;
}

static int param_get(const struct domain *d, uint32_t index, uint64_t *value)
{
	if (!(params[index] & (is_tool(d) ? KNOWN : GUEST_GETS)))
		return params[index] & KNOWN ? -EPERM : -EINVAL;
	*value = d->hvm->params[index];
	return 0;
}

static int op_param(void *arg, bool is_set)
{
	struct xen_hvm_param p;
	struct domain *d;
	int rc;

	if (copy_in(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.index >= HVM_NR_PARAMS)
		return -EINVAL;
	rc = domain_get_controlled(p.domid, &d);
	if (rc)
		return rc;
	if (d->type != DOMAIN_HVM) {
		domain_put(d);
		return -EINVAL;
	}
	spin_lock(&d->lock);
	rc = is_set ? param_set(d, p.index, p.value) : param_get(d, p.index, &p.value);
	spin_unlock(&d->lock);
	domain_put(d);
	return rc || is_set ? rc : copy_out(arg, &p, sizeof(p));
}

/* --- the rest --- */

static int op_upcall_vector(const void *arg)
{
	struct xen_hvm_evtchn_upcall_vector op;
	struct domain *d = current->domain;
	struct vcpu *v;

	if (copy_in(&op, arg, sizeof(op)))
		return -EFAULT;
	if (d->type != DOMAIN_HVM || op.vector < VECTOR_MIN)
		return -EINVAL;
	v = op.vcpu < d->max_vcpus ? READ_ONCE(d->vcpus[op.vcpu]) : NULL;
	if (!v)
		return -ENOENT;
	WRITE_ONCE(v->hvm->upcall_vector, op.vector);
	if (vcpu_has_upcall(v))
		hvm_upcall_raise(v);
	return 0;
}

static int op_mem_type(void *arg)
{
	static const uint8_t answers[] = {
		[P2M_NONE] = HVMMEM_mmio_dm,	[P2M_RAM] = HVMMEM_ram_rw,
		[P2M_RAM_RO] = HVMMEM_ram_ro,	[P2M_MMIO] = HVMMEM_mmio_dm,
		[P2M_GRANT_RW] = HVMMEM_ram_rw, [P2M_GRANT_RO] = HVMMEM_ram_ro,
		[P2M_FOREIGN] = HVMMEM_ram_rw,	[P2M_SHARED] = HVMMEM_ram_rw,
		[P2M_LOGDIRTY] = HVMMEM_ram_rw, [P2M_IOREQ] = HVMMEM_ioreq_server,
	};
	struct xen_hvm_get_mem_type op;
	enum p2m_type type;
	struct domain *d;
	int rc;

	if (copy_in(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = domain_get_controlled(op.domid, &d);
	if (rc)
		return rc;
	if (d->type == DOMAIN_HVM)
		(void)p2m_lookup(d, GFN(op.pfn), &type);
	else
		rc = -EINVAL;
	domain_put(d);
	if (rc)
		return rc;
	op.mem_type = answers[type];
	return copy_out(arg, &op, sizeof(op));
}

static int op_get_time(void *arg)
{
	struct xen_hvm_get_time op = {.now = time_now()};

	return current->domain->type == DOMAIN_HVM ? copy_out(arg, &op, sizeof(op)) : -EINVAL;
}

static int op_flush_tlbs(const void *arg)
{
	if (arg || current->domain->type != DOMAIN_HVM)
		return -EINVAL;
	p2m_flush(current->domain);
	return 0;
}

long hypercall_hvm_op(const uint64_t *args)
{
	void *arg = (void *)args[1];

	switch (args[0]) {
	case HVMOP_set_param:
	case HVMOP_get_param:
		return op_param(arg, args[0] == HVMOP_set_param);
	case HVMOP_flush_tlbs:
		return op_flush_tlbs(arg);
	case HVMOP_get_mem_type:
		return op_mem_type(arg);
	case HVMOP_get_time:
		return op_get_time(arg);
	case HVMOP_set_evtchn_upcall_vector:
		return op_upcall_vector(arg);
	case HVMOP_pagetable_dying: /* a hint for shadow page tables */
		return -EINVAL;
	case HVMOP_altp2m:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}
