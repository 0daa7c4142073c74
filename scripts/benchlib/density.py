# SPDX-License-Identifier: MIT
"""Host instructions per guest instruction on arm64, of Mimus and of QEMU, from logs of host code.

Both logs say which host code belongs to which guest instruction. Counted is the code of the way
through a block, entry and exit included, slow paths behind it not. An instruction weighs as often as
its block was entered in a run of the benchmarks."""
import re
from dataclasses import dataclass, field

IN_LINE = re.compile(r"^0x([0-9a-f]{8,16}):  (?:[0-9a-f]{2} )+ *(\S.*)$")
OUR_MARK = re.compile(r"^  -- guest \+0x([0-9a-f]+)$")
QEMU_MARK = re.compile(r"^  -- guest addr 0x([0-9a-f]+)")
OUR_LINE = re.compile(r"^  0x[0-9a-f]+:  (\S.*)$")
QEMU_LINE = re.compile(r"^0x[0-9a-f]+:  [0-9a-f]{8}  (\S.*)$")
BANK = re.compile(r"add x(26|29), x27, #")
TOUCHES = re.compile(r"\[|^(push|pop|call|ret|leave|(rep\w* )?(movs|stos|lods|scas|cmps)[bwdq]?\b)")


@dataclass
class Insn:
    pc: int
    text: str
    host: list = field(default_factory=list)
    copies: int = 0  # an unrolled loop has several
    checks: int = 0
    check_insns: int = 0

    @property
    def in_memory(self):
        return bool(TOUCHES.search(self.text)) and not re.match(r"lea|nop|endbr|prefetch", self.text)


def our_checks(lines):
    """How long each TLB check is. It begins when the guest's address is in a register; the address
    of the TLB's bank, where that comes before it, is part of it."""
    for i, line in enumerate(lines):
        if re.match(r"ubfx x16, x\d+, #0xc, #9$", line):
            last = next(k for k in range(i, len(lines)) if lines[k].startswith("cbnz x17"))
            bank = any(BANK.match(before) for before in lines[max(i - 3, 0):i])
            yield last - i + 1 + bank


def qemu_checks(lines):
    for i, line in enumerate(lines):
        if re.match(r"ldp x0, x1, \[x19, #-", line):
            yield next(k for k in range(i, len(lines)) if lines[k].startswith("b.ne")) - i + 1


def tidy(text):
    return re.sub(r"\s+", " ", text.strip())


class Log:
    """Blocks by the address of their first instruction: the latest translation of each."""

    def __init__(self, path, mark, line, end, checks):
        self.mark, self.line, self.end, self.checks = mark, line, end, checks
        self.blocks = {}
        with open(path, errors="replace") as lines:
            for chunk in lines.read().split("----------------\n"):
                self.add(chunk.splitlines())

    def add(self, lines):
        guest = [IN_LINE.match(text) for text in lines]
        insns = [Insn(int(m[1], 16), tidy(m[2])) for m in guest if m]
        starts = [i for i, text in enumerate(lines) if text.startswith("OUT:")]
        if not insns or not starts:
            return
        at = 0
        for text in lines[starts[0] + 1:]:
            if text.startswith(self.end):
                break
            mark, code = self.mark.match(text), self.line.match(text)
            if mark:  # an unrolled loop has the same ones again
                order = [*range(at, len(insns)), *range(at)]
                at = next((i for i in order if not (insns[i].pc ^ int(mark[1], 16)) & 0xFFF), at)
                insns[at].copies += 1
            elif code and not code[1].startswith((".space", "bl exit_budget")):
                insns[at].host.append(tidy(code[1]))
        for insn in insns:
            self.cut(insn)
            lengths = list(self.checks(insn.host))
            insn.checks, insn.check_insns = len(lengths), sum(lengths)
        self.blocks[insns[0].pc] = insns

    @staticmethod
    def cut(insn):
        """QEMU's way out is three instructions, or one where the next block is near; count one."""
        ends = [i for i, code in enumerate(insn.host) if code == "br x30"]
        if ends:
            first = ends[0] - 2
            insn.host[first - (insn.host[first - 1] == "nop"):] = ["b next"]

    def by_pc(self):
        """Each instruction as its longest block has it: seldom the first one, with the entry."""
        found = {}
        for insns in sorted(self.blocks.values(), key=len):
            found.update((i.pc, i) for i in insns)
        return found


def ours(path):
    return Log(path, OUR_MARK, OUR_LINE, "  -- stubs", our_checks)


def qemus(path):
    return Log(path, QEMU_MARK, QEMU_LINE, "  -- tb slow", qemu_checks)


@dataclass
class Sum:
    guest: float = 0
    host: float = 0
    checks: float = 0
    check_insns: float = 0

    def add(self, insn, times):
        self.guest += times
        times /= max(insn.copies, 1)
        self.host += times * (len(insn.host) - insn.check_insns)
        self.checks += times * insn.checks
        self.check_insns += times * insn.check_insns


KINDS = "registers only", "memory"


def table(hot, mimus, qemu):
    """Lines of text, and Mimus's sums by kind. @hot: block's pc -> times."""
    sums = {kind: (Sum(), Sum()) for kind in KINDS}
    theirs = qemu.by_pc()
    for pc, times in hot.items():
        for insn in mimus.blocks.get(pc, []):
            pair = sums[KINDS[insn.in_memory]]
            if insn.pc in theirs:
                pair[0].add(insn, times)
                pair[1].add(theirs[insn.pc], times)
    out = [f"{'guest instructions':<28}{'share':>7}{'Mimus':>9}{'QEMU':>9}{'ratio':>8}"]
    total = sum(sums[k][0].guest for k in KINDS)

    def row(name, guest, our, their):
        if our and guest:
            out.append(f"{name:<28}{guest / total:>7.1%}{our:>9.2f}{their:>9.2f}{their / our:>8.2f}")

    for kind in KINDS:
        we, they = sums[kind]
        if we.guest:
            row(kind + (", less checks" if kind == "memory" else ""), we.guest, we.host / we.guest,
                they.host / they.guest)
    we, they = sums["memory"]
    if we.checks and they.checks:
        row("one check", we.guest, we.check_insns / we.checks, they.check_insns / they.checks)
        row("checks of an instruction", we.guest, we.checks / we.guest, they.checks / they.guest)
    row("all, with checks", total, *(sum(sums[k][e].host + sums[k][e].check_insns for k in KINDS) / total
                                     for e in (0, 1)))
    return out, {kind: sums[kind][0] for kind in KINDS}


def listing(pc, times, mimus, qemu):
    """Both sides' code of one block, instruction by instruction."""
    theirs = qemu.by_pc()
    yield f"block 0x{pc:x}, {times} times"
    for insn in mimus.blocks[pc]:
        other = theirs.get(insn.pc)
        yield f"  0x{insn.pc:x}: {insn.text}"
        right = other.host if other else []
        for i in range(max(len(insn.host), len(right))):
            a = insn.host[i] if i < len(insn.host) else ""
            yield f"      {a:<40}{right[i] if i < len(right) else ''}".rstrip()
