/* SPDX-License-Identifier: MIT */
/*
 * Debug exceptions: breakpoints on code, data and ports, single steps, RF and the shadows of MOV
 * SS; SDM vol. 3B chapter 18.
 */
#include "excp.h"

#include "target-i386/paging.h"

/* ---- What rows prepare and check ------------------------------------------------------------ */

/* clang-format off */
static void trap_flag(System *s) { s->c->eflags |= EFL_TF; }
/* clang-format on */
static void breakpoint(System *s)
{
    s->c->dr[0] = system_code_base(SYS_LONG, 0) + 1;
    s->c->dr[7] |= 1;
}

/* clang-format off */
static void dr6_bs(System *s) { assert_true(s->c->dr[6] & 1 << 14); }
/* clang-format on */
static void watch(System *s, uint64_t addr, uint32_t dr7)
{
    s->c->regs[R_RBX] = PAGE_USER + 8;
    s->c->dr[1] = addr;
    s->c->dr[7] |= dr7;
    x86_update_mode(s->c);
}

/* clang-format off */
enum { L1_WRITE4 = 4 | 0xd << 20, L1_ACCESS1 = 4 | 3 << 20, L1_ACCESS8 = 4 | 0xb << 20, L1_PORT = 4 | 2 << 20 };
static void watch_write4(System *s) { watch(s, PAGE_USER + 8, L1_WRITE4); }
static void watch_access1(System *s) { watch(s, PAGE_USER + 8, L1_ACCESS1); }
static void watch_access8(System *s) { watch(s, PAGE_USER + 8, L1_ACCESS8); }
/* clang-format on */
static void watch_rep(System *s)
{
    watch_write4(s);
    s->c->regs[R_RDI] = PAGE_USER + 4;
    s->c->regs[R_RCX] = 16;
}

/* clang-format off */
static void watch_ss(System *s) { watch_access1(s); system_write(s, PAGE_USER + 8, SEL_DATA, 2); }
static void watch_write4_tf(System *s) { watch_write4(s); s->c->eflags |= EFL_TF; x86_update_mode(s->c); }
static void watch_off(System *s) { watch(s, PAGE_USER + 8, 0xd << 20); }
static void watch_port(System *s) { s->c->cr4 |= CR4_DE; watch(s, 0x80, L1_PORT); }
static void watch_port_no_de(System *s) { watch(s, 0x80, L1_PORT); }
static void general_detect(System *s) { s->c->dr[7] |= 1 << 13; }
static void dr4_de(System *s) { s->c->cr4 |= CR4_DE; }
static void dr6_b1(System *s) { assert_int_equal(s->c->dr[6] & 0xe00f, 2); }
/* clang-format on */
static void dr6_b1_written(System *s)
{
    dr6_b1(s);
    assert_int_equal(system_read(s, PAGE_USER + 8, 4), 0x12345678);
}

/* clang-format off */
static void dr6_b1_bs(System *s) { assert_int_equal(s->c->dr[6] & 0xe00f, 0x4002); }
static void dr6_none(System *s) { assert_int_equal(s->c->dr[6] & 0xe00f, 0); }
/* clang-format on */
static void dr6_bd(System *s)
{
    assert_int_equal(s->c->dr[6] & 0xe00f, 1 << 13);
    assert_false(s->c->dr[7] & 1 << 13);
}

static void rep_stopped(System *s)
{
    dr6_b1(s);
    assert_int_equal(s->c->regs[R_RCX], 11);
    assert_int_equal(s->c->regs[R_RDI], PAGE_USER + 9);
}

/* clang-format off */
static void dr6_b0(System *s) { assert_int_equal(s->c->dr[6] & 15, 1); }
static void vme_frame_tf(System *s) { excp_vme_frame(s); system_write(s, USER_STACK - 0xc, EFL_TF | 2, 2); }
static void btf(System *s) { s->c->eflags |= EFL_TF; s->c->debugctl = 2; }
static void btf_rep(System *s) { btf(s); s->c->regs[R_RDI] = PAGE_USER; s->c->regs[R_RCX] = 3; }
static void btf_gone(System *s) { dr6_bs(s); assert_int_equal(s->c->debugctl, 0); }
static void trap_flag_ss(System *s) { s->c->eflags |= EFL_TF; s->c->regs[R_RBX] = SEL_DATA; }
static void star_tf(System *s) { excp_star(s); s->c->eflags = (s->c->eflags & ~(uint32_t)EFL_DF) | EFL_TF; }
static void star_tf_open(System *s) { star_tf(s); s->c->sfmask = EFL_IF; }
/* clang-format on */
static void in_masked_syscall(System *s)
{
    assert_int_equal(s->c->cpu.pc, HANDLERS_AT + 0x501);
    assert_true(s->c->regs[11] & EFL_TF);
    dr6_none(s);
}

/* clang-format off */
static void star_to_user_tf(System *s) { excp_star_to_user(s); s->c->regs[11] |= EFL_TF; }
/* clang-format on */
static void bp_rep(System *s)
{
    s->c->regs[R_RDI] = PAGE_USER;
    s->c->regs[R_RCX] = 3;
    s->c->dr[0] = KERNEL_CODE;
    s->c->dr[7] |= 1;
}

/* clang-format off */
static void rf_rep(System *s) { bp_rep(s); s->c->eflags |= EFL_RF; }
static void bp_ss(System *s) { s->c->regs[R_RBX] = SEL_DATA; s->c->dr[0] = KERNEL_CODE + 2; s->c->dr[7] |= 1; }
static void no_rf(System *s) { assert_false(excp_stack64(s, 2) & EFL_RF); }
static void rf_is_pushed(System *s) { assert_true(excp_stack64(s, 2) & EFL_RF); }
/* clang-format on */
static void frame_rf(System *s)
{
    excp_frame_to_user(s);
    system_write(s, s->c->regs[R_RSP] + 16, EFL_RF | 2, 8);
    system_write(s, USER_CODE + 0x100, 0x80cd90, 3);
}

/* clang-format off */
static void task_trap(System *s) { system_write(s, TSS2_AT + 100, 1, 2); }
static void dr6_bt(System *s) { assert_int_equal(s->c->dr[6] & 0xe00f, 1 << 15); }
static void rax_is_2(System *s) { assert_int_equal(s->c->regs[R_RAX], 2); }
/* clang-format on */

/* ---- Rows ----------------------------------------------------------------------------------- */

/* clang-format off */
static const ExcpRow rows[] = {
    { "single step", SYS_LONG, 0, C("\x90\x90\xf4"), trap_flag, EXCP_DB, NO_ERROR, 1, dr6_bs },
    { "data breakpoint, write", SYS_LONG, 0, C("\xb8\x78\x56\x34\x12\x89\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 7, dr6_b1_written },
    { "data breakpoint, user write", SYS_LONG, 3, C("\x90\x89\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, protected mode", SYS_PROT, 0, C("\x90\x89\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, read of write", SYS_LONG, 0, C("\x90\x8b\x03\xf4"), watch_write4, NONE, NO_ERROR, 4, dr6_none },
    { "data breakpoint, last byte", SYS_LONG, 0, C("\x88\x43\x03\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, beyond", SYS_LONG, 0, C("\x88\x43\x04\xf4"), watch_write4, NONE, NO_ERROR, 4, dr6_none },
    { "data breakpoint, before", SYS_LONG, 0, C("\x89\x43\xfc\xf4"), watch_write4, NONE, NO_ERROR, 4, dr6_none },
    { "data breakpoint, overlap from below", SYS_LONG, 0, C("\x89\x43\xfd\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, read", SYS_LONG, 0, C("\x8b\x03\x90\xf4"), watch_access1, EXCP_DB, NO_ERROR, 2, dr6_b1 },
    { "data breakpoint, 8 bytes", SYS_LONG, 0, C("\x8a\x43\x07\x90\xf4"), watch_access8, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, read and write", SYS_LONG, 0, C("\x01\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 2, dr6_b1 },
    { "data breakpoint, locked", SYS_LONG, 0, C("\xf0\xff\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, rep stosb", SYS_LONG, 0, C("\xf3\xaa\x90\xf4"), watch_rep, EXCP_DB, NO_ERROR, 0, rep_stopped },
    { "data breakpoint, MOV SS", SYS_PROT, 0, C("\x8e\x13\x90\x90\xf4"), watch_ss, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint, x87 load", SYS_LONG, 0, C("\xdb\xe3\xdb\x2b\x90\xf4"), watch_access1, EXCP_DB, NO_ERROR, 4, dr6_b1 },
    { "data breakpoint, x87 store", SYS_LONG, 0, C("\xdb\xe3\xd9\xe8\xdd\x1b\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 6, dr6_b1 },
    { "data breakpoint, push [m]", SYS_LONG, 0, C("\xff\x33\x90\xf4"), watch_access1, EXCP_DB, NO_ERROR, 2, dr6_b1 },
    { "data breakpoint, pop [m]", SYS_LONG, 0, C("\x50\x8f\x03\x90\xf4"), watch_write4, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "data breakpoint with TF", SYS_LONG, 0, C("\x89\x03\x90\xf4"), watch_write4_tf, EXCP_DB, NO_ERROR, 2, dr6_b1_bs },
    { "data breakpoint not enabled", SYS_LONG, 0, C("\x89\x03\xf4"), watch_off, NONE, NO_ERROR, 3, dr6_none },
    { "port breakpoint", SYS_LONG, 0, C("\x90\xe6\x80\x90\xf4"), watch_port, EXCP_DB, NO_ERROR, 3, dr6_b1 },
    { "port breakpoint, IN", SYS_LONG, 0, C("\xe4\x80\x90\xf4"), watch_port, EXCP_DB, NO_ERROR, 2, dr6_b1 },
    { "port breakpoint, another port", SYS_LONG, 0, C("\xe6\x81\xf4"), watch_port, NONE, NO_ERROR, 3, dr6_none },
    { "port breakpoint without CR4.DE", SYS_LONG, 0, C("\xe6\x80\xf4"), watch_port_no_de, NONE, NO_ERROR, 3, dr6_none },
    { "DR7.GD", SYS_LONG, 0, C("\x90\x0f\x21\xc0\xf4"), general_detect, EXCP_DB, NO_ERROR, 1, dr6_bd },
    { "DR4 with CR4.DE", SYS_LONG, 0, C("\x0f\x21\xe0\xf4"), dr4_de, EXCP_UD, NO_ERROR, 0 },
    { "instruction breakpoint", SYS_LONG, 0, C("\x90\x90\xf4"), breakpoint, EXCP_DB, NO_ERROR, 1, dr6_b0 },
    { "BTF: the next branch", SYS_LONG, 0, C("\x90\x74\x01\x90\xeb\x00\x90"), btf, EXCP_DB, NO_ERROR, 6, btf_gone },
    { "BTF: taken jcc", SYS_LONG, 0, C("\x90\x74\x01\x90\x75\x01\x90\x90"), btf, EXCP_DB, NO_ERROR, 7, btf_gone },
    { "BTF: rep is no branch", SYS_LONG, 0, C("\xf3\xaa\xe8\x00\x00\x00\x00"), btf_rep, EXCP_DB, NO_ERROR, 7, btf_gone },
    { "TF: int n drops the trap", SYS_LONG, 3, C("\xcd\x80"), trap_flag, VEC_USER, NO_ERROR, 2, dr6_none },
    { "TF: sti", SYS_LONG, 0, C("\xfb\x90"), trap_flag, EXCP_DB, NO_ERROR, 1, dr6_bs },
    { "TF: mov ss", SYS_LONG, 0, C("\x8e\xd3\x90\x90"), trap_flag_ss, EXCP_DB, NO_ERROR, 3, dr6_bs },
    { "TF: hlt", SYS_LONG, 0, C("\xf4"), trap_flag, EXCP_DB, NO_ERROR, 1, dr6_bs },
    { "TF: pause", SYS_LONG, 0, C("\xf3\x90\x90"), trap_flag, EXCP_DB, NO_ERROR, 2, dr6_bs },
    { "TF: syscall that masks it", SYS_LONG, 3, C("\x0f\x05"), star_tf, NONE, 0, 0, in_masked_syscall },
    { "TF: syscall that does not", SYS_LONG, 3, C("\x0f\x05"), star_tf_open, EXCP_DB, NO_ERROR, HANDLERS_AT + 0x500 - USER_CODE, dr6_bs },
    { "TF: sysret that sets it", SYS_LONG, 0, C("\x48\x0f\x07"), star_to_user_tf, EXCP_DB, NO_ERROR, USER_CODE + 0x100 - KERNEL_CODE, dr6_bs },
    { "RF lasts through rep", SYS_LONG, 0, C("\xf3\xaa\xf4"), rf_rep, NONE, 0, 3 },
    { "breakpoint within rep's first iteration alone", SYS_LONG, 0, C("\xf3\xaa\xf4"), bp_rep, EXCP_DB, NO_ERROR, 0, dr6_b0 },
    { "breakpoint behind mov ss", SYS_LONG, 0, C("\x8e\xd3\x90\xf4"), bp_ss, NONE, 0, 4 },
    { "general detect sets RF", SYS_LONG, 0, C("\x0f\x21\xc0"), general_detect, EXCP_DB, NO_ERROR, 0, rf_is_pushed },
    { "a breakpoint does not", SYS_LONG, 0, C("\x90\x90"), breakpoint, EXCP_DB, NO_ERROR, 1, no_rf },
    { "iret sets RF for one instruction", SYS_LONG, 0, C("\x48\xcf"), frame_rf, VEC_USER, NO_ERROR, 0x103 + USER_CODE - KERNEL_CODE, no_rf },
    { "data breakpoint within rep", SYS_LONG, 0, C("\xf3\xaa"), watch_rep, EXCP_DB, NO_ERROR, 0, rf_is_pushed },
    { "T bit of a task", SYS_PROT, 0, C("\xea\x00\x00\x00\x00\x88\x00"), task_trap, EXCP_DB, NO_ERROR, HANDLERS_AT + 0x610 - KERNEL_CODE, dr6_bt },
    { "debugctl without LBR", SYS_LONG, 0, C("\xb9\xd9\x01\x00\x00\xb8\x03\x00\x00\x00\x31\xd2\x0f\x30\x0f\x32\xf4"), NULL, NONE, 0, 17, rax_is_2 },
    { "debugctl reserved", SYS_LONG, 0, C("\xb9\xd9\x01\x00\x00\xb8\x00\x10\x00\x00\x31\xd2\x0f\x30"), NULL, EXCP_GP, 0, 12 },
    { "vme iret sets TF", SYS_VM86, 3, C("\xcf"), vme_frame_tf, EXCP_GP, 0, 0 },
    { "vme popf sets TF", SYS_VM86, 3, C("\x68\x00\x01\x9d"), excp_vme, EXCP_GP, 0, 3 },
};
/* clang-format on */

int main(void)
{
    return excp_main(rows, G_N_ELEMENTS(rows));
}
