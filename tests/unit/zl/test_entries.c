/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a specification to the nodes of the store: what a new domain gets, who may write where, and
 * that all of it appears in one transaction, however often that has to be tried.
 *
 * Tools: zl/create_entries.c zl/uuid.c device/entries.c device/devices.c device/block.c
 * Tools: device/net.c device/loop.c device/bridge.c device/error.c lib/config
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "device/net.h"
#include "store/zstore.h"
#include "zl/create.h"

#define DOM  "/local/domain/7"
#define BACK "/local/domain/0/backend"

static struct disk_spec disks[2] = {
	{.target = "/a.img", .vdev = "xvda", .devid = 51712, .writable = true},
	{.target = "/dev/b", .vdev = "xvdb", .devid = 51728, .is_cdrom = true},
};
static struct block_device blocks[2] = {
	{.fd = -1, .file_fd = -1, .major = 7, .minor = 10, .is_loop = true},
	{.fd = -1, .file_fd = -1, .major = 254, .minor = 17},
};
static struct vif_spec vifs[2] = {
	{.has_mac = true, .mac = {0, 0x16, 0x3e, 1, 2, 3}, .bridge = "br0"},
	{.has_mac = true,
	 .mac = {0, 0x16, 0x3e, 4, 5, 6},
	 .has_devid = true,
	 .devid = 5,
	 .rate_bytes = 1000,
	 .rate_interval_us = 50,
	 .ip = "10.0.0.1",
	 .has_mtu = true,
	 .mtu = 9000},
};
static struct domain_devices devices = {
	.disks = disks, .blocks = blocks, .nr_disks = 2, .vifs = vifs, .nr_vifs = 2};
static struct domain_spec spec = {.name = "guest",
				  .uuid = {0xab},
				  .kernel = "/k",
				  .cmdline = "quiet",
				  .vcpus = 1,
				  .maxvcpus = 2,
				  .memory_kib = 4096,
				  .maxmem_kib = 8192};
static const struct build_result built = {
	.domid = 7, .store_port = 1, .console_port = 2, .store_mfn = 0x1000, .console_mfn = 0x1001};

#define VM "/vm/ab000000-0000-0000-0000-000000000000"

static struct zl zl;

static int make_nodes(void **state)
{
	struct store_entries list;

	(void)state;
	fake_reset(&zl);
	/* Left by somebody who had this number before. */
	fake_store_set(DOM "/device/vbd/1/state", "4");
	fake_store_set(BACK "/vbd/7/1/state", "4");
	fake_store_set(BACK "/vif/7/9/state", "4");
	fake_store_set(BACK "/vbd/8/1/state", "4");
	entries_init(&list);
	domain_add_entries(&list, &spec, &devices, &built, 1234);
	assert_int_equal(entries_write(zl.store, &list), 0);
	entries_fini(&list);
	return 0;
}

static void assert_node(const char *path, const char *value)
{
	const char *found = fake_store_get(path);

	if (!found)
		fail_msg("%s is not there", path);
	assert_string_equal(found, value);
}

static void test_domain_nodes(void **state)
{
	(void)state;
	assert_node(DOM "/name", "guest");
	assert_node(DOM "/vm", VM);
	assert_node(DOM "/domid", "7");
	assert_node(DOM "/memory/target", "4096");
	assert_node(DOM "/memory/static-max", "8192");
	assert_node(DOM "/cpu/0/availability", "online");
	assert_node(DOM "/cpu/1/availability", "offline");
	assert_null(fake_store_get(DOM "/cpu/2/availability"));
	assert_node(DOM "/store/ring-ref", "4096");
	assert_node(DOM "/store/port", "1");
	assert_node(DOM "/console/ring-ref", "4097");
	assert_node(DOM "/console/port", "2");
	assert_node(DOM "/console/type", "xenconsoled");
	assert_node(DOM "/console/tty", "");
	assert_node(VM "/name", "guest");
	assert_node(VM "/start_time", "1234");
}

static void test_disk_nodes(void **state)
{
	(void)state;
	assert_node(DOM "/device/vbd/51712/backend", BACK "/vbd/7/51712");
	assert_node(DOM "/device/vbd/51712/backend-id", "0");
	assert_node(DOM "/device/vbd/51712/state", "1");
	assert_node(DOM "/device/vbd/51712/device-type", "disk");
	assert_node(DOM "/device/vbd/51728/device-type", "cdrom");
	assert_node(BACK "/vbd/7/51712/frontend", DOM "/device/vbd/51712");
	assert_node(BACK "/vbd/7/51712/frontend-id", "7");
	assert_node(BACK "/vbd/7/51712/mode", "w");
	assert_node(BACK "/vbd/7/51728/mode", "r");
	/* blkback reads both numbers as hexadecimal. */
	assert_node(BACK "/vbd/7/51712/physical-device", "7:a");
	assert_node(BACK "/vbd/7/51728/physical-device", "fe:11");
}

static void test_vif_nodes(void **state)
{
	(void)state;
	assert_node(DOM "/device/vif/0/mac", "00:16:3e:01:02:03");
	assert_node(BACK "/vif/7/0/mac", "00:16:3e:01:02:03");
	assert_node(BACK "/vif/7/0/bridge", "br0");
	assert_node(BACK "/vif/7/0/handle", "0");
	assert_node(BACK "/vif/7/5/handle", "5");
	assert_node(BACK "/vif/7/5/bridge", "xenbr0");
	assert_node(BACK "/vif/7/5/rate", "1000,50");
	assert_node(BACK "/vif/7/5/mtu", "9000");
	/* Written when the link is on its bridge, not before. */
	assert_null(fake_store_get(BACK "/vif/7/0/hotplug-status"));
}

static void test_permissions(void **state)
{
	(void)state;
	assert_string_equal(fake_store_perms(DOM), "n0,r7");
	assert_string_equal(fake_store_perms(VM), "n0,r7");
	assert_string_equal(fake_store_perms(DOM "/device"), "n0,r7");
	assert_string_equal(fake_store_perms(DOM "/device/vbd/51712"), "n7,r0");
	assert_string_equal(fake_store_perms(DOM "/device/vif/0"), "n7,r0");
	assert_string_equal(fake_store_perms(BACK "/vbd/7/51712"), "n0,r7");
	assert_string_equal(fake_store_perms(BACK "/vif/7/0"), "n0,r7");
	assert_string_equal(fake_store_perms(DOM "/control/shutdown"), "n7");
	assert_string_equal(fake_store_perms(DOM "/data"), "n7");
	/* The guest writes neither its console's nor its memory's nodes: they inherit n0,r7. */
	assert_string_equal(fake_store_perms(DOM "/console"), "");
	assert_string_equal(fake_store_perms(DOM "/memory"), "");
}

static void test_leftovers_go(void **state)
{
	(void)state;
	assert_null(fake_store_get(DOM "/device/vbd/1"));
	assert_null(fake_store_get(BACK "/vbd/7/1"));
	assert_null(fake_store_get(BACK "/vif/7/9"));
	assert_node(BACK "/vbd/8/1/state", "4");
}

static void test_one_transaction(void **state)
{
	(void)state;
	assert_int_equal(fake_store_commits, 1);
	assert_int_equal(fake_store_loose_writes, 0);
}

static void test_conflicts(void **state)
{
	struct store_entries list;
	size_t before = fake_store_count();

	(void)state;
	fake_reset(&zl);
	fake_store_conflicts = 5;
	entries_init(&list);
	entries_set(&list, "/a", "b", "%d", 5);
	assert_int_equal(entries_write(zl.store, &list), 0);
	assert_node("/a/b", "5");
	assert_int_equal(fake_store_commits, 1);
	/* A store that never takes it must not hold us for ever, nor keep half. */
	fake_reset(&zl);
	fake_store_conflicts = 1000000;
	assert_int_equal(entries_write(zl.store, &list), -EAGAIN);
	assert_int_equal(fake_store_count(), 0);
	entries_fini(&list);
	assert_true(before > 0);
}

static void test_last_value_counts(void **state)
{
	struct store_entries list;

	(void)state;
	entries_init(&list);
	entries_set(&list, "", "/x", "1");
	entries_set(&list, "", "/x", "2");
	assert_string_equal(entries_find(&list, "/x"), "2");
	assert_null(entries_find(&list, "/y"));
	list.is_short = true;
	assert_int_equal(entries_write(zl.store, &list), -ENOMEM);
	entries_fini(&list);
}

static void test_device_numbers(void **state)
{
	struct disk_spec same[2] = {disks[0], disks[0]};
	struct vif_spec twins[2] = {vifs[0], vifs[0]};
	struct domain_devices d = {.disks = same, .nr_disks = 2};
	struct device_error error;

	(void)state;
	assert_int_equal(devices_open(&d, "guest", &error), -EEXIST);
	assert_non_null(strstr(error.text, "xvda is there twice"));
	twins[1].has_devid = true;
	d = (struct domain_devices){.vifs = twins, .nr_vifs = 2};
	assert_int_equal(devices_open(&d, "guest", &error), -EEXIST);
	assert_non_null(strstr(error.text, "vif 0 is there twice"));
}

/* What hvmloader and the device model read; and a CD-ROM drive, which has no back end there. */
static void test_hvm_nodes(void **state)
{
	struct domain_spec hvm = spec;
	struct domain_devices shown = devices;
	struct store_entries list;

	(void)state;
	hvm.type = DOMAIN_HVM;
	hvm.kernel = NULL;
	hvm.hvm.bios = "seabios";
	hvm.hvm.model.has_acpi = true;
	shown.has_model = true;
	entries_init(&list);
	domain_add_entries(&list, &hvm, &shown, &built, 1234);
	assert_string_equal(entries_find(&list, DOM "/hvmloader/bios"), "seabios");
	assert_string_equal(entries_find(&list, DOM "/hvmloader/allow-memory-relocate"), "0");
	assert_string_equal(entries_find(&list, DOM "/platform/acpi"), "1");
	assert_null(entries_find(&list, VM "/image/kernel"));
	assert_non_null(entries_find(&list, BACK "/vbd/7/51712/state"));
	assert_null(entries_find(&list, BACK "/vbd/7/51728/state"));
	/* Linux takes the difference to what it was given for memory that is not its own. */
	assert_string_equal(entries_find(&list, DOM "/memory/static-max"), "4096");
	entries_fini(&list);
}

static void test_empty_drives(void **state)
{
	struct disk_spec drive = {.vdev = "hdc", .is_cdrom = true, .format = DISK_FORMAT_EMPTY};
	struct vif_spec card = {.type = VIF_TYPE_IOEMU, .model = (char *)"qxl"};
	struct block_device block;
	struct device_error error = {""};

	(void)state;
	assert_int_equal(block_check(&drive, false, &error), -ENOTSUP);
	assert_int_equal(block_check(&drive, true, &error), 0);
	assert_int_equal(block_open(&drive, NULL, &block, &error), 0);
	assert_int_equal(block.file_fd, -1);
	drive.is_cdrom = false;
	assert_int_equal(block_check(&drive, true, &error), -ENOTSUP);
	assert_int_equal(net_check(&card, 0, true, &error), -EINVAL);
	assert_non_null(strstr(error.text, "model=qxl: expected rtl8139"));
	assert_int_equal(net_check(&card, 0, false, &error), -ENOTSUP);
}

static void refuse_disk(struct disk_spec disk, const char *message)
{
	struct block_device block = {.fd = -1, .file_fd = -1};
	struct device_error error = {""};

	if (!block_check(&disk, false, &error))
		assert_true(block_open(&disk, "test", &block, &error) < 0);
	if (!strstr(error.text, message))
		fail_msg("\"%s\" does not say \"%s\"", error.text, message);
	assert_int_equal(block.fd, -1);
	assert_int_equal(block.file_fd, -1);
}

static void test_disks_refused(void **state)
{
	struct disk_spec disk = {.target = "/tmp", .vdev = "xvda", .writable = true};

	(void)state;
	disk.target = "/nowhere/at/all";
	refuse_disk(disk, "No such file");
	disk.target = "/dev/null";
	refuse_disk(disk, "neither a file nor a block device");
	disk.format = DISK_FORMAT_QCOW2;
	refuse_disk(disk, "qcow2 needs a device model");
	disk.format = DISK_FORMAT_EMPTY;
	refuse_disk(disk, "an empty drive");
	disk.format = DISK_FORMAT_RAW;
	disk.script = "block-iscsi";
	refuse_disk(disk, "scripts are not run");
	disk.script = NULL;
	disk.backend = "driverdom";
	refuse_disk(disk, "dom0 only");
}

static void test_empty_file_refused(void **state)
{
	char path[] = "/tmp/zl-disk-XXXXXX";
	struct disk_spec disk = {.target = path, .vdev = "xvda", .writable = true};
	int fd = mkstemp(path);

	(void)state;
	refuse_disk(disk, "is empty");
	assert_int_equal(ftruncate(fd, 100), 0);
	refuse_disk(disk, "is too small");
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain_nodes),	   cmocka_unit_test(test_disk_nodes),
		cmocka_unit_test(test_vif_nodes),	   cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_leftovers_go),	   cmocka_unit_test(test_one_transaction),
		cmocka_unit_test(test_conflicts),	   cmocka_unit_test(test_last_value_counts),
		cmocka_unit_test(test_device_numbers),	   cmocka_unit_test(test_disks_refused),
		cmocka_unit_test(test_empty_file_refused), cmocka_unit_test(test_hvm_nodes),
		cmocka_unit_test(test_empty_drives),
	};

	return cmocka_run_group_tests(tests, make_nodes, NULL);
}
