/* SPDX-License-Identifier: BSD-2-Clause */
/* zl: the exits of a domain's vCPUs, one hypercall for each. */
#include "zl/exits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/hvm.h"
#include "zendo.h"

static const char *const kind_names[] = {
	"interrupt", "window", "hypercall", "cpuid",	  "msr",       "cr",
	"hlt",	     "port",   "mmio",	    "page-fault", "exception", "other",
};

_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == ZENDO_EXIT_KINDS, "zendo.h's kinds");

const char *exit_kind_name(uint32_t kind, char buf[EXIT_KIND_NAME_SIZE])
{
	if (kind < ZENDO_EXIT_KINDS)
		return kind_names[kind];
	snprintf(buf, EXIT_KIND_NAME_SIZE, "%u", kind);
	return buf;
}

int exits_read(struct hyp *hyp, const struct xen_domctl_getdomaininfo *info, struct exits *exits)
{
	int rc = 0;

	*exits = (struct exits){.vcpus = NULL};
	if (info->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID)
		return 0;
	exits->vcpus = calloc(info->max_vcpu_id + 1, sizeof(*exits->vcpus));
	if (!exits->vcpus)
		return -ENOMEM;
	for (uint32_t i = 0; !rc && i <= info->max_vcpu_id; i++) {
		rc = hyp_hvm_get_exits(hyp, info->domain, i, &exits->vcpus[exits->nr]);
		if (!rc)
			exits->vcpus[exits->nr++].vcpu = i;
		else if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}
