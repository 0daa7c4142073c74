/* SPDX-License-Identifier: MIT */
/*
 * The text form of a block, one op to a line, printed and parsed from the same tables:
 *
 *     block 0x40
 *     insn 0x40
 *     %2 = get.i64 rax
 *     %4 = add.i64 %2, %3
 *     %5 = ld.i32 %4 imm=-8 mem=1,lock
 *     set.i64 rbx+0, %4
 *     goto 0x50
 *
 * A value's number is the index of its op; the parser leaves nops where numbers skip.
 */
#include "tcg/ir.h"

#include <inttypes.h>
#include <string.h>

#include "tcg/helper.h"

static const char *const cond_names[] = { "eq",  "ne", "ltu", "geu", "leu",
                                          "gtu", "lt", "ge",  "le",  "gt" };
static const char *const cc_names[] = { "o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                        "s", "ns", "p", "np", "l", "nl", "le", "nle" };
static const char *const mem_names[] = { "align", "lock", "nt", "stack", "sp" }; /* from bit 3 */

/* What stands behind the operands: which fields of IrOp an op uses, in printing order. */
enum {
    F_SLOT = 1 << 0,   /* imm and aux: NAME or NAME+BYTE, before the operands */
    F_HELPER = 1 << 1, /* imm: the helper's name, before the operands */
    F_COND = 1 << 2,   /* aux by name */
    F_CC = 1 << 3,
    F_OFFSET = 1 << 4, /* imm in hex, bare */
    F_IMM = 1 << 5,    /* imm=N, signed, if not 0 */
    F_AUX = 1 << 6,    /* aux=N, if not 0 */
    F_MEM = 1 << 7,    /* d: mem=N,names */
    F_SIZE = 1 << 8,   /* b: size=N */
    F_INSN = 1 << 9,   /* b: insn=N, in hex */
};

/* The 64 bits of IrOp.value. */
static bool has_value(unsigned op)
{
    return op == OP_const || op == OP_ld_host;
}

static unsigned fields_of(unsigned op)
{
    switch (ir_op_info[op].shape) {
    case SHAPE_VBIN:
    case SHAPE_VUN: return F_AUX;
    case SHAPE_VIMM:
    case SHAPE_VIMM2: return F_AUX | F_IMM;
    default: break;
    }
    switch (op) {
    case OP_get:
    case OP_set: return F_SLOT;
    case OP_call: return F_HELPER;
    case OP_setcond: return F_COND;
    case OP_fl_test: return F_CC;
    case OP_insn:
    case OP_goto:
    case OP_goto_if: return F_OFFSET;
    case OP_divu2:
    case OP_divs2:
    case OP_trap:
    case OP_trap_if:
    case OP_exit:
    case OP_exit_if:
    case OP_fpcheck:
    case OP_cvt_f2i:
    case OP_st_host:
    case OP_fcomi: return F_IMM;
    case OP_lea:
    case OP_vextract:
    case OP_vinsert:
    case OP_fround:
    case OP_vinserth:
    case OP_vextracth:
    case OP_vwidens:
    case OP_vwidenu:
    case OP_fma:
    case OP_vcvt:
    case OP_fcmp:
    case OP_jump: return F_AUX | F_IMM;
    case OP_probe: return F_AUX | F_IMM | F_SIZE | F_MEM;
    case OP_x87: return F_OFFSET;
    case OP_x87_if: return F_IMM;
    case OP_x87_slot: return F_SLOT | F_INSN;
    case OP_x87_ld:
    case OP_x87_st: return F_IMM | F_INSN | F_MEM;
    case OP_fence:
    case OP_vbcast:
    case OP_vselect:
    case OP_vmovmsk:
    case OP_sha256rnds2:
    case OP_faddsub: return F_AUX;
    default: break;
    }
    if (op >= OP_ld && op <= OP_rmw_cas) {
        return F_IMM | F_MEM;
    }
    return op >= OP_fadd && op <= OP_fcomi ? F_AUX : 0;
}

/* -- Printing
 * --------------------------------------------------------------------------------------- */

static void print_mem(unsigned flags, GString *out)
{
    g_string_append_printf(out, " mem=%u", flags & MEM_MMU_MASK);
    for (unsigned i = 0; i < G_N_ELEMENTS(mem_names); i++) {
        if (flags & 8u << i) {
            g_string_append_printf(out, ",%s", mem_names[i]);
        }
    }
}

void ir_print_op(const IrBlock *ir, unsigned index, GString *out)
{
    const IrOp *op = &ir->ops[index];
    unsigned f = fields_of(op->op), n;
    const char *separator = " ";

    if (ir_has_result(ir, op)) {
        g_string_append_printf(out, "%%%u = ", index);
    }
    g_string_append(out, ir_op_info[op->op].name);
    if (op->flags & IROP_COMMIT) {
        g_string_append_c(out, '!');
    }
    if (op->type != IR_VOID) {
        g_string_append_printf(out, ".%s", ir_type_info[op->type].name);
    }
    if (f & F_COND) {
        g_string_append_printf(out, " %s", cond_names[op->aux]);
    }
    if (f & F_CC) {
        g_string_append_printf(out, " %s", cc_names[op->aux]);
    }
    if (f & F_SLOT) {
        g_string_append_printf(out, " %s", ir->slots[op->imm].name);
        if (op->aux) {
            g_string_append_printf(out, "+%u", op->aux);
        }
        separator = ", ";
    }
    if (f & F_HELPER) {
        g_string_append_printf(out, " %s", ir->helpers[op->imm].name);
        separator = ", ";
    }
    if (has_value(op->op)) {
        g_string_append_printf(out, " 0x%" PRIx64, op->value);
    }
    n = ir_operands(ir, op);
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(out, "%s%%%u", separator, op->arg[i]);
        separator = ", ";
    }
    if (f & F_OFFSET) {
        g_string_append_printf(out, " 0x%x", op->imm);
    }
    if ((f & F_AUX) && op->aux) {
        g_string_append_printf(out, " aux=%u", op->aux);
    }
    if ((f & F_IMM) && op->imm) {
        g_string_append_printf(out, " imm=%d", (int)op->imm);
    }
    if (f & F_SIZE) {
        g_string_append_printf(out, " size=%u", op->b);
    }
    if (f & F_INSN) {
        g_string_append_printf(out, " insn=0x%x", op->b);
    }
    if (f & F_MEM) {
        print_mem(op->d, out);
    }
    g_string_append_c(out, '\n');
}

void ir_print(const IrBlock *ir, GString *out)
{
    g_string_append_printf(out, "block 0x%x\n", ir->start);
    for (unsigned i = 1; i < ir->nops; i++) {
        if (ir->ops[i].op != OP_nop) {
            ir_print_op(ir, i, out);
        }
    }
}

/* -- Parsing
 * ---------------------------------------------------------------------------------------- */

typedef struct Parser {
    IrBlock *ir;
    const char *p; /* in the line at hand */
    unsigned line;
    GError **error;
} Parser;

static bool fail(Parser *ps, const char *what)
{
    g_set_error(ps->error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "line %u: %s at '%s'", ps->line, what,
                ps->p);
    return false;
}

static void skip_spaces(Parser *ps)
{
    while (*ps->p == ' ' || *ps->p == '\t' || *ps->p == ',') {
        ps->p++;
    }
}

static bool accept(Parser *ps, const char *token)
{
    size_t n = strlen(token);

    skip_spaces(ps);
    if (strncmp(ps->p, token, n)) {
        return false;
    }
    ps->p += n;
    return true;
}

static bool number(Parser *ps, uint64_t *value)
{
    char *end;

    skip_spaces(ps);
    *value = *ps->p == '-' ? (uint64_t)g_ascii_strtoll(ps->p, &end, 0)
                           : g_ascii_strtoull(ps->p, &end, 0);
    if (end == ps->p) {
        return fail(ps, "a number is missing");
    }
    ps->p = end;
    return true;
}

/* The longest run of word characters, or NULL at none. */
static char *word(Parser *ps)
{
    const char *start;

    skip_spaces(ps);
    start = ps->p;
    while (g_ascii_isalnum(*ps->p) || *ps->p == '_') {
        ps->p++;
    }
    return g_strndup(start, (gsize)(ps->p - start));
}

static bool lookup_word(Parser *ps, const char *const *names, unsigned n, const char *what,
                        unsigned *index)
{
    g_autofree char *w = word(ps);

    for (unsigned i = 0; i < n; i++) {
        if (names[i] && !strcmp(names[i], w)) {
            *index = i;
            return true;
        }
    }
    return fail(ps, what);
}

static bool parse_opcode(Parser *ps, IrOp *op)
{
    const char *names[IR_NOPS];
    unsigned index;

    for (unsigned i = 0; i < IR_NOPS; i++) {
        names[i] = ir_op_info[i].name;
    }
    if (!lookup_word(ps, names, IR_NOPS, "unknown op", &index)) {
        return false;
    }
    op->op = (uint8_t)index;
    if (*ps->p == '!') {
        ps->p++;
        op->flags = IROP_COMMIT;
    }
    if (*ps->p == '.') {
        const char *types[IR_NTYPES];
        ps->p++;
        for (unsigned i = 0; i < IR_NTYPES; i++) {
            types[i] = ir_type_info[i].name;
        }
        if (!lookup_word(ps, types, IR_NTYPES, "unknown type", &index)) {
            return false;
        }
        op->type = (uint8_t)index;
    }
    return true;
}

static bool parse_slot(Parser *ps, IrOp *op)
{
    g_autofree char *w = word(ps);
    uint64_t byte = 0;

    for (op->imm = 0; op->imm < ps->ir->nslots; op->imm++) {
        if (!strcmp(ps->ir->slots[op->imm].name, w)) {
            break;
        }
    }
    if (op->imm == ps->ir->nslots) {
        return fail(ps, "unknown slot");
    }
    if (accept(ps, "+") && !number(ps, &byte)) {
        return false;
    }
    op->aux = (uint8_t)byte;
    return true;
}

static bool parse_helper(Parser *ps, IrOp *op)
{
    g_autofree char *w = word(ps);

    for (op->imm = 0; op->imm < ps->ir->nhelpers; op->imm++) {
        if (!strcmp(ps->ir->helpers[op->imm].name, w)) {
            return true;
        }
    }
    return fail(ps, "unknown helper");
}

static bool parse_operands(Parser *ps, IrOp *op)
{
    IrRef *const field[IR_MAX_ARGS] = { &op->a, &op->b, &op->c, &op->d };
    unsigned n = ir_op_info[op->op].nargs, i = 0;
    uint64_t v;

    while (accept(ps, "%")) {
        if (i == n) {
            return fail(ps, "too many operands");
        }
        if (!number(ps, &v)) {
            return false;
        }
        if (v >= IR_MAX_OPS) {
            return fail(ps, "no such value");
        }
        *field[i++] = (IrRef)v;
    }
    if (i < n && op->op != OP_lea && op->op != OP_call) {
        return fail(ps, "an operand is missing");
    }
    return true;
}

static bool parse_mem(Parser *ps, IrOp *op)
{
    uint64_t v;
    unsigned index;

    if (!number(ps, &v)) {
        return false;
    }
    op->d = (IrRef)(v & MEM_MMU_MASK);
    while (*ps->p == ',') {
        if (!lookup_word(ps, mem_names, G_N_ELEMENTS(mem_names), "unknown memory flag", &index)) {
            return false;
        }
        op->d |= (IrRef)(8u << index);
    }
    return true;
}

static bool parse_fields(Parser *ps, IrOp *op)
{
    unsigned f = fields_of(op->op);
    uint64_t v;

    if (f & F_OFFSET) {
        if (!number(ps, &v)) {
            return false;
        }
        op->imm = (uint32_t)v;
    }
    if ((f & F_AUX) && accept(ps, "aux=")) {
        if (!number(ps, &v)) {
            return false;
        }
        op->aux = (uint8_t)v;
    }
    if ((f & F_IMM) && accept(ps, "imm=")) {
        if (!number(ps, &v)) {
            return false;
        }
        op->imm = (uint32_t)v;
    }
    if (((f & F_SIZE) && accept(ps, "size=")) || ((f & F_INSN) && accept(ps, "insn="))) {
        if (!number(ps, &v)) {
            return false;
        }
        op->b = (IrRef)v;
    }
    return !(f & F_MEM) || !accept(ps, "mem=") || parse_mem(ps, op);
}

static bool parse_op(Parser *ps, IrOp *op)
{
    unsigned f, index = 0;
    bool ok = true;

    if (!parse_opcode(ps, op)) {
        return false;
    }
    f = fields_of(op->op);
    if (f & F_COND) {
        ok = lookup_word(ps, cond_names, G_N_ELEMENTS(cond_names), "unknown condition", &index);
        op->aux = (uint8_t)index;
    } else if (f & F_CC) {
        ok = lookup_word(ps, cc_names, G_N_ELEMENTS(cc_names), "unknown condition", &index);
        op->aux = (uint8_t)index;
    } else if (f & F_SLOT) {
        ok = parse_slot(ps, op);
    } else if (f & F_HELPER) {
        ok = parse_helper(ps, op);
    } else if (has_value(op->op)) {
        return number(ps, &op->value);
    }
    return ok && parse_operands(ps, op) && parse_fields(ps, op);
}

static bool append(Parser *ps, IrOp *op, unsigned index)
{
    IrBlock *ir = ps->ir;

    if (index >= IR_MAX_OPS || ir->nops >= IR_MAX_OPS) {
        return fail(ps, "too many ops");
    }
    while (ir->nops < index) {
        ir->ops[ir->nops++] = (IrOp){ .op = OP_nop };
    }
    if (index && index < ir->nops) {
        return fail(ps, "value numbers must rise");
    }
    if (op->op == OP_insn) {
        op->d = (IrRef)ir->ninsns++;
    } else if (op->op == OP_goto || op->op == OP_goto_if) {
        if (ir->nlinks == IR_MAX_LINKS) {
            return fail(ps, "too many links");
        }
        op->d = (IrRef)ir->nlinks++;
    }
    ir->ops[ir->nops++] = *op;
    return true;
}

static bool parse_line(Parser *ps)
{
    uint64_t index = 0;
    IrOp op = { .op = OP_nop };

    if (accept(ps, "block")) {
        if (!number(ps, &index)) {
            return false;
        }
        ir_block_reset(ps->ir, (uint32_t)index);
    } else {
        if (accept(ps, "%") && (!number(ps, &index) || !accept(ps, "="))) {
            return fail(ps, "'%N = ' is expected");
        }
        if (!parse_op(ps, &op) || !append(ps, &op, (unsigned)MIN(index, IR_MAX_OPS))) {
            return false;
        }
        if (!!index != ir_has_result(ps->ir, &ps->ir->ops[ps->ir->nops - 1])) {
            return fail(ps, index ? "the op has no value" : "the op's value needs a name");
        }
    }
    skip_spaces(ps);
    return !*ps->p || *ps->p == '#' || fail(ps, "unexpected text");
}

bool ir_parse(IrBlock *ir, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Parser ps = { .ir = ir, .error = error };

    ir_block_reset(ir, 0);
    for (unsigned i = 0; lines[i]; i++) {
        ps.line = i + 1;
        ps.p = lines[i];
        skip_spaces(&ps);
        if (*ps.p && *ps.p != '#' && !parse_line(&ps)) {
            return false;
        }
    }
    return true;
}
