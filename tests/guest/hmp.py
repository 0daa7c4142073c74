# SPDX-License-Identifier: MIT
"""A text monitor on a unix socket, for tests."""
import socket
import time


class Hmp:
    def __init__(self, path, timeout=60):
        end = time.monotonic() + timeout
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(timeout)
        self.read()

    def read(self):
        got = b""
        while not got.endswith(b"(qemu) "):
            part = self.socket.recv(65536)
            if not part:
                break
            got += part
        return got.decode(errors="replace").replace("\r", "")

    def command(self, line):
        """What it prints."""
        self.socket.sendall(line.encode() + b"\n")
        text = self.read()
        return text[text.find("\n") + 1:].removesuffix("(qemu) ")
