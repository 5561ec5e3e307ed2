"""What every page tells of what happens elsewhere."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from lxml import html

from ade.consumers import AgentConsumer
from ade.notices import Notice, notices, notices_fragment
from ade.page_consumers import NoticesConsumer
from agents_core.actions import agents, approvals, deletions, proposals, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Pause, Run, RunStatus, Step
from agents_core.runtime.loop import execute
from tests.ade.tended import make_tended, propose
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20
ROLL = 'def roll() -> int:\n    """Roll."""\n    return 6\n'


def make(name: str, **settings: Any) -> Agent:
    made = NewAgent(name=name, model="offline/rules", memory_blocks=[{"label": "human", "value": ""}])
    agent = agents.create(made)
    return agents.modify(agent.id, settings) if settings else agent


def say(agent: Agent, text: str) -> str:
    run = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, run.run_id, None, 1))
    return run.run_id


def fail(agent: Agent) -> str:
    agents.modify(agent.id, {"model": "offline/no-such-model"})
    return say(agent, "Hi")


def asking() -> Agent:
    agent = make("asks")
    tools.attach(agent.id, tools.upsert({"source_code": ROLL}).id)
    tools.set_approval(agent.id, "roll", True)
    say(agent, "call roll")
    return agent


def told() -> list[tuple[str, str]]:
    return [(notice.kind, notice.agent_name) for notice in notices()]


def test_a_run_that_failed_is_told_with_the_reason_and_the_place(builtin_tools: None) -> None:
    agent = make("breaks")
    say(agent, "My name is Bo.")
    assert told() == []
    run_id = fail(agent)
    [notice] = notices()
    assert (notice.id, notice.kind, notice.agent_id) == (run_id, "failed", agent.id)
    assert "no-such-model" in notice.text
    assert notice.address == f"/agents/{agent.id}?main=runs&run={run_id}"


def test_a_budget_that_was_reached_is_told_as_one(builtin_tools: None) -> None:
    agent = make("spends", budgets={"max_run_tokens": 1})
    say(agent, "My name is Bo and I live in Porto.")
    assert told() == [("budget", "spends")]


def test_what_waits_for_an_answer_is_told_until_it_is_answered(builtin_tools: None) -> None:
    agent = asking()
    [notice] = notices()
    assert (notice.kind, notice.text, notice.address) == ("waiting", "roll", f"/agents/{agent.id}/steps/1")
    approvals.abandon(agent.id)
    assert told() == []


def test_a_proposal_is_told_until_it_is_decided(builtin_tools: None) -> None:
    agent = make_tended()
    proposal = propose(agent)
    [notice] = [notice for notice in notices() if notice.kind == "proposal"]
    assert (notice.id, notice.text) == (proposal.id, "human")
    proposals.decline(proposal.block_id, proposal.id)
    assert "proposal" not in {kind for kind, _ in told()}


def test_a_run_that_stands_at_a_breakpoint_is_told_with_the_reason(builtin_tools: None) -> None:
    agent = make("stops")
    run = Run.objects.get(id=say(agent, "Hi"))
    Run.objects.filter(id=run.id).update(status=RunStatus.PAUSED, completed_at=None)
    step = Step.objects.get(agent=agent)
    pause = Pause.objects.create(
        agent=agent, run=run, step=step, stage="request", reasons=[{"text": "before the model"}]
    )
    [notice] = notices()
    assert (notice.id, notice.kind, notice.text) == (pause.id, "paused", "before the model")
    assert notice.address == f"/agents/{agent.id}/steps/1"


def test_the_newest_comes_first_and_what_is_deleted_is_not_told(builtin_tools: None) -> None:
    first, second = make("first"), make("second")
    fail(first)
    fail(second)
    assert told() == [("failed", "second"), ("failed", "first")]
    deletions.delete_agent(second.id)
    assert told() == [("failed", "first")]


def test_each_kind_is_drawn_and_what_is_told_is_text(builtin_tools: None) -> None:
    agent = make("draws")
    Run.objects.filter(id=fail(agent)).update(error={"message": "<b>no</b>" * 100, "code": "x"})
    drawn = html.fromstring(notices_fragment().rendered()["html"])
    [row] = drawn.xpath("//li[@data-notice]")
    assert "<b>no</b>" in row.text_content()
    assert row.get("data-agent") == agent.id
    assert isinstance(notices()[0], Notice)


@asynccontextmanager
async def opened(consumer: Any, path: str, **kwargs: str) -> AsyncIterator[ApplicationCommunicator]:
    scope = {"type": "websocket", "path": path, "query_string": b"", "url_route": {"kwargs": kwargs}}
    socket = ApplicationCommunicator(consumer.as_asgi(), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=PATIENCE_S))["type"] == "websocket.accept"
    yield socket
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=PATIENCE_S)


async def hear(socket: ApplicationCommunicator) -> Any:
    return json.loads((await socket.receive_output(timeout=PATIENCE_S))["text"])


def test_open_pages_hear_of_a_failure_once(builtin_tools: None) -> None:
    agent = make("breaks")

    async def story() -> None:
        async with opened(NoticesConsumer, "/ws/notices/") as socket:
            assert agent.id not in json.dumps(await hear(socket))
            sent = await send(agent.id, [Input("user", [{"type": "text", "text": "Hi"}])])
            await execute(agent.id, sent.run_id, None, 1)
            assert sent.run_id in json.dumps(await hear(socket))
            assert await socket.receive_nothing(timeout=1.5)

    agents.modify(agent.id, {"model": "offline/no-such-model"})
    finish(story())


def test_a_page_of_an_agent_that_was_deleted_is_told_so(builtin_tools: None) -> None:
    agent = make("gone")

    async def story() -> None:
        await sync_to_async(deletions.delete_agent)(agent.id)
        async with opened(AgentConsumer, f"/ws/agents/{agent.id}/", agent_id=agent.id) as socket:
            await socket.send_input({"type": "websocket.receive", "text": json.dumps({"panels": {"head": ""}})})
            assert (await hear(socket)).get("gone") is True

    finish(story())
