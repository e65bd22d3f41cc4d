/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: what a configuration asks for, checked and with every default filled in: the one form of a
 * domain that creation, the monitor (for restarts) and `zl create -n` work from.
 */
#ifndef ZENDO_ZL_SPEC_H
#define ZENDO_ZL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/cpulist.h"
#include "config/disk.h"
#include "config/ioports.h"
#include "config/vif.h"
#include "model/model.h"
#include "zl/lifecycle.h"

struct json_object;

#define SPEC_NAME_MAX  63
#define SPEC_VCPUS_MAX 512
/* Of domains that are not PV: as many as there are APIC IDs for. */
#define SPEC_VCPUS_MAX_HVM 128

enum domain_type {
	DOMAIN_PV,
	DOMAIN_PVH,
	DOMAIN_HVM,
};

/* What only HVM domains have. */
struct hvm_spec {
	char *loader;	  /* the first program: hvmloader; NULL: found when it is needed */
	char *firmware;	  /* the file of the firmware */
	const char *bios; /* "seabios", "ovmf" */
	bool has_apic;
	bool has_hpet;
	struct model_config model;
};

struct domain_spec {
	char *name;
	uint8_t uuid[16];
	enum domain_type type;
	char *kernel;  /* NULL: an HVM domain boots from its disks */
	char *ramdisk; /* or NULL */
	char *cmdline; /* never NULL */
	uint64_t memory_kib;
	uint64_t maxmem_kib;
	uint32_t vcpus; /* online at the start */
	uint32_t maxvcpus;
	char **cpus; /* affinity: one list for all vCPUs, or one for each; NULL: any CPU */
	size_t nr_cpus;
	uint32_t weight; /* 0: the scheduler's default */
	uint32_t cap;
	bool has_cap;
	uint32_t tsc_mode;
	uint32_t timer_mode; /* not for PV */
	struct disk_spec *disks;
	size_t nr_disks;
	struct vif_spec *vifs;
	size_t nr_vifs;
	struct ioports *ioports; /* of the machine, handed to it */
	size_t nr_ioports;
	struct lifecycle_actions actions;
	struct hvm_spec hvm; /* empty for others */
};

/*
 * Read a parsed configuration; marks its keys as known. On error `error` is filled and nothing is
 * left in *spec. A missing UUID and missing MACs are chosen at random.
 */
int spec_read(struct config *config, struct domain_spec *spec, struct config_error *error);
void spec_free(struct domain_spec *spec);

/* May a domain be called so? Not empty, not a number, no '/', no control characters. */
bool spec_is_name(const char *name);

/* "pv", "pvh", "hvm". */
const char *domain_type_name(enum domain_type type);

int uuid_parse(const char *text, uint8_t uuid[16]);
/* `text` holds 37 bytes. */
void uuid_format(const uint8_t uuid[16], char *text);
int uuid_choose(uint8_t uuid[16]);

/* The whole specification, in the layout of `zl create -n`. The caller puts it. */
struct json_object *spec_to_json(const struct domain_spec *spec);

#endif
