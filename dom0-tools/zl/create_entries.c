/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: a new domain's nodes in the store, as xenstore-paths(7) lists them. A guest may write only
 * in its own corners: the shutdown and feature nodes under control, and data, drivers, feature,
 * attr and error. Devices are libzdevice's.
 */
#include <stdio.h>

#include <xen/hvm/hvm_xs_strings.h>

#include "zl/create.h"

/* The console ring of a stopped reader may hold this many bytes in the daemon. */
#define CONSOLE_LIMIT 1048576

static void add_vm(struct store_entries *list, const struct domain_spec *spec,
		   struct entry_access guest_reads, const char *uuid, long long start_time)
{
	char vm[64];

	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	entries_remove(list, vm);
	entries_dir(list, vm, guest_reads);
	entries_set(list, vm, "name", "%s", spec->name);
	entries_set(list, vm, "uuid", "%s", uuid);
	entries_set(list, vm, "start_time", "%lld", start_time);
	entries_set(list, vm, "image/ostype", spec->type == DOMAIN_HVM ? "hvm" : "linux");
	if (spec->kernel)
		entries_set(list, vm, "image/kernel", "%s", spec->kernel);
	if (spec->ramdisk)
		entries_set(list, vm, "image/ramdisk", "%s", spec->ramdisk);
	entries_set(list, vm, "image/cmdline", "%s", spec->cmdline);
}

static void add_control(struct store_entries *list, const char *dom, domid_t domid)
{
	static const char *const writable[] = {"control/shutdown",
					       "control/sysrq",
					       "control/feature-poweroff",
					       "control/feature-reboot",
					       "control/feature-suspend",
					       "data",
					       "drivers",
					       "feature",
					       "attr",
					       "error",
					       "device/suspend/event-channel"};
	const struct entry_access guest_owns = {.owner = domid, .reader = domid};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dom, writable[i]);
		entries_dir(list, path, guest_owns);
	}
	entries_set(list, dom, "control/platform-feature-multiprocessor-suspend", "1");
	entries_set(list, dom, "control/platform-feature-xs_reset_watches", "1");
}

static void add_rings(struct store_entries *list, const char *dom, const struct build_result *built)
{
	entries_set(list, dom, "store/ring-ref", "%lu", (unsigned long)built->store_mfn);
	entries_set(list, dom, "store/port", "%u", built->store_port);
	entries_set(list, dom, "console/ring-ref", "%lu", (unsigned long)built->console_mfn);
	entries_set(list, dom, "console/port", "%u", built->console_port);
	entries_set(list, dom, "console/limit", "%d", CONSOLE_LIMIT);
	entries_set(list, dom, "console/type", "xenconsoled");
	entries_set(list, dom, "console/output", "pty");
	entries_set(list, dom, "console/tty", "%s", "");
}

static void add_vcpus(struct store_entries *list, const char *dom, const struct domain_spec *spec)
{
	char key[32];
	uint32_t i;

	for (i = 0; i < spec->maxvcpus; i++) {
		snprintf(key, sizeof(key), "cpu/%u/availability", i);
		entries_set(list, dom, key, "%s", i < spec->vcpus ? "online" : "offline");
	}
}

/* What an earlier domain of this number, whoever made it, may have left. */
static void add_removals(struct store_entries *list, const char *dom, domid_t domid)
{
	static const char *const types[] = {"vbd", "vif"};
	char path[64];
	size_t i;

	entries_remove(list, dom);
	snprintf(path, sizeof(path), "/local/domain/0/device-model/%u", domid);
	entries_remove(list, path);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u", types[i], domid);
		entries_remove(list, path);
	}
}

/*
 * What hvmloader reads (xen/hvm/hvm_xs_strings.h), and where the device model keeps what it must
 * know after a restart of its domain.
 */
static void add_hvm(struct store_entries *list, const char *dom, domid_t domid,
		    const struct domain_spec *spec)
{
	const struct entry_access dom0_only = {.owner = 0, .reader = 0};
	char path[64];

	entries_set(list, dom, HVM_XS_BIOS, "%s", spec->hvm.bios);
	entries_set(list, dom, HVM_XS_ALLOW_MEMORY_RELOCATE, "0");
	entries_set(list, dom, "platform/acpi", "%d", spec->hvm.model.has_acpi);
	entries_set(list, dom, "platform/acpi_s3", "0");
	entries_set(list, dom, "platform/acpi_s4", "0");
	entries_set(list, dom, "platform/acpi_laptop_slate", "0");
	snprintf(path, sizeof(path), "/local/domain/0/device-model/%u", domid);
	entries_dir(list, path, dom0_only);
}

/*
 * A guest whose memory is translated takes the difference between static-max and what it was given
 * at its start for memory that is not its own: Linux' drivers/xen/xen-balloon.c. Its static-max is
 * what it starts with; how far it may grow the hypervisor knows.
 */
static uint64_t static_max_kib(const struct domain_spec *spec)
{
	return spec->type == DOMAIN_PV ? spec->maxmem_kib : spec->memory_kib;
}

void domain_add_entries(struct store_entries *list, const struct domain_spec *spec,
			const struct domain_devices *devices, const struct build_result *built,
			long long start_time)
{
	const struct entry_access guest_reads = {.owner = 0, .reader = built->domid};
	char dom[32], uuid[37];

	snprintf(dom, sizeof(dom), "/local/domain/%u", built->domid);
	uuid_format(spec->uuid, uuid);
	add_removals(list, dom, built->domid);
	add_vm(list, spec, guest_reads, uuid, start_time);

	entries_dir(list, dom, guest_reads);
	entries_set(list, dom, "vm", "/vm/%s", uuid);
	entries_set(list, dom, "name", "%s", spec->name);
	entries_set(list, dom, "domid", "%u", built->domid);
	entries_set(list, dom, "memory/static-max", "%llu",
		    (unsigned long long)static_max_kib(spec));
	entries_set(list, dom, "memory/target", "%llu", (unsigned long long)spec->memory_kib);
	add_vcpus(list, dom, spec);
	add_rings(list, dom, built);
	if (spec->type == DOMAIN_HVM)
		add_hvm(list, dom, built->domid, spec);
	devices_add_entries(list, built->domid, devices);
	add_control(list, dom, built->domid);
}
