"""Every compaction of an agent's context, newest first: what went out, what came in, what it saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.address import query
from ade.panels.base import Panel
from ade.panels.recall import MessageView, message_text
from agents_core.models import Eviction, Message
from agents_core.runtime.compaction import EXCEEDED, REQUESTED, SUMMARY_PREFIX, THRESHOLD

PAGE = 10
LISTED = 200
"""Messages that are listed of one compaction."""

_PARAMS = ("compaction", "compactions_before")
_TRIGGERS: Mapping[str, str] = {
    THRESHOLD: gettext_noop("the window filled"),
    EXCEEDED: gettext_noop("the provider found it too long"),
    REQUESTED: gettext_noop("somebody asked"),
}


@dataclass(frozen=True, slots=True)
class CompactionView:
    """``messages``: those that went out, up to ``LISTED``; one that was deleted since is missing. ``is_chosen``: the address names it."""

    eviction: Eviction
    messages: Sequence[MessageView]
    is_chosen: bool

    @property
    def dom_id(self) -> str:
        return f"compaction-{self.eviction.pk}"

    @property
    def why(self) -> str:
        return _(_TRIGGERS.get(self.eviction.trigger, self.eviction.trigger))

    @property
    def mode(self) -> str:
        return self.eviction.mode.replace("_", " ")

    @property
    def count(self) -> int:
        return len(self.eviction.message_ids)

    @property
    def more(self) -> int:
        return max(0, self.count - LISTED)

    @property
    def summary(self) -> str:
        return message_text(self.eviction.summary).removeprefix(SUMMARY_PREFIX) if self.eviction.summary else ""

    @property
    def kept_percent(self) -> int | None:
        """How much of the names, numbers and prohibitions the summary says in its own words."""
        return None if self.eviction.retention is None else round(100 * self.eviction.retention)


class CompactionsPanel(Panel):
    """``params``: ``compaction`` is the number of the one to open, ``compactions_before`` that before which a page begins."""

    slug = "compactions"
    title = gettext_noop("Compactions")
    follows: ClassVar = frozenset({"context.compacted", "agent.changed"})

    def context(self) -> dict[str, Any]:
        rows = Eviction.objects.filter(agent=self.agent).select_related("summary", "step").order_by("-id")
        chosen, before = _number(self.params.get("compaction", "")), _number(self.params.get("compactions_before", ""))
        if before or chosen:
            rows = rows.filter(id__lt=before or chosen + 1)
        found = list(rows[: PAGE + 1])
        older = query({}, ("compactions_before",), compactions_before=found[PAGE - 1].pk) if len(found) > PAGE else ""
        return {
            "views": self._views(found[:PAGE], chosen),
            "older": older,
            "newest": "",
            "is_first": not (before or chosen),
            "params": query(self.params, _PARAMS),
        }

    def _views(self, evictions: Sequence[Eviction], chosen: int) -> list[CompactionView]:
        ids = {each.pk: each.message_ids[:LISTED] for each in evictions}
        wanted = {message_id for listed in ids.values() for message_id in listed}
        messages = {
            row.id: MessageView(row, message_text(row).removeprefix(SUMMARY_PREFIX), None)
            for row in Message.objects.filter(agent=self.agent, id__in=wanted)
        }
        return [
            CompactionView(each, [messages[key] for key in ids[each.pk] if key in messages], each.pk == chosen)
            for each in evictions
        ]


def _number(text: str) -> int:
    """The number of a compaction, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
