"""The places where two changes of a text met, as a person chooses between them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from agents_core.memory.merge import Choice, Hunk
from agents_core.record.diff import Change, diff_words

_BESIDE_CHARS = 24
_NAME = re.compile(r"hunk-(\d{1,4})")
_CHOICES: dict[str, Choice] = {"theirs": "theirs", "mine": "mine", "both": "both"}


@dataclass(frozen=True, slots=True)
class HunkView:
    """A hunk with a little of what stands ``before`` and ``after`` it. ``name``: of the field of a form that tells what was ``chosen``,
    None while that is left to do."""

    name: str
    hunk: Hunk
    before: str
    after: str
    chosen: Choice | None

    @property
    def theirs(self) -> list[Change]:
        return diff_words(self.hunk.base, self.hunk.theirs)

    @property
    def mine(self) -> list[Change]:
        return diff_words(self.hunk.base, self.hunk.mine)


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a block, but its text, that both changed: ``words`` is what it is called."""

    name: str
    words: str
    theirs: Any
    mine: Any
    chosen: Choice | None


def hunk_views(parts: Sequence[str | Hunk], given: Mapping[str, str]) -> list[HunkView]:
    """The hunks among ``parts``. What only one changed is chosen for the change, unless ``given``, a form, says otherwise."""
    views: list[HunkView] = []
    for at, part in enumerate(parts):
        if isinstance(part, str):
            continue
        name = f"hunk-{len(views)}"
        chosen = chosen_of(given, name) or _changed_one(part)
        views.append(HunkView(name, part, _end(parts[at - 1]) if at else "", _begin(parts[at + 1 : at + 2]), chosen))
    return views


def chosen_of(given: Mapping[str, str], name: str) -> Choice | None:
    """What a form says of a hunk or a field; None when it says nothing that can be chosen."""
    return _CHOICES.get(given.get(name, ""))


def choices_in(given: Mapping[str, str]) -> list[Choice | None]:
    """What a form says of each hunk, in order; [] when it says nothing of any."""
    places = [int(found[1]) for name in given if (found := _NAME.fullmatch(name))]
    return [chosen_of(given, f"hunk-{place}") for place in range(max(places, default=-1) + 1)]


def mark_of(*texts: str) -> str:
    """A mark of the texts that hunks were made from: with another one, what was chosen was chosen for other hunks."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def _changed_one(hunk: Hunk) -> Choice | None:
    if hunk.clashes:
        return None
    return "mine" if hunk.theirs == hunk.base else "theirs"


def _end(part: str | Hunk) -> str:
    line = part.rpartition("\n")[2] if isinstance(part, str) else ""
    return f"…{line[-_BESIDE_CHARS:]}" if len(line) > _BESIDE_CHARS else line


def _begin(parts: Sequence[str | Hunk]) -> str:
    line = parts[0].partition("\n")[0] if parts and isinstance(parts[0], str) else ""
    return f"{line[:_BESIDE_CHARS]}…" if len(line) > _BESIDE_CHARS else line
