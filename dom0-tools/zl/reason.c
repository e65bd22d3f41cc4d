/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the record of ended domains, and the hypervisor's words about one that is still there.
 */
#include "zl/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "zl/json.h"
#include "zl/spec.h"

#define LINE_MAX_BYTES 2048

static struct json_object *ended_to_json(const struct ended_domain *ended)
{
	struct json_object *out = json_object_new_object();
	char uuid[37];

	uuid_format(ended->uuid, uuid);
	json_add_int(out, "time", ended->time);
	json_add_string(out, "name", ended->name);
	json_add_int(out, "domid", ended->domid);
	json_add_string(out, "uuid", uuid);
	json_add_string(out, "reason", ended->reason);
	json_add_string(out, "reason_text", ended->text);
	json_add_string(out, "action", ended->action);
	return out;
}

/* The record is full: begin a new one and keep the old beside it. */
static void ended_rotate(const char *path)
{
	struct stat st;
	char old[300];

	if (stat(path, &st) || st.st_size < ENDED_BYTES_MAX)
		return;
	snprintf(old, sizeof(old), "%s.old", path);
	rename(path, old);
}

int ended_add(const char *path, const struct ended_domain *ended)
{
	struct json_object *object = ended_to_json(ended);
	char line[LINE_MAX_BYTES];
	int fd, len, rc = 0;

	len = snprintf(line, sizeof(line), "%s\n",
		       json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	if (len < 0 || (size_t)len >= sizeof(line))
		return -E2BIG;
	ended_rotate(path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* One write of a whole line: lines of several monitors do not mix. */
	if (write(fd, line, (size_t)len) != len)
		rc = -EIO;
	close(fd);
	return rc;
}

static const char *field(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return "-";
	return json_object_get_string(value);
}

static void ended_print_line(struct json_object *object, FILE *out)
{
	struct json_object *value;
	char when[32] = "-";
	struct tm tm;
	time_t time;

	if (json_object_object_get_ex(object, "time", &value)) {
		time = (time_t)json_object_get_int64(value);
		if (localtime_r(&time, &tm))
			strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	}
	fprintf(out, "%-40s %5s %-19s  %-11s %-14s %s\n", field(object, "name"),
		field(object, "domid"), when, field(object, "reason"), field(object, "action"),
		field(object, "reason_text"));
}

int ended_print(const char *path, bool as_json, FILE *out)
{
	struct json_object *all = json_object_new_array(), *object;
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	if (!file && errno != ENOENT) {
		json_object_put(all);
		return -errno;
	}
	if (!as_json)
		fprintf(out, "%-40s %5s %-19s  %-11s %-14s %s\n", "Name", "ID", "Ended", "Reason",
			"Action", "Text");
	while (file && fgets(line, sizeof(line), file)) {
		object = json_tokener_parse(line);
		if (!object)
			continue;
		if (!as_json)
			ended_print_line(object, out);
		json_object_array_add(all, object);
	}
	if (file)
		fclose(file);
	if (as_json)
		return json_print(all, out) ? -EIO : 0;
	json_object_put(all);
	return 0;
}
