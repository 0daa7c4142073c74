/* SPDX-License-Identifier: MIT */
/*
 * What the tables refuse of VEX-encoded bytes (VEX.L, W and vvvv that an instruction does not have,
 * opcodes that are none) raises #UD on silicon too. Not looked at: what the tables do not know at
 * all, instructions on opmask registers (AVX-512).
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "target-i386/decode.h"

enum { MAX_REPORTS = 20 };

static uint64_t seed = 0x2545f4914f6cdd1d;
static unsigned reports;

static unsigned rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

static bool host_has_vnni(void)
{
#ifdef __x86_64__
    unsigned a = 0, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
#else
    return false;
#endif
}

static bool is_beyond_tables(unsigned map, unsigned opcode)
{
    if (map == 2 && opcode >= 0x50 && opcode <= 0x53 && host_has_vnni())
        return true;
    return map == 1 ? (opcode >= 0x41 && opcode <= 0x4b) || (opcode >= 0x90 && opcode <= 0x99)
                    : map == 3 && opcode >= 0x30 && opcode <= 0x33;
}

/* #UD by the manuals, and what the vendor's processors make of it nevertheless. */
static const struct {
    HostVendor vendor;
    uint8_t map, opcode, w;
    const char *what;
} executed[] = {
    { HOST_AMD, 3, 0x00, 0, "VPERMQ without VEX.W" },
    { HOST_AMD, 3, 0x01, 0, "VPERMPD without VEX.W" },
    { HOST_INTEL, 3, 0x16, 1, "VPEXTRQ outside 64-bit mode" },
    { HOST_INTEL, 3, 0x22, 1, "VPINSRQ outside 64-bit mode" },
};

static bool is_executed(const uint8_t *b)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(executed); n++) {
        if (executed[n].vendor == host_vendor() && executed[n].map == (b[1] & 0x1f) &&
            executed[n].opcode == b[3] && executed[n].w == b[2] >> 7)
            return true;
    }
    return false;
}

typedef struct Illegal {
    uint8_t b[16];
    Mode mode;
} Illegal;

static void run_illegal(Runner *silicon, const Illegal *list, unsigned n)
{
    Slot *slots = silicon_slots(silicon);
    for (unsigned i = 0; i < n; i++) {
        Slot *s = &slots[i];
        default_case(&s->todo, &s->memory, list[i].mode, 0, list[i].b, 6);
        s->todo.in.gpr[7] = DATA_BASE + 0x800;
    }
    silicon_run_slots(silicon, n);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *b = list[i].b;
        if (slots[i].result.vector != 6 && !is_executed(b) && reports++ < MAX_REPORTS)
            print_message("%02x %02x %02x %02x %02x %02x (%s): vector %u, expected 6\n", b[0], b[1],
                          b[2], b[3], b[4], b[5], mode_name(list[i].mode), slots[i].result.vector);
    }
}

/* Encoding number @i of all, but for registers, which are random. False: an instruction. */
static bool make_illegal(Illegal *x, unsigned i, uint64_t features)
{
    unsigned op = i & 255, w_l = i >> 8 & 3, pp = i >> 10 & 3, map = 1 + (i >> 14);
    unsigned vvvv = i >> 13 & 1 ? 1 + rnd() % 15 : 0, rex = rnd() % 4 ? 7 : rnd() & 7;
    unsigned modrm = i >> 12 & 1 ? 0xc0 | (rnd() & 0x3f) : (rnd() & 0x38) | 7;
    DecodeMode m;
    Insn insn;
    x->mode = rnd() & 1 ? M64 : M32;
    if (x->mode == M32)
        rex |= 6; /* or it would be LES */
    memset(x->b, 0, sizeof(x->b));
    x->b[0] = 0xc4;
    x->b[1] = (uint8_t)(rex << 5 | map);
    x->b[2] = (uint8_t)((w_l & 1) << 7 | (~vvvv & 15) << 3 | (w_l & 2) << 1 | pp);
    x->b[3] = (uint8_t)op;
    x->b[4] = (uint8_t)modrm;
    m = insn_decode_mode(x->mode);
    m.features = features;
    return !is_beyond_tables(map, op) && decode_insn(&m, x->b, 15, &insn) == DECODE_UD;
}

static void refused_is_ud(void **state)
{
    static Illegal list[SILICON_BATCH];
    Runner *silicon = silicon_runner();
    uint64_t features = silicon_features();
    const char *text = g_getenv("INSN_SEED");
    unsigned n = 0;
    if (!silicon || !(features >> FEAT_AVX & 1)) {
        print_message("skipped: no AVX on this host\n");
        skip();
    }
    if (text)
        seed ^= strtoull(text, NULL, 0) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < 3u << 14; i++) {
        if (!make_illegal(&list[n], i, features))
            continue;
        if (++n == SILICON_BATCH) {
            run_illegal(silicon, list, n);
            n = 0;
        }
    }
    run_illegal(silicon, list, n);
    assert_int_equal(reports, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(refused_is_ud) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
