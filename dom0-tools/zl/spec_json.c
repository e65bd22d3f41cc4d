/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: a specification as JSON: c_info and b_info as `xl create -n` lays them out where the two
 * have the same keys, then disks, nics and the actions.
 */
#include <json-c/json.h>
#include <stdio.h>

#include "zl/json.h"
#include "zl/spec.h"

static struct json_object *disk_to_json(const struct disk_spec *disk)
{
	struct json_object *out = json_object_new_object();

	json_add_string(out, "pdev_path", disk->target);
	json_add_string(out, "vdev", disk->vdev);
	json_add_string(out, "format", disk_format_name(disk->format));
	json_add_bool(out, "readwrite", disk->writable);
	json_add_bool(out, "is_cdrom", disk->is_cdrom);
	json_add_int(out, "devid", disk->devid);
	if (disk->has_discard)
		json_add_bool(out, "discard_enable", disk->discard);
	return out;
}

static struct json_object *vif_to_json(const struct vif_spec *vif, uint32_t devid)
{
	struct json_object *out = json_object_new_object();
	const uint8_t *m = vif->mac;
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	json_add_int(out, "devid", devid);
	json_add_string(out, "mac", mac);
	json_add_string(out, "bridge", vif->bridge);
	json_add_string(out, "ip", vif->ip);
	json_add_string(out, "ifname", vif->vifname);
	json_add_string(out, "model", vif->model);
	if (vif->has_mtu)
		json_add_int(out, "mtu", vif->mtu);
	if (vif->rate_bytes) {
		json_add_int(out, "rate_bytes_per_interval", (int64_t)vif->rate_bytes);
		json_add_int(out, "rate_interval_usecs", vif->rate_interval_us);
	}
	return out;
}

static struct json_object *strings_to_json(char *const *strings, size_t nr)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(out, json_object_new_string(strings[i]));
	return out;
}

static struct json_object *ioports_to_json(const struct domain_spec *spec)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < spec->nr_ioports; i++) {
		const struct ioports *ports = &spec->ioports[i];
		struct json_object *range = json_object_new_object();

		json_add_int(range, "first", ports->first);
		json_add_int(range, "number", ports->last - ports->first + 1);
		json_object_array_add(out, range);
	}
	return out;
}

static struct json_object *vnc_to_json(const struct model_config *model)
{
	struct json_object *out = json_object_new_object();

	json_add_bool(out, "enable", model->has_vnc);
	if (!model->has_vnc)
		return out;
	json_add_string(out, "listen", model->vnc_listen);
	json_add_int(out, "display", model->vnc_display);
	json_add_bool(out, "findunused", model->has_vnc_unused);
	json_add_bool(out, "has_password", model->vnc_password != NULL);
	return out;
}

static struct json_object *hvm_to_json(const struct hvm_spec *hvm)
{
	static const char *const vga_names[] = {
		[MODEL_VGA_STD] = "std", [MODEL_VGA_CIRRUS] = "cirrus", [MODEL_VGA_NONE] = "none"};
	const struct model_config *model = &hvm->model;
	struct json_object *out = json_object_new_object();
	struct json_object *vga = json_object_new_object();

	json_add_string(out, "firmware", hvm->loader);
	json_add_string(out, "bios", hvm->bios);
	json_add_string(out, "system_firmware", hvm->firmware);
	json_add_string(out, "device_model", model->program);
	json_add_bool(out, "acpi", model->has_acpi);
	json_add_bool(out, "apic", hvm->has_apic);
	json_add_bool(out, "hpet", hvm->has_hpet);
	json_add_string(out, "boot", model->boot);
	json_add_string(vga, "kind", vga_names[model->vga]);
	json_object_object_add(out, "vga", vga);
	json_add_int(out, "video_memkb", (int64_t)model->videoram_mib << 10);
	json_object_object_add(out, "vnc", vnc_to_json(model));
	json_add_string(out, "keymap", model->keymap);
	json_add_bool(out, "usb", model->has_usb);
	json_object_object_add(out, "usbdevice_list",
			       strings_to_json(model->usb_devices, model->nr_usb_devices));
	json_object_object_add(out, "serial_list",
			       strings_to_json(model->serials, model->nr_serials));
	return out;
}

static struct json_object *build_to_json(const struct domain_spec *spec)
{
	struct json_object *out = json_object_new_object();

	json_add_int(out, "max_vcpus", spec->maxvcpus);
	json_add_int(out, "avail_vcpus", spec->vcpus);
	json_add_int(out, "max_memkb", (int64_t)spec->maxmem_kib);
	json_add_int(out, "target_memkb", (int64_t)spec->memory_kib);
	json_add_string(out, "kernel", spec->kernel);
	json_add_string(out, "ramdisk", spec->ramdisk);
	json_add_string(out, "cmdline", spec->cmdline);
	json_object_object_add(out, "vcpu_hard_affinity",
			       strings_to_json(spec->cpus, spec->nr_cpus));
	if (spec->weight)
		json_add_int(out, "weight", spec->weight);
	if (spec->has_cap)
		json_add_int(out, "cap", spec->cap);
	json_add_int(out, "tsc_mode", spec->tsc_mode);
	json_object_object_add(out, "ioports", ioports_to_json(spec));
	if (spec->type == DOMAIN_HVM)
		json_object_object_add(out, "type.hvm", hvm_to_json(&spec->hvm));
	return out;
}

struct json_object *spec_to_json(const struct domain_spec *spec)
{
	struct json_object *out = json_object_new_object();
	struct json_object *create = json_object_new_object();
	struct json_object *disks = json_object_new_array();
	struct json_object *vifs = json_object_new_array();
	char uuid[37];
	size_t i;

	uuid_format(spec->uuid, uuid);
	json_add_string(create, "type", domain_type_name(spec->type));
	json_add_string(create, "name", spec->name);
	json_add_string(create, "uuid", uuid);
	json_object_object_add(out, "c_info", create);
	json_object_object_add(out, "b_info", build_to_json(spec));
	for (i = 0; i < spec->nr_disks; i++)
		json_object_array_add(disks, disk_to_json(&spec->disks[i]));
	json_object_object_add(out, "disks", disks);
	for (i = 0; i < spec->nr_vifs; i++)
		json_object_array_add(vifs,
				      vif_to_json(&spec->vifs[i], spec->vifs[i].has_devid
									  ? spec->vifs[i].devid
									  : (uint32_t)i));
	json_object_object_add(out, "nics", vifs);
	json_add_string(out, "on_poweroff", lifecycle_action_name(spec->actions.on_poweroff));
	json_add_string(out, "on_reboot", lifecycle_action_name(spec->actions.on_reboot));
	json_add_string(out, "on_watchdog", lifecycle_action_name(spec->actions.on_watchdog));
	json_add_string(out, "on_crash", lifecycle_action_name(spec->actions.on_crash));
	return out;
}
