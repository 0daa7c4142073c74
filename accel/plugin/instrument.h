/* SPDX-License-Identifier: MIT */
/*
 * Between the engine and its plugins. A Tb that was translated while plugins look on has a Trace:
 * what was put into its code. Without plugins, Accel.plugins and Tb.trace are NULL and nothing here
 * is called.
 */
#ifndef ACCEL_PLUGIN_INSTRUMENT_H
#define ACCEL_PLUGIN_INSTRUMENT_H

#include "accel/cpu.h"

typedef struct PluginSet PluginSet;
typedef struct Trace Trace;
struct Tb;

#define PLUGIN_SLOTS PLUGIN_COUNTERS
/* Describe PluginState, which is at @offset of the CPU's state. */
void plugin_slots(IrSlot slots[PLUGIN_SLOTS], uint32_t offset);

/* The frontend has made @ir of @req for @tb: let the plugins look, and put in what they ask for. */
void plugin_instrument(Cpu *cpu, const TranslateRequest *req, const uint8_t *bytes, IrBlock *ir,
                       struct Tb *tb);
/* Instructions of the running @tb from @index on were begun with, but will not be executed now. */
void plugin_give_back(Cpu *cpu, const struct Tb *tb, unsigned index);
void plugin_trace_free(Trace *t);
void plugin_set_free(PluginSet *s);

#endif
