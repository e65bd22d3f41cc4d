/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's state that is half in a VMCS and half beside it: segments in both
 * forms, what is written when, and that no two share a field; and the check
 * that names what an entry refused.
 *
 * Links: hvm/vmx/state.c hvm/vmx/check.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "cpu/asm.h"
#include "fake_vendor.h"
#include "hvm/vcpu.h"
#include "hvm/vmx/vmx.h"

struct vmx_config vmx_config = {.cr0_fixed = 0x20, .cr4_fixed = 0x2000};
static uint64_t vmcs[0x8000];
static unsigned int writes, flushes;

uint64_t vmcs_read(uint64_t field)
{
	return vmcs[field];
}

void vmcs_write(uint64_t field, uint64_t val)
{
	vmcs[field] = val;
	writes++;
}

int msr_write_safe(uint32_t msr, uint64_t val)
{
	return 0;
}

void vmx_tlb_flush(struct vcpu *v)
{
	flushes++;
}

size_t hvm_phys_read(struct domain *d, void *dst, uint64_t gpa, size_t n)
{
	return n;
}

static struct vcpu *make(struct vmx_vcpu *x)
{
	struct vcpu *v = fake_hvm_domain(1, 1)->vcpus[0];

	memset(x, 0, sizeof(*x));
	memset(vmcs, 0, sizeof(vmcs));
	v->hvm->vmx = x;
	x->known = x->dirty = (1UL << ST_COUNT) - 1;
	writes = flushes = 0;
	return v;
}

TEST(each_state_has_a_field_of_its_own)
{
	struct vmx_vcpu x;
	struct vcpu *v = make(&x);

	for (unsigned int st = 0; st < ST_COUNT; st++)
		vmx_state_set(v, st, st + 1);
	vmx_state_flush(v);
	CHECK(writes == ST_COUNT && !x.dirty);
	x.known = 0;
	for (unsigned int st = 0; st < ST_COUNT; st++)
		CHECK(vmx_state_get(v, st) == st + 1);
	writes = 0;
	vmx_state_set(v, ST_CR3, ST_CR3 + 1);
	vmx_state_flush(v);
	CHECK(!writes); /* it was so already */
	fake_hvm_free(v->domain);
}

TEST(segments_in_both_forms)
{
	static const struct hvm_segment cs = {0x10, 0xa9b, 0xffffffff, 0x1000}, none = {0, 0x60, 0, 0};
	struct hvm_segment s;
	struct vmx_vcpu x;
	struct vcpu *v = make(&x);

	vmx_segment_set(v, HVM_CS, &cs);
	vmx_segment_set(v, HVM_SS, &none);
	vmx_state_flush(v);
	CHECK(vmcs[VMCS_GUEST_ACCESS_RIGHTS + 2] == 0xa09b);
	CHECK(vmcs[VMCS_GUEST_ACCESS_RIGHTS + 4] == (0x60 | AR_UNUSABLE));
	vmx_segment_get(v, HVM_CS, &s);
	CHECK(!memcmp(&s, &cs, sizeof(s)));
	vmx_segment_get(v, HVM_SS, &s);
	CHECK(!memcmp(&s, &none, sizeof(s))); /* its DPL is the CPL, usable or not */
	fake_hvm_free(v->domain);
}

TEST(fixed_bits_are_set_and_not_shown)
{
	struct vmx_vcpu x;
	struct vcpu *v = make(&x);

	v->hvm->cr0 = 0x60000010; /* CD NW ET */
	vmx_controls_update(v);
	CHECK(vmx_state_get(v, ST_CR0) == 0x30);
	CHECK(vmx_state_get(v, ST_CR0_SHADOW) == 0x60000010);
	CHECK(vmx_state_get(v, ST_CR4) == 0x2000 && !vmx_state_get(v, ST_CR4_SHADOW));
	flushes = 0;
	v->hvm->cr3 = 0x1000;
	vmx_controls_update(v);
	CHECK(flushes == 1);
	v->hvm->efer = 0x500;
	v->hvm->cr0 = 0x80000011;
	vmx_controls_update(v);
	CHECK(vmx_state_get(v, ST_ENTRY_CONTROLS) & ENTRY_IA32E);
	fake_hvm_free(v->domain);
}

TEST(inconsistent_fields_are_counted)
{
	static const struct hvm_segment flat = {8, 0xc93, 0xffffffff, 0}, tss = {0, 0x8b, 0x67, 0},
					bad_tss = {0, 0x89, 0x67, 0};
	struct vmx_vcpu x;
	struct vcpu *v = make(&x);

	for (unsigned int n = HVM_ES; n <= HVM_GS; n++)
		vmx_segment_set(v, n, &flat);
	vmx_segment_set(v, HVM_TR, &tss);
	vmx_segment_set(v, HVM_LDTR, &(struct hvm_segment){0});
	v->hvm->cr0 = 0x11;
	vmx_controls_update(v);
	guest_regs()->rip = 0x1000;
	guest_regs()->rflags = X86_EFLAGS_MBS;
	CHECK(vmx_state_check(v) == 0);
	vmx_segment_set(v, HVM_TR, &bad_tss);
	CHECK(vmx_state_check(v) == 1);
	guest_regs()->rip = 1UL << 40;
	CHECK(vmx_state_check(v) == 2);
	vmx_state_set(v, ST_CR0, 0x80000000);
	CHECK(vmx_state_check(v) == 4); /* NE is missing, PG without PE */
	fake_hvm_free(v->domain);
}
