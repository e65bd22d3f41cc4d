/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550 of com1, output by polling, input by interrupt (National Semiconductor PC16550D). */
#include "dev/serial.h"

#include "cpu/asm.h"
#include "cpu/seam.h"

#define UART(reg)   (SERIAL_PORT_FIRST + (reg))
#define UART_DATA   0
#define UART_IER    1
#define UART_FCR    2
#define UART_LCR    3
#define UART_MCR    4
#define UART_LSR    5
#define LSR_DATA    0x01
#define LSR_THRE    0x20
#define FIFO_DEPTH  16

static bool present;

init_text void serial_init(void)
{
	port_outb(UART(UART_IER), 0);
	port_outb(UART(UART_LCR), 0x80); /* divisor latch */
	port_outb(UART(UART_DATA), 1);   /* 115200 */
	port_outb(UART(UART_IER), 0);
	port_outb(UART(UART_LCR), 0x03); /* 8n1 */
	port_outb(UART(UART_FCR), 0x07); /* FIFOs on and empty, trigger at 1 */
	port_outb(UART(UART_MCR), 0x0b); /* DTR RTS OUT2 */
	present = port_inb(UART(UART_LSR)) != 0xff;
}

void serial_write(const char *text, size_t n)
{
	unsigned int room = 0;

	if (!present)
		return;
	while (n--) {
		if (!room) {
			for (int spins = 0; !(port_inb(UART(UART_LSR)) & LSR_THRE); spins++) {
				if (spins > 1000000) /* a dead line must not stop the machine */
					return;
				cpu_relax();
			}
			room = FIFO_DEPTH;
		}
		port_outb(UART(UART_DATA), *text++);
		room--;
	}
}

size_t serial_read(char *buf, size_t n)
{
	size_t got = 0;

	while (present && got < n && (port_inb(UART(UART_LSR)) & LSR_DATA))
		buf[got++] = port_inb(UART(UART_DATA));
	return got;
}

void serial_enable_input(void)
{
	if (present)
		port_outb(UART(UART_IER), 1); /* received data available */
}
