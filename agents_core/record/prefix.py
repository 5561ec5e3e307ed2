"""How much of a request a provider can take from its cache: what it begins with, as one that was sent before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agents_core.models import SegmentKind
from agents_core.record.compare import content
from agents_core.record.steps import SegmentView

_MARK = re.compile(rb',?"cache_control":\{[^{}]*\}')


@dataclass(frozen=True, slots=True)
class Prefix:
    """``kept_bytes`` of the new request's ``total_bytes`` lie before the first that differs, and ``kept_tokens`` by our estimate.

    ``broken_by``: the segment in which that byte stands, or the one of the old request that is gone; None when the new request goes on
    where the old one ended, or is equal to it.
    """

    kept_bytes: int
    total_bytes: int
    kept_tokens: int
    broken_by: SegmentView | None = None


def common_prefix(old: Sequence[SegmentView], new: Sequence[SegmentView]) -> Prefix:
    """What ``new`` and ``old``, both in the order sent, begin with.

    The JSON around the segments does not count, nor do the marks of what is to be cached: providers keep what the model reads.
    """
    total = sum(len(segment.raw) for segment in new)
    at, tokens, before = 0, 0, iter([segment for segment in old if segment.kind != SegmentKind.ENVELOPE])
    for segment in new:
        if segment.kind != SegmentKind.ENVELOPE:
            earlier = next(before, None)
            if earlier is None:
                return Prefix(at, total, tokens)
            if _read(earlier) != _read(segment):
                return Prefix(at + _common(earlier.raw, segment.raw), total, tokens, segment)
            tokens += segment.tokens
        at += len(segment.raw)
    return Prefix(at, total, tokens, next(before, None))


def _read(segment: SegmentView) -> bytes:
    """What of a segment the model reads."""
    return _MARK.sub(b"", content(segment))


def _common(old: bytes, new: bytes) -> int:
    """How many bytes both begin with."""
    return next((at for at, (one, other) in enumerate(zip_longest(old, new)) if one != other), len(new))
