"""The next request of an agent, as it would be sent. Beyond the V1 API."""

from typing import Any

from pydantic import Field

from agents_core.api.schemas.common import Answer, StrictBody
from agents_core.record.steps import SegmentView
from agents_core.runtime.preview import Changes, Previewed


class ChangesIn(StrictBody):
    """``blocks``: texts by label, null for a block that is not there. ``attach`` and ``detach`` are names of tools."""

    model: str | None = None
    system: str | None = None
    blocks: dict[str, str | None] = Field(default_factory=dict)
    attach: list[str] = Field(default_factory=list, max_length=100)
    detach: list[str] = Field(default_factory=list, max_length=100)
    settings: dict[str, Any] = Field(default_factory=dict)

    def changes(self) -> Changes:
        return Changes(**self.model_dump())


class PreviewRequest(StrictBody):
    message: str | None = None
    conversation_id: str | None = None
    changes: ChangesIn = Field(default_factory=ChangesIn)


class SegmentOut(Answer):
    """``start`` and ``end`` count bytes of the request; ``tokens`` is an estimate."""

    kind: str
    source_id: str
    label: str
    tokens: int
    start: int
    end: int


class PreviewAnswer(Answer):
    """``body`` is the request's text, byte for byte in UTF-8. ``input_usd``: to read it, without any cache."""

    handle: str
    url: str
    body: str
    tokens: int
    context_window: int
    input_usd: float | None
    compacts_first: bool
    segments: list[SegmentOut]

    @classmethod
    def of(cls, previewed: Previewed) -> "PreviewAnswer":
        return cls(
            handle=previewed.handle,
            url=previewed.url,
            body=previewed.body.decode(),
            tokens=previewed.tokens,
            context_window=previewed.limit_tokens,
            input_usd=previewed.input_usd,
            compacts_first=previewed.compacts_first,
            segments=segments_out(previewed.segments),
        )


def segments_out(segments: list[SegmentView]) -> list[SegmentOut]:
    """The segments with their places in the request."""
    out, at = [], 0
    for s in segments:
        end = at + len(s.raw)
        out.append(SegmentOut(kind=s.kind, source_id=s.source_id, label=s.label, tokens=s.tokens, start=at, end=end))
        at = end
    return out
