"""Agents that speak to each other, in the trace: who sent what was said, and for whom a call waits."""

import asyncio
from typing import Any

import pytest
from lxml import html

from ade.panels.base import bind
from agents_core.actions import agents, deletions
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.llm.providers.scripted import Answer, script
from agents_core.models import Agent, Run, Step, ToolCall
from agents_core.runtime.loop import execute
from tests.ade.patching import assert_patched_equals_reloaded
from tests.ade.tended import companion_of, make_tended, speak, tend
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

ASK, TELL, TAGGED = (
    "send_message_to_agent_and_wait_for_reply",
    "send_message_to_agent_async",
    "send_message_to_agents_matching_tags",
)


@pytest.fixture
def other(builtin_tools: None) -> Agent:
    script("listener", ["I heard."])
    return agents.create(NewAgent(name="Bea", model="scripted/listener", tags=["team"]))


def speaker(name: str, *arguments: dict[str, Any], tool: str = TELL) -> Agent:
    calls = [(tool, given) for given in arguments]
    script(name, [Answer(calls=calls), "Done."])
    return agents.create(NewAgent(name=name, model=f"scripted/{name}", tools=[ASK, TELL, TAGGED]))


def queue(agent: Agent) -> str:
    return finish(send(agent.id, [Input("user", [{"type": "text", "text": "Go"}])])).run_id


def say(agent: Agent) -> None:
    finish(execute(agent.id, queue(agent), None, 1))


def page(agent: Agent) -> html.HtmlElement:
    return html.fragment_fromstring(bind("trace", Agent.objects.get(id=agent.id), {}).render())


def origin(agent: Agent) -> tuple[str, str]:
    [label] = page(agent).find_class("from")
    [link] = label.findall("a") or [label]
    return " ".join(label.text_content().split()), link.get("href", "")


def test_a_message_of_an_agent_leads_to_the_step_that_sent_it(other: Agent) -> None:
    agent = speaker("Ada", {"message": "News!", "other_agent_id": other.id})
    say(agent)
    number = Step.objects.filter(agent=agent).order_by("number")[0].number
    assert origin(other) == (f"from Ada · step {number}", f"/agents/{agent.id}/steps/{number}")
    assert not page(agent).find_class("from")


def test_of_two_calls_each_message_leads_to_its_own(other: Agent) -> None:
    agent = speaker("Ada", {"message": "News!", "other_agent_id": other.id})
    say(agent)
    script("Ada", [Answer(calls=[(TELL, {"message": "More!", "other_agent_id": other.id})]), "Done."])
    say(agent)
    links = [link.get("href") for label in page(other).find_class("from") for link in label.findall("a")]
    sent = ToolCall.objects.filter(agent=agent).order_by("step__number").values_list("step__number", flat=True)
    assert links == [f"/agents/{agent.id}/steps/{number}" for number in sent]
    assert len(set(links)) == 2


def test_a_message_of_an_agent_that_is_gone_says_so(other: Agent) -> None:
    agent = speaker("Ada", {"message": "News!", "other_agent_id": other.id})
    say(agent)
    deletions.delete_agent(agent.id)
    assert origin(other) == ("from an agent that is gone", "")


def test_what_a_sleep_time_agent_is_shown_leads_to_the_turn_that_called_it(builtin_tools: None) -> None:
    agent = make_tended()
    speak(agent)
    tend(agent)
    run = Run.objects.get(agent=agent)
    assert origin(companion_of(agent)) == ("from Tended", f"/agents/{agent.id}#turn-{run.id}")


# --- waiting ------------------------------------------------------------------------------------------------------


def wait(agent: Agent) -> None:
    """Has the agent ask another one, which has no worker, and its worker die while it waits."""
    run_id = queue(agent)

    async def until_it_waits() -> None:
        task = asyncio.create_task(execute(agent.id, run_id, None, 1))
        async with asyncio.timeout(20):
            while not await Run.objects.filter(id=run_id, waits__isnull=False).aexists():
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    finish(until_it_waits())


@pytest.mark.parametrize(
    ("tool", "arguments"), [(ASK, {}), (TAGGED, {"match_all": ["team"], "match_some": []})], ids=["one", "by tag"]
)
def test_a_call_that_waits_says_for_whom(other: Agent, tool: str, arguments: dict[str, Any]) -> None:
    asked = {"message": "Well?", **(arguments or {"other_agent_id": other.id})}
    agent = speaker("Asker", asked, tool=tool)
    assert_patched_equals_reloaded(agent.id, [("trace", {})], lambda: wait(agent))
    [line] = [line for line in page(agent).find_class("ev") if "for the answer of" in line.text_content()]
    assert "for the answer of Bea" in line.text_content()
    awaited = Run.objects.get(agent=other)
    assert [link.get("href") for link in line.iter("a")] == [f"/agents/{other.id}#turn-{awaited.id}"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (ASK, {}),
        (ASK, {"other_agent_id": None}),
        (ASK, {"other_agent_id": ["agent-x"]}),
        (ASK, {"other_agent_id": "☃"}),
        (ASK, {"other_agent_id": "x" * 100_000}),
        (TAGGED, {"match_all": "team", "match_some": 3}),
        (TAGGED, {"match_all": [None, {}], "match_some": []}),
        (TAGGED, {"match_all": ["☃"], "match_some": [["team"]]}),
    ],
)
def test_a_call_with_strange_arguments_is_drawn(other: Agent, tool: str, arguments: dict[str, Any]) -> None:
    agent = speaker("Ada", {"message": "News!", "other_agent_id": other.id})
    say(agent)
    ToolCall.objects.filter(agent=agent).update(status="intended", name=tool, arguments=arguments)
    assert "running…" in page(agent).text_content()
