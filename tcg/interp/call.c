/* SPDX-License-Identifier: MIT */
/*
 * Helper calls: a, b, c and aux are the places of the arguments, imm is the call site. libffi makes
 * any call; the signatures that make up nearly all calls (up to two integers) have a C call each.
 */
#include "tcg/interp/interp.h"

static const CallSite *site_of(const Op *op, Interp *x)
{
    const CallSite *site = (const CallSite *)(uintptr_t)op->imm;

    if (!(site->helper->flags & HELPER_PURE)) {
        ENV(x, SlowAccess, slow)->host_pc = (u64)(uintptr_t)op;
    }
    return site;
}

HANDLER(call_any)
{
    const CallSite *site = site_of(op, x);
    const TcgHelper *helper = site->helper;
    Place place[IR_MAX_ARGS] = { op->a, op->b, op->c, op->aux };
    void *value[2 + IR_MAX_ARGS], *pointer[IR_MAX_ARGS], *env = x->env;
    v128 vector;
    void *to_vector = &vector;
    union {
        ffi_arg word; /* what is shorter is widened to this */
        u64 u;
    } result = { 0 };
    unsigned n = 0;

    value[n++] = &env;
    if (helper->ret == V128) {
        value[n++] = &to_vector;
    }
    for (unsigned i = 0; i < helper->nargs; i++) {
        pointer[i] = value_at(x, place[i], ir_type_info[helper->args[i]].bytes);
        value[n++] = helper->args[i] == V128 ? (void *)&pointer[i] : pointer[i];
    }
    ffi_call((ffi_cif *)&site->cif, FFI_FN(helper->func), &result, value);
    switch (helper->ret) {
    case I32: put_u32(x, op->d, (u32)result.word); break;
    case I64: put_u64(x, op->d, result.u); break;
    case V128: put_v128(x, op->d, vector); break;
    default: break;
    }
    return next(op, x);
}

/* R f(void *env, …) for R void, u32, u64. ARGS: the parameter types; VALUES: what is passed. */
#define CALLS(name, ARGS, VALUES)                                             \
    HANDLER(call_void_##name)                                                 \
    {                                                                         \
        ((void(*) ARGS)site_of(op, x)->helper->func) VALUES;                  \
        return next(op, x);                                                   \
    }                                                                         \
    HANDLER(call_u32_##name)                                                  \
    {                                                                         \
        put_u32(x, op->d, ((u32(*) ARGS)site_of(op, x)->helper->func)VALUES); \
        return next(op, x);                                                   \
    }                                                                         \
    HANDLER(call_u64_##name)                                                  \
    {                                                                         \
        put_u64(x, op->d, ((u64(*) ARGS)site_of(op, x)->helper->func)VALUES); \
        return next(op, x);                                                   \
    }
CALLS(0, (void *), (x->env))
CALLS(32, (void *, u32), (x->env, get_u32(x, op->a)))
CALLS(64, (void *, u64), (x->env, get_u64(x, op->a)))
CALLS(32_32, (void *, u32, u32), (x->env, get_u32(x, op->a), get_u32(x, op->b)))
CALLS(32_64, (void *, u32, u64), (x->env, get_u32(x, op->a), get_u64(x, op->b)))
CALLS(64_32, (void *, u64, u32), (x->env, get_u64(x, op->a), get_u32(x, op->b)))
CALLS(64_64, (void *, u64, u64), (x->env, get_u64(x, op->a), get_u64(x, op->b)))

#define CALL_ROW(ret) /* by the types of the arguments: none, 32, 64 */ \
    {                                                                   \
        { ret##_0 }, { ret##_32, ret##_32_32, ret##_32_64 },            \
        {                                                               \
            ret##_64, ret##_64_32, ret##_64_64                          \
        }                                                               \
    }

Handler *interp_call(const TcgHelper *helper)
{
    static Handler *const table[3][3][3] = { CALL_ROW(call_void), CALL_ROW(call_u32),
                                             CALL_ROW(call_u64) };
    unsigned column[1 + IR_MAX_ARGS] = { helper->ret == IR_VOID ? 0 : helper->ret == I32 ? 1 : 2 };

    for (unsigned i = 0; i < helper->nargs; i++) {
        column[1 + i] = helper->args[i] == I32 ? 1 : 2;
        if (helper->args[i] == V128 || i == 2) {
            return call_any;
        }
    }
    return helper->ret == V128 ? call_any : table[column[0]][column[1]][column[2]];
}
