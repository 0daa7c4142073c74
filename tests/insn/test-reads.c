/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions with an operand in a device, which is read once whatever the value does: NaNs,
 * denormals, stack faults, unmasked exceptions, a data breakpoint. Intel SDM vol. 1, chapter 8.
 */
#include "system.h"

#include <string.h>

enum { DEVICE = 0x600000, EMPTY = 0xff, ONE = 0xfe, FULL = 0 /* tags */ };
enum { MASKED = 0x37f, UNMASKED = 0x340 };

typedef struct Row {
    const char *name;
    uint8_t code[2]; /* with the operand at [ebx] */
    uint8_t bytes;
    uint64_t value; /* of what is read at each offset */
    uint8_t tags;   /* before; registers hold 1.0 */
    uint16_t fcw, fsw;
} Row;

typedef struct Operand {
    const Row *row;
    unsigned bytes;
} Operand;

/* clang-format off */
static const Row rows[] = {
    { "fadd m32, SNaN",              { 0xd8, 0x03 }, 4, 0x7f800001, ONE, MASKED, 0x0001 },
    { "fadd m32, denormal",          { 0xd8, 0x03 }, 4, 1, ONE, MASKED, 0x0022 },
    { "fadd m32, 1.0",               { 0xd8, 0x03 }, 4, 0x3f800000, ONE, MASKED, 0 },
    { "fmul m64, denormal",          { 0xdc, 0x0b }, 8, 1, ONE, MASKED, 0x0002 },
    { "fdiv m64, QNaN",              { 0xdc, 0x33 }, 8, 0x7ff8ull << 48, ONE, MASKED, 0 },
    { "fcomp m64, QNaN",             { 0xdc, 0x1b }, 8, 0x7ff8ull << 48, ONE, MASKED, 0x4501 },
    { "fcom m32, denormal",          { 0xd8, 0x13 }, 4, 1, ONE, MASKED, 0x0002 },
    { "fsubr m32, no ST(0)",         { 0xd8, 0x2b }, 4, 0x3f800000, EMPTY, MASKED, 0x0041 },
    { "fdivr m64, SNaN, unmasked",   { 0xdc, 0x3b }, 8, 0x7ff1ull << 48, ONE, UNMASKED, 0x8081 },
    { "fsub m64, denormal, unmasked", { 0xdc, 0x23 }, 8, 1, ONE, UNMASKED, 0x8082 },
    { "fiadd m16, no ST(0)",         { 0xde, 0x03 }, 2, 7, EMPTY, MASKED, 0x0041 },
    { "fidiv m32, 0",                { 0xda, 0x33 }, 4, 0, ONE, MASKED, 0x0004 },
    { "ficomp m32, no ST(0)",        { 0xda, 0x1b }, 4, 7, EMPTY, MASKED, 0x4541 },
    { "fld m32, SNaN",               { 0xd9, 0x03 }, 4, 0x7f800001, EMPTY, MASKED, 0x0001 },
    { "fld m64, denormal",           { 0xdd, 0x03 }, 8, 1, EMPTY, MASKED, 0x0002 },
    { "fld m64, no room",            { 0xdd, 0x03 }, 8, 1, FULL, MASKED, 0x0241 },
    { "fld m80, no room",            { 0xdb, 0x2b }, 10, 1, FULL, MASKED, 0x0241 },
    { "fld m80, SNaN",               { 0xdb, 0x2b }, 10, 0x7fffull, EMPTY, MASKED, 0 },
    { "fild m16, no room",           { 0xdf, 0x03 }, 2, 1, FULL, MASKED, 0x0241 },
    { "fild m64, no room, unmasked", { 0xdf, 0x2b }, 8, 1, FULL, UNMASKED, 0x82c1 },
    { "fbld, no room",               { 0xdf, 0x23 }, 10, 1, FULL, MASKED, 0x0241 },
};
/* clang-format on */

static const char *backend;

static uint64_t device_read(void *opaque, uint64_t addr, unsigned size)
{
    Operand *operand = opaque;

    operand->bytes += size;
    return operand->row->value;
}

static void device_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
}

static const MemOps ops = { device_read, device_write, 1, 8 };

static void start(System *s, const Row *row)
{
    CpuX86 *c = s->c;
    uint8_t code[] = { row->code[0], row->code[1], 0xf4 };

    system_setup(s, SYS_PROT, 0);
    address_space_write_bytes(s->machine.memory, KERNEL_CODE, code, sizeof(code));
    c->regs[R_RBX] = DEVICE;
    for (unsigned i = 0; i < 8; i++)
        c->fpregs[i] = (X87Reg){ .frac = 1ull << 63, .se = 0x3fff };
    c->fptags = row->tags;
    c->fpstt = 0;
    c->fsw = 0;
    c->fcw = row->fcw;
}

static void check(System *s, const Row *row, const Operand *operand)
{
    const CpuX86 *c = s->c;
    uint16_t fop = (uint16_t)((row->code[0] & 7) << 8 | row->code[1]);

    if (operand->bytes != row->bytes || c->fsw != row->fsw || c->fop != fop ||
        c->fip != KERNEL_CODE || c->fdp != DEVICE)
        fail_msg("%s: %u bytes read, FSW %04x, FOP %03x, FIP %x, FDP %x", row->name, operand->bytes,
                 c->fsw, c->fop, (unsigned)c->fip, (unsigned)c->fdp);
}

static void run_rows(bool watched)
{
    System *s = system_new(backend, "max");
    Operand operand = { 0 };
    MemRegion region;

    memory_init_io(&region, "operand", &ops, &operand, 0x1000);
    memory_add(&s->machine.memory_root, DEVICE, 0, &region);
    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        operand = (Operand){ .row = &rows[n] };
        start(s, &rows[n]);
        s->c->dr[0] = DEVICE;
        s->c->dr[7] = watched ? 0xf0001 : 0; /* 4 bytes, reads too */
        x86_update_mode(s->c);
        assert_true(system_run(s));
        assert_int_equal(system_vector(s), watched ? EXCP_DB : -1);
        assert_int_equal(s->c->dr[6] & 15, watched);
        check(s, &rows[n], &operand);
    }
    memory_remove(&region);
    memory_destroy(&region);
    system_free(s);
}

static void test_once(void **state)
{
    run_rows(false);
}

static void test_once_watched(void **state)
{
    run_rows(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_once_watched),
    };

    return system_run_tests(tests, &backend);
}
