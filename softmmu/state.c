/* SPDX-License-Identifier: MIT */
/*
 * State lists: one walk over the fields serves save, load, print and (through save) hash.
 * Saved form: each field little-endian in list order, nothing between them; a timer is its
 * deadline. The list's version decides which fields a saved object has.
 */
#include "softmmu/device.h"

#include <string.h>

#include "softmmu/clock.h"
#include "softmmu/error.h"
#include "softmmu/state-internal.h"

static size_t scalar_size(StateType type)
{
    switch (type) {
    case STATE_T_BOOL:
    case STATE_T_U8:
    case STATE_T_BYTES: return 1;
    case STATE_T_U16: return 2;
    case STATE_T_U32: return 4;
    case STATE_T_U64:
    case STATE_T_TIMER: return 8;
    default: g_assert_not_reached();
    }
}

static void check_field(const StateField *f)
{
    if (f->type == STATE_T_TIMER)
        g_assert(f->elem_size == sizeof(Timer *));
    else if (f->type != STATE_T_STRUCT)
        g_assert(f->elem_size == scalar_size(f->type));
}

static uint64_t get_scalar(StateType type, const uint8_t *p)
{
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    Timer *timer;

    switch (type) {
    case STATE_T_BOOL: return *p != 0;
    case STATE_T_U8:
    case STATE_T_BYTES: return *p;
    case STATE_T_U16: memcpy(&v16, p, 2); return v16;
    case STATE_T_U32: memcpy(&v32, p, 4); return v32;
    case STATE_T_U64: memcpy(&v64, p, 8); return v64;
    case STATE_T_TIMER:
        memcpy(&timer, p, sizeof(timer));
        return timer ? timer_deadline_ns(timer) : CLOCK_NEVER;
    default: g_assert_not_reached();
    }
}

static void put_scalar(StateType type, uint8_t *p, uint64_t value)
{
    uint16_t v16 = value;
    uint32_t v32 = value;
    Timer *timer;

    switch (type) {
    case STATE_T_BOOL: *p = value != 0; return;
    case STATE_T_U8:
    case STATE_T_BYTES: *p = value; return;
    case STATE_T_U16: memcpy(p, &v16, 2); return;
    case STATE_T_U32: memcpy(p, &v32, 4); return;
    case STATE_T_U64: memcpy(p, &value, 8); return;
    case STATE_T_TIMER:
        memcpy(&timer, p, sizeof(timer));
        if (timer)
            timer_set(timer, value); /* CLOCK_NEVER disarms */
        return;
    default: g_assert_not_reached();
    }
}

static uint8_t *save_scalars(const StateField *f, const uint8_t *p, uint8_t *out)
{
    size_t size = scalar_size(f->type);

    for (size_t i = 0; i < f->count; i++, p += f->elem_size, out += size) {
        uint64_t value = GUINT64_TO_LE(get_scalar(f->type, p));
        memcpy(out, &value, size);
    }
    return out;
}

/* Into state_size() bytes; returns the end of them. */
static uint8_t *save_fields(const StateField *list, const void *object, uint8_t *out)
{
    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        const uint8_t *p = (const uint8_t *)object + f->offset;

        check_field(f);
        if (f->type == STATE_T_BYTES)
            out = (uint8_t *)memcpy(out, p, f->count) + f->count;
        else if (f->type != STATE_T_STRUCT)
            out = save_scalars(f, p, out);
        for (size_t i = 0; f->type == STATE_T_STRUCT && i < f->count; i++, p += f->elem_size)
            out = save_fields(f->sub, p, out);
    }
    return out;
}

/* Recordings do this a thousand times a second. */
void state_save(const StateField *list, const void *object, GByteArray *out)
{
    guint at = out->len;

    g_byte_array_set_size(out, at + state_size(list, UINT16_MAX));
    save_fields(list, object, out->data + at);
}

size_t state_size(const StateField *list, uint16_t version)
{
    size_t size = 0;

    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        if (f->since > version)
            continue;
        size += f->count *
                (f->type == STATE_T_STRUCT ? state_size(f->sub, version) : scalar_size(f->type));
    }
    return size;
}

const uint8_t *state_load_fields(const StateField *list, void *object, const uint8_t *data,
                                 uint16_t version)
{
    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        uint8_t *p = (uint8_t *)object + f->offset;

        if (f->since > version)
            continue;
        check_field(f);
        for (size_t i = 0; i < f->count; i++, p += f->elem_size) {
            if (f->type == STATE_T_STRUCT) {
                data = state_load_fields(f->sub, p, data, version);
            } else {
                uint64_t value = 0;
                size_t size = scalar_size(f->type);

                memcpy(&value, data, size);
                put_scalar(f->type, p, GUINT64_FROM_LE(value));
                data += size;
            }
        }
    }
    return data;
}

bool state_load(const StateField *list, void *object, const uint8_t *data, size_t len, size_t *pos,
                GError **error)
{
    size_t need = state_size(list, UINT16_MAX);

    if (*pos > len || len - *pos < need) {
        error_set(error, "state is too short: %zu bytes where %zu are needed",
                  *pos > len ? 0 : len - *pos, need);
        return false;
    }
    state_load_fields(list, object, data + *pos, UINT16_MAX);
    *pos += need;
    return true;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void print_scalar(StateType type, const uint8_t *p, GString *out)
{
    uint64_t value = get_scalar(type, p);

    if (type == STATE_T_BOOL)
        g_string_append(out, value ? "true" : "false");
    else if (type == STATE_T_TIMER && value == CLOCK_NEVER)
        g_string_append(out, "null");
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, value);
}

static void print_element(const StateField *f, const uint8_t *p, GString *out)
{
    if (f->type == STATE_T_STRUCT)
        state_print(f->sub, p, out);
    else
        print_scalar(f->type, p, out);
}

static void print_hex(const uint8_t *p, size_t len, GString *out)
{
    g_string_append_c(out, '"');
    for (size_t i = 0; i < len; i++)
        g_string_append_printf(out, "%02x", p[i]);
    g_string_append_c(out, '"');
}

static void print_field(const StateField *f, const uint8_t *p, GString *out)
{
    g_string_append_printf(out, "\"%s\": ", f->name);
    if (f->type == STATE_T_BYTES) {
        print_hex(p, f->count, out);
        return;
    }
    if (f->count == 1) {
        print_element(f, p, out);
        return;
    }
    for (size_t i = 0; i < f->count; i++) {
        g_string_append(out, i ? ", " : "[");
        print_element(f, p + i * f->elem_size, out);
    }
    g_string_append_c(out, ']');
}

void state_print(const StateField *list, const void *object, GString *out)
{
    g_string_append_c(out, '{');
    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        if (f != list)
            g_string_append(out, ", ");
        print_field(f, (const uint8_t *)object + f->offset, out);
    }
    g_string_append_c(out, '}');
}

static void describe_field(const StateField *f, unsigned indent, GString *out)
{
    const int in = indent + 2;

    g_string_append_printf(
        out,
        "\n%*s{\n%*s\"field\": \"%s\",\n%*s\"version_id\": %u,\n%*s\"field_exists\": "
        "false,\n%*s\"size\": %zu",
        indent, "", in, "", f->name, in, "", f->since, in, "", in, "",
        f->type == STATE_T_STRUCT  ? f->elem_size
        : f->type == STATE_T_BYTES ? f->count
                                   : scalar_size(f->type));
    if (f->count > 1 && f->type != STATE_T_BYTES)
        g_string_append_printf(out, ",\n%*s\"num\": %zu", in, "", f->count);
    if (f->type == STATE_T_STRUCT) {
        g_string_append_printf(
            out,
            ",\n%*s\"Description\": {\n%*s\"name\": \"%s\",\n%*s\"version_id\": 0,"
            "\n%*s\"minimum_version_id\": 0,\n%*s\"Fields\": [",
            in, "", in + 2, "", f->name, in + 2, "", in + 2, "", in + 2, "");
        state_describe(f->sub, in + 4, out);
        g_string_append_printf(out, "\n%*s]\n%*s}", in + 2, "", in, "");
    }
    g_string_append_printf(out, "\n%*s}", indent, "");
}

void state_describe(const StateField *list, unsigned indent, GString *out)
{
    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        if (f != list)
            g_string_append_c(out, ',');
        describe_field(f, indent, out);
    }
}

/* ---- Hash ----------------------------------------------------------------------------------- */

/*
 * Four independent multiplying lanes over 32 bytes a turn, so that hashing RAM runs at memory
 * speed; lanes are folded with the length at the end. Not cryptographic.
 */
#define HASH_K0 UINT64_C(0x9e3779b97f4a7c15)
#define HASH_K1 UINT64_C(0xd6e8feb86659fd93)

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static uint64_t hash_mix(uint64_t x)
{
    x = (x ^ x >> 32) * HASH_K1;
    x = (x ^ x >> 29) * HASH_K0;
    return x ^ x >> 32;
}

static uint64_t load_word(const uint8_t *p, size_t len)
{
    uint64_t word = 0;

    memcpy(&word, p, len);
    return GUINT64_FROM_LE(word);
}

/* Two multiplications: after one, the top bit of a word would differ from a bit of the next. */
static uint64_t hash_step(uint64_t lane, uint64_t word)
{
    uint64_t x = (lane ^ word) * HASH_K0;

    return (x ^ x >> 32) * HASH_K1 + HASH_K0;
}

/* The lanes in registers: half the time. */
static void hash_stripes(uint64_t lane[4], const uint8_t *p, size_t len)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];

    for (const uint8_t *end = p + len; p < end; p += 32) {
        a = hash_step(a, load_word(p, 8));
        b = hash_step(b, load_word(p + 8, 8));
        c = hash_step(c, load_word(p + 16, 8));
        d = hash_step(d, load_word(p + 24, 8));
    }
    lane[0] = a;
    lane[1] = b;
    lane[2] = c;
    lane[3] = d;
}

uint64_t state_hash_bytes(const void *data, size_t len, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t lane[4] = { seed, seed + HASH_K0, seed ^ HASH_K1, ~seed };
    uint64_t hash = len * HASH_K0;
    size_t left = len % 32;

    hash_stripes(lane, p, len - left);
    p += len - left;
    for (int i = 0; left; i++) {
        size_t part = MIN(left, 8);

        lane[i] = hash_step(lane[i], load_word(p, part));
        p += part;
        left -= part;
    }
    for (int i = 0; i < 4; i++)
        hash = hash_mix(hash + rotate(lane[i], 7 + 11 * i));
    return hash;
}

static void describe_list(const StateField *list, GString *out)
{
    for (const StateField *f = list; f->type != STATE_T_END; f++) {
        g_string_append_printf(out, "%s %d %zu %u;", f->name, (int)f->type, f->count, f->since);
        if (f->type == STATE_T_STRUCT)
            describe_list(f->sub, out);
    }
}

uint64_t state_list_hash(const StateField *list)
{
    g_autoptr(GString) text = g_string_new("");

    describe_list(list, text);
    return state_hash_bytes(text->str, text->len, 0);
}
