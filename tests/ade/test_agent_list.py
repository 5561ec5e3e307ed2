"""The list of agents: what a row shows, what the filters leave, and how an open list follows."""

import pytest
from django.test import Client
from lxml import html

from ade.agent_rows import agent_list_fragments, agent_rows, counts, listed_agents
from ade.status import WorkspaceCounts, workspace_counts
from agents_core.actions import agents, approvals, breakpoints, deletions, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Tool
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


def make(name: str, *tags: str, model: str = "offline/rules") -> Agent:
    blocks = [{"label": "human", "value": ""}]
    return agents.create(NewAgent(name=name, model=model, tags=tags, memory_blocks=blocks))


def say(agent: Agent, text: str) -> None:
    run = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, run.run_id, None, 1))


def test_a_row_shows_state_window_memory_and_step(builtin_tools: None) -> None:
    agent = make("talker")
    say(agent, "My name is Bo.")
    [row] = agent_rows([agent])
    assert (row.state, row.blocks, row.step_number) == ("idle", 1, 2)
    assert {cell.kind for cell in row.bar.cells} >= {"system", "core", "tool", "message"}
    assert row.bar.reported_tokens == agent.steps.get(number=2).prompt_tokens


def test_a_run_that_waits_and_one_that_failed_show_as_the_state(builtin_tools: None) -> None:
    waiting, failing = make("waiting"), make("failing")
    finish(send(waiting.id, [Input("user", [{"type": "text", "text": "Hi"}])]))
    agents.modify(failing.id, {"model": "offline/no-such-model"})
    say(failing, "Hi")
    assert [row.state for row in agent_rows([waiting, failing])] == ["queued", "failed"]


def test_an_agent_whose_calls_wait_for_a_person_says_so_and_has_a_tab(builtin_tools: None) -> None:
    asks, calm = make("asks"), make("calm")
    tools.attach(asks.id, tools.upsert({"source_code": 'def roll() -> int:\n    """Roll."""\n    return 6\n'}).id)
    tools.set_approval(asks.id, "roll", True)
    say(asks, "call roll")
    assert [(row.state, row.words) for row in agent_rows([asks, calm])] == [
        ("waiting", "needs approval"),
        ("idle", "idle"),
    ]
    assert list(listed_agents({"state": "waiting"})) == [asks]
    assert (counts().waiting, counts().failed) == (1, 0)
    assert "Waits for you before" in Client().get(f"/agents/{asks.id}/preview").content.decode()
    approvals.abandon(asks.id)
    assert agent_rows([asks])[0].state == "idle"
    assert counts().waiting == 0


def test_the_filters_narrow_by_words_tag_and_state(builtin_tools: None) -> None:
    tagged, plain = make("Alpha", "travel"), make("Beta")
    assert list(listed_agents({"q": "alp"})) == [tagged]
    assert list(listed_agents({"tag": "travel"})) == [tagged]
    finish(send(plain.id, [Input("user", [{"type": "text", "text": "Hi"}])]))
    assert list(listed_agents({"state": "running"})) == [plain]


def test_an_open_list_gets_new_rows_and_loses_deleted_ones(builtin_tools: None) -> None:
    agent = make("comes and goes")
    added = next(f for f in agent_list_fragments({agent.id}, {}) if f.dom_id == f"row-{agent.id}")
    assert (added.swap, added.target) == ("prepend", "agent-rows")
    deletions.delete_agent(agent.id)
    removed = next(f for f in agent_list_fragments({agent.id}, {}) if f.dom_id == f"row-{agent.id}")
    assert removed.swap == "remove"


def test_a_person_makes_an_agent_from_a_template_and_deletes_it(builtin_tools: None) -> None:
    client = Client()
    made = client.post("/agents/new", {"template": "companion", "name": "Mnemo", "human": "Likes tea."})
    agent = Agent.objects.get(name="Mnemo")
    assert made["Location"] == f"/agents/{agent.id}"
    assert agent.blocks.get(label="human").value == "Likes tea."
    assert "Mnemo" in client.get("/agents").content.decode()
    assert "Mnemo" in client.get(f"/agents/{agent.id}/preview").content.decode()
    client.post(f"/agents/{agent.id}/delete")
    assert not Agent.objects.filter(id=agent.id).exists()


def test_an_unknown_agent_is_told_in_words() -> None:
    answer = Client().get("/agents/agent-00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
    assert "not found" in answer.content.decode().lower()


def test_the_outline_counts_what_the_workspace_holds_and_an_open_list_follows(builtin_tools: None) -> None:
    first = make("one")
    agents.create(NewAgent(name="two", model="offline/rules", block_ids=[block.id for block in first.blocks.all()]))
    counted = WorkspaceCounts(
        agents=2,
        shared_blocks=1,
        tools=Tool.objects.count(),
        folders=0,
        mcp_servers=0,
        groups=0,
        active_runs=0,
        open_batches=0,
    )
    assert workspace_counts() == counted
    page = html.document_fromstring(Client().get("/agents").content)
    fragment = next(f for f in agent_list_fragments(set(), {}) if f.dom_id == "nav-workspace").rendered()
    assert " ".join(page.get_element_by_id("nav-workspace").text_content().split()) == " ".join(
        html.fragment_fromstring(fragment["html"]).text_content().split()
    )


def test_an_agent_that_stands_at_a_breakpoint_is_paused_and_not_running(builtin_tools: None) -> None:
    agent = make("stands")
    breakpoints.create(agent.id, "model")
    say(agent, "Hi")
    assert list(listed_agents({"state": "paused"})) == [agent]
    assert list(listed_agents({"state": "running"})) == []
    assert (counts().paused, counts().running) == (1, 0)


def test_an_address_that_only_takes_a_form_leads_to_it_or_says_so() -> None:
    client = Client()
    assert client.get("/settings/providers").headers["Location"] == "/settings"
    assert client.get("/agents/new").headers["Location"] == "/agents#new-agent"
    refused = client.get("/agents/example")
    assert (refused.status_code, refused["Allow"]) == (405, "POST")
    assert "This address only takes what a form sends." in refused.content.decode()
