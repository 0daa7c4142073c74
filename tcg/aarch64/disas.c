/* SPDX-License-Identifier: MIT */
/*
 * A block's host code as text: the thunks have names, what stands behind calls of them for their C
 * side is shown as data, and a line "-- guest +OFFSET" is where a guest instruction begins.
 */
#include <inttypes.h>

#include "config.h"

#include "tcg/aarch64/gen.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

typedef struct Callee {
    const char *name;
    size_t data; /* bytes behind the call */
} Callee;

static Callee callee(const A64Backend *be, const uint8_t *target, const uint8_t *behind)
{
    const MemSite *m = (const MemSite *)behind;
    const struct {
        const uint8_t *thunk;
        Callee callee;
    } known[] = {
        { be->exit_link, { "exit_link", 4 } },
        { be->exit_budget, { "exit_budget", 0 } },
        { be->exit_reason, { "exit_reason", 8 } },
        { be->exit_end, { "exit_end", 4 } },
        { be->exit_lookup, { "exit_lookup", 0 } },
        { be->exit_jump, { "exit_jump", 8 } },
        { be->trap, { "trap", 8 } },
        { be->pack_env, { "pack_env", 0 } },
        { be->pack_rec, { "pack_rec", 0 } },
        { be->flags_env, { "flags_env", 0 } },
        { be->settle, { "settle", 0 } },
        { be->divide, { "divide", 0 } },
        { be->soft_op, { "soft_op", 4 } },
        { be->set_modes, { "set_modes", 0 } },
        { be->gather, { "gather", 0 } },
    };

    if (target == be->mem) {
        return (Callee){ "mem", m->bits & SITE_GROUP ? sizeof(MemSite) : MEM_SITE_SHORT };
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (target == known[i].thunk) {
            return known[i].callee;
        }
    }
    for (unsigned i = 0; i < be->config.nhelpers; i++) {
        if (target == be->helper_thunk[i]) {
            return (Callee){ be->config.helpers[i].name, 0 };
        }
    }
    return (Callee){ NULL, 0 };
}

/* Bytes of data behind @insn. */
static size_t put(const A64Backend *be, const cs_insn *insn, const uint8_t *behind, GString *out)
{
    bool call = insn->bytes[3] >> 2 == 0x25, jump = insn->bytes[3] >> 2 == 5;
    Callee c = { NULL, 0 };

    if ((call || jump) && g_str_has_prefix(insn->op_str, "#0x")) {
        uint64_t target = g_ascii_strtoull(insn->op_str + 1, NULL, 16);
        c = callee(be, (const uint8_t *)(uintptr_t)target, behind);
    }
    g_string_append_printf(out, "  0x%" PRIx64 ":  %s%s%s\n", insn->address, insn->mnemonic,
                           insn->op_str[0] ? " " : "", c.name ? c.name : insn->op_str);
    return call ? c.data : 0;
}

/* Marks of the block emitted last, as far as they are not behind @pc; returns the next one. */
static unsigned put_marks(const A64Backend *be, const TcgCode *code, uint64_t pc, unsigned next,
                          GString *out)
{
    const Gen *g = be->gen;
    uint64_t base = (uintptr_t)code->start - sizeof(CodeHeader);

    if (g->code != code) {
        return 0;
    }
    for (; next < g->nmarks && base + g->marks[next].host <= pc; next++) {
        if (g->marks[next].guest == MARK_STUBS) {
            g_string_append(out, "  -- stubs\n");
        } else {
            g_string_append_printf(out, "  -- guest +0x%" PRIx32 "\n", g->marks[next].guest);
        }
    }
    return next;
}

void a64_disas(const A64Backend *be, const TcgCode *block, GString *out)
{
    const uint8_t *code = block->start;
    size_t size = (size_t)(block->end - block->start);
    uint64_t pc = (uintptr_t)code;
    unsigned next = 0;
    csh handle;
    cs_insn *insn;

    if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle) != CS_ERR_OK) {
        return;
    }
    cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
    insn = cs_malloc(handle);
    while (cs_disasm_iter(handle, &code, &size, &pc, insn)) {
        size_t data;

        next = put_marks(be, block, insn->address, next, out);
        data = put(be, insn, code, out);
        data = MIN(data, size);
        if (data) {
            g_string_append_printf(out, "  0x%" PRIx64 ":  .space %zu\n", pc, data);
            code += data;
            pc += data;
            size -= data;
        }
    }
    cs_free(insn, 1);
    cs_close(&handle);
}

#else

void a64_disas(const A64Backend *be, const TcgCode *block, GString *out)
{
    const uint8_t *code = block->start;
    size_t size = (size_t)(block->end - block->start);

    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t insn;
        memcpy(&insn, code + i, 4);
        g_string_append_printf(out, "%s%08" PRIx32, i % 16 ? " " : i ? "\n  " : "  ", insn);
    }
    g_string_append_c(out, '\n');
}

#endif
