/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of XEN_DOMCTL_gethvmcontext and sethvmcontext (public
 * hvm/save.h): each owner of state describes its own in a const table, and
 * context.c, which knows the stream, walks the tables.
 */
#ifndef HVM_CONTEXT_H
#define HVM_CONTEXT_H

#include "lib/types.h"

/* One type of record.  The domain is paused, and no vCPU of it runs, in both functions. */
struct hvm_save_kind {
	uint16_t type;	    /* HVM_SAVE_CODE() */
	uint16_t instances; /* 0: one for each vCPU, instance is its id */
	uint32_t size;	    /* of a record, whole; rec is zeroed before a save */
	/* 0, or -ENODEV: the domain has no such device, no record is made */
	int (*save)(struct domain *d, unsigned int instance, void *rec);
	/*
	 * 0; -EINVAL: a state that the hardware cannot have; -ENODEV.  Nothing has changed
	 * unless 0.  The instance is one there is; rec is aligned to 8.
	 */
	int (*load)(struct domain *d, unsigned int instance, const void *rec);
};

/* LAPIC, PIC, I/O APIC, lines, PIT, RTC, HPET, PM timer: platform_context.c */
extern const struct hvm_save_kind hvm_platform_save_kinds[];
extern const unsigned int hvm_platform_nr_save_kinds;

#endif
