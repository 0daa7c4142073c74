#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""care.py MIMUS GUESTDIR CASE: what becomes of guests that panic or hang; random numbers; ports behind virtio.

Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import os
import sys
import tempfile

from dialogue import Guest, Lost
from hmp import connect

CRASH = "echo c > /proc/sysrq-trigger\n"
HANG = "watchdog -T 2 -F /dev/watchdog & sleep 1; kill -9 $!\n"
RANDOM = "cat /sys/class/misc/hw_random/rng_current; dd if=/dev/hwrng bs=16 count=4 2>/dev/null | wc -c; poweroff -f\n"

PORTS = """until [ -c /dev/vport0p1 ] && [ -c /dev/hvc0 ]; do sleep 0.1; done; echo from-$((6*7)) > /dev/hvc0
exec 3<>/dev/vport0p1; cat /sys/class/virtio-ports/vport0p1/name >&3; head -n 2 <&3 > /tmp/heard; cat /tmp/heard >&3; poweroff -f
"""  # opened once: what has come is lost when it closes
SAID = b"x" * 3000 + b"\n" + b"second line\n"

MEMORY = "until [ -d /sys/bus/virtio/drivers/virtio_balloon/virtio0 ]; do sleep 0.1; done; echo balloon-$((6*7))\n"
SHRINKS = "until [ $(awk '/MemTotal/ {print $2}' /proc/meminfo) -lt 90000 ]; do sleep 0.1; done; echo small-$((6*7))\n"
GROWS = "until [ $(awk '/MemTotal/ {print $2}' /proc/meminfo) -gt 190000 ]; do sleep 0.1; done; echo large-$((6*7))\n"
NOTE = "until [ -d /sys/firmware/qemu_fw_cfg/by_name/etc/vmcoreinfo ]; do sleep 0.1; done; echo told-$((6*7))\n"
PAINT = """until [ -c /dev/fb0 ]; do sleep 0.1; done; cat /sys/class/graphics/fb0/virtual_size
tr '\\0' '\\252' < /dev/zero > /dev/fb0; echo painted-$((6*7))
"""
STATUS = "cat /sys/bus/acpi/drivers/vmgenid/*/status; echo status-$((6*7))\n"
FORKED = "until dmesg | grep 'due to virtual machine fork'; do sleep 0.1; done; poweroff -f\n"

# options, what is typed, what the console shows then, exit status
CASES = {
    "panic": ("-device pvpanic -action panic=exit-failure", CRASH, "Kernel panic", 1),
    "panic-poweroff": ("-device pvpanic", CRASH, "Kernel panic", 0),
    "watchdog": ("-device i6300esb -watchdog-action poweroff", HANG, "", 0),
    "watchdog-reset": ("-device i6300esb -no-reboot", HANG, "", 0),
    "ports": ("-device virtio-serial-pci -chardev file,id=c,path={where}/console -device virtconsole,chardev=c "
              "-chardev socket,id=p,path={where}/port,server=on,wait=off "
              "-device virtserialport,chardev=p,name=org.mimus.test", PORTS, "", 0),
    "rng-host": ("-object rng-random,filename=/dev/urandom,id=r -device virtio-rng-pci,rng=r", RANDOM,
                 r"virtio_rng\.0\n64\n", 0),
    "balloon": ("-device virtio-balloon-pci", MEMORY, "balloon-42", 0),
    "core-note": ("-device vmcoreinfo", NOTE, "told-42", 0),
    "generation": ("-cpu max -device vmgenid,guid=00112233-4455-6677-8899-aabbccddeeff", STATUS, "15.*status-42", 0),
    "screen": ("-vga none -device virtio-gpu-pci,xres=640,yres=480", PAINT, "640,480.*painted-42", 0),
    "screen-cirrus": ("-vga cirrus", PAINT, "1024,768.*painted-42", 0),
    "screen-bochs": ("-vga none -device bochs-display,xres=1024,yres=640", PAINT, "1024,640.*painted-42", 0),
    "rng": ("-device virtio-rng-pci", RANDOM, r"virtio_rng\.0\n64\n", 0),
}

# size of the picture, and the colour that all its bytes being 0xaa mean
PAINTED = {"screen": (640, 480, b"\xaa\xaa\xaa"), "screen-cirrus": (1024, 768, b"\xad\x55\x52"),
           "screen-bochs": (1024, 640, b"\xaa\xaa\xaa")}


def talk(port):
    """With the program at the guest's end of a port: its name, and an echo."""
    heard = b""
    while b"org.mimus.test\n" not in heard:
        heard += port.recv(4096)
    port.sendall(SAID)
    while not heard.endswith(SAID):
        got = port.recv(65536)
        if not got:
            raise Lost(f"the port has closed after {heard!r}")
        heard += got


def play_balloon(g):
    """The guest gives memory up when it is asked to, and has it back."""
    if "actual=256" not in g.monitor("info balloon"):
        raise Lost("the balloon is not empty")
    g.monitor("balloon 128")
    g.send(SHRINKS)
    g.expect("small-42")
    if "actual=128" not in g.monitor("info balloon"):
        raise Lost("the balloon is not full")
    g.monitor("balloon 256")
    g.send(GROWS)
    g.expect("large-42")
    g.send("poweroff -f\n")


def dump_core(g, where):
    """The guest's note is among those of a dump."""
    core = os.path.join(where, "core")
    g.monitor("dump-guest-memory " + core)
    with open(core, "rb") as f:
        notes = f.read(65536)
    if b"VMCOREINFO\0\0OSRELEASE=6." not in notes:
        raise Lost("the guest's note is not in the dump")
    g.send("poweroff -f\n")


def look_at_screen(g, case, where):
    """What the guest has painted is what a screendump shows, but for a cursor that blinks."""
    width, height, colour = PAINTED[case]
    picture, wanted, looks = os.path.join(where, "picture"), b"P6\n%d %d\n255\n" % (width, height), 0
    while True:
        g.monitor("screendump " + picture)
        with open(picture, "rb") as f:
            shown = f.read()
        if shown.startswith(wanted) and shown.count(colour, len(wanted)) > width * height - 200:
            break
        looks += 1
        if looks == 100:
            raise Lost(f"the screen begins with {shown[:40]!r}")
    g.send("poweroff -f\n")


def fork(g, command, where):
    """Another generation goes on with the guest's state, and the guest knows."""
    state = "file:" + os.path.join(where, "state")
    g.monitor("migrate " + state)
    while "completed" not in g.monitor("info migrate"):
        pass
    g.monitor("quit")
    other = [word.replace("001122", "fedcba") for word in command]
    with Guest([*other, "-incoming", state, "-S"], timeout=120, monitor=True) as g2:
        g2.monitor("cont")
        g2.send(FORKED)
        g2.finish()


def run(mimus, guest, case, where):
    options, typed, shows, status = CASES[case]
    command = [mimus, "-nographic", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz-devices"), "-initrd",
               os.path.join(guest, "initrd-devices.gz"), "-append", "console=ttyS0 mimus.drivers", *options.format(where=where).split()]
    with Guest(command, timeout=120, monitor=True) as g:
        g.expect("/ # ")
        g.send(typed)
        g.expect(shows)
        if case == "balloon":
            play_balloon(g)
        elif case == "core-note":
            dump_core(g, where)
        elif case == "generation":
            fork(g, command, where)
        elif case in PAINTED:
            look_at_screen(g, case, where)
        elif case == "ports":
            talk(connect(os.path.join(where, "port"), 60))
        left = g.finish()
        if left != status:
            raise Lost(f"exit status {left} instead of {status}")
    if case == "ports":
        with open(os.path.join(where, "console"), "rb") as f:
            if b"from-42" not in f.read():
                raise Lost("nothing came out of the console")


def main():
    mimus, guest, case = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "initrd-devices.gz")):
        print(f"no initrd-devices.gz in {guest}: scripts/guest-files {guest} devices")
        return 77
    try:
        with tempfile.TemporaryDirectory() as where:
            run(mimus, guest, case, where)
    except Lost as e:
        print(f"{case}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
