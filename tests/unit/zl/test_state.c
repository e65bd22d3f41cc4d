/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What killed processes leave: state files without an owner, half-built domains, nodes. Whatever
 * the mixture, the sweep cleans what is dead and touches nothing that lives.
 *
 * Tools: zl/state.c zl/teardown.c zl/domains.c zl/domains_show.c zl/lifecycle.c zl/uuid.c
 * Tools: zl/json.c zl/context.c device lib/config
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "model/model.h"
#include "zl/state.h"
#include "zl/teardown.h"

static char dir[] = "/tmp/zl-state-XXXXXX";
static struct zl zl;

/* The device model's library stands behind this one call; the last domain that it was made for. */
static unsigned int killed_model;

void model_kill(unsigned int domid)
{
	killed_model = domid;
}

static int set_up(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/domains", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(state_init(), 0);
	fake_reset(&zl);
	return 0;
}

static struct state_record record_of(const char *name, uint8_t uuid_byte, domid_t domid,
				     enum state_stage stage)
{
	struct state_record record = {.domid = domid, .stage = stage};

	memset(record.uuid, uuid_byte, sizeof(record.uuid));
	snprintf(record.name, sizeof(record.name), "%s", name);
	return record;
}

/* A file whose owner was killed. */
static void leave(const struct state_record *record)
{
	struct state_file file;

	assert_int_equal(state_create(&file, record), 0);
	state_release(&file);
}

static int count(void *arg, const struct state_record *record, bool is_owned)
{
	int *counts = arg;

	(void)record;
	counts[is_owned]++;
	return 0;
}

static int files(void)
{
	int counts[2] = {0, 0};

	assert_int_equal(state_visit(count, counts), 0);
	return counts[0] + counts[1];
}

static void test_owner(void **state)
{
	struct state_record record = record_of("guest \"1\"\n", 1, 0, STATE_BUILDING), read;
	struct state_file file, again;
	int counts[2] = {0, 0};

	(void)state;
	assert_int_equal(state_create(&file, &record), 0);
	/* The same UUID a second time, and taking it from a living owner. */
	assert_int_equal(state_create(&again, &record), -EEXIST);
	assert_int_equal(state_adopt(record.uuid, 0, &again, &read), -EBUSY);
	assert_int_equal(state_adopt(record.uuid, 30, &again, &read), -EBUSY);
	assert_int_equal(state_visit(count, counts), 0);
	assert_int_equal(counts[1], 1);
	record.domid = 7;
	record.stage = STATE_RUNNING;
	assert_int_equal(state_write(&file, &record), 0);
	state_release(&file);
	assert_int_equal(state_adopt(record.uuid, 0, &again, &read), 0);
	assert_string_equal(read.name, record.name);
	assert_int_equal(read.domid, 7);
	assert_int_equal(read.stage, STATE_RUNNING);
	assert_memory_equal(read.uuid, record.uuid, 16);
	state_remove(&again);
	assert_int_equal(state_adopt(record.uuid, 0, &again, &read), -ENOENT);
	assert_int_equal(files(), 0);
}

/* Killed between making the file and giving it its name. */
static void test_unnamed_file(void **state)
{
	struct state_record record = record_of("guest", 1, 0, STATE_BUILDING);
	struct state_file file;
	char path[100];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/domains/.new", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(files(), 0);
	assert_int_equal(state_create(&file, &record), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(files(), 1);
	state_remove(&file);
}

static void test_longest_name(void **state)
{
	struct state_record record = record_of("", 1, 65535, STATE_PRESERVED), read;
	struct state_file file;

	(void)state;
	memset(record.name, 1, SPEC_NAME_MAX); /* each byte is escaped as six */
	leave(&record);
	assert_int_equal(state_adopt(record.uuid, 0, &file, &read), 0);
	assert_string_equal(read.name, record.name);
	state_remove(&file);
}

static void test_garbage(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"stage\":\"no\"}",
					    "{\"stage\":\"building\",\"uuid\":\"x\"}"};
	char path[100];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(path, sizeof(path), "%s/domains/g%zu.json", dir, i);
		fd = open(path, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		close(fd);
	}
	/* Of no use and nobody's: gone, and no reason to fail. */
	assert_int_equal(sweep_orphans(&zl, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(files(), 0);
}

static void add_nodes(const char *domid)
{
	char path[100];

	snprintf(path, sizeof(path), "/local/domain/%s/name", domid);
	fake_store_set(path, "guest");
	snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%s/51712/state", domid);
	fake_store_set(path, "1");
}

static void test_half_built(void **state)
{
	struct state_record record = record_of("guest", 5, 0, STATE_BUILDING);

	(void)state;
	/* Killed before the file could say the number: the UUID finds it. */
	leave(&record);
	fake_domain_add(9, 5);
	add_nodes("9");
	fake_store_set("/vm/05050505-0505-0505-0505-050505050505/name", "guest");
	assert_int_equal(sweep_orphans(&zl, "guest"), 1);
	assert_false(fake_domain_exists(9));
	assert_null(fake_store_get("/local/domain/9"));
	assert_null(fake_store_get("/local/domain/0/backend/vbd/9"));
	assert_null(fake_store_get("/vm/05050505-0505-0505-0505-050505050505"));
	assert_int_equal(files(), 0);
	assert_int_equal(sweep_orphans(&zl, "guest"), 0);
}

static void test_nothing_made_yet(void **state)
{
	struct state_record record = record_of("guest", 5, 0, STATE_BUILDING);

	(void)state;
	leave(&record);
	add_nodes("3");
	fake_domain_add(3, 1);
	assert_int_equal(sweep_orphans(&zl, "other"), 0);
	assert_int_equal(files(), 0);
	assert_true(fake_domain_exists(3));
	assert_non_null(fake_store_get("/local/domain/3/name"));
	/* Number 0 stands for "none", never for dom0. */
	assert_true(fake_domain_exists(0));
	assert_non_null(fake_store_get("/local/domain/0"));
}

static void test_running_is_left(void **state)
{
	struct state_record record = record_of("guest", 5, 9, STATE_RUNNING);

	(void)state;
	leave(&record);
	fake_domain_add(9, 5);
	add_nodes("9");
	assert_int_equal(sweep_orphans(&zl, "guest"), 0);
	assert_true(fake_domain_exists(9));
	assert_non_null(fake_store_get("/local/domain/9/name"));
	assert_int_equal(files(), 1);
}

static void test_ended_unwatched(void **state)
{
	struct state_record record = record_of("guest", 5, 9, STATE_RUNNING);

	(void)state;
	leave(&record);
	add_nodes("9");
	assert_int_equal(sweep_orphans(&zl, "guest"), 1);
	assert_null(fake_store_get("/local/domain/9"));
	assert_null(fake_store_get("/local/domain/0/backend/vbd/9"));
	assert_int_equal(files(), 0);
}

static void test_number_of_another(void **state)
{
	struct state_record record = record_of("guest", 5, 9, STATE_BUILDING);

	(void)state;
	leave(&record);
	fake_domain_add(9, 6);
	add_nodes("9");
	assert_int_equal(sweep_orphans(&zl, NULL), 0);
	assert_true(fake_domain_exists(9));
	assert_non_null(fake_store_get("/local/domain/9/name"));
	assert_non_null(fake_store_get("/local/domain/0/backend/vbd/9/51712/state"));
	assert_int_equal(files(), 0);
}

static void test_owned_is_left(void **state)
{
	struct state_record record = record_of("guest", 5, 9, STATE_BUILDING);
	struct state_file file;

	(void)state;
	assert_int_equal(state_create(&file, &record), 0);
	fake_domain_add(9, 5);
	assert_int_equal(sweep_orphans(&zl, "guest"), 0);
	assert_true(fake_domain_exists(9));
	state_remove(&file);
}

static void test_teardown_again(void **state)
{
	uint8_t uuid[16];

	(void)state;
	memset(uuid, 5, sizeof(uuid));
	fake_domain_add(9, 5);
	add_nodes("9");
	assert_int_equal(domain_teardown(&zl, 9, uuid, true), 0);
	assert_false(fake_domain_exists(9));
	assert_int_equal(domain_teardown(&zl, 9, uuid, true), 0);
	assert_null(fake_store_get("/local/domain/9"));
}

static void test_stop_request(void **state)
{
	uint8_t uuid[16] = {7}, other[16] = {8};
	int fd;

	(void)state;
	assert_false(state_is_stop_requested(uuid));
	fd = state_request_stop(uuid);
	assert_true(fd >= 0);
	assert_true(state_is_stop_requested(uuid));
	assert_false(state_is_stop_requested(other));
	/* It is no record, and no business of the sweep. */
	assert_int_equal(files(), 0);
	/* The asker is killed: its wish dies with it. */
	close(fd);
	assert_false(state_is_stop_requested(uuid));
	fd = state_request_stop(uuid);
	assert_true(state_is_stop_requested(uuid));
	state_end_stop(uuid, fd);
	assert_false(state_is_stop_requested(uuid));
}

static void test_creation_lock(void **state)
{
	int lock = state_lock_creation();

	(void)state;
	assert_true(lock >= 0);
	close(lock);
	lock = state_lock_creation();
	assert_true(lock >= 0);
	close(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_owner, set_up),
		cmocka_unit_test_setup(test_unnamed_file, set_up),
		cmocka_unit_test_setup(test_longest_name, set_up),
		cmocka_unit_test_setup(test_garbage, set_up),
		cmocka_unit_test_setup(test_half_built, set_up),
		cmocka_unit_test_setup(test_nothing_made_yet, set_up),
		cmocka_unit_test_setup(test_running_is_left, set_up),
		cmocka_unit_test_setup(test_ended_unwatched, set_up),
		cmocka_unit_test_setup(test_number_of_another, set_up),
		cmocka_unit_test_setup(test_owned_is_left, set_up),
		cmocka_unit_test_setup(test_teardown_again, set_up),
		cmocka_unit_test_setup(test_stop_request, set_up),
		cmocka_unit_test_setup(test_creation_lock, set_up),
	};
	char command[100];
	int failed;

	if (!mkdtemp(dir) || setenv("ZENDO_STATE_DIR", dir, 1))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) ? 1 : failed;
}
