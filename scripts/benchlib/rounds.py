# SPDX-License-Identifier: MIT
"""Runs the benchmarks: in each round both emulators boot afresh and take turns at each benchmark."""
import re
import sys
from dataclasses import asdict, dataclass, field

from catalogue import MILESTONES
from emulator import Session, Trouble

BOOT_SECONDS = 300
RUN_SECONDS = 120
MAX_RESTARTS = 5  # of one emulator in one round, after a benchmark that it does not survive


@dataclass
class Row:
    """The measurements of one benchmark: lists by emulator, as many items as it ran."""
    name: str
    group: str
    cpu: dict = field(default_factory=dict)
    wall: dict = field(default_factory=dict)
    guest: dict = field(default_factory=dict)  # seconds by the guest's clock
    per_insn: dict = field(default_factory=dict)  # processor time of an instruction of the guest's, ns
    insns: dict = field(default_factory=dict)  # those, with the program's start and end
    checksums: dict = field(default_factory=dict)
    troubles: dict = field(default_factory=dict)

    def add(self, label, stamp, guest_seconds=None, checksum=None):
        self.cpu.setdefault(label, []).append(round(stamp.cpu, 6))
        self.wall.setdefault(label, []).append(round(stamp.wall, 6))
        if guest_seconds is not None:
            self.guest.setdefault(label, []).append(guest_seconds)
        if checksum is not None:
            self.checksums.setdefault(label, set()).add(checksum)

    def add_instructions(self, label, number):
        """… that the last run took."""
        self.insns.setdefault(label, []).append(number)
        self.per_insn.setdefault(label, []).append(self.cpu[label][-1] * 1e9 / number)

    def as_dict(self):
        data = asdict(self)
        data["checksums"] = {label: sorted(sums) for label, sums in self.checksums.items()}
        return data


class Runner:
    def __init__(self, emulators, benchmarks, guests, out, repeat=1, times=1):
        self.emulators = emulators
        self.benchmarks = benchmarks
        self.guests = guests  # by kind of benchmark
        self.logs = out / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.rows = {b.name: Row(b.name, b.group) for b in benchmarks}
        self.repeat = repeat  # of each benchmark within a round, in turns
        self.times = times  # the usual number of rounds of a small one

    def note(self, text):
        print(text, file=sys.stderr, flush=True)

    def measured(self):
        """Rows with something in them."""
        return [row for row in self.rows.values() if row.cpu]

    def run_round(self, number, total):
        turn = number % len(self.emulators)  # who goes first changes
        order = self.emulators[turn:] + self.emulators[:turn]
        for kind in ("micro", "real"):
            chosen = [b for b in self.benchmarks if b.kind == kind]
            boots = kind == "micro" and any(b.kind == "boot" for b in self.benchmarks)
            if chosen or boots:
                self.note(f"round {number + 1} of {total}: {kind}")
                self.run_kind(kind, chosen, order, number, boots)

    def run_kind(self, kind, benchmarks, order, number, boots):
        machines = [Machine(self, e, kind, f"{self.logs}/{e.label}-{kind}-{number}") for e in order]
        try:
            for machine in machines:
                machine.boot(record=boots)
            for benchmark in benchmarks:
                for turn in range(self.repeat):
                    for machine in machines[::-1] if turn % 2 else machines:
                        machine.run(benchmark)
                self.note(self.progress(benchmark.name))
        except BaseException:
            for machine in machines:
                machine.kill()
            raise
        finally:
            for machine in machines:
                machine.stop()

    def progress(self, name):
        row = self.rows[name]
        cells = [f"{e.label} {min(row.cpu[e.label][-self.repeat:]):.3f}" if e.label in row.cpu
                 else f"{e.label} {row.troubles.get(e.label, '-')}" for e in self.emulators]
        return f"  {name:<16} " + "   ".join(cells)


class Machine:
    """An emulator's guest within a round; it boots again when a benchmark has killed it."""

    def __init__(self, runner, emulator, kind, log):
        self.runner = runner
        self.emulator = emulator
        self.guest = runner.guests[kind]
        self.log = log
        self.session = None
        self.boots = 0
        self.why_not = ""  # there is no guest

    def trouble(self, name, reason):
        self.runner.note(f"  {self.emulator.label}: {name}: {reason}")
        if name in self.runner.rows:
            self.runner.rows[name].troubles[self.emulator.label] = str(reason)

    def boot(self, record=False):
        if self.boots > MAX_RESTARTS:
            return
        self.boots += 1
        try:
            self.session = Session(self.emulator, self.guest, f"{self.log}.{self.boots}.log")
            self.pass_milestones(record)
            self.session.expect(rb"^BENCH ready", BOOT_SECONDS)
        except Trouble as reason:
            self.why_not = f"no guest: {reason}"
            self.trouble("boot", reason)
            self.kill()

    def pass_milestones(self, record):
        last = self.session.start
        for name, pattern, _ in MILESTONES:
            line, stamp = self.session.expect(pattern, BOOT_SECONDS, line_complete=False)
            if name == "boot_firmware" and "Linux version" in line:
                continue  # firmware that is silent: its time is in the next row
            if record and name in self.runner.rows:
                self.runner.rows[name].add(self.emulator.label, stamp - last)
            last = stamp
        if record and "boot" in self.runner.rows:
            self.runner.rows["boot"].add(self.emulator.label, last - self.session.start)

    def run(self, benchmark):
        if not self.session:
            self.boot()
        if not self.session:
            self.trouble(benchmark.name, self.why_not)
            return
        try:
            self.measure(benchmark)
        except Trouble as reason:
            self.trouble(benchmark.name, reason)
            self.kill()

    def words(self, benchmark):
        if benchmark.kind != "micro" or self.runner.times == 1:
            return benchmark.name
        return f"{benchmark.name} {max(1, round(benchmark.count * self.runner.times))}"

    def measure(self, benchmark):
        session, name = self.session, benchmark.name
        before, done = None, False
        session.send(self.words(benchmark))
        line, _ = session.expect(rb"^BENCH (begin|skip|failed)", RUN_SECONDS)
        if line.startswith("BENCH begin"):
            before = session.instructions()
            start = session.now()
            session.send("go")
            line, stop = session.expect(rb"^BENCH (end|failed)", RUN_SECONDS)
            done = self.record(name, line, stop - start)
        else:
            self.trouble(name, line.removeprefix("BENCH ").removeprefix(f"skip {name} "))
        session.expect(rb"^BENCH ready", RUN_SECONDS)
        if done and before is not None:
            self.runner.rows[name].add_instructions(self.emulator.label, session.instructions() - before)

    def record(self, name, line, stamp):
        end = re.match(r"BENCH end (\S+) ([0-9a-f]+) (\d+)$", line)
        if not end or end[1] != name:
            self.trouble(name, f"printed '{line}'")
            return False
        self.runner.rows[name].add(self.emulator.label, stamp, int(end[3]) / 1e9, end[2])
        return True

    def kill(self):
        if self.session:
            self.session.close()
        self.session = None

    def stop(self):
        if self.session:
            self.session.power_off()
        self.session = None
