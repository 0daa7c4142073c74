#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/bisect-engines on a firmware of a few instructions: engines that agree, and CPUs that do
not. Run as `find-divergence.py SCRIPT MIMUS`."""
import os
import subprocess
import sys
import tempfile

LOOP = bytes.fromhex("66 b9 a0 86 01 00"   # mov ecx, 100000
                     "67 e2 fd")           # loop, by ecx
CODE = (LOOP +
        bytes.fromhex("66 b8 01 00 00 00"  # mov eax, 1
                      "0f a2") +           # cpuid
        LOOP +
        bytes.fromhex("30 c0 e6 f4"        # xor al, al; out 0xf4, al
                      "f4 eb fd"))         # hlt; jmp
ROWS = [  # --a, --b, exit status, what is printed
    ("", "-accel tcg,backend=interp", 0, ["no difference"]),
    ("", "-d nochain", 0, ["no difference"]),
    ("-cpu qemu64", "-cpu qemu64,-pse36", 1, ["between instructions 1", "0xffff000f: ", "cpuid"]),
]


def main():
    script, mimus = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "rom")
        with open(rom, "wb") as f:
            f.write((CODE.ljust(0xfff0, b"\xf4") + b"\xe9\x0d\x00").ljust(0x10000, b"\xf4"))
        for a, b, status, texts in ROWS:
            p = subprocess.run([script, "--a", a, "--b", b, "--step", "1000", mimus, "-M", "pc",
                                "-m", "16", "-display", "none", "-serial", "none", "-bios", rom,
                                "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
                               stdout=subprocess.PIPE, text=True, timeout=200, check=False)
            print(p.stdout)
            if p.returncode != status or any(t not in p.stdout for t in texts):
                print(f"--a '{a}' --b '{b}': exit status {p.returncode}, expected {status} and "
                      f"{texts}")
                return 1
    return 0


sys.exit(main())
