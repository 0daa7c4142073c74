/* SPDX-License-Identifier: MIT */
/*
 * The compiler as its users see it: a context per machine (code buffer, thunks, back end), a
 * function that turns an IrBlock into host code, and functions that run, link and retire it.
 *
 * A compiled block has two entries. The near entry is for links inside a mapping unit. The far
 * entry is for jumps that arrive with a guest pc: it sets env.vbase first. Both then subtract the
 * block's instruction count from env.budget and leave (TCG_EXIT_BUDGET, nothing executed, budget
 * restored, env.pc = start of block) if that makes it negative. A side exit gives back what was not
 * executed.
 *
 * Every exit leaves env complete: pinned slots stored, flags record current, pc exact (64-bit
 * vbase + offset for links, the jump's operand for jumps; the guest's width is the caller's to
 * apply).
 */
#ifndef TCG_TCG_H
#define TCG_TCG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tcg/guest-mem.h"
#include "tcg/helper.h"
#include "tcg/ir.h"

typedef struct Tcg Tcg;
typedef struct TcgCode TcgCode;

typedef enum TcgExit {
    TCG_EXIT_BUDGET, /* at a block's start */
    TCG_EXIT_LINK,   /* a goto that is not linked: TcgLeave.from and .link say which */
    TCG_EXIT_LOOKUP, /* a jump whose pc is not in the jump cache, or an entered block was retired */
    TCG_EXIT_REASON, /* exit, exit_if: TcgLeave.reason */
} TcgExit;

typedef struct TcgLeave {
    TcgExit kind;
    TcgCode *from; /* TCG_EXIT_LINK */
    unsigned link;
    uint32_t reason; /* TCG_EXIT_REASON; TCG_EXIT_LOOKUP: the jump's, 0 if none is known */
    uint32_t offset; /* TCG_EXIT_LOOKUP with a reason: where the jump's instruction is */
} TcgLeave;

/* A compiled block. Lives in the code buffer's bookkeeping until the buffer is flushed; not to
 * be copied. */
struct TcgCode {
    const void *far_entry; /* NULL: none made so far, see tcg_far_entry() */
    const void *near_entry;
    const uint8_t *start, *end; /* all of its host code, stubs included */
    uint16_t ninsns;
    uint8_t nlinks, ngotos; /* the links of gotos come first */
    bool retired;
    uint8_t body, looks, asks; /* the back end's own, as are the next two: links.c of each */
    uint16_t changes;
    uint32_t passages;
    uint32_t fault_map_size;
    const uint8_t *fault_map; /* the back end's own encoding */
    void *user;               /* the caller's block */
    struct {         /* link slots: where each goto goes in the guest; only nlinks are there */
        TcgCode *to; /* NULL: not linked */
        uint32_t offset;
        /* the back end's own, from start; 0: none */
        uint32_t patch, stub, flush;
        uint16_t giveback;
        union {
            uint32_t own[3]; /* any other */
            struct {         /* x86_64 */
                uint8_t room;
                uint32_t passage, loop, loop_patch, loop_stub;
            };
            struct { /* aarch64 */
                bool holds;
                uint16_t pins;
                uint32_t first;
            };
        };
    } link[IR_MAX_LINKS];
};

typedef struct TcgConfig {
    const char *backend; /* NULL: the host's; "interp" */
    size_t buffer_size;  /* bytes of code */
    bool verify;         /* check the IR between passes (tests, debug builds) */
    bool census;         /* count bytes of host code by what they are for */
    bool no_opt;         /* leave out what is optional: forwarding (tests) */
    TcgLayout layout;
    const IrSlot *slots;
    unsigned nslots;
    const TcgHelper *helpers;
    unsigned nhelpers;
} TcgConfig;

/* TCG_HAS_* of a back end, NULL: the host's. */
unsigned tcg_features(const char *backend);

/* Does the link go to the rest of the block, to be one with IrBlock.no_groups? */
static inline bool tcg_is_rest(const TcgCode *from, unsigned link)
{
    return link >= from->ngotos;
}

/* Does the back end know IrBlock.parted? */
bool tcg_links_rests(const Tcg *tcg);

/* NULL with @error: unknown back end, or the host refuses executable memory of that size. */
Tcg *tcg_new(const TcgConfig *config, GError **error);
void tcg_free(Tcg *tcg);
const char *tcg_backend_name(const Tcg *tcg);
const char *tcg_backend_list(void); /* for -accel help: "x86_64 interp" */

IrBlock *tcg_ir(Tcg *tcg); /* the context's block, to be reset and filled */

/* Compile tcg_ir(). NULL when the buffer is full: flush and try again. If @op_text / @asm_text are
 * not NULL the IR after passes and the host code are appended (-d op, -d out_asm). */
TcgCode *tcg_compile(Tcg *tcg, void *user, GString *op_text, GString *asm_text);

/* Where jumps that know the pc are to go: for the jump cache. NULL: the buffer is full. */
const void *tcg_far_entry(Tcg *tcg, TcgCode *code);

/* Run from @code's start until something leaves. env.pc must be the pc of its start. */
TcgLeave tcg_run(Tcg *tcg, void *env, TcgCode *code);

/* The same without a look at the budget, from which @code's instructions must have been taken, with
 * the result far below zero: no other block is run. Not all back ends can. */
TcgLeave tcg_run_once(Tcg *tcg, void *env, TcgCode *code);
bool tcg_runs_once(const Tcg *tcg);

/* Let @from's link slot go straight to @to's near entry: both in the same mapping unit, @to of the
 * mode in which @from leaves. @to NULL takes the link back: the slot leaves with TCG_EXIT_LINK
 * again. */
void tcg_link(Tcg *tcg, TcgCode *from, unsigned link, TcgCode *to);
/* No one shall enter @code again: whoever tries leaves with TCG_EXIT_LOOKUP and exact state. Its
 * own code stays valid for whoever is inside it. */
void tcg_retire(Tcg *tcg, TcgCode *code);
/* TCG_HAS_X87: the host's x87 takes on the guest's registers, tags, TOP and status word, from an
 * image as FXSAVE64 makes it, for blocks with ops x87 … x87_st; or gives them back and is empty
 * again, as C code wants it. In between this thread runs no C code that computes in long double. */
void tcg_x87_load(const Tcg *tcg, const void *image);
void tcg_x87_save(const Tcg *tcg, void *image);
/* Forget all code. Nothing may be running. */
void tcg_flush(Tcg *tcg);
size_t tcg_buffer_used(const Tcg *tcg);
/* With TcgConfig.census: what host code consists of, where the back end knows. */
void tcg_print_census(const Tcg *tcg, GString *out);
/* Count what was compiled last: for itself, as that takes its time too. */
void tcg_count(Tcg *tcg);
/* Where host code begins, shared thunks first; NULL: the back end makes none. */
const void *tcg_buffer_start(const Tcg *tcg);

/* The block whose host code (or, in the interpreter, op array) holds @host_pc, or NULL. */
TcgCode *tcg_find_code(Tcg *tcg, uint64_t host_pc);
/* After a fault at @host_pc: bring env's flags record up to date (registers are already dumped),
 * and tell the instruction: its offset in the mapping unit and its index in the block. */
void tcg_restore_state(Tcg *tcg, TcgCode *code, uint64_t host_pc, void *env, uint32_t *offset,
                       uint32_t *index);

#endif
