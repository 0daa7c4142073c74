/* SPDX-License-Identifier: MIT */
/* Selectors and addresses that assembly and C agree on. */
#ifndef BARE_LAYOUT_H
#define BARE_LAYOUT_H

#define SEL_CODE    0x08
#define SEL_DATA    0x10
#define SEL_UCODE   0x1b
#define SEL_UDATA   0x23
#define SEL_TSS     0x28
#define SEL_TASK    0x30
#define SEL_LDT     0x38
#define SEL_CODE16  0x40
#define SEL_DATA16  0x48
#define SEL_CODE1   0x51 /* ring 1 */
#define SEL_DATA1   0x59
#define SEL_CODE64  0x60
#define SEL_T0      0x80 /* and on, each test's own */
#define GDT_ENTRIES 64

#define SUPERVISOR_STACK 0x70000
#define TRAP_STACK       0x78000 /* TSS.ESP0 */
#define RING1_STACK      0x7c000
#define TEST_STACK       0x80000
#define SCRATCH          0x50000  /* 64 KiB of data */
#define TABLES           0x200000 /* paging structures */

#define TRAP_DWORDS 23

#endif
