/* SPDX-License-Identifier: MIT */
/* The command line, row by row: what it fills in, and the sentence when it is wrong. */
#include "softmmu/program/options/options.h"

#include <string.h>
#include <unistd.h>

#include "tests/softmmu/test.h"

/* Split at spaces; '~' stands for a space within an argument. */
static bool parse(Options *o, const char *args, GError **error)
{
    g_autofree char *line = g_strconcat("mimus", *args ? " " : "", args, NULL);
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);

    for (char **arg = argv; *arg; arg++)
        g_strdelimit(*arg, "~", ' ');
    return options_parse(o, g_strv_length(argv), argv, error);
}

/* clang-format off */
static const struct {
    const char *args, *error;
} error_rows[] = {
    {"-uuid x", "-uuid x: not a UUID, as 12345678-9abc-def0-1234-56789abcdef0"},
    {"-uuid 12345678-9abc-def0-1234x56789abcdef0", "-uuid 12345678-9abc-def0-1234x56789abcdef0: not a UUID, as 12345678-9abc-def0-1234-56789abcdef0"},
    {"-action reboot=x", "-action reboot=x: reboot: 'x' is not reset or shutdown"},
    {"-action panic=x", "-action panic=x: panic: 'x' is none of shutdown, pause, exit-failure, none"},
    {"-object rng-random,filename=/dev/urandom", "-object rng-random,filename=/dev/urandom: Parameter 'id' is missing"},
    {"-object rng-builtin,id=a,filename=f", "-object rng-builtin,id=a,filename=f: unknown parameter 'filename'"},
    {"-object rng-builtin,id=a -object rng-random,id=a", "-object rng-random,id=a: attempt to add duplicate property 'a' to object (type 'container')"},
    {"-watchdog-action x", "-watchdog-action x: 'x' is none of reset, shutdown, poweroff, pause, debug, none, inject-nmi"},
    {"-global x", "-global x: DRIVER.PROPERTY=VALUE is needed"},
    {"-set device.n.mac=3", "-set device.n.mac=3: there is no device 'n'"},
    {"-set x.n.mac=3", "-set x.n.mac=3: device.ID.PROPERTY=VALUE is needed"},
    {"-msg timestamp=x", "-msg timestamp=x: timestamp: 'x' is neither 'on' nor 'off'"},
    {"-nographic -daemonize", "-nographic cannot be used with -daemonize"},
    {"-foo", "-foo: invalid option (-help lists the valid ones)"},
    {"--foo", "-foo: invalid option (-help lists the valid ones)"},
    {"-", "-: invalid option (-help lists the valid ones)"},
    {"-kernel", "-kernel: requires an argument"},
    {"-append x", "-append only allowed with -kernel option"},
    {"-initrd x", "-initrd only allowed with -kernel option"},

    {"-m abc", "-m abc: 'abc' is not a size: a number with an optional suffix K, M, G or T"},
    {"-m -5", "-m -5: '-5' is not a size: a number with an optional suffix K, M, G or T"},
    {"-m 512X", "-m 512X: '512X' is not a size: a number with an optional suffix K, M, G or T"},
    {"-m 512MM", "-m 512MM: '512MM' is not a size: a number with an optional suffix K, M, G or T"},
    {"-m 0", "-m 0: memory must be 1M to 1023G"},
    {"-m 2T", "-m 2T: memory must be 1M to 1023G"},
    {"-m 99999999999999999999G", "-m 99999999999999999999G: '99999999999999999999G' is not a size: a number with an optional suffix K, M, G or T"},
    {"-m 512,slots=2", "-m 512,slots=2: slots: memory hot-plug is not supported yet"},
    {"-m 512,foo=2", "-m 512,foo=2: unknown parameter 'foo'"},

    {"-smp 0", "-smp 0: '0' is not a number from 1 to 65535"},
    {"-smp x", "-smp x: 'x' is not a number from 1 to 65535"},
    {"-smp 300", "Invalid SMP CPUs 300. The max CPUs supported by machine 'pc-i440fx-7.2' is 255"},
    {"-M pc-i440fx-8.0 -smp 256", "Invalid SMP CPUs 256. The max CPUs supported by machine 'pc-i440fx-8.0' is 255"},
    {"-smp 4,sockets=3", "Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (3) * cores (1) * threads (1) != maxcpus (4)"},
    {"-smp 4,maxcpus=2", "Invalid CPU topology: maxcpus (2) must not be smaller than smp (4)"},
    {"-smp 4,dies=2", "-smp 4,dies=2: dies: only 1 is supported"},
    {"-smp 4,foo=2", "-smp 4,foo=2: unknown parameter 'foo'"},
    {"-smp 4,cores=x", "-smp 4,cores=x: cores: 'x' is not a number from 1 to 65535"},
    {"-smp sockets=65535,cores=65535,threads=65535", "Invalid SMP CPUs 65536. The max CPUs supported by machine 'pc-i440fx-7.2' is 255"},

    {"-M foo", "-M foo: unsupported machine type 'foo' (-machine help lists them)"},
    {"-drive file=x,id=1", "-drive file=x,id=1: id: Parameter 'id' expects an identifier, not '1'"},
    {"-chardev null,id=", "-chardev null,id=: Parameter 'id' expects an identifier, not ''"},
    {"-M none -kernel x", "machine type 'none' has no place for -kernel"},
    {"-M none -device e1000", "machine type 'none' has no place for -device"},
    {"-M none -hda x", "machine type 'none' has no place for a disk"},
    {"-M none -smp 2", "machine type 'none' has no place for -smp"},
    {"-nographic -daemonize", "-nographic cannot be used with -daemonize"},
    {"-M q35", "-M q35: machine type 'q35' is not supported yet; use pc"},
    {"-machine pc,accel=kvm", "-machine pc,accel=kvm: accel: accelerator 'kvm' is not supported; use tcg"},
    {"-machine pc,usb=on", "-machine pc,usb=on: usb: USB is not modelled yet"},
    {"-machine pc,vmport=maybe", "-machine pc,vmport=maybe: vmport: 'maybe' is neither 'on' nor 'off'"},
    {"-machine pc,smp=2", "-machine pc,smp=2: unknown parameter 'smp'"},
    {"-machine pc,smp.x=2", "-machine pc,smp.x=2: unknown parameter 'smp.x'"},
    {"-machine smp.cpus=x", "-machine smp.cpus=x: smp.cpus: 'x' is not a number from 1 to 65535"},
    {"-machine memory.slots=2", "-machine memory.slots=2: memory.slots: memory hot-plug is not supported yet"},
    {"-machine dumpdtb=f", "-machine dumpdtb=f: dumpdtb: x86 machines have no device tree"},
    {"-machine bus-lock-ratelimit=5", "-machine bus-lock-ratelimit=5: bus-lock-ratelimit: bus locks are KVM's to count; the accelerator is tcg"},
    {"-machine max-ram-below-4g=5G", "-machine max-ram-below-4g=5G: max-ram-below-4g: '5G' is not a multiple of 4K up to 4G"},
    {"-machine max-fw-size=17M", "-machine max-fw-size=17M: max-fw-size: '17M' is not a size up to 16M"},
    {"-machine x-oem-id=ABCDEFG", "-machine x-oem-id=ABCDEFG: x-oem-id: 'ABCDEFG' has more than 6 characters"},
    {"-machine smbios-entry-point-type=33", "-machine smbios-entry-point-type=33: smbios-entry-point-type: '33' is not 32 or 64"},
    {"-machine bogus,help", "-machine bogus,help: unsupported machine type 'bogus' (-machine help lists them)"},
    {"-machine pc,hpet=maybe", "-machine pc,hpet=maybe: hpet: 'maybe' is neither 'on' nor 'off'"},
    {"-accel kvm", "-accel kvm: accelerator 'kvm' is not supported; use tcg"},
    {"-accel foo", "-accel foo: invalid accelerator 'foo' (-accel help lists them)"},
    {"-accel tcg,thread=many", "-accel tcg,thread=many: thread: 'many' is not single or multi"},
    {"-accel tcg,tb-size=0", "-accel tcg,tb-size=0: tb-size: '0' is not a number from 1 to 1024"},
    {"-enable-kvm", "-enable-kvm: KVM is not supported; the accelerator is tcg"},

    {"-incoming defer -loadvm x", "-incoming: not together with -loadvm, -record or -replay"},
    {"-record f -incoming defer", "-incoming: not together with -loadvm, -record or -replay"},
    {"-checkpoint-mem x", "-checkpoint-mem x: 'x' is not a size: a number with an optional suffix K, M, G or T"},
    {"-icount auto", "-icount auto: shift: 'auto' is not supported; give a number from 0 to 10"},
    {"-icount shift=11", "-icount shift=11: '11' is not a number from 0 to 10"},
    {"-icount shift=1,rr=record", "-icount shift=1,rr=record: rr=record|replay and rrfile=FILE need each other"},
    {"-icount shift=1,rrfile=f", "-icount shift=1,rrfile=f: rr=record|replay and rrfile=FILE need each other"},
    {"-icount shift=1,rr=both,rrfile=f", "-icount shift=1,rr=both,rrfile=f: rr: 'both' is not supported; use record or replay"},
    {"-icount shift=1,rrsnapshot=s", "-icount shift=1,rrsnapshot=s: rrsnapshot: none is needed: a replay makes its own checkpoints"},
    {"-record f -replay f", "-replay f: one recording or replay is possible at a time"},
    {"-icount shift=1,sleep=maybe", "-icount shift=1,sleep=maybe: sleep: 'maybe' is neither 'on' nor 'off'"},
    {"-icount sleep=on", "-icount sleep=on: shift is needed, a number from 0 to 10"},
    {"-seed x", "-seed x: 'x' is not a number from 0 to 18446744073709551615"},
    {"-rtc base=foo", "-rtc base=foo: base: 'foo' is not a date; valid are utc, localtime, 2006-06-17T16:01:21 and 2006-06-17"},
    {"-rtc base=2023-02-31", "-rtc base=2023-02-31: base: '2023-02-31' is not a date; valid are utc, localtime, 2006-06-17T16:01:21 and 2006-06-17"},
    {"-rtc clock=rt", "-rtc clock=rt: clock: 'rt' is not supported; use host or vm"},
    {"-boot xyz", "-boot xyz: Invalid boot device 'x'"},
    {"-boot order=cc", "-boot order=cc: Boot device 'c' was given twice"},
    {"-boot once=dd", "-boot once=dd: once: Boot device 'd' was given twice"},
    {"-boot splash-time=x", "-boot splash-time=x: splash-time: 'x' is not a number from 0 to 65535"},
    {"-boot reboot-timeout=65536", "-boot reboot-timeout=65536: reboot-timeout: '65536' is not a number from 0 to 65535"},
    {"-boot splash=/dev/null", "-boot splash=/dev/null: splash: '/dev/null' is neither a JPEG nor a BMP picture"},
    {"-smbios vendor=x", "-smbios vendor=x: file, or a type before its fields, is needed"},
    {"-smbios type=5", "-smbios type=5: fields of type 5 are not supported; use file="},
    {"-smbios type=0,bogus=x", "-smbios type=0,bogus=x: unknown parameter 'bogus'"},
    {"-smbios type=0,type=1", "-smbios type=0,type=1: unknown parameter 'type'"},
    {"-smbios type=0,release=1", "-smbios type=0,release=1: '1' is not two numbers up to 255, as 1.2"},
    {"-smbios type=0,release=1.256", "-smbios type=0,release=1.256: '1.256' is not two numbers up to 255, as 1.2"},
    {"-smbios type=0,uefi=x", "-smbios type=0,uefi=x: 'x' is neither 'on' nor 'off'"},
    {"-smbios type=1,uuid=x", "-smbios type=1,uuid=x: Invalid UUID"},
    {"-smbios type=4,max-speed=65536", "-smbios type=4,max-speed=65536: '65536' is not a number from 0 to 65535"},
    {"-smbios file=/dev/null", "-smbios file=/dev/null: this is no SMBIOS structure: it has 0 bytes"},
    {"-acpitable sig=ABCD", "-acpitable sig=ABCD: exactly one of file and data is needed"},
    {"-acpitable data=/dev/null,bogus=1", "-acpitable data=/dev/null,bogus=1: unknown parameter 'bogus'"},
    {"-acpitable data=/dev/null,sig=ABC", "-acpitable data=/dev/null,sig=ABC: sig: 'ABC' has not 4 characters"},
    {"-acpitable data=/dev/null,oem_id=ABCDEFG", "-acpitable data=/dev/null,oem_id=ABCDEFG: oem_id: 'ABCDEFG' has not at most 6 characters"},
    {"-acpitable data=/dev/null,rev=256", "-acpitable data=/dev/null,rev=256: rev: '256' is not a number from 0 to 255"},
    {"-acpitable file=/dev/null", "-acpitable file=/dev/null: the table has 0 bytes, less than its header"},
    {"-option-rom bootindex=1", "-option-rom bootindex=1: [romfile=]FILE[,bootindex=N] is needed"},
    {"-option-rom a,bogus=1", "-option-rom a,bogus=1: [romfile=]FILE[,bootindex=N] is needed"},
    {"-object filter-replay,id=f,netdev=n", "-object filter-replay,id=f: Parameter 'netdev' expects a network backend id"},
    {"-object filter-replay,id=f", "-object filter-replay,id=f: a netdev is needed"},
    {"-numa bogus", "-numa bogus: 'bogus' is not supported; use node, dist or cpu"},
    {"-numa node,bogus=1", "-numa node,bogus=1: unknown parameter 'bogus'"},
    {"-numa node,nodeid=128", "-numa node,nodeid=128: nodeid: '128' is not a number from 0 to 127"},
    {"-numa node,nodeid=1", "numa: Node ID missing: 0"},
    {"-numa node -numa node,nodeid=0", "-numa node,nodeid=0: Duplicate NUMA nodeid: 0"},
    {"-numa node,cpus=1", "-numa node,cpus=1: CPU index (1) should be smaller than maxcpus (1)"},
    {"-numa node,cpus=1-0", "-numa node,cpus=1-0: cpus: '0' is not a number from 1 to 254"},
    {"-numa node,cpus=0 -numa node,cpus=0", "-numa node,cpus=0: CPU 0 is in node 0 already"},
    {"-numa node,mem=64M", "total memory for NUMA nodes (0x4000000) should equal RAM size (0x8000000)"},
    {"-numa node,memdev=m", "-numa node,memdev=m: there is no memory backend 'm' (-object memory-backend-ram,id=)"},
    {"-numa node -numa dist,src=0,dst=1,val=20", "-numa dist,src=0,dst=1,val=20: there is no node 1 (-numa node)"},
    {"-numa node -numa dist,src=0,val=20", "-numa dist,src=0,val=20: a node is missing"},
    {"-numa node -numa dist,src=0,dst=0,val=20", "-numa dist,src=0,dst=0,val=20: val is needed: 10 from a node to itself, more to another"},
    {"-numa node -numa node -numa node -numa dist,src=0,dst=1,val=20", "-numa dist: the distance between node 0 and 2 is missing, please provide at least one distance value between each nodes"},
    {"-numa node -numa cpu,node-id=0,socket-id=9", "-numa cpu,node-id=0,socket-id=9: no match found"},
    {"-numa cpu,node-id=0", "-numa cpu,node-id=0: there is no node 0 (-numa node)"},

    {"-vga foo", "-vga foo: unknown vga type: foo"},
    {"-vga qxl", "-vga qxl: not supported yet; use std, cirrus or none"},
    {"-display gtk", "-display gtk: not supported; use sdl, vnc=[HOST]:DISPLAY, curses or none"},
    {"-display sdl,gl=on", "-display sdl,gl=on: gl: only 'off' is supported yet"},
    {"-display sdl,grab-mod=tab", "-display sdl,grab-mod=tab: grab-mod: one of lctrl-lalt, lshift-lctrl-lalt, rctrl"},
    {"-display sdl,alt_grab", "-display sdl,alt_grab: unknown parameter 'alt_grab'"},
    {"-display sdlx", "-display sdlx: not supported; use sdl, vnc=[HOST]:DISPLAY, curses or none"},
    {"-sdl", "-sdl: use -display sdl"},
    {"-display curses,charset=CP437", "-display curses,charset=CP437: not supported; use sdl, vnc=[HOST]:DISPLAY, curses or none"},
    {"-full-screen", "-full-screen: there is no window (-display sdl opens one)"},
    {"-curses", "-curses: use -display curses"},
    {"-vnc :0,password=secret", "-vnc :0,password=secret: password: 'secret' is neither 'on' nor 'off'"},
    {"-vnc :0,share=all", "-vnc :0,share=all: share: one of allow-exclusive, force-shared, ignore"},
    {"-vnc :0,to=x", "-vnc :0,to=x: to: 'x' is not the number of a display"},
    {"-vnc :0,websocket=on", "-vnc :0,websocket=on: unknown parameter 'websocket'"},
    {"-k nowhere", "-k nowhere: no such layout (\"de\", \"fr-ca\", \"us(dvorak)\"; they are in the package xkb-data)"},
    {"-parallel chardev:x", "there is no character device 'x' (-chardev ...,id=)"},
    {"-netdev user", "-netdev user: Parameter 'id' is missing"},
    {"-netdev vde,id=n", "-netdev vde,id=n: 'vde' is not supported; there are user, socket, stream, dgram, tap, bridge and hubport"},
    {"-netdev tap,id=n,script=up", "-netdev tap,id=n,script=up: script: no scripts are run; set the device up before, and use script=no"},
    {"-netdev user,id=n,listen=:1", "-netdev user,id=n,listen=:1: listen, connect, udp and localaddr are for sockets"},
    {"-netdev socket,id=n,ifname=t", "-netdev socket,id=n,ifname=t: ifname and fd are for tap"},
    {"-netdev user,id=n -netdev user,id=n", "-netdev user,id=n: Duplicate ID 'n' for netdev"},
    {"-netdev user,id=n,foo=1", "-netdev user,id=n,foo=1: unknown parameter 'foo'"},
    {"-nic vde", "-nic vde: 'vde' is not supported; there are user, socket, stream, dgram, tap, bridge and hubport"},
    {"-nic user,restrict=x", "-nic user,restrict=x: restrict: 'x' is neither 'on' nor 'off'"},
    {"-net socket", "-net socket: 'socket' is not supported yet; use none, nic or user"},
    {"-hda", "-hda: requires an argument"},
    {"-drive if=ide", "-drive if=ide: file is needed: only floppies and CD-ROMs may be without a medium"},
    {"-drive file=x,if=scsi", "-drive file=x,if=scsi: if: 'scsi' is not supported; there are ide, none, virtio, floppy, pflash"},
    {"-drive file=x,index=4", "-drive file=x,index=4: index: '4' is not a number from 0 to 3"},
    {"-drive file=x,index=1,bus=0", "-drive file=x,index=1,bus=0: index cannot be used with bus and unit"},
    {"-drive file=x,cache=no", "-drive file=x,cache=no: cache: 'no' is not supported; there are writeback, none, writethrough, directsync, unsafe"},
    {"-drive file=x,rerror=enospc", "-drive file=x,rerror=enospc: rerror: 'enospc' is not supported; there are report, ignore, stop"},
    {"-drive file=x,werror=foo", "-drive file=x,werror=foo: werror: 'foo' is not supported; there are report, ignore, stop, enospc"},
    {"-drive driver=blkreplay,if=none,image=a,id=b", "-drive driver=blkreplay,if=none,image=a,id=b: image=ID is needed, of a -drive if=none before it"},
    {"-drive if=none,file=x,id=a -drive driver=blkreplay,image=a,id=b", "-drive driver=blkreplay,image=a,id=b: driver=blkreplay has if=none, an id and an image, and no file"},
    {"-drive file=x,foo=1", "-drive file=x,foo=1: unknown parameter 'foo'"},
    {"-gdb udp::1234", "-gdb udp::1234: not supported; use tcp:HOST:PORT, unix:PATH, pty, stdio, chardev:ID or none"},
    {"-gdb 1234", "-gdb 1234: not supported; use tcp:HOST:PORT, unix:PATH, pty, stdio, chardev:ID or none"},
    {"-gdb chardev:x", "there is no character device 'x' (-chardev ...,id=)"},
    {"-mon mode=control", "-mon mode=control: chardev is needed"},
    {"-mon chardev=x", "there is no character device 'x' (-chardev ...,id=)"},
    {"-chardev stdio,id=c -mon chardev=c,mode=x", "-mon chardev=c,mode=x: mode: 'x' is not readline or control"},
    {"-chardev stdio,id=c,signal=off", "-chardev stdio,id=c,signal=off: signal=off is only supported together with mux=on"},
    {"-device {}", "-device {}: a driver is needed (-device help lists them)"},
    {"-device {\"driver\":1", "-device {\"driver\":1: this is not a JSON object"},
    {"-device {},x", "-device {},x: this is not a JSON object"},
    {"-object secret,id=a", "-object secret,id=a: Either 'file' or 'data' must be provided"},
    {"-object secret,id=a,data=x,file=y", "-object secret,id=a,data=x,file=y: 'file' and 'data' are mutually exclusive"},
    {"-object secret,id=a,data=x,format=hex", "-object secret,id=a,data=x,format=hex: format: Parameter 'format' does not accept value 'hex'"},
    {"-object bogus,id=a", "-object bogus,id=a: object type 'bogus' is not supported (-object help lists those that are)"},
    {"-object filter-dump,id=f,netdev=n", "-object filter-dump,id=f,netdev=n: Parameter 'file' is missing"},
    {"-object filter-dump,id=f,netdev=n,file=x", "-object filter-dump,id=f: Parameter 'netdev' expects a network backend id"},
    {"-netdev hubport,id=a", "-netdev hubport,id=a: Parameter 'hubid' is missing"},
    {"-netdev hubport,id=a,hubid=0,netdev=b", "-netdev hubport,id=a,hubid=0,netdev=b: netdev 'b' not found"},
    {"-netdev user,id=a,hubid=0", "-netdev user,id=a,hubid=0: hubid and netdev are for hubport"},
    {"-netdev user,id=a,br=x", "-netdev user,id=a,br=x: br and helper are for bridge"},
    {"-netdev user,id=a,fd=3", "-netdev user,id=a,fd=3: ifname and fd are for tap"},
    {"-netdev socket,id=a,listen=:1,reconnect=1", "-netdev socket,id=a,listen=:1,reconnect=1: reconnect is for a stream that connects"},
    {"-vnc :0,password-secret=s", "-vnc: No secret with id 's'"},
    {"-m 64 -mem-path x -object memory-backend-ram,id=m,size=64M -machine memory-backend=m", "'-mem-path' can't be used together with '-machine memory-backend'"},
    {"-m 128 -object memory-backend-ram,id=a,size=64M -numa node,memdev=a -numa node,mem=64M", "numa configuration should use either mem= or memdev=, mixing both is not allowed"},
    {"-m 64 -mem-path x -record y", "-record: memory in a file is not supported: what it holds would have to be recorded"},
    {"-object rng-random", "-object rng-random: Parameter 'id' is missing"},
    {"-object memory-backend-ram,id=m", "-object memory-backend-ram,id=m: property 'size' of a memory backend must be given"},
    {"-object iothread,id=a -object iothread,id=a", "-object iothread,id=a: attempt to add duplicate property 'a' to object (type 'container')"},
    {"-object memory-backend-ram,id=m,size=64M -machine memory-backend=m", "Machine memory size does not match the size of the memory backend"},
    {"-machine memory-backend=m", "-machine memory-backend=m: Memory backend 'm' not found"},
    {"-device isa-serial", "-device isa-serial: Can't create serial device, empty char device"},
    {"-chardev null,id=a -device isa-serial,chardev=a,index=9", "-device isa-serial: '9' is not a number from 0 to 3"},
    {"-serial null -chardev null,id=a -device isa-serial,chardev=a,index=0", "-device isa-serial: there is a serial port 0 already"},
    {"-echr 0", "-echr 0: '0' is not a number from 1 to 126"},
    {"-sandbox maybe", "-sandbox maybe: 'maybe' is neither 'on' nor 'off'"},
    {"-overcommit cpu-pm=on", "-overcommit cpu-pm=on: cpu-pm: only 'off' is supported: the guest's CPUs do not own the host's"},
    {"-machine kernel-irqchip=maybe", "-machine kernel-irqchip=maybe: kernel-irqchip: 'maybe' is not on, off or split"},
    {"-blockdev node-name=n,filename=x", "-blockdev node-name=n,filename=x: driver is needed: file, raw or qcow2"},
    {"-blockdev file,filename=x", "-blockdev file,filename=x: node-name is needed"},
    {"-blockdev file,node-name=n", "-blockdev file,node-name=n: either filename or file is needed"},
    {"-blockdev vhdx,node-name=n", "-blockdev vhdx,node-name=n: driver: 'vhdx' is not supported; there are file, host_device, raw, qcow2, vmdk, vdi, null-co, null-aio"},
    {"-blockdev file,node-name=n,foo=1", "-blockdev file,node-name=n,foo=1: foo: unknown parameter 'foo'"},
    {"-blockdev raw,node-name=n,file.driver=qcow2", "-blockdev raw,node-name=n,file.driver=qcow2: file.driver: 'qcow2' within another node is not supported"},
    {"-blockdev file,node-name=n,filename=x -blockdev file,node-name=n,filename=y", "-blockdev file,node-name=n,filename=y: there is another node with node-name 'n'"},
    {"-blockdev raw,node-name=n,file=m", "-blockdev: there is no node 'm' for 'n'"},
    {"-blockdev raw,node-name=n,file=m -blockdev raw,node-name=m,file=n", "-blockdev: nodes around 'n' are made of each other"},
    {"-blockdev qcow2,node-name=m,filename=x -blockdev raw,node-name=n,file=m", "-blockdev: 'n' on 'm': a format on another is not supported"},
    {"-blockdev qcow2,node-name=n,filename=x,backing=m", "Cannot find device='m' nor node-name='m'"},
    {"-blockdev file,node-name=n,filename=x,backing=", "-blockdev file,node-name=n,filename=x,backing=: backing is of qcow2"},
    {"-blockdev qcow2,node-name=n,filename=x,backing.driver=raw", "-blockdev: backing: either filename or file is needed"},
    {"-blockdev qcow2,node-name=m,filename=x,backing=n -blockdev qcow2,node-name=n,filename=y,backing=m", "-blockdev: there are too many images behind one another"},
    {"-blockdev null-co,node-name=n,filename=x", "-blockdev null-co,node-name=n,filename=x: null-co has no file"},
    {"-blockdev file,node-name=n,filename=x,size=1M", "-blockdev file,node-name=n,filename=x,size=1M: size is of null-co"},
    {"-blockdev null-aio,node-name=n,latency-ns=5", "-blockdev null-aio,node-name=n,latency-ns=5: latency-ns: a disk that is not there is as fast as it can be"},
    {"-machine pflash0=p", "-machine pflash0=p: there is no such node (-blockdev ...,node-name=)"},
    {"-device isa-debugcon,chardev=c", "-device isa-debugcon: there is no character device 'c' (-chardev ...,id=)"},
    {"-fw_cfg opt/x", "-fw_cfg opt/x: name, plus exactly one of file and string, are needed"},
    {"-fw_cfg opt/x,string=a,file=b", "-fw_cfg opt/x,string=a,file=b: name, plus exactly one of file and string, are needed"},
    {"-fw_cfg opt/x,string=a,foo=b", "-fw_cfg opt/x,string=a,foo=b: name, plus exactly one of file and string, are needed"},
    {"-fw_cfg string=a", "-fw_cfg string=a: name, plus exactly one of file and string, are needed"},
    {"-fw_cfg name=opt/x,file=/nonexistent", "-fw_cfg name=opt/x,file=/nonexistent: Failed to open file “/nonexistent”: No such file or directory"},
    {"-serial null -serial null -serial null -serial null -serial null", "-serial null: the machine has at most 4 serial ports"},
    {"-serial chardev:x", "there is no character device 'x' (-chardev ...,id=)"},
    {"-chardev null", "-chardev null: id is needed"},
    {"-chardev null,id=a -chardev null,id=a", "-chardev null,id=a: there is another character device with id 'a'"},
    {"-chardev bogus,id=a", "-chardev bogus,id=a: 'bogus' is not a supported type (-chardev help lists them)"},
    {"-chardev socket,id=a,path=p,port=1", "-chardev socket,id=a,path=p,port=1: one of path, fd, or host and port is needed"},
    {"-chardev socket,id=a,path=p,telnet=on", "-chardev socket,id=a,path=p,telnet=on: telnet: only with host and port"},
    {"-chardev socket,id=a,path=p,delay=on", "-chardev socket,id=a,path=p,delay=on: delay=on is not supported: what is written is sent at once"},
    {"-chardev udp,id=a", "-chardev udp,id=a: port is needed"},
    {"-chardev pipe,id=a", "-chardev pipe,id=a: path is needed"},
    {"-chardev tty,id=a", "-chardev tty,id=a: path is needed"},
    {"-chardev null,id=a,logfile=b,,c", "-chardev null,id=a,logfile=b,,c: logfile: a name with a comma is not supported"},
    {"-chardev null,id=a,logappend=x", "-chardev null,id=a,logappend=x: 'x' is neither 'on' nor 'off'"},
    {"-chardev stdio,id=a,reconnect=1", "-chardev stdio,id=a,reconnect=1: parameter 'reconnect' is not supported"},
    {"-chardev file,id=a", "-chardev file,id=a: path is needed"},
};
/* clang-format on */

static void test_errors(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(error_rows); i++) {
        g_autoptr(GError) error = NULL;
        Options o;

        if (parse(&o, error_rows[i].args, &error))
            fail_msg("accepted: %s", error_rows[i].args);
        assert_string_equal(error->message, error_rows[i].error);
        options_clear(&o);
    }
}

/* One field of the result as text, so that rows can name it. */
/* "SIZE:CPUS" of each node, then the distances. */
static char *describe_numa(const MachineConfig *c)
{
    GString *text = g_string_new("");

    for (unsigned n = 0; n < c->numa.nodes; n++) {
        const char *comma = "";

        g_string_append_printf(text, "%s%uM:", n ? " " : "", (unsigned)(c->numa.ram_size[n] >> 20));
        for (unsigned i = 0; i < c->max_cpus; i++) {
            if (c->numa.node_of_cpu[i] != n)
                continue;
            g_string_append_printf(text, "%s%u", comma, i);
            comma = ",";
        }
    }
    for (unsigned i = 0; c->numa.distance && i < c->numa.nodes * c->numa.nodes; i++)
        g_string_append_printf(text, " %u", c->numa.distance[i / c->numa.nodes][i % c->numa.nodes]);
    return g_string_free(text, FALSE);
}

static char *join(GPtrArray *strings)
{
    char *joined;

    g_ptr_array_add(strings, NULL);
    joined = g_strjoinv(" ", (char **)strings->pdata);
    g_ptr_array_set_size(strings, strings->len - 1);
    return joined;
}

static char *field_text(const Options *o, const char *field)
{
    const MachineConfig *c = &o->config;
    const struct {
        const char *name;
        const char *text;
    } strings[] = {
        { "machine", c->machine },   { "cpu", c->cpu_model },     { "backend", c->accel_backend },
        { "kernel", c->kernel },     { "initrd", c->initrd },     { "append", c->append },
        { "bios", c->bios },         { "once", c->boot_once },    { "order", c->boot_order },
        { "vga", c->vga },           { "name", c->name },         { "monitor", o->monitor },
        { "debugcon", o->debugcon }, { "gdb", o->gdb },           { "log", o->log_items },
        { "log_file", o->log_file }, { "filter", o->log_filter }, { "display", o->display },
        { "vnc", o->vnc.address },   { "loadvm", o->loadvm },     { "incoming", o->incoming },
        { "dump", o->dump_vmstate }, { "uuid", c->uuid },         { "pidfile", o->pidfile },
    };
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        { "ram", c->ram_size },
        { "cpus", c->cpus },
        { "maxcpus", c->max_cpus },
        { "sockets", c->sockets },
        { "cores", c->cores },
        { "threads", c->threads },
        { "tb", c->tb_size },
        { "menu", c->boot_menu },
        { "strict", c->boot_strict },
        { "menu_wait", c->boot_menu_wait_given ? c->boot_menu_wait_ms : -2 },
        { "fail_wait", c->boot_fail_wait_given ? c->boot_fail_wait_ms : -2 },
        { "no_reboot", c->actions.no_reboot },
        { "no_shutdown", c->actions.no_shutdown },
        { "panic", c->actions.panic },
        { "watchdog", c->actions.watchdog },
        { "stopped", c->start_stopped },
        { "nodefaults", c->nodefaults },
        { "hpet", c->hpet },
        { "lacks",
          c->no_acpi | c->no_i8042 << 1 | c->no_pic << 2 | c->no_pit << 3 | c->no_vmport << 4 },
        { "below", (int64_t)c->max_ram_below_4g },
        { "flash", (int64_t)c->max_flash_size },
        { "smbios64", c->smbios_64 },
        { "kernel-decompress", c->kernel_decompress },
        { "perfmap", c->perfmap },
        { "jitdump", c->jitdump },
        { "icount", c->icount_shift },
        { "icount_sleep", c->icount_sleep },
        { "rtc", c->rtc_base_s },
        { "rtc_vm", c->rtc_vm_clock },
        { "seed", (int64_t)c->seed },
        { "chaos", c->chaos ? (int64_t)c->chaos_seed : -1 },
        { "checkpoints", (int64_t)c->checkpoint_bytes },
        { "ndevices", c->devices->len },
        { "nfw", c->fw_cfg->len },
        { "nl", c->data_dirs->len },
        { "timestamps", o->timestamps },
        { "daemonize", o->daemonize },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        if (!strcmp(strings[i].name, field))
            return g_strdup(strings[i].text ? strings[i].text : "(null)");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!strcmp(numbers[i].name, field))
            return g_strdup_printf("%" G_GINT64_FORMAT, numbers[i].value);
    }
    if (!strcmp(field, "serials"))
        return join(o->serials);
    if (!strcmp(field, "machine_args")) /* what a recording keeps */
        return join(o->machine_args);
    if (!strcmp(field, "numa"))
        return describe_numa(c);
    if (!strcmp(field, "chardev"))
        return g_strdup(((ChardevOption *)o->chardevs->pdata[0])->spec);
    if (!strcmp(field, "props")) {
        const DeviceOption *d = c->devices->pdata[0];
        GString *text = g_string_new(d->driver);
        const char *names[] = { "id", "mac" };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            const char *value = g_hash_table_lookup(d->props, names[i]);
            if (value)
                g_string_append_printf(text, " %s=%s", names[i], value);
        }
        return g_string_free(text, FALSE);
    }
    if (!strcmp(field, "monitors")) {
        g_autoptr(GString) text = g_string_new("");

        for (guint i = 0; i < o->monitors->len; i++) {
            const MonitorOption *mon = o->monitors->pdata[i];
            /* clang-format off */
            g_string_append_printf(text, "%s%s%s", i ? " " : "", mon->device,
                                   mon->pretty ? "(qmp,pretty)" : mon->control ? "(qmp)" : "");
            /* clang-format on */
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
    }
    fail_msg("no such field: %s", field);
    return NULL;
}

/* clang-format off */
static const struct {
    const char *args, *field, *value;
} field_rows[] = {
    {"-uuid 12345678-9ABC-def0-1234-56789abcdef0", "uuid", "12345678-9abc-def0-1234-56789abcdef0"},
    {"-action reboot=shutdown,shutdown=pause", "no_reboot", "1"},
    {"-object secret,id=s,data=xyz -object iothread,id=i", "machine_args", "-object iothread,id=i"},
    {"-action reboot=shutdown,shutdown=pause", "no_shutdown", "1"},
    {"", "panic", "0"},
    {"-action panic=exit-failure,watchdog=none", "panic", "2"},
    {"-action panic=exit-failure,watchdog=none", "watchdog", "5"},
    {"-watchdog-action poweroff", "watchdog", "2"},
    {"-no-reboot -action reboot=reset", "no_reboot", "0"},
    {"-msg timestamp=on", "timestamps", "1"},
    {"-daemonize -display none", "daemonize", "1"},
    {"-pidfile f", "pidfile", "f"},
    {"-accel kvm -accel tcg", "ndevices", "0"},
    {"-nodefaults -chardev null,id=a -device isa-serial,chardev=a", "serials", "chardev:a"},
    {"-nodefaults -chardev null,id=a -device isa-serial,chardev=a,index=1", "serials", "none chardev:a"},
    {"-device e1000 -global e1000.mac=1", "props", "e1000 mac=1"},
    {"-device e1000,mac=2 -global e1000.mac=1", "props", "e1000 mac=2"},
    {"-device e1000,id=n -set device.n.mac=3", "props", "e1000 id=n mac=3"},
    {"-device {\"driver\":\"e1000\",\"id\":\"n\",\"mac\":1}", "props", "e1000 id=n mac=1"},
    {"-qmp unix:q,server,nowait", "monitors", "unix:q,server,nowait(qmp)"},
    {"-qmp-pretty stdio", "monitors", "stdio(qmp,pretty)"},
    {"-chardev socket,id=c,path=p,server=on -mon chardev=c,mode=control", "monitors", "chardev:c(qmp)"},
    {"-monitor pty -monitor unix:m", "monitors", "unix:m"},
    {"-qmp stdio -nographic", "monitor", "none"},
    {"-chardev stdio,id=c,mux=on,signal=off -serial chardev:c -mon chardev=c", "serials", "mon:chardev:c"},
    {"-loadvm x", "loadvm", "x"},
    {"-incoming exec:cat", "incoming", "exec:cat"},
    {"-dump-vmstate f", "dump", "f"},
    {"", "machine", "pc"},
    {"", "cpu", "qemu64"},
    {"", "ram", "134217728"},
    {"", "vga", "std"},
    {"-device VGA", "vga", "none"},
    {"-device secondary-vga", "vga", "std"},
    {"-vga cirrus -device VGA", "vga", "cirrus"},
    {"", "icount", "-1"},
    {"", "hpet", "1"},
    {"", "serials", "mon:stdio"},
    {"", "monitor", "none"},
    {"-m 512", "ram", "536870912"},
    {"--m 1G", "ram", "1073741824"},
    {"-m 1.5g", "ram", "1610612736"},
    {"-m size=2048K", "ram", "2097152"},
    {"-m 1048577B", "ram", "1056768"}, /* rounded up */
    {"-M pc-i440fx-8.2", "machine", "pc-i440fx-8.2"},
    {"-machine pc,accel=tcg,hpet=off", "hpet", "0"},
    {"-perfmap", "perfmap", "1"},
    {"--jitdump", "jitdump", "1"},
    {"-m 1G", "perfmap", "0"},
    {"-M pc", "kernel-decompress", "0"},
    {"-M pc,kernel-decompress=off", "kernel-decompress", "1"},
    {"-M kernel-decompress=on", "kernel-decompress", "2"},
    {"-M kernel-decompress=on -M kernel-decompress=auto", "kernel-decompress", "0"},
    {"-machine accel=kvm:tcg", "machine", "pc"},
    {"-machine pc,usb=off,vmport=off", "machine", "pc"},
    {"-no-hpet", "hpet", "0"},
    {"", "lacks", "0"},
    {"-machine acpi=off,i8042=off,pic=off,pit=off,vmport=off", "lacks", "31"},
    {"-machine acpi=auto,i8042=on,pic=auto,pit=auto,vmport=on", "lacks", "0"},
    {"-no-acpi", "lacks", "1"},
    {"-machine smp.cpus=2", "cpus", "2"},
    {"-machine smp.cores=2 -smp 4", "sockets", "2"},
    {"-smp 4,cores=2 -smp 8", "sockets", "4"},
    {"-machine memory.size=64M", "ram", "67108864"},
    {"-m 32 -machine memory.size=64M", "ram", "33554432"},
    {"-machine boot.menu=on", "menu", "1"},
    {"-machine max_ram_below_4g=1G", "below", "1073741824"},
    {"-machine max-fw-size=4M", "flash", "4194304"},
    {"-machine smbios-entry-point-type=64", "smbios64", "1"},
    {"-cpu max,+pcid,-avx", "cpu", "max,+pcid,-avx"},
    {"-smp 4", "cpus", "4"},
    {"-smp 4", "cores", "4"},
    {"-smp 4", "sockets", "1"},
    {"-smp 8,sockets=2", "cores", "4"},
    {"-smp 8,cores=2,threads=2", "sockets", "2"},
    {"-smp 8,sockets=2,cores=2", "threads", "2"},
    {"-smp sockets=2,cores=3,threads=2", "cpus", "12"},
    {"-smp 2,maxcpus=8", "maxcpus", "8"},
    {"-smp 2,maxcpus=8", "cpus", "2"},
    {"-smp 8 -smp 1", "cores", "1"}, /* the later one alone counts */
    {"-smp 255", "cpus", "255"},
    {"", "cpus", "1"},
    {"-accel tcg,backend=interp", "backend", "interp"},
    {"-accel tcg", "backend", "(null)"},
    {"-accel tcg,tb-size=64", "tb", "67108864"},
    {"-accel tcg,thread=single", "tb", "0"},
    {"-kernel k -initrd i -append console=ttyS0~quiet,x", "append", "console=ttyS0 quiet,x"},
    {"-kernel k -initrd a,b", "initrd", "a,b"},
    {"-bios b.bin", "bios", "b.bin"},
    {"-L a -L b", "nl", "2"},
    {"-boot c", "order", "c"},
    {"-boot order=dc,menu=on", "menu", "1"},
    {"-boot strict=on", "strict", "1"},
    {"-boot order=c,once=d", "once", "d"},
    {"-boot splash-time=0", "menu_wait", "0"},
    {"-boot reboot-timeout=-1", "fail_wait", "-1"},
    {"-m 64 -smp 2", "numa", ""},
    {"-m 65 -smp 2,sockets=2 -numa node -numa node", "numa", "32M:0 33M:1"},
    {"-m 64 -smp 4 -numa node,mem=16,cpus=0,cpus=2-3 -numa node,mem=48,cpus=1", "numa", "16M:0,2,3 48M:1"},
    {"-m 64 -smp 2 -object memory-backend-ram,id=a,size=64M -numa node,memdev=a,nodeid=1,cpus=0-1 -numa node,nodeid=0", "numa", "0M: 64M:0,1"},
    {"-m 64 -smp 4,sockets=2,cores=2 -numa node -numa node,mem=64 -numa cpu,node-id=1,socket-id=0 -numa cpu,node-id=0,socket-id=1,core-id=0 -numa cpu,node-id=1,core-id=1,socket-id=1", "numa", "0M:2 64M:0,1,3"},
    {"-m 64 -numa node -numa node,mem=64 -numa dist,src=0,dst=1,val=30", "numa", "0M:0 64M: 10 30 30 10"},
    {"-icount 3", "icount", "3"},
    {"-icount shift=auto,rr=record,rrfile=f", "icount", "1"},
    {"-icount 3", "seed", "0"},
    {"-seed 4711", "seed", "4711"},
    {"-icount 3 -seed 12", "seed", "12"},
    {"-smp 2 -chaos 4711", "chaos", "4711"},
    {"-smp 2", "chaos", "-1"},
    {"", "checkpoints", "1073741824"},
    {"-checkpoint-mem 64", "checkpoints", "67108864"},
    {"-checkpoint-mem 2G", "checkpoints", "2147483648"},
    {"-checkpoint-mem 0", "checkpoints", "0"},
    {"-icount shift=0,sleep=on,align=off", "icount", "0"},
    {"-icount 1", "icount_sleep", "1"},
    {"-icount 1,sleep=off", "icount_sleep", "0"},
    {"-icount 1", "rtc", "1704067200"}, /* runs repeat: a fixed calendar */
    {"-icount 1 -rtc base=1970-01-02", "rtc", "86400"},
    {"-rtc base=2006-06-17T16:01:21", "rtc", "1150560081"},
    {"-rtc base=2006-06-17,clock=vm", "rtc_vm", "1"},
    {"-no-reboot -no-shutdown -S", "no_reboot", "1"},
    {"-no-reboot -no-shutdown -S", "no_shutdown", "1"},
    {"-no-reboot -no-shutdown -S", "stopped", "1"},
    {"-name a", "name", "a"},
    {"-name guest=b,,c", "name", "b,c"},
    {"-d in_asm,int -D f -dfilter 0..1", "log", "in_asm,int"},
    {"-d in_asm,int -D f -dfilter 0..1", "log_file", "f"},
    {"-d in_asm,int -D f -dfilter 0..1", "filter", "0..1"},
    {"-vga none", "vga", "none"},
    {"-vga cirrus", "vga", "cirrus"},
    {"-nodefaults", "vga", "none"},
    {"-nodefaults -vga std", "vga", "std"},
    {"-nodefaults", "serials", "none"},
    {"-nodefaults -nographic", "serials", "none"},
    {"-nographic", "serials", "mon:stdio"},
    {"-serial mon:stdio -chardev null,id=c -mon chardev=c", "monitors", "chardev:c"},
    {"-serial mon:stdio -monitor null", "monitors", "null"},
    {"-m 64 -chardev null,id=a -chardev null,id=b -mon chardev=b", "machine_args", "-m 64 -chardev null,id=a"},
    {"-chardev null,id=a -gdb chardev:a -chardev null,mux=on,id=b -mon chardev=b -serial chardev:b", "machine_args",
     "-chardev null,mux=on,id=b -serial chardev:b"},
    {"-nographic", "monitor", "none"},
    {"-nographic -serial null", "monitor", "stdio"},
    {"-nographic -monitor none", "serials", "stdio"},
    {"-nographic -serial stdio", "monitor", "none"},
    {"-nographic -serial mon:stdio", "monitor", "none"},
    {"-nographic -monitor stdio", "serials", "null"},
    {"-display none", "serials", "null"},
    {"-display none", "monitor", "none"},
    {"-display none -serial stdio", "serials", "stdio"},
    {"-display none -serial none -serial file:a", "serials", "none file:a"},
    {"-vnc :1", "vnc", ":1"},
    {"-vnc :1 -k en-us", "display", "(null)"},
    {"-vnc unix:/tmp/a,to=9,share=ignore", "vnc", "unix:/tmp/a"},
    {"-display vnc=localhost:2", "vnc", "localhost:2"},
    {"-vnc :1 -vnc none", "vnc", "(null)"},
    {"-vnc :1", "serials", "null"},
    {"-vnc :1 -display none -serial stdio", "serials", "stdio"},
    {"-vnc :1 -nographic", "serials", "mon:stdio"},
    {"-display curses", "serials", "null"},
    {"-debugcon stdio -nographic", "serials", "null"},
    {"-debugcon file:x", "debugcon", "file:x"},
    {"-s", "gdb", "tcp::1234,server=on,wait=off"},
    {"-gdb tcp:[::1]:99,wait=on", "gdb", "tcp:[::1]:99,wait=on,server=on"},
    {"-gdb tcp:h:99,server=off", "gdb", "tcp:h:99,server=off"},
    {"-gdb unix:s", "gdb", "unix:s,server=on,wait=off"},
    {"-gdb stdio -nographic", "serials", "null"},
    {"-chardev socket,path=p,server=on,id=g -gdb chardev:g", "gdb", "chardev:g"},
    {"-chardev file,id=f,path=log -serial chardev:f", "serials", "chardev:f"},
    {"-serial chardev:f -chardev null,id=f", "serials", "chardev:f"},
    {"-chardev socket,id=s,path=/p,server=on,wait=off -monitor chardev:s", "monitor", "chardev:s"},
    {"-chardev null,id=s", "chardev", "null"},
    {"-chardev file,id=f,path=log", "chardev", "file:log"},
    {"-chardev file,id=f,path=log,append=on", "chardev", "file:log,append=on"},
    {"-chardev pipe,id=f,path=p", "chardev", "pipe:p"},
    {"-chardev ringbuf,id=r", "chardev", "ringbuf:65536"},
    {"-chardev ringbuf,id=r,size=1M,logfile=l", "chardev", "ringbuf:1048576,logfile=l,logappend=off"},
    {"-chardev socket,id=s,path=/p,server=on,wait=off", "chardev", "unix:/p,server=on,wait=off"},
    {"-chardev socket,id=s,host=h,port=1", "chardev", "tcp:h:1"},
    {"-chardev socket,id=s,host=::1,port=1,reconnect=2", "chardev", "tcp:[::1]:1,reconnect=2"},
    {"-chardev socket,id=s,host=h,port=1,telnet=on,server=on", "chardev", "telnet:h:1,server=on"},
    {"-chardev socket,id=s,host=h,port=1,server,nowait", "chardev", "tcp:h:1,server=on,wait=off"},
    {"-chardev socket,id=s,fd=3", "chardev", "fd:3"},
    {"-chardev udp,id=u,port=9", "chardev", "udp::9@:"},
    {"-chardev udp,id=u,host=h,port=9,localport=8,localaddr=l", "chardev", "udp:h:9@l:8"},
    {"-chardev file,id=f,path=log -device isa-debugcon,iobase=0x402,chardev=f", "debugcon", "chardev:f"},
    {"-device isa-debug-exit,iobase=0xf4,iosize=4 -device isa-debug-exit", "ndevices", "2"},
    {"-fw_cfg opt/a,string=x -fw_cfg name=opt/b,string=", "nfw", "2"},
    {"-nic none -net none -parallel none -no-user-config", "machine", "pc"},
};
/* clang-format on */

static void test_fields(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        Options o;

        if (!parse(&o, field_rows[i].args, &error))
            fail_msg("%s: %s", field_rows[i].args, error->message);
        assert_int_equal(o.answer_kind, ANSWER_NONE);
        text = field_text(&o, field_rows[i].field);
        if (strcmp(text, field_rows[i].value))
            fail_msg("'%s': %s is '%s'", field_rows[i].args, field_rows[i].field, text);
        options_clear(&o);
    }
}

static void test_device_and_fw_cfg(void **state)
{
    Options o;
    const DeviceOption *device;
    const FwCfgFileOption *file;

    assert_true(parse(&o, "-device isa-debug-exit,iobase=0xf4 -fw_cfg opt/x,string=a,,b~c", NULL));
    device = o.config.devices->pdata[0];
    assert_string_equal(device->driver, "isa-debug-exit");
    assert_string_equal(g_hash_table_lookup(device->props, "iobase"), "0xf4");
    assert_int_equal(g_hash_table_size(device->props), 1);
    file = o.config.fw_cfg->pdata[0];
    assert_string_equal(file->name, "opt/x");
    assert_int_equal(g_bytes_get_size(file->data), 5);
    assert_memory_equal(g_bytes_get_data(file->data, NULL), "a,b c", 5);
    options_clear(&o);
}

/* clang-format off */
static const struct {
    const char *args, *text; /* networks as "id: forwards", cards as "model netdev mac" */
} net_rows[] = {
    {"-nic none -net none", ""},
    {"-nic user", "#net0: / - #net0 -"},
    {"-nic user,id=a,model=e1000,mac=m,hostfwd=x,hostfwd=y", "a: x y / e1000 a m"},
    {"-netdev user,id=n,hostfwd=tcp::1-:2", "n: tcp::1-:2 /"},
    {"-net nic,macaddr=m -net user,hostfwd=x", "#net0: x / - #net0 m"},
    {"-net user", "#net0: / - #net0 -"},
    {"-net nic,netdev=a -netdev user,id=a", "a: / - a -"},
};

static const struct {
    const char *args, *text; /* drives as "id file format bus unit flags" */
} drive_rows[] = {
    {"a.img", "- a.img - 0 0"},
    {"-hda a -hdd b", "- a - 0 0; - b - 1 1"},
    {"-cdrom c", "- c - 1 0 cdrom"},
    {"-snapshot -hda a", "- a - 0 0 snapshot"},
    {"-drive file=x,if=none,snapshot,id=a -drive driver=blkreplay,if=none,image=a,id=b", "b x - -1 -1 none snapshot"},
    {"-drive file=a,,b,format=raw,if=none,id=d,readonly=on", "d a,b raw -1 -1 none read-only"},
    {"-drive file=a,index=3,media=cdrom", "- a - 1 1 cdrom"},
    {"-drive file=a,bus=1,discard=unmap,serial=x", "- a - 1 -1 discard"},
    {"-pflash a -drive if=pflash,unit=1,file=b", "- a - -1 -1 pflash; - b - -1 1 pflash"},
    {"-drive file=a,werror=stop -drive file=b,rerror=ignore,werror=enospc", "- a - -1 -1 errors 0 2; - b - -1 -1 errors 1 3"},
    {"-blockdev file,node-name=f,filename=a -blockdev qcow2,node-name=q,file=f,read-only=on", "q a qcow2 -1 -1 none read-only"},
    {"-blockdev raw,node-name=r,file.driver=file,file.filename=a,,b,discard=unmap", "r a,b raw -1 -1 none discard"},
    {"-blockdev {\"driver\":\"qcow2\",\"node-name\":\"q\",\"read-only\":true,\"file\":{\"driver\":\"file\",\"filename\":\"a,b\"}}", "q a,b qcow2 -1 -1 none read-only"},
    {"-blockdev raw,node-name=m,filename=b -blockdev qcow2,node-name=n,filename=a,backing=m", "n a qcow2 -1 -1 none"},
    {"-blockdev {\"driver\":\"qcow2\",\"node-name\":\"q\",\"backing\":null,\"file\":{\"driver\":\"file\",\"filename\":\"a\"}}", "q a qcow2 -1 -1 none"},
    {"-blockdev null-co,node-name=n,size=1M,read-zeroes=on", "n null-co://1048576 raw -1 -1 none"},
    {"-blockdev null-aio,node-name=n -blockdev raw,node-name=r,file=n", "r null-co://1073741824 raw -1 -1 none"},
    {"-blockdev file,node-name=f,filename=a -machine pc,pflash1=f", "f a raw -1 1 pflash"},
    {"-drive file=a,detect-zeroes=unmap,aio=native -drive file=b,detect-zeroes=off", "- a - -1 -1 zeroes; - b - -1 -1"},
    {"-drive file=a,cache=unsafe -drive file=b,cache=writethrough", "- a - -1 -1 unsafe; - b - -1 -1 through"},
    {"-fda a -fdb b", "- a - 0 0 floppy; - b - 0 1 floppy"},
    {"-drive if=floppy -drive media=cdrom,id=c", "- none - -1 -1 floppy; c none - -1 -1 cdrom"},
};
/* clang-format on */

static void print_networks(const Options *o, GString *out)
{
    for (unsigned i = 0; i < o->config.netdevs->len; i++) {
        const NetdevOption *d = o->config.netdevs->pdata[i];

        g_string_append_printf(out, "%s:", d->id);
        for (unsigned n = 0; n < d->user.forwards->len; n++)
            g_string_append_printf(out, " %s", (char *)d->user.forwards->pdata[n]);
        g_string_append(out, " /");
    }
    for (unsigned i = 0; i < o->config.nics->len; i++) {
        const NicOption *n = o->config.nics->pdata[i];

        g_string_append_printf(out, " %s %s %s", n->model ? n->model : "-",
                               n->netdev ? n->netdev : "-", n->mac ? n->mac : "-");
    }
}

static void test_networks(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(net_rows); i++) {
        g_autoptr(GString) text = g_string_new("");
        Options o;

        assert_true(parse(&o, net_rows[i].args, NULL));
        print_networks(&o, text);
        assert_string_equal(text->str, net_rows[i].text);
        options_clear(&o);
    }
}

static void print_drive(const DriveOption *d, GString *out)
{
    static const char *const interfaces[] = { [DRIVE_IF_IDE] = "",
                                              [DRIVE_IF_NONE] = " none",
                                              [DRIVE_IF_VIRTIO] = " virtio",
                                              [DRIVE_IF_FLOPPY] = " floppy",
                                              [DRIVE_IF_PFLASH] = " pflash" };

    g_string_append_printf(out, "%s%s %s %s %d %d%s%s%s%s%s", out->len ? "; " : "",
                           d->id ? d->id : "-", d->file ? d->file : "none",
                           d->format ? d->format : "-", d->bus, d->unit, interfaces[d->interface],
                           d->cdrom ? " cdrom" : "", d->snapshot ? " snapshot" : "",
                           d->read_only ? " read-only" : "", d->discard ? " discard" : "");
    g_string_append_printf(out, "%s%s%s", d->no_flush ? " unsafe" : "",
                           d->write_through ? " through" : "", d->detect_zeroes ? " zeroes" : "");
    if (d->on_read_error != DRIVE_REPORT || d->on_write_error != DRIVE_ENOSPC)
        g_string_append_printf(out, " errors %d %d", d->on_read_error, d->on_write_error);
}

static void test_drives(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(drive_rows); i++) {
        g_autoptr(GString) text = g_string_new("");
        Options o;

        assert_true(parse(&o, drive_rows[i].args, NULL));
        for (unsigned n = 0; n < o.config.drives->len; n++)
            print_drive(o.config.drives->pdata[n], text);
        assert_string_equal(text->str, drive_rows[i].text);
        options_clear(&o);
    }
}

static const struct {
    const char *args;
    Answer kind;
    const char *text; /* part of it */
} answer_rows[] = {
    { "-version", ANSWER_TEXT, "Mimus version " },
    { "--version -foo", ANSWER_TEXT, "Mimus version " },
    { "-help", ANSWER_TEXT, "-kernel FILE" },
    { "-h", ANSWER_TEXT, "-icount" },
    { "-machine help", ANSWER_TEXT, "pc-i440fx-7.2" },
    { "-M ?", ANSWER_TEXT, "pc-i440fx-7.2" },
    { "-accel help", ANSWER_TEXT, "tcg\n" },
    { "-display help", ANSWER_TEXT, "none\n" },
    { "-d help", ANSWER_TEXT, "guest_errors" },
    { "-cpu help", ANSWER_CPU_MODELS, "" },
    { "-device help", ANSWER_DEVICES, "" },
    { "-device ?", ANSWER_DEVICES, "" },
    { "-object help", ANSWER_TEXT, "rng-random\n" },
    { "-device e1000,help", ANSWER_DEVICE_PROPS, "e1000" },
};

static void test_answers(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(answer_rows); i++) {
        Options o;

        assert_true(parse(&o, answer_rows[i].args, NULL));
        assert_int_equal(o.answer_kind, answer_rows[i].kind);
        assert_non_null(strstr(o.answer->str, answer_rows[i].text));
        options_clear(&o);
    }
}

/* No error may take two lines. */
static void test_one_line(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(error_rows); i++)
        assert_null(strchr(error_rows[i].error, '\n'));
}

/* A file of sections does what the options that they stand for do. */
static void test_readconfig(void **state)
{
    /* clang-format off */
    static const struct {
        const char *text, *error; /* error NULL: it is good */
    } rows[] = {
        { "# a comment\n[machine]\n  type = \"pc\"\n[memory]\n size = \"64M\"\n[smp-opts]\n cpus = \"2\"\n"
          "[device \"n\"]\n driver = \"e1000\"\n mac = \"1\"\n", NULL },
        { "[bogus]\n", "section [bogus] is not supported" },
        { "x = \"1\"\n", "is no setting of a section" },
        { "[memory]\nsize = 1\n", "is no setting of a section" },
        { "[memory]\nsize = \"x\"\n", "'x' is not a size" },
    };
    /* clang-format on */

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), "mimus-config-XXXXXX", NULL);
        int fd = g_mkstemp(path);
        g_autofree char *args = g_strdup_printf("-readconfig %s", path), *props = NULL;
        g_autoptr(GError) error = NULL;
        Options o;

        assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
        close(fd);
        if (parse(&o, args, &error) != !rows[i].error)
            fail_msg("%s: %s", rows[i].text, error ? error->message : "accepted");
        if (rows[i].error) {
            assert_non_null(strstr(error->message, rows[i].error));
        } else {
            props = field_text(&o, "props");
            assert_string_equal(props, "e1000 id=n mac=1");
            assert_int_equal(o.config.ram_size, 64 << 20);
            assert_int_equal(o.config.cpus, 2);
        }
        options_clear(&o);
        unlink(path);
    }
}

int main(void)
{
    /* clang-format off */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors), cmocka_unit_test(test_readconfig),   cmocka_unit_test(test_fields),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_device_and_fw_cfg),
        cmocka_unit_test(test_drives),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_one_line),
    };
    /* clang-format on */

    return cmocka_run_group_tests(tests, NULL, NULL);
}
