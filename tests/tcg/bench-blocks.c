/* SPDX-License-Identifier: MIT */
/* Time per guest instruction of a loop of loads, stores, arithmetic, calls and branches, by back
 * end. */
#include "tests/tcg/harness.h"

#include <stdio.h>
#include <string.h>

#define LOOP 0x100

/* As an x86 frontend would: 32-bit results extended, flags after each, one branch back. */
static void arithmetic(IrBlock *ir, uint32_t *pc, unsigned dst, unsigned src)
{
    IrRef a, b, r;

    ir_insn(ir, *pc);
    a = ir_get(ir, I32, S_R0 + dst, 0);
    b = ir_get(ir, I32, S_R0 + src, 0);
    r = ir_add(ir, a, b);
    ir_set(ir, S_R0 + dst, 0, ir_zext(ir, I64, r));
    ir_setflags(ir, ir_fl_add(ir, r, b));
    *pc += 2;
}

static IrRef address(IrBlock *ir)
{
    IrRef base = ir_get(ir, I64, S_R0 + 6, 0), index = ir_get(ir, I64, S_R0 + 7, 0);

    return ir_lea(ir, base, index, 3, 0);
}

static void build(IrBlock *ir, bool with_call)
{
    uint32_t pc = LOOP;
    IrRef v, r, x;

    ir_block_reset(ir, LOOP);
    ir_insn(ir, pc);
    v = ir_ld(ir, I32, address(ir), 0, 0);
    ir_set(ir, S_R0, 0, ir_zext(ir, I64, v));
    pc += 4;
    arithmetic(ir, &pc, 0, 1);
    arithmetic(ir, &pc, 2, 0);
    ir_insn(ir, pc);
    ir_st(ir, ir_get(ir, I32, S_R0 + 2, 0), address(ir), 64, 0);
    pc += 4;
    ir_insn(ir, pc);
    x = ir_get(ir, I64, S_R0 + 7, 0);
    r = ir_and(ir, ir_addi(ir, x, 1), ir_const(ir, I64, 255));
    ir_set(ir, S_R0 + 7, 0, r);
    ir_setflags(ir, ir_fl_logic(ir, r));
    pc += 4;
    if (with_call) {
        ir_insn(ir, pc);
        ir_set(ir, S_R0 + 3, 0, ir_call(ir, H_ADD, ir_get(ir, I64, S_R0 + 3, 0), r, 0, 0));
        pc += 4;
    }
    ir_insn(ir, pc);
    x = ir_get(ir, I64, S_R0 + 8, 0);
    v = ir_const(ir, I64, 0);
    ir_setflags(ir, ir_fl_cmp(ir, x, v));
    pc += 4;
    ir_insn(ir, pc);
    ir_goto_if(ir, ir_fl_test(ir, CC_NZ, ir_getflags(ir)), LOOP);
    ir_goto(ir, pc + 2);
}

static void measure(const char *backend, bool with_call)
{
    Harness *h = harness_new(backend, false);
    IrBlock *ir = harness_ir_new();
    TcgCode *code;
    int64_t start;
    int32_t budget = 40000000;

    build(ir, with_call);
    code = harness_compile(h, ir);
    tcg_link(h->tcg, code, 0, code);
    harness_reset(h, 1, LOOP);
    h->env->r[6] = FAKE_BASE;
    h->env->r[7] = 0;
    h->env->r[8] = 1;
    h->env->budget = budget;
    start = g_get_monotonic_time();
    harness_run(h, code);
    printf("%-8s %-10s %6.2f ns per guest instruction\n", backend, with_call ? "with call" : "loop",
           (double)(g_get_monotonic_time() - start) * 1000 / (budget - h->env->budget));
    ir_block_free(ir);
    harness_free(h);
}

int main(void)
{
    g_auto(GStrv) names = g_strsplit(tcg_backend_list(), " ", -1);

    for (unsigned i = 0; names[i]; i++) {
        measure(names[i], false);
        measure(names[i], true);
    }
    return 0;
}
