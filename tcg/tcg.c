/* SPDX-License-Identifier: MIT */
/*
 * The pipeline and the bookkeeping of compiled blocks. Descriptions of blocks come from chunks that
 * are given back as a whole by a flush, and are found again by host address in a sorted array.
 */
#include "tcg/tcg.h"

#include <string.h>
#include <sys/mman.h>

#include "tcg/backend.h"
#include "tcg/flags.h"

#define CHUNK_SIZE (2u << 20) /* a huge page, where the host has them */

/* Beside each other, as a search goes from one to the next. */
typedef struct Place {
    const uint8_t *start;
    TcgCode *code;
} Place;

struct Tcg {
    const TcgBackend *backend;
    void *be;
    TcgConfig config;
    IrBlock *ir;
    bool *is_volatile; /* by slot */
    IrNotes notes;
    GPtrArray *chunks;
    size_t chunk_used; /* of the last chunk */
    Place *sorted;     /* by start */
    size_t nsorted, sorted_size;
    size_t found[64]; /* places in it: see tcg_find_code() */
};

/* The first is the default. */
static const TcgBackend *const backends[] = {
#ifdef TCG_NATIVE
    &TCG_NATIVE,
#endif
    &tcg_backend_interp,
};

static const TcgBackend *find_backend(const char *name, GError **error)
{
    if (!name) {
        return backends[0];
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (!strcmp(backends[i]->name, name)) {
            return backends[i];
        }
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "unknown back end '%s' (there are: %s)",
                name, tcg_backend_list());
    return NULL;
}

/* Slots that the layout knows as words which ops change without naming them. */
static bool overlaps(const IrSlot *s, int32_t offset, uint32_t size)
{
    return s->offset < (uint32_t)offset + size &&
           (uint32_t)offset < s->offset + ir_type_info[s->type].bytes;
}

static bool *find_volatile_slots(const TcgConfig *config)
{
    const TcgLayout *l = &config->layout;
    bool *is_volatile = g_new0(bool, config->nslots + 1);

    for (unsigned i = 0; i < config->nslots; i++) {
        const IrSlot *s = &config->slots[i];
        is_volatile[i] = overlaps(s, l->mxcsr, 4) || overlaps(s, l->fcw, 2) ||
                         overlaps(s, l->fsw, 2) || overlaps(s, l->budget, 4) ||
                         overlaps(s, l->flags, sizeof(FlagsRecord));
    }
    return is_volatile;
}

Tcg *tcg_new(const TcgConfig *config, GError **error)
{
    const TcgBackend *backend = find_backend(config->backend, error);
    Tcg *tcg;

    if (!backend) {
        return NULL;
    }
    tcg = g_new0(Tcg, 1);
    tcg->backend = backend;
    tcg->config = *config;
    tcg->be = backend->init(&tcg->config, error);
    if (!tcg->be) {
        g_free(tcg);
        return NULL;
    }
    tcg->ir = ir_block_new(config->slots, config->nslots, config->helpers, config->nhelpers);
    tcg->is_volatile = find_volatile_slots(config);
    tcg->ir->is_volatile = tcg->is_volatile;
    if (!config->no_opt) {
        ir_block_forward(tcg->ir);
    }
    tcg->chunks = g_ptr_array_new_with_free_func(g_aligned_free);
    return tcg;
}

void tcg_free(Tcg *tcg)
{
    if (!tcg) {
        return;
    }
    tcg->backend->free(tcg->be);
    ir_block_free(tcg->ir);
    g_free(tcg->is_volatile);
    g_ptr_array_free(tcg->chunks, TRUE);
    g_free(tcg->sorted);
    g_free(tcg);
}

const char *tcg_backend_name(const Tcg *tcg)
{
    return tcg->backend->name;
}

bool tcg_links_rests(const Tcg *tcg)
{
    return tcg->backend->has_rests;
}

unsigned tcg_features(const char *backend)
{
    const TcgBackend *b = find_backend(backend, NULL);

    return b ? b->features() : 0;
}

const char *tcg_backend_list(void)
{
    static char list[64];

    if (!list[0]) {
        for (unsigned i = 0; i < G_N_ELEMENTS(backends); i++) {
            g_strlcat(list, i ? " " : "", sizeof(list));
            g_strlcat(list, backends[i]->name, sizeof(list));
        }
    }
    return list;
}

IrBlock *tcg_ir(Tcg *tcg)
{
    return tcg->ir;
}

/* -- Bookkeeping --------------------------------------------------------------------------------
 */

static void *chunk_new(void)
{
    void *p = g_aligned_alloc(1, CHUNK_SIZE, CHUNK_SIZE);

#ifdef MADV_HUGEPAGE
    madvise(p, CHUNK_SIZE, MADV_HUGEPAGE); /* a wish only */
#endif
    return p;
}

static TcgCode *code_alloc(Tcg *tcg, unsigned nlinks)
{
    size_t size = offsetof(TcgCode, link) + nlinks * sizeof(((TcgCode *)0)->link[0]);
    char *chunk;
    TcgCode *code;

    size = (size + 15) & ~(size_t)15;
    if (tcg->chunks->len == 0 || tcg->chunk_used + size > CHUNK_SIZE) {
        g_ptr_array_add(tcg->chunks, chunk_new());
        tcg->chunk_used = 0;
    }
    chunk = g_ptr_array_index(tcg->chunks, tcg->chunks->len - 1);
    code = (TcgCode *)(chunk + tcg->chunk_used);
    tcg->chunk_used += size;
    memset(code, 0, size);
    for (size_t i = 0; i < 256; i += 64) { /* the next one, in memory that was never touched */
        __builtin_prefetch((char *)code + size + i, 1);
    }
    return code;
}

static void code_unalloc(Tcg *tcg, TcgCode *code) /* the latest */
{
    char *chunk = g_ptr_array_index(tcg->chunks, tcg->chunks->len - 1);

    tcg->chunk_used = (size_t)((char *)code - chunk);
}

/* How many blocks start at or below @pc. */
static size_t rank(const Tcg *tcg, const uint8_t *pc)
{
    size_t lo = 0, hi = tcg->nsorted;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tcg->sorted[mid].start <= pc) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void code_insert(Tcg *tcg, TcgCode *code)
{
    size_t at = tcg->nsorted;

    if (at && tcg->sorted[at - 1].start > code->start) { /* buffers grow upwards, as a rule */
        at = rank(tcg, code->start);
    }
    if (tcg->nsorted == tcg->sorted_size) {
        tcg->sorted_size = MAX(1024, tcg->sorted_size * 2);
        tcg->sorted = g_renew(Place, tcg->sorted, tcg->sorted_size);
    }
    memmove(tcg->sorted + at + 1, tcg->sorted + at, (tcg->nsorted - at) * sizeof(Place));
    tcg->sorted[at] = (Place){ code->start, code };
    tcg->nsorted++;
}

/* Is block @n the last that starts at or below @pc, and does it reach there? */
static bool is_at(const Tcg *tcg, size_t n, const uint8_t *pc)
{
    return pc >= tcg->sorted[n].start && pc < tcg->sorted[n].code->end &&
           (n + 1 == tcg->nsorted || pc < tcg->sorted[n + 1].start);
}

/* A guest that reads the time in a loop asks for the same place again and again. */
TcgCode *tcg_find_code(Tcg *tcg, uint64_t host_pc)
{
    const uint8_t *pc = (const uint8_t *)(uintptr_t)host_pc;
    size_t *found = &tcg->found[host_pc / 16 % G_N_ELEMENTS(tcg->found)];

    if (*found >= tcg->nsorted || !is_at(tcg, *found, pc)) {
        size_t n = rank(tcg, pc);

        if (!n || !is_at(tcg, n - 1, pc))
            return NULL;
        *found = n - 1;
    }
    return tcg->sorted[*found].code;
}

void tcg_x87_load(const Tcg *tcg, const void *image)
{
    tcg->backend->x87_load(image);
}

void tcg_x87_save(const Tcg *tcg, void *image)
{
    tcg->backend->x87_save(image);
}

void tcg_flush(Tcg *tcg)
{
    tcg->backend->flush(tcg->be);
    g_ptr_array_set_size(tcg->chunks, MIN(tcg->chunks->len, 1)); /* one is used again */
    tcg->chunk_used = 0;
    tcg->nsorted = 0;
}

/* -- Compiling ----------------------------------------------------------------------------------
 */

static void verify(Tcg *tcg, const char *after)
{
    g_autofree char *message = NULL;

    if (!tcg->config.verify) {
        return;
    }
    message = ir_verify(tcg->ir);
    if (message) {
        g_autoptr(GString) text = g_string_new(NULL);
        ir_print(tcg->ir, text);
        g_error("IR after %s: %s\n%s", after, message, text->str);
    }
}

/* Links that a back end may add. */
static unsigned most_rests(const Tcg *tcg)
{
    return tcg->ir->parted ? tcg->notes.ngroups : 0;
}

TcgCode *tcg_compile(Tcg *tcg, void *user, GString *op_text, GString *asm_text)
{
    IrBlock *ir = tcg->ir;
    TcgCode *code;

    verify(tcg, "building");
    if (tcg->backend->prepare) {
        tcg->backend->prepare(tcg->be);
    }
    tcg->notes.wide_groups = tcg->backend->has_wide_groups;
    ir_pass_forward(ir, &tcg->notes, tcg->backend->has_groups && !ir->no_groups);
    if (tcg->backend->backward) {
        tcg->backend->backward(tcg->be, ir, &tcg->notes);
    } else {
        ir_pass_backward(ir, &tcg->notes);
    }
    verify(tcg, "the backward pass");
    if (op_text) {
        ir_print(ir, op_text);
    }
    code = code_alloc(tcg, MIN(ir->nlinks + most_rests(tcg), IR_MAX_LINKS));
    code->ninsns = (uint16_t)ir->ninsns;
    code->nlinks = code->ngotos = (uint8_t)ir->nlinks;
    code->user = user;
    if (!tcg->backend->emit(tcg->be, ir, &tcg->notes, code)) {
        code_unalloc(tcg, code);
        return NULL;
    }
    code_insert(tcg, code);
    if (asm_text) {
        tcg->backend->disas(tcg->be, code, asm_text);
    }
    return code;
}

/* -- What the back end does ---------------------------------------------------------------------
 */

const void *tcg_far_entry(Tcg *tcg, TcgCode *code)
{
    if (!code->far_entry) {
        code->far_entry = tcg->backend->far_entry(tcg->be, code);
    }
    return code->far_entry;
}

TcgLeave tcg_run(Tcg *tcg, void *env, TcgCode *code)
{
    return tcg->backend->run(tcg->be, env, code);
}

TcgLeave tcg_run_once(Tcg *tcg, void *env, TcgCode *code)
{
    return tcg->backend->run_once(tcg->be, env, code);
}

bool tcg_runs_once(const Tcg *tcg)
{
    return tcg->backend->run_once;
}

void tcg_link(Tcg *tcg, TcgCode *from, unsigned link, TcgCode *to)
{
    g_assert(link < from->nlinks);
    tcg->backend->link(tcg->be, from, link, to);
}

void tcg_retire(Tcg *tcg, TcgCode *code)
{
    tcg->backend->retire(tcg->be, code);
}

size_t tcg_buffer_used(const Tcg *tcg)
{
    const void *start;

    return tcg->backend->used(tcg->be, &start);
}

void tcg_print_census(const Tcg *tcg, GString *out)
{
    if (tcg->config.census && tcg->backend->census) {
        tcg->backend->census(tcg->be, out);
    }
}

void tcg_count(Tcg *tcg)
{
    if (tcg->config.census && tcg->backend->count) {
        tcg->backend->count(tcg->be);
    }
}

const void *tcg_buffer_start(const Tcg *tcg)
{
    const void *start;

    tcg->backend->used(tcg->be, &start);
    return start;
}

void tcg_restore_state(Tcg *tcg, TcgCode *code, uint64_t host_pc, void *env, uint32_t *offset,
                       uint32_t *index)
{
    tcg->backend->restore_state(tcg->be, code, host_pc, env, offset, index);
}
