# SPDX-License-Identifier: MIT
"""Ratios, geometric means and the table."""
import json
import math
import statistics

from catalogue import UNIONS


def ratio(row, times, of, to):
    """How many times faster `of` is than `to`, by their best rounds."""
    a, b = times(row).get(of), times(row).get(to)
    return min(b) / min(a) if a and b and min(a) > 0 else None


def cpu_ratio(row, of, to):
    return ratio(row, lambda r: r.cpu, of, to)


def wall_ratio(row, of, to):
    return ratio(row, lambda r: r.wall, of, to)


def insns_ratio(row, of, to):
    return ratio(row, lambda r: r.insns, of, to)


def per_insn_ratio(row, of, to):
    """… in an instruction of the guest's: that one guest has more to do is not in it."""
    return ratio(row, lambda r: r.per_insn, of, to)


def geometric_mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def means(rows, of, to, figure=cpu_ratio):
    """[(class or union, number of rows, mean of the ratios)], for those with rows."""
    by_class = {}
    for row in rows:
        by_class.setdefault(row.group, []).append(figure(row, of, to))
    for name, classes in UNIONS.items():
        values = [v for c in classes for v in by_class.get(c, [])]
        if sum(c in by_class for c in classes) > 1:
            by_class[name] = values
    counted = ((name, sum(v is not None for v in values), geometric_mean(values))
               for name, values in by_class.items())
    return [c for c in counted if c[2]]


def checksum_trouble(row):
    """Checksums that differ between emulators, or between rounds of one."""
    sums = set().union(*row.checksums.values()) if row.checksums else set()
    return len(sums) > 1


def show(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def remarks(row):
    reasons = set(row.troubles.values())
    if len(reasons) == 1 and not row.cpu:
        found = sorted(reasons)
    else:
        found = [f"{label}: {reason}" for label, reason in row.troubles.items()]
    if checksum_trouble(row):
        found.append("CHECKSUMS DIFFER " + ", ".join(
            f"{label} {'/'.join(sorted(s))}" for label, s in row.checksums.items()))
    return "; ".join(found)


def table(rows, labels):
    """Every emulator but the last is compared with the last."""
    to, told = labels[-1], any(row.per_insn for row in rows)
    head = f"{'benchmark':<16}{'class':<12}"
    head += "".join(f"{label[:11] + ' min':>16}{'median':>9}" for label in labels)
    head += "".join(f"{to[:8]}/{label[:8]:<9}".rjust(20) + f"{'wall':>7}" for label in labels[:-1])
    if told:
        head += f"{'insns':>8}{'CPU/insn':>9}"
    lines = [head + "  remarks", ""]
    for row in rows:
        line = f"{row.name:<16}{row.group:<12}"
        for label in labels:
            cpu = row.cpu.get(label)
            line += f"{show(min(cpu) if cpu else None):>16}"
            line += f"{show(statistics.median(cpu) if cpu else None):>9}"
        for label in labels[:-1]:
            line += f"{show(cpu_ratio(row, label, to)):>20}{show(wall_ratio(row, label, to), 2):>7}"
            if told:
                line += f"{show(insns_ratio(row, label, to)):>8}{show(per_insn_ratio(row, label, to)):>9}"
        lines.append((line + "  " + remarks(row)).rstrip())
    return lines


def mean_table(rows, labels):
    lines, to = [], labels[-1]
    for label in labels[:-1]:
        each = {name: value for name, _, value in means(rows, label, to, per_insn_ratio)}
        lines += ["", f"geometric means of CPU time, {to} / {label}"
                  + ("; of CPU time per guest instruction" if each else ""), ""]
        for name, count, value in means(rows, label, to):
            second = f"{each[name]:8.3f}" if name in each else " " * 8 if each else ""
            lines.append(f"{name:<18}{value:8.3f}{second}   ({count})")
    return lines


def write_json(path, facts, rows):
    data = dict(facts, rows=[row.as_dict() for row in rows])
    path.write_text(json.dumps(data, indent=1) + "\n")
