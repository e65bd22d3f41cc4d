/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 UART at com1: 115200 8n1. */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "lib/types.h"

#define SERIAL_PORT_FIRST 0x3f8
#define SERIAL_PORT_LAST  0x3ff
#define SERIAL_GSI        4

init_text void serial_init(void);
void serial_write(const char *text, size_t n);
/* Up to n bytes that have come; does not wait. */
size_t serial_read(char *buf, size_t n);
void serial_enable_input(void);

#endif
