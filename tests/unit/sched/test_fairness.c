/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler in simulated time: several CPUs, their timers and softirqs,
 * and vCPUs that spin, or run and block.  What each got of the CPUs is
 * compared with what it should have got.
 *
 * Links: sched/sched.c sched/runqueue.c sched/runstate.c sched/cap.c sched/vcpu_area.c
 * Links: time/timer.c lib/bits.c
 */
#include "fake.h"

#include "cpu/cpu.h"
#include "cpu/softirq.h"
#include "pv/pv.h"
#include "sched/runqueue.h"
#include "time/time.h"

#define VCPUS_MAX 64
#define SECOND	  1000000000UL

/* --- the machine around the scheduler --- */

static unsigned int nr_cpus;
static uint32_t pending[FAKE_CPUS];
static jmp_buf switched[FAKE_CPUS];
static bool in_softirq[FAKE_CPUS];

void softirq_register(enum softirq nr, void (*fn)(void))
{
	(void)nr;
	(void)fn;
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	pending[cpu] |= 1u << nr;
}

void softirq_raise(enum softirq nr)
{
	softirq_raise_on(fake_cpu, nr);
}

no_return void context_switch(struct vcpu *prev, struct vcpu *next)
{
	CHECK(cpu_info()->vcpu == prev);
	CHECK(!irq_is_enabled());
	CHECK(prev->sched.is_running && next->sched.is_running);
	cpu_info()->vcpu = next;
	sched_switched(prev);
	irq_enable();
	longjmp(switched[fake_cpu], 1);
}

bool vcpu_has_upcall(const struct vcpu *v)
{
	(void)v;
	return false;
}

bool pv_walk(struct vcpu *v, uint64_t va, uint64_t *l1e, paddr_t *l1e_paddr)
{
	(void)v, (void)va, (void)l1e, (void)l1e_paddr;
	return false;
}

bool page_get_writable(struct page *pg)
{
	(void)pg;
	return false;
}

void page_put_and_type(struct page *pg)
{
	(void)pg;
}

void vtime_vcpu_scheduled(struct vcpu *v, unsigned int cpu)
{
	(void)v, (void)cpu;
}

void vcpu_info_release(struct vcpu *v)
{
	(void)v;
}

void sched_watchdogs_init(struct domain *d)
{
	(void)d;
}

/* --- the simulation --- */

struct actor {
	struct vcpu *v;
	uint64_t burst, sleep; /* 0, 0: spins for ever */
	uint64_t left;	       /* of the present burst */
	uint64_t wakes_at;     /* ~0: not asleep */
	uint64_t worst_wait;   /* from wake to run */
	uint64_t woken_at;
};

static struct actor actors[VCPUS_MAX];
static unsigned int nr_actors;

static struct actor *actor_of(const struct vcpu *v)
{
	for (unsigned int i = 0; i < nr_actors; i++)
		if (actors[i].v == v)
			return &actors[i];
	return NULL;
}

static void softirqs_run(unsigned int cpu)
{
	fake_cpu_set(cpu);
	if (setjmp(switched[cpu])) {
		struct actor *a = actor_of(current);

		if (a && a->woken_at) {
			a->worst_wait = MAX(a->worst_wait, fake_time - a->woken_at);
			a->woken_at = 0;
		}
	}
	in_softirq[cpu] = true;
	while (pending[cpu]) {
		if (pending[cpu] & 1u << SOFTIRQ_TIMER) {
			pending[cpu] &= ~(1u << SOFTIRQ_TIMER);
			timer_softirq();
		} else {
			pending[cpu] = 0;
			sched_run();
		}
	}
	in_softirq[cpu] = false;
}

static void all_softirqs_run(void)
{
	bool again;

	do {
		again = false;
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			if (!pending[cpu])
				continue;
			softirqs_run(cpu);
			again = true;
		}
	} while (again);
}

static uint64_t next_event(void)
{
	uint64_t t = ~0UL;

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct actor *a = actor_of(fake_cpu_infos[cpu].vcpu);

		t = MIN(t, MAX(fake_timer_deadline[cpu], fake_time));
		if (a && a->burst)
			t = MIN(t, fake_time + a->left);
	}
	for (unsigned int i = 0; i < nr_actors; i++)
		t = MIN(t, actors[i].wakes_at);
	return t;
}

static void bursts_advance(uint64_t ns)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct actor *a = actor_of(fake_cpu_infos[cpu].vcpu);

		if (a && a->burst)
			a->left -= MIN(a->left, ns);
	}
}

static void bursts_end(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct actor *a;

		fake_cpu_set(cpu);
		a = actor_of(current);
		if (!a || !a->burst || a->left)
			continue;
		a->left = a->burst;
		a->wakes_at = fake_time + a->sleep;
		vcpu_block();
	}
}

static void sleepers_wake(void)
{
	for (unsigned int i = 0; i < nr_actors; i++) {
		if (actors[i].wakes_at > fake_time)
			continue;
		actors[i].wakes_at = ~0UL;
		actors[i].woken_at = fake_time;
		fake_cpu_set(i % nr_cpus);
		vcpu_kick(actors[i].v);
	}
}

static void timers_fire(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		if (fake_timer_deadline[cpu] > fake_time)
			continue;
		fake_timer_deadline[cpu] = ~0UL;
		fake_cpu_set(cpu);
		timer_interrupt();
	}
}

/* A vCPU is on at most one CPU, and no CPU idles while somebody it could run waits. */
static void invariants_check(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct vcpu *v = fake_cpu_infos[cpu].vcpu;

		CHECK(per_cpu(runqueue, cpu).curr == v);
		CHECK(v->sched.cpu == cpu && v->sched.is_running && !v->sched.is_queued);
		for (unsigned int other = 0; other < cpu; other++)
			CHECK(fake_cpu_infos[other].vcpu != v);
		if (!vcpu_is_idle(v))
			continue;
		for (unsigned int i = 0; i < nr_actors; i++)
			CHECK(!actors[i].v->sched.is_queued ||
			      !cpumask_test(&actors[i].v->sched.affinity, cpu));
	}
}

static void simulate(uint64_t ns)
{
	uint64_t end = fake_time + ns;

	all_softirqs_run();
	while (fake_time < end) {
		uint64_t t = MIN(next_event(), end);

		bursts_advance(t - fake_time);
		fake_time = t;
		bursts_end();
		sleepers_wake();
		timers_fire();
		all_softirqs_run();
		invariants_check();
	}
}

static void machine_start(unsigned int cpus)
{
	nr_cpus = cpus;
	nr_actors = 0;
	memset(actors, 0, sizeof(actors));
	memset(pending, 0, sizeof(pending));
	memset(percpu_runqueue, 0, sizeof(percpu_runqueue));
	cpumask_zero(&sched_idle_cpus);
	cpumask_zero(&cpu_online);
	sched_nr_waiting = 0;
	fake_time = SECOND;
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		fake_timer_deadline[cpu] = ~0UL;
		cpumask_set(&cpu_online, cpu);
		fake_cpu_set(cpu);
		sched_cpu_init(cpu);
	}
}

static struct domain *domain_make(domid_t id, unsigned int vcpus, uint16_t weight, uint16_t cap)
{
	struct domain *d = fake_domain(id, vcpus);
	struct vcpu *v;

	sched_domain_init(d);
	CHECK_EQ(sched_set_params(d, weight, cap), 0);
	for_each_vcpu(d, v) {
		memset(&v->sched, 0, sizeof(v->sched));
		CHECK_EQ(sched_vcpu_init(v), 0);
		actors[nr_actors++] = (struct actor){.v = v, .wakes_at = ~0UL};
	}
	return d;
}

static void vcpu_start(struct vcpu *v)
{
	atomic_bit_clear(&v->flags, VCPU_F_DOWN);
	v->sched.pause_count = 0;
	fake_cpu_set(0);
	vcpu_wake(v);
}

static void domain_start(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vcpu_start(v);
}

static struct domain *spinner(domid_t id, uint16_t weight, uint16_t cap)
{
	struct domain *d = domain_make(id, 1, weight, cap);

	domain_start(d);
	return d;
}

static void pin(struct domain *d, unsigned int cpu)
{
	struct cpumask mask = {{0}};
	struct vcpu *v;

	bit_set(mask.bits, cpu);
	for_each_vcpu(d, v)
		CHECK_EQ(vcpu_set_affinity(v, &mask, NULL), 0);
}

/* Timers of domains that are freed must not stay set. */
static void machine_stop(void)
{
	for (unsigned int i = 0; i < nr_actors; i++)
		sched_domain_fini(actors[i].v->domain);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		timer_kill(&per_cpu(runqueue, cpu).slice);
}

#define SIMULATION(name)                     \
	static void simulation_##name(void); \
	TEST(name)                           \
	{                                    \
		simulation_##name();         \
		machine_stop();              \
	}                                    \
	static void simulation_##name(void)

/* Percent of one CPU in the last `ns`. */
static double share(struct domain *d, const uint64_t *before, uint64_t ns)
{
	uint64_t used = 0;
	struct vcpu *v;

	for_each_vcpu(d, v)
		used += vcpu_cpu_time(v) - (before ? before[v->id] : 0);
	return 100.0 * used / ns;
}

#define CHECK_SHARE(d, ns, want, tolerance)                                                       \
	do {                                                                                      \
		double got = share(d, NULL, ns);                                                  \
                                                                                                  \
		if (got < (want) - (tolerance) || got > (want) + (tolerance))                     \
			fake_test_fail(__FILE__, __LINE__, "%s got %.1f%%, want %.1f%%", #d, got, \
				       (double)(want));                                           \
	} while (0)

SIMULATION(equal_spinners_share_one_cpu)
{
	struct domain *a, *b, *c;

	machine_start(1);
	a = spinner(1, 256, 0);
	b = spinner(2, 256, 0);
	c = spinner(3, 256, 0);
	simulate(3 * SECOND);
	CHECK_SHARE(a, 3 * SECOND, 33.3, 1);
	CHECK_SHARE(b, 3 * SECOND, 33.3, 1);
	CHECK_SHARE(c, 3 * SECOND, 33.3, 1);
}

/* A vCPU's device model, blocked, and the vCPU that it serves, on a CPU of its own: its number. */
static unsigned int served_start(struct domain **model, struct domain **guest)
{
	*model = spinner(1, 256, 0);
	*guest = spinner(2, 256, 0);
	all_softirqs_run();
	fake_cpu_set((*model)->vcpus[0]->sched.cpu);
	vcpu_block();
	all_softirqs_run();
	return (*guest)->vcpus[0]->sched.cpu;
}

static void ask(struct vcpu *guest, struct vcpu *model)
{
	fake_cpu_set(guest->sched.cpu);
	vcpu_io_wait();
	vcpu_kick(model);
}

SIMULATION(who_waits_for_a_device_model_hands_it_the_cpu)
{
	struct domain *model, *guest;
	unsigned int cpu;

	machine_start(2);
	cpu = served_start(&model, &guest);
	ask(guest->vcpus[0], model->vcpus[0]);
	CHECK_EQ(pending[!cpu], 0);
	all_softirqs_run();
	CHECK(fake_cpu_infos[cpu].vcpu == model->vcpus[0]);
	fake_cpu_set(cpu);
	vcpu_io_wake(guest->vcpus[0]);
	CHECK_EQ(pending[0] | pending[1], 0);
	vcpu_block();
	CHECK_EQ(pending[!cpu], 0);
	all_softirqs_run();
	CHECK(fake_cpu_infos[cpu].vcpu == guest->vcpus[0]);
}

SIMULATION(an_idle_cpu_comes_when_a_device_model_goes_on)
{
	struct domain *model, *guest;
	unsigned int cpu;

	machine_start(2);
	cpu = served_start(&model, &guest);
	ask(guest->vcpus[0], model->vcpus[0]);
	all_softirqs_run();
	fake_cpu_set(cpu);
	vcpu_io_wake(guest->vcpus[0]);
	fake_time += SCHED_HANDOFF;
	timers_fire();
	all_softirqs_run();
	invariants_check();
	CHECK(fake_cpu_infos[!cpu].vcpu == guest->vcpus[0]);
}

SIMULATION(a_device_models_cpu_may_be_forbidden)
{
	struct domain *model, *guest;
	unsigned int cpu;

	machine_start(2);
	cpu = served_start(&model, &guest);
	pin(model, !cpu);
	ask(guest->vcpus[0], model->vcpus[0]);
	all_softirqs_run();
	CHECK(fake_cpu_infos[!cpu].vcpu == model->vcpus[0]);
	fake_cpu_set(!cpu);
	pin(guest, cpu);
	vcpu_io_wake(guest->vcpus[0]);
	all_softirqs_run();
	CHECK(fake_cpu_infos[cpu].vcpu == guest->vcpus[0]);
}

SIMULATION(weights_hold_on_one_cpu)
{
	struct domain *a, *b, *c;

	machine_start(1);
	a = spinner(1, 512, 0);
	b = spinner(2, 256, 0);
	c = spinner(3, 64, 0);
	simulate(5 * SECOND);
	CHECK_SHARE(a, 5 * SECOND, 61.5, 2);
	CHECK_SHARE(b, 5 * SECOND, 30.8, 2);
	CHECK_SHARE(c, 5 * SECOND, 7.7, 2);
}

SIMULATION(three_equals_share_two_cpus)
{
	struct domain *a, *b, *c;

	machine_start(2);
	a = spinner(1, 256, 0);
	b = spinner(2, 256, 0);
	c = spinner(3, 256, 0);
	simulate(3 * SECOND);
	CHECK_SHARE(a, 3 * SECOND, 66.7, 2);
	CHECK_SHARE(b, 3 * SECOND, 66.7, 2);
	CHECK_SHARE(c, 3 * SECOND, 66.7, 2);
}

SIMULATION(weights_hold_across_cpus)
{
	struct domain *a, *b[3];

	machine_start(2);
	a = spinner(1, 512, 0);
	for (int i = 0; i < 3; i++)
		b[i] = spinner(2 + i, 256, 0);
	simulate(5 * SECOND);
	CHECK_SHARE(a, 5 * SECOND, 80, 4);
	for (int i = 0; i < 3; i++)
		CHECK_SHARE(b[i], 5 * SECOND, 40, 4);
}

SIMULATION(a_weight_too_heavy_to_hold_starves_nobody)
{
	struct domain *heavy, *a, *b;

	machine_start(2);
	heavy = spinner(1, 65535, 0);
	a = spinner(2, 256, 0);
	b = spinner(3, 256, 0);
	simulate(5 * SECOND);
	CHECK_SHARE(heavy, 5 * SECOND, 100, 2);
	CHECK_SHARE(a, 5 * SECOND, 50, 3);
	CHECK_SHARE(b, 5 * SECOND, 50, 3);
}

SIMULATION(nine_domains_of_four_vcpus_on_eight_cpus)
{
	struct domain *d[9];

	machine_start(8);
	for (int i = 0; i < 9; i++) {
		d[i] = domain_make(1 + i, 4, 256, 0);
		domain_start(d[i]);
	}
	simulate(5 * SECOND);
	for (int i = 0; i < 9; i++)
		CHECK_SHARE(d[i], 5 * SECOND, 800.0 / 9, 5);
}

SIMULATION(caps_hold)
{
	struct domain *capped, *two, *rest;

	machine_start(2);
	capped = spinner(1, 256, 25);
	two = domain_make(2, 2, 256, 50);
	domain_start(two);
	rest = spinner(3, 256, 0);
	simulate(5 * SECOND);
	CHECK_SHARE(capped, 5 * SECOND, 25, 1.5);
	CHECK_SHARE(two, 5 * SECOND, 50, 2);
	CHECK(share(rest, NULL, 5 * SECOND) > 60);
}

SIMULATION(a_lifted_cap_frees_the_parked)
{
	struct domain *d;
	uint64_t before;

	machine_start(1);
	d = spinner(1, 256, 10);
	simulate(SECOND + 20 * MS);
	before = vcpu_cpu_time(d->vcpus[0]);
	CHECK_EQ(sched_set_params(d, 256, 0), 0);
	simulate(SECOND);
	CHECK(share(d, &before, SECOND) > 99);
}

SIMULATION(pinned_vcpus_stay)
{
	struct domain *a, *b, *c;

	machine_start(2);
	a = domain_make(1, 1, 256, 0);
	b = domain_make(2, 1, 256, 0);
	c = domain_make(3, 1, 256, 0);
	pin(a, 0);
	pin(b, 0);
	pin(c, 1);
	domain_start(a);
	domain_start(b);
	domain_start(c);
	simulate(2 * SECOND);
	CHECK_SHARE(a, 2 * SECOND, 50, 1);
	CHECK_SHARE(b, 2 * SECOND, 50, 1);
	CHECK_SHARE(c, 2 * SECOND, 100, 1);
	CHECK_EQ(a->vcpus[0]->sched.cpu, 0);
	CHECK_EQ(b->vcpus[0]->sched.cpu, 0);
	CHECK_EQ(c->vcpus[0]->sched.cpu, 1);
}

SIMULATION(unpinning_after_long_unfairness_starves_nobody)
{
	struct domain *a, *b, *lucky;
	struct cpumask all;
	uint64_t before[3];

	machine_start(2);
	a = domain_make(1, 1, 256, 0);
	b = domain_make(2, 1, 256, 0);
	lucky = domain_make(3, 1, 256, 0);
	pin(a, 0);
	pin(b, 0);
	pin(lucky, 1);
	domain_start(a);
	domain_start(b);
	domain_start(lucky);
	simulate(20 * SECOND);
	cpumask_fill(&all);
	CHECK_EQ(vcpu_set_affinity(a->vcpus[0], &all, NULL), 0);
	CHECK_EQ(vcpu_set_affinity(b->vcpus[0], &all, NULL), 0);
	CHECK_EQ(vcpu_set_affinity(lucky->vcpus[0], &all, NULL), 0);
	before[0] = vcpu_cpu_time(lucky->vcpus[0]);
	simulate(SECOND);
	CHECK(share(lucky, before, SECOND) > 55);
}

SIMULATION(a_move_of_affinity_moves_the_running)
{
	struct domain *a;

	machine_start(2);
	a = spinner(1, 256, 0);
	simulate(10 * MS);
	pin(a, !a->vcpus[0]->sched.cpu);
	simulate(10 * MS);
	pin(a, !a->vcpus[0]->sched.cpu);
	simulate(10 * MS);
	CHECK_SHARE(a, 30 * MS, 100, 1);
}

SIMULATION(a_sleeper_runs_soon_after_it_wakes)
{
	struct domain *io, *hogs[4];

	machine_start(2);
	for (int i = 0; i < 4; i++)
		hogs[i] = spinner(1 + i, 256, 0);
	io = domain_make(9, 1, 256, 0);
	actors[nr_actors - 1].burst = 200000;
	actors[nr_actors - 1].left = 200000;
	actors[nr_actors - 1].sleep = 3 * MS;
	domain_start(io);
	/* new ones are equals at first */
	simulate(50 * MS);
	actors[nr_actors - 1].worst_wait = 0;
	simulate(3 * SECOND);
	CHECK(actors[nr_actors - 1].worst_wait <= 1 * MS);
	CHECK_SHARE(io, 3 * SECOND, 6, 1.5);
	CHECK_SHARE(hogs[0], 3 * SECOND, 48.5, 4);
}

SIMULATION(sleeping_briefly_gains_nothing)
{
	struct domain *cheat, *honest;

	machine_start(1);
	honest = spinner(1, 256, 0);
	cheat = domain_make(2, 1, 256, 0);
	actors[nr_actors - 1].burst = 9 * MS;
	actors[nr_actors - 1].left = 9 * MS;
	actors[nr_actors - 1].sleep = 1000;
	domain_start(cheat);
	simulate(5 * SECOND);
	CHECK(share(cheat, NULL, 5 * SECOND) < 53);
	CHECK(share(honest, NULL, 5 * SECOND) > 47);
}

SIMULATION(one_that_slept_long_starves_nobody)
{
	struct domain *old, *late;
	uint64_t before;

	machine_start(1);
	old = spinner(1, 256, 0);
	late = domain_make(2, 1, 256, 0);
	simulate(60 * SECOND);
	domain_start(late);
	before = vcpu_cpu_time(old->vcpus[0]);
	simulate(100 * MS);
	CHECK(share(old, &before, 100 * MS) > 40);
}

SIMULATION(random_loads_keep_every_cpu_busy)
{
	unsigned int seed = 12345;

	machine_start(4);
	for (int i = 0; i < 12; i++) {
		struct domain *d = domain_make(1 + i, 2, 64 + 100 * (i % 4), i % 5 ? 0 : 60);

		for (unsigned int n = nr_actors - 2; n < nr_actors; n++) {
			if (i % 3 == 0)
				continue;
			seed = seed * 1103515245 + 12345;
			actors[n].burst = actors[n].left = 10000 + seed % (8 * MS);
			seed = seed * 1103515245 + 12345;
			actors[n].sleep = 1000 + seed % (20 * MS);
		}
		domain_start(d);
	}
	/* the invariants are what is checked here */
	simulate(3 * SECOND);
}

SIMULATION(pause_stops_and_unpause_continues)
{
	struct domain *a;
	struct vcpu *v;
	uint64_t before;

	machine_start(2);
	a = spinner(1, 256, 0);
	v = a->vcpus[0];
	simulate(10 * MS);
	v->sched.pause_count = 1;
	fake_cpu_set(!v->sched.cpu);
	vcpu_sleep(v);
	all_softirqs_run();
	CHECK(!v->sched.is_running && !v->sched.is_queued);
	CHECK_EQ(v->sched.state, RUNSTATE_offline);
	before = vcpu_cpu_time(v);
	simulate(10 * MS);
	CHECK_EQ(vcpu_cpu_time(v), before);
	v->sched.pause_count = 0;
	vcpu_wake(v);
	simulate(10 * MS);
	CHECK(vcpu_cpu_time(v) - before > 9 * MS);
}

SIMULATION(yield_lets_the_other_run)
{
	struct domain *a, *b;
	struct vcpu *first, *second;

	machine_start(1);
	a = spinner(1, 256, 0);
	b = spinner(2, 256, 0);
	simulate(MS);
	fake_cpu_set(0);
	first = current;
	second = first == a->vcpus[0] ? b->vcpus[0] : a->vcpus[0];
	vcpu_yield();
	all_softirqs_run();
	fake_cpu_set(0);
	CHECK(current == second);
}

SIMULATION(run_states_add_up)
{
	struct vcpu_runstate_info info;
	struct domain *io;
	uint64_t begin, idle;

	machine_start(1);
	begin = fake_time;
	idle = cpu_idle_time(0);
	spinner(1, 256, 0);
	io = domain_make(2, 1, 256, 0);
	actors[nr_actors - 1].burst = actors[nr_actors - 1].left = 2 * MS;
	actors[nr_actors - 1].sleep = 5 * MS;
	domain_start(io);
	simulate(SECOND);
	vcpu_runstate_get(io->vcpus[0], &info);
	CHECK_EQ(info.time[0] + info.time[1] + info.time[2] + info.time[3], fake_time - begin);
	CHECK(info.time[RUNSTATE_blocked] > 600 * MS);
	CHECK(info.time[RUNSTATE_running] > 200 * MS);
	CHECK_EQ(cpu_idle_time(0), idle);
}

SIMULATION(idle_time_counts)
{
	uint64_t before;

	machine_start(2);
	spinner(1, 256, 0);
	before = cpu_idle_time(0) + cpu_idle_time(1);
	simulate(SECOND);
	CHECK(cpu_idle_time(0) + cpu_idle_time(1) - before > 990 * MS);
	CHECK(cpu_idle_time(0) + cpu_idle_time(1) - before < 1010 * MS);
}

SIMULATION(parameters_out_of_range_are_refused)
{
	struct cpumask none = {{0}}, offline = {{0}};
	struct domain *d;

	machine_start(2);
	d = spinner(1, 256, 0);
	CHECK_EQ(sched_set_params(d, 0, 0), -EINVAL);
	CHECK_EQ(sched_set_params(d, 256, 201), -EINVAL);
	CHECK_EQ(sched_set_params(d, 256, 200), 0);
	bit_set(offline.bits, 5);
	CHECK_EQ(vcpu_set_affinity(d->vcpus[0], &none, NULL), -EINVAL);
	CHECK_EQ(vcpu_set_affinity(d->vcpus[0], &offline, NULL), -EINVAL);
	CHECK_EQ(sched_pin_override(d->vcpus[0], 5), -EINVAL);
	CHECK_EQ(sched_pin_override(d->vcpus[0], 1000000), -EINVAL);
}

SIMULATION(no_affinity_goes_beyond_what_is_usable)
{
	struct cpumask all, only0 = {{0}}, only1 = {{0}};
	struct domain *d;
	struct vcpu *v;

	machine_start(2);
	d = spinner(1, 256, 0);
	v = d->vcpus[0];
	cpumask_fill(&all);
	bit_set(only0.bits, 0);
	bit_set(only1.bits, 1);
	sched_vcpu_confine(v, &only1);
	CHECK_EQ(vcpu_set_affinity(v, &only0, NULL), -EINVAL);
	CHECK_EQ(vcpu_set_affinity(v, &all, NULL), 0);
	CHECK(!cpumask_test(&v->sched.affinity, 0));
	simulate(10 * MS);
	CHECK_EQ(v->sched.cpu, 1);
}

SIMULATION(pin_override_and_back)
{
	struct cpumask only1 = {{0}};
	struct domain *d;
	struct vcpu *v;

	machine_start(2);
	d = spinner(1, 256, 0);
	v = d->vcpus[0];
	CHECK_EQ(sched_pin_override(v, 0), 0);
	CHECK_EQ(sched_pin_override(v, 1), -EBUSY);
	simulate(10 * MS);
	CHECK_EQ(v->sched.cpu, 0);
	bit_set(only1.bits, 1);
	/* what the tools ask meanwhile holds afterwards */
	CHECK_EQ(vcpu_set_affinity(v, &only1, NULL), 0);
	simulate(10 * MS);
	CHECK_EQ(v->sched.cpu, 0);
	CHECK_EQ(sched_pin_override(v, -1), 0);
	simulate(10 * MS);
	CHECK_EQ(v->sched.cpu, 1);
}
