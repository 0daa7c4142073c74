/* SPDX-License-Identifier: MIT */
/*
 * The fault map: behind each block's code, for every host address that can be asked about, the
 * guest instruction and how to make the flags record. Entries are in order of host addresses:
 *   uleb  host address - previous entry's        sleb  guest offset - previous entry's
 *   sleb  instruction index - previous entry's
 *   byte  0: flags as in the previous entry; 1: they follow: a byte that says which of the sources
 *         (a, b, c, inc, rot, cf, of) there are, with bit 7 if there are inc_kind and rot_kind;
 *         kind and these as a byte each; the sources: byte 0 + uleb constant, or 1 + sleb offset
 *         from env
 */
#include "tcg/native/record.h"

static uint8_t *put_uleb(uint8_t *p, uint64_t v)
{
    while (v > 0x7f) {
        *p++ = (uint8_t)v | 0x80;
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_sleb(uint8_t *p, int64_t v)
{
    return put_uleb(p, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static uint8_t *put_src(const FaultPlaces *places, uint8_t *p, const Src *s)
{
    switch (s->kind) {
    case SRC_CONST: *p++ = 0; return put_uleb(p, s->value);
    case SRC_REG:
        g_assert(places->reg_home[s->reg] != INT32_MIN);
        *p++ = 1;
        return put_sleb(p, places->reg_home[s->reg] + places->bias);
    default: *p++ = 1; return put_sleb(p, s->off + places->bias);
    }
}

#define HAS_KINDS 0x80

static uint8_t *put_record(const FaultPlaces *places, uint8_t *p, const Record *r)
{
    bool kinds = r->inc_kind || r->rot_kind;

    *p++ = r->has | (kinds ? HAS_KINDS : 0);
    *p++ = r->kind;
    if (kinds) {
        *p++ = r->inc_kind;
        *p++ = r->rot_kind;
    }
    for (unsigned left = r->has; left; left &= left - 1) {
        p = put_src(places, p, &r->src[__builtin_ctz(left)]);
    }
    return p;
}

/* The three differences and whether a record follows: as a rule a byte each. */
static uint8_t *put_point(uint8_t *p, uint32_t host, int32_t guest, int32_t index, bool record)
{
    uint32_t g = (uint32_t)guest << 1 ^ (uint32_t)(guest >> 31);
    uint32_t i = (uint32_t)index << 1 ^ (uint32_t)(index >> 31);

    if (G_LIKELY((host | g | i) <= 0x7f)) {
        p[0] = (uint8_t)host;
        p[1] = (uint8_t)g;
        p[2] = (uint8_t)i;
        p += 3;
    } else {
        p = put_uleb(put_uleb(put_uleb(p, host), g), i);
    }
    *p++ = record;
    return p;
}

void fault_notes_begin(FaultNotes *n)
{
    if (!n->records) {
        fault_notes_grow(n);
    }
    n->npoints = 0;
    n->nrecords = 1;
}

void fault_notes_free(FaultNotes *n)
{
    g_free(n->records);
    g_free(n->points);
}

void fault_notes_grow(FaultNotes *n)
{
    if (n->nrecords == n->records_size) {
        n->records_size = MAX(32, n->records_size * 2);
        n->records = g_renew(Record, n->records, n->records_size);
        memset(&n->records[0], 0, sizeof(Record));
    }
    if (n->npoints == n->points_size) {
        n->points_size = MAX(64, n->points_size * 2);
        n->points = g_renew(FaultPoint, n->points, n->points_size);
    }
}

uint8_t *fault_map_encode(const FaultNotes *n, const FaultPlaces *places, uint8_t *p)
{
    uint32_t host = 0, guest = 0, index = 0;
    int last = -1; /* record */

    for (unsigned i = 0; i < n->npoints; i++) {
        const FaultPoint *f = &n->points[i];

        g_assert(f->host >= host);
        p = put_point(p, f->host - host, (int32_t)(f->guest - guest), (int32_t)(f->index - index),
                      f->record != last);
        host = f->host;
        guest = f->guest;
        index = f->index;
        if (f->record != last) {
            p = put_record(places, p, &n->records[f->record]);
            last = f->record;
        }
    }
    return p;
}

typedef struct Reader {
    const uint8_t *p;
} Reader;

static uint64_t get_uleb(Reader *r)
{
    uint64_t v = 0;
    unsigned shift = 0;

    do {
        v |= (uint64_t)(*r->p & 0x7f) << shift;
        shift += 7;
    } while (*r->p++ & 0x80);
    return v;
}

static int64_t get_sleb(Reader *r)
{
    uint64_t v = get_uleb(r);

    return (int64_t)(v >> 1 ^ -(v & 1));
}

static uint64_t get_src(Reader *r, const uint8_t *env)
{
    uint64_t v;

    if (*r->p++ == 0) {
        return get_uleb(r);
    }
    memcpy(&v, env + get_sleb(r), 8);
    return v;
}

static void skip_record(Reader *r)
{
    uint8_t has = *r->p++;

    r->p += has & HAS_KINDS ? 3 : 1;
    for (unsigned i = 0; i < RECORD_SRCS; i++) {
        if (has >> i & 1) {
            r->p++;
            get_uleb(r);
        }
    }
}

static void apply_record(Reader r, FlagsRecord *rec, const uint8_t *env)
{
    uint8_t has = *r.p++, kind = *r.p++, inc_kind = 0, rot_kind = 0;
    uint64_t *to[] = { &rec->a, &rec->b, &rec->c, &rec->inc, &rec->rot };

    if (has & HAS_KINDS) {
        inc_kind = *r.p++;
        rot_kind = *r.p++;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(to); i++) {
        if (has >> i & 1) {
            *to[i] = get_src(&r, env);
        }
    }
    if (kind) {
        rec->kind = kind;
    }
    if (inc_kind) {
        flags_open_top(rec);
        rec->inc_kind = inc_kind;
        rec->rot_kind &= FLAGS_ROT_KIND;
    }
    if (rot_kind) {
        flags_open_top(rec);
        rec->rot_kind = rot_kind;
        rec->cf = 0;
    }
    if (has & 1 << 5) {
        flags_open_top(rec);
        rec->cf = FLAGS_CF_IS | (get_src(&r, env) & 1);
    }
    if (has & 1 << 6) {
        flags_open_top(rec);
        rec->rot_kind |= FLAGS_OF_IS;
        rec->of = get_src(&r, env) & 1;
    }
}

static const uint8_t *find(const TcgCode *code, uint64_t want, uint32_t *offset, uint32_t *index)
{
    uint64_t host = 0;
    const uint8_t *end = code->fault_map + code->fault_map_size, *record = NULL;
    Reader r = { code->fault_map };
    int64_t guest = 0, idx = 0;

    while (r.p < end) {
        host += get_uleb(&r);
        guest += get_sleb(&r);
        idx += get_sleb(&r);
        if (*r.p++) {
            record = r.p;
            skip_record(&r);
        }
        if (host == want) {
            *offset = (uint32_t)guest;
            *index = (uint32_t)idx;
            return record;
        }
    }
    return NULL;
}

bool fault_map_find(const TcgCode *code, uint64_t want, void *env, int32_t flags, uint32_t *offset,
                    uint32_t *index)
{
    const uint8_t *record = find(code, want, offset, index);

    if (record) {
        fault_map_apply(record, env, flags);
    }
    return record;
}

const uint8_t *fault_map_record(const TcgCode *code, uint64_t want)
{
    uint32_t offset, index;

    return find(code, want, &offset, &index);
}

uint8_t fault_map_kind(const uint8_t *record)
{
    return record[1];
}

bool fault_map_is_env(const uint8_t *record)
{
    return !record[0] && !record[1];
}

void fault_map_apply(const uint8_t *record, void *env, int32_t flags)
{
    apply_record((Reader){ record }, (FlagsRecord *)((uint8_t *)env + flags), env);
}
