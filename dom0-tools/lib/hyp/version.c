/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version: what the hypervisor says about itself (xen/version.h). Any domain may ask, though
 * some answers are withheld from unprivileged ones.
 */
#include <errno.h>
#include <string.h>

#include "hyp/internal.h"

static long call_version(struct hyp *hyp, unsigned int cmd)
{
	return hyp_call(hyp, __HYPERVISOR_xen_version, cmd, (uintptr_t)hyp->op, 0, 0, 0);
}

/* The hypervisor fills fixed arrays; it need not end them with a NUL. */
static int get_string(struct hyp *hyp, unsigned int cmd, size_t field, char *buf, size_t size)
{
	size_t length;
	long result;

	if (size == 0)
		return -EINVAL;
	memset(hyp->op, 0, field);
	result = call_version(hyp, cmd);
	if (result < 0)
		return (int)result;
	length = strnlen(hyp->op, field);
	if (length > size - 1)
		length = size - 1;
	memcpy(buf, hyp->op, length);
	buf[length] = '\0';
	return 0;
}

int hyp_version_get(struct hyp *hyp, unsigned int *major, unsigned int *minor)
{
	long version = hyp_call(hyp, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);

	if (version < 0)
		return (int)version;
	*major = (unsigned int)version >> 16;
	*minor = (unsigned int)version & 0xffff;
	return 0;
}

int hyp_version_get_extra(struct hyp *hyp, char *buf, size_t size)
{
	return get_string(hyp, XENVER_extraversion, sizeof(xen_extraversion_t), buf, size);
}

int hyp_version_get_capabilities(struct hyp *hyp, char *buf, size_t size)
{
	return get_string(hyp, XENVER_capabilities, sizeof(xen_capabilities_info_t), buf, size);
}

int hyp_version_get_changeset(struct hyp *hyp, char *buf, size_t size)
{
	return get_string(hyp, XENVER_changeset, sizeof(xen_changeset_info_t), buf, size);
}

int hyp_version_get_cmdline(struct hyp *hyp, char *buf, size_t size)
{
	return get_string(hyp, XENVER_commandline, sizeof(xen_commandline_t), buf, size);
}

int hyp_version_get_compile(struct hyp *hyp, struct xen_compile_info *info)
{
	long result;

	memset(hyp->op, 0, sizeof(*info));
	result = call_version(hyp, XENVER_compile_info);
	if (result < 0)
		return (int)result;
	memcpy(info, hyp->op, sizeof(*info));
	info->compiler[sizeof(info->compiler) - 1] = '\0';
	info->compile_by[sizeof(info->compile_by) - 1] = '\0';
	info->compile_domain[sizeof(info->compile_domain) - 1] = '\0';
	info->compile_date[sizeof(info->compile_date) - 1] = '\0';
	return 0;
}

int hyp_version_get_virt_start(struct hyp *hyp, uint64_t *virt_start)
{
	struct xen_platform_parameters *parameters = hyp->op;
	long result = call_version(hyp, XENVER_platform_parameters);

	if (result < 0)
		return (int)result;
	*virt_start = parameters->virt_start;
	return 0;
}

int hyp_version_get_features(struct hyp *hyp, unsigned int submap, uint32_t *features)
{
	struct xen_feature_info *info = hyp->op;
	long result;

	*info = (struct xen_feature_info){.submap_idx = submap};
	result = call_version(hyp, XENVER_get_features);
	if (result < 0)
		return (int)result;
	*features = info->submap;
	return 0;
}

int hyp_version_get_build_id(struct hyp *hyp, uint8_t *buf, size_t size)
{
	struct xen_build_id *id = hyp->op;
	long result;

	if (size > HYP_PAGE_SIZE - sizeof(*id))
		size = HYP_PAGE_SIZE - sizeof(*id);
	id->len = (uint32_t)size;
	result = call_version(hyp, XENVER_build_id);
	if (result < 0)
		return (int)result;
	if ((size_t)result > size)
		return -EPROTO;
	memcpy(buf, id->buf, (size_t)result);
	return (int)result;
}

bool hyp_has_reliable_tsc(void)
{
	uint32_t a = XEN_CPUID_LEAF(3), c = 0; /* arch-x86/cpuid.h: bit 1 of EAX */

	__asm__ volatile(XEN_CPUID : "+a"(a), "+c"(c) : : "ebx", "edx");
	return a & 1u << 1;
}
