/* SPDX-License-Identifier: MIT */
/*
 * MONITOR and MWAIT: what ends the wait. Intel SDM vol. 3A, 9.10 (monitor/mwait), vol. 2B. Each
 * test runs on every back end.
 */
#include "system.h"

#include <string.h>

enum { LINE = PAGE_USER + 0x80, GOES_ON = KERNEL_CODE + 9 };

static const char *backend;

/* At "monitor; mwait; inc ebx; hlt" with the line at @addr; MWAIT's ECX is @extensions. */
static System *start(uint64_t addr, uint32_t extensions, unsigned cpus)
{
    static const uint8_t code[] = { 0x0f, 0x01, 0xc8, 0x89, 0xd1, 0x90,
                                    0x0f, 0x01, 0xc9, 0xff, 0xc3, 0xf4 };
    System *s = system_new_smp(backend, "max", cpus);

    system_setup(s, SYS_LONG, 0);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    s->c->regs[R_RAX] = addr;
    s->c->regs[R_RDX] = extensions;
    return s;
}

static void assert_waits(System *s)
{
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, GOES_ON);
    assert_int_equal(s->c->regs[R_RBX], 0);
}

static void assert_woken(System *s)
{
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, GOES_ON + 3);
    assert_int_equal(s->c->regs[R_RBX], 1);
    assert_int_equal(s->c->common.monitor, 0);
    assert_int_equal(s->c->cpu.interrupt_request & CPU_INT_WAKE, 0);
}

static void test_dma(void **state)
{
    System *s = start(LINE + 5, 0, 1);

    assert_waits(s);
    system_write(s, LINE - 1, 1, 1);
    system_write(s, LINE + 64, 1, 4);
    assert_waits(s);
    system_write(s, LINE + 60, 0, 8); /* what is there already, and over the end */
    assert_woken(s);
    system_write(s, LINE, 0, 4); /* the mark has gone with the wait */
    assert_int_equal(s->c->cpu.interrupt_request, 0);
    system_free(s);
}

/* Between MONITOR and MWAIT. */
static void test_too_early(void **state)
{
    static const uint8_t code[] = { 0x0f, 0x01, 0xc8, 0x67,
                                    0xc6, 0x00, 0x07, /* mov byte [eax], 7 */
                                    0x0f, 0x01, 0xc9, 0xf4 };
    System *s = start(LINE, 0, 1);

    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, KERNEL_CODE + sizeof(code));
    assert_int_equal(system_read(s, LINE, 1), 7);
    system_free(s);
}

static void test_another_cpu(void **state)
{
    /* mov ax, LINE >> 4; mov ds, ax; mov [0x40], al (the next line); pause; mov [0x3f], al; hlt */
    static const uint8_t code[] = { 0xb8, 0x08, 0x45, 0x8e, 0xd8, 0xa2, 0x40,
                                    0x00, 0xf3, 0x90, 0xa2, 0x3f, 0x00, 0xf4 };
    System *s = start(LINE, 0, 2);

    address_space_write_bytes(s->machine.memory, 0x9000, code, sizeof(code));
    assert_waits(s);
    s->bus.raise_init(s->bus.opaque, 1);
    s->bus.raise_sipi(s->bus.opaque, 1, 9);
    assert_woken(s);
    assert_int_equal(system_read(s, LINE + 0x3f, 1), 0x08);
    system_free(s);
}

static void test_interrupts(void **state)
{
    System *s = start(LINE, 0, 1);

    assert_waits(s);
    s->irq_vector = 0x40;
    s->bus.set_intr(s->bus.opaque, 0, 1);
    assert_waits(s); /* masked */
    s->c->eflags |= EFL_IF;
    assert_true(system_run(s));
    assert_int_equal(system_vector(s), 0x40);
    assert_int_equal(system_read(s, s->c->regs[R_RSP], 8), GOES_ON);
    assert_int_equal(s->c->common.monitor, 0);
    system_free(s);

    s = start(LINE, 1, 1); /* also masked ones: it goes on without taking it */
    assert_waits(s);
    s->irq_vector = 0x40;
    s->bus.set_intr(s->bus.opaque, 0, 1);
    assert_woken(s);
    assert_int_equal(s->irq_vector, 0x40);
    system_free(s);

    s = start(LINE, 0, 1);
    assert_waits(s);
    s->bus.raise_nmi(s->bus.opaque, 0);
    assert_true(system_run(s));
    assert_int_equal(system_vector(s), EXCP_NMI);
    system_free(s);
}

/* An SMI ends the wait: RSM goes on behind MWAIT. */
static void test_smi(void **state)
{
    System *s = start(LINE, 0, 1);

    assert_waits(s);
    system_write(s, 0x38000, 0xaa0f, 2);
    s->bus.raise_smi(s->bus.opaque, 0);
    assert_woken(s);
    assert_int_equal(system_read(s, 0x3fec9, 1), 0);
    system_free(s);
}

/* A wait that was saved goes on after loading, and what was saved before it is woken is not lost.
 */
static void test_saved(void **state)
{
    System *s = start(LINE, 0, 1);
    g_autoptr(GByteArray) saved = g_byte_array_new();

    assert_waits(s);
    device_tree_save(s->machine.root, saved);
    system_write(s, LINE, 1, 1);
    assert_woken(s);
    assert_true(device_tree_load(s->machine.root, saved->data, saved->len, NULL));
    assert_waits(s);
    system_write(s, LINE, 1, 1);
    assert_woken(s);
    system_free(s);
}

/* No memory there: there is nothing to wait for. */
static void test_not_ram(void **state)
{
    System *s = start(LINE, 0, 1);

    system_write(s, TABLES_AT + 0x3000 + 0x50 * 8, 0xe0000003, 8); /* page 0x50000 */
    s->c->regs[R_RAX] = 0x50000;
    assert_woken(s);
    system_free(s);
}

/* One CPU may watch a line that another has watched, and one page holds code, too. */
static void test_marks(void **state)
{
    System *s = start(KERNEL_CODE + 0x100, 0, 1);

    assert_waits(s);
    s->c->regs[R_RBX] = 0;
    system_write(s, KERNEL_CODE + 0x140, 0xf4, 1);
    assert_waits(s);
    system_write(s, KERNEL_CODE + 9, 0x90f490f4, 4); /* code, not the line */
    assert_waits(s);
    system_write(s, KERNEL_CODE + 0x100, 1, 1);
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, GOES_ON + 1);
    system_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dma),         cmocka_unit_test(test_too_early),
        cmocka_unit_test(test_another_cpu), cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_smi),         cmocka_unit_test(test_saved),
        cmocka_unit_test(test_not_ram),     cmocka_unit_test(test_marks),
    };

    return system_run_tests(tests, &backend);
}
