/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses of an HVM vCPU to what is not RAM: ports and device memory.  An
 * access goes to a device in the hypervisor (a table in io.c), else to an
 * ioreq server (ioreq.c), else nobody answers: ones, and writes vanish.
 *
 * An answer from an ioreq server takes time, and a vCPU has no stack to wait
 * on: the access says IO_RETRY, the vCPU leaves the exit as it was, blocks,
 * and hvm_io_resume does the instruction again, which finds its answers here.
 */
#ifndef HVM_IO_H
#define HVM_IO_H

#include "lib/types.h"

struct hvm_io {
	uint64_t addr; /* guest-physical address or port */
	uint64_t data; /* written, or answered: the low `size` bytes */
	uint8_t size;  /* 1, 2, 4, 8 */
	bool is_write;
	bool is_port;
};

enum hvm_io_result {
	HVM_IO_DONE,
	HVM_IO_RETRY, /* asked a device model: no state was changed, do it again on resume */
};

/* More than any instruction makes: of a page-crossing operand pair, each part split by alignment. */
#define HVM_IO_ANSWERS 16

enum hvm_io_phase { HVM_IO_IDLE, HVM_IO_SENT, HVM_IO_ANSWERED };

struct hvm_io_state {
	/* owner CPU only, or paused */
	uint8_t phase; /* HVM_IO_SENT: waits for the server of `ask` */
	uint8_t resume; /* enum hvm_io_resume */
	uint8_t nr_answers;
	uint8_t next_answer; /* of those, how many this attempt used already */
	struct hvm_io ask;
	struct hvm_io answers[HVM_IO_ANSWERS]; /* of this instruction, in its order */
	void *server; /* struct ioreq_server that was asked; a reference */
	uint8_t insn[16];	/* bytes of it the exit gave, kept for resuming */
	uint8_t insn_length;
};

enum hvm_io_resume {
	HVM_RESUME_NONE,
	HVM_RESUME_PORT, /* an IN or OUT of an exit: finish it */
	HVM_RESUME_EMULATE, /* do the instruction again */
};

/* The current vCPU's access, in instruction order. */
must_check enum hvm_io_result hvm_io_access(struct vcpu *v, struct hvm_io *io);
/*
 * A port exit: one IN or OUT (not a string form) of `size` bytes, rip is moved
 * to next_rip when it is done.
 */
void hvm_port_exit(struct vcpu *v, uint16_t port, unsigned int size, bool is_write,
		   uint64_t next_rip);
/* The current instruction is emulated: MMIO, string I/O, or what has no other way. */
void hvm_emulate_current(struct vcpu *v);
/* Before entry: is an answer awaited?  True: v has been blocked, do not enter. Finishes it else. */
must_check bool hvm_io_resume(struct vcpu *v);
/* The vCPU is reset or its domain dies: forget it. */
void hvm_io_cancel(struct vcpu *v);

#endif
