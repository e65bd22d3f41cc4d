/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzmodel only: the links of dom0 behind emulated network cards. Each is on the same
 * bridge as the interface's PV half, and gone when the last descriptor is closed.
 */
#ifndef ZENDO_MODEL_TAP_H
#define ZENDO_MODEL_TAP_H

#include "config/vif.h"
#include "device/error.h"

/* A descriptor of the link vifDOMID.ID-emu, or -E. */
int tap_open(const struct vif_spec *vif, unsigned int domid, uint32_t devid,
	     struct device_error *error);

#endif
