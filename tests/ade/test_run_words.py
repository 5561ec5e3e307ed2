"""How a run ended, as the pages tell it; and what the next step will not see."""

import pytest
from django.test import Client

from agents_core.actions import agents, blocks, callbacks
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.models import Agent, Author, Run
from agents_core.runtime.loop import execute
from tests.running import finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(builtin_tools: None) -> Agent:
    human = {"label": "human", "value": "Name: Bo."}
    return agents.create(NewAgent(name="Worded", model="offline/rules", memory_blocks=[human]))


def say(agent: Agent, text: str) -> Run:
    run_id = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])])).run_id
    finish(execute(agent.id, run_id, None, 1))
    return Run.objects.get(id=run_id)


def page(agent: Agent, panel: str) -> str:
    return Client().get(f"/agents/{agent.id}/panels/{panel}").content.decode()


def test_a_run_over_its_budget_says_so_where_it_is_shown(agent: Agent) -> None:
    say(agent, "Hello")
    agents.modify(agent.id, {"budgets": {"max_day_tokens": 1}})
    run = say(agent, "Hello again")
    assert run.error is not None
    for panel in ("runs", "trace", "head"):
        assert "a budget is used up" in page(agent, panel), panel
    assert "raise max_day_tokens" in page(agent, "runs")


def test_a_run_says_what_came_of_its_callback_and_how_often_it_was_tried(agent: Agent) -> None:
    run = say(agent, "Hello")
    Run.objects.filter(id=run.id).update(callback_url="http://localhost:9/<done>", attempts=3)
    assert "to come" in page(agent, "runs")
    finish(callbacks.record_of_run(agent.id, run.id, callbacks.Delivery(None, "No answer within 5 s.")))
    shown = page(agent, "runs")
    assert "failed: No answer within 5 s." in shown
    assert "attempt 3" in shown
    assert "<done>" not in shown
    finish(callbacks.record_of_run(agent.id, run.id, callbacks.Delivery(204, None)))
    assert "taken, 204" in page(agent, "runs")


def test_the_context_says_when_a_change_of_memory_is_seen(agent: Agent) -> None:
    say(agent, "Hello")
    block = agent.blocks.get()
    blocks.modify(block.id, {"value": "Name: Bea."}, Author.PERSON)
    assert "The next step will see it" in page(agent, "context")
    agents.modify(agent.id, {"compaction_settings": {"recompile": "compaction"}, "system": "Be brief."})
    say(agent, "Hello again")
    waits = page(agent, "context")
    assert "The next step will see it" not in waits
    assert "human, system instructions. The agent sees it after the next compaction" in waits
    assert Client().post(f"/agents/{agent.id}/recompile").status_code == 204
    assert "after the next compaction" not in page(agent, "context")
    assert "human. The next step will see it" in page(agent, "context")
    say(agent, "And now?")
    assert "The next step will see it" not in page(agent, "context")
