"""Reading the record: the exact context of any step."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from agents_core.errors import NotFound
from agents_core.models import Experiment, SegmentKind, Step

_SEGMENTS = """
SELECT segment.id, kind, source_id, label, tokens, content FROM segment JOIN blob ON blob.digest = segment.digest
WHERE segment.id = ANY(%s)
"""
"""One list of ids, not hundreds of parameters."""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment for people. ``raw`` is as it stood in the bytes, ``text`` the same without JSON's escapes and separators."""

    id: str
    kind: str
    source_id: str
    label: str
    tokens: int
    raw: bytes

    @property
    def text(self) -> str:
        return readable(self.kind, self.raw)


def segments_of(step: Step | Experiment) -> list[SegmentView]:
    """The segments of a step's or an experiment's request, in the order sent; [] for one whose request is not recorded (yet)."""
    return segments_of_each([step])[0]


def segments_of_each(steps: Sequence[Step | Experiment]) -> list[list[SegmentView]]:
    """The same of each of several, in one query: neighbours have nearly all their segments in common."""
    ids = {segment_id for step in steps for segment_id in step.segments}
    if not ids:
        return [[] for _ in steps]
    with connection.cursor() as cursor:
        cursor.execute(_SEGMENTS, (list(ids),))
        rows = cursor.fetchall()
    views = {
        key: SegmentView(str(key), kind, source_id, label, tokens, bytes(content))
        for key, kind, source_id, label, tokens, content in rows
    }
    return [[views[segment_id] for segment_id in step.segments] for step in steps]


def request_bytes(step: Step | Experiment) -> bytes:
    """The request of a step or an experiment, byte for byte as it was sent. Raises ``NotFound`` without one, ``ValueError`` if the
    record were damaged."""
    if step.request_digest is None:
        raise NotFound(f"{str(step).capitalize()} sent no request.")
    body = b"".join(segment.raw for segment in segments_of(step))
    if sha256(body).digest() != bytes(step.request_digest):
        raise ValueError(f"The record of {step} is damaged: its segments do not join to the request that was sent.")
    return body


def response_bytes(step: Step | Experiment) -> bytes:
    """What came back, byte for byte; empty when nothing did."""
    return bytes(step.response.content) if step.response else b""


SYSTEM_KINDS = {SegmentKind.SYSTEM, SegmentKind.CORE, SegmentKind.RULES, SegmentKind.FILE, SegmentKind.METADATA}
"""The parts of the system prompt."""


def readable(kind: str, raw: bytes) -> str:
    """The text of a segment as a person reads it: a part of the system prompt unescaped, JSON indented."""
    text = raw.decode()
    if kind == SegmentKind.ENVELOPE:
        return text
    try:
        if kind in SYSTEM_KINDS:  # A part of a JSON string, or, when it could not be cut, the string with its quotes.
            return str(json.loads(text if text.startswith('"') else f'"{text}"'))
        return json.dumps(json.loads(text.removeprefix(",")), indent=2, ensure_ascii=False)
    except ValueError:
        return text
