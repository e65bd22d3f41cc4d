/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzmodel only: the rights of a device model. It begins as root, to open what Xen's
 * libraries open by name, and by QEMU's own -runas, -chroot and -xen-domid-restrict ends, before
 * the guest runs, as a user of its own, in an empty directory, with hypercalls for its domain only.
 * What is here holds from the first instruction on: no network, few capabilities, no system calls
 * that a device model has no use for, nothing new by exec, bounds on files and threads.
 */
#ifndef ZENDO_MODEL_CONFINE_H
#define ZENDO_MODEL_CONFINE_H

#include <sys/types.h>

/*
 * Users of their own, one for each domain, above every range that Debian Policy and systemd give
 * away; and as many again who end their processes and cannot be ended by them.
 */
#define CONFINE_UID_BASE    0x7a000000u
#define CONFINE_REAPER_BASE 0x7a010000u

/*
 * In the child, single-threaded, before exec. 0 or -E, with *what saying what was refused. With
 * it, the process dies with its parent until it has become another user than root.
 */
int confine_self(const char **what);

/* End every process of the user, which must be one of the above, and wait for nothing. */
void confine_kill(uid_t uid, uid_t reaper);

#endif
