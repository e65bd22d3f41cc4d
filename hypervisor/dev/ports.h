/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the machine's I/O ports a domain may have.  dom0 begins with all of
 * these, and what is passed on to others is what one has: a port that is not
 * among them is nobody's, PV or HVM.
 */
#ifndef DEV_PORTS_H
#define DEV_PORTS_H

#include "lib/types.h"

struct rangeset;

/* Adds to an empty set every port but those that the hypervisor keeps; -ENOMEM. */
init_text must_check int ports_grant(struct rangeset *r);

#endif
