/* SPDX-License-Identifier: MIT */
/* Near control transfer. */
#include "insn.h"

/* clang-format off */
#define MP (M32 | M64)
const Row control_rows[] = {
    { "jz taken", CODE("\x74\x02\x90\xcc\xf9"), MP, { { FL, ZF } }, { { FL, ZF | CF } } },
    { "jz not taken goes on in the block", CODE("\x74\x02\xf9\xf9"), MP, { { FL, 0 } }, { { FL, CF } } },
    { "jl near forward", CODE("\x0f\x8c\x01\x00\x00\x00\xcc\xf5"), MP, { { FL, SF } }, { { FL, SF | CF } } },
    { "dec and jnz loop", CODE("\xff\xc9\x75\xfc"), MP, { { RCX, 5 } }, { { RCX, 0 }, { FL, ZF | PF } } },
    { "jmp over the page's end", CODE("\xe9\x00\x10\x00\x00"), MP, { { FL, 0 } }, { { RIP, CODE_BASE + 0x1006 } } },
    { "jz over the page's end, not taken", CODE("\x0f\x84\x00\x10\x00\x00"), MP, { { FL, 0 } }, { { FL, 0 } } },
    { "jz over the page's end, taken", CODE("\x0f\x84\x00\x10\x00\x00"), MP, { { FL, ZF } }, { { RIP, CODE_BASE + 0x1007 } } },
    { "jmp to nowhere", CODE("\xe9\x00\x00\x10\x00"), MP, { { FL, 0 } }, { { RIP, CODE_BASE + 0x100005 }, { VEC, 14 }, { ERR, 0x14 }, { CR2, CODE_BASE + 0x100005 } }, },
    { "jmp rax", CODE("\xff\xe0"), MP, { { RAX, CODE_BASE + 0x100 } }, { { RIP, CODE_BASE + 0x101 } } },
    { "jmp [rbx]", CODE("\xff\x23"), M64, { { RBX, DATA_BASE }, { DATA64, CODE_BASE + 0x100 } }, { { RIP, CODE_BASE + 0x101 } } },
    { "call and ret", CODE("\xe8\x01\x00\x00\x00\xcc\xc3"), M64, { { FL, 0 } }, { { RIP, CODE_BASE + 6 }, { STACK64 + 0x17f8, CODE_BASE + 5 } } },
    { "call 32-bit", CODE("\xe8\x01\x00\x00\x00\xcc"), M32, { { FL, 0 } }, { { RIP, CODE_BASE + 7 }, { RSP, STACK_TOP - 4 }, { STACK32 + 0x17fc, CODE_BASE + 5 } } },
    { "call rax", CODE("\xff\xd0"), M64, { { RAX, CODE_BASE + 0x1000 } }, { { RIP, CODE_BASE + 0x1001 }, { RSP, STACK_TOP - 8 }, { STACK64 + 0x17f8, CODE_BASE + 2 } } },
    { "call [rsp] reads before it pushes", CODE("\xff\x14\x24"), M64, { { STACK64 + 0x1800, CODE_BASE + 0x40 } }, { { RIP, CODE_BASE + 0x41 }, { RSP, STACK_TOP - 8 }, { STACK64 + 0x17f8, CODE_BASE + 3 } } },
    { "ret imm", CODE("\xc2\x10\x00"), M64, { { STACK64 + 0x1800, CODE_BASE + 0x20 } }, { { RIP, CODE_BASE + 0x21 }, { RSP, STACK_TOP + 24 } } },
    { "call faults on the stack", CODE("\xe8\x00\x00\x00\x00"), M64, { { RSP, STACK_BASE } }, { { VEC, 14 }, { ERR, 6 }, { CR2, STACK_BASE - 8 } } },
    { "loop", CODE("\xf5\xe2\xfd"), MP, { { RCX, 3 } }, { { RCX, 0 }, { FL, CF } } },
    { "loop with ecx in 64-bit mode", CODE("\x67\xe2\x00"), M64, { { RCX, 0xffffffff00000001 } }, { { RCX, 0 } } },
    { "loopne ends by zero flag", CODE("\xe0\xfe"), MP, { { RCX, 3 }, { FL, ZF } }, { { RCX, 2 } } },
    { "loope ends by count", CODE("\xe1\xfe"), MP, { { RCX, 3 }, { FL, ZF } }, { { RCX, 0 } } },
    { "jrcxz taken", CODE("\xe3\x01\xcc\xf9"), MP, { { RCX, 0 } }, { { FL, CF } } },
    { "jecxz in 64-bit mode", CODE("\x67\xe3\x01\xcc\xf9"), M64, { { RCX, 0x100000000 } }, { { FL, CF } } },
    { "single step", CODE("\xf9\xf9"), MP, { { FL, TF } }, { { VEC, 1 }, { RIP, CODE_BASE + 1 }, { FL, CF } } },
    { "single step over a taken jump", CODE("\xeb\x10"), MP, { { FL, TF } }, { { VEC, 1 }, { RIP, CODE_BASE + 0x12 }, { FL, 0 } } },
    { "single step over a jump not taken", CODE("\x72\x10"), MP, { { FL, TF } }, { { VEC, 1 }, { RIP, CODE_BASE + 2 }, { FL, 0 } } },
    { "single step in rep movsb", CODE("\xf3\xa4"), MP, { { FL, TF }, { RCX, 3 }, { RSI, DATA_BASE }, { RDI, DATA_BASE + 8 }, { DATA32, 0x11223344 } }, { { VEC, 1 }, { RIP, CODE_BASE }, { RCX, 2 }, { RSI, DATA_BASE + 1 }, { RDI, DATA_BASE + 9 }, { DATA8 + 8, 0x44 }, { FL, 0 } } },
    { "single step after the last of rep stosb", CODE("\xf3\xaa"), MP, { { FL, TF }, { RCX, 1 }, { RAX, 5 }, { RDI, DATA_BASE } }, { { VEC, 1 }, { RIP, CODE_BASE + 2 }, { RCX, 0 }, { RDI, DATA_BASE + 1 }, { DATA8, 5 }, { FL, 0 } } },
    { "single step of a fault is the fault", CODE("\x8b\x03"), MP, { { FL, TF }, { RBX, 0 } }, { { VEC, 14 }, { ERR, 4 }, { CR2, 0 }, { FL, 0 } } },
    { "popf sets TF, the next instruction traps", CODE("\x9d\xf9\xf9"), M64, { { STACK64 + 0x1800, 0x102 } }, { { RSP, STACK_TOP + 8 }, { VEC, 1 }, { RIP, CODE_BASE + 2 }, { FL, CF } } },
    { "call to no canonical address pushes nothing", CODE("\xff\xd0"), M64, { { RAX, 0x800000000000 }, { STACK64 + 0x17f8, 0x1122334455667788 } }, { { VEC, 13 } },
      .on_intel = { { VEC, 13 }, { STACK64 + 0x17f8, CODE_BASE + 2 } } },
    { "int3", CODE("\xcc"), MP, { { FL, ZF } }, { { VEC, 3 }, { RIP, CODE_BASE + 1 } } },
    { 0 }
};
