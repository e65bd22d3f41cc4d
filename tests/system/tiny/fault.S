/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a triple fault is to a PV guest: an exception with no handler to take it, on a stack that
 * does not exist either.
 */
#include "notes.h"

_start:
	xor	%esp, %esp
	ud2
