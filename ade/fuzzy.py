"""Finding names by a few of their letters, as one types them in a hurry: "trvc" finds travel-concierge. The palette's script
(static/ade/js/fuzzy.js) ranks the commands of a page by the same rule."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Row = TypeVar("Row")

CLOSE = 0.35
"""Letters that stand further apart are there by chance."""

_START = re.compile(r"[^\W_]+")


def pattern(word: str) -> str:
    """A regular expression of PostgreSQL: the letters of ``word`` in this order and either case, with anything between."""
    return ".*".join(
        f"({'|'.join(sorted({re.escape(each) for each in (letter, letter.lower(), letter.upper())}))})"
        for letter in word
    )


def score(query: str, name: str) -> float | None:
    """How well ``query`` fits, from 0 to about 4 a word, None when one of its words does not. Best is a beginning, then the beginning of a
    word, then any part, then letters with others between; of equal ones the shorter name."""
    folded = name.casefold()
    scores = [_score(word, folded) for word in query.casefold().split()]
    if not scores or not all(scores):
        return None if scores else 0
    return sum(scores) - min(len(folded), 200) / 1000


def _score(word: str, name: str) -> float:
    at = name.find(word)
    if at == 0:
        return 4
    if at > 0:
        return 3 if any(match.start() == at for match in _START.finditer(name)) else 2
    return _scattered(word, name)


def _scattered(word: str, name: str) -> float:
    """Up to 1: the share of its letters in the stretch of ``name`` that holds them in order; 0 where they stand too far apart."""
    at, first = -1, None
    for letter in word:
        at = name.find(letter, at + 1)
        if at < 0:
            return 0
        first = at if first is None else first
    share = len(word) / (at - (first or 0) + 1)
    return share if share >= CLOSE else 0


def best(query: str, rows: Iterable[Row], name: Callable[[Row], Any], limit: int) -> list[Row]:
    """Those of ``rows`` whose name fits, best first; rows that fit alike stay in their order."""
    scored = ((score(query, str(name(row))), row) for row in rows)
    found = [(each, row) for each, row in scored if each is not None]
    return [row for _, row in sorted(found, key=lambda pair: -pair[0])[:limit]]
