/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO ABI: one event word per port in an array of guest pages, and for
 * each vCPU sixteen queues of linked words whose heads are in a control block,
 * a guest page too.
 *
 *   event word  31      30     29     28   27 17 16       0
 *              |PENDING|MASKED|LINKED|BUSY|  0  | LINK     |
 *
 * The guest may write all of it at any moment.  So the tails, and what the
 * port number of an event is, are kept here; LINK and head are only ever
 * written; and a guest that keeps changing a word loses its own queue.
 */
#include "evtchn/port.h"
#include "hvm/p2m.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "mm/page.h"

#define WORD_PENDING   (1U << EVTCHN_FIFO_PENDING)
#define WORD_MASKED    (1U << EVTCHN_FIFO_MASKED)
#define WORD_LINKED    (1U << EVTCHN_FIFO_LINKED)
#define WORD_BUSY      (1U << EVTCHN_FIFO_BUSY)

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define ARRAY_PAGES    (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)

/* A guest's other vCPUs may each spoil a few tries by (un)masking; BUSY stops the unmasking. */
#define LINK_TRIES	16
#define LINK_TRIES_FREE 4

struct evtchn_fifo {
	struct spinlock lock; /* irq-safe: all tails, last_vcpu/last_priority, pending_early */
	uint32_t pages;	      /* written under lock and d->evtchn.lock */
	event_word_t *array[ARRAY_PAGES]; /* each: a reference and a writable type reference */
};

struct evtchn_fifo_vcpu {
	struct evtchn_fifo_control_block *control; /* references as above */
	uint32_t tail[EVTCHN_FIFO_MAX_QUEUES];	   /* the port last put in, perhaps taken since */
};

/* NULL while the guest has not given the page. */
static event_word_t *fifo_word(const struct evtchn_fifo *f, port_t port)
{
	uint32_t page = port / WORDS_PER_PAGE;

	if (page >= __atomic_load_n(&f->pages, __ATOMIC_ACQUIRE))
		return NULL;
	return f->array[page] + port % WORDS_PER_PAGE;
}

/* Have the queue's last event point to `port`.  False: that event is not in the queue any more. */
static bool tail_link(event_word_t *tail, port_t port)
{
	event_word_t old = READ_ONCE(*tail);
	bool busy = false;

	for (unsigned int i = 0; i < LINK_TRIES && old & WORD_LINKED; i++) {
		event_word_t new = (old & ~(WORD_BUSY | EVTCHN_FIFO_LINK_MASK)) | port;

		if (__atomic_compare_exchange_n(tail, &old, new, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
		if (i == LINK_TRIES_FREE) {
			old = __atomic_or_fetch(tail, WORD_BUSY, __ATOMIC_SEQ_CST);
			busy = true;
		}
	}
	if (busy)
		__atomic_and_fetch(tail, ~WORD_BUSY, __ATOMIC_SEQ_CST);
	return false;
}

/* An event that was taken from the end of a queue is no end of it any more. */
static void tail_forget(const struct domain *d, const struct evtchn *ch)
{
	struct vcpu *last = evtchn_vcpu(d, ch->last_vcpu);
	struct evtchn_fifo_vcpu *fv = last ? last->evtchn.fifo : NULL;

	if (fv && fv->tail[ch->last_priority] == ch->port)
		fv->tail[ch->last_priority] = 0;
}

static void fifo_enqueue(struct vcpu *v, struct evtchn *ch, event_word_t *word)
{
	struct evtchn_fifo *f = v->domain->evtchn.fifo;
	struct evtchn_fifo_vcpu *fv = __atomic_load_n(&v->evtchn.fifo, __ATOMIC_ACQUIRE);
	unsigned int queue = READ_ONCE(ch->priority);
	event_word_t *tail;
	bool is_linked;

	if (!fv)
		return;
	spin_lock(&f->lock);
	if (__atomic_fetch_or(word, WORD_LINKED, __ATOMIC_SEQ_CST) & WORD_LINKED) {
		spin_unlock(&f->lock);
		return;
	}
	tail_forget(v->domain, ch);
	ch->last_vcpu = (uint16_t)v->id;
	ch->last_priority = (uint8_t)queue;

	tail = fv->tail[queue] ? fifo_word(f, fv->tail[queue]) : NULL;
	is_linked = tail && tail_link(tail, ch->port);
	if (!is_linked)
		__atomic_store_n(&fv->control->head[queue], ch->port, __ATOMIC_RELEASE);
	fv->tail[queue] = ch->port;
	spin_unlock(&f->lock);

	if (!is_linked &&
	    !(__atomic_fetch_or(&fv->control->ready, 1U << queue, __ATOMIC_SEQ_CST) & 1U << queue))
		vcpu_mark_events_pending(v);
}

/* True if the word has come to exist meanwhile. */
static bool fifo_note_early(struct evtchn_fifo *f, struct evtchn *ch)
{
	bool exists;

	spin_lock(&f->lock);
	exists = fifo_word(f, ch->port);
	if (!exists)
		ch->pending_early = true;
	spin_unlock(&f->lock);
	return exists;
}

static void fifo_set_pending(struct vcpu *v, struct evtchn *ch)
{
	struct evtchn_fifo *f = v->domain->evtchn.fifo;
	event_word_t *word = fifo_word(f, ch->port);
	event_word_t old;

	if (unlikely(!word)) {
		if (!fifo_note_early(f, ch))
			return;
		word = fifo_word(f, ch->port);
	}
	old = __atomic_fetch_or(word, WORD_PENDING, __ATOMIC_SEQ_CST);
	if (!(old & (WORD_MASKED | WORD_LINKED)))
		fifo_enqueue(v, ch, word);
}

static void fifo_clear_pending(struct domain *d, struct evtchn *ch)
{
	struct evtchn_fifo *f = d->evtchn.fifo;
	event_word_t *word;

	spin_lock(&f->lock);
	ch->pending_early = false;
	word = fifo_word(f, ch->port);
	if (word)
		__atomic_and_fetch(word, ~WORD_PENDING, __ATOMIC_SEQ_CST);
	spin_unlock(&f->lock);
}

static void fifo_unmask(struct domain *d, struct evtchn *ch)
{
	event_word_t *word = fifo_word(d->evtchn.fifo, ch->port);
	struct vcpu *v = evtchn_vcpu(d, ch->notify_vcpu);

	if (!word || !v)
		return;
	if (__atomic_and_fetch(word, ~WORD_MASKED, __ATOMIC_SEQ_CST) & WORD_PENDING)
		fifo_set_pending(v, ch);
}

static bool fifo_test(const struct domain *d, const struct evtchn *ch, event_word_t bit)
{
	const event_word_t *word = fifo_word(d->evtchn.fifo, ch->port);

	return word && READ_ONCE(*word) & bit;
}

static bool fifo_is_pending(const struct domain *d, const struct evtchn *ch)
{
	return fifo_test(d, ch, WORD_PENDING);
}

static bool fifo_is_masked(const struct domain *d, const struct evtchn *ch)
{
	return fifo_test(d, ch, WORD_MASKED);
}

static bool fifo_is_busy(const struct domain *d, const struct evtchn *ch)
{
	return fifo_test(d, ch, WORD_LINKED);
}

const struct evtchn_ops evtchn_ops_fifo = {
	.name = "FIFO",
	.max_ports = EVTCHN_FIFO_NR_CHANNELS,
	.set_pending = fifo_set_pending,
	.clear_pending = fifo_clear_pending,
	.unmask = fifo_unmask,
	.is_pending = fifo_is_pending,
	.is_masked = fifo_is_masked,
	.is_busy = fifo_is_busy,
};

/* A frame of d that stays writable, and d's, until guest_page_put. */
static void *guest_page_get(struct domain *d, uint64_t gfn)
{
	struct page *pg = page_get_guest_frame(d, gfn, true);

	return pg ? page_to_virt(pg) : NULL;
}

static void guest_page_put(void *v)
{
	page_put_and_type(virt_to_page(v));
}

/*
 * From now on senders use the FIFO; what they have raised by the 2-level ABI
 * up to here is carried over.  No event word exists yet.
 */
static void fifo_take_over(struct domain *d)
{
	__atomic_store_n(&d->evtchn.ops, &evtchn_ops_fifo, __ATOMIC_RELEASE);
	for (uint32_t port = 1; port < d->evtchn.ports; port++) {
		struct evtchn *ch = evtchn_lookup(d, port);
		uint64_t flags;

		if (ch->state == EVTCHNSTAT_closed)
			continue;
		flags = evtchn_quiesce(ch);
		if (evtchn_ops_two_level.is_pending(d, ch))
			(void)fifo_note_early(d->evtchn.fifo, ch);
		evtchn_release(ch, flags);
	}
}

static int control_set(struct domain *d, struct vcpu *v, void *block)
{
	struct evtchn_fifo_vcpu *fv;

	if (d->evtchn.closed || v->evtchn.fifo)
		return -EINVAL;
	fv = heap_alloc(sizeof(*fv));
	if (!fv)
		return -ENOMEM;
	if (!d->evtchn.fifo) {
		d->evtchn.fifo = heap_alloc(sizeof(*d->evtchn.fifo));
		if (!d->evtchn.fifo) {
			heap_free(fv);
			return -ENOMEM;
		}
	}
	fv->control = block;
	__atomic_store_n(&v->evtchn.fifo, fv, __ATOMIC_RELEASE);
	if (d->evtchn.ops != &evtchn_ops_fifo)
		fifo_take_over(d);
	return 0;
}

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op)
{
	struct vcpu *v = evtchn_vcpu(d, op->vcpu);
	char *page;
	int rc;

	if (!v)
		return -ENOENT;
	if (op->offset % 8 || op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))
		return -EINVAL;
	page = guest_page_get(d, op->control_gfn);
	if (!page)
		return -EINVAL;
	spin_lock(&d->evtchn.lock);
	rc = control_set(d, v, page + op->offset);
	spin_unlock(&d->evtchn.lock);
	if (rc)
		guest_page_put(page);
	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	memset(op->_pad, 0, sizeof(op->_pad));
	return rc;
}

/* Raise what was raised while the words from `first` on did not exist. */
static void deliver_early(struct domain *d, port_t first)
{
	struct evtchn_fifo *f = d->evtchn.fifo;

	for (port_t port = first; port < first + WORDS_PER_PAGE; port++) {
		struct evtchn *ch = evtchn_lookup(d, port);
		uint64_t flags;
		bool early;

		if (!ch || ch->state == EVTCHNSTAT_closed)
			continue;
		flags = evtchn_quiesce(ch);
		spin_lock(&f->lock);
		early = ch->pending_early;
		ch->pending_early = false;
		spin_unlock(&f->lock);
		if (early)
			evtchn_deliver(d, ch);
		evtchn_release(ch, flags);
	}
}

static int array_add(struct domain *d, event_word_t *words)
{
	struct evtchn_fifo *f = d->evtchn.fifo;
	uint32_t page;
	uint64_t flags;

	if (!f || d->evtchn.closed)
		return -EOPNOTSUPP;
	page = f->pages;
	if (page * WORDS_PER_PAGE >= d->evtchn.max_ports)
		return -ENOSPC;
	flags = spin_lock_irq(&f->lock);
	f->array[page] = words;
	__atomic_store_n(&f->pages, page + 1, __ATOMIC_RELEASE);
	spin_unlock_irq(&f->lock, flags);
	deliver_early(d, page * WORDS_PER_PAGE);
	return 0;
}

int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op)
{
	void *page = guest_page_get(d, op->array_gfn);
	int rc;

	if (!page)
		return -EINVAL;
	spin_lock(&d->evtchn.lock);
	rc = array_add(d, page);
	spin_unlock(&d->evtchn.lock);
	if (rc)
		guest_page_put(page);
	return rc;
}

int evtchn_fifo_set_priority(struct domain *d, const struct evtchn_set_priority *op)
{
	struct evtchn *ch = evtchn_lookup(d, op->port);
	int rc = 0;

	if (op->priority > EVTCHN_FIFO_PRIORITY_MIN || !ch)
		return -EINVAL;
	spin_lock(&d->evtchn.lock);
	if (d->evtchn.ops != &evtchn_ops_fifo)
		rc = -ENOSYS;
	else if (ch->state == EVTCHNSTAT_closed)
		rc = -EINVAL;
	else
		WRITE_ONCE(ch->priority, (uint8_t)op->priority);
	spin_unlock(&d->evtchn.lock);
	return rc;
}

void evtchn_fifo_fini(struct domain *d)
{
	struct evtchn_fifo *f = d->evtchn.fifo;
	struct vcpu *v;

	d->evtchn.ops = &evtchn_ops_two_level;
	d->evtchn.fifo = NULL;
	for_each_vcpu(d, v) {
		struct evtchn_fifo_vcpu *fv = v->evtchn.fifo;

		v->evtchn.fifo = NULL;
		if (fv)
			guest_page_put(fv->control);
		heap_free(fv);
	}
	for (uint32_t i = 0; f && i < f->pages; i++)
		guest_page_put(f->array[i]);
	heap_free(f);
}
