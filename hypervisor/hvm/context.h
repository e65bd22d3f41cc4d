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
	/* 0; > 0: the length of a shorter one; -ENODEV: the domain has no such device, no record */
	int (*save)(struct domain *d, unsigned int instance, void *rec);
	/*
	 * 0; -EINVAL: a state that the hardware cannot have; -ENODEV.  Nothing has changed
	 * unless 0.  The instance is one there is; rec is aligned to 8.
	 */
	int (*load)(struct domain *d, unsigned int instance, const void *rec);
	/* Optional: */
	uint32_t size_min; /* the least that is loaded, with zeros behind */
	/* 0 or -EINVAL, of each record of a set before any is loaded */
	int (*check)(const struct domain *d, unsigned int instance, const void *rec);
};

/* Registers and memory types: context_cpu.c */
extern const struct hvm_save_kind hvm_cpu_save_kinds[];
extern const unsigned int hvm_cpu_nr_save_kinds;
/* LAPIC, PIC, I/O APIC, lines, PIT, RTC, HPET, PM timer: platform_context.c */
extern const struct hvm_save_kind hvm_platform_save_kinds[];
extern const unsigned int hvm_platform_nr_save_kinds;

struct vcpu_guest_context;

/* As far as that form has them (XEN_DOMCTL_getvcpucontext): general and segment registers, CR0..4. */
void hvm_vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *ctx);

/* The most bytes a whole context has. */
size_t hvm_context_size(const struct domain *d);
/* All records into buf, of hvm_context_size(): how many bytes.  d is paused. */
size_t hvm_context_save(struct domain *d, void *buf);
/* One, without its descriptor: how many bytes; -EINVAL, -ENODEV, -ENOSPC (more than `size`). */
must_check int hvm_context_save_one(struct domain *d, unsigned int type, unsigned int instance,
				    void *buf, size_t size);
/* Sets what the records say: 0, -E.  d is paused. */
must_check int hvm_context_load(struct domain *d, const void *buf, size_t size);

#endif
