/* SPDX-License-Identifier: MIT */
/*
 * Loops that are a block: several rounds of them are one, checks of memory cover neighbours of
 * other rounds and fail where pages end, string instructions guess their direction. What is left of
 * each must be what the portable back end leaves, whose checks are of single accesses, and of some
 * what is written here. Where only groups cross a page, the x87 stays where it is.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/engine.h"
#include "system.h"
#include "target-i386/help-fp.h"

enum {
    DATA = 0x2000,
    SIZE = 0x6000,
    PAGE_END = 0x3000,
    X87_WALK = PAGE_READ_ONLY - 0x1800 - KERNEL_CODE
};

typedef struct Row {
    const char *name, *code;
    unsigned len;
    uint32_t rsi, rdi, rsp; /* from the base */
    uint64_t rcx;
    uint64_t rax;        /* 0: as the portable back end has it */
    uint64_t most_found; /* … and what the execution loop may look up at most; 0: as it likes */
    uint32_t alias;      /* not 0: a page that is the one at DATA once more */
} Row;
#define C(s) (s), sizeof(s) - 1

static const Row rows[] = {
    { "adc rax, [rdi]; adc rax, [rdi+8]; mov [rdi+16], rax; adc [rdi+4], 3; lea; jrcxz; jmp",
      C("\x48\x13\x07\x48\x13\x47\x08\x48\x89\x47\x10\x48\x83\x57\x04\x03\x48\x8d\x49\xff\xe3\x02"
        "\xeb"
        "\xe8\xf4"),
      DATA, PAGE_END - 11, SIZE, 200 },
    { "the same within a page",
      C("\x48\x13\x07\x48\x13\x47\x08\x48\x89\x47\x10\x48\x83\x57\x04\x03\x48\x8d\x49\xff\xe3\x02"
        "\xeb"
        "\xe8\xf4"),
      DATA, DATA, SIZE, 200 },
    { "adc rax, [rdi]; mov [rdi+8], rax; lea rdi, [rdi+8]; dec; jnz",
      C("\x48\x13\x07\x48\x89\x47\x08\x48\x8d\x7f\x08\x48\xff\xc9\x75\xf0\xf4"), DATA, DATA + 3,
      SIZE, 1000 },
    { "lodsb; stosb; add rax, [rsi]; dec; jnz", C("\xac\xaa\x48\x03\x06\xff\xc9\x75\xf7\xf4"), DATA,
      DATA + 0x801, SIZE, 5000 },
    { "cld; lodsw; std; stosw; adc; dec; jnz; cld; lodsq",
      C("\xfc\x66\xad\xfd\x66\xab\x48\x11\xd0\xff\xc9\x75\xf3\xfc\x48\xad\xf4"), DATA,
      PAGE_END + 0x801, SIZE, 1000 },
    { "dec rcx; js; add rax, rcx; jmp", C("\x48\xff\xc9\x78\x05\x48\x01\xc8\xeb\xf6\xf4"), DATA,
      DATA, SIZE, 1001, 1000 * 1001 / 2 },
    { "push rax; sbb [rsp], rcx; pop rax; sub rsp, 4; loop",
      C("\x50\x48\x19\x0c\x24\x58\x48\x83\xec\x04\xe2\xf4\xf4"), DATA, DATA, SIZE + 3, 2500 },
    { "rep movsb of 0 to 127 bytes, overlapping upwards and not; lea rdi; lea rsi; dec; jnz",
      C("\x48\x89\xca\x83\xe1\x7f\xf3\xa4\x48\x8d\x7f\xd0\x48\x8d\x76\xc8\x48\x89\xd1\xff\xc9\x75"
        "\xe9\xf4"),
      DATA, DATA + 0x20, SIZE, 1000 },
    { "the same downwards",
      C("\x48\x89\xca\x83\xe1\x7f\xf3\xa4\x48\x8d\x7f\xc8\x48\x8d\x76\xd0\x48\x89\xd1\xff\xc9\x75"
        "\xe9\xf4"),
      DATA + 0x20, DATA, SIZE, 1000 },
    { "rep movsq of 0 to 31 elements",
      C("\x48\x89\xca\x83\xe1\x1f\xf3\x48\xa5\x48\x8d\x7f\x90\x48\x8d\x76\x88\x48\x89\xd1\xff\xc9"
        "\x75\xe8\xf4"),
      DATA, DATA + 0x103, SIZE, 900 },
    { "rep stosw of 0 to 63 elements; lea rdi; add rax, rdx; dec; jnz",
      C("\x48\x89\xca\x83\xe1\x3f\x66\xf3\xab\x48\x8d\x7f\xd0\x48\x01\xd0\x48\x89\xd1\xff\xc9\x75"
        "\xe9\xf4"),
      DATA, DATA + 1, SIZE, 800 },
    { "rep stosq of 0 to 31 elements",
      C("\x48\x89\xca\x83\xe1\x1f\xf3\x48\xab\x48\x8d\x7f\x96\x48\x01\xd0\x48\x89\xd1\xff\xc9\x75"
        "\xe9\xf4"),
      DATA, DATA + 1, SIZE, 800 },
    { "rep movsb of 1500 to 1 bytes, at first to below where they are, then above",
      C("\x48\x89\xca\xf3\xa4\x48\x29\xd7\x48\x29\xd6\x48\x8d\x7f\x01\x48\x89\xd1\xff\xc9\x75\xea"
        "\xf4"),
      DATA + 0x293, DATA, SIZE, 1500 },
    { "rep movsq across pages; lea rdi; lea rsi; dec; jnz",
      C("\x48\x89\xca\x83\xe1\x1f\xf3\x48\xa5\x48\x8d\x7f\x96\x48\x8d\x76\x91\x48\x89\xd1\xff\xc9"
        "\x75\xe8\xf4"),
      DATA + 0x902, DATA + 0x103, SIZE, 900 },
    { "rep movsq of 0 to 511 elements, each side through pages; lea rsi; lea rdi; dec; jnz",
      C("\x48\x89\xca\x81\xe1\xff\x01\x00\x00\x49\x89\xf0\x49\x89\xf9\xf3\x48\xa5\x49\x8d\x70"
        "\x03\x49\x8d\x79\x05\x48\x89\xd1\xff\xc9\x75\xdf\xf4"),
      DATA + 0x100, DATA + 0x1123, SIZE, 800 },
    { "the same downwards",
      C("\x48\x89\xca\x81\xe1\xff\x01\x00\x00\x49\x89\xf0\x49\x89\xf9\xf3\x48\xa5\x49\x8d\x70"
        "\x03\x49\x8d\x79\x05\x48\x89\xd1\xff\xc9\x75\xdf\xf4"),
      DATA + 0x1123, DATA + 0x100, SIZE, 800 },
    { "the same into a page that cannot be written",
      C("\x48\x89\xca\x81\xe1\xff\x01\x00\x00\x49\x89\xf0\x49\x89\xf9\xf3\x48\xa5\x49\x8d\x70"
        "\x03\x49\x8d\x79\x05\x48\x89\xd1\xff\xc9\x75\xdf\xf4"),
      DATA + 0x100, X87_WALK + 1, SIZE, 800 },
    { "rep movsb of 0 to 4095 bytes through pages and into one that cannot be written",
      C("\x48\x89\xca\x81\xe1\xff\x0f\x00\x00\x49\x89\xf0\x49\x89\xf9\xf3\xa4\x49\x8d\x70\x03"
        "\x49\x8d\x79\x05\x48\x89\xd1\xff\xc9\x75\xe0\xf4"),
      DATA + 0x100, X87_WALK - 0x800, SIZE, 4000 },
    { "rep movsb of 2548 to 2049 bytes to where what is read is mapped once more, 16 bytes above; "
      "mov al, [rsi+0x1000]; mov [rdi+0x1000], al",
      C("\x48\x89\xca\x81\xc9\x00\x08\x00\x00\x49\x89\xf0\x49\x89\xf9\xf3\xa4\x49\x8d\x70\xfb"
        "\x49\x8d\x79\xfb\x8a\x86\x00\x10\x00\x00\x88\x87\x00\x10\x00\x00\x48\x89\xd1\xff\xc9"
        "\x75\xd4\xf4"),
      DATA + 0xf00, DATA + 0x2f10, SIZE, 500, 0, 0, DATA + 0x2000 },
    { "rep stosq of 0 to 511 elements, through pages and into one that cannot be written",
      C("\x48\x89\xca\x81\xe1\xff\x01\x00\x00\xf3\x48\xab\x48\x01\xd0\x48\x83\xef\x05\x48\x89\xd1"
        "\xff\xc9\x75\xe6\xf4"),
      DATA, X87_WALK + 3, SIZE, 800 },
    { "fninit; fild word [rdi]; fild qword [rdi+24]; faddp; fistp qword [rdi+16]; add rax, "
      "[rdi+16]; dec; jnz, across a page",
      C("\xdb\xe3\xdf\x07\xdf\x6f\x18\xde\xc1\xdf\x7f\x10\x48\x03\x47\x10\x48\xff\xc9\x75\xed"
        "\xf4"),
      DATA, PAGE_END - 24, SIZE, 5000, 0, 100 },
    { "the same, its store across it",
      C("\xdb\xe3\xdf\x07\xdf\x6f\x18\xde\xc1\xdf\x7f\x10\x48\x03\x47\x10\x48\xff\xc9\x75\xed"
        "\xf4"),
      DATA, PAGE_END - 20, SIZE, 5000 },
    { "the same, a load across it",
      C("\xdb\xe3\xdf\x07\xdf\x6f\x18\xde\xc1\xdf\x7f\x10\x48\x03\x47\x10\x48\xff\xc9\x75\xed"
        "\xf4"),
      DATA, PAGE_END - 25, SIZE, 5000 },
    { "lea rdi, [rdi+8] for add, through a page and into one that cannot be written",
      C("\xdb\xe3\xdf\x07\xdf\x6f\x18\xde\xc1\xdf\x7f\x10\x48\x8d\x7f\x08\x48\xff\xc9\x75\xed"
        "\xf4"),
      DATA, X87_WALK, SIZE, 5000 },
    { "lea rdi, [rdi+1]",
      C("\xdb\xe3\xdf\x07\xdf\x6f\x18\xde\xc1\xdf\x7f\x10\x48\x8d\x7f\x01\x48\xff\xc9\x75\xed"
        "\xf4"),
      DATA, X87_WALK, SIZE, 50000 },
    { "fninit; fld dword [rdi]; fadd dword [rdi+4]; fsqrt; fstp tbyte [rdi+16]; adc [rdi+8], ecx; "
      "fstsw; add rax, [rdi+16]; dec; jnz, across a page",
      C("\xdb\xe3\xd9\x07\xd8\x47\x04\xd9\xfa\xdb\x7f\x10\x11\x4f\x08\x9b\xdf\xe0\x48\x03\x47\x10"
        "\x48\xff\xc9\x75\xe7\xf4"),
      DATA, PAGE_END - 16, SIZE, 5000, 0, 100 },
    { "movups xmm1, [rdi]; paddb xmm1, xmm1; movups [rsi], xmm1; movq rax, xmm1; add rbx, rax; lea "
      "rsi, [rsi+1]; lea rdi, [rdi+1]; dec; jnz, each through a page's end",
      C("\x0f\x10\x0f\x66\x0f\xfc\xc9\x0f\x11\x0e\x66\x48\x0f\x7e\xc8\x48\x01\xc3\x48\x8d\x76\x01"
        "\x48\x8d\x7f\x01\x48\xff\xc9\x75\xe1\xf4"),
      DATA + 0x801, DATA, SIZE, 5000 },
    { "the same, into a page that cannot be written",
      C("\x0f\x10\x0f\x66\x0f\xfc\xc9\x0f\x11\x0e\x66\x48\x0f\x7e\xc8\x48\x01\xc3\x48\x8d\x76\x01"
        "\x48\x8d\x7f\x01\x48\xff\xc9\x75\xe1\xf4"),
      X87_WALK, DATA + 5, SIZE, 50000 },
    { "the same of 32 bytes",
      C("\xc5\xfc\x10\x0f\xc5\xf5\xfc\xc9\xc5\xfc\x11\x0e\xc4\xe1\xf9\x7e\xc8\x48\x01\xc3\x48\x8d"
        "\x76\x01\x48\x8d\x7f\x01\x48\xff\xc9\x75\xdf\xf4"),
      X87_WALK, DATA + 5, SIZE, 50000 },
    { "vmovups ymm0, [rdi]; vpsubb ymm1, ymm0, [rdi+32]; vmovups [rsi], ymm1; lea; lea; dec; jnz",
      C("\xc5\xfc\x10\x07\xc5\xfd\xf8\x4f\x20\xc5\xfc\x11\x0e\x48\x8d\x76\x01\x48\x8d\x7f\x01\x48"
        "\xff\xc9\x75\xe6\xf4"),
      DATA + 0x801, DATA, SIZE, 5000 },
    { "the same with the load in front through a page's end",
      C("\xc5\xfc\x10\x0f\xc5\xf5\xfc\xc9\xc5\xfc\x11\x0e\xc4\xe1\xf9\x7e\xc8\x48\x01\xc3\x48\x8d"
        "\x76\x01\x48\x8d\x7f\x01\x48\xff\xc9\x75\xdf\xf4"),
      DATA + 0x801, DATA, SIZE, 5000 },
    { "jmp to the end of a loop with two ways round: dec; js; test; jne; shr; jmp",
      C("\xeb\x09\x48\x8d\x44\x48\x01\x48\x83\xc2\x01\x48\xff\xc9\x78\x0a\xf6\xc1\x01\x75\xed\x48"
        "\xd1\xe8\xeb\xed\xf4"),
      DATA, DATA, SIZE, 1001, 6 },
    { "the same with a load: mov edx; cmp; jb to behind the loop; dec; jns; lea; jmp",
      C("\xeb\x09\x8b\x14\x8e\x39\xd0\x72\x07\xd1\xe8\xff\xc9\x79\xf3\xf4\x8d\x44\x10\x07\xeb\xf5"),
      DATA, DATA, SIZE, 4000, 886903550 },
    { "one whose way out looks at the same flags: mov edx; cmp; jl back; je; dec; jns",
      C("\xeb\x08\x48\x83\xc0\x03\xff\xc9\x78\x11\x8b\x14\x8e\x38\xca\x7c\xf1\x74\x09\x48\x83\xc0"
        "\x07\xff\xc9\x79\xef\xf4\x48\xff\xc0\xff\xc9\x79\xe7\xf4"),
      DATA, DATA, SIZE, 3999, 19862 },
    { "one that changes what it began before: add eax, imm; inc [imm]; dec; jns",
      C("\xeb\x03\x83\xc0\x01\xfe\x05\xf9\xff\xff\xff\xff\xc9\x79\xf3\xf4"), DATA, DATA, SIZE, 100,
      5150 },
    { "mov rdx, [rsi]; mulx; adcx; adox; adcx; mov [rsi+8]; adox; adcx; lea; lea; lea; jrcxz; jmp",
      C("\x48\x8b\x16\xc4\xe2\xd3\xf6\x1f\x66\x48\x0f\x38\xf6\x6f\x08\xf3\x48\x0f\x38\xf6\xd8\x66"
        "\x48\x0f\x38\xf6\x5f\x10\x48\x89\x6e\x08\xf3\x48\x0f\x38\xf6\xc3\x66\x48\x0f\x38\xf6\xc2"
        "\x48\x8d\x76\x08\x48\x8d\x7f\x08\x48\x8d\x49\xff\xe3\x02\xeb\xc4\xf4"),
      DATA, PAGE_END - 0x203, SIZE, 200 },
    { "the same, of what it writes",
      C("\x48\x8b\x16\xc4\xe2\xd3\xf6\x1f\x66\x48\x0f\x38\xf6\x6f\x08\xf3\x48\x0f\x38\xf6\xd8\x66"
        "\x48\x0f\x38\xf6\x5f\x10\x48\x89\x6e\x08\xf3\x48\x0f\x38\xf6\xc3\x66\x48\x0f\x38\xf6\xc2"
        "\x48\x8d\x76\x08\x48\x8d\x7f\x08\x48\x8d\x49\xff\xe3\x02\xeb\xc4\xf4"),
      DATA, DATA + 0x10, SIZE, 600 },
    { "adcx edx, [rdi]; adox; mov; adcx ebx, [rdi+4]; adox; lea; dec; jnz; adcx; setc; seto",
      C("\x66\x0f\x38\xf6\x17\xf3\x0f\x38\xf6\xc2\x48\x89\xcb\x66\x0f\x38\xf6\x5f\x04\xf3\x0f\x38"
        "\xf6\xd3\x48\x8d\x7f\x08\xff\xc9\x75\xe0\x66\x0f\x38\xf6\xc2\x0f\x92\xc2\x0f\x90\xc6\x48"
        "\x8d\x04\x10\xf4"),
      DATA, PAGE_END - 0x205, SIZE, 200 },
};

typedef struct Result {
    uint64_t regs[16];
    uint32_t eflags;
    uint8_t data[SIZE], x87[FX_SIZE];
    uint64_t found;
} Result;

static void run(const Row *r, const char *backend, Result *to)
{
    System *s = system_new(backend, "max");
    uint32_t base = system_code_base(SYS_LONG, 0);

    system_setup(s, SYS_LONG, 0);
    memcpy(s->ram->host + base, r->code, r->len);
    for (unsigned i = 0; i < SIZE - DATA; i++)
        s->ram->host[base + DATA + i] = (uint8_t)(i * 181 + (i >> 8) + 7);
    if (r->alias)
        system_write(s, TABLES_AT + 0x3000 + (base + r->alias) / 0x1000 * 8, (base + DATA) | 3, 8);
    s->c->cr4 |= CR4_OSXSAVE; /* AVX */
    s->c->xcr0 = 7;
    x86_update_mode(s->c);
    memset(s->c->regs, 0, sizeof(s->c->regs));
    s->c->regs[R_RSI] = base + r->rsi;
    s->c->regs[R_RDI] = base + r->rdi;
    s->c->regs[R_RSP] = base + r->rsp;
    s->c->regs[R_RCX] = r->rcx;
    s->c->regs[R_RDX] = 0x123456789abcdef;
    assert_true(system_run(s));
    to->found = s->accel->stats.found;
    memcpy(to->regs, s->c->regs, sizeof(to->regs));
    to->eflags = x86_get_eflags(s->c);
    fx_save_x87(s->c, to->x87, true);
    memcpy(to->data, s->ram->host + base, SIZE);
    system_free(s);
}

static void test_rows(void **state)
{
    static Result native, portable;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i];

        run(r, NULL, &native);
        run(r, "interp", &portable);
        if (memcmp(native.regs, portable.regs, sizeof(native.regs)) ||
            native.eflags != portable.eflags)
            fail_msg("%s: registers differ", r->name);
        if (memcmp(native.x87, portable.x87, FX_SIZE))
            fail_msg("%s: the x87 differs", r->name);
        if (memcmp(native.data, portable.data, SIZE))
            fail_msg("%s: memory differs", r->name);
        if (r->rax)
            assert_int_equal(native.regs[R_RAX], r->rax);
        if (r->most_found && native.found > r->most_found)
            fail_msg("%s: %" PRIu64 " blocks looked up", r->name, native.found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
