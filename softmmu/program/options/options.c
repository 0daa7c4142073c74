/* SPDX-License-Identifier: MIT */
/* The table of options and the walk over argv. An option is one row here and one handler. */
#include "softmmu/program/options/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/log.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/trace.h"

#define QEMU_VERSION_EQUIVALENT "7.2.0" /* whose command line and devices we follow */

void options_answer(Options *o, Answer kind)
{
    if (o->answer_kind == ANSWER_NONE)
        o->answer_kind = kind;
}

void options_warn(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    fprintf(stderr, "mimus: warning: %s\n", text);
}

bool is_help(const char *arg)
{
    return !strcmp(arg, "help") || !strcmp(arg, "?");
}

/* ---- Handlers of options that only set something --------------------------------------------- */

static bool set_string(char **field, const char *arg)
{
    g_free(*field);
    *field = g_strdup(arg);
    return true;
}

static bool opt_kernel(Options *o, const char *arg, GError **error)
{
    return set_string(&o->config.kernel, arg);
}

static bool opt_initrd(Options *o, const char *arg, GError **error)
{
    return set_string(&o->config.initrd, arg);
}

static bool opt_append(Options *o, const char *arg, GError **error)
{
    return set_string(&o->config.append, arg);
}

static bool opt_bios(Options *o, const char *arg, GError **error)
{
    return set_string(&o->config.bios, arg);
}

static bool opt_data_dir(Options *o, const char *arg, GError **error)
{
    g_ptr_array_add(o->config.data_dirs, g_strdup(arg));
    return true;
}

static bool opt_nographic(Options *o, const char *arg, GError **error)
{
    return o->nographic = o->config.nographic = true;
}

static bool opt_nodefaults(Options *o, const char *arg, GError **error)
{
    return o->config.nodefaults = true;
}

static bool opt_no_reboot(Options *o, const char *arg, GError **error)
{
    return o->config.actions.no_reboot = true;
}

static bool opt_mem_prealloc(Options *o, const char *arg, GError **error)
{
    return o->mem_prealloc = true;
}

static bool opt_singlestep(Options *o, const char *arg, GError **error)
{
    return o->config.one_insn_per_tb = true;
}

static bool opt_no_shutdown(Options *o, const char *arg, GError **error)
{
    return o->config.actions.no_shutdown = true;
}

static bool opt_stopped(Options *o, const char *arg, GError **error)
{
    return o->config.start_stopped = true;
}

static bool opt_no_hpet(Options *o, const char *arg, GError **error)
{
    o->config.hpet = false;
    return true;
}

static bool opt_nothing(Options *o, const char *arg, GError **error)
{
    return true; /* true of us anyway */
}

static bool opt_log(Options *o, const char *arg, GError **error)
{
    if (!is_help(arg))
        return set_string(&o->log_items, arg);
    options_answer(o, ANSWER_TEXT);
    log_print_items(o->answer);
    return true;
}

static bool opt_log_file(Options *o, const char *arg, GError **error)
{
    return set_string(&o->log_file, arg);
}

static bool set_trace_event(void *ctx, const char *value, GError **error)
{
    g_ptr_array_add(((Options *)ctx)->trace_events, g_strdup(value));
    return true;
}

static bool set_trace_events_file(void *ctx, const char *value, GError **error)
{
    g_ptr_array_add(((Options *)ctx)->trace_files, g_strdup(value));
    return true;
}

static bool set_trace_file(void *ctx, const char *value, GError **error)
{
    return set_string(&((Options *)ctx)->log_file, value);
}

static bool opt_trace(Options *o, const char *arg, GError **error)
{
    static const KeyRow keys[] = { { "enable", set_trace_event },
                                   { "events", set_trace_events_file },
                                   { "file", set_trace_file },
                                   { NULL } };

    if (!is_help(arg))
        return keyval_apply(arg, "enable", keys, o, error);
    options_answer(o, ANSWER_TEXT);
    trace_print_names(o->answer);
    return true;
}

static bool opt_log_filter(Options *o, const char *arg, GError **error)
{
    return set_string(&o->log_filter, arg);
}

static bool opt_log_counts(Options *o, const char *arg, GError **error)
{
    return set_string(&o->log_counts, arg);
}

static bool opt_plugin(Options *o, const char *arg, GError **error)
{
    g_ptr_array_add(o->plugins, g_strdup(arg));
    return true;
}

static bool opt_loadvm(Options *o, const char *arg, GError **error)
{
    return set_string(&o->loadvm, arg);
}

static bool opt_incoming(Options *o, const char *arg, GError **error)
{
    return set_string(&o->incoming, arg);
}

static bool opt_dump_vmstate(Options *o, const char *arg, GError **error)
{
    return set_string(&o->dump_vmstate, arg);
}

static bool opt_perfmap(Options *o, const char *arg, GError **error)
{
    o->config.perfmap = true;
    return true;
}

static bool opt_jitdump(Options *o, const char *arg, GError **error)
{
    o->config.jitdump = true;
    return true;
}

static bool opt_version(Options *o, const char *arg, GError **error);
static bool opt_help(Options *o, const char *arg, GError **error);

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct OptionRow {
    const char *name;
    const char *arg; /* what the argument is called; NULL: takes none */
    bool (*set)(Options *o, const char *arg, GError **error);
    const char *help; /* NULL: another spelling of the row before */
    bool host;        /* nothing to the guest: no part of a recording, and free in a replay */
    bool json;        /* the argument may be a JSON object */
} OptionRow;

/* clang-format off */
static const OptionRow option_rows[] = {
    {"help",        NULL,   opt_help,        "this text", true},
    {"h",           NULL,   opt_help,        NULL, true},
    {"version",     NULL,   opt_version,     "name and version", true},
    {"machine",     "TYPE[,KEY=VALUE...]", opt_machine, "the machine (-machine help lists them, -machine pc,help their keys)"},
    {"M",           "TYPE", opt_machine,     NULL},
    {"cpu",         "MODEL[,+FEATURE][,-FEATURE]", opt_cpu, "the CPU model (-cpu help lists them)"},
    {"accel",       "tcg[,backend=NAME][,tb-size=MIB][,one-insn-per-tb=on][,thread=single]", opt_accel, "how guest code is run", true},
    {"smp",         "N[,sockets=N][,cores=N][,threads=N][,maxcpus=N]", opt_smp, "number of CPUs"},
    {"m",           "SIZE[K|M|G]", opt_memory, "guest memory, in MiB without a suffix"},
    {"mem-path",    "PATH", opt_mem_path,    "guest memory is that file, or one in that directory"},
    {"mem-prealloc", NULL,  opt_mem_prealloc, "the host is to have guest memory ready", true},
    {"name",        "NAME", opt_name,        "a name for the machine"},
    {"kernel",      "FILE", opt_kernel,      "boot this Linux kernel (bzImage)"},
    {"initrd",      "FILE", opt_initrd,      "its initial RAM disk"},
    {"append",      "TEXT", opt_append,      "its command line"},
    {"bios",        "FILE", opt_bios,        "firmware (default bios-256k.bin of SeaBIOS)"},
    {"L",           "DIR",  opt_data_dir,    "look for firmware here"},
    {"boot",        "[order=]DRIVES[,once=DRIVES][,menu=on|off][,splash-time=MS][,splash=PICTURE][,reboot-timeout=MS][,strict=on|off]", opt_boot, "what to boot from (once: the first time), and how long firmware waits for keys (menu) or when nothing boots"},
    {"option-rom",  "[romfile=]FILE[,bootindex=N]", opt_option_rom, "a ROM that firmware runs"},
    {"smbios",      "file=FILE|type=0|1|2|3|4|8|11|17|41,FIELD=VALUE[,...]", opt_smbios, "what SMBIOS says: a structure, or fields of one"},
    {"acpitable",   "file|data=FILE[:FILE...][,sig=S][,rev=N][,oem_id=S][,oem_table_id=S][,oem_rev=N][,asl_compiler_id=S][,asl_compiler_rev=N]", opt_acpitable, "one more ACPI table, with its header (file) or without (data)"},
    {"numa",        "node[,mem=SIZE|memdev=ID][,cpus=N[-M]][,nodeid=N]|dist,src=N,dst=N,val=N|cpu,node-id=N[,socket-id=N][,core-id=N][,thread-id=N]", opt_numa, "memory and CPUs that are near each other, as the guest is told"},
    {"fw_cfg",      "[name=]NAME,string=TEXT|file=FILE", opt_fw_cfg, "a file for the guest's firmware interface"},
    {"nographic",   NULL,   opt_nographic,   "serial port and monitor share the terminal (Ctrl-A h for keys)"},
    {"display",     "none|curses|sdl[,grab-mod=M][,full-screen=on][,window-close=off]|vnc=[HOST]:N", opt_display, "where the screen is shown: nowhere (the default), on this terminal, in a window, by -vnc", true},
    {"full-screen", NULL,   opt_full_screen, "the window of -display sdl is the whole screen at first", true},
    {"vnc",         "[HOST]:N|unix:PATH|none[,to=N][,password=on][,share=allow-exclusive|force-shared|ignore]", opt_vnc, "a VNC server, at TCP port 5900 + N; the monitor sets the password: set_password", true},
    {"k",           "LAYOUT", opt_keyboard_layout, "the keyboard that characters are typed on (-vnc, curses), as the guest has it: en-us (the default), de, fr-ca, us(dvorak)...", true},
    {"vga",         "std|cirrus|none", opt_vga, "graphics card"},
    {"serial",      "DEV",  opt_serial,      "where the next serial port goes: stdio mon:stdio null none pty file:F pipe:P /dev/TTY ringbuf unix:P tcp:H:P telnet:H:P udp:H:P chardev:ID"},
    {"echr",        "N",    opt_echr,        "the code of the key that introduces commands where serial port and monitor share a terminal (default 1: Ctrl-A)", true},
    {"monitor",     "DEV",  opt_monitor,     "where the monitor goes", true},
    {"qmp",         "DEV",  opt_qmp,         "a monitor for programs (QMP) there", true},
    {"qmp-pretty",  "DEV",  opt_qmp_pretty,  "the same with indented answers", true},
    {"mon",         "chardev=ID[,mode=readline|control][,pretty=on]", opt_mon, "a monitor on a -chardev", true},
    {"debugcon",    "DEV",  opt_debugcon,    "where the debug console at port 0xe9 goes"},
    {"parallel",    "DEV",  opt_parallel,    "a parallel port, and where it prints to (default: there is none)"},
    {"chardev",     "TYPE,id=ID[,...]", opt_chardev, "name a device: null stdio pty file,path=[,append=on] pipe,path= serial,path= ringbuf[,size=N] udp,port=[,host=,localaddr=,localport=] socket,path=|fd=|host=,port=[,server=on][,wait=off][,telnet=on][,reconnect=S]; to each [,mux=on][,logfile=F][,logappend=on]"},
    {"device",      "DRIVER[,PROPERTY=VALUE]", opt_device, "add a device (-device help lists them)", .json = true},
    {"hda",         "FILE", opt_hda,         "IDE disk (-hda to -hdd)"},
    {"hdb",         "FILE", opt_hdb,         NULL},
    {"hdc",         "FILE", opt_hdc,         NULL},
    {"hdd",         "FILE", opt_hdd,         NULL},
    {"fda",         "FILE", opt_fda,         "floppy (-fda and -fdb)"},
    {"fdb",         "FILE", opt_fdb},
    {"pflash",      "FILE", opt_pflash,      "flash with firmware (the first) or its variables (the second)"},
    {"cdrom",       "FILE", opt_cdrom,       "IDE CD-ROM (in the place of -hdc)"},
    {"drive",       "file=FILE[,format=F][,if=ide|virtio|floppy|pflash|none][,media=disk|cdrom][,index=N|bus=N,unit=N][,id=ID][,snapshot=on][,readonly=on][,discard=unmap]", opt_drive, "a disk; if=none: for -device"},
    {"blockdev",    "driver=file|raw|qcow2,node-name=ID,filename=FILE|file=ID|file.driver=file,file.filename=FILE[,read-only=on][,discard=unmap]", opt_blockdev, "a disk for -device drive=ID, of files and formats; also as JSON", .json = true},
    {"object",      "TYPE,id=ID[,PROPERTY=VALUE]", opt_object, "what other options name (-object help lists types)", .json = true},
    {"snapshot",    NULL,   opt_snapshot,    "write to no image: changes are gone in the end"},
    {"netdev",      "user,id=ID[,hostfwd=RULE][,guestfwd=tcp:ADDR:PORT-cmd:COMMAND][,net=ADDR/BITS][,ipv4=on|off][,ipv6=on|off][,dnssearch=S][,domainname=S][,host=A][,dhcpstart=A][,dns=A][,hostname=S][,tftp=DIR][,bootfile=F][,restrict=on]|stream,id=ID,server=on|off,addr.type=unix|inet,addr.path=P|addr.host=H,addr.port=N|dgram,id=ID,local.…,remote.…|socket,…|tap,…", opt_netdev, "a network for -device; RULE: tcp|udp:[ADDR]:PORT-[ADDR]:PORT", .json = true},
    {"nic",         "none|user[,model=e1000|rtl8139|virtio][,mac=M][,OPTION OF -netdev]", opt_nic, "a network card and its network"},
    {"net",         "none|user[,...]|nic[,model=e1000][,macaddr=M]", opt_net, "the same in two options"},
    {"nodefaults",  NULL,   opt_nodefaults,  "no default serial port, monitor and graphics card"},
    {"uuid",        "UUID", opt_uuid,        "the machine's UUID"},
    {"action",      "[reboot=reset|shutdown][,shutdown=poweroff|pause][,panic=shutdown|pause|exit-failure|none][,watchdog=ACTION]", opt_action, "what follows when the guest reboots, powers off, panics or leaves its watchdog alone"},
    {"watchdog-action", "reset|shutdown|poweroff|pause|debug|none|inject-nmi", opt_watchdog_action, "the last of these alone"},
    {"global",      "DRIVER.PROPERTY=VALUE", opt_global, "a property of all -device of that driver"},
    {"set",         "device.ID.PROPERTY=VALUE", opt_set, "a property of a -device before it"},
    {"readconfig",  "FILE", opt_readconfig,  "options from a file of sections: [device \"ID\"] and lines KEY = \"VALUE\""},
    {"sandbox",     "on|off[,...]", opt_sandbox, "on: no rights beyond those of the user; that is all of it yet", true},
    {"runas",       "USER|UID:GID", opt_runas, "go on as that user once all is opened", true},
    {"audiodev",    "none,id=ID", opt_audiodev, "where sound goes: nowhere", true, true},
    {"audio",       "none", opt_audiodev,    NULL, true},
    {"add-fd",      "fd=N,set=N[,opaque=TEXT]", opt_add_fd, "a descriptor that is open is file /dev/fdset/SET", true},
    {"overcommit",  "[mem-lock=on|off][,cpu-pm=off]", opt_overcommit, "keep all of this process in the host's memory", true},
    {"pidfile",     "FILE", opt_pidfile,     "write this process' number there", true},
    {"daemonize",   NULL,   opt_daemonize,   "go on in the background once all is set up", true},
    {"msg",         "timestamp=on|off", opt_msg, "messages begin with the time", true},
    {"only-migratable", NULL, opt_nothing,   "every device is", true},
    {"no-user-config", NULL, opt_nothing,    "there is none"},
    {"no-hpet",     NULL,   opt_no_hpet,     "machine without HPET"},
    {"no-acpi",     NULL,   opt_no_acpi,     "machine without ACPI"},
    {"no-reboot",   NULL,   opt_no_reboot,   "exit when the guest reboots"},
    {"singlestep",  NULL,   opt_singlestep,  "-accel tcg,one-insn-per-tb=on", true},
    {"no-shutdown", NULL,   opt_no_shutdown, "stop, do not exit, when the guest powers off"},
    {"S",           NULL,   opt_stopped,     "do not start the CPUs (monitor: cont)", true},
    {"loadvm",      "NAME", opt_loadvm,      "begin with a state that the monitor's savevm kept", true},
    {"incoming",    "exec:COMMAND|file:PATH|fd:N|unix:PATH|tcp:HOST:PORT|defer", opt_incoming, "begin with a state that the monitor's migrate wrote", true},
    {"dump-vmstate", "FILE", opt_dump_vmstate, "describe there, as JSON, what the machine's state consists of, and leave", true},
    {"gdb",         "tcp:HOST:PORT|tcp::PORT|unix:PATH|pty|stdio|chardev:ID", opt_gdb, "wait for gdb there (target remote); -S to stop at the first instruction", true},
    {"s",           NULL,   opt_gdb_here,    "-gdb tcp::1234", true},
    {"rtc",         "[base=utc|localtime|DATE][,clock=host|vm]", opt_rtc, "the guest's wall clock"},
    {"icount",      "[shift=]N[,sleep=on|off][,rr=record|replay,rrfile=FILE]", opt_icount, "an instruction takes 2^N ns of virtual time: runs repeat exactly (an only CPU's timers wait for the next branch that is taken, 1024 instructions at most)", true},
    {"record",      "FILE", opt_record,      "record the run (counts instructions; an instruction takes 2 ns unless -icount says otherwise)", true},
    {"replay",      "FILE", opt_replay,      "run a recording again; it has all options of the machine", true},
    {"checkpoint-mem", "SIZE[K|M|G]", opt_checkpoint_mem, "of a replay: memory for going back in it (default 1G, 0: no going back)", true},
    {"chaos",       "N",    opt_chaos,       "several CPUs take turns of 1 to 10000 instructions, by these random numbers (default: always 10000)"},
    {"seed",        "N",    opt_seed,        "what the guest's random numbers start from (default: chosen anew each time; with -icount 0)"},
    {"d",           "ITEM[,...]", opt_log,     "log (-d help lists the items)", true},
    {"D",           "FILE", opt_log_file,    "log to FILE instead of stderr", true},
    {"trace",       "[enable=]PATTERN[,events=FILE][,file=FILE]", opt_trace, "log these events (-trace help lists them; * is anything), those that a file names; file: -D", true},
    {"dfilter",     "RANGE[,...]", opt_log_filter, "log only these guest addresses: A..B, A+N, A-N", true},
    {"plugin",      "FILE[.so][,NAME=VALUE...]", opt_plugin, "load a plugin; icount and other tools are found by name", true},
    {"perfmap",     NULL,   opt_perfmap,     "write /tmp/perf-PID.map, which names compiled code for perf", true},
    {"jitdump",     NULL,   opt_jitdump,     "write jit-PID.dump, which has compiled code for perf inject --jit", true},
    {"dcount",      "RANGE", opt_log_counts, "log running code only while the count of instructions is within A..B", true},
};

/* QEMU's options that we lack: what to say. */
#define SOUND    "sound is not modelled yet"
#define DISPLAYS "not supported; use -display sdl, -vnc :0 or -display curses"

static const struct {
    const char *name, *why;
} refused_rows[] = {
    {"mtdblock", "there is no such flash; use -pflash"},
    {"sd", "SD cards are not modelled"},
    {"soundhw", SOUND},
    {"spice", DISPLAYS}, {"sdl", "use -display sdl"}, {"curses", "use -display curses"},
    {"enable-kvm", "KVM is not supported; the accelerator is tcg"},
    {"dtb", "x86 machines have no device tree"}, {"usb", "USB is not modelled yet"},
    {"usbdevice", "USB is not modelled yet"},
    {"chroot", "not supported"}, 
    {"fsdev", "shared folders are not modelled yet"}, {"virtfs", "shared folders are not modelled yet"},
    {"tpmdev", "TPMs are not modelled"}, {"qtest", "not supported"}, {"cpu-throttle", "not supported"},
    {"win2k-hack", "not supported"}, 
};
/* clang-format on */

static bool opt_version(Options *o, const char *arg, GError **error)
{
    const char *self = g_get_prgname();

    options_answer(o, ANSWER_TEXT);
    /* Harnesses that insist on the other name also parse its version. */
    if (self && g_str_has_prefix(self, "qemu-system-"))
        g_string_append(o->answer, "QEMU emulator version " QEMU_VERSION_EQUIVALENT
                                   " (Mimus " MIMUS_VERSION ")\n");
    else
        g_string_append(o->answer, "Mimus version " MIMUS_VERSION "\n");
    return true;
}

static bool opt_help(Options *o, const char *arg, GError **error)
{
    options_answer(o, ANSWER_TEXT);
    g_string_append(o->answer, "Mimus version " MIMUS_VERSION ", an x86 PC emulator\n"
                               "usage: mimus [options] (one or two dashes)\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(option_rows); i++) {
        const OptionRow *row = &option_rows[i];

        g_string_append_printf(o->answer, "-%s%s%s\n", row->name, row->arg ? " " : "",
                               row->arg ? row->arg : "");
        if (row->help)
            g_string_append_printf(o->answer, "                %s\n", row->help);
    }
    return true;
}

void options_each(void (*f)(void *opaque, const char *name, const char *arg), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(option_rows); i++)
        f(opaque, option_rows[i].name, option_rows[i].arg);
}

/* ---- The walk -------------------------------------------------------------------------------- */

static const OptionRow *find_option(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(option_rows); i++) {
        if (!strcmp(option_rows[i].name, name))
            return &option_rows[i];
    }
    return NULL;
}

bool options_takes_argument(const char *text)
{
    const OptionRow *row = find_option(text + strspn(text, "-"));

    return row && row->arg;
}

static bool refuse_unknown(const char *name, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused_rows); i++) {
        if (!strcmp(refused_rows[i].name, name)) {
            error_set(error, "-%s: %s", name, refused_rows[i].why);
            return false;
        }
    }
    error_set(error, "-%s: invalid option (-help lists the valid ones)", name);
    return false;
}

static void remember(GPtrArray *args, const char *text, const char *arg)
{
    g_ptr_array_add(args, g_strdup(text));
    if (arg)
        g_ptr_array_add(args, g_strdup(arg));
}

static bool set_option(Options *o, const OptionRow *row, const char *arg, GError **error)
{
    g_autofree char *pairs = NULL;

    if (!row->json || *arg != '{')
        return row->set(o, arg, error);
    pairs = options_from_json(arg, error);
    return pairs && row->set(o, pairs, error);
}

/* One option and its argument; advances *@i over both. */
static bool parse_one(Options *o, char **argv, int argc, int *i, GError **error)
{
    const char *text = argv[(*i)++], *arg = NULL;
    const char *name = text + (text[1] == '-' ? 2 : 1);
    const OptionRow *row;

    if (text[0] != '-') { /* an image alone is the first disk */
        remember(o->machine_args, text, NULL);
        return opt_hda(o, text, error);
    }
    row = find_option(name);
    if (!row)
        return refuse_unknown(name, error);
    if (row->arg) {
        if (*i >= argc) {
            error_set(error, "-%s: requires an argument", name);
            return false;
        }
        arg = argv[(*i)++];
    }
    bool host = row->host || (row->set == opt_object && options_is_host_object(arg));
    remember(host ? o->host_args : o->machine_args, text, arg);
    if (set_option(o, row, arg, error))
        return true;
    g_prefix_error(error, "-%s%s%s: ", name, arg ? " " : "", arg ? arg : "");
    return false;
}

bool options_apply(Options *o, const char *name, const char *arg, GError **error)
{
    const OptionRow *row = find_option(name);

    g_assert(row && row->arg);
    if (set_option(o, row, arg, error))
        return true;
    g_prefix_error(error, "-%s %s: ", name, arg);
    return false;
}

static bool check_together(const Options *o, GError **error)
{
    const MachineConfig *c = &o->config;

    if (!c->kernel && (c->initrd || c->append)) {
        error_set(error, "-%s only allowed with -kernel option", c->initrd ? "initrd" : "append");
        return false;
    }
    if (c->chaos && c->cpus < 2) {
        error_set(error, "-chaos: several CPUs are needed (-smp), as one has all turns");
        return false;
    }
    if (o->incoming && (o->loadvm || o->record_file || o->replay_file)) {
        error_set(error, "-incoming: not together with -loadvm, -record or -replay");
        return false;
    }
    if (o->daemonize && o->nographic && !c->nodefaults) {
        error_set(error, "-nographic cannot be used with -daemonize");
        return false;
    }
    if (o->record_file && o->gdb && o->config.cpus > 1) {
        error_set(error, "-record with -gdb: not supported yet with several CPUs");
        return false;
    }
    return true;
}

void options_free_device(void *p)
{
    DeviceOption *d = p;

    g_free(d->driver);
    g_hash_table_unref(d->props);
    g_free(d);
}

static void free_fw_cfg_option(void *p)
{
    FwCfgFileOption *f = p;

    g_free(f->name);
    g_bytes_unref(f->data);
    g_free(f);
}

void options_free_chardev(void *p)
{
    ChardevOption *c = p;

    g_free(c->id);
    g_free(c->spec);
    g_free(c->text);
    g_free(c);
}

static void set_defaults(Options *o)
{
    *o = (Options){ 0 };
    o->answer = g_string_new("");
    o->serials = g_ptr_array_new_with_free_func(g_free);
    o->chardevs = g_ptr_array_new_with_free_func(options_free_chardev);
    o->device_chardevs = g_ptr_array_new();
    o->monitors = g_ptr_array_new_with_free_func(options_free_monitor);
    o->globals = g_ptr_array_new_with_free_func(g_free);
    o->objects = g_ptr_array_new_with_free_func(options_free_object);
    o->blockdevs = g_ptr_array_new_with_free_func(options_free_blockdev);
    o->plugins = g_ptr_array_new_with_free_func(g_free);
    o->trace_events = g_ptr_array_new_with_free_func(g_free);
    o->trace_files = g_ptr_array_new_with_free_func(g_free);
    o->machine_args = g_ptr_array_new_with_free_func(g_free);
    o->host_args = g_ptr_array_new_with_free_func(g_free);
    o->config.machine = g_strdup("pc");
    o->config.cpu_model = g_strdup("qemu64");
    o->config.ram_size = UINT64_C(128) << 20;
    o->config.icount_shift = -1;
    o->config.icount_sleep = true;
    o->config.checkpoint_bytes = UINT64_C(1) << 30;
    o->config.hpet = true;
    o->config.ram_in_core = true;
    o->config.smm = true;
    o->config.smbios = g_ptr_array_new_with_free_func(options_free_smbios);
    o->config.acpi_tables = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    o->config.option_roms = g_ptr_array_new_with_free_func(options_free_device);
    o->numa = g_ptr_array_new_with_free_func(options_free_numa);
    o->config.data_dirs = g_ptr_array_new_with_free_func(g_free);
    o->config.devices = g_ptr_array_new_with_free_func(options_free_device);
    o->config.memory_backends = g_ptr_array_new_with_free_func(options_free_memory_backend);
    o->config.objects = g_ptr_array_new_with_free_func(options_free_device);
    o->config.fw_cfg = g_ptr_array_new_with_free_func(free_fw_cfg_option);
    o->config.netdevs = g_ptr_array_new_with_free_func(options_free_netdev);
    o->config.nics = g_ptr_array_new_with_free_func(options_free_nic);
    o->config.drives = g_ptr_array_new_with_free_func(options_free_drive);
}

static bool complete(Options *o, GError **error)
{
    options_apply_globals(o);
    options_complete_drives(o);
    options_complete_net(o);
    return options_complete_blockdevs(o, error) && options_complete_machine(o, error) &&
           options_complete_objects(o, error) && options_complete_numa(o, error) &&
           options_complete_memory(o, error) && options_complete_devices(o, error) &&
           options_check_display(o, error) && check_together(o, error);
}

static bool walk(Options *o, char **argv, int from, int to, GError **error)
{
    for (int i = from; i < to && o->answer_kind == ANSWER_NONE;) {
        if (!parse_one(o, argv, to, &i, error))
            return false;
    }
    return true;
}

bool options_parse_addition(Options *o, const char *option, const char *arg, GError **error)
{
    char *argv[] = { (char *)option, (char *)arg };

    set_defaults(o);
    o->addition = true;
    return walk(o, argv, 0, 2, error) && (o->answer_kind != ANSWER_NONE || complete(o, error));
}

bool options_parse(Options *o, int argc, char **argv, GError **error)
{
    set_defaults(o);
    o->config.files = host_files_new(false);
    if (!walk(o, argv, 1, argc, error))
        return false;
    if (!o->record_file && o->config.icount_shift < 0) /* nor can begin_record be */
        g_clear_pointer(&o->config.files, host_files_free);
    return o->answer_kind != ANSWER_NONE || complete(o, error);
}

/* A recording's file is not trusted: it may describe a machine and its counting, no more. */
static bool check_recorded(const Options *o, GError **error)
{
    const GPtrArray *args = o->host_args;

    if (o->answer_kind == ANSWER_NONE && !o->record_file && !o->replay_file && args->len == 2 &&
        !strcmp(args->pdata[0], "-icount"))
        return true;
    error_set(error, "the recording has options that do not belong there");
    return false;
}

bool options_parse_replay(Options *o, int argc, char **argv, int recorded, HostFiles *files,
                          GError **error)
{
    set_defaults(o);
    o->config.replaying = true;
    o->config.files = files;
    o->replayed_files = true;
    if (!walk(o, argv, 1, 1 + recorded, error) || !check_recorded(o, error) ||
        !walk(o, argv, 1 + recorded, argc, error))
        return false;
    return o->answer_kind != ANSWER_NONE || complete(o, error);
}

void options_clear(Options *o)
{
    /* clang-format off */
    char **strings[] = {
        &o->config.machine, &o->config.name,   &o->config.uuid, &o->config.cpu_model,  &o->config.accel_backend,
        &o->config.kernel,  &o->config.initrd, &o->config.append,     &o->config.bios,
        &o->config.vga,     &o->monitor,       &o->config.boot_order, &o->debugcon, &o->gdb, &o->parallel,
        &o->display,        &o->screen_file,   &o->log_items,     &o->log_file,          &o->log_filter,   &o->log_counts,
        &o->record_file,    &o->replay_file,   &o->rr_file,
        &o->vnc.address,    &o->loadvm,         &o->incoming,      &o->dump_vmstate, &o->pidfile, &o->run_as, &o->process_name,
        &o->config.boot_once, &o->pflash[0],      &o->pflash[1],      &o->memory_backend, &o->mem_path, &o->vnc_secret, &o->vnc.initial_password, &o->vnc.device, &o->lacking_accel,
        &o->config.acpi_oem_id, &o->config.acpi_oem_table_id,
    };
    /* clang-format on */

    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(strings[i], g_free);
    if (!o->replayed_files)
        host_files_free(o->config.files);
    g_ptr_array_unref(o->monitors);
    g_ptr_array_unref(o->globals);
    g_ptr_array_unref(o->blockdevs);
    g_ptr_array_unref(o->objects);
    g_ptr_array_unref(o->plugins);
    g_ptr_array_unref(o->trace_events);
    g_ptr_array_unref(o->trace_files);
    g_ptr_array_unref(o->machine_args);
    g_ptr_array_unref(o->host_args);
    g_ptr_array_unref(o->config.data_dirs);
    g_ptr_array_unref(o->config.smbios);
    g_ptr_array_unref(o->config.acpi_tables);
    g_ptr_array_unref(o->config.option_roms);
    g_ptr_array_unref(o->numa);
    g_free(o->config.numa.distance);
    g_clear_pointer(&o->config.boot_splash, g_bytes_unref);
    g_ptr_array_unref(o->config.devices);
    g_ptr_array_unref(o->config.objects);
    g_ptr_array_unref(o->config.memory_backends);
    g_clear_pointer(&o->config.ram_parts, g_ptr_array_unref);
    g_ptr_array_unref(o->config.fw_cfg);
    g_ptr_array_unref(o->config.drives);
    g_ptr_array_unref(o->config.netdevs);
    g_ptr_array_unref(o->config.nics);
    g_ptr_array_unref(o->serials);
    g_ptr_array_unref(o->device_chardevs);
    g_ptr_array_unref(o->chardevs);
    g_string_free(o->answer, TRUE);
}
