/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for back ends: that readiness, failure, cancellation and silence are each told apart,
 * and that an event which came while an answer was waited for is not slept over. This machine has
 * no back ends: the fake store plays the kernel's part.
 *
 * Tools: device lib/config
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "device/deadline.h"
#include "device/devices.h"
#include "fixture.h"

#define BACK  "/local/domain/0/backend/vbd/7"
#define ERROR "/local/domain/0/error/backend/vbd/7"

/* Long enough to be seen when it is slept through. */
#define LONG_MS 3000

static struct disk_spec disks[2] = {{.vdev = "xvda", .devid = 1}, {.vdev = "xvdb", .devid = 2}};
static const struct domain_devices devices = {.disks = disks, .nr_disks = 2};
static struct device_error error;
static struct zl zl;

static int set_up(void **state)
{
	(void)state;
	fake_reset(&zl);
	fake_store_set(BACK "/1/state", "1");
	fake_store_set(BACK "/2/state", "1");
	memset(&error, 0, sizeof(error));
	return 0;
}

static int wait_ready(int timeout_ms, int cancel_fd)
{
	return devices_wait_ready(zl.store, 7, &devices, timeout_ms, cancel_fd, &error);
}

static void both_ready(void)
{
	fake_store_set(BACK "/1/state", "2");
	fake_store_set(BACK "/2/state", "4");
}

static void second_gives_up(void)
{
	fake_store_set(BACK "/1/state", "2");
	fake_store_set(BACK "/2/state", "5");
	fake_store_set(ERROR "/2/error", "2 creating vbd structure");
}

static void test_ready_at_once(void **state)
{
	(void)state;
	both_ready();
	assert_int_equal(wait_ready(LONG_MS, -1), 0);
}

static void test_queued_event(void **state)
{
	int64_t deadline = deadline_after(LONG_MS / 2);

	(void)state;
	/* The store's descriptor shows nothing: the library has read the event already. */
	fake_store_meanwhile = both_ready;
	assert_int_equal(wait_ready(LONG_MS, -1), 0);
	assert_true(deadline_left(deadline) > 0);
}

static void test_gives_up(void **state)
{
	(void)state;
	fake_store_meanwhile = second_gives_up;
	assert_int_equal(wait_ready(LONG_MS, -1), -EIO);
	assert_non_null(strstr(error.text, "vbd 2"));
	assert_non_null(strstr(error.text, "creating vbd structure"));
}

static void test_nodes_gone(void **state)
{
	(void)state;
	fake_reset(&zl);
	assert_int_equal(wait_ready(LONG_MS, -1), -ENOENT);
}

static void test_silence(void **state)
{
	(void)state;
	fake_store_set(BACK "/1/state", "2");
	assert_int_equal(wait_ready(50, -1), -ETIMEDOUT);
	assert_non_null(strstr(error.text, "vbd 2"));
	assert_non_null(strstr(error.text, "xen-blkback"));
}

static void test_cancelled(void **state)
{
	int64_t deadline = deadline_after(LONG_MS / 2);
	int fds[2];

	(void)state;
	/* Whoever asked is gone: the other end of the pipe is closed. */
	assert_int_equal(pipe(fds), 0);
	close(fds[1]);
	assert_int_equal(wait_ready(LONG_MS, fds[0]), -ECANCELED);
	assert_true(deadline_left(deadline) > 0);
	close(fds[0]);
}

static void test_removal(void **state)
{
	(void)state;
	fake_store_set("/local/domain/7/device/vbd/1/state", "4");
	fake_store_set("/local/domain/0/backend/vif/7/0/state", "4");
	fake_store_set("/local/domain/0/backend/vbd/8/1/state", "4");
	fake_store_set(ERROR "/1/error", "x");
	assert_int_equal(devices_remove(zl.store, 7, 50, false), 0);
	assert_null(fake_store_get(BACK));
	assert_null(fake_store_get(ERROR));
	assert_null(fake_store_get("/local/domain/0/backend/vif/7"));
	assert_null(fake_store_get("/local/domain/7/device"));
	assert_non_null(fake_store_get("/local/domain/0/backend/vbd/8/1/state"));
	/* Doing it again finds nothing, and makes nothing. */
	assert_int_equal(devices_remove(zl.store, 7, 50, false), 0);
	assert_null(fake_store_get(BACK));
	assert_int_equal(fake_store_loose_writes, 0);
}

static void test_removal_from_nothing(void **state)
{
	(void)state;
	fake_reset(&zl);
	assert_int_equal(devices_remove(zl.store, 7, 50, true), 0);
	assert_int_equal(fake_store_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ready_at_once, set_up),
		cmocka_unit_test_setup(test_queued_event, set_up),
		cmocka_unit_test_setup(test_gives_up, set_up),
		cmocka_unit_test_setup(test_nodes_gone, set_up),
		cmocka_unit_test_setup(test_silence, set_up),
		cmocka_unit_test_setup(test_cancelled, set_up),
		cmocka_unit_test_setup(test_removal, set_up),
		cmocka_unit_test_setup(test_removal_from_nothing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
