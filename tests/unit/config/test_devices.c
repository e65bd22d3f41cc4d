/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disk, interface, CPU and I/O port specifications within a configuration.
 *
 * Tools: lib/config
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "config/cpulist.h"
#include "config/disk.h"
#include "config/ioports.h"
#include "config/vif.h"

static struct disk_spec disk_of(const char *spec)
{
	struct config_error error = {0};
	struct disk_spec disk;

	if (disk_spec_parse(spec, &disk, &error) != 0)
		fail_msg("\"%s\" refused: %s", spec, error.text);
	return disk;
}

static void refuse_disk(const char *spec, const char *what)
{
	struct config_error error = {0};
	struct disk_spec disk;

	if (disk_spec_parse(spec, &disk, &error) != -EINVAL)
		fail_msg("\"%s\" accepted", spec);
	if (!strstr(error.text, what))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", spec, error.text, what);
}

static void check_disk(const char *spec, const char *target, enum disk_format format,
		       const char *vdev, bool writable)
{
	struct disk_spec disk = disk_of(spec);

	if (target)
		assert_string_equal(disk.target, target);
	else
		assert_null(disk.target);
	assert_int_equal(disk.format, format);
	assert_string_equal(disk.vdev, vdev);
	assert_int_equal(disk.writable, writable);
	disk_spec_free(&disk);
}

static void disks_are_positional(void **state)
{
	(void)state;
	check_disk("/a.img,raw,xvda,rw", "/a.img", DISK_FORMAT_RAW, "xvda", true);
	check_disk(" /a.img , qcow2 , hda , ro ", "/a.img", DISK_FORMAT_QCOW2, "hda", false);
	check_disk("/a=b.img,,xvda", "/a=b.img", DISK_FORMAT_RAW, "xvda", true);
	check_disk("/dev/vg/lv,raw,sda1,w", "/dev/vg/lv", DISK_FORMAT_RAW, "sda1", true);
}

static void disks_are_key_value(void **state)
{
	struct disk_spec disk = disk_of("format=vhd, vdev=xvdb, access=r, backendtype=qdisk, "
					"backend=driver, script=block-x, discard, direct-io-safe, "
					"target=/a,b.img");

	(void)state;
	assert_string_equal(disk.target, "/a,b.img");
	assert_string_equal(disk.backend, "driver");
	assert_string_equal(disk.script, "block-x");
	assert_int_equal(disk.format, DISK_FORMAT_VHD);
	assert_int_equal(disk.backend_type, DISK_BACKEND_QDISK);
	assert_true(disk.has_discard && disk.discard && disk.direct_io_safe);
	assert_false(disk.writable);
	disk_spec_free(&disk);
	check_disk("/a.img,raw,xvda,w,backendtype=phy", "/a.img", DISK_FORMAT_RAW, "xvda", true);
	check_disk("vdev=xvda,target=/x", "/x", DISK_FORMAT_RAW, "xvda", true);
}

static void disks_with_cdroms_and_prefixes(void **state)
{
	struct disk_spec disk = disk_of("phy:/dev/sdb,,xvda,w");

	(void)state;
	assert_int_equal(disk.backend_type, DISK_BACKEND_PHY);
	assert_string_equal(disk.target, "/dev/sdb");
	disk_spec_free(&disk);
	check_disk("file:/a,,xvda,w", "/a", DISK_FORMAT_RAW, "xvda", true);
	check_disk("tap:aio:/a,,xvda,w", "/a", DISK_FORMAT_RAW, "xvda", true);
	check_disk("tap:qcow2:/a,,xvda,w", "/a", DISK_FORMAT_QCOW2, "xvda", true);
	check_disk("/a.iso,,hdc,cdrom", "/a.iso", DISK_FORMAT_RAW, "hdc", false);
	check_disk("/a.iso,,hdc:cdrom,r", "/a.iso", DISK_FORMAT_RAW, "hdc", false);
	check_disk(",empty,hdc,cdrom", NULL, DISK_FORMAT_EMPTY, "hdc", false);
	check_disk(",,hdc,cdrom", NULL, DISK_FORMAT_EMPTY, "hdc", false);
}

static void bad_disks_are_refused(void **state)
{
	(void)state;
	refuse_disk("", "no name in the guest");
	refuse_disk("/a.img,raw", "no name in the guest");
	refuse_disk("/a.img,floppy,xvda", "disk format \"floppy\" is not known");
	refuse_disk("/a.img,raw,zzz", "\"zzz\" is not a disk's name");
	refuse_disk("/a.img,raw,xvda,x", "disk access \"x\"");
	refuse_disk("/a.img,raw,xvda,w,more", "one field too many");
	refuse_disk("/a.img,raw,xvda,colour=red", "disk setting \"colour\" is not known");
	refuse_disk("/a.img,raw,xvda,backendtype=x", "disk backend type");
	refuse_disk("/a.img,raw,xvda,devtype=tape", "disk type \"tape\"");
	refuse_disk("/a.iso,raw,hdc,rw,cdrom", "cannot be writable");
	refuse_disk("/a.img,empty,xvda,w", "has no target, but");
	refuse_disk(",raw,xvda,w", "the disk xvda has no target");
}

static void check_vdev(const char *vdev, uint32_t expected)
{
	uint32_t devid = 0;

	assert_int_equal(disk_vdev_number(vdev, &devid), 0);
	assert_int_equal(devid, expected);
}

static void vdev_numbers_follow_the_interface(void **state)
{
	static const char *const bad[] = {"",	    "xvd",     "xvda0", "xvda01",      "xvdA",
					  "xvda1x", "xvda256", "hde",	"hda64",       "sdq",
					  "sda16",  "d",       "dx",	"d0p",	       "d0x",
					  "vda",    "0",       "12x",	"99999999999", "xvdzzzzzz"};
	uint32_t devid;

	(void)state;
	check_vdev("xvda", 202 << 8);
	check_vdev("xvda1", 202 << 8 | 1);
	check_vdev("xvdp15", 202 << 8 | 15 << 4 | 15);
	check_vdev("xvdq", 1 << 28 | 16 << 8);
	check_vdev("xvda16", 1 << 28 | 16);
	check_vdev("xvdaa", 1 << 28 | 26 << 8);
	check_vdev("d0", 202 << 8);
	check_vdev("d20p3", 1 << 28 | 20 << 8 | 3);
	check_vdev("hda", 3 << 8);
	check_vdev("hdb2", 3 << 8 | 64 | 2);
	check_vdev("hdc", 22 << 8);
	check_vdev("hdd63", 22 << 8 | 64 | 63);
	check_vdev("sda", 8 << 8);
	check_vdev("sdp15", 8 << 8 | 15 << 4 | 15);
	check_vdev("51712", 51712);
	check_vdev("0xca00", 51712);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (disk_vdev_number(bad[i], &devid) != -EINVAL)
			fail_msg("\"%s\" accepted", bad[i]);
	}
}

static void refuse_vif(const char *spec, const char *what)
{
	struct config_error error = {0};
	struct vif_spec vif;

	if (vif_spec_parse(spec, &vif, &error) != -EINVAL)
		fail_msg("\"%s\" accepted", spec);
	if (!strstr(error.text, what))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", spec, error.text, what);
}

static struct vif_spec vif_of(const char *spec)
{
	struct config_error error = {0};
	struct vif_spec vif;

	if (vif_spec_parse(spec, &vif, &error) != 0)
		fail_msg("\"%s\" refused: %s", spec, error.text);
	return vif;
}

static void vifs_are_parsed(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0xAB, 0x02, 0x03};
	struct vif_spec vif = vif_of("mac=00:16:3e:aB:02:03, bridge=xenbr0,ip=10.0.0.1 10.0.0.2,"
				     "script=vif-route,vifname=web0,model=e1000,type=vif,devid=3,"
				     "mtu=9000,backend=net,gatewaydev=eth0,trusted=0");

	(void)state;
	assert_true(vif.has_mac && vif.has_devid && vif.has_mtu && !vif.trusted);
	assert_memory_equal(vif.mac, mac, 6);
	assert_string_equal(vif.bridge, "xenbr0");
	assert_string_equal(vif.ip, "10.0.0.1 10.0.0.2");
	assert_string_equal(vif.script, "vif-route");
	assert_string_equal(vif.vifname, "web0");
	assert_string_equal(vif.model, "e1000");
	assert_string_equal(vif.backend, "net");
	assert_string_equal(vif.gatewaydev, "eth0");
	assert_int_equal(vif.type, VIF_TYPE_PV);
	assert_int_equal(vif.devid, 3);
	assert_int_equal(vif.mtu, 9000);
	vif_spec_free(&vif);
	vif = vif_of("");
	assert_false(vif.has_mac);
	assert_true(vif.trusted);
	assert_int_equal(vif.type, VIF_TYPE_DEFAULT);
	vif_spec_free(&vif);
}

static void check_rate(const char *spec, uint64_t bytes, uint32_t us)
{
	struct vif_spec vif = vif_of(spec);

	assert_int_equal(vif.rate_bytes, bytes);
	assert_int_equal(vif.rate_interval_us, us);
	vif_spec_free(&vif);
}

static void rates_have_units(void **state)
{
	(void)state;
	check_rate("rate=10Mb/s", 62500, 50000);
	check_rate("rate=250KB/s", 12500, 50000);
	check_rate("rate=1MB/s@20ms", 20000, 20000);
	check_rate("rate=1GB/s@1s", 1000000000, 1000000);
	check_rate("rate=1000B/s@1000us", 1, 1000);
	refuse_vif("rate=10", "is not a rate");
	refuse_vif("rate=10Tb/s", "is not a rate");
	refuse_vif("rate=Mb/s", "is not a rate");
	refuse_vif("rate=-1Mb/s", "is not a rate");
	refuse_vif("rate=10Mb/m", "is not a rate");
	refuse_vif("rate=10Mb/s@", "is not a rate");
	refuse_vif("rate=10Mb/s@5", "is not a rate");
	refuse_vif("rate=10Mb/sx", "is not a rate");
	refuse_vif("rate=0Mb/s", "is not a rate");
	refuse_vif("rate=1B/s@1us", "is not a rate");
	refuse_vif("rate=18446744073709551615GB/s", "is not a rate");
	refuse_vif("rate=1GB/s@9999999s", "is not a rate");
}

static void bad_vifs_are_refused(void **state)
{
	(void)state;
	refuse_vif("mac=00:16:3e:01:02", "is not a MAC address");
	refuse_vif("mac=00:16:3e:01:02:0g", "is not a MAC address");
	refuse_vif("mac=00-16-3e-01-02-03", "is not a MAC address");
	refuse_vif("mac=00:16:3e:01:02:03:04", "is not a MAC address");
	refuse_vif("mac=01:16:3e:01:02:03", "multicast");
	refuse_vif("bridge=", "not the name of a network device");
	refuse_vif("bridge=averyveryverylongname", "not the name of a network device");
	refuse_vif("vifname=a/b", "not the name of a network device");
	refuse_vif("vifname=..", "not the name of a network device");
	refuse_vif("type=virtio", "type=\"virtio\"");
	refuse_vif("devid=x", "must be a number");
	refuse_vif("mtu=70000", "must be a number");
	refuse_vif("colour=red", "interface setting \"colour\" is not known");
	refuse_vif("bridge", "is not key=value");
}

static void check_cpus(const char *text, unsigned int nr, const char *expected)
{
	struct config_error error;
	struct cpulist list;
	char buf[64];

	if (cpulist_parse(text, nr, &list, &error) != 0)
		fail_msg("\"%s\" refused: %s", text, error.text);
	cpulist_format(&list, nr, buf, sizeof(buf));
	assert_string_equal(buf, expected);
}

static void refuse_cpus(const char *text, unsigned int nr, int code)
{
	struct config_error error = {0};
	struct cpulist list;

	assert_int_equal(cpulist_parse(text, nr, &list, &error), code);
	assert_true(strlen(error.text) > 0);
}

static void cpu_lists_are_parsed_and_written(void **state)
{
	struct config_error error;
	struct cpulist list;
	char tiny[4];

	(void)state;
	check_cpus("all", 4, "all");
	check_cpus("0-3", 4, "all");
	check_cpus("0-3,^1", 8, "0,2-3");
	check_cpus("^0", 4, "1-3");
	check_cpus("all,^2", 4, "0-1,3");
	check_cpus(" 1 , 5-6 ", 8, "1,5-6");
	check_cpus("4095", CPULIST_MAX, "4095");
	refuse_cpus("8", 8, -ERANGE);
	refuse_cpus("0-8", 8, -ERANGE);
	refuse_cpus("", 8, -EINVAL);
	refuse_cpus("1,,2", 8, -EINVAL);
	refuse_cpus("3-1", 8, -EINVAL);
	refuse_cpus("1-", 8, -EINVAL);
	refuse_cpus("-1", 8, -EINVAL);
	refuse_cpus("x", 8, -EINVAL);
	refuse_cpus("1,^1", 8, -EINVAL);
	refuse_cpus("99999999999999999999", 8, -EINVAL);
	refuse_cpus("0", 0, -EINVAL);
	refuse_cpus("0", CPULIST_MAX + 1, -EINVAL);
	assert_int_equal(cpulist_parse("0,2,4,6", 8, &list, &error), 0);
	assert_true(cpulist_has(&list, 2));
	assert_false(cpulist_has(&list, 3));
	assert_false(cpulist_has(&list, CPULIST_MAX + 8));
	cpulist_format(&list, 8, tiny, sizeof(tiny));
	assert_int_equal(strlen(tiny), 3);
}

static void check_ports(const char *text, uint16_t first, uint16_t last, const char *expected)
{
	struct config_error error;
	struct ioports ports;
	char buf[IOPORTS_SIZE];

	if (ioports_parse(text, &ports, &error) != 0)
		fail_msg("\"%s\" refused: %s", text, error.text);
	assert_int_equal(ports.first, first);
	assert_int_equal(ports.last, last);
	ioports_format(&ports, buf);
	assert_string_equal(buf, expected);
}

static void refuse_ports(const char *text, int code, const char *what)
{
	struct ioports ports = {1, 2};
	struct config_error error = {0};

	if (ioports_parse(text, &ports, &error) != code)
		fail_msg("\"%s\": not refused, or not so", text);
	if (!strstr(error.text, what) || !strstr(error.text, text))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, error.text, what);
	assert_true(ports.first == 1 && ports.last == 2);
}

static void port_ranges_are_parsed_and_written(void **state)
{
	(void)state;
	check_ports("2f8-2ff", 0x2f8, 0x2ff, "2f8-2ff");
	check_ports("3bc", 0x3bc, 0x3bc, "3bc");
	check_ports("81", 0x81, 0x81, "81");
	check_ports("0", 0, 0, "0");
	check_ports("FFFF", 0xffff, 0xffff, "ffff");
	check_ports("0-ffff", 0, 0xffff, "0-ffff");
	check_ports("1000-FfFf", 0x1000, 0xffff, "1000-ffff");
	check_ports("0x3bc-0x3bc", 0x3bc, 0x3bc, "3bc");
	refuse_ports("", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports(" 3bc", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("3bc ", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("3bg", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("-3bc", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("+3bc", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("0x", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("2f8-", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("2f8--2ff", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("2f8 - 2ff", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("2f8-2ff-", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("2f8,3bc", -EINVAL, "as 2f8-2ff or 3bc");
	refuse_ports("10000", -ERANGE, "at most ffff");
	refuse_ports("ffff-10000", -ERANGE, "at most ffff");
	refuse_ports("10000-1", -ERANGE, "at most ffff");
	refuse_ports("1000000000000003f8", -ERANGE, "at most ffff");
	refuse_ports("2ff-2f8", -EINVAL, "first I/O port before the last");
}

static void too_many_fields_are_refused(void **state)
{
	struct config_error error = {0};
	char spec[200];
	struct vif_spec vif;

	(void)state;
	memset(spec, ',', sizeof(spec) - 1);
	spec[sizeof(spec) - 1] = '\0';
	assert_int_equal(vif_spec_parse(spec, &vif, &error), -E2BIG);
	assert_non_null(strstr(error.text, "more than 64 fields"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks_are_positional),
		cmocka_unit_test(disks_are_key_value),
		cmocka_unit_test(disks_with_cdroms_and_prefixes),
		cmocka_unit_test(bad_disks_are_refused),
		cmocka_unit_test(vdev_numbers_follow_the_interface),
		cmocka_unit_test(vifs_are_parsed),
		cmocka_unit_test(rates_have_units),
		cmocka_unit_test(bad_vifs_are_refused),
		cmocka_unit_test(cpu_lists_are_parsed_and_written),
		cmocka_unit_test(port_ranges_are_parsed_and_written),
		cmocka_unit_test(too_many_fields_are_refused),
	};

	return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
