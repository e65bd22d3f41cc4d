/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl top: from samples to rates. Domains end and begin between two samples, numbers are used
 * again and counters begin anew; here it is decided what is a rate then. No I/O.
 */
#include "zl/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zl/domains.h"

#define PAGES_PER_MIB 256.0

/* A counter that went back began anew: what it shows has come since. */
static double rate(uint64_t before, uint64_t now, double seconds)
{
	return (double)(now < before ? now : now - before) / seconds;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : TOP_UNKNOWN;
}

static void row_fill_rates(struct top_row *row, uint64_t cpu_time, const struct top_exits *before,
			   const struct top_exits *now, double seconds)
{
	row->values[TOP_CPU_PERCENT] =
		rate(cpu_time, row->view->info.cpu_time, seconds) / 1e9 * 100.0;
	if (!now->kinds || !before->kinds)
		return;
	row->values[TOP_EXITS] = 0;
	for (uint32_t kind = 0; kind < now->kinds; kind++) {
		double value = rate(before->counts[kind], now->counts[kind], seconds);

		row->values[TOP_KIND + kind] = value;
		row->values[TOP_EXITS] += value;
	}
}

static void row_fill(struct top_row *row, const struct top_sample *sample, size_t i)
{
	const struct xen_domctl_getdomaininfo *info = &sample->views[i].info;
	uint64_t pages = info->tot_pages + info->outstanding_pages;

	row->view = &sample->views[i];
	for (unsigned int column = 0; column < TOP_COLUMNS; column++)
		row->values[column] = TOP_UNKNOWN;
	row->values[TOP_ID] = row->view->domid;
	row->values[TOP_CPU_SECONDS] = (double)info->cpu_time / 1e9;
	row->values[TOP_MEMORY] = (double)pages / PAGES_PER_MIB;
	row->values[TOP_MEMORY_PERCENT] = percent(pages, sample->total_pages);
	row->values[TOP_VCPUS] = info->nr_online_vcpus;
}

/* A number and a UUID that were there before: the same domain. */
static bool is_same(const struct domain_view *a, const struct domain_view *b)
{
	return a->domid == b->domid && !memcmp(a->info.handle, b->info.handle, 16);
}

static void table_fill(struct top_table *table, const struct top_sample *before,
		       const struct top_sample *now)
{
	size_t i, old = 0;

	for (i = 0; i < now->nr; i++) {
		struct top_row *row = &table->rows[i];
		/* One that was not there before was made since: all it has is of this time. */
		struct top_exits begin = {.kinds = now->exits[i].kinds};
		uint64_t cpu_time = 0;

		while (old < before->nr && before->views[old].domid < now->views[i].domid)
			old++;
		if (old < before->nr && is_same(&before->views[old], &now->views[i])) {
			begin = before->exits[old];
			cpu_time = before->views[old].info.cpu_time;
		}
		row_fill(row, now, i);
		if (table->seconds > 0)
			row_fill_rates(row, cpu_time, &begin, &now->exits[i], table->seconds);
		if (now->exits[i].kinds > table->kinds)
			table->kinds = now->exits[i].kinds;
		for (uint32_t kind = 0; kind < now->exits[i].kinds; kind++)
			if (row->values[TOP_KIND + kind] > 0)
				table->sums[kind] += row->values[TOP_KIND + kind];
	}
}

int top_table_make(const struct top_sample *before, const struct top_sample *now,
		   struct top_table *table)
{
	*table = (struct top_table){.nr = now->nr};
	table->rows = calloc(now->nr ? now->nr : 1, sizeof(*table->rows));
	if (!table->rows) {
		table->nr = 0;
		return -ENOMEM;
	}
	if (before->views && now->ns > before->ns)
		table->seconds = (double)(now->ns - before->ns) / 1e9;
	table_fill(table, before, now);
	return 0;
}

struct order {
	enum top_column column;
	bool reverse;
};

static int compare_text(enum top_column column, const struct domain_view *a,
			const struct domain_view *b)
{
	char state_a[7], state_b[7];

	if (column == TOP_NAME)
		return strcmp(a->name ? a->name : "", b->name ? b->name : "");
	/* r and b before -. */
	domain_format_state(&a->info, state_a);
	domain_format_state(&b->info, state_b);
	return strcmp(state_b, state_a);
}

static int compare(const void *a_row, const void *b_row, void *context)
{
	const struct top_row *a = a_row, *b = b_row;
	const struct order *order = context;
	double x = a->values[order->column], y = b->values[order->column];
	int result = order->column <= TOP_STATE ? compare_text(order->column, a->view, b->view)
						: (x < y) - (x > y);

	if (order->column == TOP_ID)
		result = -result;
	if (!result)
		return (a->view->domid > b->view->domid) - (a->view->domid < b->view->domid);
	return order->reverse ? -result : result;
}

void top_table_sort(struct top_table *table, enum top_column column, bool reverse)
{
	struct order order = {column, reverse};

	qsort_r(table->rows, table->nr, sizeof(*table->rows), compare, &order);
}

int top_next(struct top *top)
{
	int rc;

	free(top->table.rows);
	top->table = (struct top_table){.rows = NULL};
	top_sample_free(&top->before);
	top->before = top->now;
	rc = top_sample_read(top->zl, &top->now);
	return rc ? rc : top_table_make(&top->before, &top->now, &top->table);
}

void top_free(struct top *top)
{
	free(top->table.rows);
	top_sample_free(&top->before);
	top_sample_free(&top->now);
}

int top_parse_delay(const char *text, unsigned int *ms)
{
	double seconds;
	char *end;

	/* No sign, exponent, hexadecimal number or infinity. */
	if (text[strspn(text, "0123456789.")])
		return -EINVAL;
	seconds = strtod(text, &end);
	if (end == text || *end || seconds < 0.1 || seconds > 86400)
		return -EINVAL;
	*ms = (unsigned int)(seconds * 1000);
	return 0;
}
