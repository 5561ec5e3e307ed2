"""An agent with a sleep-time agent, whose model says what a test wants of it."""

from typing import Any

from agents_core.actions import agents, blocks, sleeptime
from agents_core.actions.messages import Input, send
from agents_core.actions.new_agent import NewAgent
from agents_core.llm.providers.scripted import Answer, script
from agents_core.models import Agent, Block, BlockProposal, Group, Run
from agents_core.runtime.loop import execute
from tests.running import finish

BLOCKS = [{"label": "human", "value": "Her name is Ada. She lives in Kiel.", "limit": 100}]


def make_tended(name: str = "Tended") -> Agent:
    """Its companion is called at every turn."""
    made = agents.create(NewAgent(name=name, model="offline/rules", memory_blocks=BLOCKS, enable_sleeptime=True))
    companion = companion_of(made)
    Agent.objects.filter(id=companion.id).update(model=f"scripted/{companion.id}")
    Group.objects.filter(manager=made).update(sleeptime_agent_frequency=None)
    return made


def companion_of(agent: Agent) -> Agent:
    return Agent.objects.get(id=sleeptime.companions(agent.id)[0])


def human(agent: Agent) -> Block:
    return agent.blocks.get(label="human")


def review(agent: Agent) -> None:
    blocks.modify(human(agent).id, {"review": True})


def speak(agent: Agent, text: str = "Hello") -> None:
    run_id = finish(send(agent.id, [Input("user", [{"type": "text", "text": text}])])).run_id
    finish(execute(agent.id, run_id, None, 1))


def replacing(old: str, new: str) -> Answer:
    return Answer(calls=[("memory_replace", {"label": "human", "old_string": old, "new_string": new})])


def tend(agent: Agent, *answers: Any) -> None:
    """Has the companion do its work."""
    companion = companion_of(agent)
    script(companion.id, [*answers, Answer(calls=[("memory_finish_edits", {})])])
    run = Run.objects.filter(agent=companion, status="created").earliest("created_at")
    finish(execute(companion.id, run.id, None, 1))


def propose(agent: Agent, old: str = "Kiel", new: str = "Bremen") -> BlockProposal:
    """A proposal that the companion makes for "human", which is put under review."""
    review(agent)
    speak(agent)
    tend(agent, replacing(old, new))
    return BlockProposal.objects.get(block=human(agent), status="pending")
