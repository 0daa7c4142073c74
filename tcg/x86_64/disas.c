/* SPDX-License-Identifier: MIT */
/*
 * A block's host code as text: the thunks have names, and what stands behind calls of them for
 * their C side is shown as data.
 */
#include "tcg/x86_64/disas.h"

#include <inttypes.h>

#include "config.h"

#include "tcg/x86_64/gen.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

typedef struct Callee {
    const char *name;
    size_t data; /* bytes behind the call */
} Callee;

static size_t two_numbers(const uint8_t *behind)
{
    const uint8_t *end = behind;

    get_number(&end);
    get_number(&end);
    return (size_t)(end - behind);
}

static bool is_stack_probe(const X86Backend *be, const uint8_t *target)
{
    const uint8_t *const *probe = &be->stack_probe[0][0][0][0];

    for (size_t i = 0; i < sizeof(be->stack_probe) / sizeof(*probe); i++) {
        if (probe[i] && probe[i] == target) {
            return true;
        }
    }
    return false;
}

static Callee callee(const X86Backend *be, const uint8_t *target, const uint8_t *behind)
{
    size_t numbers = two_numbers(behind);
    /* clang-format off */
    const struct {
        const uint8_t *thunk;
        Callee callee;
    } known[] = {
        { be->exit_loop, { "exit_loop", 4 } }, { be->exit_reason, { "exit_reason", numbers } },
        { be->exit_end, { "exit_end", 4 } },   { be->exit_lookup, { "exit_lookup", 0 } },
        { be->exit_jump, { "exit_jump", 8 } },
        { be->trap, { "trap", numbers } },           { be->pack_env, { "pack_env", 0 } },
        { be->open_top, { "open_top", 0 } },
        { be->pack_rec, { "pack_rec", 0 } },   { be->divs128, { "divs128", 0 } },
        { be->vec_slow, { "vec_slow", 0 } },   { be->carry_env, { "carry_env", 0 } },
        { be->overflow_env, { "overflow_env", 0 } },
        { be->flags_env, { "flags_env", 0 } },
    };
    /* clang-format on */

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
    for (unsigned i = 0; i < be->nmove_thunks; i++) {
        if (target == be->move_thunk[i].at) {
            return (Callee){ be->config.helpers[be->move_thunk[i].helper].name, 0 };
        }
    }
    return (Callee){ is_stack_probe(be, target) ? "stack_probe" : NULL, 0 };
}

static Callee slot_callee(const X86Backend *be, const uint8_t *call, const uint8_t *behind)
{
    int n = ((int8_t)call[2] + ENV_BIAS - be->layout->own) / 8;

    switch (n) {
    case CALL_MEM: return (Callee){ "mem", mem_site(behind).bytes };
    case CALL_LINK: return (Callee){ "exit_link", behind[0] == 0xff && behind[1] == 0xff ? 6 : 2 };
    default: return (Callee){ "exit_budget", 0 };
    }
}

/* Bytes of data behind @insn. */
static size_t put(const X86Backend *be, const cs_insn *insn, const uint8_t *behind, GString *out)
{
    uint64_t target = 0;
    Callee c = { NULL, 0 };

    if ((insn->bytes[0] == 0xe8 || insn->bytes[0] == 0xe9 || insn->bytes[0] == 0x0f) &&
        g_str_has_prefix(insn->op_str, "0x")) {
        target = g_ascii_strtoull(insn->op_str, NULL, 16);
        c = callee(be, (const uint8_t *)(uintptr_t)target, behind);
    }
    if (insn->size == CALL_BYTES && insn->bytes[0] == 0xff && insn->bytes[1] == 0x55) {
        c = slot_callee(be, insn->bytes, behind);
        g_string_append_printf(out, "  0x%" PRIx64 ":  call %s\n", insn->address, c.name);
        return c.data;
    }
    g_string_append_printf(out, "  0x%" PRIx64 ":  %s%s%s\n", insn->address, insn->mnemonic,
                           insn->op_str[0] ? " " : "", c.name ? c.name : insn->op_str);
    return insn->bytes[0] == 0xe8 ? c.data : 0;
}

void x64_disas(const X86Backend *be, const uint8_t *code, size_t size, GString *out)
{
    csh handle;
    cs_insn *insn;
    uint64_t pc = (uintptr_t)code;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return;
    }
    cs_option(handle, CS_OPT_SKIPDATA, CS_OPT_ON);
    insn = cs_malloc(handle);
    while (cs_disasm_iter(handle, &code, &size, &pc, insn)) {
        size_t data = put(be, insn, code, out);

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

void x64_disas(const X86Backend *be, const uint8_t *code, size_t size, GString *out)
{
    for (size_t i = 0; i < size; i++) {
        g_string_append_printf(out, "%s%02x", i % 16 ? " " : i ? "\n  " : "  ", code[i]);
    }
    g_string_append_c(out, '\n');
}

#endif
