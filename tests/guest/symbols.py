#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's gdb and a kernel with its symbols: `symbols.py MIMUS GUESTDIR CASE`.

A boot into the shell is recorded, where a line is typed that writes 42 to a variable of the kernel;
the shell counts until more than 3e9 instructions are behind it. In the replay what
softmmu/docs/reverse-debugging.md tells of is typed into gdb, and measured. "off" is without KASLR, "on"
with it. Exit status 77 (skip) without gdb or the symbols (scripts/guest-files DIR symbols).
"""
import os
import re
import shutil
import sys
import tempfile
import time

from dialogue import Guest
from reverse import cpu_time
from rsp import Machine

SKIP = 77
TYPED = ["echo 42 > /proc/sys/kernel/panic\n",
         "i=0; while [ $i -lt 140000 ]; do i=$((i+1)); done; poweroff -f\n"]
CASES = {"off": "nokaslr", "on": ""}
FAR = 3 * 10**9


def record(mimus, guest, append, recording):
    with Guest([mimus, "-nographic", "-m", "512", "-kernel", os.path.join(guest, "vmlinuz"), "-initrd",
                os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0 " + append,
                "-record", recording]) as g:
        for line in TYPED:
            g.expect("/ # ")
            g.send(line)
        assert g.finish() == 0, "it did not power off"


class Gdb:
    """As somebody sits at it; everything is printed."""

    def __init__(self, process, machine, vmlinux):
        self.process, self.pid, self.vmlinux = process, machine.process.pid, vmlinux
        self.answer()

    def answer(self):
        out = self.process.expect(r"\(gdb\) ")
        print(out, end="", flush=True)
        return out

    def type(self, line, *patterns):
        """What gdb answers, in which these are."""
        print(line, flush=True)
        self.process.send(line + "\n")
        out = self.answer()
        for p in patterns:
            assert re.search(p, out), f"{line}: no {p!r}"
        return out

    def monitor(self, line, *patterns):
        out = self.type("monitor " + line, *patterns)
        self.type("maintenance flush register-cache")
        return out

    def number(self, line):
        """That it answers in hexadecimal."""
        return int(re.findall(r"0x([0-9a-f]+)", self.type(line))[-1], 16)

    def when(self):
        return int(re.search(r"^(\d+)$", self.type("monitor when"), re.M)[1])

    def measured(self, what, *lines):
        """CPU time of Mimus: other work on this host changes that less than the time that passes."""
        cpu, wall = cpu_time(self.pid), time.time()
        for line in lines:
            out = self.type(line)
        cpu, wall = cpu_time(self.pid) - cpu, time.time() - wall
        print(f"\n= {what}: {cpu:.3f} s of CPU time, {wall:.3f} s with gdb", flush=True)
        return cpu, out


def load_symbols(g, moved):
    """With the machine in Linux, whose handler of page faults the CPU's table has."""
    gate = "*({} *)($idtr_base + 224)"
    offset = g.number(f"print/x ({gate.format('long')} >> 48 << 16 | {gate.format('unsigned short')})"
                      " - (long)&asm_exc_page_fault")
    assert bool(offset) == moved and offset % 0x200000 == 0
    if moved:
        g.type("symbol-file")
        g.type(f"symbol-file -o {offset:#x} {g.vmlinux}")
    g.type("x/s &linux_banner", "Linux version 6")


def times(g):
    """At 3e9 instructions."""
    g.monitor("goto begin")
    g.monitor(f"replay_break {FAR}")
    forward, _ = g.measured(f"forward to {FAR}", "continue")
    g.monitor("replay_delete_break")
    assert g.when() == FAR
    cold, _ = g.measured("the first reverse-stepi", "reverse-stepi")
    warm, _ = g.measured("20 more", *20 * ["reverse-stepi"])
    assert FAR - 21 <= g.when() < FAR
    g.type("hbreak start_kernel", "breakpoint 1 at")
    back, out = g.measured("reverse-continue to the begin of the boot", "reverse-continue")
    assert "Breakpoint 1, start_kernel ()" in out
    g.type("backtrace", r"#0 +start_kernel \(\)", "#1 .*secondary_startup_64")
    g.type("delete")
    assert cold <= 1 and warm / 20 <= 0.05 and back <= 2 * forward, (cold, warm, back, forward)


def who_changed(g):
    """The documentation's example."""
    assert any("No more reverse-execution history" in g.type("continue") for _ in range(3))
    end = g.when()
    g.type("print panic_timeout", r"= 42\b")
    g.type("watch panic_timeout")
    _, out = g.measured("reverse-continue to the last writer", "reverse-continue")
    assert re.search(r"atchpoint \d+: panic_timeout\s+Old value = 42\s+New value = 0\s+.*do_proc_dointvec_conv", out)
    g.type("backtrace", "#0 .*do_proc_dointvec_conv", r"#\d.* proc_dointvec ", "proc_sys_call_handler", "ksys_write")
    there = g.when()
    g.type("delete")
    g.type("stepi")
    g.type("print panic_timeout", r"= 42\b")
    g.monitor(f"goto {end}")
    g.type('eval "monitor last-write %p 4", &panic_timeout')
    assert g.when() == there, "last-write finds another"
    return there


def moments(g, there):
    g.monitor("goto begin")
    assert g.when() == 0
    g.monitor("goto end")
    g.type('eval "monitor last-exec %p", proc_dointvec')
    g.type("maintenance flush register-cache")
    g.type("backtrace 3", "#0 .*proc_dointvec")
    at = g.when()
    assert at < there, "it is called before it writes"
    g.monitor("checkpoint", f"checkpoint 1 at {at}")
    g.monitor("goto 1e9")
    assert g.when() == 10**9
    g.monitor("restart 1")
    assert g.when() == at
    g.type("reverse-finish", "Run back to call of #0 +proc_dointvec")  # from a thunk
    g.type("reverse-step")
    g.type("reverse-next")
    assert g.when() < at
    g.type("info threads", "CPU#0")
    g.type("info registers cr3 efer", "LMA")


def leaves(g):
    """In the shell's loop: the machine goes on by itself, and can be changed."""
    g.monitor(f"goto {FAR}")
    g.monitor("go-live", "left")
    g.type("stepi")
    g.type("monitor when", "no recording")
    g.type("detach")


def main():
    mimus, guest, name = sys.argv[1:4]
    vmlinux = os.path.join(guest, "vmlinux-symbols")
    if not os.path.exists(vmlinux) or not shutil.which("gdb"):
        print("no gdb, or no symbols: scripts/guest-files DIR symbols")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "boot.mrec")
        record(mimus, guest, CASES[name], recording)
        m = Machine(mimus, "-S", "-replay", recording, always=())
        try:
            m.connect().close()
            with Guest(["sh", "-c", 'exec gdb -nx -q "$0" 2>&1', vmlinux], timeout=1200) as process:
                g = Gdb(process, m, vmlinux)
                for line in ("set pagination off", "set confirm off", f"target remote {m.path}"):
                    g.type(line)
                g.monitor("goto 2e9")
                load_symbols(g, name == "on")
                times(g)
                there = who_changed(g)
                moments(g, there)
                leaves(g)
            out = m.process.communicate(timeout=600)[0].decode(errors="replace")
            assert m.process.returncode == 0 and "reboot: Power down" in out, out[-2000:]
        finally:
            m.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
