"""The panel of watches: what it shows of each at which step, what a person does there, and that it follows what happens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from lxml import html

from ade.panels.watches import around
from ade.sparkline import WIDTH, sparkline
from agents_core.actions import agents, blocks, breakpoints, conversations, watches
from agents_core.actions.messages import Input, RunOptions, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Author, Watch
from agents_core.record.expressions import parse
from agents_core.record.series import Series, reading
from agents_core.runtime.loop import execute
from tests.ade.patching import View, assert_patched_equals_reloaded
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

EXPRESSIONS = ["len(block.human)", '"Porto" in block.human', "tools", "1 / (step.number - 2)", "step.status"]
MOVED = '"Lisbon" in block.human'


def say(agent: Agent, text: str) -> None:
    sent = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])], options=RunOptions()))
    finish(execute(agent.id, sent.run_id, None, 1))


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """Lives in Porto from its second step on and in Lisbon from its fourth, is watched in five ways."""
    made = agents.create(NewAgent(model="offline/rules", memory_blocks=[{"label": "human", "value": "Name: Bo."}]))
    say(made, "I live in Porto.")
    say(made, "I moved to Lisbon last month.")
    for text in EXPRESSIONS:
        watches.create(made.id, text)
    return made


@pytest.fixture
def client() -> Client:
    return Client(headers={"HX-Request": "true"})


def watch_of(agent: Agent, number: int = 0) -> Watch:
    return Watch.objects.get(agent=agent, expression=EXPRESSIONS[number])


def panel(client: Client, agent: Agent, **params: Any) -> html.HtmlElement:
    return html.fromstring(client.get(f"/agents/{agent.id}/panels/watches", params).content)


def shown(page: html.HtmlElement) -> list[str]:
    """The values as the table has them."""
    return [" ".join(cell.text_content().split()) for cell in page.cssselect("tbody tr[id^=row-] > td:nth-child(2)")]


def test_each_watch_has_its_value_at_the_step_that_is_shown(client: Client, agent: Agent) -> None:
    assert shown(panel(client, agent)) == ["26", "False", "[]", "0.5", '"success"']
    second = shown(panel(client, agent, step="2"))
    assert second[:3] == ["25", "True", "[]"]
    assert second[3].startswith("Column 1: This divides by zero. 1 / (step.number - 2)")
    assert shown(panel(client, agent, step="1"))[:3] == ["9", "False", '["memory_insert"]']


def test_a_conversation_shows_its_own_steps_only(client: Client, agent: Agent) -> None:
    conversation = conversations.create(agent.id)
    assert shown(panel(client, agent, conversation=conversation.id)) == ["no step yet"] * 5


def test_the_changes_of_a_watch_lead_to_their_steps_beside_those_before(client: Client, agent: Agent) -> None:
    page = panel(client, agent, watch=watch_of(agent, 1).id)
    links: list[tuple[Any, ...]] = [
        (link.text, link.get("hx-push-url")) for link in page.cssselect("#watch-changes tbody a")
    ]
    assert links == [
        ("step 4", f"/agents/{agent.id}/steps/4?diff=3"),
        ("step 2", f"/agents/{agent.id}/steps/2?diff=1"),
        ("step 1", f"/agents/{agent.id}/steps/1"),
    ]


def test_the_first_step_of_an_expression_is_found_without_watching_it(client: Client, agent: Agent) -> None:
    def answer(expression: str) -> str:
        return " ".join(
            panel(client, agent, expression=expression).cssselect("#watch-answer")[0].text_content().split()
        )

    assert answer(MOVED) == f"{MOVED} was first true at step 4 of 4 steps"
    assert answer('"Rome" in context') == '"Rome" in context was never true. of 4 steps'
    assert not Watch.objects.filter(expression=MOVED).exists()
    refused = panel(client, agent, expression="len(blok)").cssselect("#watch-refused")[0]
    assert "Column 5: Unknown name `blok`" in refused.text_content()
    assert refused.cssselect("mark")[0].text == "b"


def test_a_watch_is_added_changed_and_taken_away(client: Client, agent: Agent) -> None:
    base = f"/agents/{agent.id}/watches"
    added = client.post(base, {"expression": MOVED, "name": "moved", "everywhere": "1"})
    watch = Watch.objects.get(expression=MOVED)
    assert (added.status_code, watch.name) == (200, "moved")
    assert not watch.agent_id
    assert shown(html.fromstring(added.content))[-1] == "True"
    client.post(f"{base}/{watch.id}/save", {"expression": "cost", "name": ""})
    watch = Watch.objects.get(id=watch.id)
    assert [watch.expression, watch.name] == ["cost", ""]
    assert client.post(f"{base}/{watch.id}/delete").status_code == 200
    assert not Watch.objects.filter(id=watch.id).exists()
    assert client.post(f"{base}/{watch.id}/delete").status_code == 404


@pytest.mark.parametrize("text", ["", "len(", "blok", EXPRESSIONS[0], "<b>", "x" * 2_000, "'\0'"])
def test_what_is_no_watch_comes_back_as_it_was_typed(client: Client, agent: Agent, text: str) -> None:
    for path in ("", f"/{watch_of(agent, 1).id}/save"):
        answer = client.post(f"/agents/{agent.id}/watches{path}", {"expression": text, "name": "kept"})
        page = html.fromstring(answer.content)
        assert answer.status_code == 422
        assert page.cssselect("input[name=expression]")[0].get("value") == text.replace("\0", "�")
        assert page.cssselect("input[name=name]")[0].get("value") == "kept"
        assert page.cssselect("#watch-refused")[0].text_content().strip()
    assert Watch.objects.count() == len(EXPRESSIONS)


def test_one_click_makes_a_watch_a_breakpoint_and_another_takes_it_away(client: Client, agent: Agent) -> None:
    watch = watch_of(agent, 1)
    pressed = f"#break-{watch.id}[aria-pressed=true]"
    made = client.post(f"/agents/{agent.id}/watches/{watch.id}/break")
    assert html.fromstring(made.content).cssselect(pressed)
    [found] = breakpoints.of_agent(agent.id)
    assert (found.kind, found.condition, found.agent_id) == ("expression", watch.expression, agent.id)
    gone = client.post(f"/agents/{agent.id}/watches/{watch.id}/break")
    assert not html.fromstring(gone.content).cssselect(pressed)
    assert not breakpoints.of_agent(agent.id).exists()


def test_another_agents_watch_is_out_of_reach(client: Client, agent: Agent) -> None:
    other = agents.create(NewAgent(model="offline/rules"))
    for what in ("save", "delete", "break"):
        assert client.post(f"/agents/{other.id}/watches/{watch_of(agent).id}/{what}").status_code == 404


def test_a_watch_that_the_language_no_longer_knows_is_told_and_can_be_mended(client: Client, agent: Agent) -> None:
    Watch.objects.filter(id=watch_of(agent).id).update(expression="len(blok.human)")
    assert shown(panel(client, agent))[0] == (
        "Column 5: Unknown name `blok`: did you mean `block`? Known are block, context, system, messages, tokens, cost, step, tools, tool, "
        "arguments, result, answer, error. len(blok.human)"
    )
    assert panel(client, agent).cssselect("button[id^=edit-]")


def change_everything(agent: Agent) -> None:
    block = agent.blocks.get()
    blocks.modify(block.id, {"value": "Name: Ada."}, Author.PERSON)
    watches.create(agent.id, "cost")
    watches.modify(agent.id, watch_of(agent, 2).id, name="called")
    watches.delete(agent.id, watch_of(agent, 4).id)
    breakpoints.create(agent.id, "expression", condition=EXPRESSIONS[1])


@pytest.mark.parametrize("action", [lambda agent: say(agent, "I live in Rome."), change_everything])
def test_the_patched_panel_equals_the_reloaded_one(agent: Agent, action: Callable[[Agent], Any]) -> None:
    views: list[View] = [
        ("watches", {}),
        ("watches", {"step": "2", "watch": watch_of(agent, 1).id}),
        ("watches", {"expression": MOVED}),
        ("watches", {"edit": watch_of(agent).id}),
    ]
    assert_patched_equals_reloaded(agent.id, views, lambda: action(agent))


# --- the drawing ------------------------------------------------------------------------------------------------------


def series(*values: Any) -> Series:
    return Series(
        parse("cost"), {number: reading(value) for number, value in enumerate(values, start=1)}, last=len(values)
    )


def test_numbers_are_a_line_from_the_lowest_to_the_highest() -> None:
    drawn = sparkline(series(10, 20, None, 15), 2)
    assert drawn is not None
    assert drawn.points == "30,22.0 90,2.0 210,12.0"
    assert (drawn.mark, drawn.bands) == (90, ())
    assert drawn.title == "cost: 10 to 20 over steps 1 to 4, 15 at the last"


def test_all_else_is_bands_from_change_to_change() -> None:
    drawn = sparkline(series(False, True, True, "a", "b", None), 9)
    assert drawn is not None
    assert [(band.kind, band.at, band.width) for band in drawn.bands] == [
        ("false", 0, 40), ("true", 40, 80), ("value", 120, 40), ("other", 160, 40), ("none", 200, 40)
    ]  # fmt: skip
    assert (drawn.mark, drawn.points) == (None, "")
    assert drawn.title == "cost: 4 changes over steps 1 to 6, None at the last"


@pytest.mark.parametrize("make", [lambda n: n % 7, lambda n: n % 2 == 0, lambda n: "ab"[n % 2]])
def test_ten_thousand_steps_are_drawn_in_as_many_parts_as_can_be_seen(make: Callable[[int], Any]) -> None:
    drawn = sparkline(series(*map(make, range(10_000))), 1)
    assert drawn is not None
    assert 0 < len(drawn.points.split()) + len(drawn.bands) <= 2 * WIDTH
    assert sum(band.width for band in drawn.bands) == pytest.approx(WIDTH if drawn.bands else 0, abs=2)


def test_one_step_and_none_are_drawn_too() -> None:
    assert sparkline(series(), 1) is None
    one = sparkline(series(5), 1)
    assert one is not None
    assert one.title == "cost: 5 to 5 over step 1, 5 at the last"


@pytest.mark.parametrize(("column", "parts"), [(1, ("", "a", "bc")), (3, ("ab", "c", "")), (4, ("abc", " ", ""))])
def test_a_text_is_cut_around_a_column(column: int, parts: tuple[str, str, str]) -> None:
    assert around("abc", column) == parts
