"""What changed between two texts, in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Op = Literal["same", "added", "removed"]

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MAX_WORDS = 4000


@dataclass(frozen=True, slots=True)
class Change:
    op: Op
    text: str


def diff_words(old: str, new: str, *, around: int | None = None) -> list[Change]:
    """The way from ``old`` to ``new``: joined, what is not "added" is ``old``, what is not "removed" is ``new``.

    With ``around``, unchanged stretches keep that many characters beside a change and "…" for the rest; then they no longer join.
    """
    before, after = _split(old), _split(new)
    changes: list[Change] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            changes.append(Change("same", "".join(before[i1:i2])))
            continue
        changes += [Change("removed", "".join(before[i1:i2]))] if i2 > i1 else []
        changes += [Change("added", "".join(after[j1:j2]))] if j2 > j1 else []
    return changes if around is None else _shortened(changes, around)


def _split(text: str) -> list[str]:
    words = _WORDS.findall(text)
    return words if len(words) <= _MAX_WORDS else text.splitlines(keepends=True)


def _shortened(changes: Sequence[Change], around: int) -> list[Change]:
    short = []
    for at, change in enumerate(changes):
        text = change.text
        if change.op == "same" and len(text) > 2 * around:
            head = text[:around] if at else ""
            tail = text[-around:] if at < len(changes) - 1 else ""
            text = f"{head}…{tail}"
        short.append(Change(change.op, text))
    return short
