#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sidebyside.py MIMUS options|monitor [QEMU [TEXT...]]: the same to both, and what comes of it.

options: each command line of siderows.py makes a machine that waits at its first instruction, or is
refused; both programs must agree, in the exit status too. What QEMU takes and we do not stands there with
its reason, and has to be refused with one line and status 1. monitor: each command's output must be alike,
numbers and names of memory aside, or stand there as different. TEXT: only rows that have it. Exit status 77
(skip) without QEMU.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import siderows
from hmp import Hmp
from qmpclient import Qmp

BIOS = "/usr/share/seabios/bios-256k.bin"


def make_files(where):
    os.makedirs(where)
    for name, size in (("raw", 1440 << 10), ("raw2", 1 << 20), ("kernel", 0), ("rom", 512)):
        with open(os.path.join(where, name), "wb") as f:
            f.truncate(size)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", os.path.join(where, "qcow2"), "1M"], check=True)
    shutil.copy(BIOS, os.path.join(where, "flash"))
    with open(os.path.join(where, "config"), "w", encoding="ascii") as f:
        f.write('[device "x"]\n  driver = "e1000"\n')
    return where


def fill_in(line, where):
    for word, name in (("RAW2", "raw2"), ("RAW", "raw"), ("QCOW", "qcow2"), ("FLASH", "flash"), ("CONFIG", "config"),
                       ("ROM", "rom")):
        line = re.sub(rf"\b{word}\b", os.path.join(where, name), line)
    return re.sub(r"\bDIR\b", where, line)


def start(binary, where, line):
    """(made a machine?, exit status, lines on stderr that are no warnings)"""
    sock = os.path.join(where, "sock")
    if os.path.exists(sock):
        os.unlink(sock)
    words = fill_in(line, where)
    words = words.split(" ") if "{" in words else shlex.split(words)
    given = ["-S", "-qmp", f"unix:{sock},server=on,wait=off"]
    if not {"-display", "-nographic", "-vnc", "-curses"} & set(words):
        given += ["-display", "none"]
    process = subprocess.Popen([binary, *given, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, errors="replace", cwd=where)
    made = False
    try:
        q = Qmp(sock, process=process)
        made = True
        q.socket.sendall(b'{"execute": "quit"}')
        said = process.communicate(timeout=60)[1]
    except (OSError, EOFError):
        try:
            said = process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1]
    return made, process.returncode, [s for s in said.splitlines() if "warning: " not in s]


def describe(answer):
    made, status, said = answer
    return f"{'runs' if made else 'refused'}, {status}: {' | '.join(said)[:200]}"


def check_refused(mimus, where, line):
    made, status, said = start(mimus, where, line)
    if made or status != 1 or len(said) != 1:
        yield f"{line}: is to be refused with a line and status 1: {describe((made, status, said))}"


def compare_options(mimus, qemu, where, wanted):
    own, other = (make_files(os.path.join(where, name)) for name in ("own", "other"))
    for line in filter(wanted, siderows.lines(siderows.ALIKE)):
        theirs, ours = start(qemu, other, line), start(mimus, own, line)
        if theirs[:2] != ours[:2]:
            yield f"{line}: {describe(ours)}\n    QEMU {describe(theirs)}"
    for group in siderows.REFUSED.values():
        for line in filter(wanted, siderows.lines(group)):
            yield from check_refused(mimus, own, line)
    for group in siderows.OURS.values():
        for line in filter(wanted, siderows.lines(group)):
            answer = start(mimus, own, line)
            if answer[:2] != (True, 0):
                yield f"{line}: {describe(answer)}"


def open_monitor(binary, where, machines):
    make_files(where)
    path = os.path.join(where, "monitor")
    line = fill_in(siderows.MONITOR_MACHINE, where)
    machines.append(subprocess.Popen([binary, *shlex.split(line), "-monitor", f"unix:{path},server=on,wait=off"],
                                     stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=where))
    return Hmp(path)


def level(text, where):
    """Without what may differ: numbers, directories, names of nodes and memory regions."""
    text = text.replace(where, "DIR")
    text = re.sub(r"#block\d+|\(pc\.ram\)|ide\d-[hc]d\d|floppy\d", "NAME", text)
    return re.sub(r"\b(0x)?[0-9a-f]+\b", "N", text)


def flat_view(text, space):
    """{(start, name): (end, "prio N, kind")} of `info mtree -f`; what nobody has is left out."""
    view = next(v for v in text.split("FlatView #") if f'AS "{space}"' in v)
    rows = re.findall(r"^  ([0-9a-f]+)-([0-9a-f]+) \((.*?)\): (.*)$", view, re.M)
    return {(start, name): (end, kind) for start, end, kind, name in rows if not name.startswith("io @")}


def compare_maps(own, other):
    for space in "memory", "I/O":
        ours, theirs = (flat_view(text, space) for text in (own, other))
        for (start, name), (end, kind) in theirs.items():
            known = siderows.OTHER_REGIONS.get(name, "")
            if (start, name) not in ours:
                if known != "lacking":
                    yield f"info mtree -f: {space}: {start} {name} is lacking"
            elif ours[start, name] != (end, kind) and not (known == "size" and ours[start, name][1] == kind):
                yield f"info mtree -f: {space}: {start} {name}: {ours[start, name]}, QEMU: {(end, kind)}"
        for start, name in ours.keys() - theirs.keys():
            yield f"info mtree -f: {space}: {start} {name}: QEMU has none there"


def compare_device_trees(own, other):
    """All that ours tells stands in QEMU's, in the same order, but for BARs of virtio devices."""
    theirs = iter(other.splitlines())
    for line in own.splitlines():
        if not line.lstrip().startswith("bar ") and line not in theirs:
            yield f"info qtree: '{line}' is not there, or elsewhere"
            return


def compare_layouts(own, other):
    """@own and @other answer commands."""
    named = [re.findall(r"^    (.*: PCI device .*)$", f("info pci"), re.M) for f in (own, other)]
    if named[0] != named[1]:
        yield f"info pci: {named[0]}, QEMU: {named[1]}"
    yield from compare_maps(own("info mtree -f"), other("info mtree -f"))
    yield from compare_device_trees(own("info qtree"), other("info qtree"))
    blocks = [set(re.findall(r"^ *(\S+) +4 KiB  \S+ (\S+ \S+)$", f("info ramblock"), re.M)) for f in (own, other)]
    if blocks[0] - blocks[1]:
        yield f"info ramblock: {blocks[0] - blocks[1]}, QEMU has none of these"


def ask(monitor, line):
    """Work on disks is asked about until it has ended."""
    end = time.monotonic() + 60
    said = monitor.command(line)
    while line == "info block-jobs" and "No active jobs" not in said and time.monotonic() < end:
        time.sleep(0.05)
        said = monitor.command(line)
    return said


def compare_monitors(mimus, qemu, where, wanted):
    machines, places = [], [os.path.join(where, name) for name in ("own", "other")]
    try:
        ours, theirs = (open_monitor(b, p, machines) for b, p in zip((mimus, qemu), places))
        if wanted("layouts"):
            yield from compare_layouts(ours.command, theirs.command)
        for line in siderows.lines(siderows.COMMANDS):
            own, other = (level(ask(m, fill_in(line, p)), p) for m, p in zip((ours, theirs), places))
            if own != other and wanted(line):
                yield f"{line}:\n{own}QEMU:\n{other}"
        for line in siderows.lines(siderows.OTHERWISE):
            if "unknown command" in ours.command(fill_in(line, places[0])):
                yield f"{line}: unknown"
    finally:
        for process in machines:
            process.kill()
            process.wait()


def main():
    mimus, case = sys.argv[1:3]
    qemu = sys.argv[3] if len(sys.argv) > 3 else "qemu-system-x86_64"
    texts = sys.argv[4:]
    if not shutil.which(qemu) or not shutil.which("qemu-img") or not os.path.exists(BIOS):
        sys.exit(77)
    compare = {"options": compare_options, "monitor": compare_monitors}[case]
    with tempfile.TemporaryDirectory(prefix="side-") as where:
        found = list(compare(os.path.abspath(mimus), shutil.which(qemu), where,
                             lambda line: not texts or any(t in line for t in texts)))
    print("\n".join(found) if found else "alike")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
