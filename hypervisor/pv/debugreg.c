/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's debug registers and user GS selector: values are the guest's,
 * but a breakpoint may never be set on the hypervisor's own addresses or on
 * I/O (AMD APM vol. 2, "Debug Registers").
 */
#include "pv/debugreg.h"

#include "cpu/asm.h"
#include "cpu/extable.h"
#include "cpu/guest_copy.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"

#define DR6_FIXED     0xffff0ff0UL
#define DR6_GUEST     0x0000e00fUL
#define DR7_FIXED     0x00000400UL
#define DR7_RESERVED  0x0000d800UL
#define DR7_GD        0x00002000UL
#define DR7_ENABLED   0x000000ffUL
#define DR7_GUEST     0xffff07ffUL

#define SELECTOR_LDT 4U /* in the LDT, not the GDT */

static void drn_write(unsigned int n, uint64_t v)
{
	switch (n) {
	case 0:
		dr0_write(v);
		return;
	case 1:
		dr1_write(v);
		return;
	case 2:
		dr2_write(v);
		return;
	default:
		dr3_write(v);
	}
}

static int dr7_check(uint64_t v)
{
	if (v >> 32)
		return -EINVAL;
	/* each breakpoint has 2 bits of enable, and 4 of type and length from bit 16 on */
	for (unsigned int i = 0; i < 4; i++)
		if ((v >> (i * 2) & 3) && (v >> (16 + i * 4) & 3) == 2)
			return -EPERM; /* on I/O */
	return 0;
}

int pv_debugreg_set(struct vcpu *v, unsigned int reg, uint64_t value)
{
	bool live = v == current;
	int rc;

	switch (reg) {
	case 0 ... 3:
		if (value >= HYPERVISOR_VIRT_START && value < HYPERVISOR_VIRT_END)
			return -EPERM;
		if (!is_canonical(value))
			return -EINVAL;
		v->pv.debugreg[reg] = value;
		if (live && (v->pv.debugreg[7] & DR7_ENABLED))
			drn_write(reg, value);
		return 0;
	case 6:
		v->pv.debugreg[6] = (value & DR6_GUEST) | DR6_FIXED;
		if (live && (v->pv.debugreg[7] & DR7_ENABLED))
			dr6_write(v->pv.debugreg[6]);
		return 0;
	case 7:
		rc = dr7_check(value);
		if (rc)
			return rc;
		v->pv.debugreg[7] = (value & DR7_GUEST & ~(DR7_RESERVED | DR7_GD)) | DR7_FIXED;
		if (!live)
			return 0;
		for (unsigned int i = 0; i < 4; i++)
			drn_write(i, v->pv.debugreg[i]);
		dr7_write(v->pv.debugreg[7]);
		return 0;
	default:
		return -ENODEV; /* DR4 and DR5 are 6 and 7 by other names, or nothing */
	}
}

/* HYPERVISOR_set_debugreg(reg, value) */
long hypercall_set_debugreg(const uint64_t *args)
{
	return args[0] > 7 ? -EINVAL : pv_debugreg_set(current, args[0], args[1]);
}

/* HYPERVISOR_get_debugreg(reg): the value itself */
long hypercall_get_debugreg(const uint64_t *args)
{
	const struct vcpu *v = current;

	switch (args[0]) {
	case 0 ... 3:
		return v->pv.debugreg[args[0]];
	case 4:
	case 6:
		return v->pv.debugreg[6] | DR6_FIXED;
	case 5:
	case 7:
		return v->pv.debugreg[7] | DR7_FIXED;
	default:
		return -EINVAL;
	}
}

/* A selector its tables do not describe becomes null, as a failing load on a real CPU would tell. */
int pv_load_user_gs(struct vcpu *v, uint64_t selector)
{
	uint32_t sel = selector & 0xffff;

	if (sel & ~3U)
		sel |= 3;
	/* its descriptor, if it is in the LDT, while a fault for it can still be handled */
	if (sel & SELECTOR_LDT)
		(void)!pv_ldt_fault(v, sel & ~7U);
	__asm__ volatile("cli; swapgs\n1: movl %0, %%gs\n2: mfence; swapgs; sti\n"
			 ".pushsection .text.fixup,\"ax\"\n"
			 "3: xorl %0, %0; movl %0, %%gs; jmp 2b\n.popsection\n" EXTABLE(1b, 3b)
			 : "+r"(sel)::"memory");
	return 0;
}
