/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest useful VNC client (RFB 3.8, RFC 6143), for tests of a guest's screen in dom0: takes
 * a picture of it, or types keys. It speaks to a server that asks for no password, takes rectangles
 * only in the raw encoding, and ends. It knows nothing of guests.
 *
 *   vnc HOST PORT shot FILE     write the screen as a PPM, and print "vnc: WIDTHxHEIGHT, N colours,
 *                               most #RRGGBB P%", so that a script can tell one screen from another
 *   vnc HOST PORT keys TEXT...  type each TEXT; one that names a key (Return, Down, ...) is that
 *                               key
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECURITY_NONE	     1
#define ENCODING_RAW	     0
#define ENCODING_DESKTOPSIZE (-223)
#define SIDE_MAX	     4096
#define WAIT_SECONDS	     60
#define KEY_GAP_US	     120000
#define KEYSYM_SHIFT	     0xffe1

enum client_message { SET_PIXEL_FORMAT = 0, SET_ENCODINGS = 2, UPDATE_REQUEST = 3, KEY_EVENT = 4 };
enum server_message { UPDATE = 0, SET_COLOUR_MAP = 1, BELL = 2, CUT_TEXT = 3 };

struct screen {
	int fd;
	unsigned int width, height;
	uint32_t *pixels; /* 0x00RRGGBB, row by row */
};

static void die(const char *what)
{
	fprintf(stderr, "vnc: %s\n", what);
	exit(1);
}

static void get(int fd, void *data, size_t size)
{
	char *at = data;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got <= 0)
			die(got ? strerror(errno) : "the server closed the connection");
		at += got;
		size -= (size_t)got;
	}
}

static void put(int fd, const void *data, size_t size)
{
	if (write(fd, data, size) != (ssize_t)size)
		die("cannot send");
}

static uint8_t get_8(int fd)
{
	uint8_t value;

	get(fd, &value, sizeof(value));
	return value;
}

static uint16_t get_16(int fd)
{
	uint16_t value;

	get(fd, &value, sizeof(value));
	return be16toh(value);
}

static uint32_t get_32(int fd)
{
	uint32_t value;

	get(fd, &value, sizeof(value));
	return be32toh(value);
}

static void skip(int fd, uint32_t size)
{
	while (size--)
		get_8(fd);
}

static int server_connect(const char *host, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	struct timeval limit = {.tv_sec = WAIT_SECONDS};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1)
		die("bad address");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die(strerror(errno));
	return fd;
}

static void screen_resize(struct screen *screen, unsigned int width, unsigned int height)
{
	if (!width || !height || width > SIDE_MAX || height > SIDE_MAX)
		die("the screen has an impossible size");
	free(screen->pixels);
	screen->width = width;
	screen->height = height;
	screen->pixels = calloc((size_t)width * height, sizeof(*screen->pixels));
	if (!screen->pixels)
		die("no memory");
}

/* RFC 6143, "Handshake messages" and "Initialization messages". */
static void server_greet(struct screen *screen)
{
	int fd = screen->fd;
	unsigned int width, height, kinds, kind;
	uint8_t chosen = SECURITY_NONE, shared = 1;
	bool none = false;
	char version[12];

	get(fd, version, sizeof(version));
	if (memcmp(version, "RFB 003.", 8))
		die("this is no VNC server");
	put(fd, "RFB 003.008\n", 12);
	for (kinds = get_8(fd), kind = 0; kind < kinds; kind++)
		none |= get_8(fd) == SECURITY_NONE;
	if (!none)
		die("the server asks for a password");
	put(fd, &chosen, 1);
	if (get_32(fd))
		die("the server refuses");
	put(fd, &shared, 1);
	width = get_16(fd);
	height = get_16(fd);
	skip(fd, 16);
	skip(fd, get_32(fd));
	screen_resize(screen, width, height);
}

/* RFC 6143, "SetPixelFormat" and "SetEncodings": 32 bits, little-endian, 0x00RRGGBB, raw. */
static void server_choose_format(int fd)
{
	static const uint8_t format[20] = {
		SET_PIXEL_FORMAT, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0};
	struct {
		uint8_t type, pad;
		uint16_t count;
		uint32_t encodings[2];
	} encodings = {SET_ENCODINGS,
		       0,
		       htobe16(2),
		       {htobe32(ENCODING_RAW), htobe32((uint32_t)ENCODING_DESKTOPSIZE)}};

	put(fd, format, sizeof(format));
	put(fd, &encodings, sizeof(encodings));
}

static void screen_request(const struct screen *screen)
{
	struct {
		uint8_t type, incremental;
		uint16_t x, y, width, height;
	} request = {UPDATE_REQUEST,
		     0,
		     0,
		     0,
		     htobe16((uint16_t)screen->width),
		     htobe16((uint16_t)screen->height)};

	put(screen->fd, &request, sizeof(request));
}

/* One rectangle; the number of pixels it held, 0 when it told a new size. */
static unsigned int screen_take_rectangle(struct screen *screen)
{
	unsigned int x = get_16(screen->fd), y = get_16(screen->fd);
	unsigned int width = get_16(screen->fd), height = get_16(screen->fd), row;
	int32_t encoding = (int32_t)get_32(screen->fd);

	if (encoding == ENCODING_DESKTOPSIZE) {
		screen_resize(screen, width, height);
		return 0;
	}
	if (encoding != ENCODING_RAW || x + width > screen->width || y + height > screen->height)
		die("the server sent what it was not asked for");
	for (row = y; row < y + height; row++)
		get(screen->fd, screen->pixels + (size_t)row * screen->width + x,
		    width * sizeof(*screen->pixels));
	return width * height;
}

static void screen_fetch(struct screen *screen)
{
	size_t seen = 0;
	unsigned int count;

	screen_request(screen);
	while (seen < (size_t)screen->width * screen->height) {
		switch (get_8(screen->fd)) {
		case UPDATE:
			get_8(screen->fd);
			for (count = get_16(screen->fd); count; count--) {
				unsigned int pixels = screen_take_rectangle(screen);

				if (!pixels) {
					seen = 0;
					screen_request(screen);
				}
				seen += pixels;
			}
			break;
		case SET_COLOUR_MAP:
			skip(screen->fd, 3);
			skip(screen->fd, get_16(screen->fd) * 6U);
			break;
		case BELL:
			break;
		case CUT_TEXT:
			skip(screen->fd, 3);
			skip(screen->fd, get_32(screen->fd));
			break;
		default:
			die("the server sent an unknown message");
		}
	}
}

static void screen_write(const struct screen *screen, const char *path)
{
	size_t pixels = (size_t)screen->width * screen->height, i;
	FILE *file = fopen(path, "wb");

	if (!file)
		die(strerror(errno));
	fprintf(file, "P6\n%u %u\n255\n", screen->width, screen->height);
	for (i = 0; i < pixels; i++) {
		uint32_t pixel = screen->pixels[i];
		uint8_t bytes[3] = {(uint8_t)(pixel >> 16), (uint8_t)(pixel >> 8), (uint8_t)pixel};

		fwrite(bytes, sizeof(bytes), 1, file);
	}
	if (fclose(file))
		die(strerror(errno));
}

static int pixel_compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Sorts the pixels: the screen is of no use after it. */
static void screen_describe(struct screen *screen)
{
	size_t pixels = (size_t)screen->width * screen->height, i, run = 0, most = 0;
	unsigned int colours = 0;
	uint32_t colour = 0;

	for (i = 0; i < pixels; i++)
		screen->pixels[i] &= 0xffffff;
	qsort(screen->pixels, pixels, sizeof(*screen->pixels), pixel_compare);
	for (i = 0; i < pixels; i++) {
		if (!i || screen->pixels[i] != screen->pixels[i - 1]) {
			colours++;
			run = 0;
		}
		if (++run > most) {
			most = run;
			colour = screen->pixels[i];
		}
	}
	printf("vnc: %ux%u, %u colours, most #%06x %u%%\n", screen->width, screen->height, colours,
	       colour, (unsigned int)(most * 100 / pixels));
}

static void key_move(int fd, uint32_t keysym, bool down)
{
	struct {
		uint8_t type, down;
		uint16_t pad;
		uint32_t keysym;
	} event = {KEY_EVENT, down, 0, htobe32(keysym)};

	put(fd, &event, sizeof(event));
	usleep(KEY_GAP_US);
}

/* Keysyms of printable characters are the characters; on an American keyboard. */
static void key_press(int fd, uint32_t keysym)
{
	bool shift = keysym < 0x80 &&
		     strchr("~!@#$%^&*()_+{}|:\"<>?ABCDEFGHIJKLMNOPQRSTUVWXYZ", (int)keysym);

	if (shift)
		key_move(fd, KEYSYM_SHIFT, true);
	key_move(fd, keysym, true);
	key_move(fd, keysym, false);
	if (shift)
		key_move(fd, KEYSYM_SHIFT, false);
}

static void text_type(int fd, const char *text)
{
	static const struct {
		const char *name;
		uint32_t keysym;
	} keys[] = {{"Return", 0xff0d}, {"Escape", 0xff1b}, {"Tab", 0xff09},
		    {"Up", 0xff52},	{"Down", 0xff54},   {"space", ' '}};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(text, keys[i].name)) {
			key_press(fd, keys[i].keysym);
			return;
		}
	}
	for (; *text; text++)
		key_press(fd, (uint8_t)*text);
}

int main(int argc, char **argv)
{
	struct screen screen = {0};
	int i;

	if (argc < 5 || (strcmp(argv[3], "shot") && strcmp(argv[3], "keys")))
		die("usage: vnc HOST PORT shot FILE | keys TEXT...");
	screen.fd = server_connect(argv[1], argv[2]);
	server_greet(&screen);
	if (!strcmp(argv[3], "keys")) {
		for (i = 4; i < argc; i++)
			text_type(screen.fd, argv[i]);
		return 0;
	}
	server_choose_format(screen.fd);
	screen_fetch(&screen);
	screen_write(&screen, argv[4]);
	screen_describe(&screen);
	return 0;
}
