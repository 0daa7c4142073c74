# SPDX-License-Identifier: MIT
"""A guest whose console is talked to: start it, wait for texts, answer them."""
import os
import re
import select
import subprocess
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")


class Lost(Exception):
    """What was waited for did not come."""


class Guest:
    """Text of the serial port and of the monitor, if they share standard output, without escapes."""

    def __init__(self, command, timeout=300):
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
        """One command of the monitor that shares the terminal (mon:stdio), and its answer."""
        self.send("\x01c" + line + "\n")
        answer = self.expect(r"\(\w+\) ?" + re.escape(line) + r".*?\n\(\w+\)")
        self.send("\x01c")
        return answer

    def finish(self):
        """Exit status, once it has ended by itself."""
        while self._read():
            pass
        return self.p.wait()
