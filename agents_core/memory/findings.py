"""What is certainly wrong with a block: it repeats itself or another, is almost full, or seems to hold a secret."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from agents_core.memory.blame import split_sentences

FULL_SHARE = 0.9

_SHORTEST_DUPLICATE_CHARS = 12
"""Shorter sentences, such as a heading, may well stand twice."""

_SECRETS = {
    gettext_noop("a private key"): re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    gettext_noop("an AWS access key"): re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    gettext_noop("a GitHub token"): re.compile(r"\b(?:gh[opsu]_\w{36,}|github_pat_\w{40,})\b"),
    gettext_noop("a Slack token"): re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    gettext_noop("a Google API key"): re.compile(r"\bAIza[\w-]{35}\b"),
    gettext_noop("an API key"): re.compile(r"\bsk-[\w-]{20,}"),
    gettext_noop("a web token"): re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    gettext_noop("a password"): re.compile(r"\b(?:password|passwd|pwd)\s*[:=]\s*\S{6,}", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` is the sentence it is about, or ""; ``other`` the label of the block that says the same."""

    kind: Literal["duplicate", "secret", "full"]
    text: str
    what: str
    other: str | None = None


def findings(label: str, value: str, limit: int, others: Mapping[str, str]) -> list[Finding]:
    """The findings of one block, told in the language of the page. ``others``: the values of the agent's other blocks, by label."""
    return [*_full(value, limit), *_secrets(value), *_duplicates(label, value, others)]


def _full(value: str, limit: int) -> Iterator[Finding]:
    if len(value) > FULL_SHARE * limit:
        told = _("{used:,} of {limit:,} characters are used: the next edit may be refused.")
        yield Finding("full", "", told.format(used=len(value), limit=limit))


def _secrets(value: str) -> Iterator[Finding]:
    for what, pattern in _SECRETS.items():
        for match in pattern.finditer(value):
            line = value.count("\n", 0, match.start()) + 1
            told = _("Line {line}: what looks like {what}. It is sent to the model at every step.")
            yield Finding("secret", "", told.format(line=line, what=_(what)))


def _duplicates(label: str, value: str, others: Mapping[str, str]) -> Iterator[Finding]:
    places = {key: other for other, text in others.items() for key in map(_key, split_sentences(text))}
    seen: set[str] = set()
    for sentence in split_sentences(value):
        key = _key(sentence)
        if len(key) < _SHORTEST_DUPLICATE_CHARS:
            continue
        if key in seen:
            yield Finding("duplicate", sentence.strip(), _("Stands twice in this block."), label)
        elif key in places:
            yield Finding("duplicate", sentence.strip(), _("Says the same as a line of"), places[key])
        seen.add(key)


def _key(sentence: str) -> str:
    """A sentence without case, spaces and what stands at its edges."""
    return " ".join(re.findall(r"\w+", sentence.casefold()))
