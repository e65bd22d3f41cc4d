/* SPDX-License-Identifier: BSD-2-Clause */
/* What a debug key shows: from the serial line (three Ctrl-A first) or `zl debug-keys`. */
#include "cpu/cpu.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "dev/console.h"
#include "dev/irq.h"
#include "domain/domain.h"
#include "lib/printk.h"
#include "mm/alloc.h"
#include "time/time.h"

static void each_domain(void (*fn)(struct domain *))
{
	for (unsigned int id = 0; id < DOMID_FIRST_RESERVED; id++) {
		struct domain *d = domain_get(id);

		if (!d)
			continue;
		fn(d);
		domain_put(d);
	}
}

static void show_domain(struct domain *d)
{
	struct vcpu *v;

	printk("d%u%s: %lu of %lu pages, %u references%s%s%s %s\n", d->id,
	       d->is_privileged ? " (privileged)" : "", d->mm.tot_pages, d->mm.max_pages,
	       d->references, d->is_dying ? ", dying" : "", d->is_shut_down ? ", shut down" : "",
	       d->paused_by_controller ? ", paused" : "", d->reason);
	for_each_vcpu (d, v)
		printk("  vCPU %u: CPU %u state %d pauses %u flags %#lx upcall %u mask %u rip %lx\n",
		       v->id, v->sched.cpu, v->sched.state, v->sched.pause_count, v->flags,
		       v->info->evtchn_upcall_pending, v->info->evtchn_upcall_mask, v->regs.rip);
}

static void show_domains(void)
{
	each_domain(show_domain);
}

static void show_evtchns(void)
{
	each_domain(evtchn_dump);
}

static void show_grants(void)
{
	each_domain(grant_dump);
}

static void show_memory(void)
{
	printk("%lu of %lu frames free\n", frames_free_count(), frames_total_count());
	heap_dump();
}

static void show_time(void)
{
	printk("system time %lu ns, TSC %lu kHz\n", time_now(), tsc_khz());
}

static void show_registers_here(void *arg)
{
	struct vcpu *v = current;

	if (!v || vcpu_is_idle(v)) {
		printk("CPU %u: idle\n", cpu_id());
		return;
	}
	printk("CPU %u: d%uv%u, guest %s\n", cpu_id(), v->domain->id, v->id,
	       v->pv.in_kernel ? "kernel" : "user");
	regs_print(&cpu_info()->guest_regs);
}

static void show_registers(void)
{
	cpu_call_mask(&cpu_online, show_registers_here, NULL);
}

static void show_help(void);

static const struct {
	char key;
	void (*fn)(void);
	const char *what;
} keys[] = {
	{'h', show_help, "this list"},
	{'q', show_domains, "domains and vCPUs"},
	{'r', sched_dump, "run queues"},
	{'d', show_registers, "guest registers on each CPU"},
	{'e', show_evtchns, "event channels"},
	{'g', show_grants, "grant tables"},
	{'i', irq_dump, "interrupts"},
	{'m', show_memory, "memory"},
	{'t', show_time, "time"},
	{'R', machine_reboot, "reboot the machine at once"},
};

static void show_help(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		printk("  %c  %s\n", keys[i].key, keys[i].what);
}

void debug_key(char key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key) {
			keys[i].fn();
			return;
		}
	printk("debug key '%c' does nothing; 'h' lists those that do\n",
	       key >= ' ' && key <= '~' ? key : '?');
}
