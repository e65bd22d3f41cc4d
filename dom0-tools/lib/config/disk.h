/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzconfig: one disk of a domain, as xl-disk-configuration(5) writes it: positional
 * "TARGET,FORMAT,VDEV,ACCESS", key=value, or both, and the older "phy:", "file:", "raw:" prefixes.
 * Parsing only: that the target exists is for whoever attaches the disk.
 */
#ifndef ZENDO_CONFIG_DISK_H
#define ZENDO_CONFIG_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum disk_format {
	DISK_FORMAT_RAW,
	DISK_FORMAT_QCOW,
	DISK_FORMAT_QCOW2,
	DISK_FORMAT_VHD,
	DISK_FORMAT_QED,
	DISK_FORMAT_EMPTY, /* a drive without a medium */
};

enum disk_backend {
	DISK_BACKEND_ANY, /* for the toolstack to choose */
	DISK_BACKEND_PHY,
	DISK_BACKEND_QDISK,
	DISK_BACKEND_TAP,
};

struct disk_spec {
	char *target;	/* path or block device; NULL only with DISK_FORMAT_EMPTY */
	char *vdev;	/* as written: xvda, xvdb1, hdc, sda, d0p1 or a number */
	char *script;	/* block script, or NULL */
	char *backend;	/* driver domain, or NULL for dom0 */
	uint32_t devid; /* the number of vdev, as frontend and store use it */
	enum disk_format format;
	enum disk_backend backend_type;
	bool writable;
	bool is_cdrom;
	bool has_discard; /* `discard` holds a choice */
	bool discard;
	bool direct_io_safe;
};

/*
 * `spec` is one string of the `disk` list. `error`->text then says what is wrong and what would be
 * right (without file and line, which the caller knows). Free with disk_spec_free() when 0.
 */
int disk_spec_parse(const char *spec, struct disk_spec *out, struct config_error *error);
void disk_spec_free(struct disk_spec *disk);

/* Virtual device name to number, by xen-vbd-interface(7). -EINVAL: not a device name. */
int disk_vdev_number(const char *vdev, uint32_t *devid);
const char *disk_format_name(enum disk_format format);

#endif
