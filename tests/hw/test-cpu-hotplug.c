/* SPDX-License-Identifier: MIT */
#include "hw/cpu-hotplug.h"

#include <string.h>

#include "tests/hw/fake-cpus.h"

enum { SELECTOR = 0, STATUS = 4, COMMAND = 5, DATA = 8 };
enum { PRESENT = 1, COME = 2, TO_GO = 4, EJECT = 8 };

typedef struct Board {
    FakeCpus cpus;
    IrqSpy *event;
    Device *dev;
    unsigned ejected, reported;
    uint32_t source, status;
    char id[CPU_HOTPLUG_ID];
} Board;

static void eject(void *opaque, unsigned n, const char *id)
{
    Board *b = opaque;

    b->ejected = n;
    g_strlcpy(b->id, id, sizeof(b->id));
    b->cpus.bus.set_present(b->cpus.bus.opaque, n, false);
}

static void report(void *opaque, unsigned n, const char *id, uint32_t event, uint32_t status)
{
    Board *b = opaque;

    b->reported = n;
    b->source = event;
    b->status = status;
}

/* Four sockets, two CPUs. */
static void start(Fixture *f, Board *b)
{
    memset(b, 0, sizeof(*b));
    fake_cpus_init(&b->cpus, f, 4);
    b->cpus.absent[2] = b->cpus.absent[3] = true;
    b->event = fixture_spy(f);
    b->dev = cpu_hotplug_new(f->root, &(CpuHotplugWiring){ .ports = &f->io_root,
                                                           .cpus = &b->cpus.bus,
                                                           .event = &b->event->irq,
                                                           .eject = eject,
                                                           .report = report,
                                                           .opaque = b });
    fixture_start(f);
}

static uint32_t get(Fixture *f, unsigned reg)
{
    return reg == STATUS ? fixture_inb(f, CPU_HOTPLUG_BASE + reg)
                         : fixture_inl(f, CPU_HOTPLUG_BASE + reg);
}

static void set(Fixture *f, unsigned reg, uint32_t value)
{
    if (reg == STATUS || reg == COMMAND)
        fixture_outb(f, CPU_HOTPLUG_BASE + reg, value);
    else
        fixture_outl(f, CPU_HOTPLUG_BASE + reg, value);
}

/* As firmware counts: a selector beyond the last socket reads as 0. */
static void test_counting(void **state)
{
    static const uint8_t status[] = { PRESENT, PRESENT, 0, 0 };
    Fixture *f = *state;
    Board b;

    start(f, &b);
    set(f, SELECTOR, 0);
    set(f, COMMAND, CPU_HOTPLUG_NEXT);
    assert_int_equal(get(f, SELECTOR), 0); /* command data 2 */
    for (unsigned n = 0; n < 4; n++) {
        set(f, SELECTOR, n);
        assert_int_equal(get(f, DATA), n);
        assert_int_equal(get(f, STATUS), status[n]);
        set(f, COMMAND, CPU_HOTPLUG_APIC_ID);
        assert_int_equal(get(f, DATA), n);
        set(f, COMMAND, CPU_HOTPLUG_NEXT);
    }
    set(f, SELECTOR, 4);
    assert_int_equal(get(f, DATA), 0);
    assert_int_equal(get(f, STATUS), 0);
}

static void test_coming(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    b.cpus.absent[3] = false;
    cpu_hotplug_plug(b.dev, 3, "late", true);
    assert_int_equal(spy_take_rises(b.event), 1);
    assert_int_equal(b.event->level, 0);
    assert_int_equal(cpu_hotplug_find(b.dev, "late"), 3);
    assert_int_equal(cpu_hotplug_find(b.dev, ""), -1);
    set(f, SELECTOR, 1);
    set(f, COMMAND, CPU_HOTPLUG_NEXT);
    assert_int_equal(get(f, DATA), 3);
    assert_int_equal(get(f, STATUS), PRESENT | COME);
    set(f, STATUS, COME);
    assert_int_equal(get(f, STATUS), PRESENT);
    set(f, COMMAND, CPU_HOTPLUG_OST_EVENT);
    set(f, DATA, 1);
    set(f, COMMAND, CPU_HOTPLUG_OST_STATUS);
    set(f, DATA, 0x80);
    assert_int_equal(b.reported, 3);
    assert_int_equal(b.source, 1);
    assert_int_equal(b.status, 0x80);
}

static void test_going(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    b.cpus.absent[2] = false;
    cpu_hotplug_plug(b.dev, 2, "c2", false);
    assert_int_equal(spy_take_rises(b.event), 0); /* there is nobody to tell yet */
    cpu_hotplug_ask(b.dev, 2);
    assert_int_equal(spy_take_rises(b.event), 1);
    set(f, COMMAND, CPU_HOTPLUG_NEXT);
    assert_int_equal(get(f, DATA), 2);
    assert_int_equal(get(f, STATUS), PRESENT | TO_GO);
    set(f, STATUS, TO_GO);
    set(f, STATUS, EJECT);
    assert_int_equal(b.ejected, 2);
    assert_string_equal(b.id, "c2");
    assert_int_equal(get(f, STATUS), 0);
    assert_int_equal(cpu_hotplug_find(b.dev, "c2"), -1);
    b.ejected = 0;
    set(f, STATUS, EJECT); /* it is not there any more */
    set(f, SELECTOR, 0);
    set(f, STATUS, EJECT); /* the first one stays */
    set(f, SELECTOR, 77);
    set(f, STATUS, EJECT);
    assert_int_equal(b.ejected, 0);
    assert_false(b.cpus.absent[0]);
}

static void test_reset(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    b.cpus.absent[2] = false;
    cpu_hotplug_plug(b.dev, 2, "c2", true);
    fixture_reset(f);
    set(f, SELECTOR, 2);
    assert_int_equal(get(f, STATUS), PRESENT);
    assert_int_equal(cpu_hotplug_find(b.dev, "c2"), 2); /* what the user did stays */
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    fixture_abuse(f, f->io, CPU_HOTPLUG_BASE - 4, CPU_HOTPLUG_BYTES + 8, 3000, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_counting), hw_test(test_coming), hw_test(test_going),
        hw_test(test_reset),    hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
