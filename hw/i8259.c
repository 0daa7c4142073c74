/* SPDX-License-Identifier: MIT */
/*
 * Two 8259A programmable interrupt controllers, the second cascaded into input 2 of the first, as
 * the PIIX3 integrates them, with the edge/level control registers at 0x4d0 and 0x4d1.
 * Spec: Intel 8259A data sheet (231468); 82371SB data sheet, ELCR.
 *
 * Deliberate: a request latched by an edge stays latched when its line falls before INTA, so a
 * pulse is never lost (the data sheet would answer with IR7). The cascade input follows the slave's
 * INT as a level. ICW1.LTIM is ignored, as on the PIIX: ELCR decides. MCS-80 mode is missing.
 */
#include "hw/i8259.h"

#include "softmmu/log.h"
#include "softmmu/trace.h"

enum { MASTER, SLAVE, CHIPS };
#define CASCADE_IR 2

enum { INIT_DONE, INIT_WANTS_ICW2, INIT_WANTS_ICW3, INIT_WANTS_ICW4 };

enum {
    ICW1_IC4 = 0x01,
    ICW1_SNGL = 0x02,
    ICW1_INIT = 0x10,
    ICW4_UPM = 0x01,
    ICW4_AEOI = 0x02,
    ICW4_SFNM = 0x10,
    OCW3_RIS = 0x01,
    OCW3_RR = 0x02,
    OCW3_POLL = 0x04,
    OCW3_SELECT = 0x08,
    OCW3_SMM = 0x20,
    OCW3_ESMM = 0x40,
};

typedef struct Chip {
    uint8_t lines; /* levels of the inputs */
    uint8_t irr, imr, isr;
    uint8_t elcr; /* inputs that are level triggered */
    uint8_t base; /* ICW2: vector of IR0 */
    uint8_t icw4;
    uint8_t lowest; /* input that has the lowest priority now; 7 unless rotated */
    uint8_t init;   /* INIT_*: which command word comes next */
    bool single, wants_icw4;
    bool rotate_on_aeoi, special_mask, read_isr, poll;
} Chip;

typedef struct I8259 {
    Device dev;
    MemRegion *ports;
    const Irq *intr;
    Irq input[16];
    MemRegion io[CHIPS], elcr_io;
    uint64_t raised[16]; /* by this process, for the user: no state */
    Chip chip[CHIPS];
} I8259;

/* ---- One chip: who is next ------------------------------------------------------------------ */

/* The set bit of @bits with the highest priority, or -1. */
static int highest(const Chip *c, uint8_t bits)
{
    for (unsigned i = 1; i <= 8; i++) {
        unsigned ir = (c->lowest + i) & 7;

        if (bits & (1u << ir))
            return ir;
    }
    return -1;
}

static unsigned rank(const Chip *c, int ir)
{
    return ir < 0 ? 8 : (ir - c->lowest - 1) & 7;
}

/* The request that INT stands for: unmasked and above everything in service; -1 if none. */
static int request(const Chip *c, bool master)
{
    uint8_t in_service = c->isr;
    int ir = highest(c, c->irr & ~c->imr);

    if (c->special_mask)
        in_service &= ~c->imr;
    /* Special fully nested: the slave may interrupt its own service. */
    if (master && (c->icw4 & ICW4_SFNM))
        in_service &= ~(1u << CASCADE_IR);
    return rank(c, ir) < rank(c, highest(c, in_service)) ? ir : -1;
}

static void set_line(Chip *c, unsigned ir, bool level, bool follow)
{
    uint8_t bit = 1u << ir;

    if (follow || (c->elcr & bit))
        c->irr = level ? c->irr | bit : c->irr & ~bit;
    else if (level && !(c->lines & bit))
        c->irr |= bit;
    c->lines = level ? c->lines | bit : c->lines & ~bit;
}

static void end_of_interrupt(Chip *c, int ir, bool rotate)
{
    if (ir < 0)
        return;
    c->isr &= ~(1u << ir);
    if (rotate)
        c->lowest = ir;
}

/* INTA for this chip alone: the input served, 7 without a trace when there is none any more. */
static unsigned serve(Chip *c, bool master)
{
    int ir = request(c, master);

    if (ir < 0)
        return 7;
    c->isr |= 1u << ir;
    if (!(c->elcr & (1u << ir)) && !(master && ir == CASCADE_IR))
        c->irr &= ~(1u << ir);
    if (c->icw4 & ICW4_AEOI)
        end_of_interrupt(c, ir, c->rotate_on_aeoi);
    return ir;
}

/* ---- The pair ------------------------------------------------------------------------------- */

static void update(I8259 *s)
{
    set_line(&s->chip[MASTER], CASCADE_IR, request(&s->chip[SLAVE], false) >= 0, true);
    irq_set(s->intr, request(&s->chip[MASTER], true) >= 0);
}

static void input_set(void *opaque, int n, int level)
{
    I8259 *s = opaque;

    g_assert(n != CASCADE_IR);
    trace(pic_set_irq, "master %d irq %d level %d", n < 8, n & 7, level);
    s->raised[n] += level && !(s->chip[n >> 3].lines & (1u << (n & 7)));
    set_line(&s->chip[n >> 3], n & 7, level != 0, false);
    update(s);
}

const uint64_t *i8259_raised(const Device *pic)
{
    return ((const I8259 *)pic)->raised;
}

int i8259_acknowledge(Device *pic)
{
    I8259 *s = (I8259 *)pic;
    bool cascade = request(&s->chip[MASTER], true) == CASCADE_IR;
    int vector = s->chip[MASTER].base | serve(&s->chip[MASTER], true);

    if (cascade)
        vector = s->chip[SLAVE].base | serve(&s->chip[SLAVE], false);
    trace(pic_interrupt, "irq %d intno %d", (vector & 7) + (cascade ? 8 : 0), vector);
    update(s);
    return vector;
}

int i8259_inta(void *pic)
{
    return i8259_acknowledge(pic);
}

Irq *i8259_input(Device *pic, unsigned n)
{
    g_assert(n < 16);
    return &((I8259 *)pic)->input[n];
}

/* ---- Command words -------------------------------------------------------------------------- */

static void write_icw1(Chip *c, uint8_t value)
{
    uint8_t elcr = c->elcr, lines = c->lines;

    *c = (Chip){ .elcr = elcr, .lines = lines, .irr = lines & elcr, .lowest = 7 };
    c->single = value & ICW1_SNGL;
    c->wants_icw4 = value & ICW1_IC4;
    c->init = INIT_WANTS_ICW2;
}

static void write_ocw2(Chip *c, uint8_t value)
{
    unsigned ir = value & 7;

    switch (value >> 5) {
    case 0: c->rotate_on_aeoi = false; break;
    case 4: c->rotate_on_aeoi = true; break;
    case 1: /* non-specific EOI, */
    case 5: /* and rotate. In special mask mode it passes over masked inputs. */
        end_of_interrupt(c, highest(c, c->special_mask ? c->isr & ~c->imr : c->isr), value & 0x80);
        break;
    case 3: end_of_interrupt(c, ir, false); break;
    case 7: end_of_interrupt(c, ir, true); break;
    case 6: c->lowest = ir; break;
    case 2: break; /* no operation */
    }
}

static void write_ocw3(Chip *c, uint8_t value)
{
    if (value & OCW3_ESMM)
        c->special_mask = value & OCW3_SMM;
    if (value & OCW3_POLL)
        c->poll = true;
    else if (value & OCW3_RR)
        c->read_isr = value & OCW3_RIS;
}

static void write_data(Chip *c, uint8_t value)
{
    switch (c->init) {
    case INIT_DONE: c->imr = value; break;
    case INIT_WANTS_ICW2:
        c->base = value & 0xf8;
        c->init = !c->single ? INIT_WANTS_ICW3 : c->wants_icw4 ? INIT_WANTS_ICW4 : INIT_DONE;
        break;
    case INIT_WANTS_ICW3: /* the cascade is wired and cannot be elsewhere */
        c->init = c->wants_icw4 ? INIT_WANTS_ICW4 : INIT_DONE;
        break;
    case INIT_WANTS_ICW4:
        if (!(value & ICW4_UPM))
            log_unimp("i8259: MCS-80 mode\n");
        c->icw4 = value;
        c->init = INIT_DONE;
        break;
    }
}

static void chip_write(I8259 *s, Chip *c, uint64_t addr, uint8_t value)
{
    if (addr & 1)
        write_data(c, value);
    else if (value & ICW1_INIT)
        write_icw1(c, value);
    else if (value & OCW3_SELECT)
        write_ocw3(c, value);
    else
        write_ocw2(c, value);
    update(s);
}

static uint8_t poll_read(I8259 *s, Chip *c, bool master)
{
    uint8_t value = 0;

    c->poll = false;
    if (request(c, master) >= 0)
        value = 0x80 | serve(c, master);
    update(s);
    return value;
}

static uint8_t chip_read(I8259 *s, Chip *c, uint64_t addr, bool master)
{
    if (c->poll)
        return poll_read(s, c, master);
    if (addr & 1)
        return c->imr;
    return c->read_isr ? c->isr : c->irr;
}

static uint8_t read_port(I8259 *s, int chip, uint64_t addr)
{
    uint8_t value = chip_read(s, &s->chip[chip], addr, chip == MASTER);

    trace(pic_ioport_read, "master %d addr 0x%x val 0x%x", chip == MASTER, (unsigned)addr, value);
    return value;
}

static void write_port(I8259 *s, int chip, uint64_t addr, uint8_t value)
{
    trace(pic_ioport_write, "master %d addr 0x%x val 0x%x", chip == MASTER, (unsigned)addr, value);
    chip_write(s, &s->chip[chip], addr, value);
}

static uint64_t master_read(void *opaque, uint64_t addr, unsigned size)
{
    I8259 *s = opaque;

    return read_port(s, MASTER, addr);
}

static void master_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8259 *s = opaque;

    write_port(s, MASTER, addr, value);
}

static uint64_t slave_read(void *opaque, uint64_t addr, unsigned size)
{
    I8259 *s = opaque;

    return read_port(s, SLAVE, addr);
}

static void slave_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8259 *s = opaque;

    write_port(s, SLAVE, addr, value);
}

/* ---- ELCR: IRQ 0, 1, 2, 8 and 13 are always edge triggered ----------------------------------- */

static const uint8_t elcr_writable[CHIPS] = { 0xf8, 0xde };

static uint64_t elcr_read(void *opaque, uint64_t addr, unsigned size)
{
    I8259 *s = opaque;

    return s->chip[addr & 1].elcr;
}

static void elcr_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8259 *s = opaque;
    Chip *c = &s->chip[addr & 1];
    uint8_t old = c->elcr;

    c->elcr = value & elcr_writable[addr & 1];
    c->irr = (c->irr & ~(c->elcr | old)) | (c->lines & c->elcr);
    update(s);
}

static const MemOps master_ops = { master_read, master_write, 1, 1 };
static const MemOps slave_ops = { slave_read, slave_write, 1, 1 };
static const MemOps elcr_ops = { elcr_read, elcr_write, 1, 1 };
static const MemPart elcr_parts[] = { { 0, 1, "elcr" }, { 1, 1, "elcr" }, { 0 } };

/* ---- Life ----------------------------------------------------------------------------------- */

static bool i8259_realize(Device *dev, GError **error)
{
    I8259 *s = (I8259 *)dev;

    memory_init_io(&s->io[MASTER], "pic", &master_ops, s, 2);
    memory_init_io(&s->io[SLAVE], "pic", &slave_ops, s, 2);
    memory_init_io(&s->elcr_io, "elcr", &elcr_ops, s, 2);
    memory_add(s->ports, 0x20, 0, &s->io[MASTER]);
    memory_add(s->ports, 0xa0, 0, &s->io[SLAVE]);
    memory_set_parts(&s->elcr_io, elcr_parts, false);
    memory_add(s->ports, 0x4d0, 0, &s->elcr_io);
    return true;
}

static void i8259_unrealize(Device *dev)
{
    I8259 *s = (I8259 *)dev;
    MemRegion *regions[] = { &s->io[MASTER], &s->io[SLAVE], &s->elcr_io };

    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        memory_remove(regions[i]);
        memory_destroy(regions[i]);
    }
}

static void i8259_reset_enter(Device *dev)
{
    I8259 *s = (I8259 *)dev;

    for (unsigned i = 0; i < CHIPS; i++)
        s->chip[i] = (Chip){ .lowest = 7 };
}

static void i8259_reset_hold(Device *dev)
{
    update((I8259 *)dev);
}

static const StateField chip_state[] = {
    STATE_U8(Chip, lines),
    STATE_U8(Chip, irr),
    STATE_U8(Chip, imr),
    STATE_U8(Chip, isr),
    STATE_U8(Chip, elcr),
    STATE_U8(Chip, base),
    STATE_U8(Chip, icw4),
    STATE_U8(Chip, lowest),
    STATE_U8(Chip, init),
    STATE_BOOL(Chip, single),
    STATE_BOOL(Chip, wants_icw4),
    STATE_BOOL(Chip, rotate_on_aeoi),
    STATE_BOOL(Chip, special_mask),
    STATE_BOOL(Chip, read_isr),
    STATE_BOOL(Chip, poll),
    STATE_END,
};

static const StateField i8259_state[] = { STATE_STRUCT_ARRAY(I8259, chip, chip_state), STATE_END };

const DeviceClass i8259_class = {
    .name = "isa-i8259",
    .desc = "pair of 8259A interrupt controllers",
    .size = sizeof(I8259),
    .state = i8259_state,
    .state_version = 1,
    .realize = i8259_realize,
    .unrealize = i8259_unrealize,
    .reset_enter = i8259_reset_enter,
    .reset_hold = i8259_reset_hold,
};

Device *i8259_new(Device *parent, MemRegion *ports, const Irq *intr)
{
    I8259 *s = (I8259 *)device_new(&i8259_class, parent, NULL);

    s->ports = ports;
    s->intr = intr;
    irq_init(s->input, 16, input_set, s);
    return &s->dev;
}

void i8259_print(Device *pic, GString *out)
{
    for (unsigned n = CHIPS; n-- > 0;) {
        const Chip *c = &((I8259 *)pic)->chip[n];

        g_string_append_printf(
            out,
            "pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u elcr=%02x "
            "fnm=%u\n",
            n, c->irr, c->imr, c->isr, (c->lowest + 1) & 7, c->base, c->read_isr, c->elcr,
            c->icw4 >> 4 & 1);
    }
}
