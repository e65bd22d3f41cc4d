/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl top: the table as text and as JSON: which columns a view has, which of them fit, and what
 * stands in each. No I/O but printing.
 */
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "zl/domains.h"
#include "zl/exits.h"
#include "zl/json.h"
#include "zl/top.h"

#define NAME_MIN   8
#define KIND_WIDTH 8

static const struct {
	const char *title;
	int width;
	int decimals;
} columns[TOP_KIND] = {
	[TOP_NAME] = {"Name", 0, 0},
	[TOP_STATE] = {"State", 6, 0},
	[TOP_ID] = {"ID", 5, 0},
	[TOP_CPU_SECONDS] = {"Time(s)", 8, 1},
	[TOP_CPU_PERCENT] = {"CPU(%)", 6, 1},
	[TOP_MEMORY] = {"Mem", 5, 0},
	[TOP_MEMORY_PERCENT] = {"Mem(%)", 6, 1},
	[TOP_VCPUS] = {"VCPUs", 5, 0},
	[TOP_EXITS] = {"Exits/s", 8, 1},
};

static const enum top_column domain_columns[] = {TOP_NAME,	     TOP_ID,	      TOP_STATE,
						 TOP_CPU_SECONDS,    TOP_CPU_PERCENT, TOP_MEMORY,
						 TOP_MEMORY_PERCENT, TOP_VCPUS,	      TOP_EXITS};
static const enum top_column exits_columns[] = {TOP_NAME, TOP_ID, TOP_EXITS};

/* The most frequent kinds first, those of the same frequency in zendo.h's order. */
static void sort_kinds(const struct top_table *table, enum top_column *kinds)
{
	for (unsigned int i = 1; i < table->kinds; i++)
		for (unsigned int j = i;
		     j && table->sums[kinds[j] - TOP_KIND] > table->sums[kinds[j - 1] - TOP_KIND];
		     j--) {
			enum top_column kind = kinds[j];

			kinds[j] = kinds[j - 1];
			kinds[j - 1] = kind;
		}
}

unsigned int top_view_columns(enum top_view view, const struct top_table *table,
			      enum top_column order[TOP_COLUMNS])
{
	bool is_exits = view == TOP_VIEW_EXITS;
	size_t size = is_exits ? sizeof(exits_columns) : sizeof(domain_columns);
	unsigned int nr = (unsigned int)(size / sizeof(*order));

	memcpy(order, is_exits ? exits_columns : domain_columns, size);
	for (uint32_t kind = 0; kind < table->kinds; kind++)
		order[nr + kind] = TOP_KIND + kind;
	if (view == TOP_VIEW_DOMAINS)
		sort_kinds(table, order + nr);
	return nr + table->kinds;
}

static const char *column_title(enum top_column column, char number[EXIT_KIND_NAME_SIZE])
{
	return column < TOP_KIND ? columns[column].title
				 : exit_kind_name(column - TOP_KIND, number);
}

static int column_width(enum top_column column)
{
	char number[EXIT_KIND_NAME_SIZE];
	int width = column < TOP_KIND ? columns[column].width : KIND_WIDTH;
	int title = (int)strlen(column_title(column, number));

	return title > width ? title : width;
}

static const char *row_name(const struct top_row *row)
{
	return row->view->name ? row->view->name : "(null)";
}

/* As wide as the longest name, as long as that leaves room for the rest. */
static int name_width(const struct top_table *table, int width)
{
	int longest = NAME_MIN, most = width / 5 > NAME_MIN ? width / 5 : NAME_MIN;

	for (size_t i = 0; i < table->nr; i++) {
		size_t length = strlen(row_name(&table->rows[i]));

		if (length > (size_t)longest)
			longest = length < TOP_CELL_SIZE ? (int)length : TOP_CELL_SIZE - 1;
	}
	return longest < most ? longest : most;
}

void top_layout_make(struct top_layout *layout, enum top_view view, const struct top_table *table,
		     unsigned int skip, int width)
{
	enum top_column order[TOP_COLUMNS];
	unsigned int nr = top_view_columns(view, table, order);

	layout->name_width = name_width(table, width);
	layout->columns[0] = TOP_NAME;
	layout->nr = 1;
	width -= layout->name_width;
	for (unsigned int i = 1 + (skip < nr - 1 ? skip : nr - 2); i < nr; i++) {
		width -= 1 + column_width(order[i]);
		if (width < 0 && layout->nr > 1)
			break;
		layout->columns[layout->nr++] = order[i];
	}
}

/* Names of another toolstack's domains may hold what a terminal would obey. */
static void format_name(const char *name, int width, char text[TOP_CELL_SIZE])
{
	snprintf(text, TOP_CELL_SIZE, "%-*.*s", width, width, name);
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void top_format_cell(const struct top_layout *layout, unsigned int i, const struct top_row *row,
		     char text[TOP_CELL_SIZE])
{
	enum top_column column = layout->columns[i];
	int width = column == TOP_NAME ? layout->name_width : column_width(column);
	char buf[EXIT_KIND_NAME_SIZE], state[7];

	if (column == TOP_NAME)
		format_name(row ? row_name(row) : columns[column].title, width, text);
	else if (!row)
		snprintf(text, TOP_CELL_SIZE, "%*s", width, column_title(column, buf));
	else if (column == TOP_STATE) {
		domain_format_state(&row->view->info, state);
		snprintf(text, TOP_CELL_SIZE, "%*s", width, state);
	} else if (row->values[column] < 0)
		snprintf(text, TOP_CELL_SIZE, "%*s", width, "-");
	else
		snprintf(text, TOP_CELL_SIZE, "%*.*f", width,
			 column < TOP_KIND ? columns[column].decimals : 1, row->values[column]);
}

void top_format_summary(const struct top_sample *sample, time_t now, char *text, size_t size)
{
	char clock[16] = "-";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(text, size, "zl top  %s  %u CPUs  %zu domains  memory %llu MiB, %llu free", clock,
		 sample->nr_cpus, sample->nr, (unsigned long long)sample->total_pages >> 8,
		 (unsigned long long)sample->free_pages >> 8);
}

static void print_row(const struct top_layout *layout, const struct top_row *row, FILE *out)
{
	char text[TOP_CELL_SIZE];

	for (unsigned int i = 0; i < layout->nr; i++) {
		top_format_cell(layout, i, row, text);
		fprintf(out, "%s%s", i ? " " : "", text);
	}
	fputc('\n', out);
}

void top_print(const struct top *top, FILE *out)
{
	struct top_layout layout;

	top_layout_make(&layout, TOP_VIEW_ALL, &top->table, 0, INT_MAX);
	print_row(&layout, NULL, out);
	for (size_t i = 0; i < top->table.nr; i++)
		print_row(&layout, &top->table.rows[i], out);
}

static void add_value(struct json_object *object, const char *key, double value)
{
	if (value >= 0)
		json_add_double(object, key, value);
}

static struct json_object *row_to_json(const struct top_row *row, uint32_t kinds)
{
	struct json_object *out = json_object_new_object(), *exits;
	const struct xen_domctl_getdomaininfo *info = &row->view->info;
	char text[EXIT_KIND_NAME_SIZE], state[7];

	domain_format_state(info, state);
	json_add_int(out, "domid", row->view->domid);
	json_add_string(out, "name", row->view->name);
	json_add_string(out, "type", domain_kind(info));
	json_add_string(out, "state", state);
	add_value(out, "cpu_seconds", row->values[TOP_CPU_SECONDS]);
	add_value(out, "cpu_percent", row->values[TOP_CPU_PERCENT]);
	json_add_int(out, "memory_kib", (int64_t)(row->values[TOP_MEMORY] * 1024));
	add_value(out, "memory_percent", row->values[TOP_MEMORY_PERCENT]);
	json_add_int(out, "vcpus", info->nr_online_vcpus);
	if (row->values[TOP_EXITS] >= 0) {
		exits = json_object_new_object();
		add_value(exits, "all", row->values[TOP_EXITS]);
		for (uint32_t kind = 0; kind < kinds; kind++)
			add_value(exits, exit_kind_name(kind, text), row->values[TOP_KIND + kind]);
		json_object_object_add(out, "exits_per_second", exits);
	}
	return out;
}

struct json_object *top_to_json(const struct top *top, time_t now)
{
	struct json_object *out = json_object_new_object(), *rows = json_object_new_array();

	json_add_int(out, "time", now);
	if (top->table.seconds > 0)
		json_add_double(out, "seconds", top->table.seconds);
	json_add_int(out, "cpus", top->now.nr_cpus);
	json_add_int(out, "memory_kib", (int64_t)(top->now.total_pages << 2));
	json_add_int(out, "free_memory_kib", (int64_t)(top->now.free_pages << 2));
	for (size_t i = 0; i < top->table.nr; i++)
		json_object_array_add(rows, row_to_json(&top->table.rows[i], top->table.kinds));
	json_object_object_add(out, "domains", rows);
	return out;
}
