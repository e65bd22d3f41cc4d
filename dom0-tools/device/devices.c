/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: the devices of one domain as a whole: checked, opened, listed for the store. Waiting
 * for their back ends is devices_wait.c's, their removal devices_remove.c's.
 */
#include "device/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "device/net.h"

uint32_t devices_vif_id(const struct domain_devices *devices, size_t i)
{
	return devices->vifs[i].has_devid ? devices->vifs[i].devid : (uint32_t)i;
}

bool devices_has_backend(const struct domain_devices *devices, size_t i)
{
	return !devices->has_model || !devices->disks[i].is_cdrom;
}

static int devices_check_numbers(const struct domain_devices *devices, struct device_error *error)
{
	size_t i, j;

	for (i = 0; i < devices->nr_disks; i++)
		for (j = 0; j < i; j++)
			if (devices->disks[i].devid == devices->disks[j].devid)
				return device_error_set(error, -EEXIST,
							"disk %s is there twice; each needs a "
							"name of its own",
							devices->disks[i].vdev);
	for (i = 0; i < devices->nr_vifs; i++)
		for (j = 0; j < i; j++)
			if (devices_vif_id(devices, i) == devices_vif_id(devices, j))
				return device_error_set(error, -EEXIST,
							"vif %u is there twice; each needs a devid "
							"of its own",
							devices_vif_id(devices, i));
	return 0;
}

static int devices_check(const struct domain_devices *devices, struct device_error *error)
{
	int rc = devices_check_numbers(devices, error);
	size_t i;

	for (i = 0; !rc && i < devices->nr_disks; i++)
		rc = block_check(&devices->disks[i], devices->has_model, error);
	for (i = 0; !rc && i < devices->nr_vifs; i++)
		rc = net_check(&devices->vifs[i], devices_vif_id(devices, i), devices->has_model,
			       error);
	return rc;
}

int devices_open(struct domain_devices *devices, const char *domain_name,
		 struct device_error *error)
{
	char tag[64];
	size_t i;
	int rc = devices_check(devices, error);

	if (rc || !devices->nr_disks)
		return rc;
	devices->blocks = calloc(devices->nr_disks, sizeof(*devices->blocks));
	if (!devices->blocks)
		return device_error_set(error, -ENOMEM, "out of memory");
	for (i = 0; i < devices->nr_disks; i++) {
		devices->blocks[i].fd = -1;
		devices->blocks[i].file_fd = -1;
	}
	for (i = 0; i < devices->nr_disks; i++) {
		snprintf(tag, sizeof(tag), "zl:%.40s:%s", domain_name, devices->disks[i].vdev);
		rc = block_open(&devices->disks[i], devices_has_backend(devices, i) ? tag : NULL,
				&devices->blocks[i], error);
		if (rc)
			goto close_devices;
	}
	return 0;

close_devices:
	devices_close(devices);
	return rc;
}

void devices_close(struct domain_devices *devices)
{
	size_t i;

	for (i = 0; devices->blocks && i < devices->nr_disks; i++)
		block_close(&devices->blocks[i]);
	free(devices->blocks);
	devices->blocks = NULL;
}

void devices_add_entries(struct store_entries *list, unsigned int domid,
			 const struct domain_devices *devices)
{
	const struct entry_access guest_reads = {.owner = 0, .reader = domid};
	char dir[64];
	size_t i;

	snprintf(dir, sizeof(dir), "/local/domain/%u/device", domid);
	entries_dir(list, dir, guest_reads);
	for (i = 0; i < devices->nr_disks; i++)
		if (devices_has_backend(devices, i))
			block_add_entries(list, domid, &devices->disks[i], &devices->blocks[i]);
	for (i = 0; i < devices->nr_vifs; i++)
		net_add_entries(list, domid, devices_vif_id(devices, i), &devices->vifs[i]);
}
