"""How a step begins: its run is taken up or goes on, and what it is made from is read, in the same batch and transaction."""

from time import monotonic

from agents_core.events.types import RunStarted
from agents_core.models import new_id
from agents_core.models.pipeline import Rows, Statement
from agents_core.runtime.persist import NOT_ACTIVE, Commit, RunNotActive
from agents_core.runtime.reading import agent_from, context, take_world, turn_from, world
from agents_core.runtime.state import Spent, Turn

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
SELECT ensure(EXISTS (SELECT 1 FROM claimed), '{NOT_ACTIVE}'), step.number, request, attempts, cancel_requested, pauses, stop_at, true,
    running_s, step.id, suspended
FROM (VALUES (1)) AS one LEFT JOIN claimed ON true LEFT JOIN step ON step.id = suspended ->> 'step_id'
"""
# What people changed while it stood, and its request had not gone out, was so before.
_SEEN = """
UPDATE step SET seq = event_seq FROM run, agent WHERE agent.id = %s AND run.id = %s AND step.id = suspended ->> 'step_id'
    AND suspended ->> 'stage' IN ('request', 'eviction')
"""


def start_step(commit: Commit, run_id: str, kind: str = "agent", *, claim: bool = False) -> str:
    """Adds a new step of a run to a commit, which with ``claim`` takes up the run too; gives the step's id."""
    step_id = new_id("step")
    commit.begin_step(step_id)
    sql = _START_STEP.format(claim=_CLAIM if claim else _GO_ON, otherwise=NOT_ACTIVE)
    commit.add(Statement(sql, (run_id, commit.agent_id, step_id, kind)), "step")
    return step_id


async def begin_run(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> Turn:
    """Takes up a run and starts its first step. Raises ``RunNotActive``."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.emit(RunStarted(attempt))
    step_id = start_step(commit, run_id, claim=True)
    commit.add(world(agent_id, run_id), "world")
    commit.add(context(agent_id, run_id, conversation_id), "messages")
    return _turn_of(commit, await commit.run(), step_id)


async def take_up_run(agent_id: str, run_id: str, conversation_id: str | None, attempt: int) -> Turn:
    """Takes up a run in the step in which it stood at a breakpoint, now that it may go on. Raises ``RunNotActive``."""
    commit = Commit(agent_id, conversation_id, run_id)
    commit.emit(RunStarted(attempt))
    commit.add(Statement(_TAKE_UP, (run_id,)), "step")
    commit.add(Statement(_SEEN, (agent_id, run_id)))
    commit.add(world(agent_id, run_id), "world")
    commit.add(context(agent_id, run_id, conversation_id), "messages")
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
    return turn_from(
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


def begin_next_step(turn: Turn, commit: Commit) -> str:
    """Adds the start of the next step to the commit of the one before; ``take_next_step`` reads what came back. Gives the step's id."""
    step_id = start_step(commit, turn.run_id)
    commit.add(world(turn.agent.id, turn.run_id), "world")
    return step_id


def take_next_step(turn: Turn, step_id: str, rows: dict[str, Rows]) -> None:
    """Blocks and tools are read anew for each step: others may have changed them. Raises ``RunNotActive`` when the agent was deleted."""
    if not rows["step"]:
        raise RunNotActive(turn.run_id)
    turn.step_id = step_id
    _, turn.step_number, _, _, turn.cancel_requested, turn.pauses, turn.stop_at, *_ = rows["step"][0]
    turn.agent = agent_from(rows["world"][0])
    take_world(turn, rows["world"][0])
