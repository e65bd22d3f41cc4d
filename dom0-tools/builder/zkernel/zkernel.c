/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zkernel: look into a kernel image, and unpack it. Needs no hypervisor: the build uses it on the
 * host to unpack dom0's kernel once. See zkernel(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>
#include <xen/elfnote.h>

#include "builder/build.h"
#include "builder/kernel.h"

static const char usage[] =
	"usage: zkernel info [--json] FILE\n"
	"       zkernel unpack FILE OUTPUT\n"
	"       zkernel cache [--dir DIR] FILE...\n"
	"\n"
	"  info    show format, compression, segments and Xen ELF notes\n"
	"  unpack  write the ELF file that a bzImage or compressed ELF file holds\n"
	"  cache   unpack kernels to where zl looks for them, before they are needed\n";

static int fail_usage(void)
{
	fputs(usage, stderr);
	return 2;
}

static bool has_note(const struct kernel_notes *notes, unsigned int type)
{
	return notes->present & 1u << type;
}

/* "pv", "pvh", "pv pvh" or "": how the hypervisor could start it. */
static void format_modes(const struct kernel_notes *notes, char *buf, size_t size)
{
	bool pv = has_note(notes, XEN_ELFNOTE_ENTRY),
	     pvh = has_note(notes, XEN_ELFNOTE_PHYS32_ENTRY);

	snprintf(buf, size, "%s%s%s", pv ? "pv" : "", pv && pvh ? " " : "", pvh ? "pvh" : "");
}

static void add_hex(struct json_object *object, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *notes_to_json(const struct kernel_notes *notes)
{
	struct json_object *object = json_object_new_object();

	if (has_note(notes, XEN_ELFNOTE_ENTRY))
		add_hex(object, "entry", notes->entry);
	if (has_note(notes, XEN_ELFNOTE_HYPERCALL_PAGE))
		add_hex(object, "hypercall_page", notes->hypercall_page);
	if (has_note(notes, XEN_ELFNOTE_VIRT_BASE))
		add_hex(object, "virt_base", notes->virt_base);
	if (has_note(notes, XEN_ELFNOTE_PADDR_OFFSET))
		add_hex(object, "paddr_offset", notes->paddr_offset);
	if (has_note(notes, XEN_ELFNOTE_HV_START_LOW))
		add_hex(object, "hv_start_low", notes->hv_start_low);
	if (has_note(notes, XEN_ELFNOTE_INIT_P2M))
		add_hex(object, "init_p2m", notes->init_p2m);
	if (has_note(notes, XEN_ELFNOTE_PHYS32_ENTRY))
		add_hex(object, "phys32_entry", notes->phys32_entry);
	if (has_note(notes, XEN_ELFNOTE_SUPPORTED_FEATURES))
		add_hex(object, "supported_features", notes->supported_features);
	add_text(object, "xen_version", notes->xen_version);
	add_text(object, "guest_os", notes->guest_os);
	add_text(object, "guest_version", notes->guest_version);
	add_text(object, "loader", notes->loader);
	add_text(object, "features", notes->features);
	json_object_object_add(object, "mod_start_pfn",
			       json_object_new_boolean(notes->mod_start_pfn));
	return object;
}

static void print_json(const char *path, const struct kernel_info *info)
{
	struct json_object *object = json_object_new_object(), *segments = json_object_new_array();
	char modes[16];

	format_modes(&info->notes, modes, sizeof(modes));
	add_text(object, "file", path);
	add_text(object, "format", info->container);
	add_text(object, "compression", kernel_compression_name(info->compression));
	json_object_object_add(object, "unpacked_bytes",
			       json_object_new_int64((int64_t)info->elf_size));
	add_text(object, "modes", modes);
	add_hex(object, "elf_entry", info->elf_entry);
	for (uint32_t i = 0; i < info->nr_segments; i++) {
		struct json_object *segment = json_object_new_object();

		add_hex(segment, "vaddr", info->segments[i].vaddr);
		add_hex(segment, "paddr", info->segments[i].paddr);
		add_hex(segment, "filesz", info->segments[i].filesz);
		add_hex(segment, "memsz", info->segments[i].memsz);
		json_object_array_add(segments, segment);
	}
	json_object_object_add(object, "segments", segments);
	json_object_object_add(object, "notes", notes_to_json(&info->notes));
	puts(json_object_to_json_string_ext(object,
					    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED));
	json_object_put(object);
}

static void print_text(const char *path, const struct kernel_info *info)
{
	struct json_object *notes = notes_to_json(&info->notes);
	char modes[16];

	format_modes(&info->notes, modes, sizeof(modes));
	printf("file          %s\n", path);
	printf("format        %s\n", info->container);
	printf("compression   %s\n", kernel_compression_name(info->compression));
	printf("unpacked      %zu bytes\n", info->elf_size);
	printf("starts as     %s\n", *modes ? modes : "neither PV nor PVH (no Xen ELF notes)");
	for (uint32_t i = 0; i < info->nr_segments; i++)
		printf("segment %-5u vaddr 0x%016llx paddr 0x%09llx file %10llu memory %10llu\n", i,
		       (unsigned long long)info->segments[i].vaddr,
		       (unsigned long long)info->segments[i].paddr,
		       (unsigned long long)info->segments[i].filesz,
		       (unsigned long long)info->segments[i].memsz);
	json_object_object_foreach(notes, key, value)
		printf("note %-20s %s\n", key, json_object_get_string(value));
	json_object_put(notes);
}

static int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	struct build_error error;
	struct kernel *kernel;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return fail_usage();
		json = true;
	}
	if (argc - optind != 1)
		return fail_usage();
	if (kernel_open(argv[optind], NULL, &kernel, &error) < 0) {
		fprintf(stderr, "zkernel: %s\n", error.text);
		return 1;
	}
	if (json)
		print_json(argv[optind], kernel_get_info(kernel));
	else
		print_text(argv[optind], kernel_get_info(kernel));
	kernel_close(kernel);
	return 0;
}

static int write_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), error = 0;

	if (fd < 0)
		return -errno;
	while (size > 0 && !error) {
		ssize_t put = write(fd, data, size);

		if (put >= 0) {
			data += put;
			size -= (size_t)put;
		} else if (errno != EINTR) {
			error = -errno;
		}
	}
	if (close(fd) < 0 && !error)
		error = -errno;
	if (error)
		unlink(path);
	return error;
}

static int cmd_unpack(int argc, char **argv)
{
	struct build_error error;
	struct kernel *kernel;
	int result;

	if (argc != 3)
		return fail_usage();
	if (kernel_open(argv[1], NULL, &kernel, &error) < 0) {
		fprintf(stderr, "zkernel: %s\n", error.text);
		return 1;
	}
	result = write_file(argv[2], kernel_get_info(kernel)->elf,
			    kernel_get_info(kernel)->elf_size);
	if (result)
		fprintf(stderr, "zkernel: %s: cannot write: %s\n", argv[2], strerror(-result));
	kernel_close(kernel);
	return result ? 1 : 0;
}

static int cache_kernel(const char *path, const char *dir)
{
	struct build_error error;
	struct kernel *kernel;
	bool packed, cached;

	/* The first open fills the cache and the second finds what the first left. */
	if (kernel_open(path, dir, &kernel, &error) < 0) {
		fprintf(stderr, "zkernel: %s\n", error.text);
		return 1;
	}
	packed = kernel_get_info(kernel)->compression != KERNEL_NONE;
	cached = kernel_get_info(kernel)->from_cache;
	kernel_close(kernel);
	if (!packed || cached)
		return 0;
	if (kernel_open(path, dir, &kernel, &error) < 0) {
		fprintf(stderr, "zkernel: %s\n", error.text);
		return 1;
	}
	cached = kernel_get_info(kernel)->from_cache;
	kernel_close(kernel);
	if (!cached)
		fprintf(stderr,
			"zkernel: %s: cannot be kept in %s: expected a folder that its owner "
			"alone may write to, with room\n",
			path, dir);
	return cached ? 0 : 1;
}

static int cmd_cache(int argc, char **argv)
{
	static const struct option options[] = {{"dir", required_argument, NULL, 'd'}, {0}};
	const char *dir = BUILD_CACHE_DIR;
	int option, result = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'd')
			return fail_usage();
		dir = optarg;
	}
	if (optind == argc)
		return fail_usage();
	for (int i = optind; i < argc; i++)
		result |= cache_kernel(argv[i], dir);
	return result;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return fail_usage();
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(argv[1], "info") == 0)
		return cmd_info(argc - 1, argv + 1);
	if (strcmp(argv[1], "unpack") == 0)
		return cmd_unpack(argc - 1, argv + 1);
	if (strcmp(argv[1], "cache") == 0)
		return cmd_cache(argc - 1, argv + 1);
	return fail_usage();
}
