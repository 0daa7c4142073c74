/* SPDX-License-Identifier: MIT */
/*
 * `mimus trace`: what the native trace can become. Formats, one writer each:
 *   text     a line per instruction, a line per access
 *   lackey   valgrind --tool=lackey --trace-mem=yes
 *   champsim 64-byte records of ChampSim's tracer (input_instr), uncompressed; needs capstone
 *   bb       SimPoint's frequency vectors: T:block:count …, one line per 10^7 instructions
 * Instructions that faulted are in text only.
 */
#include "softmmu/program/trace/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accel/plugin/trace-file.h"
#include "config.h"
#include "softmmu/error.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

typedef struct Conversion {
    FILE *out;
    void *state;
} Conversion;

typedef struct Format {
    const char *name;
    bool (*begin)(Conversion *c, GError **error); /* may be NULL */
    void (*insn)(Conversion *c, const TraceInsn *i, uint64_t next_pc);
    void (*end)(Conversion *c); /* may be NULL */
} Format;

/* ---- text --------------------------------------------------------------------------------------
 */

static void put_value(FILE *out, const TraceAccess *a)
{
    for (unsigned k = a->size; k-- > 0;)
        fprintf(out, "%02x", a->value[k]);
}

static void text_insn(Conversion *c, const TraceInsn *i, uint64_t next_pc)
{
    fprintf(c->out, "%" PRIu64 " %u %016" PRIx64 " ", i->number, i->cpu, i->pc);
    for (unsigned k = 0; k < i->size; k++)
        fprintf(c->out, "%02x", i->bytes[k]);
    fputs(i->aborted ? " fault\n" : "\n", c->out);
    for (uint32_t k = 0; k < i->naccesses; k++) {
        const TraceAccess *a = &i->access[k];
        fprintf(c->out, "  %c %016" PRIx64 " %u ", a->store ? 'W' : 'R', a->addr, a->size);
        put_value(c->out, a);
        fputc('\n', c->out);
    }
}

/* ---- lackey ------------------------------------------------------------------------------------
 */

static void lackey_insn(Conversion *c, const TraceInsn *i, uint64_t next_pc)
{
    if (!i->aborted)
        fprintf(c->out, "I  %" PRIx64 ",%u\n", i->pc, i->size);
    for (uint32_t k = 0; k < i->naccesses; k++) {
        const TraceAccess *a = &i->access[k], *b = a + 1;
        bool modify = !a->store && k + 1 < i->naccesses && b->store && b->addr == a->addr &&
                      b->size == a->size;
        fprintf(c->out, " %c %" PRIx64 ",%u\n",
                modify     ? 'M'
                : a->store ? 'S'
                           : 'L',
                a->addr, a->size);
        k += modify;
    }
}

/* ---- SimPoint ----------------------------------------------------------------------------------
 */

#define BB_INTERVAL 10000000u

typedef struct Blocks {
    GHashTable *ids; /* start of a block -> its number */
    GHashTable *counts;
    uint64_t block, in_block, in_interval, expected;
} Blocks;

static bool bb_begin(Conversion *c, GError **error)
{
    Blocks *b = g_new0(Blocks, 1);

    b->ids = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    b->counts = g_hash_table_new(g_direct_hash, g_direct_equal);
    c->state = b;
    return true;
}

static void leave_block(Blocks *b)
{
    gpointer key = (void *)(uintptr_t)b->block, n = g_hash_table_lookup(b->counts, key);

    if (b->in_block)
        g_hash_table_insert(b->counts, key, (char *)n + b->in_block);
    b->in_block = 0;
}

static gint by_number(gconstpointer p, gconstpointer q)
{
    return (uintptr_t)p < (uintptr_t)q ? -1 : (uintptr_t)p > (uintptr_t)q;
}

static void write_interval(Conversion *c)
{
    Blocks *b = c->state;
    GList *keys, *k;

    leave_block(b);
    keys = g_list_sort(g_hash_table_get_keys(b->counts), by_number);
    fputc('T', c->out);
    for (k = keys; k; k = k->next)
        fprintf(c->out, ":%" PRIuPTR ":%" PRIuPTR " ", (uintptr_t)k->data,
                (uintptr_t)g_hash_table_lookup(b->counts, k->data));
    fputc('\n', c->out);
    g_list_free(keys);
    g_hash_table_remove_all(b->counts);
    b->in_interval = 0;
}

/* A block is what runs from a target of a jump to the next jump. */
static void bb_insn(Conversion *c, const TraceInsn *i, uint64_t next_pc)
{
    Blocks *b = c->state;

    if (i->aborted)
        return;
    if (i->pc != b->expected || !b->block) {
        gpointer id = g_hash_table_lookup(b->ids, &i->pc);
        leave_block(b);
        if (!id) {
            id = (void *)(uintptr_t)(g_hash_table_size(b->ids) + 1);
            g_hash_table_insert(b->ids, g_memdup2(&i->pc, sizeof(i->pc)), id);
        }
        b->block = (uintptr_t)id;
    }
    b->expected = i->pc + i->size;
    b->in_block++;
    if (++b->in_interval == BB_INTERVAL)
        write_interval(c);
}

static void bb_end(Conversion *c)
{
    Blocks *b = c->state;

    if (b->in_interval)
        write_interval(c);
    g_hash_table_unref(b->ids);
    g_hash_table_unref(b->counts);
    g_free(b);
}

/* ---- ChampSim ----------------------------------------------------------------------------------
 */

#ifdef HAVE_CAPSTONE
typedef struct ChampSimRecord { /* ChampSim's inc/trace_instruction.h: struct input_instr */
    uint64_t ip;
    uint8_t is_branch, taken;
    uint8_t dst[2], src[4];
    uint64_t dst_mem[2], src_mem[4];
} ChampSimRecord;
_Static_assert(sizeof(ChampSimRecord) == 64, "the layout is the file's");

enum { CHAMPSIM_SP = 6, CHAMPSIM_FLAGS = 25, CHAMPSIM_IP = 26 };

enum { CODE_SIZES = 3 };

typedef struct ChampSim {
    csh handles[CODE_SIZES];
    cs_insn *insns[CODE_SIZES];
    unsigned size; /* of the code, as it seems: index of these */
    csh handle;    /* that one's: the instruction's */
    cs_insn *insn;
} ChampSim;

static void champsim_end(Conversion *c)
{
    ChampSim *s = c->state;

    for (unsigned n = 0; n < CODE_SIZES; n++) {
        if (s->insns[n])
            cs_free(s->insns[n], 1);
        if (s->handles[n])
            cs_close(&s->handles[n]);
    }
    g_free(s);
}

static bool champsim_begin(Conversion *c, GError **error)
{
    static const cs_mode modes[CODE_SIZES] = { CS_MODE_64, CS_MODE_32, CS_MODE_16 };
    ChampSim *s = g_new0(ChampSim, 1);

    c->state = s;
    for (unsigned n = 0; n < CODE_SIZES; n++) {
        if (cs_open(CS_ARCH_X86, modes[n], &s->handles[n]) != CS_ERR_OK) {
            error_set(error, "capstone does not know x86");
            champsim_end(c);
            return false;
        }
        cs_option(s->handles[n], CS_OPT_DETAIL, CS_OPT_ON);
        s->insns[n] = cs_malloc(s->handles[n]);
    }
    return true;
}

/* The trace does not say how wide the code is: as wide as that of the instruction before, unless
 * that makes another length of it. */
static bool champsim_decode(ChampSim *s, const TraceInsn *i)
{
    for (unsigned n = 0; n < CODE_SIZES; n++) {
        unsigned size = (s->size + n) % CODE_SIZES;
        const uint8_t *code = i->bytes;
        size_t left = i->size;
        uint64_t pc = i->pc;

        s->handle = s->handles[size];
        s->insn = s->insns[size];
        if (cs_disasm_iter(s->handle, &code, &left, &pc, s->insn) && !left) {
            s->size = size;
            return true;
        }
    }
    return false;
}

/* Registers by families; only SP, FLAGS and IP have numbers that mean something to ChampSim. */
static uint8_t champsim_register(uint16_t reg)
{
    static const uint16_t families[][5] = {
        { X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH },
        { X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
        { X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH },
        { X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
        { X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL },
        { X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL },
        { X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
        { X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
    };
    static const uint8_t numbers[] = { 1, 2, 3, 4, 5, CHAMPSIM_SP, 7, 8 };

    if (reg == X86_REG_EFLAGS)
        return CHAMPSIM_FLAGS;
    if (reg == X86_REG_RIP || reg == X86_REG_EIP || reg == X86_REG_IP)
        return CHAMPSIM_IP;
    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++)
        for (unsigned k = 0; k < G_N_ELEMENTS(families[i]); k++)
            if (families[i][k] == reg && reg)
                return numbers[i];
    if (reg >= X86_REG_R8 && reg <= X86_REG_R15)
        return (uint8_t)(9 + reg - X86_REG_R8);
    if (reg >= X86_REG_R8D && reg <= X86_REG_R15D)
        return (uint8_t)(9 + reg - X86_REG_R8D);
    if (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM15)
        return (uint8_t)(32 + reg - X86_REG_XMM0);
    if (reg >= X86_REG_YMM0 && reg <= X86_REG_YMM15)
        return (uint8_t)(32 + reg - X86_REG_YMM0);
    return (uint8_t)(64 + reg % 128); /* segments, x87, control: told apart, no more */
}

static void add_register(uint8_t *list, unsigned n, uint8_t reg)
{
    for (unsigned i = 0; i < n; i++) {
        if (list[i] == reg)
            return;
        if (!list[i]) {
            list[i] = reg;
            return;
        }
    }
}

static void add_address(uint64_t *list, unsigned n, uint64_t addr)
{
    for (unsigned i = 0; i < n; i++) {
        if (!list[i]) {
            list[i] = addr;
            return;
        }
    }
}

/* What ChampSim tells kinds of branches by: who reads and writes SP, IP and FLAGS. */
static void shape_branch(const ChampSim *s, ChampSimRecord *r)
{
    bool call = cs_insn_group(s->handle, s->insn, CS_GRP_CALL);
    bool ret = cs_insn_group(s->handle, s->insn, CS_GRP_RET);
    bool conditional = s->insn->id != X86_INS_JMP && s->insn->id != X86_INS_LJMP;
    const cs_x86 *x = &s->insn->detail->x86;
    bool indirect = x->op_count && x->operands[0].type != X86_OP_IMM;
    uint8_t reg = 0;

    if (indirect && x->operands[0].type == X86_OP_REG)
        reg = champsim_register((uint16_t)x->operands[0].reg);
    else if (indirect && x->operands[0].type == X86_OP_MEM)
        reg = champsim_register((uint16_t)x->operands[0].mem.base);
    memset(r->src, 0, sizeof(r->src));
    memset(r->dst, 0, sizeof(r->dst));
    r->is_branch = 1;
    r->dst[0] = CHAMPSIM_IP;
    if (ret) {
        r->src[0] = CHAMPSIM_SP;
        r->dst[1] = CHAMPSIM_SP;
        return;
    }
    r->src[0] = CHAMPSIM_IP;
    if (call) {
        r->src[1] = CHAMPSIM_SP;
        r->dst[1] = CHAMPSIM_SP;
        r->src[2] = indirect ? (reg && reg != CHAMPSIM_IP ? reg : 1) : 0;
    } else if (indirect) {
        r->src[0] = reg && reg != CHAMPSIM_IP ? reg : 1;
    } else if (conditional) {
        r->src[1] = CHAMPSIM_FLAGS;
    }
}

static void shape_plain(const ChampSim *s, ChampSimRecord *r)
{
    cs_regs reads, writes;
    uint8_t nreads, nwrites;

    if (cs_regs_access(s->handle, s->insn, reads, &nreads, writes, &nwrites) != CS_ERR_OK)
        return;
    for (unsigned k = 0; k < nreads; k++)
        add_register(r->src, 4, champsim_register(reads[k]));
    for (unsigned k = 0; k < nwrites; k++)
        add_register(r->dst, 2, champsim_register(writes[k]));
}

static void champsim_insn(Conversion *c, const TraceInsn *i, uint64_t next_pc)
{
    ChampSim *s = c->state;
    ChampSimRecord r = { .ip = i->pc };

    if (i->aborted)
        return;
    if (champsim_decode(s, i)) {
        if (cs_insn_group(s->handle, s->insn, CS_GRP_JUMP) ||
            cs_insn_group(s->handle, s->insn, CS_GRP_CALL) ||
            cs_insn_group(s->handle, s->insn, CS_GRP_RET))
            shape_branch(s, &r);
        else
            shape_plain(s, &r);
    }
    r.taken = r.is_branch && next_pc != i->pc + i->size;
    for (uint32_t k = 0; k < i->naccesses; k++)
        add_address(i->access[k].store ? r.dst_mem : r.src_mem, i->access[k].store ? 2 : 4,
                    i->access[k].addr);
    r.ip = GUINT64_TO_LE(r.ip);
    for (unsigned k = 0; k < G_N_ELEMENTS(r.dst_mem); k++)
        r.dst_mem[k] = GUINT64_TO_LE(r.dst_mem[k]);
    for (unsigned k = 0; k < G_N_ELEMENTS(r.src_mem); k++)
        r.src_mem[k] = GUINT64_TO_LE(r.src_mem[k]);
    fwrite(&r, sizeof(r), 1, c->out);
}
#endif

static const Format formats[] = {
    { "text", NULL, text_insn, NULL },
    { "lackey", NULL, lackey_insn, NULL },
    { "bb", bb_begin, bb_insn, bb_end },
#ifdef HAVE_CAPSTONE
    { "champsim", champsim_begin, champsim_insn, champsim_end },
#endif
};

/* ---- Commands ----------------------------------------------------------------------------------
 */

static TraceReader *open_trace(const char *path, GError **error)
{
    const char *why;
    TraceReader *r = trace_reader_open(path, &why);

    if (!r)
        error_set(error, "could not open trace '%s': %s", path, why);
    return r;
}

static bool info(const char *path, GError **error)
{
    TraceReader *r = open_trace(path, error);

    if (!r)
        return false;
    printf("instructions: %" PRIu64 "\nframes: %" PRIu64 "\nindex: %s\n", trace_reader_count(r),
           trace_reader_frames(r), trace_reader_is_whole(r) ? "yes" : "no (the run was cut short)");
    trace_reader_close(r);
    return true;
}

/* The next pc is known one instruction late. */
static bool convert_all(TraceReader *r, const Format *f, Conversion *c, GError **error)
{
    g_autofree TraceAccess *accesses = NULL;
    const char *why = NULL;
    TraceInsn now, next;
    bool has = trace_reader_next(r, &next, &why);

    while (has) {
        now = next;
        g_free(accesses);
        accesses = g_memdup2(now.access, now.naccesses * sizeof(TraceAccess));
        now.access = accesses;
        has = trace_reader_next(r, &next, &why);
        f->insn(c, &now, has ? next.pc : now.pc + now.size);
    }
    if (why)
        error_set(error, "%s", why);
    return !why;
}

static bool convert(const char *to, const char *from, const char *path, GError **error)
{
    const Format *f = formats;
    Conversion c = { .out = stdout };
    TraceReader *r;
    bool ok;

    while (f < formats + G_N_ELEMENTS(formats) && strcmp(f->name, to))
        f++;
    if (f == formats + G_N_ELEMENTS(formats)) {
        error_set(error, "trace convert: unknown format '%s' (text, lackey, bb, champsim)", to);
        return false;
    }
    r = open_trace(from, error);
    if (!r)
        return false;
    if (path && !(c.out = fopen(path, "we"))) {
        error_set(error, "could not open '%s': %s", path, g_strerror(errno));
        trace_reader_close(r);
        return false;
    }
    ok = !f->begin || f->begin(&c, error);
    if (ok) {
        ok = convert_all(r, f, &c, error);
        if (f->end)
            f->end(&c);
    }
    trace_reader_close(r);
    if ((path ? fclose(c.out) : fflush(c.out)) && ok) {
        error_set(error, "could not write '%s': %s", path ? path : "stdout", g_strerror(errno));
        ok = false;
    }
    return ok;
}

static bool parse_span(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;

    *first = g_ascii_strtoull(text, &end, 0);
    if (end == text || strncmp(end, "..", 2))
        return false;
    text = end + 2;
    *last = g_ascii_strtoull(text, &end, 0);
    return end != text && !*end && *first <= *last;
}

#define PART 16 /* accesses that are written at once */

/* The next accesses of @i, and itself before the first. */
static void copy_part(TraceWriter *w, const TraceInsn *i, uint32_t from, uint32_t to)
{
    TraceStep step[PART + 1] = { { .kind = TRACE_STEP_INSN, .size = i->size, .bytes = i->bytes } };
    uint64_t word[PART * 5];
    unsigned n = from == 0, at = 0;

    for (uint32_t k = from; k < to; k++) {
        const TraceAccess *a = &i->access[k];
        word[at] = a->addr;
        memcpy(&word[at + 1], a->value, sizeof(a->value));
        step[n++] = (TraceStep){ .kind = a->store ? TRACE_STEP_STORE : TRACE_STEP_LOAD,
                                 .size = a->size,
                                 .word = (uint16_t)(at + 1),
                                 .address = (uint16_t)at };
        at += 5;
    }
    trace_writer_run(w, trace_writer_path(w, step, n), i->pc, word, 0, n, i->cpu);
}

static void copy_insn(TraceWriter *w, const TraceInsn *i)
{
    for (uint32_t k = 0; k == 0 || k < i->naccesses; k += PART)
        copy_part(w, i, k, MIN(k + PART, i->naccesses));
    if (i->aborted)
        trace_writer_abort(w);
}

static bool cut(const char *span, const char *from, const char *path, GError **error)
{
    uint64_t first, last, number;
    const char *why = NULL;
    TraceReader *r;
    TraceWriter *w;
    TraceInsn insn;

    if (!parse_span(span, &first, &last)) {
        error_set(error, "trace cut: '%s' is no range of instructions A..B", span);
        return false;
    }
    r = open_trace(from, error);
    if (!r)
        return false;
    w = trace_writer_open(path, 3, &why);
    if (!w) {
        error_set(error, "could not open '%s': %s", path, why);
        trace_reader_close(r);
        return false;
    }
    if (trace_reader_seek(r, first))
        for (number = first; number <= last && trace_reader_next(r, &insn, &why); number++)
            copy_insn(w, &insn);
    if (why)
        error_set(error, "%s: %s", from, why);
    trace_reader_close(r);
    const char *failed;
    if (!trace_writer_close(w, &failed) && !why) {
        error_set(error, "could not write '%s': %s", path, failed);
        return false;
    }
    return !why;
}

bool trace_is_command(int argc, char **argv)
{
    return argc > 1 && !strcmp(argv[1], "trace");
}

bool trace_command(int argc, char **argv, GError **error)
{
    if (argc == 4 && !strcmp(argv[2], "info"))
        return info(argv[3], error);
    if (argc == 6 && !strcmp(argv[2], "cut"))
        return cut(argv[3], argv[4], argv[5], error);
    if ((argc == 5 || argc == 6) && !strcmp(argv[2], "convert"))
        return convert(argv[3], argv[4], argc == 6 ? argv[5] : NULL, error);
    error_set(error, "usage: mimus trace info FILE | cut A..B FILE OUT | "
                     "convert text|lackey|bb|champsim FILE [OUT]");
    return false;
}
