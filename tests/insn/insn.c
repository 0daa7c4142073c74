/* SPDX-License-Identifier: MIT */
/* What runners and tests share: default states, comparison, the table's undefined flags. */
#include "insn.h"

#include <glib.h>
#include <string.h>

#include "target-i386/decode.h"
#include "tcg/ir.h"

unsigned insn_runners(Runner *out[], unsigned max)
{
    unsigned n = 0;
    Runner *silicon = silicon_runner();
    if (silicon)
        out[n++] = silicon;
    return n + engine_runners(out + n, max - n);
}

const LdtEntry insn_ldt[LDT_COUNT] = {
    { CODE_BASE, 0xffff, .is_code = true }, /* M16P */
    { DATA_BASE, 0xffff },
    { STACK_BASE, 0xffff },
    { CODE_BASE, 0x1fff, .is_code = true, .is_32bit = true }, /* M32S */
    { DATA_BASE, 0xfff, .is_32bit = true },
    { DATA_BASE, 0xfff, .expands_down = true, .is_32bit = true },
    { STACK_BASE, 0x1fff, .is_32bit = true },
    { DATA_BASE, 0xfff, .read_only = true, .is_32bit = true },
    { 0, UINT32_MAX, .is_32bit = true },
};
#define LDT(n) ((n) << 3 | 7)

/* By order of INSN_ES … */
const uint16_t *mode_selectors(Mode mode)
{
    static const uint16_t real[INSN_SEGS] = { 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000 };
    static const uint16_t based16[INSN_SEGS] = { LDT(1), LDT(0), LDT(2), LDT(1), LDT(1), LDT(1) };
    static const uint16_t based32[INSN_SEGS] = { LDT(5), LDT(3), LDT(6), LDT(4), 0, LDT(7) };
    static const uint16_t flat32[INSN_SEGS] = { FLAT_DATA32, FLAT_CODE32, FLAT_DATA32,
                                                FLAT_DATA32, FLAT_DATA32, FLAT_DATA32 };
    static const uint16_t flat64[INSN_SEGS] = { FLAT_DATA32, FLAT_CODE64, FLAT_DATA32,
                                                FLAT_DATA32, FLAT_DATA32, FLAT_DATA32 };
    return mode == M16    ? real
           : mode == M16P ? based16
           : mode == M32S ? based32
           : mode == M32  ? flat32
                          : flat64;
}

static const struct {
    Mode mode;
    const char *name, *constant;
} modes[] = {
    { M16, "16", "M16" },
    { M32, "32", "M32" },
    { M64, "64", "M64" },
    { M32S, "32 with segments", "M32S" },
    { M16P, "16 protected", "M16P" },
};

static unsigned mode_index(Mode mode)
{
    unsigned n = 0;
    while (modes[n].mode != mode)
        n++;
    return n;
}

const char *mode_name(Mode mode)
{
    return modes[mode_index(mode)].name;
}

const char *mode_constant(Mode mode)
{
    return modes[mode_index(mode)].constant;
}

void default_case(Case *c, Memory *mem, Mode mode, uint32_t offset, const uint8_t *code, size_t len)
{
    memset(c, 0, sizeof(*c));
    memset(mem->code, 0xcc, AREA_SIZE);
    for (unsigned n = 0; n < AREA_SIZE; n++) {
        mem->data[n] = (uint8_t)(n * 7 + (n >> 8));
        mem->stack[n] = (uint8_t)(n * 5 + (n >> 8) + 1);
    }
    memcpy(mem->code + offset, code, len);
    c->mode = mode;
    c->code_offset = offset;
    unsigned registers = mode == M64 ? 16 : 8;
    for (unsigned n = 0; n < registers; n++)
        c->in.gpr[n] = UINT64_C(0x0101010101010101) * (n + 0xa1);
    bool based = mode_is_based(mode);
    c->in.gpr[4] = based ? STACK_TOP16 : STACK_TOP;
    if (mode != M64) {
        for (unsigned n = 0; n < registers; n++)
            c->in.gpr[n] = (uint32_t)c->in.gpr[n];
    }
    c->in.rip = (based ? 0 : CODE_BASE) + offset;
    memcpy(c->in.sel, mode_selectors(mode), sizeof(c->in.sel));
    c->in.fcw = 0x37f;
    c->in.mxcsr = 0x1f80;
}

static void differ(GString *s, const char *name, uint64_t want, uint64_t got)
{
    if (want != got)
        g_string_append_printf(
            s, " %s: want %#" G_GINT64_MODIFIER "x got %#" G_GINT64_MODIFIER "x;", name, want, got);
}

static void compare_fp(GString *s, const State *want, const State *got)
{
    differ(s, "mxcsr", want->mxcsr, got->mxcsr);
    differ(s, "fcw", want->fcw, got->fcw);
    differ(s, "fsw", want->fsw, got->fsw);
    differ(s, "ftw", want->ftw, got->ftw);
    for (unsigned n = 0; n < 16; n++) {
        g_autofree char *name = g_strdup_printf("xmm%u", n);
        differ(s, name, want->xmm[n][0], got->xmm[n][0]);
        differ(s, name, want->xmm[n][1], got->xmm[n][1]);
        g_autofree char *upper = g_strdup_printf("ymmh%u", n);
        differ(s, upper, want->ymmh[n][0], got->ymmh[n][0]);
        differ(s, upper, want->ymmh[n][1], got->ymmh[n][1]);
    }
    for (unsigned n = 0; n < 8; n++) {
        g_autofree char *name = g_strdup_printf("st%u", n);
        differ(s, name, want->st[n].se, got->st[n].se);
        differ(s, name, want->st[n].frac, got->st[n].frac);
    }
}

char *compare_states(const State *want, const State *got, uint32_t ignore)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    GString *s = g_string_new(NULL);
    differ(s, "vector", want->vector, got->vector);
    for (unsigned n = 0; n < 16; n++)
        differ(s, names[n], want->gpr[n], got->gpr[n]);
    differ(s, "rip", want->rip, got->rip);
    differ(s, "flags", want->flags & ~ignore, got->flags & ~ignore);
    if (want->vector >= 10)
        differ(s, "error", want->error, got->error);
    differ(s, "cr2", want->cr2, got->cr2);
    static const char *const segs[INSN_SEGS] = { "es", "cs", "ss", "ds", "fs", "gs" };
    for (unsigned n = 0; n < INSN_SEGS; n++)
        differ(s, segs[n], want->sel[n], got->sel[n]);
    compare_fp(s, want, got);
    if (s->len)
        return g_string_free(s, FALSE);
    g_string_free(s, TRUE);
    return NULL;
}

char *compare_memory(const Memory *want, const Memory *got)
{
    if (!memcmp(want, got, sizeof(*want)))
        return NULL;
    for (unsigned n = 0; n < AREA_SIZE; n++) {
        if (want->data[n] != got->data[n])
            return g_strdup_printf(" data+%#x: want %#x got %#x", n, want->data[n], got->data[n]);
        if (want->stack[n] != got->stack[n])
            return g_strdup_printf(" stack+%#x: want %#x got %#x", n, want->stack[n],
                                   got->stack[n]);
    }
    return g_strdup(" code changed");
}

DecodeMode insn_decode_mode(Mode mode)
{
    return (DecodeMode){ .code_size = (uint8_t)(mode == M64        ? I64
                                                : mode_is_16(mode) ? I16
                                                                   : I32),
                         .pe = mode != M16,
                         .features = UINT64_MAX };
}

uint64_t needed_features(Mode mode, const uint8_t *code, size_t len)
{
    DecodeMode m = insn_decode_mode(mode);
    uint64_t needed = 0;
    Insn i;
    for (size_t at = 0; at < len; at += i.len) {
        if (decode_insn(&m, code + at, (uint32_t)(len - at), &i) != DECODE_OK)
            break;
        needed |= row_features(i.desc, i.vex_l);
    }
    return needed;
}

uint32_t undefined_flags(Mode mode, const uint8_t *code, size_t len)
{
    DecodeMode m = insn_decode_mode(mode);
    uint32_t undef = 0;
    Insn i;
    for (size_t at = 0; at < len; at += i.len) {
        if (decode_insn(&m, code + at, (uint32_t)(len - at), &i) != DECODE_OK)
            break;
        undef |= i.desc->undef;
    }
    return undef;
}
