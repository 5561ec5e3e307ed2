"""A message route: what was asked becomes a run, and the run an answer, a stream, or the run itself."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from agents_core.actions.budgets import OF_REQUEST, checked_budgets
from agents_core.actions.history import agent_kind
from agents_core.actions.messages import Input, RunOptions, SentRun, ask, send
from agents_core.actions.resending import send_once
from agents_core.api.answers import answer
from agents_core.api.schemas.messages import MessageIn, SendRequest
from agents_core.api.schemas.runs import SHOWN_AS
from agents_core.api.sse import Stream, streaming
from agents_core.api.wire import View, view_of
from agents_core.errors import InvalidInput, Refused


async def sent(agent_id: str, body: SendRequest, conversation_id: str | None = None, **more: Any) -> SentRun:
    """Stores the messages and queues their run; a run in the background that was asked for before is that one. Raises as ``inputs_of``."""
    how = send_once if more.get("background") else send
    return await how(agent_id, inputs_of(body), conversation_id=conversation_id, options=options_of(body), **more)


def inputs_of(body: SendRequest) -> list[Input]:
    """The messages of a request. Raises ``Refused`` for an answer to an approval nobody asked for, and for tools that
    only the client could run."""
    if body.client_tools:
        raise Refused("Tools that the client runs are not supported yet: leave out client_tools.")
    return inputs_from(body.items())


def inputs_from(items: Sequence[MessageIn]) -> list[Input]:
    """Raises ``Refused`` for an answer to an approval, ``InvalidInput`` for a message without content."""
    if any(item.is_answer for item in items):
        raise Refused("No tool call is currently awaiting approval")
    return [Input(item.role or "user", item.parts(), item.name, item.otid, item.sender_id) for item in items]


def options_of(body: SendRequest) -> RunOptions:
    """Raises ``InvalidInput`` for a budget that there is not."""
    return RunOptions(
        max_steps=body.max_steps,
        override_model=body.override_model,
        override_system=body.override_system,
        budgets=checked_budgets(body.budgets or {}, OF_REQUEST),
        shown={name: getattr(body, name) for name in SHOWN_AS if name in body.model_fields_set},
    )


def view_for(agent_type: str, body: SendRequest) -> View:
    return view_of(
        agent_type,
        use_assistant_message=body.use_assistant_message,
        tool=body.assistant_message_tool_name,
        argument=body.assistant_message_tool_kwarg,
        kinds=body.include_return_message_types,
    )


async def answered(agent_id: str, body: SendRequest, conversation_id: str | None = None) -> HttpResponseBase:
    """The whole answer, or the stream of it, as the body asks."""
    if body.streaming:
        return await streamed(agent_id, body, conversation_id)
    if body.stream_tokens or body.background:
        raise InvalidInput("stream_tokens and background need streaming to be true.")
    ended = await ask(agent_id, inputs_of(body), conversation_id=conversation_id, options=options_of(body))
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
