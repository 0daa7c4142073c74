/* SPDX-License-Identifier: MIT */
#include "softmmu/program/gdb/server.h"

#include <stdio.h>
#include <string.h>

#include "accel/accel.h"
#include "accel/debug.h"
#include "accel/session.h"
#include "accel/travel.h"
#include "softmmu/error.h"
#include "softmmu/program/gdb/registers.h"
#include "softmmu/program/gdb/stub.h"

struct GdbServer {
    Built *b;
    RunControl *rc;
    Monitor *mon;
    Traveller *traveller;
    GdbRegisters *regs;
    GdbTarget target;
    GdbStub *stub; /* NULL: no client will come */
    bool asks;     /* its client does something by the monitor */
    int channel;
    bool interfered; /* it stopped a machine that was running, or let it run */
    DebugStop last;
    bool changed; /* what the last change came to */
    bool told;    /* … that a replay cannot be changed */
};

static Cpu *cpu_of(GdbServer *g, unsigned n)
{
    return accel_cpu(g->b->accel, n);
}

/* ---- Changes --------------------------------------------------------------------------------- */

typedef enum ChangeKind { CHANGE_REGISTER, CHANGE_MEMORY, CHANGE_PHYSICAL } ChangeKind;

/* As recorded: integers are little-endian. The bytes to write follow. */
typedef struct Change {
    uint32_t kind, cpu;
    uint64_t where; /* number or address */
} Change;

/* Real addresses have 32 bits where linear ones do. */
static uint64_t linear(Cpu *cpu, uint64_t addr)
{
    return x86(cpu)->efer & EFER_LMA ? addr : (uint32_t)addr;
}

static bool is_there(AddressSpace *as, uint64_t addr, size_t len, bool write)
{
    for (size_t i = 0; i < len;) {
        const FlatRange *r = address_space_find(as, addr + i);

        if (!r || (write && r->region->kind == MEM_ROM) || addr + i < addr)
            return false;
        i += MIN(len - i, r->start + r->size - (addr + i));
    }
    return true;
}

static bool write_physical(Cpu *cpu, uint64_t addr, const void *buf, size_t len)
{
    AddressSpace *as = cpu_common(cpu)->memory;

    if (!is_there(as, addr, len, true))
        return false;
    address_space_write_bytes(as, addr, buf, len);
    return true;
}

/* From the input queue: the debugger's or a recording's. */
static void change_arrived(void *opaque, const void *data, size_t len)
{
    GdbServer *g = opaque;
    const uint8_t *bytes = (const uint8_t *)data + sizeof(Change);
    Change change;
    Cpu *cpu;

    g->changed = false;
    if (len < sizeof(change))
        return;
    memcpy(&change, data, sizeof(change));
    len -= sizeof(change);
    change.kind = GUINT32_FROM_LE(change.kind);
    change.where = GUINT64_FROM_LE(change.where);
    cpu = cpu_of(g, GUINT32_FROM_LE(change.cpu));
    if (!cpu)
        return;
    if (change.kind == CHANGE_REGISTER)
        g->changed = change.where < gdb_registers_count(g->regs) &&
                     len == gdb_register_size(g->regs, change.where) &&
                     gdb_register_write(g->regs, x86(cpu), change.where, bytes);
    else if (change.kind == CHANGE_MEMORY)
        g->changed = debug_write(cpu, linear(cpu, change.where), bytes, len);
    else if (change.kind == CHANGE_PHYSICAL)
        g->changed = write_physical(cpu, change.where, bytes, len);
}

static bool make_change(GdbServer *g, ChangeKind kind, unsigned cpu, uint64_t where,
                        const uint8_t *buf, size_t len)
{
    Change change = { GUINT32_TO_LE(kind), GUINT32_TO_LE(cpu), GUINT64_TO_LE(where) };
    g_autoptr(GByteArray) event = g_byte_array_new();

    g_byte_array_append(event, (const uint8_t *)&change, sizeof(change));
    g_byte_array_append(event, buf, len);
    if (input_is_replaying(g->b->machine.input) && !g->told) {
        g->told = true;
        fprintf(stderr,
                "mimus: gdb: a replay cannot be changed; after 'monitor go-live' the machine"
                " can\n");
    }
    return input_act(g->b->machine.input, g->channel, event->data, event->len,
                     accel_instruction_count(g->b->accel)) &&
           g->changed;
}

/* ---- Registers and memory -------------------------------------------------------------------- */

static const char *features(void *opaque, const char *annex)
{
    GdbServer *g = opaque;

    return strcmp(annex, "target.xml") ? NULL : gdb_registers_xml(g->regs);
}

static unsigned reg_size(void *opaque, unsigned reg)
{
    return gdb_register_size(((GdbServer *)opaque)->regs, reg);
}

static void read_reg(void *opaque, unsigned cpu, unsigned reg, uint8_t *buf)
{
    GdbServer *g = opaque;

    gdb_register_read(g->regs, x86(cpu_of(g, cpu)), reg, buf);
}

static bool write_reg(void *opaque, unsigned cpu, unsigned reg, const uint8_t *buf)
{
    GdbServer *g = opaque;

    return make_change(g, CHANGE_REGISTER, cpu, reg, buf, gdb_register_size(g->regs, reg));
}

/* Physical reads are the one way to look at device registers, with all that reading does. */
static bool read_memory(void *opaque, unsigned n, bool physical, uint64_t addr, uint8_t *buf,
                        size_t len)
{
    Cpu *cpu = cpu_of(opaque, n);
    AddressSpace *as = cpu_common(cpu)->memory;

    if (!physical)
        return debug_read(cpu, linear(cpu, addr), buf, len);
    if (!is_there(as, addr, len, false))
        return false;
    address_space_read_bytes(as, addr, buf, len);
    return true;
}

static bool write_memory(void *opaque, unsigned cpu, bool physical, uint64_t addr,
                         const uint8_t *buf, size_t len)
{
    return make_change(opaque, physical ? CHANGE_PHYSICAL : CHANGE_MEMORY, cpu, addr, buf, len);
}

/* ---- Break- and watchpoints ------------------------------------------------------------------ */

#define WATCH_MAX 4096 /* bytes of one */

static bool make_point(DebugPoint *p, GdbPoint type, uint64_t addr, uint64_t len)
{
    static const uint8_t kinds[] = { [GDB_SOFT_BREAK] = DEBUG_EXEC,
                                     [GDB_HARD_BREAK] = DEBUG_EXEC,
                                     [GDB_WATCH_WRITE] = DEBUG_WRITE,
                                     [GDB_WATCH_READ] = DEBUG_READ,
                                     [GDB_WATCH_ACCESS] = DEBUG_READ | DEBUG_WRITE };

    *p = (DebugPoint){ .addr = addr, .len = 1, .kinds = kinds[type], .tag = type };
    if (type < GDB_WATCH_WRITE)
        return true; /* the length is that of an instruction GDB would have written */
    p->len = len;
    return len && len <= WATCH_MAX && addr + len > addr;
}

static bool insert(void *opaque, GdbPoint type, uint64_t addr, uint64_t len)
{
    DebugPoint p;

    return make_point(&p, type, addr, len) && debug_insert(((GdbServer *)opaque)->b->accel, &p);
}

static bool remove_point(void *opaque, GdbPoint type, uint64_t addr, uint64_t len)
{
    DebugPoint p;

    return make_point(&p, type, addr, len) && debug_remove(((GdbServer *)opaque)->b->accel, &p);
}

/* ---- Running --------------------------------------------------------------------------------- */

static bool is_running(void *opaque)
{
    return ((GdbServer *)opaque)->b->machine.state == RUN_RUNNING;
}

static bool is_plugged_in(void *opaque, unsigned cpu)
{
    return machine_has_cpu(&((GdbServer *)opaque)->b->machine, cpu);
}

static bool is_halted(void *opaque, unsigned cpu)
{
    return cpu_common(cpu_of(opaque, cpu))->halted;
}

/* Has CPU @n stood at this breakpoint since it was told of? Then it goes on from there. */
static bool stands_at_breakpoint(GdbServer *g, unsigned n)
{
    return g->last.why == DEBUG_BREAKPOINT && g->last.cpu == n &&
           gdb_linear_pc(x86(cpu_of(g, n))) == g->last.addr;
}

static void release_cpus(GdbServer *g)
{
    for (unsigned n = 0; n < accel_cpu_count(g->b->accel); n++)
        debug_set_run(g->b->accel, n, DEBUG_GO, stands_at_breakpoint(g, n));
}

/* A replay runs as it was recorded: no CPU is held, interrupts come when they came. */
static bool resume(void *opaque, const GdbRun *run, unsigned rules)
{
    static const DebugRun runs[] = {
        [GDB_HOLD] = DEBUG_HOLD, [GDB_STEP] = DEBUG_STEP, [GDB_GO] = DEBUG_GO
    };
    GdbServer *g = opaque;
    Accel *a = g->b->accel;
    bool replay = session_is_replay(a);

    if (replay && session_result(a).finished) {
        debug_end(a);
        return true;
    }
    if (!run_control_cont(g->rc, NULL))
        return false;
    for (unsigned n = 0; n < accel_cpu_count(a); n++)
        debug_set_run(a, n, replay && run[n] == GDB_HOLD ? DEBUG_GO : runs[run[n]],
                      run[n] == GDB_STEP || stands_at_breakpoint(g, n));
    debug_set_step_rules(a, !replay && (rules & GDB_STEP_NO_IRQ),
                         !replay && (rules & GDB_STEP_NO_TIMER));
    g->last.why = DEBUG_NOTHING;
    g->interfered = true;
    return true;
}

static bool can_reverse(void *opaque)
{
    return travel_is_possible(((GdbServer *)opaque)->b->accel);
}

static bool reverse(void *opaque, unsigned cpu, bool step)
{
    GdbServer *g = opaque;

    g->last.why = DEBUG_NOTHING;
    g->interfered = true;
    return step ? traveller_back_step(g->traveller, cpu) : traveller_back_continue(g->traveller);
}

static void stop(void *opaque)
{
    run_control_stop(((GdbServer *)opaque)->rc);
}

static void attach(void *opaque)
{
    GdbServer *g = opaque;

    g->interfered = g->b->machine.state == RUN_RUNNING;
    g->b->machine.stays = session_is_replay(g->b->accel);
    run_control_stop(g->rc);
}

/* Also when the connection breaks: nothing that a client began outlives it. */
static void detach(void *opaque)
{
    GdbServer *g = opaque;
    RunState state = g->b->machine.state;

    debug_forget(g->b->accel);
    g->last.why = DEBUG_NOTHING;
    g->b->machine.stays = false;
    if (session_is_replay(g->b->accel) && session_result(g->b->accel).finished)
        machine_request_quit(&g->b->machine, 0); /* it was here for the client's sake alone */
    if (g->interfered && (state == RUN_PAUSED || state == RUN_DEBUG))
        run_control_cont(g->rc, NULL);
}

/* The user's detach lets a machine go that waited for him, too. */
static void detach_asked(void *opaque)
{
    GdbServer *g = opaque;

    g->interfered = true;
    if (g->b->machine.state == RUN_PRELAUNCH)
        run_control_cont(g->rc, NULL);
    detach(g);
}

static void kill_machine(void *opaque)
{
    machine_request_quit(&((GdbServer *)opaque)->b->machine, 0);
}

static void monitor_command(void *opaque, const char *line, GString *out)
{
    GdbServer *g = opaque;

    g->asks = true;
    monitor_execute(g->mon, line, out);
    g->asks = false;
}

static const char *news_of(const DebugStop *stop)
{
    if (stop->why != DEBUG_NEVER)
        return NULL;
    return stop->point.kinds == DEBUG_EXEC
               ? "nothing was executed there before, as far back as the recording goes\n"
               : "nothing was written there before, as far back as the recording goes\n";
}

static GdbStop describe(GdbServer *g)
{
    GdbStop s = { .signal = GDB_SIGINT, .cpu = g->last.cpu };
    RunState state = g->b->machine.state;

    if (state == RUN_SHUTDOWN)
        s.signal = GDB_SIGQUIT;
    else if (state == RUN_PANICKED)
        s.signal = GDB_SIGABRT;
    if (g->last.why == DEBUG_NOTHING)
        return s;
    s.signal = GDB_SIGTRAP;
    s.history = g->last.why == DEBUG_BEGIN ? GDB_AT_BEGIN
                : g->last.why == DEBUG_END ? GDB_AT_END
                                           : GDB_WITHIN;
    s.at_point = g->last.why == DEBUG_BREAKPOINT || g->last.why == DEBUG_WATCHPOINT;
    s.point = g->last.point.tag;
    s.addr = g->last.addr;
    s.news = news_of(&g->last);
    return s;
}

/* A replay that is at its end because it is another run is not to look whole. */
static void tell_divergence(const GdbServer *g)
{
    SessionResult r;

    if (g->last.why != DEBUG_END || !session_is_replay(g->b->accel))
        return;
    r = session_result(g->b->accel);
    if (r.why)
        fprintf(stderr,
                "mimus: gdb: the replay ends here, at %" G_GUINT64_FORMAT
                " instructions, as it has diverged: %s\n",
                r.count, r.why);
}

/* The guest's shutdown is the end of a replay, which is told next. */
static bool ends_soon(const GdbServer *g)
{
    const Machine *m = &g->b->machine;

    return m->state == RUN_SHUTDOWN && m->stays && !m->actions.no_shutdown &&
           session_is_replay(g->b->accel) && !session_result(g->b->accel).finished;
}

void gdb_server_settle(GdbServer *g)
{
    Machine *m = &g->b->machine;
    DebugStop news;
    GdbStop s;

    if (debug_take_stop(g->b->accel, &news)) {
        g->last = news;
        tell_divergence(g);
        if (news_of(&news))
            fprintf(stderr, "mimus: %s", news_of(&news));
    }
    if (m->state == RUN_RUNNING)
        g->last.why = DEBUG_NOTHING;
    if (!g->stub || m->state == RUN_RUNNING || ends_soon(g))
        return;
    release_cpus(g);
    s = describe(g);
    gdb_stub_stopped(g->stub, &s);
}

void gdb_server_exited(GdbServer *g, int status)
{
    if (g && g->stub)
        gdb_stub_exited(g->stub, status);
}

/* ---- Life ------------------------------------------------------------------------------------ */

GdbServer *gdb_server_new(Built *b, RunControl *rc, Monitor *mon, Traveller *traveller,
                          Chardev *chr)
{
    GdbServer *g = g_new0(GdbServer, 1);

    g->b = b;
    g->rc = rc;
    g->mon = mon;
    g->traveller = traveller;
    g->regs = gdb_registers_new(x86(accel_cpu(b->accel, 0)));
    g->channel = input_add_channel(b->machine.input, "debugger", false, change_arrived, g);
    g->target = (GdbTarget){
        .opaque = g,
        .ncpus = accel_cpu_count(b->accel),
        .nregs = gdb_registers_count(g->regs),
        .pc_reg = gdb_registers_pc(g->regs),
        .features = features,
        .reg_size = reg_size,
        .read_reg = read_reg,
        .write_reg = write_reg,
        .read_memory = read_memory,
        .write_memory = write_memory,
        .insert = insert,
        .remove = remove_point,
        .is_there = is_plugged_in,
        .is_halted = is_halted,
        .is_running = is_running,
        .resume = resume,
        .can_reverse = can_reverse,
        .reverse = reverse,
        .stop = stop,
        .attach = attach,
        .detach = detach_asked,
        .lost = detach,
        .kill = kill_machine,
        .monitor = monitor_command,
    };
    if (chr)
        g->stub = gdb_stub_new(&g->target, chr);
    return g;
}

bool gdb_server_may_move(const GdbServer *g, GError **error)
{
    if (g->asks)
        error_set(error, "not by the debugger itself");
    else if (session_is_recording(g->b->accel) && accel_cpu_count(g->b->accel) > 1)
        error_set(error, "not while several CPUs are recorded");
    else
        return true;
    return false;
}

void gdb_server_set_chardev(GdbServer *g, Chardev *chr)
{
    if (gdb_stub_has_client(g->stub))
        detach(g);
    gdb_stub_free(g->stub);
    g->stub = chr ? gdb_stub_new(&g->target, chr) : NULL;
}

void gdb_server_free(GdbServer *g)
{
    if (!g)
        return;
    gdb_stub_free(g->stub);
    gdb_registers_free(g->regs);
    g_free(g);
}
