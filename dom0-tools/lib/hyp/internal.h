/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzhyp only: the handle's shape and the argument scratch that small calls share.
 */
#ifndef ZENDO_HYP_INTERNAL_H
#define ZENDO_HYP_INTERNAL_H

#include "hyp/hyp.h"

/* One page for the operation itself, three for a small array that it points to. */
#define HYP_SCRATCH_SIZE (4 * HYP_PAGE_SIZE)

struct hyp {
	int fd;	     /* /dev/xen/privcmd */
	int buf_fd;  /* /dev/xen/hypercall, or -1 */
	void *op;    /* first page of scratch */
	void *array; /* the rest of it */
	size_t array_size;
	struct hyp_buf scratch;
};

/*
 * Memory for an array argument of `size` bytes: the handle's own if it is large enough, else a
 * fresh buffer in *own, to be freed (always) with hyp_buf_free(own). NULL: no memory.
 */
void *hyp_array_get(struct hyp *hyp, struct hyp_buf *own, size_t size);

/* Make the call with the command and version words filled in; `op` comes back as answered. */
int hyp_run_domctl(struct hyp *hyp, struct xen_domctl *op, uint32_t cmd, domid_t domid);
int hyp_run_sysctl(struct hyp *hyp, struct xen_sysctl *op, uint32_t cmd);

#endif
