/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A translated domain with frames of its own in a real p2m, for the tests of
 * what lies above it; type references are plain counters here.
 */
#ifndef FAKE_RAM_H
#define FAKE_RAM_H

#include "fake_vendor.h"

/* Domain 6, one vCPU, which is current; ends by fake_ram_end, which checks that nothing is left. */
struct domain *fake_ram_domain(void);
void fake_ram_end(struct domain *d);
/* n frames at gfn.. */
void fake_ram_add(struct domain *d, uint64_t gfn, unsigned int n);
/* What is at that guest-physical address; the test fails if nothing is. */
void *fake_ram_at(struct domain *d, uint64_t gpa);
/* Called whenever a writable reference is taken. */
extern void (*fake_ram_writable_hook)(void);

#endif
