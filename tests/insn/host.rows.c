/* SPDX-License-Identifier: MIT */
/* What tells of the processor or of its system: on engines only, whose state engine.c makes. */
#include "insn.h"

/* clang-format off */
const Row host_rows[] = {
    { "int1 is a trap", CODE("\xf1"), M64, { { 0 } }, { { VEC, 1 }, { RIP, CODE_BASE + 1 } }, .engines_only = true },
    { "sldt eax", CODE("\x0f\x00\xc0"), M32 | M64, { { 0 } }, { { RAX, 0x50 } }, .engines_only = true },
    { "sldt [ebx]", CODE("\x0f\x00\x03"), M32, { { RBX, DATA_BASE } }, { { DATA16, 0x50 } }, .engines_only = true },
    { "str eax", CODE("\x0f\x00\xc8"), M32 | M64, { { 0 } }, { { RAX, 0 } }, .engines_only = true },
    { "str [ebx]", CODE("\x0f\x00\x0b"), M32, { { RBX, DATA_BASE } }, { { DATA16, 0 } }, .engines_only = true },
    { "sgdt [ebx]", CODE("\x0f\x01\x03"), M32, { { RBX, DATA_BASE } }, { { DATA16, 0x7f }, { DATA32 + 2, 0x40000000 } }, .engines_only = true },
    { "sidt [ebx]", CODE("\x0f\x01\x0b"), M32, { { RBX, DATA_BASE } }, { { DATA16, 0 }, { DATA32 + 2, 0 } }, .engines_only = true },
    { "smsw eax", CODE("\x0f\x01\xe0"), M32, { { 0 } }, { { RAX, 0x80050033 } }, .engines_only = true },
    { "smsw [ebx]", CODE("\x0f\x01\x23"), M32, { { RBX, DATA_BASE } }, { { DATA16, 0x33 } }, .engines_only = true },
    { "xgetbv 0", CODE("\x0f\x01\xd0"), M32 | M64, { { RCX, 0 } }, { { RAX, 7 }, { RDX, 0 } }, .engines_only = true },
    { "rdtsc at time 0", CODE("\x0f\x31"), M32 | M64, { { 0 } }, { { RAX, 0 }, { RDX, 0 } }, .engines_only = true },
    { "rdtsc knows what has run of its block", CODE("\x0f\x31\x89\xc3\x90\x0f\x31\x89\xc1\x90\x90\x0f\x31\x90"), M32 | M64, { { 0 } }, { { RAX, 7 }, { RBX, 0 }, { RCX, 3 }, { RDX, 0 } }, .engines_only = true },
    { "rdtscp at time 0", CODE("\x0f\x01\xf9"), M32 | M64, { { 0 } }, { { RAX, 0 }, { RDX, 0 }, { RCX, 0 } }, .engines_only = true },
    { "rdpid rax", CODE("\xf3\x0f\xc7\xf8"), M64, { { 0 } }, { { RAX, 0 } }, .engines_only = true },
    { "fxsave", CODE("\x0f\xae\x07"), M32, { { RDI, DATA_BASE + 0x800 }, { XMM0 + 1, 5, 6 }, { ZEROS + 0x800, 512 } }, { { DATA64 + 0x800, 0x37f }, { DATA64 + 0x818, 0xffff00001f80 }, { DATA128 + 0x8b0, 5, 6 } }, .engines_only = true }, /* MXCSR_MASK */
    { 0 }
};
