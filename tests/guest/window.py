#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""window.py MIMUS: the window of -display sdl on an X server without a screen, with keys and mouse.

Exit status 77 without Xvfb, xdotool (packages of these names), or a build with SDL.
"""
import ctypes
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import hmp

TIMEOUT = 60
TITLE = "Mimus (window)"


class Lost(Exception):
    pass


def until(what, found):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        got = found()
        if got:
            return got
        time.sleep(0.1)
    raise Lost(f"waited for {what}")


def xdo(*words):
    return subprocess.run(["xdotool", *words], capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout


def start_server(folder):
    """Xvfb at a display of its own choice, which keeps what it shows in a file."""
    out, into = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(into), "-screen", "0", "1024x768x24", "-fbdir", folder],
                              pass_fds=[into], stderr=subprocess.DEVNULL)
    os.close(into)
    with os.fdopen(out) as f:
        os.environ["DISPLAY"] = ":" + f.readline().strip()
    os.environ.pop("SDL_VIDEODRIVER", None)
    return server


def pixels_of_server(folder, x, y, width, height):
    """RGB rows of that part, out of a file of xwd's format."""
    with open(os.path.join(folder, "Xvfb_screen0"), "rb") as f:
        data = f.read()
    head = struct.unpack(">25I", data[:100])
    start, pitch = head[0] + 12 * head[19], head[12]
    rows = []
    for row in range(y, y + height):
        at = start + row * pitch + 4 * x
        bgrx = data[at:at + 4 * width]
        rgb = bytearray(3 * width)
        rgb[0::3], rgb[1::3], rgb[2::3] = bgrx[2::4], bgrx[1::4], bgrx[0::4]
        rows.append(bytes(rgb))
    return b"".join(rows)


def geometry(window):
    text = xdo("getwindowgeometry", "--shell", window)
    return [int(re.search(rf"^{name}=(-?\d+)", text, re.M).group(1)) for name in ("X", "Y", "WIDTH", "HEIGHT")]


def check_picture(monitor, folder, window):
    """What a screendump has is in the window."""
    def same():
        monitor.command(f"screendump {folder}/dump")
        with open(f"{folder}/dump", "rb") as f:
            head, rgb = re.fullmatch(rb"P6\n(\d+ \d+)\n255\n(.*)", f.read(), re.S).groups()
        x, y, width, height = geometry(window)
        return [width, height] == [int(n) for n in head.split()] and len(set(rgb)) > 1 and \
            pixels_of_server(folder, x, y, width, height) == rgb
    until("the picture", same)


def ask_to_close(window):
    """As a window manager does."""
    class Message(ctypes.Structure):
        _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                    ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("kind", ctypes.c_ulong),
                    ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("pad", ctypes.c_long * 24)]
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    event = Message(type=33, window=int(window), kind=x11.XInternAtom(display, b"WM_PROTOCOLS", 0), format=32)
    event.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    x11.XSendEvent(display, int(window), 0, 0, ctypes.byref(event))
    x11.XCloseDisplay(display)


def play(monitor, folder):
    window = until("the window", lambda: xdo("search", "--name", re.escape(TITLE))).split()[0]
    until("firmware", lambda: "Press ESC" in monitor.command("info screen"))
    check_picture(monitor, folder, window)
    xdo("windowfocus", "--sync", window)
    xdo("key", "Escape")
    until("the boot menu", lambda: "Select boot device" in monitor.command("info screen"))
    check_picture(monitor, folder, window)
    xdo("mousemove", "--window", window, "100", "100", "click", "1")
    until("the mouse being taken", lambda: "gives the mouse back" in xdo("getwindowname", window))
    xdo("key", "ctrl+alt+g")
    until("the mouse being given back", lambda: xdo("getwindowname", window).strip() == TITLE)
    xdo("mousemove", "1020", "760")  # the pointer is part of what the server shows
    xdo("windowsize", window, "900", "500")
    until("another size", lambda: geometry(window)[2:] == [900, 500])
    xdo("key", "ctrl+alt+u")
    until("the picture's size", lambda: geometry(window)[2:] == [720, 400])
    xdo("key", "ctrl+alt+2")
    until("a screen that is not there", lambda: geometry(window)[2:] == [640, 480])
    xdo("key", "ctrl+alt+1")
    check_picture(monitor, folder, window)
    ask_to_close(window)


def run(mimus, folder):
    command = [mimus, "-display", "sdl", "-name", "window", "-m", "32", "-nic", "none", "-serial", "none", "-boot",
               "menu=on,splash-time=60000", "-monitor", f"unix:{folder}/monitor,server=on,wait=off"]
    print("+", " ".join(command), flush=True)
    p = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until("the monitor", lambda: os.path.exists(f"{folder}/monitor") or p.poll() is not None)
        if p.poll() is not None:
            said = p.stderr.read()
            if "without SDL" in said:
                return 77
            raise Lost(said)
        play(hmp.Hmp(f"{folder}/monitor", TIMEOUT), folder)
        if p.wait(TIMEOUT):
            raise Lost(f"exit status {p.returncode}: {p.stderr.read()}")
        return 0
    finally:
        p.kill()
        p.communicate()


def main():
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        print("no Xvfb or no xdotool")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        server = start_server(folder)
        try:
            return run(sys.argv[1], folder)
        except Lost as e:
            print(e)
            return 1
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
