"""The mock agent of a run in the editor: typed, sent, refused; and what a run changed of its memory."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import QueryDict
from lxml import html

from ade.tool_agent import AgentInputs
from agents_core.actions import agents, tool_cases, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.mock_agent import MockAgent
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Block, Expectation
from agents_core.runtime.loop import execute
from tests.ade.test_tool_page import SOURCE as PLAIN
from tests.ade.test_tool_page import Site, saved, site, text_of, version

__all__ = ["site"]
pytestmark = pytest.mark.django_db(transaction=True)

SOURCE = '''
def remember(fact: str, agent_state, agent_id) -> str:
    """Remembers.

    Args:
        fact: one sentence
    """
    memory = agent_state.memory
    memory.update_block_value("human", memory.get_block("human").value.replace("Ida", fact))
    return f"{agent_state.name} {agent_id} {','.join(memory.list_block_labels())}"
'''


def typed(labels: list[str], texts: list[str], **others: str) -> dict[str, Any]:
    fields = {"agent.name": "Bo", "agent.id": "agent-1", "block.label": labels, "block.text": texts}
    return {"source": SOURCE, "arg.fact": "Mia", **fields, **others}


def labels_in(page: html.HtmlElement) -> list[str]:
    return [field.get("value") for field in page.xpath("//input[@name='block.label']")]


def inputs_of(**fields: str | list[str]) -> AgentInputs:
    post = QueryDict(mutable=True)
    for name, value in fields.items():
        post.setlist(name, value if isinstance(value, list) else [value])
    return AgentInputs.of_post(post)


# --- the form -----------------------------------------------------------------------------------------------------


async def test_a_source_that_asks_for_its_agent_shows_one_with_a_human_and_a_persona(site: Site) -> None:
    page = await site.post("/tools/read", source=SOURCE)
    assert labels_in(page) == ["human", "persona"]
    assert "agent_state, agent_id" in text_of(page, "mock-agent-help")
    assert labels_in(await site.post("/tools/read", source=PLAIN)) == []


@pytest.mark.parametrize("raw", [{}, {"raw": "{}"}])
async def test_what_was_typed_comes_back_when_the_source_asks_again(site: Site, raw: dict[str, str]) -> None:
    agent = {"name": "Bo", "id": "agent-1", "blocks": [{"label": "plan", "value": "Rest."}]}
    fields = {**raw, "raw_agent": json.dumps(agent)} if raw else typed(["plan"], ["Rest."])
    gone = await site.post("/tools/read", **{**fields, "source": PLAIN})
    [kept] = gone.xpath("//input[@name='kept_agent']")
    back = await site.post("/tools/read", **raw, source=SOURCE, kept_agent=kept.get("value"))
    if raw:
        assert json.loads(back.get_element_by_id("raw-agent").text) == agent
    else:
        assert labels_in(back) == ["plan"]
        assert back.get_element_by_id("mock-agent-name").get("value") == "Bo"


async def test_blocks_are_added_and_removed_and_the_focus_goes_on(site: Site) -> None:
    more = await site.post("/tools/inputs", **typed(["human", "plan"], ["A", "B"]), block="new")
    assert labels_in(more) == ["human", "plan", ""]
    assert more.xpath("//*[@autofocus]/@id") == ["mock-block-3-label"]
    assert more.get_element_by_id("arg-fact").text.strip() == "Mia"
    less = await site.post("/tools/inputs", **typed(["human", "plan"], ["A", "B"]), block="0")
    assert labels_in(less) == ["plan"]
    assert less.get_element_by_id("mock-block-1-text").text.strip() == "B"
    assert less.xpath("//*[@autofocus]/@id") == ["mock-block-1-remove"]
    last = await site.post("/tools/inputs", **typed(["human", "plan"], ["A", "B"]), block="1")
    assert last.xpath("//*[@autofocus]/@id") == ["mock-block-1-remove"]
    assert labels_in(await site.post("/tools/inputs", **typed(["human"], ["A"]), block="9' x")) == ["human"]


async def test_json_and_rows_say_the_same(site: Site) -> None:
    page = await site.post("/tools/inputs", **typed(["human", "ü"], ["Two\r\nlines", ""]), mode="json")
    raw, raw_agent = page.get_element_by_id("raw-inputs").text, page.get_element_by_id("raw-agent").text
    blocks = [{"label": "human", "value": "Two\nlines"}, {"label": "ü", "value": ""}]
    assert json.loads(raw_agent) == {"name": "Bo", "id": "agent-1", "blocks": blocks}
    back = await site.post("/tools/inputs", source=SOURCE, raw=raw, raw_agent=raw_agent, mode="form")
    assert labels_in(back) == ["human", "ü"]
    assert back.get_element_by_id("mock-block-1-text").text.removeprefix("\n") == "Two\nlines"


async def test_what_is_wrong_keeps_both_parts_as_they_were_written(site: Site) -> None:
    page = await site.post("/tools/inputs", **typed(["human", "human"], ["A", "B"]), mode="json")
    assert page.xpath("//*[@id='raw-inputs']") == []
    assert labels_in(page) == ["human", "human"]


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "texts", "at", "told"),
    [
        (["a", "a"], ["", ""], "mock-block-2-label-error", "Two blocks are labelled a: name one differently."),
        (["a", " "], ["", ""], "mock-block-2-label-error", "Write a label."),
        (["x" * 201], [""], "mock-block-1-label-error", "Write a label of at most 200 characters."),
        (["a"], ["x" * 100_001], "mock-block-1-text-error", "has 100,001 characters; a block may have 100,000"),
    ],
)
async def test_a_block_that_is_wrong_is_told_at_its_field_and_nothing_runs(
    site: Site, labels: list[str], texts: list[str], at: str, told: str
) -> None:
    page = await site.post("/tools/run", **typed(labels, texts))
    assert told in text_of(page, at)
    assert site.headers["HX-Reswap"] == "none"
    assert page.xpath("//*[@id='tool-result']") == []


async def test_an_agent_has_a_name_and_an_id(site: Site) -> None:
    page = await site.post("/tools/run", **{**typed([], []), "agent.name": " ", "agent.id": "x" * 201})
    assert text_of(page, "mock-agent-name-error") == "Write a name."
    assert text_of(page, "mock-agent-id-error") == "Write an id of at most 200 characters."


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("{", "This is not JSON"),
        ("[" * 100_000, "too deep"),
        ("[]", "Write a JSON object"),
        ('{"name": "a", "id": 1, "blocks": []}', "Write a JSON object"),
        ('{"name": "a", "id": "b", "blocks": {}}', "a list of objects"),
        ('{"name": "a", "id": "b", "blocks": [{"label": "c", "value": null}]}', "a list of objects"),
        ('{"name": "a", "id": "b", "blocks": [], "model": "c"}', "Write a JSON object"),
        ('{"name": "", "id": "b", "blocks": [{"label": "", "value": ""}]}', "Write a name. Write a label."),
        (json.dumps({"name": "a", "id": "b", "blocks": [{"label": "c", "value": ""}] * 2}), "Two blocks"),
        (json.dumps({"name": "a", "id": "b", "blocks": [{"label": "c", "value": ""}] * 101}), "may have 100"),
    ],
)
def test_json_that_is_no_agent_is_told_and_kept(raw: str, told: str) -> None:
    inputs = inputs_of(raw="{}", raw_agent=raw)
    assert inputs.agent() is None
    assert told in inputs.errors["raw"]
    assert inputs.raw == raw


def test_half_surrogates_and_nul_do_no_harm() -> None:
    raw = r'{"name": "\ud800", "id": "a\u0000", "blocks": []}'
    assert inputs_of(raw="{}", raw_agent=raw).agent() == MockAgent("?", "a", {})


def test_a_kept_agent_that_is_damaged_gives_the_usual_one() -> None:
    assert inputs_of(kept_agent="[1").agent() == MockAgent()


# --- a run --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [{}, {"record": "1"}])
async def test_a_run_is_called_by_the_agent_and_shows_what_it_changed_without_writing_it(
    site: Site, record: dict[str, str]
) -> None:
    page = await site.post("/tools/run", **typed(["human", "plan"], ["I am Ida.", "Rest."]), **record)
    assert text_of(page, "tool-value") == "Bo agent-1 human,plan"
    changes = page.get_element_by_id("tool-changes")
    assert [(one.tag, one.text) for one in changes.iter("ins", "del", "dt")] == [
        ("dt", "human"),
        ("del", "Ida"),
        ("ins", "Mia"),
    ]
    assert "nothing was written" in changes.text_content()
    assert not await Block.objects.aexists()


async def test_a_run_that_changed_nothing_says_so_and_a_failed_one_shows_no_changes(site: Site) -> None:
    page = await site.post("/tools/run", **typed(["human"], ["I am Bo."]))
    assert text_of(page, "tool-changes") == "The run changed none of the agent's blocks."
    failed = await site.post("/tools/run", **typed(["plan"], ["Ida"]))
    assert "there is no memory block labelled 'human'" in text_of(failed, "tool-value")
    assert failed.xpath("//*[@id='tool-changes']") == []
    plain = await site.post("/tools/run", source=PLAIN)
    assert plain.xpath("//*[@id='tool-changes']") == []


async def test_a_change_past_the_limit_of_a_block_is_told_as_the_error_of_a_real_call(site: Site) -> None:
    page = await site.post("/tools/run", **{**typed(["human"], ["Ida"]), "arg.fact": "x" * 100_001})
    assert "An agent's call would fail: Edit failed: Exceeds 100000 character limit" in text_of(page, "tool-changes")


async def test_a_real_call_fills_in_the_agent_with_its_present_blocks(site: Site) -> None:
    tool = await saved(SOURCE)
    blocks = [{"label": "human", "value": "I am Ida."}, {"label": "plan", "value": "Rest."}]
    agent = await sync_to_async(agents.create)(NewAgent(name="Real", model="offline/rules", memory_blocks=blocks))
    await sync_to_async(tools.attach)(agent.id, tool.id)
    sent = await send(agent.id, [Input("user", [{"type": "text", "text": "call remember with fact=Mia"}])])
    await execute(agent.id, sent.run_id, None, 1)
    page = await site.post("/tools/inputs", source=SOURCE, fill="newest", **version(tool))
    assert labels_in(page) == ["human", "plan"]
    assert page.get_element_by_id("mock-block-1-text").text.strip() == "I am Mia."
    assert page.get_element_by_id("mock-agent-name").get("value") == "Real"
    assert page.get_element_by_id("mock-agent-id").get("value") == agent.id


async def test_cases_are_called_by_the_usual_mock_agent(site: Site) -> None:
    tool = await saved(SOURCE)
    proposed = await site.post("/tools/cases/new", **typed(["odd"], [""]), **version(tool))
    usual = f"{MockAgent().name} {MockAgent().id} human,persona"
    assert json.loads(proposed.get_element_by_id("case-expected").text) == usual
    wanted = tool_cases.Wanted("kept", {"fact": "Mia"}, Expectation.EQUALS, usual)
    case = await sync_to_async(tool_cases.save)(tool.id, wanted)
    ran = await tool_cases.run(case, {"source_code": SOURCE}, tool)
    assert ran.verdict.passed, ran.verdict.got
    filled = await site.post(f"/tools/{tool.id}/cases/{case.id}/inputs", **typed(["odd"], [""]), **version(tool))
    assert labels_in(filled) == ["human", "persona"]


async def test_what_a_run_would_store_is_shown_and_the_mock_agent_is_who_called(site: Site) -> None:
    source = '''
import os
def keep(client, agent_id: str) -> list:
    """Keeps."""
    client.agents.passages.create(agent_id, text="Likes tea.", tags=["drink"])
    return [os.environ["LETTA_AGENT_ID"] == agent_id, client.agents.passages.list(), client.agents.passages.search(query="tea").count]
'''
    parts = await site.post("/tools/run", source=source)
    assert text_of(parts, "tool-value") == "[true, [], 0]"
    assert (
        text_of(parts, "tool-changes") == "An agent's call would store in its archival memory: passage Likes tea. drink"
    )
