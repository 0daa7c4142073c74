/* SPDX-License-Identifier: MIT */
/* Local APICs, I/O APIC and line routing together, as the board wires them. */
#include "hw/apic.h"
#include "hw/gsi.h"
#include "hw/i8259.h"
#include "hw/ioapic.h"
#include "tests/hw/fake-cpus.h"
#include "tests/hw/fixture.h"

#define APIC   0xfee00000ull
#define IOAPIC 0xfec00000ull

typedef struct Bench {
    Fixture *f;
    FakeCpus cpus;
    Device *apics, *pic, *ioapic, *gsi;
} Bench;

static Bench *start(void **state, unsigned count)
{
    Bench *b = test_calloc(1, sizeof(*b));
    Fixture *f = *state;

    b->f = f;
    fake_cpus_init(&b->cpus, f, count);
    b->apics = apic_set_new(f->root, &b->cpus.bus, f->clock, &f->memory_root);
    b->pic = i8259_new(f->root, &f->io_root, apic_set_lint0(b->apics));
    b->ioapic = ioapic_new(f->root, &f->memory_root, IOAPIC, apic_set_bus(b->apics));
    b->gsi = gsi_new(f->root, b->pic, b->ioapic);
    apic_set_connect_extint(b->apics, i8259_inta, b->pic);
    apic_set_connect_eoi(b->apics, ioapic_eoi, b->ioapic);
    fixture_start(f);
    return b;
}

static void apic_write(Bench *b, unsigned cpu, unsigned reg, uint32_t value)
{
    b->cpus.now = cpu;
    fixture_write(b->f, APIC + reg, value, 4);
}

static uint32_t apic_read(Bench *b, unsigned cpu, unsigned reg)
{
    b->cpus.now = cpu;
    return fixture_read(b->f, APIC + reg, 4);
}

static int ack(Bench *b, unsigned cpu)
{
    if (b->f->roundtrip)
        fixture_roundtrip(b->f);
    return apic_set_acknowledge(b->apics, cpu);
}

static void enable(Bench *b)
{
    for (unsigned i = 0; i < b->cpus.bus.count; i++) {
        apic_write(b, i, 0xf0, 0x1ff);
        apic_write(b, i, 0x350, 0x10000); /* nothing from the 8259 */
    }
}

static void icr(Bench *b, unsigned cpu, uint8_t dest, uint32_t low)
{
    apic_write(b, cpu, 0x310, (uint32_t)dest << 24);
    apic_write(b, cpu, 0x300, low);
}

static void redirect(Bench *b, unsigned pin, uint64_t entry)
{
    fixture_write(b->f, IOAPIC, 0x10 + 2 * pin, 4);
    fixture_write(b->f, IOAPIC + 0x10, (uint32_t)entry, 4);
    fixture_write(b->f, IOAPIC, 0x11 + 2 * pin, 4);
    fixture_write(b->f, IOAPIC + 0x10, entry >> 32, 4);
}

static uint32_t redirection_low(Bench *b, unsigned pin)
{
    fixture_write(b->f, IOAPIC, 0x10 + 2 * pin, 4);
    return fixture_read(b->f, IOAPIC + 0x10, 4);
}

static void isa(Bench *b, unsigned n, int level)
{
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_ISA)[n], level);
}

static void eoi(Bench *b, unsigned cpu)
{
    apic_write(b, cpu, 0xb0, 0);
}

static void done(Bench *b)
{
    test_free(b);
}

/* ---- Registers ----------------------------------------------------------------------------------
 */

static void test_reset_values(void **state)
{
    static const struct {
        unsigned reg;
        uint32_t value;
    } rows[] = {
        { 0x020, 0x01000000 }, { 0x030, 0x00050014 }, { 0x080, 0 },       { 0x0d0, 0 },
        { 0x0e0, 0xffffffff }, { 0x0f0, 0xff },       { 0x320, 0x10000 }, { 0x350, 0x10000 },
        { 0x360, 0x10000 },    { 0x370, 0x10000 },    { 0x380, 0 },       { 0x390, 0 },
    };
    Bench *b = start(state, 2);
    uint64_t base;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(apic_read(b, 1, rows[i].reg), rows[i].value);
    assert_int_equal(apic_read(b, 0, 0x350), 0x700);
    assert_true(apic_set_read_msr(b->apics, 0, 0x1b, &base));
    assert_int_equal(base, 0xfee00900);
    assert_true(apic_set_read_msr(b->apics, 1, 0x1b, &base));
    assert_int_equal(base, 0xfee00800);
    done(b);
}

static void test_priority(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    icr(b, 0, 0, 0x40031); /* self */
    icr(b, 0, 0, 0x40055);
    assert_true(b->cpus.intr[0]);
    assert_int_equal(ack(b, 0), 0x55);
    assert_false(b->cpus.intr[0]); /* 0x31 waits */
    assert_int_equal(apic_read(b, 0, 0xa0), 0x50);
    icr(b, 0, 0, 0x40059); /* same class: waits */
    assert_false(b->cpus.intr[0]);
    icr(b, 0, 0, 0x40061);
    assert_int_equal(ack(b, 0), 0x61);
    eoi(b, 0);
    eoi(b, 0);
    assert_int_equal(ack(b, 0), 0x59);
    eoi(b, 0);
    apic_write(b, 0, 0x80, 0x40);
    assert_false(b->cpus.intr[0]);
    apic_set_set_tpr(b->apics, 0, 0x20);
    assert_int_equal(apic_set_get_tpr(b->apics, 0), 0x20);
    assert_int_equal(ack(b, 0), 0x31);
    eoi(b, 0);
    assert_int_equal(ack(b, 0), -1);
    done(b);
}

static void test_illegal_vector(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    apic_write(b, 0, 0x370, 0xfe);
    icr(b, 0, 0, 0x40005);
    assert_int_equal(ack(b, 0), 0xfe);
    apic_write(b, 0, 0x280, 0);
    assert_int_equal(apic_read(b, 0, 0x280), 0x20);
    apic_write(b, 0, 0x280, 0);
    assert_int_equal(apic_read(b, 0, 0x280), 0);
    done(b);
}

/* ---- Messages between CPUs
 * ------------------------------------------------------------------------ */

static void test_startup(void **state)
{
    Bench *b = start(state, 4);

    icr(b, 0, 0, 0xc4500); /* INIT to all others */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(b->cpus.inits[i], i != 0);
    icr(b, 0, 0, 0xc8500); /* de-assert: nothing */
    assert_int_equal(b->cpus.inits[1], 1);
    icr(b, 0, 2, 0x4608);
    assert_int_equal(b->cpus.sipi[1], -1);
    assert_int_equal(b->cpus.sipi[2], 8);
    icr(b, 0, 3, 0x4400);
    assert_int_equal(b->cpus.nmis[3], 1);
    icr(b, 0, 1, 0x4200);
    assert_int_equal(b->cpus.smis[1], 1);
    done(b);
}

static void test_destinations(void **state)
{
    static const struct {
        const char *what;
        uint32_t dfr;
        uint8_t ldr[4], dest;
        bool logical;
        uint8_t receivers; /* a bit per CPU */
    } rows[] = {
        { "physical", 0xffffffff, { 1, 2, 4, 8 }, 2, false, 0x4 },
        { "physical broadcast", 0xffffffff, { 1, 2, 4, 8 }, 0xff, false, 0xf },
        { "physical to nobody", 0xffffffff, { 1, 2, 4, 8 }, 9, false, 0x0 },
        { "flat", 0xffffffff, { 1, 2, 4, 8 }, 0x05, true, 0x5 },
        { "flat, none", 0xffffffff, { 1, 2, 4, 8 }, 0x30, true, 0x0 },
        { "cluster", 0x0fffffff, { 0x11, 0x12, 0x21, 0x22 }, 0x23, true, 0xc },
        { "cluster broadcast", 0x0fffffff, { 0x11, 0x12, 0x21, 0x22 }, 0xff, true, 0xf },
    };
    Bench *b = start(state, 4);

    enable(b);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned n = 0; n < 4; n++) {
            apic_write(b, n, 0xe0, rows[i].dfr);
            apic_write(b, n, 0xd0, (uint32_t)rows[i].ldr[n] << 24);
        }
        icr(b, 0, rows[i].dest, 0x4040 | (rows[i].logical ? 0x800 : 0));
        for (unsigned n = 0; n < 4; n++) {
            if (b->cpus.intr[n] != (rows[i].receivers >> n & 1))
                fail_msg("%s: CPU %u", rows[i].what, n);
            if (b->cpus.intr[n])
                assert_int_equal(ack(b, n), 0x40);
            eoi(b, n);
        }
    }
    done(b);
}

static void test_lowest_priority(void **state)
{
    Bench *b = start(state, 3);

    enable(b);
    for (unsigned n = 0; n < 3; n++) {
        apic_write(b, n, 0xd0, 0x01000000u << n);
        apic_write(b, n, 0x80, n == 1 ? 0x10 : 0x30);
    }
    icr(b, 0, 7, 0x4940);
    assert_false(b->cpus.intr[0]);
    assert_true(b->cpus.intr[1]);
    assert_false(b->cpus.intr[2]);
    done(b);
}

/* ---- Timer
 * ------------------------------------------------------------------------------------------ */

static void test_timer_one_shot(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    fixture_advance(b->f, 12345);
    apic_write(b, 0, 0x320, 0x40);
    apic_write(b, 0, 0x3e0, 3); /* by 16 */
    apic_write(b, 0, 0x380, 1000);
    fixture_advance(b->f, 8000);
    assert_int_equal(apic_read(b, 0, 0x390), 500);
    fixture_advance(b->f, 7999);
    assert_false(b->cpus.intr[0]);
    fixture_advance(b->f, 1);
    assert_int_equal(ack(b, 0), 0x40);
    assert_int_equal(apic_read(b, 0, 0x390), 0);
    eoi(b, 0);
    fixture_advance(b->f, 1000000);
    assert_false(b->cpus.intr[0]);
    done(b);
}

/* What the guest writes after the timer was due does not undo its interrupt. */
static void test_timer_overdue(void **state)
{
    static const struct {
        unsigned reg;
        uint32_t value;
    } writes[] = {
        { 0x320, 0x41 }, { 0x320, 0x10041 }, { 0x380, 0 }, { 0x380, 5000 }, { 0x3e0, 1 },
    };
    Bench *b = start(state, 1);

    enable(b);
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        apic_write(b, 0, 0x320, 0x40);
        apic_write(b, 0, 0x3e0, 3);
        apic_write(b, 0, 0x380, 1000);
        fixture_lag(b->f, 16000);
        assert_false(b->cpus.intr[0]);
        apic_write(b, 0, writes[i].reg, writes[i].value);
        assert_int_equal(ack(b, 0), 0x40);
        eoi(b, 0);
        assert_false(b->cpus.intr[0]);
    }
    apic_write(b, 0, 0x320, 0x40);
    apic_write(b, 0, 0x3e0, 3);
    for (unsigned reg = 0x390; reg >= 0x220; reg -= 0x170) { /* current count, IRR */
        apic_write(b, 0, 0x380, 1000);
        fixture_lag(b->f, 16000);
        assert_int_equal(apic_read(b, 0, reg), reg == 0x390 ? 0 : 1);
        assert_int_equal(ack(b, 0), 0x40);
        eoi(b, 0);
    }
    done(b);
}

/* However short the count, and though time goes on while the write is done, it ends with an
 * interrupt. */
static void test_timer_in_haste(void **state)
{
    static const struct {
        unsigned reg;
        uint32_t value;
    } writes[] = {
        { 0x380, 2 },
        { 0x3e0, 3 },
        { 0x320, 0x40 },
    };
    Bench *b = start(state, 1);

    enable(b);
    b->f->roundtrip = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        for (unsigned haste = 1; haste < 64; haste++) {
            apic_write(b, 0, 0x320, 0x40);
            apic_write(b, 0, 0x3e0, 3);
            apic_write(b, 0, 0x380, 2);
            clock_manual_haste(b->f->clock, haste);
            apic_write(b, 0, writes[i].reg, writes[i].value);
            clock_manual_haste(b->f->clock, 0);
            fixture_advance(b->f, 1000);
            assert_int_equal(ack(b, 0), 0x40);
            eoi(b, 0);
            assert_false(b->cpus.intr[0]);
        }
    }
    done(b);
}

static void test_timer_periodic(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    apic_write(b, 0, 0x320, 0x20041);
    apic_write(b, 0, 0x3e0, 0xb); /* by 1 */
    apic_write(b, 0, 0x380, 10000);
    for (unsigned i = 0; i < 5; i++) {
        fixture_advance(b->f, 9999);
        assert_false(b->cpus.intr[0]);
        assert_int_equal(apic_read(b, 0, 0x390), 1);
        fixture_advance(b->f, 1);
        assert_int_equal(ack(b, 0), 0x41);
        eoi(b, 0);
    }
    apic_write(b, 0, 0x320, 0x30041); /* masked: counts on */
    fixture_advance(b->f, 25000);
    assert_false(b->cpus.intr[0]);
    assert_int_equal(apic_read(b, 0, 0x390), 5000);
    apic_write(b, 0, 0x320, 0x20041);
    fixture_advance(b->f, 5000);
    assert_int_equal(ack(b, 0), 0x41);
    done(b);
}

static void test_timer_tsc_deadline(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    apic_set_set_tsc_deadline(b->apics, 0, 5000); /* not in this mode: nothing */
    fixture_advance(b->f, 6000);
    apic_write(b, 0, 0x320, 0x40042);
    apic_write(b, 0, 0x380, 10);
    assert_int_equal(apic_read(b, 0, 0x380), 0);
    apic_set_set_tsc_deadline(b->apics, 0, 9000);
    fixture_advance(b->f, 2999);
    assert_false(b->cpus.intr[0]);
    fixture_advance(b->f, 1);
    assert_int_equal(ack(b, 0), 0x42);
    eoi(b, 0);
    apic_set_set_tsc_deadline(b->apics, 0, 20000);
    apic_set_set_tsc_deadline(b->apics, 0, CLOCK_NEVER);
    fixture_advance(b->f, 100000);
    assert_false(b->cpus.intr[0]);
    apic_set_set_tsc_deadline(b->apics, 0, 1); /* past: at once */
    fixture_advance(b->f, 0);
    assert_true(b->cpus.intr[0]);
    done(b);
}

/* ---- 8259 through LINT0
 * ------------------------------------------------------------------------------ */

static void init_pic(Bench *b)
{
    static const uint8_t icws[] = { 0x11, 0x30, 4, 1 };

    for (unsigned i = 0; i < 4; i++)
        fixture_outb(b->f, i ? 0x21 : 0x20, icws[i]);
}

static void test_extint(void **state)
{
    Bench *b = start(state, 2);

    init_pic(b);
    isa(b, 4, 1);
    assert_true(b->cpus.intr[0]); /* as after power-on, APIC disabled by software */
    assert_false(b->cpus.intr[1]);
    assert_int_equal(ack(b, 0), 0x34);
    assert_false(b->cpus.intr[0]);
    fixture_outb(b->f, 0x20, 0x20);
    enable(b);
    apic_write(b, 0, 0x350, 0x10700);
    isa(b, 4, 0);
    isa(b, 4, 1);
    assert_false(b->cpus.intr[0]);
    apic_write(b, 0, 0x350, 0x8700); /* as firmware writes it */
    assert_int_equal(ack(b, 0), 0x34);
    done(b);
}

static void test_lint0_fixed(void **state)
{
    Bench *b = start(state, 1);

    init_pic(b);
    enable(b);
    apic_write(b, 0, 0x350, 0x31); /* the 8259's INT as a plain edge */
    isa(b, 0, 1);
    assert_int_equal(ack(b, 0), 0x31);
    eoi(b, 0);
    done(b);
}

static void test_lint1_nmi(void **state)
{
    Bench *b = start(state, 2);

    enable(b);
    apic_write(b, 1, 0x360, 0x400);
    fixture_set_irq(b->f, apic_set_lint1(b->apics), 1);
    assert_int_equal(b->cpus.nmis[0], 0);
    assert_int_equal(b->cpus.nmis[1], 1);
    done(b);
}

/* ---- I/O APIC
 * ------------------------------------------------------------------------------------------ */

static void test_ioapic_registers(void **state)
{
    Bench *b = start(state, 1);

    fixture_write(b->f, IOAPIC, 1, 4);
    assert_int_equal(fixture_read(b->f, IOAPIC + 0x10, 4), 0x00170020);
    fixture_write(b->f, IOAPIC, 0, 4);
    fixture_write(b->f, IOAPIC + 0x10, 0x0f000000, 4);
    assert_int_equal(fixture_read(b->f, IOAPIC + 0x10, 4), 0x0f000000);
    assert_int_equal(redirection_low(b, 5), 0x10000);
    redirect(b, 5, 0xff00000000017fffull | 1 << 14 | 1 << 12);
    assert_int_equal(redirection_low(b, 5), 0x12fff);
    done(b);
}

static void test_ioapic_edge(void **state)
{
    Bench *b = start(state, 2);

    enable(b);
    redirect(b, 4, 0x0100000000000044ull);
    isa(b, 4, 1);
    assert_false(b->cpus.intr[0]);
    assert_int_equal(ack(b, 1), 0x44);
    eoi(b, 1);
    assert_false(b->cpus.intr[1]);
    redirect(b, 4, 0x0100000000010044ull);
    isa(b, 4, 0);
    isa(b, 4, 1); /* an edge at a masked pin is lost */
    redirect(b, 4, 0x0100000000000044ull);
    assert_false(b->cpus.intr[1]);
    done(b);
}

static void test_ioapic_level(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    redirect(b, 11, 0x000000000001a050ull);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[11], 1);
    assert_false(b->cpus.intr[0]);
    redirect(b, 11, 0x000000000000a050ull); /* unmasking shows the level */
    assert_int_equal(redirection_low(b, 11) & 0x4000, 0x4000);
    assert_int_equal(ack(b, 0), 0x50);
    assert_false(b->cpus.intr[0]);
    eoi(b, 0); /* still asserted */
    assert_int_equal(ack(b, 0), 0x50);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[11], 0);
    assert_false(b->cpus.intr[0]);
    assert_int_equal(redirection_low(b, 11) & 0x4000, 0x4000);
    eoi(b, 0);
    assert_int_equal(redirection_low(b, 11) & 0x4000, 0);
    assert_false(b->cpus.intr[0]);
    done(b);
}

static void test_ioapic_eoi_register(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    redirect(b, 11, 0xa050);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[11], 1);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[11], 0);
    assert_int_equal(redirection_low(b, 11) & 0x4000, 0x4000);
    fixture_write(b->f, IOAPIC + 0x40, 0x50, 4);
    assert_int_equal(redirection_low(b, 11) & 0x4000, 0);
    done(b);
}

static void test_timer_line_is_pin_2(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    redirect(b, 0, 0x60);
    redirect(b, 2, 0x62);
    isa(b, 0, 1);
    assert_int_equal(ack(b, 0), 0x62);
    assert_int_equal(ack(b, 0), -1);
    done(b);
}

static void test_shared_line(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    redirect(b, 9, 0xa049);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_SCI)[9], 1);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[9], 1);
    assert_int_equal(ack(b, 0), 0x49);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_SCI)[9], 0);
    eoi(b, 0);
    assert_int_equal(ack(b, 0), 0x49); /* the other still holds it */
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_PIRQ)[9], 0);
    eoi(b, 0);
    assert_false(b->cpus.intr[0]);
    done(b);
}

static void test_legacy_replacement(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    redirect(b, 2, 0x62);
    fixture_set_irq(b->f, gsi_legacy_replacement(b->gsi), 1);
    isa(b, 0, 1);
    assert_false(b->cpus.intr[0]);
    isa(b, 0, 0);
    fixture_set_irq(b->f, &gsi_lines(b->gsi, GSI_HPET)[0], 1);
    assert_int_equal(ack(b, 0), 0x62);
    done(b);
}

static void test_ioapic_extint(void **state)
{
    Bench *b = start(state, 1);

    enable(b);
    apic_write(b, 0, 0x350, 0x10700);
    init_pic(b);
    redirect(b, 2, 0x700);
    isa(b, 0, 1);
    assert_true(b->cpus.intr[0]);
    assert_int_equal(ack(b, 0), 0x30);
    assert_false(b->cpus.intr[0]);
    done(b);
}

/* ---- MSI and x2APIC
 * -------------------------------------------------------------------------------------- */

static void test_msi(void **state)
{
    Bench *b = start(state, 2);

    enable(b);
    fixture_write(b->f, 0xfee01000, 0x4055, 4);
    assert_false(b->cpus.intr[0]);
    assert_int_equal(ack(b, 1), 0x55);
    fixture_write(b->f, 0xfee00000, 0x4056, 4);
    assert_int_equal(ack(b, 0), 0x56);
    apic_write(b, 1, 0xd0, 0x02000000);
    apic_set_msi(b->apics, 0xfee0200c, 0x57);
    eoi(b, 1);
    assert_int_equal(ack(b, 1), 0x57);
    done(b);
}

static void test_x2apic(void **state)
{
    Bench *b = start(state, 2);
    uint64_t v;

    enable(b);
    assert_false(apic_set_read_msr(b->apics, 0, 0x802, &v));
    assert_false(apic_set_write_msr(b->apics, 0, 0x1b, 0xfee00500)); /* EXTD without EN */
    for (unsigned n = 0; n < 2; n++)
        assert_true(apic_set_write_msr(b->apics, n, 0x1b, n ? 0xfee00c00 : 0xfee00d00));
    assert_false(apic_set_write_msr(b->apics, 0, 0x1b, 0xfee00900)); /* not back to xAPIC */
    assert_int_equal(apic_read(b, 0, 0x30), 0xffffffff);
    assert_true(apic_set_read_msr(b->apics, 1, 0x802, &v));
    assert_int_equal(v, 1);
    assert_true(apic_set_read_msr(b->apics, 1, 0x80d, &v));
    assert_int_equal(v, 2);
    assert_false(apic_set_write_msr(b->apics, 1, 0x80d, 1));
    assert_true(apic_set_write_msr(b->apics, 0, 0x830, 0x100000044ull));
    assert_int_equal(ack(b, 1), 0x44);
    assert_false(apic_set_write_msr(b->apics, 1, 0x80b, 1));
    assert_true(apic_set_write_msr(b->apics, 1, 0x80b, 0));
    assert_true(apic_set_write_msr(b->apics, 0, 0x830, 0x200000845ull)); /* logical: CPU 1 */
    assert_int_equal(ack(b, 1), 0x45);
    assert_true(apic_set_write_msr(b->apics, 0, 0x83f, 0x77));
    assert_int_equal(ack(b, 0), 0x77);
    assert_false(apic_set_write_msr(b->apics, 0, 0x808, 0x100));
    assert_true(apic_set_write_msr(b->apics, 0, 0x1b, 0xfee00100)); /* off */
    assert_int_equal(apic_read(b, 0, 0x30), 0xffffffff);
    done(b);
}

static void test_init_keeps_id(void **state)
{
    Bench *b = start(state, 2);

    enable(b);
    apic_write(b, 1, 0x20, 0x07000000);
    apic_write(b, 1, 0x80, 0x30);
    icr(b, 0, 7, 0x4031);
    apic_set_reset(b->apics, 1, true);
    assert_false(b->cpus.intr[1]);
    assert_int_equal(apic_read(b, 1, 0x20), 0x07000000);
    assert_int_equal(apic_read(b, 1, 0x80), 0);
    assert_int_equal(apic_read(b, 1, 0xf0), 0xff);
    apic_set_reset(b->apics, 1, false);
    assert_int_equal(apic_read(b, 1, 0x20), 0x01000000);
    done(b);
}

static void test_abuse(void **state)
{
    Bench *b = start(state, 3);

    for (unsigned seed = 1; seed < 12; seed++) {
        b->cpus.now = seed % 3;
        fixture_abuse(b->f, b->f->memory, APIC, 0x400, 500, seed);
        fixture_abuse(b->f, b->f->memory, APIC, 0x100000, 100, seed);
        fixture_abuse(b->f, b->f->memory, IOAPIC, 0x80, 500, seed);
        for (unsigned n = 0; n < 3; n++)
            apic_set_acknowledge(b->apics, n);
        for (unsigned msr = 0x800; msr < 0x840; msr++)
            apic_set_write_msr(b->apics, 0, msr, seed * 0x9e3779b97f4a7c15ull);
        apic_set_write_msr(b->apics, 0, 0x1b, 0xfee00000 | (seed % 16) << 8);
    }
    done(b);
}

static void test_255(void **state)
{
    Bench *b = start(state, 255);

    b->f->roundtrip = false;
    enable(b);
    icr(b, 0, 254, 0x4044);
    assert_int_equal(ack(b, 254), 0x44);
    icr(b, 254, 0, 0xc4045);
    for (unsigned n = 0; n < 255; n++)
        assert_int_equal(b->cpus.intr[n], n != 254);
    fixture_roundtrip(b->f);
    done(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_reset_values),
        hw_test(test_priority),
        hw_test(test_illegal_vector),
        hw_test(test_startup),
        hw_test(test_destinations),
        hw_test(test_lowest_priority),
        hw_test(test_timer_one_shot),
        hw_test(test_timer_overdue),
        hw_test(test_timer_in_haste),
        hw_test(test_timer_periodic),
        hw_test(test_timer_tsc_deadline),
        hw_test(test_extint),
        hw_test(test_lint0_fixed),
        hw_test(test_lint1_nmi),
        hw_test(test_ioapic_registers),
        hw_test(test_ioapic_edge),
        hw_test(test_ioapic_level),
        hw_test(test_ioapic_eoi_register),
        hw_test(test_timer_line_is_pin_2),
        hw_test(test_shared_line),
        hw_test(test_legacy_replacement),
        hw_test(test_ioapic_extint),
        hw_test(test_msi),
        hw_test(test_x2apic),
        hw_test(test_init_keeps_id),
        hw_test(test_abuse),
        hw_test(test_255),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
