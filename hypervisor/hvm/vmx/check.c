/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After an entry the CPU refused: which of the guest's fields are the reason
 * (Intel SDM vol. 3, "Checks on the Guest State Area"), by name.  The CPU
 * itself tells nothing.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "lib/printk.h"

#define CR0_PE	 (1UL << 0)
#define CR0_PG	 (1UL << 31)
#define EFER_LME (1UL << 8)
#define EFER_LMA (1UL << 10)

static const char names[][5] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR", "GDTR", "IDTR"};
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR };

static unsigned int complain(const struct vcpu *v, bool is_bad, const char *field, const char *why)
{
	if (is_bad)
		guest_printk(v->domain, "guest %s: %s\n", field, why);
	return is_bad;
}

static unsigned int check_controls(const struct vcpu *v)
{
	uint64_t cr0 = vmx_state_get(v, ST_CR0), cr4 = vmx_state_get(v, ST_CR4);
	uint64_t efer = vmx_state_get(v, ST_EFER);
	bool is_ia32e = vmx_state_get(v, ST_ENTRY_CONTROLS) & ENTRY_IA32E;
	unsigned int bad = 0;

	bad += complain(v, (cr0 & vmx_config.cr0_fixed) != vmx_config.cr0_fixed, "CR0",
			"a bit that must be set is not");
	bad += complain(v, cr0 & CR0_PG && !(cr0 & CR0_PE), "CR0", "PG without PE");
	bad += complain(v, (cr4 & vmx_config.cr4_fixed) != vmx_config.cr4_fixed, "CR4",
			"a bit that must be set is not");
	bad += complain(v, is_ia32e && (!(cr0 & CR0_PG) || !(cr4 & X86_CR4_PAE)),
			"entry controls", "IA-32e mode without CR0.PG and CR4.PAE");
	bad += complain(v, !is_ia32e && cr4 & X86_CR4_PCIDE, "CR4", "PCIDE outside IA-32e mode");
	bad += complain(v, is_ia32e != !!(efer & EFER_LMA), "EFER",
			"LMA is not as the entry controls say");
	bad += complain(v, cr0 & CR0_PG && !!(efer & EFER_LMA) != !!(efer & EFER_LME), "EFER",
			"paging, and LMA is not LME");
	return bad;
}

/* Of a usable segment: present, nothing reserved, limit and granularity in accord. */
static unsigned int check_segment(const struct vcpu *v, unsigned int n)
{
	uint64_t rights = vmx_state_get(v, ST_RIGHTS + n);
	uint32_t limit = vmx_state_get(v, ST_LIMIT + n);
	bool is_system = n == LDTR || n == TR;
	unsigned int bad = 0;

	if (rights & AR_UNUSABLE)
		return complain(v, n == TR || n == CS, names[n], "unusable");
	bad += complain(v, !(rights & HVM_SEG_P), names[n], "access rights: not present");
	bad += complain(v, rights & 0xfffe0f00, names[n], "access rights: reserved bits");
	bad += complain(v, !is_system && !(rights & 0x10), names[n], "access rights: S is clear");
	bad += complain(v, !is_system && !(rights & 1), names[n], "access rights: not accessed");
	bad += complain(v, is_system && rights & 0x10, names[n], "access rights: S is set");
	bad += complain(v, rights & 0x8000 ? (limit & 0xfff) != 0xfff : limit >> 20, names[n],
			"limit does not go with G");
	return bad;
}

static unsigned int check_tables(const struct vcpu *v)
{
	bool is_ia32e = vmx_state_get(v, ST_ENTRY_CONTROLS) & ENTRY_IA32E;
	unsigned int tr = vmx_state_get(v, ST_RIGHTS + TR) & 0xf, bad = 0;

	bad += complain(v, tr != 11 && (is_ia32e || tr != 3), "TR", "type is no busy TSS");
	for (unsigned int n = GDTR; n <= IDTR; n++) {
		bad += complain(v, !is_canonical(vmx_state_get(v, ST_BASE + n)), names[n],
				"base is not canonical");
		bad += complain(v, vmx_state_get(v, ST_LIMIT + n) >> 16, names[n],
				"limit has more than 16 bits");
	}
	return bad;
}

static unsigned int check_rest(const struct vcpu *v)
{
	uint64_t rflags = guest_regs()->rflags, blocking = vmx_state_get(v, ST_INTERRUPTIBILITY);
	bool is_64bit = vmx_state_get(v, ST_ENTRY_CONTROLS) & ENTRY_IA32E &&
			vmx_state_get(v, ST_RIGHTS + CS) & 1U << 13;
	const struct hvm_event *e = &v->hvm->event;
	unsigned int bad = 0;

	bad += complain(v, is_64bit ? !is_canonical(guest_regs()->rip) : guest_regs()->rip >> 32,
			"RIP", "beyond what the mode has");
	bad += complain(v, !(rflags & X86_EFLAGS_MBS) || rflags & 0xffffffffffc08028UL, "RFLAGS",
			"reserved bits");
	bad += complain(v, rflags & X86_EFLAGS_VM && is_64bit, "RFLAGS", "VM in IA-32e mode");
	bad += complain(v, e->is_set && e->type == HVM_EVENT_EXTERNAL && !(rflags & X86_EFLAGS_IF),
			"RFLAGS", "IF is clear, and an interrupt is injected");
	bad += complain(v, (blocking & 3) == 3, "interruptibility", "both STI and MOV SS");
	bad += complain(v, blocking & BLOCKED_BY_STI && !(rflags & X86_EFLAGS_IF),
			"interruptibility", "STI with IF clear");
	bad += complain(v, e->is_set && e->type == HVM_EVENT_EXTERNAL && blocking & 3,
			"interruptibility", "an interrupt is injected into a shadow");
	return bad;
}

unsigned int vmx_state_check(const struct vcpu *v)
{
	unsigned int bad = check_controls(v);

	for (unsigned int n = ES; n <= TR && !(guest_regs()->rflags & X86_EFLAGS_VM); n++)
		bad += check_segment(v, n);
	return bad + check_tables(v) + check_rest(v);
}
