"""Recall memory: every message, browsed newest first or searched by meaning and words."""

from typing import Any, ClassVar

from asgiref.sync import async_to_sync

from ade.panels.base import Panel
from agents_core.memory import recall
from agents_core.memory.recall.turns import spoken_text
from agents_core.models import Message
from agents_core.runtime.indexing import agent_embedder

PAGE = 50
_ROLES = ("user", "assistant", "tool", "system", "summary")


class RecallPanel(Panel):
    """``params``: ``q`` the words searched for, ``role``, ``before`` the seq before which a page begins."""

    slug = "recall"
    title = "Recall"
    follows: ClassVar = frozenset({"message.created", "context.compacted", "run.ended"})

    def context(self) -> dict[str, Any]:
        query, role = self.params.get("q", "").strip(), self.params.get("role", "")
        shared = {"query": query, "role": role, "roles": _ROLES}
        if query:
            return {**shared, **async_to_sync(self._search)(query, [role] if role in ("user", "assistant") else [])}
        messages = Message.objects.filter(agent=self.agent).select_related("step").order_by("-seq")
        if role in _ROLES:
            messages = messages.filter(role=role)
        if (before := self.params.get("before", "")).isdigit():
            messages = messages.filter(seq__lt=int(before))
        found = list(messages[: PAGE + 1])
        rows = [{"message": message, "text": message_text(message)} for message in found[:PAGE]]
        return {**shared, "rows": rows, "next": found[PAGE - 1].seq if len(found) > PAGE else None}

    async def _search(self, query: str, roles: list[str]) -> dict[str, Any]:
        search = recall.RecallSearch(self.agent.id, query, roles=roles, limit=PAGE)
        result = await recall.search(search, await agent_embedder(self.agent.embedding))
        top = max((hit.bm25 for hit in result.hits), default=0.0) or 1.0
        hits = [{"hit": hit, "words": hit.bm25 / top} for hit in result.hits if hit.returned]
        return {"hits": hits, "note": result.note}


def message_text(message: Message) -> str:
    """What a message says, calls and returns included."""
    said = spoken_text(message.role, message.content, message.tool_calls) or "".join(
        part.get("text", "") for part in message.content
    )
    called = [f"→ {call['name']}({call['arguments']})" for call in message.tool_calls]
    returned = [f"{answer['name']}: {answer.get('value', answer['text'])}" for answer in message.tool_returns]
    return "\n".join([*([said] if said else []), *called, *returned])
