# SPDX-License-Identifier: MIT
"""A guest whose console is talked to: start it, wait for texts, answer them."""
import os
import re
import select
import subprocess
import tempfile
import time

from hmp import Hmp

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")

# How much longer than usual a guest may take: scripts/test --sanitize says so, as it does for whole cases.
PATIENCE = float(os.environ.get("MIMUS_TEST_PATIENCE", "1"))


class Lost(Exception):
    """What was waited for did not come."""


class Guest:
    """Text of the serial port on standard output, without escapes.

    With @monitor it has a monitor on a socket, too: on a terminal that both share their words mix.
    """

    def __init__(self, command, timeout=300, monitor=False):
        timeout *= PATIENCE
        self.timeout = timeout
        self.where = tempfile.TemporaryDirectory() if monitor else None
        self.hmp = None
        if monitor:
            command = [*command, "-chardev", f"socket,id=talk,path={self.where.name}/monitor,server=on,wait=off",
                       "-mon", "chardev=talk"]
        print("+", " ".join(command), flush=True)
        self.end = time.monotonic() + timeout
        self.text = b""  # not yet looked at
        self.all = b""
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        self.p.stdin.close()
        self.p.stdout.close()
        if self.hmp:
            self.hmp.socket.close()
        if self.where:
            self.where.cleanup()

    def _read(self):
        """False at the end."""
        left = self.end - time.monotonic()
        if left <= 0 or not select.select([self.p.stdout], [], [], left)[0]:
            raise Lost("time is up")
        data = os.read(self.p.stdout.fileno(), 65536)
        self.all += data
        self.text = ESCAPES.sub(b"", self.text + data)
        return bool(data)

    def expect(self, text):
        """All up to and with @text, a regular expression."""
        pattern = re.compile(text.encode(), re.S)
        try:
            while not (m := pattern.search(self.text)):
                if not self._read():
                    raise Lost("the machine has ended")
        except Lost as e:
            raise Lost(f"{e}: waited for {text!r}; the end was\n{self.text[-3000:].decode(errors='replace')}") from None
        seen, self.text = self.text[:m.end()], self.text[m.end():]
        return seen.decode(errors="replace")

    def send(self, text):
        self.p.stdin.write(text.encode())
        self.p.stdin.flush()

    def monitor(self, line):
        """What the monitor answers to a command."""
        self.hmp = self.hmp or Hmp(self.where.name + "/monitor", self.timeout)
        return self.hmp.command(line)

    def finish(self):
        """Exit status, once it has ended by itself."""
        while self._read():
            pass
        return self.p.wait()
