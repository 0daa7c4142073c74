/* SPDX-License-Identifier: MIT */
/*
 * Accesses: single ones as a CPU makes them, bulk ones for DMA and loaders.
 * An access that leaves its range is cut where the range ends and each part goes where it belongs.
 */
#include "softmmu/memory.h"

#include <string.h>

#include "softmmu/log.h"
#include "softmmu/memory-internal.h"
#include "softmmu/trace.h"

#define MAX_HOLES_LOGGED 256

/* ---- One range ------------------------------------------------------------------------------ */

static uint64_t size_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

static uint64_t load_le(const uint8_t *p, unsigned size)
{
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;

    switch (size) {
    case 1: return *p;
    case 2: memcpy(&v16, p, 2); return GUINT16_FROM_LE(v16);
    case 4: memcpy(&v32, p, 4); return GUINT32_FROM_LE(v32);
    case 8: memcpy(&v64, p, 8); return GUINT64_FROM_LE(v64);
    }
    g_assert_not_reached();
}

static void store_le(uint8_t *p, uint64_t value, unsigned size)
{
    uint16_t v16 = GUINT16_TO_LE((uint16_t)value);
    uint32_t v32 = GUINT32_TO_LE((uint32_t)value);
    uint64_t v64 = GUINT64_TO_LE(value);

    switch (size) {
    case 1: *p = value; return;
    case 2: memcpy(p, &v16, 2); return;
    case 4: memcpy(p, &v32, 4); return;
    case 8: memcpy(p, &v64, 8); return;
    }
    g_assert_not_reached();
}

static unsigned io_min(const MemOps *ops)
{
    return ops->min_size ? ops->min_size : 1;
}

static unsigned io_max(const MemOps *ops)
{
    return ops->max_size ? ops->max_size : 4;
}

static uint64_t io_read_once(const MemRegion *r, uint64_t addr, unsigned size)
{
    return r->ops->read ? r->ops->read(r->opaque, addr, size) & size_mask(size) : size_mask(size);
}

/* A read narrower than the device understands: its words around the bytes asked for. */
static uint64_t io_read_widened(const MemRegion *r, uint64_t addr, unsigned size)
{
    unsigned width = io_min(r->ops);
    uint64_t value = 0;

    for (unsigned done = 0; done < size;) {
        uint64_t at = addr + done, word = at & -(uint64_t)width;
        unsigned skip = at - word, len = MIN(width - skip, size - done);
        uint64_t got = io_read_once(r, word, width) >> 8 * skip;

        value |= (got & size_mask(len)) << 8 * done;
        done += len;
    }
    return value;
}

static uint64_t io_read(const MemRegion *r, uint64_t addr, unsigned size)
{
    unsigned max = io_max(r->ops);
    uint64_t value = 0;

    if (size < io_min(r->ops))
        return io_read_widened(r, addr, size);
    if (size <= max)
        return io_read_once(r, addr, size);
    for (unsigned done = 0; done < size; done += max)
        value |= io_read_once(r, addr + done, max) << 8 * done;
    return value;
}

/* The callback may change the memory map, but its region outlives the access. */
static void io_write(const MemRegion *r, uint64_t addr, uint64_t value, unsigned size)
{
    unsigned max = io_max(r->ops);

    if (!r->ops->write)
        return;
    if (size <= max) {
        r->ops->write(r->opaque, addr, value & size_mask(size), size);
        return;
    }
    for (unsigned done = 0; done < size; done += max)
        r->ops->write(r->opaque, addr + done, value >> 8 * done & size_mask(max), max);
}

static uint8_t *ram_pointer(const FlatRange *range, uint64_t addr)
{
    const MemRegion *r = range->region;

    return r->ram->host + r->ram_start + range->region_start + (addr - range->start);
}

void ram_block_changed(const RamBlock *block, uint64_t at, uint64_t len)
{
    const RamSet *set = block->set;
    uint64_t offset = block->ram_offset + at;

    ram_block_written(block, at, len);
    for (unsigned i = 0; i < set->spaces->len; i++) {
        const AddressSpace *space = set->spaces->pdata[i];

        for (unsigned k = 0; k < space->listeners->len; k++) {
            MemListener *l = space->listeners->pdata[k];

            if (l->ram_written)
                l->ram_written(l, offset, len);
        }
    }
}

static void ram_written(const FlatRange *range, uint64_t addr, uint64_t len)
{
    const MemRegion *r = range->region;

    ram_block_changed(r->ram, r->ram_start + range->region_start + (addr - range->start), len);
}

#define ACCESS_FORMAT \
    "addr 0x%" G_GINT64_MODIFIER "x value 0x%" G_GINT64_MODIFIER "x size %u name '%s'"

static uint64_t range_read(AddressSpace *as, const FlatRange *range, uint64_t addr, unsigned size)
{
    if (range->region->kind == MEM_IO) {
        FlatRange copy = *range; /* a device may change the map */
        uint64_t v = io_read(copy.region, copy.region_start + (addr - copy.start), size);
        if (G_UNLIKELY(as->watch))
            as->watch->io(as->watch->opaque, &copy, addr, v, size, false);
        trace(memory_region_ops_read, ACCESS_FORMAT, addr, v, size, copy.region->name);
        return v;
    }
    return load_le(ram_pointer(range, addr), size);
}

static void log_odd_access(AddressSpace *as, const char *what, uint64_t addr, unsigned size)
{
    if (!log_enabled(LOG_GUEST_ERRORS) || as->holes_logged > MAX_HOLES_LOGGED)
        return;
    if (++as->holes_logged > MAX_HOLES_LOGGED)
        log_printf("%s: more such accesses are not shown\n", as->name);
    else
        log_printf("%s: %s at 0x%" G_GINT64_MODIFIER "x, %u bytes\n", as->name, what, addr, size);
}

bool address_space_is_empty(AddressSpace *as, uint64_t addr, uint64_t len)
{
    return !log_enabled(LOG_GUEST_ERRORS) && !address_space_find(as, addr) &&
           address_space_hole(as, addr) >= len;
}

static void range_write(AddressSpace *as, const FlatRange *range, uint64_t addr, uint64_t value,
                        unsigned size)
{
    MemKind kind = range->region->kind;

    switch (kind == MEM_ROM && range->region->ops ? MEM_IO : kind) {
    case MEM_IO:
        if (G_UNLIKELY(as->watch))
            as->watch->io(as->watch->opaque, range, addr, value, size, true);
        trace(memory_region_ops_write, ACCESS_FORMAT, addr, value, size, range->region->name);
        io_write(range->region, range->region_start + (addr - range->start), value, size);
        return;
    case MEM_RAM:
        store_le(ram_pointer(range, addr), value, size);
        ram_written(range, addr, size);
        return;
    default: log_odd_access(as, "write to ROM", addr, size);
    }
}

/* ---- Single accesses ------------------------------------------------------------------------ */

static uint64_t bytes_left(const FlatRange *range, uint64_t addr)
{
    return range->size - (addr - range->start);
}

/* How many of the @size bytes at @addr lie in the same place: a power of two. */
static unsigned part_size(AddressSpace *as, const FlatRange *range, uint64_t addr, unsigned size)
{
    unsigned part = 1;
    uint64_t left = range ? bytes_left(range, addr) : 1;

    while (2 * part <= size && 2 * part <= left)
        part *= 2;
    return part;
}

static uint64_t read_in_parts(AddressSpace *as, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    for (unsigned done = 0; done < size;) {
        const FlatRange *range = address_space_find(as, addr + done);
        unsigned part = part_size(as, range, addr + done, size - done);
        uint64_t got = range ? range_read(as, range, addr + done, part) : size_mask(part);

        value |= got << 8 * done;
        done += part;
    }
    return value;
}

uint64_t address_space_read(AddressSpace *as, uint64_t addr, unsigned size)
{
    const FlatRange *range = address_space_find(as, addr);

    g_assert(size == 1 || size == 2 || size == 4 || size == 8);
    if (G_LIKELY(range && bytes_left(range, addr) >= size))
        return range_read(as, range, addr, size);
    if (!range)
        log_odd_access(as, "read from nothing", addr, size);
    return read_in_parts(as, addr, size);
}

static void write_in_parts(AddressSpace *as, uint64_t addr, uint64_t value, unsigned size)
{
    for (unsigned done = 0; done < size;) {
        const FlatRange *range = address_space_find(as, addr + done);
        unsigned part = part_size(as, range, addr + done, size - done);

        if (range)
            range_write(as, range, addr + done, value >> 8 * done & size_mask(part), part);
        done += part;
    }
}

void address_space_write(AddressSpace *as, uint64_t addr, uint64_t value, unsigned size)
{
    const FlatRange *range = address_space_find(as, addr);

    g_assert(size == 1 || size == 2 || size == 4 || size == 8);
    if (G_LIKELY(range && bytes_left(range, addr) >= size)) {
        range_write(as, range, addr, value, size);
        return;
    }
    if (!range)
        log_odd_access(as, "write to nothing", addr, size);
    write_in_parts(as, addr, value, size);
}

/* ---- Bulk accesses -------------------------------------------------------------------------- */

/* The largest power of two that @addr is aligned to and @len holds, up to what a device takes. */
static unsigned io_step(const MemRegion *r, uint64_t addr, uint64_t len)
{
    unsigned step = 1;

    while (2 * step <= io_max(r->ops) && 2 * step <= len && !(addr & (2 * step - 1)))
        step *= 2;
    return step;
}

/* How many of @len bytes at @addr are in one place, be it @range or the hole that NULL stands for.
 * The last byte of all has no distance to anything: 1. */
static uint64_t run_length(const AddressSpace *as, const FlatRange *range, uint64_t addr,
                           uint64_t len)
{
    return MIN(len, range ? bytes_left(range, addr) : MAX(address_space_hole(as, addr), 1));
}

static void tell_dma(AddressSpace *as, uint64_t addr, uint64_t len, bool write)
{
    trace(dma_memory_rw, "addr 0x%" G_GINT64_MODIFIER "x len 0x%" G_GINT64_MODIFIER "x %s", addr,
          len, write ? "write" : "read");
    if (G_UNLIKELY(as->watch) && as->watch->dma)
        as->watch->dma(as->watch->opaque, addr, len, write);
}

void address_space_read_bytes(AddressSpace *as, uint64_t addr, void *buf, uint64_t len)
{
    uint8_t *p = buf;

    tell_dma(as, addr, len, false);
    while (len) {
        const FlatRange *range = address_space_find(as, addr);
        uint64_t part = run_length(as, range, addr, len);

        if (!range) {
            memset(p, 0xff, part);
        } else if (range->region->kind == MEM_IO) {
            part = io_step(range->region, addr, part);
            store_le(p, range_read(as, range, addr, part), part);
        } else {
            memcpy(p, ram_pointer(range, addr), part);
        }
        p += part;
        addr += part;
        len -= part;
    }
}

static void write_bytes(AddressSpace *as, uint64_t addr, const void *buf, uint64_t len, bool rom)
{
    const uint8_t *p = buf;

    while (len) {
        const FlatRange *range = address_space_find(as, addr);
        uint64_t part = run_length(as, range, addr, len);

        if (range && range->region->kind == MEM_IO) {
            part = io_step(range->region, addr, part);
            range_write(as, range, addr, load_le(p, part), part);
        } else if (range && (rom || range->region->kind == MEM_RAM)) {
            memcpy(ram_pointer(range, addr), p, part);
            ram_written(range, addr, part);
        } else {
            log_odd_access(as, range ? "DMA to ROM" : "DMA to nothing", addr, 1);
        }
        p += part;
        addr += part;
        len -= part;
    }
}

void address_space_write_bytes(AddressSpace *as, uint64_t addr, const void *buf, uint64_t len)
{
    tell_dma(as, addr, len, true);
    write_bytes(as, addr, buf, len, false);
}

void address_space_write_rom(AddressSpace *as, uint64_t addr, const void *buf, uint64_t len)
{
    write_bytes(as, addr, buf, len, true);
}

void *address_space_map(AddressSpace *as, uint64_t addr, uint64_t len, bool write)
{
    const FlatRange *range = address_space_find(as, addr);

    if (!range || bytes_left(range, addr) < len)
        return NULL;
    if (range->region->kind == MEM_RAM || (range->region->kind == MEM_ROM && !write))
        return ram_pointer(range, addr);
    return NULL;
}

void address_space_written(AddressSpace *as, uint64_t addr, uint64_t len)
{
    while (len) {
        const FlatRange *range = address_space_find(as, addr);
        uint64_t part = run_length(as, range, addr, len);

        if (range && range->region->kind != MEM_IO)
            ram_written(range, addr, part);
        addr += part;
        len -= part;
    }
}

void address_space_drop(AddressSpace *as, uint64_t addr, uint64_t len)
{
    void *host = address_space_map(as, addr, len, true);

    if (!host)
        return;
    memset(host, 0, len);
    address_space_written(as, addr, len);
    if (!address_space_find(as, addr)
             ->region->ram->backed) /* a file would have it back as it was */
        ram_give_back(host, len);
}
