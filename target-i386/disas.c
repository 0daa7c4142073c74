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

static cs_mode capstone_mode(uint32_t mode)
{
    return mode & X86_MODE_CS64 ? CS_MODE_64 : mode & X86_MODE_CS32 ? CS_MODE_32 : CS_MODE_16;
}

/* One instruction at @bytes: its length and its text in @out; 0 if there is none. */
static unsigned disas_one(csh handle, uint64_t addr, const uint8_t *bytes, uint32_t len,
                          GString *out)
{
    const uint8_t *code = bytes;
    size_t left = len;
    uint64_t pc = addr;
    cs_insn *insn = cs_malloc(handle);
    unsigned size = 0;

    if (cs_disasm_iter(handle, &code, &left, &pc, insn)) {
        size = insn->size;
        g_string_append_printf(out, "%s %s", insn->mnemonic, insn->op_str);
    }
    cs_free(insn, 1);
    return size;
}
#endif

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
    unsigned size = 0;
#ifdef HAVE_CAPSTONE
    csh handle;

    if (cs_open(CS_ARCH_X86, capstone_mode(mode), &handle) == CS_ERR_OK) {
        size = disas_one(handle, addr, bytes, len, out);
        cs_close(&handle);
    }
#endif
    if (!size)
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
#ifdef HAVE_CAPSTONE
    csh handle;
    bool open = cs_open(CS_ARCH_X86, capstone_mode(mode), &handle) == CS_ERR_OK;
#endif

    while (at < len) {
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned size = 0;
#ifdef HAVE_CAPSTONE
        if (open)
            size = disas_one(handle, addr + at, bytes + at, len - at, text);
#endif
        if (!size)
            size = name_one(mode, bytes + at, len - at, text);
        g_string_append_printf(out, "0x%08" G_GINT64_MODIFIER "x:  ", addr + at);
        print_bytes(out, bytes + at, size);
        g_string_append_printf(out, " %s\n", text->str);
        at += size;
    }
#ifdef HAVE_CAPSTONE
    if (open)
        cs_close(&handle);
#endif
}
