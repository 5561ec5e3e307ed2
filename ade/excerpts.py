"""The stretch of a text in which words were found, with these marked."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LENGTH = 240
"""Characters of an excerpt."""

_BEFORE = 70
_LOOKED_THROUGH = 200_000


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    is_found: bool = False


def excerpt(text: str, words: Iterable[str], stems: Iterable[str] = ()) -> list[Part]:
    """The parts of ``text`` around the first of ``words``, or of the words that begin with one of ``stems``, without regard to case and
    accents; its beginning where there is none. Breaks of lines become blanks."""
    text = re.sub(r"\s+", " ", text[:_LOOKED_THROUGH]).strip()
    found = _pattern(words, stems)
    first = found.search(_flat(text)) if found else None
    start, end = _stretch(text, first.start() if first else 0)
    shown = text[start:end]
    parts = list(_parts(shown, found)) if found else [Part(shown)]
    return [*([Part("… ")] if start else []), *parts, *([Part(" …")] if end < len(text) else [])]


def _pattern(words: Iterable[str], stems: Iterable[str]) -> re.Pattern[str] | None:
    choices = [re.escape(_flat(word)) for word in words if word]
    choices += [rf"\b{re.escape(stem)}\w*" for stem in stems if stem]
    # The longest first: of "trip" and "trips" both begin alike.
    return re.compile("|".join(sorted(choices, key=len, reverse=True))) if choices else None


def _flat(text: str) -> str:
    """As many characters as ``text``, in lower case and without accents."""
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    return unicodedata.normalize("NFKD", letter.casefold())[:1] or letter


def _stretch(text: str, at: int) -> tuple[int, int]:
    """Where an excerpt begins and ends, between words where there are any near."""
    start = max(0, at - _BEFORE)
    if start:
        blank = text.find(" ", start, at)
        start = blank + 1 if blank >= 0 else start
    end = min(len(text), start + LENGTH)
    if end < len(text):
        blank = text.rfind(" ", max(at + 1, end - 40), end)
        end = blank if blank > 0 else end
    return start, end


def _parts(text: str, found: re.Pattern[str]) -> Iterable[Part]:
    at = 0
    for match in found.finditer(_flat(text)):
        if match.start() > at:
            yield Part(text[at : match.start()])
        yield Part(text[match.start() : match.end()], is_found=True)
        at = match.end()
    if at < len(text):
        yield Part(text[at:])
