"""Recall memory: every message, browsed newest first or searched by meaning and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from asgiref.sync import async_to_sync
from django.db.models import Min
from django.utils.translation import gettext_noop

from ade.address import period, query, text
from ade.panels.base import Panel
from agents_core.memory import recall
from agents_core.memory.recall import Listing, MessageHit, list_messages
from agents_core.memory.recall.turns import SPOKEN_ROLES, spoken_text
from agents_core.models import WAITING, Message, Role, Step
from agents_core.record.adopted import origins_of
from agents_core.runtime.indexing import agent_embedder

PAGE = 50
PARAMS = ("q", "role", "since", "until", "messages_before", "message")
_AROUND = 5
"""Messages shown before and after the one that an address names."""

_HUES: Mapping[str, str] = {Role.TOOL: "toolreturn", Role.SUMMARY: "summary", Role.SYSTEM: "system"}


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message, why a search found it (``words``: its bm25 as a share of the highest), and the step it belongs to; ``fork_id``: the
    step is of that fork, which the agent took over."""

    message: Message
    text: str
    step_number: int | None
    fork_id: str = ""
    hit: MessageHit | None = None
    words: float = 0.0
    is_chosen: bool = False

    @property
    def dom_id(self) -> str:
        return f"recall-{self.message.id}"

    @property
    def hue(self) -> str:
        """The ``data-kind`` that colours it."""
        return _HUES.get(self.message.role, "messages")

    @property
    def in_context(self) -> bool:
        position = self.message.context_position
        return position is not None and position > WAITING


class RecallPanel(Panel):
    """``params``: ``q`` the words searched for; ``role``, ``since`` and ``until`` (days) narrow it; ``messages_before``
    is the number (seq) before which a page begins; ``message`` is shown with those around it."""

    slug = "recall"
    title = gettext_noop("Recall")
    follows: ClassVar = frozenset(
        {"message.created", "context.compacted", "agent.changed", "step.started", "run.ended"}
    )

    def context(self) -> dict[str, Any]:
        words, role, chosen = text(self.params, "q"), self.params.get("role", ""), text(self.params, "message")
        # What was not spoken has no vector and no postings: its words are looked for one by one.
        ranked = words and (not role or role in SPOKEN_ROLES)
        found = async_to_sync(self._search)(words, role) if ranked and not chosen else None
        return {
            "query": words,
            "role": role,
            "since": self.params.get("since", ""),
            "until": self.params.get("until", ""),
            "roles": Role.values,
            "params": query(self.params, PARAMS),
            "newest": query(self.params, PARAMS, messages_before=None, message=None),
            "narrowed": bool(query(self.params, ("role", "since", "until", "message"))),
            "message": chosen,
            **(self._hits(found) if found else self._around(chosen) if chosen else self._browse(words, role)),
        }

    async def _search(self, words: str, role: str) -> recall.SearchResult:
        start, end = period(self.params, self.agent.timezone)
        roles = [role] if role else []
        search = recall.RecallSearch(self.agent.id, words, roles=roles, start=start, end=end, limit=PAGE)
        return await recall.search(search, await agent_embedder(self.agent.embedding))

    def _hits(self, found: recall.SearchResult) -> dict[str, Any]:
        hits = [hit for hit in found.hits if hit.returned]
        highest = max((hit.bm25 for hit in found.hits), default=0.0) or 1.0
        messages = Message.objects.filter(agent=self.agent).in_bulk([hit.id for hit in hits])
        steps = _steps(self.agent.id, list(messages.values()))
        views = [
            MessageView(messages[hit.id], hit.text, *steps[hit.id], hit, hit.bm25 / highest)
            for hit in hits
            if hit.id in messages
        ]
        return {"views": views, "note": found.note}

    def _around(self, message_id: str) -> dict[str, Any]:
        """The message with those before and after it; none when there is no such message."""
        messages = Message.objects.filter(agent=self.agent)
        chosen = messages.filter(id=message_id).first()
        if chosen is None:
            return {"views": [], "is_first": False}
        later = messages.filter(seq__gt=chosen.seq).order_by("seq")[:_AROUND]
        rows = [*list(later)[::-1], *messages.filter(seq__lte=chosen.seq).order_by("-seq")[: _AROUND + 1]]
        steps = _steps(self.agent.id, rows)
        views = [MessageView(row, message_text(row), *steps[row.id], is_chosen=row == chosen) for row in rows]
        return {"views": views, "is_first": False, "older": query({}, PARAMS, messages_before=rows[-1].seq)}

    def _browse(self, words: str, role: str) -> dict[str, Any]:
        start, end = period(self.params, self.agent.timezone)
        roles = [role] if role in Role.values else []
        messages = list_messages(Listing(self.agent.id, words, roles, start, end))
        if (before := self.params.get("messages_before", "")).isdecimal():
            messages = messages.filter(seq__lt=int(before[:18]))
        found = list(messages[: PAGE + 1])
        steps = _steps(self.agent.id, found[:PAGE])
        return {
            "views": [MessageView(row, message_text(row), *steps[row.id]) for row in found[:PAGE]],
            "older": query(self.params, PARAMS, messages_before=found[PAGE - 1].seq) if len(found) > PAGE else None,
            "is_first": not before,
        }


def _steps(agent_id: str, messages: Sequence[Message]) -> Mapping[str, tuple[int | None, str]]:
    """The number of each message's step, and the fork that took it, "" for the agent itself; by message id."""
    numbers = _step_numbers(messages)
    origins = origins_of(agent_id, [row.id for row in messages if row.step_id is None])
    copied = {message_id: (origin.step, origin.fork_id) for message_id, origin in origins.items()}
    return {row.id: copied.get(row.id) or (numbers.get(row.id), "") for row in messages}


def _step_numbers(messages: Sequence[Message]) -> Mapping[str, int]:
    """The number of the step that made each message, or of the first step that answered it; by message id."""
    steps = dict(Step.objects.filter(id__in={row.step_id for row in messages}).values_list("id", "number"))
    runs = {row.run_id for row in messages if row.step_id is None}
    first = Step.objects.filter(run__in=runs).values("run").annotate(first=Min("number")).values_list("run", "first")
    answers = dict(first)
    found = {row.id: steps.get(row.step_id or "") or answers.get(row.run_id or "") for row in messages}
    return {message_id: number for message_id, number in found.items() if number is not None}


def message_text(message: Message) -> str:
    """What a message says, calls and returns included."""
    said = spoken_text(message.role, message.content, message.tool_calls) or "".join(
        part.get("text", "") for part in message.content
    )
    called = [f"→ {call['name']}({call['arguments']})" for call in message.tool_calls]
    returned = [f"{answer['name']}: {answer.get('value', answer['text'])}" for answer in message.tool_returns]
    return "\n".join([*([said] if said else []), *called, *returned])
