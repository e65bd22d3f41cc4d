/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the keys that only HVM domains have: firmware, the machine, screen, ports. Keys of xl that
 * would change what the guest sees and are not offered are refused, never ignored.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zl/spec.h"
#include "zl/spec_reader.h"

#define VIDEORAM_MAX_MIB 256
#define USB_DEVICES_MAX	 8

static void refuse_keys(struct spec_reader *r)
{
	static const struct {
		const char *key;
		const char *why;
	} refused[] = {
		{"sdl", "SDL screens are not offered; use vnc = 1"},
		{"spice", "SPICE is not offered; use vnc = 1"},
		{"nestedhvm", "nested virtualization is not offered"},
		{"altp2m", "it is not offered"},
		{"viridian", "it is not offered"},
		{"gfx_passthru", "PCI passthrough is not offered"},
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && !r->rc; i++) {
		const char *value =
			has_key(r, refused[i].key) ? read_string(r, refused[i].key) : NULL;

		if (value && strcmp(value, "0"))
			reader_fail(r, refused[i].key, -EOPNOTSUPP, "%s=%s: %s", refused[i].key,
				    value, refused[i].why);
	}
}

static void read_firmware(struct spec_reader *r)
{
	static const struct {
		const char *bios;
		const char *file;
	} known[] = {
		{"seabios", "/usr/share/seabios/bios-256k.bin"},
		{"ovmf", "/usr/share/ovmf/OVMF.fd"},
	};
	struct hvm_spec *hvm = &r->spec->hvm;
	const char *bios = read_string(r, "bios"), *path = read_string(r, "bios_path_override");

	hvm->loader = copy_string(r, read_string(r, "firmware_override"));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !r->rc; i++) {
		if (strcmp(bios ? bios : "seabios", known[i].bios))
			continue;
		hvm->bios = known[i].bios;
		hvm->firmware = copy_string(r, path ? path : known[i].file);
		return;
	}
	if (!r->rc)
		reader_fail(r, "bios", -EINVAL, "expected \"seabios\" or \"ovmf\", found \"%s\"",
			    bios);
}

/* xl's letters: a floppy, c disk, d CD-ROM, n network. There is no floppy drive. */
static void read_boot_order(struct spec_reader *r)
{
	struct model_config *model = &r->spec->hvm.model;
	const char *boot = read_string(r, "boot");

	if (r->rc)
		return;
	if (!boot || !*boot)
		boot = "cda";
	if (strlen(boot) >= sizeof(model->boot) || boot[strspn(boot, "acdn")])
		return reader_fail(r, "boot", -EINVAL,
				   "expected letters of \"c\" (disk), \"d\" (CD-ROM) and \"n\" "
				   "(network), found \"%s\"",
				   boot);
	snprintf(model->boot, sizeof(model->boot), "%s", boot);
}

static void read_vga(struct spec_reader *r)
{
	static const char *const names[] = {
		[MODEL_VGA_STD] = "stdvga",
		[MODEL_VGA_CIRRUS] = "cirrus",
		[MODEL_VGA_NONE] = "none",
	};
	struct model_config *model = &r->spec->hvm.model;
	bool is_std = false;
	long long mib;
	uint32_t vga = MODEL_VGA_CIRRUS;

	read_bool(r, "stdvga", &is_std);
	if (is_std)
		vga = MODEL_VGA_STD;
	read_word(r, "vga", names, 3, &vga);
	model->vga = (enum model_vga)vga;
	mib = vga == MODEL_VGA_NONE ? 0 : vga == MODEL_VGA_STD ? 16 : 8;
	/* A power of two: how memory of PCI devices is decoded. */
	if (read_number(r, "videoram", 0, VIDEORAM_MAX_MIB, &mib) && mib & (mib - 1))
		reader_fail(r, "videoram", -EINVAL, "expected a power of two, found %lld", mib);
	else if (!r->rc && vga != MODEL_VGA_NONE && mib < (vga == MODEL_VGA_STD ? 1 : 4))
		reader_fail(r, "videoram", -ERANGE, "expected at least %d, found %lld",
			    vga == MODEL_VGA_STD ? 1 : 4, mib);
	model->videoram_mib = vga == MODEL_VGA_NONE ? 0 : (uint32_t)mib;
}

/* "ADDRESS" or "ADDRESS:DISPLAY"; an IPv6 address in brackets. */
static void read_vnc_listen(struct spec_reader *r, bool has_display)
{
	struct model_config *model = &r->spec->hvm.model;
	const char *listen = read_string(r, "vnclisten"), *colon;
	char *end, *text;
	unsigned long display;

	model->vnc_listen = copy_string(r, listen ? listen : "127.0.0.1");
	if (r->rc || !listen)
		return;
	text = model->vnc_listen;
	colon = strrchr(text, ':');
	if (colon && (*text == '[' ? colon[-1] == ']' : strchr(text, ':') == colon)) {
		display = strtoul(colon + 1, &end, 10);
		if (!colon[1] || *end || display >= MODEL_VNC_DISPLAYS || has_display)
			return reader_fail(r, "vnclisten", -EINVAL,
					   "expected ADDRESS or ADDRESS:DISPLAY, and vncdisplay "
					   "not as well, found \"%s\"",
					   listen);
		model->vnc_display = (uint32_t)display;
		model->has_vnc_unused = false;
		text[colon - text] = '\0';
	}
	if (*text == '[' && text[strlen(text) - 1] == ']') {
		text[strlen(text) - 1] = '\0';
		memmove(text, text + 1, strlen(text));
	}
}

static void read_vnc(struct spec_reader *r)
{
	struct model_config *model = &r->spec->hvm.model;
	const char *password = read_string(r, "vncpasswd");
	long long display = 0;
	bool has_display;

	model->has_vnc = model->vga != MODEL_VGA_NONE;
	read_bool(r, "vnc", &model->has_vnc);
	has_display = read_number(r, "vncdisplay", 0, MODEL_VNC_DISPLAYS - 1, &display);
	model->vnc_display = (uint32_t)display;
	model->has_vnc_unused = !has_display;
	read_vnc_listen(r, has_display);
	read_bool(r, "vncunused", &model->has_vnc_unused);
	if (password && *password) {
		/* VNC's own authentication looks at no more (RFC 6143, "VNC Authentication"). */
		if (strlen(password) > 8)
			return reader_fail(r, "vncpasswd", -E2BIG,
					   "expected at most 8 characters, found %zu",
					   strlen(password));
		model->vnc_password = copy_string(r, password);
	}
	model->keymap = copy_string(r, read_string(r, "keymap"));
	if (model->keymap &&
	    strspn(model->keymap, "abcdefghijklmnopqrstuvwxyz-") != strlen(model->keymap))
		reader_fail(r, "keymap", -EINVAL, "expected a name such as \"de\", found \"%s\"",
			    model->keymap);
}

static void read_usb(struct spec_reader *r)
{
	static const char *const names[] = {"tablet", "mouse", "keyboard"};
	struct model_config *model = &r->spec->hvm.model;

	read_copies(r, "usbdevice", USB_DEVICES_MAX, &model->usb_devices, &model->nr_usb_devices);
	model->has_usb = model->nr_usb_devices > 0;
	read_bool(r, "usb", &model->has_usb);
	if (!r->rc && model->nr_usb_devices && !model->has_usb)
		reader_fail(r, "usb", -EINVAL, "expected usb = 1 beside usbdevice, found 0");
	for (size_t i = 0; i < model->nr_usb_devices && !r->rc; i++) {
		size_t j = 0;

		while (j < 3 && strcmp(model->usb_devices[i], names[j]))
			j++;
		if (j == 3)
			reader_fail(r, "usbdevice", -EINVAL,
				    "expected \"tablet\", \"mouse\" or \"keyboard\", found \"%s\"",
				    model->usb_devices[i]);
	}
}

static void read_serials(struct spec_reader *r)
{
	struct model_config *model = &r->spec->hvm.model;

	read_copies(r, "serial", MODEL_SERIALS_MAX, &model->serials, &model->nr_serials);
	for (size_t i = 0; i < model->nr_serials && !r->rc; i++) {
		const char *serial = model->serials[i];

		if (strcmp(serial, "pty") && strcmp(serial, "none") &&
		    (strncmp(serial, "file:/", 6) || !serial[6]))
			reader_fail(r, "serial", -EINVAL,
				    "expected \"pty\", \"none\" or \"file:/PATH\", found \"%s\"",
				    serial);
	}
}

static void read_model(struct spec_reader *r)
{
	struct hvm_spec *hvm = &r->spec->hvm;
	const char *version = read_string(r, "device_model_version");
	const char *program = read_string(r, "device_model_override");

	if (version && strcmp(version, "qemu-xen"))
		reader_fail(r, "device_model_version", -EOPNOTSUPP,
			    "expected \"qemu-xen\", found \"%s\"", version);
	if (program && *program != '/')
		reader_fail(r, "device_model_override", -EINVAL, "expected a path, found \"%s\"",
			    program);
	hvm->model.program = copy_string(r, program ? program : MODEL_PROGRAM);
	hvm->model.has_acpi = hvm->has_apic = hvm->has_hpet = true;
	read_bool(r, "acpi", &hvm->model.has_acpi);
	read_bool(r, "apic", &hvm->has_apic);
	read_bool(r, "hpet", &hvm->has_hpet);
}

void read_hvm(struct spec_reader *r)
{
	refuse_keys(r);
	read_firmware(r);
	read_model(r);
	read_boot_order(r);
	read_vga(r);
	read_vnc(r);
	read_usb(r);
	read_serials(r);
	if (!r->rc && r->spec->vcpus > 1 && !r->spec->hvm.has_apic)
		reader_fail(r, "apic", -EINVAL, "expected apic = 1 for more than one vCPU");
	if (!r->rc && r->spec->memory_kib <= (uint64_t)r->spec->hvm.model.videoram_mib << 10)
		reader_fail(r, "memory", -ERANGE, "expected more than videoram (%u)",
			    r->spec->hvm.model.videoram_mib);
}
