/* SPDX-License-Identifier: MIT */
/* 16-bit code in real mode, with segment bases and limits: CS at CODE_BASE, DS and ES at DATA_BASE,
 * SS at STACK_BASE, 64 KiB each. No silicon runs these. */
#include "insn.h"

/* clang-format off */
const Row mode16_rows[] = {
    { "mov ax, [bx + si + disp8]", CODE("\x8b\x40\x04"), M16, { { RBX, 0x10 }, { RSI, 8 }, { DATA16 + 0x1c, 0x1234 } }, { { RAX, 0xa1a11234 } } },
    { "mov ax, [bp] is on the stack", CODE("\x8b\x46\x00"), M16, { { RBP, 0x10 }, { STACK16 + 0x10, 0x1234 } }, { { RAX, 0xa1a11234 } } },
    { "mov ax, [disp16]", CODE("\x8b\x06\x20\x00"), M16, { { DATA16 + 0x20, 7 } }, { { RAX, 0xa1a10007 } } },
    { "addresses wrap at 64 KiB", CODE("\x8b\x40\x04"), M16, { { RBX, 0xfffe }, { RSI, 0 }, { DATA16 + 2, 0x1234 } }, { { RAX, 0xa1a11234 } } },
    { "mov eax, [ebx] with both prefixes", CODE("\x66\x67\x8b\x03"), M16, { { RBX, 0x30 }, { DATA32 + 0x30, 0x12345678 } }, { { RAX, 0x12345678 } } },
    { "a word at ffff is #GP", CODE("\x8b\x07"), M16, { { RBX, 0xffff } }, { { VEC, 13 } } },
    { "a word at ffff of the stack is #SS", CODE("\x8b\x46\x00"), M16, { { RBP, 0xffff } }, { { VEC, 12 } } },
    { "ebx over the limit is #GP", CODE("\x67\x8b\x03"), M16, { { RBX, 0x10000 } }, { { VEC, 13 } } },
    { "cs: override", CODE("\x2e\x8b\x07"), M16, { { RBX, 0x100 } }, { { RAX, 0xa1a1cccc } } },
    { "push ax pop bx", CODE("\x50\x5b"), M16, { { RAX, 0x1234 } }, { { RBX, 0xa4a41234 }, { STACK16 + 0x17fe, 0x1234 } } },
    { "push eax", CODE("\x66\x50"), M16, { { RAX, 0x12345678 } }, { { RSP, 0x17fc }, { STACK32 + 0x17fc, 0x12345678 } } },
    { "sp wraps", CODE("\x58"), M16, { { RSP, 0xfffe }, { RBX, 1 } }, { { VEC, 14 }, { ERR, 4 }, { CR2, STACK_BASE + 0xfffe } } },
    { "call near", CODE("\xe8\x10\x00"), M16, { { FL, 0 } }, { { RIP, 0x14 }, { RSP, 0x17fe }, { STACK16 + 0x17fe, 3 } } },
    { "jmp wraps ip", CODE("\xe9\x10\xf8"), M16, { { FL, 0 } }, { { RIP, 0xf813 }, { VEC, 14 }, { ERR, 0x14 }, { CR2, CODE_BASE + 0xf813 } } },
    { "jmp backward", CODE("\xeb\xee"), M16, { { FL, 0 } }, { { RIP, 0xf1 } }, .code_offset = 0x100 },
    { "rep movsb in 16-bit addresses", CODE("\xf3\xa4"), M16, { { RSI, 0 }, { RDI, 0x10 }, { RCX, 0xffff0003 }, { DATA32, 0x44332211 } }, { { RSI, 3 }, { RDI, 0x13 }, { RCX, 0xffff0000 }, { DATA16 + 0x10, 0x2211 }, { DATA8 + 0x12, 0x33 } } },
    { "loop with cx", CODE("\xe2\xfe"), M16, { { RCX, 0x10003 } }, { { RCX, 0x10000 } } },
    { "enter leave", CODE("\xc8\x04\x00\x00\xc9"), M16, { { RBP, 0x12345678 } }, { { STACK16 + 0x17fe, 0x5678 } } },
    { "xlat", CODE("\xd7"), M16, { { RAX, 5 }, { RBX, 0xfffe }, { DATA8 + 3, 0x44 } }, { { RAX, 0x44 } } },
    { "daa in 16-bit code", CODE("\x27"), M16, { { RAX, 0x0a } }, { { RAX, 0x10 }, { FL, AF } } },
    { "arpl is #UD in real mode", CODE("\x63\xc0"), M16, { { FL, 0 } }, { { VEC, 6 } } },
    { "lea with a 16-bit address", CODE("\x66\x8d\x40\xff"), M16, { { RBX, 0 }, { RSI, 0 } }, { { RAX, 0xffff } } },
    { "pusha popa", CODE("\x60\x61"), M16, { { RAX, 1 } }, { { STACK16 + 0x17fe, 1 }, { STACK16 + 0x17fc, 0xa2a2 }, { STACK16 + 0x17fa, 0xa3a3 }, { STACK16 + 0x17f8, 0xa4a4 }, { STACK16 + 0x17f6, 0x1800 }, { STACK16 + 0x17f4, 0xa6a6 }, { STACK16 + 0x17f2, 0xa7a7 }, { STACK16 + 0x17f0, 0xa8a8 } } },
    { 0 }
};
