/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzbuild: makes a domain from a kernel, a ramdisk and a command line: creates it, gives it
 * memory, loads it and leaves it paused, ready to be unpaused. All or nothing: when a builder
 * returns an error, the domain and all its memory are gone again.
 *
 * Store entries, devices, affinity and weights are the caller's, between build and unpause.
 */
#ifndef ZENDO_BUILDER_BUILD_H
#define ZENDO_BUILDER_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/error.h"
#include "hyp/abi.h"

struct hyp;

#define BUILD_CACHE_DIR "/var/cache/zendo"

enum build_stage {
	BUILD_READ_KERNEL, /* open and, unless cached, unpack */
	BUILD_CREATE,	   /* the domain exists from here on */
	BUILD_POPULATE,	   /* memory */
	BUILD_LOAD,	   /* kernel and ramdisk into it */
	BUILD_START_STATE, /* page tables, start_info, grants, vCPU 0 */
	BUILD_DONE,
};

struct build_params {
	const char *kernel;
	const char *ramdisk;   /* NULL: none. Handed to the guest as it is, compressed or not */
	const char *cmdline;   /* NULL: empty */
	const char *cache_dir; /* for unpacked kernels; NULL: none; see kernel_open() */
	uint8_t uuid[16];
	domid_t domid;	     /* 0: the hypervisor chooses */
	uint64_t memory_kib; /* what the domain starts with */
	uint64_t maxmem_kib; /* the ceiling; 0: the same */
	uint32_t max_vcpus;  /* 1 and up; all start through the guest's own vcpu_op */
	uint32_t ssidref;
	uint32_t cpupool;
	uint32_t tsc_mode;	  /* 0 default, 1 always emulate, 2 native */
	uint32_t timer_mode;	  /* HVMPTM_*; not for PV */
	bool has_reliable_tsc;	  /* PVH: the TSCs of all CPUs agree */
	const char *firmware;	  /* HVM: what the first stage (`kernel`) starts; else NULL */
	const char *boot_kernel;  /* HVM: what firmware starts in place of a boot loader, or NULL */
	const char *boot_ramdisk; /* HVM: with it, or NULL */
	uint32_t online_vcpus;	  /* HVM: of which its firmware tells at first */
	uint64_t device_kib;	  /* HVM: memory besides its RAM for what its device model maps */
	bool has_apic;		  /* HVM */
	bool has_hpet;		  /* HVM */
	int32_t max_grant_frames; /* < 0: the hypervisor's default */
	int32_t max_maptrack_frames;
	uint32_t max_event_channels; /* 0: 1023, as stock tools */
	domid_t store_domid;	     /* who serves the store and the console: 0 for dom0 */
	domid_t console_domid;
	/* Called as each stage begins, when not NULL; a nonzero return stops the build with it. */
	int (*progress)(void *arg, enum build_stage stage, domid_t domid);
	void *progress_arg;
};

struct build_result {
	domid_t domid;
	uint32_t store_port; /* the guest's ends of its two event channels */
	uint32_t console_port;
	xen_pfn_t store_mfn;
	xen_pfn_t console_mfn;
	uint64_t nr_pages;
	/*
	 * HVM: a kernel image for the device model, by which boot_kernel and boot_ramdisk start
	 * that are in memory already: the caller closes it.  -1: the device model has to load them.
	 */
	int boot_fd;
};

/* Frames in the result are what the guest grants: machine frames of PV, its own of others. */

/* Fill in everything that has a default; the caller then sets kernel, memory and so on. */
void build_params_init(struct build_params *params);

/*
 * Build a 64-bit PV domain. Errors: those of kernel_open(); -EINVAL: parameters; -ENOMEM: the
 * machine has not enough free memory, or this process has not; -ERANGE: does not fit in the
 * guest's memory; or what the hypervisor said.
 */
int build_pv(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	     struct build_error *error);
/* Build a PVH domain. Errors as above. */
int build_pvh(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	      struct build_error *error);
/*
 * Build an HVM domain: `kernel` is the first program that runs in it (hvmloader), `firmware` what
 * that starts (SeaBIOS, OVMF); no ramdisk, no command line. Its device model must be there before
 * it is unpaused. Errors as above.
 */
int build_hvm(struct hyp *hyp, const struct build_params *params, struct build_result *result,
	      struct build_error *error);

#endif
