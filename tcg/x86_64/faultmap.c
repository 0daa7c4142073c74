/* SPDX-License-Identifier: MIT */
/*
 * The fault map: behind each block's code, for every host address that can be asked about, the
 * guest instruction and how to make the flags record. Entries are in order of host addresses:
 *   uleb  host address - previous entry's        sleb  guest offset - previous entry's
 *   sleb  instruction index - previous entry's
 *   byte  0: flags as in the previous entry; 1: they follow: kind, inc_kind, keep_inc as a byte
 *         each, then four sources (a, b, c, inc): byte 0, or 1 + uleb constant, or 2 + sleb offset
 *         from env
 */
#include "tcg/x86_64/gen.h"

static void put_uleb(GByteArray *m, uint64_t v)
{
    do {
        uint8_t b = (uint8_t)(v & 0x7f) | (v > 0x7f ? 0x80 : 0);
        g_byte_array_append(m, &b, 1);
        v >>= 7;
    } while (v);
}

static void put_sleb(GByteArray *m, int64_t v)
{
    put_uleb(m, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_byte(GByteArray *m, unsigned v)
{
    uint8_t b = (uint8_t)v;

    g_byte_array_append(m, &b, 1);
}

static void put_src(const X86Backend *be, GByteArray *m, const Src *s)
{
    switch (s->kind) {
    case SRC_NONE: put_byte(m, 0); break;
    case SRC_CONST:
        put_byte(m, 1);
        put_uleb(m, s->value);
        break;
    case SRC_REG:
        g_assert(be->reg_home[s->reg] != NO_HOME);
        put_byte(m, 2);
        put_sleb(m, be->reg_home[s->reg] + ENV_BIAS);
        break;
    case SRC_MEM:
        put_byte(m, 2);
        put_sleb(m, s->off + ENV_BIAS);
        break;
    }
}

static void put_record(const X86Backend *be, GByteArray *m, const Record *r)
{
    put_byte(m, r->kind);
    put_byte(m, r->inc_kind);
    put_byte(m, r->keep_inc);
    put_src(be, m, &r->a);
    put_src(be, m, &r->b);
    put_src(be, m, &r->c);
    put_src(be, m, &r->inc);
}

void fault_map_encode(Gen *g)
{
    uint32_t host = 0, guest = 0, index = 0;
    guint last = 0, last_len = 0;

    g_byte_array_set_size(g->map, 0);
    for (unsigned i = 0; i < g->points->len; i++) {
        const FaultPoint *p = &g_array_index(g->points, FaultPoint, i);
        guint at, len;

        g_assert(p->host >= host);
        put_uleb(g->map, p->host - host);
        put_sleb(g->map, (int64_t)p->guest - guest);
        put_sleb(g->map, (int64_t)p->index - index);
        host = p->host;
        guest = p->guest;
        index = p->index;
        put_byte(g->map, 1);
        at = g->map->len;
        put_record(g->be, g->map, &p->flags);
        len = g->map->len - at;
        if (i > 0 && len == last_len && !memcmp(g->map->data + at, g->map->data + last, len)) {
            g_byte_array_set_size(g->map, at - 1);
            put_byte(g->map, 0);
        } else {
            last = at;
            last_len = len;
        }
    }
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

static bool get_src(Reader *r, const uint8_t *env, uint64_t *v)
{
    switch (*r->p++) {
    case 0: return false;
    case 1: *v = get_uleb(r); return true;
    default: memcpy(v, env + get_sleb(r), 8); return true;
    }
}

static void skip_record(Reader *r)
{
    r->p += 3;
    for (unsigned i = 0; i < 4; i++) {
        switch (*r->p++) {
        case 0: break;
        case 1: get_uleb(r); break;
        default: get_sleb(r);
        }
    }
}

static void apply_record(Reader r, FlagsRecord *rec, const uint8_t *env)
{
    uint8_t kind = *r.p++, inc_kind = *r.p++;
    bool keep_inc = *r.p++;
    uint64_t v[4];
    bool has[4];

    for (unsigned i = 0; i < 4; i++) {
        has[i] = get_src(&r, env, &v[i]);
    }
    if (kind) {
        rec->kind = kind;
    }
    if (!keep_inc) {
        rec->inc_kind = inc_kind;
    }
    rec->a = has[0] ? v[0] : rec->a;
    rec->b = has[1] ? v[1] : rec->b;
    rec->c = has[2] ? v[2] : rec->c;
    rec->inc = has[3] ? v[3] : rec->inc;
}

bool fault_map_find(const X86Backend *be, const TcgCode *code, uint64_t host_pc, void *env,
                    uint32_t *offset, uint32_t *index)
{
    uint64_t want = host_pc - ((uintptr_t)code->start - sizeof(CodeHeader)), host = 0;
    const uint8_t *end = code->fault_map + code->fault_map_size;
    Reader r = { code->fault_map }, record = { NULL };
    int64_t guest = 0, idx = 0;

    while (r.p < end) {
        host += get_uleb(&r);
        guest += get_sleb(&r);
        idx += get_sleb(&r);
        if (*r.p++) {
            record = r;
            skip_record(&r);
        }
        if (host == want) {
            apply_record(record, (FlagsRecord *)((uint8_t *)env + be->layout->flags), env);
            *offset = (uint32_t)guest;
            *index = (uint32_t)idx;
            return true;
        }
    }
    return false;
}
