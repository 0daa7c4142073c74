/* SPDX-License-Identifier: MIT */
/* Shared by apic.c (one local APIC) and apic-bus.c (all of them, and the way to them). */
#ifndef HW_APIC_INTERNAL_H
#define HW_APIC_INTERNAL_H

#include "hw/apic.h"

/* Register offsets in the xAPIC page; an x2APIC MSR is 0x800 + offset / 16. */
enum {
    APIC_REG_ID = 0x020,
    APIC_REG_VERSION = 0x030,
    APIC_REG_TPR = 0x080,
    APIC_REG_APR = 0x090,
    APIC_REG_PPR = 0x0a0,
    APIC_REG_EOI = 0x0b0,
    APIC_REG_RRD = 0x0c0,
    APIC_REG_LDR = 0x0d0,
    APIC_REG_DFR = 0x0e0,
    APIC_REG_SVR = 0x0f0,
    APIC_REG_ISR = 0x100,
    APIC_REG_TMR = 0x180,
    APIC_REG_IRR = 0x200,
    APIC_REG_ESR = 0x280,
    APIC_REG_ICR_LOW = 0x300,
    APIC_REG_ICR_HIGH = 0x310,
    APIC_REG_LVT_TIMER = 0x320,
    APIC_REG_LVT_ERROR = 0x370,
    APIC_REG_INITIAL_COUNT = 0x380,
    APIC_REG_CURRENT_COUNT = 0x390,
    APIC_REG_DIVIDE = 0x3e0,
    APIC_REG_SELF_IPI = 0x3f0, /* x2APIC only */
};

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

enum {
    APIC_BASE_BSP = 1 << 8,
    APIC_BASE_X2APIC = 1 << 10,
    APIC_BASE_ENABLE = 1 << 11,
};

typedef struct ApicSet ApicSet;

typedef struct Apic {
    Device dev;
    ApicSet *set;
    unsigned index;
    uint32_t initial_id;
    Timer *timer;
    /* state */
    uint64_t base;
    uint32_t id; /* xAPIC ID, as 8 bits */
    uint32_t tpr, ldr, dfr, svr, esr, esr_pending;
    uint32_t isr[8], irr[8], tmr[8];
    uint32_t lvt[LVT_COUNT];
    uint64_t icr;
    uint32_t initial_count, divide;
    int64_t count_start_ns; /* when initial_count was loaded */
    bool counting;          /* one-shot not expired yet, or periodic */
    bool extint_pending;    /* an ExtINT message waits for INTA */
    bool intr;              /* what the CPU's INTR is at */
} Apic;

struct ApicSet {
    Device dev;
    const CpuBus *cpus;
    Clock *clock;
    MemRegion *memory, window;
    ApicBus bus;
    Irq lint[2];
    int (*acknowledge)(void *opaque);
    void *acknowledge_opaque;
    void (*eoi)(void *opaque, uint8_t vector);
    void *eoi_opaque;
    unsigned count;
    Apic *apic[APIC_MAX_CPUS];
    /* state */
    bool lint_level[2];
};

/* Global enable in IA32_APIC_BASE; software enable in SVR on top of it. */
bool apic_is_on(const Apic *a);
bool apic_is_enabled(const Apic *a);
bool apic_is_x2apic(const Apic *a);
uint8_t apic_ppr(const Apic *a);
uint32_t apic_current_count(const Apic *a);
void apic_print(const Apic *a, GString *out); /* apic-print.c */

/* Deliver to this APIC, which the message's destination names. */
void apic_accept(Apic *a, const ApicMessage *msg);
void apic_lint_changed(Apic *a, unsigned pin, bool rising);
int apic_acknowledge(Apic *a);
void apic_reset_registers(Apic *a, bool init);
void apic_update(Apic *a);

/* Register access by xAPIC offset; false: no such register (or not in this mode). */
bool apic_reg_read(Apic *a, unsigned offset, uint32_t *value);
bool apic_reg_write(Apic *a, unsigned offset, uint32_t value);
bool apic_base_write(Apic *a, uint64_t value);
void apic_icr_write(Apic *a, uint64_t icr);
void apic_error(Apic *a, uint32_t bit);
void apic_tsc_deadline(Apic *a, int64_t deadline_ns);
bool apic_has_tsc_deadline(const Apic *a);

enum {
    APIC_ESR_SEND_ILLEGAL = 1 << 5,
    APIC_ESR_RECEIVE_ILLEGAL = 1 << 6,
    APIC_ESR_ILLEGAL_REGISTER = 1 << 7,
};

/* To every APIC that @msg names; @sender is for shorthands and may be NULL. */
/* clang-format off */
typedef enum ApicShorthand { APIC_TO_DEST, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS } ApicShorthand;
/* clang-format on */
void apic_set_send(ApicSet *s, Apic *sender, ApicShorthand to, const ApicMessage *msg);

#endif
