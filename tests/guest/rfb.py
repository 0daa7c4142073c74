# SPDX-License-Identifier: MIT
"""A VNC client for tests: RFB 3.8 over a unix socket, Raw and ZRLE, and a screen that it keeps."""
import socket
import struct
import time
import zlib

RAW, ZRLE, SIZE = 0, 16, -223
ROM = "/usr/share/seabios/vgabios-stdvga.bin"
GLYPH_A = bytes.fromhex("000010386cc6c6fec6c6c6c600000000")
KEYS = {"\n": 0xff0d, "\x1b": 0xff1b, "\t": 0xff09}


class Rfb:
    def __init__(self, path, encodings=(ZRLE, RAW, SIZE), timeout=60):
        self.end = time.monotonic() + timeout
        self.inflate = zlib.decompressobj()
        self.updates = 0
        self._dial(path)
        self._meet()
        self._send("BxH%di" % len(encodings), 2, len(encodings), *encodings)

    def _dial(self, path):
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > self.end:
                    raise
                time.sleep(0.02)

    def _meet(self):
        assert self._bytes(12) == b"RFB 003.008\n"
        self.socket.sendall(b"RFB 003.008\n")
        assert self._bytes(self._read("B")[0]) == b"\1"
        self.socket.sendall(b"\1")
        assert self._read("I") == (0,)
        self.socket.sendall(b"\1")
        width, height = self._read("HH")
        self._bytes(16)
        self.name = self._bytes(self._read("I")[0]).decode()
        self._resize(width, height)

    def close(self):
        self.socket.close()

    # ---- Bytes

    def _send(self, form, *values):
        self.socket.sendall(struct.pack(">" + form, *values))

    def _bytes(self, count):
        got = b""
        while len(got) < count:
            self.socket.settimeout(max(self.end - time.monotonic(), 0.001))
            part = self.socket.recv(count - len(got))
            if not part:
                raise EOFError("the server has hung up")
            got += part
        return got

    def _read(self, form):
        return struct.unpack(">" + form, self._bytes(struct.calcsize(">" + form)))

    # ---- The screen: rows of pixels, 0x00rrggbb

    def _resize(self, width, height):
        self.width, self.height = width, height
        self.rows = [[0] * width for _ in range(height)]

    def _put(self, x, y, width, pixels):
        for n in range(0, len(pixels), width):
            self.rows[y + n // width][x:x + width] = pixels[n:n + width]

    def _raw(self, x, y, width, height):
        data = self._bytes(4 * width * height)
        self._put(x, y, width, list(struct.unpack("<%dI" % (width * height), data)))

    def _zrle(self, x, y, width, height):
        data = self.inflate.decompress(self._bytes(self._read("I")[0]))
        at = 0

        def cpixels(count):
            nonlocal at
            part = data[at:at + 3 * count]
            at += 3 * count
            return [part[n] | part[n + 1] << 8 | part[n + 2] << 16 for n in range(0, 3 * count, 3)]

        for top in range(y, y + height, 64):
            for left in range(x, x + width, 64):
                w, h = min(64, x + width - left), min(64, y + height - top)
                kind = data[at]
                at += 1
                assert kind <= 16, kind
                if kind == 0:
                    pixels = cpixels(w * h)
                else:
                    palette = cpixels(kind)
                    bits = 0 if kind == 1 else 1 if kind == 2 else 2 if kind <= 4 else 4
                    pixels = []
                    for _ in range(h):
                        row = data[at:at + (w * bits + 7) // 8]
                        at += len(row)
                        pixels += [palette[row[n * bits // 8] >> (8 - bits - n * bits % 8) & (1 << bits) - 1]
                                   if bits else palette[0] for n in range(w)]
                self._put(left, top, w, pixels)
        assert at == len(data)

    def update(self, incremental=True):
        """Ask for what is new and wait for it."""
        self._send("BBHHHH", 3, incremental, 0, 0, self.width, self.height)
        kind, count = self._read("BxH")
        assert kind == 0, kind
        for _ in range(count):
            x, y, width, height, encoding = self._read("HHHHi")
            if encoding == SIZE:
                self._resize(width, height)
            else:
                {RAW: self._raw, ZRLE: self._zrle}[encoding](x, y, width, height)
        self.updates += 1

    def wait(self, seen):
        """Until seen(self)."""
        self.update(False)
        while not seen(self):
            self.update()

    # ---- Characters, in the firmware's font of 8 by 16, 9 pixels apart

    def text(self):
        font = _font()
        rows = []
        for top in range(0, self.height - 15, 16):
            line = ""
            for left in range(0, self.width - 8, 9):
                background = self.rows[top][left + 8]
                glyph = bytes(sum((self.rows[top + y][left + x] != background) << (7 - x) for x in range(8))
                              for y in range(16))
                line += font.get(glyph, "?")
            rows.append(line.rstrip())
        return "\n".join(rows)

    # ---- Hands

    def key(self, keysym, down):
        self._send("BBxxI", 4, down, keysym)

    def type(self, text):
        """As tools do: no Shift of their own."""
        for c in text:
            keysym = KEYS.get(c, ord(c))
            self.key(keysym, True)
            self.key(keysym, False)

    def point(self, x, y, buttons=0):
        self._send("BBHH", 5, buttons, x, y)


FONT = {}


def _font():
    if not FONT:
        with open(ROM, "rb") as f:
            rom = f.read()
        first = rom.index(GLYPH_A) - 16 * ord("A")
        for c in list(range(32, 127)):
            FONT.setdefault(rom[first + 16 * c:first + 16 * c + 16], chr(c))
    return FONT
