#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""debian.py MIMUS CASE: what Debian has packaged to be booted, to its first screen or through its first pass.

Exit status 77 (skip) without the package.
"""
import os
import sys
import time

from dialogue import Guest, Lost

INSTALLER = "/usr/lib/debian-installer/images/12/{0}/text/debian-installer/{0}/"
MEMTEST = "/boot/memtest86+x64.bin"
LOOK_S = 2  # between looks at a screen


def installer(mimus, arch):
    """The installer asks for a language on the serial port."""
    folder = INSTALLER.format(arch)
    if not os.path.exists(folder + "linux"):
        print(f"no {folder} (package debian-installer-12-netboot-{arch})")
        return 77
    with Guest([mimus, "-nographic", "-no-reboot", "-m", "1024", "-kernel", folder + "linux", "-initrd",
                folder + "initrd.gz", "-append", "console=ttyS0"], 600) as g:
        g.expect("Select a language")
        g.expect("Choose the language|Language")
    return 0


def memtest(mimus, cpus):
    """memtest86+ tests 64 MiB once, on all CPUs; its screen is text of the VGA."""
    if not os.path.exists(MEMTEST):
        print("no memtest86+ (package memtest86+)")
        return 77
    with Guest([mimus, "-m", "64", "-cpu", "max", "-smp", str(cpus), "-display", "none", "-serial", "none", "-monitor",
                "stdio", "-kernel", MEMTEST], 1200) as g:
        screen = ""
        while "Pass:  1" not in screen:
            time.sleep(LOOK_S)
            g.send("info screen\n")
            screen = g.expect(r"info screen.*?\n\(\w+\) $")
            if "to start testing" in screen:
                g.send("sendkey ret\n")
        print(screen)
        if "Errors: 0" not in screen or f"CPU: {cpus} Cores" not in screen:
            raise Lost("memory is bad, or CPUs are missing")
    return 0


CASES = {"installer-amd64": (installer, "amd64"), "installer-i386": (installer, "i386"), "memtest": (memtest, 1),
         "memtest-smp4": (memtest, 4)}


def main():
    mimus, case = sys.argv[1:3]
    try:
        return CASES[case][0](mimus, CASES[case][1])
    except Lost as e:
        print(f"{case}: {e}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
