/* SPDX-License-Identifier: MIT */
/* Host code as text. */
#include "tcg/x86_64/disas.h"

#include <inttypes.h>

#include "config.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

void x86_disas(const uint8_t *code, size_t size, GString *out)
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
        g_string_append_printf(out, "  0x%" PRIx64 ":  %s %s\n", insn->address, insn->mnemonic,
                               insn->op_str);
    }
    cs_free(insn, 1);
    cs_close(&handle);
}
