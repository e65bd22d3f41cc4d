/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits of VMX: each goes to its handler with what the qualification says, and
 * what has no handler ends the domain with its name.
 *
 * Links: hvm/vmx/exit.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include <cpu/asm.h>

#include "cpu/trap.h"
#include "fake_vendor.h"
#include "hvm/io.h"
#include "hvm/vmx/vmx.h"

static struct vmx_vcpu x;
static uint64_t vmcs[0x8000];
static char said[64];
static unsigned int loads, checks, host_checks, yields;
static uint64_t load_asked;
static uint64_t args[6];

uint64_t vmcs_read(uint64_t field)
{
	return vmcs[field];
}

static void note(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	snprintf(said, sizeof(said), "%s", name);
	args[0] = a;
	args[1] = b;
	args[2] = c;
	args[3] = d;
}

void hvm_inject_exception(struct vcpu *v, unsigned int vector, int64_t error)
{
	note("exception", vector, error, 0, 0);
}

void hvm_triple_fault(struct vcpu *v)
{
	note("triple", 0, 0, 0, 0);
}

void hvm_exit_cpuid(struct vcpu *v, uint64_t next_rip)
{
	note("cpuid", next_rip, 0, 0, 0);
}

void hvm_exit_msr(struct vcpu *v, bool is_write, uint64_t next_rip)
{
	note("msr", is_write, next_rip, 0, 0);
}

void hvm_exit_cr_read(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip)
{
	note("cr_read", cr, gpr, next_rip, 0);
}

void hvm_exit_cr_write(struct vcpu *v, unsigned int cr, unsigned int gpr, uint64_t next_rip)
{
	note("cr_write", cr, gpr, next_rip, 0);
}

void hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t val, uint64_t next_rip)
{
	note("cr_set", cr, val, next_rip, 0);
}

void hvm_exit_hlt(struct vcpu *v, uint64_t next_rip)
{
	note("hlt", next_rip, 0, 0, 0);
}

void hvm_exit_hypercall(struct vcpu *v, uint64_t next_rip)
{
	note("hypercall", next_rip, 0, 0, 0);
}

void hvm_exit_xsetbv(struct vcpu *v, uint64_t next_rip)
{
	note("xsetbv", next_rip, 0, 0, 0);
}

void hvm_exit_skip(struct vcpu *v, uint64_t next_rip)
{
	note("skip", next_rip, 0, 0, 0);
}

void hvm_exit_nested_fault(struct vcpu *v, uint64_t gpa, bool is_write, bool is_exec)
{
	note("nested", gpa, is_write, is_exec, 0);
}

void hvm_exit_unexpected(struct vcpu *v, const char *name, uint64_t code)
{
	note(name, code, 0, 0, 0);
}

void hvm_port_exit(struct vcpu *v, uint16_t port, unsigned int size, bool is_write, uint64_t next_rip)
{
	note("port", port, size, is_write, next_rip);
}

void hvm_port_string_exit(struct vcpu *v, unsigned int size, bool is_write)
{
	note("string", size, is_write, 0, 0);
}

void vmx_debug_registers_load(struct vcpu *v)
{
	loads++;
}

unsigned int vmx_state_check(const struct vcpu *v)
{
	checks++;
	return 3;
}

unsigned int vmx_host_check(const struct vcpu *v)
{
	host_checks++;
	return 1;
}

uint32_t vmx_entry_load(uint64_t n)
{
	load_asked = n;
	return 0x48;
}

void vcpu_yield(void)
{
	yields++;
}

static struct vcpu *vcpu;

static void setup(void)
{
	vcpu = fake_hvm_domain(1, 1)->vcpus[0];
	cpu_info()->vcpu = vcpu;
	memset(&x, 0, sizeof(x));
	memset(vmcs, 0, sizeof(vmcs));
	vcpu->hvm->vmx = &x;
	guest_regs()->rip = 0x1000;
	vmcs[VMCS_EXIT_INSN_LENGTH] = 3;
}

static const char *exit_of(uint32_t reason, uint64_t qualification)
{
	said[0] = 0;
	memset(args, 0, sizeof(args));
	x.exit_reason = reason;
	x.qualification = qualification;
	vmx_exit_handle(vcpu);
	return said;
}

static bool is(const char *got, const char *want)
{
	return !strcmp(got, want);
}

TEST(what_has_no_handler_ends_the_domain_by_name)
{
	static const uint16_t unhandled[] = {4,	 5,  6,	 9,  14, 16, 17, 33, 34, 37, 44, 45, 46,
					     47, 49, 51, 56, 57, 58, 60, 61, 62, 63, 64, 65,
					     66, 67, 68, 69, 70, 72, 73, 74, 75};

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(unhandled); i++) {
		CHECK(is(exit_of(unhandled[i], 7), vmx_exit_name(unhandled[i])));
		CHECK(args[0] == 7 && !is(said, "unknown VMX exit"));
	}
	CHECK(is(exit_of(35, 0), "unknown VMX exit"));
	CHECK(is(exit_of(76, 0), "unknown VMX exit"));
	CHECK(is(exit_of(0xffff, 0), "unknown VMX exit"));
	fake_hvm_free(vcpu->domain);
}

TEST(an_entry_that_failed_is_looked_into)
{
	setup();
	checks = host_checks = 0;
	CHECK(is(exit_of(EXIT_REASON_FAILED | VMX_EXIT_GUEST_STATE, 0), "entry failure: guest state"));
	CHECK(is(exit_of(EXIT_REASON_FAILED | VMX_EXIT_MSR_LOADING, 2), "entry failure: MSR loading"));
	CHECK_EQ(load_asked, 2);
	CHECK(is(exit_of(EXIT_REASON_FAILED, 7), "VM-instruction error"));
	CHECK_EQ(args[0], 7);
	CHECK_EQ(checks, 2);
	CHECK_EQ(host_checks, 1);
	CHECK_PANIC(exit_of(EXIT_REASON_FAILED | VMX_EXIT_MACHINE_CHECK, 0));
	fake_hvm_free(vcpu->domain);
}

TEST(virtualization_is_not_for_guests)
{
	static const uint8_t reasons[] = {11, 19, 20, 21, 22, 23, 24, 25, 26, 27, 36, 39, 50, 53, 59};

	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(reasons); i++)
		CHECK(is(exit_of(reasons[i], 0), "exception") && args[0] == TRAP_UD);
	CHECK(is(exit_of(VMX_EXIT_RDPMC, 0), "exception") && args[0] == TRAP_GP && !args[1]);
	fake_hvm_free(vcpu->domain);
}

TEST(instructions_go_on_behind_themselves)
{
	setup();
	CHECK(is(exit_of(VMX_EXIT_CPUID, 0), "cpuid") && args[0] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_HLT, 0), "hlt") && args[0] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_VMCALL, 0), "hypercall") && args[0] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_INVD, 0), "skip") && args[0] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_WBINVD, 0), "skip"));
	CHECK(is(exit_of(VMX_EXIT_XSETBV, 0), "xsetbv"));
	CHECK(is(exit_of(VMX_EXIT_RDMSR, 0), "msr") && !args[0] && args[1] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_WRMSR, 0), "msr") && args[0]);
	yields = 0;
	CHECK(is(exit_of(VMX_EXIT_PAUSE, 0), "skip") && yields == 1);
	CHECK(is(exit_of(VMX_EXIT_TRIPLE_FAULT, 0), "triple"));
	CHECK_EQ(vcpu->hvm->exits[HVM_EXIT_MSR], 2);
	fake_hvm_free(vcpu->domain);
}

TEST(control_registers_as_qualified)
{
	setup();
	CHECK(is(exit_of(VMX_EXIT_CR, 4 | 0 << 4 | 9 << 8), "cr_write") && args[0] == 4 && args[1] == 9);
	CHECK(is(exit_of(VMX_EXIT_CR, 8 | 1 << 4 | 15 << 8), "cr_read") && args[0] == 8 && args[1] == 15);
	vcpu->hvm->cr0 = 0x8000003b;
	CHECK(is(exit_of(VMX_EXIT_CR, 2 << 4), "cr_set") && args[1] == 0x80000033); /* CLTS */
	CHECK(is(exit_of(VMX_EXIT_CR, 3 << 4), "cr_set") && args[1] == 0x80000031); /* LMSW: PE stays */
	vcpu->hvm->cr0 = 0x30;
	CHECK(is(exit_of(VMX_EXIT_CR, 3 << 4 | 0xffffUL << 16), "cr_set") && args[1] == 0x3f);
	loads = 0;
	exit_of(VMX_EXIT_DR, 0);
	CHECK_EQ(loads, 1);
	fake_hvm_free(vcpu->domain);
}

TEST(ports_and_memory_as_qualified)
{
	setup();
	CHECK(is(exit_of(VMX_EXIT_PORT, 0xcf8UL << 16 | 3), "port"));
	CHECK(args[0] == 0xcf8 && args[1] == 4 && args[2] && args[3] == 0x1003);
	CHECK(is(exit_of(VMX_EXIT_PORT, 0x60UL << 16 | 8), "port"));
	CHECK(args[0] == 0x60 && args[1] == 1 && !args[2]);
	CHECK(is(exit_of(VMX_EXIT_PORT, 0x1f0UL << 16 | 16 | 8 | 1), "string") && args[0] == 2 && !args[1]);
	vmcs[VMCS_GUEST_PHYSICAL_ADDRESS] = 0xfee00000;
	CHECK(is(exit_of(VMX_EXIT_EPT_VIOLATION, 2), "nested") && args[0] == 0xfee00000 && args[1]);
	CHECK(is(exit_of(VMX_EXIT_EPT_VIOLATION, 4), "nested") && !args[1] && args[2]);
	fake_hvm_free(vcpu->domain);
}

TEST(exceptions_that_are_intercepted)
{
	setup();
	x.exit_event = EVENT_VALID | HVM_EVENT_EXCEPTION << 8 | TRAP_AC;
	CHECK(is(exit_of(VMX_EXIT_EXCEPTION, 0), "exception") && args[0] == TRAP_AC && !args[1]);
	x.exit_event = EVENT_VALID | HVM_EVENT_NMI << 8 | 2;
	CHECK(is(exit_of(VMX_EXIT_EXCEPTION, 0), "")); /* the host's own */
	x.exit_event = EVENT_VALID | HVM_EVENT_EXCEPTION << 8 | TRAP_DB;
	CHECK(is(exit_of(VMX_EXIT_EXCEPTION, 1UL << 16 | 1UL << 14 | 1), "exception"));
	CHECK(args[0] == TRAP_DB && x.dr6 == (1UL << 14 | 1) && guest_regs()->rip == 0x1000);
	x.has_debug_registers = true;
	exit_of(VMX_EXIT_EXCEPTION, 2);
	CHECK_EQ(fake_dr[6], 2);
	x.exit_event = EVENT_VALID | EVENT_TYPE_INT1 << 8 | TRAP_DB;
	exit_of(VMX_EXIT_EXCEPTION, 0);
	CHECK_EQ(guest_regs()->rip, 0x1003);
	x.exit_event = EVENT_VALID | HVM_EVENT_EXCEPTION << 8 | TRAP_PF;
	CHECK(is(exit_of(VMX_EXIT_EXCEPTION, 0), "VMX exception"));
	x.exit_event = EVENT_VALID | HVM_EVENT_EXCEPTION << 8 | TRAP_MC;
	CHECK_PANIC(exit_of(VMX_EXIT_EXCEPTION, 0));
	fake_hvm_free(vcpu->domain);
}
