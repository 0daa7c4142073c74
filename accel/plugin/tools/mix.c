/* SPDX-License-Identifier: MIT */
/* What instructions were executed, by name. Arguments: top=N lines (default 40); by=class: a few
 * classes instead. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <mimus-plugin.h>

MIMUS_PLUGIN;

typedef struct Kind {
    char name[32];
    uint64_t times;
    struct Kind *next;
} Kind;

static uint64_t top = 40;
static const char *by = "name";
static Kind *kinds[1024];
static size_t nkinds;

static const struct {
    const char *prefix, *class;
} classes[] = {
    /* the first that fits */
    { "call", "call" },    { "lcall", "call" },     { "ret", "return" },    { "iret", "return" },
    { "lret", "return" },  { "jmp", "jump" },       { "ljmp", "jump" },     { "j", "branch" },
    { "loop", "branch" },  { "rep", "string" },     { "movs ", "string" },  { "stos", "string" },
    { "lods", "string" },  { "scas", "string" },    { "cmps", "string" },   { "push", "stack" },
    { "pop", "stack" },    { "leave", "stack" },    { "enter", "stack" },   { "lock", "atomic" },
    { "xchg", "atomic" },  { "cmpxchg", "atomic" }, { "xadd", "atomic" },   { "v", "vector" },
    { "p", "vector" },     { "movap", "vector" },   { "movup", "vector" },  { "movdq", "vector" },
    { "movq", "vector" },  { "movs", "move" },      { "movz", "move" },     { "mov", "move" },
    { "cmov", "move" },    { "lea", "address" },    { "f", "x87" },         { "div", "divide" },
    { "idiv", "divide" },  { "mul", "multiply" },   { "imul", "multiply" }, { "in ", "port" },
    { "out", "port" },     { "in", "integer" },     { "cli", "system" },    { "sti", "system" },
    { "wrmsr", "system" }, { "rdmsr", "system" },   { "swapgs", "system" }, { "sys", "system" },
    { "hlt", "system" },   { "cpuid", "system" },   { "rdtsc", "system" },  { "invl", "system" },
    { "nop", "nop" },      { "endbr", "nop" },      { "", "integer" },
};

static const char *class_of(const char *text)
{
    size_t i = 0;

    while (strncmp(text, classes[i].prefix, strlen(classes[i].prefix)))
        i++;
    return classes[i].class;
}

static Kind *find(const char *name, size_t len)
{
    unsigned h = 0;
    Kind *k;

    len = len < sizeof(k->name) - 1 ? len : sizeof(k->name) - 1;
    for (size_t i = 0; i < len; i++)
        h = h * 31 + (unsigned char)name[i];
    for (k = kinds[h % 1024]; k; k = k->next)
        if (!strncmp(k->name, name, len) && !k->name[len])
            return k;
    k = calloc(1, sizeof(*k));
    if (!k)
        abort();
    memcpy(k->name, name, len);
    k->next = kinds[h % 1024];
    kinds[h % 1024] = k;
    nkinds++;
    return k;
}

static void free_kinds(void)
{
    for (unsigned i = 0; i < 1024; i++) {
        while (kinds[i]) {
            Kind *next = kinds[i]->next;
            free(kinds[i]);
            kinds[i] = next;
        }
    }
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        const char *text = mimus_insn_text(mimus_block_insn(b, i));
        const char *name = !text ? "unknown" : *by == 'c' ? class_of(text) : text;

        mimus_insn_record(mimus_block_insn(b, i), find(name, strcspn(name, " ")));
    }
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].kind == MIMUS_RECORD_INSN)
            ((Kind *)r[i].data)->times++;
        else if (r[i].kind == MIMUS_RECORD_ABORT)
            ((Kind *)r[i].data)->times--;
    }
}

static int by_times(const void *p, const void *q)
{
    const Kind *a = *(Kind *const *)p, *b = *(Kind *const *)q;

    return a->times != b->times ? (a->times < b->times ? 1 : -1) : strcmp(a->name, b->name);
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = { { "top", MIMUS_NUMBER, &top }, { "by", MIMUS_STRING, &by } };

    if (!mimus_options(p, options, 2))
        return false;
    if (strcmp(by, "name") && strcmp(by, "class")) {
        mimus_fail(p, "by=%s: name or class is expected", by);
        return false;
    }
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    Kind **all = calloc(nkinds + 1, sizeof(*all));
    uint64_t total = 0;
    size_t n = 0;

    for (unsigned i = 0; i < 1024; i++) {
        for (Kind *k = kinds[i]; k; k = k->next) {
            all[n++] = k;
            total += k->times;
        }
    }
    qsort(all, n, sizeof(*all), by_times);
    mimus_print(p, "mix: %" PRIu64 " instructions of %zu kinds\n", total, n);
    for (size_t i = 0; i < n && i < top; i++)
        mimus_print(p, "%14" PRIu64 "  %5.1f%%  %s\n", all[i]->times,
                    total ? 100.0 * (double)all[i]->times / (double)total : 0.0, all[i]->name);
    free(all);
    free_kinds();
}
