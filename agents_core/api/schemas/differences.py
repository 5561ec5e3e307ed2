"""What changed between two steps, on the wire. The route is this product's own."""

from typing import Annotated, Self

from pydantic import Field

from agents_core.api.ids import StepId
from agents_core.api.schemas.common import Answer, Body
from agents_core.models import Step
from agents_core.record.compare import Compared
from agents_core.record.diff import Op, diff_words
from agents_core.record.differences import CHANGES, Difference, Verdict

StepNumber = Annotated[int, Field(ge=1, lt=10**18)]


class ComparedTo(Body):
    to: StepNumber | StepId


class ComparedStep(Answer):
    id: str
    number: int


class Words(Answer):
    """Joined, those that are not "added" are the text before, those that are not "removed" the text after."""

    op: Op
    text: str


class ChangedSegment(Answer):
    """``words`` are those of a rewritten one; ``text`` is what it reads now, or read when it left.

    ``step`` is the number of the last step that wrote a rewritten block, ``compaction_id`` the compaction that took a message out.
    """

    change: Verdict
    kind: str
    source_id: str
    label: str
    tokens: int
    tokens_before: int | None
    step: int | None
    compaction_id: str | None
    text: str
    words: list[Words]

    @classmethod
    def of(cls, compared: Compared, found: Difference) -> Self:
        segment, before = compared.segment, compared.before
        change, source = found.verdict(compared), segment.source_id
        compaction = found.compactions.get(source) if change == "compacted" else None
        rewritten = change == "rewritten" and before is not None
        return cls(
            change=change,
            kind=segment.kind,
            source_id=source,
            label=segment.label,
            tokens=segment.tokens,
            tokens_before=before.tokens if before else None,
            step=found.written.get(source) if rewritten else None,
            compaction_id=None if compaction is None else str(compaction),
            text=segment.text,
            words=_words(before.text, segment.text) if rewritten and before else [],
        )


def _words(before: str, after: str) -> list[Words]:
    return [Words(op=change.op, text=change.text) for change in diff_words(before, after)]


class StepDifference(Answer):
    """``older`` is always the earlier of both. ``totals`` counts the segments by change and ``more_tokens`` by how much the newer request
    is longer; ``segments`` are those that changed, in the order sent, those that left where they stood."""

    agent_id: str
    older: ComparedStep
    newer: ComparedStep
    totals: dict[Verdict, int]
    more_tokens: int
    segments: list[ChangedSegment]

    @classmethod
    def of(cls, older: Step, newer: Step, found: Difference) -> Self:
        counts = found.counts()
        return cls(
            agent_id=older.agent_id,
            older=ComparedStep(id=older.id, number=older.number),
            newer=ComparedStep(id=newer.id, number=newer.number),
            totals={change: counts.get(change, 0) for change in CHANGES},
            more_tokens=found.more_tokens(),
            segments=[ChangedSegment.of(each, found) for each in found.segments if found.verdict(each) != "same"],
        )
