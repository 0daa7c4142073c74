/* SPDX-License-Identifier: MIT */
/* The encoder against capstone: every operand form with every register, text compared. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <capstone/capstone.h>
#include <glib.h>
#include <string.h>

#include "tcg/x86_64/asm.h"

static const char *const r64[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const r32[] = { "eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                   "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d" };
static const char *const r16[] = { "ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
                                   "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w" };
static const char *const r8l[] = { "al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                   "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b" };

static const char *name(unsigned w, int r)
{
    return w == 8 ? r64[r] : w == 4 ? r32[r] : w == 2 ? r16[r] : r8l[r];
}

typedef struct Case {
    Asm a;
    uint8_t buf[128];
    csh cs;
} Case;

static void start(Case *c)
{
    c->a = (Asm){ .p = c->buf, .start = c->buf, .end = c->buf + sizeof(c->buf) };
}

/* What was emitted since start() is one instruction that reads @text. */
static void expect(Case *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void expect(Case *c, const char *format, ...)
{
    g_autofree char *want = NULL;
    g_autofree char *got = NULL;
    size_t size = (size_t)(c->a.p - c->buf), n;
    cs_insn *insn;
    va_list ap;

    va_start(ap, format);
    want = g_strdup_vprintf(format, ap);
    va_end(ap);
    n = cs_disasm(c->cs, c->buf, size, 0, 0, &insn);
    assert_int_equal(n, 1);
    assert_int_equal(insn->size, size);
    got = g_strdup_printf("%s%s%s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
    assert_string_equal(got, want);
    cs_free(insn, n);
    start(c);
}

static int setup(void **state)
{
    Case *c = g_new0(Case, 1);

    start(c);
    *state = c;
    return cs_open(CS_ARCH_X86, CS_MODE_64, &c->cs) == CS_ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    Case *c = *state;

    cs_close(&c->cs);
    g_free(c);
    return 0;
}

static const unsigned widths[] = { 1, 2, 4, 8 };

#define EACH_WIDTH(w) for (unsigned i_ = 0, w = 1; i_ < 4 && (w = widths[i_]); i_++)
#define EACH_REG(r)   for (X86Reg r = RAX; r <= R15; r++)

static void registers(void **state)
{
    static const char *const alu[] = { "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp" };
    static const char *const shift[] = { "rol", "ror", "rcl", "rcr", "shl", "shr", NULL, "sar" };
    Case *c = *state;

    EACH_WIDTH(w)
    EACH_REG(d)
    {
        EACH_REG(s)
        {
            unsigned op = (unsigned)(d * 3 + s) % 8;
            x_alu(&c->a, (X86Alu)op, w, d, s);
            expect(c, "%s %s, %s", alu[op], name(w, d), name(w, s));
            x_test(&c->a, w, d, s);
            expect(c, "test %s, %s", name(w, d), name(w, s));
            if (d != s) {
                x_mov(&c->a, w, d, s);
                expect(c, "mov %s, %s", name(w, d), name(w, s));
            }
            if (w > 1) {
                x_imul(&c->a, w, d, s);
                expect(c, "imul %s, %s", name(w, d), name(w, s));
            }
            if (w >= 4) {
                x_cmov(&c->a, 5, w, d, s);
                expect(c, "cmovne %s, %s", name(w, d), name(w, s));
                x_movsx(&c->a, w, 1, d, s);
                expect(c, "movsx %s, %s", name(w, d), name(1, s));
                x_bmi_shift(&c->a, BMI_SHRX, w, d, s, R13);
                expect(c, "shrx %s, %s, %s", name(w, d), name(w, s), name(w, R13));
                x_rorx(&c->a, w, d, s, 5);
                expect(c, "rorx %s, %s, 5", name(w, d), name(w, s));
            }
        }
        x_alu_imm(&c->a, ALU_XOR, w, d, 0x12);
        expect(c, "xor %s, 0x12", name(w, d));
        if (w >= 4) {
            x_alu_imm(&c->a, ALU_SUB, w, d, 0x12345);
            expect(c, "sub %s, 0x12345", name(w, d));
        }
        x_test_imm(&c->a, w, d, 0x41);
        expect(c, "test %s, 0x41", name(w, d));
        for (unsigned k = 0; k < 8; k++) {
            if (shift[k]) {
                x_shift_imm(&c->a, (X86Shift)k, w, d, 3);
                expect(c, "%s %s, 3", shift[k], name(w, d));
                x_shift_cl(&c->a, (X86Shift)k, w, d);
                expect(c, "%s %s, cl", shift[k], name(w, d));
            }
        }
        x_grp3(&c->a, G3_NEG, w, d);
        expect(c, "neg %s", name(w, d));
        x_inc(&c->a, w, d);
        expect(c, "inc %s", name(w, d));
        x_not(&c->a, w, d);
        expect(c, "not %s", name(w, d));
    }
}

static void moves(void **state)
{
    Case *c = *state;

    EACH_REG(d)
    {
        x_mov_imm(&c->a, d, 0x1234);
        expect(c, "mov %s, 0x1234", r32[d]);
        x_mov_imm(&c->a, d, 0xfffffffffffffffe);
        expect(c, "mov %s, -2", r64[d]);
        x_mov_imm(&c->a, d, 0x123456789abcdef0);
        expect(c, "movabs %s, 0x123456789abcdef0", r64[d]);
        x_setcc(&c->a, 4, d);
        expect(c, "sete %s", r8l[d]);
        x_bswap(&c->a, 8, d);
        expect(c, "bswap %s", r64[d]);
        x_bswap(&c->a, 4, d);
        expect(c, "bswap %s", r32[d]);
        x_push(&c->a, d);
        expect(c, "push %s", r64[d]);
        x_pop(&c->a, d);
        expect(c, "pop %s", r64[d]);
        EACH_REG(s)
        {
            x_movzx(&c->a, 1, d, s);
            expect(c, "movzx %s, %s", r32[d], r8l[s]);
            x_movzx(&c->a, 2, d, s);
            expect(c, "movzx %s, %s", r32[d], r16[s]);
            x_movsx(&c->a, 8, 4, d, s);
            expect(c, "movsxd %s, %s", r64[d], r32[s]);
            x_rr(&c->a, X_MOVAPS, 4, d, s);
            expect(c, "movaps xmm%d, xmm%d", d, s);
            x_rr(&c->a, X_MOVD | X_W, 4, d, s);
            expect(c, "movq xmm%d, %s", d, r64[s]);
            x_rr(&c->a, X_66 | X_0F38 | 0x40, 4, d, s);
            expect(c, "pmulld xmm%d, xmm%d", d, s);
        }
    }
}

/* Base, index, scale and displacement: the special cases of ModRM are RSP, RBP, R12, R13. */
static void addresses(void **state)
{
    Case *c = *state;

    EACH_REG(b)
    {
        x_load(&c->a, 8, RAX, mem_base(b, 0));
        expect(c, "mov rax, qword ptr [%s]", r64[b]);
        x_store(&c->a, 1, mem_base(b, -8), RSI);
        expect(c, "mov byte ptr [%s - 8], sil", r64[b]);
        x_store_imm(&c->a, 2, mem_base(b, 0x1000), 0x1234);
        expect(c, "mov word ptr [%s + 0x1000], 0x1234", r64[b]);
        EACH_REG(i)
        {
            if (i == RSP) {
                continue;
            }
            x_lea(&c->a, 8, R9, mem_index(b, i, 2, 0x10));
            expect(c, "lea r9, [%s + %s*4 + 0x10]", r64[b], r64[i]);
            x_alu_rm(&c->a, ALU_ADD, 4, R10, mem_index(b, i, 0, 0));
            expect(c, "add r10d, dword ptr [%s + %s]", r64[b], r64[i]);
            x_alu_mi(&c->a, ALU_OR, 8, mem_index(b, i, 3, 0x12345), 7);
            expect(c, "or qword ptr [%s + %s*8 + 0x12345], 7", r64[b], r64[i]);
        }
    }
}

static void branches(void **state)
{
    Case *c = *state;
    uint8_t *j;

    x_jmp(&c->a, c->buf + 0x40);
    expect(c, "jmp 0x40");
    x_jcc(&c->a, 5, c->buf + 0x40);
    expect(c, "jne 0x40");
    x_call(&c->a, c->buf + 0x10);
    expect(c, "call 0x10");
    x_jmp_mem(&c->a, mem_index(RBP, R13, 0, 0x100));
    expect(c, "jmp qword ptr [rbp + r13 + 0x100]");
    j = x_jcc32(&c->a, 2);
    x_here(&c->a, j);
    expect(c, "jb 6");
    j = x_jcc8(&c->a, 2);
    x_here8(&c->a, j);
    expect(c, "jb 2");
}

static void overflow(void **state)
{
    Case *c = *state;

    for (unsigned i = 0; i < 1000; i++) {
        x_mov_imm(&c->a, R11, 0x123456789abcdef0);
        assert_true(c->a.p >= c->buf && c->a.p <= c->buf + sizeof(c->buf));
    }
    assert_true(c->a.full);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registers, setup, teardown),
        cmocka_unit_test_setup_teardown(moves, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(branches, setup, teardown),
        cmocka_unit_test_setup_teardown(overflow, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
