/* SPDX-License-Identifier: MIT */
/*
 * CPUID: the words of feature bits that a CPU carries (CpuX86.features), the models, and the leaves
 * that the instruction returns. Intel SDM vol. 2A (CPUID), AMD APM vol. 3 appendix E.
 *
 * A new feature is one row in cpuid-features.c; it can be switched on as soon as that row says that
 * the engine implements it.
 */
#ifndef TARGET_I386_CPUID_H
#define TARGET_I386_CPUID_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct CpuX86 CpuX86;
typedef struct X86Model X86Model;

typedef enum CpuidWord { /* index in CpuX86.features */
                         CPUID_1_EDX,
                         CPUID_1_ECX,
                         CPUID_6_EAX,
                         CPUID_7_0_EBX,
                         CPUID_7_0_ECX,
                         CPUID_7_0_EDX,
                         CPUID_D_1_EAX,
                         CPUID_80000001_EDX,
                         CPUID_80000001_ECX,
                         CPUID_80000007_EDX,
                         CPUID_80000008_EBX,
                         CPUID_7_1_EAX,
                         CPUID_WORDS
} CpuidWord;

/* Bits that code asks for; by word. */
/* clang-format off */
enum { /* 1.EDX */
    CPUID_FPU = 1 << 0, CPUID_VME = 1 << 1, CPUID_DE = 1 << 2, CPUID_PSE = 1 << 3, CPUID_TSC = 1 << 4,
    CPUID_MSR = 1 << 5, CPUID_PAE = 1 << 6, CPUID_MCE = 1 << 7, CPUID_CX8 = 1 << 8, CPUID_APIC = 1 << 9,
    CPUID_SEP = 1 << 11, CPUID_MTRR = 1 << 12, CPUID_PGE = 1 << 13, CPUID_MCA = 1 << 14,
    CPUID_CMOV = 1 << 15, CPUID_PAT = 1 << 16, CPUID_PSE36 = 1 << 17, CPUID_CLFLUSH = 1 << 19,
    CPUID_MMX = 1 << 23, CPUID_FXSR = 1 << 24, CPUID_SSE = 1 << 25, CPUID_SSE2 = 1 << 26,
    CPUID_SS = 1 << 27, CPUID_HTT = 1 << 28,
};
enum { /* 1.ECX */
    CPUID_SSE3 = 1 << 0, CPUID_MONITOR = 1 << 3, CPUID_CX16 = 1 << 13, CPUID_PCID = 1 << 17, CPUID_X2APIC = 1 << 21,
    CPUID_TSC_DEADLINE = 1 << 24, CPUID_XSAVE = 1 << 26, CPUID_OSXSAVE = 1 << 27,
    CPUID_HYPERVISOR = (int)(1u << 31),
};
enum { /* 7.0.EBX */
    CPUID_FSGSBASE = 1 << 0, CPUID_TSC_ADJUST = 1 << 1, CPUID_SMEP = 1 << 7, CPUID_ERMS = 1 << 9,
    CPUID_INVPCID = 1 << 10, CPUID_SMAP = 1 << 20,
};
enum { CPUID_AVX = 1 << 28 }; /* 1.ECX */
enum { CPUID_XSAVEC = 1 << 1, CPUID_XGETBV1 = 1 << 2, CPUID_XSAVES = 1 << 3 }; /* D.1.EAX */
enum { CPUID_UMIP = 1 << 2, CPUID_PKU = 1 << 3, CPUID_OSPKE = 1 << 4, CPUID_LA57 = 1 << 16 }; /* 7.0.ECX */
enum { CPUID_FSRM = 1 << 4, CPUID_SPEC_CTRL = 1 << 26, CPUID_ARCH_CAPABILITIES = 1 << 29 }; /* 7.0.EDX */
enum { /* 80000001.EDX */
    CPUID_SYSCALL = 1 << 11, CPUID_NX = 1 << 20, CPUID_FFXSR = 1 << 25, CPUID_PDPE1GB = 1 << 26,
    CPUID_RDTSCP = 1 << 27, CPUID_LM = 1 << 29,
};
enum { CPUID_LAHF64 = 1 << 0, CPUID_CMP_LEGACY = 1 << 1, CPUID_3DNOWPREFETCH = 1 << 8, CPUID_TOPOEXT = 1 << 22 }; /* 80000001.ECX */
enum { CPUID_IBPB = 1 << 12, CPUID_IBRS = 1 << 14 }; /* 80000008.EBX */
/* clang-format on */

/* What identifies a CPU beside its features; CpuX86.model. */
struct X86Model {
    const char *name, *desc;
    char vendor[13];
    uint32_t family, model, stepping;
    uint32_t level, xlevel; /* highest basic and extended leaf */
    char model_id[49];
    const char *has;                /* features by name, with spaces between */
    bool all;                       /* whatever the engine implements */
    uint32_t features[CPUID_WORDS]; /* of the CPUs made: what remains */
};

/* A later version of a model, by what -cpu would say to get it from the first. */
typedef struct X86ModelVersion {
    const char *model;
    unsigned number;
    const char *alias; /* its other name; may be NULL */
    const char *change, *model_id;
    const char *note; /* what -cpu help adds; may be NULL */
} X86ModelVersion;

typedef struct X86ModelChoice {
    const X86Model *model;
    const X86ModelVersion *version; /* NULL: the first */
} X86ModelChoice;

/* cpuid-models.c */
extern const X86Model x86_models[];                /* until name is NULL */
extern const X86ModelVersion x86_model_versions[]; /* until model is NULL */
bool x86_model_find(const char *name, X86ModelChoice *out);
void x86_models_list(GString *out);
/* Calls @f with each name that -cpu takes. @alias: the other name of the same, or NULL. */
void x86_models_each(void (*f)(void *opaque, const char *name, const char *alias), void *opaque);

/* Threads of the package, as leaves 1, 4, 0xb and 0x80000008 tell them. */
typedef struct X86Topology {
    unsigned sockets, cores, threads;
} X86Topology;

/* The CPUs that -cpu @spec (NULL: the default) asks for. */
typedef struct X86CpuSpec {
    X86Model model;  /* with the features that remain */
    unsigned engine; /* given: TCG_HAS_* (tcg/ir.h); AVX and what builds on it want them */
    uint8_t phys_bits;
    uint64_t tsc_hz;
    X86Topology topology;
} X86CpuSpec;

/* Parse "model,+feature,-feature,key=value"; false with @error for an unknown model or feature, or
 * when "enforce" meets a feature that the engine lacks. What is dropped, or lacking then, is
 * described in
 * @warnings, one char * each. */
bool x86_spec_parse(X86CpuSpec *spec, const char *text, GPtrArray *warnings, GError **error);

/* Calls @f with each feature, which @words have or not. */
void x86_features_each(const uint32_t *words, void (*f)(void *opaque, const char *name, bool on),
                       void *opaque);
/* Names of what model @name wants and an engine of these TCG_HAS_* lacks are appended: const char
 * *. */
void x86_model_lacks(const char *name, unsigned engine, GPtrArray *out);

uint32_t x86_cpuid_signature(const X86Model *m); /* leaf 1 EAX, EDX after reset */
/* Bits of the APIC id that number threads of a core, and cores and threads of a package. */
unsigned x86_topology_thread_bits(const X86Topology *t);
unsigned x86_topology_package_bits(const X86Topology *t);
uint32_t x86_topology_apic_id(const X86Topology *t, unsigned index);

/* Clears the bits of @words whose instructions an engine of these TCG_HAS_* cannot run. */
void x86_words_limit(uint32_t *words, unsigned engine);

static inline bool x86_words_have(const uint32_t *words, CpuidWord word, uint32_t bits)
{
    return (words[word] & bits) == bits;
}

void x86_print_models(GString *out); /* -cpu help; declared in cpu.h too */

/* The instruction. */
void x86_cpuid(CpuX86 *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
