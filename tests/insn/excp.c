/* SPDX-License-Identifier: MIT */
#include "excp.h"

#include <string.h>

#include "target-i386/segment.h"

/* ---- What rows of several lists prepare ------------------------------------------------------ */

void excp_vme(System *s)
{
    s->c->cr4 |= CR4_VME;
}

void excp_star(System *s)
{
    s->c->star = (uint64_t)(SEL_UCODE32 - 3) << 48 | (uint64_t)SEL_CODE64 << 32;
    s->c->lstar = HANDLERS_AT + 0x500;
    s->c->cstar = HANDLERS_AT + 0x510;
    s->c->sfmask = EFL_IF | EFL_TF | EFL_DF;
    s->c->eflags |= EFL_IF | EFL_DF;
}

void excp_star_to_user(System *s)
{
    s->c->star = (uint64_t)(SEL_UCODE32 - 3) << 48;
    s->c->regs[R_RCX] = USER_CODE + 0x100;
    s->c->regs[11] = EFL_IF | 2 | FLAG_CF;
    system_write(s, USER_CODE + 0x100, 0x80cd, 2); /* int 0x80 */
}

void excp_frame_to_user(System *s)
{
    uint64_t sp = s->c->regs[R_RSP] -= 40;

    system_write(s, sp, USER_CODE + 0x100, 8);
    system_write(s, sp + 8, SEL_UCODE64, 8);
    system_write(s, sp + 16, EFL_IF | FLAG_ZF | 2, 8);
    system_write(s, sp + 24, USER_STACK - 64, 8);
    system_write(s, sp + 32, SEL_UDATA, 8);
    system_write(s, USER_CODE + 0x100, 0x80cd, 2);
}

uint64_t excp_stack64(System *s, unsigned n)
{
    return system_read(s, s->c->regs[R_RSP] + 8 * n, 8);
}

void excp_vme_frame(System *s)
{
    s->c->cr4 |= CR4_VME;
    s->c->regs[R_RSP] = 0x7ff0;
    system_write(s, USER_STACK - 0x10, 0x40, 2);
    system_write(s, USER_STACK - 0xe, USER_CODE >> 4, 2);
    system_write(s, USER_STACK - 0xc, EFL_IF | 2, 2);
    system_write(s, USER_CODE + 0x40, 0x0b0f, 2);
}

/* ---- Running them ---------------------------------------------------------------------------- */

static unsigned failures;
#define ROW_FAILED(...) (failures++, print_error(__VA_ARGS__), print_error("\n"))

/* Saved error code and pc as the handler finds them; @error: whether there is one. */
static uint64_t saved_pc(System *s, bool error, int64_t *code)
{
    unsigned size = s->c->efer & EFER_LMA ? 8 : s->c->cr0 & CR0_PE ? 4 : 2;
    uint64_t at = s->c->regs[R_RSP];

    if (size == 2)
        at = s->c->segs[SEG_SS].base + (at & 0xffff);
    if (error) {
        *code = (int64_t)system_read(s, at, size);
        at += size;
    }
    return system_read(s, at, size);
}

static void check_handler(System *s, const ExcpRow *r)
{
    int64_t code = NO_ERROR;
    uint64_t pc = saved_pc(s, r->error != NO_ERROR, &code);
    uint32_t base =
        r->mode == SYS_REAL || r->mode == SYS_VM86 ? 0 : system_code_base(r->mode, r->cpl);

    if (!strcmp(r->name, "iret to vm86"))
        base = 0;
    if (system_vector(s) != r->vector || code != r->error)
        ROW_FAILED("%s: vector %d error %ld, expected %d %ld", r->name, system_vector(s),
                   (long)code, r->vector, (long)r->error);
    if (r->check || r->pc || r->error != NO_ERROR)
        if (r->vector != 0x63 && r->vector != EXCP_DF && pc != (uint32_t)(base + r->pc))
            ROW_FAILED("%s: saved pc %lx, expected %lx", r->name, (long)pc, (long)base + r->pc);
}

static void run_row(System *s, const ExcpRow *r)
{
    uint32_t base = system_code_base(r->mode, r->cpl);

    system_setup(s, r->mode, r->cpl);
    address_space_write_bytes(s->machine.memory, base, r->code, r->len);
    if (r->prepare)
        r->prepare(s);
    x86_update_mode(s->c);
    cpu_tlb_flush_all(&s->c->cpu);
    if (!system_run(s))
        ROW_FAILED("%s: hangs at %lx", r->name, (long)s->c->cpu.pc);
    if (r->vector == TRIPLE) {
        if (!(s->machine.requests & REQUEST_RESET))
            ROW_FAILED("%s: no shutdown, but vector %d", r->name, system_vector(s));
    } else if (r->vector != NONE) {
        check_handler(s, r);
    } else if (!r->check) {
        uint64_t pc = s->c->cpu.pc + (x86_is_64bit_code(s->c) ? 0 : s->c->segs[SEG_CS].base);

        if (pc != base + r->pc)
            ROW_FAILED("%s: ends at %lx, vector %d", r->name, (long)pc, system_vector(s));
    }
    if (r->check)
        r->check(s);
}

static const char *backend;
static const ExcpRow *list;
static size_t list_len;

static void test_rows(void **state)
{
    System *s = system_new(backend, "max");

    failures = 0;
    for (const ExcpRow *r = list; r < list + list_len; r++) {
        if (!system_can_run(s, r->mode, r->code, r->len))
            print_message("skipped, not on this back end: %s\n", r->name);
        else
            run_row(s, r);
    }
    system_free(s);
    assert_int_equal(failures, 0);
}

int excp_main(const ExcpRow *rows, size_t count)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    list = rows;
    list_len = count;
    return system_run_tests(tests, &backend);
}
