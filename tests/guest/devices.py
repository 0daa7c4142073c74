#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disk, CD-ROM and network from inside Linux: `devices.py MIMUS GUESTDIR CASE`, run by `meson test`.

The guest reads a disk and a disc, copies one to the other, fetches a file and sends one, and hears
what is typed; checksums on its console and what arrived here must be right. "recorded" cases do so
while a recording is made, and replay that without images and without a network; "reverse" goes back
and forth in it. Exit status 77 (skip) without guest files.
"""
import hashlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading

import reverse
from rsp import Machine

TIMEOUT = 280
PATIENCE = int(os.environ.get("MIMUS_PATIENCE", "1"))
DISK, DISC, FILE = 8 << 20, 2 << 20, 3 << 20
TYPED = "echo typed-42"

IDE = ("sda", "ide", "e1000")
VIRTIO = ("vda", "virtio", "virtio-net-pci")


class Case:
    def __init__(self, cards, options="", recorded=True, replay="", then=None):
        self.cards, self.options, self.recorded = cards, options.split(), recorded
        self.replay, self.then = replay.split(), then  # then: what to do with the recording


def step_back(mimus, recording):
    """Everywhere in the second half, where disk and network are at work."""
    m = Machine(mimus, "-S", "-replay", recording, always=())
    try:
        r = m.connect()
        r.start()
        end = reverse.at_ends(r, True)
        counts = reverse.everywhere(r, end, True, end // 2)
        reverse.points(r, counts)
        info = reverse.monitor(r, "info replay")
        print(info)
        check("defect" not in info, "a checkpoint is not what the run had there")
    finally:
        m.end()


def live(mimus, recording):
    """In the middle of copying, the machine goes on by itself: with images as they were before, and
    what was written until there."""
    where = os.path.dirname(recording)
    m = Machine(mimus, "-S", "-replay", recording, always=())
    try:
        r = m.connect()
        r.start()
        console = b""
        r.send("c")
        while b"\ncd " not in console:
            console += m.process.stdout.read(1)
        r.socket.sendall(b"\x03")
        r.receive()
        there = reverse.monitor(r, "info hash")
        said = reverse.monitor(r, "go-live")
        drives = re.findall(r" (\S+)=FILE", said)
        check(len(drives) == 2 and "what is on the machine's disks" in said, said)
        files = dict(zip(drives, ("disk", "disc")))
        said = reverse.monitor(r, "go-live " + " ".join(f"{d}={where}/{files[d]}x" for d in drives))
        check("No such file" in said, said)
        said = reverse.monitor(r, "go-live " + " ".join(f"{d}={where}/disc" for d in drives))
        check("bytes, and the medium in" in said, said)
        with open(os.path.join(where, "disk"), "rb") as f:
            data = bytearray(f.read())
        data[1000] ^= 1
        with open(os.path.join(where, "other"), "wb") as f:
            f.write(data)
        other = {"disk": "other", "disc": "disc"}
        said = reverse.monitor(r, "go-live " + " ".join(f"{d}={where}/{other[files[d]]}" for d in drives))
        check("is not what" in said, said)
        check(reverse.monitor(r, "info hash") == there, "a refusal has changed the replay")
        said = reverse.monitor(r, "go-live " + " ".join(f"{d}={where}/{files[d]}" for d in drives))
        check("the recording is left" in said, said)
        r.ok("D")
        while b"\ncopy " not in console or not console.endswith(b"\n"):
            console += m.process.stdout.read(1)
        console = console.decode(errors="replace")
        with open(os.path.join(where, "disc"), "rb") as f:
            check("copy " + md5(f.read()) in console, "the copy is another", console)
        with open(os.path.join(where, "disk"), "rb") as f:
            data[1000] ^= 1
            check(f.read() == data, "the image was written to")
    finally:
        m.end()


CASES = {
    "free": Case(IDE, recorded=False),
    "free-virtio": Case(VIRTIO, recorded=False),
    "recorded": Case(IDE),
    "recorded-smp4": Case(VIRTIO, "-smp 4"),
    "live": Case(VIRTIO, then=live),
    # slow suite
    "live-ide": Case(IDE, then=live),
    "recorded-virtio": Case(VIRTIO),
    "recorded-rtl8139": Case(("vda", "virtio", "rtl8139")),
    "recorded-ide-smp4": Case(IDE, "-smp 4"),
    "recorded-interp": Case(VIRTIO, replay="-accel tcg,backend=interp"),
    "reverse": Case(IDE, then=step_back),
    "reverse-virtio": Case(VIRTIO, then=step_back),
}


def md5(data):
    return hashlib.md5(data).hexdigest()


class Peer(threading.Thread):
    """Takes one connection: answers it by @reply, or keeps what it is sent."""

    def __init__(self, reply=None):
        super().__init__(daemon=True)
        self.reply, self.got = reply, b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        connection = self.socket.accept()[0]
        if self.reply is not None:
            connection.recv(4096)
            head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(self.reply)}\r\n\r\n"
            connection.sendall(head.encode() + self.reply)
        else:
            while part := connection.recv(65536):
                self.got += part
        connection.close()


def run(command, typed=""):
    print("+", " ".join(command), flush=True)
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    watchdog = threading.Timer(TIMEOUT * PATIENCE, p.kill)
    watchdog.start()
    console, said = b"", []
    reader = threading.Thread(target=lambda: said.append(p.stderr.read()))
    reader.start()
    for part in iter(lambda: os.read(p.stdout.fileno(), 65536), b""):
        console += part
        if typed and b"\ntype\r\n" in console:
            p.stdin.write(typed.encode() + b"\n")
            p.stdin.flush()
            typed = ""
    status = p.wait()
    watchdog.cancel()
    reader.join()
    said = said[0].decode(errors="replace")
    print(said, end="", flush=True)
    return status, console.decode(errors="replace"), said


def check(good, what, console=""):
    if not good:
        print(console[-3000:])
        sys.exit("wrong: " + what)


def boot(mimus, guest, where, case, extra):
    rng = random.Random(1)
    disk, disc, file = rng.randbytes(DISK), rng.randbytes(DISC), rng.randbytes(FILE)
    paths = {"disk": disk, "disc": disc}
    for name, data in paths.items():
        with open(os.path.join(where, name), "wb") as f:
            f.write(data)
    fetched, sent = Peer(file), Peer()
    name, interface, card = case.cards
    command = [mimus, "-nographic", "-no-reboot", "-m", "512", "-cpu", "max",
               "-kernel", os.path.join(guest, "vmlinuz-devices"),
               "-initrd", os.path.join(guest, "initrd-devices.gz"),
               "-append", f"console=ttyS0 quiet net.ifnames=0 mimus.devices mimus.disk={name} "
               f"mimus.typed mimus.http={fetched.port} mimus.sink={sent.port}",
               "-drive", f"file={where}/disk,format=raw,if={interface}", "-cdrom", f"{where}/disc",
               "-nic", f"user,model={card}"] + case.options + extra
    status, console, _ = run(command, TYPED)
    check(status == 0, f"exit status {status}", console)
    for line in (f"disk {md5(disk)}", f"cd {md5(disc)}", f"copy {md5(disc)}",
                 f"fetched {md5(file)}", "sent", "heard " + TYPED):
        check(line in console, f"no line '{line}'", console)
    sent.join(20)
    check(sent.got == disc, f"{len(sent.got)} bytes sent, or others than there were", console)
    with open(os.path.join(where, "disk"), "rb") as f:
        check(f.read() == disk[:4 << 20] + disc + disk[6 << 20:], "the image is another", console)
    return console


def main():
    mimus, guest, name = sys.argv[1:4]
    for needed in ("vmlinuz-devices", "initrd-devices.gz"):
        if not os.path.exists(os.path.join(guest, needed)):
            print(f"no {needed} in {guest}: scripts/guest-files {guest} devices")
            sys.exit(77)
    case = CASES[name]
    with tempfile.TemporaryDirectory() as where:
        recording = os.path.join(where, "r.mrec")
        console = boot(mimus, guest, where, case, ["-record", recording] if case.recorded else [])
        if not case.recorded:
            return
        if case.then:
            with open(os.path.join(where, "disk"), "wb") as f: # as it was before
                f.write(random.Random(1).randbytes(DISK))
            case.then(mimus, recording)
            return
        os.unlink(os.path.join(where, "disk"))
        os.unlink(os.path.join(where, "disc"))
        status, replayed, said = run([mimus, "-replay", recording] + case.replay)
        check(status == 0 and "hashes agree\n" in said, "the replay does not agree")
        check(replayed == console, "the replay's console is another")


main()
