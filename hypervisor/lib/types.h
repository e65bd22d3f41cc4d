/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words every file speaks in: the distinct integer types for addresses
 * and frames, and the compiler attributes.  Builds freestanding and hosted.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <xen/xen.h> /* domid_t, DOMID_*, cpu_user_regs, ... */

#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define must_check     __attribute__((warn_unused_result))
#define no_return      __attribute__((noreturn))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define section(s)     __attribute__((section(s)))
#define aligned_to(n)  __attribute__((aligned(n)))
#define packed         __attribute__((packed))
#define always_inline  inline __attribute__((always_inline))

/* Code and data needed only until dom0 runs; freed afterwards. */
#ifdef ZENDO_HOST
#define init_text
#define init_data
#else
#define init_text section(".init.text")
#define init_data section(".init.data")
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, a)   (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ROUND_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(x, a) (((x) + (a) - 1) / (a))

#define KB(n) ((uint64_t)(n) << 10)
#define MB(n) ((uint64_t)(n) << 20)
#define GB(n) ((uint64_t)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

typedef uint64_t paddr_t; /* machine address */

/* A machine frame number; distinct from gfn_t so that the two cannot be mixed. */
typedef struct {
	uint64_t v;
} mfn_t;

/* A guest's frame number: its pseudo-physical address >> PAGE_SHIFT. */
typedef struct {
	uint64_t v;
} gfn_t;

#define MFN(n) ((mfn_t){n})
#define GFN(n) ((gfn_t){n})
#define MFN_NONE MFN(~0UL)

static inline bool mfn_equal(mfn_t a, mfn_t b)
{
	return a.v == b.v;
}

static inline paddr_t mfn_to_paddr(mfn_t m)
{
	return m.v << PAGE_SHIFT;
}

static inline mfn_t paddr_to_mfn(paddr_t p)
{
	return MFN(p >> PAGE_SHIFT);
}

struct domain;
struct vcpu;
struct page;

#endif
