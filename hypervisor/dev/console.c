/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: ring, serial line and input.  Its lock is a leaf: it may be
 * taken under any other, so nothing is called with it held but the UART.
 */
#include "dev/console.h"

#include <stdarg.h>

#include "boot/boot.h"
#include "cpu/backtrace.h"
#include "cpu/softirq.h"
#include "dev/acpi.h"
#include "dev/irq.h"
#include "dev/serial.h"
#include "domain/domain.h"
#include "lib/printk.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "time/time.h"

#define RING_SIZE    32768U /* power of two */
#define INPUT_SIZE   256U
#define LINE_MAX     256
#define SWITCH_KEY   0x01 /* Ctrl-A */
#define SWITCH_COUNT 3

static struct spinlock console_lock = SPINLOCK_INIT;
static char ring[RING_SIZE];
static uint32_t ring_head, ring_tail; /* running counts; head - tail <= RING_SIZE */
static bool line_start = true;

static struct spinlock input_lock = SPINLOCK_INIT;
static char input[INPUT_SIZE];
static uint32_t input_head, input_tail;
static bool input_to_hypervisor;
static unsigned int switch_keys_seen;

init_text void console_init(void)
{
	serial_init();
}

static void ring_put(const char *text, size_t n)
{
	while (n--)
		ring[ring_head++ % RING_SIZE] = *text++;
	if (ring_head - ring_tail > RING_SIZE)
		ring_tail = ring_head - RING_SIZE;
}

/* A bare newline gets a carriage return before it on the line, not in the ring. */
static void line_put(const char *text, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\n' || (i && text[i - 1] == '\r'))
			continue;
		serial_write(text + from, i - from);
		serial_write("\r\n", 2);
		from = i + 1;
	}
	serial_write(text + from, n - from);
}

void console_write(const char *text, size_t n, bool to_ring)
{
	uint64_t flags = spin_lock_irq(&console_lock);

	if (to_ring)
		ring_put(text, n);
	line_put(text, n);
	spin_unlock_irq(&console_lock, flags);
	if (to_ring && dom0)
		evtchn_send_global_virq(VIRQ_CON_RING);
}

static void print_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[LINE_MAX];
	int n = 0, room;
	uint64_t flags;

	if (READ_ONCE(line_start))
		n = snprintf(line, sizeof(line), "(zendo) %s", prefix);
	room = sizeof(line) - n;
	n += MIN(vsnprintf(line + n, room, fmt, ap), room - 1);

	flags = spin_lock_irq(&console_lock);
	ring_put(line, n);
	line_put(line, n);
	line_start = n && line[n - 1] == '\n';
	spin_unlock_irq(&console_lock, flags);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("", fmt, ap);
	va_end(ap);
}

/* A token bucket: 10 lines at once, then one each 100 ms, from all guests together. */
static bool guest_message_allowed(void)
{
	static struct spinlock lock = SPINLOCK_INIT;
	static uint64_t refilled;
	static unsigned int tokens = 10;
	uint64_t flags = spin_lock_irq(&lock), now = time_now();
	uint64_t fresh = (now - refilled) / 100000000;
	bool ok;

	if (fresh) {
		tokens = MIN(10, tokens + fresh);
		refilled = now;
	}
	ok = tokens > 0;
	if (ok)
		tokens--;
	spin_unlock_irq(&lock, flags);
	return ok;
}

void guest_printk(const struct domain *d, const char *fmt, ...)
{
	char prefix[16];
	va_list ap;

	if (!guest_message_allowed())
		return;
	snprintf(prefix, sizeof(prefix), "d%u: ", d->id);
	va_start(ap, fmt);
	print_line(prefix, fmt, ap);
	va_end(ap);
}

size_t console_ring_read(char *buf, size_t size, uint32_t *index, bool from_start)
{
	uint64_t flags = spin_lock_irq(&console_lock);
	uint32_t at = from_start ? ring_tail : *index;
	size_t n = 0;

	if (ring_head - at > ring_head - ring_tail) /* before what is kept, or nonsense */
		at = ring_tail;
	while (n < size && at != ring_head)
		buf[n++] = ring[at++ % RING_SIZE];
	*index = at;
	spin_unlock_irq(&console_lock, flags);
	return n;
}

void console_ring_clear(void)
{
	uint64_t flags = spin_lock_irq(&console_lock);

	ring_tail = ring_head;
	spin_unlock_irq(&console_lock, flags);
}

size_t console_input_read(char *buf, size_t size)
{
	uint64_t flags = spin_lock_irq(&input_lock);
	size_t n = 0;

	while (n < size && input_tail != input_head)
		buf[n++] = input[input_tail++ % INPUT_SIZE];
	spin_unlock_irq(&input_lock, flags);
	return n;
}

/* Returns whether dom0 has something new to read. */
static bool input_take(char c, char *key)
{
	if (c == SWITCH_KEY) {
		if (++switch_keys_seen == SWITCH_COUNT) {
			switch_keys_seen = 0;
			input_to_hypervisor = !input_to_hypervisor;
			printk("console input to %s (three Ctrl-A switch)\n",
			       input_to_hypervisor ? "the hypervisor's debug keys" : "dom0");
		}
		return false;
	}
	switch_keys_seen = 0;
	if (input_to_hypervisor) {
		*key = c;
		return false;
	}
	if (input_head - input_tail < INPUT_SIZE)
		input[input_head++ % INPUT_SIZE] = c;
	return true;
}

static char pending_key;

static void input_interrupt(void *arg)
{
	char buf[16], key = 0;
	bool fresh = false;
	size_t n;

	while ((n = serial_read(buf, sizeof(buf)))) {
		spin_lock(&input_lock);
		for (size_t i = 0; i < n; i++)
			fresh |= input_take(buf[i], &key);
		spin_unlock(&input_lock);
	}
	if (key) {
		pending_key = key;
		softirq_raise(SOFTIRQ_TASKLET);
	}
	if (fresh && dom0)
		evtchn_send_global_virq(VIRQ_CONSOLE);
}

static void input_softirq(void)
{
	char key = __atomic_exchange_n(&pending_key, 0, __ATOMIC_SEQ_CST);

	if (key)
		debug_key(key);
}

init_text void console_input_init(void)
{
	softirq_register(SOFTIRQ_TASKLET, input_softirq);
	if (irq_request_own(SERIAL_GSI, false, false, input_interrupt, NULL))
		printk("com1 has no interrupt: no console input\n");
	else
		serial_enable_input();
}

void console_force_unlock(void)
{
	console_lock = (struct spinlock)SPINLOCK_INIT;
}

no_return void panic(const char *fmt, ...)
{
	static uint32_t panicking;
	char text[LINE_MAX], word[8];
	va_list ap;

	irq_disable();
	if (__atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST))
		machine_halt();
	console_force_unlock();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_start = true;
	printk("PANIC on CPU %u: %s\n", cpu_id(), text);
	backtrace_print((uint64_t)__builtin_return_address(0),
			(uint64_t)__builtin_frame_address(0));
	if (boot_option("noreboot", word, sizeof(word))) {
		printk("stopped (noreboot)\n");
		machine_halt();
	}
	machine_reboot();
}
