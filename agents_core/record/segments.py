"""Cuts the bytes of a request into segments: the parts of the context window as they were sent.

The segments of a request, joined, are the request, by construction: each byte of the body belongs to exactly one. A part that did not
change since an earlier step has the same id, so a step costs what changed.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json.decoder import JSONDecoder
from typing import NamedTuple

from agents_core.llm.types import Placed
from agents_core.models import SegmentKind
from agents_core.models.pipeline import Statement

_DECODER = JSONDecoder()
_WHITE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the context before it is sent. ``tokens`` is our estimate; ``text`` is needed of parts of the system prompt only."""

    kind: SegmentKind
    source_id: str
    label: str
    tokens: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The pieces of a request: the system prompt is the plain concatenation of ``system``; ``tools`` and ``messages`` are as in it."""

    system: Sequence[Piece]
    tools: Sequence[Piece]
    messages: Sequence[Piece]

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for pieces in (self.system, self.tools, self.messages) for piece in pieces)


class CutSegment(NamedTuple):
    """A piece with the ``text`` that was sent of it, and the id it is stored under: a UUID in hexadecimal digits."""

    id: str
    piece: Piece
    text: str


def cut(agent_id: str, body: bytes, layout: Sequence[Placed], plan: Plan) -> list[CutSegment]:
    """The segments of ``body`` in order. What ``layout`` does not name becomes ``envelope``; a lone separator stays
    with what follows it."""
    text = body.decode()
    marks = [
        mark
        for placed, span in zip(layout, spans(text, [placed.path for placed in layout]), strict=True)
        for mark in _marks(text, placed, span, plan)
    ]
    envelope = Piece(SegmentKind.ENVELOPE, "", "", 0)
    segments, at = [], 0
    for start, end, piece in marks:
        if start - at > 1:
            segments.append(segment(agent_id, envelope, text[at:start]))
            at = start
        segments.append(segment(agent_id, piece, text[at:end]))
        at = end
    if at < len(text):
        segments.append(segment(agent_id, envelope, text[at:]))
    return segments


def _marks(text: str, placed: Placed, span: tuple[int, int], plan: Plan) -> Iterable[tuple[int, int, Piece]]:
    if placed.source == "system":
        return _system_marks(text, span, plan.system)
    return [(*span, (plan.tools if placed.source == "tool" else plan.messages)[placed.index])]


def _system_marks(text: str, span: tuple[int, int], parts: Sequence[Piece]) -> list[tuple[int, int, Piece]]:
    """Cuts the system prompt's JSON string between its parts; as one piece, should the provider have written it in another way."""
    start, end = span
    for ascii_only in (False, True):
        written = [json.dumps(part.text, ensure_ascii=ascii_only)[1:-1] for part in parts]
        if "".join(written) == text[start + 1 : end - 1]:
            break
    else:
        return [(start, end, Piece(SegmentKind.SYSTEM, "", "System prompt", sum(part.tokens for part in parts)))]
    marks, at = [], start + 1
    for part, piece in zip(written, parts, strict=True):
        if part:
            marks.append((at, at + len(part), piece))
        at += len(part)
    return marks


def segment(agent_id: str, piece: Piece, text: str) -> CutSegment:
    """``text``, the bytes of a request that show ``piece``, with the id that it is stored under."""
    told = f"{agent_id}\0{piece.kind}\0{piece.source_id}\0{piece.label}\0{text}"
    return CutSegment(sha256(told.encode()).hexdigest()[:32], piece, text)


def spans(text: str, paths: Sequence[tuple[str | int, ...]]) -> list[tuple[int, int]]:
    """Where the values at ``paths`` stand in the JSON ``text``, as (start, end). Raises KeyError for a path that is not there."""
    found: dict[tuple[str | int, ...], tuple[int, int]] = {}
    wanted = set(paths)
    inner = {path[:depth] for path in wanted for depth in range(len(path))}
    _walk(text, _skip(text, 0), (), wanted, inner, found)
    return [found[path] for path in paths]


def _walk(
    text: str,
    at: int,
    path: tuple[str | int, ...],
    wanted: set[tuple[str | int, ...]],
    inner: set[tuple[str | int, ...]],
    found: dict[tuple[str | int, ...], tuple[int, int]],
) -> int:
    """Reads the value at ``at``, noting the spans of wanted ones; gives where it ends. Goes into a container only where a path leads."""
    if path not in inner or text[at] not in "[{":
        end = _DECODER.raw_decode(text, at)[1]
    else:
        end = _walk_container(text, at, path, wanted, inner, found)
    if path in wanted:
        found[path] = (at, end)
    return end


def _walk_container(
    text: str,
    at: int,
    path: tuple[str | int, ...],
    wanted: set[tuple[str | int, ...]],
    inner: set[tuple[str | int, ...]],
    found: dict[tuple[str | int, ...], tuple[int, int]],
) -> int:
    is_object, count = text[at] == "{", 0
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        key: str | int = count
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        at = _skip(text, _walk(text, at, (*path, key), wanted, inner, found))
        if text[at] == ",":
            at = _skip(text, at + 1)
        count += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _WHITE:
        at += 1
    return at


class Stored:
    """What this process has stored lately, by ids, so that it does not send it again."""

    def __init__(self, most: int = 200_000) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, keys: Iterable[str]) -> None:
        """Call it once they are committed."""
        for key in keys:
            self._keys[key] = None
        while len(self._keys) > self._most:
            self._keys.popitem(last=False)


_STORE = """
WITH new AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bytea[], %s::bytea[])
    AS new (id, kind, source_id, label, tokens, content, digest)
), blobs AS (
    INSERT INTO blob (digest, content)
    SELECT DISTINCT ON (digest) digest, content FROM (SELECT digest, content FROM new UNION ALL SELECT * FROM
    unnest(%s::bytea[], %s::bytea[])) AS b
    ON CONFLICT DO NOTHING
)
INSERT INTO segment (id, agent_id, kind, source_id, label, tokens, digest)
SELECT DISTINCT ON (id) id, %s, kind, source_id, label, tokens, digest FROM new ON CONFLICT DO NOTHING
"""


def store_statement(agent_id: str, segments: Sequence[CutSegment], other: Sequence[bytes] = ()) -> Statement:
    """The statement that stores those of ``segments``, and of the ``other`` bytes, that are not stored yet."""
    pieces, contents = [segment.piece for segment in segments], [segment.text.encode() for segment in segments]
    new = (
        [segment.id for segment in segments],
        [piece.kind for piece in pieces],
        [piece.source_id for piece in pieces],
        [piece.label for piece in pieces],
        [piece.tokens for piece in pieces],
        contents,
        [sha256(content).digest() for content in contents],
    )
    return Statement(_STORE, (*new, [sha256(content).digest() for content in other], list(other), agent_id))
