# SPDX-License-Identifier: MIT
"""What counting, recording and replaying a boot cost: the same boot in turns, each way.

User and system time are told apart: the system's is mostly memory that is touched for the first
time, which on a busy host varies by more than what is looked for.
"""
import argparse
import collections
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import child

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD") or TOP / "build")
QEMU = "qemu-system-x86_64 -accel tcg"
PATIENCE = 600

WAYS = {  # of running it, for Mimus; {machine} is QEMU's options
    "default": "{machine}",
    "counted": "{machine} -icount shift=1",
    "record": "{machine} -record {file}",
    "replay": "-replay {file}",
}
QEMU_WAYS = {
    "default": "{machine}",
    "counted": "{machine} -icount shift=1",
    "record": "{machine} -icount shift=1,rr=record,rrfile={file}",
    "replay": "{machine} -icount shift=1,rr=replay,rrfile={file}",
}
RATIOS = [  # and the most that they may be
    ("counted", "default", 1.03), ("record", "counted", 1.05), ("record", "default", 1.10),
    ("replay", "record", 1.0)]
Cost = collections.namedtuple("Cost", "user system total")


def run(command):
    """What one boot took, and what it printed."""
    with tempfile.TemporaryFile() as console:
        p = child.spawn(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.PIPE)
        said = p.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        child.end(p)
        console.seek(0)
        text = console.read()
    if p.returncode or b"Power down" not in text:
        sys.exit(f"bench-record: {' '.join(command)}: status {p.returncode}\n{said}")
    return Cost(usage.ru_utime, usage.ru_stime, usage.ru_utime + usage.ru_stime), text


def machine(options):
    guest = BUILD / "guest"
    words = ["-M", "pc", "-m", str(options.memory), "-smp", str(options.smp), "-nographic",
             "-no-reboot", "-nic", "none", "-kernel", str(guest / "vmlinuz"), "-initrd",
             str(guest / "initrd.gz"), "-append", "console=ttyS0 mimus.poweroff"]
    return words + options.options.split()


def commands(emulator, ways, options, file):
    def fill(word):
        return machine(options) if word == "{machine}" else [word.format(file=file)]
    return {name: emulator.split() + [w for word in text.split() for w in fill(word)]
            for name, text in ways.items()}


def measure(emulators, rounds, costs):
    """Fills {label: {way: [Cost]}}; who begins changes from round to round."""
    for number in range(rounds):
        for label, ways in emulators.items():
            turn = list(ways)[number % 4:] + list(ways)[:number % 4]
            texts = {}
            for way in turn:
                cost, texts[way] = run(ways[way])
                costs[label][way].append(cost)
            if number == 0 and texts["record"] != texts["replay"]:
                sys.exit(f"bench-record: {label}: the replay's console is another")
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)


def best(costs, field):
    return min(getattr(c, field) for c in costs), statistics.median(getattr(c, field) for c in costs)


def ratios(costs, a, b, field):
    return (x / max(y, 1e-3) for x, y in zip(best(costs[a], field), best(costs[b], field)))


def show(label, costs):
    print(f"\n{label:<10}" + "".join(f"{f:>16}" for f in Cost._fields) + "   (minimum, median)")
    for way, runs in costs.items():
        print(f"{way:<10}" + "".join("{:9.3f} {:6.3f}".format(*best(runs, f)) for f in Cost._fields))
    for a, b, most in RATIOS:
        cells = "".join("{:9.3f} {:6.3f}".format(*ratios(costs, a, b, f)) for f in Cost._fields)
        print(f"{a}/{b}\n{'':<10}{cells}   wanted: {most}")


def main():
    parser = argparse.ArgumentParser(prog="bench-record", description=__doc__.splitlines()[0])
    parser.add_argument("-r", "--rounds", type=int, default=8)
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--memory", type=int, default=512)
    parser.add_argument("--options", default="", help="more options of the machine")
    parser.add_argument("--emulator", action="append", metavar="[LABEL=]CMD")
    parser.add_argument("--reference", nargs="?", const=QEMU, metavar="CMD", help="QEMU, too")
    options = parser.parse_args()
    child.end_with_signals()
    subprocess.run([TOP / "scripts/guest-files", BUILD / "guest"], check=True)
    with tempfile.TemporaryDirectory() as where:
        emulators = {}
        for text in options.emulator or [f"mimus={BUILD / 'mimus'}"]:
            label, equals, command = text.partition("=")
            if not (equals and label.isidentifier()):
                label, command = "mimus", text
            emulators[label] = commands(command, WAYS, options, f"{where}/{label}.rec")
        if options.reference:
            emulators["QEMU"] = commands(options.reference, QEMU_WAYS, options, f"{where}/qemu.rec")
        costs = {label: {way: [] for way in ways} for label, ways in emulators.items()}
        try:
            measure(emulators, options.rounds, costs)
        finally:  # a signal may have ended it
            for label, ways in costs.items():
                if all(ways.values()):
                    show(label, ways)


if __name__ == "__main__":
    main()
