/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's context as a guest may give it: what must be refused before
 * anything of it is used.
 *
 * Links: domain/context.c lib/bits.c
 */
#include "cpu/guest_copy.h"
#include "domain/domain.h"
#include "fake/fake.h"
#include "lib/errno.h"
#include "pv/debugreg.h"

static struct vcpu_guest_context ctx;
static unsigned int l4s_set;

bool guest_range_ok(const void *guest, size_t n)
{
	uint64_t start = (uint64_t)guest;

	return start + n <= HYPERVISOR_VIRT_START || start >= HYPERVISOR_VIRT_END;
}

int pv_debugreg_set(struct vcpu *v, unsigned int reg, uint64_t value)
{
	(void)v, (void)reg, (void)value;
	return 0;
}

int pv_gdt_set(struct vcpu *v, const mfn_t *frames, unsigned int entries)
{
	(void)v, (void)frames, (void)entries;
	return 0;
}

void pv_gdt_drop(struct vcpu *v)
{
	(void)v;
}

int pv_set_kernel_l4(struct vcpu *v, mfn_t mfn)
{
	(void)v, (void)mfn;
	l4s_set++;
	return 0;
}

int pv_set_user_l4(struct vcpu *v, mfn_t mfn)
{
	(void)v, (void)mfn;
	l4s_set++;
	return 0;
}

void fpu_state_import(struct fpu_state *f, const void *fxsave)
{
	(void)f, (void)fxsave;
}

void fpu_state_export(const struct fpu_state *f, void *fxsave)
{
	(void)f, (void)fxsave;
}

static struct vcpu *setup(void)
{
	static struct trap_info traps[256];
	struct vcpu *v = fake_domain(5, 1)->vcpus[0];

	memset(&ctx, 0, sizeof(ctx));
	ctx.flags = VGCF_in_kernel;
	ctx.ctrlreg[3] = xen_pfn_to_cr3(20);
	v->pv.traps = traps;
	l4s_set = 0;
	return v;
}

TEST(a_kernel_needs_one_l4)
{
	struct vcpu *v = setup();

	CHECK_EQ(vcpu_context_set(v, &ctx), 0);
	CHECK_EQ(l4s_set, 1);
	CHECK(v->pv.in_kernel && v->initialised);
}

TEST(user_mode_needs_tables_of_its_own)
{
	struct vcpu *v = setup();

	v->initialised = false;
	ctx.flags = 0;
	CHECK_EQ(vcpu_context_set(v, &ctx), -EINVAL);
	CHECK(!v->initialised && !l4s_set);
	ctx.ctrlreg[1] = xen_pfn_to_cr3(21);
	CHECK_EQ(vcpu_context_set(v, &ctx), 0);
	CHECK_EQ(l4s_set, 2);
}

TEST(addresses_in_the_hypervisor_are_refused)
{
	struct vcpu *v = setup();

	ctx.trap_ctxt[7].address = HYPERVISOR_VIRT_START;
	CHECK_EQ(vcpu_context_set(v, &ctx), -EINVAL);
	ctx.trap_ctxt[7].address = 0;
	ctx.syscall_callback_eip = HYPERVISOR_VIRT_END - 1;
	CHECK_EQ(vcpu_context_set(v, &ctx), -EINVAL);
	ctx.syscall_callback_eip = 0;
	ctx.gs_base_user = 1UL << 60;
	CHECK_EQ(vcpu_context_set(v, &ctx), -EINVAL);
}

TEST(segments_and_flags_are_ring_3s)
{
	struct vcpu *v = setup();

	ctx.user_regs.cs = 0xe008;
	ctx.user_regs.rflags = 0x3000;
	CHECK_EQ(vcpu_context_set(v, &ctx), 0);
	CHECK_EQ(v->regs.cs & 3, 3);
	CHECK_EQ(v->regs.rflags, 0x202);
}

TEST(an_hvm_vcpu_has_no_such_context)
{
	struct vcpu *v = setup();

	v->initialised = false;
	v->domain->type = DOMAIN_HVM;
	CHECK_EQ(vcpu_context_set(v, &ctx), -EOPNOTSUPP);
	CHECK(!v->initialised && !l4s_set);
}
