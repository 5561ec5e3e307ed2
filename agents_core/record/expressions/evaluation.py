"""One evaluation of an expression: the names it reads, and the bounds that it keeps to."""

import time
from collections.abc import Mapping
from typing import Any

from agents_core.record.expressions.errors import Impossible

TIMEOUT_S = 0.5
"""Of computing, for one value: a machine that is busy with other things makes nothing fail."""

MOST_CHARS = 16_000_000
"""That functions and operators may make on the way to one value: four copies of a context of a million tokens."""


class Evaluation:
    """``variables`` are those of comprehensions."""

    __slots__ = ("_chars", "_deadline", "scope", "variables")

    def __init__(self, scope: Mapping[str, Any], timeout_s: float) -> None:
        self.scope = scope
        self.variables: dict[str, Any] = {}
        self._deadline = time.thread_time() + timeout_s
        self._chars = 0

    def left_s(self) -> float:
        """How long it may still take. Raises ``Impossible`` once that is over."""
        left = self._deadline - time.thread_time()
        if left <= 0:
            raise Impossible("This takes too long: ask less of the text, or use a simpler pattern.")
        return left

    def made(self, chars: int) -> None:
        """Raises ``Impossible`` when all that was made is too much."""
        self._chars += chars
        if self._chars > MOST_CHARS:
            raise Impossible(f"This makes more than {MOST_CHARS:,} characters of text: ask for less of it.")
