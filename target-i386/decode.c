/* SPDX-License-Identifier: MIT */
/*
 * The decoder: prefixes, opcode, ModRM/SIB, displacement, immediates (SDM vol. 2, chapter 2),
 * driven by the rows of the opcode maps. Pure: it sees bytes and mode, no machine. EVEX is #UD.
 */
#include "target-i386/decode.h"

#include <glib.h>
#include <string.h>

#include "target-i386/cpu.h"
#include "target-i386/cpuid.h"
#include "tcg/ir.h"

#define MAX_INSN_LEN 15
/* More than is ever read: prefixes, opcode, ModRM, SIB and two operands behind them. */
#define MAX_READ 48

/* Bytes are read without looking at how many there are: @next may run up to MAX_READ from @start,
 * and what it ran over is found at the end. */
typedef struct Cursor {
    const uint8_t *start, *next;
    uint32_t avail;
} Cursor;

static uint8_t next_byte(Cursor *c)
{
    return *c->next++;
}

static uint32_t bytes_read(const Cursor *c)
{
    return (uint32_t)(c->next - c->start);
}

static int64_t next_signed(Cursor *c, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    uint64_t v;
    memcpy(&v, c->next, 8);
    c->next += size;
    return (int64_t)(GUINT64_FROM_LE(v) << unused) >> unused;
}

/* Did all that was read belong to the instruction? */
static DecodeStatus status(const Cursor *c)
{
    uint32_t n = bytes_read(c);
    if (n <= c->avail && n <= MAX_INSN_LEN)
        return DECODE_OK;
    return c->avail < MAX_INSN_LEN ? DECODE_MORE : DECODE_TOO_LONG;
}

/* REX or none, and what follows is no prefix: nearly always so. 0: it is not. */
static uint8_t read_common(const DecodeMode *m, Cursor *c, Insn *i)
{
    static const bool prefix[256] = {
        [0x00] = true, /* as this says no */
        [0x26] = true, [0x2e] = true, [0x36] = true, [0x3e] = true, [0x64] = true, [0x65] = true,
        [0x66] = true, [0x67] = true, [0xf0] = true, [0xf2] = true, [0xf3] = true,
    };
    uint8_t first = *c->next; /* whether it is REX cannot be guessed */
    unsigned has_rex = (m->code_size == I64) & ((first & 0xf0) == 0x40);
    uint8_t b = c->next[has_rex];

    if (prefix[b] | (has_rex & ((b & 0xf0) == 0x40)))
        return 0;
    i->rex = first & (0u - has_rex);
    c->next += 1 + has_rex;
    return b;
}

static uint8_t read_prefixes(const DecodeMode *m, Cursor *c, Insn *i)
{
    bool is64 = m->code_size == I64;
    for (;;) {
        uint8_t b = next_byte(c);
        if (bytes_read(c) > MAX_INSN_LEN)
            return 0;
        switch (b) {
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            if (!is64) {
                i->seg_override = true;
                i->seg = (b >> 3) & 3; /* ES CS SS DS in the order of SEG_x */
            }
            break;
        case 0x64:
        case 0x65:
            i->seg_override = true;
            i->seg = SEG_FS + (b - 0x64);
            break;
        case 0x66: i->prefix66 = true; break;
        case 0x67: i->prefix67 = true; break;
        case 0xf0: i->lock = true; break;
        case 0xf2:
        case 0xf3: i->rep = b; break;
        default:
            if (is64 && (b & 0xf0) == 0x40) {
                i->rex = b;
                continue; /* counts only right before the opcode */
            }
            return b;
        }
        i->rex = 0;
    }
}

static void set_sizes(const DecodeMode *m, Insn *i)
{
    if (m->code_size == I64) {
        i->osize = (i->rex & 8) ? I64 : i->prefix66 ? I16 : I32;
        i->asize = i->prefix67 ? I32 : I64;
    } else {
        i->osize = (m->code_size == I32) != i->prefix66 ? I32 : I16;
        i->asize = (m->code_size == I32) != i->prefix67 ? I32 : I16;
    }
}

/* ---- VEX ------------------------------------------------------------------------------------ */

/* C4 and C5 are LES and LDS outside 64-bit mode, unless they would have a register for a pointer.
 */
static bool is_vex(const DecodeMode *m, Cursor *c, uint8_t b)
{
    if ((b & 0xfe) != 0xc4 || !m->pe)
        return false;
    if (m->code_size == I64)
        return true;
    return *c->next >= 0xc0;
}

/* The prefix behind its first byte @b. Returns the number of the map. */
static unsigned read_vex(const DecodeMode *m, Cursor *c, Insn *i, uint8_t b)
{
    static const uint8_t reps[4] = { 0, 0, 0xf3, 0xf2 };
    unsigned map = 1, bits = next_byte(c), last = bits;
    i->vex = true;
    i->rex = (uint8_t)(0x40 | (bits & 0x80 ? 0 : 4));
    if (b == 0xc4) {
        map = bits & 31;
        i->rex |= (uint8_t)((bits & 0x40 ? 0 : 2) | (bits & 0x20 ? 0 : 1));
        last = next_byte(c);
        i->vex_w = last & 0x80;
    }
    if (i->vex_w)
        i->rex |= 8;
    if (m->code_size != I64)
        i->rex = 0x40;
    i->vvvv = ~(last >> 3) & 15;
    i->vex_l = last & 4;
    i->rep = reps[last & 3];
    i->prefix66 = (last & 3) == 1;
    i->osize = i->rex & 8 ? I64 : I32;
    return map;
}

/* ---- ModRM ---------------------------------------------------------------------------------- */

static void read_modrm(Cursor *c, Insn *i)
{
    if (i->has_modrm)
        return;
    i->has_modrm = true;
    i->modrm = next_byte(c);
    i->mod = i->modrm >> 6;
    i->reg = ((i->modrm >> 3) & 7) | ((i->rex & 4) << 1);
    i->rm = (i->modrm & 7) | ((i->rex & 1) << 3);
}

static void address16(Cursor *c, Insn *i)
{
    static const int8_t base[8] = { R_RBX, R_RBX, R_RBP, R_RBP, R_RSI, R_RDI, R_RBP, R_RBX };
    static const int8_t index[8] = { R_RSI, R_RDI, R_RSI, R_RDI, -1, -1, -1, -1 };
    unsigned rm = i->modrm & 7;
    if (i->mod == 0 && rm == 6) {
        i->disp = next_signed(c, 2);
        return;
    }
    i->base = base[rm];
    i->index = index[rm];
    if (i->mod)
        i->disp = next_signed(c, i->mod == 1 ? 1 : 2);
}

static void address32(const DecodeMode *m, Cursor *c, Insn *i)
{
    unsigned rm = i->modrm & 7;
    bool sib = rm == 4;
    if (sib) {
        uint8_t b = next_byte(c);
        i->scale = b >> 6;
        i->index = ((b >> 3) & 7) | ((i->rex & 2) << 2);
        i->vindex = (uint8_t)i->index;
        if (i->index == R_RSP || (i->desc->attr & A_VSIB))
            i->index = -1;
        rm = b & 7;
    }
    if (i->mod == 0 && rm == 5) {
        if (!sib && m->code_size == I64)
            i->base = INSN_BASE_RIP;
        i->disp = next_signed(c, 4);
        return;
    }
    i->base = (int8_t)(rm | ((i->rex & 1) << 3));
    if (i->mod)
        i->disp = next_signed(c, i->mod == 1 ? 1 : 4);
}

static void read_address(const DecodeMode *m, Cursor *c, Insn *i)
{
    if (i->asize == I16)
        address16(c, i);
    else
        address32(m, c, i);
    if (!i->seg_override)
        i->seg = i->base == R_RSP || i->base == R_RBP ? SEG_SS : SEG_DS;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static bool has_feature(const DecodeMode *m, unsigned feature)
{
    return feature == FEAT_NONE || ((m->features >> feature) & 1);
}

static const InsnDesc *choose_by_prefix(const DecodeMode *m, const Insn *i, const InsnDesc *table)
{
    unsigned n = i->rep == 0xf3 ? 2 : i->rep == 0xf2 ? 3 : i->prefix66 ? 1 : 0;
    const InsnDesc *r = &table[n];
    if ((r->attr & A_FALLBACK) && !has_feature(m, r->feature))
        r = &table[0];
    return r;
}

static const InsnDesc *resolve_group(const DecodeMode *m, Cursor *c, Insn *i, const InsnDesc *row)
{
    do {
        const InsnDesc *t = row->table;
        if (row->group == GROUP_PREFIX) {
            row = choose_by_prefix(m, i, t);
            continue;
        }
        if (row->group == GROUP_64) {
            row = &t[m->code_size == I64];
            continue;
        }
        if (row->group == GROUP_OSIZE) {
            row = &t[i->osize - I16];
            continue;
        }
        if (row->group == GROUP_REXW) {
            row = &t[(i->rex >> 3) & 1];
            continue;
        }
        if (row->group == GROUP_VEXW || row->group == GROUP_VEXL) {
            row = &t[row->group == GROUP_VEXW ? i->vex_w : i->vex_l];
            continue;
        }
        read_modrm(c, i);
        switch (row->group) {
        case GROUP_REG: row = &t[(i->modrm >> 3) & 7]; break;
        case GROUP_RM: row = &t[i->modrm & 7]; break;
        case GROUP_MOD: row = &t[i->mod == 3]; break;
        default: row = &t[i->modrm & 63]; break; /* GROUP_MODRM */
        }
    } while (row->group);
    return row;
}

static inline const InsnDesc *resolve(const DecodeMode *m, Cursor *c, Insn *i, const InsnDesc *row)
{
    return row->group ? resolve_group(m, c, i, row) : row;
}

static const InsnDesc *find_row(const DecodeMode *m, Cursor *c, Insn *i, uint8_t b)
{
    static const InsnDesc *const main_map[4] = { opmap_1byte, opmap_0f, opmap_0f38, opmap_0f3a };
    static const InsnDesc *const fp_map[4] = { NULL, opmap_sse_0f, opmap_sse_0f38, opmap_sse_0f3a };
    i->map = 0;
    if (b == 0x0f) {
        i->map = 1;
        b = next_byte(c);
        if (b == 0x38 || b == 0x3a) {
            i->map = b == 0x38 ? 2 : 3;
            b = next_byte(c);
        }
    }
    i->opcode = b;
    const InsnDesc *row = resolve(m, c, i, &main_map[i->map][b]);
    if (row->gen)
        return row;
    if (i->map == 0)
        return b >= 0xd8 && b <= 0xdf ? resolve(m, c, i, &opmap_x87[b - 0xd8]) : row;
    return resolve(m, c, i, &fp_map[i->map][b]);
}

static const InsnDesc *find_vex_row(const DecodeMode *m, Cursor *c, Insn *i, uint8_t b)
{
    static const InsnDesc *const maps[4] = { NULL, opmap_vex_0f, opmap_vex_0f38, opmap_vex_0f3a };
    static const InsnDesc empty;
    bool legacy = i->rep || i->prefix66 || i->lock;
    if (i->rex) { /* no VEX, but LES or LDS, which 64-bit mode has not */
        read_modrm(c, i);
        return &empty;
    }
    unsigned map = read_vex(m, c, i, b);
    i->map = map > 3 ? 0 : (uint8_t)map;
    i->opcode = next_byte(c);
    return i->map && !legacy ? resolve(m, c, i, &maps[i->map][i->opcode]) : &empty;
}

static bool uses_modrm(const InsnDesc *row)
{
    return row->modrm || (row->attr & (A_MODRM | A_REG | A_MEM | A_MOD3));
}

/* ---- Operands ------------------------------------------------------------------------------- */

/* clang-format off */
/* By VEX.L, operand size (16, 32, 64; REX.W makes it 64) and the operand's size. */
static const uint8_t type_of_size[2][3][OS_qq + 1] = {
    /*  none b   w    d    q    t    dq    v    z    y    x     hx    qx   ex   qq */
    { { 0, I8, I16, I32, I64, F80, V128, I16, I16, I32, V128, I64,  I32, I16, V256 },
      { 0, I8, I16, I32, I64, F80, V128, I32, I32, I32, V128, I64,  I32, I16, V256 },
      { 0, I8, I16, I32, I64, F80, V128, I64, I32, I64, V128, I64,  I32, I16, V256 } },
    { { 0, I8, I16, I32, I64, F80, V128, I16, I16, I32, V256, V128, I64, I32, V256 },
      { 0, I8, I16, I32, I64, F80, V128, I32, I32, I32, V256, V128, I64, I32, V256 },
      { 0, I8, I16, I32, I64, F80, V128, I64, I32, I64, V256, V128, I64, I32, V256 } },
};
_Static_assert(OS_none == 0 && OS_b == 1 && OS_dq == 6 && OS_v == 7 && OS_y == 9 && OS_ex == 13, "columns");
/* clang-format on */

static void set_reg(Operand *o, const Insn *i, unsigned reg)
{
    o->kind = OPK_GPR;
    o->reg = (uint8_t)reg;
    if (o->type == I8 && !i->rex && reg >= 4) {
        o->kind = OPK_GPR_HI;
        o->reg = (uint8_t)(reg - 4);
    }
}

static void set_operand(Operand *o, unsigned kind, unsigned reg)
{
    o->kind = (uint8_t)kind;
    o->reg = (uint8_t)reg;
}

static void read_immediate(Cursor *c, Insn *i, Operand *o, OperandMethod method, OperandSize size)
{
    unsigned bytes = method == OM_S8 ? 1 : 1u << (o->type - I8);
    if (size == OS_z && o->type == I32)
        bytes = 4;
    int64_t v = next_signed(c, bytes);
    bool second = i->imm_size;
    i->imm_size = (uint8_t)bytes;
    if (method == OM_I && (size == OS_b || size == OS_w))
        v &= (1 << (8 * bytes)) - 1;
    if (second)
        i->imm2 = v;
    else
        i->imm = v;
    o->kind = OPK_IMM;
    if (size == OS_z && method == OM_I)
        o->type = i->osize;
}

static unsigned vvvv_register(const DecodeMode *m, const Insn *i)
{
    return i->vvvv & (m->code_size == I64 ? 15 : 7);
}

/* Where instructions name registers. */
enum { IN_REG, IN_RM, IN_OPCODE, IS_RAX, IS_RCX, IS_RDX, NAMES };

static void name_registers(const Insn *i, uint8_t *names)
{
    names[IN_REG] = i->reg;
    names[IN_RM] = i->rm;
    names[IN_OPCODE] = (uint8_t)((i->opcode & 7u) | ((i->rex & 1u) << 3));
    names[IS_RAX] = R_RAX;
    names[IS_RCX] = R_RCX;
    names[IS_RDX] = R_RDX;
}

/* Operands that are a general or vector register, or the memory that ModRM names unless mod is 3.
 */
enum { NO_REG = 1 << 0, NO_MEM = 1 << 1 };
static const struct {
    uint8_t kind; /* of the register; 0: not such an operand */
    uint8_t name; /* IN_, IS_ */
    bool modrm;
    uint8_t wrong; /* NO_ */
} common_operands[] = {
    [OM_E] = { OPK_GPR, IN_RM, .modrm = true },
    [OM_M] = { OPK_GPR, IN_RM, .modrm = true, .wrong = NO_REG },
    [OM_R] = { OPK_GPR, IN_RM, .modrm = true, .wrong = NO_MEM },
    [OM_W] = { OPK_XMM, IN_RM, .modrm = true },
    [OM_U] = { OPK_XMM, IN_RM, .modrm = true, .wrong = NO_MEM },
    [OM_G] = { OPK_GPR, IN_REG },
    [OM_V] = { OPK_XMM, IN_REG },
    [OM_Z] = { OPK_GPR, IN_OPCODE },
    [OM_RAX] = { OPK_GPR, IS_RAX },
    [OM_RCX] = { OPK_GPR, IS_RCX },
    [OM_RDX] = { OPK_GPR, IS_RDX },
    [OM_L] = { 0 },
};

/* Without branches: which of them comes next cannot be guessed. False: the form is #UD. */
static bool common_operand(const Insn *i, const uint8_t *names, Operand *o, OperandMethod method)
{
    unsigned mem = common_operands[method].modrm & (i->mod != 3), kind, reg, high;

    reg = names[common_operands[method].name] & (mem - 1);
    kind = mem ? OPK_MEM : common_operands[method].kind;
    high = (kind == OPK_GPR) & (o->type == I8) & !i->rex & (reg >= 4);
    o->kind = (uint8_t)(kind + high);
    o->reg = (uint8_t)(reg - 4 * high);
    return !(common_operands[method].wrong >> mem & 1);
}

/* False: the form is #UD. */
static bool read_operand(const DecodeMode *m, Cursor *c, Insn *i, const uint8_t *types,
                         const uint8_t *names, Operand *o, unsigned code)
{
    OperandMethod method = operand_method(code);
    o->type = types[operand_size(code)];
    if (common_operands[method].kind)
        return common_operand(i, names, o, method);
    switch (method) {
    case OM_P: set_operand(o, OPK_MMX, i->reg & 7); break;
    case OM_Q:
    case OM_N:
        set_operand(o, i->mod != 3 ? OPK_MEM : OPK_MMX, i->rm & 7);
        return method == OM_Q || i->mod == 3;
    case OM_ST: set_operand(o, OPK_ST, i->rm & 7); return i->mod == 3;
    case OM_B: set_reg(o, i, vvvv_register(m, i)); break;
    case OM_H: set_operand(o, OPK_XMM, vvvv_register(m, i)); break;
    case OM_L: /* the low bits are an immediate for those that have one */
        i->imm = next_byte(c);
        set_operand(o, OPK_XMM, (unsigned)i->imm >> 4 & (m->code_size == I64 ? 15 : 7));
        break;
    case OM_S: set_operand(o, OPK_SEG, i->reg & 7); return (i->reg & 7) < SEG_COUNT;
    case OM_C: set_operand(o, OPK_CR, i->reg); return 0x11d >> i->reg & 1; /* 0, 2-4, 8 */
    case OM_D: set_operand(o, OPK_DR, i->reg); return i->reg < 8;
    case OM_I:
    case OM_S8:
    case OM_J: read_immediate(c, i, o, method, operand_size(code)); break;
    case OM_ONE:
        i->imm = 1;
        o->kind = OPK_IMM;
        break;
    case OM_O:
        set_operand(o, OPK_MEM, 0);
        i->disp = next_signed(c, i->asize == I64 ? 8 : i->asize == I32 ? 4 : 2);
        if (!i->seg_override)
            i->seg = SEG_DS;
        break;
    case OM_A:
        o->kind = OPK_IMM;
        i->imm = next_signed(c, i->osize == I16 ? 2 : 4) & (i->osize == I16 ? 0xffff : 0xffffffff);
        i->imm2 = next_signed(c, 2) & 0xffff;
        break;
    default: break;
    }
    return true;
}

/* What holds of VEX-encoded instructions only: SDM vol. 2, 2.3 and the exception classes in 2.4. */
static bool vex_allowed(const DecodeMode *m, const Insn *i, const InsnDesc *row)
{
    uint32_t attr = row->attr;
    bool uses_vvvv = false;
    for (unsigned n = 0; n < 4; n++) {
        OperandMethod method = operand_method(row->op[n]);
        uses_vvvv |= method == OM_H || method == OM_B;
    }
    if (!uses_vvvv && i->vvvv)
        return false;
    if ((attr & (i->vex_w ? A_W0 : A_W1)) || (attr & (i->vex_l ? A_L0 : A_L1)))
        return false;
    return !(attr & A_VSIB) || (i->mod != 3 && (i->modrm & 7) == 4 && i->asize != I16);
}

uint64_t row_features(const InsnDesc *row, bool vex_l)
{
    uint64_t set = row->feature == FEAT_NONE ? 0 : UINT64_C(1) << row->feature;
    if (row->attr & A_VEX)
        set |= UINT64_C(1) << FEAT_AVX;
    if ((row->attr & A_AVX2) && vex_l)
        set |= UINT64_C(1) << FEAT_AVX2;
    return set;
}

static bool row_allowed(const DecodeMode *m, const Insn *i, const InsnDesc *row)
{
    const uint32_t restricts = A_NO64 | A_ONLY64 | A_PE | A_REG | A_MEM | A_VEX | A_AVX2;
    if (!(row->attr & restricts) && row->feature == FEAT_NONE && !i->vex)
        return true;
    if (i->vex && !vex_allowed(m, i, row))
        return false;
    if (row_features(row, i->vex_l) & ~m->features)
        return false;
    if (m->code_size == I64 ? (row->attr & A_NO64) : (row->attr & A_ONLY64))
        return false;
    if ((row->attr & A_PE) && !m->pe)
        return false;
    if ((row->attr & A_REG) && i->mod != 3)
        return false;
    return !((row->attr & A_MEM) && i->mod == 3);
}

static void apply_attributes(const DecodeMode *m, Insn *i, uint32_t attr)
{
    if (m->code_size == I64) {
        if (attr & A_F64)
            i->osize = I64;
        else if ((attr & A_DF64) && i->osize == I32)
            i->osize = I64;
    }
    if ((attr & A_NOP66) && i->osize == I16 && m->code_size != I16)
        i->osize = I32;
    if (attr & A_MOD3)
        i->mod = 3;
}

static DecodeStatus finish(const DecodeMode *m, Cursor *c, Insn *i)
{
    const InsnDesc *row = i->desc;
    const uint8_t *types;
    uint8_t names[NAMES];
    bool ok = true;
    unsigned n = 0;
    if (row->attr & (A_F64 | A_DF64 | A_NOP66 | A_MOD3))
        apply_attributes(m, i, row->attr);
    if (i->has_modrm && i->mod != 3)
        read_address(m, c, i);
    types = type_of_size[i->vex_l][i->osize - I16];
    name_registers(i, names);
    for (; n < 4 && row->op[n]; n++)
        ok &= read_operand(m, c, i, types, names, &i->op[n], row->op[n]);
    i->nops = (uint8_t)n;
    i->len = (uint8_t)bytes_read(c);
    if (status(c) != DECODE_OK)
        return status(c);
    if (i->lock && !((row->attr & A_LOCK) && i->op[0].kind == OPK_MEM))
        ok = false;
    return ok && row_allowed(m, i, row) ? DECODE_OK : DECODE_UD;
}

/* An opcode that does not exist is #UD once all of it has been fetched: what its neighbours have
 * belongs to it, as AMD's processors do it (test-lengths). Opcodes of map 0F without a ModRM: */
static const uint16_t no_modrm_0f[16] = {
    [0x0] = 0x5ff0, [0x2] = 0x00f0, [0x3] = 0xffff, [0x7] = 0x0c80, [0x8] = 0xffff,
    [0xa] = 0x07c7, [0xb] = 0x0200, [0xc] = 0xff00, [0xf] = 0x8000,
};

static unsigned undefined_immediate(const Insn *i)
{
    static const uint8_t bytes_in_0f[] = { 0x0f, 0x70, 0x71, 0x72, 0x73, 0xa4,
                                           0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6 };
    if (i->map == 1)
        return memchr(bytes_in_0f, i->opcode, sizeof(bytes_in_0f)) ? 1
               : (i->opcode & 0xf0) == 0x80                        ? 4
                                                                   : 0;
    if (i->map == 0 && !i->vex && i->opcode == 0xc7)
        return i->osize == I16 ? 2 : 4;
    return i->map == 3 || (i->map == 0 && !i->vex && i->opcode == 0xc6);
}

static DecodeStatus finish_undefined(const DecodeMode *m, Cursor *c, Insn *i)
{
    bool modrm = i->map > 1 || i->vex || i->has_modrm;
    if (i->map == 1)
        modrm = !(no_modrm_0f[i->opcode >> 4] >> (i->opcode & 15) & 1);
    if (modrm) {
        read_modrm(c, i);
        if (i->map == 1 && (i->opcode & 0xfc) == 0x20) /* MOV CRn, DRn: registers always */
            i->mod = 3;
        if (i->mod != 3)
            read_address(m, c, i);
    }
    c->next += undefined_immediate(i);
    i->len = (uint8_t)bytes_read(c);
    return status(c) == DECODE_OK ? DECODE_UD : status(c);
}

/* MAX_READ bytes can be read. */
static G_GNUC_NO_INLINE DecodeStatus decode(const DecodeMode *m, const uint8_t *bytes,
                                            uint32_t avail, Insn *i)
{
    Cursor cursor = { .start = bytes, .next = bytes, .avail = avail }, *c = &cursor;
    static const Insn blank = { .base = -1, .index = -1, .seg = SEG_DS };
    memcpy(i, &blank, sizeof(*i)); /* clearing would be REP STOS, which takes long to begin */
    uint8_t b = read_common(m, c, i);
    if (!b)
        b = read_prefixes(m, c, i);
    set_sizes(m, i);
    i->desc = is_vex(m, c, b) ? find_vex_row(m, c, i, b) : find_row(m, c, i, b);
    if (!i->desc->gen)
        return finish_undefined(m, c, i);
    if (uses_modrm(i->desc))
        read_modrm(c, i);
    return finish(m, c, i);
}

static G_GNUC_NO_INLINE DecodeStatus decode_copy(const DecodeMode *m, const uint8_t *bytes,
                                                 uint32_t avail, Insn *i)
{
    uint8_t copy[MAX_READ] = { 0 };
    memcpy(copy, bytes, avail);
    return decode(m, copy, avail, i);
}

DecodeStatus decode_insn(const DecodeMode *m, const uint8_t *bytes, uint32_t avail, Insn *i)
{
    return avail < MAX_READ ? decode_copy(m, bytes, avail, i) : decode(m, bytes, avail, i);
}

/* ---- Features ------------------------------------------------------------------------------- */

uint64_t decode_features(const uint32_t *words)
{
    static const struct {
        uint8_t word, bit;
    } where[FEAT_COUNT] = {
        [FEAT_FPU] = { CPUID_1_EDX, 0 },
        [FEAT_TSC] = { CPUID_1_EDX, 4 },
        [FEAT_MSR] = { CPUID_1_EDX, 5 },
        [FEAT_CX8] = { CPUID_1_EDX, 8 },
        [FEAT_SEP] = { CPUID_1_EDX, 11 },
        [FEAT_CMOV] = { CPUID_1_EDX, 15 },
        [FEAT_CLFLUSH] = { CPUID_1_EDX, 19 },
        [FEAT_MMX] = { CPUID_1_EDX, 23 },
        [FEAT_FXSR] = { CPUID_1_EDX, 24 },
        [FEAT_SSE] = { CPUID_1_EDX, 25 },
        [FEAT_SSE2] = { CPUID_1_EDX, 26 },
        [FEAT_SSE3] = { CPUID_1_ECX, 0 },
        [FEAT_PCLMUL] = { CPUID_1_ECX, 1 },
        [FEAT_MONITOR] = { CPUID_1_ECX, 3 },
        [FEAT_SSSE3] = { CPUID_1_ECX, 9 },
        [FEAT_CX16] = { CPUID_1_ECX, 13 },
        [FEAT_SSE41] = { CPUID_1_ECX, 19 },
        [FEAT_SSE42] = { CPUID_1_ECX, 20 },
        [FEAT_MOVBE] = { CPUID_1_ECX, 22 },
        [FEAT_POPCNT] = { CPUID_1_ECX, 23 },
        [FEAT_AES] = { CPUID_1_ECX, 25 },
        [FEAT_XSAVE] = { CPUID_1_ECX, 26 },
        [FEAT_RDRAND] = { CPUID_1_ECX, 30 },
        [FEAT_FSGSBASE] = { CPUID_7_0_EBX, 0 },
        [FEAT_BMI1] = { CPUID_7_0_EBX, 3 },
        [FEAT_BMI2] = { CPUID_7_0_EBX, 8 },
        [FEAT_INVPCID] = { CPUID_7_0_EBX, 10 },
        [FEAT_RDSEED] = { CPUID_7_0_EBX, 18 },
        [FEAT_ADX] = { CPUID_7_0_EBX, 19 },
        [FEAT_SMAP] = { CPUID_7_0_EBX, 20 },
        [FEAT_CLFLUSHOPT] = { CPUID_7_0_EBX, 23 },
        [FEAT_CLWB] = { CPUID_7_0_EBX, 24 },
        [FEAT_SHA] = { CPUID_7_0_EBX, 29 },
        [FEAT_RDPID] = { CPUID_7_0_ECX, 22 },
        [FEAT_PKU] = { CPUID_7_0_ECX, 3 },
        [FEAT_LAHF64] = { CPUID_80000001_ECX, 0 },
        [FEAT_ABM] = { CPUID_80000001_ECX, 5 },
        [FEAT_SSE4A] = { CPUID_80000001_ECX, 6 },
        [FEAT_3DNOWPREFETCH] = { CPUID_80000001_ECX, 8 },
        [FEAT_SYSCALL] = { CPUID_80000001_EDX, 11 },
        [FEAT_RDTSCP] = { CPUID_80000001_EDX, 27 },
        [FEAT_LM] = { CPUID_80000001_EDX, 29 },
        [FEAT_AVX] = { CPUID_1_ECX, 28 },
        [FEAT_AVX2] = { CPUID_7_0_EBX, 5 },
        [FEAT_FMA] = { CPUID_1_ECX, 12 },
        [FEAT_F16C] = { CPUID_1_ECX, 29 },
        [FEAT_VAES] = { CPUID_7_0_ECX, 9 },
        [FEAT_VPCLMUL] = { CPUID_7_0_ECX, 10 },
        [FEAT_GFNI] = { CPUID_7_0_ECX, 8 },
        [FEAT_XSAVEOPT] = { CPUID_D_1_EAX, 0 },
        [FEAT_XSAVEC] = { CPUID_D_1_EAX, 1 },
        [FEAT_XSAVES] = { CPUID_D_1_EAX, 3 },
    };
    uint64_t set = 0;
    for (unsigned f = FEAT_NONE + 1; f < FEAT_COUNT; f++)
        set |= (uint64_t)((words[where[f].word] >> where[f].bit) & 1) << f;
    return set;
}
