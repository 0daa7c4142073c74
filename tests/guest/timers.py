#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where a timer's interrupt comes when instructions are counted (accel/turn.h): `timers.py MIMUS`.

The guest is a firmware that starts the PIT, runs a pattern of instructions and tells where the
interrupt found it. On every engine that is the same place, and so is the state at some counts.
"""
import os
import re
import subprocess
import sys
import tempfile

LATE = 1024  # TURN_LATE_INSNS
HANDLER = 0x100
START = bytes.fromhex("b0 11 e6 20 b0 08 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fe e6 21"  # the PIC
                      "c7 06 20 00 00 01 c7 06 22 00 00 f0"                          # vector 8
                      "b0 30 e6 43 b0 04 e6 40 b0 00 e6 40"                          # 4 ticks
                      "b9 ff ff bf 00 40 f8 fb")  # mov cx, -1; mov di, 0x4000; clc; sti
TELL = bytes.fromhex("58 e6 e9 88 e0 e6 e9 30 c0 e6 f4 f4")  # pop ax; out 0xe9; out 0xf4
BEGIN = HANDLER + 0x100 + len(START)

GROUP = b"\x90" * 16 + b"\x73\x01\x90"  # 17 instructions: 16 NOPs; jnc over another
ENGINES = ("-accel tcg", "-accel tcg,one-insn-per-tb=on", "-accel tcg,backend=interp",
           "-accel tcg,backend=interp,one-insn-per-tb=on", "-accel tcg -d nochain")

# name, instructions, where the interrupt is to come: offsets, None: see main()
ROWS = [
    ("straight", b"\x90" * 4000, None),
    ("branches ahead", GROUP * 200, None),
    ("loop", bytes.fromhex("40 43 42 f8 90 73 f9"), {0}),      # inc …; clc; nop; jnc
    ("long loop", b"\x90" * 90 + bytes.fromhex("73 a4"), {0}),
    ("not taken", bytes.fromhex("90 72 03 90 72 00 90 73 f7"), {0}),  # jc over, jc; jnc
    ("to the next", bytes.fromhex("73 00 90 73 00 90 73 f8"), {0}),   # jnc +0 is no transfer
    ("jumps", bytes.fromhex("eb 00 90 eb 00 90 73 f8"), {0}),  # jmp; jmp; jnc
    ("branch only", bytes.fromhex("73 fe"), {0}),              # jnc to itself
    ("counted", bytes.fromhex("e2 fe eb fc"), {0}),            # loop to itself
    ("two ways", bytes.fromhex("34 01 74 02 eb 01 90 73 f7"), {0, 6}),  # jz over or not
    ("call", bytes.fromhex("90 e8 03 00 90 eb f9 90 c3"), {4, 7}),
    ("string", bytes.fromhex("b9 10 00 bf 00 40 f3 aa f8 73 f5"), {0}),  # rep stosb; jnc
    ("long string", bytes.fromhex("b9 00 a0 bf 00 40 f3 aa f8 73 f5"), {0}),
    ("device", bytes.fromhex("e4 61 90 73 fb"), {0}),          # in al, 0x61
    ("pause", bytes.fromhex("f3 90 90 73 fb"), {0}),
    ("shadow", bytes.fromhex("fa 90 fb 90 90 73 f9"), {3 + 1, 0}),  # cli … sti
    ("halted", bytes.fromhex("90 f4 90 eb fe"), {2}),
]


def run(mimus, rom, options):
    """The interrupted instruction's offset, and the hashes of the state."""
    log = rom + ".log"
    p = subprocess.run([mimus, "-M", "pc", "-m", "16", "-display", "none", "-serial", "none",
                        "-monitor", "none", "-bios", rom, "-icount", "shift=1", "-debugcon", "stdio",
                        "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *options.split(), "-D", log],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=100, check=False)
    with open(log, encoding="ascii") as f:
        hashes = re.findall("hash at .*", f.read())
    if p.returncode != 1 or len(p.stdout) != 2:
        sys.exit(f"{options}: exit status {p.returncode}, {p.stdout}")
    return int.from_bytes(p.stdout, "little") - BEGIN, hashes


def write(path, code):
    image = bytearray(b"\xf4" * 0x10000)
    image[HANDLER:HANDLER + len(TELL)] = TELL
    image[HANDLER + 0x100:HANDLER + 0x100 + len(START + code)] = START + code
    image[0xfff0:0xfff3] = b"\xe9" + (HANDLER + 0x100 - 0xfff3 & 0xffff).to_bytes(2, "little")
    with open(path, "wb") as f:
        f.write(image)


def main():
    mimus = sys.argv[1]
    good = True
    at = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, code, expected in ROWS:
            rom = os.path.join(folder, "rom")
            write(rom, code)
            first = run(mimus, rom, ENGINES[0])[0]
            at[name] = first
            print(f"{name}: at {first}")
            if expected and first not in expected:
                print(f"wrong: not one of {expected}")
                good = False
            # where each hash is taken, a slice ends: also in the time in which a turn is late
            hashed = [run(mimus, rom, f"{e}{',' if ' -d ' in e else ' -d '}hash:7") for e in ENGINES]
            for engine, (where, hashes) in zip(ENGINES, hashed):
                if where != first or hashes != hashed[0][1] or not hashes:
                    print(f"wrong: {engine}: at {where}, {len(hashes)} hashes")
                    good = False
            if name == "straight":
                exact = run(mimus, rom, "-smp 2")[0]
    ahead = at["branches ahead"]
    if at["straight"] != exact + LATE:
        print(f"wrong: {exact} exactly with two CPUs, so {exact + LATE} at the latest")
        good = False
    if ahead % len(GROUP) or not 0 <= ahead // len(GROUP) * 17 - exact <= 17:
        print(f"wrong: {ahead} is not the next branch's target")
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
