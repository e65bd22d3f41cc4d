/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp: typed access to the hypervisor from dom0, through /dev/xen/privcmd.
 *
 * This header owns the handle, hypercall buffers, the raw call and xen_version; domains are in
 * hyp/domain.h, the machine in hyp/system.h, memory and foreign maps in hyp/memory.h.
 *
 * Every function returns 0 (or a count, where said) or a negative error number: the hypervisor's
 * own -E when it refused, or the kernel's when the call could not be made. Nothing here prints or
 * exits. A handle may be used by one thread at a time; separate handles are independent.
 */
#ifndef ZENDO_HYP_H
#define ZENDO_HYP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;

/*
 * Open /dev/xen/privcmd. -ENOENT: not running on a hypervisor, or the xen-privcmd module is not
 * loaded; -EACCES: not root. The caller owns *out and gives it back with hyp_close(), which also
 * accepts NULL. Foreign maps and buffers may outlive the handle.
 */
int hyp_open(struct hyp **out);
void hyp_close(struct hyp *hyp);

/*
 * A hypercall buffer: page-aligned memory that stays resident at one machine address for as long
 * as it lives, so that the hypervisor can always copy to and from it. From /dev/xen/hypercall
 * where the kernel has it, else locked anonymous memory. Zeroed. `size` is in bytes, > 0.
 */
struct hyp_buf {
	void *data;
	size_t size;
};

int hyp_buf_alloc(struct hyp *hyp, struct hyp_buf *buf, size_t size);
void hyp_buf_free(struct hyp_buf *buf);

/*
 * Make a hypercall (`op` is a __HYPERVISOR_ number). Pointers among the arguments must point into
 * a hypercall buffer. Returns what the hypervisor returned, or -E.
 */
long hyp_call(struct hyp *hyp, unsigned int op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
	      uint64_t a5);

/* xen_version (17). Strings come back NUL-terminated, cut if longer than the buffer. */
int hyp_version_get(struct hyp *hyp, unsigned int *major, unsigned int *minor);
int hyp_version_get_extra(struct hyp *hyp, char *buf, size_t size);
int hyp_version_get_capabilities(struct hyp *hyp, char *buf, size_t size);
int hyp_version_get_changeset(struct hyp *hyp, char *buf, size_t size);
int hyp_version_get_cmdline(struct hyp *hyp, char *buf, size_t size);
int hyp_version_get_compile(struct hyp *hyp, struct xen_compile_info *info);
/* Do the TSCs of all CPUs agree? By CPUID, so not the handle's: only where a hypervisor answers. */
bool hyp_has_reliable_tsc(void);
int hyp_version_get_virt_start(struct hyp *hyp, uint64_t *virt_start);
/* `submap` chooses 32 XENFEAT_ bits: those from 32 * submap on. */
int hyp_version_get_features(struct hyp *hyp, unsigned int submap, uint32_t *features);
/* Returns the number of bytes of the build ID written to buf, or -E. */
int hyp_version_get_build_id(struct hyp *hyp, uint8_t *buf, size_t size);

#endif
