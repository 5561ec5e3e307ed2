"""The socket of an agent's pages: nothing that it draws for what a page has left, and nothing that a page lacks."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from ade.consumers import AgentConsumer
from agents_core.actions import agents, blocks, breakpoints, watches
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Author
from tests.ade.sockets import Page, opened
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """An agent one of whose blocks was edited last."""
    made = agents.create(
        NewAgent(name="Live", model="offline/rules", memory_blocks=[{"label": "human", "value": "Name: Bo."}])
    )
    blocks.modify(made.blocks.get().id, {"value": "Name: Bo Berg."}, Author.PERSON)
    return Agent.objects.get(id=made.id)


def with_page(agent: Agent, talk: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
    """``talk`` with a page that was drawn before the agent's newest event."""

    async def main() -> None:
        query = f"after={agent.event_seq - 1}"
        async with opened(AgentConsumer, f"/ws/agents/{agent.id}/", query, agent_id=agent.id) as page:
            await talk(page)

    finish(main())


def test_a_fragment_says_which_panel_it_is_of_and_what_that_was_drawn_for(agent: Agent) -> None:
    async def talk(page: Page) -> None:
        await page.tell({"core": "block=human", "recall": ""})
        message = await page.hear()
        assert message["seq"] == agent.event_seq
        [fragment] = message["fragments"]
        assert (fragment["panel"], fragment["params"]) == ("core", "block=human")
        assert "Name: Bo Berg." in fragment["html"]

    with_page(agent, talk)


def test_a_panel_that_arrived_is_drawn_anew_only_if_it_is_behind_the_stream(agent: Agent) -> None:
    async def talk(page: Page) -> None:
        await page.tell({"recall": ""})
        assert await page.drawn() == []
        await page.tell({"archival": "q=key"}, archival=agent.event_seq - 1)
        assert await page.drawn() == [("archival", "q=key")]
        # The same words searched for again: the answer may have been under way while an event went by.
        await page.tell({"archival": "q=key"}, archival=agent.event_seq - 1)
        assert await page.drawn() == [("archival", "q=key")]
        await page.tell({"archival": "q=lock"}, archival=agent.event_seq)
        await page.tell({"archival": "q=lock", "head": ""})
        assert await page.drawn() == [("head", "")]

    with_page(agent, talk)


def test_a_page_that_connects_again_gets_what_it_says_it_may_lack(agent: Agent) -> None:
    async def talk(page: Page) -> None:
        await page.tell({"recall": "q=a", "head": ""}, recall=0)
        assert await page.drawn() == [("recall", "q=a")]

    with_page(agent, talk)


def test_a_panel_that_cannot_be_drawn_does_not_end_the_connection(agent: Agent) -> None:
    async def talk(page: Page) -> None:
        await page.tell({"archival": "since=soon", "no-such-panel": ""})
        assert await page.drawn() == []
        await page.tell({"archival": "since=later", "core": "", "no-such-panel": "x"})
        assert await page.drawn() == [("core", "")]

    with_page(agent, talk)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"panels": 1}', '{"panels": {}, "arrived": {"core": "x"}}', '{"panels": {}, "arrived": 1}'],
)
def test_what_is_no_message_closes_the_connection(agent: Agent, text: str) -> None:
    async def talk(page: Page) -> None:
        await page.say(text)
        assert await page.hear_close() == 4400

    with_page(agent, talk)


@pytest.mark.parametrize("panel", ["watches", "breakpoints"])
def test_what_another_page_makes_for_all_agents_is_drawn_at_once(agent: Agent, panel: str) -> None:
    other = agents.create(NewAgent(name="Other", model="offline/rules"))

    def made() -> None:
        if panel == "watches":
            watches.create(other.id, "len(block.human)", everywhere=True)
        else:
            breakpoints.create(None, "expression", condition="len(block.human) > 3")

    async def talk(page: Page) -> None:
        await page.tell({panel: "", "recall": ""})
        await sync_to_async(made)()
        drawn: list[dict[str, Any]] = []
        while not drawn or "len(block.human)" not in drawn[0]["html"]:
            drawn = (await page.hear())["fragments"]
        assert [(each["panel"], each["params"]) for each in drawn] == [(panel, "")]

    with_page(agent, talk)
