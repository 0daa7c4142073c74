/* SPDX-License-Identifier: MIT */
#include "generate.h"

#include <glib.h>
#include <string.h>

#include "leeway.h"
#include "target-i386/gen.h"
#include "tcg/ir.h"
#include "tcg/lanes.h"

static uint64_t rnd_state = 1;

void rnd_seed(uint64_t seed)
{
    rnd_state = seed * UINT64_C(0x9e3779b97f4a7c15) ^ UINT64_C(0x243f6a8885a308d3);
    rnd_state |= !rnd_state;
    for (unsigned n = 0; n < 4; n++)
        rnd();
}

uint64_t rnd(void)
{
    rnd_state ^= rnd_state << 13;
    rnd_state ^= rnd_state >> 7;
    rnd_state ^= rnd_state << 17;
    return rnd_state * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 33) % n);
}

/* ---- Values near the corners ----------------------------------------------------------------- */

static uint64_t random_bits(void)
{
    switch (below(7)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return UINT64_C(1) << below(64);
    case 3: return UINT64_MAX << below(64);
    case 4: return rnd() & 0x7f7f7f7f7f7f7f7f;
    default: return rnd();
    }
}

static uint64_t random_integer(void)
{
    static const uint64_t v[] = { 0,
                                  1,
                                  2,
                                  0x7f,
                                  0x80,
                                  0xff,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x7fffffff,
                                  31,
                                  32,
                                  0x80000000,
                                  0xffffffff,
                                  UINT64_MAX,
                                  63,
                                  64,
                                  0x7fffffffffffffff,
                                  UINT64_C(1) << 63 };
    return below(3) ? v[below(G_N_ELEMENTS(v))] : below(2) ? random_bits() : rnd() >> below(64);
}

static unsigned random_exponent(unsigned max)
{
    switch (below(8)) {
    case 0: return 0;
    case 1: return max;
    case 2: return 1 + below(2);
    case 3: return max - 1;
    case 4: return below(max);
    default: return max / 2 + below(80) - 40;
    }
}

static uint64_t random_double(void)
{
    return rnd() << 63 | (uint64_t)(random_exponent(0x7ff) & 0x7ff) << 52 | random_bits() >> 12;
}

static uint32_t random_single(void)
{
    return (uint32_t)((rnd() & 1) << 31 | (random_exponent(0xff) & 0xff) << 23 |
                      random_bits() >> 41);
}

static uint64_t random_half(void) /* of a vector */
{
    switch (below(6)) {
    case 0: return random_bits();
    case 1: return random_double();
    case 2: return rnd() & rnd() & 0x0303030303030303; /* few characters, some zero */
    case 3: return (uint64_t)(int64_t)((int)below(401) - 200) & 0xffffffff; /* an index */
    default: return random_single() | (uint64_t)random_single() << 32;
    }
}

/* Normal numbers, denormals and pseudo-denormals, infinities and NaNs, unnormals, integers. */
static void random_st(State *s, unsigned n)
{
    unsigned biased = random_exponent(0x7fff) & 0x7fff;
    s->st[n].frac = random_bits() >> 1 | (uint64_t)(biased != 0) << 63;
    if (!below(32))
        s->st[n].frac ^= UINT64_C(1) << 63;
    s->st[n].se = (uint16_t)(rnd() << 15 | biased);
    if (!below(8)) {
        s->st[n].frac = rnd() | UINT64_C(1) << 63;
        s->st[n].se = (uint16_t)(rnd() << 15 | (0x3fff + below(70)));
    }
}

static uint32_t random_mxcsr(void)
{
    return (uint32_t)((below(6) ? 0x1f80 : rnd() & 0x1f80) | (rnd() & 0xe040) | (rnd() & 0x3f));
}

#define AMD_MM (1u << 17) /* misaligned operands allowed */

static uint16_t random_fcw(void)
{
    uint16_t v = (uint16_t)((below(6) ? 0x7f : 0x40 | (rnd() & 0x3f)) | (rnd() & 0xc00) | 0x300);
    return below(4) ? v : (uint16_t)((v & ~0x300) | (rnd() & 1) << 9);
}

static const uint16_t selectors[] = { 0,    1,    FLAT_DATA32, FLAT_CODE32, FLAT_CODE64, 0x07,
                                      0x0f, 0x17, 0x1f,        0x27,        0x2f,        0x37,
                                      0x3f, 0x47, 0x4f,        0x08,        0x10,        0x18,
                                      0x28, 0x2a, 0x29,        0x3e,        0xffff,      0x0c };

static uint16_t random_selector(void)
{
    return selectors[below(G_N_ELEMENTS(selectors))];
}

/* ---- States ---------------------------------------------------------------------------------- */

static const uint8_t pointers[] = { 3, 5, 6, 7, 13, 14, 15 };

static uint64_t random_pointer(void)
{
    switch (below(8)) {
    case 0: return 0x1000 - below(64);
    case 1: return AREA_SIZE - below(80);
    case 2: return 0x200 + below(AREA_SIZE - 0x500);
    case 3: return (0x200 + below(AREA_SIZE - 0x500)) & ~7u;
    default: return (0x200 + below(AREA_SIZE - 0x500)) & ~63u;
    }
}

static void random_registers(Case *k)
{
    uint64_t *g = k->in.gpr, base = mode_is_based(k->mode) ? 0 : DATA_BASE;
    for (unsigned n = 0; n < 16; n++)
        g[n] = random_integer();
    for (unsigned n = 0; n < G_N_ELEMENTS(pointers); n++)
        g[pointers[n]] = base + random_pointer();
    if (below(2))
        g[1] = below(70);
    g[4] = (base ? STACK_BASE : 0) + 0x1000 + 8 * below(16);
    for (unsigned n = 0; n < 16 && k->mode != M64; n++)
        g[n] = n < 8 ? (uint32_t)g[n] : 0;
}

void random_state(Case *k)
{
    State *s = &k->in;
    random_registers(k);
    s->flags = (uint32_t)rnd() & (CF | PF | AF | ZF | SF | OF);
    if (!below(6))
        s->flags |= DF;
    for (unsigned n = 0; n < (k->mode == M64 ? 16 : 8); n++) {
        s->xmm[n][0] = random_half();
        s->xmm[n][1] = below(4) ? random_half() : s->xmm[n][0];
        s->ymmh[n][0] = random_half();
        s->ymmh[n][1] = random_half();
    }
    for (unsigned n = 0; n < 8; n++)
        random_st(s, n);
    s->mxcsr = random_mxcsr();
    s->fcw = random_fcw();
    s->fsw = (uint16_t)(rnd() & 0x7f00);
    if (!below(4))
        s->fsw |= rnd() & 0x3f & s->fcw; /* sticky, not pending */
    s->ftw = (uint8_t)(below(3) ? rnd() | rnd() | rnd() : below(2) ? 0xff : rnd());
}

void random_initial(State *s)
{
    if (!below(4)) {
        s->fcw = 0x37f;
        s->fsw = 0;
        s->ftw = 0;
        memset(s->st, 0, sizeof(s->st));
    }
    if (!below(4))
        memset(s->xmm, 0, sizeof(s->xmm));
    if (!below(4))
        memset(s->ymmh, 0, sizeof(s->ymmh));
    if (!below(4))
        s->mxcsr = 0x1f80;
}

void small_indices(State *s, unsigned reg)
{
    uint64_t mask = below(8) ? 0x7f : 0xffff;
    bool wide = below(2);
    for (unsigned n = 0; n < 4; n++) {
        uint64_t *q = n < 2 ? &s->xmm[reg][n] : &s->ymmh[reg][n - 2];
        *q = wide ? rnd() & mask : (rnd() & mask) | (rnd() & mask) << 32;
        if (!below(8))
            *q = -*q;
    }
}

void string_operands(Case *k)
{
    uint64_t *g = k->in.gpr, base = mode_is_based(k->mode) ? 0 : DATA_BASE;
    g[1] = below(2) ? below(3000) : below(20);
    g[6] = base + below(AREA_SIZE);
    g[7] = below(2) ? base + below(AREA_SIZE) : g[6] + below(41) - 20;
    if (k->mode != M64)
        g[7] = (uint32_t)g[7];
    g[0] = below(2) ? 0 : g[0];
    k->in.flags ^= below(2) ? DF : 0;
}

/* XSTATE_BV, XCOMP_BV and what is reserved; only of components that are x86-64-v3's. */
static void random_header(uint64_t header[8])
{
    header[0] = rnd() & 7;
    if (below(2)) /* compacted */
        header[1] = UINT64_C(1) << 63 | (below(4) ? header[0] : 0) | (rnd() & 7);
    if (!below(16))
        header[below(3)] ^= UINT64_C(1) << 63;
    if (!below(16))
        header[below(8)] |= UINT64_C(1) << 40;
    if (!below(32))
        header[1] |= 1u << below(3);
}

/* Control words with their reserved bits, an XSAVE header. */
static void random_image(uint8_t *b)
{
    uint64_t header[8] = { 0 };
    random_header(header);
    for (unsigned n = 0; n < 512; n += 8) {
        guest_put(b + n, random_half(), 8);
    }
    if (below(2)) {
        guest_put(b, rnd() | 0x3f, 2);
    }
    uint16_t mxcsr = below(4) ? 0x1f80 : (uint16_t)rnd();
    guest_put(b + 24, mxcsr, 2);
    memset(b + 26, 0, 2);
    if (!below(16))
        b[26] = 1; /* a reserved bit of MXCSR */
    words_to_guest(b + 512, header, sizeof(header));
    for (unsigned n = 576; n < 832; n += 8) /* not as after a reset */
        guest_put(b + n, random_half() | 1, 8);
}

void random_memory(Memory *mem, uint64_t seed, unsigned image)
{
    rnd_seed(seed);
    unsigned kind = below(6);
    for (unsigned n = 0; n < AREA_SIZE; n += 8) {
        uint64_t v = 0;
        switch (kind) {
        case 0: v = rnd(); break;
        case 1: v = below(16) ? 0 : rnd(); break;
        case 2: /* long runs of zeros, for comparisons that go on */
            v = below(128) ? 0 : rnd();
            break;
        case 3:
            for (unsigned w = 0; w < 4; w++)
                v = v << 16 | random_selector();
            break;
        default: v = random_half(); break;
        }
        guest_put(mem->data + n, v, 8);
    }
    if (image)
        random_image(mem->data + image);
}

/* ---- Encodings ------------------------------------------------------------------------------- */

typedef struct Encoder {
    uint8_t b[40];
    unsigned len;
    Mode mode;
    bool p67, rex_b, rex_x;
    bool aligned;    /* memory operands at multiples of 16 only */
    unsigned rip_at; /* of a RIP-relative displacement, 0: none */
} Encoder;

static void put(Encoder *c, unsigned byte)
{
    c->b[c->len++] = (uint8_t)byte;
}

static void put32(Encoder *c, uint32_t v, unsigned size)
{
    for (unsigned n = 0; n < size; n++)
        put(c, v >> 8 * n);
}

bool is_string(const InsnDesc *d)
{
    return d->gen == gen_movs || d->gen == gen_stos || d->gen == gen_lods || d->gen == gen_scas ||
           d->gen == gen_cmps;
}

static void put_prefixes(Encoder *c, const Entry *e)
{
    static const uint8_t segments[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    bool p66 = e->prefix < 0 ? !below(4) : e->prefix == 1 || (e->prefix > 1 && !below(16));
    unsigned rep = 0;
    if (e->prefix > 1)
        rep = e->prefix == 2 ? 0xf3 : 0xf2;
    else if (e->prefix < 0 && !below(is_string(e->desc) ? 2 : 16))
        rep = 0xf2 + below(2);
    c->p67 = !below(mode_is_16(c->mode) ? 6 : 30);
    if (!below(12))
        put(c, segments[below(sizeof(segments))]);
    if (c->p67)
        put(c, 0x67);
    if (e->vex)
        return;
    if (!below(e->desc->attr & A_LOCK ? 4 : 200))
        put(c, 0xf0);
    if (p66)
        put(c, 0x66);
    if (rep)
        put(c, rep);
}

/* REX or VEX, and the opcode. */
static void put_opcode(Encoder *c, const Entry *e)
{
    static const uint8_t escape[] = { 0, 0x0f, 0x38, 0x3a };
    bool is64 = c->mode == M64;
    bool w = e->w >= 0 ? e->w : !below(3), r = is64 && below(2);
    c->rex_b = is64 && below(2);
    c->rex_x = is64 && !below(3);
    if (e->vex) {
        unsigned vvvv = below(3) && !(e->desc->op[2] || e->desc->op[1]) ? 15 : below(16);
        unsigned pp = e->prefix < 0 ? below(4) : (unsigned)e->prefix;
        bool l = e->l >= 0 ? e->l : below(2);
        if (below(2))
            vvvv = 15;
        unsigned last = vvvv << 3 | l << 2 | pp;
        if (e->map == 1 && !w && below(2)) {
            c->rex_b = c->rex_x = false;
            put(c, 0xc5);
            put(c, (r ? 0 : 0x80) | last);
        } else {
            put(c, 0xc4);
            put(c, (r ? 0 : 0x80) | (c->rex_x ? 0 : 0x40) | (c->rex_b ? 0 : 0x20) | e->map);
            put(c, (unsigned)w << 7 | last);
        }
    } else {
        if (is64 && (w || below(2)))
            put(c, 0x40 | (unsigned)w << 3 | (unsigned)r << 2 | (unsigned)c->rex_x << 1 | c->rex_b);
        else
            c->rex_b = c->rex_x = false;
        if (e->map)
            put(c, 0x0f);
        if (e->map > 1)
            put(c, escape[e->map]);
    }
    put(c, e->opcode);
}

static uint32_t random_displacement(void)
{
    return below(4) ? below(128) - 64 : below(0x800) - 0x400;
}

static void put_address16(Encoder *c, unsigned reg)
{
    static const uint8_t modes[] = { 4, 5, 6, 7, 4, 5, 7, 0, 1, 2, 3 };
    unsigned rm = modes[below(sizeof(modes))], mod = rm == 6 ? 1 + below(2) : below(3);
    if (c->aligned || !below(16)) { /* an absolute one */
        put(c, reg << 3 | 6);
        put32(c, below(AREA_SIZE) & (c->aligned ? ~15u : ~0u), 2);
        return;
    }
    put(c, mod << 6 | reg << 3 | rm);
    put32(c, random_displacement(), mod);
}

static void put_absolute(Encoder *c, unsigned reg)
{
    uint32_t target = below(AREA_SIZE) + (mode_is_based(c->mode) ? 0 : DATA_BASE);
    bool sib = c->mode == M64 && below(2);
    if (c->aligned)
        target &= ~15u;
    put(c, reg << 3 | (sib ? 4 : 5));
    if (sib)
        put(c, 0x25);
    if (c->mode == M64 && !sib)
        c->rip_at = c->len;
    put32(c, target, 4);
}

static void put_address32(Encoder *c, unsigned reg, bool vsib)
{
    static const uint8_t bases[] = { 5, 6, 7, 3 };
    unsigned base = bases[below(c->rex_b ? 3 : 4)], mod = base == 5 ? 1 + below(2) : below(3);
    if (!vsib && (c->aligned || !below(12))) {
        put_absolute(c, reg);
        return;
    }
    if (vsib || !below(4)) {
        unsigned index = vsib ? below(8) : below(2) ? 4 : 1;
        put(c, mod << 6 | reg << 3 | 4);
        put(c, below(4) << 6 | index << 3 | base);
    } else {
        put(c, mod << 6 | reg << 3 | base);
    }
    put32(c, random_displacement(), mod == 2 ? 4 : mod);
}

static void put_modrm(Encoder *c, const Entry *e)
{
    unsigned reg = e->reg >= 0 ? (unsigned)e->reg : below(8);
    bool is_reg = e->mod >= 0 ? e->mod : e->rm >= 0 || below(2);
    if (is_reg)
        put(c, 0xc0 | reg << 3 | (e->rm >= 0 ? (unsigned)e->rm : below(8)));
    else if (mode_is_16(c->mode) != c->p67 && c->mode != M64)
        put_address16(c, reg);
    else
        put_address32(c, reg, e->desc->attr & A_VSIB);
}

static bool has_modrm(const Entry *e)
{
    if (e->mod >= 0 || e->reg >= 0 || e->rm >= 0 ||
        (e->desc->attr & (A_MODRM | A_REG | A_MEM | A_MOD3)))
        return true;
    for (unsigned n = 0; n < 4 && e->desc->op[n]; n++) {
        switch (operand_method(e->desc->op[n])) {
        case OM_I:
        case OM_S8:
        case OM_J:
        case OM_O:
        case OM_A:
        case OM_Z:
        case OM_RAX:
        case OM_RCX:
        case OM_RDX:
        case OM_ONE:
        case OM_L: break;
        default: return true;
        }
    }
    return false;
}

static unsigned random_immediate_byte(void)
{
    static const uint8_t v[] = { 0, 1, 0x7f, 0x80, 0xff, 31, 32, 33 };
    return below(2) ? (unsigned)rnd() & 0xff : v[below(sizeof(v))];
}

static unsigned displacement_size(const Insn *i)
{
    return operand_size(i->desc->op[0]) == OS_b ? 1 : i->osize == I16 ? 2 : 4;
}

static bool is_memory_only(const InsnDesc *d, unsigned n)
{
    return operand_method(d->op[n]) == OM_O;
}

/* ---- Which encodings take part ----------------------------------------------------------------
 */

bool is_image(const InsnDesc *d)
{
    static const char *const names[] = { "fxsave", "fxrstor", "xsave",  "xrstor",  "xsaveopt",
                                         "xsavec", "fnsave",  "frstor", "fnstenv", "fldenv" };
    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!strcmp(d->name, names[n]))
            return true;
    }
    return false;
}

bool is_transcendental(const InsnDesc *d)
{
    static const char *const names[] = { "f2xm1",   "fyl2x", "fptan", "fpatan",
                                         "fyl2xp1", "fsin",  "fcos",  "fsincos" };
    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!strcmp(d->name, names[n]))
            return true;
    }
    return false;
}

bool approximates(const InsnDesc *d)
{
    static const char *const names[] = { "rcpps",  "rcpss",  "rsqrtps",  "rsqrtss",
                                         "vrcpps", "vrcpss", "vrsqrtps", "vrsqrtss" };
    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!strcmp(d->name, names[n]))
            return host_vendor() != HOST_AMD;
    }
    return false;
}

unsigned chooses_nan(const InsnDesc *d)
{
    const char *name = d->name + (d->name[0] == 'v');
    if (host_vendor() != HOST_INTEL)
        return 0;
    return !strcmp(name, "dpps") ? 32 : !strcmp(name, "dppd") ? 64 : 0;
}

unsigned undefined_fsw(const Insn *i)
{
    const char *n = i->desc->name;
    if (g_str_has_prefix(n, "fcmov") || !strcmp(n, "fnop") ||
        (n[0] == 'f' && strstr(n, "comi") != NULL))
        return 0x200;
    return 0;
}

static bool is_double_shift(const Insn *i)
{
    return (i->desc->gen == gen_shld || i->desc->gen == gen_shrd) && i->osize == I16;
}

/* Why it is not made, LEEWAY_COUNT if it is. */
static Leeway refusal(const Insn *i, Mode mode)
{
    GenFn *g = i->desc->gen;
    bool intel = host_vendor() == HOST_INTEL;
    bool near_branch = g == gen_jcc || g == gen_jmp || g == gen_call || g == gen_ret ||
                       g == gen_loop || g == gen_jcxz || g == gen_jmp_ind || g == gen_call_ind;
    if (mode == M64 && near_branch && i->prefix66)
        return LEEWAY_NEAR_66;
    if ((g == gen_lds || g == gen_jmp_far_ind || g == gen_call_far_ind) && i->osize == I64)
        return LEEWAY_FAR_64;
    if (strstr(i->desc->name, "ldmxcsr") && i->base == INSN_BASE_RIP)
        return LEEWAY_MXCSR_MM;
    if (g == gen_loop && i->rep)
        return LEEWAY_LOOP_REP;
    if (g == gen_ret_far && (uint16_t)i->imm > 0x400)
        return LEEWAY_RETF_ORDER;
    if (g == gen_int && i->imm != 3 && i->imm != 4)
        return LEEWAY_INT_N;
    if (intel && is_double_shift(i) && i->op[2].kind == OPK_IMM && (i->imm & 31) > 16)
        return LEEWAY_SHIFT_OVER_16;
    if (intel && !strcmp(i->desc->name, "pause") && i->rex & 1)
        return LEEWAY_PAUSE_REX;
    return LEEWAY_COUNT;
}

static bool is_refused(const Insn *i, Mode mode)
{
    Leeway l = refusal(i, mode);
    if (l != LEEWAY_COUNT)
        leeway_use(l);
    return l != LEEWAY_COUNT;
}

static bool writes_pointer(const Insn *i)
{
    if (i->op[0].kind != OPK_GPR || i->desc->gen == gen_cmp || i->desc->gen == gen_test ||
        i->desc->gen == gen_push || i->desc->gen == gen_bt)
        return false;
    if (i->op[0].reg == 4)
        return true;
    for (unsigned n = 0; n < G_N_ELEMENTS(pointers); n++) {
        if (i->op[0].reg == pointers[n])
            return true;
    }
    return false;
}

static bool try_encode(Encoder *c, Insn *i, const Entry *e, uint64_t features)
{
    DecodeMode m = insn_decode_mode(c->mode);
    m.features = features;
    c->len = c->rip_at = 0;
    c->aligned = !strncmp(e->desc->name, "sha", 3) && e->desc->feature == FEAT_SHA &&
                 host_vendor() == HOST_AMD;
    if (c->aligned)
        leeway_use(LEEWAY_SHA_ALIGNED);
    put_prefixes(c, e);
    put_opcode(c, e);
    if (is_image(e->desc) && c->p67)
        return false;
    if (has_modrm(e)) {
        if (is_image(e->desc) && !mode_is_16(c->mode) && c->mode != M32S && !c->p67) {
            c->b[c->len++] = (uint8_t)((unsigned)e->reg << 3 | 7);
            if (c->rex_b)
                return false;
        } else {
            put_modrm(c, e);
        }
    }
    if (is_memory_only(e->desc, 0) || is_memory_only(e->desc, 1)) {
        put32(c, below(AREA_SIZE) + (mode_is_based(c->mode) ? 0 : DATA_BASE), 4);
        put32(c, 0, 4);
    }
    while (c->len < 32)
        put(c, random_immediate_byte());
    if (decode_insn(&m, c->b, 15, i) != DECODE_OK)
        return false;
    c->len = i->len;
    return i->desc == e->desc && i->opcode == e->opcode && i->vex == e->vex &&
           !is_refused(i, c->mode) && (!writes_pointer(i) || !below(8));
}

/* ---- What comes before ------------------------------------------------------------------------
 */

static void append(Item *t, const uint8_t *b, unsigned len)
{
    g_assert(t->len + len <= MAX_ITEM);
    memcpy(t->bytes + t->len, b, len);
    t->len += (uint8_t)len;
}

static void append_value(Item *t, uint32_t v, unsigned size)
{
    for (unsigned n = 0; n < size; n++)
        append(t, (const uint8_t[]){ (uint8_t)(v >> 8 * n) }, 1);
}

static void add_patch(Item *t, PatchKind kind, unsigned at, unsigned size, uint32_t value)
{
    g_assert(t->npatches < MAX_PATCHES);
    t->patch[t->npatches++] = (Patch){ (uint8_t)kind, (uint8_t)at, (uint8_t)size, value };
}

static unsigned word(Mode mode)
{
    return mode_is_16(mode) ? 2 : 4;
}

static void push_value(Item *t, Mode mode, uint32_t v)
{
    append_value(t, 0x68, 1);
    append_value(t, v, word(mode));
}

static void push_next(Item *t, Mode mode)
{
    append_value(t, 0x68, 1);
    add_patch(t, PATCH_NEXT, t->len, word(mode), 0);
    append_value(t, 0, word(mode));
}

/* MOV reg, value; returns where the value is. */
static unsigned move_value(Item *t, Mode mode, unsigned reg, uint32_t v)
{
    if (reg >= 8)
        append_value(t, 0x41, 1);
    append_value(t, 0xb8 + (reg & 7), 1);
    append_value(t, v, word(mode));
    return t->len - word(mode);
}

/* MOV dword [the operand of @i], value. */
static bool store_value(Item *t, Mode mode, const Encoder *c, const Insn *i, uint32_t v)
{
    unsigned at = 0;
    if (c->rip_at || i->mod == 3)
        return false;
    while (c->b[at] != i->modrm || at == 0 || c->b[at - 1] != i->opcode)
        at++;
    if (c->p67)
        append_value(t, 0x67, 1);
    if (i->seg_override)
        append_value(t, (i->seg < 4 ? 0x26 + 8 * i->seg : 0x60u + i->seg), 1);
    if (mode_is_16(mode))
        append_value(t, 0x66, 1);
    if (i->rex && mode == M64)
        append_value(t, i->rex & 0xf3, 1);
    append_value(t, 0xc7, 1);
    append_value(t, i->modrm & 0xc7, 1);
    append(t, c->b + at + 1, i->len - at - 1);
    append_value(t, v, 4);
    return true;
}

static void prepare_far_return(Item *t, Mode mode, const Insn *i, bool flags)
{
    bool natural = mode == M64 ? i->osize == I64 : !i->prefix66;
    if (!natural || !below(8))
        return;
    if (mode == M64 && flags) {
        push_value(t, mode, FLAT_DATA32);
        append_value(t, 0x54, 1); /* PUSH RSP */
    }
    if (flags)
        append_value(t, 0x9c, 1); /* PUSHF */
    push_value(t, mode, mode_selectors(mode)[INSN_CS]);
    push_next(t, mode);
}

/* A far pointer where the operand is, if it is one that fits 32 bits. */
static void prepare_far_pointer(Item *t, Mode mode, const Encoder *c, const Insn *i, bool data)
{
    uint16_t sel = data ? random_selector() : mode_selectors(mode)[INSN_CS];
    if (i->osize != I16 || !store_value(t, mode, c, i, (uint32_t)sel << 16 | (uint16_t)rnd()))
        return;
    if (!data)
        add_patch(t, PATCH_NEXT, t->len - 4, 2, 0);
}

static uint32_t random_eflags(void)
{
    uint32_t v = (uint32_t)rnd() & (CF | PF | AF | ZF | SF | OF);
    static const uint32_t rare[] = { TF, DF, 0x200000 /* ID */, 0x4000 /* NT */ };
    return below(3) ? v : v | rare[below(G_N_ELEMENTS(rare))];
}

/* PUSH dword 0; LEA eSP, [ESP + 4]. */
static void clear_pushed(Item *t, Mode mode)
{
    if (host_vendor() != HOST_INTEL)
        return;
    leeway_use(LEEWAY_PUSH_SREG);
    append_value(t, mode_is_16(mode) ? 0x6a66 : 0x6a, mode_is_16(mode) ? 2 : 1);
    append_value(t, 0, 1);
    if (mode_is_16(mode))
        append_value(t, 0x67, 1);
    append_value(t, 0x0424648d, 4);
}

/* MOV ECX, ECX; MOV ESI, ESI; MOV EDI, EDI. */
static void clear_upper_halves(Item *t)
{
    if (host_vendor() != HOST_INTEL)
        return;
    leeway_use(LEEWAY_REP_67);
    append(t, (const uint8_t[]){ 0x89, 0xc9, 0x89, 0xf6, 0x89, 0xff }, 6);
}

/* AND CL, 15. */
static void limit_count(Item *t)
{
    if (host_vendor() != HOST_INTEL)
        return;
    leeway_use(LEEWAY_SHIFT_OVER_16);
    append_value(t, 0x0fe180, 3);
}

/* Without this the instruction would hardly ever get further. */
static void put_preparation(Item *t, Mode mode, const Encoder *c, const Insn *i)
{
    GenFn *g = i->desc->gen;
    const char *name = i->desc->name;
    bool in_register = i->op[0].kind == OPK_GPR;
    if (g == gen_ret && !i->prefix66)
        push_next(t, mode);
    else if ((g == gen_jmp_ind || g == gen_call_ind) && in_register && i->op[0].reg != 4)
        add_patch(t, PATCH_NEXT, move_value(t, mode, i->op[0].reg, 0), word(mode), 0);
    else if (g == gen_ret_far || g == gen_iret)
        prepare_far_return(t, mode, i, g == gen_iret);
    else if (g == gen_jmp_far_ind || g == gen_call_far_ind || g == gen_lds)
        prepare_far_pointer(t, mode, c, i, g == gen_lds);
    else if (g == gen_mov_to_sreg && i->op[1].kind == OPK_GPR && i->op[1].reg != 4)
        move_value(t, mode, i->op[1].reg, random_selector());
    else if ((g == gen_lar || g == gen_lsl) && i->op[1].kind == OPK_GPR && i->op[1].reg != 4)
        move_value(t, mode, i->op[1].reg, random_selector());
    else if ((g == gen_verr || g == gen_verw) && in_register && i->op[0].reg != 4)
        move_value(t, mode, i->op[0].reg, random_selector());
    else if (is_string(i->desc) && i->rep && i->prefix67 && mode == M64)
        clear_upper_halves(t);
    else if (g == gen_push_sreg && mode != M64 && i->osize == I32)
        clear_pushed(t, mode);
    else if (is_double_shift(i) && i->op[2].kind == OPK_GPR)
        limit_count(t);
    else if (g == gen_pop_sreg)
        push_value(t, mode, random_selector());
    else if (g == gen_popf)
        push_value(t, mode, random_eflags());
    else if ((g == gen_div || g == gen_idiv) && below(4))
        append(t, (const uint8_t[]){ 0x31, 0xd2 }, 2); /* XOR eDX, eDX */
    else if (!strcmp(name, "ldmxcsr") || !strcmp(name, "vldmxcsr"))
        store_value(t, mode, c, i, below(16) ? random_mxcsr() : (uint32_t)rnd() & ~AMD_MM);
    else if (g == gen_xgetbv)
        move_value(t, mode, 1, below(8) ? below(2) : (uint32_t)rnd());
    else if (!strcmp(name, "fldcw"))
        store_value(t, mode, c, i, random_fcw());
}

/* CMP rAX, imm: defines every flag. */
void item_define_flags(Item *t, Mode mode)
{
    append_value(t, 0x3d, 1);
    append_value(t, (uint32_t)rnd(), word(mode));
}

/* Of XCR0 what x86-64-v3 has: AND EAX, 7; MOV rDX, 0. */
static void mask_components(Item *t, Mode mode)
{
    if (mode_is_16(mode))
        append_value(t, 0x66, 1);
    append_value(t, 0x25, 1);
    append_value(t, 7, 4);
    move_value(t, mode, 2, 0);
    item_define_flags(t, mode);
}

/* ---- Places that depend on where the item stands ----------------------------------------------
 */

static void patch_insn(Item *t, Mode mode, const Encoder *c, const Insn *i)
{
    GenFn *g = i->desc->gen;
    if (c->rip_at && i->has_modrm && i->mod == 0) {
        uint32_t target = (uint32_t)i->disp;
        add_patch(t, PATCH_RIP, t->at + c->rip_at, 4, target);
    }
    if (operand_method(i->desc->op[0]) == OM_J) {
        unsigned size = displacement_size(i);
        add_patch(t, PATCH_SKIP, t->len - size, size, below(4) ? 0 : 1 + below(2));
    } else if (g == gen_jmp_far || g == gen_call_far) {
        unsigned size = i->osize == I16 ? 2 : 4;
        uint16_t sel = mode_selectors(mode)[INSN_CS];
        if (below(8))
            guest_put(t->bytes + t->len - 2, sel, 2);
        add_patch(t, PATCH_NEXT, t->len - 2 - size, size, 0);
    }
}

bool make_item(Item *t, Mode mode, const Entry *e, uint64_t features)
{
    Encoder c = { .mode = mode };
    for (unsigned tries = 0; tries < 300; tries++) {
        if (!try_encode(&c, &t->insn, e, features))
            continue;
        t->len = t->npatches = 0;
        put_preparation(t, mode, &c, &t->insn);
        t->at = t->len;
        append(t, c.b, c.len);
        patch_insn(t, mode, &c, &t->insn);
        if (t->insn.desc->gen == gen_xgetbv)
            mask_components(t, mode);
        return true;
    }
    return false;
}
