#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the bare-metal guests execute every privileged entry of the decode tables?

    privileged.py MIMUS COUNTER ROM...

Instructions come from -d in_asm. One counts if execution went on behind it, or if it is one that
leads elsewhere. COUNTER (tests/insn/privileged.c) knows the tables and prints the counts.
"""
import os
import re
import subprocess
import sys
import tempfile

PC = "-M pc -m 32 -no-reboot -nodefaults -display none -device isa-debug-exit,iobase=0xf4 -cpu max".split()
LINE = re.compile(r"^0x([0-9a-f]+): +((?:[0-9a-f]{2} )+) *(\S+)")
ELSEWHERE = re.compile(r"hlt|rsm|iret|sysret|sysexit|syscall|sysenter|mwait")


def executed(mimus, rom):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        subprocess.run([mimus] + PC + ["-bios", rom, "-d", "in_asm", "-D", log], stdin=subprocess.DEVNULL,
                       timeout=120, check=False)
        with open(log, encoding="utf-8", errors="replace") as f:
            rows = [m for m in map(LINE.match, f) if m]
    insns = {(int(m[1], 16), m[2].replace(" ", ""), m[3]) for m in rows}
    places = {place for place, _, _ in insns}
    return {code for place, code, name in insns
            if place + len(code) // 2 in places or ELSEWHERE.match(name)}


def main():
    mimus, counter = sys.argv[1:3]
    codes = set().union(*(executed(mimus, rom) for rom in sys.argv[3:]))
    return subprocess.run([counter], input="\n".join(sorted(codes)) + "\n", text=True, check=False).returncode


sys.exit(main())
