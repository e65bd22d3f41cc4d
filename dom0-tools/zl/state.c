/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: state files. A record is written whole, in one write of a fixed size, so a reader never
 * sees part of one; a new file gets its name only after it is locked and filled.
 */
#include "zl/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "zl/json.h"

#define RECORD_SIZE 512

static const char *const stage_names[] = {
	[STATE_BUILDING] = "building",
	[STATE_RUNNING] = "running",
	[STATE_PRESERVED] = "preserved",
};

static const char *state_dir(void)
{
	const char *dir = getenv("ZENDO_STATE_DIR");

	return dir && strlen(dir) < 64 ? dir : STATE_DIR;
}

static void state_path(char *path, size_t size, const char *leaf)
{
	snprintf(path, size, "%s/domains/%s", state_dir(), leaf);
}

static void state_uuid_path(char *path, size_t size, const uint8_t uuid[16])
{
	char leaf[48];

	uuid_format(uuid, leaf);
	strcat(leaf, ".json");
	state_path(path, size, leaf);
}

int state_init(void)
{
	char path[128];

	if (mkdir(state_dir(), 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/domains", state_dir());
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

int state_lock_creation(void)
{
	char path[128];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/create.lock", state_dir());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	do
		rc = flock(fd, LOCK_EX) ? -errno : 0;
	while (rc == -EINTR);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static void record_format(const struct state_record *record, char buf[RECORD_SIZE])
{
	struct json_object *object = json_object_new_object();
	char uuid[37];

	uuid_format(record->uuid, uuid);
	json_add_string(object, "name", record->name);
	json_add_string(object, "uuid", uuid);
	json_add_int(object, "domid", record->domid);
	json_add_string(object, "stage", stage_names[record->stage]);
	/* A name of 63 characters, each escaped as \u00XX, still fits. */
	memset(buf, ' ', RECORD_SIZE);
	snprintf(buf, RECORD_SIZE - 1, "%s",
		 json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	buf[strlen(buf)] = ' ';
	buf[RECORD_SIZE - 1] = '\n';
	json_object_put(object);
}

static const char *record_field(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static int record_parse(const char *text, struct state_record *record)
{
	struct json_object *object = json_tokener_parse(text);
	const char *stage;
	int rc = -EINVAL;
	size_t i;

	if (!object)
		return -EINVAL;
	memset(record, 0, sizeof(*record));
	snprintf(record->name, sizeof(record->name), "%s", record_field(object, "name"));
	record->domid = (domid_t)atoi(record_field(object, "domid"));
	stage = record_field(object, "stage");
	for (i = 0; rc && i < sizeof(stage_names) / sizeof(stage_names[0]); i++) {
		if (!strcmp(stage, stage_names[i])) {
			record->stage = (enum state_stage)i;
			rc = uuid_parse(record_field(object, "uuid"), record->uuid);
		}
	}
	json_object_put(object);
	return rc;
}

static int record_read(int fd, struct state_record *record)
{
	char buf[RECORD_SIZE + 1];
	ssize_t len = pread(fd, buf, RECORD_SIZE, 0);

	if (len <= 0)
		return -EINVAL;
	buf[len] = '\0';
	return record_parse(buf, record);
}

int state_write(struct state_file *file, const struct state_record *record)
{
	char buf[RECORD_SIZE];

	if (file->fd < 0)
		return -EBADF;
	record_format(record, buf);
	return pwrite(file->fd, buf, sizeof(buf), 0) == sizeof(buf) ? 0 : -EIO;
}

void state_discard_unborn(void)
{
	char temporary[128];

	state_path(temporary, sizeof(temporary), ".new");
	unlink(temporary);
}

int state_create(struct state_file *file, const struct state_record *record)
{
	char temporary[128];
	int rc;

	/* One creator at a time: what is there under this name was left by a killed one. */
	state_path(temporary, sizeof(temporary), ".new");
	state_uuid_path(file->path, sizeof(file->path), record->uuid);
	unlink(temporary);
	file->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file->fd < 0)
		return -errno;
	rc = flock(file->fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	if (!rc)
		rc = state_write(file, record);
	if (!rc && link(temporary, file->path))
		rc = -errno;
	unlink(temporary);
	if (rc)
		state_release(file);
	return rc;
}

void state_release(struct state_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

void state_remove(struct state_file *file)
{
	if (file->fd >= 0)
		unlink(file->path);
	state_release(file);
}

/* The lock on `path`, if nobody has it and the file still has this name. */
static int state_try_lock(const char *path)
{
	struct stat opened, named;
	int fd = open(path, O_RDWR | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else if (fstat(fd, &opened) || stat(path, &named) || opened.st_ino != named.st_ino)
		rc = -ENOENT;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int state_adopt(const uint8_t uuid[16], int timeout_ms, struct state_file *file,
		struct state_record *record)
{
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	int waited, rc;

	state_uuid_path(file->path, sizeof(file->path), uuid);
	file->fd = state_try_lock(file->path);
	for (waited = 0; file->fd == -EBUSY && waited < timeout_ms; waited += 5) {
		nanosleep(&pause, NULL);
		file->fd = state_try_lock(file->path);
	}
	if (file->fd < 0) {
		rc = file->fd;
		file->fd = -1;
		return rc;
	}
	return record_read(file->fd, record);
}

/* A file of its own beside the record's, locked by whoever asks. */
static void state_stop_path(char *path, size_t size, const uint8_t uuid[16])
{
	char leaf[48] = ".";

	uuid_format(uuid, leaf + 1);
	strcat(leaf, ".stop");
	state_path(path, size, leaf);
}

int state_request_stop(const uint8_t uuid[16])
{
	char path[128];
	int fd;

	state_stop_path(path, sizeof(path), uuid);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* Several may ask: one lock is as good as two. */
	flock(fd, LOCK_EX | LOCK_NB);
	return fd;
}

void state_end_stop(const uint8_t uuid[16], int fd)
{
	char path[128];

	state_stop_path(path, sizeof(path), uuid);
	unlink(path);
	close(fd);
}

bool state_is_stop_requested(const uint8_t uuid[16])
{
	bool is_requested;
	char path[128];
	int fd;

	state_stop_path(path, sizeof(path), uuid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_requested = flock(fd, LOCK_EX | LOCK_NB) != 0;
	close(fd);
	return is_requested;
}

static int state_visit_one(const char *leaf,
			   int (*visit)(void *arg, const struct state_record *record,
					bool is_owned),
			   void *arg)
{
	struct state_record record;
	bool is_owned = false;
	char path[400];
	int fd, rc;

	state_path(path, sizeof(path), leaf);
	fd = state_try_lock(path);
	if (fd == -EBUSY) {
		is_owned = true;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return 0;
	rc = record_read(fd, &record);
	if (rc && !is_owned)
		unlink(path);
	/* The visitor may want to adopt the file: give the lock back first. */
	close(fd);
	return rc ? 0 : visit(arg, &record, is_owned);
}

int state_visit(int (*visit)(void *arg, const struct state_record *record, bool is_owned),
		void *arg)
{
	struct dirent *entry;
	char path[128];
	int rc = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/domains", state_dir());
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			rc = state_visit_one(entry->d_name, visit, arg);
	closedir(dir);
	return rc;
}
