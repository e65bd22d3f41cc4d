/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a vCPU gets at its local APIC: registers by the xAPIC's page and by x2APIC
 * MSRs (Intel SDM vol. 3, "x2APIC Register Address Space"), MSR_APIC_BASE, and
 * IA32_TSC_DEADLINE.  One table says which register may be read, written, and
 * with which bits: others vanish in xAPIC mode, and are #GP in x2APIC mode.
 */
#include "hvm/vlapic_state.h"

#include "hvm/io.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MSR_APIC_BASE	   0x1b
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC_FIRST   0x800
#define MSR_X2APIC_LAST	   0x8ff
#define MSR_X2APIC(offset) (MSR_X2APIC_FIRST + (offset) / 0x10)

#define RX		   1 /* read, write in xAPIC mode; in x2APIC mode */
#define WX		   2
#define R2		   4
#define W2		   8

#define LVT_READ_ONLY	   (1U << 12 | 1U << 14) /* delivery status, remote IRR */
#define LVT_COMMON	   (LVT_VECTOR | LVT_MASKED)
#define LVT_LINT	   (LVT_COMMON | 0x700 | 1U << 13 | LVT_LEVEL)
#define ICR_BITS	   0xccfffU

static const struct rule {
	uint32_t bits; /* that a write may set */
	uint8_t access;
} rules[APIC_REGS_END / 0x10] = {
	[APIC_ID >> 4] = {0, RX | R2},
	[APIC_VERSION >> 4] = {0, RX | R2},
	[APIC_TPR >> 4] = {0xff, RX | WX | R2 | W2},
	[APIC_APR >> 4] = {0, RX},
	[APIC_PPR >> 4] = {0, RX | R2},
	[APIC_EOI >> 4] = {0, WX | W2},
	[APIC_RRD >> 4] = {0, RX},
	[APIC_LDR >> 4] = {0xff000000, RX | WX | R2},
	[APIC_DFR >> 4] = {0xf0000000, RX | WX},
	[APIC_SVR >> 4] = {0x3ff, RX | WX | R2 | W2},
	[APIC_ISR >> 4 ...(APIC_IRR >> 4) + 7] = {0, RX | R2},
	[APIC_ESR >> 4] = {0, RX | WX | R2 | W2},
	[APIC_ICR >> 4] = {ICR_BITS, RX | WX | R2 | W2},
	[APIC_ICR2 >> 4] = {0xff000000, RX | WX},
	[APIC_LVTT >> 4] = {LVT_COMMON | LVTT_MODE, RX | WX | R2 | W2},
	[APIC_LVTTHMR >> 4] = {LVT_COMMON | 0x700, RX | WX | R2 | W2},
	[APIC_LVTPC >> 4] = {LVT_COMMON | 0x700, RX | WX | R2 | W2},
	[APIC_LVT0 >> 4] = {LVT_LINT, RX | WX | R2 | W2},
	[APIC_LVT1 >> 4] = {LVT_LINT, RX | WX | R2 | W2},
	[APIC_LVTERR >> 4] = {LVT_COMMON, RX | WX | R2 | W2},
	[APIC_TMICT >> 4] = {~0U, RX | WX | R2 | W2},
	[APIC_TMCCT >> 4] = {0, RX | R2},
	[APIC_TDCR >> 4] = {0xb, RX | WX | R2 | W2},
	[APIC_SELF_IPI >> 4] = {0xff, W2},
};

static bool is_lvt(unsigned int offset)
{
	return offset >= APIC_LVTT && offset <= APIC_LVTERR;
}

static uint32_t reg_read(struct vlapic *l, unsigned int offset)
{
	switch (offset) {
	case APIC_PPR:
	case APIC_APR: /* without a bus to arbitrate for, the same */
		return vlapic_ppr(l);
	case APIC_TMCCT:
		return vlapic_timer_count(l);
	default:
		return vlapic_get(l, offset);
	}
}

/* "Local APIC State After It Has Been Software Disabled": the entries are masked, and stay so. */
static void svr_write(struct vlapic *l, uint32_t val)
{
	vlapic_put(l, APIC_SVR, val);
	if (val & SVR_ENABLE)
		return;
	for (unsigned int lvt = APIC_LVTT; lvt <= APIC_LVTERR; lvt += 0x10)
		vlapic_put(l, lvt, vlapic_get(l, lvt) | LVT_MASKED);
}

static void icr_write(struct vlapic *l, uint32_t icr, uint32_t icr2)
{
	vlapic_put(l, APIC_ICR2, icr2);
	vlapic_put(l, APIC_ICR, icr);
	vlapic_ipi_send(l, icr, icr2);
}

static void self_ipi(struct vlapic *l, uint8_t vector)
{
	if (vector < APIC_VECTOR_MIN)
		vlapic_error(l, ESR_SEND_ILLEGAL);
	else
		vlapic_raise(l->vcpu, vector, false);
}

/* Of a register that may be written in this mode. */
static void reg_write(struct vlapic *l, unsigned int offset, uint32_t val)
{
	val &= rules[offset >> 4].bits;
	if (is_lvt(offset) && !(vlapic_get(l, APIC_SVR) & SVR_ENABLE))
		val |= LVT_MASKED;
	switch (offset) {
	case APIC_EOI:
		vlapic_eoi(l);
		return;
	case APIC_SVR:
		svr_write(l, val);
		return;
	case APIC_ESR: /* "Error Handling": shows what came since the last write */
		vlapic_put(l, offset, __atomic_exchange_n(&l->errors, 0, __ATOMIC_SEQ_CST));
		return;
	case APIC_DFR: /* reserved bits are ones */
		vlapic_put(l, offset, val | ~rules[offset >> 4].bits);
		return;
	case APIC_ICR:
		icr_write(l, val, vlapic_get(l, APIC_ICR2));
		return;
	case APIC_LVTT:
		vlapic_timer_lvt_set(l, val);
		return;
	case APIC_TMICT:
		if ((vlapic_get(l, APIC_LVTT) & LVTT_MODE) == LVTT_TSCDEADLINE)
			return;
		vlapic_put(l, offset, val);
		vlapic_timer_start(l, val);
		return;
	case APIC_TDCR:
		vlapic_timer_divide_set(l, val);
		return;
	case APIC_SELF_IPI:
		self_ipi(l, val);
		return;
	default:
		vlapic_put(l, offset, val);
	}
}

bool vlapic_reg_is_valid(const struct vlapic *l, unsigned int offset, uint32_t val)
{
	bool x2 = vlapic_is_x2apic(l);

	switch (offset) {
	case APIC_APR:
	case APIC_PPR:
	case APIC_TMCCT:
		return true;
	case APIC_ID:
	case APIC_VERSION:
		return val == vlapic_get(l, offset);
	case APIC_LDR:
		return x2 ? val == vlapic_get(l, offset) : !(val & ~rules[offset >> 4].bits);
	case APIC_DFR:
		return (val | rules[offset >> 4].bits) == ~0U;
	case APIC_ISR: /* the illegal vectors */
	case APIC_TMR:
	case APIC_IRR:
		return !(val & ((1U << APIC_VECTOR_MIN) - 1));
	case APIC_ESR:
		return !(val & ~(ESR_SEND_ILLEGAL | ESR_RECEIVE_ILLEGAL | ESR_ADDRESS));
	case APIC_ICR2:
		return x2 || !(val & ~rules[offset >> 4].bits);
	default:
		return (offset >= APIC_ISR && offset < APIC_ESR) ||
		       !(val & ~rules[offset >> 4].bits);
	}
}

/* --- the page --- */

/* SDM vol. 3, "The Local APIC Block Diagram": 32 bits at 16 bytes' steps; parts may be read. */
bool vlapic_access(struct vcpu *v, struct hvm_io *io)
{
	struct vlapic *l = v->hvm->vlapic;
	unsigned int offset = io->addr & (PAGE_SIZE - 1) & ~15U, at = io->addr & 15;
	uint8_t bytes[16 + sizeof(io->data)] = {0};
	uint8_t access;

	if (io->is_port || (io->addr & PAGE_MASK) != APIC_BASE_ADDRESS || !vlapic_is_enabled(l) ||
	    vlapic_is_x2apic(l))
		return false;
	access = offset < APIC_REGS_END ? rules[offset >> 4].access : 0;
	if (io->is_write) {
		if (access & WX && !at && io->size == 4)
			reg_write(l, offset, io->data);
	} else {
		if (access & RX) {
			uint32_t val = reg_read(l, offset);

			memcpy(bytes, &val, sizeof(val));
		}
		memcpy(&io->data, bytes + at, sizeof(io->data));
	}
	if (!(access & (RX | WX)))
		vlapic_error(l, ESR_ADDRESS);
	return true;
}

/* --- MSRs --- */

static int x2apic_read(struct vlapic *l, uint32_t msr, uint64_t *val)
{
	unsigned int offset = (msr - MSR_X2APIC_FIRST) * 0x10;

	if (!vlapic_is_x2apic(l) || offset >= APIC_REGS_END || !(rules[offset >> 4].access & R2))
		return -EPERM;
	*val = reg_read(l, offset);
	if (offset == APIC_ICR)
		*val |= (uint64_t)vlapic_get(l, APIC_ICR2) << 32;
	return 0;
}

void *vlapic_page(const struct vcpu *v)
{
	return v->hvm->vlapic->regs;
}

bool vlapic_is_by_msr(const struct vcpu *v)
{
	return vlapic_is_x2apic(v->hvm->vlapic);
}

bool vlapic_msr_is_plain(uint32_t msr)
{
	unsigned int offset = (msr - MSR_X2APIC_FIRST) * 0x10;

	switch (offset) {
	case APIC_PPR: /* computed */
	case APIC_TMCCT:
	case APIC_ICR: /* its high half lies elsewhere */
		return false;
	default:
		return offset < APIC_REGS_END && rules[offset >> 4].access & R2;
	}
}

static int x2apic_write(struct vlapic *l, uint32_t msr, uint64_t val)
{
	unsigned int offset = (msr - MSR_X2APIC_FIRST) * 0x10;
	uint64_t allowed;

	if (!vlapic_is_x2apic(l) || offset >= APIC_REGS_END || !(rules[offset >> 4].access & W2))
		return -EPERM;
	allowed = rules[offset >> 4].bits;
	if (is_lvt(offset))
		allowed |= LVT_READ_ONLY;
	if (offset == APIC_ICR)
		allowed |= 0xffffffffUL << 32;
	if (val & ~allowed)
		return -EPERM;
	if (offset == APIC_ICR)
		icr_write(l, val, val >> 32);
	else
		reg_write(l, offset, val);
	return 0;
}

/* SDM vol. 3, "x2APIC State Transitions": not from off to x2APIC, nor from there to xAPIC. */
static int base_write(struct vlapic *l, uint64_t val)
{
	struct vcpu *v = l->vcpu;
	uint64_t mode = val & (APIC_BASE_ENABLE | APIC_BASE_EXTD), old = v->hvm->apic_base;

	if ((val & ~(APIC_BASE_ENABLE | APIC_BASE_EXTD)) !=
	    (old & ~(APIC_BASE_ENABLE | APIC_BASE_EXTD)))
		return -EPERM;
	if (mode == APIC_BASE_EXTD || (mode & APIC_BASE_EXTD && !(old & APIC_BASE_ENABLE)) ||
	    (mode == APIC_BASE_ENABLE && old & APIC_BASE_EXTD))
		return -EPERM;
	if (val == old)
		return 0;
	WRITE_ONCE(v->hvm->apic_base, val);
	if (!(mode & APIC_BASE_EXTD)) {
		vlapic_init_reset(v);
	} else {
		vlapic_put(l, APIC_ICR2, 0);
		vlapic_identify(l);
	}
	return 0;
}

int vlapic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct vlapic *l = v->hvm->vlapic;

	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return x2apic_read(l, msr, val);
	switch (msr) {
	case MSR_APIC_BASE:
		*val = v->hvm->apic_base;
		return 0;
	case MSR_TSC_DEADLINE:
		*val = vlapic_deadline_get(l);
		return 0;
	default:
		return -EPERM;
	}
}

int vlapic_msr_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct vlapic *l = v->hvm->vlapic;

	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return x2apic_write(l, msr, val);
	switch (msr) {
	case MSR_APIC_BASE:
		return base_write(l, val);
	case MSR_TSC_DEADLINE:
		vlapic_deadline_set(l, val);
		return 0;
	default:
		return -EPERM;
	}
}
