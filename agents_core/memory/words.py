"""Text made ready for the index: what PostgreSQL's english dictionary then stems and counts.

Folded here and not by PostgreSQL, because its parser takes every non-ASCII sign for a letter under a C locale (dashes
and quotation marks would join words), unaccent may be absent, and a script without spaces would be one word.
"""

import re
import unicodedata

QUERY_WORDS = 100
"""Distinct words of a query that are searched for; more cost time and change no ranking."""

INDEXED_CHARS = 200_000
"""Of one text; a tsvector may not exceed a megabyte."""

# PostgreSQL's own list has the question words, but not these.
_STOP = frozenset(["could", "ever", "many", "might", "much", "must", "shall", "upon", "us", "whose", "would", "yet"])
_LONGEST_WORD = 64
_ACCENTS = range(0x300, 0x370)
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_PHRASE = re.compile('["“”]([^"“”]*)["“”]')


class _Signs(dict[int, str | None]):
    """For ``str.translate``: letters, digits and vowel signs stay, accents go, all else parts words."""

    def __missing__(self, code: int) -> str | None:
        letter = unicodedata.category(chr(code))[0] in "LMN"
        self[code] = None if code in _ACCENTS else chr(code) if letter else " "
        return self[code]


_signs = _Signs()


def folded(text: str) -> str:
    """The words of ``text`` in lower case, without accents and punctuation, parted by single spaces.

    Japanese and Chinese become overlapping pairs of characters. "Zoë's e-mail" gives "zoe s e mail".
    """
    return " ".join(_words(text[:INDEXED_CHARS]))


def query_words(query: str) -> list[str]:
    """The distinct words that a search looks for, in order, at most ``QUERY_WORDS``."""
    return list(dict.fromkeys(_words(query[:INDEXED_CHARS])))[:QUERY_WORDS]


def phrases(query: str) -> list[str]:
    """What stands in double quotes, straight or curly: a hit must hold it."""
    return [" ".join(phrase.split()) for phrase in _PHRASE.findall(query) if re.search(r"\w", phrase)]


def like(phrase: str) -> str:
    """The pattern for ILIKE that finds ``phrase`` anywhere."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", phrase) + "%"


def storable(text: str) -> str:
    """``text`` without what PostgreSQL cannot hold: NUL characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text.casefold()).translate(_signs))
    spaced = _UNSPACED.sub(_pairs, plain)
    return [word[:_LONGEST_WORD] for word in spaced.split() if word not in _STOP]


def _pairs(run: re.Match[str]) -> str:
    text = run.group()
    pairs = [text[start : start + 2] for start in range(len(text) - 1)]
    return f" {' '.join(pairs or [text])} "
