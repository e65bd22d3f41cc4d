/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 2-level ABI: bitmaps of pending and masked ports in shared_info, and in
 * each vCPU's vcpu_info a selector of the words worth looking at.  The guest
 * may write all of these at any time; they are only ever tested and set.
 */
#include "evtchn/port.h"

static unsigned long *pending_map(const struct domain *d)
{
	return (unsigned long *)d->shared_info->evtchn_pending;
}

static const unsigned long *mask_map(const struct domain *d)
{
	return (const unsigned long *)d->shared_info->evtchn_mask;
}

static bool two_level_is_pending(const struct domain *d, const struct evtchn *ch)
{
	return ch->port < EVTCHN_2L_NR_CHANNELS && bit_test(pending_map(d), ch->port);
}

static bool two_level_is_masked(const struct domain *d, const struct evtchn *ch)
{
	return ch->port >= EVTCHN_2L_NR_CHANNELS || bit_test(mask_map(d), ch->port);
}

static bool two_level_is_busy(const struct domain *d, const struct evtchn *ch)
{
	(void)d;
	(void)ch;
	return false;
}

/* Have the vCPU look at the port's word. */
static void select_word(struct vcpu *v, const struct evtchn *ch)
{
	struct vcpu_info *info = READ_ONCE(v->info);
	unsigned int word = ch->port / BITS_PER_LONG;

	if (info && !atomic_bit_test_and_set((unsigned long *)&info->evtchn_pending_sel, word))
		vcpu_mark_events_pending(v);
}

static void two_level_set_pending(struct vcpu *v, struct evtchn *ch)
{
	struct domain *d = v->domain;

	if (ch->port >= EVTCHN_2L_NR_CHANNELS || atomic_bit_test_and_set(pending_map(d), ch->port))
		return;
	if (!two_level_is_masked(d, ch))
		select_word(v, ch);
}

static void two_level_clear_pending(struct domain *d, struct evtchn *ch)
{
	if (ch->port < EVTCHN_2L_NR_CHANNELS)
		atomic_bit_clear(pending_map(d), ch->port);
}

static void two_level_unmask(struct domain *d, struct evtchn *ch)
{
	struct vcpu *v = evtchn_vcpu(d, ch->notify_vcpu);

	if (ch->port >= EVTCHN_2L_NR_CHANNELS || !v)
		return;
	if (atomic_bit_test_and_clear((unsigned long *)d->shared_info->evtchn_mask, ch->port) &&
	    bit_test(pending_map(d), ch->port))
		select_word(v, ch);
}

const struct evtchn_ops evtchn_ops_two_level = {
	.name = "2-level",
	.max_ports = EVTCHN_2L_NR_CHANNELS,
	.set_pending = two_level_set_pending,
	.clear_pending = two_level_clear_pending,
	.unmask = two_level_unmask,
	.is_pending = two_level_is_pending,
	.is_masked = two_level_is_masked,
	.is_busy = two_level_is_busy,
};
