/* SPDX-License-Identifier: BSD-2-Clause */
/* The save records of the virtual platform's devices. */
#include "hvm/context.h"
const struct hvm_save_kind hvm_platform_save_kinds[] = {{0}};
const unsigned int hvm_platform_nr_save_kinds = 0;
