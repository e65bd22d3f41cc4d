/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs native.h's instruction in a page of its own, between a load and a store of all registers. */
#include "native.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FLAGS_LOADED 0xcd5UL /* the arithmetic ones, and DF */

struct native_state {
	uint64_t gpr[16]; /* as instructions number them; 4, rsp, is not used */
	uint64_t rflags, code, stack;
};
struct native_state native_state;

void native_enter(void);
extern const char native_back[];
__asm__(".pushsection .text\n"
	"native_enter:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_state + 144(%rip)\n"
	"	pushq native_state + 128(%rip); popfq\n"
	"	mov native_state + 8(%rip), %rcx;  mov native_state + 16(%rip), %rdx\n"
	"	mov native_state + 24(%rip), %rbx; mov native_state + 40(%rip), %rbp\n"
	"	mov native_state + 48(%rip), %rsi; mov native_state + 56(%rip), %rdi\n"
	"	mov native_state + 64(%rip), %r8;  mov native_state + 72(%rip), %r9\n"
	"	mov native_state + 80(%rip), %r10; mov native_state + 88(%rip), %r11\n"
	"	mov native_state + 96(%rip), %r12; mov native_state + 104(%rip), %r13\n"
	"	mov native_state + 112(%rip), %r14; mov native_state + 120(%rip), %r15\n"
	"	mov native_state(%rip), %rax\n"
	"	jmp *native_state + 136(%rip)\n"
	"native_back:\n"
	"	mov %rax, native_state(%rip)\n"
	"	mov %rcx, native_state + 8(%rip);  mov %rdx, native_state + 16(%rip)\n"
	"	mov %rbx, native_state + 24(%rip); mov %rbp, native_state + 40(%rip)\n"
	"	mov %rsi, native_state + 48(%rip); mov %rdi, native_state + 56(%rip)\n"
	"	mov %r8, native_state + 64(%rip);  mov %r9, native_state + 72(%rip)\n"
	"	mov %r10, native_state + 80(%rip); mov %r11, native_state + 88(%rip)\n"
	"	mov %r12, native_state + 96(%rip); mov %r13, native_state + 104(%rip)\n"
	"	mov %r14, native_state + 112(%rip); mov %r15, native_state + 120(%rip)\n"
	"	mov native_state + 144(%rip), %rsp\n"
	"	pushfq; popq native_state + 128(%rip); cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".popsection\n");

static uint8_t *code_page(void)
{
	static uint8_t *page;

	if (!page)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		abort();
	return page;
}

static void registers_copy(struct cpu_user_regs *r, bool from_native)
{
	uint64_t *const gprs[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, NULL,	 &r->rbp,
				    &r->rsi, &r->rdi, &r->r8,  &r->r9,	&r->r10, &r->r11,
				    &r->r12, &r->r13, &r->r14, &r->r15};

	for (unsigned int i = 0; i < 16; i++) {
		if (!gprs[i])
			continue;
		if (from_native)
			*gprs[i] = native_state.gpr[i];
		else
			native_state.gpr[i] = *gprs[i];
	}
}

void native_run(const uint8_t *code, unsigned int n, struct cpu_user_regs *regs)
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *0(%rip) */
	uint8_t *page = code_page();
	const char *back = native_back;

	registers_copy(regs, false);
	native_state.rflags = (regs->rflags & FLAGS_LOADED) | 0x202;
	native_state.code = (uint64_t)page;
	memcpy(page, code, n);
	memcpy(page + n, jump, sizeof(jump));
	memcpy(page + n + sizeof(jump), &back, sizeof(back));
	native_enter();
	registers_copy(regs, true);
	regs->rflags = (regs->rflags & ~FLAGS_LOADED) | (native_state.rflags & FLAGS_LOADED);
}
