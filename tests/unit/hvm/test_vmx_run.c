/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass through a VMX guest, over a VMCS in memory: VPIDs and what is flushed
 * when, windows, injection, what is taken back of an exit, and the switch.
 *
 * Links: hvm/vmx/run.c hvm/vmx/state.c hvm/vmx/ept.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include <cpu/asm.h>

#include "cpu/features.h"
#include "cpu/trap.h"
#include "fake_vendor.h"
#include "hvm/ports.h"
#include "hvm/vcpu.h"
#include "hvm/vlapic.h"
#include "hvm/vmx/vmx.h"
#include "time/time.h"

struct cpu_features cpu_features;
struct vmx_config vmx_config = {
	.cpu = CPU_MOV_DR,
	.pin = PIN_PREEMPTION_TIMER,
	.cpu2 = CPU2_EPT,
	.cpu2_x2apic = CPU2_X2APIC | CPU2_APIC_REGISTERS,
	.timer_shift = 5,
};
struct vmx_msr_tables vmx_msr_tables = {
	.bitmap = 0x5000,
	.bitmap_x2apic = 0x6000,
	.entry_loads = 0x7000,
	.exit_loads = 0x7040,
	.nr_entry_loads = 2,
	.nr_exit_loads = 1,
};
char vmx_exit_entry[1];

static struct vmx_vcpu x;
static struct vcpu *vcpu;
static uint64_t vmcs[0x8000];
static unsigned int invepts, invvpids, loads, clears, entries;
static bool enters = true, was_launched, is_x2apic;
static unsigned int entry_flags;
static void (*in_guest)(void);
static struct hvm_event requeued;

uint64_t vmcs_read(uint64_t field)
{
	return vmcs[field];
}

void vmcs_write(uint64_t field, uint64_t val)
{
	vmcs[field] = val;
}

bool vmcs_load(const paddr_t *p)
{
	loads++;
	return true;
}

bool vmcs_clear(const paddr_t *p)
{
	clears++;
	return true;
}

bool vmx_invept(uint64_t type, const uint64_t descriptor[2])
{
	CHECK(type == 1 && descriptor[0] == ept_pointer(vcpu->domain->hvm->p2m.root));
	invepts++;
	return true;
}

bool vmx_invvpid(uint64_t type, const uint64_t descriptor[2])
{
	CHECK_EQ(type, 2);
	invvpids++;
	return true;
}

void vmx_tables_store(struct vmx_tables *tables)
{
	tables->gdtr.base = 0x1111;
	tables->idtr.base = 0x2222;
}

void vmx_tables_load(const struct vmx_tables *tables)
{
	CHECK(tables->gdtr.base == 0x1111 && tables->idtr.base == 0x2222);
}

bool vmx_enter(struct cpu_user_regs *regs, unsigned int flags)
{
	entries++;
	was_launched = flags & VMX_ENTER_LAUNCHED;
	entry_flags = flags;
	vmcs[VMCS_EXIT_REASON] = VMX_EXIT_HLT;
	vmcs[VMCS_IDT_EVENT] = vmcs[VMCS_EXIT_EVENT] = 0;
	if (in_guest)
		in_guest();
	return enters;
}

paddr_t hvm_ports_map(const struct domain *d)
{
	return 0x9000;
}

/* The page of the local APIC: behind the VMCS's. */
void *vlapic_page(const struct vcpu *v)
{
	return fake_ram + 4096;
}

uint8_t vlapic_cr8_get(const struct vcpu *v)
{
	return *(uint32_t *)((char *)fake_ram + 4096 + 0x80) >> 4;
}

bool vlapic_is_by_msr(const struct vcpu *v)
{
	return is_x2apic;
}

static void tpr_set(uint8_t cr8)
{
	*(uint32_t *)((char *)fake_ram + 4096 + 0x80) = cr8 << 4;
}

void hvm_event_requeue(struct vcpu *v, const struct hvm_event *e)
{
	requeued = *e;
}

size_t hvm_phys_read(struct domain *d, void *dst, uint64_t gpa, size_t n)
{
	return n;
}

uint64_t tsc_khz(void)
{
	return 1000000;
}

static void setup(void)
{
	static unsigned int domain = 1;

	vcpu = fake_hvm_domain(domain, 1)->vcpus[0];
	cpu_info()->vcpu = vcpu;
	memset(&x, 0, sizeof(x));
	memset(vmcs, 0, sizeof(vmcs));
	memset(&requeued, 0, sizeof(requeued));
	x.vmcs = fake_ram;
	memset(fake_ram, 0, 8192);
	x.cpu = ~0U;
	x.known = x.dirty = (1UL << ST_COUNT) - 1;
	vcpu->hvm->vmx = &x;
	vcpu->hvm->cr0 = 0x11;
	*guest_regs() = (struct cpu_user_regs){.rip = 0x1000, .rsp = 0x2000, .rflags = 0x202};
	in_guest = NULL;
	is_x2apic = false;
	enters = true;
	vmx_switch_to(vcpu);
	invepts = invvpids = 0;
}

static void end(void)
{
	vmx_switch_from(vcpu);
	fake_hvm_free(vcpu->domain);
}

TEST(a_new_vcpu_flushes_what_its_ept_root_meant_before)
{
	uint64_t vpid;

	setup();
	vmx_run(vcpu);
	CHECK_EQ(invepts, 1);
	vpid = vmcs[VMCS_VPID];
	CHECK(vpid && !was_launched);
	vmx_run(vcpu);
	CHECK(invepts == 1 && vmcs[VMCS_VPID] == vpid && was_launched);
	vcpu->domain->hvm->p2m.flush_generation++;
	vmx_run(vcpu);
	CHECK(invepts == 2 && vmcs[VMCS_VPID] == vpid);
	vmx_tlb_flush(vcpu);
	vmx_run(vcpu);
	CHECK(invepts == 2 && vmcs[VMCS_VPID] != vpid && vmcs[VMCS_VPID]);
	x.cpu = 1; /* it has been elsewhere */
	vpid = vmcs[VMCS_VPID];
	vmx_run(vcpu);
	CHECK(invepts == 3 && vmcs[VMCS_VPID] != vpid);
	end();
}

TEST(vpids_begin_anew_with_a_flush)
{
	setup();
	invvpids = 0;
	for (unsigned int i = 0; i < 0x10010; i++) {
		vmx_tlb_flush(vcpu);
		vmx_run(vcpu);
		CHECK(vmcs[VMCS_VPID] && vmcs[VMCS_VPID] < 0x10000);
	}
	CHECK_EQ(invvpids, 1);
	end();
}

TEST(what_never_changes_is_written_once)
{
	setup();
	CHECK_EQ(vmcs[VMCS_LINK_POINTER], ~0UL);
	CHECK_EQ(vmcs[VMCS_EPT_POINTER], ept_pointer(vcpu->domain->hvm->p2m.root));
	CHECK_EQ(vmcs[VMCS_PREEMPTION_TIMER], 10000000 >> 5); /* 10 ms */
	CHECK(vmcs[VMCS_IO_BITMAP_A] == 0x9000 && vmcs[VMCS_IO_BITMAP_B] == 0xa000);
	CHECK(vmcs[VMCS_ENTRY_MSR_LOAD_AREA] == 0x7000 && vmcs[VMCS_ENTRY_MSR_LOADS] == 2);
	CHECK(vmcs[VMCS_EXIT_MSR_LOAD_AREA] == 0x7040 && vmcs[VMCS_EXIT_MSR_LOADS] == 1);
	CHECK(vmcs[VMCS_EXCEPTION_BITMAP] & 1U << TRAP_DB && vmcs[VMCS_EXCEPTION_BITMAP] & 1U << TRAP_AC);
	CHECK(vmcs[VMCS_HOST_GDTR_BASE] == 0x1111 && vmcs[VMCS_HOST_IDTR_BASE] == 0x2222);
	end();
}

TEST(windows_are_as_the_tpr_asks)
{
	setup();
	x.window = HVM_WINDOW_ANY;
	tpr_set(15);
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS] & CPU_INTERRUPT_WINDOW && !vmcs[VMCS_TPR_THRESHOLD]);
	CHECK_EQ(vmcs[VMCS_VIRTUAL_APIC], virt_to_paddr(fake_ram + 4096));
	x.window = 5;
	tpr_set(4);
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS] & CPU_INTERRUPT_WINDOW && !vmcs[VMCS_TPR_THRESHOLD]);
	tpr_set(5); /* an exit once it is below 5 */
	x.is_nmi_wanted = true;
	vmx_run(vcpu);
	CHECK(!(vmcs[VMCS_CPU_CONTROLS] & CPU_INTERRUPT_WINDOW) && vmcs[VMCS_TPR_THRESHOLD] == 5);
	CHECK(vmcs[VMCS_CPU_CONTROLS] & CPU_NMI_WINDOW);
	x.window = 0;
	x.is_nmi_wanted = false;
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS] == CPU_MOV_DR && !vmcs[VMCS_TPR_THRESHOLD]);
	end();
}

TEST(the_cpu_helps_a_local_apic_in_x2apic_mode)
{
	setup();
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS2] == CPU2_EPT && vmcs[VMCS_MSR_BITMAP] == 0x5000);
	is_x2apic = true;
	vmx_run(vcpu);
	CHECK_EQ(vmcs[VMCS_CPU_CONTROLS2], CPU2_EPT | CPU2_X2APIC | CPU2_APIC_REGISTERS);
	CHECK_EQ(vmcs[VMCS_MSR_BITMAP], 0x6000);
	vmx_config.cpu2_x2apic = 0; /* one that cannot: every use is an exit */
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS2] == CPU2_EPT && vmcs[VMCS_MSR_BITMAP] == 0x5000);
	vmx_config.cpu2_x2apic = CPU2_X2APIC | CPU2_APIC_REGISTERS;
	vmx_run(vcpu);
	is_x2apic = false; /* RESET */
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS2] == CPU2_EPT && vmcs[VMCS_MSR_BITMAP] == 0x5000);
	end();
}

TEST(buffers_are_overwritten_where_the_cpu_asks_for_it)
{
	setup();
	vmx_run(vcpu);
	CHECK(!(entry_flags & VMX_ENTER_VERW));
	vmx_config.has_verw = true;
	vmx_run(vcpu);
	CHECK_EQ(entry_flags, VMX_ENTER_VERW | VMX_ENTER_LAUNCHED);
	vmx_config.has_verw = false;
	end();
}

static void inject(uint8_t type, uint8_t vector, bool has_error)
{
	vcpu->hvm->event = (struct hvm_event){true, type, vector, has_error, 0x77};
	vmx_run(vcpu);
	CHECK(!vcpu->hvm->event.is_set);
}

TEST(events_are_injected_as_the_manual_encodes_them)
{
	setup();
	inject(HVM_EVENT_EXTERNAL, 0xf3, false);
	CHECK_EQ(vmcs[VMCS_ENTRY_EVENT], 0x800000f3);
	inject(HVM_EVENT_EXCEPTION, TRAP_GP, true);
	CHECK_EQ(vmcs[VMCS_ENTRY_EVENT], 0x80000b0d);
	CHECK_EQ(vmcs[VMCS_ENTRY_ERROR_CODE], 0x77);
	vcpu->hvm->cr0 = 0x10; /* real mode has no error codes */
	inject(HVM_EVENT_EXCEPTION, TRAP_GP, true);
	CHECK_EQ(vmcs[VMCS_ENTRY_EVENT], 0x8000030d);
	guest_regs()->rip = 0x1000;
	inject(HVM_EVENT_SOFTWARE, 0x21, false);
	CHECK_EQ(vmcs[VMCS_ENTRY_EVENT], 0x80000421);
	CHECK(vmcs[VMCS_ENTRY_INSN_LENGTH] == 2 && vmcs[VMCS_GUEST_RIP] == 0xffe);
	vmx_run(vcpu);
	CHECK_EQ(vmcs[VMCS_ENTRY_EVENT], 0);
	end();
}

TEST(nmis_stay_masked_until_their_iret)
{
	setup();
	vcpu->hvm->is_nmi_masked = true;
	inject(HVM_EVENT_NMI, 2, false);
	CHECK(!(vmcs[VMCS_GUEST_INTERRUPTIBILITY] & BLOCKED_BY_NMI)); /* the CPU's to set */
	vcpu->hvm->is_nmi_masked = true;
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_GUEST_INTERRUPTIBILITY] & BLOCKED_BY_NMI);
	CHECK(vcpu->hvm->is_nmi_masked);
	end();
}

static void iret_faulted(void)
{
	vmcs[VMCS_EXIT_REASON] = VMX_EXIT_EPT_VIOLATION;
	vmcs[VMCS_EXIT_QUALIFICATION] = 1UL << 12;
}

TEST(an_iret_that_did_not_end_is_done_again)
{
	setup();
	in_guest = iret_faulted;
	vmx_run(vcpu);
	CHECK(vcpu->hvm->is_nmi_masked);
	end();
}

TEST(a_step_behind_a_shadow_is_pending)
{
	setup();
	vmx_state_set(vcpu, ST_INTERRUPTIBILITY, BLOCKED_BY_STI);
	guest_regs()->rflags |= X86_EFLAGS_TF;
	vmx_run(vcpu);
	CHECK_EQ(vmcs[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_BS);
	end();
}

static uint32_t idt_event;

static void delivery_interrupted(void)
{
	vmcs[VMCS_IDT_EVENT] = idt_event;
	vmcs[VMCS_IDT_ERROR_CODE] = 0x55;
}

TEST(what_was_being_delivered_is_delivered_again)
{
	setup();
	in_guest = delivery_interrupted;
	idt_event = EVENT_VALID | EVENT_HAS_ERROR | HVM_EVENT_EXCEPTION << 8 | TRAP_PF;
	vmx_run(vcpu);
	CHECK(requeued.is_set && requeued.vector == TRAP_PF && requeued.error == 0x55);
	idt_event = EVENT_VALID | 0x40;
	vmx_run(vcpu);
	CHECK(requeued.type == HVM_EVENT_EXTERNAL && requeued.vector == 0x40 && !requeued.has_error);
	for (unsigned int type = HVM_EVENT_SOFTWARE; type <= EVENT_TYPE_INT3; type++) {
		requeued.is_set = false;
		idt_event = EVENT_VALID | type << 8 | 3;
		vmx_run(vcpu);
		CHECK(!requeued.is_set); /* the instruction is executed again */
	}
	end();
}

static void guest_writes(void)
{
	vmcs[VMCS_GUEST_RIP] = 0x3000;
	vmcs[VMCS_GUEST_CR3] = 0x8000;
	vmcs[VMCS_GUEST_CR0] = 0x19;
	fake_cr[2] = 0x4242;
}

TEST(registers_come_back)
{
	setup();
	in_guest = guest_writes;
	vmx_run(vcpu);
	CHECK(guest_regs()->rip == 0x3000 && vcpu->hvm->cr3 == 0x8000 && vcpu->hvm->cr2 == 0x4242);
	CHECK_EQ(vcpu->hvm->cr0, 0x19); /* TS is its own */
	end();
}

TEST(an_entry_that_fails_changes_nothing)
{
	setup();
	vcpu->hvm->event = (struct hvm_event){true, HVM_EVENT_EXTERNAL, 0x40, false, 0};
	vmcs[VMCS_INSTRUCTION_ERROR] = 7;
	enters = false;
	vmx_run(vcpu);
	CHECK(x.exit_reason == EXIT_REASON_FAILED && x.qualification == 7);
	CHECK(!x.is_launched && vcpu->hvm->event.is_set && guest_regs()->rip == 0x1000);
	end();
}

TEST(msrs_and_the_vmcs_change_hands)
{
	setup();
	fake_msr_set(MSR_LSTAR, 0xaaaa);
	vmx_switch_from(vcpu);
	CHECK(x.msrs[VMX_MSR_LSTAR] == 0xaaaa && msr_read(MSR_LSTAR) == 0 && !x.is_loaded);
	fake_msr_set(MSR_LSTAR, 0xbbbb); /* the hypervisor's */
	vmx_switch_to(vcpu);
	CHECK(msr_read(MSR_LSTAR) == 0xaaaa && x.is_loaded && !x.is_launched);
	vmx_switch_from(vcpu);
	CHECK_EQ(msr_read(MSR_LSTAR), 0xbbbb);
	vmx_switch_to(vcpu);
	end();
}

TEST(debug_registers_are_loaded_when_they_are_used)
{
	setup();
	vcpu->hvm->dr[1] = 0x1234;
	vmx_run(vcpu);
	CHECK(vmcs[VMCS_CPU_CONTROLS] & CPU_MOV_DR && !fake_dr[1]);
	vmx_state_set(vcpu, ST_DR7, 0x404);
	vmx_run(vcpu);
	CHECK(!(vmcs[VMCS_CPU_CONTROLS] & CPU_MOV_DR) && fake_dr[1] == 0x1234);
	fake_dr[1] = 0x5678;
	vmx_switch_from(vcpu);
	CHECK_EQ(vcpu->hvm->dr[1], 0x5678);
	vmx_switch_to(vcpu);
	end();
}
