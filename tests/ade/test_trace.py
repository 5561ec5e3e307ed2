"""What the simulator says of a step's calls: what was written, what was found, and long texts folded."""

import pytest
from lxml import html

from ade.panels.base import bind
from agents_core.actions import agents
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, MemorySearch, Message, Step, ToolCall
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    return agents.create(
        NewAgent(
            name="trace",
            model="offline/rules",
            memory_blocks=[{"label": "human", "value": ""}],
            tools=["archival_memory_insert", "archival_memory_search"],
        )
    )


def say(agent: Agent, text: str) -> None:
    run = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, run.run_id, None, 1))


def drawn(agent: Agent, kind: str) -> list[html.HtmlElement]:
    page = html.fragment_fromstring(bind("trace", Agent.objects.get(id=agent.id), {}).render())
    return [line for line in page.find_class("ev") if line.find_class("k")[:1] and line.find_class("k")[0].text == kind]


def test_a_write_to_memory_is_one_line_with_the_words_that_changed_and_the_figures_of_its_step(agent: Agent) -> None:
    say(agent, "I live in Porto.")
    say(agent, "I moved to Lisbon last month.")
    line = drawn(agent, "memory")[-1]
    assert [node.text for node in line.iter("del", "ins")] == ["Porto", "Lisbon"]
    assert "tok" in line.find_class("meta")[0].text_content()
    assert drawn(agent, "return") == []


def test_a_search_says_how_many_it_found_and_the_best_and_opens_to_the_exact_text(agent: Agent) -> None:
    say(agent, "Remember that the family passports expire in May 2027.")
    say(agent, "Search archival for passports expire")
    line = drawn(agent, "return")[-1]
    score = MemorySearch.objects.get().candidates[0]["score"]
    assert line.find(".//summary").text_content().strip() == (
        f"1 passage · best {score:.2f} “The family passports expire in May 2027.”"
    )
    assert line.find(".//pre").text == ToolCall.objects.get(name="archival_memory_search").result


def test_a_search_of_messages_counts_messages_and_one_without_hits_says_so(agent: Agent) -> None:
    say(agent, "The hotel near Boavista was lovely.")
    say(agent, "Search conversations for Boavista")
    say(agent, "Search archival for Boavista")
    found, nothing = drawn(agent, "return")
    assert found.find(".//summary").text_content().strip().startswith("2 messages · best ")
    assert nothing.find(".//summary").text_content().strip() == "nothing found"


def test_a_long_return_is_folded_and_a_short_one_stands_open(agent: Agent) -> None:
    say(agent, "Remember that the spare key is under the blue pot.")
    assert not drawn(agent, "return")[-1].find_class("fold")
    ToolCall.objects.update(result="a word " * 100)
    assert drawn(agent, "return")[-1].find_class("lead")[0].text == "a word " * 100


def test_what_the_model_said_beside_a_call_stands_before_the_call_and_its_result(agent: Agent) -> None:
    say(agent, "Search archival for passports expire")
    calling = Message.objects.filter(agent=agent, role="assistant").earliest("seq")
    calling.content = [{"type": "text", "text": "Let me look."}]
    calling.save()
    page = html.fragment_fromstring(bind("trace", Agent.objects.get(id=agent.id), {}).render())
    steps = [[line.text for line in step.find_class("k") if line.text] for step in page.find_class("step")]
    kinds = [[kind for kind in step if kind in ("said", "tool call", "return", "answer")] for step in steps]
    assert kinds == [["said", "tool call", "return"], ["answer"]]
    assert drawn(agent, "said")[0].find_class("say")[0].text == "Let me look."


def test_the_timeline_has_the_steps_in_the_order_of_the_trace(agent: Agent) -> None:
    agents.modify(agent.id, {"context_window": 3000})
    while not Step.objects.filter(kind="summary").exists():
        say(agent, "Thanks. " + "This sentence fills the window. " * 60)
    page = html.fragment_fromstring(bind("timeline", Agent.objects.get(id=agent.id), {}).render())
    lines = [link.text for link in page.iter("a") if link.get("data-depth") is None]
    run = Step.objects.get(kind="summary").run_id
    assert any("summary" in line for line in lines)
    assert [int(line.split()[0]) for line in lines] == list(
        Step.objects.filter(run=run).order_by("number").values_list("number", flat=True)
    )
