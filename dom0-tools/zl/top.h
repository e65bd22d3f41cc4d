/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl top: two samples of all domains, the rates between them, and how these are laid out. A
 * value of the table is found by its column, so that sorting, text and JSON need no case for each.
 * Only top_screen.c knows terminals, only top_sample.c the hypervisor.
 */
#ifndef ZENDO_ZL_TOP_H
#define ZENDO_ZL_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "zendo.h"

struct domain_view;
struct json_object;
struct zl;

struct top_exits {
	uint32_t kinds; /* 0: nobody counted them */
	uint64_t counts[ZENDO_EXIT_COUNTS];
};

/* One moment. Domains in rising order, exits[] of each over all its vCPUs. */
struct top_sample {
	uint64_t ns; /* CLOCK_MONOTONIC */
	uint64_t total_pages, free_pages;
	uint32_t nr_cpus;
	struct domain_view *views;
	struct top_exits *exits;
	size_t nr;
};

/* Returns 0 or -E; in any case the caller frees it with top_sample_free(). */
int top_sample_read(struct zl *zl, struct top_sample *sample);
void top_sample_free(struct top_sample *sample);

enum top_column {
	TOP_NAME,
	TOP_STATE,
	TOP_ID,
	TOP_CPU_SECONDS,
	TOP_CPU_PERCENT, /* of one CPU */
	TOP_MEMORY,	 /* MiB */
	TOP_MEMORY_PERCENT,
	TOP_VCPUS,
	TOP_EXITS, /* per second, as each kind from here on */
	TOP_KIND,
	TOP_COLUMNS = TOP_KIND + ZENDO_EXIT_COUNTS,
};

/* What a column holds that no value is known for; known ones are not negative. */
#define TOP_UNKNOWN (-1.0)

struct top_row {
	const struct domain_view *view; /* the sample's */
	double values[TOP_COLUMNS];	/* but for the name and the state */
};

struct top_table {
	struct top_row *rows;
	size_t nr;
	double seconds;			/* between the samples; 0: there was but one */
	uint32_t kinds;			/* the most that any domain has */
	double sums[ZENDO_EXIT_COUNTS]; /* per second, of all domains */
};

/*
 * The rates from one sample to the next; `before` may be empty. Rows are in rising order of
 * domains and good for as long as `now` is. The caller frees ->rows. 0 or -ENOMEM.
 */
int top_table_make(const struct top_sample *before, const struct top_sample *now,
		   struct top_table *table);
/* Largest first, names and IDs rising; the other way round if `reverse`. */
void top_table_sort(struct top_table *table, enum top_column column, bool reverse);

/* Samples that follow each other, beginning as {.zl = ...}; the table is that of the last two. */
struct top {
	struct zl *zl;
	struct top_sample before, now;
	struct top_table table;
};

/* Take the next sample. 0 or -E. */
int top_next(struct top *top);
void top_free(struct top *top);

enum top_view {
	TOP_VIEW_DOMAINS, /* ends with the kinds of exits, the most frequent first */
	TOP_VIEW_EXITS,	  /* exits alone, in zendo.h's order */
	TOP_VIEW_ALL,	  /* all that there is, in zendo.h's order */
};

/* All columns of a view, in order; returns how many. */
unsigned int top_view_columns(enum top_view view, const struct top_table *table,
			      enum top_column columns[TOP_COLUMNS]);

struct top_layout {
	enum top_column columns[TOP_COLUMNS];
	unsigned int nr;
	int name_width;
};

/*
 * The columns that fit into `width`: the name, then the others but for the first `skip` of them.
 * At least the name and one other are there.
 */
void top_layout_make(struct top_layout *layout, enum top_view view, const struct top_table *table,
		     unsigned int skip, int width);

#define TOP_CELL_SIZE 128
/* Column number `i`, filled up to its width; `row` NULL gives the title. */
void top_format_cell(const struct top_layout *layout, unsigned int i, const struct top_row *row,
		     char text[TOP_CELL_SIZE]);
/* The machine in one line. */
void top_format_summary(const struct top_sample *sample, time_t now, char *text, size_t size);

void top_print(const struct top *top, FILE *out);
struct json_object *top_to_json(const struct top *top, time_t now);

/* Seconds, with or without a fraction, 0.1 to 86400. 0 or -EINVAL. */
int top_parse_delay(const char *text, unsigned int *ms);

/*
 * Show it on this terminal until a key ends it, or `iterations` samples (0: no end) were shown.
 * -ENOTTY: nothing is known about this type of terminal.
 */
int top_screen(struct zl *zl, unsigned int delay_ms, unsigned long iterations);

#endif
