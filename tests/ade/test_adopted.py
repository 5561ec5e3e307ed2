"""What the pages say of an agent that took over a fork, or went back: what it has now, and where that comes from."""

import pytest
from lxml import html

from ade.panels.base import bind
from ade.window import newest_bar
from agents_core.actions import adopting, agents, deletions, forks, rewind
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Branch, Message, Run, Step
from agents_core.runtime.loop import execute
from agents_core.runtime.preview import preview_next
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = "Please remember that I moved to Lisbon."


def say(agent: Agent, text: str) -> None:
    run = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])]))
    finish(execute(agent.id, run.run_id, None, 1))


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    """An agent that has answered three messages, in as many steps."""
    made = agents.create(
        NewAgent(name="Ada", model="offline/rules", memory_blocks=[{"label": "human", "value": "The person:"}])
    )
    for text in ("Hello there", "How are you?", "Good night"):
        say(made, text)
    return made


@pytest.fixture
def fork(agent: Agent) -> Agent:
    """A fork at step 2 that was told something, wrote it down (its step 2) and said so (step 3), and was adopted."""
    made = forks.fork(agent.id, 2, name="Told")
    say(made, TOLD)
    adopting.adopt(agent.id, made.id)
    return made


def drawn(agent: Agent, slug: str, **params: str) -> html.HtmlElement:
    return html.fragment_fromstring(bind(slug, Agent.objects.get(id=agent.id), params).render())


def turns(agent: Agent) -> list[html.HtmlElement]:
    return list(drawn(agent, "trace").find_class("turn"))


def adopted(agent: Agent) -> html.HtmlElement:
    [turn] = drawn(agent, "trace").find_class("turn adopted")
    return turn


def links(node: html.HtmlElement) -> list[str]:
    return [str(address) for address in node.xpath(".//a/@href")]


# --- the trace -----------------------------------------------------------------------------------------------------


def test_what_was_said_in_a_fork_stands_where_it_was_adopted_and_leads_to_the_steps_of_the_fork(
    agent: Agent, fork: Agent
) -> None:
    say(agent, "What now?")
    *_, turn, last = turns(agent)
    assert "What now?" in last.text_content()
    assert [user.text for user in turn.find_class("user")] == [TOLD]
    assert "I moved to Lisbon." in turn.find_class("call")[0].text_content()
    assert "I noted" in turn.find_class("say")[0].text
    assert [address for address in links(turn) if "/steps/" in address] == [
        f"/agents/{fork.id}/steps/{number}" for number in (2, 3)
    ]
    assert f"/agents/{fork.id}" in links(turn)


def test_what_was_adopted_is_shown_as_left_once_the_agent_went_back_and_not_when_it_came_back(
    agent: Agent, fork: Agent
) -> None:
    assert not adopted(agent).find_class("left")
    branch = rewind.rewind(agent.id, 1)
    assert len(adopted(agent).find_class("left")) == 2
    rewind.come_back(agent.id, branch.id)
    assert not adopted(agent).find_class("left")


def test_what_was_adopted_outlives_its_fork(agent: Agent, fork: Agent) -> None:
    deletions.delete_agent(fork.id)
    turn = adopted(agent)
    assert "a fork that was deleted" in turn.text_content()
    assert TOLD in turn.text_content()
    assert not [address for address in links(turn) if fork.id in address]


def test_a_message_that_the_fork_gets_later_is_none_of_the_agents(agent: Agent, fork: Agent) -> None:
    say(fork, "Only for the fork")
    assert "Only for the fork" not in drawn(agent, "trace").text_content()


def test_an_adopted_turn_is_fetched_again_by_its_branch(agent: Agent, fork: Agent) -> None:
    branch = Branch.objects.get(agent=agent)
    run = Run.objects.filter(agent=agent).first()
    assert run
    context = bind("trace", agent, {"runs": f"{branch.id},{run.id}"}).named()  # type: ignore[attr-defined]
    assert [turn.dom_id for turn in context["turns"]] == [f"turn-{run.id}", f"turn-{branch.id}"]


def test_recall_leads_from_an_adopted_message_to_the_step_of_the_fork(agent: Agent, fork: Agent) -> None:
    message = Message.objects.get(agent=agent, role="user", content__0__text=TOLD)
    [seen] = drawn(agent, "recall").xpath(f".//*[@id='recall-{message.id}']")
    assert links(seen) == [f"/agents/{fork.id}/steps/2"]


def test_blame_leads_from_a_sentence_that_the_fork_wrote_to_its_step_and_message(agent: Agent, fork: Agent) -> None:
    panel = drawn(agent, "blame", block="human")
    *_, who = panel.iter("dt")
    *_, why = panel.iter("dd")
    assert why.text_content().startswith("I moved to Lisbon.")
    assert links(who)[0] == f"/agents/{fork.id}/steps/2"
    assert "of Told" in who.text_content()
    assert "adopting a fork" in who.text_content()
    assert TOLD in why.text_content()


# --- what is newest ------------------------------------------------------------------------------------------------


def next_tokens(agent: Agent) -> int:
    return sum(segment.tokens for segment in finish(preview_next(agent.id)).segments if segment.kind != "envelope")


@pytest.mark.parametrize("moved", ["rewound", "adopted"])
def test_an_agent_that_went_elsewhere_shows_the_last_step_it_kept_and_the_size_of_what_it_sends_next(
    agent: Agent, moved: str, request: pytest.FixtureRequest
) -> None:
    if moved == "adopted":
        request.getfixturevalue("fork")
    else:
        rewind.rewind(agent.id, 2)
    panel = drawn(agent, "context")
    [scrubber] = panel.xpath(".//*[@id='scrubber']")
    assert (scrubber.get("value"), scrubber.get("max")) == ("1", "3")
    assert "live" not in panel.find_class("scrub")[0].text_content()
    assert "its next request is another one" in panel.text_content()
    assert newest_bar(Agent.objects.get(id=agent.id)).used_tokens == next_tokens(agent)
    assert drawn(agent, "timeline").xpath(".//a/@href") == [f"/agents/{agent.id}/steps/1"]
    assert f"/agents/{agent.id}/steps/1/" in html.tostring(drawn(agent, "raw")).decode()


def test_an_agent_that_came_back_to_where_its_newest_step_left_it_is_live_there(agent: Agent) -> None:
    branch = rewind.rewind(agent.id, 2)
    rewind.come_back(agent.id, branch.id)
    panel = drawn(agent, "context")
    assert panel.xpath(".//*[@id='scrubber']/@value") == ["3"]
    assert "live" in panel.find_class("scrub")[0].text_content()
    assert "its next request is another one" not in panel.text_content()


def test_an_agent_that_goes_on_after_it_went_back_is_live_at_its_new_step(agent: Agent) -> None:
    rewind.rewind(agent.id, 2)
    say(agent, "What now?")
    panel = drawn(agent, "context")
    sent = Step.objects.filter(agent=agent, number__gt=3).earliest("number")
    assert drawn(agent, "context", step=str(sent.number)).xpath(".//*[@id='diff-before']/text()") == ["1 · previous"]
    sent = Step.objects.filter(agent=agent).latest("number")
    assert panel.xpath(".//*[@id='scrubber']/@value") == [str(sent.number)]
    assert "live" in panel.find_class("scrub")[0].text_content()
    assert newest_bar(Agent.objects.get(id=agent.id)).reported_tokens == sent.prompt_tokens


def test_an_agent_that_went_back_to_before_its_first_step_shows_its_next_request(agent: Agent) -> None:
    rewind.rewind(agent.id, 1)
    panel = drawn(agent, "context")
    assert not panel.xpath(".//*[@id='scrubber']")
    assert "All steps that the agent took, up to 3" in panel.text_content()
    assert newest_bar(Agent.objects.get(id=agent.id)).used_tokens == next_tokens(agent)
    assert not drawn(agent, "timeline").find_class("wf")
    assert drawn(agent, "head").xpath(".//*[@id='agent-state']")[0].text_content().strip() == "idle"
