"""A step's context window as people see it: the cells of its bar, and its segments in groups, in the order sent."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from agents_core.models import Segment, SegmentKind, Step
from agents_core.record.compare import Compared
from agents_core.record.diff import Change, diff_words
from agents_core.record.said import said
from agents_core.record.steps import SegmentView

_TITLES: Mapping[str, str] = {
    SegmentKind.SYSTEM: "System instructions",
    SegmentKind.TOOL: "Tool definitions",
    SegmentKind.CORE: "Core memory",
    SegmentKind.RULES: "Tool rules",
    SegmentKind.FILE: "Files",
    SegmentKind.METADATA: "Memory metadata",
    SegmentKind.SUMMARY: "Summary",
    SegmentKind.MESSAGE: "Messages",
    SegmentKind.TOOL_RETURN: "Tool returns",
}
_AROUND = {"memory_blocks": "blocks", "directories": "folders"}
_LINE_CHARS = 200


# --- the bar -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """All segments of one kind. ``tokens`` is our estimate."""

    kind: str
    label: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What partials/_context_bar.html and _gauge.html draw. ``used_tokens`` is estimated, ``reported_tokens`` the provider's count."""

    cells: Sequence[Cell]
    limit_tokens: int
    threshold_tokens: int | None = None
    reported_tokens: int | None = None

    @property
    def used_tokens(self) -> int:
        return sum(cell.tokens for cell in self.cells)


def cells(sizes: Iterable[tuple[str, int]]) -> list[Cell]:
    """The cells of segments given as (kind, tokens), in the order in which the kinds first stand in the request."""
    tokens: Counter[str] = Counter()
    for kind, count in sizes:
        tokens[kind] += count
    return [Cell(kind, _TITLES[kind], count) for kind, count in tokens.items() if kind in _TITLES]


def bar_of(step: Step, sizes: Iterable[tuple[str, int]]) -> Bar:
    """The bar of a step whose segments are given as (kind, tokens)."""
    return Bar(cells(sizes), step.context_window, step.compacts_at or None, step.prompt_tokens or None)


def bars_of(steps: Sequence[Step]) -> dict[str, Bar]:
    """The bars of ``steps`` by step id, in one query."""
    ids = {segment_id for step in steps for segment_id in step.segments}
    sizes = {
        segment_id: (kind, tokens)
        for segment_id, kind, tokens in Segment.objects.filter(id__in=ids).values_list("id", "kind", "tokens")
    }
    return {step.id: bar_of(step, [sizes[segment_id] for segment_id in step.segments]) for step in steps}


# --- the list ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """A segment as drawn.

    ``key`` names it in addresses ("core.human"). ``badge``: "new", "changed", "moved", "evicted", "compacted" or "".
    ``changes`` are the words of a changed one; ``start`` and ``end`` its bytes in the request, None once it left.
    ``is_chosen``: the address names it. ``is_stale``: what it shows has changed since.
    """

    key: str
    dom_id: str
    kind: str
    source_id: str
    title: str
    tokens: int
    text: str
    raw: str
    badge: str = ""
    badge_note: str = ""
    changes: Sequence[Change] = ()
    start: int | None = None
    end: int | None = None
    is_open: bool = False
    is_chosen: bool = False
    is_stale: bool = False

    @property
    def line(self) -> str:
        """The beginning, on one line."""
        return " ".join(self.text[: 2 * _LINE_CHARS].split())[:_LINE_CHARS]

    @property
    def size(self) -> int:
        return len(self.raw.encode())

    @property
    def is_gone(self) -> bool:
        return self.badge in ("evicted", "compacted")

    @property
    def as_sent(self) -> str:
        """The bytes, where ``text`` is not just what they spell; those of a part of the prompt are the text itself."""
        return "" if self.text == self.raw else self.raw

    @property
    def is_glue(self) -> bool:
        """The few words that stand between the blocks, or the folders."""
        return self.key.startswith("around")


@dataclass(slots=True)
class Group:
    """Neighbours of one sort: all tools, a stretch of messages; or a single part."""

    key: str
    dom_id: str
    kind: str
    title: str
    parts: list[Part]
    is_open: bool = False
    is_single: bool = False

    @property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts if not part.is_gone)

    @property
    def count(self) -> int:
        return sum(not part.is_gone for part in self.parts)

    @property
    def noun(self) -> str:
        """What it holds, for a count."""
        return ("tool" if self.kind == SegmentKind.TOOL else "message") + ("" if self.count == 1 else "s")

    @property
    def badges(self) -> list[tuple[str, int]]:
        """How many parts carry each badge."""
        return list(Counter(part.badge for part in self.parts if part.badge).items())


@dataclass(frozen=True, slots=True)
class Envelope:
    """The JSON around the segments: (offset in bytes, text) of each piece."""

    pieces: Sequence[tuple[int, str]]

    @property
    def size(self) -> int:
        return sum(len(text.encode()) for _, text in self.pieces)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the badges are made from.

    ``compacted`` holds the ids of messages that a summary replaced, ``written`` the last step that wrote each block,
    ``replaced`` how many messages the summary of that id stands for.
    """

    segments: Sequence[Compared]
    compacted: frozenset[str] = frozenset()
    written: Mapping[str, int] = field(default_factory=dict)
    replaced: Mapping[str, int] = field(default_factory=dict)


def envelope_of(segments: Sequence[SegmentView]) -> Envelope:
    spans = _spans(segments)
    return Envelope(
        [
            (start, segment.raw.decode())
            for segment, (start, _) in zip(segments, spans, strict=True)
            if segment.kind == SegmentKind.ENVELOPE
        ]
    )


def _spans(segments: Sequence[SegmentView]) -> list[tuple[int, int]]:
    spans, at = [], 0
    for segment in segments:
        spans.append((at, at + len(segment.raw)))
        at += len(segment.raw)
    return spans


def groups_of(segments: Sequence[SegmentView], comparison: Comparison, chosen: str = "") -> list[Group]:
    """The segments of a window, but for the envelope, as the list shows them; ``chosen`` is the key of the one to open."""
    where = dict(zip(map(id, segments), _spans(segments), strict=True))
    keys: Counter[str] = Counter()
    parts = []
    for compared in comparison.segments:
        part = _part(compared, comparison, keys)
        if not part.is_gone:
            part.start, part.end = where[id(compared.segment)]
        part.is_chosen = part.key == chosen
        part.is_open = part.is_chosen or (part.badge == "changed" and not chosen)
        parts.append(part)
    return list(_grouped(parts, chosen))


def _part(compared: Compared, comparison: Comparison, keys: Counter[str]) -> Part:
    segment = compared.segment
    key = f"gone.{_key(segment)}" if compared.status == "removed" else _key(segment)
    keys[key] += 1
    if keys[key] > 1:
        key = f"{key}.{keys[key]}"
    text = _text(segment)
    title, raw = title_of(segment, comparison), segment.raw.decode()
    part = Part(key, _dom_id(key), segment.kind, segment.source_id, title, segment.tokens, text, raw)
    part.badge, part.badge_note = _badge(compared, comparison)
    if compared.status == "changed" and compared.before:
        part.changes = diff_words(_text(compared.before), text)
    return part


def _key(segment: SegmentView) -> str:
    match segment.kind:
        case SegmentKind.CORE:
            return f"core.{segment.label}"
        case SegmentKind.TOOL:
            return f"tools.{segment.label}"
        case SegmentKind.MESSAGE | SegmentKind.TOOL_RETURN:
            return f"messages.{segment.source_id}"
        case SegmentKind.FILE:
            return f"files.{segment.label}"
        case SegmentKind.SYSTEM if segment.label in _AROUND:
            return "around"
        case _:
            return segment.kind


def _dom_id(key: str) -> str:
    return "seg-" + re.sub(r"[^\w-]+", "-", key)


def _text(segment: SegmentView) -> str:
    is_message = segment.kind in (SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY)
    return said(segment.raw) if is_message else segment.text


def title_of(segment: SegmentView, comparison: Comparison | None = None) -> str:
    """What the segment shows; ``comparison`` knows what a summary stands for."""
    replaced = comparison.replaced if comparison else {}
    match segment.kind:
        case SegmentKind.CORE:
            return f"Core memory · {segment.label}"
        case SegmentKind.TOOL | SegmentKind.MESSAGE | SegmentKind.TOOL_RETURN:
            return segment.label
        case SegmentKind.SUMMARY if segment.source_id in replaced:
            return f"Summary of {replaced[segment.source_id]:,} evicted messages"
        case SegmentKind.FILE:
            return f"{'File' if segment.source_id.startswith('file-') else 'Folder'} · {segment.label}"
        case SegmentKind.SYSTEM if segment.label in _AROUND:
            return f"Words around the {_AROUND[segment.label]}"
        case _:
            return _TITLES[segment.kind]


def _badge(compared: Compared, comparison: Comparison) -> tuple[str, str]:
    source = compared.segment.source_id
    match compared.status:
        case "added":
            return "new", "new"
        case "removed":
            gone = "compacted" if source in comparison.compacted else "evicted"
            return gone, gone if compared.segment.kind != SegmentKind.CORE else "detached"
        case "changed" if source in comparison.written:
            return "changed", f"changed at step {comparison.written[source]}"
        case "same":
            return "", ""
        case status:
            return status, status


def _grouped(parts: Iterable[Part], chosen: str) -> Iterator[Group]:
    seen: Counter[str] = Counter()
    for sort, neighbours in groupby(parts, key=_sort):
        members = list(neighbours)
        if sort not in ("tools", "messages"):
            yield from (Group(p.key, p.dom_id, p.kind, p.title, [p], p.is_open, is_single=True) for p in members)
            continue
        seen[sort] += 1
        key = sort if seen[sort] == 1 else f"{sort}.{seen[sort]}"
        kind = SegmentKind.TOOL if sort == "tools" else SegmentKind.MESSAGE
        inside = any(part.is_open for part in members)
        is_open = inside or chosen == key or (sort == "messages" and not chosen)
        yield Group(key, _dom_id(key), kind, _TITLES[kind], members, is_open)


def _sort(part: Part) -> str:
    match part.kind:
        case SegmentKind.TOOL:
            return "tools"
        case SegmentKind.MESSAGE | SegmentKind.TOOL_RETURN:
            return "messages"
        case _:
            return part.key
