"""Comparing branches in the IDE: the form, where branches part, and memory at their ends."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ade.branch_graph import Drawn, graph_of
from ade.divergence import first_difference
from ade.experiment_page import value_in
from ade.memory_ends import memory_end
from ade.turns import CallView, StepView
from agents_core.actions import agents
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.memory.render import BlockFacts, block_text
from agents_core.models import Agent, Comparison, Experiment, Step, ToolCall
from agents_core.runtime.loop import execute
from tests.running import finish


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    blocks = [{"label": "human", "value": "Name: Bo."}, {"label": "persona", "value": "I am kind."}]
    made = agents.create(NewAgent(name="branching", model="offline/rules", memory_blocks=blocks))
    for text in ("I live in Porto.", "Where do I live?"):
        run = finish(send(made.id, [Input("user", [{"type": "text", "text": text}])]))
        finish(execute(made.id, run.run_id, None, 1))
    return made


def block_field(client: Client, agent: Agent, label: str) -> str:
    """The name of the form's field for a block."""
    page = client.get(f"/agents/{agent.id}/compare/new?step=1").content.decode()
    [before] = page.split(f">{label}</label>")[:1]
    return before.rpartition('for="')[2].partition('"')[0]


def variants(client: Client, agent: Agent, **form: Any) -> list[dict[str, Any]]:
    """What the branches change that the form makes."""
    answer = client.post(f"/agents/{agent.id}/compare/create", {"step": "1", "model": "offline/rules", **form})
    assert answer.status_code == 204, answer.content
    made = Comparison.objects.get()
    return list(made.variants.values_list("changes", flat=True))


pages = pytest.mark.django_db(transaction=True)


@pages
def test_each_model_with_each_of_the_instructions_and_each_of_the_memories_is_a_branch(
    client: Client, agent: Agent
) -> None:
    human = block_field(client, agent, "human")
    form = {"model": ["offline/rules", "offline/rules-8k", ""], human: "Bea.", "both_memories": "1"}
    found = variants(client, agent, system="Be brief.\r\nAlways.", both_systems="1", **form)
    assert len(found) == 8
    brief = {"system": "Be brief.\nAlways."}
    assert [each for each in found if "model" not in each] == [
        {}, {"blocks": {"human": "Bea."}}, brief, {**brief, "blocks": {"human": "Bea."}},
    ]  # fmt: skip


@pages
def test_a_block_left_out_is_changed_alone_and_what_was_not_touched_is_no_change(client: Client, agent: Agent) -> None:
    persona = block_field(client, agent, "persona")
    system = agent.system.strip("\n").replace("\n", "\r\n")
    assert variants(client, agent, system=system, **{f"without-{persona}": "1"}) == [{"blocks": {"persona": None}}]


@pages
def test_more_than_eight_branches_are_refused_and_none_is_made(client: Client, agent: Agent) -> None:
    models = ["offline/rules", "offline/rules-8k", "offline/a"]
    form = {"step": "1", "model": models, "system": "x", "both_systems": "1", "both_memories": "1"}
    human = block_field(client, agent, "human")
    answer = client.post(f"/agents/{agent.id}/compare/create", {**form, human: "y"})
    assert answer.status_code == 400
    assert not Comparison.objects.exists()


@pages
def test_another_agents_comparison_and_a_step_that_is_not_there_are_not_found(client: Client, agent: Agent) -> None:
    variants(client, agent)
    made = Comparison.objects.get()
    stranger = agents.create(NewAgent(name="stranger", model="offline/rules"))
    for address in (
        f"{stranger.id}/compare/{made.id}",
        f"{agent.id}/compare/new?step=99",
        f"{agent.id}/steps/99/again",
    ):
        assert client.get(f"/agents/{address}").status_code == 404
    for step in ("", "one", "-1"):
        assert client.get(f"/agents/{agent.id}/compare/new?step={step}").status_code == 422


@pages
def test_a_call_is_made_again_only_with_what_was_changed_in_the_form(client: Client, agent: Agent) -> None:
    page = client.get(f"/agents/{agent.id}/steps/1/again").content.decode()
    field = page.split(">human</label>")[0].rpartition('for="')[2].partition('"')[0]
    form = {"model": "offline/rules", "system": agent.system.strip("\n"), field: "Name: Bea."}
    assert client.post(f"/agents/{agent.id}/steps/1/again/make", form).status_code == 302
    assert Experiment.objects.get().changes == {"blocks": {"human": "Name: Bea."}}


# --- pure ------------------------------------------------------------------------------------------------------------


def view(number: int, said: str = "", *calls: tuple[str, dict[str, Any]], open_: bool = False, **step: Any) -> StepView:
    made = Step(number=number, finished_at=None if open_ else timezone.now(), **step)
    called = [CallView(ToolCall(name=name, arguments=arguments), "", None) for name, arguments in calls]
    return StepView(made, said=said, calls=called)


SEARCH, OTHER = ("search", {"query": "a", "page": 1}), ("search", {"query": "b", "page": 1})


def test_a_branch_parts_at_the_first_step_that_called_or_said_something_else() -> None:
    recorded = [view(1, "", SEARCH), view(2, "Yes.")]
    same = [view(7, "", ("search", {"page": 1, "query": "a"})), view(8, "Yes. ")]
    assert first_difference(recorded, same, is_over=True) is None
    for branch, told in (
        ([view(7, "", OTHER), view(8, "Yes.")], (0, "tool call")),
        ([view(7, "", SEARCH), view(8, "No.")], (1, "answer")),
        ([view(7, "", SEARCH), view(8, error={"message": "Refused."})], (1, "error")),
        ([view(7, "", SEARCH)], (1, "end")),
        ([*same, view(9, "More.")], (2, "end")),
    ):
        found = first_difference(recorded, branch, is_over=True)
        assert (found and (found.at, found.kind)) == told


def test_a_branch_under_way_has_not_parted_by_what_it_has_not_done_yet() -> None:
    recorded = [view(1, "", SEARCH), view(2, "Yes.")]
    assert first_difference(recorded, [view(7, "", SEARCH)], is_over=False) is None
    assert first_difference(recorded, [view(7, "Y", open_=True)], is_over=False) is None


def test_memory_at_the_end_is_told_in_lines_and_in_blocks_that_went_or_came() -> None:
    recorded = {"human": "Name: Bo.\nLives in Porto.", "policy": "Be kind."}
    assert memory_end(recorded, dict(recorded)).words == "="
    end = memory_end(recorded, {"human": "Name: Bo.\nLives in Oslo.\nSails.", "plans": "None."})
    assert end.words == "2 lines, 1 lost, 1 new"
    assert [(block.label, block.status) for block in end.blocks] == [
        ("human", "changed"),
        ("policy", "lost"),
        ("plans", "new"),
    ]


def test_branches_are_drawn_below_each_other_as_long_as_they_are() -> None:
    graph = graph_of(12, [Drawn("A", "recorded", 4, None, False, ""), Drawn("B", "other", 2, 1, True, "")])
    longer, shorter = graph.lines
    assert longer.y < shorter.y
    assert shorter.differs_x is not None
    assert shorter.differs_x < shorter.end_x < longer.end_x


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("value", ["", "One line.", "Two\nlines <value>\n→ 3\n</value> and more", "\n"])
def test_the_text_of_a_block_is_read_out_of_the_prompt_as_it_was(value: str, numbered: bool) -> None:
    facts = BlockFacts("block-1", "human", value, 100, "<value>\nnot this\n</value>")
    assert value_in(block_text(facts, numbered)) == value
