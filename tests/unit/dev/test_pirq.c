/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of guests: vectors, pirqs, binding, the way of a level-triggered
 * one from arrival to its end, and physdev_op's checks.  I/O APIC and PCI
 * configuration space are the test's.
 *
 * Links: dev/irq.c dev/pirq.c dev/msi.c dev/physdev.c dev/physdev_irq.c lib/bits.c lib/rangeset.c
 */
#include "cpu/cpu.h"
#include "dev/acpi.h"
#include "dev/apic.h"
#include "dev/irq.h"
#include "dev/irq_desc.h"
#include "dev/pciconf.h"
#include "dev/physdev.h"
#include "evtchn/evtchn.h"
#include "fake.h"
#include "hypercall/hypercall.h"
#include "mm/mm.h"

#define GSIS 24

struct acpi_info acpi_info;
uint32_t cpu_apic_ids[MAX_CPUS] = {0, 2, 4, 6, 8, 10, 12, 14};

static struct domain *d0, *d;

/* --- the fake I/O APIC --- */

static bool pin_masked[GSIS];
static uint8_t pin_vector[GSIS];
static unsigned int pin_cpu[GSIS];
static unsigned int eois;

static void pin_mask(struct irq *irq)
{
	pin_masked[irq_number(irq)] = true;
}

static void pin_unmask(struct irq *irq)
{
	pin_masked[irq_number(irq)] = false;
}

static void pin_route(struct irq *irq)
{
	pin_vector[irq_number(irq)] = irq->vector;
	pin_cpu[irq_number(irq)] = irq->cpu;
}

const struct irq_chip ioapic_chip = {pin_mask, pin_unmask, pin_route};

unsigned int ioapic_init(void)
{
	memset(pin_masked, 1, sizeof(pin_masked));
	return GSIS;
}

int ioapic_register_read(paddr_t base, uint32_t reg, uint32_t *val)
{
	*val = 0x170020;
	return base == 0xfec00000 && reg == 1 ? 0 : -EINVAL;
}

void apic_eoi(void)
{
	eois++;
}

/* --- events --- */

static unsigned int sent[64];

void evtchn_send_pirq(struct domain *dom, port_t port)
{
	(void)dom;
	sent[port % 64]++;
}

/* --- one PCI function, 0:3.0, with MSI at 0x50 and MSI-X at 0x70 --- */

static unsigned char conf[256];
static uint32_t msix_table[4 * 4] aligned_to(4096);

uint32_t pciconf_read(uint32_t address, unsigned int offset, unsigned int size)
{
	uint32_t val = ~0U;

	if ((address & 0x7fffff00) == 0x1800)
		memcpy(&val, conf + (address & 0xfc) + offset, size);
	return size == 4 ? val : val & ((1U << size * 8) - 1);
}

void pciconf_write(uint32_t address, unsigned int offset, unsigned int size, uint32_t val)
{
	if ((address & 0x7fffff00) == 0x1800)
		memcpy(conf + (address & 0xfc) + offset, &val, size);
}

void *iomap(paddr_t p, size_t size)
{
	(void)size;
	return p == 0xfe002000 ? msix_table : NULL;
}

static void conf_set(unsigned int reg, unsigned int size, uint32_t val)
{
	memcpy(conf + reg, &val, size);
}

static uint32_t conf_get(unsigned int reg, unsigned int size)
{
	uint32_t val = 0;

	memcpy(&val, conf + reg, size);
	return val;
}

static void conf_init(void)
{
	memset(conf, 0, sizeof(conf));
	memset(msix_table, 0, sizeof(msix_table));
	conf_set(0x00, 4, 0x10001af4);
	conf_set(0x04, 4, 0x00100002); /* memory decoding on; capabilities */
	conf_set(0x14, 4, 0xfe000000); /* BAR 1 */
	conf_set(0x34, 1, 0x50);
	conf_set(0x50, 4, 0x01847005); /* MSI, 4 messages, 64 bit, maskable; next 0x70 */
	conf_set(0x70, 4, 0x00030011); /* MSI-X, 4 entries */
	conf_set(0x74, 4, 0x00002001); /* table in BAR 1 at 0x2000 */
}

/* --- set-up --- */

/* The interrupts of a test end with its domains, as irq.c keeps its state. */
static void setup(void)
{
	static bool initialised;

	if (!initialised) {
		acpi_info.nr_overrides = 1;
		acpi_info.overrides[0].irq = 9;
		acpi_info.overrides[0].gsi = 9;
		acpi_info.overrides[0].flags = 0xd; /* level, high */
		irq_init();
		initialised = true;
	}
	conf_init();
	memset(sent, 0, sizeof(sent));
	eois = 0;
	d0 = fake_dom0(2);
	d = fake_domain(3, 1);
	CHECK_EQ(pirq_domain_init(d0), 0);
	CHECK_EQ(pirq_domain_init(d), 0);
	fake_vcpu_run(d0->vcpus[0], 0);
	fake_guest_any = true;
}

static void teardown(void)
{
	CHECK_EQ(pirq_domain_destroy(d0), 0);
	CHECK_EQ(pirq_domain_destroy(d), 0);
	pirq_domain_free(d0);
	pirq_domain_free(d);
	CHECK_EQ(fake_heap_objects, 0);
}

static long op(unsigned int cmd, void *arg)
{
	uint64_t args[5] = {cmd, (uintptr_t)arg};

	return hypercall_physdev_op(args);
}

static long map_gsi(int gsi, int pirq)
{
	struct physdev_map_pirq m = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = gsi, .pirq = pirq};

	return op(PHYSDEVOP_map_pirq, &m);
}

static struct physdev_map_pirq msi_map(int type, int entry, uint64_t table)
{
	return (struct physdev_map_pirq){.domid = DOMID_SELF,
					 .type = type,
					 .index = -1,
					 .pirq = -1,
					 .devfn = 0x18,
					 .entry_nr = entry,
					 .table_base = table};
}

/* --- pins --- */

TEST(edge_interrupt_arrives_as_an_event)
{
	setup();
	CHECK_EQ(map_gsi(4, 4), 0);
	CHECK(pin_masked[4]);
	CHECK_EQ(pirq_bind(d0, 4, 11, false), 0);
	CHECK(!pin_masked[4]);
	CHECK(pin_vector[4] >= VECTOR_IRQ_FIRST && pin_vector[4] <= VECTOR_IRQ_LAST);
	irq_handle(pin_vector[4]);
	irq_handle(pin_vector[4]);
	CHECK_EQ(sent[11], 2);
	CHECK_EQ(eois, 2);
	CHECK(!pin_masked[4]);
	teardown();
	CHECK(pin_masked[4]);
}

TEST(level_interrupt_is_masked_until_its_end)
{
	struct physdev_eoi eoi = {.irq = 20};

	setup();
	CHECK_EQ(map_gsi(20, 20), 0);
	CHECK_EQ(pirq_bind(d0, 20, 12, true), 0);
	irq_handle(pin_vector[20]);
	CHECK_EQ(sent[12], 1);
	CHECK_EQ(eois, 1);
	CHECK(pin_masked[20]);
	CHECK_EQ(op(PHYSDEVOP_eoi, &eoi), 0);
	CHECK(!pin_masked[20]);
	CHECK_EQ(op(PHYSDEVOP_eoi, &eoi), 0); /* once too often is harmless */
	/* another domain cannot end it */
	irq_handle(pin_vector[20]);
	fake_vcpu_run(d->vcpus[0], 1);
	CHECK_EQ(op(PHYSDEVOP_eoi, &eoi), 0);
	CHECK(pin_masked[20]);
	eoi.irq = IRQ_COUNT;
	CHECK_EQ(op(PHYSDEVOP_eoi, &eoi), -EINVAL);
	teardown();
}

TEST(unbound_level_interrupt_stays_masked)
{
	setup();
	CHECK_EQ(map_gsi(21, 21), 0);
	CHECK_EQ(pirq_bind(d0, 21, 13, true), 0);
	irq_handle(pin_vector[21]);
	pirq_unbind(d0, 21);
	pirq_eoi(d0, 21);
	CHECK(pin_masked[21]);
	irq_handle(pin_vector[21]); /* a late one */
	CHECK_EQ(sent[13], 1);
	CHECK(pin_masked[21]);
	CHECK_EQ(pirq_bind(d0, 21, 13, true), 0);
	CHECK(!pin_masked[21]);
	teardown();
}

TEST(status_tells_who_needs_an_eoi)
{
	struct physdev_irq_status_query q = {.irq = 9, .flags = ~0U};
	struct physdev_setup_gsi s = {.gsi = 9, .triggering = 0, .polarity = 0};

	setup();
	CHECK_EQ(map_gsi(9, 9), 0);
	CHECK_EQ(op(PHYSDEVOP_irq_status_query, &q), 0);
	CHECK_EQ(q.flags, XENIRQSTAT_needs_eoi);
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), 0);
	CHECK_EQ(op(PHYSDEVOP_irq_status_query, &q), 0);
	CHECK_EQ(q.flags, 0);
	s.triggering = 1;
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), 0);
	q.irq = IRQ_COUNT;
	CHECK_EQ(op(PHYSDEVOP_irq_status_query, &q), -EINVAL);
	teardown();
}

TEST(trigger_of_a_bound_pin_stands)
{
	struct physdev_setup_gsi s = {.gsi = 22, .triggering = 0, .polarity = 0};

	setup();
	CHECK_EQ(map_gsi(22, 22), 0);
	CHECK_EQ(pirq_bind(d0, 22, 14, true), 0);
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), -EBUSY);
	s.triggering = s.polarity = 1;
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), 0); /* as it is */
	s.gsi = GSIS;
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), -EINVAL);
	s.gsi = -1;
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), -EINVAL);
	s.gsi = 22;
	s.triggering = 2;
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &s), -EINVAL);
	teardown();
}

TEST(binding_needs_a_mapping_of_nobody_elses)
{
	struct physdev_map_pirq m = {
		.domid = 3, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = 5};

	setup();
	CHECK_EQ(pirq_bind(d0, 5, 11, false), -EINVAL);
	CHECK_EQ(pirq_bind(d0, IRQ_COUNT, 11, false), -EINVAL);
	CHECK_EQ(pirq_bind(d0, ~0U, 11, false), -EINVAL);
	CHECK_EQ(map_gsi(5, 5), 0);
	CHECK_EQ(pirq_bind(d0, 5, 11, false), 0);
	CHECK_EQ(pirq_bind(d0, 5, 15, false), -EBUSY);
	/* dom0 may give it to a guest only by the guest's permission list */
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EPERM);
	CHECK_EQ(rangeset_add(&d->irqs, 5, 5), 0);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), 0);
	CHECK_EQ(pirq_bind(d, 5, 16, false), -EBUSY);
	rangeset_fini(&d->irqs);
	teardown();
}

static unsigned int own_calls;

static void own_handler(void *arg)
{
	own_calls++;
	CHECK(arg == &own_calls);
	CHECK(pin_masked[17]);
}

TEST(our_own_interrupt_is_not_for_guests)
{
	setup();
	CHECK_EQ(irq_request_own(17, true, true, own_handler, &own_calls), 0);
	CHECK_EQ(irq_request_own(17, true, true, own_handler, &own_calls), -EBUSY);
	CHECK_EQ(irq_request_own(GSIS, true, true, own_handler, &own_calls), -EINVAL);
	irq_handle(pin_vector[17]);
	CHECK_EQ(own_calls, 1);
	CHECK(!pin_masked[17]);
	CHECK_EQ(map_gsi(17, 17), 0);
	CHECK_EQ(pirq_bind(d0, 17, 11, false), -EBUSY);
	teardown();
	CHECK(!pin_masked[17]);
}

TEST(interrupt_follows_its_vcpu)
{
	setup();
	CHECK_EQ(map_gsi(6, 6), 0);
	CHECK_EQ(pirq_bind(d0, 6, 11, false), 0);
	CHECK_EQ(pin_cpu[6], 0);
	pirq_set_affinity(d0, 6, 3);
	CHECK_EQ(pin_cpu[6], 3);
	pirq_set_affinity(d0, 6, 100); /* no such CPU */
	CHECK_EQ(pin_cpu[6], 3);
	pirq_set_affinity(d, 6, 1); /* not its */
	CHECK_EQ(pin_cpu[6], 3);
	teardown();
}

TEST(spurious_vector_is_ended)
{
	setup();
	irq_handle(VECTOR_IRQ_LAST);
	CHECK_EQ(eois, 1);
	teardown();
}

/* --- mapping arguments --- */

TEST(map_arguments_are_checked)
{
	struct physdev_map_pirq m;

	setup();
	CHECK_EQ(map_gsi(-1, 4), -EINVAL);
	CHECK_EQ(map_gsi(GSIS, -1), -EINVAL);
	CHECK_EQ(map_gsi(4, IRQ_COUNT), -EINVAL);
	CHECK_EQ(map_gsi(4, 4), 0);
	CHECK_EQ(map_gsi(4, 4), 0); /* again the same */
	CHECK_EQ(map_gsi(5, 4), -EEXIST);
	m = msi_map(MAP_PIRQ_TYPE_UNKNOWN, 0, 0);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);
	m.bus = 1 << 16;
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ENODEV);
	m.bus = 256;
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	m = msi_map(MAP_PIRQ_TYPE_MSI, 0, 0);
	m.devfn = 256;
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	m.devfn = 0; /* no device there */
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ENODEV);
	m.domid = 99;
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ESRCH);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, NULL), -EFAULT);
	CHECK_EQ(op(1000, &m), -ENOSYS);
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v1, &m), -ENOSYS);
	teardown();
}

TEST(only_dom0_maps)
{
	struct physdev_map_pirq m = msi_map(MAP_PIRQ_TYPE_MSI, 0, 0);
	struct physdev_unmap_pirq u = {.domid = DOMID_SELF, .pirq = 4};

	setup();
	fake_vcpu_run(d->vcpus[0], 1);
	CHECK_EQ(map_gsi(4, 4), -EPERM);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EPERM);
	CHECK_EQ(op(PHYSDEVOP_unmap_pirq, &u), -EPERM);
	CHECK_EQ(op(PHYSDEVOP_setup_gsi, &m), -EPERM);
	CHECK_EQ(op(PHYSDEVOP_pci_device_add, &m), -EPERM);
	CHECK_EQ(op(PHYSDEVOP_apic_read, &m), -EPERM);
	teardown();
}

/* --- MSIs --- */

TEST(msi_is_programmed_and_freed)
{
	struct physdev_map_pirq m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0);
	struct physdev_unmap_pirq u = {.domid = DOMID_SELF};
	uint8_t vector;

	setup();
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), 0);
	CHECK(m.pirq >= GSIS);
	vector = conf_get(0x5c, 2);
	CHECK(vector >= VECTOR_IRQ_FIRST);
	CHECK_EQ(conf_get(0x54, 4), 0xfee00000);
	CHECK_EQ(conf_get(0x58, 4), 0);
	CHECK_EQ(conf_get(0x60, 4), 1); /* masked until bound */
	CHECK_EQ(pirq_bind(d0, m.pirq, 17, false), 0);
	CHECK_EQ(conf_get(0x60, 4), 0);
	irq_handle(vector);
	CHECK_EQ(sent[17], 1);
	pirq_set_affinity(d0, m.pirq, 2);
	CHECK_EQ(conf_get(0x54, 4), 0xfee00000 | 4 << 12);
	conf_set(0x52, 2, conf_get(0x52, 2) | 1); /* dom0 enables it */
	u.pirq = m.pirq;
	CHECK_EQ(op(PHYSDEVOP_unmap_pirq, &u), 0);
	CHECK(!(conf_get(0x52, 2) & 1));
	CHECK_EQ(op(PHYSDEVOP_unmap_pirq, &u), -EINVAL);
	pirq_unbind(d0, m.pirq); /* the port is closed after it */
	irq_handle(vector);
	CHECK_EQ(sent[17], 1);
	teardown();
}

TEST(group_of_messages_has_vectors_in_a_row)
{
	struct physdev_map_pirq m = msi_map(MAP_PIRQ_TYPE_MULTI_MSI, 3, 0);
	struct physdev_unmap_pirq u = {.domid = DOMID_SELF};
	uint8_t vector;

	setup();
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), 0);
	vector = conf_get(0x5c, 2);
	CHECK_EQ(vector % 4, 0);
	CHECK_EQ(conf_get(0x52, 2) >> 4 & 7, 2);
	CHECK_EQ(conf_get(0x60, 4), 0xf);
	CHECK_EQ(pirq_bind(d0, m.pirq + 2, 18, false), 0);
	CHECK_EQ(conf_get(0x60, 4), 0xb);
	irq_handle(vector + 2);
	CHECK_EQ(sent[18], 1);
	u.pirq = m.pirq + 1;
	CHECK_EQ(op(PHYSDEVOP_unmap_pirq, &u), -EINVAL);
	u.pirq = m.pirq;
	CHECK_EQ(op(PHYSDEVOP_unmap_pirq, &u), 0);
	CHECK_EQ(pirq_bind(d0, m.pirq + 2, 18, false), -EINVAL);
	m = msi_map(MAP_PIRQ_TYPE_MULTI_MSI, 8, 0);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ERANGE);
	m = msi_map(MAP_PIRQ_TYPE_MULTI_MSI, 33, 0);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	teardown();
}

TEST(msix_entry_is_programmed)
{
	struct physdev_map_pirq m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 2, 0xfe000000);
	volatile uint32_t *entry = &msix_table[2 * 4];

	setup();
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), 0);
	CHECK_EQ(entry[0], 0xfee00000);
	CHECK(entry[2] >= VECTOR_IRQ_FIRST);
	CHECK_EQ(entry[3] & 1, 1);
	CHECK_EQ(pirq_bind(d0, m.pirq, 19, false), 0);
	CHECK_EQ(entry[3] & 1, 0);
	irq_handle(entry[2]);
	CHECK_EQ(sent[19], 1);
	/* the device forgets; dom0 asks for it again */
	entry[0] = entry[2] = 0;
	entry[3] = 1;
	CHECK_EQ(op(PHYSDEVOP_restore_msi_ext, &(struct physdev_pci_device){0, 0, 0x18}), 0);
	CHECK_EQ(entry[0], 0xfee00000);
	CHECK_EQ(entry[3] & 1, 0);
	CHECK_EQ(op(PHYSDEVOP_prepare_msix, &(struct physdev_pci_device){0, 0, 0x18}), -EBUSY);
	teardown();
	CHECK_EQ(entry[3] & 1, 1);
}

TEST(msix_table_must_be_the_devices)
{
	struct physdev_map_pirq m;

	setup();
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 4, 0xfe000000); /* only four entries */
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0xfd000000); /* not its BAR */
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0xfe000010);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	conf_set(0x14, 4, 0); /* no BAR to compare with: but RAM it must not be */
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0x1000);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -EINVAL);
	conf_set(0x14, 4, 0xfe000000);
	conf_set(0x04, 2, 0); /* memory decoding off */
	m = msi_map(MAP_PIRQ_TYPE_MSI_SEG, 0, 0xfe000000);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ENXIO);
	conf_set(0x04, 2, 2);
	conf_set(0x34, 1, 0x50);
	conf_set(0x51, 1, 0x50); /* a list that runs in a circle */
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ENODEV);
	teardown();
}

TEST(vectors_run_out_cleanly)
{
	struct physdev_map_pirq m;
	unsigned int n = 0;

	setup();
	for (;;) {
		m = msi_map(MAP_PIRQ_TYPE_MSI, 0, 0);
		if (op(PHYSDEVOP_map_pirq, &m))
			break;
		CHECK(conf_get(0x5c, 2) != 0x80);
		n++;
	}
	CHECK(n > 100 && n <= 175);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ENOSPC);
	teardown(); /* all are free again */
	CHECK_EQ(pirq_domain_init(d0), 0);
	CHECK_EQ(pirq_domain_init(d), 0);
	for (unsigned int i = 0; i < n; i++) {
		m = msi_map(MAP_PIRQ_TYPE_MSI, 0, 0);
		CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), 0);
	}
	teardown();
}

/* --- the eoi page --- */

static struct page *eoi_page_of_test;

bool page_get_writable(struct page *pg)
{
	return pg == eoi_page_of_test;
}

void page_put_and_type(struct page *pg)
{
	page_put(pg);
}

TEST(eoi_page_shows_level_interrupts)
{
	struct physdev_pirq_eoi_gmfn g;
	unsigned long *map;

	setup();
	CHECK_EQ(map_gsi(4, 4), 0);
	CHECK_EQ(map_gsi(20, 20), 0);
	eoi_page_of_test = fake_frame_alloc(d0);
	map = page_to_virt(eoi_page_of_test);
	g.gmfn = page_to_mfn(eoi_page_of_test).v;
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), 0);
	CHECK(bit_test(map, 20));
	CHECK(!bit_test(map, 4));
	CHECK_EQ(map_gsi(23, 23), 0);
	CHECK(bit_test(map, 23));
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -EBUSY);
	CHECK_EQ(eoi_page_of_test->count & PAGE_COUNT_MASK, 2);
	teardown();
	CHECK_EQ(eoi_page_of_test->count & PAGE_COUNT_MASK, 1);
}

TEST(eoi_page_must_be_the_guests_and_writable)
{
	struct physdev_pirq_eoi_gmfn g;
	struct page *pg;

	setup();
	pg = fake_frame_alloc(d0);
	eoi_page_of_test = NULL; /* a page table, say */
	g.gmfn = page_to_mfn(pg).v;
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -EINVAL);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	g.gmfn = page_to_mfn(fake_frame_alloc(d)).v;
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -EINVAL);
	g.gmfn = ~0UL;
	CHECK_EQ(op(PHYSDEVOP_pirq_eoi_gmfn_v2, &g), -EINVAL);
	teardown();
}

/* --- the rest --- */

TEST(dying_domain_gets_no_interrupt)
{
	struct physdev_map_pirq m = msi_map(MAP_PIRQ_TYPE_MSI, 0, 0);

	setup();
	CHECK_EQ(pirq_domain_destroy(d0), 0);
	CHECK_EQ(map_gsi(4, 4), -ESRCH);
	CHECK_EQ(op(PHYSDEVOP_map_pirq, &m), -ESRCH);
	teardown();
}

TEST(iopl_and_bitmap_are_checked)
{
	struct physdev_set_iopl iopl = {.iopl = 4};
	struct physdev_set_iobitmap bm = {.nr_ports = 0x10001};

	setup();
	CHECK_EQ(op(PHYSDEVOP_set_iopl, &iopl), -EINVAL);
	iopl.iopl = 1;
	CHECK_EQ(op(PHYSDEVOP_set_iopl, &iopl), 0);
	CHECK_EQ(d0->vcpus[0]->pv.iopl, 1);
	CHECK_EQ(op(PHYSDEVOP_set_iobitmap, &bm), -EINVAL);
	bm.nr_ports = 0x10000;
	CHECK_EQ(op(PHYSDEVOP_set_iobitmap, &bm), 0);
	CHECK_EQ(d0->vcpus[0]->pv.iobitmap_ports, 0x10000);
	teardown();
}

TEST(small_operations_answer)
{
	struct physdev_apic a = {.apic_physbase = 0xfec00000, .reg = 1};
	struct physdev_irq v = {.irq = 4};
	struct physdev_get_free_pirq f = {.type = MAP_PIRQ_TYPE_MSI};

	setup();
	CHECK_EQ(op(PHYSDEVOP_apic_read, &a), 0);
	CHECK_EQ(a.value, 0x170020);
	CHECK_EQ(op(PHYSDEVOP_apic_write, &a), -EPERM);
	a.reg = 2;
	CHECK_EQ(op(PHYSDEVOP_apic_read, &a), -EINVAL);
	CHECK_EQ(op(PHYSDEVOP_alloc_irq_vector, &v), 0);
	v.irq = GSIS;
	CHECK_EQ(op(PHYSDEVOP_alloc_irq_vector, &v), -EINVAL);
	CHECK_EQ(op(PHYSDEVOP_get_free_pirq, &f), 0);
	CHECK_EQ(f.pirq, GSIS);
	f.type = 9;
	CHECK_EQ(op(PHYSDEVOP_get_free_pirq, &f), -EINVAL);
	CHECK_EQ(op(PHYSDEVOP_dbgp_op, &(struct physdev_dbgp_op){.op = 1}), 0);
	CHECK_EQ(op(PHYSDEVOP_dbgp_op, &(struct physdev_dbgp_op){.op = 3}), -EINVAL);
	CHECK_EQ(op(PHYSDEVOP_prepare_msix, &(struct physdev_pci_device){0, 0, 0x18}), 0);
	CHECK_EQ(op(PHYSDEVOP_prepare_msix, &(struct physdev_pci_device){0, 0, 0x20}), -ENODEV);
	teardown();
}
