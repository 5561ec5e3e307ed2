"""What changed between two steps of an agent, and why what left is gone."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from django.db.models import Max

from agents_core.models import BlockVersion, Eviction, SegmentKind, Step
from agents_core.record.compare import Compared, compare
from agents_core.record.steps import SegmentView, segments_of_each

Verdict = Literal["same", "added", "rewritten", "moved", "evicted", "compacted", "detached"]

CHANGES: tuple[Verdict, ...] = ("added", "rewritten", "moved", "evicted", "compacted", "detached")

_SAID = {SegmentKind.MESSAGE, SegmentKind.TOOL_RETURN, SegmentKind.SUMMARY}
_COMPACTIONS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """The segments of two windows as ``compare`` tells them.

    ``compactions``: which compaction took each message that left, by message id. ``written``: the last step before the newer window that
    wrote each rewritten block, by block id.
    """

    segments: Sequence[Compared]
    compactions: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)

    def verdict(self, compared: Compared) -> Verdict:
        match compared.status:
            case "removed" if compared.segment.kind not in _SAID:
                return "detached"
            case "removed":
                return "compacted" if compared.segment.source_id in self.compactions else "evicted"
            case "changed":
                return "rewritten"
            case status:
                return status

    def counts(self) -> dict[Verdict, int]:
        """How many segments came, went or changed in each way; ways that did not occur are left out."""
        found = Counter(self.verdict(compared) for compared in self.segments)
        return {change: found[change] for change in CHANGES if found[change]}

    def more_tokens(self) -> int:
        """By how much our estimate of the newer window is above that of the older."""
        return sum(_tokens_gained(compared) for compared in self.segments)


def difference(older: Step, newer: Step) -> Difference:
    """What changed from the request of ``older`` to that of ``newer``, in the order of time, in a few queries."""
    before, after = segments_of_each((older, newer))
    return difference_of(older, before, newer, after)


def difference_of(older: Step, before: Sequence[SegmentView], newer: Step, after: Sequence[SegmentView]) -> Difference:
    """The same, of segments that were read already. The JSON around them is not compared."""
    segments = compare(_shown(before), _shown(after))
    gone = {c.segment.source_id for c in segments if c.status == "removed" and c.segment.kind in _SAID}
    rewritten = {c.segment.source_id for c in segments if c.status == "changed" and c.segment.kind == SegmentKind.CORE}
    return Difference(segments, _compactions(older, newer, gone), _written(older, newer, rewritten))


def _shown(segments: Sequence[SegmentView]) -> list[SegmentView]:
    return [segment for segment in segments if segment.kind != SegmentKind.ENVELOPE]


def _tokens_gained(compared: Compared) -> int:
    if compared.status == "removed":
        return -compared.segment.tokens
    return compared.segment.tokens - (compared.before.tokens if compared.before else 0)


def _compactions(older: Step, newer: Step, gone: Collection[str]) -> dict[str, int]:
    """They left soon after the older step: the first few compactions after it tell of all."""
    taken: dict[str, int] = {}
    if not gone:
        return taken
    between = Eviction.objects.filter(agent=older.agent_id).exclude(step__number__lte=older.number)
    rows = between.exclude(step__number__gt=newer.number).order_by("id").values_list("id", "message_ids")
    for start in count(0, _COMPACTIONS_AT_ONCE):
        found = list(rows[start : start + _COMPACTIONS_AT_ONCE])
        taken |= {message_id: key for key, message_ids in found for message_id in message_ids if message_id in gone}
        if not found or len(taken) == len(gone):
            break
    return taken


def _written(older: Step, newer: Step, blocks: Collection[str]) -> dict[str, int]:
    """A step's own writes come after its request."""
    if not blocks:
        return {}
    writes = BlockVersion.objects.filter(block__in=blocks, step__agent=older.agent_id)
    between = writes.filter(step__number__gte=older.number, step__number__lt=newer.number)
    return dict(between.order_by().values_list("block_id").annotate(Max("step__number")))
