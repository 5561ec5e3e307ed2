"""A text cut into passages, each short enough to be embedded as one, at the best place there is."""

import re
from dataclasses import dataclass

CHUNK_CHARS = 1_200
"""What a passage holds at most: some 300 tokens, which small embedders still see as a whole."""

_LEAST_SHARE = 0.4
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?。!?]\s*(?=\S)"), re.compile(r"\s"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """``line`` is the number of its first line in the text, 0 for the first."""

    text: str
    line: int


def chunks_of(text: str) -> list[Chunk]:
    """The passages of ``text`` in order: all of it but blank space between them. The same text always gives the same ones."""
    chunks, start, line = [], 0, 0
    while start < len(text):
        end = _end(text, start)
        piece = text[start:end]
        if body := piece.strip():
            before = piece[: len(piece) - len(piece.lstrip())]
            chunks.append(Chunk(body, line + before.count("\n")))
        line += piece.count("\n")
        start = end
    return chunks


def _end(text: str, start: int) -> int:
    """Where the passage from ``start`` ends: after the last paragraph that fits, else line, sentence, word; else in the middle."""
    limit = start + CHUNK_CHARS
    if limit >= len(text):
        return len(text)
    for kind in _BREAKS:
        ends = [found.end() for found in kind.finditer(text, start + int(CHUNK_CHARS * _LEAST_SHARE), limit)]
        if ends:
            return ends[-1]
    return limit
