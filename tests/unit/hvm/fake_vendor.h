/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU vendor's virtualization for the tests of hvm/: nested page-table
 * entries of a format of its own, segments and registers in plain memory.
 */
#ifndef FAKE_VENDOR_H
#define FAKE_VENDOR_H

#include "fake.h"
#include "hvm/state.h"
#include "hvm/vendor.h"

extern struct hvm_vendor fake_vendor; /* hvm_vendor points to it */
extern unsigned int fake_cpl;	      /* what cpl() says */
extern struct hvm_segment fake_segments[HVM_SEGMENTS]; /* of every vCPU */

/* A domain of type HVM with nr_vcpus vCPUs, hvm parts zeroed, freed by fake_hvm_free. */
struct domain *fake_hvm_domain(domid_t id, unsigned int nr_vcpus);
void fake_hvm_free(struct domain *d);

#endif
