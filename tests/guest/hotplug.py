#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hotplug.py MIMUS GUESTDIR CASE: devices come and go while Linux runs.

"recorded": the same while a recording is made, whose replay prints the same console and agrees.
Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import os
import re
import subprocess
import sys
import tempfile

from dialogue import Guest, Lost

CPU = "device_add qemu64-x86_64-cpu,id={},socket-id=0,core-id={},thread-id=0"
WHERE = "/sys/devices/system/cpu/cpu{}"


def check(good, what):
    if not good:
        raise Lost(what)


def shell(g, line):
    """What it prints. The last word is not in the line as the shell echoes it."""
    g.send(line + "; echo done-$((6*7))\n")
    text = g.expect("done-42\n")
    g.expect("/ # ")
    return text


def wait_for(g, condition):
    shell(g, f"until {condition}; do usleep 20000; done")


def bring(g, name, n):
    """Linux keeps the number of an APIC that it has seen before."""
    answer = g.monitor(CPU.format(name, n))
    check("Error" not in answer, answer)
    wait_for(g, f"[ -d {WHERE.format(n)} ]")
    seen = shell(g, f"echo 1 > {WHERE.format(n)}/online; "
                 f"taskset {1 << n} cat /proc/self/stat | cut -d' ' -f39")
    check(f"\n{n}\n" in seen, "nothing runs on the new CPU: " + seen)


def refuses(g, line, why):
    answer = g.monitor(line)
    check(why in answer, f"{line}: {answer}")


def cpu(g):
    """Comes, runs, goes; another comes, and is there after a reset."""
    refuses(g, CPU.format("a", 3), "Invalid CPU core-id: 3 must be in range 0:2")
    refuses(g, CPU.format("a", 0), "CPU[0] with APIC ID 0 exists")
    refuses(g, CPU.format("a", 1).replace("qemu64", "max"), "expected cpu type: 'qemu64-x86_64-cpu'")
    refuses(g, "device_del nobody", "Device 'nobody' not found")
    bring(g, "one", 1)
    check(g.monitor("info cpus").count("CPU #") == 2, "the monitor does not see it")
    g.monitor("device_del one")
    wait_for(g, f"[ ! -d {WHERE.format(1)} ]")
    check(g.monitor("info cpus").count("CPU #") == 1, "it has not gone")
    bring(g, "two", 2)
    g.send("reboot -f\n")
    g.expect("Booting|Linux version")
    g.expect("/ # ")
    check("\n2\n" in shell(g, "grep -c ^processor /proc/cpuinfo"), "not two CPUs after a reset")
    g.monitor("device_del two")
    wait_for(g, "[ $(grep -c ^processor /proc/cpuinfo) = 1 ]")


# What happens, options
CASES = {
    "cpu": (cpu, "-smp 1,maxcpus=3"),
    "cpu-recorded": (cpu, "-smp 1,maxcpus=3"),
}


def run(mimus, guest, options, act, extra):
    command = [mimus, "-nographic", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz"),
               "-initrd", os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0 quiet",
               *options.split(), *extra]
    with Guest(command) as g:
        g.expect("/ # ")
        act(g)
        check("faults-0" in shell(g, "echo faults-$(dmesg | grep -c -e Oops -e BUG: -e WARNING:)"),
              "the kernel complains")
        g.send("poweroff -f\n")
        check(g.finish() == 0, "it did not power off")
        return g.all


def replay(mimus, recording):
    p = subprocess.run([mimus, "-replay", recording], stdin=subprocess.DEVNULL, capture_output=True,
                       check=False)
    said = p.stderr.decode(errors="replace")
    check(p.returncode == 0 and re.search(r"instructions, hashes agree$", said, re.M),
          f"the replay does not agree: {said}")
    check(b"done-42" in p.stdout, "the replay's console is another")


def main():
    mimus, guest, name = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        print(f"no vmlinuz in {guest}: scripts/guest-files {guest}")
        return 77
    act, options = CASES[name]
    try:
        with tempfile.TemporaryDirectory() as where:
            recording = os.path.join(where, "r.mrec")
            recorded = name.endswith("-recorded")
            run(mimus, guest, options, act, ["-record", recording] if recorded else [])
            if recorded:
                replay(mimus, recording)
    except Lost as e:
        print(f"{name}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
