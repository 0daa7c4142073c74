/* SPDX-License-Identifier: MIT */
/*
 * Two cascaded 8237A DMA controllers and their page registers: channels 0 to 3 move bytes,
 * 5 to 7 words. Spec: Intel 8237A data sheet (231466); PIIX3 data sheet, page registers.
 *
 * A device calls i8237_transfer() where it would raise DREQ. Missing: memory to memory, software
 * requests, rotating priority.
 */
#include "hw/i8237.h"

#include <string.h>

#include "softmmu/log.h"

enum {
    CHANNELS = 4, /* per controller */
    REG_STATUS_COMMAND = 8,
    REG_REQUEST,
    REG_MASK_ONE,
    REG_MODE,
    REG_CLEAR_FLIPFLOP,
    REG_MASTER_CLEAR,
    REG_CLEAR_MASK,
    REG_MASK_ALL,
    MODE_AUTO = 0x10,
    MODE_DOWN = 0x20,
    MODE_TYPE = 0x0c,
    MODE_VERIFY = 0x00, /* counts, but moves nothing */
    MODE_TO_MEMORY = 0x04,
    MODE_FROM_MEMORY = 0x08,
    COMMAND_DISABLE = 0x04,
    PAGES = 16, /* ports 0x80 to 0x8f */
};

typedef struct Channel {
    uint16_t base_address, base_count, address, count;
    uint8_t mode;
} Channel;

typedef struct Controller {
    Channel channel[CHANNELS];
    uint8_t command, status, mask;
    bool high_byte; /* the flip-flop */
} Controller;

typedef struct I8237 {
    Device dev;
    MemRegion *ports, io[2], page_io;
    AddressSpace *memory;
    Controller controller[2];
    uint8_t pages[PAGES];
} I8237;

/* Offset from 0x80 of each channel's page register. */
static const uint8_t page_of[8] = { 0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa };

/* ---- Registers
 * -------------------------------------------------------------------------------------- */

static void master_clear(Controller *c)
{
    c->command = c->status = 0;
    c->mask = 0x0f;
    c->high_byte = false;
}

static uint8_t controller_read(Controller *c, unsigned reg)
{
    uint8_t status = c->status;
    uint16_t value;

    if (reg < 2 * CHANNELS) {
        const Channel *ch = &c->channel[reg >> 1];

        value = reg & 1 ? ch->count : ch->address;
        value >>= c->high_byte ? 8 : 0;
        c->high_byte = !c->high_byte;
        return value;
    }
    if (reg == REG_STATUS_COMMAND) {
        c->status &= 0xf0; /* reading clears the terminal counts */
        return status;
    }
    return reg == REG_MASK_ALL ? c->mask | 0xf0 : 0;
}

static void write_word(Controller *c, unsigned reg, uint8_t value)
{
    Channel *ch = &c->channel[reg >> 1];
    uint16_t *base = reg & 1 ? &ch->base_count : &ch->base_address;

    *base = c->high_byte ? (*base & 0x00ff) | value << 8 : (*base & 0xff00) | value;
    c->high_byte = !c->high_byte;
    *(reg & 1 ? &ch->count : &ch->address) = *base;
}

static void set_bit(uint8_t *bits, uint8_t value)
{
    uint8_t bit = 1u << (value & 3);

    *bits = value & 4 ? *bits | bit : *bits & ~bit;
}

static void controller_write(Controller *c, unsigned reg, uint8_t value)
{
    if (reg < 2 * CHANNELS) {
        write_word(c, reg, value);
        return;
    }
    switch (reg) {
    case REG_STATUS_COMMAND:
        c->command = value;
        if (value & 0x01)
            log_unimp("i8237: memory to memory transfers\n");
        break;
    case REG_REQUEST: log_unimp("i8237: software requests\n"); break;
    case REG_MASK_ONE: set_bit(&c->mask, value); break;
    case REG_MODE: c->channel[value & 3].mode = value & 0xfc; break;
    case REG_CLEAR_FLIPFLOP: c->high_byte = false; break;
    case REG_MASTER_CLEAR: master_clear(c); break;
    case REG_CLEAR_MASK: c->mask = 0; break;
    case REG_MASK_ALL: c->mask = value & 0x0f; break;
    }
}

static uint64_t low_read(void *opaque, uint64_t addr, unsigned size)
{
    return controller_read(&((I8237 *)opaque)->controller[0], addr);
}

static void low_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    controller_write(&((I8237 *)opaque)->controller[0], addr, value);
}

/* The second controller's registers are at even ports. */
static uint64_t high_read(void *opaque, uint64_t addr, unsigned size)
{
    return controller_read(&((I8237 *)opaque)->controller[1], addr >> 1);
}

static void high_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    controller_write(&((I8237 *)opaque)->controller[1], addr >> 1, value);
}

static uint64_t page_read(void *opaque, uint64_t addr, unsigned size)
{
    return ((I8237 *)opaque)->pages[addr + 1];
}

static void page_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ((I8237 *)opaque)->pages[addr + 1] = value;
}

static const MemOps low_ops = { low_read, low_write, 1, 1 };
static const MemOps high_ops = { high_read, high_write, 1, 1 };
static const MemOps page_ops = { page_read, page_write, 1, 1 };

/* ---- Transfers
 * ---------------------------------------------------------------------------------------- */

/* The unit of a transfer goes on; true at terminal count. */
static bool step(Controller *c, unsigned n)
{
    Channel *ch = &c->channel[n];

    ch->address += ch->mode & MODE_DOWN ? -1 : 1;
    if (ch->count-- != 0)
        return false;
    c->status |= 1u << n;
    if (ch->mode & MODE_AUTO) {
        ch->address = ch->base_address;
        ch->count = ch->base_count;
    } else {
        c->mask |= 1u << n;
    }
    return true;
}

static uint64_t physical(const I8237 *s, unsigned channel, const Channel *ch)
{
    uint8_t page = s->pages[page_of[channel]];

    if (channel < 4)
        return (uint64_t)page << 16 | ch->address;
    return (uint64_t)(page & 0xfe) << 16 | (uint64_t)ch->address << 1;
}

size_t i8237_transfer(Device *dma, unsigned channel, bool to_memory, void *buf, size_t len,
                      bool *tc)
{
    I8237 *s = (I8237 *)dma;
    Controller *c = &s->controller[channel >> 2];
    Channel *ch = &c->channel[channel & 3];
    size_t unit = channel < 4 ? 1 : 2, done = 0;
    unsigned type = ch->mode & MODE_TYPE;
    uint8_t *p = buf;

    g_assert(channel < 8 && channel != 4);
    *tc = false;
    if ((c->command & COMMAND_DISABLE) || (c->mask >> (channel & 3) & 1) ||
        (type != MODE_VERIFY && type != (to_memory ? MODE_TO_MEMORY : MODE_FROM_MEMORY)))
        return 0;
    while (done + unit <= len && !*tc) {
        uint64_t addr = physical(s, channel, ch);

        if (type == MODE_VERIFY)
            memset(p + done, 0, to_memory ? 0 : unit);
        else if (to_memory)
            address_space_write_bytes(s->memory, addr, p + done, unit);
        else
            address_space_read_bytes(s->memory, addr, p + done, unit);
        done += unit;
        *tc = step(c, channel & 3);
    }
    return done;
}

/* ---- Life
 * ------------------------------------------------------------------------------------------------
 */

static const MemPart low_parts[] = { { 0, 8, "dma-chan" }, { 8, 8, "dma-cont" }, { 0 } };
static const MemPart high_parts[] = { { 0, 16, "dma-chan" }, { 16, 16, "dma-cont" }, { 0 } };
/* From port 0x81; those in between have no channel. */
static const MemPart page_parts[] = {
    { 0, 3, "dma-page" }, { 6, 1, "dma-page" }, { 8, 3, "dma-page" }, { 14, 1, "dma-page" }, { 0 }
};

static bool i8237_realize(Device *dev, GError **error)
{
    I8237 *s = (I8237 *)dev;

    memory_init_io(&s->io[0], "dma-chan", &low_ops, s, 16);
    memory_init_io(&s->io[1], "dma-chan", &high_ops, s, 32);
    memory_init_io(&s->page_io, "dma-page", &page_ops, s, 15);
    memory_set_parts(&s->io[0], low_parts, false);
    memory_set_parts(&s->io[1], high_parts, false);
    memory_set_parts(&s->page_io, page_parts, false);
    memory_add(s->ports, 0x00, 0, &s->io[0]);
    memory_add(s->ports, 0xc0, 0, &s->io[1]);
    memory_add(s->ports, 0x81, 0, &s->page_io);
    return true;
}

static void i8237_unrealize(Device *dev)
{
    I8237 *s = (I8237 *)dev;
    MemRegion *regions[] = { &s->io[0], &s->io[1], &s->page_io };

    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        memory_remove(regions[i]);
        memory_destroy(regions[i]);
    }
}

static void i8237_reset_enter(Device *dev)
{
    I8237 *s = (I8237 *)dev;

    memset(s->controller, 0, sizeof(s->controller));
    memset(s->pages, 0, sizeof(s->pages));
    master_clear(&s->controller[0]);
    master_clear(&s->controller[1]);
}

static const StateField channel_state[] = {
    STATE_U16(Channel, base_address), STATE_U16(Channel, base_count), STATE_U16(Channel, address),
    STATE_U16(Channel, count),        STATE_U8(Channel, mode),        STATE_END,
};

static const StateField controller_state[] = {
    STATE_STRUCT_ARRAY(Controller, channel, channel_state),
    STATE_U8(Controller, command),
    STATE_U8(Controller, status),
    STATE_U8(Controller, mask),
    STATE_BOOL(Controller, high_byte),
    STATE_END,
};

static const StateField i8237_state[] = {
    STATE_STRUCT_ARRAY(I8237, controller, controller_state),
    STATE_BYTES(I8237, pages),
    STATE_END,
};

const DeviceClass i8237_class = {
    .name = "i8237",
    .desc = "pair of 8237 DMA controllers",
    .size = sizeof(I8237),
    .state = i8237_state,
    .state_version = 1,
    .realize = i8237_realize,
    .unrealize = i8237_unrealize,
    .reset_enter = i8237_reset_enter,
};

Device *i8237_new(Device *parent, MemRegion *ports, AddressSpace *memory)
{
    I8237 *s = (I8237 *)device_new(&i8237_class, parent, NULL);

    s->ports = ports;
    s->memory = memory;
    return &s->dev;
}
