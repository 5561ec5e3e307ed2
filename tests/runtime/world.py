"""An agent whose model is scripted, and a person who speaks to it; the runs are executed in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from asgiref.sync import sync_to_async

from agents_core.actions import agents, tools
from agents_core.actions.messages import Input, RunOptions, RunOutcome, outcome, send
from agents_core.actions.new_agent import NewAgent
from agents_core.events.subscribe import read
from agents_core.events.types import AnyEvent
from agents_core.llm.providers.scripted import Script, Scripted, script
from agents_core.llm.types import ModelRequest
from agents_core.models import Agent, Block, Message, Tool
from agents_core.runtime.loop import execute
from agents_core.runtime.providers import connections
from agents_core.tools.execute import close_sandbox

_numbers = count()

HUMAN = {"label": "human", "value": "Her name is Ada."}


@asynccontextmanager
async def everything_closed() -> AsyncIterator[None]:
    """Closes what a run opens in the event loop, but for the connections to the database."""
    try:
        yield
    finally:
        await connections().aclose()
        await close_sandbox()


async def make_agent(
    answers: Sequence[Scripted] = (), *, blocks: Sequence[dict[str, Any]] = (HUMAN,), **fields: Any
) -> Agent:
    """An agent that plays ``answers``, with no tools but those given by name."""
    name = f"t{next(_numbers)}"
    script(name, answers)
    new = NewAgent(**{"model": f"scripted/{name}", "memory_blocks": blocks, "include_base_tools": False, **fields})
    return await sync_to_async(agents.create)(new)


async def play(agent: Agent, answers: Sequence[Scripted]) -> Script:
    """Gives the agent's model new answers, from the beginning."""
    return script(agent.model.removeprefix("scripted/"), answers)


async def make_tool(source: str, **fields: Any) -> Tool:
    return await sync_to_async(tools.upsert)({"source_code": source, **fields})


def text(words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": words}]


async def said(agent: Agent, *texts: str, conversation_id: str | None = None, **options: Any) -> str:
    """Sends a message for each of ``texts``; gives the id of the run that is to answer them."""
    inputs = [Input("user", text(words)) for words in texts]
    sent = await send(agent.id, inputs, conversation_id=conversation_id, options=RunOptions(**options))
    return sent.run_id


async def say(agent: Agent, *texts: str, conversation_id: str | None = None, **options: Any) -> RunOutcome:
    """Sends messages and executes their run to its end."""
    run_id = await said(agent, *texts, conversation_id=conversation_id, **options)
    await execute(agent.id, run_id, conversation_id, 1)
    return await outcome(run_id)


async def events(agent: Agent, kind: type[AnyEvent] | None = None) -> list[AnyEvent]:
    """All that the agent's stream tells, or what of it is of one kind."""
    found: list[AnyEvent] = []
    after = 0
    while batch := await read(agent.id, after):
        found += [stored.event for stored in batch]
        after = batch[-1].seq
    return [event for event in found if kind is None or isinstance(event, kind)]


async def in_context(agent: Agent, conversation_id: str | None = None) -> list[Message]:
    """The messages that the next request of a thread will hold, waiting ones left out."""
    rows = Message.objects.filter(agent=agent, conversation=conversation_id, context_position__gt=0)
    return [row async for row in rows.order_by("context_position", "seq")]


async def value_of(agent: Agent, label: str = "human") -> str:
    return (await Block.objects.aget(agent_links__agent=agent, label=label)).value


def spoken(message: Message | dict[str, Any]) -> str:
    content = message["content"] if isinstance(message, dict) else message.content
    return "".join(part.get("text", "") for part in content)


def last_words(request: ModelRequest) -> str:
    return request.messages[-1].text
