#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What users get wrong and files that lie: `abuse.py MIMUS [--sanitized] [SUBSTRING]`.

Each row is a command line and the sentence it must earn: one line on stderr that begins with the
program's name and matches, nothing on stdout, exit status 1, and no machine that runs. Rows with
sentence None must start and end well, which shows that the files the others are made from are good.
"""
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

TIMEOUT = 40
PAYLOAD = 4096
SETUP_SECTS = 4
SETUP_SIZE = (SETUP_SECTS + 1) * 512
SANITIZED = "--sanitized" in sys.argv


# ---- Files -------------------------------------------------------------------------------------

def kernel(payload=PAYLOAD, **fields):
    """A bzImage that a boot loader takes for one. Fields of the header can be given."""
    header = {"setup_sects": SETUP_SECTS, "syssize": payload // 16, "boot_flag": 0xaa55,
              "magic": b"HdrS", "version": 0x20f, "loadflags": 1, "initrd_addr_max": 0x7fffffff,
              "cmdline_size": 2047, "init_size": 0x10000, "xloadflags": 0}
    header.update(fields)
    layout = {"setup_sects": (0x1f1, "B"), "syssize": (0x1f4, "<I"), "boot_flag": (0x1fe, "<H"),
              "magic": (0x202, "4s"), "version": (0x206, "<H"), "loadflags": (0x211, "B"),
              "initrd_addr_max": (0x22c, "<I"), "xloadflags": (0x236, "<H"),
              "cmdline_size": (0x238, "<I"), "init_size": (0x260, "<I")}
    image = bytearray(SETUP_SIZE + payload)
    for name, value in header.items():
        offset, form = layout[name]
        struct.pack_into(form, image, offset, value)
    return bytes(image)


class Files:
    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def __call__(self, data=b"", size=None):
        """The path of a new file with @data, then zeros that take no room up to @size."""
        self.count += 1
        path = os.path.join(self.folder, f"file{self.count}")
        with open(path, "wb") as f:
            f.write(data)
            if size is not None:
                f.truncate(size)
        return path


# ---- Rows --------------------------------------------------------------------------------------

NOT_BZIMAGE = r"kernel '.*' is not a Linux bzImage"
TRUNCATED = r"kernel '.*' is truncated: \d+ of \d+ bytes"
TOO_OLD = r"kernel '.*' is too old: boot protocol"
KERNEL_NO_ROOM = r"kernel '.*' does not fit into memory"
INITRD_NO_ROOM = r"initrd '.*' .* does not fit into memory"
NO_MEMORY = r"cannot allocate \d+ MiB of memory for 'pc.ram'"
NOT_A_SIZE = r"-m .*is not a size: a number with an optional suffix"
PACKAGE = r"firmware '%s' not found; Debian's package 'seabios' has it"


def kernel_rows(files):
    good = kernel()
    ok = files(good)
    yield ["-kernel", ok], None
    yield ["-kernel", ok, "-initrd", files(b"x"), "-append", "console=ttyS0 vga=ext"], None
    yield ["-kernel", files(kernel(setup_sects=0))], None  # 0 means 4
    yield ["-kernel", files(good[:-1])], None  # the last paragraph may be short
    yield ["-kernel", files(good + b"trailing")], None
    for size in (0, 1, 0x1f0, 0x1f1, 0x1f2, 0x1f4, 0x1fe, 0x1ff, 0x200, 0x202, 0x205, 0x206,
                 0x207, 0x208, 0x211, 0x212, 0x230, 0x238, 0x260, 0x264, 0x26f):
        yield ["-kernel", files(good[:size])], NOT_BZIMAGE
    for size in (0x270, 0x271, 0x3ff, 0x400, 0x401, SETUP_SIZE - 1, SETUP_SIZE, SETUP_SIZE + 1,
                 SETUP_SIZE + 15, SETUP_SIZE + PAYLOAD // 2, SETUP_SIZE + PAYLOAD - 16):
        yield ["-kernel", files(good[:size])], TRUNCATED
    for fields, sentence in (
            ({"magic": b"HdrX"}, NOT_BZIMAGE),
            ({"boot_flag": 0x55aa}, NOT_BZIMAGE),
            ({"version": 0}, TOO_OLD),
            ({"version": 0x201}, TOO_OLD),
            ({"loadflags": 0}, TOO_OLD),
            ({"setup_sects": 255}, TRUNCATED),
            ({"setup_sects": 13}, TRUNCATED),
            ({"syssize": 0xffffffff}, TRUNCATED),
            ({"syssize": PAYLOAD // 16 + 1}, TRUNCATED),
            ({"init_size": 0xffffffff}, KERNEL_NO_ROOM),
            ({"init_size": 128 << 20}, KERNEL_NO_ROOM)):
        yield ["-kernel", files(kernel(**fields))], sentence
    large = kernel(setup_sects=255, payload=256 << 10, syssize=1)
    yield ["-kernel", files(large)], "its setup part is too large"
    yield ["-kernel", files(kernel(syssize=1), 200 << 20)], KERNEL_NO_ROOM
    yield ["-m", "2", "-kernel", files(kernel(init_size=1 << 20))], KERNEL_NO_ROOM
    yield ["-kernel", files(size=5 << 30)], r"kernel '.*' .*does not fit into memory below 4 GiB"
    yield ["-kernel", files(size=1 << 20)], NOT_BZIMAGE
    yield ["-kernel", files(b"\xff" * 4096)], TRUNCATED + "|" + TOO_OLD + "|" + NOT_BZIMAGE
    yield ["-kernel", files.folder], r"kernel '.*'.*(directory|regular)"
    yield ["-kernel", "/dev/null"], r"kernel '/dev/null'.*regular"
    yield ["-kernel", "/nonexistent/vmlinuz"], r"kernel file .*: No such file or directory"
    yield ["-kernel", ""], "could not open kernel file ''"


def initrd_rows(files):
    ok = ["-kernel", files(kernel())]
    for size in (128 << 20, 1 << 30, 5 << 30):
        yield ok + ["-initrd", files(size=size)], INITRD_NO_ROOM
    for top in (0, 0xfff, 0x100000, 0x110000):
        yield (["-kernel", files(kernel(initrd_addr_max=top)), "-initrd", files(size=8192)],
               INITRD_NO_ROOM)
    yield (["-kernel", files(kernel(init_size=120 << 20)), "-initrd", files(size=7 << 20)],
           INITRD_NO_ROOM)
    yield ok + ["-initrd", files()], r"initrd '.*' is empty"
    yield ok + ["-initrd", files.folder], r"initrd '.*'.*(directory|regular)"
    yield ok + ["-initrd", "/nonexistent/initrd"], r"cannot load initrd .*: No such file or directory"
    yield ["-initrd", files(b"x")], "-initrd only allowed with -kernel"
    yield ["-append", "x"], "-append only allowed with -kernel"
    yield ok + ["-append", "x" * 2048], r"command line too long: 2048 characters.*2047"
    huge = files(kernel(cmdline_size=0xffffffff))
    yield ["-kernel", huge, "-append", "x" * 100000], "command line too long"
    yield ["-kernel", files(kernel(cmdline_size=0)), "-append", "x"], "command line too long"
    yield ok + ["-append", "vga=0x10000"], "unknown video mode 'vga=0x10000'"
    yield ok + ["-append", "vga=big"], "unknown video mode 'vga=big'"


def firmware_rows(files):
    yield ["-bios", files()], "bad size: 0 bytes"
    yield ["-bios", files(size=1000)], "bad size: 1000 bytes"
    yield ["-bios", files(size=17 << 20)], "bad size"
    yield ["-bios", files.folder], "firmware '.*' not found"
    yield ["-bios", "nonexistent.bin"], "firmware 'nonexistent.bin' not found"
    name = "-fw_cfg opt/x"
    yield ["-fw_cfg", f"opt/x,file={files.folder}"], name + ".*[Dd]irectory"
    yield ["-fw_cfg", "opt/x,file=/nonexistent/x"], name + ".*No such file"
    yield ["-fw_cfg", "opt/x,file="], name
    yield ["-fw_cfg", "opt/x"], "exactly one of file and string"
    yield ["-fw_cfg", "opt/x,string=a,file=b"], "exactly one of file and string"
    yield ["-fw_cfg", "string=a"], "-fw_cfg string=a: name"
    yield ["-fw_cfg", ""], "-fw_cfg"
    yield ["-fw_cfg", "x" * 56 + ",string=a"], "longer than 55 characters"
    yield ["-fw_cfg", "etc/e820,string=a"], "'etc/e820' exists already"
    yield ["-fw_cfg", "opt/x,string=a", "-fw_cfg", "opt/x,string=b"], "'opt/x' exists already"
    yield ["-fw_cfg", "x" * 55 + ",string="], None
    yield ["-fw_cfg", f"opt/x,file={files()}"], None


def machine_rows(files):
    for name in ("q35", "isapc", "microvm", "pc-q35-7.2"):
        yield ["-M", name], f"machine type '{name}' is not supported yet"
    yield ["-M", "none"], None
    yield ["-M", "none", "-kernel", "x"], "machine type 'none' has no place for -kernel"
    for name in ("nonsense", "PC", "pc-i440fx-99.9", ""):
        yield ["-M", name], f"unsupported machine type '{name}'"
    yield ["-machine", "pc,frob=on"], "unknown parameter 'frob'"
    yield ["-machine", "pc,hpet=maybe"], "neither 'on' nor 'off'"
    yield ["-machine", "pc,accel=kvm"], "accelerator 'kvm' is not supported; use tcg"
    for text in ("", "x", "-5", "1Q", "12MB", "1..5G", "0x", "nan", "inf", "1e999", "99999999T",
                 "size=", "size=x", " 1G"):
        yield ["-m", text], NOT_A_SIZE
    yield ["-m", "0"], "-m 0: memory must be"
    yield ["-m", "1K"], "-m 1K: memory must be"
    yield ["-m", "2T"], "-m 2T: memory must be"
    yield ["-m", "1G,slots=2,maxmem=4G"], "memory hot-plug is not supported"
    yield ["-m", "1G,frob=1"], "unknown parameter 'frob'"
    for text in ("0", "x", "-1", "", "1.5", "99999999999999999999", "cpus=", "70000"):
        yield ["-smp", text], "-smp .*is not a number from 1"
    yield ["-smp", "256"], "The max CPUs supported by machine '.*' is 255"
    yield ["-smp", "4,maxcpus=2"], r"maxcpus \(2\) must not be smaller than smp \(4\)"
    for text in ("3,sockets=2", "4,sockets=1,cores=1,threads=1", "7,cores=2",
                 "2,sockets=60000,cores=60000,threads=60000", "sockets=300"):
        yield ["-smp", text], "Invalid (CPU topology|SMP CPUs)"
    yield ["-smp", "2,dies=2"], "dies: only 1 is supported"
    for text in ("nonsense", "qemu63", "max2"):
        yield ["-cpu", text], f"unable to find CPU model '{text}'"
    yield ["-cpu", ""], "a model is needed"
    for text in ("qemu64,+frob", "qemu64,frob=on", "max,-frob"):
        yield ["-cpu", text], "has no property 'frob'"
    for text in ("kvm", "xen", "nonsense", ""):
        yield ["-accel", text], f"accelerator '{text}'"
    yield ["-accel", "tcg,backend=nonsense"], "unknown back end 'nonsense'"
    for text in ("0", "x", "-1", "", "1025", "99999999", "18446744073709551616"):
        yield ["-accel", f"tcg,tb-size={text}"], "tb-size: .*is not a number from 1"


def device_rows(files):
    yield ["-device", "frobnicator"], "-device frobnicator: 'frobnicator' is not a valid device model name"
    yield ["-device", ""], "a driver is needed"
    yield ["-device", '{"driver":"x"}'], "-device x: 'x' is not a valid device model name"
    yield ["-device", "isa-debug-exit,color=red"], "Property 'isa-debug-exit.color' not found"
    for text in ("iobase=x", "iobase=0x10000", "iobase=", "iobase=-1", "iosize=0x101"):
        yield ["-device", f"isa-debug-exit,{text}"], "is not a number up to"
    yield ["-device", "isa-debug-exit,iobase=0xffff"], "ports beyond 0xffff"
    yield ["-device", "isa-debugcon,chardev=none-such"], "no character device 'none-such'"
    yield ["-serial", "nonsense"], "'nonsense' is not a supported character device"
    yield ["-serial", "vc"], "there are no text consoles on screens"
    yield ["-serial", "file:/nonexistent/x"], "-serial file:.*No such file"
    yield ["-serial", "file:"], "-serial file:"
    yield ["-serial", "chardev:x"], "no character device 'x'"
    yield ["-serial", "tcp:nonsense"], "-serial tcp:nonsense"
    yield ["-serial", "tcp:127.0.0.1:0"], "-serial tcp:"
    yield ["-serial", "unix:"], "-serial unix:"
    yield ["-serial", "unix:/nonexistent/sock"], "-serial unix:"
    yield ["-serial", "unix:" + "x" * 200], "-serial unix:"
    yield ["-serial", "null"] * 5, "at most 4 serial ports"
    yield ["-monitor", "nonsense"], "-monitor nonsense"
    yield ["-debugcon", "nonsense"], "-debugcon nonsense"
    yield ["-chardev", "null"], "id is needed"
    yield ["-chardev", "socket,id=a"], "one of path, fd, or host and port"
    yield ["-chardev", "socket,id=a,fd=99"], "'fd:99' is not a socket"
    yield ["-chardev", "socket,id=a,path=/nonexistent/s"], "-chardev unix:/nonexistent/s: could not connect"
    yield ["-chardev", "ringbuf,id=a,size=3"], "a power of two"
    yield ["-chardev", "null,id=a,logfile=/nonexistent/x"], "could not open '/nonexistent/x'"
    yield ["-chardev", "null,id=a", "-serial", "chardev:a", "-debugcon", "chardev:a"], "in use already"
    yield ["-chardev", "ringbuf,id=a", "-serial", "chardev:a"], None
    yield ["-serial", "telnet:127.0.0.1"], "lacks a port"
    yield ["-serial", "pipe:/nonexistent/p"], "-serial pipe:"
    yield ["-serial", "udp:nonsense"], "-serial udp:nonsense"
    yield ["-chardev", "frob,id=a"], "'frob' is not a supported type"
    yield ["-chardev", "null,id=a", "-chardev", "null,id=a"], "another character device with id 'a'"
    yield ["-vga", "nonsense"], "unknown vga type: nonsense"
    yield ["-vga", "qxl"], "not supported yet"
    yield ["-display", "gtk"], "-display gtk: not supported"
    yield ["-nic", "user,model=pcnet"], "Unsupported NIC model: pcnet"
    yield ["-nic", "user,hostfwd=tcp::x-:1"], "invalid host forwarding rule 'tcp::x-:1'"
    yield ["-nic", "user,net=1.2.3"], "net: '1.2.3' is not an IPv4 address"
    yield ["-net", "tap"], "'tap' is not supported yet"
    yield ["-netdev", "user,id=n", *["-device", "e1000,netdev=n"] * 2], "Property 'e1000.netdev' can't take value 'n', it's in use"
    yield ["-netdev", "user,id=n", "-device", "e1000,netdev=m"], "Property 'e1000.netdev' can't find value 'm'"


def option_rows(files):
    yield ["-nonsense"], "-nonsense: invalid option"
    yield ["--nonsense"], "-nonsense: invalid option"
    yield ["-"], "-: invalid option"
    yield ["--"], "-: invalid option"
    yield [""], "Could not open ''"
    yield ["disk.img"], "Could not open 'disk.img': No such file"
    yield ["-hda", "/"], "Could not open '/'"
    yield ["-device", "ide-hd"], "it needs drive=ID"
    yield ["-drive", "file=/dev/null,if=none,id=a", "-device", "ide-hd,drive=a,bus=x"], "bus is ide.0 or ide.1"
    yield ["-enable-kvm"], "KVM is not supported"
    for name in ("m", "smp", "kernel", "cpu", "d", "fw_cfg"):
        yield [f"-{name}"], f"-{name}: requires an argument"
    for text in ("abz", "aa", "order=q", "cadn", "order=1"):
        yield ["-boot", text], "-boot"
    yield ["-boot", "menu=x"], "neither 'on' nor 'off'"
    yield ["-boot", "splash=/nonexistent"], "No such file"
    yield ["-boot", "once=xy"], "-boot once=xy"
    structure = bytes([200, 5, 0, 0, 1]) + b"text\0\0"
    yield ["-smbios", "file=" + files(structure)], None
    for end in range(len(structure)):
        yield ["-smbios", "file=" + files(structure[:end])], "this is no SMBIOS structure"
    yield ["-smbios", "file=" + files(structure + b"x")], "does not end with two zeros"
    yield ["-smbios", "file=" + files(structure[:4] + bytes(70000))], "does not end with two zeros|more than 65535"
    yield ["-smbios", "type=11,path=" + files(b"a\0b")], "NUL in OEM strings"
    yield ["-smbios", "type=1,serial=" + "x" * 66000], "more than 65535"
    yield ["-smbios", "type=200,x=1"], "fields of type 200 are not supported"
    yield ["-smbios", "type=3,serial=x", "-smbios", "file=" + files(b"\3\4\0\0\0\0")], "by fields and by file"
    yield ["-acpitable", "sig=ABCD,data=" + files(b"x")], None
    yield ["-acpitable", "file=" + files(b"x" * 35)], "less than its header"
    yield ["-acpitable", "file=" + files(b"x" * 70000)], "more than 65535 bytes"
    yield ["-acpitable", "data=/nonexistent"], "No such file"
    rom = files(b"\x55\xaa\x01" + bytes(509))
    yield ["-option-rom", rom], None
    yield ["-option-rom", rom, "-option-rom", rom], "exists already"
    yield ["-option-rom", f"{rom},bootindex=x"], "bootindex=x is not a number"
    yield ["-option-rom", "/nonexistent"], "-option-rom /nonexistent"
    yield ["-option-rom", files(b"x" * 511)], "-option-rom"
    yield ["-smp", "2", "-numa", "node,cpus=0", "-numa", "node,cpus=1"], None
    yield ["-numa", "node,cpus=0-300"], "not a number from 0 to 254"
    yield ["-numa", "node,mem=1T"], "total memory for NUMA nodes"
    yield ["-rtc", "base=2021-02-31"], "is not a date"
    yield ["-rtc", "base=nonsense"], "is not a date"
    yield ["-rtc", "clock=rt"], "'rt' is not supported"
    for text in ("11", "-1", "auto", "x", "shift=", ""):
        yield ["-icount", text], "-icount"
    yield ["-icount", "1,rr=record"], "rrfile=FILE need each other"
    yield ["-d", "nonsense"], "nonsense"
    yield ["-d", "int", "-D", "/nonexistent/log"], "/nonexistent/log"
    yield ["-d", "int", "-dfilter", "x"], "x"
    yield ["-d", "int", "-dfilter", "0x10..0x5"], "0x10"


TABLES = [kernel_rows, initrd_rows, firmware_rows, machine_rows, device_rows, option_rows]


# ---- Rows with less of the host ----------------------------------------------------------------

def limit_address_space(size):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


def memory_rows():
    """(options, sentence, limit of the address space)"""
    yield ["-m", "900G"], NO_MEMORY, 4 << 30
    yield ["-m", "4G"], NO_MEMORY, 3 << 30
    yield ["-accel", "tcg,tb-size=1024"], "cannot allocate a code buffer of 1024 MiB", 1 << 30


def hidden_firmware(options):
    """A command that runs @options where no firmware is installed."""
    hide = "".join(f"if [ -d {d} ]; then mount -t tmpfs none {d}; fi && "
                   for d in ("/usr/share/seabios", "/usr/share/qemu"))
    return ["unshare", "--mount", "--map-root-user", "sh", "-c", hide + 'exec "$@"', "sh"] + options


def package_rows(mimus, files):
    only_bios = tempfile.mkdtemp(dir=files.folder)
    shutil.copy(os.path.join(files.folder, "bios-256k.bin"), only_bios)
    yield [mimus, "-S", "-vga", "none"], PACKAGE % "bios-256k.bin"
    yield [mimus, "-S", "-L", only_bios], PACKAGE % "vgabios-stdvga.bin"


# ---- Running -----------------------------------------------------------------------------------

class Runner:
    def __init__(self):
        self.done, self.failed, self.only = 0, 0, [a for a in sys.argv[2:] if a[0] != "-"]

    def run(self, command, sentence, prepare=None):
        text = " ".join(a if len(a) < 200 else a[:200] + "..." for a in command)
        if self.only and self.only[0] not in text:
            return
        self.done += 1
        wrong = self.complaint(command, sentence, prepare)
        if wrong:
            self.failed += 1
            print(f"not ok: {text}\n  wanted: {sentence}\n  {wrong}", flush=True)

    def complaint(self, command, sentence, prepare):
        stdin = b"quit\n" if sentence is None else b""
        try:
            p = subprocess.run(command, input=stdin, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=TIMEOUT, preexec_fn=prepare)
        except subprocess.TimeoutExpired:
            return "it started"
        err = p.stderr.decode(errors="replace")
        if sentence is None:
            return None if p.returncode == 0 and not err else f"status {p.returncode}, stderr: {err}"
        if p.returncode != 1:
            return f"status {p.returncode}, stderr: {err}"
        if p.stdout:
            return f"stdout: {p.stdout[:200]}"
        if not re.match(r"mimus: .*\n\Z", err):
            return f"not one line: {err}"
        return None if re.search(sentence, err) else f"stderr: {err}"


def main():
    mimus = sys.argv[1]
    runner = Runner()
    with tempfile.TemporaryDirectory(prefix="mimus-abuse-") as folder:
        files = Files(folder)
        for name, size in (("bios-256k.bin", 256 << 10), ("vgabios-stdvga.bin", 32 << 10)):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(b"\x55\xaa\x40".ljust(size, b"\0"))
        common = [mimus, "-L", folder, "-S", "-display", "none", "-serial", "none"]
        for table in TABLES:
            for options, sentence in table(files):
                quiet = ["-monitor", "stdio"] if sentence is None else []
                runner.run(common + quiet + options, sentence)
        if not SANITIZED:  # shadow memory alone is larger than any limit
            for options, sentence, limit in memory_rows():
                runner.run(common + options, sentence, limit_address_space(limit))
        if subprocess.run(hidden_firmware(["true"]), stderr=subprocess.DEVNULL).returncode == 0:
            for command, sentence in package_rows(mimus, files):
                runner.run(hidden_firmware(command), sentence)
        else:
            print("no mount namespaces here: missing firmware is not tried")
    print(f"{runner.done} command lines, {runner.failed} wrong")
    return 1 if runner.failed else 0


sys.exit(main())
