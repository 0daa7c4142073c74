/* SPDX-License-Identifier: MIT */
/*
 * Writes what is executed and accessed as the tool lackey of valgrind does with --trace-mem=yes:
 * "I  addr,size", " L addr,size", " S addr,size", " M addr,size" (modify: a load and a store of the
 * same place by one instruction). Arguments: out=FILE (else the log), values=on: "=VALUE" behind
 * each access.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mimus-plugin.h>

MIMUS_PLUGIN;

static const char *out_name;
static bool values;
static FILE *out;
static MimusRecord insn, last; /* not written yet */
static bool has_insn, has_last;

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        mimus_insn_record(mimus_block_insn(b, i), NULL);
        mimus_insn_record_access(mimus_block_insn(b, i), MIMUS_LOAD | MIMUS_STORE, NULL);
    }
}

static void write_access(const char *kind, const MimusRecord *r)
{
    fprintf(out, " %s %" PRIx64 ",%u", kind, r->vaddr, r->size);
    if (values) {
        fputc('=', out);
        for (unsigned i = r->size; i-- > 0;)
            fprintf(out, "%02x", mimus_record_byte(r, i));
    }
    fputc('\n', out);
}

static void write_pending(void)
{
    if (has_insn)
        fprintf(out, "I  %" PRIx64 ",%u\n", insn.pc, insn.size);
    if (has_last)
        write_access(last.kind == MIMUS_RECORD_LOAD ? "L" : "S", &last);
    has_insn = has_last = false;
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        bool modifies = r[i].kind == MIMUS_RECORD_STORE && has_last &&
                        last.kind == MIMUS_RECORD_LOAD && last.vaddr == r[i].vaddr &&
                        last.size == r[i].size && last.pc == r[i].pc;
        if (r[i].kind == MIMUS_RECORD_ABORT) {
            has_insn = false; /* what it has accessed, it has accessed */
            continue;
        }
        if (modifies) {
            has_last = false;
            write_pending();
            write_access("M", &r[i]);
            continue;
        }
        if (r[i].kind == MIMUS_RECORD_INSN) {
            write_pending();
            insn = r[i];
            has_insn = true;
        } else {
            if (has_last)
                write_pending();
            last = r[i];
            has_last = true;
        }
    }
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "out", MIMUS_STRING, &out_name },
        { "values", MIMUS_BOOL, &values },
    };

    if (!mimus_options(p, options, sizeof(options) / sizeof(options[0])))
        return false;
    out = out_name ? fopen(out_name, "we") : stderr;
    if (!out) {
        mimus_fail(p, "could not open '%s': %s", out_name, strerror(errno));
        return false;
    }
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    write_pending();
    if (out == stderr)
        fflush(out);
    else if (fclose(out))
        mimus_print(p, "lackey: could not write '%s': %s\n", out_name, strerror(errno));
}
