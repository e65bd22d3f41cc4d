/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of an HVM domain's records, and those of a vCPU's registers and
 * memory types: there and back, and each state that is refused, with nothing changed.
 *
 * Links: hvm/context.c hvm/context_cpu.c hypercall/domctl_hvm.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"

#include <xen/hvm/save.h>

#include "hvm/context.h"
#include "hvm/policy.h"
#include "hypercall/ctl.h"
#include "time/time.h"

#define PAT_RESET 0x0007040600070406UL

static struct domain *d;
static struct vcpu *v;
static unsigned int pauses, wakes;
static uint64_t msrs[4], dr6, dr7; /* the vendor's: LSTAR, STAR, PAT, all others */
static char buf[16384] aligned_to(8);

void domain_pause(struct domain *domain)
{
	pauses++;
}

void domain_unpause(struct domain *domain)
{
	pauses--;
}

void vcpu_wake(struct vcpu *vcpu)
{
	wakes++;
}

uint64_t tsc_khz(void)
{
	return 2500000;
}

void fpu_state_import(struct fpu_state *f, const void *fxsave)
{
}

void fpu_state_export(const struct fpu_state *f, void *fxsave)
{
	memset(fxsave, 0x5a, 512);
}

uint64_t hvm_cr4_allowed(const struct vcpu *vcpu)
{
	return 0x6f0;
}

uint64_t hvm_efer_allowed(const struct vcpu *vcpu)
{
	return 0xd01;
}

bool hvm_pat_is_legal(uint64_t val)
{
	return val == PAT_RESET;
}

static uint64_t *msr_find(uint32_t msr)
{
	return &msrs[msr == 0xc0000082 ? 0 : msr == 0xc0000081 ? 1 : msr == 0x277 ? 2 : 3];
}

static bool msr_get(const struct vcpu *vcpu, uint32_t msr, uint64_t *val)
{
	*val = *msr_find(msr);
	return true;
}

static bool msr_set(struct vcpu *vcpu, uint32_t msr, uint64_t val)
{
	CHECK_EQ(pauses, 1);
	*msr_find(msr) = val;
	return true;
}

static void debug_get(const struct vcpu *vcpu, uint64_t *six, uint64_t *seven)
{
	*six = dr6;
	*seven = dr7;
}

static void debug_set(struct vcpu *vcpu, uint64_t six, uint64_t seven)
{
	dr6 = six;
	dr7 = seven;
}

static void controls_update(struct vcpu *vcpu)
{
}

static void tsc_offset_set(struct vcpu *vcpu, uint64_t offset)
{
}

static void begin(void)
{
	fake_vendor.msr_get = msr_get;
	fake_vendor.msr_set = msr_set;
	fake_vendor.debug_get = debug_get;
	fake_vendor.debug_set = debug_set;
	fake_vendor.controls_update = controls_update;
	fake_vendor.tsc_offset_set = tsc_offset_set;
	fake_guest_any = true;
	fake_dom0(1);
	fake_vcpu_run(dom0->vcpus[0], 0);
	d = fake_hvm_domain(5, 2);
	v = d->vcpus[0];
	v->initialised = true;
	v->regs.rip = 0x1000;
	v->regs.rflags = 2;
	v->hvm->cr0 = 0x80000011;
	v->hvm->cr4 = 0x20;
	v->hvm->efer = 0x500;
	msrs[2] = PAT_RESET;
	msrs[0] = msrs[1] = msrs[3] = 0;
	dr6 = 0xffff0ff0;
	dr7 = 0x400;
	wakes = 0;
	memset(fake_segments, 0, sizeof(fake_segments));
}

static void end(void)
{
	CHECK_EQ(pauses, 0);
	CHECK_EQ(fake_heap_objects, 0);
	fake_hvm_free(d);
}

static uint32_t save(void)
{
	struct xen_domctl op = {.u.hvmcontext = {.size = sizeof(buf), .buffer.p = (void *)buf}};

	CHECK_EQ(domctl_gethvmcontext(d, &op), 0);
	return op.u.hvmcontext.size;
}

static int load(uint32_t size)
{
	struct xen_domctl op = {.u.hvmcontext = {.size = size, .buffer.p = (void *)buf}};

	return domctl_sethvmcontext(d, &op);
}

/* The body of the first record of that type; NULL: none. */
static void *find(unsigned int type)
{
	char *at = buf;

	for (;;) {
		struct hvm_save_descriptor *desc = (void *)at;

		if (desc->typecode == type)
			return desc + 1;
		if (desc->typecode == HVM_SAVE_CODE(END))
			return NULL;
		at += sizeof(*desc) + desc->length;
	}
}

static struct hvm_hw_cpu *cpu_record(void)
{
	return find(HVM_SAVE_CODE(CPU));
}

TEST(there_and_back)
{
	struct hvm_segment cs = {0x10, 0xa9b, 0xffffffff, 0};
	uint32_t size;

	begin();
	fake_segments[HVM_CS] = cs;
	v->regs.r15 = 0x1515;
	v->regs.rip = 0xffffffff81000000;
	v->hvm->event = (struct hvm_event){true, HVM_EVENT_EXCEPTION, 14, true, 2};
	msrs[0] = 0xffffffff82000000;
	size = save();
	CHECK(cpu_record());
	memset(&v->regs, 0, sizeof(v->regs));
	memset(fake_segments, 0, sizeof(fake_segments));
	v->hvm->cr0 = v->hvm->cr4 = v->hvm->efer = 0;
	v->hvm->event.is_set = false;
	msrs[0] = dr7 = 0;
	v->initialised = false;
	atomic_bit_set(&v->flags, VCPU_F_DOWN);
	CHECK_EQ(load(size), 0);
	CHECK_EQ(v->regs.r15, 0x1515);
	CHECK_EQ(v->regs.rip, 0xffffffff81000000);
	CHECK_EQ(v->hvm->cr0, 0x80000011);
	CHECK_EQ(v->hvm->cr4, 0x20);
	CHECK_EQ(v->hvm->efer, 0x500);
	CHECK_EQ(msrs[0], 0xffffffff82000000);
	CHECK_EQ(dr7, 0x400);
	CHECK(!memcmp(&fake_segments[HVM_CS], &cs, sizeof(cs)));
	CHECK(v->hvm->event.is_set && v->hvm->event.vector == 14 && v->hvm->event.error == 2);
	CHECK(v->initialised && !bit_test(&v->flags, VCPU_F_DOWN));
	CHECK_EQ(wakes, 1);
	end();
}

TEST(domains_and_buffers_that_are_refused)
{
	struct xen_domctl op = {0};
	uint32_t size;

	begin();
	CHECK_EQ(domctl_gethvmcontext(d, &op), 0);
	size = op.u.hvmcontext.size;
	CHECK(size > 2 * sizeof(struct hvm_hw_cpu));
	op.u.hvmcontext.buffer.p = (void *)buf;
	op.u.hvmcontext.size = size - 1;
	CHECK_EQ(domctl_gethvmcontext(d, &op), -ENOSPC);
	op.u.hvmcontext.size = size;
	fake_guest_any = false;
	CHECK_EQ(domctl_gethvmcontext(d, &op), -EFAULT);
	CHECK_EQ(load(100), -EFAULT);
	fake_guest_any = true;
	CHECK_EQ(load(0), -EINVAL);
	CHECK_EQ(load((1U << 20) + 1), -EINVAL);
	fake_alloc_fail_at = 1;
	CHECK_EQ(load(100), -ENOMEM);
	d->type = DOMAIN_PV;
	op.u.hvmcontext.size = size;
	CHECK_EQ(domctl_gethvmcontext(d, &op), -EINVAL);
	CHECK_EQ(load(size), -EINVAL);
	CHECK_EQ(domctl_gethvmcontext_partial(d, &op), -EINVAL);
	d->type = DOMAIN_HVM;
	fake_vcpu_run(v, 0);
	CHECK_EQ(load(size), -EINVAL); /* itself */
	end();
}

static int partial(unsigned int type, unsigned int instance, uint64_t size)
{
	struct xen_domctl op = {.u.hvmcontext_partial = {type, instance, size, {(void *)buf}}};

	return domctl_gethvmcontext_partial(d, &op);
}

TEST(one_record)
{
	begin();
	CHECK_EQ(partial(HVM_SAVE_CODE(CPU), 0, sizeof(struct hvm_hw_cpu)), 0);
	CHECK_EQ(((struct hvm_hw_cpu *)buf)->rip, 0x1000);
	CHECK_EQ(partial(HVM_SAVE_CODE(CPU), 0, sizeof(struct hvm_hw_cpu) - 1), -ENOSPC);
	CHECK_EQ(partial(HVM_SAVE_CODE(CPU), 1, 4096), -ENODEV); /* it was never up */
	CHECK_EQ(partial(HVM_SAVE_CODE(CPU), 2, 4096), -EINVAL);
	CHECK_EQ(partial(999, 0, 4096), -EINVAL);
	end();
}

TEST(streams_that_are_refused)
{
	struct hvm_save_descriptor *first = (void *)buf;
	struct hvm_save_header *header = (void *)(first + 1);
	struct hvm_save_descriptor *second = (void *)(header + 1);
	uint32_t size;

#define BROKEN(statement)                      \
	do {                                   \
		size = save();                 \
		statement;                     \
		v->regs.rip = 0x4444;          \
		CHECK_EQ(load(size), -EINVAL); \
		CHECK_EQ(v->regs.rip, 0x4444); \
		v->regs.rip = 0x1000;          \
	} while (0)

	begin();
	BROKEN(first->typecode = HVM_SAVE_CODE(CPU));
	BROKEN(first->length--);
	BROKEN(header->magic++);
	BROKEN(header->version++);
	BROKEN(size = sizeof(*first) + sizeof(*header) - 1);
	BROKEN(size = sizeof(*first) + sizeof(*header));	 /* no end */
	BROKEN(size -= sizeof(*first));				 /* the same, after all records */
	BROKEN(size = sizeof(*first) * 2 + sizeof(*header) + 8); /* ends in a record */
	BROKEN(second->instance = 2);
	BROKEN(second->length = sizeof(struct hvm_hw_cpu) + 1);
	BROKEN(second->length = sizeof(struct hvm_hw_cpu) - 1);
	BROKEN(second->length = ~0U);
	end();
}

TEST(registers_that_are_refused)
{
	uint32_t size;

	begin();
	BROKEN(cpu_record()->cr0 |= 1UL << 32);
	BROKEN(cpu_record()->cr0 = 0x80000010); /* PG without PE */
	BROKEN(cpu_record()->cr0 |= 1UL << 29); /* NW without CD */
	BROKEN(cpu_record()->cr4 |= 1UL << 13);
	BROKEN(cpu_record()->cr4 = 0); /* long mode without PAE */
	BROKEN(cpu_record()->msr_efer |= 1UL << 12);
	BROKEN(cpu_record()->msr_efer = 0x100); /* paging and LME without LMA */
	BROKEN(cpu_record()->dr6 |= 1UL << 32);
	BROKEN(cpu_record()->dr7 |= 1UL << 32);
	BROKEN(cpu_record()->msr_lstar = 1UL << 63);
	BROKEN(cpu_record()->msr_cstar = 1UL << 63);
	BROKEN(cpu_record()->shadow_gs = 1UL << 63);
	BROKEN(cpu_record()->sysenter_esp = 1UL << 63);
	BROKEN(cpu_record()->sysenter_eip = 1UL << 63);
	BROKEN(cpu_record()->fs_base = 1UL << 63);
	BROKEN(cpu_record()->tr_base = 1UL << 63);
	BROKEN(cpu_record()->gdtr_base = 1UL << 63);
	BROKEN(cpu_record()->rip = 1UL << 63);
	BROKEN(cpu_record()->msr_tsc_aux = 1UL << 32);
	BROKEN(cpu_record()->pending_event = 1U << 31 | 1U << 8);
	BROKEN(cpu_record()->pending_event = 1U << 31 | 5U << 8);
	/* a bad one behind a good one: neither is loaded */
	BROKEN(((struct hvm_hw_mtrr *)find(HVM_SAVE_CODE(MTRR)))->msr_pat_cr = 2);
	end();
}

/* XEN_DOMCTL_getvcpucontext */
TEST(registers_in_the_other_form)
{
	static struct vcpu_guest_context c;

	begin();
	memset(&c, 0, sizeof(c));
	fake_segments[HVM_CS].sel = 0x33;
	fake_segments[HVM_GS].base = 0x7000;
	msrs[3] = 0x9000; /* KernelGSBase */
	v->hvm->cr3 = 0x5000;
	fake_cpl = 3;
	hvm_vcpu_context_get(v, &c);
	CHECK_EQ(c.user_regs.rip, 0x1000);
	CHECK_EQ(c.user_regs.cs, 0x33);
	CHECK_EQ(c.ctrlreg[0], 0x80000011);
	CHECK_EQ(c.ctrlreg[3], 0x5000);
	CHECK_EQ(c.gs_base_user, 0x7000);
	CHECK_EQ(c.gs_base_kernel, 0x9000);
	CHECK_EQ(c.flags, VGCF_online);
	fake_cpl = 0;
	atomic_bit_set(&v->flags, VCPU_F_DOWN);
	c.flags = 0;
	hvm_vcpu_context_get(v, &c);
	CHECK_EQ(c.gs_base_user, 0x9000);
	CHECK_EQ(c.gs_base_kernel, 0x7000);
	CHECK_EQ(c.flags, VGCF_in_kernel);
	end();
}
