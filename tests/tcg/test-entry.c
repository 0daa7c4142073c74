/* SPDX-License-Identifier: MIT */
/* What blocks do with the flags that they are entered with (IrNotes.look, tcg/native/entry.h), as a
 * table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tcg/flags.h"
#include "tcg/native/entry.h"
#include "tests/tcg/harness.h"

#define START   "block 0x10\ninsn 0x10\n"
#define LOAD(n) "%" #n " = ld.i64 %2 imm=" #n " mem=0\n" /* %2 is a register that tests choose */
#define COMPARE "%20 = fl_cmp.flags %2, %2\nsetflags.flags %20\n"
#define LOOK    "%30 = getflags.flags\n%31 = fl_test.i1 z %30\ngoto_if %31 0x40\n"
#define END     "goto 0x18\n"

typedef struct Row {
    const char *name, *text;
    EntryLook look;
    unsigned last;
} Row;

#define G "%2 = get.i64 r0\n"
static const Row rows[] = {
    { "begins with a condition", START LOOK END, ENTRY_LOOKS, 0 },
    { "says nothing of flags", START END, ENTRY_LOOKS, 0 },
    { "compares", START G COMPARE END, ENTRY_BLIND, 0 },
    { "compares, then loads", START G COMPARE LOAD(22) "set.i64 r1, %22\n" END, ENTRY_BLIND, 0 },
    { "loads, then compares", START G LOAD(4) "set.i64 r1, %4\n" COMPARE END, ENTRY_FAULTS, 4 },
    { "loads twice", START G LOAD(4) "set.i64 r1, %4\n" LOAD(6) "set.i64 r1, %6\n" COMPARE END,
      ENTRY_FAULTS, 6 },
    { "loads, then looks", START G LOAD(4) "set.i64 r1, %4\n" LOOK END, ENTRY_LOOKS, 0 },
    { "loads, then leaves", START G LOAD(4) "set.i64 r1, %4\n" END, ENTRY_LOOKS, 0 },
    { "calls what reads them", START "%2 = call.i32 read_flags\nset.i32 d0, %2\n" END, ENTRY_LOOKS,
      0 },
    { "calls first", START G "call.void poke %2\n" COMPARE END, ENTRY_LOOKS, 0 },
    { "looks and compares", START G LOOK "%33 = fl_cmp.flags %2, %2\nsetflags.flags %33\n" END,
      ENTRY_LOOKS, 0 },
};

static void looks(void **state)
{
    IrBlock *ir = harness_ir_new();
    g_autofree IrNotes *notes = g_new0(IrNotes, 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        if (!ir_parse(ir, rows[i].text, &error)) {
            fail_msg("%s: %s", rows[i].name, error->message);
        }
        ir_pass_forward(ir, notes, false);
        ir_pass_backward(ir, notes);
        if (notes->look != rows[i].look || notes->look_until != rows[i].last) {
            fail_msg("%s: %u, last %u", rows[i].name, notes->look, notes->look_until);
        }
    }
    ir_block_free(ir);
}

/* What a back end may compare again, of what a block was entered with before. */
static void guesses(void **state)
{
    static const struct {
        uint32_t hint;
        bool takes, calls;
    } hints[] = {
        { FLK_CMP * 4 + 3, true },
        { FLK_SUB * 4, true },
        { FLK_LOGIC * 4 + 2, true },
        { FLK_ADD * 4 + 2, false },
        { FLK_PACKED * 4 + 2, false },
        { FLK_CMP * 4 + 3, false, true },
        { FLK_CMP * 4 + 3 + FLAGS_ON_TOP, false },
        { 0, false },
    };
    IrBlock *ir = harness_ir_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(hints); i++) {
        IrRef fl;

        ir_block_reset(ir, 0x10);
        ir->flags_hint = hints[i].hint;
        ir_insn(ir, 0x10);
        fl = ir_getflags(ir);
        if (hints[i].calls) {
            ir_call(ir, H_POKE, ir_const(ir, I64, 1), IR_NONE, IR_NONE, IR_NONE);
        }
        ir_goto_if(ir, ir_fl_test(ir, CC_Z, fl), 0x40);
        ir_goto(ir, 0x18);
        assert_int_equal(entry_guess(ir, fl), hints[i].takes ? hints[i].hint : 0);
    }
    ir_block_free(ir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(looks), cmocka_unit_test(guesses) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
