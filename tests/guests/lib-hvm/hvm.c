/* SPDX-License-Identifier: BSD-2-Clause */
/* The library of the HVM test guests; see hvm.h. */
#include "hvm.h"

volatile unsigned int trap_vector;
volatile unsigned long trap_error, trap_rip, try_resume, try_stack;

struct gate {
	uint16_t low, sel;
	uint8_t ist, type;
	uint16_t middle;
	uint32_t high, zero;
};

extern const uint64_t trap_entries[];
void trap_unexpected(void);
void hvm_main(void);

long hvm_param_get(unsigned int index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
	long rc = HC2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p);

	return rc ? rc : (long)p.value;
}

void trap_unexpected(void)
{
	unsigned long cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	say("not ok - unexpected trap %u, error %lx, at %lx, address %lx\n", trap_vector,
	    trap_error, trap_rip, cr2);
	guest_shutdown(SHUTDOWN_crash);
}

bool try_read(const void *addr)
{
	TRY("movb (%0), %%al", ::"r"(addr) : "rax", TRY_CLOBBERS);
	return trap_vector == NO_TRAP;
}

bool try_write(void *addr, uint64_t val)
{
	TRY("movq %1, (%0)", ::"r"(addr), "r"(val) : TRY_CLOBBERS);
	return trap_vector == NO_TRAP;
}

static void traps_init(void)
{
	static struct gate gates[32];
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(gates) - 1, (uint64_t)gates};

	for (unsigned int i = 0; i < 32; i++) {
		uint64_t at = trap_entries[i];

		gates[i] = (struct gate){at, 8, 0, 0x8e, at >> 16, at >> 32, 0};
	}
	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void hvm_main(void)
{
	traps_init();
	console_open(gfn_at(hvm_param_get(HVM_PARAM_CONSOLE_PFN)),
		     hvm_param_get(HVM_PARAM_CONSOLE_EVTCHN));
	guest_test();
	guest_end();
}
