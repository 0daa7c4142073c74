/* SPDX-License-Identifier: MIT */
/* String instructions. */
#include "insn.h"

/* clang-format off */
#define MP (M32 | M64)
#define D DATA_BASE
const Row string_rows[] = {
    { "movsb", CODE("\xa4"), MP, { { RSI, D + 1 }, { RDI, D + 0x10 }, { DATA8 + 1, 0x42 } }, { { RSI, D + 2 }, { RDI, D + 0x11 }, { DATA8 + 0x10, 0x42 } } },
    { "movsd backward", CODE("\xa5"), MP, { { RSI, D + 8 }, { RDI, D + 0x10 }, { DATA32 + 8, 0x42 }, { FL, DF } }, { { RSI, D + 4 }, { RDI, D + 0xc }, { DATA32 + 0x10, 0x42 } } },
    { "rep movsq", CODE("\xf3\x48\xa5"), M64, { { RSI, D }, { RDI, D + 0x10 }, { RCX, 2 }, { DATA128, 1, 2 } }, { { RSI, D + 0x10 }, { RDI, D + 0x20 }, { RCX, 0 }, { DATA128 + 0x10, 1, 2 } } },
    { "rep movsb overlapping fills", CODE("\xf3\xa4"), MP, { { RSI, D }, { RDI, D + 1 }, { RCX, 15 }, { DATA8, 0xaa } }, { { RSI, D + 15 }, { RDI, D + 16 }, { RCX, 0 }, { DATA128, 0xaaaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa } } },
    { "rep movsd overlapping by two bytes", CODE("\xf3\xa5"), MP, { { RSI, D }, { RDI, D + 2 }, { RCX, 3 }, { DATA64, 0x8877665544332211 } }, { { RSI, D + 12 }, { RDI, D + 14 }, { RCX, 0 }, { DATA128, 0x4433443322112211, 0x69624d4688778877 } }, },
    { "rep movsb to where it is", CODE("\xf3\xa4"), M64, { { RSI, D }, { RDI, D }, { RCX, 8 }, { DATA64, 0x1122334455667788 } }, { { RSI, D + 8 }, { RDI, D + 8 }, { RCX, 0 }, { DATA64, 0x1122334455667788 } } },
    { "rep movsq reading across a page", CODE("\xf3\x48\xa5"), M64, { { RSI, D + 0xffc }, { RDI, D }, { RCX, 2 }, { DATA128 + 0xffc, 0x1122334455667788, 9 } }, { { RSI, D + 0x100c }, { RDI, D + 16 }, { RCX, 0 }, { DATA128, 0x1122334455667788, 9 } } },
    { "rep movsq writing across a page", CODE("\xf3\x48\xa5"), M64, { { RSI, D }, { RDI, D + 0xffb }, { RCX, 2 }, { DATA128, 0x1122334455667788, 9 } }, { { RSI, D + 16 }, { RDI, D + 0x100b }, { RCX, 0 }, { DATA128 + 0xffb, 0x1122334455667788, 9 } } },
    { "rep movsq faults where an element read crosses", CODE("\xf3\x48\xa5"), M64, { { RSI, D + 0x1ff3 }, { RDI, D }, { RCX, 3 }, { DATA64 + 0x1ff3, 0x1122334455667788 } }, { { RSI, D + 0x1ffb }, { RDI, D + 8 }, { RCX, 2 }, { DATA64, 0x1122334455667788 }, { VEC, 14 }, { ERR, 4 }, { CR2, D + 0x2000 } } },
    { "rep movsq faults where an element written crosses", CODE("\xf3\x48\xa5"), M64, { { RSI, D }, { RDI, D + 0x1ff5 }, { RCX, 3 }, { DATA128, 0x1122334455667788, 9 } }, { { RSI, D + 8 }, { RDI, D + 0x1ffd }, { RCX, 2 }, { DATA64 + 0x1ff5, 0x1122334455667788 }, { VEC, 14 }, { ERR, 6 }, { CR2, D + 0x2000 } } },
    { "rep stosq across a page", CODE("\xf3\x48\xab"), M64, { { RAX, 0x1122334455667788 }, { RDI, D + 0xff3 }, { RCX, 3 } }, { { RDI, D + 0x100b }, { RCX, 0 }, { DATA128 + 0xff3, 0x1122334455667788, 0x1122334455667788 }, { DATA64 + 0x1003, 0x1122334455667788 } } },
    { "rep stosq faults where an element crosses", CODE("\xf3\x48\xab"), M64, { { RAX, 0x1122334455667788 }, { RDI, D + 0x1fe9 }, { RCX, 5 } }, { { RDI, D + 0x1ff9 }, { RCX, 3 }, { DATA128 + 0x1fe9, 0x1122334455667788, 0x1122334455667788 }, { VEC, 14 }, { ERR, 6 }, { CR2, D + 0x2000 } } },
    { "rep stosb faults in the middle", CODE("\xf3\xaa"), M64, { { RAX, 0x88 }, { RDI, D + 0x1ff8 }, { RCX, 16 } }, { { RDI, D + 0x2000 }, { RCX, 8 }, { DATA64 + 0x1ff8, 0x8888888888888888 }, { VEC, 14 }, { ERR, 6 }, { CR2, D + 0x2000 } } },
    { "rep stosq of too many for an address", CODE("\xf3\x48\xab"), M64, { { RAX, 7 }, { RDI, D + 0x1ff8 }, { RCX, 0x2000000000000001 } }, { { RDI, D + 0x2000 }, { RCX, 0x2000000000000000 }, { DATA64 + 0x1ff8, 7 }, { VEC, 14 }, { ERR, 6 }, { CR2, D + 0x2000 } } },
    { "rep movsb backward", CODE("\xf3\xa4"), MP, { { RSI, D + 7 }, { RDI, D + 15 }, { RCX, 8 }, { DATA64, 0x1122334455667788 }, { FL, DF } }, { { RSI, D - 1 }, { RDI, D + 7 }, { RCX, 0 }, { DATA64 + 8, 0x1122334455667788 } } },
    { "rep movsb with count 0", CODE("\xf3\xa4"), MP, { { RSI, 0 }, { RDI, 0 }, { RCX, 0 } }, { { RCX, 0 } } },
    { "rep movsb faults in the middle", CODE("\xf3\xa4"), MP, { { RSI, D }, { RDI, D + 0x1ffc }, { RCX, 8 }, { DATA32, 0x44332211 } }, { { RSI, D + 4 }, { RDI, D + 0x2000 }, { RCX, 4 }, { DATA32 + 0x1ffc, 0x44332211 }, { VEC, 14 }, { ERR, 6 }, { CR2, D + 0x2000 } } },
    { "rep movsb faults reading", CODE("\xf3\xa4"), MP, { { RSI, D + 0x1fff }, { RDI, D }, { RCX, 8 }, { DATA8 + 0x1fff, 0x55 } }, { { RSI, D + 0x2000 }, { RDI, D + 1 }, { RCX, 7 }, { DATA8, 0x55 }, { VEC, 14 }, { ERR, 4 }, { CR2, D + 0x2000 } } },
    { "rep movsd with ecx in 64-bit mode", CODE("\x67\xf3\xa5"), M64, { { RSI, D }, { RDI, D + 0x10 }, { RCX, 0xffffffff00000001 }, { DATA32, 5 } }, { { RSI, D + 4 }, { RDI, D + 0x14 }, { RCX, 0 }, { DATA32 + 0x10, 5 } } },
    { "stosw", CODE("\x66\xab"), MP, { { RAX, 0x1234 }, { RDI, D } }, { { RDI, D + 2 }, { DATA16, 0x1234 } } },
    { "rep stosd", CODE("\xf3\xab"), MP, { { RAX, 0x12345678 }, { RDI, D }, { RCX, 4 } }, { { RDI, D + 16 }, { RCX, 0 }, { DATA128, 0x1234567812345678, 0x1234567812345678 } } },
    { "rep stosb across a page", CODE("\xf3\xaa"), MP, { { RAX, 0 }, { RDI, D + 0xff8 }, { RCX, 16 } }, { { RDI, D + 0x1008 }, { RCX, 0 }, { DATA128 + 0xff8, 0, 0 } } },
    { "rep stosd backward", CODE("\xf3\xab"), MP, { { RAX, 7 }, { RDI, D + 12 }, { RCX, 4 }, { FL, DF } }, { { RDI, D - 4 }, { RCX, 0 }, { DATA128, 0x700000007, 0x700000007 } } },
    { "lodsb", CODE("\xac"), MP, { { RAX, 0x5555 }, { RSI, D }, { DATA8, 0x42 } }, { { RAX, 0x5542 }, { RSI, D + 1 } } },
    { "rep lodsd", CODE("\xf3\xad"), MP, { { RSI, D }, { RCX, 3 }, { DATA32 + 8, 0x77 } }, { { RAX, 0x77 }, { RSI, D + 12 }, { RCX, 0 } } },
    { "scasb", CODE("\xae"), MP, { { RAX, 0x41 }, { RDI, D }, { DATA8, 0x42 } }, { { RDI, D + 1 }, { FL, CF | AF | SF | PF } } },
    { "repne scasb finds", CODE("\xf2\xae"), MP, { { RAX, 0 }, { RDI, D }, { RCX, 0xffffffff }, { DATA128, 0x1111111111111111, 0x0011111111111111 } }, { { RDI, D + 16 }, { RCX, 0xffffffef }, { FL, ZF | PF } } },
    { "repe scasd ends by count", CODE("\xf3\xaf"), MP, { { RAX, 5 }, { RDI, D }, { RCX, 2 }, { DATA64, 0x500000005 } }, { { RDI, D + 8 }, { RCX, 0 }, { FL, ZF | PF } } },
    { "repe scasb with count 0 keeps flags", CODE("\xf3\xae"), MP, { { RDI, 0 }, { RCX, 0 }, { FL, CF | OF } }, { { RCX, 0 } } },
    { "cmpsb", CODE("\xa6"), MP, { { RSI, D }, { RDI, D + 8 }, { DATA8, 2 }, { DATA8 + 8, 2 } }, { { RSI, D + 1 }, { RDI, D + 9 }, { FL, ZF | PF } } },
    { "repe cmpsd: what es:di faults for comes before a null ds", CODE("\x8e\xd8\xf3\xa7"), M32, { { RAX, 0 }, { RSI, D }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { SELECTOR + 3, 0 }, { RIP, CODE_BASE + 2 }, { VEC, 14 }, { ERR, 4 }, { CR2, 0xa8a8 } } },
    { "repne cmpsb: likewise", CODE("\x8e\xd8\xf2\xa6"), M32, { { RAX, 0 }, { RSI, D }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { SELECTOR + 3, 0 }, { RIP, CODE_BASE + 2 }, { VEC, 14 }, { ERR, 4 }, { CR2, 0xa8a8 } } },
    { "cmpsb: likewise", CODE("\x8e\xd8\xa6"), M32, { { RAX, 0 }, { RSI, D }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { SELECTOR + 3, 0 }, { RIP, CODE_BASE + 2 }, { VEC, 14 }, { ERR, 4 }, { CR2, 0xa8a8 } } },
    { "repe cmpsb: a null ds comes first", CODE("\x8e\xd8\xf3\xa6"), M32, { { RAX, 0 }, { RSI, D }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { SELECTOR + 3, 0 }, { RIP, CODE_BASE + 2 }, { VEC, 13 } },
      .on_intel = { { SELECTOR + 3, 0 }, { RIP, CODE_BASE + 2 }, { VEC, 14 }, { ERR, 4 }, { CR2, 0xa8a8 } } },
    { "repe cmpsb: neither page, ds:si first", CODE("\xf3\xa6"), MP, { { RSI, 0xb8b8 }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { VEC, 14 }, { ERR, 4 }, { CR2, 0xb8b8 } }, .on_intel = { { CR2, 0xa8a8 } } },
    { "repe cmpsw: neither page, es:di first", CODE("\x66\xf3\xa7"), MP, { { RSI, 0xb8b8 }, { RDI, 0xa8a8 }, { RCX, 16 } }, { { VEC, 14 }, { ERR, 4 }, { CR2, 0xa8a8 } } },
    { "repe cmpsb finds", CODE("\xf3\xa6"), MP, { { RSI, D }, { RDI, D + 0x10 }, { RCX, 16 }, { DATA128, 0x1122334455667788, 0 }, { DATA128 + 0x10, 0x1122334455667788, 0x10000 } }, { { RSI, D + 11 }, { RDI, D + 0x1b }, { RCX, 5 }, { FL, CF | AF | SF | PF } } },
    { "repe cmpsb faults", CODE("\xf3\xa6"), MP, { { RSI, D + 0x1ffe }, { RDI, D + 0xffe }, { RCX, 16 }, { DATA16 + 0x1ffe, 0x1234 }, { DATA16 + 0xffe, 0x1234 }, { FL, CF | OF } }, { { RSI, D + 0x2000 }, { RDI, D + 0x1000 }, { RCX, 14 }, { VEC, 14 }, { ERR, 4 }, { CR2, D + 0x2000 }, { FL, ZF | PF } }, .undef = 0x8d5 /* Intel: as before, AMD: of the last that compared */ },
    { "rep stosd by ecx, of none", CODE("\x67\xf3\xab"), M64, { { RCX, UINT64_C(5) << 32 }, { RDI, UINT64_C(7) << 32 | D } }, { { NOTHING } },
      .on_intel = { { RCX, 0 }, { RDI, D } } },
    { "movsb with a segment override", CODE("\x2e\xa4"), M32, { { RSI, CODE_BASE + 0x100 }, { RDI, D } }, { { RSI, CODE_BASE + 0x101 }, { RDI, D + 1 }, { DATA8, 0xcc } } },
    { 0 }
};
