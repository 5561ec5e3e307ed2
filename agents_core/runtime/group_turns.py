"""A turn of a group: who speaks when, and what each is told (contract: agent-loop, section 7, "Other group managers").

Each time somebody speaks it is a run of that agent, whose id follows from the turn and its place in it. A worker that takes up a turn
whose worker died goes through it from the start: what was said before is there, and at the first run that is not there it goes on.
"""

import logging
import re
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.errors import SerializationFailure, UniqueViolation

from agents_core.errors import AgentsError
from agents_core.events.doorbell import ring
from agents_core.events.hub import hub
from agents_core.events.publish import Publication, lock_agents
from agents_core.events.types import GroupTurnChanged
from agents_core.models import GroupKind, pipeline
from agents_core.models.pipeline import DATABASE_LOST, Statement, json
from agents_core.queue.current import slot_released
from agents_core.queue.requests import Input, RunOptions, queued_run, run_id_from, said
from agents_core.runtime.others import NotAnswered, reply

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
DYNAMIC_TURNS = 20
"""How often the members of a dynamic group speak at most, unless it says otherwise."""

TERMINATION_TOKEN = "DONE!"

_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    name: str
    description: str | None


@dataclass(frozen=True, slots=True)
class _Remark:
    """Something that a member said."""

    speaker: Member
    text: str


@dataclass(slots=True)
class _Turn:
    """A turn while it goes. ``heard`` counts, by agent, the remarks that it was told; ``spoken`` counts the runs so far."""

    id: str
    group_id: str
    kind: str
    manager: Member | None
    members: list[Member]
    max_turns: int | None
    token: str
    asked: list[Input]
    options: RunOptions
    remarks: list[_Remark] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)
    spoken: int = 0


class _Cancelled(Exception):
    """Somebody asked to cancel the turn, or the run of the member that was to speak."""


class _NotActive(Exception):
    """The turn has ended, or its group is gone."""


async def execute(turn_id: str) -> None:
    """Executes a turn to its end. Safe to call again for one whose worker died; returns at once for one that has ended.

    Raises psycopg's ``OperationalError`` or ``InterfaceError`` when the database is lost, ``CancelledError`` when the worker stops.
    """
    try:
        turn = await _begin(turn_id)
        await _end(turn, "completed", await _CONDUCT[turn.kind](turn))
    except _NotActive:
        logger.info("Turn %s has ended", turn_id)
    except CancelledError:
        await pipeline.run([Statement(_HAND_BACK, (turn_id,))])
        raise
    except _Cancelled:
        await _end(turn, "cancelled", "cancelled")
    except DATABASE_LOST:
        raise
    except AgentsError as error:
        await _end(turn, "failed", "error", {"code": error.code, "message": error.message, "status": None})
    except Exception as error:  # the border of a turn
        logger.exception("Turn %s failed", turn_id)
        facts = {"code": "internal_error", "message": f"{type(error).__name__}: {error}", "status": None}
        await _end(turn, "failed", "error", facts)


_HAND_BACK = "UPDATE group_turn SET attempts = attempts - 1 WHERE id = %s AND status = 'running'"
# Who is in the group is noted when the turn begins: a worker that takes it up again after another one died goes on with the same.
_CLAIM = """
UPDATE group_turn SET status = 'running', attempts = attempts + 1, request = jsonb_build_object('group', jsonb_build_object(
    'kind', manager_type, 'manager', manager_id, 'max_turns', max_turns, 'token', termination_token, 'members', (
        SELECT jsonb_agg(agent_id ORDER BY group_agent.id) FROM group_agent WHERE group_agent.group_id = agent_group.id
    ))) || request
FROM agent_group WHERE group_turn.id = %s AND status IN ('created', 'running') AND agent_group.id = group_id
RETURNING group_turn.id, group_id, request, attempts
"""
_AGENTS = """
SELECT agent.id, name, agent.description FROM group_turn JOIN agent
ON request->'group'->'members' ? agent.id OR request->'group'->>'manager' = agent.id WHERE group_turn.id = %s
"""


async def _begin(turn_id: str) -> _Turn:
    params = (turn_id,)
    claimed, rows = await pipeline.run([Statement(_CLAIM, params), Statement(_AGENTS, params)])
    if not claimed:
        raise _NotActive(turn_id)
    _, group_id, request, attempts = claimed[0]
    group, agents = request["group"], {row[0]: Member(*row) for row in rows}
    turn = _Turn(
        turn_id,
        group_id,
        group["kind"],
        agents.get(group["manager"]),
        [agents.get(agent_id, Member(agent_id, agent_id, None)) for agent_id in group["members"] or ()],
        group["max_turns"],
        group["token"] or TERMINATION_TOKEN,
        [Input(**message) for message in request["messages"]],
        RunOptions(**request.get("options", {})),
    )
    if attempts > MAX_ATTEMPTS:
        facts = {"code": "worker_lost", "message": f"The worker stopped {MAX_ATTEMPTS} times.", "status": None}
        await _end(turn, "failed", "error", facts)
        raise _NotActive(turn_id)
    return turn


_FINISH = """
WITH ended AS (
    UPDATE group_turn SET status = %s, stop_reason = %s, error = %s, completed_at = now() WHERE id = %s AND status = 'running' RETURNING id
)
SELECT ensure(EXISTS (SELECT 1 FROM ended), 'turn not active')
"""


async def _end(turn: _Turn, status: str, stop_reason: str, error: dict[str, Any] | None = None) -> None:
    agent_ids = sorted({member.id for member in (*turn.members, *([turn.manager] if turn.manager else ()))})
    statements = [lock_agents(agent_ids)]
    for agent_id in agent_ids:
        publication = Publication(agent_id)
        publication.add(GroupTurnChanged(turn.group_id, turn.id, status))
        statements.append(publication.statement())
    statements.append(Statement(_FINISH, (status, stop_reason, json(error) if error else None, turn.id)))
    try:
        await pipeline.run([*statements, ring(turn.id)])
    except SerializationFailure:
        logger.info("Turn %s has ended, or its group is gone", turn.id)


# --- the kinds ---------------------------------------------------------------------------------------------------------


async def _round_robin(turn: _Turn) -> str:
    """Each member in turn."""
    for place in range(turn.max_turns or len(turn.members)):
        await _hear(turn, turn.members[place % len(turn.members)])
    return "end_turn"


async def _supervised(turn: _Turn) -> str:
    """The manager alone is asked; it speaks to the members by its tool."""
    assert turn.manager is not None
    await _speak(turn, turn.manager, [said("system", _SUPERVISE.format(members=_listed(turn.members))), *turn.asked])
    return "end_turn"


async def _tended(turn: _Turn) -> str:
    """The manager alone is asked; the end of its run calls those that tend its memory."""
    assert turn.manager is not None
    await _speak(turn, turn.manager, turn.asked)
    return "end_turn"


async def _dynamic(turn: _Turn) -> str:
    """The manager says who speaks next, until somebody says the termination token."""
    assert turn.manager is not None
    for _ in range(turn.max_turns or DYNAMIC_TURNS):
        choice = "\n".join(await _speak(turn, turn.manager, _question(turn)))
        turn.heard[turn.manager.id] = len(turn.remarks)
        speaker = named_member(choice, turn.members)
        if speaker is None and turn.token in choice:
            return "end_turn"
        words = await _hear(turn, speaker or _next_in_order(turn))
        if any(turn.token in text for text in words):
            return "end_turn"
    return "max_steps"


_CONDUCT: dict[str, Callable[[_Turn], Awaitable[str]]] = {
    GroupKind.ROUND_ROBIN: _round_robin,
    GroupKind.SUPERVISOR: _supervised,
    GroupKind.DYNAMIC: _dynamic,
    GroupKind.SLEEPTIME: _tended,
    GroupKind.VOICE_SLEEPTIME: _tended,
}

_SUPERVISE = """\
[You lead a group of agents. Send them messages with your tools where they can help, and answer the person yourself. The members:
{members}]"""
_CHOOSE = """\
[You lead a group of agents and say who speaks next. The members:
{members}
{said}
Answer with the id of the member who is to speak next and nothing else, or with {token} when nothing more has to be said.]"""


def _listed(members: Sequence[Member]) -> str:
    return "\n".join(f"- {m.name} ({m.id}){f': {m.description}' if m.description else ''}" for m in members)


def _question(turn: _Turn) -> list[Input]:
    assert turn.manager is not None
    known = turn.heard.get(turn.manager.id)
    new = [f"{remark.speaker.name}: {remark.text}" for remark in turn.remarks[known or 0 :]]
    if known is None:
        new = [f"The person: {_text(message)}" for message in turn.asked] + new
    words = "\n".join(["What was said since you were last asked:", *new])
    return [said("system", _CHOOSE.format(members=_listed(turn.members), said=words, token=turn.token))]


def _text(message: Input) -> str:
    return "".join(part.get("text", "") for part in message.content)


def named_member(text: str, members: Sequence[Member]) -> Member | None:
    """The member whose id, or else whose name, stands first in ``text``; None when there is none."""
    places = [(text.find(member.id), member) for member in members if member.id in text]
    if not places:
        found = ((re.search(rf"(?<!\w){re.escape(m.name)}(?!\w)", text, re.IGNORECASE), m) for m in members)
        places = [(match.start(), member) for match, member in found if match]
    return min(places, key=lambda place: place[0])[1] if places else None


def _next_in_order(turn: _Turn) -> Member:
    """Who comes after the last speaker, where the manager has named nobody."""
    if not turn.remarks:
        return turn.members[0]
    last = next(n for n, member in enumerate(turn.members) if member.id == turn.remarks[-1].speaker.id)
    return turn.members[(last + 1) % len(turn.members)]


# --- speaking ----------------------------------------------------------------------------------------------------------


async def _hear(turn: _Turn, member: Member) -> list[str]:
    """Lets a member speak to what it has not heard yet, and notes what it says."""
    known = turn.heard.get(member.id)
    new = [remark for remark in turn.remarks[known or 0 :] if remark.speaker.id != member.id]
    inputs = [*(turn.asked if known is None else ()), *(_remark_to(remark) for remark in new)]
    words = await _speak(turn, member, inputs or [said("system", "[It is your turn to speak in the group.]")])
    turn.remarks += [_Remark(member, text) for text in words]
    turn.heard[member.id] = len(turn.remarks)
    return words


def _remark_to(remark: _Remark) -> Input:
    speaker = remark.speaker
    return said("user", f"[{speaker.name} in the group] {remark.text}", name=speaker.name, sender_id=speaker.id)


_NOTE = "UPDATE group_turn SET run_ids = array_append(run_ids, %s) WHERE id = %s"


async def _speak(turn: _Turn, member: Member, inputs: Sequence[Input]) -> list[str]:
    """What a member answers. Raises ``NotAnswered`` naming it when its run fails."""
    run_id = run_id_from(turn.id, str(turn.spoken))
    turn.spoken += 1
    about = {"group_id": turn.group_id, "group_turn_id": turn.id}
    run = queued_run(member.id, inputs, run_id, options=turn.options, background=True, metadata=about)
    try:
        await pipeline.run(
            [Statement(_GOES_ON, (turn.id,)), *run.all, Statement(_NOTE, (run_id, turn.id)), ring(turn.id)]
        )
    except UniqueViolation:  # An earlier attempt has asked.
        pass
    except SerializationFailure as error:
        if error.diag.message_primary == _STOPPED:
            raise _Cancelled from None
        raise NotAnswered(f"{member.name} ({member.id}) was deleted before it could speak.") from None
    await _ended(run_id)
    try:
        return await reply(run_id)
    except NotAnswered as error:
        if await _is_cancelled(run_id):
            raise _Cancelled from None
        raise NotAnswered(f"{member.name} ({member.id}) did not answer. {error.message}") from None


_STOPPED = "turn cancelled"
_GOES_ON = f"""
SELECT ensure(EXISTS (SELECT 1 FROM group_turn WHERE id = %s AND status = 'running' AND NOT cancel_requested), '{_STOPPED}')
"""
_ACTIVE = "SELECT EXISTS (SELECT 1 FROM run WHERE id = %s AND status IN ('created', 'running', 'paused'))"
_CANCELLED = "SELECT EXISTS (SELECT 1 FROM run WHERE id = %s AND status = 'cancelled')"


async def _ended(run_id: str) -> None:
    async with slot_released():
        with hub().bell(run_id) as bell:
            while (await pipeline.run([Statement(_ACTIVE, (run_id,))]))[0][0][0]:
                await bell.wait(_POLL_S)


async def _is_cancelled(run_id: str) -> bool:
    return bool((await pipeline.run([Statement(_CANCELLED, (run_id,))]))[0][0][0])
