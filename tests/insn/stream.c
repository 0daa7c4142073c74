/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "leeway.h"
#include "target-i386/gen.h"
#include "tcg/ir.h"
#include "tcg/lanes.h"

/* ---- Making ---------------------------------------------------------------------------------- */

bool stream_may_have(const Entry *e, Mode mode)
{
    GenFn *g = e->desc->gen;
    if (entry_is_host_specific(e) || g == gen_syscall || g == gen_sysenter || g == gen_sysexit ||
        g == gen_cpuid)
        return false;
    if (is_image(e->desc) && !(mode & (M32 | M64)))
        return false;
    if (mode == M16 && entry_is_privileged(e)) /* nothing is, there */
        return false;
    return !(mode == M64 ? e->is64 == 0 || (e->desc->attr & A_NO64)
                         : e->is64 == 1 || (e->desc->attr & A_ONLY64));
}

/* The x87's own images, or those of FXSAVE and XSAVE: pointers stand in different places. */
static bool image_family(const Entry *e)
{
    return e->map == 0;
}

static bool goes_with(const Entry *e, const Entry *first)
{
    if (!is_image(first->desc))
        return !is_image(e->desc);
    return (is_image(e->desc) && image_family(e) == image_family(first)) ||
           (e->desc->gen == gen_xgetbv && first->map);
}

static bool loads_image(const InsnDesc *d)
{
    return is_image(d) && (strstr(d->name, "rstor") || strstr(d->name, "ldenv"));
}

static bool saves_image(const InsnDesc *d)
{
    return is_image(d) && !loads_image(d);
}

/* Privileged ones end the stream by an exception. What XSAVEOPT leaves out after XRSTOR of the same
 * area is the processor's affair. */
static const Entry *choose_entry(Mode mode, const Entry *first, bool after_save, bool after_xrstor)
{
    for (;;) {
        const Entry *e = entry_at(below(entry_count()));
        if (after_xrstor && !strcmp(e->desc->name, "xsaveopt"))
            continue;
        if (after_save && loads_image(e->desc) && host_vendor() == HOST_INTEL) {
            leeway_use(LEEWAY_IMAGE_AGAIN);
            continue;
        }
        if (stream_may_have(e, mode) && goes_with(e, first) &&
            (!entry_is_privileged(e) || !below(20)))
            return e;
    }
}

bool stream_make(Stream *s, uint64_t seed, Mode mode, const Entry *first, uint64_t features)
{
    s->seed = seed;
    s->mode = mode;
    s->needs = 0;
    s->image = is_image(first->desc);
    rnd_seed(seed);
    unsigned n = s->image ? 1 + below(3) : 1 + below(MAX_ITEMS);
    bool after_xrstor = false, after_save = false;
    for (s->n = 0; s->n < n; s->n++) {
        Item *t = &s->item[s->n];
        const Entry *e = s->n ? choose_entry(mode, first, after_save, after_xrstor) : first;
        if (!make_item(t, mode, e, features)) {
            if (s->n == 0)
                return false;
            break;
        }
        after_save |= saves_image(t->insn.desc);
        after_xrstor |= t->insn.desc->gen == gen_xrstor;
        s->needs |= row_features(t->insn.desc, t->insn.vex_l);
        if (undefined_fsw(&t->insn) || is_transcendental(t->insn.desc) ||
            chooses_nan(t->insn.desc) || approximates(t->insn.desc))
            n = s->n + 1; /* nothing looks at it */
        if (t->insn.desc->undef && s->n + 1 < n)
            item_define_flags(t, mode);
    }
    Case k = { .mode = mode };
    static Memory mem;
    default_case(&k, &mem, mode, 0, (const uint8_t *)"", 0);
    random_state(&k);
    if (s->image) {
        k.in.gpr[7] = DATA_BASE + IMAGE_AT + (below(16) ? 0 : 8u << below(3));
        random_initial(&k.in);
        k.in.gpr[0] &= 7;
        k.in.gpr[2] = 0;
    }
    if (s->item[0].insn.rep && is_string(first->desc))
        string_operands(&k);
    if (s->item[0].insn.desc->attr & A_VSIB)
        small_indices(&k.in, s->item[0].insn.vindex);
    s->in = k.in;
    return true;
}

static unsigned offset_of(const Stream *s, unsigned item)
{
    unsigned at = 0;
    for (unsigned n = 0; n < MIN(item, s->n); n++)
        at += s->item[n].len;
    return at;
}

static void apply_patch(const Stream *s, unsigned item, const Patch *p, uint8_t *code)
{
    const Item *t = &s->item[item];
    unsigned base = mode_is_based(s->mode) ? 0 : CODE_BASE;
    unsigned start = offset_of(s, item), end = start + t->at + t->insn.len;
    unsigned next = offset_of(s, item + 1);
    uint32_t v = 0;
    switch ((PatchKind)p->kind) {
    case PATCH_SKIP: v = offset_of(s, item + 1 + p->value) - end; break;
    case PATCH_NEXT: v = base + next; break;
    case PATCH_RIP: v = p->value - (CODE_BASE + end); break;
    }
    guest_put(code + start + p->at, v, p->size);
}

static unsigned lay_out(const Stream *s, uint8_t *code)
{
    for (unsigned n = 0; n < s->n; n++) {
        const Item *t = &s->item[n];
        memcpy(code + offset_of(s, n), t->bytes, t->len);
        for (unsigned k = 0; k < t->npatches; k++)
            apply_patch(s, n, &t->patch[k], code);
    }
    return offset_of(s, s->n);
}

void stream_prepare(const Stream *s, Case *k, Memory *mem)
{
    uint8_t code[MAX_CODE];
    unsigned len = lay_out(s, code);
    default_case(k, mem, s->mode, 0, code, len);
    k->in = s->in;
    random_memory(mem, s->seed, s->image ? (uint32_t)s->in.gpr[7] - DATA_BASE : 0);
}

/* ---- Comparing --------------------------------------------------------------------------------
 */

typedef struct Pair2 {
    Case k;
    Memory before, want, got;
} Pair2;

static char *difference(Pair2 *p, const uint8_t *code, unsigned len, bool image, Runner *ref,
                        Runner *r, State *want)
{
    State got;
    p->want = p->got = p->before;
    ref->run(ref, &p->k, &p->want, want);
    r->run(r, &p->k, &p->got, &got);
    State w = *want;
    return case_difference(&p->k, code, len, image, ref, &w, &got, &p->want, &p->got);
}

char *stream_difference(const Stream *s, Runner *ref, Runner *r)
{
    static Pair2 p;
    State want;
    uint8_t code[MAX_CODE];
    unsigned len = lay_out(s, code);
    stream_prepare(s, &p.k, &p.before);
    return difference(&p, code, len, s->image, ref, r, &want);
}

/* ---- Minimising -------------------------------------------------------------------------------
 */

static void drop_items(Stream *s, Runner *ref, Runner *r)
{
    for (bool shorter = true; shorter && s->n > 1;) {
        shorter = false;
        for (unsigned n = 0; n < s->n && !shorter; n++) {
            Stream t = *s;
            memmove(&t.item[n], &t.item[n + 1], sizeof(t.item[0]) * (t.n - n - 1));
            t.n--;
            g_autofree char *d = stream_difference(&t, ref, r);
            if (d) {
                *s = t;
                shorter = true;
            }
        }
    }
}

typedef struct Simplify Simplify;
struct Simplify {
    bool (*holds)(Simplify *f); /* what is to be kept, of @now */
    Pair2 now, plain;           /* @plain: everything at its default */
    const uint8_t *code;
    unsigned len;
    bool image;
    Runner *ref, *r;
    State want;
    Case k0; /* of a recording: as it was first */
    State out0;
    Memory before0, after0;
};

static void try_plain(Simplify *f, void *what, const void *plain, size_t size)
{
    uint8_t old[64];
    g_assert(size <= sizeof(old));
    if (!memcmp(what, plain, size))
        return;
    memcpy(old, what, size);
    memcpy(what, plain, size);
    if (!f->holds(f))
        memcpy(what, old, size);
}

static bool still_differs(Simplify *f)
{
    g_autofree char *d = difference(&f->now, f->code, f->len, f->image, f->ref, f->r, &f->want);
    return d != NULL;
}

static void simplify(Simplify *f)
{
    State *s = &f->now.k.in, *p = &f->plain.k.in;
    for (unsigned n = 0; n < AREA_SIZE; n += 64)
        try_plain(f, f->now.before.data + n, f->plain.before.data + n, 64);
    for (unsigned n = 0; n < AREA_SIZE; n += 8)
        try_plain(f, f->now.before.data + n, f->plain.before.data + n, 8);
    for (unsigned n = 0; n < 16; n++) {
        if (!f->image) /* components that only the host has */
            try_plain(f, &s->gpr[n], &p->gpr[n], 8);
        try_plain(f, s->xmm[n], p->xmm[n], 16);
        try_plain(f, s->ymmh[n], p->ymmh[n], 16);
    }
    for (unsigned n = 0; n < 8; n++)
        try_plain(f, &s->st[n], &p->st[n], sizeof(s->st[n]));
    try_plain(f, &s->flags, &p->flags, 4);
    try_plain(f, &s->mxcsr, &p->mxcsr, 4);
    try_plain(f, &s->fcw, &p->fcw, 2);
    try_plain(f, &s->fsw, &p->fsw, 2);
    try_plain(f, &s->ftw, &p->ftw, 1);
}

static void print_code(const Case *k, const uint8_t *code, unsigned len)
{
    DecodeMode m = insn_decode_mode(k->mode);
    Insn i;
    for (unsigned at = 0; at < len; at += i.len) {
        if (decode_insn(&m, code + at, len - at, &i) != DECODE_OK)
            break;
        printf("   ");
        for (unsigned n = 0; n < i.len; n++)
            printf(" %02x", code[at + n]);
        printf("  %s (%s)\n", i.desc->name, entry_at(entry_of(&i))->id);
    }
}

void stream_report(Stream *s, Runner *ref, Runner *r)
{
    static Simplify f;
    uint8_t code[MAX_CODE];
    drop_items(s, ref, r);
    f.code = code;
    f.len = lay_out(s, code);
    f.image = s->image;
    f.ref = ref;
    f.r = r;
    f.holds = still_differs;
    stream_prepare(s, &f.now.k, &f.now.before);
    default_case(&f.plain.k, &f.plain.before, s->mode, 0, code, f.len);
    simplify(&f);
    g_autofree char *d = difference(&f.now, code, f.len, f.image, ref, r, &f.want);
    printf("%s, %s bit, against %s:%s\n", r->name, mode_name(s->mode), ref->name,
           d ? d : " only now and then");
    print_code(&f.now.k, code, f.len);
    g_autofree char *row =
        case_row("stream", &f.now.k, &f.now.before, code, f.len, &f.want, &f.now.want);
    printf("%s", row);
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

static void pair(GString *g, const char *what, unsigned n, uint64_t lo, uint64_t hi)
{
    g_string_append_printf(g, "{ %s", what);
    if (n)
        g_string_append_printf(g, " + %#x", n);
    g_string_append_printf(g, ", %#" G_GINT64_MODIFIER "x", lo);
    if (hi)
        g_string_append_printf(g, ", %#" G_GINT64_MODIFIER "x", hi);
    g_string_append(g, " }, ");
}

static void state_pairs(GString *g, const State *from, const State *to)
{
    static const char *const names[16] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                           "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };
    for (unsigned n = 0; n < 16; n++) {
        if (from->gpr[n] != to->gpr[n])
            pair(g, names[n], 0, to->gpr[n], 0);
    }
    if (from->flags != to->flags)
        pair(g, "FL", 0, to->flags, 0);
    if (from->mxcsr != to->mxcsr)
        pair(g, "MXCSR", 0, to->mxcsr, 0);
    if (from->fcw != to->fcw)
        pair(g, "FCW", 0, to->fcw, 0);
    if (from->fsw != to->fsw)
        pair(g, "FSW", 0, to->fsw, 0);
    if (from->ftw != to->ftw)
        pair(g, "FTW", 0, to->ftw, 0);
    for (unsigned n = 0; n < INSN_SEGS; n++) {
        if (from->sel[n] != to->sel[n])
            pair(g, "SELECTOR", n, to->sel[n], 0);
    }
    for (unsigned n = 0; n < 16; n++) {
        if (memcmp(from->xmm[n], to->xmm[n], 16))
            pair(g, "XMM0", n, to->xmm[n][0], to->xmm[n][1]);
        if (memcmp(from->ymmh[n], to->ymmh[n], 16))
            pair(g, "YMMH0", n, to->ymmh[n][0], to->ymmh[n][1]);
    }
    for (unsigned n = 0; n < 8; n++) {
        if (from->st[n].frac != to->st[n].frac || from->st[n].se != to->st[n].se)
            pair(g, "ST0", n, to->st[n].frac, to->st[n].se);
    }
}

static void memory_pairs(GString *g, const char *what, const uint8_t *from, const uint8_t *to)
{
    for (unsigned n = 0; n < AREA_SIZE; n += 8) {
        if (memcmp(from + n, to + n, 8))
            pair(g, what, n, guest_get(to + n, 8), 0);
    }
}

char *case_row(const char *name, const Case *k, const Memory *before, const uint8_t *code,
               unsigned len, const State *after, const Memory *memory)
{
    static Memory plain;
    Case p;
    GString *g = g_string_new(NULL);
    default_case(&p, &plain, k->mode, 0, code, len);
    g_string_append_printf(g, "    { \"%s\", CODE(\"", name);
    for (unsigned n = 0; n < len; n++)
        g_string_append_printf(g, "\\x%02x", code[n]);
    g_string_append_printf(g, "\"), %s, { ", mode_constant(k->mode));
    state_pairs(g, &p.in, &k->in);
    memory_pairs(g, "DATA64", plain.data, before->data);
    g_string_append(g, "}, { ");
    state_pairs(g, &k->in, after);
    if (after->vector != 3) {
        pair(g, "VEC", 0, after->vector, 0);
        if (after->error)
            pair(g, "ERR", 0, after->error, 0);
        if (after->cr2)
            pair(g, "CR2", 0, after->cr2, 0);
    }
    if (after->rip != k->in.rip + (after->vector == 3 ? len + 1 : 0))
        pair(g, "RIP", 0, after->rip, 0);
    memory_pairs(g, "DATA64", before->data, memory->data);
    memory_pairs(g, "STACK64", before->stack, memory->stack);
    g_string_append(g, "} },\n");
    return g_string_free(g, FALSE);
}

/* Byte by byte: written with the same, or left alone. */
static bool same_effect(const void *in1, const void *out1, const void *in2, const void *out2,
                        size_t size)
{
    const uint8_t *a = in1, *b = out1, *c = in2, *d = out2;
    for (size_t n = 0; n < size; n++) {
        if (b[n] != d[n] && (a[n] != b[n] || c[n] != d[n]))
            return false;
    }
    return true;
}

static bool does_the_same(Simplify *f)
{
    f->now.want = f->now.before;
    f->ref->run(f->ref, &f->now.k, &f->now.want, &f->want);
    return f->want.vector == f->out0.vector && f->want.rip == f->out0.rip &&
           same_effect(&f->k0.in, &f->out0, &f->now.k.in, &f->want, sizeof(State)) &&
           same_effect(&f->before0, &f->after0, &f->now.before, &f->now.want, sizeof(Memory));
}

void stream_record(const Stream *s, Runner *silicon)
{
    static Simplify f;
    uint8_t code[MAX_CODE];
    const Insn *i = &s->item[0].insn;
    f.code = code;
    f.len = lay_out(s, code);
    f.image = false;
    f.ref = silicon;
    f.holds = does_the_same;
    stream_prepare(s, &f.k0, &f.before0);
    f.after0 = f.before0;
    silicon->run(silicon, &f.k0, &f.after0, &f.out0);
    f.now.k = f.k0;
    f.now.before = f.before0;
    default_case(&f.plain.k, &f.plain.before, s->mode, 0, code, f.len);
    simplify(&f);
    does_the_same(&f);
    g_autofree char *name = g_strdup_printf("%s %s", i->desc->name, entry_at(entry_of(i))->id);
    g_autofree char *row =
        case_row(name, &f.now.k, &f.now.before, code, f.len, &f.want, &f.now.want);
    printf("%s", row);
}
