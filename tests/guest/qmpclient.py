# SPDX-License-Identifier: MIT
"""A QMP client on a unix socket, for tests."""
import json

from hmp import connect


class QmpError(Exception):
    pass


class Qmp:
    def __init__(self, path, timeout=60, negotiate=True, process=None):
        self.socket = connect(path, timeout, process)
        self.file = self.socket.makefile("r", encoding="utf-8")
        self.events = []
        self.greeting = self.read()["QMP"]
        if negotiate:
            self.command("qmp_capabilities")

    def read(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def reply(self):
        while "event" in (got := self.read()):
            self.events.append(got)
        if "error" in got:
            raise QmpError(f"{got['error']['class']}: {got['error']['desc']}")
        return got["return"]

    def command(self, name, /, **arguments):
        """Its result; _ in names of arguments stands for -."""
        request = {"execute": name}
        if arguments:
            request["arguments"] = {k.replace("_", "-"): v for k, v in arguments.items()}
        self.socket.sendall(json.dumps(request).encode())
        return self.reply()

    def wait_event(self, name):
        while not any(e["event"] == name for e in self.events):
            got = self.read()
            assert "event" in got, got
            self.events.append(got)
        event = next(e for e in self.events if e["event"] == name)
        self.events.remove(event)
        return event
