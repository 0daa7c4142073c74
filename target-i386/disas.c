/* SPDX-License-Identifier: MIT */
/*
 * Guest code as text for logs and the monitor, by capstone. Of what that does not know, and without
 * it: bytes and the decode table's name.
 */
#include "target-i386/disas.h"

#include "config.h"
#include "target-i386/decode.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

enum { CODE_SIZES = 3 };

static void close_handles(gpointer data)
{
    csh *handles = data;

    for (unsigned n = 0; n < CODE_SIZES; n++)
        if (handles[n])
            cs_close(&handles[n]);
    g_free(handles);
}

/* A handle of this thread's that disassembles for @mode; 0: there is none to be had. Making one
 * takes longer than most of what it is asked for. */
static csh handle_for(uint32_t mode)
{
    static const cs_mode modes[CODE_SIZES] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
    static GPrivate of_thread = G_PRIVATE_INIT(close_handles);
    unsigned n = mode & X86_MODE_CS64 ? 2 : mode & X86_MODE_CS32 ? 1 : 0;
    csh *handles = g_private_get(&of_thread);

    if (!handles) {
        handles = g_new0(csh, CODE_SIZES);
        g_private_set(&of_thread, handles);
    }
    if (!handles[n] && cs_open(CS_ARCH_X86, modes[n], &handles[n]) != CS_ERR_OK)
        handles[n] = 0;
    return handles[n];
}
#endif

/* One instruction at @bytes: its length and its text in @out; 0 if capstone knows none. */
static unsigned disas_one(uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                          GString *out)
{
    unsigned size = 0;
#ifdef HAVE_CAPSTONE
    csh handle = handle_for(mode);
    const uint8_t *code = bytes;
    size_t left = len;
    uint64_t pc = addr;
    cs_insn *insn;

    if (!handle)
        return 0;
    insn = cs_malloc(handle);
    if (cs_disasm_iter(handle, &code, &left, &pc, insn)) {
        size = insn->size;
        g_string_append_printf(out, "%s %s", insn->mnemonic, insn->op_str);
    }
    cs_free(insn, 1);
#endif
    return size;
}

/* What only our own tables know, without its operands. */
static unsigned name_one(uint32_t mode, const uint8_t *bytes, uint32_t len, GString *out)
{
    DecodeMode m = { .code_size = (uint8_t)(mode & X86_MODE_CS64   ? I64
                                            : mode & X86_MODE_CS32 ? I32
                                                                   : I16),
                     .pe = mode & X86_MODE_PE,
                     .features = UINT64_MAX };
    Insn i;

    if (decode_insn(&m, bytes, len, &i) != DECODE_OK) {
        g_string_assign(out, "(bad)");
        return 1;
    }
    g_string_assign(out, i.desc->name);
    return i.len;
}

void x86_print_insn(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                    GString *out)
{
    if (!disas_one(mode, addr, bytes, len, out))
        name_one(mode, bytes, len, out);
}

static void print_bytes(GString *out, const uint8_t *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        g_string_append_printf(out, "%02x ", bytes[i]);
    g_string_append_printf(out, "%*s", len < 10 ? (int)(3 * (10 - len)) : 0, "");
}

void x86_print_code(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                    GString *out)
{
    uint32_t at = 0;

    while (at < len) {
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned size = disas_one(mode, addr + at, bytes + at, len - at, text);

        if (!size)
            size = name_one(mode, bytes + at, len - at, text);
        g_string_append_printf(out, "0x%08" G_GINT64_MODIFIER "x:  ", addr + at);
        print_bytes(out, bytes + at, size);
        g_string_append_printf(out, " %s\n", text->str);
        at += size;
    }
}
