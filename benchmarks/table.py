"""What a measurement gives, and the table that shows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median, quantiles

from benchmarks.processes import PARTS


@dataclass(frozen=True, slots=True)
class Row:
    """One line. ``part`` groups lines, ``times_ms`` are the single measurements.

    ``cpu_ms`` is the CPU time of one of them by process, ``per_s`` how many were done a second. ``baseline`` is a time in
    ms of the same run, which the median is shown as a multiple of.
    """

    part: str
    name: str
    times_ms: Sequence[float]
    cpu_ms: dict[str, float] = field(default_factory=dict)
    per_s: float | None = None
    baseline_ms: float | None = None
    baseline: str = ""

    @property
    def p50(self) -> float:
        return median(self.times_ms)

    @property
    def p95(self) -> float:
        return quantiles(self.times_ms, n=20, method="inclusive")[-1]


_HEAD = ("", "p50 ms", "p95 ms", "a second", "CPU ms (web + worker + database)", "of the baseline")


def markdown(rows: Iterable[Row]) -> str:
    lines = [_line(_HEAD), _line(["---", *["---:"] * (len(_HEAD) - 1)])]
    for part, of_part in groupby(rows, key=lambda row: row.part):
        lines.append(_line([f"**{part}**", *[""] * (len(_HEAD) - 1)]))
        lines += [_line(_cells(row)) for row in of_part]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    ratio = f"{row.p50 / row.baseline_ms:.1f} x {row.baseline}" if row.baseline_ms else ""
    p95 = f"{row.p95:.1f}" if len(row.times_ms) >= 10 else ""
    return [row.name, f"{row.p50:.1f}", p95, f"{row.per_s:.0f}" if row.per_s else "", _cpu(row.cpu_ms), ratio]


def _cpu(cpu_ms: dict[str, float]) -> str:
    if not cpu_ms:
        return ""
    return f"{sum(cpu_ms.values()):.1f} ({' + '.join(f'{cpu_ms[part]:.1f}' for part in PARTS)})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
