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

/* Privileged ones end the stream by an exception. What XSAVEOPT leaves out after XRSTOR of the same
 * area is the processor's affair. */
static const Entry *choose_entry(Mode mode, const Entry *first, bool after_xrstor)
{
    for (;;) {
        const Entry *e = entry_at(below(entry_count()));
        if (after_xrstor && !strcmp(e->desc->name, "xsaveopt"))
            continue;
        if (stream_may_have(e, mode) && goes_with(e, first) &&
            (!entry_is_privileged(e) || !below(20)))
            return e;
    }
}

bool stream_make(Stream *s, uint64_t seed, Mode mode, const Entry *first, uint64_t features)
{
    s->seed = seed;
    s->mode = mode;
    s->is_open = false;
    s->needs = 0;
    s->image = is_image(first->desc);
    rnd_seed(seed);
    unsigned n = s->image ? 1 + below(3) : 1 + below(MAX_ITEMS);
    bool after_xrstor = false;
    for (s->n = 0; s->n < n; s->n++) {
        Item *t = &s->item[s->n];
        const Entry *e = s->n ? choose_entry(mode, first, after_xrstor) : first;
        if (!make_item(t, mode, e, features)) {
            if (s->n == 0)
                return false;
            break;
        }
        if (is_open(t->insn.desc)) {
            s->is_open = true;
            leeway_use(LEEWAY_RECIPROCAL);
        }
        after_xrstor |= t->insn.desc->gen == gen_xrstor;
        s->needs |= row_features(t->insn.desc, t->insn.vex_l);
        if (undefined_fsw(&t->insn) || is_transcendental(t->insn.desc))
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

typedef struct Admitted {
    uint32_t flags, all_flags; /* undefined: of the last instruction, of any */
    unsigned fsw;
    bool two_loads; /* CMPS, RETF, IRET */
    bool far_call, near_call, converts_to_mmx, maskmovq, transcendental, shift16;
} Admitted;

static Admitted admitted_by(const Case *k, const uint8_t *code, unsigned len)
{
    DecodeMode m = insn_decode_mode(k->mode);
    Admitted l = { 0 };
    Insn i;
    for (unsigned at = 0; at < len; at += i.len) {
        if (decode_insn(&m, code + at, len - at, &i) != DECODE_OK)
            break;
        l.flags = i.desc->undef;
        l.all_flags |= i.desc->undef;
        l.fsw = undefined_fsw(&i);
        l.two_loads |=
            i.desc->gen == gen_cmps || i.desc->gen == gen_ret_far || i.desc->gen == gen_iret;
        l.far_call |= i.desc->gen == gen_call_far_ind || i.desc->gen == gen_call_far;
        l.near_call |= i.desc->gen == gen_call_ind;
        l.maskmovq |= !strcmp(i.desc->name, "maskmovq");
        l.transcendental = is_transcendental(i.desc);
        l.shift16 = (i.desc->gen == gen_shld || i.desc->gen == gen_shrd) && i.osize == I16;
        l.converts_to_mmx |= g_str_has_prefix(i.desc->name, "cvt") &&
                             (i.op[0].kind == OPK_MMX || i.op[1].kind == OPK_MMX);
    }
    return l;
}

/* Of an image, what LEEWAY_POINTERS says. */
static void forget_pointers(Memory *m, uint64_t at)
{
    if (at > AREA_SIZE - 32) /* RDI is not what it was made */
        return;
    memset(m->data + at + 6, 0, 18);
    memset(m->data + at + 28, 0, 4);
}

static void admit_pushes(Admitted l, const State *want, const Memory *want_mem, Memory *got_mem)
{
    uint32_t at = (uint32_t)want->gpr[4] & 0x3fff; /* STACK_BASE or 0 */
    if (!l.far_call || want->vector < 10 || at < 16 || at > AREA_SIZE ||
        !memcmp(got_mem->stack + at - 16, want_mem->stack + at - 16, 16))
        return;
    leeway_use(LEEWAY_BELOW_STACK);
    memcpy(got_mem->stack + at - 16, want_mem->stack + at - 16, 16);
}

static bool is_over_4g(Mode mode, const State *want, const State *got)
{
    bool segment =
        want->vector == 12 || want->vector == 13 || got->vector == 12 || got->vector == 13;
    const State *page = want->vector == 14 ? want : got;
    return mode != M64 && segment && page->vector == 14 &&
           (page->cr2 > 0xffffff00 || page->cr2 < 0x100);
}

static bool is_call_fault(Admitted l, const State *want, const State *got)
{
    return l.near_call && want->rip == got->rip && got->vector == 13 &&
           (want->vector == 12 || want->vector == 14);
}

/* INT n that a branch has found in another instruction's bytes: the host's gate is for its kernel.
 */
static bool is_int_n(const State *want, const State *got)
{
    return want->vector == 13 && want->error == (got->vector << 3 | 2) &&
           got->rip - want->rip >= 2 && got->rip - want->rip <= 15;
}

/* Another exception of the same instruction: all else is compared. */
static void admit_exception(Leeway why, const State *want, State *got)
{
    leeway_use(why);
    got->vector = want->vector;
    got->error = want->error;
    got->cr2 = want->cr2;
}

static void admit_tags(Admitted l, const State *want, State *got)
{
    bool mmx_fault = want->vector == 19 ? l.converts_to_mmx : want->vector >= 12 && l.maskmovq;
    if (want->vector != got->vector || !mmx_fault)
        return;
    if (got->fsw != want->fsw || got->ftw != want->ftw ||
        memcmp(got->st, want->st, sizeof(got->st)))
        leeway_use(LEEWAY_MMX_FAULT);
    got->fsw = want->fsw;
    got->ftw = want->ftw;
    memcpy(got->st, want->st, sizeof(got->st));
}

/* Values a unit in the last place apart, of one sign. */
static bool is_next_to(const State *a, const State *b, unsigned n)
{
    unsigned __int128 x = (unsigned __int128)(a->st[n].se & 0x7fff) << 63 | a->st[n].frac << 1 >> 1,
                      y = (unsigned __int128)(b->st[n].se & 0x7fff) << 63 | b->st[n].frac << 1 >> 1;
    return !((a->st[n].se ^ b->st[n].se) & 0x8000) && (x > y ? x - y : y - x) <= 1;
}

static void admit_last_place(const State *want, State *got)
{
    bool used = (want->fsw ^ got->fsw) & 0x200;
    for (unsigned n = 0; n < 2; n++) {
        if (is_next_to(want, got, n) && want->st[n].frac != got->st[n].frac) {
            got->st[n] = want->st[n];
            used = true;
        }
    }
    got->fsw = (uint16_t)((got->fsw & ~0x200) | (want->fsw & 0x200));
    if (used)
        leeway_use(LEEWAY_TRANSCENDENTAL);
}

static void admit_page_faults(Admitted l, const State *want, State *got)
{
    if (want->vector != 14 || got->vector != 14)
        return;
    if (want->cr2 >> 47 && got->error != want->error) {
        leeway_use(LEEWAY_KERNEL_HALF);
        got->error = want->error;
    }
    if (l.two_loads && got->cr2 != want->cr2) {
        leeway_use(LEEWAY_WHICH_FIRST);
        got->cr2 = want->cr2;
    }
}

static void admit_selectors(State *want, State *got)
{
    for (unsigned n = 0; n < INSN_SEGS; n++) {
        if (want->sel[n] == got->sel[n] || want->sel[n] > 3 || got->sel[n] > 3)
            continue;
        leeway_use(LEEWAY_NULL_RPL);
        got->sel[n] = want->sel[n];
    }
}

static void admit_values(Admitted l, const State *want, State *got)
{
    if (l.transcendental)
        admit_last_place(want, got);
    if ((got->fsw ^ want->fsw) & l.fsw) {
        leeway_use(LEEWAY_C1);
        got->fsw = (uint16_t)((got->fsw & ~l.fsw) | (want->fsw & l.fsw));
    }
    if (l.shift16 && (got->flags ^ want->flags) & CF) {
        leeway_use(LEEWAY_SHIFT_16);
        got->flags ^= CF;
    }
}

char *case_difference(const Case *k, const uint8_t *code, unsigned len, bool image, State *want,
                      State *got, Memory *want_mem, Memory *got_mem)
{
    Admitted l = admitted_by(k, code, len);
    if (want->vector == VECTOR_TIMEOUT && got->vector == VECTOR_TIMEOUT) {
        leeway_use(LEEWAY_BOTH_HANG);
        return NULL;
    }
    if (is_over_4g(k->mode, want, got))
        admit_exception(LEEWAY_OVER_4G, want, got);
    else if (is_call_fault(l, want, got))
        admit_exception(LEEWAY_CALL_ORDER, want, got);
    else if (is_int_n(want, got)) {
        admit_exception(LEEWAY_INT_N, want, got);
        got->rip = want->rip;
    }
    admit_page_faults(l, want, got);
    admit_selectors(want, got);
    admit_tags(l, want, got);
    admit_pushes(l, want, want_mem, got_mem);
    admit_values(l, want, got);
    if (image) {
        leeway_use(LEEWAY_POINTERS);
        forget_pointers(want_mem, k->in.gpr[7] - DATA_BASE);
        forget_pointers(got_mem, k->in.gpr[7] - DATA_BASE);
    }
    char *d = compare_states(want, got, want->vector == 1 ? l.all_flags : l.flags);
    return d ? d : compare_memory(want_mem, got_mem);
}

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
    return case_difference(&p->k, code, len, image, &w, &got, &p->want, &p->got);
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
