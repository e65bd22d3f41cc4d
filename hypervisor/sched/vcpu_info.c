/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a vCPU's vcpu_info lies: in shared_info at first, then in a page of the guest's choice. */
#include "domain/domain.h"
#include "hvm/p2m.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page.h"
#include "sched/sched.h"

static struct vcpu_info released_info;

int vcpu_info_register(struct vcpu *v, uint64_t frame, unsigned int offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *info;
	struct page *pg;

	if (offset > PAGE_SIZE - sizeof(*info))
		return -ENXIO;
	if (offset % _Alignof(struct vcpu_info))
		return -EINVAL;
	pg = page_get_guest_frame(d, frame, true);
	if (!pg)
		return -EINVAL;
	spin_lock(&d->lock);
	/* Another vCPU's may be moved only while it cannot run: its CPU reads the place unlocked.
	 */
	if (v->info_page || d->is_dying || (v != current && !bit_test(&v->flags, VCPU_F_DOWN))) {
		spin_unlock(&d->lock);
		page_put_and_type(pg);
		return -EINVAL;
	}
	info = (struct vcpu_info *)((char *)page_to_virt(pg) + offset);
	/* those beyond shared_info's room shared theirs with other domains' until now */
	if (v->info && v->id < XEN_LEGACY_MAX_VCPUS)
		memcpy(info, v->info, sizeof(*info));
	else
		memset(info, 0, sizeof(*info));
	v->info_page = pg;
	__atomic_store_n(&v->info, info, __ATOMIC_RELEASE);
	v->time.is_published = false;
	spin_unlock(&d->lock);
	/* Senders that still had the old place have set bits nobody reads any more. */
	evtchn_vcpu_info_moved(v);
	if (v == current)
		vtime_update(v);
	return 0;
}

void vcpu_info_release(struct vcpu *v)
{
	struct page *pg = v->info_page;

	if (!pg)
		return;
	/* It does not run any more, but look-ups of its state go on until it is freed. */
	v->info = &released_info;
	v->info_page = NULL;
	page_put_and_type(pg);
}
