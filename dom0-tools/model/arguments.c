/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From configuration to QEMU's command line. The machine is the one that hvmloader and the PV
 * drivers' way of unplugging emulated devices are made for; files and links are named by
 * descriptors that are open already.
 */
#include "model/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xen-vbd-interface(7): how a device number says what it is. */
#define VDEV_IDE1     3u
#define VDEV_IDE2     22u
#define VDEV_IDE_STEP 64u /* minors of one drive */
#define VDEV_XVD      202u
#define VDEV_XVD_STEP 16u

__attribute__((format(printf, 2, 3))) static void add(struct arguments *args, const char *format,
						      ...)
{
	va_list list;
	char *word;
	int len;

	va_start(list, format);
	len = vasprintf(&word, format, list);
	va_end(list);
	if (len < 0 || args->nr == ARGUMENTS_MAX) {
		if (len >= 0)
			free(word);
		args->is_short = true;
		return;
	}
	args->words[args->nr++] = word;
}

/* The number that the descriptor will have. */
static int add_fd(struct arguments *args, int fd)
{
	if (args->nr_fds == ARGUMENTS_FDS_MAX) {
		args->is_short = true;
		return -1;
	}
	args->fds[args->nr_fds++] = fd;
	return ARGUMENTS_FIRST_FD + (int)args->nr_fds;
}

/* A comma within a value is written twice. */
static const char *escape(const char *text, char *buf, size_t size)
{
	size_t len = 0;

	for (; *text && len + 3 < size; text++) {
		buf[len++] = *text;
		if (*text == ',')
			buf[len++] = ',';
	}
	buf[len] = '\0';
	return buf;
}

static void add_machine(struct arguments *args, const struct model_config *config,
			const struct model_domain *domain)
{
	char name[256];

	add(args, "-machine");
	add(args, "xenfv,suppress-vmdesc=on");
	add(args, "-name");
	add(args, "%s", escape(domain->name, name, sizeof(name)));
	add(args, "-m");
	add(args, "%llu", (unsigned long long)domain->ram_mib);
	add(args, "-smp");
	add(args, "%u,maxcpus=%u", domain->vcpus, domain->maxvcpus);
	add(args, "-boot");
	add(args, "order=%s", config->boot);
	if (!config->has_acpi)
		add(args, "-no-acpi");
}

static void add_kernel(struct arguments *args, const struct model_domain *domain)
{
	if (domain->boot_fd < 0 && !domain->kernel)
		return;
	add(args, "-kernel");
	if (domain->boot_fd >= 0)
		add(args, "/proc/self/fd/%d", add_fd(args, domain->boot_fd));
	else
		add(args, "%s", domain->kernel);
	if (domain->boot_fd < 0 && domain->ramdisk) {
		add(args, "-initrd");
		add(args, "%s", domain->ramdisk);
	}
	if (*domain->cmdline) {
		add(args, "-append");
		add(args, "%s", domain->cmdline);
	}
}

static void add_screen(struct arguments *args, const struct model_config *config, const char *dir)
{
	switch (config->vga) {
	case MODEL_VGA_STD:
		add(args, "-device");
		add(args, "VGA,vgamem_mb=%u", config->videoram_mib);
		break;
	case MODEL_VGA_CIRRUS:
		add(args, "-device");
		add(args, "cirrus-vga,vgamem_mb=%u", config->videoram_mib);
		break;
	case MODEL_VGA_NONE:
		break;
	}
	add(args, "-display");
	add(args, "none");
	if (config->keymap) {
		add(args, "-k");
		add(args, "%s", config->keymap);
	}
	if (!config->has_vnc)
		return;
	add(args, "-vnc");
	add(args, "unix:%s/vnc%s", dir, config->vnc_password ? ",password=on" : "");
}

static void add_serials(struct arguments *args, const struct model_config *config)
{
	char path[512];

	for (size_t i = 0; i < config->nr_serials; i++) {
		const char *serial = config->serials[i];

		if (!strcmp(serial, "none"))
			continue;
		add(args, "-chardev");
		if (!strncmp(serial, "file:", 5))
			add(args, "file,id=serial%zu,append=on,path=%s", i,
			    escape(serial + 5, path, sizeof(path)));
		else
			add(args, "pty,id=serial%zu", i);
		add(args, "-device");
		add(args, "isa-serial,index=%zu,chardev=serial%zu", i, i);
	}
}

static void add_usb(struct arguments *args, const struct model_config *config)
{
	if (!config->has_usb)
		return;
	add(args, "-usb");
	for (size_t i = 0; i < config->nr_usb_devices; i++) {
		add(args, "-device");
		add(args, "usb-%s",
		    !strcmp(config->usb_devices[i], "keyboard") ? "kbd" : config->usb_devices[i]);
	}
}

int model_ide_index(const struct disk_spec *disk)
{
	uint32_t major = disk->devid >> 8, minor = disk->devid & 0xff;

	if (major == VDEV_IDE1 || major == VDEV_IDE2)
		return (major == VDEV_IDE2 ? 2 : 0) + (int)(minor / VDEV_IDE_STEP);
	if (major == VDEV_XVD && minor < ARGUMENTS_IDE_MAX * VDEV_XVD_STEP)
		return (int)(minor / VDEV_XVD_STEP);
	return -1;
}

/*
 * An IDE disk cannot be read-only: one that is has its PV half alone. A block device is read past
 * dom0's cache, which the other half's writes do not go through.
 */
static void add_disk(struct arguments *args, const struct disk_spec *disk,
		     const struct block_device *block)
{
	int index = model_ide_index(disk), fd;

	if (index < 0 || (!disk->is_cdrom && !disk->writable))
		return;
	if (disk->format == DISK_FORMAT_EMPTY) {
		add(args, "-drive");
		add(args, "if=ide,index=%d,media=cdrom,id=ide%d,readonly=on", index, index);
		return;
	}
	fd = add_fd(args, block->file_fd);
	add(args, "-add-fd");
	add(args, "fd=%d,set=%d", fd, fd);
	add(args, "-drive");
	/* It would else open the disk read-only first, which the descriptor is not. Nor does it see
	 * by the descriptor's name that a disk is no file. */
	add(args,
	    "file.driver=%s,file.filename=/dev/fdset/%d,format=raw,if=ide,index=%d,id=ide%d,"
	    "media=%s,readonly=%s,auto-read-only=off%s",
	    block->is_loop ? "file" : "host_device", fd, index, index,
	    disk->is_cdrom ? "cdrom" : "disk", disk->is_cdrom ? "on" : "off",
	    disk->is_cdrom || block->is_loop ? "" : ",cache=none");
}

/* A card's ROM takes its time to say that there is nothing to boot from. */
static void add_network(struct arguments *args, const struct model_config *config,
			const struct domain_devices *devices, const int *taps)
{
	const char *rom = strchr(config->boot, 'n') ? "" : ",romfile=";

	for (size_t i = 0; i < devices->nr_vifs; i++) {
		const struct vif_spec *vif = &devices->vifs[i];
		const uint8_t *m = vif->mac;
		uint32_t id = devices_vif_id(devices, i);

		if (taps[i] < 0)
			continue;
		add(args, "-netdev");
		add(args, "tap,id=net%u,fd=%d", id, add_fd(args, taps[i]));
		add(args, "-device");
		add(args, "%s,id=nic%u,netdev=net%u,mac=%02x:%02x:%02x:%02x:%02x:%02x%s",
		    vif->model ? vif->model : MODEL_DEFAULT_NIC, id, id, m[0], m[1], m[2], m[3],
		    m[4], m[5], rom);
	}
}

void arguments_make(struct arguments *args, const struct model_config *config,
		    const struct model_domain *domain, const int *taps, const char *dir, uid_t uid)
{
	memset(args, 0, sizeof(*args));
	add(args, "%s", config->program);
	add(args, "-xen-domid");
	add(args, "%u", domain->domid);
	add(args, "-xen-domid-restrict");
	add(args, "-runas");
	add(args, "%u:%u", uid, uid);
	add(args, "-chroot");
	add(args, "%s", dir);
	add(args, "-no-shutdown");
	add(args, "-nodefaults");
	add(args, "-no-user-config");
	add(args, "-chardev");
	add(args, "socket,id=qmp,fd=%d", ARGUMENTS_FIRST_FD);
	add(args, "-mon");
	add(args, "chardev=qmp,mode=control");
	add_machine(args, config, domain);
	add_kernel(args, domain);
	add_screen(args, config, dir);
	add_serials(args, config);
	add_usb(args, config);
	for (size_t i = 0; i < domain->devices->nr_disks; i++)
		add_disk(args, &domain->devices->disks[i], &domain->devices->blocks[i]);
	add_network(args, config, domain->devices, taps);
}

void arguments_free(struct arguments *args)
{
	while (args->nr)
		free(args->words[--args->nr]);
}
