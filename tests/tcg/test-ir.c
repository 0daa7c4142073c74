/* SPDX-License-Identifier: MIT */
/*
 * Folding by the builder, what the verifier refuses, the text form's round trip, and the passes
 * against golden texts: ir/NAME.ir holds "# passes: build backward", a block, a line "=>", and the
 * block as the builder, which knows what slots hold, and those passes make it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tcg/passes.h"
#include "tests/tcg/random-ir.h"

/* -- Folding
 * ---------------------------------------------------------------------------------------- */

static IrRef k32(IrBlock *ir, uint64_t v)
{
    return ir_const(ir, I32, v);
}

/* Each builds a value from x (I32), y (I64) or constants; what it must come to, as text. */
typedef struct FoldRow {
    const char *name;
    IrRef (*build)(IrBlock *ir, IrRef x, IrRef y);
    const char *expected; /* "x", "y", or the op's text without "%N = " */
} FoldRow;

#define FOLD(name, expr)                                    \
    static IrRef fold_##name(IrBlock *ir, IrRef x, IrRef y) \
    {                                                       \
        return expr;                                        \
    }
FOLD(add_zero, ir_add(ir, x, k32(ir, 0)))
FOLD(zero_add, ir_add(ir, k32(ir, 0), x))
FOLD(and_ones, ir_and(ir, x, k32(ir, UINT32_MAX)))
FOLD(and_zero, ir_and(ir, x, k32(ir, 0)))
FOLD(sub_self, ir_sub(ir, x, x))
FOLD(xor_self, ir_xor(ir, x, x))
FOLD(or_self, ir_or(ir, x, x))
FOLD(mul_one, ir_mul(ir, x, k32(ir, 1)))
FOLD(shl_zero, ir_shl(ir, x, ir_const(ir, I8, 32)))
FOLD(constants, ir_add(ir, k32(ir, 0xffffffff), k32(ir, 2)))
FOLD(sar_constant, ir_sar(ir, ir_const(ir, I8, 0x80), ir_const(ir, I8, 3)))
FOLD(mulhs_constant, ir_mulhs(ir, ir_const(ir, I16, 0xffff), ir_const(ir, I16, 2)))
FOLD(rotr_constant, ir_rotr(ir, ir_const(ir, I8, 0x81), ir_const(ir, I8, 1)))
FOLD(bswap_constant, ir_bswap(ir, k32(ir, 0x11223344)))
FOLD(clz_constant, ir_clz(ir, ir_const(ir, I16, 1)))
FOLD(ctz_zero, ir_ctz(ir, k32(ir, 0)))
FOLD(fshl_constant, ir_fshl(ir, k32(ir, 0x80000001), k32(ir, 0x40000000), ir_const(ir, I8, 4)))
FOLD(sext_constant, ir_sext(ir, I64, ir_const(ir, I8, 0x80)))
FOLD(xor_twice, ir_xor(ir, ir_xor(ir, x, k32(ir, 31)), k32(ir, 31)))
FOLD(xor_twice_narrower,
     ir_xor(ir, ir_trunc(ir, I16, ir_xor(ir, x, k32(ir, 31))), ir_const(ir, I16, 31)))
FOLD(not_not, ir_not(ir, ir_not(ir, x)))
FOLD(trunc_zext, ir_trunc(ir, I32, ir_zext(ir, I64, x)))
FOLD(trunc_sext_low, ir_trunc(ir, I8, ir_sext(ir, I64, x)))
FOLD(zext_zext, ir_zext(ir, I64, ir_zext(ir, I32, ir_get(ir, I8, S_B0, 0))))
FOLD(sext_zext, ir_sext(ir, I64, ir_zext(ir, I32, ir_get(ir, I8, S_B0, 0))))
FOLD(bitcast_back, ir_bitcast(ir, I32, ir_bitcast(ir, F32, x)))
FOLD(lea_lea, ir_lea(ir, ir_lea(ir, y, IR_NONE, 0, 8), IR_NONE, 0, -12))
FOLD(lea_to_nothing, ir_addi(ir, ir_addi(ir, y, 5), -5))
FOLD(lea_constant_index, ir_lea(ir, y, ir_const(ir, I64, 3), 2, 1))
FOLD(lea_no_base, ir_lea(ir, IR_NONE, y, 0, 4))
FOLD(lea_of_add, ir_lea(ir, ir_add(ir, y, ir_const(ir, I64, 16)), IR_NONE, 0, 4))
FOLD(lea_of_sub, ir_lea(ir, ir_sub(ir, y, ir_const(ir, I64, 16)), IR_NONE, 0, 4))
FOLD(load_of_sub, ir_ld(ir, I32, ir_sub(ir, y, ir_const(ir, I64, 16)), 4, 0))
FOLD(load_of_sub_far, ir_ld(ir, I32, ir_sub(ir, y, ir_const(ir, I64, 0x7fffffff)), -4, 0))
FOLD(setcond_same, ir_setcond(ir, COND_LEU, x, x))
FOLD(setcond_constants, ir_setcond(ir, COND_LT, k32(ir, 0x80000000), k32(ir, 1)))
FOLD(setcond_swaps, ir_setcond(ir, COND_LT, k32(ir, 7), x))
FOLD(select_constant, ir_select(ir, ir_const(ir, I1, 0), k32(ir, 5), x))
FOLD(select_same, ir_select(ir, ir_setcond(ir, COND_EQ, x, k32(ir, 3)), x, x))
FOLD(test_logic_carry, ir_fl_test(ir, CC_B, ir_fl_logic(ir, x)))
FOLD(packed_pack, ir_fl_pack(ir, ir_fl_packed(ir, ir_fl_pack(ir, ir_fl_logic(ir, x)))))
FOLD(vxor_self, ir_vxor(ir, 3, ir_const(ir, V128, 5), ir_const(ir, V128, 5)))

#define ROW(name, expected)          \
    {                                \
#name, fold_##name, expected \
    }
static const FoldRow fold_rows[] = {
    ROW(add_zero, "x"),
    ROW(zero_add, "x"),
    ROW(and_ones, "x"),
    ROW(and_zero, "const.i32 0x0"),
    ROW(sub_self, "const.i32 0x0"),
    ROW(xor_self, "const.i32 0x0"),
    ROW(or_self, "x"),
    ROW(mul_one, "x"),
    ROW(shl_zero, "x"),
    ROW(constants, "const.i32 0x1"),
    ROW(sar_constant, "const.i8 0xf0"),
    ROW(mulhs_constant, "const.i16 0xffff"),
    ROW(rotr_constant, "const.i8 0xc0"),
    ROW(bswap_constant, "const.i32 0x44332211"),
    ROW(clz_constant, "const.i16 0xf"),
    ROW(ctz_zero, "const.i32 0x20"),
    ROW(fshl_constant, "const.i32 0x14"),
    ROW(sext_constant, "const.i64 0xffffffffffffff80"),
    ROW(not_not, "x"),
    ROW(xor_twice, "x"),
    ROW(xor_twice_narrower, "trunc.i16 %2"),
    ROW(trunc_zext, "x"),
    ROW(trunc_sext_low, "trunc.i8 %2"),
    ROW(zext_zext, "zext.i64 %4"),
    ROW(sext_zext, "zext.i64 %4"),
    ROW(bitcast_back, "x"),
    ROW(lea_lea, "lea.i64 %3 imm=-4"),
    ROW(lea_to_nothing, "y"),
    ROW(lea_constant_index, "lea.i64 %3 imm=13"),
    ROW(lea_no_base, "lea.i64 %3 imm=4"),
    ROW(lea_of_add, "lea.i64 %3 imm=20"),
    ROW(lea_of_sub, "lea.i64 %3 imm=-12"),
    ROW(load_of_sub, "ld.i32 %3 imm=-12 mem=0"),
    ROW(load_of_sub_far, "ld.i32 %5 imm=-4 mem=0"),
    ROW(setcond_same, "const.i1 0x1"),
    ROW(setcond_constants, "const.i1 0x1"),
    ROW(setcond_swaps, "setcond.i1 gt %2, %4"),
    ROW(select_constant, "x"),
    ROW(select_same, "x"),
    ROW(test_logic_carry, "const.i1 0x0"),
    ROW(packed_pack, "fl_pack.i32 %4"),
    ROW(vxor_self, "const.v128 0x0"),
};

static void folding(void **state)
{
    IrBlock *ir = harness_ir_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(fold_rows); i++) {
        const FoldRow *row = &fold_rows[i];
        g_autoptr(GString) text = g_string_new(NULL);
        const char *is;
        IrRef x, y, r;

        ir_block_reset(ir, 0);
        ir_insn(ir, 0);
        x = ir_get(ir, I32, S_R0, 0);
        y = ir_get(ir, I64, S_R0 + 1, 0);
        r = row->build(ir, x, y);
        ir_print_op(ir, r, text);
        g_strchomp(text->str);
        is = r == x ? "x" : r == y ? "y" : strstr(text->str, "= ") + 2;
        if (strcmp(is, row->expected)) {
            fail_msg("%s: %s, expected %s", row->name, is, row->expected);
        }
    }
    ir_block_free(ir);
}

/* -- Verifier
 * --------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *error; /* part of the message; NULL: fine */
} verify_rows[] = {
    { "insn 0\n goto 4", NULL },
    { "insn 0\n %2 = get.i32 r0\n set.i32 r1, %2\n goto 4", NULL },
    { "insn 0\n %2 = get.i32 r0\n %3 = get.i64 r0\n %4 = add.i32 %2, %3\n goto 4", "wrong type" },
    { "insn 0\n %2 = neg.i32 %3\n %3 = get.i32 r0\n goto 4", "not defined before" },
    { "insn 0\n %2 = get.i32 r0", "does not end" },
    { "insn 0\n goto 4\n goto 8", "ends before" },
    { "insn 0\n %2 = get.i64 r0+1\n goto 4", "outside of the slot" },
    { "insn 0\n %2 = get.i64 r0\n set.i64 r1, %2\n %4 = ld.i64 %2 mem=0\n goto 4",
      "may fault after state was set" },
    { "insn 0\n %2 = get.i64 r0\n set!.i64 r1, %2\n %4 = ld.i64 %2 mem=0\n goto 4", NULL },
    { "insn 0\n %2 = get.i64 r0\n set.i64 r1, %2\n insn 4\n %5 = ld.i64 %2 mem=0\n goto 8", NULL },
    { "insn 0\n %2 = get.i64 r0\n %3 = ld.i64 %2 mem=5\n goto 4", "software TLB" },
    { "insn 0\n %2 = get.i32 r0\n %3 = ld.i64 %2 mem=0\n goto 4", "wrong type" },
    { "insn 0\n %2 = get.i32 r0\n %3 = zext.i16 %2\n goto 4", "no such conversion" },
    { "insn 0\n %2 = get.v128 v0\n %3 = vextract.i32 %2 aux=2 imm=4\n goto 4", "no such lane" },
    { "insn 0\n %2 = get.i64 r0\n %3 = call.i64 add_, %2\n goto 4", "not defined before" },
    { "insn 0\n %2 = get.i32 r0\n call maybe_fault, %2\n goto 4", "type that the helper's row" },
    { "insn 0\n %2 = get.i64 r0\n %3 = divu2.i64 %2, %2, %2\n %4 = neg.i64 %2\n"
      " %5 = second.i64 %3\n goto 4",
      "not right behind" },
    { "insn 0\n %2 = get.i32 r0\n %3 = fl_add.flags %2, %2\n %4 = fl_test.i1 z %3\n"
      " goto_if %4 8\n goto 4",
      NULL },
    { "insn 0\n %2 = get.i32 r0\n %3 = fl_test.i1 z %2\n goto 4", "wrong type" },
    { "insn 0\n %2 = get.i8 b0\n %3 = bswap.i8 %2\n goto 4", "no such type" },
    { "insn 0\n %2 = get.i32 r0\n %3 = fround.i32 %2\n goto 4", "no such type" },
};

static void verifier(void **state)
{
    IrBlock *ir = harness_ir_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(verify_rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *message = NULL;

        if (!ir_parse(ir, verify_rows[i].text, &error)) {
            fail_msg("row %u: %s", i, error->message);
        }
        message = ir_verify(ir);
        if (verify_rows[i].error ? !message || !strstr(message, verify_rows[i].error) : !!message) {
            fail_msg("row %u: \"%s\", expected \"%s\"\n%s", i, message ? message : "fine",
                     verify_rows[i].error ? verify_rows[i].error : "fine", verify_rows[i].text);
        }
    }
    ir_block_free(ir);
}

/* -- Text
 * ------------------------------------------------------------------------------------------- */

static void round_trip(void **state)
{
    IrBlock *ir = harness_ir_new(), *again = harness_ir_new();

    for (unsigned seed = 1; seed < 100; seed++) {
        g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        random_block(ir, seed, GEN_ALL, 20, UINT64_MAX);
        ir_print(ir, first);
        if (!ir_parse(again, first->str, &error)) {
            fail_msg("seed %u: %s", seed, error->message);
        }
        ir_print(again, second);
        assert_string_equal(first->str, second->str);
        assert_int_equal(ir->nops, again->nops);
        assert_memory_equal(ir->ops, again->ops, ir->nops * sizeof(IrOp));
    }
    ir_block_free(ir);
    ir_block_free(again);
}

static void bad_text(void **state)
{
    static const char *const rows[][2] = {
        { "frob", "unknown op" },
        { "%1 = get.i33 r0", "unknown type" },
        { "%1 = get.i32 r99", "unknown slot" },
        { "%1 = call.i64 nobody", "unknown helper" },
        { "%1 = add.i32 %0", "operand is missing" },
        { "%1 = neg.i32 %0, %0", "too many operands" },
        { "%1 = setcond.i1 above %0, %0", "unknown condition" },
        { "%20000 = get.i32 r0", "too many ops" },
        { "goto", "number is missing" },
        { "%1 = get.i32 r0 what", "unexpected text" },
        { "%3 = get.i32 r0\n%2 = get.i32 r0", "must rise" },
        { "get.i32 r0", "needs a name" },
        { "%1 = goto 4", "has no value" },
    };
    IrBlock *ir = harness_ir_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(ir_parse(ir, rows[i][0], &error));
        if (!strstr(error->message, rows[i][1])) {
            fail_msg("%s: \"%s\", expected \"%s\"", rows[i][0], error->message, rows[i][1]);
        }
    }
    ir_block_free(ir);
}

/* -- Golden texts
 * ----------------------------------------------------------------------------------- */

/* @parsed itself, or @built from it. */
static IrBlock *run_passes(IrBlock *parsed, IrBlock *built, const char *names)
{
    g_autofree IrNotes *notes = g_new0(IrNotes, 1);
    IrBlock *ir = parsed;

    if (strstr(names, "build")) {
        harness_rebuild(built, parsed);
        ir = built;
    }
    if (strstr(names, "backward")) {
        ir_pass_forward(ir, notes, false);
        ir_pass_backward(ir, notes);
    }
    return ir;
}

static void check_golden(IrBlock *parsed, IrBlock *built, const char *name, char *text)
{
    char *after = strstr(text, "=>\n");
    g_autofree char *passes = g_strndup(text, strcspn(text, "\n"));
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *message = NULL;

    if (!after || !g_str_has_prefix(text, "# passes:")) {
        fail_msg("%s: malformed", name);
    }
    *after = 0;
    if (!ir_parse(parsed, text, &error)) {
        fail_msg("%s: %s", name, error->message);
    }
    message = ir_verify(parsed);
    if (message) {
        fail_msg("%s: %s", name, message);
    }
    ir_print(run_passes(parsed, built, passes), got);
    if (strcmp(got->str, after + 3)) {
        g_printerr("%s: got\n%s", name, got->str);
        fail();
    }
}

static void golden(void **state)
{
    const char *path = g_getenv("TEST_IR_DIR");
    g_autoptr(GDir) dir = path ? g_dir_open(path, 0, NULL) : NULL;
    IrBlock *parsed = harness_ir_new(), *built = harness_ir_new();
    const char *name;
    unsigned n = 0;

    ir_block_forward(built);
    if (!dir) {
        fail_msg("TEST_IR_DIR does not name the directory of golden texts");
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL), *text = NULL;

        assert_true(g_file_get_contents(file, &text, NULL, NULL));
        check_golden(parsed, built, name, text);
        n++;
    }
    assert_true(n > 0);
    ir_block_free(parsed);
    ir_block_free(built);
}

/* -- Notes of the backward pass
 * --------------------------------------------------------------------- */

static void notes_of_flags(void **state)
{
    /* The add's flags are seen by the load's fault only: they live up to it. */
    static const char text[] = "insn 0\n"
                               "%2 = get.i64 r0\n"
                               "%3 = get.i64 r1\n"
                               "%4 = add.i64 %2, %3\n"
                               "%5 = fl_add.flags %4, %3\n"
                               "set.i64 r0, %4\n"
                               "setflags.flags %5\n"
                               "insn 4\n"
                               "%9 = ld.i64 %2 mem=0\n"
                               "%10 = fl_logic.flags %9\n"
                               "setflags.flags %10\n"
                               "goto 8\n";
    g_autofree IrNotes *notes = g_new0(IrNotes, 1);
    IrBlock *ir = harness_ir_new();

    assert_true(ir_parse(ir, text, NULL));
    ir_pass_forward(ir, notes, false);
    ir_pass_backward(ir, notes);
    assert_int_equal(notes->flags_at[9], 5);
    assert_int_equal(notes->flags_at[12], 10);
    assert_int_equal(notes->last_use[5], 9);
    assert_int_equal(notes->last_use[4], 9);
    assert_int_equal(notes->last_use[3], 9);
    assert_int_equal(notes->last_use[10], 12);
    assert_int_equal(notes->last_use[9], 12);
    assert_int_equal(notes->uses[2], 2);
    ir_block_free(ir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding),  cmocka_unit_test(verifier), cmocka_unit_test(round_trip),
        cmocka_unit_test(bad_text), cmocka_unit_test(golden),   cmocka_unit_test(notes_of_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
