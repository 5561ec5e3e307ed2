"""A step's context window as people see it: the cells of its bar, and its segments in groups, in the order sent."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from asgiref.sync import async_to_sync
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from ade.parts import CHUNK, Chunk, Part
from agents_core.errors import AgentsError
from agents_core.models import Agent, SegmentKind, Step, StepKind
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.compare import Compared
from agents_core.record.differences import Difference
from agents_core.record.lines import moved_since
from agents_core.record.steps import SegmentView
from agents_core.runtime.preview import preview_next

_TITLES: Mapping[str, str] = {
    SegmentKind.SYSTEM: gettext_noop("System instructions"),
    SegmentKind.TOOL: gettext_noop("Tool definitions"),
    SegmentKind.CORE: gettext_noop("Core memory"),
    SegmentKind.RULES: gettext_noop("Tool rules"),
    SegmentKind.FILE: gettext_noop("Files"),
    SegmentKind.METADATA: gettext_noop("Memory metadata"),
    SegmentKind.SUMMARY: gettext_noop("Summary"),
    SegmentKind.MESSAGE: gettext_noop("Messages"),
    SegmentKind.TOOL_RETURN: gettext_noop("Tool returns"),
}
_AROUND = {
    "memory_blocks": gettext_noop("Words around the blocks"),
    "directories": gettext_noop("Words around the folders"),
}


# --- the bar -------------------------------------------------------------------------------------------------------


_BAR = """
SELECT segment.kind, sum(tokens)::int FROM step, unnest(segments) WITH ORDINALITY AS part (id, place) JOIN segment ON segment.id = part.id
WHERE step.id = %s GROUP BY segment.kind ORDER BY min(place)
"""


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
    return [Cell(kind, _(_TITLES[kind]), count) for kind, count in tokens.items() if kind in _TITLES]


def bar_of(step: Step, sizes: Iterable[tuple[str, int]]) -> Bar:
    """The bar of a step whose segments are given as (kind, tokens)."""
    return Bar(cells(sizes), step.context_window, step.compacts_at or None, step.prompt_tokens or None)


def bar_to_come(agent: Agent, segments: Iterable[SegmentView]) -> Bar:
    """The bar of the agent's next request, which holds ``segments``."""
    return Bar(cells((segment.kind, segment.tokens) for segment in segments), agent.context_window)


def newest_bar(agent: Agent) -> Bar:
    """The bar of the newest request that the agent sent, an empty one before the first; of the next one, where the agent has gone
    elsewhere since it sent that."""
    requests = Step.objects.filter(agent=agent, kind=StepKind.AGENT, request_digest__isnull=False)
    sent = requests.defer("segments").order_by("-number").first()
    if sent is None:
        return Bar([], agent.context_window)
    if moved_since(sent) is None:
        [rows] = run_sync([Statement(_BAR, (sent.id,))])
        return bar_of(sent, rows)
    try:
        return bar_to_come(agent, async_to_sync(preview_next)(agent.id, sent.conversation_id).segments)
    except AgentsError:  # the request cannot be made: Next says why
        return Bar([], agent.context_window)


# --- the list ------------------------------------------------------------------------------------------------------


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
    def told(self) -> str:
        """How many of what it holds."""
        if self.kind == SegmentKind.TOOL:
            return ngettext("{count:,} tool", "{count:,} tools", self.count).format(count=self.count)
        return ngettext("{count:,} message", "{count:,} messages", self.count).format(count=self.count)

    @property
    def badges(self) -> list[tuple[str, int]]:
        """How many parts carry each badge."""
        return list(Counter(part.badge for part in self.parts if part.badge).items())

    @property
    def chunks(self) -> list[Chunk]:
        starts = range(0, len(self.parts), CHUNK)
        return [self._chunk(start // CHUNK, start in (0, starts[-1])) for start in starts]

    def _chunk(self, number: int, at_an_end: bool) -> Chunk:
        parts = self.parts[number * CHUNK : (number + 1) * CHUNK]
        is_drawn = at_an_end or any(part.is_open for part in parts)
        return Chunk(f"{self.key}.{number}", f"{self.dom_id}-lines-{number}", parts, is_drawn)


@dataclass(frozen=True, slots=True)
class Envelope:
    """The JSON around the segments: (offset in bytes, text) of each piece."""

    pieces: Sequence[tuple[int, str]]

    @property
    def size(self) -> int:
        return sum(len(text.encode()) for _, text in self.pieces)


@dataclass(frozen=True, slots=True)
class Comparison(Difference):
    """What the badges are made from. ``replaced``: how many messages the summary of that id stands for."""

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
    """The segments of a window, but for the envelope, as the list shows them, and between them what only the window has that it
    is compared with; ``chosen`` is the key of the one to open."""
    where = dict(zip(map(id, segments), _spans(segments), strict=True))
    keys: Counter[str] = Counter()
    parts = []
    for compared in comparison.segments:
        span = where.get(id(compared.segment)) or where.get(id(compared.before))
        part = _part(compared, comparison, keys, span)
        part.is_chosen = part.key == chosen
        part.is_open = part.is_chosen or (part.badge == "rewritten" and not chosen)
        parts.append(part)
    return list(_grouped(parts, chosen))


def _part(compared: Compared, comparison: Comparison, keys: Counter[str], span: tuple[int, int] | None) -> Part:
    segment, verdict = compared.segment, comparison.verdict(compared)
    key = _key(segment) if span else f"gone.{_key(segment)}"
    keys[key] += 1
    if keys[key] > 1:
        key = f"{key}.{keys[key]}"
    part = Part(key, _dom_id(key), segment, title_of(segment, comparison))
    part.start, part.end = span or (None, None)
    if verdict != "same":
        part.badge, part.badge_note = verdict, _(verdict)
    if verdict == "rewritten":
        part.before = compared.before
        if segment.source_id in comparison.written:
            part.badge_note = _("rewritten at step {number}").format(number=comparison.written[segment.source_id])
    if verdict == "compacted":
        part.compaction = comparison.compactions[segment.source_id]
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


def title_of(segment: SegmentView, comparison: Comparison | None = None) -> str:
    """What the segment shows; ``comparison`` knows what a summary stands for."""
    replaced = comparison.replaced if comparison else {}
    match segment.kind:
        case SegmentKind.CORE:
            return _("Core memory · {label}").format(label=segment.label)
        case SegmentKind.MESSAGE:
            return _(segment.label)
        case SegmentKind.TOOL | SegmentKind.TOOL_RETURN:
            return segment.label
        case SegmentKind.SUMMARY if segment.source_id in replaced:
            return _("Summary of {count:,} evicted messages").format(count=replaced[segment.source_id])
        case SegmentKind.FILE:
            noun = _("File") if segment.source_id.startswith("file-") else _("Folder")
            return f"{noun} · {segment.label}"
        case SegmentKind.SYSTEM if segment.label in _AROUND:
            return _(_AROUND[segment.label])
        case _:
            return _(_TITLES[segment.kind])


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
        yield Group(key, _dom_id(key), kind, _(_TITLES[kind]), members, is_open)


def _sort(part: Part) -> str:
    match part.kind:
        case SegmentKind.TOOL:
            return "tools"
        case SegmentKind.MESSAGE | SegmentKind.TOOL_RETURN:
            return "messages"
        case _:
            return part.key
