/* SPDX-License-Identifier: MIT */
/*
 * Between the engine and its plugins. A Tb that was translated while plugins look on has a Trace:
 * what was put into its code. Without plugins, Accel.plugins and Tb.trace are NULL and nothing here
 * is called.
 */
#ifndef ACCEL_PLUGIN_INSTRUMENT_H
#define ACCEL_PLUGIN_INSTRUMENT_H

#include "accel/cpu.h"
#include "accel/guest-mem.h"

typedef struct Accel Accel;
typedef struct PluginSet PluginSet;
typedef struct Trace Trace;
struct Tb;

/* Slots and helpers of instrumented code, behind the architecture's. PluginState is at @offset. */
void plugin_slots(IrSlot slots[PLUGIN_SLOTS], uint32_t offset);
enum {
    PLUGIN_FLUSH,
    PLUGIN_FIND_PHYSICAL,
    PLUGIN_CALL,
    PLUGIN_CALL_READ,
    PLUGIN_CALL_WRITE,
    PLUGIN_CALL_WRITE_END,
    PLUGIN_HELPERS
};
#define PLUGIN_EXIT_ROOM (UINT32_MAX - 1) /* exit reason: plugin_make_room() is wanted */
extern const TcgHelper plugin_helpers[PLUGIN_HELPERS];

/* The frontend has made @ir of @req: let the plugins look. True: what instructions leave for each
 * other must go through slots, so the frontend is to make it again (IrBlock.apart). */
bool plugin_look(Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes, const IrBlock *ir);
/* Put in what they asked for. */
void plugin_instrument(Cpu *cpu, IrBlock *ir, struct Tb *tb);
void plugin_trace_free(Trace *t);
void plugin_make_room(Cpu *cpu);
/* Blocks are about to be thrown away: what they noted is handed over. */
void plugin_drain(PluginSet *s);
void plugin_forget_blocks(PluginSet *s);

/* Instructions of the running @tb from @index on were begun with, but will not be executed now;
 * @again: the first of them will be at once, by itself. cpu->pc is its. */
void plugin_give_back(Cpu *cpu, const struct Tb *tb, unsigned index, bool again);
/* The same for a trap of translated code. */
void plugin_give_back_at_pc(Cpu *cpu);
/* The machine starts, stops; a replay ends: MimusEventKind. */
void plugin_machine_event(Accel *a, unsigned kind, const char *why);
/* C code has made an access for the instruction that is being executed; or will, if it does not
 * fault: @value NULL for a load. */
void plugin_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size, bool write);
void plugin_before_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size, bool write);
/* Are accesses of the instruction that is being executed only recorded, so that many can be told at
 * once? And the telling. */
bool plugin_takes_elements(Cpu *cpu);
void plugin_elements(Cpu *cpu, const CpuElements *e);

#endif
