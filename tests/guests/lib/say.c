/* SPDX-License-Identifier: BSD-2-Clause */
/* What every test guest has: its console, its checks, its end; see guest.h. */
#include "guest.h"

#include <stdarg.h>
#include <xen/io/console.h>

/* gcc calls these by itself */
void *memcpy(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);

void *memcpy(void *d, const void *s, size_t n)
{
	void *p = d;

	__asm__ volatile("rep movsb" : "+D"(p), "+S"(s), "+c"(n)::"memory");
	return d;
}

void *memset(void *d, int c, size_t n)
{
	void *p = d;

	__asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(c) : "memory");
	return d;
}

static unsigned int failures, checks;
static struct xencons_interface *console;
static evtchn_port_t console_port;

void console_open(void *page, unsigned int port)
{
	console = page;
	console_port = port;
}

static void console_put(char c)
{
	while (console->out_prod - console->out_cons >= sizeof(console->out))
		HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	console->out[console->out_prod % sizeof(console->out)] = c;
	__atomic_store_n(&console->out_prod, console->out_prod + 1, __ATOMIC_RELEASE);
}

static void console_flush(void)
{
	struct evtchn_send send = {.port = console_port};

	HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

static void put_number(unsigned long v, unsigned int base)
{
	char buf[20];
	int n = 0;

	do {
		buf[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		console_put(buf[--n]);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			if (*fmt == '\n')
				console_put('\r');
			console_put(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		if (*fmt == 's') {
			for (const char *s = va_arg(ap, const char *); *s; s++)
				console_put(*s);
		} else if (*fmt == 'c') {
			console_put(va_arg(ap, int));
		} else {
			long v = wide ? va_arg(ap, long) : va_arg(ap, int);

			if (*fmt == 'd' && v < 0) {
				console_put('-');
				v = -v;
			}
			if (!wide && *fmt != 'd')
				v = (unsigned int)v;
			put_number(v, *fmt == 'x' ? 16 : 10);
		}
	}
	va_end(ap);
	console_flush();
}

void check(bool good, const char *what)
{
	checks++;
	failures += !good;
	say("%s - %s\n", good ? "ok" : "not ok", what);
}

void check_eq(long got, long want, const char *what)
{
	if (got != want)
		say("# %s: got %ld, want %ld\n", what, got, want);
	check(got == want, what);
}

_Noreturn void guest_shutdown(unsigned int reason)
{
	struct sched_shutdown s = {.reason = reason};

	/* until the daemon has read it all: what is unread at the end may be lost */
	for (unsigned long i = 0; i < 100000 && console->out_prod != console->out_cons; i++)
		HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	for (;;)
		HC2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s);
}

_Noreturn void guest_end(void)
{
	say("guest: %u checks, %u failed\n", checks, failures);
	guest_shutdown(SHUTDOWN_poweroff);
}
