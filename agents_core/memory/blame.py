"""Blame: for each sentence of a block, the version that brought it in.

The versions are walked from the oldest on. A sentence that stands in both of two neighbours keeps its origin wherever
it moved. What is left is paired by likeness, and within a pair each word that stayed keeps its origin, so trimming a
sentence gives it no new author. A version that was brought back has the origins that it had then.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from agents_core.record.diff import diff_words

_SENTENCES = re.compile(r"[^\n]*?(?:[.!?]+[ \t]+|\n|\Z)")
_WORDS = re.compile(r"\w+")
_ALIKE = 0.4
"""The least share of words in common with which a sentence counts as another one rewritten."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a sentence. ``brought``: it came with the version that the sentence is blamed on."""

    text: str
    brought: bool


@dataclass(frozen=True, slots=True)
class Blamed:
    """A sentence or line with the space after it, and the last version that brought a word into it."""

    version: int
    spans: list[Span]

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    @property
    def rewritten(self) -> bool:
        """Whether words of the sentence are older than its last change."""
        return any(not span.brought and _WORDS.search(span.text) for span in self.spans)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """``origins``: the version that brought each character."""

    text: str
    origins: list[int]


def blame(versions: Iterable[tuple[int, str]], restored: Mapping[int, int] | None = None) -> list[Blamed]:
    """The sentences of the last value, in order: joined, their texts are that value; [] for an empty one.

    Args:
        versions: (number, value), oldest first; what is older than those given is blamed on the first of them.
        restored: the versions that brought an older one back, each with the number of that one.
    """
    backs = restored or {}
    wanted = set(backs.values())
    kept: dict[int, list[_Sentence]] = {}
    sentences: list[_Sentence] = []
    before = ""
    for number, value in versions:
        if (source := kept.get(backs.get(number, 0))) is not None:
            sentences = source
        elif value != before:
            sentences = _carried(sentences, value, number)
        if number in wanted:
            kept[number] = sentences
        before = value
    return [_blamed(sentence) for sentence in sentences]


def split_sentences(text: str) -> list[str]:
    """The sentences and lines of ``text``, each with the space after it; joined, they are ``text``."""
    return [sentence for sentence in _SENTENCES.findall(text) if sentence]


def _carried(old: Sequence[_Sentence], value: str, version: int) -> list[_Sentence]:
    """The sentences of ``value``, with the origins of what already stood in ``old``."""
    texts = split_sentences(value)
    places = _same([sentence.text for sentence in old], texts)
    used = set(places.values())
    left = [sentence for at, sentence in enumerate(old) if at not in used]
    return [
        _inherited(old[places[at]] if at in places else _taken(left, text), text, version)
        for at, text in enumerate(texts)
    ]


def _same(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Place in ``new`` to place in ``old``, for what stands in both: first what kept its order, then what moved."""
    before, after = [text.strip() for text in old], [text.strip() for text in new]
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    places = {block.b + n: block.a + n for block in blocks for n in range(block.size)}
    free: dict[str, list[int]] = defaultdict(list)
    for at in sorted(set(range(len(before))) - set(places.values()), reverse=True):
        free[before[at]].append(at)
    for at, text in enumerate(after):
        if at not in places and free[text]:
            places[at] = free[text].pop()
    return places


def _taken(left: list[_Sentence], text: str) -> _Sentence:
    """The sentence of ``left`` most like ``text``, taken out of it; an empty one when none is like it."""
    likeness = [_likeness(sentence.text, text) for sentence in left]
    best = max(range(len(left)), key=likeness.__getitem__, default=None)
    return _Sentence("", []) if best is None or likeness[best] < _ALIKE else left.pop(best)


def _likeness(old: str, new: str) -> float:
    """The words in common as a share of the shorter text's, so that trimming and adding leave two texts alike."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if not before or not after:
        return 0.0
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / min(len(before), len(after))


def _inherited(source: _Sentence, text: str, version: int) -> _Sentence:
    origins: list[int] = []
    at = 0
    for change in diff_words(source.text, text):
        size = len(change.text)
        if change.op == "added":
            origins += [version] * size
            continue
        if change.op == "same":
            origins += source.origins[at : at + size]
        at += size
    return _Sentence(text, origins)


def _blamed(sentence: _Sentence) -> Blamed:
    # Spaces and stops have no author worth naming, unless there is nothing else.
    words = [sentence.origins[at] for match in _WORDS.finditer(sentence.text) for at in range(*match.span())]
    version = max(words or sentence.origins)
    return Blamed(version, list(_spans(sentence, version)))


def _spans(sentence: _Sentence, version: int) -> Iterator[Span]:
    marked = zip(sentence.text, sentence.origins, strict=True)
    for brought, letters in groupby(marked, key=lambda letter: letter[1] == version):
        yield Span("".join(letter for letter, _ in letters), brought)
