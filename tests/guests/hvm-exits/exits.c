/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PVH guest can do that leaves it for the hypervisor, with operands no
 * CPU takes: control registers, MSRs, SVM's and VMX's own instructions, ports, CPUID;
 * device memory where there is none, by all kinds of instructions, across page
 * borders and through page tables; its local APIC; NMIs to itself.
 */
#include "hvm.h"

#define HOLE	     0x80000000UL /* 2 GiB: nothing is there in a guest of 32 MiB */
#define APIC	     0xfee00000UL
#define APIC_ICR     0x300
#define APIC_ICR_NMI 0x400
#define DB	     1
#define BP	     3
#define UD	     6
#define GP	     13
#define MSR_EFER     0xc0000080
#define MSR_PAT	     0x277
#define MSR_APIC     0x1b
#define APIC_EXTD    (1UL << 10)
#define MSR_TPR	     0x808
#define MSR_PPR	     0x80a
#define MSR_SVR	     0x80f
#define NW	     (1UL << 29)
#define CD	     (1UL << 30)
#define PG	     (1UL << 31)
#define PAE	     (1UL << 5)
#define OSXSAVE	     (1UL << 18)
#define XCR0_AVX     7

static uint8_t pair[2 * PAGE_SIZE] __attribute__((aligned(4096)));

/* --- control registers and MSRs --- */

static uint64_t cr0(void)
{
	uint64_t val;

	__asm__ volatile("mov %%cr0, %0" : "=r"(val));
	return val;
}

static uint64_t cr4(void)
{
	uint64_t val;

	__asm__ volatile("mov %%cr4, %0" : "=r"(val));
	return val;
}

static unsigned int cr0_try(uint64_t val)
{
	TRY("mov %0, %%cr0", ::"r"(val) : TRY_CLOBBERS);
	return trap_vector;
}

static unsigned int cr4_try(uint64_t val)
{
	TRY("mov %0, %%cr4", ::"r"(val) : TRY_CLOBBERS);
	return trap_vector;
}

static unsigned int msr_write_try(uint32_t msr, uint64_t val)
{
	TRY("wrmsr", ::"a"((uint32_t)val), "d"((uint32_t)(val >> 32)), "c"(msr)
	    : "r15", "r11", "memory", "cc");
	return trap_vector;
}

static unsigned int msr_read_try(uint32_t msr, uint64_t *val)
{
	uint32_t low = 0, high = 0;

	TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr) : "r15", "r11", "memory", "cc");
	*val = (uint64_t)high << 32 | low;
	return trap_vector;
}

static void control_registers(void)
{
	uint64_t c0 = cr0(), c4 = cr4();

	check_eq(cr0_try(c0 | NW), GP, "CR0: NW without CD");
	check_eq(cr0_try(c0 & ~PG), GP, "CR0: no end of paging in 64-bit code");
	check_eq(cr0_try(c0 & ~1UL), GP, "CR0: no paging without protection");
	check_eq(cr0_try(c0 | CD), NO_TRAP, "CR0: caches off");
	check_eq(cr0() & CD, CD, "CR0: and it sees so");
	check_eq(cr0_try(c0), NO_TRAP, "CR0: and on");
	check_eq(cr0(), c0, "CR0: as it was");
	TRY("lmsw %%ax", ::"a"(0) : TRY_CLOBBERS);
	check(cr0() & 1, "LMSW does not end protection");
	check_eq(cr0_try(c0), NO_TRAP, "CR0: as it was");
	TRY("clts", ::: TRY_CLOBBERS);
	check_eq(trap_vector, NO_TRAP, "CLTS");
	for (unsigned int bit = 23; bit < 64; bit++)
		if (cr4_try(c4 | 1UL << bit) != GP)
			check(false, "CR4: a bit that no policy has");
	check_eq(cr4_try(c4 & ~PAE), GP, "CR4: PAE stays in long mode");
	check_eq(cr4(), c4, "CR4: as it was");
}

static void msrs(void)
{
	static const uint32_t firsts[] = {0, 0xc0000000, 0xc0010000, 0x40000000};
	uint64_t val, efer;

	for (unsigned int i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		for (uint32_t n = 0; n < 0x900; n++)
			msr_read_try(firsts[i] + n, &val);
	check_eq(msr_read_try(MSR_EFER, &efer), NO_TRAP, "RDMSR of EFER");
	for (unsigned int bit = 12; bit < 64; bit++)
		if (msr_write_try(MSR_EFER, efer | 1UL << bit) != GP)
			check(false, "EFER: a bit that no policy has");
	check_eq(msr_write_try(MSR_EFER, efer & ~0x100UL), GP, "EFER: LME stays under paging");
	check_eq(msr_write_try(MSR_PAT, 2), GP, "PAT: no such type");
	check_eq(msr_write_try(0xc0010117, 0), GP, "VM_HSAVE_PA");
	check_eq(msr_read_try(0x12345678, &val), GP, "no such MSR");
	check_eq(msr_write_try(0x40000000, HOLE), GP, "no hypercall page in a hole");
	check_eq(msr_write_try(0x40000000, ~0UL << 12), GP, "nor at the end");
}

/* --- instructions --- */

#define CHECK_TRAP(text, vector)                                                       \
	do {                                                                           \
		TRY(text, ::"a"(pair), "c"(0), "d"(0) : "r15", "r11", "memory", "cc"); \
		check_eq(trap_vector, vector, text);                                   \
	} while (0)

static void virtualization(void)
{
	uint32_t vendor, leaf = 0;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(vendor)::"ecx", "edx");
	if (vendor == 0x756e6547) /* "Genu" */
		CHECK_TRAP("vmmcall", UD);
	else
		CHECK_TRAP("vmcall", UD);
	CHECK_TRAP("vmrun", UD);
	CHECK_TRAP("vmload", UD);
	CHECK_TRAP("vmsave", UD);
	CHECK_TRAP("stgi", UD);
	CHECK_TRAP("clgi", UD);
	CHECK_TRAP("invlpga", UD);
	CHECK_TRAP("vmxon (%0)", UD);
	CHECK_TRAP("vmxoff", UD);
	CHECK_TRAP("vmclear (%0)", UD);
	CHECK_TRAP("vmptrld (%0)", UD);
	CHECK_TRAP("vmptrst (%0)", UD);
	CHECK_TRAP("vmread %0, (%0)", UD);
	CHECK_TRAP("vmwrite (%0), %0", UD);
	CHECK_TRAP("vmlaunch", UD);
	CHECK_TRAP("vmresume", UD);
	CHECK_TRAP("invept (%0), %0", UD);
	CHECK_TRAP("invvpid (%0), %0", UD);
	CHECK_TRAP("vmfunc", UD);
	CHECK_TRAP("getsec", UD);
}

static void instructions(void)
{
	uint64_t dr;

	CHECK_TRAP("monitor", UD);
	CHECK_TRAP("mwait", UD);
	CHECK_TRAP("rdpmc", GP);
	CHECK_TRAP("xsetbv", UD); /* CR4.OSXSAVE is clear */
	CHECK_TRAP("wbinvd", NO_TRAP);
	CHECK_TRAP("invd", NO_TRAP);
	CHECK_TRAP("int3", BP);
	CHECK_TRAP("int $0x80", GP);
	TRY(".byte 0xf1", ::: TRY_CLOBBERS);
	check(trap_vector == DB || trap_vector == UD, "ICEBP, where the CPU knows it");
	__asm__ volatile("mov %0, %%dr2" ::"r"(0x1234UL));
	__asm__ volatile("mov %%dr2, %0" : "=r"(dr));
	check_eq(dr, 0x1234, "debug registers are its own");
	for (unsigned int i = 0; i < 5000; i++)
		__asm__ volatile("pause");
	check_eq(hypercall(~0UL, 0, 0, 0, 0, 0), -ENOSYS, "no such hypercall");
	for (uint32_t n = 0; n < 0x40; n++)
		for (uint32_t base = 0; base < 3; base++) {
			uint32_t a = base << 30 | n, b, c = ~n, d;

			__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		}
}

static unsigned int xsetbv_try(uint32_t xcr0)
{
	TRY("xsetbv", ::"a"(xcr0), "c"(0), "d"(0) : "r15", "r11", "memory", "cc");
	return trap_vector;
}

static uint32_t xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* Leaf 13: what XCR0 may hold, and in *size how much an XSAVE of what it holds takes. */
static uint32_t xsave_leaf(uint32_t *size)
{
	uint32_t a = 13, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(*size), "+c"(c)::"edx");
	return a;
}

static void extended_state(void)
{
	uint32_t small, large, a = 1, c = 0;
	uint64_t c4 = cr4();

	__asm__ volatile("cpuid" : "+a"(a), "+c"(c)::"ebx", "edx");
	if (!(c & 1U << 26)) /* XSAVE */
		return;
	check_eq(cr4_try(c4 | OSXSAVE), NO_TRAP, "CR4: OSXSAVE");
	check_eq(xcr0(), 1, "XCR0 after RESET");
	check_eq(xsetbv_try(0), GP, "XCR0: x87 stays");
	check_eq(xsetbv_try(5), GP, "XCR0: no AVX without SSE");
	check_eq(xsetbv_try(1U << 31 | 3), GP, "XCR0: a bit that no policy has");
	check_eq(xsetbv_try(3), NO_TRAP, "XCR0: SSE");
	if ((xsave_leaf(&small) & XCR0_AVX) == XCR0_AVX) {
		check_eq(xsetbv_try(XCR0_AVX), NO_TRAP, "XCR0: AVX");
		(void)xsave_leaf(&large);
		check(large > small, "CPUID's size of it grows");
		for (unsigned int i = 0; i < 20; i++)
			HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, NULL);
		check_eq(xcr0(), XCR0_AVX, "XCR0 outlives a switch of vCPUs");
	}
	check_eq(xsetbv_try(1), NO_TRAP, "XCR0: as it was");
	check_eq(cr4_try(c4), NO_TRAP, "CR4: as it was");
}

static void ports(void)
{
	uint32_t val;

	for (uint32_t port = 0; port < 0x10000; port += 61) {
		__asm__ volatile("inb %w1, %b0" : "=a"(val) : "d"(port));
		__asm__ volatile("inw %w1, %w0" : "=a"(val) : "d"(port));
		__asm__ volatile("inl %w1, %0" : "=a"(val) : "d"(port));
	}
	__asm__ volatile("inl %w1, %0" : "=a"(val) : "d"(0x1f0));
	check_eq(val, ~0U, "a port where nothing is");
	__asm__ volatile("outl %0, %w1" ::"a"(val), "d"(0x1f0));
	TRY("rep insl", ::"D"(HOLE), "c"(3), "d"(0x1f0) : "r15", "r11", "memory", "cc");
	check_eq(trap_vector, NO_TRAP, "INS into a hole");
	TRY("rep outsb", ::"S"(HOLE), "c"(3), "d"(0x1f0) : "r15", "r11", "memory", "cc");
	check_eq(trap_vector, NO_TRAP, "OUTS out of a hole");
}

/* --- memory --- */

static void hole(void)
{
	uint64_t val = 0;

	__asm__ volatile("movq (%1), %0" : "=r"(val) : "r"(HOLE));
	check_eq(val, -1, "a hole reads ones");
	TRY("movb %%al, (%0); movw %%ax, 1(%0); movl %%eax, 3(%0); movq %%rax, 5(%0)", ::"D"(HOLE)
	    : "rax", TRY_CLOBBERS);
	check_eq(trap_vector, NO_TRAP, "and takes writes");
	TRY("movzbl (%0), %%eax; movswl (%0), %%eax; xchgl %%eax, (%0); lock addl $1, (%0);"
	    "lock cmpxchgq %%rax, (%0); btsl $3, (%0); notl (%0); testl $1, (%0)",
	    ::"D"(HOLE)
	    : "rax", TRY_CLOBBERS);
	check_eq(trap_vector, NO_TRAP, "and all common instructions");
	TRY("rep stosq", ::"D"(HOLE + 4090), "a"(0), "c"(4) : "r15", "r11", "memory", "cc");
	check_eq(trap_vector, NO_TRAP, "STOS in a hole");
	TRY("rep movsb", ::"S"(HOLE), "D"(pair), "c"(16) : "r15", "r11", "memory", "cc");
	check_eq(trap_vector == NO_TRAP ? pair[15] : 0, 0xff, "MOVS out of a hole");
	/* Whatever these give: the guest goes on. */
	TRY("movups (%0), %%xmm0", ::"D"(HOLE) : TRY_CLOBBERS);
	TRY("fldl (%0)", ::"D"(HOLE) : TRY_CLOBBERS);
	TRY("lock cmpxchg16b (%0)", ::"D"(HOLE) : "rax", "rbx", "rdx", TRY_CLOBBERS);
	TRY("pushq (%0); popq (%0)", ::"D"(HOLE) : TRY_CLOBBERS);
	TRY("lgdt (%0)", ::"D"(HOLE + 4092) : TRY_CLOBBERS);
	TRY("invlpg (%0); clflush (%0); prefetcht0 (%0)", ::"D"(HOLE) : TRY_CLOBBERS);
	TRY("call *%0", ::"D"(HOLE) : TRY_CLOBBERS);
	check(trap_vector != NO_TRAP, "no code in a hole");
	TRY("jmp *%0", ::"D"(HOLE - 1) : TRY_CLOBBERS);
	check(trap_vector != NO_TRAP, "nor at its border");
}

/* RAM before, a hole behind. */
static void border(void)
{
	xen_pfn_t frame = gfn_of(pair + PAGE_SIZE);
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
	uint8_t *last = pair + PAGE_SIZE - 4;
	uint64_t val;

	set_xen_guest_handle(r.extent_start, &frame);
	check_eq(HC2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 1, "a frame goes");
	*(uint32_t *)last = 0x12345678;
	__asm__ volatile("movq (%1), %0" : "=r"(val) : "r"(last));
	check_eq(val, 0xffffffff12345678, "across its border: RAM, then ones");
	TRY("movq %1, (%0)", ::"D"(last), "a"(0xaaaaaaaabbbbbbbbUL) : TRY_CLOBBERS);
	check_eq(*(uint32_t *)last, 0xbbbbbbbb, "what is RAM is written");
	/* an instruction whose end is not there */
	last[3] = 0x48;
	TRY("jmp *%0", ::"D"(last + 3) : TRY_CLOBBERS);
	check(trap_vector != NO_TRAP, "an instruction has to be there whole");
	check_eq(HC2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r), 1, "the frame is back");
}

/* Page tables in a hole, that loop, and beyond all memory. */
static void page_tables(void)
{
	uint64_t *top, cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	top = (uint64_t *)(cr3 & ~0xfffUL);
	top[1] = HOLE | 7;
	check(!try_read((void *)(1UL << 39)), "page tables in a hole");
	top[2] = cr3 | 7;
	check(try_read((void *)(2UL << 39)), "page tables that loop");
	top[1] = (uint64_t)pair | 7;
	((uint64_t *)pair)[0] = 1UL << 38 | 0x87;
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
	check_eq(*(volatile uint64_t *)(1UL << 39), -1, "a page beyond all memory");
	top[1] = top[2] = 0;
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

/* --- the local APIC, and NMIs --- */

static void apic(void)
{
	for (unsigned long reg = 0; reg < 0x1000; reg += 3) {
		(void)*(volatile uint8_t *)(APIC + reg);
		(void)*(volatile uint32_t *)(APIC + (reg & ~3UL));
	}
	(void)*(volatile uint64_t *)(APIC + 0xffc);
	for (unsigned int i = 0; i < 3; i++) {
		*(volatile uint32_t *)(APIC + APIC_ICR + 0x10) = 0;
		TRY("movl %1, (%0); nop; nop; nop", ::"D"(APIC + APIC_ICR), "a"(APIC_ICR_NMI)
		    : TRY_CLOBBERS);
		check_eq(trap_vector, 2, "an NMI to itself, again and again");
	}
	TRY("mov %%ss, %%edx; movl %1, (%0); mov %%edx, %%ss; nop; nop", ::"D"(APIC + APIC_ICR),
	    "a"(APIC_ICR_NMI)
	    : "rdx", TRY_CLOBBERS);
	check_eq(trap_vector, 2, "and before a shadow");
}

/* Which of 0x800..0x8ff can be read: Intel SDM vol. 3, "x2APIC Register Address Space". */
static bool is_readable(uint32_t msr)
{
	static const uint32_t singles[] = {0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x828,
					   0x830, 0x838, 0x839, 0x83e};

	for (unsigned int i = 0; i < sizeof(singles) / sizeof(singles[0]); i++)
		if (msr == singles[i])
			return true;
	return (msr >= 0x810 && msr <= 0x827) || (msr >= 0x832 && msr <= 0x837);
}

/* By MSRs; a CPU may do some of it without an exit, and the answers are the same. */
static void x2apic(void)
{
	uint64_t val, base;

	check_eq(msr_read_try(MSR_APIC, &base), NO_TRAP, "RDMSR of the APIC's base");
	check_eq(msr_read_try(MSR_TPR, &val), GP, "no MSRs of its own in xAPIC mode");
	check_eq(msr_write_try(MSR_APIC, base | APIC_EXTD), NO_TRAP, "x2APIC mode");
	for (uint32_t msr = 0x800; msr < 0x900; msr++)
		if (msr_read_try(msr, &val) != (is_readable(msr) ? NO_TRAP : GP))
			check_eq(msr, 0, "RDMSR of this should be as the manual says");
	check_eq(msr_read_try(0x802, &val) == NO_TRAP ? val : 1, 0, "its ID");
	check_eq(msr_read_try(0x80d, &val) == NO_TRAP ? val : 0, 1, "its logical ID");
	check_eq(msr_write_try(0x802, 0), GP, "the ID is read-only");
	check_eq(msr_write_try(MSR_PPR, 0), GP, "so is the PPR");
	check_eq(msr_write_try(MSR_SVR, 1UL << 32 | 0x1ff), GP, "SVR: a reserved bit");
	check_eq(msr_write_try(MSR_SVR, 0x1ff), NO_TRAP, "SVR");
	check_eq(msr_read_try(MSR_SVR, &val) == NO_TRAP ? val : 0, 0x1ff, "SVR is what was written");
	check_eq(msr_write_try(MSR_TPR, 0x100), GP, "TPR: a reserved bit");
	check_eq(msr_write_try(MSR_TPR, 1UL << 32), GP, "TPR: another");
	check_eq(msr_write_try(MSR_TPR, 0x57), NO_TRAP, "TPR");
	check_eq(msr_read_try(MSR_TPR, &val) == NO_TRAP ? val : 0, 0x57, "TPR is what was written");
	check_eq(msr_read_try(MSR_PPR, &val) == NO_TRAP ? val : 0, 0x57, "and the PPR follows");
	__asm__ volatile("mov %%cr8, %0" : "=r"(val));
	check_eq(val, 5, "and CR8");
	__asm__ volatile("mov %0, %%cr8" ::"r"(3UL));
	check_eq(msr_read_try(MSR_TPR, &val) == NO_TRAP ? val : 0, 0x30, "CR8 is the TPR's high half");
	check_eq(msr_write_try(MSR_TPR, 0), NO_TRAP, "TPR: as it was");
	check_eq(msr_write_try(0x80b, 1), GP, "EOI takes zero alone");
	for (unsigned int i = 0; i < 2000; i++) /* what the CPU does itself is no exit */
		msr_read_try(MSR_SVR, &val);
	check_eq(val, 0x1ff, "and it stays so");
}

void guest_test(void)
{
	control_registers();
	msrs();
	virtualization();
	instructions();
	extended_state();
	ports();
	hole();
	border();
	page_tables();
	apic();
	x2apic();
}
