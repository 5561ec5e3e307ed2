"""What an agent took over from its forks: copies of messages, which no run and no step of its own made, and where the originals stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from agents_core.models import Message, Role
from agents_core.models.pipeline import Statement, run_sync
from agents_core.record.lines import OPEN


@dataclass(frozen=True, slots=True)
class Adoption:
    """An agent took over a fork, and its thread left a branch for it. Its events lie between ``left_seq`` and ``seq``."""

    agent_id: str
    branch_id: str
    conversation_id: str | None
    fork_id: str
    left_seq: int
    seq: int
    created_at: datetime

    def messages(self) -> "QuerySet[Message]":
        """What was said in the fork, as it stands in the agent's thread."""
        copies = Message.objects.filter(agent=self.agent_id, conversation=self.conversation_id, run=None, step=None)
        between = copies.filter(seq__gt=self.left_seq, seq__lt=self.seq)
        return between.exclude(role=Role.APPROVAL).exclude(role=Role.SYSTEM, content__0__has_key="kind").order_by("seq")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an adopted message comes from: the number of the fork's step that made it, or was the first to answer it."""

    fork_id: str
    step: int | None
    made: bool


_ADOPTIONS = """
SELECT branch.agent_id, branch.id, conversation_id, fork_id, branch.seq, adopted.seq, branch.created_at
FROM branch CROSS JOIN LATERAL (
    SELECT seq FROM event WHERE event.agent_id = branch.agent_id AND event.seq > branch.seq AND type = 'agent.adopted'
    ORDER BY seq LIMIT 1
) AS adopted
WHERE branch.agent_id = %s AND cause = 'adopt' AND adopted.seq >= %s AND adopted.seq < %s ORDER BY adopted.seq
"""
# The numbers of both agents' messages are the same up to where the fork was made.
_ORIGINS = """
SELECT copy_id(branch.id, message.id), fork.agent_id, message.step_id IS NOT NULL,
    coalesce(step.number, (SELECT min(number) FROM step WHERE step.run_id = message.run_id))
FROM branch JOIN fork ON fork.agent_id = branch.fork_id
JOIN message ON message.agent_id = fork.agent_id AND message.seq > fork.seq LEFT JOIN step ON step.id = message.step_id
WHERE branch.agent_id = %s AND cause = 'adopt' AND copy_id(branch.id, message.id) = ANY (%s)
"""


def adoptions(agent_id: str, first: int = 0, last: int = OPEN) -> Sequence[Adoption]:
    """Those of an agent from the event ``first`` to before the event ``last``, oldest first."""
    [rows] = run_sync([Statement(_ADOPTIONS, (agent_id, first, last))])
    return [Adoption(*row) for row in rows]


def origins_of(agent_id: str, message_ids: Iterable[str]) -> Mapping[str, Origin]:
    """Where those of an agent's messages come from that it took over from forks that are still there."""
    [rows] = run_sync([Statement(_ORIGINS, (agent_id, list(message_ids)))])
    return {message_id: Origin(fork_id, step, made) for message_id, fork_id, made, step in rows}
