/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GNTTABOP_copy: bytes from one frame to another, each the caller's own or
 * granted to it.  Backends do this for every packet, mostly many pieces from
 * or to the same page in a row, so each side stays pinned until another page
 * is named or the batch ends.
 */
#include "grant/table.h"
#include "hvm/p2m.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"

/* One side of the copy, pinned. */
struct side {
	bool is_pinned;
	/* what was asked for */
	bool is_ref, is_write;
	domid_t domid;
	uint64_t id; /* grant reference or frame number */
	/* what came of it */
	struct domain *granter, *trans_granter; /* references */
	struct grant_hold hold, trans_hold;
	struct page *page;
	uint16_t offset, length; /* the part that may be used */
};

static int16_t side_pin_page(struct side *s, struct domain *owner, uint64_t frame)
{
	s->page = page_get_guest_frame(owner, frame, s->is_write);
	return s->page ? GNTST_okay : GNTST_bad_page;
}

/*
 * The grant that a transitive one passes on must be its granter's to use, and
 * a whole or a part of a page: it is not followed any further.
 */
static int16_t side_pin_transitive(struct side *s, domid_t domid, uint32_t ref)
{
	domid_t next_domid;
	uint32_t next_ref;
	int16_t status;

	s->trans_granter = domain_get_live(domid);
	if (!s->trans_granter)
		return GNTST_general_error;
	status = grant_acquire(s->trans_granter, ref, s->granter->id, s->is_write, false,
			       &s->trans_hold);
	if (status)
		goto put;
	status = GNTST_general_error;
	if (!grant_hold_is_transitive(&s->trans_hold, &next_domid, &next_ref))
		status = side_pin_page(s, s->trans_granter, s->trans_hold.frame);
	if (!status) {
		s->offset = s->trans_hold.offset;
		s->length = s->trans_hold.length;
		return GNTST_okay;
	}
	grant_release(&s->trans_hold);
put:
	domain_put(s->trans_granter);
	s->trans_granter = NULL;
	return status;
}

static int16_t side_pin_ref(struct side *s)
{
	domid_t trans_domid;
	uint32_t trans_ref;
	int16_t status;

	s->granter = domain_get_live(s->domid);
	if (!s->granter)
		return GNTST_bad_domain;
	status = grant_acquire(s->granter, (uint32_t)s->id, current->domain->id, s->is_write, false,
			       &s->hold);
	if (status)
		goto put;
	s->offset = s->hold.offset;
	s->length = s->hold.length;
	if (grant_hold_is_transitive(&s->hold, &trans_domid, &trans_ref))
		status = side_pin_transitive(s, trans_domid, trans_ref);
	else
		status = side_pin_page(s, s->granter, s->hold.frame);
	if (!status)
		return GNTST_okay;
	grant_release(&s->hold);
put:
	domain_put(s->granter);
	s->granter = NULL;
	return status;
}

static void side_unpin(struct side *s)
{
	if (!s->is_pinned)
		return;
	page_put_guest_frame(s->page, s->is_write);
	if (s->trans_granter) {
		grant_release(&s->trans_hold);
		domain_put(s->trans_granter);
	}
	if (s->granter) {
		grant_release(&s->hold);
		domain_put(s->granter);
	}
	s->is_pinned = false;
}

static int16_t side_pin(struct side *s, const struct gnttab_copy_ptr *ptr, bool is_ref)
{
	uint64_t id = is_ref ? ptr->u.ref : ptr->u.gmfn;
	bool is_write = s->is_write;
	int16_t status;

	if (s->is_pinned && s->is_ref == is_ref && s->domid == ptr->domid && s->id == id)
		return GNTST_okay;
	side_unpin(s);
	*s = (struct side){
		.is_ref = is_ref,
		.is_write = is_write,
		.domid = ptr->domid,
		.id = id,
		.length = PAGE_SIZE,
	};
	/* A frame that is not granted must be one's own. */
	if (is_ref)
		status = side_pin_ref(s);
	else if (ptr->domid == DOMID_SELF)
		status = side_pin_page(s, current->domain, id);
	else
		status = GNTST_permission_denied;
	s->is_pinned = !status;
	return status;
}

static bool side_covers(const struct side *s, uint16_t offset, uint16_t len)
{
	return offset >= s->offset && offset + len <= s->offset + s->length;
}

static int16_t copy_one(const struct gnttab_copy *op, struct side *from, struct side *to)
{
	int16_t status;

	if (op->source.offset + op->len > (int)PAGE_SIZE ||
	    op->dest.offset + op->len > (int)PAGE_SIZE)
		return GNTST_bad_copy_arg;
	status = side_pin(from, &op->source, op->flags & GNTCOPY_source_gref);
	if (status)
		return status;
	status = side_pin(to, &op->dest, op->flags & GNTCOPY_dest_gref);
	if (status)
		return status;
	if (!side_covers(from, op->source.offset, op->len) ||
	    !side_covers(to, op->dest.offset, op->len))
		return GNTST_general_error;
	memmove((char *)page_to_virt(to->page) + op->dest.offset,
		(const char *)page_to_virt(from->page) + op->source.offset, op->len);
	return GNTST_okay;
}

long grant_copy_batch(void *guest, uint32_t count, uint32_t *done)
{
	struct gnttab_copy *ops = guest;
	struct side from = {.is_write = false}, to = {.is_write = true};
	long rc = 0;

	for (; *done < count; (*done)++) {
		struct gnttab_copy op;

		if (*done && hypercall_preempt_check()) {
			rc = -ERESTART;
			break;
		}
		if (copy_in(&op, &ops[*done], sizeof(op))) {
			rc = -EFAULT;
			break;
		}
		op.status = copy_one(&op, &from, &to);
		if (copy_out(&ops[*done].status, &op.status, sizeof(op.status))) {
			rc = -EFAULT;
			break;
		}
	}
	side_unpin(&from);
	side_unpin(&to);
	return rc;
}
