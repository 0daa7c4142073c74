/* SPDX-License-Identifier: MIT */
/*
 * The engine on a toy guest: counting, links, self-modifying code, faults, address spaces. Each
 * test runs on every back end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/engine.h"
#include "tcg/lanes.h"
#include "toy.h"

static const char *backend;

static Toy *start(int icount_shift, uint64_t at, const uint8_t *code, size_t len)
{
    Toy *t = toy_new(backend, icount_shift);

    memcpy(t->ram->host + at, code, len);
    return t;
}
#define START(icount, at, ...) \
    start(icount, at, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define A16(a) (a) & 0xff, (a) >> 8

static void test_counts_every_instruction(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 1, 100, TOY_ADD, 0, 3, TOY_DJNZ, 1, A16(0x003), TOY_HALT);

    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 300);
    assert_int_equal(accel_instruction_count(t->accel), 1 + 200 + 1);
    assert_int_equal(clock_now_ns(t->machine.clock), 202);
    toy_free(t);
}

static void test_long_loop_spans_slices(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_DJNZ, 1, A16(0x000), TOY_HALT);

    t->cpu->regs[1] = 1000000;
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 1000000);
    assert_int_equal(accel_instruction_count(t->accel), 2000001);
    toy_free(t);
}

static void fire(void *opaque)
{
    Toy *t = opaque;

    t->cpu->regs[7] = t->cpu->regs[0];
}

/* A timer comes between two instructions of a block, at the very count it is due. */
static void test_timer_is_exact(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_DJNZ, 1, A16(0x000),
                   TOY_HALT);
    Timer *timer = timer_new(t->machine.clock, fire, t);

    t->cpu->regs[1] = 1000;
    timer_set(timer, 402); /* 100 rounds of four and two more */
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[7], 302);
    timer_free(timer);
    toy_free(t);
}

enum { NAP_MS = 30 };

static void wake(void *opaque)
{
    ((Toy *)opaque)->cpu->common.halted = false;
}

static void *post_soon(void *opaque)
{
    Toy *t = opaque;

    input_post(t->machine.input, 0, NULL, 0);
    return NULL;
}

static void hear(void *opaque, const void *data, size_t len)
{
    Toy *t = opaque;

    t->cpu->regs[5] = clock_now_ns(t->machine.clock);
    t->cpu->regs[4] = true;
}

static bool until_heard(void *opaque, bool *quit)
{
    Toy *t = opaque;

    *quit = t->cpu->regs[4] && t->cpu->common.halted;
    return true;
}

/* Counted time that an idle CPU waits takes as long for the host, unless that is not wanted; input
 * ends it where it has come to. */
static void test_idle_sleeps(void **state)
{
    static const struct {
        bool sleeps, input;
    } rows[] = { { true, false }, { true, true }, { false, false } };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Toy *t = START(0, 0x1000, TOY_HALT, TOY_ADD, 4, 1, TOY_HALT);
        Timer *timer = timer_new(t->machine.clock, wake, t);
        int64_t until = rows[i].input ? INT64_C(1000000000) * 3600 : NAP_MS * INT64_C(1000000);
        GThread *thread = NULL;
        int64_t start;

        t->config.icount_sleep = rows[i].sleeps;
        input_add_channel(t->machine.input, "test", false, hear, t);
        timer_set(timer, until);
        t->cpu->cpu.pc = 0x1000;
        if (rows[i].input)
            thread = g_thread_new("input", post_soon, t);
        start = g_get_monotonic_time();
        accel_run(t->accel, until_heard, t);
        if (thread)
            g_thread_join(thread);
        if (rows[i].input)
            assert_true(clock_now_ns(t->machine.clock) < until);
        else
            assert_int_equal(clock_now_ns(t->machine.clock), until + 2);
        if (rows[i].sleeps && !rows[i].input)
            assert_true(g_get_monotonic_time() - start >= (NAP_MS - 1) * 1000);
        timer_free(timer);
        toy_free(t);
    }
}

static void test_store_into_code_of_another_block(void **state)
{
    /* r0 += 1 at 0x2000 is patched to r0 += 5 after the first pass. */
    Toy *t = START(0, 0x1000, TOY_JMPR, 2, /* 0x1002: */ TOY_ST, 3, A16(0x2000), TOY_JMPR, 2,
                   /* 0x1008: */ TOY_HALT);

    memcpy(t->ram->host + 0x2000, (uint8_t[]){ TOY_ADD, 0, 1, TOY_ADD, 4, 6, TOY_JMPR, 4 }, 8);
    t->cpu->regs[2] = 0x2000;
    t->cpu->regs[4] = 0x1002 - 6;
    t->cpu->regs[3] = guest_get((uint8_t[]){ TOY_ADD, 0, 5, TOY_ADD, 4, 6, TOY_JMPR, 4 }, 8);
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 6);
    toy_free(t);
}

static void test_store_into_the_running_block(void **state)
{
    /* The instruction after the store is replaced by it: the new bytes must run. */
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_ST, 3, A16(0x1007), TOY_ADD, 0, 10, TOY_HALT, 0, 0,
                   0, 0, 0);

    t->cpu->regs[3] = guest_get((uint8_t[]){ TOY_ADD, 0, 20, TOY_HALT, 0, 0, 0, 0 }, 8);
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 21);
    assert_int_equal(accel_instruction_count(t->accel), 4);
    toy_free(t);
}

static void test_data_beside_code_keeps_blocks(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ST, 0, A16(0x1800), TOY_DJNZ, 1, A16(0x000), TOY_HALT);
    uint64_t invalidated;

    t->cpu->regs[1] = 50;
    toy_run(t, 0x1000);
    invalidated = t->accel->tbs.invalidated;
    assert_int_equal(invalidated, 0);
    toy_free(t);
}

/* The immediate of another block changes each time round: soon that block reads it by itself. */
static void test_often_rewritten_block(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ST, 3, A16(0x1802), TOY_JMPR, 5, /* 0x1006: */ TOY_ADD, 3, 1,
                   TOY_DJNZ, 1, A16(0x000), TOY_HALT);
    uint64_t translated = 0;

    memcpy(t->ram->host + 0x1800, (uint8_t[]){ TOY_ADD, 0, 0, TOY_JMPR, 4 }, 5);
    t->cpu->regs[4] = 0x1006;
    t->cpu->regs[5] = 0x1800;
    for (unsigned run = 1; run <= 3; run++) {
        translated = t->accel->tbs.translated;
        t->cpu->regs[1] = 100;
        t->cpu->regs[3] = TOY_JMPR << 8 | 4 << 16;
        toy_run(t, 0x1000);
        assert_int_equal(t->cpu->regs[0], run * 4950);
        assert_int_equal(accel_instruction_count(t->accel), run * 601);
    }
    assert_true(t->accel->tbs.translated - translated < 4);
    toy_free(t);
}

/* The running block rewrites what it runs next, watched and then checked. */
static void test_block_often_rewrites_itself(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ST, 3, A16(0x1006), TOY_ADD, 0, 0, TOY_ADD, 3, 1, TOY_DJNZ, 1,
                   A16(0x000), TOY_HALT);

    for (unsigned run = 1; run <= 3; run++) {
        t->cpu->regs[1] = 100;
        t->cpu->regs[3] = TOY_ADD << 8 | 3 << 16 | 1 << 24 | (uint64_t)TOY_DJNZ << 32 | 1ull << 40;
        toy_run(t, 0x1000);
        assert_int_equal(t->cpu->regs[0], run * 4950);
        assert_int_equal(accel_instruction_count(t->accel), run * 401);
    }
    toy_free(t);
}

/* Data beside code: a page that is checked and then cools down. */
static void test_checked_page_cools_down(void **state)
{
    Toy *t =
        START(0, 0x1000, TOY_ST, 0, A16(0x1800), TOY_ADD, 0, 1, TOY_DJNZ, 1, A16(0x000), TOY_HALT);

    for (unsigned run = 1; run <= 6; run++) {
        uint64_t last = 5000 * run - 1;
        t->cpu->regs[1] = 5000;
        toy_run(t, 0x1000);
        assert_int_equal(t->cpu->regs[0], 5000 * run);
        assert_int_equal(guest_get(t->ram->host + 0x1800, 8), last);
        assert_int_equal(accel_instruction_count(t->accel), 15001 * run);
        if (run == 1) /* at once, not when the slice is over */
            assert_true(tb_page_is_checked(&t->accel->tbs, 0x1000));
        for (unsigned i = 0; run == 3 && i < 4096; i++)
            tb_settle_pages(&t->accel->tbs, 1);
        if (run == 3)
            assert_false(tb_page_is_checked(&t->accel->tbs, 0x1000));
    }
    toy_free(t);
}

static void test_dma_into_checked_code(void **state)
{
    Toy *t =
        START(0, 0x1000, TOY_ST, 2, A16(0x1800), TOY_ADD, 0, 1, TOY_DJNZ, 1, A16(0x000), TOY_HALT);
    const uint8_t patch[] = { TOY_ADD, 0, 7 };

    for (unsigned run = 0; run < 2; run++) {
        t->cpu->regs[1] = 5000;
        toy_run(t, 0x1000);
    }
    assert_true(tb_page_is_checked(&t->accel->tbs, 0x1000));
    address_space_write_bytes(t->machine.memory, 0x1004, patch, sizeof(patch));
    t->cpu->regs[0] = 0;
    t->cpu->regs[1] = 100;
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 700);
    toy_free(t);
}

static void test_dma_into_code(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_HALT);
    const uint8_t patch[] = { TOY_ADD, 0, 7, TOY_HALT };

    toy_run(t, 0x1000);
    address_space_write_bytes(t->machine.memory, 0x1000, patch, sizeof(patch));
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 8);
    toy_free(t);
}

static void test_fault_is_exact(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_LD, 0, A16(TOY_FAULT_PAGE), TOY_ADD,
                   0, 1, TOY_HALT);

    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->faults, 1);
    assert_int_equal(t->cpu->fault_pc, 0x1006);
    assert_int_equal(t->cpu->fault_count, 2);
    assert_int_equal(t->cpu->regs[0], 3);
    assert_int_equal(accel_instruction_count(t->accel), 4);
    toy_free(t);
}

static void test_page_crossing_access(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ST, 1, A16(0x2ffc), TOY_LD, 0, A16(0x2ffc), TOY_HALT);

    t->cpu->regs[1] = 0x1122334455667788;
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 0x1122334455667788);
    assert_int_equal(guest_get(t->ram->host + 0x2ffc, 8), t->cpu->regs[1]);
    toy_free(t);
}

/* A store whose second page faults writes nothing. */
static void test_page_crossing_fault_writes_nothing(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ST, 1, A16(TOY_FAULT_PAGE - 4), TOY_HALT);

    t->cpu->regs[1] = UINT64_MAX;
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->faults, 1);
    assert_int_equal(t->ram->host[TOY_FAULT_PAGE - 4], 0);
    toy_free(t);
}

/* A side exit gives back budget that the request for an interrupt had taken: the loop goes on in
 * the same slice, and where it goes is not where the goto leads. */
static void test_interrupt_at_a_side_exit(void **state)
{
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_ST, 2, A16(TOY_IRQ_PAGE), TOY_ADD, 2, 0xff,
                   TOY_DJNZ, 1, A16(0x000), TOY_ADD, 0, 100, TOY_HALT);

    memcpy(t->ram->host + 0x1100, (uint8_t[]){ TOY_ADD, 5, 1, TOY_JMPR, 6 }, 5);
    t->cpu->irq_pc = 0x1100;
    t->cpu->regs[1] = 20;
    t->cpu->regs[2] = 2;
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], 120);
    assert_int_equal(t->cpu->regs[5], t->cpu->syncs);
    toy_free(t);
}

/* … and not even a linked block comes first, however much budget is given back. */
static void interrupt_before_the_next_block(int icount_shift, uint64_t at)
{
    Toy *t =
        START(icount_shift, 0x1000, TOY_ST, 2, A16(TOY_IRQ_PAGE), TOY_ADD, 2, 1, TOY_DJNZ, 1,
              A16(0x200), TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_ADD, 0, 1, TOY_HALT);

    memcpy(t->ram->host + 0x1200, (uint8_t[]){ TOY_ADD, 3, 1, TOY_JMP, A16(0x000) }, 6);
    memcpy(t->ram->host + 0x1100, (uint8_t[]){ TOY_ADD, 5, 1, TOY_JMPR, 6 }, 5);
    t->cpu->irq_pc = 0x1100;
    t->cpu->regs[1] = 4; /* rounds: the first, without interrupt, makes the link */
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->syncs, 3);
    assert_int_equal(t->cpu->irq_at[0], at);
    assert_int_equal(t->cpu->irq_at[1], at);
    toy_free(t);
}

static void test_interrupt_before_the_next_block(void **state)
{
    interrupt_before_the_next_block(-1, 0x1200);
}

/* Where blocks end is nothing that a counted run may depend on. */
static void test_counted_interrupt_after_the_access(void **state)
{
    interrupt_before_the_next_block(0, 0x1004);
}

static void note_pc(void *opaque)
{
    Toy *t = opaque;

    t->cpu->regs[6] = t->cpu->cpu.pc;
    t->cpu->regs[7] = t->cpu->regs[0];
}

/* Accesses to a device take time: a timer that is due meanwhile comes after that very
 * instruction. */
static void test_device_access_takes_time(void **state)
{
    static const int64_t takes = DEVICE_NS;
    Toy *t = START(0, 0x1000, TOY_ADD, 0, 1, TOY_ST, 2, A16(TOY_IRQ_PAGE), TOY_ADD, 0, 1, TOY_ADD,
                   0, 1, TOY_DJNZ, 1, A16(0x000), TOY_HALT);
    Timer *timer = timer_new(t->machine.clock, note_pc, t);

    t->cpu->regs[1] = 10;
    timer_set(timer, 3 * (5 + takes) + 100); /* in the fourth round's access */
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[6], 0x1007);
    assert_int_equal(t->cpu->regs[7], 3 * 3 + 1);
    assert_int_equal(accel_instruction_count(t->accel), 51);
    assert_int_equal(clock_now_ns(t->machine.clock), 51 + 10 * takes);
    timer_free(timer);
    toy_free(t);
}

static void load_banked(Toy *t, uint16_t asid, uint64_t expected)
{
    cpu_tlb_set_asid(&t->cpu->cpu, asid);
    toy_run(t, 0x1000);
    assert_int_equal(t->cpu->regs[0], expected);
}

static void test_address_spaces(void **state)
{
    Toy *t = START(0, 0x1000, TOY_LD, 0, A16(TOY_BANKED_PAGE), TOY_HALT);
    unsigned walks;

    t->ram->host[0x101000] = 1;
    t->ram->host[0x102000] = 2;
    load_banked(t, 1, 1);
    load_banked(t, 2, 2);
    walks = t->cpu->walks;
    load_banked(t, 1, 1); /* both are still in the second level */
    load_banked(t, 2, 2);
    assert_int_equal(t->cpu->walks, walks);
    cpu_tlb_flush_asid(&t->cpu->cpu, 1);
    load_banked(t, 2, 2);
    assert_int_equal(t->cpu->walks, walks);
    load_banked(t, 1, 1);
    assert_int_equal(t->cpu->walks, walks + 1);
    cpu_tlb_flush_page(&t->cpu->cpu, TOY_BANKED_PAGE);
    load_banked(t, 1, 1);
    assert_int_equal(t->cpu->walks, walks + 2);
    toy_free(t);
}

/* Code in the page that depends on the address space: neither jump cache nor blocks mix them up. */
static void test_code_of_address_spaces(void **state)
{
    Toy *t = START(0, 0x1000, TOY_JMPR, 2);

    t->cpu->regs[2] = TOY_BANKED_PAGE;
    memcpy(t->ram->host + 0x101000, (uint8_t[]){ TOY_ADD, 0, 1, TOY_HALT }, 4);
    memcpy(t->ram->host + 0x102000, (uint8_t[]){ TOY_ADD, 0, 10, TOY_HALT }, 4);
    for (unsigned i = 0; i < 4; i++) {
        cpu_tlb_set_asid(&t->cpu->cpu, 1 + (i & 1));
        toy_run(t, 0x1000);
    }
    assert_int_equal(t->cpu->regs[0], 22);
    toy_free(t);
}

static void run_banked(Toy *t, uint16_t asid)
{
    cpu_tlb_set_asid(&t->cpu->cpu, asid);
    toy_run(t, 0x1000);
}

/* Bit 0: the block at the entry's pc reaches into the next page. */
static uint64_t entered[TCG_JC_SIZE];

static void enter(Cpu *cpu, GRand *rand, uint64_t page)
{
    CpuContext ctx = { .pc = page * PAGE_SIZE + 2 * g_rand_int_range(rand, 0, PAGE_SIZE / 2) };
    StlbEntry e = { .flags = STLB_GLOBAL };
    TcgCode code = { .far_entry = cpu };
    Tb tb = { .code = &code, .straddles = g_rand_int_range(rand, 0, 8) == 0 };
    unsigned n;

    ctx.linear = ctx.pc;
    cpu->jc_key = (uint64_t)g_rand_int_range(rand, 1, 20) << 4;
    n = tcg_jc_offset(ctx.pc, cpu->jc_key) / sizeof(JumpEntry);
    jump_cache_enter(cpu, &ctx, &e, &tb);
    entered[n] = ctx.pc | tb.straddles;
}

static void forget(Cpu *cpu, uint64_t page)
{
    jump_cache_forget(cpu, page * PAGE_SIZE, 0);
    for (unsigned n = 0; n < TCG_JC_SIZE; n++) {
        uint64_t first = entered[n] / PAGE_SIZE, last = first + (entered[n] & 1);
        if (first == page || last == page)
            entered[n] = 0;
    }
}

static void check_entries(Cpu *cpu)
{
    for (unsigned n = 0; n < TCG_JC_SIZE; n++)
        assert_int_equal(cpu->run->tail->jc[n].tag,
                         entered[n] ? entered[n] & ~1ull : tcg_jc_empty(n));
}

/* A page's entries are forgotten, and those of blocks that reach into it, and no others. */
static void test_jump_cache_forgets_pages(void **state)
{
    Toy *t = toy_new(backend, 0);
    Cpu *cpu = &t->cpu->cpu;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    jump_cache_clear(cpu);
    memset(entered, 0, sizeof(entered));
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 400; i++)
            enter(cpu, rand, g_rand_int_range(rand, 1, 40));
        for (unsigned i = 0; i < 4; i++)
            forget(cpu, g_rand_int_range(rand, 1, 42));
        check_entries(cpu);
    }
    jump_cache_clear(cpu);
    memset(entered, 0, sizeof(entered));
    check_entries(cpu);
    toy_free(t);
}

/* A flush gives contexts new numbers: what a CPU ran in before must not keep its old one. */
static void test_flush_renumbers_contexts(void **state)
{
    Toy *t = START(0, 0x1000, TOY_JMPR, 2);

    t->cpu->regs[2] = TOY_BANKED_PAGE;
    for (unsigned n = 1; n <= 3; n++)
        memcpy(t->ram->host + 0x100000 + n * 0x1000, (uint8_t[]){ TOY_ADD, 3 + n, 1, TOY_HALT }, 4);
    run_banked(t, 1);
    run_banked(t, 2);
    tb_flush(&t->accel->tbs);
    context_forget_all(t->accel);
    run_banked(t, 2);
    cpu_tlb_set_asid(&t->cpu->cpu, 1);
    toy_run(t, 0x2000); /* nothing but HALT: leaves the jump cache alone */
    run_banked(t, 3);
    assert_int_equal(t->cpu->regs[4], 1);
    assert_int_equal(t->cpu->regs[5], 2);
    assert_int_equal(t->cpu->regs[6], 1);
    toy_free(t);
}

static void test_buffer_overflow_flushes(void **state)
{
    Toy *t = toy_new(backend, 0);
    uint8_t *p = t->ram->host + 0x10000;

    toy_run(t, 0x3000); /* zeroes: HALT */
    t->cpu->common.halted = false;
    /* One block per instruction, many times over what 1 MiB of code holds. */
    for (unsigned i = 0; i < 60000; i++, p += 3)
        memcpy(p, (uint8_t[]){ TOY_ADD, i & 7, 1 }, 3);
    for (unsigned i = 0; i < 60000; i++) {
        t->cpu->cpu.pc = 0x10000 + 3 * i;
        cpu_exec_slice(&t->cpu->cpu, &(Turn){ .budget = 1, .exact = true });
    }
    assert_int_equal(t->cpu->regs[0] + t->cpu->regs[7], 15000);
    toy_free(t);
}

int main(void)
{
    static const char *const backends[] = { "interp", NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_every_instruction),
        cmocka_unit_test(test_long_loop_spans_slices),
        cmocka_unit_test(test_timer_is_exact),
        cmocka_unit_test(test_idle_sleeps),
        cmocka_unit_test(test_store_into_code_of_another_block),
        cmocka_unit_test(test_store_into_the_running_block),
        cmocka_unit_test(test_data_beside_code_keeps_blocks),
        cmocka_unit_test(test_often_rewritten_block),
        cmocka_unit_test(test_block_often_rewrites_itself),
        cmocka_unit_test(test_checked_page_cools_down),
        cmocka_unit_test(test_dma_into_checked_code),
        cmocka_unit_test(test_dma_into_code),
        cmocka_unit_test(test_fault_is_exact),
        cmocka_unit_test(test_page_crossing_access),
        cmocka_unit_test(test_page_crossing_fault_writes_nothing),
        cmocka_unit_test(test_interrupt_at_a_side_exit),
        cmocka_unit_test(test_interrupt_before_the_next_block),
        cmocka_unit_test(test_counted_interrupt_after_the_access),
        cmocka_unit_test(test_device_access_takes_time),
        cmocka_unit_test(test_address_spaces),
        cmocka_unit_test(test_code_of_address_spaces),
        cmocka_unit_test(test_jump_cache_forgets_pages),
        cmocka_unit_test(test_flush_renumbers_contexts),
        cmocka_unit_test(test_buffer_overflow_flushes),
    };
    int failed = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
        backend = backends[i];
        failed += cmocka_run_group_tests_name(backend ? backend : "default", tests, NULL, NULL);
    }
    return failed;
}
