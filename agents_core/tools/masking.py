"""Secrets taken out of what a tool says, before anything of it is stored or shown."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from agents_core.sandbox.base import NewPassage, RecordedStep, SandboxOutcome

MASK = "••••"
SHORTEST = 4
"""Characters. What is shorter stands in ordinary text too often to be hidden."""
_SHORTEST_PART = 8


class Mask:
    """Hides ``secrets`` wherever they stand, as they are, quoted, escaped as JSON or in an address, or on one line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        written = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        self._forms = sorted((form for form in written if len(form) >= SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None

    def text(self, text: str, *, cut: bool = False) -> str:
        """``cut``: the text may end in the middle of a secret."""
        if self._pattern is None:
            return text
        masked = self._pattern.sub(MASK, text)
        return self._without_part(masked) if cut else masked

    def value(self, value: Any) -> Any:
        """JSON data with every text and key masked, and a number that is a secret."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self.value(inner) for key, inner in value.items()}
            case list():
                return [self.value(inner) for inner in value]
            case int() | float() if not isinstance(value, bool):
                masked = self.text(str(value))
                return value if masked == str(value) else masked
        return value

    def outcome(self, outcome: SandboxOutcome) -> SandboxOutcome:
        if self._pattern is None:
            return outcome
        cut = outcome.output_truncated
        return replace(
            outcome,
            value=self.value(outcome.value),
            blocks={label: self.text(text) for label, text in outcome.blocks.items()},
            passages=tuple(
                NewPassage(self.text(one.text), tuple(map(self.text, one.tags))) for one in outcome.passages
            ),
            error=self.text(outcome.error, cut=True),
            traceback=self.text(outcome.traceback, cut=True),
            stdout=self.text(outcome.stdout, cut=cut),
            stderr=self.text(outcome.stderr, cut=cut),
            steps=tuple(map(self._step, outcome.steps)),
        )

    def _step(self, step: RecordedStep) -> RecordedStep:
        variables = tuple((name, self.text(text, cut=True)) for name, text in step.variables)
        return replace(step, note=self.text(step.note, cut=True), variables=variables)

    def _without_part(self, text: str) -> str:
        """Long messages are cut at a "…", output at its end: a part of a secret may stand there."""
        head, mark, tail = text.partition("…")
        shown = self._without_end(head)
        return f"{shown}{mark}{self._without_end(self._without_start(tail))}" if mark else shown

    def _without_start(self, text: str) -> str:
        for form in self._forms:
            for length in range(len(form) - 1, _SHORTEST_PART - 1, -1):
                if text.startswith(form[-length:]):
                    return f"{MASK}{text[length:]}"
        return text

    def _without_end(self, text: str) -> str:
        whole = text.rstrip("\ufffd")
        for form in self._forms:
            for length in range(len(form) - 1, _SHORTEST_PART - 1, -1):
                if whole.endswith(form[:length]):
                    return f"{whole[:-length]}{MASK}"
        return text


def _forms(secret: str) -> set[str]:
    escaped = {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {secret, " ".join(secret.split()), repr(secret)[1:-1], quote(secret, safe=""), *escaped}
