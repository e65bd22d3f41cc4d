/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests about domains, and CONTROL.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "journal.h"
#include "request.h"
#include "watch.h"

static int parse_domid(const char *text, uint16_t *domid)
{
	uint64_t number;
	int ret = request_parse_number(text, DOMID_LIMIT - 1, &number);

	*domid = (uint16_t)number;
	return ret;
}

static int split_domid(struct request *req, uint16_t *domid)
{
	char *argv[1];
	int ret = request_split(req, argv, 1);

	return ret < 0 ? ret : parse_domid(argv[0], domid);
}

/* The introduced domain that the request names. */
static int split_domain(struct request *req, struct domain **domain)
{
	uint16_t domid;
	int ret = split_domid(req, &domid);

	if (ret)
		return ret;
	if (!domid)
		return -EINVAL;
	*domain = domain_find(req->store, domid);
	return *domain ? 0 : -ENOENT;
}

/* "<domid>|<frame>|<port>|": a frame may be written as a negative number. */
int request_introduce(struct request *req)
{
	uint64_t port;
	uint16_t domid;
	long long frame;
	char *argv[4], *end;
	int ret, argc = request_split(req, argv, 4);

	if (argc < 3)
		return -EINVAL;
	ret = parse_domid(argv[0], &domid);
	if (!ret)
		ret = request_parse_number(argv[2], UINT32_MAX, &port);
	if (ret)
		return ret;
	errno = 0;
	frame = strtoll(argv[1], &end, 10);
	if (errno || *end || end == argv[1] || !domid)
		return -EINVAL;
	ret = domain_introduce(req->store, domid, (uint64_t)frame, (uint32_t)port);
	if (ret)
		return ret;
	request_reply_ok(req);
	watch_fire_special(req->store, SPECIAL_INTRODUCE);
	return 0;
}

int request_release(struct request *req)
{
	struct domain *domain;
	int ret = split_domain(req, &domain);

	if (ret)
		return ret;
	if (domain->conn == req->conn)
		return -EINVAL;
	domain_release(domain, false);
	request_reply_ok(req);
	watch_fire_special(req->store, SPECIAL_RELEASE);
	return 0;
}

int request_resume(struct request *req)
{
	struct domain *domain;
	int ret = split_domain(req, &domain);

	if (ret)
		return ret;
	domain->is_shut_down = false;
	domain_record(domain);
	request_reply_ok(req);
	return 0;
}

int request_set_target(struct request *req)
{
	struct domain *domain;
	uint16_t domid, target;
	char *argv[2];
	int ret, argc = request_split(req, argv, 2);

	if (argc != 2)
		return -EINVAL;
	ret = parse_domid(argv[0], &domid);
	if (!ret)
		ret = parse_domid(argv[1], &target);
	if (ret)
		return ret;
	/* Domain 0 as a target would make the other one privileged. */
	if (!domid || !target || domid == target)
		return -EINVAL;
	domain = domain_find(req->store, domid);
	if (!domain || !domain_find(req->store, target))
		return -ENOENT;
	domain->conn->actor.target = target;
	domain->conn->actor.has_target = true;
	domain_record(domain);
	request_reply_ok(req);
	return 0;
}

int request_is_introduced(struct request *req)
{
	uint16_t domid;
	int ret = split_domid(req, &domid);

	if (ret)
		return ret;
	request_reply(req, !domid || domain_find(req->store, domid) ? "T" : "F", 2);
	return 0;
}

int request_get_domain_path(struct request *req)
{
	uint16_t domid;
	char path[32];
	int ret = split_domid(req, &domid);

	if (ret)
		return ret;
	request_reply(req, path,
		      (size_t)snprintf(path, sizeof(path), "/local/domain/%u", domid) + 1);
	return 0;
}

/* Text of a CONTROL answer, cut at what a message holds. */
struct text {
	char data[XENSTORE_PAYLOAD_MAX];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void text_add(struct text *text, const char *format,
							   ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->data + text->used, sizeof(text->data) - text->used, format, args);
	va_end(args);
	if (len > 0)
		text->used += (size_t)len;
	if (text->used > sizeof(text->data) - 1)
		text->used = sizeof(text->data) - 1;
}

static int control_check(struct request *req, int argc, char **argv, struct text *text)
{
	struct usage_list usage = {0};
	unsigned int bad = 0;
	int ret;

	(void)argv;
	if (argc != 1)
		return -EINVAL;
	ret = tree_count_usage(req->store->root, &usage);
	for (size_t i = 0; !ret && i < usage.count; i++) {
		const struct usage *entry = &usage.entries[i];
		const struct account *account = &req->store->accounts[entry->domid];

		if (account->nodes == entry->nodes && account->bytes == entry->bytes)
			continue;
		bad++;
		text_add(text, "domain %u: %ld nodes, %ld bytes; accounted %ld, %ld\n",
			 entry->domid, entry->nodes, entry->bytes, account->nodes, account->bytes);
	}
	usage_fini(&usage);
	if (!ret && !bad)
		text_add(text, "OK");
	return ret;
}

static int control_log(struct request *req, int argc, char **argv, struct text *text)
{
	if (argc != 2 || (strcmp(argv[1], "on") && strcmp(argv[1], "off")))
		return -EINVAL;
	req->store->is_traced = !strcmp(argv[1], "on");
	text_add(text, "OK");
	return 0;
}

static int control_print(struct request *req, int argc, char **argv, struct text *text)
{
	if (argc != 2)
		return -EINVAL;
	if (req->store->ops && req->store->ops->log)
		req->store->ops->log(req->store, argv[1]);
	text_add(text, "OK");
	return 0;
}

static int control_memreport(struct request *req, int argc, char **argv, struct text *text)
{
	struct store *store = req->store;
	struct domain *domain;
	struct conn *conn;
	unsigned int conns = 0;

	(void)argv;
	if (argc != 1)
		return -EINVAL;
	list_for_each_entry(conn, &store->conns, link)
		conns++;
	text_add(text, "connections %u\nwatches %u\njournal bytes %zu\n", conns, store->nr_watches,
		 journal_size(store->journal));
	text_add(text, "domain 0: nodes %ld bytes %ld\n", store->accounts[0].nodes,
		 store->accounts[0].bytes);
	list_for_each_entry(domain, &store->domains, link) {
		if (domain->domid)
			text_add(text, "domain %u: nodes %ld bytes %ld\n", domain->domid,
				 store->accounts[domain->domid].nodes,
				 store->accounts[domain->domid].bytes);
	}
	return 0;
}

/* "quota": the limits; "quota|<domid>": what is used; "quota|<name>|<value>": set one. */
static int control_quota(struct request *req, int argc, char **argv, struct text *text)
{
	struct store *store = req->store;
	struct domain *domain;
	uint16_t domid;
	int ret;

	if (argc == 3) {
		ret = quota_set(&store->quota, argv[1], argv[2]);
		if (!ret)
			text_add(text, "OK");
		return ret;
	}
	if (argc == 1) {
		for (int i = 0; i < QUOTA_KINDS; i++)
			text_add(text, "%-18s %ld\n", quota_name((enum quota_kind)i),
				 store->quota.limit[i]);
		return 0;
	}
	ret = parse_domid(argv[1], &domid);
	if (ret)
		return ret;
	domain = domain_find(store, domid);
	text_add(text, "%-18s %ld\n%-18s %ld\n", quota_name(QUOTA_NODES),
		 store->accounts[domid].nodes, quota_name(QUOTA_MEMORY),
		 store->accounts[domid].bytes + (domain ? domain->conn->held_bytes : 0));
	if (domain)
		text_add(text, "%-18s %u\n%-18s %u\n%-18s %u\n%-18s %u\n",
			 quota_name(QUOTA_WATCHES), domain->conn->nr_watches,
			 quota_name(QUOTA_TRANSACTIONS), domain->conn->nr_txs,
			 quota_name(QUOTA_OUTSTANDING), domain->conn->nr_replies,
			 quota_name(QUOTA_EVENTS), domain->conn->nr_events);
	return 0;
}

static int control_help(struct request *req, int argc, char **argv, struct text *text);

static const struct {
	const char *name;
	const char *usage;
	int (*run)(struct request *req, int argc, char **argv, struct text *text);
} controls[] = {
	{"check", "", control_check},	    {"help", "", control_help},
	{"log", "on|off", control_log},	    {"memreport", "", control_memreport},
	{"print", "<text>", control_print}, {"quota", "[<domid>|<name> <value>]", control_quota},
};

static int control_help(struct request *req, int argc, char **argv, struct text *text)
{
	(void)req;
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		text_add(text, "%-10s %s\n", controls[i].name, controls[i].usage);
	return 0;
}

int request_control(struct request *req)
{
	struct text text = {.used = 0};
	char *argv[8];
	int ret, argc = request_split(req, argv, 8);

	if (argc < 0)
		return argc;
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (strcmp(controls[i].name, argv[0]))
			continue;
		ret = controls[i].run(req, argc, argv, &text);
		if (ret)
			return ret;
		text.data[text.used] = '\0';
		request_reply(req, text.data, text.used + 1);
		return 0;
	}
	return -EINVAL;
}
