# SPDX-License-Identifier: MIT
"""Emulators as processes that end when this one does, however it does.

Each leads a process group of its own, so that Ctrl-C does not reach it and a wrapper's children go with it.
"""
import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
running = set()


def spawn(argv, **streams):
    parent = os.getpid()

    def bind():
        """In the child: be killed when the parent is gone, even by SIGKILL."""
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    process = subprocess.Popen(argv, start_new_session=True, preexec_fn=bind, **streams)
    running.add(process)
    return process


def end(process):
    """Kill what is left of its group, and wait for it."""
    running.discard(process)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def stop(number, _):
    for process in list(running):
        end(process)
    sys.exit(128 + number)


def end_with_signals():
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, stop)
