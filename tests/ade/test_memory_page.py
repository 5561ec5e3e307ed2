"""What a person does to memory in the IDE: nobody is overwritten unseen, and other agents' memory is out of reach."""

import pytest
from django.test import Client

from agents_core.actions import agents, blocks
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Author, Block, Passage

pytestmark = pytest.mark.django_db(transaction=True)

BLOCKS = [{"label": "human", "value": "Name: Bo.", "limit": 100}]


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Owner", model="offline/rules", memory_blocks=BLOCKS))


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def save(client: Client, agent: Agent, block: Block, value: str, version: int) -> str:
    given = {"value": value, "limit": str(block.limit), "version": str(version)}
    return client.post(f"/agents/{agent.id}/blocks/{block.id}", given).content.decode()


def test_a_save_makes_a_version_of_the_persons(client: Client, agent: Agent) -> None:
    block = agent.blocks.get()
    save(client, agent, block, "Name: Bo. Likes tea.", 1)
    newest = block.versions.get(version=2)
    assert (newest.value, newest.author) == ("Name: Bo. Likes tea.", Author.PERSON)


def test_a_save_from_an_old_version_shows_both_and_offers_the_merge(client: Client, agent: Agent) -> None:
    block = agent.blocks.get()
    blocks.modify(block.id, {"value": "Name: Bo. Lives in Oslo."}, Author.AGENT)
    page = save(client, agent, block, "Name: Bo Berg.", 1)
    assert "while you were editing" in page
    assert "Name: Bo Berg. Lives in Oslo." in page
    block.refresh_from_db()
    assert block.value == "Name: Bo. Lives in Oslo."


def test_a_text_over_the_limit_is_refused_beside_the_field_and_kept_out(client: Client, agent: Agent) -> None:
    block = agent.blocks.get()
    assert "100 character limit" in save(client, agent, block, "x" * 101, 1)
    block.refresh_from_db()
    assert block.version == 1


def test_a_block_of_another_agent_is_not_found(client: Client, agent: Agent) -> None:
    other = agents.create(NewAgent(name="Other", model="offline/rules", memory_blocks=BLOCKS))
    foreign = other.blocks.get()
    answer = client.post(f"/agents/{agent.id}/blocks/{foreign.id}", {"value": "mine", "limit": "10", "version": "1"})
    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.value == "Name: Bo."


def test_a_label_that_the_agent_has_is_refused(client: Client, agent: Agent) -> None:
    answer = client.post(f"/agents/{agent.id}/blocks", {"label": "human", "limit": "10"})
    assert answer.status_code == 422
    assert "already" in answer["HX-Trigger"]


def test_undo_brings_the_older_text_back_as_a_new_version(client: Client, agent: Agent) -> None:
    block = agent.blocks.get()
    save(client, agent, block, "Wrong.", 1)
    client.post(f"/agents/{agent.id}/blocks/{block.id}/restore/1")
    block.refresh_from_db()
    assert (block.value, block.version) == ("Name: Bo.", 3)


def test_a_passage_is_inserted_found_by_its_words_and_deleted(client: Client, agent: Agent) -> None:
    client.post(f"/agents/{agent.id}/passages", {"text": "The key is under the blue pot.", "tags": "home, keys"})
    passage = Passage.objects.get()
    assert passage.tags == ["home", "keys"]
    assert "blue pot" in client.get(f"/agents/{agent.id}/panels/archival?q=where+is+the+key").content.decode()
    client.post(f"/agents/{agent.id}/passages/{passage.id}/delete")
    assert "blue pot" not in client.get(f"/agents/{agent.id}/panels/archival?q=key").content.decode()


@pytest.mark.parametrize("path", ["", "/memory", "/memory?block=human", "?main=runs&aside=recall&drawer=events"])
def test_the_pages_of_an_agent_are_whole_by_themselves(client: Client, agent: Agent, path: str) -> None:
    assert client.get(f"/agents/{agent.id}{path}").status_code == 200
