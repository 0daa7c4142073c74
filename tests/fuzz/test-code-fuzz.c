/* SPDX-License-Identifier: MIT */
/*
 * Random bytes as system code, in every mode and privilege, over memory of the same: what they do
 * to modes, tables and the code itself is theirs. Engines compared: engines.h. Command line:
 * cases.h.
 */
#include "tests/fuzz/engines.h"

#define CODE_SIZE 0x1000
#define LOW_END   0x60000u

/* ---- Code ------------------------------------------------------------------------------------ */

static unsigned below(GRand *r, unsigned n)
{
    return g_rand_int_range(r, 0, n);
}

static uint8_t any_byte(GRand *r)
{
    return g_rand_int(r);
}

static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e,
                                    0x36, 0x3e, 0x64, 0x65, 0x48, 0x41, 0x4f };

/* Opcodes that do not end a block at once are most of what code is. */
static size_t put_insn(GRand *r, uint8_t *at)
{
    size_t n = 0;

    for (unsigned i = below(r, 3); i; i--)
        at[n++] = prefixes[below(r, sizeof(prefixes))];
    switch (below(r, 8)) {
    case 0: at[n++] = 0x0f; break;
    case 1:
        at[n++] = 0x0f;
        at[n++] = below(r, 2) ? 0x38 : 0x3a;
        break;
    case 2:
        at[n++] = 0xc5;
        at[n++] = any_byte(r);
        break;
    case 3:
        at[n++] = 0xc4;
        at[n++] = 0xe0 | (1 + below(r, 3));
        at[n++] = any_byte(r);
        break;
    }
    at[n++] = any_byte(r);
    for (unsigned i = below(r, 6); i; i--)
        at[n++] = any_byte(r);
    return n;
}

/* A jump back: loops are compiled otherwise. */
static size_t put_loop(GRand *r, uint8_t *at)
{
    static const uint8_t jumps[] = { 0xe2, 0xe0, 0x75, 0x72, 0x7f, 0xeb };

    at[0] = jumps[below(r, sizeof(jumps))];
    at[1] = 0x80 + below(r, 0x80);
    return 2;
}

static void put_code(GRand *r, uint8_t *at)
{
    for (size_t n = 0; n < CODE_SIZE;)
        n += below(r, 12) ? put_insn(r, at + n) : put_loop(r, at + n);
}

/* ---- State ----------------------------------------------------------------------------------- */

static uint64_t odd_register(GRand *r)
{
    switch (below(r, 6)) {
    case 0: return below(r, 256);
    case 1: return (uint64_t)g_rand_int(r) << 32 | g_rand_int(r);
    case 2: return UINT64_MAX - below(r, 16);
    case 3: return TABLES_AT + below(r, 0x4000);
    default: return below(r, LOW_END);
    }
}

static void put_state(System *s, GRand *r)
{
    uint8_t *ram = s->ram->host;

    for (uint32_t at = USER_CODE; at < LOW_END; at++)
        ram[at] = any_byte(r);
    put_code(r, ram + USER_CODE);
    put_code(r, ram + KERNEL_CODE);
    put_code(r, ram + CODE16);
    address_space_written(s->machine.memory, 0, SYSTEM_RAM);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = odd_register(r);

        if (i != R_RSP)
            s->c->regs[i] = value;
    }
}

/* Handlers of exceptions that go on somewhere: IRET, code, or the HLT that is there. */
static void put_handlers(System *s, GRand *r, SystemMode mode)
{
    for (unsigned v = 0; v < IDT_VECTORS; v++) {
        uint64_t at = HANDLERS_AT + 16 * v;

        switch (below(r, 4)) {
        case 0: put_insn(r, s->ram->host + at); break;
        case 1: system_write(s, at, mode == SYS_LONG ? 0xcf48 : 0xcf, 2); break;
        }
    }
}

/* ---- A case ---------------------------------------------------------------------------------- */

static const char *const models[] = { "qemu64", "486", "pentium3", "Nehalem", "Haswell,-hle,-rtm",
                                      NULL };
static const struct {
    SystemMode mode;
    unsigned cpl;
} starts[] = { { SYS_REAL, 0 }, { SYS_PROT, 0 },   { SYS_PROT, 3 },   { SYS_LONG, 0 },
               { SYS_LONG, 3 }, { SYS_COMPAT, 0 }, { SYS_COMPAT, 3 }, { SYS_VM86, 3 } };

static void setup(System *s, GRand *r, uint64_t seed)
{
    unsigned start = seed % G_N_ELEMENTS(starts);

    system_setup(s, starts[start].mode, starts[start].cpl);
    put_handlers(s, r, starts[start].mode);
    put_state(s, r);
}

static uint64_t go_on(GRand *r)
{
    return below(r, 2) ? KERNEL_CODE + below(r, CODE_SIZE) : below(r, CODE_SIZE);
}

int main(int argc, char **argv)
{
    static const EngineCases cases = {
        .in_suite = 50, .models = models, .turns = 12, .setup = setup, .go_on = go_on
    };

    return engines_main(argc, argv, &cases);
}
