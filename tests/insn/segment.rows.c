/* SPDX-License-Identifier: MIT */
/* Protected mode with segments that have bases, limits and rights. See M32S in insn.h. */
#include "insn.h"

/* clang-format off */
const Row segment_rows[] = {
    { "mov eax, ds:[ebx]", CODE("\x8b\x03"), M32S, { { RBX, 0xffc }, { DATA32 + 0xffc, 7 } }, { { RAX, 7 } } },
    { "mov eax, ds:[ebx] over the limit", CODE("\x8b\x03"), M32S, { { RBX, 0xffd } }, { { VEC, 13 } } },
    { "mov [ebx], eax far over the limit", CODE("\x89\x03"), M32S, { { RBX, 0xffffffff } }, { { VEC, 13 } } },
    { "byte at the limit", CODE("\x88\x03"), M32S, { { RBX, 0xfff }, { RAX, 5 } }, { { DATA8 + 0xfff, 5 } } },
    { "es: below an expand-down limit", CODE("\x26\x8b\x03"), M32S, { { RBX, 0xfff } }, { { VEC, 13 } } },
    { "es: above an expand-down limit", CODE("\x26\x8b\x03"), M32S, { { RBX, 0x1000 }, { DATA32 + 0x1000, 9 } }, { { RAX, 9 } } },
    { "fs: null", CODE("\x64\x8b\x03"), M32S, { { RBX, 0 } }, { { VEC, 13 } } },
    { "gs: read", CODE("\x65\x8b\x03"), M32S, { { RBX, 4 }, { DATA32 + 4, 9 } }, { { RAX, 9 } } },
    { "gs: write to a read-only segment", CODE("\x65\x89\x03"), M32S, { { RBX, 4 } }, { { VEC, 13 } } },
    { "gs: add to a read-only segment", CODE("\x65\x01\x03"), M32S, { { RBX, 4 } }, { { VEC, 13 } } },
    { "cs: read", CODE("\x2e\x8b\x03"), M32S, { { RBX, 0x100 } }, { { RAX, 0xcccccccc } } },
    { "cs: write", CODE("\x2e\x89\x03"), M32S, { { RBX, 0x100 } }, { { VEC, 13 } } },
    { "[ebp] over the stack's limit", CODE("\x8b\x45\x00"), M32S, { { RBP, 0x2000 } }, { { VEC, 12 } } },
    { "push and pop", CODE("\x50\x5b"), M32S, { { RAX, 5 } }, { { RBX, 5 }, { STACK32 + 0x17fc, 5 } } },
    { "push below 0", CODE("\x50"), M32S, { { RSP, 0 } }, { { VEC, 12 } } },
    { "pop over the limit", CODE("\x58"), M32S, { { RSP, 0x1ffd } }, { { VEC, 12 } } },
    { "call pushes an offset", CODE("\xe8\x01\x00\x00\x00\xcc"), M32S, { { FL, 0 } }, { { RIP, 7 }, { RSP, 0x17fc }, { STACK32 + 0x17fc, 5 } } },
    { "jmp back by an offset", CODE("\xeb\xee"), M32S, { { FL, 0 } }, { { RIP, 0xf1 } }, .code_offset = 0x100 },
    { "rep movsb ends at the limit", CODE("\xf3\xa4"), M32S, { { RSI, 0xffc }, { RDI, 0x1100 }, { RCX, 8 }, { DATA32 + 0xffc, 0x44332211 } }, { { RSI, 0x1000 }, { RDI, 0x1104 }, { RCX, 4 }, { DATA32 + 0x1100, 0x44332211 }, { VEC, 13 } } },
    { "rep stosd in the expand-down segment", CODE("\xf3\xab"), M32S, { { RAX, 1 }, { RDI, 0x1000 }, { RCX, 2 } }, { { RDI, 0x1008 }, { RCX, 0 }, { DATA64 + 0x1000, 0x100000001 } } },
    { "repne scasb in ds is es", CODE("\xf2\xae"), M32S, { { RDI, 0xfff }, { RCX, 1 } }, { { VEC, 13 } } },
    { "rep lodsb from ds", CODE("\xf3\xac"), M32S, { { RSI, 0xffe }, { RCX, 3 }, { DATA16 + 0xffe, 0x1234 }, { RAX, 0 } }, { { RAX, 0x12 }, { RSI, 0x1000 }, { RCX, 1 }, { VEC, 13 } } },
    { "lea checks nothing", CODE("\x8d\x83\x00\x00\x01\x00"), M32S, { { RBX, 0xffff0000 } }, { { RAX, 0 } } },
    { "rep movsb goes through a limit that allows it", CODE("\xf3\x36\xa4"), M32S, { { RSI, 0x100 }, { RDI, 0x1000 }, { RCX, 4 }, { STACK32 + 0x100, 0x55667788 } }, { { RSI, 0x104 }, { RDI, 0x1004 }, { RCX, 0 }, { DATA32 + 0x1000, 0x55667788 } } },
    { "call far [bx]", CODE("\xff\x1f"), M16P, { { RBX, 0x100 }, { DATA32 + 0x100, 0x70002 } }, { { RIP, 3 }, { RSP, 0x17fc }, { STACK32 + 0x17fc, 0x70002 } } },
    { "movaps ss: misaligned and over the limit", CODE("\x36\x0f\x28\x03"), M32S, { { RBX, 0x1ff8 } }, { { VEC, 13 } } },
    { "movaps ss: over the limit", CODE("\x36\x0f\x28\x03"), M32S, { { RBX, 0x2000 } }, { { VEC, 12 } } },
    { "movups ss: misaligned and over the limit", CODE("\x36\x0f\x10\x03"), M32S, { { RBX, 0x1ff8 } }, { { VEC, 12 } } },
    { 0 }
};
