/* SPDX-License-Identifier: MIT */
/* Numbers are little-endian, parts have their length before them; of RAM pages that are not zero.
 */
#include "accel/snapshot.h"

#include <string.h>

#include "accel/engine.h"
#include "softmmu/device.h"
#include "softmmu/error.h"

#define MAX_COUNT (UINT64_C(1) << 56)
#define MAX_BYTES (UINT64_C(3) << 30) /* of snapshots */

/* ---- Parts ----------------------------------------------------------------------------------- */

static void put(GByteArray *out, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(out, (const uint8_t *)&value, sizeof(value));
}

static void put_part(GByteArray *out, const void *data, size_t len)
{
    put(out, len);
    if (len)
        g_byte_array_append(out, data, len);
}

typedef struct Reader {
    const uint8_t *p;
    size_t left;
    bool bad;
} Reader;

static const uint8_t *take_bytes(Reader *r, uint64_t len)
{
    const uint8_t *p = r->p;

    if (len > r->left || r->bad) {
        r->bad = true;
        return NULL;
    }
    r->p += len;
    r->left -= len;
    return p;
}

static uint64_t take(Reader *r)
{
    const uint8_t *p = take_bytes(r, sizeof(uint64_t));
    uint64_t value = 0;

    if (p)
        memcpy(&value, p, sizeof(value));
    return GUINT64_FROM_LE(value);
}

static const uint8_t *take_part(Reader *r, size_t *len)
{
    *len = take(r);
    return take_bytes(r, *len);
}

/* ---- RAM ------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *page)
{
    static const uint8_t zeros[PAGE_SIZE];

    return !memcmp(page, zeros, PAGE_SIZE);
}

/* The end of RAM, then pages: number, bytes; then the end again. False: they are too many. */
static bool save_ram(Accel *a, GByteArray *out)
{
    const GPtrArray *blocks = ram_set_blocks(a->machine->ram);

    put(out, ram_set_end(a->machine->ram));
    for (unsigned i = 0; i < blocks->len; i++) {
        const RamBlock *b = blocks->pdata[i];

        for (uint64_t at = 0; at < b->size; at += PAGE_SIZE) {
            if (is_zero(b->host + at))
                continue;
            if (out->len > MAX_BYTES)
                return false;
            put(out, b->ram_offset + at);
            g_byte_array_append(out, b->host + at, PAGE_SIZE);
        }
    }
    put(out, ram_set_end(a->machine->ram));
    return true;
}

static void set_page(Accel *a, const RamBlock *b, uint64_t at, const uint8_t *bytes)
{
    if (bytes ? !memcmp(b->host + at, bytes, PAGE_SIZE) : is_zero(b->host + at))
        return;
    if (bytes)
        memcpy(b->host + at, bytes, PAGE_SIZE);
    else
        memset(b->host + at, 0, PAGE_SIZE);
    ram_block_written(b, at, PAGE_SIZE);
    if (a->tbs.pages)
        tb_invalidate(&a->tbs, b->ram_offset + at, PAGE_SIZE);
}

static bool load_ram(Accel *a, Reader *r)
{
    const GPtrArray *blocks = ram_set_blocks(a->machine->ram);
    uint64_t end = ram_set_end(a->machine->ram), next;

    if (take(r) != end)
        return false;
    next = take(r);
    for (unsigned i = 0; i < blocks->len && !r->bad; i++) {
        const RamBlock *b = blocks->pdata[i];

        for (uint64_t at = 0; at < b->size && !r->bad; at += PAGE_SIZE) {
            bool listed = next == b->ram_offset + at;

            set_page(a, b, at, listed ? take_bytes(r, PAGE_SIZE) : NULL);
            if (listed)
                next = take(r);
        }
    }
    return !r->bad && next == end;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static void save_counters(const Accel *a, GByteArray *out)
{
    const uint64_t numbers[] = {
        a->count,      a->delivered,   a->turn,
        a->settled_at, a->bias_ns,     a->debug.turn,
        a->debug.left, a->debug.exact, a->machine->requests & GUEST_REQUESTS
    };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        put(out, numbers[i]);
}

static bool load_counters(Accel *a, Reader *r)
{
    a->count = take(r);
    a->delivered = take(r);
    a->turn = take(r);
    a->settled_at = take(r);
    a->bias_ns = take(r);
    a->debug.turn = take(r);
    a->debug.left = take(r);
    a->debug.exact = take(r);
    a->debug.stop.why = DEBUG_NOTHING;
    a->machine->requests = take(r) & GUEST_REQUESTS;
    return a->count < MAX_COUNT && a->delivered < MAX_COUNT && a->turn < MAX_COUNT &&
           a->bias_ns >= 0 && a->debug.turn < a->cpus->len && a->debug.left >= 0;
}

static void save_waiting(const Machine *m, GByteArray *out)
{
    for (guint i = 0; i < m->keepers->len; i++) {
        const MachineKeeper *k = &g_array_index(m->keepers, MachineKeeper, i);
        g_autoptr(GBytes) saved = k->save(k->opaque);

        put_part(out, g_bytes_get_data(saved, NULL), g_bytes_get_size(saved));
    }
}

static void load_waiting(const Machine *m, Reader *r)
{
    for (guint i = 0; i < m->keepers->len && !r->bad; i++) {
        const MachineKeeper *k = &g_array_index(m->keepers, MachineKeeper, i);
        size_t len;
        const uint8_t *p = take_part(r, &len);
        g_autoptr(GBytes) saved = p ? g_bytes_new(p, len) : NULL;

        if (p)
            k->load(k->opaque, saved);
    }
}

GBytes *snapshot_save(Accel *a, GError **error)
{
    g_autoptr(GByteArray) part = g_byte_array_new();
    GByteArray *out = g_byte_array_new();

    g_assert(a->icount_shift >= 0 && !a->current);
    accel_forget_caches(a);
    save_counters(a, out);
    device_tree_save(a->machine->root, part);
    put_part(out, part->data, part->len);
    g_byte_array_set_size(part, 0);
    clock_pack(a->machine->clock, part);
    put_part(out, part->data, part->len);
    save_waiting(a->machine, out);
    if (save_ram(a, out))
        return g_byte_array_free_to_bytes(out);
    error_set(error, "more than %d GiB of the guest's memory are in use", (int)(MAX_BYTES >> 30));
    g_byte_array_free(out, TRUE);
    return NULL;
}

/* RAM first: what a device or CPU reads when its state has come must be there. */
static bool load_parts(Accel *a, Reader *r, GError **error)
{
    size_t devices_len, clock_len;
    const uint8_t *devices = take_part(r, &devices_len), *clock = take_part(r, &clock_len);

    load_waiting(a->machine, r);
    if (r->bad || !load_ram(a, r) || r->left) {
        error_set(error, "the snapshot of the machine is damaged, or of another machine");
        return false;
    }
    if (!device_tree_load(a->machine->root, devices, devices_len, error))
        return false;
    if (clock_unpack(a->machine->clock, clock, clock_len))
        return true;
    error_set(error, "the snapshot has timers that this machine has not");
    return false;
}

bool snapshot_load(Accel *a, GBytes *snapshot, GError **error)
{
    Reader r = { 0 };

    g_assert(a->icount_shift >= 0 && !a->current && !a->travel);
    r.p = g_bytes_get_data(snapshot, &r.left);
    if (!load_counters(a, &r)) {
        error_set(error, "the snapshot of the machine is damaged");
        return false;
    }
    if (!load_parts(a, &r, error))
        return false;
    accel_forget_caches(a);
    return true;
}
