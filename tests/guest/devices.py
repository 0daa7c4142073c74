#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Disk, CD-ROM and network from inside Linux: `devices.py MIMUS GUESTDIR CASE`, run by `meson test`.

The guest reads a disk and a disc, copies one to the other, fetches a file and sends one; checksums
on its console and what arrived here must be right. "recorded" does so while a recording is made,
and replays that without images and without a network. Exit status 77 (skip) without guest files.
"""
import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading

TIMEOUT = 280
DISK, DISC, FILE = 8 << 20, 2 << 20, 3 << 20


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


def run(command):
    print("+", " ".join(command), flush=True)
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT,
                       check=False)
    said = p.stderr.decode(errors="replace")
    print(said, end="", flush=True)
    return p.returncode, p.stdout.decode(errors="replace"), said


def check(good, what, console=""):
    if not good:
        print(console[-3000:])
        sys.exit("wrong: " + what)


def boot(mimus, guest, where, extra):
    rng = random.Random(1)
    disk, disc, file = rng.randbytes(DISK), rng.randbytes(DISC), rng.randbytes(FILE)
    paths = {"disk": disk, "disc": disc}
    for name, data in paths.items():
        with open(os.path.join(where, name), "wb") as f:
            f.write(data)
    fetched, sent = Peer(file), Peer()
    command = [mimus, "-nographic", "-no-reboot", "-m", "512", "-cpu", "max",
               "-kernel", os.path.join(guest, "vmlinuz-devices"),
               "-initrd", os.path.join(guest, "initrd-devices.gz"),
               "-append", "console=ttyS0 quiet net.ifnames=0 mimus.devices "
               f"mimus.http={fetched.port} mimus.sink={sent.port}",
               "-drive", f"file={where}/disk,format=raw", "-cdrom", f"{where}/disc",
               "-nic", "user"] + extra
    status, console, _ = run(command)
    check(status == 0, f"exit status {status}", console)
    for line in (f"disk {md5(disk)}", f"cd {md5(disc)}", f"copy {md5(disc)}",
                 f"fetched {md5(file)}", "sent"):
        check(line in console, f"no line '{line}'", console)
    sent.join(20)
    check(sent.got == disc, f"{len(sent.got)} bytes sent, or others than there were", console)
    with open(os.path.join(where, "disk"), "rb") as f:
        check(f.read() == disk[:4 << 20] + disc + disk[6 << 20:], "the image is another", console)
    return console


def main():
    mimus, guest, case = sys.argv[1:4]
    for name in ("vmlinuz-devices", "initrd-devices.gz"):
        if not os.path.exists(os.path.join(guest, name)):
            print(f"no {name} in {guest}: scripts/guest-files {guest} devices")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as where:
        if case == "free":
            boot(mimus, guest, where, [])
            return
        recording = os.path.join(where, "r.mrec")
        console = boot(mimus, guest, where, ["-record", recording])
        os.unlink(os.path.join(where, "disk"))
        os.unlink(os.path.join(where, "disc"))
        status, replayed, said = run([mimus, "-replay", recording])
        check(status == 0 and "hashes agree\n" in said, "the replay does not agree")
        check(replayed == console, "the replay's console is another")


main()
