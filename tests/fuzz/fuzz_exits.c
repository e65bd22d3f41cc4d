/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the dispatch of SVM's exits: any exit code with any information,
 * registers, segments, page tables and memory, two exits in a row.  Each has to be
 * answered, and whatever the guest is then like, VMRUN has to accept it (AMD
 * APM vol. 2, "Canonicalization and Consistency Checks"), unless it was ended.
 *
 * Hypervisor: hvm/exit.c hvm/fetch.c hvm/event.c hvm/vcpu.c hvm/msr.c hvm/cpuid.c domain/cpuid.c hvm/decode.c
 * Hypervisor: hvm/emulate.c hvm/emulate_alu.c hvm/emulate_memory.c hvm/emulate_string.c hvm/io.c
 * Hypervisor: hvm/ports.c hvm/walk.c hvm/copy.c hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c hvm/vendor.c
 * Hypervisor: hvm/svm/exit.c hvm/svm/svm.c hvm/svm/run.c hvm/svm/npt.c lib/bits.c
 * Also: tests/unit/fake/fake.c
 */
#include "cpu/asm.h"
#include "cpu/fpu.h"
#include "cpu/softirq.h"
#include "fake.h"
#include "hvm/compat.h"
#include "hvm/ioreq.h"
#include "hvm/platform.h"
#include "hvm/svm/svm.h"
#include "hvm/vcpu.h"
#include "hvm/vlapic.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "pv/pv.h"
#include "time/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM_PAGES 16U

static bool is_ended, model_answers;

/* --- the rest of the hypervisor --- */

void domain_end(struct domain *d, uint8_t code, const char *fmt, ...)
{
	is_ended = true;
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	is_ended = true;
}

void domain_pause(struct domain *d)
{
}

void domain_unpause(struct domain *d)
{
}

uint64_t fpu_xcr0_supported(void)
{
	return 7;
}

uint64_t tsc_khz(void)
{
	return 2000000;
}

bool time_is_stable(void)
{
	return true;
}

const struct tsc_scale *time_scale(void)
{
	static const struct tsc_scale scale;

	return &scale;
}

int fpu_xcr0_set(struct fpu_state *f, uint64_t val)
{
	return val & 1 ? 0 : -EINVAL;
}

void fpu_xcr0_fetch(struct fpu_state *f)
{
}

void hvm_compat_hypercall(struct cpu_user_regs *regs)
{
	regs->rax = 0;
}

void hypercall_dispatch(struct cpu_user_regs *regs)
{
	regs->rax = 0;
}

bool hvm_platform_has(const struct vcpu *v, const struct hvm_io *io)
{
	return io->addr & 0x40;
}

bool hvm_platform_access(struct vcpu *v, struct hvm_io *io)
{
	io->data = io->is_write ? io->data : 0x1122334455667788;
	return hvm_platform_has(v, io);
}

enum ioreq_sent ioreq_send(struct vcpu *v, const struct hvm_io *io)
{
	if (!model_answers)
		return IOREQ_NOBODY;
	v->hvm->io.waits_for = 1;
	return IOREQ_SENT;
}

bool ioreq_pci_address_access(struct vcpu *v, struct hvm_io *io)
{
	return false;
}

bool ioreq_has_server(struct vcpu *v, const struct hvm_io *io)
{
	return model_answers;
}

void ioreq_send_invalidate(struct vcpu *v)
{
}

bool ioreq_is_answered(struct vcpu *v)
{
	return !v->hvm->io.waits_for;
}

int msr_read_safe(uint32_t msr, uint64_t *val)
{
	*val = 0;
	return 0;
}

void softirq_raise(enum softirq n)
{
}

void svm_vmrun(struct cpu_user_regs *regs, paddr_t vmcb, paddr_t host)
{
}

void vcpu_io_wait(void)
{
}

void vcpu_kick(struct vcpu *v)
{
}

void vcpu_wake(struct vcpu *v)
{
}

void vcpu_take_down(struct vcpu *v)
{
}

void vcpu_yield(void)
{
}

void sched_vcpu_confine(struct vcpu *v, const struct cpumask *cpus)
{
}

void vtime_update(struct vcpu *v)
{
}

uint8_t vlapic_cr8_get(const struct vcpu *v)
{
	return 3;
}

void vlapic_cr8_set(struct vcpu *v, uint8_t cr8)
{
	if (cr8 > 15)
		abort();
}

void vlapic_reset(struct vcpu *v)
{
}

void vlapic_init_reset(struct vcpu *v)
{
}

int vlapic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	*val = msr;
	return msr & 1 ? -EPERM : 0;
}

int vlapic_msr_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
	return msr & 1 ? -EPERM : 0;
}

bool page_get_writable(struct page *pg)
{
	return true;
}

int page_put_type(struct page *pg, bool preemptible)
{
	return 0;
}

void page_put_and_type(struct page *pg)
{
	page_put(pg);
}

/* --- the guest --- */

struct input {
	struct {
		uint16_t code;
		uint64_t info1, info2;
	} exits[2];
	uint8_t mode, model_answers, cpl, code_page, event, flags;
	uint8_t segment_attr[6], segment_short;
	uint8_t types[RAM_PAGES];
	uint64_t cr3, rip, gprs[16];
	uint8_t code[16];
	uint64_t tables[32]; /* entries, put here and there */
	uint16_t places[32];
};

static struct vcpu *v;
static uint8_t *ram[RAM_PAGES];

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void guest_make(void)
{
	struct domain *d;

	fake_reset();
	d = fake_domain(1, 1);
	d->type = DOMAIN_HVM;
	d->hvm = calloc(1, sizeof(*d->hvm));
	v = d->vcpus[0];
	v->hvm = calloc(1, sizeof(*v->hvm));
	hvm_vendor = &svm_vendor;
	check(!p2m_init(d) && !p2m_pool_set(d, 32) && !hvm_vendor->domain_init(d));
	fake_vcpu_run(v, 0);
	check(!hvm_vendor->vcpu_init(v));
	for (unsigned int i = 0; i < RAM_PAGES; i++) {
		struct page *pg = fake_frame_alloc(d);

		ram[i] = page_to_virt(pg);
		check(!p2m_set(d, GFN(i), page_to_mfn(pg), 0, P2M_RAM));
	}
}

/* The types come back from what an exit made of them. */
static void types_set(const struct input *in)
{
	static const enum p2m_type types[] = {P2M_RAM,	    P2M_RAM,   P2M_RAM_RO,
					      P2M_LOGDIRTY, P2M_IOREQ, P2M_MMIO};

	for (unsigned int i = 0; i < RAM_PAGES; i++) {
		enum p2m_type from, to = types[in->types[i] % ARRAY_SIZE(types)];

		(void)p2m_lookup(v->domain, GFN(i), &from);
		check(!p2m_change_type(v->domain, GFN(i), from, to));
	}
}

static void segments_set(const struct input *in, bool is_64bit)
{
	for (unsigned int i = 0; i < 6; i++) {
		struct hvm_segment s = {.attr = 0x93, .limit = 0xffffffff};

		s.attr = HVM_SEG_P | 0x10 | (in->segment_attr[i] & 0x6f) |
			 (in->segment_attr[i] & 0x80 ? HVM_SEG_DB : 0);
		if (in->segment_short >> i & 1)
			s.limit = 0x2fff;
		if (i == HVM_CS) {
			s.attr = 0x9b | (in->segment_attr[i] & 0x80 ? HVM_SEG_DB : 0);
			if (is_64bit)
				s.attr = 0x9b | HVM_SEG_L;
		}
		hvm_vendor->segment_set(v, i, &s);
	}
	vcpu_vmcb(v)->cpl = in->cpl & 3;
}

static void guest_set(const struct input *in)
{
	static const struct {
		uint64_t cr0, cr4, efer;
	} modes[] = {{0x10, 0, 0},
		     {0x11, 0, 0},
		     {0x80000011, 0x10, 0},
		     {0x80000011, 0x20, 0},
		     {0x80010011, 0x620, 0x500},
		     {0x80010011, 0x620, 0xd01},
		     {0x60000010, 0, 0}};
	unsigned int mode = in->mode % ARRAY_SIZE(modes);
	struct hvm_vcpu *h = v->hvm;
	struct svm_vcpu *svm = h->svm;

	memset(h, 0, sizeof(*h));
	h->svm = svm;
	v->flags = 0;
	is_ended = false;
	model_answers = in->model_answers & 1;
	hvm_vcpu_reset(v);
	types_set(in);
	for (unsigned int i = 0; i < RAM_PAGES; i++)
		memset(ram[i], 0, PAGE_SIZE);
	for (unsigned int i = 0; i < ARRAY_SIZE(in->tables); i++) {
		unsigned int at = in->places[i] * 8U % (RAM_PAGES * PAGE_SIZE);

		memcpy(ram[at / PAGE_SIZE] + at % PAGE_SIZE, &in->tables[i], 8);
	}
	memcpy(ram[in->code_page % RAM_PAGES] + PAGE_SIZE - 16, in->code, 16);
	h->cr0 = modes[mode].cr0;
	h->cr3 = in->cr3 % ((RAM_PAGES + 2) * PAGE_SIZE) & ~0xfffUL;
	h->cr4 = modes[mode].cr4;
	h->efer = modes[mode].efer;
	hvm_vendor->controls_update(v);
	segments_set(in, h->efer & 0x400 && in->flags & 1);
	for (unsigned int i = 0; i < 16; i++)
		*hvm_gpr(i) = in->gprs[i];
	guest_regs()->rip =
		in->flags & 2 ? in->rip
			      : (in->code_page % RAM_PAGES + 1) * PAGE_SIZE - 16 + (in->rip & 15);
	guest_regs()->rflags = X86_EFLAGS_MBS | (in->gprs[0] >> 16 & 0x30ed5);
	if (in->event & 1)
		h->event = (struct hvm_event){
			.is_set = true, .type = HVM_EVENT_EXCEPTION, .vector = in->event >> 1 & 31};
}

static bool is_left_out(uint64_t code)
{
	/* what runs privileged instructions of the real CPU: debug registers, a machine check */
	return (code >= SVM_EXIT_DR_READ && code < SVM_EXIT_DR_READ + 0x20) ||
	       code == SVM_EXIT_EXCEPTION + 18;
}

static void exit_do(uint64_t code, uint64_t info1, uint64_t info2)
{
	struct vmcb *vmcb = vcpu_vmcb(v);
	unsigned int rounds = 0;

	code = code & 0x8000 ? SVM_EXIT_NPF : code & 0x3ff;
	if (is_left_out(code))
		return;
	vmcb->exit_code = code;
	vmcb->exit_info1 = info1;
	vmcb->exit_info2 = code == SVM_EXIT_NPF ? info2 & ((1UL << 40) - 1) : info2;
	if (code == SVM_EXIT_IOIO) /* one of three bits for the size */
		vmcb->exit_info1 = (info1 & ~0x70UL) | 0x10UL << info1 % 3;
	hvm_vendor->exit_handle(v);
	while (v->hvm->io.resume != HVM_RESUME_NONE && !is_ended) {
		check(rounds++ <= HVM_IO_ANSWERS);
		v->hvm->io.waits_for = 0;
		if (!v->hvm->io.ask.is_write)
			v->hvm->io.ask.data = 0x99aabbccddeeff00;
		(void)!hvm_io_resume(v);
	}
}

/* What VMRUN checks: false, and it would not run. */
static bool is_consistent(void)
{
	const struct vmcb *m = vcpu_vmcb(v);
	bool is_paging = m->cr0 >> 31 & 1, is_long = m->efer >> 8 & 1;
	uint16_t cs = m->segments[HVM_CS].attr;

	if (!(m->efer & 0x1000) || m->efer & ~0x7fd01UL || m->cr0 >> 32 ||
	    (m->cr0 & 0x60000000) == 0x20000000 || m->dr6 >> 32 || m->dr7 >> 32 || m->cr3 >> 52 ||
	    m->cr4 & 0xffffffffff000000)
		return false;
	if (is_paging && (!(m->cr0 & 1) || (is_long && !(m->cr4 & 0x20))))
		return false;
	return !(is_long && is_paging && cs & HVM_SEG_L && cs & HVM_SEG_DB);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {0};

	memcpy(&in, data, MIN(size, sizeof(in)));
	if (!v)
		guest_make();
	guest_set(&in);
	fake_log[0] = 0;
	for (unsigned int i = 0; i < 2 && !is_ended; i++) {
		struct hvm_vcpu before = *v->hvm;
		bool is_msr = (in.exits[i].code & 0x83ff) == SVM_EXIT_MSR;

		exit_do(in.exits[i].code, in.exits[i].info1, in.exits[i].info2);
		check(is_ended || is_consistent());
		/* Whatever its code has become meanwhile, ring 3 changes none of these. */
		check(is_msr || !(in.cpl & 3) ||
		      (before.cr0 == v->hvm->cr0 && before.cr3 == v->hvm->cr3 &&
		       before.cr4 == v->hvm->cr4 && before.efer == v->hvm->efer));
		check(v->hvm->event.is_set ? v->hvm->event.vector < 32 : true);
	}
	return 0;
}
