# SPDX-License-Identifier: MIT
"""A running emulator: its console, and the processor time it has used."""
import os
import re
import selectors
import shlex
import subprocess
import time
from dataclasses import dataclass

import child

MONITOR_SECONDS = 20


class Trouble(Exception):
    """The guest said something else, nothing in time, or the emulator ended."""


@dataclass
class Stamp:
    wall: float
    cpu: float

    def __sub__(self, other):
        return Stamp(self.wall - other.wall, self.cpu - other.cpu)


@dataclass(frozen=True)
class Guest:
    kernel: str
    initrd: str
    append: str
    cpu: str
    memory: int
    vcpus: int


@dataclass(frozen=True)
class Emulator:
    label: str
    command: str
    tells: bool = False  # how many instructions it has run: Mimus's monitor does

    def argv(self, guest):
        """Words with {kernel} and the like are filled in; if there are none, options are added."""
        values = vars(guest)
        if re.search(r"\{(%s)\}" % "|".join(values), self.command):
            return [word.format(**values) for word in shlex.split(self.command)]
        return shlex.split(self.command) + [
            "-M", "pc", "-cpu", guest.cpu, "-smp", str(guest.vcpus), "-m", str(guest.memory),
            "-nographic", "-no-reboot", "-nic", "none", "-kernel", guest.kernel,
            "-initrd", guest.initrd, "-append", guest.append]

    def version(self):
        """The first line that its -version prints, if it knows the option."""
        try:
            out = subprocess.run(shlex.split(self.command) + ["-version"], text=True, timeout=10,
                                 capture_output=True, stdin=subprocess.DEVNULL).stdout
        except (OSError, subprocess.TimeoutExpired):
            return "unknown"
        return out.splitlines()[0] if out.strip() else "unknown"


class Session:
    """One boot of a guest. All threads of the emulator's process count as its processor time."""

    def __init__(self, emulator, guest, log):
        self.log = open(log, "wb")
        self.errors = open(f"{log}.err", "wb")
        self.pending = b""
        self.tells = emulator.tells
        try:
            self.process = child.spawn(emulator.argv(guest), stdin=subprocess.PIPE, bufsize=0,
                                       stdout=subprocess.PIPE, stderr=self.errors)
        except OSError as error:
            raise Trouble(f"does not start: {error}") from error
        self.start = Stamp(time.monotonic(), 0)
        self.clock = (~self.process.pid << 3) | 2  # Linux: the CPU clock of a whole process
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def now(self):
        try:
            return Stamp(time.monotonic(), time.clock_gettime(self.clock))
        except OSError as error:
            raise Trouble("has ended") from error

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not self.selector.select(left):
            raise Trouble("says nothing in time")
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise Trouble(f"ended with status {self.process.wait()}")
        self.log.write(data)
        self.log.flush()
        self.pending += data

    def expect(self, pattern, seconds, line_complete=True):
        """Wait for a line that has the pattern; return the line and when it was there."""
        deadline = time.monotonic() + seconds
        search = re.compile(pattern)
        while True:
            line, newline, rest = self.pending.partition(b"\n")
            if newline or (not line_complete and search.search(line)):
                stamp = self.now()
                self.pending = rest
                if search.search(line.strip(b"\r")):
                    return line.decode(errors="replace").strip(), stamp
            else:
                self.read_more(deadline)

    def send(self, line):
        self.write(line.encode() + b"\n")

    def write(self, data):
        try:
            self.process.stdin.write(data)
        except OSError as error:
            raise Trouble("takes no input") from error

    def monitor(self, command):
        """What the monitor, which Ctrl-A c brings to the console, says to a command."""
        said = re.compile(rb"%b[^\n]*\n(.*)\(qemu\) $" % re.escape(command.encode()), re.S)
        self.write(b"\x01c" + command.encode() + b"\n")
        deadline = time.monotonic() + MONITOR_SECONDS
        while not (found := said.search(self.pending)):
            self.read_more(deadline)
        self.pending = b""
        self.write(b"\x01c")
        return found[1].decode(errors="replace")

    def instructions(self):
        """How many the guest's CPUs have run, if the emulator tells."""
        if not self.tells:
            return None
        found = re.search(r"^Running\s+guest instructions\s+(\d+)", self.monitor("info jit"), re.M)
        return int(found[1]) if found else None

    def power_off(self):
        try:
            self.send("poweroff")
            self.process.stdin.close()
            self.process.wait(20)
        except (Trouble, OSError, subprocess.TimeoutExpired):
            pass
        self.close()

    def close(self):
        child.end(self.process)
        for stream in (self.process.stdin, self.process.stdout, self.log, self.errors):
            stream.close()
        self.selector.close()
