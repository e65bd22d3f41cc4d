/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ring-3 kernel must not do to the CPU: privileged instructions, ports,
 * MSRs, segment bases, debug registers, returns to forbidden state.
 */
#include "guest.h"

static bool msr_read_faults(unsigned int msr)
{
	TRY("rdmsr", ::"c"(msr) : "rax", "rdx", "r15", "r11", "memory", "cc");
	return trap_vector == 13;
}

static bool msr_write_faults(unsigned int msr, uint64_t val)
{
	TRY("wrmsr", ::"c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32))
	    : "r15", "r11", "memory", "cc");
	return trap_vector == 13;
}

static uint8_t port_read(uint16_t port)
{
	uint8_t v = 0;

	TRY("inb %w1, %b0", : "+a"(v) : "d"(port) : TRY_CLOBBERS);
	return v;
}

static void msrs(void)
{
	static const unsigned int forbidden[] = {
		0x174, 0x1d9, 0x480, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0010114, 0xc0010117, 0xc0010118,
		0xc0011000, 0xffffffff, 0x40000000,
	};

	for (unsigned int i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		check(msr_write_faults(forbidden[i], 0), "a forbidden MSR cannot be written");
	check(msr_read_faults(0xc0000082), "LSTAR cannot be read");
	check(!msr_read_faults(0xc0000080), "EFER can be read");
	check(msr_write_faults(0xc0000080, 0), "EFER cannot be cleared");
	check(msr_write_faults(0xc0000101, 0x0000900000000000UL), "a non-canonical GS base faults");
}

static void ports(void)
{
	check_eq(port_read(0x3f8), 0xff, "the serial port reads as empty");
	check_eq(port_read(0x20), 0xff, "the PIC reads as empty");
	check_eq(port_read(0x40), 0xff, "the PIT reads as empty");
	check_eq(port_read(0xcfc), 0xff, "PCI configuration space reads as empty");
	TRY("outb %%al, %w0", ::"d"((uint16_t)0x64), "a"(0xfe) : TRY_CLOBBERS);
	check(true, "the keyboard controller did not reset the machine");
	TRY("outb %%al, %w0", ::"d"((uint16_t)0xcf9), "a"(6) : TRY_CLOBBERS);
	check(true, "nor did the chip set");
}

static void instructions(void)
{
	TRY("lgdt (%0)", ::"r"(start_info) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "LGDT faults");
	TRY("lidt (%0)", ::"r"(start_info) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "LIDT faults");
	TRY("ltr %w0", ::"r"(0) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "LTR faults");
	TRY("lldt %w0", ::"r"(0) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "LLDT faults");
	TRY("mov %0, %%cr8", ::"r"(0UL) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "a write of CR8 faults");
	TRY("mov %0, %%cr0", ::"r"(0UL) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "clearing CR0 faults");
	TRY("mov %0, %%cr3", ::"r"(0x1000UL) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "a CR3 that is no L4 faults");
	TRY("swapgs", ::: TRY_CLOBBERS);
	check_eq(trap_vector, 13, "SWAPGS faults");
	TRY("invlpg (%0)", ::"r"(start_info) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "INVLPG faults");
	TRY("vmmcall", ::: "rax", TRY_CLOBBERS);
	check(trap_vector != NO_TRAP, "VMMCALL is no hypercall here");
	TRY("int $0x80", ::: TRY_CLOBBERS);
	check_eq(trap_vector, 128, "INT 0x80 reaches its handler");
	TRY("int $0x20", ::: TRY_CLOBBERS);
	check_eq(trap_vector, 13, "INT of a device's vector faults");
	TRY("int $14", ::: TRY_CLOBBERS);
	check_eq(trap_vector, 13, "INT 14 faults");
	TRY("ud2", ::: TRY_CLOBBERS);
	check_eq(trap_vector, 6, "UD2 is an invalid opcode");
	TRY("mov %w0, %%ds", ::"r"(0xe008) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "a ring-0 selector cannot be loaded");
	TRY("mov %w0, %%ds", ::"r"(0x1234) : TRY_CLOBBERS);
	check_eq(trap_vector, 13, "a selector of nothing cannot be loaded");
	TRY("pushfq; orq $0x3000, (%%rsp); popfq", ::: TRY_CLOBBERS);
	check_eq(trap_vector, NO_TRAP, "IOPL in flags is ignored");
}

static void bases(void)
{
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_FS, NON_CANONICAL), -EINVAL,
		 "a non-canonical FS base is refused");
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, NON_CANONICAL), -EINVAL,
		 "a non-canonical kernel GS base is refused");
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER, NON_CANONICAL), -EINVAL,
		 "a non-canonical user GS base is refused");
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, 0xe008), 0,
		 "a ring-0 selector for user GS becomes null");
	check_eq(HC2(__HYPERVISOR_set_segment_base, 9, 0), -EINVAL, "a fifth base is refused");
	/* a base inside the hypervisor is only a number: reading through it must fault */
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_FS, HYPERVISOR_ADDRESS), 0,
		 "an FS base in the hypervisor can be set");
	TRY("movb %%fs:0, %%al", ::: "rax", TRY_CLOBBERS);
	check_eq(trap_vector, 14, "but not read through");
	check_eq(HC2(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0), 0, "FS base 0");
}

static void debug_registers(void)
{
	check_eq(HC2(__HYPERVISOR_set_debugreg, 0, HYPERVISOR_ADDRESS), -EPERM,
		 "a breakpoint in the hypervisor is refused");
	check_eq(HC2(__HYPERVISOR_set_debugreg, 7, 0x00020002), -EPERM,
		 "a breakpoint on I/O is refused");
	check(HC2(__HYPERVISOR_set_debugreg, 4, 0) < 0, "DR4 is refused");
	check_eq(HC2(__HYPERVISOR_set_debugreg, 9, 0), -EINVAL, "DR9 is refused");
}

/* A return to the guest that the CPU cannot do goes to the failsafe callback. */
static void iret_frames(void)
{
	static const struct {
		unsigned long cs, ss, rip;
		const char *what;
	} frames[] = {
		{0xe008, FLAT_KERNEL_SS, 0, "iret to ring 0's code segment"},
		{0x1234, FLAT_KERNEL_SS, 0, "iret to a selector of nothing"},
		{FLAT_KERNEL_CS, 0xe010, 0, "iret with ring 0's stack segment"},
		{FLAT_KERNEL_CS, FLAT_KERNEL_SS, 0x0000900000000000UL, "iret to a non-canonical address"},
	};

	for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		TRY("movq %%rsp, %%rax; pushq %0; pushq %%rax; pushq $0x202; pushq %1; pushq %2; pushq $0; pushq %%rcx; "
		    "pushq %%r11; pushq %%rax; movl $23, %%eax; syscall",
		    ::"r"(frames[i].ss), "r"(frames[i].cs & ~3UL), "r"(frames[i].rip)
		    : "rax", TRY_CLOBBERS);
		check(trap_vector != NO_TRAP, frames[i].what);
	}
}

void guest_test(void)
{
	msrs();
	ports();
	instructions();
	bases();
	debug_registers();
	iret_frames();
}
