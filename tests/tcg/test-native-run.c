/* SPDX-License-Identifier: MIT */
/*
 * Between blocks: links, side exits that give budget back, the jump cache, retired blocks, budget
 * exits, flushes; on the back end that makes host code and on the interpreter, which must agree.
 * Then what random blocks on one thread do not reach: atomic forms, control words other than the
 * default. TEST_FILTER=NAME runs one test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tcg/random-ir.h"

static void each_backend(void (*test)(Harness *h))
{
    const char *const backends[] = { "interp", harness_native() };

    for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
        Harness *h = harness_new(backends[i], false);

        harness_reset(h, 1, 0x100);
        test(h);
        harness_free(h);
    }
}

static TcgCode *compile(Harness *h)
{
    TcgCode *code = tcg_compile(h->tcg, NULL, NULL, NULL);

    assert_non_null(code);
    return code;
}

/* r0 += n; flags; goto */
static TcgCode *adder(Harness *h, uint32_t at, uint64_t n, uint32_t to)
{
    IrBlock *ir = tcg_ir(h->tcg);
    IrRef x, y, r;

    ir_block_reset(ir, at);
    ir_insn(ir, at);
    x = ir_get(ir, I64, S_R0, 0);
    y = ir_const(ir, I64, n);
    r = ir_add(ir, x, y);
    ir_set(ir, S_R0, 0, r);
    ir_setflags(ir, ir_fl_add(ir, r, y));
    ir_goto(ir, to);
    return compile(h);
}

static void enter_at(Harness *h, uint32_t offset)
{
    h->env->pc = 0x400000 + offset;
}

static void links_and_budget(Harness *h)
{
    TcgCode *a = adder(h, 0x100, 1, 0x200), *b = adder(h, 0x200, 16, 0x100);
    Outcome o;

    h->env->r[0] = 0;
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, a);
    assert_int_equal(o.leave.link, 0);
    assert_int_equal(h->env->pc, 0x400200);
    assert_int_equal(h->env->r[0], 1);

    tcg_link(h->tcg, a, 0, b);
    enter_at(h, 0x100);
    o = harness_run(h, a);
    assert_ptr_equal(o.leave.from, b);
    assert_int_equal(h->env->r[0], 18);

    tcg_link(h->tcg, b, 0, a);
    enter_at(h, 0x100);
    h->env->budget = 7;
    h->env->r[0] = 0;
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_BUDGET);
    assert_int_equal(h->env->r[0], 4 + 3 * 16);
    assert_int_equal(h->env->budget, 0);
    assert_int_equal(h->env->pc, 0x400200);
    assert_int_equal((h->env->cc.kind & FLAGS_KIND) / 4, FLK_ADD);
}

/* Three instructions, the first leaves early when r1 is 0. */
static TcgCode *side_exit(Harness *h, bool flags)
{
    IrBlock *ir = tcg_ir(h->tcg);
    IrRef x;

    ir_block_reset(ir, 0x100);
    ir_insn(ir, 0x100);
    x = ir_get(ir, I64, S_R0 + 1, 0);
    if (flags) {
        ir_setflags(ir, ir_fl_cmp(ir, x, ir_const(ir, I64, 0)));
    }
    ir_goto_if(ir, ir_setcond(ir, COND_EQ, x, ir_const(ir, I64, 0)), 0x300);
    for (unsigned i = 1; i < 3; i++) {
        ir_insn(ir, 0x100 + i);
        ir_set(ir, S_R0 + i, 0, ir_const(ir, I64, i));
    }
    ir_goto(ir, 0x200);
    return compile(h);
}

static void side_exits(Harness *h)
{
    for (unsigned flags = 0; flags < 2; flags++) {
        TcgCode *a = side_exit(h, flags), *b = adder(h, 0x300, 1, 0x400);
        Outcome o;

        for (unsigned linked = 0; linked < 2; linked++) {
            h->env->r[1] = 0;
            h->env->budget = 100;
            enter_at(h, 0x100);
            o = harness_run(h, a);
            assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
            assert_ptr_equal(o.leave.from, linked ? b : a);
            assert_int_equal(h->env->budget, linked ? 98 : 99);
            if (flags && !linked) {
                assert_true(flags_test(&h->env->cc, CC_Z));
            }
            tcg_link(h->tcg, a, 0, b);
        }
        h->env->r[1] = 5;
        enter_at(h, 0x100);
        h->env->budget = 100;
        o = harness_run(h, a);
        assert_int_equal(h->env->budget, 97);
        assert_int_equal(h->env->pc, 0x400200);
    }
}

static void retired(Harness *h)
{
    TcgCode *a = adder(h, 0x100, 1, 0x200), *b = adder(h, 0x200, 16, 0x100);
    Outcome o;

    tcg_link(h->tcg, a, 0, b);
    tcg_retire(h->tcg, b);
    h->env->r[0] = 0;
    h->env->budget = 10;
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(h->env->pc, 0x400200);
    assert_int_equal(h->env->r[0], 1);
    assert_int_equal(h->env->budget, 9);
    o = harness_run(h, b);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(h->env->pc, 0x400200);
    tcg_link(h->tcg, a, 0, NULL);
    enter_at(h, 0x100);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, a);
}

static TcgCode *jumper(Harness *h, uint32_t at)
{
    IrBlock *ir = tcg_ir(h->tcg);

    ir_block_reset(ir, at);
    ir_insn(ir, at);
    ir_jump(ir, ir_get(ir, I64, S_R0 + 2, 0), JUMP_INDIRECT, 0);
    return compile(h);
}

static void jumps(Harness *h)
{
    TcgCode *a = jumper(h, 0x100), *b = adder(h, 0x200, 16, 0x300);
    uint64_t target = 0x7fff12345200, key = 0x20000;
    JumpEntry *e = &h->env->jc[tcg_jc_offset(target, key) / sizeof(*e)];
    Outcome o;

    h->env->jc_key = key;
    h->env->r[2] = target;
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(h->env->pc, target);

    *e = (JumpEntry){ target, (void *)(uintptr_t)tcg_far_entry(h->tcg, b) };
    enter_at(h, 0x100);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, b);
    assert_int_equal(h->env->vbase, target - 0x200);
    assert_int_equal(h->env->pc, target + 0x100);
}

static void full_buffer(Harness *h)
{
    IrBlock *ir = harness_ir_new();
    unsigned mask = random_mask(harness_native());

    for (unsigned flushes = 0, i = 0; flushes < 2; i++) {
        TcgCode *code;

        random_block(ir, i % 500 + 1, mask, 40, UINT64_MAX);
        harness_rebuild(tcg_ir(h->tcg), ir);
        code = tcg_compile(h->tcg, NULL, NULL, NULL);
        if (!code) {
            tcg_flush(h->tcg);
            flushes++;
        } else if (i % 16 == 0) {
            assert_ptr_equal(tcg_find_code(h->tcg, (uintptr_t)code->end - 1), code);
            harness_reset(h, i, ir->start);
            harness_run(h, code);
        }
    }
    ir_block_free(ir);
}

/* A block that leaves early when the top bit of r0 is set, and is long behind that. */
static void long_block(IrBlock *ir)
{
    IrRef x, y;

    ir_block_reset(ir, 0x100);
    ir_insn(ir, 0x100);
    x = ir_get(ir, I64, S_R0, 0);
    ir_goto_if(ir, ir_fl_test(ir, CC_S, ir_fl_logic(ir, x)), 0x300);
    ir_insn(ir, 0x102);
    y = ir_get(ir, I64, S_R0 + 1, 0);
    for (unsigned i = 0; i < 2500; i++) {
        y = ir_add(ir, ir_un(ir, OP_popcnt, y), x);
    }
    ir_set(ir, S_R0 + 1, 0, y);
    ir_goto(ir, 0x200);
}

/* Exits are beyond the reach of a bit test, and links beyond that of a conditional branch. */
static void far_exits(Harness *h)
{
    TcgCode *a, *b;
    Outcome o;

    long_block(tcg_ir(h->tcg));
    a = compile(h);
    while (tcg_buffer_used(h->tcg) < 3u << 19) {
        long_block(tcg_ir(h->tcg));
        compile(h);
    }
    b = adder(h, 0x300, 1, 0x400);
    for (unsigned linked = 0; linked < 3; linked++) {
        for (unsigned i = 0; i < 2; i++) {
            h->env->r[0] = i ? UINT64_C(1) << 63 : 5;
            h->env->r[1] = 7;
            h->env->budget = 100;
            enter_at(h, 0x100);
            o = harness_run(h, a);
            assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
            assert_ptr_equal(o.leave.from, i && linked == 1 ? b : a);
            assert_int_equal(h->env->r[1] == 7, i);
            assert_int_equal(h->env->budget, i && linked == 1 ? 98 : 98 + (int)i);
        }
        tcg_link(h->tcg, a, 0, linked ? NULL : b);
    }
}

#define ON_EACH_BACKEND(name)            \
    static void run_##name(void **state) \
    {                                    \
        if (!harness_native()) {         \
            skip();                      \
        }                                \
        each_backend(name);              \
    }
ON_EACH_BACKEND(links_and_budget)
ON_EACH_BACKEND(side_exits)
ON_EACH_BACKEND(retired)
ON_EACH_BACKEND(jumps)
ON_EACH_BACKEND(full_buffer)
ON_EACH_BACKEND(far_exits)

/* Random blocks with something about the machine changed after the reset. */
static void compare_random(Harness *ref, Harness *other, unsigned mask, unsigned count,
                           void (*change)(FakeEnv *env, uint64_t seed))
{
    IrBlock *ir = harness_ir_new();

    for (uint64_t seed = 1; seed <= count; seed++) {
        g_autofree char *diff = NULL;

        random_block(ir, seed, mask, 20, UINT64_MAX);
        harness_reset(ref, seed, ir->start);
        harness_reset(other, seed, ir->start);
        change(ref->env, seed);
        change(other->env, seed);
        diff = harness_difference(ref, other, ir);
        if (diff) {
            g_autoptr(GString) text = g_string_new(NULL);
            ir_print(ir, text);
            g_printerr("%s", text->str);
            fail_msg("seed %u: %s", (unsigned)seed, diff);
        }
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

static void nothing(FakeEnv *env, uint64_t seed)
{
}

static void atomic_forms(void **state)
{
    compare_random(harness_new("interp", true), harness_new_parallel(NULL, false),
                   GEN_RMW | GEN_MEM | GEN_INT | GEN_FLAGS, 5000, nothing);
}

static void odd_control_words(FakeEnv *env, uint64_t seed)
{
    uint64_t rng = seed;

    env->mxcsr = 0x1f80 | (harness_random(&rng) & 0x6000) | (harness_random(&rng) & 0x8040);
    env->fcw = 0x7f | (harness_random(&rng) & 0xc00) | 0x200 | (harness_random(&rng) & 0x100);
}

static void control_words(void **state)
{
    compare_random(harness_new("interp", true), harness_new(NULL, false),
                   GEN_SSE | GEN_X87 | GEN_MEM | GEN_CALL, 1000, odd_control_words);
}

/* PE set and nothing unmasked: what hosts do by themselves. */
static void inexact_before(FakeEnv *env, uint64_t seed)
{
    uint64_t rng = seed;

    env->mxcsr = 0x1fa0 | (harness_random(&rng) & 0x6000);
}

static void sticky_precision(void **state)
{
    compare_random(harness_new("interp", true), harness_new(NULL, false),
                   (GEN_SSE | GEN_MEM | GEN_FLAGS | GEN_V256) & random_mask(harness_native()), 1500,
                   inexact_before);
}

/* What programs compute with: of every seed's registers some hold doubles, some floats. */
static double everyday(uint64_t z)
{
    switch (z % 8) {
    case 0: return 3e9 + 0.75; /* more than an int32_t */
    case 1: return (double)(z >> 8 & 0xffff) * 0x1p-1040;
    case 2: return (z & 256 ? -1 : 1) * (z & 512 ? (double)INFINITY : 0.0);
    default: return ((double)(z >> 8 & 0xfff) - 2000) / 4;
    }
}

static void everyday_numbers(FakeEnv *env, uint64_t seed)
{
    uint64_t rng = seed;

    env->mxcsr = 0x1f80 | (harness_random(&rng) & 0x6020);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t z = harness_random(&rng);
        float f[2] = { (float)everyday(z >> 16), (float)everyday(z >> 32) };
        double d = everyday(z);
        memcpy(&env->v[i / 4][i % 4], i / 4 & 1 ? (const void *)f : &d, 8);
    }
}

static void plain_numbers(void **state)
{
    compare_random(harness_new("interp", true), harness_new(NULL, false),
                   (GEN_SSE | GEN_MEM | GEN_FLAGS | GEN_V256) & random_mask(harness_native()), 1500,
                   everyday_numbers);
}

static void flags_of_every_kind(FakeEnv *env, uint64_t seed)
{
    uint64_t rng = seed;

    env->cc = (FlagsRecord){ .kind = (uint8_t)((FLK_PACKED + seed % 12) * 4 + seed / 12 % 4),
                             .a = harness_random(&rng),
                             .b = harness_random(&rng),
                             .c = seed & 1,
                             .inc = harness_random(&rng),
                             .inc_kind = flags_kind(FLK_INC, I32), /* left over */
                             .rot_kind = flags_kind(FLK_ROTL, I16),
                             .cf = FLAGS_CF_IS };
    if (seed % 5) {
        uint32_t word = random_flags_word(seed);
        memcpy(&env->cc.kind, &word, sizeof(word));
    }
    if (env->cc.kind / 4 == FLK_INC || env->cc.kind / 4 == FLK_DEC) {
        uint8_t inc = env->cc.kind;
        env->cc.kind = FLK_SUB * 4 + 3;
        flags_open_top(&env->cc);
        env->cc.inc_kind = inc;
    }
}

static void records_at_entry(void **state)
{
    compare_random(harness_new("interp", true), harness_new(NULL, false),
                   GEN_FLAGS | GEN_CALL | GEN_MEM | GEN_CONTROL, 1000, flags_of_every_kind);
}

/* Accesses around one or two addresses and sums with them, near the edges of pages of every kind.
 */
static void grouped_block(IrBlock *ir, uint64_t seed)
{
    static const IrType types[] = { I8, I16, I32, I64, V128, F64 };
    uint64_t rng = seed;
    unsigned align = seed % 3 ? 1 : seed % 2 ? 4 : 16; /* more than 1: most accesses are to be */
    IrRef index;

    ir_block_reset(ir, 0x100);
    index = ir_and(ir, ir_get(ir, I64, S_R0 + 2, 0), ir_const(ir, I64, 16 - align));
    for (unsigned i = 0; i < 10; i++) {
        uint64_t z = harness_random(&rng);
        IrRef base, v;
        IrType t = types[z % 6];
        unsigned vec = (t == V128 || t == F64 ? S_V0 : S_R0) + 4 + (z >> 8) % 10, mmu = z >> 40 & 1;
        unsigned how = mmu | (align > 1 && (z >> 41 & 3) ? MEM_ALIGN : 0);
        int32_t disp = (int32_t)(z >> 16) % 48 & -(int32_t)align;

        ir_insn(ir, 0x100 + 4 * i);
        base = ir_get(ir, I64, S_R0 + (z >> 32 & 1), 0);
        if (z >> 33 & 1) {
            base = ir_lea(ir, base, index, z >> 34 & 1,
                          (int32_t)(z >> 35 & 31 & -(z >> 43 & 15 ? align : 1)));
        }
        switch (z >> 48 & 3) {
        case 0:
            if (z >> 52 & 1) {
                ir_probe(ir, base, disp, ir_type_info[t].bytes, z >> 53 & 1, mmu);
                break;
            } /* fall through */
        case 1:
            v = ir_ld(ir, t, base, disp, how);
            ir_set(ir, vec, 0, v);
            break;
        case 2: ir_st(ir, ir_get(ir, t, vec, 0), base, disp, how); break;
        default:
            if (t <= I64) {
                ir_st(ir, ir_const(ir, t, z), base, disp, mmu);
            } else if (z >> 50 & 1) {
                ir_set(ir, S_R0, 0, ir_addi(ir, base, 8));
            } else {
                ir_call(ir, H_POKE, base, 0, 0, 0);
            }
        }
    }
    ir_goto(ir, 0x200);
}

static void grouped_accesses(void **state)
{
    static const unsigned edges[] = { 0, 40, 0x7f0, 0xfc0, 0xfd8, 0xff0, 0xff8 };
    Harness *ref = harness_new("interp", true), *other = harness_new(NULL, false);
    IrBlock *ir = harness_ir_new();

    for (uint64_t seed = 1; seed <= 4000; seed++) {
        uint64_t rng = seed, base[2];
        g_autofree char *diff = NULL;

        grouped_block(ir, seed);
        for (unsigned i = 0; i < 2; i++) {
            uint64_t z = harness_random(&rng);
            base[i] = FAKE_BASE + (z % FAKE_PAGES << 12) + edges[(z >> 8) % G_N_ELEMENTS(edges)];
        }
        harness_reset(ref, seed, ir->start);
        harness_reset(other, seed, ir->start);
        for (unsigned run = 0; run < 2;
             run++) { /* cold, then with what the first left in the TLB */
            memcpy(ref->env->r, base, sizeof(base));
            memcpy(other->env->r, base, sizeof(base));
            enter_at(ref, 0x100);
            enter_at(other, 0x100);
            ir->parted = seed & 1;
            diff = harness_difference(ref, other, ir);
            if (diff) {
                g_autoptr(GString) text = g_string_new(NULL);
                ir_print(ir, text);
                fail_msg("seed %u run %u: %s\n%s", (unsigned)seed, run, diff, text->str);
            }
        }
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

/* More groups at a time than there are registers for what their checks found, each begun by a store
 * of this type: what it yields is an address all the same. */
static void groups_of(IrBlock *ir, IrType t)
{
    unsigned from = t == F80 ? S_F0 : t <= I64 ? S_R0 + 12 : S_V0;

    ir_block_reset(ir, 0x100);
    for (unsigned i = 0; i < 24; i++) {
        IrRef base = ir_get(ir, I64, S_R0 + i % 12, 0);

        ir_insn(ir, 0x100 + 4 * i);
        if (i < 12) {
            ir_st(ir, ir_get(ir, t, from + i % 4, 0), base, 0, 0);
        } else {
            IrRef v = ir_ld(ir, I64, base, 24, 0);
            ir_st(ir, ir_get(ir, I8, S_R0 + 12, 0), base, 33, 0);
            ir_set(ir, S_U0 + i % 8, 0, v);
        }
    }
    ir_goto(ir, 0x200);
}

static void groups_at_a_time(void **state)
{
    static const IrType types[] = { I8, I16, I32, I64, F32, F64, V128, V256, F80 };
    Harness *ref = harness_new("interp", true), *other = harness_new(NULL, false);
    IrBlock *ir = harness_ir_new();

    for (unsigned k = 0; k < G_N_ELEMENTS(types); k++) {
        g_autofree char *diff = NULL;

        groups_of(ir, types[k]);
        harness_reset(ref, k, ir->start);
        harness_reset(other, k, ir->start);
        for (unsigned i = 0; i < 12; i++) {
            ref->env->r[i] = other->env->r[i] = FAKE_BASE + i / 6 * 4096 + i * 104;
        }
        diff = harness_difference(ref, other, ir);
        if (diff) {
            fail_msg("%s: %s", ir_type_info[types[k]].name, diff);
        }
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

/* So many that what their stubs refer to is not near all of them: of each page, of each kind. */
static void many_accesses(void **state)
{
    Harness *ref = harness_new("interp", true), *other = harness_new(NULL, false);
    IrBlock *ir = harness_ir_new();

    for (unsigned n = 200; n <= 1400; n += 300) {
        g_autofree char *diff = NULL;

        ir_block_reset(ir, 0x100);
        ir->no_groups = true;
        for (unsigned i = 0; i < n; i++) {
            IrRef base = ir_get(ir, I64, S_R0, 0);

            ir_insn(ir, 0x100 + i);
            if (i % 3) {
                ir_set(ir, S_R0 + 2 + i % 8, 0, ir_ld(ir, I64, base, (int32_t)(i * 8 % 4096), 0));
            } else {
                ir_st(ir, i % 2 ? ir_const(ir, I64, i * UINT64_C(0x123456789)) : base, base,
                      (int32_t)(i * 8 % 4096), 0);
            }
        }
        ir_goto(ir, 0x200);
        for (unsigned page = 0; page < FAKE_PAGES && !diff; page++) {
            harness_reset(ref, n, ir->start);
            harness_reset(other, n, ir->start);
            ref->env->r[0] = other->env->r[0] = FAKE_BASE + page * 4096;
            enter_at(ref, 0x100);
            enter_at(other, 0x100);
            diff = harness_difference(ref, other, ir);
        }
        if (diff) {
            fail_msg("%u accesses: %s", n, diff);
        }
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

/* Accesses that may fault and change registers, then flags of the same few registers, looked at or
 * not. */
static void passing_block(IrBlock *ir, uint64_t seed)
{
    uint64_t rng = seed;

    ir_block_reset(ir, 0x100);
    ir->flags_hint = (uint8_t)((seed & 2 ? FLK_CMP : FLK_SUB) * 4 + (seed & 16 ? 2 : 3));
    if (seed & 8) {
        ir_insn(ir, 0xfc);
        ir_goto_if(ir, ir_fl_test(ir, (IrCc)(seed >> 5 & 15 & ~10u), ir_getflags(ir)), 0x180);
    }
    for (unsigned i = 0; i < 4; i++) {
        uint64_t z = harness_random(&rng);
        unsigned x = S_R0 + 2 + z % 4, y = S_R0 + 2 + z / 4 % 4;
        IrRef base, r, v;

        ir_insn(ir, 0x100 + 4 * i);
        switch (z >> 16 & 7) {
        case 0:
        case 1:
        case 2:
            base = ir_get(ir, I64, S_R0 + (z >> 20 & 1), 0);
            ir_set(ir, x, 0, ir_ld(ir, I64, base, (int32_t)(z >> 24 & 0xff0), 0));
            break;
        case 3:
            base = ir_get(ir, I64, S_R0 + (z >> 20 & 1), 0);
            ir_st(ir, ir_get(ir, I64, x, 0), base, (int32_t)(z >> 24 & 0xff0), 0);
            break;
        case 4:
            x = z >> 20 & 1 ? S_R0 + 1 : x; /* towards the end of what there is */
            ir_set(ir, x, 0, ir_addi(ir, ir_get(ir, I64, x, 0), 0x170));
            break;
        case 5:
            r = ir_get(ir, I64, x, 0);
            v = z >> 20 & 1 ? ir_get(ir, I64, y, 0) : ir_const(ir, I64, z >> 21 & 7);
            ir_setflags(ir, ir_fl_cmp(ir, r, v));
            break;
        default:
            v = ir_get(ir, I64, y, 0);
            r = ir_bin(ir, z >> 20 & 1 ? OP_sub : OP_add, ir_get(ir, I64, x, 0), v);
            ir_set(ir, x, 0, r);
            ir_setflags(ir, z >> 20 & 1 ? ir_fl_sub(ir, r, v) : ir_fl_add(ir, r, v));
        }
        if (z >> 32 & 1) {
            ir_goto_if(ir, ir_fl_test(ir, (IrCc)(z >> 33 & 15 & ~10u), ir_getflags(ir)),
                       0x180 + 4 * i);
        }
    }
    ir_goto(ir, 0x200);
}

/* A chain of blocks, each linked to the next and the last to the first by whatever leaves it. */
#define CHAIN 4

static void build_chain(Harness *h, IrBlock *ir, uint64_t seed, TcgCode **code)
{
    tcg_flush(h->tcg);
    for (unsigned i = 0; i < CHAIN; i++) {
        if (seed & 1) {
            random_block(ir, seed * CHAIN + i, GEN_FLAGS | GEN_INT | GEN_MEM | GEN_CONTROL,
                         1 + seed / 2 % 5, UINT64_MAX);
        } else {
            passing_block(ir, seed * CHAIN + i);
        }
        ir->no_groups = true; /* mem_alone() has its own tests */
        code[i] = harness_compile(h, ir);
    }
    for (unsigned i = 0; i < CHAIN; i++) {
        for (unsigned link = 0; link < code[i]->nlinks; link++) {
            tcg_link(h->tcg, code[i], link, code[(i + 1 + link) % CHAIN]);
        }
    }
}

static Outcome run_chain(Harness *h, TcgCode **code, uint64_t seed, int budget, bool keep)
{
    h->warm = keep;
    harness_reset(h, seed, 0x100);
    h->env->budget = budget;
    h->env->r[0] = FAKE_BASE + seed % FAKE_PAGES * 4096; /* of every kind, and one's end */
    h->env->r[1] = FAKE_BASE + (FAKE_PAGES - 1) * 4096 + seed % 5 * 1024;
    return harness_run(h, code[0]);
}

static void compare_chains(Harness *ref, Harness *other, IrBlock *ir, uint64_t seed)
{
    TcgCode *a[CHAIN], *b[CHAIN];

    build_chain(ref, ir, seed, a);
    build_chain(other, ir, seed, b);
    for (unsigned run = 0; run < 12; run++) {
        g_autofree char *diff = NULL;
        Outcome x, y;

        if (run == 8) { /* as it is without links to one of them */
            tcg_retire(ref->tcg, a[2]);
            tcg_retire(other->tcg, b[2]);
        }
        x = run_chain(ref, a, seed + run % 4, 3 + 7 * (int)run, run & 1);
        y = run_chain(other, b, seed + run % 4, 3 + 7 * (int)run, run & 1);
        diff = harness_compare(ref, &x, other, &y);
        if (diff) {
            fail_msg("seed %u run %u: %s", (unsigned)seed, run, diff);
        }
    }
}

static void chains(void **state)
{
    Harness *ref = harness_new("interp", true), *other = harness_new(NULL, false);
    IrBlock *ir = harness_ir_new();

    for (uint64_t seed = 1; seed <= 1500; seed++) {
        compare_chains(ref, other, ir, seed);
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

/* Ends with a subtraction's flags, live in the host's. */
static TcgCode *subtracting(Harness *h, IrOpcode op, IrType t)
{
    IrBlock *ir = tcg_ir(h->tcg);
    IrRef x, y, fl;

    ir_block_reset(ir, 0x100);
    ir_insn(ir, 0x100);
    x = ir_get(ir, t, S_R0, 0);
    y = ir_get(ir, t, S_R0 + 1, 0);
    fl = op == OP_fl_sub ? ir_fl_sub(ir, ir_sub(ir, x, y), y) : ir_fl_cmp(ir, x, y);
    ir_setflags(ir, fl);
    ir_goto_if(ir, ir_fl_test(ir, CC_L, fl), 0x200);
    ir_goto(ir, 0x200);
    return compile(h);
}

/* Sets registers of @set, may fault, then wants the flags that it was entered with. */
static TcgCode *late_looker(Harness *h, uint32_t set, unsigned hint)
{
    IrBlock *ir = tcg_ir(h->tcg);

    ir_block_reset(ir, 0x200);
    ir->flags_hint = hint;
    ir_insn(ir, 0x200);
    for (unsigned i = 0; i < 16; i++) {
        if (set >> i & 1) {
            ir_set(ir, S_R0 + i, 0, ir_const(ir, I64, 0x1000 + i));
        }
    }
    ir_insn(ir, 0x204);
    ir_set(ir, S_U0, 0, ir_ld(ir, I64, ir_const(ir, I64, FAKE_BASE), 0, 0));
    ir_insn(ir, 0x208);
    ir_goto_if(ir, ir_fl_test(ir, CC_L, ir_getflags(ir)), 0x300);
    ir_insn(ir, 0x20c);
    ir_goto(ir, 0x400);
    return compile(h);
}

static void compare_late(Harness *ref, Harness *other, uint32_t set, IrOpcode op, IrType t)
{
    Harness *const h[2] = { ref, other };
    unsigned kind = flags_kind(op == OP_fl_sub ? FLK_SUB : FLK_CMP, t);
    g_autofree char *diff = NULL;
    Outcome o[2];

    for (unsigned i = 0; i < 2; i++) {
        TcgCode *from, *to;
        tcg_flush(h[i]->tcg);
        from = subtracting(h[i], op, t);
        to = late_looker(h[i], set, set & 1 ? kind : 0);
        for (unsigned link = 0; link < from->nlinks; link++) {
            tcg_link(h[i]->tcg, from, link, to);
        }
        harness_reset(h[i], set, 0x100);
        h[i]->env->budget = 100;
        o[i] = harness_run(h[i], from);
    }
    diff = harness_compare(ref, &o[0], other, &o[1]);
    if (diff) {
        fail_msg("registers 0x%x, kind %u: %s", set, kind, diff);
    }
}

/* What a block changes must not be taken for the comparison that it begins with: of every kind, one
 * or two registers. */
static void late_looks(void **state)
{
    Harness *ref = harness_new("interp", true), *other = harness_new(NULL, false);

    for (unsigned n = 0; n < 256; n++) {
        for (IrType t = I8; t <= I64; t++) {
            uint32_t set = UINT32_C(1) << n / 16 | UINT32_C(1) << n % 16;
            compare_late(ref, other, set, OP_fl_sub, t);
            compare_late(ref, other, set, OP_fl_cmp, t);
        }
    }
    harness_free(ref);
    harness_free(other);
}

/* Host code is never writable and executable at once, but where the other mapping's changes are not
 * seen: TEST_JOINED says so. */
static void never_both(void **state)
{
    Harness *h = harness_new(NULL, false);
    g_autofree char *maps = NULL;
    bool both, executable;

    adder(h, 0x100, 1, 0x200);
    assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    both = strstr(maps, " rwx");
    executable = strstr(maps, " r-x");
    harness_free(h);
    if (g_getenv("TEST_JOINED")) {
        assert_true(both);
        skip();
    }
    assert_true(executable && !both);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_links_and_budget), cmocka_unit_test(run_side_exits),
        cmocka_unit_test(run_retired),          cmocka_unit_test(run_jumps),
        cmocka_unit_test(run_full_buffer),      cmocka_unit_test(atomic_forms),
        cmocka_unit_test(control_words),        cmocka_unit_test(records_at_entry),
        cmocka_unit_test(grouped_accesses),     cmocka_unit_test(groups_at_a_time),
        cmocka_unit_test(many_accesses),        cmocka_unit_test(run_far_exits),
        cmocka_unit_test(sticky_precision),     cmocka_unit_test(chains),
        cmocka_unit_test(late_looks),           cmocka_unit_test(plain_numbers),
        cmocka_unit_test(never_both),
    };

    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
