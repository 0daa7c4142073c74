# SPDX-License-Identifier: MIT
"""Emulators as processes that end when this one does, however it does.

Each leads a process group of its own, so that Ctrl-C does not reach it and a wrapper's children go with it.
"""
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
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


def kill(process):
    """What is left of its group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end(process):
    """Kill it, and wait for it."""
    running.discard(process)
    kill(process)
    process.wait()


class Ended(SystemExit):
    """A signal has come, and every emulator is gone: show what there is, then let this go on."""


def stop(number, _):
    for other in SIGNALS:  # once is enough
        signal.signal(other, signal.SIG_IGN)
    for process in running:
        kill(process)
    raise Ended(128 + number)


def end_with_signals():
    for number in SIGNALS:
        signal.signal(number, stop)
