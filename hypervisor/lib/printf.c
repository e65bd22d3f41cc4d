/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output into a bounded buffer; what it supports: lib/string.h. */
#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len; /* len may pass size: what would have been written */
};

struct spec {
	int width, precision; /* precision -1: none */
	bool left, zero, alt;
	int length; /* 0 int, 1 long (also ll, z), -1 short, -2 char */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const struct spec *s, const char *text, int len,
		       const char *prefix)
{
	int prefix_len = strlen(prefix);
	int pad = s->width - len - prefix_len;

	if (!s->left && !s->zero)
		for (; pad > 0; pad--)
			put(o, ' ');
	while (*prefix)
		put(o, *prefix++);
	if (!s->left)
		for (; pad > 0; pad--)
			put(o, '0');
	while (len--)
		put(o, *text++);
	for (; pad > 0; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned int base,
		       bool upper, const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int at = sizeof(text);

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v);
	while ((int)sizeof(text) - at < s->precision && at > 0)
		text[--at] = '0';
	put_padded(o, s, text + at, sizeof(text) - at, prefix);
}

static const char *parse_spec(const char *fmt, struct spec *s, va_list *ap)
{
	*s = (struct spec){.precision = -1};
	for (;; fmt++) {
		if (*fmt == '-')
			s->left = true;
		else if (*fmt == '0')
			s->zero = true;
		else if (*fmt == '#')
			s->alt = true;
		else
			break;
	}
	if (*fmt == '*') {
		s->width = va_arg(*ap, int);
		fmt++;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		s->width = s->width * 10 + (*fmt - '0');
	if (*fmt == '.') {
		s->precision = 0;
		if (*++fmt == '*') {
			s->precision = va_arg(*ap, int);
			fmt++;
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			s->precision = s->precision * 10 + (*fmt - '0');
	}
	for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
		s->length = *fmt == 'h' ? s->length - 1 : 1;
	return fmt;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {buf, size, 0};
	struct spec s;
	va_list ap;

	va_copy(ap, args);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, &ap);
		switch (*fmt) {
		case 'd':
		case 'i': {
			int64_t v = s.length > 0 ? va_arg(ap, int64_t) : va_arg(ap, int);

			put_number(&o, &s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false,
				   v < 0 ? "-" : "");
			break;
		}
		case 'u':
		case 'x':
		case 'X': {
			uint64_t v = s.length > 0 ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int);

			put_number(&o, &s, v, *fmt == 'u' ? 10 : 16, *fmt == 'X',
				   s.alt && *fmt != 'u' ? "0x" : "");
			break;
		}
		case 'p':
			put_number(&o, &s, (uintptr_t)va_arg(ap, void *), 16, false, "0x");
			break;
		case 'c': {
			char c = va_arg(ap, int);

			s.zero = false;
			put_padded(&o, &s, &c, 1, "");
			break;
		}
		case 's': {
			const char *str = va_arg(ap, const char *);

			if (!str)
				str = "(null)";
			s.zero = false;
			put_padded(&o, &s, str,
				   s.precision >= 0 ? strnlen(str, s.precision) : strlen(str), "");
			break;
		}
		case '%':
			put(&o, '%');
			break;
		default: /* ours are checked by the compiler: cannot be */
			goto out;
		}
	}
out:
	va_end(ap);
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
