/* SPDX-License-Identifier: MIT */
/*
 * Who calls whom: a tree of calls, weighted by instructions, by a shadow stack for each stack of
 * the guest (told apart by RSP / 16 KiB and address space). Arguments: out=FILE: folded stacks for
 * flamegraph.pl, inferno, speedscope; callgrind=FILE for KCachegrind; symbols=FILE, slide=N: names;
 * kernel=on: CPL 0 alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <mimus-plugin.h>

#include "accel/plugin/tools/flow.h"
#include "accel/plugin/tools/table.h"

MIMUS_PLUGIN;

#define DEPTH 256

typedef struct Node { /* a function called by that chain of callers */
    uint64_t func;
    uint64_t self, calls;
    struct Node *parent, *child, *next;
} Node;

typedef struct Frame {
    uint64_t rsp; /* where the return address is */
    Node *node;
} Frame;

typedef struct Stack {
    unsigned depth;
    Frame *frame; /* [DEPTH] */
} Stack;

static const char *out_name, *callgrind_name, *symbols_name;
static uint64_t slide;
static bool kernel_only;
static MimusSymbols *symbols;
static Table stacks = { .value_size = sizeof(Stack) };
static Node roots[2]; /* [kernel, user] */
static Node *current[256];
static bool entering[256]; /* a call was made: the next block begins a function */
static uint64_t entering_rsp[256];
static uint64_t since;
static int reg_rsp;

static Node *child_of(Node *n, uint64_t func)
{
    Node *c;

    for (c = n->child; c; c = c->next)
        if (c->func == func)
            return c;
    c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->func = func;
    c->parent = n;
    c->next = n->child;
    n->child = c;
    return c;
}

static void free_below(Node *n)
{
    while (n->child) {
        Node *next = n->child->next;
        free_below(n->child);
        free(n->child);
        n->child = next;
    }
}

static uint64_t function_at(uint64_t pc)
{
    uint64_t start;

    return mimus_symbol_find(symbols, pc, &start) ? start : pc;
}

static Stack *stack_of(MimusPlugin *p, unsigned cpu, uint64_t rsp)
{
    bool user = mimus_privilege(p, cpu) == 3;
    Stack *s =
        table_at(&stacks, (rsp >> 14 << 1 | user) + 1 + (user ? mimus_space(p, cpu) << 20 : 0));

    if (!s->frame) {
        s->frame = calloc(DEPTH, sizeof(Frame));
        if (!s->frame)
            abort();
    }
    return s;
}

static void free_stacks(void)
{
    for (size_t i = 0; i < stacks.room; i++)
        free(((Stack *)(stacks.values + i * stacks.value_size))->frame);
    table_free(&stacks);
}

/* What has been executed since the last time belongs to @cpu's function. */
static void account(MimusPlugin *p, unsigned cpu)
{
    uint64_t now = mimus_instructions(p);

    if (current[cpu])
        current[cpu]->self += now - since;
    since = now;
}

static void push(MimusPlugin *p, unsigned cpu, uint64_t rsp, uint64_t pc)
{
    Stack *s = stack_of(p, cpu, rsp);
    Node *parent;

    while (s->depth && s->frame[s->depth - 1].rsp <= rsp)
        s->depth--;
    parent = s->depth ? s->frame[s->depth - 1].node : &roots[mimus_privilege(p, cpu) == 3];
    if (s->depth == DEPTH)
        return;
    s->frame[s->depth] = (Frame){ rsp, child_of(parent, function_at(pc)) };
    current[cpu] = s->frame[s->depth++].node;
    current[cpu]->calls++;
}

/* What jumps on to the function that was called (Linux). */
static bool is_thunk(uint64_t pc)
{
    uint64_t start;
    const char *name = mimus_symbol_find(symbols, pc, &start);

    return name && (!strncmp(name, "__x86_indirect_", 15) || !strncmp(name, "__x86_return_", 13) ||
                    !strncmp(name, "__static_call_text_", 19));
}

static void block(MimusPlugin *p, unsigned cpu, uint64_t pc, void *data)
{
    if (!entering[cpu] || is_thunk(pc))
        return;
    entering[cpu] = false;
    account(p, cpu);
    push(p, cpu, entering_rsp[cpu], pc);
}

static void called(MimusPlugin *p, unsigned cpu, uint64_t pc, void *data)
{
    entering[cpu] = true;
    entering_rsp[cpu] = mimus_register_value(p, reg_rsp);
}

/* After a return: frames whose return address has been popped are gone. */
static void returned(MimusPlugin *p, unsigned cpu, uint64_t pc, void *data)
{
    uint64_t rsp = mimus_register_value(p, reg_rsp);
    Stack *s = stack_of(p, cpu, rsp);

    account(p, cpu);
    while (s->depth && s->frame[s->depth - 1].rsp < rsp)
        s->depth--;
    current[cpu] = s->depth ? s->frame[s->depth - 1].node : &roots[mimus_privilege(p, cpu) == 3];
}

/* Into a handler or out of it, into the kernel or out of it. */
static void crossed(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    uint64_t rsp = mimus_register_value(p, reg_rsp);

    account(p, e->cpu);
    entering[e->cpu] = false;
    if (e->kind == MIMUS_INTERRUPT || e->kind == MIMUS_SYSCALL)
        push(p, e->cpu, rsp, e->trap.to);
    else
        returned(p, e->cpu, e->trap.to, NULL);
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    MimusFilter filter = { .privileges = kernel_only ? 1 : 0 };

    mimus_block_call(b, MIMUS_NO_REGS, &filter, block, NULL);
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        MimusInsn *insn = mimus_block_insn(b, i);
        if (flow_of(insn) == FLOW_CALL)
            mimus_insn_call(insn, MIMUS_AFTER, MIMUS_READ_REGS, &filter, called, NULL);
        else if (flow_of(insn) == FLOW_RETURN)
            mimus_insn_call(insn, MIMUS_AFTER, MIMUS_READ_REGS, &filter, returned, NULL);
    }
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

static void put_name(FILE *f, uint64_t func)
{
    uint64_t start;
    const char *name = mimus_symbol_find(symbols, func, &start);

    if (name)
        fputs(name, f);
    else
        fprintf(f, "0x%" PRIx64, func);
}

static void put_chain(FILE *f, const Node *n)
{
    if (n == &roots[0] || n == &roots[1]) {
        fputs(n == &roots[0] ? "kernel" : "user", f);
        return;
    }
    put_chain(f, n->parent);
    fputc(';', f);
    put_name(f, n->func);
}

static void fold(FILE *f, const Node *n)
{
    if (n->self) {
        put_chain(f, n);
        fprintf(f, " %" PRIu64 "\n", n->self);
    }
    for (const Node *c = n->child; c; c = c->next)
        fold(f, c);
}

static uint64_t inclusive(const Node *n)
{
    uint64_t sum = n->self;

    for (const Node *c = n->child; c; c = c->next)
        sum += inclusive(c);
    return sum;
}

/* A section for each place of a function in the tree: readers add them up. */
static void grind(FILE *f, const Node *n, const char *root)
{
    fputs("fl=???\nfn=", f); /* no file is known */
    root ? (void)fputs(root, f) : put_name(f, n->func);
    fprintf(f, "\n0 %" PRIu64 "\n", n->self);
    for (const Node *c = n->child; c; c = c->next) {
        fputs("cfn=", f);
        put_name(f, c->func);
        fprintf(f, "\ncalls=%" PRIu64 " 0\n0 %" PRIu64 "\n", c->calls, inclusive(c));
    }
    fputc('\n', f);
    for (const Node *c = n->child; c; c = c->next)
        grind(f, c, NULL);
}

static void write_folded(FILE *f)
{
    fold(f, &roots[0]);
    fold(f, &roots[1]);
}

static void write_callgrind(FILE *f)
{
    fprintf(f,
            "# callgrind format\nversion: 1\ncreator: mimus\npositions: line\nevents: Ir\n"
            "summary: %" PRIu64 "\n\n",
            inclusive(&roots[0]) + inclusive(&roots[1]));
    grind(f, &roots[0], "(kernel)");
    grind(f, &roots[1], "(user)");
}

static void write_file(MimusPlugin *p, const char *name, void (*write)(FILE *f))
{
    FILE *f = name ? fopen(name, "we") : NULL;

    if (f)
        write(f);
    if (name && (!f || fclose(f)))
        mimus_print(p, "calls: could not write '%s': %s\n", name, strerror(errno));
}

bool mimus_plugin_load(MimusPlugin *p)
{
    static const MimusEventKind kinds[] = { MIMUS_INTERRUPT, MIMUS_RETURN, MIMUS_SYSCALL,
                                            MIMUS_SYSRET };
    const MimusOption options[] = {
        { "out", MIMUS_STRING, &out_name },         { "callgrind", MIMUS_STRING, &callgrind_name },
        { "symbols", MIMUS_STRING, &symbols_name }, { "slide", MIMUS_NUMBER, &slide },
        { "kernel", MIMUS_BOOL, &kernel_only },
    };

    if (!mimus_options(p, options, sizeof(options) / sizeof(options[0])))
        return false;
    if (!out_name && !callgrind_name) {
        mimus_fail(p, "out=FILE or callgrind=FILE is needed");
        return false;
    }
    if (symbols_name && !(symbols = mimus_symbols_load(p, symbols_name, slide)))
        return false;
    reg_rsp = mimus_register(p, "rsp");
    for (unsigned i = 0; i < 4; i++)
        mimus_on_event(p, kinds[i], crossed, NULL);
    mimus_on_translate(p, translated, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    write_file(p, out_name, write_folded);
    write_file(p, callgrind_name, write_callgrind);
    for (unsigned i = 0; i < 2; i++)
        free_below(&roots[i]);
    free_stacks();
}
