/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, interrupts and far transfers by running code and looking where it ends: which
 * handler, with what on its stack. Expectations are those of the SDM, vol. 2 at each instruction
 * and vol. 3A chapter 6. Each row runs on every back end.
 */
#include "excp.h"

#include <string.h>

#include "target-i386/help-system.h"
#include "target-i386/paging.h"

/* ---- What rows prepare and check ------------------------------------------------------------ */

/* clang-format off */
static void reg_supervisor(System *s) { s->c->regs[R_RBX] = PAGE_SUPERVISOR; }
static void reg_read_only(System *s) { s->c->regs[R_RBX] = PAGE_READ_ONLY; }
static void reg_absent(System *s) { s->c->regs[R_RBX] = PAGE_ABSENT; }
static void reg_reserved(System *s) { s->c->regs[R_RBX] = PAGE_RESERVED; }
static void reg_nx(System *s) { s->c->regs[R_RBX] = PAGE_NX; }
static void reg_non_canonical(System *s) { s->c->regs[R_RBX] = 1ull << 47; }
static void rsp_non_canonical(System *s) { s->c->regs[R_RSP] = (1ull << 47) + 16; }
static void smap_user(System *s) { s->c->cr4 |= CR4_SMAP; s->c->regs[R_RBX] = PAGE_USER; }
static void smep_user(System *s) { s->c->cr4 |= CR4_SMEP; s->c->regs[R_RBX] = PAGE_USER; }
static void umip(System *s) { s->c->cr4 |= CR4_UMIP; s->c->regs[R_RBX] = PAGE_USER; }
static void pvi(System *s) { s->c->cr4 |= CR4_PVI; }
static void vme_vip(System *s) { s->c->cr4 |= CR4_VME; s->c->eflags |= EFL_VIP; }
static void iopl3(System *s) { s->c->eflags |= EFL_IOPL; }
static void fsgsbase(System *s) { s->c->cr4 |= CR4_FSGSBASE; s->c->regs[R_RBX] = 0x123456789000; }
static void switched(System *s) { s->c->cr0 |= CR0_TS; s->c->regs[R_RBX] = PAGE_ABSENT; }
static void emulated(System *s) { s->c->cr0 |= CR0_EM; }
static void no_osfxsr(System *s) { s->c->cr4 &= ~(uint64_t)CR4_OSFXSR; }
/* clang-format on */
/* 1 + 2^-53, which is inexact, unmasked */
static void inexact(System *s)
{
    s->c->mxcsr = 0xf80;
    s->c->cr4 |= CR4_OSXMMEXCPT;
    s->c->xmm[0].q[0] = s->c->xmm[0].q[1] = 0x3ff0000000000000;
    s->c->xmm[1].q[0] = s->c->xmm[1].q[1] = 0x3ca0000000000000;
}
/* clang-format off */
static void inexact_odd(System *s) { inexact(s); s->c->xmm[0].q[1] = 0x3ca0000000000001; s->c->xmm[1].q[1] = 0x3ff0000000000001; }
static void inexact_unknown(System *s) { inexact(s); s->c->cr4 &= ~(uint64_t)CR4_OSXMMEXCPT; }
static void avx(System *s) { s->c->cr4 |= CR4_OSXSAVE; s->c->xcr0 = 7; s->c->regs[R_RBX] = PAGE_ABSENT; }
static void avx_upper(System *s) { avx(s); s->c->xmm[1].q[3] = 0x1234; s->c->xmm[2].q[3] = 0xff00; s->c->xmm[9].q[0] = 1; s->c->xmm[9].q[3] = 0x99; }
static void avx_upper_switched(System *s) { avx_upper(s); s->c->cr0 |= CR0_TS; }
/* clang-format on */
static void avx_in_task(System *s)
{
    avx_upper(s);
    system_write(s, HANDLERS_AT + 0x610, 0xc2ebf5c5, 4); /* vpor ymm0, ymm1, ymm2, as in the row */
}
/* clang-format off */
static void avx_off(System *s) { avx(s); s->c->xcr0 = 3; }
static void avx_no_osxsave(System *s) { avx(s); s->c->cr4 &= ~(uint64_t)CR4_OSXSAVE; }
static void avx_switched(System *s) { avx(s); s->c->cr0 |= CR0_TS; }
static void avx_emulated(System *s) { avx(s); s->c->cr0 |= CR0_EM; s->c->cr4 &= ~(uint64_t)CR4_OSFXSR; }
static void avx_inexact(System *s) { avx(s); inexact(s); }
/* clang-format on */
static void avx_inexact_high(System *s)
{
    avx(s);
    inexact(s);
    s->c->xmm[0].q[3] = 0x3ff0000000000000;
    s->c->xmm[1].q[3] = 0x3ca0000000000000;
    s->c->xmm[0].q[0] = s->c->xmm[0].q[1] = s->c->xmm[1].q[0] = s->c->xmm[1].q[1] = 0;
}
/* clang-format off */
static void avx_inexact_unknown(System *s) { avx(s); inexact_unknown(s); }
static void avx_ac(System *s) { avx(s); s->c->cr0 |= CR0_AM; s->c->eflags |= EFL_AC; s->c->regs[R_RBX] = PAGE_USER + 1; }
static void xsave_area(System *s) { avx(s); s->c->regs[R_RAX] = 7; s->c->regs[R_RDX] = 0; s->c->regs[R_RBX] = PAGE_USER; s->c->xmm[9].q[3] = 0x1234; }
static void xsave_odd(System *s) { xsave_area(s); s->c->regs[R_RBX] |= 16; }
static void xsave_reserved(System *s) { xsave_area(s); s->c->regs[R_RBX] = PAGE_RESERVED - 576; }
static void xsave_reserved_unused(System *s) { xsave_reserved(s); s->c->xmm[9].q[3] = 0; }
static void pending_mf(System *s) { s->c->fsw = 0x8081; s->c->fcw = 0x37e; }
static void no_idt(System *s) { s->c->idt.limit = 0; }
static void idt_without_gp(System *s) { s->c->idt.limit = 13 * 16 - 1; }
static void absent_stack(System *s) { system_write(s, TSS_AT + 4, PAGE_ABSENT + 0x1000, 8); }
static void bad_kernel_ss(System *s) { system_write(s, TSS_AT + 8, SEL_UDATA, 2); }
static void nt(System *s) { s->c->eflags |= EFL_NT; }
static void small_ds(System *s) { s->c->segs[SEG_DS].limit = 0xff; s->c->segs[SEG_DS].base = PAGE_USER; }
/* clang-format on */
static void no_sce(System *s)
{
    excp_star(s);
    s->c->efer &= ~(uint64_t)EFER_SCE;
}
static void star_to_user_ac(System *s)
{
    excp_star_to_user(s);
    s->c->regs[11] |= EFL_AC;
}
static void sysenter(System *s)
{
    s->c->sysenter_cs = SEL_DATA; /* CS = 0x10, never looked up */
    s->c->sysenter_eip = HANDLERS_AT + 0x520;
    s->c->sysenter_esp = KERNEL_STACK - 0x100;
}
static void irq(System *s)
{
    s->irq_vector = 0x40;
    s->bus.set_intr(s->bus.opaque, 0, 1);
}
/* clang-format off */
static void irq_crossing(System *s) { irq(s); s->c->regs[R_RBX] = PAGE_USER + 0xffc; s->c->regs[R_RCX] = 0x1234; }
static void rcx_is_kept(System *s) { assert_int_equal(s->c->regs[R_RCX], 0x1234); }
static void irq_enabled(System *s) { irq(s); s->c->eflags |= EFL_IF; }
static void nmi(System *s) { s->bus.raise_nmi(s->bus.opaque, 0); }
static void nmi_twice(System *s) { s->c->nmi_blocked = true; nmi(s); }
/* clang-format on */
static void pke(System *s)
{
    s->c->cr4 |= CR4_PKE | CR4_OSXSAVE;
    s->c->xcr0 = XFEATURE_X87 | XFEATURE_SSE | XFEATURE_PKRU;
    s->c->regs[R_RDX] = 0;
    s->c->regs[R_RBX] = PAGE_USER;
    system_write(s, TABLES_AT + 0x3000 + (PAGE_USER >> 12) * 8, PAGE_USER | 7 | 1ull << 59,
                 8); /* key 1 */
    system_write(s, PAGE_USER + 0x48 + 512, 0, 8);
}
static void pke_xrstor(System *s)
{
    pke(s);
    system_write(s, PAGE_USER + 0x40 + 512, XFEATURE_PKRU, 8);
    system_write(s, PAGE_USER + 0x40 + 832, 4, 4);
}
/* clang-format off */
static void pkru_is_esi(System *s) { assert_int_equal(s->c->regs[R_RAX], s->c->regs[R_RSI]); assert_int_equal(s->c->regs[R_RDX], 0); }
/* clang-format on */
static void pkru_is_30(System *s)
{
    assert_int_equal(s->c->regs[R_RAX], 0x30);
    assert_int_equal(system_read(s, PAGE_USER + 0x40 + 832, 8), 0x30);
}
static void compact_pkru(System *s)
{
    assert_int_equal(system_read(s, PAGE_USER + 0x40 + 576, 8), 0x30);
    assert_int_equal(system_read(s, PAGE_USER + 0x40 + 520, 8), 1ull << 63 | XFEATURE_PKRU);
}
/* clang-format off */
static void fsgsbase57(System *s) { s->c->cr4 |= CR4_FSGSBASE; s->c->regs[R_RBX] = 1ull << 50; }
static void ldt_high(System *s) { system_write(s, GDT_AT + SEL_LDT + 8, 1 << 20, 4); }
static void no_monitor(System *s) { s->c->misc_enable &= ~(uint64_t)MISC_ENABLE_MONITOR; }
/* clang-format on */
/* clang-format off */
static void frame_bad_ss(System *s) { excp_frame_to_user(s); system_write(s, s->c->regs[R_RSP] + 32, SEL_DATA, 8); }
static void frame_bad_cs(System *s) { excp_frame_to_user(s); system_write(s, s->c->regs[R_RSP] + 8, SEL_UDATA, 8); }
/* clang-format on */
static void frame_to_vm86(System *s)
{
    /* clang-format off */
    static const uint32_t frame[] = { 0x40, USER_CODE >> 4, EFL_VM | EFL_IF | 2, 0x7000, 0x2800, 0x1111, 0x2222, 0x3333, 0x4444 };
    /* clang-format on */

    s->c->regs[R_RSP] -= sizeof(frame);
    for (unsigned i = 0; i < G_N_ELEMENTS(frame); i++)
        system_write(s, s->c->regs[R_RSP] + 4 * i, frame[i], 4);
    system_write(s, USER_CODE + 0x40, 0x80cd, 2); /* int 0x80 in vm86: #GP, IOPL 0 */
}
static void frame_ret_far(System *s)
{
    uint64_t sp = s->c->regs[R_RSP] -= 24;
    static const uint32_t frame[] = { USER_CODE + 0x100, SEL_UCODE32, 0xaaaa, 0xbbbb,
                                      USER_STACK - 64,   SEL_UDATA };

    for (unsigned i = 0; i < G_N_ELEMENTS(frame); i++)
        system_write(s, sp + 4 * i, frame[i], 4);
    system_write(s, USER_CODE + 0x100, 0x80cd, 2);
}

/* clang-format off */
static uint32_t stack32(System *s, unsigned n) { return (uint32_t)system_read(s, s->c->regs[R_RSP] + 4 * n, 4); }
/* clang-format on */

/* clang-format off */
static void cr2_is_rbx(System *s) { assert_int_equal(s->c->cr2, s->c->regs[R_RBX]); }
/* clang-format on */
static void from_user64(System *s)
{
    assert_int_equal(excp_stack64(s, 1), SEL_UCODE64);
    assert_int_equal(excp_stack64(s, 3), USER_STACK);
    assert_int_equal(excp_stack64(s, 4), SEL_UDATA);
    assert_int_equal(s->c->regs[R_RSP], KERNEL_STACK - 40);
    assert_int_equal(s->c->segs[SEG_SS].selector, 0);
    assert_int_equal(x86_cpl(s->c), 0);
}
static void from_user32(System *s)
{
    assert_int_equal(stack32(s, 1), SEL_UCODE32);
    assert_int_equal(stack32(s, 3), USER_STACK);
    assert_int_equal(stack32(s, 4), SEL_UDATA);
    assert_int_equal(s->c->regs[R_RSP], KERNEL_STACK - 20);
    assert_int_equal(s->c->segs[SEG_SS].selector, SEL_DATA);
}
static void from_vm86(System *s)
{
    assert_int_equal(s->c->regs[R_RSP], KERNEL_STACK - 4 * 10);
    assert_int_equal(stack32(s, 2), USER_CODE >> 4);
    assert_true(stack32(s, 3) & EFL_VM);
    assert_int_equal(s->c->segs[SEG_DS].selector, 0);
    assert_false(s->c->eflags & EFL_VM);
}
/* clang-format off */
static void rf_is_saved(System *s) { assert_true(excp_stack64(s, 3) & EFL_RF); }
static void no_rf(System *s) { assert_false(excp_stack64(s, 2) & EFL_RF); }
static void on_ist(System *s) { assert_int_equal(s->c->regs[R_RSP], IST_STACK - 40); }
static void if_kept(System *s) { assert_true(s->c->eflags & EFL_IF); }
/* clang-format on */
static void in_syscall(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x501);
    assert_int_equal(s->c->regs[R_RCX], USER_CODE + 2);
    assert_int_equal(s->c->regs[11], EFL_IF | EFL_DF | 2);
    assert_int_equal(s->c->eflags & (EFL_IF | EFL_DF), 0);
    assert_int_equal(s->c->segs[SEG_CS].selector, SEL_CODE64);
    assert_int_equal(s->c->segs[SEG_SS].selector, SEL_CODE64 + 8);
    assert_int_equal(x86_cpl(s->c), 0);
}
static void in_cstar(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x511);
    assert_true(x86_is_64bit_code(s->c));
}
static void after_sysret(System *s)
{
    assert_int_equal(excp_stack64(s, 0), USER_CODE + 0x102);
    assert_int_equal(excp_stack64(s, 1), SEL_UCODE64);
    assert_int_equal(excp_stack64(s, 2) & (EFL_IF | FLAG_CF), EFL_IF | FLAG_CF);
    assert_int_equal(excp_stack64(s, 4), SEL_UDATA);
}
static void after_sysret_ac(System *s)
{
    after_sysret(s);
    assert_true(excp_stack64(s, 2) & EFL_AC);
}
static void in_sysenter(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x521);
    assert_int_equal(s->c->regs[R_RSP], KERNEL_STACK - 0x100);
}
static void after_iret(System *s)
{
    assert_int_equal(excp_stack64(s, 0), USER_CODE + 0x102);
    assert_int_equal(excp_stack64(s, 2) & (EFL_IF | FLAG_ZF), EFL_IF | FLAG_ZF);
    assert_int_equal(excp_stack64(s, 3), USER_STACK - 64);
}
static void after_iret_vm86(System *s)
{
    assert_int_equal(stack32(s, 1), 0x40);
    assert_int_equal(stack32(s, 4), 0x7000);
    assert_int_equal(stack32(s, 6), 0x1111); /* ES */
    assert_int_equal(stack32(s, 9), 0x4444); /* GS */
}
static void after_ret_far(System *s)
{
    assert_int_equal(stack32(s, 0), USER_CODE + 0x102);
    assert_int_equal(stack32(s, 3), USER_STACK - 64 + 8);
    assert_int_equal(s->c->segs[SEG_DS].selector, 0); /* was of DPL 0 */
}
static void through_call_gate32(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x601);
    assert_int_equal(stack32(s, 1), SEL_UCODE32);
    assert_int_equal(stack32(s, 2), 0x22); /* the parameters, in their order */
    assert_int_equal(stack32(s, 3), 0x11);
    assert_int_equal(stack32(s, 5), SEL_UDATA);
}
static void through_call_gate64(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x601);
    assert_int_equal(excp_stack64(s, 1), SEL_UCODE64);
    assert_int_equal(excp_stack64(s, 2), USER_STACK);
    assert_int_equal(excp_stack64(s, 3), SEL_UDATA);
}
static void in_task(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x611);
    assert_int_equal(s->c->tr.selector, SEL_TASK);
    assert_true(s->c->cr0 & CR0_TS);
    assert_int_equal(s->c->regs[R_RSP], TASK_STACK);
    assert_int_equal(system_read(s, GDT_AT + SEL_TASK + 5, 1) & 15, 11); /* busy */
}
static void in_nested_task(System *s)
{
    in_task(s);
    assert_true(s->c->eflags & EFL_NT);
    assert_int_equal(system_read(s, TSS2_AT, 2), SEL_TSS);
    assert_int_equal(system_read(s, TSS_AT + 32, 4), KERNEL_CODE + 2);
}
/* clang-format off */
static void vif_is_set(System *s) { assert_true(s->c->eflags & EFL_VIF); }
/* clang-format on */
static void pushed_iopl3(System *s)
{
    uint32_t flags = (uint32_t)system_read(s, USER_STACK - 2, 2);

    assert_int_equal(flags & EFL_IOPL, EFL_IOPL);
    assert_int_equal(flags & EFL_IF, EFL_IF);
}
/* clang-format off */
static void rax_is_5a(System *s) { assert_int_equal(s->c->regs[R_RAX] & 0xff, 0x5a); }
/* clang-format on */
static void upper_is_back(System *s)
{
    assert_int_equal(s->c->xmm[9].q[3], 0x1234);
    assert_int_equal(system_read(s, PAGE_USER + 512, 8) & 4, 4);
    assert_int_equal(system_read(s, PAGE_USER + 520, 8), 1ull << 63 | 7);
    assert_int_equal(system_read(s, PAGE_USER + 576 + 9 * 16 + 8, 8), 0x1234);
}
static void upper_is_or(System *s)
{
    assert_int_equal(s->c->xmm[0].q[3], 0xff34);
    assert_int_equal(s->c->xmm[9].q[3], 0x99);
}
static void upper_is_kept(System *s)
{
    assert_int_equal(s->c->xmm[1].q[3], 0x1234);
    assert_int_equal(s->c->xmm[9].q[0], 0);
    assert_int_equal(s->c->xmm[9].q[3], 0x99);
}
/* clang-format off */
static void xcr0_is_7(System *s) { assert_int_equal(s->c->xcr0, 7); }
static void port_5a(System *s) { s->port_value = 0x5a; }
static void fs_is_rbx(System *s) { assert_int_equal(s->c->segs[SEG_FS].base, s->c->regs[R_RBX]); }
static void swapped(System *s) { assert_int_equal(s->c->segs[SEG_GS].base, 0x1234); assert_int_equal(s->c->kernel_gs_base, 0x5678); }
static void gs_bases(System *s) { s->c->segs[SEG_GS].base = 0x5678; s->c->kernel_gs_base = 0x1234; }
/* clang-format on */
static void real_frame(System *s)
{
    assert_int_equal(s->c->regs[R_RSP], 0x8000 - 6);
    assert_int_equal(system_read(s, USER_STACK - 6, 2), 2);
    assert_int_equal(system_read(s, USER_STACK - 4, 2), USER_CODE >> 4);
}

static void alignment(System *s)
{
    s->c->cr0 |= CR0_AM;
    s->c->eflags |= EFL_AC;
    s->c->regs[R_RBX] = PAGE_USER;
}
static void alignment_rep(System *s)
{
    alignment(s);
    s->c->regs[R_RSI] = PAGE_USER + 2;
    s->c->regs[R_RDI] = PAGE_USER + 0x101;
    s->c->regs[R_RCX] = 4;
}
/* clang-format off */
static void alignment_out(System *s) { alignment_rep(s); s->c->eflags |= EFL_IOPL; s->c->regs[R_RSI]++; }
static void alignment_tss(System *s) { alignment(s); system_write(s, TSS_AT + 4, KERNEL_STACK - 3, 8); }
static void at_zero(System *s) { system_write(s, 0, 0x1234, 2); s->c->regs[R_RAX] = 0xabcd5678; }
static void rax_wraps(System *s) { assert_int_equal(s->c->regs[R_RAX], 0x1234ffff); }
static void stored_at_zero(System *s) { assert_int_equal(system_read(s, 0, 4), 0xabcd); }
/* clang-format on */
/* On the virtual-8086 stack: to 0x40, with IF. */
/* clang-format off */
static void vme_frame_vip(System *s) { excp_vme_frame(s); s->c->eflags |= EFL_VIP; }
static void vif_is_pushed(System *s) { assert_int_equal(stack32(s, 2) & (EFL_VIF | EFL_IF | EFL_VM), EFL_VIF | EFL_VM); }
static void vif_is_clear(System *s) { assert_false(stack32(s, 2) & EFL_VIF); }
static void pvi_vip(System *s) { pvi(s); s->c->eflags |= EFL_VIP; }
/* clang-format on */

/* ---- Rows ----------------------------------------------------------------------------------- */

/* clang-format off */
static const ExcpRow rows[] = {
    /* faults in 64-bit mode */
    { "ud2", SYS_LONG, 0, C("\x90\x0f\x0b"), NULL, EXCP_UD, NO_ERROR, 1 },
    { "div by zero", SYS_LONG, 0, C("\x31\xc9\xf7\xf1"), NULL, EXCP_DE, NO_ERROR, 2 },
    { "hlt at cpl 3", SYS_LONG, 3, C("\xf4"), NULL, EXCP_GP, 0, 0 },
    { "pshufb, TS, before the #PF", SYS_LONG, 0, C("\x66\x0f\x38\x00\x03"), switched, EXCP_NM, NO_ERROR, 0 },
    { "pshufb of mm, TS", SYS_LONG, 3, C("\x0f\x38\x00\xc1"), switched, EXCP_NM, NO_ERROR, 0 },
    { "fisttp, TS", SYS_LONG, 3, C("\xdb\x0b"), switched, EXCP_NM, NO_ERROR, 0 },
    { "aesenc, EM", SYS_LONG, 0, C("\x66\x0f\x38\xdc\xc1"), emulated, EXCP_UD, NO_ERROR, 0 },
    { "palignr of mm, EM", SYS_LONG, 0, C("\x0f\x3a\x0f\xc1\x01"), emulated, EXCP_UD, NO_ERROR, 0 },
    { "pcmpistri without OSFXSR", SYS_LONG, 0, C("\x66\x0f\x3a\x63\xc1\x00"), no_osfxsr, EXCP_UD, NO_ERROR, 0 },
    { "pabsb of mm without OSFXSR", SYS_LONG, 0, C("\x0f\x38\x1c\xc1\xf4"), no_osfxsr, NONE, 0, 5 },
    { "pabsb of mm, #MF pending", SYS_LONG, 0, C("\x0f\x38\x1c\xc1"), pending_mf, EXCP_MF, NO_ERROR, 0 },
    { "popcnt and crc32, TS", SYS_LONG, 0, C("\xf3\x0f\xb8\xc1\xf2\x0f\x38\xf1\xc1\xf4"), switched, NONE, 0, 10 },
    { "haddpd, #XM", SYS_LONG, 3, C("\x66\x0f\x7c\xc1\xf2\x0f\x38\xf1\xc1"), inexact_odd, EXCP_XM, NO_ERROR, 0 },
    { "addsubpd, #XM", SYS_LONG, 3, C("\x66\x0f\xd0\xc1"), inexact, EXCP_XM, NO_ERROR, 0 },
    { "dppd, #XM", SYS_LONG, 3, C("\x66\x0f\x3a\x41\xc8\x31"), inexact_odd, EXCP_XM, NO_ERROR, 0 },
    { "addsubpd, #XM without OSXMMEXCPT", SYS_LONG, 0, C("\x66\x0f\xd0\xc1"), inexact_unknown, EXCP_UD, NO_ERROR, 0 },
    /* AVX */
    { "vpand without OSXSAVE", SYS_LONG, 3, C("\xc5\xf1\xdb\xc2"), avx_no_osxsave, EXCP_UD, NO_ERROR, 0 },
    { "vpand without XCR0.AVX", SYS_LONG, 3, C("\xc5\xf1\xdb\xc2"), avx_off, EXCP_UD, NO_ERROR, 0 },
    { "vpand, TS, before the #PF", SYS_LONG, 3, C("\xc5\xf1\xdb\x03"), avx_switched, EXCP_NM, NO_ERROR, 0 },
    { "vpand does not look at EM and OSFXSR", SYS_LONG, 0, C("\xc5\xf1\xdb\xc2\xf4"), avx_emulated, NONE, 0, 5 },
    { "andn does not look at XCR0, TS", SYS_LONG, 0, C("\xc4\xe2\x70\xf2\xc2\xf4"), switched, NONE, 0, 6 },
    { "vpand in protected mode", SYS_PROT, 0, C("\xc5\xf1\xdb\xc2\xf4"), avx, NONE, 0, 5 },
    { "c5 with a register in real mode", SYS_REAL, 0, C("\xc5\xf1\xdb\xc2"), avx, EXCP_UD, NO_ERROR, 0 },
    { "c5 with a register in virtual-8086 mode", SYS_VM86, 3, C("\xc5\xf1\xdb\xc2"), avx, EXCP_UD, NO_ERROR, 0 },
    { "vaddpd ymm, #XM of the upper half", SYS_LONG, 3, C("\xc5\xfd\x58\xd1"), avx_inexact_high, EXCP_XM, NO_ERROR, 0 },
    { "vaddpd xmm does not see it", SYS_LONG, 0, C("\xc5\xf9\x58\xd1\xf4"), avx_inexact_high, NONE, 0, 5 },
    { "vaddsd, #XM", SYS_LONG, 3, C("\xc5\xfb\x58\xd1"), avx_inexact, EXCP_XM, NO_ERROR, 0 },
    { "vfmadd231pd, #XM", SYS_LONG, 3, C("\xc4\xe2\xfd\xb8\xc1"), avx_inexact, EXCP_XM, NO_ERROR, 0 },
    { "vaddpd, #XM without OSXMMEXCPT", SYS_LONG, 0, C("\xc5\xfd\x58\xd1"), avx_inexact_unknown, EXCP_UD, NO_ERROR, 0 },
    { "vmovups ymm, unaligned with AC", SYS_LONG, 3, C("\xc5\xfc\x10\x43\x0f\xc5\xfc\x10\x03"), avx_ac, EXCP_AC, 0, 5 },
    { "xsetbv 5", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x05\0\0\0\x0f\x01\xd1"), avx, EXCP_GP, 0, 9 },
    { "xsetbv 6", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x06\0\0\0\x0f\x01\xd1"), avx, EXCP_GP, 0, 9 },
    { "xsetbv of component 5", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x27\0\0\0\x0f\x01\xd1"), avx, EXCP_GP, 0, 9 },
    { "xsetbv of XCR1", SYS_LONG, 0, C("\xb9\x01\0\0\0\x31\xd2\xb8\x07\0\0\0\x0f\x01\xd1"), avx, EXCP_GP, 0, 12 },
    { "xsetbv at cpl 3", SYS_LONG, 3, C("\x31\xc9\x31\xd2\xb8\x07\0\0\0\x0f\x01\xd1"), avx, EXCP_GP, 0, 9 },
    { "xsetbv 7, then AVX", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x07\0\0\0\x0f\x01\xd1\xc5\xfd\xdb\xc2\xf4"), avx_off, NONE, 0, 17, xcr0_is_7 },
    { "xsetbv 3, then AVX", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x03\0\0\0\x0f\x01\xd1\xc5\xfd\xdb\xc2\xf4"), avx, EXCP_UD, NO_ERROR, 12 },
    { "clts, then AVX", SYS_LONG, 0, C("\x0f\x06\xc5\xf5\xeb\xc2\xf4"), avx_upper_switched, NONE, 0, 7, upper_is_or },
    { "xsetbv 3, SSE, xsetbv 7", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x03\0\0\0\x0f\x01\xd1\x66\x45\x0f\xef\xc9\xb0\x07\x0f\x01\xd1\xf4"), avx_upper, NONE, 0, 23, upper_is_kept },
    { "xsetbv 1, SSE goes on", SYS_LONG, 0, C("\x31\xc9\x31\xd2\xb8\x01\0\0\0\x0f\x01\xd1\x66\x45\x0f\xef\xc9\xf4"), avx_upper, NONE, 0, 18, upper_is_kept },
    { "CR4.OSXSAVE off and on", SYS_LONG, 0, C("\x0f\x20\xe0\x48\x89\xc3\x48\x0f\xba\xf0\x12\x0f\x22\xe0\x66\x45\x0f\xef\xc9\x0f\x22\xe3\xc5\xf5\xeb\xc2\xf4"), avx_upper, NONE, 0, 27, upper_is_or },
    { "vpor in a task just entered", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x88\x00\xc5\xf5\xeb\xc2"), avx_in_task, EXCP_NM, NO_ERROR, HANDLERS_AT + 0x610 - KERNEL_CODE },
    { "xgetbv of XCR2", SYS_LONG, 3, C("\xb9\x02\0\0\0\x0f\x01\xd0"), avx, EXCP_GP, 0, 5 },
    { "xgetbv without OSXSAVE", SYS_LONG, 3, C("\x31\xc9\x0f\x01\xd0"), avx_no_osxsave, EXCP_UD, NO_ERROR, 2 },
    { "xsaves, vzeroall, xrstors", SYS_LONG, 0, C("\x0f\xc7\x2b\xc5\xfc\x77\x0f\xc7\x1b\xf4"), xsave_area, NONE, 0, 10, upper_is_back },
    { "xsaves at cpl 3", SYS_LONG, 3, C("\x0f\xc7\x2b"), xsave_area, EXCP_GP, 0, 0 },
    { "xrstors at cpl 3", SYS_LONG, 3, C("\x0f\xc7\x1b"), xsave_area, EXCP_GP, 0, 0 },
    { "xrstors of the standard form", SYS_LONG, 0, C("\x0f\xae\x23\x0f\xc7\x1b"), xsave_area, EXCP_GP, 0, 3 },
    { "xsave, misaligned", SYS_LONG, 0, C("\x0f\xae\x23"), xsave_odd, EXCP_GP, 0, 0 },
    { "xsave, TS", SYS_LONG, 0, C("\x0f\xae\x23"), avx_switched, EXCP_NM, NO_ERROR, 0 },
    { "xsave without OSXSAVE", SYS_LONG, 0, C("\x0f\xae\x23"), avx_no_osxsave, EXCP_UD, NO_ERROR, 0 },
    { "xsavec, component 2 on a page that faults", SYS_LONG, 0, C("\x0f\xc7\x23"), xsave_reserved, EXCP_PF, 11, 0 },
    { "xsavec, component 2 initial", SYS_LONG, 0, C("\x0f\xc7\x23\xf4"), xsave_reserved_unused, NONE, 0, 4 },
    { "IA32_XSS of component 1", SYS_LONG, 0, C("\xb9\xa0\x0d\0\0\x31\xd2\xb8\x02\0\0\0\x0f\x30"), avx, EXCP_GP, 0, 12 },
    { "IA32_XSS", SYS_LONG, 0, C("\xb9\xa0\x0d\0\0\x31\xd2\x31\xc0\x0f\x30\x0f\x32\xf4"), avx, NONE, 0, 14 },
    { "#PF read absent", SYS_LONG, 0, C("\x8b\x03"), reg_absent, EXCP_PF, 0, 0, cr2_is_rbx },
    { "#PF write absent", SYS_LONG, 0, C("\x89\x03"), reg_absent, EXCP_PF, 2, 0, cr2_is_rbx },
    { "#PF user reads supervisor", SYS_LONG, 3, C("\x8b\x03"), reg_supervisor, EXCP_PF, 5, 0, rf_is_saved },
    { "#PF user writes read-only", SYS_LONG, 3, C("\x89\x03"), reg_read_only, EXCP_PF, 7, 0 },
    { "#PF kernel writes read-only, WP", SYS_LONG, 0, C("\x89\x03"), reg_read_only, EXCP_PF, 3, 0 },
    { "#PF reserved bit", SYS_LONG, 3, C("\x8b\x03"), reg_reserved, EXCP_PF, 13, 0 },
    { "#PF SMAP", SYS_LONG, 0, C("\x8b\x03"), smap_user, EXCP_PF, 1, 0 },
    { "stac opens SMAP", SYS_LONG, 0, C("\x0f\x01\xcb\x8b\x03\x0f\x01\xca\x8b\x03"), smap_user, EXCP_PF, 1, 8 },
    { "stac at cpl 3", SYS_LONG, 3, C("\x0f\x01\xcb"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "lea is no access", SYS_LONG, 0, C("\x8d\x03\xf4"), reg_absent, NONE, 0, 3 },
    { "#GP non-canonical", SYS_LONG, 0, C("\x8b\x03"), reg_non_canonical, EXCP_GP, 0, 0 },
    { "#SS non-canonical stack", SYS_LONG, 3, C("\x50"), rsp_non_canonical, EXCP_SS, 0, 0 },
    { "#SS by [rsp]", SYS_LONG, 3, C("\x8b\x04\x24"), rsp_non_canonical, EXCP_SS, 0, 0 },
    { "non-canonical stack in the kernel: triple fault", SYS_LONG, 0, C("\x50"), rsp_non_canonical, TRIPLE, 0, 0 },
    { "#PF fetch NX", SYS_LONG, 0, C("\xff\xe3"), reg_nx, EXCP_PF, 0x11, PAGE_NX - KERNEL_CODE },
    { "#PF fetch SMEP", SYS_LONG, 0, C("\xff\xe3"), smep_user, EXCP_PF, 0x11, PAGE_USER - KERNEL_CODE },
    { "int 0x80 from user", SYS_LONG, 3, C("\xcd\x80"), NULL, VEC_USER, NO_ERROR, 2, from_user64 },
    { "int3 from user", SYS_LONG, 3, C("\xcc"), NULL, EXCP_BP, NO_ERROR, 1, no_rf },
    { "int of DPL 0 from user", SYS_LONG, 3, C("\xcd\x20"), NULL, EXCP_GP, 0x20 * 8 + 2, 0 },
    { "int absent gate", SYS_LONG, 0, C("\xcd\x81"), NULL, EXCP_NP, 0x81 * 8 + 2, 0 },
    { "int to data selector", SYS_LONG, 0, C("\xcd\x83"), NULL, EXCP_GP, SEL_DATA, 0 },
    { "int beyond the table", SYS_LONG, 0, C("\xcd\xff"), NULL, EXCP_GP, 0xff * 8 + 2, 0 },
    { "int on IST", SYS_LONG, 0, C("\xcd\x82"), NULL, VEC_IST, NO_ERROR, 2, on_ist },
    { "trap gate keeps IF", SYS_LONG, 0, C("\xfb\x90\xcd\x85"), NULL, VEC_TRAP, NO_ERROR, 4, if_kept },
    { "icebp ignores DPL", SYS_LONG, 3, C("\xf1"), NULL, EXCP_DB, NO_ERROR, 1 },
    /* double and triple faults */
    { "no IDT: triple fault", SYS_LONG, 0, C("\x0f\x0b"), no_idt, TRIPLE, 0, 0 },
    { "#GP without a gate: double fault", SYS_LONG, 0, C("\xcd\xff"), idt_without_gp, EXCP_DF, 0, 0 },
    { "#PF on the kernel stack: double fault is a triple one", SYS_LONG, 3, C("\x8b\x04\x25\x00\x20\x04\x00"), absent_stack, TRIPLE, 0, 0 },
    { "int on an absent stack: #PF, then triple", SYS_LONG, 3, C("\xcd\x80"), absent_stack, TRIPLE, 0, 0 },
    /* interrupts */
    { "irq while disabled", SYS_LONG, 0, C("\x90\xf4"), irq, NONE, 0, 2 },
    { "irq at once", SYS_LONG, 0, C("\x90\xf4"), irq_enabled, 0x40, NO_ERROR, 0 },
    { "irq between sti and cli", SYS_LONG, 0, C("\xfb\x90\xfa\xf4"), irq, 0x40, NO_ERROR, 2 },
    { "sti's shadow crosses a page", SYS_LONG, 0, C("\xfb\x48\x8b\x03\x48\x8b\x4b\x08\x90\xf4"), irq_crossing, 0x40, NO_ERROR, 4, rcx_is_kept },
    { "sti cli leaves no window", SYS_LONG, 0, C("\xfb\xfa\xf4"), irq, NONE, 0, 3 },
    { "sti hlt wakes", SYS_LONG, 0, C("\xfb\xf4\x90"), irq, 0x40, NO_ERROR, 2 },
    { "nmi", SYS_LONG, 0, C("\x90\xf4"), nmi, EXCP_NMI, NO_ERROR, 0 },
    { "nmi while blocked", SYS_LONG, 0, C("\x90\xf4"), nmi_twice, NONE, 0, 2 },
    /* system calls */
    { "syscall", SYS_LONG, 3, C("\x0f\x05"), excp_star, NONE, 0, 0, in_syscall },
    { "syscall from compatibility mode", SYS_COMPAT, 3, C("\x0f\x05"), excp_star, NONE, 0, 0, in_cstar },
    { "sysretq", SYS_LONG, 0, C("\x48\x0f\x07"), excp_star_to_user, VEC_USER, NO_ERROR, 0x102 + USER_CODE - KERNEL_CODE, after_sysret },
    { "sysretq that sets AC", SYS_LONG, 0, C("\x48\x0f\x07"), star_to_user_ac, VEC_USER, NO_ERROR, 0x102 + USER_CODE - KERNEL_CODE, after_sysret_ac },
    { "syscall without SCE", SYS_LONG, 3, C("\x0f\x05"), no_sce, EXCP_UD, NO_ERROR, 0 },
    { "sysretq without SCE", SYS_LONG, 0, C("\x48\x0f\x07"), no_sce, EXCP_UD, NO_ERROR, 0 },
    { "sysret at cpl 3", SYS_LONG, 3, C("\x0f\x07"), NULL, EXCP_GP, 0, 0 },
    { "sysenter", SYS_PROT, 3, C("\x0f\x34"), sysenter, NONE, 0, 0, in_sysenter },
    { "sysenter without MSR", SYS_PROT, 3, C("\x0f\x34"), NULL, EXCP_GP, 0, 0 },
    /* IRET */
    { "iretq to user", SYS_LONG, 0, C("\x48\xcf"), excp_frame_to_user, VEC_USER, NO_ERROR, 0x102 + USER_CODE - KERNEL_CODE, after_iret },
    { "iretq bad SS", SYS_LONG, 0, C("\x48\xcf"), frame_bad_ss, EXCP_GP, SEL_DATA, 0 },
    { "iretq bad CS", SYS_LONG, 0, C("\x48\xcf"), frame_bad_cs, EXCP_GP, SEL_UDATA & ~3, 0 },
    { "iretq with NT", SYS_LONG, 0, C("\x48\xcf"), nt, EXCP_GP, 0, 0 },
    { "iret to vm86", SYS_PROT, 0, C("\xcf"), frame_to_vm86, EXCP_GP, 0, 0x40, after_iret_vm86 },
    /* segments */
    { "mov ds, null", SYS_LONG, 0, C("\x31\xc0\x8e\xd8\xf4"), NULL, NONE, 0, 5 },
    { "mov ds, absent", SYS_PROT, 0, C("\xb8\x58\x00\x00\x00\x8e\xd8"), NULL, EXCP_NP, SEL_ABSENT, 5 },
    { "mov ss, absent", SYS_PROT, 0, C("\xb8\x58\x00\x00\x00\x8e\xd0"), NULL, EXCP_SS, SEL_ABSENT, 5 },
    { "mov ss, null", SYS_PROT, 0, C("\x31\xc0\x8e\xd0"), NULL, EXCP_GP, 0, 2 },
    { "mov ss, read-only", SYS_PROT, 0, C("\xb8\x60\x00\x00\x00\x8e\xd0"), NULL, EXCP_GP, SEL_READ_ONLY, 5 },
    { "mov ds, execute-only", SYS_PROT, 0, C("\xb8\x68\x00\x00\x00\x8e\xd8"), NULL, EXCP_GP, SEL_EXEC_ONLY, 5 },
    { "mov ds, DPL 1 from user", SYS_PROT, 3, C("\xb8\xb3\x00\x00\x00\x8e\xd8"), NULL, EXCP_GP, SEL_DPL1, 5 },
    { "mov ds, beyond GDT", SYS_PROT, 0, C("\xb8\x00\x01\x00\x00\x8e\xd8"), NULL, EXCP_GP, 0x100, 5 },
    { "mov ds, LDT without one", SYS_PROT, 0, C("\xb8\x0c\x00\x00\x00\x8e\xd8"), NULL, EXCP_GP, 0xc, 5 },
    { "mov cs", SYS_PROT, 0, C("\x8e\xc8"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "limit", SYS_PROT, 3, C("\xa0\xff\x00\x00\x00\xa0\x00\x01\x00\x00"), small_ds, EXCP_GP, 0, 5 },
    { "null data segment", SYS_PROT, 0, C("\x31\xc0\x8e\xd8\xa0\x00\x00\x00\x00"), NULL, EXCP_GP, 0, 4 },
    { "store to read-only segment", SYS_PROT, 0, C("\xb8\x60\x00\x00\x00\x8e\xd8\xa2\x00\x00\x05\x00"), NULL, EXCP_GP, 0, 7 },
    { "expand-down: below", SYS_PROT, 3, C("\xb8\xab\x00\x00\x00\x8e\xd8\xa0\x00\x50\x04\x00"), NULL, EXCP_GP, 0, 7 },
    { "expand-down: above", SYS_PROT, 3, C("\xb8\xab\x00\x00\x00\x8e\xd8\xa0\x01\x50\x04\x00\xcd\x80"), NULL, VEC_USER, NO_ERROR, 14 },
    { "ltr busy", SYS_PROT, 0, C("\xb8\x48\x00\x00\x00\x0f\x00\xd8"), NULL, EXCP_GP, SEL_TSS, 5 },
    { "lldt", SYS_PROT, 0, C("\xb8\x90\x00\x00\x00\x0f\x00\xd0\xf4"), NULL, NONE, 0, 9 },
    { "lldt not an LDT", SYS_PROT, 0, C("\xb8\x10\x00\x00\x00\x0f\x00\xd0"), NULL, EXCP_GP, SEL_DATA, 5 },
    /* far transfers */
    { "jmp far to data", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x10\x00"), NULL, EXCP_GP, SEL_DATA, 0 },
    { "jmp far null", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x00\x00"), NULL, EXCP_GP, 0, 0 },
    { "jmp far into user code", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x33\x00"), NULL, EXCP_GP, SEL_UCODE32 & ~3, 0 },
    { "jmp far past the limit", SYS_PROT, 0, C("\xea\x00\x00\x01\x00\x20\x00"), NULL, EXCP_GP, 0, 0 },
    { "jmp far to 32-bit handler", SYS_PROT, 0, C("\xea\x30\x86\x00\x00\x18\x00"), NULL, 0x63, NO_ERROR, 0, NULL },
    { "call gate 32", SYS_PROT, 3, C("\x6a\x11\x6a\x22\x9a\x00\x00\x00\x00\x78\x00"), NULL, NONE, 0, 0, through_call_gate32 },
    { "call gate 64", SYS_LONG, 3, C("\xff\x1c\x25\x08\x00\x01\x00\x90\x00\x00\x00\x00\x78\x00"), NULL, NONE, 0, 0, through_call_gate64 },
    { "retf to user", SYS_PROT, 0, C("\xca\x08\x00"), frame_ret_far, VEC_USER, NO_ERROR, 0x102 + USER_CODE - KERNEL_CODE, after_ret_far },
    { "bad SS in TSS", SYS_PROT, 3, C("\xcd\x80"), bad_kernel_ss, TRIPLE, 0, 0 },
    { "int from user 32", SYS_PROT, 3, C("\xcd\x80"), NULL, VEC_USER, NO_ERROR, 2, from_user32 },
    { "into", SYS_PROT, 0, C("\xb0\x7f\x04\x01\xce"), NULL, EXCP_OF, NO_ERROR, 5 },
    { "into without OF", SYS_PROT, 0, C("\x31\xc0\xce\xf4"), NULL, NONE, 0, 4 },
    /* tasks */
    { "jmp to a TSS", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x88\x00"), NULL, NONE, 0, 0, in_task },
    { "int through a task gate", SYS_PROT, 0, C("\xcd\x84"), NULL, NONE, 0, 0, in_nested_task },
    /* privilege of flags and ports */
    { "cli at cpl 3", SYS_PROT, 3, C("\xfa"), NULL, EXCP_GP, 0, 0 },
    { "cli at cpl 3, IOPL 3", SYS_PROT, 3, C("\xfa\xcd\x80"), iopl3, VEC_USER, NO_ERROR, 3 },
    { "sti with PVI", SYS_PROT, 3, C("\xfb\xcd\x80"), pvi, VEC_USER, NO_ERROR, 3, vif_is_set },
    { "in allowed by the map", SYS_PROT, 3, C("\xe4\x80\xcd\x80"), port_5a, VEC_USER, NO_ERROR, 4, rax_is_5a },
    { "in denied by the map", SYS_PROT, 3, C("\xe4\x84"), NULL, EXCP_GP, 0, 0 },
    { "in of four at the edge", SYS_PROT, 3, C("\xe5\x81"), NULL, EXCP_GP, 0, 0 },
    { "sgdt with UMIP", SYS_LONG, 3, C("\x0f\x01\x03"), umip, EXCP_GP, 0, 0 },
    { "smsw without UMIP", SYS_LONG, 3, C("\x0f\x01\xe0\xcd\x80"), NULL, VEC_USER, NO_ERROR, 5 },
    { "rdmsr unknown", SYS_LONG, 0, C("\xb9\x00\x00\x00\x40\x0f\x32"), NULL, EXCP_GP, 0, 5 },
    { "wrfsbase", SYS_LONG, 0, C("\xf3\x48\x0f\xae\xd3\xf4"), fsgsbase, NONE, 0, 6, fs_is_rbx },
    { "wrfsbase without CR4.FSGSBASE", SYS_LONG, 0, C("\xf3\x48\x0f\xae\xd3"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "swapgs", SYS_LONG, 0, C("\x0f\x01\xf8\xf4"), gs_bases, NONE, 0, 4, swapped },
    { "mov cr4 reserved", SYS_LONG, 0, C("\x0f\x20\xe0\x0f\xba\xe8\x1f\x0f\x22\xe0"), NULL, EXCP_GP, 0, 7 },
    { "mov cr0 clears PG in 64-bit code", SYS_LONG, 0, C("\x0f\x20\xc0\x0f\xba\xf0\x1f\x0f\x22\xc0"), NULL, EXCP_GP, 0, 7 },
    { "rsm outside SMM", SYS_LONG, 0, C("\x0f\xaa"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "rdpkru without PKE", SYS_LONG, 0, C("\x0f\x01\xee"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "wrpkru without PKE", SYS_LONG, 3, C("\x0f\x01\xef"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "rdpkru, ECX", SYS_LONG, 3, C("\xff\xc1\x0f\x01\xee"), pke, EXCP_GP, 0, 2 },
    { "wrpkru, ECX", SYS_LONG, 3, C("\xff\xc1\x0f\x01\xef"), pke, EXCP_GP, 0, 2 },
    { "wrpkru, EDX", SYS_LONG, 3, C("\xff\xc2\x0f\x01\xef"), pke, EXCP_GP, 0, 2 },
    { "wrpkru closes a page", SYS_LONG, 3, C("\x8b\x33\x89\x33\xb0\x08\x0f\x01\xef\x8b\x33\x89\x33"), pke, EXCP_PF, PF_P | PF_W | PF_U | PF_PK, 11, cr2_is_rbx },
    { "wrpkru closes and opens", SYS_LONG, 3, C("\x8b\x33\xb0\x04\x0f\x01\xef\x31\xc0\x0f\x01\xef\x89\x33\x0f\x01\xee\xcd\x80"), pke, VEC_USER, NO_ERROR, 19 },
    { "wrpkru, another key", SYS_LONG, 3, C("\x8b\x33\xb8\xf0\xff\xff\xff\x0f\x01\xef\x89\x33\x89\xc6\x0f\x01\xee\xcd\x80"), pke, VEC_USER, NO_ERROR, 19, pkru_is_esi },
    { "xrstor closes a page", SYS_LONG, 3, C("\x8b\x33\xb8\x00\x02\x00\x00\x0f\xae\x6b\x40\x8b\x33"), pke_xrstor, EXCP_PF, PF_P | PF_U | PF_PK, 11, cr2_is_rbx },
    { "xsave, xrstor of PKRU alone", SYS_LONG, 3, C("\xb0\x30\x0f\x01\xef\xb8\x00\x02\x00\x00\x0f\xae\x63\x40\x31\xc0\x0f\x01\xef\xb8\x00\x02\x00\x00\x0f\xae\x6b\x40\x0f\x01\xee\xcd\x80"), pke, VEC_USER, NO_ERROR, 33, pkru_is_30 },
    { "xsavec of PKRU alone", SYS_LONG, 3, C("\xb0\x30\x0f\x01\xef\xb8\x00\x02\x00\x00\x0f\xc7\x63\x40\xcd\x80"), pke, VEC_USER, NO_ERROR, 16, compact_pkru },
    { "wrmsr of 57 bits without LA57", SYS_LONG, 0, C("\xb9\x02\x01\x00\xc0\xba\x00\x00\x80\x00\x0f\x30"), NULL, EXCP_GP, 0, 10 },
    { "wrfsbase of 57 bits without LA57", SYS_LONG, 0, C("\xf3\x48\x0f\xae\xd3"), fsgsbase57, EXCP_GP, 0, 0 },
    { "lldt, base not canonical", SYS_LONG, 0, C("\xb8\x90\x00\x00\x00\x0f\x00\xd0"), ldt_high, EXCP_GP, SEL_LDT, 5 },
    { "load over the end of 4 GiB", SYS_PROT, 0, C("\xa1\xfe\xff\xff\xff\xf4"), at_zero, NONE, 0, 6, rax_wraps },
    { "store over the end of 4 GiB", SYS_PROT, 0, C("\xa3\xfe\xff\xff\xff\xf4"), at_zero, NONE, 0, 6, stored_at_zero },
    /* alignment checks of vectors, as silicon (EPYC) does them */
    { "#AC: movups", SYS_LONG, 3, C("\x0f\x10\x43\x08"), alignment, EXCP_AC, 0, 0 },
    { "#AC: movups, aligned", SYS_LONG, 3, C("\x0f\x10\x43\x10\xcd\x80"), alignment, VEC_USER, NO_ERROR, 6 },
    { "#AC: movdqu to memory", SYS_LONG, 3, C("\xf3\x0f\x7f\x43\x04"), alignment, EXCP_AC, 0, 0 },
    { "#AC: movaps is #GP", SYS_LONG, 3, C("\x0f\x28\x43\x08"), alignment, EXCP_GP, 0, 0 },
    { "#AC: movsd of 8", SYS_LONG, 3, C("\xf2\x0f\x10\x43\x08\xf2\x0f\x10\x43\x04"), alignment, EXCP_AC, 0, 5 },
    { "#AC: fld m80 of 8", SYS_LONG, 3, C("\xdb\xe3\xdb\x6b\x08\xdb\x6b\x04"), alignment, EXCP_AC, 0, 5 },
    { "#AC: fstp m80 of 8", SYS_LONG, 3, C("\xdb\xe3\xd9\xe8\xdb\x7b\x08\xd9\xe8\xdb\x7b\x04"), alignment, EXCP_AC, 0, 9 },
    { "#AC: off for the kernel", SYS_LONG, 0, C("\x0f\x10\x43\x01\xf4"), alignment, NONE, 0, 5 },
    { "#AC: cmpxchg16b is #GP", SYS_LONG, 3, C("\x48\x0f\xc7\x4b\x08"), alignment, EXCP_GP, 0, 0 },
    { "#AC: rep movsw", SYS_LONG, 3, C("\x66\xf3\xa5"), alignment_rep, EXCP_AC, 0, 0 },
    { "#AC: outsw", SYS_LONG, 3, C("\x66\x6f"), alignment_out, EXCP_AC, 0, 0 },
    { "#AC: repe scasl", SYS_LONG, 3, C("\xf3\xaf"), alignment_rep, EXCP_AC, 0, 0 },
    { "#AC: push", SYS_LONG, 3, C("\xff\xcc\x50"), alignment, EXCP_AC, 0, 2 },
    { "#AC: kernel stack of a gate", SYS_LONG, 3, C("\xcd\x80"), alignment_tss, VEC_USER, NO_ERROR, 2 },
    /* single step, BTF, RF, shadows */
    { "monitor at cpl 3", SYS_LONG, 3, C("\x0f\x01\xc8"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "mwait at cpl 3", SYS_LONG, 3, C("\x0f\x01\xc9"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "monitor with extensions", SYS_LONG, 0, C("\x89\xd8\xb1\x01\x0f\x01\xc8"), reg_supervisor, EXCP_GP, 0, 4 },
    { "monitor an absent page", SYS_LONG, 0, C("\x48\x89\xd8\x0f\x01\xc8"), reg_absent, EXCP_PF, 0, 3, cr2_is_rbx },
    { "mwait with extensions", SYS_LONG, 0, C("\xb1\x02\x0f\x01\xc9"), NULL, EXCP_GP, 0, 2 },
    { "mwait switched off", SYS_LONG, 0, C("\x0f\x01\xc9"), no_monitor, EXCP_UD, NO_ERROR, 0 },
    { "mwait without monitor", SYS_LONG, 0, C("\x0f\x01\xc9\xf4"), NULL, NONE, 0, 4 },
    { "mov cr1", SYS_LONG, 0, C("\x0f\x20\xc8"), NULL, EXCP_UD, NO_ERROR, 0 },
    /* virtual-8086 mode */
    { "vm86 int, IOPL 0", SYS_VM86, 3, C("\xcd\x20"), NULL, EXCP_GP, 0, 0, NULL },
    { "vm86 int, IOPL 3, gate of DPL 0", SYS_VM86, 3, C("\xcd\x20"), iopl3, EXCP_GP, 0x20 * 8 + 2, 0 },
    { "vm86 int3", SYS_VM86, 3, C("\xcc"), NULL, EXCP_BP, NO_ERROR, 1 },
    { "vm86 ud2", SYS_VM86, 3, C("\x0f\x0b"), NULL, EXCP_UD, NO_ERROR, 0 },
    { "vm86 cli", SYS_VM86, 3, C("\xfa"), NULL, EXCP_GP, 0, 0 },
    { "vm86 hlt", SYS_VM86, 3, C("\xf4"), NULL, EXCP_GP, 0, 0, from_vm86 },
    { "vme sti", SYS_VM86, 3, C("\xfb\x0f\x0b"), excp_vme, EXCP_UD, NO_ERROR, 1 },
    { "vme sti with VIP", SYS_VM86, 3, C("\xfb"), vme_vip, EXCP_GP, 0, 0 },
    { "vme pushf", SYS_VM86, 3, C("\xfb\x9c\x0f\x0b"), excp_vme, EXCP_UD, NO_ERROR, 2, pushed_iopl3 },
    { "vme redirection", SYS_VM86, 3, C("\xcd\x21"), excp_vme, EXCP_GP, 0, HANDLERS_AT + 0x620, NULL },
    { "vme iret", SYS_VM86, 3, C("\xcf"), excp_vme_frame, EXCP_UD, NO_ERROR, 0x40, vif_is_pushed },
    { "vme iret, VIP", SYS_VM86, 3, C("\xcf"), vme_frame_vip, EXCP_GP, 0, 0 },
    { "vme iret of 32 bits", SYS_VM86, 3, C("\x66\xcf"), excp_vme_frame, EXCP_GP, 0, 0 },
    { "vm86 iret without vme", SYS_VM86, 3, C("\xcf"), NULL, EXCP_GP, 0, 0 },
    { "vme cli, popf", SYS_VM86, 3, C("\xfb\xfa\x9c\x58\xf6\xc4\x02\x75\x02\x0f\x0b\xf4"), excp_vme, EXCP_UD, NO_ERROR, 9 },
    { "vme popf of IF, VIP", SYS_VM86, 3, C("\x68\x00\x02\x9d"), vme_vip, EXCP_GP, 0, 3 },
    { "vme pushfd", SYS_VM86, 3, C("\x66\x9c"), excp_vme, EXCP_GP, 0, 0 },
    { "vme int not redirected", SYS_VM86, 3, C("\xcd\x20"), excp_vme, EXCP_GP, 0, 0 },
    { "pvi cli", SYS_PROT, 3, C("\xfb\xfa\xcd\x80"), pvi, VEC_USER, NO_ERROR, 4, vif_is_clear },
    { "pvi sti, VIP", SYS_PROT, 3, C("\xfb"), pvi_vip, EXCP_GP, 0, 0 },
    { "pvi leaves popf alone", SYS_PROT, 3, C("\x68\x00\x02\x00\x00\x9d\xcd\x80"), pvi, VEC_USER, NO_ERROR, 8, vif_is_clear },
    { "vm86 in denied", SYS_VM86, 3, C("\xe4\x84"), iopl3, EXCP_GP, 0, 0 },
    /* real mode */
    { "real int", SYS_REAL, 0, C("\xcd\x20"), NULL, 0x20, NO_ERROR, 2, real_frame },
    { "real div", SYS_REAL, 0, C("\x31\xc9\xf7\xf1"), NULL, EXCP_DE, NO_ERROR, 2 },
    { "real limit", SYS_REAL, 0, C("\xa1\xff\xff"), NULL, EXCP_GP, NO_ERROR, 0 },
    { "real far call and return", SYS_REAL, 0, C("\x9a\x08\x00\x00\x10\xf4\x90\x90\xcb"), NULL, NONE, 0, 6 },
};
/* clang-format on */

int main(void)
{
    return excp_main(rows, G_N_ELEMENTS(rows));
}
