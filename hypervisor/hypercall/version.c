/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_xen_version: what we say we are.  The numbers are those of the
 * ABI we keep, Xen 4.17's; our own name is in the extra version.  What tells
 * how this hypervisor was built and started is for privileged domains.
 */
#include "boot/boot.h"
#include "domain/domain.h"
#include "hvm/hvm.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"

#include <xen/version.h>

#define ABI_MAJOR 4
#define ABI_MINOR 17

#ifndef ZENDO_CHANGESET
#define ZENDO_CHANGESET "zendo"
#endif

static const char denied[] = "<denied>";

/* A string into a field of that size, the rest zero. */
#define FIELD_SET(field, text) snprintf(field, sizeof(field), "%s", text)

static bool is_privileged(void)
{
	return current->domain->is_privileged;
}

static int version_extra(void *guest)
{
	xen_extraversion_t extra = ".5-zendo";

	return copy_out(guest, extra, sizeof(extra));
}

static int version_compile_info(void *guest)
{
	struct xen_compile_info info;

	memset(&info, 0, sizeof(info));
	if (is_privileged()) {
		FIELD_SET(info.compiler, __VERSION__);
		FIELD_SET(info.compile_by, "zendo");
	} else {
		FIELD_SET(info.compiler, denied);
		FIELD_SET(info.compile_by, denied);
	}
	return copy_out(guest, &info, sizeof(info));
}

static int version_capabilities(void *guest)
{
	xen_capabilities_info_t caps = "xen-3.0-x86_64 ";

	if (hvm_is_available())
		FIELD_SET(caps, "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ");
	return copy_out(guest, caps, sizeof(caps));
}

static int version_changeset(void *guest)
{
	xen_changeset_info_t changeset = {0};

	FIELD_SET(changeset, is_privileged() ? ZENDO_CHANGESET : denied);
	return copy_out(guest, changeset, sizeof(changeset));
}

static int version_platform(void *guest)
{
	struct xen_platform_parameters params = {.virt_start = HYPERVISOR_VIRT_START};

	return copy_out(guest, &params, sizeof(params));
}

static int version_features(void *guest)
{
	const struct domain *d = current->domain;
	struct xen_feature_info info;
	int rc = copy_in(&info, guest, sizeof(info));

	if (rc)
		return rc;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info.submap = 1U << XENFEAT_mmu_pt_update_preserve_ad | 1U << XENFEAT_highmem_assist |
		      1U << XENFEAT_gnttab_map_avail_bits |
		      1U << XENFEAT_memory_op_vnode_supported | 1U << XENFEAT_not_direct_mapped;
	if (d->type == DOMAIN_HVM)
		info.submap = 1U << XENFEAT_writable_page_tables |
			      1U << XENFEAT_writable_descriptor_tables |
			      1U << XENFEAT_auto_translated_physmap |
			      1U << XENFEAT_supervisor_mode_kernel |
			      1U << XENFEAT_pae_pgdir_above_4gb | 1U << XENFEAT_highmem_assist |
			      1U << XENFEAT_gnttab_map_avail_bits | 1U << XENFEAT_hvm_callback_vector |
			      1U << XENFEAT_hvm_safe_pvclock |
			      1U << XENFEAT_memory_op_vnode_supported |
			      1U << XENFEAT_not_direct_mapped;
	if (d->vm_assist & 1UL << VMASST_TYPE_pae_extended_cr3)
		info.submap |= 1U << XENFEAT_pae_pgdir_above_4gb;
	if (d->is_privileged)
		info.submap |= 1U << XENFEAT_dom0;
	return copy_out(guest, &info, sizeof(info));
}

static int version_guest_handle(void *guest)
{
	struct domain *d = current->domain;
	xen_domain_handle_t handle;

	spin_lock(&d->lock);
	memcpy(handle, d->handle, sizeof(handle));
	spin_unlock(&d->lock);
	return copy_out(guest, handle, sizeof(handle));
}

static int version_commandline(void *guest)
{
	xen_commandline_t line = {0};

	FIELD_SET(line, is_privileged() ? boot_info.cmdline : denied);
	return copy_out(guest, line, sizeof(line));
}

/* The linker's note, ELF gABI "Note Section", type NT_GNU_BUILD_ID. */
struct elf_note {
	uint32_t name_size, desc_size, type;
	char name[4];
	uint8_t desc[];
};

#define NT_GNU_BUILD_ID 3

extern const char build_id_start[], build_id_end[];

static long version_build_id(void *guest)
{
	const struct elf_note *note = (const struct elf_note *)build_id_start;
	size_t space = (size_t)(build_id_end - build_id_start);
	uint32_t size;

	if (!is_privileged())
		return -EPERM;
	if (space < sizeof(*note) || note->type != NT_GNU_BUILD_ID ||
	    note->desc_size > space - sizeof(*note))
		return -ENODATA;
	if (!guest)
		return note->desc_size;
	if (copy_in(&size, guest, sizeof(size)))
		return -EFAULT;
	if (!size)
		return -EINVAL;
	if (size < note->desc_size)
		return -ENOBUFS;
	if (copy_out((char *)guest + offsetof(xen_build_id_t, buf), note->desc, note->desc_size))
		return -EFAULT;
	return note->desc_size;
}

long hypercall_xen_version(const uint64_t *args)
{
	void *guest = (void *)args[1];

	switch (args[0]) {
	case XENVER_version:
		return ABI_MAJOR << 16 | ABI_MINOR;
	case XENVER_extraversion:
		return version_extra(guest);
	case XENVER_compile_info:
		return version_compile_info(guest);
	case XENVER_capabilities:
		return version_capabilities(guest);
	case XENVER_changeset:
		return version_changeset(guest);
	case XENVER_platform_parameters:
		return version_platform(guest);
	case XENVER_get_features:
		return version_features(guest);
	case XENVER_pagesize:
		return guest ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_guest_handle:
		return version_guest_handle(guest);
	case XENVER_commandline:
		return version_commandline(guest);
	case XENVER_build_id:
		return version_build_id(guest);
	default:
		return -ENOSYS;
	}
}
