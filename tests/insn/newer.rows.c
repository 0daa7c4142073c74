/* SPDX-License-Identifier: MIT */
/*
 * Integer, cache and system instructions that came after the Pentium 4: forms, widths, and what is
 * refused. SDM vol. 2; each of these pages tells of LOCK, of registers in place of memory and of
 * modes.
 */
#include "insn.h"

#define MP (M32 | M64)

/* clang-format off */
const Row newer_rows[] = {
    { "adcx of quadwords", CODE("\x66\x48\x0f\x38\xf6\xc3"), M64, { { RAX, UINT64_MAX }, { RBX, 0 }, { FL, CF | OF } }, { { RAX, 0 } } },
    { "adcx clears the high half", CODE("\x66\x0f\x38\xf6\xc3"), M64, { { RAX, 0xffffffff00000001 }, { RBX, 1 }, { FL, ZF | SF } }, { { RAX, 2 } } },
    { "adox of memory", CODE("\xf3\x0f\x38\xf6\x03"), MP, { { RAX, 0xfffffffe }, { RBX, DATA_BASE }, { DATA32, 1 }, { FL, OF | CF } }, { { RAX, 0 } } },
    { "adox: F3 goes before 66", CODE("\x66\xf3\x0f\x38\xf6\xc3"), MP, { { RAX, 1 }, { RBX, 2 }, { FL, CF | OF } }, { { RAX, 4 }, { FL, CF } } },
    { "lock adcx", CODE("\xf0\x66\x0f\x38\xf6\x03"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "0f38 f6 of registers without prefix", CODE("\x0f\x38\xf6\xc3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "adcx of nothing", CODE("\x66\x0f\x38\xf6\x03"), MP, { { RBX, 0x1000 } }, { { VEC, 14 }, { ERR, 4 }, { CR2, 0x1000 } } },

    { "movbe quadword", CODE("\x48\x0f\x38\xf0\x03"), M64, { { RBX, DATA_BASE }, { DATA64, 0x0102030405060708 } }, { { RAX, 0x0807060504030201 } } },
    { "movbe word leaves the rest", CODE("\x66\x0f\x38\xf0\x03"), MP, { { RAX, 0x11223344 }, { RBX, DATA_BASE }, { DATA16, 0x0102 } }, { { RAX, 0x11220201 } } },
    { "movbe of registers", CODE("\x0f\x38\xf0\xc3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "movbe to a register", CODE("\x0f\x38\xf1\xc3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "lock movbe", CODE("\xf0\x0f\x38\xf1\x03"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "movbe to code", CODE("\x0f\x38\xf1\x03"), MP, { { RBX, CODE_BASE } }, { { VEC, 14 }, { ERR, 7 }, { CR2, CODE_BASE } } },

    { "cmpxchg16b differs", CODE("\x48\x0f\xc7\x0e"), M64, { { RSI, DATA_BASE }, { RAX, 1 }, { RDX, 2 }, { DATA128, 1, 3 }, { FL, CF | ZF | OF } }, { { RAX, 1 }, { RDX, 3 }, { FL, CF | OF } } },
    { "lock cmpxchg16b", CODE("\xf0\x48\x0f\xc7\x0e"), M64, { { RSI, DATA_BASE }, { RAX, 1 }, { RDX, 2 }, { RBX, 5 }, { RCX, 6 }, { DATA128, 1, 2 } }, { { DATA128, 5, 6 }, { FL, ZF } } },
    { "cmpxchg16b that differs writes", CODE("\x48\x0f\xc7\x0e"), M64, { { RSI, CODE_BASE } }, { { VEC, 14 }, { ERR, 7 }, { CR2, CODE_BASE } } },
    { "cmpxchg16b of a register", CODE("\x48\x0f\xc7\xce"), M64, { { FL, 0 } }, { { VEC, 6 } } },
    { "cmpxchg8b with 66", CODE("\x66\x0f\xc7\x0e"), MP, { { RSI, DATA_BASE }, { RAX, 1 }, { RDX, 2 }, { DATA32, 1 }, { DATA32 + 4, 3 } }, { { RDX, 3 } } },

    { "wrfsbase of 32 bits", CODE("\xf3\x0f\xae\xd3\xf3\x48\x0f\xae\xc0"), M64, { { RBX, 0x1234567880000000 } }, { { RAX, 0x80000000 } } },
    { "wrgsbase, rdgsbase", CODE("\xf3\x48\x0f\xae\xdb\xf3\x48\x0f\xae\xc8"), M64, { { RBX, 0xffff800000001234 } }, { { RAX, 0xffff800000001234 } } },
    { "rdgsbase of 32 bits", CODE("\xf3\x48\x0f\xae\xdb\xf3\x0f\xae\xc8"), M64, { { RBX, 0x7fff12345678 } }, { { RAX, 0x12345678 } } },
    { "wrfsbase, not canonical", CODE("\xf3\x48\x0f\xae\xd3"), M64, { { RBX, UINT64_C(1) << 47 } }, { { VEC, 13 } } },
    { "rdfsbase in 32-bit code", CODE("\xf3\x0f\xae\xc3"), M32, { { FL, 0 } }, { { VEC, 6 } } },
    { "rdfsbase without F3", CODE("\x0f\xae\xc3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "lock rdfsbase", CODE("\xf0\xf3\x0f\xae\xc3"), M64, { { FL, 0 } }, { { VEC, 6 } } },

    { "prefetchw, not canonical", CODE("\x0f\x0d\x0b"), M64, { { RBX, UINT64_C(1) << 63 } }, { { NOTHING } } },
    { "prefetch, the other ones", CODE("\x0f\x0d\x03\x0f\x0d\x13\x0f\x0d\x1b\x0f\x0d\x3b"), MP, { { RBX, 0 } }, { { NOTHING } } },
    { "prefetcht0 and its reserved relatives", CODE("\x0f\x18\x0b\x0f\x18\x23\x0f\x18\x3b\x0f\x18\xc3"), MP, { { RBX, 0 } }, { { NOTHING } } },
    { "pause with rex.b", CODE("\xf3\x41\x90"), M64, { { RAX, 1 }, { R8, 2 } }, { { RAX, 2 }, { R8, 1 } }, .on_intel = { { RAX, 1 }, { R8, 2 } } },
    { "prefetchw of a register", CODE("\x0f\x0d\xcb"), MP, { { FL, 0 } }, { { VEC, 6 } }, .on_intel = { { VEC, 3 } } },
    { "lock prefetchw", CODE("\xf0\x0f\x0d\x0b"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },

    { "clflush, not canonical", CODE("\x0f\xae\x3b"), M64, { { RBX, UINT64_C(1) << 63 } }, { { VEC, 13 } } },
    { "clflush, not canonical on the stack", CODE("\x0f\xae\x7d\x00"), M64, { { RBP, UINT64_C(1) << 63 } }, { { VEC, 12 } } },
    { "clflush, clflushopt, clwb of code", CODE("\x0f\xae\x3b\x66\x0f\xae\x3b\x66\x0f\xae\x33"), MP, { { RBX, CODE_BASE } }, { { NOTHING } } },
    { "lock clflush", CODE("\xf0\x0f\xae\x3b"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "clflushopt of a register", CODE("\x66\x0f\xae\xfb"), MP, { { FL, 0 } }, { { VEC, 6 } } },

    { "rdpid of memory", CODE("\xf3\x0f\xc7\x3b"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "rdpid in 32-bit code", CODE("\xf3\x0f\xc7\xfb"), M32, { { FL, CF } }, { { RBX, 0 } }, .engines_only = true },
    { "rdrand of memory", CODE("\x0f\xc7\x33"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "rdseed of memory", CODE("\x0f\xc7\x3b"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "lock rdrand", CODE("\xf0\x0f\xc7\xf3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "invpcid of user code", CODE("\x66\x0f\x38\x82\x03"), MP, { { RBX, DATA_BASE } }, { { VEC, 13 } } },
    { "invpcid of registers", CODE("\x66\x0f\x38\x82\xc3"), MP, { { FL, 0 } }, { { VEC, 6 } } },
    { "invpcid without 66", CODE("\x0f\x38\x82\x03"), MP, { { RBX, DATA_BASE } }, { { VEC, 6 } } },
    { "sahf, lahf", CODE("\x9e\x9f"), MP, { { RAX, 0xff55 } }, { { RAX, 0xd755 }, { FL, CF | PF | AF | ZF | SF } } },
    { 0 }
};
