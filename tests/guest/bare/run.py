#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a bare-metal program and compare what it prints.

    run.py mimus|qemu|bochs EMULATOR ROM [MODEL [OPTION...]]    with NAME.expect and NAME.departures
    run.py --update EMULATOR ROM...                           write NAME.expect from Mimus: read the diff!

An update keeps the lines that departures.txt allows Mimus: those it is known to get wrong.

NAME.expect is what the manual says. QEMU and Bochs may print what departures.txt allows them: lines
"EMULATOR PROGRAM REGEX" that match the expected line, led by its heading where it is indented, below
a comment that says why the manual is followed instead; "MODEL PROGRAM REGEX" is for models of Mimus
that lack something. Exit status 77: the emulator is not here.
"""
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY = {"pse36": 4352}  # MiB, else 32
CPUS = {"cpus": 2}
PC = "-M pc -nodefaults -display none -debugcon stdio -device isa-debug-exit,iobase=0xf4".split()
LOST, PATIENCE = 20, 120  # QEMU gets lost in some tests; Bochs takes its time on a busy machine
BOCHS = """display_library: term
config_interface: textconfig
romimage: file={rom}
vgaromimage: file=/usr/share/seabios/vgabios-stdvga.bin
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=1
memory: guest={memory}, host=32
parport1: enabled=1, file=out
com1: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: log
panic: action=fatal
clock: sync=none
"""


def program_of(rom):
    return os.path.splitext(os.path.basename(rom))[0]


def size_of(rom):
    return ["-m", str(MEMORY.get(program_of(rom), 32)), "-smp", str(CPUS.get(program_of(rom), 1))]


def run_pc(emulator, rom, model, options):
    command = [emulator] + PC + size_of(rom) + ["-cpu", model, "-bios", rom] + options
    if program_of(rom) != "resets":
        command.append("-no-reboot")
    if "qemu" in os.path.basename(emulator):
        command += ["-accel", "tcg"]
    print("+", " ".join(command), flush=True)
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           timeout=LOST if command[-1] == "tcg" else PATIENCE, check=False)
    except subprocess.TimeoutExpired as e:
        p = e
    return (p.stdout or b"").decode(errors="replace")


def run_bochs(emulator, rom, model, _options):
    """Bochs has no display to do without: a terminal of script(1), and its printer to a file."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "bochsrc"), "w", encoding="utf-8") as f:
            f.write(BOCHS.format(rom=os.path.abspath(rom), model=model, memory=size_of(rom)[1],
                                 cpus=size_of(rom)[3]))
        with open(os.path.join(folder, "commands"), "w", encoding="utf-8") as f:
            f.write("c\nquit\n")  # for builds with the debugger
        subprocess.run(["script", "-qc", f"{emulator} -q -rc commands -f bochsrc", "screen"],
                       cwd=folder, env={**os.environ, "TERM": "vt100"}, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        with open(os.path.join(folder, "screen"), encoding="utf-8", errors="replace") as f:
            if "display library 'term' not available" in f.read():
                print("bochs has no terminal to show (package bochs-term)")
                sys.exit(77)
        with open(os.path.join(folder, "out"), encoding="utf-8", errors="replace") as f:
            return f.read()


KINDS = {"mimus": (run_pc, "max"), "qemu": (run_pc, "max"), "bochs": (run_bochs, "corei7_icelake_u")}


def named(lines):
    """Each line, an indented one with its heading in front."""
    heading = ""
    for line in lines:
        if not line.startswith(" "):
            heading = line
        yield heading + line if line.startswith(" ") else line


def departures(kind, program):
    with open(os.path.join(HERE, "departures.txt"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split(" ", 2) for line in f if line.strip() and line[0] != "#"]
    return [re.compile(regex) for emulator, name, regex in rows if (emulator, name) == (kind, program)]


def compare(expected, text, allowed):
    lines, found = text.splitlines(), expected.splitlines()
    bad = [(a, b) for a, b in itertools.zip_longest(named(found), named(lines), fillvalue="")
           if a != b and not any(r.search(a) for r in allowed)]
    for a, b in bad[:40]:
        print(f"- {a}\n+ {b}")
    return not bad


def update(emulator, rom):
    name = program_of(rom)
    path, allowed = os.path.join(HERE, name + ".expect"), departures("mimus", name)
    lines, old = run_pc(emulator, rom, "max", []).splitlines(), []
    if lines[-1:] != ["end"]:
        sys.exit(f"{name} did not come to its end: {path} stays as it is")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            old = f.read().splitlines()
    if len(old) == len(lines):
        for i, (text, reviewed) in enumerate(zip(old, named(old))):
            if any(r.search(reviewed) for r in allowed):
                lines[i] = text
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    kind, emulator, rom = sys.argv[1:4]
    if kind == "--update":
        for rom in sys.argv[3:]:
            update(emulator, rom)
        return 0
    if not shutil.which(emulator):
        print(emulator, "is not installed")
        return 77
    function, model = KINDS[kind]
    program = program_of(rom)
    with open(os.path.join(HERE, program + ".expect"), encoding="utf-8") as f:
        expected = f.read()
    model = sys.argv[4] if len(sys.argv) > 4 else model
    text = function(emulator, rom, model, sys.argv[5:])
    return 0 if compare(expected, text, departures(kind, program) + departures(model, program)) else 1


if __name__ == "__main__":
    sys.exit(main())
