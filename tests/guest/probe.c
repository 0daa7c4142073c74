/* SPDX-License-Identifier: MIT */
/*
 * A plugin that looks at a run in several ways at once and says where they disagree: accesses
 * before and after, their physical addresses and what memory has there, the same as records, as
 * operands. Arguments: from=N: code that is new after N instructions; insns=N: then exit;
 * replay=on: only what is told of a replay.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mimus-plugin.h>

#ifdef PROBE_API /* as one that was built with another version of the header */
MIMUS_EXPORT const uint32_t mimus_plugin_api = PROBE_API;
#else
MIMUS_PLUGIN;
#endif

static uint64_t insns = 300000, from, decoded, undecoded, accesses, loads, records, wrong, starts,
                ends;
static uint64_t sum_told, sum_recorded, memory_operands;
static MimusAccess before;
static bool is_before;

static void complain(MimusPlugin *p, const char *what, uint64_t pc)
{
    if (wrong++ < 10)
        mimus_print(p, "probe: %s at %" PRIx64 "\n", what, pc);
}

/* ---- Operands -------------------------------------------------------------------------------- */

static bool has_register(const char *const *list, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}

static void check_operands(MimusPlugin *p, const MimusInsn *i, const MimusDecoded *d)
{
    const char *text = mimus_insn_text(i);

    if (strncmp(text, d->mnemonic, strlen(d->mnemonic)))
        complain(p, "decoded and text differ", mimus_insn_vaddr(i));
    for (unsigned k = 0; k < d->noperands; k++) {
        const MimusOperand *o = &d->operand[k];
        if (o->kind == MIMUS_OPERAND_REGISTER && !strstr(text, o->reg))
            complain(p, "an operand that the text lacks", mimus_insn_vaddr(i));
        if (o->kind == MIMUS_OPERAND_MEMORY && o->base && !has_register(d->read, d->nread, o->base))
            complain(p, "a base that is not read", mimus_insn_vaddr(i));
        memory_operands += o->kind == MIMUS_OPERAND_MEMORY;
    }
    if ((d->flow & MIMUS_FLOW_CONDITIONAL) && *d->mnemonic != 'j' && *d->mnemonic != 'l')
        complain(p, "a condition of no branch", mimus_insn_vaddr(i));
    if (!strcmp(d->mnemonic, "push") && !has_register(d->written, d->nwritten, "rsp") &&
        !has_register(d->written, d->nwritten, "esp") &&
        !has_register(d->written, d->nwritten, "sp"))
        complain(p, "a PUSH that leaves its stack pointer", mimus_insn_vaddr(i));
}

/* ---- Accesses -------------------------------------------------------------------------------- */

static uint64_t digest(uint64_t sum, uint64_t kind, uint64_t vaddr, uint64_t page, uint64_t size)
{
    return (sum ^ (vaddr + kind * 3 + size * 5 + page * 7)) * 0x9e3779b97f4a7c15ull + 1;
}

static void warned(MimusPlugin *p, unsigned cpu, const MimusAccess *a, void *data)
{
    before = *a;
    is_before = true;
}

/* Not VGA's window, nor shadowed ROM, which forgets what is written. */
static bool is_ram(uint64_t paddr)
{
    return paddr < 0xa0000 || (paddr >= 1 << 20 && paddr < 256 << 20);
}

static void accessed(MimusPlugin *p, unsigned cpu, const MimusAccess *a, void *data)
{
    uint8_t there[32];
    uint64_t page = a->paddr == UINT64_MAX ? UINT32_MAX : a->paddr >> 12;

    accesses++;
    loads += a->kind == MIMUS_LOAD;
    sum_told = digest(sum_told, a->kind, a->vaddr, page, a->size);
    if (!is_before || before.vaddr != a->vaddr || before.kind != a->kind || before.size != a->size)
        complain(p, "an access without warning", a->pc);
    else if (a->kind == MIMUS_STORE && memcmp(before.value, a->value, a->size))
        complain(p, "another value was announced", a->pc);
    is_before = false;
    if (a->paddr != mimus_physical(p, cpu, a->vaddr))
        complain(p, "another physical address", a->pc);
    if ((a->vaddr & 4095) + a->size <= 4096 && is_ram(a->paddr) &&
        mimus_read_physical(p, a->paddr, there, a->size) && memcmp(there, a->value, a->size))
        complain(p, "memory has another value", a->pc);
    if (mimus_instructions(p) >= insns)
        mimus_exit(p, 0);
}

static void recorded(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque)
{
    for (size_t i = 0; i < n; i++) {
        records++;
        sum_recorded = digest(sum_recorded, r[i].kind, r[i].vaddr, r[i].page, r[i].size);
    }
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    const unsigned both = MIMUS_LOAD | MIMUS_STORE;

    for (size_t k = 0; k < mimus_block_insns(b) && mimus_instructions(p) >= from; k++) {
        MimusInsn *i = mimus_block_insn(b, k);
        MimusDecoded d;

        if (mimus_insn_decode(i, &d, sizeof(d))) {
            decoded++;
            check_operands(p, i, &d);
        } else {
            undecoded++;
        }
        mimus_insn_call_before_access(i, both, MIMUS_NO_REGS, NULL, warned, NULL);
        mimus_insn_call_access(i, both | MIMUS_PHYSICAL, MIMUS_NO_REGS, NULL, accessed, NULL);
        mimus_insn_record_access(i, both | MIMUS_PHYSICAL, NULL);
    }
}

/* ---- Replays --------------------------------------------------------------------------------- */

static void told(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    starts += e->kind == MIMUS_REPLAY_START;
    ends += e->kind == MIMUS_REPLAY_END;
    if (e->kind == MIMUS_REPLAY_END)
        mimus_print(p, "probe: replay ends, %s\n", e->why ? e->why : "as recorded");
}

bool mimus_plugin_load(MimusPlugin *p)
{
    bool replay = false;
    const MimusOption options[] = { { "insns", MIMUS_NUMBER, &insns },
                                    { "from", MIMUS_NUMBER, &from },
                                    { "replay", MIMUS_BOOL, &replay } };

    if (!mimus_options(p, options, 3))
        return false;
    mimus_on_event(p, MIMUS_REPLAY_START, told, NULL);
    mimus_on_event(p, MIMUS_REPLAY_END, told, NULL);
    if (replay)
        return true;
    mimus_on_translate(p, translated, NULL);
    mimus_on_records(p, recorded, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    if (sum_told != sum_recorded || accesses != records)
        complain(p, "calls and records differ", 0);
    mimus_print(p,
                "probe: %" PRIu64 " decoded, %" PRIu64 " not, %" PRIu64
                " operands in memory, %" PRIu64 " accesses, %" PRIu64 " loads, digest %" PRIx64
                "\nprobe: %" PRIu64 " replays begun, %" PRIu64 " ended\nprobe: %" PRIu64 " wrong\n",
                decoded, undecoded, memory_operands, accesses, loads, sum_told, starts, ends,
                wrong);
}
