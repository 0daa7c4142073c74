#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""surfaces.py MIMUS CASE: ways to drive a machine that no guest is needed for; it stands still or is in its firmware."""
import os
import re
import socket
import struct
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
    other = os.path.join(where, "other")
    with Machine(mimus, where, "-chardev", f"socket,id=g,path={other},server=on,wait=off", stopped=False) as m:
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
        m.says("gdbserver chardev:x",
               "Could not open gdbserver on device 'chardev:x': Chardev 'x' not found\n")
        for _ in range(2):  # a -chardev is there afterwards, too
            m.says("gdbserver chardev:g", "Waiting for gdb connection on device 'chardev:g'\n")
            lent = Rsp(other)
            lent.start()
            m.says("gdbserver none", "Disabled gdbserver\n")
            lent.close()
        assert f"g: filename=disconnected:unix:{other},server=on" in m.hmp.command("info chardev")
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
        assert m.qmp.command("trace-event-get-state", name="xx*") == []


def mux(mimus, where):
    """A -chardev for three, whose keys go to one after the other."""
    path = os.path.join(where, "shared")
    with Machine(mimus, where, "-chardev", f"socket,id=c,path={path},server=on,wait=off,mux=on", "-serial", "chardev:c",
                 "-serial", "chardev:c", "-mon", "chardev=c", "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=c"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(path)
            s.sendall(b"\x01c\x01cinfo name\r\x01c\x01c\x01c\x01cinfo status\r")
            said = b""
            while b"VM status: " not in said:
                part = s.recv(4096)
                assert part, said
                said += part


def read_ram(path):
    """Without what devices, firmware and SMM have between 640 KiB and 1 MiB."""
    with open(path, "rb") as f:
        data = f.read()
    return data[:0xa0000] + data[0x100000:]


def memory(mimus, where):
    """RAM that is a file, shared, and of two parts."""
    half = 32 << 20
    with open(os.path.join(where, "upper"), "wb") as f:
        f.truncate(half)
        f.seek(0x1000)
        f.write(b"a mockingbird")
    with Machine(mimus, where, "-object", "memory-backend-file,id=l,size=32M,mem-path=lower,share=on,prealloc=on",
                 "-object", "memory-backend-file,id=u,size=32M,mem-path=upper,share=off",
                 "-numa", "node,memdev=l", "-numa", "node,memdev=u", stopped=False) as m:
        while m.hmp.command("xp /1xh 0x413") == "0000000000000413: 0x0000\n":
            pass  # the firmware has not written there yet
        m.hmp.command("stop")
        m.says(f"xp /4cb {half + 0x1000:#x}", f"{half + 0x1000:016x}: 'a' ' ' 'm' 'o'\n")
        m.hmp.command(f"pmemsave 0 {half} {where}/saved")
        low, saved = (read_ram(os.path.join(where, name)) for name in ("lower", "saved"))
        assert low == saved and any(low), "the file is not memory"
        assert [b["id"] for b in m.qmp.command("query-memdev")] == ["l", "u"]
        m.refuses("object-del", "GenericError: object 'u' is in use, can not be deleted", id="u")
        m.qmp.command("object-add", **{"qom-type": "memory-backend-file", "id": "x", "size": 4096, "mem-path": "made"})
        assert os.path.getsize(os.path.join(where, "made")) == 4096
        m.qmp.command("object-del", id="x")
        m.refuses("qom-set", "GenericError: Property 'memory-backend-file.size' is not writable",
                  path="/objects/l", property="size", value=1)
    with open(os.path.join(where, "upper"), "rb") as f:
        f.seek(0x1000)
        assert f.read(14) == b"a mockingbird\0"
    with Machine(mimus, where, "-object", "memory-backend-memfd,id=m,size=64M", "-machine", "memory-backend=m") as m:
        assert m.qmp.command("query-memdev")[0]["share"]


def records(path):
    """Frames of a capture."""
    with open(path, "rb") as f:
        head, body = f.read(24), f.read()
    assert struct.unpack("IHHiIII", head) == (0xa1b2c3d4, 2, 4, 0, 0, 65536, 1), head
    at, frames = 0, []
    while at < len(body):
        seconds, micros, saved, size = struct.unpack_from("IIII", body, at)
        assert saved == size and micros < 1000000, (seconds, micros, saved, size)
        frames.append(body[at + 16:at + 16 + saved])
        at += 16 + saved
    return frames


def capture(mimus, where):
    """What comes by a network goes to files that are told of when the machine begins, and later."""
    ours, theirs = (os.path.join(where, name) for name in ("ours", "theirs"))
    net = f"dgram,id=n,local.type=unix,local.path={theirs},remote.type=unix,remote.path={ours}"
    frames = [bytes([n]) * (60 + n) for n in (1, 2, 3)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(ours)
        with Machine(mimus, where, "-netdev", net, "-device", "e1000,netdev=n",
                     "-object", "filter-dump,id=a,netdev=n,file=a.pcap", stopped=False) as m:
            def send(n):
                sock.sendto(frames[n], theirs)
                while len(records(os.path.join(where, "a.pcap"))) <= n:
                    m.hmp.command("info status")
            send(0)
            m.qmp.command("object-add", **{"qom-type": "filter-dump", "id": "b", "netdev": "n", "file": "b.pcap"})
            m.qmp.command("object-add", **{"qom-type": "filter-dump", "id": "c", "netdev": "n", "file": "c.pcap",
                                           "queue": "rx"})
            send(1)
            m.qmp.command("qom-set", path="/objects/b", property="status", value="off")
            send(2)
            assert m.qmp.command("qom-get", path="b", property="status") == "off"
            m.refuses("netdev_del", "GenericError: Device 'n' is in use by a filter or a port of a hub", id="n")
            m.refuses("object-add", "GenericError: Parameter 'netdev' expects a network backend id",
                      **{"qom-type": "filter-dump", "id": "d", "netdev": "x", "file": "d.pcap"})
            m.qmp.command("object-del", id="b")
    assert records(os.path.join(where, "a.pcap")) == frames
    assert records(os.path.join(where, "b.pcap")) == frames[1:2]
    assert records(os.path.join(where, "c.pcap")) == []


def out_of_band(mimus, where):
    with Machine(mimus, where, "-chardev", f"socket,id=c,path={where}/oob,server=on,wait=off",
                 "-mon", "chardev=c,mode=control"):
        q = Qmp(os.path.join(where, "oob"), negotiate=False)
        assert q.greeting["capabilities"] == ["oob"]
        q.command("qmp_capabilities", enable=["oob"])
        for request, answer in (
                ('{"exec-oob": "migrate-pause", "id": 1}',
                 "migrate-pause is currently only supported during postcopy-active state"),
                ('{"exec-oob": "stop"}', "The command stop does not support OOB"),
                ('{"exec-oob": 1}', "QMP input member 'exec-oob' must be a string"),
                ('{"exec-oob": "stop", "execute": "stop"}',
                 "QMP input members 'execute' and 'exec-oob' are mutually exclusive")):
            q.socket.sendall(request.encode())
            got = q.read()
            assert got["error"]["desc"] == answer, (request, got)


def hub(mimus, where):
    """A card, a network and a second one at a hub: each hears the others."""
    names = "a.ours", "a.theirs", "b.ours", "b.theirs"
    paths = [os.path.join(where, n) for n in names]
    nets = [f"dgram,id={i},local.type=unix,local.path={paths[n + 1]},remote.type=unix,remote.path={paths[n]}"
            for i, n in (("a", 0), ("b", 2))]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as a, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as b:
        a.bind(paths[0])
        b.bind(paths[2])
        b.settimeout(60)
        with Machine(mimus, where, "-netdev", nets[0], "-netdev", nets[1], "-netdev", "hubport,id=pa,hubid=0,netdev=a",
                     "-netdev", "hubport,id=pb,hubid=0,netdev=b", "-netdev", "hubport,id=pc,hubid=0",
                     "-device", "e1000,netdev=pc", "-object", "filter-dump,id=f,netdev=pc,file=c.pcap",
                     stopped=False) as m:
            a.sendto(b"x" * 60, paths[1])
            assert b.recv(2000) == b"x" * 60
            while not records(os.path.join(where, "c.pcap")):
                m.hmp.command("info status")
            told = m.hmp.command("info network").splitlines()
            assert told[0] == "hub 0" and re.match(r" \\ pc: \S+: index=0,type=nic,model=e1000,mac", told[1]), told
            assert told[2].startswith(r" \ pb: b: index=0,type=") and len(told) == 4, told
            m.qmp.command("netdev_del", id="pb")
            m.qmp.command("netdev_add", type="hubport", id="pd", hubid=0, netdev="b")
            a.sendto(b"y" * 60, paths[1])
            assert b.recv(2000) == b"y" * 60
            m.refuses("netdev_add", "GenericError: netdev 'b' is in use", type="hubport", id="pe", hubid=0, netdev="b")


def screens(mimus, where):
    """Each card's own screen, by the card's name."""
    def size(file):
        with open(os.path.join(where, file), "rb") as f:
            return f.read(15).split(b"\n")[1]
    with Machine(mimus, where, "-device", "virtio-gpu-pci,id=g", "-vnc", f"unix:{where}/vnc,display=g") as m:
        m.says("screendump first.ppm", "")
        m.says("screendump second.ppm g", "")
        m.qmp.command("screendump", filename="again.ppm", device="g", head=0)
        assert size("first.ppm") != size("second.ppm") == size("again.ppm"), (size("first.ppm"), size("second.ppm"))
        m.refuses("screendump", "GenericError: Device 'x' not found", filename="x", device="x")
        m.refuses("screendump", "GenericError: Device g (head 1) is not bound to a QemuConsole", filename="x", device="g",
                  head=1)
        m.refuses("screendump", "GenericError: 'head' must be specified together with 'device'", filename="x", head=1)
        assert "compat_monitor0: filename=unix:" in m.hmp.command("info chardev")
        assert "compat_monitor1: filename=unix:" in m.hmp.command("info chardev")


HELPER = """#!/usr/bin/env python3
import socket, sys
args = dict(a.lstrip("-").split("=") for a in sys.argv[1:])
assert args["br"] == "br7"
peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
peer.bind("helped")
peer.connect("bridge")
socket.send_fds(socket.socket(fileno=int(args["fd"])), [b"x"], [peer.fileno()])
"""


def bridge(mimus, where):
    """A helper with more rights opens the host's bridge."""
    helper = os.path.join(where, "helper")
    with open(helper, "w", encoding="ascii") as f:
        f.write(HELPER)
    os.chmod(helper, 0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as host:
        host.bind(os.path.join(where, "bridge"))
        with Machine(mimus, where, "-netdev", f"bridge,id=n,br=br7,helper={helper}", "-device", "e1000,netdev=n",
                     "-object", "filter-dump,id=f,netdev=n,file=b.pcap", stopped=False) as m:
            host.sendto(b"h" * 60, os.path.join(where, "helped"))
            while records(os.path.join(where, "b.pcap")) != [b"h" * 60]:
                m.hmp.command("info status")
            m.refuses("netdev_add", "GenericError: bridge helper '/nonexistent': Failed to execute child process "
                      "“/nonexistent” (No such file or directory)", type="bridge", id="o", helper="/nonexistent")
            m.refuses("netdev_add", "GenericError: bridge helper '/bin/false' failed for bridge 'br0'", type="bridge",
                      id="o", helper="/bin/false")


def stream(mimus, where):
    """A stream whose other end comes later, and again."""
    path = os.path.join(where, "stream")
    frame = b"z" * 60
    with Machine(mimus, where, "-netdev", f"stream,id=n,addr.type=unix,addr.path={path},reconnect=1",
                 "-device", "e1000,netdev=n", "-object", "filter-dump,id=f,netdev=n,file=s.pcap", stopped=False) as m:
        for n in (1, 2):
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen(1)
                listener.settimeout(60)
                peer = listener.accept()[0]
            os.unlink(path)
            with peer:
                peer.sendall(struct.pack(">I", len(frame)) + frame)
                while len(records(os.path.join(where, "s.pcap"))) < n:
                    m.hmp.command("info status")


CASES = {"run-time": run_time, "mux": mux, "memory": memory, "capture": capture, "out-of-band": out_of_band, "hub": hub,
         "stream": stream, "bridge": bridge, "screens": screens}


def main():
    with tempfile.TemporaryDirectory(prefix="surfaces-") as where:
        CASES[sys.argv[2]](os.path.abspath(sys.argv[1]), where)


if __name__ == "__main__":
    main()
