# SPDX-License-Identifier: MIT
"""The command line of scripts/bench."""
import argparse
import dataclasses
import datetime
import os
import pathlib
import platform
import subprocess
import sys

import catalogue
import chart
import child
import report
from emulator import Emulator, Guest
from rounds import Runner

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD") or TOP / "build")
OUT = BUILD / "bench"
QEMU = "qemu-system-x86_64 -accel tcg"


def arguments():
    parser = argparse.ArgumentParser(
        prog="bench", description="Run benchmarks in Mimus and QEMU, in turns, and compare the "
        "processor time that they take.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks, globs, classes, "
                        "'boot', 'micro', 'real' or 'all' (the default)")
    parser.add_argument("--list", action="store_true", help="show what there is")
    parser.add_argument("-r", "--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="run each benchmark N times "
                        "in a round, in turns (1)")
    parser.add_argument("--times", type=float, default=1, metavar="F", help="let each small benchmark run "
                        "F times as long as usual (1)")
    parser.add_argument("--cpu", default="max", help="CPU model of the guests (max)")
    parser.add_argument("--smp", type=int, default=1, help="CPUs of the guests (1)")
    parser.add_argument("--memory", type=int, default=1024, help="memory in MiB (1024)")
    parser.add_argument("--append", default="", help="more words for the kernel's command line")
    parser.add_argument("--emulator", action="append", metavar="[LABEL=]CMD",
                        help="measure this command instead of build/mimus; may be given again")
    parser.add_argument("--reference", default=QEMU, metavar="[LABEL=]CMD",
                        help=f"what to compare with ('{QEMU}')")
    parser.add_argument("--counted", action="store_true", help="instead of QEMU compare with the first "
                        "emulator itself, counting instructions (-icount shift=1): what counting costs, also "
                        "by the instructions that either guest needed")
    parser.add_argument("--backports", action="store_true",
                        help="compare with the QEMU of Debian's backports")
    parser.add_argument("--out", type=pathlib.Path, default=OUT, help="folder of the results")
    return parser.parse_args()


def parse_emulator(text, default_label):
    label, equals, command = text.partition("=")
    if equals and label.isidentifier():
        return Emulator(label, command)
    return Emulator(default_label, text)


def chosen_emulators(options):
    commands = options.emulator or [f"mimus={BUILD / 'mimus'}"]
    emulators = []
    for number, text in enumerate(commands):
        emulators.append(parse_emulator(text, "emulator" + (str(number + 1) if number else "")))
    if options.counted:
        emulators = [dataclasses.replace(e, tells=True) for e in emulators]
        emulators.append(Emulator("counted", f"{emulators[0].command} -icount shift=1", tells=True))
    else:
        emulators.append(parse_emulator(options.reference, "qemu"))
    labels = [e.label for e in emulators]
    if len(set(labels)) < len(labels):
        sys.exit(f"bench: emulators need different labels: {', '.join(labels)}")
    return emulators


def show_list(benchmarks):
    group = None
    for b in benchmarks:
        if b.group != group:
            print(f"{b.group} ({b.kind})")
        group = b.group
        print(f"    {b.name:<16}{b.text}")
    print("groups: " + ", ".join(f"'{name}'" for name in catalogue.UNIONS))


def prepare(script, *words):
    """It says by itself what it cannot do."""
    if subprocess.run([TOP / "scripts" / script, *words]).returncode:
        sys.exit(f"bench: no guests: scripts/{script} failed")


def make_guests(options, chosen):
    prepare("guest-files", BUILD / "guest")
    guests = {}
    for kind, name in (("micro", "initrd-micro.gz"), ("real", "initrd-real")):
        if kind == "micro" or any(b.kind == kind for b in chosen):
            prepare("bench-image", OUT, kind)
        guests[kind] = Guest(kernel=str(BUILD / "guest/vmlinuz"), initrd=str(OUT / name),
                             append=f"console=ttyS0 {options.append}".strip(), cpu=options.cpu,
                             memory=options.memory, vcpus=options.smp)
    return guests


def host_cpu():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def facts_of(options, emulators):
    return {
        "date": datetime.datetime.now().isoformat(timespec="minutes"),
        "host": f"{host_cpu()}, {os.cpu_count()} CPUs, Linux {platform.release()}",
        "load": os.getloadavg(),
        "guest": f"-cpu {options.cpu} -smp {options.smp} -m {options.memory}",
        "rounds": options.rounds,
        "emulators": {e.label: {"command": e.command, "version": e.version()} for e in emulators},
    }


def write_results(out, facts, rows, labels):
    lines = [f"{key}: {facts[key]}" for key in ("date", "host", "guest", "rounds") + ("note",) * ("note" in facts)]
    lines += [f"{label}: {e['version']} ({e['command']})" for label, e in facts["emulators"].items()]
    lines += ["", "seconds of the host's processor, all threads of the emulator"]
    lines += report.table(rows, labels) + report.mean_table(rows, labels)
    (out / "results.txt").write_text("\n".join(lines) + "\n")
    report.write_json(out / "results.json", facts, rows)
    subtitle = f"{facts['host']}; guest {facts['guest']}; best of {facts['rounds']}"
    for label in labels[:-1]:
        name = "results.svg" if len(labels) == 2 else f"results-{label}.svg"
        (out / name).write_text(chart.svg(rows, label, labels[-1], subtitle))
    print("\n".join(lines), flush=True)
    print(f"\nwritten: {out}/results.txt, .json, .svg", file=sys.stderr)


def write_what_there_is(out, facts, rows, labels):
    if not rows:
        print("bench: ended before anything was measured", file=sys.stderr)
        return
    facts["note"] = "ended early: not all of the rounds and benchmarks"
    write_results(out, facts, rows, labels)


def main():
    options = arguments()
    try:
        benchmarks = catalogue.everything(TOP)
        if options.list:
            show_list(benchmarks)
            return
        chosen = catalogue.select(benchmarks, options.names or ["all"])
    except ValueError as error:
        sys.exit(f"bench: {error}")
    emulators = chosen_emulators(options)
    child.end_with_signals()
    options.out.mkdir(parents=True, exist_ok=True)
    runner = Runner(emulators, chosen, make_guests(options, chosen), options.out,
                    options.repeat, options.times)
    facts = facts_of(options, emulators)
    labels = [e.label for e in emulators]
    try:
        for number in range(options.rounds):
            runner.run_round(number, options.rounds)
    except child.Ended:
        write_what_there_is(options.out, facts, runner.measured(), labels)
        raise
    write_results(options.out, facts, list(runner.rows.values()), labels)


main()
