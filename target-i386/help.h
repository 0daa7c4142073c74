/* SPDX-License-Identifier: MIT */
/* Helpers of integer, string and addressing code (help-arith.c, help-string.c); rows: helpers.def.
 */
#ifndef TARGET_I386_HELP_H
#define TARGET_I386_HELP_H

#include "target-i386/cpu.h"

uint32_t help_daa(CpuX86 *c, uint32_t ax, uint32_t flags);
uint32_t help_das(CpuX86 *c, uint32_t ax, uint32_t flags);
uint32_t help_aaa(CpuX86 *c, uint32_t ax, uint32_t flags);
uint32_t help_aas(CpuX86 *c, uint32_t ax, uint32_t flags);
uint64_t help_rcl(CpuX86 *c, uint64_t value, uint32_t how);
uint64_t help_rcr(CpuX86 *c, uint64_t value, uint32_t how);
uint32_t help_rcl_flags(CpuX86 *c, uint64_t value, uint32_t how);
uint32_t help_rcr_flags(CpuX86 *c, uint64_t value, uint32_t how);
uint32_t help_crc32(CpuX86 *c, uint32_t crc, uint64_t data, uint32_t bytes);

/* Linear address of offset @ea in segment @seg, after the checks of rights and limit that an access
 * of @size bytes makes; raises #GP(0) or #SS(0). Also for generators' own helpers. */
uint64_t x86_segment_address(CpuX86 *c, unsigned seg, uint64_t ea, uint32_t size, bool write);
/* #AC(0) where alignment checks are on and @addr is no multiple of @size. */
static inline void x86_check_alignment(CpuX86 *c, uint64_t addr, unsigned size)
{
    if (G_UNLIKELY(c->mode & X86_MODE_AC) && (addr & (size - 1)))
        x86_raise_error(c, EXCP_AC, 0);
}
void help_check_segment(CpuX86 *c, uint32_t how, uint64_t ea);
void help_store_raised(CpuX86 *c, uint32_t how, uint64_t ea, uint32_t selector);

/* The word that tells a string helper its instruction. */
typedef enum StringOp { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_SCAS, STRING_CMPS } StringOp;
enum {
    STRING_OP = 7 << 0,
    STRING_SIZE_SHIFT = 4,   /* log2 of the element's bytes: 2 bits */
    STRING_ASIZE_SHIFT = 8,  /* IrType of the address size: 4 bits */
    STRING_SEG_SHIFT = 12,   /* segment of the source: 3 bits */
    STRING_REPNE = 1 << 16,  /* F2; else F3 */
    STRING_SINGLE = 1 << 17, /* one element at a time (single-step) */
    STRING_PLAIN = 1 << 20,  /* 64-bit addresses, no bases, no alignment checks, not SINGLE */
    STRING_MMU_SHIFT = 21,   /* MMU_* of PLAIN ones: 2 bits */
};
/* What a REP instruction does each time it is entered: at most so many bytes, until RCX is a
 * multiple of as many elements. So it is entered as often whatever part of that either helper, or a
 * fault, leaves to the next. */
#define STRING_CALL_BYTES (64 * 1024)
static inline uint64_t string_call_elements(uint64_t rcx, unsigned log2)
{
    return ((rcx - 1) & ((STRING_CALL_BYTES >> log2) - 1)) + 1;
}
/* help-string-quick.c */
bool quick_string_move(CpuX86 *c, uint64_t *result, uint32_t how);
bool quick_string_compare(CpuX86 *c, uint64_t *result, uint32_t how);
bool block_string_move(uint32_t how, TcgBlockMove *m);
uint32_t help_string_move(CpuX86 *c, uint32_t how);
uint32_t help_string_compare(CpuX86 *c, uint32_t how);

#endif
