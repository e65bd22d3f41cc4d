/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that loops for ever with its events masked: it never yields, blocks or answers. */
#include "notes.h"

_start:
	jmp	_start
