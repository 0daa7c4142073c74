/* SPDX-License-Identifier: MIT */
/*
 * The feature bits that CPUID knows, and what -cpu says: MODEL[,+f][,-f][,f=on|off][,key=value].
 * Names are those that users of QEMU type.
 *
 * A row marked DONE is implemented by the engine; the others are known by name so that asking for
 * them gets an answer. Control of branch prediction (ibrs, spec-ctrl, ibpb) is implemented by
 * having nothing to control: with ibrs and arch-capabilities guests need no retpolines.
 */
#include "target-i386/cpuid.h"

#include <errno.h>
#include <string.h>

#include "softmmu/error.h"
#include "tcg/ir.h"

/* Leaf, register and subleaf of each word, as messages name them. */
static const struct {
    uint32_t leaf;
    const char *reg;
} word_names[CPUID_WORDS] = {
    [CPUID_1_EDX] = { 1, "EDX" },
    [CPUID_1_ECX] = { 1, "ECX" },
    [CPUID_6_EAX] = { 6, "EAX" },
    [CPUID_7_0_EBX] = { 7, "EBX" },
    [CPUID_7_0_ECX] = { 7, "ECX" },
    [CPUID_7_0_EDX] = { 7, "EDX" },
    [CPUID_D_1_EAX] = { 0xd, "EAX" },
    [CPUID_80000001_EDX] = { 0x80000001, "EDX" },
    [CPUID_80000001_ECX] = { 0x80000001, "ECX" },
    [CPUID_80000007_EDX] = { 0x80000007, "EDX" },
    [CPUID_80000008_EBX] = { 0x80000008, "EBX" },
    [CPUID_7_1_EAX] = { 7, "EAX" },
};

typedef enum FeatureState {
    MISSING,
    DONE,
    ASKED,   /* implemented, but not in max: it only costs the guest that finds it */
    DERIVED, /* follows from topology or control registers: not a choice */
} FeatureState;

typedef struct FeatureRow {
    uint8_t word, bit;
    const char *name;
    uint8_t state;
    uint8_t needs; /* TCG_HAS_*: implemented where the engine has these */
} FeatureRow;

#define V TCG_HAS_V256
/* clang-format off */
static const FeatureRow features[] = {
    { CPUID_1_EDX,  0, "fpu", DONE },        { CPUID_1_EDX,  1, "vme", DONE },
    { CPUID_1_EDX,  2, "de", DONE },         { CPUID_1_EDX,  3, "pse", DONE },
    { CPUID_1_EDX,  4, "tsc", DONE },        { CPUID_1_EDX,  5, "msr", DONE },
    { CPUID_1_EDX,  6, "pae", DONE },        { CPUID_1_EDX,  7, "mce", DONE },
    { CPUID_1_EDX,  8, "cx8", DONE },        { CPUID_1_EDX,  9, "apic", DONE },
    { CPUID_1_EDX, 11, "sep", DONE },        { CPUID_1_EDX, 12, "mtrr", DONE },
    { CPUID_1_EDX, 13, "pge", DONE },        { CPUID_1_EDX, 14, "mca", DONE },
    { CPUID_1_EDX, 15, "cmov", DONE },       { CPUID_1_EDX, 16, "pat", DONE },
    { CPUID_1_EDX, 17, "pse36", DONE },      { CPUID_1_EDX, 18, "pn", MISSING },
    { CPUID_1_EDX, 19, "clflush", DONE },    { CPUID_1_EDX, 21, "ds", MISSING },
    { CPUID_1_EDX, 22, "acpi", MISSING },    { CPUID_1_EDX, 23, "mmx", DONE },
    { CPUID_1_EDX, 24, "fxsr", DONE },       { CPUID_1_EDX, 25, "sse", DONE },
    { CPUID_1_EDX, 26, "sse2", DONE },       { CPUID_1_EDX, 27, "ss", DONE },
    { CPUID_1_EDX, 28, "ht", DERIVED },      { CPUID_1_EDX, 29, "tm", MISSING },
    { CPUID_1_EDX, 30, "ia64", MISSING },    { CPUID_1_EDX, 31, "pbe", MISSING },

    { CPUID_1_ECX,  0, "pni", DONE },     { CPUID_1_ECX,  1, "pclmulqdq", DONE },
    { CPUID_1_ECX,  2, "dtes64", MISSING },  { CPUID_1_ECX,  3, "monitor", DONE },
    { CPUID_1_ECX,  4, "ds-cpl", MISSING },  { CPUID_1_ECX,  5, "vmx", MISSING },
    { CPUID_1_ECX,  6, "smx", MISSING },     { CPUID_1_ECX,  7, "est", MISSING },
    { CPUID_1_ECX,  8, "tm2", MISSING },     { CPUID_1_ECX,  9, "ssse3", DONE },
    { CPUID_1_ECX, 10, "cid", MISSING },     { CPUID_1_ECX, 12, "fma", DONE, V },
    { CPUID_1_ECX, 13, "cx16", DONE },       { CPUID_1_ECX, 14, "xtpr", MISSING },
    { CPUID_1_ECX, 15, "pdcm", MISSING },    { CPUID_1_ECX, 17, "pcid", DONE },
    { CPUID_1_ECX, 18, "dca", MISSING },     { CPUID_1_ECX, 19, "sse4.1", DONE },
    { CPUID_1_ECX, 20, "sse4.2", DONE },  { CPUID_1_ECX, 21, "x2apic", DONE },
    { CPUID_1_ECX, 22, "movbe", DONE },   { CPUID_1_ECX, 23, "popcnt", DONE },
    { CPUID_1_ECX, 24, "tsc-deadline", DONE }, { CPUID_1_ECX, 25, "aes", DONE },
    { CPUID_1_ECX, 26, "xsave", DONE },      { CPUID_1_ECX, 27, "osxsave", DERIVED },
    { CPUID_1_ECX, 28, "avx", DONE, V },     { CPUID_1_ECX, 29, "f16c", DONE, V },
    { CPUID_1_ECX, 30, "rdrand", DONE },  { CPUID_1_ECX, 31, "hypervisor", DONE },

    { CPUID_6_EAX,  2, "arat", DONE },

    { CPUID_7_0_EBX,  0, "fsgsbase", DONE }, { CPUID_7_0_EBX,  1, "tsc-adjust", DONE },
    { CPUID_7_0_EBX,  2, "sgx", MISSING },   { CPUID_7_0_EBX,  3, "bmi1", DONE },
    { CPUID_7_0_EBX,  4, "hle", MISSING },   { CPUID_7_0_EBX,  5, "avx2", DONE, V },
    { CPUID_7_0_EBX,  7, "smep", DONE },     { CPUID_7_0_EBX,  8, "bmi2", DONE },
    { CPUID_7_0_EBX,  9, "erms", DONE },     { CPUID_7_0_EBX, 10, "invpcid", DONE },
    { CPUID_7_0_EBX, 11, "rtm", MISSING },   { CPUID_7_0_EBX, 14, "mpx", MISSING },
    { CPUID_7_0_EBX, 16, "avx512f", MISSING }, { CPUID_7_0_EBX, 17, "avx512dq", MISSING },
    { CPUID_7_0_EBX, 18, "rdseed", DONE }, { CPUID_7_0_EBX, 19, "adx", DONE },
    { CPUID_7_0_EBX, 20, "smap", DONE },     { CPUID_7_0_EBX, 21, "avx512ifma", MISSING },
    { CPUID_7_0_EBX, 23, "clflushopt", DONE }, { CPUID_7_0_EBX, 24, "clwb", DONE },
    { CPUID_7_0_EBX, 25, "intel-pt", MISSING }, { CPUID_7_0_EBX, 26, "avx512pf", MISSING },
    { CPUID_7_0_EBX, 27, "avx512er", MISSING }, { CPUID_7_0_EBX, 28, "avx512cd", MISSING },
    { CPUID_7_0_EBX, 29, "sha-ni", DONE }, { CPUID_7_0_EBX, 30, "avx512bw", MISSING },
    { CPUID_7_0_EBX, 31, "avx512vl", MISSING },

    { CPUID_7_0_ECX,  1, "avx512vbmi", MISSING },
    { CPUID_7_0_ECX,  2, "umip", DONE },     { CPUID_7_0_ECX,  3, "pku", DONE },
    { CPUID_7_0_ECX,  5, "waitpkg", MISSING }, { CPUID_7_0_ECX, 6, "avx512-vbmi2", MISSING },
    { CPUID_7_0_ECX,  8, "gfni", DONE, V | TCG_HAS_GFNI },  { CPUID_7_0_ECX,  9, "vaes", DONE, V | TCG_HAS_VAES },
    { CPUID_7_0_ECX, 10, "vpclmulqdq", DONE, V | TCG_HAS_VPCLMUL }, { CPUID_7_0_ECX, 16, "la57", ASKED },
    { CPUID_7_0_ECX, 11, "avx512-vnni", MISSING }, { CPUID_7_0_ECX, 12, "avx512bitalg", MISSING },
    { CPUID_7_0_ECX, 14, "avx512-vpopcntdq", MISSING },
    { CPUID_7_0_ECX, 22, "rdpid", DONE },    { CPUID_7_0_ECX, 25, "cldemote", MISSING },
    { CPUID_7_0_ECX, 27, "movdiri", MISSING }, { CPUID_7_0_ECX, 28, "movdir64b", MISSING },

    { CPUID_7_0_EDX,  2, "avx512-4vnniw", MISSING }, { CPUID_7_0_EDX,  3, "avx512-4fmaps", MISSING },
    { CPUID_7_0_EDX,  4, "fsrm", DONE },     { CPUID_7_0_EDX, 10, "md-clear", MISSING },
    { CPUID_7_0_EDX, 14, "serialize", MISSING }, { CPUID_7_0_EDX, 26, "spec-ctrl", ASKED },
    { CPUID_7_0_EDX, 27, "stibp", MISSING }, { CPUID_7_0_EDX, 29, "arch-capabilities", DONE },
    { CPUID_7_0_EDX, 30, "core-capability", MISSING }, { CPUID_7_0_EDX, 31, "ssbd", MISSING },

    { CPUID_D_1_EAX,  0, "xsaveopt", DONE }, { CPUID_D_1_EAX, 1, "xsavec", DONE },
    { CPUID_D_1_EAX,  2, "xgetbv1", DONE }, { CPUID_D_1_EAX,  3, "xsaves", DONE },

    { CPUID_80000001_EDX, 11, "syscall", DONE }, { CPUID_80000001_EDX, 19, "mp", MISSING },
    { CPUID_80000001_EDX, 20, "nx", DONE },  { CPUID_80000001_EDX, 22, "mmxext", DONE },
    { CPUID_80000001_EDX, 25, "fxsr-opt", MISSING }, { CPUID_80000001_EDX, 26, "pdpe1gb", DONE },
    { CPUID_80000001_EDX, 27, "rdtscp", DONE }, { CPUID_80000001_EDX, 29, "lm", DONE },
    { CPUID_80000001_EDX, 30, "3dnowext", MISSING }, { CPUID_80000001_EDX, 31, "3dnow", MISSING },

    { CPUID_80000001_ECX,  0, "lahf-lm", DONE }, { CPUID_80000001_ECX, 1, "cmp-legacy", DERIVED },
    { CPUID_80000001_ECX,  2, "svm", MISSING }, { CPUID_80000001_ECX,  3, "extapic", MISSING },
    { CPUID_80000001_ECX,  4, "cr8legacy", MISSING }, { CPUID_80000001_ECX, 5, "abm", DONE },
    { CPUID_80000001_ECX,  6, "sse4a", MISSING }, { CPUID_80000001_ECX, 7, "misalignsse", MISSING },
    { CPUID_80000001_ECX,  8, "3dnowprefetch", DONE }, { CPUID_80000001_ECX, 9, "osvw", MISSING },
    { CPUID_80000001_ECX, 10, "ibs", MISSING }, { CPUID_80000001_ECX, 11, "xop", MISSING },
    { CPUID_80000001_ECX, 16, "fma4", MISSING }, { CPUID_80000001_ECX, 21, "tbm", MISSING },
    { CPUID_80000001_ECX, 22, "topoext", DONE }, { CPUID_80000001_ECX, 23, "perfctr-core", MISSING },

    { CPUID_80000007_EDX, 8, "invtsc", DONE },
    { CPUID_80000008_EBX, 0, "clzero", MISSING }, { CPUID_80000008_EBX, 2, "xsaveerptr", DONE },
    { CPUID_80000008_EBX, 9, "wbnoinvd", MISSING },
    { CPUID_80000008_EBX, 12, "ibpb", ASKED },
    { CPUID_80000008_EBX, 14, "ibrs", DONE }, { CPUID_80000008_EBX, 15, "amd-stibp", MISSING },
    { CPUID_80000008_EBX, 24, "amd-ssbd", MISSING },
    { CPUID_7_1_EAX,  4, "avx-vnni", MISSING }, { CPUID_7_1_EAX,  5, "avx512-bf16", MISSING },
};

static const struct { const char *alias, *name; } aliases[] = {
    { "sse3", "pni" }, { "sse4-1", "sse4.1" }, { "sse4-2", "sse4.2" }, { "i64", "lm" },
    { "xd", "nx" }, { "pclmuldq", "pclmulqdq" }, { "htt", "ht" }, { "ffxsr", "fxsr-opt" },
    { "avx512vbmi2", "avx512-vbmi2" }, { "avx512vnni", "avx512-vnni" },
};

/* Features that cannot work without another; chains in order. */
static const struct { const char *name, *needs; } dependencies[] = {
    { "avx", "xsave" }, { "xsaveopt", "xsave" }, { "xsavec", "xsave" }, { "xgetbv1", "xsave" }, { "xsaves", "xsave" },
    { "avx2", "avx" }, { "fma", "avx" }, { "f16c", "avx" }, { "vaes", "avx" }, { "vpclmulqdq", "avx" },
    { "pcid", "lm" }, { "la57", "lm" }, { "pdpe1gb", "lm" }, { "cx16", "lm" },
};
/* clang-format on */

/* ---- Rows ----------------------------------------------------------------------------------- */

static const FeatureRow *find_feature(const char *name)
{
    g_autofree char *plain = g_strdelimit(g_strdup(name), "_", '-');

    for (unsigned i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (!strcmp(aliases[i].alias, plain)) {
            g_free(plain);
            plain = g_strdup(aliases[i].name);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
        if (!strcmp(features[i].name, plain))
            return &features[i];
    return NULL;
}

static bool engine_has(const X86CpuSpec *spec, const FeatureRow *f)
{
    return (f->state == DONE || f->state == ASKED) && !(f->needs & ~spec->engine);
}

void x86_words_limit(uint32_t *words, unsigned engine)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
        if (features[i].needs & ~engine)
            words[features[i].word] &= ~(1u << features[i].bit);
}

static void add_all(const X86CpuSpec *spec, uint32_t *words)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
        if (features[i].state == DONE && engine_has(spec, &features[i]))
            words[features[i].word] |= 1u << features[i].bit;
}

static char *describe_missing(const FeatureRow *f)
{
    return g_strdup_printf("TCG doesn't support requested feature: CPUID.%02XH:%s.%s [bit %u]",
                           word_names[f->word].leaf, word_names[f->word].reg, f->name, f->bit);
}

/* ---- -cpu ----------------------------------------------------------------------------------- */

typedef struct Parser {
    X86CpuSpec *spec;
    uint32_t on[CPUID_WORDS], off[CPUID_WORDS];
    bool enforce, check;
    GPtrArray *asides; /* char *: what a hypervisor would offer, asked for */
} Parser;

static bool parse_number(const char *key, const char *value, uint64_t max, uint64_t *out,
                         GError **error)
{
    char *end;

    errno = 0;
    *out = value && *value ? g_ascii_strtoull(value, &end, 0) : 0;
    if (!value || !*value || *end || errno || *value == '-' || *out > max) {
        error_set(error, "CPU property '%s': '%s' is not a number from 0 to %" G_GUINT64_FORMAT,
                  key, value ? value : "", max);
        return false;
    }
    return true;
}

static bool parse_switch(const char *key, const char *value, bool *out, GError **error)
{
    if (!value || !strcmp(value, "on") || !strcmp(value, "yes") || !strcmp(value, "true")) {
        *out = true;
    } else if (!strcmp(value, "off") || !strcmp(value, "no") || !strcmp(value, "false")) {
        *out = false;
    } else {
        error_set(error, "CPU property '%s' wants 'on' or 'off', not '%s'", key, value);
        return false;
    }
    return true;
}

static bool set_feature(Parser *p, const char *name, bool on, GError **error)
{
    const FeatureRow *f = find_feature(name);
    uint32_t bit;

    if (!f) {
        error_set(error, "CPU model '%s' has no property '%s'", p->spec->model.name, name);
        return false;
    }
    bit = 1u << f->bit;
    p->on[f->word] = on ? p->on[f->word] | bit : p->on[f->word] & ~bit;
    p->off[f->word] = on ? p->off[f->word] & ~bit : p->off[f->word] | bit;
    return true;
}

static bool set_vendor(Parser *p, const char *value, GError **error)
{
    if (!value || strlen(value) != 12) {
        error_set(error, "CPU property 'vendor' wants 12 characters");
        return false;
    }
    memcpy(p->spec->model.vendor, value, 13);
    return true;
}

/* What hypervisors offer their guests. There is none: these are said to be missing, no more, as
 * command lines written for one have them. */
static bool is_hypervisors(const char *key)
{
    static const char *const of_hyper_v[] = { "apicv",
                                              "avic",
                                              "crash",
                                              "emsr-bitmap",
                                              "enforce-cpuid",
                                              "evmcs",
                                              "frequencies",
                                              "ipi",
                                              "no-nonarch-coresharing",
                                              "passthrough",
                                              "reenlightenment",
                                              "relaxed",
                                              "reset",
                                              "runtime",
                                              "spinlocks",
                                              "stimer",
                                              "stimer-direct",
                                              "syndbg",
                                              "synic",
                                              "time",
                                              "tlbflush",
                                              "tlbflush-direct",
                                              "tlbflush-ext",
                                              "vapic",
                                              "vendor-id",
                                              "vpindex",
                                              "xmm-input",
                                              NULL };
    static const char *const of_kvm[] = { "kvm-asyncpf",
                                          "kvm-asyncpf-int",
                                          "kvm-asyncpf-vmexit",
                                          "kvm-hint-dedicated",
                                          "kvm-mmu",
                                          "kvm-msi-ext-dest-id",
                                          "kvm-nopiodelay",
                                          "kvm-poll-control",
                                          "kvm-pv-eoi",
                                          "kvm-pv-ipi",
                                          "kvm-pv-sched-yield",
                                          "kvm-pv-tlb-flush",
                                          "kvm-pv-unhalt",
                                          "kvm-steal-time",
                                          "kvmclock",
                                          "kvmclock-stable-bit",
                                          NULL };

    return g_strv_contains(of_kvm, key) ||
           (g_str_has_prefix(key, "hv-") && g_strv_contains(of_hyper_v, key + 3));
}

static void set_aside(Parser *p, const char *key, const char *value)
{
    if (p->asides && g_strcmp0(value, "off") && g_strcmp0(value, "false"))
        g_ptr_array_add(p->asides, g_strdup(key));
}

/* Properties that are not features. @known: whether @key was one. */
static bool set_property(Parser *p, const char *key, const char *value, bool *known, GError **error)
{
    X86Model *m = &p->spec->model;
    const struct {
        const char *name;
        uint32_t *field;
        uint64_t max;
    } numbers[] = {
        { "family", &m->family, 0xff + 0xf }, { "model", &m->model, 0xff },
        { "stepping", &m->stepping, 0xf },    { "level", &m->level, 0xff },
        { "xlevel", &m->xlevel, 0x800000ff },
    };
    /* What is not there: to say so is allowed. */
    static const char *const lacking[] = { "host-cache-info",
                                           "host-phys-bits",
                                           "kvm",
                                           "kvm-no-smi-migration",
                                           "kvm-pv-enforce-cpuid",
                                           "lmce",
                                           "pmu",
                                           "vmware-cpuid-freq",
                                           NULL };
    /* What is always there. */
    static const char *const fixed[] = { "cpuid-0xb", "l3-cache", "legacy-cache", "tcg-cpuid",
                                         NULL };
    uint64_t n;
    bool on;

    *known = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!strcmp(key, numbers[i].name)) {
            if (!parse_number(key, value, numbers[i].max, &n, error))
                return false;
            *numbers[i].field = (uint32_t)n;
            return true;
        }
    }
    if (!strcmp(key, "vendor"))
        return set_vendor(p, value, error);
    if (!strcmp(key, "model-id")) {
        g_strlcpy(m->model_id, value ? value : "", sizeof(m->model_id));
        return true;
    }
    if (!strcmp(key, "enforce"))
        return parse_switch(key, value, &p->enforce, error);
    if (!strcmp(key, "check"))
        return parse_switch(key, value, &p->check, error);
    if (g_strv_contains(lacking, key) || g_strv_contains(fixed, key)) {
        bool only = g_strv_contains(fixed, key);

        if (!parse_switch(key, value, &on, error))
            return false;
        if (on != only)
            error_set(error, "CPU property '%s': only '%s' is supported", key, only ? "on" : "off");
        return on == only;
    }
    if (!strcmp(key, "migratable") && m->all) /* all that there is */
        return parse_switch(key, value, &on, error);
    if (!strcmp(key, "phys-bits")) {
        if (!parse_number(key, value, UINT8_MAX, &n, error))
            return false;
        if (n && (n < 32 || n > 52)) { /* 0: the default */
            error_set(error, "phys-bits should be between 32 and 52 (but is %u)", (unsigned)n);
            return false;
        }
        p->spec->phys_bits = (uint8_t)n;
        return true;
    }
    if (!strcmp(key, "tsc-frequency") || !strcmp(key, "tsc-freq")) {
        if (!parse_number(key, value, 100 * 1000000000ull, &n, error))
            return false;
        if (n < 1000000) {
            error_set(error, "tsc-frequency should be at least 1000000");
            return false;
        }
        p->spec->tsc_hz = n;
        return true;
    }
    *known = false;
    return true;
}

static bool parse_item(Parser *p, char *item, GError **error)
{
    char *value = strchr(item, '=');
    bool known, on = true;

    if (*item == '+' || *item == '-') {
        g_autofree char *name = g_strdelimit(g_strdup(item + 1), "_", '-');

        if (!is_hypervisors(name))
            return set_feature(p, item + 1, *item == '+', error);
        set_aside(p, name, *item == '+' ? "on" : "off");
        return true;
    }
    if (value)
        *value++ = 0;
    g_strdelimit(item, "_", '-');
    if (is_hypervisors(item)) {
        set_aside(p, item, value);
        return true;
    }
    if (!set_property(p, item, value, &known, error))
        return false;
    if (known)
        return true;
    if (find_feature(item) && !parse_switch(item, value, &on, error))
        return false;
    return set_feature(p, item, on, error);
}

static bool has_feature(const uint32_t *words, const FeatureRow *f)
{
    return words[f->word] >> f->bit & 1;
}

/* What needs a feature that is not there goes with it; there is a line for what was asked for by
 * name. */
static bool drop_dependents(Parser *p, GPtrArray *warnings)
{
    uint32_t *words = p->spec->model.features;
    bool asked = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(dependencies); i++) {
        const FeatureRow *f = find_feature(dependencies[i].name);

        if (!has_feature(words, f) || has_feature(words, find_feature(dependencies[i].needs)))
            continue;
        words[f->word] &= ~(1u << f->bit);
        if (!has_feature(p->on, f))
            continue;
        asked = true;
        if (warnings && (p->check || p->enforce))
            g_ptr_array_add(warnings,
                            g_strdup_printf("feature '%s' needs '%s', which the CPU has not",
                                            f->name, dependencies[i].needs));
    }
    return asked;
}

/* Bits asked for that the engine lacks are dropped, with a line each; "enforce" wants them all. */
static bool filter(Parser *p, GPtrArray *warnings, GError **error)
{
    uint32_t *words = p->spec->model.features;
    bool dropped = false;

    for (unsigned w = 0; w < CPUID_WORDS; w++)
        words[w] = (words[w] | p->on[w]) & ~p->off[w];
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        const FeatureRow *f = &features[i];
        uint32_t bit = 1u << f->bit;

        if (engine_has(p->spec, f) || !(words[f->word] & bit))
            continue;
        words[f->word] &= ~bit;
        if (f->state == DERIVED)
            continue;
        dropped = true;
        if (warnings && (p->check || p->enforce))
            g_ptr_array_add(warnings, describe_missing(f));
    }
    dropped |= drop_dependents(p, warnings) || p->asides->len;
    for (guint i = 0; warnings && (p->check || p->enforce) && i < p->asides->len; i++)
        g_ptr_array_add(warnings, g_strdup_printf("TCG doesn't support requested feature: %s",
                                                  (char *)p->asides->pdata[i]));
    if (dropped && p->enforce)
        error_set(error, "TCG doesn't support requested features");
    return !dropped || !p->enforce;
}

static void add_named(uint32_t *words, const char *names)
{
    g_auto(GStrv) list = g_strsplit(names, " ", -1);

    for (char **name = list; *name; name++) {
        const FeatureRow *f = **name ? find_feature(*name) : NULL;

        g_assert(f || !**name); /* models are ours */
        if (f)
            words[f->word] |= 1u << f->bit;
    }
}

static bool parse_items(Parser *p, char **items, GError **error)
{
    for (char **item = items; *item; item++)
        if (**item && !parse_item(p, *item, error))
            return false;
    return true;
}

/* PAE and PSE-36 came with 36 address bits. */
static uint8_t default_phys_bits(const uint32_t *words)
{
    if (x86_words_have(words, CPUID_80000001_EDX, CPUID_LM))
        return 40;
    return words[CPUID_1_EDX] & (CPUID_PAE | CPUID_PSE36) ? 36 : 32;
}

static bool start_from_model(Parser *p, const char *name, GError **error)
{
    X86CpuSpec *spec = p->spec;
    X86ModelChoice choice;

    if (!strcmp(name, "host")) {
        error_set(error, "CPU model 'host' needs a hypervisor: guests run translated here, "
                         "use 'max' for everything that is implemented");
        return false;
    }
    if (!x86_model_find(name, &choice)) {
        error_set(error, "unable to find CPU model '%s'", name);
        return false;
    }
    spec->model = *choice.model;
    spec->tsc_hz = 1000000000;
    if (choice.model->all)
        add_all(spec, spec->model.features);
    spec->model.features[CPUID_1_ECX] |= (uint32_t)CPUID_HYPERVISOR; /* all models have it */
    if (choice.model->has)
        add_named(spec->model.features, choice.model->has);
    if (choice.version) {
        g_auto(GStrv) items = g_strsplit(choice.version->change, ",", -1);

        g_strlcpy(spec->model.model_id, choice.version->model_id, sizeof(spec->model.model_id));
        return parse_items(p, items, error);
    }
    return true;
}

bool x86_spec_parse(X86CpuSpec *spec, const char *text, GPtrArray *warnings, GError **error)
{
    g_auto(GStrv) items = g_strsplit(text ? text : "qemu64", ",", -1);
    g_autoptr(GPtrArray) asides = g_ptr_array_new_with_free_func(g_free);
    Parser p = { .spec = spec, .check = true, .asides = asides };

    spec->phys_bits = 0;
    if (!start_from_model(&p, items[0] ? items[0] : "", error) ||
        (items[0] && !parse_items(&p, items + 1, error)) || !filter(&p, warnings, error))
        return false;
    if (!spec->phys_bits)
        spec->phys_bits = default_phys_bits(spec->model.features);
    return true;
}

/* ---- For programs --------------------------------------------------------------------------- */

void x86_features_each(const uint32_t *words, void (*f)(void *opaque, const char *name, bool on),
                       void *opaque)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
        f(opaque, features[i].name, has_feature(words, &features[i]));
}

void x86_model_lacks(const char *name, unsigned engine, GPtrArray *out)
{
    X86CpuSpec spec = { .engine = engine };
    Parser p = { .spec = &spec };

    if (!start_from_model(&p, name, NULL))
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
        const FeatureRow *f = &features[i];
        uint32_t wanted = (spec.model.features[f->word] | p.on[f->word]) & ~p.off[f->word];

        if (wanted >> f->bit & 1 && f->state != DERIVED && !engine_has(&spec, f))
            g_ptr_array_add(out, (void *)f->name);
    }
}

void x86_print_models(GString *out)
{
    g_string_append(out, "Available CPUs:\n");
    x86_models_list(out);
    g_string_append(out, "\nRecognized CPUID flags:\n ");
    for (unsigned i = 0, column = 1; i < G_N_ELEMENTS(features); i++) {
        const char *name = features[i].name;

        if (features[i].state != DONE && features[i].state != ASKED)
            continue;
        if (column + strlen(name) + 1 > 78) {
            g_string_append(out, "\n ");
            column = 1;
        }
        g_string_append_printf(out, " %s", name);
        column += strlen(name) + 1;
    }
    g_string_append(out, "\n");
}
