/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 back end: which guest slots sit in which host registers, the walk over a block, and
 * how blocks are entered, linked and retired. gen.h is the map of the rest.
 */
#include "tcg/x86_64/gen.h"

#include <cpuid.h>
#include <string.h>
#include <xmmintrin.h>

#include "tcg/x86_64/disas.h"

/* Integer pin wishes 0-15. The first eight minus two keep their x86 numbers, so that instructions
 * with fixed registers need no moves; 4 and 5 (RSP, RBP) cannot. 9-15 stay in env. */
static const int8_t gpr_of_pin[16] = { RAX, RCX, RDX, RBX, R10, R11, RSI, RDI,
                                       R8,  -1,  -1,  -1,  -1,  -1,  -1,  -1 };
#define XMM_PINNED 13

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
    return (s->type == V128 || s->type == V256) && n - 16 < XMM_PINNED ? XMM((int)n - 16) : NO_REG;
}

static void place_slots(X86Backend *be)
{
    for (int r = 0; r < NREGS; r++) {
        be->reg_home[r] = NO_HOME;
        be->reg_bytes[r] = r < 16 ? 8 : 16;
    }
    for (int i = 0; i < 4; i++) {
        be->reg_home[R12 + i] = env_off(be->layout->scratch + SCR_GPR + 8 * i);
    }
    for (int i = 0; i < 3; i++) {
        be->reg_bytes[XMM(13 + i)] = 32;
        be->reg_home[XMM(13 + i)] = env_off(be->layout->scratch + SCR_XMM + 32 * i);
    }
    be->reg_bytes[BUDGET_REG] = 4;
    be->reg_home[BUDGET_REG] = env_off(be->layout->budget);
    be->slot = g_new0(SlotHome, be->config.nslots + 1);
    for (unsigned i = 0; i < be->config.nslots; i++) {
        const IrSlot *s = &be->config.slots[i];
        SlotHome *h = &be->slot[i];
        int r = pin_register(s);

        h->off = env_off((int32_t)s->offset);
        h->bytes = ir_type_info[s->type].bytes;
        h->is_register = s->pin != 0 || s->type == F80;
        h->reg = NO_REG;
        if (r != NO_REG && be->reg_home[r] == NO_HOME) {
            h->reg = (int8_t)r;
            be->reg_home[r] = h->off;
            be->reg_bytes[r] = h->bytes;
        }
    }
}

/* The system saves these registers: bits of XCR0. */
enum { XCR0_YMM = 6, XCR0_ZMM = 0xe6 };
static bool system_has(uint32_t state)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & state) == state;
}

/* CPUID (SDM vol. 2A): leaf 1 ECX, leaf 7 EBX, leaf 0x80000001 ECX. */
static Features host_features(void)
{
    unsigned a, b, c, d;
    const unsigned v3 = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
    Features f = { 0 };
    bool ymm = false;

    if (__get_cpuid(1, &a, &b, &c, &d)) {
        f.sse3 = c & bit_SSE3;
        f.ssse3 = c & bit_SSSE3;
        f.sse41 = c & bit_SSE4_1;
        f.sse42 = c & bit_SSE4_2;
        f.popcnt = c & bit_POPCNT;
        f.aes = c & bit_AES;
        f.pclmul = c & bit_PCLMUL;
        ymm = (c & v3) == v3 && system_has(XCR0_YMM);
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        f.bmi1 = b & bit_BMI;
        f.bmi2 = b & bit_BMI2;
        f.adx = b & bit_ADX;
        f.sha = b & bit_SHA;
        f.avx2 = ymm && (b & bit_AVX2);
        f.avx512bw = ymm && (b & bit_AVX512BW) && system_has(XCR0_ZMM);
        f.vaes = f.avx2 && (c & bit_VAES);
        f.vpclmul = f.avx2 && (c & bit_VPCLMULQDQ);
        f.gfni = f.avx2 && (c & bit_GFNI);
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
        f.lzcnt = c & bit_LZCNT;
    }
    return f;
}

/* For tests: only what every x86-64 host has. */
static bool baseline_only(void)
{
    return g_getenv("TCG_X86_64_BASELINE") != NULL;
}

static unsigned backend_features(void)
{
    Features f = { 0 };

    if (!baseline_only()) {
        f = host_features();
    }
    return (f.avx2 ? TCG_HAS_V256 : 0u) | (f.vaes ? TCG_HAS_VAES : 0u) |
           (f.vpclmul ? TCG_HAS_VPCLMUL : 0u) | (f.gfni ? TCG_HAS_GFNI : 0u) | TCG_HAS_X87 |
           TCG_HAS_NEAR_TLB;
}

static void *backend_init(const TcgConfig *config, GError **error)
{
    X86Backend *be = g_new0(X86Backend, 1);

    if (!codebuf_init(&be->buf, config->buffer_size, error)) {
        g_free(be);
        return NULL;
    }
    be->config = *config;
    be->layout = &be->config.layout;
    g_assert(be->layout->own >= ENV_BIAS - 128 && be->layout->own + 8 * TCG_OWN <= ENV_BIAS + 128);
    if (!baseline_only()) {
        be->feat = host_features();
    } else { /* to be looked at, not run */
        be->feat.adx = be->feat.bmi2 = g_getenv("TCG_X86_64_ADX") != NULL;
    }
    be->helper_thunk = g_new0(const uint8_t *, config->nhelpers + 1);
    be->passages = g_array_new(false, false, sizeof(Passage));
    passages_clear(be);
    place_slots(be);
    thunks_init(be);
    make_templates(be);
    be->buf.floor = be->buf.used;
    be->census = config->census ? g_new0(Census, 1) : NULL;
    be->gen = g_new0(Gen, 1);
    be->gen->be = be;
    return be;
}

static void backend_free(void *p)
{
    X86Backend *be = p;

    g_free(be->census);
    g_free(be->gen->stubs);
    fault_notes_free(&be->gen->faults);
    g_free(be->gen);
    g_array_free(be->passages, true);
    g_free(be->slot);
    g_free(be->helper_thunk);
    codebuf_free(&be->buf);
    g_free(be);
}

static void backend_flush(void *p)
{
    X86Backend *be = p;

    be->buf.used = be->buf.floor;
    passages_clear(be);
    memset(be->helper_thunk, 0, be->config.nhelpers * sizeof(be->helper_thunk[0]));
    be->nmove_thunks = 0;
    be->flushes++;
}

static size_t backend_used(const void *p, const void **start)
{
    *start = ((const X86Backend *)p)->buf.rx;
    return ((const X86Backend *)p)->buf.used;
}

/* -- Emission --------------------------------------------------------------------------------- */

static void backend_prepare(void *p)
{
    codebuf_prepare(&((X86Backend *)p)->buf);
}

static bool make_helper_thunks(X86Backend *be, const IrBlock *ir)
{
    if (!ir->has_calls) {
        return true;
    }
    for (unsigned i = 1; i < ir->nops; i++) {
        if (ir->ops[i].op == OP_call && !call_target(be, ir, &ir->ops[i])) {
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
    g->locked = 0;
    g->spill_used[0] = g->spill_used[1] = 0;
    g->nenvs = g->ngetflags = g->ncopies = 0;
    memset(g->copies, 0, sizeof(g->copies));
    g->hf.epoch = 0;
    g->fused_second = 0;
    g->host.reg = NO_REG;
    g->left.load = IR_NONE;
    g->upper_marked = false;
    memset(g->head, 0, sizeof(g->head));
    memset(g->pin_value, 0, sizeof(g->pin_value));
    memset(g->beside, 0, sizeof(g->beside));
    g->late = 0;
    g->held.v[0] = g->held.v[1] = g->held.sum = IR_NONE;
    g->nstubs = g->nmem_stubs = g->nstack_stubs = 0;
    g->latest_stub[0] = g->latest_stub[1] = 0;
    code->nlinks = code->ngotos;
    fault_notes_begin(&g->faults);
}

static void append_map(Gen *g)
{
    if ((size_t)(g->a.end - g->a.p) < fault_map_room(&g->faults)) {
        g->a.full = true;
        return;
    }
    g->code->fault_map = x_pc(&g->a);
    g->a.p = fault_map_encode(&g->faults, &(FaultPlaces){ g->be->reg_home, ENV_BIAS }, g->a.p);
    g->code->fault_map_size = (uint32_t)(x_pc(&g->a) - g->code->fault_map);
}

static void place_consts(Gen *g)
{
    for (unsigned k = 0; k < g->ir->nconsts; k++) {
        g->loc[g->ir->consts[k]].kind = LOC_CONST;
    }
}

static void emit_code(Gen *g)
{
    Census *c = g->be->census;
    const uint8_t *from;

    emit_prologue(g);
    from = g->a.p;
    for (const IrActing *at = g->notes->live; at->op && !g->a.full; at++) {
        const IrOp *op = &g->ops[at->op];
        Rule rule = x64_rules[op->op];

        g->at = at;
        g->cur = at->op;
        g->op = op;
        g_assert(rule); /* a row of opcodes.def without a rule here */
        if (op->type == V256 && g->be->feat.avx2) {
            mark_upper(g);
        }
        if (G_UNLIKELY(g->held.v[0] | g->held.v[1])) {
            before_op(g);
        }
        rule(g);
        g->locked = 0;
        if (G_UNLIKELY(c)) {
            census_note(c, op->op, g->a.p - from);
            from = g->a.p;
        }
    }
    g->cur = g->ir->nops;
    emit_stubs(g);
}

static void count_block(const Gen *g, const IrBlock *ir)
{
    Census *c = g->be->census;

    c->built += ir->nops;
    c->live += g->notes->nlive;
    c->again += g->no_near;
    census_note(c, CENSUS_ENTRIES, g->body + g->a.rx - g->code->start);
    census_note(c, CENSUS_HEADERS, g->code->start - (g->be->buf.rx + g->be->buf.used));
    census_note(c, CENSUS_MAPS, g->code->fault_map_size);
}

static bool backend_emit(void *p, const IrBlock *ir, const IrNotes *notes, TcgCode *code)
{
    X86Backend *be = p;
    Gen *g = be->gen;

    if (!make_helper_thunks(be, ir)) {
        return false;
    }
    g->no_near = g->no_links = g->too_far = g->lost_flags = false;
    do {
        g->no_near |= g->too_far;
        g->no_links |= g->lost_flags;
        g->too_far = g->lost_flags = false;
        if (G_UNLIKELY(be->census)) {
            be->census->nlatest = 0;
        }
        start(g, ir, notes, code);
        if (g->a.end - g->a.p < 256) {
            return false;
        }
        gen_begin(g);
        place_consts(g);
        emit_code(g);
    } while (g->too_far || g->lost_flags);
    code->end = x_pc(&g->a);
    if (!g->a.full) {
        append_shapes(g);
    }
    if (!g->a.full) {
        append_map(g);
    }
    if (g->a.full) {
        return false;
    }
    if (G_UNLIKELY(be->census)) {
        count_block(g, ir);
    }
    be->buf.used = (size_t)(g->a.p - be->buf.rw);
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
    const CodeHeader *h;
    uint16_t back;

    memcpy(&back, site, 2);
    h = back == UINT16_MAX ? header_at(site + 2) : (const CodeHeader *)(site - back);
    for (*link = 0; h->code->start + h->code->link[*link].stub + CALL_BYTES != site; ++*link) {
        g_assert(*link + 1 < h->code->nlinks);
    }
    return h;
}

static void left_at_start(const X86Backend *be, uint8_t *env, TcgLeave *leave, const CodeHeader *h,
                          bool loop)
{
    *(uint64_t *)(env + be->layout->pc) = *(uint64_t *)(env + be->layout->vbase) + h->start;
    *(int32_t *)(env + be->layout->budget) += h->code->ninsns;
    leave->kind = h->code->retired && !loop ? TCG_EXIT_LOOKUP : TCG_EXIT_BUDGET;
}

static TcgLeave left(X86Backend *be, uint8_t *env)
{
    const TcgLayout *l = be->layout;
    uint8_t *scratch = env + l->scratch;
    const uint8_t *site = *(const uint8_t **)(scratch + SCR_SITE), *behind = site;
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
    case TCG_EXIT_BUDGET:
        left_at_start(be, env, &leave, (const CodeHeader *)(site - CALL_BYTES) - 1, false);
        break;
    case EXIT_LOOP: left_at_start(be, env, &leave, header_at(site), true); break;
    case TCG_EXIT_REASON:
        h = (const CodeHeader *)(site - get_number(&behind));
        g_assert(find_point(be, h->code, (uintptr_t)site, env, &offset, &index));
        *pc = vbase + offset;
        leave.reason = get_number(&behind);
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

static const void *backend_far_entry(void *p, TcgCode *code)
{
    X86Backend *be = p;
    CodeBuf *c = &be->buf;
    uint8_t *at = c->rw + c->used;
    Asm a = { .p = at, .start = at, .end = c->rw + c->size, .rx = c->rx - c->rw };

    emit_far_entry(&a, be, code);
    if (a.full) {
        return NULL;
    }
    c->used = (size_t)(a.p - c->rw);
    return x_pc(&a) - (a.p - at);
}

static void enter(const uint8_t *thunk, uint8_t *env, const uint8_t *at)
{
    void (*f)(void *, const void *) = (void (*)(void *, const void *))(uintptr_t)thunk;

    f(env, at);
}

/* Whoever left because a passage's budget did not suffice still has a record to write. */
static void finish_exit(X86Backend *be, uint8_t *env)
{
    uint8_t *scratch = env + be->layout->scratch;
    uint32_t number;
    const uint8_t *rest;

    if (*(uint32_t *)(scratch + SCR_KIND) != TCG_EXIT_LINK) {
        return;
    }
    rest = passage_suspend(be, env, *(const uint8_t **)(scratch + SCR_SITE), &number);
    if (rest) {
        enter(be->go_on, env, rest);
        passage_resume(be, number);
    }
}

static TcgLeave run_from(X86Backend *be, void *env, TcgCode *code, const void *at)
{
    const TcgLayout *l = be->layout;
    const CodeHeader *h = (const CodeHeader *)(code->start - sizeof(CodeHeader));
    const void **calls = (const void **)((uint8_t *)env + l->own);
    uint32_t *masks = (uint32_t *)(calls + CALLS);

    calls[CALL_MEM] = be->mem;
    calls[CALL_LINK] = be->exit_link;
    calls[CALL_BUDGET] = be->exit_budget;
    masks[MASK_NEAR_TLB] = NEAR_TLB_MASK;
    masks[MASK_JC] = TCG_JC_MASK;
    *(uint64_t *)((uint8_t *)env + l->vbase) = *(uint64_t *)((uint8_t *)env + l->pc) - h->start;
    enter(be->enter, env, at);
    finish_exit(be, env);
    return left(be, env);
}

static TcgLeave backend_run(void *p, void *env, TcgCode *code)
{
    return run_from(p, env, code, code->near_entry);
}

/* Behind the prologue. */
static TcgLeave backend_run_once(void *p, void *env, TcgCode *code)
{
    return run_from(p, env, code, code->start + code->body);
}

static void backend_restore_state(void *p, TcgCode *code, uint64_t host_pc, void *env,
                                  uint32_t *offset, uint32_t *index)
{
    g_assert(find_point(p, code, host_pc, env, offset, index));
}

/* The modes of the image are no matter: blocks are entered with FCW and MXCSR of env. */
static void backend_x87_load(const void *image)
{
    uint32_t mxcsr = _mm_getcsr();

    __asm__ volatile("fxrstor64 %0"
                     :
                     : "m"(*(const uint8_t(*)[512])image)
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    _mm_setcsr(mxcsr);
}

static void backend_x87_save(void *image)
{
    __asm__ volatile("fxsave64 %0\n\tfninit" : "=m"(*(uint8_t(*)[512])image));
}

static void backend_census(const void *p, GString *out)
{
    census_print(((const X86Backend *)p)->census, out);
}

static void backend_count(void *p)
{
    census_count(((X86Backend *)p)->census);
}

static void backend_disas(void *p, const TcgCode *code, GString *out)
{
    x64_disas(p, code->start, (size_t)(code->end - code->start), out);
}

const TcgBackend tcg_backend_x86_64 = {
    .name = "x86_64",
    .has_groups = true,
    .has_wide_groups = true,
    .has_rests = true,
    .init = backend_init,
    .features = backend_features,
    .free = backend_free,
    .prepare = backend_prepare,
    .backward = x64_backward,
    .emit = backend_emit,
    .far_entry = backend_far_entry,
    .run = backend_run,
    .run_once = backend_run_once,
    .link = x64_link,
    .retire = x64_retire,
    .flush = backend_flush,
    .used = backend_used,
    .restore_state = backend_restore_state,
    .x87_load = backend_x87_load,
    .x87_save = backend_x87_save,
    .disas = backend_disas,
    .census = backend_census,
    .count = backend_count,
};
