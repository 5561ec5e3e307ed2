"""A message route: what was asked becomes a run, and the run an answer, a stream, or the run itself."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from agents_core.actions.budgets import OF_REQUEST, checked_budgets
from agents_core.actions.history import agent_kind
from agents_core.actions.messages import CallAnswer, Input, RunOptions, SentRun, ask, pending, send
from agents_core.actions.resending import send_once
from agents_core.api.answers import answer
from agents_core.api.schemas.messages import MessageIn, SendRequest
from agents_core.api.schemas.runs import SHOWN_AS
from agents_core.api.sse import Stream, streaming
from agents_core.api.wire import View, view_of
from agents_core.errors import InvalidInput, Refused


async def sent(agent_id: str, body: SendRequest, conversation_id: str | None = None, **more: Any) -> SentRun:
    """Stores the messages and queues their run; a run in the background that was asked for before is that one. Raises as ``asked``."""
    how = send_once if more.get("background") else send
    inputs, options = await asked(agent_id, body, conversation_id)
    return await how(agent_id, inputs, conversation_id=conversation_id, options=options, **more)


def inputs_from(items: Sequence[MessageIn]) -> list[Input]:
    """Raises ``Refused`` for an answer to a call, ``InvalidInput`` for a message without content."""
    if any(item.is_answer for item in items):
        raise Refused("No tool call is currently awaiting approval")
    return [Input(item.role or "user", item.parts(), item.name, item.otid, item.sender_id) for item in items]


def options_of(body: SendRequest, answers: Sequence[CallAnswer] = ()) -> RunOptions:
    """What the run of a request is to do. Raises ``InvalidInput`` for a budget that there is not."""
    return RunOptions(
        max_steps=body.max_steps,
        override_model=body.override_model,
        override_system=body.override_system,
        client_tools=[tool.model_dump() for tool in body.client_tools or []],
        answers=answers,
        include_compaction_messages=body.include_compaction_messages,
        budgets=checked_budgets(body.budgets or {}, OF_REQUEST),
        shown={name: getattr(body, name) for name in (*SHOWN_AS, "stream_tokens") if name in body.model_fields_set},
    )


async def asked(agent_id: str, body: SendRequest, conversation_id: str | None = None) -> tuple[list[Input], RunOptions]:
    """The messages of a request, and what their run is to do. Raises ``Refused`` for an answer without calls, and as ``options_of``."""
    items = body.items()
    answers = [each for item in items if item.is_answer for each in await _answers(agent_id, conversation_id, item)]
    return inputs_from([item for item in items if not item.is_answer]), options_of(body, answers)


async def _answers(agent_id: str, conversation_id: str | None, item: MessageIn) -> list[CallAnswer]:
    """The answers of one message. An older client names the request, not the call: that serves while one call waits."""
    if answers := item.answers():
        return answers
    waiting = await pending(agent_id, conversation_id)
    if waiting is None:
        raise Refused("No tool call is currently awaiting approval")
    if item.approve is None or len(waiting.call_ids) != 1:
        raise Refused(f"Say for each call whether it is approved: {', '.join(waiting.call_ids)}.")
    return [CallAnswer(waiting.call_ids[0], approve=item.approve, reason=item.reason)]


def view_for(agent_type: str, body: SendRequest) -> View:
    return view_of(
        agent_type,
        use_assistant_message=body.use_assistant_message,
        tool=body.assistant_message_tool_name,
        argument=body.assistant_message_tool_kwarg,
        kinds=body.include_return_message_types,
        compactions=body.include_compaction_messages,
    )


async def answered(agent_id: str, body: SendRequest, conversation_id: str | None = None) -> HttpResponseBase:
    """The whole answer, or the stream of it, as the body asks."""
    if body.streaming:
        return await streamed(agent_id, body, conversation_id)
    if body.stream_tokens or body.background:
        raise InvalidInput("stream_tokens and background need streaming to be true.")
    inputs, options = await asked(agent_id, body, conversation_id)
    ended = await ask(agent_id, inputs, conversation_id=conversation_id, options=options)
    response: HttpResponse = answer(ended, view_for(ended.agent_type, body))
    return response


async def streamed(agent_id: str, body: SendRequest, conversation_id: str | None = None) -> HttpResponseBase:
    view = view_for(await agent_kind(agent_id), body)
    run = await sent(agent_id, body, conversation_id, background=body.background)
    return streaming(
        Stream(
            agent_id,
            run.run_id,
            run.first_seq,
            view,
            tokens=body.stream_tokens,
            pings=body.include_pings,
            numbered=body.background,
        )
    )
