/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl top: the screen and its keys, by ncurses. What is shown, and in which order, is decided in
 * top.c and top_show.c.
 */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "zl/top.h"

/* Lines above and below the domains. */
#define LINES_ABOVE 2
#define LINES_BELOW 1

struct screen {
	struct top top;
	unsigned int delay_ms;
	enum top_view view;
	/* of each view */
	enum top_column sort[TOP_VIEW_ALL];
	bool reverse[TOP_VIEW_ALL];
	/* the first ones shown */
	size_t first_row;
	unsigned int first_column;
};

static size_t page_rows(void)
{
	int rows = LINES - LINES_ABOVE - LINES_BELOW;

	return rows > 1 ? (size_t)rows : 1;
}

static void draw_row(const struct screen *screen, const struct top_layout *layout,
		     const struct top_row *row, int y)
{
	char text[TOP_CELL_SIZE];
	int x = 0;

	for (unsigned int i = 0; i < layout->nr && x < COLS; i++) {
		top_format_cell(layout, i, row, text);
		if (!row && layout->columns[i] == screen->sort[screen->view])
			attron(A_BOLD | A_UNDERLINE);
		mvaddnstr(y, x, text, COLS - x);
		attroff(A_BOLD | A_UNDERLINE);
		x += (int)strlen(text) + 1;
	}
}

static void draw(struct screen *screen)
{
	struct top_table *table = &screen->top.table;
	struct top_layout layout;
	size_t page = page_rows();
	char line[160];

	if (screen->first_row + page > table->nr)
		screen->first_row = table->nr > page ? table->nr - page : 0;
	top_table_sort(table, screen->sort[screen->view], screen->reverse[screen->view]);
	top_layout_make(&layout, screen->view, table, screen->first_column, COLS);
	erase();
	top_format_summary(&screen->top.now, time(NULL), line, sizeof(line));
	mvaddnstr(0, 0, line, COLS);
	attron(A_REVERSE);
	mvhline(1, 0, ' ', COLS);
	draw_row(screen, &layout, NULL, 1);
	attroff(A_REVERSE);
	for (size_t i = 0; i < page && screen->first_row + i < table->nr; i++)
		draw_row(screen, &layout, &table->rows[screen->first_row + i],
			 LINES_ABOVE + (int)i);
	snprintf(line, sizeof(line),
		 "q quit  s sort  r reverse  e %s  d delay (%.1f s)  arrows scroll",
		 screen->view == TOP_VIEW_EXITS ? "domains" : "exits", screen->delay_ms / 1000.0);
	mvaddnstr(LINES - 1, 0, line, COLS - 1);
	refresh();
}

static void sort_next(struct screen *screen)
{
	enum top_column order[TOP_COLUMNS];
	unsigned int i, nr = top_view_columns(screen->view, &screen->top.table, order);

	for (i = 0; i < nr && order[i] != screen->sort[screen->view]; i++)
		;
	screen->sort[screen->view] = order[i + 1 < nr ? i + 1 : 0];
}

static void scroll_columns(struct screen *screen, bool is_right)
{
	enum top_column order[TOP_COLUMNS];
	unsigned int nr = top_view_columns(screen->view, &screen->top.table, order);

	if (!is_right && screen->first_column)
		screen->first_column--;
	else if (is_right && screen->first_column + 2 < nr)
		screen->first_column++;
}

static void scroll_rows(struct screen *screen, long by)
{
	long row = (long)screen->first_row + by;

	screen->first_row = row > 0 ? (size_t)row : 0;
}

static void ask_delay(struct screen *screen)
{
	char text[16] = "";

	move(LINES - 1, 0);
	clrtoeol();
	addstr("Seconds between two samples: ");
	echo();
	nodelay(stdscr, FALSE);
	if (getnstr(text, sizeof(text) - 1) != ERR && *text &&
	    top_parse_delay(text, &screen->delay_ms))
		beep();
	nodelay(stdscr, TRUE);
	noecho();
}

/* Returns false when it was the key that ends it. */
static bool handle_key(struct screen *screen, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 's':
		sort_next(screen);
		break;
	case 'r':
		screen->reverse[screen->view] = !screen->reverse[screen->view];
		break;
	case 'e':
		screen->view = screen->view == TOP_VIEW_EXITS ? TOP_VIEW_DOMAINS : TOP_VIEW_EXITS;
		screen->first_column = 0;
		break;
	case 'd':
		ask_delay(screen);
		break;
	case KEY_LEFT:
	case KEY_RIGHT:
		scroll_columns(screen, key == KEY_RIGHT);
		break;
	case KEY_UP:
	case KEY_DOWN:
		scroll_rows(screen, key == KEY_DOWN ? 1 : -1);
		break;
	case KEY_PPAGE:
	case KEY_NPAGE:
		scroll_rows(screen, key == KEY_NPAGE ? (long)page_rows() : -(long)page_rows());
		break;
	default:
		break;
	}
	return true;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Show the sample and obey keys until the next is due; false: no more. */
static bool show_sample(struct screen *screen)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	long long since = now_ms(), left;
	bool is_readable = false;
	int key, ready;

	for (;;) {
		key = getch();
		/* Something to read that cannot be read: the terminal is gone. */
		if (key == ERR && is_readable)
			return false;
		is_readable = false;
		if (key == ERR) {
			draw(screen);
			left = since + screen->delay_ms - now_ms();
			ready = left > 0 ? poll(&in, 1, (int)left) : 0;
			if (!ready)
				return true;
			is_readable = ready > 0;
		} else if (!handle_key(screen, key)) {
			return false;
		}
	}
}

int top_screen(struct zl *zl, unsigned int delay_ms, unsigned long iterations)
{
	struct screen screen = {
		.top = {.zl = zl},
		.delay_ms = delay_ms,
		.sort = {[TOP_VIEW_DOMAINS] = TOP_CPU_PERCENT, [TOP_VIEW_EXITS] = TOP_EXITS}};
	SCREEN *terminal = newterm(NULL, stdout, stdin);
	unsigned long i;
	int rc = 0;

	if (!terminal)
		return -ENOTTY;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	for (i = 0; !iterations || i < iterations; i++) {
		rc = top_next(&screen.top);
		if (rc || !show_sample(&screen))
			break;
	}
	/* Whoever has the terminal next goes on in its last line. */
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
	delscreen(terminal);
	top_free(&screen.top);
	return rc;
}
