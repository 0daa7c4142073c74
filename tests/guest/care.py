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
    "rng": ("-device virtio-rng-pci", RANDOM, r"virtio_rng\.0\n64\n", 0),
}


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


def run(mimus, guest, case, where):
    options, typed, shows, status = CASES[case]
    command = [mimus, "-nographic", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz-devices"), "-initrd",
               os.path.join(guest, "initrd-devices.gz"), "-append", "console=ttyS0 mimus.drivers", *options.format(where=where).split()]
    with Guest(command, timeout=120) as g:
        g.expect("/ # ")
        g.send(typed)
        g.expect(shows)
        if case == "ports":
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
