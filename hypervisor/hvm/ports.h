/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map by which a CPU decides whether an IN or OUT of an HVM domain is an
 * exit.  Bit n of the array is port n, 1 an exit; an access is one if any of
 * its bytes is.  SVM's I/O permission map and VMX' I/O bitmaps A and B, in a
 * row, are alike in that (AMD APM vol. 2, "I/O Permissions Map"; Intel SDM vol. 3,
 * "I/O-Bitmap Addresses").
 *
 * What is no exit is the machine's port, whatever a device model has there.
 * One thing does not work: INS or OUTS between such a port and the memory of an
 * emulated device is done again for ever, as the emulator makes no access to a
 * port that the CPU did not make an exit of.
 */
#ifndef HVM_PORTS_H
#define HVM_PORTS_H

#include "lib/types.h"

/* All are exits; -ENOMEM.  For each domain, with d->hvm there; fini undoes init. */
must_check int hvm_ports_init(struct domain *d);
void hvm_ports_fini(struct domain *d);
/* Three pages in a row, of which VMX looks at two. */
paddr_t hvm_ports_map(const struct domain *d);

#endif
