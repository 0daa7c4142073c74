/* SPDX-License-Identifier: MIT */
/*
 * Running blocks on every back end: budget, links, jump cache, retirement, what is given back at
 * exits and faults, buffer full; and integer ops against their folding.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tcg/fold.h"
#include "tests/tcg/harness.h"

static Harness *h;
static IrBlock *ir;

static int setup(void **state)
{
    h = harness_new(*state, false);
    ir = harness_ir_new();
    return 0;
}

static int teardown(void **state)
{
    harness_free(h);
    ir_block_free(ir);
    return 0;
}

/* @n instructions that count in r0, then goto @to. */
static TcgCode *counting_block(uint32_t start, unsigned n, uint32_t to)
{
    ir_block_reset(ir, start);
    for (unsigned i = 0; i < n; i++) {
        ir_insn(ir, start + i);
        ir_set(ir, S_R0, 0, ir_addi(ir, ir_get(ir, I64, S_R0, 0), 1));
    }
    ir_goto(ir, to);
    return harness_compile(h, ir);
}

static void start_at(uint32_t start, int32_t budget)
{
    harness_reset(h, 1, start);
    h->env->r[0] = 0;
    h->env->budget = budget;
}

#define BASE UINT64_C(0x400000) /* where harness_reset() puts byte 0 of the mapping unit */

static void budget_at_entry(void **state)
{
    TcgCode *a = counting_block(0x10, 3, 0x20);
    Outcome o;

    start_at(0x10, 2);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_BUDGET);
    assert_int_equal(h->env->budget, 2);
    assert_int_equal(h->env->pc, BASE + 0x10);
    assert_int_equal(h->env->r[0], 0);
    start_at(0x10, 3);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, a);
    assert_int_equal(o.leave.link, 0);
    assert_int_equal(h->env->budget, 0);
    assert_int_equal(h->env->pc, BASE + 0x20);
    assert_int_equal(h->env->r[0], 3);
}

static void links(void **state)
{
    TcgCode *a = counting_block(0x10, 3, 0x20), *b = counting_block(0x20, 2, 0x10);
    Outcome o;

    tcg_link(h->tcg, a, 0, b);
    tcg_link(h->tcg, b, 0, a);
    start_at(0x10, 5 * 100 + 4);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_BUDGET);
    assert_int_equal(h->env->r[0], 503);
    assert_int_equal(h->env->budget, 1);
    assert_int_equal(h->env->pc, BASE + 0x20);
    tcg_link(h->tcg, b, 0, NULL);
    start_at(0x10, 1000);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, b);
    assert_int_equal(h->env->r[0], 5);
}

/* A block linked to itself: budget, the way out, and the link taken back. */
static void self_link(void **state)
{
    TcgCode *a = counting_block(0x10, 3, 0x10), *b;
    Outcome o;

    tcg_link(h->tcg, a, 0, a);
    start_at(0x10, 3 * 100 + 2);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_BUDGET);
    assert_int_equal(h->env->r[0], 300);
    assert_int_equal(h->env->budget, 2);
    assert_int_equal(h->env->pc, BASE + 0x10);
    tcg_link(h->tcg, a, 0, NULL);
    start_at(0x10, 1000);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, a);
    assert_int_equal(h->env->budget, 997);
    b = counting_block(0x10, 2, 0x20); /* the same place in another mode */
    tcg_link(h->tcg, a, 0, b);
    start_at(0x10, 1000);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, b);
    assert_int_equal(h->env->r[0], 5);
    assert_int_equal(h->env->budget, 995);
}

/* A conditional loop in the middle of a block: its flags reach the record at every way out. */
static void self_link_flags(void **state)
{
    IrRef v, fl;
    TcgCode *a;
    Outcome o;

    ir_block_reset(ir, 0x10);
    ir_insn(ir, 0x10);
    v = ir_addi(ir, ir_get(ir, I64, S_R0, 0), 1);
    ir_set(ir, S_R0, 0, v);
    fl = ir_fl_cmp(ir, v, ir_const(ir, I64, 7));
    ir_setflags(ir, fl);
    ir_insn(ir, 0x14);
    ir_goto_if(ir, ir_fl_test(ir, CC_NZ, fl), 0x10);
    ir_insn(ir, 0x18);
    ir_goto(ir, 0x40);
    a = harness_compile(h, ir);
    tcg_link(h->tcg, a, 0, a);
    start_at(0x10, 10);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_BUDGET);
    assert_int_equal(h->env->r[0], 4); /* each took 2 of 10, and 3 have to be there */
    assert_int_equal(h->env->budget, 2);
    assert_int_equal(flags_pack(&h->env->cc), FLAG_CF | FLAG_AF | FLAG_SF);
    start_at(0x10, 100);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_int_equal(h->env->r[0], 7);
    assert_int_equal(h->env->budget, 100 - 15);
    assert_int_equal(h->env->pc, BASE + 0x40);
    assert_int_equal(flags_pack(&h->env->cc), FLAG_ZF | FLAG_PF);
}

static void retirement(void **state)
{
    TcgCode *a = counting_block(0x10, 3, 0x20), *b = counting_block(0x20, 2, 0x10);
    Outcome o;

    tcg_link(h->tcg, a, 0, b);
    tcg_retire(h->tcg, b);
    start_at(0x10, 1000);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(h->env->r[0], 3);
    assert_int_equal(h->env->budget, 997);
    assert_int_equal(h->env->pc, BASE + 0x20);
    start_at(0x20, 1000);
    o = harness_run(h, b);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(h->env->pc, BASE + 0x20);
}

static void jump_cache(void **state)
{
    uint64_t target = UINT64_C(0x7fff12345678), key = 0x5a0;
    TcgCode *a, *b = counting_block(0x678, 2, 0x10);
    JumpEntry *e = &h->env->jc[tcg_jc_offset(target, key) / sizeof(*e)];
    Outcome o;

    ir_block_reset(ir, 0x10);
    ir_insn(ir, 0x10);
    ir_jump(ir, ir_get(ir, I64, S_R0 + 1, 0), JUMP_INDIRECT, 77);
    a = harness_compile(h, ir);
    start_at(0x10, 1000);
    h->env->r[1] = target;
    h->env->jc_key = key;
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LOOKUP);
    assert_int_equal(o.leave.reason, 77);
    assert_int_equal(o.leave.offset, 0x10);
    assert_int_equal(h->env->pc, target);
    start_at(0x10, 1000);
    h->env->r[1] = target;
    h->env->jc_key = key;
    e->tag = target;
    e->host = (void *)(uintptr_t)tcg_far_entry(h->tcg, b);
    o = harness_run(h, a);
    assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
    assert_ptr_equal(o.leave.from, b);
    assert_int_equal(h->env->vbase, target - 0x678);
    assert_int_equal(h->env->pc, target - 0x678 + 0x10);
    assert_int_equal(h->env->budget, 997);
    assert_int_equal(h->env->r[0], 2);
}

/* Four instructions; the second may leave in the way of @kind. */
enum { SIDE_GOTO, SIDE_EXIT, SIDE_TRAP, SIDE_FAULT, SIDE_HELPER };

static TcgCode *side_block(unsigned kind)
{
    ir_block_reset(ir, 0x10);
    for (unsigned i = 0; i < 4; i++) {
        IrRef r, one = 0, x;
        ir_insn(ir, 0x10 + i);
        if (i == 1) {
            x = ir_get(ir, I64, S_R0 + 1, 0);
            one = ir_setcond(ir, COND_EQ, x, ir_const(ir, I64, 0));
            if (kind == SIDE_EXIT) {
                ir_exit_if(ir, one, 9);
            } else if (kind == SIDE_TRAP) {
                ir_trap_if(ir, one, 13);
            } else if (kind == SIDE_FAULT) {
                ir_ld(ir, I64, x, 0, 0);
            } else if (kind == SIDE_HELPER) {
                ir_call(ir, H_MAYBE_FAULT, x, 0, 0, 0);
            }
        }
        x = ir_get(ir, I64, S_R0, 0);
        r = ir_add(ir, x, ir_const(ir, I64, 1));
        ir_set(ir, S_R0, 0, r);
        ir_setflags(ir, ir_fl_add(ir, r, ir_const(ir, I64, 1)));
        if (i == 1 && kind == SIDE_GOTO) {
            ir_goto_if(ir, one, 0x80);
        }
    }
    ir_goto(ir, 0x20);
    return harness_compile(h, ir);
}

static void side_exits(void **state)
{
    static const struct {
        unsigned kind;
        OutcomeKind outcome;
        TcgExit leave;
        uint32_t pc;
        unsigned done; /* instructions */
    } rows[] = {
        { SIDE_GOTO, OUT_LEFT, TCG_EXIT_LINK, 0x80, 2 },
        { SIDE_EXIT, OUT_LEFT, TCG_EXIT_REASON, 0x11, 1 },
        { SIDE_TRAP, OUT_TRAP, 0, 0x11, 1 },
        { SIDE_FAULT, OUT_FAULT, 0, 0x11, 1 },
        { SIDE_HELPER, OUT_HELPER_FAULT, 0, 0x11, 1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TcgCode *code = side_block(rows[i].kind);
        Outcome o;

        start_at(0x10, 100);
        h->env->r[0] = 0x7fffffffffffffff - (rows[i].done - 1); /* the last add overflows */
        h->env->r[1] = 0;
        o = harness_run(h, code);
        assert_int_equal(o.kind, rows[i].outcome);
        if (o.kind == OUT_LEFT) {
            assert_int_equal(o.leave.kind, rows[i].leave);
        }
        assert_int_equal(h->env->pc, BASE + rows[i].pc);
        assert_int_equal(h->env->budget, 100 - rows[i].done);
        assert_int_equal(h->env->r[0], 0x8000000000000000);
        assert_int_equal(flags_pack(&h->env->cc), FLAG_OF | FLAG_SF | FLAG_PF | FLAG_AF);
        /* and straight through */
        start_at(0x10, 100);
        h->env->r[1] = FAKE_BASE + 1;
        o = harness_run(h, code);
        assert_int_equal(o.leave.kind, TCG_EXIT_LINK);
        assert_int_equal(h->env->pc, BASE + 0x20);
        assert_int_equal(h->env->budget, 96);
        assert_int_equal(h->env->r[0], 4);
    }
}

/* r1 / r2 as F64, checked: traps when an unmasked exception is raised. */
static void unmasked_exceptions(void **state)
{
    static const uint64_t one = UINT64_C(0x3ff0000000000000), three = UINT64_C(0x4008000000000000);
    static const struct {
        uint64_t x, y;
        uint32_t masks, raised; /* MXCSR's low six bits */
        bool traps;
    } rows[] = {
        { one, 0, 0x3f, 4, false },
        { one, 0, 0x3b, 4, true },
        { one, three, 0x3f, 0x20, false },
        { one, three, 0x1f, 0x20, true },
        { 0, 0, 0x3b, 1, false },
        { 0, 0, 0x3e, 1, true },
        { one, one, 0, 0, false },
        { 3, three, 0x3d, 2, true }, /* an unmasked denormal ends the operation: never inexact */
    };
    TcgCode *code;

    ir_block_reset(ir, 0x10);
    ir_insn(ir, 0x10);
    ir_fpclear(ir);
    IrRef q = ir_fbin(ir, OP_fdiv, 3, ir_bitcast(ir, F64, ir_get(ir, I64, S_R0 + 1, 0)),
                      ir_bitcast(ir, F64, ir_get(ir, I64, S_R0 + 2, 0)));
    ir_fpcheck(ir, 19);
    ir_set(ir, S_R0, 0, ir_bitcast(ir, I64, q));
    ir_goto(ir, 0x20);
    code = harness_compile(h, ir);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Outcome o;

        start_at(0x10, 100);
        h->env->r[1] = rows[i].x;
        h->env->r[2] = rows[i].y;
        h->env->mxcsr = rows[i].masks << 7;
        o = harness_run(h, code);
        assert_int_equal(o.kind, rows[i].traps ? OUT_TRAP : OUT_LEFT);
        if (rows[i].traps) {
            assert_int_equal(o.code, 19);
            assert_int_equal(h->env->r[0], 0);
            assert_int_equal(h->env->budget, 100);
        }
        assert_int_equal(h->env->mxcsr, rows[i].masks << 7 | rows[i].raised);
    }
}

static void buffer_full(void **state)
{
    TcgCode *code = NULL;
    unsigned n = 0;

    do {
        IrBlock *to = tcg_ir(h->tcg);
        ir_block_reset(to, 0x10);
        for (unsigned i = 0; i < 100; i++) {
            ir_insn(to, 0x10 + i);
            ir_set(to, S_R0, 0, ir_ld(to, I64, ir_get(to, I64, S_R0 + i % 16, 0), 0, 0));
        }
        ir_goto(to, 0);
        code = tcg_compile(h->tcg, NULL, NULL, NULL);
        if (code) {
            assert_ptr_equal(tcg_find_code(h->tcg, (uint64_t)(uintptr_t)code->start), code);
            assert_ptr_equal(tcg_find_code(h->tcg, (uint64_t)(uintptr_t)code->end - 1), code);
        }
        n++;
    } while (code);
    assert_true(n > 10);
    tcg_flush(h->tcg);
    assert_null(tcg_find_code(h->tcg, (uint64_t)(uintptr_t)h));
    budget_at_entry(state);
}

/* -- Integer ops: run-time and folded results agree
 * ---------------------------------------------------- */

static const uint64_t numbers[] = { 0,          1,
                                    2,          5,
                                    0x7f,       0x80,
                                    0xff,       0x7fff,
                                    0x8000,     0xffff,
                                    0x7fffffff, 0x80000000,
                                    0xffffffff, 0x123456789abcdef0,
                                    INT64_MAX,  (uint64_t)INT64_MIN,
                                    UINT64_MAX };

static IrRef operand(unsigned slot, IrType type)
{
    return ir_get(ir, type, S_R0 + slot, 0);
}

static bool build_op(IrOpcode op, IrType type)
{
    IrRef x = operand(1, type), y = operand(2, type), r;

    switch (ir_op_info[op].shape) {
    case SHAPE_BIN: r = ir_bin(ir, op, x, y); break;
    case SHAPE_UN: r = ir_un(ir, op, x); break;
    case SHAPE_SHIFT: r = ir_shift(ir, op, x, operand(2, I8)); break;
    case SHAPE_TRI: r = ir_tri(ir, op, x, y, operand(3, I8)); break;
    default: return false;
    }
    ir_set(ir, S_R0 + 4, 0, r);
    return true;
}

static bool has_width(IrOpcode op, IrType type)
{
    switch (op) {
    case OP_bswap:
    case OP_pdep:
    case OP_pext: return type >= I32;
    case OP_clz:
    case OP_ctz:
    case OP_popcnt:
    case OP_fshl:
    case OP_fshr: return type >= I16;
    default: return true;
    }
}

/* Values go to words of the host's, near and far from their base, out of registers and as numbers;
 * the base stays what it is. */
static void words_of_the_host(void **state)
{
    static const struct {
        IrType type;
        unsigned at;
        bool constant;
    } rows[] = {
        { I64, 0, false },    { I32, 8, false },    { I16, 16, false },  { I8, 24, false },
        { I64, 32, true },    { I32, 40, true },    { I16, 48, true },   { I8, 56, true },
        { I64, 4088, false }, { I32, 4080, false }, { I16, 4072, true }, { I8, 4064, false },
    };
    static const uint64_t pattern = UINT64_C(0xf1e2d3c4b5a69788);
    uint64_t words[512] = { 0 };
    IrRef base;

    ir_block_reset(ir, 0x10);
    ir_insn(ir, 0x10);
    base = ir_get(ir, I64, S_R0 + 1, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        IrRef v = rows[i].constant
                      ? ir_const(ir, rows[i].type, pattern & ir_type_mask(rows[i].type))
                      : ir_get(ir, rows[i].type, S_R0 + 2, 0);
        ir_st_host(ir, v, base, rows[i].at);
    }
    ir_goto(ir, 0x20);
    start_at(0x10, 1);
    h->env->r[1] = (uintptr_t)words;
    h->env->r[2] = pattern;
    harness_run(h, harness_compile(h, ir));
    assert_int_equal(h->env->r[1], (uintptr_t)words);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t mask = ir_type_mask(rows[i].type);
        assert_int_equal(words[rows[i].at / 8] & mask, pattern & mask);
    }
    assert_int_equal(words[100], 0);
}

static void check_op(IrOpcode op, IrType type)
{
    TcgCode *code;

    ir_block_reset(ir, 0);
    ir_insn(ir, 0);
    if (!has_width(op, type) || op == OP_mov || !build_op(op, type)) {
        return;
    }
    ir_goto(ir, 4);
    code = harness_compile(h, ir);
    harness_reset(h, 1, 0);
    for (unsigned n = 0; n < G_N_ELEMENTS(numbers) * G_N_ELEMENTS(numbers); n++) {
        uint64_t mask = ir_type_mask(type), expected;
        uint64_t x = numbers[n % G_N_ELEMENTS(numbers)], y = numbers[n / G_N_ELEMENTS(numbers)];
        uint64_t arg[3] = { x & mask, y & mask, 13 };

        if (ir_op_info[op].shape == SHAPE_SHIFT) {
            arg[1] = y & 0xff;
        }
        assert_true(ir_eval(op, type, type, 0, 0, arg, &expected));
        h->env->pc = BASE;
        h->env->budget = 10;
        h->env->r[1] = x;
        h->env->r[2] = y;
        h->env->r[3] = 13;
        h->env->r[4] = UINT64_C(0x5555555555555555);
        harness_run(h, code);
        expected |= UINT64_C(0x5555555555555555) & ~mask; /* the slot's other bytes stay */
        if (h->env->r[4] != expected) {
            fail_msg("%s.%s %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER "x: %" G_GINT64_MODIFIER
                     "x, expected %" G_GINT64_MODIFIER "x",
                     ir_op_info[op].name, ir_type_info[type].name, arg[0], arg[1], h->env->r[4],
                     expected);
        }
    }
}

static void integer_ops(void **state)
{
    for (unsigned op = OP_mov; op < OP_zext; op++) {
        for (unsigned type = I8; type <= I64; type++) {
            check_op((IrOpcode)op, (IrType)type);
        }
    }
}

#define TESTS(backend)                                                                          \
    { "budget at entry, " backend, budget_at_entry, setup, teardown, (void *)backend },         \
        { "links, " backend, links, setup, teardown, (void *)backend },                         \
        { "self_link, " backend, self_link, setup, teardown, (void *)backend },                 \
        { "self_link_flags, " backend, self_link_flags, setup, teardown, (void *)backend },     \
        { "retirement, " backend, retirement, setup, teardown, (void *)backend },               \
        { "jump cache, " backend, jump_cache, setup, teardown, (void *)backend },               \
        { "side exits, " backend, side_exits, setup, teardown, (void *)backend },               \
        { "unmasked exceptions, " backend, unmasked_exceptions, setup, teardown,                \
          (void *)backend },                                                                    \
        { "buffer full, " backend, buffer_full, setup, teardown, (void *)backend },             \
        { "words of the host, " backend, words_of_the_host, setup, teardown, (void *)backend }, \
    {                                                                                           \
        "integer ops, " backend, integer_ops, setup, teardown, (void *)backend                  \
    }

int main(void)
{
    static const struct CMUnitTest interp[] = { TESTS("interp") };
    int failed = cmocka_run_group_tests(interp, NULL, NULL);

#ifdef TCG_NATIVE_NAME
    static const struct CMUnitTest native[] = { TESTS(TCG_NATIVE_NAME) };
    failed += cmocka_run_group_tests(native, NULL, NULL);
#endif
    return failed;
}
