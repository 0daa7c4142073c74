#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screens.py MIMUS CASE: what firmware and GRUB show, seen and typed to through VNC and a terminal.

Exit status 77 without the firmware's font, GRUB (package grub-pc-bin) or, for curses, a pty.
"""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

import grub
import hmp
import rfb

TIMEOUT = 100
EXIT = ["-device", "isa-debug-exit,iobase=0xf4"]
MODULES = grub.MODULES + "memdisk tar gfxterm vbe font video video_fb".split()
FONT = "/usr/share/grub/ascii.pf2"
# A picture of 640 by 480, and a prompt in it.
GRAPHICS = "loadfont (memdisk)/ascii.pf2\nset gfxmode=640x480x32\nterminal_output gfxterm\necho ready\n"
# Text that scrolls for some time, without anybody; then the machine ends.
UNSEEN = "hexdump -n 2048 (hd0)0+8\n" + "outb 0xf4 0x10\n"


class Lost(Exception):
    pass


def check(good, what):
    if not good:
        raise Lost(what)


def start(command, **how):
    print("+", " ".join(command), flush=True)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)


def finish(p, status):
    said = p.communicate(timeout=TIMEOUT)[1]
    print(said or "", flush=True)
    check(p.returncode == status, f"exit status {p.returncode}")
    return said


def machine(mimus, folder, *more):
    return [mimus, "-m", "32", "-display", "none", "-serial", "none", "-monitor", "none", "-nic", "none",
            "-vnc", f"unix:{folder}/vnc", *EXIT, *more]


def graphics_disk(folder):
    shutil.copy(FONT, folder)
    memdisk = os.path.join(folder, "memdisk.tar")
    subprocess.run(["tar", "-C", folder, "-cf", memdisk, "ascii.pf2"], check=True)
    disk = grub.make_disk(folder, GRAPHICS, MODULES, memdisk)
    return ["-drive", f"file={disk},format=raw"]


def menu(mimus, folder):
    """The firmware's boot menu, by a key."""
    p = start(machine(mimus, folder, "-boot", "menu=on"), stderr=subprocess.PIPE, text=True)
    try:
        for encodings in ((rfb.ZRLE, rfb.SIZE), (rfb.RAW, rfb.SIZE)):
            c = rfb.Rfb(f"{folder}/vnc", encodings)
            check(c.name == "Mimus", c.name)
            c.wait(lambda c: "Press ESC for boot menu." in c.text())
            c.type("\x1b")
            c.wait(lambda c: "Select boot device:" in c.text() and "1. " in c.text())
            c.close()
        p.send_signal(signal.SIGTERM)
        finish(p, 0)
    finally:
        p.kill()


def sendkey(mimus, folder):
    """The same by the monitor's hands."""
    command = machine(mimus, folder, "-boot", "menu=on")
    command[command.index("-monitor") + 1] = f"unix:{folder}/monitor,server=on,wait=off"
    p = start(command, stderr=subprocess.PIPE, text=True)
    try:
        c, monitor = rfb.Rfb(f"{folder}/vnc"), hmp.Hmp(f"{folder}/monitor")
        c.wait(lambda c: "Press ESC for boot menu." in c.text())
        check("  Client: (unix)" in monitor.command("info vnc"), "info vnc lacks the client")
        check(monitor.command("sendkey esc 50") == "", "sendkey complains")
        c.wait(lambda c: "Select boot device:" in c.text())
        monitor.command("quit")
        finish(p, 0)
    finally:
        p.kill()


def shows_graphics(c):
    return (c.width, c.height) == (640, 480) and sum(p != 0 for row in c.rows for p in row) > 50


def grub_graphics(mimus, folder):
    """A picture, typed into; recorded, and replayed with and without a spectator."""
    record = f"{folder}/r.mrec"
    p = start(machine(mimus, folder, "-record", record, *graphics_disk(folder)), stderr=subprocess.PIPE, text=True)
    try:
        c = rfb.Rfb(f"{folder}/vnc")
        c.wait(shows_graphics)
        for part in ("echo ", "A_b\n", "outb ", "0xf4 ", "0x10"): # the firmware keeps 15 keys
            before = [row[:] for row in c.rows]
            c.type(part)
            c.wait(lambda c: c.rows != before)
        c.type("\n")
        finish(p, 0x21)
    finally:
        p.kill()
    p = start([mimus, "-replay", record], stderr=subprocess.PIPE, text=True)
    check("hashes agree" in finish(p, 0), "the replay does not agree")
    p = start([mimus, "-replay", record, "-vnc", f"unix:{folder}/vnc"], stderr=subprocess.PIPE, text=True)
    try:
        c = rfb.Rfb(f"{folder}/vnc")
        c.type("this is not heard\n")
        c.wait(shows_graphics)
        c.close()
        check("hashes agree" in finish(p, 0), "the replay that was watched does not agree")
    finally:
        p.kill()


def unseen(mimus, folder):
    """A counted run is the same whether or not somebody looks."""
    disk = ["-drive", f"file={grub.make_disk(folder, UNSEEN)},format=raw", "-icount", "1", "-d", "hash"]
    hashes = []
    for watched in (False, True):
        p = start(machine(mimus, folder, *disk), stderr=subprocess.PIPE, text=True)
        if watched:
            c = rfb.Rfb(f"{folder}/vnc", (rfb.RAW, rfb.SIZE))
            try:
                while True:
                    c.update()
            except (EOFError, OSError):
                print(c.updates, "updates")
                check(c.updates > 5, "little was seen")
        hashes.append(re.search(r"state hash: (\w+)", finish(p, 0x21))[1])
    check(hashes[0] == hashes[1], f"other hashes: {hashes}")


class Terminal:
    """A machine on a terminal of its own."""

    def __init__(self, command, rows=30, columns=100):
        print("+", " ".join(command), flush=True)
        self.text = ""
        try:
            self.master, slave = pty.openpty()
        except OSError as error:
            print(f"no terminal to show it on: {error}")
            sys.exit(77)
        termios.tcsetwinsize(slave, (rows, columns)) if hasattr(termios, "tcsetwinsize") else \
            subprocess.run(["stty", "rows", str(rows), "cols", str(columns)], stdin=slave, check=True)
        self.slave, self.before = slave, termios.tcgetattr(slave)
        self.p = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  env=dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8"))

    def wait(self, text):
        end = time.monotonic() + TIMEOUT
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]", "", self.text):
            check(time.monotonic() < end, f"no '{text}' in {self.text!r}")
            if select.select([self.master], [], [], 1)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace")

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, status):
        check(self.p.wait(TIMEOUT) == status, f"exit status {self.p.returncode}")
        while select.select([self.master], [], [], 0)[0]:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        check(termios.tcgetattr(self.slave) == self.before, "the terminal is left in another mode")
        check("\x1b[?1049l" in self.text, "the terminal still has another screen")


def curses(mimus, folder):
    """On a terminal: text, keys, the size of pictures; put back whatever the end is."""
    command = [mimus, "-m", "32", "-display", "curses", "-nic", "none", "-boot", "menu=on", *EXIT]
    t = Terminal(command)
    t.wait("Press ESC for boot menu.")
    t.type("\x1b")
    t.wait("Select boot device:")
    t.type("\x01x")
    t.end(0)
    t = Terminal(command + graphics_disk(folder))
    t.wait("640 x 480 Graphic mode")
    t.type("outb 0xf4 0x10\n")
    t.end(0x21)
    # A sanitizer's runtime would make something else of the signal that is sent.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"
    for number in (signal.SIGTERM, signal.SIGSEGV):
        t = Terminal(command)
        t.wait("SeaBIOS")
        t.p.send_signal(number)
        t.end(0 if number == signal.SIGTERM else -number)


CASES = {"menu": menu, "sendkey": sendkey, "grub": grub_graphics, "unseen": unseen, "curses": curses}


def main():
    mimus, case = sys.argv[1:3]
    if not grub.is_here() or not os.path.exists(FONT) or not os.path.exists(rfb.ROM):
        print("no GRUB for PCs here (packages grub-pc-bin, grub-common), or no firmware")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        try:
            CASES[case](mimus, folder)
        except Lost as e:
            print("wrong:", e)
            return 1
    return 0


sys.exit(main())
