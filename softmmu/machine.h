/* SPDX-License-Identifier: MIT */
/*
 * What the command line asks for, and what a board and its CPUs are given to stand on.
 * MachineConfig is plain data filled by options.c; Machine is the running thing. Nothing here is
 * global: two machines may live in one process.
 */
#ifndef SOFTMMU_MACHINE_H
#define SOFTMMU_MACHINE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "softmmu/block/drive.h"
#include "softmmu/chardev.h"
#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/display.h"
#include "softmmu/hid.h"
#include "softmmu/host-files.h"
#include "softmmu/input.h"
#include "softmmu/irq.h"
#include "softmmu/memory.h"
#include "softmmu/net/net.h"

#define MACHINE_MAX_SERIAL 4

typedef struct FwCfgFileOption {
    char *name;
    GBytes *data;
} FwCfgFileOption;

typedef struct DeviceOption {
    char *driver;
    GHashTable *props; /* char * -> char * */
} DeviceOption;

typedef enum DriveInterface {
    DRIVE_IF_IDE,
    DRIVE_IF_NONE,
    DRIVE_IF_VIRTIO,
    DRIVE_IF_FLOPPY,
    DRIVE_IF_PFLASH,
} DriveInterface;

typedef struct DriveOption {
    char *id;              /* NULL: after its place, "ide0-hd0" */
    char *file;            /* NULL: there is no medium */
    char *format, *serial; /* format NULL: found out; serial NULL: one of ours */
    DriveInterface interface;
    int bus, unit; /* -1: the first that is free */
    bool cdrom, snapshot, read_only, discard;
    bool no_flush, write_through; /* -drive cache= */
    bool detect_zeroes;
    DriveOnError on_read_error, on_write_error;
    bool alone;                  /* without a backing file, whatever its header says */
    struct DriveOption *backing; /* instead of what that says; owned, NULL: that */
} DriveOption;

/* How its image is opened; @below: room for DRIVE_CHAIN of them that are behind it. */
#define DRIVE_CHAIN 8
ImageOpen machine_drive_image(const DriveOption *o, ImageOpen *below);

/* A network of the host's that cards can be connected to. */
typedef enum NetdevKind {
    NETDEV_USER,
    NETDEV_SOCKET,
    NETDEV_TAP,
    NETDEV_BRIDGE,
    NETDEV_HUBPORT,
} NetdevKind;

typedef struct NetdevOption {
    char *id;
    NetdevKind kind;
    NetUserOptions user;
    NetSocketOptions socket;
    char *ifname; /* of a tap device; NULL: the host chooses */
    bool tap_fd_given;
    int tap_fd;            /* … or that one, open already */
    char *bridge, *helper; /* of the host, and who may open it; NULL: the default */
    unsigned hub;
    char *hub_netdev; /* at that port of it; NULL: a card may be */
} NetdevOption;

/* -object memory-backend-*: what the machine's memory, or a part of it, is made of. */
typedef struct MemoryBackend {
    char *id;
    uint64_t size;
    RamBacking backing;
} MemoryBackend;

/* A card that -nic or -net asked for. */
typedef struct NicOption {
    char *model, *netdev, *mac; /* NULL: the board's choice, none, one of ours */
} NicOption;

/* What follows when a guest panics, and when it has left a watchdog alone for too long. */
typedef enum PanicAction {
    PANIC_SHUTDOWN, /* or to a pause under -no-shutdown */
    PANIC_PAUSE,
    PANIC_EXIT_FAILURE,
    PANIC_NONE,
} PanicAction;

typedef enum WatchdogAction {
    WATCHDOG_RESET,
    WATCHDOG_SHUTDOWN, /* the power button */
    WATCHDOG_POWEROFF,
    WATCHDOG_PAUSE,
    WATCHDOG_DEBUG, /* a line on stderr */
    WATCHDOG_NONE,
    WATCHDOG_INJECT_NMI,
} WatchdogAction;
extern const char *const watchdog_action_names[]; /* NULL after the last */

/* -action */
typedef struct MachineActions {
    bool no_reboot, no_shutdown; /* the guest's reset ends the machine; its power-off stops it */
    PanicAction panic;
    WatchdogAction watchdog;
} MachineActions;

/* What -smbios says of the structures of a type: fields by name, or a whole structure. */
typedef struct SmbiosOption {
    unsigned type;
    GHashTable *fields; /* char * -> char * */
    GBytes *structure;  /* NULL: there are fields */
} SmbiosOption;
/* What kind= of type 41 may be, from 1 on; NULL ends it. */
extern const char *const smbios_onboard_kinds[];

/* -numa: which memory and which CPUs are near each other. */
#define MACHINE_MAX_NODES 128
typedef struct NumaConfig {
    unsigned nodes; /* 0: nothing is said of it */
    uint64_t ram_size[MACHINE_MAX_NODES];
    uint8_t node_of_cpu[256]; /* by index */
    /* From the one to the other, 10 is within a node; NULL: 20 everywhere else. */
    uint8_t (*distance)[MACHINE_MAX_NODES];
} NumaConfig;

enum { ACPI_OEM_ID = 6, ACPI_OEM_TABLE_ID = 8 }; /* characters in a table */

typedef enum SwitchAuto { SWITCH_AUTO, SWITCH_OFF, SWITCH_ON } SwitchAuto;

typedef struct MachineConfig {
    char *machine;          /* "pc", "pc-i440fx-7.2", … */
    char *name;             /* -name */
    char *uuid;             /* -uuid; NULL: none */
    uint8_t uuid_bytes[16]; /* the same as written */
    uint64_t ram_size;
    GPtrArray *memory_backends; /* MemoryBackend *: by objects; NULL: none */
    GPtrArray *ram_parts;       /* … those that memory is made of, in order; NULL: none */
    unsigned cpus, max_cpus, sockets, cores, threads;
    char *cpu_model;       /* the whole -cpu argument */
    char *accel_backend;   /* NULL (best for this host) or "interp" */
    bool perfmap, jitdump; /* names of compiled code for profilers of the host */
    uint64_t tb_size;      /* bytes of code buffer; 0: default */
    char *kernel, *initrd, *append;
    SwitchAuto kernel_decompress; /* by the host; auto: where the guest cannot tell */
    char *bios;
    GPtrArray *data_dirs; /* -L, in order */
    char *boot_order;     /* -boot order=, e.g. "cad" */
    bool boot_menu, boot_strict;
    char *boot_once;     /* -boot once=, until the first reset; NULL: as always */
    GBytes *boot_splash; /* a picture that firmware shows; NULL: none */
    bool boot_splash_jpeg;
    bool boot_menu_wait_given, boot_fail_wait_given; /* else it is firmware's choice */
    int32_t boot_menu_wait_ms, boot_fail_wait_ms;    /* -1: for ever */
    GPtrArray *smbios;                               /* SmbiosOption * */
    uint8_t smbios_uuid[16];
    bool smbios_uuid_given; /* … instead of .uuid, in SMBIOS */
    GPtrArray *acpi_tables; /* GBytes *: each a whole table */
    GPtrArray *option_roms; /* DeviceOption *: romfile, bootindex */
    NumaConfig numa;
    char *vga; /* "std", "cirrus" or "none" */
    bool start_stopped, nodefaults, hpet, smm;
    bool no_acpi, no_i8042, no_pic, no_pit, no_vmport; /* the board goes without */
    uint64_t max_ram_below_4g, max_flash_size;         /* 0: the board's choice */
    bool smbios_64;                                    /* its entry point is that of SMBIOS 3.0 */
    char *acpi_oem_id, *acpi_oem_table_id;             /* of its ACPI tables; NULL: the board's */
    MachineActions actions;
    bool one_insn_per_tb; /* a block is an instruction */
    bool ram_in_core;     /* the host's dump of this process, should there be one, has the guest's
                             memory */
    bool ram_merge;       /* the host may keep equal pages once */
    bool nographic;       /* firmware shows its console on the first serial port */
    int icount_shift;     /* -1: off */
    bool icount_sleep;    /* … and while nothing runs time passes no faster than the host's */
    int64_t rtc_base_s;   /* seconds since 1970, as the guest's RTC shows them at start */
    bool rtc_vm_clock;    /* -rtc clock=vm */
    bool chaos;           /* CPUs take turns of odd lengths, by chaos_seed */
    uint64_t chaos_seed;
    uint64_t seed;      /* of all random numbers that the guest sees: softmmu/random.h */
    GPtrArray *devices; /* DeviceOption * */
    GPtrArray *objects; /* DeviceOption *: type, and properties with id; NULL: none */
    GPtrArray *drives;  /* DriveOption * */
    GPtrArray *netdevs; /* NetdevOption * */
    GPtrArray *nics;    /* NicOption * */
    GPtrArray *fw_cfg;  /* FwCfgFileOption * */
    HostFiles *files;   /* of a recording, to be or to replay; NULL: the host has them */
    bool replaying;
    uint64_t checkpoint_bytes; /* of a replay; 0: there is no going back */
} MachineConfig;

/* Has no board, memory or CPU: for programs that ask what others have. */
#define MACHINE_NONE "none"
static inline bool machine_is_empty(const MachineConfig *c)
{
    return c->machine && g_str_equal(c->machine, MACHINE_NONE);
}

/* Why the machine stops, or what it is asked to do, between instructions. */
typedef enum RunRequest {
    REQUEST_NONE = 0,
    REQUEST_RESET = 1 << 0,
    REQUEST_SHUTDOWN = 1 << 1,  /* the guest powered off */
    REQUEST_POWERDOWN = 1 << 2, /* press the ACPI power button */
    REQUEST_STOP = 1 << 3,
    REQUEST_QUIT = 1 << 4, /* the user wants out; see exit_status */
    REQUEST_SUSPEND = 1 << 5,
    REQUEST_WAKEUP = 1 << 6,
    REQUEST_DEBUG = 1 << 7,
    REQUEST_PANIC = 1 << 8,    /* the guest has panicked */
    REQUEST_IO_ERROR = 1 << 9, /* machine_request_pause() */
    REQUEST_END = 1 << 10,     /* machine_request_end() */
} RunRequest;

typedef enum RunState {
    RUN_PRELAUNCH, /* created, not started yet (-S) */
    RUN_RUNNING,
    RUN_PAUSED,
    RUN_SHUTDOWN, /* the guest powered off under -no-shutdown */
    RUN_SUSPENDED,
    RUN_DEBUG,
    RUN_PANICKED,
    RUN_INMIGRATE,   /* a saved state is awaited */
    RUN_POSTMIGRATE, /* it has been saved elsewhere */
    RUN_BROKEN,      /* loading a state has failed half-way */
    RUN_IO_ERROR,    /* the host cannot do what a disk needs; to be tried again */
} RunState;

typedef struct Machine Machine;

/* Where a CPU is plugged in. */
typedef struct CpuPlace {
    unsigned socket, core, thread;
} CpuPlace;

/* General registers, as devices may see and change them whose commands are in registers. */
typedef struct CpuRegs {
    uint32_t eax, ebx, ecx, edx;
} CpuRegs;

/* How the board reaches its CPUs without knowing what they are (implemented by accel and the
 * guest architecture, handed in by main.c). All calls on the machine thread. */
typedef struct CpuBus {
    unsigned count; /* with those that may be plugged in later */
    char model[32]; /* their common one, as -cpu names it */
    bool x2apic;    /* … has that feature */
    /* What the local APIC of CPU @n (its index) asks of it. Levels except where said. */
    void (*set_intr)(void *opaque, unsigned n, int level); /* INTR from APIC or 8259 */
    void (*raise_nmi)(void *opaque, unsigned n);           /* edge */
    void (*raise_smi)(void *opaque, unsigned n);           /* edge */
    void (*raise_init)(void *opaque, unsigned n);          /* edge */
    void (*raise_sipi)(void *opaque, unsigned n, uint8_t vector);
    void (*set_a20)(void *opaque, int level);   /* all CPUs */
    void (*set_ignne)(void *opaque, int level); /* IGNNE#, all CPUs */
    uint32_t (*apic_id)(void *opaque, unsigned n);
    /* An absent CPU does not run, and nothing reaches it; one that comes is as after power-on. */
    bool (*is_present)(void *opaque, unsigned n);
    void (*set_present)(void *opaque, unsigned n, bool present);
    CpuPlace (*place)(void *opaque, unsigned n);
    /* The CPU whose access is being served (0 from device context): per-CPU APIC windows. */
    unsigned (*current)(void *opaque);
    /* Registers of that CPU; what is put there has upper halves of 0. False: no CPU's access is
     * being served. */
    bool (*get_regs)(void *opaque, CpuRegs *r);
    void (*set_regs)(void *opaque, const CpuRegs *r);
    void *opaque;
} CpuBus;

/* What the CPU asks of the board: acknowledge an interrupt, reach its APIC's registers. */
typedef struct BoardOps {
    /* Vector to take for INTR on CPU @n: APIC first, else 8259 through LINT0; -1: spurious,
     * none. */
    int (*acknowledge)(void *opaque, unsigned n);
    /* IA32_APIC_BASE, TPR as CR8 and x2APIC MSRs (0x800+reg) of CPU @n; false: #GP. */
    bool (*apic_read_msr)(void *opaque, unsigned n, uint32_t msr, uint64_t *value);
    bool (*apic_write_msr)(void *opaque, unsigned n, uint32_t msr, uint64_t value);
    uint8_t (*apic_get_tpr)(void *opaque, unsigned n); /* CR8 = TPR >> 4 */
    void (*apic_set_tpr)(void *opaque, unsigned n, uint8_t tpr);
    /* TSC deadline (IA32_TSC_DEADLINE): deadline already converted to ns of the machine clock;
     * CLOCK_NEVER disarms. */
    void (*apic_set_tsc_deadline)(void *opaque, unsigned n, int64_t deadline_ns);
    /* Is one still to come? Not in other modes of the timer, nor after it was switched. */
    bool (*apic_has_tsc_deadline)(void *opaque, unsigned n);
    void (*apic_reset)(void *opaque, unsigned n, bool init); /* after the CPU's own reset */
    void (*ferr)(void *opaque, int level);                   /* x87 FERR# -> IRQ 13 */
    void (*eoi_wake)(void *opaque, unsigned n);
    void *opaque;
} BoardOps;

/* What a moment of a replay has besides devices and RAM: bytes that wait for a serial port. */
typedef struct MachineKeeper {
    const char *name; /* by which a saved state knows it; copied */
    GBytes *(*save)(void *opaque);
    void (*load)(void *opaque, GBytes *saved);
    /* What the guest sends to the host has been seen, for now. May be NULL. */
    void (*set_silent)(void *opaque, bool silent);
    void *opaque;
    bool here; /* of this process: no part of a saved state */
} MachineKeeper;

/* Which devices have come and gone since the machine was built, as bytes: what a state of the
 * machine is good for. Loading brings them about, in this process or in a fresh machine of the same
 * options; the state follows. False with @error: it cannot, and the machine is no good. */
typedef struct MachinePlugs {
    GBytes *(*save)(void *opaque); /* NULL: none can */
    bool (*load)(void *opaque, GBytes *saved, GError **error);
    bool (*is_empty)(void *opaque); /* none has, so that nothing is lost by loading */
    void *opaque;
} MachinePlugs;

struct Machine {
    const MachineConfig *config;
    RamSet *ram;
    MemRegion memory_root, io_root;
    AddressSpace *memory, *io;
    /* What data accesses and code fetches of a CPU in system management mode see; set by the
     * board. NULL: memory as always. */
    AddressSpace *smm_memory, *smm_code;
    Clock *clock; /* virtual time */
    InputQueue *input;
    Display *display;                    /* NULL: nobody looks */
    Hid *hid;                            /* NULL: nobody types */
    Device *root;                        /* the device tree; CPUs are below it too */
    const CpuBus *cpus;                  /* set before the board is built */
    BoardOps board;                      /* filled by the board */
    Chardev *serial[MACHINE_MAX_SERIAL]; /* NULL: port absent */
    GHashTable *backends; /* id of a -netdev -> NetBackend *: all; none in a replay */
    GHashTable *nets; /* id of a -netdev -> NetBackend * that no card has yet (NULL in a replay) */
    GHashTable *randoms;  /* id of an -object rng-random -> HostRandom; NULL: there are none */
    GHashTable *chardevs; /* id of a -chardev that -device names -> Chardev; NULL: there are none */
    Chardev *parallel;    /* NULL: port absent */
    Chardev *debugcon;    /* for isa-debugcon, NULL: none */
    MachineActions actions; /* config's until a monitor says otherwise */
    uint32_t requests;      /* RunRequest bits, machine thread only */
    int exit_status;        /* for REQUEST_QUIT */
    char *trouble;          /* for REQUEST_IO_ERROR: a sentence for the user */
    RunState state;
    GArray *keepers; /* MachineKeeper */
    MachinePlugs plugs;
    bool stays;              /* at the end of a replay, as somebody may want to look back */
    uint32_t host_requests;  /* those of .requests that did not come from the guest */
    const char *quit_reason; /* who wants out, for the SHUTDOWN event; NULL: the guest */
    void (*event_hook)(void *opaque, const char *event, const char *data); /* machine_emit() */
    void *event_opaque;
    void (*request_hook)(void *opaque); /* shortens the running vCPU's budget */
    void *request_opaque;
};

/* Input is that of a recording; no longer once that has been left. */
static inline bool machine_is_replaying(const Machine *m)
{
    return m->config->replaying && input_is_replaying(m->input);
}

/* A zeroed @m with what every machine has: RAM without blocks, empty memory and I/O maps, the input
 * queue, the root of its devices. @config has to outlive it. */
void machine_init(Machine *m, const MachineConfig *config);
/* … and without it, once its devices and then its CPUs are gone. */
void machine_destroy(Machine *m);

/* Ask for something from within a device or a CPU (machine thread). */
void machine_request(Machine *m, RunRequest r);
void machine_request_quit(Machine *m, int exit_status);
/* The guest has ended the machine by a device: that quits, or stops if it stays. */
void machine_request_end(Machine *m, int exit_status);
/* The host cannot do what the machine needs: @why, for the user. False: it does not run anyway. */
bool machine_request_pause(Machine *m, const char *why);
/* The same for a user, not the guest. */
void machine_request_for_host(Machine *m, RunRequest r);
/* A watchdog has run out: what the user chose for this (machine thread). */
void machine_watchdog(Machine *m);
/* Is CPU @n plugged in? */
bool machine_has_cpu(const Machine *m, unsigned n);
/* News for programs that watch (QMP's events): @data is a JSON object, or NULL. Machine thread. */
void machine_emit(Machine *m, const char *event, const char *data, ...) G_GNUC_PRINTF(3, 4);

void machine_keep(Machine *m, const MachineKeeper *k);
void machine_keep_chardev(Machine *m, const char *label, Chardev *chr); /* NULL is allowed */
void machine_forget_chardev(Machine *m, Chardev *chr);
void machine_set_silent(Machine *m, bool silent); /* all keepers */
/* What keeper @i had saved, or NULL for one that came later: nothing waited for it. */
void machine_load_kept(Machine *m, guint i, GBytes *saved);

/* Hash of all RAM blocks and of the device tree, CPUs included: equal after equal runs. */
uint64_t machine_state_hash(Machine *m);

#endif
