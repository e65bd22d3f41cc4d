/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version and our own extension call.
 *
 * Links: hypercall/version.c hypercall/zendo_op.c lib/bits.c
 */
#include "fake.h"

#include <zendo.h>
#include "boot/boot.h"
#include "hvm/state.h"
#include "hypercall/hypercall.h"

#include <xen/version.h>

struct boot_info boot_info = {.cmdline = "dom0_mem=512M"};

/* As the linker writes it. */
extern const uint8_t build_id_start[], build_id_end[];
__asm__(".pushsection .rodata\n"
	".balign 4\n"
	".globl build_id_start, build_id_end\n"
	"build_id_start: .long 4, 8, 3\n"
	".asciz \"GNU\"\n"
	".ascii \"ABCDEFGH\"\n"
	"build_id_end:\n"
	".popsection\n");

static struct domain *domu;

static void begin(void)
{
	fake_guest_any = true;
	fake_dom0(1);
	domu = fake_domain(7, 1);
	fake_vcpu_run(dom0->vcpus[0], 0);
}

static void as_guest(void)
{
	fake_vcpu_run(domu->vcpus[0], 0);
}

static long version(unsigned int cmd, void *arg)
{
	const uint64_t args[5] = {cmd, (uint64_t)arg};

	return hypercall_xen_version(args);
}

TEST(version_numbers_and_strings)
{
	xen_extraversion_t extra;
	xen_capabilities_info_t caps;
	struct xen_platform_parameters params;
	xen_domain_handle_t handle;

	begin();
	as_guest();
	CHECK_EQ(version(XENVER_version, NULL), 4 << 16 | 17);
	memset(extra, 0xaa, sizeof(extra));
	CHECK_EQ(version(XENVER_extraversion, extra), 0);
	CHECK_EQ(extra[sizeof(extra) - 1], 0);
	CHECK(!strcmp(extra, ".5-zendo"));
	CHECK_EQ(version(XENVER_capabilities, caps), 0);
	CHECK(!strcmp(caps, "xen-3.0-x86_64 "));
	CHECK_EQ(caps[sizeof(caps) - 1], 0);
	CHECK_EQ(version(XENVER_platform_parameters, &params), 0);
	CHECK_EQ(params.virt_start, 0xffff800000000000UL);
	CHECK_EQ(version(XENVER_pagesize, NULL), 4096);
	CHECK_EQ(version(XENVER_pagesize, &params), -EINVAL);
	domu->handle[3] = 9;
	CHECK_EQ(version(XENVER_guest_handle, handle), 0);
	CHECK_EQ(handle[3], 9);
	CHECK_EQ(version(11, NULL), -ENOSYS);
	CHECK_EQ(version(~0U, NULL), -ENOSYS);
	fake_guest_any = false;
	for (unsigned int cmd = 1; cmd <= 9; cmd++)
		if (cmd != XENVER_pagesize)
			CHECK_EQ(version(cmd, (void *)0x1000), -EFAULT);
}

TEST(version_features)
{
	struct xen_feature_info info = {0};

	begin();
	CHECK_EQ(version(XENVER_get_features, &info), 0);
	CHECK_EQ(info.submap, BIT(5) | BIT(6) | BIT(7) | BIT(11) | BIT(13) | BIT(16));
	as_guest();
	domu->vm_assist = 1UL << VMASST_TYPE_pae_extended_cr3;
	CHECK_EQ(version(XENVER_get_features, &info), 0);
	CHECK_EQ(info.submap, BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(13) | BIT(16));
	info.submap_idx = 1;
	CHECK_EQ(version(XENVER_get_features, &info), -EINVAL);
}

/* How we were built and started is not for guests. */
TEST(version_what_guests_are_not_told)
{
	struct xen_compile_info info;
	xen_changeset_info_t changeset;
	xen_commandline_t line;
	struct {
		xen_build_id_t head;
		char buf[16];
	} id = {.head.len = 16};

	begin();
	CHECK_EQ(version(XENVER_commandline, line), 0);
	CHECK(!strcmp(line, "dom0_mem=512M"));
	CHECK_EQ(version(XENVER_compile_info, &info), 0);
	CHECK(strcmp(info.compiler, "<denied>"));
	CHECK_EQ(version(XENVER_changeset, changeset), 0);
	CHECK(strcmp(changeset, "<denied>"));
	CHECK_EQ(version(XENVER_build_id, NULL), 8);
	CHECK_EQ(version(XENVER_build_id, &id), 8);
	CHECK(!memcmp((char *)&id + 4, "ABCDEFGH", 8));
	id.head.len = 7;
	CHECK_EQ(version(XENVER_build_id, &id), -ENOBUFS);
	id.head.len = 0;
	CHECK_EQ(version(XENVER_build_id, &id), -EINVAL);
	as_guest();
	CHECK_EQ(version(XENVER_commandline, line), 0);
	CHECK(!strcmp(line, "<denied>"));
	CHECK_EQ(version(XENVER_compile_info, &info), 0);
	CHECK(!strcmp(info.compiler, "<denied>"));
	CHECK_EQ(version(XENVER_changeset, changeset), 0);
	CHECK(!strcmp(changeset, "<denied>"));
	CHECK_EQ(version(XENVER_build_id, NULL), -EPERM);
}

static long zendo(unsigned int cmd, void *arg)
{
	const uint64_t args[5] = {cmd, (uint64_t)arg};

	return hypercall_zendo_op(args);
}

TEST(zendo_op)
{
	struct zendo_domain_reason op = {.domid = 7};

	begin();
	CHECK_EQ(zendo(ZENDO_OP_version, NULL), ZENDO_ABI_VERSION);
	CHECK_EQ(zendo(99, &op), -ENOSYS);
	strcpy(domu->reason, "triple fault");
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), 0);
	CHECK(!strcmp(op.reason, "triple fault"));
	memset(domu->reason, 'x', sizeof(domu->reason));
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), 0);
	CHECK_EQ(strlen(op.reason), ZENDO_REASON_SIZE - 1);
	op.pad[1] = 1;
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), -EINVAL);
	op.pad[1] = 0;
	op.domid = 99;
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), -ESRCH);
	op.domid = 7;
	as_guest();
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), -EPERM);
	CHECK_EQ(zendo(ZENDO_OP_version, NULL), ZENDO_ABI_VERSION);
	fake_vcpu_run(dom0->vcpus[0], 0);
	fake_guest_any = false;
	CHECK_EQ(zendo(ZENDO_OP_domain_reason, &op), -EFAULT);
	CHECK_EQ(domu->references, 1);
}

TEST(zendo_exits)
{
	static struct hvm_vcpu hvm[2];
	struct zendo_exits op = {.domid = 7, .vcpu = 1};

	begin();
	memset(op.counts, 0xff, sizeof(op.counts));
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), -EINVAL); /* a PV domain has none */
	domu = fake_domain(8, 2);
	domu->type = DOMAIN_HVM;
	op.domid = 8;
	for (unsigned int i = 0; i < 2; i++)
		domu->vcpus[i]->hvm = &hvm[i];
	for (unsigned int i = 0; i < HVM_EXIT_KINDS; i++)
		hvm[1].exits[i] = 100 + i;
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), 0);
	CHECK_EQ(op.kinds, ZENDO_EXIT_KINDS);
	for (unsigned int i = 0; i < ZENDO_EXIT_COUNTS; i++)
		CHECK_EQ(op.counts[i], i < ZENDO_EXIT_KINDS ? 100 + i : 0);
	op.vcpu = 2;
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), -ENOENT);
	op.vcpu = 0;
	op.pad[2] = 1;
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), -EINVAL);
	op.pad[2] = 0;
	op.domid = 99;
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), -ESRCH);
	op.domid = 8;
	as_guest();
	CHECK_EQ(zendo(ZENDO_OP_exits, &op), -EPERM);
	CHECK_EQ(domu->references, 1);
	domu->type = DOMAIN_PV;
}
