# SPDX-License-Identifier: MIT
"""A client of the GDB remote protocol, small and strict: what tests need and no more."""
import os
import re
import socket
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree


class Rsp:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(path)
        self.buffer = b""
        self.acks = True
        self.registers = []  # name, bytes

    def close(self):
        self.socket.close()

    def byte(self):
        if not self.buffer:
            self.buffer = self.socket.recv(65536)
            if not self.buffer:
                raise EOFError("the server closed the connection")
        c, self.buffer = self.buffer[:1], self.buffer[1:]
        return c

    def send(self, body):
        body = body.encode() if isinstance(body, str) else body
        self.socket.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xff))
        if self.acks:
            c = self.byte()
            assert c == b"+", f"acknowledged with {c} to {body}"

    def receive(self):
        c = self.byte()
        assert c == b"$", f"a packet was expected, not {c}"
        raw = b""
        while (c := self.byte()) != b"#":
            raw += c
        check = int(self.byte() + self.byte(), 16)
        assert check == sum(raw) & 0xff, "checksum"
        if self.acks:
            self.socket.sendall(b"+")
        return re.sub(rb"}(.)", lambda m: bytes([m[1][0] ^ 0x20]), raw, flags=re.S)

    def ask(self, body):
        self.send(body)
        return self.receive().decode("latin-1")

    def ok(self, body):
        answer = self.ask(body)
        assert answer == "OK", f"{body}: {answer}"

    # -- conveniences

    def start(self):
        """As gdb begins: features, no acknowledgements, the description."""
        features = self.ask("qSupported:swbreak+;hwbreak+;xmlRegisters=i386")
        assert "qXfer:features:read+" in features and "PacketSize=" in features, features
        self.ok("QStartNoAckMode")
        self.acks = False
        xml, part = "", "m"
        while part[0] == "m":
            part = self.ask(f"qXfer:features:read:target.xml:{len(xml):x},600")
            xml += part[1:]
        self.registers = [(r.get("name"), int(r.get("bitsize")) // 8)
                          for r in ElementTree.fromstring(xml).iter("reg")]
        return xml

    def all_registers(self):
        raw, at, values = bytes.fromhex(self.ask("g")), 0, {}
        for name, size in self.registers:
            values[name] = int.from_bytes(raw[at:at + size], "little")
            at += size
        assert at == len(raw), "g is as long as its description"
        return values

    def number(self, name):
        return [r[0] for r in self.registers].index(name)

    def get(self, name):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{self.number(name):x}")), "little")

    def set(self, name, value):
        n = self.number(name)
        return self.ask(f"P{n:x}={value.to_bytes(self.registers[n][1], 'little').hex()}")

    def read(self, addr, size):
        answer = self.ask(f"m{addr:x},{size:x}")
        assert not answer.startswith("E"), f"{addr:#x}: {answer}"
        return bytes.fromhex(answer)

    def run(self, how="c", until=None):
        """Run until it stops; the stop as a dictionary."""
        answer = self.ask(how)
        assert answer[0] == "T", answer
        pairs = [p.split(":", 1) for p in answer[3:].split(";") if p]
        stop = {"signal": int(answer[1:3], 16), **{k: v for k, v in pairs}}
        assert until is None or until in stop, f"stopped by {stop}, not by {until}"
        return stop


class Machine:
    """A mimus with a stub at a socket."""

    def __init__(self, mimus, *options, always=("-nodefaults", "-display", "none")):
        self.directory = tempfile.TemporaryDirectory()
        path = os.path.join(self.directory.name, "gdb")
        command = [mimus, *always, "-gdb", "unix:" + path, *options]
        print("+", " ".join(command), flush=True)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.path = path

    def connect(self):
        while True:  # until it listens
            try:
                return Rsp(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                if self.process.poll() is not None:
                    print(self.process.stdout.read().decode(errors="replace"))
                    raise

    def end(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()
