/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for the emulator's tests and fuzzer: FAKE_PAGES pages of memory, each
 * RAM or a device's, seen at FAKE_LINEAR through page rights of the test's
 * choice, a code page, and devices that answer from that same memory.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include "fake.h"
#include "fake_vendor.h"
#include "hvm/ioreq.h"

#define FAKE_PAGES 8
#define FAKE_SIZE  (FAKE_PAGES * PAGE_SIZE)

/* fake_memory[a] is guest-physical a, and linear fake_linear + a. */
extern uint8_t fake_memory[FAKE_SIZE] aligned_to(4096);
extern uint64_t fake_linear;
extern enum p2m_type fake_types[FAKE_PAGES];
extern uint32_t fake_denied[FAKE_PAGES]; /* PF_* of accesses that fault there */

/* The instruction at rip, as hvm_insn_fetch has it: up to 15 bytes */
extern uint8_t fake_code[16];
extern unsigned int fake_code_size;
extern enum insn_mode fake_mode;

/* Exceptions that were injected: the last, and how many */
extern unsigned int fake_exceptions, fake_vector;
extern int64_t fake_error;
extern uint64_t fake_cr2;

/* Who answers: a device model (later), or one in the hypervisor (at once), or nobody */
enum fake_answerer { FAKE_NOBODY, FAKE_PLATFORM, FAKE_MODEL, FAKE_MODEL_POSTED };
extern enum fake_answerer fake_answerer;
/* All accesses that reached one, in their order; reads of ports give fake_port_data. */
#define FAKE_ACCESSES 32
extern struct hvm_io fake_accesses[FAKE_ACCESSES];
extern unsigned int fake_nr_accesses;
extern uint64_t fake_port_data;
/* The device model answers what it was asked. */
void fake_model_answer(struct vcpu *v);
extern unsigned int fake_invalidates, fake_io_waits;

/* A domain of one vCPU, which is current; all of the above as after a reset, flat segments. */
struct vcpu *fake_guest_make(enum insn_mode mode);
void fake_guest_reset(struct vcpu *v, enum insn_mode mode);
void fake_guest_end(struct vcpu *v);

#endif
