/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the process behind each domain. `zl create` forks it once; it makes the domain, then stays
 * as the monitor that carries out on_poweroff and its kin. When `zl create` is killed while the
 * domain is being made, it undoes all and ends; when it is killed itself, its parent, or the next
 * `zl create`, sweeps up.
 */
#ifndef ZENDO_ZL_SUPERVISE_H
#define ZENDO_ZL_SUPERVISE_H

#include <stdbool.h>

#include "hyp/abi.h"
#include "zl/spec.h"

struct supervise_options {
	bool quiet;
	bool paused;	/* do not start the domain */
	bool unwatched; /* end once it runs; nobody performs the actions */
};

/* The parent's end. */
struct supervisor {
	int fd;
	domid_t domid;
};

/*
 * Fork the supervisor. In the child, never returns. 0 in the parent, or -E. Nothing but the
 * standard descriptors may be open that the child should not have.
 */
int supervisor_start(struct supervisor *supervisor, const struct domain_spec *spec,
		     const struct supervise_options *options);

/* Wait until the domain is built: 0, or -ECHILD when it failed, which the child reported. */
int supervisor_wait_built(struct supervisor *supervisor);
/* Let it run, and wait until it does. -ECHILD as above. */
int supervisor_go(struct supervisor *supervisor);
/* Let go; what is not built by then is undone. */
void supervisor_end(struct supervisor *supervisor);

#endif
