"""What changed between two context windows: a pure comparison of their segments, as they were sent."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agents_core.models import SegmentKind
from agents_core.record.steps import SegmentView

Status = Literal["same", "added", "removed", "changed", "moved"]

_JSON_KINDS = {SegmentKind.TOOL, SegmentKind.MESSAGE, SegmentKind.SUMMARY, SegmentKind.TOOL_RETURN}


@dataclass(frozen=True, slots=True)
class Compared:
    """A segment of the new window, or of the old one when it was removed; ``before``: as it stood in the old one."""

    status: Status
    segment: SegmentView
    before: SegmentView | None = None


def compare(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> list[Compared]:
    """The segments of ``new`` in their order, the removed ones of ``old`` between them where they stood.

    Two segments are one and the same when they show the same source: the same block, tool or message. "moved" is said
    of the fewest segments whose moving explains the new order, and only when their bytes stayed the same.
    """
    partners = _partners(old, new)
    moved = _moved(partners)
    gone = set(range(len(old))) - set(partners.values())
    result: list[Compared] = []
    for at, segment in enumerate(new):
        partner = partners.get(at)
        if partner is None:
            result.append(Compared("added", segment))
            continue
        if at not in moved:
            result += _removed(old, gone, partner)
        before = old[partner]
        changed = content(before) != content(segment)
        result.append(Compared("changed" if changed else "moved" if at in moved else "same", segment, before))
    return result + _removed(old, gone, len(old))


def content(segment: SegmentView) -> bytes:
    """The bytes without the separator that JSON puts before all but the first value of a list."""
    return segment.raw.removeprefix(b",") if segment.kind in _JSON_KINDS else segment.raw


def _removed(old: Sequence[SegmentView], gone: set[int], until: int) -> list[Compared]:
    """Takes from ``gone`` those before ``until``."""
    told = sorted(at for at in gone if at < until)
    gone.difference_update(told)
    return [Compared("removed", old[at], old[at]) for at in told]


def _source(segment: SegmentView) -> tuple[str, str]:
    return segment.kind, segment.source_id or segment.label


def _partners(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> dict[int, int]:
    """Where each segment of ``new`` stood in ``old``; several of one source are paired by bytes, then in order."""
    unpaired: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, segment in enumerate(old):
        unpaired[_source(segment)].append(at)
    partners: dict[int, int] = {}
    for at, segment in enumerate(new):
        candidates = unpaired[_source(segment)]
        if (same := next((c for c in candidates if content(old[c]) == content(segment)), None)) is not None:
            partners[at] = same
            candidates.remove(same)
    for at, segment in enumerate(new):
        if at not in partners and (candidates := unpaired[_source(segment)]):
            partners[at] = candidates.pop(0)
    return partners


def _moved(partners: dict[int, int]) -> set[int]:
    """The places in the new window outside the longest run of segments that kept their order (patience sorting)."""
    ends: list[int] = []
    chain: list[int] = []
    before: dict[int, int | None] = {}
    for at in sorted(partners):
        length = bisect_left(ends, partners[at])
        ends[length : length + 1] = [partners[at]]
        chain[length : length + 1] = [at]
        before[at] = chain[length - 1] if length else None
    kept: set[int] = set()
    at_end = chain[-1] if chain else None
    while at_end is not None:
        kept.add(at_end)
        at_end = before[at_end]
    return set(partners) - kept
