#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A recording made here, replayed elsewhere: `across.py RECORDER REPLAYER GUESTDIR CASE`.

RECORDER and REPLAYER are Mimus of two hosts (scripts/cross-test --replay), the second under an
emulator. The replay must print the same console and agree with every hash of CPUs and devices, and
of memory at the end. Cases: a program of tests/guest/bare, whose image is beside REPLAYER, or
`boot`, `boot-smp4`: Debian's kernel, the self-check in it; `traced-CASE`: the same with the tool
`trace` on both sides, whose files must say the same. MIMUS_PATIENCE=N multiplies the time that a case may take.
"""
import filecmp
import hashlib
import os
import re
import subprocess
import sys
import tempfile

PATIENCE = int(os.environ.get("MIMUS_PATIENCE", "1"))
AGREE = r"^mimus: replay: \d+ instructions, hashes agree$"
BARE = "-M pc -m 32 -nodefaults -display none -debugcon stdio -device isa-debug-exit,iobase=0xf4 -cpu max -no-reboot"
BOOTS = {"boot": "", "boot-smp4": "-smp 4"}


def options(replayer, guest, case):
    if case not in BOOTS:
        rom = os.path.join(os.path.dirname(replayer), "tests/guest/bare", case + ".rom")
        return BARE.split() + ["-bios", rom]
    return ["-M", "pc", "-nographic", "-m", "512", "-kernel", os.path.join(guest, "vmlinuz"), "-initrd",
            os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0 mimus.check"] + BOOTS[case].split()


def run(command, patience):
    print("+", " ".join(command), flush=True)
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=300 * patience, check=False)
    return p.stdout, p.stderr.decode(errors="replace")


def same_trace(mimus, paths):
    """Where the host's x87 is used, blocks may be cut elsewhere, so that the bytes differ; also by zstd's version."""
    if filecmp.cmp(*paths, shallow=False):
        print(f"traces: the same {os.path.getsize(paths[0])} bytes")
        return True
    texts = [hashlib.sha256(subprocess.run([mimus, "trace", "convert", "text", path], stdout=subprocess.PIPE,
                                           check=True).stdout).hexdigest() for path in paths]
    print("traces: other bytes, " + ("the same text" if texts[0] == texts[1] else "another text"))
    return texts[0] == texts[1]


def main():
    recorder, replayer, guest, case = sys.argv[1:]
    traced = case.startswith("traced-")
    case = case.removeprefix("traced-")
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, case + ".mrec")
        traces = [os.path.join(folder, side) for side in ("here", "there")]
        plugin = [["-plugin", "trace,out=" + t] if traced else [] for t in traces]
        console, said = run([recorder, "-record", recording] + options(replayer, guest, case), 1)
        if not console:
            print(said)
            return 1
        if traced:
            run([recorder, "-replay", recording] + plugin[0], 1)
        again, said = run([replayer, "-replay", recording] + plugin[1], PATIENCE)
        equal = not traced or same_trace(recorder, traces)
    if console == again and re.search(AGREE, said, re.M):
        print(f"{case}: {len(console.splitlines())} lines of console, {said.strip()}")
        return 0 if equal else 1
    print(said, again.decode(errors="replace")[-3000:], sep="\n")
    print(f"{case}: the replay differs" + ("" if console == again else ", its console, too"))
    return 1


sys.exit(main())
