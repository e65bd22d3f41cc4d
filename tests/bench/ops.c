/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What single operations of a Linux kernel cost: the rows of `make bench` that are measured inside
 * a guest. Prints "ops: NAME NANOSECONDS" for one operation, the best of five rounds; when the
 * machine counts instructions as nanoseconds, so are these. One static program, so that no library
 * differs between two runs. "ops uptime" prints how long ago the kernel started; "ops exit" ends;
 * "ops NAME" measures that one alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	   5
#define PAGE	   4096UL
#define AREA_PAGES 1024

static int zero_fd;
static int ping[2], pong[2];
static char *area;

static void die(const char *what)
{
	fprintf(stderr, "ops: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(clockid_t clock)
{
	struct timespec at;

	if (clock_gettime(clock, &at))
		die("clock_gettime");
	return at.tv_sec * 1000000000ULL + at.tv_nsec;
}

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void op_read_zero(void)
{
	char byte;

	if (read(zero_fd, &byte, 1) != 1)
		die("read");
}

static void op_clock_gettime(void)
{
	struct timespec at;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
}

/* What a program cannot do without its hypervisor. */
static void op_cpuid(void)
{
	uint32_t a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void op_ping_pong(void)
{
	char byte = 1;

	if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
		die("pipe");
}

/* The other end of the pipes, until its parent closes them. */
static pid_t ping_pong_start(void)
{
	char byte;
	pid_t child;

	if (pipe(ping) || pipe(pong))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child)
		return child;
	close(ping[1]);
	while (read(ping[0], &byte, 1) == 1 && write(pong[1], &byte, 1) == 1)
		;
	_exit(0);
}

static void wait_for(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		die("child");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "ops: a child ended with status %#x\n", status);
		exit(1);
	}
}

static void op_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	wait_for(child);
}

static void op_exec(void)
{
	pid_t child = vfork();

	if (!child) {
		execl("/proc/self/exe", "ops", "exit", (char *)NULL);
		_exit(1);
	}
	wait_for(child);
}

/* One whole area, so that a page costs what faulting it in costs and not the mapping. */
static void op_fault_area(void)
{
	size_t page;

	for (page = 0; page < AREA_PAGES; page++)
		*(volatile char *)(area + page * PAGE) = 1;
}

static void area_map(void)
{
	area = mmap(NULL, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (area == MAP_FAILED)
		die("mmap");
	madvise(area, AREA_PAGES * PAGE, MADV_NOHUGEPAGE);
}

static void area_unmap(void)
{
	munmap(area, AREA_PAGES * PAGE);
}

static void area_map_filled(void)
{
	area_map();
	op_fault_area();
}

static void op_mprotect_area(void)
{
	if (mprotect(area, AREA_PAGES * PAGE, PROT_READ) ||
	    mprotect(area, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

static void op_mmap_16(void)
{
	char *map = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (map == MAP_FAILED || munmap(map, 16 * PAGE))
		die("mmap");
}

struct op {
	const char *name;
	void (*run)(void);
	unsigned int times; /* in a round */
	unsigned int parts; /* operations in one run */
	void (*before)(void);
	void (*after)(void);
};

static const struct op ops[] = {
	{"getppid", op_getppid, 5000, 1, NULL, NULL},
	{"read-zero", op_read_zero, 5000, 1, NULL, NULL},
	{"clock-gettime", op_clock_gettime, 5000, 1, NULL, NULL},
	{"cpuid", op_cpuid, 5000, 1, NULL, NULL},
	{"pipe-ping-pong", op_ping_pong, 500, 1, NULL, NULL},
	{"fork-exit-wait", op_fork, 50, 1, NULL, NULL},
	{"vfork-exec-wait", op_exec, 50, 1, NULL, NULL},
	{"page-fault", op_fault_area, 1, AREA_PAGES, area_map, area_unmap},
	{"mprotect-page", op_mprotect_area, 20, 2 * AREA_PAGES, area_map_filled, area_unmap},
	{"mmap-munmap-16", op_mmap_16, 500, 1, NULL, NULL},
};

static uint64_t op_measure(const struct op *op)
{
	uint64_t best = UINT64_MAX, start, span;
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		if (op->before)
			op->before();
		start = now(CLOCK_MONOTONIC);
		for (i = 0; i < op->times; i++)
			op->run();
		span = now(CLOCK_MONOTONIC) - start;
		if (op->after)
			op->after();
		if (span < best)
			best = span;
	}
	return best / (op->times * op->parts);
}

int main(int argc, char **argv)
{
	cpu_set_t first;
	pid_t child;
	size_t i;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	if (argc > 1 && !strcmp(argv[1], "uptime")) {
		printf("ops: start %llu\n", (unsigned long long)now(CLOCK_BOOTTIME));
		return 0;
	}

	/* The two processes of the ping-pong take turns on one vCPU. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("sched_setaffinity");
	zero_fd = open("/dev/zero", O_RDONLY);
	if (zero_fd < 0)
		die("/dev/zero");
	child = ping_pong_start();
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (argc > 1 && strcmp(argv[1], ops[i].name))
			continue;
		printf("ops: %s %llu\n", ops[i].name, (unsigned long long)op_measure(&ops[i]));
	}
	close(ping[1]);
	wait_for(child);
	printf("ops: end 0\n");
	return 0;
}
