"""The page of an agent's tool rules: what it shows, simulates, changes and refuses."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from ade.rule_calls import LONGEST_CHARS, read, written
from ade.rule_words import rule_key
from agents_core.actions import agents, tools
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.errors import InvalidInput
from agents_core.models import Agent
from agents_core.runtime.loop import execute
from agents_core.runtime.simulation import SimulatedCall
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

RULES = [
    {"type": "run_first", "tool_name": "weigh"},
    {"type": "conditional", "tool_name": "weigh", "child_output_mapping": {"heavy": "crate", "light": "letter"}},
    {"type": "exit_loop", "tool_name": "letter"},
    {"type": "requires_approval", "tool_name": "crate"},
]


@pytest.fixture
def agent(transactional_db: None) -> Agent:
    made = [
        tools.upsert({"source_code": f'def {name}() -> str:\n    """Do it."""\n    return "heavy"\n'})
        for name in ("weigh", "crate", "letter")
    ]
    return agents.create(
        NewAgent(
            name="Packer",
            model="offline/rules",
            tool_ids=[tool.id for tool in made],
            tool_rules=RULES,
            include_base_tools=False,
        )
    )


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def page(answer: HttpResponse) -> html.HtmlElement:
    assert answer.status_code == 200, answer.content.decode()
    return html.fromstring(answer.content.decode())


def shown(client: Client, agent: Agent, **params: str) -> html.HtmlElement:
    return page(client.get(f"/agents/{agent.id}/rules", params))


def states(drawn: html.HtmlElement) -> dict[str, str]:
    nodes = drawn.xpath("//a[contains(@class, 'rule-node')]")
    return {node.get("id").removeprefix("node-"): node.get("data-now") for node in nodes}


def said(drawn: html.HtmlElement, dom_id: str) -> str:
    return " ".join(drawn.get_element_by_id(dom_id).text_content().split())


# --- the graph ----------------------------------------------------------------------------------------------------


def test_every_tool_and_line_has_a_name_that_says_its_rules_and_a_row_of_the_table(
    client: Client, agent: Agent
) -> None:
    drawn = shown(client, agent)
    assert "Each call of crate waits for a person." in drawn.get_element_by_id("node-crate").get("title")
    lines = [edge.get("aria-label") for edge in drawn.xpath("//a[contains(@class, 'edge')]")]
    assert any(each.startswith("weigh to crate when it returns heavy. ") for each in lines)
    assert len(lines) == 4
    assert "Call weigh before any other tool." in said(drawn, "row-node-weigh")


def test_without_htmx_the_whole_page_answers(agent: Agent) -> None:
    drawn = page(Client().get(f"/agents/{agent.id}/rules"))
    assert drawn.xpath("//h1")[0].text == "rules"
    assert drawn.xpath("//body/@data-socket") == [f"/ws/agents/{agent.id}/"]


def test_an_agent_without_tools_and_one_of_forty_are_drawn(client: Client, agent: Agent) -> None:
    for tool in agent.tools.all():
        tools.detach(agent.id, tool.id)
    assert "The agent has no tools." in said(shown(client, agent), "rules-now")
    ids = [tools.upsert({"source_code": f'def t{n}() -> str:\n    """Do."""\n    return ""\n'}).id for n in range(40)]
    many = agents.create(NewAgent(name="Many", model="offline/rules", tool_ids=ids, include_base_tools=False))
    assert set(states(shown(client, many)).values()) == {"may"}
    assert len(states(shown(client, many))) == 40


# --- the simulation -----------------------------------------------------------------------------------------------


def test_a_click_on_a_tool_that_may_be_called_calls_it_and_any_other_says_why_not(client: Client, agent: Agent) -> None:
    drawn = shown(client, agent)
    assert states(drawn) == {"weigh": "must", "crate": "not", "letter": "not"}
    assert drawn.get_element_by_id("node-weigh").get("href") == f"/agents/{agent.id}/rules?calls=weigh"
    why = page(client.get(drawn.get_element_by_id("node-crate").get("href")))
    assert "weigh is to be called first." in why.get_element_by_id("node-crate").get("title")
    assert states(why) == states(drawn)


def test_what_the_last_call_returned_decides_what_follows(client: Client, agent: Agent) -> None:
    drawn = shown(client, agent, calls="weigh")
    assert set(states(drawn).values()) == {"may"}
    [heavy] = [each.get("href") for each in drawn.xpath("//a[starts-with(@id, 'returned-')]") if each.text == "heavy"]
    answer = client.get(heavy)
    assert answer["HX-Push-Url"] == f"/agents/{agent.id}/rules?calls=weigh%3Dheavy"
    assert states(page(answer)) == {"weigh": "not", "crate": "must", "letter": "not"}


def test_the_sequence_can_be_taken_back_and_a_turn_ends(client: Client, agent: Agent) -> None:
    drawn = shown(client, agent, calls="weigh=light,letter")
    assert said(drawn, "rules-now") == "The turn has ended."
    assert set(states(drawn).values()) == {"over"}
    undone = page(client.get(drawn.get_element_by_id("rules-undo").get("href")))
    assert states(undone)["letter"] == "must"
    assert said(undone, "rules-now") == "letter has to be called now."
    anew = page(client.get(drawn.get_element_by_id("rules-reset").get("href")))
    assert not anew.xpath("//*[@id='rule-calls']")


def test_calls_that_the_rules_refuse_or_that_wait_are_marked(client: Client, agent: Agent) -> None:
    drawn = shown(client, agent, calls="letter,weigh=heavy,crate,unknown")
    tags = [" ".join(each.text_content().split()) for each in drawn.xpath("//*[@id='rule-calls']/li")]
    assert ["refused" in each for each in tags] == [True, False, False, True]
    assert "asks first" in tags[2]


def test_the_last_run_is_played(client: Client, agent: Agent) -> None:
    assert client.get(f"/agents/{agent.id}/rules", {"play": "last"}).status_code == 204
    tools.set_approval(agent.id, "crate", False)
    sent = finish(send(agent.id, [Input("user", [{"type": "text", "text": "call weigh"}])]))
    finish(execute(agent.id, sent.run_id, None, 1))
    answer = client.get(f"/agents/{agent.id}/rules", {"play": "last"})
    assert answer["HX-Push-Url"].startswith(f"/agents/{agent.id}/rules?calls=weigh%3Dheavy")


CALL = st.builds(SimulatedCall, st.text(min_size=1, max_size=20), st.none() | st.text(max_size=20), st.booleans())


@given(st.lists(CALL, max_size=6))
def test_a_sequence_is_read_as_it_was_written(calls: list[SimulatedCall]) -> None:
    assert read(written(calls)) == calls


def test_a_sequence_too_long_for_an_address_is_refused(client: Client, agent: Agent) -> None:
    with pytest.raises(InvalidInput, match="begin anew"):
        read("a," * LONGEST_CHARS)
    assert client.get(f"/agents/{agent.id}/rules", {"calls": "a," * LONGEST_CHARS}).status_code == 422


@pytest.mark.parametrize(
    "params",
    [
        {"calls": "%,=,!,!=%zz,\x00,é%ff"},
        {"view": "fly", "node": "\x00", "rule": "x" * 3000},
        {"view": "edit", "node": "simulate"},
        {"play": "first"},
    ],
)
def test_nonsense_in_the_address_is_borne(client: Client, agent: Agent, params: dict[str, str]) -> None:
    assert states(shown(client, agent, **params))["weigh"] == "must"


# --- problems and editing -----------------------------------------------------------------------------------------


def test_problems_are_counted_and_lead_to_the_tool(client: Client, agent: Agent) -> None:
    tools.add_rule(agent.id, {"type": "required_before_exit", "tool_name": "gone"})
    drawn = shown(client, agent, view="problems")
    assert said(drawn, "rules-view-problems") == "Problems1"
    chosen = page(client.get(drawn.get_element_by_id("problem-1").get("href")))
    assert chosen.get_element_by_id("node-gone").get("aria-current") == "true"
    assert said(shown(client, agent), "rules-now").endswith("The turn may not end before gone was called.")


def test_a_line_leads_to_its_rule_which_can_be_taken_away(client: Client, agent: Agent) -> None:
    [href] = [edge.get("href") for edge in shown(client, agent).xpath("//a[@data-edge='ends']")]
    drawn = page(client.get(href))
    [row] = drawn.xpath("//li[@aria-current='true']")
    [key] = row.xpath(".//input[@name='rule']/@value")
    assert key == rule_key(RULES[2])
    assert client.post(f"/agents/{agent.id}/settings/rules/remove", {"rule": key}).status_code == 204
    agent.refresh_from_db()
    assert RULES[2] not in agent.tool_rules


def test_rules_of_other_tools_that_lead_to_the_chosen_one_are_listed(client: Client, agent: Agent) -> None:
    drawn = shown(client, agent, view="edit", node="crate")
    assert drawn.xpath("//input[@name='rule']/@value") == [rule_key(RULES[3]), rule_key(RULES[1])]


def test_a_rule_is_added_where_the_page_is(client: Client, agent: Agent) -> None:
    here = f"/agents/{agent.id}/rules?view=edit&node=crate&calls=weigh"
    fields: dict[str, Any] = {"tool_name": "crate", "type": "max_count_per_step", "max_count_limit": "2"}
    drawn = page(client.post(here, fields))
    agent.refresh_from_db()
    assert agent.tool_rules[-1] == {"type": "max_count_per_step", "tool_name": "crate", "max_count_limit": 2}
    assert drawn.get("data-params") == "view=edit&node=crate&calls=weigh"
    assert "≤ 2" in said(drawn, "node-crate")


def test_a_rule_that_is_wrong_is_not_added_and_told_at_its_field(client: Client, agent: Agent) -> None:
    for wrong in (
        {"type": "max_count_per_step"},
        {"type": "fly"},
        {"type": "constrain_child_tools"},
        {"tool_name": "gone"},
    ):
        fields = {"tool_name": "crate", "type": "exit_loop", "max_count_limit": "", **wrong}
        answer = client.post(f"/agents/{agent.id}/rules?view=edit", fields)
        assert answer.status_code == 422
        assert 'class="errors"' in answer.content.decode()
    agent.refresh_from_db()
    assert agent.tool_rules == RULES


def test_what_may_follow_a_tool_grows_by_one(client: Client, agent: Agent) -> None:
    def follow(name: str, child: str) -> int:
        return client.post(f"/agents/{agent.id}/rules/follow", {"tool_name": name, "child": child}).status_code

    assert [follow("crate", "letter"), follow("crate", "weigh"), follow("crate", "weigh")] == [204] * 3
    assert [follow("crate", "gone"), follow("", "crate"), follow("gone", "crate")] == [404] * 3
    agent.refresh_from_db()
    following = {"type": "constrain_child_tools", "tool_name": "crate", "children": ["letter", "weigh"]}
    assert agent.tool_rules == [*RULES, following]


def test_another_agent_and_another_verb_are_refused(client: Client, agent: Agent) -> None:
    assert client.get("/agents/agent-00000000-0000-4000-8000-000000000000/rules").status_code == 404
    assert client.put(f"/agents/{agent.id}/rules").status_code == 405


def test_the_settings_lead_to_the_page(client: Client, agent: Agent) -> None:
    drawn = page(client.get(f"/agents/{agent.id}/panels/settings", {"section": "rules"}))
    assert drawn.get_element_by_id("rules-page").get("href") == f"/agents/{agent.id}/rules"
