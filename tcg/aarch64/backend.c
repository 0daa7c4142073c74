/* SPDX-License-Identifier: MIT */
/*
 * The AArch64 back end: which guest slots sit in which host registers, the walk over a block, and
 * how blocks are entered, linked and retired. gen.h is the map of the rest.
 */
#include "tcg/aarch64/gen.h"

#include <asm/hwcap.h>
#include <sys/auxv.h>

/* Integer pin wishes 0-15. C preserves the last six. */
static const int8_t gpr_of_pin[16] = { 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24 };

#define CODE_MAX (100u << 20) /* B and BL reach all of it */

/* -- Set-up ----------------------------------------------------------------------------------- */

static int pin_register(const IrSlot *s)
{
    unsigned n = s->pin - 1u;

    if (s->pin == 0) {
        return NO_REG;
    }
    if (n < 16) {
        return s->type == I64 || s->type == I32 ? gpr_of_pin[n] : NO_REG;
    }
    return s->type == V128 || s->type == V256 ? VEC((int)n) : NO_REG;
}

static void place_slots(A64Backend *be)
{
    for (int r = 0; r < NREGS; r++) {
        be->reg_home[r] = NO_HOME;
        be->reg_bytes[r] = r < 32 ? 8 : 16;
    }
    for (int i = 0; i < 6; i++) {
        be->reg_home[i] = be->layout->scratch + SCR_GPR + 8 * i;
    }
    for (int i = 2; i < 16; i++) {
        be->reg_home[VEC(i)] = be->layout->scratch + SCR_VEC + 16 * (i - 2);
    }
    be->slot = g_new0(SlotHome, be->config.nslots + 1);
    for (unsigned i = 0; i < be->config.nslots; i++) {
        const IrSlot *s = &be->config.slots[i];
        SlotHome *h = &be->slot[i];
        int r = pin_register(s);

        h->off = (int32_t)s->offset;
        h->bytes = ir_type_info[s->type].bytes;
        h->is_register = s->pin != 0 || s->type == F80;
        h->reg = NO_REG;
        if (r != NO_REG && be->reg_home[r] == NO_HOME) {
            h->reg = (int8_t)r;
            be->reg_home[r] = h->off;
            be->reg_bytes[r] = MIN(h->bytes, 16);
        }
    }
}

/* For tests: only what every AArch64 host has; TCG_AARCH64_AFP as if there was that, to look at
 * code. */
static bool baseline_only(void)
{
    return g_getenv("TCG_AARCH64_BASELINE") != NULL;
}

/* By the register, which user emulation has right where its HWCAP2 does not. */
static bool has_afp(void)
{
    uint64_t r;

    __asm__("mrs %0, id_aa64mmfr1_el1" : "=r"(r));
    return r >> 44 & 15;
}

static Features host_features(void)
{
    unsigned long caps = baseline_only() ? 0 : getauxval(AT_HWCAP);

    return (Features){ .lse = caps & HWCAP_ATOMICS,
                       .aes = caps & HWCAP_AES,
                       .pmull = caps & HWCAP_PMULL,
                       .afp = g_getenv("TCG_AARCH64_AFP") || (caps & HWCAP_CPUID && has_afp()) };
}

static unsigned backend_features(void)
{
    return TCG_HAS_V256 | TCG_HAS_VAES | TCG_HAS_VPCLMUL | TCG_HAS_GFNI;
}

/* Does maintenance of the executable mapping make what was written through the other one run? User
 * emulation may know of changes only by stores to the pages that it runs from. */
static bool sees_change(const CodeBuf *c)
{
    unsigned (*f)(void) = (unsigned (*)(void))(uintptr_t)c->rx;

    for (unsigned v = 1; v <= 2; v++) {
        const uint32_t code[] = { 0x52800000 | v << 5, 0xd65f03c0 }; /* MOV W0, #v; RET */
        memcpy(c->rw, code, sizeof(code));
        __builtin___clear_cache((char *)c->rx, (char *)c->rx + sizeof(code));
        if (f() != v) {
            return false;
        }
    }
    return true;
}

static bool make_buffer(CodeBuf *c, size_t size, GError **error)
{
    return codebuf_init(c, MIN(size, CODE_MAX), error) &&
           (sees_change(c) || codebuf_join(c, error));
}

static void *backend_init(const TcgConfig *config, GError **error)
{
    A64Backend *be = g_new0(A64Backend, 1);

    if (!make_buffer(&be->buf, config->buffer_size, error)) {
        g_free(be);
        return NULL;
    }
    be->config = *config;
    be->layout = &be->config.layout;
    be->feat = host_features();
    be->helper_thunk = g_new0(const uint8_t *, config->nhelpers + 1);
    be->soft = soft_new(&be->config);
    place_slots(be);
    thunks_init(be);
    be->buf.floor = be->buf.used;
    passages_clear(be);
    be->gen = g_new0(Gen, 1);
    be->gen->be = be;
    return be;
}

static void backend_free(void *p)
{
    A64Backend *be = p;

    g_free(be->gen->stubs);
    fault_notes_free(&be->gen->faults);
    g_free(be->gen);
    soft_free(be->soft);
    passages_free(be);
    g_free(be->slot);
    g_free(be->helper_thunk);
    codebuf_free(&be->buf);
    g_free(be);
}

static void backend_flush(void *p)
{
    A64Backend *be = p;

    be->buf.used = be->buf.floor;
    passages_clear(be);
    memset(be->helper_thunk, 0, be->config.nhelpers * sizeof(be->helper_thunk[0]));
}

static size_t backend_used(const void *p, const void **start)
{
    *start = ((const A64Backend *)p)->buf.rx;
    return ((const A64Backend *)p)->buf.used;
}

/* -- Emission --------------------------------------------------------------------------------- */

static void backend_prepare(void *p)
{
    codebuf_prepare(&((A64Backend *)p)->buf);
}

static bool make_helper_thunks(A64Backend *be, const IrBlock *ir)
{
    for (unsigned i = 1; ir->has_calls && i < ir->nops; i++) {
        if (ir->ops[i].op == OP_call && !helper_thunk(be, ir->ops[i].imm)) {
            return false;
        }
    }
    return true;
}

static void start(Gen *g, const IrBlock *ir, const IrNotes *notes, TcgCode *code)
{
    CodeBuf *c = &g->be->buf;
    uint8_t *p = c->rw + ((c->used + 15) & ~(size_t)15);

    g->a = (Asm){ .p = p, .start = p, .end = c->rw + c->size, .rx = c->rx - c->rw, .epoch = 1 };
    g->ir = ir;
    g->notes = notes;
    g->ops = ir->ops;
    g->code = code;
    g->insn.offset = ir->start;
    g->insn.index = 0;
    g->locked = 0;
    g->fp_checked = false;
    memset(g->spill_used, 0, sizeof(g->spill_used));
    g->nenvs = g->ngetflags = g->ncopies = 0;
    memset(g->copies, 0, sizeof(g->copies));
    g->nz.epoch = g->cin.epoch = 0;
    g->bank[0] = g->bank[1] = -1;
    memset(g->head, 0, sizeof(g->head));
    g->nstubs = g->nmarks = 0;
    fault_notes_begin(&g->faults);
}

static void append_map(Gen *g)
{
    const FaultPlaces places = { g->be->reg_home, 0 };

    if ((size_t)(g->a.end - g->a.p) < fault_map_room(&g->faults)) {
        g->a.full = true;
        return;
    }
    g->code->fault_map = a_pc(&g->a);
    g->a.p = fault_map_encode(&g->faults, &places, g->a.p);
    g->code->fault_map_size = (uint32_t)(a_pc(&g->a) - g->code->fault_map);
}

static void emit_code(Gen *g)
{
    emit_prologue(g);
    for (unsigned i = 1; i < g->ir->nops && !g->a.full; i++) {
        const IrOp *op = &g->ir->ops[i];
        Rule rule = a64_rules[op->op];

        if (op->op == OP_nop) {
            continue;
        }
        g->cur = i;
        g->op = op;
        g_assert(rule); /* a row of opcodes.def without a rule here */
        rule(g);
        g->locked = 0;
    }
    g->cur = g->ir->nops;
    mark(g, MARK_STUBS);
    emit_stubs(g);
}

static bool backend_emit(void *p, const IrBlock *ir, const IrNotes *notes, TcgCode *code)
{
    A64Backend *be = p;
    Gen *g = be->gen;
    size_t used;

    if (!make_helper_thunks(be, ir)) {
        return false;
    }
    g->no_tbz = g->too_far = false;
    do {
        g->no_tbz = g->too_far;
        g->too_far = false;
        start(g, ir, notes, code);
        if (g->a.end - g->a.p < 256) {
            return false;
        }
        gen_begin(g);
        analyse(g);
        note_entry(g);
        emit_code(g);
    } while (g->too_far);
    code->end = a_pc(&g->a);
    if (!g->a.full) {
        append_map(g);
    }
    if (g->a.full) {
        return false;
    }
    used = (size_t)(g->a.p - be->buf.rw);
    __builtin___clear_cache((char *)g->a.start + g->a.rx, (char *)(uintptr_t)code->end);
    be->buf.used = used;
    return true;
}

/* -- Running ---------------------------------------------------------------------------------- */

static const CodeHeader *header_at(const uint8_t *site)
{
    uint32_t back;

    memcpy(&back, site, 4);
    return (const CodeHeader *)(site - back);
}

static const CodeHeader *header_of_link(const uint8_t *site, unsigned *link)
{
    const CodeHeader *h = header_at(site);

    for (*link = 0; h->code->start + h->code->link[*link].stub + 4 != site; ++*link) {
        g_assert(*link + 1 < h->code->nlinks);
    }
    return h;
}

static void left_at_start(const A64Backend *be, uint8_t *env, TcgLeave *leave, const CodeHeader *h)
{
    *(uint64_t *)(env + be->layout->pc) = *(uint64_t *)(env + be->layout->vbase) + h->start;
    if (h->code->retired) {
        leave->kind = TCG_EXIT_LOOKUP;
    } else {
        leave->kind = TCG_EXIT_BUDGET;
        *(int32_t *)(env + be->layout->budget) += h->code->ninsns;
    }
}

static TcgLeave left(A64Backend *be, uint8_t *env)
{
    const TcgLayout *l = be->layout;
    uint8_t *scratch = env + l->scratch;
    const uint8_t *site = *(const uint8_t **)(scratch + SCR_SITE);
    uint64_t *pc = (uint64_t *)(env + l->pc), vbase = *(uint64_t *)(env + l->vbase);
    uint32_t kind = *(uint32_t *)(scratch + SCR_KIND), offset = 0, index = 0;
    TcgLeave leave = { .kind = (TcgExit)kind };
    const CodeHeader *h;

    switch (kind) {
    case TCG_EXIT_LINK:
        h = header_of_link(site, &leave.link);
        leave.from = h->code;
        *pc = vbase + h->code->link[leave.link].offset;
        break;
    case TCG_EXIT_BUDGET: left_at_start(be, env, &leave, (const CodeHeader *)(site - 4) - 1); break;
    case TCG_EXIT_REASON:
        h = header_at(site);
        g_assert(find_point(be, h->code, (uintptr_t)site, env, &offset, &index));
        *pc = vbase + offset;
        memcpy(&leave.reason, site + 4, 4);
        break;
    case EXIT_END:
        leave.kind = TCG_EXIT_REASON;
        memcpy(&leave.reason, site, 4);
        break;
    case TCG_EXIT_LOOKUP:
        if (site) {
            memcpy(&leave.offset, site, 4);
            memcpy(&leave.reason, site + 4, 4);
        }
        break;
    default: break;
    }
    return leave;
}

static TcgLeave backend_run(void *p, void *env, TcgCode *code)
{
    A64Backend *be = p;
    const TcgLayout *l = be->layout;
    const CodeHeader *h = (const CodeHeader *)(code->start - sizeof(CodeHeader));
    void (*enter)(void *, const void *) = (void (*)(void *, const void *))(uintptr_t)be->enter;

    *(uint64_t *)((uint8_t *)env + l->vbase) = *(uint64_t *)((uint8_t *)env + l->pc) - h->start;
    enter(env, code->near_entry);
    return left(be, env);
}

static void backend_restore_state(void *p, TcgCode *code, uint64_t host_pc, void *env,
                                  uint32_t *offset, uint32_t *index)
{
    g_assert(find_point(p, code, host_pc, env, offset, index));
}

static void backend_disas(void *p, const TcgCode *code, GString *out)
{
    a64_disas(p, code, out);
}

const TcgBackend tcg_backend_aarch64 = {
    .name = "aarch64",
    .has_groups = true,
    .init = backend_init,
    .features = backend_features,
    .free = backend_free,
    .prepare = backend_prepare,
    .emit = backend_emit,
    .far_entry = a64_far_entry,
    .run = backend_run,
    .link = a64_link,
    .retire = a64_retire,
    .flush = backend_flush,
    .used = backend_used,
    .restore_state = backend_restore_state,
    .disas = backend_disas,
};
