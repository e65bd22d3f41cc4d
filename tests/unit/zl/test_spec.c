/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the text of a configuration, with words of the command line, to a specification: values,
 * defaults, every refusal with its place, and the warning about keys nobody knows.
 *
 * Tools: lib/config zl/spec.c zl/spec_reader.c zl/spec_hvm.c zl/spec_json.c zl/json.c zl/uuid.c
 * Tools: zl/lifecycle.c zl/overrides.c model/config.c
 * Tools: device/net.c device/bridge.c device/entries.c device/error.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "zl/overrides.h"
#include "zl/spec.h"

#define BASE "name = 'guest'\nkernel = '/boot/vmlinuz'\nmemory = 256\n"

static int read_spec(const char *text, struct domain_spec *spec, struct config_error *error)
{
	struct config *config;
	int rc;

	if (config_parse_text("test.cfg", text, strlen(text), &config, error))
		fail_msg("syntax: %s", error->text);
	rc = spec_read(config, spec, error);
	config_free(config);
	return rc;
}

static void refuse(const char *text, const char *message)
{
	struct config_error error;
	struct domain_spec spec;

	if (!read_spec(text, &spec, &error))
		fail_msg("accepted: %s", text);
	if (!strstr(error.text, message))
		fail_msg("\"%s\" does not say \"%s\"", error.text, message);
	/* Nothing may be left to free: the sanitizer would tell. */
	assert_null(spec.name);
}

static struct domain_spec accept(const char *text)
{
	struct config_error error;
	struct domain_spec spec;

	if (read_spec(text, &spec, &error))
		fail_msg("refused: %s", error.text);
	return spec;
}

static void test_defaults(void **state)
{
	struct domain_spec spec = accept(BASE);

	(void)state;
	assert_string_equal(spec.name, "guest");
	assert_string_equal(spec.kernel, "/boot/vmlinuz");
	assert_null(spec.ramdisk);
	assert_string_equal(spec.cmdline, "");
	assert_int_equal(spec.memory_kib, 256 * 1024);
	assert_int_equal(spec.maxmem_kib, 256 * 1024);
	assert_int_equal(spec.vcpus, 1);
	assert_int_equal(spec.maxvcpus, 1);
	assert_int_equal(spec.nr_cpus, 0);
	assert_int_equal(spec.weight, 0);
	assert_false(spec.has_cap);
	assert_int_equal(spec.nr_disks + spec.nr_vifs + spec.nr_ioports, 0);
	assert_int_equal(spec.uuid[6] >> 4, 4);
	assert_memory_equal(&spec.actions, &lifecycle_defaults, sizeof(spec.actions));
	spec_free(&spec);
}

static void test_all_keys(void **state)
{
	struct domain_spec spec = accept(
		BASE "uuid = '1b4e28ba-2fa1-41d2-883f-0016d3cca427'\ntype = 'pv'\n"
		     "ramdisk = '/boot/initrd'\nroot = '/dev/xvda1'\nextra = 'ro quiet'\n"
		     "maxmem = 512\nvcpus = 2\nmaxvcpus = 4\ncpus = ['0', '1-3,^2']\n"
		     "cpu_weight = 512\ncap = 50\ntsc_mode = 'native'\n"
		     "disk = ['/a.img,raw,xvda,w', 'format=raw,vdev=xvdb,access=ro,target=/b']\n"
		     "vif = ['bridge=br0,mac=00:16:3e:01:02:03', '']\n"
		     "ioports = ['2f8-2ff', \"3bc\", 81]\n"
		     "on_poweroff = 'preserve'\non_reboot = 'destroy'\n"
		     "on_watchdog = 'restart'\non_crash = 'rename-restart'\n");

	(void)state;
	assert_int_equal(spec.uuid[0], 0x1b);
	assert_string_equal(spec.ramdisk, "/boot/initrd");
	assert_string_equal(spec.cmdline, "root=/dev/xvda1 ro quiet");
	assert_int_equal(spec.maxmem_kib, 512 * 1024);
	assert_int_equal(spec.vcpus, 2);
	assert_int_equal(spec.maxvcpus, 4);
	assert_int_equal(spec.nr_cpus, 2);
	assert_string_equal(spec.cpus[1], "1-3,^2");
	assert_int_equal(spec.weight, 512);
	assert_true(spec.has_cap);
	assert_int_equal(spec.cap, 50);
	assert_int_equal(spec.tsc_mode, 2);
	assert_int_equal(spec.nr_disks, 2);
	assert_int_equal(spec.disks[0].devid, 51712);
	assert_true(spec.disks[0].writable);
	assert_false(spec.disks[1].writable);
	assert_int_equal(spec.nr_vifs, 2);
	assert_int_equal(spec.vifs[0].mac[5], 3);
	/* The second has no MAC in the file: one of our range was chosen. */
	assert_true(spec.vifs[1].has_mac);
	assert_memory_equal(spec.vifs[1].mac, "\x00\x16\x3e", 3);
	assert_int_equal(spec.nr_ioports, 3);
	assert_int_equal(spec.ioports[0].first, 0x2f8);
	assert_int_equal(spec.ioports[0].last, 0x2ff);
	assert_int_equal(spec.ioports[1].last, 0x3bc);
	assert_int_equal(spec.ioports[2].first, 0x81);
	assert_int_equal(spec.actions.on_poweroff, ACTION_PRESERVE);
	assert_int_equal(spec.actions.on_reboot, ACTION_DESTROY);
	assert_int_equal(spec.actions.on_watchdog, ACTION_RESTART);
	assert_int_equal(spec.actions.on_crash, ACTION_RENAME_RESTART);
	spec_free(&spec);
}

#define HVM "name = 'guest'\nmemory = 256\ntype = 'hvm'\n"

static void test_hvm_defaults(void **state)
{
	struct domain_spec spec = accept(HVM);

	(void)state;
	assert_int_equal(spec.type, DOMAIN_HVM);
	assert_null(spec.kernel);
	assert_null(spec.hvm.loader);
	assert_string_equal(spec.hvm.bios, "seabios");
	assert_string_equal(spec.hvm.firmware, "/usr/share/seabios/bios-256k.bin");
	assert_true(spec.hvm.has_apic && spec.hvm.has_hpet && spec.hvm.model.has_acpi);
	assert_string_equal(spec.hvm.model.program, MODEL_PROGRAM);
	assert_string_equal(spec.hvm.model.boot, "cda");
	assert_int_equal(spec.hvm.model.vga, MODEL_VGA_CIRRUS);
	assert_int_equal(spec.hvm.model.videoram_mib, 8);
	assert_true(spec.hvm.model.has_vnc && spec.hvm.model.has_vnc_unused);
	assert_string_equal(spec.hvm.model.vnc_listen, "127.0.0.1");
	assert_false(spec.hvm.model.has_usb);
	assert_int_equal(spec.hvm.model.nr_serials, 0);
	spec_free(&spec);
}

static void test_hvm_keys(void **state)
{
	struct domain_spec spec = accept(
		HVM "bios = 'ovmf'\nfirmware_override = '/l'\ndevice_model_override = '/q'\n"
		    "device_model_version = 'qemu-xen'\nboot = 'dc'\nacpi = 0\napic = 0\n"
		    "hpet = 0\nvga = 'stdvga'\nvideoram = 32\nvncdisplay = 3\n"
		    "vnclisten = '0.0.0.0'\nvncpasswd = '12345678'\nkeymap = 'de'\n"
		    "usbdevice = ['tablet', 'keyboard']\nserial = ['none', 'file:/x']\nsdl = 0\n"
		    "nestedhvm = 0\nkernel = '/k'\n"
		    "disk = ['/a.iso,raw,hdc,cdrom', ',,hdd,cdrom']\n");
	const struct model_config *model = &spec.hvm.model;

	(void)state;
	assert_string_equal(spec.hvm.firmware, "/usr/share/ovmf/OVMF.fd");
	assert_string_equal(spec.hvm.loader, "/l");
	assert_string_equal(model->program, "/q");
	assert_string_equal(model->boot, "dc");
	assert_false(model->has_acpi || spec.hvm.has_apic || spec.hvm.has_hpet);
	assert_int_equal(model->vga, MODEL_VGA_STD);
	assert_int_equal(model->videoram_mib, 32);
	assert_int_equal(model->vnc_display, 3);
	assert_false(model->has_vnc_unused);
	assert_string_equal(model->vnc_listen, "0.0.0.0");
	assert_string_equal(model->vnc_password, "12345678");
	assert_string_equal(model->keymap, "de");
	assert_true(model->has_usb);
	assert_string_equal(model->usb_devices[1], "keyboard");
	assert_string_equal(model->serials[1], "file:/x");
	assert_string_equal(spec.kernel, "/k");
	assert_true(spec.disks[0].is_cdrom);
	assert_int_equal(spec.disks[1].format, DISK_FORMAT_EMPTY);
	spec_free(&spec);
	spec = accept(HVM "bios_path_override = '/b'\nvga = 'none'\nvnclisten = '[::1]:5'\n");
	assert_string_equal(spec.hvm.firmware, "/b");
	assert_int_equal(spec.hvm.model.videoram_mib, 0);
	assert_false(spec.hvm.model.has_vnc);
	assert_string_equal(spec.hvm.model.vnc_listen, "::1");
	assert_int_equal(spec.hvm.model.vnc_display, 5);
	spec_free(&spec);
	spec = accept(HVM "vnclisten = '::1'\nvnc = 0\nusb = 1\nserial = 'pty'\n");
	assert_string_equal(spec.hvm.model.vnc_listen, "::1");
	assert_false(spec.hvm.model.has_vnc);
	assert_int_equal(spec.hvm.model.nr_serials, 1);
	spec_free(&spec);
}

static void test_hvm_refused(void **state)
{
	(void)state;
	refuse(HVM "sdl = 1\n", "test.cfg:4:7: sdl=1: SDL screens are not offered; use vnc = 1");
	refuse(HVM "spice = 1\n", "SPICE is not offered");
	refuse(HVM "nestedhvm = 1\n", "nested virtualization is not offered");
	refuse(HVM "altp2m = 'mixed'\n", "altp2m=mixed");
	refuse(HVM "bios = 'rombios'\n", "expected \"seabios\" or \"ovmf\", found \"rombios\"");
	refuse(HVM "device_model_version = 'qemu-xen-traditional'\n", "expected \"qemu-xen\"");
	refuse(HVM "device_model_override = 'qemu'\n", "expected a path");
	refuse(HVM "boot = 'x'\n", "found \"x\"");
	refuse(HVM "boot = 'ccccccccc'\n", "expected letters");
	refuse(HVM "vga = 'qxl'\n", "found \"qxl\"");
	refuse(HVM "videoram = 9\n", "a power of two");
	refuse(HVM "videoram = 2\n", "at least 4");
	refuse(HVM "videoram = 512\n", "512");
	refuse(HVM "vncdisplay = 100\n", "100");
	refuse(HVM "vnclisten = '1.2.3.4:100'\n", "ADDRESS:DISPLAY");
	refuse(HVM "vnclisten = '1.2.3.4:'\n", "ADDRESS:DISPLAY");
	refuse(HVM "vnclisten = '1.2.3.4:1'\nvncdisplay = 1\n", "not as well");
	refuse(HVM "vncpasswd = '123456789'\n", "at most 8 characters");
	refuse(HVM "keymap = '../x'\n", "found \"../x\"");
	refuse(HVM "usbdevice = 'host:1.2'\n", "found \"host:1.2\"");
	refuse(HVM "usbdevice = 'tablet'\nusb = 0\n", "expected usb = 1");
	refuse(HVM "serial = 'stdio'\n", "found \"stdio\"");
	refuse(HVM "serial = 'file:x'\n", "found \"file:x\"");
	refuse(HVM "serial = ['pty', 'pty', 'pty', 'pty', 'pty']\n", "at most 4, found 5");
	refuse(HVM "vcpus = 2\napic = 0\n", "apic = 1");
	refuse("name = 'g'\nmemory = 8\ntype = 'hvm'\n", "more than videoram (8)");
}

static void test_cmdline_forms(void **state)
{
	struct domain_spec spec = accept(BASE "cmdline = 'a b'\n");

	(void)state;
	assert_string_equal(spec.cmdline, "a b");
	spec_free(&spec);
	spec = accept(BASE "root = '/dev/xvda'\n");
	assert_string_equal(spec.cmdline, "root=/dev/xvda");
	spec_free(&spec);
	refuse(BASE "cmdline = 'a'\nextra = 'b'\n", "test.cfg:4");
}

static void test_names_refused(void **state)
{
	(void)state;
	refuse("kernel='k'\nmemory=1\n", "expected name");
	refuse("name=''\nkernel='k'\nmemory=1\n", "test.cfg:1");
	refuse("name='12'\nkernel='k'\nmemory=1\n", "not a number");
	refuse("name='a/b'\nkernel='k'\nmemory=1\n", "no '/'");
	refuse("name='a\tb'\nkernel='k'\nmemory=1\n", "printable");
	refuse("name='..'\nkernel='k'\nmemory=1\n", "expected a name");
	refuse("name='1234567890123456789012345678901234567890123456789012345678901234'\n"
	       "kernel='k'\nmemory=1\n",
	       "1 to 63");
}

static void test_values_refused(void **state)
{
	(void)state;
	refuse(BASE "uuid = 'xyz'\n", "test.cfg:4:");
	refuse(BASE "type = 'pvm'\n", "expected \"pv\"");
	refuse(BASE "type = 'zv'\n", "expected \"pv\"");
	refuse(BASE "bootloader = 'pygrub'\n", "boot loaders are not run");
	refuse("name='a'\nmemory=1\n", "expected kernel");
	refuse("name='a'\nkernel='k'\n", "expected memory");
	refuse(BASE "maxmem = 100\n", "at least memory (256), found 100");
	refuse("name='a'\nkernel='k'\nmemory=0\n", "test.cfg:3");
	refuse("name='a'\nkernel='k'\nmemory=-5\n", "test.cfg:3");
	refuse("name='a'\nkernel='k'\nmemory='much'\n", "test.cfg:3");
	refuse(BASE "vcpus = 0\n", "test.cfg:4");
	refuse(BASE "vcpus = 100000\n", "test.cfg:4");
	refuse(BASE "vcpus = 4\nmaxvcpus = 2\n", "at least vcpus (4), found 2");
	refuse(BASE "cpus = '3-1'\n", "test.cfg:4");
	refuse(BASE "cpus = ['0',\n'x']\n", "test.cfg:5");
	refuse(BASE "cpu_weight = 0\n", "test.cfg:4");
	refuse(BASE "cap = -1\n", "test.cfg:4");
	refuse(BASE "tsc_mode = 'fast'\n", "expected \"default\" ... \"native\"");
	refuse(BASE "type = 'pvh'\ntimer_mode = 4\n", "one_missed_tick_pending");
	refuse(BASE "type = 'pvh'\nvcpus = 129\n", "test.cfg:5:9: expected at most 128 vCPUs");
	refuse(BASE "type = 'pvh'\nmaxvcpus = 200\n", "for a pvh domain, found 200");
	refuse(BASE "disk = ['/a,raw,xvda,w',\n'/b,raw,nodev,w']\n", "test.cfg:5");
	refuse(BASE "vif = ['mac=1']\n", "test.cfg:4");
	refuse(BASE "on_crash = 'coredump-restart'\n", "coredump-restart is not offered");
	refuse(BASE "on_reboot = 'perhaps'\n", "found \"perhaps\"");
	refuse(BASE "on_reboot = ['restart']\n", "test.cfg:4");
	refuse(BASE "ioports = ['2f8-2ff',\n'2g8']\n",
	       "test.cfg:5:1: expected I/O ports as 2f8-2ff");
	refuse(BASE "ioports = [ '3ff-3f8' ]\n",
	       "test.cfg:4:13: expected the first I/O port before");
	refuse(BASE "ioports = [ '3f8', 12345 ]\n", "of at most ffff, found \"12345\"");
	refuse(BASE "ioports = [ ['3f8'] ]\n", "test.cfg:4");
}

static void note_unknown(const char *file, unsigned int line, const char *key, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s:%u:%s ", file, line, key);
}

static void test_unknown_keys(void **state)
{
	const char *text = BASE "vnc = 1\non_crash = 'destroy'\nusb = 0\n";
	struct config_error error;
	struct domain_spec spec;
	struct config *config;
	char seen[200] = "";

	(void)state;
	assert_int_equal(config_parse_text("f", text, strlen(text), &config, &error), 0);
	assert_int_equal(spec_read(config, &spec, &error), 0);
	config_visit_unknown(config, note_unknown, seen);
	assert_string_equal(seen, "f:4:vnc f:6:usb ");
	config_free(config);
	spec_free(&spec);
}

static void test_json(void **state)
{
	struct domain_spec spec = accept(BASE "disk = ['/a.img,raw,xvda,w']\nvif = ['']\n"
					      "ioports = ['2f8-2ff', '3bc']\n");
	struct json_object *json = spec_to_json(&spec), *part, *value;

	(void)state;
	assert_true(json_object_object_get_ex(json, "c_info", &part));
	assert_true(json_object_object_get_ex(part, "name", &value));
	assert_string_equal(json_object_get_string(value), "guest");
	assert_true(json_object_object_get_ex(json, "b_info", &part));
	assert_true(json_object_object_get_ex(part, "target_memkb", &value));
	assert_int_equal(json_object_get_int(value), 256 * 1024);
	assert_true(json_object_object_get_ex(part, "ioports", &value));
	assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN),
			    "[{\"first\":760,\"number\":8},{\"first\":956,\"number\":1}]");
	assert_true(json_object_object_get_ex(json, "disks", &part));
	assert_int_equal(json_object_array_length(part), 1);
	assert_true(json_object_object_get_ex(json, "nics", &part));
	assert_int_equal(json_object_array_length(part), 1);
	json_object_put(json);
	spec_free(&spec);
}

/* The file and the words as one text. */
static struct source_text source_of(const char *text, int nr, char **words)
{
	char path[] = "/tmp/zl-test-XXXXXX";
	struct source_text source;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(source_read(path, words, nr, &source), 0);
	unlink(path);
	source.name = "file";
	return source;
}

static void test_overrides(void **state)
{
	char *words[] = {"memory=512", "name=other",	 "extra='a b'", "disk=['x']",
			 "vcpus=0x2",  "root=/dev/xvda", "uuid=12ab-3"};
	struct source_text source = source_of("memory = 1", 7, words);

	(void)state;
	assert_int_equal(source.file_lines, 1);
	assert_int_equal(source.size, strlen(source.text));
	assert_string_equal(source.text, "memory = 1\nmemory=512\nname=\"other\"\nextra='a b'\n"
					 "disk=['x']\nvcpus=0x2\nroot=\"/dev/xvda\"\n"
					 "uuid=\"12ab-3\"\n");
	source_free(&source);
}

static void test_override_words(void **state)
{
	(void)state;
	assert_true(source_is_override("memory=1"));
	assert_true(source_is_override("a_1="));
	assert_false(source_is_override("guest.cfg"));
	assert_false(source_is_override("/tmp/a=b"));
	assert_false(source_is_override("=1"));
	assert_false(source_is_override("1a=1"));
}

static void test_override_errors(void **state)
{
	char *words[] = {"memory=[1]"};
	struct source_text source = source_of("name = 'a'\nkernel = 'k'\n", 1, words);
	struct config_error error;
	struct domain_spec spec;
	struct config *config;

	(void)state;
	assert_int_equal(config_parse_text(source.name, source.text, source.size, &config, &error),
			 0);
	assert_int_not_equal(spec_read(config, &spec, &error), 0);
	assert_ptr_equal(strstr(source_place_error(&source, &error), "command line: "),
			 source.message);
	error.line = 1;
	assert_string_equal(source_place_error(&source, &error), error.text);
	config_free(config);
	source_free(&source);
}

static void test_error_at_the_end(void **state)
{
	struct source_text source = source_of("disk = [ 'a'\n", 0, NULL);
	struct config_error error;
	struct config *config;

	(void)state;
	assert_int_equal(config_parse_text(source.name, source.text, source.size, &config, &error),
			 -EINVAL);
	assert_ptr_equal(strstr(source_place_error(&source, &error), "file:"), error.text);
	source_free(&source);
}

static void test_source_bounds(void **state)
{
	char path[] = "/tmp/zl-test-XXXXXX";
	struct source_text source;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
	assert_int_equal(source_read(path, NULL, 0, &source), -EFBIG);
	assert_int_equal(source_read("/nowhere/at/all", NULL, 0, &source), -ENOENT);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),	cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_hvm_defaults),	cmocka_unit_test(test_hvm_keys),
		cmocka_unit_test(test_hvm_refused),	cmocka_unit_test(test_cmdline_forms),
		cmocka_unit_test(test_names_refused),	cmocka_unit_test(test_values_refused),
		cmocka_unit_test(test_unknown_keys),	cmocka_unit_test(test_json),
		cmocka_unit_test(test_overrides),	cmocka_unit_test(test_override_words),
		cmocka_unit_test(test_override_errors), cmocka_unit_test(test_error_at_the_end),
		cmocka_unit_test(test_source_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
