/* SPDX-License-Identifier: BSD-2-Clause */
/* The first domain, built from the boot modules. */
#ifndef DOMAIN_DOM0_H
#define DOMAIN_DOM0_H

#include "lib/types.h"

struct boot_info;

/*
 * Makes dom0, paused by its controller like any new domain, and sets the
 * global dom0; panics, saying why, if it cannot.  Options: dom0_mem=SIZE,
 * dom0_mem=SIZE,max:SIZE, dom0_max_vcpus=N.
 */
init_text void dom0_build(const struct boot_info *bi);

/*
 * A size as dom0_mem= gives it: digits with K, M, G or, as stock Xen reads
 * it, none for K.  False if it is something else.  *end: what follows.
 */
must_check bool dom0_size_parse(const char *s, uint64_t *bytes, const char **end);

#endif
