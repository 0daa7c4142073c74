/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: the inline look into the software TLB, and the slow path when it misses (see
 * tcg/guest-mem.h). Place a is the address, imm the displacement, aux the place of the
 * TLB, b and c the operands, d the result.
 */
#include "tcg/interp/interp.h"

static inline u64 address(const Op *op, const Interp *x)
{
    return get_u64(x, op->a) + (u64)op->imm;
}

static inline u8 *lookup(const Op *op, const Interp *x, u64 addr, u32 size)
{
    const TlbEntry *e =
        (const TlbEntry *)at(x, (Place)op->aux) + ((addr >> 12) & (TCG_TLB_SIZE - 1));
    u64 low = op->flags & CHECK_ALIGN ? addr & (size - 1) : 0;

    if (G_LIKELY(e->tag == (tlb_tag(addr + size - 1) | low << 52))) {
        return (u8 *)(uintptr_t)(addr + e->addend);
    }
    return NULL;
}

static SlowAccess *describe(const Op *op, Interp *x, IrOpcode kind, IrType type, bool is_write,
                            u64 addr, u32 size)
{
    SlowAccess *s = ENV(x, SlowAccess, slow);

    s->addr = addr;
    s->op = kind;
    s->type = (u8)type;
    s->is_write = is_write;
    s->flags = op->flags & (u16)~CHECK_ALIGN;
    s->size = size;
    s->host_pc = (u64)(uintptr_t)op;
    return s;
}

/* The host address after a refill, or NULL when the access was done whole: its result is in the
 * SlowAccess. May not return. */
static __attribute__((noinline)) u8 *miss(const Op *op, Interp *x, IrOpcode kind, IrType type,
                                          bool is_write, u64 addr, u32 size, const u64 *value,
                                          const u64 *compare)
{
    SlowAccess *s = describe(op, x, kind, type, is_write, addr, size);

    if (x->layout->mem_refill(x->env)) {
        u8 *host = lookup(op, x, addr, size);
        if (host) {
            return host;
        }
    }
    s = describe(op, x, kind, type, is_write, addr, size);
    memset(s->value, 0, sizeof(s->value));
    s->compare = compare ? *compare : 0;
    if (value) {
        memcpy(s->value, value, ((size_t)size + 7) & ~(size_t)7);
    }
    x->layout->mem_slow(x->env);
    return NULL;
}

/* -- Loads and stores ---------------------------------------------------------------------------
 */

enum { F80_BYTES = 10 };

static inline void put_words(const Interp *x, Place p, const u64 *words, unsigned bytes)
{
    if (bytes == F80_BYTES) {
        u16 se = (u16)words[1];
        memcpy(at(x, p), words, 8);
        memcpy((u8 *)at(x, p) + 8, &se, 2);
    } else {
        memcpy(value_at(x, p, bytes), (const u8 *)words + lanes_narrow(bytes), bytes);
    }
}

static inline void get_words(const Interp *x, Place p, u64 *words, unsigned bytes)
{
    if (bytes == F80_BYTES) {
        u16 se;
        memcpy(words, at(x, p), 8);
        memcpy(&se, (u8 *)at(x, p) + 8, 2);
        words[1] = se;
    } else {
        words[0] = 0;
        memcpy((u8 *)words + lanes_narrow(bytes), value_at(x, p, bytes), bytes);
    }
}

/* Between a place and the guest's memory. */
static inline void load(const Interp *x, Place p, const u8 *host, unsigned bytes)
{
    u64 words[4];

    words_from_guest(words, host, bytes);
    put_words(x, p, words, bytes);
}

static inline void store(const Interp *x, u8 *host, Place p, unsigned bytes)
{
    u64 words[4];

    get_words(x, p, words, bytes);
    words_to_guest(host, words, bytes);
}

/* Out of line, so that handlers keep no frame: what the check has declined. */
static __attribute__((noinline)) const Op *load_slowly(const Op *op, Interp *x, IrType type,
                                                       unsigned bytes)
{
    const u8 *host = miss(op, x, OP_ld, type, false, address(op, x), bytes, NULL, NULL);

    if (host) {
        load(x, op->d, host, bytes);
    } else {
        put_words(x, op->d, ENV(x, SlowAccess, slow)->value, bytes);
    }
    return next(op, x);
}

static __attribute__((noinline)) const Op *store_slowly(const Op *op, Interp *x, IrType type,
                                                        unsigned bytes)
{
    u64 words[4];
    u8 *host;

    get_words(x, op->b, words, bytes);
    host = miss(op, x, OP_st, type, true, address(op, x), bytes, words, NULL);
    if (host) {
        store(x, host, op->b, bytes);
    }
    return next(op, x);
}

#define LOAD(name, type, bytes)                                \
    HANDLER(name)                                              \
    {                                                          \
        const u8 *host = lookup(op, x, address(op, x), bytes); \
        if (G_UNLIKELY(!host)) {                               \
            return load_slowly(op, x, type, bytes);            \
        }                                                      \
        load(x, op->d, host, bytes);                           \
        return next(op, x);                                    \
    }
#define STORE(name, type, bytes)                         \
    HANDLER(name)                                        \
    {                                                    \
        u8 *host = lookup(op, x, address(op, x), bytes); \
        if (G_UNLIKELY(!host)) {                         \
            return store_slowly(op, x, type, bytes);     \
        }                                                \
        store(x, host, op->b, bytes);                    \
        return next(op, x);                              \
    }
#define LOAD_STORE(suffix, type, bytes) \
    LOAD(ld_##suffix, type, bytes)      \
    STORE(st_##suffix, type, bytes)
LOAD_STORE(i8, I8, 1)
LOAD_STORE(i16, I16, 2)
LOAD_STORE(i32, I32, 4)
LOAD_STORE(i64, I64, 8)
LOAD_STORE(f32, F32, 4)
LOAD_STORE(f64, F64, 8)
LOAD_STORE(f80, F80, F80_BYTES)
LOAD_STORE(v128, V128, 16)
LOAD_STORE(v256, V256, 32)

HANDLER(ld_i32z)
{
    u64 addr = address(op, x);
    const u8 *host = lookup(op, x, addr, 4);

    if (G_UNLIKELY(!host)) {
        host = miss(op, x, OP_ld, I32, false, addr, 4, NULL, NULL);
        if (!host) {
            put_u64(x, op->d, ENV(x, SlowAccess, slow)->value[0]);
            return next(op, x);
        }
    }
    put_u64(x, op->d, guest_get(host, 4));
    return next(op, x);
}

/* -- Read, modify, write ------------------------------------------------------------------------
 */

/* As miss(). */
static __attribute__((noinline)) u8 *rmw_miss(const Op *op, Interp *x, IrOpcode kind, IrType type,
                                              u32 size, u64 value, u64 compare)
{
    return miss(op, x, kind, type, true, address(op, x), size, &value, &compare);
}

/* `new` in terms of `old`, b and c; `result` likewise. */
#define RMW_HANDLER(name, suffix, irtype, T, P, new_value, result)                     \
    HANDLER(name##_##suffix)                                                           \
    {                                                                                  \
        T b = get_##T(x, op->b), c = get_##T(x, op->c), old, new;                      \
        u8 *host = lookup(op, x, address(op, x), sizeof(T));                           \
        (void)c;                                                                       \
        if (G_UNLIKELY(!host)) {                                                       \
            host = rmw_miss(op, x, OP_##name, irtype, sizeof(T), b, c);                \
            if (!host) {                                                               \
                put_##P(x, op->d, (T)ENV(x, SlowAccess, slow)->value[0]);              \
                return next(op, x);                                                    \
            }                                                                          \
        }                                                                              \
        old = (T)guest_get(host, sizeof(T));                                           \
        new = (T)(new_value);                                                          \
        guest_put(host, new, sizeof(T));                                               \
        put_##P(x, op->d, result);                                                     \
        return next(op, x);                                                            \
    }                                                                                  \
    HANDLER(name##_##suffix##_lock)                                                    \
    {                                                                                  \
        typedef T Whole __attribute__((aligned(sizeof(T)))); /* i386: 8, not 4 */      \
        T b = get_##T(x, op->b), c = get_##T(x, op->c), old, new, was, is;             \
        Whole *host = (Whole *)lookup(op, x, address(op, x), sizeof(T));               \
        (void)c;                                                                       \
        if (G_UNLIKELY(!host)) {                                                       \
            host = (Whole *)rmw_miss(op, x, OP_##name, irtype, sizeof(T), b, c);       \
            if (!host) {                                                               \
                put_##P(x, op->d, (T)ENV(x, SlowAccess, slow)->value[0]);              \
                return next(op, x);                                                    \
            }                                                                          \
        }                                                                              \
        was = __atomic_load_n(host, __ATOMIC_RELAXED);                                 \
        do {                                                                           \
            old = (T)guest_get(&was, sizeof(T));                                       \
            new = (T)(new_value);                                                      \
            guest_put(&is, new, sizeof(T));                                            \
        } while (!__atomic_compare_exchange_n(host, &was, is, false, __ATOMIC_SEQ_CST, \
                                              __ATOMIC_SEQ_CST));                      \
        put_##P(x, op->d, result);                                                     \
        return next(op, x);                                                            \
    }
#define RMW(name, new_value, result)                        \
    RMW_HANDLER(name, 8, I8, u8, u8, new_value, result)     \
    RMW_HANDLER(name, 16, I16, u16, u16, new_value, result) \
    RMW_HANDLER(name, 32, I32, u32, u32, new_value, result) \
    RMW_HANDLER(name, 64, I64, u64, u64, new_value, result) \
    RMW_HANDLER(name, 32z, I32, u32, u64, new_value, result)
RMW(rmw_add, old + b, new)
RMW(rmw_sub, old - b, new)
RMW(rmw_and, old &b, new)
RMW(rmw_or, old | b, new)
RMW(rmw_xor, old ^ b, new)
RMW(rmw_xadd, old + b, old)
RMW(rmw_xchg, b, old)
RMW(rmw_cas, old == c ? b : old, old)

/* clang-format off */
#define RMW_ROW(name)                                                                              \
    [OP_##name - OP_rmw_add] = {                                                                   \
        { name##_8, name##_16, name##_32, name##_64, name##_32z },                                 \
        { name##_8_lock, name##_16_lock, name##_32_lock, name##_64_lock, name##_32z_lock } }
static Handler *const rmw_table[][2][NWIDTHS] = {
    RMW_ROW(rmw_add), RMW_ROW(rmw_sub), RMW_ROW(rmw_and), RMW_ROW(rmw_or), RMW_ROW(rmw_xor),
    RMW_ROW(rmw_xadd), RMW_ROW(rmw_xchg), RMW_ROW(rmw_cas),
};
/* clang-format on */

/* Place b: the number of bytes itself. */
HANDLER(probe_read)
{
    u64 addr = address(op, x);

    if (!lookup(op, x, addr, op->b)) {
        miss(op, x, OP_probe, I8, false, addr, op->b, NULL, NULL);
    }
    return next(op, x);
}

HANDLER(probe_write)
{
    u64 addr = address(op, x);

    if (!lookup(op, x, addr, op->b)) {
        miss(op, x, OP_probe, I8, true, addr, op->b, NULL, NULL);
    }
    return next(op, x);
}

/* @type of a probe: I8 to write, IR_VOID to read. */
Handler *interp_memory(IrOpcode op, IrType type, bool wide, bool atomic)
{
    static Handler *const loads[IR_NTYPES] = {
        [I8] = ld_i8,   [I16] = ld_i16, [I32] = ld_i32,   [I64] = ld_i64,   [F32] = ld_f32,
        [F64] = ld_f64, [F80] = ld_f80, [V128] = ld_v128, [V256] = ld_v256,
    };
    static Handler *const stores[IR_NTYPES] = {
        [I8] = st_i8,   [I16] = st_i16, [I32] = st_i32,   [I64] = st_i64,   [F32] = st_f32,
        [F64] = st_f64, [F80] = st_f80, [V128] = st_v128, [V256] = st_v256,
    };

    switch (op) {
    case OP_ld: return wide ? ld_i32z : loads[type];
    case OP_st: return stores[type];
    case OP_probe: return type == I8 ? probe_write : probe_read;
    default: return rmw_table[op - OP_rmw_add][atomic][wide ? W32Z : type - I8];
    }
}

#define LD_HOST(T)                                                              \
    HANDLER(ld_host_##T)                                                        \
    {                                                                           \
        put_##T(x, op->d, (T)guest_get((void *)(uintptr_t)op->imm, sizeof(T))); \
        return next(op, x);                                                     \
    }
LD_HOST(u8)
LD_HOST(u16)
LD_HOST(u32)
LD_HOST(u64)

#define ST_HOST(T)                                                                 \
    HANDLER(st_host_##T)                                                           \
    {                                                                              \
        *(u64 *)(uintptr_t)(get_u64(x, op->a) + (u64)op->imm) = get_##T(x, op->b); \
        return next(op, x);                                                        \
    }
ST_HOST(u8)
ST_HOST(u16)
ST_HOST(u32)
ST_HOST(u64)

Handler *interp_ld_host(IrType type)
{
    static Handler *const loads[] = { ld_host_u8, ld_host_u16, ld_host_u32, ld_host_u64 };

    return loads[type - I8];
}

Handler *interp_st_host(IrType type)
{
    static Handler *const stores[] = { st_host_u8, st_host_u16, st_host_u32, st_host_u64 };

    return stores[type - I8];
}
