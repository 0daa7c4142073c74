#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Saved states of a Linux guest: `states.py MIMUS GUESTDIR CASE`, run by `meson test`.

  disks    savevm while the guest copies to its qcow2 disk, loadvm in the same process and -loadvm
           in others: nothing of what it writes is lost
  activity the machine is saved and loaded again and again while the guest writes to its disk and compares, pings, and
           paints its screen, which is after loading what it was
  streams  a counted run whose state is written to a file goes on as the run that -incoming begins
           with it; and what is refused
  interp   the same, going on with the portable back end (long)
  relay OTHER  a counted run's state goes to OTHER, Mimus of another host (scripts/cross-test --state), and
           from there back again: the run's end is that of one that stayed here. MIMUS_PATIENCE=N
           multiplies the time that it may take

Exit status 77 (skip) without guest files.
"""
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import dialogue
from hmp import Hmp

SKIP = 77
PATIENCE = 300 * int(os.environ.get("MIMUS_PATIENCE", "1"))
DISK, DISC = 8 << 20, 2 << 20


def md5(data):
    return hashlib.md5(data).hexdigest()


def check(good, what, console=""):
    if not good:
        print(console[-3000:])
        sys.exit("wrong: " + what)


started = []


class Guest:
    def __init__(self, mimus, where, options, name):
        self.console_path = os.path.join(where, name + ".console")
        self.monitor_path = os.path.join(where, name + ".sock")
        command = [mimus, "-display", "none", "-no-reboot", "-serial", "file:" + self.console_path,
                   "-monitor", f"unix:{self.monitor_path},server=on,wait=off", *options]
        print("+", " ".join(command), flush=True)
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(self.process)

    def console(self):
        if not os.path.exists(self.console_path):
            return ""  # it has not come so far yet
        with open(self.console_path, errors="replace") as f:
            return f.read()

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.console(), re.M):
            check(self.process.poll() is None and time.monotonic() < end, f"no '{pattern}'",
                  self.console())
            time.sleep(0.02)

    def end(self, status=0):
        said = self.process.communicate(timeout=PATIENCE)[1]
        check(self.process.returncode == status, f"status {self.process.returncode}: {said}",
              self.console())
        return said


def image_is_sound(path):
    if shutil.which("qemu-img"):
        said = subprocess.run(["qemu-img", "check", path], capture_output=True, text=True, check=False)
        check(said.returncode == 0, f"qemu-img check: {said.stdout}{said.stderr}")


def disks(mimus, guest, where):
    rng = random.Random(1)
    disk, disc = rng.randbytes(DISK), rng.randbytes(DISC)
    paths = [os.path.join(where, n) for n in ("disk.raw", "disc", "disk.qcow2")]
    for path, data in zip(paths, (disk, disc)):
        with open(path, "wb") as f:
            f.write(data)
    subprocess.run([mimus, "img", "convert", "-f", "raw", "-O", "qcow2", paths[0], paths[2]], check=True)
    options = ["-m", "256", "-kernel", os.path.join(guest, "vmlinuz-devices"), "-initrd",
               os.path.join(guest, "initrd-devices.gz"), "-append",
               "console=ttyS0 quiet net.ifnames=0 mimus.devices mimus.disk=sda mimus.http=1 mimus.sink=1",
               "-hda", paths[2], "-cdrom", paths[1], "-nic", "user"]

    def copied(machine, after=0):
        line = f"copy {md5(disc)}"
        machine.wait_for(r"^copy .*\n(?:.|\n)*" * after + r"^copy .*\n")
        check(machine.console().count(line) == after + 1, f"no line '{line}'", machine.console())

    first = Guest(mimus, where, options, "first")
    monitor = Hmp(first.monitor_path)
    first.wait_for(r"^disk")
    tags = []
    while "copy" not in first.console() and len(tags) < 40:
        tags.append(f"t{len(tags)}")
        check(monitor.command(f"savevm {tags[-1]}") == "", "savevm")
    copied(first)
    listed = monitor.command("info snapshots")
    check(all(f" {tag} " in listed for tag in tags), "info snapshots: " + listed)
    middle = tags[len(tags) // 2]
    check(monitor.command(f"loadvm {middle}") == "", "loadvm")
    copied(first, 1)
    for line, answer in (("loadvm none", "Error: Snapshot 'none' does not exist in one or more devices\n"),
                         ("loadvm", 'loadvm: string expected\nTry "help loadvm" for more information\n'),
                         ("delvm none", ""), (f"delvm {tags[0]}", "")):
        said = monitor.command(line)
        check(said == answer, f"{line}: {said}")
    first.process.terminate()
    first.end()
    image_is_sound(paths[2])
    for tag in {tags[1], middle, tags[-1]}:
        machine = Guest(mimus, where, options + ["-loadvm", tag], tag)
        copied(machine)
        machine.process.terminate()
        machine.end()
        image_is_sound(paths[2])
    said = Guest(mimus, where, options + ["-loadvm", tags[0]], "gone").end(1)
    check(f"Snapshot '{tags[0]}' does not exist" in said, said)
    said = Guest(mimus, where, options + ["-loadvm", tags[1], "-m", "128"], "small").end(1)
    check("the state is of a machine with memory of 268435456 bytes, and this one has" in said, said)


def picture(machine, where):
    path = os.path.join(where, "screen")
    check(machine.monitor(f"screendump {path}") == "", "screendump")
    with open(path, "rb") as f:
        return f.read()


def activity(mimus, guest, where):
    rng = random.Random(1)
    disk = os.path.join(where, "disk.qcow2")
    subprocess.run([mimus, "img", "create", "-f", "qcow2", disk, "64M"], check=True, stdout=subprocess.DEVNULL)
    jobs = ["paint", "ping", "copy", "ping", "copy", "ping"]
    command = [mimus, "-display", "none", "-serial", "stdio", "-no-reboot", "-m", "256", "-vga", "std", "-kernel",
               os.path.join(guest, "vmlinuz-devices"), "-initrd", os.path.join(guest, "initrd-devices.gz"), "-append",
               "console=tty0 console=ttyS0 quiet net.ifnames=0 mimus.transfers", "-hda", disk, "-nic", "user"]
    with dialogue.Guest(command, PATIENCE, monitor=True) as machine:
        machine.expect("transfers ready")
        machine.send("\n".join(jobs) + "\n")
        machine.expect("job paint ended: 0")
        pictures = {}
        for n in range(15):
            machine.monitor("stop")
            tag = f"t{n}"
            check(machine.monitor("savevm " + tag) == "", "savevm")
            pictures[tag] = picture(machine, where)
            machine.monitor("cont")
            end = time.monotonic() + PATIENCE
            while picture(machine, where) == pictures[tag]:
                check(time.monotonic() < end, "nothing is painted", machine.all.decode(errors="replace"))
            if n % 3 == 2:
                machine.monitor("stop")
                tag = rng.choice(list(pictures))
                check(machine.monitor("loadvm " + tag) == "", "loadvm")
                check(picture(machine, where) == pictures[tag], f"the screen after loadvm {tag}")
                machine.monitor("cont")
        machine.send("sync-end\n")
        machine.expect("job sync-end ended")
        ends = re.findall(rb"^job (\w+) ended: (\d+)", machine.all, re.M)
        print(ends)
        check({job for job, status in ends if status == b"0"} >= {b"paint", b"copy", b"ping"}, "jobs")
        check(all(status == b"0" for job, status in ends), "a job has failed", machine.all.decode(errors="replace"))
        machine.send("poweroff\n")
        machine.finish()
    image_is_sound(disk)


def hash_of(said):
    return re.search(r"state hash: (\w+)", said)[1]


def counted(guest, work):
    return ["-m", "256", "-kernel", os.path.join(guest, "vmlinuz"), "-initrd", os.path.join(guest, "initrd.gz"),
            "-append", "console=ttyS0 mimus." + work, "-icount", "shift=1", "-d", "hash"]


def write_state(machine, mark, state):
    monitor = Hmp(machine.monitor_path)
    machine.wait_for(mark)
    check(monitor.command(f"migrate -d file:{state}") == "", "migrate")
    while "completed" not in (said := monitor.command("info migrate")):
        check("active" in said, said)
    return monitor


def relay(mimus, guest, where, other):
    options = counted(guest, "check")
    states = [os.path.join(where, name) for name in ("there", "back")]
    here = Guest(mimus, where, options, "here")
    write_state(here, r"^ok cpuinfo", states[0]).command("cont")
    wanted = hash_of(here.end())
    there = Guest(other, where, options + ["-incoming", "file:" + states[0]], "there")
    write_state(there, r"^ok ", states[1])  # the next one, whichever it is
    back = Guest(mimus, where, options + ["-incoming", "file:" + states[1]], "back")
    check(hash_of(back.end()) == wanted, "the end")
    check("self-check passed" in back.console(), "self-check", back.console())
    print("relay: the same end,", wanted)


def streams(mimus, guest, where, more=()):
    options = counted(guest, "poweroff")
    state = os.path.join(where, "state")
    first = Guest(mimus, where, options, "first")
    monitor = write_state(first, r"Memory: ", state)
    check("paused (postmigrate)" in monitor.command("info status"), "postmigrate")
    check(not [n for n in os.listdir(where) if n.startswith("state.")], "nothing is left over")
    monitor.command("cont")
    wanted = hash_of(first.end())
    for uri in (f"file:{state}", f"exec:cat {state}")[:1 if more else 2]:
        said = Guest(mimus, where, options + ["-incoming", uri, *more], "second").end()
        check(hash_of(said) == wanted, f"{uri}: {said} instead of {wanted}")
    if more:
        return
    deferred = Guest(mimus, where, options + ["-incoming", "defer"], "deferred")
    monitor = Hmp(deferred.monitor_path)
    check("paused (inmigrate)" in monitor.command("info status"), "inmigrate")
    check("No such file" in monitor.command("migrate_incoming file:/nowhere"), "no file")
    check(monitor.command(f"migrate_incoming file:{state}") == "", "migrate_incoming")
    check(hash_of(deferred.end()) == wanted, "deferred")
    with open(state, "rb") as f:
        data = f.read()
    with open(state + "2", "wb") as f:
        f.write(data[:-100])
    with open(state + "3", "wb") as f:
        f.write(data[:9000] + bytes([data[9000] ^ 1]) + data[9001:])
    for extra, uri, why in (
            (["-m", "128"], state, "the state is of a machine with memory of"),
            (["-smp", "2"], state, "the state is of a machine with 1 CPUs, and this one has 2 CPUs"),
            (["-cpu", "max"], state, "the state is of a machine with CPU model qemu64"),
            (["-device", "e1000,romfile="], state, "saved state has"),
            ([], state + "2", "the saved state is not whole"),
            ([], state + "3", "the saved state is damaged")):
        said = Guest(mimus, where, options + extra + ["-incoming", "file:" + uri], "bad").end(1)
        check("load of migration failed: " + why in said, f"{extra}: {said}")


def main():
    mimus, guest, case = sys.argv[1:4]
    needed = "vmlinuz-devices" if case in ("disks", "activity") else "vmlinuz"
    if not os.path.exists(os.path.join(guest, needed)):
        print(f"no {needed} in {guest}: scripts/guest-files {guest} devices")
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as where:
        try:
            if case == "disks":
                disks(mimus, guest, where)
            elif case == "activity":
                activity(mimus, guest, where)
            elif case == "relay":
                relay(mimus, guest, where, sys.argv[4])
            else:
                streams(mimus, guest, where,
                        ["-accel", "tcg,backend=interp"] if case == "interp" else ())
        finally:
            for process in started:
                process.kill()


if __name__ == "__main__":
    main()
