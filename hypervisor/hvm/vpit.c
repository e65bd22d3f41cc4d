/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 interval timer and port 61h, where channel 2's gate and output are
 * (Intel 8254 data sheet, "Programming The 8254", "Mode Definitions").  Counts are
 * computed from system time when they are read; only channel 0 has an interrupt.
 * BCD counting is not there, as on no machine that is still switched on.
 */
#include "hvm/platform_state.h"
#include "lib/errno.h"

#define PIT_HZ		       1193182U

#define CHANNEL_CONTROL	       3 /* the control word's port; in it: the read-back command */
#define READ_BACK_KEEPS_STATUS 0x10
#define READ_BACK_KEEPS_COUNT  0x20

/* read_state, write_state, count_latched: which byte is next; rw_mode, a control word's bits */
enum byte_state { BYTE_NONE, BYTE_LOW, BYTE_HIGH, BYTE_FIRST, BYTE_SECOND };

#define PORT61_GATE    0x01
#define PORT61_SPEAKER 0x02
#define PORT61_REFRESH 0x10
#define PORT61_OUT     0x20
#define REFRESH_NS     15085 /* IBM AT: a DRAM refresh toggles the bit */

static uint64_t elapsed(const struct vpit *t, unsigned int n)
{
	return hvm_ticks_from_ns(time_now() - t->started[n], PIT_HZ);
}

static bool is_periodic(const struct hvm_hw_pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

static uint16_t count_get(const struct vpit *t, unsigned int n)
{
	const struct hvm_hw_pit_channel *c = &t->hw.channels[n];
	uint64_t ticks = elapsed(t, n);

	if (!c->count)
		return 0;
	if (c->mode == 3)
		return c->count - 2 * ticks % c->count;
	return c->count - (c->mode == 2 ? ticks % c->count : ticks);
}

static bool output_get(const struct vpit *t, unsigned int n)
{
	const struct hvm_hw_pit_channel *c = &t->hw.channels[n];
	uint64_t ticks = elapsed(t, n);

	if (!c->count)
		return c->mode;
	switch (c->mode) {
	case 0:
	case 1:
		return ticks >= c->count;
	case 2:
		return ticks % c->count != c->count - 1;
	case 3:
		return ticks % c->count < (c->count + 1) / 2;
	default:
		return ticks != c->count;
	}
}

/* --- channel 0's interrupt --- */

static uint64_t period_ns(const struct vpit *t)
{
	return MAX(hvm_ns_from_ticks(t->hw.channels[0].count, PIT_HZ), HVM_PERIOD_MIN_NS);
}

static void arm(struct vpit *t)
{
	const struct hvm_hw_pit_channel *c = &t->hw.channels[0];

	/* 1 and 5 wait for a gate that is wired up */
	if (!c->count || c->mode == 1 || c->mode == 5) {
		timer_stop(&t->timer);
		return;
	}
	t->due = t->started[0] + period_ns(t);
	timer_set(&t->timer, t->due);
}

static void fired(void *arg)
{
	struct hvm_platform *p = arg;
	struct vpit *t = &p->pit;
	uint64_t now = time_now();

	spin_lock(&t->lock);
	if (t->due && t->due <= now) {
		if (!vhpet_is_legacy(p))
			hvm_isa_irq_pulse(p, 0);
		t->due = is_periodic(&t->hw.channels[0])
				 ? hvm_period_next(t->due, period_ns(t), now)
				 : 0;
		if (t->due)
			timer_set(&t->timer, t->due);
	}
	spin_unlock(&t->lock);
}

/* --- the ports --- */

static void count_load(struct vpit *t, unsigned int n, uint16_t val)
{
	t->hw.channels[n].count = val ? val : 0x10000;
	t->started[n] = time_now();
	if (!n)
		arm(t);
}

static void count_latch(struct vpit *t, unsigned int n)
{
	struct hvm_hw_pit_channel *c = &t->hw.channels[n];

	if (c->count_latched)
		return;
	c->latched_count = count_get(t, n);
	c->count_latched = c->rw_mode;
}

static void status_latch(struct vpit *t, unsigned int n)
{
	struct hvm_hw_pit_channel *c = &t->hw.channels[n];

	if (c->status_latched)
		return;
	c->status =
		output_get(t, n) << 7 | !c->count << 6 | c->rw_mode << 4 | c->mode << 1 | c->bcd;
	c->status_latched = 1;
}

static void read_back(struct vpit *t, uint8_t val)
{
	for (unsigned int n = 0; n < 3; n++) {
		if (!(val & 2U << n))
			continue;
		if (!(val & READ_BACK_KEEPS_COUNT))
			count_latch(t, n);
		if (!(val & READ_BACK_KEEPS_STATUS))
			status_latch(t, n);
	}
}

static void control_write(struct vpit *t, uint8_t val)
{
	struct hvm_hw_pit_channel *c;
	unsigned int n = val >> 6, rw_mode = val >> 4 & 3, mode = val >> 1 & 7;

	if (n == CHANNEL_CONTROL) {
		read_back(t, val);
		return;
	}
	if (!rw_mode) {
		count_latch(t, n);
		return;
	}
	c = &t->hw.channels[n];
	c->rw_mode = c->read_state = c->write_state = rw_mode;
	c->mode = mode > 5 ? mode - 4 : mode;
	c->bcd = val & 1;
	c->count_latched = c->status_latched = 0;
	c->count = 0; /* stands still until it is written */
	if (!n) {
		t->due = 0;
		timer_stop(&t->timer);
	}
}

static void count_write(struct vpit *t, unsigned int n, uint8_t val)
{
	struct hvm_hw_pit_channel *c = &t->hw.channels[n];

	switch (c->write_state) {
	case BYTE_LOW:
		count_load(t, n, val);
		return;
	case BYTE_HIGH:
		count_load(t, n, val << 8);
		return;
	case BYTE_FIRST:
		c->write_latch = val;
		c->write_state = BYTE_SECOND;
		return;
	default:
		count_load(t, n, c->write_latch | val << 8);
		c->write_state = BYTE_FIRST;
	}
}

static uint8_t byte_of(uint16_t val, unsigned int state)
{
	return state == BYTE_HIGH || state == BYTE_SECOND ? val >> 8 : val;
}

static uint8_t channel_read(struct vpit *t, unsigned int n)
{
	struct hvm_hw_pit_channel *c = &t->hw.channels[n];
	uint8_t state;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	state = c->count_latched;
	if (state) {
		c->count_latched = state == BYTE_FIRST ? BYTE_SECOND : BYTE_NONE;
		return byte_of(c->latched_count, state);
	}
	state = c->read_state;
	if (state >= BYTE_FIRST)
		c->read_state = state == BYTE_FIRST ? BYTE_SECOND : BYTE_FIRST;
	return byte_of(count_get(t, n), state);
}

uint64_t vpit_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	uint8_t val = 0;

	if (at == CHANNEL_CONTROL)
		return 0xff; /* write-only */
	spin_lock(&p->pit.lock);
	val = channel_read(&p->pit, at);
	spin_unlock(&p->pit.lock);
	return val;
}

void vpit_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	spin_lock(&p->pit.lock);
	if (at == CHANNEL_CONTROL)
		control_write(&p->pit, val);
	else
		count_write(&p->pit, at, val);
	spin_unlock(&p->pit.lock);
}

uint64_t vpit_port61_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	struct vpit *t = &p->pit;
	uint8_t val;

	spin_lock(&t->lock);
	val = (t->hw.channels[2].gate ? PORT61_GATE : 0) |
	      (t->hw.speaker_data_on ? PORT61_SPEAKER : 0) |
	      (time_now() / REFRESH_NS & 1 ? PORT61_REFRESH : 0) |
	      (output_get(t, 2) ? PORT61_OUT : 0);
	spin_unlock(&t->lock);
	return val;
}

void vpit_port61_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	struct vpit *t = &p->pit;
	struct hvm_hw_pit_channel *c = &t->hw.channels[2];
	bool gate = val & PORT61_GATE;

	spin_lock(&t->lock);
	/* Its rising edge starts the count anew in the modes that heed it. */
	if (gate && !c->gate && c->mode && c->mode != 4)
		t->started[2] = time_now();
	c->gate = gate;
	t->hw.speaker_data_on = !!(val & PORT61_SPEAKER);
	spin_unlock(&t->lock);
}

void vpit_init(struct hvm_platform *p)
{
	for (unsigned int n = 0; n < 3; n++) {
		p->pit.hw.channels[n].rw_mode = BYTE_FIRST;
		p->pit.hw.channels[n].read_state = BYTE_FIRST;
		p->pit.hw.channels[n].write_state = BYTE_FIRST;
		p->pit.hw.channels[n].gate = n != 2;
	}
	timer_init(&p->pit.timer, fired, p, cpu_info()->cpu);
}

int vpit_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_hw_pit *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_PIT))
		return -ENODEV;
	spin_lock(&d->hvm->platform->pit.lock);
	*r = d->hvm->platform->pit.hw;
	spin_unlock(&d->hvm->platform->pit.lock);
	return 0;
}

static bool channel_is_valid(const struct hvm_hw_pit_channel *c)
{
	return c->count <= 0x10000 && c->count_latched <= BYTE_SECOND && c->status_latched <= 1 &&
	       c->read_state <= BYTE_SECOND && c->write_state <= BYTE_SECOND &&
	       c->rw_mode <= BYTE_FIRST && c->mode <= 5 && c->bcd <= 1 && c->gate <= 1;
}

int vpit_load(struct domain *d, unsigned int instance, const void *rec)
{
	const struct hvm_hw_pit *r = rec;
	struct vpit *t;

	if (!hvm_has_device(d, XEN_X86_EMU_PIT))
		return -ENODEV;
	for (unsigned int n = 0; n < 3; n++)
		if (!channel_is_valid(&r->channels[n]))
			return -EINVAL;
	if (r->speaker_data_on > 1)
		return -EINVAL;
	t = &d->hvm->platform->pit;
	spin_lock(&t->lock);
	t->hw = *r;
	for (unsigned int n = 0; n < 3; n++)
		t->started[n] = time_now();
	arm(t);
	spin_unlock(&t->lock);
	return 0;
}
