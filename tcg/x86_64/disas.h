/* SPDX-License-Identifier: MIT */
/* Disassembly of host code for logs. */
#ifndef TCG_X86_64_DISAS_H
#define TCG_X86_64_DISAS_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct X86Backend;
void x64_disas(const struct X86Backend *be, const uint8_t *code, size_t size, GString *out);

#endif
