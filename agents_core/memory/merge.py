"""Three-way merge of a block that two people changed at once: its text by words, in hunks that a person can choose between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agents_core.record.diff import diff_words

Choice = Literal["theirs", "mine", "both"]


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """The characters ``start`` to ``end`` of the base became ``text``."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class _Group:
    """The edits of both as far as they touch, and where they stand."""

    start: int
    end: int
    theirs: list[_Edit] = field(default_factory=list)
    mine: list[_Edit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hunk:
    """A stretch of the base that one of them changed, or both."""

    base: str
    theirs: str
    mine: str

    @property
    def clashes(self) -> bool:
        """Whether both changed it, in two ways."""
        return self.base not in (self.theirs, self.mine) and self.theirs != self.mine

    @property
    def merged(self) -> str | None:
        """The text with the changes of both; None when they clash."""
        return None if self.clashes else self.mine if self.theirs == self.base else self.theirs

    def chosen(self, choice: Choice) -> str:
        """The text as ``choice`` has it; of both theirs comes first, a blank between them where neither has one."""
        if choice != "both":
            return self.theirs if choice == "theirs" else self.mine
        apart = " " if self.theirs[-1:].strip() and self.mine[:1].strip() else ""
        return f"{self.theirs}{apart}{self.mine}"


def hunks(base: str, theirs: str, mine: str) -> list[str | Hunk]:
    """The base in order: what neither changed as text, and the hunks between. Changes of neighbouring words are in one hunk."""
    parts: list[str | Hunk] = []
    at = 0
    for group in _groups(_edits(base, theirs), _edits(base, mine)):
        start, end = group.start, group.end
        if at < start:
            parts.append(base[at:start])
        parts.append(Hunk(base[start:end], _after(base, group, group.theirs), _after(base, group, group.mine)))
        at = end
    return [*parts, base[at:]] if at < len(base) else parts


def merge(base: str, theirs: str, mine: str, choices: Sequence[Choice | None] = ()) -> str | None:
    """``base`` with the changes of both; None when they changed the same words, or neighbouring ones, in two ways.

    ``choices``: what is taken of each hunk, in order; None, and a hunk beyond them, takes the changes of both.
    """
    left = iter(choices)
    texts = [part if isinstance(part, str) else _taken(part, next(left, None)) for part in hunks(base, theirs, mine)]
    given = [text for text in texts if text is not None]
    return "".join(given) if len(given) == len(texts) else None


def _taken(hunk: Hunk, choice: Choice | None) -> str | None:
    return hunk.merged if choice is None else hunk.chosen(choice)


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


def _groups(edits: Sequence[_Edit], others: Sequence[_Edit]) -> list[_Group]:
    groups: list[_Group] = []
    for edit, is_mine in sorted([*((edit, False) for edit in edits), *((edit, True) for edit in others)]):
        if not groups or edit.start > groups[-1].end:
            groups.append(_Group(edit.start, edit.end))
        group = groups[-1]
        group.end = max(group.end, edit.end)
        (group.mine if is_mine else group.theirs).append(edit)
    return groups


def _after(base: str, group: _Group, edits: Sequence[_Edit]) -> str:
    """The characters of the base where the group stands, with ``edits`` made."""
    text, at = "", group.start
    for edit in edits:
        text += base[at : edit.start] + edit.text
        at = edit.end
    return text + base[at : group.end]


def merge_fields(
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    mine: Mapping[str, Any],
    choices: Sequence[Choice | None] = (),
    fields: Mapping[str, Choice] | None = None,
) -> dict[str, Any] | None:
    """The fields that ``mine`` gives with the changes of both; None when one cannot be merged. Only ``value`` has words.

    ``choices`` are those of its hunks; ``fields`` says whose a field is that both changed.
    """
    clashes = clashing_fields(base, theirs, mine)
    if not clashes.keys() <= (fields or {}).keys():
        return None
    merged = {name: given if theirs[name] in (base[name], given) else theirs[name] for name, given in mine.items()}
    for name in clashes:
        merged[name] = theirs[name] if (fields or {})[name] == "theirs" else mine[name]
    if "value" in mine:
        text = merge(base["value"], theirs["value"], mine["value"], choices)
        return None if text is None else merged | {"value": text}
    return merged


def clashing_fields(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """What both made of the fields, but the text, that they changed in two ways: theirs and mine, by name."""
    return {
        name: (theirs[name], given)
        for name, given in mine.items()
        if name != "value" and base[name] not in (theirs[name], given) and theirs[name] != given
    }
