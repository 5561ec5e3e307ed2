"""A segment of a context window as it is drawn, and the lines of a long list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from agents_core.models import SegmentKind
from agents_core.record.diff import Change, diff_words
from agents_core.record.differences import Verdict
from agents_core.record.said import said
from agents_core.record.steps import SegmentView

CHUNK = 24
"""Lines of a long group that are drawn together; all but the first and the last come when they are scrolled to."""

_LINE_CHARS = 200
_SHORT_BYTES = 4_000
"""Longer texts come when their segment is opened."""


@dataclass
class Part:
    """A segment as drawn.

    ``key`` names it in addresses ("core.human"). ``badge`` says what became of it since the other step, "" for nothing;
    ``compaction`` is the one that took it out. ``before`` is the text that was rewritten. ``start`` and ``end`` are its
    bytes in the request, None for what is not in it. ``is_chosen``: the address names it. ``is_stale``: what it shows has
    changed since.
    """

    key: str
    dom_id: str
    segment: SegmentView
    title: str
    before: SegmentView | None = None
    badge: Verdict | Literal[""] = ""
    badge_note: str = ""
    compaction: int | None = None
    start: int | None = None
    end: int | None = None
    is_open: bool = False
    is_chosen: bool = False
    is_stale: bool = False

    @property
    def kind(self) -> str:
        return self.segment.kind

    @property
    def source_id(self) -> str:
        return self.segment.source_id

    @property
    def tokens(self) -> int:
        return self.segment.tokens

    @cached_property
    def text(self) -> str:
        return text_of(self.segment)

    @cached_property
    def raw(self) -> str:
        return self.segment.raw.decode()

    @cached_property
    def changes(self) -> Sequence[Change]:
        """The words of a rewritten one."""
        return diff_words(text_of(self.before), self.text) if self.before else ()

    @property
    def line(self) -> str:
        """The beginning, on one line."""
        return " ".join(self.text[: 2 * _LINE_CHARS].split())[:_LINE_CHARS]

    @property
    def is_gone(self) -> bool:
        return self.start is None

    @property
    def is_short(self) -> bool:
        return len(self.segment.raw) <= _SHORT_BYTES

    @property
    def stamp(self) -> str:
        """The same for the same text at the same place."""
        before = self.before.id[:8] if self.before else ""
        return f"{before}{self.segment.id[:13]}{'' if self.start is None else self.start}"

    @property
    def as_sent(self) -> str:
        """The bytes, where ``text`` is not just what they spell; those of a part of the prompt are the text itself."""
        return "" if self.text == self.raw else self.raw

    @property
    def is_glue(self) -> bool:
        """The few words that stand between the blocks, or the folders."""
        return self.key.startswith("around")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a group. One that is not drawn holds its place until it is scrolled to."""

    key: str
    dom_id: str
    parts: Sequence[Part]
    is_drawn: bool

    @property
    def stamp(self) -> str:
        """The same for the same lines."""
        told = "".join(f"{part.stamp}{part.badge_note}{part.title}" for part in self.parts)
        return sha256(told.encode()).hexdigest()[:12]


def text_of(segment: SegmentView) -> str:
    """What it says, for people."""
    is_message = segment.kind in (SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY)
    return said(segment.raw) if is_message else segment.text
