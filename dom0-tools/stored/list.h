/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A circular doubly linked list whose links live in the elements.
 */
#ifndef ZSTORED_LIST_H
#define ZSTORED_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* The body may delete `pos` but no other element. */
#define list_for_each_entry_safe(pos, tmp, head, member)                                           \
	for (pos = list_entry((head)->next, typeof(*pos), member),                                 \
	    tmp = list_entry(pos->member.next, typeof(*pos), member);                              \
	     &pos->member != (head);                                                               \
	     pos = tmp, tmp = list_entry(tmp->member.next, typeof(*tmp), member))

#define list_for_each_entry(pos, head, member)                                                     \
	for (pos = list_entry((head)->next, typeof(*pos), member); &pos->member != (head);         \
	     pos = list_entry(pos->member.next, typeof(*pos), member))

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Leaves the link pointing at itself, so that deleting twice does no harm. */
static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
