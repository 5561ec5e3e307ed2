"""What a summary must not lose or make up, checked without a model: names, numbers, and what a person forbade."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agents_core.memory.recall.turns import spoken_text
from agents_core.models import Role
from agents_core.runtime.state import StoredMessage

KEPT = "Kept verbatim: "
"""Begins the line of a summary that holds what its text left out."""

RETENTION_FLOOR = 0.8
"""The share of the protected facts that a summary's own text has to hold; below it the others are kept verbatim."""

_PROTECTED = 40
_KEPT_SHARE = 0.25
_FORBIDDEN_CHARS = 200

_MOST_FORBIDDEN = 5
_LONGEST_NUMBER = 60  # longer ones are keys and encoded files
_AROUND_WORDS = ".,;:!?()[]{}<>\"'`*_“”„…"
_NAME = re.compile(r"(?<=[\w,;] )[A-Z\u00c0-\u00de][\w'\u2019-]{2,}(?: [A-Z\u00c0-\u00de][\w'\u2019-]+){0,3}")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
# "I never liked it" tells of somebody; "never tell her" forbids.
_FORBIDS = re.compile(
    r"(?<!\bi )(?<!\bwe )(?<!\bhe )(?<!\bshe )(?<!\bit )(?<!\bthey )\b(?:do not|don['\u2019]t|never|must not|mustn['\u2019]t)\b",
    re.IGNORECASE,
)


class Guarded(NamedTuple):
    """A summary after the check. ``retention``: the share of the protected facts in the summary's own words, None when there was nothing
    to protect. ``kept``: those that were added. ``unsupported``: names and numbers that stand nowhere in what was summarised."""

    text: str
    retention: float | None
    kept: list[str]
    unsupported: list[str]


def guarded(summary: str, source: Sequence[StoredMessage], read: str, in_view: str, room_chars: int) -> Guarded:
    """``summary`` with a line of the facts that it dropped, where it dropped too many.

    Args:
        source: the messages that it is to stand for.
        read: all that the summariser could have read of them.
        in_view: the system prompt; what stands there needs no keeping.
        room_chars: how long the whole may be; the line takes a quarter at most, and the summary is cut for it.
    """
    facts = [fact for fact in _protected(source) if not _stands(fact, in_view)]
    missing = [fact for fact in facts if not _stands(fact, summary)]
    retention = 1 - len(missing) / len(facts) if facts else None
    kept = _fitting(missing, round(room_chars * _KEPT_SHARE)) if (retention or 0) < RETENTION_FLOOR else []
    line = f"\n{KEPT}{'; '.join(kept)}" if kept else ""
    known = {word.casefold() for word in (*_words(read), *_words(in_view))}
    unsupported = [fact for fact in _names_and_numbers(summary) if not known.issuperset(_words(fact.casefold()))]
    return Guarded(summary[: room_chars - len(line)].rstrip() + line, retention, kept, unsupported)


def _protected(source: Sequence[StoredMessage]) -> list[str]:
    """The facts that matter most: what a person forbade and earlier summaries kept, then what was named most often, the latest first."""
    always: list[str] = []
    forbidden: list[str] = []
    counts: Counter[str] = Counter()
    latest: dict[str, int] = {}
    for at, message in enumerate(source):
        text, kept = _said(message)
        always += kept
        if message.role == Role.USER:
            forbidden += _prohibitions(text)
        for fact in _names_and_numbers(text):
            counts[fact] += 1
            latest[fact] = at
    named = sorted(counts, key=lambda fact: (-counts[fact], -latest[fact]))
    return list(dict.fromkeys([*always, *forbidden[-_MOST_FORBIDDEN:], *named]))[:_PROTECTED]


def _said(message: StoredMessage) -> tuple[str, list[str]]:
    """What a message says, and what an earlier summary kept verbatim."""
    if message.role != Role.SUMMARY:
        return spoken_text(message.role, message.content, message.tool_calls), []
    text, _, kept = message.text.partition(f"\n{KEPT}")
    return text, [fact for fact in kept.split("; ") if fact]


def _names_and_numbers(text: str) -> list[str]:
    numbers = [word for word in _words(text) if 1 < len(word) <= _LONGEST_NUMBER and any(map(str.isdigit, word))]
    return list(dict.fromkeys([*numbers, *_NAME.findall(text)]))


def _words(text: str) -> list[str]:
    return [word.strip(_AROUND_WORDS) for word in text.split()]


def _prohibitions(text: str) -> list[str]:
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
    return [each[:_FORBIDDEN_CHARS].replace(";", ",") for each in sentences if _FORBIDS.search(each)]


def _stands(fact: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(fact)}(?!\w)", text, re.IGNORECASE) is not None


def _fitting(facts: Iterable[str], chars: int) -> list[str]:
    chosen, used = [], len(KEPT) + 1
    for fact in facts:
        used += len(fact) + 2
        if used > chars:
            break
        chosen.append(fact)
    return chosen
