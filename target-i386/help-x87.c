/* SPDX-License-Identifier: MIT */
/*
 * The x87 instruction by instruction, in C: what translated code calls for rare instructions, and
 * for all of them where a stack fault or an unmasked exception is possible (SDM vol. 1, chapter 8).
 * FERR# is asserted when an exception becomes pending with CR0.NE clear, at once (8.7.2 allows to
 * put it off); unless IGNNE# is, a waiting instruction then waits for an interrupt.
 */
#include "target-i386/help-fp.h"

/* ---- Stack, flags --------------------------------------------------------------------------- */
void x87_put(CpuX86 *c, unsigned i, Float80 v)
{
    unsigned p = x87_physical(c, i);

    c->fpregs[p].frac = v.frac;
    c->fpregs[p].se = v.se;
    c->fptags &= (uint8_t) ~(1u << p);
}

SfEnv x87_env(const CpuX86 *c)
{
    return (SfEnv){ .rounding = (SfRounding)(c->fcw >> 10 & 3),
                    .precision = c->fcw >> 8 & 3,
                    .masks = c->fcw & 0x3f,
                    .x87 = true };
}

Float80 x87_indefinite(void)
{
    return (Float80){ 3ull << 62, 0xffff };
}

static void signal_ferr(CpuX86 *c)
{
    Machine *m = c->machine;

    if (c->ferr)
        return;
    c->ferr = true;
    if (m && m->board.ferr)
        m->board.ferr(m->board.opaque, 1);
}

void x87_summarize(CpuX86 *c)
{
    bool was = c->fsw & FSW_ES;

    c->fsw &= (uint16_t) ~(FSW_ES | FSW_B);
    if (c->fsw & ~c->fcw & 0x3f)
        c->fsw |= FSW_ES | FSW_B;
    if (!was && (c->fsw & FSW_ES) && !(c->cr0 & CR0_NE))
        signal_ferr(c);
}

bool x87_report(CpuX86 *c, const SfEnv *e)
{
    c->fsw = (uint16_t)((c->fsw & ~FSW_C1) | (e->flags & (0x3f | FSW_C1)));
    x87_summarize(c);
    return !(e->flags & ~c->fcw & (SF_INVALID | SF_DENORMAL | SF_DIVZERO));
}

bool x87_stack_fault(CpuX86 *c, bool overflow)
{
    c->fsw = (uint16_t)((c->fsw & ~FSW_C1) | SF_INVALID | FSW_SF | (overflow ? FSW_C1 : 0));
    x87_summarize(c);
    return c->fcw & SF_INVALID;
}

void x87_set_cc(CpuX86 *c, unsigned cc)
{
    c->fsw = (uint16_t)((c->fsw & ~FSW_CC) | cc);
}

static void clear_c1(CpuX86 *c)
{
    c->fsw &= (uint16_t)~FSW_C1;
}

void x87_pop(CpuX86 *c)
{
    x87_set_empty(c, 0);
    c->fpstt = (c->fpstt + 1) & 7;
}

void x87_push(CpuX86 *c, Float80 v)
{
    c->fpstt = (c->fpstt - 1) & 7;
    x87_put(c, 0, v);
}

bool x87_push_room(CpuX86 *c)
{
    if (x87_is_empty(c, 7))
        return true;
    if (x87_stack_fault(c, true))
        x87_push(c, x87_indefinite());
    return false;
}

/* False after the stack fault of reading an empty ST(i). *@masked as the fault was. */
static bool both_full(CpuX86 *c, unsigned i, unsigned j, bool *masked)
{
    *masked = true;
    if (!x87_is_empty(c, i) && !x87_is_empty(c, j))
        return true;
    *masked = x87_stack_fault(c, false);
    return false;
}

void help_x87_wait(CpuX86 *c)
{
    if (!(c->fsw & FSW_ES))
        return;
    if (c->cr0 & CR0_NE)
        x86_raise(c, EXCP_MF);
    signal_ferr(c);
    if (c->ignne)
        return;
    cpu_sync_state(&c->cpu);
    c->common.halted = true;
    c->mwait = false;
    c->inhibit = 0; /* no shadow lasts that long */
    x86_update_mode(c);
    cpu_loop_exit(&c->cpu);
}

/* ---- Arithmetic and comparison -------------------------------------------------------------- */
enum { ARITH_ADD, ARITH_MUL, ARITH_COM, ARITH_COMP, ARITH_SUB, ARITH_SUBR, ARITH_DIV, ARITH_DIVR };

static Float80 arithmetic(SfEnv *e, unsigned what, Float80 a, Float80 b)
{
    switch (what) {
    case ARITH_ADD: return sf80_op(e, SF_ADD, a, b);
    case ARITH_MUL: return sf80_op(e, SF_MUL, a, b);
    case ARITH_SUB: return sf80_op(e, SF_SUB, a, b);
    case ARITH_SUBR: return sf80_op(e, SF_SUB, b, a);
    case ARITH_DIV: return sf80_op(e, SF_DIV, a, b);
    default: return sf80_op(e, SF_DIV, b, a);
    }
}

static bool arith_to(CpuX86 *c, SfEnv *e, unsigned what, unsigned dst, Float80 b)
{
    Float80 r = arithmetic(e, what, x87_get(c, dst), b);

    if (!x87_report(c, e))
        return false;
    x87_put(c, dst, r);
    return true;
}

static bool arith_registers(CpuX86 *c, unsigned what, unsigned dst, unsigned src)
{
    SfEnv e = x87_env(c);
    bool masked;

    if (both_full(c, dst, src, &masked))
        return arith_to(c, &e, what, dst, x87_get(c, src));
    if (masked)
        x87_put(c, dst, x87_indefinite());
    return masked;
}

static unsigned relation_cc(SfRelation r)
{
    static const uint16_t cc[] = { [SF_LESS] = FSW_C0,
                                   [SF_EQUAL] = FSW_C3,
                                   [SF_GREATER] = 0,
                                   [SF_UNORDERED] = FSW_C3 | FSW_C2 | FSW_C0 };
    return cc[r];
}

static bool compare_with(CpuX86 *c, SfEnv *e, Float80 b, bool quiet, SfRelation *r)
{
    *r = sf80_compare(e, x87_get(c, 0), b, quiet);
    return x87_report(c, e);
}

static bool compare_registers(CpuX86 *c, unsigned src, bool quiet, SfRelation *r)
{
    SfEnv e = x87_env(c);
    bool masked;

    *r = SF_UNORDERED;
    if (!both_full(c, 0, src, &masked))
        return masked;
    return compare_with(c, &e, x87_get(c, src), quiet, r);
}

static void compare_cc(CpuX86 *c, unsigned src, bool quiet, unsigned pops)
{
    SfRelation r;
    bool ok = compare_registers(c, src, quiet, &r);

    x87_set_cc(c, relation_cc(r));
    while (ok && pops--)
        x87_pop(c);
}

static uint32_t compare_eflags(CpuX86 *c, unsigned src, bool quiet, bool pop)
{
    static const uint8_t flags[] = { [SF_LESS] = FLAG_CF,
                                     [SF_EQUAL] = FLAG_ZF,
                                     [SF_GREATER] = 0,
                                     [SF_UNORDERED] = FLAG_ZF | FLAG_PF | FLAG_CF };
    SfRelation r;
    bool ok = compare_registers(c, src, quiet, &r);

    clear_c1(c);
    if (ok && pop)
        x87_pop(c);
    return flags[r];
}

/* D8, DC, DE: register forms. @to_i: ST(i) is the destination, and SUB, DIV trade places. */
static void arith_form(CpuX86 *c, unsigned what, unsigned i, bool to_i, bool pop)
{
    bool ok;

    if (what == ARITH_COM || what == ARITH_COMP) {
        compare_cc(c, i, false, what == ARITH_COMP);
        return;
    }
    if (to_i)
        ok = arith_registers(c, what >= ARITH_SUB ? what ^ 1 : what, i, 0);
    else
        ok = arith_registers(c, what, 0, i);
    if (ok && pop)
        x87_pop(c);
}

/* ---- Memory operands ------------------------------------------------------------------------ */
typedef enum MemFormat {
    MEM_F32,
    MEM_I32,
    MEM_F64,
    MEM_I16,
    MEM_I64
} MemFormat; /* D8 DA DC DE order */

static unsigned format_size(MemFormat f)
{
    return f == MEM_I16 ? 2 : f == MEM_F64 || f == MEM_I64 ? 8 : 4;
}

/* Elsewhere translated code does these by itself. */
static uint64_t load_word(CpuX86 *c, uint64_t addr, unsigned size)
{
    uint64_t v = cpu_load(&c->cpu, addr, size, x86_mmu(c));

    cpu_pass_access_time(&c->cpu, addr, size, x86_mmu(c));
    return v;
}

static void store_word(CpuX86 *c, uint64_t addr, uint64_t v, unsigned size)
{
    cpu_store(&c->cpu, addr, v, size, x86_mmu(c));
    cpu_pass_access_time(&c->cpu, addr, size, x86_mmu(c));
}

static Float80 widen(SfEnv *e, MemFormat f, uint64_t v)
{
    switch (f) {
    case MEM_F32: return sf32_to_f80(e, (uint32_t)v);
    case MEM_F64: return sf64_to_f80(e, v);
    case MEM_I16: return sf_i64_to_f80(e, (int16_t)v);
    case MEM_I32: return sf_i64_to_f80(e, (int32_t)v);
    default: return sf_i64_to_f80(e, (int64_t)v);
    }
}

/* An operand of arithmetic: its NaN and denormal exceptions are those of the operation, so a
 * signalling NaN stays one. *@denormal: a normal number in this format, but not in memory. */
static Float80 widen_operand(MemFormat f, uint64_t word, bool *denormal)
{
    SfEnv e = { .masks = 0x3f, .x87 = true };
    Float80 v = widen(&e, f, word);

    if (e.flags & SF_INVALID)
        v.frac &= ~(1ull << 62);
    *denormal = e.flags & SF_DENORMAL;
    return v;
}

static bool is_nan(Float80 v)
{
    unsigned biased = v.se & 0x7fff;

    return (biased == 0x7fff && v.frac << 1) || (biased && !(v.frac >> 63));
}

/* The operation on a denormal memory operand: #D comes after #I and #Z, before the rest. */
static Float80 with_denormal(SfEnv *e, unsigned what, Float80 a, Float80 b)
{
    SfEnv before = { .masks = 0x3f, .x87 = true, .precision = e->precision };

    if (!is_nan(a)) {
        arithmetic(&before, what, a, b);
        if (!(before.flags & (SF_INVALID | SF_DIVZERO)))
            e->flags |= SF_DENORMAL;
    }
    if (e->flags & ~e->masks & SF_DENORMAL)
        return a;
    return arithmetic(e, what, a, b);
}

static void compare_memory(CpuX86 *c, Float80 b, bool denormal, bool pop)
{
    SfEnv e = x87_env(c);
    SfRelation r = SF_UNORDERED;
    bool ok;

    if (x87_is_empty(c, 0)) {
        ok = x87_stack_fault(c, false);
    } else {
        if (denormal && !is_nan(x87_get(c, 0)))
            e.flags |= SF_DENORMAL;
        ok = compare_with(c, &e, b, false, &r);
    }
    x87_set_cc(c, relation_cc(r));
    if (ok && pop)
        x87_pop(c);
}

static void arith_memory(CpuX86 *c, unsigned what, MemFormat f, uint64_t word)
{
    SfEnv e = x87_env(c);
    bool denormal;
    Float80 b = widen_operand(f, word, &denormal), r;

    if (what == ARITH_COM || what == ARITH_COMP) {
        compare_memory(c, b, denormal, what == ARITH_COMP);
    } else if (!x87_is_empty(c, 0)) {
        r = denormal ? with_denormal(&e, what, x87_get(c, 0), b)
                     : arithmetic(&e, what, x87_get(c, 0), b);
        if (x87_report(c, &e))
            x87_put(c, 0, r);
    } else if (x87_stack_fault(c, false)) {
        x87_put(c, 0, x87_indefinite());
    }
}

static void load_memory(CpuX86 *c, MemFormat f, uint64_t addr)
{
    SfEnv e = x87_env(c);
    Float80 v = widen(&e, f, load_word(c, addr, format_size(f)));

    if (!x87_push_room(c))
        return;
    x87_report(c, &e);
    if (!(e.flags & ~e.masks & SF_INVALID)) /* an unmasked #D does not hold it back */
        x87_push(c, v);
}

static uint64_t convert(SfEnv *e, MemFormat f, bool truncate, Float80 v)
{
    switch (f) {
    case MEM_F32: return sf80_to_f32(e, v);
    case MEM_F64: return sf80_to_f64(e, v);
    default: return (uint64_t)sf80_to_int(e, v, format_size(f) * 8, truncate);
    }
}

static uint64_t indefinite_of(MemFormat f)
{
    switch (f) {
    case MEM_F32: return 0xffc00000;
    case MEM_F64: return 0xfff8ull << 48;
    default: return 1ull << (format_size(f) * 8 - 1);
    }
}

static void store_memory(CpuX86 *c, MemFormat f, uint64_t addr, bool truncate, bool pop)
{
    unsigned size = format_size(f);
    SfEnv e = x87_env(c);
    uint64_t v;

    cpu_probe(&c->cpu, addr, size, ACCESS_WRITE, x86_mmu(c));
    if (x87_is_empty(c, 0)) {
        if (!x87_stack_fault(c, false))
            return;
        v = indefinite_of(f);
    } else {
        v = convert(&e, f, truncate, x87_get(c, 0));
        x87_report(c, &e);
        if (e.flags & ~c->fcw & (SF_INVALID | SF_OVERFLOW | SF_UNDERFLOW))
            return;
    }
    store_word(c, addr, v, size);
    if (pop)
        x87_pop(c);
}

static void load_f80(CpuX86 *c, uint64_t addr)
{
    uint8_t b[10];
    Float80 v;

    cpu_load_bytes(&c->cpu, addr, b, sizeof(b), x86_mmu(c));
    cpu_pass_access_time(&c->cpu, addr, sizeof(b), x86_mmu(c));
    v.frac = guest_get(b, 8);
    v.se = (uint16_t)guest_get(b + 8, 2);
    if (!x87_push_room(c))
        return;
    clear_c1(c);
    x87_push(c, v);
}

static void store_f80(CpuX86 *c, uint64_t addr)
{
    Float80 v = x87_indefinite();
    uint8_t b[10];

    cpu_probe(&c->cpu, addr, sizeof(b), ACCESS_WRITE, x86_mmu(c));
    if (!x87_is_empty(c, 0)) {
        v = x87_get(c, 0);
        clear_c1(c);
    } else if (!x87_stack_fault(c, false)) {
        return;
    }
    guest_put(b, v.frac, 8);
    guest_put(b + 8, v.se, 2);
    cpu_store_bytes(&c->cpu, addr, b, sizeof(b), x86_mmu(c));
    cpu_pass_access_time(&c->cpu, addr, sizeof(b), x86_mmu(c));
    x87_pop(c);
}

static void load_control(CpuX86 *c, uint64_t addr)
{
    c->fcw = (uint16_t)((load_word(c, addr, 2) & FCW_VALID) | FCW_SET);
    x87_summarize(c);
}

static void memory_d9(CpuX86 *c, unsigned reg, uint64_t addr, bool osize16)
{
    switch (reg) {
    case 0: load_memory(c, MEM_F32, addr); break;
    case 2: store_memory(c, MEM_F32, addr, false, false); break;
    case 3: store_memory(c, MEM_F32, addr, false, true); break;
    case 4: x87_load_env(c, addr, osize16); break;
    case 5: load_control(c, addr); break;
    case 6: x87_store_env(c, addr, osize16); break;
    case 7: store_word(c, addr, c->fcw, 2); break;
    default: break;
    }
}

static void memory_db(CpuX86 *c, unsigned reg, uint64_t addr)
{
    switch (reg) {
    case 0: load_memory(c, MEM_I32, addr); break;
    case 1: store_memory(c, MEM_I32, addr, true, true); break;
    case 2: store_memory(c, MEM_I32, addr, false, false); break;
    case 3: store_memory(c, MEM_I32, addr, false, true); break;
    case 5: load_f80(c, addr); break;
    case 7: store_f80(c, addr); break;
    default: break;
    }
}

static void memory_dd(CpuX86 *c, unsigned reg, uint64_t addr, bool osize16)
{
    switch (reg) {
    case 0: load_memory(c, MEM_F64, addr); break;
    case 1: store_memory(c, MEM_I64, addr, true, true); break;
    case 2: store_memory(c, MEM_F64, addr, false, false); break;
    case 3: store_memory(c, MEM_F64, addr, false, true); break;
    case 4: x87_restore(c, addr, osize16); break;
    case 6: x87_save(c, addr, osize16); break;
    case 7: store_word(c, addr, x87_status_word(c), 2); break;
    default: break;
    }
}

static void memory_df(CpuX86 *c, unsigned reg, uint64_t addr)
{
    switch (reg) {
    case 0: load_memory(c, MEM_I16, addr); break;
    case 1: store_memory(c, MEM_I16, addr, true, true); break;
    case 2: store_memory(c, MEM_I16, addr, false, false); break;
    case 3: store_memory(c, MEM_I16, addr, false, true); break;
    case 4: x87_load_bcd(c, addr); break;
    case 5: load_memory(c, MEM_I64, addr); break;
    case 6: x87_store_bcd(c, addr); break;
    default: store_memory(c, MEM_I64, addr, false, true); break;
    }
}

/* D8, DA, DC, DE. */
static MemFormat arith_format(unsigned op)
{
    return (MemFormat)(op >> 1);
}

void help_x87_real(CpuX86 *c, uint32_t how, uint64_t word)
{
    unsigned op = how >> 8 & 7, what = how >> 3 & 7;

    arith_memory(c, what == ARITH_COMP ? ARITH_COM : what, arith_format(op), word);
}

static void memory_form(CpuX86 *c, unsigned op, unsigned reg, uint64_t addr, bool osize16)
{
    MemFormat f = arith_format(op);

    if (!(op & 1))
        arith_memory(c, reg, f, load_word(c, addr, format_size(f)));
    else if (op == 1)
        memory_d9(c, reg, addr, osize16);
    else if (op == 3)
        memory_db(c, reg, addr);
    else if (op == 5)
        memory_dd(c, reg, addr, osize16);
    else
        memory_df(c, reg, addr);
}

/* ---- Register forms ------------------------------------------------------------------------- */
static void load_register(CpuX86 *c, unsigned i)
{
    Float80 v = x87_get(c, i);

    if (x87_is_empty(c, i)) {
        if (x87_stack_fault(c, false))
            x87_push(c, x87_indefinite());
    } else if (x87_push_room(c)) {
        clear_c1(c);
        x87_push(c, v);
    }
}

static void exchange(CpuX86 *c, unsigned i)
{
    Float80 a = x87_get(c, 0), b = x87_get(c, i);
    bool masked;

    if (!both_full(c, 0, i, &masked)) {
        if (!masked)
            return;
        if (x87_is_empty(c, 0))
            a = x87_indefinite();
        if (x87_is_empty(c, i))
            b = x87_indefinite();
    } else {
        clear_c1(c);
    }
    x87_put(c, 0, b);
    x87_put(c, i, a);
}

static void store_register(CpuX86 *c, unsigned i, bool pop)
{
    Float80 v = x87_get(c, 0);

    if (!x87_is_empty(c, 0))
        clear_c1(c);
    else if (x87_stack_fault(c, false))
        v = x87_indefinite();
    else
        return;
    x87_put(c, i, v);
    if (pop)
        x87_pop(c);
}

static void conditional_move(CpuX86 *c, unsigned i, bool cond)
{
    bool masked;

    if (both_full(c, 0, i, &masked)) {
        clear_c1(c);
        if (cond)
            x87_put(c, 0, x87_get(c, i));
    } else if (masked) {
        x87_put(c, 0, x87_indefinite());
    }
}

/* FCHS, FABS: no exception but the stack's. */
static void change_sign(CpuX86 *c, bool negate)
{
    Float80 v = x87_get(c, 0);

    v.se = negate ? v.se ^ 0x8000 : v.se & 0x7fff;
    if (!x87_is_empty(c, 0))
        clear_c1(c);
    else if (x87_stack_fault(c, false))
        v = x87_indefinite();
    else
        return;
    x87_put(c, 0, v);
}

static void test_zero(CpuX86 *c)
{
    SfEnv e = x87_env(c);
    SfRelation r = SF_UNORDERED;

    if (x87_is_empty(c, 0))
        x87_stack_fault(c, false);
    else
        compare_with(c, &e, (Float80){ 0, 0 }, false, &r);
    x87_set_cc(c, relation_cc(r));
}

/* Constants as FLDxx gives them: the fraction to 64 bits, cut, and what it lacks is more than half?
 */
static const struct {
    uint64_t frac;
    uint16_t se;
    bool inexact, more_than_half;
} constants[7] = {
    { 0x8000000000000000, 0x3fff, false, false }, /* 1 */
    { 0xd49a784bcd1b8afe, 0x4000, true, false },  /* log2 10 = …8afe.49… */
    { 0xb8aa3b295c17f0bb, 0x3fff, true, true },   /* log2 e = …f0bb.be… */
    { 0xc90fdaa22168c234, 0x4000, true, true },   /* pi = …c234.c4… */
    { 0x9a209a84fbcff798, 0x3ffd, true, true },   /* log10 2 = …f798.8f… */
    { 0xb17217f7d1cf79ab, 0x3ffe, true, true },   /* ln 2 = …79ab.c9… */
    { 0, 0, false, false },                       /* 0 */
};

uint64_t help_x87_constant(CpuX86 *c, uint32_t which)
{
    SfRounding mode = (SfRounding)(c->fcw >> 10 & 3);
    bool up = constants[which].inexact &&
              (mode == SF_UP || (mode == SF_NEAREST && constants[which].more_than_half));

    return constants[which].frac + up;
}

static void load_constant(CpuX86 *c, unsigned which)
{
    if (!x87_push_room(c))
        return;
    clear_c1(c);
    x87_push(c, (Float80){ help_x87_constant(c, which), constants[which].se });
}

static void rotate_up(CpuX86 *c)
{
    clear_c1(c);
    x87_pop(c);
}

static void register_d9(CpuX86 *c, unsigned modrm)
{
    unsigned i = modrm & 7;

    if (modrm < 0xc8)
        load_register(c, i);
    else if (modrm < 0xd0)
        exchange(c, i);
    else if (modrm >= 0xd8 && modrm < 0xe0 && !x87_is_empty(c, 0))
        store_register(c, i, true);
    else if (modrm >= 0xd8 && modrm < 0xe0)
        rotate_up(c); /* this alias of FSTP has no stack underflow */
    else if (modrm == 0xe0 || modrm == 0xe1)
        change_sign(c, modrm == 0xe0);
    else if (modrm == 0xe4)
        test_zero(c);
    else if (modrm >= 0xe8 && modrm <= 0xee)
        load_constant(c, modrm - 0xe8);
    else if (modrm != 0xd0)
        x87_math(c, modrm);
}

static uint32_t register_da_db(CpuX86 *c, bool db, unsigned modrm, bool cond)
{
    unsigned i = modrm & 7;

    if (modrm < 0xe0)
        conditional_move(c, i, cond);
    else if (!db)
        compare_cc(c, 1, true, 2); /* FUCOMPP */
    else if (modrm == 0xe2)
        c->fsw &= FSW_CC;
    else if (modrm == 0xe3)
        x87_init(c);
    else if (modrm >= 0xe8)
        return compare_eflags(c, i, modrm < 0xf0, false);
    return 0;
}

static void register_dd(CpuX86 *c, unsigned modrm)
{
    unsigned i = modrm & 7;

    switch (modrm >> 3 & 7) {
    case 0:
        x87_set_empty(c, i);
        clear_c1(c);
        break; /* FFREE */
    case 1: exchange(c, i); break;
    case 2: store_register(c, i, false); break;
    case 3: store_register(c, i, true); break;
    default: compare_cc(c, i, true, modrm >= 0xe8); break;
    }
}

static uint32_t register_df(CpuX86 *c, unsigned modrm)
{
    unsigned i = modrm & 7;

    switch (modrm >> 3 & 7) {
    case 0: /* FFREEP */
        x87_set_empty(c, i);
        clear_c1(c);
        x87_pop(c);
        return 0;
    case 1: exchange(c, i); return 0;
    case 2:
    case 3: store_register(c, i, true); return 0;
    case 4: return x87_status_word(c);
    default: return compare_eflags(c, i, modrm < 0xf0, true);
    }
}

static uint32_t register_form(CpuX86 *c, unsigned op, unsigned modrm, bool cond)
{
    unsigned reg = modrm >> 3 & 7, i = modrm & 7;

    switch (op) {
    case 0: arith_form(c, reg, i, false, false); return 0;
    case 1: register_d9(c, modrm); return 0;
    case 2:
    case 3: return register_da_db(c, op == 3, modrm, cond);
    case 4: arith_form(c, reg, i, true, false); return 0;
    case 5: register_dd(c, modrm); return 0;
    case 6:
        if (modrm == 0xd9) /* FCOMPP */
            compare_cc(c, 1, false, 2);
        else if (reg == ARITH_COM)
            compare_cc(c, i, false, 1);
        else
            arith_form(c, reg, i, true, true);
        return 0;
    default: return register_df(c, modrm);
    }
}

uint32_t help_x87(CpuX86 *c, uint32_t how, uint64_t addr, uint32_t cond)
{
    unsigned op = how >> 8 & 7, modrm = how & 0xff;
    uint32_t r = 0;

    if (!(how & X87_GOES_ON))
        c->x87_slow = false;
    if (!(how & X87_NO_WAIT))
        help_x87_wait(c);
    if (modrm >= 0xc0)
        r = register_form(c, op, modrm, cond);
    else
        memory_form(c, op, modrm >> 3 & 7, addr, how & X87_OSIZE16);
    if (!(how & X87_GOES_ON))
        x86_update_mode(c);
    return r;
}
