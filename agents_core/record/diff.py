"""What changed between two texts, in words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Op = Literal["same", "added", "removed"]

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MAX_PAIRS = 4_000_000
"""Of words to compare in one stretch of changed lines; beyond, all of it is told as changed. Bounds the time."""


@dataclass(frozen=True, slots=True)
class Change:
    op: Op
    text: str


def diff_words(old: str, new: str, *, around: int | None = None) -> list[Change]:
    """The way from ``old`` to ``new``: joined, what is not "added" is ``old``, what is not "removed" is ``new``.

    With ``around``, only the changed lines are left, and in them at most that many characters beside a change; "…"
    stands for the rest. Then they no longer join.
    """
    changes = _joined(_by_lines(old.splitlines(keepends=True), new.splitlines(keepends=True)))
    return changes if around is None else _shortened(changes, around)


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """Lines first, then words within those that changed: comparing all words with all takes seconds on a long text."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[i1:i2]), "".join(after[j1:j2])
        yield from [Change("same", old)] if tag == "equal" else _by_words(old, new)


def _by_words(old: str, new: str) -> Iterator[Change]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    start, end = _common(before, after)
    middle, middle_after = before[start : len(before) - end], after[start : len(after) - end]
    yield Change("same", "".join(before[:start]))
    if len(middle) * len(middle_after) > _MAX_PAIRS:
        yield Change("removed", "".join(middle))
        yield Change("added", "".join(middle_after))
    else:
        # White space matches everywhere, so it may only extend a match of words.
        matcher = SequenceMatcher(str.isspace, middle, middle_after, autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                yield Change("same", "".join(middle[i1:i2]))
            else:
                yield Change("removed", "".join(middle[i1:i2]))
                yield Change("added", "".join(middle_after[j1:j2]))
    yield Change("same", "".join(before[len(before) - end :]))


def _common(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many words both begin with, and how many of the others both end with."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    room = shorter - start
    end = next((at for at in range(room) if before[-1 - at] != after[-1 - at]), room)
    return start, end


def _joined(changes: Iterator[Change]) -> list[Change]:
    """Without empty ones, and with equal neighbours as one."""
    joined: list[Change] = []
    for change in changes:
        if joined and joined[-1].op == change.op:
            joined[-1] = Change(change.op, joined[-1].text + change.text)
        elif change.text:
            joined.append(change)
    return joined


def _shortened(changes: Sequence[Change], around: int) -> list[Change]:
    texts = [None, *(change.text for change in changes), None]
    short = []
    for before, change, after in zip(texts, changes, texts[2:], strict=False):
        own = change.text.strip("\n") or change.text
        text = _beside(before, change.text, after, around) if change.op == "same" else own
        short.append(Change(change.op, text))
    return [change for change in short if change.text]


def _beside(before: str | None, same: str, after: str | None, around: int) -> str:
    """What is left of an unchanged stretch: of the line in which ``before`` ends, and of that in which ``after`` begins."""
    lines = same.split("\n")
    head = "" if before is None or before.endswith("\n") else lines[0]
    tail = "" if after is None or after.startswith("\n") else lines[-1]
    if len(lines) == 1 and head and tail:
        return same if len(same) <= 2 * around else f"{same[:around]}…{same[-around:]}"
    head = f"{head[:around]}…" if len(head) > around else head
    tail = f"…{tail[-around:]}" if len(tail) > around else tail
    if before is None or after is None:
        return head + tail
    return f"{head}{' …' if len(lines) > 2 else ''}\n{tail}"
