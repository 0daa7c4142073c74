/* SPDX-License-Identifier: MIT */
/*
 * The host's processor as a runner. A child process maps the three areas at their addresses,
 * forbids itself every system call but read, write and sigreturn, and waits for cases, a batch at a
 * time. It enters a case by returning from a signal handler whose frame it has filled with the
 * case's registers (CS 0x23 for 32-bit code, of the LDT for 16-bit code), and the exception that
 * ends the case brings it into the handler again, which reports the registers and puts its own
 * back. A child that hangs is killed. Cases leave FS and GS as they like: the child uses no TLS.
 */
#include "insn.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <glib.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "target-i386/cpuid.h"
#include "target-i386/decode.h"

enum { TIMEOUT_MS = 3000 };

typedef struct Shared {     /* between parent and child, besides the areas */
    unsigned n;             /* slots to run … */
    volatile unsigned done; /* … and run */
    Slot slot[SILICON_BATCH];
} Shared;

typedef struct Silicon {
    Runner runner;
    int memory_fd;
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
    uint8_t reserved2[48];
    uint32_t magic1, extended_size; /* the kernel's: what follows is there */
    uint64_t features;
    uint8_t reserved3[32];
} FxImage;

/* Behind it in signal frames: the XSAVE header and, in the standard format, YMM_Hi128. */
typedef struct XsaveImage {
    FxImage fx;
    uint64_t in_use, header[7];
    uint8_t ymmh[16][16];
} XsaveImage;
enum { MAGIC1 = 0x46505853, XFEATURE_YMM = 4 };
_Static_assert(offsetof(XsaveImage, ymmh) == 576, "the layout of SDM vol. 1, 13.4");

/* ---- The child ------------------------------------------------------------------------------ */

static Shared *child_shared;
static greg_t own_gregs[23];
static FxImage own_fx;
static XsaveImage own_x;
static Memory *child_memory; /* the areas, writable */
static bool in_case;

static const int gpr_index[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15 };
#define OUR_FLAGS 0xcd5u /* arithmetic ones and DF */

static void load_data_segments(const uint16_t *sel)
{
    __asm__ volatile("movw %0, %%es; movw %1, %%ds; movw %2, %%fs; movw %3, %%gs"
                     :
                     : "m"(sel[INSN_ES]), "m"(sel[INSN_DS]), "m"(sel[INSN_FS]), "m"(sel[INSN_GS]));
}

static void store_data_segments(uint16_t *sel)
{
    __asm__ volatile("movw %%es, %0; movw %%ds, %1; movw %%fs, %2; movw %%gs, %3"
                     : "=m"(sel[INSN_ES]), "=m"(sel[INSN_DS]), "=m"(sel[INSN_FS]),
                       "=m"(sel[INSN_GS]));
}

/* NULL: the host has none. */
static XsaveImage *ymm_of(FxImage *fx)
{
    bool has = fx->magic1 == MAGIC1 && (fx->features & XFEATURE_YMM);
    return has ? (XsaveImage *)fx : NULL;
}

static bool is_zero(const void *p, size_t size)
{
    const uint8_t *b = p;
    for (size_t n = 0; n < size; n++) {
        if (b[n])
            return false;
    }
    return true;
}

/* What is not as after a reset: some processors take what is restored to be in use, whatever it is,
 * and XSAVE tells. */
static uint64_t components_in_use(const State *s)
{
    bool x87 = s->fcw != 0x37f || s->fsw || s->ftw || !is_zero(s->st, sizeof(s->st));
    return (x87 ? 1 : 0) | (is_zero(s->xmm, sizeof(s->xmm)) ? 0 : 2) |
           (is_zero(s->ymmh, sizeof(s->ymmh)) ? 0 : XFEATURE_YMM);
}

static void enter_case(mcontext_t *m)
{
    const Case *k = &child_shared->slot[child_shared->done].todo;
    FxImage *fx = (FxImage *)m->fpregs;
    memcpy(own_gregs, m->gregs, sizeof(own_gregs));
    memcpy(&own_fx, fx, sizeof(own_fx));
    for (unsigned n = 0; n < 16; n++)
        m->gregs[gpr_index[n]] = (greg_t)k->in.gpr[n];
    m->gregs[REG_RIP] = (greg_t)k->in.rip;
    m->gregs[REG_EFL] = (m->gregs[REG_EFL] & ~(greg_t)OUR_FLAGS) | (k->in.flags & (OUR_FLAGS | TF));
    uint16_t selectors[4]; /* CS GS FS SS */
    memcpy(selectors, &m->gregs[REG_CSGSFS], sizeof(selectors));
    selectors[0] = k->in.sel[INSN_CS];
    selectors[3] = k->in.sel[INSN_SS];
    memcpy(&m->gregs[REG_CSGSFS], selectors, sizeof(selectors));
    load_data_segments(k->in.sel);
    fx->fcw = k->in.fcw;
    fx->fsw = k->in.fsw;
    fx->ftw = k->in.ftw;
    fx->mxcsr = k->in.mxcsr;
    memcpy(fx->xmm, k->in.xmm, sizeof(fx->xmm));
    for (unsigned n = 0; n < 8; n++) {
        memcpy(fx->st[n], &k->in.st[n].frac, 8);
        memcpy(fx->st[n] + 8, &k->in.st[n].se, 2);
    }
    XsaveImage *x = ymm_of(fx);
    if (x) {
        memcpy(&own_x, x, sizeof(own_x));
        x->in_use = (x->in_use & ~(uint64_t)7) | components_in_use(&k->in);
        memcpy(x->ymmh, k->in.ymmh, sizeof(x->ymmh));
    }
    in_case = true;
}

static void leave_case(mcontext_t *m)
{
    State *s = &child_shared->slot[child_shared->done].result;
    FxImage *fx = (FxImage *)m->fpregs;
    memset(s, 0, sizeof(*s));
    for (unsigned n = 0; n < 16; n++)
        s->gpr[n] = (uint64_t)m->gregs[gpr_index[n]];
    s->rip = (uint64_t)m->gregs[REG_RIP];
    s->flags = (uint32_t)m->gregs[REG_EFL] & OUR_FLAGS;
    s->vector = (uint8_t)m->gregs[REG_TRAPNO];
    s->error = (uint32_t)m->gregs[REG_ERR];
    s->cr2 = s->vector == 14 ? (uint64_t)m->gregs[REG_CR2] : 0;
    uint16_t selectors[4];
    memcpy(selectors, &m->gregs[REG_CSGSFS], sizeof(selectors));
    store_data_segments(s->sel);
    s->sel[INSN_CS] = selectors[0];
    s->sel[INSN_SS] = selectors[3];
    if (s->sel[INSN_CS] != FLAT_CODE64) /* there the kernel lets its own stack's show, espfix */
        s->gpr[4] = (uint32_t)s->gpr[4];
    s->fcw = fx->fcw;
    s->fsw = fx->fsw;
    s->ftw = fx->ftw;
    s->mxcsr = fx->mxcsr;
    memcpy(s->xmm, fx->xmm, sizeof(fx->xmm));
    for (unsigned n = 0; n < 8; n++) {
        memcpy(&s->st[n].frac, fx->st[n], 8);
        memcpy(&s->st[n].se, fx->st[n] + 8, 2);
    }
    XsaveImage *x = ymm_of(fx);
    if (x && (x->in_use & XFEATURE_YMM))
        memcpy(s->ymmh, x->ymmh, sizeof(x->ymmh));
    memcpy(m->gregs, own_gregs, sizeof(own_gregs));
    memcpy(fx, &own_fx, sizeof(own_fx));
    if (x) {
        x->in_use = own_x.in_use;
        memcpy(x->ymmh, own_x.ymmh, sizeof(x->ymmh));
    }
    in_case = false;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    /* What sigreturn does not set of EFLAGS: NT, ID; and AC, which is not for us. */
    __asm__ volatile("cld; lea -128(%%rsp), %%rsp; pushf; andl $~0x244000, (%%rsp); popf;"
                     "lea 128(%%rsp), %%rsp"
                     :
                     :
                     : "cc", "memory");
    if (in_case)
        leave_case(m);
    else
        enter_case(m);
}

static void *map_area(Silicon *s, uint32_t base, size_t offset, size_t size, int prot)
{
    int fixed = base ? MAP_FIXED_NOREPLACE : 0;
    void *p =
        mmap((void *)(uintptr_t)base, size, prot, MAP_SHARED | fixed, s->memory_fd, (off_t)offset);
    if (p == MAP_FAILED)
        _exit(1);
    return p;
}

static bool make_ldt(void)
{
    for (unsigned n = 0; n < LDT_COUNT; n++) {
        const LdtEntry *e = &insn_ldt[n];
        bool pages = e->limit > 0xfffff;
        struct user_desc d = {
            .entry_number = n,
            .base_addr = e->base,
            .limit = pages ? e->limit >> 12 : e->limit,
            .limit_in_pages = pages,
            .seg_32bit = e->is_32bit,
            .contents = e->is_code ? MODIFY_LDT_CONTENTS_CODE : e->expands_down,
            .read_exec_only = e->read_only,
        };
        if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
            return false;
    }
    return true;
}

static void child_setup(Silicon *s)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static uint8_t signal_stack[64 * 1024];
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    map_area(s, CODE_BASE, offsetof(Memory, code), AREA_SIZE, PROT_READ | PROT_EXEC);
    map_area(s, DATA_BASE, offsetof(Memory, data), AREA_SIZE, PROT_READ | PROT_WRITE);
    map_area(s, STACK_BASE, offsetof(Memory, stack), AREA_SIZE, PROT_READ | PROT_WRITE);
    child_memory = map_area(s, 0, 0, sizeof(Memory), PROT_READ | PROT_WRITE);
    if (s->runner.modes & M16P && !make_ldt())
        _exit(1);
    sigaltstack(&stack, NULL);
    for (unsigned n = 0; n < G_N_ELEMENTS(signals); n++)
        sigaction(signals[n], &action, NULL);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
}

/* The C library's would look into the TLS. */
static long raw_call(long number, int fd, void *buf, size_t len)
{
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(number), "D"((long)fd), "S"(buf), "d"(len)
                     : "rcx", "r11", "memory");
    return r;
}

static void run_slots(Shared *s)
{
    while (s->done < s->n) {
        Slot *slot = &s->slot[s->done];
        memcpy(child_memory, &slot->memory, sizeof(Memory));
        __asm__ volatile("int3" : : : "memory");
        memcpy(&slot->memory, child_memory, sizeof(Memory));
        s->done++;
    }
}

__attribute__((noreturn)) static void child_main(Silicon *s, int in, int out)
{
    char byte;
    child_shared = s->shared;
    child_setup(s);
    while (raw_call(SYS_read, in, &byte, 1) == 1) {
        run_slots(child_shared);
        if (raw_call(SYS_write, out, &byte, 1) != 1)
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
    if (s->child ==
        0) { /* a parent that is gone before it asks for a signal is the end of the pipe */
        close(to[1]);
        close(from[0]);
        child_main(s, to[0], from[1]);
    }
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

/* False: the child has stopped, or has not moved for long. */
static bool wait_for_child(Silicon *s)
{
    struct pollfd p = { .fd = s->from_child, .events = POLLIN };
    char byte;
    unsigned done;
    do {
        done = s->shared->done;
        int r = poll(&p, 1, TIMEOUT_MS);
        if (r == 1)
            return read(s->from_child, &byte, 1) == 1;
    } while (s->shared->done != done);
    return false;
}

void silicon_run_slots(Runner *r, unsigned n)
{
    Silicon *s = (Silicon *)r;
    char byte = 0;
    s->shared->n = n;
    s->shared->done = 0;
    while (s->shared->done < n) {
        if (write(s->to_child, &byte, 1) == 1 && wait_for_child(s))
            continue;
        State *out = &s->shared->slot[s->shared->done].result;
        stop_child(s);
        start_child(s);
        memset(out, 0, sizeof(*out));
        out->vector = VECTOR_TIMEOUT;
        s->shared->done++;
    }
}

Slot *silicon_slots(Runner *r)
{
    return ((Silicon *)r)->shared->slot;
}

static void run_silicon(Runner *r, const Case *c, Memory *mem, State *out)
{
    Slot *slot = silicon_slots(r);
    slot->todo = *c;
    slot->memory = *mem;
    silicon_run_slots(r, 1);
    *out = slot->result;
    *mem = slot->memory;
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
    return decode_features(words);
}

Runner *silicon_runner(void)
{
    static Silicon s = {
        .runner = { .name = "silicon", .is_silicon = true, .modes = M32 | M64, .run = run_silicon }
    };
    struct user_desc none = { .entry_number = 0, .read_exec_only = 1, .seg_not_present = 1 };
    if (s.shared)
        return &s.runner;
    s.runner.features = silicon_features();
    s.memory_fd = memfd_create("insn", 0);
    if (s.memory_fd < 0 || ftruncate(s.memory_fd, sizeof(Memory)))
        return NULL;
    if (!syscall(SYS_modify_ldt, 0x11, &none, sizeof(none)))
        s.runner.modes |= M32S | M16P;
    s.shared =
        mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.shared == MAP_FAILED || !start_child(&s)) {
        s.shared = NULL;
        return NULL;
    }
    return &s.runner;
}
