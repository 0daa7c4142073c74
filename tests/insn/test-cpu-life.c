/* SPDX-License-Identifier: MIT */
/*
 * A CPU between programs: reset, INIT and start-up, switching to long mode, saved state; one that
 * never gets to its next instruction; and one that moves what is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/turn.h"
#include "softmmu/clock.h"
#include "system.h"
#include "target-i386/help-system.h"
#include "target-i386/paging.h"

#define C(s) (s), sizeof(s) - 1

enum { HOLE = SYSTEM_RAM, TARGET = 0x200000 };

static const char *backend;

/* IDT, GDT and TSS are read with supervisor rights whatever the CPL and SMAP say. */
static void test_long_mode_switch(void **state)
{
    /* From real mode: enable PAE, set CR3, LME, PG|PE, jump to 64-bit code. */
    static const uint8_t code[] = {
        0x0f, 0x01, 0x16, 0x60, 0x00,                   /* lgdt [0x60] (DS = CS) */
        0x66, 0xb8, 0x20, 0x00, 0x00, 0x00,             /* mov eax, CR4.PAE */
        0x0f, 0x22, 0xe0,                               /* mov cr4, eax */
        0x66, 0xb8, 0x00, 0x00, 0x10, 0x00,             /* mov eax, TABLES_AT */
        0x0f, 0x22, 0xd8,                               /* mov cr3, eax */
        0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,             /* mov ecx, EFER */
        0x0f, 0x32, 0x66, 0x0d, 0x00, 0x01, 0x00, 0x00, /* rdmsr; or eax, LME */
        0x0f, 0x30,                                     /* wrmsr */
        0x66, 0xb8, 0x01, 0x00, 0x00, 0x80,             /* mov eax, PG | PE */
        0x0f, 0x22, 0xc0,                               /* mov cr0, eax */
        0x66, 0xea, 0x00, 0x81, 0x00, 0x00, 0x08, 0x00, /* jmp far SEL_CODE64:handler 0x10 */
    };
    System *s = system_new(backend, "max");

    system_setup(s, SYS_REAL, 0);
    address_space_write_bytes(s->machine.memory, USER_CODE, code, sizeof(code));
    system_write(s, USER_CODE + 0x60, GDT_LIMIT, 2);
    system_write(s, USER_CODE + 0x62, GDT_AT, 4);
    s->c->segs[SEG_DS].base = USER_CODE;
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x101);
    assert_true(s->c->efer & EFER_LMA);
    assert_true(x86_is_64bit_code(s->c));
    system_free(s);
}

/* INIT and SIPI: state after, start at the vector's page. */
static void test_init_sipi(void **state)
{
    System *s = system_new(backend, "max");
    CpuX86 *c = s->c;

    system_setup(s, SYS_LONG, 0);
    c->bsp = false;
    c->xmm[3].q[0] = 0x1234;
    c->xmm[3].q[3] = 0x5678;
    c->mxcsr = 0x1fa0;
    c->mtrr_def = 0xc06;
    c->xcr0 = 7;
    c->pkru = 0x55555554;
    system_write(s, 0x9000, 0xf4, 1);
    s->bus.raise_init(s->bus.opaque, 0);
    s->bus.raise_sipi(s->bus.opaque, 0, 9);
    assert_true(system_run(s));
    assert_int_equal(c->segs[SEG_CS].selector, 0x900);
    assert_int_equal(c->cpu.pc, 1);
    assert_int_equal(c->cr0 & CR0_PE, 0);
    assert_int_equal(c->efer, 0);
    assert_int_equal(c->xmm[3].q[0], 0x1234);
    assert_int_equal(c->xmm[3].q[3], 0x5678);
    assert_int_equal(c->mxcsr, 0x1fa0);
    assert_int_equal(c->mtrr_def, 0xc06);
    assert_int_equal(c->xcr0, 7); /* extended state is not touched */
    assert_int_equal(c->pkru, 0x55555554);
    system_free(s);
}

static void test_reset_values(void **state)
{
    System *s = system_new(backend, "qemu64");
    CpuX86 *c = s->c;

    system_setup(s, SYS_LONG, 0);
    c->mtrr_def = 0xc06;
    c->xmm[3] = (VecReg){ .q = { 1, 2, 3, 4 } };
    c->xcr0 = 7;
    device_reset(s->machine.root);
    assert_int_equal(c->segs[SEG_CS].base, 0xffff0000);
    assert_int_equal(c->cpu.pc, 0xfff0);
    assert_int_equal(c->cr0, 0x60000010);
    assert_int_equal(c->regs[R_RDX], 0x60fb1);
    assert_int_equal(c->dr[6], 0xffff0ff0);
    assert_int_equal(c->dr[7], 0x400);
    assert_int_equal(c->mxcsr, 0x1f80);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(c->xmm[3].q[i], 0);
    assert_int_equal(c->xcr0, 1);
    assert_int_equal(c->smbase, 0x30000);
    assert_int_equal(c->mtrr_def, 0);
    assert_int_equal(c->mode & (X86_MODE_PE | X86_MODE_CS32 | X86_MODE_CS64 | X86_MODE_CPL), 0);
    system_free(s);
}

/* Everything that the list names comes back. */
static void test_state_round_trip(void **state)
{
    System *s = system_new(backend, "max");
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    CpuX86 *c = s->c;

    system_setup(s, SYS_LONG, 3);
    flags_set_packed(&c->cpu.cc, FLAG_CF | FLAG_OF);
    c->fpstt = 5;
    c->fpregs[2] = (X87Reg){ .frac = 0x8000000000000001ull, .se = 0x4001 };
    c->xmm[15].q[1] = 77;
    c->kernel_gs_base = 99;
    device_tree_save(s->machine.root, saved);
    device_reset(s->machine.root);
    assert_true(device_tree_load(s->machine.root, saved->data, saved->len, NULL));
    device_tree_save(s->machine.root, again);
    assert_int_equal(saved->len, again->len);
    assert_memory_equal(saved->data, again->data, saved->len);
    assert_int_equal(x86_cpl(c), 3);
    assert_int_equal(x86_get_eflags(c) & (FLAG_CF | FLAG_OF), FLAG_CF | FLAG_OF);
    assert_int_equal(c->fpregs[2].se, 0x4001);
    system_free(s);
}

static void time_is_up(void *opaque)
{
    *(bool *)opaque = true;
}

static bool ask_time(void *opaque, bool *quit)
{
    *quit = *(bool *)opaque;
    return true;
}

/* The handler of #UD begins with UD2, in a stack that is all of its segment: time passes all the
 * same, so that others are heard, and both back ends end alike. */
static void test_fault_for_ever(void **state)
{
    System *s = system_new(backend, "qemu64");
    bool over = false;
    Timer *timer = timer_new(s->machine.clock, time_is_up, &over);

    system_setup(s, SYS_REAL, 0);
    system_write(s, 6 * 4, USER_CODE << 12, 4);
    system_write(s, USER_CODE, 0x0b0f, 2);
    timer_set(timer, 5000);
    accel_run(s->accel, ask_time, &over);
    assert_true(over);
    assert_int_equal(s->c->cpu.pc, 0);
    assert_int_equal(s->c->common.faults, 1000);
    assert_int_equal((uint16_t)s->c->regs[R_RSP],
                     (uint16_t)(0x8000 - 6 * (999 + 5000 + TURN_LATE_INSNS)));
    timer_free(timer);
    system_free(s);
}

/* String instructions where no memory is: stores go nowhere, loads yield ones. */
static void test_moves_of_nothing(void **state)
{
    static const char code[] = "\xf3\xaa"         /* rep stosb: from RAM into the hole */
                               "\x4c\x89\xc7"     /* mov rdi, r8 */
                               "\x4c\x89\xc9"     /* mov rcx, r9 */
                               "\xf3\x48\xa5"     /* rep movsq: from the hole into RAM */
                               "\x4c\x89\xc9\xfd" /* mov rcx, r9; std */
                               "\x66\xf3\xa5"     /* rep movsw: what is around there */
                               "\xf3\x66\xab"     /* rep stosw: none */
                               "\xfc\xac\xf4";    /* cld; lodsb; hlt */
    System *s = system_new(backend, "max");
    CpuX86 *c = s->c;

    system_setup(s, SYS_LONG, 0);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    for (uint64_t at = TARGET; at <= HOLE; at += 2 << 20) /* pages of 2 MiB */
        system_write(s, TABLES_AT + 0x2000 + at / (2 << 20) * 8, at | 0x83, 8);
    c->regs[R_RAX] = 0x55;
    c->regs[R_RDI] = HOLE - 0x18;
    c->regs[R_RCX] = 0x2018;
    c->regs[R_RSI] = HOLE - 8;
    c->regs[R_R8] = TARGET + 4;
    c->regs[R_R8 + 1] = 0x401;
    assert_true(system_run(s));
    assert_int_equal(system_read(s, HOLE - 0x20, 8), 0);
    assert_int_equal(system_read(s, HOLE - 8, 8), 0x5555555555555555);
    assert_int_equal(system_read(s, TARGET + 4, 8), 0x5555555555555555);
    assert_int_equal(system_read(s, TARGET + 12, 8), UINT64_MAX);
    assert_int_equal(system_read(s, TARGET + 0x2004, 8), UINT64_MAX);
    assert_int_equal(c->regs[R_RSI], HOLE + 0x2000 - 0x802 + 1);
    assert_int_equal(c->regs[R_RDI], TARGET + 0x200c - 0x802);
    assert_int_equal(c->regs[R_RCX], 0);
    assert_int_equal(c->regs[R_RAX], 0xff);
    system_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_mode_switch), cmocka_unit_test(test_init_sipi),
        cmocka_unit_test(test_reset_values),     cmocka_unit_test(test_state_round_trip),
        cmocka_unit_test(test_fault_for_ever),   cmocka_unit_test(test_moves_of_nothing),
    };

    return system_run_tests(tests, &backend);
}
