"""Three-way merge of a block that two people changed at once, its text by words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents_core.record.diff import diff_words


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """The characters ``start`` to ``end`` of the base became ``text``."""

    start: int
    end: int
    text: str

    def touches(self, other: "_Edit") -> bool:
        return self.start <= other.end and other.start <= self.end


def merge(base: str, theirs: str, mine: str) -> str | None:
    """``base`` with the changes of both; None when they changed the same words, or neighbouring ones, in two ways."""
    edits, others = _edits(base, theirs), _edits(base, mine)
    if any(edit.touches(other) and edit != other for edit in edits for other in others):
        return None
    merged, at = "", 0
    for edit in sorted({*edits, *others}):
        merged += base[at : edit.start] + edit.text
        at = edit.end
    return merged + base[at:]


def _edits(base: str, changed: str) -> list[_Edit]:
    edits: list[_Edit] = []
    at = 0
    for change in diff_words(base, changed):
        start = at
        if change.op != "added":
            at += len(change.text)
        if change.op == "same":
            continue
        text = change.text if change.op == "added" else ""
        if edits and edits[-1].end == start:
            edits[-1] = _Edit(edits[-1].start, at, edits[-1].text + text)
        else:
            edits.append(_Edit(start, at, text))
    return edits


def merge_fields(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields that ``mine`` gives with the changes of both; None when one cannot be merged. Only ``value`` has words."""
    merged: dict[str, Any] = {}
    for name, given in mine.items():
        if theirs[name] == base[name] or theirs[name] == given:
            merged[name] = given
        elif given == base[name]:
            merged[name] = theirs[name]
        elif name == "value" and (text := merge(base[name], theirs[name], given)) is not None:
            merged[name] = text
        else:
            return None
    return merged
