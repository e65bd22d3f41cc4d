/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ABI's error numbers (xen/errno.h), under their plain names.  On the
 * host they are libc's, which have the same values on x86 Linux.
 */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#ifdef ZENDO_HOST
#include <errno.h>
#define ERESTART 85
#else
#define XEN_ERRNO(name, value) name = value,
enum {
#include <xen/errno.h>
	/* internal, never shown to a guest: "call again", with nothing or with a part done */
	EINTR = 4,
	ERESTART = 85,
};
#endif

#endif
