#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How often do the bare-metal guests complete each privileged entry of the decode tables?

    privileged.py MIMUS COUNTER OUT ROM...

Blocks come from -d in_asm, what becomes of them from -d exec,int: the instructions of a block are
complete when another block follows, or when an event comes, those before the place it tells. What
stands behind a conditional jump is left out, as it may have been jumped over. COUNTER
(tests/insn/privileged.c) knows the tables, prints the counts and writes them to OUT.
"""
import collections
import re
import subprocess
import sys

from run import size_of

PC = "-M pc -no-reboot -nodefaults -display none -device isa-debug-exit,iobase=0xf4 -cpu max".split()
LOG = "-d in_asm,exec,int,nochain -D /dev/stderr".split()
INSN = re.compile(r"0x([0-9a-f]+): +((?:[0-9a-f]{2} )+) *(\S+)")
EVENT = re.compile(r" *\d+: v=.* pc=([0-9a-f]+)")
WANTED = "^(IN:|0x|Trace| *[0-9]+: v=)"  # not the registers
MAY_JUMP = re.compile(r"j(?!mp)|loop")


def straight(block):
    """(place, end, bytes) up to the first conditional jump."""
    out = []
    for place, code, name in block:
        if MAY_JUMP.match(name):
            break
        out.append((place, place + len(code) // 2, code))
    return out


def executed(mimus, rom):
    counts, hits, blocks = collections.Counter(), collections.Counter(), {}
    now, listing = None, None  # the block that runs; the one that is being printed
    p = subprocess.Popen([mimus] + PC + size_of(rom) + ["-bios", rom] + LOG, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lines = subprocess.Popen(["grep", "-aE", WANTED], stdin=p.stderr, stdout=subprocess.PIPE, text=True,
                             env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    for line in lines.stdout:
        if line.startswith("IN:"):
            listing = []
        elif line.startswith("0x") and listing is not None:
            m = INSN.match(line)
            if m:
                listing.append((int(m[1], 16), m[2].replace(" ", ""), m[3]))
        elif line.startswith("Trace"):
            hits[now] += 1
            now = line.split(" ", 3)[2]
            if listing is not None:
                times = hits.pop(now, 0)  # of another block that stood there
                for _, _, code in blocks.get(now, []):
                    counts[code] += times
                blocks[now], listing = straight(listing), None
        elif " v=" in line:
            m = EVENT.match(line)
            if m:
                at, block = int(m[1], 16), blocks.get(now, [])
                inside = any(place <= at < end for place, end, _ in block)
                counts.update(code for _, end, code in block if not inside or end <= at)
                now = None
    for host, times in hits.items():
        for _, _, code in blocks.get(host, []):
            counts[code] += times
    p.wait(timeout=60)
    return counts


def main():
    mimus, counter, out = sys.argv[1:4]
    counts = sum((executed(mimus, rom) for rom in sys.argv[4:]), collections.Counter())
    lines = "".join(f"{code} {n}\n" for code, n in sorted(counts.items()))
    return subprocess.run([counter, out], input=lines, text=True, check=False).returncode


sys.exit(main())
