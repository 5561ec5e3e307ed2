"""A text into sentences, and the sentences that state something into clauses."""

import re
from collections.abc import Iterator

MAX_CLAUSE_CHARS = 300
MAX_TEXT_CHARS = 8_000
"""People tell of themselves at the beginning; the rest of a pasted document is left alone."""

_SENTENCE_END = re.compile(r"(?<!\bSt)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bMt)(?<!\b[A-Z])[.!?…]+(?=\s|$)|[\n;]+")
_STARTS = (
    r"(?:i|i'm|i've|my|we|you|your|call|please|live|work|love|like|hate|prefer|have|am|speak|play|remember|forget|"
    r"ich|mein|je|vivo|soy|me llamo|what|where|who|when|how|do you|can you)\b"
)
_CLAUSE_END = re.compile(rf"\s*(?:,\s*(?:and|but|so)?|\s(?:and|but|because|und|y|et))\s+(?={_STARTS})", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:(?:hi|hello|hey|well|oh|ok|okay|so|no|yes|actually|sorry|by the way|btw|also|and|but|listen|wait|correction|"
    r"fyi|please note|i should say|i think|did you know|in fact|today|that|now)\b[\s,:!\u2013-]*)+(?=\S)",
    re.IGNORECASE,
)
_SUBJECTLESS = re.compile(r"(?:live|work|love|like|hate|prefer|have|am|speak|play)\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"(?:what|where|who|whom|whose|when|why|how|which|do|does|did|is|are|am|was|were|can|could|will|would|should|"
    r"have you|has|tell me|wo|wer|wann|wie|dónde|donde|qué|cómo|où|qui|quand|comment)\b",
    re.IGNORECASE,
)


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """The sentences of ``text``, each with the mark that ended it ("" for none)."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if sentence := " ".join(text[start : end.start()].split()):
            yield sentence, end[0].strip()
        start = end.end()
    if rest := " ".join(text[start:].split()):
        yield rest, ""


def is_question(sentence: str, mark: str = "") -> bool:
    return "?" in mark or bool(_QUESTION.match(without_lead(sentence)))


def without_lead(text: str) -> str:
    lead = _LEAD.match(text)
    return text[lead.end() :] if lead else text


def clauses(text: str) -> Iterator[str]:
    """The clauses that state something, each with its subject."""
    for sentence, mark in sentences(text[:MAX_TEXT_CHARS]):
        for number, part in enumerate(_CLAUSE_END.split(sentence) if not is_question(sentence, mark) else ()):
            clause = without_lead(part.strip(" ,")).replace("\u2019", "'")
            if 0 < len(clause) <= MAX_CLAUSE_CHARS and not is_question(clause):
                yield f"I {clause}" if number and _SUBJECTLESS.match(clause) else clause
