/* SPDX-License-Identifier: MIT */
/*
 * Machine checks: what is logged, what is signalled, what shuts down. Intel SDM vol. 3B, 16.3 and
 * 16.7. Each test runs on every back end.
 */
#include "system.h"

#include <string.h>
#include "target-i386/help-system.h"
#include "target-i386/mce.h"

enum { BANK = 2, MSR_STATUS = 0x401 + 4 * BANK };
#define CORRECTED   (MCI_STATUS_VAL | MCI_STATUS_EN | 0x10)
#define UNCORRECTED (MCI_STATUS_VAL | MCI_STATUS_EN | MCI_STATUS_UC | 0x135)

static const char *backend;

/* A halted CPU in long mode. */
static System *start(uint64_t cr4)
{
    System *s = system_new(backend, "max");

    system_setup(s, SYS_LONG, 0);
    s->c->cr4 |= cr4;
    system_write(s, KERNEL_CODE, 0xf4, 1);
    assert_true(system_run(s));
    return s;
}

static void check(System *s, uint64_t status, uint64_t addr)
{
    X86MachineCheck e = { .bank = BANK,
                          .status = status,
                          .mcg_status = MCG_STATUS_RIPV,
                          .addr = addr,
                          .misc = addr + 1 };

    assert_true(x86_machine_check(s->c, &e, NULL));
}

static uint64_t msr(System *s, uint32_t n)
{
    return help_rdmsr(s->c, n);
}

static void test_uncorrected(void **state)
{
    System *s = start(CR4_MCE);

    check(s, UNCORRECTED, 0x1000);
    assert_true(system_run(s)); /* it ends HLT; IF is clear */
    assert_int_equal(system_vector(s), EXCP_MC);
    assert_int_equal(system_read(s, s->c->regs[R_RSP], 8), KERNEL_CODE + 1); /* no error code */
    assert_int_equal(msr(s, 0x17a), MCG_STATUS_RIPV | MCG_STATUS_MCIP);
    assert_int_equal(msr(s, MSR_STATUS), UNCORRECTED);
    assert_int_equal(msr(s, MSR_STATUS + 1), 0x1000);
    assert_int_equal(msr(s, MSR_STATUS + 2), 0x1001);
    check(s, UNCORRECTED, 0x2000); /* while one is in progress */
    assert_true(s->machine.requests & REQUEST_RESET);
    system_free(s);
}

static void test_without_mce(void **state)
{
    System *s = start(0);

    check(s, UNCORRECTED, 0x1000);
    assert_true(s->machine.requests & REQUEST_RESET);
    system_free(s);
}

static void test_corrected(void **state)
{
    System *s = start(CR4_MCE);

    check(s, CORRECTED, 0x1000);
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, KERNEL_CODE + 1); /* still halted */
    assert_int_equal(msr(s, MSR_STATUS), CORRECTED);
    check(s, CORRECTED | 0x80, 0x2000); /* the first stays */
    assert_int_equal(msr(s, MSR_STATUS), CORRECTED | MCI_STATUS_OVER);
    assert_int_equal(msr(s, MSR_STATUS + 1), 0x1000);
    check(s, UNCORRECTED, 0x3000); /* worse ones take its place */
    assert_int_equal(msr(s, MSR_STATUS), UNCORRECTED | MCI_STATUS_OVER);
    assert_int_equal(msr(s, MSR_STATUS + 1), 0x3000);
    assert_true(system_run(s));
    assert_int_equal(system_vector(s), EXCP_MC);
    help_wrmsr(s->c, 0x17a, 0);
    check(s, UNCORRECTED | 0x80, 0x4000); /* … and stay */
    assert_int_equal(msr(s, MSR_STATUS), UNCORRECTED | MCI_STATUS_OVER);
    help_wrmsr(s->c, MSR_STATUS, 0);
    assert_int_equal(msr(s, MSR_STATUS), 0);
    system_free(s);
}

/* Not enabled in the bank or at large: logged without EN, not signalled. */
static void test_disabled(void **state)
{
    static const uint32_t controls[] = { 0x17b, MSR_STATUS - 1 };

    for (unsigned i = 0; i < G_N_ELEMENTS(controls); i++) {
        System *s = start(CR4_MCE);

        help_wrmsr(s->c, controls[i], 0);
        check(s, UNCORRECTED, 0x1000);
        assert_true(system_run(s));
        assert_int_equal(s->c->cpu.pc, KERNEL_CODE + 1);
        assert_int_equal(msr(s, MSR_STATUS), UNCORRECTED & ~MCI_STATUS_EN);
        system_free(s);
    }
}

static void test_refused(void **state)
{
    X86MachineCheck e = { .bank = X86_MCE_BANKS, .status = UNCORRECTED };
    System *s = start(CR4_MCE);
    GError *error = NULL;

    assert_false(x86_machine_check(s->c, &e, &error));
    assert_non_null(error);
    g_clear_error(&error);
    e = (X86MachineCheck){ .bank = 0, .status = 1 };
    assert_false(x86_machine_check(s->c, &e, &error));
    g_clear_error(&error);
    assert_int_equal(msr(s, 0x179), X86_MCE_BANKS | 1 << 8 | 1 << 24);
    system_free(s);
}

/* What another CPU found. */
static void test_broadcast(void **state)
{
    System *s = start(CR4_MCE);

    assert_true(x86_can_broadcast_machine_check(s->c));
    x86_hear_machine_check(s->c);
    assert_true(system_run(s));
    assert_int_equal(system_vector(s), EXCP_MC);
    assert_int_equal(msr(s, 0x17a), MCG_STATUS_RIPV | MCG_STATUS_MCIP);
    assert_int_equal(msr(s, 0x405), MCI_STATUS_VAL | MCI_STATUS_UC);
    system_free(s);
    s = system_new(backend, "pentium3");
    assert_false(x86_can_broadcast_machine_check(s->c));
    system_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uncorrected), cmocka_unit_test(test_without_mce),
        cmocka_unit_test(test_corrected),   cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_broadcast),
    };

    return system_run_tests(tests, &backend);
}
