/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test guest stands on: a domain with one vCPU, a console, traps it can
 * expect, and, if it is PV, its own page tables.  A guest says "ok - ..." or
 * "not ok - ..." for each thing it tries and then powers off; one that must be
 * ended by the hypervisor says so first ("expect crash: reason").
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define EACCES 13
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define EINVAL 22
#define ENOSPC 28
#define ENOSYS 38

#define PAGE_SIZE 4096UL
#define HYPERVISOR_ADDRESS ((void *)0xffff830000000000UL) /* inside the reserved range */
#define NON_CANONICAL      ((void *)0x0000900000000000UL)

extern struct start_info *start_info;

/* The test itself; returning from it powers off. */
void guest_test(void);
void guest_main(void);

long hypercall(unsigned long op, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5);
#define HC1(op, a)             hypercall(op, (unsigned long)(a), 0, 0, 0, 0)
#define HC2(op, a, b)          hypercall(op, (unsigned long)(a), (unsigned long)(b), 0, 0, 0)
#define HC3(op, a, b, c)                                                                           \
	hypercall(op, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), 0, 0)
#define HC4(op, a, b, c, d)                                                                        \
	hypercall(op, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c),                  \
		  (unsigned long)(d), 0)

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* %s %d %u %x %lx %ld %c */
void check(bool good, const char *what);
/* "ok - what" if got is want, else tells both. */
void check_eq(long got, long want, const char *what);
_Noreturn void guest_shutdown(unsigned int reason);
_Noreturn void guest_end(void);
void console_open(void *page, unsigned int port);

/* --- traps --- */
extern volatile unsigned int trap_vector; /* of the last; 255: the failsafe callback */
extern volatile unsigned long trap_error, trap_rip;
extern volatile unsigned int event_upcalls, failsafe_seen;
extern volatile unsigned long try_resume, try_stack;

/*
 * Runs asm text that may fault; trap_vector is NO_TRAP after it if it did not.
 * Operands as for asm.
 */
#define NO_TRAP 0xffff
#define TRY(text, ...)                                                                             \
	do {                                                                                       \
		trap_vector = NO_TRAP;                                                             \
		__asm__ volatile("lea 77f(%%rip), %%r15; mov %%r15, try_resume(%%rip); "            \
				 "mov %%rsp, try_stack(%%rip); " text                              \
				 "\n77: movq $0, try_resume(%%rip)" __VA_ARGS__);                  \
	} while (0)
#define TRY_CLOBBERS "r15", "r11", "rcx", "memory", "cc"

bool try_read(const void *addr);          /* false: it faulted */
bool try_write(void *addr, uint64_t val);

/* --- memory: page tables of this guest, all mapped read-only at VIRT_BASE --- */
static inline unsigned long va_to_pfn(const void *va)
{
	return ((unsigned long)va - 0xffffffff80000000UL) >> 12;
}
unsigned long pfn_to_mfn(unsigned long pfn);
static inline unsigned long va_to_mfn(const void *va)
{
	return pfn_to_mfn(va_to_pfn(va));
}
/* The table entry that maps va at this level (1..4) of the present L4, and its machine address. */
uint64_t *pt_entry(const void *va, unsigned int level);
unsigned long pt_entry_machine(const void *va, unsigned int level);
/* The machine frame of the table that holds it. */
unsigned long pt_mfn(const void *va, unsigned int level);

long mmu_update(unsigned long machine_addr, uint64_t val);
long mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2);
/* Replace the L1 entry of va; 0 or -E. */
long remap(void *va, uint64_t l1e);

#define PTE_P  0x001UL
#define PTE_RW 0x002UL
#define PTE_US 0x004UL
#define PTE_A  0x020UL
#define PTE_D  0x040UL
#define PTE_PS 0x080UL
#define PTE_RO_FLAGS (PTE_P | PTE_US | PTE_A)
#define PTE_RW_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

/* A page of its own, page-aligned, mapped writable. */
#define DEFINE_PAGE(name) static uint8_t name[PAGE_SIZE] __attribute__((aligned(4096)))

#endif
