"""What a tool call gave back, in few words: what a search found, and what is too long to stand open."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from agents_core.models import MemorySearch, ToolCall, ToolCallStatus

_LONG_CHARS = 200
_LONG_LINES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """What a search of memory gave the agent: how many of what, and of the best its score, if it has one, and its words."""

    store: str
    count: int
    score: float | None
    words: str

    @property
    def told(self) -> str:
        """How many of what."""
        if self.store == "recall":
            return ngettext("{count} message", "{count} messages", self.count).format(count=self.count)
        return ngettext("{count} passage", "{count} passages", self.count).format(count=self.count)


def searches_of(step_ids: Iterable[str]) -> dict[tuple[str, str], MemorySearch]:
    """The searches that calls of these steps made, by step and call."""
    searches = MemorySearch.objects.filter(step__in=list(step_ids))
    return {(search.step_id or "", search.tool_call_id or ""): search for search in searches}


def found_by(call: ToolCall, search: MemorySearch | None) -> Found | None:
    """None for a call that did not search, or that failed."""
    if search is None or call.status != ToolCallStatus.OK:
        return None
    returned = [candidate for candidate in search.candidates if candidate["returned"]]
    score = returned[0].get("score") if returned else None
    return Found(search.store, len(returned), score, _first_words(call.result or ""))


def _first_words(result: str) -> str:
    """The text of the first thing that a search returned, as the agent sees it; "" where it was cut."""
    try:
        given: Any = json.loads(result)
    except ValueError:
        return ""
    results = given.get("results") if isinstance(given, dict) else given
    first = results[0] if isinstance(results, list) and results else None
    return str(first.get("content", "")) if isinstance(first, dict) else ""


def is_long(result: str) -> bool:
    """Whether a return is folded at first."""
    return len(result) > _LONG_CHARS or result.count("\n") >= _LONG_LINES
