/* SPDX-License-Identifier: MIT */
/*
 * Each model of -cpu has the instructions that its CPUID bits stand for, and no others: one of each
 * feature of the decode tables is decoded with every model's features. Bits: Intel SDM vol. 2,
 * CPUID; AMD APM vol. 3, appendix E. What has no bit of its own: hints and RDPMC came with the P6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "target-i386/cpuid.h"
#include "target-i386/decode.h"
#include "tcg/ir.h"
#include "entries.h"

typedef struct Sample {
    const char *name, *bytes;
    bool in_64;
    CpuidWord word;
    unsigned bit;
} Sample;

/* clang-format off */
static const Sample rows[] = {
    { "fld",         "\xd9\xc0",                 false, CPUID_1_EDX, 0 },
    { "fwait",       "\x9b",                     false, CPUID_1_EDX, 0 },
    { "rdtsc",       "\x0f\x31",                 false, CPUID_1_EDX, 4 },
    { "rdmsr",       "\x0f\x32",                 false, CPUID_1_EDX, 5 },
    { "wrmsr",       "\x0f\x30",                 false, CPUID_1_EDX, 5 },
    { "cmpxchg8b",   "\x0f\xc7\x09",             false, CPUID_1_EDX, 8 },
    { "sysenter",    "\x0f\x34",                 false, CPUID_1_EDX, 11 },
    { "sysexit",     "\x0f\x35",                 false, CPUID_1_EDX, 11 },
    { "cmovz",       "\x0f\x44\xc0",             false, CPUID_1_EDX, 15 },
    { "fcmovb",      "\xda\xc0",                 false, CPUID_1_EDX, 15 },
    { "fcmovnu",     "\xdb\xd8",                 false, CPUID_1_EDX, 15 },
    { "fcomi",       "\xdb\xf0",                 false, CPUID_1_EDX, 15 },
    { "fucomi",      "\xdb\xe8",                 false, CPUID_1_EDX, 15 },
    { "fcomip",      "\xdf\xf0",                 false, CPUID_1_EDX, 15 },
    { "fucomip",     "\xdf\xe8",                 false, CPUID_1_EDX, 15 },
    { "nop Ev",      "\x0f\x1f\xc0",             false, CPUID_1_EDX, 15 },
    { "prefetchnta", "\x0f\x18\x00",             false, CPUID_1_EDX, 15 },
    { "prefetchw",   "\x0f\x0d\x08",             false, CPUID_1_EDX, 15 },
    { "clflush",     "\x0f\xae\x38",             false, CPUID_1_EDX, 19 },
    { "emms",        "\x0f\x77",                 false, CPUID_1_EDX, 23 },
    { "movd",        "\x0f\x6e\xc0",             false, CPUID_1_EDX, 23 },
    { "rdpmc",       "\x0f\x33",                 false, CPUID_1_EDX, 23 },
    { "fxsave",      "\x0f\xae\x00",             false, CPUID_1_EDX, 24 },
    { "addps",       "\x0f\x58\xc0",             false, CPUID_1_EDX, 25 },
    { "ldmxcsr",     "\x0f\xae\x10",             false, CPUID_1_EDX, 25 },
    { "sfence",      "\x0f\xae\xf8",             false, CPUID_1_EDX, 25 },
    { "psadbw mm",   "\x0f\xf6\xc1",             false, CPUID_1_EDX, 25 },
    { "maskmovq",    "\x0f\xf7\xc1",             false, CPUID_1_EDX, 25 },
    { "addpd",       "\x66\x0f\x58\xc0",         false, CPUID_1_EDX, 26 },
    { "paddq mm",    "\x0f\xd4\xc1",             false, CPUID_1_EDX, 26 },
    { "pmuludq mm",  "\x0f\xf4\xc1",             false, CPUID_1_EDX, 26 },
    { "lfence",      "\x0f\xae\xe8",             false, CPUID_1_EDX, 26 },
    { "mfence",      "\x0f\xae\xf0",             false, CPUID_1_EDX, 26 },
    { "movnti",      "\x0f\xc3\x00",             false, CPUID_1_EDX, 26 },
    { "haddps",      "\xf2\x0f\x7c\xc0",         false, CPUID_1_ECX, 0 },
    { "fisttp",      "\xdf\x08",                 false, CPUID_1_ECX, 0 },
    { "lddqu",       "\xf2\x0f\xf0\x00",         false, CPUID_1_ECX, 0 },
    { "pclmulqdq",   "\x66\x0f\x3a\x44\xc0\x01", false, CPUID_1_ECX, 1 },
    { "monitor",     "\x0f\x01\xc8",             false, CPUID_1_ECX, 3 },
    { "mwait",       "\x0f\x01\xc9",             false, CPUID_1_ECX, 3 },
    { "pshufb",      "\x66\x0f\x38\x00\xc0",     false, CPUID_1_ECX, 9 },
    { "pshufb mm",   "\x0f\x38\x00\xc0",         false, CPUID_1_ECX, 9 },
    { "vfmadd132ps", "\xc4\xe2\x79\x98\xc0",     false, CPUID_1_ECX, 12 },
    { "cmpxchg16b",  "\x48\x0f\xc7\x09",         true,  CPUID_1_ECX, 13 },
    { "pblendvb",    "\x66\x0f\x38\x10\xc0",     false, CPUID_1_ECX, 19 },
    { "crc32",       "\xf2\x0f\x38\xf0\xc0",     false, CPUID_1_ECX, 20 },
    { "pcmpgtq",     "\x66\x0f\x38\x37\xc0",     false, CPUID_1_ECX, 20 },
    { "movbe",       "\x0f\x38\xf0\x00",         false, CPUID_1_ECX, 22 },
    { "popcnt",      "\xf3\x0f\xb8\xc0",         false, CPUID_1_ECX, 23 },
    { "aesenc",      "\x66\x0f\x38\xdc\xc0",     false, CPUID_1_ECX, 25 },
    { "xsave",       "\x0f\xae\x20",             false, CPUID_1_ECX, 26 },
    { "xgetbv",      "\x0f\x01\xd0",             false, CPUID_1_ECX, 26 },
    { "vaddps",      "\xc5\xf8\x58\xc0",         false, CPUID_1_ECX, 28 },
    { "vcvtph2ps",   "\xc4\xe2\x79\x13\xc0",     false, CPUID_1_ECX, 29 },
    { "rdrand",      "\x0f\xc7\xf0",             false, CPUID_1_ECX, 30 },
    { "rdfsbase",    "\xf3\x0f\xae\xc0",         true,  CPUID_7_0_EBX, 0 },
    { "andn",        "\xc4\xe2\x78\xf2\xc0",     false, CPUID_7_0_EBX, 3 },
    { "vpaddd ymm",  "\xc5\xfd\xfe\xc0",         false, CPUID_7_0_EBX, 5 },
    { "pdep",        "\xc4\xe2\x7b\xf5\xc0",     false, CPUID_7_0_EBX, 8 },
    { "invpcid",     "\x66\x0f\x38\x82\x01",     false, CPUID_7_0_EBX, 10 },
    { "rdseed",      "\x0f\xc7\xf8",             false, CPUID_7_0_EBX, 18 },
    { "adcx",        "\x66\x0f\x38\xf6\xc0",     false, CPUID_7_0_EBX, 19 },
    { "clac",        "\x0f\x01\xca",             false, CPUID_7_0_EBX, 20 },
    { "clflushopt",  "\x66\x0f\xae\x38",         false, CPUID_7_0_EBX, 23 },
    { "clwb",        "\x66\x0f\xae\x30",         false, CPUID_7_0_EBX, 24 },
    { "sha1msg1",    "\x0f\x38\xc9\xc0",         false, CPUID_7_0_EBX, 29 },
    { "rdpkru",      "\x0f\x01\xee",             false, CPUID_7_0_ECX, 3 },
    { "gf2p8mulb",   "\x66\x0f\x38\xcf\xc0",     false, CPUID_7_0_ECX, 8 },
    { "vaesenc ymm", "\xc4\xe2\x7d\xdc\xc0",     false, CPUID_7_0_ECX, 9 },
    { "vpclmulqdq",  "\xc4\xe3\x7d\x44\xc0\x01", false, CPUID_7_0_ECX, 10 },
    { "rdpid",       "\xf3\x0f\xc7\xf8",         false, CPUID_7_0_ECX, 22 },
    { "xsaveopt",    "\x0f\xae\x30",             false, CPUID_D_1_EAX, 0 },
    { "xsavec",      "\x0f\xc7\x20",             false, CPUID_D_1_EAX, 1 },
    { "xsaves",      "\x0f\xc7\x28",             false, CPUID_D_1_EAX, 3 },
    { "lahf",        "\x9f",                     true,  CPUID_80000001_ECX, 0 },
    { "syscall",     "\x0f\x05",                 true,  CPUID_80000001_EDX, 11 },
    { "sysret",      "\x0f\x07",                 true,  CPUID_80000001_EDX, 11 },
    { "rdtscp",      "\x0f\x01\xf9",             false, CPUID_80000001_EDX, 27 },
};
/* clang-format on */

static DecodeStatus decode_row(const Sample *r, uint64_t features, uint64_t *needs)
{
    DecodeMode m = { .code_size = r->in_64 ? I64 : I32, .pe = true, .features = features };
    uint8_t bytes[16] = { 0 };
    Insn i;
    DecodeStatus s;

    memcpy(bytes, r->bytes, strlen(r->bytes)); /* what ends in 00 has it from the buffer */
    s = decode_insn(&m, bytes, sizeof(bytes), &i);
    if (needs && s == DECODE_OK)
        *needs |= row_features(i.desc, i.vex_l);
    return s;
}

static unsigned check_model(const char *name)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    X86CpuSpec spec = { .engine = UINT32_MAX };
    unsigned bad = 0;

    assert_true(x86_spec_parse(&spec, name, warnings, NULL));
    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        const uint32_t *words = spec.model.features;
        bool has = words[rows[n].word] >> rows[n].bit & 1;
        bool is = decode_row(&rows[n], decode_features(words), NULL) == DECODE_OK;

        if (has != is) {
            print_message("%s: %s is%s there\n", name, rows[n].name, is ? "" : " not");
            bad++;
        }
    }
    return bad;
}

static void test_models(void **state)
{
    unsigned bad = 0;

    for (const X86Model *m = x86_models; m->name; m++)
        bad += check_model(m->name);
    assert_int_equal(bad, 0);
}

/* What the manuals of these say, whatever the table of models does. */
static void test_first_models(void **state)
{
    static const struct {
        const char *model;
        uint32_t edx; /* of leaf 1; no other word has anything */
    } facts[] = {
        { "486", 1 },
        { "pentium", 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 23 },
    };
    for (unsigned f = 0; f < G_N_ELEMENTS(facts); f++) {
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        X86CpuSpec spec = { .engine = UINT32_MAX };

        assert_true(x86_spec_parse(&spec, facts[f].model, warnings, NULL));
        for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
            bool has = rows[n].word == CPUID_1_EDX && (facts[f].edx >> rows[n].bit & 1);
            uint64_t features = decode_features(spec.model.features);

            if (decode_row(&rows[n], features, NULL) != (has ? DECODE_OK : DECODE_UD))
                fail_msg("%s: %s", facts[f].model, rows[n].name);
        }
    }
}

/* The rows here leave out no feature of the decode tables but those that fall back to something. */
static void test_all_features(void **state)
{
    uint64_t wanted = 0, seen = 0;

    for (unsigned n = 0; n < entry_count(); n++)
        if (!(entry_at(n)->desc->attr & A_FALLBACK))
            wanted |= row_features(entry_at(n)->desc, false);
    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++)
        if (decode_row(&rows[n], UINT64_MAX, &seen) != DECODE_OK)
            fail_msg("%s is no instruction", rows[n].name);
    for (unsigned f = 0; f < FEAT_COUNT; f++)
        if (f != FEAT_LM && (wanted & ~seen) >> f & 1)
            fail_msg("feature %u of decode.h has no row", f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_first_models),
        cmocka_unit_test(test_all_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
