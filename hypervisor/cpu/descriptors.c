/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU's area (cpu/layout.h): its stacks, the last page of its GDT, its
 * TSS and its view of the SYSCALL stub; and the one IDT of all CPUs.
 */
#include "boot/boot.h"
#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "mm/mm.h"

#define IST_NMI 1
#define IST_DF  2
#define IST_MC  3
#define IST_DB  4
#define STACK_PAGE 0x1000

/* AMD APM vol. 2, "64-Bit Task State Segment" */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap_base;
} packed;
_Static_assert(sizeof(struct tss) == 104, "the TSS of 64-bit mode");

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
} packed;
_Static_assert(sizeof(struct idt_gate) == 16, "a gate of 64-bit mode");

static struct idt_gate idt[256] aligned_to(16);

extern char syscall_stub[], syscall32_stub[], interrupt_entries[];
extern char trap_0[], trap_1[], trap_2[], trap_3[], trap_4[], trap_5[], trap_6[], trap_7[],
	trap_8[], trap_10[], trap_11[], trap_12[], trap_13[], trap_14[], trap_16[], trap_17[],
	trap_18[], trap_19[], trap_20[], trap_21[];

static uint64_t area(unsigned int cpu)
{
	return CPUAREA_START + cpu * CPUAREA_STRIDE;
}

struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return (struct cpu_info *)(area(cpu) + CPUAREA_STACK + CPU_STACK_SIZE) - 1;
}

uint64_t cpu_stack_top(unsigned int cpu)
{
	return (uint64_t)cpu_info_of(cpu);
}

/* Descriptors of the ring-0 segments and those the ABI shows guests. */
static void gdt_fill(uint64_t *page, uint64_t tss)
{
#define ENTRY(sel) page[((sel) - FIRST_RESERVED_GDT_BYTE) / 8]
	ENTRY(SEL_HYP_CS) = 0x00af9b000000ffff;
	ENTRY(SEL_HYP_DS) = 0x00cf93000000ffff;
	ENTRY(SEL_RING3_CS32 & ~7) = 0x00cffb000000ffff;
	ENTRY(SEL_RING3_SS & ~7) = 0x00cff3000000ffff;
	ENTRY(SEL_RING3_CS64 & ~7) = 0x00affb000000ffff;
	ENTRY(SEL_TSS) = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | 0x89UL << 40 |
			 (tss >> 24 & 0xff) << 56;
	ENTRY(SEL_TSS + 8) = tss >> 32;
#undef ENTRY
}

static int map_fresh(unsigned int cpu, uint64_t offset, void **page)
{
	void *v = hyp_page_alloc_zeroed();

	if (!v)
		return -ENOMEM;
	if (page)
		*page = v;
	return cpuarea_map(cpu, offset, virt_to_mfn(v), MAP_RW);
}

static int map_stacks(unsigned int cpu)
{
	int rc = 0;

	for (uint64_t o = 0; o < 4 * STACK_PAGE && !rc; o += PAGE_SIZE)
		rc = map_fresh(cpu, CPUAREA_STACK + o, NULL);
	for (uint64_t o = CPU_STACK_BODY; o < CPU_STACK_SIZE && !rc; o += PAGE_SIZE)
		rc = map_fresh(cpu, CPUAREA_STACK + o, NULL);
	return rc;
}

static void tss_fill(struct tss *tss, unsigned int cpu)
{
	uint64_t stack = area(cpu) + CPUAREA_STACK;

	tss->rsp[0] = (uint64_t)&cpu_info_of(cpu)->guest_regs.es;
	tss->ist[IST_NMI - 1] = stack + 1 * STACK_PAGE;
	tss->ist[IST_DF - 1] = stack + 2 * STACK_PAGE;
	tss->ist[IST_MC - 1] = stack + 3 * STACK_PAGE;
	tss->ist[IST_DB - 1] = stack + 4 * STACK_PAGE;
	tss->iomap_base = sizeof(*tss); /* none: every port access of ring 3 faults */
}
_Static_assert((sizeof(struct cpu_info) - offsetof(struct cpu_info, guest_regs.es)) % 16 == 0,
	       "the CPU aligns the stack to 16 before it pushes");

int cpu_area_create(unsigned int cpu)
{
	paddr_t stub = (uint64_t)syscall_stub - IMAGE_START;
	void *gdt, *tss;
	int rc;

	rc = map_stacks(cpu);
	if (!rc)
		rc = map_fresh(cpu, CPUAREA_GDT + FIRST_RESERVED_GDT_BYTE, &gdt);
	if (!rc)
		rc = map_fresh(cpu, CPUAREA_TSS, &tss);
	if (!rc)
		rc = cpuarea_map(cpu, CPUAREA_STUB, paddr_to_mfn(stub), MAP_RX);
	if (rc)
		return rc; /* a CPU that cannot be had at boot: nothing to give back to */

	gdt_fill(gdt, area(cpu) + CPUAREA_TSS);
	tss_fill(tss, cpu);
	return 0;
}

void cpu_ldt_load(unsigned int entries)
{
	unsigned int cpu = cpu_id();
	uint64_t *gdt = (uint64_t *)(area(cpu) + CPUAREA_GDT), base = area(cpu) + CPUAREA_LDT;

	if (!entries) {
		__asm__ volatile("lldt %w0" ::"r"(0));
		return;
	}
	gdt[SEL_LDT / 8] = (entries * 8 - 1) | (base & 0xffffff) << 16 | 0x82UL << 40 |
			   (base >> 24 & 0xff) << 56;
	gdt[SEL_LDT / 8 + 1] = base >> 32;
	__asm__ volatile("lldt %w0" ::"r"(SEL_LDT));
}

static void gate_set(unsigned int vector, const void *entry, unsigned int ist, unsigned int dpl)
{
	uint64_t addr = (uint64_t)entry;

	idt[vector] = (struct idt_gate){
		.offset_low = addr,
		.offset_mid = addr >> 16,
		.offset_high = addr >> 32,
		.selector = SEL_HYP_CS,
		.ist = ist,
		.type = 0x8e | dpl << 5, /* present, interrupt gate */
	};
}

init_text void idt_init(void)
{
	static const struct {
		uint8_t vector, ist, dpl;
		const void *entry;
	} traps[] = {
		{0, 0, 0, trap_0},	  {1, IST_DB, 0, trap_1}, {2, IST_NMI, 0, trap_2},
		{3, 0, 3, trap_3},	  {4, 0, 3, trap_4},	  {5, 0, 0, trap_5},
		{6, 0, 0, trap_6},	  {7, 0, 0, trap_7},	  {8, IST_DF, 0, trap_8},
		{10, 0, 0, trap_10},	  {11, 0, 0, trap_11},	  {12, 0, 0, trap_12},
		{13, 0, 0, trap_13},	  {14, 0, 0, trap_14},	  {16, 0, 0, trap_16},
		{17, 0, 0, trap_17},	  {18, IST_MC, 0, trap_18}, {19, 0, 0, trap_19},
		{20, 0, 0, trap_20},	  {21, 0, 0, trap_21},
	};

	for (unsigned int v = 0x20; v < 256; v++)
		gate_set(v, interrupt_entries + (v - 0x20) * 16, 0, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(traps); i++)
		gate_set(traps[i].vector, traps[i].entry, traps[i].ist, traps[i].dpl);
}

void cpu_descriptors_load(unsigned int cpu)
{
	uint64_t stub = area(cpu) + CPUAREA_STUB;
	uint64_t *gdt = (uint64_t *)(area(cpu) + CPUAREA_GDT);

	gdt[SEL_TSS / 8] &= ~(2UL << 40); /* not busy */
	gdt_load((uint64_t)gdt, FIRST_RESERVED_GDT_BYTE + PAGE_SIZE - 1);
	idt_load((uint64_t)idt, sizeof(idt) - 1);
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:\n\t"
			 "movl %1, %%eax; movl %%eax, %%ss; ltr %w2; lldt %w3" ::"i"(SEL_HYP_CS),
			 "i"(SEL_HYP_DS), "r"(SEL_TSS), "r"(0)
			 : "rax", "memory");
	msr_write(MSR_STAR, (uint64_t)SEL_RING3_CS32 << 48 | (uint64_t)SEL_HYP_CS << 32);
	msr_write(MSR_LSTAR, stub + (syscall_stub - syscall_stub));
	msr_write(MSR_SYSENTER_CS, 0); /* SYSENTER faults */
	msr_write(MSR_CSTAR, stub + (syscall32_stub - syscall_stub));
	msr_write(MSR_SFMASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_IOPL |
				      X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC);
}
