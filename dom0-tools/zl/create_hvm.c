/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the steps of making a domain that only HVM domains have: finding the program that starts in
 * it, and its device model.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "zl/create.h"
#include "zl/reason.h"
#include "zl/zl.h"

#define MODEL_TIMEOUT_MS 60000

/* What QEMU's cards keep in memory of the guest's account: their ROMs, each of 256 KiB or less. */
#define MODEL_ROMS_KIB 4096

int creation_find_loader(struct creation *c)
{
	const char *best = NULL;
	glob_t found;
	int rc = 0;

	if (c->spec->hvm.loader) {
		snprintf(c->loader, sizeof(c->loader), "%s", c->spec->hvm.loader);
		return 0;
	}
	if (glob("/usr/lib/xen*/boot/hvmloader", 0, NULL, &found))
		return creation_fail(c, -ENOENT,
				     "no hvmloader in /usr/lib/xen-*/boot: is xen-utils installed "
				     "in dom0? (or set firmware_override)");
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!best || strverscmp(found.gl_pathv[i], best) > 0)
			best = found.gl_pathv[i];
	if (!best)
		rc = creation_fail(c, -ENOENT, "no hvmloader");
	else
		snprintf(c->loader, sizeof(c->loader), "%s", best);
	globfree(&found);
	return rc;
}

void creation_set_hvm_params(const struct creation *c, struct build_params *params)
{
	const struct hvm_spec *hvm = &c->spec->hvm;
	uint64_t video_kib = (uint64_t)hvm->model.videoram_mib << 10;

	params->boot_kernel = params->kernel;
	params->boot_ramdisk = params->ramdisk;
	params->kernel = c->loader;
	params->firmware = hvm->firmware;
	params->ramdisk = NULL;
	params->cmdline = NULL;
	params->memory_kib -= video_kib;
	params->maxmem_kib -= video_kib;
	params->device_kib = video_kib + MODEL_ROMS_KIB;
	params->online_vcpus = c->spec->vcpus;
	params->has_apic = hvm->has_apic;
	params->has_hpet = hvm->has_hpet;
}

static int write_model_nodes(struct creation *c)
{
	struct store_entries list;
	int rc;

	entries_init(&list);
	model_add_entries(&list, &c->model, &c->spec->hvm.model, c->record.domid);
	rc = entries_write(c->zl->store, &list);
	entries_fini(&list);
	return rc ? creation_fail(c, rc, "writing to the store: %s", strerror(-rc)) : 0;
}

int creation_start_model(struct creation *c, int boot_fd)
{
	const struct domain_spec *spec = c->spec;
	struct model_domain domain = {
		.domid = c->record.domid,
		.name = spec->name,
		.ram_mib = spec->memory_kib / 1024 - spec->hvm.model.videoram_mib,
		.vcpus = spec->vcpus,
		.maxvcpus = spec->maxvcpus,
		.boot_fd = boot_fd,
		.kernel = spec->kernel,
		.ramdisk = spec->ramdisk,
		.cmdline = spec->cmdline,
		.devices = &c->devices,
	};
	struct device_error error = {""};
	char log[160];
	int rc;

	if (spec->type != DOMAIN_HVM)
		return 0;
	creation_show(c, "starting the device model");
	mkdir("/var/log", 0755);
	mkdir(ZL_LOG_DIR, 0755);
	snprintf(log, sizeof(log), ZL_LOG_DIR "/model-%s.log", spec->name);
	rc = model_start(&c->model, &spec->hvm.model, &domain, log, MODEL_TIMEOUT_MS, c->cancel_fd,
			 &error);
	return rc ? creation_fail(c, rc, "%s", error.text) : write_model_nodes(c);
}
