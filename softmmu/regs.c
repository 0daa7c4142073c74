/* SPDX-License-Identifier: MIT */
/*
 * The register-table engine: serves a device's region from its RegDesc rows.
 *
 * An access is cut at row borders. A read takes each row's value once. A write that names only some
 * bytes of a row changes only those: the bits are masked by .writable and .w1c as usual, and a
 * .write hook gets the row's current backing value with the named bytes replaced.
 */
#include "softmmu/device.h"

#include <string.h>

#include "softmmu/log.h"
#include "softmmu/regs-internal.h"

#define MAX_UNIMP_LOGGED 16

static uint64_t bytes_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

static uint64_t field_get(const Device *dev, const RegDesc *r)
{
    const uint8_t *p = (const uint8_t *)dev + r->field;

    switch (r->size) {
    case 1: return *p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    case 8: return *(const uint64_t *)p;
    }
    g_assert_not_reached();
}

static void field_set(Device *dev, const RegDesc *r, uint64_t value)
{
    uint8_t *p = (uint8_t *)dev + r->field;

    switch (r->size) {
    case 1: *p = value; return;
    case 2: *(uint16_t *)p = value; return;
    case 4: *(uint32_t *)p = value; return;
    case 8: *(uint64_t *)p = value; return;
    }
    g_assert_not_reached();
}

static uint64_t row_read(Device *dev, const RegDesc *r)
{
    if (r->read)
        return r->read(dev, r);
    return r->field ? field_get(dev, r) : r->reset;
}

/* Write the bits of @value that @mask names. */
static void row_write(Device *dev, const RegDesc *r, uint64_t value, uint64_t mask)
{
    uint64_t old = r->field ? field_get(dev, r) : 0;
    uint64_t next;

    if (r->write) {
        r->write(dev, r, (old & ~mask) | (value & mask));
        return;
    }
    if (r->field) {
        next = (old & ~(r->writable & mask)) | (value & r->writable & mask);
        next &= ~(value & r->w1c & mask);
        field_set(dev, r, next);
    }
    if (r->wrote)
        r->wrote(dev, r, old);
}

static const RegDesc *find_row(const Device *dev, uint64_t addr)
{
    for (const RegDesc *r = dev->klass->regs; r->name; r++) {
        if (addr - r->off < r->size)
            return r;
    }
    return NULL;
}

static void log_missing(Device *dev, const char *what, uint64_t addr)
{
    if (!log_enabled(LOG_UNIMP) || dev->unimp_logged >= MAX_UNIMP_LOGGED)
        return;
    dev->unimp_logged++;
    log_printf("%s: %s of offset 0x%" G_GINT64_MODIFIER "x, which has no register%s\n", dev->id,
               what, addr, dev->unimp_logged == MAX_UNIMP_LOGGED ? " (no more are shown)" : "");
}

static uint64_t regs_read(void *opaque, uint64_t addr, unsigned size)
{
    Device *dev = opaque;
    uint64_t value = 0;

    for (unsigned done = 0; done < size;) {
        uint64_t at = addr + done;
        const RegDesc *r = find_row(dev, at);
        unsigned skip, len;

        if (!r) {
            log_missing(dev, "read", at);
            done++;
            continue;
        }
        skip = at - r->off;
        len = MIN(r->size - skip, size - done);
        value |= (row_read(dev, r) >> 8 * skip & bytes_mask(len)) << 8 * done;
        done += len;
    }
    return value;
}

static void regs_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Device *dev = opaque;

    for (unsigned done = 0; done < size;) {
        uint64_t at = addr + done;
        const RegDesc *r = find_row(dev, at);
        unsigned skip, len;

        if (!r) {
            log_missing(dev, "write", at);
            done++;
            continue;
        }
        skip = at - r->off;
        len = MIN(r->size - skip, size - done);
        row_write(dev, r, (value >> 8 * done) << 8 * skip, bytes_mask(len) << 8 * skip);
        done += len;
    }
}

const MemOps reg_table_ops = {
    .read = regs_read, .write = regs_write, .min_size = 1, .max_size = 8
};

uint64_t regs_extent(const RegDesc *regs)
{
    uint64_t end = 0;

    for (const RegDesc *r = regs; r->name; r++)
        end = MAX(end, (uint64_t)r->off + r->size);
    return end;
}

void regs_reset(Device *dev)
{
    for (const RegDesc *r = dev->klass->regs; r && r->name; r++) {
        if (r->field)
            field_set(dev, r, r->reset);
    }
}
