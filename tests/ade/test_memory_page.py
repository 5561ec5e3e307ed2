"""What a person does to memory in the IDE: nobody is overwritten unseen, and other agents' memory is out of reach."""

import re

import pytest
from django.test import Client
from django.utils.html import escape, strip_tags

from ade.panels.outline import asking
from agents_core.actions import agents, archives, blocks, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.memory.archival.base import PassageDraft
from agents_core.models import Agent, Author, Block, MemorySearch, Passage, Tool
from agents_core.runtime.loop import execute
from tests.ade.patching import as_served
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

BLOCKS = [{"label": "human", "value": "Name: Bo.", "limit": 100}]


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Owner", model="offline/rules", memory_blocks=BLOCKS))


@pytest.fixture
def other(builtin_tools: None) -> Agent:
    return agents.create(NewAgent(name="Other", model="offline/rules", memory_blocks=BLOCKS))


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def block_of(agent: Agent) -> Block:
    return agent.blocks.get()


def form(block: Block, value: str, version: int, **changes: str) -> dict[str, str]:
    """What the editor of a block sends."""
    kept = {"label": block.label, "limit": str(block.limit), "description": block.description or ""}
    return {**kept, "value": value, "version": str(version), **changes}


def save(client: Client, agent: Agent, value: str, version: int, **changes: str) -> str:
    block = block_of(agent)
    given = form(block, value, version, **changes)
    return client.post(f"/agents/{agent.id}/blocks/{block.id}/save", given).content.decode()


def resolve(client: Client, agent: Agent, choice: str, value: str, version: int, seen: int) -> str:
    block = block_of(agent)
    given = form(block, value, version, choice=choice, seen=str(seen))
    return client.post(f"/agents/{agent.id}/blocks/{block.id}/resolve", given).content.decode()


def insert(agent: Agent, text: str, *tags: str) -> Passage:
    archive = archives.own_archive(agent.id)
    [stored] = finish(archives.insert(archive, [PassageDraft(archive.id, text, tags=list(tags))]))
    return stored


def returned(search: MemorySearch) -> list[str]:
    return [candidate["id"] for candidate in search.candidates if candidate["returned"]]


# --- saving a block -----------------------------------------------------------------------------------------------


def test_a_save_makes_a_version_of_the_persons(client: Client, agent: Agent) -> None:
    page = save(client, agent, "Name: Bo.\r\nLikes tea.", 1)
    newest = block_of(agent).versions.get(version=2)
    assert (newest.value, newest.author) == ("Name: Bo.\nLikes tea.", Author.PERSON)
    assert 'data-version="2"' in page


@pytest.mark.parametrize("text", ["\nA line.", "  Indented.\n  Twice.\n", "</textarea><b>", ""])
def test_a_text_is_saved_as_it_stands_in_the_editor(client: Client, agent: Agent, text: str) -> None:
    save(client, agent, text, 1)
    page = client.get(f"/agents/{agent.id}/panels/core").content.decode()
    # Of a text box the browser drops the first line break.
    assert f"&#10;{escape(text)}</textarea>" in page
    assert block_of(agent).value == text


def test_the_other_fields_of_a_block_are_saved_with_its_text(client: Client, agent: Agent) -> None:
    save(client, agent, "Name: Bo.", 1, label="person", limit="50", description="Who.", read_only="1")
    block = block_of(agent)
    assert (block.label, block.limit, block.description, block.read_only) == ("person", 50, "Who.", True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"value": "x" * 101}, "100 character limit"),
        ({"value": "x\x00"}, "Null characters"),
        ({"limit": "many"}, "whole number"),
        ({"limit": "0"}, "at least one"),
        ({"limit": "9" * 30}, "at most"),
        ({"label": "  "}, "needs a label"),
        ({"version": "latest"}, "load the page again"),
        ({"version": "9" * 30}, "load the page again"),
    ],
)
def test_what_cannot_be_saved_is_told_beside_the_text_which_stays(
    client: Client, agent: Agent, changes: dict[str, str], told: str
) -> None:
    block = block_of(agent)
    given = form(block, "Name: Bo.", 1) | changes
    answer = client.post(f"/agents/{agent.id}/blocks/{block.id}/save", given)
    assert (answer.status_code, answer["HX-Retarget"]) == (422, f"#conflict-{block.id}")
    assert told in answer.content.decode()
    assert block_of(agent).version == 1


# --- when somebody else was first ---------------------------------------------------------------------------------


def test_a_save_from_an_old_version_shows_both_and_offers_the_merge(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Bo. Lives in Oslo."}, Author.AGENT)
    page = save(client, agent, "Name: Bo Berg.", 1)
    assert "The agent changed this block while you were editing" in page
    assert "Merge" in page
    assert block_of(agent).value == "Name: Bo. Lives in Oslo."


def test_a_merge_holds_the_changes_of_both(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Bo. Lives in Oslo."}, Author.AGENT)
    resolve(client, agent, "merge", "Name: Bo Berg.", version=1, seen=2)
    assert block_of(agent).value == "Name: Bo Berg. Lives in Oslo."


def test_a_merge_takes_the_other_fields_that_only_they_changed(client: Client, agent: Agent) -> None:
    given = form(block_of(agent), "Name: Bo Berg.", 1)
    blocks.modify(block_of(agent).id, {"limit": 90, "description": "Who."}, Author.AGENT)
    block = block_of(agent)
    client.post(f"/agents/{agent.id}/blocks/{block.id}/resolve", given | {"choice": "merge", "seen": "2"})
    block = block_of(agent)
    assert (block.value, block.limit, block.description) == ("Name: Bo Berg.", 90, "Who.")


def test_the_same_words_changed_twice_offer_no_merge(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Al."}, Author.AGENT)
    page = save(client, agent, "Name: Cy.", 1)
    for shown in (page, resolve(client, agent, "merge", "Name: Cy.", version=1, seen=2)):
        assert "1 place that both changed: choose" in shown
        assert '"merge"' not in shown
    assert block_of(agent).value == "Name: Al."


def chosen(client: Client, agent: Agent, path: str, value: str, **choices: str) -> str:
    """What is answered when a person has chosen in the card that a save from version 1 showed."""
    block = block_of(agent)
    card = save(client, agent, value, 1)
    [mark] = re.findall(r'name="hunks" value="(\w+)"', card)
    given = form(block, value, 1, choice="merge", seen=str(block.version), hunks=mark) | choices
    return client.post(f"/agents/{agent.id}/blocks/{block.id}/{path}", given).content.decode()


@pytest.mark.parametrize(
    ("choice", "left"),
    [("theirs", "Name: Al."), ("mine", "Name: Cy."), ("both", "Name: Al Cy.")],
)
def test_at_each_place_that_both_changed_a_person_chooses(client: Client, agent: Agent, choice: str, left: str) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Al."}, Author.AGENT)
    choices = {"hunk-0": choice}
    offered = chosen(client, agent, "check", "Name: Cy.", **choices)
    assert '"merge"' in offered
    assert f'value="{choice}"' in re.findall(r"<input[^>]* checked>", offered)[0]
    assert block_of(agent).version == 2
    chosen(client, agent, "resolve", "Name: Cy.", **choices)
    assert block_of(agent).value == left


def test_what_only_one_changed_can_be_left_out_of_the_merge(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Bo. Lives in Oslo."}, Author.AGENT)
    choices = {"hunk-1": "mine"}
    chosen(client, agent, "resolve", "Name: Cy.", **choices)
    assert block_of(agent).value == "Name: Cy."


def test_a_field_that_both_changed_is_chosen_too(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Al.", "limit": 90}, Author.AGENT)
    given: dict[str, str] = {"limit": "80", "hunk-0": "theirs"}
    card = chosen(client, agent, "resolve", "Name: Cy.", **given)
    assert "limit" in card
    assert block_of(agent).version == 2
    chosen(client, agent, "resolve", "Name: Cy.", **given, **{"field-limit": "mine"})
    assert (block_of(agent).value, block_of(agent).limit) == ("Name: Al.", 80)


def test_what_was_chosen_for_other_words_is_not_carried_over(client: Client, agent: Agent) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Al."}, Author.AGENT)
    given = form(block_of(agent), "Name: Dee.", 1, choice="merge", seen="2", hunks="0" * 16) | {"hunk-0": "mine"}
    block = block_of(agent)
    page = client.post(f"/agents/{agent.id}/blocks/{block.id}/resolve", given).content.decode()
    assert "1 place that both changed: choose" in page
    assert block_of(agent).value == "Name: Al."


@pytest.mark.parametrize(("choice", "left"), [("mine", "Name: Cy."), ("theirs", "Name: Al.")])
def test_a_person_keeps_one_of_both(client: Client, agent: Agent, choice: str, left: str) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Al."}, Author.AGENT)
    page = resolve(client, agent, choice, "Name: Cy.", version=1, seen=2)
    assert block_of(agent).value == left
    assert f"&#10;{left}</textarea>" in page


@pytest.mark.parametrize("choice", ["merge", "mine"])
def test_a_change_after_the_conflict_was_shown_is_shown_in_its_turn(client: Client, agent: Agent, choice: str) -> None:
    blocks.modify(block_of(agent).id, {"value": "Name: Bo. Old."}, Author.AGENT)
    blocks.modify(block_of(agent).id, {"value": "Name: Bo. Older."}, Author.AGENT)
    page = resolve(client, agent, choice, "Name: Bo Berg.", version=1, seen=2)
    assert "while you were editing" in page
    assert block_of(agent).value == "Name: Bo. Older."


def test_a_check_tells_of_a_change_and_stores_nothing(client: Client, agent: Agent) -> None:
    block = block_of(agent)
    address, given = f"/agents/{agent.id}/blocks/{block.id}/check", form(block, "Name: Bo Berg.", 1)
    assert client.post(address, given).content == b""
    blocks.modify(block.id, {"value": "Name: Bo. Lives in Oslo."}, Author.AGENT)
    assert "while you were editing" in client.post(address, given).content.decode()
    assert block_of(agent).version == 2


# --- versions -----------------------------------------------------------------------------------------------------


def test_undo_brings_the_older_text_back_as_a_new_version(client: Client, agent: Agent) -> None:
    block = block_of(agent)
    save(client, agent, "Wrong.", 1)
    client.post(f"/agents/{agent.id}/blocks/{block.id}/restore/1", {"seen": "2"})
    block.refresh_from_db()
    assert (block.value, block.version) == ("Name: Bo.", 3)


def test_a_version_is_not_restored_over_a_change_that_was_not_seen(client: Client, agent: Agent) -> None:
    block = block_of(agent)
    save(client, agent, "Wrong.", 1)
    blocks.modify(block.id, {"value": "Right."}, Author.AGENT)
    assert client.post(f"/agents/{agent.id}/blocks/{block.id}/restore/1", {"seen": "2"}).status_code == 409
    assert block_of(agent).value == "Right."


@pytest.mark.parametrize("version", [7, 10**20])
def test_a_version_that_never_was_is_not_found(client: Client, agent: Agent, version: int) -> None:
    block = block_of(agent)
    assert client.post(f"/agents/{agent.id}/blocks/{block.id}/restore/{version}").status_code == 404


# --- blocks of an agent -------------------------------------------------------------------------------------------


def test_a_new_block_is_the_agents(client: Client, agent: Agent) -> None:
    client.post(f"/agents/{agent.id}/blocks/new", {"label": "notes", "limit": "10", "value": "x"})
    assert agent.blocks.get(label="notes").value == "x"


def test_a_label_that_the_agent_has_is_refused(client: Client, agent: Agent) -> None:
    answer = client.post(f"/agents/{agent.id}/blocks/new", {"label": "human", "limit": "10"})
    assert answer.status_code == 422
    assert "already" in answer["HX-Trigger"]
    assert Block.objects.count() == 1


def test_the_memory_page_moves_to_a_block_that_came(client: Client, agent: Agent) -> None:
    page = {"HX-Current-URL": f"http://testserver/agents/{agent.id}/memory"}
    answer = client.post(f"/agents/{agent.id}/blocks/new", {"label": "notes", "limit": "10"}, headers=page)
    made = agent.blocks.get(label="notes")
    assert answer["HX-Redirect"] == f"/agents/{agent.id}/memory?block={made.id}"


def test_a_block_of_another_agent_is_offered_shared_and_detached(client: Client, agent: Agent, other: Agent) -> None:
    team = blocks.create(label="team", value="We test.")
    blocks.attach(other.id, team.id)
    offered = client.get(f"/agents/{agent.id}/blocks?q=test").content.decode()
    assert team.id in offered
    client.post(f"/agents/{agent.id}/blocks/{team.id}/attach")
    assert agent.blocks.filter(id=team.id).exists()
    assert team.id not in client.get(f"/agents/{agent.id}/blocks?q=test").content.decode()
    client.post(f"/agents/{agent.id}/blocks/{team.id}/detach")
    assert not agent.blocks.filter(id=team.id).exists()
    assert other.blocks.filter(id=team.id).exists()


@pytest.mark.parametrize("verb", ["save", "check", "resolve", "restore/1", "detach"])
def test_a_block_of_another_agent_is_not_found(client: Client, agent: Agent, other: Agent, verb: str) -> None:
    foreign = block_of(other)
    given = form(foreign, "mine", 1, choice="mine", seen="1")
    assert client.post(f"/agents/{agent.id}/blocks/{foreign.id}/{verb}", given).status_code == 404
    foreign.refresh_from_db()
    assert (foreign.value, other.blocks.count()) == ("Name: Bo.", 1)


# --- blocks by themselves -----------------------------------------------------------------------------------------


def test_a_block_that_nobody_holds_is_made_saved_and_deleted(client: Client, agent: Agent) -> None:
    made = client.post("/blocks/new", {"label": "team", "limit": "50", "value": "We test."})["HX-Redirect"]
    assert "No agent yet" in client.get(made).content.decode()
    saved = client.post(f"{made}/save", {"label": "team", "limit": "50", "value": "We ship.", "version": "1"})
    assert 'data-version="2"' in saved.content.decode()
    page = client.get(f"{made}?view=versions").content.decode()
    assert "We ship." in page
    assert "Restore version 1" in page
    assert client.post(f"{made}/delete")["HX-Redirect"] == "/blocks"
    assert client.get(made).status_code == 404


def test_a_conflict_over_a_block_by_itself_ends_at_its_page(client: Client, agent: Agent) -> None:
    block = blocks.create(label="team", value="We test.", limit=50)
    blocks.modify(block.id, {"value": "We ship."}, Author.API)
    given = form(block, "We rest.", 1)
    assert "Somebody changed this block" in client.post(f"/blocks/{block.id}/save", given).content.decode()
    answer = client.post(f"/blocks/{block.id}/resolve", given | {"choice": "mine", "seen": "2"})
    assert "&#10;We rest.</textarea>" in answer.content.decode()
    block.refresh_from_db()
    assert (block.value, block.version) == ("We rest.", 3)


def test_the_list_of_blocks_finds_all_words_in_any_field(client: Client, agent: Agent) -> None:
    blocks.create(label="team", value="We ship on Friday.", description="Rules")
    blocks.create(label="secret", value="We ship on Friday.", hidden=True)
    found = client.get("/blocks?q=rules+FRIDAY").content.decode()
    assert re.findall(r'row-link mono"[^>]*>(\w+)<', found) == ["team"]
    assert "Nothing found" in client.get("/blocks?q=rules+Monday").content.decode()


def test_the_page_of_a_block_names_its_holders(client: Client, agent: Agent, other: Agent) -> None:
    blocks.attach(agent.id, (team := blocks.create(label="team")).id)
    blocks.attach(other.id, team.id)
    page = client.get(f"/blocks/{team.id}").content.decode()
    assert ">Owner<" in page
    assert ">Other<" in page


# --- passages -----------------------------------------------------------------------------------------------------


def test_a_passage_is_inserted_found_by_its_words_and_deleted(client: Client, agent: Agent) -> None:
    client.post(f"/agents/{agent.id}/passages", {"text": "The key is under the blue pot.", "tags": "home, keys,home"})
    passage = Passage.objects.get()
    assert passage.tags == ["home", "keys"]
    found = as_served(lambda: client.get(f"/agents/{agent.id}/panels/archival?q=where+is+the+key"))
    assert "blue pot" in found.content.decode()
    assert 'class="score"' in found.content.decode()
    client.post(f"/agents/{agent.id}/passages/{passage.id}/delete")
    assert "blue pot" not in client.get(f"/agents/{agent.id}/panels/archival").content.decode()


def test_a_passage_tells_who_stored_it_and_how_often_it_was_found(client: Client, agent: Agent) -> None:
    for name in ("archival_memory_insert", "archival_memory_search"):
        tools.attach(agent.id, Tool.objects.get(name=name).id)
    insert(agent, "The bins go out on Monday.")
    for text in ("Remember that the spare key is under the blue pot.", "Where is the spare key?", "Where is the key?"):
        run_id = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])])).run_id
        finish(execute(agent.id, run_id, None, 1))
    [key] = Passage.objects.filter(text__contains="key").select_related("step")
    searches = MemorySearch.objects.filter(agent=agent, store="archival").order_by("id").select_related("step")
    found = [search.step for search in searches if key.id in returned(search)]
    page = " ".join(strip_tags(client.get(f"/agents/{agent.id}/panels/archival").content.decode()).split())
    assert len(found) == 2
    assert f"by step {key.step.number} · retrieved 2 times, last at step {found[-1].number}" in page
    assert "by a person or the API" in page


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "x" * 40_001])
def test_a_passage_without_words_or_with_too_many_is_refused(client: Client, agent: Agent, text: str) -> None:
    passage = insert(agent, "Old.")
    assert client.post(f"/agents/{agent.id}/passages", {"text": text}).status_code == 422
    edit = {"text": text, "was": passage.updated_at.isoformat()}
    assert client.post(f"/agents/{agent.id}/passages/{passage.id}/edit", edit).status_code == 422
    assert Passage.objects.get().text == "Old."


def test_a_passage_is_edited_in_its_place(client: Client, agent: Agent) -> None:
    passage = insert(agent, "The bins go out on Monday.", "home")
    address = f"/agents/{agent.id}/passages/{passage.id}"
    drawn = client.get(f"{address}/edit").content.decode()
    [was] = re.findall(r'name="was" value="([^"]+)"', drawn)
    page = client.post(f"{address}/edit", {"text": "The bins go out on Friday.", "tags": "bins", "was": was})
    assert f'id="{passage.id}"' in page.content.decode()
    passage.refresh_from_db()
    assert (passage.text, passage.tags) == ("The bins go out on Friday.", ["bins"])


def test_a_passage_that_somebody_else_edited_meanwhile_is_not_overwritten(client: Client, agent: Agent) -> None:
    passage = insert(agent, "Old.")
    finish(archives.edit_passage(passage.id, [passage.archive_id], {"text": "Theirs."}))
    given = {"text": "Mine.", "was": passage.updated_at.isoformat()}
    assert client.post(f"/agents/{agent.id}/passages/{passage.id}/edit", given).status_code == 409
    assert Passage.objects.get().text == "Theirs."


@pytest.mark.parametrize("verb", ["", "/edit", "/delete"])
def test_a_passage_of_another_agent_is_not_found(client: Client, agent: Agent, other: Agent, verb: str) -> None:
    foreign = insert(other, "Theirs.")
    address = f"/agents/{agent.id}/passages/{foreign.id}{verb}"
    answer = client.post(address) if verb == "/delete" else client.get(address)
    assert answer.status_code == 404
    assert Passage.objects.get().is_deleted is False


def test_a_passage_goes_into_the_archive_that_was_chosen_of_those_held(
    client: Client, agent: Agent, other: Agent
) -> None:
    archives.own_archive(agent.id)
    family = archives.create("Family")
    given = {"text": "A birthday.", "archive": family.id}
    assert client.post(f"/agents/{agent.id}/passages", given).status_code == 404
    archives.attach(agent.id, family.id)
    client.post(f"/agents/{agent.id}/passages", given)
    assert Passage.objects.get().archive_id == family.id


def test_browsing_is_narrowed_by_tag_day_and_archive_and_goes_page_by_page(client: Client, agent: Agent) -> None:
    from ade.panels import archival

    archive = archives.own_archive(agent.id)
    drafts = [PassageDraft(archive.id, f"Passage {n}.", tags=["even"] * (n % 2 == 0)) for n in range(archival.PAGE + 5)]
    finish(archives.insert(archive, drafts))
    address = f"/agents/{agent.id}/panels/archival"

    def shown(query: str) -> set[int]:
        page = client.get(f"{address}?{query}").content.decode()
        return {int(number) for number in re.findall(r"Passage (\d+)\.", page)}

    every = set(range(archival.PAGE + 5))
    newest = shown("")
    [older] = re.findall(r"passages_before=([\w-]+)", client.get(address).content.decode())
    assert len(newest) == archival.PAGE
    assert shown(f"passages_before={older}") == every - newest
    assert shown("tag=even") == {number for number in every if number % 2 == 0}
    assert shown("since=2999-01-01") == shown("until=1999-12-31") == shown("archive=archive-none") == set()


@pytest.mark.parametrize("panel", ["archival", "recall"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=soon", 422),
        ("since=2026-02-02&until=2026-01-01", 422),
        ("since=0001-01-01", 200),
        ("until=9999-12-31", 200),
        ("q=%00", 200),
        ("tag=%00&role=%00&archive=%00", 200),
        ("messages_before=9999999999999999999999&passages_before=%00", 200),
    ],
)
def test_strange_addresses_are_answered(client: Client, agent: Agent, panel: str, query: str, status: int) -> None:
    insert(agent, "Something.")
    assert client.get(f"/agents/{agent.id}/panels/{panel}?{query}").status_code == status


# --- tools --------------------------------------------------------------------------------------------------------


def test_a_tool_is_found_attached_and_detached(client: Client, agent: Agent) -> None:
    tool = tools.upsert(
        {"source_code": 'def roll(sides: int) -> int:\n    """Roll.\n\n    Args:\n        sides: How many.\n    """\n'}
    )
    choices = client.get(f"/agents/{agent.id}/tools?q=roll").content.decode()
    assert f"tools/{tool.id}/attach" in choices
    attached = client.post(f"/agents/{agent.id}/tools/{tool.id}/attach", {"q": "roll"}).content.decode()
    assert f"tools/{tool.id}/detach" in attached
    assert agent.tools.filter(id=tool.id).exists()
    client.post(f"/agents/{agent.id}/tools/{tool.id}/detach")
    assert not agent.tools.filter(id=tool.id).exists()


def test_a_person_says_that_a_tool_asks_first_and_that_it_does_not(client: Client, agent: Agent) -> None:
    tool = agent.tools.first()
    assert tool is not None
    address = f"/agents/{agent.id}/tools/{tool.id}/approval"
    asked = client.post(address, {"ask": "1"}).content.decode()
    assert f'id="ask-{tool.id}" name="ask" value="1" checked' in asked
    assert ">asks</span>" in client.get(f"/agents/{agent.id}/panels/outline").content.decode()
    agent.refresh_from_db()
    assert asking(agent) == {tool.name}
    client.post(address)
    agent.refresh_from_db()
    assert asking(agent) == set()


def test_only_a_tool_that_the_agent_has_can_ask_first(client: Client, agent: Agent) -> None:
    tool = tools.upsert({"source_code": 'def lone() -> int:\n    """Alone."""\n    return 1\n'})
    for tool_id in (tool.id, "tool-none", "tool-%00", "x" * 3000):
        assert client.post(f"/agents/{agent.id}/tools/{tool_id}/approval", {"ask": "1"}).status_code == 404


def test_a_tool_that_does_not_exist_is_not_found(client: Client, agent: Agent) -> None:
    assert client.post(f"/agents/{agent.id}/tools/tool-none/attach").status_code == 404
    assert client.post("/agents/agent-none/tools/tool-none/attach").status_code == 404


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/memory",
        "/memory?block=human&view=versions&aside=recall",
        "/memory?view=findings&block=no-such-block",
        "?main=runs&aside=recall&drawer=events",
        "?aside=core&drawer=history",
        "?aside=raw",
    ],
)
def test_the_pages_of_an_agent_are_whole_by_themselves(client: Client, agent: Agent, path: str) -> None:
    assert client.get(f"/agents/{agent.id}{path}").status_code == 200


def test_an_agent_without_blocks_has_a_memory_page(client: Client, builtin_tools: None) -> None:
    bare = agents.create(NewAgent(name="Bare", model="offline/rules"))
    for block in bare.blocks.all():
        blocks.detach(bare.id, block.id)
    assert "No blocks" in client.get(f"/agents/{bare.id}/memory").content.decode()


def test_a_panel_says_which_event_it_is_as_new_as(client: Client, agent: Agent) -> None:
    before = Agent.objects.get(id=agent.id).event_seq
    assert client.get(f"/agents/{agent.id}/panels/archival")["X-Panel"] == f"archival {before}"
