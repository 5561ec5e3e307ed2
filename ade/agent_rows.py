"""The list of agents: one row each, read in a fixed number of queries, and patched as their streams move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from ade.status import workspace_fragment
from ade.window import Bar, cells
from agents_core.models import Agent, RunStatus, ToolCall, ToolCallStatus, pipeline
from agents_core.models.pipeline import Statement

PAGE = 50
_GOING_ON = (RunStatus.CREATED, RunStatus.RUNNING)
_WORDS: Mapping[str, str] = {
    "paused": gettext_noop("paused"),
    "running": gettext_noop("running"),
    "queued": gettext_noop("queued"),
    "waiting": gettext_noop("needs approval"),
    "failed": gettext_noop("failed"),
    "idle": gettext_noop("idle"),
}


@dataclass(slots=True)
class AgentRow:
    """An agent as the list shows it. ``state``: "paused" (at a breakpoint), "running", "queued", "waiting" (calls wait for
    a person), "failed" or "idle".
    ``passages`` and ``messages`` are counted up to ``COUNTED``."""

    agent: Agent
    state: str
    bar: Bar
    blocks: int
    passages: int
    messages: int
    step_number: int | None
    step_at: datetime | None
    today_usd: Decimal | None
    tags: list[str] = field(default_factory=list)

    @property
    def dom_id(self) -> str:
        return f"row-{self.agent.id}"

    @property
    def words(self) -> str:
        """The state as people read it."""
        return _(_WORDS[self.state])

    @property
    def share(self) -> int:
        """Percent of the context window in use."""
        return round(100 * self.bar.used_tokens / self.bar.limit_tokens)


COUNTED = 100_000

_FACTS = f"""
SELECT agent.id,
    EXISTS (SELECT 1 FROM run WHERE run.agent_id = agent.id AND status = 'paused') AS paused,
    EXISTS (SELECT 1 FROM run WHERE run.agent_id = agent.id AND status = 'running') AS running,
    EXISTS (SELECT 1 FROM run WHERE run.agent_id = agent.id AND status = 'created') AS queued,
    EXISTS (SELECT 1 FROM tool_call WHERE tool_call.agent_id = agent.id AND status = 'awaiting') AS waiting,
    (SELECT status FROM run WHERE run.agent_id = agent.id ORDER BY first_seq DESC LIMIT 1) AS last_status,
    (SELECT count(*) FROM agent_block WHERE agent_id = agent.id) AS blocks,
    (SELECT count(*) FROM (SELECT 1 FROM passage JOIN agent_archive USING (archive_id) WHERE agent_id = agent.id AND NOT is_deleted
        LIMIT {COUNTED}) AS counted) AS passages,
    (SELECT count(*) FROM (SELECT 1 FROM message WHERE agent_id = agent.id LIMIT {COUNTED}) AS counted) AS messages,
    step.number, step.started_at, step.segments, step.prompt_tokens, step.compacts_at,
    (SELECT sum(cost_usd) FROM step WHERE agent_id = agent.id AND started_at >= date_trunc('day', now())) AS today_usd
FROM agent LEFT JOIN LATERAL (
    SELECT * FROM step WHERE step.agent_id = agent.id AND kind = 'agent' AND request_digest IS NOT NULL ORDER BY number DESC LIMIT 1
) AS step ON true
WHERE agent.id = ANY(%s)
"""
_SEGMENTS = "SELECT id, kind, tokens FROM segment WHERE id = ANY(%s)"


def listed_agents(filters: Mapping[str, str]) -> QuerySet[Agent]:
    """The agents that the filters leave, newest first. ``q`` searches name and description, ``tag`` and ``state`` narrow."""
    agents = Agent.objects.filter(hidden=False).select_related("origin__parent").order_by("-created_at", "id")
    if words := filters.get("q", "").strip():
        agents = agents.filter(
            Q(name__icontains=words) | Q(description__icontains=words) | Q(model__icontains=words) | Q(id=words)
        )
    if tag := filters.get("tag"):
        agents = agents.filter(tags__contains=[tag])
    match filters.get("state"):
        case "running":
            agents = agents.filter(runs__status__in=_GOING_ON).distinct()
        case "paused":
            agents = agents.filter(runs__status=RunStatus.PAUSED).distinct()
        case "waiting":
            agents = agents.filter(id__in=_waiting())
        case "failed":
            agents = agents.filter(last_stop_reason__in=FAILED_REASONS)
    return agents


def _waiting() -> "QuerySet[ToolCall, str]":
    """The ids of the agents with calls that wait for an answer."""
    return ToolCall.objects.filter(status=ToolCallStatus.AWAITING).values_list("agent", flat=True)


FAILED_REASONS = (
    "error",
    "llm_api_error",
    "invalid_llm_response",
    "invalid_tool_call",
    "no_tool_call",
    "max_tokens_exceeded",
    "insufficient_credits",
    "context_window_overflow_in_system_prompt",
)


def agent_rows(agents: Sequence[Agent]) -> list[AgentRow]:
    """The rows of ``agents``, in their order."""
    facts = {row[0]: row[1:] for row in pipeline.run_sync([Statement(_FACTS, ([agent.id for agent in agents],))])[0]}
    segment_ids = {segment for row in facts.values() for segment in row[10] or ()}
    segments = {row[0]: row[1:] for row in pipeline.run_sync([Statement(_SEGMENTS, (list(segment_ids),))])[0]}
    return [_row(agent, facts[agent.id], segments) for agent in agents if agent.id in facts]


def _row(agent: Agent, facts: tuple[Any, ...], segments: Mapping[Any, tuple[str, int]]) -> AgentRow:
    (
        paused,
        running,
        queued,
        waiting,
        last_status,
        blocks,
        passages,
        messages,
        number,
        at,
        step_segments,
        reported,
        threshold,
        today,
    ) = facts
    failed = last_status == "failed"
    holds = (("paused", paused), ("running", running), ("queued", queued), ("waiting", waiting), ("failed", failed))
    state = next((name for name, is_so in holds if is_so), "idle")
    sizes = [segments[segment_id] for segment_id in step_segments or () if segment_id in segments]
    bar = Bar(cells(sizes), agent.context_window, threshold or None, reported or None)
    return AgentRow(agent, state, bar, blocks, passages, messages, number, at, today, agent.tags)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many agents there are in each tab."""

    all: int
    running: int
    paused: int
    waiting: int
    failed: int


def counts() -> Counts:
    visible = Agent.objects.filter(hidden=False)
    return Counts(
        all=visible.count(),
        running=visible.filter(runs__status__in=_GOING_ON).distinct().count(),
        paused=visible.filter(runs__status=RunStatus.PAUSED).distinct().count(),
        waiting=visible.filter(id__in=_waiting()).count(),
        failed=visible.filter(last_stop_reason__in=FAILED_REASONS).count(),
    )


def agent_list_fragments(changed: set[str] | None, filters: Mapping[str, str]) -> list[Fragment]:
    """The rows of the agents in ``changed``, or of the first page for None; rows of agents that are gone or filtered out are removed."""
    listed = listed_agents(filters)
    agents = list(listed[:PAGE] if changed is None else listed.filter(id__in=changed)[:PAGE])
    found = [
        Fragment(row.dom_id, "ade/partials/_agent_row.html", {"row": row}, swap="prepend", target="agent-rows")
        for row in agent_rows(agents)
    ]
    gone = set() if changed is None else changed - {agent.id for agent in agents}
    found += [Fragment(f"row-{agent_id}", swap="remove") for agent_id in gone]
    tabs = Fragment("agent-tabs", "ade/partials/_agent_tabs.html", {"counts": counts(), "filters": filters})
    return [*found, tabs, workspace_fragment("agents")]
