/* SPDX-License-Identifier: MIT */
/* What plugins see of an instruction's operands (MimusDecoded), by capstone; nothing without it. */
#include "target-i386/disas.h"

#include <string.h>

#include "accel/plugin/events.h"
#include "config.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

static const char *name_of(csh handle, unsigned reg)
{
    return reg ? cs_reg_name(handle, reg) : NULL;
}

static void describe_operand(csh handle, const cs_x86_op *from, MimusOperand *to)
{
    *to = (MimusOperand){ .size = from->size,
                          .read = from->access & CS_AC_READ,
                          .written = from->access & CS_AC_WRITE };
    switch (from->type) {
    case X86_OP_REG:
        to->kind = MIMUS_OPERAND_REGISTER;
        to->reg = name_of(handle, from->reg);
        break;
    case X86_OP_MEM:
        to->kind = MIMUS_OPERAND_MEMORY;
        to->segment = name_of(handle, from->mem.segment);
        to->base = name_of(handle, from->mem.base);
        to->index = name_of(handle, from->mem.index);
        to->scale = to->index ? (uint8_t)from->mem.scale : 0;
        to->value = from->mem.disp;
        break;
    default:
        to->kind = MIMUS_OPERAND_IMMEDIATE;
        to->value = from->imm;
        to->read = true;
    }
}

static uint32_t describe_registers(csh handle, const uint16_t *from, unsigned n, const char **to)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n && kept < MIMUS_REGISTERS_MAX; i++)
        if (name_of(handle, from[i]))
            to[kept++] = name_of(handle, from[i]);
    return kept;
}

/* clang-format off */
static const struct { uint8_t group; uint32_t flow; } flows[] = {
    { CS_GRP_JUMP, MIMUS_FLOW_JUMP },     { CS_GRP_CALL, MIMUS_FLOW_CALL },
    { CS_GRP_RET, MIMUS_FLOW_RETURN },    { CS_GRP_INT, MIMUS_FLOW_INTERRUPT },
    { CS_GRP_IRET, MIMUS_FLOW_INTERRUPT | MIMUS_FLOW_RETURN },
    { CS_GRP_PRIVILEGE, MIMUS_FLOW_PRIVILEGED },
};
/* clang-format on */

static uint32_t flow_of(csh handle, const cs_insn *insn)
{
    uint32_t flow = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(flows); i++)
        flow |= cs_insn_group(handle, insn, flows[i].group) ? flows[i].flow : 0;
    switch (insn->id) {
    case X86_INS_JMP:
    case X86_INS_LJMP: return flow | MIMUS_FLOW_JUMP;
    case X86_INS_SYSCALL:
    case X86_INS_SYSENTER: return flow | MIMUS_FLOW_INTERRUPT;
    case X86_INS_SYSRET:
    case X86_INS_SYSEXIT: return flow | MIMUS_FLOW_INTERRUPT | MIMUS_FLOW_RETURN;
    default: return flow & MIMUS_FLOW_JUMP ? flow | MIMUS_FLOW_CONDITIONAL : flow;
    }
}

static bool lists(const char *const *list, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}

/* Capstone forgets it of some PUSH and POP. */
static void add_stack_pointer(MimusDecoded *out, const char *sp)
{
    if (strncmp(out->mnemonic, "push", 4) && strncmp(out->mnemonic, "pop", 3))
        return;
    if (!strncmp(out->mnemonic, "popcnt", 6))
        return;
    if (!lists(out->read, out->nread, sp) && out->nread < MIMUS_REGISTERS_MAX)
        out->read[out->nread++] = sp;
    if (!lists(out->written, out->nwritten, sp) && out->nwritten < MIMUS_REGISTERS_MAX)
        out->written[out->nwritten++] = sp;
}

static void describe(csh handle, const cs_insn *insn, MimusDecoded *out)
{
    const cs_x86 *x = &insn->detail->x86;
    cs_regs read, written;
    uint8_t nread, nwritten;

    g_strlcpy(out->mnemonic, insn->mnemonic, sizeof(out->mnemonic));
    out->flow = flow_of(handle, insn);
    out->noperands = MIN(x->op_count, MIMUS_OPERANDS);
    for (unsigned i = 0; i < out->noperands; i++)
        describe_operand(handle, &x->operands[i], &out->operand[i]);
    if (cs_regs_access(handle, insn, read, &nread, written, &nwritten) == CS_ERR_OK) {
        out->nread = describe_registers(handle, read, nread, out->read);
        out->nwritten = describe_registers(handle, written, nwritten, out->written);
    }
}
#endif

bool x86_decode_insn(uint32_t mode, const uint8_t *bytes, uint32_t len, MimusDecoded *out)
{
    bool known = false;

    memset(out, 0, sizeof(*out));
#ifdef HAVE_CAPSTONE
    cs_mode m = mode & X86_MODE_CS64 ? CS_MODE_64 : mode & X86_MODE_CS32 ? CS_MODE_32 : CS_MODE_16;
    csh handle;
    cs_insn *insn;

    if (cs_open(CS_ARCH_X86, m, &handle) != CS_ERR_OK)
        return false;
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    insn = cs_malloc(handle);
    if (insn) {
        uint64_t pc = 0;
        size_t left = len;
        known = cs_disasm_iter(handle, &bytes, &left, &pc, insn);
        if (known)
            describe(handle, insn, out);
        if (known)
            add_stack_pointer(out, m == CS_MODE_64 ? "rsp" : m == CS_MODE_32 ? "esp" : "sp");
        cs_free(insn, 1);
    }
    cs_close(&handle);
#endif
    return known;
}
