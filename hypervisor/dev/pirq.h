/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside dev/: a domain's pirq table, for physdev.c.  dev/irq.h has what others call. */
#ifndef DEV_PIRQ_H
#define DEV_PIRQ_H

#include "dev/msi.h"
#include "lib/types.h"

/*
 * Give an interrupt a number: *pirq, or one that fits if it is negative.  0,
 * -EINVAL, -EEXIST (number taken), -ENOSPC; MSIs also as msi_probe.
 */
must_check int pirq_map_gsi(struct domain *d, unsigned int gsi, int *pirq);
must_check int pirq_map_msi(struct domain *d, const struct msi_request *r, int *pirq);
/* Ends a mapping, and the binding if there is one. 0 or -EINVAL */
must_check int pirq_unmap(struct domain *d, unsigned int pirq);
/* A number free for an MSI, or -ENOSPC. */
must_check int pirq_find_free(struct domain *d);
/* 0 or -EINVAL */
must_check int pirq_needs_eoi(struct domain *d, unsigned int pirq, bool *needs);
/* 0, -EINVAL, -EBUSY (bound, and different) */
must_check int pirq_set_trigger(struct domain *d, unsigned int gsi, bool level, bool low);
/* The page that shows which pirqs need an eoi: 0, -EINVAL (not its), -EBUSY (has one). */
must_check int pirq_set_eoi_page(struct domain *d, mfn_t mfn);
/* A device's messages, again. */
void pirq_restore_device(struct domain *d, uint8_t bus, uint8_t devfn);
bool pirq_device_uses_msix(struct domain *d, uint8_t bus, uint8_t devfn);

#endif
