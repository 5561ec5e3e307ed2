"""The context panel of long windows: what is left out of it comes when it is looked at, and is exactly what belongs there."""

import re

import pytest
from django.test import Client
from lxml import html
from pytest_django.fixtures import DjangoAssertNumQueries

from ade.panels.base import bind
from ade.panels.trace import PAGE_STEPS
from ade.parts import CHUNK
from ade.turns import SHOWN_STEPS
from agents_core.actions import agents
from agents_core.actions.new_agent import NewAgent
from agents_core.actions.tools import ensure_builtin_tools
from agents_core.models import Agent, BlockVersion, Run, Segment, Step
from agents_core.record.steps import segments_of
from tests.long_agent import live_long

pytestmark = pytest.mark.django_db

STEPS = 120
SEEN = STEPS - 1
MOST_QUERIES = 20


@pytest.fixture
def agent() -> Agent:
    ensure_builtin_tools()
    memory = [{"label": "human", "value": "Her name is Ada."}]
    made = agents.create(NewAgent(name="long", model="offline/rules", memory_blocks=memory))
    live_long(made.id, STEPS, full_messages=1_000)
    return Agent.objects.get(id=made.id)


def drawn(agent: Agent, **params: str) -> html.HtmlElement:
    return html.fragment_fromstring(bind("context", agent, params).render())


def late(client: Client, agent: Agent, panel: html.HtmlElement, words: str) -> html.HtmlElement:
    [base] = panel.xpath("//@data-late-base")
    answer = client.get(f"{base}&{words}")
    assert answer.status_code == 200, answer.content
    return html.fragment_fromstring(answer.content.decode(), create_parent="div")


def test_the_lines_that_are_left_out_and_those_that_are_drawn_are_all_messages_in_the_order_sent(
    client: Client, agent: Agent
) -> None:
    panel = drawn(agent, step=str(SEEN), diff="none")
    [group] = panel.xpath("//*[@id='seg-messages']")
    assert len(group.find_class("line")) <= 2 * CHUNK
    lines: list[str] = []
    for chunk in group.find_class("chunk"):
        words = chunk.get("data-late")
        filled = late(client, agent, panel, words) if words else chunk
        lines += [line.get("id") for line in filled.find_class("line")]
    step = Step.objects.get(agent=agent, number=SEEN)
    sent = [each.source_id for each in segments_of(step) if each.kind in ("message", "tool_return")]
    assert lines == [f"seg-messages-{source}" for source in sent]
    assert len(lines) > 4 * CHUNK


def test_the_text_of_a_closed_line_is_fetched_with_its_place_in_the_request(client: Client, agent: Agent) -> None:
    panel = drawn(agent, step=str(SEEN), diff="none")
    last = panel.xpath("//*[@id='seg-messages']")[0].find_class("line")[-1]
    [text] = last.find_class("seg-text")
    assert len(text) == 0
    filled = late(client, agent, panel, text.get("data-late"))
    source = last.get("id").removeprefix("seg-messages-")
    segment = Segment.objects.select_related("blob").get(source_id=source)
    content = bytes(segment.blob.content).decode()
    assert filled.xpath(".//details/pre")[0].text == content
    body = "".join(each.raw.decode() for each in segments_of(Step.objects.get(agent=agent, number=SEEN)))
    start, end = re.findall(r"bytes ([\d,]+) to ([\d,]+)", filled.text_content())[0]
    assert body.encode()[int(start.replace(",", "")) : int(end.replace(",", ""))].decode() == content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/steps/{SEEN}/segments?diff=none&text=nothing", 404),
        (f"/steps/{SEEN}/segments?diff=none&lines=messages.99", 404),
        (f"/steps/{SEEN}/segments", 404),
        ("/steps/99999/segments?text=system", 404),
        (f"/steps/{SEEN}/segments?diff=odd&text=system", 422),
        (f"/steps/{SEEN}?diff=99999999999999999999999", 422),
        ("/turns?run=run-x&step=odd", 422),
    ],
)
def test_what_is_not_there_is_refused(client: Client, agent: Agent, path: str, status: int) -> None:
    assert client.get(f"/agents/{agent.id}{path}").status_code == status


def test_the_words_of_the_diff_menu_mean_steps_before_the_one_shown(agent: Agent) -> None:
    written = set(BlockVersion.objects.filter(step__isnull=False).values_list("step__number", flat=True))
    step = Step.objects.get(agent=agent, number=SEEN)
    first = Step.objects.filter(run=step.run).order_by("number")[0]
    for chosen, number in (("", SEEN - 1), ("memory", max(written - {SEEN})), ("turn", first.number), ("7", 7)):
        context = bind("context", agent, {"step": str(SEEN), "diff": chosen}).context()
        assert context["against"].base.number == number, chosen
        assert [choice.value for choice in context["against"].choices if choice.is_chosen] == [chosen]
    first_step = bind("context", agent, {"step": "1", "diff": "memory"}).context()
    assert first_step["against"].base is None
    assert "No step before it wrote memory" in first_step["against"].problem


def test_a_later_step_is_compared_in_the_order_of_time(agent: Agent) -> None:
    panel = drawn(agent, step="20", diff="40")
    [totals] = panel.find_class("totals")
    assert "by step 40:" in totals.text_content()
    assert totals.find_class("added")
    assert not totals.find_class("evicted")
    newer = bind("context", agent, {"step": "40", "diff": "20"}).context()
    assert newer["counts"] == bind("context", agent, {"step": "20", "diff": "40"}).context()["counts"]


def test_pages_of_the_trace_hold_each_turn_once_and_few_steps(client: Client, agent: Agent) -> None:
    page = html.fragment_fromstring(bind("trace", agent, {}).render())
    found: list[str] = []
    for _ in range(STEPS):
        assert len(page.find_class("step")) <= PAGE_STEPS + 10
        found = [turn.get("id") for turn in page.find_class("turn")] + found
        [*addresses] = page.xpath("//*[@id='earlier']//@hx-get")
        if not addresses:
            break
        page = html.fragment_fromstring(client.get(addresses[0]).content.decode(), create_parent="div")
    runs = Run.objects.filter(agent=agent).order_by("first_seq")
    assert found == [f"turn-{run.id}" for run in runs]


def test_turns_that_were_left_far_behind_are_given_again_as_they_are(client: Client, agent: Agent) -> None:
    first, second, *_ = Run.objects.filter(agent=agent).order_by("first_seq")
    stranger = agents.create(NewAgent(name="other", model="offline/rules"))
    [address] = html.fragment_fromstring(bind("trace", agent, {}).render()).xpath("//@data-turns")
    given = client.get(f"{address}&runs={second.id},{first.id},run-of-nobody").content.decode()
    page = html.fragment_fromstring(given, create_parent="div")
    assert [turn.get("id") for turn in page.find_class("turn")] == [f"turn-{first.id}", f"turn-{second.id}"]
    assert len(page.find_class("step")) == first.steps.count() + second.steps.count()
    assert not page.xpath("//*[@id='earlier']")
    theirs = client.get(f"/agents/{stranger.id}/turns?runs={first.id}")
    assert theirs.status_code == 200
    assert not theirs.content.strip()


def test_a_long_turn_shows_its_last_steps_and_brings_the_earlier_ones(client: Client, agent: Agent) -> None:
    run = Run.objects.filter(agent=agent).order_by("-first_seq")[0]
    Step.objects.filter(agent=agent).update(run=run)
    page = html.fragment_fromstring(bind("trace", agent, {}).render())
    numbers: list[int] = []
    for _ in range(STEPS):
        steps = [int(step.get("aria-label").removeprefix("Step ")) for step in page.find_class("step")]
        assert len(steps) <= SHOWN_STEPS
        numbers = steps + numbers
        [*addresses] = page.xpath(f"//*[@id='earlier-{run.id}']//@hx-get")
        if not addresses:
            break
        page = html.fragment_fromstring(client.get(addresses[0]).content.decode(), create_parent="div")
    assert numbers == list(range(1, STEPS + 1))


@pytest.mark.parametrize("slug", ["trace", "context", "head", "timeline"])
def test_a_panel_asks_the_database_a_fixed_number_of_times(
    agent: Agent, slug: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(MOST_QUERIES):
        bind(slug, agent, {}).render()
