/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_event_channel_op: decodes each operation of
 * xen/event_channel.h, checks who may do it to whom, and does it.
 */
#include "dev/irq.h"
#include "evtchn/port.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"

union op_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_pirq bind_pirq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

/* Allocates and binds in one; the port or -E. */
static int port_open(struct domain *d, uint8_t state, uint32_t arg, unsigned int vcpu)
{
	struct evtchn *ch;
	int rc;

	spin_lock(&d->evtchn.lock);
	rc = evtchn_port_alloc(d, &ch);
	if (!rc) {
		evtchn_port_bind(d, ch, state, arg, NULL, vcpu);
		rc = (int)ch->port;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote)
{
	return port_open(d, EVTCHNSTAT_unbound, remote, 0);
}

int evtchn_alloc_io(struct domain *d, unsigned int vcpu, domid_t remote)
{
	struct evtchn *ch;
	uint64_t flags;
	int rc;

	spin_lock(&d->evtchn.lock);
	rc = evtchn_port_alloc(d, &ch);
	if (!rc) {
		evtchn_port_bind(d, ch, EVTCHNSTAT_unbound, remote, NULL, vcpu);
		flags = spin_lock_irq(&ch->lock);
		ch->is_io = true;
		d->evtchn.io_ports++;
		spin_unlock_irq(&ch->lock, flags);
		rc = (int)ch->port;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

/* Not the guest's to use, though it is one of its ports: a device model's channel. */
static bool port_is_io(port_t port)
{
	const struct evtchn *ch = evtchn_lookup(current->domain, port);

	return ch && ch->is_io;
}

static int op_alloc_unbound(union op_arg *arg)
{
	struct evtchn_alloc_unbound *op = &arg->alloc_unbound;
	domid_t remote = op->remote_dom == DOMID_SELF ? current->domain->id : op->remote_dom;
	struct domain *d;
	int rc = domain_get_controlled(op->dom, &d);

	if (rc)
		return rc;
	rc = evtchn_alloc_unbound(d, remote);
	if (rc > 0)
		op->port = (port_t)rc;
	domain_put(d);
	return MIN(rc, 0);
}

/* Both domains are locked. */
static int interdomain_connect(struct domain *d, struct domain *remote, port_t remote_port,
			       port_t *local_port)
{
	struct evtchn *peer = evtchn_lookup(remote, remote_port);
	struct evtchn *ch;
	uint64_t flags;
	int rc;

	rc = evtchn_port_alloc(d, &ch);
	if (rc)
		return rc;
	if (!peer || remote->evtchn.closed || peer->state != EVTCHNSTAT_unbound ||
	    peer->arg != d->id)
		return -EINVAL;
	evtchn_port_bind(d, ch, EVTCHNSTAT_interdomain, remote_port, remote, 0);
	evtchn_port_bind(remote, peer, EVTCHNSTAT_interdomain, ch->port, d, 0);
	/* The peer may have sent before anybody listened. */
	flags = evtchn_quiesce(ch);
	evtchn_deliver(d, ch);
	evtchn_release(ch, flags);
	*local_port = ch->port;
	return 0;
}

static int op_bind_interdomain(union op_arg *arg)
{
	struct evtchn_bind_interdomain *op = &arg->bind_interdomain;
	struct domain *d = current->domain;
	struct domain *remote = domain_get(op->remote_dom);
	int rc;

	if (!remote)
		return -ESRCH;
	evtchn_lock_two(d, remote);
	rc = interdomain_connect(d, remote, op->remote_port, &op->local_port);
	evtchn_unlock_two(d, remote);
	domain_put(remote);
	return rc;
}

static int op_bind_virq(union op_arg *arg)
{
	struct evtchn_bind_virq *op = &arg->bind_virq;
	struct domain *d = current->domain;
	struct vcpu *v = evtchn_vcpu(d, op->vcpu);
	struct evtchn *ch;
	uint64_t flags;
	int rc;

	if (op->virq >= VIRQ_COUNT || (virq_is_global(op->virq) && op->vcpu))
		return -EINVAL;
	if (!v)
		return -ENOENT;
	spin_lock(&d->evtchn.lock);
	if (v->evtchn.virq_port[op->virq]) {
		rc = -EEXIST;
		goto out;
	}
	rc = evtchn_port_alloc(d, &ch);
	if (rc)
		goto out;
	evtchn_port_bind(d, ch, EVTCHNSTAT_virq, op->virq, NULL, v->id);
	flags = spin_lock_irq(&v->evtchn.virq_lock);
	v->evtchn.virq_port[op->virq] = ch->port;
	spin_unlock_irq(&v->evtchn.virq_lock, flags);
	op->port = ch->port;
out:
	spin_unlock(&d->evtchn.lock);
	return rc;
}

static int op_bind_ipi(union op_arg *arg)
{
	struct evtchn_bind_ipi *op = &arg->bind_ipi;
	int rc;

	if (!evtchn_vcpu(current->domain, op->vcpu))
		return -ENOENT;
	rc = port_open(current->domain, EVTCHNSTAT_ipi, 0, op->vcpu);
	if (rc > 0)
		op->port = (port_t)rc;
	return MIN(rc, 0);
}

static int op_bind_pirq(union op_arg *arg)
{
	struct evtchn_bind_pirq *op = &arg->bind_pirq;
	struct domain *d = current->domain;
	struct evtchn *ch;
	int rc;

	spin_lock(&d->evtchn.lock);
	rc = evtchn_port_alloc(d, &ch);
	if (rc)
		goto out;
	/* The interrupt comes last: the first may come at once. */
	evtchn_port_bind(d, ch, EVTCHNSTAT_pirq, op->pirq, NULL, 0);
	rc = pirq_bind(d, op->pirq, ch->port, op->flags & BIND_PIRQ__WILL_SHARE);
	if (rc)
		evtchn_port_free(d, ch);
	else
		op->port = ch->port;
out:
	spin_unlock(&d->evtchn.lock);
	return rc;
}

static int op_close(union op_arg *arg)
{
	return evtchn_close(current->domain, arg->close.port);
}

static int op_send(union op_arg *arg)
{
	return port_is_io(arg->send.port) ? -EINVAL : evtchn_send(current->domain, arg->send.port);
}

static void status_fill(struct evtchn_status *op, const struct evtchn *ch)
{
	op->status = ch->state;
	op->vcpu = ch->notify_vcpu;
	switch (ch->state) {
	case EVTCHNSTAT_closed:
		op->vcpu = 0;
		break;
	case EVTCHNSTAT_unbound:
		op->u.unbound.dom = (domid_t)ch->arg;
		break;
	case EVTCHNSTAT_interdomain:
		op->u.interdomain.dom = ch->remote->id;
		op->u.interdomain.port = ch->arg;
		break;
	case EVTCHNSTAT_pirq:
		op->u.pirq = ch->arg;
		break;
	case EVTCHNSTAT_virq:
		op->u.virq = ch->arg;
		break;
	}
}

static int op_status(union op_arg *arg)
{
	struct evtchn_status *op = &arg->status;
	const struct evtchn *ch;
	struct domain *d;
	int rc = domain_get_controlled(op->dom, &d);

	if (rc)
		return rc;
	ch = evtchn_lookup(d, op->port);
	memset(&op->u, 0, sizeof(op->u));
	if (ch) {
		spin_lock(&d->evtchn.lock);
		status_fill(op, ch);
		spin_unlock(&d->evtchn.lock);
	} else {
		rc = -EINVAL;
	}
	domain_put(d);
	return rc;
}

static int vcpu_change(struct domain *d, struct evtchn *ch, const struct vcpu *v)
{
	switch (ch->state) {
	case EVTCHNSTAT_virq:
		if (!virq_is_global(ch->arg))
			return -EINVAL;
		break;
	case EVTCHNSTAT_unbound:
	case EVTCHNSTAT_interdomain:
		break;
	case EVTCHNSTAT_pirq:
		pirq_set_affinity(d, ch->arg, READ_ONCE(v->sched.cpu));
		break;
	default:
		return -EINVAL;
	}
	WRITE_ONCE(ch->notify_vcpu, (uint16_t)v->id);
	return 0;
}

static int op_bind_vcpu(union op_arg *arg)
{
	const struct evtchn_bind_vcpu *op = &arg->bind_vcpu;
	struct domain *d = current->domain;
	const struct vcpu *v = evtchn_vcpu(d, op->vcpu);
	struct evtchn *ch = evtchn_lookup(d, op->port);
	int rc;

	if (!v)
		return -ENOENT;
	if (!ch)
		return -EINVAL;
	spin_lock(&d->evtchn.lock);
	rc = ch->is_io ? -EINVAL : vcpu_change(d, ch, v);
	spin_unlock(&d->evtchn.lock);
	return rc;
}

static int op_unmask(union op_arg *arg)
{
	struct domain *d = current->domain;
	struct evtchn *ch = evtchn_lookup(d, arg->unmask.port);
	uint64_t flags;

	if (!ch)
		return -EINVAL;
	flags = spin_lock_irq(&ch->lock);
	if (ch->state != EVTCHNSTAT_closed)
		d->evtchn.ops->unmask(d, ch);
	spin_unlock_irq(&ch->lock, flags);
	return 0;
}

static int op_reset(union op_arg *arg)
{
	struct domain *d;
	int rc = domain_get_controlled(arg->reset.dom, &d);

	if (rc)
		return rc;
	/* Another's ports are closed under it only while it stands still. */
	if (d != current->domain && !READ_ONCE(d->controller_pauses))
		rc = -EINVAL;
	else
		rc = evtchn_reset(d);
	domain_put(d);
	return rc;
}

static int op_init_control(union op_arg *arg)
{
	return evtchn_fifo_init_control(current->domain, &arg->init_control);
}

static int op_expand_array(union op_arg *arg)
{
	return evtchn_fifo_expand_array(current->domain, &arg->expand_array);
}

static int op_set_priority(union op_arg *arg)
{
	return evtchn_fifo_set_priority(current->domain, &arg->set_priority);
}

#define OP(name, returns) [EVTCHNOP_##name] = {op_##name, sizeof(struct evtchn_##name), returns}

static const struct {
	int (*fn)(union op_arg *arg);
	uint8_t size;
	bool returns_arg;
} ops[] = {
	OP(bind_interdomain, true), OP(bind_virq, true),     OP(bind_pirq, true),
	OP(close, false),	    OP(send, false),	     OP(status, true),
	OP(alloc_unbound, true),    OP(bind_ipi, true),	     OP(bind_vcpu, false),
	OP(unmask, false),	    OP(reset, false),	     OP(init_control, true),
	OP(expand_array, false),    OP(set_priority, false),
};

long hypercall_event_channel_op(const uint64_t *args)
{
	void *guest = (void *)args[1];
	union op_arg arg;
	int rc;

	if (args[0] >= ARRAY_SIZE(ops))
		return -ENOSYS;
	rc = copy_in(&arg, guest, ops[args[0]].size);
	if (rc)
		return rc;
	rc = ops[args[0]].fn(&arg);
	if (rc == -ERESTART)
		return hypercall_continue(__HYPERVISOR_event_channel_op, args, 2);
	if (!rc && ops[args[0]].returns_arg)
		rc = copy_out(guest, &arg, ops[args[0]].size);
	return rc;
}
