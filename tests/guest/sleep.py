#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sleep.py MIMUS GUESTDIR CASE: Linux suspends to RAM and is woken up.

Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import os
import sys

from dialogue import Guest, Lost

SLEEP = "echo deep > /sys/power/mem_sleep; echo mem > /sys/power/state; echo woken-$((6*7))\n"
ALARM = "echo 0 > /sys/class/rtc/rtc0/wakealarm; echo +5 > /sys/class/rtc/rtc0/wakealarm; "

# options, command before, command of the monitor that wakes it (None: nobody does)
CASES = {
    "alarm": ([], ALARM, None),
    "alarm-smp4": (["-smp", "4"], ALARM, None),
    "alarm-counted": (["-icount", "shift=1"], ALARM, None),
    "key": ([], "", "sendkey ret"),
    "button": ([], "", "system_powerdown"),
    "monitor": (["-smp", "2"], "", "system_wakeup"),
}


def wait_until_asleep(g):
    while "paused (suspended)" not in g.monitor("info status"):
        pass


def run(mimus, guest, case):
    options, before, wake = CASES[case]
    cpus = options[1] if options[:1] == ["-smp"] else "1"
    command = [mimus, "-nographic", "-no-reboot", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz"), "-initrd",
               os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0 no_console_suspend", *options]
    with Guest(command, monitor=True) as g:
        g.expect("/ # ")
        for _ in range(2):
            g.send(before + SLEEP)
            g.expect("PM: suspend entry")
            if wake:
                wait_until_asleep(g)
                g.monitor(wake)
            g.expect("woken-42")
            g.expect("/ # ")
        g.send("echo cpus-$(grep -c ^processor /proc/cpuinfo) faults-$(dmesg | grep -c -e Oops -e BUG: -e WARNING:); poweroff -f\n")
        g.expect(f"cpus-{cpus} faults-0\n")
        g.expect("Power down")
        if g.finish() != 0:
            raise Lost("it did not power off")


def main():
    mimus, guest, case = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        print(f"no vmlinuz in {guest}: scripts/guest-files {guest}")
        return 77
    try:
        run(mimus, guest, case)
    except Lost as e:
        print(f"{case}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
