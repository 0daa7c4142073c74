#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts: `powercut.py MIMUS GUESTDIR FORMAT INTERFACE CUTS [jobs]`, run by `meson test`.

A guest writes files to an ext4 disk for ever and says which are safe (synced); Mimus is killed at a
random moment. Then the image must be sound, the file system free of errors once its journal is
replayed, and every file that was safe must be there, whole. Again from there, CUTS times. With "jobs"
block jobs are at work all the while, and the disk goes from image to image.
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

from qmpclient import Qmp

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

    def __init__(self, command):
        self.console = b""
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
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


class Jobs:
    """Block jobs one after another; .disks: the images that the guest's disk may be at the moment."""

    def __init__(self, run, qmp, disk, rng, end):
        self.run, self.qmp, self.rng, self.end = run, Qmp(qmp), rng, end
        self.disks = [disk]
        self.where, self.count = qmp, 0

    def new(self):
        """The name of an image that is not there."""
        self.count += 1
        return f"{self.where}-{self.count}"

    def status(self):
        jobs = self.qmp.command("query-block-jobs")
        return jobs[0]["status"] if jobs else None

    def until(self, status):
        """False: the time is over."""
        while time.monotonic() < self.end:
            if self.status() == status:
                return True
            self.run.listen(0.005)
        return False

    def file(self):
        return self.qmp.command("query-block")[0]["inserted"]

    def go_over(self, to):
        """The job is ready: it ends, now or when the guest is gone."""
        if not self.until("ready"):
            return
        self.disks.append((to, "qcow2"))
        self.qmp.command("block-job-complete", device="disk")
        if self.until(None):
            self.disks = self.disks[-1:]
        self.run.listen(self.rng.uniform(0, 0.1))

    def above(self):
        self.disks = [(self.new(), "qcow2")]
        self.qmp.command("blockdev-snapshot-sync", device="disk", snapshot_file=self.disks[0][0])
        self.run.listen(self.rng.uniform(0, 0.5))

    def stream(self):
        self.qmp.command("block-stream", device="disk")
        self.until(None)

    def commit(self):
        below = self.file()["image"].get("full-backing-filename")
        if below:
            self.qmp.command("block-commit", device="disk", base=below)
            self.go_over(below)

    def mirror(self):
        to = self.new()
        self.qmp.command("drive-mirror", device="disk", target=to, format="qcow2", sync=self.rng.choice(["full", "top"]))
        self.go_over(to)

    def backup(self):
        self.qmp.command("drive-backup", device="disk", target=self.new(), format="qcow2", sync="full")
        self.until(None)

    def work(self):
        done = []
        while time.monotonic() < self.end:
            step = self.rng.choice([self.above, self.above, self.stream, self.commit, self.commit, self.mirror, self.backup])
            done.append(step.__name__)
            step()
        print(*done)
        return self.disks


def check_one_of(mimus, disks, where, first, safe):
    """The disk that it was."""
    for disk in disks[:-1]:
        try:
            check_disk(mimus, disk, where, first, safe)
            return disk
        except SystemExit as e:
            print(f"not {disk[0]}: {str(e)[:200]}")
    check_disk(mimus, disks[-1], where, first, safe)
    return disks[-1]


def check_disk(mimus, disk, where, first, safe, start=0, folder=""):
    """@start: where the file system begins (MiB are whole); @folder: where the writer writes."""
    path, kind = disk
    raw = path
    if kind != "raw":
        tool(mimus, "img", "check", path, good=(0, 3))  # 3: clusters are lost, no more
        raw = os.path.join(where, "copy")
        tool(mimus, "img", "convert", "-O", "raw", path, raw)
    else:
        shutil.copyfile(path, raw := os.path.join(where, "copy"))
    if start:
        tool("dd", f"if={raw}", f"of={raw}.part", "bs=1M", f"skip={start >> 20}", "conv=sparse", "status=none")
        raw += ".part"
    tool("e2fsck", "-y", "-E", "journal_only", raw, good=(0, 1))
    tool("e2fsck", "-f", "-n", raw)
    for number in range(max(first + 1, safe - KEPT), safe + 1):
        if tool("debugfs", "-R", f"cat {folder}/{number}", raw).split(b"\n", 1)[1] != content(number):
            sys.exit(f"file {number}, safe before {safe}, is not what was written")


def main():
    mimus, guest, kind, interface, cuts = sys.argv[1:6]
    jobs = sys.argv[6:] == ["jobs"]
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
        for n in range(int(cuts)):
            qmp = os.path.join(where, f"qmp{n}")
            run = Run([mimus, "-nographic", "-no-reboot", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz-devices"),
                       "-initrd", os.path.join(guest, "initrd-devices.gz"),
                       "-append", f"console=ttyS0 quiet net.ifnames=0 mimus.writer={first}",
                       "-drive", f"file={disk[0]},format={disk[1]},if={interface},id=disk",
                       "-qmp", f"unix:{qmp},server=on,wait=off"])
            if not run.listen(PATIENCE, b"safe "):
                sys.exit(f"no file was written:\n{run.console[-2000:].decode()}")
            disks = [disk]
            if jobs:
                disks = Jobs(run, qmp, disk, rng, time.monotonic() + rng.uniform(0, 6)).work()
            else:
                run.listen(rng.uniform(0, 3))
            run.cut()
            safe = run.safe()
            disk = check_one_of(mimus, disks, where, first, safe)
            print(f"cut after {safe - first} files")
            first = safe + 1000
    print("passed")


if __name__ == "__main__":
    main()
