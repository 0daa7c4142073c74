# SPDX-License-Identifier: MIT
"""A text monitor on a unix socket, for tests."""
import socket
import time


def connect(path, timeout, process=None):
    """A socket to a program that may still be about to listen at @path, unless @process has ended."""
    end = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            break
        except OSError:
            connection.close()
            if time.monotonic() > end or (process and process.poll() is not None):
                raise
            time.sleep(0.02)
    connection.settimeout(timeout)
    return connection


class Hmp:
    def __init__(self, path, timeout=60):
        self.socket = connect(path, timeout)
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
