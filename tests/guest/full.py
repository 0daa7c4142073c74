#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""full.py MIMUS GUESTDIR CASE: the host has no room for what Linux writes to its disk.

The machine pauses and says so; it goes on when there is room, and nothing is lost.

  limit    the process may have no larger files
  tmpfs    a small file system is full (needs root)
  counted  as the second, in a run that is recorded: its replay does not notice

Exit status 77 (skip) without guest files or rights.
"""
import hashlib
import os
import random
import resource
import subprocess
import sys
import tempfile

from qmpclient import Qmp, QmpError
from states import Guest, check, image_is_sound, started

DISC = 2 << 20
ROOM = 1 << 20


class Limit:
    """Files of the process are as large as they may be."""

    def __init__(self, where):
        self.path = where

    def narrow(self, process):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))

    def widen(self, process):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    def close(self):
        pass


class Tmpfs:
    def __init__(self, where):
        self.path = os.path.join(where, "small")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "mimus-test", self.path], check=False)
        if done.returncode:
            sys.exit(77)

    def narrow(self, process):
        pass

    def widen(self, process):
        subprocess.run(["mount", "-o", f"remount,size={16 * ROOM}", self.path], check=True)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=True)


def wait_full(qmp):
    event = qmp.wait_event("BLOCK_IO_ERROR")["data"]
    check((event["device"], event["operation"], event["action"], event["nospace"]) == ("disk", "write", "stop", True),
          f"{event}")
    qmp.wait_event("STOP")
    check(qmp.command("query-status")["status"] == "io-error", "query-status")
    check(qmp.command("human-monitor-command", command_line="info status").strip() == "VM status: paused (io-error)",
          "info status")


def run(mimus, guest, where, host, options):
    disc = random.Random(1).randbytes(DISC)
    disk, cd, qmp_path = os.path.join(host.path, "disk.qcow2"), os.path.join(where, "cd"), os.path.join(where, "qmp")
    with open(cd, "wb") as f:
        f.write(disc)
    subprocess.run([mimus, "img", "create", "-f", "qcow2", disk, "8M"], check=True, stdout=subprocess.DEVNULL)
    machine = Guest(mimus, where, [
        "-S", "-m", "256", "-kernel", os.path.join(guest, "vmlinuz-devices"), "-initrd",
        os.path.join(guest, "initrd-devices.gz"), "-append", "console=ttyS0 quiet net.ifnames=0 mimus.devices mimus.disk=sda mimus.http=1 mimus.sink=1",
        "-drive", f"file={disk},id=disk", "-cdrom", cd, "-nic", "user",
        "-qmp", f"unix:{qmp_path},server=on,wait=off", *options], "full")
    qmp = Qmp(qmp_path)
    host.narrow(machine.process)
    qmp.command("cont")
    wait_full(qmp)
    qmp.command("cont")  # too early
    wait_full(qmp)
    try:
        qmp.command("human-monitor-command", command_line="savevm x")
    except QmpError as e:
        print(e)
    host.widen(machine.process)
    qmp.events.clear()
    qmp.command("cont")
    qmp.wait_event("RESUME")
    machine.wait_for(r"^copy .*\n")
    check(f"copy {hashlib.md5(disc).hexdigest()}" in machine.console(), "the copy", machine.console())
    qmp.socket.sendall(b'{"execute": "quit"}')
    said = machine.end()
    check("mimus: drive 'disk': " in said and "the machine is paused; 'cont' tries again" in said, said)
    image_is_sound(disk)


def main():
    mimus, guest, case = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "initrd-devices.gz")):
        print("no guest files in", guest)
        return 77
    with tempfile.TemporaryDirectory(prefix="mimus-full-") as where:
        host = Limit(where) if case == "limit" else Tmpfs(where)
        recording = os.path.join(where, "r.rec")
        try:
            run(mimus, guest, where, host, ["-record", recording] if case == "counted" else [])
        finally:
            for process in started:
                process.kill()
            host.close()
        if case == "counted":
            said = subprocess.run([mimus, "replay", recording, "--verify"], check=True, capture_output=True, text=True).stderr
            print(said)
            check("agree" in said and "not whole" not in said, said)
    print("ok")
    return 0


sys.exit(main())
