"""What a person wants to know while they look at something else: runs that stand at a breakpoint or failed, calls that wait for an answer,
proposals that wait for a decision. Read from the rows themselves, so that what was answered is no longer told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ade.fragments import Fragment
from agents_core.models import pipeline
from agents_core.models.pipeline import Statement

SHOWN = 50
_RUNS = 500
"""The newest runs, among which those that failed are looked for: more would be read at each event of any agent."""

_CHARS = 200


@dataclass(frozen=True, slots=True)
class Notice:
    """``id`` stays the same as long as the thing does; ``text`` says what it is about, as far as that is known."""

    id: str
    kind: str
    agent_id: str
    agent_name: str
    text: str
    address: str
    at: datetime

    @property
    def words(self) -> str:
        return _(_KINDS[self.kind].words)

    @property
    def tone(self) -> str:
        return _KINDS[self.kind].tone

    @property
    def icon(self) -> str:
        return _KINDS[self.kind].icon


@dataclass(frozen=True, slots=True)
class _Kind:
    """``address``: where it is dealt with, from the agent's id and what the row names besides (a step's number, a run, a block)."""

    words: str
    tone: str
    icon: str
    address: Callable[[str, str], str]


_KINDS: Mapping[str, _Kind] = {
    "paused": _Kind(gettext_noop("paused"), "pause", "pause", lambda agent, step: f"/agents/{agent}/steps/{step}"),
    "waiting": _Kind(
        gettext_noop("waits for your answer"), "warn", "user", lambda agent, step: f"/agents/{agent}/steps/{step}"
    ),
    "proposal": _Kind(
        gettext_noop("proposes an edit of"),
        "accent",
        "edit",
        lambda agent, block: f"/agents/{agent}/memory?block={block}",
    ),
    "budget": _Kind(
        gettext_noop("reached a budget"), "warn", "clock", lambda agent, run: f"/agents/{agent}?main=runs&run={run}"
    ),
    "failed": _Kind(gettext_noop("failed"), "bad", "warn", lambda agent, run: f"/agents/{agent}?main=runs&run={run}"),
}

# Each part reads a small index: of the pauses, calls and proposals that stand open, and of the newest runs.
_NOTICES = f"""
SELECT found.id, kind, found.agent_id, agent.name, text, place, at FROM (
    SELECT pause.id, 'paused' AS kind, pause.agent_id, reasons->0->>'text' AS text, step.number::text AS place, pause.created_at AS at
    FROM pause JOIN step ON step.id = pause.step_id WHERE pause.resolved_at IS NULL
  UNION ALL
    SELECT 'waiting-' || step.id, 'waiting', step.agent_id, string_agg(tool_call.name, ', ' ORDER BY tool_call.position), step.number::text,
        max(tool_call.created_at)
    FROM tool_call JOIN step ON step.id = tool_call.step_id WHERE tool_call.status = 'awaiting' GROUP BY step.id
  UNION ALL
    SELECT proposal.id, 'proposal', holder.agent_id, block.label, block.id, proposal.created_at
    FROM block_proposal AS proposal JOIN block ON block.id = proposal.block_id
        JOIN LATERAL (SELECT agent_id FROM agent_block WHERE block_id = block.id ORDER BY id LIMIT 1) AS holder ON true
    WHERE proposal.status = 'pending'
  UNION ALL
    SELECT id, CASE error->>'code' WHEN 'budget_exceeded' THEN 'budget' ELSE 'failed' END, agent_id, error->>'message', id, completed_at
    FROM (SELECT * FROM run ORDER BY created_at DESC, id LIMIT {_RUNS}) AS newest WHERE status = 'failed'
) AS found JOIN agent ON agent.id = found.agent_id
ORDER BY at DESC, found.id LIMIT {SHOWN}
"""


def notices() -> list[Notice]:
    """The newest first, at most ``SHOWN``."""
    rows = pipeline.run_sync([Statement(_NOTICES, ())])[0]
    return [
        Notice(notice_id, kind, agent_id, name, (text or "")[:_CHARS], _KINDS[kind].address(agent_id, place), at)
        for notice_id, kind, agent_id, name, text, place, at in rows
    ]


def notices_fragment() -> Fragment:
    return Fragment("notices-list", "ade/partials/_notices.html", {"notices": notices()})
