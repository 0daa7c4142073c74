/* SPDX-License-Identifier: MIT */
/*
 * The back end's frame: an arena of units, one Interp per CPU state, the run loop. Slow paths and
 * helpers may leave by longjmp: everything lives in the Interp, nothing on the stack.
 */
#include "tcg/interp/interp.h"

typedef struct Backend {
    TcgConfig config;
    u8 *arena;
    size_t size, used;
    CallSite *calls;
    Emitter *emitter;
    ConstPool *pool;
} Backend;

Interp *interp_bind(void *env, const TcgLayout *layout, const ConstPool *pool)
{
    Interp *x = (Interp *)((u8 *)env + layout->interp);

    x->env = env;
    x->layout = layout;
    x->budget = ENV(x, s32, budget);
    x->vbase = ENV(x, u64, vbase);
    interp_pool_copy(pool, x);
    return x;
}

/* -- Life
 * ------------------------------------------------------------------------------------------- */

static ffi_type *ffi_type_of(unsigned type)
{
    switch (type) {
    case IR_VOID: return &ffi_type_void;
    case I32: return &ffi_type_uint32;
    case I64: return &ffi_type_uint64;
    case V128: return &ffi_type_pointer;
    default: g_assert_not_reached();
    }
}

static void prepare_call(CallSite *site, const TcgHelper *helper)
{
    unsigned n = 0;
    ffi_status status;

    site->helper = helper;
    site->types[n++] = &ffi_type_pointer;
    if (helper->ret == V128) {
        site->types[n++] = &ffi_type_pointer;
    }
    for (unsigned i = 0; i < helper->nargs; i++) {
        site->types[n++] = ffi_type_of(helper->args[i]);
    }
    status = ffi_prep_cif(&site->cif, FFI_DEFAULT_ABI, n,
                          ffi_type_of(helper->ret == V128 ? IR_VOID : helper->ret), site->types);
    g_assert(status == FFI_OK);
}

static unsigned backend_features(void)
{
    return TCG_HAS_V256 | TCG_HAS_VAES | TCG_HAS_VPCLMUL | TCG_HAS_GFNI;
}

static void *backend_init(const TcgConfig *config, GError **error)
{
    Backend *be;
    u8 *arena = g_try_malloc(config->buffer_size);

    if (!arena) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "no memory for %zu bytes of code",
                    config->buffer_size);
        return NULL;
    }
    be = g_new0(Backend, 1);
    be->config = *config;
    be->arena = arena;
    be->size = config->buffer_size;
    be->calls = g_new0(CallSite, config->nhelpers + 1);
    for (unsigned i = 0; i < config->nhelpers; i++) {
        prepare_call(&be->calls[i], &config->helpers[i]);
    }
    be->pool = interp_pool_new();
    be->emitter = interp_emitter_new(&be->config, be->calls, be->pool);
    return be;
}

static void backend_free(void *p)
{
    Backend *be = p;

    interp_emitter_free(be->emitter);
    interp_pool_free(be->pool);
    g_free(be->calls);
    g_free(be->arena);
    g_free(be);
}

static void backend_flush(void *p)
{
    Backend *be = p;

    be->used = 0;
    interp_pool_clear(be->pool);
}

static size_t backend_used(const void *p, const void **start)
{
    *start = NULL;
    return ((const Backend *)p)->used;
}

/* -- Blocks
 * ----------------------------------------------------------------------------------------- */

static size_t align16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static bool backend_emit(void *p, const IrBlock *ir, const IrNotes *notes, TcgCode *code)
{
    Backend *be = p;
    const struct Emitted *out = interp_emitted(be->emitter);
    size_t ops, links, faults, size;
    Unit *unit;

    if (!interp_emitter_run(be->emitter, ir, notes)) {
        return false;
    }
    ops = align16(sizeof(Unit) + out->ops->len * sizeof(Op));
    links = align16(code->nlinks * sizeof(Unit *));
    faults = align16(out->faults->len * sizeof(Fault));
    size = ops + links + faults;
    if (size > be->size - be->used) {
        return false;
    }
    unit = (Unit *)(be->arena + be->used);
    be->used += size;
    unit->code = code;
    unit->link = memset((u8 *)unit + ops, 0, links);
    unit->faults = (Fault *)((u8 *)unit + ops + links);
    unit->needs = interp_pool_size(be->pool);
    unit->start = ir->start;
    unit->ninsns = (s32)ir->ninsns;
    memcpy(unit->ops, out->ops->data, out->ops->len * sizeof(Op));
    if (out->faults->len) {
        memcpy((Fault *)unit->faults, out->faults->data, out->faults->len * sizeof(Fault));
    }
    code->far_entry = code->near_entry = unit;
    code->start = (u8 *)unit;
    code->end = (u8 *)unit + size;
    code->fault_map = (const u8 *)unit->faults;
    code->fault_map_size = (u32)(out->faults->len * sizeof(Fault));
    for (unsigned i = 1; i < ir->nops; i++) {
        const IrOp *op = &ir->ops[i];
        if (op->op == OP_goto || op->op == OP_goto_if) {
            code->link[op->d].offset = op->imm;
        }
    }
    return true;
}

static void run_ops(const Op *op, Interp *x)
{
    while (op) {
        op = op->run(op, x);
    }
}

static TcgLeave backend_run(void *p, void *env, TcgCode *code)
{
    Backend *be = p;
    Interp *x = interp_bind(env, &be->config.layout, be->pool);

    x->leave = (TcgLeave){ 0 };
    run_ops(interp_enter_far(x, code->far_entry), x);
    return x->leave;
}

static void backend_link(void *p, TcgCode *from, unsigned link, TcgCode *to)
{
    const Unit *unit = from->far_entry;

    from->link[link].to = to;
    unit->link[link] = to ? to->near_entry : NULL;
}

static void backend_retire(void *p, TcgCode *code)
{
    code->retired = true;
    ((Unit *)(uintptr_t)code->far_entry)->needs = RETIRED;
}

static void backend_restore_state(void *p, TcgCode *code, uint64_t host_pc, void *env,
                                  uint32_t *offset, uint32_t *index)
{
    Backend *be = p;
    const Unit *unit = code->far_entry;
    const Fault *f = &unit->faults[((const Op *)(uintptr_t)host_pc)->fault];

    if (f->rest) {
        run_ops(&unit->ops[f->rest], interp_bind(env, &be->config.layout, be->pool));
    }
    *offset = f->offset;
    *index = f->index;
}

static void backend_disas(void *p, const TcgCode *code, GString *out)
{
    const Unit *unit = code->far_entry;

    g_string_append_printf(out, "interpreted: %zu bytes, ops from %p\n",
                           (size_t)(code->end - code->start), (const void *)unit->ops);
}

const TcgBackend tcg_backend_interp = {
    .name = "interp",
    .init = backend_init,
    .features = backend_features,
    .free = backend_free,
    .emit = backend_emit,
    .run = backend_run,
    .link = backend_link,
    .retire = backend_retire,
    .flush = backend_flush,
    .used = backend_used,
    .restore_state = backend_restore_state,
    .disas = backend_disas,
};
