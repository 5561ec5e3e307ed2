"""Extractive summaries: the sentences that hold what a rewrite must not lose, in their order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents_core.llm.types import ModelRequest

SUMMARY_REQUEST = "Summarise the conversation"
"""A system prompt that holds these words asks for a summary of the request's messages; a last message that begins with them and says how
many words there may be, for one of those before it."""

DEFAULT_WORDS = 200
MAX_SENTENCE_WORDS = 60

_AT_MOST = re.compile(r"at most (\d{1,6}) words", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=\S)|\n+")
_SIGNS = (
    (8, re.compile(r"\b(?:do not|don't|never|must not|mustn't|forbidden|no longer)\b", re.IGNORECASE)),
    (8, re.compile(r"\b(?:error|failed|failure|exception|traceback|refused|timed? ?out)\b", re.IGNORECASE)),
    (
        5,
        re.compile(
            r"\b(?:decided?|decision|agreed|chose|chosen|will|must|plan(?:ned)?|promised?|deadline)\b", re.IGNORECASE
        ),
    ),
    (4, re.compile(r"\b(?:my name|i live|i work|i am|i'm|allergic|prefers?|birthday|remember)\b", re.IGNORECASE)),
    (3, re.compile(r"\d")),
    (3, re.compile(r"(?<=\w )[A-ZÀ-Þ]\w{2,}")),
    (1, re.compile(r"[“\"'`]\w")),
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    place: int
    speaker: str
    text: str
    words: int
    score: int

    @property
    def shown(self) -> str:
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def is_summary_request(request: ModelRequest) -> bool:
    return SUMMARY_REQUEST.casefold() in request.system.casefold() or _asked_last(request)


def _asked_last(request: ModelRequest) -> bool:
    last = request.messages[-1].text if request.messages else ""
    return last.startswith(SUMMARY_REQUEST) and _AT_MOST.search(last) is not None


def summarised(request: ModelRequest) -> str:
    """The best sentences that fit the words allowed ("at most N words" in the prompt; ``DEFAULT_WORDS`` without)."""
    room = _words_allowed(request)
    chosen: list[_Sentence] = []
    for sentence in sorted(_sentences(request), key=lambda each: (-each.score, each.place)):
        if sentence.words <= room:
            chosen.append(sentence)
            room -= sentence.words
    return "\n".join(each.shown for each in sorted(chosen, key=lambda each: each.place)) or "Nothing was said."


def _words_allowed(request: ModelRequest) -> int:
    texts = [request.system, request.messages[-1].text if request.messages else ""]
    limits = [int(number) for text in texts for number in _AT_MOST.findall(text)]
    return max(1, min(limits, default=DEFAULT_WORDS))


def _sentences(request: ModelRequest) -> Iterator[_Sentence]:
    seen: set[str] = set()
    place = 0
    for message in request.messages[: -1 if _asked_last(request) else None]:
        for raw in _SENTENCE_END.split(message.text):
            text = " ".join(raw.split()[:MAX_SENTENCE_WORDS])
            if len(text) < 3 or text.casefold() in seen or _AT_MOST.search(text) or SUMMARY_REQUEST in text:
                continue
            seen.add(text.casefold())
            place += 1
            speaker = message.role if len(request.messages) > 1 else ""
            words = len(text.split()) + (1 if speaker else 0)
            yield _Sentence(place, speaker, text, words, _score(text))


def _score(text: str) -> int:
    return sum(weight for weight, sign in _SIGNS if sign.search(text)) - (2 if text.endswith("?") else 0)
