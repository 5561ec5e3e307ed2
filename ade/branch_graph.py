"""Branches drawn: one line from where they leave the recorded history, a dot where each first differs, another where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 360
_TRUNK, _FORK, _FLAT, _END = 16, 84, 128, 344
_TOP, _ROW = 28, 36
_HUES = ("system", "messages", "core", "summary", "tools", "files", "toolreturn", "accent", "warn")
"""One for each of nine lines, by the names of data-kind and data-tone."""


@dataclass(frozen=True, slots=True)
class Line:
    """A branch as drawn: ``differs_x`` is None where it does as was recorded; ``is_open``: it goes on."""

    letter: str
    words: str
    hue: str
    path: str
    y: int
    end_x: int
    differs_x: int | None
    is_open: bool
    href: str

    @property
    def tone(self) -> str:
        return self.hue if self.hue in ("accent", "warn") else ""

    @property
    def words_y(self) -> int:
        return self.y - 11


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a branch needs to be drawn. ``steps`` counts those taken; ``differs_at``: see ``ade.divergence.Divergence.at``."""

    letter: str
    words: str
    steps: int
    differs_at: int | None
    is_open: bool
    href: str


@dataclass(frozen=True, slots=True)
class Graph:
    lines: Sequence[Line]
    height: int
    trunk_y: int
    step: int

    @property
    def trunk(self) -> str:
        return f"M{_TRUNK} {self.trunk_y}H{_FORK}"

    @property
    def fork_x(self) -> int:
        return _FORK


def graph_of(step: int, branches: Sequence[Drawn]) -> Graph:
    """The branches, which leave the history at ``step``, below each other in their order."""
    height = _TOP + _ROW * len(branches)
    trunk_y = _TOP + _ROW * (len(branches) - 1) // 2
    longest = max([1, *(branch.steps for branch in branches)])
    lines = [_line(at, branch, trunk_y, longest) for at, branch in enumerate(branches)]
    return Graph(lines, height, trunk_y, step)


def _line(at: int, branch: Drawn, trunk_y: int, longest: int) -> Line:
    y = _TOP + _ROW * at
    bend = (_FORK + _FLAT) // 2
    end_x = _place(branch.steps, longest)
    path = f"M{_FORK} {trunk_y}C{bend} {trunk_y} {bend} {y} {_FLAT} {y}H{end_x}"
    differs_x = None if branch.differs_at is None else _place(branch.differs_at + 0.5, longest)
    return Line(branch.letter, branch.words, _HUES[at], path, y, end_x, differs_x, branch.is_open, branch.href)


def _place(steps: float, longest: int) -> int:
    return round(_FLAT + (_END - _FLAT) * min(1.0, steps / longest))
