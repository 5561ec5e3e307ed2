"""Reading messages, runs and their outcome: what the API shows and the pages list."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from agents_core.actions.messages import MESSAGE_COLUMNS, USAGE
from agents_core.errors import NotFound
from agents_core.models import Agent, Message, Step, ToolCall, pipeline
from agents_core.models.pipeline import Statement

MessageRow = Mapping[str, Any]

_BY_ID = f"SELECT {', '.join(MESSAGE_COLUMNS)} FROM message WHERE id = ANY(%s) ORDER BY seq"
_kinds: dict[str, str] = {}
_KINDS_KEPT = 10_000


async def messages_by_id(message_ids: Sequence[str]) -> dict[str, MessageRow]:
    """The stored messages that ``message_ids`` name and that still exist, by id."""
    if not message_ids:
        return {}
    rows = (await pipeline.run([Statement(_BY_ID, (list(message_ids),))]))[0]
    return {row[0]: dict(zip(MESSAGE_COLUMNS, row, strict=True)) for row in rows}


def messages(
    rows: "QuerySet[Message]",
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int,
    descending: bool,
    column: str = "seq",
) -> list[MessageRow]:
    """At most ``limit`` of ``rows`` between two cursors, from the new end (``descending``) or the old one; oldest first in both cases.

    ``after`` is newer than, ``before`` older than the message it names; ``column`` orders them: ``seq`` within one agent, ``created_at``
    over several. Raises ``NotFound`` for a cursor that is not among ``rows``.
    """
    chosen = rows
    if after:
        chosen = chosen.filter(_beside(rows, after, column, "gt"))
    if before:
        chosen = chosen.filter(_beside(rows, before, column, "lt"))
    order = (f"-{column}", "-id") if descending else (column, "id")
    found = list(chosen.order_by(*order).values(*MESSAGE_COLUMNS)[:limit])
    return found[::-1] if descending else found


def _beside(rows: "QuerySet[Message]", message_id: str, column: str, sign: str) -> Q:
    place = rows.filter(pk=message_id).values_list(column, flat=True).first()
    if place is None:
        raise NotFound(f"There is no message {message_id!r} to start from.")
    return Q(**{f"{column}__{sign}": place}) | Q(**{column: place, f"id__{sign}": message_id})


async def agent_kind(agent_id: str) -> str:
    """The agent's type, which never changes. Raises ``NotFound``."""
    if len(_kinds) > _KINDS_KEPT:
        _kinds.clear()
    if agent_id not in _kinds:
        rows = (await pipeline.run([Statement("SELECT agent_type FROM agent WHERE id = %s", (agent_id,))]))[0]
        if not rows:
            raise NotFound("Agent not found")
        _kinds[agent_id] = rows[0][0]
    return _kinds[agent_id]


def agent_kinds(agent_ids: Sequence[str]) -> dict[str, str]:
    """The types of agents, by id."""
    return dict(Agent.objects.filter(id__in=set(agent_ids)).values_list("id", "agent_type"))


async def run_exists(run_id: str) -> bool:
    return bool((await pipeline.run([Statement("SELECT 1 FROM run WHERE id = %s", (run_id,))]))[0])


def run_usage(run_id: str) -> dict[str, int]:
    """The sums of tokens over the steps of a run, by the names of ``messages.USAGE``."""
    sums = Step.objects.filter(run=run_id).aggregate(**{name: Coalesce(Sum(name), 0) for name in USAGE})
    return {name: int(sums[name]) for name in USAGE}


def tools_used(run_id: str) -> list[str]:
    """The names of the tools that a run called, each once."""
    return list(ToolCall.objects.filter(step__run=run_id).order_by("name").values_list("name", flat=True).distinct())
