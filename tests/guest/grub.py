#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""grub.py MIMUS MODEL: PC firmware and GRUB from a disk, for models that no kernel of Debian's boots on.

GRUB is the host's (package grub-pc-bin), put on a disk as grub-bios-setup does. Exit status 77 without it.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

GRUB = "/usr/lib/grub/i386-pc"
MODULES = "biosdisk serial terminal echo iorw lsmmap hexdump".split()
SCRIPT = """serial --unit=0 --speed=115200
terminal_output serial
echo grub is here
lsmmap
hexdump -n 2 -s 510 (hd0)0+1
outb 0xf4 0x10
"""
EXPECTED = ["grub is here", "base_addr = 0x100000, length = 0x3eff000, available RAM", "55 aa"]
SECTOR = 512


def make_disk(folder, text=SCRIPT, modules=MODULES, memdisk=None):
    script, core = os.path.join(folder, "script"), os.path.join(folder, "core.img")
    with open(script, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "/", "-c", script,
                    *(["-m", memdisk] if memdisk else []), *modules], check=True)
    with open(os.path.join(GRUB, "boot.img"), "rb") as f:
        boot = bytearray(f.read().ljust(SECTOR, b"\0"))
    with open(core, "rb") as f:
        image = bytearray(f.read())
    # Its first sector, from sector 1, loads the others to 8200h by a list at its end.
    struct.pack_into("<QHH", image, SECTOR - 12, 2, (len(image) - 1) // SECTOR, 0x820)
    struct.pack_into("<Q", boot, 0x5c, 1)
    boot[510:512] = b"\x55\xaa"
    disk = os.path.join(folder, "disk")
    with open(disk, "wb") as f:
        f.write((boot + image).ljust(4 << 20, b"\0"))
    return disk


def is_here():
    return shutil.which("grub-mkimage") and os.path.exists(GRUB + "/boot.img")


def main():
    mimus, model = sys.argv[1:3]
    if not is_here():
        print("no GRUB for PCs here (package grub-pc-bin)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        command = [mimus, "-M", "pc", "-m", "64", "-cpu", model, "-nodefaults", "-display", "none", "-serial", "stdio",
                   "-device", "isa-debug-exit,iobase=0xf4", "-drive", f"file={make_disk(folder)},format=raw", *sys.argv[3:]]
        print("+", " ".join(command), flush=True)
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=300, check=False)
    text = p.stdout.decode(errors="replace")
    missing = [e for e in EXPECTED if e not in text]
    if missing or p.returncode != 0x21:
        print(text, f"missing: {missing}, exit status {p.returncode}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
