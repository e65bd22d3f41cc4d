/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest of fake_guest.h. */
#include "fake_guest.h"

#include "cpu/asm.h"
#include "cpu/trap.h"
#include "hvm/platform.h"
#include "hvm/vcpu.h"
#include "lib/printk.h"

uint8_t fake_memory[FAKE_SIZE] aligned_to(4096);
uint64_t fake_linear;
enum p2m_type fake_types[FAKE_PAGES];
uint32_t fake_denied[FAKE_PAGES];
uint8_t fake_code[16];
unsigned int fake_code_size;
enum insn_mode fake_mode;
unsigned int fake_exceptions, fake_vector;
int64_t fake_error;
uint64_t fake_cr2;
enum fake_answerer fake_answerer;
struct hvm_io fake_accesses[FAKE_ACCESSES];
unsigned int fake_nr_accesses;
uint64_t fake_port_data;
unsigned int fake_invalidates, fake_io_waits;

/* --- the hypervisor's other parts --- */

bool hvm_insn_fetch(struct vcpu *v, struct insn *insn)
{
	enum insn_result r = insn_decode(fake_code, fake_code_size, fake_mode, insn);

	if (r == INSN_OK)
		return true;
	hvm_inject_exception(v, r == INSN_SHORT ? TRAP_GP : TRAP_UD, r == INSN_SHORT ? 0 : -1);
	return false;
}

uint64_t *hvm_gpr(unsigned int n)
{
	struct cpu_user_regs *r = guest_regs();
	uint64_t *const gprs[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
				    &r->rsi, &r->rdi, &r->r8,  &r->r9,	&r->r10, &r->r11,
				    &r->r12, &r->r13, &r->r14, &r->r15};

	if (n > 15)
		panic("register %u", n);
	return gprs[n];
}

void hvm_rip_advance(struct vcpu *v, uint64_t next_rip)
{
	guest_regs()->rip = next_rip;
}

void hvm_inject_exception(struct vcpu *v, unsigned int vector, int64_t error)
{
	fake_exceptions++;
	fake_vector = vector;
	fake_error = error;
}

void hvm_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error)
{
	fake_cr2 = addr;
	hvm_inject_exception(v, TRAP_PF, error);
}

int hvm_translate(struct vcpu *v, uint64_t linear, uint32_t access, uint64_t *gpa, uint32_t *error)
{
	uint64_t at = linear - fake_linear;

	*error = access;
	if (at >= FAKE_SIZE || access & fake_denied[at / PAGE_SIZE])
		return -EFAULT;
	*gpa = at;
	return 0;
}

mfn_t p2m_lookup(struct domain *d, gfn_t gfn, enum p2m_type *type)
{
	*type = gfn.v < FAKE_PAGES ? fake_types[gfn.v] : P2M_NONE;
	return MFN_NONE;
}

static uint8_t *ram(uint64_t gpa, size_t n, bool is_write)
{
	enum p2m_type type = gpa < FAKE_SIZE ? fake_types[gpa / PAGE_SIZE] : P2M_NONE;

	if (gpa % PAGE_SIZE + n > PAGE_SIZE)
		panic("across pages");
	return type == P2M_RAM || (type == P2M_RAM_RO && !is_write) ? fake_memory + gpa : NULL;
}

size_t hvm_phys_read(struct domain *d, void *dst, uint64_t gpa, size_t n)
{
	const uint8_t *src = ram(gpa, n, false);

	if (src)
		memcpy(dst, src, n);
	return src ? 0 : n;
}

size_t hvm_phys_write(struct domain *d, uint64_t gpa, const void *src, size_t n)
{
	uint8_t *dst = ram(gpa, n, true);

	if (dst)
		memcpy(dst, src, n);
	return dst ? 0 : n;
}

/* --- devices --- */

static void device_do(struct hvm_io *io)
{
	unsigned int count = MAX(io->count, 1);

	if (fake_nr_accesses < FAKE_ACCESSES)
		fake_accesses[fake_nr_accesses++] = *io;
	for (unsigned int i = 0; i < count; i++) {
		uint64_t step = (uint64_t)i * io->size, addr = io->addr, data = io->data;
		void *other = &io->data;

		if (!io->is_port)
			addr += io->is_down ? -step : step;
		if (io->has_memory) {
			data += io->is_down ? -step : step;
			if (data + io->size > FAKE_SIZE)
				panic("beyond memory");
			other = fake_memory + data;
		}
		if (!io->is_port && addr + io->size > FAKE_SIZE)
			panic("beyond the device");
		if (io->is_write)
			memmove(io->is_port ? (void *)&fake_port_data : fake_memory + addr, other,
				io->size);
		else
			memmove(other, io->is_port ? (void *)&fake_port_data : fake_memory + addr,
				io->size);
	}
}

bool hvm_platform_access(struct vcpu *v, struct hvm_io *io)
{
	if (fake_answerer != FAKE_PLATFORM)
		return false;
	device_do(io);
	return true;
}

bool hvm_platform_has(const struct vcpu *v, const struct hvm_io *io)
{
	return fake_answerer == FAKE_PLATFORM;
}

enum ioreq_sent ioreq_send(struct vcpu *v, const struct hvm_io *io)
{
	struct hvm_io posted = *io;

	if (fake_answerer < FAKE_MODEL)
		return IOREQ_NOBODY;
	if (fake_answerer == FAKE_MODEL_POSTED && io->is_write) {
		device_do(&posted);
		return IOREQ_DONE;
	}
	v->hvm->io.waits_for = 1;
	return IOREQ_SENT;
}

bool ioreq_has_server(struct vcpu *v, const struct hvm_io *io)
{
	return fake_answerer >= FAKE_MODEL;
}

bool ioreq_pci_address_access(struct vcpu *v, struct hvm_io *io)
{
	return false;
}

void ioreq_send_invalidate(struct vcpu *v)
{
	fake_invalidates++;
	v->hvm->io.waits_for = 1;
}

bool ioreq_is_answered(struct vcpu *v)
{
	return !v->hvm->io.waits_for;
}

void fake_model_answer(struct vcpu *v)
{
	if (v->hvm->io.resume == HVM_RESUME_PORT || v->hvm->io.resume == HVM_RESUME_EMULATE)
		device_do(&v->hvm->io.ask);
	v->hvm->io.waits_for = 0;
}

void vcpu_io_wait(void)
{
	fake_io_waits++;
	atomic_bit_set(&current->flags, VCPU_F_IO_WAIT);
}

/* --- the guest --- */

void fake_guest_reset(struct vcpu *v, enum insn_mode mode)
{
	memset(v->hvm, 0, sizeof(*v->hvm));
	memset(fake_memory, 0, sizeof(fake_memory));
	memset(fake_denied, 0, sizeof(fake_denied));
	for (unsigned int i = 0; i < FAKE_PAGES; i++)
		fake_types[i] = P2M_RAM;
	for (unsigned int i = 0; i < HVM_SEGMENTS; i++)
		fake_segments[i] = (struct hvm_segment){.attr = HVM_SEG_P | 0x13 | HVM_SEG_DB,
							.limit = 0xffffffff};
	fake_cpl = 0;
	fake_linear = 0;
	fake_mode = mode;
	fake_exceptions = fake_nr_accesses = fake_invalidates = fake_io_waits = 0;
	fake_port_data = 0;
	fake_answerer = FAKE_PLATFORM;
	v->hvm->cr0 = X86_CR0_PE;
	v->hvm->io.batch_rip = ~0UL;
	v->flags = 0;
	*guest_regs() = (struct cpu_user_regs){.rip = 0x1000, .rflags = X86_EFLAGS_MBS};
}

struct vcpu *fake_guest_make(enum insn_mode mode)
{
	struct vcpu *v = fake_hvm_domain(1, 1)->vcpus[0];

	fake_vcpu_run(v, 0);
	fake_guest_reset(v, mode);
	return v;
}

void fake_guest_end(struct vcpu *v)
{
	fake_vcpu_stop(v);
	fake_hvm_free(v->domain);
}
