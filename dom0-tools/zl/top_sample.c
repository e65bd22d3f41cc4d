/* SPDX-License-Identifier: BSD-2-Clause */
/* zl top: taking a sample, the hypervisor's list of domains and the exits of each. */
#include <errno.h>
#include <stdlib.h>

#include "hyp/system.h"
#include "zl/domains.h"
#include "zl/exits.h"
#include "zl/top.h"
#include "zl/zl.h"

/* None when they cannot be had: not a domain that has any, or it has just ended. */
static void read_exits(struct zl *zl, const struct xen_domctl_getdomaininfo *info,
		       struct top_exits *sum)
{
	struct exits exits;

	if (!(info->flags & XEN_DOMINF_hvm_guest))
		return;
	if (!exits_read(zl->hyp, info, &exits))
		for (uint32_t i = 0; i < exits.nr; i++) {
			sum->kinds = exits.vcpus[i].kinds;
			for (uint32_t kind = 0; kind < sum->kinds; kind++)
				sum->counts[kind] += exits.vcpus[i].counts[kind];
		}
	free(exits.vcpus);
}

int top_sample_read(struct zl *zl, struct top_sample *sample)
{
	struct xen_sysctl_physinfo machine;
	struct timespec now;
	int rc = hyp_system_get_physinfo(zl->hyp, &machine);

	*sample = (struct top_sample){.views = NULL};
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!rc)
		rc = domains_get(zl, &sample->views, &sample->nr);
	if (rc)
		return rc;
	sample->ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	sample->total_pages = machine.total_pages;
	sample->free_pages = machine.free_pages;
	sample->nr_cpus = machine.nr_cpus;
	sample->exits = calloc(sample->nr, sizeof(*sample->exits));
	if (!sample->exits)
		return -ENOMEM;
	for (size_t i = 0; i < sample->nr; i++)
		read_exits(zl, &sample->views[i].info, &sample->exits[i]);
	return 0;
}

void top_sample_free(struct top_sample *sample)
{
	domains_free(sample->views, sample->nr);
	free(sample->exits);
	*sample = (struct top_sample){.views = NULL};
}
