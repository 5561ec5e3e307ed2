"""A recorded model call made again another way: nothing of its agent changes, and the answer is kept beside."""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from asgiref.sync import sync_to_async

from agents_core.errors import AgentsError
from agents_core.llm.catalog import cost_usd
from agents_core.llm.errors import InvalidModelResponse, ModelError
from agents_core.llm.types import ChatMessage, Finished, ModelRequest, Reasoning, Sent, Usage
from agents_core.models import Experiment, pipeline
from agents_core.models.pipeline import DATABASE_LOST, Statement
from agents_core.models.pipeline import json as jsonb
from agents_core.record.segments import CutSegment, Plan, cut, store_statement
from agents_core.runtime.preview import Changes
from agents_core.runtime.providers import connections
from agents_core.runtime.reading import read_turn
from agents_core.runtime.rebuilding import Recorded, recorded, request_with
from agents_core.runtime.recording import error_facts
from agents_core.tools.execute import read_arguments

logger = logging.getLogger(__name__)

_MAX_ATTEMPTS = 3
_LOOK_EVERY_S = 0.5
_LOST = f"The worker stopped {_MAX_ATTEMPTS} times during this call. Make it again."

_TAKE_UP = "UPDATE experiment SET status = 'running' WHERE id = %s AND status IN ('created', 'running') RETURNING id"
_STOPPED = "SELECT NOT EXISTS (SELECT 1 FROM experiment WHERE id = %s AND status = 'running' AND NOT cancel_requested)"
_END = """
UPDATE experiment SET status = %s, error = %s, answer = %s, handle = %s, url = %s, segments = %s::uuid[], request_digest = %s,
    response_id = %s, estimated_tokens = %s, prompt_tokens = %s, completion_tokens = %s, cached_input_tokens = %s, cost_usd = %s,
    first_token_ms = %s, model_ms = %s, finished_at = now()
WHERE id = %s AND status = 'running'
"""
_END_WITHOUT = "UPDATE experiment SET status = %s, error = %s, finished_at = now() WHERE id = %s AND status = 'running'"


@dataclass(slots=True)
class _Call:
    """What went out and what came back."""

    agent_id: str
    handle: str
    plan: Plan
    estimated_tokens: int
    sent: Sent | None = None
    finished: Finished | None = None
    error: ModelError | None = None


class _Cancelled(Exception):
    """Somebody asked to stop the experiment, or deleted it."""


async def execute(experiment_id: str, attempt: int) -> None:
    """Makes the call of an experiment and writes its answer. Safe to call again when a worker died of it: a provider may then be asked
    twice."""
    if not (await pipeline.run([Statement(_TAKE_UP, (experiment_id,))]))[0]:
        return None
    if attempt > _MAX_ATTEMPTS:
        return await _end(experiment_id, "failed", {"code": "worker_lost", "message": _LOST, "status": None})
    try:
        await _write(experiment_id, await _stoppable(experiment_id))
    except DATABASE_LOST:
        raise
    except _Cancelled:
        await _end(experiment_id, "cancelled", None)
    except AgentsError as error:
        facts = {"code": error.code, "message": error.message, "status": error.http_status}
        await _end(experiment_id, "failed", facts)
    except Exception as error:  # the border of a run
        logger.exception("Experiment %s failed", experiment_id)
        message = f"{type(error).__name__}: {error}"
        await _end(experiment_id, "failed", {"code": "internal_error", "message": message, "status": None})


async def _end(experiment_id: str, status: str, error: dict[str, Any] | None) -> None:
    await pipeline.run([Statement(_END_WITHOUT, (status, jsonb(error) if error else None, experiment_id))])


async def _stoppable(experiment_id: str) -> _Call:
    """The call, given up within half a second once nobody wants it any more."""
    work = asyncio.create_task(_made(experiment_id), name="experiment")
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK_EVERY_S))[0]:
            if (await pipeline.run([Statement(_STOPPED, (experiment_id,))]))[0][0][0]:
                raise _Cancelled
        return work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _made(experiment_id: str) -> _Call:
    experiment, then = await sync_to_async(_load)(experiment_id)
    changes = Changes(**experiment.changes)
    handle = changes.model or experiment.step.handle
    connection = await connections().connect(handle)
    turn = await read_turn(experiment.agent_id, None)
    build = sync_to_async(request_with)
    request, plan = await build(then, turn.agent, connection.model, changes, experiment.step)
    call = _Call(experiment.agent_id, connection.handle, plan, plan.tokens)
    async with aclosing(connection.provider.stream(request)) as items:
        await _take(call, items, request)
    return call


def _load(experiment_id: str) -> tuple[Experiment, Recorded]:
    experiment = Experiment.objects.select_related("step").get(id=experiment_id)
    return experiment, recorded(experiment.step)


async def _take(call: _Call, items: Any, request: ModelRequest) -> None:
    try:
        async for item in items:
            match item:
                case Sent():
                    call.sent = item
                case Finished():
                    call.finished = item
        if call.finished is None:
            raise InvalidModelResponse("The provider's stream ended without an answer.")
    except ModelError as error:
        call.error = error


async def _write(experiment_id: str, call: _Call) -> None:
    segments: list[CutSegment] = []
    if call.sent:
        segments = cut(call.agent_id, call.sent.body, call.sent.layout, call.plan)
    finished, usage = call.finished, call.finished.usage if call.finished else Usage()
    response = finished.body if finished else call.error.response_body if call.error else b""
    values = (
        "failed" if call.error else "completed",
        jsonb(error_facts(call.error)) if call.error else None,
        jsonb(_answer(finished.message)) if finished else None,
        call.handle,
        call.sent.url if call.sent else "",
        f"{{{','.join(segment.id for segment in segments)}}}",
        sha256(call.sent.body).digest() if call.sent else None,
        sha256(response).digest() if response else None,
        call.estimated_tokens,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_input_tokens,
        cost_usd(call.handle, usage) if finished else None,
        finished.first_token_ms if finished else None,
        finished.duration_ms if finished else None,
        experiment_id,
    )
    store = store_statement(call.agent_id, segments, [response] if response else [])
    await pipeline.run([store, Statement(_END, values)])


def _answer(message: ChatMessage) -> dict[str, Any]:
    return {
        "text": message.text,
        "reasoning": "\n".join(part.text for part in message.parts if isinstance(part, Reasoning) and part.text),
        "calls": [{"name": call.name, "arguments": read_arguments(call.arguments)} for call in message.tool_calls],
    }
