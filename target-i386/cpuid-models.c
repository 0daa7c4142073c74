/* SPDX-License-Identifier: MIT */
/*
 * The models of -cpu: what each processor says of itself, features by name, and the later versions
 * of those that came out again. Names and versions are QEMU's; features are those of the processors
 * as QEMU's users get them, without what belongs to the host's power management and debug stores,
 * and without SVM, of which a warning at each start would tell nobody anything.
 *
 * What the engine lacks of a model is named in a warning and left out (cpuid-features.c).
 */
#include "target-i386/cpuid.h"

#include <string.h>

/* Each generation by what it adds. */
#define PENTIUM      "fpu vme de pse tsc msr mce cx8 apic mmx "
#define PENTIUM2     PENTIUM "pae sep mtrr pge mca cmov pat pse36 fxsr "
#define PENTIUM3     PENTIUM2 "sse "
#define P6_SSE2      "fpu de pse tsc msr pae mce cx8 apic sep pge cmov pat mmx fxsr sse sse2 "
#define FULL         P6_SSE2 "mtrr mca pse36 clflush "
#define LONG_MODE    "lm syscall nx "
#define CORE2        FULL "vme pni ssse3 "
#define NEHALEM      CORE2 LONG_MODE "cx16 sse4.1 sse4.2 popcnt lahf-lm "
#define WESTMERE     NEHALEM "aes pclmulqdq arat "
#define SANDY_BRIDGE WESTMERE "avx xsave xsaveopt tsc-deadline x2apic rdtscp "
#define IVY_BRIDGE   SANDY_BRIDGE "f16c rdrand fsgsbase smep erms "
#define HASWELL      IVY_BRIDGE "fma movbe pcid abm bmi1 avx2 bmi2 invpcid hle rtm "
#define BROADWELL    HASWELL "rdseed adx smap 3dnowprefetch "
#define SKYLAKE      BROADWELL "xsavec xgetbv1 "
#define SKYLAKE_SERVER \
    SKYLAKE "pdpe1gb pku clflushopt clwb avx512f avx512dq avx512bw avx512cd avx512vl "
#define CASCADE_LAKE SKYLAKE_SERVER "avx512-vnni spec-ctrl ssbd "
#define ICE_LAKE                                                                   \
    CASCADE_LAKE "avx512vbmi umip avx512-vbmi2 gfni vaes vpclmulqdq avx512bitalg " \
                 "avx512-vpopcntdq la57 wbnoinvd "
#define GOLDMONT /* Atoms without AVX */                                                     \
    WESTMERE "movbe xsave xsaveopt xsavec xgetbv1 tsc-deadline x2apic rdtscp rdrand rdseed " \
             "fsgsbase smep smap erms clflushopt sha-ni mpx monitor pdpe1gb 3dnowprefetch "  \
             "spec-ctrl ssbd arch-capabilities "
#define AMD_3DNOW "mmxext 3dnowext 3dnow "
#define OPTERON   FULL "pni " LONG_MODE
#define OPTERON_2 OPTERON "cx16 lahf-lm "
#define OPTERON_3 OPTERON_2 "popcnt rdtscp abm sse4a misalignsse "
#define OPTERON_4 \
    OPTERON_3 "ssse3 sse4.1 sse4.2 aes pclmulqdq avx xsave pdpe1gb 3dnowprefetch xop fma4 "
#define DHYANA                                                                                 \
    FULL "vme pni ssse3 cx16 sse4.1 sse4.2 popcnt monitor avx xsave movbe f16c "               \
         "rdrand fma " LONG_MODE "rdtscp pdpe1gb fxsr-opt mmxext lahf-lm cr8legacy abm sse4a " \
         "misalignsse 3dnowprefetch osvw "                                                     \
         "fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt xsaveopt xsavec xgetbv1 "    \
         "arat topoext "
#define ZEN  DHYANA "aes pclmulqdq sha-ni "
#define ZEN2 ZEN "perfctr-core umip rdpid clwb clzero xsaveerptr wbnoinvd xsaves ibpb amd-stibp "

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"
#define HYGON "HygonGenuine"

/* clang-format off */
const X86Model x86_models[] = {
    { .name = "486", .desc = "Intel 486", .vendor = INTEL, .family = 4, .model = 8, .stepping = 0, .level = 1,
      .has = "fpu vme pse" },
    { .name = "pentium", .desc = "Intel Pentium", .vendor = INTEL, .family = 5, .model = 4, .stepping = 3, .level = 1,
      .has = PENTIUM },
    { .name = "pentium2", .desc = "Intel Pentium II", .vendor = INTEL, .family = 6, .model = 5, .stepping = 2, .level = 2,
      .has = PENTIUM2 },
    { .name = "pentium3", .desc = "Intel Pentium III", .vendor = INTEL, .family = 6, .model = 7, .stepping = 3, .level = 3,
      .has = PENTIUM3 },
    { .name = "athlon", .vendor = AMD, .family = 6, .model = 2, .stepping = 3, .level = 2, .xlevel = 0x80000008,
      .model_id = "QEMU Virtual CPU version 2.5+", .has = PENTIUM3 "sse2 " AMD_3DNOW },
    { .name = "coreduo", .vendor = INTEL, .family = 6, .model = 14, .stepping = 8, .level = 10,
      .xlevel = 0x80000008, .model_id = "Genuine Intel(R) CPU           T2600  @ 2.16GHz",
      .has = P6_SSE2 "vme ss mtrr clflush mca pni monitor nx" },
    { .name = "core2duo", .vendor = INTEL, .family = 6, .model = 15, .stepping = 11, .level = 10,
      .xlevel = 0x80000008, .model_id = "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz",
      .has = CORE2 LONG_MODE "ss monitor cx16 lahf-lm" },
    { .name = "Conroe", .vendor = INTEL, .family = 6, .model = 15, .stepping = 3, .level = 10,
      .xlevel = 0x80000008, .model_id = "Intel Celeron_4x0 (Conroe/Merom Class Core 2)",
      .has = CORE2 LONG_MODE "lahf-lm" },
    { .name = "Penryn", .vendor = INTEL, .family = 6, .model = 23, .stepping = 3, .level = 10,
      .xlevel = 0x80000008, .model_id = "Intel Core 2 Duo P9xxx (Penryn Class Core 2)",
      .has = CORE2 LONG_MODE "cx16 sse4.1 lahf-lm" },
    { .name = "n270", .vendor = INTEL, .family = 6, .model = 28, .stepping = 2, .level = 10,
      .xlevel = 0x80000008, .model_id = "Intel(R) Atom(TM) CPU N270   @ 1.60GHz",
      .has = P6_SSE2 "vme ss mtrr clflush mca pni monitor ssse3 movbe nx lahf-lm" },
    { .name = "Nehalem", .vendor = INTEL, .family = 6, .model = 26, .stepping = 3, .level = 11,
      .xlevel = 0x80000008, .model_id = "Intel Core i7 9xx (Nehalem Class Core i7)", .has = NEHALEM },
    { .name = "Westmere", .vendor = INTEL, .family = 6, .model = 44, .stepping = 1, .level = 11,
      .xlevel = 0x80000008, .model_id = "Westmere E56xx/L56xx/X56xx (Nehalem-C)", .has = WESTMERE },
    { .name = "SandyBridge", .vendor = INTEL, .family = 6, .model = 42, .stepping = 1, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon E312xx (Sandy Bridge)", .has = SANDY_BRIDGE },
    { .name = "IvyBridge", .vendor = INTEL, .family = 6, .model = 58, .stepping = 9, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon E3-12xx v2 (Ivy Bridge)", .has = IVY_BRIDGE },
    { .name = "Haswell", .vendor = INTEL, .family = 6, .model = 60, .stepping = 4, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Core Processor (Haswell)", .has = HASWELL },
    { .name = "Broadwell", .vendor = INTEL, .family = 6, .model = 61, .stepping = 2, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Core Processor (Broadwell)", .has = BROADWELL },
    { .name = "Skylake-Client", .vendor = INTEL, .family = 6, .model = 94, .stepping = 3, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Core Processor (Skylake)", .has = SKYLAKE },
    { .name = "Skylake-Server", .vendor = INTEL, .family = 6, .model = 85, .stepping = 4, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon Processor (Skylake)", .has = SKYLAKE_SERVER },
    { .name = "Cascadelake-Server", .vendor = INTEL, .family = 6, .model = 85, .stepping = 6, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon Processor (Cascadelake)", .has = CASCADE_LAKE },
    { .name = "Cooperlake", .vendor = INTEL, .family = 6, .model = 85, .stepping = 10, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon Processor (Cooperlake)",
      .has = CASCADE_LAKE "stibp arch-capabilities avx512-bf16" },
    { .name = "Icelake-Server", .vendor = INTEL, .family = 6, .model = 134, .stepping = 0, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon Processor (Icelake)", .has = ICE_LAKE },
    { .name = "Denverton", .vendor = INTEL, .family = 6, .model = 95, .stepping = 1, .level = 0x15,
      .xlevel = 0x80000008, .model_id = "Intel Atom Processor (Denverton)", .has = GOLDMONT },
    { .name = "Snowridge", .vendor = INTEL, .family = 6, .model = 134, .stepping = 1, .level = 0x1b,
      .xlevel = 0x80000008, .model_id = "Intel Atom Processor (SnowRidge)",
      .has = GOLDMONT "clwb umip gfni cldemote movdiri movdir64b core-capability" },
    { .name = "KnightsMill", .vendor = INTEL, .family = 6, .model = 133, .stepping = 0, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Intel Xeon Phi Processor (Knights Mill)",
      .has = IVY_BRIDGE "ss fma movbe abm bmi1 avx2 bmi2 rdseed adx 3dnowprefetch xsavec xgetbv1 pdpe1gb avx512f "
             "avx512cd avx512pf avx512er avx512-vpopcntdq avx512-4vnniw avx512-4fmaps" },
    { .name = "Opteron_G1", .vendor = AMD, .family = 15, .model = 6, .stepping = 1, .level = 5,
      .xlevel = 0x80000008, .model_id = "AMD Opteron 240 (Gen 1 Class Opteron)", .has = OPTERON },
    { .name = "Opteron_G2", .vendor = AMD, .family = 15, .model = 6, .stepping = 1, .level = 5,
      .xlevel = 0x8000000a, .model_id = "AMD Opteron 22xx (Gen 2 Class Opteron)", .has = OPTERON_2 },
    { .name = "Opteron_G3", .vendor = AMD, .family = 16, .model = 2, .stepping = 3, .level = 5,
      .xlevel = 0x8000000a, .model_id = "AMD Opteron 23xx (Gen 3 Class Opteron)",
      .has = OPTERON_3 "monitor" },
    { .name = "phenom", .vendor = AMD, .family = 16, .model = 2, .stepping = 3, .level = 5,
      .xlevel = 0x8000001a, .model_id = "AMD Phenom(tm) 9550 Quad-Core Processor",
      .has = OPTERON_2 AMD_3DNOW "vme monitor popcnt rdtscp abm sse4a fxsr-opt pdpe1gb" },
    { .name = "Opteron_G4", .vendor = AMD, .family = 21, .model = 1, .stepping = 2, .level = 0xd,
      .xlevel = 0x8000001a, .model_id = "AMD Opteron 62xx class CPU", .has = OPTERON_4 },
    { .name = "Opteron_G5", .vendor = AMD, .family = 21, .model = 2, .stepping = 0, .level = 0xd,
      .xlevel = 0x8000001a, .model_id = "AMD Opteron 63xx class CPU", .has = OPTERON_4 "fma f16c tbm" },
    { .name = "EPYC", .vendor = AMD, .family = 23, .model = 1, .stepping = 2, .level = 0xd,
      .xlevel = 0x8000001e, .model_id = "AMD EPYC Processor", .has = ZEN },
    { .name = "EPYC-Rome", .vendor = AMD, .family = 23, .model = 49, .stepping = 0, .level = 0xd,
      .xlevel = 0x8000001e, .model_id = "AMD EPYC-Rome Processor", .has = ZEN2 },
    { .name = "EPYC-Milan", .vendor = AMD, .family = 25, .model = 1, .stepping = 1, .level = 0xd,
      .xlevel = 0x8000001e, .model_id = "AMD EPYC-Milan Processor",
      .has = ZEN2 "pcid erms invpcid pku fsrm ibrs amd-ssbd" },
    { .name = "Dhyana", .vendor = HYGON, .family = 24, .model = 0, .stepping = 1, .level = 0xd,
      .xlevel = 0x8000001e, .model_id = "Hygon Dhyana Processor", .has = DHYANA "ibpb" },
    { .name = "qemu32", .vendor = INTEL, .family = 6, .model = 6, .stepping = 3, .level = 4,
      .xlevel = 0x80000004, .model_id = "QEMU Virtual CPU version 2.5+", .has = P6_SSE2 "pni" },
    { .name = "qemu64", .vendor = AMD, .family = 15, .model = 107, .stepping = 1, .level = 0xd,
      .xlevel = 0x8000000a, .model_id = "QEMU Virtual CPU version 2.5+",
      .has = FULL LONG_MODE "pni cx16 lahf-lm" },
    { .name = "kvm32", .vendor = INTEL, .family = 15, .model = 6, .stepping = 1, .level = 5,
      .xlevel = 0x80000008, .model_id = "Common 32-bit KVM processor", .has = FULL "vme pni" },
    { .name = "kvm64", .vendor = INTEL, .family = 15, .model = 6, .stepping = 1, .level = 0xd,
      .xlevel = 0x80000008, .model_id = "Common KVM processor",
      .has = FULL LONG_MODE "vme pni cx16" },
    { .name = "base", .desc = "base CPU model type with no features enabled", .vendor = AMD,
      .family = 6, .model = 0, .stepping = 0, .level = 1, .xlevel = 0x80000008,
      .model_id = "Mimus base CPU", .has = "" },
    /* What the engine implements; in the family in which kernels know of no flaw that wants a costly
     * remedy. */
    { .name = "max", .desc = "Enables all features supported by the accelerator in the current host",
      .vendor = AMD, .family = 15, .model = 107, .stepping = 1, .level = 0x1f,
      .xlevel = 0x8000001e, .model_id = "Mimus TCG CPU", .all = true },
    { .name = NULL },
};

#define ICE_LAKE_SP "-hle,-rtm,+arch-capabilities,+sha-ni,+avx512ifma,+rdpid,+fsrm,model=106"

/* @change is relative to version 1. */
const X86ModelVersion x86_model_versions[] = {
    { "Nehalem", 2, "Nehalem-IBRS", "+spec-ctrl", "Intel Core i7 9xx (Nehalem Core i7, IBRS update)" },
    { "Westmere", 2, "Westmere-IBRS", "+spec-ctrl",
      "Westmere E56xx/L56xx/X56xx (IBRS update)" },
    { "SandyBridge", 2, "SandyBridge-IBRS", "+spec-ctrl",
      "Intel Xeon E312xx (Sandy Bridge, IBRS update)" },
    { "IvyBridge", 2, "IvyBridge-IBRS", "+spec-ctrl",
      "Intel Xeon E3-12xx v2 (Ivy Bridge, IBRS)" },
    { "Haswell", 2, "Haswell-noTSX", "-hle,-rtm,stepping=1", "Intel Core Processor (Haswell, no TSX)" },
    { "Haswell", 3, "Haswell-IBRS", "+spec-ctrl", "Intel Core Processor (Haswell, IBRS)" },
    { "Haswell", 4, "Haswell-noTSX-IBRS", "-hle,-rtm,+spec-ctrl,stepping=1",
      "Intel Core Processor (Haswell, no TSX, IBRS)" },
    { "Broadwell", 2, "Broadwell-noTSX", "-hle,-rtm", "Intel Core Processor (Broadwell, no TSX)" },
    { "Broadwell", 3, "Broadwell-IBRS", "+spec-ctrl", "Intel Core Processor (Broadwell, IBRS)" },
    { "Broadwell", 4, "Broadwell-noTSX-IBRS", "-hle,-rtm,+spec-ctrl",
      "Intel Core Processor (Broadwell, no TSX, IBRS)" },
    { "Skylake-Client", 2, "Skylake-Client-IBRS", "+spec-ctrl",
      "Intel Core Processor (Skylake, IBRS)" },
    { "Skylake-Client", 3, "Skylake-Client-noTSX-IBRS", "-hle,-rtm,+spec-ctrl",
      "Intel Core Processor (Skylake, IBRS, no TSX)" },
    { "Skylake-Client", 4, NULL, "-hle,-rtm,+spec-ctrl,+xsaves",
      "Intel Core Processor (Skylake, IBRS, no TSX)", "IBRS, XSAVES, no TSX" },
    { "Skylake-Server", 2, "Skylake-Server-IBRS", "+spec-ctrl,-clflushopt",
      "Intel Xeon Processor (Skylake, IBRS)" },
    { "Skylake-Server", 3, "Skylake-Server-noTSX-IBRS", "-hle,-rtm,+spec-ctrl,-clflushopt",
      "Intel Xeon Processor (Skylake, IBRS, no TSX)" },
    { "Skylake-Server", 4, NULL, "-hle,-rtm,+spec-ctrl,-clflushopt",
      "Intel Xeon Processor (Skylake, IBRS, no TSX)", "IBRS, EPT switching, no TSX" },
    { "Skylake-Server", 5, NULL, "-hle,-rtm,+spec-ctrl,-clflushopt,+xsaves",
      "Intel Xeon Processor (Skylake, IBRS, no TSX)", "IBRS, XSAVES, EPT switching, no TSX" },
    { "Cascadelake-Server", 2, NULL, "+arch-capabilities", "Intel Xeon Processor (Cascadelake)", "ARCH_CAPABILITIES" },
    { "Cascadelake-Server", 3, "Cascadelake-Server-noTSX", "-hle,-rtm,+arch-capabilities",
      "Intel Xeon Processor (Cascadelake)", "ARCH_CAPABILITIES, no TSX" },
    { "Cascadelake-Server", 4, NULL, "-hle,-rtm,+arch-capabilities",
      "Intel Xeon Processor (Cascadelake)", "ARCH_CAPABILITIES, EPT switching, no TSX" },
    { "Cascadelake-Server", 5, NULL, "-hle,-rtm,+arch-capabilities,+xsaves",
      "Intel Xeon Processor (Cascadelake)", "ARCH_CAPABILITIES, EPT switching, XSAVES, no TSX" },
    { "Cooperlake", 2, NULL, "+xsaves", "Intel Xeon Processor (Cooperlake)", "XSAVES" },
    { "Icelake-Server", 2, "Icelake-Server-noTSX", "-hle,-rtm", "Intel Xeon Processor (Icelake)", "no TSX" },
    { "Icelake-Server", 3, NULL, "-hle,-rtm,+arch-capabilities", "Intel Xeon Processor (Icelake)" },
    { "Icelake-Server", 4, NULL, ICE_LAKE_SP, "Intel Xeon Processor (Icelake)" },
    { "Icelake-Server", 5, NULL, ICE_LAKE_SP ",+xsaves", "Intel Xeon Processor (Icelake)", "XSAVES" },
    { "Icelake-Server", 6, NULL, ICE_LAKE_SP ",+xsaves", "Intel Xeon Processor (Icelake)", "5-level EPT" },
    { "Denverton", 2, NULL, "-mpx,-monitor", "Intel Atom Processor (Denverton)", "no MPX, no MONITOR" },
    { "Denverton", 3, NULL, "-mpx,-monitor,+xsaves", "Intel Atom Processor (Denverton)",
      "XSAVES, no MPX, no MONITOR" },
    { "Snowridge", 2, NULL, "-mpx", "Intel Atom Processor (Snowridge, no MPX)" },
    { "Snowridge", 3, NULL, "-mpx,+xsaves", "Intel Atom Processor (Snowridge, no MPX)", "XSAVES, no MPX" },
    { "Snowridge", 4, NULL, "-mpx,+xsaves,-core-capability", "Intel Atom Processor (Snowridge, no MPX)",
      "no split lock detect, no core-capability" },
    { "Dhyana", 2, NULL, "+xsaves", "Hygon Dhyana Processor", "XSAVES" },
    { "EPYC", 2, "EPYC-IBPB", "+ibpb", "AMD EPYC Processor (with IBPB)" },
    { "EPYC", 3, NULL, "+ibpb,+clzero,+xsaveerptr,+xsaves,+perfctr-core", "AMD EPYC Processor" },
    { "EPYC-Rome", 2, NULL, "+ibrs,+amd-ssbd", "AMD EPYC-Rome Processor" },
    { NULL },
};
/* clang-format on */

static bool find_row(const char *name, X86ModelChoice *out)
{
    for (const X86Model *m = x86_models; m->name; m++) {
        if (!strcmp(m->name, name)) {
            *out = (X86ModelChoice){ .model = m };
            return true;
        }
    }
    for (const X86ModelVersion *v = x86_model_versions; v->model; v++) {
        if (v->alias && !strcmp(v->alias, name)) {
            find_row(v->model, out);
            out->version = v;
            return true;
        }
    }
    return false;
}

/* Not those that are what there is, or nothing. */
static bool has_versions(const X86Model *m)
{
    return !m->all && *m->has;
}

bool x86_model_find(const char *name, X86ModelChoice *out)
{
    const char *dash = g_strrstr(name, "-v");
    g_autofree char *plain = NULL;
    unsigned number;

    if (find_row(name, out))
        return true;
    if (!dash || !g_ascii_isdigit(dash[2]) || dash[2] == '0' || dash[3])
        return false;
    number = (unsigned)(dash[2] - '0');
    plain = g_strndup(name, (gsize)(dash - name));
    if (!find_row(plain, out) || out->version || !has_versions(out->model))
        return false;
    if (number == 1)
        return true;
    for (const X86ModelVersion *v = x86_model_versions; v->model; v++) {
        if (!strcmp(v->model, plain) && v->number == number) {
            out->version = v;
            return true;
        }
    }
    return false;
}

static void print_row(GString *out, const char *name, unsigned version, const char *desc)
{
    g_autofree char *full = version ? g_strdup_printf("%s-v%u", name, version) : g_strdup(name);

    g_string_append_printf(out, "x86 %-20s  %s\n", full, desc);
}

static void print_version(GString *out, const X86ModelVersion *v)
{
    g_autofree char *same_as = g_strdup_printf("(alias of %s-v%u)", v->model, v->number);
    g_autofree char *note = v->note ? g_strdup_printf(" [%s]", v->note) : g_strdup("");
    g_autofree char *desc = g_strconcat(v->model_id, note, NULL);

    if (v->alias)
        print_row(out, v->alias, 0, same_as);
    print_row(out, v->model, v->number, desc);
}

void x86_models_list(GString *out)
{
    for (const X86Model *m = x86_models; m->name; m++) {
        const char *desc = m->desc ? m->desc : m->model_id;

        print_row(out, m->name, 0, m->all ? desc : "(alias configured by machine type)");
        if (m->all)
            continue;
        print_row(out, m->name, 1, desc);
        for (const X86ModelVersion *v = x86_model_versions; v->model; v++)
            if (!strcmp(v->model, m->name))
                print_version(out, v);
    }
}

void x86_models_each(void (*f)(void *opaque, const char *name, const char *alias), void *opaque)
{
    for (const X86Model *m = x86_models; m->name; m++) {
        g_autofree char *first = !has_versions(m) ? NULL : g_strdup_printf("%s-v1", m->name);

        f(opaque, m->name, first);
        if (first)
            f(opaque, first, NULL);
        for (const X86ModelVersion *v = x86_model_versions; v->model; v++) {
            g_autofree char *full = g_strdup_printf("%s-v%u", v->model, v->number);

            if (strcmp(v->model, m->name) != 0)
                continue;
            f(opaque, full, NULL);
            if (v->alias)
                f(opaque, v->alias, full);
        }
    }
}
