#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vncclient.py MIMUS: a client that is not ours takes a picture of the screen over VNC: vncsnapshot, a TightVNC
viewer without a window. It has the size that QMP's screendump has. Exit status 77 (skip) without it.
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

from qmpclient import Qmp


def jpeg_size(path):
    """Of the frame header, the one segment that has it."""
    with open(path, "rb") as f:
        data = f.read()
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    height, width = struct.unpack(">HH", data[at + 5:at + 9])
    return width, height


def ppm_size(q, path):
    q.command("screendump", filename=path)
    with open(path, "rb") as f:
        return tuple(int(n) for n in f.read().split(None, 3)[1:3])


def free_display():
    with socket.socket() as s:
        while True:
            s.bind(("127.0.0.1", 0))
            if s.getsockname()[1] > 5900:
                return s.getsockname()[1] - 5900


def main():
    mimus = sys.argv[1]
    if not shutil.which("vncsnapshot"):
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="vnc-") as where:
        display, path = f"127.0.0.1:{free_display()}", os.path.join(where, "q")
        machine = subprocess.Popen([mimus, "-display", "none", "-vnc", display, "-nodefaults", "-vga", "std",
                                    "-qmp", f"unix:{path},server=on,wait=off"], stdin=subprocess.DEVNULL)
        try:
            q = Qmp(path, process=machine)
            while ppm_size(q, os.path.join(where, "s.ppm")) != (720, 400):  # firmware has not set its mode yet
                q.command("query-status")
            picture = os.path.join(where, "s.jpg")
            subprocess.run(["vncsnapshot", "-quiet", display, picture], check=True, timeout=60, stderr=subprocess.DEVNULL)
            assert jpeg_size(picture) == (720, 400), jpeg_size(picture)
            q.command("quit")
            assert machine.wait(60) == 0
        finally:
            machine.kill()


main()
