/* SPDX-License-Identifier: MIT */
/*
 * What a back end is: one struct of functions. tcg.c owns the pipeline and the bookkeeping of
 * compiled blocks; a back end turns a block that the passes have annotated into host code (or
 * whatever it runs) and knows how to enter, link and retire it.
 */
#ifndef TCG_BACKEND_H
#define TCG_BACKEND_H

#include "tcg/passes.h"
#include "tcg/tcg.h"

typedef struct TcgBackend TcgBackend;
struct TcgBackend {
    const char *name;
    bool has_groups;            /* one check for several memory accesses: ir_pass_forward() */
    bool has_wide_groups;       /* … also with equal sums for a base, and aligned ones */
    bool has_rests;             /* links for groups that cross pages: IrBlock.parted */
    unsigned (*features)(void); /* TCG_HAS_* */
    /* Code memory, prologue and shared thunks; the result is passed to the others. */
    void *(*init)(const TcgConfig *config, GError **error);
    void (*free)(void *be);
    /* An emit() comes soon: bring near what it writes to. May be NULL. */
    void (*prepare)(void *be);
    /* In place of ir_pass_backward(): the same, and notes of its own for emit(). May be NULL. */
    void (*backward)(void *be, IrBlock *ir, IrNotes *notes);
    /* Emit @ir. Fills @code but for user. False: buffer full, nothing emitted. */
    bool (*emit)(void *be, const IrBlock *ir, const IrNotes *notes, TcgCode *code);
    /* Make the far entry that emit() has left out (IrBlock.by_jump was false); NULL: buffer
     * full. */
    const void *(*far_entry)(void *be, TcgCode *code);
    TcgLeave (*run)(void *be, void *env, TcgCode *code);
    TcgLeave (*run_once)(void *be, void *env, TcgCode *code); /* tcg_run_once(); may be NULL */
    void (*link)(void *be, TcgCode *from, unsigned link, TcgCode *to);
    void (*retire)(void *be, TcgCode *code);
    void (*flush)(void *be);
    /* Code memory from *@start on, thunks first; *@start NULL: it is not host code. */
    size_t (*used)(const void *be, const void **start);
    void (*restore_state)(void *be, TcgCode *code, uint64_t host_pc, void *env, uint32_t *offset,
                          uint32_t *index);
    void (*x87_load)(const void *image); /* TCG_HAS_X87: see tcg.h */
    void (*x87_save)(void *image);
    void (*disas)(void *be, const TcgCode *code, GString *out);
    void (*census)(const void *be, GString *out); /* may be NULL: see tcg_print_census() */
    void (*count)(void *be);                      /* … and tcg_count() */
};

#ifdef TCG_NATIVE
extern const TcgBackend TCG_NATIVE; /* tcg_backend_NAME of the folder for this host */
#endif
extern const TcgBackend tcg_backend_interp;

#endif
