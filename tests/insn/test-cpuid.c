/* SPDX-License-Identifier: MIT */
/*
 * CPUID: what -cpu says, what is dropped, and the leaves. Topology as SDM vol. 3A, 9.9 numbers it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "system.h"
#include "target-i386/cpuid.h"
#include "tcg/ir.h"
#include "tcg/lanes.h"

typedef struct Row {
    const char *spec;
    const char *warning; /* the first, or NULL */
    const char *error;   /* part of it, or NULL */
} Row;

static const Row rows[] = {
    { NULL },
    { "qemu64" },
    { "max,+pcid,-smap,x2apic=off" },
    { "qemu64,vendor=GenuineIntel,family=6,model=23,stepping=7,model-id=Thing" },
    { "base,+fpu,tsc_frequency=2000000000" },
    { "qemu64,+avx", "TCG doesn't support requested feature: CPUID.01H:ECX.avx [bit 28]" },
    { "max,svm=on", "TCG doesn't support requested feature: CPUID.80000001H:ECX.svm [bit 2]" },
    { "max,+ds_cpl", "TCG doesn't support requested feature: CPUID.01H:ECX.ds-cpl [bit 4]" },
    { "qemu64,+xsavec,check=off" },
    { "qemu64,+avx,enforce", "TCG doesn't support requested feature: CPUID.01H:ECX.avx [bit 28]",
      "requested features" },
    { "qemu64,+avx,check=off,enforce",
      "TCG doesn't support requested feature: CPUID.01H:ECX.avx [bit 28]", "requested features" },
    { "qemu64,+avx,enforce,-avx" },
    { "qemu64,enforce" },
    { "max,enforce" },
    { "486,enforce" },
    { "pentium-v1,enforce" },
    { "pentium2,enforce" },
    { "pentium3,enforce" },
    { "qemu32,enforce" },
    { "Haswell-v2,enforce,-hle",
      "TCG doesn't support requested feature: CPUID.01H:ECX.fma [bit 12]", "TCG doesn't support" },
    { "Icelake-Server-v7", NULL, "unable to find CPU model 'Icelake-Server-v7'" },
    { "Cooperlake,avx512f=off,avx512-bf16=on,-avx512dq,-avx512cd,-avx512bw,-avx512vl,-avx512-vnni,-"
      "hle,-rtm,"
      "-ssbd,-stibp,-avx,-avx2,-fma,-f16c",
      "TCG doesn't support requested feature: CPUID.07H:EAX.avx512-bf16 [bit 5]" },
    { "Haswell-v5", NULL, "unable to find CPU model 'Haswell-v5'" },
    { "Haswell-noTSX-v1", NULL, "unable to find CPU model" },
    { "Haswell-v0", NULL, "unable to find CPU model" },
    { "max-v1", NULL, "unable to find CPU model 'max-v1'" },
    { "base-v1", NULL, "unable to find CPU model 'base-v1'" },
    { "EPYC-v4", NULL, "unable to find CPU model 'EPYC-v4'" },
    { "max,migratable=off,l3-cache,lmce=off" },
    { "qemu64,migratable=off", NULL, "no property 'migratable'" },
    { "qemu64,l3-cache=off", NULL, "'l3-cache': only 'on' is supported" },
    { "qemu64,hv_time=off,-kvmclock" },
    { "qemu64,hv-spinlocks=0x1fff", "TCG doesn't support requested feature: hv-spinlocks" },
    { "qemu64,+kvm_pv_eoi,enforce", "TCG doesn't support requested feature: kvm-pv-eoi",
      "requested features" },
    { "qemu64,hv-bogus", NULL, "no property 'hv-bogus'" },
    { "max,-xsave,enforce" },
    { "qemu64,+xsavec", "feature 'xsavec' needs 'xsave', which the CPU has not" },
    { "qemu64,+xsavec,check=off" },
    { "qemu32,+pcid,enforce", "feature 'pcid' needs 'lm', which the CPU has not",
      "TCG doesn't support" },
    { "host", NULL, "use 'max'" },
    { "host,enforce", NULL, "needs a hypervisor" },
    { "pentium9", NULL, "unable to find CPU model 'pentium9'" },
    { "", NULL, "unable to find CPU model" },
    { "qemu64,+nosuch", NULL, "no property 'nosuch'" },
    { "qemu64,nosuch=on", NULL, "no property 'nosuch'" },
    { "qemu64,lm=maybe", NULL, "'on' or 'off'" },
    { "qemu64,family=x", NULL, "not a number" },
    { "qemu64,stepping=16", NULL, "not a number from 0 to 15" },
    { "qemu64,vendor=short", NULL, "12 characters" },
    { "qemu64,phys-bits=8", NULL, "between 32 and 52 (but is 8)" },
    { "qemu64,phys-bits=53", NULL, "between 32 and 52 (but is 53)" },
    { "qemu64,phys-bits=0" },
    { "qemu64,phys-bits=", NULL, "not a number" },
    { "qemu64,nosuch=3", NULL, "no property 'nosuch'" },
    { "qemu64,min-level=5", NULL, "no property 'min-level'" },
};

static void test_specs(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i];
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        X86CpuSpec spec = { 0 };
        bool ok = x86_spec_parse(&spec, r->spec, warnings, &error);

        if (ok != !r->error || (r->error && !strstr(error->message, r->error)))
            fail_msg("%s: %s", r->spec, error ? error->message : "accepted");
        if ((warnings->len != 0) != (r->warning != NULL) ||
            (r->warning && strcmp(warnings->pdata[0], r->warning)))
            fail_msg("%s: %s", r->spec, warnings->len ? (char *)warnings->pdata[0] : "no warning");
    }
}

static void test_features_follow_the_spec(void **state)
{
    X86CpuSpec spec = { 0 };

    assert_true(x86_spec_parse(&spec, "max,-smap,+la57,-avx", NULL, NULL));
    assert_false(spec.model.features[CPUID_7_0_EBX] & CPUID_SMAP);
    assert_true(spec.model.features[CPUID_7_0_EBX] & CPUID_SMEP);
    assert_true(spec.model.features[CPUID_7_0_ECX] & CPUID_LA57);
    assert_true(x86_spec_parse(&spec, "max", NULL, NULL));
    assert_false(spec.model.features[CPUID_7_0_ECX] & CPUID_LA57);
    spec = (X86CpuSpec){ .engine = ~0u };
    assert_true(x86_spec_parse(&spec, "max,-xsave", NULL, NULL));
    assert_int_equal(spec.model.features[CPUID_D_1_EAX], 0);
    assert_false(spec.model.features[CPUID_1_ECX] & (CPUID_AVX | 1 << 12)); /* FMA */
    assert_false(spec.model.features[CPUID_7_0_EBX] & 1 << 5);              /* AVX2 */
    assert_true(x86_spec_parse(&spec, "qemu64,family=0x17,model=0x31,stepping=1", NULL, NULL));
    assert_int_equal(x86_cpuid_signature(&spec.model), 0x830f11);
}

static bool has_words(const GPtrArray *lines, const char *words)
{
    for (unsigned i = 0; i < lines->len; i++)
        if (strstr(lines->pdata[i], words))
            return true;
    return false;
}

/* Every model and version is found by its names, and its rows name features that there are. */
static void test_models(void **state)
{
    X86CpuSpec spec;

    for (const X86Model *m = x86_models; m->name; m++) {
        spec = (X86CpuSpec){ 0 };
        assert_true(x86_spec_parse(&spec, m->name, NULL, NULL));
        assert_int_equal(strlen(spec.model.vendor), 12);
        assert_true(m->desc || m->model_id[0]);
    }
    for (const X86ModelVersion *v = x86_model_versions; v->model; v++) {
        g_autofree char *name = g_strdup_printf("%s-v%u", v->model, v->number);
        X86CpuSpec alias = { 0 };

        spec = (X86CpuSpec){ 0 };
        assert_true(x86_spec_parse(&spec, name, NULL, NULL));
        assert_string_equal(spec.model.model_id, v->model_id);
        assert_true(x86_spec_parse(&alias, v->alias ? v->alias : name, NULL, NULL));
        assert_memory_equal(alias.model.features, spec.model.features, sizeof(spec.model.features));
    }
}

static void test_versions_change_the_model(void **state)
{
    g_autoptr(GPtrArray) first = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) second = g_ptr_array_new_with_free_func(g_free);
    X86CpuSpec spec = { 0 };

    assert_true(x86_spec_parse(&spec, "Haswell-v1", first, NULL));
    assert_true(has_words(first, "EBX.rtm"));
    assert_int_equal(x86_cpuid_signature(&spec.model), 0x306c4);
    assert_false(spec.model.features[CPUID_7_0_EDX] & CPUID_SPEC_CTRL);
    assert_true(x86_spec_parse(&spec, "Haswell-v4", second, NULL));
    assert_false(has_words(second, "EBX.rtm"));
    assert_int_equal(x86_cpuid_signature(&spec.model), 0x306c1);
    assert_true(spec.model.features[CPUID_7_0_EDX] & CPUID_SPEC_CTRL);
}

static void test_signatures(void **state)
{
    static const struct {
        const char *model;
        uint32_t signature, phys_bits;
    } table[] = {
        { "486", 0x480, 32 },
        { "pentium", 0x543, 32 },
        { "pentium2", 0x652, 36 },
        { "pentium3", 0x673, 36 },
        { "core2duo", 0x6fb, 40 },
        { "Conroe", 0x6f3, 40 },
        { "Penryn", 0x10673, 40 },
        { "n270", 0x106c2, 36 },
        { "Nehalem", 0x106a3, 40 },
        { "Westmere", 0x206c1, 40 },
        { "SandyBridge", 0x206a1, 40 },
        { "IvyBridge", 0x306a9, 40 },
        { "Broadwell", 0x306d2, 40 },
        { "Skylake-Client", 0x506e3, 40 },
        { "Skylake-Server", 0x50654, 40 },
        { "Cascadelake-Server", 0x50656, 40 },
        { "Cooperlake", 0x5065a, 40 },
        { "Icelake-Server", 0x80660, 40 },
        { "Icelake-Server-v4", 0x606a0, 40 },
        { "Denverton", 0x506f1, 40 },
        { "Snowridge", 0x80661, 40 },
        { "KnightsMill", 0x80650, 40 },
        { "athlon", 0x623, 36 },
        { "phenom", 0x100f23, 40 },
        { "coreduo", 0x6e8, 36 },
        { "kvm32", 0xf61, 36 },
        { "Dhyana", 0x900f01, 40 },
        { "Opteron_G1", 0x0f61, 40 },
        { "Opteron_G3", 0x100f23, 40 },
        { "Opteron_G4", 0x600f12, 40 },
        { "EPYC", 0x800f12, 40 },
        { "EPYC-Rome", 0x830f10, 40 },
        { "EPYC-Milan", 0xa00f11, 40 },
        { "kvm64", 0xf61, 40 },
        { "qemu32", 0x663, 36 },
        { "EPYC,phys-bits=48", 0x800f12, 48 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        X86CpuSpec spec = { 0 };

        assert_true(x86_spec_parse(&spec, table[i].model, NULL, NULL));
        assert_int_equal(x86_cpuid_signature(&spec.model), table[i].signature);
        assert_int_equal(spec.phys_bits, table[i].phys_bits);
    }
}

static void test_topology(void **state)
{
    const X86Topology t = { .sockets = 2, .cores = 3, .threads = 2 };

    assert_int_equal(x86_topology_thread_bits(&t), 1);
    assert_int_equal(x86_topology_package_bits(&t), 3);
    assert_int_equal(x86_topology_apic_id(&t, 0), 0);
    assert_int_equal(x86_topology_apic_id(&t, 3), 3);
    assert_int_equal(x86_topology_apic_id(&t, 5), 5);
    assert_int_equal(x86_topology_apic_id(&t, 6), 8);
}

static void leaf(System *s, uint32_t n, uint32_t sub, uint32_t out[4])
{
    x86_cpuid(s->c, n, sub, out);
}

static void assert_text(const uint32_t *registers, const char *text)
{
    for (unsigned i = 0; i < strlen(text) / 4; i++)
        assert_int_equal(registers[i], guest_get(text + 4 * i, 4));
}

static void test_leaves(void **state)
{
    System *s = system_new(NULL, "qemu64");
    uint32_t r[4];

    leaf(s, 0, 0, r);
    assert_int_equal(r[0], 0xd);
    assert_text(&r[1], "Auth");
    assert_text(&r[3], "enti");
    assert_text(&r[2], "cAMD");
    leaf(s, 1, 0, r);
    assert_int_equal(r[0], 0x60fb1);
    assert_int_equal(r[1], 0x00010800);
    assert_true(r[2] & (uint32_t)CPUID_HYPERVISOR);
    assert_false(r[2] & CPUID_OSXSAVE);
    s->c->cr4 |= CR4_OSXSAVE;
    leaf(s, 1, 0, r);
    assert_true(r[2] & CPUID_OSXSAVE);
    leaf(s, 0xd, 0, r); /* no XSAVE in this model */
    assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
    leaf(s, 0x80000001, 0, r);
    assert_true(r[3] & CPUID_LM);
    assert_true(r[3] & CPUID_FPU); /* AMD repeats leaf 1 */
    leaf(s, 0x80000002, 0, r);
    assert_text(r, "QEMU Virtual CPU");
    leaf(s, 0x80000008, 0, r);
    assert_int_equal(r[0], 40 | 48 << 8);
    leaf(s, 0x40000000, 0, r);
    assert_text(&r[1], "TCGTCGTCGTCG");
    leaf(s, 0x12345, 0, r); /* beyond: the highest basic leaf */
    assert_int_equal(r[0], 0);
    system_free(s);

    s = system_new(NULL, "max,avx=off,pku=off,tsc-frequency=2000000000");
    leaf(s, 0xd, 0, r);
    assert_int_equal(r[0], 3);
    assert_int_equal(r[2], 576);
    leaf(s, 0xd, 2, r);
    assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
    leaf(s, 0x15, 0, r);
    assert_int_equal((uint64_t)r[2] * r[1] / r[0], 2000000000);
    leaf(s, 0xb, 1, r);
    assert_int_equal(r[1], 1);
    assert_int_equal(r[2], 2 << 8 | 1);
    system_free(s);

    s = system_new("interp", "max"); /* it has AVX on any host */
    leaf(s, 0xd, 0, r);
    assert_int_equal(r[0], 7 | 1 << 9);
    assert_int_equal(r[1], 576); /* XCR0 as after reset */
    assert_int_equal(r[2], 840);
    leaf(s, 0xd, 9, r); /* PKRU */
    assert_int_equal(r[0], 8);
    assert_int_equal(r[1], 832);
    leaf(s, 7, 0, r);
    assert_int_equal(r[2] & (CPUID_PKU | CPUID_OSPKE), CPUID_PKU);
    s->c->cr4 |= CR4_PKE;
    leaf(s, 7, 0, r);
    assert_int_equal(r[2] & (CPUID_PKU | CPUID_OSPKE), CPUID_PKU | CPUID_OSPKE);
    leaf(s, 5, 0, r);
    assert_int_equal(r[0] | r[1] << 16, 64 | 64 << 16);
    assert_int_equal(r[2], 3);
    leaf(s, 0xd, 1, r);
    assert_int_equal(r[0], 15); /* XSAVEOPT, XSAVEC, XGETBV(1), XSAVES */
    assert_int_equal(r[1], 576);
    leaf(s, 0xd, 2, r);
    assert_int_equal(r[0], 256);
    assert_int_equal(r[1], 576);
    assert_int_equal(r[2] | r[3], 0);
    leaf(s, 0xd, 3, r);
    assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
    s->c->xcr0 = 7;
    leaf(s, 0xd, 0, r);
    assert_int_equal(r[1], 832);
    leaf(s, 0xd, 1, r);
    assert_int_equal(r[1], 832);
    system_free(s);
}

/* Two packages of three cores of two threads, as each of the ways to ask has it. */
static void test_topology_leaves(void **state)
{
    System *s = system_new(NULL, "EPYC");
    CpuX86 *c = s->c;
    X86CpuSpec spec = *c->spec;
    uint32_t r[4];

    spec.topology = (X86Topology){ .sockets = 2, .cores = 3, .threads = 2 };
    c->spec = &spec;
    c->apic_id = x86_topology_apic_id(&spec.topology, 11); /* package 1, core 2, thread 1 */
    assert_int_equal(c->apic_id, 1 << 3 | 2 << 1 | 1);
    leaf(s, 1, 0, r);
    assert_int_equal(r[1] >> 24, c->apic_id);
    assert_int_equal(r[1] >> 16 & 0xff, 6);
    leaf(s, 4, 0, r); /* first-level data: 32 KiB, shared by the threads of a core */
    assert_int_equal(r[0] & 0xff, 1 | 1 << 5);
    assert_int_equal((r[0] >> 14 & 0xfff) + 1, 2);
    assert_int_equal((r[0] >> 26) + 1, 3);
    assert_int_equal(((r[1] >> 22) + 1) * ((r[1] & 0xfff) + 1) * (r[2] + 1), 32768);
    leaf(s, 0xb, 0, r);
    assert_int_equal(r[0], 1);
    assert_int_equal(r[1], 2);
    assert_int_equal(r[2], 1 << 8);
    assert_int_equal(r[3], c->apic_id);
    leaf(s, 0xb, 1, r);
    assert_int_equal(r[0], 3);
    assert_int_equal(r[1], 6);
    assert_int_equal(r[2], 2 << 8 | 1);
    leaf(s, 0xb, 2, r);
    assert_int_equal(r[0] | r[1], 0);
    assert_int_equal(r[2], 2);
    assert_int_equal(r[3], c->apic_id);
    leaf(s, 0x80000008, 0, r);
    assert_int_equal(r[2], 3 << 12 | 5);
    leaf(s, 0x8000001d, 3, r); /* third level, shared by the package */
    assert_int_equal(r[0] & 0xff, 3 | 3 << 5);
    assert_int_equal((r[0] >> 14 & 0xfff) + 1, 6);
    assert_int_equal(r[0] >> 26, 0);
    leaf(s, 0x8000001d, 4, r);
    assert_int_equal(r[0], 0);
    leaf(s, 0x8000001e, 0, r);
    assert_int_equal(r[0], c->apic_id);
    assert_int_equal(r[1], 1 << 8 | 2);
    assert_int_equal(r[2], 1);
    c->features[CPUID_80000001_ECX] &= ~(uint32_t)CPUID_TOPOEXT;
    leaf(s, 0x8000001e, 0, r);
    assert_int_equal(r[0] | r[1] | r[2], 0);
    system_free(s);
}

/* Leaves that only max reaches. */
static void test_high_leaves(void **state)
{
    System *s = system_new(NULL, "max,tsc-frequency=2500000000");
    uint32_t r[4], b[4];

    leaf(s, 0, 0, r);
    assert_int_equal(r[0], 0x1f);
    leaf(s, 0x15, 0, r);
    assert_int_equal(r[2], 1000000000); /* the APIC timers' clock */
    leaf(s, 0x16, 0, r);
    assert_int_equal(r[0], 2500);
    leaf(s, 0x1f, 1, r);
    leaf(s, 0xb, 1, b);
    assert_memory_equal(r, b, sizeof(r));
    system_free(s);
}

/* What the engine says it can decides about AVX. */
/* What kernels take for a flaw, or for its absence: max wants no remedies. Pointers of the x87 are
 * always saved, so that nothing of them leaks from one process to the next. */
static void test_max_wants_no_remedies(void **state)
{
    X86CpuSpec spec = { 0 };

    assert_true(x86_spec_parse(&spec, "max", NULL, NULL));
    assert_true(spec.model.features[CPUID_80000008_EBX] & 1 << 2); /* XSAVEERPTR */
    assert_true(spec.model.features[CPUID_80000008_EBX] & CPUID_IBRS);
    assert_true(spec.model.features[CPUID_7_0_EDX] & CPUID_ARCH_CAPABILITIES);
    assert_string_equal(spec.model.vendor, "AuthenticAMD");
    assert_true(spec.model.family < 0x10); /* those from Bulldozer to Zen 3 have RETBleed or SRSO */
}

static void test_engine_limits_features(void **state)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    X86CpuSpec without = { 0 }, with = { .engine = TCG_HAS_V256 };

    assert_true(x86_spec_parse(&without, "Haswell,-hle,-rtm", warnings, NULL));
    assert_true(has_words(warnings, "ECX.avx"));
    assert_false(without.model.features[CPUID_1_ECX] & CPUID_AVX);
    g_ptr_array_set_size(warnings, 0);
    assert_true(x86_spec_parse(&with, "Haswell,-hle,-rtm", warnings, NULL));
    assert_false(has_words(warnings, "ECX.avx"));
    assert_true(with.model.features[CPUID_1_ECX] & CPUID_AVX);
    assert_true(x86_spec_parse(&with, "max", NULL, NULL));
    assert_false(with.model.features[CPUID_7_0_ECX] & 1 << 9); /* VAES */
}

static void test_help_names_models(void **state)
{
    g_autoptr(GString) out = g_string_new(NULL);

    x86_print_models(out);
    assert_non_null(strstr(out->str, "qemu64"));
    assert_non_null(strstr(out->str, "x86 max "));
    assert_non_null(strstr(out->str, " Skylake-Server-noTSX-IBRS "));
    assert_non_null(strstr(out->str, " EPYC-v3 "));
    assert_non_null(
        strstr(out->str, "x86 Haswell               (alias configured by machine type)\n"));
    assert_non_null(strstr(out->str, "x86 Haswell-noTSX         (alias of Haswell-v2)\n"));
    assert_non_null(
        strstr(out->str, "x86 Cooperlake-v2         Intel Xeon Processor (Cooperlake) [XSAVES]\n"));
    assert_null(strstr(out->str, " host "));
    assert_non_null(strstr(out->str, " pcid"));
    assert_null(strstr(out->str, " avx512f"));
}

/* An MSR that the model lacks is #GP(0). */
static void test_msrs(void **state)
{
    /* clang-format off */
    static const struct {
        const char *model;
        uint32_t msr;
        bool exists;
    } table[] = {
        { "pentium", 0x10, true },         { "pentium", 0x174, false },
        { "pentium", 0x179, false },       { "pentium", 0xfe, false },
        { "pentium", 0x200, false },       { "pentium", 0x2ff, false },
        { "pentium", 0x277, false },       { "pentium", 0x400, false },
        { "pentium", 0xc0000080, false },  { "pentium", 0xc0000081, false },
        { "pentium", 0xc0000100, false },  { "pentium", 0x3b, false },
        { "pentium3", 0x174, true },       { "pentium3", 0x200, true },
        { "pentium3", 0x277, true },       { "pentium3", 0x400, true },
        { "pentium3", 0xc0000080, false }, { "pentium3", 0xc0000082, false },
        { "qemu64", 0xc0000080, true },    { "qemu64", 0xc0000082, true },
        { "qemu64", 0xc0000100, true },    { "qemu64", 0xc0000103, false },
        { "max", 0xc0000103, true },       { "max", 0x3b, true },
        /* by generation */
        { "pentium", 0x1, true },          { "pentium", 0x11, true },
        { "pentium", 0x13, true },         { "pentium", 0xc1, false },
        { "pentium", 0x186, false },       { "pentium", 0x1d9, false },
        { "pentium", 0x1a0, false },       { "pentium", 0x8b, false },
        { "pentium2", 0x11, false },       { "pentium2", 0xc2, true },
        { "pentium2", 0xc3, false },       { "pentium3", 0x187, true },
        { "pentium3", 0x188, false },      { "pentium3", 0x119, true },
        { "pentium3", 0x1d9, true },       { "pentium3", 0x1a0, false },
        { "pentium3", 0xce, false },       { "pentium3", 0xc0010000, false },
        { "n270", 0x1a0, true },           { "n270", 0xc1, false },
        { "n270", 0xce, false },           { "core2duo", 0x1c9, true },
        { "core2duo", 0x1fc, false },      { "core2duo", 0xe7, false },
        { "Nehalem", 0x1fc, true },        { "Nehalem", 0x119, false },
        { "Nehalem", 0xc1, false },        { "Haswell", 0xc0010015, false },
        { "Haswell", 0x19a, false },       { "kvm64", 0x1a0, true },
        { "kvm64", 0x1fc, false },         { "qemu64", 0x1a0, false },
        { "qemu64", 0xc0010007, true },    { "qemu64", 0xc0010015, true },
        { "qemu64", 0xc0010140, false },   { "EPYC", 0xc0011029, true },
        { "EPYC", 0x17, false },           { "EPYC", 0xc0010114, false },
        { "max", 0xc1, false },            { "max", 0xc0010004, true },
        { "max,vendor=GenuineIntel", 0xc0010004, false },
        { "max,vendor=GenuineIntel", 0x1a0, true },
    };
    /* clang-format on */

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        for (unsigned write = 0; write < 2; write++) {
            System *s = system_new(NULL, table[i].model);

            system_setup(s, SYS_PROT, 0);
            s->c->regs[R_RCX] = table[i].msr;
            s->c->regs[R_RAX] = s->c->regs[R_RDX] = 0;
            system_write(s, KERNEL_CODE, write ? 0xf4300f : 0xf4320f, 3);
            assert_true(system_run(s));
            if (system_vector(s) != (table[i].exists ? -1 : EXCP_GP))
                fail_msg("%s: %s of MSR %x: vector %d", table[i].model, write ? "write" : "read",
                         table[i].msr, system_vector(s));
            system_free(s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specs),
        cmocka_unit_test(test_features_follow_the_spec),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_versions_change_the_model),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_topology),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_topology_leaves),
        cmocka_unit_test(test_high_leaves),
        cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_help_names_models),
        cmocka_unit_test(test_max_wants_no_remedies),
        cmocka_unit_test(test_engine_limits_features),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
