#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""surfaces.py MIMUS CASE: ways to drive a machine that no guest is needed for; it stands still or is in its firmware."""
import os
import subprocess
import sys
import tempfile

from hmp import Hmp
from qmpclient import Qmp, QmpError
from rsp import Rsp


class Machine:
    """One with a text monitor and QMP, in a directory of its own."""

    def __init__(self, mimus, where, *options, stopped=True):
        paths = [os.path.join(where, name) for name in ("monitor", "qmp")]
        self.where = where
        self.process = subprocess.Popen(
            [mimus, "-m", "64", "-display", "none", "-serial", "null", *(["-S"] if stopped else []),
             "-monitor", f"unix:{paths[0]},server=on,wait=off", "-qmp", f"unix:{paths[1]},server=on,wait=off", *options],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=where)
        self.qmp = Qmp(paths[1], process=self.process)
        self.hmp = Hmp(paths[0])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def says(self, line, text):
        said = self.hmp.command(line)
        assert said == text, f"{line}: {said!r}"

    def refuses(self, name, text, /, **arguments):
        try:
            answer = self.qmp.command(name, **arguments)
        except QmpError as e:
            assert str(e) == text, f"{name}: {e}"
        else:
            raise AssertionError(f"{name}: {answer}")


def run_time(mimus, where):
    """What the command line says, said later."""
    with Machine(mimus, where, stopped=False) as m:
        door = os.path.join(where, "gdb")
        device = f"unix:{door}"
        assert not os.path.exists(door)
        m.says(f"gdbserver {device}", f"Waiting for gdb connection on device '{device}'\n")
        m.says("info status", "VM status: running\n")
        client = Rsp(door)
        client.start()
        m.says("info status", "VM status: paused\n")
        client.ok("Z0,fff0,1")
        asked = client.ask("qRcmd," + b"gdbserver none".hex())
        assert "not by the debugger itself" in bytes.fromhex(asked[1:] if asked[0] == "O" else asked).decode(), asked
        m.says("gdbserver none", "Disabled gdbserver\n")  # the client is gone, and all that it began
        m.says("info status", "VM status: running\n")
        assert "gdb" not in m.hmp.command("info chardev").replace(where, "")
        m.says(f"gdbserver {device}", f"Waiting for gdb connection on device '{device}'\n")
        again = Rsp(door)
        again.start()
        again.close()
        assert not m.qmp.command("query-status")["singlestep"]
        m.says("singlestep", "")
        assert m.qmp.command("query-status")["singlestep"]
        m.says("one-insn-per-tb off", "")
        m.qmp.command("watchdog-set-action", action="pause")
        m.refuses("watchdog-set-action", "GenericError: invalid parameter value: x", action="x")
        m.qmp.command("set-action", reboot="shutdown", shutdown="pause")
        m.hmp.command("system_reset")
        m.qmp.wait_event("SHUTDOWN")
        m.says("info status", "VM status: paused (shutdown)\n")
        m.refuses("trace-event-get-state", 'GenericError: unknown event "x"', name="x")
        assert m.qmp.command("trace-event-get-state", name="x*") == []


CASES = {"run-time": run_time}


def main():
    with tempfile.TemporaryDirectory(prefix="surfaces-") as where:
        CASES[sys.argv[2]](os.path.abspath(sys.argv[1]), where)


if __name__ == "__main__":
    main()
