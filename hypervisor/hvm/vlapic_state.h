/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside vlapic*.c.  The registers are kept as they lie in the xAPIC's page
 * (Intel SDM vol. 3, "Local APIC Register Address Map"), those that are computed
 * when they are read excepted: PPR, APR, current count.
 */
#ifndef HVM_VLAPIC_STATE_H
#define HVM_VLAPIC_STATE_H

#include "hvm/state.h"
#include "hvm/vlapic.h"
#include "time/timer.h"

#define APIC_ID		    0x020
#define APIC_VERSION	    0x030
#define APIC_TPR	    0x080
#define APIC_APR	    0x090
#define APIC_PPR	    0x0a0
#define APIC_EOI	    0x0b0
#define APIC_RRD	    0x0c0
#define APIC_LDR	    0x0d0
#define APIC_DFR	    0x0e0
#define APIC_SVR	    0x0f0
#define APIC_ISR	    0x100
#define APIC_TMR	    0x180
#define APIC_IRR	    0x200
#define APIC_ESR	    0x280
#define APIC_ICR	    0x300
#define APIC_ICR2	    0x310
#define APIC_LVTT	    0x320
#define APIC_LVTTHMR	    0x330
#define APIC_LVTPC	    0x340
#define APIC_LVT0	    0x350
#define APIC_LVT1	    0x360
#define APIC_LVTERR	    0x370
#define APIC_TMICT	    0x380
#define APIC_TMCCT	    0x390
#define APIC_TDCR	    0x3e0
#define APIC_SELF_IPI	    0x3f0
#define APIC_REGS_END	    0x400

#define APIC_VERSION_VALUE  0x00050014U /* six LVT entries */
#define APIC_VECTOR_MIN	    16		/* lower ones are illegal */
#define SVR_ENABLE	    0x100U
#define DFR_FLAT	    0xffffffffU

#define LVT_VECTOR	    0xffU
#define LVT_DELIVERY(l)	    ((l) >> 8 & 7)
#define LVT_LEVEL	    (1U << 15)
#define LVT_MASKED	    (1U << 16)
#define LVTT_MODE	    (3U << 17)
#define LVTT_PERIODIC	    (1U << 17)
#define LVTT_TSCDEADLINE    (2U << 17)

#define ESR_SEND_ILLEGAL    0x20U
#define ESR_RECEIVE_ILLEGAL 0x40U
#define ESR_ADDRESS	    0x80U

/* MSR_APIC_BASE */
#define APIC_BASE_BSP	  0x100UL
#define APIC_BASE_EXTD	  0x400UL
#define APIC_BASE_ENABLE  0x800UL
#define APIC_BASE_ADDRESS 0xfee00000UL /* where it stays: moving it is refused */

struct vlapic {
	/* constant after create */
	struct vcpu *vcpu;
	/*
	 * A page of its own, as VMX's virtual-APIC page wants it.  IRR and TMR: atomic.  Others:
	 * written by the owner CPU, or while paused; read by all
	 */
	uint32_t *regs;

	/* atomic: what the next write to the ESR shows in it */
	uint32_t errors;

	struct spinlock timer_lock; /* interrupts on; below: */
	struct timer timer;
	uint64_t ends;	   /* system time when the count is 0; 0: it does not run */
	uint64_t deadline; /* IA32_TSC_DEADLINE, 0: not armed */
};

static inline uint32_t vlapic_get(const struct vlapic *l, unsigned int offset)
{
	return READ_ONCE(l->regs[offset / 4]);
}

static inline void vlapic_put(struct vlapic *l, unsigned int offset, uint32_t val)
{
	WRITE_ONCE(l->regs[offset / 4], val);
}

/* The word of a vector in ISR, TMR or IRR: 32 bits every 16 bytes. */
static inline unsigned int vlapic_word(unsigned int base, uint8_t vector)
{
	return (base + (vector >> 5) * 0x10) / 4;
}

static inline bool vlapic_is_enabled(const struct vlapic *l)
{
	return READ_ONCE(l->vcpu->hvm->apic_base) & APIC_BASE_ENABLE;
}

static inline bool vlapic_is_x2apic(const struct vlapic *l)
{
	return READ_ONCE(l->vcpu->hvm->apic_base) & APIC_BASE_EXTD;
}

static inline bool vlapic_is_software_enabled(const struct vlapic *l)
{
	return vlapic_is_enabled(l) && vlapic_get(l, APIC_SVR) & SVR_ENABLE;
}

/* --- vlapic.c --- */
uint8_t vlapic_ppr(const struct vlapic *l);
void vlapic_eoi(struct vlapic *l);
/* Records ESR_* and raises the error interrupt; any context. */
void vlapic_error(struct vlapic *l, uint32_t error);
/* The event of that LVT entry happens. */
void vlapic_lvt_raise(struct vlapic *l, unsigned int offset);
/* ID and LDR follow the mode. */
void vlapic_identify(struct vlapic *l);

/* --- vlapic_regs.c --- */
/* May the register at that offset hold that value?  (Those that are computed: any.) */
bool vlapic_reg_is_valid(const struct vlapic *l, unsigned int offset, uint32_t val);

/* --- vlapic_timer.c --- */
void vlapic_timer_init(struct vlapic *l);
/* TMICT was written: counts from there; 0 stops it. */
void vlapic_timer_start(struct vlapic *l, uint32_t count);
uint32_t vlapic_timer_count(struct vlapic *l);
/* LVTT and TDCR, which the running timer heeds. */
void vlapic_timer_lvt_set(struct vlapic *l, uint32_t lvtt);
void vlapic_timer_divide_set(struct vlapic *l, uint32_t tdcr);
uint64_t vlapic_deadline_get(struct vlapic *l);
/* Goes on where a saved one was, in the mode that LVTT says. */
void vlapic_timer_resume(struct vlapic *l, uint32_t count, uint64_t deadline);
unsigned int vlapic_timer_divisor(const struct vlapic *l);
void vlapic_deadline_set(struct vlapic *l, uint64_t tsc);

/* --- vlapic_context.c: as struct hvm_save_kind has its functions --- */
int vlapic_save(struct domain *d, unsigned int instance, void *rec);
int vlapic_load(struct domain *d, unsigned int instance, const void *rec);
int vlapic_regs_save(struct domain *d, unsigned int instance, void *rec);
int vlapic_regs_load(struct domain *d, unsigned int instance, const void *rec);

/* --- vlapic_ipi.c --- */
void vlapic_ipi_send(struct vlapic *l, uint32_t icr, uint32_t icr2);

#endif
