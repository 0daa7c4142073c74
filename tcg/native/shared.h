/* SPDX-License-Identifier: MIT */
/*
 * What back ends that make host code have in common of the walk over a block. Only one of them is
 * ever compiled, so these functions are compiled for its own Gen (TCG_NATIVE_GEN is its gen.h,
 * which includes this file behind it), at no cost. They want of Gen: ir, ops, notes, cur, last,
 * want (WANT_RECORD), hint, defer, loc and head (Loc), locked, envs, getflags, spill_used, faults,
 * a; and insn_offset(), insn_index() (of the current op), scr(), SCR_SPILL, NSPILLS, GPR_TEMPS,
 * VEC_TEMPS, is_temp(), lock(), first_choice(), temp_taken(), be->reg_home.
 */
#ifndef TCG_NATIVE_SHARED_H
#define TCG_NATIVE_SHARED_H

/* native/values.c */
unsigned spill_units(const Gen *g, IrRef v);
unsigned spill_unit(const Gen *g, int32_t off); /* the number of the first */
int32_t spill_alloc(Gen *g, unsigned units);    /* offset as the host's env_ functions take it */
void drop(Gen *g, IrRef v);                     /* take @v out of the place it is in */
void def_reg(Gen *g, IrRef v, int r, bool zx);
void def_env(Gen *g, IrRef v, int32_t off, bool in_file);
void note_copy(Gen *g, IrRef v, int32_t off, bool in_file); /* it is in a register and in env */
void forget_copies(Gen *g, int32_t off, unsigned bytes);    /* about to be overwritten */
void to_memory(Gen *g, IrRef v, int r); /* @v leaves @r: for env, if that has it, or a spill */
void def_alias(Gen *g, IrRef v, IrRef of, bool zx); /* @v sits where @of sits */
void rehome(Gen *g, IrRef v, int pin); /* @v is in the pin too now: a temporary becomes free */
bool reg_dies(Gen *g, int r);          /* nobody needs @r's content after this op */
Src src_of(Gen *g, IrRef v);

/* native/temps.c */
int alloc_temp(Gen *g, uint64_t set); /* one of these, locked until the op ends */
int alloc_gpr(Gen *g);
int free_temp(Gen *g, uint64_t set); /* if one of them is, not locked; else NO_REG */
int copy_gpr(Gen *g, IrRef v);       /* a fresh temporary with @v, to be scribbled on */
void spill_reg(Gen *g, int r);
void evict_used(Gen *g, int r); /* as evict(), for those who need it by now, this op included */
void evict_env(Gen *g, int32_t off,
               unsigned bytes); /* who needs what is there gets another place */
void evict_all_env(Gen *g, bool registers_too);

/* native/analyse.c */
void gen_clear_notes(Gen *g); /* hint, want, defer, before they are taken */
void gen_begin(Gen *g);       /* of a block: all values are nowhere */

/* native/points.c */
bool is_harmless(const IrOp *op); /* changes neither host flags nor what a condition is about */
unsigned consumer_of(const Gen *g, unsigned i); /* the op that evaluates condition @i, or 0 */
FaultPoint fault_point(Gen *g);
void point_here(Gen *g, FaultPoint p); /* host pc = next byte */

/* native/bundles.c */
static inline bool is_packed(const Gen *g, IrRef fl) /* has its word in a register already */
{
    return g->loc[fl].kind == LOC_REG || g->loc[fl].kind == LOC_SPILL;
}
void rest_bundle(Gen *g, IrRef fl); /* make sure record_of() can describe it */
void record_of(Gen *g, IrRef fl, Record *r);
void protect_getflags(Gen *g); /* the record in env is about to change */

/* native/call.c: OP_call */

/* The host's own, for these. */
void store_argument(Gen *g, unsigned i, IrRef v);
void write_bundle(Gen *g, IrRef fl); /* env's record becomes @fl */
uint32_t call_changes(const Gen *g); /* of the current op: general temporaries lost in it */
void call_helper(Gen *g);            /* of the current op */
void call_result(Gen *g, IrType t);
int pack_bundle(Gen *g, IrRef fl);          /* its word into a temporary */
void write_selected(Gen *g, const IrOp *f); /* env's record, of a fl_select */
void emit_spill(Gen *g, IrRef v, int r);    /* @v, which @r has, goes to a spill */
void settle_env(Gen *g, IrRef v);      /* what a slot in env stood for gets a place of its own */
void load_gpr(Gen *g, int r, IrRef v); /* into this register, which is free */
void evict(Gen *g, int r); /* @r is about to be overwritten: move those who still need it */

/* Forget the values that @r's list begins with and whose last use is before op @before: mostly it
 * is the only one. */
static inline void drop_leading(Gen *g, int r, unsigned before)
{
    for (IrRef v; (v = g->head[r]) && g->last[v] < before;) {
        g->head[r] = g->loc[v].next;
        g->loc[v].kind = LOC_NONE;
    }
}

#endif
