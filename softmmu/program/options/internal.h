/* SPDX-License-Identifier: MIT */
/* Handlers of single options, for the table in options.c. Each gets the option's argument. */
#ifndef SOFTMMU_PROGRAM_OPTIONS_INTERNAL_H
#define SOFTMMU_PROGRAM_OPTIONS_INTERNAL_H

#include "softmmu/program/options/keyval.h"
#include "softmmu/program/options/options.h"

/* options/board.c: the board */
bool opt_machine(Options *o, const char *arg, GError **error);
bool opt_no_acpi(Options *o, const char *arg, GError **error);

/* options/machine.c: CPUs, memory and time */
extern const KeyRow options_smp_keys[], options_memory_keys[], options_boot_keys[];
bool options_check_accel(const char *name, GError **error); /* do we have it? */
bool opt_cpu(Options *o, const char *arg, GError **error);
bool opt_smp(Options *o, const char *arg, GError **error);
bool opt_memory(Options *o, const char *arg, GError **error);
bool opt_accel(Options *o, const char *arg, GError **error);
bool opt_icount(Options *o, const char *arg, GError **error);
bool opt_record(Options *o, const char *arg, GError **error);
bool opt_replay(Options *o, const char *arg, GError **error);
bool opt_checkpoint_mem(Options *o, const char *arg, GError **error);
bool opt_rtc(Options *o, const char *arg, GError **error);
bool opt_chaos(Options *o, const char *arg, GError **error);
bool opt_seed(Options *o, const char *arg, GError **error);
bool opt_boot(Options *o, const char *arg, GError **error);
bool opt_name(Options *o, const char *arg, GError **error);
/* After all options: topology, time base and what depends on more than one option. */
bool options_complete_machine(Options *o, GError **error);

/* options/device.c: devices and their host sides */
void options_free_device(void *device); /* and object */
bool opt_device(Options *o, const char *arg, GError **error);
bool opt_fw_cfg(Options *o, const char *arg, GError **error);
bool opt_serial(Options *o, const char *arg, GError **error);
bool opt_monitor(Options *o, const char *arg, GError **error);
bool opt_qmp(Options *o, const char *arg, GError **error);
bool opt_qmp_pretty(Options *o, const char *arg, GError **error);
bool opt_mon(Options *o, const char *arg, GError **error);
void options_free_monitor(void *monitor);
bool opt_debugcon(Options *o, const char *arg, GError **error);
bool opt_echr(Options *o, const char *arg, GError **error);
bool opt_parallel(Options *o, const char *arg, GError **error);
bool opt_gdb(Options *o, const char *arg, GError **error);
bool opt_gdb_here(Options *o, const char *arg, GError **error);
/* After all options: default serial port, monitor and VGA; -chardev ids become devices. */
bool options_complete_devices(Options *o, GError **error);

/* options/chardev.c: character devices by name */
bool opt_chardev(Options *o, const char *arg, GError **error);
void options_free_chardev(void *chardev);

/* options/display.c: the graphics card, and what shows it */
bool opt_vga(Options *o, const char *arg, GError **error);
bool opt_display(Options *o, const char *arg, GError **error);
bool opt_full_screen(Options *o, const char *arg, GError **error);
bool options_check_display(const Options *o, GError **error); /* after all options */
bool opt_vnc(Options *o, const char *arg, GError **error);
bool opt_keyboard_layout(Options *o, const char *arg, GError **error);

/* options/drive.c: disks */
bool opt_drive(Options *o, const char *arg, GError **error);
bool opt_hda(Options *o, const char *arg, GError **error);
bool opt_hdb(Options *o, const char *arg, GError **error);
bool opt_hdc(Options *o, const char *arg, GError **error);
bool opt_hdd(Options *o, const char *arg, GError **error);
bool opt_pflash(Options *o, const char *arg, GError **error);
bool opt_fda(Options *o, const char *arg, GError **error);
bool opt_fdb(Options *o, const char *arg, GError **error);
bool opt_cdrom(Options *o, const char *arg, GError **error);
bool opt_snapshot(Options *o, const char *arg, GError **error);
void options_complete_drives(Options *o); /* after all options */
void options_free_drive(void *drive);
DriveOption *options_add_drive(Options *o); /* one more, nowhere yet */

/* options/blockdev.c: nodes that disks are made of */
bool opt_blockdev(Options *o, const char *arg, GError **error);
/* After all options: nodes that stand for a disk become -drive with if=none. */
bool options_complete_blockdevs(Options *o, GError **error);
void options_free_blockdev(void *node);

/* options/object.c: what other options name */
bool opt_object(Options *o, const char *arg, GError **error);
bool options_complete_objects(Options *o, GError **error); /* after all options */
void options_free_object(void *object);
void options_free_memory_backend(void *memory);
bool options_complete_memory(Options *o, GError **error); /* … and of NUMA nodes */
bool options_is_host_object(const char *arg);
bool opt_mem_path(Options *o, const char *arg, GError **error);

uint64_t options_memory_size(const Options *o, const char *id); /* of a backend; 0: there is none */

/* options/tables.c: what firmware is given beside the board's own */
bool opt_smbios(Options *o, const char *arg, GError **error);
bool opt_acpitable(Options *o, const char *arg, GError **error);
bool opt_option_rom(Options *o, const char *arg, GError **error);
void options_free_smbios(void *smbios);

/* options/numa.c: which CPUs and memory are near each other */
bool opt_numa(Options *o, const char *arg, GError **error);
void options_free_numa(void *args);
bool options_complete_numa(Options *o, GError **error); /* after all options */

/* options/net.c: networks and cards */
bool opt_netdev(Options *o, const char *arg, GError **error);
bool opt_nic(Options *o, const char *arg, GError **error);
bool opt_net(Options *o, const char *arg, GError **error);
void options_complete_net(Options *o); /* after all options */
void options_free_netdev(void *netdev);
void options_free_nic(void *nic);

/* options/life.c: the process, its end, options that stand for others */
bool opt_uuid(Options *o, const char *arg, GError **error);
bool opt_pidfile(Options *o, const char *arg, GError **error);
bool opt_daemonize(Options *o, const char *arg, GError **error);
bool opt_msg(Options *o, const char *arg, GError **error);
bool opt_action(Options *o, const char *arg, GError **error);
bool opt_watchdog_action(Options *o, const char *arg, GError **error);
bool opt_global(Options *o, const char *arg, GError **error);
bool opt_sandbox(Options *o, const char *arg, GError **error);
bool opt_runas(Options *o, const char *arg, GError **error);
bool opt_audiodev(Options *o, const char *arg, GError **error);
bool opt_add_fd(Options *o, const char *arg, GError **error);
bool opt_overcommit(Options *o, const char *arg, GError **error);
bool opt_set(Options *o, const char *arg, GError **error);
bool opt_readconfig(Options *o, const char *arg, GError **error);
void options_apply_globals(Options *o); /* after all options */
bool options_parse_uuid(const char *text, uint8_t uuid[16]);

/* {"driver": "x", "a": {"b": true}} as "driver=x,a.b=on"; NULL with @error. */
char *options_from_json(const char *text, GError **error);
/* Contents of a file, those of the recording in a replay. */
GBytes *options_read_file(HostFiles *files, const char *path, GError **error);
/* Option @name as if it stood on the command line here. */
bool options_apply(Options *o, const char *name, const char *arg, GError **error);
void options_answer(Options *o, Answer kind); /* the first question asked is answered */
bool is_help(const char *arg);                /* "help" or "?" */
/* Accepted, though it does less than its name promises. */
void options_warn(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
