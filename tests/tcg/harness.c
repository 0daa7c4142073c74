/* SPDX-License-Identifier: MIT */
#include "tests/tcg/harness.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* clang-format off */
#define R(n) [S_R0 + n] = { "r" #n, offsetof(FakeEnv, r[n]), I64, 1 + n }
#define V(n) [S_V0 + n] = { "v" #n, offsetof(FakeEnv, v[n]), V256, 1 + 16 + n }
#define U(n) [S_U0 + n] = { "u" #n, offsetof(FakeEnv, u[n]), I64, 0 }
#define F(n) [S_F0 + n] = { "f" #n, offsetof(FakeEnv, f[n]), F80, 0 }
const IrSlot harness_slots[S_COUNT] = {
    R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9), R(10), R(11), R(12), R(13), R(14),
    R(15), V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13),
    V(14), V(15), U(0), U(1), U(2), U(3), U(4), U(5), U(6), U(7),
    [S_W0] = { "w0", offsetof(FakeEnv, w[0]), V128, 0 },
    [S_W0 + 1] = { "w1", offsetof(FakeEnv, w[1]), V128, 0 },
    F(0), F(1), F(2), F(3),
    [S_B0] = { "b0", offsetof(FakeEnv, b[0]), I8, 0 },
    [S_B0 + 1] = { "b1", offsetof(FakeEnv, b[1]), I8, 0 },
    [S_B0 + 2] = { "d0", offsetof(FakeEnv, d[0]), I32, 0 },
    [S_B0 + 3] = { "d1", offsetof(FakeEnv, d[1]), I32, 0 },
    [S_PC] = { "pc", offsetof(FakeEnv, pc), I64, 0 },
    [S_FSW] = { "fsw", offsetof(FakeEnv, fsw), I16, 0 },
    [S_MXCSR] = { "mxcsr", offsetof(FakeEnv, mxcsr), I32, 0 },
};
/* clang-format on */

/* -- Helpers ------------------------------------------------------------------------------------
 */

static uint64_t help_add(void *env, uint64_t a, uint64_t b)
{
    return a + b;
}

static uint32_t help_mix(void *env, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return (a * 31 + b) ^ (c * 17 - d);
}

static void help_vxor(void *env, void *result, const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    uint64_t r[2] = { x[0] ^ y[0], x[1] ^ y[1] };

    memcpy(result, r, 16);
}

static void help_touch(void *p)
{
    FakeEnv *env = p;

    env->r[3] += env->r[5];
    env->v[2][0] ^= env->v[4][1];
    flags_set_packed(&env->cc, flags_pack(&env->cc) ^ FLAG_CF);
}

static void help_maybe_fault(void *p, uint64_t a)
{
    FakeEnv *env = p;

    if ((a & 7) == 0) {
        env->fault_addr = a;
        harness_raise(env, OUT_HELPER_FAULT);
    }
}

static uint32_t help_read_flags(void *p)
{
    return flags_pack(&((FakeEnv *)p)->cc);
}

static void help_write_flags(void *p, uint32_t word)
{
    flags_set_packed(&((FakeEnv *)p)->cc, word);
}

static void help_poke(void *p, uint64_t a)
{
    ((FakeEnv *)p)->u[1] ^= a;
}

static uint64_t help_root(void *env, uint64_t a)
{
    return (uint64_t)(sqrt((double)(a >> 8)) / 3.0);
}

static uint64_t help_hash_regs(void *p)
{
    const FakeEnv *env = p;
    uint64_t h = 0;

    for (unsigned i = 0; i < 16; i++) {
        h = h * 31 + env->r[i];
        h = h * 31 + env->v[i][0] + env->v[i][1];
    }
    return h;
}

const TcgHelper harness_helpers[H_COUNT] = {
    [H_ADD] = { "add_", help_add, HELPER_PURE | HELPER_NOVEC, I64, 2, { I64, I64 } },
    [H_MIX] = { "mix", help_mix, HELPER_PURE, I32, 4, { I32, I32, I32, I32 } },
    [H_VXOR] = { "vxor_", help_vxor, HELPER_PURE, V128, 2, { V128, V128 } },
    [H_TOUCH] = { "touch", help_touch, HELPER_STATE, IR_VOID, 0, { 0 } },
    [H_MAYBE_FAULT] = { "maybe_fault", help_maybe_fault, HELPER_FAULTS, IR_VOID, 1, { I64 } },
    [H_READ_FLAGS] = { "read_flags", help_read_flags, HELPER_READS_FLAGS, I32, 0, { 0 } },
    [H_WRITE_FLAGS] = { "write_flags", help_write_flags, HELPER_WRITES_FLAGS, IR_VOID, 1, { I32 } },
    [H_POKE] = { "poke", help_poke, 0, IR_VOID, 1, { I64 } },
    [H_ROOT] = { "root", help_root, HELPER_PURE | HELPER_FP, I64, 1, { I64 } },
    [H_HASH_REGS] = { "hash_regs", help_hash_regs, HELPER_READS_REGS, I64, 0, { 0 } },
};

/* -- Life ---------------------------------------------------------------------------------------
 */

IrBlock *harness_ir_new(void)
{
    return ir_block_new(harness_slots, S_COUNT, harness_helpers, H_COUNT);
}

const char *harness_native(void)
{
    static char name[32];

    g_strlcpy(name, tcg_backend_list(), sizeof(name));
    name[strcspn(name, " ")] = '\0';
    return strcmp(name, "interp") ? name : NULL;
}

#define AT(field) .field = offsetof(FakeEnv, field)

static Harness *create(const char *backend, bool no_opt, bool parallel)
{
    TcgConfig config = {
        .backend = backend,
        .buffer_size = 4 << 20,
        .verify = true,
        .no_opt = no_opt,
        .layout = { .env_size = sizeof(FakeEnv),
                    AT(budget),
                    AT(vbase),
                    AT(pc),
                    AT(jc_key),
                    .flags = offsetof(FakeEnv, cc),
                    AT(own),
                    AT(mxcsr),
                    AT(fcw),
                    AT(fsw),
                    AT(slow),
                    AT(scratch),
                    AT(interp),
                    AT(tlb),
                    AT(stack),
                    AT(stack_head),
                    AT(jc),
                    .parallel = parallel,
                    .mem_refill = harness_refill,
                    .mem_slow = harness_slow,
                    .mem_alone = harness_alone,
                    .trap = harness_trap },
        .slots = harness_slots,
        .nslots = S_COUNT,
        .helpers = harness_helpers,
        .nhelpers = H_COUNT,
    };
    g_autoptr(GError) error = NULL;
    Harness *h = g_new0(Harness, 1);

    h->tcg = tcg_new(&config, &error);
    if (!h->tcg) {
        g_error("%s", error->message);
    }
    h->env = g_aligned_alloc0(1, sizeof(FakeEnv), 64);
    h->env->harness = h;
    h->env->mem = g_malloc0(FAKE_MEM_SIZE);
    return h;
}

Harness *harness_new(const char *backend, bool no_opt)
{
    return create(backend, no_opt, false);
}

Harness *harness_new_parallel(const char *backend, bool no_opt)
{
    return create(backend, no_opt, true);
}

void harness_free(Harness *h)
{
    tcg_free(h->tcg);
    g_free(h->env->mem);
    g_aligned_free(h->env);
    g_free(h);
}

/* Values worth meeting: small, large, pointers into memory, floats. */
static uint64_t interesting(uint64_t *rng)
{
    static const uint64_t list[] = {
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        INT64_MAX,
        (uint64_t)INT64_MIN,
        UINT64_MAX,
        0x3ff0000000000000,
        0x7ff0000000000000,
        0x3f8000003f800000,
        0xff8000007fc00000,
        0x7ff8000000000001,
        0x0000000100000001,
    };
    uint64_t z = harness_random(rng);

    switch (z % 4) {
    case 0: return list[(z >> 8) % G_N_ELEMENTS(list)];
    case 1: return FAKE_BASE + (z >> 8) % (FAKE_MEM_SIZE + 64);
    default: return harness_random(rng);
    }
}

void harness_reset(Harness *h, uint64_t seed, uint32_t start)
{
    FakeEnv *env = h->env;
    uint64_t rng = seed * 77 + 5;
    bool upper = harness_random(&rng) & 1;

    for (unsigned i = 0; i < 16; i++) {
        env->r[i] = interesting(&rng);
        env->v[i][0] = interesting(&rng);
        env->v[i][1] = interesting(&rng);
        env->v[i][2] = upper ? interesting(&rng) : 0;
        env->v[i][3] = upper ? interesting(&rng) : 0;
    }
    for (unsigned i = 0; i < 8; i++) {
        env->u[i] = interesting(&rng);
    }
    for (unsigned i = 0; i < 4; i++) {
        env->w[i / 2][i % 2] = interesting(&rng);
        uint64_t frac = harness_random(&rng) | UINT64_C(1) << 63;
        uint16_t se = (uint16_t)(0x3ff0 + harness_random(&rng) % 32);
        memset(env->f[i], 0, 16);
        memcpy(env->f[i], &frac, 8);
        memcpy(env->f[i] + 8, &se, 2);
        env->b[i / 2] = (uint8_t)interesting(&rng);
        env->d[i / 2] = (uint32_t)interesting(&rng);
    }
    memset(&env->cc, 0, sizeof(env->cc));
    flags_set_packed(&env->cc, (uint32_t)harness_random(&rng));
    env->mxcsr = 0x1f80;
    env->fcw = 0x37f;
    if (seed % 2) { /* other rounding, precision and treatment of denormals */
        uint64_t z = harness_random(&rng);
        env->mxcsr |= z & (seed & 2 ? 0x6020 : 0xe060);
        env->fcw |= z >> 16 & 0xc00;
        env->fcw &= z >> 32 & 1 ? 0xffff : 0xfeff;
    }
    env->fsw = 0;
    env->budget = 100000;
    env->vbase = 0;
    env->pc = 0x400000 + start;
    env->jc_key = 0;
    env->slow_calls = env->refills = 0;
    env->fault_addr = env->trap_code = 0;
    for (unsigned i = 0; i < FAKE_MEM_SIZE; i += 8) {
        uint64_t v = harness_random(&rng);
        memcpy(env->mem + i, &v, 8);
    }
    if (!h->warm) {
        memset(env->stack, 0, sizeof(env->stack));
        memset(&env->stack_head, 0, sizeof(env->stack_head));
        for (unsigned m = 0; m < TCG_MMU_MODES; m++) {
            for (unsigned i = 0; i < TCG_TLB_SIZE; i++) {
                env->tlb[m][0][i].tag = env->tlb[m][1][i].tag = TLB_NONE;
            }
        }
    }
    for (unsigned i = 0; i < TCG_JC_SIZE; i++) {
        env->jc[i].tag =
            tcg_jc_offset(1, 0) == i * sizeof(JumpEntry) ? 2 : 1; /* pcs that look elsewhere */
    }
}

void harness_rebuild(IrBlock *to, const IrBlock *from)
{
    IrRef same[IR_MAX_OPS];

    ir_block_reset(to, from->start);
    to->flags_hint = from->flags_hint;
    same[0] = IR_NONE;
    for (unsigned i = 1; i < from->nops; i++) {
        IrOp op = from->ops[i];
        unsigned n = ir_operands(from, &op);

        for (unsigned k = 0; k < n; k++) {
            op.arg[k] = same[op.arg[k]];
        }
        same[i] = op.op == OP_nop ? IR_NONE : ir_append(to, op);
    }
    to->nlinks = from->nlinks;
}

TcgCode *harness_compile(Harness *h, const IrBlock *ir)
{
    TcgCode *code = NULL;

    for (unsigned tries = 0; tries < 2 && !code; tries++) {
        harness_rebuild(tcg_ir(h->tcg), ir);
        tcg_ir(h->tcg)->no_groups = ir->no_groups;
        tcg_ir(h->tcg)->parted = ir->parted;
        code = tcg_compile(h->tcg, NULL, NULL, NULL);
        if (!code) {
            tcg_flush(h->tcg);
        }
    }
    g_assert(code);
    return code;
}

Outcome harness_run(Harness *h, TcgCode *code)
{
    int jumped = setjmp(h->env->out);
    Outcome o = { .kind = OUT_LEFT };

    if (jumped == 0) {
        o.leave = tcg_run(h->tcg, h->env, code);
        if (o.leave.kind == TCG_EXIT_LINK && tcg_is_rest(o.leave.from, o.leave.link)) {
            o.kind = OUT_ALONE;
            h->env->alone_index = (uint32_t)(h->env->pc - h->env->vbase - 0x100) / 4;
        }
    } else {
        o.kind = (OutcomeKind)(jumped - 1);
        o.code = h->env->trap_code;
        o.address = h->env->fault_addr;
    }
    return o;
}

/* -- Comparison ---------------------------------------------------------------------------------
 */

static char *compare_outcomes(const Outcome *a, const Outcome *b)
{
    if (a->kind != b->kind) {
        return g_strdup_printf("outcome: %d, %d", a->kind, b->kind);
    }
    if (a->kind == OUT_LEFT && a->leave.kind != b->leave.kind) {
        return g_strdup_printf("exit: %d, %d", a->leave.kind, b->leave.kind);
    }
    if (a->kind == OUT_LEFT && a->leave.kind == TCG_EXIT_LINK && a->leave.link != b->leave.link) {
        return g_strdup_printf("link: %u, %u", a->leave.link, b->leave.link);
    }
    if (a->kind == OUT_LEFT && a->leave.kind == TCG_EXIT_REASON &&
        a->leave.reason != b->leave.reason) {
        return g_strdup_printf("reason: %u, %u", a->leave.reason, b->leave.reason);
    }
    if (a->code != b->code || a->address != b->address) {
        return g_strdup_printf("trap or fault: %u %" PRIx64 ", %u %" PRIx64, a->code, a->address,
                               b->code, b->address);
    }
    return NULL;
}

static char *compare_bytes(const char *what, unsigned n, const void *a, const void *b, size_t size)
{
    GString *s;

    if (!memcmp(a, b, size)) {
        return NULL;
    }
    s = g_string_new(what);
    g_string_append_printf(s, "%u: ", n);
    for (size_t i = size; i-- > 0;) {
        g_string_append_printf(s, "%02x", ((const uint8_t *)a)[i]);
    }
    g_string_append(s, ", ");
    for (size_t i = size; i-- > 0;) {
        g_string_append_printf(s, "%02x", ((const uint8_t *)b)[i]);
    }
    return g_string_free(s, FALSE);
}

char *harness_compare(const Harness *ha, const Outcome *oa, const Harness *hb, const Outcome *ob)
{
    const FakeEnv *a = ha->env, *b = hb->env;
    uint32_t fa = flags_pack(&a->cc), fb = flags_pack(&b->cc);
    uint16_t swa = a->fsw & ~0x200, swb = b->fsw & ~0x200;
    char *r = compare_outcomes(oa, ob);

#define COMPARE(what, n, x, y, size)            \
    if (!r) {                                   \
        r = compare_bytes(what, n, x, y, size); \
    }
    COMPARE("pc ", 0, &a->pc, &b->pc, 8)
    COMPARE("budget ", 0, &a->budget, &b->budget, 4)
    for (unsigned i = 0; i < S_COUNT; i++) {
        const IrSlot *s = &harness_slots[i];
        if (i != S_FSW) {
            COMPARE(s->name, 0, (const uint8_t *)a + s->offset, (const uint8_t *)b + s->offset,
                    ir_type_info[s->type].bytes)
        }
    }
    COMPARE("flags ", 0, &fa, &fb, 4)
    COMPARE("fsw ", 0, &swa, &swb, 2)
    for (unsigned i = 0; i < FAKE_MEM_SIZE / 8; i++) {
        COMPARE("memory word ", i, a->mem + 8 * i, b->mem + 8 * i, 8)
    }
    return r;
}

/* -- Both at once ------------------------------------------------------------------------------ */

typedef struct Snapshot {
    uint8_t env[offsetof(FakeEnv, jc)], mem[FAKE_MEM_SIZE];
} Snapshot;

static Snapshot *take_snapshot(const Harness *h)
{
    Snapshot *s = g_new(Snapshot, 1);

    memcpy(s->env, h->env, sizeof(s->env));
    memcpy(s->mem, h->env->mem, sizeof(s->mem));
    return s;
}

static void restore_snapshot(Harness *h, const Snapshot *s)
{
    memcpy(h->env, s->env, sizeof(s->env));
    memcpy(h->env->mem, s->mem, sizeof(s->mem));
}

/* The block as it would be if it ended before instruction @index. */
static IrBlock *first_part(const IrBlock *ir, uint32_t index)
{
    IrBlock *to = harness_ir_new();
    unsigned n = 1;

    ir_block_reset(to, ir->start);
    while (ir->ops[n].op != OP_insn || ir->ops[n].d != index) {
        to->nlinks += ir->ops[n++].op == OP_goto_if;
    }
    memcpy(to->ops, ir->ops, n * sizeof(ir->ops[0]));
    to->nops = n;
    to->ninsns = index;
    ir_goto(to, ir->ops[n].imm);
    return to;
}

/* @other stopped with state as before instruction @index. */
static char *compare_at(Harness *ref, const Harness *other, const IrBlock *ir, uint32_t index)
{
    IrBlock *part;
    Outcome a, b;
    char *diff = NULL;

    if (index > 0) {
        part = first_part(ir, index);
        a = harness_run(ref, harness_compile(ref, part));
        b = a;
        diff = harness_compare(ref, &a, other, &b);
        ir_block_free(part);
    }
    return diff;
}

char *harness_difference(Harness *ref, Harness *other, IrBlock *ir)
{
    g_autofree Snapshot *before_ref = take_snapshot(ref);
    g_autofree Snapshot *before = take_snapshot(other);
    Outcome a, b;
    char *diff;

    ir->no_groups = false;
    b = harness_run(other, harness_compile(other, ir));
    if (b.kind == OUT_ALONE) {
        diff = compare_at(ref, other, ir, other->env->alone_index);
        if (diff) {
            return diff;
        }
        restore_snapshot(ref, before_ref);
        restore_snapshot(other, before);
        ir->no_groups = true;
        b = harness_run(other, harness_compile(other, ir));
    }
    a = harness_run(ref, harness_compile(ref, ir));
    return harness_compare(ref, &a, other, &b);
}
