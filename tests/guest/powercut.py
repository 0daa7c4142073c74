#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts: `powercut.py MIMUS GUESTDIR FORMAT INTERFACE CUTS`, run by `meson test`.

A guest writes files to an ext4 disk for ever and says which are safe (synced); Mimus is killed at a
random moment. Then the image must be sound, the file system free of errors once its journal is
replayed, and every file that was safe must be there, whole. Again from there, CUTS times.
Exit status 77 (skip) without guest files or e2fsprogs.
"""
import os
import random
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

DISK = 64 << 20
KEPT = 36     # files that the guest leaves before the newest safe one
PATIENCE = 120
sys.stdout.reconfigure(line_buffering=True)


def tool(*command, good=(0,)):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, check=False)
    if p.returncode not in good:
        sys.exit(f"{' '.join(command)}: status {p.returncode}\n{p.stdout.decode(errors='replace')}")
    return p.stdout


def content(number):
    """As scripts/guest-writer has it."""
    return f"line of {number}\n".encode() * (number * 7919 % 20000 + 1)


class Run:
    """Mimus from its start to the moment it is killed."""

    def __init__(self, mimus, guest, disk, interface, first):
        self.console = b""
        self.process = subprocess.Popen(
            [mimus, "-nographic", "-no-reboot", "-m", "256",
             "-kernel", os.path.join(guest, "vmlinuz-devices"),
             "-initrd", os.path.join(guest, "initrd-devices.gz"),
             "-append", f"console=ttyS0 quiet net.ifnames=0 mimus.writer={first}",
             "-drive", f"file={disk[0]},format={disk[1]},if={interface}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def listen(self, seconds, until=None):
        """For so long, or until the console has @until."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not (until and until in self.console):
            if self.selector.select(left):
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    sys.exit(f"Mimus ended by itself:\n{self.console[-2000:].decode()}")
                self.console += data
        return not until or until in self.console

    def cut(self):
        self.process.kill()
        self.console += self.process.stdout.read()
        self.process.wait()

    def safe(self):
        numbers = re.findall(rb"^safe (\d+)\r?$", self.console, re.M)
        return int(numbers[-1]) if numbers else None


def check_disk(mimus, disk, where, first, safe):
    path, kind = disk
    raw = path
    if kind != "raw":
        tool(mimus, "img", "check", path, good=(0, 3))  # 3: clusters are lost, no more
        raw = os.path.join(where, "copy")
        tool(mimus, "img", "convert", "-O", "raw", path, raw)
    else:
        shutil.copyfile(path, raw := os.path.join(where, "copy"))
    tool("e2fsck", "-y", "-E", "journal_only", raw, good=(0, 1))
    tool("e2fsck", "-f", "-n", raw)
    for number in range(max(first + 1, safe - KEPT), safe + 1):
        if tool("debugfs", "-R", f"cat /{number}", raw).split(b"\n", 1)[1] != content(number):
            sys.exit(f"file {number}, safe before {safe}, is not what was written")


def main():
    mimus, guest, kind, interface, cuts = sys.argv[1:6]
    for name in ("vmlinuz-devices", "initrd-devices.gz"):
        if not os.path.exists(os.path.join(guest, name)):
            print(f"no {name} in {guest}: scripts/guest-files {guest} devices")
            sys.exit(77)
    os.environ["PATH"] += ":/sbin:/usr/sbin"
    if not shutil.which("e2fsck") or not shutil.which("mke2fs"):
        print("no e2fsprogs")
        sys.exit(77)
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    rng = random.Random(seed)
    print(f"SEED={seed}")
    with tempfile.TemporaryDirectory() as where:
        disk = os.path.join(where, "disk"), kind
        raw = os.path.join(where, "raw")
        with open(raw, "wb") as f:
            f.truncate(DISK)
        tool("mke2fs", "-q", "-t", "ext4", raw)
        tool(mimus, "img", "convert", "-O", kind, raw, disk[0])
        first = 0
        for _ in range(int(cuts)):
            run = Run(mimus, guest, disk, interface, first)
            if not run.listen(PATIENCE, b"safe "):
                sys.exit(f"no file was written:\n{run.console[-2000:].decode()}")
            run.listen(rng.uniform(0, 3))
            run.cut()
            safe = run.safe()
            check_disk(mimus, disk, where, first, safe)
            print(f"cut after {safe - first} files")
            first = safe + 1000
    print("passed")


main()
