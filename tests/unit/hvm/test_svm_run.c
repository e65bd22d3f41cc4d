/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass through an SVM guest, over a VMCB in memory: ASIDs, injection as a
 * CPU takes it and as QEMU's TCG has to be given it, what is taken back of an
 * exit, and the end of an NMI's handler.
 *
 * Links: hvm/svm/run.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"
#include "hvm/svm/svm.h"

#include "cpu/asm.h"
#include "cpu/fpu.h"

uint32_t svm_features;
bool svm_is_tcg;

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu *v;
static struct hvm_event requeued;
static struct vmcb entered; /* as it was when the guest was entered */
static void (*in_guest)(void);

void svm_vmrun(struct cpu_user_regs *regs, paddr_t at, paddr_t host)
{
	entered = vmcb;
	vmcb.exit_int_info = 0;
	if (in_guest)
		in_guest();
}

void fpu_xcr0_fetch(struct fpu_state *f)
{
	f->xcr0 = 7;
}

void hvm_event_requeue(struct vcpu *vcpu, const struct hvm_event *e)
{
	requeued = *e;
}

static void begin(bool is_tcg)
{
	struct domain *d = fake_hvm_domain(1, 1);

	v = d->vcpus[0];
	vmcb = (struct vmcb){.int_control = V_INTR_MASKING};
	svm = (struct svm_vcpu){.vmcb = &vmcb, .cpu = ~0U};
	v->hvm->svm = &svm;
	svm_is_tcg = is_tcg;
	svm_asid_init(4);
	requeued = (struct hvm_event){0};
	in_guest = NULL;
}

static void end(void)
{
	v->hvm->svm = NULL;
	fake_hvm_free(v->domain);
}

static void interrupt(uint8_t vector)
{
	v->hvm->event =
		(struct hvm_event){.is_set = true, .type = HVM_EVENT_EXTERNAL, .vector = vector};
}

TEST(an_interrupt_is_injected)
{
	begin(false);
	interrupt(0xf3);
	svm_run(v);
	CHECK_EQ(entered.event_inject, EVENT_VALID | 0xf3);
	CHECK(!(entered.int_control & V_IRQ));
	CHECK(!v->hvm->event.is_set);
	CHECK(!requeued.is_set);
	end();
}

static void deliver(void)
{
	vmcb.int_control &= ~V_IRQ;
}

TEST(on_tcg_it_is_a_virtual_one)
{
	begin(true);
	interrupt(0xf3);
	in_guest = deliver;
	svm_run(v);
	CHECK_EQ(entered.event_inject, 0);
	CHECK_EQ(entered.int_control >> 32, 0xf3);
	CHECK(entered.int_control & V_IRQ && entered.int_control & V_IGN_TPR);
	CHECK(!(entered.intercepts[3] & INTERCEPT3_VINTR));
	CHECK(!v->hvm->event.is_set);
	CHECK_EQ(vmcb.int_control, V_INTR_MASKING);
	end();
}

TEST(a_virtual_one_that_did_not_come_comes_next)
{
	begin(true);
	interrupt(0x31);
	svm_run(v);
	CHECK(v->hvm->event.is_set);
	CHECK_EQ(v->hvm->event.vector, 0x31);
	CHECK_EQ(vmcb.int_control, V_INTR_MASKING);
	in_guest = deliver;
	svm_run(v);
	CHECK_EQ(entered.int_control >> 32, 0x31);
	CHECK(!v->hvm->event.is_set);
	end();
}

/* There is one V_IRQ: what waits behind is looked at when the handler ends. */
TEST(a_window_behind_a_virtual_one_begins_at_iret)
{
	begin(true);
	interrupt(0x31);
	vmcb.int_control |= V_IRQ;
	vmcb.intercepts[3] = INTERCEPT3_VINTR;
	svm_run(v);
	CHECK(entered.intercepts[3] & INTERCEPT3_IRET);
	CHECK(!(entered.intercepts[3] & INTERCEPT3_VINTR));
	end();
}

TEST(exceptions_and_nmis_are_injected_on_tcg_too)
{
	begin(true);
	v->hvm->event = (struct hvm_event){.is_set = true,
					   .type = HVM_EVENT_EXCEPTION,
					   .vector = 13,
					   .has_error = true,
					   .error = 0x18};
	svm_run(v);
	CHECK_EQ(entered.event_inject, EVENT_VALID | EVENT_HAS_ERROR | 3 << 8 | 13 | 0x18UL << 32);
	v->hvm->event = (struct hvm_event){.is_set = true, .type = HVM_EVENT_NMI, .vector = 2};
	svm_run(v);
	CHECK_EQ(entered.event_inject, EVENT_VALID | 2 << 8 | 2);
	CHECK(entered.intercepts[3] & INTERCEPT3_IRET);
	end();
}

static void fault_in_delivery(void)
{
	vmcb.exit_int_info = EVENT_VALID | EVENT_HAS_ERROR | 3 << 8 | 14 | 2UL << 32;
}

static void fault_in_int3(void)
{
	vmcb.exit_int_info = EVENT_VALID | 3 << 8 | 3;
}

TEST(tcg_does_not_tell_of_xsetbv)
{
	begin(false);
	v->fpu.xcr0 = 1;
	svm_run(v);
	CHECK_EQ(v->fpu.xcr0, 1);
	svm_is_tcg = true;
	svm_run(v);
	CHECK_EQ(v->fpu.xcr0, 7);
	end();
}

TEST(what_was_being_delivered_is_taken_back)
{
	begin(false);
	in_guest = fault_in_delivery;
	svm_run(v);
	CHECK(requeued.is_set && requeued.type == HVM_EVENT_EXCEPTION && requeued.vector == 14);
	CHECK(requeued.has_error && requeued.error == 2);
	requeued.is_set = false;
	in_guest = fault_in_int3; /* executed again */
	svm_run(v);
	CHECK(!requeued.is_set);
	end();
}

TEST(asids_begin_anew_with_a_flush)
{
	begin(false);
	svm_run(v);
	for (unsigned int i = 0; entered.tlb_control != TLB_FLUSH_ALL; i++) {
		CHECK(i < 4);
		svm_tlb_flush(v);
		svm_run(v);
	}
	CHECK_EQ(entered.asid, 1);
	svm_run(v);
	CHECK_EQ(entered.asid, 1);
	CHECK_EQ(entered.tlb_control, TLB_FLUSH_NONE);
	v->domain->hvm->p2m.flush_generation++;
	svm_run(v);
	CHECK_EQ(entered.asid, 2);
	end();
}

static void iret_done(void)
{
	vmcb.rip = 0x2000;
}

TEST(an_nmi_handlers_iret_ends_the_blocking_when_it_is_done)
{
	begin(false);
	v->hvm->is_nmi_masked = true;
	svm.is_in_nmi_iret = true;
	svm.nmi_iret_rip = 0x1000;
	guest_regs()->rip = 0x1000;
	svm_run(v);
	CHECK(v->hvm->is_nmi_masked);
	in_guest = iret_done;
	svm_run(v);
	CHECK(!v->hvm->is_nmi_masked);
	end();
}
