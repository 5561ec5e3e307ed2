"""What sleep-time agents propose for blocks under review: shown where the block is edited, and decided there."""

import pytest
from django.test import Client
from django.utils.html import strip_tags

from agents_core.actions import blocks, proposals
from agents_core.models import Agent, Author, Block
from tests.ade.tended import companion_of, human, make_tended, propose, review

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return make_tended()


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def panel(client: Client, agent: Agent, slug: str = "core", query: str = "") -> str:
    return client.get(f"/agents/{agent.id}/panels/{slug}?{query}").content.decode()


def decide(client: Client, address: str, proposal_id: str, what: str) -> str:
    answer = client.post(f"{address}/proposals/{proposal_id}/{what}")
    assert answer.status_code == 200
    return answer.content.decode()


def edit(agent: Agent, value: str) -> None:
    blocks.modify(human(agent).id, {"value": value}, Author.PERSON)


def test_a_proposal_says_who_made_it_where_and_what_it_would_change(client: Client, agent: Agent) -> None:
    proposal, companion = propose(agent), companion_of(agent)
    for page in (panel(client, agent), panel(client, agent, query="page=1&block=human")):
        assert "<del>Kiel</del><ins>Bremen</ins>" in page
        assert f"{companion.name}</a> proposes" in page
        assert f"/agents/{companion.id}/steps/1" in page
        assert f"/proposals/{proposal.id}/accept" in page
    assert "1 proposal" in strip_tags(panel(client, agent, "outline"))


def test_accepting_writes_it_beside_what_was_changed_since(client: Client, agent: Agent) -> None:
    proposal = propose(agent)
    edit(agent, "Her name is Eva. She lives in Kiel.")
    assert "<del>Kiel</del><ins>Bremen</ins>" in panel(client, agent)
    assert "Eva" in human(agent).value
    page = decide(client, f"/agents/{agent.id}/blocks/{human(agent).id}", proposal.id, "accept")
    assert human(agent).value == "Her name is Eva. She lives in Bremen."
    assert "proposes" not in page
    assert "1 proposal" not in strip_tags(panel(client, agent, "outline"))
    assert "accepted" in panel(client, agent, "blame", "view=proposals")


def test_declining_leaves_the_block(client: Client, agent: Agent) -> None:
    proposal = propose(agent)
    page = decide(client, f"/agents/{agent.id}/blocks/{human(agent).id}", proposal.id, "decline")
    assert "Kiel" in human(agent).value
    assert "proposes" not in page
    assert "declined" in panel(client, agent, "blame", "view=proposals")


def test_one_that_clashes_says_so_and_cannot_be_accepted_unchosen(client: Client, agent: Agent) -> None:
    proposal = propose(agent)
    edit(agent, "Her name is Ada. She lives in Lisbon.")
    page = panel(client, agent)
    assert "changed in the same words since" in page
    assert "Accept as chosen" in page
    assert f"/proposals/{proposal.id}/decline" in page
    answer = client.post(f"/agents/{agent.id}/blocks/{human(agent).id}/proposals/{proposal.id}/accept")
    assert "same words" in answer["HX-Trigger"]
    assert '"tone": "bad"' in answer["HX-Trigger"]
    assert "changed in the same words since" in answer.content.decode()
    assert "Lisbon" in human(agent).value


@pytest.mark.parametrize(
    ("choice", "left", "author"),
    [
        ("theirs", "Her name is Ada. She lives in Lisbon.", Author.PERSON),
        ("mine", "Her name is Ada. She lives in Bremen.", Author.SLEEPTIME),
        ("both", "Her name is Ada. She lives in Lisbon Bremen.", Author.SLEEPTIME),
    ],
)
def test_one_that_clashes_is_accepted_as_chosen(
    client: Client, agent: Agent, choice: str, left: str, author: Author
) -> None:
    proposal = propose(agent)
    edit(agent, "Her name is Ada. She lives in Lisbon.")
    block = human(agent)
    address = f"/agents/{agent.id}/blocks/{block.id}/proposals/{proposal.id}/accept"
    client.post(address, {"hunk-0": choice, "seen": str(block.version)})
    assert human(agent).value == left
    assert block.versions.latest("version").author == author
    assert "proposes" not in panel(client, agent)


def test_what_was_chosen_before_the_block_changed_again_is_not_written(client: Client, agent: Agent) -> None:
    proposal = propose(agent)
    edit(agent, "Her name is Ada. She lives in Lisbon.")
    seen = human(agent).version
    edit(agent, "Her name is Ada. She lives in Faro.")
    address = f"/agents/{agent.id}/blocks/{human(agent).id}/proposals/{proposal.id}/accept"
    answer = client.post(address, {"hunk-0": "mine", "seen": str(seen)})
    assert "choose again" in answer["HX-Trigger"]
    assert "Faro" in human(agent).value


def test_one_that_would_be_too_long_says_by_how_much(client: Client, agent: Agent) -> None:
    propose(agent, "Kiel", "Kiel, by the sea, in a house with a garden")
    block = human(agent)
    blocks.modify(block.id, {"limit": len(block.value)})
    assert "over its limit" in panel(client, agent)
    blocks.modify(block.id, {"limit": 500})
    assert "over its limit" not in panel(client, agent)


def test_one_that_was_decided_before_says_so(client: Client, agent: Agent) -> None:
    proposal, address = propose(agent), f"/agents/{agent.id}/blocks/{human(agent).id}"
    proposals.decline(human(agent).id, proposal.id)
    for what in ("accept", "decline"):
        answer = client.post(f"{address}/proposals/{proposal.id}/{what}")
        assert answer.status_code == 200
        assert "declined already" in answer["HX-Trigger"]


def test_the_page_of_the_block_decides_too(client: Client, agent: Agent) -> None:
    proposal, block = propose(agent), human(agent)
    assert f"/blocks/{block.id}/proposals/{proposal.id}/accept" in client.get(f"/blocks/{block.id}").content.decode()
    client.post(f"/blocks/{block.id}/proposals/{proposal.id}/accept")
    assert "Bremen" in human(agent).value


def test_proposals_of_other_agents_and_none_are_out_of_reach(client: Client, agent: Agent) -> None:
    proposal, block = propose(agent), human(agent)
    other = make_tended("Other")
    for address in (
        f"/agents/{other.id}/blocks/{block.id}/proposals/{proposal.id}",
        f"/agents/{other.id}/blocks/{human(other).id}/proposals/{proposal.id}",
        f"/blocks/{human(other).id}/proposals/{proposal.id}",
        f"/agents/{agent.id}/blocks/{block.id}/proposals/proposal-none",
        f"/agents/{agent.id}/blocks/{block.id}/proposals/%E2%98%83{'x' * 3000}",
        f"/agents/{agent.id}/blocks/{block.id}/proposals/a%00b",
        "/blocks/block-none/proposals/x",
    ):
        for what in ("accept", "decline"):
            assert client.post(f"{address}/{what}").status_code == 404, address
    assert client.get(f"/blocks/{block.id}/proposals/{proposal.id}/accept").status_code == 405
    assert "Kiel" in human(agent).value


# --- review -------------------------------------------------------------------------------------------------------


def save(client: Client, agent: Agent, **changes: str) -> str:
    block: Block = human(agent)
    given = {"label": "human", "limit": "100", "value": block.value, "version": str(block.version), **changes}
    return client.post(f"/agents/{agent.id}/blocks/{block.id}/save", given).content.decode()


def test_a_block_is_put_under_review_and_taken_out_of_it(client: Client, agent: Agent) -> None:
    assert 'name="review" value="1" checked' in save(client, agent, review="1")
    assert human(agent).review
    assert 'name="review" value="1" checked' not in save(client, agent, was_review="1")
    assert not human(agent).review


def test_a_form_that_does_not_touch_review_leaves_what_somebody_else_set(client: Client, agent: Agent) -> None:
    review(agent)
    save(client, agent, value="She is from Kiel.")
    assert human(agent).review


def test_review_is_kept_through_a_conflict(client: Client, agent: Agent) -> None:
    block = human(agent)
    edit(agent, "Her name is Eva. She lives in Kiel.")
    mine = {"review": "1", "value": "Her name is Ada. She lives in Bonn.", "version": str(block.version)}
    assert "changed this block while you were editing" in save(client, agent, **mine)
    given = {"label": "human", "limit": "100", **mine, "choice": "merge", "seen": str(human(agent).version)}
    client.post(f"/agents/{agent.id}/blocks/{block.id}/resolve", given)
    assert human(agent).value == "Her name is Eva. She lives in Bonn."
    assert human(agent).review
