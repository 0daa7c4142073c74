/* SPDX-License-Identifier: MIT */
/* State components of the XSAVE family (SDM vol. 1, chapter 13): which there are, and how large. */
#ifndef TARGET_I386_XSAVE_H
#define TARGET_I386_XSAVE_H

#include <stdbool.h>
#include <stdint.h>

struct CpuX86;

uint64_t x86_xcr0_valid(const struct CpuX86 *c); /* components that XCR0 can have */
uint64_t x86_xss_valid(const struct CpuX86 *c);  /* … and IA32_XSS */
bool x86_xcr0_is_legal(const struct CpuX86 *c, uint64_t value);
/* Bytes of an area with the components @which, in the standard or the compacted form. */
uint32_t x86_xsave_size(const struct CpuX86 *c, uint64_t which, bool compacted);
/* CPUID leaf 0DH, subleaf @number, of a component but the first two; nothing if there is none. */
void x86_xsave_component(const struct CpuX86 *c, uint32_t number, uint32_t out[4]);

#endif
