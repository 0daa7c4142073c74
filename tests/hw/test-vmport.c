/* SPDX-License-Identifier: MIT */
/* VMware's backdoor: what QEMU 7.2 answers, to the commands that it knows and to others. */
#include "hw/vmport.h"
#include "tests/hw/fake-cpus.h"
#include "tests/hw/fixture.h"

#define MAGIC 0x564d5868

static const uint8_t uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static const struct {
    CpuRegs in, out;
} rows[] = {
    { { MAGIC, 1, 0xabcd000a, 0x5658 }, { 6, MAGIC, 2, 0x5658 } },
    { { MAGIC, 1, 0xabcd0013, 0x5658 }, { 0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc } },
    { { MAGIC, 1, 0xabcd0014, 0x5658 }, { 0x08000000, 0x1177, 0xabcd0014, 0x5658 } },
    { { MAGIC, 1, 0x2d, 0x5658 }, { MAGIC, 0xffffffff, 0x2d, 0x5658 } },
    { { MAGIC, 1, 0x44, 0x5658 }, { 8, 1, 0x44, 0x5658 } },
    { { MAGIC, 1, 0x17, 0x5658 }, { 0xffffffff, 1, 0x17, 0x5658 } }, /* the time */
    { { MAGIC, 1, 0xffff, 0x5658 }, { 0xffffffff, 1, 0xffff, 0x5658 } },
    { { MAGIC + 1, 1, 10, 0x5658 }, { 0xffffffff, 1, 10, 0x5658 } },
};

static void make(Fixture *f, FakeCpus *cpus)
{
    VmportWiring w = {
        .ports = &f->io_root, .cpus = &cpus->bus, .ram_size = 0x08000000, .uuid = uuid
    };

    fake_cpus_init(cpus, f, 1);
    cpus->bus.x2apic = true;
    vmport_new(f->root, &w);
    fixture_start(f);
}

static void test_commands(void **state)
{
    Fixture *f = *state;
    FakeCpus cpus;

    make(f, &cpus);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        cpus.regs = rows[i].in;
        assert_int_equal(fixture_inl(f, VMPORT_BASE), rows[i].out.eax);
        assert_memory_equal(&cpus.regs, &rows[i].out, sizeof(cpus.regs));
        cpus.regs = rows[i].in;
        fixture_outl(f, VMPORT_BASE, rows[i].in.eax);
        assert_memory_equal(&cpus.regs, &rows[i].out, sizeof(cpus.regs));
    }
}

/* Of any width; not at the ports behind it, and not for a monitor. */
static void test_accesses(void **state)
{
    Fixture *f = *state;
    CpuRegs version = { MAGIC, 0, 10, 0x5658 };
    FakeCpus cpus;

    make(f, &cpus);
    cpus.regs = version;
    assert_int_equal(fixture_inb(f, VMPORT_BASE), 6);
    assert_int_equal(cpus.regs.ebx, MAGIC);
    cpus.regs = version;
    assert_int_equal(fixture_inw(f, VMPORT_BASE), 6);
    cpus.regs = version;
    assert_int_equal(fixture_inb(f, VMPORT_BASE + 1), 0xff);
    fixture_outb(f, VMPORT_BASE + 3, 0);
    assert_memory_equal(&cpus.regs, &version, sizeof(version));
    cpus.idle = true;
    assert_int_equal(fixture_inl(f, VMPORT_BASE), 0xffffffff);
    assert_memory_equal(&cpus.regs, &version, sizeof(version));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commands, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_accesses, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
