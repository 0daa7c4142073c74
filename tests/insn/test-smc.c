/* SPDX-License-Identifier: MIT */
/*
 * Code that is rewritten over and over: each row's function gets four new bytes and is called,
 * many times, while the engine goes from watching its page to blocks that check themselves. The
 * sum of what it returned must be that of the values written.
 */
#include "system.h"

#include <string.h>

#include "softmmu/clock.h"

typedef struct Row {
    const char *name;
    const char *code; /* returns in RAX */
    unsigned len;
    unsigned patch;       /* offset of the four bytes */
    uint32_t first, step; /* what is written there */
    unsigned rounds;
    uint64_t (*value)(uint32_t v);
} Row;
#define C(s) (s), sizeof(s) - 1

static uint64_t as_is(uint32_t v)
{
    return v;
}
static uint64_t sign_extended(uint32_t v)
{
    return (uint64_t)(int32_t)v;
}
static uint64_t below_5(uint32_t v)
{
    return 5 < (uint64_t)(int32_t)v;
}
static uint64_t high_7(uint32_t v)
{
    return v | 7ull << 32;
}
static uint64_t low_byte(uint32_t v)
{
    return (uint8_t)v;
}
static uint64_t times_3(uint32_t v)
{
    return (uint64_t)(int32_t)v * 3;
}
static uint64_t word(uint32_t v)
{
    return (uint16_t)v;
}

static uint64_t inverted(uint32_t v)
{
    return (uint32_t)~v;
}

#define PAD16 "\x0f\x0b\x0f\x0b\x0f\x0b\x0f\x0b\x0f\x0b\x0f\x0b\x0f\x0b\x0f\x0b"
#define PAD64 PAD16 PAD16 PAD16 PAD16

static const Row rows[] = {
    { "mov eax, imm32", C("\xb8____\xc3"), 1, 7, 3, 20000, as_is },
    { "mov rax, imm64", C("\x48\xb8____\x07\0\0\0\xc3"), 2, 0x7fffff00, 1, 20000, high_7 },
    { "mov rax, simm32", C("\x48\xc7\xc0____\xc3"), 3, 0x7fffff00, 1, 20000, sign_extended },
    { "add rax, simm32", C("\x31\xc0\x48\x05____\xc3"), 4, 1, 0x01234567, 20000, sign_extended },
    { "imul rax, r, simm32", C("\x6a\x03\x58\x48\x69\xc0____\xc3"), 6, 1, 0x01234567, 20000,
      times_3 },
    { "cmp rax, simm32", C("\x6a\x05\x58\x48\x3d____\x0f\x92\xc0\x0f\xb6\xc0\xc3"), 5, 1,
      0x01234567, 20000, below_5 },
    { "push simm32", C("\x68____\x58\xc3"), 1, 1, 0x01234567, 20000, sign_extended },
    { "mov [m], imm32", C("\xc7\x44\x24\xf0____\x8b\x44\x24\xf0\xc3"), 4, 1, 0x01234567, 20000,
      as_is },
    /* jumps that the block goes on behind: forward, back again, and from a store into what follows
     */
    { "jmp; mov eax, imm32", C("\xeb\x40" PAD64 "\xb8____\xc3"), 67, 7, 3, 20000, as_is },
    { "jmp; jmp back; mov eax, imm32", C("\xeb\x46\xb8____\xc3" PAD64 "\xeb\xb8"), 3, 7, 3, 20000,
      as_is },
    { "not [m]; jmp; mov eax, imm32", C("\xf7\x17\xeb\x40" PAD64 "\xb8____\xc3"), 69, 7, 3, 4000,
      inverted },
    /* these are translated anew each time */
    { "mov al, imm8", C("\x31\xc0\xb0_\xc3\0\0"), 3, 0xc300, 1, 200, low_byte },
    { "mov ax, imm16", C("\x31\xc0\x66\xb8__\xc3\0"), 4, 0xc30000, 1, 4000, word },
};

/* mov [rdi], esi; call rbx; add rdx, rax; add esi, r8d; dec ecx; jnz; hlt */
static const char loop[] = "\x89\x37\xff\xd3\x48\x01\xc2\x44\x01\xc6\xff\xc9\x75\xf2\xf4";

static const char *backend;

/* The page after code_base()'s, and what the page behind it maps, too. */
enum { FIRST = 0x1000, AGAIN = 0x2000 };

static void map_again(System *s, uint32_t base)
{
    uint64_t entries = TABLES_AT + 0x3000;

    system_write(s, entries + ((base + AGAIN) >> 12) * 8, (base + FIRST) | 3, 8);
}

/* Of the function's bytes from @at on those beyond AGAIN lie where FIRST is. */
static void run_row(const Row *r, uint32_t at)
{
    System *s = system_new(backend, "max");
    uint32_t base = system_code_base(SYS_LONG, 0), v = r->first;
    uint64_t sum = 0;

    system_setup(s, SYS_LONG, 0);
    map_again(s, base);
    memcpy(s->ram->host + base, loop, sizeof(loop) - 1);
    for (unsigned i = 0; i < r->len; i++)
        s->ram->host[base + at + i - (at + i < AGAIN ? 0 : AGAIN - FIRST)] = (uint8_t)r->code[i];
    s->c->regs[R_RBX] = base + at;
    s->c->regs[R_RDI] = base + at + r->patch;
    s->c->regs[R_RSI] = r->first;
    s->c->regs[R_R8] = r->step;
    s->c->regs[R_RCX] = r->rounds;
    s->c->regs[R_RDX] = 0;
    assert_true(system_run(s));
    for (unsigned n = 0; n < r->rounds; n++, v += r->step)
        sum += r->value(v);
    if (s->c->regs[R_RDX] != sum)
        fail_msg("%s at +0x%x: 0x%llx, not 0x%llx", r->name, at,
                 (unsigned long long)s->c->regs[R_RDX], (unsigned long long)sum);
    system_free(s);
}

/* Beside the loop, on a page of its own, and across the end of a page: of two, and of one that is
 * mapped twice. */
static void test_rewritten(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        run_row(&rows[i], 0x200);
        run_row(&rows[i], FIRST);
        run_row(&rows[i], FIRST - rows[i].patch - 2);
        run_row(&rows[i], AGAIN - rows[i].patch - 2);
    }
}

/* inc qword [rdi] on the page of the code that does it; the same in the midst of a block */
static void test_data_beside_code(void **state)
{
    static const char code[] = "\x48\xff\x07\x48\x89\x57\x08\x48\x01\xd0\xff\xc9\x75\xf2\xf4";
    System *s = system_new(backend, "max");
    uint32_t base = system_code_base(SYS_LONG, 0);

    system_setup(s, SYS_LONG, 0);
    memcpy(s->ram->host + base, code, sizeof(code) - 1);
    s->c->regs[R_RDI] = base + 0x800;
    s->c->regs[R_RAX] = 0;
    s->c->regs[R_RDX] = 3;
    s->c->regs[R_RCX] = 30000;
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RAX], 90000);
    assert_int_equal(system_read(s, base + 0x800, 8), 30000);
    assert_int_equal(system_read(s, base + 0x808, 8), 3);
    system_free(s);
}

/* INS replaces the instruction behind it, of the same block: the port is read once. */
static void test_ins_into_the_running_block(void **state)
{
    static const char code[] = "\x6d\xb0\x05\xf4\x90"; /* insd; mov al, 5; hlt; nop */
    System *s = system_new(backend, "max");
    uint32_t base = system_code_base(SYS_LONG, 0);

    system_setup(s, SYS_LONG, 0);
    memcpy(s->ram->host + base, code, sizeof(code) - 1);
    s->port_value = 0x90f407b0; /* mov al, 7; hlt; nop */
    s->c->regs[R_RDI] = base + 1;
    s->c->regs[R_RDX] = 0x80;
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RAX] & 0xff, 7);
    assert_int_equal(s->port_reads, 1);
    system_free(s);
}

/* A function of 32-bit code whose only block begins below 4 GiB and ends above 0: made once, found
 * again. */
static void test_block_over_4g(void **state)
{
    /* call ebx; add edx, eax; mov eax, cr3; mov cr3, eax; dec ecx; jnz; hlt */
    static const char code[] = "\xff\xd3\x01\xc2\x0f\x20\xd8\x0f\x22\xd8\xff\xc9\x75\xf2\xf4";
    static const char function[] = "\xb8\x07\x00\x00\x00\xc3"; /* mov eax, 7; ret */
    System *s = system_new(backend, "max");
    uint64_t pdpt = TABLES_AT + 0x1000, pd = pdpt + 0x1000, pt = pd + 0x1000;

    system_setup(s, SYS_COMPAT, 0);
    system_write(s, pdpt + 3 * 8, pd | 3, 8);
    system_write(s, pd + 511 * 8, pt | 3, 8);
    memcpy(s->ram->host + system_code_base(SYS_COMPAT, 0), code, sizeof(code) - 1);
    memcpy(s->ram->host + 0x1ffffe, function, 2);
    memcpy(s->ram->host, function + 2, sizeof(function) - 3);
    s->c->regs[R_RBX] = 0xfffffffe;
    s->c->regs[R_RCX] = 100;
    s->c->regs[R_RDX] = 0;
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RDX], 700);
    system_free(s);
}

typedef struct Metronome {
    Clock *clock;
    Timer *timer;
    int64_t due_ns, latest_ns;
} Metronome;

static void beat(void *opaque)
{
    Metronome *m = opaque;

    m->latest_ns = MAX(m->latest_ns, clock_now_ns(m->clock) - m->due_ns);
    m->due_ns = clock_now_ns(m->clock) + 1009;
    timer_set(m->timer, m->due_ns);
}

/* INT with its stack beside code: what makes the page hot is a delivery, and timers are met all the
 * same where control goes elsewhere: after DEC and JNZ at the latest. */
static void test_deliveries_beside_code(void **state)
{
    static const char code[] = "\xcd\x30\xff\xc9\x75\xfa\xf4", iret[] = "\x48\xcf";
    System *s = system_new(backend, "max");
    uint32_t base = system_code_base(SYS_LONG, 0);
    Metronome m = { .clock = s->machine.clock };

    system_setup(s, SYS_LONG, 0);
    memcpy(s->ram->host + base, code, sizeof(code) - 1);
    memcpy(s->ram->host + HANDLERS_AT + 0x30 * 16, iret, sizeof(iret) - 1);
    s->c->regs[R_RSP] = base + 0x800;
    s->c->regs[R_RCX] = 20000;
    m.timer = timer_new(m.clock, beat, &m);
    beat(&m);
    m.latest_ns = 0;
    assert_true(system_run(s));
    assert_int_equal(s->c->regs[R_RCX], 0);
    assert_int_equal(m.latest_ns, 2);
    timer_free(m.timer);
    system_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rewritten),
        cmocka_unit_test(test_data_beside_code),
        cmocka_unit_test(test_ins_into_the_running_block),
        cmocka_unit_test(test_block_over_4g),
        cmocka_unit_test(test_deliveries_beside_code),
    };

    return system_run_tests(tests, &backend);
}
