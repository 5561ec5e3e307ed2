"""The two hot phases of a run: beginning a step (claim, read) and committing one (write, publish), each one batch of
SQL in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.errors import SerializationFailure

from agents_core.errors import NotFound
from agents_core.events.publish import Publication, lock_agents
from agents_core.events.types import AnyEvent, MessageCreated, RunStarted, StepStarted
from agents_core.memory.files.directory import DIRECTORY_SQL, directory_of
from agents_core.memory.render import BlockFacts, parts_of
from agents_core.models import WAITING, new_id, pipeline
from agents_core.models.pipeline import Rows, Statement, json
from agents_core.runtime.state import (
    CLIENT_TOOL,
    AgentFacts,
    BreakpointFacts,
    Spent,
    StoredMessage,
    Tended,
    ToolFacts,
    Turn,
)
from agents_core.tools.base import BlockState

CLIENT_RETURN_CHARS = 50_000
"""How much of the result of a caller's tool the agent sees."""


class RunNotActive(Exception):
    """The run has ended, or another worker has taken it up: there is nothing left to do here."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to store. ``position``: None puts it at the end of the context, WAITING keeps it for its run's first answer."""

    id: str
    role: str
    content: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_returns: list[dict[str, Any]] = field(default_factory=list)
    name: str | None = None
    otid: str | None = None
    sender_id: str | None = None
    position: int | None = None

    def stored(self) -> StoredMessage:
        return StoredMessage(self.id, self.role, self.content, self.tool_calls, self.tool_returns, self.position)


_INSERT_MESSAGES = """
INSERT INTO message (id, agent_id, conversation_id, run_id, step_id, seq, role, content, tool_calls, tool_returns,
                     name, otid, sender_id, context_position, indexed)
SELECT m.id, agent.id, %s, %s, %s, agent.event_seq - m.behind, m.role, m.content, m.tool_calls, m.tool_returns,
       m.name, m.otid, m.sender_id, coalesce(m.position, agent.event_seq - m.behind), false
FROM agent, jsonb_to_recordset(%s) AS m (id text, behind int, role text, content jsonb, tool_calls jsonb, tool_returns jsonb,
                                         name text, otid text, sender_id text, position bigint)
WHERE agent.id = %s
"""

_NOT_ACTIVE = "run not active"
_STILL_OURS = f"""
SELECT ensure(EXISTS (SELECT 1 FROM run WHERE id = %s AND status = 'running' AND attempts = %s), '{_NOT_ACTIVE}')
"""
_OTHER_HOLDERS = "SELECT agent_id, block_id FROM agent_block WHERE block_id = ANY(%s) AND agent_id <> %s"


@dataclass(slots=True)
class Commit:
    """What one transaction writes about a run: events, messages and other statements, and what it reads back by name.

    ``attempt``: the worker's own, once it has taken the run up. A worker that was thought dead, and has a successor, then writes nothing.
    """

    agent_id: str
    conversation_id: str | None
    run_id: str
    step_id: str | None = None
    attempt: int | None = None
    _publication: Publication = field(init=False)
    _to_holders: list[tuple[str, AnyEvent]] = field(default_factory=list)
    _elsewhere: list[Publication] = field(default_factory=list)
    _messages: list[tuple[NewMessage, int]] = field(default_factory=list)
    _statements: list[tuple[str | None, Statement]] = field(default_factory=list)
    _afterwards: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._publication = Publication(self.agent_id, self.run_id, self.step_id)

    def emit(self, event: AnyEvent, *, step_id: str | None = None) -> None:
        self._publication.step_id = step_id or self.step_id
        self._publication.add(event)

    def emit_to_holders(self, block_id: str, event: AnyEvent) -> None:
        """Tells of a block's change here, and in the streams of all other agents that hold it."""
        self.emit(event)
        self.tell_other_holders(block_id, event)

    def begin_step(self, step_id: str) -> None:
        """Numbers a step, and tells of it."""
        self._publication.steps += 1
        self.emit(StepStarted(), step_id=step_id)

    def tell_other_holders(self, block_id: str, event: AnyEvent) -> None:
        """Tells the streams of all other agents that hold the block."""
        self._to_holders.append((block_id, event))

    def publish_elsewhere(self, publication: Publication) -> None:
        """Tells another agent's stream too."""
        self._elsewhere.append(publication)

    def message(self, message: NewMessage) -> None:
        """Stores a message and tells of it; its seq is the number of that event."""
        self._publication.step_id = self.step_id
        self._messages.append((message, self._publication.add(MessageCreated(message.id, message.role))))

    def afterwards(self, action: Callable[[], None]) -> None:
        """Calls ``action`` once it is all written."""
        self._afterwards.append(action)

    def add(self, statement: Statement, name: str | None = None) -> None:
        """Adds a statement after events and messages; its rows come back under ``name``."""
        self._statements.append((name, statement))

    async def run(self) -> dict[str, Rows]:
        """Writes it all, or nothing.

        Raises ``SerializationFailure`` when something that it counted on had changed, ``RunNotActive`` when the run is no longer ours.
        """
        others = [*(await self._others() if self._to_holders else ()), *self._elsewhere]
        named: list[tuple[str | None, Statement]] = []
        if others:
            named.append((None, lock_agents([self.agent_id, *(other.agent_id for other in others)])))
        named.append(("seqs", self._publication.statement()))
        if self.attempt is not None:
            named.append((None, Statement(_STILL_OURS, (self.run_id, self.attempt))))
        named += [(None, other.statement()) for other in others]
        if self._messages:
            named.append((None, self._insert_messages()))
        named += self._statements
        try:
            rows = await pipeline.run(statement for _, statement in named)
        except SerializationFailure as error:
            if error.diag.message_primary == _NOT_ACTIVE:
                raise RunNotActive(self.run_id) from None
            raise
        for action in self._afterwards:
            action()
        return {name: found for (name, _), found in zip(named, rows, strict=True) if name}

    async def _others(self) -> list[Publication]:
        """The publications to other agents that hold the blocks written here."""
        blocks = [block_id for block_id, _ in self._to_holders]
        others: dict[str, Publication] = {}
        for agent_id, block_id in (await pipeline.run([Statement(_OTHER_HOLDERS, (blocks, self.agent_id))]))[0]:
            other = others.setdefault(agent_id, Publication(agent_id))
            for changed, event in self._to_holders:
                if changed == block_id:
                    other.add(event)
        return list(others.values())

    def _insert_messages(self) -> Statement:
        rows = [
            {**asdict(message), "behind": self._publication.seq_behind_last(place)} for message, place in self._messages
        ]
        owner = (self.conversation_id, self.run_id, self.step_id)
        return Statement(_INSERT_MESSAGES, (*owner, json(rows), self.agent_id))


def commit_of(turn: Turn, step_id: str | None = None) -> Commit:
    """A commit about the turn's step, or another of its steps."""
    return Commit(turn.agent.id, turn.conversation_id, turn.run_id, step_id or turn.step_id, turn.attempt)


# --- beginning -------------------------------------------------------------------------------------------------------

_START_STEP = """
WITH claimed AS ({claim}),
numbered AS (SELECT id, step_count, context_window, event_seq FROM agent WHERE id = %s),
started AS (
    INSERT INTO step (id, agent_id, run_id, conversation_id, number, kind, status, provider, model, handle, url, context_window,
                      compacts_at, segments, estimated_tokens, prompt_tokens, completion_tokens, cached_input_tokens, cache_write_tokens,
                      reasoning_tokens, tags, seq)
    SELECT %s, numbered.id, claimed.id, claimed.conversation_id, numbered.step_count,
           CASE WHEN claimed.request ? 'compaction' THEN 'summary' ELSE %s END, 'pending', '', '', '', '',
           numbered.context_window, 0, '{{}}', 0, 0, 0, 0, 0, 0, '{{}}', numbered.event_seq
    FROM numbered, claimed
)
SELECT ensure(EXISTS (SELECT 1 FROM claimed), '{otherwise}'), step_count, request, attempts, cancel_requested, pauses, stop_at, resumed,
    running_s
FROM numbered LEFT JOIN claimed ON true
"""
_RUNNING_S = "extract(epoch FROM now() - started_at)::float8 - paused_s"
# One that stands at a breakpoint holds up its thread, and so does one that was let go on and has not come to it yet.
_CLAIM = f"""
UPDATE run SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now())
WHERE id = %s AND status IN ('created', 'running') AND suspended IS NULL AND NOT EXISTS (
    SELECT 1 FROM run AS other WHERE other.agent_id = run.agent_id AND other.status IN ('running', 'paused') AND other.id <> run.id
    AND other.conversation_id IS NOT DISTINCT FROM run.conversation_id)
RETURNING id, conversation_id, request, attempts, cancel_requested, pauses, stop_at, started_at < now() AS resumed,
    {_RUNNING_S} AS running_s
"""
_GO_ON = """
SELECT id, conversation_id, request, attempts, cancel_requested, pauses, stop_at, false AS resumed, 0 AS running_s FROM run WHERE id = %s
"""
_TAKE_UP = f"""
WITH claimed AS (
    UPDATE run SET attempts = attempts + 1 WHERE id = %s AND status = 'running' AND suspended IS NOT NULL
    RETURNING id, suspended, request, attempts, cancel_requested, pauses, stop_at, {_RUNNING_S} AS running_s
)
SELECT ensure(EXISTS (SELECT 1 FROM claimed), '{_NOT_ACTIVE}'), step.number, request, attempts, cancel_requested, pauses, stop_at, true,
    running_s, step.id, suspended
FROM (VALUES (1)) AS one LEFT JOIN claimed ON true LEFT JOIN step ON step.id = suspended ->> 'step_id'
"""
# What people changed while it stood, and its request had not gone out, was so before.
_SEEN = """
UPDATE step SET seq = event_seq FROM run, agent WHERE agent.id = %s AND run.id = %s AND step.id = suspended ->> 'step_id'
    AND suspended ->> 'stage' IN ('request', 'eviction')
"""
_WORLD = """
SELECT agent.id, name, agent_type, system, agent.model, model_settings, context_window, embedding, tool_rules, compaction_settings,
    response_format, message_buffer_autoclear, timezone, budgets, ratio, samples,
    (SELECT coalesce(json_agg(json_build_array(block.id, block.label, coalesce(proposed.value, block.value), "limit", block.description,
        read_only, version, review AND agent_type IN ('sleeptime_agent', 'voice_sleeptime_agent'), proposed.id) ORDER BY agent_block.id),
        '[]') FROM agent_block JOIN block ON block.id = block_id LEFT JOIN block_proposal AS proposed ON proposed.block_id = block.id
        AND proposed.agent_id = agent.id AND proposed.status = 'pending' AND base_version = version AND review
        WHERE agent_block.agent_id = agent.id),
    (SELECT coalesce(json_agg(json_build_array(tool.id, tool.name, tool_type, tool.description, json_schema -> 'parameters', source_code,
        return_char_limit, enable_parallel_execution, source_type) ORDER BY agent_tool.id), '[]')
        FROM agent_tool JOIN tool ON tool.id = tool_id WHERE agent_id = agent.id),
    (SELECT coalesce(json_object_agg(archive_id, revision ORDER BY agent_archive.id), '{}')
        FROM agent_archive JOIN archive ON archive.id = archive_id WHERE agent_id = agent.id),
    (SELECT json_build_array(agent_group.id, sleeptime_agent_frequency, turns_counter, last_processed_seq,
        (SELECT coalesce(json_agg(group_agent.agent_id ORDER BY group_agent.id), '[]') FROM group_agent WHERE group_id = agent_group.id))
        FROM agent_group WHERE manager_id = agent.id AND manager_type IN ('sleeptime', 'voice_sleeptime') AND enable_sleeptime),
    (SELECT coalesce(json_agg(json_build_array(id, kind, target, pattern, threshold, condition, nth, log) ORDER BY created_at, id), '[]')
        FROM breakpoint WHERE enabled AND (agent_id = agent.id OR agent_id IS NULL)),
"""
_WORLD += f"""{DIRECTORY_SQL}
FROM agent LEFT JOIN token_ratio ON handle = coalesce((SELECT request ->> 'override_model' FROM run WHERE run.id = %s), agent.model)
WHERE agent.id = %s
"""
# As one value: reading a long conversation row by row takes several times as long.
_CONTEXT = """
SELECT coalesce(json_agg(json_build_array(id, role, content, tool_calls, tool_returns, context_position)
    ORDER BY nullif(context_position, %s) NULLS LAST, seq), '[]')
FROM message
WHERE agent_id = %s AND context_position IS NOT NULL AND conversation_id IS NOT DISTINCT FROM %s AND (context_position <> %s OR run_id = %s)
"""


def start_step(commit: Commit, run_id: str, kind: str = "agent", *, claim: bool = False) -> str:
    """Adds a new step of a run to a commit, which with ``claim`` takes up the run too; gives the step's id."""
    step_id = new_id("step")
    commit.begin_step(step_id)
    sql = _START_STEP.format(claim=_CLAIM if claim else _GO_ON, otherwise=_NOT_ACTIVE)
    commit.add(Statement(sql, (run_id, commit.agent_id, step_id, kind)), "step")
    return step_id


async def begin_run(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> Turn:
    """Takes up a run and starts its first step. Raises ``RunNotActive``."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.emit(RunStarted(attempt))
    step_id = start_step(commit, run_id, claim=True)
    commit.add(Statement(_WORLD, (run_id, agent_id)), "world")
    commit.add(Statement(_CONTEXT, (WAITING, agent_id, conversation_id, WAITING, run_id)), "messages")
    return _turn_of(commit, await commit.run(), step_id)


async def take_up_run(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> Turn:
    """Takes up a run in the step in which it stood at a breakpoint, now that it may go on. Raises ``RunNotActive``."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.emit(RunStarted(attempt))
    commit.add(Statement(_TAKE_UP, (run_id,)), "step")
    commit.add(Statement(_SEEN, (agent_id, run_id)))
    commit.add(Statement(_WORLD, (run_id, agent_id)), "world")
    commit.add(Statement(_CONTEXT, (WAITING, agent_id, conversation_id, WAITING, run_id)), "messages")
    rows = await commit.run()
    *step, step_id, suspended = rows["step"][0]
    turn = _turn_of(commit, {**rows, "step": [tuple(step)]}, step_id)
    turn.suspended = suspended
    return turn


def _turn_of(commit: Commit, rows: dict[str, Rows], step_id: str) -> Turn:
    """The turn that was read together with its step. Raises ``RunNotActive``."""
    if not rows["step"]:  # The agent was deleted, and the run with it.
        raise RunNotActive(commit.run_id)
    _, number, request, attempts, cancel_requested, pauses, stop_at, resumed, running_s = rows["step"][0]
    return _turn(
        rows["world"][0],
        rows["messages"][0][0],
        run_id=commit.run_id,
        conversation_id=commit.conversation_id,
        request=request,
        attempt=attempts,
        resumed=resumed,
        cancel_requested=cancel_requested,
        started_seq=rows["seqs"][0][0],
        step_id=step_id,
        step_number=number,
        pauses=pauses,
        stop_at=stop_at,
        calls_made=list(request.get("calls_made", ())),
        spent=Spent(monotonic() - running_s),
    )


def _turn(world: tuple[Any, ...], messages: Sequence[Sequence[Any]], **about: Any) -> Turn:
    system, others = _split_system([StoredMessage(*row) for row in messages])
    turn = Turn(
        **about,
        agent=_agent(world),
        blocks={},
        tools={},
        archive_ids=[],
        system_id=system.id if system else None,
        system_parts=parts_of(system.content) if system else [],
        messages=others,
    )
    _take_world(turn, world)
    return turn


def begin_next_step(turn: Turn, commit: Commit) -> str:
    """Adds the start of the next step to the commit of the one before; ``take_next_step`` reads what came back. Gives the step's id."""
    step_id = start_step(commit, turn.run_id)
    commit.add(Statement(_WORLD, (turn.run_id, turn.agent.id)), "world")
    return step_id


def take_next_step(turn: Turn, step_id: str, rows: dict[str, Rows]) -> None:
    """Blocks and tools are read anew for each step: others may have changed them. Raises ``RunNotActive`` when the agent was deleted."""
    if not rows["step"]:
        raise RunNotActive(turn.run_id)
    turn.step_id = step_id
    _, turn.step_number, _, _, turn.cancel_requested, turn.pauses, turn.stop_at, *_ = rows["step"][0]
    turn.agent = _agent(rows["world"][0])
    _take_world(turn, rows["world"][0])


_NEXT_RUN = """
SELECT run.id, request, attempts, step_count,
    (SELECT coalesce(json_agg(name ORDER BY step.number, position), '[]') FROM tool_call JOIN step ON step.id = step_id
        WHERE run_id = run.id AND (duration_ms > 0) IS NOT FALSE)
FROM agent LEFT JOIN run ON run.id = (SELECT id FROM run WHERE agent_id = %s AND conversation_id IS NOT DISTINCT FROM %s
    AND status IN ('created', 'running', 'paused') ORDER BY first_seq LIMIT 1) WHERE agent.id = %s
"""
_OVERRIDE = "SELECT model FROM conversation WHERE id = %s AND agent_id = %s"


async def read_turn(agent_id: str, conversation_id: str | None) -> Turn:
    """The turn as its next step would find it, nothing written: that of the thread's run that goes on or is queued, else of one that
    would begin now, without a message of its own. Raises ``NotFound``."""
    thread = (agent_id, conversation_id)
    found, conversation = await pipeline.run(
        [Statement(_NEXT_RUN, (*thread, agent_id)), Statement(_OVERRIDE, (conversation_id, agent_id))]
    )
    if not found:
        raise NotFound("Agent not found")
    if conversation_id and not conversation:
        raise NotFound("The agent has no such conversation: it may have been deleted.")
    run_id, request, attempts, step_count, called = found[0]
    world, messages = await pipeline.run(
        [
            Statement(_WORLD, (run_id, agent_id)),
            Statement(_CONTEXT, (WAITING, agent_id, conversation_id, WAITING, run_id)),
        ]
    )
    if not world:
        raise NotFound("Agent not found")
    override = conversation[0][0] if conversation else None
    return _turn(
        world[0],
        messages[0][0],
        run_id=run_id or "",
        conversation_id=conversation_id,
        request=request if run_id else {"override_model": override},
        attempt=attempts or 0,
        resumed=False,
        cancel_requested=False,
        started_seq=0,
        step_id="",
        step_number=step_count + 1,
        calls_made=called,
    )


async def refresh_world(turn: Turn) -> None:
    """Reads blocks, tools and archives anew, after another writer was first."""
    _take_world(turn, (await pipeline.run([Statement(_WORLD, (turn.run_id, turn.agent.id))]))[0][0])


def _take_world(turn: Turn, row: tuple[Any, ...]) -> None:
    ratio, samples, blocks, tools, turn.revisions, tended, breakpoints, directory = row[-8:]
    turn.archive_ids = list(turn.revisions)
    # A branch that is only compared goes on to its end.
    turn.breakpoints = [] if turn.is_compared else [BreakpointFacts(*facts) for facts in breakpoints]
    turn.directory = directory_of(directory)
    turn.tended = Tended(*tended) if tended else None
    turn.blocks = {
        label: BlockState(BlockFacts(block_id, label, *facts), version, review, proposal_id)
        for block_id, label, *facts, version, review, proposal_id in blocks
    }
    turn.tools = {name: ToolFacts(tool_id, name, *facts) for tool_id, name, *facts in tools}
    for tool in turn.request.get("client_tools", []):  # hides an own tool of the same name
        turn.tools[tool["name"]] = _client_tool(tool)
    turn.token_ratio, turn.token_samples = ratio or 1.0, samples or 0


def _client_tool(tool: dict[str, Any]) -> ToolFacts:
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    name, description = tool["name"], tool.get("description") or ""
    return ToolFacts(CLIENT_TOOL, name, CLIENT_TOOL, description, parameters, None, CLIENT_RETURN_CHARS, False)


def _agent(row: tuple[Any, ...]) -> AgentFacts:
    facts = (*row[:12], ZoneInfo(row[12]), row[13])
    return AgentFacts(*facts)


def _split_system(messages: Sequence[StoredMessage]) -> tuple[StoredMessage | None, list[StoredMessage]]:
    """The agent's own system message, which stands first, and the others."""
    if messages and messages[0].role == "system" and not messages[0].waiting:
        return messages[0], list(messages[1:])
    return None, list(messages)
