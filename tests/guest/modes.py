#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""modes.py MIMUS [NAME...]: what adapters show in VGA's and VBE's modes, beside QEMU's screendumps.

A boot sector sets a mode by the BIOS, fills what the CPU sees of it with a pattern, writes some registers,
and says so at port 0xe9. Colours may differ by 7 in 256: QEMU widens those of 5 and 6 bits in another way.
Left out is what QEMU does not show: panning, the DAC's mask, preset rows, 40 columns of 9 dots.
Exit status 77 without QEMU or binutils.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import hmp

TIMEOUT = 90
CLOSE = 7

SECTOR = """
    .code16
    cli; xor %ax,%ax; mov %ax,%ds; mov %ax,%ss; mov $0x7c00,%sp; sti
    {set_mode}
    xor %cx,%cx
bank:
    {set_bank}
    mov ${segment},%ax; mov %ax,%es
    xor %di,%di
fill:
    mov %di,%ax; mov %ah,%bl; add %bl,%al; add %cl,%al; shr $1,%al; adc $3,%al
    mov %al,%es:(%di); inc %di; cmp ${length},%di; jne fill
    inc %cx; cmp ${banks},%cx; jb bank
    {more}
    mov $0xe9,%dx; mov $0x78,%al; out %al,%dx
rest: hlt; jmp rest
    .org 510
    .word 0xaa55
"""


def outb(port, value):
    return f"mov ${port},%dx; mov ${value},%al; out %al,%dx; "


def outw(port, index, value):
    return f"mov ${port},%dx; mov ${index | value << 8},%ax; out %ax,%dx; "


def attribute(index, value, status=0x3da):
    return f"mov ${status},%dx; in %dx,%al; " + outb(0x3c0, index) + outb(0x3c0, value) + outb(0x3c0, 0x20)


def fill(planes, value):
    """8000 words of planes of their own."""
    return outw(0x3c4, 2, planes) + \
        f"mov $0xa000,%ax; mov %ax,%es; xor %di,%di; mov $8000,%cx; mov ${value},%ax; rep stosw; "


STILL = outw(0x3d4, 0x0a, 0x20) + attribute(0x10, 0x04)  # no cursor, nothing blinks
SPLIT = outw(0x3d4, 0x0c, 0x02) + outw(0x3d4, 7, 0x0f) + outw(0x3d4, 0x18, 0x9f)
UNCHAINED = outw(0x3c4, 4, 6) + outw(0x3d4, 0x14, 0) + outw(0x3d4, 0x17, 0xe3)
LINES_480 = "".join(outw(0x3d4, r, v) for r, v in ((0x11, 0x2c), (6, 0x0d), (7, 0x3e), (0x10, 0xea), (0x11, 0xac),
                                                   (0x12, 0xdf), (0x15, 0xe7), (0x16, 6)))
TEXT, CGA, PLANES, BYTES = (0xb800, 0x1000), (0xb800, 0x4000), (0xa000, 0x9600), (0xa000, 0xfa00)

# name: mode, segment and length of what is filled, what is written then
ROWS = {
    "text-80": (3, TEXT, STILL),
    "text-mono": (7, (0xb000, 0x1000), outw(0x3b4, 0x0a, 0x20) + attribute(0x10, 6, 0x3ba)),
    "text-underlined": (3, TEXT, STILL + attribute(0x10, 0x06)),
    "text-other-font": (3, TEXT, STILL + outw(0x3c4, 3, 4)),
    "text-8-dots": (3, TEXT, STILL + outw(0x3c4, 1, 1)),
    "text-scrolled": (3, TEXT, STILL + outw(0x3d4, 0x0d, 83)),
    "text-split": (3, TEXT, STILL + SPLIT + outw(0x3d4, 9, 0x0f)),
    "text-50-rows": (3, (0xb800, 0x2000), "mov $0x1112,%ax; xor %bl,%bl; int $0x10; " + STILL),
    "cga-4": (4, CGA, ""),
    "cga-4-grey": (5, CGA, ""),
    "cga-2": (6, CGA, ""),
    "ega-320": (0x0d, PLANES, fill(5, 0x55aa)),
    "ega-640": (0x0e, PLANES, fill(9, 0x5533)),
    "ega-mono": (0x0f, PLANES, ""),
    "ega-350": (0x10, PLANES, fill(5, 0x55aa)),
    "ega-split": (0x10, PLANES, fill(6, 0x33aa) + SPLIT + outw(0x3d4, 9, 0)),
    "ega-palette": (0x10, PLANES, fill(5, 0x55aa) + attribute(0x14, 1) + attribute(0x10, 0x81) + attribute(0x12, 7)),
    "vga-2": (0x11, PLANES, ""),
    "vga-16": (0x12, PLANES, fill(9, 0x5533)),
    "vga-256": (0x13, BYTES, ""),
    "vga-256-split": (0x13, BYTES, SPLIT + outw(0x3d4, 9, 0x01)),
    "mode-x": (0x13, BYTES, UNCHAINED + LINES_480 + fill(5, 0x1234) + fill(8, 0x4321)),
    "mode-x-wide": (0x13, BYTES, UNCHAINED + outw(0x3d4, 0x13, 0x30) + outw(0x3d4, 0x0c, 0x11) + fill(5, 0x1234)),
}
VBE = [0x101, 0x103, 0x105, 0x110, 0x111, 0x112]  # filled through a window of 64 KiB
ADAPTERS = {"std": ["-vga", "std"], "cirrus": ["-vga", "cirrus"], "isa": ["-vga", "none", "-device", "isa-vga"]}


def sector(folder, name):
    """A floppy that does what the row says."""
    text = {"set_bank": "", "banks": 1}
    if name.startswith("vbe-"):
        mode, (segment, length), more = int(name[4:], 16), (0xa000, 0), ""
        text.update(banks=8, set_bank="push %cx; mov %cx,%dx; mov $0x4f05,%ax; xor %bx,%bx; int $0x10; pop %cx")
        set_mode = f"mov $0x4f02,%ax; mov ${mode},%bx; int $0x10"
    else:
        mode, (segment, length), more = ROWS[name]
        set_mode = f"mov ${mode},%ax; int $0x10"
    base = os.path.join(folder, name)
    with open(base + ".S", "w", encoding="ascii") as f:
        f.write(SECTOR.format(set_mode=set_mode, segment=segment, length=length, more=more, **text))
    subprocess.run(["as", "--32", "-o", base + ".o", base + ".S"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", base + ".o", base], check=True)
    os.truncate(base, 1440 * 1024)
    return base


def picture(emulator, options, floppy):
    """Width, height and RGB of what is shown once the sector has done its work."""
    folder = os.path.dirname(floppy)
    for name in ("monitor", "said", "dump"):
        if os.path.exists(f"{folder}/{name}"):
            os.unlink(f"{folder}/{name}")
    p = subprocess.Popen([*emulator, *options, "-m", "32", "-display", "none", "-serial", "none", "-boot", "a", "-drive",
                          f"file={floppy},format=raw,if=floppy", "-debugcon", f"file:{folder}/said", "-monitor",
                          f"unix:{folder}/monitor,server=on,wait=off"], stdin=subprocess.DEVNULL)
    try:
        monitor = hmp.Hmp(f"{folder}/monitor", TIMEOUT)
        end = time.monotonic() + TIMEOUT
        while not os.path.exists(f"{folder}/said") or not os.path.getsize(f"{folder}/said"):
            if time.monotonic() > end or p.poll() is not None:
                raise SystemExit(f"{emulator[0]} does not get there")
            time.sleep(0.05)
        monitor.command(f"screendump {folder}/dump")
        with open(f"{folder}/dump", "rb") as f:
            width, height, rgb = re.fullmatch(rb"P6\n(\d+) (\d+)\n255\n(.*)", f.read(), re.S).groups()
        return int(width), int(height), rgb
    finally:
        p.kill()
        p.wait()


def compare(mimus, adapter, name, folder):
    floppy = sector(folder, name)
    theirs = picture(["qemu-system-x86_64", "-accel", "tcg", "-nic", "none"], ADAPTERS[adapter], floppy)
    ours = picture([mimus], ADAPTERS[adapter], floppy)
    if ours[:2] != theirs[:2]:
        return f"{ours[0]} by {ours[1]} instead of {theirs[0]} by {theirs[1]}"
    if len(set(ours[2])) < 2:
        return "nothing is shown"
    for i, (a, b) in enumerate(zip(ours[2], theirs[2])):
        if abs(a - b) > CLOSE:
            return f"({i // 3 % ours[0]}, {i // 3 // ours[0]}) is {a:02x} instead of {b:02x}"
    return None


def main():
    mimus, wanted, bad = sys.argv[1], sys.argv[2:], 0
    if not shutil.which("qemu-system-x86_64") or not shutil.which("as") or not shutil.which("objcopy"):
        print("no qemu-system-x86_64, as or objcopy")
        return 77
    vbe = [f"vbe-{mode:x}" for mode in VBE]
    cases = [("std", n) for n in [*ROWS, *vbe]] + [("cirrus", n) for n in ["text-80", "vga-16", *vbe]] + \
        [("isa", n) for n in ["text-80", "vbe-112"]]
    with tempfile.TemporaryDirectory() as folder:
        for adapter, name in cases:
            if not wanted or name in wanted:
                problem = compare(mimus, adapter, name, folder)
                print(f"{adapter} {name}: {problem or 'the same'}", flush=True)
                bad += problem is not None
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
