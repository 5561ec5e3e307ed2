"""Undo and redo over versions that only ever grow: going back is a new version that repeats an older one."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The versions that undo and redo would bring back, or None."""

    undo: int | None
    redo: int | None


def neighbours(versions: Iterable[tuple[int, Hashable]]) -> Neighbours:
    """Where undo and redo lead from the last version.

    Args:
        versions: (number, content) oldest first. Two versions with equal content say the same.

    A version that says what the one before the present said is an undo, one that says what was just undone is a redo,
    and any other begins a new future, as in every editor.
    """
    line: list[tuple[int, Hashable]] = []
    at = -1
    for number, content in versions:
        if at > 0 and line[at - 1][1] == content:
            at -= 1
        elif at + 1 < len(line) and line[at + 1][1] == content:
            at += 1
        else:
            line[at + 1 :] = [(number, content)]
            at += 1
    return Neighbours(line[at - 1][0] if at > 0 else None, line[at + 1][0] if at + 1 < len(line) else None)
