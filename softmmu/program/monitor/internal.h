/* SPDX-License-Identifier: MIT */
/* Between the monitor's line editor, its commands and its memory dumps. */
#ifndef SOFTMMU_PROGRAM_MONITOR_INTERNAL_H
#define SOFTMMU_PROGRAM_MONITOR_INTERNAL_H

#include "softmmu/program/monitor/monitor.h"

struct Monitor {
    Machine *m;
    RunControl *rc;
    MonitorCpus cpus;
    const MonitorTopic *topics;
    MonitorTravel travel; /* all 0: there is none */
    MonitorRecord record; /* all 0: likewise */
    MonitorStates states; /* all 0: likewise */
    VncServer *vnc;       /* NULL: likewise */
    MonitorBoard board;
    MonitorDebugger debugger; /* all 0: none can come */
    MonitorHost host;         /* all 0: nothing can be added */
    const GArray *chardevs;   /* MonitorChardev; NULL: none are known */
    char *failure;            /* of the command that runs, NULL: none */
    GArray *checkpoints;      /* uint64_t steps: the user's, by number from 1 */
    Monitor *actor;           /* whose channel acts go through: the first monitor */
    unsigned cpu;             /* the one that commands are about */
    int channel;              /* of commands that act on the machine */
    bool acting;              /* one arrived there */
    GString *out;             /* … and this is for what it prints; NULL: nobody looks */
    const char *running;      /* what it is called, for whom it misunderstands */
    char format_letter;       /* of the last /FMT … */
    unsigned format_size;     /* … and its bytes */
    const MonitorExtra *extra_commands, *extra_topics; /* NULL: there are none */
    void *extra_opaque;
    /* line editor */
    Chardev *chr;
    bool greeted;
    GString *line;
    GPtrArray *history; /* char *, oldest first */
    unsigned history_at;
    unsigned escape; /* how far into an escape sequence */
};

/* `x` (physical: `xp`): @args is "[/FMT] ADDRESS". */
/* Bytes of a unit, as "/FMT" at *@args or the last one said; *@args is left behind it. */
bool monitor_take_size(Monitor *mon, const char **args, unsigned *size, GError **error);
void monitor_dump_memory(Monitor *mon, const char *args, bool physical, GString *out);
void monitor_print(Monitor *mon, const char *args, GString *out);
void monitor_act(void *opaque, const void *data, size_t len); /* an InputFunc */
void monitor_change(Monitor *mon, const char *args, GString *out);
void monitor_eject(Monitor *mon, const char *args, GString *out);
/* Plugging, see plug.c. */
void monitor_device_add(Monitor *mon, const char *args, GString *out);
void monitor_device_del(Monitor *mon, const char *args, GString *out);
void monitor_netdev_add(Monitor *mon, const char *args, GString *out);
void monitor_netdev_del(Monitor *mon, const char *args, GString *out);
void monitor_object_add(Monitor *mon, const char *args, GString *out);
void monitor_object_del(Monitor *mon, const char *args, GString *out);
void monitor_chardev_add(Monitor *mon, const char *args, GString *out);
void monitor_chardev_remove(Monitor *mon, const char *args, GString *out);
void monitor_chardev_send_break(Monitor *mon, const char *args, GString *out);
void monitor_drive_del(Monitor *mon, const char *args, GString *out);
void monitor_set_link(Monitor *mon, const char *args, GString *out);
void monitor_drive_add(Monitor *mon, const char *args, GString *out);
void monitor_info_cpu_sockets(Monitor *mon, const char *args, GString *out);
/* What the command line says, later: run-time.c. */
void monitor_watchdog_action(Monitor *mon, const char *args, GString *out);
void monitor_set_action(Monitor *mon, const char *args, GString *out);
void monitor_singlestep(Monitor *mon, const char *args, GString *out);
void monitor_gdbserver(Monitor *mon, const char *args, GString *out);
void monitor_trace_event(Monitor *mon, const char *args, GString *out);
void monitor_wavcapture(Monitor *mon, const char *args, GString *out);
void monitor_stopcapture(Monitor *mon, const char *args, GString *out);
void monitor_info_capture(Monitor *mon, const char *args, GString *out);
void monitor_mce(Monitor *mon, const char *args, GString *out);
/* Commands about replays, see travel.c. */
void monitor_when(Monitor *mon, const char *args, GString *out);
void monitor_goto(Monitor *mon, const char *args, GString *out);
void monitor_checkpoint(Monitor *mon, const char *args, GString *out);
void monitor_restart(Monitor *mon, const char *args, GString *out);
void monitor_last_write(Monitor *mon, const char *args, GString *out);
void monitor_last_exec(Monitor *mon, const char *args, GString *out);
void monitor_go_live(Monitor *mon, const char *args, GString *out);
void monitor_begin_record(Monitor *mon, const char *args, GString *out);
void monitor_end_record(Monitor *mon, const char *args, GString *out);
void monitor_replay_break(Monitor *mon, const char *args, GString *out);
void monitor_replay_delete_break(Monitor *mon, const char *args, GString *out);
void monitor_info_replay(Monitor *mon, const char *args, GString *out);
/* Looking at it, see info.c. */
void monitor_info_mem(Monitor *mon, const char *args, GString *out);
void monitor_info_tlb(Monitor *mon, const char *args, GString *out);
void monitor_info_uuid(Monitor *mon, const char *args, GString *out);
void monitor_info_kvm(Monitor *mon, const char *args, GString *out);
void monitor_info_chardev(Monitor *mon, const char *args, GString *out);
Chardev *monitor_find_chardev(Monitor *mon, const char *label); /* NULL: there is none */
void monitor_ringbuf_read(Monitor *mon, const char *args, GString *out);
void monitor_ringbuf_write(Monitor *mon, const char *args, GString *out);
void monitor_info_numa(Monitor *mon, const char *args, GString *out);
void monitor_info_mtree(Monitor *mon, const char *args, GString *out);
void monitor_info_ramblock(Monitor *mon, const char *args, GString *out);
void monitor_info_network(Monitor *mon, const char *args, GString *out);
void monitor_info_usernet(Monitor *mon, const char *args, GString *out);
void monitor_info_history(Monitor *mon, const char *args, GString *out);
void monitor_info_memory_size(Monitor *mon, const char *args, GString *out);
void monitor_hostfwd_add(Monitor *mon, const char *args, GString *out);
void monitor_hostfwd_remove(Monitor *mon, const char *args, GString *out);
void monitor_dump_guest_memory(Monitor *mon, const char *args, GString *out); /* core-dump.c */
/* Reaching into the guest, see poke.c. */
void monitor_key_event(Monitor *mon, const char *args, GString *out);
void monitor_nmi(Monitor *mon, const char *args, GString *out);
void monitor_boot_set(Monitor *mon, const char *args, GString *out);
void monitor_in(Monitor *mon, const char *args, GString *out);
void monitor_out(Monitor *mon, const char *args, GString *out);
void monitor_balloon(Monitor *mon, const char *args, GString *out);
void monitor_info_balloon(Monitor *mon, const char *args, GString *out);
void monitor_sum(Monitor *mon, const char *args, GString *out);
void monitor_gva2gpa(Monitor *mon, const char *args, GString *out);
void monitor_gpa2hva(Monitor *mon, const char *args, GString *out);
void monitor_memsave(Monitor *mon, const char *args, GString *out);
void monitor_pmemsave(Monitor *mon, const char *args, GString *out);
/* The machine's state, see states.c. */
void monitor_savevm(Monitor *mon, const char *args, GString *out);
void monitor_loadvm(Monitor *mon, const char *args, GString *out);
void monitor_delvm(Monitor *mon, const char *args, GString *out);
void monitor_info_snapshots(Monitor *mon, const char *args, GString *out);
void monitor_migrate(Monitor *mon, const char *args, GString *out);
void monitor_migrate_incoming(Monitor *mon, const char *args, GString *out);
void monitor_migrate_cancel(Monitor *mon, const char *args, GString *out);
void monitor_info_migrate(Monitor *mon, const char *args, GString *out);
/* Keyboard and mouse, see input.c. */
void monitor_sendkey(Monitor *mon, const char *args, GString *out);
void monitor_mouse_move(Monitor *mon, const char *args, GString *out);
void monitor_mouse_button(Monitor *mon, const char *args, GString *out);
void monitor_mouse_set(Monitor *mon, const char *args, GString *out);
void monitor_info_mice(Monitor *mon, const char *args, GString *out);
void monitor_info_vnc(Monitor *mon, const char *args, GString *out);
/* "Error: …" for people, and the reason for monitor_run(). */
void monitor_fail(Monitor *mon, GString *out, const char *why);
/* The same where QEMU says no "Error: ". */
void monitor_tell(Monitor *mon, GString *out, const char *why);
/* @why its arguments are none, and where to read which are; the reason for monitor_run(), too. */
void monitor_explain(Monitor *mon, GString *out, const char *why);
/* Numbers, 'c', $registers, signs, parentheses and operators: expression.c. */
bool monitor_evaluate(Monitor *mon, const char *text, uint64_t *value, GError **error);
/* Names of commands that begin with @prefix, for completion; free with g_ptr_array_unref(). */
GPtrArray *monitor_complete(const char *prefix);

#endif
