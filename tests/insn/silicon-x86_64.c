/* SPDX-License-Identifier: MIT */
/*
 * The host's processor as a runner. A child process maps the three areas at their addresses,
 * forbids itself every system call but read, write and sigreturn, and waits for cases. It enters a
 * case by returning from a signal handler whose frame it has filled with the case's registers (CS
 * 0x23 for 32-bit code), and the exception that ends the case brings it into the handler again,
 * which reports the registers and puts its own back. A child that hangs is killed.
 */
#include "insn.h"

#include <cpuid.h>
#include <glib.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "target-i386/cpuid.h"
#include "target-i386/decode.h"

enum { TIMEOUT_MS = 3000, USER_CS32 = 0x23, USER_CS64 = 0x33, USER_DS = 0x2b };

typedef struct Shared { /* between parent and child, besides the areas */
    Case todo;
    State result;
} Shared;

typedef struct Silicon {
    Runner runner;
    int memory_fd;
    Memory *memory; /* the areas, as the parent writes them */
    Shared *shared;
    int to_child, from_child;
    pid_t child;
} Silicon;

/* FXSAVE image, SDM vol. 1, 10.5.1; 64-bit format. */
typedef struct FxImage {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
} FxImage;

/* ---- The child ------------------------------------------------------------------------------ */

static Shared *child_shared;
static greg_t own_gregs[23];
static FxImage own_fx;
static bool in_case;

static const int gpr_index[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15 };
#define OUR_FLAGS 0xcd5u /* arithmetic ones and DF */

static void enter_case(mcontext_t *m)
{
    const Case *k = &child_shared->todo;
    FxImage *fx = (FxImage *)m->fpregs;
    memcpy(own_gregs, m->gregs, sizeof(own_gregs));
    memcpy(&own_fx, fx, sizeof(own_fx));
    for (unsigned n = 0; n < 16; n++)
        m->gregs[gpr_index[n]] = (greg_t)k->in.gpr[n];
    m->gregs[REG_RIP] = (greg_t)k->in.rip;
    m->gregs[REG_EFL] = (m->gregs[REG_EFL] & ~(greg_t)OUR_FLAGS) | (k->in.flags & (OUR_FLAGS | TF));
    uint64_t cs = k->mode == M32 ? USER_CS32 : USER_CS64;
    m->gregs[REG_CSGSFS] = (greg_t)(((uint64_t)m->gregs[REG_CSGSFS] & ~UINT64_C(0xffff)) | cs);
    fx->fcw = k->in.fcw;
    fx->fsw = k->in.fsw;
    fx->ftw = k->in.ftw;
    fx->mxcsr = k->in.mxcsr;
    memcpy(fx->xmm, k->in.xmm, sizeof(fx->xmm));
    for (unsigned n = 0; n < 8; n++) {
        memcpy(fx->st[n], &k->in.st[n].frac, 8);
        memcpy(fx->st[n] + 8, &k->in.st[n].se, 2);
    }
    in_case = true;
}

static void leave_case(mcontext_t *m)
{
    State *s = &child_shared->result;
    FxImage *fx = (FxImage *)m->fpregs;
    memset(s, 0, sizeof(*s));
    for (unsigned n = 0; n < 16; n++)
        s->gpr[n] = (uint64_t)m->gregs[gpr_index[n]];
    s->rip = (uint64_t)m->gregs[REG_RIP];
    s->flags = (uint32_t)m->gregs[REG_EFL] & OUR_FLAGS;
    s->vector = (uint8_t)m->gregs[REG_TRAPNO];
    s->error = (uint32_t)m->gregs[REG_ERR];
    s->cr2 = s->vector == 14 ? (uint64_t)m->gregs[REG_CR2] : 0;
    s->fcw = fx->fcw;
    s->fsw = fx->fsw;
    s->ftw = fx->ftw;
    s->mxcsr = fx->mxcsr;
    memcpy(s->xmm, fx->xmm, sizeof(fx->xmm));
    for (unsigned n = 0; n < 8; n++) {
        memcpy(&s->st[n].frac, fx->st[n], 8);
        memcpy(&s->st[n].se, fx->st[n] + 8, 2);
    }
    memcpy(m->gregs, own_gregs, sizeof(own_gregs));
    memcpy(fx, &own_fx, sizeof(own_fx));
    in_case = false;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    __asm__ volatile("cld");
    if (in_case)
        leave_case(m);
    else
        enter_case(m);
}

static void map_area(Silicon *s, uint32_t base, size_t offset, int prot)
{
    void *p = mmap((void *)(uintptr_t)base, AREA_SIZE, prot, MAP_SHARED | MAP_FIXED_NOREPLACE,
                   s->memory_fd, (off_t)offset);
    if (p == MAP_FAILED)
        _exit(1);
}

static void child_setup(Silicon *s)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static uint8_t signal_stack[64 * 1024];
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    map_area(s, CODE_BASE, offsetof(Memory, code), PROT_READ | PROT_EXEC);
    map_area(s, DATA_BASE, offsetof(Memory, data), PROT_READ | PROT_WRITE);
    map_area(s, STACK_BASE, offsetof(Memory, stack), PROT_READ | PROT_WRITE);
    sigaltstack(&stack, NULL);
    for (unsigned n = 0; n < G_N_ELEMENTS(signals); n++)
        sigaction(signals[n], &action, NULL);
    /* 32-bit code needs them; in 64-bit mode they mean nothing. */
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(USER_DS));
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
}

static void child_main(Silicon *s, int in, int out)
{
    char byte;
    child_shared = s->shared;
    child_setup(s);
    while (read(in, &byte, 1) == 1) {
        __asm__ volatile("int3" : : : "memory");
        if (write(out, &byte, 1) != 1)
            break;
    }
    __builtin_trap();
}

/* ---- The parent ----------------------------------------------------------------------------- */

static bool start_child(Silicon *s)
{
    int to[2], from[2];
    if (pipe(to) || pipe(from))
        return false;
    s->child = fork();
    if (s->child < 0)
        return false;
    if (s->child == 0)
        child_main(s, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    s->to_child = to[1];
    s->from_child = from[0];
    return true;
}

static void stop_child(Silicon *s)
{
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    close(s->to_child);
    close(s->from_child);
}

static bool exchange(Silicon *s)
{
    struct pollfd p = { .fd = s->from_child, .events = POLLIN };
    char byte = 0;
    if (write(s->to_child, &byte, 1) != 1 || poll(&p, 1, TIMEOUT_MS) != 1)
        return false;
    return read(s->from_child, &byte, 1) == 1;
}

static void run_silicon(Runner *r, const Case *c, Memory *mem, State *out)
{
    Silicon *s = (Silicon *)r;
    *s->memory = *mem;
    s->shared->todo = *c;
    if (exchange(s)) {
        *out = s->shared->result;
    } else {
        stop_child(s);
        start_child(s);
        memset(out, 0, sizeof(*out));
        out->vector = VECTOR_TIMEOUT;
    }
    *mem = *s->memory;
}

uint64_t silicon_features(void)
{
    uint32_t words[CPUID_WORDS] = { 0 }, a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        words[CPUID_1_EDX] = d;
        words[CPUID_1_ECX] = c;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        words[CPUID_7_0_EBX] = b;
        words[CPUID_7_0_ECX] = c;
        words[CPUID_7_0_EDX] = d;
    }
    if (__get_cpuid_count(0xd, 1, &a, &b, &c, &d))
        words[CPUID_D_1_EAX] = a;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
        words[CPUID_80000001_EDX] = d;
        words[CPUID_80000001_ECX] = c;
    }
    return decode_features(words) | 1u << FEAT_NONE;
}

Runner *silicon_runner(void)
{
    static Silicon s = {
        .runner = { .name = "silicon", .is_silicon = true, .modes = M32 | M64, .run = run_silicon }
    };
    if (s.shared)
        return &s.runner;
    s.memory_fd = memfd_create("insn", 0);
    if (s.memory_fd < 0 || ftruncate(s.memory_fd, sizeof(Memory)))
        return NULL;
    s.memory = mmap(NULL, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, s.memory_fd, 0);
    s.shared =
        mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.memory == MAP_FAILED || s.shared == MAP_FAILED || !start_child(&s)) {
        s.shared = NULL;
        return NULL;
    }
    return &s.runner;
}
