/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl top without a terminal: what is a rate when domains come and go, numbers are used again and
 * counters begin anew; order, columns that fit, text and JSON.
 *
 * Tools: zl/top.c zl/top_show.c zl/top_sample.c zl/exits.c zl/json.c zl/uuid.c
 * Tools: zl/domains.c zl/domains_show.c zl/lifecycle.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>

#include "fixture.h"
#include "hyp/hvm.h"
#include "hyp/system.h"
#include "zl/domains.h"
#include "zl/exits.h"
#include "zl/json.h"
#include "zl/top.h"

#define SECOND 1000000000ull
#define HLT    6
#define PORT   7

static struct zl zl;
static struct top_sample before, now;
static struct top_table table;

/* vCPU 1 of a domain is not there yet; the others count the same. */
static uint64_t fake_counts[ZENDO_EXIT_COUNTS];
static int fake_exits_error;
static unsigned int fake_exits_calls;

int hyp_hvm_get_exits(struct hyp *hyp, domid_t domid, uint32_t vcpu, struct zendo_exits *exits)
{
	(void)hyp;
	fake_exits_calls++;
	if (fake_exits_error)
		return fake_exits_error;
	if (vcpu == 1)
		return -ENOENT;
	*exits = (struct zendo_exits){.domid = domid, .kinds = ZENDO_EXIT_KINDS};
	memcpy(exits->counts, fake_counts, sizeof(fake_counts));
	return 0;
}

int hyp_system_get_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info)
{
	(void)hyp;
	*info = (struct xen_sysctl_physinfo){.nr_cpus = 2, .total_pages = 1 << 18, .free_pages = 1};
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	fake_reset(&zl);
	memset(fake_counts, 0, sizeof(fake_counts));
	fake_exits_error = 0;
	fake_exits_calls = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(table.rows);
	table = (struct top_table){.rows = NULL};
	top_sample_free(&before);
	top_sample_free(&now);
	return 0;
}

static void take(struct top_sample *sample, uint64_t ns)
{
	assert_int_equal(top_sample_read(&zl, sample), 0);
	sample->ns = ns;
}

static void make(void)
{
	free(table.rows);
	assert_int_equal(top_table_make(&before, &now, &table), 0);
}

static struct xen_domctl_getdomaininfo *add_guest(domid_t domid, uint8_t uuid, uint32_t max_vcpu)
{
	struct xen_domctl_getdomaininfo *info = fake_domain_add(domid, uuid);

	info->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_blocked;
	info->max_vcpu_id = max_vcpu;
	info->nr_online_vcpus = 1;
	info->tot_pages = 1 << 16;
	return info;
}

static double value(size_t row, unsigned int column)
{
	assert_true(row < table.nr);
	return table.rows[row].values[column];
}

static void test_first_sample(void **state)
{
	(void)state;
	add_guest(1, 1, 0)->cpu_time = 5 * SECOND;
	take(&now, SECOND);
	make();
	assert_true(table.seconds == 0);
	assert_true(value(1, TOP_CPU_SECONDS) == 5);
	assert_true(value(1, TOP_MEMORY) == 256);
	assert_true(value(1, TOP_MEMORY_PERCENT) == 25);
	assert_true(value(1, TOP_CPU_PERCENT) == TOP_UNKNOWN);
	assert_true(value(1, TOP_EXITS) == TOP_UNKNOWN);
	assert_true(value(1, TOP_KIND + HLT) == TOP_UNKNOWN);
}

static void test_rates(void **state)
{
	struct xen_domctl_getdomaininfo *info = add_guest(1, 1, 2);

	(void)state;
	info->cpu_time = SECOND;
	fake_counts[HLT] = 100;
	take(&before, SECOND);
	info->cpu_time += 3 * SECOND;
	fake_counts[HLT] += 10;
	fake_counts[PORT] += 30;
	take(&now, 3 * SECOND);
	make();
	assert_true(table.seconds == 2);
	assert_true(value(1, TOP_CPU_PERCENT) == 150);
	/* Of vCPUs 0 and 2. */
	assert_true(value(1, TOP_KIND + HLT) == 10);
	assert_true(value(1, TOP_KIND + PORT) == 30);
	assert_true(value(1, TOP_KIND) == 0);
	assert_true(value(1, TOP_EXITS) == 40);
	assert_true(table.sums[PORT] == 30);
	/* dom0 is PV: nobody asks. */
	assert_int_equal(fake_exits_calls, 6);
	assert_true(value(0, TOP_EXITS) == TOP_UNKNOWN);
	assert_true(value(0, TOP_CPU_PERCENT) == 0);
}

static void test_time_does_not_pass(void **state)
{
	(void)state;
	add_guest(1, 1, 0);
	take(&before, 2 * SECOND);
	for (unsigned int i = 1; i <= 2; i++) {
		take(&now, i * SECOND);
		make();
		top_sample_free(&now);
		assert_true(table.seconds == 0);
		assert_true(value(1, TOP_CPU_PERCENT) == TOP_UNKNOWN);
	}
}

static void test_domains_come_and_go(void **state)
{
	(void)state;
	add_guest(1, 1, 0)->cpu_time = 9 * SECOND;
	add_guest(2, 2, 0)->cpu_time = 9 * SECOND;
	add_guest(4, 4, 0)->cpu_time = 9 * SECOND;
	take(&before, SECOND);
	fake_reset(&zl);
	add_guest(3, 3, 0)->cpu_time = SECOND / 2;
	add_guest(4, 4, 0)->cpu_time = 10 * SECOND;
	fake_counts[HLT] = 4;
	take(&now, 2 * SECOND);
	make();
	assert_int_equal(table.nr, 3);
	/* Made since, so that all it has is of this time. */
	assert_true(value(1, TOP_ID) == 3);
	assert_true(value(1, TOP_CPU_PERCENT) == 50);
	assert_true(value(1, TOP_EXITS) == 4);
	/* Not mistaken for one that is gone. */
	assert_true(value(2, TOP_ID) == 4);
	assert_true(value(2, TOP_CPU_PERCENT) == 100);
}

static void test_id_used_again(void **state)
{
	(void)state;
	add_guest(1, 1, 0)->cpu_time = SECOND;
	fake_counts[HLT] = 5;
	take(&before, SECOND);
	fake_reset(&zl);
	add_guest(1, 2, 0)->cpu_time = 2 * SECOND;
	fake_counts[HLT] = 7;
	take(&now, 3 * SECOND);
	make();
	assert_true(value(1, TOP_CPU_PERCENT) == 100);
	assert_true(value(1, TOP_EXITS) == 3.5);
}

static void test_counters_begin_anew(void **state)
{
	struct xen_domctl_getdomaininfo *info = add_guest(1, 1, 0);

	(void)state;
	info->cpu_time = 100 * SECOND;
	fake_counts[HLT] = 1000;
	take(&before, SECOND);
	info->cpu_time = SECOND / 4;
	fake_counts[HLT] = 12;
	take(&now, 2 * SECOND);
	make();
	assert_true(value(1, TOP_CPU_PERCENT) == 25);
	assert_true(value(1, TOP_EXITS) == 12);
}

/* What was counted before anybody looked is of no known time. */
static void test_exits_not_readable(void **state)
{
	(void)state;
	add_guest(1, 1, 0);
	fake_exits_error = -ENOSYS;
	take(&before, SECOND);
	take(&now, 2 * SECOND);
	make();
	assert_int_equal(table.kinds, 0);
	assert_true(value(1, TOP_EXITS) == TOP_UNKNOWN);
	top_sample_free(&now);
	fake_exits_error = 0;
	fake_counts[HLT] = 1000;
	take(&now, 2 * SECOND);
	make();
	assert_int_equal(table.kinds, ZENDO_EXIT_KINDS);
	assert_true(value(1, TOP_EXITS) == TOP_UNKNOWN);
	assert_true(value(1, TOP_CPU_PERCENT) == 0);
}

/* More domains, with names, CPU use and exits in another order than their numbers. */
static void take_several(void)
{
	struct xen_domctl_getdomaininfo *a = add_guest(1, 1, 0), *b = add_guest(2, 2, 0),
					*c = fake_domain_add(3, 3);

	fake_store_set("/local/domain/1/name", "zebra");
	fake_store_set("/local/domain/2/name", "ant");
	fake_store_set("/local/domain/3/name", "bee");
	take(&before, SECOND);
	a->cpu_time += SECOND / 4;
	b->cpu_time += SECOND / 2;
	c->cpu_time += SECOND / 2;
	b->flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_running;
	fake_counts[PORT] = 3;
	fake_counts[HLT] = 1;
	take(&now, 2 * SECOND);
	make();
}

static void assert_order(unsigned int column, bool reverse, unsigned int a, unsigned int b,
			 unsigned int c, unsigned int d)
{
	top_table_sort(&table, column, reverse);
	assert_true(value(0, TOP_ID) == a);
	assert_true(value(1, TOP_ID) == b);
	assert_true(value(2, TOP_ID) == c);
	assert_true(value(3, TOP_ID) == d);
}

static void test_sort(void **state)
{
	(void)state;
	take_several();
	assert_order(TOP_CPU_PERCENT, false, 2, 3, 1, 0);
	assert_order(TOP_CPU_PERCENT, true, 0, 1, 2, 3);
	assert_order(TOP_ID, false, 0, 1, 2, 3);
	assert_order(TOP_ID, true, 3, 2, 1, 0);
	assert_order(TOP_NAME, false, 0, 2, 3, 1);
	assert_order(TOP_NAME, true, 1, 3, 2, 0);
	assert_order(TOP_STATE, false, 2, 1, 0, 3);
	assert_order(TOP_KIND + PORT, false, 1, 2, 0, 3);
}

static void test_views(void **state)
{
	enum top_column columns[TOP_COLUMNS];
	unsigned int nr;

	(void)state;
	take_several();
	nr = top_view_columns(TOP_VIEW_DOMAINS, &table, columns);
	assert_int_equal(nr, 9 + ZENDO_EXIT_KINDS);
	assert_int_equal(columns[8], TOP_EXITS);
	assert_int_equal(columns[9], TOP_KIND + PORT);
	assert_int_equal(columns[10], TOP_KIND + HLT);
	assert_int_equal(columns[11], TOP_KIND);
	nr = top_view_columns(TOP_VIEW_EXITS, &table, columns);
	assert_int_equal(nr, 3 + ZENDO_EXIT_KINDS);
	assert_int_equal(columns[3], TOP_KIND);
	nr = top_view_columns(TOP_VIEW_ALL, &table, columns);
	assert_int_equal(columns[nr - 1], TOP_KIND + ZENDO_EXIT_KINDS - 1);
}

static int layout_width(const struct top_layout *layout)
{
	char text[TOP_CELL_SIZE];
	int width = (int)layout->nr - 1;

	for (unsigned int i = 0; i < layout->nr; i++) {
		top_format_cell(layout, i, NULL, text);
		width += (int)strlen(text);
	}
	return width;
}

static void test_layout(void **state)
{
	struct top_layout layout;

	(void)state;
	take_several();
	for (int width = 20; width < 250; width++) {
		top_layout_make(&layout, TOP_VIEW_DOMAINS, &table, 0, width);
		assert_true(layout_width(&layout) <= width);
	}
	assert_int_equal(layout.nr, 9 + ZENDO_EXIT_KINDS);
	top_layout_make(&layout, TOP_VIEW_DOMAINS, &table, 0, 80);
	assert_int_equal(layout.columns[layout.nr - 1], TOP_KIND + PORT);
	/* The name stays, whatever is scrolled. */
	top_layout_make(&layout, TOP_VIEW_EXITS, &table, 2, 80);
	assert_int_equal(layout.columns[0], TOP_NAME);
	assert_int_equal(layout.columns[1], TOP_KIND);
	top_layout_make(&layout, TOP_VIEW_EXITS, &table, 1000, 80);
	assert_int_equal(layout.nr, 2);
	assert_int_equal(layout.columns[1], TOP_KIND + ZENDO_EXIT_KINDS - 1);
	top_layout_make(&layout, TOP_VIEW_DOMAINS, &table, 0, 1);
	assert_int_equal(layout.nr, 2);
}

static void test_names_are_printable(void **state)
{
	struct domain_view view = {.name = "a\033[2J\xc3\xa4"};
	struct top_row row = {.view = &view};
	struct top_layout layout = {.columns = {TOP_NAME}, .nr = 1, .name_width = 9};
	char text[TOP_CELL_SIZE];

	(void)state;
	top_format_cell(&layout, 0, &row, text);
	assert_string_equal(text, "a?[2J??  ");
	layout.name_width = 3;
	top_format_cell(&layout, 0, &row, text);
	assert_string_equal(text, "a?[");
	view.name = NULL;
	layout.name_width = 8;
	top_format_cell(&layout, 0, &row, text);
	assert_string_equal(text, "(null)  ");
}

static void test_print(void **state)
{
	struct top top = {.now = {.nr = 0}};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	take_several();
	top.table = table;
	top_print(&top, out);
	fclose(out);
	assert_non_null(strstr(text, "Name        ID  State  Time(s) CPU(%)   Mem Mem(%) VCPUs  "
				     "Exits/s interrupt   window hypercall    cpuid"));
	assert_non_null(strstr(text, "\nDomain-0     0 ------      0.0    0.0     0    0.0     0  "
				     "      -         -"));
	assert_non_null(strstr(text, "\nant          2 r-----      0.5   50.0   256   25.0     1  "
				     "    4.0       0.0"));
	free(text);
}

static void test_summary(void **state)
{
	char text[160];

	(void)state;
	take(&now, SECOND);
	top_format_summary(&now, 0, text, sizeof(text));
	assert_non_null(strstr(text, "  2 CPUs  1 domains  memory 1024 MiB, 0 free"));
}

static void test_json(void **state)
{
	struct top top = {.zl = &zl};
	struct json_object *all, *rows, *row, *exits;

	(void)state;
	take_several();
	top.table = table;
	top.now = now;
	all = top_to_json(&top, 1234);
	assert_int_equal(json_object_get_int(json_object_object_get(all, "time")), 1234);
	assert_true(json_object_get_double(json_object_object_get(all, "seconds")) == 1);
	rows = json_object_object_get(all, "domains");
	assert_int_equal(json_object_array_length(rows), 4);
	row = json_object_array_get_idx(rows, 1);
	assert_string_equal(json_object_get_string(json_object_object_get(row, "name")), "zebra");
	assert_int_equal(json_object_get_int(json_object_object_get(row, "memory_kib")), 262144);
	assert_true(json_object_get_double(json_object_object_get(row, "cpu_percent")) == 25);
	exits = json_object_object_get(row, "exits_per_second");
	assert_true(json_object_get_double(json_object_object_get(exits, "all")) == 4);
	assert_true(json_object_get_double(json_object_object_get(exits, "port")) == 3);
	row = json_object_array_get_idx(rows, 3);
	assert_null(json_object_object_get(row, "exits_per_second"));
	json_object_put(all);
}

/* The first sample of all has no rates, the second has, and the third is compared with that. */
static void test_next(void **state)
{
	struct top top = {.zl = &zl};

	(void)state;
	add_guest(1, 1, 0);
	assert_int_equal(top_next(&top), 0);
	assert_true(top.table.seconds == 0);
	for (unsigned int i = 0; i < 2; i++) {
		fake_counts[HLT] += 5;
		assert_int_equal(top_next(&top), 0);
		assert_true(top.table.seconds > 0);
		assert_true(top.table.rows[1].values[TOP_EXITS] * top.table.seconds > 4.99 &&
			    top.table.rows[1].values[TOP_EXITS] * top.table.seconds < 5.01);
	}
	top_free(&top);
}

static void test_delay(void **state)
{
	static const char *const bad[] = {"",  ".",  "0",     "0.09", "86401", "-1",
					  "x", "1x", "1.2.3", "inf",  "0x10",  " 1"};
	unsigned int ms = 0;

	(void)state;
	assert_int_equal(top_parse_delay("3", &ms), 0);
	assert_int_equal(ms, 3000);
	assert_int_equal(top_parse_delay("0.5", &ms), 0);
	assert_int_equal(ms, 500);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(top_parse_delay(bad[i], &ms), -EINVAL);
	assert_int_equal(ms, 500);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_first_sample),
		test(test_rates),
		test(test_time_does_not_pass),
		test(test_domains_come_and_go),
		test(test_id_used_again),
		test(test_counters_begin_anew),
		test(test_exits_not_readable),
		test(test_sort),
		test(test_views),
		test(test_layout),
		test(test_names_are_printable),
		test(test_print),
		test(test_summary),
		test(test_json),
		test(test_next),
		test(test_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
