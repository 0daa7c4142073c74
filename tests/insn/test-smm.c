/* SPDX-License-Identifier: MIT */
/*
 * System management mode: what an SMI saves and where, the state that the handler finds, what RSM
 * brings back, and what is blocked in between. AMD APM vol. 2, chapter 10; Intel SDM vol. 3C,
 * chapter 32. Each test runs on every back end.
 */
#include "system.h"

#include <string.h>

enum {
    SMBASE = 0x30000,
    HANDLER = SMBASE + 0x8000,
    AREA = SMBASE + 0x8000,
    OTHER = 0x50000,
    MARK = 0x60000
};

static const char *backend;
static const uint8_t rsm[] = { 0x0f, 0xaa }, hlt_rsm[] = { 0xf4, 0x0f, 0xaa };

static void put(System *s, uint64_t at, const void *code, size_t len)
{
    address_space_write_bytes(s->machine.memory, at, code, len);
}

/* A CPU about to run "hlt; inc ecx; hlt" in @mode, with @handler for its SMIs. */
static System *start(const char *model, SystemMode mode, const void *handler, size_t len)
{
    static const uint8_t code[] = { 0xf4, 0xff, 0xc1, 0xf4 };
    System *s = system_new(backend, model);

    system_setup(s, mode, 0);
    put(s, system_code_base(mode, 0), code, sizeof(code));
    put(s, HANDLER, handler, len);
    return s;
}

static void smi(System *s)
{
    s->bus.raise_smi(s->bus.opaque, 0);
}

/* The handler stops in its first instruction: look at what was saved and what it was given. */
static void test_entry_64(void **state)
{
    System *s = start("max", SYS_LONG, hlt_rsm, sizeof(hlt_rsm));
    CpuX86 *c = s->c;
    uint64_t cr0 = c->cr0;

    c->regs[R_RAX] = 0x1122334455667788;
    c->regs[15] = 0x99;
    c->segs[SEG_FS].base = 0xffff800000001000;
    c->eflags |= EFL_IF;
    flags_set_packed(&c->cpu.cc, FLAG_CF);
    c->dr[7] = 0x401;
    c->cr4 |= CR4_DE;
    x86_update_mode(c);
    smi(s);
    assert_true(system_run(s));
    assert_true(c->in_smm);
    assert_int_equal(c->smi_count, 1);
    assert_int_equal(c->cpu.pc, 0x8001);
    assert_int_equal(c->segs[SEG_CS].selector, SMBASE >> 4);
    assert_int_equal(c->segs[SEG_CS].base, SMBASE);
    assert_int_equal(c->segs[SEG_CS].limit, 0xffffffff);
    assert_int_equal(c->segs[SEG_DS].base, 0);
    assert_int_equal(c->segs[SEG_DS].limit, 0xffffffff);
    assert_int_equal(c->cr0, cr0 & ~(uint64_t)(CR0_PE | CR0_PG));
    assert_int_equal(c->cr4, 0);
    assert_int_equal(c->efer, 0);
    assert_int_equal(c->dr[7], 0x400);
    assert_int_equal(x86_get_eflags(c), 2);
    assert_int_equal(c->mode & (X86_MODE_PE | X86_MODE_CS32 | X86_MODE_CS64), 0);
    assert_int_equal(system_read(s, AREA + 0x7ff8, 8), 0x1122334455667788);
    assert_int_equal(system_read(s, AREA + 0x7f80, 8), 0x99);
    assert_int_equal(system_read(s, AREA + 0x7f78, 8), KERNEL_CODE);
    assert_int_equal(system_read(s, AREA + 0x7f70, 8), EFL_IF | FLAG_CF | 2);
    assert_int_equal(system_read(s, AREA + 0x7f60, 8), 0x401);
    assert_int_equal(system_read(s, AREA + 0x7f58, 8), cr0);
    assert_int_equal(system_read(s, AREA + 0x7f50, 8), TABLES_AT);
    assert_int_equal(system_read(s, AREA + 0x7f48, 8), CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_DE);
    assert_int_equal(system_read(s, AREA + 0x7f00, 4), SMBASE);
    assert_int_equal(system_read(s, AREA + 0x7efc, 4), 0x30064);
    assert_int_equal(system_read(s, AREA + 0x7ed0, 8), EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE);
    assert_int_equal(system_read(s, AREA + 0x7ec9, 1), 0);
    assert_int_equal(system_read(s, AREA + 0x7e48, 8), 0xffff800000001000);
    assert_int_equal(system_read(s, AREA + 0x7e10, 2), SEL_CODE64);
    assert_int_equal(system_read(s, AREA + 0x7e12, 2), 0xa09b);
    assert_int_equal(system_read(s, AREA + 0x7e68, 8), GDT_AT);
    assert_int_equal(system_read(s, AREA + 0x7e90, 2), SEL_TSS);
    system_free(s);
}

/* After RSM everything is as it was, and the interrupted code goes on. */
static void test_return_64(void **state)
{
    static const uint8_t handler[] = {
        0x31, 0xc0, 0x31, 0xdb, 0x31, 0xe4,             /* xor ax, ax … bx, sp */
        0x67, 0xc6, 0x05, 0x00, 0x00, 0x06, 0x00, 0x77, /* mov byte [MARK], 0x77 */
        0x0f, 0xaa,
    };
    System *s = start("max", SYS_LONG, handler, sizeof(handler));
    CpuX86 *c = s->c;
    uint64_t cr0 = c->cr0, cr4 = c->cr4 |= CR4_OSXSAVE, efer = c->efer;

    c->xcr0 = 7;
    c->xmm[3].q[3] = 0x5678;
    c->mxcsr = 0x1fa0;
    c->regs[R_RAX] = 0x1122334455667788;
    c->regs[R_RBX] = 5;
    x86_update_mode(c);
    c->segs[SEG_GS].base = 0xffff800000001000;
    smi(s);
    assert_true(system_run(s));
    assert_false(c->in_smm);
    assert_int_equal(system_read(s, MARK, 1), 0x77);
    assert_int_equal(c->cpu.pc, KERNEL_CODE + 1);
    assert_int_equal(c->regs[R_RAX], 0x1122334455667788);
    assert_int_equal(c->regs[R_RBX], 5);
    assert_int_equal(c->regs[R_RSP], KERNEL_STACK);
    assert_int_equal(c->segs[SEG_GS].base, 0xffff800000001000);
    assert_int_equal(c->cr0, cr0);
    assert_int_equal(c->cr4, cr4);
    assert_int_equal(c->efer, efer);
    assert_int_equal(c->xcr0, 7);
    assert_int_equal(c->xmm[3].q[3], 0x5678);
    assert_int_equal(c->mxcsr, 0x1fa0);
    assert_true(c->mode & X86_MODE_AVX);
    assert_true(x86_is_64bit_code(c));
    system_free(s);
}

/* CPUs without long mode: the legacy map. */
static void test_legacy_map(void **state)
{
    System *s = start("pentium3", SYS_PROT, hlt_rsm, sizeof(hlt_rsm));
    CpuX86 *c = s->c;

    c->regs[R_RAX] = 0x11223344;
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(system_read(s, AREA + 0x7ffc, 4), CR0_PE | CR0_ET | CR0_NE | CR0_WP);
    assert_int_equal(system_read(s, AREA + 0x7ff4, 4), 2);
    assert_int_equal(system_read(s, AREA + 0x7ff0, 4), KERNEL_CODE);
    assert_int_equal(system_read(s, AREA + 0x7fd0, 4), 0x11223344);
    assert_int_equal(system_read(s, AREA + 0x7fe0, 4), KERNEL_STACK);
    assert_int_equal(system_read(s, AREA + 0x7fac, 4), SEL_CODE32);
    assert_int_equal(system_read(s, AREA + 0x7fb4, 4), SEL_DATA);
    assert_int_equal(system_read(s, AREA + 0x7fc4, 4), SEL_TSS);
    assert_int_equal(system_read(s, AREA + 0x7f74, 4), GDT_AT);
    assert_int_equal(system_read(s, AREA + 0x7efc, 4), 0x30000);
    assert_int_equal(system_read(s, AREA + 0x7ef8, 4), SMBASE);
    assert_int_equal(system_read(s, AREA + 0x7f02, 2), 0);
    c->common.halted = false; /* on to RSM */
    assert_true(system_run(s));
    assert_int_equal(c->cpu.pc, KERNEL_CODE + 1);
    assert_int_equal(c->regs[R_RAX], 0x11223344);
    assert_int_equal(c->segs[SEG_CS].selector, SEL_CODE32);
    assert_int_equal(c->segs[SEG_SS].limit, 0xffffffff);
    assert_int_equal(c->tr.base, TSS_AT);
    assert_true(c->mode & X86_MODE_CS32);
    assert_true(c->mode & X86_MODE_PE);
    system_free(s);
}

static void test_relocation(void **state)
{
    static const uint8_t handler[] = {
        0x67, 0x66, 0xc7, 0x05, 0x00, 0xff, 0x03, 0x00, 0x00, 0x00, 0x05, 0x00, 0x0f, 0xaa,
    };
    System *s = start("max", SYS_LONG, handler, sizeof(handler));

    put(s, OTHER + 0x8000, hlt_rsm, sizeof(hlt_rsm));
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(s->c->smbase, OTHER);
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(s->c->segs[SEG_CS].base, OTHER);
    assert_int_equal(system_read(s, OTHER + 0xff78, 8), KERNEL_CODE + 1);
    s->bus.raise_init(s->bus.opaque, 0); /* INIT keeps SMBASE, and waits for RSM */
    assert_true(system_run(s));
    assert_true(s->c->in_smm);
    s->c->common.halted = s->c->bsp = false; /* another than the first waits for a start-up IPI */
    assert_true(system_run(s));
    assert_false(s->c->in_smm);
    assert_true(s->c->sipi_wait);
    assert_int_equal(s->c->cr0 & CR0_PE, 0);
    assert_int_equal(s->c->smbase, OTHER);
    device_reset(s->machine.root);
    assert_int_equal(s->c->smbase, SMBASE);
    system_free(s);
}

/* HLT is gone back into, unless the handler clears the flag. */
static void test_auto_halt(void **state)
{
    static const uint8_t clear[] = { 0x67, 0xc6, 0x05, 0xc9, 0xfe, 0x03, 0x00, 0x00, 0x0f, 0xaa };
    System *s = start("max", SYS_LONG, rsm, sizeof(rsm));
    CpuX86 *c = s->c;

    assert_true(system_run(s));
    assert_int_equal(c->cpu.pc, KERNEL_CODE + 1);
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(system_read(s, AREA + 0x7ec9, 1), 1);
    assert_int_equal(system_read(s, AREA + 0x7f78, 8), KERNEL_CODE + 1);
    assert_int_equal(c->smi_count, 1);
    assert_int_equal(c->cpu.pc, KERNEL_CODE + 1);
    assert_int_equal(c->regs[R_RCX], 0);
    put(s, HANDLER, clear, sizeof(clear));
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(c->cpu.pc, KERNEL_CODE + 4);
    assert_int_equal(c->regs[R_RCX], 1);
    system_free(s);
}

/* SMI and NMI wait for RSM. An NMI that was blocked before is so after. */
static void test_blocking(void **state)
{
    System *s = start("max", SYS_LONG, hlt_rsm, sizeof(hlt_rsm));
    CpuX86 *c = s->c;

    smi(s);
    assert_true(system_run(s));
    smi(s);
    s->bus.raise_nmi(s->bus.opaque, 0);
    assert_false(x86_cpu_ops.has_work(&c->cpu));
    c->common.halted = false;
    assert_true(system_run(s));
    assert_int_equal(c->smi_count, 2); /* at once after RSM, before the NMI */
    assert_int_equal(system_read(s, AREA + 0x7f78, 8), KERNEL_CODE);
    c->common.halted = false;
    assert_true(system_run(s));
    assert_false(c->in_smm);
    assert_int_equal(system_vector(s), EXCP_NMI);
    assert_true(c->nmi_blocked);
    put(s, HANDLER, rsm, sizeof(rsm));
    s->bus.raise_nmi(s->bus.opaque, 0);
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(c->smi_count, 3);
    assert_true(c->nmi_blocked);
    assert_int_equal(system_vector(s), EXCP_NMI);
    system_free(s);
}

/* What RSM will not load shuts the CPU down. */
static void test_bad_state(void **state)
{
    static const struct {
        unsigned at, size;
        uint64_t value;
    } rows[] = {
        { 0x7f48, 8, 1ull << 31 | CR4_PAE },         /* CR4: reserved bit */
        { 0x7f48, 8, 0 },                            /* long mode without PAE */
        { 0x7f58, 8, CR0_PG | CR0_ET },              /* PG without PE */
        { 0x7f58, 8, CR0_PG | CR0_PE | CR0_NW },     /* NW without CD */
        { 0x7ed0, 8, EFER_LMA },                     /* LMA without LME */
        { 0x7ed0, 8, EFER_LME | EFER_LMA | 1 << 1 }, /* EFER: reserved bit */
        { 0x7f78, 8, 1ull << 60 },                   /* RIP not canonical */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        System *s = start("max", SYS_LONG, hlt_rsm, sizeof(hlt_rsm));

        smi(s);
        assert_true(system_run(s));
        system_write(s, AREA + rows[i].at, rows[i].value, rows[i].size);
        s->c->common.halted = false;
        assert_true(system_run(s));
        assert_true(s->machine.requests & REQUEST_RESET);
        system_free(s);
    }
}

/* Fetches may be shown other memory than data accesses (a closed SMRAM). */
static void test_views(void **state)
{
    static const uint8_t handler[] = {
        0x67, 0xa0, 0x03, 0x80, 0x0a, 0x00, /* mov al, [0xa8003] */
        0xf4, 0x0f, 0xaa,
    };
    System *s = start("max", SYS_LONG, rsm, sizeof(rsm));
    MemRegion root, all, smram;
    RamBlock *ram = ram_block_new(s->machine.ram, "smram", 0x20000, NULL);

    memory_init_container(&root, "code", 1ull << 52);
    memory_init_alias(&all, "all", &s->machine.memory_root, 0, 1ull << 52);
    memory_init_ram(&smram, "smram", ram, 0, 0x20000);
    memory_add(&root, 0, 0, &all);
    memory_add(&root, 0xa0000, 1, &smram);
    s->machine.smm_code = address_space_new("code", &root, s->machine.ram);
    s->machine.smm_memory = s->machine.memory;
    address_space_write_bytes(s->machine.smm_code, 0xa8000, handler, sizeof(handler));
    system_write(s, 0xa8003, 0x5a, 1);
    s->c->smbase = 0xa0000;
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RAX] & 0xff, 0x5a);
    s->c->common.halted = false;
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, KERNEL_CODE + 1);
    /* the other way round: data goes where fetches go */
    s->machine.smm_memory = s->machine.smm_code;
    smi(s);
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RAX] & 0xff, handler[3]);
    assert_ptr_equal(s->c->common.memory, s->machine.smm_code);
    device_reset(s->machine.root);
    assert_ptr_equal(s->c->common.memory, s->machine.memory);
    address_space_free(s->machine.smm_code);
    s->machine.smm_code = s->machine.smm_memory = NULL;
    memory_remove(&all);
    memory_remove(&smram);
    memory_destroy(&all);
    memory_destroy(&smram);
    memory_destroy(&root);
    system_free(s);
}

/* A state saved within SMM goes on there. */
static void test_saved_in_smm(void **state)
{
    System *s = start("max", SYS_LONG, hlt_rsm, sizeof(hlt_rsm));
    g_autoptr(GByteArray) saved = g_byte_array_new();

    smi(s);
    assert_true(system_run(s));
    device_tree_save(s->machine.root, saved);
    device_reset(s->machine.root);
    assert_false(s->c->in_smm);
    assert_true(device_tree_load(s->machine.root, saved->data, saved->len, NULL));
    assert_true(s->c->in_smm);
    assert_int_equal(s->c->smi_count, 1);
    assert_true(s->c->mode & X86_MODE_SMM);
    s->c->common.halted = false;
    assert_true(system_run(s));
    assert_int_equal(s->c->cpu.pc, KERNEL_CODE + 1);
    system_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_64),     cmocka_unit_test(test_return_64),
        cmocka_unit_test(test_legacy_map),   cmocka_unit_test(test_relocation),
        cmocka_unit_test(test_auto_halt),    cmocka_unit_test(test_blocking),
        cmocka_unit_test(test_bad_state),    cmocka_unit_test(test_views),
        cmocka_unit_test(test_saved_in_smm),
    };

    return system_run_tests(tests, &backend);
}
