"""Who wrote a block, and why; any two of its versions; and its own pages, which follow what others do."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from django.utils.html import strip_tags

from ade.block_consumers import BlockConsumer, BlocksConsumer
from agents_core.actions import agents, blocks, deletions
from agents_core.actions.messages import CallAnswer, Input, RunOptions, send
from agents_core.actions.new_agent import NewAgent
from agents_core.llm.providers.scripted import Answer, script
from agents_core.memory.causes import causes
from agents_core.models import Agent, Author, Block, BlockVersion, Message, Step
from agents_core.runtime.loop import execute
from tests.ade.tended import companion_of, human, make_tended, replacing, speak, tend
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """One that notes where a person lives when it is told."""
    note = ("core_memory_append", {"label": "human", "content": "Lives in Porto."})
    script("notes", [Answer(calls=[note]), "Noted.", "Yes."])
    return agents.create(
        NewAgent(
            name="Notes",
            model="scripted/notes",
            tools=["core_memory_append"],
            include_base_tools=False,
            memory_blocks=[{"label": "human", "value": "Name: Bo."}],
        )
    )


def tell(agent: Agent, *texts: str, **options: Any) -> None:
    inputs = [Input("user", [{"type": "text", "text": text}]) for text in texts]
    run_id = finish(send(agent.id, inputs, options=RunOptions(**options))).run_id
    finish(execute(agent.id, run_id, None, 1))


def panel(client: Client, agent: Agent, query: str = "") -> str:
    return client.get(f"/agents/{agent.id}/panels/blame?{query}").content.decode()


def words(page: str) -> str:
    return " ".join(strip_tags(page).split())


def cause_of(block: Block) -> Any:
    step = block.versions.latest("version").step
    assert step is not None
    return causes([step])[step.id]


# --- why ----------------------------------------------------------------------------------------------------------


def test_a_sentence_leads_to_its_step_and_to_the_message_that_caused_it(client: Client, agent: Agent) -> None:
    tell(agent, "I live in Porto.")
    message = Message.objects.get(agent=agent, role="user")
    for page in (panel(client, agent), panel(client, agent, "view=versions")):
        assert f'href="/agents/{agent.id}/steps/1">step 1</a>' in page
        assert f'href="/agents/{agent.id}/steps/1#{message.id}"' in page
        assert "because of “I live in Porto.”" in words(page)
    assert f'id="{message.id}"' in client.get(f"/agents/{agent.id}/steps/1").content.decode()


def test_of_several_messages_the_last_is_the_cause(agent: Agent) -> None:
    tell(agent, "Hello.", "I live in Porto.")
    assert cause_of(human(agent)).text == "I live in Porto."


def test_a_call_that_waited_is_caused_by_what_was_said_before_it(agent: Agent) -> None:
    rule = {"type": "requires_approval", "tool_name": "core_memory_append"}
    agents.modify(agent.id, {"tool_rules": [rule]})
    tell(agent, "I live in Porto.")
    waiting = Step.objects.get(agent=agent).calls.get()
    run_id = finish(send(agent.id, [], options=RunOptions(answers=[CallAnswer(waiting.call_id, approve=True)]))).run_id
    finish(execute(agent.id, run_id, None, 1))
    assert "Porto" in human(agent).value
    assert cause_of(human(agent)).text == "I live in Porto."
    later = Step.objects.filter(agent=agent).latest("number")
    assert later.run_id == run_id
    assert causes([later])[later.id].text == "I live in Porto."


def test_a_sleep_time_agents_edit_is_caused_by_what_the_tended_agent_was_told(builtin_tools: None) -> None:
    tended = make_tended()
    speak(tended, "I moved to Bremen.")
    tend(tended, replacing("Kiel", "Bremen"))
    cause = cause_of(human(tended))
    assert (cause.agent_id, cause.text) == (tended.id, "I moved to Bremen.")
    assert human(tended).versions.latest("version").agent_id == companion_of(tended).id


def test_without_its_message_a_step_has_no_cause_and_the_page_stands(client: Client, agent: Agent) -> None:
    tell(agent, "I live in Porto.")
    Message.objects.filter(agent=agent, role="user").delete()
    page = panel(client, agent)
    assert ">step 1</a>" in page
    assert "because of" not in page


def test_what_a_person_wrote_names_no_cause(client: Client, agent: Agent) -> None:
    blocks.modify(human(agent).id, {"value": "Name: Bo Berg."}, Author.PERSON)
    page = words(panel(client, agent))
    assert "you ·" in page
    assert "because of" not in page


def test_a_message_is_shown_as_text_and_not_as_markup(client: Client, agent: Agent) -> None:
    tell(agent, "<b>I live</b> in Porto.")
    assert "&lt;b&gt;I live" in panel(client, agent)


def test_what_a_person_restored_is_the_agents_again(client: Client, agent: Agent) -> None:
    tell(agent, "I live in Porto.")
    blocks.modify(human(agent).id, {"value": "Wrong."}, Author.PERSON)
    client.post(f"/agents/{agent.id}/blocks/{human(agent).id}/restore/2", {"seen": "3"})
    assert BlockVersion.objects.get(block=human(agent), version=4).restored == 2
    assert "because of “I live in Porto.”" in words(panel(client, agent))
    assert "back to v2" in panel(client, agent, "view=versions")


# --- two versions -------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared_both_ways(client: Client, agent: Agent) -> None:
    for value in ("Name: Bo Berg.", "Name: Al Berg."):
        blocks.modify(human(agent).id, {"value": value, "limit": len(value) + 90}, Author.PERSON)
    page = panel(client, agent, "view=versions&from=1&to=3")
    assert "<del>Bo</del><ins>Al Berg</ins>" in page
    assert "limit 100,000 → 104" in page
    assert "<del>Al Berg</del><ins>Bo</ins>" in panel(client, agent, "view=versions&from=3&to=1")
    assert "the same" in panel(client, agent, "view=versions&from=2&to=2")


@pytest.mark.parametrize(
    "query", ["from=1", "from=1&to=9", "from=x&to=1", "from=0&to=1", f"from=1&to={'9' * 40}", "from=%E2%85%A4&to=1"]
)
def test_versions_that_never_were_are_told_of(client: Client, agent: Agent, query: str) -> None:
    for page in (
        panel(client, agent, f"view=versions&{query}"),
        client.get(f"/blocks/{human(agent).id}/look?view=versions&{query}").content.decode(),
    ):
        assert "human has 1 to 1" in page


# --- the pages of blocks by themselves ----------------------------------------------------------------------------


@asynccontextmanager
async def opened(consumer: type[Any], panels: dict[str, str], **kwargs: str) -> AsyncIterator[ApplicationCommunicator]:
    scope = {"type": "websocket", "path": "/ws/blocks/", "query_string": b"", "url_route": {"kwargs": kwargs}}
    socket = ApplicationCommunicator(consumer.as_asgi(), scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(timeout=PATIENCE_S))["type"] == "websocket.accept"
    await socket.send_input({"type": "websocket.receive", "text": json.dumps({"panels": panels})})
    yield socket
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait(timeout=PATIENCE_S)


async def drawn(socket: ApplicationCommunicator) -> str:
    sent = json.loads((await socket.receive_output(timeout=PATIENCE_S))["text"])
    return "".join(each["html"] for each in sent["fragments"])


def followed(consumer: type[Any], panels: dict[str, str], action: Callable[[], Any], **kwargs: str) -> str:
    """What an open page is sent because of ``action``."""

    async def main() -> str:
        async with opened(consumer, panels, **kwargs) as socket:
            await drawn(socket)
            await sync_to_async(action)()
            return await drawn(socket)

    return finish(main())


def test_the_page_of_a_block_that_nobody_holds_follows_a_change(agent: Agent) -> None:
    team = blocks.create(label="team", value="We test.")
    page = followed(
        BlockConsumer,
        {"blame": "view=versions"},
        lambda: blocks.modify(team.id, {"value": "We ship."}, Author.API),
        block_id=team.id,
    )
    assert "&#10;We ship.</textarea>" in page
    assert "<del>test</del><ins>ship</ins>" in page


def test_the_page_of_a_block_names_a_new_holder_at_once(agent: Agent) -> None:
    team = blocks.create(label="team", value="We test.")
    page = followed(BlockConsumer, {"blame": ""}, lambda: blocks.attach(agent.id, team.id), block_id=team.id)
    assert ">Notes<" in page


def test_the_page_of_a_block_follows_what_an_agent_writes(agent: Agent) -> None:
    block = human(agent)
    inputs = [Input("user", [{"type": "text", "text": "I live in Porto."}])]

    async def main() -> str:
        async with opened(BlockConsumer, {"blame": ""}, block_id=block.id) as socket:
            await drawn(socket)
            sent = await send(agent.id, inputs)
            await execute(agent.id, sent.run_id, None, 1)
            return await drawn(socket)

    assert "because of “I live in Porto.”" in words(finish(main()))


def test_the_page_of_a_block_that_was_deleted_says_so(agent: Agent) -> None:
    team = blocks.create(label="team", value="We test.")
    page = followed(BlockConsumer, {"blame": ""}, lambda: blocks.delete(team.id), block_id=team.id)
    assert "This block was deleted" in page


def take(agent: Agent, team: Block) -> None:
    blocks.attach(agent.id, team.id)


def make_with(_: Agent, team: Block) -> None:
    agents.create(NewAgent(name="Third", model="offline/rules", block_ids=[team.id]))


def make_another(_: Agent, __: Block) -> None:
    blocks.create(label="fresh", value="Made just now.")


def change(_: Agent, team: Block) -> None:
    blocks.modify(team.id, {"value": "We ship."})


def lose_holder(_: Agent, __: Block) -> None:
    deletions.delete_agent(Agent.objects.get(name="Second").id)


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        (take, "Held by 2 agents"),
        (make_with, "Held by 2 agents"),
        (make_another, "Made just now."),
        (change, "We ship."),
        (lose_holder, '<td class="end num">0</td>'),
    ],
)
def test_the_list_of_blocks_follows_what_others_do(
    agent: Agent, action: Callable[[Agent, Block], Any], shown: str
) -> None:
    team = blocks.create(label="team", value="We test.")
    agents.create(NewAgent(name="Second", model="offline/rules", block_ids=[team.id]))
    assert shown in followed(BlocksConsumer, {"blocks": ""}, lambda: action(agent, team))


def test_the_list_of_blocks_follows_within_what_is_searched_for(agent: Agent) -> None:
    blocks.create(label="team", value="We test.")
    page = followed(BlocksConsumer, {"blocks": "q=ship"}, lambda: blocks.create(label="ships", value="We ship."))
    assert "We ship." in page
    assert "We test." not in page


@pytest.mark.parametrize("text", ["", "[]", "{", '{"panels": 1}', '{"panels": null}'])
def test_a_socket_that_talks_nonsense_is_closed(agent: Agent, text: str) -> None:
    async def main() -> int:
        async with opened(BlocksConsumer, {"blocks": ""}) as socket:
            await drawn(socket)
            await socket.send_input({"type": "websocket.receive", "text": text})
            return int((await socket.receive_output(timeout=PATIENCE_S))["code"])

    assert finish(main()) == 4400


@pytest.mark.parametrize("block_id", ["block-none", "☃", "x" * 3000])
def test_a_block_that_never_was_has_no_page(client: Client, builtin_tools: None, block_id: str) -> None:
    assert client.get(f"/blocks/{block_id}").status_code == 404
    assert client.get(f"/blocks/{block_id}/look").status_code == 404


def test_holders_of_a_block_are_told_when_another_agent_takes_it_and_lets_it_go(client: Client, agent: Agent) -> None:
    other = agents.create(NewAgent(name="Other", model="offline/rules"))
    shared = human(agent)
    before = Agent.objects.get(id=agent.id).event_seq
    blocks.attach(other.id, shared.id)
    blocks.detach(other.id, shared.id)
    told = agent.events.filter(seq__gt=before, type="block.changed").order_by("seq")
    assert [event.payload["change"] for event in told] == ["shared", "unshared"]
