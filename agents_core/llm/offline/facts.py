"""Facts in a person's words, in a block's lines, and in questions, all by the table in ``kinds``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents_core.llm.offline.kinds import KINDS, Kind
from agents_core.llm.offline.sentences import clauses, without_lead

NAMES = {"own name", "nickname", "agent's name"}
TASTES = {"dislikes", "prefers", "loves", "likes"}


@dataclass(frozen=True, slots=True)
class Fact:
    kind: Kind
    line: str
    slot: str
    x: str
    k: str

    @property
    def answer(self) -> str:
        return self.kind.answer.format(x=self.x, k=self.k)


_TAIL = re.compile(
    r"[\s,]+(?:(?:(?:last|this|a few|two|three|\d+|some|many) )?"
    r"(?:day|week|month|year|summer|winter|spring|autumn)s?(?: ago)?|since .+|in (?:19|20)\d\d|"
    r"yesterday|recently|today|now|at the moment|these days|currently|again|actually|by the way|btw|too|as well|though|"
    r"however|please|a lot|very much|so much|any ?more|instead|with you|you know)$",
    re.IGNORECASE,
)


def _stored(kind: Kind) -> re.Pattern[str]:
    """The line as a pattern, so that a block's lines are read back into facts."""
    pattern = re.escape(kind.line.removesuffix(".")) + r"\.?"
    for group in "xk":
        pattern = pattern.replace(rf"\{{{group}\}}", f"(?P<{group}>{_alternatives(kind, group)})")
    return re.compile(pattern, re.IGNORECASE)


def _alternatives(kind: Kind, group: str) -> str:
    """What the group matches where it is a list of words, else anything."""
    found = re.search(rf"\(\?P<{group}>([^()\\.]+)\)", kind.tells[0])
    return found[1] if found and "|" in found[1] else ".+?"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_TELLS = [(kind, [_compiled(pattern) for pattern in kind.tells]) for kind in KINDS]
_STORED = [(kind, _stored(kind)) for kind in KINDS]
_ASKS = [(kind, _compiled(kind.asks)) for kind in KINDS]

# A block written by people may say it in these words.
_PROSE = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), name)
    for pattern, name in (
        (r"\b(?:user|human)(?:['\u2019]s (?:\w+ )?name is| is called) (?P<x>[^.,\n]+)", "own name"),
        (r"^[\s-]*(?:first |full )?name: *(?P<x>[^.,\n]+)", "own name"),
        (r"\b(?:user|human|she|he|they) (?:currently )?lives? in (?P<x>[^.,\n]+)", "home"),
        (r"\bmy name is (?P<x>[^\W\d_][\w-]*)", "agent's name"),
        (r"^(?:i am|i'm|name:) (?P<x>(?-i:[A-Z])[\w-]*)\b(?=[.,!]|$)", "agent's name"),
    )
)
_BY_NAME = {kind.name: kind for kind in reversed(KINDS)}


def told(text: str) -> list[Fact]:
    """The facts that ``text`` states, in order; of two for the same slot the later one."""
    facts: dict[str, Fact] = {}
    for clause in clauses(text):
        if fact := _told(clause):
            facts.pop(fact.slot, None)
            facts[fact.slot] = fact
    return list(facts.values())


def _told(clause: str) -> Fact | None:
    for kind, patterns in _TELLS:
        for pattern in patterns:
            found = pattern.fullmatch(clause)
            if found and (x := _tidy(found["x"])) and kind.accepts(x):
                named = x.title() if x.islower() and kind.name in NAMES else x
                return _fact(kind, named, _tidy(found.groupdict().get("k") or ""))
    return None


def stored(line: str) -> Fact | None:
    """The fact that a block's line states."""
    text = line.strip().removeprefix("- ")
    for kind, pattern in _STORED:
        if found := pattern.fullmatch(text):
            return _fact(kind, found["x"], found.groupdict().get("k") or "")
    return None


def prose(value: str) -> Iterator[tuple[Fact, str]]:
    """Facts that people write in sentences of their own, each with the exact words that state it."""
    for pattern, name in _PROSE:
        if found := pattern.search(value):
            yield _fact(_BY_NAME[name], found["x"].strip(), ""), found[0].lstrip()


def asked(question: str) -> list[tuple[Kind, str]]:
    """The kinds of fact that a question asks for, each with its key ("" for kinds without one)."""
    text = without_lead(question.strip(" ?!.")).replace("\u2019", "'")
    return [(kind, found.groupdict().get("k") or "") for kind, asks in _ASKS if (found := _fits(asks, text))]


def _fits(asks: re.Pattern[str], text: str) -> re.Match[str] | None:
    return asks.fullmatch(text) if "k" in asks.groupindex else asks.search(text)


def slot_of(kind: Kind, x: str, k: str) -> str:
    keys = {"one": "", "key": k, "value": x, "noun": x.rpartition(" ")[2].rstrip("s")}
    name = "taste" if kind.name in TASTES else kind.name
    return f"{name}:{keys[kind.slot].casefold()}"


def _fact(kind: Kind, x: str, k: str) -> Fact:
    shown = k[:1].upper() + k[1:] if kind.line.startswith("{k}") else k
    return Fact(kind, kind.line.format(x=x, k=shown), slot_of(kind, x, k), x, k.lower())


def _tidy(value: str) -> str:
    """Without quotes, closing words and the first person."""
    value = value.strip(" \t\"'“”„«».,:!")
    while tail := _TAIL.search(value):
        value = value[: tail.start()]
    value = re.sub(r"\bmy\b", "their", value, flags=re.IGNORECASE)
    return value.replace("{", "(").replace("}", ")")
