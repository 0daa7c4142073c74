/* SPDX-License-Identifier: MIT */
/*
 * The block: decode, check, generate, until something ends it.
 */
#include <string.h>

#include "target-i386/block.h"
#include "target-i386/gen.h"

enum {
    MAX_BLOCK_INSNS = 64,
    ROOM_FOR_INSN = 600, /* more than the IR of the longest instruction (ENTER with 31 levels) */
};

/* The checks that rows ask for, in the order of the exceptions' priority. */
static bool check_state(Dis *d, const Insn *i)
{
    uint32_t attr = i->desc->attr;
    if (!(attr & (d->attr_ud | d->attr_nm | d->attr_gp)))
        return true;
    if (attr & d->attr_ud)
        trap_ud(d);
    else if (attr & d->attr_nm)
        trap(d, X86_TRAP(EXCP_NM));
    else
        trap_gp0(d);
    return false;
}

/* Which instructions fault in this mode, whatever they do. */
static void init_attributes(Dis *d)
{
    bool em = d->mode & X86_MODE_EM, ts = d->mode & X86_MODE_TS;
    d->attr_ud = (em ? A_MMX | A_SSE : 0) | (d->mode & X86_MODE_OSFXSR ? 0 : A_SSE) |
                 (d->mode & X86_MODE_AVX ? 0 : A_VEX);
    d->attr_nm = (em ? A_FPU : 0) | (ts ? A_FPU | A_MMX | A_SSE | A_VEX : 0) |
                 (ts && (d->mode & X86_MODE_MP) ? A_WAIT : 0);
    d->attr_gp = d->cpl ? A_CPL0 : 0;
}

void x87_switch(Dis *d, uint32_t reason)
{
    ir_exit_if(d->ir, ir_const(d->ir, I1, 1), reason);
    leave_never(d);
}

bool x87_at_home(Dis *d)
{
    if (d->x87_on_host)
        x87_switch(d, X86_EXIT_X87_FROM_HOST);
    return !d->x87_on_host;
}

static bool uses_mmx(const Insn *i)
{
    if (i->desc->attr & A_MMX)
        return true;
    for (unsigned n = 0; n < G_N_ELEMENTS(i->op); n++) {
        if (i->op[n].kind == OPK_MMX)
            return true;
    }
    return false;
}

static void init(Dis *d, Cpu *cpu, TranslateRequest *req, IrBlock *ir)
{
    CpuX86 *c = x86(cpu);
    uint32_t mode = req->mode;
    memset(d, 0, offsetof(Dis, left)); /* without those, which are most of it */
    d->ir = ir;
    d->cpu = c;
    d->req = req;
    d->mode = mode;
    d->cpl = mode & X86_MODE_CPL;
    d->is64 = mode & X86_MODE_CS64;
    d->pe = (mode & X86_MODE_PE) && !(mode & X86_MODE_VM86);
    d->code_size = d->is64 ? I64 : (mode & X86_MODE_CS32) ? I32 : I16;
    d->stack_size = d->is64 ? I64 : (mode & X86_MODE_SS32) ? I32 : I16;
    d->dm.code_size = d->code_size;
    d->dm.pe = d->pe;
    if (!c->insn_features)
        c->insn_features = decode_features(c->features);
    d->dm.features = c->insn_features;
    d->memflags = d->cpl == 3 ? MMU_USER : (mode & X86_MODE_SMAP_OFF) ? MMU_KERNEL_AC : MMU_KERNEL;
    if (mode & X86_MODE_AC)
        d->memflags |= MEM_ALIGN;
    d->offset = d->next = req->unit_offset;
    if (c->host_x87) {
        d->x87_on_host = mode >> X86_MODE_TOP_SHIFT & X86_HOT_X87;
        d->guess_down = true;
        d->down = mode >> X86_MODE_TOP_SHIFT & X86_HOT_DOWN;
    } else
        d->top = (uint8_t)(mode >> X86_MODE_TOP_SHIFT);
    ir->flags_hint = flags_word(&cpu->cc); /* it is about to be run */
    init_attributes(d);
}

IrRef insns_left(Dis *d)
{
    unsigned n = d->nlefts++;

    g_assert(n < LEFTS);
    d->left[n].ref = ir_const_open(d->ir, I32);
    d->left[n].before = d->ir->ninsns - 1;
    return d->left[n].ref;
}

static void tell_insns_left(Dis *d)
{
    for (unsigned n = 0; n < d->nlefts; n++)
        ir_const_amend(d->ir, d->left[n].ref, d->ir->ninsns - d->left[n].before);
}

/* Stores to a checked block go unnoticed: it looks at what it was made from. */
static void check_bytes(Dis *d)
{
    const TranslateRequest *req = d->req;
    uint64_t care = ~req->was_soft;

    for (unsigned p = 0; p < 2 && req->part[p].size; p++) {
        ir_exit_if_changed(d->ir, req->part[p].host, req->part[p].size, care, TRANSLATE_EXIT_STALE);
        care = req->part[p].size < 64 ? care >> req->part[p].size : 0;
    }
}

static bool may_store(const IrBlock *ir, unsigned from)
{
    for (unsigned n = from; n < ir->nops; n++) {
        const IrOp *op = &ir->ops[n];
        if (op->op == OP_st || (op->op >= OP_rmw_add && op->op <= OP_rmw_cas) ||
            (op->op == OP_call && (ir->helpers[op->imm].flags & HELPER_FAULTS)))
            return true;
    }
    return false;
}

/* STI has let in an interrupt that waits: its shadow is a block of its own. */
static void leave_for_sti_shadow(Dis *d)
{
    IrBlock *ir = d->ir;

    ir_exit_if(ir, ir_setcond(ir, COND_NE, d->sti_waits, ir_const(ir, I32, 0)), X86_EXIT_SYNC);
    d->sti_waits = IR_NONE;
}

static void translate_insn(Dis *d, Insn *i, DecodeStatus status)
{
    unsigned from = d->ir->nops;

    ir_insn(d->ir, d->offset);
    if (d->ir->ninsns == 1)
        check_bytes(d);
    if (d->sti_waits)
        leave_for_sti_shadow(d);
    if ((d->mode & X86_MODE_CS_LIMIT) && !d->is64) /* the last byte fetched */
        check_target(d, pc_plus(d, d->next - 1, I32), IR_NONE);
    if (status == DECODE_UD) {
        trap_ud(d);
    } else if (status == DECODE_TOO_LONG) {
        trap_gp0(d);
    } else if (check_state(d, i)) {
        if (!d->x87_on_host || !uses_mmx(i) || x87_at_home(d))
            i->desc->gen(d, i);
        g_assert(d->ended || d->followed_from || d->loop_insns || !(i->desc->attr & A_END));
    }
    if (!d->ended && d->req->checked && may_store(d->ir, from))
        leave_next(d);
}

/* As timers see it: what ends each block that it is in. Direct jumps need not. */
static bool transfers_control(const Insn *i, DecodeStatus status)
{
    return status == DECODE_OK && (i->desc->attr & A_END) && i->desc->gen != gen_jmp;
}

/* False: they have been, in another round. */
static bool note_bytes(Dis *d, uint32_t len)
{
    TranslateRequest *req = d->req;

    if ((d->followed_from || d->loop_insns) && is_in_block(d, d->offset))
        return false;
    if (req->nfollowed)
        req->followed[req->nfollowed - 1].size += (uint16_t)len;
    else
        req->size += len;
    return true;
}

void x86_translate(Cpu *cpu, TranslateRequest *req, IrBlock *ir)
{
    Dis d;
    Insn i;
    Ahead ahead;
    uint32_t avail;
    init(&d, cpu, req, ir);
    ahead.n = ahead.used = 0;
    d.ahead = &ahead;
    unsigned max = MIN(req->max_insns, MAX_BLOCK_INSNS);
    if (leaves_through_c(&d))
        max = 1;
    req->size = req->nfollowed = 0;
    req->branches = (TranslateBranches){ 0 };
    memset(req->followed, 0, sizeof(req->followed));
    while (!d.ended) {
        DecodeStatus status = decode_next(&d, &i);
        if (status == DECODE_MORE) {
            if (req->size) {
                leave_next(&d);
                break;
            }
            const uint8_t *bytes = translate_straddling(cpu, req, &avail);
            status = decode_insn(&d.dm, bytes, avail, &i);
            max = 1;
        }
        uint32_t len = status == DECODE_TOO_LONG ? MAX_INSN_BYTES : i.len;
        d.offset = d.next;
        d.next += len;
        bool again = !note_bytes(&d, len) && req->nfollowed;
        translate_insn(&d, &i, status);
        req->branches.last = transfers_control(&i, status);
        if (!d.ended &&
            ((again && !is_in_block(&d, d.next)) || ir->ninsns >= max ||
             translate_splits(req, d.next) ||
             (int32_t)(d.next - req->unit_offset) >= (int32_t)req->avail ||
             ir_room(ir) < ROOM_FOR_INSN || ir->nlinks + LINKS_FOR_INSN > IR_MAX_LINKS ||
             req->branches.n == IR_MAX_LINKS))
            leave_next(&d);
    }
    tell_insns_left(&d);
}
