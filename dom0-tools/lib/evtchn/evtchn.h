/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzevtchn: event channels of this domain, through /dev/xen/evtchn.  The
 * ports a handle holds are closed with it, also when the process is killed.
 * Functions return 0 (or a port) or -E.
 */
#ifndef ZENDO_EVTCHN_H
#define ZENDO_EVTCHN_H

#include <stdint.h>

struct zevtchn;

/* The descriptor is non-blocking and close-on-exec. */
int zevtchn_open(struct zevtchn **evtchn);
void zevtchn_close(struct zevtchn *evtchn);
int zevtchn_fd(const struct zevtchn *evtchn);

/* Each returns the local port. */
int zevtchn_bind_interdomain(struct zevtchn *evtchn, unsigned int domid, unsigned int remote_port);
int zevtchn_bind_virq(struct zevtchn *evtchn, unsigned int virq);
int zevtchn_bind_unbound(struct zevtchn *evtchn, unsigned int domid);

int zevtchn_unbind(struct zevtchn *evtchn, unsigned int port);
int zevtchn_notify(struct zevtchn *evtchn, unsigned int port);
/* The next port that fired (it is masked until unmasked), or -EAGAIN. */
int zevtchn_pending(struct zevtchn *evtchn);
int zevtchn_unmask(struct zevtchn *evtchn, unsigned int port);

#endif
