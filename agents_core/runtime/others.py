"""An agent that speaks to other agents: each message is a run of the agent spoken to, and whoever waits for it holds nothing meanwhile.

The id of such a run follows from the call that made it, so a call that is repeated after a crash finds the run that it made before.
"""

from asyncio import current_task, timeout
from collections.abc import Sequence

from psycopg.errors import SerializationFailure, UniqueViolation

from agents_core.events.hub import hub
from agents_core.models import Agent, Message, Run, pipeline
from agents_core.models.pipeline import Statement
from agents_core.queue.current import slot_released
from agents_core.queue.requests import Input, QueuedRun, queued_run, run_id_from, said
from agents_core.runtime.speech import said_text
from agents_core.runtime.state import Turn
from agents_core.tools.base import OtherAgent, ToolContext, ToolError

LONGEST_WAIT_S = 600.0
"""How long an agent waits for another one's answer."""

_POLL_S = 1.0
_SILENT = "<no response>"


class WaitsForItself(ToolError):
    """The answer would never come: whoever is to give it waits, by way of others, for who asks."""

    code = "waits_for_itself"


class NotAnswered(ToolError):
    """The other agent's run failed, or takes too long."""

    code = "not_answered"


class AgentsOfTurn:
    """What ``ToolContext.others`` promises, for the agent of a turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    async def tell(self, context: ToolContext, agent_id: str, text: str) -> None:
        await self._queue(agent_id, self._run(context, agent_id, self._wrapped(text, _NO_ANSWER)), [])

    async def ask(self, context: ToolContext, agent_id: str, text: str) -> list[str]:
        run_id = self._run_id(context, agent_id)
        await self._queue(agent_id, self._run(context, agent_id, self._wrapped(text, _ANSWER)), self._waiting(run_id))
        try:
            await self._ended(run_id)
            return await reply(run_id)
        finally:
            task = current_task()
            if task is None or not task.cancelling():  # Else the next worker goes on waiting.
                await pipeline.run([Statement(_NO_LONGER, (self._turn.run_id, run_id))])

    async def tagged(self, match_all: Sequence[str], match_some: Sequence[str]) -> list[OtherAgent]:
        rows = Agent.tagged(match_all, match_some, but=self._turn.agent.id).only("id", "name")
        return [OtherAgent(agent.id, agent.name) async for agent in rows]

    def _run_id(self, context: ToolContext, agent_id: str) -> str:
        return run_id_from(context.step_id, context.call_id, agent_id)

    def _run(self, context: ToolContext, agent_id: str, message: Input) -> QueuedRun:
        sender = {"sent_by_agent_id": self._turn.agent.id, "sent_by_run_id": self._turn.run_id}
        return queued_run(agent_id, [message], self._run_id(context, agent_id), background=True, metadata=sender)

    def _wrapped(self, text: str, note: str) -> Input:
        sender = self._turn.agent
        return said(
            "system", f"[Agent {sender.name} ({sender.id}) writes to you. {note}]\n\n{text}", sender_id=sender.id
        )

    def _waiting(self, run_id: str) -> list[Statement]:
        """The statement that notes the wait, after one that fails when it would never end."""
        return [Statement(_WAIT, (self._turn.run_id, run_id))]

    async def _queue(self, agent_id: str, run: QueuedRun, waiting: list[Statement]) -> None:
        """Queues a run, unless an earlier attempt of the same call has. Raises ``ToolError``, ``WaitsForItself``."""
        me = (self._turn.agent.id, self._turn.conversation_id)
        checked = [Statement(_ONE_AT_A_TIME), Statement(_NO_CIRCLE, (agent_id, *me))] if waiting else []
        try:
            await pipeline.run([*checked, *run.all, *waiting])
        except UniqueViolation:
            return
        except SerializationFailure as error:
            if error.diag.message_primary == _CIRCLE:
                raise await self._circle(agent_id) from None
            raise ToolError(f"There is no agent {agent_id}.") from None

    async def _circle(self, agent_id: str) -> WaitsForItself:
        me = (self._turn.agent.id, self._turn.conversation_id)
        [rows] = await pipeline.run([Statement(_CHAIN, (agent_id, *me))])
        ids = [self._turn.agent.id, *(rows[0][0] if rows else [agent_id])]
        names = {agent.id: agent.name async for agent in Agent.objects.filter(id__in=ids).only("id", "name")}
        chain = " → ".join(f"{names.get(each, '?')} ({each})" for each in ids)
        return WaitsForItself(
            f"The answer would never come, because each of these waits for the next: {chain}. "
            "Do without the answer, or use send_message_to_agent_async."
        )

    async def _ended(self, run_id: str) -> None:
        """Returns when the run has ended. Raises ``NotAnswered`` when that takes too long, or when this run is to stop."""
        try:
            async with slot_released(), timeout(LONGEST_WAIT_S):
                with hub().bell(run_id) as bell:
                    while not await self._is_over(run_id):
                        await bell.wait(_POLL_S)
        except TimeoutError:
            raise NotAnswered(
                f"There was no answer within {LONGEST_WAIT_S:.0f} seconds. The other agent is still at it, and what it answers is not "
                "delivered any more."
            ) from None

    async def _is_over(self, run_id: str) -> bool:
        [[(active, stopped)]] = await pipeline.run([Statement(_STATE, (run_id, self._turn.run_id))])
        if stopped:
            raise NotAnswered("The run was cancelled while it waited for the answer.")
        return not active


_ANSWER = "It waits for your answer: what you say in this turn is delivered to it."
_NO_ANSWER = "It does not wait for an answer, and what you say in this turn is not delivered to it."

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('mnemoscope run_wait'))"
"""Two waits that close a circle together would not see each other."""

_CIRCLE = "waits for itself"
# One thread has one run at a time, so a message waits for all runs of its thread, and for what those wait for.
_REACHED = """
WITH RECURSIVE reached AS (
    SELECT %s::text AS agent_id, NULL::text AS conversation_id, ARRAY[]::text[] AS threads, ARRAY[]::text[] AS agents
    UNION ALL
    SELECT awaited.agent_id, awaited.conversation_id, threads || (reached.agent_id || coalesce(reached.conversation_id, '')),
        agents || reached.agent_id
    FROM reached
    JOIN run AS waiting ON waiting.agent_id = reached.agent_id AND waiting.status IN ('created', 'running', 'paused')
        AND waiting.conversation_id IS NOT DISTINCT FROM reached.conversation_id
    JOIN run_wait ON run_wait.run_id = waiting.id
    JOIN run AS awaited ON awaited.id = run_wait.awaited_id AND awaited.status IN ('created', 'running', 'paused')
    WHERE NOT (reached.agent_id || coalesce(reached.conversation_id, '')) = ANY(threads)
)
"""
_BACK = "FROM reached WHERE agent_id = %s AND conversation_id IS NOT DISTINCT FROM %s"
_NO_CIRCLE = f"{_REACHED} SELECT ensure(NOT EXISTS (SELECT 1 {_BACK}), '{_CIRCLE}')"
_CHAIN = f"{_REACHED} SELECT agents || agent_id {_BACK} ORDER BY cardinality(agents) LIMIT 1"
_WAIT = "INSERT INTO run_wait (run_id, awaited_id) VALUES (%s, %s)"
_NO_LONGER = "DELETE FROM run_wait WHERE run_id = %s AND awaited_id = %s"
_STATE = """
SELECT coalesce((SELECT status IN ('created', 'running', 'paused') FROM run WHERE id = %s), false),
    coalesce((SELECT cancel_requested FROM run WHERE id = %s), true)
"""


async def reply(run_id: str) -> list[str]:
    """What an agent said in a run that has ended. Raises ``NotAnswered`` when the run failed, was cancelled or deleted."""
    run = await Run.objects.select_related("agent").filter(id=run_id).afirst()
    if run is None:
        raise NotAnswered("The other agent was deleted before it answered.")
    if run.status != "completed":
        why = (run.error or {}).get("message") or f"its run was {run.status}"
        raise NotAnswered(f"The other agent gave no answer: {why}")
    rows = Message.objects.filter(run=run_id, role="assistant").order_by("seq")
    texts = [said_text(run.agent.agent_type, row.content, row.tool_calls) async for row in rows]
    return [text for text in texts if text] or [_SILENT]
