/* SPDX-License-Identifier: BSD-2-Clause */
/* Which vendor's virtualization this machine has. */
#include "hvm/vendor.h"

const struct hvm_vendor *hvm_vendor;
