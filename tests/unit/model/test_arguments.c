/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device model's command line: what each part of a configuration becomes, which descriptors go
 * with it, and that no value can become an option of its own.
 *
 * Tools: model/arguments.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/arguments.h"

uint32_t devices_vif_id(const struct domain_devices *devices, size_t i)
{
	return devices->vifs[i].has_devid ? devices->vifs[i].devid : (uint32_t)i;
}

static char program[] = "/qemu", serial_pty[] = "pty", serial_none[] = "none";
static char serial_file[] = "file:/a,b", tablet[] = "tablet", keyboard[] = "keyboard";
static char card[] = "e1000", password[] = "secret", keymap[] = "de";
static char *serials[] = {serial_none, serial_pty, serial_file};
static char *usb_devices[] = {tablet, keyboard};

static struct disk_spec disks[] = {
	{.devid = 768, .writable = true},			       /* hda */
	{.devid = 5632, .is_cdrom = true},			       /* hdc */
	{.devid = 832, .writable = false},			       /* hdb, read-only */
	{.devid = 51712 + 48, .writable = true},		       /* xvdd, a block device */
	{.devid = 51712 + 64, .writable = true},		       /* xvde */
	{.devid = 832, .is_cdrom = true, .format = DISK_FORMAT_EMPTY}, /* hdb, no medium */
};
static struct block_device blocks[] = {
	{.file_fd = 50, .is_loop = true},
	{.file_fd = 51, .is_loop = true},
	{.file_fd = 52, .is_loop = true},
	{.file_fd = 53},
	{.file_fd = 54},
	{.file_fd = -1},
};
static struct vif_spec vifs[] = {
	{.mac = {0, 0x16, 0x3e, 1, 2, 3}},
	{.mac = {0, 0x16, 0x3e, 4, 5, 6}, .type = VIF_TYPE_PV},
	{.mac = {0, 0x16, 0x3e, 7, 8, 9}, .model = card, .has_devid = true, .devid = 7},
};
static const int taps[] = {60, -1, 61};
static struct domain_devices devices = {
	.disks = disks, .blocks = blocks, .nr_disks = 6, .vifs = vifs, .nr_vifs = 3};

static struct model_config config;
static struct model_domain domain;
static struct arguments args;
static char line[8192];

static int set_up(void **state)
{
	(void)state;
	config = (struct model_config){.program = program, .boot = "cd", .has_acpi = true};
	domain = (struct model_domain){.domid = 7,
				       .name = "guest",
				       .ram_mib = 184,
				       .vcpus = 1,
				       .maxvcpus = 4,
				       .boot_fd = -1,
				       .cmdline = "",
				       .devices = &devices};
	return 0;
}

/* All words, each followed by a newline. */
static const char *make(void)
{
	arguments_make(&args, &config, &domain, taps, "/run/x", 1234);
	line[0] = '\0';
	for (size_t i = 0; i < args.nr; i++)
		strcat(strcat(line, args.words[i]), "\n");
	assert_null(args.words[args.nr]);
	arguments_free(&args);
	return line;
}

static void has(const char *text)
{
	if (!strstr(line, text))
		fail_msg("\"%s\" is not in:\n%s", text, line);
}

static void has_not(const char *text)
{
	if (strstr(line, text))
		fail_msg("\"%s\" is in:\n%s", text, line);
}

static void test_rights(void **state)
{
	(void)state;
	make();
	has("/qemu\n-xen-domid\n7\n-xen-domid-restrict\n");
	has("-runas\n1234:1234\n-chroot\n/run/x\n");
	has("-nodefaults\n-no-user-config\n");
	has("socket,id=qmp,fd=3\n-mon\nchardev=qmp,mode=control\n");
}

static void test_machine(void **state)
{
	(void)state;
	domain.name = "a,b=c";
	make();
	has("-machine\nxenfv,suppress-vmdesc=on\n-name\na,,b=c\n-m\n184\n-smp\n1,maxcpus=4\n");
	has("-boot\norder=cd\n");
	has_not("-no-acpi");
	has_not("-kernel");
	config.has_acpi = false;
	domain.kernel = "/k";
	domain.cmdline = "-vnc :0";
	make();
	has("-no-acpi\n-kernel\n/k\n-append\n-vnc :0\n");
	has_not("-initrd");
	domain.ramdisk = "/r";
	domain.cmdline = "";
	make();
	has("-kernel\n/k\n-initrd\n/r\n");
	has_not("-append");
	/* What leads to a kernel in memory goes before both. */
	domain.boot_fd = 40;
	domain.cmdline = "quiet";
	make();
	has("-kernel\n/proc/self/fd/4\n-append\nquiet\n");
	has_not("-initrd");
	assert_int_equal(args.fds[0], 40);
}

static void test_screen(void **state)
{
	(void)state;
	config.vga = MODEL_VGA_CIRRUS;
	config.videoram_mib = 8;
	make();
	has("cirrus-vga,vgamem_mb=8\n-display\nnone\n");
	has_not("-vnc");
	config.vga = MODEL_VGA_STD;
	config.has_vnc = true;
	config.keymap = keymap;
	make();
	has("VGA,vgamem_mb=8\n-display\nnone\n-k\nde\n-vnc\nunix:/run/x/vnc\n");
	/* The password itself is never on a command line, where anybody reads it. */
	config.vnc_password = password;
	make();
	has("unix:/run/x/vnc,password=on\n");
	has_not("secret");
	config.vga = MODEL_VGA_NONE;
	make();
	has_not("vga");
}

static void test_ports(void **state)
{
	(void)state;
	make();
	has_not("serial");
	has_not("-usb");
	config.serials = serials;
	config.nr_serials = 3;
	config.has_usb = true;
	config.usb_devices = usb_devices;
	config.nr_usb_devices = 2;
	make();
	has_not("serial0");
	has("pty,id=serial1\n-device\nisa-serial,index=1,chardev=serial1\n");
	has("file,id=serial2,append=on,path=/a,,b\n");
	has("-usb\n-device\nusb-tablet\n-device\nusb-kbd\n");
}

static void test_disks(void **state)
{
	(void)state;
	make();
	has("fd=4,set=4\n-drive\nfile.driver=file,file.filename=/dev/fdset/4,format=raw,if=ide,"
	    "index=0,id=ide0,media=disk,readonly=off,auto-read-only=off\n");
	has("fd=5,set=5\n-drive\nfile.driver=file,file.filename=/dev/fdset/5,format=raw,if=ide,"
	    "index=2,id=ide2,media=cdrom,readonly=on,auto-read-only=off\n");
	has("fd=6,set=6\n-drive\nfile.driver=host_device,file.filename=/dev/fdset/6,format=raw,"
	    "if=ide,index=3,id=ide3,media=disk,readonly=off,auto-read-only=off,cache=none\n");
	has("if=ide,index=1,media=cdrom,id=ide1,readonly=on\n");
	has_not("fdset/9");
	assert_int_equal(args.fds[0], 50);
	assert_int_equal(args.fds[1], 51);
	assert_int_equal(args.fds[2], 53);
	assert_int_equal(args.nr_fds, 5);
	assert_int_equal(model_ide_index(&disks[3]), 3);
	assert_int_equal(model_ide_index(&disks[4]), -1);
}

static void test_network(void **state)
{
	(void)state;
	make();
	has("tap,id=net0,fd=7\n-device\nrtl8139,id=nic0,netdev=net0,mac=00:16:3e:01:02:03,romfile="
	    "\n");
	has("tap,id=net7,fd=8\n-device\ne1000,id=nic7,netdev=net7,mac=00:16:3e:07:08:09,romfile="
	    "\n");
	has_not("04:05:06");
	assert_int_equal(args.fds[3], 60);
	assert_int_equal(args.fds[4], 61);
	strcpy(config.boot, "nc");
	make();
	has("mac=00:16:3e:01:02:03\n");
}

static void test_too_many(void **state)
{
	static struct disk_spec many[ARGUMENTS_FDS_MAX + 1];
	static struct block_device open[ARGUMENTS_FDS_MAX + 1];
	struct domain_devices all = {
		.disks = many, .blocks = open, .nr_disks = ARGUMENTS_FDS_MAX + 1};

	(void)state;
	for (size_t i = 0; i <= ARGUMENTS_FDS_MAX; i++)
		many[i] = disks[0];
	domain.devices = &all;
	arguments_make(&args, &config, &domain, taps, "/run/x", 1234);
	assert_true(args.is_short);
	arguments_free(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rights, set_up),
		cmocka_unit_test_setup(test_machine, set_up),
		cmocka_unit_test_setup(test_screen, set_up),
		cmocka_unit_test_setup(test_ports, set_up),
		cmocka_unit_test_setup(test_disks, set_up),
		cmocka_unit_test_setup(test_network, set_up),
		cmocka_unit_test_setup(test_too_many, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
