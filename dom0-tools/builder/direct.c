/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a kernel that firmware starts lies in memory, and the image that leads there. */
#include "builder/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builder/direct_start.h"

#define PAGE   HYP_PAGE_SIZE
#define MIB    (1ULL << 20)
#define SECTOR 512u

/* SeaBIOS keeps what it needs, and lends what it does not, in the last 16 MiB of low memory. */
#define FIRMWARE_ROOM (17 * MIB)

/* boot.rst, "The Real-Mode Kernel Header" */
#define SETUP_LOADFLAGS	 0x211
#define LOADED_HIGH	 1u
#define SETUP_CODE32	 0x214
#define SETUP_XLOADFLAGS 0x236
#define XLF_KERNEL_64	 1u

void direct_init(struct direct *direct)
{
	*direct = (struct direct){.ramdisk.fd = -1};
}

void direct_close(struct direct *direct)
{
	kernel_close(direct->kernel);
	ramdisk_close(&direct->ramdisk);
	direct_init(direct);
}

static bool has_entry(const struct kernel_info *info)
{
	for (uint32_t i = 0; i < info->nr_segments; i++)
		if (info->elf_entry - info->segments[i].paddr < info->segments[i].memsz)
			return true;
	return false;
}

/* Does its setup go on at our start, and is what it has unpacked to entered in long mode? */
static bool is_known(const struct kernel *kernel)
{
	const uint8_t *setup;
	uint32_t code32;

	if (!kernel_get_setup(kernel, &setup) || !has_entry(kernel_get_info(kernel)))
		return false;
	memcpy(&code32, setup + SETUP_CODE32, sizeof(code32));
	return setup[SETUP_LOADFLAGS] & LOADED_HIGH && code32 == DIRECT_START_PADDR &&
	       setup[SETUP_XLOADFLAGS] & XLF_KERNEL_64;
}

int direct_open(struct direct *direct, const struct build_params *params, struct build_error *error)
{
	int result;

	if (!params->boot_kernel)
		return 0;
	result = kernel_open(params->boot_kernel, params->cache_dir, &direct->kernel, error);
	if (result == -ENOEXEC || result == -EBADMSG)
		return 0;
	if (!result && !is_known(direct->kernel)) {
		direct_close(direct);
		return 0;
	}
	return result ? result : ramdisk_open(params->boot_ramdisk, &direct->ramdisk, error);
}

void direct_plan(struct direct *direct, uint64_t start_pfn, uint64_t end_pfn)
{
	const struct kernel_info *info;
	uint64_t start = start_pfn * PAGE, end = 0;

	if (!direct->kernel)
		return;
	info = kernel_get_info(direct->kernel);
	if (start < DIRECT_START_END)
		start = DIRECT_START_END;
	for (uint32_t i = 0; i < info->nr_segments; i++) {
		const struct kernel_segment *segment = &info->segments[i];

		if (segment->paddr < start)
			goto close;
		if (segment->paddr + segment->memsz > end)
			end = segment->paddr + segment->memsz;
	}
	direct->ramdisk_pfn = (end + PAGE - 1) / PAGE;
	end = direct->ramdisk_pfn * PAGE + direct->ramdisk.size + FIRMWARE_ROOM;
	if (end <= end_pfn * PAGE)
		return;

close:
	direct_close(direct);
}

int direct_load(const struct direct *direct, const struct loader *loader)
{
	int result;

	if (!direct->kernel)
		return 0;
	result = load_kernel(loader, kernel_get_info(direct->kernel), 0);
	if (!result && direct->ramdisk.fd >= 0)
		result = load_ramdisk(loader, &direct->ramdisk, direct->ramdisk_pfn);
	return result;
}

static size_t start_size(void)
{
	return (size_t)(direct_start_end - direct_start);
}

/* The setup as it is, and behind it, to the end of a sector, where its code goes on. */
static void fill_image(const struct direct *direct, const uint8_t *setup, size_t size,
		       uint8_t *image)
{
	struct direct_values values = {
		.entry = (uint32_t)kernel_get_info(direct->kernel)->elf_entry,
		.ramdisk_size = (uint32_t)direct->ramdisk.size,
	};

	if (direct->ramdisk.size)
		values.ramdisk_paddr = (uint32_t)(direct->ramdisk_pfn * PAGE);
	memcpy(image, setup, size);
	memcpy(image + size, direct_start, start_size());
	memcpy(image + size + start_size() - sizeof(values), &values, sizeof(values));
}

int direct_make_image(const struct direct *direct, int *fd, struct build_error *error)
{
	const uint8_t *setup;
	uint8_t *image;
	size_t size, whole;

	*fd = -1;
	if (!direct->kernel)
		return 0;
	size = kernel_get_setup(direct->kernel, &setup);
	whole = size + (start_size() + SECTOR - 1) / SECTOR * SECTOR;
	image = calloc(1, whole);
	if (!image)
		return build_error_set(error, -ENOMEM, "out of memory");
	fill_image(direct, setup, size, image);
	*fd = memfd_create("boot-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || write(*fd, image, whole) != (ssize_t)whole ||
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) {
		int result = errno ? -errno : -EIO;

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		free(image);
		return build_error_set(error, result, "cannot make the boot image: %s",
				       strerror(-result));
	}
	free(image);
	return 0;
}
