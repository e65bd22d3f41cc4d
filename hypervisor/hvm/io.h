/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses of an HVM vCPU to what is not RAM: ports and device memory.  An
 * access goes to a device in the hypervisor (a table in io.c), else to an
 * ioreq server (ioreq.c), else nobody answers: ones, and writes vanish.
 *
 * An answer from an ioreq server takes time, and a vCPU has no stack to wait
 * on: the access says HVM_IO_RETRY, the vCPU leaves the exit as it was, stands
 * still, and hvm_io_resume does the instruction again, which finds its answers here.
 */
#ifndef HVM_IO_H
#define HVM_IO_H

#include "hvm/decode.h"

struct hvm_io {
	uint64_t addr; /* guest-physical address or port */
	uint64_t data; /* written, or answered: the low `size` bytes */
	uint8_t size;  /* 1, 2, 4, 8 */
	bool is_write;
	bool is_port;
	/*
	 * count above 1: so many elements of a repeated instruction at once, for a device model.
	 * They follow each other up (or down) in memory; a port stays.
	 */
	bool is_down;
	bool has_memory; /* data: where in guest-physical memory the other side of it is */
	uint32_t count;
};

enum hvm_io_result {
	HVM_IO_DONE,
	HVM_IO_RETRY, /* asked a device model: no state was changed, do it again on resume */
};

/* As many as any instruction makes: 8 bytes across two pages are 4 at most, read and written. */
#define HVM_IO_ANSWERS 8

enum hvm_io_resume {
	HVM_RESUME_NONE,
	HVM_RESUME_PORT,       /* an IN or OUT of an exit: finish it */
	HVM_RESUME_EMULATE,    /* do the instruction again */
	HVM_RESUME_NOTHING,    /* only wait */
	HVM_RESUME_INVALIDATE, /* tell the device models to drop what they have mapped, then wait */
};

struct hvm_io_state {
	/* owner CPU only, or paused */
	uint8_t resume;	   /* enum hvm_io_resume; NONE: no access is under way */
	uint8_t waits_for; /* bit n: ioreq server n has a request of this vCPU */
	uint8_t server;	   /* the one that was asked for `ask` */
	struct hvm_io ask;
	uint64_t next_rip; /* HVM_RESUME_PORT */

	/* HVM_RESUME_EMULATE */
	struct insn insn; /* as fetched first */
	uint8_t nr_answers;
	uint8_t next_answer;		       /* of those, how many this attempt used already */
	struct hvm_io answers[HVM_IO_ANSWERS]; /* of this instruction, in its order */
	uint8_t string_size; /* of a string I/O that the CPU allowed: its elements, 0: none */
	bool string_is_write;
	bool is_batching;   /* a device model answered this repeated instruction's last element */
	uint64_t batch_rip; /* the instruction a device model answered last */
};

/* The current vCPU's access, in instruction order. */
must_check enum hvm_io_result hvm_io_access(struct vcpu *v, struct hvm_io *io);
/*
 * A port exit: one IN or OUT (not a string form) of `size` bytes, rip is moved
 * to next_rip when it is done.
 */
void hvm_port_exit(struct vcpu *v, uint16_t port, unsigned int size, bool is_write,
		   uint64_t next_rip);
/*
 * Would a device model take that access, of several elements?  Memory is asked for one first: most
 * of it is none's.
 */
must_check bool hvm_io_takes_batch(struct vcpu *v, const struct hvm_io *io);
/* An INS or OUTS whose port and size the CPU has found allowed. */
void hvm_port_string_exit(struct vcpu *v, unsigned int size, bool is_write);
/* The current instruction is emulated: MMIO, or what has no other way.  Not string I/O. */
void hvm_emulate_current(struct vcpu *v);
/* Before entry: true if an answer is awaited and v stands still: do not enter.  Finishes it else.
 */
must_check bool hvm_io_resume(struct vcpu *v);
/* The vCPU is reset: the instruction is forgotten; it still waits for what was asked. */
void hvm_io_cancel(struct vcpu *v);
/*
 * The current vCPU took memory away from its domain: before it goes on, its
 * device models drop what they have mapped (IOREQ_TYPE_INVALIDATE).
 */
void hvm_io_invalidate_maps(struct vcpu *v);

#endif
