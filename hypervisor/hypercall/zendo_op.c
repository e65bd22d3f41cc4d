/* SPDX-License-Identifier: BSD-2-Clause */
/* Our own hypercall, as include-public/zendo.h declares it. */
#include <zendo.h>

#include "domain/domain.h"
#include "hvm/state.h" /* the counters */
#include "hypercall/hypercall.h"
#include "lib/string.h"

_Static_assert(ZENDO_HYPERCALL == __HYPERVISOR_arch_7, "in the architecture's range");
_Static_assert(sizeof(struct zendo_domain_reason) == 104, "ABI");
_Static_assert(ZENDO_REASON_SIZE == DOMAIN_REASON_SIZE, "ABI");
_Static_assert(sizeof(struct zendo_exits) == 144, "ABI");
_Static_assert(ZENDO_EXIT_KINDS == HVM_EXIT_KINDS && HVM_EXIT_KINDS <= ZENDO_EXIT_COUNTS, "ABI");

static int domain_reason_get(void *guest)
{
	struct zendo_domain_reason op;
	struct domain *d;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	rc = copy_in(&op, guest, sizeof(op));
	if (rc)
		return rc;
	if (op.pad[0] || op.pad[1] || op.pad[2])
		return -EINVAL;
	d = domain_get(op.domid);
	if (!d)
		return -ESRCH;
	spin_lock(&d->lock);
	memcpy(op.reason, d->reason, sizeof(op.reason));
	spin_unlock(&d->lock);
	domain_put(d);
	op.reason[sizeof(op.reason) - 1] = '\0';
	return copy_out(guest, &op, sizeof(op));
}

static int exits_read(const struct domain *d, struct zendo_exits *op)
{
	const struct vcpu *v;

	if (d->type != DOMAIN_HVM)
		return -EINVAL;
	v = op->vcpu < d->max_vcpus ? READ_ONCE(d->vcpus[op->vcpu]) : NULL;
	if (!v)
		return -ENOENT;
	op->kinds = HVM_EXIT_KINDS;
	memset(op->counts, 0, sizeof(op->counts));
	for (unsigned int i = 0; i < HVM_EXIT_KINDS; i++)
		op->counts[i] = READ_ONCE(v->hvm->exits[i]);
	return 0;
}

static int exits_get(void *guest)
{
	struct zendo_exits op;
	struct domain *d;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	rc = copy_in(&op, guest, sizeof(op));
	if (rc)
		return rc;
	if (op.pad[0] || op.pad[1] || op.pad[2])
		return -EINVAL;
	d = domain_get(op.domid);
	if (!d)
		return -ESRCH;
	rc = exits_read(d, &op);
	domain_put(d);
	return rc ? rc : copy_out(guest, &op, sizeof(op));
}

long hypercall_zendo_op(const uint64_t *args)
{
	switch (args[0]) {
	case ZENDO_OP_version:
		return ZENDO_ABI_VERSION;
	case ZENDO_OP_domain_reason:
		return domain_reason_get((void *)args[1]);
	case ZENDO_OP_exits:
		return exits_get((void *)args[1]);
	default:
		return -ENOSYS;
	}
}
